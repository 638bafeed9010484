"""What must hold in every state of a searched chat: the invariants without a trace.

A search has no single history, so what the trace checkers read from the past is kept in a *ledger*
that belongs to the state: which entries were called committed (and in which term), who led which
term with which log.  The rest shows in one turn, or in two nodes side by side.

    one turn      S2 S3 S4 deliveries   S6 terms and promises   S13 commit   S14 durable before said
    two nodes     S12 equal labels, equal logs
    ledger        S1 one entry per position, for ever   S5 one leader per term
                  S8 a leader has what lower terms committed   S16 ok only if committed (so S7)

Promises  the names and meanings of `check`; a sentence names node, position and term.
Read also `check.replicas` and `check.deliveries` (the same on traces), `models`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from chatsys.actor.effects import Deliver, Note
from chatsys.check.violation import Violation
from chatsys.explore.happenings import Start
from chatsys.explore.untimed import Life, Turn
from chatsys.protocol.messages import Ack, Entry, Prepare, Promise, SubmitReply
from chatsys.protocol.node import Node
from chatsys.protocol.recovery import replay


class Led(msgspec.Struct, frozen=True):
    """Somebody began to lead; `log` are the terms of its entries."""

    term: int
    node: int
    incarnation: int
    log: tuple[int, ...]


class Committed(msgspec.Struct, frozen=True):
    """A node calls these entries, from position 1 on, committed; it was in `term`."""

    term: int
    node: int
    entries: tuple[Entry, ...]


class Acknowledged(msgspec.Struct, frozen=True):
    """A node told a client that its message stands at `seq`."""

    node: int
    client: str
    number: int
    seq: int


class Ledger(msgspec.Struct, frozen=True):
    """What was decided so far."""

    committed: tuple[tuple[Entry, int], ...] = ()
    """Each position: its entry, and the lowest term in which it was called committed."""
    led: tuple[Led, ...] = ()


def broken(name: str, story: str, node: int | None = None, seq: int | None = None) -> Violation:
    """Return a violation."""
    titles = {
        "S1": "agreement", "S2": "order", "S3": "no gaps", "S4": "no duplicates", "S5": "one leader per term",
        "S6": "terms rise, one promise per term", "S8": "leader completeness", "S12": "log matching",
        "S13": "commit rises, within verified", "S14": "durable before said", "S16": "ok only if committed",
    }  # fmt: skip
    return Violation(invariant=name, sentence=f"{name} {titles[name]}: {story}", time=0.0, node=node, seq=seq)


# --- the ledger -----------------------------------------------------------------------------


def collect(turn: Turn) -> tuple[Any, ...]:
    """Return what one turn adds to the ledger."""
    node, life = turn.after.actor, turn.after
    if not isinstance(node, Node):
        return ()
    here, log = node.state, node.log
    facts: list[Any] = []
    for effect in turn.effects:
        if type(effect) is Note and effect.kind == "lead":
            terms = tuple(entry.term for entry in log.entries[: (effect.seq or 1) - 1])
            facts.append(Led(here.term, here.me, life.incarnation, terms))
        elif type(effect) is Note and effect.kind == "commit":
            facts.append(Committed(here.term, here.me, tuple(log.entries[: effect.seq])))
    for to, message in turn.sent:
        if isinstance(message, SubmitReply) and message.status == "ok" and isinstance(to, str):
            client, first = message.client_id, message.client_seq
            facts += [Acknowledged(here.me, client, first + at, message.seq + at) for at in range(message.count)]
    return tuple(facts)


def enter(ledger: Any, facts: tuple[Any, ...]) -> tuple[Any, Violation | None]:
    """Enter facts; return the ledger and what they contradict."""
    ledger = ledger or Ledger()
    for fact in facts:
        match fact:
            case Led():
                ledger, wrong = _lead(ledger, fact)
            case Committed():
                ledger, wrong = _commit(ledger, fact)
            case Acknowledged():
                wrong = _acknowledge(ledger, fact)
        if wrong is not None:
            return ledger, wrong
    return ledger, None


def _lead(ledger: Ledger, fact: Led) -> tuple[Ledger, Violation | None]:
    for other in ledger.led:
        if other.term == fact.term and (other.node, other.incarnation) != (fact.node, fact.incarnation):
            who = f"node {other.node}" if other.node != fact.node else "an earlier life of the same node"
            story = f"node {fact.node} leads term {fact.term}, but {who} led it too; a term has one leader only."
            return ledger, broken("S5", story, fact.node)
    for seq, (entry, term) in enumerate(ledger.committed, start=1):
        if term < fact.term and not _holds(fact.log, entry):
            return ledger, _incomplete(fact, seq, entry, term)
    led = tuple(sorted({*ledger.led, fact}, key=lambda one: (one.term, one.node, one.incarnation, one.log)))
    return Ledger(ledger.committed, led), None


def _commit(ledger: Ledger, fact: Committed) -> tuple[Ledger, Violation | None]:
    committed = list(ledger.committed)
    for place, entry in enumerate(fact.entries):
        if place == len(committed):
            committed.append((entry, fact.term))
            for led in ledger.led:
                if led.term > fact.term and not _holds(led.log, entry):
                    return ledger, _incomplete(led, entry.seq, entry, fact.term)
        elif committed[place][0] != entry:
            first = committed[place][0]
            story = (
                f"node {fact.node} holds {_name(entry)} for committed at position {entry.seq}, but "
                f"{_name(first)} was committed there before; a position has one entry, everywhere and for ever."
            )
            return ledger, broken("S1", story, fact.node, entry.seq)
        elif fact.term < committed[place][1]:
            committed[place] = entry, fact.term
    return Ledger(tuple(committed), ledger.led), None


def _acknowledge(ledger: Ledger, fact: Acknowledged) -> Violation | None:
    if fact.seq <= len(ledger.committed):
        entry = ledger.committed[fact.seq - 1][0]
        if (entry.client_id, entry.client_seq) == (fact.client, fact.number):
            return None
    story = f"node {fact.node} said ok for message {fact.number} of {fact.client} at position {fact.seq}, which is not committed."
    return broken("S16", story, fact.node, fact.seq)


def _holds(log: tuple[int, ...], entry: Entry) -> bool:
    return entry.seq <= len(log) and log[entry.seq - 1] == entry.term


def _incomplete(led: Led, seq: int, entry: Entry, term: int) -> Violation:
    found = f"has an entry of term {led.log[seq - 1]} there" if seq <= len(led.log) else "ends before it"
    story = (
        f"node {led.node} leads term {led.term}, but {_name(entry)} was committed at position {seq} in "
        f"term {term}, and the log with which node {led.node} began to lead {found}."
    )
    return broken("S8", story, led.node, seq)


def _name(entry: Entry) -> str:
    return f"'{entry.text}'" if entry.kind == "chat" else f"the {entry.kind} entry of term {entry.term}"


# --- one turn -------------------------------------------------------------------------------


def judge(turn: Turn) -> Violation | None:
    """Judge one turn of one node."""
    before, after = turn.before.actor, turn.after.actor
    if not isinstance(after, Node):
        return None
    if isinstance(turn.event, Start):
        return _recovered(turn, after)
    assert isinstance(before, Node), "only a start makes a node"
    return _terms(before, after) or _commits(before, after) or _deliveries(turn, before, after) or _said(turn)


def _recovered(turn: Turn, node: Node) -> Violation | None:
    kept, here = replay(turn.before.durable), node.state
    if kept.promise is None or (here.term, here.promised_to) == (kept.promise.term, kept.promise.to):
        return None
    story = (
        f"node {here.me} had promised term {kept.term} to {kept.promise.to or 'nobody'} before it restarted; now it "
        f"is in term {here.term} and has promised that to {here.promised_to or 'nobody'}."
    )
    return broken("S6", story, here.me)


def _terms(before: Node, after: Node) -> Violation | None:
    old, new = before.state, after.state
    if new.term < old.term:
        return broken("S6", f"node {new.me} went back from term {old.term} to term {new.term}.", new.me)
    if new.term == old.term and old.promised_to not in (None, new.promised_to):
        story = f"node {new.me} promised term {new.term} to node {old.promised_to} and then to node {new.promised_to}."
        return broken("S6", story, new.me)
    return None


def _commits(before: Node, after: Node) -> Violation | None:
    me, log = after.state.me, after.log
    if log.commit < before.log.commit:
        return broken("S13", f"the commit of node {me} went back from {before.log.commit} to {log.commit}.", me)
    if log.commit > log.verified:
        story = f"node {me} holds entries up to {log.commit} for committed, but has verified only {log.verified}."
        return broken("S13", story, me, log.commit)
    return None


def _deliveries(turn: Turn, before: Node, after: Node) -> Violation | None:
    me, chat = after.state.me, after.sessions.chat
    last, count = (before.sessions.chat or [0])[-1], len(before.sessions.chat)
    known: set[tuple[str | None, int | None]] = {
        (entry.client_id, entry.client_seq) for entry in map(before.log.entry, chat[:count])
    }
    for one in [one for effect in turn.effects if type(effect) is Deliver for one in effect.items]:
        count += 1
        pair = one.client, one.client_seq
        if one.seq <= last:
            return broken("S2", f"node {me} delivers position {one.seq} after position {last}.", me, one.seq)
        if one.msg_no != count:
            return broken("S3", f"node {me} delivers message {one.msg_no} where {count} is next.", me, one.seq)
        if pair in known:
            return broken("S4", f"node {me} delivers message {pair[1]} of {pair[0]} a second time.", me, one.seq)
        known.add(pair)
        last = one.seq
    return None


def _said(turn: Turn) -> Violation | None:
    """What left must be durable: a promise, the copy of an entry."""
    me, kept = turn.after.me, None
    for _, message in turn.sent:
        if isinstance(message, (Prepare, Promise, Ack)) and getattr(message, "ok", True):
            kept = kept or replay(turn.after.durable)
            if kept.term < message.term:
                story = f"node {me} sent {type(message).__name__} of term {message.term}, but its disk knows term {kept.term} only."
                return broken("S14", story, int(me))
            if isinstance(message, Ack) and kept.term == message.term and len(kept.entries) < message.match:
                story = (
                    f"node {me} said it holds entries up to {message.match}, but its disk ends at {len(kept.entries)}."
                )
                return broken("S14", story, int(me), message.match)
    return None


# --- two nodes ------------------------------------------------------------------------------


def compare(one: Life, other: Life) -> Violation | None:
    """Log matching: where two logs have the same label, they are equal up to there."""
    mine, theirs = _entries(one), _entries(other)
    same = 0
    for seq in range(min(len(mine), len(theirs)), 0, -1):
        if mine[seq - 1].term == theirs[seq - 1].term:
            same = seq
            break
    for seq in range(same, 0, -1):
        if mine[seq - 1] != theirs[seq - 1]:
            story = (
                f"the logs of nodes {one.me} and {other.me} both have the entry of term {mine[same - 1].term} at "
                f"position {same}, but differ at position {seq}."
            )
            return broken("S12", story, int(one.me), seq)
    return None


def _entries(life: Life) -> Sequence[Entry]:
    node = life.actor
    return node.log.entries if isinstance(node, Node) else replay(life.durable).entries
