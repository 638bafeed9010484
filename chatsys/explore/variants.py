"""Variants: the lives of a node with everything in them that a search forgets, led along the same roads.

    life     --event-->  life after it           what the search knows: equal but for what is forgotten
      |                     |
    variants --event-->  variants after it       what a node may hold in truth: nothing was forgotten

That nobody reads a variable in the next turn says little: a rule may read it two turns later, or when a frame
arrives that was forgotten, too.  So each variant is played through all that its life is asked about, and whatever
it has become is a variant of the life reached.  They are few, because what differs is soon written anew.

Why it is enough, in five sentences.  When a node first starts, nothing was forgotten, and its life is its own variant.
Of each variant, every event that the search let happen to its life, every frame that was forgotten in that life or on a
road to it, and every alarm held for idle is asked.  Each time the same has to be sent and noted as by the life, and
what the variant became, once it forgets, has to be the life that the search found: it is a variant of that one from now on.
So, event by event, whatever nodes that forget nothing do, the search has lives beside them that did the same, and
each node is a variant of its life.  Hence no run that the bounds allow sends, notes or decides what the search did not see.

What judges two lives side by side (`Model.compare`, `Model.holds`) is given lives as the search has them.

Assumes   what `Model.tidy` does is no forgetting but a renaming: numbers that begin anew (`Model.assumed`).
Promises  `Undecidable` where anything comes of what was forgotten, with the name of the variable.
Read also `asking` (who asks, and about forgotten frames), `missing`, `claims.forget` (what is forgotten of the chat's node).
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Protocol

from chatsys.explore.chance import Undecidable
from chatsys.explore.fingerprint import Survey
from chatsys.explore.happenings import Ring
from chatsys.explore.missing import MissedError, Missing
from chatsys.explore.structures import Ref, Shape
from chatsys.explore.tables import Tables
from chatsys.explore.untimed import Life

MOST = 200_000
"""More variants than this are no sign of variables that nobody reads."""


Variable = tuple[type, str]
"""The class of an object, and the name of a field in it."""


class Questions(Protocol):
    """What was asked about the lives: `asking.Asking`."""

    tables: Tables
    claims: list[tuple[int, int]]

    def outcome(self, life: int, happening: int) -> Any:
        """Return (fingerprint of the life after it, frames sent, facts, what was violated), or None: out of the bounds."""

    def count(self, what: str) -> None:
        """Count a look-up."""


class Variant:
    """A life with nothing forgotten, and what it was asked about."""

    __slots__ = ("held", "led", "life", "number")

    def __init__(self, number: int, life: Life) -> None:
        self.number, self.life = number, life
        self.led = -1
        """So many of the events of its life were played; below 0: its alarms were not asked about either."""
        self.held = 0
        """The claims asked about, as bits."""


class Variants:
    """All variants of all lives that a search met."""

    def __init__(self, asked: Questions) -> None:
        self.asked, self.tables = asked, asked.tables
        self.whole = Survey(self.tables.turns.copier, self.tables.model.waits)
        """Takes fingerprints of lives in which nothing is forgotten."""
        self.known: dict[object, int] = {}
        """By fingerprint of a variant: the number of its life."""
        self.all: list[Variant] = []
        self.due: list[Variant] = []
        """Those that are to be asked."""
        self.events: dict[int, list[int]] = {}
        """By life: what the search let happen to it."""
        self.read = 0
        self.now = Life(0)
        """Who is asked now."""
        self.missing = Missing()

    def lead(self, held: dict[int, int]) -> bool:
        """Ask every variant about what happened to its life, and the claims `held` of it; return whether any was to be asked.

        Raises `Undecidable` if it does anything else than its life.
        """
        for key in islice(self.tables.taken, self.read, None):
            self.events.setdefault(key >> 32, []).append(key & 0xFFFFFFFF)
        self.read = len(self.tables.taken)
        with self.missing:
            while True:
                try:
                    return self._lead(held)
                except MissedError:  # somebody reads it: its values matter, so each is led by itself
                    self.missing.keep_what_was_missed(self.now.actor.view()[1] if self.now.actor is not None else None)
                    self.all, self.known = [], {}

    def _lead(self, held: dict[int, int]) -> bool:
        turns, some = self.tables.turns, False
        if not self.all:
            for address in self.tables.model.addresses:
                first = Life(address)
                number = self.known[turns.sign(first, self.whole)] = self.tables.life(first)
                self.all.append(Variant(number, first))
        self.due = [*self.all]
        while self.due:  # the latest first: so what is read is found out soon
            variant = self.due.pop()
            self.now = variant.life
            some |= self._ask(variant, held.get(variant.number, 0))
        return some

    def _ask(self, variant: Variant, held: int) -> bool:
        events, number = self.events.get(variant.number, []), variant.number
        due, fresh = events[max(variant.led, 0) :], held & ~variant.held
        if variant.led < 0:
            self._compare_alarms(variant)
        elif not due and not fresh:
            return False
        variant.led, variant.held = len(events), held
        for happening in due:
            self._play(variant, happening, self.asked.outcome(number, happening))
        for frame, _ in (self.asked.claims[claim] for claim in bits(fresh)) if variant.life.actor is not None else ():
            self._play(variant, frame, self.asked.outcome(number, frame))
        return True

    def _compare_alarms(self, variant: Variant) -> None:
        """Ask whether all that may happen to a variant may happen to its life; ring the alarms that are held for idle."""
        tables, life, kept = self.tables, variant.life, self.tables.lives[variant.number]
        if life.actor is None:
            return
        if not set(self._may(life)) <= set(self._may(kept)):
            self.missing.check()
            raise self._is_read(variant, "what may happen next")
        for event in life.events:
            if isinstance(event, Ring) and event.owner in tables.model.idle:
                happening = tables.happening(tables.places[life.me], event)
                self._play(variant, happening, (tables.signs[variant.number], (), (), None))

    def _may(self, life: Life) -> Iterator[Any]:
        model = self.tables.model
        yield from (event for event in life.events if not isinstance(event, Ring) or model.rings(life, event))
        yield from model.anytime(life)
        yield from (gift for gift in model.inputs if model.takes(life, gift))

    def _play(self, variant: Variant, happening: int, same: Any) -> None:
        """Let something happen to a variant; the `same` has to come of it as of its life."""
        tables, asked, life = self.tables, self.asked, variant.life
        asked.count("variables")
        turn = tables.play(life, happening, forget=False)
        found = turn and (self._join(turn[0], tables.turns.sign(turn[0], self.whole)), turn[1], turn[2], turn[4])
        self.missing.check()
        if found != same:
            raise self._is_read(variant, tables.tell(happening))

    def _join(self, life: Life, sign: object) -> object:
        """Return the fingerprint of a life once it forgets; if the search met that, keep the life as a variant of it."""
        tables = self.tables
        number = self.known.get(sign)
        if number is not None:
            tables.turns.give_back(life)
            return tables.signs[number]
        life.copied = None
        forgetful, _ = tables.turns.copy(life)
        tables.model.forget(forgetful)
        found = tables.turns.sign(forgetful)
        number = tables.life_of.get(found)
        if number is None:
            return found
        self.known[sign] = number
        if self.missing.drop(life.actor, self._differences(life.actor, forgetful.actor)):
            sign = tables.turns.sign(life, self.whole)
            if sign in self.known:
                return found
            self.known[sign] = number
        if len(self.all) >= MOST:
            raise Undecidable(f"what this search forgets has more than {MOST} values, too many to ask about")
        self.all.append(Variant(number, life))
        self.due.append(self.all[-1])
        return found

    def _is_read(self, variant: Variant, what: str) -> Undecidable:
        """Say what was read that was forgotten."""
        differ = self._differences(variant.life.actor, self.tables.lives[variant.number].actor)
        names = ", ".join(sorted(f"{name!r} of {kind.__name__}" for kind, name in differ)) or "a variable"
        return Undecidable(
            f"something that was held for unread is read: {what}, and what comes of it depends on {names}, which this "
            "search forgets"
        )

    def _differences(self, one: Any, other: Any) -> set[Variable]:
        """Return the variables that two actors both have, with different values."""
        if one is None or other is None:
            return set()
        mine, theirs = _Rows(self.whole, one), _Rows(self.whole, other)
        found: set[Variable] = set()
        todo = [(0, 0)]
        for here, there in todo:  # which grows meanwhile
            shape, fields = mine.rows[here]
            same = theirs.rows[there][1]
            for name in fields.keys() & same.keys():
                left, right = fields[name], same[name]
                if type(left) is Ref and type(right) is Ref and mine.kind(left) is theirs.kind(right):
                    if (left.number, right.number) not in todo:
                        todo.append((left.number, right.number))
                elif mine.told(left) != theirs.told(right):
                    found.add((shape.kind, name))
        return found


class _Rows:
    """The objects of an actor by number, and the fingerprints of the fields of each."""

    def __init__(self, survey: Survey, actor: Any) -> None:
        meanings = (survey.meanings[token] for token in survey.take(actor).tokens)
        self.rows: list[tuple[Shape, dict[str, Any]]] = [
            (shape, dict(zip(shape.names, signs, strict=True))) for shape, *signs in meanings
        ]

    def kind(self, ref: Ref) -> type:
        """Return the class of an object."""
        return self.rows[ref.number][0].kind

    def told(self, sign: Any, inside: tuple[int, ...] = ()) -> Any:
        """Return a fingerprint with objects in place of their numbers."""
        if type(sign) is Ref:
            if sign.number in inside:
                return inside.index(sign.number)
            shape, fields = self.rows[sign.number]
            within = (*inside, sign.number)
            return shape, tuple([self.told(item, within) for item in fields.values()])
        if isinstance(sign, (tuple, frozenset)):
            return type(sign)([self.told(item, inside) for item in sign])
        return sign


def bits(claims: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set."""
    while claims:
        lowest = claims & -claims
        yield lowest.bit_length() - 1
        claims ^= lowest
