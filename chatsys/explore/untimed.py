"""One address in a world without time: what it does when one thing happens to it.

A `Life` is all there is of an address: its actor, what its disk holds, what waits for the disk.
A `Turn` is what one event made of it.  Turns depend on the life and the event alone, so each is
computed once, however many states of the whole cluster contain that life.

    (life, event) --copy, open one door, settle, carry out--> Turn(next life, frames, notes)

    event    deliver, own, ring, sleep, sync, crash, start, gone, give, several of these at once

Why this stands for every timed run.  In a timed world an alarm that is set rings at some moment,
and which moment that is depends on waiting times, drawn numbers, drift and pauses.  Here any alarm
that is set may ring at any step, so each order of rings and arrivals that a clock could produce is
among those searched, and others besides.  Rules ask whether an alarm is set, never when; `NOW`
never moves, dates are not part of a state, and `fingerprint` refuses actors for which that would
matter.  What is *not* covered: several events in one turn (a busy real host settles once for a
batch), and several alarms in one ring (after a pause; `sleep` lets one alarm ring too late).

Assumes   no field but the alarms holds a date: checked, see `fingerprint`.
Promises  same life, same event, same turn.  The life given is never changed.
Read also `host`, which does the same with time; `explore`, which tries every order.
"""

from collections.abc import Callable, Iterable
from operator import is_
from typing import Any

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append, Send
from chatsys.actor.events import LinkDown, LinkUp
from chatsys.actor.outbox import Outbox
from chatsys.config import ClusterConfig
from chatsys.errors import BrokenInvariant, told
from chatsys.explore.chance import NOW, Chance, Now, Undecidable
from chatsys.explore.fingerprint import Pacing, Survey
from chatsys.explore.happenings import Arrive, Crash, Event, Give, Gone, Met, Own, Ring, Rules, Several, Start, Sync
from chatsys.explore.structures import FAR, Copier, Structure, Twin

SPARE = 100
"""So many copies are kept for the next event in the same life."""

LATE = Now(-1e6)
"""The date of an alarm that rings long after it should have."""


class Life:
    """One address at one moment; never changed once it is complete."""

    __slots__ = (
        "actor", "copied", "counted", "durable", "incarnation", "links", "me", "outbox", "own", "structure", "syncing",
        "tail",
    )  # fmt: skip

    def __init__(self, me: Address) -> None:
        self.me = me
        self.actor: Actor | None = None
        """None while the process is down."""
        self.structure: Structure | None = None
        """What actor and outbox are made of, once a fingerprint was taken."""
        self.copied: tuple[Life, Twin] | None = None
        """Of what this is a copy, as long as it may be given back."""
        self.incarnation = 0
        self.links: dict[Address, int] = {}
        """Peers met: the number of their life, negative once it is known to be gone."""
        self.durable: tuple[msgspec.Struct, ...] = ()
        self.tail: tuple[msgspec.Struct, ...] = ()
        """Records written but not durable."""
        self.syncing = 0
        """How many of the tail the sync under way covers."""
        self.outbox = Outbox()
        self.own: tuple[msgspec.Struct, ...] = ()
        """Frames to oneself that the disk has let go."""
        self.counted: Any = ()
        """What a bound of the model has counted at this address, in all its lives."""

    @property
    def alarms(self) -> list[tuple[str, Any]]:
        """Return all alarms of the actor, each with the class that it belongs to."""
        return self.structure.alarms if self.structure is not None else []

    @property
    def events(self) -> list[Event]:
        """Return what may happen to this address on its own account, but for crash and start."""
        found: list[Event] = [Own()] if self.own else []
        if self.syncing:
            found.append(Sync())
        for place, (owner, alarms) in enumerate(self.alarms):
            found += [Ring(place, owner, name) for name in sorted(alarms.dates, key=repr)]
        return found


class Turn:
    """What one event made of one life."""

    __slots__ = ("after", "before", "effects", "error", "event", "sent")

    def __init__(self, before: Life, event: Event, after: Life) -> None:
        self.before, self.event, self.after = before, event, after
        self.effects: list[Any] = []
        """Everything the doors returned, in order."""
        self.sent: list[tuple[Address, msgspec.Struct]] = []
        """The frames that went on the wire."""
        self.error: tuple[str, str] | None = None
        """(kind, sentence) if the node stopped itself."""


class TurnMaker:
    """Computes turns.  `compress` shortens durable records without changing what they mean."""

    def __init__(
        self, make: Callable[..., Actor], config: ClusterConfig, rules: Rules, pacing: Pacing,
        compress: Callable[[Iterable[Any]], tuple[Any, ...]] = tuple,
    ) -> None:  # fmt: skip
        self.make, self.config, self.rules, self.compress = make, config, rules, compress
        self.copier = Copier()
        self.survey = Survey(self.copier, pacing)
        self.spare: dict[Life, Twin] = {}
        """Copies that were given back, by that of which they are copies."""

    def sign(self, life: Life, survey: Survey | None = None) -> object:
        """Return the fingerprint of a life, as this survey sees it, and put its alarms to rest."""
        survey = survey or self.survey
        roots = [root for root in (life.actor, life.outbox) if root is not None]
        twin = life.copied[1] if life.copied is not None else None
        if twin is not None and len(roots) == twin.structure.roots and all(map(is_, roots, twin.objects)):
            life.structure = survey.compare(twin)
        else:
            life.structure, life.copied = survey.take(*roots), None
        structure = life.structure
        deadline = FAR if any(alarms.dates for _, alarms in structure.alarms) else float("inf")
        if life.actor is not None and life.actor.deadline != deadline:
            raise Undecidable(f"the deadline of {life.me} is not the earliest of its alarms")
        links = frozenset(life.links.items())
        return survey.token(
            (
                life.me, structure.token, life.incarnation, links, life.durable, life.tail, life.syncing, life.own,
                life.counted,
            )
        )  # fmt: skip

    def take(self, before: Life, event: Event) -> Turn:
        """Return what `event` makes of `before`."""
        after, found = self.copy(before)
        turn = Turn(before, event, after)
        try:
            self._happen(turn, found)
        except Undecidable:
            raise
        except BrokenInvariant as error:
            turn.error = "broken", str(error)
        except Exception as error:  # somebody's own part: it may raise anything
            turn.error = "raised", told(error)
        return turn

    def copy(self, life: Life) -> tuple[Life, list[Any]]:
        """Return an equal life, and its alarms in the order of the life's own."""
        if life.structure is None:
            self.sign(life)
        after, structure = Life(life.me), life.structure
        assert structure is not None, "a life has a structure once its fingerprint is known"
        twin = self.spare.pop(life, None)
        if twin is None or twin.structure is not structure:
            twin = self.copier.copy(structure)
        after.copied = life, twin
        *actor, after.outbox = twin.objects[: structure.roots]  # a process that is down has no actor
        after.actor = actor[0] if actor else None
        after.incarnation, after.links, after.counted = life.incarnation, life.links.copy(), life.counted
        after.durable, after.tail, after.syncing, after.own = life.durable, life.tail, life.syncing, life.own
        return after, [twin.copies[id(alarms)] for _, alarms in structure.alarms]

    def give_back(self, life: Life) -> None:
        """Say that nobody needs this life any more, now that its fingerprint is known: the next copy need not be made anew."""
        copied, life.copied = life.copied, None
        if copied is not None and copied[1].changed is not None:
            self.copier.take_back(copied[1])
            if len(self.spare) >= SPARE:
                del self.spare[next(iter(self.spare))]  # the oldest
            self.spare[copied[0]] = copied[1]

    def _happen(self, turn: Turn, alarms: list[Any]) -> None:
        life, actor = turn.after, turn.after.actor
        match turn.event:
            case Start():
                self._start(turn)
            case Crash(kept=kept):
                life.durable = self.compress(life.durable + life.tail[:kept])
                life.actor, life.links, life.own = None, {}, ()
                life.tail, life.syncing, life.outbox = (), 0, Outbox()
            case Sync():
                self._synced(turn)
            case _ if actor is None:
                raise AssertionError("nothing happens to a process that is down")
            case Arrive(sender=sender, incarnation=number, message=message):
                if self._meet(turn, sender, number):
                    self._door(turn, actor.on_message, sender, message)
            case Own():
                message, life.own = life.own[0], life.own[1:]
                self._door(turn, actor.on_message, life.me, message)
            case Gone(peer=peer):
                life.links[peer] = -abs(life.links[peer])
                self._door(turn, actor.on_message, peer, LinkDown())
            case Met(peer=peer, incarnation=number):
                self._meet(turn, peer, number)
            case Give(sender=None, message=message):
                self._door(turn, actor.on_command, message)
            case Give(sender=sender, message=message):
                self._door(turn, actor.on_message, sender, message)
            case Ring():
                self._ring(turn, turn.event, alarms)
            case Several(events=events):
                for event in events:
                    if isinstance(event, Ring):
                        self._ring(turn, event, alarms)
                    elif self._meet(turn, event.sender, event.incarnation):
                        self._door(turn, actor.on_message, event.sender, event.message)
        while life.own and not self.rules.own_steps:
            message, life.own = life.own[0], life.own[1:]
            self._door(turn, life.actor.on_message, life.me, message)  # type: ignore[union-attr]
        if not life.syncing:
            life.syncing = len(life.tail)

    def _ring(self, turn: Turn, ring: Ring, alarms: list[Any]) -> None:
        due = alarms[ring.part]
        if turn.after.actor is not None and ring.name in due.dates:
            due.dates[ring.name] = due.next = LATE if ring.late else NOW
            self._door(turn, turn.after.actor.on_time)

    def _start(self, turn: Turn) -> None:
        """Begin a life.  Nobody can speak to it before its first records are durable."""
        life = turn.after
        chance = Chance(f"{life.me}/{life.incarnation}")
        actor = life.actor = self.make(life.me, self.config, chance)
        life.outbox = getattr(actor, "outbox", Outbox)()
        chance.newborn = False
        actor.recover(life.durable)
        effects = actor.start(NOW)
        records = [record for effect in effects if type(effect) is Append for record in effect.items]
        life.durable = self.compress((*life.durable, *records))
        life.incarnation = life.incarnation + 1 if actor.incarnation is None else actor.incarnation
        turn.effects += effects
        self._perform(turn, [effect for effect in effects if type(effect) is not Append])
        self._door(turn, lambda now: [])

    def _synced(self, turn: Turn) -> None:
        """Make durable what the sync covered; start the next one if more was written meanwhile."""
        life = turn.after
        count = life.syncing
        life.durable = self.compress(life.durable + life.tail[:count])
        life.tail = life.tail[count:]
        life.syncing = len(life.tail)
        for to, message in life.outbox.synced(count):
            self._emit(turn, to, message)
        life.outbox.rebase()

    def _meet(self, turn: Turn, peer: Address, number: int) -> bool:
        """Tell the actor of a life it has not met; say no to a frame of an old one."""
        life, actor = turn.after, turn.after.actor
        assert actor is not None, "a process that is down meets nobody"
        known = life.links.get(peer, 0)
        if number > abs(known):
            life.links[peer] = number
            if known > 0:
                self._door(turn, actor.on_message, peer, LinkDown())
            self._door(turn, actor.on_message, peer, LinkUp(number))
        return number >= abs(known)

    def _door(self, turn: Turn, door: Callable[..., list[Any]], *facts: Any) -> None:
        """Open one door, settle, and carry out the effects."""
        assert turn.after.actor is not None
        effects = door(*facts, NOW)
        effects = effects + turn.after.actor.settle(NOW)
        turn.effects += effects
        self._perform(turn, effects)

    def _perform(self, turn: Turn, effects: list[Any]) -> None:
        life = turn.after
        for effect in effects:
            kind = type(effect)
            if kind is Send:
                if life.outbox.admit(effect.to, effect.message):
                    self._emit(turn, effect.to, effect.message)
            elif kind is Append:
                for record in effect.items:
                    self._append(life, record)

    def _append(self, life: Life, record: msgspec.Struct) -> None:
        if self.rules.disk_steps:
            life.tail += (record,)
            life.outbox.wrote()
        else:
            life.durable = self.compress((*life.durable, record))

    def _emit(self, turn: Turn, to: Address, message: msgspec.Struct) -> None:
        if to == turn.after.me:
            turn.after.own += (message,)
        else:
            turn.sent.append((to, message))
