"""Submissions of lab 03: right, wrong, hostile and clumsy ones, each made from the source notebook by a few lines.

    SUBMISSIONS["c4 an attribute named result"].make(notebook)     --> the notebook that is handed in

The letters: c correct, w wrong, h hostile, t tidied wrongly, k looks for keys, p poisons what comes after it.
`loses` has the cells that must lose points (all of them if it is ALL); every other cell keeps all of its points.
"""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import nbformat

Notebook = Any

RECEIVE = """
    def receive(self, number, message):
        if number >= self.due:
            self.early[number] = message
        ready = []
        while self.due in self.early:
            ready.append(self.early.pop(self.due))
            self.due += 1
        return ready
"""
INIT = """
class MyHoldBack:
    def __init__(self, first=1):
        self.due = first
        self.early = {}
"""
RIGHT = INIT + RECEIVE

HOLD_BACK = {"check-3-1", "hidden-3-1", "search-3-1"}
ALL_3_1 = frozenset(HOLD_BACK)
ASKING = frozenset({"check-3-2", "hidden-3-2", "budget-3-2"})
NOTHING: frozenset[str] = frozenset()


class Submission(NamedTuple):
    make: Callable[[Notebook], None]
    loses: frozenset[str]
    says: str = ""
    """What its report must contain, as a regular expression."""
    may_lose: frozenset[str] = NOTHING
    """Cells that may lose points or not, for it hangs on how far it came."""


SUBMISSIONS: dict[str, Submission] = {}


def at(notebook: Notebook, name: str) -> int:
    return next(i for i, cell in enumerate(notebook.cells) if cell.metadata.get("nbgrader", {}).get("grade_id") == name)


def write(notebook: Notebook, source: str, name: str = "hold-back") -> None:
    notebook.cells[at(notebook, name)].source = source


def before(notebook: Notebook, name: str, source: str) -> None:
    notebook.cells.insert(at(notebook, name), nbformat.v4.new_code_cell(source))  # type: ignore[no-untyped-call]


def handed_in(
    name: str, loses: frozenset[str] = NOTHING, says: str = "", may_lose: frozenset[str] = NOTHING
) -> Callable[[Callable[[Notebook], None]], Callable[[Notebook], None]]:
    def keep(make: Callable[[Notebook], None]) -> Callable[[Notebook], None]:
        SUBMISSIONS[name] = Submission(make, loses, says, may_lose)
        return make

    return keep


def answer(
    name: str, source: str, loses: frozenset[str] = NOTHING, says: str = "", may: frozenset[str] = NOTHING
) -> None:
    SUBMISSIONS[name] = Submission(lambda notebook: write(notebook, source), loses, says, may)


# --- correct ---------------------------------------------------------------------------------------

answer(
    "c1 sorted list",
    """
import bisect

class MyHoldBack:
    def __init__(self, first=1):
        self.due, self.waiting = first, []

    def receive(self, number, message):
        if number < self.due or any(other == number for other, _ in self.waiting):
            return []
        bisect.insort(self.waiting, (number, message), key=lambda pair: pair[0])
        ready = []
        while self.waiting and self.waiting[0][0] == self.due:
            ready.append(self.waiting.pop(0)[1])
            self.due += 1
        return ready
""",
)
answer(
    "c2 dataclass and heap",
    """
import heapq
from dataclasses import dataclass, field
from typing import Any

@dataclass(order=True)
class Held:
    number: int
    message: Any = field(compare=False)

class MyHoldBack:
    def __init__(self, first=1):
        self.due, self.heap = first, []

    def receive(self, number, message):
        if number >= self.due:
            heapq.heappush(self.heap, Held(number, message))
        ready = []
        while self.heap and self.heap[0].number <= self.due:
            held = heapq.heappop(self.heap)
            if held.number == self.due:
                ready.append(held.message)
                self.due += 1
        return ready
""",
)
answer(
    "c3 base class and recursive helper outside",
    """
class Base:
    def __init__(self, first=1):
        self.due, self.early = first, {}

def release(queue):
    if queue.due not in queue.early:
        return []
    message = queue.early.pop(queue.due)
    queue.due += 1
    return [message, *release(queue)]

class MyHoldBack(Base):
    def receive(self, number, message):
        if number >= self.due:
            self.early[number] = message
        return release(self)
""",
)
answer("c4 an attribute named result", RIGHT.replace("early", "result"))
answer(
    "c5 methods named check, show, world",
    RIGHT.replace("        ready = []", "        ready = self.check()").replace(
        "            ready.append", "            self.show(), self.world()\n            ready.append"
    )
    + """
    def check(self):
        return []

    def show(self):
        return None

    def world(self):
        return None
""",
)
answer(
    "c6 state in a generator",
    """
class MyHoldBack:
    def __init__(self, first=1):
        self.machine = self.run(first)
        next(self.machine)

    def run(self, due):
        early, ready = {}, []
        while True:
            number, message = yield ready
            if number >= due:
                early[number] = message
            ready = []
            while due in early:
                ready.append(early.pop(due))
                due += 1

    def receive(self, number, message):
        return self.machine.send((number, message))
""",
)
answer(
    "c7 holds a lock",
    "import threading\n"
    + RIGHT.replace("self.early = {}", "self.early = {}\n        self.lock = threading.Lock()").replace(
        "        if number >=", "        with self.lock:\n            pass\n        if number >="
    ),
)
answer("c8 returns a tuple", RIGHT.replace("return ready", "return tuple(ready)"))
answer(
    "c9 ring of slots with match",
    """
class MyHoldBack:
    def __init__(self, first=1):
        self.due, self.slots = first, [None] * 64

    def receive(self, number, message):
        match number - self.due:
            case ahead if ahead < 0:
                return []
            case ahead:
                while ahead >= len(self.slots):
                    self.slots += [None] * len(self.slots) if False else [None] * (ahead + 1)
                self.slots[ahead] = message
        ready = []
        while self.slots and self.slots[0] is not None:
            ready.append(self.slots.pop(0))
            self.slots.append(None)
            self.due += 1
        return ready
""",
)
answer("c10 an attribute named world", RIGHT.replace("early", "world"))


@handed_in("c11 every value is shown")
def _(notebook: Notebook) -> None:
    before(notebook, "setup", "%config InteractiveShell.ast_node_interactivity = 'all'")


@handed_in("c12 a thread writes to stderr")
def _(notebook: Notebook) -> None:
    noise = "import sys, threading, time\ndef noise():\n    for _ in range(400):\n        print('here', file=sys.stderr, flush=True); time.sleep(0.05)\n"
    before(notebook, "hold-back", noise + "threading.Thread(target=noise, daemon=True).start()")


# --- wrong -----------------------------------------------------------------------------------------

answer(
    "w1 delivers on receipt",
    INIT + "    def receive(self, number, message):\n        return [message]\n",
    ALL_3_1,
    r"delivered #\d+ before #\d+|delivered #\d+ again",
    ASKING,
)
answer(
    "w2 skips the gap",
    INIT
    + "    def receive(self, number, message):\n        if number < self.due:\n            return []\n        self.due = number + 1\n        return [message]\n",
    ALL_3_1,
    r"#\d+",
    ASKING,
)
answer("w3 one at a time", RIGHT.replace("while self.due in", "if self.due in"), ALL_3_1, r"#\d+", ASKING)
answer(
    "w4 duplicates by text, texts kept",
    INIT.replace("self.early = {}", "self.early = {}\n        self.texts = set()")
    + RECEIVE.replace(
        "if number >= self.due:", "if message.text not in self.texts:\n            self.texts.add(message.text)"
    ),
    ALL_3_1 - {"search-3-1"},
    r"#\d+",
    ASKING | {"search-3-1"},
)
answer(
    "w5 sorts batches of three",
    INIT
    + """
    def receive(self, number, message):
        self.early[number] = message
        if len(self.early) < 3:
            return []
        batch = [self.early[one] for one in sorted(self.early)]
        self.early = {}
        return batch
""",
    ALL_3_1,
    r"#\d+",
    ASKING,
)
answer(
    "w6 state on the class",
    RIGHT.replace("        self.due = first\n        self.early = {}\n", "        pass\n").replace(
        "class MyHoldBack:\n", "class MyHoldBack:\n    due = 1\n    early = {}\n"
    ),
    ALL_3_1 - {"search-3-1"},
    r"share|class",
    ASKING | {"search-3-1"},
)
answer(
    "w7 delivers only #1, ever",
    INIT
    + "    def receive(self, number, message):\n        if number == 1 and not self.early:\n            self.early[1] = 1\n            return [message]\n        return []\n",
    ALL_3_1,
    r"#2",
    ASKING,
)
answer(
    "w8 duplicates by text among the waiting",
    RIGHT.replace(
        "if number >= self.due:",
        "if number >= self.due and message.text not in [one.text for one in self.early.values()]:",
    ),
    ALL_3_1 - {"search-3-1"},
    r"#\d+",
    ASKING | {"search-3-1"},
)
answer(
    "w9 drops what waits beyond eight",
    RIGHT.replace("if number >= self.due:", "if number >= self.due and len(self.early) < 8:"),
    NOTHING,
    "",
    ALL_3_1 | ASKING,
)
answer(
    "w10 never written",
    "class MyHoldBack:\n    def __init__(self, first=1):\n        raise NotImplementedError\n",
    ALL_3_1,
    r"no method",
    ASKING,
)
answer(
    "w11 made-up messages",
    RIGHT.replace("return ready", "return [Message(one.number, 'nobody', 'lost text') for one in ready]"),
    ALL_3_1,
    r"#\d+",
    ASKING,
)

# --- hostile ---------------------------------------------------------------------------------------

answer(
    "h1 endless loop in the class",
    RIGHT.replace("        ready = []", "        while number == 3:\n            pass\n        ready = []"),
    ALL_3_1,
    r"loop",
    ASKING,
)


@handed_in("h2 endless loop in a cell", says=r"cell")
def _(notebook: Notebook) -> None:
    before(notebook, "predictions", "while True:\n    pass")


answer(
    "h3 os._exit in the class",
    RIGHT.replace("        ready = []", "        import os\n        os._exit(3)\n        ready = []"),
    ALL_3_1,
    r"ended",
    ASKING,
)


@handed_in("h4 os._exit in a cell", says=r"cell")
def _(notebook: Notebook) -> None:
    before(notebook, "predictions", "import os\nos._exit(3)")


answer(
    "h5 ten gigabytes in the class",
    RIGHT.replace("        ready = []", "        self.waste = [0] * (10 << 27)\n        ready = []"),
    ALL_3_1,
    r"MemoryError|memory",
    ASKING,
)


@handed_in("h5b ten gigabytes in a cell")
def _(notebook: Notebook) -> None:
    before(notebook, "predictions", "waste = [0] * (10 << 27)")


@handed_in("h6 twenty megabytes of output")
def _(notebook: Notebook) -> None:
    before(notebook, "predictions", "for _ in range(2000):\n    print('x' * 10_000)")


@handed_in("h7b patches the grader")
def _(notebook: Notebook) -> None:
    write(
        notebook,
        "import chatsys, chatsys.teach.grading.grader as g\nclass Good:\n    points = possible = 99\n    lost = ()\n"
        "g.grade = chatsys.grade = grade = lambda *a, **k: Good()\nclass MyHoldBack:\n    def receive(self, number, message):\n        return []\n",
    )


SUBMISSIONS["h7b patches the grader"] = SUBMISSIONS["h7b patches the grader"]._replace(loses=ALL_3_1, may_lose=ASKING)
answer(
    "h8 writes its own result",
    """
import gc, os, sys
class MyHoldBack:
    def __init__(self, first=1):
        pass

    def receive(self, number, message):
        for fd in range(3, 40):
            try:
                os.write(fd, b'\\x81\\xa7verdict\\xa4done' * 50)
            except OSError:
                pass
        frame = sys._getframe()
        while frame:
            for value in list(frame.f_locals.values()):
                if hasattr(value, 'send_bytes'):
                    try:
                        value.send_bytes(b'\\x96\\xa4done\\xc4\\x02[]\\xc2\\xa0\\xa0')
                    except Exception:
                        pass
            frame = frame.f_back
        os._exit(0)
""",
    ALL_3_1,
    "",
    ASKING,
)


@handed_in("h9 more points than there are")
def _(notebook: Notebook) -> None:
    notebook.cells[at(notebook, "check-3-1")].source = "500"
    notebook.cells[at(notebook, "check-3-1")].metadata["nbgrader"]["points"] = 500


answer(
    "h10 borrows by importlib",
    """
import importlib
class MyHoldBack:
    def __init__(self, first=1):
        self.queue = importlib.import_module('chatsys.protocol.' + 'holdback').HoldBack()

    def receive(self, number, message):
        return []
""",
    ALL_3_1,
    r"belongs to the package",
    ASKING,
)
answer(
    "h10b borrows by a subclass",
    "from chatsys.protocol.holdback import HoldBack\nclass MyHoldBack(HoldBack):\n    def receive(self, number, message):\n        return []\n",
    ALL_3_1,
    r"belongs to the package",
    ASKING,
)
answer(
    "h10c borrows by a closure",
    """
def made():
    from chatsys.protocol.holdback import HoldBack
    class MyHoldBack:
        def __init__(self, first=1):
            self.queue = HoldBack()
        def receive(self, number, message):
            return []
    return MyHoldBack
MyHoldBack = made()
""",
    ALL_3_1,
    r"belongs to the package",
    ASKING,
)
answer(
    "h10d names the package and does not use it",
    "from chatsys.protocol.holdback import HoldBack as borrowed\n"
    + RIGHT
    + "\n    def never(self):\n        return borrowed()\n",
)


@handed_in("h11 a loop deaf to interrupts", says=r"cell")
def _(notebook: Notebook) -> None:
    before(
        notebook,
        "predictions",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    try:\n        while True: pass\n    except BaseException:\n        pass",
    )


answer(
    "h11b a loop inside C code",
    RIGHT.replace(
        "        ready = []",
        "        import itertools\n        if number == 3: sum(itertools.count())\n        ready = []",
    ),
    ALL_3_1,
    r"loop|did not",
    ASKING,
)
answer(
    "h12 forks",
    RIGHT.replace(
        "        ready = []",
        "        import os\n        try:\n            os.fork()\n        except OSError:\n            pass\n        ready = []",
    ),
    NOTHING,
    "",
    ALL_3_1 | ASKING,
)
answer(
    "h13 sleeps",
    RIGHT.replace("        ready = []", "        import time\n        time.sleep(0.001)\n        ready = []"),
    NOTHING,
    "",
    ALL_3_1 | ASKING,
)
answer("h14 prints without end", RIGHT.replace("        ready = []", "        print('x' * 1000)\n        ready = []"))


@handed_in("h14b no answer at all", ALL_3_1 | ASKING, r"There is no|not written")
def _(notebook: Notebook) -> None:
    write(notebook, "")
    write(notebook, "", "missing")


answer(
    "h15 wrong by the clock",
    RIGHT.replace(
        "        ready = []",
        "        import time\n        if time.time_ns() // 1000 % 97 == 0: return []\n        ready = []",
    ),
    NOTHING,
    "",
    ALL_3_1 | ASKING,
)
answer(
    "h16 swallows interrupts",
    RIGHT.replace(
        "        ready = []",
        "        while number == 3:\n            try:\n                while True: pass\n            except BaseException:\n                pass\n        ready = []",
    ),
    ALL_3_1,
    r"loop",
    ASKING,
)
answer("h17 replaces print and json", "import builtins, json\nbuiltins.print = json.dumps = len\n" + RIGHT)
answer(
    "h18 writes a file elsewhere and reads the environment",
    "import os\ntry:\n    open(os.path.expanduser('~/../../tmp/poison.txt'), 'w').write('x')\nexcept OSError:\n    pass\nos.environ.get('HOME')\n"
    + RIGHT,
)


@handed_in("h19 shows nothing", ALL_3_1, may_lose=ASKING)
def _(notebook: Notebook) -> None:
    before(notebook, "setup", '%config InteractiveShell.ast_node_interactivity = "none"')
    write(
        notebook,
        "class MyHoldBack:\n    def __init__(self, first=1): pass\n    def receive(self, number, message):\n        return []\n",
    )


answer(
    "h20 evil values",
    INIT
    + """
    def receive(self, number, message):
        class Evil(list):
            def __eq__(self, other): return True
            def __len__(self): return 10**9
            def __iter__(self): return iter([])
            def __reduce__(self): return (exit, ())
            __class__ = property(lambda self: 1 / 0)
        return Evil([message])
""",
    ALL_3_1,
    "",
    ASKING,
)
answer(
    "h21 knows the public seeds only",
    INIT.replace("class MyHoldBack:\n", "class MyHoldBack:\n    made = 0\n") + RECEIVE,
    NOTHING,
)

# --- tidied wrongly --------------------------------------------------------------------------------


@handed_in("t1 graded cells replaced, points set to 500")
def _(notebook: Notebook) -> None:
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            cell.source, cell.metadata["nbgrader"]["points"] = "5", 500


@handed_in("t2 one moved, one deleted, the answer doubled")
def _(notebook: Notebook) -> None:
    moved = notebook.cells.pop(at(notebook, "hidden-3-1"))
    notebook.cells.insert(0, moved)
    del notebook.cells[at(notebook, "search-3-1")]
    place = at(notebook, "hold-back")
    notebook.cells.insert(place + 1, copy.deepcopy(notebook.cells[place]))
    notebook.cells[place].source = "class MyHoldBack:\n    pass"


@handed_in("t3 graded cells gone")
def _(notebook: Notebook) -> None:
    notebook.cells = [
        cell
        for cell in notebook.cells
        if not (cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code")
    ]


@handed_in("t5 input()", says="")
def _(notebook: Notebook) -> None:
    before(notebook, "predictions", "name = input('who are you?')")


@handed_in("t6 the stub left alone, the class in a new cell")
def _(notebook: Notebook) -> None:
    source = notebook.cells[at(notebook, "hold-back")].source
    write(notebook, "class MyHoldBack:\n    def receive(self, number, message):\n        raise NotImplementedError\n")
    before(notebook, "missing", source)


@handed_in("t7 a test copied above the answer")
def _(notebook: Notebook) -> None:
    notebook.cells.insert(1, copy.deepcopy(notebook.cells[at(notebook, "check-3-1")]))


@handed_in("t8 the answer's cell split in two")
def _(notebook: Notebook) -> None:
    place = at(notebook, "hold-back")
    extra = copy.deepcopy(notebook.cells[place])
    extra.source = "BASE = 1"
    notebook.cells.insert(place, extra)


@handed_in("t9 a test cell made markdown")
def _(notebook: Notebook) -> None:
    cell = notebook.cells[at(notebook, "check-3-1")]
    cell.cell_type = "markdown"
    cell.pop("outputs", None)
    cell.pop("execution_count", None)


@handed_in("t10 print redefined before a test")
def _(notebook: Notebook) -> None:
    before(notebook, "check-3-1", "print = lambda *a, **k: None\nint = int")


@handed_in("t11 no kernelspec, widget state of others")
def _(notebook: Notebook) -> None:
    notebook.metadata = {
        "widgets": {
            "application/vnd.jupyter.widget-state+json": {
                "state": {"x": {"model_name": "Nope"}},
                "version_major": 2,
                "version_minor": 0,
            }
        }
    }


@handed_in("t12 a cell that is no Python", says=r"")
def _(notebook: Notebook) -> None:
    before(notebook, "predictions", "this is (not python")


# --- looks for keys, secret, memory; poisons what comes after ------------------------------------------

LOOK = """
import os
found = []
def look(*places):
    for place in places:
        try:
            for folder, _, files in os.walk(place):
                for name in files:
                    if 'mistakes' in name or 'answers' in name or name == 'secret':
                        found.append(open(os.path.join(folder, name)).read())
        except OSError:
            pass
"""


def in_a_cell(name: str, source: str, says: str = "") -> None:
    SUBMISSIONS[name] = Submission(lambda notebook: before(notebook, "predictions", source), NOTHING, says)


in_a_cell("k1 walks the disk for keys", LOOK + "look('/work', '/home', '/root', '/tmp')\nassert not found, found")
in_a_cell(
    "k2 reads the judge's memory",
    "import os\nparent = os.getppid()\ntry:\n    open(f'/proc/{parent}/mem', 'rb')\n    opened = True\nexcept OSError:\n    opened = False\nassert not opened",
)
in_a_cell(
    "k3 reads the judge's environment and command line",
    "import os\ntry:\n    text = open(f'/proc/{os.getppid()}/environ').read()\nexcept OSError:\n    text = ''\nassert not text",
)
in_a_cell(
    "k4 traces the judge",
    "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nassert libc.ptrace(16, os.getppid(), 0, 0) == -1",
)
in_a_cell(
    "k5 kills the judge",
    "import os, signal\ntry:\n    os.kill(os.getppid(), signal.SIGTERM)\n    killed = True\nexcept OSError:\n    killed = False\nassert not killed",
)
in_a_cell(
    "k6 opens a connection",
    "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 22), 1)\n    opened = True\nexcept ConnectionRefusedError:\n    opened = True\nexcept OSError:\n    opened = False\nassert not opened",
)
in_a_cell(
    "p1 writes a .pth and sitecustomize",
    "import site, os\nfor place in site.getsitepackages():\n    for name in ('poison.pth', 'sitecustomize.py'):\n        try:\n            open(os.path.join(place, name), 'w').write('import poison')\n        except OSError:\n            pass",
)
in_a_cell(
    "p2 writes into the package",
    "import chatsys, os\ntry:\n    open(os.path.join(os.path.dirname(chatsys.__file__), 'poison.py'), 'w').write('x')\n    wrote = True\nexcept OSError:\n    wrote = False\nassert not wrote",
)
in_a_cell(
    "p3 writes an IPython profile and a crontab",
    "import os\nfor place in ('/root/.ipython/profile_default/startup/00.py', '/var/spool/cron/poison', '/etc/profile.d/poison.sh'):\n    try:\n        os.makedirs(os.path.dirname(place), exist_ok=True)\n        open(place, 'w').write('x')\n    except OSError:\n        pass",
)
in_a_cell(
    "p4 leaves a process behind",
    "import subprocess, sys\ntry:\n    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)  # poison'])\n    began = True\nexcept OSError:\n    began = False\nassert not began",
)
in_a_cell(
    "p5 fills the disk", "for number in range(10_000):\n    open(f'waste{number}', 'wb').write(b'x' * 10_000_000)"
)
