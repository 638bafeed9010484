"""Somebody's own class in many schedules: what cannot be repeated is told by line, and nothing stops the batch."""

import json
import os
import random
import secrets
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typed import Run, refused

from chatsys.errors import UsageError
from chatsys.protocol.effects import Note
from chatsys.protocol.election import Bully
from chatsys.sim.determinism import check_determinism
from chatsys.sim.guarded import guarded_sweep, usual_limit
from chatsys.sim.suspects import _Sets, files_of
from chatsys.sim.sweep import Plan, sweep

SHORT = Plan(seconds=3, calm=1, kinds=())
SEEN: list[Any] = []


class Fine(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        for node in sorted({"c", "a", "b"}):
            self.first = (node, self.random.random(), random.Random(7).random(), time.strftime)
        return super().on_message(sender, message, now)


class ReadsTheClock(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        self.seen = (time.time(), datetime.now())  # line 42
        return super().on_message(sender, message, now)


class Rolls(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        random.choice([1, 2])  # line 48
        random.Random()
        uuid.uuid4()
        os.urandom(4)
        secrets.token_hex(4)
        return super().on_message(sender, message, now)


class Keeps(Bully):
    count = 0  # line 57

    def on_message(self, sender: Any, message: Any, now: float, seen: list[Any] = []) -> list[Any]:  # noqa: B006
        SEEN.append(sender)
        seen.append(sender)
        Keeps.count += 1
        return super().on_message(sender, message, now)


class GoesThroughASet(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        names = {"ann", "bob", "eve", "joe"}
        note = Note("membership", reason=" ".join(names))  # line 69
        return [note, *super().on_message(sender, message, now)]


class Hangs(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        while now > 0:
            self.turns = 1
        return super().on_message(sender, message, now)


class Dies(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        if now > 0:
            os._exit(7)
        return super().on_message(sender, message, now)


class Leaves(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        print("this must not reach stdout")
        if now > 0:
            raise SystemExit("I quit")
        return super().on_message(sender, message, now)


def line_of(words: str) -> int:
    """Return the line of this file in which `words` stand first."""
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if words in line)


def warnings(kind: type) -> list[str]:
    return check_determinism({"election": kind}, 1, SHORT)


def test_a_class_that_keeps_the_rules_gets_no_warning() -> None:
    assert warnings(Fine) == []


def test_the_clock_is_named_with_its_line_and_with_what_to_use() -> None:
    line = f"test_determinism.py, line {line_of('time.time(), datetime')}"
    assert warnings(ReadsTheClock) == [
        f"{line} calls {call}(): a run with it cannot be repeated; use `now`, which every door is given."
        for call in ("time.time", "datetime.now")
    ]


def test_every_kind_of_foreign_chance_is_named() -> None:
    line = line_of("random.choice([1, 2])")
    found = warnings(Rolls)
    for offset, call in enumerate(("random.choice", "random.Random", "uuid.uuid4", "os.urandom", "secrets.token_hex")):
        assert any(f"line {line + offset} calls {call}(): " in one and "`self.random" in one for one in found), call


def test_what_is_kept_outside_of_self_is_named() -> None:
    found = warnings(Keeps)
    for line, name in ((line_of("SEEN: list"), "SEEN"), (line_of("count = 0"), "Keeps.count")):
        assert any(f"line {line}: {name} is shared by all nodes" in one and "`__init__`" in one for one in found), name
    assert any("on_message is shared by all nodes" in one for one in found), "a default value that changes"


def test_a_set_whose_order_matters_is_named() -> None:
    line = line_of('" ".join(names)')
    assert warnings(GoesThroughASet) == [
        f"test_determinism.py, line {line} goes through a set, whose order is never the same; use sorted(...)."
    ]


@pytest.mark.parametrize(
    "code, lines",
    [
        ("for x in {1, 2}: pass", [1]),
        ("s = set()\nfor x in sorted(s): pass\nlist(s)\ns.pop()", [3, 4]),
        ("s: set[int] = f()\na = [x for x in s]\nb = {x for x in s}\nc = sum(x for x in s)", [2]),
        ("self.seen = set(a) | b\nnext(iter(self.seen))\nmax(self.seen)", [2]),
        ("def f(names: set[str]):\n    return (*names,)", [2]),
        ("s = [1]\nfor x in s: s.pop()", []),
    ],
)
def test_loops_over_sets_are_read_from_the_source(code: str, lines: list[int]) -> None:
    import ast

    assert sorted(set(_Sets(ast.parse(code)).lines())) == lines


def test_a_class_that_never_ends_is_no_answer_to_whether_it_repeats() -> None:
    found = check_determinism({"election": Hangs}, 1, SHORT, limit=3)
    assert found == ["Whether runs can be repeated is not known: seed 1 did not end within 3 s."]
    assert warnings(Leaves) == ["Whether runs can be repeated is not known: seed 1 raised SystemExit: I quit."]
    assert warnings(Dies) == ["Whether runs can be repeated is not known: the process that played seed 1 died."]


# --- the batch ----------------------------------------------------------------------------------


@contextmanager
def quick() -> Iterator[None]:
    """What is done inside takes less than a minute."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 60


def test_a_guarded_sweep_gives_the_results_of_a_sweep() -> None:
    parts = {"election": Fine}
    assert list(guarded_sweep(range(5), SHORT, parts, jobs=2)) == list(sweep(range(5), SHORT, parts=parts))
    assert usual_limit(Plan()) > 10
    with pytest.raises(UsageError, match="more than 0 seconds"):
        list(guarded_sweep(range(2), SHORT, parts, limit=0))


def test_what_hangs_is_named_with_its_line_and_the_batch_ends() -> None:
    with quick():
        results = list(guarded_sweep(range(6), SHORT, {"election": Hangs}, jobs=2, limit=1))
    assert [result.seed for result in results] == list(range(6))
    line = line_of("while now > 0:")
    where = [
        f"It did not end within 1 s; it hung in test_determinism.py, line {line + more}, in on_message"
        for more in (0, 1)
    ]
    hung = [result.inconclusive for result in results if result.inconclusive.startswith(tuple(where))]
    assert len(hung) >= 3 and results[-1].inconclusive.startswith("It was not played, for ")
    assert files_of({"election": Hangs}) == {__file__}


def test_what_ends_the_process_costs_one_seed_each() -> None:
    dead = list(guarded_sweep(range(2), SHORT, {"election": Dies}))
    assert {result.inconclusive for result in dead} == {"The process that played it ended with code 7."}
    left = list(guarded_sweep(range(2), SHORT, {"election": Leaves}))
    assert all("stopped by SystemExit: I quit (test_determinism.py, line " in one.inconclusive for one in left)


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
