"""Wrong answers of lab 06: each is a misconception, with what it loses and the sentence that its writer reads."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from chatsys.teach.grading.keys import Mistake
from chatsys.teach.labs.lab06 import Numbered

_spec = spec_from_file_location("right", Path(__file__).with_name("answers.py"))
right = module_from_spec(_spec)
_spec.loader.exec_module(right)

MyFailOver = right.MyFailOver


class BeginsAnew(MyFailOver):
    """The new leader counts from 1."""

    def lead(self, term, answers):
        self.newest = term
        self.entries = {}
        return []


class OwnOnly(MyFailOver):
    """The new leader looks at what it holds itself."""

    def lead(self, term, answers):
        mine = max(answers.values(), key=len) if self.me not in answers else answers[self.me]
        return super().lead(term, {self.me: mine})

    def __init__(self, me):
        super().__init__(me)
        self.me = me


class NoFence(MyFailOver):
    """Every frame may pass."""

    def admits(self, kind, term, sender):
        self.newest = max(self.newest, term)
        return True


class LeadsUnfenced(MyFailOver):
    """Who leads a new term does not close its own door to the old one."""

    def __init__(self, me):
        super().__init__(me)
        self.door = 0

    def admits(self, kind, term, sender):
        if term < self.door:
            return False
        self.door = self.newest = term
        return True


class CollectOnlyAsks(MyFailOver):
    """A COLLECT is a question, so it changes nothing."""

    def admits(self, kind, term, sender):
        if kind == "COLLECT":
            return term >= self.newest
        return super().admits(kind, term, sender)


class OnlyCollectTells(MyFailOver):
    """Of a new term one hears by its COLLECT only."""

    def admits(self, kind, term, sender):
        if kind != "COLLECT":
            return term >= self.newest
        return super().admits(kind, term, sender)


class FencePerKind(MyFailOver):
    """A fence for each kind of frame."""

    def __init__(self, me):
        super().__init__(me)
        self.doors = {}

    def admits(self, kind, term, sender):
        if term < self.doors.get(kind, 0):
            return False
        self.doors[kind] = term
        return True


class WholeLogsPass(MyFailOver):
    """A whole log is always good to have."""

    def admits(self, kind, term, sender):
        return super().admits(kind, term, sender) or kind == "WHOLE_LOG"


class OnlyNewer(MyFailOver):
    """A term may pass once."""

    def admits(self, kind, term, sender):
        if term <= self.newest:
            return False
        self.newest = term
        return True


class FirstLeader(MyFailOver):
    """Whoever led first may pass."""

    def __init__(self, me):
        super().__init__(me)
        self.leader = None

    def admits(self, kind, term, sender):
        if self.leader is None:
            self.leader = sender
        return sender == self.leader


class NumbersAgain(MyFailOver):
    """What is said again gets a new number."""

    def order(self, author, post, text):
        one = Numbered(self.newest, len(self.entries) + 1, author, post, text)
        self.entries[one.number] = one
        return one


class RemembersItsOwn(MyFailOver):
    """Knows again what it has numbered itself, and not what it inherited."""

    def lead(self, term, answers):
        self.given = {}
        return super().lead(term, answers)

    def order(self, author, post, text):
        if (author, post) in self.given:
            return self.given[author, post]
        one = Numbered(self.newest, len(self.entries) + 1, author, post, text)
        self.entries[one.number] = self.given[author, post] = one
        return one


class ByText(MyFailOver):
    """Takes an equal text of an author for a repetition."""

    def order(self, author, post, text):
        for one in self.entries.values():
            if (one.author, one.text) == (author, text):
                return one
        return super().order(author, post, text)


class LeavesHoles(MyFailOver):
    """A number that nobody has is left open."""

    def lead(self, term, answers):
        again = super().lead(term, answers)
        top = max(self.entries, default=0)
        held = {one.number for some in answers.values() for one in some}
        self.entries = {number: one for number, one in self.entries.items() if number in held}
        self.next = top + 1
        return [one for one in again if one.number in held]

    def order(self, author, post, text):
        for one in self.entries.values():
            if (one.author, one.post) == (author, post):
                return one
        one = Numbered(self.newest, self.next, author, post, text)
        self.next += 1
        self.entries[one.number] = one
        return one


class VoidsWhatItLacks(MyFailOver):
    """What the new leader has not itself is void."""

    def __init__(self, me):
        super().__init__(me)
        self.me = me

    def lead(self, term, answers):
        again = super().lead(term, answers)
        mine = {one.number for one in answers[self.me]}
        told = [one if one.number in mine else Numbered(term, one.number, "", 0, None) for one in again]
        self.entries |= {one.number: one for one in told}
        return told


class LastAnswerCounts(MyFailOver):
    """Of two messages with one number that of the last answer counts."""

    def lead(self, term, answers):
        last = {one.number: one for held in answers.values() for one in held}
        return super().lead(term, {0: list(last.values()), **{node: [] for node in answers}})


class FirstAnswerCounts(MyFailOver):
    """Of two messages with one number that of the first answer counts."""

    def lead(self, term, answers):
        self.newest, self.entries, again = term, {}, []
        for held in answers.values():
            for one in held:
                self.entries.setdefault(one.number, one)
        for number in range(1, max(self.entries, default=0) + 1):
            one = self.entries.get(number, Numbered(term, number, "", 0, None))
            if not all(one in held for held in answers.values()):
                one = Numbered(term, number, one.author, one.post, one.text)
                again.append(one)
            self.entries[number] = one
        return again


class NeverEmpties(MyFailOver):
    """Who leads again adds the answers to what it held when it led before."""

    def lead(self, term, answers):
        before = self.entries
        again = super().lead(term, answers)
        for number in range(len(self.entries) + 1, max(before, default=0) + 1):
            one = before.get(number, Numbered(term, number, "", 0, None))
            self.entries[number] = Numbered(term, number, one.author, one.post, one.text)
            again.append(self.entries[number])
        return again


class OldTerms(MyFailOver):
    """What goes out again goes out as it came."""

    def lead(self, term, answers):
        again = super().lead(term, answers)
        terms = {one.number: one.term for held in answers.values() for one in held}
        old = [Numbered(terms.get(o.number, term), o.number, o.author, o.post, o.text) for o in again]
        return old


class KeepsItsCounter(MyFailOver):
    """Who led before goes on with its own counter, if that is higher."""

    def __init__(self, me):
        super().__init__(me)
        self.count = 0

    def lead(self, term, answers):
        again = super().lead(term, answers)
        self.count = max(self.count, max(self.entries, default=0))
        return again

    def order(self, author, post, text):
        for one in self.entries.values():
            if (one.author, one.post) == (author, post):
                return one
        self.count += 1
        one = Numbered(self.newest, self.count, author, post, text)
        self.entries[one.number] = one
        return one


class CountsThem(MyFailOver):
    """Counts what is there instead of looking for the highest number."""

    def lead(self, term, answers):
        again = super().lead(term, answers)
        held = {one.number for some in answers.values() for one in some}
        self.entries = {number: one for number, one in self.entries.items() if number in held}
        return [one for one in again if one.number in held]


class SendsNothing(MyFailOver):
    """Goes on with the next number, and sends nothing out again."""

    def lead(self, term, answers):
        super().lead(term, answers)
        return []


class SendsEverything(MyFailOver):
    """Sends all messages out again, whoever has them."""

    def lead(self, term, answers):
        return super().lead(term, {**answers, 0: []})


class Shares(MyFailOver):
    """All nodes have one dictionary."""

    common = {}

    def __init__(self, me):
        self.newest = 0

    @property
    def entries(self):
        return self.common

    @entries.setter
    def entries(self, value):
        self.common.clear()
        self.common.update(value)


class ReturnsOne(MyFailOver):
    """`lead` returns the dictionary."""

    def lead(self, term, answers):
        super().lead(term, answers)
        return self.entries


class Raises(MyFailOver):
    """Expects an answer of every node, of the one that crashed, too."""

    def lead(self, term, answers):
        for node in (1, 2, 3):
            answers[node]
        return super().lead(term, answers)


class NotWritten:
    def __init__(self, me):
        pass

    def admits(self, kind, term, sender):
        raise NotImplementedError

    def lead(self, term, answers):
        raise NotImplementedError

    def order(self, author, post, text):
        raise NotImplementedError


class NeverPasses(MyFailOver):
    """Nothing may pass."""

    def admits(self, kind, term, sender):
        return False


EVERY = ("onward", "kept", "once", "harmless")
ALL = {"public": EVERY, "hidden": EVERY, "search": ("orders",), "budget": ("sparing",)}


def both(*aspects):
    """Lost in public and in secret."""
    return {"public": aspects, "hidden": aspects}


SEARCH = {"search": ("orders",)}

MISTAKES = {
    "6.1": {
        "begins anew": Mistake(
            BeginsAnew, ALL, r"node \d gave number \d to “.*” at .* s, but #\d is “.*”, post \d of .*, since .* s\."
        ),
        "own messages only": Mistake(
            OwnOnly, ALL, r"node (\d) gave number \d to .*: node \d had it\. Which is the highest in any answer\?"
        ),
        "no fence": Mistake(
            NoFence,
            both("harmless") | SEARCH,
            r"node \d admitted NUMBERED #\d of term \d from node \d at .* s, although it (knew|had led) term \d .* s\.",
        ),
        "leads without a fence": Mistake(
            LeadsUnfenced,
            both("harmless"),
            r"node \d admitted NUMBERED #\d of term \d from node \d at .* s, although it (knew|had led) term",
        ),
        "a COLLECT only asks": Mistake(
            CollectOnlyAsks,
            both("harmless") | SEARCH,
            r"node \d admitted NUMBERED #\d+ of term \d from node \d at .* s(; it knew term \d since|, although it knew term \d from a) .*",
            tests=False,
        ),
        "only a COLLECT tells": Mistake(
            OnlyCollectTells,
            both("harmless"),
            r"node 1 admitted NUMBERED #\d of term 4 from node 4 at .* s, although it knew term 7 from a HEARTBEAT at .* s\.",
            tests=False,
        ),
        "a fence for each kind": Mistake(
            FencePerKind,
            both("harmless") | SEARCH,
            r"node \d admitted NUMBERED #\d of term \d from node \d at .* s, although it (knew|had led) term",
            tests=False,
        ),
        "whole logs pass": Mistake(
            WholeLogsPass,
            {"hidden": ("harmless",)},
            r"node 1 admitted a WHOLE_LOG of term 3 from node 3, although it knew term 5 from a COLLECT of node 2",
            tests=False,
        ),
        "a term passes once": Mistake(
            OnlyNewer,
            ALL,
            r"node \d refused NUMBERED of term 3 from node 3 at .* s, although it knew no term newer than 3",
        ),
        "the first leader passes": Mistake(
            FirstLeader,
            ALL,
            r"node \d refused COLLECT of term 5 from node 2 at .* s, although it knew no term newer than 3",
        ),
        "nothing passes": Mistake(
            NeverPasses, ALL, r"node \d refused HEARTBEAT of term 3 from node 3 at .* s, although it knew no term yet"
        ),
        "numbers again": Mistake(
            NumbersAgain,
            both("once") | SEARCH,
            r"“.*” is #\d and #\d+: .*@\d said it again, as post \d, and node \d gave it a second number",
        ),
        "remembers its own": Mistake(
            RemembersItsOwn,
            both("once") | SEARCH,
            r"“.*” is #\d and #\d+: .*@\d said it again, as post \d, and node \d gave it a second number",
        ),
        "an equal text": Mistake(
            ByText,
            both("kept"),
            r"node \d was asked at .* s to number “(.*)”, post \d of (.*), and returned #\d+, “\1”, post \d of \2",
        ),
        "leaves a hole": Mistake(
            LeavesHoles,
            ALL,
            r"no node that is up had #\d, and node \d began to lead .* without it: all wait for #\d for ever\. Who may say that it never was\?",
        ),
        "voids what it lacks": Mistake(
            VoidsWhatItLacks, both("kept") | SEARCH, r"node \d declared #\d “.*” void at .* s; node \d had"
        ),
        "the last answer counts": Mistake(
            LastAnswerCounts,
            both("kept") | {"budget": ("sparing",)},
            r"node 2 sent #\d “.*” out again at .* s; in the answers #\d of term 7 is “.*”, and the higher term counts",
            tests=False,
        ),
        "the first answer counts": Mistake(
            FirstAnswerCounts,
            {"hidden": ("kept",)},
            r"node 2 leads term 10; #2 is “old” of term 4 in the answer of node 1, “new” of term 7 in its own\. It goes on with “old”",
            tests=False,
        ),
        "never empties its book": Mistake(
            NeverEmpties,
            both("kept"),
            r"node 4 sent #\d “.*” out again at .* s; no answer has it\. It is left from when node 4 led term 4\.",
            tests=False,
        ),
        "old terms go out": Mistake(
            OldTerms,
            ALL,
            r"node \d led term 5 and sent #\d “.*” out again with term 3 at .* s: who knows term 5 refuses it",
            tests=False,  # the whole log brings what was refused, a moment later: nobody's screen shows it
        ),
        "keeps its own counter": Mistake(
            KeepsItsCounter,
            ALL,
            r"node 4 gave “.*” number \d at .* s, and the newest was #\d: all wait for #\d for ever",
            tests=False,
        ),
        "counts them": Mistake(CountsThem, ALL, r"node \d gave number \d to “.*” at .* s, but #\d is “.*”, post \d of"),
        "sends nothing out again": Mistake(
            SendsNothing,
            ALL,
            r"no node that is up had #|node \d did not send #\d “.*” out again at .* s; node \d had it, and node \d waits for it for ever",
        ),
        "sends everything out again": Mistake(
            SendsEverything,
            {"budget": ("sparing",)},
            r"node 2 led from .* s on and sent 20 out again, where none was needed: all that answered had them already",
            tests=False,
        ),
        "shares a dictionary": Mistake(
            Shares, ALL, r"and alone with .* Do all nodes share a list or a dictionary\?", tests=False
        ),
        "returns a dictionary": Mistake(
            ReturnsOne, ALL, r"because lead returned .*; return a list of Numbered", tests=False
        ),
        "raises": Mistake(Raises, ALL, r"node \d stopped at .* s, because your class raised KeyError: 3", tests=False),
        "is not written": Mistake(NotWritten, ALL, r"not written", tests=False),
    }
}
