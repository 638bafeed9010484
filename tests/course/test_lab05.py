"""Lab 05: what its runs, its judge and its figures say, and what its written test can tell apart.

`test_lab_mould` tries every answer and every mistake of the keys, as it does for each lab; here a class is played in
this process, which is quicker.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from chatsys.check import check
from chatsys.errors import UsageError
from chatsys.sim.world import World
from chatsys.teach import figures
from chatsys.teach.figures.elections import find_together
from chatsys.teach.figures.role_spans import story
from chatsys.teach.grading import predictions, revealing
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.labs.lab05 import LAB, friends, play
from chatsys.teach.labs.lab05.checks import judge_run
from chatsys.teach.labs.lab05.orders import Coordinator, Election, Follow, Lead, Ok, Send, Wait, shown
from chatsys.teach.labs.lab05.runs import ElectionRun, play_seed
from chatsys.teach.labs.lab05.stage import election, stopped
from chatsys.teach.labs.lab05.storms import messages, one_election, quiet

COURSE = Path(__file__).parents[2] / "labs"
KEYS = read_keys(COURSE, LAB)
RIGHT: Any = KEYS.answers["5.1"]["reference"]


def wrong(name: str) -> Any:
    return KEYS.mistakes["5.1"][name].cls


def found(run: ElectionRun) -> list[str]:
    return [finding.aspect for finding in judge_run(run)]


# --- runs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KEYS.answers["5.1"])
def test_right_answers_are_right_in_hundreds_of_runs(name: str) -> None:
    for seed in range(5000, 5150):
        assert found(play_seed(KEYS.answers["5.1"][name], seed)) == [], f"seed {seed}"


def test_the_seeds_show_every_kind_of_fault_and_every_size() -> None:
    runs = [play_seed(RIGHT, seed) for seed in range(LAB.exercises[0].public)]
    kinds = {record.kind for run in runs for record in run.world.trace}
    assert {"crash", "restart", "cut", "lose", "slow", "heal"} <= kinds
    assert {len(run.world.nodes) for run in runs} == {3, 4, 5}
    assert {moment.aspect for run in runs for moment in run.moments} == {"highest", "one"}


def test_the_chat_itself_finds_the_term_with_two_leaders() -> None:
    assert not check(play.split(RIGHT, 1).trace)
    assert any("S5" in one.invariant for one in check(play.outage(play._Hasty).trace))


def test_what_makes_no_sense_stops_the_node_with_a_sentence() -> None:
    def made(orders: Any) -> Any:
        return type("MyBully", (), {"__init__": lambda self, *arguments: None, "suspect": lambda self: orders})

    for orders, sentence in (
        (None, "suspect returned None; return a list of Send, Lead, Follow and Wait, [] for none"),
        ([Send(7, Ok())], "Send(7, Ok()) was ordered; the others of node 1 are [2, 3]"),
        ([Follow(1, 1)], "Follow(1, 1) was ordered; the others of node 1 are [2, 3]"),
        ([Lead(-1)], "Lead(-1) was ordered; a term is a whole number from 0 on"),
        ([Wait(0)], "Wait(0) was ordered; wait more than 0 and at most 60 seconds"),
    ):
        world = World(1, actor=election(made(orders), "in turn"))
        world.run(0.15)
        assert stopped(world) == [f"node 1 stopped, because {sentence}"]


def test_nodes_that_answer_each_other_without_end_are_told_so() -> None:
    class Echoes(RIGHT):  # type: ignore[misc]
        def receive(self, sender: int, message: Any) -> Any:
            return [Send(sender, message)] * 2

    [finding] = judge_run(play_seed(Echoes, 1))
    assert finding.aspect == "runs" and "sent messages without end" in finding.sentence
    assert len(finding.sentence) <= 300


# --- what the judge says -----------------------------------------------------------------------


def test_the_term_with_two_leaders_is_told_with_both_times_and_how_they_counted() -> None:
    sentences = [one.sentence for one in judge_run(play_seed(wrong("everybody counts one up"), 0))]
    said = re.search(r"node (\d) and node (\d) both led term (\d+): .* Both counted (\d+) \+ 1\.", sentences[0])
    assert said is not None and said[1] != said[2] and int(said[3]) == int(said[4]) + 1


def test_the_call_that_is_to_blame_is_marked() -> None:
    for seed in range(20):
        for finding in judge_run(play_seed(wrong("an older COORDINATOR is believed"), seed)):
            [marked] = [step for step in finding.steps if step.wrong]
            term = re.search(r"to term (\d+) at ([\d.]+) s", finding.sentence)
            assert term is not None
            assert f"Coordinator({term[1]})" in marked.call and marked.when == f"{term[2]} s"
            return
    raise AssertionError("no seed shows it")


def test_a_wait_that_is_drawn_by_chance_is_no_shared_state() -> None:
    from random import uniform

    from trials import TestTrial

    from chatsys.teach.labs.lab05.checks import judge_election

    class Draws(RIGHT):  # type: ignore[misc]
        def suspect(self) -> Any:
            return [Wait(uniform(0.4, 0.6)) if isinstance(one, Wait) else one for one in super().suspect()]

    assert list(judge_election(TestTrial(Draws, LAB.exercises[0]), range(3))) == []


# --- the storm -----------------------------------------------------------------------------------


@pytest.mark.parametrize("nodes", [2, 3, 5, 7])
def test_one_election_takes_the_messages_of_the_textbook(nodes: int) -> None:
    everybody = messages(one_election(RIGHT, nodes, 1).world.trace)
    assert len(everybody) == nodes**2 - 1
    assert len(messages(one_election(RIGHT, nodes, nodes - 1, dead=True).world.trace)) == nodes
    asked = [one for one in everybody if one.message == "ELECTION"]
    assert len(asked) == nodes * (nodes - 1) // 2


def test_a_quiet_minute_takes_heartbeats_only() -> None:
    trace = quiet(RIGHT, 3, 1).world.trace
    assert messages(trace) and not messages(trace, since=10.0)
    assert any(one.message == "HEARTBEAT" and one.time > 60 for one in trace.of("send"))


def test_the_storm_has_a_button_for_each_line_of_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play, "MOST_NODES", 4)
    monkeypatch.setattr(play, "RUNS", 2)
    page = (COURSE / "source" / LAB.name / f"{LAB.name}.ipynb").read_text(encoding="utf-8")
    for timers, label in play.VIEWS.items():
        figure = play.storm(RIGHT, timers=timers)  # type: ignore[arg-type]
        [menu] = figure.layout.updatemenus
        assert menu.buttons[menu.active].label == label and f"*{label}*" in page
        shown = menu.buttons[menu.active].args[0]["visible"]
        assert [bool(trace.visible is not False) for trace in figure.data] == list(shown)
        assert "with 4 nodes: 15 (all are up" in figures.describe(figure)
    with pytest.raises(UsageError, match="There are no timers 'none'; write 'off', 'spread', 'aligned'"):
        play.storm(RIGHT, timers="none")  # type: ignore[arg-type]


def test_a_class_that_stops_cannot_be_counted() -> None:
    with pytest.raises(UsageError, match=r"node \d stopped, because your class raised KeyError: \d.*mend that before"):
        play.storm(wrong("raises"))


# --- the bands -----------------------------------------------------------------------------------


def test_two_leaders_of_two_terms_are_allowed_and_of_one_are_not() -> None:
    split = play.split(RIGHT, 1)
    assert "two terms, so that is allowed" in figures.describe(figures.term_bands(split))
    assert {name.name for name in figures.term_bands(split).data} >= {"term 3", "term 5", "leads (thick)"}
    [first, *_] = find_together(story(split.trace).bands())
    assert not first.wrong and first.first.term != first.second.term
    hasty = play.outage(play._Hasty)
    figure = figures.term_bands(hasty)
    assert "one term, two leaders, and that is wrong" in figures.describe(figure)
    assert "two leaders of one term" in {trace.name for trace in figure.data}


def test_a_leader_is_thick_a_follower_thin_and_the_colour_is_that_of_the_term() -> None:
    bars = [trace for trace in figures.term_bands(play.outage(RIGHT)).data if trace.type == "bar"]
    assert len({bar.marker.color for bar in bars}) == len(bars) == 3
    for bar in bars:
        assert sum(width > 0.5 for width in bar.width) == 1 and len(bar.width) >= 3


# --- the page --------------------------------------------------------------------------------------


def test_a_prediction_is_answered_by_the_students_own_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "kept", {})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    for number, answer in (("5a", 4), ("5b", 2), ("5c", "yes, node 3 has no majority")):
        predictions.predict(number, answer)
    shown = [revealing.reveal(number, RIGHT) for number in ("5a", "5b", "5c")]
    said = capsys.readouterr().out.replace("\n    ", " ")
    assert "it was 10." in said and "it was 2: right." in said
    assert "it was no, their terms differ. Behind your answer: Bully taken for a vote" in said
    assert figures.describe(shown[1]).endswith("allowed.")


def test_the_two_numbers_of_the_explanation_are_those_of_the_run() -> None:
    world = play.outage(RIGHT, 3)
    said = re.search(
        r"Node 4 crashed at 6\.00 s and node 3 led from ([\d.]+) s on: for ([\d.]+) s nobody led",
        play.my_numbers(world),
    )
    assert said is not None and abs(float(said[1]) - 6 - float(said[2])) < 0.02 and 2 < float(said[2]) < 4.5
    assert "nothing to count yet" in play.my_numbers(play.outage(friends.OnlyTheHighest, 3))
    assert "Your class stopped node" in play.my_numbers(play.outage(wrong("raises"), 3))


def test_the_friends_look_right_while_nothing_goes_wrong() -> None:
    for cls in friends.WRONG.values():
        trace = play.play_scenario(cls, [("run", (3,), {})]).trace
        assert not stopped(play.play_scenario(cls, [])) and trace.of("lead")


def test_the_orders_are_shown_as_students_write_them() -> None:
    assert shown([Send(2, Election(4)), Send(2, Ok()), Lead(5), Follow(3, 6), Wait(0.5)]) == (
        "[Send(2, Election(4)), Send(2, Ok()), Lead(5), Follow(3, 6), Wait(0.5)]"
    )
    assert shown(Coordinator(3)) == "Coordinator(3)" and shown(None) == "None"
