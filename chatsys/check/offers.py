"""Offers: the lines with which one goes on from a violation, as they can be pasted where one sits.

    check(world)   -->   timeline(world, check(world, ["S1"])[0])     opens the run where the rule broke
                         why(world, check(world, ["S1"])[0])          what led to it, and without which faults it holds

A line runs only if it calls things as the notebook does.  So the names are looked up there when a violation is shown:
of the run in which it was found, of the violation itself if it has one, and of the functions.

Assumes   whoever reads the line pastes it where it was shown, as a cell or at a prompt.
Promises  nothing in the notebook is changed or called; where the run has no name there, the lines say `world`.
Read also `violation` (what shows them), `teach.widgets.timeline`, `campaign.why`.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from chatsys.errors import UsageError
from chatsys.trace import Record, Trace

OPENS = "opens the run where the rule broke"
TELLS = "tells what led to it and, if the run can be played again, without which faults the rule holds"


JUDGES: list[Callable[[Any, list[str]], Sequence[Any]]] = []
"""`check` enters itself here, for it stands above this page: it finds a violation again that has no name."""


class BrokenRule(Protocol):
    """What these lines are about: a violation, as far as they look at it."""

    @property
    def invariant(self) -> str: ...
    @property
    def time(self) -> float: ...
    @property
    def records(self) -> tuple[Record, ...]: ...


class Offer(NamedTuple):
    """A line to paste, and what it does."""

    line: str
    does: str


def offers(found: BrokenRule) -> tuple[Offer, Offer]:
    """Return the lines that open the run at this violation, and that ask why."""
    here = _names()
    run = next((name for name, trace in _runs(here) if _holds(trace, found)), None)
    it = _called(found, here) or (_asked_again(found, here, run) if run is not None else None)
    run, it = (run, it) if run is not None and it is not None else ("world", "violation")
    return (
        Offer(_call(here, "timeline", f"({run}, {it})"), OPENS),
        Offer(_call(here, "why", f"({run}, {it})"), TELLS),
    )


def _names() -> dict[str, Any]:
    """Return what has a name where somebody sits: in a notebook, or at a prompt."""
    main = sys.modules.get("__main__")
    return {} if main is None else {name: one for name, one in list(vars(main).items()) if not name.startswith("_")}


def _is_ours(one: Any) -> bool:
    return any(kind.__module__.partition(".")[0] == "chatsys" for kind in type(one).__mro__)


# --- the run -----------------------------------------------------------------------------------


def _runs(here: Mapping[str, Any]) -> Iterator[tuple[str, Trace]]:
    """Yield what has a trace, with its name: what can be played again first, a mere trace last."""
    found = [
        (name, one, trace)
        for name, one in here.items()
        if _is_ours(one) and isinstance(trace := getattr(one, "trace", one), Trace)
    ]
    for name, _, trace in sorted(found, key=lambda each: (isinstance(each[1], Trace), not hasattr(each[1], "run"))):
        yield name, trace


def _holds(trace: Trace, found: BrokenRule) -> bool:
    """Tell whether this is the run in which it was found: it has the record that broke the rule."""
    if not found.records:
        return any(record.time >= found.time for record in trace.of("broken", "deliver", "role", "send")[-1:])
    last = found.records[-1]
    return any(_are_same(record, last) for record in trace.of(last.kind))


def _are_same(one: Record, other: Record) -> bool:
    """Compare without what a check may have counted anew."""
    return one is other or (one.time, one.node, one.clock, one.seq, one.msg_no, one.peer, one.client_seq, one.id) == (
        other.time, other.node, other.clock, other.seq, other.msg_no, other.peer, other.client_seq, other.id
    )  # fmt: skip


# --- the violation -----------------------------------------------------------------------------


def _called(found: BrokenRule, here: Mapping[str, Any]) -> str | None:
    """Return how this violation is called, if it has a name or is in something that has one."""
    for name, one in here.items():
        if one is found:
            return name
        if isinstance(one, list | tuple):
            several: Iterable[Any] = one
        elif _is_ours(one) and isinstance(within := getattr(one, "violations", None), list | tuple):
            several, name = within, f"{name}.violations"
        elif _is_ours(one) and getattr(one, "violation", None) is found:
            return f"{name}.violation"
        else:
            continue
        for at, each in enumerate(several):
            if each is found:
                return f"{name}[{at}]"
    return None


def _asked_again(found: BrokenRule, here: Mapping[str, Any], run: str) -> str | None:
    """Return what finds it in this run, if a check does."""
    try:
        again = [one for judge in JUDGES for one in judge(here[run], [found.invariant])]
    except UsageError:  # no rule that a check judges
        return None
    place = next((at for at, one in enumerate(again) if one == found), None)
    return None if place is None else _called_check(here, run, found.invariant, place)


def _called_check(here: Mapping[str, Any], run: str, rule: str, place: int) -> str:
    name = _function(here, "check") or "cs.check"
    return f'{name}({run}, ["{rule}"])[{place}]'


# --- the functions -----------------------------------------------------------------------------


def _function(here: Mapping[str, Any], name: str) -> str | None:
    """Return how one of our functions is called there; None if it was not imported."""
    one = here.get(name)
    home = str(getattr(one, "__module__", None) or getattr(one, "__name__", ""))
    if callable(one) and home.partition(".")[0] == "chatsys":
        return name
    package = next((alias for alias, module in here.items() if module is sys.modules["chatsys"]), None)
    return None if package is None else f"{package}.{name}"


def _call(here: Mapping[str, Any], name: str, arguments: str) -> str:
    """Return a call that runs there, with an import before it if it needs one."""
    function = _function(here, name)
    line = f"{function or f'cs.{name}'}{arguments}"
    lacks = function is None or "cs.check(" in arguments and "cs" not in here
    return f"import chatsys as cs; {line}" if lacks else line
