"""What is wrong with the calls of a sender, in a run or in a script: the first thing of each kind, with its cause.

    numbers   each text has a packet of its own, 1, 2, 3 in the order in which they were said, and keeps it
    arrive    the oldest packet that is unanswered was sent at most a second ago
    quiet     nothing is sent that was acknowledged
    patient   a packet is not sent again before its acknowledgement could be there

Nothing is asked here of how a sender does it: it may send the next packet only after an answer, or all at once, and
wait as long as it likes between 0.3 s and 1 s.

Read also `receiving` (the same of a receiver), `runs` (where the calls come from), `checks` (who asks both).
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from chatsys.teach.labs.lab01.packets import Packet, quoted
from chatsys.teach.labs.lab01.runs import LinkCall

EARLIEST, LATEST = 0.3, 1.0
"""A packet that is unanswered is sent again after so many seconds, at the earliest and at the latest."""
SLACK = 0.15
"""One tick, and a little more."""
NEAR = 0.02
"""So little less than `EARLIEST` is as good."""

CAUSE, SEEN = 2, 1
"""How much a sentence explains: the higher one is told first."""


class LinkFault(NamedTuple):
    """What is wrong: the aspect, the sentence without its beginning, the call that shows it, and how much it explains."""

    aspect: str
    sentence: str
    place: int
    rank: int = SEEN
    about: tuple[int, ...] = ()


class SenderProbes(NamedTuple):
    """What the class does where it is asked otherwise, so that a cause is known and not guessed."""

    by_text: bool = False
    """Whether it is right where all texts differ."""
    by_repeat: bool = False
    """Whether it is right where each acknowledgement comes once."""
    by_answer: bool = False
    """Whether it is right where no acknowledgement comes."""


def read_sender(calls: Sequence[LinkCall], probes: SenderProbes | None = None) -> list[LinkFault]:
    """Return what is wrong, the first of each aspect, in order of time."""
    found: dict[str, LinkFault] = {}
    for fault in _Sender(calls, probes or SenderProbes()).all():
        if fault.aspect not in found or fault.rank > found[fault.aspect].rank:
            found[fault.aspect] = fault
        if fault.aspect == "numbers":  # whatever comes after it follows from it
            break
    return list(found.values())


class _Sender:
    """One sender's history, call by call."""

    def __init__(self, calls: Sequence[LinkCall], probes: SenderProbes) -> None:
        self.calls, self.probes = calls, probes
        self.said: list[str] = []
        self.sent: dict[int, list[float]] = {}
        """When each packet was sent."""
        self.answered: dict[int, float] = {}
        """When the first acknowledgement of each packet came."""
        self.repeats: list[tuple[int, float, int]] = []
        """The acknowledgements that came once more, with their moments and calls."""
        self.since = 0.0
        """From when on the oldest packet that is unanswered could have been sent."""

    def all(self) -> Iterator[LinkFault]:
        """Yield everything that is wrong, in order of time."""
        for place, call in enumerate(self.calls):
            now = call.time or 0.0
            if call.method == "say":
                if len(self.said) == len(self.answered):
                    self.since = now
                self.said.append(call.arguments[0])
            elif call.method == "ack" and not self._take_answer(call.arguments[0], now, place):
                return  # nothing of that number was ever sent: no link would bring this
            for packet in call.answer or ():
                yield from self._send(packet, now, place)
            yield from self._look(now, place)

    def _take_answer(self, number: int, now: float, place: int) -> bool:
        if number not in self.sent:
            return False
        if number in self.answered:
            self.repeats.append((number, now, place))
        else:
            if number == self.oldest:
                self.since = now
            self.answered[number] = now
        return True

    @property
    def oldest(self) -> int | None:
        """The smallest number that was said and is unanswered."""
        return next((one for one in range(1, len(self.said) + 1) if one not in self.answered), None)

    def _send(self, packet: Packet, now: float, place: int) -> Iterator[LinkFault]:
        number = packet.number
        wrong = self._tell_number(packet, now)
        if wrong and (twin := self._skipped(number)):
            yield LinkFault("arrive", self._tell_twin(number, twin, now), place, CAUSE, (twin, number))
        if wrong:
            yield LinkFault("numbers", wrong, place, CAUSE, (number,))
            return
        before = self.sent.setdefault(number, [])
        if number in self.answered:
            yield LinkFault("quiet", self._tell_again(number, now), place, SEEN, (number,))
        elif before and now - before[-1] < EARLIEST - NEAR:
            sentence = (
                f"node 1 sent packet {number} at {before[-1]:.2f} s and again at {now:.2f} s; its acknowledgement may take 0.2 s, "
                f"so wait at least {EARLIEST} s"
            )
            yield LinkFault("patient", sentence, place, SEEN, (number,))
        before.append(now)

    def _tell_number(self, packet: Packet, now: float) -> str:
        number, text = packet.number, quoted(packet.text)
        if 1 <= number <= len(self.said) and self.said[number - 1] == packet.text:
            return ""
        known = [one for one in self.sent if self.said[one - 1] == packet.text]
        if known and number > len(self.said):
            return (
                f"node 1 sent {text} as packet {known[0]} at {self.sent[known[0]][0]:.2f} s and as packet {number} at {now:.2f} s: node 2 "
                "cannot see that it is the same text"
            )
        if 1 <= number <= len(self.said):
            return f"node 1 sent {text} as packet {number} at {now:.2f} s, and text {number} is {quoted(self.said[number - 1])}"
        due = len(self.sent) + 1
        return f"node 1 sent {text} as packet {number} at {now:.2f} s; it is text {due}, so its number is {due}"

    def _skipped(self, number: int) -> int | None:
        """Return the packet that has the same text as the one that was left out here; None if nothing was."""
        if number not in range(1, len(self.said) + 1) or number in self.sent:
            return None
        return next((one for one in range(1, number) if self.said[one - 1] == self.said[number - 1]), None)

    def _tell_twin(self, number: int, twin: int, now: float) -> str:
        text = quoted(self.said[number - 1])
        return (
            f"{text} was said twice, as texts {twin} and {number}; at {now:.2f} s node 1 had sent packet {twin} and not packet {number}: two "
            "equal texts are still two"
        )

    def _tell_again(self, number: int, now: float) -> str:
        """Say how often a packet is sent after its acknowledgement."""
        at = self.answered[number]
        times = [
            f"{call.time:.2f}"
            for call in self.calls
            if call.time is not None and call.time >= now and any(one.number == number for one in call.answer or ())
        ]
        told = f"{', '.join(times[:2])} and {times[2]}" if len(times) > 2 else " and ".join(times)
        return (
            f"packet {number} was acknowledged at {at:.2f} s, and node 1 sent it again at {told} s; after its acknowledgement "
            "a packet is not sent any more"
        )

    def _look(self, now: float, place: int) -> Iterator[LinkFault]:
        number = self.oldest
        if number is None:
            return
        times = self.sent.get(number, [])
        since = max([self.since, *times[-1:]])
        if now - since > LATEST + SLACK:
            yield self._tell_stuck(number, times, now, place)

    def _tell_stuck(self, number: int, times: Sequence[float], now: float, place: int) -> LinkFault:
        text, twin = quoted(self.said[number - 1]), self._skipped(number)
        if not times and twin is not None:
            return LinkFault("arrive", self._tell_twin(number, twin, now), place, CAUSE, (twin, number))
        if not times:
            return LinkFault(
                "arrive", f"node 1 had not sent packet {number}, {text}, at {now:.2f} s", place, SEEN, (number,)
            )
        if (why := self._why_dropped(number, times[-1], now)) is not None:
            return LinkFault("arrive", why[0], place if why[1] is None else why[1], CAUSE, (number,))
        if (after := self._sent_after(number, place)) is not None:
            sentence = (
                f"node 1 sent packet {number} at {times[-1]:.2f} s and again only at {after:.2f} s, although it was unanswered; it must not "
                f"wait longer than {LATEST:g} s, whatever else comes meanwhile"
            )
            return LinkFault("arrive", sentence, place, SEEN, (number,))
        later = [one for one, at in self.answered.items() if one > number and at > times[-1]]
        if later and len(times) == 1 and self.probes.by_answer:
            sentence = (
                f"node 1 sent packet {number} at {times[-1]:.2f} s and never again after the acknowledgement of packet {later[0]} at "
                f"{self.answered[later[0]]:.2f} s, which says nothing about packet {number}"
            )
            return LinkFault("arrive", sentence, place, CAUSE, (number,))
        often = f", {len(times)} times in all, the last time" if len(times) > 1 else " once,"
        sentence = (
            f"node 1 sent packet {number}{often} at {times[-1]:.2f} s, and had no acknowledgement for it at {now:.2f} s; it must "
            "go on sending"
        )
        return LinkFault("arrive", sentence, place, SEEN, (number,))

    def _why_dropped(self, number: int, last: float, now: float) -> tuple[str, int | None] | None:
        """Return the cause that the class itself has shown, where it was asked again without it, and its call, if it was one."""
        said = self.said[number - 1]
        twins = [one for one, text in enumerate(self.said, 1) if text == said and one != number]
        if self.probes.by_text and twins:
            twin = next((one for one in twins if one > number), twins[-1])
            return (
                f"{quoted(said)} was said as text {min(number, twin)} and as text {max(number, twin)}; node 1 did not send packet {number} "
                f"again after {last:.2f} s, although it was unanswered: two equal texts are still two"
            ), None
        more = next((one for one in self.repeats if last <= one[1] <= now), None)
        if self.probes.by_repeat and more is not None:
            return (
                f"the acknowledgement of packet {more[0]} came once more at {more[1]:.2f} s, and node 1 did not send packet {number} again "
                f"after that; it was no acknowledgement of packet {number}"
            ), more[2]
        return None

    def _sent_after(self, number: int, place: int) -> float | None:
        """Return when a packet is sent the next time."""
        later = (call for call in self.calls[place:] if any(one.number == number for one in call.answer or ()))
        return next((call.time for call in later), None)


def expected_of(calls: Sequence[LinkCall], place: int) -> Any:
    """Return what was unanswered before this call, in words."""
    reader = _Sender(calls[:place], SenderProbes())
    list(reader.all())
    open_ = [number for number in reader.sent if number not in reader.answered]
    return f"unanswered: {', '.join(map(str, open_))}" if open_ else ""
