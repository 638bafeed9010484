"""A class in a confined process: it answers as it would at home, and whatever it does else costs only itself."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from endings import ends
from remotely import RIGHT, body, message, remotely, script

from chatsys.isolation.calls import Call, CallScript, Method, Reply
from chatsys.isolation.confinement import MEASURES, landlock_version
from chatsys.isolation.limits import Quota
from chatsys.isolation.remote import Gone, Raised
from chatsys.teach.labs.lab03.stage import Message, Ordered, Post

pytestmark = pytest.mark.skipif(landlock_version() < 3, reason="no process can be confined here")


def replies(source: str, *numbers: int) -> list[Reply]:
    """Return what a class answers when these messages come."""
    with remotely(source) as remote:
        return remote.run([script(*(numbers or (1,)))])[0]


def gone(source: str, *numbers: int) -> Gone:
    """Return why the process of a class was lost."""
    with pytest.raises(Gone) as caught:
        replies(source, *numbers)
    return caught.value


# --- a class that does as it should --------------------------------------------------------------


def test_scripts_and_live_calls_get_the_same_answers() -> None:
    order = (3, 1, 1, 2, 4)
    with remotely(RIGHT) as remote:
        assert (remote.held, remote.problems, remote.borrowed) == (MEASURES, [], None)
        live = remote.new()
        one_by_one = [remote.call(live, "receive", (number, message(number))) for number in order]
        assert remote.run([script(*order), script(*order)]) == [one_by_one, one_by_one]
        assert remote.first_wrong(remote.new(), script(*order).calls) is None
    assert [reply.value for reply in one_by_one] == [
        [], [message(1)], [], [message(2), message(3)], [message(4)],
    ]  # fmt: skip


def test_an_object_is_used_like_the_class_itself() -> None:
    with remotely(RIGHT) as remote:
        queue = remote(first=2)
        assert queue.receive(2, message(2)) == [message(2)]
        assert queue.receive(number=3, message=message(3)) == [message(3)]
        with pytest.raises(AttributeError, match="asked for its methods only; 'waiting' is none of them"):
            queue.waiting  # noqa: B018
        with pytest.raises(Raised, match="TypeError: .*second'$"):
            remote(second=1)


def test_thousands_of_calls_are_cut_into_requests_and_none_is_lost() -> None:
    with remotely(RIGHT) as remote:
        (long, short) = remote.run([script(*range(1, 1801)), script(2, 1)])
        assert [reply.value for reply in long] == [[message(number)] for number in range(1, 1801)]
        assert short == [Reply([]), Reply([message(1), message(2)])]


def test_a_request_that_is_longer_than_what_the_system_holds_for_two_arrives_whole() -> None:
    source = "class MyHoldBack:\n    def long(self, text): return len(text)"
    text = "0123456789" * 400_000
    with remotely(source, methods={"long": Method(("text",), int)}) as remote:
        assert remote.run([CallScript((Call("long", (text,)),))]) == [[Reply(len(text))]]


def test_what_a_call_gets_is_its_own() -> None:
    source = "class MyHoldBack:\n    def __init__(self, members):\n        members.append(9); self.members = members\n    def all(self):\n        return self.members"
    members = [1, 2]
    with remotely(source, methods={"__init__": Method(("members",)), "all": Method((), list[int])}) as remote:
        asked = CallScript((Call("all"),), (members,))
        assert remote.run([asked, asked]) == [[Reply([1, 2, 9])]] * 2
    assert members == [1, 2]


def test_structs_of_the_package_go_in_and_out_with_their_bases_tags_and_defaults() -> None:
    source = """
from chatsys.teach.labs.lab03.stage import Post
class MyHoldBack:
    def both(self, post, frame):
        return [post, frame, Post(life=1, post=2, author="a", text=frame.post.text)]
"""
    post = Post(life=1, post=2, author="a", text="t")
    frame = Ordered(number=3, origin=1, post=post)
    methods = {"both": Method(("post", "frame"), list[Post | Ordered])}
    with remotely(source, methods=methods, given=(Post, Ordered)) as remote:
        assert remote.run([CallScript((Call("both", (post, frame)),))]) == [[Reply([post, frame, post])]]


def test_state_of_the_class_lives_as_long_as_its_process() -> None:
    source = body("self.seen.append(message); value = list(self.seen)").replace("    def", "    seen = []\n    def", 1)
    with remotely(source) as remote:
        first, second = remote.run([script(1), script(2)])
        assert second[0].value == [message(1), message(2)]
        remote.restart()
        assert remote.run([script(2)]) == [[Reply([message(2)])]]


def test_an_error_ends_its_script_with_the_line_and_the_next_one_goes_on() -> None:
    with remotely(body("if number == 2: raise ValueError('two')")) as remote:
        assert remote.run([script(1, 2, 3), script(3)]) == [
            [Reply([]), Reply(error="ValueError: two (in your cell, line 5)")],
            [Reply([])],
        ]
        queue = remote.new()
        with pytest.raises(Raised, match="ValueError: two"):
            queue.receive(2, message(2))
        assert queue.receive(3, message(3)) == []


def test_what_is_not_written_yet_is_said_to_be() -> None:
    (reply,) = replies(body("raise NotImplementedError"))
    assert (reply.error, reply.unfinished) == ("NotImplementedError (in your cell, line 5)", True)


def test_an_error_of_init_is_the_only_reply_of_its_script() -> None:
    source = body("").replace("class MyHoldBack:\n", "class MyHoldBack:\n    def __init__(self): self.x = 1 / 0\n")
    assert replies(source, 1, 2) == [Reply(error="ZeroDivisionError: division by zero (in your cell, line 3)")]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("None", "None"),
        ("message", "Message(number=1, author='ann', text='text 1')"),
        ("[1, message]", "[1, Message(number=1, author='ann', text='text ... (list)"),
        ("[{'number': 1, 'author': 'ann', 'text': 'text 1'}]", "[{'number': 1, 'author': 'ann', 'text': 'text 1'}] (list)"),
        ("'x' * 1000", f"'{'x' * 45} ... (str)"),
        ("{message}", "{Message(number=1, author='ann', text='text 1')} (set)"),
        ("(message for _ in (1,))", "<generator object MyHoldBack.receive.<locals>. ... (generator)"),
        ("[Message('one', 2, None)]", "[{'number': 'one', 'author': 2, 'text': None}]"),
        ("[message] * 20000", "a value of 640,003 bytes"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_told_and_not_taken(value: str, told: str) -> None:
    (reply,) = replies(body(f"value = {value}"), 1, 1)  # it ends its script
    assert (reply.value, reply.error, reply.wrong) == (None, None, told)


def test_a_tuple_is_as_good_as_a_list_and_any_type_can_be_declared() -> None:
    assert replies(body("value = (message,)")) == [Reply([message(1)])]
    source = "class MyHoldBack:\n    def a(self): return None\n    def b(self): return {'a': [1.5]}\n    def c(self): return True\n    def d(self): return object()"
    methods = {
        "a": Method((), int | None), "b": Method((), dict[str, list[float]]), "c": Method((), int), "d": Method(),
    }  # fmt: skip
    with remotely(source, methods=methods) as remote:
        asked = [Reply(), Reply({"a": [1.5]}), Reply(wrong="True (bool)"), Reply()]
        assert remote.first_wrong(remote.new(), tuple(map(Call, "abcd"))) == asked[2]
        assert remote.run([CallScript(tuple(map(Call, "abcd")))]) == [
            asked[:3]
        ]  # a script ends with the first wrong one


# --- what keeps it from being asked --------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("class MyHoldBack: pass", "MyHoldBack has no method `receive`; write `def receive(self, number, message)`."),
        (
            "class MyHoldBack:\n    def receive(self, number): return []",
            "`receive` of MyHoldBack takes (self, number); write `def receive(self, number, message)`.",
        ),
        (
            "class MyHoldBack:\n    receive = 3",
            "`receive` of MyHoldBack is no method, but an int; write `def receive(self, number, message)`.",
        ),
        (
            "class MyHoldBack:\n    def __init__(self, size): pass\n    def receive(self, number, message): return []",
            "`__init__` of MyHoldBack takes (self, size); write `def __init__(self)`.",
        ),
        ("def MyHoldBack(): pass", "MyHoldBack is no class, but a function; write `class MyHoldBack:`."),
        ("MyHoldBack = 3", "MyHoldBack is no class, but an int; write `class MyHoldBack:`."),
    ],
)
def test_the_interface_is_checked_before_anything_runs(source: str, told: str) -> None:
    with remotely(source) as remote:
        assert remote.problems == [told]


def test_all_ways_to_write_a_method_are_taken() -> None:
    for head in (
        "def receive(self, *all)",
        "def receive(self, number, message, more=1)",
        "@staticmethod\n    def receive(a, b)",
    ):
        with remotely(f"class MyHoldBack:\n    {head}: return []") as remote:
            assert (remote.problems, remote.run([script(1)])) == ([], [[Reply([])]])


def test_a_class_that_cannot_be_opened_says_so() -> None:
    source = "class Bad:\n    def __reduce__(self): return eval, ('1 / 0',)\nbad = Bad()\n" + body("bad")
    with remotely(source) as remote:
        assert remote.problems == ["MyHoldBack cannot be opened: ZeroDivisionError: division by zero"]


# --- what it may not do, and costs only one answer ------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "open(SECRET).read()",
        "open(SECRET, 'w')",
        "open('/proc/self/environ')",
        "open('/tmp/left', 'w')",
        "__import__('os').fork()",
        "__import__('os').execv('/bin/true', ['true'])",
        "__import__('os').system('true') == 0 or 1 / 0",
        "__import__('subprocess').run('true')",
        "__import__('os').kill(JUDGE, 9)",
        "__import__('os').kill(-1, 0)",
        "__import__('ctypes').CDLL(None).ptrace(16, JUDGE, 0, 0) == 0 or 1 / 0",
        "__import__('socket').socket()",
        "__import__('signal').pidfd_send_signal(__import__('os').pidfd_open(JUDGE), 9)",
        "exec(open(SOURCE).read())",
    ],
)
def test_what_is_outside_cannot_be_reached(code: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("only the judge's")
    own = Path(sys.modules["chatsys"].__file__ or "").parent / "protocol" / "holdback.py"
    names = f"SECRET, JUDGE, SOURCE = {str(secret)!r}, {os.getpid()}, {str(own)!r}"
    (reply,) = replies(body(code, names))
    assert reply.error is not None
    assert reply.error.split(":")[0] in ("PermissionError", "OSError", "ZeroDivisionError"), reply.error
    assert secret.read_text() == "only the judge's"


def test_it_knows_nothing_of_who_began_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "only the judge's")
    code = "import os; value = sorted(os.environ) + [os.environ['HOME']]"
    with remotely(body(code), methods={"receive": Method(("number", "message"), list[str])}) as remote:
        value = remote.run([script(1)])[0][0].value
        folder = Path(value[-1])
        assert folder.is_dir()
        assert "SECRET" not in value
    assert not folder.exists()


def test_it_inherits_no_open_file_but_a_shared_page_and_its_end_of_the_pipe() -> None:
    code = """
import os, stat
for number in range(3, 200):
    try: value.append(stat.S_IFMT(os.fstat(number).st_mode) == stat.S_IFSOCK)
    except OSError: pass"""
    with open(__file__), remotely(body(code), methods={"receive": Method(("number", "message"), list[bool])}) as remote:
        assert sorted(remote.run([script(1)])[0][0].value) == [False, True]


def test_files_of_its_own_are_written_and_vanish_however_deep_they_lie() -> None:
    code = """
import os
open('log.txt', 'w').write('seen')
for _ in range(1500):
    os.mkdir('d'); os.chdir('d')
value = [message]"""
    with remotely(body(code)) as remote:
        folder = remote._process.folder
        with suppress(Gone):  # if it took its time for that
            assert remote.run([script(1)]) == [[Reply([message(1)])]]
    assert not Path(folder).exists()


def test_printing_is_nobodys_business(capfd: pytest.CaptureFixture[str]) -> None:
    code = "import sys, os; print('x' * 20_000_000); sys.stderr.write('e'); os.write(1, b'o'); value = [message]"
    assert replies(body(code)) == [Reply([message(1)])]
    assert capfd.readouterr() == ("", "")


def test_input_that_nobody_gives_is_an_error() -> None:
    assert replies(body("input()"))[0].error == "EOFError: EOF when reading a line (in your cell, line 5)"


def test_a_memory_error_costs_one_script_and_the_next_one_gets_a_new_process() -> None:
    source = body("if number == 2: self.all = [bytearray(1 << 24) for _ in range(10_000)]\nvalue = [message]")
    with remotely(source) as remote:
        first = remote.new()
        one, two, three = remote.run([script(1), script(1, 2, 3), script(3)])
        assert (one, three) == ([Reply([message(1)])], [Reply([message(3)])])
        assert [reply.error for reply in two] == [None, "MemoryError (in your cell, line 5)"]
        with pytest.raises(Gone, match="The process with this object of MyHoldBack has ended before"):
            first.receive(1, message(1))


def test_who_uses_up_the_memory_again_and_again_is_not_asked_on() -> None:
    with remotely(body("bytearray(1 << 40)")) as remote:
        with pytest.raises(Gone, match="MyHoldBack used up 256 MiB of memory again and again") as caught:
            remote.run([script(1)] * 100)
        assert caught.value.verdict == "died"


@pytest.mark.parametrize("error", ["SystemExit(3)", "KeyboardInterrupt()", "GeneratorExit()", "BaseException('all')"])
def test_every_kind_of_error_is_an_answer(error: str) -> None:
    assert error.split("(")[0] in (replies(body(f"raise {error}"))[0].error or "")


def test_an_error_may_be_as_strange_as_it_likes() -> None:
    before = "class E(Exception):\n    def __str__(self): raise SystemExit\n"
    assert replies(body("raise E", before))[0].error == "an error that cannot be shown"
    steers = replies(body("raise ValueError('\\x1b[2J' + 'x' * 10_000)"))[0].error or ""
    assert steers.startswith("ValueError: \\x1b[2Jxxx")
    assert len(steers) < 720


# --- what ends its process ------------------------------------------------------------------------


def test_an_endless_loop_is_ended_by_its_cpu_time_and_says_where_it_was() -> None:
    lost = gone(body("while number == 3: pass"), 1, 2, 3)
    assert (lost.verdict, lost.place, lost.call) == ("hung", "your cell, line 5, in receive", (0, 2))
    assert lost.sentence == (
        "It did not end within 0.4 s; it hung in your cell, line 5, in receive. Look for a loop that never ends."
    )


@pytest.mark.parametrize(
    "code",
    [
        "import itertools; sum(itertools.count())",
        "import signal; signal.signal(signal.SIGUSR1, signal.SIG_IGN)\nwhile True: pass",
        "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
    ],
)
def test_a_loop_that_cannot_be_asked_is_ended_from_outside(code: str) -> None:
    lost = gone(body(code))
    assert (lost.verdict, lost.place) == ("hung", "")
    assert (
        lost.sentence == "It did not end within 0.4 s, and the process did not say where; look for one very long step."
    )


def test_who_swallows_everything_is_ended_all_the_same() -> None:
    swallow = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    assert gone(body(swallow)).verdict == "hung"
    assert gone(body("while True: print('x' * 100_000)")).verdict == "hung"


def test_who_sleeps_for_ever_is_accused_and_told_where() -> None:
    lost = gone(body("import time; time.sleep(1000)"))
    assert (lost.verdict, lost.place) == ("hung", "your cell, line 5, in receive")
    assert "It slept for" in lost.sentence
    locked = "import threading; threading.Lock().acquire(); l = threading.Lock(); l.acquire(); l.acquire()"
    assert gone(body(locked)).verdict == "hung"


def test_a_little_sleep_in_each_call_comes_to_an_end() -> None:
    with (
        pytest.raises(Gone, match="It slept for 1 s") as caught,
        remotely(body("import time; time.sleep(0.1); return []"), Quota(waiting=1.0)) as remote,
    ):
        remote.run([script(*range(100))])
    assert caught.value.verdict == "hung"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody can tell a stopped process from a sleeping one")
def test_who_is_stopped_from_outside_is_accused_of_nothing() -> None:
    with remotely(body("while True: pass"), Quota(operation=0.2, patience=4)) as remote:
        os.kill(remote._process.pid, signal.SIGSTOP)
        with pytest.raises(Gone) as caught:
            remote.run([script(1)])
    assert caught.value.verdict == "late"


@pytest.mark.skipif(sys.platform != "linux", reason="only there")
@pytest.mark.parametrize("number", ["SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"])
def test_nobody_stops_itself_to_seem_suspended(number: str) -> None:
    stop = f"import os, signal; os.kill(os.getpid(), signal.{number})"
    assert "PermissionError" in str(replies(body(stop))[0].error)


def test_a_loop_before_any_call_is_ended_too() -> None:
    source = (
        "class Bad:\n    def __reduce__(self): return eval, ('sum(__import__(\"itertools\").count())',)\nbad = Bad()\n"
    )
    with pytest.raises(Gone) as caught, remotely(source + body("bad"), Quota(opening=0.5)):
        pass
    assert caught.value.verdict == "hung"


def test_many_calls_that_are_slow_are_ended_by_the_whole() -> None:
    slow = body("import time; until = time.process_time() + 0.2\nwhile time.process_time() < until: pass")
    with remotely(slow, Quota(operation=3, whole=0.8)) as remote:
        with pytest.raises(Gone, match=r"It did not end within 0\.8 s"):
            remote.run([script(*range(1, 100))])
        assert 0.7 < remote.cpu < 3.5


def test_who_ends_its_process_is_told_how() -> None:
    lost = gone(body("import os\nif number == 2: os._exit(3)"), 1, 2)
    assert (lost.verdict, lost.call) == ("died", (0, 1))
    assert lost.sentence == "MyHoldBack ended the process in which it runs, with code 3."
    assert "by signal 11" in gone(body("import ctypes; ctypes.string_at(0)")).sentence
    assert gone(body("import os; os.kill(os.getpid(), 9)")).verdict == "died"


def test_threads_and_files_without_end_are_ended() -> None:
    threads = "import threading, time; threading.stack_size(1 << 15)\nwhile True: threading.Thread(target=time.sleep, args=(99,)).start()"
    assert gone(body(threads)).sentence.startswith("MyHoldBack starts threads that go on when the method is over")
    files = "import os, time\nfor i in range(10_000): open(str(i), 'wb').write(bytes(1 << 19))\ntime.sleep(5)"
    with pytest.raises(Gone) as caught, remotely(body(files), Quota()) as remote:
        remote.run([script(1)])
    assert caught.value.sentence == "MyHoldBack wrote more than 2,000 files or 64 MiB, or too many folders."


def test_gone_is_no_error_that_a_world_could_take_for_its_own() -> None:
    assert not issubclass(Gone, Exception)
    with remotely(body("import os; os._exit(0)")) as remote:
        queue = remote.new()
        for _ in range(2):  # it stays lost
            with pytest.raises(Gone):
                queue.receive(1, message(1))
        assert remote.new() is not None


def test_no_process_outlives_the_one_that_began_it(tmp_path: Path) -> None:
    code = "import sys; sys.path[:0] = {path!r}\nfrom remotely import *\nwith remotely(body('import time; time.sleep(1000)'), Quota()) as r:\n    print(r._process.pid, flush=True); r.run([script(1)])"
    judge = subprocess.Popen(
        [sys.executable, "-c", code.format(path=sys.path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert judge.stdout is not None
    child = psutil.Process(int(judge.stdout.readline()))
    judge.send_signal(signal.SIGKILL)
    judge.wait()
    judge.stdout.close()
    assert ends(child, 20)


# --- memory --------------------------------------------------------------------------------------


def test_what_a_class_keeps_is_seen_from_outside() -> None:
    keeps = RIGHT.replace(
        "        ready = []", "        ready = []; self.old = getattr(self, 'old', []) + [message]"
    ).replace("getattr(self, 'old', []) + [message]", "getattr(self, 'old', None) or []; self.old.append(message)")
    grown = {}
    for name, source in (
        ("nothing", RIGHT),
        ("all", keeps),
        ("in the class", keeps.replace("self.old", "MyHoldBack.old").replace("getattr(self", "getattr(MyHoldBack")),
    ):
        with remotely(source, Quota()) as remote:
            queue = remote.new()
            at = []
            for numbers in (range(1, 2001), range(2001, 20001)):
                remote.first_wrong(queue, [Call("receive", (n, Message(n, "ann", f"{n:0200}"))) for n in numbers])
                at.append(remote.memory())
        grown[name] = at[1] - at[0]
    assert grown["nothing"] < 200_000, grown
    assert min(grown["all"], grown["in the class"]) > 1_000_000, grown
