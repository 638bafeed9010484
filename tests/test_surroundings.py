"""What the surroundings do is one true sentence and exit code 2: never a traceback, never exit code 1."""

import asyncio
import errno
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typed import Run, refused

from chatsys import Cluster, World
from chatsys.bench import _import_seconds
from chatsys.commands.nodes import _keep_status
from chatsys.config import ClusterConfig
from chatsys.errors import ChatsysError, DamagedLog, DiskFailed, LogError, LogInUse, NotHere, UsageError
from chatsys.protocol.node import Node
from chatsys.run import Run as SavedRun
from chatsys.runtime.client import ClientHost
from chatsys.runtime.disk import Disk, cannot_use
from chatsys.runtime.host import Host
from chatsys.runtime.ports import Ports, cannot_listen, here
from chatsys.runtime.service import teller
from chatsys.surroundings import NO_LOCKS, UNUSABLE, place, read_ordinary, reason, try_write
from chatsys.trace import Record, Trace

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs links, pipes, limits and /proc")

LONG = "a" * 300
SHORT = "--seeds 0:1 --seconds 1 --calm 1 --jobs 1"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a current folder with everything that can stand in the way."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    Path("dir").mkdir()
    Path("dangling").symlink_to("gone")
    Path("round").symlink_to("round")
    for folder, name in (("held", "lock"), ("filled", "log.jsonl"), ("state", "status.json")):
        (Path(folder) / name).mkdir(parents=True)
    Path("piped").mkdir()
    os.mkfifo("piped/log.jsonl")
    Path("nb.ipynb").write_text("{}")
    for number, (data, address) in enumerate(NODES, start=1):
        Path(f"n{number}.yml").write_text(f"node: 1\nmembers: {{1: '{address}'}}\ndata: {data}\n")
    return tmp_path


NODES = (
    ("file", "127.0.0.1:25160"),
    ("file/x", "127.0.0.1:25160"),
    ("dangling", "127.0.0.1:25160"),
    ("round", "127.0.0.1:25160"),
    (LONG, "127.0.0.1:25160"),
    ("/proc/x", "127.0.0.1:25160"),
    ("/dev/null", "127.0.0.1:25160"),
    ("~nobodyhere/x", "127.0.0.1:25160"),
    ("held", "127.0.0.1:25160"),
    ("filled", "127.0.0.1:25160"),
    ("piped", "127.0.0.1:25160"),
    ("fine", "192.0.2.1:25160"),
)

REFUSED = [
    # the command line, and the words its sentence must have
    ("node --config n1.yml", "The data folder file is not a folder"),
    ("node --config n2.yml", "The data folder file/x is not a folder (Not a directory); a file is in its way"),
    ("node --config n3.yml", "The data folder dangling is a link to a folder that is not there"),
    ("node --config n4.yml", "The data folder round is a link to a folder that is not there"),
    ("node --config n5.yml", "File name too long); give a shorter name"),
    ("node --config n6.yml", "The data folder /proc/x cannot be used (No such file or directory); name the right"),
    ("node --config n7.yml", "The data folder /dev/null is not a folder"),
    ("node --config n8.yml", "~nobodyhere/x begins with ~, but this home folder is not known; write the whole path"),
    ("node --config n9.yml", "(Is a directory: held/lock); name the right folder"),
    ("node --config n10.yml", "(This is no ordinary file: filled/log.jsonl); name the right folder"),
    ("node --config n11.yml", "(This is no ordinary file: piped/log.jsonl); name the right folder"),
    ("node --config file/x", "file/x cannot be read: Not a directory"),
    ("node --config dir", "dir cannot be read: Is a directory"),
    ("node --config dangling", "dangling cannot be read: No such file or directory"),
    (f"node --config {LONG}", "cannot be read: File name too long"),
    ("node --config ~nobodyhere/x", "begins with ~, but this home folder is not known"),
    ("cluster up --data file", "The data folder file is not a folder"),
    ("cluster up --data file/x", "The data folder file/x is not a folder"),
    ("cluster up --data dangling", "is a link to a folder that is not there"),
    (f"cluster up --data {LONG}", "File name too long); give a shorter name"),
    ("cluster up --data /proc/x", "The data folder /proc/x cannot be used"),
    ("cluster status --data file", "No cluster is up in file"),
    ("cluster status --data state", "state/status.json cannot be read: Is a directory"),
    (f"cluster status --data {LONG}", "status.json cannot be read: File name too long"),
    ("verify file", "file/log.jsonl cannot be read (Not a directory); give the data folder of a node"),
    ("verify dir", "dir/log.jsonl cannot be read (No such file or directory)"),
    ("verify piped", "piped/log.jsonl cannot be read (This is no ordinary file)"),
    ("verify filled", "filled/log.jsonl cannot be read (This is no ordinary file)"),
    (f"verify {LONG}", "cannot be read (File name too long)"),
    ("verify ~nobodyhere", "begins with ~"),
    (f"simulate {SHORT} --resume file/x", "file/x cannot be used for results: Not a directory"),
    (f"simulate {SHORT} --resume /proc/x", "/proc/x cannot be used for results: No such file or directory"),
    (f"simulate {SHORT} --resume {LONG}", "cannot be used for results: File name too long; give a shorter name"),
    (f"simulate {SHORT} --resume round", "cannot be used for results: Too many levels of symbolic links"),
    (f"simulate {SHORT} --resume piped/log.jsonl", "it is no ordinary file; give another name"),
    (f"simulate --seeds 0:1 --part election={LONG}.py:A", "File name too long"),
    ("simulate --seeds 0:1 --part election=file/x:A", "--part names the file file/x, which is not there"),
    (f"simulate --seeds 0:{'9' * 5000}", "--seeds is '0:9"),
    (f"demo --quorum {'9' * 5000}", "quorum is '9"),
    ("demo --quorum --5", "quorum is '--5'"),
    ("grade nb.ipynb --lab 03-total-order --results file/x", "file/x cannot be written: Not a directory"),
    ("grade nb.ipynb --lab 03-total-order --results dir", "dir cannot be written: Is a directory; name a file"),
    ("grade nb.ipynb --lab 03-total-order --results none/x", "none/x cannot be written: No such file or directory"),
    ("grade nb.ipynb --lab 03-total-order --results /proc/x", "/proc/x cannot be written"),
    (f"grade nb.ipynb --lab 03-total-order --results {LONG}", "cannot be written: File name too long; give a shorter"),
    (
        f"grade {LONG} --lab 03-total-order",
        "is not a file that can be read (File name too long); give the notebook that was",
    ),
    (f"grade nb.ipynb --lab {LONG}", "File name too long"),
    ("grade dir --lab 03-total-order", "dir is not a file that can be read (Is a directory)"),
    ("client --port 1 --host my..host", "address is 'my..host:1', which no machine can be called"),
    (f"client --port 1 --host {'a' * 80}", "which no machine can be called"),
    ("client --port 1 --host ü..x", "which no machine can be called"),
    ("client --port 1 --host 300.1.1.1", "(300.1.1.1:1: the name cannot be resolved: "),
]


@pytest.mark.parametrize("line, words", REFUSED, ids=[line.replace(LONG, "LONG")[:70] for line, _ in REFUSED])
def test_what_stands_in_the_way_is_told(
    run: Run, stage: Path, monkeypatch: pytest.MonkeyPatch, line: str, words: str
) -> None:
    monkeypatch.setattr("chatsys.teach.grader.grade_notebooks", lambda *_, lab, **__: _find(lab))
    monkeypatch.setattr("chatsys.clients.line.PATIENCE", 0.1)
    refused(run(*line.split()), words)
    assert not (stage / "~nobodyhere").exists()


def _find(lab: str) -> None:
    """Look for the lab as grading does; where results cannot be kept, it must not come so far."""
    from chatsys.teach.marking import find_source

    assert lab == LONG, "nothing is graded before it is known where the results go"
    find_source(lab)


def test_an_address_of_another_machine_is_told(run: Run, stage: Path) -> None:
    code, out, err = run("node", "--config", "n12.yml")
    assert code == 2 and not out
    assert err.splitlines()[-1].startswith("chatsys: The address 192.0.2.1:25160 cannot be used (")
    assert "it is no address of this machine" in err and "Traceback" not in err


# --- the last net -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error, words",
    [
        (
            OSError(errno.EIO, "Input/output error", "some/file"),
            "some/file cannot be used: Input/output error: the device",
        ),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "Disk quota exceeded: this user's share of the disk is full"),
        (MemoryError(), "The memory that this process may use is used up; do less at a time"),
    ],
)
def test_what_no_command_expected_is_still_a_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("chatsys.verify.verify", fail)
    code, _, err = run("verify", ".")
    assert code == 2 and words in err and err.count("\n") == 1


@pytest.mark.parametrize("error", [AttributeError, ValueError, RuntimeError])
def test_a_bug_of_ours_is_not_hidden(run: Run, monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def fail(*_: object) -> None:
        raise error("a bug")

    monkeypatch.setattr("chatsys.verify.verify", fail)
    monkeypatch.setattr(sys, "argv", ["chatsys", "verify", "."])
    from chatsys.__main__ import main

    with pytest.raises(error, match="a bug"):
        main()


def shell(line: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of bash in which CHATSYS is the command."""
    command = f"{sys.executable} -m chatsys"
    here = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path[1:]])} | environment
    line = line.replace("CHATSYS", command)
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=folder, env=here, timeout=60)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", ["--version", f"simulate {SHORT} --json"])
def test_a_full_device_as_output_is_said(tmp_path: Path, unbuffered: str, words: str) -> None:
    done = shell(f"CHATSYS {words} > /dev/full", tmp_path, PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 2
    assert done.stderr == (
        "chatsys: The output cannot be written: No space left on device: the disk is full; make room.\n"
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_streams_that_are_full_or_closed_change_no_verdict(tmp_path: Path) -> None:
    for line, code in (
        ("CHATSYS verify none 2> /dev/full", 2),
        ("CHATSYS verify none <&- >&- 2>&-", 2),
        (f"CHATSYS simulate {SHORT} 2> /dev/full", 0),
        (f"CHATSYS simulate {SHORT.replace('0:1', '0:4').replace('jobs 1', 'jobs 2')} <&- >&- 2>&-", 0),
    ):
        assert shell(line, tmp_path).returncode == code, line


def test_a_letter_that_the_terminal_lacks_is_escaped(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/d\xff"
    os.mkdir(folder)
    (Path(os.fsdecode(folder)) / "log.jsonl").write_bytes(b"")
    for line in ("CHATSYS verify d*", "CHATSYS verify --json d*"):
        done = shell(line, tmp_path, PYTHONIOENCODING="ascii")
        assert done.returncode == 0 and "d\\udcff" in done.stdout and not done.stderr


def test_nobodys_folder_is_told_to_nobody(tmp_path: Path) -> None:
    for path in (*tmp_path.parents, tmp_path):
        if path.name.startswith(("pytest", "test_")):
            path.chmod(path.stat().st_mode | 0o055)
    (tmp_path / "x").write_text("")
    drop = (  # a first command, for nobody may not even read all of Python
        "import os, sys, chatsys.runtime.cluster, chatsys.sim.resume, chatsys.sim.own.given\n"
        "from chatsys.__main__ import main\n"
        "sys.argv = ['chatsys', 'cluster', 'status', '--data', 'none']\n"
        "try: main()\n"
        "except SystemExit: os.getuid() or os.setuid(65534)\n"
    )
    for words, sentence in (
        (f"cluster up --data {tmp_path}/d", "cannot be written (Permission denied); give this user the right"),
        (f"grade x --lab y --results {tmp_path}/r", "cannot be written: Permission denied; give this user the right"),
        (f"simulate {SHORT} --resume {tmp_path}/r", "cannot be used for results: Permission denied; give this user"),
    ):
        program = f"{drop}sys.argv = ['chatsys', *{words.split()!r}]; main()"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=60)
        assert done.returncode == 2 and sentence in done.stderr and "Traceback" not in done.stderr, done.stderr


# --- locks ------------------------------------------------------------------------------------------


@pytest.fixture
def flock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that makes every lock fail with an errno, as some file systems do."""
    import fcntl

    def fail_with(number: int) -> None:
        def fail(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(fcntl, "flock", fail)

    return fail_with


@pytest.mark.parametrize("number", sorted(NO_LOCKS))
def test_a_file_system_without_locks_is_told_as_that(
    run: Run, stage: Path, flock: Callable[[int], None], config: Callable[..., Path], number: int
) -> None:
    flock(number)
    for line in (("node", "--config", config()), ("simulate", *SHORT.split(), "--resume", "kept.jsonl")):
        answer = run(*line)
        refused(answer, "keeps no file locks")
        assert "in use" not in answer[2] and "a disk of this machine" in answer[2]
    with pytest.raises(NotHere, match="keeps no file locks"):
        Cluster(nodes=1, data="kept")


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EWOULDBLOCK])
def test_a_lock_that_another_process_has_is_in_use(tmp_path: Path, flock: Callable[[int], None], number: int) -> None:
    flock(number)
    with pytest.raises(LogInUse, match="is in use by another process; stop that node first"):
        Disk(tmp_path, ())


def test_a_lock_that_fails_in_another_way_is_told_as_that(tmp_path: Path, flock: Callable[[int], None]) -> None:
    flock(errno.EIO)
    with pytest.raises(LogError, match=r"cannot be used \(Input/output error: the device does not work\); repair it"):
        Disk(tmp_path, ())


def test_a_second_node_of_this_process_is_refused_the_folder(tmp_path: Path) -> None:
    first = Disk(tmp_path, ())
    with pytest.raises(LogInUse, match=f"in use by process {os.getpid()}; stop that node first"):
        Disk(tmp_path, ())
    first.gone()
    Disk(tmp_path, ()).gone()


# --- advice that loses nothing --------------------------------------------------------------------


def test_following_the_advice_for_a_damaged_log_loses_nothing_acknowledged() -> None:
    advice = str(DamagedLog("log.jsonl", 3, "its checksum is wrong"))
    assert "made since this node last ran" in advice and "leave the node stopped" in advice
    assert "Never start it with an empty or an older log" in advice
    for harmful in ("start as new", "move the folder away", "another folder", "another place"):
        assert harmful not in advice


@pytest.mark.parametrize("number", [getattr(errno, name) for name in ("EACCES", "EPERM", "EROFS", "EIO", "ENOSPC", "EDQUOT",
                                    "ENOENT", "ENOTDIR", "EEXIST", "EISDIR", "EMFILE", "ENOMEM", "ELOOP", "ENAMETOOLONG")])  # fmt: skip
def test_no_sentence_sends_a_node_to_an_empty_folder(number: int) -> None:
    advice = cannot_use(Path("data/node1"), OSError(number, os.strerror(number), "data/node1"))
    assert advice.startswith("The data folder data/node1 ") and advice.endswith(".") and os.strerror(number) in advice
    for harmful in ("another folder", "another place", "another disk", "name another", "place that can be written"):
        assert harmful not in advice


# --- disks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number, words",
    [
        (errno.ENOSPC, "cannot grow: No space left on device: the disk is full. The node stops; make room, then start"),
        (errno.EDQUOT, "this user's share of the disk is full. The node stops; make room"),
        (errno.EFBIG, "it is full. The node stops; raise the limit, then start it again"),
        (errno.EIO, "The disk failed at .*: Input/output error: the device does not work; the node stops"),
        (errno.EROFS, "The disk failed at .*: Read-only file system; the node stops"),
    ],
)
def test_a_disk_that_fails_while_a_node_lives_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    from pingpong import Counted

    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    async def live() -> DiskFailed:
        disk = Disk(tmp_path, (Counted,))
        failed: asyncio.Future[DiskFailed] = asyncio.get_running_loop().create_future()
        disk.failed = failed.set_result
        disk.start()
        monkeypatch.setattr("chatsys.runtime.disk.sync", fail)
        disk.write(Counted(1))
        disk.flush()
        try:
            return await asyncio.wait_for(failed, 10)
        finally:
            disk.gone()

    with pytest.raises(DiskFailed, match=words):
        raise asyncio.run(live())


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let no file grow beyond 1 KiB: as good as a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_half_a_saved_run_does_not_stay_behind(tmp_path: Path, small_files: None) -> None:
    world = World(seed=1)
    world.run(3)
    for save in (world.save, world.trace.save):
        with pytest.raises(UsageError, match=r"x cannot be written: File too large: .* it is full; raise the limit"):
            save(tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_trying_a_file_leaves_it_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("kept")
    for name in ("old", "new"):
        assert try_write(tmp_path / name) == tmp_path / name
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old", "kept")]


def test_a_status_file_that_cannot_be_written_ends_no_cluster(stage: Path, run: Run) -> None:
    assert "state/status.json cannot be written: Is a directory" in _keep_status(Path("state/status.json"), {})
    assert [path.name for path in Path("state").iterdir()] == ["status.json"]
    assert _keep_status(Path("dir/status.json"), {"time": 1}) == ""
    for strange in ("[]", "null", '{"time": "now"}', '{"time": 9e99}', "[" * 100_000, "\udcff"):
        Path("dir/status.json").write_bytes(strange.encode(errors="surrogateescape"))
        refused(run("cluster", "status", "--data", "dir"), "No cluster is up in dir")


# --- paths ------------------------------------------------------------------------------------------


def test_a_leading_tilde_is_the_home_folder(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(stage))
    Disk(Path("~/mine"), ()).gone()
    assert (stage / "mine" / "lock").exists()
    trace = Trace([Record(0.0, "start", 1)])
    assert trace.save("~/t.jsonl") == stage / "t.jsonl" and len(Trace.load("~/t.jsonl")) == 1
    with Cluster(nodes=1, data="~/logs", timing="fast"):
        assert (stage / "logs" / "node1" / "log.jsonl").exists()
    assert place(stage / "~") == stage / "~" and not (stage / "~").exists()


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "~nobodyhere/x", LONG, "file/x", "dir", "dangling/x", "/proc/x"])
def test_every_door_for_a_path_says_what_is_wrong_with_it(stage: Path, path: str) -> None:
    world = World(seed=1)
    for door in (
        world.save, world.trace.save, Trace.load, SavedRun.load, try_write,
        lambda path: Cluster(nodes=1, data=path if path != "dir" else "file"),
        lambda path: Disk(Path(path if path != "dir" else "file"), ()),
    ):  # fmt: skip
        with pytest.raises(ChatsysError) as caught:
            door(path)
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_a_pipe_is_not_waited_for(stage: Path) -> None:
    with pytest.raises(OSError, match="This is no ordinary file"):
        read_ordinary(Path("piped/log.jsonl"))


def test_text_that_is_no_path_has_its_reason() -> None:
    for wrong in ("a\0b", "\ud800"):
        with pytest.raises(UNUSABLE) as caught:
            os.stat(wrong)
        assert reason(caught.value) == "that is no name of a file"


# --- names and ports --------------------------------------------------------------------------------

Found = list[tuple[int, int, int, str, tuple[Any, ...]]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Found | None]:
    """Return what names stand for, to be filled; None: nobody knows the name."""
    known: dict[str, Found | None] = {}
    ask = socket.getaddrinfo

    def answer(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in known:
            return ask(host, *rest, **more)
        if (found := known[host]) is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return known


def live(config: ClusterConfig, address: tuple[str, int], folder: Path, holds: Callable[[list[Record]], Any]) -> None:
    """Let node 1 live until something shows in its records."""

    async def story() -> None:
        records: list[Record] = []
        host = Host(1, config, Node, records.extend, disk=Disk(folder, Node.records))
        assert host.disk is not None
        try:
            await host.start(address)
            async with asyncio.timeout(10):
                while not holds(records):
                    await asyncio.sleep(0.01)
            assert host.alive
        finally:
            host.crash()
            await asyncio.to_thread(host.disk.gone)

    asyncio.run(story())


def test_localhost_works_where_it_also_stands_for_an_address_that_is_not_here(
    tmp_path: Path, names: dict[str, Found | None], free_ports: list[int]
) -> None:
    port = free_ports[0]
    stream = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    names["localhost"] = [
        (socket.AF_INET6, *stream, ("2001:db8::1", port, 0, 0)),  # as ::1 is no address here where IPv6 is off
        (socket.AF_INET, *stream, ("127.0.0.1", port)),
    ]
    assert asyncio.run(here("localhost", port)) == ["127.0.0.1"]
    config = ClusterConfig(members={1: f"localhost:{port}"}, quorum=1)

    def answers(_: list[Record]) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    live(config, ("localhost", port), tmp_path, answers)


def test_a_node_goes_on_while_a_members_name_is_not_known_and_says_it_once(
    tmp_path: Path, names: dict[str, Found | None], free_ports: list[int]
) -> None:
    names["gone.example"] = None
    port = free_ports[0]
    config = ClusterConfig(members={1: f"127.0.0.1:{port}", 2: "gone.example:1"}, quorum=1)
    told: list[str] = []

    def leads(records: list[Record]) -> bool:
        told[:] = [one.reason or "" for one in records if one.kind == "drop" and "resolved" in (one.reason or "")]
        return any(record.kind == "ready" for record in records)

    live(config, ("127.0.0.1", port), tmp_path, leads)
    assert told == ["the name gone.example cannot be resolved (Name or service not known); it is tried again"]


def test_a_node_whose_own_name_is_not_known_says_so(names: dict[str, Found | None]) -> None:
    names["gone.example"] = None
    with pytest.raises(socket.gaierror) as caught:
        asyncio.run(here("gone.example", 1))
    assert cannot_listen("gone.example:1", caught.value) == (
        "The name in gone.example:1 cannot be resolved (Name or service not known); correct it, or write the number "
        "of an address."
    )


@pytest.mark.parametrize(
    "number, words",
    [
        (errno.EADDRINUSE, "stop the other program there, or choose another port"),
        (errno.EADDRNOTAVAIL, "it is no address of this machine"),
        (errno.EACCES, "ports below 1024 are for root only: choose another port"),
        (errno.EMFILE, "raise the limit (ulimit -n)"),
    ],
)
def test_why_nobody_can_listen_there(number: int, words: str) -> None:
    sentence = cannot_listen("h:1", OSError(number, "error while attempting to bind"))
    assert (
        sentence.startswith(f"The address h:1 cannot be used ({os.strerror(number).lower()}); ") and words in sentence
    )


@pytest.mark.parametrize("address", ["my..host:1", f"{'a' * 80}:1", "a\0b:1", "a b:1", "h:0", "h:-1", "h:70000", "h"])
def test_a_client_refuses_an_address_that_can_be_none(address: str) -> None:
    with pytest.raises(ChatsysError, match="address is "):
        ClientHost([address], "ann", lambda record: None)


# --- the system has no more -------------------------------------------------------------------------


def test_a_cluster_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    kept: list[Ports] = []
    free = Ports.free
    monkeypatch.setattr(Ports, "free", lambda ports: (kept.append(ports), free(ports))[1])
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(ChatsysError, match=r"The system allows this user no more threads; .* \(ulimit -u\)"):
        Cluster(nodes=1)
    assert not list(tmp_path.iterdir()) and len(kept) == 1


def test_no_room_for_a_temporary_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    with pytest.raises(ChatsysError, match=r"No temporary folder can be made \(Not a directory\); make room, or name"):
        Cluster(nodes=1)


@pytest.mark.parametrize("where, most", [("kernel", 12), ("processes", 14)])
def test_too_few_descriptors_are_a_sentence(tmp_path: Path, where: str, most: int) -> None:
    done = shell(f"ulimit -n {most}; CHATSYS demo --scenario normal --where {where}", tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "too many open files" in done.stderr.lower() and "raise the limit (ulimit -n)" in done.stderr


def test_a_node_whose_lines_nobody_takes_goes_on() -> None:
    def full(_: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    teller(full, verbose=True)([Record(0.0, "start", 1)])


def test_a_python_that_cannot_import_is_told() -> None:
    with pytest.raises(ChatsysError, match=r"A new Python cannot import no_such \(ModuleNotFoundError: .*\); nothing"):
        _import_seconds("no_such")
