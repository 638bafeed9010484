"""Failure detection, one part by hand."""

from typing import Any

from by_hand import of, part, sent

from chatsys.actor.events import LinkDown
from chatsys.protocol.decisions import HandOver, Retire, Suspect, Yield
from chatsys.protocol.failure import Detector
from chatsys.protocol.messages import Coordinator, Heartbeat, HeartbeatAck, Label, PeerInfo
from chatsys.protocol.state import Role
from chatsys.sim.world import World

BEAT = Heartbeat(1, 1, 0, Label(0, 0))


def follower(me: int = 2, **rest: Any) -> Detector:
    detector: Detector = part(Detector, me=me, **rest)
    detector.state.enter(1, promised_to=3, leader=3)
    detector.on_message(3, BEAT, now=0.0)
    return detector


def leading(me: int = 2, **rest: Any) -> Detector:
    detector: Detector = part(Detector, me=me, **rest)
    detector.state.enter(1, promised_to=me, leader=me)
    detector.state.role = Role.LEADER
    detector.state.ready = True
    detector.lead(0.0)
    return detector


def test_a_heartbeat_is_answered_with_its_number_and_what_is_verified() -> None:
    two = follower()
    two.log.verified = 0
    assert sent(two.on_message(3, Heartbeat(1, 5, 0, Label(0, 0)), now=0.8), HeartbeatAck) == [
        (3, HeartbeatAck(1, True, 5, 0))
    ]


def test_silence_longer_than_the_timeout_and_the_rank_raises_suspicion() -> None:
    two = follower(2)
    assert of(two.on_time(now=2.64), Suspect) == []
    assert of(two.on_time(now=2.65), Suspect) == [Suspect("nothing was heard of leader 3 for too long")]


def test_a_lower_node_is_more_patient_than_a_higher_one() -> None:
    assert follower(1).alarms.dates["silence"] > follower(2).alarms.dates["silence"]


def test_every_heartbeat_resets_the_silence() -> None:
    two = follower()
    two.on_message(3, Heartbeat(1, 2, 0, Label(0, 0)), now=2.0)
    assert two.on_time(now=4.6) == []
    assert of(two.on_time(now=4.7), Suspect)


def test_trust_ends_before_suspicion_begins() -> None:
    two = follower()
    assert two.state.trusted == 3
    two.on_time(now=2.0)
    assert two.state.trusted is None and two.state.role is Role.FOLLOWER


def test_a_broken_link_to_the_leader_raises_suspicion_at_once_by_rank() -> None:
    two = follower(2)
    two.on_message(3, LinkDown(), now=1.0)
    assert two.state.trusted is None
    assert two.on_time(now=1.069) == []
    assert of(two.on_time(now=1.071), Suspect) == [Suspect("the link to leader 3 broke")]


def test_a_broken_link_to_another_follower_means_nothing() -> None:
    two = follower(2)
    two.on_message(1, LinkDown(), now=1.0)
    assert two.state.trusted == 3 and "broken" not in two.alarms


def test_without_fast_suspicion_only_silence_counts() -> None:
    two = follower(2, fast_suspect=False)
    two.on_message(3, LinkDown(), now=1.0)
    assert of(two.on_time(now=1.5), Suspect) == []


def test_a_leader_beats_every_interval_with_growing_numbers() -> None:
    two = leading()
    first = sent(two.on_time(now=0.8), Heartbeat)
    second = sent(two.on_time(now=1.6), Heartbeat)
    assert [to for to, _ in first] == [1, 3]
    assert (first[0][1].number, second[0][1].number) == (1, 2)


def test_a_leader_that_no_quorum_answers_retires_within_its_lease() -> None:
    two = leading()
    two.on_time(now=0.8)
    two.on_time(now=1.6)
    retired = of(two.on_time(now=2.401), Retire)
    assert retired == [Retire("no quorum of 2 answered the last 2 heartbeats")]


def test_a_leader_that_one_of_two_followers_answers_goes_on() -> None:
    two = leading()
    for number, now in enumerate((0.8, 1.6, 2.4, 3.2, 4.0), start=1):
        assert of(two.on_time(now), Retire) == []
        two.on_message(1, HeartbeatAck(1, True, number, 0), now + 0.01)


def test_with_quorum_1_a_lone_leader_never_retires() -> None:
    two = leading(quorum=1)
    assert not any(of(two.on_time(0.8 * k), Retire) for k in range(1, 20))


def test_a_higher_member_in_step_for_two_beats_is_offered_the_lead_once() -> None:
    two = leading()
    two.on_time(now=0.8)
    assert two.on_message(3, HeartbeatAck(1, True, 1, 0), now=0.81) == []
    two.on_time(now=1.6)
    assert two.on_message(3, HeartbeatAck(1, True, 2, 0), now=1.61) == [HandOver(3)]
    two.on_time(now=2.4)
    assert two.on_message(3, HeartbeatAck(1, True, 3, 0), now=2.41) == []


def test_the_same_member_is_asked_again_after_8_seconds_then_16() -> None:
    two = leading(quorum=2)
    asked = []
    for number in range(1, 40):
        now = 0.801 * number
        two.on_time(now)
        if of(two.on_message(3, HeartbeatAck(1, True, number, 0), now + 0.01), HandOver):
            asked.append(now)
    assert [round(b - a) for a, b in zip(asked, asked[1:], strict=False)] == [8, 16]


def test_a_member_that_lags_is_not_offered_the_lead() -> None:
    two = leading()
    two.log.commit = 5
    for number in (1, 2, 3):
        two.on_time(0.8 * number)
        assert two.on_message(3, HeartbeatAck(1, True, number, 4), 0.8 * number + 0.01) == []


def test_without_take_back_the_lead_is_never_offered() -> None:
    two = leading(take_back=False)
    for number in (1, 2, 3):
        two.on_time(0.8 * number)
        assert two.on_message(3, HeartbeatAck(1, True, number, 0), 0.8 * number + 0.01) == []


# --- who is low on disk space -----------------------------------------------------------------------


def answers(detector: Detector, first: int, *members: int, low: bool = False) -> list[Any]:
    """Let two beats from number `first` on be answered by these members; return the offers."""
    offers = []
    for number in (first, first + 1):
        offers += detector.on_time(0.8 * number + 1e-6)
        for member in members:
            answer = HeartbeatAck(1, True, number, 0, low)
            offers += detector.on_message(member, answer, 0.8 * number + 0.01)
    return of(offers, HandOver)


def test_a_heartbeat_answer_says_who_is_low() -> None:
    two = follower()
    two.state.low = True
    assert sent(two.on_message(3, Heartbeat(1, 2, 0, Label(0, 0)), now=0.8), HeartbeatAck)[0][1].low


def test_a_leader_that_is_low_hands_over_to_the_highest_with_room_also_to_a_lower_one_and_without_take_back() -> None:
    three = leading(3, take_back=False)
    assert answers(three, 1, 2) == []
    three.state.low = True
    assert answers(three, 3, 2, low=True) == [], "2 has no room either"
    assert answers(three, 5, 1) == [HandOver(1)]


def test_where_all_are_low_the_leader_stays() -> None:
    three = leading(3)
    three.state.low = True
    assert answers(three, 1, 1, 2, low=True) == []


def test_a_member_that_was_low_is_asked_only_after_it_had_room_for_a_while() -> None:
    """Or a disk around the threshold would draw the lead to and fro."""
    two = leading(2)
    assert answers(two, 1, 3, low=True) == []
    offered = [number for number in range(3, 25, 2) if answers(two, number, 3)]
    assert offered and 0.8 * offered[0] > 1.6 + 8.0 - 1.6


# --- a detector of one's own ------------------------------------------------------------------------


class ByOwnCount(Detector):
    """Suspects after so many looks without a sign of life; overrides what is public, and nothing else."""

    looks_every = 0.1
    looks = 0

    def hears(self, leader: Any, message: Any, now: float) -> None:
        self.looks = 0

    def silent(self, leader: int, now: float) -> bool:
        self.looks += 1
        return self.looks > 12


def test_a_detector_of_ones_own_is_asked_again_and_again_and_decides_alone() -> None:
    two = part(ByOwnCount, me=2)
    two.state.enter(1, promised_to=3, leader=3)
    two.on_message(3, BEAT, now=0.0)
    for look in range(1, 13):
        assert of(two.on_time(now=look * 0.11), Suspect) == []
    assert of(two.on_time(now=13 * 0.11), Suspect) == [Suspect("nothing was heard of leader 3 for too long")]


def test_any_frame_of_the_leader_is_a_sign_of_life_to_it() -> None:
    two = part(ByOwnCount, me=2)
    two.state.enter(1, promised_to=3, leader=3)
    for frame in (BEAT, Coordinator(1, PeerInfo(3, "here"), 1, 0)):
        two.looks = 9
        two.on_message(3, frame, now=0.0)
        assert two.looks == 0


def test_where_no_leader_is_known_there_is_nobody_to_ask_about() -> None:
    two = part(ByOwnCount, me=2)
    two.settle(now=0.0)
    assert two.alarms.dates["silence"] > 2.5
    assert of(two.on_time(now=9.0), Suspect) == [Suspect("nothing was heard of any leader for too long")]
    assert two.looks == 0


def test_in_the_chat_it_changes_how_long_a_pause_goes_unnoticed() -> None:
    def noticed(**parts: Any) -> float:
        world = World(5, parts=parts)
        assert world.until(lambda: world.leader == 3)
        world.run(5)
        paused = world.now
        world.pause(3)
        assert world.until(lambda: any(one.time > paused for one in world.trace.of("suspect")))
        return world.now - paused

    assert noticed(failure=ByOwnCount) < 1.4 < 1.8 < noticed()


# --- rule by rule ---------------------------------------------------------------------------------


def test_only_a_leader_that_slept_longer_than_its_lease_retires_and_says_so() -> None:
    """SPECIFICATION R5.9."""
    assert leading().wake(2.6) == [Retire("this node slept longer than its lease", slept=True)]
    assert leading().wake(2.5) == [] == follower().wake(9.0)


def test_the_silence_of_a_leader_is_no_matter_for_who_is_no_follower() -> None:
    for name in ("silence", "broken"):
        two = follower()
        two.state.role = Role.NOMINATING
        assert two.on_alarm(name, 9.0) == [], name
        two.state.role = Role.FOLLOWER
        assert of(two.on_alarm(name, 9.0), Suspect), name


def test_who_follows_beats_no_more_has_no_lease_and_listens() -> None:
    """SPECIFICATION R5.4, R5.10."""
    two = leading()
    two.alarms.set("broken", 9.0)
    two.state.role = Role.FOLLOWER
    two.follow(1.0, Yield("test"))
    assert set(two.alarms.dates) == {"silence"} and not two.state.lease_valid
    short = two.config.timing
    for _ in range(20):
        two.follow(1.0, Yield("test", back_off=True))
        assert short.back_off_min <= two.alarms.dates["silence"] - 1.0 <= short.back_off_max
    two.alarms.clear("silence")
    two.settle(2.0)
    assert "silence" in two.alarms
    two.state.role = Role.NOMINATING
    two.settle(2.0)
    assert "silence" not in two.alarms


def test_a_lease_is_good_while_at_most_one_beat_is_without_an_answer() -> None:
    """SPECIFICATION R5.8."""
    two = leading()
    leases = []
    for beat in range(1, 3):
        two.on_alarm("beat", 0.8 * beat)
        leases.append(two.state.lease_valid)
    assert leases == [True, False]
    two.on_message(3, HeartbeatAck(1, True, 1, 0), 1.7)
    assert two.state.lease_valid, "one of two is answered now"
    two.number += 1
    two.on_message(3, HeartbeatAck(1, True, 1, 0), 1.8)
    assert not two.state.lease_valid
    assert two.on_alarm("early", 1.9) == [], "and none is sent early, while as many as may be are without an answer"


def test_each_leadership_counts_its_beats_anew() -> None:
    """SPECIFICATION R5.2."""
    two = leading()
    two.on_alarm("beat", 0.8)
    two.lead(1.0)
    (beat, _) = sent(two.on_alarm("beat", 1.8), Heartbeat)
    assert beat[1].number == 1 and set(two.answered.values()) == {0}
    two.state.role = Role.FOLLOWER
    assert two.on_alarm("beat", 2.6) == []
