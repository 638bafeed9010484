"""Confinement: what a confined process still can do, and what it cannot, tried from inside."""

import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from chatsys.isolation import system_calls
from chatsys.isolation.confinement import MEASURES, landlock_version

pytestmark = pytest.mark.skipif(landlock_version() < 3, reason="no process can be confined here")

ROOT = Path(__file__).parents[2]

INSIDE = """
import os, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from chatsys.isolation.confinement import confine
PRIVATE = Path({private!r})
os.environ.update(HOME={private!r}, IPYTHONDIR={private!r})
print(*confine(PRIVATE, [Path({read!r})], {options}), sep=",")
{code}
"""


class Confined:
    """Runs code in a confined process that began beside this test."""

    def __init__(self, folder: Path) -> None:
        self.private, self.read = folder / "private", folder / "shown"
        self.private.mkdir()
        self.read.mkdir()
        self.read.joinpath("page").write_text("shown")
        self.secret = folder / "secret"
        self.secret.write_text("the course's secret")

    def run(self, code: str, options: str = "") -> tuple[list[str], str]:
        """Return the measures that held, and what `code` printed."""
        text = INSIDE.format(root=str(ROOT), private=str(self.private), read=str(self.read), options=options, code=code)
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=120)
        held, _, printed = done.stdout.partition("\n")
        assert held, done.stderr
        return held.split(","), printed.strip() or done.stderr.strip().rpartition("\n")[2]

    def tries(self, code: str) -> str:
        """Return the name of the error that `code`, one expression, raises; "" if none."""
        return self.run(
            f"try:\n    {code}\nexcept BaseException as error:\n    print(type(error).__name__)\nelse: print(0)"
        )[1].strip("0")


@pytest.fixture
def confined(tmp_path: Path) -> Confined:
    return Confined(tmp_path)


def test_every_measure_holds_on_a_linux_of_today(confined: Confined) -> None:
    held, printed = confined.run("print('goes on')", "memory=1 << 30, cpu=20, files=1 << 20")
    assert (tuple(held), printed) == (MEASURES, "goes on")


@pytest.mark.parametrize(
    "code",
    [
        "open({secret!r})",
        "open({secret!r}, 'w')",
        "os.open({secret!r}, os.O_RDONLY | os.O_TRUNC)",
        "os.truncate({secret!r}, 0)",
        "os.remove({secret!r})",
        "os.rename({secret!r}, PRIVATE / 'mine')",
        "os.link({secret!r}, PRIVATE / 'mine')",
        "os.symlink({secret!r}, PRIVATE / 'mine')",
        "os.setxattr({secret!r}, 'user.a', b'')",
        "os.listdir({folder!r})",
        "os.listdir('/')",
        "open('/etc/passwd')",
        "open('/proc/self/maps')",
        "open(f'/proc/{{os.getppid()}}/environ')",
        "os.readlink(f'/proc/{{os.getppid()}}/cwd')",
        "open(sys.modules['chatsys'].__file__)",
        "open({shown!r} + '/page', 'w')",
        "open('/tmp/left behind', 'w')",
        "os.mkfifo(PRIVATE / 'pipe')",
        "os.fork()",
        "os.posix_spawn(sys.executable, ['python'], {{}})",
        "os.execv(sys.executable, ['python'])",
        "__import__('subprocess').run(['/bin/true'])",
        "__import__('multiprocessing').Process(target=print).start()",
        "os.kill(os.getppid(), 0)",
        "os.kill(0, 0)",
        "os.kill(-1, 0)",
        "os.killpg(os.getpgid(0), 0)",
        "os.setsid()",
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
        "os.sched_setaffinity(os.getppid(), {{0}})",
        "__import__('resource').prlimit(os.getppid(), 0, (1, 1))",
        "__import__('resource').setrlimit(7, (9999, 9999))",
        "__import__('fcntl').fcntl(1, 8, os.getppid())",
        "__import__('socket').socket()",
        "__import__('socket').socket(__import__('socket').AF_UNIX)",
        "__import__('socket').socketpair(type=__import__('socket').SOCK_DGRAM)",
        "os.memfd_create('more')",
        "os.setuid(1)",
        "os.chroot(PRIVATE)",
    ],
)
def test_nothing_outside_can_be_reached(confined: Confined, code: str) -> None:
    folder = str(confined.secret.parent)
    tried = code.format(secret=str(confined.secret), folder=folder, shown=str(confined.read))
    assert confined.tries(tried) in ("PermissionError", "OSError", "ValueError")
    assert confined.secret.read_text() == "the course's secret"


def test_what_it_was_shown_is_read_and_its_own_folder_is_written(confined: Confined) -> None:
    code = (
        "(PRIVATE / 'mine').write_text((Path(PRIVATE).parent / 'shown/page').read_text()); print(os.listdir(PRIVATE))"
    )
    assert confined.run(code)[1] == "['mine']"
    assert (confined.private / "mine").read_text() == "shown"


def test_changing_the_mode_or_the_times_of_a_file_is_pretended(confined: Confined) -> None:
    before = confined.secret.stat()
    assert confined.tries(f"os.chmod({str(confined.secret)!r}, 0), os.utime({str(confined.secret)!r}, (0, 0))") == ""
    assert confined.secret.stat() == before


def test_threads_and_an_event_loop_still_run(confined: Confined) -> None:
    code = (
        "import threading, asyncio; threading.Thread(target=print, args=['one']).start(); asyncio.run(asyncio.sleep(0))"
    )
    assert confined.run(code)[1] == "one"


def test_calls_that_no_library_offers_are_refused_too(confined: Confined) -> None:
    """ptrace, process_vm_readv, clone3, io_uring_setup, pidfd_getfd, openat2 by their numbers, and those of 32 bits."""
    if platform.machine() != "x86_64":
        pytest.skip("numbers of x86-64")
    code = """import ctypes; c = ctypes.CDLL(None, use_errno=True)
print([(c.syscall(n, 16, 0, 0, 0, 0, 0), ctypes.get_errno()) for n in (101, 310, 435, 425, 438, 437)])"""
    assert confined.run(code)[1] == str([(-1, 1), (-1, 1), (-1, 38), (-1, 38), (-1, 38), (-1, 38)])
    assert confined.run(f"import ctypes; ctypes.CDLL(None).syscall({1 << 30 | 57}); print('alive')")[1] != "alive"


def test_limits_hold(confined: Confined) -> None:
    assert confined.run("bytearray(1 << 29)", "memory=1 << 28")[1] == "MemoryError"
    big = "open(PRIVATE / 'big', 'wb').write(bytes(1 << 16))"
    assert "File too large" in confined.run(big, "files=1 << 12")[1]


def test_python_libraries_come_late_and_the_package_only_when_it_may(confined: Confined) -> None:
    late = "import json, sqlite3, numpy, cloudpickle; print('late')"
    assert confined.run(late)[1] == "late"
    own = "from chatsys.protocol.holdback import HoldBack; print('read')"
    assert "PermissionError" in confined.run(own)[1]
    assert confined.run(own, "package=True")[1] == "read"


@pytest.mark.slow
def test_a_notebook_with_tables_and_figures_runs(confined: Confined) -> None:
    code = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in ("import pandas, plotly.graph_objects as go", "go.Figure()._repr_html_()", "pandas.DataFrame({'a': [1]})",
             "from chatsys import World, roles; w = World(seed=1); w.run(3); f = roles(w.trace)", "%matplotlib", "1 + 1"):
    result = shell.run_cell(cell)
    if cell[0] != "%": result.raise_error()
print(result.result)
"""
    _held, printed = confined.run(code, "package=True, memory=2 << 30")
    assert printed.splitlines()[-1] == "2"


def test_a_system_that_it_does_not_know_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.uname", lambda: SimpleNamespace(machine="riscv64"))
    assert not system_calls.install()
