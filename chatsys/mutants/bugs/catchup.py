"""Bugs in catching up: what is fetched from others is believed too much, or never fetched.

Read also `protocol.catchup`, which does it right.
"""

from msgspec.structs import replace

from chatsys.actor.effects import Effects, Send
from chatsys.mutants.bugs.mutant import FIVE, Mutant
from chatsys.protocol.catchup import CatchUp
from chatsys.protocol.messages import Catchup, CatchupReply


class RaisesTooLittle(CatchUp):
    """After a relay enters the term of the entries, not that of the node that relayed them."""

    def _relay_chunk(self, sender: int, chunk: CatchupReply) -> Effects:
        return super()._relay_chunk(sender, replace(chunk, term=0))


class SecondRoad(CatchUp):
    """Writes what it fetched at the end of the log, by a road of its own."""

    def _take_in(self, sender: int, chunk: CatchupReply) -> Effects:
        effects: Effects = [self.log.append(replace(entry, seq=self.log.last_seq + 1)) for entry in chunk.entries]
        self.log.verify_to(self.log.last_seq)
        return effects + self.log.commit_to(min(chunk.commit, self.log.last_seq))


class AsksAnyone(CatchUp):
    """Catches up from whoever is there, up to the end of that log, committed or not."""

    def is_too_far(self, gap: int, newcomer: bool) -> bool:
        """Wait for nothing."""
        return gap > 0

    def _ask(self, now: float) -> Effects:
        self.alarms.set("follow", now + self.wait)
        self.nonce = self.state.next_number(self.nonce)
        request = Catchup(self.state.term, "relay", self.log.last_seq + 1, self.nonce)
        return [Send(peer, request) for peer in self.state.members.others]

    def may_serve(self, sender: int, purpose: str) -> int | None:
        """Serve the whole log."""
        return self.log.last_seq


CATCHUP = (
    Mutant(
        name="relay raises only to the entries' term",
        story="A relay lifts the term to that of the entries only, so an older leader's late batch can void them.",
        killers=("S1", "broken"),
        parts={"catchup": RaisesTooLittle},
        plan=FIVE,
        directed="Q24",
    ),
    Mutant(
        name="second append path",
        story="Catch-up writes into the log by a way of its own, so what also came live stands there twice.",
        killers=("S1", "S12"),
        parts={"catchup": SecondRoad},
        directed="C8",
        seed=0,
    ),
    Mutant(
        name="catch-up from anyone",
        story="A node takes any peer's whole log for committed, also the tail that nobody else has.",
        killers=("S1", "S8"),
        parts={"catchup": AsksAnyone},
        directed="C14",
    ),
)
"""The bugs of this page."""
