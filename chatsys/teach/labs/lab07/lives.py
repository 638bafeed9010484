"""Lives: what is asked of a student's class, many lives at once, and how their tapes are read.

    lives(trial, [Life(image, steps), ...])  -->  [Lived, Lived, ...]      one request for all of them
    told.records        what load() gave back, or None
    told.returned(3)    whether the third step came to its end

Read also `machine` (what happens in a life), `disk` (what is left of one).
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import msgspec

from chatsys.isolation.calls import Call, CallScript, Method
from chatsys.teach.labs.lab07.disk import Image, content_of
from chatsys.teach.labs.lab07.machine import LifeEvent, Step, encode_records

HOLDER = "chatsys.teach.labs.lab07.machine:Machine"
"""Who is asked instead of the class."""
ASKED = {"live": Method(("image", "steps", "fails"), returns=bytes, optional=("fails",))}

_events = msgspec.msgpack.Decoder(list[LifeEvent])
_records = msgspec.msgpack.Decoder(list[msgspec.Raw])

Record = dict[str, Any]


class Life(msgspec.Struct, frozen=True, gc=False):
    """A life to be lived: the content of the file, the calls, and which sync fails (0: none)."""

    image: bytes
    steps: tuple[Step, ...]
    fails: int = 0


class Lived:
    """What came of a life."""

    def __init__(self, life: Life, tape: Sequence[LifeEvent]) -> None:
        self.life, self.tape = life, tape

    @cached_property
    def content(self) -> bytes:
        """The content of the file at the end, synced or not."""
        return content_of(self.life.image, self.tape)

    @cached_property
    def records(self) -> tuple[bytes, ...] | None:
        """What the first load gave back, each record as bytes that equal ones share; None if it did not come to its end."""
        place = self.place_of("load")
        data = next((one.data for one in self.tape if one.kind == "returned" and one.number == place), None)
        return None if data is None or place is None else tuple(bytes(one) for one in _records.decode(data))

    @cached_property
    def damaged(self) -> int | None:
        """The line that load called damaged, or None."""
        return next((int(one.data) for one in self.tape if one.kind == "damaged"), None)

    def place_of(self, method: str) -> int | None:
        """Return which step was the first call of this method; `__init__` is step 0."""
        return next((place for place, step in enumerate(self.life.steps, 1) if step[0] == method), None)

    def moment(self, kind: str, number: int) -> int | None:
        """Return where on the tape this event is, the first of its kind with this number."""
        return next((place for place, one in enumerate(self.tape) if one.kind == kind and one.number == number), None)

    @cached_property
    def said_at(self) -> dict[int, int]:
        """Where on the tape each step returned."""
        return {one.number: place for place, one in enumerate(self.tape) if one.kind == "returned"}

    @property
    def broken(self) -> LifeEvent | None:
        """What the class raised, or returned of another kind than it should."""
        return next((one for one in self.tape if one.kind in ("raised", "wrong", "unwritten", "damaged")), None)

    def byte(self, until: int) -> int:
        """Return how many bytes the file had at this place of the tape."""
        return len(content_of(self.life.image, self.tape[:until]))


class TwoLives(msgspec.Struct, frozen=True):
    """A life, what was left of it, and the life after that."""

    name: str
    first: Lived
    before: tuple[bytes, ...]
    """What the first life had loaded."""
    image: Image
    second: Lived

    def onward(self) -> "TwoLives":
        """Return the first life as that which came after a power cut."""
        image = Image(self.first.life.image, "cut", 0, 0)
        return TwoLives(self.name, self.first, (), image, self.first)


def as_bytes(records: Iterable[Record]) -> tuple[bytes, ...]:
    """Return records as `Lived.records` has them."""
    return tuple(encode_records(one) for one in records)  # type: ignore[arg-type]


def as_record(data: bytes) -> Any:
    """Return one of them as it was."""
    return msgspec.msgpack.decode(data)


def events_of(data: bytes) -> list[LifeEvent]:
    """Return a tape as events; raises `ValidationError` for what is none."""
    return _events.decode(data)


def lives(trial: Any, wanted: Sequence[Life]) -> list[Lived]:
    """Let the class live them all, each on a file of its own, one after the other."""
    if not wanted:
        return []
    (replies,) = trial.ask([script_of(wanted)])
    return _told(wanted, replies)


def lives_alone(trial: Any, wanted: Sequence[Life]) -> list[Lived]:
    """Let the class live them in a process in which nothing else has happened."""
    return _told(wanted, trial.alone(script_of(wanted)))


def script_of(wanted: Sequence[Life]) -> CallScript:
    """Return the calls for these lives."""
    return CallScript(tuple(Call("live", (one.image, one.steps, one.fails)) for one in wanted))


def _told(wanted: Sequence[Life], replies: Sequence[Any]) -> list[Lived]:
    found = []
    for place, life in enumerate(wanted):
        reply = replies[place] if place < len(replies) else None
        if reply is None or not reply.right:
            why = (reply.error or reply.wrong) if reply is not None else "nothing"
            found.append(Lived(life, [LifeEvent("raised", 0, text=str(why))]))
            continue
        try:
            found.append(Lived(life, events_of(reply.value)))
        except msgspec.ValidationError:
            found.append(Lived(life, [LifeEvent("raised", 0, text="an answer that cannot be read")]))
    return found
