"""Right answers of lab 03, each written differently: none of them may lose a point."""

import heapq
from bisect import insort
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


class MyHoldBack:
    """The reference of 3.1."""

    def __init__(self, first=1):
        self.due = first
        self.early = {}

    def receive(self, number, message):
        if number >= self.due:
            self.early[number] = message
        ready = []
        while self.due in self.early:
            ready.append(self.early.pop(self.due))
            self.due += 1
        return ready


class SortedList:
    """What waits stands in a list, sorted by number."""

    def __init__(self, first=1):
        self.next_number = first
        self.waiting = []

    def receive(self, number, message):
        if number < self.next_number or any(known == number for known, _ in self.waiting):
            return []
        insort(self.waiting, (number, message), key=lambda pair: pair[0])
        out = []
        while self.waiting and self.waiting[0][0] == self.next_number:
            out.append(self.waiting.pop(0)[1])
            self.next_number += 1
        return out


@dataclass(order=True)
class Waiting:
    """One message in the heap."""

    number: int
    message: Any = field(compare=False)


class Heap:
    """A heap of dataclasses; copies are thrown away when they come to the top."""

    def __init__(self, first=1):
        self.heap = []
        self.delivered = first - 1

    def receive(self, number, message):
        heapq.heappush(self.heap, Waiting(number, message))
        answer = []
        while self.heap and self.heap[0].number <= self.delivered + 1:
            top = heapq.heappop(self.heap)
            if top.number == self.delivered + 1:
                answer.append(top.message)
                self.delivered = top.number
        return answer


def take_out(early, due):
    """Return what is due and all that follows it."""
    if due not in early:
        return []
    return [early.pop(due), *take_out(early, due + 1)]


class Helper:
    """The work is done by a recursive function outside of the class."""

    def __init__(self, first=1):
        self.due, self.early = first, {}

    def receive(self, number, message):
        if number >= self.due:
            self.early.setdefault(number, message)
        ready = take_out(self.early, self.due)
        self.due += len(ready)
        return ready


class Ring:
    """A ring of slots that grows, read with `match`."""

    def __init__(self, first=1):
        self.base = first
        self.slots = [None] * 4

    def receive(self, number, message):
        match number - self.base:
            case place if place < 0:
                return []
            case place:
                while place >= len(self.slots):
                    self._grow()
                self.slots[number % len(self.slots)] = message
        ready = []
        while (one := self.slots[self.base % len(self.slots)]) is not None:
            ready.append(one)
            self.slots[self.base % len(self.slots)] = None
            self.base += 1
        return ready

    def _grow(self):
        old, size = self.slots, len(self.slots)
        self.slots = [None] * (2 * size)
        for number in range(self.base, self.base + size):
            self.slots[number % (2 * size)] = old[number % size]


class Names:
    """Attributes and methods that are called as things of the notebook are."""

    def __init__(self, first=1):
        self.result = []
        self.world = {}
        self.show = first

    def check(self):
        return self.show in self.world

    def receive(self, number, message):
        self.result = []
        if number >= self.show:
            self.world[number] = message
        while self.check():
            self.result.append(self.world.pop(self.show))
            self.show += 1
        return self.result


class Generator:
    """The state is that of a generator, which nobody can pickle or measure."""

    def __init__(self, first=1):
        self.flow = self._flow(first)
        next(self.flow)

    def _flow(self, due):
        early, ready = {}, []
        while True:
            number, message = yield ready
            ready = []
            if number >= due:
                early[number] = message
            while due in early:
                ready.append(early.pop(due))
                due += 1

    def receive(self, number, message):
        return self.flow.send((number, message))


class Locked:
    """A lock around it, for nodes that have threads."""

    def __init__(self, first=1):
        self.lock = Lock()
        self.due = first
        self.early = {}

    def receive(self, number, message):
        with self.lock:
            if number < self.due:
                return []
            self.early[number] = message
            ready = []
            while (one := self.early.pop(self.due, None)) is not None:
                ready.append(one)
                self.due += 1
            return ready


class Tuples:
    """Returns a tuple: the order is what counts."""

    def __init__(self, first=1):
        self.due = first
        self.early = {}

    def receive(self, number, message):
        self.early |= {number: message} if number >= self.due else {}
        end = self.due
        while end in self.early:
            end += 1
        ready = tuple(self.early.pop(each) for each in range(self.due, end))
        self.due = end
        return ready


# --- 3.2 ---------------------------------------------------------------------------------------


class MyAskingHoldBack(MyHoldBack):
    """The reference of 3.2."""

    def missing(self, newest):
        return self.due if self.due <= newest else None


class Searching(SortedList):
    """Looks for the first number that is neither delivered nor waiting."""

    def missing(self, newest):
        there = {number for number, _ in self.waiting}
        for number in range(self.next_number, newest + 1):
            if number not in there:
                return number


class Alone:
    """Written anew, without a base class; remembers what `newest` was at most."""

    def __init__(self, first=1):
        self.waiting = {}
        self.done = first - 1
        self.known = 0

    def receive(self, number, message):
        self.known = max(self.known, number)
        if number > self.done:
            self.waiting[number] = message
        ready = []
        while self.done + 1 in self.waiting:
            self.done += 1
            ready += [self.waiting.pop(self.done)]
        return ready

    def missing(self, newest):
        self.known = max(self.known, newest)
        return None if self.done >= self.known else self.done + 1


# --- 3.3 ---------------------------------------------------------------------------------------


class MySequencer:
    """The reference of 3.3."""

    def __init__(self):
        self.numbers = {}

    def order(self, origin, post, text):
        if (origin, post) not in self.numbers:
            if post > 1 and (origin, post - 1) not in self.numbers:
                return None
            self.numbers[origin, post] = len(self.numbers) + 1
        return self.numbers[origin, post]


class Lists:
    """A list of numbers for each author."""

    def __init__(self):
        self.last = 0
        self.of = {}

    def order(self, origin, post, text):
        mine = self.of.setdefault(origin, [])
        if post <= len(mine):
            return mine[post - 1]
        if post == len(mine) + 1:
            self.last += 1
            mine.append(self.last)
            return self.last
        return None


class Log:
    """The log itself is the memory: the place in it is the number."""

    def __init__(self):
        self.log = []

    def order(self, origin, post, text):
        known = [(one, other) for one, other, _ in self.log]
        if (origin, post) in known:
            return known.index((origin, post)) + 1
        if sum(one == origin for one, _ in known) + 1 != post:
            return None
        self.log.append((origin, post, text))
        return len(self.log)


ANSWERS = {
    "3.1": {
        "reference": MyHoldBack,
        "sorted list": SortedList,
        "heap of dataclasses": Heap,
        "helper outside of the class": Helper,
        "ring of slots": Ring,
        "names of the notebook": Names,
        "generator": Generator,
        "lock": Locked,
        "tuple": Tuples,
    },
    "3.2": {"reference": MyAskingHoldBack, "searching": Searching, "without a base class": Alone},
    "3.3": {"reference": MySequencer, "lists": Lists, "log": Log},
}


def scenario(world):
    """The reference of 3.4: everything that can go wrong on the way, once."""
    world.run(0.5)
    world.say("ok", 3, author="eve")
    world.run(0.5)
    world.slow(3, 1, 2.0)  # 2 crawls
    world.say("ok", 3, author="eve")
    world.run(0.1)
    world.slow(3, 1, 0.0)
    world.duplicate(3, 1, 1.0, 0.5)  # all that follows overtakes it, and comes twice
    for text in ("ok", "yes", "ok", "no", "yes", "no", "ok", "yes", "why?", "so"):
        world.say(text, 3, author="eve")
        world.run(0.05)
    world.run(6)


def claim(trace):
    """Every node delivers the numbers 1, 2, 3, ..., each once, as soon as they are there."""
    sent = {r.seq for r in trace.of("send") if r.message == "ORDERED"}
    for node in trace.nodes:
        mine = [r for r in trace.of("deliver") if r.node == node]
        numbers = [r.seq for r in mine]
        if numbers != list(range(1, len(sent) + 1)):
            return f"node {node} delivered {numbers}, and there are {len(sent)} messages"
        came = {}
        for r in trace.of("receive"):
            if r.node == node and r.message == "ORDERED":
                came.setdefault(r.seq, r.time)
        ready = 0.0
        for r in mine:
            ready = max(ready, came.get(r.seq, 0.0))
            if came and r.time > ready + 0.001:
                return f"node {node} delivered #{r.seq} at {r.time:.2f} s, and it was ready at {ready:.2f} s"
    return None


WRITTEN = {"3.4": {"scenario": scenario, "claim": claim}}
"""A written test that gets all points."""
