"""Broken: why a rule was broken: what happened before, who led, what was done to the run, and without what it holds.

    why(world, check(world)[0])
      --> the sentence; the events that its story rests on; the leaders and faults until then       from the trace
      --> the same run without those faults: is the rule still broken?                              only in a simulation

A rule that is broken even if no fault happens is broken by the design (a quorum that is none) or by somebody's class.
A law of liveness holds in a run without a fault if it holds from the same moment on, which the violation says.

Promises  what it says of the runs without a fault was seen in them, up to the moment at which this run ended.
Read also `check` (the rules), `asking` (why a message did not come), `campaign.shrink` (the shortest run that breaks it).
"""

from collections.abc import Sequence
from typing import Any

from chatsys.campaign.liveness import stopped, unwell
from chatsys.campaign.why.answer import Answer
from chatsys.campaign.why.lasting import Lasting
from chatsys.campaign.why.scene import Scene
from chatsys.campaign.why.smallest import Smallest
from chatsys.campaign.why.trying import Trying
from chatsys.campaign.why.words import all_over, at, listed, named, node, sentence
from chatsys.check import SAFETY, Violation, check, check_frames
from chatsys.check.liveness import LAWS, check_live
from chatsys.check.quiescence import check_rest
from chatsys.check.violation import name_entry, quote
from chatsys.errors import UsageError
from chatsys.sim.world import World
from chatsys.trace import Record, trace_of

LONGER = 100.0
"""So many seconds of virtual time a run goes on in which a law of liveness cannot be told yet."""
MOST = 6
"""So many events, and so many leaders, are told."""


def told(record: Record) -> str:
    """Say what one record is, without a capital and without a stop."""
    who, when = node(record.node), f"at {at(record.time)}"
    match record.kind:
        case "deliver":
            return f"{when} {who} delivered {quote(record.text)} as #{record.msg_no}, at place {record.seq} of the log"
        case "append":
            return f"{when} {who} wrote {name_entry(record)} at place {record.seq} of the log"
        case "ack":
            return f"{when} {who} was told that {quote(record.text)} is safe, as #{record.msg_no}"
        case "commit":
            return f"{when} {who} called its log committed up to place {record.seq}"
        case "truncate":
            return f"{when} {who} threw away its log from place {record.seq} on"
        case "durable":
            return f"{when} the disk of {who} held its log up to place {record.seq}"
        case "lead":
            return f"{when} {who} became leader of term {record.term}"
        case "role":
            return f"{when} {who} became {record.role} in term {record.term}"
        case "submit":
            return f"{when} {who} said {quote(record.text)} to {node(record.peer)}"
        case "stand_down":
            return f"{when} {who} was told to stop"
        case "promise":
            return f"{when} {who} promised term {record.term} to {node(record.peer)}"
        case "learner":
            return f"{when} {who} read that learner {record.peer} is {record.reason}"
        case "crash" | "start" | "restart" | "stop" | "pause" | "resume":
            return f"{when} {who}: {record.kind}"
    return f"{when} {who}: {record.kind}" + (f" {record.message}" if record.message else "")


def story(violation: Violation) -> list[str]:
    """Return the events that a violation rests on, in order, if its sentence does not name their moments itself."""
    records = [
        record for record in sorted(violation.records, key=lambda record: record.time)
        if at(record.time) not in violation.sentence and record.kind != "lead"
    ]  # fmt: skip
    return [f"It rests on this: {'; '.join(map(told, records[-MOST:]))}."] if records else []


def _said(violation: Violation) -> list[str]:
    """Return the plain sentence and the exact one."""
    return (
        [violation.sentence]
        if violation.plain in violation.sentence
        else [violation.plain, f"Exactly: {violation.sentence}"]
    )


def alone(violation: Violation) -> Answer:
    """Say what a violation tells by itself."""
    return Answer(
        sentences=(*_said(violation), *story(violation), "Give the run too, and it is tried: why(world, violation)."),
        until=violation.time,
    )


def why_broken(given: Any, violation: Violation, seconds: float) -> Answer:
    """Say what led to a broken rule, and without which faults it holds."""
    _check_same_run(given, violation)
    scene, trying = Scene(trace_of(given)), Trying(given, seconds if violation.invariant in _JUDGED else 0)
    until = trying.end if violation.invariant in LAWS else violation.time
    before = [one for one in trying.faults if one.fault.time <= until]
    reigns = [reign for reign in scene.reigns if reign.begin <= until][-MOST:]
    sentences = [*_said(violation), *story(violation)]
    if reigns:
        led = listed(f"{node(reign.node)} from {at(reign.begin)} in term {reign.term}" for reign in reigns)
        sentences.append(f"Who led until then: {led}.")
    sentences.append(
        f"Until then this was done to the run: {all_over(before)}." if before else "No fault happened before."
    )
    reason = trying.reason or _cannot_be_judged(trying, violation)
    if not trying.again or reason:
        sentences += [f"It was not tried without: {reason}."] if reason and before else []
        return _answer(scene, violation, sentences, before)
    found = _search(trying, violation, trying.end, before)
    sentences += _outcome(trying, violation, found)
    needed = None if found.best is None else tuple(one.fault for one in trying.of(found.best))
    answer = _answer(scene, violation, sentences, before)
    return Answer(
        sentences=answer.sentences, until=until, events=answer.events, faults=answer.faults,
        needed=needed, tried=found.finished or needed is not None, runs=len(found.known),
    )  # fmt: skip


def _check_same_run(given: Any, violation: Violation) -> None:
    """Refuse a violation of another run: its story would be told with the faults of this one."""
    trace = trace_of(given)
    mine = {(record.time, record.kind, record.node) for record in violation.records}  # their lives may be renumbered
    if trace.meta.get("where") == "sim" and mine and not any((r.time, r.kind, r.node) in mine for r in trace):
        raise UsageError("This violation is of another run; give the world or the run in which it was found.")


def _answer(scene: Scene, violation: Violation, sentences: Sequence[str], before: Sequence[Lasting]) -> Answer:
    mine = set(violation.records)
    events = tuple(event for event, record in enumerate(scene.records) if record in mine)
    return Answer(
        sentences=tuple(sentences), until=violation.time, events=events, faults=tuple(one.fault for one in before)
    )


_JUDGED = (*SAFETY, *LAWS, "broken", "frames")
"""What can be judged of any run of a world."""


def _cannot_be_judged(trying: Trying, violation: Violation) -> str:
    """Return why runs without faults would tell nothing; a law is judged as it was, so it must be broken in this run, too."""
    if violation.invariant not in _JUDGED:
        return f"nobody can judge {violation.invariant!r} in a run that is played again"
    if trying.again is None or violation.invariant not in LAWS:
        return ""
    world, _ = trying.play(frozenset(), trying.end)
    held = _holds(world, violation)
    return "judged once more, the law holds in this run, so it was judged in another way" if held else ""


def _law_holds(world: World, law: str, since: float | None) -> bool:
    """Tell whether a law of liveness holds: in the trace from a moment on, or by what the nodes say at the end."""
    if since is not None:
        verdict = check_live(world.trace, since, end=world.now, laws=[law]).verdict
        if verdict == "inconclusive":  # without the fault its time may begin later: let it come to its end
            world.run(LONGER)
            verdict = check_live(world.trace, since, end=world.now, laws=[law]).verdict
        return verdict == "pass"
    if law == "L6":
        return check_rest(world).verdict == "pass"
    return law not in {name for name, _ in unwell(world)}


def _holds(world: World, violation: Violation) -> bool:
    """Tell whether the rule of a violation holds in a world."""
    invariant = violation.invariant
    if invariant in LAWS:
        return _law_holds(world, invariant, violation.since)
    if invariant == "broken":
        return not stopped(world)
    if invariant == "frames":
        return not check_frames(world.trace)
    return not check(world.trace, [invariant])


def _search(trying: Trying, violation: Violation, end: float, before: Sequence[Lasting]) -> Smallest[World]:
    def tries(without: frozenset[int]) -> World | None:
        world, _ = trying.play(without, end)
        return world if _holds(world, violation) else None

    found = Smallest(trying.bounded(tries), trying.seconds, lambda world: -world.now)
    found.search([], [one.step for one in before if one.step is not None])
    return found


def _outcome(trying: Trying, violation: Violation, found: Smallest[World]) -> list[str]:
    """Say what came of the runs without faults."""
    rule = violation.invariant
    rule = {"broken": "no node stops itself", "frames": "no frames answer each other without end"}.get(
        rule, f"{rule} holds"
    )
    if found.best is not None:
        names = listed(map(named, trying.of(found.best)))
        more = "" if found.finished else " There was no time to try more: fewer might do."
        return [f"Without {names}, {rule}.{more}", *_majority(trying, violation)]
    if not found.finished:
        return ["There was no time to try it without faults; give more seconds."]
    whatever = "even without any fault" if found.known else "no fault is to blame:"
    own = [f"Look at {listed(trying.own)}."] if trying.own else []
    return [sentence(f"{whatever} it is broken in this run."), *_majority(trying, violation), *own]


def _majority(trying: Trying, violation: Violation) -> list[str]:
    """Say what the same faults do to the same run with a quorum that is safe, if two of its quorums need not share a node."""
    members, quorum = len(trying.trace.meta.get("members") or ()), trying.trace.meta.get("quorum") or 0
    if not members or 2 * quorum > members:
        return []
    more = members // 2 + 1
    world, _ = trying.play(frozenset(), trying.end, quorum=more)
    outcome = "holds, with all its faults" if _holds(world, violation) else "is broken, too"
    return [
        f"A quorum of {quorum} of {members} is not safe, for two groups can decide without each other; with a quorum of {more} "
        f"{violation.invariant} {outcome}."
    ]
