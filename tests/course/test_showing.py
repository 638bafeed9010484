"""What a student sees after a mistake: `show` opens the run at the first wrong call, and each violation says how to go on.

A class is tried in this process, which is quicker than in one of its own; a line is run where it was shown.
"""

import re
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from trials import TestTrial

import chatsys
from chatsys import Run, World, timeline, why, why_not
from chatsys.campaign.reproduction import Case
from chatsys.check import Violation, check
from chatsys.config import ClusterConfig
from chatsys.errors import UsageError
from chatsys.faults import Script
from chatsys.isolation.remote import Gone
from chatsys.mutants.schedules import play as play_schedule
from chatsys.protocol.ordering import Receiver
from chatsys.teach import scenarios, show
from chatsys.teach.grading import grader
from chatsys.teach.grading.grader import find_lab
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.grading.lab import Exercise, Grade, Lab
from chatsys.teach.grading.playing import MORE, PlayedGrade
from chatsys.teach.grading.playing import play as play_grade
from chatsys.teach.labs.lab03.runs import arrivals_of
from chatsys.trace import Record, trace_of

COURSE = Path(__file__).parents[2] / "labs"


def played(exercise: Exercise, answer: type, count: int = 12) -> PlayedGrade:
    """Return what `show` shows of the first run in which this answer was wrong."""
    found = next(one for one in exercise.judge(TestTrial(answer, exercise), range(count)) if one.trace is not None)
    told = Grade(
        question=exercise.number, verdict="fail", points=0, possible=1, sentence=found.sentence, seed=found.seed,
        trace=found.trace, steps=found.steps, figure=exercise.figure, lost=(found.aspect,),
    )  # fmt: skip
    return play_grade(told)  # type: ignore[no-any-return]


def lab_of(number: str) -> Lab:
    lab = find_lab(number[:1].zfill(2))
    assert lab is not None
    return lab


def exercise_of(number: str) -> Exercise:
    return next(one for one in lab_of(number).exercises if one.number == number)


class IfForWhile:
    def __init__(self, first: int = 1) -> None:
        self.due, self.waiting = first, dict[int, Any]()

    def receive(self, number: int, message: Any) -> list[Any]:
        if number >= self.due:
            self.waiting[number] = message
        if self.due in self.waiting:
            self.due += 1
            return [self.waiting.pop(self.due - 1)]
        return []


class DropsOnDuplicate(IfForWhile):
    def receive(self, number: int, message: Any) -> list[Any]:
        if self.waiting.pop(number, None) is not None:
            return []
        found = super().receive(number, message)
        while found and self.due in self.waiting:
            found.append(self.waiting.pop(self.due))
            self.due += 1
        return found


class AtOnce(IfForWhile):
    def receive(self, number: int, message: Any) -> list[Any]:
        return [message]


# --- show: a run that went wrong --------------------------------------------------------------


@pytest.mark.parametrize("answer", [IfForWhile, DropsOnDuplicate, AtOnce])
def test_the_timeline_of_a_queue_begins_where_the_message_of_the_first_wrong_call_came(answer: type) -> None:
    shown = played(exercise_of("3.1"), answer)
    [wrong] = [step for step in shown.grade.steps if step.wrong]
    opened, records = shown.timeline, shown.timeline.packed.records  # type: ignore[union-attr]
    came = records[opened.event]  # type: ignore[union-attr]
    assert (came.kind, came.message, came.node, came.time) == ("receive", "ORDERED", wrong.node, wrong.time)
    assert wrong.call.startswith(f"receive(#{came.seq},")
    lit = [records[at] for at in opened.lit]  # type: ignore[union-attr]
    then = [one.seq for one in lit if one.kind == "deliver" and one.time == came.time]
    assert [f"#{number}" for number in then] == re.findall(r"#\d+", wrong.returned), "what the class did is lit"
    assert {one.seq for one in lit if one.kind == "receive"} >= set(map(int, re.findall(r"#(\d+)", wrong.expected)))
    assert any(one.kind == "send" and one.id == came.id for one in lit), "the whole arrow is"
    assert wrong.call in opened.said and wrong.expected in opened.said  # type: ignore[union-attr]


def test_a_message_that_was_still_on_its_way_is_followed_to_its_end() -> None:
    class Early(IfForWhile):
        def receive(self, number: int, message: Any) -> list[Any]:
            return [message] if number not in self.waiting and not self.waiting.update({number: 1}) else []

    shown = played(exercise_of("3.1"), Early)
    [wrong] = [step for step in shown.grade.steps if step.wrong]
    skipped = min(set(wrong.about) - set(map(int, re.findall(r"#(\d+)", wrong.call))))
    opened = shown.timeline
    assert opened is not None
    later = [opened.packed.records[at] for at in opened.lit if at > opened.event]
    assert any(one.seq == skipped and one.kind in ("receive", "drop") and one.message == "ORDERED" for one in later)


@pytest.mark.parametrize("number", ["3.1", "3.2", "4.1", "5.1"])
def test_every_mistake_that_leaves_a_run_is_opened_at_its_node_and_never_after_its_call(number: str) -> None:
    exercise = exercise_of(number)
    mistakes = list(read_keys(COURSE, lab_of(number)).mistakes[number].values())
    opened = 0
    for mistake in mistakes[:6]:
        try:
            shown = played(exercise, mistake.cls, 4 if number == "5.1" else 1)
        except (StopIteration, Gone):  # there is no run of it, or it does not end
            continue
        wrong = next((step for step in shown.grade.steps if step.wrong), None)
        if wrong is None or wrong.time is None or shown.timeline is None:
            continue
        records, event = shown.timeline.packed.records, shown.timeline.event
        assert records[event].node == wrong.node and records[event].time <= wrong.time + 1e-6
        later = [one for one in records[event + 1 :] if one.node == wrong.node and one.time < wrong.time - 1e-6]
        assert not later, "it is the last one before the call"
        assert event in shown.timeline.lit and wrong.call in shown.timeline.said
        opened += 1
    assert opened >= 2


def test_without_a_front_end_it_is_a_picture_with_what_is_lit_and_a_table_with_a_line_to_the_page() -> None:
    shown = played(exercise_of("3.1"), IfForWhile)
    assert shown.timeline is not None
    svg = shown.timeline._repr_mimebundle_()["image/svg+xml"]
    lit = [one for one in ElementTree.fromstring(svg).iter() if "lit" in one.get("class", "").split()]
    assert {one.get("data-kind") for one in lit} >= {"hold", "deliver"} and 'class="cursor"' in svg
    assert repr(shown).endswith('show("3.1").timeline.save_html("run.html") writes this run as a page to scrub.')


# --- show: a run without a fault --------------------------------------------------------------


def test_a_class_that_is_right_is_played_once_more_and_opened_at_the_longest_queue() -> None:
    class Right(DropsOnDuplicate):
        def receive(self, number: int, message: Any) -> list[Any]:
            self.waiting.pop(number, None)
            return super().receive(number, message)

    exercise = exercise_of("3.1")
    done = Grade(question="3.1", verdict="pass", points=14, possible=14, sentence="All is well.", figure="queue_length")
    assert exercise.run is not None
    shown = play_grade(done, lambda: exercise.run(Right))  # type: ignore[misc]
    opened = shown.timeline
    assert opened.said == MORE and opened.lit == []
    assert longest(opened.packed.records) == opened.event


def longest(records: list[Record]) -> int:
    """Return the first event at which most messages waited at one node, counted anew."""
    waiting: dict[Any, set[Any]] = {}
    counts = []
    for record in records:
        here = waiting.setdefault(record.node, set())
        (here.add if record.kind == "hold" else here.discard)(record.seq) if record.kind in (
            "hold",
            "deliver",
        ) else None
        counts.append(len(here))
    return counts.index(max(counts))


def test_only_the_newest_grade_of_a_right_class_has_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    done = Grade(question="3.1", verdict="pass", points=14, possible=14, sentence="All is well.")
    monkeypatch.setitem(grader._newest, "3.1", done)
    monkeypatch.setitem(grader._right, "3.1", lambda: World(1))
    assert isinstance(show(done), PlayedGrade) and isinstance(show("3.1"), PlayedGrade)
    older = Grade(question="3.1", verdict="pass", points=14, possible=14, sentence="All was well.")
    assert repr(show(older)) == "Nothing went wrong in 3.1, so there is no run to show."


# --- a violation, and the lines to go on from it ----------------------------------------------


@pytest.fixture(scope="module")
def broken() -> World:
    """A world in which two leaders of a quorum that is none went on."""
    world = World(2, quorum=1)
    world.run(2)
    world.partition({3}, {1, 2})
    world.say("left", node=3)
    world.run(4)
    return world


def notebook(monkeypatch: pytest.MonkeyPatch, **names: Any) -> dict[str, Any]:
    """Let these names be those of the notebook, and return its namespace."""
    main = ModuleType("__main__")
    vars(main).update(names)
    monkeypatch.setitem(sys.modules, "__main__", main)
    return vars(main)


def pasted(text: str, names: dict[str, Any]) -> tuple[Any, Any]:
    """Run the two lines in `text`, as somebody does who pastes them; return the timeline and the answer."""
    opening, asking = (
        line.strip() for said, line in pairwise(text.splitlines()) if said.startswith("  This line ")
    )  # fmt: skip
    return run_line(opening, names), run_line(asking, names)


def run_line(line: str, names: dict[str, Any]) -> Any:
    *first, last = line.split("; ")
    exec("; ".join(first), names)
    return eval(last, names)


def is_opened_at(opened: Any, found: Violation) -> bool:
    record = opened.packed.records[opened.event]
    assert opened.event in opened.lit and opened.said == found.plain
    return (record.time, record.kind, record.node) == (
        found.time, found.records[-1].kind, found.records[-1].node
    )  # fmt: skip


NAMES = {"check": check, "timeline": timeline, "why": why}
WAYS: list[tuple[str, Callable[[World], dict[str, Any]]]] = [
    ("check(world)", lambda world: {"world": world, **NAMES}),
    ("check(world.trace)", lambda world: {"world": world, **NAMES}),
    ("cs.check(mine)", lambda world: {"mine": world, "cs": chatsys}),
    ("found", lambda world: {"found": check(world), "t": world.trace, "cs": chatsys}),
    ("one", lambda world: {"one": check(world)[1], "my_run": world}),
    ("check(world)[1]", lambda world: {"world": world, "check": check}),
    ("demo", lambda world: {"demo": scenarios.play("split-brain", quorum=1), **NAMES}),
    ("demo.violations[1]", lambda world: {"demo": scenarios.play("split-brain", quorum=1), "cs": chatsys}),
    ("played.violation", lambda world: {"played": play_schedule("C1", flawed=True), "world": world}),
]
"""What stands in a cell, and what students may call things."""


@pytest.mark.parametrize(("cell", "names"), WAYS)
def test_the_lines_below_a_violation_run_where_they_are_shown(
    cell: str, names: Callable[[World], dict[str, Any]], broken: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from IPython.lib.pretty import pretty

    here = notebook(monkeypatch, **names(broken))
    value = eval(cell, here)
    text = pretty(value)  # type: ignore[no-untyped-call]
    found = value if isinstance(value, Violation) else getattr(value, "violations", value)[0]
    assert found.sentence in text
    before = {name for name in here if not name.startswith("_")}
    opened, answer = pasted(text, here)
    assert is_opened_at(opened, found)
    assert str(answer).startswith(f"{found.plain} Exactly: {found.sentence}")
    assert {name for name in here if not name.startswith("_")} <= before | {"cs"}, "a line takes nobody's name"
    if hasattr(value, "_repr_html_"):
        shown = re.findall("<code>(.*?)</code>", value._repr_html_().replace("&quot;", '"'))
        assert len(shown) == 2 and all(line in text for line in shown)


def test_where_the_run_has_no_name_the_lines_say_world(broken: World, monkeypatch: pytest.MonkeyPatch) -> None:
    found = check(broken)[0]
    notebook(monkeypatch, other=World(1), timeline=timeline, why=why)
    assert "timeline(world, violation)" in found._repr_html_() and "why(world, violation)" in found._repr_html_()


def test_of_a_run_that_held_there_is_nothing_to_go_on_from() -> None:
    found = check(World(1))
    assert found == [] and "timeline" not in found._repr_html_()


def test_a_violation_of_another_run_is_refused_in_a_sentence(broken: World) -> None:
    with pytest.raises(UsageError, match="S1 was broken in another one"):
        timeline(World(1), check(broken)[0])
    with pytest.raises(UsageError, match=r"event is 'S1'; give the index .* or a violation"):
        timeline(broken, "S1")  # type: ignore[arg-type]


class Stops(Receiver):
    """A part that breaks its promise when it hears a message."""

    def on_message(self, sender: Any, message: Any, now: float) -> Any:
        if now > 2:
            raise ValueError("not again")
        return super().on_message(sender, message, now)


def test_the_lines_below_a_shrunk_story_run_after_its_own() -> None:
    cases = [
        (Case(seed=2, script=Script([(2.0, "partition", {3}, {1, 2}), (2.0, "say", "left", 3)]),
              config=ClusterConfig.of(3, quorum=1)), "S1"),
        (Case(seed=1, script=Script([(1.0, "say", "first")]), config=ClusterConfig.of(3), parts={"receiver": Stops}),
         "broken"),
    ]  # fmt: skip
    for case, rule in cases:
        found = case.fails(rule)
        assert found is not None
        here: dict[str, Any] = {"Stops": Stops}
        exec(re.sub("from .* import Stops", "", case.code(found)), here)
        opening, asking = case.ask(found).splitlines()
        opened, answer = run_line(opening, here), run_line(asking, here)
        record = opened.packed.records[opened.event]
        assert abs(record.time - found.time) < 0.26 and opened.said == found.plain
        assert record.kind == (found.records[-1].kind if found.records else "broken")
        assert found.sentence in str(answer)


# --- whatever has a run -----------------------------------------------------------------------


def test_whatever_a_student_has_of_a_run_is_taken_as_it_is(broken: World, tmp_path: Path) -> None:
    shown = played(exercise_of("3.1"), IfForWhile)
    has_world = SimpleNamespace(world=broken)
    has_cluster = SimpleNamespace(cluster=broken)
    for given in (broken, broken.trace, Run.load(broken.save(tmp_path / "a.run")), scenarios.play("normal"),
                  play_schedule("C1"), shown, shown.grade, has_world, has_cluster):  # fmt: skip
        assert timeline(given).packed.records == list(trace_of(given).in_order())
    number = next(arrival.number for arrival in arrivals_of(0)[0])
    assert str(why(shown, number, node=1)) == str(why(shown.grade, number, node=1))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "NoneType has no trace; give a trace"),
        (World, "World is a class and has no trace; give an object"),
        ("a.run", "A saved run is read by Run.load"),
        ([World(1), World(2)], "give one run at a time, not a list of 2"),
        (Violation(invariant="S1", sentence="S1 was broken.", time=1.0), "give the run first, and this second"),
        (Grade(question="3.3", verdict="fail", points=0, possible=1, sentence="No."), "This Grade has no trace"),
        (PlayedGrade(Grade(question="3.3", verdict="fail", points=0, possible=1, sentence="No.")), "3.3 has no run"),
    ],
)
def test_what_has_no_run_gets_one_sentence(given: Any, said: str) -> None:
    for door in (timeline, lambda one: why(one, 1), lambda one: why_not(one, 1)):
        with pytest.raises(UsageError, match=said):
            door(given)
