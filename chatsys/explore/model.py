"""Model: what a search is given - who lives in the world, what may happen, what must hold.

The base class bounds the world and judges nothing; subclass it for an actor of your own:

    class Counting(Model):
        name = "counting"
        addresses = (1, 2)
        def holds(self, lives): return "one is ahead of two" if ... else None

Read also `stage_model` (a model of any actor, in a few words), `models` (those of the chat), `explore` (the search).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.check.violation import Violation
from chatsys.config import ClusterConfig
from chatsys.explore.fingerprint import Pacing
from chatsys.explore.happenings import Arrive, Crash, Event, Give, Gone, Met, Own, Ring, Rules, Several, Start, Sync
from chatsys.explore.untimed import Life, Turn


class Step(msgspec.Struct, frozen=True):
    """One step of a story: `event` happens to `node`; `lost` are the frames lost to make room."""

    node: Address
    event: Event
    twice: bool = False
    """The frame arrives, and a copy of it stays under way."""
    lost: tuple[tuple[Address, Arrive], ...] = ()

    def __str__(self) -> str:
        told = tell(self.node, self.event) + (" (a copy of it stays under way)" if self.twice else "")
        if self.lost:
            told += "; lost: " + ", ".join(f"{tell_frame(frame)} to {to}" for to, frame in self.lost)
        return told


def tell(node: Address, event: Event) -> str:
    """Say an event of a node in words."""
    match event:
        case Arrive():
            return f"{node} receives {tell_frame(event)}"
        case Own():
            return f"{node} hears its own frame"
        case Ring(owner=owner, name=name, late=late):
            what = f"alarm {name!r} of {node} ({owner}) rings"
            return what + (", long after its time: the node was paused" if late else "")
        case Sync():
            return f"the disk of {node} completes a sync"
        case Crash(kept=kept):
            return f"{node} crashes" + (f"; {kept} of its unsynced records survive" if kept else "")
        case Start():
            return f"{node} starts"
        case Gone(peer=peer):
            return f"{node} finds that {peer} is gone"
        case Met(peer=peer, incarnation=life):
            return f"{node} meets life {life} of {peer}"
        case Several(events=events):
            return ", and at once ".join(tell(node, each) for each in events)
        case Give(sender=sender, message=message):
            return f"{node} is given {_words(message)}" + (f" by {sender}" if sender else "")


def tell_frame(frame: Arrive) -> str:
    """Say in words what arrives from whom."""
    return f"{_words(frame.message)} from {frame.sender}"


def _words(message: msgspec.Struct) -> str:
    """Return a message in short: its name on the wire and the fields that are not at their default."""
    kind = type(message)
    fields = msgspec.structs.fields(kind)
    said = [(f.name, getattr(message, f.name)) for f in fields if getattr(message, f.name) != f.default]
    name = str(kind.__struct_config__.tag or kind.__name__)
    return f"{name}({', '.join(f'{key}={_value(value)}' for key, value in said)})"


def _value(value: Any) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        return "[" + ", ".join(map(_value, value)) + "]"
    label = getattr(value, "label", value)
    if type(label).__name__ == "Label":
        return f"{label.seq} of term {label.term}"
    return str(getattr(value, "node", value)) if isinstance(value, msgspec.Struct) else repr(value)


class Model(ABC):
    """A world to search.  Class attributes are its bounds; methods say what counts."""

    name = "a model"
    addresses: tuple[Address, ...] = (1, 2)
    rules = Rules()
    capacity = 6
    """How many frames may be under way; what does not fit is lost, whichever choice of it."""
    echoes = False
    """Whether each frame, once sent, may arrive any number of times: delivering does not use it up."""
    crashes = 0
    link_news = True
    """Whether a node may hear of the crash of another one, and of its next life, before a frame of it arrives."""
    duplicates = 0
    sleeps = 0
    inputs: tuple[Give, ...] = ()
    """What is given from outside, each once, at any moment, to any node that `takes` it."""
    in_order = True
    """Whether they are given in this order."""
    opening: tuple[tuple[Address, Event | str], ...] = ()
    """What happens before the search, calm after each: an event, or the name of an alarm."""
    pacing: Pacing = {}
    """Fields that are no part of a state."""
    waits: Pacing = {}
    """Those of them that hold waiting times, or are for people only, or never change."""
    asks = False
    """Whether the node is asked before anything is forgotten (`asking`)."""
    idle: tuple[str, ...] = ()
    """Whose alarms never ring, as they change nothing and send nothing that arrives: asked."""
    interchangeable: tuple[str, ...] = ()
    """Texts (client ids, links) whose exchange changes nothing: states that differ only so are one."""
    vital: str = ""
    """A mark without which the end of a search proves nothing."""
    hopes: tuple[str, ...] = ()
    """Marks that a search should see, or else it searched nothing of interest."""
    config: ClusterConfig
    pruned = True
    """Whether the search forgets what is dead; set by it."""

    def __init__(self, nodes: int = 2, quorum: Any = "majority") -> None:
        self.config = ClusterConfig.of(nodes, quorum)

    @property
    def slow(self) -> bool:
        """Whether whole states are judged."""
        return type(self).holds is not Model.holds

    @property
    def generous(self) -> bool:
        """Whether more is granted than can happen: then what is found proves nothing, only what is not found does."""
        return False

    @property
    def bounds(self) -> tuple[str, ...]:
        """Return what was left out, in words: part of every result."""
        return (
            f"{len(self.addresses)} nodes",
            "any number of frames in flight, each arriving late, never, or again and again"
            if self.echoes
            else f"{self.capacity} frames in flight, any loss",
            f"{self.crashes} crashes, {self.duplicates} duplicates, {self.sleeps} pauses, {len(self.inputs)} messages",
        )

    @property
    def assumed(self) -> tuple[str, ...]:
        """Return, in sentences, what is argued and not asked: what a verdict of this model rests on."""
        alone = "Each event is a turn of its own: that a busy host takes in several frames before it settles is not searched."
        names = (
            f"States that differ only in the names {', '.join(self.interchangeable)} count as one: that is not asked."
        )
        return (alone, *((names,) if self.interchangeable else ()))

    @abstractmethod
    def make(self, me: Address, config: ClusterConfig, random: Random) -> Actor:
        """Return a new actor for this address."""

    def compress(self, records: Iterable[Any]) -> tuple[Any, ...]:
        """Return fewer durable records that mean the same."""
        return tuple(records)

    # --- bounds ----------------------------------------------------------------------------

    def count(self, turn: Turn) -> Any:
        """Return what the bounds have counted at this address after this turn; `life.counted` keeps it."""
        return turn.before.counted

    def within(self, life: Life) -> bool:
        """Tell whether the search goes on from here."""
        return True

    def rings(self, life: Life, alarm: Ring) -> bool:
        """Tell whether this alarm may ring: a bound."""
        return True

    def takes(self, life: Life, given: Give) -> bool:
        """Tell whether this node may be given that from outside: a bound."""
        return True

    def anytime(self, life: Life) -> Iterable[Event]:
        """Return what may happen to this address at any time beside the frames under way: more than can, never less."""
        return ()

    def arrives(self, message: msgspec.Struct) -> bool:
        """Tell whether frames like this ever arrive: a bound."""
        return True

    # --- what need not be remembered -------------------------------------------------------

    def dead(self, life: Life, frame: Arrive, sender: Life) -> bool:
        """Tell whether this frame can never matter any more, as its receiver and its sender are now.

        A model that `asks` only claims it, and the node is asked.  In one that does not, such frames are lost, which
        is always allowed, and a bound.
        """
        return abs(life.links.get(frame.sender, 0)) > frame.incarnation

    def needless(self, life: Life, frame: Arrive, sender: Life) -> bool:
        """Tell whether what this frame does is done by something else as well: argued, not asked, and told by `assumed`."""
        return False

    def weaken(self, life: Life, frame: Arrive) -> Arrive:
        """Return the plainest frame that does the same to its receiver, now and ever after."""
        return frame

    def plain(self, message: msgspec.Struct) -> msgspec.Struct:
        """Return a message without what no receiver reads in it."""
        return message

    def aged(self, frame: Arrive) -> Arrive:
        """Return a forgotten frame as it looks once the numbers that it carries have begun anew."""
        return frame

    def tidy(self, turn: Turn) -> None:  # noqa: B027, most models need none
        """Give numbers that only tell old from new their first value again, where nothing old is left."""

    def forget(self, life: Life) -> None:  # noqa: B027, most models need none
        """Forget the variables that nobody reads any more."""

    # --- what must hold --------------------------------------------------------------------

    def judge(self, turn: Turn) -> Violation | None:
        """Judge one turn of one node by itself."""
        return None

    def facts(self, turn: Turn) -> Any:
        """Return what this turn adds to the ledger; () for nothing."""
        return ()

    def enter(self, ledger: Any, facts: Any) -> tuple[Any, Violation | None]:
        """Return the ledger with `facts` in it, and what they contradict.  It begins as ()."""
        return ledger, None

    def compare(self, one: Life, other: Life) -> Violation | None:
        """Judge two lives that exist at the same moment."""
        return None

    def holds(self, lives: Sequence[Life]) -> str | None:
        """Say in a sentence what is wrong with a whole state.  Slow: overriding it costs speed."""
        return None

    def marks(self, turn: Turn) -> tuple[str, ...]:
        """Return what happened that is worth knowing: the search tells what it never saw."""
        return ()
