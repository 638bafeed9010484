"""Runs: two lists of effects that mean the same are the same list once what can be one run is one run.

    [Append(a), Append(b), Send(x), Append(c)]   -->   [Append(a, b), Send(x), Append(c)]

Read also `actor.effects` (what a run means), `test_runs` (a door for several frames, and one for each).
"""

from typing import Any

from chatsys.actor.effects import Append, Deliver


def joined(effects: list[Any]) -> list[Any]:
    """Return `effects` with neighbouring runs of one kind made one."""
    found: list[Any] = []
    for effect in effects:
        if found and type(effect) in (Append, Deliver) and type(found[-1]) is type(effect):
            found[-1] = type(effect)(*found[-1].items, *effect.items)
        else:
            found.append(effect)
    return found
