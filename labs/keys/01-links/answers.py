"""Right answers of lab 01, each written differently: none of them may lose a point."""

import heapq
from collections import deque
from dataclasses import dataclass, field

from chatsys.teach.labs.lab01 import Packet

# --- 1.1, the sender -----------------------------------------------------------------------------


class MySender:
    """The reference."""

    def __init__(self):
        self.newest = 0
        self.open = {}

    def say(self, text, now):
        self.newest += 1
        packet = Packet(self.newest, text)
        self.open[packet.number] = (packet, now)
        return [packet]

    def ack(self, number, now):
        self.open.pop(number, None)
        return []

    def tick(self, now):
        due = [packet for packet, sent in self.open.values() if now - sent >= 0.4]
        for packet in due:
            self.open[packet.number] = (packet, now)
        return due


@dataclass
class OneByOne:
    """Sends the next packet only when the one before it is answered: stop and wait."""

    waiting: deque = field(default_factory=deque)
    said: int = 0
    since: float = 0.0

    def say(self, text, now):
        self.said += 1
        self.waiting.append(Packet(number=self.said, text=text))
        return self.first(now) if len(self.waiting) == 1 else []

    def first(self, now):
        self.since = now
        return [self.waiting[0]]

    def ack(self, number, now):
        if not self.waiting or self.waiting[0].number != number:
            return []
        self.waiting.popleft()
        return self.first(now) if self.waiting else []

    def tick(self, now):
        return self.first(now) if self.waiting and now - self.since > 0.45 else []


class Dates:
    """A heap of dates; what is answered is left in it, and passed over when its date comes."""

    def __init__(self):
        self.dates, self.texts, self.answered = [], [], set()

    def say(self, text, now):
        self.texts.append(text)
        return self.go(len(self.texts), now)

    def go(self, number, now):
        heapq.heappush(self.dates, (now + 0.5, number))
        return [Packet(number, self.texts[number - 1])]

    def ack(self, number, now):
        self.answered.add(number)
        return []

    def tick(self, now):
        again = []
        while self.dates and self.dates[0][0] <= now:
            _, number = heapq.heappop(self.dates)
            if number not in self.answered:
                again.extend(self.go(number, now))
        return again


def is_due(entry, now):
    """Whether the patience of this entry is at its end."""
    return now >= entry["sent"] + entry["patience"]


class Patient:
    """Waits longer after each try, up to 0.9 s; names of the notebook, a function outside, and tuples."""

    def __init__(self):
        self.world, self.result = [], 0

    def show(self, entry, now):
        entry["sent"] = now
        return entry["packet"]

    def say(self, text, now):
        self.result += 1
        self.world.append({"packet": Packet(self.result, text), "patience": 0.3})
        return (self.show(self.world[-1], now),)

    def check(self, number):
        return [entry for entry in self.world if entry["packet"].number != number]

    def ack(self, number, now):
        self.world = self.check(number)
        return ()

    def tick(self, now):
        due = [entry for entry in self.world if is_due(entry, now)]
        for entry in due:
            entry["patience"] = min(0.9, entry["patience"] * 1.5)
        return tuple(self.show(entry, now) for entry in due)


class Window:
    """At most three packets are under way; the others wait for an answer.  Its state is that of a generator."""

    def __init__(self):
        self.flow = self._flow()
        next(self.flow)

    def say(self, text, now):
        return self.flow.send(("say", text, now))

    def ack(self, number, now):
        return self.flow.send(("ack", number, now))

    def tick(self, now):
        return self.flow.send(("tick", None, now))

    def _flow(self):
        texts, under_way, begun, out = [], {}, 0, []
        while True:
            what, value, now = yield out
            out = []
            if what == "say":
                texts.append(value)
            elif what == "ack":
                under_way.pop(value, None)
            else:
                out = [number for number in under_way if now - under_way[number] >= 0.6]
            while begun < len(texts) and len(under_way) < 3:
                begun += 1
                under_way[begun] = now
                out.append(begun)
            under_way.update(dict.fromkeys(out, now))
            out = [Packet(number, texts[number - 1]) for number in out]


class CountsTicks:
    """Never looks at the clock: a tick comes every tenth of a second."""

    def __init__(self):
        self.count, self.left = 0, {}

    def say(self, text, now):
        self.count += 1
        packet = Packet(self.count, text)
        self.left[packet] = 5
        return [packet]

    def ack(self, number, now):
        self.left = {packet: ticks for packet, ticks in self.left.items() if packet.number != number}
        return []

    def tick(self, now):
        self.left = {packet: ticks - 1 for packet, ticks in self.left.items()}
        due = [packet for packet, ticks in self.left.items() if ticks == 0]
        self.left.update(dict.fromkeys(due, 5))
        return due


# --- 1.2, the receiver ---------------------------------------------------------------------------


class MyReceiver:
    """The reference."""

    def __init__(self):
        self.due = 1
        self.early = {}

    def receive(self, packet):
        if packet.number >= self.due:
            self.early[packet.number] = packet
        ready = []
        while self.due in self.early:
            ready.append(self.early.pop(self.due))
            self.due += 1
        return ready, [packet.number]


class Sorted:
    """A heap, in which a copy is passed over when it comes to the top."""

    def __init__(self):
        self.heap, self.last = [], 0

    def receive(self, packet):
        heapq.heappush(self.heap, (packet.number, packet.text))
        ready = []
        while self.heap and self.heap[0][0] <= self.last + 1:
            number, text = heapq.heappop(self.heap)
            if number == self.last + 1:
                self.last = number
                ready.append(Packet(number, text))
        return ready, [packet.number]


@dataclass
class Slots:
    """A dataclass with a list of places, the next one first."""

    delivered: int = 0
    slots: list = field(default_factory=list)

    def receive(self, packet):
        place = packet.number - self.delivered - 1
        if place >= 0:
            self.slots.extend([None] * (place + 1 - len(self.slots)))
            self.slots[place] = packet
        return take_full(self), [packet.number]


def take_full(receiver):
    """Take the packets off the beginning of the list, up to the first place that is empty."""
    full = 0
    while full < len(receiver.slots) and receiver.slots[full] is not None:
        full += 1
    ready, receiver.slots = receiver.slots[:full], receiver.slots[full:]
    receiver.delivered += full
    return ready


class Names:
    """Attributes and methods that are called as things of the notebook are; tuples, and a method that calls itself."""

    def __init__(self):
        self.world, self.result = set(), 0

    def check(self):
        found = [packet for packet in self.world if packet.number == self.result + 1]
        if not found:
            return ()
        self.result += 1
        self.world.discard(found[0])
        return (found[0], *self.check())

    def receive(self, packet):
        if packet.number > self.result:
            self.world.add(packet)
        return self.check(), (packet.number,)


class Generator:
    """The state is that of a generator."""

    def __init__(self):
        self.flow = self._flow()
        next(self.flow)

    def receive(self, packet):
        return self.flow.send(packet), [packet.number]

    def _flow(self):
        due, early = 1, {}
        packet = yield
        while True:
            if packet.number >= due:
                early.setdefault(packet.number, packet)
            ready = []
            while due in early:
                ready, due = [*ready, early.pop(due)], due + 1
            packet = yield ready


ANSWERS = {
    "1.1": {
        "reference": MySender,
        "one by one, a dataclass": OneByOne,
        "a heap of dates": Dates,
        "patience grows, names of the notebook": Patient,
        "a window, a generator": Window,
        "counts ticks": CountsTicks,
    },
    "1.2": {
        "reference": MyReceiver,
        "a heap": Sorted,
        "slots, a dataclass": Slots,
        "names of the notebook": Names,
        "a generator": Generator,
    },
}
