"""A saved run: one file that opens elsewhere, and runs no code unless it is trusted."""

import subprocess
import sys
import warnings
from pathlib import Path

import msgspec
import pytest

from chatsys.errors import TraceError, UsageError
from chatsys.run import Run
from chatsys.trace import Record, Trace


class Backwards:
    """Stands in for a class that a student wrote."""

    def say(self, text: str) -> str:
        return text[::-1]


@pytest.fixture
def run() -> Run:
    trace = Trace([Record(0.5, "start", node=1), Record(1.5, "deliver", node=1, seq=2, text="héllo 👋")], {"seed": 7})
    return Run(trace, seed=7, script=["at 3.0 crash 3"], options={"nodes": 3}, parts={"ordering": Backwards})


def test_a_run_comes_back_as_it_was_saved(run: Run, tmp_path: Path) -> None:
    back = Run.load(run.save(tmp_path / "a.run"), trust=True)
    assert back.trace.encode() == run.trace.encode()
    assert (back.seed, back.script, back.options) == (7, ["at 3.0 crash 3"], {"nodes": 3})
    assert back.parts is not None and back.parts["ordering"]().say("abc") == "cba"


def test_code_is_shown_and_not_run_without_trust(run: Run, tmp_path: Path) -> None:
    path = run.save(tmp_path / "a.run")
    with pytest.warns(UserWarning, match=r"carries code for ordering, which was not loaded.*trust=True"):
        back = Run.load(path)
    assert back.parts is None and "def say" in back.code["ordering"]


def test_a_run_without_code_needs_no_trust(run: Run, tmp_path: Path) -> None:
    run.parts = None
    assert Run.load(run.save(tmp_path / "a.run")).parts is None


def test_another_version_is_a_warning(run: Run, tmp_path: Path) -> None:
    run.parts = None
    run.versions = run.versions | {"python": "3.9.1"}
    with pytest.warns(UserWarning, match=r"python 3\.9\.1 \(here .*\); running it again may go differently"):
        Run.load(run.save(tmp_path / "a.run"))


def test_a_run_cut_off_anywhere_is_a_trace_error(run: Run, tmp_path: Path) -> None:
    run.parts = None
    whole = run.save(tmp_path / "a.run").read_bytes()
    for length in range(len(whole) - 1):  # without its last newline a file is still whole
        (tmp_path / "b.run").write_bytes(whole[:length])
        with pytest.raises(TraceError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Run.load(tmp_path / "b.run")


def test_a_newer_run_asks_for_a_newer_chatsys(run: Run, tmp_path: Path) -> None:
    path = run.save(tmp_path / "a.run")
    head, _, body = path.read_bytes().partition(b"\n")
    header = msgspec.json.decode(head) | {"version": 99}
    path.write_bytes(msgspec.json.encode(header) + b"\n" + body)
    with pytest.raises(TraceError, match="has run version 99.*install a newer chatsys"):
        Run.load(path)


@pytest.mark.parametrize("data", [b"", b"\n", b"\x00\xff", b"{}", b"[1]\n", b'{"chatsys":"run","version":"x"}\n'])
def test_a_foreign_file_is_a_trace_error(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.run").write_bytes(data)
    with pytest.raises(TraceError):
        Run.load(tmp_path / "a.run")


def test_a_byte_that_is_no_text_is_a_trace_error_wherever_it_stands(run: Run, tmp_path: Path) -> None:
    run.parts = None
    for save, load in ((run.save, Run.load), (run.trace.save, Trace.load)):
        whole = save(tmp_path / "a.run").read_bytes()
        for at in range(len(whole) - 1):
            (tmp_path / "b.run").write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
            with pytest.raises(TraceError), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                load(tmp_path / "b.run")


@pytest.mark.parametrize(
    "head", [b"[" * 100_000, b'{"chatsys":"trace","version":1,"events":0,"meta":5}', b'{"chatsys":"trace"}', b"7"]
)
def test_a_first_line_that_nobody_wrote_is_a_trace_error(head: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.trace").write_bytes(head + b"\n")
    for load in (Run.load, Trace.load):
        with pytest.raises(TraceError):
            load(tmp_path / "a.trace")


def test_a_trace_is_not_mistaken_for_a_run(run: Run, tmp_path: Path) -> None:
    run.trace.save(tmp_path / "a.trace")
    with pytest.raises(TraceError, match=r"is a trace, not a run; open it with Trace\.load"):
        Run.load(tmp_path / "a.trace")


def test_a_missing_file_is_a_trace_error(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="cannot be read"):
        Run.load(tmp_path / "none.run")


def test_what_cannot_be_pickled_is_a_sentence(run: Run, tmp_path: Path) -> None:
    file = (tmp_path / "open").open("w")

    class Holds:
        handle = file

    run.parts = {"ordering": Holds}
    with pytest.raises(UsageError, match="These classes cannot be saved with the run"):
        run.save(tmp_path / "a.run")
    file.close()


def test_structs_that_exist_only_in_a_notebook_come_back_with_their_fields(tmp_path: Path) -> None:
    """A notebook's classes live in `__main__`; plain cloudpickle loses the fields of a Struct."""
    code = """
import msgspec
from chatsys import Run, World
from chatsys.protocol.actor import Actor

class Hello(msgspec.Struct, frozen=True, tag=True):
    text: str

class Greeter(Actor):
    messages = (Hello,)

World(1, actor=Greeter).save({path!r})
"""
    path = tmp_path / "greeter.run"
    subprocess.run([sys.executable, "-c", code.replace("{path!r}", repr(str(path)))], check=True, timeout=60)
    greeter = Run.load(path, trust=True).actor
    assert greeter is not None and greeter.messages[0](text="hi").text == "hi"
