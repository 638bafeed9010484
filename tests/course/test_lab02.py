"""Lab 02: what its runs, its judges and its picture say, and what its written test can tell apart.

`test_lab_mould` tries every answer and every mistake of the keys, as it does for each lab; here a class is played in
this process, which is quicker.
"""

import re
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import pytest
from trials import TestTrial

from chatsys.check import check
from chatsys.errors import UsageError
from chatsys.sim.world import World
from chatsys.teach.figures import describe
from chatsys.teach.grading import predictions, revealing
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.labs.lab02 import LAB, cones, play, sliders
from chatsys.teach.labs.lab02.cuts import cuts_of
from chatsys.teach.labs.lab02.events import Event, events_of, full
from chatsys.teach.labs.lab02.orders import is_before
from chatsys.teach.labs.lab02.past_and_future import places_of
from chatsys.teach.labs.lab02.queues import judge_queue
from chatsys.teach.labs.lab02.runs import RightQueue, history_of, talk_of
from chatsys.teach.labs.lab02.stage import REPLIES, Message, stopped, timed
from chatsys.teach.widgets.timeline.packing import pack
from chatsys.teach.widgets.timeline.verdicts import find_rules

COURSE = Path(__file__).parents[2] / "labs"
KEYS = read_keys(COURSE, LAB)
LAMPORT, VECTOR, ORDER, CAUSAL = (KEYS.answers[number]["reference"] for number in ("2.1", "2.2", "2.3", "2.4"))
SEED = play.SEED


def wrong(exercise: str, name: str) -> Any:
    return KEYS.mistakes[exercise][name].cls


# --- events and paths --------------------------------------------------------------------------


def reachable(events: list[Event]) -> set[tuple[str, str]]:
    """Return all pairs between which a path leads, found by walking: no vector, no number."""
    on: dict[str, list[str]] = {one.name: [] for one in events}
    for one in events:
        following = f"{one.node}.{one.number + 1}"
        on[one.name] += [following] if following in on else []
        if one.sent:
            on[one.sent].append(one.name)
    found = set()
    for start in on:
        waiting, seen = [start], set()
        while waiting:
            for after in on[waiting.pop()]:
                if after not in seen:
                    seen.add(after)
                    waiting.append(after)
        found |= {(start, one) for one in seen}
    return found


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_an_event_is_before_another_one_if_a_walk_along_messages_leads_there(seed: int) -> None:
    history = history_of(seed)
    walks = reachable(history.events)
    for one, other in permutations(history.events, 2):
        assert one.is_before(other) == ((one.name, other.name) in walks)
        vectors = full(one.past, history.nodes), full(other.past, history.nodes)
        assert is_before(*vectors) == one.is_before(other)


def test_an_event_counts_the_longest_path_that_ends_in_it() -> None:
    events = history_of(3).events
    by_name = {one.name: one for one in events}
    for one in events:
        before = [by_name[name] for name in (f"{one.node}.{one.number - 1}", one.sent) if name in by_name]
        assert one.chain == 1 + max((other.chain for other in before), default=0)


def test_the_seeds_have_every_kind_of_event_and_lines_that_must_wait() -> None:
    histories = [history_of(seed) for seed in range(LAB.exercises[0].public)]
    assert {event.kind for one in histories for event in one.events} == {"step", "says", "hears"}
    assert {len(one.nodes) for one in histories} == {3, 4} and {one.sparse for one in histories} == {True, False}
    assert all(60 <= len(one.events) <= 75 for one in histories)
    held = 0
    for seed in range(LAB.exercises[3].public):
        talk = talk_of(seed)
        for node, calls in talk.calls.items():
            queue = RightQueue(node, list(talk.nodes))
            for call in calls:
                if call.message is not None:
                    held += call.message not in queue.receive(call.message.sender, dict(call.stamp), call.message)
                else:
                    queue.stamp()
            assert not queue.waiting
    assert held > 100


def test_half_of_the_cuts_are_states_and_the_other_half_is_none() -> None:
    cuts = cuts_of(2)
    assert sum(cut.torn is None for cut in cuts) == len(cuts) // 2 == 12
    torn = next(cut for cut in cuts if cut.torn is not None)
    assert torn.torn is not None and torn.torn.cause is not None
    assert torn.counts[torn.torn.cause[0]] < torn.torn.cause[1]


@pytest.mark.parametrize("name", KEYS.answers["2.4"])
def test_right_queues_are_right_in_hundreds_of_runs(name: str) -> None:
    trial = TestTrial(KEYS.answers["2.4"][name], LAB.exercises[3])
    assert list(judge_queue(trial, range(3000, 3040))) == []


# --- the chat of the page ------------------------------------------------------------------------


def test_without_a_queue_an_answer_is_shown_before_its_question_and_with_one_none_is() -> None:
    assert any(one.startswith("node 3 showed") for one in play.answers_first(play.chat(seed=SEED)))
    for seed in range(15):
        run = play.chat(LAMPORT, VECTOR, CAUSAL, seed)
        assert play.answers_first(run) == [] and not run.failures
        assert len(play.said(run)) == 12 and all(len(play.shown(run, node)) == 12 for node in (1, 2, 3))
        assert play.too_early(play.in_order(run, "Lamport number")) == []


def test_everybody_has_something_to_say_to_every_question() -> None:
    assert all(REPLIES[text] in REPLIES for _, text in play.OPENERS)


def test_a_clock_that_is_ahead_turns_lines_round_and_no_path() -> None:
    run = play.chat(LAMPORT, VECTOR, CAUSAL, SEED)
    right, skewed = play.lines(run), play.lines(run, ahead=3.0)
    assert not any("<--" in line for line in right) and any("before its question" in line for line in skewed)
    assert play.swapped(run, 0.0) == 0 < play.swapped(run, 3.0)
    assert play.lines(run, ahead=3.0, sort="Lamport number") != play.lines(run, sort="node 1")
    with pytest.raises(UsageError, match="There is no order 'date'; write 'wall clock', 'Lamport number'"):
        play.lines(run, sort="date")


def test_the_numbers_of_the_explanation_are_those_of_the_run() -> None:
    run = play.chat(LAMPORT, VECTOR, CAUSAL, SEED)
    said = re.search(
        r"66 pairs; (\d+) pairs are concurrent\..* (\d+) pairs change their order, and (\d+) answers.* (\d+) do",
        play.my_numbers(run),
    )
    assert said is not None
    assert int(said[2]) == play.swapped(run, 3.0) and int(said[3]) > 0 and int(said[4]) == 0 < int(said[1])

    class Raises(CAUSAL):  # type: ignore[misc, valid-type]
        def receive(self, sender: int, stamp: Any, message: Any) -> Any:
            return stamp[7]

    broken = play.chat(causal=Raises)
    assert "Your class stopped node" in play.my_numbers(broken) and "KeyError: 7" in stopped(broken)[0]


def test_what_makes_no_sense_stops_the_node_with_a_sentence() -> None:
    returns_none = type("MyLamport", (LAMPORT,), {"send": lambda self: None})
    assert (
        "send of the Lamport clock must return a whole number; it returned None" in stopped(play.chat(returns_none))[0]
    )
    assert timed(returns_none).__name__ == "TimedWithMyLamport"


# --- the picture -------------------------------------------------------------------------------------


def marks(figure: Any, name: str) -> list[str]:
    return [point for one in figure.data if one.name == name for point in one.customdata or ()]


def test_past_and_future_are_those_of_the_paths_whatever_the_dates_are() -> None:
    run = play.chat(LAMPORT, VECTOR, CAUSAL, SEED)
    events = events_of(run.trace)
    chosen = events[len(events) // 2]
    figure = cones(run, ORDER, event=chosen.name)
    assert sorted(marks(figure, "before it")) == sorted(one.name for one in events if one.is_before(chosen))
    assert sorted(marks(figure, "after it")) == sorted(one.name for one in events if chosen.is_before(one))
    assert marks(figure, "the event itself") == [chosen.name]
    assert describe(figure).endswith("Your clocks say what the paths say.")
    with pytest.raises(UsageError, match="There is no event '9.9'"):
        cones(run, ORDER, event="9.9")


def test_the_numbers_of_neighbours_in_the_picture_do_not_touch() -> None:
    for seed in range(6):
        events = events_of(play.chat(LAMPORT, VECTOR, CAUSAL, seed).trace)
        places = places_of(events)
        order = sorted(events, key=lambda one: one.time)
        assert all(places[a.name] <= places[b.name] for a, b in pairwise(order)), "time goes to the right"
        wide = max(places.values())
        for node in (1, 2, 3):
            mine = sorted(places[one.name] for one in events if one.node == node)
            assert min(b - a for a, b in pairwise(mine)) > wide / 29  # a number of two digits, at 500 pixels


def test_the_timeline_of_a_world_without_terms_and_quorums_speaks_of_none() -> None:
    packed = pack(play.chat(LAMPORT, VECTOR, CAUSAL, SEED).trace)
    said = [packed.sentence(event) for event in range(packed.about["events"])]
    said += [band[4] for band in packed.about["bands"]] + [rule["says"] for rule in packed.about["rules"]]
    assert packed.about["quorum"] is None and not packed.about["jumps"]["election"]
    assert not [one for one in said if re.search(r"\b(term|quorum|committed|position)s?\b", one)]
    world = World(seed=SEED)
    world.run(3)
    world.say("hello")
    world.run(1)
    assert pack(world.trace).about["quorum"] == 2


def test_a_mistake_can_be_seen_in_the_picture() -> None:
    run = play.chat(wrong("2.1", "stamp not taken over"), VECTOR, CAUSAL, SEED)
    figure = cones(run, wrong("2.3", "compares like words"))
    rings = next(one for one in figure.data if one.name == "the paths say otherwise")
    late = next(one for one in figure.data if one.name == "arrives with no larger number")
    assert len(rings.x) > 0 and len(late.x) > 0
    assert re.search(r"\d+ of them wrong: .*, your clocks say .* arrive with a Lamport number", describe(figure))


def test_a_class_that_raises_does_not_take_the_picture_with_it() -> None:
    class Raises:
        def before(self, a: Any, b: Any) -> bool:
            return bool(a["x"])

        concurrent = before

    assert "Raises stopped: KeyError: 'x'" in describe(cones(play.chat(LAMPORT, VECTOR, CAUSAL), Raises))


def test_the_slider_sorts_the_chat_anew_and_leaves_the_figure_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    box = sliders(play.chat(LAMPORT, VECTOR, CAUSAL, SEED), ORDER)
    event, ahead, sort, code, _told, side = box.children
    figure, chat = side.children
    before, drawn = chat.value, [list(one.x or ()) for one in figure.data]
    ahead.value = 3.0
    assert "stand before what they answer" in chat.value != before and "lines(run, ahead=3," in code.value
    assert [list(one.x or ()) for one in figure.data] == drawn
    sort.value = "Lamport number"
    assert "Every answer stands after its question." in chat.value
    event.value = event.options[0]
    assert [list(one.x or ()) for one in figure.data] != drawn and f"event=&quot;{event.value}&quot;" in code.value
    monkeypatch.setenv("NBGRADER_EXECUTION", "1")
    assert sliders(play.chat(), ORDER) is None and cones(play.chat(), ORDER) is None


# --- the page --------------------------------------------------------------------------------------


def test_a_prediction_is_answered_by_the_students_own_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "kept", {})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    for number, answer in (("2a", "all three"), ("2b", 60), ("2c", "yes")):
        predictions.predict(number, answer)
    revealing.reveal("2a", VECTOR, ORDER)
    revealing.reveal("2b", LAMPORT, VECTOR, CAUSAL)
    figure = revealing.reveal("2c", LAMPORT)
    said = capsys.readouterr().out.replace("\n    ", " ")
    assert "it was b and d, and c and e. Behind your answer: no message between them taken for no path" in said
    assert re.search(r"2b  You said 60 pairs; .* it was \d+ pairs: \d+ pairs off", said)
    assert "it was perhaps. Behind your answer: a smaller number taken for a path" in said
    assert re.search(r"Of \d+ pairs with L\(a\) < L\(b\), \d+ \(\d+ %\) are concurrent", describe(figure))


def test_a_test_can_be_rehearsed_with_the_own_class(capsys: pytest.CaptureFixture[str]) -> None:
    world = play.rehearse(CAUSAL, lambda world: world.say("ok", 1), lambda trace: None)
    assert world.now == 10 and "accuses nobody" in capsys.readouterr().out.replace("\n", " ")
    play.rehearse(CAUSAL, lambda world: world.say("ok", 1), lambda trace: "Node 2 waits.")
    own = f"Played with your own class {CAUSAL.__name__}"
    assert capsys.readouterr().out.replace("\n", " ") == f"{own}, and the claim accuses it: Node 2 waits. "
    play.rehearse(CAUSAL, lambda world: world.say("ok", 1), lambda trace: True)  # type: ignore[arg-type, return-value]
    said = capsys.readouterr().out.replace("\n", " ")
    assert said.startswith(f"{own}: the claim returned True; it must return a sentence")


def test_a_timeline_does_not_call_it_broken_that_concurrent_lines_have_two_orders() -> None:
    def scenario(world: Any) -> None:
        world.say("a", 1)
        world.say("b", 2)

    world = play.rehearse(CAUSAL, scenario, lambda trace: None)
    assert [one.text for one in world.trace.of("deliver") if one.node == 1] == ["a", "b"]
    assert [one.text for one in world.trace.of("deliver") if one.node == 2] == ["b", "a"]
    rules = find_rules(world.trace, list(world.trace.in_order()))
    assert {rule["name"] for rule in rules} == {"S2", "S3", "S4", "S9"} and all(rule["held"] for rule in rules)


def test_a_timeline_of_a_clock_does_not_call_it_broken_that_lines_are_shown_as_they_arrive() -> None:
    overtaken = 0
    for seed in range(4, 12):
        world = play.chat(lamport=LAMPORT, seed=seed)
        overtaken += len(list(check(world.trace, ["S9"])))
        rules = find_rules(world.trace, list(world.trace.in_order()))
        assert {rule["name"] for rule in rules} == {"S2", "S3", "S4"} and all(rule["held"] for rule in rules)
    assert overtaken, "in none of these runs does a line overtake another one"


# --- what the judge says -------------------------------------------------------------------------


def test_the_call_that_is_to_blame_is_marked() -> None:
    trial = TestTrial(wrong("2.4", "order of each sender only"), LAB.exercises[3])
    finding = next(one for one in judge_queue(trial, range(10)) if one.aspect == "causal")
    [marked] = [step for step in finding.steps if step.wrong]
    said = re.search(r"node (\d) showed message (\d\.\d+) at ([\d.]+ s)", finding.sentence)
    assert said is not None and marked.node == int(said[1]) and marked.when == said[3] and said[2] in marked.returned
    assert finding.trace is not None


def test_queues_that_share_a_list_are_found_when_they_work_side_by_side() -> None:
    [finding] = judge_queue(TestTrial(wrong("2.4", "one list for all nodes"), LAB.exercises[3]), range(3))
    assert finding.aspect == "runs" and "share one list" in finding.sentence


def test_messages_of_equal_texts_are_told_apart_by_the_judge() -> None:
    assert {Message(1, 1, "ok"), Message(1, 2, "ok")} != {Message(1, 1, "ok")}
    texts = [one.message.text for one in talk_of(0).calls[1] if one.message is not None]
    assert len(set(texts)) < len(texts)
