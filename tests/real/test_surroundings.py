"""What the surroundings do is one true sentence and exit code 2: never a traceback, never exit code 1."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typed import Run, refused

from chatsys import Cluster, World
from chatsys.campaign.bench.starting import _import_seconds
from chatsys.commands import hint
from chatsys.commands.nodes import _keep_status
from chatsys.errors import ChatsysError
from chatsys.run import Run as SavedRun
from chatsys.run import digest_part
from chatsys.runtime.disk import Disk
from chatsys.runtime.net.ports import Ports
from chatsys.runtime.terminal import Terminal
from chatsys.surroundings import UNUSABLE, place, read_ordinary, reason, try_write
from chatsys.temporary import remove
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
    ("client --port 1 --host my..host", "address is 'my..host:1', which no machine can be called"),
    (f"client --port 1 --host {'a' * 80}", "which no machine can be called"),
    ("client --port 1 --host ü..x", "which no machine can be called"),
    ("client --port 1 --host 300.1.1.1", "(300.1.1.1:1: the name cannot be resolved: "),
]


@pytest.mark.parametrize("line, words", REFUSED, ids=[line.replace(LONG, "LONG")[:70] for line, _ in REFUSED])
def test_what_stands_in_the_way_is_told(
    run: Run, stage: Path, monkeypatch: pytest.MonkeyPatch, line: str, words: str
) -> None:
    monkeypatch.setattr("chatsys.teach.classroom.jobs.the_course", lambda setting: _find(setting.lab))
    monkeypatch.setattr("chatsys.clients.line.PATIENCE", 0.1)
    refused(run(*line.split()), words)
    assert not (stage / "~nobodyhere").exists()


def _find(lab: str) -> None:
    """Look for the lab as grading does; where results cannot be kept, it must not come so far."""
    from chatsys.teach.grading.reading import find_source

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

    monkeypatch.setattr("chatsys.check.log_files.verify", fail)
    code, _, err = run("verify", ".")
    assert code == 2 and words in err and err.count("\n") == 1


@pytest.mark.parametrize("error", [AttributeError, ValueError, RuntimeError])
def test_a_bug_of_ours_is_not_hidden(run: Run, monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def fail(*_: object) -> None:
        raise error("a bug")

    monkeypatch.setattr("chatsys.check.log_files.verify", fail)
    monkeypatch.setattr(sys, "argv", ["chatsys", "verify", "."])
    from chatsys.__main__ import main

    with pytest.raises(error, match="a bug"):
        main()


def shell(line: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of bash in which CHATSYS is the command."""
    command = f"{sys.executable} -m chatsys"
    here = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path[1:]])} | environment
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


def test_nobodys_folder_is_told_to_nobody(for_all: Path) -> None:
    tmp_path = for_all
    (tmp_path / "x").write_text("")
    lines = {
        f"simulate {SHORT} --resume {tmp_path}/warm": "",  # as root: nobody may not even read all of Python
        f"cluster up --data {tmp_path}/d": "cannot be written (Permission denied); give this user the right",
        f"grade x --lab y --results {tmp_path}/r": "cannot be written: Permission denied; give this user the right",
        f"simulate {SHORT} --resume {tmp_path}/r": "cannot be used for results: Permission denied; give this user",
        f"verify {tmp_path}/mine": "is not readable",
        f"cluster status --data {tmp_path}/mine": "is not readable",
    }
    (tmp_path / "mine").mkdir(mode=0o700)
    program = (
        "import os, sys, chatsys.runtime.cluster\nfrom chatsys.__main__ import main\n"
        f"for line in {list(lines)!r}:\n"
        "    sys.argv = ['chatsys', *line.split()]\n"
        "    try: main()\n"
        "    except SystemExit as ended: print(ended.code, file=sys.stderr)\n"
        "    os.getuid() or os.setuid(65534)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    told = done.stderr.splitlines()
    assert told[0] == "0" and told[2::2] == ["2"] * (len(lines) - 1), done.stderr
    for sentence, words in zip(told[1::2], list(lines.values())[1:], strict=True):
        assert sentence.startswith("chatsys: ") and words in sentence


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
    for call in (
        world.save, world.trace.save, Trace.load, SavedRun.load, try_write,
        lambda path: Cluster(nodes=1, data=path if path != "dir" else "file"),
        lambda path: Disk(Path(path if path != "dir" else "file"), ()),
    ):  # fmt: skip
        with pytest.raises(ChatsysError) as caught:
            call(path)
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_a_pipe_is_not_waited_for(stage: Path) -> None:
    with pytest.raises(OSError, match="This is no ordinary file"):
        read_ordinary(Path("piped/log.jsonl"))


def test_text_that_is_no_path_has_its_reason() -> None:
    for wrong in ("a\0b", "\ud800"):
        with pytest.raises(UNUSABLE) as caught:
            os.stat(wrong)
        assert reason(caught.value) == "that is no name of a file"


def test_a_status_file_that_cannot_be_written_ends_no_cluster(stage: Path, run: Run) -> None:
    assert "state/status.json cannot be written: Is a directory" in _keep_status(Path("state/status.json"), {})
    assert [path.name for path in Path("state").iterdir()] == ["status.json"]
    assert _keep_status(Path("dir/status.json"), {"time": 1}) == ""
    for strange in ("[]", "null", '{"time": "now"}', '{"time": 9e99}', "[" * 100_000, "\udcff"):
        Path("dir/status.json").write_bytes(strange.encode(errors="surrogateescape"))
        refused(run("cluster", "status", "--data", "dir"), "No cluster is up in dir")


# --- the system has no more -------------------------------------------------------------------------


def test_a_cluster_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    kept: list[Ports] = []
    free = Ports.free

    def noted(ports: Ports) -> None:
        kept.append(ports)
        free(ports)

    monkeypatch.setattr(Ports, "free", noted)
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

    Terminal(full, verbose=True)([Record(0.0, "start", 1)])


def test_a_python_that_cannot_import_is_told() -> None:
    with pytest.raises(ChatsysError, match=r"A new Python cannot import no_such \(ModuleNotFoundError: .*\); nothing"):
        _import_seconds("no_such")


def test_a_hint_that_cannot_be_said_ends_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stderr", full)
        hint("a hint")
        monkeypatch.undo()
        with pytest.raises(OSError, match="No space left"):
            full.close()


def test_an_import_of_a_name_too_long_for_a_file_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "my.py").write_text(f"import {LONG}\n")
    assert digest_part(tmp_path / "my.py")


def test_a_file_where_a_node_of_a_cluster_needs_its_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "node1").write_text("")
    with pytest.raises(ChatsysError, match=r"node1 is not a folder \(File exists\); a file is in its way: name the"):
        Cluster(nodes=1, where="processes", data=tmp_path)


def test_a_folder_is_removed_whatever_stands_in_it(tmp_path: Path) -> None:
    folder, ours = tmp_path / "it", tmp_path / "ours"
    ours.write_text("stays")
    ours.chmod(0o640)
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "c").write_text("x")
    (folder / "a" / "link").symlink_to(ours)
    (folder / "a" / "b").chmod(0)
    (folder / "a").chmod(0o500)
    here = Path.cwd()
    try:
        os.chdir(folder)
        for _ in range(1500):
            os.mkdir("deep")
            os.chdir("deep")
    finally:
        os.chdir(here)
    remove(folder)
    assert not folder.exists() and ours.stat().st_mode & 0o777 == 0o640
    remove(None)


def test_a_folder_that_cannot_be_removed_leaves_the_one_it_stands_in_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o1777)
    remove(tmp_path / "none")
    (tmp_path / "busy").mkdir()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOTEMPTY, "a process that ends still writes there")

    monkeypatch.setattr(os, "rmdir", full)
    remove(tmp_path / "busy")
    assert tmp_path.stat().st_mode & 0o7777 == 0o1777
