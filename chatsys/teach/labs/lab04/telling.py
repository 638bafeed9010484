"""Telling: a wrong answer becomes a sentence, with its cause where one can be found by asking again.

    alone, in a new process                           right?   the detectors have something in common
    with the dates of the beats by one's own clock    right?   a date of another node's clock was used
    without copies and late beats                     right?   an old beat was taken for a sign of life
    without the beats of the other peers              right?   their beats keep this peer alive

What passes names the cause, so that the sentence is about the mistake and not about its first effect.

Read also `checks` (who finds the wrong answers), `reading`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from chatsys.isolation.calls import Call
from chatsys.teach.grading.lab import RUNS, Finding
from chatsys.teach.labs.lab04.reading import TOLERANCE, WatchReading, Wrong, peers
from chatsys.teach.labs.lab04.runs import Watch, replayed
from chatsys.trace import Trace

SHARED, CAUSE, PLAIN = 3, 2, 1
"""How much a sentence explains: the highest rank is told first."""


class Teller:
    """Makes a sentence of a wrong answer: what happened, what the class said, and why."""

    def __init__(self, trial: Any, readings: Sequence[WatchReading], opening: str, trace: Trace | None) -> None:
        self.trial, self.readings, self.opening, self.trace = trial, readings, opening, trace
        self._ever = any(one.ever for one in readings)
        """Whether anybody was suspected at any time."""

    # --- findings --------------------------------------------------------------------------

    def error(self, reading: WatchReading) -> Finding:
        """Tell that the class raised, or returned something else than peers."""
        place = reading.error or 0
        if place < 0:
            story = f"your class raised {reading.replies[0].error} when node {reading.watch.node} made a detector of it"
            return self._finding(RUNS, reading, story, 0)
        watch, reply = reading.watch, reading.replies[place]
        call = watch.calls[place]
        if reply.error is not None:
            what = f"`{call.method}` raised {reply.error} at node {watch.node}"
        else:
            said = reply.wrong or peers(reply.value)
            wanted = peers(set(watch.peers))
            what = f"`suspects` of node {watch.node} has to return a set of peers out of {wanted}, and returned {said}"
        at = watch.time(call.arguments[-1])
        return self._finding(RUNS, reading, f"{what}, at {at:.2f} s", place)

    def never(self, reading: WatchReading) -> Finding:
        """Tell that a peer was suspected at all times."""
        wrong = reading.early
        assert wrong is not None, "who suspects at all times does so too early"
        story = (
            f"node {reading.watch.node} suspected node {reading.never} from {reading.watch.born:.2f} s to the end, at each "
            "beat of it, too: who suspects everybody all the time has noticed nothing"
        )
        return self._finding("complete", reading, story, wrong.call, CAUSE)

    def shared(self, reading: WatchReading) -> Finding | None:
        """Return the finding for a class whose objects have something in common, so that alone it answers otherwise."""
        alone = WatchReading(reading.watch, self.trial.alone(reading.watch.script()))
        wrong = reading.wrong
        if not alone.right or wrong is None:
            return None
        story = self._symmetric(reading, wrong) or f"{self._what(reading, wrong)}; alone, your class is right"
        story = f"{story}. Do all detectors share one list or dictionary?"
        return self._finding("complete", reading, story, wrong.call, SHARED)

    def wrong(self, aspect: str, reading: WatchReading, wrong: Wrong) -> Finding:
        """Tell of one wrong answer, with its cause if it can be found."""
        for why in (self._clocks, self._stale, self._one_deadline, self._never_heard, self._numbers, self._normal):
            if (story := why(aspect, reading, wrong)) is not None:
                return self._finding(aspect, reading, story, wrong.call, CAUSE)
        story = self._what(reading, wrong)
        if not self._ever:
            story += ". In no run does it suspect anybody: use `now`"
        return self._finding(aspect, reading, story, wrong.call, PLAIN)

    # --- causes ----------------------------------------------------------------------------

    def _clocks(self, aspect: str, reading: WatchReading, wrong: Wrong) -> str | None:
        """A date of the sender's clock was compared with one of the own."""
        watch = reading.watch
        own = [_with_date(call, call.arguments[3]) if call.method == "beat" else call for call in watch.calls]
        if not self._is_right(watch, own):
            return None
        sent_at, now = next(((one[2], one[3]) for one in watch.beats() if one[0] == wrong.peer), (0.0, 0.0))
        off = sent_at - now
        return (
            f"{self._what(reading, wrong).partition('; the timeout')[0]}. Node {wrong.peer}'s clock is {abs(off):.0f} s "
            f"{'ahead' if off > 0 else 'behind'}: compare times of one clock"
        )

    def _stale(self, aspect: str, reading: WatchReading, wrong: Wrong) -> str | None:
        """A copy, or a beat that was overtaken, was taken for a sign of life."""
        watch = reading.watch
        newest = dict.fromkeys(watch.peers, 0)
        fresh, last = [], None
        for place, call in enumerate(watch.calls):
            if call.method == "beat" and call.arguments[1] <= newest[call.arguments[0]]:
                last = call if call.arguments[0] == wrong.peer and place < wrong.call else last
                continue
            if call.method == "beat":
                newest[call.arguments[0]] = call.arguments[1]
            fresh.append(call)
        if last is None or not self._is_right(watch, fresh):
            return None
        number, now = last.arguments[1], last.arguments[3]
        return (
            f"{self._event(watch, wrong)}. At {watch.time(now):.2f} s a late copy of its beat {number} came to node "
            f"{watch.node}, whose detector took it for a sign of life: at {watch.time(wrong.now):.2f} s it did not suspect it"
        )

    def _one_deadline(self, aspect: str, reading: WatchReading, wrong: Wrong) -> str | None:
        """Beats of others count for this peer."""
        watch = reading.watch
        only = [call for call in watch.calls if call.method != "beat" or call.arguments[0] == wrong.peer]
        if aspect != "complete" or not self._is_right(watch, only, (wrong.peer,)):
            return None
        others = " and ".join(str(peer) for peer in watch.peers if peer != wrong.peer)
        return (
            f"{self._event(watch, wrong)} and was not suspected by node {watch.node} at {watch.time(wrong.now):.2f} s: "
            f"beats of node {others} kept the only deadline alive"
        )

    def _never_heard(self, aspect: str, reading: WatchReading, wrong: Wrong) -> str | None:
        """Who was never heard was never suspected."""
        watch = reading.watch
        if aspect != "complete" or wrong.beats or wrong.peer in reading.ever or not self._ever:
            return None
        if any(peer == wrong.peer for peer, *_ in watch.beats()):
            return None
        return (
            f"node {watch.node} heard nothing of node {wrong.peer} from the beginning ({watch.born:.2f} s), and never "
            "suspected it: nobody is in your dictionary who was never heard"
        )

    def _numbers(self, aspect: str, reading: WatchReading, wrong: Wrong) -> str | None:
        """Only the very next number was taken for a sign of life."""
        watch, newest, gap, calls = reading.watch, dict.fromkeys(reading.watch.peers, 0), None, []
        count = dict(newest)
        for call in watch.calls:
            if call.method == "beat":
                peer, number, *dates = call.arguments
                if peer == wrong.peer and number > newest[peer] + 1 and gap is None:
                    gap = (newest[peer], number)
                count[peer] += number > newest[peer]
                newest[peer] = max(number, newest[peer])
                call = Call("beat", (peer, count[peer] if number == newest[peer] else 0, *dates))
            calls.append(call)
        if gap is None or not self._is_right(watch, calls):
            return None
        return (
            f"{self._what(reading, wrong)}. After beat {gap[0]} of node {wrong.peer} came beat {gap[1]}: "
            "any larger number is a sign of life"
        )

    def _normal(self, aspect: str, reading: WatchReading, wrong: Wrong) -> str | None:
        """The silence was one that comes without any failure."""
        plan = reading.watch.plan
        longest = plan.interval + plan.network.longest
        if aspect != "accurate" or not plan.interval - TOLERANCE < wrong.silence <= longest:
            return None
        return (
            f"node {reading.watch.node} suspected node {wrong.peer} at {reading.watch.time(wrong.now):.2f} s, after "
            f"{wrong.silence:.2f} s of silence. With {plan.interval:g} s between beats and up to {plan.network.longest:g} s "
            f"on the way, a silence of {longest:.2f} s is normal; the timeout was {plan.timeout:g} s"
        )

    def _symmetric(self, reading: WatchReading, wrong: Wrong) -> str | None:
        """One-way taken for symmetric: who is not heard by the other one was suspected in return."""
        watch, peer = reading.watch, wrong.peer
        deaf = [
            when for when, verb, some in watch.plan.events if verb == "cut" and some == (watch.node, peer, True)
        ]  # fmt: skip
        if wrong is not reading.early or not deaf or watch.time(wrong.now) < deaf[0]:
            return None
        return (
            f"from {deaf[0]:.2f} s on node {peer} cannot hear node {watch.node}, but node {watch.node} hears node {peer}, and "
            f"suspected it at {watch.time(wrong.now):.2f} s. Node {watch.node} must not suspect node {peer}"
        )

    def _is_right(self, watch: Watch, calls: Sequence[Call], peers: tuple[int, ...] | None = None) -> bool:
        """Tell whether the class would have been right, had it been told this."""
        other = watch.otherwise(calls, peers)
        [replies] = self.trial.ask([other.script()])
        return WatchReading(other, replies).right

    # --- words -----------------------------------------------------------------------------

    def _what(self, reading: WatchReading, wrong: Wrong) -> str:
        watch = reading.watch
        at = watch.time(wrong.now)
        if wrong is reading.late:
            since = (
                f"{wrong.silence:.2f} s after its last beat"
                if wrong.beats
                else f"and was never heard ({watch.born:.2f} s on)"
            )
            return (
                f"{self._event(watch, wrong)}, and node {watch.node} does not suspect it at {at:.2f} s, {since}; "
                f"the timeout is {watch.plan.timeout:g} s"
            )
        if wrong is reading.early:
            ago = f"{wrong.silence:.2f} s after " + ("it had heard it" if wrong.beats else "it began to listen")
            return f"node {watch.node} suspected node {wrong.peer} at {at:.2f} s, {ago}; the timeout is {watch.plan.timeout:g} s"
        heard = next(
            call.arguments[3]
            for call in reversed(watch.calls[: wrong.call])
            if call.method == "beat" and call.arguments[0] == wrong.peer
        )
        return (
            f"node {watch.node} heard node {wrong.peer} again, the last time at {watch.time(heard):.2f} s, and still "
            f"suspects it at {at:.2f} s"
        )

    def _event(self, watch: Watch, wrong: Wrong) -> str:
        """Say what happened to the peer, so that it is not heard."""
        at, peer = watch.time(wrong.now), wrong.peer
        words: dict[str, Callable[[Any], bool]] = {
            "crashed": lambda event: event[1] == "crash" and event[2] == (peer,),
            "was paused": lambda event: event[1] == "pause" and event[2] == (peer,),
            f"was cut off from node {watch.node}": lambda event: (
                event[1] == "cut" and event[2][0] == peer and event[2][1] == watch.node
            ),
        }
        past = [event for event in watch.plan.events if event[0] <= at]
        for word, fits in words.items():
            if (when := next((event[0] for event in reversed(past) if fits(event)), None)) is not None:
                return f"node {peer} {word} at {when:.2f} s"
        return f"node {watch.node} heard nothing new of node {peer} from {watch.time(wrong.heard):.2f} s on"

    def _finding(self, aspect: str, reading: WatchReading, story: str, place: int, rank: int = PLAIN) -> Finding:
        plan = reading.watch.plan
        opening = self.opening or f"With seed {plan.seed}"
        return Finding(
            aspect=aspect, sentence=f"{opening} {story}{'' if story.endswith(('.', '?')) else '.'}",
            seed=None if self.opening else plan.seed, trace=self._trace(reading), steps=reading.steps(place),
            rank=rank, hinted=rank != SHARED,
        )  # fmt: skip

    def _trace(self, reading: WatchReading) -> bytes | None:
        if self.trace is not None:
            return self.trace.encode()
        mine = [one for one in self.readings if one.watch.plan == reading.watch.plan]
        return replayed(reading.watch.plan, [one.replies for one in mine]).encode()


def _with_date(call: Call, sent_at: float) -> Call:
    peer, number, _, now = call.arguments
    return Call("beat", (peer, number, sent_at, now))
