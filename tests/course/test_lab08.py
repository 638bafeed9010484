"""Lab 08: what its runs, its judge and its figure say, and what its written test can tell apart.

`test_lab_mould` tries every answer and every mistake of the keys, as it does for each lab; here a class is played in
this process, which is quicker.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chatsys.errors import UsageError
from chatsys.sim.world import World
from chatsys.teach import figures
from chatsys.teach.grading import predictions, revealing
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.grading.recording import Recording
from chatsys.teach.labs.lab03.stage import Message
from chatsys.teach.labs.lab08 import LAB, friends, play, rejoining
from chatsys.teach.labs.lab08.asking import stopped
from chatsys.teach.labs.lab08.checks import CYCLES, IN_A_ROW, STEPS, judge_run, load
from chatsys.teach.labs.lab08.drawing import draw_lag, tale_of
from chatsys.teach.labs.lab08.frames import AskFor, HistoryChunk
from chatsys.teach.labs.lab08.picture import lag, sliders
from chatsys.teach.labs.lab08.runs import CatchUpRun, begin, play_seed
from chatsys.teach.labs.lab08.stage import catch_up
from chatsys.trace import Trace

COURSE = Path(__file__).parents[2] / "labs"
KEYS = read_keys(COURSE, LAB)
RIGHT: Any = KEYS.answers["8.1"]["reference"]


def wrong(name: str) -> Any:
    return KEYS.mistakes["8.1"][name].cls


def told(run: CatchUpRun) -> dict[str, str]:
    return {finding.aspect: finding.sentence for finding in judge_run(run)}


def missed(cls: Any, gap: int = 15, room: int = 20) -> CatchUpRun:
    """Node 2 is down while so many messages are said, and people talk on when it is back."""
    run = begin(cls, "Here", 1, room=room, longest=0.05)
    run.go_on(1.5)
    run.talk(5, 0.5)
    run.crash(2)
    run.talk(gap, 1.0)
    run.restart(2)
    run.talk(20, 1.0)
    run.go_on(4.0)
    return run


# --- runs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KEYS.answers["8.1"])
def test_right_answers_are_right_in_many_runs(name: str) -> None:
    for seed in range(5000, 5030):
        run = play_seed(KEYS.answers["8.1"][name], seed)
        assert told(run) == {} and run.level, f"seed {seed}"


def test_the_seeds_show_crashes_and_cuts_and_losses_and_copies_and_too_little_room() -> None:
    runs = [play_seed(RIGHT, seed) for seed in range(LAB.exercises[0].public)]
    kinds = {record.kind for run in runs for record in run.world.trace}
    assert {"crash", "restart", "cut", "fetched", "hold"} <= kinds
    assert {len(run.world.nodes) for run in runs} == {3, 4}
    lives = [life for run in runs for life in run.lives]
    assert {3, 8, 20, 100} == {life.room for life in lives}
    answers = [call for life in lives for call in life.calls if call.asked.method == "chunk"]
    assert any(not call.asked.arguments[1] for call in answers), "a peer that had nothing"
    assert any(rejoining.screens(run.world)[1].count(1) == 1 for run in runs)


def test_what_was_shown_before_a_crash_is_not_shown_again() -> None:
    world = rejoining.rejoin(RIGHT, gap=30)
    assert rejoining.screens(world)[2] == list(range(1, 151))


def test_two_that_come_back_together_do_not_tell_each_other_that_nothing_is_missing() -> None:
    run = begin(RIGHT, "Here", 3, 4)
    run.go_on(1.5)
    for node in (1, 2):
        run.crash(node)
    run.talk(12, 0.5)
    for node in (1, 2):
        run.restart(node)
    run.go_on(6.0)
    assert run.level and told(run) == {}


def test_what_makes_no_sense_stops_the_node_with_a_sentence() -> None:
    for method, answer, sentence in (
        ("live", None, "live returned None; return a list of messages, [] for none"),
        ("ask", AskFor(2, 1, 10), "ask returned AskFor(to=2, first=1, count=10); return AskFor(to, first, count) with one of the peers"),
        ("ask", AskFor(1, 0, 10), "ask returned AskFor(to=1, first=0, count=10); return"),
        ("ask", 7, "ask returned 7; return AskFor"),
        ("serve", Message(1, "ann", "hello"), "serve returned #1; return a list of messages"),
    ):  # fmt: skip
        cls = type("MyCatchUp", (RIGHT,), {method: lambda self, *arguments, answer=answer: answer})
        world = World(1, 3, actor=catch_up(cls))
        world.say("hello", 3)
        world.run(1.5)
        assert sentence in " ".join(stopped(world))


# --- what the judge says -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "aspect", "sentence"),
    [
        ("one too few", "complete", r"Here node 2 showed #\d+ \(live\) at [\d.]+ s before #\d+ and never showed #\d+: it had asked for #\d+ to #\d+"),
        ("live at once", "order", r"Here node 2 showed #\d+ \(live\) at [\d.]+ s before #\d+, which came after it, at [\d.]+ s\."),
        ("shows it twice", "once", r"node 2 showed #\d+ at [\d.]+ s for the second time, after [\d.]+ s: it came live at [\d.]+ s, and by a chunk\."),
        ("without a bound", "room", r"node 2 showed \d+ messages at [\d.]+ s that it had kept while it waited for #\d+; there is room for 3\."),
        ("throws away", "lean", r"node 2 asked for #\d+.* which had come live at [\d.]+ s, when no others waited and there was room for 20\."),
        ("serves one late", "serves", r"node \d was asked at [\d.]+ s for #\d+ to #\d+, its log went up to #\d+, and it served #"),
    ],
)  # fmt: skip
def test_a_sentence_names_node_number_and_moment(name: str, aspect: str, sentence: str) -> None:
    found = told(missed(wrong(name), room=3 if aspect == "room" else 20))
    assert re.search(sentence, found[aspect])
    assert all(len(one) <= 200 for one in found.values())


def test_a_life_that_a_crash_ends_is_not_told_that_it_never_showed_a_number() -> None:
    run = begin(wrong("live at once"), "Here", 1, longest=0.05)
    run.go_on(1.5)
    run.talk(5, 0.5)
    run.crash(2)
    run.talk(15, 1.0)
    gate = run.world.hold(HistoryChunk, receiver=2)
    run.restart(2)
    run.talk(6, 0.3)
    run.crash(2)
    gate.drop(shut=False)
    run.restart(2)
    run.go_on(6.0)
    assert set(told(run)) == {"order"}


@pytest.mark.parametrize("seed", (53, 155))
def test_a_number_that_is_shown_twice_is_not_counted_for_one_that_is_missing(seed: int) -> None:
    """The run goes on until every number was shown: if it ended by how many were, the last ones would be missing."""
    assert set(told(play_seed(wrong("live at once"), seed))) == {"order"}


def test_who_has_heard_the_next_number_asks_all_the_same() -> None:
    for seed in range(4):
        run = begin(wrong("live tells it"), "Here", seed, longest=0.05)
        run.go_on(1.5)
        run.talk(3, 0.3)
        run.crash(2)
        run.restart(2)
        run.talk(8, 0.2)
        run.go_on(3.0)
        if (found := told(run)) != {}:
            assert re.search(r"node 2 asked for nothing at [\d.]+ s, although nobody had told it", found["prompt"])
            return
    pytest.fail("in no run did a number come live before the first question")


def test_what_a_class_keeps_is_measured_from_outside() -> None:
    """Of the calls of `load` each right answer shows all that it can: what then lies about is not needed."""
    for answer in KEYS.answers["8.1"].values():
        script = load(1, 2 * STEPS)
        mine, shown = answer(*script.arguments), []
        for call in script.calls:
            shown += [one.number for one in getattr(mine, call.method)(*call.arguments)]
        assert shown == list(range(1, 2 * IN_A_ROW + 1))
    gap = load(CYCLES * STEPS + 1, CYCLES * STEPS + 50).calls
    assert [call.arguments[0] for call in gap] == list(range(CYCLES * IN_A_ROW + 2, CYCLES * IN_A_ROW + 52))
    assert all(call.method == "live" for call in gap)


def test_who_had_no_room_is_not_blamed_for_asking_again() -> None:
    assert told(missed(RIGHT, room=2)) == {}
    assert told(missed(KEYS.answers["8.1"]["the nearest are kept"], room=2)) == {}


# --- the picture ---------------------------------------------------------------------------------


def test_the_figure_tells_when_the_node_was_level_and_where_the_seam_is() -> None:
    assert re.match(
        r"Node 2 came back at 4\.00 s and had missed 200 messages; it was level 3\.\d+ s later\. #220 was the last one by a chunk\.",
        figures.describe(draw_lag(rejoining.rejoin(RIGHT).trace)),
    )
    never = draw_lag(rejoining.rejoin(RIGHT, rate=60, room=20).trace)
    assert "it was never level" in figures.describe(never) and "From 14.0 s on nobody talked." in figures.describe(
        never
    )
    words = {one.text for one in never.layout.annotations}
    assert "the last chunk" in words and "the seam" not in words, "nothing that came live was shown behind it"


def test_the_second_line_counts_what_is_neither_shown_nor_kept() -> None:
    """At the seam of the page's demonstration some numbers fall out: the line never comes back to 0."""
    tale = draw_lag(rejoining.rejoin(play._HistoryThenLive, gap=40, rate=40).trace)
    behind, lacks = tale.data[:2]
    assert (behind.name, lacks.name) == ("behind the newest one", "neither shown nor kept")
    never = rejoining.screens(rejoining.rejoin(play._HistoryThenLive, gap=40, rate=40))[2]
    assert lacks.y[-1] == len(set(range(1, max(never))) - set(never)) > 0
    assert draw_lag(rejoining.rejoin(RIGHT).trace).data[1].y[-1] == 0


def test_a_mistake_is_seen_in_the_columns() -> None:
    few = draw_lag(rejoining.rejoin(wrong("one too few")).trace)
    assert "It never showed #220." in figures.describe(few)
    [hole] = [one for one in few.data if one.name == "never"]
    assert list(hole.x) == [220]
    hasty = draw_lag(rejoining.rejoin(friends.BothAtOnce, gap=25).trace)
    [early] = [one for one in hasty.data if one.name == "too early"]
    assert min(early.x) == 46 and "#46" in figures.describe(hasty)
    tale = tale_of(rejoining.rejoin(wrong("shows copies"), gap=15, rate=20).trace)
    assert tale.twice == [] and tale.never == []


def test_numbers_that_are_shown_twice_are_marked() -> None:
    both = draw_lag(rejoining.rejoin(wrong("shows it twice"), gap=25, rate=40).trace)
    assert "twice" in {one.name for one in both.data} and re.search(r"It showed #\d+.* twice", figures.describe(both))


def test_a_run_in_which_nobody_came_back_has_a_sentence_instead_of_a_figure() -> None:
    assert figures.describe(draw_lag(Trace())).startswith("No node came back in this run")
    wrong_ones: tuple[dict[str, Any], ...] = ({"gap": 500}, {"rate": -1}, {"room": "much"})
    for given in wrong_ones:
        with pytest.raises(UsageError, match=rf"{next(iter(given))} is .*; give a number from 0 to"):
            rejoining.rejoin(RIGHT, **given)


def test_the_sliders_draw_the_figure_anew_and_say_the_line_of_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    gap, rate, room, code, shown = sliders(RIGHT).children
    assert "had missed 200 messages" in shown.outputs[0]["data"]["text/plain"]
    gap.value, room.value = 25, 10
    assert code.value == "<code>lag(MyCatchUp, seed, gap=25, rate=10, room=10)</code>"
    assert "had missed 25 messages" in shown.outputs[0]["data"]["text/plain"]
    assert (rate.label, gap.label, room.label) == (
        "messages said meanwhile", "messages that node 2 has missed", "room for live messages",
    )  # fmt: skip


def test_nothing_is_drawn_while_a_notebook_is_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "1")
    assert lag(RIGHT) is None and sliders(RIGHT) is None


# --- the page --------------------------------------------------------------------------------------


def test_a_prediction_is_answered_by_the_students_own_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    play.student("")  # another test chose a student
    monkeypatch.setattr(predictions, "kept", {})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    for number, answer in (("8a", 4.0), ("8b", 4.0), ("8c", 220)):
        predictions.predict(number, answer)
        revealing.reveal(number, RIGHT)
    said = " ".join(capsys.readouterr().out.split())
    assert re.search(r"8a .* it was [34]\.\d s: right, to", said)
    assert re.search(r"8b .* it was [78]\.\d s: [34]\.\d s off", said)
    assert "it was 220: right." in said


def test_who_throws_live_messages_away_has_to_fetch_them_as_well() -> None:
    after = rejoining.level_after(rejoining.rejoin(wrong("throws away")))
    assert after is not None and 4.6 < after < 5.4


def test_the_numbers_of_the_explanation_are_those_of_the_run() -> None:
    said = play.my_numbers(rejoining.rejoin(RIGHT))
    assert re.search(r"with #20, sent 20 requests, and was level 3\.\d+ s later\. The seam: #220 was", said)
    assert "never level" in play.my_numbers(rejoining.rejoin(RIGHT, rate=60, room=0))
    assert "Your class stopped node" in play.my_numbers(rejoining.rejoin(wrong("returns a message")))


def page_functions() -> tuple[Any, Any]:
    page = json.loads((COURSE / "source" / LAB.name / f"{LAB.name}.ipynb").read_text(encoding="utf-8"))
    cells = {cell["id"]: "".join(cell["source"]) for cell in page["cells"]}
    place: dict[str, Any] = {}
    exec(cells["shown-by"] + "\n" + cells["written-test"], place)
    return place["scenario"], place["claim"]


def test_the_written_test_of_the_page_finds_every_mistake_and_accuses_nobody() -> None:
    scenario, claim = page_functions()
    recording = Recording(play.VERBS)
    scenario(recording)

    def said(cls: Any) -> str | None:
        sentence: str | None = claim(play.play_scenario(cls, recording._done).trace)
        return sentence

    bad = {**friends.WRONG} | {name: one.cls for name, one in KEYS.mistakes["8.1"].items() if one.tests}
    assert [name for name, cls in bad.items() if said(cls) is None] == []
    assert {name: said(cls) for name, cls in KEYS.answers["8.1"].items() if said(cls) is not None} == {}


def test_a_test_can_be_rehearsed_with_the_own_class(capsys: pytest.CaptureFixture[str]) -> None:
    def scenario(world: Any) -> None:
        world.run(3)
        world.say("hello", 3)

    world = play.rehearse(RIGHT, scenario, lambda trace: None)
    assert world.now == 11 and "accuses nobody" in capsys.readouterr().out.replace("\n", " ")


def test_the_friends_look_right_while_nobody_is_away() -> None:
    for cls in friends.WRONG.values():
        steps = [("run", (2.5,), {}), ("say", ("hello", 3), {"author": "ann"}), ("run", (3,), {})]
        world = play.play_scenario(cls, steps)
        assert not stopped(world) and all(screen == [1] for screen in rejoining.screens(world).values())
