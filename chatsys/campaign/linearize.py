"""Linearize: a judge from outside, who is given a history and looks for moments that would explain it.

    every message took effect at one moment between its submit and its answer
    every read was at one moment after it began, and has what took effect before it, in that order, and nothing else
    the messages of a session took effect in the order in which they were said
    the numbers that were told, and the places in the lists, are in the order of the moments

Are there such moments?  That is a question about integers and inequalities, and Z3 answers it: a solver that many
people use and mend, and that knows nothing of chats, terms or logs.  If there are none it names the few sentences that
contradict each other.  (Herlihy and Wing, "Linearizability", 1990: their linearization points are the moments.)

Nothing of the trace, of the project's other checkers or of the nodes is asked: a history is a file (`check.jepsen`).
A read of a node that is behind may lie at any moment since the run began: that is all that a chat promises.

Assumes   z3-solver is installed (it is in the extra `test`); the clock of the clients, who are in one process, is one.
Promises  no moments are called impossible that are not; what is not told (which node led, say) is not judged.
Read also `check.jepsen` (the history), `check.histories` (the project's own judge), `commands.linearize`.
"""

import json
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from chatsys.campaign.one_seed import Plan, schedule
from chatsys.check.jepsen import LIST, NANO, Operation, write_history
from chatsys.errors import NotHere, UsageError
from chatsys.surroundings import make_folder
from chatsys.temporary import remove, temporary


class Explained(msgspec.Struct, frozen=True):
    """What came of one history."""

    messages: int
    """How many took effect: they were acknowledged, or somebody read them."""
    reads: int
    contradiction: tuple[str, ...] = ()
    """Sentences that cannot all be true; none: there are such moments, unless it is undecided."""
    undecided: str = ""
    """Why the solver came to no answer, if it came to none."""


class _Effect:
    """One message: when it was submitted and answered, and as what."""

    def __init__(self, operation: Operation) -> None:
        self.begun: int = operation["time"]
        self.session: str = operation.get("session") or f"process {operation['process']}"
        self.ended: int | None = None
        self.number: int | None = None


class JepsenHistory:
    """The operations of a file, each message and each read once."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.effects: dict[str, _Effect] = {}
        self.reads: list[tuple[str, int, list[str]]] = []
        """Who read, since when the read may have been, and what it returned."""
        begun: dict[int, int] = {}
        for one in operations:
            ((kind, name, value),) = one["value"]
            if name != LIST or type(one["time"]) is not int:
                raise ValueError(
                    f"there is the list {name!r} at {one['time']!r}; one list, {LIST!r}, and whole nanoseconds"
                )
            if kind == "r" and one["type"] == "invoke":
                begun[one["process"]] = one["time"]
            elif kind == "r" and one["type"] == "ok":
                self.reads.append((one.get("who") or f"process {one['process']}", begun[one["process"]], value))
            elif kind == "append" and one["type"] == "invoke":
                self.effects.setdefault(value, _Effect(one))
            elif kind == "append" and one["type"] == "ok":
                self.effects[value].ended, self.effects[value].number = one["time"], one.get("number")

    @property
    def happened(self) -> set[str]:
        """The messages that took effect for sure."""
        return {name for name, one in self.effects.items() if one.ended is not None} | {
            name for _, _, found in self.reads for name in found
        }

    def widest(self) -> list[tuple[str, int, list[str]]]:
        """Return the reads that say everything: not those that are beginnings of another one and need not be later."""
        widest: list[tuple[str, int, list[str]]] = []
        for read in sorted(self.reads, key=lambda one: -len(one[2])):
            if read[1] or not any(other[2][: len(read[2])] == read[2] for other in widest):
                widest.append(read)
        return widest


def read_history(path: Path) -> JepsenHistory:
    """Read a file of `check.jepsen`.  Raises `UsageError` if it is none."""
    try:
        return JepsenHistory(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{path} is no history in Jepsen's form ({type(error).__name__}: {error}).") from None


def judge_seed(seed: int, plan: Plan, keep: Path | None = None, mutant: Mapping[str, Any] | None = None) -> Explained:
    """Play a seed, write its history (into the folder `keep`), read it again and judge it.

    `mutant` are the options `parts` and `actor` of `schedule`.  Raises `NotHere`, and `UsageError` for the folder.
    """
    played = schedule(seed, plan, **(mutant or {}))
    alive = [node for node, state in played.world.status().items() if state["alive"]] if not played.inconclusive else []
    folder = temporary() if keep is None else keep
    try:
        if keep is not None:
            make_folder(keep)
        return explain(read_history(write_history(played.trace, folder / f"seed-{seed}.json", final=alive)))
    finally:
        remove(folder if keep is None else None)


def explain(history: JepsenHistory) -> Explained:
    """Ask Z3 for the moments.  Raises `NotHere` if it is not installed."""
    try:
        import z3
    except ImportError:
        raise NotHere("The judge from outside is Z3, which is not installed; run pip install z3-solver.") from None
    claims: dict[Any, str] = {}
    solver = z3.SolverFor("QF_IDL")
    moments: dict[str, Any] = {}

    def moment(name: str) -> Any:
        return moments.setdefault(name, z3.Int(f"moment of {name}"))

    def claim(sentence: str, *constraints: Any) -> None:
        label = z3.Bool(f"claim {len(claims)}")
        claims[label] = sentence
        solver.add(z3.Implies(label, z3.And(*constraints)))

    happened = history.happened
    _messages(history, happened, moment, claim)
    _reads(history, happened, moment, claim)
    _numbers(history, moment, claim)
    answer = solver.check(*claims)
    core = _smallest(solver, z3.unsat) if answer == z3.unsat else ()
    undecided = f"Z3 came to no answer: {solver.reason_unknown()}." if answer == z3.unknown else ""
    return Explained(len(happened), len(history.reads), tuple(claims[label] for label in core), undecided)


def _messages(history: JepsenHistory, happened: set[str], moment: Any, claim: Any) -> None:
    """Every message within its own time, and behind the one before it in its session."""
    last: dict[str, str] = {}
    waiting: dict[str, list[str]] = {}
    for name, one in history.effects.items():
        waiting.setdefault(one.session, []).append(name)
        if name in happened:
            for earlier in waiting.pop(one.session):  # what was said before it took effect before it
                until = [moment(earlier) <= one.ended] if earlier == name and one.ended is not None else []
                claim(
                    _said(earlier, history.effects[earlier]), moment(earlier) >= history.effects[earlier].begun, *until
                )
                happened.add(earlier)
                if one.session in last:
                    before = last[one.session]
                    claim(f"{before!r} was said before {earlier!r} in one session", moment(before) < moment(earlier))
                last[one.session] = earlier
    for name in happened - history.effects.keys():
        claim(f"{name!r} was read, and nobody ever said it", moment(name) < moment(name))


def _said(name: str, one: _Effect) -> str:
    answered = "was never answered" if one.ended is None else f"was acknowledged at {one.ended / NANO:.6f} s"
    return f"{name!r} was submitted at {one.begun / NANO:.6f} s and {answered}"


def _reads(history: JepsenHistory, happened: set[str], moment: Any, claim: Any) -> None:
    """Every read at a moment of its own, behind all that it has, in that order, and before all that it has not."""
    for number, (who, since, found) in enumerate(history.widest()):
        at = moment(f"read {number}")
        claim(f"{who} could be asked from {since / NANO:.6f} s on", at >= since)
        for before, after in pairwise(found):
            claim(f"{who} has {before!r} before {after!r}", moment(before) < moment(after))
        if found:
            claim(f"{who} has {found[-1]!r} as the last one", moment(found[-1]) < at)
        for name in sorted(happened - set(found)):
            claim(f"{who} does not have {name!r}", at < moment(name))


def _numbers(history: JepsenHistory, moment: Any, claim: Any) -> None:
    """What was told to be message number k stands where number k stands, and behind number k - 1."""
    told = {(one.number, name, "its answer") for name, one in history.effects.items() if one.number}
    for who, _, found in history.widest() if told else ():
        told |= {(number, name, who) for number, name in enumerate(found, start=1)}
    for (lower, one, who), (higher, other, whom) in pairwise(sorted(told)):
        sentence = f"{one!r} is number {lower} to {who}, and {other!r} is number {higher} to {whom}"
        if lower < higher:
            claim(sentence, moment(one) < moment(other))
        elif one != other:
            claim(sentence, moment(one) < moment(one))


def _smallest(solver: Any, unsat: Any) -> list[Any]:
    """Return a core from which nothing can be left out; a solver's first one may be long."""
    core = list(solver.unsat_core())
    for label in list(core):
        without = [one for one in core if not one.eq(label)]
        if len(without) < len(core) and solver.check(*without) == unsat:
            core = list(solver.unsat_core())
    return core
