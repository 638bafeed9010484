"""Wrong answers of lab 02: each is a misconception, with what it loses and the sentence that its writer reads."""

import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from chatsys.teach.grading.keys import Mistake

_spec = spec_from_file_location("right", Path(__file__).with_name("answers.py"))
right = module_from_spec(_spec)
_spec.loader.exec_module(right)

MyLamport, MyVector, MyOrder, MyCausal, MyCut = (
    right.MyLamport, right.MyVector, right.MyOrder, right.MyCausal, right.MyCut,
)  # fmt: skip


def both(*aspects, **more):
    """Lost in public and in secret."""
    return {"public": aspects, "hidden": aspects} | more


# --- 2.1 -----------------------------------------------------------------------------------------


class NoTickAtReceipt(MyLamport):
    """A receipt only takes over a larger stamp."""

    def receive(self, stamp):
        self.time = max(self.time, stamp + 1)
        return self.time


class StampIgnored(MyLamport):
    """Each node counts its own events only."""

    def receive(self, stamp):
        return self.tick()


class OwnTimeForgotten(MyLamport):
    """A receipt follows on the message, whatever happened here before."""

    def receive(self, stamp):
        self.time = stamp + 1
        return self.time


class WithoutOne(MyLamport):
    """The larger of the two numbers, and no more."""

    def receive(self, stamp):
        self.time = max(self.time, stamp)
        return self.time


class SendsTheOldTime(MyLamport):
    """To send is no event."""

    def send(self):
        return self.time


class FromZero(MyLamport):
    """The first event has number 0."""

    def __init__(self):
        self.time = -1


class WallClock:
    """The machine's own clock: it rises, and it counts nothing."""

    def tick(self):
        return time.time_ns()

    def send(self):
        return time.time_ns()

    def receive(self, stamp):
        return max(time.time_ns(), stamp + 1)


class Forgets(MyLamport):
    """Answers with a number that it does not keep."""

    def receive(self, stamp):
        return max(self.time, stamp) + 1


class OneForAll(MyLamport):
    """All nodes of the class count together."""

    time = 0

    def __init__(self):
        pass

    def tick(self):
        type(self).time += 1
        return type(self).time

    def receive(self, stamp):
        type(self).time = max(type(self).time, stamp)
        return self.tick()


class NoClock:
    def __init__(self):
        raise NotImplementedError

    def tick(self):
        raise NotImplementedError

    def send(self):
        raise NotImplementedError

    def receive(self, stamp):
        raise NotImplementedError


LAMPORT = ("rises", "arrives", "longest")

# --- 2.2 -----------------------------------------------------------------------------------------


class NoTickInVector(MyVector):
    """A receipt only takes over what the message knows."""

    def receive(self, stamp):
        self.tick_back = super().receive(stamp)
        self.clock[self.me] -= 1
        return dict(self.clock)


class Replaced(MyVector):
    """The stamp takes the place of what was known, but for the own entry."""

    def receive(self, stamp):
        self.clock = {**dict.fromkeys(self.clock, 0), **stamp, self.me: self.clock[self.me]}
        return self.tick()


class TakenOver(MyVector):
    """The stamp takes the place of all that was known, the own entry, too."""

    def receive(self, stamp):
        self.clock = {**dict.fromkeys(self.clock, 0), **stamp}
        return self.tick()


class OnlyMessages(MyVector):
    """An event in which nothing is sent does not count."""

    def tick(self):
        return dict(self.clock)

    def send(self):
        self.clock[self.me] += 1
        return dict(self.clock)

    def receive(self, stamp):
        super().receive(stamp)
        return self.send()


class Added(MyVector):
    """Adds the stamp instead of taking the larger entry."""

    def receive(self, stamp):
        for node, count in stamp.items():
            if node != self.me:
                self.clock[node] += count
        return self.tick()


class StampNotTaken(MyVector):
    """Counts its own events only."""

    def receive(self, stamp):
        return self.tick()


class EveryEntry(MyVector):
    """Asks the stamp for every node."""

    def receive(self, stamp):
        for node in self.clock:
            self.clock[node] = max(self.clock[node], stamp[node])
        return self.tick()


class OneDictionary(MyVector):
    """All nodes of the class have one dictionary."""

    clock = {}

    def __init__(self, me, nodes):
        self.me = me
        for node in nodes:
            self.clock.setdefault(node, 0)


# --- 2.3 -----------------------------------------------------------------------------------------


class LikeWords(MyOrder):
    """Compares the entries of node 1 first, as letters of words."""

    def before(self, a, b):
        nodes = sorted({*a, *b})
        return [a.get(n, 0) for n in nodes] < [b.get(n, 0) for n in nodes]


class EveryEntryGrows(MyOrder):
    """Every entry must be smaller."""

    def before(self, a, b):
        return all(a.get(n, 0) < b.get(n, 0) for n in {*a, *b})


class OrEqual(MyOrder):
    """Takes at most for less."""

    def before(self, a, b):
        return all(a.get(n, 0) <= b.get(n, 0) for n in {*a, *b})


class BySum(MyOrder):
    """Counts all events together, as a Lamport clock nearly does."""

    def before(self, a, b):
        return sum(a.values()) < sum(b.values())


class OneIsSmaller(MyOrder):
    """One smaller entry is enough."""

    def before(self, a, b):
        return any(a.get(n, 0) < b.get(n, 0) for n in {*a, *b})


class NotBefore(MyOrder):
    """What is not before is concurrent."""

    def concurrent(self, a, b):
        return not self.before(a, b)


class ConcurrentWithItself(MyOrder):
    """What is before in neither direction is concurrent, an event with itself, too."""

    def concurrent(self, a, b):
        return not self.before(a, b) and not self.before(b, a)


class ZerosDiffer(MyOrder):
    """Takes two vectors for different ones if one of them leaves out what is 0."""

    def before(self, a, b):
        return all(count <= b.get(n, 0) for n, count in a.items()) and a != b


class EntriesOfTheFirst(MyOrder):
    """Looks every entry up."""

    def before(self, a, b):
        return all(a[n] <= b[n] for n in a) and any(a[n] < b[n] for n in a)


# --- 2.4 -----------------------------------------------------------------------------------------


class AtOnce(MyCausal):
    """Shows whatever comes."""

    def receive(self, sender, stamp, message):
        self.shown[sender] += 1
        return [message]


class OnlyTheSender(MyCausal):
    """The lines of each sender in their order, and no more: FIFO."""

    def may_be_shown(self, sender, stamp):
        return stamp[sender] == self.shown[sender] + 1


class OnlyTheOthers(MyCausal):
    """Looks at the other entries, and at its sender's not at all."""

    def may_be_shown(self, sender, stamp):
        return all(count <= self.shown[node] for node, count in stamp.items() if node != sender)


class ExactlyTheSame(MyCausal):
    """Waits until it has been shown the same as the sender, no more and no less."""

    def may_be_shown(self, sender, stamp):
        others = (count == self.shown[node] for node, count in stamp.items() if node != sender)
        return stamp[sender] == self.shown[sender] + 1 and all(others)


class HeadOfLine(MyCausal):
    """What came first is shown first: all others wait behind it."""

    def receive(self, sender, stamp, message):
        self.waiting.append((sender, stamp, message))
        ready = []
        while self.waiting and self.may_be_shown(*self.waiting[0][:2]):
            sender, _, message = self.waiting.pop(0)
            self.shown[sender] += 1
            ready.append(message)
        return ready


class NeverLooksAgain(MyCausal):
    """What could not be shown when it came is never looked at again."""

    def receive(self, sender, stamp, message):
        if not self.may_be_shown(sender, stamp):
            self.waiting.append((sender, stamp, message))
            return []
        self.shown[sender] += 1
        return [message]


class OnePass(MyCausal):
    """Goes once through what waits, the oldest first."""

    def receive(self, sender, stamp, message):
        self.waiting.append((sender, stamp, message))
        ready = []
        for one in list(self.waiting):
            if self.may_be_shown(*one[:2]):
                self.waiting.remove(one)
                self.shown[one[0]] += 1
                ready.append(one[2])
        return ready


class CountsReceipts(MyCausal):
    """Stamps of a vector clock: a receipt ticks as well."""

    def receive(self, sender, stamp, message):
        self.shown[self.me] += 1
        return super().receive(sender, stamp, message)


class KnowsOnReceipt(MyCausal):
    """Counts what was heard of instead of what was shown."""

    def receive(self, sender, stamp, message):
        ready = super().receive(sender, stamp, message)
        for node, count in stamp.items():
            if node != sender:
                self.shown[node] = max(self.shown[node], count)
        return ready


class StampWithoutMine(MyCausal):
    """The stamp says what was shown before this message."""

    def stamp(self):
        before = dict(self.shown)
        self.shown[self.me] += 1
        return before


class OwnAreNotShown(MyCausal):
    """Counts its own message when it is made, and only in its stamp."""

    def __init__(self, me, nodes):
        super().__init__(me, nodes)
        self.said = 0

    def stamp(self):
        self.said += 1
        return {**self.shown, self.me: self.said}


class ByText(MyCausal):
    """Takes an equal text of one sender for the same message."""

    def receive(self, sender, stamp, message):
        if any((one[0], one[2].text) == (sender, message.text) for one in self.waiting):
            return []
        return super().receive(sender, stamp, message)


class NoGapAnywhere(MyCausal):
    """Shows nothing while anything is missing that somebody has heard of: one gap holds up all."""

    def __init__(self, me, nodes):
        super().__init__(me, nodes)
        self.heard = dict.fromkeys(nodes, 0)

    def receive(self, sender, stamp, message):
        for node, count in stamp.items():
            self.heard[node] = max(self.heard[node], count)
        self.waiting.append((sender, stamp, message))
        came = {node: self.shown[node] + sum(one[0] == node for one in self.waiting) for node in self.shown}
        if any(came[node] < count for node, count in self.heard.items()):
            return []
        ready = sorted(self.waiting, key=lambda one: sum(one[1].values()))
        for one in ready:
            self.shown[one[0]] += 1
        self.waiting = []
        return [one[2] for one in ready]


class EveryStamp(MyCausal):
    """Asks the stamp for every node."""

    def may_be_shown(self, sender, stamp):
        others = (stamp[node] <= count for node, count in self.shown.items() if node != sender)
        return stamp[sender] == self.shown[sender] + 1 and all(others)


class KeepsAll(MyCausal):
    """Keeps what was shown."""

    def __init__(self, me, nodes):
        super().__init__(me, nodes)
        self.history = []

    def receive(self, sender, stamp, message):
        ready = super().receive(sender, stamp, message)
        self.history += ready
        return ready


class OneList(MyCausal):
    """All nodes of the class have one list of what waits."""

    queue = []

    def __init__(self, me, nodes):
        super().__init__(me, nodes)
        self.waiting = self.queue


# --- 2.5 -----------------------------------------------------------------------------------------


class AllConcurrent(MyCut):
    """The last events must be concurrent with each other."""

    def consistent(self, cut):
        order = MyOrder()
        return not any(order.before(a, b) for a in cut.values() for b in cut.values())


class AlwaysTrue(MyCut):
    """Every cut is a state."""

    def consistent(self, cut):
        return True


class AlwaysFalse(MyCut):
    """No cut is a state."""

    def consistent(self, cut):
        return False


class AllArrived(MyCut):
    """Nothing may be on its way: everybody must know of everything."""

    def consistent(self, cut):
        return all(seen.get(node, 0) >= cut[node].get(node, 0) for seen in cut.values() for node in cut)


class Neighbours(MyCut):
    """Asks each node about the next one only."""

    def consistent(self, cut):
        nodes = sorted(cut)
        return all(cut[a].get(b, 0) <= cut[b].get(b, 0) for a, b in zip(nodes, nodes[1:], strict=False))


V = ("own", "knows", "missing")
ORDERS = ("before", "concurrent", "itself", "missing")
C = ("complete", "causal", "prompt", "stamps", "missing")
FORGET = {"budget": ("memory",)}
ALL = both(*C, **FORGET)
EARLY = both(*C[1:], **FORGET)
NEVER = r"never showed message \d\.\d+: "
MISTAKES = {
    "2.1": {
        "no tick at receipt": Mistake(NoTickAtReceipt, both("rises", "longest"), r"stamp \d+, has number (\d+), and so has event \d\.\d+ before it: two events, one"),
        "stamp not taken over": Mistake(StampIgnored, both("arrives", "longest"), r"was sent with \d+ and received at event \d\.\d+ with \d+: by these numbers it arrived before"),
        "own time forgotten": Mistake(OwnTimeForgotten, both("rises", "longest"), r"has number (\d+) and event .* has \d+, for its stamp was \d+: time went back"),
        "max without + 1": Mistake(WithoutOne, both(*LAMPORT), r"was sent with (\d+) and received at event \d\.\d+ with \1: a message arrives later than it leaves"),
        "sending is no event": Mistake(SendsTheOldTime, both("rises", "longest"), r"a sending\) has number \d+, which is the same as that of event .*; every event ticks"),
        "counts from 0": Mistake(FromZero, both("longest"), r"has number 0; the longest path of events that ends there has 1"),
        "wall clock": Mistake(WallClock, both("longest"), r"has a number of 1\d digits; the longest path of events"),
        "does not keep its number": Mistake(Forgets, both("rises", "longest"), r"a receipt, has number \d+, and .* after it has \d+: the number of a receipt was not kept"),
        "one clock for all nodes": Mistake(OneForAll, both(*LAMPORT), r"alone it gives 1\. Do all clocks share one number"),
        "is not written": Mistake(NoClock, both(*LAMPORT), r"not written"),
    },
    "2.2": {
        "a receipt does not tick": Mistake(NoTickInVector, both("own", "missing"), r"is the \d+\w\w event of node \d, and its own entry is \d+; a receipt is an event"),
        "stamp instead of the larger": Mistake(Replaced, both("knows", "missing"), r"entry \d was \d+ before and is \d+ now: what node \d knew of node \d is forgotten"),
        "the own entry is taken over": Mistake(TakenOver, both(*V), r"knows less of node \d than node \d itself"),
        "counts messages only": Mistake(OnlyMessages, both("own", "missing"), r"a step\) is the \d+\w\w event of node \d, .*although nothing is sent in it"),
        "adds entries": Mistake(Added, both("knows", "missing"), r"entry \d is \d+, and nobody has told of more than \d+ events"),
        "counts for itself": Mistake(StampNotTaken, both("knows", "missing"), r"entry \d is 0, and the stamp .* has told of \d+ events of node"),
        "asks for every entry": Mistake(EveryEntry, both("missing"), r"raised KeyError: \d.*\. A missing entry is 0"),
        "one dictionary for all nodes": Mistake(OneDictionary, both(*V), r"Do all clocks share one dictionary"),
    },
    "2.3": {
        "compares like words": Mistake(LikeWords, both("before", "itself", "missing"), r"is True: each of .* knows of an event that the other does not"),
        "every entry must grow": Mistake(EveryEntryGrows, both("before", "itself", "missing"), r"is False, and .* are two events of node \d in a row"),
        "at most taken for less": Mistake(OrEqual, both("itself"), r"both are event \d\.\d+, and no event is before itself"),
        "compares sums": Mistake(BySum, both("before", "itself", "missing"), r"is True: each of .* knows of an event that the other does not"),
        "one smaller entry is enough": Mistake(OneIsSmaller, both("before", "itself", "missing"), r"each is before the other, says `before`; a path leads one way"),
        "not before is concurrent": Mistake(NotBefore, both("concurrent", "itself", "missing"), r"concurrent\(.* is True, and a path leads"),
        "concurrent with itself": Mistake(ConcurrentWithItself, both("itself"), r"no event is concurrent with itself"),
        "a zero makes a difference": Mistake(ZerosDiffer, {"hidden": ("missing",)}, r"before\(.*\) gave True; right is False"),
        "looks every entry up": Mistake(EntriesOfTheFirst, both("missing"), r"raised KeyError: \d.*\. A missing entry is 0"),
    },
    "2.4": {
        "shows what comes": Mistake(AtOnce, EARLY, r"was still on its way: node \d .*\. Nothing was held back"),
        "order of each sender only": Mistake(OnlyTheSender, EARLY, r"while (\d\.\d+) was still on its way: node \d had been shown \1 before it said"),
        "the sender's own order forgotten": Mistake(OnlyTheOthers, EARLY, r"showed message (\d)\.\d+ at .* s, while \1\.\d+ was still on its way: node \1 said that before"),
        "waits for the same": Mistake(ExactlyTheSame, ALL, NEVER + r"when it came at .* s, all that node \d had been shown was shown here"),
        "waits behind others": Mistake(HeadOfLine, ALL, NEVER + r"it came at .* s, and \d\.\d+, which came before it and waits for it, was not shown either"),
        "never looks again": Mistake(NeverLooksAgain, ALL, NEVER + r"it came at .* s, and the last one that it waited for at"),
        "goes through once": Mistake(OnePass, ALL, r"waited \d\.\d+ s at node \d, until .* s: the last one that it waited for came at"),
        "receipts counted": Mistake(CountsReceipts, both("stamps"), r"entry (\d) is \d\d, and this is message \d+ of node \1"),
        "heard of, taken for shown": Mistake(KnowsOnReceipt, ALL, r"while (\d\.\d+) was still on its way: node \d had been shown \1 before it said"),
        "stamp without this message": Mistake(StampWithoutMine, both("stamps"), r"entry (\d) is 0, and this is message 1 of node \1"),
        "own messages not shown": Mistake(OwnAreNotShown, ALL, NEVER + r".*its sender had been shown \d of the lines of node \d, which has been shown its own, too"),
        "equal texts taken for copies": Mistake(ByText, ALL, NEVER + r".*which waited then, has the same text: that is another message"),
        "causal made total": Mistake(NoGapAnywhere, both("prompt"), r"waited .* s for \d\.\d+ at node \d, until .* s: all that node \d had been shown was shown here when it came"),
        "asks the stamp for every node": Mistake(EveryStamp, both("missing"), r"raised KeyError: \d.*\. A missing entry is 0", tests=False),
        "keeps what was shown": Mistake(KeepsAll, FORGET, r"holds .* MB more", tests=False),
        "one list for all nodes": Mistake(OneList, ALL, r"Do all nodes share one list or dictionary", tests=False),
    },
    "2.5": {
        "all must be concurrent": Mistake(AllConcurrent, both("cut"), r"you say False\. One last event may be before another one"),
        "every cut is a state": Mistake(AlwaysTrue, both("cut"), r"is not in it; you say True\. You say True of every cut"),
        "no cut is a state": Mistake(AlwaysFalse, both("cut"), r"nothing has happened yet, and that is a state; you say False\. You say False of every cut"),
        "nothing may be on its way": Mistake(AllArrived, both("cut"), r"every message that was received was sent; you say False\. A message may be on its way, and you allow none"),
        "neighbours only": Mistake(Neighbours, both("cut"), r"has received a message of (\d\.\d+), and \1 is not in it; you say True\.$"),
    },
}  # fmt: skip
