"""Searches: how each mutant that changes election or commit is found by trying every order of events.

    SEARCHES["adopt longest"] --look--> Sight(killer="S8", story=15 steps, 1,500 states)
    OUT_OF_REACH["no trust"]            why a search without time cannot see it

Each is searched breadth first with three nodes, mostly by stages (see `search`), and so is the
protocol without the bug, with the same bounds, stages and budget.

Left out   mutants that break a promise of time, of memory or of the disk's bytes: OUT_OF_REACH says why
           of each; what the bounds of a search cut off: `Sight.bounds` lists it.
Read also  `elections`, `logs`, `disks`, `cells`, `beyond` (the searches), `mutants.hunt` (the bugs), `explore.explorer`.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from chatsys.mutants.bugs import MUTANTS, named
from chatsys.mutants.searches.beyond import BEYOND
from chatsys.mutants.searches.cells import CELLS
from chatsys.mutants.searches.disks import DISKS
from chatsys.mutants.searches.elections import ELECTIONS
from chatsys.mutants.searches.logs import LOGS
from chatsys.mutants.searches.search import Search, Sight, Stage, look, replay

__all__ = ["OUT_OF_REACH", "SEARCHES", "Search", "Sight", "Stage", "look", "replay", "table"]

SEARCHES: dict[str, Search] = {
    name: search
    for name in MUTANTS
    if (search := {**ELECTIONS, **LOGS, **DISKS, **CELLS, **BEYOND}.get(name)) is not None
}
"""How each mutant is found, in the order of `MUTANTS`."""

_TIME = (
    "It breaks no state but a promise of time: somebody is not served for ever, and a search without time has no ever"
)

_ROT = "In a searched world disks forget, but they never hold other bytes than were written."

_FOLDER = "In a searched world a disk forgets what was not synced, but no folder is emptied, exchanged or copied."

_NO_DELIVERY = "The searched states judge what is committed, and not what a node hands on before it is."

_FIVE = "It takes five nodes: with three"

_NO_LEARNER = "In a searched world every node is a member, and nobody joins."

OUT_OF_REACH: dict[str, str] = {
    "refuses for ever after a lost TRANSFER_LEAD": f"{_TIME} (L3).",
    "lower-term OK dropped by the fence": f"{_TIME} (L1, L2).",
    "old heartbeat counts": f"{_TIME} (L1).",
    "any jump of terms believed": f"{_TIME} (L1), and nobody forges a frame in a search.",
    "every ACK{false} re-opens the window": "It breaks no state: it sends too many frames, and the search does not count them.",
    "no barrier": f"{_TIME} (L2, L3).",
    "hold-back unbounded": "It takes too much memory (L6), and only after far more messages than a search can give.",
    "no relay": f"{_TIME} (L2).",
    "session known by its client only": "A session must first expire, which takes more sessions than a search can open.",
    "client gap accepted": "It changes the order of one client's messages (S9), which the searched states do not judge.",
    "no wake check": "With a majority the sleeper can commit nothing, whatever it serves; C6 shows it with quorum 1.",
    "no trust": f"{_TIME} (L1, L4).",
    "unbounded deference": f"{_TIME} (L1).",
    "no check-quorum": f"{_TIME} (L3).",
    "checksum skipped at boot": _ROT,
    "damaged batch skipped": _ROT,
    "log cut at the damage": _ROT,
    "marks ignored at boot": _ROT,
    "a low leader keeps the lead": f"{_TIME} (L3).",
    "low is handed the lead": f"{_TIME} (L4).",
    "leaves without a word": f"{_TIME} (L7), and nobody tells a searched node to stop.",
    "takes the lead back on the way out": f"{_TIME} (L7), and nobody tells a searched node to stop.",
    "waits for the dead node": f"{_TIME} (L3), and a client is not searched.",
    "secret of a session shown": "It breaks no state of a node: it tells a listener what only the client may know, and nobody listens in a search.",
    "another disk taken in": _FOLDER,
    "who was met forgotten on restart": _FOLDER,
    "frames of a refused member taken": _FOLDER,
    "nonce not compared": _FOLDER,
    "older life taken in": _FOLDER,
    "accepts everybody": _FOLDER,
    "accepting forgets nothing": _FOLDER,
    "refused and goes on": _FOLDER,
    "forgotten acknowledgement overlooked": _FOLDER,
    "hint counted as a copy": "It takes five messages, of which a frame must overtake three.",
    "delivers what is verified": _NO_DELIVERY,
    "commit hint at the end of the log": f"What is restored at a start is not judged as committed anew. {_NO_DELIVERY}",
    "listeners shown the whole log": "It breaks no state of a node, and nobody listens in a search.",
    "promises kept across attempts": f"{_FIVE}, an attempt that failed holds no promise but the own one.",
    "owed ACK kept across leaders": "It takes two frames in one turn, and a searched node settles after each.",
    "matches kept across leaderships": f"{_FIVE}, what a leader knows of one follower is committed, or is in the best log.",
    "own match kept across leaderships": "It takes four terms and a loss of power, at the end of more stages than were marked out.",
    "id of a learner taken twice": _NO_LEARNER,
    "emptied learner taken back": _NO_LEARNER,
    "who has left joins again": _NO_LEARNER,
    "LEAVE of anybody believed": _NO_LEARNER,
    "late refusal believed": _NO_LEARNER,
    "learners not read at a start": _NO_LEARNER,
    "learner takes what comes": _NO_LEARNER,
    "learner stays with a lonely member": _NO_LEARNER,
}
"""Why the other mutants are not looked for."""


@cache
def _as_it_is(number: int) -> Sight:
    """Search the protocol as it is where the search with this id searches a mutant."""
    return look(next(search for search in SEARCHES.values() if id(search) == number))


def table(names: Iterable[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield a row for each mutant (all) as soon as it was looked for, as plain JSON values.

    `killer` is "" if no invariant that names the mutant was seen broken; `reason` says why it is out
    of reach; `protocol` is the verdict on the protocol as it is, searched the same way, and `protocol_why` why
    that did not come to its end.
    """
    for name in MUTANTS if names is None else names:
        one, search = named(name), SEARCHES.get(name)
        if search is None:
            yield {"mutant": one.name, "verdict": "out of reach", "killer": "", "reason": OUT_OF_REACH[one.name]}
            continue
        seen, real = look(search, one), _as_it_is(id(search))
        yield {
            "mutant": one.name,
            "verdict": seen.verdict,
            "killer": seen.killer if seen.killer in one.killers else "",
            "sentence": seen.why,
            "steps": len(seen.story),
            "story": [str(step) for step in seen.story],
            "distinct_states": seen.states,
            "seconds": round(seen.seconds, 2),
            "model": search.model.name,
            "stages": [stage.what for stage in search.stages],
            "bounds": list(seen.bounds),
            "protocol": real.verdict,
            "protocol_why": "" if real.verdict == "exhausted, ok" else real.why,
            "protocol_states": real.states,
            "reason": "",
        }
