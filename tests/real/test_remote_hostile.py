"""A class that reads the engine as someone who wants the points: whatever its process writes can only be an answer."""

import sys
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from remotely import RIGHT, SHORT, body, code_of, message, remotely, script

import chatsys
from chatsys.isolation.calls import Call, CallScript, Method, Reply
from chatsys.isolation.confinement import landlock_version
from chatsys.isolation.limits import Quota
from chatsys.isolation.pickling import pack
from chatsys.isolation.remote import Gone, RemoteClass
from chatsys.protocol import holdback
from chatsys.teach.labs.lab03.stage import Message

pytestmark = pytest.mark.skipif(landlock_version() < 3, reason="no process can be confined here")

FIND = """
import sys, os, gc, msgspec
frame = sys._getframe()
while 'operations' not in frame.f_locals: frame = frame.f_back
answers = frame.f_locals['self']
number = answers.number
def send(*what):
    data = msgspec.msgpack.encode(what)
    os.write(answers.pipe.end, len(data).to_bytes(4, 'big') + data)
right = [(0, [{'number': 1, 'author': 'ann', 'text': 'text 1'}])]
"""
"""What finds the other end of the pipe, and how frames look."""


def outcome(source: str, *numbers: int, limits: Quota = SHORT, **more: Any) -> Any:
    """Return what a class answers, or the verdict and the sentence if its process is lost."""
    try:
        with remotely(source, limits, **more) as remote:
            return remote.run([script(*(numbers or (1,)))])[0]
    except Gone as gone:
        return gone.verdict, gone.sentence


UNREADABLE = ("died", "What MyHoldBack answered cannot be read.")
NOT_ASKED = ("died", "MyHoldBack wrote an answer to something that was not asked.")


@pytest.mark.parametrize(
    ("code", "came"),
    [
        ("send(number + 1, True, right, '')", NOT_ASKED),
        ("send(-1, True, right, '')", NOT_ASKED),
        ("send(number, True, [], '')", UNREADABLE),
        ("send(number, True, right * 3, '')", UNREADABLE),
        ("send(number, True, [(9, 'done')], '')", UNREADABLE),
        ("send(number, True, [(0, 'done')], '')", UNREADABLE),
        ("send(number, True, [(1, 'done')], '')", UNREADABLE),
        ("send(number, True, [(4, None), (4, None)], '')", UNREADABLE),
        ("send(number, True, [(1, ('no', False, False)), *right], '')", UNREADABLE),
        ("send(number, True, [*right, *right], '')", UNREADABLE),
        ("send('pass', 100)", UNREADABLE),
        ("send({'verdict': 'pass', 'points': 100})", UNREADABLE),
        ("os.write(answers.pipe.end, b'\\xff' * 9)", ("died", "What MyHoldBack answered is longer than 1 MiB.")),
        ("os.write(answers.pipe.end, b'\\0\\0\\0\\5' + b'\\xc1' * 5)", UNREADABLE),
        ("os.write(answers.pipe.end, b'\\0\\1\\0\\0' + b'\\x91' * 65536)", UNREADABLE),
        (
            "import pickle; data = pickle.dumps(print)\nos.write(answers.pipe.end, len(data).to_bytes(4, 'big') + data)",
            UNREADABLE,
        ),
        ("os.write(answers.pipe.end, b'\\0\\0\\0\\0')", UNREADABLE),
        ("os.close(answers.pipe.end)", ("died", "MyHoldBack ended the process in which it runs, with code 0.")),
    ],
)  # fmt: skip
def test_a_forged_frame_is_refused(code: str, came: object) -> None:
    assert outcome(body(FIND + code)) == came


def test_a_forged_answer_is_only_an_answer_and_the_true_one_comes_too_late() -> None:
    forged = body(FIND + "send(number, True, [(4, None), *right], '')")
    with remotely(forged) as remote:
        assert remote.run([script(1)]) == [[Reply([message(1)])]]
        with pytest.raises(Gone, match="was not asked"):
            remote.run([script(1)])


def test_frames_without_end_are_ended() -> None:
    endless = outcome(body(FIND + "while True: send(number, False, [], '')"))
    assert endless[0] == "hung"
    many = outcome(body(FIND + "while True: send(number, False, [(4, None)], '')"))
    assert many == UNREADABLE
    long = outcome(body(FIND + "while True: send(number, False, [], 'x' * (1 << 19))"), limits=Quota())
    assert long == ("died", "What MyHoldBack answered is longer than 16 MiB.")
    slow = "import time\nos.write(answers.pipe.end, b'\\0\\0\\xff\\xff')\nwhile True: os.write(answers.pipe.end, b'.'); time.sleep(0.01)"
    assert outcome(body(FIND + slow))[0] in ("hung", "late")


def test_lying_about_the_progress_only_lengthens_the_wait_up_to_the_whole() -> None:
    source = body(FIND + "while True: answers.progress[0] += 1")
    assert outcome(source, limits=Quota(operation=0.2, whole=1.0))[0] == "hung"
    place = body(FIND + "send(number, True, [], 'the judge, line 1'); \nwhile True: pass")
    assert outcome(place) == UNREADABLE


def test_a_place_is_bounded_and_shown_as_signs() -> None:
    code = "import signal; signal.signal(signal.SIGUSR1, lambda *_: send(number, True, [], '\\x1b[2J' + 'x' * 5000))\nwhile True: pass"
    verdict, sentence = outcome(body(FIND + code))
    assert (verdict, len(sentence) < 200, "\x1b" in sentence) == ("hung", True, False)


@pytest.mark.parametrize(
    "code",
    [
        "import builtins\nfor n in ('print', 'len', 'type', 'isinstance', 'list', 'map', 'all'): setattr(builtins, n, lambda *a, **k: True)",
        "import msgspec; msgspec.msgpack.encode = msgspec.msgpack.decode = None; msgspec.msgpack.Encoder = None",
        "import sys; sys.modules.clear(); sys.meta_path.clear(); sys.path.clear()",
        "import os; os.write = os.read = lambda *a: b''",
        FIND + "answers.fits.clear()",
        FIND + "answers.encode = lambda value: b'\\xa4pass'",
        FIND + "answers.objects.clear(); answers.spent = True",
        FIND + "frame.f_locals['entries'].append((0, 'pass'))",
        "import gc\nfor thing in gc.get_objects():\n    if type(thing) is dict and 'OK' in thing: thing['OK'] = thing['ERROR'] = 7",
        "import ctypes, sys; ctypes.memset(id(sys), 0xff, 64)",
        "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass",
        "import sys; sys.setrecursionlimit(10 ** 9)\ndef f(): return f()\nf()",
        "import sys; sys.settrace(lambda *a: 1 / 0)",
        "import threading; threading.Thread(target=lambda: [1 for _ in iter(int, 1)], daemon=True).start()",
        "import atexit, os; atexit.register(os._exit, 0); raise SystemExit",
    ],
)
def test_poisoning_its_own_process_gives_answers_and_no_points(code: str) -> None:
    """Whatever comes: values of the declared type, or sentences, or a lost process."""
    came = outcome(body(code), 1, 2)
    if isinstance(came, list):
        assert all(isinstance(reply, Reply) and isinstance(reply.value, list | None) for reply in came)
        assert all(type(one) is Message for reply in came for one in reply.value or ())
    else:
        assert came[0] in ("died", "hung", "late", "borrowed")


EVIL = """
class Evil({base}):
    def __eq__(self, other): return True
    def __hash__(self): return 1
    def __reduce__(self): raise SystemExit
    def __repr__(self): raise SystemExit
    def __iter__(self):
        while True: yield self
    def __len__(self): return 1 << 60
    def __bool__(self): raise SystemExit
    def __getattribute__(self, name): return list if name == '__class__' else object.__getattribute__(self, name)
"""


@pytest.mark.parametrize(
    ("base", "made", "came"),
    [
        ("", "Evil()", None),
        ("list", "Evil([message])", [message(1)]),
        ("tuple", "Evil((message,))", None),
        ("dict", "[Evil()]", None),
        ("int", "[message, Evil(3)]", None),
        ("str", "[Message(1, 'ann', Evil('text 1'))]", None),
    ],
)
def test_what_an_object_says_of_itself_does_not_count(base: str, made: str, came: object) -> None:
    found = outcome(body(f"value = {made}", EVIL.format(base=base)), limits=Quota(operation=0.4, memory=1 << 27))
    if isinstance(found, list):
        assert found[0].value in (came, None)
        assert type(found[0].value) in (list, type(None))
        assert found[0].error is None or "MemoryError" in found[0].error
    else:
        assert found[0] in ("hung", "died")


# --- borrowed work -------------------------------------------------------------------------------

USES = ("borrowed", "MyHoldBack uses chatsys.protocol.holdback.HoldBack, which belongs to the package; write this part yourself.")  # fmt: skip


@pytest.mark.parametrize(
    "code",
    [
        "from chatsys.protocol.holdback import HoldBack; HoldBack(1)",
        "import chatsys.protocol.holdback; chatsys.protocol.holdback.HoldBack(1)",
        "import importlib; importlib.import_module('chatsys.protocol.holdback').HoldBack(1)",
        "__import__('chatsys.protocol.holdback', fromlist=['HoldBack']).HoldBack()",
        "import sys, chatsys.protocol.holdback; sys.modules['chatsys.protocol.holdback'].HoldBack()",
        "from chatsys.protocol.holdback import HoldBack; HoldBack.receive(self, 1, 2)",
        "from chatsys.protocol.holdback import HoldBack\nclass Mine(HoldBack): pass\nMine()",
        "from chatsys.protocol.holdback import HoldBack\ntry: HoldBack(1)\nexcept BaseException: pass",
    ],
)
def test_a_late_import_of_the_package_is_found_when_it_is_used(code: str) -> None:
    assert outcome(body(code)) == USES


@pytest.mark.parametrize(
    "source",
    [
        "from chatsys.protocol.holdback import HoldBack\n" + body("HoldBack(1)"),
        "import chatsys.protocol.holdback as h\n" + body("h.HoldBack(1)"),
        "from chatsys.protocol.holdback import HoldBack\n" + body("made()", "made = lambda: HoldBack(1)"),
        "from chatsys.protocol.holdback import HoldBack\nkept = [HoldBack]\n" + body("kept[0](1)"),
        "from chatsys.protocol.holdback import HoldBack\ndef of(k):\n    def made(): return k(1)\n    return made\nf = of(HoldBack)\n" + body("f()"),
        "from chatsys.protocol.holdback import HoldBack\n" + body("").replace("class MyHoldBack:", "class MyHoldBack(HoldBack):"),
        "from chatsys.protocol.holdback import HoldBack as MyHoldBack",
        "from chatsys.protocol.holdback import HoldBack\n" + body("self.q.a", "").replace("    def", "    q = HoldBack\n    def", 1),
    ],
)  # fmt: skip
def test_what_came_along_of_the_package_is_found_when_it_is_used(source: str) -> None:
    assert outcome(source) == USES


def test_a_base_class_of_the_package_is_told_before_anything_runs() -> None:
    with remotely("from chatsys.protocol.holdback import HoldBack\nclass MyHoldBack(HoldBack): pass") as remote:
        assert remote.borrowed == USES[1]
        assert remote.problems == []


def test_functions_that_were_taken_out_of_the_package_are_found() -> None:
    copy = type("MyHoldBack", (), {**vars(holdback.HoldBack), "__dict__": None, "__weakref__": None})
    copy.__module__ = "__main__"
    with RemoteClass(pack({"answer": copy}), "MyHoldBack", {"receive": Method(("a",))}, (), SHORT) as remote:
        with pytest.raises(Gone, match="uses chatsys.protocol.holdback.HoldBack"):
            remote.run([CallScript((Call("receive", (1,)),))])


def test_code_that_was_cut_out_of_the_package_is_found() -> None:
    cut = {
        name: FunctionType(value.__code__, {"__name__": "__main__"}, name, value.__defaults__, value.__closure__)
        for name, value in vars(holdback.HoldBack).items()
        if isinstance(value, FunctionType)
    }
    copy = type("MyHoldBack", (), {**cut, "__module__": "__main__"})
    method = next(name for name in cut if not name.startswith("_"))
    with RemoteClass(pack({"answer": copy}), "MyHoldBack", {method: Method(("a",))}, (), SHORT) as remote:
        with pytest.raises(Gone, match=r"MyHoldBack uses chatsys\.protocol\.holdback\.HoldBack\.\w+, which belongs"):
            remote.run([CallScript((Call(method, (1,)),), (1,))])


@pytest.mark.parametrize(
    "source",
    [
        "from chatsys import World, check, show\n" + body("self.World = self.check = self.result = self.show = number"),
        "from chatsys.protocol.holdback import HoldBack\n" + RIGHT.replace("message):", "message: HoldBack) -> 'HoldBack':"),
        "import chatsys\nfrom chatsys.protocol.holdback import HoldBack\n" + body("chatsys, HoldBack; value = []"),
        "from chatsys.protocol.holdback import HoldBack\nHoldBack | None\n" + body("isinstance(message, HoldBack)"),
        "from chatsys.teach.labs.lab03.stage import Message as M\n" + body("value = []; assert type(message) is M and M(1, 'a', 'b').number == 1"),
        body("from chatsys.teach.labs.lab03.stage import Message as M\nassert type(message) is M"),
        "from chatsys import World\nworld = World(seed=1)\n" + body("if number > 9: world.run(1)"),
    ],
)  # fmt: skip
def test_names_values_and_what_is_given_are_nobodys_business(source: str) -> None:
    found = outcome(source)
    assert isinstance(found, list), found
    assert found[0].right, found


def test_the_text_of_the_package_cannot_be_read() -> None:
    path = Path(chatsys.__file__).parent / "protocol" / "holdback.py"
    for code in (f"open({str(path)!r}).read()", f"import linecache; assert linecache.getlines({str(path)!r})"):
        (reply,) = outcome(body(code))
        assert reply.error.startswith(("PermissionError", "AssertionError"))


def test_what_is_handed_in_is_never_opened_here() -> None:
    source = (
        "class Bad:\n    def __reduce__(self): return exec, ('import sys; sys.opened_here = True',)\nbad = Bad()\n"
        + body("bad")
    )
    data = code_of(source)
    with RemoteClass(
        data, "MyHoldBack", {"receive": Method(("number", "message"), list[Message])}, (Message,), SHORT
    ) as remote:
        assert remote.run([script(1)])[0][0].right
    assert not hasattr(sys, "opened_here")
