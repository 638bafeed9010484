"""Mutant: one seeded bug, what the student did wrong, and who must notice it.

    Mutant(name, story, killers, parts)   --hunt (random seeds)-------> Kill(killer, seed, sentence)
                                          --only (a directed schedule)-'

Read also the bugs themselves: `succession`, `ordering`, `sessions`, `failure`, `storage` here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chatsys.config import Limits
from chatsys.protocol.actor import Part
from chatsys.protocol.node import Node
from chatsys.sim.sweep import Plan

SMALL = Limits(batch_entries=2, window_entries=6, hold_back_entries=12)
"""Batches so small that logs meet in their middle, not at their ends."""

THREE = Plan(nodes=3, limits=SMALL)
WIDE = Plan(nodes=3, limits=Limits(batch_entries=4, window_entries=256))
FIVE = Plan(nodes=5, limits=SMALL)


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
    plan: Plan = THREE
    seed: int | None = None
    """A seed of `plan` that is known to kill it; None: only the directed schedule does."""
    directed: str = ""
    """The directed schedule that kills it, such as Q23."""


@dataclass(frozen=True, kw_only=True)
class Kill:
    """How a mutant was found out; `seed` is None if a directed schedule did it."""

    mutant: str
    killer: str
    seed: int | None
    seeds_needed: int
    sentence: str
    schedule: str = ""
    """The directed schedule, where one did it."""
