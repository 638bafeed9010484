"""Lab 11: its board, its judges, its search and its tools; and that nothing of the bugs that students do not have is on their machine.

`test_lab_mould` tries every answer and every mistake of the keys, as it does for each lab.
"""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
from trials import TestTrial

from chatsys.errors import UsageError
from chatsys.mutants import closed
from chatsys.mutants.bugs import MUTANTS
from chatsys.teach.grading import predictions, revealing
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.labs.lab11 import LAB, game, hunting, par, play
from chatsys.teach.labs.lab11.asked import NAMES, said_by
from chatsys.teach.labs.lab11.board import CannotNow, ChatBoard, chat_of
from chatsys.teach.labs.lab11.board import play as play_moves
from chatsys.teach.labs.lab11.bugs import BUGS, RIGHT, bug_named
from chatsys.teach.labs.lab11.checks import judge_attacks, judge_runs
from chatsys.teach.labs.lab11.hunting import hunt, shrink
from chatsys.teach.labs.lab11.par import BOUNDS, explore, kept, par_of
from chatsys.teach.labs.lab11.runs import drawn, right_runs, wrong_runs
from chatsys.trace import Trace

COURSE = Path(__file__).parents[2] / "labs"
KEYS = read_keys(COURSE, LAB)
INVARIANTS, ATTACKS = (KEYS.answers[number]["reference"] for number in ("11.1", "11.2"))
_spec = importlib.util.spec_from_file_location("hidden11", COURSE / "keys" / LAB.name / "hidden.py")
assert _spec is not None and _spec.loader is not None
HIDDEN: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(HIDDEN)
EXERCISES = {one.number: one for one in LAB.exercises}


# --- the board ---------------------------------------------------------------------------------------


def test_the_same_moves_give_the_same_run() -> None:
    moves = [("say", "a", 2), ("crash", 3), ("suspect", 2), ("say", "b", 1), ("restart", 3)]
    first, second = (play_moves(RIGHT, moves) for _ in range(2))
    assert first.trace.encode() == second.trace.encode() and first.broken == {}


def test_every_move_that_is_offered_can_be_made() -> None:
    for before in ((), (("crash", 2),), (("isolate", 1), ("slow_disks",))):
        for move in play_moves(RIGHT, before).possible():
            assert play_moves(RIGHT, (*before, move)).moves[-1] == move


@pytest.mark.parametrize(
    ("moves", "sentence"),
    [
        ([("crash", 2), ("crash", 2)], "crash(2): node 2 is down"),
        ([("restart", 1)], "restart(1): node 1 is up"),
        ([("suspect", 3)], "node 3 leads; a leader does not suspect itself"),
        ([("heal",)], "nothing is cut"),
        ([("isolate", 3), ("isolate", 3)], "node 3 is cut off already"),
        ([("crash", 7)], "there is no node 7; the nodes are 1, 2 and 3"),
        ([("say", "", 1)], "give a text of 1 to 60 letters"),
        ([("explode", 1)], "there is no move 'explode'; the moves are say, crash"),
        ([("crash",)], "this move wants other arguments"),
        ([("say", "a", 3)] * 41, "an attack has at most 40 moves"),
    ],
)
def test_a_move_that_cannot_be_made_is_told_in_a_sentence(moves: Any, sentence: str) -> None:
    with pytest.raises(UsageError, match=re.escape(sentence)):
        play_moves(RIGHT, moves)


def test_what_people_see_has_numbers_of_the_chat_and_nothing_of_the_nodes_inside() -> None:
    chat = chat_of(play_moves(RIGHT, [("say", "a", 1)]))
    assert {one.kind for one in chat} == {"start", "lead", "submit", "deliver", "ack"}
    assert [one.seq for one in chat.of("deliver") if one.node == 2] == [1, 2, 3, 4]
    assert [(one.seq, one.text) for one in chat.of("ack")][-1] == (4, "a")


# --- the bugs and their runs -------------------------------------------------------------------------


def test_each_of_the_five_invariants_is_broken_in_some_run_and_none_in_a_right_one() -> None:
    assert {name for run in wrong_runs() for name in run.broken} == set(NAMES)
    assert len(wrong_runs()) == len(BUGS) == 5 and all(run.broken for run in wrong_runs())
    assert len(right_runs()) >= 5 and not any(run.broken for run in right_runs())


def test_the_chat_as_it_is_and_the_right_chats_live_through_random_attacks() -> None:
    rights = [RIGHT, *KEYS.answers["the chat"].values()]
    assert len(rights) >= 6
    assert not [run.name for run in drawn(range(21), rights) if run.broken]


def test_the_open_bugs_are_read_by_students_and_the_others_are_in_closed_pages() -> None:
    for bug in BUGS.values():
        for part in (*bug.parts.values(), bug.actor):
            assert part.__module__ in (
                "chatsys.teach.labs.lab11.bugs",
                "chatsys.mutants.bugs.open",
                "chatsys.protocol.node",
            )
    pages = {f"chatsys.mutants.{page[:-3].replace('/', '.')}" for page in closed.CLOSED if page.endswith(".py")}
    for name in KEYS.mistakes["the chat"]:
        one = MUTANTS[name]
        assert any(part.__module__ in pages for part in (*one.parts.values(), one.actor)), name


def test_the_planted_runs_are_those_of_the_keys_and_do_not_name_their_bugs() -> None:
    for letter, trace in HIDDEN.planted().items():
        assert play.planted(letter).encode() == trace.encode(), letter
        said = [name for name, one in zip(NAMES, said_by(INVARIANTS, chat_of(trace)), strict=True) if one[0] == "said"]
        assert said == {"A": ["leaders"], "B": ["leaders"], "C": ["agreement", "kept"]}[letter]
        text = trace.encode().decode()
        assert not any(name in text for name in (*MUTANTS, "ResumesTheLead", "ForgetsPromise", "NoPrevCheck"))


# --- the judges --------------------------------------------------------------------------------------


def test_every_sentence_has_a_node_or_a_number_and_at_most_two_hundred_letters() -> None:
    runs = [*right_runs(), *wrong_runs()]
    for name, mistake in KEYS.mistakes["11.1"].items():
        for finding in judge_runs(TestTrialOf("11.1", mistake.cls), runs):
            assert len(finding.sentence) <= 200 and finding.sentence.endswith((".", "?")), f"{name}: {finding.sentence}"
    for name, mistake in KEYS.mistakes["11.2"].items():
        for finding in judge_attacks(TestTrialOf("11.2", mistake.cls), ()):
            assert len(finding.sentence) <= 200 and re.search(r"\d|`", finding.sentence), f"{name}: {finding.sentence}"


class TestTrialOf(TestTrial):
    """A class of this lab, asked through its holder in this process."""

    def __init__(self, number: str, answer: type) -> None:
        super().__init__(answer, EXERCISES[number])


def test_an_invariant_that_raises_spoils_only_its_own_answer() -> None:
    class Raises(INVARIANTS):  # type: ignore[misc, valid-type]
        def gap(self, trace: Trace) -> str | None:
            raise KeyError(3)

    chat = Trace.decode(wrong_runs()[0].chat)
    said = dict(zip(NAMES, said_by(Raises, chat), strict=True))
    assert said["gap"][1].startswith("KeyError: 3 (") and said["agreement"][0] == "said"


# --- the search and the tools ------------------------------------------------------------------------


def test_every_par_is_that_of_an_attack_which_breaks_its_bug_and_not_the_chat_as_it_is() -> None:
    assert set(kept()) == set(BUGS) == set(HIDDEN.KNOWN)
    for name, attack in HIDDEN.KNOWN.items():
        assert len(attack) == par_of(name) == kept()[name].searched + 1
        assert play_moves(BUGS[name], attack).broken, name
        assert not play_moves(RIGHT, attack).broken, name


@pytest.mark.parametrize("name", [name for name in BUGS if par_of(name) <= 3])
def test_the_search_makes_a_short_par_again(name: str) -> None:
    assert par.search_par(name, par_of(name)) == kept()[name]


def test_an_exhausted_search_says_within_which_bounds() -> None:
    found = explore("ACK before fsync", 1, 600, progress=None)
    assert (found.verdict, found.attack) == ("exhausted, ok", ()) and found.runs == len(ChatBoard(RIGHT).possible())
    assert "exhausted. No attack of at most 1 move;" in repr(found) and all(bound in repr(found) for bound in BOUNDS)


def test_a_search_without_time_is_inconclusive_and_says_how_far_it_came() -> None:
    found = explore("claims the lead at start", 3, 0.0001, progress=None)
    assert found.verdict == "inconclusive" and "The budget of 0.0001 s ran out in attacks of 1 move," in found.why


def test_a_random_attack_becomes_shorter_and_still_breaks_the_same() -> None:
    found = hunt("no session dedup", 0)
    assert found.attack and found == hunt("no session dedup", 0)
    said: list[str] = []
    moves = (("say", "z", 2), ("say", "y", 3), *found.attack)
    short = shrink(found.bug, moves, 60, progress=said.append)
    assert len(short.attack) == 2 and short.verdict == "exhausted, ok" and said[-1] == "2 moves still break duplicate"
    assert shrink(found.bug, moves, 1e-9, progress=None).verdict == "inconclusive"
    with pytest.raises(UsageError, match="break nothing in 'no session dedup'"):
        shrink(found.bug, [("say", "a", 1)])
    assert "which proves nothing" in repr(hunt("claims the lead at start", 1, tries=1))


# --- the page ----------------------------------------------------------------------------------------


def test_the_table_fills_where_the_invariants_speak(capsys: pytest.CaptureFixture[str]) -> None:
    full = play.kills(INVARIANTS)
    assert (
        "speaks of 5 of 5 bugs. It is silent where an invariant is broken: 0. It accuses where an invariant holds: 0."
        in repr(full)
    )

    class Talks(KEYS.mistakes["11.1"]["compares texts"].cls):  # type: ignore[misc]
        def gap(self, trace: Trace) -> str | None:
            print("looking")
            raise NotImplementedError

    table = play.kills(Talks)
    assert (
        "where an invariant holds: 1." in table.summary() and "✗ accuses" in table._repr_html_() and "?" in repr(table)
    )
    assert '[run "no session dedup"] looking' in capsys.readouterr().out


def test_a_row_of_the_table_is_a_run_that_an_invariant_can_be_asked_about() -> None:
    for run in (*wrong_runs(), *right_runs()):
        assert play.row(run.name).encode() == run.chat
    with pytest.raises(UsageError, match="There is no row 'none'; there are 'only the living count', "):
        play.row("none")


def test_a_scenario_is_rehearsed_as_the_judge_plays_it(capsys: pytest.CaptureFixture[str]) -> None:
    def scenario(world: Any) -> None:
        world.cut(3, 1)
        world.say("a", 1)
        world.power_cut()
        world.suspect(1)
        world.crash(1)
        world.suspect(2)
        world.say("b", 2)

    def claim(trace: Trace) -> str | None:
        mine = INVARIANTS()
        return next((said for name in NAMES if (said := getattr(mine, name)(trace))), None)

    play.rehearse(scenario, claim)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(BUGS) and lines[0] == "✓ the chat as it is: None"
    assert any(line.startswith("✓ no session dedup: ") for line in lines)
    assert any(line.startswith("✗ misses ") for line in lines)
    found = {name: play.play_scenario(bug, play._steps("", scenario) or ()) for name, bug in BUGS.items()}
    assert [claim(one.trace) is not None for one in found.values()] == [line[0] == "✓" for line in lines[1:]]

    play.rehearse(lambda world: world.heal(), claim)
    assert capsys.readouterr().out == (
        "Your scenario cannot be played in the chat as it is: move 1 is heal(): nothing is cut.\n"
    )
    play.rehearse(lambda world: world.say("a", 1), lambda trace: "it looks suspicious")
    assert capsys.readouterr().out.startswith("✗ accuses the chat as it is: it looks suspicious\n")

    def unwritten(_: Any) -> Any:
        raise NotImplementedError

    play.rehearse(unwritten, claim)
    play.rehearse(scenario, unwritten)
    assert capsys.readouterr().out == (
        "You have not written scenario yet.\nYou have not written claim yet, or one of the invariants that it asks.\n"
    )


def test_a_move_that_a_wrong_chat_does_not_allow_is_left_out_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    def scenario(world: Any) -> None:
        world.isolate(3)
        world.say("a", 3)
        world.suspect(2)
        world.say("b", 2)
        world.heal()
        world.say("c", 3)

    play.rehearse(scenario, lambda _: None)
    out = [line for line in capsys.readouterr().out.splitlines() if "left out" in line]
    assert out == ['✗ misses only the living count: None (left out: say("c", 3))'], "node 3 has stopped itself there"


def test_an_attack_is_made_as_it_is_graded_and_what_cannot_be_played_is_a_sentence() -> None:
    def twice(world: Any) -> None:
        world.crash(3)
        world.crash(3)

    def unwritten(world: Any) -> None:
        raise NotImplementedError

    assert repr(play.attack("no session dedup", twice)) == (
        "no session dedup: this attack cannot be played: move 2 is crash(3): node 3 is down."
    )
    assert repr(play.attack("no session dedup", unwritten)) == "no session dedup: this attack is not written yet."
    assert list(play.attack("no session dedup", ATTACKS().duplicate).broken) == ["duplicate"]
    with pytest.raises(AttributeError, match=r"it cannot ask for world.broken"):
        play.attack("no session dedup", lambda world: world.broken)


def test_a_search_keeps_to_itself_the_moves_that_are_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    found = explore("no session dedup", 2, 600, progress=None)
    assert (found.verdict, found.attack) == ("fail", ()) and "2 moves break duplicate, and no shorter" in found.why
    assert "your task in 11.2" in repr(found) and "world." not in repr(found)
    other = explore("shows only the newest", 1, 600, progress=None)
    assert len(other.attack) == 1 and "    world.power_cut()" in repr(other)


def test_a_game_tells_its_moves_as_code_and_ends_at_par() -> None:
    mine = game.Game("no session dedup")
    mine.cut(3, 1).say("a", 1)
    shown = mine.data()
    assert shown["moves"] == ["cut(3, 1)", 'say("a", 1)'] and shown["broken"] == ["duplicate"]
    assert "Par is 2. A search has made every shorter attack, and none breaks anything." in shown["verdict"]
    assert [line for node in shown["nodes"] for line in node["lines"] if line[2]], "the lines that are wrong are marked"
    assert json.dumps(shown) and mine.undo().data()["broken"] == [] and mine.again().moves == []
    mine._pressed({"new": {"move": ["crash", 3], "count": 1}})
    mine._pressed({"new": {"move": ["crash", 3], "count": 2}})
    assert mine.moves == [("crash", 3)], "a press that came too late does nothing"
    with pytest.raises(AttributeError, match="a game has no dance"):
        mine.dance()
    with pytest.raises(CannotNow, match="node 3 is down"):
        mine.crash(3)


def test_nothing_is_played_while_a_notebook_is_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "1")
    assert game.adversary("no session dedup") is None
    with pytest.raises(UsageError, match="There is no bug 'none' on your machine; there are"):
        bug_named("none")


def test_a_prediction_is_answered_by_the_students_own_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    play.student("")  # another test chose a student
    monkeypatch.setattr(predictions, "kept", {})
    monkeypatch.setattr("chatsys.teach.labs.lab11.predicted.HUNTS", 2)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    for number, answer in (("11a", 3), ("11b", 7), ("11c", "the bug does no harm")):
        predictions.predict(number, answer)
    figure = revealing.reveal("11a")
    revealing.reveal("11b")
    revealing.reveal("11c")
    said = " ".join(capsys.readouterr().out.split())
    assert "2 hunts for “no session dedup” took" in figure.layout.meta["summary"]
    assert f"it was {par.par_of('claims the lead at start')}" in said
    assert "Behind your answer: exhausted taken for harmless" in said


def test_the_numbers_of_the_explanation_are_those_of_the_run() -> None:
    said = re.search(r"(\d+) random attacks.*: (\d+) broke.*speaks of (\d+) of", play.my_numbers(INVARIANTS, 3))
    assert said is not None and int(said[1]) == 40 and 0 < int(said[2]) == int(said[3])
    assert hunting.LENGTH == 8
