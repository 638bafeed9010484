"""The judge of 5.1, the election: live, since what a class orders decides what arrives next.

    unique    two nodes led one term                                 looked for among all that was noted
    forward   a node led or followed in a smaller term than before
    one       not exactly one leader, whom all others follow         at the moments that the run wrote down
    highest   ... or it is not the highest node that is up

Each finding names the cause where the run shows one: the message after which a node should have acted, and did not.

Read also `runs` (what happens in a seed), `stage` (the actor), `grading.judging` (points).
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from chatsys.isolation.calls import Call, CallScript
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.lab05.orders import Coordinator, Follow, Lead, Ok, Send, Wait
from chatsys.teach.labs.lab05.runs import AskedCall, ElectionRun, Moment, play_seed
from chatsys.teach.labs.lab05.stage import why_stopped
from chatsys.trace import Record

SHARED, DOUBLE, BACK, CAUSE, SEEN = 5, 4, 3, 2, 1
"""How much a sentence explains: the highest rank is told first."""
BEFORE, BEYOND = 14, 2
"""So many calls before and after the one in question are shown."""


def judge_election(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """5.1: highest, one, forward, unique."""
    for place, seed in enumerate(seeds):
        run = play_seed(trial.cls, seed)
        for finding in judge_run(run, seed):
            yield finding
            if finding.aspect == RUNS:
                return
        if place == len(seeds) - 1:  # by now, what objects share has a history
            yield from _find_shared(trial, run, seed)


def judge_run(run: ElectionRun, seed: int | None = None) -> Iterator[Finding]:
    """Yield what is wrong in one run, the cause before the effect."""
    if run.world.failures:
        yield _told(run, seed, _Story(RUNS, _tell_failure(run), run.world.failures[0][0], SEEN))
        return
    if run.endless:
        sentence = f"{run.name} the nodes sent messages without end: {run.endless[0]}"
        yield _told(run, seed, _Story(RUNS, sentence, None, SEEN))
        return
    yield from _find_double(run, seed)
    yield from _find_back(run, seed)
    for moment in run.moments:
        yield from _find_wrong(run, seed, moment)


def _tell_failure(run: ElectionRun) -> str:
    node, why = run.world.failures[0]
    time = next(record.time for record in run.world.trace.of("broken") if record.node == node)
    return f"{run.name} node {node} stopped at {time:.2f} s, because {why_stopped(why)}."


# --- nodes are machines of their own ----------------------------------------------------------


def _find_shared(trial: Any, run: ElectionRun, seed: int) -> Iterator[Finding]:
    """Ask the object that was asked most once more, where there is no other one: it must answer the same."""
    life = max(run.lives, key=lambda life: len(life.calls))
    replies = trial.alone(CallScript(tuple(call.asked for call in life.calls), life.made))
    for place, call in enumerate(life.calls):
        again = AskedCall(life.node, call.time, call.asked, replies[place].value if place < len(replies) else None)
        if _without_seconds(again) != _without_seconds(call):
            sentence = (
                f"{run.name} node {life.node} answered {call.call:.50} at {call.time:.2f} s with {call.returned:.50}, and alone, "
                f"with no other node beside it, {again.returned:.50}. Do all nodes share a list, a dictionary or a number?"
            )
            yield replace(_told(run, seed, _Story("one", sentence, life.node, SHARED, call.time)), hinted=False)
            return


def _without_seconds(call: AskedCall) -> list[Any]:
    """Return the orders; how long somebody waits may be drawn by chance."""
    return [Wait(0.0) if isinstance(one, Wait) else one for one in call.answer or ()]


# --- safety: what was noted ------------------------------------------------------------------


def _find_double(run: ElectionRun, seed: int | None) -> Iterator[Finding]:
    """Two nodes led one term."""
    led: dict[int, Record] = {}
    for record in run.world.trace.of("lead"):
        first = led.setdefault(record.term, record)
        if first.node == record.node:
            continue
        known = {_known_before(run, one) for one in (first, record)}
        counted = f" Both counted {record.term - 1} + 1." if known == {record.term - 1} else ""
        sentence = (
            f"{run.name} node {first.node} and node {record.node} both led term {record.term}: node {first.node} from "
            f"{first.time:.2f} s on, node {record.node} from {record.time:.2f} s on.{counted} How can two nodes never "
            "come to the same number?"
        )
        yield _told(run, seed, _Story("unique", sentence, record.node, DOUBLE, record.time))
        return


def _known_before(run: ElectionRun, lead: Record) -> int:
    """Return the highest term that a node had seen before it claimed this one."""
    kept = [0]
    for record in run.world.trace:
        if record is lead:
            break
        if record.node == lead.node and record.message == "KEPT" and (record.entry_term or 0) < lead.term:
            kept.append(record.entry_term or 0)
    return max(kept)


def _find_back(run: ElectionRun, seed: int | None) -> Iterator[Finding]:
    """A node led or followed in a smaller term than it had led or followed in before, or than its log keeps."""
    newest: dict[Any, int] = {}
    restarted: dict[Any, bool] = {}
    for record in run.world.trace.of("begin", "lead", "follow"):
        if record.kind == "begin":
            restarted[record.node] = record.node in restarted
            newest[record.node] = record.term
            continue
        before = newest[record.node]
        if record.term < before:
            did = "led it" if record.kind == "lead" else f"followed node {record.peer}"
            why = ""
            if restarted[record.node]:
                why = f" `term` said {_begun_with(run, record)} when its last life began."
            sentence = f"{run.name} node {record.node} went back from term {before} to term {record.term} at {record.time:.2f} s, when it {did}.{why}"
            yield _told(run, seed, _Story("forward", sentence, record.node, BACK, record.time))
            return
        newest[record.node] = record.term


def _begun_with(run: ElectionRun, last: Record) -> int:
    begun = [one.term for one in run.world.trace.of("begin") if one.node == last.node and one.time <= last.time]
    return begun[-1]


# --- liveness: what the nodes were at a moment -------------------------------------------------


def _find_wrong(run: ElectionRun, seed: int | None, moment: Moment) -> Iterator[Finding]:
    """There is not exactly one leader whom all follow, or it is not the highest."""
    leaders = sorted(node for node, (role, _, _) in moment.nodes.items() if role == "leader")
    after = f"{run.name}, 6 s after {moment.story},"
    if not leaders:
        story, node, rank = _tell_nobody(run, moment)
    elif len(leaders) > 1:
        story, node, rank = _tell_several(run, moment, leaders)
    else:
        astray = _astray(moment, leaders[0])
        if astray is not None:
            story, node, rank = _tell_astray(run, moment, leaders[0], astray)
        elif moment.aspect == "highest" and leaders[0] != max(moment.nodes):
            story, node, rank = _tell_lower(moment, leaders[0])
        else:
            return
    yield _told(run, seed, _Story(moment.aspect, f"{after} {story}", node, rank, moment.time))


def _tell_nobody(run: ElectionRun, moment: Moment) -> tuple[str, Any, int]:
    """Nobody led: say who claimed and did not lead, who waits for whom, or what was done last."""
    up = sorted(moment.nodes, reverse=True)
    for node in up:
        if (claim := _claim_without_lead(run, node, moment.time)) is not None:
            story = f"nobody led. Node {node} sent a COORDINATOR of term {claim.term} at {claim.time:.2f} s and ordered no Lead({claim.term})."
            return story, node, CAUSE
    for node in up:
        if (waits := _waits_for_the_dead(run, node, moment)) is not None:
            return waits, node, CAUSE
    node = up[0]
    calls = [call for call in run.of(node) if call.time <= moment.time]
    if not calls:
        return f"nobody led, and node {node} was never called.", node, SEEN
    last = calls[-1]
    why = "" if _goes_on(calls) else " It ordered no Wait, so nothing wakes it."
    did = f"{last.call:.50} at {last.time:.2f} s, and it returned {last.returned:.60}"
    return f"nobody led. The last call of node {node} was {did}.{why}", node, CAUSE if why else SEEN


def _claim_without_lead(run: ElectionRun, node: int, until: float) -> Record | None:
    mine = [one for one in run.world.trace.of("send") if one.node == node and one.time <= until]
    claims = [one for one in mine if one.message == "COORDINATOR"]
    led = {one.term for one in run.world.trace.of("lead") if one.node == node}
    return next((one for one in claims if one.term not in led), None)


def _waits_for_the_dead(run: ElectionRun, node: int, moment: Moment) -> str | None:
    """Say so if this node was answered OK by one that crashed, and has done nothing since."""
    calls = [call for call in run.of(node) if call.time <= moment.time]
    place = max((place for place, call in enumerate(calls) if _is_ok(call)), default=None)
    if place is None or any(
        isinstance(one, Send | Lead | Follow) for call in calls[place:] for one in call.answer or ()
    ):
        return None
    answered, whom = calls[place], calls[place].asked.arguments[0]
    died = [one for one in run.world.trace.of("crash") if one.node == whom and one.time >= answered.time]
    if whom in moment.nodes or not died:
        return None
    return (
        f"nobody led. Node {whom} answered OK at {answered.time:.2f} s and crashed at {died[0].time:.2f} s; node {node} "
        "waited for its COORDINATOR ever after."
    )


def _is_ok(call: AskedCall) -> bool:
    return call.asked.method == "receive" and isinstance(call.asked.arguments[1], Ok)


def _goes_on(calls: Sequence[AskedCall]) -> bool:
    """Tell whether the newest order that says what a node does lets it be called again."""
    orders = [one for call in calls for one in call.answer or () if isinstance(one, Wait | Lead | Follow)]
    begun = max((place for place, call in enumerate(calls) if call.asked.method in ("suspect", "wake")), default=-1)
    since = [one for call in calls[begun:] for one in call.answer or () if isinstance(one, Wait | Lead | Follow)]
    return bool(since) if begun >= 0 else bool(orders)


def _tell_several(run: ElectionRun, moment: Moment, leaders: Sequence[int]) -> tuple[str, Any, int]:
    """Several led: say since when the one of the smaller term could have known it."""
    low, high = sorted(leaders, key=lambda node: moment.nodes[node][1])[:: len(leaders) - 1]
    low_term, high_term = moment.nodes[low][1], moment.nodes[high][1]
    heard = _heard(run, low, high, high_term, moment.time)
    if heard is not None and low_term < high_term:
        story = f"nodes {low} and {high} both led. Node {low} had heard of term {high_term} at {heard:.2f} s and still led term {low_term}."
        return story, low, CAUSE
    return f"node {low} led term {low_term}, and node {high} led term {high_term}.", low, SEEN


def _astray(moment: Moment, leader: int) -> int | None:
    """Return a node that does not follow the only leader."""
    term = moment.nodes[leader][1]
    wrong = (n for n, (_, own, whom) in sorted(moment.nodes.items()) if n != leader and (whom, own) != (leader, term))
    return next(wrong, None)


def _tell_astray(run: ElectionRun, moment: Moment, leader: int, node: int) -> tuple[str, Any, int]:
    _, own, whom = moment.nodes[node]
    term = moment.nodes[leader][1]
    does = f"followed node {whom} in term {own}" if whom is not None else "followed nobody"
    heard = _heard(run, node, leader, term, moment.time)
    when = f"; it had heard of it at {heard:.2f} s" if heard is not None else ""
    return f"node {leader} led term {term}, and node {node} {does}{when}.", node, CAUSE if when else SEEN


def _tell_lower(moment: Moment, leader: int) -> tuple[str, Any, int]:
    highest = max(moment.nodes)
    story = (
        f"node {leader} led term {moment.nodes[leader][1]}, and node {highest}, which is higher and up, followed it."
    )
    return story, highest, SEEN


def _heard(run: ElectionRun, node: int, of: int, term: int, until: float) -> float | None:
    """Return when a node was first told of this leader in this term."""
    told = Call("receive", (of, Coordinator(term)))
    return next((one.time for one in run.of(node) if one.asked == told and one.time <= until), None)


# --- the story ---------------------------------------------------------------------------------


class _Story(NamedTuple):
    """What a finding says, and at which node and when it shows."""

    aspect: str
    sentence: str
    node: Any
    rank: int
    time: float | None = None


def _told(run: ElectionRun, seed: int | None, story: _Story) -> Finding:
    steps = _steps(run.of(story.node), story.time) if isinstance(story.node, int) else ()
    return Finding(
        aspect=story.aspect, sentence=story.sentence, seed=seed, trace=run.world.trace.encode(), steps=steps, rank=story.rank
    )  # fmt: skip


def _steps(calls: Sequence[AskedCall], time: float | None) -> tuple[ShownCall, ...]:
    """Return the calls at a node around this time; the last one before it, or one that broke, is marked."""
    if not calls:
        return ()
    marked = len(calls) - 1
    if time is not None:
        marked = max((place for place, call in enumerate(calls) if call.time <= time), default=0)
    return tuple(
        ShownCall(call=call.call, returned=call.returned, when=f"{call.time:.2f} s", wrong=place == marked)
        for place, call in enumerate(calls)
        if marked - BEFORE <= place <= marked + BEYOND
    )
