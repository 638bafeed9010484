"""What all tests share: the rings, the same random choices every time, free ports, and the command line.

    parts    one part by hand, with literal times           seeds    whole worlds in the simulator, by the hundred
    real     a few processes, sockets, disks, browsers      course   the promises to the course, and the house itself

`make quick` runs the parts, and what is marked `quick` elsewhere; `make test` runs all of it.
"""

import multiprocessing.process
import random
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sharing_out import SharingOut, be_nice
from typed import Run

settings.register_profile("same every time", derandomize=True, deadline=None)
settings.load_profile("same every time")

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # begun in the background: programs of ours would be deaf to Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)

HERE = Path(__file__).parent
ALONE = {
    "test_backup", "test_bench", "test_breaking_by_hand", "test_browser", "test_cluster", "test_compose", "test_containers", "test_course", "test_crowds", "test_frames_hostile", "test_host", "test_joining", "test_leaving", "test_namespaces",
    "test_panel", "test_panel_rules", "test_pods", "test_rerun", "test_scenarios", "test_soak", "test_terminals", "test_transport", "test_typing", "test_visitors", "test_worker",
}  # fmt: skip
"""Files whose tests run in real time, as notebooks do: whatever computes lets them go first (`sharing_out`)."""

FIRST = (
    "test_lab_mould", "test_grades", "test_labs", "test_determinism", "test_searched", "test_explore", "test_shrink",
    "test_command_line", "test_wheel", "test_timeline_reading", "test_release", "test_taking", "test_floods",
    "test_part_files", "test_mutants", "test_sweep", "test_grading_attacks", "test_prove", "test_figures",
    "test_browser", "test_breaking_by_hand", "instructor", "test_rerun", "test_terminals", "01-four-scenarios", "test_containers", "test_cluster",
    "test_compose", "test_pods", "test_worker", "00-tour", "test_namespaces", "03-for-real",
)  # fmt: skip
"""The files that take longest: of two workers none has one of them left at the end."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no file of which `-m` leaves out every test: each process would, in each run."""
    if collection_path.suffix != ".py" or not collection_path.stem.startswith("test_"):
        return None
    alone, wanted = collection_path.stem in ALONE, config.option.markexpr
    if wanted == "quick and not slow":
        quick = HERE / "parts" in collection_path.parents or "mark.quick" in collection_path.read_text(encoding="utf-8")
        return None if quick else True
    return True if {"alone": not alone, "not alone": alone}.get(wanted, False) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as quick what `make quick` runs, and as alone what runs in real time; begin with the longest."""
    for item in items:
        if HERE / "parts" in item.path.parents:
            item.add_marker("quick")
        if in_real_time(item.nodeid):
            item.add_marker("alone")
    last = len(FIRST)
    items.sort(key=lambda item: FIRST.index(item.path.stem) if item.path.stem in FIRST else last)


def in_real_time(name: str) -> bool:
    """Tell whether a file, or a test, runs in real time: each notebook does, and what `ALONE` names."""
    path = Path(name.partition("::")[0].partition(",")[0])
    return path.suffix == ".ipynb" or path.stem in ALONE


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep both processors at work: what computes is done beside what waits."""
    if config.getvalue("dist") != "loadfile":
        return None
    return SharingOut(config, log, in_real_time)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Be nice to tests in real time that run beside this one."""
    if not in_real_time(item.nodeid):
        be_nice()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests ran with a container engine, or why none did: their want is easily overlooked."""
    told = {
        word: [one for one in terminalreporter.getreports(word) if "engine" in getattr(one, "keywords", ())]
        for word in OUTCOMES
    }
    if not any(told.values()):
        return
    counts = ", ".join(f"{len(reports)} {word}" for word, reports in told.items() if reports)
    why = next((str(report.longrepr[2]) for report in told["skipped"] if isinstance(report.longrepr, tuple)), "")
    terminalreporter.write_line(f"With a container engine: {counts}. {why}".rstrip())


OUTCOMES = ("passed", "failed", "error", "skipped")


@pytest.fixture(autouse=True)
def quick_means_quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quick test that starts a process fails, so that `make quick` stays what it says."""
    if request.node.get_closest_marker("quick") is None or request.node.get_closest_marker("slow") is not None:
        return

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a quick test must not start a process: mark it slow, or move it to another ring")

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    monkeypatch.setattr(multiprocessing.process.BaseProcess, "start", refuse)


@pytest.fixture
def free_ports() -> list[int]:
    """Return ports of the loopback address that were free a moment ago, and which no system gives to who asks for any."""
    found: list[int] = []
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.append(port)
        if len(found) == 3:
            break
    return found


@pytest.fixture
def for_all() -> Iterator[Path]:
    """A folder that every user of the machine can reach: another run of pytest shuts that of `tmp_path` when it begins."""
    places = (Path(tempfile.gettempdir()), Path("/var/tmp"), HERE)
    reached = (one for one in places if all(above.stat().st_mode & 0o001 for above in (one, *one.parents)))
    with tempfile.TemporaryDirectory(dir=next(reached)) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs one command line and returns (exit code, stdout, stderr)."""

    from chatsys.__main__ import main

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["chatsys", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return code, said.out, said.err

    return call


@pytest.fixture
def config(tmp_path: Path, free_ports: list[int]) -> Callable[..., Path]:
    """Return a function that writes a node's config file and returns its path."""

    def write(node: int = 1, data: object = None, port: int | None = None, more: str = "") -> Path:
        ports = dict(zip((1, 2, 3), free_ports, strict=True))
        ports[node] = port or ports[node]
        members = ", ".join(f"{id}: '127.0.0.1:{port}'" for id, port in ports.items())
        path = tmp_path / f"node{node}.yml"
        path.write_text(f"node: {node}\nmembers: {{{members}}}\ndata: {data or tmp_path / f'data{node}'}\n{more}")
        return path

    return write
