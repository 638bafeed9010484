"""Wrong answers of lab 01: each is a misconception, with what it loses and the sentence that its writer reads."""

from collections import deque
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from chatsys.teach.grading.keys import Mistake
from chatsys.teach.labs.lab01 import Packet

_spec = spec_from_file_location("right", Path(__file__).with_name("answers.py"))
right = module_from_spec(_spec)
_spec.loader.exec_module(right)

MySender = right.MySender
MyReceiver = right.MyReceiver

# --- 1.1, the sender -----------------------------------------------------------------------------


class SendsOnce(MySender):
    """At most once: what is lost is lost."""

    def tick(self, now):
        return []


class GivesUp(MySender):
    """Five tries are enough, it thinks."""

    def __init__(self):
        super().__init__()
        self.tries = {}

    def tick(self, now):
        due = [packet for packet in super().tick(now) if self.tries.get(packet.number, 1) < 5]
        for packet in due:
            self.tries[packet.number] = self.tries.get(packet.number, 1) + 1
        return due


class Piles(MySender):
    """A timer for each time that a packet was sent; an acknowledgement stops one of them."""

    def __init__(self):
        super().__init__()
        self.timers = []

    def say(self, text, now):
        packets = super().say(text, now)
        self.timers.append([packets[0], now])
        return packets

    def ack(self, number, now):
        mine = [timer for timer in self.timers if timer[0].number == number]
        if mine:
            self.timers.remove(mine[0])
        return []

    def tick(self, now):
        due = [timer for timer in self.timers if now - timer[1] >= 0.4]
        for timer in due:
            timer[1] = now
        again = list(dict.fromkeys(packet for packet, _ in due))
        self.timers += [[packet, now] for packet in again if sum(one is packet for one, _ in self.timers) < 3]
        return again


class AllAgain(MySender):
    """Sends everything again until nothing at all is unanswered."""

    def __init__(self):
        super().__init__()
        self.every, self.last = [], 0.0

    def say(self, text, now):
        self.every.append(super().say(text, now)[0])
        return self.every[-1:]

    def tick(self, now):
        if not self.open:
            self.every = []
        if now - self.last < 0.4:
            return []
        self.last = now
        return list(self.every)


class UpToHere(MySender):
    """Takes an acknowledgement for all packets up to this one."""

    def ack(self, number, now):
        self.open = {one: entry for one, entry in self.open.items() if one > number}
        return []


class NewNumber(MySender):
    """Says the text again: each try is a packet of its own."""

    def tick(self, now):
        again = []
        for packet in super().tick(now):
            del self.open[packet.number]
            again += self.say(packet.text, now)
        return again


class FromZero(MySender):
    """Counts from 0."""

    def __init__(self):
        super().__init__()
        self.newest = -1


class ByText(MySender):
    """What is unanswered is found by its text."""

    def __init__(self):
        self.newest, self.open = 0, {}

    def say(self, text, now):
        if text in {packet.text for packet, _ in self.open.values()}:
            return []
        return super().say(text, now)


class Overwrites(MySender):
    """What is unanswered is kept under its text: the newer one takes the place of the older one."""

    def say(self, text, now):
        self.newest += 1
        packet = Packet(self.newest, text)
        self.open[text] = (packet, now)
        return [packet]

    def ack(self, number, now):
        self.open = {text: entry for text, entry in self.open.items() if entry[0].number != number}
        return []

    def tick(self, now):
        due = [packet for packet, sent in self.open.values() if now - sent >= 0.4]
        for packet in due:
            self.open[packet.text] = (packet, now)
        return due


class AnyAnswer:
    """Sends one packet at a time, and takes whatever acknowledgement comes for that of the packet that is under way."""

    def __init__(self):
        self.waiting, self.newest, self.last = deque(), 0, 0.0

    def say(self, text, now):
        self.newest += 1
        self.waiting.append(Packet(self.newest, text))
        return self.next(now) if len(self.waiting) == 1 else []

    def next(self, now):
        self.last = now
        return [self.waiting[0]]

    def ack(self, number, now):
        if self.waiting:
            self.waiting.popleft()
        return self.next(now) if self.waiting else []

    def tick(self, now):
        return self.next(now) if self.waiting and now - self.last >= 0.4 else []


class Raises(MySender):
    """The second acknowledgement of a packet finds nothing."""

    def ack(self, number, now):
        del self.open[number]
        return []


class Restless(MySender):
    """Repeats at every tick."""

    def tick(self, now):
        return [packet for packet, _ in self.open.values()]


class SinceSaid(MySender):
    """Measures from the moment at which the text was said, not from when it was sent last."""

    def tick(self, now):
        return [packet for packet, said in self.open.values() if now - said >= 0.4]


class OneClock(MySender):
    """One timer for all: each text and each acknowledgement begins the wait anew."""

    def __init__(self):
        super().__init__()
        self.last = 0.0

    def say(self, text, now):
        self.last = now
        return super().say(text, now)

    def ack(self, number, now):
        self.last = now
        return super().ack(number, now)

    def tick(self, now):
        if now - self.last < 0.4:
            return []
        self.last = now
        return [packet for packet, _ in self.open.values()]


class AllShared(MySender):
    """All senders count together."""

    numbers = {"newest": 0}

    def __init__(self):
        self.open = {}

    @property
    def newest(self):
        return self.numbers["newest"]

    @newest.setter
    def newest(self, value):
        self.numbers["newest"] = value


class OpenTogether(MySender):
    """All senders keep what is unanswered in one dictionary."""

    open = {}

    def __init__(self):
        self.newest = 0


class ReturnsOne(MySender):
    def say(self, text, now):
        return super().say(text, now)[0]


class NotWritten:
    def __init__(self):
        pass

    def say(self, text, now):
        raise NotImplementedError

    def ack(self, number, now):
        raise NotImplementedError

    def tick(self, now):
        raise NotImplementedError


# --- 1.2, the receiver ---------------------------------------------------------------------------


class Everything:
    """At least once: whatever comes is delivered."""

    def receive(self, packet):
        return [packet], [packet.number]


class AtOnce(MyReceiver):
    """Each packet once, and in no order."""

    def __init__(self):
        self.seen = set()

    def receive(self, packet):
        if packet.number in self.seen:
            return [], [packet.number]
        self.seen.add(packet.number)
        return [packet], [packet.number]


class LastOnly(MyReceiver):
    """A copy is what has the number of the last packet."""

    def __init__(self):
        self.last = None

    def receive(self, packet):
        if packet.number == self.last:
            return [], [packet.number]
        self.last = packet.number
        return [packet], [packet.number]


class OnlyForward(MyReceiver):
    """Smaller numbers than the last one are copies, it thinks."""

    def receive(self, packet):
        if packet.number < self.due:
            return [], [packet.number]
        self.due = packet.number + 1
        return [packet], [packet.number]


class CopiesByText(MyReceiver):
    """Finds copies by their text."""

    def __init__(self):
        super().__init__()
        self.texts = set()

    def receive(self, packet):
        ready, numbers = super().receive(packet)
        ready = [one for one in ready if one.text not in self.texts]
        self.texts |= {one.text for one in ready}
        return ready, numbers


class KeepsNumbers(MyReceiver):
    """Remembers every number that it has delivered."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def receive(self, packet):
        if packet.number in self.seen:
            return [], [packet.number]
        self.seen.add(packet.number)
        return super().receive(packet)


class KeepsCopies(MyReceiver):
    """Keeps whatever comes until it is delivered: a copy of what was delivered for ever."""

    def receive(self, packet):
        self.early[packet.number] = packet
        ready = []
        while self.due in self.early:
            ready.append(self.early.pop(self.due))
            self.due += 1
        return ready, [packet.number]


class OnlyNew(MyReceiver):
    """Acknowledges only what is new."""

    def receive(self, packet):
        known = packet.number < self.due or packet.number in self.early
        ready, numbers = super().receive(packet)
        return ready, [] if known else numbers


class WhenDelivered(MyReceiver):
    """Acknowledges what it delivers, when it delivers it; a copy of that, too."""

    def receive(self, packet):
        known = packet.number < self.due
        ready, numbers = super().receive(packet)
        return ready, numbers if known else [one.number for one in ready]


class Newest(MyReceiver):
    """Acknowledges the largest number that it has seen in order: one for all up to it."""

    def receive(self, packet):
        ready, _ = super().receive(packet)
        return ready, [self.due - 1] if self.due > 1 else []


class AllOfThem(MyReceiver):
    """Acknowledges everything that it has, each time."""

    def receive(self, packet):
        ready, _ = super().receive(packet)
        return ready, sorted({packet.number, *self.early, *range(max(1, self.due - 5), self.due)})


class Silent(MyReceiver):
    """Acknowledges nothing."""

    def receive(self, packet):
        return super().receive(packet)[0], []


class ThrowsAway(MyReceiver):
    """Takes only the packet whose turn it is, and acknowledges all."""

    def receive(self, packet):
        if packet.number != self.due:
            return [], [packet.number]
        self.due += 1
        return [packet], [packet.number]


class Queue(MyReceiver):
    """Keeps what is early in a sorted list, and each copy of it, too: the second one blocks all that come after it."""

    def __init__(self):
        self.due = 1
        self.early = []

    def receive(self, packet):
        if packet.number >= self.due:
            self.early.append(packet)
            self.early.sort(key=lambda one: one.number)
        ready = []
        while self.early and self.early[0].number == self.due:
            ready.append(self.early.pop(0))
            self.due += 1
        return ready, [packet.number]


class WaitsForMore(MyReceiver):
    """Takes only the packet whose turn it is, and acknowledges nothing else: node 1 will send it again."""

    def receive(self, packet):
        if packet.number > self.due:
            return [], []
        return super().receive(packet)


class OneAtATime(MyReceiver):
    """One packet comes, one packet goes."""

    def receive(self, packet):
        if packet.number >= self.due:
            self.early[packet.number] = packet
        if self.due not in self.early:
            return [], [packet.number]
        self.due += 1
        return [self.early.pop(self.due - 1)], [packet.number]


class Together(MyReceiver):
    """All receivers have one queue."""

    early = {}

    def __init__(self):
        self.due = 1


class CountTogether(MyReceiver):
    """All receivers know what one of them has delivered."""

    seen = set()

    def receive(self, packet):
        if packet.number in self.seen:
            return [], [packet.number]
        ready, numbers = super().receive(packet)
        self.seen |= {one.number for one in ready}
        return ready, numbers


class TextsOnly(MyReceiver):
    def receive(self, packet):
        ready, numbers = super().receive(packet)
        return [one.text for one in ready], numbers


class KeyErrors(MyReceiver):
    def receive(self, packet):
        return [self.early[packet.number]], [packet.number]


class NoReceiver:
    def __init__(self):
        pass

    def receive(self, packet):
        raise NotImplementedError


ALL_SENT, ALL_CAME = ("arrive", "numbers", "quiet"), ("complete", "order", "once", "answer", "again", "memory")
NOT_COMPLETE = {"public": ALL_CAME, "hidden": ALL_CAME, "budget": ("one",)}


def both(*aspects):
    """Lost in public and in secret."""
    return {"public": aspects, "hidden": aspects}


SEARCHED = {"search": ("orders",)}
NOTHING_SENT = both(*ALL_SENT) | SEARCHED | {"budget": ("patient",)}
NOTHING_CAME = NOT_COMPLETE | SEARCHED

MISTAKES = {
    "1.1": {
        "sends once": Mistake(
            SendsOnce, NOTHING_SENT, r"node 1 sent packet \d+ once, at .* and had no acknowledgement"
        ),
        "gives up": Mistake(
            GivesUp,
            NOTHING_SENT,
            r"node 1 sent packet \d+, 5 times in all, the last time at .* s, and had no acknowledgement",
        ),
        "timers pile up": Mistake(
            Piles,
            both("quiet") | SEARCHED,
            r"packet \d+ was acknowledged at .* s, and node 1 sent it again at .* s; after its",
        ),
        "sends all again": Mistake(
            AllAgain,
            both("quiet") | SEARCHED | {"budget": ("patient",)},
            r"packet \d+ was acknowledged at .* s, and node 1 sent it again at .* s; after its",
        ),
        "all up to here": Mistake(
            UpToHere,
            NOTHING_SENT,
            r"never again after the acknowledgement of packet (\d+) at .* s, which says nothing about packet \d+",
        ),
        "a new number for each try": Mistake(
            NewNumber, both("numbers") | SEARCHED, r"as packet \d+ at .* s and as packet \d+ at .* s: node 2 cannot see"
        ),
        "counts from 0": Mistake(
            FromZero, both("numbers") | SEARCHED, r"as packet 0 at .* s; it is text 1, so its number is 1"
        ),
        "by its text": Mistake(
            ByText,
            NOTHING_SENT,
            r"was said twice, as texts \d+ and (\d+); at .* s node 1 had sent packet \d+ and not packet \1",
        ),
        "kept under its text": Mistake(
            Overwrites,
            NOTHING_SENT,
            r"said as text \d+ and as text \d+; node 1 did not send packet \d+ again after .* two equal",
        ),
        "any acknowledgement is for the first": Mistake(
            AnyAnswer,
            NOTHING_SENT,
            r"the acknowledgement of packet (\d+) came once more at .* s, and node 1 did not send packet (\d+) again after that",
        ),
        "a second acknowledgement": Mistake(
            Raises, NOTHING_SENT, r"node 1 stopped at .* s, because your class raised KeyError: \d"
        ),
        "repeats at every tick": Mistake(
            Restless,
            {"budget": ("patient",)},
            r"node 1 sent packet \d+ at .* s and again at .* s; its acknowledgement may take 0\.2 s",
        ),
        "counts from the first time": Mistake(
            SinceSaid,
            {"budget": ("patient",)},
            r"node 1 sent packet \d+ at .* s and again at .* s; its acknowledgement may take 0\.2 s",
        ),
        "one timer for all": Mistake(
            OneClock, NOTHING_SENT, r"and again only at .* s, although it was unanswered; it must not wait longer"
        ),
        "all senders count together": Mistake(AllShared, both("numbers") | SEARCHED, r"Do all your objects share"),
        "all senders share a dictionary": Mistake(OpenTogether, SEARCHED, r"Do all your objects share"),
        "returns one packet": Mistake(
            ReturnsOne, NOTHING_SENT, r"because say returned .*; return a list of packets, \[\] for none"
        ),
        "is not written": Mistake(NotWritten, NOTHING_SENT, r"not written"),
    },
    "1.2": {
        "delivers whatever comes": Mistake(
            Everything,
            both("order", "once", "answer", "again", "memory") | SEARCHED | {"budget": ("one",)},
            r"node 2 delivered packet \d+ at .* s, and once more at .* s, when a copy of it came",
        ),
        "in no order": Mistake(
            AtOnce,
            both("order", "memory") | SEARCHED,
            r"node 2 delivered packet \d+ at .* s, before packet \d+, which came at .* s",
        ),
        "only the last number": Mistake(
            LastOnly,
            both("order", "once", "answer", "again", "memory") | SEARCHED | {"budget": ("one",)},
            r"node 2 delivered packet \d+ at .* s, and once more at .* s",
        ),
        "never goes back": Mistake(
            OnlyForward,
            NOTHING_CAME,
            r"after node 2 had delivered packet \d+, and node 2 did not deliver it: a packet with a smaller number",
        ),
        "copies by text": Mistake(CopiesByText, NOTHING_CAME, r"has the same text and is no copy"),
        "never forgets a number": Mistake(
            KeepsNumbers, both("memory"), r"After 20,000 messages the process of your class holds"
        ),
        "keeps copies for ever": Mistake(
            KeepsCopies, both("memory"), r"After 20,000 messages the process of your class holds"
        ),
        "acknowledges only what is new": Mistake(
            OnlyNew,
            both("again") | {"budget": ("one",)},
            r"a copy of packet \d+ came at .* s and node 2 did not acknowledge it; if the first",
        ),
        "acknowledges when it delivers": Mistake(
            WhenDelivered,
            both("answer", "again") | {"budget": ("one",)},
            r"and waited for packet \d+, and node 2 acknowledged it only at .* s\. Node 1 sent it ",
        ),
        "acknowledges all up to here": Mistake(
            Newest,
            both("answer", "again") | {"budget": ("one",)},
            r"and waited for packet \d+, and node 2 (never acknowledged|acknowledged)",
        ),
        "acknowledges all that it has": Mistake(
            AllOfThem, {"budget": ("one",)}, r"node 2 sent \d+ acknowledgements \("
        ),
        "acknowledges nothing": Mistake(
            Silent,
            both("answer", "again") | {"budget": ("one",)},
            r"node 2 never acknowledged it\. Node 1 sent it \d+ times more",
        ),
        "throws away what is early": Mistake(
            ThrowsAway, NOTHING_CAME, r"came early, at .* s; at .* s all before it were delivered, and node 2 never"
        ),
        "copies stand in the queue": Mistake(
            Queue, NOTHING_CAME, r"without the copy of packet \d+ that came at .* s it would have: was that copy kept\?"
        ),
        "waits for another copy": Mistake(
            WaitsForMore, NOTHING_CAME, r"and node 2 (acknowledged|delivered) it only at"
        ),
        "one at a time": Mistake(
            OneAtATime,
            NOTHING_CAME,
            r"could be delivered at .* s, since all before it were, and node 2 delivered it only",
        ),
        "all receivers share a queue": Mistake(Together, SEARCHED, r"Do all your objects share"),
        "all receivers count together": Mistake(CountTogether, NOTHING_CAME, r"Do all your objects share"),
        "returns texts": Mistake(TextsOnly, NOTHING_CAME, r"because receive returned .*; return two lists"),
        "raises": Mistake(KeyErrors, NOTHING_CAME, r"node 2 stopped at .* s, because your class raised KeyError: \d"),
        "is not written": Mistake(NoReceiver, NOTHING_CAME, r"not written"),
    },
}
