"""Asking: whatever a search forgets is first delivered, and nothing may come of it.

A search that forgets a frame because "the fence drops it" proves nothing about the fence.  So nothing is
forgotten on trust: a model *claims*, the node is *asked*, by delivering the frame to it in a look-up.

    dead       a frame is forgotten         delivered, it changes nothing, sends nothing, and nothing is decided
    weak       a frame stands for another   delivered, both do the same
    plain      what is sent loses a field   delivered, with the field and without, both do the same
    idle       an alarm never rings         rung, it changes nothing and sends nothing that arrives
    unread     a variable is forgotten      whatever happens to the node from now on, the same comes of it, whatever its value

Why to ask once is not enough.  Node 3 asked for promises of term 1 and gave up.  A promise of term 1 that
arrives now does nothing, fence or no fence, because node 3 asks for nothing.  But soon it asks for promises
of term 2, and then only the fence stands between that old promise and two leaders of one term.  So what
was forgotten goes on living here, beside the states:

    life --something happens--> life --something happens--> life
      |  forgotten: f              |  ask f again              |  ask f again, and g
                                      forgotten: g

Each life of a node that the search met is asked about every frame that was forgotten in it or in any
life that leads to it: more than must be asked, and never less, for in whatever state a forgotten frame could
arrive, its receiver is a life on such a road.  If none is changed, then by induction over the road each run
with the frames has the same lives as one without.  Nothing has to be known about terms that never go back.

A variable is asked about in the same way: whatever a node may hold that forgets nothing is led along the roads, too, and
met by every event and by every forgotten frame (`variants`).  If a frame turns out to be alive, its kind is kept, and the
search begins anew; if a variable is read, the search is inconclusive.

Assumes   a look-up is what would happen: turns depend on life and event alone (`untimed`).
Promises  a search says "exhausted, ok" only if whatever it forgot was asked about, in every life: frames and variables, and
          both together.
Left out  what models leave out by a bound (`Model.bounds`), or argue instead of asking (`Model.assumed`).
Read also `variants` (what variables may hold), `tables` (who asks), `claims` (what is claimed of the chat), `model.Model.dead`.
"""

from itertools import islice
from typing import Any

from chatsys.explore.chance import Undecidable
from chatsys.explore.happenings import Arrive, Met, Ring
from chatsys.explore.model import tell_frame
from chatsys.explore.tables import NOTHING, Tables
from chatsys.explore.variants import Variants, bits

Outcome = Any
"""(fingerprint of the life after it, frames sent, facts, what was violated), or None: it leads out of the bounds."""


class StillAlive(Exception):
    """A frame that was forgotten still does something."""

    def __init__(self, kind: type, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class Asking:
    """What a search has forgotten, and in which lives it is to be asked about."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.claims: list[tuple[int, int]] = []
        """(frame, the one that stands for it)"""
        self.claim_of: dict[tuple[int, int], int] = {}
        self.everywhere: dict[int, int] = {}
        """By place: the claims, as bits, that hold in every life."""
        self.due: dict[int, int] = {}
        """By life: claims to be asked about, as bits."""
        self.held: dict[int, int] = {}
        """By life: those asked already."""
        self.roads: dict[int, set[int]] = {}
        """The lives that may follow on a life."""
        self.outcomes: dict[int, Outcome] = {}
        self.lost: list[int] = []
        """Frames of the opening, which arrive once: once they are held for dead, they are asked about, too."""
        self.read = self.rung = self.met = 0
        self.variants = Variants(self)
        self.asked: dict[str, int] = {}
        """How many look-ups were made, by what they were about."""

    # --- what is claimed -------------------------------------------------------------------

    def may_forget(self, life: int, frame: int, instead: int = NOTHING) -> bool:
        """Ask now whether `frame` does what `instead` does; if so, keep in mind to ask later lives."""
        if not self._is_same(life, frame, instead):
            return False
        self.due[life] = self.due.get(life, 0) | self._claim(self.tables.aged(frame) if instead < 0 else frame, instead)
        return True

    def holds_everywhere(self, frame: int, instead: int) -> None:
        """Keep in mind to ask in all lives whether `frame` does what `instead` does."""
        place = self.tables.happenings[frame][0]
        self.everywhere[place] = self.everywhere.get(place, 0) | self._claim(frame, instead)

    def _claim(self, frame: int, instead: int) -> int:
        key = frame, instead
        number = self.claim_of.get(key)
        if number is None:
            number = self.claim_of[key] = len(self.claims)
            self.claims.append(key)
        return 1 << number

    # --- asking ----------------------------------------------------------------------------

    def check(self) -> None:
        """Ask about everything in every life met so far.  Raises `StillAlive`, or `Undecidable` if a search cannot go on."""
        while self._follow():
            pass
        self._ring()

    def check_forgotten(self) -> None:
        """Ask whether anybody reads what was forgotten of a life.  Raises `Undecidable` if anybody does."""
        while self.variants.lead(self.held):
            self.check()

    def _follow(self) -> bool:
        """Lead what was forgotten along the roads; return whether there was anything new."""
        tables = self.tables
        news = list(islice(tables.taken.items(), self.read, None))
        self.read += len(news)
        due, self.due = self.due, {}
        for key, turn in news:
            life = key >> 32
            if turn is not None and turn[0] != life and turn[0] not in (roads := self.roads.setdefault(life, set())):
                roads.add(turn[0])
                due[turn[0]] = due.get(turn[0], 0) | self.held.get(life, 0)
        for number in range(len(tables.lives)):
            everywhere = self.everywhere.get(tables.places[tables.lives[number].me], 0)
            if everywhere & ~self.held.get(number, 0):
                due[number] = due.get(number, 0) | everywhere
        for number, one in enumerate(tables.lives[self.met :], start=self.met):
            for frame in self.lost if one.actor is not None else ():
                place, event = tables.happenings[frame]
                assert isinstance(event, Arrive), "only frames are lost"
                if place == tables.places[one.me] and tables.model.dead(one, event, one):
                    due[number] = due.get(number, 0) | self._claim(tables.aged(frame), NOTHING)
        self.met = len(tables.lives)
        while due:
            life, claims = due.popitem()
            fresh = claims & ~self.held.get(life, 0)
            if fresh:
                self.held[life] = self.held.get(life, 0) | fresh
                self._ask(life, fresh)
                for road in self.roads.get(life, ()):
                    due[road] = due.get(road, 0) | fresh
        return bool(self.due) or len(tables.taken) > self.read

    def _ask(self, life: int, claims: int) -> None:
        if self.tables.lives[life].actor is None:
            return  # nothing arrives at a process that is down
        for frame, instead in (self.claims[number] for number in bits(claims)):
            self.count("frames")
            if not self._is_same(life, frame, instead):
                raise self._alive(life, frame, instead)

    def _ring(self) -> None:
        """Ring what a model holds for idle, in every life not asked yet."""
        tables = self.tables
        for number in range(self.rung, len(tables.lives)):
            life = tables.lives[number]
            place = tables.places[life.me]
            for event in life.events if life.actor is not None else ():
                if isinstance(event, Ring) and event.owner in tables.model.idle:
                    self.count("alarms")
                    if not self._is_same(number, tables.happening(place, event), NOTHING):
                        raise Undecidable(
                            f"an alarm that was held for idle is not: {tables.tell(tables.happening(place, event))}"
                        )
        self.rung = len(tables.lives)

    def _is_same(self, life: int, happening: int, instead: int) -> bool:
        found = self.outcome(life, happening)
        if instead < 0 and (met := self._met(life, happening)) is not None:
            instead = met
        if instead >= 0:
            return bool(found == self.outcome(life, instead))
        return found is not None and found == (self.tables.signs[life], (), (), None)

    def _met(self, life: int, happening: int) -> int | None:
        """Return what a dead frame does where its sender is still to be met (who has not crashed, if one crash is all)."""
        tables = self.tables
        model, (place, event) = tables.model, tables.happenings[happening]
        if not (isinstance(event, Arrive) and model.link_news and model.crashes == 1):
            return None
        if event.incarnation <= abs(tables.lives[life].links.get(event.sender, 0)):
            return None
        return tables.happening(place, Met(event.sender, event.incarnation))

    def outcome(self, life: int, happening: int) -> Outcome:
        """Return what comes of an event; what the search has worked out is looked up."""
        key = life << 32 | happening
        tables = self.tables
        if key in tables.taken:
            turn = tables.taken[key]
            return turn and (tables.signs[turn[0]], turn[1], turn[2], turn[4])
        if key not in self.outcomes:
            receiver = tables.lives[life]
            turn = tables.play(receiver, happening)
            self.outcomes[key] = turn and (tables.turns.sign(turn[0]), turn[1], turn[2], turn[4])
            if turn is not None and turn[0] is not receiver:
                tables.turns.give_back(turn[0])
        return self.outcomes[key]

    def count(self, what: str) -> None:
        self.asked[what] = self.asked.get(what, 0) + 1

    def _alive(self, life: int, frame: int, instead: int) -> StillAlive:
        """Say which frame still does something, and to whom."""
        tables = self.tables
        event = tables.happenings[frame][1]
        weak = event if instead < 0 else tables.happenings[instead][1]
        assert isinstance(event, Arrive) and isinstance(weak, Arrive), "only frames are forgotten"
        actor = tables.lives[life].actor
        assert actor is not None, "nothing arrives at a process that is down"
        term, role = actor.view()
        what = "did nothing any more" if instead < 0 else f"did the same as {tell_frame(weak)}"
        where = f"node {actor.me}, {role or 'up'} in term {term}"
        sentence = f"{tell_frame(event)} was forgotten, as if it {what}; but {where}, takes it for more"
        if frame in tables.old:
            raise Undecidable(f"an answer to an older question still counts: {sentence}")
        return StillAlive(type(event.message), sentence)
