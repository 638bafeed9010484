"""Doorsteps: a frame that changes nothing is found out without a new copy of its receiver.

    knock(life, frame)     on a copy that is watched: did anything change?     no: what was sent is all that came of it
                                                                               perhaps: ask the slow way

A search delivers each forgotten frame to many lives, and nearly every time nothing comes of it.

Promises  an answer is what `Tables.play` would say; no answer says nothing.
Read also `watched` (how a change is noticed), `asking` and `variants` (who asks).
"""

from typing import Any

from chatsys.actor.effects import Send
from chatsys.explore.chance import NOW
from chatsys.explore.happenings import Arrive
from chatsys.explore.tables import Tables
from chatsys.explore.untimed import Life, Turn
from chatsys.explore.watched import Watch

KEPT = 1_000
"""So many watched copies are kept."""
UNKNOWN = object()


class Doorsteps:
    """Watched copies of actors, each with the life that it is a copy of."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.watch = Watch()
        self.copies: dict[Life, Any] = {}
        self.moved: set[tuple[Life, type]] = set()
        """Lives that do something on hearing such frames."""

    def knock(self, life: Life, frame: Arrive) -> Any:
        """Return (frames sent, facts, violation) of a frame that changes nothing, or None if it leads out of the bounds.

        UNKNOWN if it seems to change something, or may wait for a disk.
        """
        tables, watch, key = self.tables, self.watch, (life, type(frame.message))
        if tables.model.rules.disk_steps or life.links.get(frame.sender) != frame.incarnation or key in self.moved:
            return UNKNOWN
        if (actor := self.copies.pop(life, None)) is None:
            actor = tables.turns.copier.copy(life.actor, {})
            if not watch.watch(actor):
                return UNKNOWN
        watch.raised = False
        try:
            effects = [*actor.on_message(frame.sender, frame.message, NOW), *actor.settle(NOW)]
        except Exception:  # somebody's own part: what it raised is told once it is asked again
            return UNKNOWN
        if watch.raised or any(type(effect) is not Send or effect.to == life.me for effect in effects):
            self.moved.add(key)
            return UNKNOWN
        if len(self.copies) >= KEPT:
            self.copies.clear()
        self.copies[life] = actor
        if not effects:
            return (), (), None
        turn = Turn(life, frame, life)
        turn.effects, turn.sent = effects, [(effect.to, effect.message) for effect in effects]
        found = tables.conclude(turn, forget=False)
        return found and (found[1], found[2], found[4])
