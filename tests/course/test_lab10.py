"""Lab 10: what its runs, its judges, its searches and its pictures say, and what its written test can tell apart.

`test_lab_mould` tries every answer and every mistake of the keys, as it does for each lab; here a class is played in
this process, which is quicker.
"""

import json
import re
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from chatsys.errors import UsageError
from chatsys.isolation.calls import CallScript
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.mutants.searches import look
from chatsys.sim.world import World
from chatsys.teach.grading import predictions, revealing
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.grading.recording import Recording
from chatsys.teach.grading.trial import LocalTrial
from chatsys.teach.labs.lab10 import LAB, LogEnd, Vote, friends, picture, play, runs
from chatsys.teach.labs.lab10.histories import leadership, votes
from chatsys.teach.labs.lab10.stage import agreeing, stopped

COURSE = Path(__file__).parents[2] / "labs"
KEYS = read_keys(COURSE, LAB)
COMMITS: Any = KEYS.answers["10.1"]["reference"]
VOTES: Any = KEYS.answers["10.2"]["reference"]
BOTH = COMMITS, VOTES
SEED = play.SEED


def wrong(exercise: str, name: str) -> Any:
    return KEYS.mistakes[exercise][name].cls


def hidden() -> Any:
    spec = spec_from_file_location("hidden10", COURSE / "keys" / LAB.name / "hidden.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- what is drawn, and the whole chat ------------------------------------------------------------------


def test_the_seeds_draw_old_terms_late_answers_crashes_and_logs_of_every_kind() -> None:
    drawn = [leadership(seed) for seed in range(40)]
    assert {len(one.nodes) for one in drawn} == {3, 4, 5}
    assert any(ack.term < one.term for one in drawn for ack in one.heard)
    assert any(one.committed(len(one.heard)) for one in drawn) and any(not one.committed(1) for one in drawn)
    asked = [question for seed in range(40) for life in votes(seed)[1] for question in life]
    assert {one.behind for one in asked} == {True, False}
    assert any(one.last.term > one.own.term and one.last.seq < one.own.seq for one in asked), "newer and shorter"
    assert any(one.last.term < one.own.term and one.last.seq > one.own.seq for one in asked), "older and longer"


def test_right_classes_together_are_right_behind_many_cuts() -> None:
    cuts = [runs.play_cut(agreeing(*BOTH), seed) for seed in range(1000, 1030)]
    assert [list(runs.tell_cut(one, "unsafe", "onward")) for one in cuts] == [[]] * 30
    assert {one.many for one in cuts} == {3, 4, 5}
    assert any(not one.has_majority(1) and not one.has_majority(one.many) for one in cuts), "two against two"


@pytest.mark.parametrize("name", ["its own copy", "all must have it"])
def test_what_is_wrong_in_a_commit_shows_in_the_chat(name: str) -> None:
    actor = agreeing(wrong("10.1", name))
    told = [
        sentence for seed in range(12) for _, sentence in runs.tell_cut(runs.play_cut(actor, seed), "unsafe", "onward")
    ]
    says = (
        r"node \d answered ok to “.*” at [\d.]+ s, though its side has no majority"
        if "own" in name
        else "was answered until"
    )
    assert any(re.search(says, one) for one in told), told
    assert all(len(one) <= 250 for one in told)


def test_what_makes_no_sense_stops_the_node_with_a_sentence() -> None:
    for commits, promises, sentence in (
        (lambda self, *ack: -1, None, "ack returned -1; return a number from 0 to"),
        (
            None,
            lambda self, *ask: True,
            r"ask returned True; return Vote(True or False, a dictionary of texts and numbers)",
        ),
        (None, lambda self, *ask: Vote(True, {"a": "b"}), "return Vote(True or False"),
    ):
        mine = type("MyCommit", (COMMITS,), {"ack": commits}) if commits else COMMITS
        vote = type("MyPromise", (VOTES,), {"ask": promises}) if promises else VOTES
        world = World(1, 3, actor=agreeing(mine, vote))
        world.run(2)
        assert sentence in stopped(world)[0]


def test_what_a_class_keeps_is_there_after_a_crash() -> None:
    seen: list[Any] = []

    class Looks(VOTES):  # type: ignore[misc]
        def __init__(self, kept: Any) -> None:
            seen.append(kept)
            super().__init__(kept)

    world = World(1, 3, actor=agreeing(COMMITS, Looks))
    world.run(2)
    world.crash(1)
    world.run(1)
    world.restart(1)
    assert seen[:3] == [None] * 3 and seen[3] == {"term": 1, "to": 3}


# --- the search -----------------------------------------------------------------------------------------


SEEDED = (
    ("10.1", "its own copy", "commit by own last"),
    ("10.1", "an old term's copies", "old-term commit"),
    ("10.2", "refuses older terms only", "vote twice"),
    ("10.2", "in memory only", "term forgotten on restart"),
    ("10.2", "keeps the term only", "promise forgotten on restart"),
    ("10.2", "does not look at the logs", "lead without SYNC"),
    ("10.2", "the longest log", "adopt longest"),
)
"""Exercise, the mistake of a student, and the bug of the package that it is."""


@pytest.mark.parametrize(("exercise", "name", "bug"), SEEDED)
def test_the_search_finds_each_seeded_bug_of_this_kind(exercise: str, name: str, bug: str) -> None:
    keys, cls = hidden(), wrong(exercise, name)
    actor = agreeing(None, keys.forgetful(cls)) if exercise == "10.2" else agreeing(cls, keys.forgetful(VOTES))
    mutant = Mutant(name=bug, story="", killers=(), actor=actor)
    sights = [look(search, mutant) for search in (keys.COMMITS if exercise == "10.1" else keys.VOTES)]
    [sight] = [one for one in sights if one.verdict == "fail"][:1]
    told = keys.tell(sight, exercise)
    assert re.search(r"an order of \d+ steps in which nodes? \d", told.sentence) and len(told.sentence) <= 200
    assert len(told.steps) == len(sight.story) and not told.inconclusive


def test_a_search_that_stops_claims_nothing_and_says_its_bounds() -> None:
    keys = hidden()
    short = replace(keys.VOTES[2], states=200)
    sight = look(short, Mutant(name="", story="", killers=(), actor=agreeing(None, keys.forgetful(VOTES))))
    told = keys.tell(sight, "10.2")
    assert told.inconclusive and "claims nothing" in told.sentence and told.sentence.startswith("Not decided:")
    assert "3 nodes" in told.sentence and "2 candidates for 1 term" in told.sentence


def test_what_is_said_of_an_exhausted_search_names_its_bounds() -> None:
    keys = hidden()
    for exercise, searches in (("10.1", keys.COMMITS), ("10.2", keys.VOTES)):
        part = LAB.exercise(exercise).part("search")
        assert part is not None and part.done.startswith("Exhausted, within these bounds: 3 nodes")
        assert len(part.done) <= 400
        bounds = [bound for search in searches for bound in search.model(**search.bounds).bounds]
        most = max(int(found[1]) for bound in bounds if (found := re.match(r"terms up to (\d)", bound)))
        assert f"up to {most} terms" in part.done and "Beyond these bounds nothing is claimed" in part.done
        apart = any("hear nothing of each other" in bound for bound in bounds)
        assert apart == ("do not hear each other" in part.done), "a bound that hides an order is said"


# --- the pictures ---------------------------------------------------------------------------------------


def test_a_lost_line_is_crossed_out_and_says_so_and_a_majority_loses_none() -> None:
    one, two = (picture.sides(play.cut(SEED, quorum)) for quorum in (1, 2))
    assert one is not None and two is not None
    assert "20 were answered, and 10 of them are lost" in repr(one) and one.html.count('class="lost"') == 10
    assert "none of them is lost" in repr(two) and 'class="lost"' not in two.html
    assert two.html.count("no answer") == 10, "the side without a majority"


def test_three_copies_of_three_answer_nobody_until_the_cut_is_mended() -> None:
    assert "{3} answered 0 of 10" in repr(picture.sides(play.cut(SEED, 3))) and "{1, 2} answered 0 of 10" in repr(
        picture.sides(play.cut(SEED, 3))
    )


def test_two_mistakes_are_seen_in_the_pictures_and_not_with_the_reference() -> None:
    own = picture.sides(play.cut(SEED, classes=(wrong("10.1", "its own copy"), VOTES)))
    assert own is not None and 'class="lost"' in own.html
    right, polite = (play.remembered((COMMITS, vote), SEED) for vote in (VOTES, friends.LooksAtTheTerm))
    assert "Node 1 did both. The log of node 1 has it." in repr(picture.majorities(right)).replace(
        "node 1 did", "Node 1 did"
    )
    assert "lacks it: what was committed is gone" in repr(picture.majorities(polite))
    assert play.lost_of(right) == [] and len(play.lost_of(polite)) == 3
    seen, missed = (picture.majorities(one) for one in (right, polite))
    assert seen is not None and ">leads, has #6<" in seen.html and "lacks #6" not in seen.html
    assert missed is not None and ">leads, lacks #6<" in missed.html and "node 3 leads and lacks it" in missed.html


def test_the_shared_node_of_two_majorities_has_a_ring_and_a_name() -> None:
    drawn = picture.majorities(play.remembered(BOTH, SEED))
    assert drawn is not None and drawn.html.count('stroke-width="3"') == 1
    assert "node 1 in both" in drawn.html and 'role="img"' in drawn.html


def test_a_text_of_a_user_changes_nothing_but_its_place() -> None:
    run = play.cut(SEED, 2)
    run.world.say("<script>alert(1)</script>", 1, author="ann")
    run.world.run(1)
    drawn = picture.sides(run)
    assert drawn is not None and "<script>" not in drawn.html


def test_the_slider_shows_each_choice_and_the_line_of_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    choice, code, shown = picture.sliders(BOTH, SEED).children
    assert code.value == "<code>sides(cut(seed, quorum=1))</code>" and 'class="lost"' in shown.value
    choice.value = picture.OWN
    assert (
        code.value == "<code>sides(cut(seed, classes=(MyCommit, MyPromise)))</code>"
        and 'class="lost"' not in shown.value
    )


def test_nothing_is_drawn_while_a_notebook_is_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "1")
    assert picture.sliders(BOTH) is picture.sides(None) is picture.majorities(None) is None  # type: ignore[arg-type]


def test_a_cut_that_is_none_is_told_in_a_sentence() -> None:
    with pytest.raises(UsageError, match=r"name some of the nodes 1 to 3"):
        play.cut(SEED, few=(1, 2, 3))
    with pytest.raises(UsageError, match=r"Give either quorum or classes"):
        play.cut(SEED, 1, BOTH)


# --- the page -------------------------------------------------------------------------------------------


def test_a_prediction_is_answered_by_the_students_own_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    play.student("")  # another test chose a student
    monkeypatch.setattr(predictions, "kept", {})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    for number, answer in (("10a", 20), ("10b", 10), ("10c", 2.4), ("10d", play.NOT_SURELY)):
        predictions.predict(number, answer)
        revealing.reveal(number, *(BOTH if number != "10a" else ()))
    said = " ".join(capsys.readouterr().out.split())
    assert "it was 20: right" in said and "it was 10: right" in said and said.count(": right") == 4


def test_the_numbers_of_the_explanation_are_those_of_the_run() -> None:
    said = play.my_numbers(play.cut(SEED, classes=BOTH))
    assert re.search(r"node 3 led until 4\.\d\d s\. Nodes {1, 2}: no answer for 3\.\d\d s, then 10 answers", said)
    assert "0 were lost" in said
    assert "stopped a node" in play.my_numbers(play.cut(SEED, classes=(wrong("10.1", "raises"), VOTES)))


def page_functions() -> tuple[Any, Any]:
    page = json.loads((COURSE / "source" / LAB.name / f"{LAB.name}.ipynb").read_text(encoding="utf-8"))
    cells = {cell["id"]: "".join(cell["source"]) for cell in page["cells"]}
    place: dict[str, Any] = {}
    exec(cells["written-test"], place)
    return place["scenario"], place["claim"]


def test_the_written_test_of_the_page_finds_every_mistake_and_accuses_nobody() -> None:
    scenario, claim = page_functions()
    recording = Recording(play.VERBS)
    scenario(recording)

    def said(cls: Any) -> str | None:
        sentence: str | None = claim(play.play_scenario(cls, recording._done).trace)
        return sentence

    bad = {**friends.WRONG} | {name: one.cls for name, one in KEYS.mistakes["10.1"].items() if one.tests}
    assert [name for name, cls in bad.items() if said(cls) is None] == []
    assert {name: said(cls) for name, cls in KEYS.answers["10.1"].items() if said(cls) is not None} == {}


def test_a_class_is_asked_what_the_page_says() -> None:
    exercise = LAB.exercise("10.2")
    assert exercise is not None
    trial = LocalTrial(VOTES, exercise)
    from chatsys.isolation.calls import Call

    asked = CallScript(
        (Call("ask", (4, 2, LogEnd(2, 5), LogEnd(2, 5))), Call("ask", (4, 3, LogEnd(2, 5), LogEnd(2, 5)))), (None,)
    )
    assert [reply.value.yes for reply in trial.alone(asked)] == [True, False]
