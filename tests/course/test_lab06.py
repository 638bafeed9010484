"""Lab 06: what its runs, its judge and its figure say, and what its written test can tell apart.

`test_lab_mould` tries every answer and every mistake of the keys, as it does for each lab; here a class is played in
this process, which is quicker.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from chatsys.errors import UsageError
from chatsys.sim.world import World
from chatsys.teach import figures
from chatsys.teach.figures.fences import draw_fence
from chatsys.teach.grading import predictions, revealing
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.labs.lab06 import LAB, friends, play
from chatsys.teach.labs.lab06.asking import stopped
from chatsys.teach.labs.lab06.checks import judge_run
from chatsys.teach.labs.lab06.fates import (
    OFTEN,
    RARE,
    last_words,
    leads_again,
    play_seed,
    slept_at_the_collect,
    wakes_with_another,
)
from chatsys.teach.labs.lab06.frames import Numbered
from chatsys.teach.labs.lab06.runs import FailOverRun, begin
from chatsys.teach.labs.lab06.stage import fail_over
from chatsys.trace import Trace

COURSE = Path(__file__).parents[2] / "labs"
KEYS = read_keys(COURSE, LAB)
RIGHT: Any = KEYS.answers["6.1"]["reference"]


def wrong(name: str) -> Any:
    return KEYS.mistakes["6.1"][name].cls


def found(run: FailOverRun) -> list[str]:
    return [finding.aspect for finding in judge_run(run)]


# --- runs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KEYS.answers["6.1"])
def test_right_answers_are_right_in_many_runs(name: str) -> None:
    for seed in range(5000, 5040):
        assert found(play_seed(KEYS.answers["6.1"][name], seed)) == [], f"seed {seed}"


def test_the_seeds_show_crashes_and_sleep_and_lost_and_late_copies_and_holes() -> None:
    runs = [play_seed(RIGHT, seed) for seed in range(LAB.exercises[0].public)]
    kinds = {record.kind for run in runs for record in run.world.trace}
    assert {"crash", "pause", "resume", "cut", "slow", "void", "refuses"} <= kinds
    assert {len(run.world.nodes) for run in runs} == {3, 4}
    leaders = {len(run.world.trace.of("lead")) for run in runs}
    assert leaders >= {2, 3}, "one fail-over, and two"


@pytest.mark.parametrize("course", RARE, ids=lambda one: one.__name__)
def test_a_rare_course_harms_no_right_answer_and_stands_among_the_public_seeds(course: Any) -> None:
    for seed in range(40):
        for name, cls in KEYS.answers["6.1"].items():
            assert found(course(cls, "Here", seed)) == [], f"{name}, seed {seed}"
    public = [seed for seed in range(LAB.exercises[0].public) if seed % OFTEN == OFTEN - 1]
    assert {RARE[seed // OFTEN % len(RARE)] for seed in public} == set(RARE)


@pytest.mark.parametrize(
    ("course", "name", "aspect"),
    [
        (wakes_with_another, "the last answer counts", "kept"),
        (leads_again, "never empties its book", "kept"),
        (leads_again, "keeps its own counter", "onward"),
        (slept_at_the_collect, "only a COLLECT tells", "harmless"),
    ],
)
def test_a_rare_course_shows_the_mistake_for_which_it_is_there(course: Any, name: str, aspect: str) -> None:
    shown = [found(course(wrong(name), "Here", seed)) for seed in range(10)]
    assert sum(one == [aspect] for one in shown) >= 9, shown


@pytest.mark.parametrize("reached", [(), (1,), (2,), (1, 2)])
def test_after_each_prefix_of_a_broadcast_all_that_are_up_show_the_same(reached: tuple[int, ...]) -> None:
    shown = play.screens(play.cut_short(RIGHT, to=reached))
    assert shown[1] == shown[2] and shown[1][5] == ("pay" if reached else "late")


def test_who_crashed_stays_down() -> None:
    world = World(1, 3, actor=fail_over(RIGHT))
    world.run(1)
    world.crash(3)
    world.restart(3)
    world.run(6)
    assert world.leader == 2 and world.status()[3]["role"] == "out"


def test_what_makes_no_sense_stops_the_node_with_a_sentence() -> None:
    for method, answer, sentence in (
        ("lead", None, "lead returned None; return a list of Numbered with numbers from 1 on, [] for none"),
        (
            "lead",
            [Numbered(3, 0, "", 0, None)],
            "lead returned [Numbered(3, 0, '', 0, None)]; return a list of Numbered",
        ),
        ("order", 7, "order returned 7; return one Numbered, whose number is at least 1"),
        ("admits", None, "admits returned None; return True or False"),
    ):
        cls = type("MyFailOver", (RIGHT,), {method: lambda self, *arguments, answer=answer: answer})
        world = World(1, 3, actor=fail_over(cls))
        world.say("hello", 3)
        world.run(0.5)
        assert sentence in stopped(world)[0]


# --- what the judge says -----------------------------------------------------------------------


def test_a_cause_names_node_number_and_moment() -> None:
    run = begin(wrong("own messages only"), "Here", 1)
    run.go_on(0.2)
    last_words(run, 3, ["pay"], [{1: "arrives", 2: "lost"}], late=0.0)
    run.do("crash", 3)
    run.do("heal", True)
    run.say(1, "late", "bob")
    run.go_on(7.0)
    told = {one.aspect: one for one in judge_run(run)}
    assert re.search(
        r"node 2 gave number 1 to “late” at [\d.]+ s, but #1 is “pay”, post 1 of cid@3, since [\d.]+ s: node 1 had it\.",
        told["kept"].sentence,
    )
    [marked] = [step for step in told["kept"].steps if step.wrong]
    assert marked.call.startswith("order(") and marked.about == (1,)


def test_an_old_leader_that_is_admitted_is_told_with_both_terms() -> None:
    for seed in range(40):
        for finding in judge_run(play_seed(wrong("leads without a fence"), seed)):
            assert re.search(
                r"of term (\d) from node \d at [\d.]+ s, although it (?:knew|had led) term (?!\1)\d", finding.sentence
            )
            return
    raise AssertionError("no seed shows it")


# --- the picture ---------------------------------------------------------------------------------


def drawn(cls: Any, pause: float = 4.0) -> Any:
    fenced, open_ = (play.sleeper(cls, pause=pause, fence=fence).trace for fence in (True, False))
    return draw_fence(fenced, open_, play.NAMES)


def test_the_arrows_of_the_old_leader_bounce_off_the_fence_and_pass_without_it() -> None:
    figure = drawn(RIGHT)
    assert "6 frames bounced; without it 6 frames of an old term passed." in figures.describe(figure)
    assert "the two chats part at #7" in figures.describe(figure)
    points = {trace.name: len(trace.x) for trace in figure.data if trace.mode != "lines"}
    assert points["refused"] == points["of an old term, admitted"] == 6


def test_a_mistake_is_seen_in_the_picture() -> None:
    names = {trace.name for trace in drawn(wrong("leads without a fence")).data[: len(drawn(RIGHT).data)]}
    assert "of an old term, admitted" in names
    assert "no frame bounced" in figures.describe(drawn(wrong("no fence")))


def test_a_leader_that_sleeps_for_a_second_only_is_not_deposed() -> None:
    assert "same chat in both runs" in figures.describe(drawn(RIGHT, pause=1.0))
    assert figures.describe(draw_fence(Trace(), Trace(), play.NAMES)).startswith("No leader sent anything")
    with pytest.raises(UsageError, match=r"pause is 20; give a number from 0\.1 to 8 seconds"):
        play.sleeper(RIGHT, pause=20)


def test_the_slider_draws_the_figure_anew_and_says_the_line_of_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    slider, code, shown = play.sliders(RIGHT).children
    assert "6 frames bounced" in shown.outputs[0]["data"]["text/plain"]
    slider.value = 1.0
    [output] = shown.outputs
    assert code.value == "<code>fence(MyFailOver, seed, pause=1)</code>"
    assert "no frame bounced" in output["data"]["text/plain"]
    assert {"data", "layout"} <= output["data"]["application/vnd.plotly.v1+json"].keys()


def test_both_runs_are_laid_over_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert re.search(r"in “with the fence”, node \d refuses node 3: NUMBERED #\d of term 3", str(play.both(RIGHT)))


# --- the page --------------------------------------------------------------------------------------


def test_a_prediction_is_answered_by_the_students_own_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "kept", {})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    for number, answer in (("6a", False), ("6b", 6), ("6c", 5)):
        predictions.predict(number, answer)
        revealing.reveal(number, RIGHT)
    said = capsys.readouterr().out.replace("\n    ", " ")
    assert "it was True." in said and "it was 6: right." in said and "it was 7." in said


def test_every_student_has_a_run_in_which_the_old_leader_changes_a_chat() -> None:
    for name in ("ann", "bob", "cid", "dan", "eve", "fay", "gil", "hal", "ida", "jon", "kim", "liv"):
        assert play.parts_at(RIGHT, play.student(name))[0] == 7, name
    harmless = [seed for seed in range(12) if not play.shows_the_story(seed)]
    assert harmless and all(play.parts_at(RIGHT, seed)[0] == 0 for seed in harmless), (
        "a seed that shows nothing is not chosen"
    )
    play.student("")


def test_the_figure_of_the_terms_says_who_slept_while_another_led() -> None:
    told = figures.describe(figures.term_bands(play.sleeper(RIGHT)))
    assert "node 3, paused from 3.00 s to 7.00 s, took itself for the leader of term 3 meanwhile." in told
    assert "At no time did two nodes lead." in figures.describe(figures.term_bands(play.cut_short(RIGHT)))


def test_the_numbers_of_the_explanation_are_those_of_the_run() -> None:
    said = re.search(
        r"for ([\d.]+) s both led\. (\d+) frames of node 3 were refused", play.my_numbers(play.sleeper(RIGHT))
    )
    assert said is not None and 1 < float(said[1]) < 3 and said[2] == "6"
    assert "nothing to count yet" in play.my_numbers(play.sleeper(RIGHT, pause=1.0))
    assert "Your class stopped node" in play.my_numbers(play.sleeper(wrong("raises")))


def test_the_friends_look_right_while_nothing_goes_wrong() -> None:
    for cls in friends.WRONG.values():
        world = play.play_scenario(
            cls, [("run", (1,), {}), ("say", ("hello", 1), {"author": "ann"}), ("run", (3,), {})]
        )
        assert not stopped(world) and all(screen == {1: "hello"} for screen in play.screens(world).values())
