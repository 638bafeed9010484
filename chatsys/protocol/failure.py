"""Failure detection: heartbeats both ways, and what silence means.

The leader sends a numbered HEARTBEAT to everyone; everyone answers.  A follower that hears
nothing for long enough suspects the leader.  A leader that no quorum answers suspects itself.

    leader    |--beat 7--->|--beat 8--->   no quorum answered 7 and 8: retire (check-quorum)
    follower  ...silence alarm, set anew by each beat... rings: Suspect
              ...trust alarm, shorter: while it is set, help nobody to depose the leader

Two waits, in this order.  Both begin when a follower hears its leader (times of the course):

    0 s            0.8 s, 1.6 s             2.0 s                2.5 s and more
    a beat came    two beats are missing    trust ends:          silence ends: this node suspects,
                                            it helps others      the highest id first

Trust must end before suspicion may begin.  If it did not, then after a crash of node 3 node 2 would
suspect and ask node 1, and node 1, which heard node 3 a moment later than 2 did, would still answer
`alive`: each attempt would fail for want of a quorum until the last one had lost its trust, too.  And
trust must outlast one lost beat, or a single lost frame would be enough for a contest.

What the lease is not.  A lease in the sense of Gray and Cheriton (1989) is a right that others respect
until it ends, and safety rests on clocks; Raft's leader can read by one (dissertation 6.4.1).  Nothing
of the kind is granted here: a leader commits by the ACKs of a quorum, lease or no lease.  The lease
only ends a wait that is in vain, of its clients and of its followers.

A detector of your own.  What a silence means is the matter of one method, `silent`.  The rest (trust, the lease,
the hand-over) stays, and nothing private is touched:

    class Mine(Detector):
        looks_every = 0.1                           from now on ask ten times a second, not once after the long wait
        def hears(self, leader, message, now): ...  a sign of life came; unnecessary if the time alone decides
        def silent(self, leader, now): ...          whether the leader counts as silent now

    World(parts={"failure": Mine})                  with pause and cuts: of a crash the broken link tells

Assumes   nothing: on an asynchronous network a slow node and a dead one look alike
          (Chandra and Toueg 1996), so suspicion may be wrong.
Promises  a wrong suspicion costs time, never safety.  A replayed heartbeat revives nobody.
Read also `election` (what a suspicion starts).
"""

from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Effects, Note, Send
from chatsys.actor.events import LinkDown
from chatsys.config import ClusterConfig
from chatsys.protocol.decisions import HandOver, Retire, Suspect, Yield
from chatsys.protocol.messages import Coordinator, Heartbeat, HeartbeatAck, Propose
from chatsys.protocol.part import Part
from chatsys.protocol.state import NodeState, Role

BEATS_BEFORE_HAND_OVER = 2
"""So many heartbeats in a row a member must answer, fully caught up, to be handed the lead."""


class Detector(Part):
    """Suspects the leader when it is silent, and oneself when nobody answers."""

    handles = (Heartbeat, HeartbeatAck, Coordinator, Propose, LinkDown)
    looks_every: float | None = None
    """Every so many seconds a follower asks whether its leader is `silent`; None: once, when its whole wait is over."""

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.allowed = max(1, int(self.timing.lease / self.timing.heartbeat_interval + 1e-9) - 1)
        """So many beats may go unanswered by a quorum when the next one is due."""
        self.number = 0
        """The number of the last beat sent in this term."""
        self.answered: dict[int, int] = {}
        """The last beat each member answered in this term."""
        self.in_step: dict[int, int] = {}
        """How many beats in a row each member answered with a complete log."""
        self.low: set[int] = set()
        """Members that said with their last answer that their disk is almost full."""
        self.patience: dict[int, float] = {}
        """How long to wait before each member is asked to take over again."""
        self.told = 0  # the highest commit that a leader told of; only people read it, as a lag

    def wake(self, late: float) -> Effects:
        """Retire from the lead if the earliest alarm is more than a lease late.

        A process that was suspended does not notice it: for itself no time has passed.  But its clock
        tells, and by now the others may have a leader of their own.
        """
        if late > self.timing.lease and self.state.leads:  # SPECIFICATION R5.9
            return [Retire("this node slept longer than its lease", slept=True)]
        return []

    # --- a follower ------------------------------------------------------------------------

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Hear the leader, or (leading) the answers.  The term fence has passed."""
        match message:
            case Heartbeat(term=term, number=number):
                self._hear(sender, message, now)
                answer = HeartbeatAck(term, True, number, self.log.verified, self.state.stands_back)
                return [Send(sender, answer)]  # SPECIFICATION R5.2
            case Coordinator() | Propose():
                self._hear(sender, message, now)
            case HeartbeatAck(ok=True) if self.state.leads and isinstance(sender, int):
                return self._count(sender, message, now)
            case LinkDown() if sender == self.state.leader and self.config.fast_suspect:
                return self._link_broke(now)
        return []

    def hears(self, leader: Address, message: msgspec.Struct, now: float) -> None:
        """Take in a sign of life: a HEARTBEAT, PROPOSE or COORDINATOR of the leader.  Override it to keep what you need."""

    def silent(self, leader: int, now: float) -> bool:
        """Tell whether the leader is silent, now.  Override it to decide otherwise.

        Here it is asked only when the wait is over and no sign of life has set it anew: then it is.
        """
        return True

    def _hear(self, leader: Address, message: Heartbeat | Coordinator | Propose, now: float) -> None:
        self.told = max(self.told, message.commit)
        self.hears(leader, message, now)
        self.state.trust = True
        self.alarms.clear("broken")
        self.alarms.set("trust", now + self.timing.stickiness)  # SPECIFICATION R5.5
        self._listen(now)

    def _listen(self, now: float) -> None:
        if self.looks_every is not None and self.state.leader is not None:
            self.alarms.set("silence", now + self.looks_every)
            return
        wait = self.timing.heartbeat_timeout + self.timing.rank_step * self.state.members.rank  # SPECIFICATION R5.3
        self.alarms.set("silence", now + wait + self.random.uniform(0, self.timing.heartbeat_spread))

    def _link_broke(self, now: float) -> Effects:
        """Suspect the leader at once: a link that is refused anew tells more than silence.

        Silence may be a slow network; a refused connection is the word of the other machine that nobody
        listens there.  It is still no proof (the process may be starting again), so this only shortens
        the wait.  Trust ends now, for this node must not answer `alive` to those who noticed first; the
        suspicion comes a little later, by rank, so that the highest is first and the others support it.
        Any frame of the leader takes both back.
        """
        self.state.trust = False
        self.alarms.clear("trust")
        # SPECIFICATION R5.6
        self.alarms.set("broken", now + self.timing.fast_delay + self.timing.fast_step * self.state.members.rank)
        return []

    def on_alarm(self, name: Any, now: float) -> Effects:
        """Trust ends, silence has lasted too long, or a beat is due, or wanted early while fewer go unanswered than may."""
        match name:
            case "trust":
                self.state.trust = False
            case "silence" if self.state.role is Role.FOLLOWER:
                return self._look(now)
            case "broken" if self.state.role is Role.FOLLOWER:
                return self._suspect("the link to {} broke")
            case "beat" | "early" if self.state.leads and (name == "beat" or self._unanswered() < self.allowed):
                return self._beat(now)
        return []

    def _look(self, now: float) -> Effects:
        """Suspect the leader if it is silent, or anybody if none is known; otherwise look again later."""
        leader = self.state.leader
        if leader is not None and not self.silent(leader, now):
            self._listen(now)
            return []
        return self._suspect("nothing was heard of {} for too long")

    def _suspect(self, how: str) -> Effects:
        leader = self.state.leader
        reason = how.format("any leader" if leader is None else f"leader {leader}")
        return [Note("suspect", peer=leader, reason=reason), Suspect(reason)]

    def follow(self, now: float, decision: Yield) -> Effects:
        """Listen for the leader; after a failed attempt only for a short, random while."""
        self.alarms.clear("beat", "broken")
        self.state.lease_valid = False
        if decision.back_off:
            wait = self.random.uniform(self.timing.back_off_min, self.timing.back_off_max)  # SPECIFICATION R5.10
            self.alarms.set("silence", now + wait)
        else:
            self._listen(now)
        return []

    def settle(self, now: float) -> Effects:
        """A follower always listens; whoever is no follower does not.

        There are many roads to FOLLOWER: a promise, a newer term, a failed attempt, a start.  If each had
        to set the alarm, the one that forgot it would make a follower that waits for ever.  So it is seen
        to here, once, at the end of each turn.
        """
        if self.state.role is Role.FOLLOWER:
            if "silence" not in self.alarms:  # SPECIFICATION R5.4
                self._listen(now)
        elif "silence" in self.alarms:
            self.alarms.clear("silence")
        return []

    # --- a leader --------------------------------------------------------------------------

    def lead(self, now: float) -> Effects:
        """Begin to beat; the promises that made this node leader count as the first answers."""
        self.number = 0
        self.answered = dict.fromkeys(self.state.members.others, 0)
        self.in_step = dict.fromkeys(self.state.members.others, 0)
        self.patience, self.low = {}, set()
        self.state.lease_valid = True
        self.state.trust = False
        self.alarms.clear(*list(self.alarms.dates))
        self.alarms.set("beat", now + self.timing.heartbeat_interval)
        return []

    def _beat(self, now: float) -> Effects:
        """Send the next heartbeat, or step down because no quorum answered the latest ones.

        This is Raft's check-quorum (dissertation 6.2), counted in heartbeats and not in seconds, so a
        leader that was busy for a moment does not depose itself over answers that wait in its inbox.
        With a lease of 2.5 s and a beat every 0.8 s there is room for three beats: the third is not
        sent if two went unanswered, so a leader in a minority turns clients away *within* the lease.

        Without this rule a deaf leader would stay for ever: nothing reaches node 3, but 1 and 2 hear its
        beats.  It can commit nothing, for no ACK arrives, and nobody suspects it, for it beats.  Only node
        3 itself can notice that there are no answers (the schedule Q26).
        """
        if self._unanswered() >= self.allowed:  # SPECIFICATION R5.7
            enough = self.state.members.quorum
            return [Retire(f"no quorum of {enough} answered the last {self._unanswered()} heartbeats")]
        self.number += 1  # SPECIFICATION R5.2
        self.state.lease_valid = self._unanswered() <= 1  # SPECIFICATION R5.8
        self.alarms.set("beat", now + self.timing.heartbeat_interval)
        beat = Heartbeat(self.state.term, self.number, self.log.commit, self.log.last)
        return [Send(peer, beat) for peer in self.state.members.others]

    def _unanswered(self) -> int:
        """Return how many of the latest beats no quorum (this node counted) has answered.

        In falling order, the number at place `quorum` is the newest beat that so many nodes answered.
        """
        heard = sorted([self.number, *self.answered.values()], reverse=True)
        return self.number - heard[self.state.members.quorum - 1]

    def _count(self, sender: int, answer: HeartbeatAck, now: float) -> Effects:
        successive = answer.number == self.answered[sender] + 1
        self.answered[sender] = max(self.answered[sender], answer.number)
        self.state.lease_valid = self._unanswered() <= 1
        if sender in self.in_step:
            complete = answer.verified >= self.log.commit
            self.in_step[sender] = (self.in_step[sender] + 1 if successive else 1) if complete else 0
        self._hear_of_space(sender, answer.low, now)
        return self._hand_over(now)

    def _hear_of_space(self, member: int, low: bool, now: float) -> None:
        """Keep in mind who is low, and give whoever is no longer low some time before it is asked again.

        A disk around the threshold is low and not low in turns.  If its node got the lead back with each turn,
        the lead would go to and fro with it; so it must have had room for `hand_over_retry` first.
        """
        if low:
            self.low.add(member)
            self.alarms.set(("room", member), now + self.timing.hand_over_retry)  # SPECIFICATION R6.15
        else:
            self.low.discard(member)

    def heirs(self) -> tuple[int, ...]:
        """Return whom this leader would hand the lead to: a higher one, or anybody if its own disk has no room."""
        if self.state.low:  # SPECIFICATION R6.14
            return self.state.members.others
        return self.state.members.outranking if self.config.take_back else ()  # SPECIFICATION R6.9

    def has_room(self, member: int) -> bool:
        """Tell whether a member's disk has room, and has had it for a while."""
        return member not in self.low and ("room", member) not in self.alarms

    def _hand_over(self, now: float) -> Effects:
        """Offer the lead to the highest member that should have it and has caught up: Bully's promise, kept politely.

        Garcia-Molina's highest process takes the lead as soon as it is back.  Here it first catches up
        as a follower, and shows it by two answers in a row, since one may be its last word before a
        crash.  Then this leader asks it to nominate itself: Raft's leadership transfer (dissertation
        3.10), whose TimeoutNow is our TRANSFER_LEAD.  Nothing is given away by asking.  If the other does
        not lead soon this leader serves on, and asks again after 8 s, then 16, up to 64, because a
        member that answers heartbeats and yet cannot win a quorum (a star) would be asked for ever.

        A leader whose own disk is almost full must turn its clients away, so it looks for anybody who has
        room, lower ones too.  If all are low it stays, and says so to the clients.
        """
        state = self.state
        if not state.ready or state.handing_over or state.leaving or not (heirs := self.heirs()):
            return []
        able = [peer for peer in heirs if self.in_step[peer] >= BEATS_BEFORE_HAND_OVER and peer not in state.down]
        able = [peer for peer in able if ("ask", peer) not in self.alarms and self.has_room(peer)]
        if not able:
            return []
        to = max(able)
        wait = self.patience.get(to, self.timing.hand_over_retry)
        self.patience[to] = min(2 * wait, self.timing.hand_over_retry_max)
        self.alarms.set(("ask", to), now + wait)
        return [HandOver(to)]
