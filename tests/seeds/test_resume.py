"""A long run in pieces: what was played is not played again, and results that do not belong together never mix."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from typed import Run, refused

from chatsys.campaign.one_seed import Plan, SeedResult, run_seed
from chatsys.campaign.resume import Results
from chatsys.campaign.summary import meaning
from chatsys.campaign.sweep import sweep
from chatsys.errors import TraceError, UsageError
from chatsys.run import digest_core, digest_part

SHORT = Plan(seconds=2, calm=1)


def played(path: Path, seeds: range = range(4), plan: Plan = SHORT) -> list[SeedResult]:
    """Play `seeds` into the file at `path`; return the results."""
    with Results(path, plan) as kept:
        for result in sweep(kept.missing(seeds), plan):
            kept.add(result)
        return [kept.done[seed] for seed in seeds]


def plan_of(path: Path) -> Plan:
    """Return the plan with which the file was begun."""
    return msgspec.convert(json.loads(path.read_bytes().splitlines()[0])["plan"], Plan)


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
        (data.replace(b'"version":2', b'"version":3', 1), "has version 3 of sweep results, this chatsys reads up to 2"),
        (data.replace(b'"version":2', b'"version":1', 1), "version 1 .* does not say with which code it was begun"),
        (b"hello\n" + data, "is not a file of sweep results"),
        (b"hello", "is not a file of sweep results"),
        (data.replace(b'"seed":1', b'"seed":x'), "is damaged at line 3"),
        (data.replace(b'"inconclusive":"', b'"inconclusive":"\xff'), "is damaged at line 2"),
        (data.replace(b'"chatsys":"', b'"chatsys":"\xff', 1), "is not a file of sweep results"),
    ):
        path.write_bytes(wrong)
        with pytest.raises(TraceError, match=words):
            Results(path, SHORT)
        assert path.read_bytes() == wrong, "nothing was overwritten"


def test_results_of_another_state_of_the_code_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    played(path, range(1))
    before = path.read_bytes()
    path.write_bytes(before.replace(digest_core().encode(), b"0123456789abcdef"))
    with pytest.raises(UsageError, match=r"begun with another state of the chatsys code \(0123456789abcdef, here "):
        Results(path, SHORT)


def test_a_class_is_another_one_when_anything_it_imports_from_its_folder_changed(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    for name, text in {
        "my.py": "import helper\nfrom tables.second import two\n",
        "helper.py": "def late():\n    import deep\n",
        "deep.py": "one = 1\n",
        "tables/__init__.py": "from . import first\n",
        "tables/first.py": "",
        "tables/second.py": "two = 2\n",
        "other.py": "nobody imports this",
    }.items():
        (tmp_path / name).write_text(text)
    seen = [digest_part(tmp_path / "my.py")]
    (tmp_path / "other.py").write_text("still nobody")
    assert digest_part(tmp_path / "my.py") == seen[0]
    for name in ("helper.py", "deep.py", "tables/__init__.py", "tables/first.py", "tables/second.py", "my.py"):
        (tmp_path / name).write_text((tmp_path / name).read_text() + "# changed\n")
        seen.append(digest_part(tmp_path / "my.py"))
    assert len(set(seen)) == len(seen)
    (tmp_path / "my.py").write_text("no program (")
    assert digest_part(tmp_path / "my.py") not in seen


def test_the_command_refuses_results_of_an_older_class(run: Run, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("late = 1\n")
    (tmp_path / "my.py").write_text(
        "from chatsys.protocol.election import Bully\n\n\nclass Mine(Bully):\n"
        '    def later(self) -> None:\n        __import__("helper")\n'
    )
    part = f"election={tmp_path / 'my.py'}:Mine"
    words = ("simulate", "--seeds", "0:1", "--seconds", 2, "--calm", 1, "--jobs", 1, "--part", part)
    options = (*words, "--resume", tmp_path / "kept.jsonl")
    assert run(*options)[0] in (0, 3)
    assert "1 of 1 schedules were played before" in run(*options)[2]
    (tmp_path / "helper.py").write_text("late = 2\n")
    refused(run(*options), f"was begun with {part} ")


def test_one_process_at_a_time_has_the_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Results(path, SHORT):
        with pytest.raises(UsageError, match="in use by another process; wait until it ends, or give another name"):
            Results(path, SHORT)
        refused(run("simulate", "--seeds", "0:1", "--resume", path), "is in use by another process")
    Results(path, SHORT).close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_is_a_sentence_and_what_was_kept_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    words = [sys.executable, "-m", "chatsys", "simulate", "--seeds", "0:8", "--seconds", "2", "--calm", "1"]
    command = f"ulimit -f 2; exec {' '.join(words)} --jobs 1 --resume {path}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert "results.jsonl cannot be written: File too large: " in ended.stderr
    assert "What is in it is kept; raise the limit, then give the same command again" in ended.stderr
    kept = path.read_bytes().count(b"\n") - 1
    with Results(path, plan_of(path)) as found:
        assert 0 < kept == len(found.done)


@pytest.mark.skipif(sys.platform == "win32", reason="needs devices that are files")
@pytest.mark.parametrize("device", ["/dev/null", "/dev/full", "."])
def test_what_is_no_ordinary_file_is_refused(run: Run, device: str) -> None:
    refused(run("simulate", "--seeds", "0:1", "--resume", device), "is no ordinary file; give another name")


def test_the_command_goes_on_where_it_was_stopped(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    options = ("simulate", "--seconds", "4", "--calm", "1", "--talk", "0.5", "--jobs", "1", "--json", "--resume", path)
    command = [sys.executable, "-m", "chatsys", *map(str, options), "--seeds", "0:100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 30
        while (not path.exists() or path.read_bytes().count(b"\n") < 4) and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(30) == 130
        finally:
            process.kill()
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
    quiet, loud = (run_seed(2, Plan(seconds=5, calm=3, talk=talk)) for talk in (0.5, 4.0))
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
