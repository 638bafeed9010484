"""Somebody's own class in many schedules: what cannot be repeated is told by line, and nothing stops the batch."""

import json
import linecache
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typed import Run, refused
from unrepeatable import (
    Counts,
    CountsInAGenerator,
    Dies,
    Fine,
    GoesThroughAnotherOnes,
    GoesThroughASet,
    Hangs,
    Keeps,
    KnowsWhoItIs,
    Leaves,
    ReadsTheClockAndRolls,
    line_of,
)

from chatsys.actor.effects import Note
from chatsys.campaign.determinism import check_determinism
from chatsys.campaign.one_seed import Plan
from chatsys.campaign.steps import parting, plain
from chatsys.campaign.sweep import guarded_sweep, sweep, usual_limit
from chatsys.errors import UsageError

SHORT = Plan(seconds=3, calm=1, kinds=())


def warnings(kind: type) -> list[str]:
    return check_determinism({"election": kind}, 1, SHORT)


def test_a_class_that_keeps_the_rules_gets_no_warning() -> None:
    assert warnings(Fine) == []


def test_the_clock_and_every_kind_of_foreign_chance_are_named_with_their_lines_and_with_what_to_use() -> None:
    found = warnings(ReadsTheClockAndRolls)
    line = f"unrepeatable.py, line {line_of('time.time(), datetime')}"
    assert found[:2] == [
        f"{line} calls {call}(): a run with it cannot be repeated; use `now`, which every door is given."
        for call in ("time.time", "datetime.now")
    ]
    rolls, told = line_of("random.choice([1, 2])"), found[2:]
    for offset, call in enumerate(("random.choice", "random.Random", "uuid.uuid4", "os.urandom", "secrets.token_hex")):
        assert any(f"line {rolls + offset} calls {call}(): " in one and "`self.random" in one for one in told), call
    assert not any("`now`" in one for one in told)


def test_what_is_kept_outside_of_self_is_named_wherever_it_is() -> None:
    found = warnings(Keeps)
    for words, name in (
        ("SEEN: list", "SEEN"),
        ("COUNTS = ", "COUNTS"),
        ("count = 0", "Keeps.count"),
        ("_names: list", "Keeps._names"),
        ("__mine: list", "Keeps.__mine"),
        ("def on_message(self, sender: Any, message: Any, now: float, seen", "what Keeps.on_message() keeps"),
        ("def follow(self", "what Keeps.follow() keeps"),
        ("def lead(self", "what Keeps.lead() keeps"),
        ("def bump(self", "what counter.bump() keeps"),
    ):
        said = f"unrepeatable.py, line {line_of(words)}: {name} is shared by all nodes"
        assert any(one.startswith(said) and "begin it in `__init__`" in one for one in found), (name, found)
    assert len(found) == 9, found


def test_a_set_whose_order_matters_is_named_and_one_that_adds_up_is_not() -> None:
    said = "goes by the order of a set, or by hash(), which are never the same; use sorted(...)."
    for kind, words in ((GoesThroughASet, '" ".join(names)'), (GoesThroughAnotherOnes, "[name.upper()")):
        assert warnings(kind) == [f"unrepeatable.py, line {line_of(words)} {said}"]


def test_what_no_seed_decides_is_told_from_the_order_of_a_set() -> None:
    said = "goes by something that no seed decides, such as an address in memory or the number of a process."
    assert warnings(KnowsWhoItIs) == [f"unrepeatable.py, line {line_of('os.getpid()')} {said}"]
    said = "goes by what an earlier run in the same process left; keep everything in `self`."
    assert warnings(CountsInAGenerator) == [f"unrepeatable.py, line {line_of('next(NUMBERS)')} {said}"]


def test_runs_part_where_a_turn_first_ends_in_another_way() -> None:
    begin, end = ("a.py", 0, 7), ("a.py", -1, 7)
    one = [begin, ("a.py", 3, 1), ("a.py", 4, 2), end, begin, ("a.py", 3, 1), ("a.py", 5, 1), end]
    assert parting(one, one) is None
    equal_turn = [begin, ("a.py", 3, 9), ("a.py", 4, 2), end]
    assert parting(one, [*equal_turn, *one[4:]]) is None
    parting_turn = [begin, ("a.py", 3, 9), ("a.py", 5, 9), ("a.py", -1, 9)]
    assert parting(one, [*equal_turn, *parting_turn]) == ("a.py", 5), "line 3 differed before, and nothing came of it"
    assert parting(one, [("a.py", 0, 9), *one[1:3], ("a.py", -1, 9)]) is None, "the turn began otherwise already"


def test_a_value_can_be_compared_between_processes() -> None:
    assert plain({"b", "a"}) == plain({"a", "b"}) != plain({"a"})
    assert plain({"x": 1, "y": 2}) != plain({"y": 2, "x": 1}), "the order of a dict is its own"
    assert "0x" not in repr(plain([object(), Counts(), Note("hold")]))


def test_a_class_that_never_ends_is_no_answer_to_whether_it_repeats() -> None:
    unknown = "Whether runs can be repeated is not known: seed 1"
    (found,) = check_determinism({"election": Hangs}, 1, SHORT, limit=1)
    assert found.startswith(f"{unknown}: It did not end within 1 s; it hung in unrepeatable.py, line ")
    line = line_of('SystemExit("I quit")')
    assert warnings(Leaves) == [f"{unknown} raised SystemExit: I quit (unrepeatable.py, line {line})."]
    assert warnings(Dies) == [f"{unknown}: The process that played it ended with code 7."]


CELLS = """
import time
from chatsys.protocol.election import Bully
SEEN = []
class Keeps(Bully):
    EARLY = []
    def on_message(self, sender, message, now):
        SEEN.append(now)
        OLDER.append(now)
        self.EARLY.append(now)
        time.time()
        return super().on_message(sender, message, now)
class Hangs(Bully):
    def on_message(self, sender, message, now):
        while True: pass
"""


def test_classes_of_a_notebook_are_told_by_the_line_of_their_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook: Any = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", notebook)
    for number, source in enumerate(("OLDER = []\n", CELLS)):
        file = f"/tmp/ipykernel_17/{number}.py"
        monkeypatch.setitem(linecache.cache, file, (len(source), None, source.splitlines(keepends=True), file))
        exec(compile(source, file, "exec"), vars(notebook))
    clock, *kept = warnings(notebook.Keeps)
    assert clock.startswith("Your cell, line 11 calls time.time(): ")
    told = ("Your cell, line 4: SEEN is", "Your cell: OLDER is", "Your cell, line 6: Keeps.EARLY is")
    assert len(kept) == 3 and all(any(one.startswith(start) for one in kept) for start in told), kept
    (hung,) = check_determinism({"election": notebook.Hangs}, 1, SHORT, limit=1)
    assert "it hung in your cell, line 15, in on_message. " in hung


# --- the batch ----------------------------------------------------------------------------------


def test_a_guarded_sweep_gives_the_results_of_a_sweep() -> None:
    parts = {"election": Fine}
    assert list(guarded_sweep(range(5), SHORT, parts, jobs=2)) == list(sweep(range(5), SHORT, parts=parts))
    assert usual_limit(Plan()) > 10
    with pytest.raises(UsageError, match="more than 0 seconds"):
        list(guarded_sweep(range(2), SHORT, parts, limit=0))


def test_what_hangs_is_named_with_its_line_and_the_batch_ends() -> None:
    results = list(guarded_sweep(range(6), SHORT, {"election": Hangs}, jobs=2, limit=1))
    assert [result.seed for result in results] == list(range(6))
    line = line_of("while now > 0:")
    where = [
        f"It did not end within 1 s; it hung in unrepeatable.py, line {line + more}, in on_message" for more in (0, 1)
    ]
    hung = [result.inconclusive for result in results if result.inconclusive.startswith(tuple(where))]
    assert len(hung) >= 3 and results[-1].inconclusive.startswith("It was not played, for ")


def test_what_ends_the_process_costs_one_seed_each() -> None:
    dead = list(guarded_sweep(range(2), SHORT, {"election": Dies}))
    assert {result.inconclusive for result in dead} == {"The process that played it ended with code 7."}
    left = list(guarded_sweep(range(2), SHORT, {"election": Leaves}))
    assert all("stopped by SystemExit: I quit (unrepeatable.py, line " in one.inconclusive for one in left)


def test_the_command_warns_and_goes_on(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(
        "import time\nfrom chatsys.protocol.election import Bully\n\n\n"
        "class Late(Bully):\n    def on_message(self, sender, message, now):\n"
        "        print('hello')\n        self.at = time.time()\n        while now > 4:\n            pass\n"
        "        return super().on_message(sender, message, now)\n"
    )
    options = ("simulate", "--seeds", "0:2", "--seconds", 3, "--calm", 0, "--part", f"election={mine}:Late")
    code, out, _ = run(*options, "--json")
    result = json.loads(out)
    assert code == 0 and result["warnings"] == [
        "mine.py, line 8 calls time.time(): a run with it cannot be repeated; use `now`, which every door is given."
    ]
    code, out, _ = run(*options, "--seconds", 8, "--limit", 1, "--seeds", "1:3")
    assert code == 3 and "INCONCLUSIVE with seed 1: It did not end within 1 s; it hung in mine.py, line " in out
    assert "WARNING: Whether runs can be repeated is not known" in out
    refused(run(*options, "--limit", -1), "--limit")
