"""The term fence: one place that decides whether a message of some term may pass.

    older than mine    refused, with my term, so that a deposed leader learns of it
    as old as mine     passes; from the leader it also says who leads
    newer than mine    from a leader: enter its term and follow it;
                       in a refusal: enter the term, without a leader;
                       anywhere else: only a hint, never recorded

JOIN, ELECTION, OK, SUBMIT and relays stand outside the fence: a node whose term ran ahead must
still find support and data.  PREPARE passes, because only `succession` can judge it.

Why a newer term is not simply believed.  In Raft whoever sees a greater term enters it.  Here, beside
PREPARE and relays, which have rules of their own, only two kinds of frames raise a term: those of a
leader, behind which a quorum stands, and refusals, which answer what this node itself has sent.  An
ACK or a STEPDOWN of a newer term comes from a conversation that this node is not part of; to enter
its term would depose a leader for nothing.

Chapter 3 of SPECIFICATION.md has the whole table, message by message; a test walks every cell of it.

Promises  terms never go back, and what carries a newer term leaves only after that is durable.
Read also `succession`, whose part this is.
"""

import msgspec

from chatsys.actor.effects import Append, Effects, Note, Send
from chatsys.errors import BrokenInvariant
from chatsys.protocol.decisions import Yield
from chatsys.protocol.messages import (
    Ack,
    Catchup,
    CatchupReply,
    Coordinator,
    Heartbeat,
    HeartbeatAck,
    Prepare,
    Promise,
    Propose,
    Stepdown,
)
from chatsys.protocol.standing import Role, Standing
from chatsys.protocol.storage import Promised

# SPECIFICATION R3.2
FENCED = (Coordinator, Heartbeat, Propose, Prepare, Promise, Ack, HeartbeatAck, Catchup, CatchupReply, Stepdown)
FROM_A_LEADER = (Coordinator, Heartbeat, Propose)
REFUSABLE = (Promise, Ack, HeartbeatAck)


class Fence:
    """Decides by term what may pass, and enters newer terms."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing

    def check(self, sender: int, message: msgspec.Struct) -> tuple[Effects, bool]:
        """Return what is owed for the term alone, and whether the message may pass."""
        if not isinstance(message, FENCED) or (
            isinstance(message, (Catchup, CatchupReply)) and message.purpose == "relay"
        ):
            return [], True
        own = self.standing.term
        if isinstance(message, Prepare):
            return [], True
        if message.term < own:
            return self._refuse(sender, message), False  # SPECIFICATION R3.3
        if isinstance(message, FROM_A_LEADER):
            return self._hear_leader(sender, message)
        if message.term == own:
            return [], True
        if isinstance(message, REFUSABLE) and not message.ok:  # SPECIFICATION R3.6
            self.standing.enter(message.term, promised_to=None)
            return [
                Append(Promised(message.term, None)),
                Yield(f"node {sender} is already in term {message.term}"),
            ], False
        return [], False  # SPECIFICATION R3.7

    def _refuse(self, sender: int, message: msgspec.Struct) -> Effects:
        """Tell an old leader which term it is; everything else of an old term is just dropped."""
        term = self.standing.term
        match message:
            case Coordinator() | Propose():
                return [Send(sender, Ack(term, False))]
            case Heartbeat(number=number):
                return [Send(sender, HeartbeatAck(term, False, number))]
        return []

    def _hear_leader(self, sender: int, message: Coordinator | Heartbeat | Propose) -> tuple[Effects, bool]:
        here = self.standing
        if message.term > here.term:
            here.enter(message.term, promised_to=sender, leader=sender)  # SPECIFICATION R3.5
            effects: Effects = [Append(Promised(message.term, sender)), self._follow(sender)]
        elif here.leader == sender:
            if isinstance(message, Heartbeat) and message.number <= here.heard:  # SPECIFICATION R3.8
                return [], False
            effects = [] if self._already_follows() else [self._follow(sender)]
        elif here.leader is None:
            here.set_leader(sender)  # SPECIFICATION R3.4
            effects = [self._follow(sender)]
        else:
            return self._two_leaders(sender, message)
        if isinstance(message, Heartbeat):
            here.heard = message.number
        return effects, True

    def _already_follows(self) -> bool:
        """A nominee keeps its nomination if it was this very leader that asked it to take over."""
        return self.standing.role is Role.FOLLOWER or self.standing.transferring

    def _follow(self, leader: int) -> Yield:
        return Yield(f"node {leader} leads term {self.standing.term}", leader=leader)

    def _two_leaders(self, sender: int, message: Coordinator | Heartbeat | Propose) -> tuple[Effects, bool]:
        """Two leaders of one term: impossible if quorums overlap; otherwise follow the higher id."""
        here = self.standing
        sentence = f"nodes {here.leader} and {sender} both lead term {here.term}"
        if here.safe:  # SPECIFICATION R1.4, R3.9
            raise BrokenInvariant(f"In this safe cluster {sentence}.")
        assert here.leader is not None, "there are two"
        anomaly = Note("anomaly", peer=sender, reason=sentence)
        if sender < here.leader:
            return [anomaly], False
        here.set_leader(sender)
        if isinstance(message, Heartbeat):
            here.heard = message.number
        return [anomaly, self._follow(sender)], True
