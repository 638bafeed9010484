"""Right answers of lab 02, each written differently: none of them may lose a point."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

# --- 2.1 -----------------------------------------------------------------------------------------


class MyLamport:
    """The reference."""

    def __init__(self):
        self.time = 0

    def tick(self):
        self.time += 1
        return self.time

    def send(self):
        return self.tick()

    def receive(self, stamp):
        self.time = max(self.time, stamp)
        return self.tick()


@dataclass
class Record:
    """A dataclass whose attributes have names of the notebook."""

    result: int = 0
    check: int = 0

    def tick(self):
        self.check += 1
        self.result = self.result + 1
        return self.result

    send = tick

    def receive(self, stamp):
        if stamp > self.result:
            self.result = stamp
        return self.tick()


def after(*numbers):
    """Return the first number after all of these."""
    return 1 + max(numbers)


class Listed:
    """Keeps every number that it gave, and asks a function outside of the class."""

    def __init__(self):
        self.given = [0]

    def world(self, *more):
        self.given.append(after(self.given[-1], *more))
        return self.given[-1]

    def tick(self):
        return self.world()

    def send(self):
        return self.world()

    def receive(self, stamp):
        return self.world(stamp)


class Counting:
    """A generator gives the numbers."""

    def __init__(self):
        self.numbers = self._numbers()
        next(self.numbers)

    def _numbers(self):
        time = 0
        while True:
            time = max(time, (yield time) or 0) + 1

    def tick(self):
        return self.numbers.send(0)

    def send(self):
        return self.numbers.send(None)

    def receive(self, stamp):
        return self.numbers.send(stamp)


# --- 2.2 -----------------------------------------------------------------------------------------


class MyVector:
    """The reference."""

    def __init__(self, me, nodes):
        self.me = me
        self.clock = dict.fromkeys(nodes, 0)

    def tick(self):
        self.clock[self.me] += 1
        return dict(self.clock)

    def send(self):
        return self.tick()

    def receive(self, stamp):
        for node, count in stamp.items():
            self.clock[node] = max(self.clock[node], count)
        return self.tick()


class Bag:
    """A Counter, whose | is the larger of two counts; what is 0 stands nowhere in it."""

    def __init__(self, me, nodes):
        self.me, self.result = me, Counter()

    def tick(self):
        self.result[self.me] += 1
        return dict(self.result)

    send = tick

    def receive(self, stamp):
        self.result |= Counter(stamp)
        return self.tick()


class Rows:
    """Two lists side by side."""

    def __init__(self, me, nodes):
        self.nodes, self.counts = sorted(nodes), [0] * len(nodes)
        self.mine = self.nodes.index(me)

    def show(self):
        return dict(zip(self.nodes, self.counts, strict=True))

    def tick(self):
        self.counts[self.mine] = self.counts[self.mine] + 1
        return self.show()

    def send(self):
        self.counts[self.mine] = self.counts[self.mine] + 1
        return self.show()

    def receive(self, stamp):
        self.counts = [max(count, stamp.get(node, 0)) for node, count in zip(self.nodes, self.counts, strict=True)]
        return self.tick()


def larger(one, other):
    """Return the larger entries of two vectors."""
    return {node: max(one.get(node, 0), other.get(node, 0)) for node in one.keys() | other.keys()}


class Fresh:
    """A new dictionary for each event; a function outside of the class joins two."""

    def __init__(self, me, nodes):
        self.world = {"me": me, "known": {}}

    def tick(self):
        return self.receive({})

    def send(self):
        return self.receive({})

    def receive(self, stamp):
        me, known = self.world["me"], larger(self.world["known"], stamp)
        self.world["known"] = {**known, me: known.get(me, 0) + 1}
        return self.world["known"].copy()


# --- 2.3 -----------------------------------------------------------------------------------------


class MyOrder:
    """The reference."""

    def before(self, a, b):
        nodes = {*a, *b}
        return all(a.get(n, 0) <= b.get(n, 0) for n in nodes) and any(a.get(n, 0) < b.get(n, 0) for n in nodes)

    def concurrent(self, a, b):
        nodes = {*a, *b}
        return any(a.get(n, 0) > b.get(n, 0) for n in nodes) and any(a.get(n, 0) < b.get(n, 0) for n in nodes)


class Counters:
    """Counters compare as vectors do."""

    def before(self, a, b):
        return Counter(a) <= Counter(b) and Counter(a) != Counter(b)

    def concurrent(self, a, b):
        one, other = Counter(a), Counter(b)
        return not one <= other and not other <= one


class Signs:
    """Looks at the signs of all differences."""

    def check(self, a, b):
        signs = set()
        for node in sorted(set(a) | set(b)):
            difference = b.get(node, 0) - a.get(node, 0)
            if difference != 0:
                signs.add(difference > 0)
        return signs

    def before(self, a, b):
        return self.check(a, b) == {True}

    def concurrent(self, a, b):
        return len(self.check(a, b)) == 2


def at_most(a, b):
    return all(count <= b.get(node, 0) for node, count in a.items())


class Negated:
    """Concurrent is neither before nor after nor equal; a function outside compares."""

    @staticmethod
    def before(a, b):
        return at_most(a, b) and not at_most(b, a)

    def concurrent(self, a, b):
        return not (at_most(a, b) or at_most(b, a))


# --- 2.4 -----------------------------------------------------------------------------------------


class MyCausal:
    """The reference."""

    def __init__(self, me, nodes):
        self.me, self.shown, self.waiting = me, dict.fromkeys(nodes, 0), []

    def stamp(self):
        self.shown[self.me] += 1
        return dict(self.shown)

    def may_be_shown(self, sender, stamp):
        others = (count <= self.shown[node] for node, count in stamp.items() if node != sender)
        return stamp[sender] == self.shown[sender] + 1 and all(others)

    def receive(self, sender, stamp, message):
        self.waiting.append((sender, stamp, message))
        ready, found = [], True
        while found:
            found = [one for one in self.waiting if self.may_be_shown(one[0], one[1])]
            for one in found:
                self.waiting.remove(one)
                self.shown[one[0]] += 1
                ready.append(one[2])
        return ready


class Again:
    """Calls itself as long as something was shown; a Counter counts."""

    def __init__(self, me, nodes):
        self.me, self.result, self.world = me, Counter(), []

    def stamp(self):
        self.result[self.me] += 1
        return dict(self.result)

    def receive(self, sender, stamp, message):
        self.world = [*self.world, (sender, Counter(stamp), message)]
        return self.check()

    def check(self):
        for place, (sender, stamp, message) in enumerate(self.world):
            after = self.result + Counter([sender])
            if stamp[sender] == after[sender] and stamp <= after:
                self.result = after
                del self.world[place]
                return [message, *self.check()]
        return []


@dataclass
class Lacking:
    """A dataclass; each message waits with the set of all that it still lacks."""

    me: int
    nodes: list
    said: int = 0
    seen: dict = field(default_factory=lambda: defaultdict(int))
    waits: dict = field(default_factory=dict)

    def stamp(self):
        self.seen[self.me] += 1
        return {node: self.seen[node] for node in self.nodes}

    def lacks(self, sender, stamp):
        wanted = dict(stamp)
        wanted[sender] -= 1
        return {node for node, count in wanted.items() if self.seen[node] < count}

    def receive(self, sender, stamp, message):
        self.waits[sender, stamp[sender]] = (stamp, message)
        ready = []
        while True:
            key = next((key for key, (its, _) in self.waits.items() if not self.lacks(key[0], its)), None)
            if key is None:
                return ready
            _, free = self.waits.pop(key)
            self.seen[key[0]] += 1
            ready.append(free)


class Sorted:
    """What waits is sorted by the sum of its stamp: nothing can wait for something with a larger sum."""

    def __init__(self, me, nodes):
        self.me, self.counts, self.show = me, dict.fromkeys(nodes, 0), []

    def stamp(self):
        self.counts = {**self.counts, self.me: self.counts[self.me] + 1}
        return self.counts

    def receive(self, sender, stamp, message):
        self.show.append((sum(stamp.values()), sender, stamp, message))
        self.show.sort(key=lambda one: one[0])
        ready, rest = [], []
        for one in self.show:
            after = {**self.counts, one[1]: self.counts[one[1]] + 1}
            if at_most(one[2], after):
                self.counts = after
                ready.append(one[3])
            else:
                rest.append(one)
        self.show = rest
        return tuple(ready)


# --- 2.5 -----------------------------------------------------------------------------------------


class MyCut:
    """The reference."""

    def consistent(self, cut):
        return all(seen.get(node, 0) <= cut[node].get(node, 0) for seen in cut.values() for node in cut)


class Loops:
    """Two loops."""

    def consistent(self, cut):
        for one in cut:
            for vector in cut.values():
                if vector.get(one, 0) > cut[one].get(one, 0):
                    return False
        return True


class Union:
    """Nobody in the cut knows more of a node than that node itself."""

    def consistent(self, cut):
        known = Counter()
        for vector in cut.values():
            known |= Counter(vector)
        return all(known[node] == cut[node].get(node, 0) for node in cut)


def heard_of(cut, node):
    return max(vector.get(node, 0) for vector in cut.values())


class Asked:
    """A function outside asks all."""

    result = None

    def consistent(self, cut):
        self.result = [heard_of(cut, node) > vector.get(node, 0) for node, vector in cut.items()]
        return True not in self.result


ANSWERS = {
    "2.1": {
        "reference": MyLamport,
        "dataclass, names of the notebook": Record,
        "list of all numbers": Listed,
        "generator": Counting,
    },
    "2.2": {"reference": MyVector, "Counter": Bag, "lists": Rows, "new dictionaries": Fresh},
    "2.3": {"reference": MyOrder, "Counters": Counters, "signs of differences": Signs, "negated": Negated},
    "2.4": {"reference": MyCausal, "recursion, Counter": Again, "dataclass": Lacking, "sorted by sums": Sorted},
    "2.5": {"reference": MyCut, "loops": Loops, "union": Union, "function outside": Asked},
}
