"""Stories: for each mutant that a random schedule kills, the shortest run that shows its bug.

    hunt --> Kill(seed, killer) --shrink--> Story: a few steps, a sentence, lines to paste

`python -m chatsys.mutants.stories` tells all of them, or those that it names, and plays the
lines of each in a fresh interpreter.

Promises  the run of a story breaks the invariant that killed the mutant, and no other counts.
Read also `campaign.shrink` (how a run gets short), `mutants` (the bugs).
"""

import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chatsys.campaign.shrink import Shrunk, shrink_seed
from chatsys.capabilities import PROCESSES, need
from chatsys.mutants.bugs import MUTANTS, Mutant, named
from chatsys.mutants.hunt import MOST_SEEDS, hunt
from chatsys.protocol.node import Node


@dataclass(frozen=True, kw_only=True)
class Story:
    """The short run of a mutant, and what it took to find it."""

    mutant: str
    killer: str
    seed: int
    """The seed of the long run."""
    shrunk: Shrunk
    seconds: float


def story(one: Mutant, seconds: float = 30.0) -> Story | None:
    """Hunt the mutant, its recorded seed first, and shrink the run that kills it; None: no random schedule does."""
    if one.only:
        return None
    kill = hunt(one, dict.fromkeys((one.seed or 0, *range(MOST_SEEDS))))
    if kill is None or kill.seed is None:
        return None
    began = time.monotonic()
    shrunk = shrink_seed(
        kill.seed,
        one.plan,
        parts=one.parts,
        actor=None if one.actor is Node else one.actor,
        seconds=seconds,
        invariants=[kill.killer],
    )
    return Story(mutant=one.name, killer=kill.killer, seed=kill.seed, shrunk=shrunk, seconds=time.monotonic() - began)


def stories(names: Iterable[str] = (), seconds: float = 30.0) -> Iterator[Story]:
    """Yield the story of each of these mutants (all) that a random schedule kills."""
    for one in map(named, names or MUTANTS):
        if (found := story(one, seconds)) is not None:
            yield found


def pasted(code: str) -> str:
    """Return what these lines print in a fresh interpreter."""
    need("A fresh interpreter", PROCESSES, instead="paste the lines into a cell")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def main(names: Iterable[str]) -> None:
    """Tell the stories, and whether their lines fail again."""
    for one in stories(names):
        steps = f"{one.shrunk.steps_before} steps became {len(one.shrunk.script)}"
        again = one.shrunk.violation.sentence in pasted(one.shrunk.code())
        verdict = "its lines fail again" if again else "ITS LINES DO NOT FAIL AGAIN"
        print(f"{one.mutant}: {one.killer} with seed {one.seed}; {steps} in {one.seconds:.1f} s; {verdict}.")
        print(f"\n{one.shrunk.story()}\n\n{one.shrunk.code()}\n\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
