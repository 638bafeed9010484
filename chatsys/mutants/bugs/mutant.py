"""Mutant: one seeded bug, what the student did wrong, and who must notice it.

    Mutant(name, story, killers, parts)   --hunt (random seeds)-------> Kill(killer, seed, sentence)
                                          --only (a directed schedule)-'

Read also the bugs themselves: `succession`, `fence`, `cells`, `debts`, `beyond`, `ordering`, `catchup`, `sessions`, `failure`, `storage`,
`identity`, `learners`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chatsys.campaign.one_seed import Plan
from chatsys.config import Limits
from chatsys.faults import parse_kinds
from chatsys.protocol.client import Client
from chatsys.protocol.node import Node
from chatsys.protocol.part import Part

SMALL = Limits(batch_entries=2, window_entries=6, hold_back_entries=12)
"""Batches so small that logs meet in their middle, not at their ends."""


def search(*kinds: str, nodes: int = 3, limits: Limits = SMALL) -> Plan:
    """Return the plan of a random search: these kinds of faults (all), with small batches."""
    return Plan(nodes=nodes, kinds=parse_kinds(kinds or "all"), limits=limits)


THREE = search()
FIVE = search(nodes=5)


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A node with one bug; `parts` and `actor` are those of `World`."""

    name: str
    story: str
    """What the student did wrong, in one sentence."""
    killers: tuple[str, ...]
    """The invariants that name this bug; the first one is the textbook's."""
    parts: Mapping[str, type[Part]] = field(default_factory=dict)
    actor: type[Node] = Node
    client: type[Client] = Client
    """Who speaks in its directed schedule."""
    plan: Plan = THREE
    seed: int | None = None
    """A seed of `plan` that is known to kill it; None: random schedules do not find it, `directed` does."""
    directed: str = ""
    """The directed schedule that kills it, such as Q23."""

    @property
    def only(self) -> bool:
        """Whether only its directed schedule finds it."""
        return self.seed is None


@dataclass(frozen=True, kw_only=True)
class Kill:
    """How a mutant was found out: by random schedules, the last of them `seed`, or by a directed one."""

    mutant: str
    killer: str
    sentence: str
    seed: int | None = None
    seeds_needed: int = 0
    schedule: str = ""
    """The directed schedule, where one did it."""
