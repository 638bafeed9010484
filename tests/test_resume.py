"""A long run in pieces: what was played is not played again, and results that do not belong together never mix."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typed import Run, refused

from chatsys.commands.simulate import meaning
from chatsys.errors import TraceError, UsageError
from chatsys.sim.resume import Results
from chatsys.sim.sweep import Plan, Result, run_seed, sweep

SHORT = Plan(seconds=2, calm=1)


def played(path: Path, seeds: range = range(4), plan: Plan = SHORT) -> list[Result]:
    """Play `seeds` into the file at `path`; return the results."""
    with Results(path, plan) as kept:
        for result in sweep(kept.missing(seeds), plan):
            kept.add(result)
        return [kept.done[seed] for seed in seeds]


def test_what_is_in_the_file_is_not_played_again(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    first = played(path)
    assert len(path.read_bytes().splitlines()) == 5, "a header and a line per seed"
    assert played(path, range(6))[:4] == first == [run_seed(seed, SHORT) for seed in range(4)]
    with Results(path, SHORT) as kept:
        assert kept.missing(range(2, 9)) == [6, 7, 8]


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_line_that_was_cut_off_is_played_again(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "results.jsonl"
    whole = played(path)
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    assert played(path) == whole and path.read_bytes() == data
    path.write_bytes(data[:20])
    assert played(path) == whole and path.read_bytes() == data, "even if the header was cut off"


def test_another_plan_other_classes_or_versions_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    played(path, range(1))
    with pytest.raises(UsageError, match=r"was begun with nodes 3, this run has 5; use the same options"):
        Results(path, Plan(seconds=2, calm=1, nodes=5))
    with pytest.raises(UsageError, match=r"was begun with calm 1, this run has 3"):
        Results(path, Plan(seconds=2, calm=3))
    with pytest.raises(UsageError, match=r"was begun with election=my.py:A nothing, this run has 12ab"):
        Results(path, SHORT, {"election=my.py:A": "12ab"})
    path.write_bytes(path.read_bytes().replace(b'"chatsys":"0', b'"chatsys":"7.0'))
    with pytest.raises(UsageError, match=r"was begun with chatsys 7.0"):
        Results(path, SHORT)


def test_a_newer_foreign_or_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    played(path)
    data = path.read_bytes()
    for wrong, words in (
        (data.replace(b'"version":1', b'"version":2', 1), "has version 2 of sweep results, this chatsys reads up to 1"),
        (b"hello\n" + data, "is not a file of sweep results"),
        (b"hello", "is not a file of sweep results"),
        (data.replace(b'"seed":1', b'"seed":x'), "is damaged at line 3"),
    ):
        path.write_bytes(wrong)
        with pytest.raises(TraceError, match=words):
            Results(path, SHORT)
        assert path.read_bytes() == wrong, "nothing was overwritten"


def test_the_command_goes_on_where_it_was_stopped(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    options = ("simulate", "--seconds", "4", "--calm", "1", "--talk", "0.5", "--jobs", "1", "--json", "--resume", path)
    command = [sys.executable, "-m", "chatsys", *map(str, options), "--seeds", "0:100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 30
        while (not path.exists() or path.read_bytes().count(b"\n") < 4) and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr is not None and "Traceback" not in process.stderr.read()
    before = path.read_bytes()
    seeds = before.count(b"\n") + 1
    code, out, err = run(*options, "--seeds", f"0:{seeds}")
    result = json.loads(out)
    assert code == 0 and result["schedules"] == seeds and f"of {seeds} schedules were played before" in err
    assert path.read_bytes().startswith(before[: before.rfind(b"\n")])
    fresh = json.loads(run(*options[:-2], "--seeds", f"0:{seeds}")[1])
    assert fresh["trace_hash"] == result["trace_hash"]
    refused(run(*options, "--seeds", "0:2", "--nodes", 5), "was begun with nodes 3, this run has 5")


def test_talk_and_calm_belong_to_the_plan_and_to_the_replay() -> None:
    quiet, loud = (run_seed(1, Plan(seconds=5, calm=3, talk=talk)) for talk in (0.5, 4.0))
    assert loud.messages > 2 * quiet.messages > 0
    assert Plan(talk=2.0, calm=45.0).replay(7).endswith("--seeds 7:8 --nodes 3 --calm 45.0 --talk 2.0")
    for wrong in ({"seconds": 0.0}, {"calm": -1.0}, {"talk": 0.0}, {"talk": float("nan")}):
        with pytest.raises(UsageError, match="give more than 0 seconds of faults"):
            Plan(**wrong)  # type: ignore[arg-type]


def test_the_meaning_of_a_number_of_schedules() -> None:
    assert "with 86 % probability" in meaning(20_000, 0) and "below about 1 in 6,700 (" in meaning(20_000, 0)
    assert "with 1 % probability" in meaning(100, 0) and "1 in 34 (" in meaning(100, 0)
    assert "more than 99 %" in meaning(100_000, 0) and "1 in 33,000 (" in meaning(100_000, 0)
    assert meaning(10, 2).startswith("2 of 10 schedules broke an invariant")
    assert meaning(0, 0) == "No schedule came to a verdict, so nothing is proved."
