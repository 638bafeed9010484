"""Right answers of lab 05, each written differently: none of them may lose a point."""

from dataclasses import dataclass, field

from chatsys.teach.labs.lab05 import Coordinator, Election, Follow, Lead, Ok, Send, Wait


class MyBully:
    """The reference."""

    def __init__(self, me, others, term):
        self.me, self.others, self.term = me, others, term
        self.state = "new"

    def suspect(self):
        higher = [node for node in self.others if node > self.me]
        if not higher:
            return self.claim()
        self.state = "asking"
        return [*(Send(node, Election(self.term)) for node in higher), Wait(0.5)]

    def claim(self):
        nodes = len(self.others) + 1
        self.state = "leading"
        self.term += 1 + (self.me - self.term - 1) % nodes
        claims = [Send(node, Coordinator(self.term)) for node in self.others]
        return [*claims, Lead(self.term)]

    def receive(self, sender, message):
        electing = self.state in ("asking", "deferring")
        match message:
            case Election(term):
                known, self.term = self.term, max(self.term, term)
                stays = term < known or (term == known and self.state == "leading")
                return [Send(sender, Ok()), *([] if electing or stays else self.suspect())]
            case Ok() if self.state == "asking":
                self.state = "deferring"
                return [Wait(1.5)]
            case Coordinator(term) if term >= self.term:
                self.term = term
                if sender > self.me:
                    self.state = "following"
                    return [Follow(sender, term)]
                return [] if electing else self.suspect()
        return []

    def wake(self):
        return self.claim() if self.state == "asking" else self.suspect()


@dataclass
class Tens:
    """A dataclass whose terms end with the number of the node; the textbook's COORDINATOR, to the lower nodes only."""

    me: int
    others: list
    term: int
    leads: int | None = None
    phase: str = "idle"
    heard: set = field(default_factory=set)

    def suspect(self):
        self.leads = None
        self.heard = set()
        self.phase = "election"
        ask = [Send(to=one, message=Election(term=self.term)) for one in self.others if one > self.me]
        return ask + [Wait(seconds=0.4)] if ask else self.take_over()

    def take_over(self):
        self.phase = "idle"
        self.term = (self.term // 10 + 1) * 10 + self.me
        self.leads = self.term
        orders = [Lead(term=self.term)]
        for one in self.others:
            if one < self.me:
                orders.append(Send(to=one, message=Coordinator(term=self.term)))
        return orders

    def receive(self, sender, message):
        if isinstance(message, Election):
            return self.asked(sender, message.term)
        if isinstance(message, Ok):
            if self.phase == "election":
                self.heard.add(sender)
            return []
        return self.told(sender, message.term)

    def asked(self, sender, term):
        self.term = max(self.term, term)
        answer = [Send(sender, Ok())]
        if self.phase != "idle" or self.leads == self.term:
            return answer
        return answer + self.suspect()

    def told(self, sender, term):
        if term < self.term:
            return []
        self.term = term
        if sender < self.me:
            return [] if self.phase != "idle" else self.suspect()
        self.phase, self.leads = "idle", None
        return [Follow(leader=sender, term=term)]

    def wake(self):
        if self.phase == "patience":
            return self.suspect()
        if not self.heard:
            return self.take_over()
        self.phase = "patience"
        return [Wait(1.2)]


def next_term(term, me, count):
    """Return the next term that belongs to this node alone."""
    while True:
        term += 1
        if term % count == me % count:
            return term


class Heartbeats:
    """Sends no COORDINATOR at all: it leads, and the heartbeats tell it.  The terms are found by a function outside."""

    def __init__(self, me, others, term):
        self.me, self.count, self.term = me, len(others) + 1, term
        self.above = tuple(sorted(node for node in others if node > me))
        self.step = None

    def suspect(self):
        if self.above:
            self.step = "ask"
            return [Send(node, Election(self.term)) for node in self.above] + [Wait(0.6)]
        self.term = next_term(self.term, self.me, self.count)
        self.step = "lead"
        return [Lead(self.term)]

    def receive(self, sender, message):
        if type(message) is Ok:
            return self.answered()
        old = message.term < self.term
        fresh = message.term > self.term
        self.term = max(self.term, message.term)
        if type(message) is Election:
            busy = self.step in ("ask", "defer") or self.step == "lead" and not fresh
            return [Send(sender, Ok())] + ([] if busy else self.suspect())
        if old:
            return []
        if sender in self.above:
            self.step = "follow"
            return [Follow(sender, message.term)]
        return [] if self.step in ("ask", "defer") else self.suspect()

    def answered(self):
        if self.step != "ask":
            return []
        self.step = "defer"
        return [Wait(2)]

    def wake(self):
        if self.step == "ask":
            self.term = next_term(self.term, self.me, self.count)
            self.step = "lead"
            return [Lead(self.term)]
        return self.suspect()


class Names:
    """Attributes and methods that are called as things of the notebook are, and tuples instead of lists."""

    def __init__(self, me, others, term):
        self.world = {"me": me, "term": term}
        self.nodes = sorted([*others, me])
        self.result = "free"

    def show(self, kind, nodes):
        return tuple(Send(node, kind(self.world["term"])) for node in nodes)

    def check(self):
        """Whether an election is going on here."""
        return self.result in ("asked", "answered")

    def grade(self):
        me, many = self.nodes.index(self.world["me"]), len(self.nodes)
        self.world["term"] = (self.world["term"] // many + 1) * many + me
        self.result = "leader"
        others = (node for node in self.nodes if node != self.world["me"])
        return (*self.show(Coordinator, others), Lead(self.world["term"]))

    def suspect(self):
        higher = self.nodes[self.nodes.index(self.world["me"]) + 1 :]
        if not higher:
            return self.grade()
        self.result = "asked"
        return (*self.show(Election, higher), Wait(0.5))

    def receive(self, sender, message):
        if isinstance(message, Ok):
            if self.result != "asked":
                return ()
            self.result = "answered"
            return (Wait(1.0),)
        known = self.world["term"]
        self.world["term"] = max(known, message.term)
        if isinstance(message, Election):
            again = () if self.check() or (self.result == "leader" and message.term <= known) else self.suspect()
            return (Send(sender, Ok()), *again)
        if message.term < known:
            return ()
        if sender > self.world["me"]:
            self.result = "follower"
            return (Follow(sender, message.term),)
        return () if self.check() else self.suspect()

    def wake(self):
        return self.grade() if self.result == "asked" else self.suspect()


class Generator:
    """The state is that of a generator: the place in its text says what the node does."""

    def __init__(self, me, others, term):
        self.flow = self._flow(me, sorted(others), term)
        next(self.flow)

    def suspect(self):
        return self.flow.send(("suspect", None, None))

    def receive(self, sender, message):
        return self.flow.send((type(message).__name__, sender, getattr(message, "term", None)))

    def wake(self):
        return self.flow.send(("wake", None, None))

    def _flow(self, me, others, term):
        state, orders = "begins", []
        while True:
            what, sender, number = yield orders
            orders, begin, newer = [], what == "suspect", number is not None and number > term
            older = number is not None and number < term
            term = max(term, number or 0)
            if what == "Election":
                orders = [Send(sender, Ok())]
                begin = state in ("begins", "follows") or (state == "leads" and newer)
            elif what == "Ok" and state == "asks":
                state, orders = "defers", [Wait(1.5)]
            elif what == "Coordinator" and not older:
                if sender > me:
                    state, orders = "follows", [Follow(sender, term)]
                else:
                    begin = state not in ("asks", "defers")
            elif what == "wake" and state == "defers":
                begin = True
            higher = [node for node in others if node > me]
            if begin and higher:
                state = "asks"
                orders = [*orders, *(Send(node, Election(term)) for node in higher), Wait(0.5)]
            elif begin or (what == "wake" and state == "asks"):
                state, term = "leads", term + 1 + (me - term - 1) % (len(others) + 1)
                orders = [*orders, *(Send(node, Coordinator(term)) for node in others), Lead(term)]


ANSWERS = {
    "5.1": {
        "reference": MyBully,
        "dataclass, terms in tens": Tens,
        "heartbeats tell it": Heartbeats,
        "names of the notebook": Names,
        "generator": Generator,
    }
}
