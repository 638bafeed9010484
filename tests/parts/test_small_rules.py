"""Small parts, rule by rule: queues, values, listeners' cursors, what waits to be passed back, a client's patience."""

from contextlib import nullcontext
from random import Random

import msgspec
import pytest
from by_hand import chat, config, sent
from test_inbox import put
from test_learners import learner, listening, pushed, told

from chatsys.actor.actor import NEVER, Alarms
from chatsys.actor.effects import Deliver, Note, Send
from chatsys.actor.events import LinkDown, LinkUp
from chatsys.actor.inbox import LIGHT, QUANTUM, FairInbox
from chatsys.actor.words import CHAT, Words
from chatsys.config import Limits
from chatsys.errors import DamagedLog
from chatsys.protocol.decisions import Yield
from chatsys.protocol.holdback import HoldBack
from chatsys.protocol.learning.records import KeptMessage, LearnerBoot, replay_learner
from chatsys.protocol.listening.reading import CONFIRM_EVERY, Cursor, Reread
from chatsys.protocol.messages import (
    GROWN,
    Delivered,
    Entry,
    Join,
    Label,
    LearnerInfo,
    Propose,
    SubmitReply,
    Subscribe,
)
from chatsys.protocol.patience import Patience
from chatsys.protocol.public import Heard
from chatsys.protocol.recovery import replay
from chatsys.protocol.serving.forwarding import Forwarding
from chatsys.protocol.serving.subscribers import CREDIT, Subscribers
from chatsys.protocol.state import MOVES, NodeState, Role
from chatsys.protocol.storage import Stored

# --- the inbox ----------------------------------------------------------------------------------


def test_who_is_a_member_is_said_once_and_a_number_alone_makes_nobody_one() -> None:
    inbox: FairInbox[str] = FairInbox(members=("a", 2))
    for sender in ("a", 2, 4):
        inbox.put(sender, [f"of {sender}"], [10])
    assert inbox.at_hand() == ["of a", "of 2"] and inbox.quantum() == ["of 4"]


def test_the_rest_of_a_flood_may_be_as_short_as_a_light_load_and_grow_again() -> None:
    inbox: FairInbox[str] = FairInbox()
    put(inbox, "flood", QUANTUM + LIGHT)
    inbox.quantum()
    put(inbox, "flood", 1)
    assert inbox.light() == [] and len(inbox.quantum()) == LIGHT + 1


def test_of_a_client_that_said_little_and_is_gone_nothing_waits() -> None:
    inbox: FairInbox[str] = FairInbox()
    put(inbox, "a", LIGHT)
    assert inbox.forget("a") == LIGHT and not inbox.is_urgent and inbox.light() == []


# --- alarms -------------------------------------------------------------------------------------


def test_the_earliest_alarm_is_known_whatever_was_set_moved_and_cleared() -> None:
    alarms, chance = Alarms(), Random(5)
    for _ in range(400):
        name, date = chance.choice("abcd"), float(chance.randrange(9))
        if chance.random() < 0.6:
            alarms.set(name, date)
        else:
            alarms.clear(name, chance.choice("abcd"))
        assert alarms.next == min(alarms.dates.values(), default=NEVER)


# --- logs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seq", [1, 2, 3, 5, 6])
def test_an_entry_that_stands_anywhere_but_next_is_damage(seq: int) -> None:
    sound = [Stored(chat(number)) for number in (1, 2, 3)]
    assert len(replay([*sound, Stored(chat(4))], "here").entries) == 4
    with pytest.raises(DamagedLog, match=f"entry {seq} follows entry 3"):
        replay([*sound, Stored(chat(seq))], "here")


# --- values -------------------------------------------------------------------------------------


def test_what_is_not_said_means_the_usual_thing() -> None:
    assert SubmitReply("c", 1, "busy").seq == 0, "it stands nowhere"
    assert Cursor().has_begun, "whoever wants no newest ones begins with the first"
    assert not Yield("another one leads").slept and not CHAT.each_other
    assert Words(number="client_seq").number == "client_seq"


def test_numbers_leave_room_to_count_on_within_what_json_holds_exactly() -> None:  # SPECIFICATION R2.7
    assert 2**50 < GROWN and 2 * GROWN <= 2**53
    said = [Delivered((Heard(seq),), (number,)).wrong(Limits()) for seq, number in ((GROWN, GROWN), (GROWN + 1, 1))]
    assert said == [None, f"entry {GROWN + 1} with number 1 stands behind entry 0 with number 0"]


def test_a_node_moves_along_the_table_and_no_other_way() -> None:  # SPECIFICATION R4.2
    table = {
        "follower": {"nominating"}, "nominating": {"deferring", "preparing", "follower"},
        "deferring": {"nominating", "follower"}, "preparing": {"syncing", "leader", "follower"},
        "syncing": {"leader", "follower"}, "leader": {"follower"},
    }  # fmt: skip
    assert {role.value: {to.value for to in moves} for role, moves in MOVES.items()} == table
    for role in Role:
        for to in Role:
            state = NodeState(1, config())
            state.role = role
            with (
                nullcontext() if to.value in table[role.value] else pytest.raises(AssertionError, match="no rule leads")
            ):
                assert state.become(to, "so it is").role == to.value and state.role is to


def test_an_effect_is_a_value_that_nobody_changes() -> None:
    run = Deliver()
    with pytest.raises(AttributeError, match="Deliver is a value: make another one instead of setting items"):
        run.items = (1,)  # type: ignore[assignment]
    assert run == Deliver()


@pytest.mark.parametrize(
    "entry",
    [
        Entry(1, 1, "chat", "c" * 64, 2**40, "r" * 128, "ä" * 128, "😀" * 4096, 2**40, session=2**40),
        Entry(1, 1, "learner", learner=LearnerInfo(2**40, "9f" * 16, "h" * 255)),
        Entry(1, 1, "barrier"),
    ],
)
def test_an_entry_is_never_longer_than_the_size_that_is_reckoned_with(entry: Entry) -> None:
    assert len(msgspec.json.encode(entry)) <= entry.size


def test_a_batch_that_is_kept_already_is_kept_even_if_there_is_no_room_for_another_one() -> None:
    early = HoldBack(Limits(hold_back_entries=1))
    batch = Propose(1, Label(1, 4), (chat(5),), 0)
    assert early.hold(batch) and early.hold(batch) and early.entries == 1


# --- listeners ----------------------------------------------------------------------------------


def rooms(number: int, room: str | None) -> tuple[Heard, int] | None:
    """Every tenth message is of the yard, the others of the hall."""
    of_room = "yard" if number % 10 == 0 else "hall"
    return (Heard(number, of_room), 100) if room in (None, of_room) else None


def numbers(one: Subscribers, last: int, leader: int = 3) -> list[int]:
    """What everybody is sent in one push."""
    return [number for _, frame in sent(one.push(last, rooms, leader)[0], Delivered) for number in frame.numbers]


def test_a_listener_of_one_room_is_not_stopped_by_what_is_said_in_another() -> None:
    """It confirms by the numbers it was shown, so what it is not shown must not use up its credit."""
    one = Subscribers(Limits())
    one.take("ann", Subscribe(room="garden"), 9999)
    for _ in range(3):
        assert numbers(one, 2 * CREDIT) == []
        one.go_on()
    assert one.links["ann"][:3] == [2 * CREDIT, 2 * CREDIT, "garden"]


def test_a_listener_that_is_shown_something_confirms_it_itself() -> None:
    one = Subscribers(Limits())
    one.take("ann", Subscribe(room="yard"), 9999)
    assert numbers(one, 40) == [10, 20, 30, 40] and one.links["ann"] == [40, 0, "yard", 3]
    one.take("all", Subscribe(), 9999)
    assert numbers(one, 40) == list(range(1, 41)) and one.links["all"][:2] == [40, 0]


def test_a_cursor_that_grows_confirms_and_another_room_begins_anew() -> None:
    one = Subscribers(Limits())
    one.take("ann", Subscribe(room="yard"), 9999)
    numbers(one, 40)
    one.take("ann", Subscribe(20, room="yard"), 9999)
    assert one.links["ann"] == [40, 20, "yard", 3] and numbers(one, 40) == []
    one.take("ann", Subscribe(30, room="hall"), 9999)
    assert one.links["ann"] == [30, 30, "hall", None] and numbers(one, 40) == list(range(31, 40))


def test_a_listener_that_is_level_is_sent_nothing_until_another_one_leads() -> None:
    one = Subscribers(Limits())
    one.take("ann", Subscribe(), 9999)
    assert numbers(one, 5) == [1, 2, 3, 4, 5]
    assert one.push(5, rooms, 3) == ([], False)
    assert one.push(5, rooms, 2)[0] == [Send("ann", Delivered((), (), 2))]


def test_whom_a_leader_answers_is_bounded_by_its_log_alone() -> None:
    one = Forwarding(1)
    one.wait(("c", 1), "ann", bounded=False)
    one.wait(("c", 2), "ann", bounded=False)
    assert len(one) == 2
    one.wait(("c", 3), "ann")
    assert one.answerable(("c", 1)) == [] and one.answerable(("c", 3)) == ["ann"]


# --- who listens --------------------------------------------------------------------------------


def test_what_was_read_is_noted_whole_and_confirmed_at_its_time_and_not_while_something_is_read_again() -> None:
    cursor, said = Cursor(), Heard(9, "yard", "Ann", "hello", 1.5, "c1", 7)
    notes, asks = cursor.take(Delivered((said,), (1,)))
    whole = {"seq": 9, "msg_no": 1, "room": "yard", "author": "Ann", "text": "hello", "client": "c1", "client_seq": 7}
    assert (notes, asks) == ([Note("seen", **whole)], False)  # type: ignore[arg-type]
    told_at = [number for number in range(2, 2 * CONFIRM_EVERY + 1) if cursor.take(Delivered((said,), (number,)))[1]]
    assert told_at == [CONFIRM_EVERY, 2 * CONFIRM_EVERY]
    assert cursor.again(Reread(5, 6))
    asked = [cursor.take(Delivered((said,), (number,)))[1] for number in range(cursor.seen + 1, 3 * CONFIRM_EVERY + 1)]
    assert not any(asked), "the next request would speak of the stretch"


def test_a_learner_whose_first_choice_breaks_off_goes_on_at_once() -> None:
    one = learner(through=3)
    one.on_message(1, LinkUp(1), 0.1)
    assert one.settle(0.1) == [], "node 3 may still come"
    one.on_message(3, LinkUp(1), 0.2)
    one.on_message(3, LinkDown(), 0.2)
    assert sent(one.settle(0.2), Join)[0][0] == 1 and "first" not in one.alarms


def test_a_learner_that_has_everything_asks_for_nothing() -> None:
    one = learner()
    listening(one, 1)
    one.on_message(1, pushed(1), 0.2)
    for number in range(1, 5):
        assert sent(one.on_message(1, told(one, messages=1), 0.8 * number), Subscribe) == []


def test_damage_in_a_learners_log_is_named_by_its_line() -> None:
    with pytest.raises(DamagedLog) as found:
        replay_learner((LearnerBoot(1, "chat", 4), KeptMessage(2, Heard(3))), "of learner 4")
    assert (found.value.line, found.value.why) == (2, "message 2 follows message 0")


def test_a_pause_is_around_what_is_asked_for_and_doubles_until_it_is_as_long_as_a_wait() -> None:
    timing = config().timing
    for seed in range(20):
        patience = Patience(timing, Random(seed))
        for failures in range(1, 12):
            middle = min(timing.client_retry * 0.03 * 2**failures, timing.client_retry)
            assert 0.75 * middle <= patience.pause() <= 1.25 * middle
