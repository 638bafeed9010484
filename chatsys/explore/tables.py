"""Numbers for everything a search meets, and everything it computed once.

    life 17 --happening 42--> (life 23, frames 5 and 9, facts, marks)      computed once, then looked up

A cluster of three nodes has millions of states but only thousands of different lives, so almost
every step of a search is a look-up.  Frames are happenings: (place of the receiver, `Arrive`).

Promises  the same number for the same thing, as long as the tables live.  Where a model claims that a frame
          is dead, the node is asked first (`asking`).
Read also `explore`, whose memory this is; `untimed`, which computes a turn.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from chatsys.check.violation import Violation
from chatsys.explore.happenings import Arrive, Crash, Event, Ring, Start
from chatsys.explore.model import Model, tell
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


NOTHING = -1
"""What a dead frame does."""


class Asker(Protocol):
    """Whoever asks the nodes about what is forgotten: `asking.Asking`."""

    def may_forget(self, life: int, frame: int, instead: int = NOTHING) -> bool:
        """Tell whether `frame` does what `instead` does, and keep in mind to ask later lives."""

    def holds_everywhere(self, frame: int, instead: int) -> None:
        """Keep in mind to ask all lives whether `frame` does what `instead` does."""


class Tables:
    """Everything that has a number: lives, happenings (frames among them), ledgers, steps."""

    def __init__(self, model: Model, prune: bool, kept: frozenset[type] = frozenset()) -> None:
        self.model, self.prune, self.kept = model, prune, kept
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
        self.asking: Asker | None = None
        self.old: set[int] = set()
        """Frames that answer an older question, in the form that they have once numbers begin anew."""

    def life(self, life: Life) -> int:
        """Return the number of a life."""
        sign = self.turns.sign(life)
        number = self.life_of.get(sign)
        if number is None:
            number = self.life_of[sign] = len(self.lives)
            self.lives.append(life)
            self.signs.append(sign)
            life.copied = None
        else:
            self.turns.give_back(life)
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
        found = self.play(self.lives[life], happening)
        if found is None:
            return None
        after, sent, facts, marks, wrong = found
        if wrong is not None:
            return life, (), (), (), wrong
        return self.life(after), sent, facts, marks, None

    def play(self, life: Life, happening: int, forget: bool = True) -> Any:
        """Return (life after, frames sent, facts, marks, violation), or None if it leads out of the bounds."""
        turn = self.turns.take(life, self.happenings[happening][1])
        turn.after.counted = self.model.count(turn)
        return self.conclude(turn, forget)

    def conclude(self, turn: Turn, forget: bool = True) -> Any:
        """Return what `play` returns, of a turn that was taken."""
        model = self.model
        wrong = model.judge(turn)
        if wrong is None and turn.error is not None:
            wrong = Violation(invariant=turn.error[0], sentence=turn.error[1], time=0.0, node=turn.after.me)
        if wrong is not None:
            return turn.before, (), (), (), wrong
        if not model.within(turn.after):
            return None
        facts, marks = model.facts(turn), model.marks(turn)
        if self.prune:
            model.tidy(turn)
            if forget:
                model.forget(turn.after)
        return turn.after, self._sent(turn), facts, marks, None

    def _sent(self, turn: Turn) -> tuple[int, ...]:
        life, sent = turn.after, []
        for to, message in turn.sent:
            place = self.places.get(to)
            if place is not None and self.model.arrives(message):
                sent.append(self._plain(place, Arrive(life.me, life.incarnation, message)))
        return tuple(sent)

    def _plain(self, place: int, frame: Arrive) -> int:
        """Return the frame without what no receiver reads in it."""
        plain = (
            self.model.plain(frame.message) if self.prune and type(frame.message) not in self.kept else frame.message
        )
        if plain is frame.message:
            return self.happening(place, frame)
        number = self.happening(place, msgspec.structs.replace(frame, message=plain))
        if self.asking is not None:
            self.asking.holds_everywhere(self.happening(place, frame), number)
        return number

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
            found = self._reduce(life, frame, sender)
            make_room(self.reduced)
            self.reduced[key] = found
        return found

    def _reduce(self, life: int, frame: int, sender: int) -> int:
        model, asking = self.model, self.asking
        place, event = self.happenings[frame]
        assert isinstance(event, Arrive), "only frames are under way"
        receiver, speaker = self.lives[life], self.lives[sender]
        if model.needless(receiver, event, speaker):
            return NOTHING
        if type(event.message) in self.kept:
            return frame
        if model.dead(receiver, event, speaker) and (asking is None or asking.may_forget(life, frame)):
            return NOTHING
        weak = self.happening(place, model.weaken(receiver, event))
        if weak != frame and (asking is None or asking.may_forget(life, frame, weak)):
            return weak
        return frame

    def aged(self, frame: int) -> int:
        """Return the frame as it looks once the numbers that it carries have begun anew."""
        place, event = self.happenings[frame]
        assert isinstance(event, Arrive), "only frames grow old"
        old = self.model.aged(event)
        if old is event:
            return frame
        number = self.happening(place, old)
        self.old.add(number)
        return number

    def tell(self, happening: int) -> str:
        """Return an event in words."""
        place, event = self.happenings[happening]
        return tell(self.model.addresses[place], event)

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
