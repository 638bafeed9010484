"""The suite: one visit after the other, each to three new nodes with an honest client at work.

    start   three nodes, the honest client; a calm stretch, in which memory and descriptors are read
    visit   one attack (or all at once) for so many seconds
    after   the probes: when does each node serve again?   a calm stretch
    end     the honest client hears its last answers, each node tells what it delivers, all are told
            to end, and `verify` reads their folders

Assumes   a machine that can listen on 127.0.0.1 and has room for a few processes.
Promises  every process it started has ended when it returns, or when it raises.
Read also `judge` (what must hold), `attacks` (what is done), `processes`.
"""

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from chatsys.campaign.outsider.afterwards import Probe, delivered
from chatsys.campaign.outsider.judge import NodeFacts, VisitFacts
from chatsys.campaign.outsider.processes import Processes, Usage
from chatsys.errors import ChatsysError
from chatsys.temporary import remove, temporary

START = 30.0
"""Seconds within which the honest client must be served at first."""
PATIENCE = 30.0
"""Seconds after a visit within which a node may be healed at all; then the wait is over."""
LAST_ANSWERS = 25.0
"""Seconds that the honest client may take to end; it waits a little less itself."""
SAMPLE = 0.1
"""Seconds between two looks at the processes."""
BEFORE, DURING, AFTER = range(3)


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same in every visit; `rate` in messages a second, `calm` in seconds."""

    rate: float = 50.0
    calm: float = 3.0
    seed: int = 1
    code: Path | None = None
    """The folder of the code that the nodes and the honest client run; None: this one."""


def visit(attacks: Sequence[str], seconds: float, circumstances: Circumstances) -> VisitFacts:
    """Let these attacks happen at once to three new nodes, and return what was seen.

    Raises `ChatsysError` if the nodes do not even serve before the visit.
    """
    folder = temporary()
    try:
        with Processes(folder, circumstances.code) as processes:
            return _Visiting(processes, circumstances).run(attacks, seconds)
    finally:
        remove(folder)


class _Visiting:
    """One visit from the start of the nodes to the facts for the judge."""

    def __init__(self, processes: Processes, circumstances: Circumstances) -> None:
        self.processes, self.circumstances = processes, circumstances
        self.usage = (Usage(), Usage(), Usage())
        self.ended: dict[int, str] = {}
        self.late = 0.0

    def run(self, attacks: Sequence[str], seconds: float) -> VisitFacts:
        """Play the whole visit."""
        processes, calm = self.processes, self.circumstances.calm
        processes.start_nodes()
        honest = processes.start_honest(self.circumstances.rate)
        self._watch(START, BEFORE, lambda: not self._acked())
        if not self._acked():
            raise ChatsysError(f"The nodes serve nobody before the visit: {self._told()}")
        self._watch(calm, BEFORE)
        begin = time.monotonic()
        visitors = [processes.start_visitor(name, seconds, self.circumstances.seed) for name in attacks]
        self._watch(seconds + 15.0, DURING, lambda: any(one.poll() is None for one in visitors))
        end = time.monotonic()
        healed = self._heal(end)
        self._watch(calm, AFTER)
        delivers = self._end(honest)
        return VisitFacts(
            attack=" + ".join(attacks) if len(attacks) < 4 else "all at once",
            begin=begin,
            end=end,
            diary=processes.diary(),
            nodes={id: self._facts(id, healed[id], delivers.get(id, [])) for id in processes.nodes},
            logs=processes.verify(),
            visitors=[_account(name, one) for name, one in zip(attacks, visitors, strict=True)],
            late=round(self.late, 2),
        )

    def _watch(self, seconds: float, stretch: int, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Look at the processes for so long, or until something is over."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end and goes_on():
            self.processes.look(self.usage[stretch])
            for id, code in self.processes.ended().items():
                if id not in self.ended:
                    self.ended[id] = f"exit code {code}, {self.processes.last_words(id)}"
            time.sleep(SAMPLE)
            self.late = max(self.late, time.monotonic() - now - SAMPLE)

    def _acked(self) -> bool:
        return any("acked" in line for line in self.processes.diary())

    def _told(self) -> str:
        return "; ".join(f"node {id}: {self.processes.last_words(id)}" for id in self.processes.nodes)

    def _heal(self, since: float) -> dict[int, float | None]:
        """Wait until a new message is acknowledged through each node; return how long each took."""
        where, cluster = self.processes.addresses, self.processes.config.cluster
        probes = [Probe(id, where[id], cluster) for id in self.processes.nodes if id not in self.ended]

        def waiting() -> bool:
            for probe in probes:
                probe.go_on()
            return any(probe.healed is None and probe.node not in self.ended for probe in probes)

        self._watch(PATIENCE, AFTER, waiting)
        for probe in probes:
            probe.close()
        found = {probe.node: round(probe.healed - since, 2) for probe in probes if probe.healed is not None}
        return {id: found.get(id) for id in self.processes.nodes}

    def _end(self, honest: "subprocess.Popen[bytes]") -> dict[int, list[tuple[str, str]]]:
        """Let the honest client hear its answers, read what the nodes deliver, end them."""
        assert honest.stdin is not None, "the honest client has a pipe"
        with suppress(OSError):
            honest.stdin.write(b"stop\n")
            honest.stdin.flush()
        self.usage[AFTER].clear()  # what counts is what stays
        self._watch(LAST_ANSWERS, AFTER, lambda: honest.poll() is None)
        self._watch(0.5, AFTER)
        last = sum("acked" in line for line in self.processes.diary())
        where, cluster = self.processes.addresses, self.processes.config.cluster
        found = {id: delivered(where[id], cluster, last) for id in self.processes.nodes if id not in self.ended}
        self._watch(SAMPLE, AFTER)  # who has ended meanwhile?
        self.processes.stop_nodes()
        return found

    def _facts(self, id: int, healed: float | None, texts: list[tuple[str, str]]) -> NodeFacts:
        memory, descriptors = [], []
        for usage in self.usage:
            memory.append(round(usage.memory.get(id, 0.0), 1))
            descriptors.append(usage.descriptors.get(id, 0))
        return NodeFacts(
            memory=(memory[0], memory[1], memory[2]),
            descriptors=(descriptors[0], descriptors[1], descriptors[2]),
            ended=self.ended.get(id, ""),
            exit_code=self.processes.nodes[id].poll(),
            healed=healed,
            delivered=texts,
        )


def _account(name: str, visitor: "subprocess.Popen[bytes]") -> dict[str, object]:
    """Return what a visitor tells of itself; one that did not end in time tells nothing."""
    if visitor.poll() is None or visitor.stdout is None:
        return {"attack": name, "unfinished": True}
    try:
        return dict(json.loads(visitor.stdout.read()))
    except ValueError:
        return {"attack": name, "unfinished": True}
