"""Right answers of lab 10, each written differently: none of them may lose a point."""

from dataclasses import dataclass, field

from chatsys.teach.labs.lab10 import Vote


class MyCommit:
    """The reference of 10.1."""

    def __init__(self, me, nodes, term):
        self.term = term
        self.held = dict.fromkeys(nodes, 0)
        self.committed = 0

    def ack(self, node, seq, term, terms):
        if term == self.term:
            self.held[node] = max(self.held[node], seq)
        most = sorted(self.held.values(), reverse=True)[len(self.held) // 2]
        if most > self.committed and terms[most - 1] == self.term:
            self.committed = most
        return self.committed


@dataclass
class Counted:
    """A dataclass, a set of nodes for each number, and a loop from the end."""

    me: int
    nodes: list
    term: int
    holders: dict = field(default_factory=dict)
    result: int = 0

    def ack(self, node, seq, term, terms):
        for number in range(1, seq + 1) if term == self.term else ():
            self.holders.setdefault(number, set()).add(node)
        for number in range(len(terms), self.result, -1):
            if terms[number - 1] == self.term and self.check(number):
                self.result = number
                break
        return self.result

    def check(self, number):
        return 2 * len(self.holders.get(number, ())) > len(self.nodes)


def majority_of(numbers):
    """Return the largest number that more than half of these reach."""
    for number in sorted(set(numbers), reverse=True):
        if sum(one >= number for one in numbers) * 2 > len(numbers):
            return number
    return 0


class WithHelper:
    """A list by place, and a function outside of the class."""

    def __init__(self, me, nodes, term):
        self.world, self.term, self.show = sorted(nodes), term, 0
        self.match = [0 for _ in nodes]

    def ack(self, node, seq, term, terms):
        if term != self.term:
            return self.show
        place = self.world.index(node)
        if seq > self.match[place]:
            self.match[place] = seq
        top = majority_of(self.match)
        if top and terms[top - 1] == term:
            self.show = max(top, self.show)
        return self.show


class Remembering:
    """Keeps what came as pairs, and counts anew each time; only news changes anything."""

    def __init__(self, me, nodes, term):
        self.needed = (len(nodes) + 2) // 2
        self.term, self.heard, self.done = term, {}, 0

    def ack(self, node, seq, term, terms):
        if term < self.term or self.heard.get(node, 0) >= seq:
            return self.done
        self.heard[node] = seq
        reached = sorted(self.heard.values())
        if len(reached) >= self.needed:
            top = reached[-self.needed]
            self.done = top if top > self.done and terms[top - 1] == self.term else self.done
        return self.done


class AllCopies:
    """An entry of an older term counts, too, where no node lacks it: Raft 5.4.2 says that this is safe."""

    def __init__(self, me, nodes, term):
        self.term, self.node, self.check = term, dict.fromkeys(nodes, 0), 0

    def ack(self, node, seq, term, terms):
        if term == self.term and seq > self.node[node]:
            self.node[node] = seq
        reached = sorted(self.node.values())
        most = reached[(len(reached) - 1) // 2]
        self.check = max(self.check, reached[0], most if most and terms[most - 1] == self.term else 0)
        return self.check


class MyPromise:
    """The reference of 10.2."""

    def __init__(self, kept):
        self.kept = kept or {"term": 0, "to": 0}

    def ask(self, term, candidate, last, own):
        newer = term > self.kept["term"]
        again = (term, candidate) == (self.kept["term"], self.kept["to"])
        yes = (newer or again) and (last.term, last.seq) >= (own.term, own.seq)
        if yes:
            self.kept = {"term": term, "to": candidate}
        return Vote(yes, self.kept)


class EnterTerms:
    """As Raft has it: every newer term is entered, also where the vote is refused."""

    def __init__(self, kept):
        self.term = kept["current"] if kept else 0
        self.voted = kept["voted"] if kept else -1

    def ask(self, term, candidate, last, own):
        if term > self.term:
            self.term, self.voted = term, -1
        good = last.term > own.term or (last.term == own.term and last.seq >= own.seq)
        result = good and term == self.term and self.voted in (-1, candidate)
        if result:
            self.voted = candidate
        return Vote(result, {"current": self.term, "voted": self.voted})


class AllVotes:
    """Keeps a vote for each term, under its name."""

    def __init__(self, kept):
        self.votes = {int(name): node for name, node in (kept or {}).items()}

    def ask(self, term, candidate, last, own):
        behind = (own.term, own.seq) > (last.term, last.seq)
        if behind or term < max(self.votes, default=0):
            return self.check(False)
        return self.check(self.votes.setdefault(term, candidate) == candidate)

    def check(self, yes):
        return Vote(yes, {str(term): node for term, node in self.votes.items()})


@dataclass
class Ballot:
    """A dataclass, and early returns."""

    kept: dict | None

    def ask(self, term, candidate, last, own):
        world = dict(self.kept or {})
        if last.term < own.term or (last.term == own.term and last.seq < own.seq):
            return Vote(False, world)
        if term < world.get("t", 0) or (term == world.get("t", 0) and world.get("n") != candidate):
            return Vote(False, world)
        self.kept = {"t": term, "n": candidate}
        return Vote(True, dict(self.kept))


class AgainAnyway:
    """Repeats a promise without a look at the logs: it was given, and nobody can take it back."""

    def __init__(self, kept):
        self.kept = kept or {"term": 0, "to": 0}

    def ask(self, term, candidate, last, own):
        if term == self.kept["term"]:
            return Vote(candidate == self.kept["to"], self.kept)
        if term < self.kept["term"] or (last.term, last.seq) < (own.term, own.seq):
            return Vote(False, self.kept)
        self.kept = {"term": term, "to": candidate}
        return Vote(True, self.kept)


ANSWERS = {
    "10.1": {
        "reference": MyCommit,
        "sets of nodes": Counted,
        "helper": WithHelper,
        "counts anew": Remembering,
        "all copies": AllCopies,
    },
    "10.2": {
        "reference": MyPromise,
        "enters terms": EnterTerms,
        "a vote a term": AllVotes,
        "dataclass": Ballot,
        "again anyway": AgainAnyway,
    },
}
