"""What a class is asked in a seed of lab 10, drawn at random, and what is right there.

    leadership(7)    a leader of a term, and the acknowledgements that it hears        --> 10.1
        copies come one by one, twice, in another order than they were sent; some are answers to a leader of an older term
    votes(7)         several lives of one node, and the candidates that ask it         --> 10.2
        each asks once or twice, in the same term as another one, in an older term, with a longer or a shorter log

Both rules are so small that what is right can be said for each call by itself; what a wrong answer leads to, the runs of the
whole chat show (`runs`).

Read also `checks` and `voting` (the judges), `words` (what is asked).
"""

from random import Random

import msgspec

from chatsys.teach.labs.lab10.words import LogEnd


class HeardAck(msgspec.Struct, frozen=True):
    """One acknowledgement that a leader hears: `node` holds everything up to `seq`, said in `term`; `terms` is the leader's log."""

    time: float
    node: int
    seq: int
    term: int
    terms: tuple[int, ...]


class LeaderHears(msgspec.Struct, frozen=True):
    """What one leader hears."""

    me: int
    nodes: tuple[int, ...]
    term: int
    heard: tuple[HeardAck, ...]

    @property
    def majority(self) -> int:
        """How many nodes are more than half."""
        return len(self.nodes) // 2 + 1

    def holders(self, seq: int, until: int, any_term: bool = False) -> list[int]:
        """Return who held #`seq` after so many acknowledgements, by those of this term, or by those of any."""
        said = self.heard[:until]
        return sorted({one.node for one in said if one.seq >= seq and (any_term or one.term == self.term)})

    def committed(self, until: int) -> int:
        """Return up to where the log is committed after so many acknowledgements."""
        terms = self.heard[until - 1].terms
        right = (seq for seq in range(len(terms), 0, -1) if terms[seq - 1] == self.term)
        return next((seq for seq in right if len(self.holders(seq, until)) >= self.majority), 0)


def leadership(seed: int) -> LeaderHears:
    """Draw what a leader hears."""
    random = Random(f"lab 10/leadership/{seed}")
    many = random.choice((3, 4, 4, 5))
    nodes = tuple(range(1, many + 1))
    me, term = random.choice(nodes), random.randint(2, 6)
    terms = sorted(random.randint(1, term - 1) for _ in range(random.randint(1, 6)))
    held = {node: random.randint(0, len(terms)) for node in nodes}
    silent = set(random.sample([node for node in nodes if node != me], random.randint(0, many // 2)))
    time, heard = 1.0, []
    for _ in range(random.randint(16, 30)):
        time = round(time + random.uniform(0.01, 0.3), 2)
        if random.random() < 0.25 or term not in terms and random.random() < 0.4:
            terms = [*terms, term]
        node = me if random.random() < 0.3 else random.choice(nodes)
        if node in silent and random.random() < 0.8:
            continue
        if random.random() < 0.25 and node != me:  # it was on its way since an older term
            heard.append(HeardAck(time, node, random.randint(1, len(terms)), random.randint(1, term - 1), tuple(terms)))
            continue
        held[node] = max(held[node], random.randint(held[node], len(terms)))
        seq = held[node] if random.random() < 0.8 else random.randint(0, held[node])  # overtaken on its way
        if seq:
            heard += [HeardAck(time, node, seq, term, tuple(terms))] * random.choice((1, 1, 1, 2))
    return LeaderHears(me, nodes, term, tuple(heard))


class VoteAsked(msgspec.Struct, frozen=True):
    """One question of a candidate, and how the voter's own log ends."""

    time: float
    term: int
    candidate: int
    last: LogEnd
    own: LogEnd

    @property
    def behind(self) -> bool:
        """Whether the candidate's log may lack what the voter's has."""
        return (self.last.term, self.last.seq) < (self.own.term, self.own.seq)


Lives = tuple[tuple[VoteAsked, ...], ...]


def votes(seed: int) -> tuple[int, Lives]:
    """Draw a node, and what it is asked in each of its lives."""
    random = Random(f"lab 10/votes/{seed}")
    many = random.choice((3, 5))
    me, time, term = random.randint(1, many), 1.0, random.randint(1, 4)
    own, asked = LogEnd(random.randint(0, term - 1), 0), list[VoteAsked]()
    own = LogEnd(own.term, random.randint(3, 6) if own.term else 0)
    lives: list[tuple[VoteAsked, ...]] = []
    for _ in range(3):
        life: list[VoteAsked] = []
        for _ in range(random.randint(4, 9)):
            time = round(time + random.uniform(0.05, 0.9), 2)
            if random.random() < 0.3 and own.term < term:  # a leader of this term has written something here
                own = LogEnd(random.randint(max(1, own.term), term), max(1, own.seq + random.randint(-1, 3)))
            if (
                asked and lives and not life and random.random() < 0.7
            ):  # another one's, on its way since before the crash
                old = random.choice(asked[-3:])
                one = msgspec.structs.replace(old, time=time, candidate=random.randint(1, many), last=own, own=own)
            elif asked and random.random() < 0.25:
                old = random.choice(asked[-3:])
                one = msgspec.structs.replace(old, time=time, own=own, last=own if old.candidate == me else old.last)
            else:
                term = max(1, term + random.choice((-1, -1, 0, 0, 1, 1, 2)))
                candidate = random.randint(1, many)
                one = VoteAsked(time, term, candidate, own if candidate == me else _end(random, own, term), own)
            if one.last.term < one.term and own.term <= max(term, one.term):
                asked.append(one)
                life.append(one)
        lives.append(tuple(life))
        time = round(time + 1.0, 2)
    return me, tuple(lives)


def _end(random: Random, own: LogEnd, term: int) -> LogEnd:
    """Draw how a candidate's log ends, near the own one: newer and shorter, older and longer, equal."""
    last = max(0, min(term - 1, own.term + random.choice((-1, 0, 0, 1, 1))))
    return LogEnd(last, max(1, own.seq + random.randint(-2, 2))) if last else LogEnd(0, 0)
