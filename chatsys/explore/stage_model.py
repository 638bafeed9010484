"""A model for any small actor: what may happen to it, in a few words, and what must hold.

    StageModel(
        Election, nodes=3,
        alarms={"silence": 1, "wait": 1},        each node: these alarms, so often
        frames=(Ask, Ok, Claim),                 these arrive: in any order, never, with `twice` once more
        crashes=(3,),                            node 3 may crash once, and may start again
        holds=lambda lives: "two lead" if sum(one.leads for one in lives) > 1 else None,
    )

What must hold can be said in two ways.  `holds(lives)` judges each state: it is given the actors of the nodes that
are up, and none of those that are down.  `recorded(records)` judges what was noted so far, by nodes that are down
since, too: it is given a record for every note of the kinds that the model `keeps`, whatever their order was.

Assumes   an actor as `untimed` needs it: plain state, no date outside its alarms, no choice by chance.
Promises  alarms and crashes are counted over all lives of a node.  What a node sends while it starts for the first
          time is lost: the search begins when everybody is up.
Read also `model` (everything a model can say), `explorer` (the search), `models` (those of the chat).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Note
from chatsys.check.violation import Violation
from chatsys.config import ClusterConfig
from chatsys.errors import UsageError
from chatsys.explore.happenings import Crash, Give, Ring, Rules
from chatsys.explore.model import Model
from chatsys.explore.untimed import Life, Turn
from chatsys.trace import Record

MOST_CRASHES = 15
"""So many fit into what a state says of its budget."""

Judged = Callable[[Sequence[Any]], str | None]
"""Given actors, or records: a sentence about what is wrong, or None."""


class StageModel(Model):
    """Nodes 1..n of one actor, within bounds that are said as data."""

    rules = Rules(disk_steps=False)

    def __init__(
        self,
        actor: Callable[[Address, ClusterConfig, Random], Actor],
        nodes: int = 3,
        *,
        alarms: Mapping[Any, int | None],
        frames: Sequence[type[msgspec.Struct]] | None = None,
        under_way: int = 3,
        twice: int = 0,
        crashes: Sequence[int] = (),
        links: bool = False,
        commands: Sequence[tuple[int, msgspec.Struct]] = (),
        holds: Judged | None = None,
        keeps: Sequence[str] = (),
        recorded: Judged | None = None,
        compress: Callable[[Iterable[Any]], Iterable[Any]] = tuple,
        within: Callable[[Any], bool] | None = None,
    ) -> None:
        """Describe a search.

        `alarms` says how often each may ring at each node, None: any number of times; those that are not named never
        ring.  An alarm whose name is a tuple goes by its first part as well.  `frames`: only these arrive; None: all.
        At most `under_way` are on their way at once, and so many may arrive `twice`.  `crashes` names nodes, one as
        often as it may crash; with `links` the others may hear of it by a broken link.  `commands` are given each once, at any moment, in any order.  `compress` shortens
        the durable records of a node without changing what they mean; `within(actor)` is a bound of your own.
        """
        super().__init__(nodes)
        self.name = getattr(actor, "__name__", "a stage")
        self.addresses = self.config.ids
        self.actor, self.frames = actor, frames
        self.alarms: dict[Any, int | None] = dict(alarms)
        self.capacity, self.duplicates, self.in_order = under_way, twice, False
        self.may_crash: tuple[Address, ...] = tuple(crashes)
        self.crashes = len(crashes)
        self.link_news = links
        self.given = {message: node for node, message in commands}
        self.inputs = tuple(Give(None, message) for _, message in commands)
        self._holds, self._keeps, self._recorded = holds, frozenset(keeps), recorded
        self._compress, self._within = compress, within
        self._check(commands)

    def _check(self, commands: Sequence[tuple[int, msgspec.Struct]]) -> None:
        for node in (*self.may_crash, *(node for node, _ in commands)):
            if node not in self.addresses:
                raise UsageError(f"There is no node {node!r:.40}; there are {', '.join(map(str, self.addresses))}.")
        if self.crashes > MOST_CRASHES:
            raise UsageError(f"{self.crashes} crashes are too many to search; at most {MOST_CRASHES} are possible.")
        if len(self.given) < len(commands):
            raise UsageError("Two of the commands are equal; let them differ, for example in their text.")
        if bool(self._keeps) != bool(self._recorded):
            raise UsageError("keeps and recorded go together: which notes are kept, and what judges them.")

    @property
    def slow(self) -> bool:
        """Whether whole states are judged."""
        return self._holds is not None

    @property
    def bounds(self) -> tuple[str, ...]:
        """Say what was left out."""
        rung = (f"{name!r} {'any number of times' if most is None else most}" for name, most in self.alarms.items())
        kinds = "all" if self.frames is None else ", ".join(kind.__name__ for kind in self.frames)
        return (
            *super().bounds, f"alarms of each node: {', '.join(rung) or 'none'}", f"frames that arrive: {kinds}",
            "every record is durable at once",
        )  # fmt: skip

    def make(self, me: Address, config: ClusterConfig, random: Random) -> Actor:
        """Return a new actor."""
        return self.actor(me, config, random)

    def compress(self, records: Iterable[Any]) -> tuple[Any, ...]:
        """Return fewer records that mean the same."""
        return tuple(self._compress(records))

    # --- bounds ----------------------------------------------------------------------------

    def count(self, turn: Turn) -> Any:
        """Count the alarms that rang at this node, and its crashes."""
        before: tuple[Any, ...] = turn.before.counted
        if isinstance(turn.event, Ring) and self._limit(turn.event.name) is not None:
            return _added(before, turn.event.name)
        return _added(before, Crash) if isinstance(turn.event, Crash) else before

    def _limit(self, name: Any) -> int | None:
        if isinstance(name, tuple) and name not in self.alarms:
            name = name[0]
        limit: int | None = self.alarms.get(name, 0)
        return limit

    def rings(self, life: Life, alarm: Ring) -> bool:
        """Tell whether this alarm may ring once more at this node."""
        limit = self._limit(alarm.name)
        return limit is None or _counted(life.counted, alarm.name) < limit

    def within(self, life: Life) -> bool:
        """Tell whether this node may crash so often, and is within the bound of whoever asks."""
        if _counted(life.counted, Crash) > self.may_crash.count(life.me):
            return False
        return life.actor is None or self._within is None or self._within(life.actor)

    def takes(self, life: Life, given: Give) -> bool:
        """Tell whether this command is for this node."""
        return self.given[given.message] == life.me

    def arrives(self, message: msgspec.Struct) -> bool:
        """Tell whether frames of this kind arrive."""
        return self.frames is None or isinstance(message, tuple(self.frames))

    # --- what must hold --------------------------------------------------------------------

    def holds(self, lives: Sequence[Life]) -> str | None:
        """Judge the actors of the nodes that are up."""
        assert self._holds is not None, "only asked where there is something to hold"
        return self._holds([life.actor for life in lives if life.actor is not None])

    def facts(self, turn: Turn) -> Any:
        """Return the notes of this turn that are kept."""
        return tuple(
            self._record(turn.after, effect)
            for effect in turn.effects
            if isinstance(effect, Note) and effect.kind in self._keeps
        )

    def _record(self, life: Life, note: Note) -> Record:
        """Return a note as the trace would have it, without its time."""
        assert life.actor is not None, "a process that is down notes nothing"
        term, role = life.actor.view()
        term, role = term if note.term is None else note.term, role if note.role is None else note.role
        columns = {name: getattr(note, name) for name in note.__struct_fields__ if name not in ("kind", "role", "term")}
        return Record(
            time=0.0, kind=note.kind, node=life.me, incarnation=life.incarnation, term=term, role=role, **columns
        )

    def enter(self, ledger: Any, facts: Any) -> tuple[Any, Violation | None]:
        """Keep these records, and judge all that are kept."""
        known = frozenset(ledger) | frozenset(facts)
        assert self._recorded is not None, "facts are kept for a judge only"
        sentence = self._recorded(sorted(known, key=repr))
        return known or (), None if sentence is None else Violation(invariant="recorded", sentence=sentence, time=0.0)

    def marks(self, turn: Turn) -> tuple[str, ...]:
        """Tell which kept notes the search saw."""
        return tuple(effect.kind for effect in turn.effects if isinstance(effect, Note) and effect.kind in self._keeps)


def _counted(counted: tuple[Any, ...], name: Any) -> int:
    return next((count for key, count in counted if key == name), 0)


def _added(counted: tuple[Any, ...], name: Any) -> tuple[Any, ...]:
    """Return these counts with one more of `name`, in one order whatever happened first."""
    counts = dict(counted)
    counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(counts.items(), key=lambda pair: repr(pair[0])))
