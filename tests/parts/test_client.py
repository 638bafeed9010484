"""The retrying client; by hand."""

from random import Random
from typing import Any

import pytest
from by_hand import config, of, sent

from chatsys.actor.effects import Note
from chatsys.actor.events import LinkDown, LinkUp, Say
from chatsys.protocol.client import Client
from chatsys.protocol.listening.reading import Reread
from chatsys.protocol.messages import Delivered, PeerInfo, Submit, SubmitReply, Subscribe
from chatsys.protocol.public import Heard


def client(home: int = 1, **rest: Any) -> Client:
    """A client linked to all three nodes."""
    made = Client("ann", config(), Random(1), home=home, **rest)
    for node in (1, 2, 3):
        made.on_message(node, LinkUp(1), 0.0)
    return made


def say(ann: Client, *texts: str, now: float = 0.0) -> list[Any]:
    for text in texts:
        ann.on_command(Say(text), now)
    return ann.settle(now)


def reply(ann: Client, number: int, status: Any = "ok", sender: int = 1, now: float = 0.1, **rest: Any) -> list[Any]:
    where = {"seq": 2} if number == 0 and status == "ok" else {}
    effects = ann.on_message(sender, SubmitReply(ann.client_id, number, status, **where | rest), now)
    return effects + ann.settle(now)


def opened(**rest: Any) -> Client:
    ann = client(**rest)
    say(ann, "one", "two")
    reply(ann, 0)
    return ann


def numbers(effects: list[Any]) -> list[tuple[Any, int]]:
    return [(to, m.client_seq) for to, m in sent(effects, Submit)]


def kinds(effects: list[Any]) -> list[str]:
    return [note.kind for note in of(effects, Note)]


def test_it_opens_a_session_before_it_says_anything() -> None:
    ann = client()
    assert numbers(say(ann, "one")) == [(1, 0)]
    effects = reply(ann, 0)
    assert numbers(effects) == [(1, 1)] and kinds(effects) == ["submit"]


def test_a_session_has_the_position_of_its_opening_and_keeps_it() -> None:
    ann = opened()
    late = reply(ann, 0, seq=70)
    assert late == [], "a late copy opened it again; what is under way belongs to the first"
    ann.on_time(2.0)
    assert [m.session for _, m in sent(ann.settle(2.0), Submit)] == [2, 2]


def test_an_ok_ends_a_message_and_is_noted_with_its_number() -> None:
    ann = opened()
    acked = of(reply(ann, 1, seq=5, msg_no=2), Note)[0]
    assert (acked.kind, acked.seq, acked.msg_no, acked.text) == ("ack", 5, 2, "one")
    assert list(ann.under_way) == [2] and not ann.idle


def test_silence_sends_the_same_pairs_again_to_the_next_node() -> None:
    ann = opened()
    ann.on_time(2.0)
    assert numbers(ann.settle(2.0)) == [(2, 1), (2, 2)]


def test_a_sticky_client_stays_with_its_node() -> None:
    ann = opened(home=3, sticky=True)
    ann.on_time(2.0)
    assert numbers(ann.settle(2.0)) == [(3, 1), (3, 2)]


def test_a_redirect_is_followed_soon() -> None:
    ann = opened()
    assert numbers(reply(ann, 1, "redirect", leader=PeerInfo(3, ""))) == []
    ann.on_time(0.3)
    assert numbers(ann.settle(0.3)) == [(3, 1), (3, 2)]


def test_busy_moves_on_to_another_node_with_growing_pauses() -> None:
    ann = opened()
    pauses, now = [], 0.1
    for _ in range(6):
        reply(ann, 1, "busy", sender=ann.target, now=now)
        pauses.append(ann.alarms.dates["soon"] - now)
        now = ann.alarms.dates["soon"]
        ann.on_time(now)
        ann.settle(now)
    assert pauses[0] < 0.1 and pauses[-1] > 0.7


def test_a_broken_link_moves_on_to_another_node() -> None:
    ann = opened()
    ann.on_message(1, LinkDown(), 0.2)
    ann.on_time(0.4)
    assert numbers(ann.settle(0.4)) == [(2, 1), (2, 2)]


def test_a_forgotten_session_leaves_messages_indeterminate_and_never_says_them_twice() -> None:
    ann = opened()
    old = ann.client_id
    effects = reply(ann, 1, "unknown_session")
    assert kinds(effects)[-2:] == ["indeterminate", "indeterminate"]
    say(ann, "three", now=0.2)
    ann.on_time(0.5)
    assert numbers(ann.settle(0.5)) == [(1, 0)] and ann.client_id != old


def test_gaps_at_the_lowest_open_message_mean_in_the_end_that_the_session_is_lost() -> None:
    ann, now, told = opened(), 0.1, []
    for _ in range(3):
        told.append("indeterminate" in kinds(reply(ann, 1, "gap", now=now)))
        now = ann.alarms.dates["soon"]
        ann.on_time(now)
        ann.settle(now)
    assert told == [False, False, True], "one or two may be late answers to an earlier sending"


def test_a_message_that_overtook_an_earlier_one_is_sent_again_after_the_next_answer() -> None:
    ann = opened()
    assert numbers(reply(ann, 2, "gap")) == []
    assert numbers(reply(ann, 1, "ok", seq=5)) == [(1, 2)]


def test_what_no_cluster_can_accept_is_refused_before_it_is_numbered() -> None:
    ann = client()
    effects = ann.on_command(Say("  "), 0.0)
    assert of(effects, Note)[0].reason == "denied: the text is empty; write something."
    assert ann.idle


def test_only_so_many_messages_are_under_way_at_once() -> None:
    ann = client(window=3)
    say(ann, *"abcdef")
    assert numbers(reply(ann, 0)) == [(1, 1), (1, 2), (1, 3)]
    assert numbers(reply(ann, 1)) == [(1, 4)]


def test_a_listener_notes_each_message_once_and_in_order() -> None:
    ann = client(listen=True)
    one, two = Heard(2, text="a"), Heard(3, text="b")
    assert kinds(ann.on_message(1, Delivered((one,), (1,)), 0.1)) == ["seen"]
    assert kinds(ann.on_message(1, Delivered((one, two), (1, 2)), 0.2)) == ["seen"]
    assert ann.cursor.seen == 2


def test_a_listener_subscribes_from_its_own_cursor_after_moving_on() -> None:
    ann = client(listen=True)
    ann.cursor.seen = 7
    ann.on_message(1, LinkDown(), 0.2)
    ann.on_time(0.4)
    assert sent(ann.settle(0.4), Subscribe) == [(2, Subscribe(7))]


def test_a_node_that_dies_while_the_client_pauses_is_not_waited_for() -> None:
    """Two busy answers had moved the client on to the dead leader, whose link broke only then."""
    ann = opened()
    reply(ann, 1, "busy", sender=1)
    ann.on_time(0.3)
    ann.settle(0.3)
    reply(ann, 1, "busy", sender=2, now=0.3)
    assert ann.target == 3
    ann.on_message(3, LinkDown(), 0.31)
    ann.settle(0.31)
    ann.on_time(1.0)
    assert numbers(ann.settle(1.0)) == [(1, 1), (1, 2)]


def test_a_client_with_something_to_say_always_has_an_alarm_set() -> None:
    ann = opened()
    for now, status in ((0.2, "busy"), (0.4, "redirect"), (0.6, "gap")):
        reply(ann, 2, status, sender=ann.target, now=now)
        assert ann.alarms.next < 9.0


def test_a_listener_asks_again_from_time_to_time_in_case_a_push_was_lost() -> None:
    ann = client(listen=True)
    assert sent(ann.settle(0.0), Subscribe) == [(1, Subscribe(0))]
    assert ann.settle(1.0) == []
    ann.on_time(8.0)
    assert sent(ann.settle(8.0), Subscribe) == [(1, Subscribe(0))]


def test_an_ok_that_comes_while_the_client_pauses_ends_its_message_only() -> None:
    ann = opened()
    reply(ann, 1, "redirect")
    ann.on_message(1, LinkUp(2), 0.11)
    reply(ann, 2, "gap", now=0.12)
    assert kinds(reply(ann, 1, "ok", seq=5, now=0.13)) == ["ack"]


def test_a_client_that_waits_for_hours_still_tries_again() -> None:
    """Doubling without a bound overflowed after a thousand answers `busy`, some twenty minutes without a quorum."""
    ann, now = opened(), 0.1
    for _ in range(1200):
        reply(ann, 1, "busy", sender=ann.target, now=now)
        now = ann.alarms.dates["soon"]
        ann.on_time(now)
        assert numbers(ann.settle(now))
    assert ann.alarms.dates["retry"] - now <= 10.0


class Unlooped(dict[int, Any]):
    """What is under way, for a client that may look one message up but never all of them."""

    def refuse(self, *facts: Any) -> Any:
        raise AssertionError("an answer must cost the same however many messages are under way")

    __iter__ = items = keys = values = refuse


def test_an_answer_costs_the_same_however_many_messages_are_under_way() -> None:
    ann = client(window=2000)
    say(ann, *map(str, range(4000)))
    reply(ann, 0)
    ann.under_way = Unlooped(ann.under_way)
    for number in range(1, 4001):
        reply(ann, number, "ok", seq=number + 2)
        if number % 500 == 0 and number < 4000:
            reply(ann, number + 2, "gap")
    assert ann.idle


def test_answers_in_any_order_find_the_lowest_number_that_is_open() -> None:
    ann = client(window=5)
    say(ann, *"abcdefgh")
    reply(ann, 0)
    for number, lowest in ((3, 1), (1, 2), (5, 2), (2, 4), (4, 6), (7, 6), (6, 8), (8, 0)):
        reply(ann, number, "ok", seq=number + 2)
        assert ann.lowest == lowest == min(ann.under_way, default=0)


def test_a_message_whose_answer_was_lost_is_sent_again_in_its_time_though_newer_ones_are_answered() -> None:
    ann = opened()
    date = ann.alarms.dates["retry"]
    for number in range(2, 20):
        say(ann, "more", now=0.05 * number)
        reply(ann, number, seq=number, now=0.05 * number)
    assert ann.alarms.dates["retry"] == date, "the answers to newer messages say nothing about message 1"
    assert ring(ann) == (date, [(2, 1), (2, 20)])


def test_the_wait_begins_anew_with_the_answer_to_the_lowest_message() -> None:
    ann = opened()
    date = ann.alarms.dates["retry"]
    reply(ann, 1, seq=1, now=0.5)
    assert date < ann.alarms.dates["retry"] <= 0.5 + 1.25


def test_an_answer_may_speak_of_a_run_of_messages() -> None:
    ann = client()
    say(ann, "one", "two", "three")
    reply(ann, 0)
    acks = [note for note in of(reply(ann, 1, seq=5, msg_no=2, count=2), Note) if note.kind == "ack"]
    assert [(note.client_seq, note.seq, note.msg_no, note.text) for note in acks] == [
        (1, 5, 2, "one"),
        (2, 6, 3, "two"),
    ]
    assert list(ann.under_way) == [3]
    assert reply(ann, 1, seq=5, msg_no=2, count=2) == [], "the same run again says nothing new"


# --- one alarm, and nobody is waited for in vain ----------------------------------------------------


def ring(ann: Client) -> tuple[float, list[tuple[Any, int]]]:
    """Let the client's next alarm ring; return when, and what was sent."""
    now = ann.alarms.next
    return now, numbers(ann.on_time(now) + ann.settle(now))


def test_a_redirect_ends_the_wait_so_that_it_cannot_send_the_client_to_the_dead_node() -> None:
    """Redirected a moment before its wait was over, the client went on to the dead leader, for 8 s."""
    ann = opened()
    ann.on_time(2.0)
    ann.settle(2.0)
    reply(ann, 1, "redirect", sender=1, now=3.0)
    assert set(ann.alarms.dates) == {"soon"}
    assert ring(ann)[1] == [(1, 1), (1, 2)], "whoever says so is there, and will soon know more"


@pytest.mark.parametrize(
    "event", ["redirect", "busy", "gap", "link down", "link up", "silence", "ok", "unknown_session"]
)
def test_whatever_happens_exactly_one_alarm_is_set(event: str) -> None:
    for first in ("redirect", "busy", "silence", ""):
        ann, now = opened(), 0.2
        if first == "silence":
            now = ring(ann)[0]
        elif first:
            reply(ann, 1, first, now=now)
        match event:
            case "link down":
                ann.on_message(ann.target, LinkDown(), now)
            case "link up":
                ann.on_message(ann.target, LinkUp(2), now)
            case "silence":
                now = ring(ann)[0]
            case _:
                reply(ann, 1, event, sender=ann.target, now=now, **({"seq": 5} if event == "ok" else {}))
        say(ann, "three", now=now)
        assert len(ann.alarms.dates) == 1, f"{event} after {first or 'nothing'}: {ann.alarms.dates}"


def test_a_node_that_was_silent_is_avoided_as_long_as_others_answer_but_not_for_ever() -> None:
    ann = opened()
    now, asked = ring(ann)
    assert asked[0][0] == 2 and now < 1.4
    seen = set()
    while now < 5.0:
        reply(ann, 1, "busy", sender=ann.target, now=now)
        now, asked = ring(ann)
        seen.add(asked[0][0])
    assert seen == {2, 3}
    while now < 9.0:
        reply(ann, 1, "busy", sender=ann.target, now=now)
        now, asked = ring(ann)
        seen.add(asked[0][0])
    assert 1 in seen, "after half of client_retry_max it is tried again"


def test_the_silence_of_one_node_makes_nobody_patient_with_the_others() -> None:
    ann = opened()
    waits, last = [], 0.1
    for _ in range(7):
        now, _asked = ring(ann)
        waits.append(now - last)
        last = now
    assert all(1.0 <= wait <= 1.25 for wait in waits[:3]), "one round of three nodes"
    assert all(2.0 <= wait <= 2.5 for wait in waits[3:]), "then twice as long, and no longer"
    reply(ann, 1, "busy", sender=ann.target, now=last)
    now, _asked = ring(ann)
    assert now - last < 0.1 and ann.alarms.dates["retry"] - now <= 1.25, (
        "an answer of any node makes it impatient again"
    )


@pytest.mark.parametrize("status", ["busy", "redirect"])
def test_no_client_hammers(status: str) -> None:
    """At most five tries in the first second without an `ok`, and four in any three seconds later."""
    for seed in range(10):
        ann = opened()
        ann.patience.random.seed(seed)
        now, tries = 0.1, []
        while now < 20:
            reply(ann, 1, status, sender=ann.target, now=now)
            now, asked = ring(ann)
            tries += [now] * bool(asked)
        assert sum(at < 1.1 for at in tries) <= 5
        assert all(sum(begin <= at < begin + 3 for at in tries) <= 4 for begin in tries if begin > 1.1)


def push(ann: Client, *numbers: int, sender: int = 1) -> list[tuple[str, int | None]]:
    """Let a node push these messages; return what is noted, as (kind, number)."""
    entries = tuple(Heard(number + 10, text=f"m{number}") for number in numbers)
    return [(note.kind, note.msg_no) for note in of(ann.on_message(sender, Delivered(entries, numbers), 0.2), Note)]


def test_who_wants_the_newest_messages_asks_for_them_until_the_first_push_says_where_to_begin() -> None:
    ann = client(listen=True, newest=2)
    assert sent(ann.settle(0.0), Subscribe) == [(1, Subscribe(last=2))]
    ann.on_message(1, LinkDown(), 0.1)
    ann.on_time(0.2)
    assert sent(ann.settle(0.2), Subscribe) == [(2, Subscribe(last=2))]
    assert push(ann, 41, 42, sender=2) == [("seen", 41), ("seen", 42)]
    assert push(ann, 42, 43, 45, sender=2) == [("seen", 43)]
    ann.on_time(9.0)
    assert sent(ann.settle(9.0), Subscribe) == [(2, Subscribe(43))]


def test_what_is_read_again_is_told_as_a_whole_and_the_listener_goes_on_where_it_was() -> None:
    ann = client(listen=True, newest=2)
    ann.settle(0.0)
    push(ann, 41, 42)
    ann.on_command(Reread(38, 40), 0.1)
    assert sent(ann.settle(0.1), Subscribe) == [(1, Subscribe(37))]
    assert push(ann, 38) == [] and push(ann, 40) == [], "39 is missing: it overtook"
    ann.on_time(8.2)
    assert sent(ann.settle(8.2), Subscribe) == [(1, Subscribe(38))], "a lost push is asked for again"
    assert push(ann, 43) == [("seen", 43)], "news is told at once"
    entries = tuple(Heard(number + 10) for number in range(39, 45))
    effects = ann.on_message(1, Delivered(entries, tuple(range(39, 45))), 0.2)
    assert [(note.kind, note.msg_no) for note in of(effects, Note)] == [
        ("seen", 44), ("reread", 38), ("reread", 39), ("reread", 40)
    ]  # fmt: skip
    assert sent(effects, Subscribe) == [(1, Subscribe(44))]
    assert push(ann, 38, 39, 40) == []


def test_only_what_was_seen_is_read_again_and_never_more_than_a_node_pushes() -> None:
    ann = client(listen=True, newest=2)
    ann.settle(0.0)
    push(ann, 900)
    for wanted, stretch in (
        (Reread(-5, 2), range(1, 3)), (Reread(1, 5000), range(1, 257)), (Reread(899, 2000), range(899, 901)),
        (Reread(901, 950), range(0)), (Reread(5, 4), range(0)),
    ):  # fmt: skip
        ann.on_command(wanted, 0.1)
        assert list(ann.cursor.stretch) == list(stretch)


def test_a_listener_knows_who_leads_from_the_node_at_hand_and_forgets_it_when_a_link_breaks() -> None:
    ann = client(listen=True)
    ann.settle(0.0)
    for sender, leader, known in ((1, 3, 3), (2, 2, 3), (1, 0, None), (1, 2, 2)):
        ann.on_message(sender, Delivered((), (), leader), 0.1)
        assert ann.leader == known
    ann.on_message(2, LinkDown(), 0.2)
    assert ann.leader is None
