"""The judge of 2.4, the causal queue: nothing is shown before what its sender had been shown, and nothing waits for more.

    complete  every message is shown, once                       causal    none before one that its sender had been shown
    prompt    what waits for nothing is shown by the same call   stamps    a stamp counts the messages that I was shown
    missing   a stamp without an entry has 0 there

What reaches the queues of a seed is written down and played to the class, with the stamps of right queues, so no wrong
answer makes a later call wrong.

Read also `runs` (what reaches them), `reading` (what was answered), `clocks` (2.1 and 2.2), `stage`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from chatsys.isolation.calls import Call, CallScript, Reply
from chatsys.teach.grading.lab import RUNS, Finding
from chatsys.teach.labs.lab02.clocks import CAUSE, SEEN, SHARED
from chatsys.teach.labs.lab02.reading import QueueReading, call_of, named, told, value_of
from chatsys.teach.labs.lab02.runs import QueueCall, Talk, replayed, talk_of
from chatsys.teach.labs.lab02.stage import Message, shown_vector

LIVE = 6
"""So many seeds of a part are played live, with all queues side by side."""

# --- the judge -----------------------------------------------------------------------------------


def judge_queue(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """2.4: complete, causal, prompt, stamps, missing."""
    found = list(judge_talks(trial, [talk_of(seed) for seed in seeds]))
    traces: dict[int, bytes] = {}
    for one in found:
        if one.seed is not None and one.seed not in traces:
            traces[one.seed] = _trace(trial, one.seed)
        yield replace(one, trace=traces.get(one.seed) if one.seed is not None else None)


def _trace(trial: Any, seed: int) -> bytes:
    talk = talk_of(seed)
    replies = trial.ask([talk.script(node) for node in talk.nodes])
    return replayed(seed, dict(zip(talk.nodes, replies, strict=True))).encode()


def judge_talks(trial: Any, talks: Sequence[Talk]) -> Iterator[Finding]:
    """Play what reaches each queue, and yield the first of each thing that is wrong."""
    asked = [(talk, node) for talk in talks for node in talk.nodes]
    replies = trial.ask([talk.script(node) for talk, node in asked])
    wrong = [
        reading for (talk, node), said in zip(asked, replies, strict=True) if not (reading := QueueReading(talk, node, said)).right
    ]  # fmt: skip
    live = [] if wrong else _together(trial, talks[:LIVE])
    wrong = wrong or live
    if not wrong:
        return
    if (shared := _find_shared(trial, wrong[0], bool(live))) is not None:
        yield shared
        return
    whole = [one for one in wrong if not one.talk.sparse]
    if not whole and _is_right_when_full(trial, wrong[0]):
        yield _find_missing(wrong[0])
        return
    if (broken := next((one for one in wrong if one.error is not None), None)) is not None:
        yield _find_error(broken)
        return
    yield from _find_each(trial, wrong)


def _together(trial: Any, talks: Sequence[Talk]) -> list[QueueReading]:
    """Play some runs live, all queues side by side; return what is wrong now: each queue was right alone."""
    for talk in talks:
        queues = {node: trial.cls(node, list(talk.nodes)) for node in talk.nodes}
        said: dict[int, list[Reply]] = {node: [] for node in talk.nodes}
        every = [(one.time, node, one.call(talk.sparse)) for node in talk.nodes for one in talk.calls[node]]
        for _, node, call in sorted(every, key=lambda one: one[0]):
            try:
                said[node].append(Reply(getattr(queues[node], call.method)(*call.arguments)))
            except Exception as error:
                said[node].append(Reply(error=str(error)))
                break
        wrong = [one for node in talk.nodes if not (one := QueueReading(talk, node, said[node])).right]
        if wrong:
            return wrong
    return []


def _find_each(trial: Any, wrong: Sequence[QueueReading]) -> Iterator[Finding]:
    if (at_once := _find_at_once(trial, wrong)) is not None:
        yield at_once
        return
    for find in (_find_strange, _find_again, _find_early, _find_late, _find_stamp):
        yield from [found for one in wrong if (found := find(one)) is not None][:1]
    lost = [one for one in wrong if one.lost is not None]
    if lost:
        yield _find_lost(trial, lost[0])


def _find_shared(trial: Any, reading: QueueReading, live: bool) -> Finding | None:
    """Return the finding for a class that is right alone: `live` says that it went wrong beside others."""
    script: CallScript = reading.talk.script(reading.node)
    if not live and trial.ask([script])[0] == list(
        reading.replies
    ):  # what has a history does otherwise the second time
        return None
    alone = QueueReading(reading.talk, reading.node, trial.alone(script))
    if not alone.right:
        return None
    call = next(
        (call for call, (one, other) in enumerate(zip(reading.replies, alone.replies, strict=False)) if one != other), 0
    )
    returned, again = (value_of(one.replies[call].value) for one in (reading, alone))
    story = (
        f"node {reading.node} answered {call_of(reading.arrivals[call].call(False))} with {returned:.40}; alone it answers "
        f"{again:.40}. Do all nodes share one list or dictionary? Make it in __init__"
    )
    return replace(reading.finding(RUNS, call, story, SHARED), hinted=False)


def _is_right_when_full(trial: Any, reading: QueueReading) -> bool:
    [replies] = trial.ask([reading.talk.script(reading.node, leave_out=False)])
    return QueueReading(reading.talk, reading.node, replies).right


def _find_missing(reading: QueueReading) -> Finding:
    calls = [one for one in (reading.error, reading.stamped) if one is not None]
    calls += [one[0] for one in (reading.early, reading.late) if one is not None]
    calls += [reading.ready[reading.lost]] if reading.lost is not None else []
    call = min(calls, default=0)
    reply = reading.replies[call] if call < len(reading.replies) else Reply()
    what = (
        f"raised {reply.error}"
        if reply.error is not None
        else f"returned {value_of(reply.value)}, right is {value_of(reading.expected[call])}"
    )
    story = (
        f"{call_of(reading.arrivals[call].call(True))} at node {reading.node}: your class {what}. A missing entry is 0"
    )
    return reading.finding("missing", call, story, CAUSE)


def _find_error(reading: QueueReading) -> Finding:
    call = reading.error
    assert call is not None
    reply, what = reading.replies[call], call_of(reading.arrivals[call].call(reading.talk.sparse))
    wanted = "a dictionary" if reading.arrivals[call].message is None else "a list of messages, [] for none"
    did = (
        f"your class raised {reply.error}" if reply.error is not None else f"it returned {reply.wrong}; return {wanted}"
    )
    return reading.finding(RUNS, call, f"{what} at node {reading.node} ({reading.at(call)}): {did}")


def _find_strange(reading: QueueReading) -> Finding | None:
    if reading.strange is None:
        return None
    call, message = reading.strange
    story = f"node {reading.node} showed {named(message)} at {reading.at(call)} as {message!r:.60}, which never arrived like that"
    return reading.finding("complete", call, story)


def _find_again(reading: QueueReading) -> Finding | None:
    if reading.again is None:
        return None
    call, message = reading.again
    first = reading.shown[message.sender, message.number]
    story = f"node {reading.node} showed {told(message)} at {reading.at(first)} and again at {reading.at(call)}; it came once"
    return reading.finding("complete", call, story, CAUSE)


def _find_early(reading: QueueReading) -> Finding | None:
    """Shown before what its sender had been shown."""
    if reading.early is None:
        return None
    call, message, (node, number) = reading.early
    first = f"{node}.{number}"
    came = reading.came.get((node, number))
    if came is not None and came < call:
        where = f"{first} had come at {reading.at(came)} and was not shown yet"
    else:
        where = f"{first} was still on its way"
    knew = "said that before" if node == message.sender else f"had been shown {first} before it said {named(message)}"
    story = (
        f"node {reading.node} showed {told(message)} at {reading.at(call)}, while {where}: node {message.sender} {knew}"
    )
    return reading.finding("causal", call, story, CAUSE)


def _find_at_once(trial: Any, wrong: Sequence[QueueReading]) -> Finding | None:
    """Return the finding for a class that holds nothing back, whatever it is that a message has to wait for."""
    early = next((found for one in wrong if (found := _find_early(one)) is not None), None)
    if early is None:
        return None
    alone = (Message(1, 2, "ok"), {1: 2, 2: 0, 3: 0}), (Message(2, 1, "ok"), {1: 1, 2: 1, 3: 0})
    replies = trial.ask([directed([one]).script(3) for one in alone])
    if not all(said[0].right and len(said[0].value) == 1 for said in replies):
        return None
    return replace(early, sentence=f"{early.sentence.removesuffix('.')}. Nothing was held back.")


def _find_late(reading: QueueReading) -> Finding | None:
    """Shown later than it could have been."""
    if reading.late is None:
        return None
    ready, message, call = reading.late
    waited = reading.arrivals[call].time - reading.arrivals[ready].time
    came = reading.came[message.sender, message.number]
    others = next((one for one in reading.replies[call].value if one != message), None)
    if ready == came:
        why = f"all that node {message.sender} had been shown was shown here when it came"
    else:
        why = f"the last one that it waited for came at {reading.at(ready)}"
    for_whom = f" for {named(others)}" if others is not None and ready == came else ""
    story = f"{told(message)} waited {waited:.2f} s{for_whom} at node {reading.node}, until {reading.at(call)}: {why}"
    return reading.finding("prompt", ready, story, CAUSE)


def _find_stamp(reading: QueueReading) -> Finding | None:
    call = reading.stamped
    if call is None:
        return None
    said, right, me = reading.replies[call].value, reading.counted, reading.node
    node = next(one for one in sorted({*said, *right}) if said.get(one, 0) != right.get(one, 0))
    if node == me:
        what = f"entry {me} is {said.get(me, 0)}, and this is message {right.get(me, 0)} of node {me}"
    else:
        what = f"entry {node} is {said.get(node, 0)}, and this node has shown {right.get(node, 0)} of node {node}"
    return reading.finding(
        "stamps", call, f"the stamp of node {me} at {reading.at(call)} is {shown_vector(said)}: {what}", CAUSE
    )


def _find_lost(trial: Any, reading: QueueReading) -> Finding:
    assert reading.lost is not None
    message, ready = reading.message(reading.lost), reading.ready[reading.lost]
    came = reading.came[reading.lost]
    story = f"node {reading.node} never showed {told(message)}"
    if came != ready:
        why = f"it came at {reading.at(came)}, and the last one that it waited for at {reading.at(ready)}"
        return reading.finding("complete", ready, f"{story}: {why}", SEEN)
    if (cause := _why_lost(trial, reading, message)) is not None:
        return reading.finding("complete", ready, f"{story}: it came at {reading.at(came)}, and {cause}", CAUSE)
    why = f"when it came at {reading.at(came)}, all that node {message.sender} had been shown was shown here"
    return reading.finding("complete", ready, f"{story}: {why}", SEEN)


def _why_lost(trial: Any, reading: QueueReading, message: Message) -> str | None:
    """Return why a message that waited for nothing was never shown, where the run shows it."""
    place, me = (message.sender, message.number), reading.node
    before = [one for one, call in reading.came.items() if call < reading.came[place]]
    twin = next((one for one in before if _is_twin(reading, one, message)), None)
    if twin is not None and _is_shown_with_other_texts(trial, reading):
        return f"{twin[0]}.{twin[1]}, which waited then, has the same text: that is another message"
    behind = next((one for one in before if one not in reading.shown and reading.needs(one, place)), None)
    if behind is not None:
        return f"{behind[0]}.{behind[1]}, which came before it and waits for it, was not shown either"
    answered = [bool(reading.stamps[one].get(me, 0)) for one in reading.shown]
    if reading.stamps[place].get(me, 0) and not any(answered):
        return f"its sender had been shown {reading.stamps[place][me]} of the lines of node {me}, which has been shown its own, too"
    return None


def _is_shown_with_other_texts(trial: Any, reading: QueueReading) -> bool:
    """Tell whether nothing would be lost if no two lines had the same text."""
    calls = [
        one if one.message is None else replace(one, message=replace(one.message, text=f"{named(one.message)} {turn}"))
        for turn, one in enumerate(reading.arrivals)
    ]
    other = replace(reading.talk, calls={**reading.talk.calls, reading.node: calls})
    return QueueReading(other, reading.node, trial.ask([other.script(reading.node)])[0]).lost is None


def _is_twin(reading: QueueReading, place: tuple[int, int], message: Message) -> bool:
    """Tell whether another line of the same sender, with the same text, was waiting when this one came."""
    other, came = reading.message(place), reading.came[message.sender, message.number]
    waited = reading.shown.get(place, came) >= came
    return waited and (other.sender, other.text) == (message.sender, message.text)


# --- memory --------------------------------------------------------------------------------------


def load(first: int, last: int) -> CallScript:
    """Return the calls that leave nothing waiting: messages of node 2 in order, each of 200 bytes."""
    calls = [
        Call("receive", (2, {1: 0, 2: number, 3: 0}, Message(2, number, f"{number:<200}")))
        for number in range(first, last + 1)
    ]
    return CallScript(tuple(calls), (1, [1, 2, 3]))


def directed(
    order: Sequence[tuple[Message, dict[int, int]]], node: int = 3, nodes: tuple[int, ...] = (1, 2, 3)
) -> Talk:
    """Return a talk in which these messages reach one queue in this order, a tenth of a second apart."""
    calls = [QueueCall(turn / 10, message, stamp) for turn, (message, stamp) in enumerate(order, 1)]
    return Talk(None, nodes, {one: calls if one == node else [] for one in nodes}, False)
