"""What students do not see of lab 11: runs of bugs whose code they do not have, right chats of other kinds, and how the planted runs were made."""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from chatsys.mutants.bugs import MUTANTS
from chatsys.mutants.schedules import DIRECTED
from chatsys.teach.grading.lab import Finding
from chatsys.teach.labs.lab11.board import play
from chatsys.teach.labs.lab11.checks import judge_runs
from chatsys.teach.labs.lab11.runs import Judged, drawn, judged
from chatsys.trace import Trace

_spec = spec_from_file_location("right", Path(__file__).with_name("answers.py"))
_right = module_from_spec(_spec)  # type: ignore[arg-type]
_spec.loader.exec_module(_right)  # type: ignore[union-attr]

CLOSED = (
    "promise forgotten on restart", "term forgotten on restart", "leadership resumed after restart", "no prev check",
    "commit by own last", "session known by its client only", "no wake check",
    "damaged batch skipped", "log cut at the damage", "marks ignored at boot", "forgotten acknowledgement overlooked",
    "learner takes what comes", "stale ACK counted", "old-term commit", "hold-back kept across terms",
)  # fmt: skip
"""The bugs whose directed schedule breaks something that people see."""
RIGHT_SCHEDULES = ("C4", "C7", "C12", "Q1", "Q2", "Q7", "Q11", "Q23")
"""Schedules that the chat as it is lives through."""


@cache
def closed_runs() -> tuple[Judged, ...]:
    """Return the runs of the closed bugs, and those of right chats."""
    runs = []
    for name in CLOSED:
        one = MUTANTS[name]
        runs.append(
            judged(f"a bug you do not have, {len(runs) + 1}", DIRECTED[one.directed].play(flawed=True, flaw=one).world)
        )
    for place, schedule in enumerate(RIGHT_SCHEDULES, 1):
        runs.append(judged(f"a right chat under attack, {place}", DIRECTED[schedule].play().world))
    return (*runs, *drawn(range(1, 13), _right.RIGHT_CHATS.values()))


def judge_closed(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """11.1: what the five say of bugs that nobody has shown them, and of other right chats."""
    del seeds
    yield from judge_runs(trial, closed_runs())


KNOWN = {
    "only the living count": (("isolate", 3), ("say", "a", 3), ("suspect", 2), ("say", "b", 2)),
    "shows only the newest": (("power_cut",),),
    "no session dedup": (("cut", 3, 1), ("say", "a", 1)),
    "ACK before fsync": (("slow_disks",), ("say", "a", 3), ("power_cut",), ("say", "b", 2)),
    "claims the lead at start": (("crash", 3), ("suspect", 1), ("power_cut",)),
}
"""For each open bug an attack of as many moves as its par."""

HEARTBEATS = ("HEARTBEAT", "HEARTBEAT_ACK")


def planted() -> dict[str, Trace]:
    """Return the runs of the diagnosis as they are made; the package carries them as files."""
    first = play(
        MUTANTS["leadership resumed after restart"], [("say", "a", 2), ("crash", 3), ("restart", 3), ("say", "b", 1)]
    )
    made = {"A": first.trace}
    for letter, name in (("B", "promise forgotten on restart"), ("C", "no prev check")):
        one = MUTANTS[name]
        made[letter] = DIRECTED[one.directed].play(flawed=True, flaw=one).world.trace
    return {letter: _told(trace) for letter, trace in made.items()}


def _told(trace: Trace) -> Trace:
    """Leave out the heartbeats, and what names the bug; and why a node leads: in run A nobody promised anything."""
    facts = {name: trace.meta[name] for name in ("where", "members", "quorum")}
    kept = [one for one in trace if one.message not in HEARTBEATS]
    return Trace(
        [replace(one, reason=None) if one.kind == "role" and one.role == "leader" else one for one in kept], facts
    )


JUDGES: dict[Any, Any] = {}
EXTRA = {"11.1": judge_closed}
