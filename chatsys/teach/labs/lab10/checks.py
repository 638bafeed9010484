"""The judge of 10.1, the commit: what a leader hears, call by call, and then runs of the whole chat behind a cut.

    onward    what a majority holds is committed, and the side with the majority goes on
    majority  nothing is committed that fewer than a majority hold, each node counted once
    older     an entry of an older term is not committed by counting its copies
    stale     an acknowledgement of an older term counts for nothing

Read also `histories` (what is drawn), `runs` (the whole chat), `voting` (the judge of 10.2), `grading.judging` (points).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from chatsys.isolation.calls import Call, CallScript, Reply
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.lab10 import runs
from chatsys.teach.labs.lab10.histories import LeaderHears, leadership
from chatsys.teach.labs.lab10.stage import agreeing

PLAYED = 6
"""In so many seeds the whole chat is played, too."""
SHARED, CAUSE, EFFECT = 3, 2, 1
"""How much a sentence explains: the highest rank is told first."""
BEFORE, BEYOND = 14, 2
"""So many calls before and after the one in question are shown."""


def judge_commit(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """10.1: onward, majority, older, stale."""
    drawn = {seed: leadership(seed) for seed in seeds}
    replies = trial.ask([script_of(one) for one in drawn.values()])
    told: dict[str, Finding] = {}
    for (seed, one), answers in zip(drawn.items(), replies, strict=True):
        for finding in judge_leadership(one, answers, f"With seed {seed}", seed):
            told.setdefault(finding.aspect, finding)
    if RUNS not in told:
        told |= {one.aspect: one for one in _find_shared(trial, drawn, replies)}
    if "majority" in told:  # who counts too few also counts too few when an old answer is among them
        told.pop("stale", None)
    if not told:  # what is wrong in a call by itself has effects of every kind in the chat
        told = runs.first_of_each(runs.judge_cut(agreeing(trial.cls), one, "majority") for one in list(seeds)[:PLAYED])
    remember(trial, told)
    yield from told.values()


_told: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def remember(trial: Any, told: Iterable[str]) -> None:
    """Keep which aspects were found wrong."""
    _told.setdefault(trial, set()).update(told)


def is_lost(trial: Any, aspect: str) -> bool:
    """Tell whether this aspect was found wrong, or the class does not run: what needs it is lost anyway."""
    return bool({RUNS, aspect} & _told.get(trial, set()))


def script_of(one: LeaderHears) -> CallScript:
    """Return the calls for what a leader hears."""
    calls = tuple(Call("ack", (ack.node, ack.seq, ack.term, list(ack.terms))) for ack in one.heard)
    return CallScript(calls, (one.me, list(one.nodes), one.term))


def judge_leadership(
    one: LeaderHears, replies: Sequence[Reply], name: str, seed: int | None = None
) -> Iterator[Finding]:
    """Compare each answer with what is right; one finding of each aspect."""
    told: set[str] = set()
    for at, ack in enumerate(one.heard, 1):
        reply = replies[at - 1] if at <= len(replies) else None
        why = _broken(one, at, reply)
        if why is not None or reply is None:
            sentence = f"{name} node {one.me} stopped at {ack.time:.2f} s, because {why}."
            yield Finding(
                aspect=RUNS, sentence=sentence, seed=seed, steps=_steps(one, replies, at), rank=CAUSE
            )  # fmt: skip
            return
        wrong = _wrong(one, at, reply.value)
        if wrong is not None and wrong[0] not in told:
            told.add(wrong[0])
            steps = _steps(one, replies, at)
            yield Finding(aspect=wrong[0], sentence=f"{name} {wrong[1]}", seed=seed, steps=steps, rank=CAUSE)
        if told - {"onward"}:  # what was committed wrongly stays so; whether it goes on is seen all the same
            told |= {"majority", "older", "stale"}


def _broken(one: LeaderHears, at: int, reply: Reply | None) -> str | None:
    if reply is None:
        return "it gave no answer"
    if not reply.right:
        return f"your class raised {reply.error}" if reply.error else f"ack returned {reply.wrong}; return a number"
    last = len(one.heard[at - 1].terms)
    if not 0 <= reply.value <= last:
        return f"ack returned {reply.value}; return a number from 0 to {last}, the end of the log"
    return None


def _wrong(one: LeaderHears, at: int, value: int) -> tuple[str, str] | None:
    """Return the aspect and the sentence, without the name of the run, if this answer is wrong."""
    ack, right = one.heard[at - 1], one.committed(at)
    if value == right:
        return None
    when, who, many = f"at {ack.time:.2f} s", f"node {one.me}", len(one.nodes)
    if value < right:
        holders = one.holders(right, at)
        back = (
            " (and had committed more before)"
            if value < max((one.committed(n) for n in range(1, at)), default=0)
            else ""
        )
        return "onward", (
            f"{who} had heard {when} that nodes {_listed(holders)} of {many} hold #{right}, of its own term "
            f"{one.term}, and committed {f'up to #{value} only' if value else 'nothing'}{back}."
        )
    holders = one.holders(value, at)
    if len(holders) == many:
        return None  # nobody lacks it, so whoever wins has it, whatever its term is (Raft 5.4.2 says so, too)
    if len(holders) >= one.majority and ack.terms[value - 1] != one.term:
        return "older", (
            f"{who} committed #{value} of term {ack.terms[value - 1]} {when} in term {one.term} by counting {len(holders)} "
            f"of {many} copies. Could somebody whose log ends in a newer term still win?"
        )
    if len(one.holders(value, at, any_term=True)) >= one.majority > len(holders):
        old = next(heard for heard in one.heard[:at] if heard.term != one.term and heard.seq >= value)
        return "stale", (
            f"{who}, leader of term {one.term}, committed #{value} {when} and counted node {old.node}, which said so in term "
            f"{old.term}. What may node {old.node} hold there by now?"
        )
    own = " Did its own copy count alone, or twice?" if holders == [one.me] else ""
    heard = f"{_nodes(holders)} only" if holders else "nobody"
    return "majority", (
        f"{who} committed #{value} {when}. By then it had heard of a copy from {heard}: {len(holders)} of {many} nodes, "
        f"and a majority is {one.majority}.{own}"
    )


def _nodes(nodes: Sequence[int]) -> str:
    return f"node{'s' * (len(nodes) != 1)} {_listed(nodes)}"


def _listed(nodes: Sequence[int]) -> str:
    return ", ".join(map(str, nodes[:-1])) + (" and " if len(nodes) > 1 else "") + "".join(map(str, nodes[-1:]))


def _steps(one: LeaderHears, replies: Sequence[Reply], wrong: int) -> tuple[ShownCall, ...]:
    """Return the calls around the one in question, which is marked."""
    return tuple(
        ShownCall(
            call=f"ack({ack.node}, {ack.seq}, {ack.term}, {list(ack.terms)})",
            returned=_returned(replies, at),
            expected=str(one.committed(at)),
            when=f"{ack.time:.2f} s",
            wrong=at == wrong,
            node=one.me,
            time=ack.time,
        )
        for at, ack in enumerate(one.heard, 1)
        if wrong - BEFORE <= at <= wrong + BEYOND
    )


def _returned(replies: Sequence[Reply], at: int) -> str:
    if at > len(replies):
        return ""
    reply = replies[at - 1]
    return str(reply.value) if reply.right else str(reply.error or reply.wrong)


def _find_shared(trial: Any, drawn: dict[int, LeaderHears], replies: list[list[Reply]]) -> Iterator[Finding]:
    """Ask one object once more, where there is no other one: it must answer the same."""
    (seed, one), answers = max(zip(drawn.items(), replies, strict=True), key=lambda pair: len(pair[1]))
    again = trial.alone(script_of(one))
    for ack, first, second in zip(one.heard, answers, again, strict=False):
        if first.value != second.value:
            sentence = (
                f"With seed {seed} node {one.me} answered {first.value} at {ack.time:.2f} s, and {second.value} where it was the only "
                "object. Do all objects share a list or a dictionary?"
            )
            yield Finding(aspect="majority", sentence=sentence, seed=seed, rank=SHARED, hinted=False)
            return
