"""Telling: what is wrong in one run of lab 08, the cause before the effect.

    causes    what an object was asked and answered: shown twice, skipped, kept waiting, asked for in vain
    effects   what the nodes show in the end, where no answer by itself was wrong

A cause names node, number and moment; what it had to know for the right answer the object had been told by its own calls.
Where its room did not suffice an object may have kept any of what came: then it is not accused of asking for it again.

Read also `checks` (who asks), `runs` (what happens).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from chatsys.teach.labs.lab03.stage import Message
from chatsys.teach.labs.lab08.frames import AskFor, span, these
from chatsys.teach.labs.lab08.runs import CatchUpCall, CatchUpRun, ObjectLife

SHARED, SERVED, CAUSE, EFFECT = 4, 3, 2, 1  # how much a sentence explains: the highest is told first
UNDER_WAY, LATE = 0.95, 1.5
"""A request may not be repeated before the one, and must be after the other (seconds)."""


class Misstep(NamedTuple):
    """What a finding says, and in which life and when it shows."""

    aspect: str
    sentence: str
    life: ObjectLife | None
    rank: int = CAUSE
    time: float | None = None
    about: tuple[int, ...] = ()


def tell_causes(run: CatchUpRun) -> Iterator[Misstep]:
    """Yield what one object answered wrongly, going by what it had been told."""
    for life in run.lives:
        yield from _Knows(run, life).told()


def tell_effects(run: CatchUpRun) -> Iterator[Misstep]:
    """Yield which number some node has not shown in the end."""
    for node in run.world.nodes:
        have = {one.seq for one in run.world.trace.of("deliver") if one.node == node}
        life = [one for one in run.lives if one.node == node][-1]
        lacks = [number for number in range(life.last + 1, run.newest + 1) if number not in have]
        if lacks:
            asked = [(call.time, call.answer) for call in life.calls if isinstance(call.answer, AskFor)]
            last = f"it last asked for #{asked[-1][1].first}, at {asked[-1][0]:.2f} s" if asked else "it never asked"
            story = f"{run.name} node {node} had not shown {these(lacks)} at {run.world.now:.2f} s, the end of the run; {last}."
            yield Misstep("complete", story, life, EFFECT, asked[-1][0] if asked else None, (lacks[0],))
            return


class _Knows:
    """What one object was told so far, and what must follow from it."""

    def __init__(self, run: CatchUpRun, life: ObjectLife) -> None:
        self.run, self.life, self.node = run, life, life.node
        self.ended = any(one.node == life.node for one in run.lives[run.lives.index(life) + 1 :])
        """Whether a crash ended this life."""
        self.next = life.last + 1
        """The number that has to be shown next."""
        self.newest, self.heard = life.last, False
        self.came: dict[int, tuple[str, float]] = {}
        """How each number came for the first time, and when."""
        self.texts: dict[int, Message] = {}
        self.shown: dict[int, float] = {}
        self.waits: set[int] = set()
        """Live numbers that came and are not shown."""
        self.others: dict[int, int] = {}
        """How many of them waited already when each came."""
        self.sure: set[int] = set()
        """Those of them that the object must have kept, since there was room."""
        self.request: tuple[float, AskFor] | None = None
        self.chunks: list[bool] = []
        """Whether each chunk that came since this request brought messages, or the news that none is missing."""
        self.lacking: float | None = 0.0
        """Since when something is missing."""

    def told(self) -> Iterator[Misstep]:
        """Yield what is wrong, in order of time; after a wrong number was shown the rest only follows from that."""
        for call in self.life.calls:
            if call.error:
                return
            faults = list(getattr(self, f"_{call.asked.method}")(call, *call.asked.arguments))
            yield from faults
            if any(one.aspect in ("order", "complete") for one in faults):
                return

    def _wrong(self, aspect: str, call: CatchUpCall, told: str, *about: int, rank: int = CAUSE) -> Misstep:
        return Misstep(aspect, f"{self.run.name} node {self.node} {told}", self.life, rank, call.time, about)

    # --- what comes ------------------------------------------------------------------------

    def _live(self, call: CatchUpCall, number: int, message: Message) -> Iterator[Misstep]:
        self._takes(call, number, message, "live")
        if number > self.next and number not in self.waits:
            self.others[number] = len(self.waits)
            self.waits.add(number)
            if len(self.waits) <= self.life.room:
                self.sure.add(number)
            else:
                self.sure.clear()
        yield from self._shows(call, {number})

    def _chunk(self, call: CatchUpCall, first: int, messages: list[Message], newest: int) -> Iterator[Misstep]:
        self.heard, self.newest = True, max(self.newest, newest)
        for one in messages:
            self._takes(call, one.number, one, "chunk")
        yield from self._shows(call, {one.number for one in messages})
        self.chunks.append(bool(messages) or self.next > self.newest)

    def _takes(self, call: CatchUpCall, number: int, message: Message, how: str) -> None:
        self.newest = max(self.newest, number)
        self.came.setdefault(number, (how, call.time))
        self.texts.setdefault(number, message)

    def _shows(self, call: CatchUpCall, here: set[int]) -> Iterator[Misstep]:
        """Compare what is shown with what had to be; `here` are the numbers that this call brings."""
        due, number = [], self.next
        while number in here or number in self.sure:
            due.append(number)
            number += 1
        kept = [one.number for one in call.answer if one.number not in here and one.number not in self.shown]
        if len(set(kept)) > self.life.room:
            story = f"showed {len(set(kept))} messages at {call.time:.2f} s that it had kept while it waited for #{self.next}; there is room for {self.life.room}."
            yield self._wrong("room", call, story, self.next)
        for one in call.answer:
            if (fault := self._shows_one(call, one)) is not None:
                yield fault
                if fault.aspect != "once":
                    return
        forgot = [number for number in due if number not in self.shown]
        if forgot:
            told = self._tell_forgotten(forgot, here, call.time)
            yield self._wrong("prompt", call, told, forgot[0])
            self.sure -= set(forgot)  # it may ask for them again
        self.waits = {number for number in self.waits if number >= self.next}
        self.sure &= self.waits
        self.lacking = self._since(call.time)

    def _shows_one(self, call: CatchUpCall, one: Message) -> Misstep | None:
        number, when = one.number, f"{call.time:.2f} s"
        if self.texts.get(number) != one and number > self.life.last:
            what = "nobody had sent it" if number not in self.texts else f"“{self.texts[number].text:.20}” had come"
            return self._wrong("complete", call, f"showed “{one.text:.20}” as #{number} at {when}; {what}.", number)
        if number in self.shown or number <= self.life.last:
            return self._wrong("once", call, self._tell_twice(number, when), number)
        self.shown[number] = call.time
        if number > self.next:
            return self._tell_skipped(call, number)
        self.next = max(self.next, number + 1)
        return None

    def _tell_twice(self, number: int, when: str) -> str:
        if number <= self.life.last:
            return f"showed #{number} at {when} for the second time: its log ended with #{self.life.last} when it came back."
        how, at = self.came[number]
        came = f"live at {at:.2f} s, and by a chunk" if how == "live" else f"by a chunk at {at:.2f} s, and again"
        return f"showed #{number} at {when} for the second time, after {self.shown[number]:.2f} s: it came {came}."

    def _tell_skipped(self, call: CatchUpCall, number: int) -> Misstep:
        """A number is shown before an earlier one, which is shown later, or never."""
        lacks, how = self.next, self.came[number][0]
        later = next(
            (one.time for one in self.life.calls if one.time >= call.time and _shows(one, lacks) and one is not call),
            None,
        )
        way = "live" if how == "live" else "by a chunk"
        story = f"showed #{number} ({way}) at {call.time:.2f} s before #{lacks}"
        if later is not None:
            return self._wrong("order", call, f"{story}, which came after it, at {later:.2f} s.", lacks, number)
        if any(one.number == lacks for one in call.answer):
            return self._wrong("order", call, f"{story}, which it showed behind it.", lacks, number)
        if self.ended:  # a longer life might have shown it
            return self._wrong("order", call, f"{story}, which was still missing.", lacks, number)
        if lacks in self.came:
            never = f"{story} and never showed #{lacks}, which had come at {self.came[lacks][1]:.2f} s."
            return self._wrong("complete", call, never, lacks, number)
        asked = [one.answer for one in self.life.calls if isinstance(one.answer, AskFor) and one.time <= call.time]
        last = f"it had asked for {_wanted(asked[-1])}" if asked else "it had asked for nothing"
        never = f"{story} and never showed #{lacks}: {last}, and #{number} came {way}."
        return self._wrong("complete", call, never, lacks, number)

    def _tell_forgotten(self, forgot: list[int], here: set[int], time: float) -> str:
        number = forgot[0]
        if number in here:
            return f"did not show #{number} when it came at {time:.2f} s, although all earlier ones were shown."
        return f"did not show {these(forgot)} at {time:.2f} s: #{number} had come live {self._with_room(number)}, and all before it had been shown."

    def _with_room(self, number: int) -> str:
        others = self.others.get(number, 0)
        waited = f"{others or 'no'} other{'s' * (others != 1)}"
        return f"at {self.came[number][1]:.2f} s, when {waited} waited and there was room for {self.life.room}"

    def _since(self, now: float) -> float | None:
        if self.heard and self.next > self.newest:
            return None
        return now if self.lacking is None else self.lacking

    # --- what is asked for -----------------------------------------------------------------

    def _ask(self, call: CatchUpCall, now: float) -> Iterator[Misstep]:
        wanted: AskFor | None = call.answer
        if wanted is None:
            yield from self._is_late(call)
            return
        faults = list(self._wanted(call, wanted))
        yield from faults
        self.request, self.chunks = (call.time, wanted), []

    def _is_late(self, call: CatchUpCall) -> Iterator[Misstep]:
        """No second passes without a request while something is missing."""
        if self.lacking is None:
            return
        begun = self.life.calls[0].time
        since = max(self.lacking, begun, self.request[0] if self.request else 0.0)
        if call.time - since > LATE:
            asked = f"its last request went out at {self.request[0]:.2f} s" if self.request else "it had asked nobody"
            what = (
                f"#{self.next} was missing"
                if self.next <= self.newest
                else "nobody had told it which number is the newest"
            )
            yield self._wrong(
                "prompt", call, f"asked for nothing at {call.time:.2f} s, although {what}; {asked}.", self.next
            )
            self.lacking = call.time + 1000  # told once

    def _wanted(self, call: CatchUpCall, wanted: AskFor) -> Iterator[Misstep]:
        numbers, when = _wanted(wanted), f"{call.time:.2f} s"
        if self.heard and self.next > self.newest:
            yield self._wrong(
                "lean",
                call,
                f"asked for {numbers} at {when}, although it had everything up to #{self.newest}, the newest it knew of."
                if self.newest
                else f"asked for {numbers} at {when}, although a chunk had told it that nothing had been said yet.",
                wanted.first,
            )
            return
        if self.request is not None:
            asked, last = self.request
            if not self.chunks and call.time - asked < UNDER_WAY:
                yield self._wrong(
                    "lean",
                    call,
                    f"asked for {numbers} at {when}, while its request of {asked:.2f} s for {_wanted(last)} was under way.",
                    wanted.first,
                )
                return
            yield from self._elsewhere(call, wanted, asked, last)
        yield from self._needless(call, wanted)

    def _elsewhere(self, call: CatchUpCall, wanted: AskFor, asked: float, last: AskFor) -> Iterator[Misstep]:
        if wanted.to != last.to or len(self.life.peers) < 2 or any(self.chunks) or len(self.chunks) > 1:
            return  # a copy of an empty answer looks like the answer of the next peer
        why = "had nothing of it" if self.chunks else "had not answered for a second"
        yield self._wrong(
            "elsewhere",
            call,
            f"asked node {last.to} for {_wanted(wanted)} at {call.time:.2f} s; at {asked:.2f} s it had asked node {last.to} as well, which {why}.",
            wanted.first,
        )

    def _needless(self, call: CatchUpCall, wanted: AskFor) -> Iterator[Misstep]:
        for number in range(wanted.first, min(wanted.first + wanted.count, self.newest + 2)):
            if number < self.next:
                why = (
                    "which it had shown"
                    if number > self.life.last
                    else f"and its log went up to #{self.life.last} when it came back"
                )
            elif number in self.sure:
                why = f"which had come live {self._with_room(number)}"
            elif number > self.newest and self.heard:
                why = f"and the newest that it knew of was #{self.newest}"
            else:
                continue
            yield self._wrong(
                "lean", call, f"asked for {_wanted(wanted)} at {call.time:.2f} s, #{number} among them, {why}.", number
            )
            return

    def _serve(self, call: CatchUpCall, log: list[Message], first: int, count: int) -> Iterator[Misstep]:
        right, found = [one.number for one in log[first - 1 : first - 1 + count]], [one.number for one in call.answer]
        if call.answer != log[first - 1 : first - 1 + count]:
            told = f"was asked at {call.time:.2f} s for {span(first, first + count - 1)}, its log went up to #{len(log)}, and it served {these(found)} instead of {these(right)}."
            yield self._wrong("serves", call, told, first, rank=SERVED)


def _shows(call: CatchUpCall, number: int) -> bool:
    return call.asked.method in ("live", "chunk") and any(one.number == number for one in call.answer or ())


def _wanted(request: Any) -> str:
    return span(request.first, request.first + request.count - 1)
