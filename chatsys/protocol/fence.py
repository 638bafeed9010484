"""The term fence: one place that decides whether a message of some term may pass.

    older than mine    dropped; what only a leader sends is refused, with my term, so that it learns of it
    as old as mine     passes; from the leader it also says who leads
    newer than mine    from a leader: enter its term and follow it;
                       in a refusal: enter the term, without a leader;
                       anywhere else: dropped, and the term is not believed

JOIN, LEAVE, ELECTION, OK, SUBMIT and relays stand outside the fence: a node whose term ran ahead must
still find support and data.  PREPARE passes, because only `succession` can judge it.

Why a newer term is not simply believed.  In Raft whoever sees a greater term enters it.  Here, beside
PREPARE and relays, which have rules of their own, only two kinds of frames raise a term: those of a
leader, behind which a quorum stands, and refusals, which answer what this node itself has sent.  An
ACK or a TRANSFER_LEAD of a newer term comes from a conversation that this node is not part of; to enter
its term would depose a leader for nothing.

Why an ACK of an older term is dropped, though it is true.  It says that node 1 holds position 5, and
when it was sent, node 1 did.  Since then the leader of the next term has replaced 5 on node 1 and on
3.  Now 3 leads again and writes y at position 5.  If it counted the old ACK, y would be held by a
quorum by its count, and by fewer nodes in truth (the schedule Q2, with five nodes).

Why only a leader's older frames are answered.  A leader that was cut off goes on beating, and no
silence tells it that its term is over; whoever hears it says so with the own term, and it steps down.
Any other frame of an older term needs no answer: its sender asks again, or has stopped waiting.  (A
nominee of an older term learns it as well, from `succession`, which refuses its PREPARE.)

What safety depends on.  Four frames of an older term must not count: a PROMISE (it was given for an attempt that is over),
an ACK (above), a PROPOSE (what was promised is frozen), and a leader's frame as a reason to go back.  Two of a
newer term must not pass before their term is entered and written down: a HEARTBEAT, whose `commit` speaks of the newer
leader's log, and a PROPOSE.  The other cells of the table buy speed, are a second lock, or are only habit; one comparison
decides for all of them, so they cost nothing.

    term 2   1 promises to 2, but the PROMISE is late; 2 gives up
    term 3   2 and 3 both ask; 1 promises to 3, which leads.  Now the old PROMISE reaches 2: with its own it makes two

And a term so far ahead that no cluster can have got there is not believed of anybody (`JUMP`).  Otherwise one
frame could use up all terms that there are, and no election would find a next one.

Chapter 3 of SPECIFICATION.md has the whole table, message by message, and says what depends on which cell; a test walks every
cell of it.

Promises  terms never go back, and what carries a newer term leaves only after that is durable.
Read also `succession` (who is asked to enter a term), `node` (who asks this part first).
"""

from typing import Any, Literal

import msgspec

from chatsys.actor.effects import Append, Effects, Note, Send
from chatsys.errors import BrokenInvariant
from chatsys.protocol.decisions import Yield
from chatsys.protocol.messages import (
    NODE_MESSAGES,
    Ack,
    Catchup,
    CatchupReply,
    Coordinator,
    Delivered,
    Election,
    Heartbeat,
    HeartbeatAck,
    Join,
    JoinAck,
    Leave,
    Ok,
    Prepare,
    Promise,
    Propose,
    Submit,
    SubmitReply,
    Subscribe,
    TransferLead,
)
from chatsys.protocol.part import Part
from chatsys.protocol.state import Role
from chatsys.protocol.storage import Promised

Rule = Literal["outside", "judged", "leader", "answer", "fenced"]

RULES: dict[type[msgspec.Struct], Rule] = {  # SPECIFICATION R3.2
    Coordinator: "leader",
    Heartbeat: "leader",
    Propose: "leader",
    Promise: "answer",
    Ack: "answer",
    HeartbeatAck: "answer",
    Catchup: "fenced",
    CatchupReply: "fenced",
    TransferLead: "fenced",
    Prepare: "judged",
    Join: "outside",
    JoinAck: "outside",
    Leave: "outside",
    Election: "outside",
    Ok: "outside",
    Submit: "outside",
    SubmitReply: "outside",
    Subscribe: "outside",
    Delivered: "outside",
}
"""How each message of the chat stands to the fence; none has a default (news of the own links pass).

    rule        of an older term     of this term          of a newer term
    outside     passes               passes                passes
    judged      passes               passes                passes: `succession` judges it
    leader      refused              passes, if it leads   enters the term, and follows
    answer      dropped              passes                an answer that says no: enters; otherwise dropped
    fenced      dropped              passes                dropped

A relay (CATCHUP and CATCHUP_REPLY with that purpose) stands outside, as it asks no leader.
"""
assert set(RULES) == set(NODE_MESSAGES), "each message of the chat has its row"

JUMP = 2**32  # SPECIFICATION R3.11
"""Nobody gets so many terms ahead of a node: with an election every second, 136 years away."""

FROM_A_LEADER = (Coordinator, Heartbeat, Propose)


class Fence(Part):
    """Decides by term what may pass, and enters newer terms."""

    def check(self, sender: int, message: Any) -> tuple[Effects, bool]:
        """Return what is owed for the term alone, and whether the message may pass."""
        rule = RULES.get(type(message), "outside")  # what is no message of the chat is news of the own links
        relayed = getattr(message, "purpose", None) == "relay"
        if rule != "outside" and self.is_made_up(message.term):
            return [], False
        if rule in ("outside", "judged") or relayed:
            return [], True
        own = self.state.term
        if message.term < own:
            return self._refuse(sender, message), False  # SPECIFICATION R3.3
        if isinstance(message, FROM_A_LEADER):
            return self._hear_leader(sender, message)
        if message.term == own:
            return [], True
        if rule == "answer" and not message.ok:  # SPECIFICATION R3.6
            self.state.enter(message.term, promised_to=None)
            return [
                Append(Promised(message.term, None)),
                Yield(f"node {sender} is already in term {message.term}"),
            ], False
        return [], False  # SPECIFICATION R3.7

    def is_made_up(self, term: int) -> bool:
        """Tell whether no cluster can have reached this term while this node was away."""
        return term > self.state.term + JUMP  # SPECIFICATION R3.11

    def _refuse(self, sender: int, message: msgspec.Struct) -> Effects:
        """Tell an old leader which term it is; everything else of an old term is just dropped."""
        term = self.state.term
        match message:
            case Coordinator() | Propose():
                return [Send(sender, Ack(term, False))]
            case Heartbeat(number=number):
                return [Send(sender, HeartbeatAck(term, False, number))]
        return []

    def _hear_leader(self, sender: int, message: Coordinator | Heartbeat | Propose) -> tuple[Effects, bool]:
        """Let a leader's frame of this or a newer term pass, and follow whoever sent it.

        A HEARTBEAT whose number is known already is dropped.  Leader 3 is dead, and the network
        repeats its last beat for twenty seconds: if a copy counted, 1 and 2 would trust a dead node until
        the network is tired of it (the schedule C11).
        """
        state = self.state
        if message.term > state.term:
            state.enter(message.term, promised_to=sender, leader=sender)  # SPECIFICATION R3.5
            effects: Effects = [Append(Promised(message.term, sender)), self._follow(sender)]
        elif state.leader == sender:
            if isinstance(message, Heartbeat) and self.is_repeated(message):
                return [], False
            effects = [] if self._already_follows() else [self._follow(sender)]
        elif state.leader is None:
            state.set_leader(sender)  # SPECIFICATION R3.4
            effects = [self._follow(sender)]
        else:
            return self._two_leaders(sender, message)
        if isinstance(message, Heartbeat):
            state.heard = message.number
        return effects, True

    def is_repeated(self, beat: Heartbeat) -> bool:
        """Tell whether the leader's heartbeat is a copy, or was overtaken: neither shows that it is still alive."""
        return beat.number <= self.state.heard  # SPECIFICATION R3.8

    def _already_follows(self) -> bool:
        """A nominee keeps its nomination if it was this very leader that asked it to take over."""
        return self.state.role is Role.FOLLOWER or self.state.transferring

    def _follow(self, leader: int) -> Yield:
        return Yield(f"node {leader} leads term {self.state.term}", leader=leader)

    def _two_leaders(self, sender: int, message: Coordinator | Heartbeat | Propose) -> tuple[Effects, bool]:
        """Two leaders of one term: impossible if quorums overlap; otherwise follow the higher id."""
        state = self.state
        sentence = f"nodes {state.leader} and {sender} both lead term {state.term}"
        if state.members.safe:  # SPECIFICATION R1.4, R3.9
            raise BrokenInvariant(f"In this safe cluster {sentence}.")
        assert state.leader is not None, "there are two"
        anomaly = Note("anomaly", peer=sender, reason=sentence)
        if sender < state.leader:
            return [anomaly], False
        state.set_leader(sender)
        if isinstance(message, Heartbeat):
            state.heard = message.number
        return [anomaly, self._follow(sender)], True
