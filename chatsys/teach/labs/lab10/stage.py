"""The chat of lab 10: the real node, in which the student's classes decide what is committed and who gets a vote.

    World(seed, 3, actor=agreeing(MyCommit, MyPromise))

    Counting   (a Sequencer)   every Ack --> MyCommit.ack --> up to where the log is committed
    Voting     (a Succession)  every AskForVote --> MyPromise.ask --> Vote: its `kept` is on the disk before the promise leaves
    OpenToLateAcks       (a Fence)       lets late acknowledgements of older terms pass, so that MyCommit sees them

Everything else is the chat's: the log, the heartbeats, the Bully election, the clients.  Only one rule differs: a candidate with
a majority of votes leads with the log that it has, and copies nobody's (the real chat copies the best log of its voters).  So
a voter has to compare logs, as in Raft 5.4.1.

Assumes   nothing of the classes: what makes no sense stops the node with a sentence.
Promises  a commit and a vote come from the classes alone; what they order is carried out, however wrong it is.
Read also `words` (what goes in and out), `protocol.succession` and `protocol.ordering`, which do it right.
"""

from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, ClassVar

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Append, Effects, Note, Send
from chatsys.config import ClusterConfig
from chatsys.faults import Testbed
from chatsys.protocol.decisions import Lead, Stand, Yield
from chatsys.protocol.fence import Fence
from chatsys.protocol.messages import Ack, CatchupReply, Label, Prepare, Promise, TransferLead
from chatsys.protocol.node import Node
from chatsys.protocol.ordering import Sequencer
from chatsys.protocol.part import Part
from chatsys.protocol.state import NodeState, Role
from chatsys.protocol.storage import Promised
from chatsys.protocol.succession import Succession
from chatsys.teach.labs.lab10.words import (
    AskForVote,
    Commits,
    KeptVote,
    LogEnd,
    Promises,
    checked_commit,
    checked_vote,
    why_stopped,
)
from chatsys.teach.labs.prints import heard


class OpenToLateAcks(Fence):
    """Lets an acknowledgement of an older term pass: whether it counts is the class's to say."""

    def check(self, sender: int, message: Any) -> tuple[Effects, bool]:
        """Return what is owed for the term alone, and whether the message may pass."""
        if isinstance(message, Ack) and message.ok and message.term < self.state.term:
            return [], True
        return super().check(sender, message)


class Counting(Sequencer):
    """The leader's side, whose commits come from `MyCommit`."""

    commits: ClassVar[Callable[[int, list[int], int], Commits]]

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.mine: Any = None
        self.said = 0

    def lead(self, now: float) -> Effects:
        """Begin to count anew."""
        self.mine = type(self).commits(self.state.me, list(self.state.members.ids), self.state.term)
        self.said = 0
        return super().lead(now)

    def follow(self, now: float, decision: Yield) -> Effects:
        """Count no more."""
        self.mine, self.said = None, 0
        return super().follow(now, decision)

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """AskForVote the class about every acknowledgement that says yes."""
        if isinstance(message, Ack) and message.ok and isinstance(sender, int):
            if not self.state.leads or sender not in self.state.members:
                return []
            if message.term == self.state.term and message.match > self.log.last_seq:
                return []
            terms = [entry.term for entry in self.log.entries]
            self.said = checked_commit(self.mine.ack(sender, message.match, message.term, terms), terms)
            if message.term != self.state.term:  # it says nothing of this leadership's log
                return self._commit()
        return super().on_message(sender, message, now)

    def held_by_quorum(self) -> int:
        """Return what the class said last."""
        return self.said

    def may_commit(self, seq: int) -> bool:
        """Believe the class."""
        return True


class Voting(Succession):
    """Promises as `MyPromise` says, and leads as soon as a majority promised."""

    handles = (AskForVote, Promise, CatchupReply, TransferLead)
    promises_by: ClassVar[Callable[[dict[str, int] | None], Promises]]

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.kept: dict[str, int] | None = None
        """What the class wants to know after a crash."""
        self.mine: Any = None
        self.refused_by: set[int] = set()
        """Who has refused this candidate its term."""

    def start(self, now: float) -> Effects:
        """Begin a life with what the last one left."""
        self.mine = type(self).promises_by(None if self.kept is None else dict(self.kept))
        return super().start(now)

    def stand(self, decision: Stand, now: float) -> Effects:
        """AskForVote all others and, first of all, oneself."""
        effects = super().stand(decision, now)
        self.refused_by = set()
        yes, owed = self._vote(self.state.term, self.state.me, self.log.last)
        if not yes:
            return [*effects[:2], *owed, Yield("the own vote was refused", back_off=True)]
        sent = [
            Send(one.to, AskForVote(one.message.term, one.message.transfer, self.log.last))
            if isinstance(one, Send) and isinstance(one.message, Prepare)
            else one
            for one in effects[2:]
        ]
        return [*effects[:2], *owed, *sent]

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Give up as soon as so many have refused that the others are no majority: the next term may come sooner."""
        match message, self.state.role:
            case Promise(ok=False, term=term), Role.PREPARING if term == self.state.term and isinstance(sender, int):
                self.refused_by.add(sender)
                members = self.state.members
                if len(members.ids) - len(self.refused_by) < members.quorum:
                    self.refused_by = set()
                    return [Yield("so many refused that no majority is left", back_off=True)]
                return []
        return super().on_message(sender, message, now)

    def follow(self, now: float, decision: Yield) -> Effects:
        """The attempt is over."""
        self.refused_by = set()
        return super().follow(now, decision)

    def _vote(self, term: int, candidate: int, last: Label) -> tuple[bool, Effects]:
        """Return what the class answers, and the record that must be durable before that leaves."""
        own = self.log.last
        vote = checked_vote(self.mine.ask(term, candidate, LogEnd(last.term, last.seq), LogEnd(own.term, own.seq)))
        owed: Effects = []
        if vote.kept != self.kept:
            self.kept = dict(vote.kept)
            owed.append(Append(KeptVote(tuple(sorted(vote.kept.items())))))
        if vote.yes:
            owed.append(Note("votes", peer=candidate, term=term, seq=last.seq, entry_term=last.term))
        return vote.yes, owed

    def _promise(self, sender: int, request: Prepare, now: float) -> Effects:
        """Ignore a candidate while a leader is heard, as the chat does; otherwise the class decides."""
        state = self.state
        if not state.endorses(request.transfer):
            leads = state.leads and state.lease_valid
            if leads or state.trusted not in (None, sender):
                return []
        assert isinstance(request, AskForVote), "in this lab a candidate says how its log ends"
        yes, owed = self._vote(request.term, sender, request.last)
        if not yes:
            if request.term > state.term:  # Raft 5.1: or the refused one takes each next term before this node can
                state.enter(request.term, promised_to=None)
                owed.append(Append(Promised(request.term, None)))
                if (
                    state.role is not Role.FOLLOWER
                ):  # a follower's patience goes on: who is refused must not keep it from standing
                    owed.append(Yield(f"refused node {sender} in the newer term {request.term}"))
            return [*owed, Send(sender, Promise(state.term, False))]
        if request.term >= state.term:
            if (state.term, state.promised_to) != (request.term, sender):
                state.enter(request.term, promised_to=sender)
                owed.append(Append(Promised(request.term, sender)))
            owed.append(Yield(f"voted for node {sender} in term {request.term}"))
        return [*owed, Send(sender, Promise(request.term, True, self.log.last))]

    def _complete(self, now: float) -> Effects:
        """Lead with the log that is there."""
        return [Lead()]


class Agreeing(Node):
    """A node of the lab."""

    messages: ClassVar[tuple[type[msgspec.Struct], ...]] = (*Node.messages, AskForVote)  # type: ignore[assignment]
    records: ClassVar[tuple[type[msgspec.Struct], ...]] = (*Node.records, KeptVote)
    own_parts: ClassVar[Mapping[str, type[Part]]] = {}

    def __init__(
        self, me: Address, config: ClusterConfig, random: Random, parts: Mapping[str, type[Part]] | None = None
    ) -> None:
        super().__init__(me, config, random, {**type(self).own_parts, **(parts or {})})

    def recover(self, records: Iterable[msgspec.Struct]) -> None:
        """Take back also what the class kept."""
        known = list(records)
        super().recover(one for one in known if not isinstance(one, KeptVote))
        for one in known:
            if isinstance(one, KeptVote):
                self.succession.kept = dict(one.kept)  # type: ignore[attr-defined]


def agreeing(commits: Any = None, promises: Any = None) -> type[Agreeing]:
    """Return the chat's node with these two classes in it: `World(seed, 3, actor=agreeing(MyCommit, MyPromise))`.

    Where one of them is None, the chat's own rule stands.
    """
    parts: dict[str, type[Part]] = {"fence": OpenToLateAcks}
    if commits is not None:
        own = {"commits": staticmethod(commits), "__doc__": Counting.__doc__}
        parts["sequencer"] = type("CountingBy", (Counting,), own)
    else:
        parts = {}
    if promises is not None:
        own = {"promises_by": staticmethod(promises), "__doc__": Voting.__doc__}
        parts["succession"] = type("VotingBy", (Voting,), own)
    name = f"AgreeingWith{getattr(commits or promises, '__name__', 'Nobody')}"
    return heard(type(name, (Agreeing,), {"own_parts": parts, "__doc__": Agreeing.__doc__}))


def stopped(world: Testbed) -> list[str]:
    """Return a sentence for each node of a world or cluster that stopped because of the student's classes."""
    return [f"node {node} stopped, because {why_stopped(why)}" for node, why in world.failures]
