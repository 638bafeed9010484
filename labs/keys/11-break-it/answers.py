"""Right answers of lab 11: five invariants and three attacks, written in different ways; and the chats that a written test must not accuse."""

from collections import defaultdict
from dataclasses import dataclass, field

from chatsys.protocol.client import Client
from chatsys.protocol.holdback import HoldBack
from chatsys.protocol.ordering import Receiver, Sequencer
from chatsys.protocol.sessions import Sessions
from chatsys.teach.labs.lab11.bugs import RightChat

# --- 11.1 ----------------------------------------------------------------------------------------


class MyInvariants:
    def agreement(self, trace):
        first = {}
        for one in trace.of("deliver"):
            other = first.setdefault(one.seq, one)
            if (one.client, one.client_seq) != (other.client, other.client_seq):
                return f"{one.time:.2f} s: #{one.seq} is {one.text!r} at node {one.node}, {other.text!r} at node {other.node}"
        return None

    def gap(self, trace):
        shown = {}
        for one in trace.of("deliver"):
            life = (one.node, one.incarnation)
            if one.seq > shown.get(life, 0) + 1:
                return f"{one.time:.2f} s: node {one.node} showed #{one.seq} after #{shown.get(life, 0)}"
            shown[life] = one.seq
        return None

    def duplicate(self, trace):
        shown = set()
        for one in trace.of("deliver"):
            key = (one.node, one.incarnation, one.client, one.client_seq)
            if key in shown:
                return f"{one.time:.2f} s: node {one.node} showed {one.text!r} again, as #{one.seq}"
            shown.add(key)
        return None

    def kept(self, trace):
        answered, reached = {}, {}
        for one in trace.of("ack"):
            other = answered.setdefault(one.seq, one)
            if (one.client, one.client_seq) != (other.client, other.client_seq):
                return f"{one.time:.2f} s: {one.text!r} and {other.text!r} were both answered as #{one.seq}"
        for one in trace.of("deliver"):
            life = (one.node, one.incarnation)
            lost = [seq for seq in range(reached.get(life, 0) + 1, one.seq) if seq in answered]
            promised = answered.get(one.seq, one)
            if lost or (promised.client, promised.client_seq) != (one.client, one.client_seq):
                return f"{one.time:.2f} s: node {one.node} showed #{one.seq} and has lost {lost or promised.text!r}"
            reached[life] = one.seq
        return None

    def leaders(self, trace):
        leader = {}
        for one in trace.of("lead"):
            life = (one.node, one.incarnation)
            if leader.setdefault(one.term, life) != life:
                return f"{one.time:.2f} s: node {one.node} leads term {one.term}, which node {leader[one.term][0]} led"
        return None


def pair(record):
    return record.client, record.client_seq


def lives(trace):
    """Return the deliveries of each life, in their order."""
    found = defaultdict(list)
    for record in trace:
        if record.kind == "deliver":
            found[record.node, record.incarnation].append(record)
    return found.values()


class ByLives:
    """Sorts the run by lives first; its names are those of the notebook."""

    check = 5

    def __init__(self):
        self.result, self.world = None, {}

    def agreement(self, trace):
        texts = defaultdict(set)
        for shown in lives(trace):
            for record in shown:
                texts[record.seq].add(pair(record))
        wrong = sorted(number for number, pairs in texts.items() if len(pairs) > 1)
        return f"#{wrong[0]} is two messages" if wrong else None

    def gap(self, trace):
        for shown in lives(trace):
            for before, record in zip([0, *(one.seq for one in shown)], shown, strict=False):
                if record.seq - before > 1:
                    return f"node {record.node} left out #{before + 1} at {record.time} s"

    def duplicate(self, trace):
        for shown in lives(trace):
            said = [pair(record) for record in shown]
            if len(set(said)) < len(said):
                return f"node {shown[0].node} showed one message twice"

    def kept(self, trace):
        acks = [record for record in trace if record.kind == "ack"]
        if len({ack.seq for ack in acks}) < len({(ack.seq, pair(ack)) for ack in acks}):
            return "one number was answered for two messages"
        for ack in acks:
            for shown in lives(trace):
                at = [record for record in shown if record.seq == ack.seq]
                beyond = any(record.seq > ack.seq for record in shown)
                if any(pair(record) != pair(ack) for record in at) or (beyond and not at):
                    return f"{ack.text} was answered as #{ack.seq} at {ack.time} s, and node {shown[0].node} has it not"

    def leaders(self, trace):
        terms = defaultdict(set)
        for record in trace:
            if record.kind == "lead":
                terms[record.term].add((record.node, record.incarnation))
        for term, who in terms.items():
            if len(who) > 1:
                return f"term {term} has {len(who)} leaders"


@dataclass
class AsDataclass:
    """One pass for all five, kept in fields; each method asks for its own."""

    wrong: dict = field(default_factory=dict)

    def look(self, trace):
        number, last, once, term, promised = {}, defaultdict(int), set(), {}, {}
        seen = defaultdict(dict)
        for record in trace:
            life, said = (record.node, record.incarnation), pair(record)
            match record.kind:
                case "lead":
                    self.note("leaders", term.setdefault(record.term, life) != life, record)
                case "ack":
                    self.note("kept", promised.setdefault(record.seq, said) != said, record)
                case "deliver":
                    self.note("agreement", number.setdefault(record.seq, said) != said, record)
                    self.note("gap", record.seq > last[life] + 1, record)
                    self.note("duplicate", (life, said) in once, record)
                    once.add((life, said))
                    last[life] = record.seq
                    seen[life][record.seq] = said
        for life, shown in seen.items():
            for at, said in promised.items():
                if at in shown and shown[at] != said or at not in shown and at < max(shown):
                    self.wrong.setdefault("kept", f"node {life[0]} lost #{at}")
        return self.wrong

    def note(self, name, wrong, record):
        if wrong:
            self.wrong.setdefault(name, f"node {record.node} at {record.time:.2f} s")

    def agreement(self, trace):
        return self.look(trace).get("agreement")

    def gap(self, trace):
        return self.look(trace).get("gap")

    def duplicate(self, trace):
        return self.look(trace).get("duplicate")

    def kept(self, trace):
        return self.look(trace).get("kept")

    def leaders(self, trace):
        return self.look(trace).get("leaders")


class Pairwise:
    """Compares records with each other, as the sentences are written; slow and plain."""

    def agreement(self, trace):
        shown = trace.of("deliver")
        return self.first(a for a in shown for b in shown if a.seq == b.seq and pair(a) != pair(b))

    def gap(self, trace):
        shown = trace.of("deliver")
        there = {(one.node, one.incarnation, one.seq) for one in shown}
        return self.first(one for one in shown if one.seq > 1 and (one.node, one.incarnation, one.seq - 1) not in there)

    def duplicate(self, trace):
        shown = trace.of("deliver")
        return self.first(
            b for at, b in enumerate(shown) for a in shown[:at] if self.same_life(a, b) and pair(a) == pair(b)
        )

    def kept(self, trace):
        shown, acks = trace.of("deliver"), trace.of("ack")
        twice = self.first(b for a in acks for b in acks if a.seq == b.seq and pair(a) != pair(b))
        if twice is not None:
            return twice
        for ack in acks:
            for one in shown:
                mine = [a for a in shown if self.same_life(a, one) and a.seq == ack.seq]
                if one.seq > ack.seq and not mine or any(pair(a) != pair(ack) for a in mine):
                    return f"node {one.node} does not have {ack.text}"
        return None

    def leaders(self, trace):
        led = trace.of("lead")
        return self.first(b for a in led for b in led if a.term == b.term and not self.same_life(a, b))

    @staticmethod
    def same_life(a, b):
        return (a.node, a.incarnation) == (b.node, b.incarnation)

    @staticmethod
    def first(found):
        return next((f"node {one.node} at {one.time:.2f} s" for one in found), None)


# --- 11.2 ----------------------------------------------------------------------------------------


class MyAttacks:
    def duplicate(self, world):
        world.cut(3, 1)
        world.say("pay", 1)

    def kept(self, world):
        world.slow_disks()
        world.say("a", 3)
        world.power_cut()
        world.say("b", 2)

    def leaders(self, world):
        world.crash(3)
        world.suspect(1)
        world.power_cut()


class OtherNodes:
    """The same with other nodes and with names for the arguments."""

    world = check = result = None

    def duplicate(self, world):
        world.cut(sender=3, receiver=2)
        world.say(node=2, text="again")

    def kept(self, world):
        world.slow_disks()
        world.say("safe", node=2)
        world.power_cut()
        world.say("other", node=1)

    def leaders(self, world):
        world.crash(node=3)
        world.suspect(node=2)
        world.power_cut()


SCRIPTS = {
    "duplicate": [("cut", 3, 2), ("say", "hello", 2)],
    "kept": [("slow_disks",), ("say", "hello", 1), ("power_cut",), ("say", "bye", 3)],
    "leaders": [("crash", 3), ("suspect", 2), ("power_cut",)],
}


@dataclass
class FromATable:
    """Moves as data, and one function that makes them."""

    moves: dict = field(default_factory=lambda: SCRIPTS)

    def play(self, world, name):
        for verb, *arguments in self.moves[name]:
            getattr(world, verb)(*arguments)

    def duplicate(self, world):
        self.play(world, "duplicate")

    def kept(self, world):
        self.play(world, "kept")

    def leaders(self, world):
        self.play(world, "leaders")


# --- 11.3: chats in which nothing is wrong ---------------------------------------------------------


class WaitsForAll(Sequencer):
    """Commits only what all nodes hold: it often stands still, and that is no wrong state."""

    def held_by_quorum(self):
        return min([self.own_match, *(progress.match for progress in self.progress.values())])


class _NoRoom(HoldBack):
    def has_room(self, batch):
        return False


class HoldsNothing(Receiver):
    """Throws every early batch away; the leader sends it again."""

    queue_class = _NoRoom


class OneBehind(Receiver):
    """Shows each message only when the next one is known to be committed."""

    def bound(self, leaders):
        return super().bound(max(0, leaders - 1))


class AnswersLate(Sessions):
    """Says ok to a repeated message only when one more was shown behind it."""

    def may_say_ok(self, seq):
        return super().may_say_ok(seq + 1)


class Restless(Client):
    """A client of its own kind; it does what the usual one does."""


def chat(name, **parts):
    return RightChat(name=name, story=name, killers=(), parts=parts)


RIGHT_CHATS = {
    "waits for all": chat("waits for all", sequencer=WaitsForAll),
    "holds nothing back": chat("holds nothing back", receiver=HoldsNothing),
    "is one message behind": chat("is one message behind", receiver=OneBehind),
    "answers late": chat("answers late", sessions=AnswersLate),
    "waits for all and answers late": chat(
        "waits for all and answers late", sequencer=WaitsForAll, sessions=AnswersLate
    ),
    "reference": RightChat(name="another client", story="another client", killers=(), client=Restless),
}

ANSWERS = {
    "11.1": {"reference": MyInvariants, "by lives": ByLives, "dataclass, one pass": AsDataclass, "pairwise": Pairwise},
    "11.2": {"reference": MyAttacks, "other nodes": OtherNodes, "dataclass, a table": FromATable},
    "the chat": RIGHT_CHATS,
}
