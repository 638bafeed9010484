"""A learner, rule by rule: what it says of itself, how it serves its own listeners, what it writes and forgets."""

from by_hand import config, of, sent
from test_learners import OLD, learner, listening, pushed, told

from chatsys.actor.effects import Append, Note
from chatsys.actor.events import Depart, LinkDown
from chatsys.protocol.learning.chronicle import Chronicle
from chatsys.protocol.learning.learner import Learner
from chatsys.protocol.learning.records import Joined, LearnerBoot
from chatsys.protocol.messages import Delivered, Join, JoinAck, Leave, Submit, Subscribe
from chatsys.protocol.serving.subscribers import CREDIT, PAST, PAUSE


def test_what_people_see_of_a_learner() -> None:
    one = learner()
    assert one.view() == (0, "learner") and one.status()["leader"] is None
    listening(one, 1)
    one.on_message(1, told(one), 0.2)
    one.on_message(2, JoinAck("ok", 7, (1, 2, 3), None, nonce=one.chronicle.nonce), 0.3)
    one.on_message(1, told(one), 0.4)
    assert one.view() == (7, "learner"), "a term never goes back"
    one.on_message(1, pushed(1), 0.5)
    assert one.status() == {
        "role": "learner", "term": 7, "leader": 3, "ready": True, "last": 1, "commit": 1, "delivered": 1, "waiting": 0,
        "listens_to": 1, "waits_for": "", "incarnation": 1,
    }  # fmt: skip


def test_that_it_is_taken_in_and_why_it_waits_is_noted_once() -> None:
    one = learner()
    listening(one, 1)
    waits = told(one, "waiting", reason="its entry is on its way")
    assert [note.reason for note in of(one.on_message(1, waits, 0.2), Note)] == ["waiting: its entry is on its way"]
    assert of(one.on_message(1, waits, 0.3), Note) == []
    assert [note.kind for note in of(one.on_message(1, told(one), 0.4), Note)] == ["admitted", "membership"]
    assert of(one.on_message(1, told(one), 0.5), Note) == []


def test_who_leads_is_told_as_long_as_the_member_at_hand_is_within_reach() -> None:
    one = learner()
    listening(one, 1)
    one.on_message(1, told(one), 0.2)
    one.on_message("bob", Subscribe(0), 0.3)
    assert sent(one.settle(0.3), Delivered) == [("bob", Delivered((), (), 3))]
    one.on_message(1, LinkDown(), 0.4)
    assert sent(one.settle(0.4), Delivered) == [("bob", Delivered((), (), 0))]


def test_whoever_listens_from_the_start_is_given_the_past_frame_by_frame_and_whoever_is_gone_nothing() -> None:
    one = learner()
    listening(one, 1)
    every = 2 * CREDIT
    for first in range(1, every, CREDIT):
        one.on_message(1, pushed(*range(first, first + CREDIT)), 0.2)
    one.on_message("bob", Subscribe(0), 0.3)
    frames, now = sent(one.settle(0.3), Delivered), 0.3
    assert one.alarms.dates["push"] == now + PAUSE
    one.settle(now + PAUSE / 2)
    assert one.alarms.dates["push"] == now + PAUSE, "nothing puts the pause off"
    for _ in range(3):
        now = one.alarms.dates["push"]
        one.on_time(now)
        frames += sent(one.settle(now), Delivered)
    assert [frame.numbers[0] for _, frame in frames] == [1 + PAST * turn for turn in range(4)]
    one.on_message("bob", LinkDown(), now)
    one.on_time(now + 1.0)
    assert sent(one.settle(now + 1.0), Delivered) == [] and "push" not in one.alarms


def test_what_was_passed_on_is_forgotten_after_two_sweeps() -> None:
    one = learner()
    listening(one, 1)
    one.on_message("ann", Submit("c", 1, "main", "ann", "hi", session=1), 0.2)
    sweep = one.timing.client_retry_max
    assert one.alarms.dates["sweep"] == 0.2 + sweep
    one.on_message("ann", Submit("c", 2, "main", "ann", "hi", session=1), 1.0)
    assert one.alarms.dates["sweep"] == 0.2 + sweep and len(one.forwarding) == 2
    one.on_time(0.2 + sweep)
    assert one.alarms.dates["sweep"] == 0.2 + 2 * sweep and len(one.forwarding) == 2
    one.on_time(0.2 + 2 * sweep)
    assert "sweep" not in one.alarms and len(one.forwarding) == 0


def test_before_its_life_has_a_nonce_no_answer_is_meant_for_it() -> None:
    one = learner()
    one.chronicle = Chronicle(4, config())
    assert one.on_message(1, JoinAck("left", 1, (1, 2, 3), None), 0.2) == []


def test_a_question_is_told_the_cluster_and_a_join_only_whom_to_ask() -> None:
    one = learner()
    abouts = [sent(one.on_message("bob", Join(5, "", folder), 0.4), JoinAck)[0][1] for folder in ("", OLD)]
    assert [about.config for about in abouts] == [config(), None]


def test_only_who_was_taken_in_has_to_leave() -> None:
    one = learner()
    listening(one, 1)
    one.on_command(Depart(), 0.2)
    assert sent(one.on_time(0.2), Leave) == [] and one.departing
    one.on_message(1, told(one), 0.3)
    assert len(sent(one.on_time(1.2), Leave)) == 1


def test_the_cluster_is_written_down_when_it_is_new_or_has_changed() -> None:
    def begun(*before: object) -> list[object]:
        one = Chronicle(4, config())
        one.drawn = ("folder", "nonce")
        one.recover(before)  # type: ignore[arg-type]
        return [item for effect in of(one.begin(), Append) for item in effect.items]

    boot = LearnerBoot(1, "chat", 4, identity="folder", nonce="nonce")
    assert begun() == [boot, Joined(config())]
    again = LearnerBoot(2, "chat", 4, identity="folder", nonce="nonce")
    assert begun(boot, Joined(config())) == [again]
    assert begun(boot, Joined(config(5))) == [again, Joined(config())]


def test_a_learner_without_a_boot_has_heard_nothing() -> None:
    one = Chronicle(4, config())
    assert (one.incarnation, one.identity, one.nonce, one.cursor(), one.deliver()) == (0, "", "", 0, [])


def test_whoever_listens_here_may_speak_listen_and_ask_and_nothing_else() -> None:  # SPECIFICATION R19.10
    assert Learner.from_clients == (Submit, Subscribe, Join)
