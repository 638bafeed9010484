"""The judge of 10.2, the vote: what candidates ask one node in its lives, and then runs of the whole chat.

    elects     who asks in a newer term than anybody before, with a log that lacks nothing, gets the vote; also when it asks again
    once       in one term one candidate gets it, and nobody in a term below one that was promised
    remembers  ... also when the node has crashed in between: only `kept` is left then
    newest     no candidate gets it whose log may lack something that the voter's has

What a candidate gets is judged by the class's own earlier answers, so an answer that is more careful than it needs to be
costs nothing but *elects*.

Read also `histories` (what is drawn), `checks` (the judge of 10.1), `runs` (the whole chat).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from chatsys.isolation.calls import Call, CallScript, Reply
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.lab10 import runs
from chatsys.teach.labs.lab10.checks import CAUSE, PLAYED, SHARED, remember
from chatsys.teach.labs.lab10.histories import Lives, VoteAsked, votes
from chatsys.teach.labs.lab10.stage import agreeing
from chatsys.teach.labs.lab10.words import LogEnd, checked_vote


class AskedVote(msgspec.Struct, frozen=True):
    """A question, and what came of it; `life` counts from 0."""

    life: int
    asked: VoteAsked
    reply: Reply

    @property
    def yes(self) -> bool:
        """Whether the candidate got the vote."""
        return self.reply.right and bool(self.reply.value.yes)


def judge_promise(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """10.2: elects, once, remembers, newest."""
    drawn = {seed: votes(seed) for seed in seeds}
    answered = play_lives(trial, {seed: lives for seed, (_, lives) in drawn.items()})
    told: dict[str, Finding] = {}
    for seed, story in answered.items():
        for finding in judge_lives(drawn[seed][0], story, f"With seed {seed}", seed):
            told.setdefault(finding.aspect, finding)
    if RUNS not in told:
        told |= {one.aspect: one for one in _find_shared(trial, drawn, answered)}
    if not told:  # what is wrong in a call by itself has effects of every kind in the chat
        actor = agreeing(None, trial.cls)
        told = runs.first_of_each(runs.judge_cut(actor, one, "newest", "elects") for one in list(seeds)[:PLAYED])
    remember(trial, told)
    yield from told.values()


def play_lives(trial: Any, wanted: dict[int, Lives]) -> dict[int, list[AskedVote]]:
    """Play the lives of each, all first lives at once, then all second ones with what the first have kept."""
    found: dict[int, list[AskedVote]] = {seed: [] for seed in wanted}
    kept: dict[int, dict[str, int] | None] = dict.fromkeys(wanted)
    for life in range(max(map(len, wanted.values()), default=0)):
        asked = {seed: lives[life] for seed, lives in wanted.items() if life < len(lives) and lives[life]}
        asked = {seed: one for seed, one in asked.items() if all(_good(done.reply) for done in found[seed])}
        scripts = [script_of(one, kept[seed]) for seed, one in asked.items()]
        for (seed, one), replies in zip(asked.items(), trial.ask(scripts) if scripts else [], strict=True):
            missing = Reply(error="nothing")
            for place, question in enumerate(one):
                reply = replies[place] if place < len(replies) else missing
                found[seed].append(AskedVote(life, question, reply))
                if not _good(reply):
                    break
                kept[seed] = reply.value.kept
    return found


def script_of(life: Sequence[VoteAsked], kept: dict[str, int] | None) -> CallScript:
    """Return the calls of one life."""
    return CallScript(tuple(Call("ask", (one.term, one.candidate, one.last, one.own)) for one in life), (kept,))


def _good(reply: Reply) -> bool:
    return _why(reply) is None


def _why(reply: Reply) -> str | None:
    """Return what is wrong with an answer by itself."""
    if reply.error is not None:
        return f"your class raised {reply.error}"
    if reply.wrong is not None:
        return f"ask returned {reply.wrong}; return Vote(True or False, a dictionary of texts and numbers)"
    try:
        checked_vote(reply.value)
    except Exception as error:
        return str(error)
    return None


def judge_lives(me: int, story: Sequence[AskedVote], name: str, seed: int | None = None) -> Iterator[Finding]:
    """Judge each answer by the ones before it; one finding of each aspect."""
    told: set[str] = set()
    for at, one in enumerate(story):
        if (why := _why(one.reply)) is not None:
            sentence = f"{name} node {me} stopped at {one.asked.time:.2f} s, because {why}."
            yield Finding(aspect=RUNS, sentence=sentence, seed=seed, steps=_steps(story, at, me), rank=CAUSE)
            return
        wrong = _wrong(me, story[:at], one)
        if wrong is not None and wrong[0] not in told:
            told.add(wrong[0])
            steps = _steps(story, at, me)
            yield Finding(aspect=wrong[0], sentence=f"{name} {wrong[1]}", seed=seed, steps=steps, rank=CAUSE)


def _wrong(me: int, before: Sequence[AskedVote], now: AskedVote) -> tuple[str, str] | None:
    """Return the aspect and the sentence, without the name of the run, if this answer is wrong."""
    one = now.asked
    given = [old for old in before if old.yes]
    if now.yes:
        bound = next((old for old in given if _forbids(old.asked, one)), None)
        if bound is not None:
            crash = ", crashed, and promised" if now.life > bound.life else " and"
            aspect = "once" if any(_forbids(old.asked, one) for old in given if old.life == now.life) else "remembers"
            again = (
                f" the lower term {one.term}" if one.term < bound.asked.term else " it" if now.life > bound.life else ""
            )
            return aspect, (
                f"node {me} promised term {bound.asked.term} to node {bound.asked.candidate} "
                f"at {bound.asked.time:.2f} s{crash}{again} to node {one.candidate} at {one.time:.2f} s."
            )
        repeated = any((old.asked.term, old.asked.candidate) == (one.term, one.candidate) for old in given)
        if one.behind and not repeated:  # a promise that was given cannot be taken back, so to repeat it does no harm
            return "newest", (
                f"node {me} promised term {one.term} to node {one.candidate} at {one.time:.2f} s. The log of node {one.candidate} "
                f"{_ends(one.last)}, that of node {me} {_ends(one.own)}. May #{one.own.seq} be committed?"
            )
        return None
    if one.behind:
        return None
    highest = max((old.asked.term for old in before), default=0)
    promised = [old for old in given if old.asked.term == one.term]
    if {old.asked.candidate for old in promised} != {one.candidate}:
        promised = []
    if one.term > highest:
        return "elects", (
            f"node {me} refused node {one.candidate} in term {one.term} at {one.time:.2f} s, though nobody had asked it in so high "
            f"a term and the log of node {one.candidate} lacks nothing."
        )
    if promised and one.term == highest:
        return "elects", (
            f"node {me} promised term {one.term} to node {one.candidate} at {promised[0].asked.time:.2f} s and refused the same node in the "
            f"same term at {one.time:.2f} s. What if the first answer was lost?"
        )
    return None


def _forbids(old: VoteAsked, now: VoteAsked) -> bool:
    return now.term < old.term or (now.term == old.term and now.candidate != old.candidate)


def _ends(last: LogEnd) -> str:
    return f"ends with #{last.seq} of term {last.term}" if last.seq else "is empty"


def _steps(story: Sequence[AskedVote], wrong: int, me: int) -> tuple[ShownCall, ...]:
    return tuple(
        ShownCall(
            call=f"ask({one.asked.term}, {one.asked.candidate}, {_shown(one.asked.last)}, {_shown(one.asked.own)})",
            returned=_returned(one.reply),
            waiting=f"life {one.life + 1}",
            when=f"{one.asked.time:.2f} s",
            wrong=at == wrong,
            node=me,
            time=one.asked.time,
        )
        for at, one in enumerate(story[: wrong + 3])
    )


def _shown(end: LogEnd) -> str:
    return f"LogEnd({end.term}, {end.seq})"


def _returned(reply: Reply) -> str:
    return f"Vote({reply.value.yes}, {reply.value.kept})" if reply.right else str(reply.error or reply.wrong)


def _find_shared(
    trial: Any, drawn: dict[int, tuple[int, Lives]], answered: dict[int, list[AskedVote]]
) -> Iterator[Finding]:
    """Ask one object once more, where there is no other one: it must answer the same."""
    for seed, (me, lives) in list(drawn.items())[:3]:
        first = [one for one in answered[seed] if one.life == 0]
        for one, again in zip(first, trial.alone(script_of(lives[0], None)), strict=False):
            if one.reply.value != again.value:
                sentence = (
                    f"With seed {seed} node {me} answered {_returned(one.reply):.36} at {one.asked.time:.2f} s, and {_returned(again):.36} where it was the "
                    f"only node. Do all nodes share a dictionary?"
                )
                yield Finding(aspect="once", sentence=sentence, seed=seed, rank=SHARED, hinted=False)
                return
