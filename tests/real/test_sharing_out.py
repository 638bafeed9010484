"""How `make test` shares out the tests: what computes is nice beside what runs in real time, and nothing else is collected."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFTEST = """
import os
import pytest
from sharing_out import SharingOut, be_nice

kept = [0]

def nice(more):
    kept[0] += more
    return kept[0]

os.nice = nice  # who runs this is perhaps as nice as can be already

def in_real_time(name):
    return "real" in name

@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return SharingOut(config, log, in_real_time)

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if not in_real_time(item.nodeid):
        be_nice()
"""
TESTS = """
import json, os, time
import pytest

@pytest.mark.parametrize("n", range(6))
def test_one(n):
    time.sleep(0.02)
    with open("said.jsonl", "a") as file:
        file.write(json.dumps([os.environ.get("PYTEST_XDIST_WORKER", ""), os.nice(0), time.monotonic()]) + "\\n")
"""


def ran(folder: Path, *options: str) -> list[tuple[str, int, float]]:
    """Run a few files of both sorts; return (process, how nice, when) of each test."""
    (folder / "conftest.py").write_text(CONFTEST)
    for name in ("real_1", "real_2", "real_3", "computes_1", "computes_2", "computes_3", "computes_4"):
        (folder / f"test_{name}.py").write_text(TESTS.replace("said", name.partition("_")[0]))
    support = f"pythonpath={ROOT / 'tests/support'}"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--rootdir",
        str(folder),
        "-o",
        support,
        "-p",
        "no:nbval",
        *options,
    ]
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, env=outside)
    assert done.returncode == 0 and "42 passed" in done.stdout, done.stdout + done.stderr
    return [
        (process, nice, when) for name in ("real", "computes")
        for process, nice, when in map(json.loads, (folder / f"{name}.jsonl").read_text().splitlines())
    ]  # fmt: skip


@pytest.mark.parametrize("processes", [1, 3])
def test_what_computes_is_nice_and_no_test_in_real_time_is(tmp_path: Path, processes: int) -> None:
    all_of_them = ran(tmp_path, "-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder")
    real, computes = all_of_them[:18], all_of_them[18:]
    assert {nice for _, nice, _ in real} == {0} and {nice for _, nice, _ in computes} == {19}
    assert len({process for process, _, _ in all_of_them}) == processes
    waited = {process for process, _, _ in real}
    assert processes - len(waited) >= processes // 2, "half of them only compute"
    for process in waited:
        last = max(when for one, _, when in real if one == process)
        assert all(when > last for one, _, when in computes if one == process)


def test_without_processes_of_xdist_nobody_is_nice(tmp_path: Path) -> None:
    assert {nice for _, nice, _ in ran(tmp_path)} == {0}


def test_what_a_notebook_has_written_is_not_taken_for_a_test(tmp_path: Path) -> None:
    """The instructor's notebook makes submissions, of which some cannot be read: on purpose."""
    written = tmp_path / "notebooks/data/inbox/broken.ipynb"
    written.parent.mkdir(parents=True)
    written.write_text('{"cells": [')
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path)]
    options = ["--nbval-lax", "--collect-only", "-q", "-p", "no:cacheprovider", str(tmp_path / "notebooks")]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout + done.stderr
