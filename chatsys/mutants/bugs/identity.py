"""Bugs of memory: a disk that forgot counts as if it were the one that was met.

Read also `protocol.identity`, which does it right.
"""

from typing import Any

from chatsys.actor.effects import Effects
from chatsys.actor.events import LinkUp
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.protocol.identity import Identities
from chatsys.protocol.ordering import Progress, Sequencer
from chatsys.protocol.storage import Remembered


class Blind(Identities):
    """Knows a member by its id."""

    def misfit(self, before: Remembered, link: LinkUp) -> str | None:
        """Find that everything fits."""
        return None


class Forgetful(Identities):
    """Remembers whom it met until the next restart."""

    def unwritten(self) -> Effects:
        """Write nothing down."""
        return []


class NoNonce(Identities):
    """Compares the folder and the life, and not which life of that number it was."""

    def misfit(self, before: Remembered, link: LinkUp) -> str | None:
        """Look at the name of the folder and at the number of the life."""
        fits = link.identity.name == before.name and link.incarnation >= before.incarnation
        return None if fits else "it runs on another data folder"


class NameOnly(Identities):
    """Compares the name of the folder alone."""

    def misfit(self, before: Remembered, link: LinkUp) -> str | None:
        """Look at the name of the folder."""
        return None if link.identity.name == before.name else "it runs on another data folder"


class Stubborn(Identities):
    """Goes on although a member has refused its disk."""

    def obeys(self, nonce: str) -> bool:
        """Do not stop."""
        return False


class Polite(Stubborn):
    """Refuses in words that nobody listens to, and takes the frames all the same."""

    def shuts_out(self, sender: int) -> bool:
        """Let everything pass."""
        return False


class Generous(Identities):
    """Accepts everybody when it is told to accept one."""

    def _forget(self, node: int) -> list[Any]:
        """Forget every member's disk."""
        return [effect for other in self.state.members.others for effect in super(Generous, self)._forget(other)]


class Unforgiving(Identities):
    """Writes down that a new disk was accepted, and refuses it all the same."""

    def _forget(self, node: int) -> list[Any]:
        """Keep what is remembered."""
        before = self.state.met.get(node)
        effects = super()._forget(node)
        if before is not None:
            self.state.met[node] = before
        return effects


class Overlooking(Sequencer):
    """Goes on asking a follower that lacks what it had acknowledged."""

    def has_forgotten(self, progress: Progress, at: int) -> bool:
        """Notice nothing."""
        return False


def _bug(name: str, story: str, killers: tuple[str, ...], part: type[Any], directed: str) -> Mutant:
    which = "sequencer" if issubclass(part, Sequencer) else "identities"
    return Mutant(name=name, story=story, killers=killers, parts={which: part}, directed=directed)


IDENTITY = (
    _bug("another disk taken in", "A member is known by its id alone, so an emptied folder votes as before.",
         ("S1", "S7"), Blind, "Q33"),
    _bug("who was met forgotten on restart", "Whom a node has met is not written down, so after a restart it knows nobody.",
         ("S1", "S7"), Forgetful, "Q33"),
    _bug("frames of a refused member taken", "A member is refused in words, which it does not heed, and its promises count all the same.",
         ("S1", "S7"), Polite, "Q33"),
    _bug("nonce not compared", "A copy of a folder that began a life of its own passes for the life of that number.",
         ("S1", "S7"), NoNonce, "Q34"),
    _bug("older life taken in", "A folder of the right name passes, whatever life it is in.",
         ("S1", "S7"), NameOnly, "Q35"),
    _bug("accepts everybody", "Whoever is told to accept one new disk forgets all the others.",
         ("S1", "S7"), Generous, "Q36"),
    _bug("accepting forgets nothing", "The new disk is refused although it was accepted.", ("L2",), Unforgiving, "Q39"),
    _bug("refused and goes on", "A node that was refused for its disk does not stop, and waits for ever to be served.",
         ("L2",), Stubborn, "Q37"),
    _bug("forgotten acknowledgement overlooked", "The leader asks a follower again and again for what it lost.",
         ("S1", "S7"), Overlooking, "Q38"),
)  # fmt: skip
"""The bugs of this page."""
