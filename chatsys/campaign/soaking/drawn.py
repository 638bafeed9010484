"""The faults of a soak: what is drawn from the seed, and who applies it while people talk.

    every 5 to 15 s   crash 1 ... mend    partition 1 | 2 3 ... heal    a lossy link ... heal

Assumes   the verbs are those of `faults`; a storm (`storm`) has faults of its own kind.
Promises  the same seed draws the same faults; each is mended before the next begins.
Read also `soak`, `faults.swarm` (how the simulator draws).
"""

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from chatsys.campaign.soaking.storm import Storm
from chatsys.faults import Fault, Script, apply
from chatsys.runtime.cluster import Cluster

SHORTEST, LONGEST = 5.0, 15.0
"""Between one fault and the next, in seconds."""


def random_faults(random: Random, nodes: tuple[int, ...], seconds: float) -> Script:
    """Return faults for so many seconds, each mended before the next begins."""
    faults: list[Fault] = []
    at = random.uniform(1.0, SHORTEST)
    while at < seconds:
        gap = random.uniform(SHORTEST, LONGEST)
        begin, end = random.choice(KINDS)(random, nodes)
        faults.append(Fault(round(at, 2), *begin))
        faults.append(Fault(round(at + random.uniform(0.3, 0.9) * gap, 2), *end))
        at += gap
    return Script(faults)


Step = tuple[str, tuple[Any, ...]]
_Draw = Callable[[Random, tuple[int, ...]], tuple[Step, Step]]


def _kill(random: Random, nodes: tuple[int, ...]) -> tuple[Step, Step]:
    return ("crash", (random.choice(nodes),)), ("mend", ())


def _kill_leader(random: Random, nodes: tuple[int, ...]) -> tuple[Step, Step]:
    return ("crash", ("leader",)), ("mend", ())


def _stop(random: Random, nodes: tuple[int, ...]) -> tuple[Step, Step]:
    return ("pause", (random.choice((*nodes, "leader")),)), ("mend", ())


def _split(random: Random, nodes: tuple[int, ...]) -> tuple[Step, Step]:
    side = tuple(sorted(random.sample(nodes, random.randint(1, len(nodes) - 1))))
    rest = tuple(node for node in nodes if node not in side)
    one_way = (True,) if random.random() < 0.3 else ()
    return ("partition", (side, rest, *one_way)), ("heal", ())


def _cut(random: Random, nodes: tuple[int, ...]) -> tuple[Step, Step]:
    return ("cut", tuple(random.sample(nodes, 2))), ("heal", ())


def _lag(random: Random, nodes: tuple[int, ...]) -> tuple[Step, Step]:
    return ("slow", ("*", "*", round(random.uniform(0.02, 0.3), 3), 0.05)), ("heal", (True,))


def _lossy(random: Random, nodes: tuple[int, ...]) -> tuple[Step, Step]:
    return ("lose", ("*", "*", round(random.uniform(0.02, 0.3), 3))), ("heal", (True,))


KINDS: tuple[_Draw, ...] = (_kill, _kill_leader, _kill_leader, _stop, _split, _cut, _lag, _lossy)
"""How faults are drawn; the leader is killed twice as often."""


def trouble(cluster: Cluster, random: Random, seconds: float, storm: bool) -> tuple[Script, Storm | None]:
    """Return the faults of a soak, or a storm."""
    return (Script([]), Storm(cluster, random)) if storm else (random_faults(random, cluster.nodes, seconds), None)


class Breaking(Protocol):
    """What breaks the cluster while people talk."""

    def act(self) -> None:
        """Do what is due now."""

    def end(self) -> None:
        """Nothing more is to be done."""


class AppliedFaults:
    """The faults of a script, each at its time from now on."""

    def __init__(self, cluster: Cluster, script: Script) -> None:
        self.cluster, self.begin, self.pending = cluster, cluster.now, list(script)

    def act(self) -> None:
        """Apply the faults that are due."""
        while self.pending and self.pending[0].time <= self.cluster.now - self.begin:
            fault = self.pending.pop(0)
            apply(self.cluster, fault.verb, fault.args, lenient=True)

    def end(self) -> None:
        """What was not due yet never happens."""
