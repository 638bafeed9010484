"""Wrong answers of lab 04: each is a misconception, with what it loses and the sentence that its writer reads."""

from collections import deque
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from statistics import mean, pstdev

from chatsys.teach.grading.keys import Mistake

_spec = spec_from_file_location("right", Path(__file__).with_name("answers.py"))
right = module_from_spec(_spec)
_spec.loader.exec_module(right)

MyDetector, MyAdaptive = right.MyDetector, right.MyAdaptive

EVERY = ("complete", "accurate", "restore")


def both(*aspects, budget=False):
    """Lost in public and in secret; `budget`: and the budget of memory, which needs them."""
    return {"public": aspects, "hidden": aspects} | ({"budget": ("memory",)} if budget else {})


ALL = both(*EVERY, budget=True)
HIDDEN = {"hidden": EVERY, "budget": ("memory",)}
"""Seen only where a node is down from the beginning, or copies come late."""


# --- 4.1 ---------------------------------------------------------------------------------------


class OneDeadline:
    def __init__(self, peers, now, interval, timeout):
        self.peers, self.timeout, self.heard = set(peers), timeout, now

    def beat(self, peer, number, sent_at, now):
        self.heard = now

    def suspects(self, now):
        return set(self.peers) if now - self.heard > self.timeout else set()


class EveryBeatCounts(MyDetector):
    def beat(self, peer, number, sent_at, now):
        self.heard[peer] = now


class NotSmaller(MyDetector):
    def beat(self, peer, number, sent_at, now):
        if number >= self.newest[peer]:
            self.newest[peer] = number
            self.heard[peer] = now


class ClockOfTheSender(MyDetector):
    def beat(self, peer, number, sent_at, now):
        super().beat(peer, number, now, sent_at)


class SuspicionIsFinal(MyDetector):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, timeout)
        self.gone = set()

    def suspects(self, now):
        self.gone |= super().suspects(now)
        return self.gone


class TimeoutIsTheInterval(MyDetector):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, interval)


class IgnoresTheTimeout(MyDetector):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, 2.5)


class DeadUntilHeard:
    def __init__(self, peers, now, interval, timeout):
        self.timeout = timeout
        self.heard = {}
        self.newest = {}

    def beat(self, peer, number, sent_at, now):
        if number > self.newest.get(peer, 0):
            self.newest[peer] = number
            self.heard[peer] = now

    def suspects(self, now):
        return {peer for peer, heard in self.heard.items() if now - heard > self.timeout}


class SuspectedUntilHeard(MyDetector):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now - 2 * timeout, interval, timeout)


class Symmetric(MyDetector):
    pairs = set()

    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, timeout)
        self.me = next(node for node in (1, 2, 3) if node not in peers)

    def suspects(self, now):
        mine = super().suspects(now)
        for peer in self.heard:
            if peer in mine:
                self.pairs.add((self.me, peer))
            else:
                self.pairs.discard((self.me, peer))
        return {peer for peer in self.heard if (self.me, peer) in self.pairs or (peer, self.me) in self.pairs}


class SharedDictionary(MyDetector):
    heard = {}
    newest = {}

    def __init__(self, peers, now, interval, timeout):
        self.timeout = timeout
        for peer in peers:
            self.heard.setdefault(peer, now)
            self.newest.setdefault(peer, 0)


class KeepsEveryBeat(MyDetector):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, timeout)
        self.beats = []

    def beat(self, peer, number, sent_at, now):
        self.beats.append((peer, number, sent_at, now))
        super().beat(peer, number, sent_at, now)


class StartsAtZero(MyDetector):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, 0, interval, timeout)


class NumbersBeginAnew(MyDetector):
    """Waits for exactly the next number."""

    def beat(self, peer, number, sent_at, now):
        if number == self.newest[peer] + 1:
            self.newest[peer] = number
            self.heard[peer] = now


class SuspectsEverybody(MyDetector):
    def suspects(self, now):
        return set(self.heard)


class SuspectsNobody(MyDetector):
    def suspects(self, now):
        return set()


class ReturnsOne(MyDetector):
    def suspects(self, now):
        return next(iter(super().suspects(now)), None)


class Raises(MyDetector):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, timeout)
        self.heard = {}

    def suspects(self, now):
        return {peer for peer in self.newest if now - self.heard[peer] > self.timeout}


class NotWritten:
    def __init__(self, peers, now, interval, timeout):
        raise NotImplementedError

    def beat(self, peer, number, sent_at, now):
        raise NotImplementedError

    def suspects(self, now):
        raise NotImplementedError


# --- 4.2 ---------------------------------------------------------------------------------------


class FourDeviations(MyAdaptive):
    def wait(self, peer):
        gaps = self.gaps[peer]
        return self.timeout if len(gaps) < 5 else mean(gaps) + 4 * pstdev(gaps)


class EightDeviations(MyAdaptive):
    def wait(self, peer):
        gaps = self.gaps[peer]
        return self.timeout if len(gaps) < 5 else mean(gaps) + 8 * pstdev(gaps)


class StaysFixed(MyDetector):
    """The detector of 4.1."""


class LongAndFixed(MyDetector):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, 5.0)


class AMinute(MyDetector):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, 60.0)


class NeverForgets(MyAdaptive):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, timeout)
        self.gaps = {peer: deque(maxlen=100_000) for peer in peers}


class LearnsOnce(MyAdaptive):
    def beat(self, peer, number, sent_at, now):
        if len(self.gaps[peer]) == 20:
            MyDetector.beat(self, peer, number, sent_at, now)
        else:
            super().beat(peer, number, sent_at, now)


class OneWindow(MyAdaptive):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, timeout)
        self.window = deque(maxlen=20)
        self.last = None

    def beat(self, peer, number, sent_at, now):
        if number > self.newest[peer]:
            if self.last is not None:
                self.window.append(now - self.last)
            self.last = now
        MyDetector.beat(self, peer, number, sent_at, now)

    def wait(self, peer):
        return self.timeout if len(self.window) < 5 else mean(self.window) + 6 * max(pstdev(self.window), 0.1)


class TwiceTheMean(MyAdaptive):
    def wait(self, peer):
        gaps = self.gaps[peer]
        return self.timeout if len(gaps) < 5 else 2 * mean(gaps)


class WideFloor(MyAdaptive):
    def wait(self, peer):
        gaps = self.gaps[peer]
        return self.timeout if len(gaps) < 5 else mean(gaps) + 6 * max(pstdev(gaps), 1.0)


class WaitsForItsWindow(MyAdaptive):
    """Suspects nobody before its window is full."""

    def wait(self, peer):
        return super().wait(peer) if len(self.gaps[peer]) == 20 else 1e9


class SharedWindows(MyAdaptive):
    gaps = {}

    def __init__(self, peers, now, interval, timeout):
        MyDetector.__init__(self, peers, now, interval, timeout)
        for peer in peers:
            self.gaps.setdefault(peer, [])

    def beat(self, peer, number, sent_at, now):
        if number > self.newest[peer] > 0:
            self.gaps[peer].append(now - self.heard[peer])
        MyDetector.beat(self, peer, number, sent_at, now)

    def wait(self, peer):
        gaps = self.gaps[peer]
        return self.timeout if len(gaps) < 5 else mean(gaps) + 6 * max(pstdev(gaps), 0.4)


class KeepsEveryGap(MyAdaptive):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, timeout)
        self.all = {}

    def beat(self, peer, number, sent_at, now):
        self.all[peer, number] = (sent_at, now)
        super().beat(peer, number, sent_at, now)


CALM = ("complete", "calm", "quick", "adapts")
MISTAKES = {
    "4.1": {
        "one deadline for all": Mistake(OneDeadline, ALL, r"."),
        "every beat counts": Mistake(EveryBeatCounts, HIDDEN, r"."),
        "a copy of the newest counts": Mistake(NotSmaller, HIDDEN, r"."),
        "the clock of the sender": Mistake(ClockOfTheSender, ALL, r"."),
        "a suspicion is final": Mistake(SuspicionIsFinal, both("restore"), r"."),
        "the timeout is the interval": Mistake(TimeoutIsTheInterval, both("accurate"), r"."),
        "ignores the timeout": Mistake(IgnoresTheTimeout, ALL, r"."),
        "dead until heard": Mistake(DeadUntilHeard, HIDDEN, r"."),
        "suspected until heard": Mistake(SuspectedUntilHeard, both("accurate"), r"."),
        "one-way taken for symmetric": Mistake(Symmetric, ALL, r"."),
        "all detectors are one": Mistake(SharedDictionary, ALL, r"."),
        "keeps every beat": Mistake(KeepsEveryBeat, {"budget": ("memory",)}, r".", tests=False),
        "begins at zero": Mistake(StartsAtZero, both("accurate"), r"."),
        "waits for the next number": Mistake(NumbersBeginAnew, both("accurate"), r"."),
        "suspects everybody": Mistake(SuspectsEverybody, both("accurate", "restore"), r"."),
        "suspects nobody": Mistake(SuspectsNobody, ALL, r"."),
        "returns one": Mistake(ReturnsOne, ALL, r"."),
        "raises": Mistake(Raises, ALL, r"."),
        "is not written": Mistake(NotWritten, ALL, r"not written"),
    },
    "4.2": {
        "four deviations": Mistake(FourDeviations, both("calm"), r"."),
        "eight deviations": Mistake(EightDeviations, both("calm"), r"."),
        "stays fixed": Mistake(StaysFixed, both("calm"), r"."),
        "long and fixed": Mistake(LongAndFixed, both("adapts"), r"."),
        "a minute": Mistake(AMinute, both(*CALM), r"."),
        "never forgets": Mistake(NeverForgets, both("quick"), r"."),
        "learns once": Mistake(LearnsOnce, both("calm"), r"."),
        "one window for all": Mistake(OneWindow, both("calm"), r"."),
        "twice the mean": Mistake(TwiceTheMean, both("calm"), r"."),
        "a floor of one second": Mistake(WideFloor, both("adapts"), r"."),
        "waits for its window": Mistake(WaitsForItsWindow, both(*CALM), r"."),
        "all windows are one": Mistake(SharedWindows, both(*CALM), r"."),
        "keeps every gap": Mistake(KeepsEveryGap, {"budget": ("memory",)}, r"."),
    },
}
