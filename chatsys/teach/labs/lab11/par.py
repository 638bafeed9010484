"""Par: the shortest attack on a bug, found by making every sequence of moves, shorter ones first.

    explore("shows only the newest")             Explored: fail, with the shortest attack
    explore("no session dedup")                  Explored: fail, how long the shortest attack is; the moves are the task of 11.2
    explore("claims the lead at start", moves=3) Explored: exhausted, ok: no attack of at most 3 moves, and within which bounds
    explore(..., seconds=5)                      Explored: inconclusive, and how far it came

Breadth first, as the package's explorer searches: so the first attack that is met has a length that no other beats.
Par is kept in par.json for each bug: an attack of so many moves is known (`labs/keys` has it), and every shorter one
was made, which took so many runs, and broke nothing.  So a par of 4 means: all attacks of 1, 2 and 3 moves were made,
and one of 4 moves is known; no others of 4 were.  A test makes what is short again; this file, run as a program, all of it.

Assumes   the bounds in `BOUNDS`, which every result repeats: they are bounds of the claim.
Promises  one of the explorer's verdicts, and never a silent ok: fail, exhausted, inconclusive.
Read also `board` (the moves), `shorter` (makes one attack shorter), `explore.explorer` (searches below the level of moves).
"""

import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from chatsys.errors import UsageError
from chatsys.explore.explorer import Verdict
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.teach.labs.lab11.board import ChatBoard, Move, chat_of, code_of, play
from chatsys.teach.labs.lab11.bugs import BUGS, TARGETS, bug_named

KEPT = Path(__file__).with_name("par.json")
BOUNDS = (
    "three nodes, of which node 3 leads, and three messages before the first move",
    "the nine moves of the board, each of them made when the nodes are at rest",
    "what is said is the next letter of the alphabet",
    "two runs count as one if what people saw, the logs, roles, terms and promises of all nodes, their cuts and disks are the same",
)
"""What the search leaves out; a bug that needs a finer moment is not found by it."""


class Explored(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found out."""

    bug: str
    verdict: Verdict
    attack: tuple[Move, ...] = ()
    """The shortest attack, if there is one, and if it is not the task of 11.2 to find it."""
    moves: int
    """Every sequence of so many moves was made."""
    runs: int
    why: str
    bounds: tuple[str, ...] = BOUNDS

    def __repr__(self) -> str:
        lines = [f"{self.bug}: {word_of(self.verdict)}. {self.why}"]
        lines += [f"    world.{code_of(move)}" for move in self.attack]
        if self.verdict == "fail" and not self.attack:
            lines.append("    Which moves they are, this search keeps to itself: it is your task in 11.2.")
        return "\n".join([*lines, "Within these bounds:", *(f"  - {one}" for one in self.bounds)])


def word_of(verdict: Verdict) -> str:
    """Return a verdict as students read it: a search that found nothing within its bounds is exhausted, and no more."""
    return verdict.partition(",")[0]


def moves_of(count: int) -> str:
    """Return a number of moves in words."""
    return f"{count} move{'s' * (count != 1)}"


def explore(
    bug: str, moves: int = 4, seconds: float = 30.0, *, progress: Callable[[str], None] | None = print
) -> Explored:
    """Make every sequence of at most so many moves against a bug, until one of the five invariants breaks.

    For a bug of 11.2 the moves of the attack are left out of the result.  `progress` is told each level and, while a level takes long, how far it is; None: nobody is told.  Raises `UsageError`
    for an unknown bug and for bounds that are none.
    """
    if isinstance(moves, bool) or not isinstance(moves, int) or not 1 <= moves <= 12:
        raise UsageError(f"moves is {moves!r:.40}; give a whole number from 1 to 12.")
    if not isinstance(seconds, int | float) or not seconds > 0:
        raise UsageError(f"seconds is {seconds!r:.40}; give the search a positive time.")
    found = _Search(bug_named(bug), seconds, progress or (lambda said: None)).go(moves)
    return msgspec.structs.replace(found, attack=()) if found.bug in TARGETS.values() else found


class _Search:
    """One search."""

    def __init__(self, bug: Mutant, seconds: float, say: Callable[[str], None]) -> None:
        self.bug, self.say, self.seconds = bug, say, seconds
        self.until = time.monotonic() + seconds
        self.told = time.monotonic()
        self.seen: set[Any] = set()
        self.runs = 0

    def go(self, moves: int) -> Explored:
        level: list[tuple[Move, ...]] = [()]
        for depth in range(1, moves + 1):
            following: list[tuple[Move, ...]] = []
            for place, before in enumerate(level):
                for move in play(self.bug, before).possible():
                    if time.monotonic() > self.until:
                        return self._ran_out(depth - 1)
                    attack = (*before, move)
                    board = play(self.bug, attack)
                    self.runs += 1
                    if board.broken:
                        name = next(iter(board.broken))
                        why = f"{moves_of(len(attack))} break {name}, and no shorter attack does; {self.runs:,} runs."
                        return self._end("fail", depth - 1, why, attack)
                    if (key := key_of(board)) not in self.seen:
                        self.seen.add(key)
                        following.append(attack)
                self._progress(depth, place, len(level))
            self.say(f"no attack of {moves_of(depth)}: {self.runs:,} runs so far")
            level = following
        return self._end("exhausted, ok", moves, f"No attack of at most {moves_of(moves)}; {self.runs:,} runs.")

    def _progress(self, depth: int, place: int, of: int) -> None:
        if time.monotonic() - self.told > 3:
            self.told = time.monotonic()
            self.say(f"... {depth} moves: {100 * (place + 1) // of} % of them made, {self.runs:,} runs so far")

    def _ran_out(self, depth: int) -> Explored:
        why = f"The budget of {self.seconds:g} s ran out in attacks of {moves_of(depth + 1)}, after {self.runs:,} runs"
        shorter = f"; none of at most {moves_of(depth)} breaks anything" if depth else ""
        return self._end("inconclusive", depth, f"{why}{shorter}. Nobody knows.")

    def _end(self, verdict: Verdict, depth: int, why: str, attack: tuple[Move, ...] = ()) -> Explored:
        return Explored(bug=self.bug.name, verdict=verdict, attack=attack, moves=depth, runs=self.runs, why=why)


def key_of(board: ChatBoard) -> Any:
    """Return what two runs have in common if they count as one."""
    nodes: list[Any] = []
    for number in (1, 2, 3):
        host = board.world._host(number)
        if not host.alive:
            nodes.append((False, tuple(_kept_of(record) for record in host.disk.records)))
            continue
        state, log = board.world.node(number).state, board.world.node(number).log
        entries = tuple((entry.term, entry.kind, entry.text, entry.client_id) for entry in log.since(0))
        nodes.append((True, host.role, state.term, state.leader, log.commit, host.disk.durable, entries))
    seen = sorted(
        (str(one.node), one.kind, one.incarnation, one.term, one.seq or 0, one.text or "")
        for one in chat_of(board.trace)
    )
    return tuple(nodes), tuple(seen), frozenset(board.cuts), frozenset(board.slow)


def _kept_of(record: Any) -> Any:
    entry = getattr(record, "entry", None)
    if entry is not None:
        return entry.term, entry.kind, entry.text, entry.client_id
    return type(record).__name__, getattr(record, "term", 0), getattr(record, "candidate", 0)


class Par(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of the search for the shortest attack on a bug."""

    par: int
    """An attack of so many moves is known, and every shorter one was made."""
    searched: int
    """Every attack of at most so many moves was made, and none of them breaks anything."""
    runs: int
    """So many runs that took."""


@cache
def kept() -> dict[str, Par]:
    """Return what the search found out about each open bug, as it is kept in par.json."""
    return msgspec.json.decode(KEPT.read_bytes(), type=dict[str, Par])


def par_of(bug: str) -> int:
    """Return how many moves the shortest attack on an open bug has."""
    return kept()[bug_named(bug).name].par


def search_par(bug: str, known: int) -> Par:
    """Search the par of a bug anew, on which an attack of `known` moves is known: whether there is one that is shorter."""
    found = _Search(bug_named(bug), 7200.0, print).go(max(1, known - 1))
    assert found.verdict != "inconclusive", found.why
    par = len(found.attack) or known
    return Par(par=par, searched=par - 1, runs=found.runs)


if __name__ == "__main__":  # python -m chatsys.teach.labs.lab11.par "ACK before fsync"     a minute for a par of 4
    for name in sys.argv[1:] or BUGS:
        again = search_par(name, par_of(name))
        print(f"{name}: {again}{'' if again == kept()[name] else f', but {kept()[name]} is kept'}")
