"""The states that can follow a state of the whole cluster: the relation along which a search walks.

A state is a tuple of small numbers.  Each number stands for something that `tables` has met before,
and `tables` also remembers what came of it, so that most steps are a look-up:

    state = (life, life, life, ledger, spent, frame, frame, ...)

    life      one node in one life: all its variables, and what is on its disk
    ledger    what the cluster has promised so far: what is committed, who led which term
    spent     how many crashes, copies of frames, late alarms and inputs were used up, in one number
    frame     a frame under way, together with its receiver; sorted, since a network keeps no order

What can happen next: a frame arrives (once, or once more as a copy), an alarm rings, a node crashes
or starts, a link tells that a peer is gone or back, or a client says something.  A happening changes
one life, and adds what that node sends.  If more frames are under way than the model has room for,
each choice of what is lost is a successor of its own.

Two things keep the number of states small (`prune` and `symmetry` switch them off):

    pruning      a frame that can do nothing any more is taken away, or replaced by what it can still do;
                 a model claims it, and the node is asked (`asking`)
    symmetry     states that differ only in names which the model calls interchangeable count as one

Promises  every choice that the model allows is tried, in the same order in every process.
Read also `explore` (walks the states), `tables` (the numbers), `untimed` (what one node does).
"""

from array import array
from collections.abc import Iterator
from hashlib import blake2b
from itertools import combinations
from typing import Any

from chatsys.check.violation import Violation
from chatsys.explore.asking import Asking
from chatsys.explore.happenings import Gone, Met
from chatsys.explore.model import Model, Step
from chatsys.explore.symmetry import Symmetry
from chatsys.explore.tables import CRASHED, GIVEN, SLEPT, TWICE, State, Tables, make_room
from chatsys.explore.untimed import Life

Following = tuple[int, State, tuple[str, ...], Violation | None]
"""(step, state after it, marks, violation)"""

Pair = tuple[int, int]
"""The places of two nodes, the lower first."""


class Successors:
    """The relation between states that a search walks along."""

    def __init__(
        self, model: Model, symmetry: bool = True, prune: bool = True, kept: frozenset[type] = frozenset()
    ) -> None:
        self.model, self.prune = model, prune
        self.tables = Tables(model, prune, kept)
        self.asking = Asking(self.tables) if prune and model.asks else None
        self.tables.asking = self.asking
        self.size = len(model.addresses)
        self.steps: list[tuple[int, bool, tuple[int, ...]]] = []
        self.step_of: dict[tuple[int, bool, tuple[int, ...]], int] = {}
        self.symmetry = Symmetry(model, self.tables) if symmetry and model.interchangeable else None
        self.exchanges: dict[Any, tuple[tuple[int, ...], list[int]]] = {}
        self.sorted_out: tuple[tuple[int, ...], dict[Pair, tuple[int, ...]]] = (), {}
        """The frames last asked about, by pair: the successors of one state ask about the same ones."""
        self.news: dict[tuple[int, int, int], int | None] = {}

    # --- one state -------------------------------------------------------------------------

    def lives(self, state: State) -> tuple[Life, ...]:
        """Return the lives of a state."""
        return tuple(self.tables.lives[number] for number in state[: self.size])

    def digest(self, state: State) -> bytes:
        """Return 128 bits that stand for this state, and for those that symmetry makes equal to it."""
        if self.symmetry is not None:
            state = self.symmetry.smallest(state, self.size)
        return blake2b(array("I", state).tobytes(), digest_size=16).digest()

    def step(self, number: int) -> Step:
        """Return a step as data."""
        happening, twice, lost = self.steps[number]
        place, event = self.tables.happenings[happening]
        names = self.model.addresses
        gone = [self.tables.happenings[frame] for frame in lost]
        return Step(names[place], event, twice, tuple((names[to], frame) for to, frame in gone))  # type: ignore[misc]

    def _step(self, happening: int, twice: bool, lost: tuple[int, ...]) -> int:
        key = happening, twice, lost
        number = self.step_of.get(key)
        if number is None:
            number = self.step_of[key] = len(self.steps)
            self.steps.append(key)
        return number

    # --- all that may happen ---------------------------------------------------------------

    def successors(self, state: State) -> Iterator[Following]:
        """Yield what may happen next: frames, then what each node does itself, links, and gifts."""
        size, model, tables = self.size, self.model, self.tables
        spent, frames = state[size + 1], state[size + 2 :]
        lives, happenings = tables.lives, tables.happenings
        doubled = spent // TWICE % 16 < model.duplicates
        before = -1
        for at, frame in enumerate(frames):
            place = happenings[frame][0]
            if frame != before and lives[state[place]].actor is not None:
                rest = frames if model.echoes else frames[:at] + frames[at + 1 :]
                yield from self.act(state, frame, rest, spent)
                if doubled:
                    yield from self.act(state, frame, frames, spent + TWICE, twice=True)
            before = frame
        may_crash, may_sleep = spent % 16 < model.crashes, spent // SLEPT % 16 < model.sleeps
        for place in range(size):
            for happening, price in tables.chances(place, state[place]):
                if not price or (may_crash if price == CRASHED else may_sleep):
                    yield from self.act(state, happening, frames, spent + price)
        if model.crashes and model.link_news:
            for happening in self._links(state):
                yield from self.act(state, happening, frames, spent)
        for happening, price in self._gifts(state, spent // GIVEN):
            yield from self.act(state, happening, frames, spent + price)

    def act(
        self, state: State, happening: int, frames: tuple[int, ...], spent: int, twice: bool = False
    ) -> Iterator[Following]:
        """Let one thing happen; where frames are too many, try every choice of what is lost."""
        tables, size = self.tables, self.size
        place = tables.happenings[happening][0]
        turn = tables.take(state[place], happening)
        if turn is None:
            return
        life, sent, facts, marks, wrong = turn
        ledger = state[size]
        changed = life != state[place]
        if not (changed or facts or wrong) and (not sent or self.model.echoes):
            return  # nothing came of it, or only answers that are under way already
        if facts and wrong is None:
            ledger, wrong = tables.enter(ledger, facts)
        lives = state[:place] + (life,) + state[place + 1 : size] if changed else state[:size]
        if wrong is None and changed:
            wrong = self._contradiction(lives, place)
        if sent or changed:
            frames = self._under_way(lives, place, frames, sent)
        capacity = self.model.capacity
        head = (*lives, ledger, spent)
        if len(frames) <= capacity or wrong is not None:
            yield self._step(happening, twice, ()), head + frames, marks, wrong
            return
        for kept in sorted(set(combinations(frames, capacity))):
            lost = list(frames)
            for frame in kept:
                lost.remove(frame)
            yield self._step(happening, twice, tuple(lost)), head + kept, marks, None

    def _under_way(self, lives: State, place: int, frames: tuple[int, ...], sent: tuple[int, ...]) -> tuple[int, ...]:
        """Return the frames under way once the life at `place` has changed and `sent` has left.

        What becomes of the frames between two nodes depends on these two alone, so it is worked out
        pair by pair and remembered; the pairs without `place` are as they were.
        """
        pairs, exchanges = self.tables.pairs, self.exchanges
        if frames is not self.sorted_out[0]:
            self.sorted_out = frames, self._sort_out(frames)
        bags = self.sorted_out[1].copy()
        for frame in sent:
            pair = pairs[frame]
            bags[pair] = (*bags.get(pair, ()), frame)
        due = [pair for pair in bags if place in pair]
        strays: set[int] = set()
        while due:
            pair = due.pop()
            key = pair, lives[pair[0]], lives[pair[1]], bags[pair]
            found = exchanges.get(key)
            if found is None:
                make_room(exchanges)
                found = exchanges[key] = self._exchange(lives, pair, bags[pair])
            bags[pair] = found[0]
            for stray in found[1]:
                if stray not in strays:
                    strays.add(stray)
                    other = pairs[stray]
                    bags[other] = (*bags.get(other, ()), stray)
                    due.append(other)
        return tuple(sorted([frame for bag in bags.values() for frame in bag]))

    def _sort_out(self, frames: tuple[int, ...]) -> dict[Pair, tuple[int, ...]]:
        """Return the frames between each two nodes."""
        bags: dict[Pair, tuple[int, ...]] = {}
        for frame in frames:
            pair = self.tables.pairs[frame]
            bags[pair] = (*bags.get(pair, ()), frame)
        return bags

    def _exchange(self, lives: State, pair: Pair, frames: tuple[int, ...]) -> tuple[tuple[int, ...], list[int]]:
        """Return (frames between these two, frames to others) that need be remembered."""
        tables, bag = self.tables, list(frames)
        strays: list[int] = []
        if self.model.echoes:
            answered = self._answered(lives, bag)
            strays = [frame for frame in answered if tables.pairs[frame] != pair]
            bag = [frame for frame in answered if tables.pairs[frame] == pair]
        if self.prune:
            places = [(tables.happenings[frame][0], frame) for frame in bag]
            kept = [tables.reduce(lives[place], frame, lives[sum(pair) - place]) for place, frame in places]
            bag = [frame for frame in (set(kept) if self.model.echoes else kept) if frame >= 0]
        return tuple(sorted(bag)), strays

    def _answered(self, lives: State, frames: list[int]) -> list[int]:
        """Let everybody answer at once what they can answer without changing themselves.

        Where frames are never used up, a state with more of them can do all that one with fewer can.
        """
        under_way = dict.fromkeys(frames)
        todo = list(under_way)
        while todo:
            frame = todo.pop()
            life = lives[self.tables.happenings[frame][0]]
            if self.tables.lives[life].actor is None:
                continue
            turn = self.tables.take(life, frame)
            if turn is not None and turn[0] == life and not turn[2] and turn[4] is None:
                fresh = [answer for answer in turn[1] if answer not in under_way]
                under_way.update(dict.fromkeys(fresh))
                todo += fresh
        return list(under_way)

    def _contradiction(self, lives: State, place: int) -> Violation | None:
        compared, one = self.tables.compared, lives[place]
        for at, other in enumerate(lives):
            if at != place:
                key = (one, other) if one < other else (other, one)
                try:
                    wrong = compared[key]
                except KeyError:
                    wrong = self.tables.compare(one, other)
                if wrong is not None:
                    return wrong
        if self.model.slow:
            sentence = self.model.holds(self.lives(lives))
            if sentence is not None:
                return Violation(invariant="state", sentence=sentence, time=0.0)
        return None

    def _links(self, state: State) -> Iterator[int]:
        """Yield what transports may find out: a peer is gone, or has begun another life."""
        size = self.size
        for place in range(size):
            for other in range(size):
                if other != place:
                    key = place, state[place], state[other]
                    try:
                        happening = self.news[key]
                    except KeyError:
                        happening = self.news[key] = self.find_news(place, state[place], state[other])
                    if happening is not None:
                        yield happening

    def find_news(self, place: int, one: int, other: int) -> int | None:
        life, peer = self.tables.lives[one], self.tables.lives[other]
        if life.actor is None:
            return None
        known = life.links.get(peer.me, 0)
        if peer.actor is None:
            return self.tables.happening(place, Gone(peer.me)) if known > 0 else None
        return self.tables.happening(place, Met(peer.me, peer.incarnation)) if known != peer.incarnation else None

    def _gifts(self, state: State, given: int) -> Iterator[tuple[int, int]]:
        for number, gift in enumerate(self.model.inputs):
            if given >> number & 1:
                continue
            for place in range(self.size):
                life = self.tables.lives[state[place]]
                if life.actor is not None and self.model.takes(life, gift):
                    yield self.tables.happening(place, gift), GIVEN << number
            if self.model.in_order:
                return
