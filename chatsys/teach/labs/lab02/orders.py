"""The judge of 2.3: which of two events is before the other, if any is.

    before      says of every pair of events in a run whether a path leads from the first to the second
    concurrent  says of every pair whether no path leads from either to the other
    itself      an event is neither before itself nor concurrent with itself
    missing     a vector without an entry has 0 there

What is right is found from who spoke to whom (`events`); the vectors that a class gets are those of right clocks.

Read also `runs` (the events), `cuts` (the judge of 2.5).
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from msgspec.structs import replace

from chatsys.isolation.calls import Call, CallScript, Reply
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.lab02.clocks import CAUSE, SAME, SHARED, shown
from chatsys.teach.labs.lab02.events import Event, full, sparse
from chatsys.teach.labs.lab02.runs import History, history_of

Vector = dict[int, int]


def is_before(a: Vector, b: Vector) -> bool:
    """Return what is right: each entry of `a` is at most that of `b`, and they are not equal."""
    return sparse(a) != sparse(b) and all(count <= b.get(node, 0) for node, count in a.items())


class PairQuestion:
    """One call about two events, what is right, and how the pair is told."""

    def __init__(self, history: History, method: str, a: Event, b: Event, sparse: bool) -> None:
        self.history, self.method, self.a, self.b, self.sparse = history, method, a, b, sparse
        forth, back = a.is_before(b), b.is_before(a)
        self.right = forth if method == "before" else a.place != b.place and not forth and not back
        self.aspect = "itself" if a.place == b.place else method

    @property
    def call(self) -> Call:
        """Return it as it is asked."""
        nodes = self.history.nodes
        vectors = (sparse(one.past) if self.sparse else full(one.past, nodes) for one in (self.a, self.b))
        return Call(self.method, tuple(vectors))

    @property
    def size(self) -> int:
        """How simple it is to look at: a wrong answer to the simplest question is told."""
        in_a_row = self.a.node == self.b.node and abs(self.a.number - self.b.number) == 1
        return sum(self.a.past.values()) + sum(self.b.past.values()) - 1000 * (in_a_row and self.right)

    def story(self, answer: Any) -> str:
        """Say what was asked, what was answered, and why that is wrong."""
        a, b, vectors = self.a, self.b, [shown(one) for one in self.call.arguments]
        asked = f"{self.method}({vectors[0]}, {vectors[1]})"
        if a.place == b.place:
            right = "before itself" if self.method == "before" else "concurrent with itself"
            return f"{asked} is {answer}: both are event {a.name}, and no event is {right}."
        if self.right and self.method == "before" and a.node == b.node and b.number == a.number + 1:
            return f"{asked} is {answer}, and {a.name} and {b.name} are two events of node {a.node} in a row."
        if self.right and self.method == "before":
            return f"{asked} is {answer}, and a path leads from {a.name} to {b.name}: {self._path(a, b)}."
        if a.is_before(b) or b.is_before(a):
            first, second = (a, b) if a.is_before(b) else (b, a)
            back = "back " if self.method == "before" else ""
            return f"{asked} is {answer}, and a path leads {back}from {first.name} to {second.name}: {self._path(first, second)}."
        said = "they are concurrent" if self.method == "before" else "no path leads from one to the other"
        return (
            f"{asked} is {answer}: each of {a.name} and {b.name} knows of an event that the other does not, so {said}."
        )

    def _path(self, a: Event, b: Event) -> str:
        """Return a path from a to b, shortened in the middle."""
        way, now = [b.name], b
        while now.place != a.place:
            cause = None if now.cause is None else self.history.at(now.cause)
            if cause is not None and (cause.place == a.place or a.is_before(cause)):
                now = cause
            else:
                now = self.history.at((now.node, now.number - 1))
            way.append(now.name)
        way.reverse()
        return ", ".join(way if len(way) <= 5 else [*way[:2], "...", *way[-2:]])


def judge_order(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """2.3: before, concurrent, itself, missing; all pairs of all events of each run."""
    asked = [list(_questions(history_of(seed))) for seed in seeds]
    replies = trial.ask([CallScript(tuple(one.call for one in some)) for some in asked])
    found: dict[tuple[str, bool], tuple[PairQuestion, Reply]] = {}
    both: tuple[PairQuestion, Reply] | None = None
    for some, said in zip(asked, replies, strict=True):
        both = both or _find_both_ways(some, said)
        for question, reply in zip(some, said, strict=False):
            if reply.right and reply.value == question.right:
                continue
            kind = (question.aspect if reply.right else RUNS), question.sparse
            if kind not in found or question.size < found[kind][0].size:
                found[kind] = question, reply
    if (shared := _find_shared(trial, found)) is not None:
        yield shared
        return
    told = dict(_aspects(trial, found))
    if both is not None and "before" in told and RUNS not in told:
        vectors = " and ".join(shown(one) for one in both[0].call.arguments)
        yield _finding(
            "before",
            *both,
            f"of {vectors} each is before the other, says `before`; a path leads one way at most.",
            SAME,
        )
    for aspect in (RUNS,) if RUNS in told else told:
        yield _finding(aspect, *told[aspect])


def _aspects(
    trial: Any, found: dict[tuple[str, bool], tuple[PairQuestion, Reply]]
) -> Iterator[tuple[str, tuple[PairQuestion, Reply]]]:
    """Yield the simplest wrong answer of each aspect; `missing` is what is right if nothing is left out."""
    for aspect in (RUNS, "before", "concurrent", "itself"):
        if (aspect, False) in found:
            yield aspect, found[aspect, False]
        elif (aspect, True) in found and _is_right_when_full(trial, found[aspect, True][0]):
            yield "missing", found[aspect, True]
        elif (aspect, True) in found:
            yield aspect, found[aspect, True]


def _questions(history: History) -> Iterator[PairQuestion]:
    for turn, event in enumerate(history.events):
        yield PairQuestion(history, "before", event, event, bool(turn % 2))
        yield PairQuestion(history, "concurrent", event, event, bool(turn % 2))
    for turn, (one, other) in enumerate(combinations(history.events, 2)):
        odd = bool(turn % 2)
        yield PairQuestion(history, "before", one, other, odd)
        yield PairQuestion(history, "before", other, one, odd)
        yield PairQuestion(history, "concurrent", *((one, other) if turn % 4 < 2 else (other, one)), odd)


def _find_both_ways(some: Sequence[PairQuestion], said: Sequence[Reply]) -> tuple[PairQuestion, Reply] | None:
    """Return the first pair of events of which each is said to be before the other."""
    answers = {
        (one.a.place, one.b.place): reply.value
        for one, reply in zip(some, said, strict=False)
        if one.aspect == "before"
    }
    pairs = zip(some, said, strict=False)
    return next(
        (
            (one, reply)
            for one, reply in pairs
            if one.aspect == "before" and reply.value and answers.get((one.b.place, one.a.place))
        ),
        None,
    )


def _is_right_when_full(trial: Any, question: PairQuestion) -> bool:
    """Tell whether the answer would be right if no entry were left out."""
    nodes = question.history.nodes
    call = Call(question.method, (full(question.a.past, nodes), full(question.b.past, nodes)))
    [[reply]] = trial.ask([CallScript((call,))])
    return bool(reply.right and reply.value == question.right)


def _find_shared(trial: Any, found: dict[tuple[str, bool], tuple[PairQuestion, Reply]]) -> Finding | None:
    """Return the finding for a class that answers otherwise when it has been asked nothing before."""
    for question, reply in found.values():
        if trial.ask([CallScript((question.call,))])[0] == [reply]:
            continue
        [again] = trial.alone(CallScript((question.call,)))
        if again.right and again.value == question.right:
            story = f"{question.method} answered {reply.value if reply.right else 'with an error'} and, asked alone, {again.value}"
            return replace(
                _finding(RUNS, question, reply, f"{story}. What does it remember from one call to the next?", SHARED),
                hinted=False,
            )
    return None


def _finding(aspect: str, question: PairQuestion, reply: Reply, story: str = "", rank: int = CAUSE) -> Finding:
    shows = {"before": "before(...)", "concurrent": "concurrent(...)"}[question.method]
    if not story and reply.error is not None:
        vectors = " and ".join(shown(one) for one in question.call.arguments)
        story = f"{shows} of {vectors} ({question.a.name} and {question.b.name}) raised {reply.error}."
        story += " A missing entry is 0." if aspect == "missing" else ""
    elif not story and not reply.right:
        story = f"{shows} of {question.a.name} and {question.b.name} returned {reply.wrong}; return True or False."
    story = story or question.story(reply.value)
    if aspect == "missing" and reply.right:
        story = f"{story.rstrip('.')}; a missing entry is 0."
    call = f"{question.method}({', '.join(map(shown, question.call.arguments))})"
    step = ShownCall(
        call=call, returned=str(reply.value) if reply.right else reply.error or reply.wrong or "", expected=str(question.right),
        wrong=True, when=f"{question.b.time:.2f} s", node=question.b.node, time=question.b.time,
    )  # fmt: skip
    return Finding(
        aspect=aspect, sentence=f"With seed {question.history.seed} {story}", seed=question.history.seed,
        trace=question.history.trace.encode(), steps=(step,), rank=rank,
    )  # fmt: skip
