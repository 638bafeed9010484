"""Telling: what is wrong at one moment of a run, with its cause where the run shows one.

    nobody leads     who claimed and ordered no Lead; who waits for a COORDINATOR of one that has died; what was done last
    several lead     since when the one of the lower term could have known it
    one leads, not all follow      ... because it was asked in a newer term and stayed in its own
    ... and it is not the highest

Read also `checks`, which asks, and tells what was wrong at no moment but in between.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from chatsys.isolation.calls import Call
from chatsys.teach.labs.lab05.orders import Coordinator, Follow, Lead, Ok, Send, Wait, cut_to
from chatsys.teach.labs.lab05.runs import AskedCall, ElectionRun, Moment
from chatsys.trace import Record

SHARED, DOUBLE, BACK, CAUSE, HEARD, SEEN = 6, 5, 4, 3, 2, 1
"""How much a sentence explains: the highest rank is told first."""


class Told(NamedTuple):
    """What a finding says, and at which node and when it shows."""

    aspect: str
    sentence: str
    node: Any
    rank: int
    time: float | None = None


def tell_moment(run: ElectionRun, moment: Moment) -> Told | None:
    """Return what is wrong at this moment: not exactly one leader whom all follow, or not the highest; None if all is well."""
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
            return None
    return Told(moment.aspect, f"{after} {story}", node, rank, moment.time)


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
    called = f"nobody led. The last call of node {node} was {cut_to(last.call, 32)} at {last.time:.2f} s"
    if not _goes_on(calls):
        return f"{called}, and it has ordered no Wait: nothing wakes it.", node, CAUSE
    return f"{called}; it returned {cut_to(last.returned, 24)}.", node, SEEN


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
    if (newer := _seen(run, node, moment.time)) > term:
        asked = [one for one in run.world.trace.of("receive") if one.node == leader and one.message == "ELECTION"]
        late = next((one for one in asked if one.term > term and one.time <= moment.time), None)
        stayed = (
            f" Node {leader} was asked with term {late.term} at {late.time:.2f} s, and stayed in its own."
            if late
            else ""
        )
        story = f"node {leader} led term {term}, and node {node} {does}: it had seen term {newer}.{stayed}"
        return story, leader if late else node, CAUSE
    heard = _heard(run, node, leader, term, moment.time)
    when = f"; it had heard of it at {heard:.2f} s" if heard is not None else ""
    return f"node {leader} led term {term}, and node {node} {does}{when}.", node, HEARD if when else SEEN


def _seen(run: ElectionRun, node: int, until: float) -> int:
    """Return the highest term that a node had seen."""
    kept = [one for one in run.world.trace.of("append") if one.node == node and one.message == "KEPT"]
    return max((one.entry_term or 0 for one in kept if one.time <= until), default=0)


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
