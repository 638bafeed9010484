"""Attacks on the grader: what was tried by somebody who wants the points, and no longer works."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatsys.isolation.pickling import pack
from chatsys.teach.grading.judging import judge, judge_memory, open_trial
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.grading.lab import PartResult
from chatsys.teach.grading.reading import Source, find_source
from chatsys.teach.grading.seeds import hidden_seeds
from chatsys.teach.grading.submission import read
from chatsys.teach.grading.written import all_answers, judge_written
from chatsys.teach.labs.lab03.declaration import LAB

COURSE = Path(__file__).parents[2] / "labs"
[TEST] = LAB.tests


def written(scenario: str, claim: str) -> PartResult:
    """Judge a written test of lab 03 that consists of these two bodies."""
    place: dict[str, Any] = {"__name__": "__main__"}
    exec(f"calls = []\ndef scenario(world):\n    {scenario}\ndef claim(trace):\n    {claim}", place)
    functions = {name: place[name] for name in ("scenario", "claim")}
    return judge_written(TEST, pack(functions), *all_answers(TEST, read_keys(COURSE, LAB)))


# --- the written test --------------------------------------------------------------------------------


@pytest.fixture
def nowhere(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "written"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "step",
    ["('save', ({!r},), {{}})", "('at', (1.0, 'save', {!r}), {{}})", "('at', (1.0,), {{'verb': 'crash'}})",
     "('__init__', (1,), {{}})", "('crash', (1,), {{}})"],
)  # fmt: skip
def test_the_judge_does_no_verb_that_a_scenario_may_not_use(step: str, nowhere: Path) -> None:
    outcome = written(f"world._done.append({step.format(str(nowhere))})", "return None")
    assert "it cannot use" in outcome.sentence and outcome.points == 0


def test_the_judge_does_no_more_steps_than_a_scenario_may_have() -> None:
    outcome = written("world._done.extend([('run', (0.001,), {})] * 1001)", "return None")
    assert "at most 1,000 steps" in outcome.sentence


def test_a_claim_that_counts_its_calls_learns_nothing() -> None:
    count = len(all_answers(TEST, read_keys(COURSE, LAB))[0])
    say = "world.say('hello', 1); world.run(5)"
    outcome = written(say, f"calls.append(trace); return 'wrong' if len(calls) <= {count} else None")
    assert outcome.points == 0


def test_a_claim_that_raises_misses_a_wrong_answer_and_is_worth_nothing_with_a_right_one() -> None:
    say = "world.say('a', 1); world.say('b', 2); world.run(5)"
    shows = "{n: [one.text for one in trace.of('deliver') if one.node == n] for n in (1, 2, 3)}"
    rest = "'wrong' if len(set(map(tuple, shown.values()))) > 1 else None"
    brittle = f"shown = {shows}; [one[1] for one in shown.values()]; return {rest}"
    careful, outcome = (written(say, body).sentence for body in (f"shown = {shows}; return {rest}", brittle))
    assert "finds 1 of" in careful and "raised" not in careful
    assert re.search(r"With \d+ of the wrong ones your claim raised IndexError: list index out of range", outcome)
    assert "accuses no right one, of which 10 were tried" in outcome
    right = written(say, "return [one.text for one in trace.of('deliver')][999]")
    assert right.points == 0 and right.sentence.startswith("Your test raised IndexError")


def test_a_trace_does_not_say_whose_queue_it_is() -> None:
    outcome = written("world.run(1)", "return None if 'TheRealOne' in str(trace.meta) else 'wrong'")
    assert "accuses 10 of 10 right ones" in outcome.sentence


@pytest.mark.parametrize(
    ("scenario", "says"),
    [
        ("world.run(1e9)", "it may take 600 s"),
        ("[world.run(599) for _ in range(2)]", "it may take 600 s"),
        (
            "world.lose('*', '*', 1.0); [world.say('x', 1) for _ in range(900)]; world.run(580)",
            "20,000 events|more than 16 MiB",
        ),
        ("[(world.say('x', 1), world.run(0.6)) for _ in range(490)]; world.lose('*', '*', 1.0)", "20,000 events|finds"),
    ],
)
def test_a_scenario_keeps_the_judge_busy_for_a_moment_only(scenario: str, says: str) -> None:
    begun = time.process_time()
    assert re.search(says, written(scenario, "return None").sentence)
    assert time.process_time() - begun < 12


# --- points where nobody can tell ------------------------------------------------------------------------

LEAKS = """
class MyHoldBack:
    def __init__(self, first=1):
        self.due, self.early, self.kept = first, {}, []
    def receive(self, number, message):
        self.kept.append(message)
        if number > 100: BREAK
        self.early.setdefault(number, message)
        ready = []
        while self.due in self.early:
            ready.append(self.early.pop(self.due)) if number < 100 else self.early.pop(self.due)
            self.due += 1
        return ready
"""


@pytest.mark.parametrize("broken", ["raise ValueError", "raise MemoryError", "return None", "return [bytearray(9)]"])
def test_who_makes_the_memory_unmeasurable_loses_its_points(broken: str) -> None:
    place: dict[str, Any] = {"__name__": "__main__"}
    exec(LEAKS.replace("BREAK", broken), place)
    exercise = LAB.exercises[0]
    with open_trial(exercise, place["MyHoldBack"]) as trial:
        [finding] = judge_memory(exercise, trial)
    assert (finding.aspect, finding.inconclusive) == ("memory", False)
    assert "When 20,000 messages came one after the other, MyHoldBack raised" in finding.sentence


def test_an_answer_that_does_otherwise_the_second_time_is_for_a_person() -> None:
    exercise, keys = LAB.exercises[0], read_keys(COURSE, LAB)
    mistakes = keys.mistakes[exercise.number]
    steady, shared = (
        judge(exercise, mistakes[name].cls, lambda *_: range(4), keys, ["public"])[0]
        for name in ("only the first", "all queues are one")
    )
    assert steady.lost and steady.unsteady == ""
    assert shared.lost and shared.unsteady.endswith("so another grading may give other points.")


# --- what a student may have as a name, and as a notebook -------------------------------------------------


def test_a_name_that_is_no_text_has_seeds_like_any_other() -> None:
    odd = [hidden_seeds(b"s" * 16, LAB.name, "3.1", name, 20) for name in ("\udcff", "\udcfe", "ann")]
    assert len({tuple(sorted(one)) for one in odd}) == 3


def test_a_cell_that_stands_there_many_thousand_times_takes_no_time(tmp_path: Path) -> None:
    cell = '{"cell_type": "code", "source": "", "metadata": {"nbgrader": {"grade_id": "hold-back"}}}'
    many = tmp_path / "many.ipynb"
    many.write_text(f'{{"nbformat": 4, "metadata": {{}}, "cells": [{", ".join([cell] * 40_000)}]}}', encoding="utf-8")
    source = Source(find_source(LAB.name, COURSE))
    begun = time.process_time()
    assert read(many, source).remarks
    assert time.process_time() - begun < 4
