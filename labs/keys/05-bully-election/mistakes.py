"""Wrong answers of lab 05: each is a misconception, with what it loses and the sentence that its writer reads."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from chatsys.teach.grading.keys import Mistake
from chatsys.teach.labs.lab05 import Coordinator, Election, Follow, Lead, Ok, Send, Wait

_spec = spec_from_file_location("right", Path(__file__).with_name("answers.py"))
right = module_from_spec(_spec)
_spec.loader.exec_module(right)

MyBully = right.MyBully


class Counts(MyBully):
    """Everybody counts to the same number."""

    def claim(self):
        self.state = "leading"
        self.term += 1
        claims = [Send(node, Coordinator(self.term)) for node in self.others]
        return [*claims, Lead(self.term)]


class AddsItsNumber(MyBully):
    """Terms differ if two nodes begin with one number, and only then."""

    def claim(self):
        self.state = "leading"
        self.term += self.me
        claims = [Send(node, Coordinator(self.term)) for node in self.others]
        return [*claims, Lead(self.term)]


class IgnoresOk(MyBully):
    """An OK changes nothing: it claims when its time is over."""

    def receive(self, sender, message):
        return [] if isinstance(message, Ok) else super().receive(sender, message)


class NeverAgain(MyBully):
    """Who was answered OK waits for the COORDINATOR for ever."""

    def wake(self):
        return self.claim() if self.state == "asking" else []


class BelievesOld(MyBully):
    """Takes every COORDINATOR for news, unless it leads itself."""

    def receive(self, sender, message):
        if isinstance(message, Coordinator) and message.term < self.term and self.state == "following":
            return [Follow(sender, message.term)]
        return super().receive(sender, message)


class AsksEverybody(MyBully):
    """Asks the lower nodes, too."""

    def suspect(self):
        higher = [node for node in self.others if node > self.me]
        if not higher:
            return self.claim()
        self.state = "asking"
        return [*(Send(node, Election(self.term)) for node in self.others), Wait(0.5)]

    def receive(self, sender, message):
        if isinstance(message, Election) and sender > self.me:
            self.term = max(self.term, message.term)
            return []
        return super().receive(sender, message)


class DeafLeader(MyBully):
    """Who leads hears of no other leader."""

    def receive(self, sender, message):
        if isinstance(message, Coordinator) and self.state == "leading":
            return []
        return super().receive(sender, message)


class OnlyNewer(MyBully):
    """Follows newer terms only: who doubted its leader never finds back to it."""

    def receive(self, sender, message):
        if isinstance(message, Coordinator) and message.term <= self.term:
            return []
        return super().receive(sender, message)


class ForgetsTheTerm(MyBully):
    """Begins with term 0 in each life."""

    def __init__(self, me, others, term):
        super().__init__(me, others, 0)


class ClaimsAtOnce(MyBully):
    """Asks nobody."""

    def suspect(self):
        return self.claim()


class FollowsLower(MyBully):
    """Follows whoever claims a newer term, a lower node, too."""

    def receive(self, sender, message):
        if isinstance(message, Coordinator) and message.term >= self.term:
            self.term, self.state = message.term, "following"
            return [Follow(sender, message.term)]
        return super().receive(sender, message)


class LowestWins(MyBully):
    """Asks the lower nodes instead of the higher ones."""

    def suspect(self):
        lower = [node for node in self.others if node < self.me]
        if not lower:
            return self.claim()
        self.state = "asking"
        return [*(Send(node, Election(self.term)) for node in lower), Wait(0.5)]

    def receive(self, sender, message):
        before = self.term
        if isinstance(message, Coordinator) and message.term >= before:
            self.term = message.term
            if sender < self.me:
                self.state = "following"
                return [Follow(sender, message.term)]
            return [] if self.state in ("asking", "deferring") else self.suspect()
        return super().receive(sender, message)


class NeverOk(MyBully):
    """Starts its own election when it is asked, and does not answer."""

    def receive(self, sender, message):
        orders = super().receive(sender, message)
        return [one for one in orders if not (isinstance(one, Send) and isinstance(one.message, Ok))]


class OnlyAnswers(MyBully):
    """Answers OK and leaves it at that: it begins no election of its own."""

    def receive(self, sender, message):
        if isinstance(message, Election):
            self.term = max(self.term, message.term)
            return [Send(sender, Ok())]
        return super().receive(sender, message)


class WithoutLead(MyBully):
    """Tells the others, and forgets itself."""

    def claim(self):
        return [one for one in super().claim() if not isinstance(one, Lead)]


class ClaimsAgain(MyBully):
    """A leader that is asked claims once more, each time."""

    def receive(self, sender, message):
        if isinstance(message, Election) and self.state == "leading":
            self.term = max(self.term, message.term)
            return [Send(sender, Ok()), *self.suspect()]
        return super().receive(sender, message)


class Remembers(MyBully):
    """All nodes of the class have one term."""

    shared = {"term": 0}

    def __init__(self, me, others, term):
        self.me, self.others = me, others
        self.state = "new"
        self.shared["term"] = max(self.shared["term"], term)

    @property
    def term(self):
        return self.shared["term"]

    @term.setter
    def term(self, value):
        self.shared["term"] = value


class Talkative(MyBully):
    """Says OK every second, that the others may know."""

    def receive(self, sender, message):
        orders = super().receive(sender, message)
        if isinstance(message, Coordinator) and self.state == "following" and orders:
            return [*orders, *(Send(node, Ok()) for node in self.others)]
        if isinstance(message, Ok) and self.state == "following" and sender > self.me:
            return [Send(sender, Ok())]
        return orders


class OnlyOk(MyBully):
    """Who leads answers OK and goes on, though it is asked with a newer term."""

    def receive(self, sender, message):
        if isinstance(message, Election) and self.state == "leading":
            return [Send(sender, Ok())]
        return super().receive(sender, message)


class NoWait(MyBully):
    """Leads only when somebody wakes it, and orders no Wait."""

    def suspect(self):
        return [one for one in super().suspect() if not isinstance(one, Wait)]


class ReturnsOne(MyBully):
    def suspect(self):
        return super().suspect()[0]


class Raises(MyBully):
    def receive(self, sender, message):
        return {1: []}[sender]


class NotWritten:
    def __init__(self, me, others, term):
        pass

    def suspect(self):
        raise NotImplementedError

    def receive(self, sender, message):
        raise NotImplementedError

    def wake(self):
        raise NotImplementedError


EVERY = ("highest", "one", "forward", "unique")
COSTS = ("asks", "claims", "messages", "quiet")
ALL = {"public": EVERY, "hidden": EVERY, "search": ("orders",), "budget": COSTS}
NOT_ONE = ("one", "forward", "unique")


def budget(*aspects):
    """Lost in the budget."""
    return {"budget": aspects}


def both(*aspects):
    """Lost in public and in secret."""
    return {"public": aspects, "hidden": aspects}


MISTAKES = {
    "5.1": {
        "everybody counts one up": Mistake(
            Counts,
            both("unique") | {"search": ("orders",)},
            r"node \d and node \d both led term \d+: .* Both counted \d+ \+ 1\. How can two nodes never come to the same",
        ),
        "adds its number": Mistake(
            AddsItsNumber, {"hidden": ("unique",), "search": ("orders",)}, r"both led term \d+", tests=False
        ),
        "an OK is ignored": Mistake(
            IgnoresOk,
            budget("claims", "messages"),
            r"node 1 claimed term 1 at 0\.60 s although node 2 had answered OK at 0\.20 s: 2 claims and 8 messages, where 1 and 6",
            tests=False,
        ),
        "never starts again": Mistake(
            NeverAgain,
            {"hidden": NOT_ONE},
            r"nobody led\. Node 2 answered OK at .* s and crashed at .* s; node 1 waited for its COORDINATOR ever after",
        ),
        "an older COORDINATOR is believed": Mistake(
            BelievesOld,
            both("forward"),
            r"node \d went back from term \d+ to term \d+ at .* s, when it followed node \d",
        ),
        "asks everybody": Mistake(
            AsksEverybody,
            budget("asks", "messages"),
            r"there were 4 ELECTIONs where 3 are enough: node 2 asked node 1\. Whose answer could it be waiting for\?",
            tests=False,
        ),
        "a leader that hears of no other": Mistake(
            DeafLeader, ALL, r"both led\. Node \d had heard of term \d+ at .* s and still led term \d+"
        ),
        "only newer terms": Mistake(
            OnlyNewer, both(*NOT_ONE), r"node \d led term \d+, and node \d followed nobody; it had heard of it at .* s"
        ),
        "forgets the term": Mistake(
            ForgetsTheTerm,
            both("forward"),
            r"went back from term \d+ to term \d+ at .* s, when it led it\. `term` said \d+ when its last life began",
        ),
        "claims at once": Mistake(
            ClaimsAtOnce,
            budget("claims"),
            r"node 1 claimed term 1 at 0\.10 s and nobody had answered OK: 3 claims and 6 messages",
            tests=False,
        ),
        "follows a lower node": Mistake(
            FollowsLower,
            both("highest") | {"search": ("orders",), "budget": COSTS},
            r"node \d led term \d+, and node \d, which is higher and up, followed it",
            tests=False,
        ),
        "the lowest wins": Mistake(
            LowestWins,
            both("highest") | {"search": ("orders",), "budget": COSTS},
            r"node \d led term \d+, and node \d, which is higher and up, followed it",
            tests=False,
        ),
        "never answers OK": Mistake(
            NeverOk,
            budget("claims", "messages"),
            r"node 1 claimed term 1 at 0\.60 s and nobody had answered OK",
            tests=False,
        ),
        "only answers": Mistake(
            OnlyAnswers,
            {"hidden": NOT_ONE} | budget("claims", "messages"),
            r"node 1 followed nobody: it had seen term (\d+)\. Node 3 was asked with term \1 at .* s, and stayed in its",
        ),
        "forgets to lead": Mistake(
            WithoutLead, ALL, r"nobody led\. Node \d sent a COORDINATOR of term (\d+) at .* s and ordered no Lead\(\1\)"
        ),
        "claims whenever it is asked": Mistake(
            ClaimsAgain,
            budget("claims", "messages"),
            r"an election took 2 claims and 10 messages, where 1 and 8 are enough",
            tests=False,
        ),
        "all nodes have one term": Mistake(
            Remembers,
            both(*NOT_ONE),
            r"and alone with .* Do all nodes share one list, dictionary or number\?",
            tests=False,
        ),
        "talks on": Mistake(
            Talkative,
            budget("messages"),
            r"an election took 1 claim and 14 messages, where 1 and 8 are enough",
            tests=False,
        ),
        "a leader stays in its old term": Mistake(
            OnlyOk,
            {"hidden": NOT_ONE},
            r"node 1 followed nobody: it had seen term (\d+)\. Node 3 was asked with term \1 at .* s, and stayed in its",
        ),
        "orders no Wait": Mistake(
            NoWait,
            both(*NOT_ONE) | budget("claims", "messages"),
            r"nobody led\. The last call of node \d was .*, and it has ordered no Wait",
        ),
        "returns one order": Mistake(
            ReturnsOne,
            ALL,
            r"because suspect returned .*; return a list of Send, Lead, Follow and Wait, \[\] for none",
            tests=False,
        ),
        "raises": Mistake(Raises, ALL, r"node \d stopped at .* s, because your class raised KeyError: \d", tests=False),
        "is not written": Mistake(NotWritten, ALL, r"not written", tests=False),
    }
}
