"""The mutation run itself: which small bugs it makes, how one is put in its place, and what the page of survivors says."""

import signal
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

import ledger
import mutation
import pytest
from changes import changes
from ledger import Ledger, core
from placing import NoChange, held, place
from survivors import PAGE, explained, row
from trying import HUNG, Tried, surely
from watching import computed

SOURCE = b'''"""A module."""

def may_commit(seq, commit, /, *, safe=True):
    """Tell it."""
    if seq <= commit and safe:
        raise ValueError("this is for people", "word")
    note(reason="so it is", seq=seq)
    return seq + 1
'''


def made(source: bytes) -> set[tuple[str, str]]:
    return {(one.before.strip(), one.after.strip()) for one in changes(source)}


def test_each_rule_makes_its_small_bug_and_texts_for_people_are_left_alone() -> None:
    found = made(SOURCE)
    assert {("<=", "<"), ("True", "False"), ("1", "2"), ("1", "0"), ("+", "-"), ("seq + 1", "None")} <= found
    whole = "seq <= commit and safe"
    assert {(whole, after) for after in ("True", "False", "((safe))", "((seq <= commit))")} <= found
    assert {('raise ValueError("this is for people", "word")', "pass"), (", seq=seq", "")} <= found
    assert not [before for before, _ in found if before in ('"this is for people"', '"so it is"', '"""Tell it."""')]
    assert all(compile(one.applied(SOURCE), "x", "exec") for one in changes(SOURCE))


def test_a_case_goes_and_each_thing_that_its_pattern_asks_for() -> None:
    source = b"def f(x):\n    match x:\n        case Ack(ok=True) | Nack():\n            return x\n        case Beat() if x:\n            return y\n"
    found = {after for _, after in made(source)}
    assert {"Ack(ok=True)", "Nack()", "Ack(ok=True) | Nack() if False", "True", "False"} <= found


def test_a_change_reaches_everybody_who_holds_the_function(tmp_path: Path) -> None:
    path = tmp_path / "small.py"
    path.write_text("class Fence:\n    def passes(self, term):\n        return term >= 3\n")
    space: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), space)
    mine = type("Mine", (space["Fence"],), {})()
    function = space["Fence"].__dict__["passes"]
    assert isinstance(function, FunctionType) and mine.passes(3)
    (boundary,) = [one for one in changes(path.read_bytes()) if one.after.strip() == ">"]
    place(boundary, path, path.read_bytes(), held({str(path)}))
    assert not mine.passes(3) and function(None, 4)
    with pytest.raises(NoChange):
        place(boundary, path, path.read_bytes(), {})


def test_a_row_of_the_page_is_read_as_it_was_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    key = ("Fence.check", "a or b -> ((a) \\| (b))", 1)
    page.write_text(
        f"## one.py\n\n| line | function | change | why |\n|---|---|---|---|\n{row(7, key, 'it is so')}\n\n## two.py\n"
    )
    assert explained("one.py", page) == {key: "it is so"} and explained("two.py", page) == {}


def test_every_survivor_on_the_page_is_a_change_of_the_code_as_it_is() -> None:
    for path in core():
        ledger = Ledger(path)
        gone = set(explained(ledger.name)) - set(ledger.changes)
        assert not gone, f"{PAGE.name} explains changes of {ledger.name} that cannot be made any more: {gone}"
    advice = "run python tests/mutation/mutation.py --lines"
    assert mutation.as_now() == PAGE.read_text(encoding="utf-8"), f"a survivor stands on another line; {advice}"
    assert "trying" in sys.modules, "the run is imported with the tests, so that it is checked"


def test_a_survivor_goes_on_with_the_next_seed_and_meets_the_tests_anew_when_they_have_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "FOLDER", tmp_path)

    path = next(one for one in core() if one.stem == "outbox")

    def left(seeds: int) -> dict[Any, Tried]:
        kept = Ledger(path)
        return {kept.keys[change]: before for change, before in kept.left([key], "seeds", seeds)}

    kept = Ledger(path)
    key = next(iter(kept.changes))
    assert left(20) == {key: Tried()}
    kept.keep(kept.changes[key], Tried(through=("tests", "schedules", "seeds"), seeds=20))
    assert left(20) == {} and left(300)[key].seeds == 20
    monkeypatch.setattr(ledger, "_everything", lambda: "other tests")
    assert set(left(20)[key].through) == {"schedules", "seeds"} and left(20)[key].seeds == 20
    monkeypatch.setattr(ledger, "_all_but_tests", lambda: "another core")
    assert left(20) == {key: Tried()}


@pytest.mark.slow
def test_a_process_that_sleeps_is_told_from_one_that_was_stopped_or_waits_for_its_turn() -> None:
    """Only who sleeps for long has hung: a load, or SIGSTOP, is no evidence that a change was noticed."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as reader:
        while (ticks := computed(reader.pid)) is None:
            pass  # it begins
        assert computed(reader.pid) == ticks
        reader.send_signal(signal.SIGSTOP)
        while computed(reader.pid) is not None:
            pass  # the signal is on its way
        reader.kill()
    assert computed(reader.pid) is None, "it has ended"


@pytest.mark.parametrize("by", ["tests/real/test_disk.py::test_one", f"tests/parts/test_log.py::test_one{HUNG}"])
def test_what_a_clock_on_the_wall_may_have_noticed_is_tried_twice(by: str) -> None:
    said = [Tried("tests", by), Tried(through=("tests",))]
    assert surely(lambda: said.pop(0)) == Tried(through=("tests",)) and not said
    at_once = [Tried("tests", "tests/parts/test_log.py::test_one")]
    assert surely(lambda: at_once.pop(0)).stage == "tests"
