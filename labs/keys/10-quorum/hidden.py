"""What students do not see of lab 10: the package's own searches, with the student's rules in its nodes.

Each begins where the package looks for a bug of its own (`chatsys.mutants.searches`): its models, bounds and stages are
those of the bug, and the nodes are the lab's.  So what a search says of a class it would say of the bug, too.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from chatsys.explore.untimed import Life
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.mutants.searches import Search, Sight, look
from chatsys.mutants.searches.elections import RIVALRY
from chatsys.mutants.searches.logs import ALONE, ASKS, FIGURE_EIGHT, INCOMPLETE, LONGER
from chatsys.mutants.searches.models import Established, Fresh, Tight
from chatsys.protocol.recovery import replay
from chatsys.teach.grading.lab import Finding, ShownCall
from chatsys.teach.labs.lab10.checks import is_lost
from chatsys.teach.labs.lab10.declaration import BOUNDS
from chatsys.teach.labs.lab10.stage import agreeing
from chatsys.teach.labs.lab10.words import KeptVote

_spec = spec_from_file_location("right", Path(__file__).with_name("answers.py"))
assert _spec is not None and _spec.loader is not None, "it stands beside this file"
right: Any = module_from_spec(_spec)
_spec.loader.exec_module(right)

# --- the models ------------------------------------------------------------------------------------


class VoteModel(Tight):
    """The record of a vote means something, too."""

    def compress(self, records: Iterable[Any]) -> tuple[Any, ...]:
        """Keep what the records mean, and the last vote."""
        known = tuple(records)
        votes = [one for one in known if isinstance(one, KeptVote)]
        return (*replay(one for one in known if not isinstance(one, KeptVote)).records(), *votes[-1:])


class FreshVotes(VoteModel, Fresh):
    """Nobody leads yet."""


class EstablishedVotes(VoteModel, Established):
    """Node 3 leads term 1."""


class CutVotes(EstablishedVotes):
    """... and after that, nodes 2 and 3 hear nothing of each other."""

    @property
    def bounds(self) -> tuple[str, ...]:
        """Say what was left out."""
        return (*super().bounds, "nodes 2 and 3 hear nothing of each other")

    def dead(self, life: Life, frame: Any, sender: Life) -> bool:
        """Lose what passes between them, once both have the session."""
        begun = all(one.actor is not None and one.actor.log.last_seq >= 2 for one in (life, sender))
        return (begun and {life.me, frame.sender} == {2, 3}) or super().dead(life, frame, sender)


COMMITS = (
    Search(
        model=EstablishedVotes, bounds={"nominees": (2,), "nominations": 1, "prompt": True}, stages=(ALONE, ASKS), states=8_000
    ),
    replace(FIGURE_EIGHT, model=CutVotes, states=8_000),
)  # fmt: skip
"""A message that only its leader has, and another node that asks for votes; and Raft's figure 8."""
VOTES = (
    replace(INCOMPLETE, model=EstablishedVotes, states=8_000),
    replace(LONGER, model=EstablishedVotes, states=8_000),
    replace(RIVALRY, model=FreshVotes, bounds={**RIVALRY.bounds, "nominations": 1}, states=8_000),
)
"""A candidate that lacks a committed entry; one whose log is longer and older; two that want the same term."""


# --- the student's class in a search ----------------------------------------------------------------


class EachOnce:
    """A leader's object, which hears each acknowledgement once: every frame may arrive again and again in a search."""

    def __init__(self, mine: Any) -> None:
        self.mine, self.heard, self.said = mine, frozenset[Any](), 0

    def ack(self, node: int, seq: int, term: int, terms: list[int]) -> Any:
        """Pass on what is news."""
        what = node, seq, term, tuple(terms)
        if what not in self.heard:
            self.heard |= {what}
            self.said = self.mine.ack(node, seq, term, terms)
        return self.said


def forgetful(cls: Any) -> type:
    """Return a voter that begins a new life with each question: only what was kept is left."""

    class Forgetful:
        """Asks a new object each time."""

        def __init__(self, kept: Any) -> None:
            self.kept = kept

        def ask(self, term: int, candidate: int, last: Any, own: Any) -> Any:
            """Begin a life, answer, and keep what must be kept."""
            vote = cls(None if self.kept is None else dict(self.kept)).ask(term, candidate, last, own)
            self.kept = vote.kept
            return vote

    return Forgetful


def judge_commits(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """10.1: in every order within the bounds nothing that was committed is lost."""
    del seeds
    if not (is_lost(trial, "onward") or is_lost(trial, "majority")):
        cls = trial.replayed()
        yield from _search(
            "10.1", trial, cls, agreeing(lambda *made: EachOnce(cls(*made)), forgetful(right.MyPromise)), COMMITS
        )


def judge_votes(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """10.2: in every order within the bounds no term has two leaders, and each leader has what was committed."""
    del seeds
    if not (is_lost(trial, "elects") or is_lost(trial, "once")):
        cls = trial.replayed()
        yield from _search("10.2", trial, cls, agreeing(None, forgetful(cls)), VOTES)


def _search(exercise: str, trial: Any, cls: Any, actor: Any, searches: Sequence[Search]) -> Iterator[Finding]:
    """Search one after the other, up to the first that is not right; say what was found, or what was left out."""
    mutant = Mutant(name="a student's class", story="", killers=(), actor=actor)
    for search in searches:
        sight = look(search, mutant)
        if sight.verdict != "exhausted, ok":
            yield tell(sight, exercise)
            break
    if doubt := cls.doubt(trial.alone):
        yield Finding(aspect="orders", sentence=doubt, inconclusive=True)


def tell(sight: Sight, exercise: str) -> Finding:
    """Return what a search saw that did not end well: what is broken, or what it did not get to and within which bounds."""
    if sight.verdict != "fail":
        sentence = f"Not decided: the search had to stop after {sight.states:,} states, and claims nothing. Its bounds: {BOUNDS[exercise]}."
        return Finding(aspect="orders", sentence=sentence, inconclusive=True)
    steps = tuple(ShownCall(call=str(step), returned="", when=f"step {at}") for at, step in enumerate(sight.story, 1))
    what = sight.why.partition(": ")[2] or sight.why
    if found := re.match(r"node (\d) leads term (\d), but node (\d) led it", what):
        what = f"nodes {found[3]} and {found[1]} both lead term {found[2]}; a node may crash between any two questions"
    elif found := re.match(r"node (\d) leads term (\d), but (.*) was committed at position (\d) in term (\d)", what):
        what = f"node {found[1]} leads term {found[2]} and lacks {found[3]}, which was committed as #{found[4]} in term {found[5]}"
    return Finding(
        aspect="orders", sentence=f"The search found an order of {len(steps)} steps in which {what:.120}.", steps=steps
    )  # fmt: skip


JUDGES = {("10.1", "search"): judge_commits, ("10.2", "search"): judge_votes}
EXTRA: dict[str, Any] = {}
