"""Telling: what is wrong in one run of lab 06, the cause before the effect.

    causes    what a node was asked and answered: an old term admitted, a hole left, a number given twice
    effects   what the nodes show in the end, where no answer of a node was wrong by itself

A cause names node, number and moment of a wrong answer; what it had to know for the right one it had been told by the same calls.

Read also `checks` (who asks), `fates` (what happens).
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

from chatsys.teach.labs.lab06.frames import Numbered, put
from chatsys.teach.labs.lab06.runs import FailOverRun, NodeCall

SHARED, GIVEN, CAUSE, EFFECT = 4, 3, 2, 1  # how much a sentence explains: the highest is told first


class Slip(NamedTuple):
    """What a finding says, and at which node and when it shows."""

    aspect: str
    sentence: str
    node: Any
    rank: int = CAUSE
    time: float | None = None
    about: tuple[int, ...] = ()


def tell_causes(run: FailOverRun) -> Iterator[Slip]:
    """Yield what one node answered wrongly, going by what it had been told."""
    for one in run.objects:
        node = _Told(run, one.node)
        for call in one.calls:
            if not call.error:
                yield from node.after(call)


class _Told:
    """What one node was told so far, and what must follow from it."""

    def __init__(self, run: FailOverRun, me: int) -> None:
        self.run, self.me = run, me
        self.newest, self.since, self.by = 0, 0.0, ""
        """The highest term that it admitted or leads, since when, and by what frame; it leads it where there is none."""
        self.gave: dict[tuple[str, int], int] = {}
        """In which term it gave a number to a post."""
        self.known: dict[int, Numbered] = {}
        """What it leads with, by number."""
        self.held: dict[int, list[int]] = {}
        """Which nodes had answered that they hold a number."""

    def after(self, call: NodeCall) -> Iterator[Slip]:
        """Yield what is wrong in one call, and remember what it told."""
        if call.asked.method == "admits":
            yield from self._admits(call, *call.asked.arguments)
        elif call.asked.method == "lead":
            yield from self._leads(call, *call.asked.arguments)
        else:
            yield from self._orders(call, *call.asked.arguments)

    def _wrong(self, aspect: str, call: NodeCall, told: str, about: int | None = None) -> Slip:
        return Slip(aspect, f"{self.run.name} {told}", self.me, CAUSE, call.time, () if about is None else (about,))

    # --- the fence -------------------------------------------------------------------------

    def _admits(self, call: NodeCall, kind: str, term: int, sender: int) -> Iterator[Slip]:
        if call.answer is False and term >= self.newest:
            known = f"knew no term newer than {self.newest}" if self.newest else "knew no term yet"
            story = f"node {self.me} refused {kind} of term {term} from node {sender} at {call.time:.2f} s, although it {known}."
            yield self._wrong("onward", call, story)
        if call.answer is not True:
            return
        if term < self.newest:
            yield self._old(call, kind, term, sender)
        elif term > self.newest:
            self.newest, self.since, self.by = term, call.time, kind

    def _old(self, call: NodeCall, kind: str, term: int, sender: int) -> Slip:
        number = _number_in(self.run, self.me, call.time, kind)
        other = _other_at(self.run, number, term)
        story = f"node {self.me} admitted {kind}{f' #{number}' * (number is not None)} of term {term} from node {sender} at {call.time:.2f} s"
        if other is not None:
            story += f"; it knew term {self.newest} since {self.since:.2f} s, in which #{number} is another message."
        else:
            knew = f"knew term {self.newest} from a {self.by} at" if self.by else f"had led term {self.newest} since"
            story += f", although it {knew} {self.since:.2f} s."
        return self._wrong("harmless", call, story, number)

    # --- what is inherited -----------------------------------------------------------------

    def _leads(self, call: NodeCall, term: int, answers: dict[int, list[Numbered]]) -> Iterator[Slip]:
        if term > self.newest:
            self.newest, self.since, self.by = term, call.time, ""
        self.held = {}
        best: dict[int, Numbered] = {}
        for entries in answers.values():
            for one in entries:
                if one.number not in best or best[one.number].term < one.term:
                    best[one.number] = one
        for node, entries in answers.items():
            for one in entries:
                if _alike(one, best[one.number]):
                    self.held.setdefault(one.number, []).append(node)
        again = {one.number: one for one in call.answer or ()}
        for number in range(1, max(best, default=0) + 1):
            wrong = self._inherits(call, answers, number, best.get(number), again.get(number))
            if wrong is not None:
                yield wrong
                break
        else:
            yield from self._beyond(call, term, again, max(best, default=0))
        self.known = {**best, **again}

    def _inherits(
        self, call: NodeCall, answers: Any, number: int, best: Numbered | None, out: Numbered | None
    ) -> Slip | None:
        """Return what is wrong with one number that a new leader goes out with, or not."""
        when = f"at {call.time:.2f} s"
        if best is None:
            if out is None:
                story = f"no node that is up had #{number}, and node {self.me} began to lead {when} without it: all wait for #{number} for ever. Who may say that it never was?"
                return self._wrong("onward", call, story, number)
            return None if out.text is None else self._wrong("kept", call, self._made_up(out, call.time), number)
        if out is None:
            lacks = [node for node, entries in answers.items() if all(one.number != number for one in entries)]
            if lacks:
                story = f"node {self.me} did not send {put(best)} out again {when}; {_nodes(self.held[number])} had it, and {_nodes(lacks)} wait{'s' * (len(lacks) == 1)} for it for ever."
                return self._wrong("onward", call, story, number)
            return None
        if _alike(best, out):
            return None
        who = self.held[number][0] if self.me not in self.held[number] else self.me
        if out.text is None:
            seen = _shown_at(self.run, who, number)
            before = seen is not None and seen < call.time
            did = f"had shown it at {seen:.2f} s" if before else "had answered that it has it"
            return self._wrong(
                "kept", call, f"node {self.me} declared {put(best)} void {when}; node {who} {did}.", number
            )
        story = f"node {self.me} sent {put(out)} out again {when}; in the answers #{number} of term {best.term} is “{best.text}”, and the higher term counts."
        return self._wrong("kept", call, story, number)

    def _beyond(self, call: NodeCall, term: int, again: dict[int, Numbered], top: int) -> Iterator[Slip]:
        old = next((one for one in again.values() if one.term != term), None)
        if old is not None:
            story = f"node {self.me} led term {term} and sent {put(old)} out again with term {old.term} at {call.time:.2f} s: who knows term {term} refuses it."
            yield self._wrong("onward", call, story, old.number)
        new = next((one for number, one in again.items() if number > top and one.text is not None), None)
        if new is not None:
            yield self._wrong("kept", call, self._made_up(new, call.time), new.number)

    def _made_up(self, one: Numbered, time: float) -> str:
        """Say that nobody who answered holds what goes out again, and from where this node has it."""
        story = f"node {self.me} sent {put(one)} out again at {time:.2f} s; no answer has it"
        led = self.gave.get((one.author, one.post))
        return f"{story}. It is left from when node {self.me} led term {led}." if led else f"{story}."

    # --- the numbers -----------------------------------------------------------------------

    def _orders(self, call: NodeCall, author: str, post: int, text: str) -> Iterator[Slip]:
        one, when = call.answer, f"at {call.time:.2f} s"
        before = next(
            (n for n, was in self.known.items() if (was.author, was.post) == (author, post) and was.text is not None),
            None,
        )
        there = self.known.get(one.number)
        if (one.author, one.post, one.text) != (author, post, text):
            story = f"node {self.me} was asked {when} to number “{text:.20}”, post {post} of {author}, and returned #{one.number}, “{one.text!s:.20}”, post {one.post} of {one.author}."
            yield self._wrong("kept", call, story, one.number)
        elif before is not None and before != one.number:
            story = f"“{text:.20}” is #{before} and #{one.number}: {author} said it again, as post {post}, and node {self.me} gave it a second number {when}."
            yield self._wrong("once", call, story, one.number)
        elif there is not None and not _alike(there, one):
            yield self._wrong("kept", call, self._given(one, there, text, call.time), one.number)._replace(rank=GIVEN)
        elif there is None and one.number > max(self.known, default=0) + 1:
            newest = max(self.known, default=0)
            story = f"node {self.me} gave “{text:.20}” number {one.number} {when}, and the newest was #{newest}: all wait for #{newest + 1} for ever."
            yield self._wrong("onward", call, story, one.number)
        self.known[one.number] = one
        self.gave.setdefault((author, post), self.newest)

    def _given(self, one: Numbered, there: Numbered, text: str, time: float) -> str:
        held = self.held.get(one.number, [])
        seen = min(
            (at for node in self.run.world.nodes if (at := _shown_at(self.run, node, one.number)) is not None),
            default=None,
        )
        was = "void" if there.text is None else f"“{there.text:.20}”, post {there.post} of {there.author}"
        since = f", since {seen:.2f} s" if seen is not None and seen < time else ""
        story = f"node {self.me} gave number {one.number} to “{text:.20}” at {time:.2f} s, but #{one.number} is {was}{since}"
        more = f": node {held[0]} had it. Which is the highest in any answer?" if held and self.me not in held else "."
        return f"{story}{more}"


def _number_in(run: FailOverRun, node: int, time: float, kind: str) -> int | None:
    """Return the number of the message that came with this frame, if it had one."""
    came = run.world.trace.of("receive") if kind == "NUMBERED" else ()
    return next((one.seq for one in came if (one.node, one.time, one.message) == (node, time, kind)), None)


def _other_at(run: FailOverRun, number: int | None, term: int) -> Any:
    """Return a delivery under this number of a newer term than this one, with another text than that of the term."""
    if number is None:
        return None
    said = [one for one in run.world.trace.of("deliver") if one.seq == number]
    old = {(one.client, one.client_seq) for one in said if one.entry_term == term}
    return next(
        (one for one in said if (one.entry_term or 0) > term and old and (one.client, one.client_seq) not in old), None
    )


def _shown_at(run: FailOverRun, node: int, number: int) -> float | None:
    return next((one.time for one in run.world.trace.of("deliver") if (one.node, one.seq) == (node, number)), None)


def _alike(one: Numbered, other: Numbered) -> bool:
    """Tell whether two are the same message, whatever their terms are."""
    return (one.author, one.post, one.text) == (other.author, other.post, other.text)


def _nodes(nodes: list[int]) -> str:
    return f"node {nodes[0]}" if len(nodes) == 1 else f"nodes {', '.join(map(str, nodes[:-1]))} and {nodes[-1]}"


# --- effects -----------------------------------------------------------------------------------
Screen = dict[int, tuple[str, int, str, float]]


def screens_of(run: FailOverRun) -> dict[int, Screen]:
    """Return what each node that is up shows in the end: number -> (author, post, text, time); a void has no author."""
    found: dict[int, Screen] = {node: {} for node in run.up}
    for one in run.world.trace.of("deliver", "void"):
        if one.node in found and one.seq is not None:
            found[one.node].setdefault(one.seq, (one.client or "", one.client_seq or 0, one.text or "", one.time))
    return found


def tell_effects(run: FailOverRun) -> Iterator[Slip]:
    """Yield what the nodes show in the end that they must not, or do not show that they must."""
    screens = screens_of(run)
    yield from _tell_different(run, screens)
    yield from _tell_lost(run, screens)
    yield from _tell_twice(run, screens)
    yield from _tell_waiting(run, screens)


def _tell_different(run: FailOverRun, screens: dict[int, Screen]) -> Iterator[Slip]:
    for a, b in combinations(screens, 2):
        for number in sorted(screens[a].keys() & screens[b].keys()):
            one, other = screens[a][number], screens[b][number]
            if one[:3] != other[:3]:
                told = f"{run.name} #{number} is {_word(one)} at node {a} since {one[3]:.2f} s, and {_word(other)} at node {b} since {other[3]:.2f} s."
                yield Slip("kept", told, a, EFFECT, one[3], (number,))
                return


def _word(one: tuple[str, int, str, float]) -> str:
    return f"“{one[2]:.20}”" if one[0] else "void"


def _tell_lost(run: FailOverRun, screens: dict[int, Screen]) -> Iterator[Slip]:
    seen = {one[:2] for screen in screens.values() for one in screen.values()}
    for ack in run.world.trace.of("ack"):
        if (ack.client, ack.client_seq) not in seen:
            told = f"{run.name} {ack.author} was answered ok for “{ack.text}” (post {ack.client_seq}) at {ack.time:.2f} s, and no node that is up shows it."
            yield Slip("kept", told, ack.node, EFFECT, ack.time)
            return


def _tell_twice(run: FailOverRun, screens: dict[int, Screen]) -> Iterator[Slip]:
    for node, screen in screens.items():
        first: dict[tuple[str, int], int] = {}
        for number, (author, post, text, time) in sorted(screen.items()):
            if author and first.setdefault((author, post), number) != number:
                told = f"{run.name} node {node} shows “{text}”, post {post} of {author}, as #{first[author, post]} and as #{number}, since {time:.2f} s."
                yield Slip("once", told, node, EFFECT, time, (number,))
                return


def _tell_waiting(run: FailOverRun, screens: dict[int, Screen]) -> Iterator[Slip]:
    top, shows = max(((max(screen, default=0), node) for node, screen in screens.items()), default=(0, 0))
    for node, screen in screens.items():
        missing = next((number for number in range(1, top + 1) if number not in screen), None)
        if missing is not None:
            told = (
                f"{run.name} node {node} never showed #{missing}, which node {shows} showed at {screens[shows][missing][3]:.2f} s."
                if missing in screens[shows]
                else f"{run.name} node {node} never showed #{missing}."
            )
            yield Slip("onward", told, node, EFFECT)
            return
    answered = {(one.node, one.client, one.client_seq) for one in run.world.trace.of("ack")}
    for one in run.world.trace.of("submit"):
        if one.node in screens and (one.node, one.client, one.client_seq) not in answered:
            told = f"{run.name} {one.author} said “{one.text}” (post {one.client_seq}) at {one.time:.2f} s, and was not answered by {run.world.now:.2f} s; node {one.node} is up."
            yield Slip("onward", told, one.node, EFFECT)
            return
