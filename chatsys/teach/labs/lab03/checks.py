"""The judge of 3.1, the hold-back queue: offline, since what arrives does not depend on what the queue returns.

What reaches each node is written down once per seed, played to the student's queue, and its answers are
read call by call (`reading`).  Where one is wrong the judge looks for the cause by asking again:

    alone, in a new process       right?   the queues have something in common
    with texts that all differ    right?   equal texts were taken for copies
    without second copies         right?   a copy removed what waits

What passes names the cause, so that the sentence is about the mistake and not about its first effect.

Read also `runs` (what arrives), `asking` and `numbering` (the judges of 3.2 and 3.3), `grading.judging` (points).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from chatsys.isolation.calls import Call, CallScript, Reply
from chatsys.teach.grading.lab import RUNS, Finding
from chatsys.teach.labs.lab03.reading import SHARED, Reading, numbers
from chatsys.teach.labs.lab03.runs import Arrival, arrivals_of, replayed, script_of, world_of
from chatsys.teach.labs.lab03.stage import Message, total_order

TOGETHER = 3
"""So many seeds of a right class are played live as well."""


def judge_queue(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """3.1: order, once, complete, prompt, first."""
    plays = [(seed, node, arrived) for seed in seeds for node, arrived in enumerate(arrivals_of(seed), 1)]
    replies = trial.ask([script_of(arrived) for _, _, arrived in plays])
    read = [Reading(seed, node, arrived, said) for (seed, node, arrived), said in zip(plays, replies, strict=True)]
    found = list(_judge_readings(trial, read))
    if found:
        yield from (_with_trace(finding, read) for finding in found)
        return
    yield from _judge_together(trial, seeds[:TOGETHER])
    yield from _judge_first(trial, seeds)


def _with_trace(finding: Finding, read: list[Reading]) -> Finding:
    answers = [reading.replies for reading in read if reading.seed == finding.seed]
    assert finding.seed is not None
    return msgspec.structs.replace(finding, trace=replayed(finding.seed, answers).encode())


def _judge_readings(trial: Any, read: Sequence[Reading]) -> Iterator[Finding]:
    wrong = [reading for reading in read if reading.wrong is not None]
    if not wrong:
        return
    if (shared := find_shared(trial, wrong[0])) is not None:
        yield shared
        return
    for reading in wrong:
        if reading.error is not None:
            yield reading.finding(RUNS, reading.tell_error(), len(reading.replies) - 1)
            return
    if not any(reply.value for reading in read for reply in reading.replies):
        yield read[0].finding(RUNS, read[0].tell_silence(), read[0].wrong or 0)
        return
    yield from _find_lost(trial, wrong)
    for aspect, where in (("order", "early"), ("once", "again"), ("prompt", "late")):
        first = next((reading for reading in wrong if getattr(reading, where) is not None), None)
        if first is not None:
            yield getattr(first, f"find_{where}")(aspect)


def find_shared(trial: Any, reading: Reading) -> Finding | None:
    """Return the finding for a class whose objects have something in common, so that alone it answers otherwise."""
    alone = Reading(reading.seed, reading.node, reading.arrivals, trial.alone(reading.script()), reading.first)
    place = reading.wrong
    if alone.wrong is not None or place is None:
        return None
    why = "Do all queues share one list or dictionary? Make it in __init__."
    if _is_right(trial, reading, reading.arrivals):  # beside the one that was asked alone
        why = f"Does it use chance or a clock? Or: {why[0].lower()}{why[1:]}"
    sentence = (
        f"{reading.opening(place)} your queue {reading.tell_returned(place)}; asked anew, alone, it returns "
        f"{numbers(alone.expected[place])}. {why}"
    )
    return msgspec.structs.replace(reading.finding("complete", sentence, place, SHARED), hinted=False)


def _find_lost(trial: Any, wrong: Sequence[Reading]) -> Iterator[Finding]:
    """Find what was received and never delivered, or delivered as something else, and why."""
    strange = next((reading for reading in wrong if reading.strange is not None), None)
    if strange is not None:
        yield strange.find_strange("complete")
        return
    lost = [reading for reading in wrong if reading.lost is not None]
    if not lost:
        return
    thrown = next((reading for reading in lost if reading.thrown_away() is not None), None)
    if _is_right(trial, lost[0], lost[0].with_other_texts()):
        yield lost[0].find_taken_for_copy("complete")
    elif thrown is not None:
        yield thrown.find_thrown_away("complete")
    elif _is_right(trial, lost[0], lost[0].without_copies()):
        yield lost[0].find_lost_to_copy("complete")
    else:
        yield min(lost, key=lambda reading: reading.copies_of_lost()).find_lost("complete")


def _is_right(trial: Any, reading: Reading, arrivals: Sequence[Arrival]) -> bool:
    """Tell whether the class would have been right, had this arrived."""
    [replies] = trial.ask([script_of(arrivals, reading.first)])
    return Reading(reading.seed, reading.node, arrivals, replies, reading.first).wrong is None


class _Logged:
    """The student's queue, with its answers written down."""

    def __init__(self, queue: Any) -> None:
        self.queue = queue
        self.replies: list[Reply] = []

    def receive(self, number: int, message: Message) -> Any:
        """Pass on the question and the answer."""
        try:
            answer = self.queue.receive(number, message)
        except Exception as error:
            self.replies.append(Reply(error=str(error)))
            raise
        self.replies.append(Reply(list(answer)))
        return answer


def _judge_together(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """Play some seeds live: three queues that each are right may still share something, while all three are at work."""
    for seed in seeds:
        logs = [_Logged(trial.cls()) for _ in range(3)]
        queues = iter(logs)
        world = world_of(seed, total_order(lambda queues=queues: next(queues)))
        for node, (log, arrived) in enumerate(zip(logs, arrivals_of(seed), strict=True), 1):
            reading = Reading(seed, node, arrived, log.replies)
            if (call := reading.wrong) is not None:
                sentence = (
                    f"{reading.opening(call)} your queue {reading.tell_returned(call)}; alone it returns "
                    f"{numbers(reading.expected[call])}. Do all queues share one list or dictionary? "
                    "Make it in __init__."
                )
                finding = reading.finding("complete", sentence, call, SHARED)
                yield msgspec.structs.replace(finding, trace=world.trace.encode())
                return


def _judge_first(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """A queue made later begins in the middle: what comes before its first number is none of its business."""
    plays = [(seed, 2 + seed % 6, arrivals_of(seed)[0]) for seed in seeds]
    replies = trial.ask([script_of(arrived, first) for _, first, arrived in plays])
    for (seed, first, arrived), said in zip(plays, replies, strict=True):
        reading = Reading(seed, 1, arrived, said, first)
        if reading.wrong is not None:
            yield reading.find_first("first")
            return


def load(first: int, last: int) -> CallScript:
    """Return the calls that leave nothing waiting: messages in order, each of 200 bytes."""
    return CallScript(
        tuple(
            Call("receive", (number, Message(number, "ann", f"{number:<200}")))
            for number in range(first, last + 1)
        )
    )  # fmt: skip
