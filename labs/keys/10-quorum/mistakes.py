"""Wrong answers of lab 10: each is a misconception, with what it loses and the sentence that its writer reads."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from chatsys.teach.grading.keys import Mistake
from chatsys.teach.labs.lab10 import LogEnd, Vote

_spec = spec_from_file_location("right", Path(__file__).with_name("answers.py"))
right = module_from_spec(_spec)
_spec.loader.exec_module(right)

MyCommit, MyPromise = right.MyCommit, right.MyPromise


class Half(MyCommit):
    """Half of the nodes is enough."""

    def ack(self, node, seq, term, terms):
        if term == self.term:
            self.held[node] = max(self.held[node], seq)
        most = sorted(self.held.values(), reverse=True)[(len(self.held) - 1) // 2]
        if most > self.committed and terms[most - 1] == self.term:
            self.committed = most
        return self.committed


class CountsTwice(MyCommit):
    """Counts answers, not nodes: an acknowledgement that comes again counts again."""

    def __init__(self, me, nodes, term):
        super().__init__(me, nodes, term)
        self.count = {}

    def ack(self, node, seq, term, terms):
        for number in range(1, seq + 1) if term == self.term else ():
            self.count[number] = self.count.get(number, 0) + 1
            if self.count[number] > len(self.held) // 2 and terms[number - 1] == self.term:
                self.committed = max(self.committed, number)
        return self.committed


class OwnCopy(MyCommit):
    """What the leader has is committed."""

    def __init__(self, me, nodes, term):
        super().__init__(me, nodes, term)
        self.me = me

    def ack(self, node, seq, term, terms):
        super().ack(node, seq, term, terms)
        if node == self.me and term == self.term and terms[seq - 1] == term:
            self.committed = max(self.committed, seq)
        return self.committed


class AnyOther(MyCommit):
    """One other node is enough."""

    def __init__(self, me, nodes, term):
        super().__init__(me, nodes, term)
        self.me = me

    def ack(self, node, seq, term, terms):
        if node != self.me and term == self.term and terms[seq - 1] == term:
            self.committed = max(self.committed, seq)
        return self.committed


class OldTerm(MyCommit):
    """Raft's figure 8: a majority of copies is enough, of whatever term the entry is."""

    def ack(self, node, seq, term, terms):
        if term == self.term:
            self.held[node] = max(self.held[node], seq)
        most = sorted(self.held.values(), reverse=True)[len(self.held) // 2]
        self.committed = max(self.committed, most)
        return self.committed


class Stale(MyCommit):
    """An acknowledgement is an acknowledgement."""

    def ack(self, node, seq, term, terms):
        return super().ack(node, seq, self.term, terms)


class All(MyCommit):
    """All must have it."""

    def ack(self, node, seq, term, terms):
        if term == self.term:
            self.held[node] = max(self.held[node], seq)
        most = min(self.held.values())
        if most > self.committed and terms[most - 1] == self.term:
            self.committed = most
        return self.committed


class ForgetsItself(MyCommit):
    """A majority of the others."""

    def __init__(self, me, nodes, term):
        super().__init__(me, nodes, term)
        self.me = me

    def ack(self, node, seq, term, terms):
        return self.committed if node == self.me else super().ack(node, seq, term, terms)


class GoesBack(MyCommit):
    """Takes the newest word of a node, also when it was overtaken."""

    def ack(self, node, seq, term, terms):
        if term == self.term:
            self.held[node] = seq
        most = sorted(self.held.values(), reverse=True)[len(self.held) // 2]
        return most if most and terms[most - 1] == self.term else 0


class SharedHeld(MyCommit):
    """One dictionary for all leaders."""

    all_held = {}

    def __init__(self, me, nodes, term):
        super().__init__(me, nodes, term)
        self.held = SharedHeld.all_held.setdefault(tuple(nodes), dict.fromkeys(nodes, 0))

    def ack(self, node, seq, term, terms):
        if term == self.term:
            self.held[node] = max(self.held[node], seq)
        most = min(len(terms), sorted(self.held.values(), reverse=True)[len(self.held) // 2])
        if most > self.committed and terms[most - 1] == self.term:
            self.committed = most
        return self.committed


class CommitRaises(MyCommit):
    """Looks up a term behind the end."""

    def ack(self, node, seq, term, terms):
        super().ack(node, seq, term, terms)
        return self.committed if terms[seq] else 0


class NoCommit(MyCommit):
    """Nothing is written yet."""

    def ack(self, node, seq, term, terms):
        raise NotImplementedError


# --- votes ---------------------------------------------------------------------------------------


class Twice(MyPromise):
    """Refuses older terms only."""

    def ask(self, term, candidate, last, own):
        yes = term >= self.kept["term"] and (last.term, last.seq) >= (own.term, own.seq)
        if yes:
            self.kept = {"term": term, "to": candidate}
        return Vote(yes, self.kept)


class InMemory(MyPromise):
    """Remembers in an attribute, and keeps nothing."""

    def __init__(self, kept):
        super().__init__(None)

    def ask(self, term, candidate, last, own):
        return Vote(super().ask(term, candidate, last, own).yes, {})


class TermOnly(MyPromise):
    """Keeps the term, and not whom it was promised to."""

    def __init__(self, kept):
        super().__init__({"term": kept["term"], "to": None} if kept else None)

    def ask(self, term, candidate, last, own):
        free = term == self.kept["term"] and self.kept["to"] is None
        if free and (last.term, last.seq) >= (own.term, own.seq):
            self.kept = {"term": term, "to": candidate}
            return Vote(True, {"term": term})
        vote = super().ask(term, candidate, last, own)
        return Vote(vote.yes, {"term": self.kept["term"]})


class NoLog(MyPromise):
    """Does not look at the logs."""

    def ask(self, term, candidate, last, own):
        return super().ask(term, candidate, own, own)


class Longest(MyPromise):
    """The longer log is the better one."""

    def ask(self, term, candidate, last, own):
        return super().ask(term, candidate, LogEnd(0, last.seq), LogEnd(0, own.seq))


class TermOfLast(MyPromise):
    """Only the term of the last entry counts."""

    def ask(self, term, candidate, last, own):
        return super().ask(term, candidate, LogEnd(last.term, 0), LogEnd(own.term, 0))


class Newer(MyPromise):
    """A candidate must have more than the voter."""

    def ask(self, term, candidate, last, own):
        if (last.term, last.seq) <= (own.term, own.seq):
            return Vote(False, self.kept)
        return super().ask(term, candidate, last, own)


class OnceOnly(MyPromise):
    """Who asks again is refused."""

    def ask(self, term, candidate, last, own):
        if term <= self.kept["term"]:
            return Vote(False, self.kept)
        return super().ask(term, candidate, last, own)


class AnyTerm(MyPromise):
    """Keeps a promise for each term, and gives one for a lower term as well."""

    def __init__(self, kept):
        self.kept = dict(kept or {})

    def ask(self, term, candidate, last, own):
        behind = (last.term, last.seq) < (own.term, own.seq)
        if behind:
            return Vote(False, dict(self.kept))
        return Vote(self.kept.setdefault(str(term), candidate) == candidate, dict(self.kept))


class FirstEver(MyPromise):
    """One promise in a life."""

    def ask(self, term, candidate, last, own):
        if self.kept["to"] not in (0, candidate):
            return Vote(False, self.kept)
        return super().ask(term, candidate, last, own)


class SharedVotes(MyPromise):
    """One dictionary for all nodes."""

    votes = {"term": 0, "to": 0}

    def __init__(self, kept):
        self.kept = SharedVotes.votes

    def ask(self, term, candidate, last, own):
        vote = super().ask(term, candidate, last, own)
        SharedVotes.votes = self.kept
        return vote


class PromiseRaises(MyPromise):
    """Forgets that there was no life before the first."""

    def __init__(self, kept):
        self.kept = {"term": kept["term"], "to": kept["to"]}


class NoPromise(MyPromise):
    """Nothing is written yet."""

    def ask(self, term, candidate, last, own):
        raise NotImplementedError


SEARCH = {"search": ("orders",)}
COMMIT = ("onward", "majority", "older", "stale")
PROMISE = ("elects", "once", "remembers", "newest")


def both(*aspects):
    """Lost in public and in secret."""
    return {"public": aspects, "hidden": aspects}


MISTAKES = {
    "10.1": {
        "half of them": Mistake(
            Half,
            both("majority") | SEARCH,
            r"node \d committed #\d+ at .* s\. By then .* of a copy from nodes \d and \d only: 2 of 4 nodes, and a majority is 3",
        ),
        "counts answers": Mistake(
            CountsTwice,
            both("majority") | SEARCH,
            r"from node \d only: 1 of \d nodes, .* Did its own copy count alone, or twice\?|only: \d of 5 nodes, and",
        ),
        "its own copy": Mistake(
            OwnCopy,
            both("majority") | SEARCH,
            r"heard at .* s that nodes .* hold #|only: 1 of \d nodes, .* Did its own copy count alone, or twice\?",
        ),
        "one other": Mistake(
            AnyOther, both("majority") | SEARCH, r"node \d committed #\d+ at .* s\. By then .* only: \d of 5 nodes, and"
        ),
        "an old term's copies": Mistake(
            OldTerm,
            both("older") | SEARCH,
            r"node \d committed #\d+ of term \d at .* s in term \d by counting \d of \d copies\. Could somebody",
            tests=False,
        ),
        "a late answer": Mistake(
            Stale,
            both("stale"),
            r"leader of term \d, committed #\d+ at .* s and counted node \d, which said so in term \d",
            tests=False,
        ),
        "all must have it": Mistake(
            All,
            both(*COMMIT) | SEARCH,
            r"node \d had heard at .* s that nodes .* of \d hold #\d+, of its own term \d, and committed",
        ),
        "a majority of the others": Mistake(
            ForgetsItself,
            both(*COMMIT) | SEARCH,
            r"node \d had heard at .* s that nodes .* of \d hold #\d+, of its own term",
        ),
        "goes back": Mistake(
            GoesBack,
            both(*COMMIT) | SEARCH,
            r"of its own term \d, and committed .* \(and had committed more before\)",
            tests=False,
        ),
        "shares a dictionary": Mistake(
            SharedHeld, both("majority") | SEARCH, r"Do all objects share a list", tests=False
        ),
        "raises": Mistake(
            CommitRaises,
            both(*COMMIT) | SEARCH,
            r"node \d stopped at .* s, because your class raised IndexError",
            tests=False,
        ),
        "is not written": Mistake(NoCommit, both(*COMMIT) | SEARCH, r"not written", tests=False),
    },
    "10.2": {
        "refuses older terms only": Mistake(
            Twice,
            both("once", "remembers") | SEARCH,
            r"node \d promised term (\d+) to node \d at .* s and to node \d at .* s",
        ),
        "in memory only": Mistake(
            InMemory,
            both("remembers") | SEARCH,
            r"promised term \d+ to node \d at .* s, crashed, and promised it to node \d at",
        ),
        "keeps the term only": Mistake(
            TermOnly,
            both("remembers") | SEARCH,
            r"promised term \d+ to node \d at .* s, crashed, and promised it to node \d at",
        ),
        "does not look at the logs": Mistake(
            NoLog,
            both("newest") | SEARCH,
            r"log of node \d (is empty|ends with #\d+ of term \d), that of node \d ends with #\d+ of term \d\. May #\d+ be",
        ),
        "the longest log": Mistake(
            Longest,
            both(*PROMISE) | SEARCH,
            r"ends with #\d+ of term \d, that of node \d ends with #\d+ of term \d\. May|log of node \d lacks nothing",
        ),
        "the last term only": Mistake(
            TermOfLast,
            both("newest") | SEARCH,
            r"ends with #\d+ of term (\d), that of node \d ends with #\d+ of term \1",
        ),
        "more than mine": Mistake(
            Newer,
            both(*PROMISE) | SEARCH,
            r"node \d refused node \d in term \d at .* s, though nobody had asked it in so high",
        ),
        "once only": Mistake(
            OnceOnly,
            both(*PROMISE) | SEARCH,
            r"and refused the same node in the same term at .* s\. What if the first answer was lost\?",
        ),
        "each term for itself": Mistake(
            AnyTerm, both("once", "remembers") | SEARCH, r"the lower term \d+ to node \d at"
        ),
        "one in a life": Mistake(
            FirstEver, both(*PROMISE) | SEARCH, r"node \d refused node \d in term \d at .* s, though nobody"
        ),
        "shares a dictionary": Mistake(
            SharedVotes, both(*PROMISE) | SEARCH, r"where it was the only node\. Do all nodes share a dictionary\?"
        ),
        "raises": Mistake(PromiseRaises, both(*PROMISE) | SEARCH, r"because your class raised TypeError"),
        "is not written": Mistake(NoPromise, both(*PROMISE) | SEARCH, r"not written"),
    },
}
