"""What students do not see of lab 10: the package's own searches, with the student's rules in its nodes, and directed runs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from chatsys.explore.chance import Undecidable
from chatsys.isolation.calls import Call, CallScript
from chatsys.isolation.remote_object import Raised
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.mutants.searches import Search, Sight, look
from chatsys.mutants.searches.elections import BOTH_ASK
from chatsys.mutants.searches.logs import ALONE, FIGURE_EIGHT, LACKS, LONGER
from chatsys.mutants.searches.models import Established, Fresh
from chatsys.protocol.recovery import replay
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.lab10.stage import agreeing
from chatsys.teach.labs.lab10.words import KeptVote


class OwnRecords:
    """What both models need: the record of a vote means something, too."""

    def compress(self, records: Iterable[Any]) -> tuple[Any, ...]:
        """Keep what the records mean, and the last vote."""
        known = tuple(records)
        votes = [one for one in known if isinstance(one, KeptVote)]
        return (*replay(one for one in known if not isinstance(one, KeptVote)).records(), *votes[-1:])


class FreshVote(OwnRecords, Fresh):
    """Nobody leads yet."""


class EstablishedVote(OwnRecords, Established):
    """Node 3 leads term 1."""


class CutVote(EstablishedVote):
    """The link between nodes 2 and 3 is cut."""

    def dead(self, life, frame, sender):
        """Lose what passes between them."""
        begun = all(one.actor is not None and one.actor.log.last_seq >= 2 for one in (life, sender))
        return (begun and {life.me, frame.sender} == {2, 3}) or super().dead(life, frame, sender)
