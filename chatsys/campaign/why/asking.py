"""Asking: why was this message not delivered at that node before that moment; why was it, and what took long.

    why_not(world, 7, node=3, before=9.0)
      --> the first obligation that is missing then, since when, what lay over that wait             from the trace
      --> the same run without those faults: what must go so that it comes, and when it comes then   only in a simulation

Promises  in a simulation what is blamed is tried; of other runs it says "probably".
Read also `obligations` (what a message owes), `trying` (the runs without a fault), `broken` (why a rule was broken).
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral
from typing import Any

from chatsys.campaign.why.answer import Answer
from chatsys.campaign.why.broken import alone, why_broken
from chatsys.campaign.why.chain import Fulfilled, in_vain, of_chat, of_frames
from chatsys.campaign.why.frames import Frames, Same, frame_owed, sent
from chatsys.campaign.why.lasting import Lasting
from chatsys.campaign.why.obligations import Obligations
from chatsys.campaign.why.owed import Owed, not_yet
from chatsys.campaign.why.scene import Scene
from chatsys.campaign.why.smallest import Smallest
from chatsys.campaign.why.spoken import Spoken, find
from chatsys.campaign.why.trying import Trying
from chatsys.campaign.why.whereabouts import Whereabouts
from chatsys.campaign.why.words import all_over, at, lasted, listed, named, node, sentence
from chatsys.check import Violation
from chatsys.errors import UsageError
from chatsys.faults.arguments import check_seconds
from chatsys.trace import Record, trace_of

SECONDS = 20.0
"""So long may be tried, in seconds of computing: what is answered does not depend on what else the machine does."""
LONGER = 20.0
"""So long, in seconds of virtual time, is waited behind the moment for what comes without any fault."""


def why_not(
    given: Any, what: Any, node: int | None = None, before: float | None = None, *, seconds: float = SECONDS
) -> Answer:
    """Say why a message was not delivered at `node` (the first that lacks it) before `before` (the end of the run).

    `what` names the message: its number, its text, or its client and number there; or a frame, by its id.  A world or run
    of the simulator is tried without faults, for at most `seconds` of computing (0: not at all).
    Raises `UsageError` if there is no such message, node or moment.
    """
    return Question(given, seconds).why_not(what, node, before)


def why(given: Any, what: Any = None, node: int | None = None, *, seconds: float = SECONDS) -> Answer:
    """Say what was done for a message when until it was delivered at `node` (where it came last), and what took longest.

    With a violation, `why(world, violation)` says what led to it, and without which faults the rule holds.
    Raises `UsageError` if there is no such message or node, or if the violation is of another run.
    """
    check_seconds("why", seconds)
    if isinstance(given, Violation) and what is None:
        return alone(given)
    if isinstance(what, Violation):
        return why_broken(given, what, seconds)
    return Question(given, 0.0).why(what, node)


class Question:
    """A run that is asked about, perhaps many times: it is read once."""

    def __init__(self, given: Any, seconds: float = SECONDS) -> None:
        check_seconds("why_not", seconds)
        self.scene = Scene(trace_of(given))
        self.trying = Trying(given, seconds)

    def why_not(self, what: Any, node: int | None = None, before: float | None = None) -> Answer:
        """Answer as `why_not` does."""
        scene, trying = self.scene, self.trying
        until = _moment(trying.end, before)
        node = _check_node(scene, node)
        spoken = find(scene.trace, what, node, trying.says)
        me, owed = self.owed(spoken, node, until)
        if owed.missing is None or owed.too_early:
            return Answer(
                sentences=tuple(owed.sentences), missing=owed.missing, since=owed.since, until=until,
                events=tuple(owed.events),
            )  # fmt: skip
        over = [one for one in trying.faults if one.lies_over(owed.since, until)]
        likely = [
            one for one in over
            if one.touches(owed.nodes, owed.links) or (owed.everything and one.concerns(owed.nodes))
        ]  # fmt: skip
        return self._answer(_Case(spoken, me, until, owed, likely))

    def owed(self, spoken: Spoken, node: int | None, until: float) -> tuple[Any, Owed]:
        """Return the node that is asked about, and what is missing there."""
        if spoken.frame is not None:
            return sent(self.scene, spoken).peer, frame_owed(self.scene, spoken, until)
        scene = self.scene
        if (owed := not_yet(scene, spoken, until)) is not None:
            return node, owed
        about: Obligations | Frames
        if scene.is_chat:
            about = Obligations(scene, Whereabouts(scene.trace, scene.records, spoken, until), until)
        else:
            about = Frames(scene, spoken, until)
        if node is not None:
            return node, about.owed(node)
        found = [(one, about.owed(one)) for one in scene.members]
        if not found:
            raise UsageError("This trace has no nodes, so nobody can lack a message.")
        return next(((one, owed) for one, owed in found if owed.missing is not None), found[-1])

    def why(self, what: Any, node: int | None = None) -> Answer:
        """Answer as `why` does."""
        scene, trying = self.scene, self.trying
        node = _check_node(scene, node)
        spoken = find(scene.trace, what, node, trying.says)
        if spoken.frame is not None:
            return self.why_not(what)
        facts = Whereabouts(scene.trace, scene.records, spoken, trying.end)
        came = [r.node for r in scene.records if r.kind == "deliver" and spoken.is_in(r)]
        me = node if node is not None else came[-1] if came else None
        done = of_chat(scene, facts, me) if scene.is_chat else of_frames(scene, spoken, me)
        if not done or done[-1].name != "delivered":
            return self.why_not(what, node)
        return self._chain(spoken, done, in_vain(scene, facts))

    def _chain(self, spoken: Spoken, done: Sequence[Fulfilled], more: Sequence[str]) -> Answer:
        """Tell the chain, and what of it took longest."""
        times = [self.scene.times[one.event] for one in done]
        told = listed(f"{one.told} at {at(time)}" for one, time in zip(done, times, strict=True))
        sentences = [f"{sentence(str(spoken))} was {told}."]
        since, until = times[0], times[-1]
        if len(done) > 1:
            last = max(range(1, len(done)), key=lambda place: times[place] - times[place - 1])
            since, until = times[last - 1], times[last]
            sentences.append(f"The longest wait, {lasted(until - since)}, was the one until it was {done[last].told}.")
        over = [one for one in self.trying.faults if one.lies_over(since, until)]
        if over:
            sentences.append(f"Over that time lay: {all_over(over)}.")
        sentences += more
        return Answer(
            sentences=tuple(sentences),
            since=since,
            until=until,
            events=tuple(one.event for one in done),
            faults=tuple(one.fault for one in over),
        )

    # --- the answer -----------------------------------------------------------------------

    def _answer(self, case: "_Case") -> Answer:
        owed = case.owed
        answer = {
            "missing": owed.missing,
            "since": owed.since,
            "until": case.until,
            "events": tuple(sorted(set(owed.events))),
            "faults": tuple(one.fault for one in case.likely),
        }
        if self.trying.again is None:
            return Answer(sentences=(*owed.sentences, *self._not_tried(case.likely)), **answer)  # type: ignore[arg-type]
        found = self.trying.search(case.comes(self.scene), case.until, case.likely)
        needed = None if found.best is None else tuple(one.fault for one in self.trying.of(found.best))
        told, record = self._tried(case, found)
        lay = [f"Meanwhile, {all_over(case.likely)}."] if case.likely else []
        return Answer(
            sentences=(*owed.sentences, *lay, *told),
            needed=needed,
            comes=None if record is None else record.time,
            tried=found.finished or found.best is not None,
            runs=len(found.known),
            **answer,  # type: ignore[arg-type]
        )

    def _not_tried(self, likely: Sequence[Lasting]) -> list[str]:
        told = (
            [f"Probably because of this: {all_over(likely)}."]
            if likely
            else ["No fault is known to lie over this wait."]
        )
        reason = self.trying.reason
        return [*told, *([f"It was not tried without: {reason}."] if reason and likely else [])]

    def _tried(self, case: "_Case", found: Smallest[Record]) -> tuple[list[str], Record | None]:
        """Say what came of the runs without faults."""
        record = found.found
        if record is None:
            return self._no_fault(case, found)
        names = [named(one) for one in self.trying.of(found.best)]
        comes = f"{case.spoken.short} {case.verb} {at(record.time)}"
        if record.msg_no not in (None, case.spoken.number) and case.spoken.number is not None:
            comes += f" (as #{record.msg_no})"
        if len(names) == 1:
            told = [f"Without {names[0]}, {comes}.", *self._or(found)]
        else:
            told = [
                f"Without {listed(names)}, {comes}"
                + ("; if only a part of them is left out, it does not." if found.finished else ".")
            ]
        return (told if found.finished else [*told, "There was no time to try more: fewer might do."]), record

    def _or(self, found: Smallest[Record]) -> list[str]:
        """Name the other single faults without which it comes in time, too."""
        others = {one: when for one, when in found.alone.items() if found.best != frozenset((one,))}
        told = [
            f"{named(one)} (at {at(others[one.step].time)})"
            for one in self.trying.of(frozenset(others))
            if one.step is not None
        ]
        more = f" or {len(told) - 3} more" if len(told) > 3 else ""
        names = ", ".join(told[:3]) if more else listed(told, last="or") if told else ""
        return [f"It also comes without {names}{more}."] if told else []

    def _no_fault(self, case: "_Case", found: Smallest[Record]) -> tuple[list[str], Record | None]:
        """Not even a run without any fault brings it in time; say when it comes then, and what else there is."""
        if not found.finished:
            return ["There was no time to try it without faults; give more seconds."], None
        trying = self.trying
        steps = frozenset(one.step for one in trying.faults if one.step is not None)
        _, record = trying.play(steps, case.until + LONGER, case.comes(self.scene)())
        without = "Even without any fault" if found.known else "There is no fault to blame:"
        if record is not None:
            return [f"{without} it does not come before {at(record.time)}: so long it takes."], record
        own = f" Look at {listed(trying.own)}." if trying.own else ""
        return [f"{without} it does not come by {at(case.until)}, nor in the {LONGER:g} s behind that.{own}"], None


class _Case:
    """One question, as far as the trace answers it."""

    def __init__(self, spoken: Spoken, me: Any, until: float, owed: Owed, likely: Sequence[Lasting]) -> None:
        self.spoken, self.me, self.until, self.owed, self.likely = spoken, me, until, owed, likely
        self.verb = f"arrives at {node(me)} at" if spoken.frame else f"is delivered at {node(me)} at"

    def comes(self, scene: Scene) -> Callable[[], Callable[[Record], bool]]:
        """Return what makes, for each run, what tells whether a record is the one that was waited for."""
        spoken, me = self.spoken, self.me
        if spoken.frame is not None:
            return partial(Same, scene, sent(scene, spoken))
        text = spoken.text if spoken.said is not None else None

        def is_it(record: Record) -> bool:
            if record.kind != "deliver" or record.node != me:
                return False
            return spoken.is_in(record) or (text is not None and (record.text, record.author) == (text, spoken.author))

        return lambda: is_it


def _moment(end: float, before: float | None) -> float:
    if before is None:
        return end
    if isinstance(before, bool) or not isinstance(before, int | float) or not 0 <= before < math.inf:
        raise UsageError(f"before is {before!r:.40}; give seconds since the beginning of the run.")
    return float(min(before, end))


def _check_node(scene: Scene, node: Any) -> int | None:
    """Return the node as the trace writes it."""
    if node is None:
        return None
    if isinstance(node, bool) or not isinstance(node, Integral) or node not in scene.everyone:
        client = any(record.node == node for record in scene.records) if isinstance(node, str) else False
        raise UsageError(
            f"node is {node!r:.40}{', a client, and only nodes deliver' if client else ''}; the nodes of this run are "
            f"{listed(map(str, scene.everyone)) if scene.everyone else 'none'}."
        )
    return int(node)
