"""Wrong answers of lab 04: each is a misconception, with what it loses and the sentence that its writer reads."""

from collections import deque
from importlib.util import module_from_spec, spec_from_file_location
from math import sqrt
from pathlib import Path
from statistics import fmean

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


def pstdev(gaps):
    """The deviation, as in `statistics`, and twenty times as fast: these classes are played again and again."""
    centre = fmean(gaps)
    return sqrt(fmean([(gap - centre) ** 2 for gap in gaps]))


class FourDeviations(MyAdaptive):
    def wait(self, peer):
        gaps = self.gaps[peer]
        return self.timeout if len(gaps) < 5 else fmean(gaps) + 4 * pstdev(gaps)


class EightDeviations(MyAdaptive):
    def wait(self, peer):
        gaps = self.gaps[peer]
        return self.timeout if len(gaps) < 5 else fmean(gaps) + 8 * pstdev(gaps)


class StaysFixed(MyDetector):
    """The detector of 4.1."""


class LongAndFixed(MyDetector):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, 5.0)


class AMinute(MyDetector):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, 60.0)


class NeverForgets(MyDetector):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, timeout)
        self.sums = dict.fromkeys(peers, (0, 0.0, 0.0))

    def beat(self, peer, number, sent_at, now):
        if number > self.newest[peer] > 0:
            gap = now - self.heard[peer]
            count, total, squares = self.sums[peer]
            self.sums[peer] = count + 1, total + gap, squares + gap * gap
        super().beat(peer, number, sent_at, now)

    def suspects(self, now):
        return {peer for peer, heard in self.heard.items() if now - heard > self.wait(*self.sums[peer])}

    def wait(self, count, total, squares):
        if count < 5:
            return self.timeout
        average = total / count
        return average + 6 * max((squares / count - average**2) ** 0.5, 0.4)


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
        return self.timeout if len(self.window) < 5 else fmean(self.window) + 6 * max(pstdev(self.window), 0.3)


class TwiceTheMean(MyAdaptive):
    def wait(self, peer):
        gaps = self.gaps[peer]
        return self.timeout if len(gaps) < 5 else 2 * fmean(gaps)


class WideFloor(MyAdaptive):
    def wait(self, peer):
        gaps = self.gaps[peer]
        return self.timeout if len(gaps) < 5 else fmean(gaps) + 6 * max(pstdev(gaps), 1.0)


class WaitsForItsWindow(MyAdaptive):
    """Suspects nobody before its window is full."""

    def wait(self, peer):
        return super().wait(peer) if len(self.gaps[peer]) == 20 else 1e9


class SharedWindows(MyAdaptive):
    heard = {}

    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, timeout)
        del self.heard
        for peer in peers:
            self.heard.setdefault(peer, now)

    def suspects(self, now):
        return {peer for peer in self.gaps if now - self.heard[peer] > self.wait(peer)}


class KeepsEveryGap(MyAdaptive):
    def __init__(self, peers, now, interval, timeout):
        super().__init__(peers, now, interval, timeout)
        self.all = {}

    def beat(self, peer, number, sent_at, now):
        self.all[peer, number] = (sent_at, now)
        super().beat(peer, number, sent_at, now)


CALM = ("complete", "calm", "quick", "adapts")
RESTLESS = ("calm", "quick", "adapts")
FLOOR = r"gaps that deviate by only 0\.\d\d s need a floor"


MISTAKES = {
    "4.1": {
        "one deadline for all": Mistake(
            OneDeadline,
            ALL,
            r"node 2 was cut off .* and was not suspected by node 1 at .* s: beats of node 3 kept the only deadline alive",
        ),
        "every beat counts": Mistake(
            EveryBeatCounts,
            HIDDEN,
            r"a late copy of its beat \d+ came to node 1, whose detector took it for a sign of life",
        ),
        "a copy of the newest counts": Mistake(
            NotSmaller, HIDDEN, r"a late copy of its beat \d+ came to node 1, whose detector took it for a sign of life"
        ),
        "the clock of the sender": Mistake(
            ClockOfTheSender,
            ALL,
            r"Node \d's clock is \d+ s (ahead|behind): compare times of one clock",
        ),
        "a suspicion is final": Mistake(
            SuspicionIsFinal,
            both("restore"),
            r"node 1 heard node \d again, the last time at .* s, and still suspects it at .* s",
        ),
        "the timeout is the interval": Mistake(
            TimeoutIsTheInterval,
            both("accurate", budget=True),
            r"With 0\.\d s between beats and up to 0\.\d+ s on the way, a silence of \d\.\d\d s is normal; the timeout was",
            tests=True,
        ),
        "ignores the timeout": Mistake(
            IgnoresTheTimeout,
            ALL,
            r"node 1 does not suspect it at .* s after its last beat; the timeout is",
            tests=False,
        ),
        "dead until heard": Mistake(
            DeadUntilHeard, HIDDEN, r"and never suspected it: nobody is in your dictionary who was never heard"
        ),
        "suspected until heard": Mistake(
            SuspectedUntilHeard,
            both("accurate", budget=True),
            r"node 1 suspected node \d at .* after it began to listen",
        ),
        "one-way taken for symmetric": Mistake(
            Symmetric,
            ALL,
            r"node \d cannot hear node \d, but node \d hears node \d, and suspected it at .* Node \d must not suspect node \d",
        ),
        "all detectors are one": Mistake(
            SharedDictionary, ALL, r"Do all detectors share one list or dictionary\?", tests=False
        ),
        "keeps every beat": Mistake(
            KeepsEveryBeat, {"budget": ("memory",)}, r"holds \d+\.\d MB more than after 2,000.*forgotten\?", tests=False
        ),
        "begins at zero": Mistake(
            StartsAtZero, both("accurate", budget=True), r"node 1 suspected node \d at .* after it began to listen"
        ),
        "waits for the next number": Mistake(
            NumbersBeginAnew,
            both("accurate", "restore", budget=True),
            r"After beat \d+ of node \d came beat \d+: any larger number is a sign of life",
        ),
        "suspects everybody": Mistake(
            SuspectsEverybody, ALL, r"who suspects everybody all the time has noticed nothing", tests=False
        ),
        "suspects nobody": Mistake(SuspectsNobody, ALL, r"In no run does it suspect anybody: use `now`", tests=False),
        "returns one": Mistake(
            ReturnsOne, ALL, r"has to return a set of peers out of \{2, 3\}, and returned None", tests=False
        ),
        "raises": Mistake(Raises, ALL, r"`suspects` raised KeyError: 2", tests=False),
        "is not written": Mistake(NotWritten, ALL, r"not written", tests=False),
    },
    "4.2": {
        "four deviations": Mistake(FourDeviations, both(*RESTLESS, budget=True), FLOOR),
        "eight deviations": Mistake(EightDeviations, both(*RESTLESS, budget=True), FLOOR),
        "stays fixed": Mistake(
            StaysFixed,
            both(*RESTLESS, budget=True),
            r"\d+ false suspicions in ten minutes \((lossy|storm) links; \d allowed\)",
        ),
        "long and fixed": Mistake(
            LongAndFixed, both("adapts"), r"\(quiet\), and it was not suspected within 3\.5 s, but within 5 s"
        ),
        "a minute": Mistake(
            AMinute, both(*CALM, budget=True), r"reached node \d from .* and at .* s it was not suspected"
        ),
        "never forgets": Mistake(
            NeverForgets, both("quick"), r"not suspected within \S+ s, but within \d+ s\. The \d+ gaps before were"
        ),
        "learns once": Mistake(
            LearnsOnce,
            both(*RESTLESS, budget=True),
            r"\d+ false suspicions in ten minutes \(storm links; 8 allowed\)",
        ),
        "one window for all": Mistake(
            OneWindow,
            both(*CALM, budget=True),
            r"as its only peer node \d suspects nobody: are the gaps of all peers in one window\?",
        ),
        "twice the mean": Mistake(TwiceTheMean, both(*RESTLESS, budget=True), FLOOR),
        "a floor of one second": Mistake(
            WideFloor, both("quick", "adapts"), r"not suspected within \S+ s, but within 8 s"
        ),
        "waits for its window": Mistake(
            WaitsForItsWindow,
            both(*CALM, budget=True),
            r"reached node \d from 0\.00 s on, and at 19\.90 s it was not suspected",
        ),
        "all windows are one": Mistake(
            SharedWindows, both(*CALM, budget=True), r"Do all detectors share one list or dictionary\?"
        ),
        "keeps every gap": Mistake(KeepsEveryGap, {"budget": ("memory",)}, r"holds \d+\.\d MB more than after 2,000"),
    },
}
