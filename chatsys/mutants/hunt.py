"""Mutants: the protocol with one bug each, as students write them; every one must be found out.

    MUTANTS["lead without SYNC"] --hunt--> Kill(killer="S8", seed=3, "... node 2 became leader, but ...")

A mutant that survives tells of a blind checker, of a fault that never happens, or of two rules
that guard the same thing.

Assumes   small batches, and ambushes on fresh leaders and voters: that is where these bugs live.
Promises  the same seed kills the same mutant, with the same sentence.
Read also `mutant` (what one is), the bugs by part (`succession`, `fence`, `ordering`, `catchup`, `sessions`,
          `failure`, `storage`) and by kind (`cells`, `debts`, `beyond`), `mutants.schedules` (the directed schedules), `mutants.searches` (every order of events).
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from chatsys.campaign.one_seed import Outcome, schedule
from chatsys.mutants.bugs import MUTANTS, named
from chatsys.mutants.bugs.mutant import Kill, Mutant, search
from chatsys.mutants.schedules import DIRECTED

__all__ = ["MOST_SEEDS", "MUTANTS", "Kill", "Mutant", "direct", "hunt", "run", "search", "table"]

MOST_SEEDS = 200
"""A mutant that so many random schedules do not find needs a directed one."""


def run(one: Mutant, seed: int) -> Outcome:
    """Run one seed of the mutant's plan with the mutant in the place of every node."""
    return schedule(seed, one.plan, parts=one.parts, actor=one.actor)


def hunt(one: Mutant, seeds: Iterable[int] = range(MOST_SEEDS)) -> Kill | None:
    """Run random schedules until an invariant that names this bug fires; None: it survived them all."""
    for needed, seed in enumerate(seeds, start=1):
        found = first(one.killers, run(one, seed).violations)
        if found is not None:
            return Kill(
                mutant=one.name, killer=found.invariant, sentence=found.sentence, seed=seed, seeds_needed=needed
            )
    return None


def direct(one: Mutant) -> Kill | None:
    """Play the mutant's directed schedule; None: there is none, or the mutant survived it."""
    if not one.directed:
        return None
    found = first(one.killers, DIRECTED[one.directed].play(flawed=True, flaw=one).violations)
    if found is None:
        return None
    return Kill(mutant=one.name, killer=found.invariant, sentence=found.sentence, schedule=one.directed)


def table(names: Iterable[str] | None = None, seeds: int = MOST_SEEDS) -> Iterator[dict[str, Any]]:
    """Yield a row for each mutant (all) as soon as it is found out, as plain JSON values.

    A row has: mutant, story, killer, seed, seeds_needed, schedule, sentence; `killer` is "" if it
    survived.  Mutants that only a directed schedule finds are not looked for at random.
    """
    for one in map(named, MUTANTS if names is None else names):
        kill = direct(one) if one.only else hunt(one, range(seeds))
        kill = kill or Kill(mutant=one.name, killer="", sentence="It survived.", seeds_needed=seeds)
        yield {"mutant": one.name, "story": one.story, **asdict(kill)}


def first(killers: Iterable[str], violations: Iterable[Any]) -> Any:
    """Return the violation of the first of `killers` that was broken; None: none of them was."""
    broken = {found.invariant: found for found in reversed(list(violations))}
    return next((broken[name] for name in killers if name in broken), None)
