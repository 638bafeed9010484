"""The runs on which the five invariants are tried: some of the open bugs, and some in which nothing is wrong.

    wrong_runs()    each open bug, attacked;  right_runs()    the chat as it is, where a careless invariant accuses it
    drawn(seeds, bugs)    moves drawn by chance, against a bug or against none

What is broken in a run is not written here: the package's own checks say it of each (`board.broken_in`).

Read also `checks` (the judge), `labs/keys` (what else is asked when you hand in).
"""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from random import Random
from typing import Any

import msgspec

from chatsys.check import Violation, check
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.teach.labs.lab11.board import INVARIANTS, Move, chat_of, play
from chatsys.teach.labs.lab11.bugs import BUGS, RIGHT
from chatsys.teach.labs.lab11.hunting import random_attack
from chatsys.trace import Trace

DRAWN_MOVES = 7


class Judged(msgspec.Struct, frozen=True):
    """A run, what people saw of it, and what is broken in it."""

    name: str
    """Of the bug, or of what happens in a run in which nothing is wrong."""
    chat: bytes
    broken: dict[str, Violation]
    """Invariant -> where it was broken first."""
    moral: str = ""
    """What an invariant overlooks that is wrong about this run."""
    trace: bytes = b""
    """The whole run, to be scrubbed."""
    seconds: float = 0.0
    """How long it is."""


def judged(name: str, run: Any, moral: str = "", whole: bool = True) -> Judged:
    """Judge a run by the package's own checks."""
    chat = chat_of(run)
    found = {one.invariant: one for one in reversed(list(check(chat)))}
    broken = {mine: found[theirs] for mine, theirs in INVARIANTS.items() if theirs in found}
    trace: Trace = run.trace if hasattr(run, "trace") else run
    return Judged(name, chat.encode(), broken, moral, trace.encode() if whole else b"", trace[-1].time)


ATTACKS: dict[str, tuple[tuple[Move, ...], str]] = {
    "only the living count": (
        (("isolate", 3), ("say", "a", 3), ("suspect", 2), ("say", "b", 2), ("crash", 3), ("heal",), ("restart", 3), ("say", "c", 1)),
        "Later the nodes agree again: look at each delivery.",
    ),
    "shows only the newest": (
        (("say", "a", 3), ("crash", 1), ("restart", 1)),
        "Each life of a node shows the chat from its beginning.",
    ),
    "no session dedup": (
        (("cut", 3, 1), ("say", "a", 1), ("heal",)),
        "A message is known by client and client_seq.",
    ),
    "ACK before fsync": (
        (("say", "a", 1), ("slow_disks",), ("say", "b", 3), ("say", "c", 2), ("power_cut",), ("say", "d", 1), ("say", "e", 2)),
        "Who was answered may rely on it: look at each answer.",
    ),
    "claims the lead at start": (
        (("isolate", 3), ("power_cut",), ("suspect", 3), ("suspect", 2)),
        "Two nodes led in the same term.",
    ),
}  # fmt: skip
"""An attack on each open bug, longer than it has to be; and what an invariant overlooks that is silent there."""

CALM: dict[str, tuple[tuple[Move, ...], str]] = {
    "a message on its way at the end": (
        (("isolate", 3), ("say", "a", 3)),
        "What was not answered may still come: it is not lost.",
    ),
    "a node is away at the end": (
        (("crash", 1), ("say", "a", 3), ("say", "b", 2)),
        "A node that is down cannot show anything: it is only behind.",
    ),
    "a node begins anew": (
        (("say", "a", 3), ("crash", 1), ("restart", 1), ("say", "b", 1)),
        "A new life shows the chat again, from its beginning.",
    ),
    "a node is late by six seconds": (
        (("isolate", 1), ("say", "a", 3), ("say", "b", 2), ("say", "c", 3), ("say", "d", 2), ("heal",)),
        "A link or a disk may be slower still: no number of seconds is “in the end”.",
    ),
    "the same text twice": (
        (("say", "a", 3), ("say", "a", 2), ("say", "a", 2), ("crash", 3), ("suspect", 2), ("say", "a", 1)),
        "Equal texts may be different messages.",
    ),
    "an old leader that knows nothing yet": (
        (("isolate", 3), ("suspect", 2), ("say", "a", 1)),
        "Two nodes may lead at one time, in different terms.",
    ),
}  # fmt: skip
"""Runs of the chat as it is; and what an invariant overlooks that accuses it there."""
ABOUT = {
    "a message on its way at the end": ("kept",),
    "a node is away at the end": ("agreement", "gap", "kept"),
    "a node begins anew": ("agreement", "gap", "duplicate", "kept"),
    "a node is late by six seconds": ("agreement", "gap", "kept"),
    "the same text twice": ("agreement", "duplicate", "kept"),
    "an old leader that knows nothing yet": ("leaders",),
}
"""Of which invariants that is said."""


@cache
def wrong_runs() -> tuple[Judged, ...]:
    """Return the five open bugs, attacked."""
    return tuple(judged(name, play(BUGS[name], moves), moral) for name, (moves, moral) in ATTACKS.items())


@cache
def right_runs() -> tuple[Judged, ...]:
    """Return runs in which nothing is wrong."""
    return tuple(judged(name, play(RIGHT, moves), moral) for name, (moves, moral) in CALM.items())


@lru_cache(maxsize=2)
def drawn_open(seeds: tuple[int, ...]) -> tuple[Judged, ...]:
    """Return drawn runs of the open bugs and of the chat as it is; those of the same seeds are made once."""
    return drawn(seeds, (*BUGS.values(), RIGHT))


def drawn(seeds: Sequence[int], bugs: Iterable[Mutant]) -> tuple[Judged, ...]:
    """Return runs whose moves are drawn by chance, the bugs in turn."""
    every = list(bugs)
    runs = []
    for place, seed in enumerate(seeds):
        bug = every[place % len(every)]
        board = random_attack(bug, Random(f"lab 11, drawn {seed}"), DRAWN_MOVES)
        runs.append(judged(f"{bug.name}, random attack {place + 1}", board))
    return tuple(runs)
