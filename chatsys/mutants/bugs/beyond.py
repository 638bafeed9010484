"""Bugs that say more than is known: a copy that was not checked, or not written; an entry that is not committed.

    who says it     what is known                             what is said in its place
    a follower      equal up to the end of the batch          equal up to the end of the own log
    the leader      where a follower's log may agree (hint)   that it does agree
    a nominee       each chunk once, in its place             whatever comes
    whoever serves  what is committed                         what is in the log
    whoever asked   what the relay has brought                what is in the own log

Read also `protocol.ordering` (ACK), `catchup` (relays), `sessions` (deliveries), which do it right.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from chatsys.actor.effects import Append, Effects, Send
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.protocol.catchup import CatchUp
from chatsys.protocol.failure import Detector
from chatsys.protocol.messages import CatchupReply, Heartbeat, Propose
from chatsys.protocol.node import Node
from chatsys.protocol.ordering import Progress, Receiver, Sequencer
from chatsys.protocol.sessions import Sessions
from chatsys.protocol.storage import CommitHint
from chatsys.protocol.succession import Succession

# --- copies ---------------------------------------------------------------------------------


class ConfirmsItsWholeLog(Receiver):
    """Confirms everything that it has, checked or not."""

    def _accept(self, sender: int, batch: Propose) -> Effects:
        effects = super()._accept(sender, batch)
        if self.owed is not None:
            self.owed = self.log.last_seq
        return effects


class BelievesHints(Sequencer):
    """Takes the end of a follower's log for a copy of its own."""

    def _refused(self, progress: Progress, hint: int) -> None:
        super()._refused(progress, hint)
        progress.match = max(progress.match, min(hint, self.log.last_seq))


class CollectsAnything(Succession):
    """Puts chunks together in the order in which they come."""

    def _collect(self, chunk: CatchupReply, now: float) -> Effects:
        if self.collected:
            chunk = replace(chunk, prev=self.collected[-1].label)
        return super()._collect(chunk, now)


# --- what is served -------------------------------------------------------------------------


class RelaysItsTail(CatchUp):
    """Relays its whole log."""

    def may_serve(self, sender: int, purpose: str) -> int | None:
        """Serve to the end, whatever the purpose."""
        upto = super().may_serve(sender, purpose)
        return upto if upto is None else self.log.last_seq


class BelievesItsTail(CatchUp):
    """Takes its whole log for committed when a relay has reached it."""

    def _relay_chunk(self, sender: int, chunk: CatchupReply) -> Effects:
        known = self.log.commit
        effects = super()._relay_chunk(sender, chunk)
        if self.log.commit == known:
            return effects
        self.log.verify_to(self.log.last_seq)
        return [*effects, *self.log.commit_to(self.log.last_seq)]


class TellsItsEnd(Detector):
    """Tells its followers that everything is committed which it has numbered."""

    def _beat(self, now: float) -> Effects:
        sent = super()._beat(now)
        return [
            replace(effect, message=replace(effect.message, commit=self.log.last_seq))
            if isinstance(effect, Send) and isinstance(effect.message, Heartbeat) else effect
            for effect in sent
        ]  # fmt: skip


class ProposesItsEnd(Sequencer):
    """Calls what it proposes committed already."""

    def _propose(self, peer: int, progress: Progress) -> Send:
        sent = super()._propose(peer, progress)
        assert isinstance(sent.message, Propose), "a proposal"
        return Send(peer, replace(sent.message, commit=self.log.last_seq))


class DeliversVerified(Sessions):
    """Hands on what equals the leader's log."""

    def settle(self, now: float) -> Effects:
        """Deliver up to `verified`."""
        effects: Effects = []
        while not self.state.leads and self.delivered < self.log.verified:
            effects += self._deliver_to(self.delivered + 1)
        return [*effects, *super().settle(now)]


class ShowsItsTail(Sessions):
    """Shows listeners whatever is in the log."""

    def settle(self, now: float) -> Effects:
        """Push what is not delivered yet, too."""
        known = len(self.chat)
        self.chat += [entry.seq for entry in self.log.since(self.delivered) if entry.kind == "chat"]
        effects = super().settle(now)
        del self.chat[known:]
        return effects


class HintsItsEnd(Node):
    """Writes down that its whole log is committed."""

    def settle(self, now: float) -> Effects:
        """Say `last` where `commit` is meant."""
        return [_to_the_end(effect, self.log.last_seq) for effect in super().settle(now)]

    def on_command(self, command: msgspec.Struct, now: float) -> Effects:
        """And at a stop."""
        return [_to_the_end(effect, self.log.last_seq) for effect in super().on_command(command, now)]


def _to_the_end(effect: Any, last: int) -> Any:
    return (
        Append(CommitHint(last)) if isinstance(effect, Append) and isinstance(effect.items[0], CommitHint) else effect
    )


BEYOND = (
    Mutant(
        name="ACK to the end of the log",
        story="A follower confirms its whole log, although the batch proved only the part up to its own end.",
        killers=("S8", "S1"),
        parts={"receiver": ConfirmsItsWholeLog},
        directed="Q62",
    ),
    Mutant(
        name="hint counted as a copy",
        story="A leader counts the end of a follower's log, told in a refusal, as if the follower had confirmed it.",
        killers=("S8", "S1"),
        parts={"sequencer": BelievesHints},
        directed="Q63",
    ),
    Mutant(
        name="sync chunks in any order",
        story="The chunks of a sync are put together as they come, so one that comes twice stands there twice.",
        killers=("broken",),
        parts={"succession": CollectsAnything},
        directed="Q64",
        seed=197,
    ),
    Mutant(
        name="relay beyond commit",
        story="A relay is served from the whole log, and whoever gets it takes for committed what may be replaced.",
        killers=("S1", "S8"),
        parts={"catchup": RelaysItsTail},
        directed="Q65",
    ),
    Mutant(
        name="own tail believed after a relay",
        story="Whoever gets a relay takes its own log for committed to its end, also what stands behind the relayed entries.",
        killers=("S1",),
        parts={"catchup": BelievesItsTail},
        directed="Q69",
    ),
    Mutant(
        name="heartbeat tells the end as commit",
        story="A leader's heartbeat calls everything committed that it has numbered.",
        killers=("S8", "S1"),
        parts={"failure": TellsItsEnd},
        directed="Q2",
    ),
    Mutant(
        name="PROPOSE tells the end as commit",
        story="A leader's PROPOSE calls everything committed that it has numbered, what it carries included.",
        killers=("S8", "S1"),
        parts={"sequencer": ProposesItsEnd},
        directed="Q2",
        seed=25,
    ),
    Mutant(
        name="delivers what is verified",
        story="A follower delivers what equals its leader's log, before it is committed.",
        killers=("S1",),
        parts={"sessions": DeliversVerified},
        directed="Q66",
        seed=90,
    ),
    Mutant(
        name="listeners shown the whole log",
        story="Whoever listens is shown each message as soon as it is numbered, committed or not.",
        killers=("S17", "S1"),
        parts={"sessions": ShowsItsTail},
        directed="Q68",
    ),
    Mutant(
        name="commit hint at the end of the log",
        story="A node writes down that its whole log is committed, and believes it after a restart.",
        killers=("S1", "S8"),
        actor=HintsItsEnd,
        directed="Q67",
        seed=70,
    ),
)
"""The bugs of this page."""
