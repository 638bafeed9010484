"""The timeline's model by hand: the axis, flights, faults over lanes, the state of each node, sentences, verdicts."""

import json
import re
from typing import Any

import msgspec
import numpy as np
import pytest

from chatsys import trace as traces
from chatsys.actor.words import CHAT, Words
from chatsys.protocol.messages import NODE_MESSAGES
from chatsys.teach.widgets.timeline.axis import LEAST, MOST, in_causal_order, places
from chatsys.teach.widgets.timeline.lanes import find_lanes
from chatsys.teach.widgets.timeline.moment import NodeMoment, moment
from chatsys.teach.widgets.timeline.packing import Packed, pack
from chatsys.teach.widgets.timeline.sentences import TEMPLATES, fill, templates_for
from chatsys.teach.widgets.timeline.spans import Faults
from chatsys.trace import Record, Trace

META = {"where": "sim", "seed": 7, "members": [1, 2, 3], "quorum": 2}


def packed(*records: Record, **meta: Any) -> Packed:
    return pack(Trace(records, META | meta))


def frames(got: Packed) -> list[tuple[int, ...]]:
    """Return (send, from, to, fate, end) of each frame."""
    names = ("frame_send", "frame_from", "frame_to", "frame_fate", "frame_end")
    return list(zip(*(got.columns[name].tolist() for name in names), strict=True))


def faults(*records: Record) -> list[list[Any]]:
    trace = Trace(records, META)
    return Faults(find_lanes(trace, trace.records)).feed(trace.records).found(9.0)


def told(got: Packed, node: int, event: int = -1) -> NodeMoment:
    return moment(got, len(got.records) - 1 if event < 0 else event)[node]


def boxes(state: NodeMoment) -> str:
    """Return the boxes of a log: `1:2dc`, the place, the term, d for durable, c for committed."""
    return " ".join(f"{box.position}:{box.entry_term}{'d' * box.durable}{'c' * box.committed}" for box in state.log)


def append(time: float, node: int, seq: int, term: int, incarnation: int = 1, **more: Any) -> Record:
    return Record(time, "append", node, incarnation, term, "follower", seq=seq, entry_term=term, entry="chat", **more)


def durable(time: float, seq: int | None) -> Record:
    return Record(time, "durable", 1, 1, 1, "follower", seq=seq)


# --- the axis ----------------------------------------------------------------------------------


def test_a_frame_of_five_milliseconds_leans_and_a_silence_is_short() -> None:
    found = places([0.0, 0.005, 0.805, 0.806], [0, 1, 0, 1], [-1, 0, -1, 2])
    assert found == pytest.approx([0.0, 5.0, 5.0 + MOST, 6.0 + MOST])


def test_what_happens_at_one_moment_shares_a_place_unless_one_lane_or_one_frame_parts_it() -> None:
    assert places([1.0, 1.0, 1.0, 1.0], [0, 1, 1, 2], [-1, -1, -1, -1]) == [0.0, 0.0, LEAST, LEAST]
    assert places([1.0, 1.0], [0, 1], [-1, 0]) == [0.0, LEAST], "an arrow leads to the right"


def test_a_frame_that_seems_to_arrive_before_it_was_sent_moves_its_receiver() -> None:
    sent = Record(2.0, "send", 1, 1, peer=2, message="PROPOSE", id="1.1.1")
    came = Record(1.9, "receive", 2, 1, peer=1, message="PROPOSE", id="1.1.1")
    wrote, quiet = append(1.95, 2, 1, 1), Record(1.97, "role", 3, 1)
    records, times = in_causal_order(Trace([came, wrote, quiet, sent]))
    assert records == [quiet, sent, came, wrote], "node 2 keeps the order of its own events"
    assert times[0] == 1.97 and times[1] == 2.0 < times[2] <= times[3] < 2.0001
    got = packed(came, wrote, quiet, sent)
    assert frames(got) == [(1, 0, 1, 1, 2)] and got.columns["place"][2] >= got.columns["place"][1] + LEAST


def test_records_out_of_order_stand_in_order_of_time() -> None:
    late, early = Record(3.0, "pause", 1), Record(1.0, "pause", 2)
    assert in_causal_order(Trace([late, early])) == ([early, late], [1.0, 3.0])


def test_a_frame_that_was_received_before_it_was_sent_by_its_own_receiver_ends_the_asking() -> None:
    odd = [
        Record(1.0, "receive", 1, 1, peer=1, message="X", id="1.1.1"), Record(2.0, "send", 1, 1, peer=1, message="X", id="1.1.1")
    ]  # fmt: skip
    assert len(pack(Trace(odd)).records) == 2


def test_whom_no_record_tells_of_as_acting_has_no_lane() -> None:
    got = packed(Record(1.0, "suspect", 2, 1, peer=77), Record(2.0, "suspect", 2, 1, peer=1), Record(3.0, "stop", 1, 1))
    assert got.columns["peer"].tolist() == [-1, 0, -1]
    assert got.columns["seq"].tolist() == [-1, -1, -1] and got.columns["clock"].tolist() == [0, 0, 0]


# --- flights -----------------------------------------------------------------------------------


def test_each_fate_of_a_frame() -> None:
    def of(kind: str, time: float, node: int, peer: int, id: str, reason: str | None = None) -> Record:
        return Record(time, kind, node, 1, peer=peer, message="ACK", id=id, reason=reason)

    got = packed(
        of("send", 1.0, 1, 2, "1.1.1"), of("send", 1.1, 1, 2, "1.1.2"), of("send", 1.2, 1, 2, "1.1.3"),
        of("send", 1.3, 1, 3, "1.1.4"), of("send", 1.4, 1, 2, "1.1.5"),
        of("receive", 2.0, 2, 1, "1.1.1"), of("receive", 2.1, 2, 1, "1.1.1"), of("drop", 2.2, 1, 2, "1.1.2", "lost"),
        of("drop", 2.3, 2, 1, "1.1.3", "cut"), of("receive", 2.4, 2, 1, "1.1.3"), Record(2.5, "crash", 3, 1),
        of("receive", 2.6, 2, 3, "3.1.9"), of("drop", 2.7, 2, 3, "3.1.8", "cut"), of("drop", 2.8, 2, 3, "2.1.7", "no link"),
    )  # fmt: skip
    assert frames(got) == [
        (0, 0, 1, 3, 5), (1, 0, 1, 2, 7), (2, 0, 1, 1, 9), (3, 0, 2, 4, 10), (4, 0, 1, 0, -1),
        (-1, 2, 1, 1, 11), (-1, 2, 1, 2, 12), (-1, 1, 2, 2, 13),
    ]  # fmt: skip
    assert got.columns["frame"].tolist() == [0, 1, 2, 3, 4, 0, 0, 1, 2, 2, -1, 5, 6, 7]


def test_a_copy_that_is_lost_after_the_other_came_changes_nothing() -> None:
    frame: dict[str, Any] = {"message": "JOIN", "id": "1.1.1"}
    came, lost = Record(2.0, "receive", 2, 1, peer=1, **frame), Record(3.0, "drop", 2, 1, peer=1, **frame)
    for second, third, end in ((came, lost, 1), (lost, came, 2)):
        times = (msgspec.structs.replace(one, time=at) for at, one in ((2.0, second), (3.0, third)))
        assert frames(packed(Record(1.0, "send", 1, 1, peer=2, **frame), *times))[0][3:] == (1, end)


def test_a_frame_to_a_node_that_crashed_earlier_is_under_way_until_that_node_ends_again() -> None:
    ends = (Record(1.0, "crash", 2, 1), Record(4.0, "stop", 2, 2))
    sends = [Record(at, "send", 1, 1, peer=2, message="JOIN", id=f"1.1.{at}") for at in (0.5, 2.0, 5.0)]
    assert [one[3:] for one in frames(packed(*ends, *sends))] == [(4, 1), (4, 3), (0, -1)]


def test_an_id_that_comes_again_is_another_frame() -> None:
    one = [Record(t, "send", 1, 1, peer=2, message="ACK", id="1.1.1") for t in (1.0, 5.0)]
    two = [Record(t, "receive", 2, 1, peer=1, message="ACK", id="1.1.1") for t in (1.1, 5.1)]
    assert frames(packed(*one, *two)) == [(0, 0, 1, 1, 1), (2, 0, 1, 1, 3)]


# --- lanes and faults --------------------------------------------------------------------------


def test_nodes_come_first_then_learners_then_clients_as_they_appear() -> None:
    got = packed(
        Record(0.1, "start", "zoe"), Record(0.2, "start", 9, 1, role="learner"), Record(0.3, "start", 2, 1),
        Record(0.4, "send", 2, 1, peer="ann", message="OK", id="2.1.1"), learners=[9],
    )  # fmt: skip
    assert [(lane["name"], lane["kind"]) for lane in got.about["lanes"]] == [
        ("node 1", "node"), ("node 2", "node"), ("node 3", "node"), ("learner 9", "learner"), ("zoe", "client"), ("ann", "client"),
    ]  # fmt: skip
    assert got.columns["lane"].tolist() == [4, 3, 1, 1] and got.columns["peer"].tolist() == [-1, -1, -1, 5]


def test_a_cut_that_shrinks_lies_over_what_is_still_cut() -> None:
    assert faults(
        Record(1.0, "cut", reason="cut 1 | 2,3"), Record(2.0, "reconnect", reason="reconnect 1 | 3"), Record(3.0, "heal", reason="all cuts")
    ) == [
        [1.0, 2.0, [0, 1, 2], "cut", "The network splits: node 1 | nodes 2 and 3.", [[0, 1], [0, 2], [1, 0], [2, 0]]],
        [2.0, 3.0, [0, 1], "cut", "The network splits: node 1 | nodes 2 and 3.", [[0, 1], [1, 0]]],
    ]  # fmt: skip


def test_a_one_way_cut_touches_both_ends_in_one_direction() -> None:
    (found,) = faults(Record(1.0, "cut", reason="cut 3 -> 1"))
    assert found[:4] == [1.0, 9.0, [0, 2], "cut"] and found[5] == [[2, 0]]


def test_of_several_rules_about_a_link_the_latest_holds_and_zeros_are_no_fault() -> None:
    found = faults(
        Record(0.5, "start", "ann"), Record(1.0, "lose", reason="lose * - *: 0.3"), Record(2.0, "lose", reason="lose 1 - 2: 0.0"),
        Record(3.0, "slow", reason="slow 2 - 3: 0.0 + 0.1"), Record(4.0, "heal", reason="everything"),
    )  # fmt: skip
    assert [(one[0], one[1], one[3], len(one[5])) for one in found] == [
        (1.0, 2.0, "lose", 12), (2.0, 4.0, "lose", 10), (3.0, 4.0, "slow", 2),
    ]  # fmt: skip
    assert [0, 1] not in found[1][5] and [0, 3] in found[1][5] and found[1][2] == [0, 1, 2, 3]
    assert found[2][2] == [1, 2], "the link between nodes 2 and 3, and nobody else"


def test_faults_of_nodes_end_when_all_is_well_again() -> None:
    found = faults(
        Record(1.0, "fault", reason="disk of node 2: full"), Record(2.0, "fault", reason="disk of node 2: ok"),
        Record(2.5, "fault", reason="clock of node 1: rate 1.05"), Record(3.0, "pause", 3), Record(4.0, "crash", 3),
        Record(5.0, "restart", 3), Record(5.0, "start", 3, 2), Record(6.0, "wipe", 1, reason="its folder is emptied"),
        Record(7.0, "fault", reason="duplicate 1 - 2: 0.5 + 2.0"), Record(8.0, "fault", reason="ambush: lead, 0.1 s after, for 2.0 s"),
    )  # fmt: skip
    assert [(one[0], one[1], one[2], one[3]) for one in found] == [
        (1.0, 2.0, [1], "disk"), (2.5, 9.0, [0], "clock"), (3.0, 4.0, [2], "pause"), (4.0, 5.0, [2], "crash"),
        (6.0, 6.0, [0], "wipe"), (7.0, 9.0, [0, 1], "duplicate"),
    ]  # fmt: skip
    assert found[0][4] == "The disk of node 2 is full."


def test_a_node_that_stopped_itself_is_no_crash_that_the_world_made() -> None:
    itself = Record(1.0, "crash", 3, 1, reason="It stopped itself.")
    got = packed(
        Record(0.0, "start", 3, 1),
        Record(1.0, "broken", 3, 1, reason="S2 would break"),
        itself,
        Record(2.0, "pause", 1),
    )
    assert got.about["faults"] == [[2.0, 2.0, [0], "pause", "Node 1 is paused.", []]]
    assert [band[3:] for band in got.about["bands"] if band[0] == 2] == [["up", ""], ["broken", "stopped itself"]]
    assert got.sentence(2) == "Node 3 has stopped itself." and got.about["jumps"]["crash"] == [1]
    assert got.about["rules"][-1] == {
        "name": "broken", "title": "stopped itself", "says": "No node stops itself rather than break a rule.", "held": False,
        "event": 1, "story": "Node 3 stopped itself: S2 would break",
    }  # fmt: skip
    assert "broken" not in [rule["name"] for rule in packed(Record(0.0, "start", 3, 1)).about["rules"]]


# --- logs --------------------------------------------------------------------------------------


def test_an_entry_is_written_then_durable_then_committed() -> None:
    got = packed(
        Record(0.0, "start", 1, 1), append(1.0, 1, 1, 1, text="hi"), append(1.1, 1, 2, 1), durable(1.2, 1),
        Record(1.3, "commit", 1, 1, 1, "follower", seq=1, verified=2), durable(1.4, 2),
    )  # fmt: skip
    assert [boxes(told(got, 1, event)) for event in range(1, 6)] == [
        "1:1",
        "1:1 2:1",
        "1:1d 2:1",
        "1:1dc 2:1",
        "1:1dc 2:1d",
    ]
    assert told(got, 1).log[0].text == "hi" and told(got, 2).alive == "down"


def test_a_sync_that_began_before_a_place_was_given_anew_says_nothing_of_the_new_entry() -> None:
    got = packed(
        Record(0.0, "start", 1, 1), append(1.0, 1, 1, 1), append(1.1, 1, 2, 1), durable(1.2, 1),  # now 2 is under way
        Record(1.3, "truncate", 1, 1, 2, "follower", seq=2), append(1.3, 1, 2, 2), durable(1.4, 2), durable(1.5, 2),
    )  # fmt: skip
    assert [boxes(told(got, 1, event)) for event in (5, 6, 7)] == ["1:1d 2:2", "1:1d 2:2", "1:1d 2:2d"]


def test_after_a_crash_the_log_holds_what_the_next_life_found() -> None:
    life = [append(1.0 + seq / 10, 1, seq, 1) for seq in (1, 2, 3)]
    got = packed(
        Record(0.0, "start", 1, 1), *life, durable(1.4, 1), Record(2.0, "crash", 1, 1), Record(3.0, "start", 1, 2, 1, "follower", seq=2),
    )  # fmt: skip
    assert boxes(told(got, 1, 5)) == "1:1d 2:1 3:1" and told(got, 1, 5).alive == "down"
    assert boxes(told(got, 1)) == "1:1d 2:1d", "what a life finds is durable"
    gone = packed(*got.records[:-1], Record(3.0, "start", 1, 2, 1, "follower"))
    assert boxes(told(gone, 1)) == "", "it found nothing"


def test_a_node_whose_folder_was_emptied_begins_with_an_empty_log() -> None:
    got = packed(
        Record(0.0, "start", 1, 1), append(1.0, 1, 1, 1), durable(1.1, 1), Record(1.2, "crash", 1, 1), Record(1.3, "wipe", 1, 1),
        Record(2.0, "start", 1, 1), append(3.0, 1, 1, 4),
    )  # fmt: skip
    assert boxes(told(got, 1, 5)) == "" and boxes(told(got, 1)) == "1:4"


def test_a_trace_that_begins_later_tells_from_where_it_knows_the_log() -> None:
    got = packed(Record(0.0, "start", 1, 5, 3, "follower", seq=40), append(1.0, 1, 41, 3, 5))
    assert told(got, 1).unknown == 40 and boxes(told(got, 1)) == "41:3"


def test_what_was_known_to_be_committed_is_known_in_the_next_life() -> None:
    hint = Record(1.1, "hint", 1, 1, 1, "follower", seq=1)
    records = [Record(0.0, "start", 1, 1), append(1.0, 1, 1, 1), hint]
    again = Record(3.0, "start", 1, 2, 1, "follower", seq=1)
    kept = packed(*records, durable(1.2, 1), durable(1.3, 1), Record(2.0, "crash", 1, 1), again)
    assert boxes(told(kept, 1)) == "1:1dc"
    lost = packed(
        *records, Record(2.0, "crash", 1, 1), again, Record(3.1, "deliver", 1, 2, 1, "follower", seq=1, msg_no=1)
    )
    assert [boxes(told(lost, 1, event)) for event in (4, 5)] == ["1:1d", "1:1dc"], "what is delivered is committed"


def test_a_queue_empties_by_what_was_missing_and_by_a_new_leader() -> None:
    def hold(time: float, seq: int, reason: str = "kept") -> Record:
        return Record(time, "hold", 1, 1, 1, "follower", peer=3, seq=seq, reason=reason)

    empty = Record(1.3, "receive", 1, 1, 1, "follower", peer=3, message="PROPOSE", id="3.1.1")
    got = packed(
        Record(0.0, "start", 1, 1), hold(1.0, 3), hold(1.1, 6), hold(1.2, 8, "dropped: the hold-back queue is full"), empty,
        hold(1.3, 9), append(2.0, 1, 1, 1), append(2.1, 1, 2, 1), Record(3.0, "follow", 1, 1, 2, "follower", peer=2),
    )  # fmt: skip
    assert [told(got, 1, event).held for event in (2, 3, 5, 6, 7, 8)] == [(3, 6), (3, 6), (3, 6), (3, 6), (6,), ()]


def test_a_paused_node_keeps_its_role_and_the_term_of_a_frame_is_not_its_own() -> None:
    frame = Record(1.2, "send", 1, 1, 9, "follower", peer=2, message="PROMISE", id="1.1.1")
    got = packed(
        Record(0.0, "start", 1, 1, 1, "follower"), Record(1.0, "role", 1, 1, 2, "leader"), Record(1.1, "pause", 1), frame,
        Record(2.0, "resume", 1), Record(3.0, "stop", 1),
    )  # fmt: skip
    states = [(told(got, 1, event).role, told(got, 1, event).term, told(got, 1, event).alive) for event in (1, 2, 4, 5)]
    assert states == [("leader", 2, "up"), ("leader", 2, "paused"), ("leader", 2, "up"), ("", 0, "down")]


# --- sentences ---------------------------------------------------------------------------------


def kinds_of_the_table() -> set[str]:
    """Return every kind in the table of the module `trace`: the words between the head of a row and its columns."""
    rows = re.findall(
        r"^    (?:[a-z]+ +| {9})((?:[a-z_]+ )+) ", (traces.__doc__ or "").split("they fill beside")[1], re.M
    )
    return {kind for row in rows for kind in row.split()}


def test_every_kind_of_the_trace_and_every_frame_of_the_chat_has_a_template() -> None:
    kinds = kinds_of_the_table()
    assert {
        "start",
        "refused",
        "wipe",
        "link_down",
        "fault",
        "drop",
        "durable",
        "boot",
        "suspect",
        "seen",
        "refuses",
    } <= kinds
    assert len(kinds) > 50 and kinds <= TEMPLATES.keys(), kinds - TEMPLATES.keys()
    tags = {str(kind.__struct_config__.tag) for kind in NODE_MESSAGES}
    assert {f"what/{tag}" for tag in tags} <= TEMPLATES.keys()


def test_no_template_speaks_of_a_number_and_of_a_place_without_saying_which_is_which() -> None:
    for kind, template in TEMPLATES.items():
        text = re.sub(r"\{number\}|\{msg_no\}", "N", template)
        if "{seq}" in text and kind not in ("", "what"):
            assert "place {seq}" in text, (kind, template)
        assert "#N" not in text or "message #N" in text, (kind, template)
        assert template == "" or fill(template, lambda place: "x").count("[") == 0


def test_a_part_with_an_empty_place_is_left_out() -> None:
    values = {"a": "1", "b": ""}
    assert fill("{a}[ and {b}][ or {a}].", lambda place: values[place]) == "1 or 1."


def test_an_actor_has_its_own_words() -> None:
    mine = templates_for(Words(suspect="gone", lead="reigns", heartbeat="BEAT"), has_log=True)
    assert mine["gone"] == TEMPLATES["suspect"] and mine["reigns"] == TEMPLATES["lead"]
    assert mine["what/BEAT"] == "a heartbeat ({message})"
    assert templates_for(CHAT, has_log=True).items() >= TEMPLATES.items()


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (append(1.0, 1, 4, 2, text="hi"), "Node 1 writes “hi” at place 4 of its log, in term 2."),
        (Record(1.0, "cut", reason="cut 1 | 3"), "The link between nodes 1 and 3 is cut."),
        (Record(1.0, "fault", reason="clock of node 1: rate 1.05"), "The clock of node 1 runs at 1.05 times the right speed."),
        (
            Record(1.0, "fault", reason="ambush: lead, 0.05 s after, for 2.0 s"),
            "The next node that becomes leader crashes 0.05 s later; it starts again after 2 s.",
        ),
        (Record(1.0, "suspect", 2, 1, reason="nobody is heard"), "Node 2 looks for a leader: nobody is heard."),
        (Record(1.0, "promise", 2, 1, 3, peer=2), "Node 2 promises itself to follow nobody of a term below 3, and in that term nobody else."),
        (Record(1.0, "start", "ann"), "ann is there."),
        (Record(1.0, "drop", 1, 1, peer=2, reason="the link is gone"), "Node 1 drops frames of node 2: the link is gone."),
        (
            Record(1.0, "drop", 2, 1, peer=1, message="ACK", id="1.1.1", seq=0, reason="nobody there"),
            "An ACK from node 1 finds nobody there: node 2 is not running.",
        ),
        (Record(1.0, "waves", 3, 1, peer=1, seq=4, reason="hello"), "Node 3 notes “waves” about node 1, number 4: hello."),
        (Record(1.0, "submit", "ann", peer=2, text="<b>\x07" + "x" * 99), "ann says “<b>␇" + "x" * 75 + "…” and asks node 2 to take it."),
    ],
)  # fmt: skip
def test_an_event_is_told_in_plain_english(record: Record, sentence: str) -> None:
    first = Record(0.0, "send", 2, 1, peer=1, message="JOIN", id="2.1.1")
    assert packed(first, record).sentence(1) == sentence


def test_a_message_has_its_number_wherever_the_trace_tells_it() -> None:
    got = packed(
        Record(0.9, "send", 3, 1, 1, "leader", peer=1, message="PROPOSE", id="3.1.1", seq=6), append(1.0, 1, 6, 1, text="hi"),
        Record(2.0, "deliver", 1, 1, 1, "follower", seq=6, msg_no=3, text="hi", author="ann"),
    )  # fmt: skip
    assert [got.sentence(event) for event in range(3)] == [
        "Node 3 sends message #3 in a PROPOSE (the log up to place 6) to node 1.",
        "Node 1 writes “hi” at place 6 of its log, in term 1; it is message #3.",
        "Node 1 delivers message #3, “hi” of ann; it stands at place 6 of the log.",
    ]


# --- the whole ---------------------------------------------------------------------------------


def test_a_broken_rule_names_the_event_that_broke_it() -> None:
    def deliver(time: float, node: int, text: str) -> Record:
        return Record(time, "deliver", node, 1, 1, "follower", seq=1, msg_no=1, text=text, client="a", client_seq=1)

    got = packed(deliver(2.0, 2, "no"), deliver(1.0, 1, "yes"))
    (s1,) = [rule for rule in got.about["rules"] if rule["name"] == "S1"]
    assert (s1["held"], s1["event"]) == (False, 1) and "node 2 delivered 'no' at position 1" in s1["exact"]
    assert "position" not in s1["story"] and "S1" not in s1["story"]
    assert got.about["jumps"]["violation"] == [1] and got.about["jumps"]["delivery"] == [0, 1]


def test_an_election_is_jumped_to_at_its_beginning_and_at_its_end() -> None:
    def role(time: float, node: int, name: str) -> Record:
        return Record(time, "role", node, 1, 1, name)

    got = packed(
        role(1.0, 2, "nominating"), role(1.1, 3, "nominating"), role(1.2, 3, "leader"), Record(1.2, "lead", 3, 1, 1, "leader", seq=1),
        role(5.0, 1, "nominating"),
    )  # fmt: skip
    assert got.about["jumps"]["election"] == [0, 3, 4]


def test_what_travels_is_plain_json_and_little_endian_bytes() -> None:
    got = packed(Record(0.0, "start", 1, 1), append(1.0, 1, 1, 1, text="\ud800 \u202e x", client_seq=2**40))
    assert json.loads(json.dumps(got.about)) == got.about
    assert got.about["strings"][got.columns["text"][1]] == "  x"
    buffers = got.buffers()
    assert np.frombuffer(buffers["time"], "<f8").tolist() == [0.0, 1.0]
    assert np.frombuffer(buffers["client_seq"], "<i4").tolist() == [-1, 2**31 - 1]
    assert {len(buffers[name]) for name in ("role", "now_role")} == {2}
    assert {len(buffers[name]) for name in ("kind", "message")} == {4}
    assert all(len(data) % 2 == 0 for name, data in buffers.items() if not name.startswith("frame_"))


def test_an_empty_trace_can_be_packed() -> None:
    got = pack(Trace())
    assert got.about["events"] == 0 and moment(got, -1) == {} and got.columns["place"].tolist() == []


def test_an_actor_that_makes_up_kinds_without_end_is_packed_all_the_same() -> None:
    got = packed(*(Record(at / 1000, f"step {at}", 1, at + 1, message=f"M{at}") for at in range(66_000)))
    assert len(got.about["kinds"]) == 65_000
    assert got.look(64_998, "kind") == "step 64998"
    assert {got.look(at, "kind") for at in (64_999, 65_999)} == {"of another kind"}
    assert got.look(65_999, "message") == "of another kind"
