"""What the page of lab 07 plays: a log that grows, moment by moment.

    write_log(MyLog)                     a run: twelve lines of a chat, each appended
    write_log(MyAnsweringLog, every=4)   the same, accepted, with a flush behind every fourth
    run.moments()                        for each byte that is written: what is synced by then, and what is answered
    my_numbers(MyAnsweringLog)           two numbers of a run that its student explains

A moment is a byte that has just been written: that is the finest a crash can be told apart by.

Read also `picture` (the bytes with a crash slider), `costs` (syncs against losses), `killed` (a real file), `predicted` (what answers the predictions).
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from random import Random
from typing import Any

import msgspec

from chatsys.errors import UsageError
from chatsys.teach.grading import revealing
from chatsys.teach.labs.lab07.answering import turns
from chatsys.teach.labs.lab07.checks import LOAD, appends
from chatsys.teach.labs.lab07.lives import Life, Lived, Record, as_bytes, events_of
from chatsys.teach.labs.lab07.machine import Machine
from chatsys.teach.labs.lab07.runs import AUTHORS, CHAT, LINES, described

EVERY = 4
"""Behind so many records a log is flushed, if nobody says otherwise."""
BURSTS = 10
"""So many flushes has the run that is explained."""


class LogMoment(msgspec.Struct, frozen=True):
    """A moment of a run: so many bytes are written, so many of them synced, and these records are answered."""

    written: int
    synced: int
    answered: int
    what: str = "byte"
    """What has just happened: a byte was written, or a sync or an answer was done."""
    begun: int = 0
    """Where the newest write began."""
    ended: bool = True
    """Whether that write has come to its end."""


class LogRun:
    """A class that wrote a log, on a file whose every byte is known."""

    def __init__(self, cls: Any, records: Sequence[Record], every: int = EVERY, counts: Sequence[int] = ()) -> None:
        self.cls, self.records, self.every = cls, tuple(records), every
        self.name = getattr(cls, "__name__", "the class")
        self.accepts = hasattr(cls, "accept")
        whole, rest = divmod(len(records), every)
        counts = counts or [every] * whole + [rest] * bool(rest)
        self.told = live(cls, b"", (*LOAD, *(turns(records, counts) if self.accepts else appends(records))))
        if self.told.broken is not None:
            raise UsageError(
                f"{self.name} stopped in {_where(self.told)}: {described(self.told, 120)}; mend that first."
            )

    @property
    def content(self) -> bytes:
        """What stands in the file at the end."""
        return self.told.content

    def moments(self) -> list[LogMoment]:
        """Return every moment: each byte that was written, each sync and each answer."""
        written = synced = answered = begun = 0
        found = [LogMoment(0, 0, 0)]
        for event in self.told.tape:
            if event.kind == "write":
                begun = written
                for _ in event.data:
                    written += 1
                    ended = written == begun + len(event.data)
                    found.append(LogMoment(written, synced, answered, "byte", begun, ended))
            elif event.kind == "truncate":
                written = event.number
            elif event.kind == "sync":
                synced = written
                found.append(LogMoment(written, synced, answered, "sync", begun))
            elif event.kind == "answer" or (event.kind == "returned" and not self.accepts and event.number > 1):
                answered += 1
                found.append(LogMoment(written, synced, answered, "answer", begun))
        return found

    def loaded(self, size: int) -> Lived:
        """Return what a new life loads of the first `size` bytes."""
        return self.loaded_of(self.content[:size])

    def loaded_of(self, content: bytes) -> Lived:
        """Return what a new life loads of this content."""
        with _unheard():
            return live(self.cls, content, LOAD)

    def goes_on(self, content: bytes, record: Record) -> Lived:
        """Return a new life that loads this content and takes one record more."""
        more = turns([record], [1]) if self.accepts else appends([record])
        with _unheard():
            return live(self.cls, content, (*LOAD, *more))

    def lost(self) -> list[tuple[LogMoment, int]]:
        """Return for each moment how many answered records are lost, if only what was synced by then is left."""
        there: dict[int, int] = {}
        found = []
        for one in self.moments():
            if one.synced not in there:
                there[one.synced] = self._kept(self.loaded(one.synced))
            found.append((one, max(0, one.answered - there[one.synced])))
        return found

    def lost_at_bytes(self) -> list[tuple[LogMoment, int]]:
        """Return the same for the moments at which a byte has just been written."""
        return [(one, count) for one, count in self.lost() if one.what == "byte" and one.written]

    def _kept(self, told: Lived) -> int:
        expected = as_bytes(self.records)
        got = told.records
        return len(got) if got is not None and got == expected[: len(got)] else 0


@contextmanager
def _unheard() -> Iterator[None]:
    """Let nothing be printed, and no `breakpoint()` stop: of hundreds of loads nobody could tell one from another."""
    hook, sys.breakpointhook = sys.breakpointhook, lambda *_, **__: None
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        sys.breakpointhook = hook


def live(cls: Any, image: bytes, steps: Sequence[Any]) -> Lived:
    """Let a class live here, in this process."""
    life = Life(image, tuple(steps))
    return Lived(life, events_of(Machine({"answer": cls}).live(image, life.steps)))


def write_log(cls: Any, every: int = EVERY, records: Sequence[Record] = CHAT) -> LogRun:
    """Return the run of a class that writes twelve lines of a chat; one that accepts is flushed behind every so-manieth."""
    check_class(cls)
    if not isinstance(every, int) or isinstance(every, bool) or not 1 <= every <= 100:
        raise UsageError(f"every is {every!r:.40}; give a whole number from 1 to 100.")
    return LogRun(cls, records, every)


def check_class(cls: Any) -> None:
    """Refuse what is no class of this lab."""
    if not isinstance(cls, type) or not (hasattr(cls, "append") or hasattr(cls, "accept")) or not hasattr(cls, "load"):
        raise UsageError(f"{cls!r:.60} is no log; give your class itself, for example MyLog.")


def _where(told: Lived) -> str:
    assert told.broken is not None
    return "__init__" if told.broken.number == 0 else str(told.life.steps[told.broken.number - 1][0])


def student(name: str | None = None) -> int:
    """Choose the seed of this student's runs by a name, and return it."""
    return revealing.student(name)


def my_numbers(cls: Any, seed: int = revealing.NOBODY) -> str:
    """Say how many syncs a run of this seed took, and how much was written and not answered at the worst moment."""
    check_class(cls)
    if not hasattr(cls, "accept"):
        raise UsageError(f"{cls.__name__} accepts nothing; give your answering log, MyAnsweringLog.")
    random = Random(f"lab 07/mine/{seed}")
    counts = [random.randint(1, 6) for _ in range(BURSTS)]
    records = [{"n": n, "text": f"{random.choice(AUTHORS)}: {random.choice(LINES)}"} for n in range(1, sum(counts) + 1)]
    try:
        run = LogRun(cls, records, counts=counts)
    except UsageError as error:
        return f"There is nothing to count yet: {error}"
    syncs = sum(one.kind == "sync" for one in run.told.tape)
    lost = max(count for _, count in run.lost())
    if lost:
        return f"{len(records)} records took {syncs} syncs, and at the worst moment a power cut takes {lost} answered ones: mend that first."
    moments = [(one, run.content.count(b"\n", 0, one.written) - one.answered) for one in run.moments()]
    worst, waiting = max(moments, key=lambda one: one[1])
    return (
        f"{len(records)} records took {syncs} syncs. At the worst moment, at byte {worst.written}, {waiting} records were written "
        "and not answered: a power cut may take all of them, and none that was answered."
    )
