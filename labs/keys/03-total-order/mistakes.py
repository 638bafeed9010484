"""Wrong answers of lab 03: each is a misconception, with what it loses and the sentence that its writer reads."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from chatsys.teach.grading.keys import Mistake

_spec = spec_from_file_location("right", Path(__file__).with_name("answers.py"))
right = module_from_spec(_spec)
_spec.loader.exec_module(right)

MyHoldBack, MyAskingHoldBack, MySequencer = right.MyHoldBack, right.MyAskingHoldBack, right.MySequencer

EVERY = ("complete", "order", "once", "prompt", "first", "memory")
ALL = {"public": EVERY, "hidden": EVERY, "search": ("orders",)}


def both(*aspects, search=False):
    """Lost in public and in secret; `search`: and in the search."""
    return {"public": aspects, "hidden": aspects} | ({"search": ("orders",)} if search else {})


# --- 3.1 ---------------------------------------------------------------------------------------


class OnReceipt:
    def __init__(self, first=1):
        pass

    def receive(self, number, message):
        return [message]


class SkipsTheGap:
    def __init__(self, first=1):
        self.due = first

    def receive(self, number, message):
        if number >= self.due:
            self.due = number + 1
            return [message]
        return []


class OneAtATime:
    def __init__(self, first=1):
        self.due = first
        self.early = {}

    def receive(self, number, message):
        if number >= self.due:
            self.early[number] = message
        if self.due in self.early:
            self.due += 1
            return [self.early.pop(self.due - 1)]
        return []


class CopyDeletes(MyHoldBack):
    def receive(self, number, message):
        if number in self.early:
            del self.early[number]
            return []
        return super().receive(number, message)


class CopyByText(MyHoldBack):
    def __init__(self, first=1):
        super().__init__(first)
        self.texts = set()

    def receive(self, number, message):
        if message.text in self.texts:
            return []
        self.texts.add(message.text)
        return super().receive(number, message)


class CopyByWaitingText(MyHoldBack):
    def receive(self, number, message):
        if any(one.text == message.text for one in self.early.values()):
            return []
        return super().receive(number, message)


class WaitsForThree(MyHoldBack):
    def __init__(self, first=1):
        super().__init__(first)
        self.ready = []

    def receive(self, number, message):
        self.ready += super().receive(number, message)
        if len(self.ready) < 3:
            return []
        some, self.ready = self.ready, []
        return some


class SortsThree:
    def __init__(self, first=1):
        self.some = {}

    def receive(self, number, message):
        self.some[number] = message
        if len(self.some) < 3:
            return []
        ready = [self.some[each] for each in sorted(self.some)]
        self.some = {}
        return ready


class Shared:
    early = {}
    state = {"due": 1}

    def __init__(self, first=1):
        pass

    def receive(self, number, message):
        if number >= self.state["due"]:
            self.early[number] = message
        ready = []
        while self.state["due"] in self.early:
            ready.append(self.early.pop(self.state["due"]))
            self.state["due"] += 1
        return ready


class SharedQueue:
    early = {}

    def __init__(self, first=1):
        self.due = first

    def receive(self, number, message):
        if number >= self.due:
            self.early[number] = message
        ready = []
        while self.due in self.early:
            ready.append(self.early.pop(self.due))
            self.due += 1
        return ready


class KeepsAll(MyHoldBack):
    def __init__(self, first=1):
        super().__init__(first)
        self.seen = {}

    def receive(self, number, message):
        self.seen[number] = message
        return super().receive(number, message)


class KeepsFour(MyHoldBack):
    def receive(self, number, message):
        if number > self.due and len(self.early) >= 4 and number not in self.early:
            return []
        return super().receive(number, message)


class OnlyTheFirst:
    def __init__(self, first=1):
        self.first = first

    def receive(self, number, message):
        return [message] if number == self.first else []


class MadeUp(MyHoldBack):
    def receive(self, number, message):
        return [type(one)(one.number, "nobody", "lost text") for one in super().receive(number, message)]


class OldOnesAgain(MyHoldBack):
    def receive(self, number, message):
        return [message] if number < self.due else super().receive(number, message)


class IgnoresFirst(MyHoldBack):
    def __init__(self, first=1):
        super().__init__(1)


class ComparesTexts:
    def __init__(self, first=1):
        self.due = first
        self.early = {}

    def receive(self, number, message):
        if number >= self.due:
            self.early[str(number)] = message
        ready = []
        while self.early and min(self.early) == str(self.due):
            ready.append(self.early.pop(str(self.due)))
            self.due += 1
        return ready


class StartsAtZero(MyHoldBack):
    def __init__(self, first=1):
        super().__init__(0)


class Nothing:
    def __init__(self, first=1):
        pass

    def receive(self, number, message):
        return []


class Raises(MyHoldBack):
    def receive(self, number, message):
        return [self.early[number]] if number > self.due else super().receive(number, message)


class ReturnsOne(MyHoldBack):
    def receive(self, number, message):
        ready = super().receive(number, message)
        return ready[0] if ready else None


class NotWritten:
    def __init__(self, first=1):
        raise NotImplementedError

    def receive(self, number, message):
        raise NotImplementedError


# --- 3.2 ---------------------------------------------------------------------------------------


class NeverAsks(MyHoldBack):
    def missing(self, newest):
        return None


class AsksForTheNewest(MyHoldBack):
    def missing(self, newest):
        return newest


class IgnoresNewest(MyHoldBack):
    def missing(self, newest):
        return self.due if self.early else None


class AsksOnce(MyHoldBack):
    def __init__(self, first=1):
        super().__init__(first)
        self.asked = set()

    def missing(self, newest):
        for number in range(self.due, newest + 1):
            if number not in self.early and number not in self.asked:
                self.asked.add(number)
                return number
        return None


class LargestFirst(MyHoldBack):
    def missing(self, newest):
        return max((n for n in range(self.due, newest + 1) if n not in self.early), default=None)


class AlwaysAsks(MyHoldBack):
    def missing(self, newest):
        return self.due


class AsksForAllInTurn(MyHoldBack):
    def __init__(self, first=1):
        super().__init__(first)
        self.turn = 0

    def missing(self, newest):
        if self.due > newest:
            return None
        self.turn += 1
        return self.due + self.turn % (newest - self.due + 1)


class OneTooFar(MyHoldBack):
    def missing(self, newest):
        return self.due if self.due <= newest + 1 else None


# --- 3.3 ---------------------------------------------------------------------------------------


class CountsCalls:
    def __init__(self):
        self.last = 0

    def order(self, origin, post, text):
        self.last += 1
        return self.last


class SilentForCopies(MySequencer):
    def order(self, origin, post, text):
        return None if (origin, post) in self.numbers else super().order(origin, post, text)


class NewNumberForCopies:
    def __init__(self):
        self.last = 0
        self.posts = {}

    def order(self, origin, post, text):
        if post > self.posts.get(origin, 0) + 1:
            return None
        self.posts[origin] = max(post, self.posts.get(origin, 0))
        self.last += 1
        return self.last


class ByText:
    def __init__(self):
        self.numbers = {}
        self.posts = {}

    def order(self, origin, post, text):
        if (origin, text) not in self.numbers:
            if post > self.posts.get(origin, 0) + 1:
                return None
            self.numbers[origin, text] = len(self.numbers) + 1
        self.posts[origin] = max(post, self.posts.get(origin, 0))
        return self.numbers[origin, text]


class AsTheyCome:
    def __init__(self):
        self.numbers = {}

    def order(self, origin, post, text):
        return self.numbers.setdefault((origin, post), len(self.numbers) + 1)


class ForgetsTheAuthor:
    def __init__(self):
        self.numbers = {}

    def order(self, origin, post, text):
        if post > 1 and post - 1 not in self.numbers:
            return None
        return self.numbers.setdefault(post, len(self.numbers) + 1)


class ThePostItself:
    def order(self, origin, post, text):
        return post


class FromZero(MySequencer):
    def order(self, origin, post, text):
        number = super().order(origin, post, text)
        return None if number is None else number - 1


class RemembersTheLast:
    def __init__(self):
        self.count = 0
        self.last = {}

    def order(self, origin, post, text):
        known, number = self.last.get(origin, (0, 0))
        if post == known:
            return number
        if post != known + 1:
            return None
        self.count += 1
        self.last[origin] = (post, self.count)
        return self.count


class SharedNumbers:
    numbers = {}

    def order(self, origin, post, text):
        if post > 1 and (origin, post - 1) not in self.numbers:
            return None
        return self.numbers.setdefault((origin, post), len(self.numbers) + 1)


class GluesKeys:
    def __init__(self):
        self.numbers = {}

    def order(self, origin, post, text):
        if post > 1 and f"{origin}{post - 1}" not in self.numbers:
            return None
        return self.numbers.setdefault(f"{origin}{post}", len(self.numbers) + 1)


POSTS = ("numbers", "order", "once", "again")
GAPS = ("complete", "last", "smallest", "quiet")

MISTAKES = {
    "3.1": {
        "delivers on receipt": Mistake(
            OnReceipt,
            both("order", "once", "prompt", "first", "memory", search=True),
            r"node \d delivered #\d+ before #\d+: it received #\d+ at \d+\.\d\d s while #\d+ was still on its way",
        ),
        "skips the gap": Mistake(
            SkipsTheGap, ALL, r"#\d+ came at \d+\.\d\d s and was thrown away: a larger number does not mean"
        ),
        "one at a time": Mistake(
            OneAtATime,
            ALL,
            r"when #\d+ reached node \d at .* s, #\d+ was ready, too; your queue returned \[#\d+\] and had",
        ),
        "a copy deletes what waits": Mistake(
            CopyDeletes,
            ALL,
            r"#\d+ reached node \d (twice|\d times) .* never delivered; without the copies your queue is right",
        ),
        "a copy is known by its text": Mistake(
            CopyByText, ALL, r'never delivered ".+" \(#\d+\): it was taken for a copy of ".+" \(#\d+\)'
        ),
        "a copy is known by its text among what waits": Mistake(
            CopyByWaitingText, ALL, r'never delivered ".+" \(#\d+\): it was taken for a copy of ".+" \(#\d+\)'
        ),
        "delivers three at a time": Mistake(
            WaitsForThree, ALL, r"nothing was missing, and it had to wait all the same"
        ),
        "sorts three at a time": Mistake(SortsThree, ALL, r"."),
        "all queues are one": Mistake(Shared, both(*EVERY), r"Do all queues share one list or dictionary\?"),
        "what waits is on the class": Mistake(
            SharedQueue, both(*EVERY), r"Do all queues share one list or dictionary\?"
        ),
        "keeps what was delivered": Mistake(
            KeepsAll, both("memory"), r"holds \d+\.\d MB more than after 2,000.* What can be forgotten\?", tests=False
        ),
        "keeps only four": Mistake(
            KeepsFour,
            both(*EVERY),
            r"#\d+ was ready, too; your queue returned .* #\d+ was never delivered",
            tests=False,
        ),
        "only the first": Mistake(OnlyTheFirst, ALL, r"#\d+ was never delivered"),
        "made-up messages": Mistake(
            MadeUp,
            ALL,
            r'your queue returned #\d+ "lost text" by nobody; what arrived as #\d+ is ".+" by \w+',
            tests=False,
        ),
        "old ones again": Mistake(
            OldOnesAgain, both("once", "memory", search=True), r"delivered #\d+ again at \d+\.\d\d s; it had"
        ),
        "ignores first": Mistake(IgnoresFirst, both("first"), r"a queue made with first=\d got #\d+ at", tests=False),
        "compares numbers as texts": Mistake(ComparesTexts, both(*EVERY), r"#\d+ was never delivered", tests=False),
        "starts at zero": Mistake(
            StartsAtZero, ALL, r"#1 reached node \d at .* nothing was missing and your queue returned \[\]"
        ),
        "delivers nothing": Mistake(
            Nothing, ALL, r"#1 reached node \d at .* nothing was missing and your queue returned \[\]"
        ),
        "raises": Mistake(
            Raises, ALL, r"when #\d+ reached node \d at \d+\.\d\d s, your queue raised KeyError: \d+", tests=False
        ),
        "returns a message": Mistake(
            ReturnsOne, ALL, r"receive must return a list of messages, \[\] for none", tests=False
        ),
        "is not written": Mistake(NotWritten, ALL, r"not written", tests=False),
    },
    "3.2": {
        "never asks": Mistake(
            NeverAsks,
            both(*GAPS) | {"budget": ("budget",)},
            r"node \d had #\d+ at .* s and never got #\d+: it never asked for it",
        ),
        "asks for the newest": Mistake(AsksForTheNewest, both(*GAPS) | {"budget": ("budget",)}, r"never got #\d+"),
        "ignores newest": Mistake(
            IgnoresNewest,
            both("last") | {"budget": ("budget",)},
            r"the last message, #8, was lost on its way to node 1\. From .* s on `newest` was 8; it never asked for it",
        ),  # fmt: skip
        "asks once": Mistake(
            AsksOnce,
            both(*GAPS) | {"budget": ("budget",)},
            r"it asked for it once, at .* s, and a request or its answer can be lost",
        ),
        "largest first": Mistake(
            LargestFirst,
            both("smallest"),
            r"node \d lacked #\d+, #\d+.* and asked for #\d+; all that waits, waits for #\d+",
        ),
        "always asks": Mistake(
            AlwaysAsks,
            both("quiet") | {"budget": ("budget",)},
            r"node \d had received everything and asked for #9 at .* s, and \d+ more times",
        ),
        "one too far": Mistake(OneTooFar, both("quiet") | {"budget": ("budget",)}, r"asked for #9"),
        "asks for all in turn": Mistake(
            AsksForAllInTurn,
            both("smallest") | {"budget": ("budget",)},
            r"all that waits, waits for|it had received it at",
        ),
    },
    "3.3": {
        "counts calls": Mistake(CountsCalls, both("order", "once", "again"), r"post \d of \w+ got #\d+ while"),
        "silent for copies": Mistake(
            SilentForCopies,
            both("again"),
            r"post \d of \w+ came again and got None; it has #\d+, and that answer may have been lost",
        ),
        "a new number for a copy": Mistake(
            NewNumberForCopies,
            both("once", "again"),
            r"post \d of \w+ had #\d+, came again and got #\d+: everybody would see it twice",
        ),
        "a copy is known by its text": Mistake(
            ByText, both(*POSTS), r'".+" \(post \d of \w+\) was taken for a copy of ".+" \(post \d of \w+\)'
        ),
        "numbers posts as they come": Mistake(
            AsTheyCome, both("order"), r"post \d of \w+ got #\d+ while post \d of \w+ had no number yet"
        ),
        "forgets the author": Mistake(
            ForgetsTheAuthor, both(*POSTS), r"got #\d+, which post \d of \w+ has: one number for two messages"
        ),
        "the post is the number": Mistake(
            ThePostItself, both(*POSTS), r"one number for two messages|the next number was"
        ),
        "from zero": Mistake(FromZero, both(*POSTS), r"got #0 and the next number was #1: the first number is 1"),
        "remembers the last one": Mistake(RemembersTheLast, both("again"), r"came again and got None"),
        "all sequencers are one": Mistake(
            SharedNumbers, both(*POSTS), r"Do all sequencers share one list or dictionary\?"
        ),
        "glues author and post": Mistake(GluesKeys, {"hidden": POSTS}, r"one number for two messages"),
    },
}
