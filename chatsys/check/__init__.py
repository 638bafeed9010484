"""The invariants: what must hold in every run, in whatever world it ran.

    trace --check--> Findings        a list of violations; empty: every invariant held

`INVARIANTS` lists every rule by its name, with `title` and `meaning`:

    S1 to S17   safety, nothing bad happens: the classes that `check` lets read the records once, in
                order; `Checker` does the same while a run goes on
    L1 to L7    liveness, something good happens in time: `check_live`, when faults have ended, and
                `check_rest`, which asks the nodes of a world
    broken      no node stopped itself rather than break a rule
    frames      refusals do not answer each other without end: `check_frames`

S15 and L5 are left free: they belong to a change of members through the log, which is not there yet.

    for broken in check(world.trace):
        print(broken)
    S1 agreement: at 4.20 s node 2 delivered 'hi' at position 7, but node 1 had delivered 'yo' ...

Promises  never a silent ok: an unknown name is an error, and `check_live` says when a run was too
          short to tell.
Read also `violation` (how an invariant is made); `offers` (the lines to go on from one); `deliveries`, `acknowledgements`, `replicas`,
          `durability`, `learners` (the invariants), `liveness`, `quiescence`, `histories` (a second checker that shares no code with the
          first); `chatsys.check.log_files` (log files).
"""

import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from chatsys.check.acknowledgements import ACKNOWLEDGEMENTS
from chatsys.check.deliveries import DELIVERIES
from chatsys.check.durability import DURABILITY
from chatsys.check.findings import Findings
from chatsys.check.frames import check_frames
from chatsys.check.histories import check_histories, second_opinion
from chatsys.check.learners import LEARNERS
from chatsys.check.liveness import LIVENESS, check_live
from chatsys.check.lives import KINDS, Lives
from chatsys.check.offers import JUDGES
from chatsys.check.quiescence import check_rest
from chatsys.check.replicas import REPLICAS
from chatsys.check.violation import Invariant, Law, Logs, Violation
from chatsys.errors import UsageError
from chatsys.trace import Record, Trace, trace_of

SAFETY: dict[str, type[Invariant]] = {
    kind.name: kind
    for kind in sorted(
        DELIVERIES + ACKNOWLEDGEMENTS + REPLICAS + DURABILITY + LEARNERS, key=lambda kind: int(kind.name[1:])
    )
}
"""Every safety invariant by its name: the rules that `check` judges."""

INVARIANTS: dict[str, type[Invariant] | Law] = {
    **SAFETY,
    **{law.name: law for law in LIVENESS},
    "broken": Law("broken", "stopped itself", "No node stops itself rather than break a rule.", "world.failures"),
    "frames": Law(
        "frames", "frames per event", "Refusals and repetitions do not answer each other without end.", "check_frames"
    ),
}
"""Every rule by its name, each with a `name`, a `title` and its `meaning`."""

__all__ = [
    "INVARIANTS",
    "SAFETY",
    "Checker",
    "Findings",
    "Violation",
    "check",
    "check_frames",
    "check_histories",
    "check_live",
    "check_rest",
    "second_opinion",
]


def __dir__() -> list[str]:
    return __all__


MOST = 10
"""So many violations of one invariant are told; the first ones are the story, the rest repeats it."""


class Checker:
    """Checks records as they come: `feed` each of them, then `finish`.

    `closed` says that every client is in the trace, so that a message nobody submitted is invented.
    """

    def __init__(self, invariants: Iterable[str] | None = None, closed: bool = False) -> None:
        self.logs = Logs()
        self.invariants = [SAFETY[name](self.logs, closed) for name in _names(invariants)]
        self.handlers: dict[str, list[Callable[[Record], Violation | None]]] = {}
        self.lives = Lives()
        self.told: dict[str, int] = {}
        self.frames = frozenset[str]().union(*(invariant.frames for invariant in self.invariants))
        """The messages of which any of them looks at what is sent; all other frames are passed over."""
        for kind in KINDS:
            self.handlers[kind] = []
        for source in (self.logs, *self.invariants):
            for name in dir(source):
                if name.startswith("on_"):
                    self.handlers.setdefault(name.removeprefix("on_"), []).append(getattr(source, name))

    def feed(self, record: Record) -> list[Violation]:
        """Take in one record; return what it broke."""
        return self.read((record,))

    def read(self, records: Iterable[Record]) -> list[Violation]:
        """Take in many records, in their order; return what they broke."""
        broken = []
        handlers, lives, frames = self.handlers, self.lives, self.frames
        for record in records:
            kind = record.kind
            if kind not in handlers or (kind == "send" and record.message not in frames):
                continue
            if kind in KINDS or lives.shift:
                record, on_another_disk = lives.take(record)
                for handle in handlers.get("disk", ()) if on_another_disk else ():
                    handle(record)
            for handle in handlers[kind]:
                found = handle(record)
                if found is not None and self._counts(found):
                    broken.append(found)
        return broken

    def finish(self) -> list[Violation]:
        """Return what only the end of the trace shows."""
        return [found for invariant in self.invariants for found in invariant.finish() if self._counts(found)]

    def _counts(self, found: Violation) -> bool:
        self.told[found.invariant] = self.told.get(found.invariant, 0) + 1
        return self.told[found.invariant] <= MOST


def check(trace: Trace | Any, invariants: Iterable[str] | None = None) -> Findings:
    """Return the violations in `trace`, or in that of a world, cluster or run; `invariants` names which to check (all).

    First comes what the users saw, in order of time, then what went wrong between the nodes.
    Raises `UsageError` for an unknown name.  At most `MOST` violations of one invariant are told.
    """
    trace = trace_of(trace)
    checker = Checker(invariants, closed=trace.meta.get("where") == "sim")
    broken = [*checker.read(trace.in_order()), *checker.finish()]
    hidden = {kind.name for kind in REPLICAS + DURABILITY}
    said = {(record.client, record.client_seq) for record in trace.of("submit")}
    told = sorted(broken, key=lambda found: (found.invariant in hidden, found.time))
    return Findings(told, len(checker.invariants), len(said))


JUDGES.append(check)


def _names(invariants: Iterable[str] | None) -> list[str]:
    if isinstance(invariants, str):
        invariants = [invariants]
    if not isinstance(invariants, Iterable | None):
        raise UsageError(f"{invariants!r:.40} names no invariant; give names, for example ['S1', 'S2'].")
    names = list(SAFETY) if invariants is None else list(invariants)
    for name in names:
        if not isinstance(name, str):
            raise UsageError(f"{name!r:.40} is no name of an invariant; the invariants are {', '.join(SAFETY)}.")
        if isinstance(law := INVARIANTS.get(name), Law):
            raise UsageError(f"{name} is no rule for `check`, which judges {', '.join(SAFETY)}; ask {law.judge}.")
        if name not in SAFETY:
            raise UsageError(f"There is no invariant {name!r}; the invariants are {', '.join(SAFETY)}.")
    return names


class _Callable(ModuleType):
    """A module that can be called: after `from chatsys import check`, `check(trace)` works too."""

    def __call__(self, trace: Trace | Any, invariants: Iterable[str] | None = None) -> Findings:
        return check(trace, invariants)


sys.modules[__name__].__class__ = _Callable
