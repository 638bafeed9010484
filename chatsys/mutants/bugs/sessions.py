"""Bugs in what clients are promised: once, in order, and `ok` only for what is committed.

Read also `protocol.sessions`, which does it right.
"""

from collections.abc import Sequence

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Effects, Send
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.mutants.bugs.open import EmptyTable
from chatsys.protocol.messages import Entry, Submit, SubmitReply
from chatsys.protocol.public import Heard
from chatsys.protocol.serving.forwarding import Pair
from chatsys.protocol.session_table import SessionTable
from chatsys.protocol.sessions import Sessions


class LeadersTable(Sessions):
    """Keeps the table while it leads, from the messages it numbered itself; delivery trusts it."""

    table_class = EmptyTable

    def lead(self, now: float) -> Effects:
        """Begin with an empty table: the log is not read again."""
        self.numbered: dict[Pair, int] = {}
        return super().lead(now)

    def _admit(self, sender: Address, submit: Submit) -> Effects:
        pair = (submit.client_id, submit.client_seq)
        if pair in self.numbered:
            return self._answer_again(sender, submit, self.numbered[pair])
        self.numbered[pair] = self.log.last_seq + 1
        return self.number(sender, (submit,))


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

    table_class = _GapTable

    def leaves_gap(self, number: int, count: int) -> bool:
        """Miss nothing."""
        return False


class _NamedByClient(SessionTable):
    """Knows a session by its client only, whenever it was opened."""

    def is_session(self, name: int, positions: list[int]) -> bool:
        """Take what was said in an older session of the same client as said in this one."""
        return bool(positions)


class OpensAgain(Sessions):
    """Serves an old SUBMIT in whatever session of its client is open now."""

    table_class = _NamedByClient


class ShowsTheSecret(Sessions):
    """Tells every listener the client_id of what it hears."""

    def shown(self, entry: Entry) -> Heard:
        """Leave the id as it is: it only names the client."""
        return msgspec.structs.replace(super().shown(entry), client=entry.client_id)


class OkAtOnce(Sessions):
    """Answers ok when the message has its number."""

    def number(self, sender: Address, run: Sequence[Submit]) -> Effects:
        """Do not wait for the commit."""
        told: Effects = []
        for at, submit in enumerate(run, start=1):
            seq, msg_no = self.log.last_seq + at, len(self.chat) + at
            reply = SubmitReply(submit.client_id, submit.client_seq, "ok", seq=seq, msg_no=msg_no)
            told.append(Send(submit.via or sender, reply))
        return [*super().number(sender, run), *told]


class OkForKnown(Sessions):
    """Answers ok to a repeated message because it is in the log, committed or not."""

    def may_say_ok(self, seq: int) -> bool:
        """Do not wait for the commit."""
        return True


SESSIONS = (
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
        name="secret of a session shown",
        story="DELIVERED carries the client_id itself, so whoever listens can speak in anybody's session.",
        killers=("S11",),
        parts={"sessions": ShowsTheSecret},
        directed="C20",
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
