"""Lab 03: what its judges say of a mistake, what its page shows, and what its written test can tell apart.

`test_lab_mould` tries every answer and every mistake of the keys, as it does for each lab; here a class is played in
this process, which is quicker.
"""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from trials import TestTrial

from chatsys.check import check
from chatsys.isolation.calls import Reply
from chatsys.teach import figures
from chatsys.teach.figures.waiting import find_plateaus
from chatsys.teach.grading import predictions, revealing
from chatsys.teach.grading.grader import grade
from chatsys.teach.grading.judging import outcome
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.grading.lab import Exercise, Grade, Kind, PartResult, ShownCall
from chatsys.teach.grading.playing import play as play_grade
from chatsys.teach.grading.recording import Recording
from chatsys.teach.grading.seeds import hidden_seeds
from chatsys.teach.grading.written import Score
from chatsys.teach.labs.lab03 import LAB, friends, play
from chatsys.teach.labs.lab03.numbering import posts_of
from chatsys.teach.labs.lab03.reading import Reading
from chatsys.teach.labs.lab03.runs import Arrival, arrivals_of
from chatsys.teach.labs.lab03.stage import Message
from chatsys.teach.scores import LINE

COURSE = Path(__file__).parents[2] / "labs"
KEYS = read_keys(COURSE, LAB)
HOLD_BACK, GAP_REQUEST, SEQUENCER = LAB.exercises
FEW = 12


def seeds_for(exercise: Exercise, kind: Kind, count: int = FEW, student: str = "ann") -> Any:
    if kind == "public":
        return range(count)
    return hidden_seeds(b"a secret for tests only", LAB.name, exercise.number, student, count)


def judged(
    exercise: Exercise, answer: type, count: int = FEW, student: str = "ann", search: bool = False
) -> dict[str, PartResult]:
    """Return what the judges of the lab and of its keys say, part by part; the engine's own, of memory, says nothing."""
    trial = TestTrial(answer, exercise)
    before: set[str] = set()
    found: dict[str, PartResult] = {}
    for part in [part for part in exercise.parts if search or part.kind != "search"]:
        seeds = seeds_for(exercise, part.kind, count, student)
        judges = [exercise.judge] if part.kind in ("public", "hidden") else []
        judges += [KEYS.extra[exercise.number]] if part.kind == "hidden" and exercise.number in KEYS.extra else []
        judges += [KEYS.judges[exercise.number, part.kind]] if (exercise.number, part.kind) in KEYS.judges else []
        findings = [finding for judge in judges for finding in judge(trial, seeds)]
        found[part.kind] = outcome(exercise, part, findings, before)
    return found


def right(number: str = "3.1") -> Any:
    return KEYS.answers[number]["reference"]


def wrong(name: str, number: str = "3.1") -> Any:
    return KEYS.mistakes[number][name].cls


# --- what the mould does not try -------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["delivers on receipt", "skips the gap", "a copy is known by its text", "old ones again"]
)
def test_the_story_is_the_same_for_other_students(name: str) -> None:
    mistake = KEYS.mistakes["3.1"][name]
    for student in ("bob", "eve"):
        sentence = judged(HOLD_BACK, mistake.cls, student=student)["hidden"].sentence
        assert re.search(mistake.says, sentence), sentence


class OnlyTheFirst:
    """Right once, and silent from then on."""

    def __init__(self, first: int = 1) -> None:
        self.calls = 0

    def receive(self, number: int, message: Any) -> list[Any]:
        return [message] if number == 1 else []

    def missing(self, newest: int) -> int | None:
        self.calls += 1
        return 1 if self.calls == 1 else None

    def order(self, origin: str, post: int, text: str) -> int | None:
        self.calls += 1
        return 1 if self.calls == 1 else None


@pytest.mark.parametrize("exercise", LAB.exercises, ids=lambda one: one.number)
def test_who_is_right_only_once_gets_at_most_a_tenth(exercise: Exercise) -> None:
    outcomes = judged(exercise, OnlyTheFirst, search=True).values()
    assert sum(one.points for one in outcomes) <= 0.1 * sum(one.possible for one in outcomes)


# --- what a judge says -----------------------------------------------------------------------


def test_the_call_that_did_it_is_named_and_the_first_wrong_one_is_marked() -> None:
    found = judged(HOLD_BACK, wrong("one at a time"))["public"].findings[0]
    said = re.search(
        r"when #(\d+) reached node \d at .* s, #(\d+) was ready, too; your queue returned (\[.*?\])", found.sentence
    )
    assert said is not None
    marked = [step for step in found.steps if step.wrong]
    assert len(marked) == 1
    assert marked[0].call.startswith(f"receive(#{said[1]}, ")
    assert marked[0].returned == said[3] and f"#{said[2]}" in marked[0].expected and f"#{said[2]}" in marked[0].waiting


def test_a_failed_run_is_shown_as_the_students_queue_played_it() -> None:
    from chatsys.trace import Trace

    found = judged(HOLD_BACK, wrong("skips the gap"))["public"].findings[0]
    assert found.trace is not None
    trace = Trace.decode(found.trace)
    number, lost = map(int, re.search(r"delivered #(\d+) without #(\d+)", found.sentence).groups())  # type: ignore[union-attr]
    node = int(re.search(r"node (\d)", found.sentence)[1])  # type: ignore[index]
    delivered = [record.seq for record in trace.of("deliver") if record.node == node]
    assert number in delivered and lost not in delivered
    assert check(trace)


def test_the_shortest_order_of_arrival_is_the_story_of_the_search() -> None:
    found = judged(HOLD_BACK, wrong("a copy deletes what waits"), search=True)["search"]
    assert found.sentence == (
        "When the numbers arrive as 2 2 1, receive of #1 must return [#1, #2], and it returned [#1]."
    )
    found = judged(HOLD_BACK, right(), search=True)["search"]
    assert found.verdict == "exhausted, ok" and "All 5,460 orders of arrival" in found.sentence


def test_a_class_with_common_state_cannot_be_searched_and_a_person_is_asked() -> None:
    found = judged(HOLD_BACK, wrong("all queues are one"), search=True)["search"]
    assert (found.verdict, found.points, found.flagged) == ("inconclusive", 15, ("orders",))
    assert "outside of self" in found.sentence


def test_equal_texts_of_one_author_are_in_every_part() -> None:
    for seed in range(3):
        messages = {one.number: one.message for one in arrivals_of(seed)[0]}
        pairs = [(one.author, one.text) for one in messages.values()]
        texts = {(post.origin, post.post): post.text for post in posts_of(seed)}
        assert len(set(pairs)) < len(pairs) and len(set(texts.values())) < len(texts)


def test_texts_cannot_be_foreseen() -> None:
    texts = [{one.message.text for one in arrivals_of(seed)[0]} - {"ok", "yes"} for seed in range(8)]
    assert all(texts) and not set.intersection(*texts)


def test_an_answer_that_is_no_list_is_told_as_what_it_is() -> None:
    hello = Arrival(1, Message(1, "ann", "hello"), 0.5)
    reading = Reading(7, 2, [hello], [Reply(wrong="None")])
    assert reading.tell_error() == (
        "With seed 7, when #1 reached node 2 at 0.50 s, your queue returned None; receive must return a list of messages, "
        "[] for none."
    )


def test_a_number_that_was_kept_for_a_post_is_told_as_the_first_mistake() -> None:
    class Keeps:
        """Gives a number to a post that it has answered None, as soon as the one before it is there."""

        def __init__(self) -> None:
            self.given: dict[tuple[str, int], int] = {}
            self.early: set[tuple[str, int]] = set()

        def order(self, origin: str, post: int, text: str) -> int | None:
            self.early.add((origin, post))
            due = sum(1 for one, _ in self.given if one == origin) + 1
            while (origin, due) in self.early:
                self.given.setdefault((origin, due), len(self.given) + 1)
                due += 1
            return self.given.get((origin, post))

    [sequencer] = [one for one in LAB.exercises if one.number == "3.3"]
    found = judged(sequencer, Keeps)["public"].findings[0]
    said = re.search(r"got #(\d+) and the next number was #(\d+), which was kept for", found.sentence)
    assert said is not None
    [marked] = [step for step in found.steps if step.wrong]
    assert (marked.returned, marked.expected) == (f"#{said[1]}", f"#{said[2]}")
    before = found.steps[: found.steps.index(marked)]
    assert all(step.returned == step.expected for step in before), "the marked call is the first wrong one"


def test_a_request_that_raises_is_shown_as_the_call_that_raised() -> None:
    class Raises(right("3.2")):  # type: ignore[misc]
        def missing(self, newest: int) -> Any:
            raise ValueError("no")

    [asking] = [one for one in LAB.exercises if one.number == "3.2"]
    found = judged(asking, Raises)["public"].findings[0]
    [marked] = [step for step in found.steps if step.wrong]
    assert marked is found.steps[-1] and marked.returned.startswith("ValueError: no")


# --- what show shows -------------------------------------------------------------------------


def played(**own: Any) -> Any:
    told: dict[str, Any] = {
        "question": "3.1",
        "verdict": "fail",
        "points": 0,
        "possible": 14,
        "sentence": "From 1 s on `newest` was {8}.",
    }
    return play_grade(Grade(**told | own))


def test_a_sentence_is_shown_without_quotes_and_the_missing_run_says_why() -> None:
    assert repr(played()) == "There is no run to show: From 1 s on `newest` was {8}."
    assert repr(played(points=14)) == "Nothing went wrong in 3.1, so there is no run to show."


def test_a_column_in_which_nothing_stands_is_left_out() -> None:
    steps = (ShownCall(call='order("{a}", 1)', returned="#2", expected="#1", when="call 1", wrong=True),)
    table = played(steps=steps)
    assert "before the call" not in table._repr_html_() and "before the call" not in repr(table)
    assert "was {8}" in table._repr_html_() and "<code>newest</code>" in table._repr_html_()
    assert "order(&quot;{a}&quot;, 1)" in table._repr_html_()
    waited = played(steps=(*steps, ShownCall(call="order", returned="", waiting="#3 waited")))
    assert "before the call" in waited._repr_html_() and "#3 waited" in repr(waited)


def test_a_notebook_breaks_the_lines_of_a_grade_between_words() -> None:
    from IPython.lib.pretty import pretty

    grade = Grade(question="3.1", verdict="fail", points=0, possible=14, sentence="word " * 60)
    shown = str(pretty(grade))  # type: ignore[no-untyped-call]
    lines = shown.splitlines()
    assert len(lines) > 2 and all(len(line) <= LINE for line in lines)
    assert " ".join(shown.split()) == " ".join(str(grade).split())


def test_the_class_of_another_exercise_is_refused_by_name() -> None:
    from chatsys.errors import UsageError

    MySequencer = type("MySequencer", (), {})
    with pytest.raises(UsageError, match=r"it was given MySequencer, which is that of 3\.3"):
        grade("3.1", MySequencer)
    with pytest.raises(UsageError, match="leave out the brackets behind MyHoldBack"):
        grade("3.1", type("MyHoldBack", (), {})())


# --- the page --------------------------------------------------------------------------------


def test_every_students_first_chat_shows_why_order_matters() -> None:
    class Impatient:
        def receive(self, number: int, message: Any) -> list[Any]:
            return [message]

    names = ("", "ann", "bob", "eve", "dan", "fay", "gus", "hal", "ida", "joe")
    broken = [bool(check(play.chat(Impatient, revealing.student(name)).trace)) for name in names]
    assert broken[0] and sum(broken) >= len(names) - 2


def test_in_the_chat_people_talk_in_the_order_of_the_numbers() -> None:
    world = play.chat(right(), seed=7)
    assert [tuple(world.delivered(node)) for node in world.nodes] == [play.LINES] * 3
    assert not check(world.trace)


def test_the_three_classes_work_together() -> None:
    world = play.crowd(right("3.2"), seed=7, loss=0.3, sequencer=right("3.3"))
    assert not world.failures and not check(world.trace)
    assert {len(world.delivered(node)) for node in world.nodes} == {24}
    number = re.fullmatch(
        r"At most (\d+) messages waited at once: at node \d, at .* s\. The longest wait was .* s: #\d+ at node \d\.",
        play.queue_numbers(world),
    )
    assert number is not None
    assert int(number[1]) == max(one.most for one in find_plateaus(world.trace))


def test_a_prediction_is_answered_by_the_students_own_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "kept", {})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    seed = revealing.student("ann")
    assert revealing.reveal("3a", right()) is None
    assert "write down what you expect first" in capsys.readouterr().out.replace("\n    ", " ")
    for number, answer in (("3a", 4), ("3b", 9.0), ("3c", 1), ("3d", "without vector clocks")):
        predictions.predict(number, answer)
    shown = [revealing.reveal(number, right()) for number in ("3a", "3b", "3c", "3d")]
    said = capsys.readouterr().out.replace("\n    ", " ")
    assert f"3a  You said 4; in your run (seed {seed}) it was 4: right." in said
    assert re.search(rf"3b  You said 9 s; in your run \(seed {seed}\) it was 0\.\d+ s: 8\.\d+ s off\.", said)
    assert "it was no. Behind your answer: total order taken for weaker than causal order." in said
    assert shown[0] is None and all(figures.describe(figure) for figure in shown[1:])


def test_nothing_is_revealed_while_a_notebook_is_graded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "kept", {"3a": 4})
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert revealing.reveal("3a", wrong("is not written")) is None
    assert capsys.readouterr().out == ""


def test_a_class_that_raises_is_told_in_the_reveal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "kept", {"3a": 4})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    revealing.reveal("3a", wrong("is not written"))
    assert (
        "your class stopped, so there is nothing to compare yet: NotImplementedError"
        in capsys.readouterr().out.replace("\n    ", " ")
    )


def test_a_student_keeps_the_seed_and_nobody_has_seven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    assert revealing.student() == revealing.student("") == 7
    assert revealing.student("ann") == revealing.student(" ann ") != revealing.student("bob")
    monkeypatch.setenv("JUPYTERHUB_USER", "ann")
    assert revealing.student() == revealing.student("ann")


# --- the written test ------------------------------------------------------------------------


def verdicts(scenario: Any, claim: Any) -> tuple[set[str], set[str]]:
    """Return which wrong answers, and which right ones, a written test speaks of."""
    [test] = LAB.tests
    recording = Recording(test.verbs)
    scenario(recording)
    bad = {**friends.WRONG} | {name: one.cls for name, one in KEYS.mistakes["3.1"].items() if one.tests}
    good = {**KEYS.answers["3.1"]} | {"the real one": friends.TheRealOne}

    def speaks(answer: Any) -> bool:
        return claim(play.play_scenario(answer, recording._done).trace) is not None

    return {name for name, one in bad.items() if not speaks(one)}, {name for name, one in good.items() if speaks(one)}


def test_a_plain_test_of_a_student_finds_most_of_them() -> None:
    def scenario(world: Any) -> None:
        world.say("one", 3)
        world.run(0.5)
        world.slow(3, 1, 0.1)
        world.say("two", 3)
        world.run(0.02)
        world.slow(3, 1, 0.0)
        for text in ("three", "four", "five"):
            world.say(text, 3)
            world.run(0.02)

    def claim(trace: Any) -> str | None:
        for node in trace.nodes:
            numbers = [record.seq for record in trace.of("deliver") if record.node == node]
            if numbers != [1, 2, 3, 4, 5]:
                return f"node {node} delivered {numbers}"
        return None

    missed, accused = verdicts(scenario, claim)
    assert accused == set()
    assert missed == {
        "a copy deletes what waits", "a copy is known by its text", "a copy is known by its text among what waits",
        "old ones again",
    }  # fmt: skip


def test_a_test_that_accuses_a_right_queue_is_told_what_it_said() -> None:
    found: dict[str, Any] = {
        "killed": ("a", "b"),
        "missed": ("c",),
        "said": "a message was held back",
        "shown": ("c",),
        "of": "3.1",
    }
    of = Score(accused=("the right answer TheRealOne",), right=2, **found)
    assert of.share() == 0
    assert str(of) == (
        "Your test finds 2 of 3 wrong answers, and it accuses 1 of 2 right ones, which costs all points: "
        'of the right answer TheRealOne it says "a message was held back". It misses: c.'
    )
    mine = Score(accused=("your own MyHoldBack",), **found)
    assert (
        'of your own MyHoldBack it says "a message was held back". The checks of 3.1 find no mistake in it: '
        "either your test is wrong, or it has found one that they miss." in str(mine)
    )
    assert str(Score(killed=("a",), missed=(), accused=())) == (
        "Your test finds 1 of 1 wrong answers and accuses no right one, of which 1 was tried."
    )


def test_a_scenario_that_never_ends_is_refused() -> None:
    from chatsys.errors import UsageError

    with pytest.raises(UsageError, match="it may take 600 s"):
        play.play_scenario(right(), [("run", (601,), {})])


# --- the figure ------------------------------------------------------------------------------


def test_a_plateau_carries_the_number_that_everybody_waits_for() -> None:
    queue = SimpleNamespace(world=play.crowd(right(), seed=7))
    figure = figures.queue_length(queue.world)
    plateaus = find_plateaus(queue.world.trace)
    assert not any(one.there for one in plateaus)
    worst = max(plateaus, key=lambda one: (one.most, one.length))
    assert f"{worst.most} wait for #{worst.number}" in [note.text for note in figure.layout.annotations]
    assert f"up to {worst.most} messages waited" in figures.describe(figure)
    came = next(
        record.time
        for record in queue.world.trace.of("receive")
        if (record.node, record.message, record.seq) == (worst.node, "ORDERED", worst.number)
    )
    assert worst.end == came
    assert all(begin < one.end for one in plateaus for begin, _ in one.stairs), "no stair without length"


def test_no_label_of_a_plateau_lies_over_a_higher_one_beside_it() -> None:
    beside = 0
    for seed in range(1, 13):
        world = play.crowd(right(), seed=seed)
        plateaus, figure = find_plateaus(world.trace), figures.queue_length(world)
        begin, end = figure.layout.xaxis.range
        letter = 7.5 * (end - begin) / 400  # of a narrow page, in seconds
        most = max(one.most for one in plateaus)
        rows = {node: row for row, node in enumerate(sorted({one.node for one in plateaus}))}
        for note in figure.layout.annotations:
            left = note.x - len(note.text) * letter * (note.xanchor == "right")
            level = note.y + 1e-6
            high = [
                one
                for one in plateaus
                if rows[one.node] == int(level) and rows[one.node] + 0.72 * one.most / most > level
            ]
            assert not [one for one in high if one.end > left + 1e-6 and one.begin < note.x - 1e-6], (seed, note.text)
            beside += note.xanchor == "left"
    assert beside, "in none of these runs a higher plateau is in the way"


def test_a_queue_that_waits_for_what_is_there_is_drawn_otherwise() -> None:
    figure = figures.queue_length(play.crowd(wrong("one at a time"), seed=7))
    assert "nothing was missing" in figures.describe(figure)
    assert {"it is there, and is not delivered"} < {trace.name for trace in figure.data}
