"""Lab 01: what its runs, its judges and its figures say.

`test_lab_mould` tries every answer and every mistake of the keys, as it does for each lab; here a class is played in
this process, which is quicker.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from trials import TestTrial

from chatsys.check import check
from chatsys.errors import UsageError
from chatsys.sim.world import World
from chatsys.teach import figures
from chatsys.teach.figures.sequences import _in_short
from chatsys.teach.grading import predictions, revealing
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.labs.lab01 import LAB, friends, picture, play
from chatsys.teach.labs.lab01.checks import judge_receiver, judge_sender, tell_receiver, tell_sender
from chatsys.teach.labs.lab01.drawing import draw_counts
from chatsys.teach.labs.lab01.packets import Acknowledgement, Packet, bytes_of, shown
from chatsys.teach.labs.lab01.runs import play_receiver, play_sender, play_twice
from chatsys.teach.labs.lab01.stage import linked, stopped
from chatsys.teach.widgets.timeline.packing import pack

COURSE = Path(__file__).parents[2] / "labs"
KEYS = read_keys(COURSE, LAB)
SENDER: Any = KEYS.answers["1.1"]["reference"]
RECEIVER: Any = KEYS.answers["1.2"]["reference"]


def wrong(number: str, name: str) -> Any:
    return KEYS.mistakes[number][name].cls


# --- runs and judges -------------------------------------------------------------------------


@pytest.mark.parametrize("name", KEYS.answers["1.1"])
def test_right_senders_are_right_in_many_runs(name: str) -> None:
    for seed in range(5000, 5060):
        assert tell_sender(play_sender(KEYS.answers["1.1"][name], seed)) == [], f"seed {seed}"


@pytest.mark.parametrize("name", KEYS.answers["1.2"])
def test_right_receivers_are_right_in_many_runs(name: str) -> None:
    for seed in range(5000, 5100):
        assert tell_receiver(play_receiver(KEYS.answers["1.2"][name], seed)) == [], f"seed {seed}"


def test_the_seeds_lose_repeat_reorder_and_cut() -> None:
    runs = [play_receiver(RECEIVER, seed) for seed in range(LAB.exercises[0].public)]
    kinds = {record.kind for run in runs for record in run.world.trace}
    assert {"drop", "hold", "cut", "heal"} <= kinds
    reasons = {record.reason for run in runs for record in run.world.trace.of("drop")}
    assert {"lost", "cut"} <= reasons
    came = [one.id for run in runs for one in run.world.trace.of("receive")]
    assert len(came) > len(set(came)), "the link makes copies, too"
    texts = [[one.text for one in run.world.trace.of("submit")] for run in runs]
    assert all(len(some) == 8 for some in texts) and any(len(set(some)) < 7 for some in texts)


def test_both_classes_together_deliver_once_and_in_order_as_the_chat_itself_sees_it() -> None:
    for seed in range(20):
        world = play.talk(SENDER, RECEIVER, seed, loss=0.4, copies=0.3)
        assert world.delivered(2) == list(play.TEXTS) and not check(world.trace)
    broken = {one.invariant for seed in range(5) for one in check(play.talk(None, friends.DeliversAll, seed).trace)}
    assert broken, "deliveries that come twice or in another order break a rule of the chat"


def test_what_makes_no_sense_stops_the_node_with_a_sentence() -> None:
    def talks(packets: Any) -> Any:
        return type("MySender", (friends.SendsOnce,), {"say": lambda self, text, now: packets})

    def listens(answer: Any) -> Any:
        return type("MyReceiver", (), {"receive": lambda self, packet: answer})

    for sender, receiver, sentence in (
        (talks(None), None, "node 1 stopped, because say returned None; return a list of packets, [] for none"),
        (talks(Packet(1, "x")), None, 'node 1 stopped, because say returned Packet(1, "x"); return a list of packets, [] for none'),
        (talks([Packet(-1, "x")]), None, 'node 1 stopped, because say returned [Packet(-1, "x")]; return a list of packets, [] for none'),
        (None, listens([]), "node 2 stopped, because receive returned []; return two lists: the packets to deliver, and the numbers to acknowledge"),
        (None, listens((["ok"], [1])), 'node 2 stopped, because receive returned (["ok"], [1]); return two lists: the packets to deliver, and the numbers to acknowledge'),
    ):  # fmt: skip
        assert stopped(play.talk(sender, receiver, 1)) == [sentence]


def test_node_2_only_listens_and_says_so() -> None:
    world = World(1, 2, actor=linked(SENDER, RECEIVER))
    world.say("hello", 2)
    world.run(1)
    [refused] = world.trace.of("refuses")
    assert refused.reason == "node 2 only listens; say it at node 1" and not world.failures


def test_a_cause_is_known_and_not_guessed() -> None:
    for name, said in (
        ("copies by text", "has the same text and is no copy"),
        ("throws away what is early", "came early"),
        ("one at a time", "delivered it only"),
        ("never goes back", "a packet with a smaller number can still be new"),
    ):
        found = list(judge_receiver(TestTrial(wrong("1.2", name), LAB.exercises[1]), range(6)))
        best = max((one for one in found if one.aspect == "complete"), key=lambda one: one.rank)
        assert said in best.sentence, name
        assert name == "copies by text" or not any("same text" in one.sentence for one in found)


def test_a_copy_that_was_kept_is_blamed_for_the_packet_behind_it_and_no_later_packet_is() -> None:
    found = list(judge_receiver(TestTrial(wrong("1.2", "copies stand in the queue"), LAB.exercises[1]), [1]))
    [stuck] = [one for one in found if one.aspect == "complete"]
    assert stuck.sentence == (
        "With seed 1 packet 7 came at 2.08 s, all before it were delivered, and node 2 did not deliver it; without the copy of "
        "packet 6 at 0.93 s it would have: was that copy kept?"
    )
    [early] = judge_receiver(TestTrial(wrong("1.2", "copies stand in the queue"), LAB.exercises[1]), [260957603890308])
    assert re.search(r"packet 7 came at 0\.91 s; at 1\.\d\d s all before it were delivered", early.sentence), (
        early.sentence
    )
    for name in ("throws away what is early", "one at a time", "never goes back", "copies by text", "in no order"):
        others = judge_receiver(TestTrial(wrong("1.2", name), LAB.exercises[1]), range(12))
        assert not any("without the copy" in one.sentence for one in others), name


def test_the_same_acknowledgement_comes_twice_in_an_extra_run_that_all_students_see() -> None:
    found = list(
        judge_sender(TestTrial(wrong("1.1", "any acknowledgement is for the first"), LAB.exercises[0]), range(12))
    )
    assert [one.sentence for one in found] == [
        "In an extra run the acknowledgement of packet 1 came once more at 0.24 s, and node 1 did not send packet 2 again after "
        "that; it was no acknowledgement of packet 2."
    ]
    [marked] = [step for step in found[0].steps if step.wrong]
    assert marked.call == "ack(1, 0.24)" and marked.waiting == "unanswered: 2"
    run = play_twice(SENDER)
    answers = [one.arguments[0] for one in run.calls if one.method == "ack"]
    assert answers.count(1) == 2 and len(answers) == 4 and len(run.world.trace.of("drop")) == 1
    assert [one.seq for one in run.world.trace.of("drop")] == [2], "it is lost once, and comes when it is sent again"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kept under its text", "two equal texts are still two"),
        ("any acknowledgement is for the first", "came once more"),
        ("all up to here", "which says nothing about packet"),
        ("one timer for all", "and again only at"),
        ("gives up", "5 times in all"),
    ],
)
def test_what_a_sender_forgets_is_told_with_its_cause_and_with_no_other(name: str, said: str) -> None:
    found = list(judge_sender(TestTrial(wrong("1.1", name), LAB.exercises[0]), range(40)))
    causes = ("are still two", "came once more", "says nothing about packet", "and again only at", "times in all")
    told = max((one for one in found if one.aspect == "arrive"), key=lambda one: one.rank).sentence
    assert [one for one in causes if one in told] == [next(one for one in causes if one in said)] and said in told


def test_the_call_that_is_to_blame_is_marked() -> None:
    finding = next(judge_sender(TestTrial(wrong("1.1", "timers pile up"), LAB.exercises[0]), range(4)))
    said = re.search(
        r"packet (\d+) was acknowledged at ([\d.]+) s, and node 1 sent it again at ([\d.]+)", finding.sentence
    )
    [marked] = [step for step in finding.steps if step.wrong]
    assert said is not None and marked.when == f"{said[3]} s" and f"Packet({said[1]}," in marked.returned
    assert any(step.call.startswith(f"ack({said[1]}, {said[2]}") for step in finding.steps)


def test_every_sentence_of_a_mistake_is_short_and_names_its_node_or_packet_and_its_moment() -> None:
    for exercise, judge in zip(LAB.exercises, (judge_sender, judge_receiver), strict=True):
        for name, mistake in KEYS.mistakes[exercise.number].items():
            for finding in judge(TestTrial(mistake.cls, exercise), range(8)):
                assert len(finding.sentence) <= 200, (name, finding.sentence)
                said = finding.sentence
                named = re.search(r"(node|packet) \d", said) and re.search(r"\d\.\d\d s|call \d", said)
                assert named or "share" in said, said


# --- the picture -----------------------------------------------------------------------------


def test_a_packet_has_the_same_fate_under_every_promise() -> None:
    def fates(world: World) -> dict[tuple[Any, ...], bool]:
        lost = {one.id for one in world.trace.of("drop")}
        times: dict[Any, int] = {}
        found = {}
        for one in world.trace.of("send"):
            key = one.node, one.seq
            times[key] = times.get(key, 0) + 1
            found[*key, times[key]] = one.id in lost
        return found

    few, many = fates(play.talk(friends.SendsOnce, friends.DeliversAll, 5)), fates(play.talk(SENDER, RECEIVER, 5))
    both = few.keys() & many.keys()
    assert len(both) >= len(play.TEXTS) and all(few[one] == many[one] for one in both)


def test_the_four_promises_stand_side_by_side_with_packets_and_bytes() -> None:
    figure = picture.guarantees(SENDER, RECEIVER)
    told = figures.describe(figure)
    assert re.fullmatch(
        r"At most once: 6 packets, [\d,]+ bytes, \d missing; at least once: (\d+) packets, ([\d,]+) bytes, \d cop(?:y|ies); "
        r"exactly once: \1 packets, \2 bytes, out of order; in order: \1 packets, \2 bytes, all in order\.",
        told,
    )
    names = {trace.name for trace in figure.data if trace.showlegend}
    assert names >= {
        "sent for the first time",
        "sent again",
        "acknowledgement",
        "lost",
        "waits",
        "delivered",
        "delivered once more",
    }
    [again] = [trace for trace in figure.data if trace.name == "sent again"]
    [lost] = [trace for trace in figure.data if trace.name == "lost"]
    assert again.y[0] > min(lost.y), "it starts under the cross"


def test_a_mistake_can_be_seen_in_the_picture() -> None:
    right, piles = (
        figures.describe(picture.guarantees(one, RECEIVER)) for one in (SENDER, wrong("1.1", "timers pile up"))
    )

    def packets(told: str) -> list[int]:
        return [int(one) for one in re.findall(r"(\d+) packets", told)]

    assert packets(piles)[3] > packets(right)[3] and packets(piles)[0] == packets(right)[0]
    early = figures.describe(picture.guarantees(SENDER, wrong("1.2", "in no order")))
    assert early.endswith("out of order.") and right.endswith("all in order.")
    assert "node 1 stopped, because your class raised" in figures.describe(
        picture.guarantees(wrong("1.1", "a second acknowledgement"), RECEIVER, 4, copies=0.5)
    )


def test_a_slider_draws_anew_and_says_the_line_of_code_that_does_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    *sliders, code, drawn = picture.sliders(SENDER, RECEIVER, 5).children
    assert [one.label for one in sliders] == ["another run", "get lost", "come twice"]
    [before] = drawn.outputs
    sliders[1].value = 0.5
    assert code.value == "<code>guarantees(MySender, MyReceiver, seed=5, loss=0.5, copies=0)</code>"
    [after] = drawn.outputs
    assert after["data"]["text/plain"].startswith("What a promise costs: At most once: 6 packets") and after != before
    assert after["data"]["application/vnd.plotly.v1+json"]["data"]


def test_a_long_run_is_cut_off_and_says_so() -> None:
    told = figures.describe(picture.guarantees(SENDER, wrong("1.2", "acknowledges only what is new"), 0))
    assert re.search(r" It goes on until 1\d\.\d s\.$", told)


def test_bytes_are_those_of_the_wire() -> None:
    assert bytes_of(Packet(12, "ok")) == len(b'{"type":"PACKET","number":12,"text":"ok"}')
    assert bytes_of(Acknowledgement(12)) == len(b'{"type":"ACKNOWLEDGE","number":12}')


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"loss": 0.95}, "loss is 0.95; give a share of the packets from 0 to 0.9"),
        ({"copies": 1.5}, "copies is 1.5; give a share of the packets from 0 to 1"),
        ({"loss": "much"}, "loss"),
    ],
)
def test_a_share_that_is_none_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        picture.guarantees(SENDER, RECEIVER, **options)


def test_the_picture_wants_classes() -> None:
    with pytest.raises(UsageError, match=r"is no class; give your sender: guarantees\(MySender, MyReceiver\)"):
        picture.guarantees(SENDER(), RECEIVER)


def test_the_lanes_of_a_run_of_the_chat_are_drawn_too() -> None:
    world = World(1)
    assert "No frame was sent" in figures.describe(figures.packet_lanes(world))
    world.run(1)
    assert re.match(r"\d+ frames, none of them lost", figures.describe(figures.packet_lanes(world)))


# --- the page --------------------------------------------------------------------------------


def test_a_prediction_is_answered_by_the_students_own_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "kept", {})
    monkeypatch.setattr(play, "RUNS", 40)  # the sentence says 100, which is what everybody else waits for
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    for number, answer in (("1a", 20), ("1b", 0), ("1c", "the packet")):
        predictions.predict(number, answer)
    shown_figures = [revealing.reveal(number, SENDER, RECEIVER) for number in ("1a", "1b", "1c")]
    said = capsys.readouterr().out.replace("\n    ", " ")
    counted = re.search(
        r"You said 20 packets; on average in 100 runs from seed \d+ on it was (\d+) packets: \d+ packets off", said
    )
    assert counted is not None and 38 <= int(counted[1]) <= 45
    share = re.search(r"You said 0 %; in 20 runs from seed \d+ on it was (\d+) %: \d+ % off", said)
    assert share is not None and 35 <= int(share[1]) <= 47
    assert "Behind your answer: a missing acknowledgement taken for a missing packet" in said
    average = re.search(r"40 runs: (\d+) packets on average", figures.describe(shown_figures[0]))
    assert average is not None and average[1] == counted[1]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (41, "you said 41"),
        (52, "you said 52"),
        (10**6, "you said 1,000,000 (beyond the edge)"),
        (-3, "you said -3 (beyond the edge)"),
    ],
)
def test_no_label_of_the_counts_touches_another_one_or_is_crossed_by_a_line(said: int, shown: str) -> None:
    for first in (30, 41, 52):
        figure = draw_counts([first, 30, 35, 40, 44, 52], 40.8, said)
        labels = {one.text: one for one in figure.layout.annotations}
        assert set(labels) == {f"your first run: {first}", "20 / (0.7 · 0.7) = 41", shown}
        assert sorted(one.yshift for one in labels.values()) == [0, 18, 36], "each has a level of its own"
        low, high = figure.layout.xaxis.range
        assert all(low < line.x0 < high for line in figure.layout.shapes) and high < 120
        letter = 7.5 * (high - low) / 400
        for one in labels.values():
            begin = one.x if one.xanchor == "left" else one.x - letter * len(one.text)
            assert low <= begin and begin + letter * len(one.text) <= high, "it is cut off"
            above = [other.x for other in labels.values() if other.yshift > one.yshift]
            assert not [at for at in above if begin < at < begin + letter * len(one.text)], "a line crosses it"
    assert len(draw_counts([41, 30], 40.8).layout.annotations) == 2


def test_a_reveal_says_what_keeps_it_from_an_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "kept", {"1a": 20, "1c": "the packet"})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    revealing.reveal("1c", friends.SendsOnce, RECEIVER)
    assert (
        "in 20 runs no text was delivered twice; does your sender send anything again?"
        in capsys.readouterr().out.replace("\n    ", " ")
    )
    revealing.reveal("1a", SENDER, wrong("1.2", "raises"))
    assert re.search(
        r"yet: node 2 stopped, because your class raised KeyError: \d \(.*\)\.$",
        capsys.readouterr().out.replace("\n    ", " "),
    )


def test_the_two_numbers_of_the_explanation_are_those_of_the_run() -> None:
    said = re.fullmatch(
        r"(\d+) packets were sent for 6 texts\. (\d+) of them got no answer in time, and (\d+) of these \2 had arrived all the same\.",
        play.my_numbers(play.talk(SENDER, RECEIVER)),
    )
    assert said is not None and int(said[1]) > int(said[2]) > int(said[3]) > 0
    assert "nothing to explain yet" in play.my_numbers(play.talk(SENDER, RECEIVER, loss=0.0))
    assert "Your class stopped node 2" in play.my_numbers(play.talk(SENDER, wrong("1.2", "raises")))


def test_the_timeline_tells_a_run_in_the_words_of_the_lab() -> None:
    packed = pack(play.talk(None, friends.DeliversAll).trace)
    told = [packed.sentence(event) for event in range(len(packed.records))]
    for sentence in (
        "Node 1 says “Who has the key?”.", "Node 1 sends message #1 (PACKET) to node 2.",
        "Node 2 sends the acknowledgement of #1 (ACKNOWLEDGE) to node 1.", "Node 2 delivers message #1, “Who has the key?” of node 1.",
    ):  # fmt: skip
        assert sentence in told
    assert not [one for one in told if "place" in one or "log" in one]


def test_the_lanes_mark_the_crash_and_the_restart_and_what_found_nobody() -> None:
    world = play.crashing(SENDER, RECEIVER)
    figure = figures.packet_lanes(world)
    drawn = {one.name: one for one in figure.data if one.name}
    assert list(drawn["crashes"].y) == [1.0] and list(drawn["restarts"].y) == [1.5]
    assert drawn["crashes"].marker.symbol != drawn["restarts"].marker.symbol != drawn["lost"].marker.symbol
    assert [one.text for one in figure.layout.annotations if "s" in one.text] == ["crashes, 1.00 s", "restarts, 1.50 s"]
    dotted = [one for one in figure.data if one.mode == "lines" and one.line.dash == "dot"]
    assert [list(one.y) for one in dotted] == [[1.0, 1.5, None]], "the lane of a node that is down"
    nobody = [one for one in world.trace.of("drop") if one.reason == "nobody there"]
    ends = dict(zip(drawn["lost"].y, drawn["lost"].x, strict=True))
    assert nobody and all(ends[one.time] == drawn["crashes"].x[0] for one in nobody), "its cross stands at the lane"
    told = figures.describe(figure)
    assert f"{len(nobody)} met a node that was down" in told
    assert told.endswith("Node 2 crashes at 1.00 s, node 2 restarts at 1.50 s.")
    assert "crash" not in figures.describe(figures.packet_lanes(play.talk(SENDER, RECEIVER)))


def test_a_node_that_a_class_stops_is_marked_in_the_lanes() -> None:
    told = figures.describe(figures.packet_lanes(play.talk(SENDER, wrong("1.2", "raises"))))
    assert re.search(r"Node 2 stops itself at \d\.\d\d s\.$", told)


def test_many_numbers_that_go_out_at_one_moment_are_written_as_ranges() -> None:
    assert [_in_short(some) for some in ([3, 6], [6, 7, 1], [4, 5, 6, 7, 1], [4, 4, 5, 9], [9, 8, 7, 6])] == [
        "3,6", "6,7,1", "1,4..7", "4,5,9", "6..9",
    ]  # fmt: skip


def test_a_receiver_that_crashes_forgets_what_is_due() -> None:
    world = play.crashing(SENDER, RECEIVER)
    after = [one.seq for one in world.trace.of("deliver") if one.time > 1.5]
    assert world.trace.of("crash") and world.trace.of("restart")
    assert after != list(range(len([one for one in world.trace.of("deliver") if one.time < 1.0]) + 1, 7))


def test_what_is_shown_is_what_students_write() -> None:
    assert shown([Packet(1, "ok")]) == '[Packet(1, "ok")]' and shown(([], [2])) == "([], [2])"
    assert shown("a text that is far too long to be shown") == '"a text that is far too..."'
