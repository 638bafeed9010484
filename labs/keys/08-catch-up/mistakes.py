"""Wrong answers of lab 08: each is a misconception, with what it loses and the sentence that its writer reads."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from chatsys.teach.grading.keys import Mistake
from chatsys.teach.labs.lab08 import AskFor

_spec = spec_from_file_location("right", Path(__file__).with_name("answers.py"))
right = module_from_spec(_spec)
_spec.loader.exec_module(right)

MyCatchUp = right.MyCatchUp


class LiveAtOnce(MyCatchUp):
    """What comes live is shown at once; history comes behind it."""

    def live(self, number, message):
        self.newest = max(self.newest, number)
        if number < self.next:
            return []
        if number > self.next:
            return [message]
        return super().live(number, message)


class Twice(MyCatchUp):
    """Asks for ten, and shows what comes, although the last of them had come live."""

    def chunk(self, first, messages, newest):
        known = {one.number for one in messages} & set(self.kept)
        late = [one for one in messages if one.number in known]
        return super().chunk(first, messages, newest) + late

    def ask(self, now):
        wanted = super().ask(now)
        return wanted and AskFor(wanted.to, wanted.first, 10)


class CopiesOfChunks(MyCatchUp):
    """What comes by a chunk is shown, whether it was shown or not."""

    def chunk(self, first, messages, newest):
        old = [one for one in messages if one.number < self.next]
        return old + super().chunk(first, messages, newest)


class OneTooFew(MyCatchUp):
    """Asks up to the number before the last missing one, and goes on with the first live one."""

    def chunk(self, first, messages, newest):
        ready = super().chunk(first, messages, newest)
        if self.kept and min(self.kept) == self.next + 1:
            self.next += 1
            ready += self.ready()
        return ready

    def ask(self, now):
        wanted = super().ask(now)
        if wanted and self.kept and wanted.count > 1 and wanted.first + wanted.count == min(self.kept):
            return AskFor(wanted.to, wanted.first, wanted.count - 1)
        return wanted


class HistoryFirst(MyCatchUp):
    """Throws away what comes live while something is missing, and goes on with what comes when it believes that it has everything."""

    def __init__(self, last, peers, room):
        super().__init__(last, peers, room)
        self.behind = True

    def live(self, number, message):
        if self.behind or number < self.next:
            return []
        self.next = number + 1
        return [message]

    def chunk(self, first, messages, newest):
        ready = super().chunk(first, messages, newest)
        self.behind = self.next <= newest
        return ready


class ThrowsAway(MyCatchUp):
    """Keeps nothing that comes too early; it asks for it later."""

    def live(self, number, message):
        self.newest = max(self.newest, number)
        return super().live(number, message) if number == self.next else []


class NoBound(MyCatchUp):
    """Keeps whatever comes."""

    def __init__(self, last, peers, room):
        super().__init__(last, peers, 10_000)


class KeepsShown(MyCatchUp):
    """Writes down all that it has shown."""

    def __init__(self, last, peers, room):
        super().__init__(last, peers, room)
        self.screen = []

    def ready(self):
        ready = super().ready()
        self.screen += ready
        return ready


class LiveTellsIt(MyCatchUp):
    """What comes live is the newest one, so nobody has to be asked."""

    def live(self, number, message):
        self.told = True
        return super().live(number, message)


class ForgetsTheFull(MyCatchUp):
    """What there is no room for is gone, and nobody notices that it was there."""

    def live(self, number, message):
        if number > self.next and len(self.kept) >= self.room:
            return []
        return super().live(number, message)

    def chunk(self, first, messages, newest):
        return super().chunk(first, messages, newest if not self.told else 0)


class FromTheFirst(MyCatchUp):
    """Begins with number 1 whenever it comes back."""

    def __init__(self, last, peers, room):
        super().__init__(last, peers, room)
        self.back = 1

    def chunk(self, first, messages, newest):
        self.back = max(self.back, first + len(messages))
        return super().chunk(first, messages, newest)

    def ask(self, now):
        wanted = super().ask(now)
        if wanted is None or self.back >= wanted.first:
            return wanted
        return AskFor(wanted.to, self.back, 10)


class AlwaysTen(MyCatchUp):
    """Asks for ten, however few are missing."""

    def ask(self, now):
        wanted = super().ask(now)
        return wanted and AskFor(wanted.to, wanted.first, 10)


class Faithful(MyCatchUp):
    """Asks the same peer for ever."""

    def ask(self, now):
        wanted = super().ask(now)
        return wanted and AskFor(self.peers[0], wanted.first, wanted.count)


class EmptyIsAnAnswer(MyCatchUp):
    """Goes on asking a peer that had missed the same ones."""

    def chunk(self, first, messages, newest):
        turn = self.turn
        ready = super().chunk(first, messages, newest)
        self.turn = turn
        return ready


class WaitsForSilence(MyCatchUp):
    """Asks only if it has seen that something is missing."""

    def __init__(self, last, peers, room):
        super().__init__(last, peers, room)
        self.told = True


class OnceLevel(MyCatchUp):
    """When it is level it is level for ever."""

    def __init__(self, last, peers, room):
        super().__init__(last, peers, room)
        self.done = False

    def ask(self, now):
        self.done = self.done or (self.told and self.next > self.newest)
        return None if self.done else super().ask(now)


class NeverAgain(MyCatchUp):
    """A request was sent, so it will be answered."""

    def ask(self, now):
        return None if self.asked is not None else super().ask(now)


class ShortIsTheEnd(MyCatchUp):
    """A chunk of fewer than ten is the end of history."""

    def chunk(self, first, messages, newest):
        ready = super().chunk(first, messages, newest)
        if len(messages) < 10:
            self.newest = self.next - 1
        return ready


class NextTime(MyCatchUp):
    """What was kept is shown when the next message comes live."""

    def chunk(self, first, messages, newest):
        early, self.kept = self.kept, {}
        ready = super().chunk(first, messages, newest)
        self.kept = {number: one for number, one in early.items() if number >= self.next}
        return ready

    def ask(self, now):
        return None if self.next in self.kept else super().ask(now)


class GoesBack(MyCatchUp):
    """Behind a chunk the number after its last one comes next."""

    def chunk(self, first, messages, newest):
        self.newest, self.told, self.asked = max(self.newest, newest), True, None
        if not messages:
            self.turn += 1
            return []
        self.next = first + len(messages)
        self.kept = {number: one for number, one in self.kept.items() if number >= self.next}
        return list(messages) + self.ready()


class KeepsAsking(MyCatchUp):
    """Asks every second whether there is something new."""

    def ask(self, now):
        if self.asked is not None and now - self.asked < 1:
            return None
        if self.told and self.next > self.newest:
            self.asked = now
            return AskFor(self.peers[0], self.next, 1)
        return super().ask(now)


class ServesOneLate(MyCatchUp):
    """A log begins with number 0."""

    def serve(self, log, first, count):
        return log[first : first + count]


class ServesTheRest(MyCatchUp):
    """Whoever asks gets all there is."""

    def serve(self, log, first, count):
        return log[first - 1 :]


class Shares(MyCatchUp):
    """All nodes share one dictionary."""

    both = {}

    def __init__(self, last, peers, room):
        super().__init__(last, peers, room)
        self.kept = self.both


class ReturnsOne(MyCatchUp):
    """Returns a message where a list is asked for."""

    def live(self, number, message):
        return message


class Raises(MyCatchUp):
    """Looks up a number that it has not kept."""

    def chunk(self, first, messages, newest):
        for one in messages:
            if one.number < self.next:
                del self.kept[one.number]
        return super().chunk(first, messages, newest)


class NotWritten(MyCatchUp):
    """Not begun."""

    def live(self, number, message):
        raise NotImplementedError


NEED = ("once", "order", "prompt", "elsewhere", "lean", "serves")
ALL = {"public": ("complete", *NEED), "hidden": ("complete", *NEED), "budget": ("bytes", "room", "memory")}
BYTES = {"budget": ("bytes",)}
NUMBER, MOMENT = r"#\d+", r"[\d.]+ s"


def both(*aspects):
    """Return what is lost on the runs that are seen and on those that are not."""
    return {"public": aspects, "hidden": aspects}


MISTAKES = {
    "8.1": {
        "live at once": Mistake(
            LiveAtOnce,
            both("order") | BYTES,
            rf"node \d showed {NUMBER} \(live\) at {MOMENT} before {NUMBER}, which came after it, at {MOMENT}",
        ),
        "shows it twice": Mistake(
            Twice,
            both("once", "lean"),
            rf"node \d asked for {NUMBER} to {NUMBER} at {MOMENT}, {NUMBER} among them, and the newest that it knew of was {NUMBER}|which had come live at",
        ),
        "shows copies": Mistake(
            CopiesOfChunks,
            both("once"),
            rf"node \d showed {NUMBER} at {MOMENT} for the second time, after {MOMENT}: it came",
        ),
        "one too few": Mistake(
            OneTooFew,
            ALL,
            rf"node \d showed {NUMBER} \(live\) at {MOMENT} before {NUMBER} and never showed {NUMBER}: it had asked for {NUMBER}.*, and {NUMBER} came live",
        ),
        "history first": Mistake(
            HistoryFirst,
            ALL,
            rf"node \d (did not show {NUMBER} when it came at {MOMENT}|showed {NUMBER} \(live\) at {MOMENT} before {NUMBER} and never showed|asked for {NUMBER}.* which had come live at {MOMENT}, when \w+ others? waited and there was room for \d+)",
        ),
        "throws away": Mistake(
            ThrowsAway,
            both("prompt", "lean") | BYTES,
            rf"node \d did not show {NUMBER}.* at {MOMENT}: {NUMBER} had come live at {MOMENT}, when \w+ others? waited and there was room for \d+, and all before it had been shown",
            tests=False,
        ),
        "without a bound": Mistake(
            NoBound,
            {"budget": ("room", "memory")},
            rf"node 2 showed \d+ messages at {MOMENT} that it had kept while it waited for {NUMBER}; there is room for 10",
            tests=False,
        ),
        "keeps what was shown": Mistake(
            KeepsShown,
            {"budget": ("memory",)},
            r"After 20,000 messages the process of your class holds \d+\.\d MB more than after 2,000",
            tests=False,
        ),
        "live tells it": Mistake(
            LiveTellsIt,
            both("prompt"),
            rf"node \d asked for nothing at {MOMENT}, although nobody had told it which number is the newest; it had asked nobody",
            tests=False,
        ),
        "forgets the full": Mistake(
            ForgetsTheFull,
            {"hidden": ALL["hidden"], "budget": ALL["budget"]},
            rf"node \d asked for nothing at {MOMENT}, although {NUMBER} was missing; its last request went out at {MOMENT}",
            tests=False,
        ),
        "from the first": Mistake(
            FromTheFirst,
            both("lean") | BYTES,
            rf"node \d asked for #1.* at {MOMENT}, {NUMBER} among them, (which it had shown|and its log went up to)",
            tests=False,
        ),
        "always ten": Mistake(
            AlwaysTen,
            both("lean"),
            rf"node \d asked for {NUMBER} to {NUMBER} at {MOMENT}, {NUMBER} among them, (and the newest that it knew of was {NUMBER}|which had come live at {MOMENT})",
            tests=False,
        ),
        "faithful": Mistake(
            Faithful,
            ALL,
            rf"node \d asked node \d for {NUMBER}.* at {MOMENT}; at {MOMENT} it had asked node \d as well, which had",
        ),
        "an empty answer": Mistake(
            EmptyIsAnAnswer,
            ALL | {"public": ("elsewhere",)},
            rf"node \d asked node \d for {NUMBER}.* at {MOMENT}; at {MOMENT} it had asked node \d as well, which had nothing of it",
            tests=False,
        ),
        "waits until it sees a gap": Mistake(
            WaitsForSilence,
            ALL,
            rf"node \d asked for nothing at {MOMENT}, although nobody had told it which number is the newest; it had asked nobody",
        ),
        "once level": Mistake(
            OnceLevel,
            ALL,
            rf"node \d asked for nothing at {MOMENT}, although {NUMBER} was missing; its last request went out at {MOMENT}",
        ),
        "never again": Mistake(
            NeverAgain,
            ALL,
            rf"node \d asked for nothing at {MOMENT}, although .*; its last request went out at {MOMENT}",
        ),
        "short is the end": Mistake(
            ShortIsTheEnd,
            ALL,
            rf"node \d asked for nothing at {MOMENT}, although {NUMBER} was missing; its last request went out",
            tests=False,
        ),
        "next time": Mistake(
            NextTime,
            ALL,
            rf"node \d did not show {NUMBER}.* at {MOMENT}: {NUMBER} had come live at {MOMENT}, when \w+ others? waited and there was room for \d+, and all before it had been shown",
            tests=False,
        ),
        "goes back": Mistake(
            GoesBack,
            both("once", "prompt", "lean"),
            rf"node \d showed {NUMBER} at {MOMENT} for the second time, after {MOMENT}",
            tests=False,
        ),
        "keeps asking": Mistake(
            KeepsAsking,
            both("elsewhere", "lean"),
            rf"node \d asked for {NUMBER} at {MOMENT}, although (it had everything up to {NUMBER}, the newest it knew of|a chunk had told it that nothing had been said yet)",
            tests=False,
        ),
        "serves one late": Mistake(
            ServesOneLate,
            ALL,
            rf"node \d was asked at {MOMENT} for {NUMBER} to {NUMBER}, its log went up to {NUMBER}, and it served {NUMBER}",
        ),
        "serves the rest": Mistake(
            ServesTheRest,
            both("serves"),
            rf"node \d was asked at {MOMENT} for {NUMBER}.*, its log went up to {NUMBER}, and it served {NUMBER}",
            tests=False,
        ),
        "shares a dictionary": Mistake(
            Shares, ALL, r"and alone with .* Do all nodes share a list or a dictionary\?", tests=False
        ),
        "returns a message": Mistake(
            ReturnsOne,
            ALL,
            rf"node \d stopped at {MOMENT}, because live returned Message\(number=1, .*; return a list of messages",
            tests=False,
        ),
        "raises": Mistake(
            Raises, ALL, rf"node \d stopped at {MOMENT}, because your class raised KeyError: \d+", tests=False
        ),
        "is not written": Mistake(NotWritten, ALL, r"You have not written `live` yet", tests=False),
    }
}
