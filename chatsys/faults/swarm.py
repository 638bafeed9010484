"""Swarm: one random script per seed, from a random subset of the kinds of faults.

What every run does a little of, no run does enough of: a seed that may only crash nodes crashes
them often, and meets states that a seed which does everything never reaches.

    seed --> some of KINDS --> now and then one fault of them, and when it ends --> Script
                               at what pace: ten times as fast, ten times as much of it

Assumes   at the end of the script everything is mended.
Promises  stays inside the fault model, and asserts it of every script that it draws.
Read also `sequences` (faults that follow on each other), `profiles` (which kinds go together), `model` (the bounds),
          `script` (what a fault is), `campaign.one_seed` (many seeds).
"""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from chatsys.errors import UsageError
from chatsys.faults.fault import Fault
from chatsys.faults.model import PAUSE, outside
from chatsys.faults.script import Script
from chatsys.faults.sequences import LEVEL, MEETING, QUIET, SEQUENCES, Draw, lost_folder
from chatsys.faults.verbs import AMBUSH, CLOCK, DELAY, DOWN, JITTER, LATE, LEADER


def _round(seconds: float) -> float:
    return round(seconds, 3)


def _groups(random: Random, nodes: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return one of all ways to part `nodes` in two groups, both not empty."""
    mask = random.randrange(1, 2 ** len(nodes) - 1)
    chosen = tuple(node for at, node in enumerate(nodes) if mask >> at & 1)
    return chosen, tuple(node for node in nodes if node not in chosen)


def _where(random: Random, nodes: Sequence[int]) -> tuple[Any, Any]:
    """Return a link between two nodes or, half of the time, all links."""
    return ("*", "*") if len(nodes) < 2 or random.random() < 0.5 else tuple(random.sample(list(nodes), 2))  # type: ignore[return-value]


def _loss(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    link = _where(random, nodes)
    end = at + random.uniform(0.5, 6)
    return [Fault(at, "lose", (*link, _round(random.uniform(0.02, 0.5)))), Fault(end, "lose", (*link, 0.0))]


def _duplication(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    link = _where(random, nodes)
    end = at + random.uniform(0.5, 8)
    late = random.choice((0.0, 0.5, LATE))
    begin = Fault(at, "duplicate", (*link, _round(random.uniform(0.1, 0.9)), late))
    return [begin, Fault(end, "duplicate", (*link, 0.0))]


def _delay(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    link = _where(random, nodes)
    end = at + random.uniform(0.5, 5)
    longest = random.choice((0.1, 0.5, DELAY))
    return [Fault(at, "slow", (*link, _round(random.uniform(0.02, longest)))), Fault(end, "slow", (*link, 0.0))]


def _reorder(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    link = _where(random, nodes)
    end = at + random.uniform(0.5, 8)
    jitter = _round(random.uniform(0.01, random.choice((0.1, JITTER))))
    return [Fault(at, "slow", (*link, 0.0, jitter)), Fault(end, "slow", (*link, 0.0))]


def _partition(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    return [Fault(at, "partition", _groups(random, nodes)), Fault(at + random.uniform(0.3, 7), "heal")]


def _isolate(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    return [Fault(at, "partition", ((LEADER,),)), Fault(at + random.uniform(0.3, 10), "heal")]


def _one_way(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    return [Fault(at, "partition", (*_groups(random, nodes), True)), Fault(at + random.uniform(0.3, 7), "heal")]


def _star(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    hub = random.choice(nodes)
    ends = [node for node in nodes if node != hub]
    return [
        *(Fault(at, "cut", (a, b)) for a in ends for b in ends if a < b),
        Fault(at + random.uniform(1, 7), "heal"),
    ]


def _flapping(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    groups = _groups(random, nodes)
    faults = []
    for _ in range(random.randrange(2, 7)):
        faults.append(Fault(at, "partition", groups))
        at += random.uniform(0.05, 1.2)
        faults.append(Fault(at, "heal"))
        at += random.uniform(0.05, 1.2)
    return faults


def _crash(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    node = random.choice(nodes)
    return [Fault(at, "crash", (node,)), Fault(at + random.uniform(0.02, 5), "restart", (node,))]


def _shutdown(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    node = random.choice((*nodes, LEADER))
    end = at + random.uniform(2.1, 5)
    return [Fault(at, "shutdown", (node,)), *(Fault(end, "restart", (one,)) for one in nodes if node in (one, LEADER))]


def _power(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    back = [Fault(at + random.uniform(0.05, 3), "restart", (node,)) for node in nodes]
    return [*(Fault(at, "crash", (node,)) for node in nodes), *back]


def _leader(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    later = at + random.uniform(0.02, 5)
    return [Fault(at, "crash", (LEADER,)), *(Fault(later, "restart", (node,)) for node in nodes)]


def _fresh_leader(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    return [Fault(at, "ambush", ("lead", _round(random.uniform(0, AMBUSH)), _round(random.uniform(0.05, DOWN))))]


def _fresh_voter(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    return [Fault(at, "ambush", ("promise", _round(random.uniform(0, AMBUSH)), _round(random.uniform(0.05, DOWN))))]


def _disk(health: str, longest: float) -> Draw:
    def draw(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
        node = random.choice(nodes)
        end = at + random.uniform(0.5, longest)
        back = Fault(end + random.uniform(0, 1), "restart", (node,))
        return [Fault(at, "disk", (node, health)), Fault(end, "disk", (node, "ok")), back]

    return draw


def _pause(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    node = random.choice((*nodes, LEADER))
    end = at + random.uniform(0.05, random.choice((0.5, 3.0, PAUSE)))
    return [Fault(at, "pause", (node,)), *(Fault(end, "resume", (one,)) for one in nodes if node in (one, LEADER))]


def _clock(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    return [Fault(at, "clock", (node, _round(random.uniform(1 - CLOCK, 1 + CLOCK)))) for node in nodes]


_DRAWS: dict[str, tuple[int, Draw]] = {
    "loss": (1, _loss),
    "duplication": (1, _duplication),
    "delay": (1, _delay),
    "reorder": (1, _reorder),
    "partition": (2, _partition),
    "isolate": (2, _isolate),
    "one-way": (2, _one_way),
    "star": (3, _star),
    "flapping": (2, _flapping),
    "crash": (1, _crash),
    "power": (1, _power),
    "leader": (1, _leader),
    "fresh-leader": (1, _fresh_leader),
    "fresh-voter": (1, _fresh_voter),
    "slow-disk": (1, _disk("slow", 5)),
    "full-disk": (1, _disk("full", 5)),
    "failing-disk": (1, _disk("failing", 2)),
    "pause": (1, _pause),
    "clock": (1, _clock),
    "shutdown": (1, _shutdown),
    **SEQUENCES,
}
"""Each kind of fault: how many nodes it takes at least, and how one is drawn."""

NAMED = ("shutdown", *SEQUENCES)
"""Kinds that are drawn only where they are named, or by a profile: with them, each seed of `all` would be another schedule."""

KINDS: tuple[str, ...] = tuple(kind for kind in _DRAWS if kind not in NAMED)
"""The names of all kinds: loss duplication delay reorder (frames), partition isolate one-way star flapping
(links), crash power leader fresh-leader fresh-voter (lives; each loses unsynced records and may
tear the last line), slow-disk full-disk failing-disk, pause, clock.  `shutdown`, a node that leaves politely, and the
sequences of faults are drawn only where they are named (`all,shutdown`), or by a profile."""


GAPS = (0.5, 1.2, 2.5)
"""Seconds between two faults, of which a script draws one mean."""


def parse_kinds(text: str | Iterable[str] = "all") -> tuple[str, ...]:
    """Return the kinds named by `text`: `all`, or names with commas, or both; raises `UsageError`."""
    names = [name.strip() for name in text.split(",")] if isinstance(text, str) else list(text)
    if "all" in names:
        names = [*KINDS, *(name for name in names if name != "all")]
    for name in names:
        if name not in _DRAWS:
            raise UsageError(f"{name!r} is no kind of fault; write all, or some of {', '.join(_DRAWS)}.")
    return tuple(kind for kind in _DRAWS if kind in names)


def random_script(
    random: Random,
    nodes: Sequence[int],
    seconds: float = 20.0,
    kinds: str | Iterable[str] = "all",
    *,
    share: float = 0.4,
    pace: float = 1.0,
    gaps: tuple[float, ...] = GAPS,
    loses_folder: bool = False,
) -> Script:
    """Draw a script for `nodes` that lasts `seconds`, from a random subset of `kinds`, each in it with probability `share`.

    With a `pace` of 10 ten times as much happens, and each fault is over in a tenth of its time.  With `loses_folder`
    all of it happens between a meeting and the quiet in which a member's lost folder is replaced, if there is time.
    """
    length = seconds * pace
    begin, end = (MEETING, length - QUIET - LEVEL) if loses_folder else (0.0, length)
    if loses_folder and (end < MEETING + 1.0 or len(nodes) < 3):
        return random_script(random, nodes, seconds, kinds, share=share, pace=pace, gaps=gaps)
    fitting = [kind for kind in parse_kinds(kinds) if _DRAWS[kind][0] <= len(nodes)]
    chosen = [kind for kind in fitting if random.random() < share] or [random.choice(fitting)] if fitting else []
    gap = random.choice(gaps)
    at = begin + random.choice((0.1, 3.0))
    faults: list[Fault] = []
    while chosen and at < end - 0.2:
        faults += _DRAWS[random.choice(chosen)][1](random, nodes, at)
        at += random.expovariate(1 / gap)
    faults = [fault for fault in faults if fault.time < end]
    if loses_folder:
        faults += lost_folder(random, nodes, end)
    timed = [_at_pace(fault, pace) for fault in faults]
    in_order: list[Fault] = sorted((fault for fault in timed if fault.time < seconds), key=lambda fault: fault.time)
    script = Script(in_order)
    wrong = outside(script, nodes, mended=seconds)
    assert wrong is None, f"The swarm drew what it must not draw: {wrong}"
    return script


def _at_pace(fault: Fault, pace: float) -> Fault:
    """Return `fault` so much earlier and shorter: how slow a link is belongs to it, when a frame's copy arrives does not."""
    match fault.verb, fault.args:
        case "slow", (a, b, *times) if pace != 1:
            args: tuple[Any, ...] = (a, b, *(_round(time / pace) for time in times))
        case "ambush", (moment, delay, down) if pace != 1:
            args = (moment, delay, _round(down / pace))
        case _:
            args = fault.args
    return Fault(_round(fault.time / pace), fault.verb, args)
