"""Submissions of lab 03 by people who mean harm: hostile ones (h), thieves of keys (k), poisoners of what follows (p)."""

from handing_in import (
    ALL_3_1,
    ASKING,
    INIT,
    NOTHING,
    RECEIVE,
    RIGHT,
    SUBMISSIONS,
    Notebook,
    Submission,
    answer,
    at,
    before,
    handed_in,
    write,
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
    "import os, pwd\nhome = pwd.getpwuid(os.getuid()).pw_dir\nfor place in (home + '/.ipython/profile_default/startup/00.py', '/var/spool/cron/poison', '/etc/profile.d/poison.sh'):\n    try:\n        os.makedirs(os.path.dirname(place), exist_ok=True)\n        open(place, 'w').write('x')\n    except OSError:\n        pass",
)
in_a_cell(
    "p4 leaves a process behind",
    "import subprocess, sys\ntry:\n    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)  # poison'])\n    began = True\nexcept OSError:\n    began = False\nassert not began",
)
in_a_cell(
    "p5 fills the disk", "for number in range(10_000):\n    open(f'waste{number}', 'wb').write(b'x' * 10_000_000)"
)
