"""The judges of 1.1, the sender, and 1.2, the receiver: live, since what they return decides what arrives next.

    play a seed --calls--> sending, receiving: what is wrong --alone, in a new process--> do objects share something?

Each class is judged against the other end that the stage gives, so a wrong receiver costs nothing in 1.1, and what is
right in both is right together: all that they know of each other is what an acknowledgement means.

Read also `runs` (what happens in a seed), `grading.judging` (points).
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

from msgspec.structs import replace

from chatsys.isolation.calls import Call, CallScript, Reply
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.grading.seeds import FIRST_HIDDEN
from chatsys.teach.labs.lab01 import sending
from chatsys.teach.labs.lab01.packets import Packet, shown
from chatsys.teach.labs.lab01.receiving import ReceiverProbes, read_receiver
from chatsys.teach.labs.lab01.runs import LinkCall, LinkRun, play_receiver, play_sender, play_twice
from chatsys.teach.labs.lab01.sending import LinkFault, SenderProbes, read_sender
from chatsys.teach.labs.lab01.stage import LISTENS, TALKS, why_stopped

SHARED = 6
"""The rank of the sentence about what objects have in common."""
SHORT = 24
"""Letters of a call, or of an answer, in a sentence about two of them."""
LEFT_OUT = 24
"""So many copies are left out, one at a time: a receiver that acknowledges nothing gets hundreds."""
PUSHES = 6
"""So many copies come in the end, to push out what a receiver still has."""
ENOUGH = 5
"""So many seeds of a class are played although nothing more can be lost: a later one may tell the cause."""
BEFORE, BEYOND = 14, 2
"""So many calls before and after the one in question are shown."""
NOT_JUDGED = ("patient", "one")
"""What the budget asks, and the seeds do not."""


def judge_sender(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """1.1: arrive, numbers, quiet; behind the seeds comes one run that they would hardly ever make."""
    runs = chain((play_sender(trial.cls, seed) for seed in seeds), (play_twice(cls) for cls in (trial.cls,)))
    yield from _judge(trial, runs, partial(tell_sender, trial=trial), "arrive")


def judge_receiver(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """1.2: complete, order, once, answer, again."""
    tell = partial(tell_receiver, trial=trial)
    yield from _judge(trial, (play_receiver(trial.cls, seed) for seed in seeds), tell, "complete")


def tell_sender(run: LinkRun, trial: Any = None) -> list[LinkFault]:
    """Return what is wrong with the sender of a run; with a trial the class is asked once more for the cause."""
    return [one for one in tell_calls(run.calls, trial) if one.aspect not in NOT_JUDGED]


def tell_calls(calls: Sequence[LinkCall], trial: Any = None) -> list[LinkFault]:
    """Return what is wrong with the sender of these calls, with its cause where there is a trial to ask."""
    found = read_sender(calls)
    if trial is not None and any(one.aspect == "arrive" for one in found):
        return read_sender(calls, sender_probes(trial, calls))
    return found


def tell_receiver(run: LinkRun, trial: Any = None) -> list[LinkFault]:
    """Return what is wrong with the receiver of a run; with a trial the class is asked once more for the cause."""
    found = read_receiver(run.calls, sent_in(run))
    if trial is not None and any(one.aspect == "complete" for one in found):
        found = read_receiver(run.calls, sent_in(run), probed(trial, run.calls))
    return [one for one in found if one.aspect not in NOT_JUDGED]


def sender_probes(trial: Any, calls: Sequence[LinkCall]) -> SenderProbes:
    """Ask the class what it would have done with other texts, if each acknowledgement had come once, and if none had come."""
    others, once, came = list[Call](), list[Call](), set[int]()
    for call in calls:
        told = Call(call.method, call.arguments)
        said = sum(one.method == "say" for one in others)
        others.append(Call("say", (f"text {said}", *call.arguments[1:])) if call.method == "say" else told)
        if call.method != "ack" or call.arguments[0] not in came:
            once.append(told)
        came |= {call.arguments[0]} if call.method == "ack" else set()
    none = [one for one in once if one.method != "ack"]
    asked = [CallScript(tuple(some)) for some in (others, once, none)]
    wrong = [
        any(one.aspect == "arrive" for one in read_sender(as_calls(script, replies)))
        for script, replies in zip(asked, trial.ask(asked), strict=True)
    ]
    return SenderProbes(by_text=not wrong[0], by_repeat=not wrong[1], by_answer=not wrong[2])


def probed(trial: Any, calls: Sequence[LinkCall]) -> ReceiverProbes:
    """Ask the class what it would have done with other texts, with each copy left out, and with copies of what was delivered."""
    packets = [call.arguments[0] for call in calls]
    others = [Packet(one.number, f"text {one.number}") for one in packets]
    first = min(packets, key=lambda packet: packet.number)
    again = [*packets, *[first] * PUSHES]
    copies = [place for place, one in enumerate(packets) if one in packets[:place]][:LEFT_OUT]
    fewer = [[*packets[:place], *packets[place + 1 :]] for place in copies]
    asked = [CallScript(tuple(Call("receive", (one,)) for one in some)) for some in (others, again, *fewer)]
    differing, pushed, *rest = (
        as_calls(script, replies) for script, replies in zip(asked, trial.ask(asked), strict=True)
    )
    wrong = any(one.aspect == "complete" for one in read_receiver(differing))
    without = {place: one for place, one in zip(copies, rest, strict=True) if not any(call.error for call in one)}
    return ReceiverProbes(not wrong, [] if any(one.error for one in pushed) else pushed, without)


def as_calls(script: CallScript, replies: Sequence[Reply]) -> list[LinkCall]:
    """Return the calls of a script with what came of them; each has the time that it was told, if it was."""
    return [
        LinkCall(
            call.arguments[-1] if call.method != "receive" else None, place, call.method, call.arguments,
            reply.value if reply.right else None, reply.error or (f"{call.method} returned {reply.wrong}" if reply.wrong else ""),
        )
        for place, (call, reply) in enumerate(zip(script.calls, replies, strict=False), 1)
    ]  # fmt: skip


def sent_in(run: LinkRun) -> Callable[[int, LinkCall, LinkCall | None], int]:
    """Return what counts how often a packet was sent in this run between two calls."""

    def count(number: int, begin: LinkCall, end: LinkCall | None) -> int:
        low, high = begin.time or 0.0, run.world.now if end is None or end.time is None else end.time
        sent = (one for one in run.world.trace.of("send") if one.node == TALKS and one.seq == number)
        return sum(low < one.time < high for one in sent)

    return count


def _judge(
    trial: Any, runs: Iterator[LinkRun], tell: Callable[[LinkRun], list[LinkFault]], root: str
) -> Iterator[Finding]:
    """Judge one run after the other; without `root` all else is lost, so few more runs are enough to find the cause."""
    best: dict[str, int] = {}
    for place, run in enumerate(runs, 1):
        if (stops := tell_end(run)) is not None:
            yield stops
            return
        faults = tell(run)
        known = run.seed is not None and run.seed < FIRST_HIDDEN  # one who reads it can do something about it
        if known and faults and not best and (shared := _find_shared(trial, run, faults[0].aspect)) is not None:
            yield shared
            return
        for fault in faults:
            if fault.rank > best.get(fault.aspect, 0):
                best[fault.aspect] = fault.rank
                yield finding(run, fault)
        if root in best and place >= ENOUGH:
            return


def judge_run(run: LinkRun, tell: Callable[[LinkRun], list[LinkFault]]) -> Iterator[Finding]:
    """Yield what is wrong in one run."""
    if (stops := tell_end(run)) is not None:
        yield stops
        return
    yield from (finding(run, fault) for fault in tell(run))


def tell_end(run: LinkRun) -> Finding | None:
    """Return the finding of a run that a class has ended, by an error or by packets without end."""
    if run.world.failures:
        node, why = run.world.failures[0]
        time = next(record.time for record in run.world.trace.of("broken") if record.node == node)
        return _stopped(run, f"{run.name} node {node} stopped at {time:.2f} s, because {why_stopped(why)}.")
    if run.endless:
        return _stopped(run, f"{run.name} packets were sent without end: {run.endless[0]}")
    return None


def _stopped(run: LinkRun, sentence: str) -> Finding:
    steps = steps_of(run.calls, len(run.calls) - 1) if run.calls else ()
    return Finding(aspect=RUNS, sentence=sentence, seed=run.seed, trace=run.world.trace.encode(), steps=steps)


def finding(run: LinkRun, fault: LinkFault) -> Finding:
    """Return a fault with its run."""
    return Finding(
        aspect=fault.aspect, sentence=f"{run.name} {ended(fault.sentence)}", seed=run.seed, trace=run.world.trace.encode(),
        steps=steps_of(run.calls, fault.place, fault.about), rank=fault.rank,
    )  # fmt: skip


def ended(sentence: str) -> str:
    """Return a sentence with its full stop, if it is no question."""
    return sentence if sentence.endswith("?") else f"{sentence}."


def steps_of(calls: Sequence[LinkCall], wrong: int, about: tuple[int, ...] = ()) -> tuple[ShownCall, ...]:
    """Return the calls around the one in question; a tick in which nothing was sent is left out."""
    told = [place for place, call in enumerate(calls) if place == wrong or call.method != "tick" or call.answer]
    at = told.index(wrong)
    return tuple(
        ShownCall(
            call=calls[place].call, returned=calls[place].returned, when=calls[place].when.removeprefix("at ").removeprefix("in "),
            wrong=place == wrong, node=LISTENS if calls[place].method == "receive" else TALKS, time=calls[place].time,
            waiting=sending.expected_of(calls, place) if place == wrong and calls[place].method != "receive" else "",
            about=about if place == wrong else (),
        )
        for place in told[max(0, at - BEFORE) : at + BEYOND + 1]
    )  # fmt: skip


def _find_shared(trial: Any, run: LinkRun, aspect: str) -> Finding | None:
    """Ask an object the same once more, where there is no other one: it must answer the same."""
    replies = trial.alone(CallScript(tuple(Call(call.method, call.arguments) for call in run.calls)))
    for place, call in enumerate(run.calls):
        again = replies[place].value if place < len(replies) else None
        if plain(again) != plain(call.answer):
            found = finding(run, LinkFault(aspect, "", place, SHARED))
            return replace(found, sentence=f"{run.name} {tell_shared(call, again)}", hinted=False)
    return None


def tell_shared(call: LinkCall, alone: Any) -> str:
    """Return the sentence about a class that answers otherwise where none of its objects was made before."""
    return (
        f"{_short(call.call)} returned {_short(call.returned)} {call.when}, and {_short(shown(alone))} where no other object was made before. "
        "Do all your objects share a list or a number?"
    )


def _short(text: str) -> str:
    return text if len(text) <= SHORT else f"{text[: SHORT - 3]}..."


def plain(answer: Any) -> Any:
    """Return an answer with lists for tuples, to be compared."""
    return list(map(plain, answer)) if isinstance(answer, list | tuple) else answer


def load(first: int, last: int) -> CallScript:
    """Return the calls that leave nothing waiting: packets in order, each of 200 bytes, and a copy of every other one."""
    packets = [Packet(number, f"{number:<200}") for number in range(first, last + 1)]
    return CallScript(tuple(Call("receive", (one,)) for one in packets for _ in range(1 + one.number % 2)))
