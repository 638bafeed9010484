"""Numbers for everything a search meets, and everything it computed once.

    life 17 --happening 42--> (life 23, frames 5 and 9, facts, marks)      computed once, then looked up

A cluster of three nodes has millions of states but only thousands of different lives, so almost
every step of a search is a look-up.  Frames are happenings: (place of the receiver, `Arrive`).

Promises  the same number for the same thing, as long as the tables live.
Read also `explore`, whose memory this is; `untimed`, which computes a turn.
"""

from collections.abc import Iterator
from typing import Any

from chatsys.check.violation import Violation
from chatsys.explore.happenings import Arrive, Crash, Event, Ring, Start
from chatsys.explore.model import Model
from chatsys.explore.untimed import Life, Turn, TurnMaker

State = tuple[int, ...]
"""One number for each life, then the ledger, what is spent, and the frames, ascending."""

CRASHED, TWICE, SLEPT, GIVEN = 1, 1 << 4, 1 << 8, 1 << 12
"""What is spent is one number: how often power was lost, a frame doubled, an alarm late; what was given."""


REMEMBERED = 1_000_000
"""What can be worked out again is forgotten when it grows beyond so many answers."""


def make_room(answers: dict[Any, Any]) -> None:
    """Keep the memory of answers within its bound."""
    if len(answers) >= REMEMBERED:
        answers.clear()


class Tables:
    """Everything that has a number: lives, happenings (frames among them), ledgers, steps."""

    def __init__(self, model: Model, prune: bool) -> None:
        self.model, self.prune = model, prune
        model.pruned = prune
        self.turns = TurnMaker(model.make, model.config, model.rules, model.pacing, model.compress)
        self.places = {address: place for place, address in enumerate(model.addresses)}
        self.lives: list[Life] = []
        self.life_of: dict[object, int] = {}
        self.happenings: list[tuple[int, Event]] = []
        """(place, event): what may happen, and to whom."""
        self.pairs: list[tuple[int, int]] = []
        """For frames: the places of those two who speak, the lower first."""
        self.happening_of: dict[tuple[int, Event], int] = {}
        self.ledgers: list[Any] = []
        self.ledger_of: dict[Any, int] = {}
        self.signs: list[object] = []
        self.taken: dict[int, Any] = {}
        self.entered: dict[tuple[int, Any], tuple[int, Violation | None]] = {}
        self.compared: dict[tuple[int, int], Violation | None] = {}
        self.reduced: dict[tuple[int, int, int], int] = {}
        self.own: dict[int, list[tuple[int, int]]] = {}

    def life(self, life: Life) -> int:
        """Return the number of a life."""
        sign = self.turns.sign(life)
        number = self.life_of.get(sign)
        if number is None:
            number = self.life_of[sign] = len(self.lives)
            self.lives.append(life)
            self.signs.append(sign)
        return number

    def happening(self, place: int, event: Event) -> int:
        """Return the number of an event at a place."""
        key = place, event
        number = self.happening_of.get(key)
        if number is None:
            number = self.happening_of[key] = len(self.happenings)
            self.happenings.append(key)
            sender = self.places[event.sender] if isinstance(event, Arrive) else place
            self.pairs.append((min(place, sender), max(place, sender)))
        return number

    def ledger(self, ledger: Any) -> int:
        """Return the number of a ledger."""
        number = self.ledger_of.get(ledger)
        if number is None:
            number = self.ledger_of[ledger] = len(self.ledgers)
            self.ledgers.append(ledger)
        return number

    def take(self, life: int, happening: int) -> Any:
        """Return (life after, frames sent, facts, marks, violation), or None if it leads out of the bounds."""
        key = life << 32 | happening
        try:
            return self.taken[key]
        except KeyError:
            found = self.taken[key] = self._take(life, happening)
            return found

    def _take(self, life: int, happening: int) -> Any:
        place, event = self.happenings[happening]
        turn = self.turns.take(self.lives[life], event)
        turn.after.counted = self.model.count(turn)
        wrong = self.model.judge(turn)
        if wrong is None and turn.error is not None:
            wrong = Violation(invariant=turn.error[0], sentence=turn.error[1], time=0.0, node=turn.after.me)
        if wrong is not None:
            return life, (), (), (), wrong
        if not self.model.within(turn.after):
            return None
        facts, marks = self.model.facts(turn), self.model.marks(turn)
        if self.prune:
            self.model.tidy(turn)
        return self.life(turn.after), self._sent(turn), facts, marks, None

    def _sent(self, turn: Turn) -> tuple[int, ...]:
        life, sent = turn.after, []
        for to, message in turn.sent:
            place = self.places.get(to)
            if place is not None and self.model.arrives(message):
                sent.append(self.happening(place, Arrive(life.me, life.incarnation, message)))
        return tuple(sent)

    def enter(self, ledger: int, facts: Any) -> tuple[int, Violation | None]:
        """Return the ledger after `facts`, and what they contradict in it."""
        key = ledger, facts
        found = self.entered.get(key)
        if found is None:
            after, wrong = self.model.enter(self.ledgers[ledger], facts)
            found = self.entered[key] = self.ledger(after), wrong
        return found

    def compare(self, one: int, other: int) -> Violation | None:
        """Return what two lives contradict each other in."""
        key = (one, other) if one < other else (other, one)
        if key not in self.compared:
            make_room(self.compared)
            self.compared[key] = self.model.compare(self.lives[one], self.lives[other])
        return self.compared[key]

    def reduce(self, life: int, frame: int, sender: int) -> int:
        """Return the frame that need be remembered in place of this one, or -1 if none need be."""
        key = life, frame, sender
        found = self.reduced.get(key)
        if found is None:
            place, event = self.happenings[frame]
            assert isinstance(event, Arrive), "only frames are under way"
            receiver = self.lives[life]
            if self.model.dead(receiver, event, self.lives[sender]):
                found = -1
            else:
                found = self.happening(place, self.model.weaken(receiver, event))
            make_room(self.reduced)
            self.reduced[key] = found
        return found

    def chances(self, place: int, life: int) -> list[tuple[int, int]]:
        """Return (happening, what it spends) for all that may happen to this life on its own."""
        found = self.own.get(life)
        if found is None:
            found = self.own[life] = list(self._chances(place, life))
        return found

    def _chances(self, place: int, number: int) -> Iterator[tuple[int, int]]:
        life = self.lives[number]
        if life.actor is None:
            yield self.happening(place, Start()), 0
            return
        for event in life.events:
            if isinstance(event, Ring) and not self.model.rings(life, event):
                continue
            yield self.happening(place, event), 0
            if isinstance(event, Ring) and self.model.sleeps:
                yield self.happening(place, Ring(event.part, event.owner, event.name, late=True)), SLEPT
        outcomes = set()
        for event in self.model.anytime(life) if self.prune else ():
            happening = self.happening(place, event)
            outcome = self.take(number, happening)
            if outcome not in outcomes:
                outcomes.add(outcome)
                yield happening, 0
        if self.model.crashes:
            for kept in range(len(life.tail) + 1):
                yield self.happening(place, Crash(kept)), CRASHED
