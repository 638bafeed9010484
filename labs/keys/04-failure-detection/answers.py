"""Right answers of lab 04, each written differently: none of them may lose a point."""

from collections import deque
from dataclasses import dataclass, field
from math import sqrt
from statistics import NormalDist, fmean, pstdev


class MyDetector:
    """The reference of 4.1."""

    def __init__(self, peers, now, interval, timeout):
        self.timeout = timeout
        self.heard = dict.fromkeys(peers, now)
        self.newest = dict.fromkeys(peers, 0)

    def beat(self, peer, number, sent_at, now):
        if number > self.newest[peer]:
            self.newest[peer] = number
            self.heard[peer] = now

    def suspects(self, now):
        return {peer for peer, heard in self.heard.items() if now - heard > self.timeout}


@dataclass
class Peer:
    """What is known of one peer."""

    deadline: float
    number: int = 0


class Deadlines:
    """A dataclass for each peer, with the moment from which on it is suspected."""

    def __init__(self, peers, now, interval, timeout):
        self.timeout = timeout
        self.known = {peer: Peer(now + timeout) for peer in peers}

    def beat(self, peer, number, sent_at, now):
        one = self.known[peer]
        if number <= one.number:
            return
        one.number, one.deadline = number, now + self.timeout

    def suspects(self, now):
        return {peer for peer, one in self.known.items() if now >= one.deadline}


class KeepsTheSet:
    """Keeps the set of suspects, and changes it; returns the very same set each time."""

    def __init__(self, peers, now, interval, timeout):
        self.interval, self.timeout = interval, timeout
        self.last = dict.fromkeys(peers, (0, now))
        self.suspected = set()

    def beat(self, peer, number, sent_at, now):
        if number > self.last[peer][0]:
            self.last[peer] = (number, now)
            self.suspected.discard(peer)

    def suspects(self, now):
        for peer, (_, heard) in self.last.items():
            if now > heard + self.timeout:
                self.suspected.add(peer)
        return self.suspected


def silent_for(beats, now):
    """Return how long nobody was heard."""
    return now - beats[1]


class Patient:
    """Waits half a beat longer than it must; the work is done by a function outside of the class."""

    def __init__(self, peers, now, interval, timeout):
        self.wait = timeout + interval / 2
        self.result = {peer: [0, now] for peer in peers}
        self.world = frozenset(peers)

    def check(self, peer, now):
        return silent_for(self.result[peer], now) > self.wait

    def beat(self, peer, number, sent_at, now):
        if number > self.result[peer][0]:
            self.result[peer][:] = number, now

    def suspects(self, now):
        return set(filter(lambda peer: self.check(peer, now), self.world))


class Sorted:
    """Who was heard longest ago stands first; uses what `sent_at` is good for, the dates of one sender."""

    def __init__(self, peers, now, interval, timeout):
        self.timeout = timeout
        self.order = dict.fromkeys(peers, now)
        self.dates = {}

    def beat(self, peer, number, sent_at, now):
        if sent_at > self.dates.get(peer, float("-inf")):
            self.dates[peer] = sent_at
            del self.order[peer]
            self.order[peer] = now

    def suspects(self, now):
        found = []
        for peer, heard in self.order.items():
            if now - heard <= self.timeout:
                break
            found.append(peer)
        return set(found)


# --- 4.2 ---------------------------------------------------------------------------------------


class MyAdaptive(MyDetector):
    """The reference of 4.2."""

    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, timeout)
        self.gaps = {peer: deque(maxlen=20) for peer in peers}

    def beat(self, peer, number, sent_at, now):
        if number > self.newest[peer] > 0:
            self.gaps[peer].append(now - self.heard[peer])
        super().beat(peer, number, sent_at, now)

    def wait(self, peer):
        gaps = self.gaps[peer]
        if len(gaps) < 5:
            return self.timeout
        return fmean(gaps) + 6 * max(pstdev(gaps), 0.4)

    def suspects(self, now):
        return {peer for peer, heard in self.heard.items() if now - heard > self.wait(peer)}


class LongestGap:
    """The longest of the last twenty gaps, and two seconds."""

    def __init__(self, peers, now, interval, timeout):
        self.first = timeout
        self.heard = dict.fromkeys(peers, now)
        self.number = dict.fromkeys(peers, 0)
        self.gaps = {peer: [] for peer in peers}

    def beat(self, peer, number, sent_at, now):
        if number <= self.number[peer]:
            return
        if self.number[peer]:
            self.gaps[peer] = [*self.gaps[peer][-19:], now - self.heard[peer]]
        self.number[peer], self.heard[peer] = number, now

    def suspects(self, now):
        waits = {peer: max(gaps) + 2.0 if len(gaps) > 3 else self.first for peer, gaps in self.gaps.items()}
        return {peer for peer in self.heard if now - self.heard[peer] > waits[peer]}


@dataclass
class Line:
    """What is known of the way from one peer."""

    heard: float
    number: int = 0
    gaps: list = field(default_factory=list)


class Phi:
    """Suspicion as a number (phi) that grows with the silence; the deviation has a floor."""

    def __init__(self, peers, now, interval, timeout):
        self.interval, self.timeout = interval, timeout
        self.lines = {peer: Line(now) for peer in peers}
        self.edge = NormalDist().inv_cdf(1 - 1e-9)

    def beat(self, peer, number, sent_at, now):
        line = self.lines[peer]
        if number > line.number:
            if line.number:
                line.gaps = line.gaps[-19:] + [now - line.heard]
            line.heard, line.number = now, number

    def suspects(self, now):
        found = set()
        for peer, line in self.lines.items():
            silence = now - line.heard
            if len(line.gaps) < 5:
                silent = silence > self.timeout
            else:
                centre = sum(line.gaps) / len(line.gaps)
                spread = sqrt(sum((gap - centre) ** 2 for gap in line.gaps) / len(line.gaps))
                silent = (silence - centre) / max(spread, 0.42) > self.edge
            if silent:
                found.add(peer)
        return found


class Smoothed:
    """As TCP measures its round trips: a smoothed gap and a smoothed deviation, no window at all."""

    def __init__(self, peers, now, interval, timeout):
        self.heard = dict.fromkeys(peers, now)
        self.newest = dict.fromkeys(peers, 0)
        self.gap = dict.fromkeys(peers, interval)
        self.deviation = dict.fromkeys(peers, 0.32)

    def beat(self, peer, number, sent_at, now):
        if number <= self.newest[peer]:
            return
        if self.newest[peer]:
            error = min(now - self.heard[peer], 8.0) - self.gap[peer]
            self.gap[peer] += error / 10
            self.deviation[peer] += (abs(error) - self.deviation[peer]) / 10
        self.newest[peer], self.heard[peer] = number, now

    def suspects(self, now):
        return {
            peer
            for peer, heard in self.heard.items()
            if now - heard > self.gap[peer] + 8 * max(self.deviation[peer], 0.3)
        }


ANSWERS = {
    "4.1": {
        "reference": MyDetector,
        "deadlines in a dataclass": Deadlines,
        "keeps the set": KeepsTheSet,
        "half a beat more, names of the notebook": Patient,
        "sorted, new by the sender's dates": Sorted,
    },
    "4.2": {"reference": MyAdaptive, "longest gap": LongestGap, "phi": Phi, "smoothed, as TCP": Smoothed},
}


def scenario(world):
    """The reference of 4.3: whoever can fall silent does, and comes back; old beats go on coming."""
    world.crash(3)  # nobody has ever heard node 3
    world.run(6)
    world.restart(3)
    world.run(3)
    world.cut(2, 1, True)  # node 1 cannot hear node 2, and node 2 hears node 1
    world.run(6)
    world.reconnect(2, 1, True)
    world.run(4)
    world.lose(1, 2, 0.4)
    world.lose(1, 3, 0.4)
    world.run(6)
    world.heal(True)
    for a, b in ((1, 2), (1, 3), (2, 3)):
        world.duplicate(a, b, 1.0, 4.0)
    world.run(4)
    world.crash(2)
    world.run(7)
    world.restart(2)
    world.run(4)


def claim(trace):
    """Who was silent too long is suspected, nobody is earlier, and whoever is heard again is not for long."""
    heard, newest, suspected, again = {}, {}, set(), {}
    for record in trace:
        pair, now = (record.node, record.peer), record.time
        if record.kind in ("start", "crash", "pause"):
            for other in trace.nodes:
                for kept in (heard, newest, again):
                    kept.pop((record.node, other), None)
                suspected.discard((record.node, other))
                if record.kind == "start" and other != record.node:
                    heard[record.node, other], newest[record.node, other] = now, 0
        elif pair in heard and record.kind == "receive" and record.message == "BEAT" and record.seq > newest[pair]:
            heard[pair], newest[pair] = now, record.seq
            if pair in suspected:
                again.setdefault(pair, now)
        elif pair in heard and record.kind == "suspect":
            suspected.add(pair)
            if now - heard[pair] < 2.4:
                return f"node {pair[0]} suspects node {pair[1]} after {now - heard[pair]:.1f} s"
        elif record.kind == "restore":
            suspected.discard(pair)
            again.pop(pair, None)
        for pair, last in heard.items():
            if now - last > 3.8 and pair not in suspected:
                return f"node {pair[0]} has not heard node {pair[1]} for {now - last:.1f} s and does not suspect it"
            if now - again.get(pair, now) > 1.4:
                return f"node {pair[0]} heard node {pair[1]} again and suspects it at {now:.1f} s"
    return None


WRITTEN = {"4.3": {"scenario": scenario, "claim": claim}}
"""A written test that gets all points."""
