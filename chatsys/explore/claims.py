"""What is claimed of the chat's node, so that a search need not remember it; `asking` asks the node about all of it.

    is_dead     frames that their receiver drops, now and ever after      PROMISE of a term that it has left
    weakest     frames that do the same as a plainer one                  PROPOSE of an old leader: it is refused
    plain       what no receiver reads in a frame                         who refuses is all that counts in a refusal
    forget      variables that nobody reads any more                      the promises of a term that has its leader

These are guesses at what the rules of the protocol bring about.  A wrong guess costs a search its speed, or its
verdict, and never makes a wrong verdict.

Promises  nothing: that is why it is asked.
Read also `asking`, `models` (which model claims what), `protocol.fence`, whose work most of this is.
"""

from typing import Any

import msgspec

from chatsys.explore.happenings import Arrive
from chatsys.explore.untimed import Life
from chatsys.protocol.messages import (
    Ack,
    Catchup,
    CatchupReply,
    Coordinator,
    Election,
    Heartbeat,
    HeartbeatAck,
    Ok,
    Prepare,
    Promise,
    Propose,
    TransferLead,
)
from chatsys.protocol.node import Node
from chatsys.protocol.recovery import replay
from chatsys.protocol.state import Role

FENCED = (Promise, Ack, HeartbeatAck, Catchup, CatchupReply, TransferLead)
"""What is dropped without an answer once its term is over."""


def is_dead(life: Life, frame: Arrive) -> bool:
    """Claim that this frame answers what its receiver has left for good, judged by what is durable."""
    node, message = life.actor, frame.message
    if not isinstance(node, Node):
        return False
    state = node.state
    match message:
        case Ok(round=number):
            return number != node.election.round or state.role is not Role.NOMINATING
        case CatchupReply(purpose="sync", nonce=nonce) if nonce != node.succession.nonce:
            return True
        case CatchupReply(purpose="follow" | "relay", nonce=nonce) if nonce != node.catchup.nonce:
            return True
        case Catchup(purpose="relay") | CatchupReply(purpose="relay"):
            return False
    if not isinstance(message, FENCED):
        return False
    kept = replay(life.durable).term
    if message.term != kept or kept != state.term:
        return message.term < kept
    match message:
        case Promise(ok=ok):
            return not ok or state.role is not Role.PREPARING
        case Ack() | HeartbeatAck():
            return not state.leads
    return False


def weakest(life: Life, frame: Arrive) -> Arrive:
    """Claim that frames of terms that the receiver has left all do the same: they make it tell its term."""
    node, message = life.actor, frame.message
    if not isinstance(node, Node):
        return frame
    state = node.state
    match message:
        case Coordinator(term=term) | Heartbeat(term=term) | Propose(term=term) if 0 < term < state.term:
            plain: Any = Coordinator(0, state.members.peer(frame.sender), 0, 0)  # type: ignore[arg-type]
        case Prepare(term=term) if 0 < term and not node.succession.may_promise(term, frame.sender):  # type: ignore[arg-type]
            plain = Prepare(0)
        case _:
            return frame
    return Arrive(frame.sender, frame.incarnation, plain)


def plain(message: Any) -> Any:
    """Claim that no receiver reads more than this in a message."""
    match message:
        case Election():
            return msgspec.structs.replace(message, term=0)
        case Ok():
            return msgspec.structs.replace(message, term=0, leader=None)
        case Ack(ok=False, hint=None, term=term) | HeartbeatAck(ok=False, term=term):
            return Promise(term, False)
    return message


def forget(node: Node) -> None:
    """Forget what nobody reads outside of the role that it belongs to."""
    role = node.state.role
    if role is not Role.NOMINATING:
        node.election.verdicts = {}
    if role not in (Role.PREPARING, Role.SYNCING):
        node.succession.promises = {}
    if role is not Role.LEADER:
        node.failure.number, node.failure.answered, node.failure.in_step = 0, {}, {}
        node.sequencer.own_match = node.sequencer.own_asked = node.sequencer.barrier = 0


def forget_progress(node: Node) -> None:
    """Forget what a leader knows of its followers' logs: it decides about PROPOSE and HANDOVER only, once ready.

    Without PROPOSE nothing is committed, so no leader is ever ready.
    """
    node.failure.in_step = dict.fromkeys(node.state.members.others, 0)
    for progress in node.sequencer.progress.values():
        progress.base, progress.next, progress.seen = node.sequencer.barrier - 1, node.log.last_seq + 1, -1
        progress.probing = progress.sent_probe = False
