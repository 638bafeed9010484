"""Hunting: attacks drawn by chance, until one breaks something; and an attack made shorter.

    hunt("no session dedup", seed=7)     how many attacks of eight random moves it took, and the first that broke something
    shrink("no session dedup", moves)    the same, with every move left out that is not needed

To shrink is to ask for each move, and then for each pair of them, whether the attack still breaks the same invariant without it.
What is left cannot lose a move or a pair; a shorter attack of other moves may exist, and only a search (`par`) can tell.

Promises  the same seed hunts the same attacks; a budget that ran out is said, and then the verdict is inconclusive.
Read also `campaign.shrink` (how the package shrinks a run of hundreds of events), `board` (the moves).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from random import Random

import msgspec

from chatsys.errors import UsageError
from chatsys.explore.explorer import Verdict
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.teach.labs.lab11.board import ChatBoard, Move, code_of, play
from chatsys.teach.labs.lab11.bugs import bug_named
from chatsys.teach.labs.lab11.par import moves_of, word_of

LENGTH = 8
"""Moves of a random attack."""
MOST_TRIES = 400


class Hunted(msgspec.Struct, frozen=True, kw_only=True):
    """What a hunt found."""

    bug: str
    tries: int
    """So many attacks were made, the last of them the one that broke something."""
    attack: tuple[Move, ...] = ()
    """Empty: none of them did."""
    broken: tuple[str, ...] = ()

    def __repr__(self) -> str:
        if not self.attack:
            return (
                f"{self.bug}: inconclusive. None of {self.tries} random attacks broke anything, which proves nothing."
            )
        lines = [f"{self.bug}: random attack number {self.tries} broke {' and '.join(self.broken)}:"]
        return "\n".join([*lines, *(f"    world.{code_of(move)}" for move in self.attack)])


def random_attack(bug: Mutant, random: Random, length: int = LENGTH) -> ChatBoard:
    """Make so many moves, each drawn from those that can be made, until something is broken."""
    board = ChatBoard(bug)
    for _ in range(length):
        verb, *arguments = random.choice(board.possible())
        getattr(board, verb)(*arguments)
        if board.broken:
            break
    return board


def hunt(bug: str, seed: int = 0, tries: int = MOST_TRIES) -> Hunted:
    """Attack a bug at random until one of the five invariants breaks, at most so many times."""
    flaw, random = bug_named(bug), Random(f"lab 11, {seed}")
    for number in range(1, tries + 1):
        board = random_attack(flaw, random)
        if board.broken:
            return Hunted(bug=flaw.name, tries=number, attack=tuple(board.moves), broken=tuple(board.broken))
    return Hunted(bug=flaw.name, tries=tries)


class Shortened(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an attack from which moves were left out."""

    bug: str
    verdict: Verdict
    attack: tuple[Move, ...]
    before: int
    runs: int
    why: str

    def __repr__(self) -> str:
        lines = [f"{self.bug}: {moves_of(self.before)} became {len(self.attack)}; {word_of(self.verdict)}. {self.why}"]
        return "\n".join([*lines, *(f"    world.{code_of(move)}" for move in self.attack)])


def shrink(
    bug: str,
    moves: Sequence[Move],
    seconds: float = 20.0,
    *,
    progress: Callable[[str], None] | None = print,
) -> Shortened:
    """Leave out every move that an attack does not need; raises `UsageError` if it breaks nothing to begin with."""
    if not isinstance(seconds, int | float) or not seconds > 0:
        raise UsageError(f"seconds is {seconds!r:.40}; give it a positive time.")
    flaw, best, until, runs = bug_named(bug), tuple(tuple(move) for move in moves), time.monotonic() + seconds, 0
    first = list(play(flaw, best).broken)
    if not first:
        raise UsageError(f"These {len(best)} moves break nothing in {flaw.name!r}, so there is nothing to shrink.")
    verdict: Verdict = "inconclusive"
    ways = _shorter(best)
    while time.monotonic() < until:
        shorter = next(ways, None)
        if shorter is None:
            verdict = "exhausted, ok"
            break
        runs += 1
        if first[0] in _broken(flaw, shorter):
            best, ways = shorter, _shorter(shorter)
            (progress or (lambda said: None))(f"{moves_of(len(best))} still break {first[0]}")
    if verdict == "inconclusive":
        why = f"The budget of {seconds:g} s ran out after {runs} runs; it may become shorter still."
    else:
        why = f"No move and no two moves can be left out; {runs} runs. Other moves may be shorter: only a search can tell."
    return Shortened(bug=flaw.name, verdict=verdict, attack=best, before=len(moves), runs=runs, why=why)


def _shorter(moves: tuple[Move, ...]) -> Iterator[tuple[Move, ...]]:
    for count in (1, 2):
        for left_out in combinations(range(len(moves)), count):
            yield tuple(move for place, move in enumerate(moves) if place not in left_out)


def _broken(bug: Mutant, moves: Sequence[Move]) -> dict[str, str]:
    try:
        return play(bug, moves).broken
    except UsageError:  # what is left cannot be played: a restart without its crash
        return {}
