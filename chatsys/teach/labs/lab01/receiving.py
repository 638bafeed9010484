"""What is wrong with the calls of a receiver, in a run or in a script: the first thing of each kind, with its cause.

    complete  a packet is delivered as soon as it and all before it are there, with its own text
    order     nothing is delivered before a smaller number
    once      nothing is delivered twice
    answer    each packet is acknowledged when it comes, and nothing that did not come
    again     ... a copy, too
    one       by one acknowledgement

A receiver is held against what it delivered itself: after its first mistake it is not blamed for going on from there.

Read also `sending` (the same of a sender), `runs` (where the calls come from), `checks` (who asks both).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from chatsys.teach.labs.lab01.packets import Packet, quoted
from chatsys.teach.labs.lab01.runs import LinkCall
from chatsys.teach.labs.lab01.sending import CAUSE, SEEN, LinkFault

Sent = Callable[[int, LinkCall, LinkCall | None], int]
"""(number, from this call on, up to this one) -> how often the packet was sent in between."""


class ReceiverProbes(NamedTuple):
    """What the class answers where it is asked otherwise, so that a cause is known and not guessed."""

    by_text: bool = False
    """Whether it is right where all texts differ."""
    pushed: Sequence[LinkCall] = ()
    """The same calls, and behind them copies of what was delivered: what comes out then had waited."""
    without: Mapping[int, Sequence[LinkCall]] = MappingProxyType({})
    """For each call that brought a copy: the same calls without it."""


def read_receiver(
    calls: Sequence[LinkCall], sent: Sent = lambda *_: 0, probes: ReceiverProbes | None = None
) -> list[LinkFault]:
    """Return what is wrong, the first of each aspect, in order of time."""
    found: dict[str, LinkFault] = {}
    for fault in _Receiver(calls, sent, probes or ReceiverProbes()).all():
        if fault.aspect not in found or fault.rank > found[fault.aspect].rank:
            found[fault.aspect] = fault
    return sorted(found.values(), key=lambda fault: fault.place)


class _Receiver:
    """One receiver's history, call by call."""

    def __init__(self, calls: Sequence[LinkCall], sent: Sent, probes: ReceiverProbes) -> None:
        self.calls, self.sent, self.probes = calls, sent, probes
        self.came: dict[int, Packet] = {}
        self.first: dict[int, int] = {}
        """In which call each packet came for the first time."""
        self.delivered: dict[int, int] = {}
        """In which call each packet was delivered."""
        self.due = 1
        self.lost: set[int] = set()
        """What should have been delivered and was not, and is told already."""

    def all(self) -> Iterator[LinkFault]:
        """Yield everything that is wrong, in order of time."""
        for place, call in enumerate(self.calls):
            if call.error:
                return
            packet: Packet = call.arguments[0]
            copy = packet.number in self.came
            self.came[packet.number] = packet
            self.first.setdefault(packet.number, place)
            ready, numbers = call.answer
            for one in ready:
                yield from self._deliver(one, place)
            yield from self._answer(packet.number, copy, list(numbers), place)
            yield from self._look(place)

    # --- what is delivered -------------------------------------------------------------------

    def _deliver(self, packet: Packet, place: int) -> Iterator[LinkFault]:
        number, when = packet.number, self.calls[place].when
        if self.came.get(number) != packet:
            sentence = f"node 2 delivered packet {number} with the text {quoted(packet.text)} {when}, and no such packet had come"
            yield LinkFault("complete", sentence, place, CAUSE, (number,))
        elif number in self.delivered:
            before = self.calls[self.delivered[number]].when
            sentence = f"node 2 delivered packet {number} {before}, and once more {when}, when a copy of it came"
            if self.calls[place].arguments[0].number != number:
                sentence = f"node 2 delivered packet {number} {before}, and once more {when}"
            yield LinkFault("once", sentence, place, CAUSE, (number,))
        else:
            missing = next((one for one in range(1, number) if one not in self.delivered), None)
            if missing is not None and missing not in self.lost:
                yield LinkFault("order", self._tell_early(number, missing, place), place, SEEN, (missing, number))
            self.delivered[number] = place

    def _tell_early(self, number: int, missing: int, place: int) -> str:
        comes = next((call.when for call in self.calls[place + 1 :] if call.arguments[0].number == missing), "")
        then = "had come and waited" if missing in self.came else f"came {comes}" if comes else "had not come yet"
        return f"node 2 delivered packet {number} {self.calls[place].when}, before packet {missing}, which {then}"

    def _look(self, place: int) -> Iterator[LinkFault]:
        """Look for what could be delivered now and was not."""
        while self.due in self.delivered or self.due in self.lost:
            self.due += 1
        if self.due in self.came:
            self.lost.add(self.due)
            rank, sentence = self._tell_lost(self.due, place)
            yield LinkFault("complete", sentence, place, rank, (self.due,))

    def _tell_lost(self, number: int, place: int) -> tuple[int, str]:
        packet, now, came = self.came[number], self.calls[place].when, self.calls[self.first[number]].when
        twin = next((one for one in self.delivered if one != number and self.came[one].text == packet.text), None)
        if self.probes.by_text and twin is not None:
            return CAUSE, (
                f"node 2 delivered {quoted(packet.text)} once, as packet {twin}; packet {number}, which came {came}, has the same "
                "text and is no copy"
            )
        later = next((call for call in self.calls[place + 1 :] if packet in call.answer[0]), None)
        if later is not None or any(packet in call.answer[0] for call in self.probes.pushed[place + 1 :]):
            only = later.when if later is not None else "when another packet came"
            only = f"in a later call, {only}" if only == now else only
            return (
                SEEN,
                f"packet {number} could be delivered {now}, since all before it were, and node 2 delivered it only {only}",
            )
        if (copy := self._in_the_way(number, place)) is not None:
            kept = self.calls[copy]
            then = "," if self.first[number] == place else f"; {now}"
            return CAUSE, (
                f"packet {number} came {came}{then} all before it were delivered, and node 2 did not deliver it; without the copy of "
                f"packet {kept.arguments[0].number} {kept.when} it would have: was that copy kept?"
            )
        larger = max(self.delivered, default=0)
        if larger > number:
            return CAUSE, (
                f"packet {number} came {came}, after node 2 had delivered packet {larger}, and node 2 did not deliver it: a packet with "
                "a smaller number can still be new"
            )
        if self.first[number] < place and min(self.lost) == number:  # what is stuck behind another one tells no cause
            return (
                CAUSE,
                f"packet {number} came early, {came}; {now} all before it were delivered, and node 2 never delivered it: did "
                "your class keep it, and look for it then?",
            )
        return SEEN, f"packet {number} came {came}, all before it were delivered, and node 2 did not deliver it"

    def _in_the_way(self, number: int, place: int) -> int | None:
        """Return the call with the copy without which this packet would have been delivered by now, if there is one."""
        for copy, calls in self.probes.without.items():
            if copy < place and any(one.number == number for call in calls[:place] for one in call.answer[0]):
                return copy
        return None

    # --- what is acknowledged ----------------------------------------------------------------

    def _answer(self, number: int, copy: bool, numbers: list[int], place: int) -> Iterator[LinkFault]:
        when = self.calls[place].when
        false = next((one for one in numbers if one not in self.came), None)
        if false is not None:
            sentence = f"node 2 acknowledged packet {false} {when}, and it had not come: nobody sends it again"
            yield LinkFault("answer", sentence, place, CAUSE, (false,))
        if number not in numbers:
            if copy:
                sentence = (
                    f"a copy of packet {number} came {when} and node 2 did not acknowledge it; if the first acknowledgement was "
                    "lost, node 1 sends the packet for ever"
                )
                yield LinkFault("again", sentence, place, SEEN, (number,))
            else:
                yield LinkFault("answer", self._tell_silence(number, place), place, SEEN, (number,))
        elif len(numbers) > 1:
            some = ", ".join(map(str, numbers[:6])) + (" ..." if len(numbers) > 6 else "")
            sentence = (
                f"when packet {number} came {when}, node 2 sent {len(numbers)} acknowledgements ({some}); one is enough"
            )
            yield LinkFault("one", sentence, place, SEEN, (number,))

    def _tell_silence(self, number: int, place: int) -> str:
        """Say how long a packet waited for its acknowledgement, and what that cost."""
        call = self.calls[place]
        later = next((one for one in self.calls[place + 1 :] if number in one.answer[1]), None)
        times = self.sent(number, call, later)
        often = f" Node 1 sent it {'once' if times == 1 else f'{times} times'} more." if times else ""
        until = f"acknowledged it only {later.when}" if later is not None else "never acknowledged it"
        waited = f" and waited for packet {self.due}" if number > self.due and self.due not in self.came else ""
        return f"packet {number} came {call.when}{waited}, and node 2 {until}.{often}".rstrip(".")
