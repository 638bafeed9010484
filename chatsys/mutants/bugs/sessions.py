"""Bugs in what clients are promised: once, in order, and `ok` only for what is committed.

Read also `protocol.sessions`, which does it right.
"""

from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Effects, Send
from chatsys.config import ClusterConfig
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.protocol.decisions import Order
from chatsys.protocol.messages import Entry, Submit, SubmitReply
from chatsys.protocol.session_table import SessionTable
from chatsys.protocol.sessions import Sessions
from chatsys.protocol.state import NodeState


def _entry(submit: Submit) -> Entry:
    kind: Any = "chat" if submit.client_seq else "session"
    said = (submit.client_id, submit.client_seq, submit.room, submit.author, submit.text)
    return Entry(0, 0, kind, *said, session=submit.session)


class _NoTable(SessionTable):
    """Knows every client and finds everything new."""

    def apply(self, entry: Entry) -> str:
        """Look up nothing."""
        return "new"


class NoDedup(Sessions):
    """Numbers every SUBMIT, repeated or not."""

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.table = _NoTable(config.limits.sessions)

    def _admit(self, sender: Address, submit: Submit) -> Effects:
        self._await((submit.client_id, submit.client_seq), submit.via or sender)
        return [Order(_entry(submit))]


class LeadersTable(Sessions):
    """Keeps the table while it leads, from the messages it numbered itself; delivery trusts it."""

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.table = _NoTable(config.limits.sessions)
        self.numbered: dict[tuple[str, int], int] = {}

    def lead(self, now: float) -> Effects:
        """Begin with an empty table: the log is not read again."""
        self.numbered = {}
        return super().lead(now)

    def _admit(self, sender: Address, submit: Submit) -> Effects:
        pair = (submit.client_id, submit.client_seq)
        seq = self.numbered.get(pair)
        if seq is not None and seq <= self.delivered:
            return [self._ok(submit.via or sender, self.log.entry(seq))]
        self._await(pair, submit.via or sender)
        if seq is not None:
            return []
        self.numbered[pair] = self.log.last_seq + 1
        return [Order(_entry(submit))]


class _GapTable(SessionTable):
    """Lets a client skip numbers."""

    def apply(self, entry: Entry) -> str:
        """Fill the gap with nothing."""
        known = self.sessions.get(entry.client_id)
        if known is not None:
            known += [0] * (entry.client_seq - len(known))
        return super().apply(entry)


class AcceptsGaps(Sessions):
    """Numbers message 7 of a client although message 6 has not come."""

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.table = _GapTable(config.limits.sessions)

    def _admit(self, sender: Address, submit: Submit) -> Effects:
        known, ahead = self._positions(submit.client_id)
        if known or ahead:
            missing = submit.client_seq - len(known) - len(ahead)
            self.ahead.setdefault(submit.client_id, []).extend([0] * missing)
        return super()._admit(sender, submit)

    def _caught_up(self, entry: Entry, verdict: str) -> None:
        """What was skipped never comes."""
        ahead = self.ahead.get(entry.client_id, [])
        while ahead[:1] == [0]:
            del ahead[0]
        super()._caught_up(entry, verdict)


class _NamedByClient(SessionTable):
    """Knows a session by its client only, whenever it was opened."""

    def apply(self, entry: Entry) -> str:
        """Take what was said in an older session of the same client as said in this one."""
        if opening := self.sessions.get(entry.client_id, [])[:1]:
            entry = msgspec.structs.replace(entry, session=opening[0])
        return super().apply(entry)


class OpensAgain(Sessions):
    """Serves an old SUBMIT in whatever session of its client is open now."""

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.table = _NamedByClient(config.limits.sessions)

    def _admit(self, sender: Address, submit: Submit) -> Effects:
        known, ahead = self._positions(submit.client_id)
        if opening := known[:1] or ahead[:1]:
            submit = msgspec.structs.replace(submit, session=opening[0])
        return super()._admit(sender, submit)


class OkAtOnce(Sessions):
    """Answers ok when the message has its number."""

    def _admit(self, sender: Address, submit: Submit) -> Effects:
        effects = super()._admit(sender, submit)
        if not any(isinstance(effect, Order) for effect in effects):
            return effects
        seq, msg_no = self.log.last_seq + 1, len(self.chat) + 1
        reply = SubmitReply(submit.client_id, submit.client_seq, "ok", seq=seq, msg_no=msg_no)
        return [*effects, Send(submit.via or sender, reply)]


class OkForKnown(Sessions):
    """Answers ok to a repeated message because it is in the log, committed or not."""

    def _admit(self, sender: Address, submit: Submit) -> Effects:
        known, ahead = self._positions(submit.client_id)
        positions = [*known, *ahead]
        if 0 < submit.client_seq < len(positions):
            return [self._ok(submit.via or sender, self.log.entry(positions[submit.client_seq]))]
        return super()._admit(sender, submit)


SESSIONS = (
    Mutant(
        name="no session dedup",
        story="A message that is sent again gets a second number, and is delivered twice.",
        killers=("S4",),
        parts={"sessions": NoDedup},
        directed="C7",
        seed=0,
    ),
    Mutant(
        name="session table not rebuilt",
        story="The table of what was numbered lives in the leader's memory, so the next leader numbers retries again.",
        killers=("S4", "S16"),
        parts={"sessions": LeadersTable},
        seed=1,
    ),
    Mutant(
        name="client gap accepted",
        story="The leader numbers a client's message although an earlier one of the same client is missing.",
        killers=("S9",),
        parts={"sessions": AcceptsGaps},
        directed="C15",
        seed=0,
    ),
    Mutant(
        name="session known by its client only",
        story="A session has no name of its own, so an old frame that opens an expired one again makes old words new.",
        killers=("S4",),
        parts={"sessions": OpensAgain},
        directed="C17",
    ),
    Mutant(
        name="ok before commit",
        story="The client is told ok when the leader has numbered the message, before a quorum holds it.",
        killers=("S7", "S16"),
        parts={"sessions": OkAtOnce},
        seed=0,
    ),
    Mutant(
        name="retry answered ok early",
        story="A repeated message is answered ok because the leader knows it, although it is not committed yet.",
        killers=("S16",),
        parts={"sessions": OkForKnown},
        directed="Q17",
        seed=2,
    ),
)
"""The bugs of this page."""
