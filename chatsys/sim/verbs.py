"""Verbs: what people can do to a simulated world, each at once and at the present time.

    lives    crash restart pause resume ambush stop mend
    links    cut partition heal slow lose duplicate
    rest     disk clock join leave

Each verb checks what it was given (`UsageError`, one sentence), writes itself into the trace and
into `done`, and only then acts; so `Script(world.done)` plays the run again.

Read also `faults.script` (verbs as data), `world`, `runtime.cluster` (the same verbs in real time).
"""

import math
from collections.abc import Iterable
from typing import Any

from chatsys.actor.actor import Address
from chatsys.actor.events import Stop
from chatsys.config import ClusterConfig
from chatsys.errors import UsageError
from chatsys.faults import Fault, apply, check_ends, check_fault
from chatsys.sim.disk import Health
from chatsys.sim.host import Host
from chatsys.sim.network import Network
from chatsys.sim.simulation import Events
from chatsys.trace import Record


class Verbs(Events):
    """The verbs; the world that they act on comes from its subclass."""

    config: ClusterConfig
    hosts: dict[Address, Host]
    network: Network
    ambushes: dict[str, list[tuple[float, float]]]
    """(delay, down) of the ambushes laid, by the moment they wait for."""
    done: list[Fault]
    """Every verb used so far: `Script(world.done)` plays this run again, but for its ties in time."""
    steps: list[tuple[int, Fault]]
    """`done`, clients and `stop` too, each with how many events came before it; `World.again` repeats the run exactly."""
    scheduled = 0
    """How many verbs were events of their own."""

    @property
    def nodes(self) -> tuple[int, ...]:
        """The ids of all members, ascending."""
        return self.config.ids

    def at(self, time: float, verb: str, *args: Any, lenient: bool = False) -> None:
        """Do `verb` with `args` at `time` (seconds since the beginning).

        With `lenient`, a verb that does not fit its moment is passed over.
        """
        check_fault(verb, args, self.nodes)
        if isinstance(time, bool) or not isinstance(time, int | float):
            raise UsageError(f"at({time!r}, {verb!r}): {time!r} is no time; give seconds since the beginning.")
        if not self.now <= time < math.inf:
            raise UsageError(f"at({time}, {verb!r}): it is {self.now:.3f} s already; give a later time.")
        self.push(float(time), self._apply, (verb, args), lenient)

    def _apply(self, what: tuple[str, tuple[Any, ...]], lenient: bool) -> None:
        self.scheduled += 1
        apply(self, *what, lenient=lenient)

    def reach(self, events: int, time: float) -> None:
        """Let events happen until there were so many; then it is `time`."""
        while self._heap and self.events < events:
            self._next()
        self.now = time

    def host(self, node: Any) -> Host:
        """Return the host of a member; raises `UsageError` for anybody else."""
        host = self.hosts.get(node) if isinstance(node, int) and not isinstance(node, bool) else None
        if host is None:
            raise UsageError(f"Node {node!r} is not a member; the nodes are {', '.join(map(str, self.nodes))}.")
        return host

    def touch(self, host: Host) -> None:
        """Something changed about `host`: let it and its peers look at their links soon."""
        raise NotImplementedError

    def _alive(self, node: Any, verb: str = "command") -> Host:
        host = self.host(node)
        if not host.alive:
            raise UsageError(f"Node {node} is not running, so it cannot {verb}; restart it first.")
        return host

    def _did(self, verb: str, *args: Any) -> None:
        self.done.append(Fault(self.now, verb, args))
        self._keep(verb, *args)

    def _keep(self, verb: str, *args: Any) -> None:
        """Keep what was done where it belongs among the events; scheduled verbs do not count as events."""
        self.steps.append((self.events - self.scheduled, Fault(self.now, verb, args)))

    def _told(self, kind: str, reason: str, verb: str, *args: Any) -> None:
        self._did(verb, *args)
        self.trace.append(Record(self.now, kind, reason=reason))

    # --- verbs: lives -------------------------------------------------------------------

    def crash(self, node: int) -> None:
        """End a node's life at once, as a power loss would: what was not synced may be lost."""
        host = self._alive(node, "crash")
        self._did("crash", node)
        host.end("crash")

    def restart(self, node: int) -> None:
        """Begin a new life of a node that is not running."""
        host = self.host(node)
        if host.alive:
            raise UsageError(f"Node {node} is running; crash it first, then restart it.")
        self._did("restart", node)
        host.note("restart")
        host.start()

    def pause(self, node: int) -> None:
        """Stop a node's process: it handles nothing, and its frames wait."""
        host = self._alive(node, "pause")
        if host.paused:
            raise UsageError(f"Node {node} is paused already; resume it first.")
        self._did("pause", node)
        host.note("pause")
        host.paused = True

    def resume(self, node: int) -> None:
        """Let a paused node go on: first what waited, in order of arrival, then late alarms."""
        host = self._alive(node, "resume")
        if not host.paused:
            raise UsageError(f"Node {node} is not paused, so it cannot resume.")
        self._did("resume", node)
        host.note("resume")
        host.resume()
        self.touch(host)

    def ambush(self, moment: str, delay: float, down: float) -> None:
        """Crash the next node that leads (`lead`) or promises (`promise`), `delay` seconds after; back after `down`."""
        check_fault("ambush", (moment, delay, down))
        self._told("fault", f"ambush: {moment}, {delay} s after, for {down} s", "ambush", moment, delay, down)
        self.ambushes.setdefault(moment, []).append((delay, down))

    def spring(self, moment: str, me: Address) -> None:
        """Spring one ambush on `me`, which just did what it waits for."""
        host = self.hosts[me]
        delay, down = self.ambushes[moment].pop(0)
        if not self.ambushes[moment]:
            del self.ambushes[moment]
        self.push(self.now + delay, self._strike, (host, host.lives), down)

    def _strike(self, whom: tuple[Host, int], down: float) -> None:
        host, life = whom
        if host.alive and host.lives == life:
            host.end("crash", "ambush")
            self.push(self.now + down, self._return, host, life)

    def _return(self, host: Host, life: int) -> None:
        if not host.alive and host.lives == life:
            host.note("restart")
            host.start()

    def stop(self) -> None:
        """End everything in good order: every node writes what it has and stops."""
        self._keep("stop")
        for host in self.hosts.values():
            if host.alive:
                host.stop(Stop())
        self._order -= len(self._heap)  # what was to happen never does
        self._heap.clear()

    # --- verbs: links, disks, clocks ------------------------------------------------------

    def cut(self, a: int, b: int, one_way: bool = False) -> None:
        """Let no frame pass between `a` and `b`; with `one_way`, only from `a` to `b`."""
        self.host(a), self.host(b)
        check_fault("cut", (a, b, one_way), self.nodes)
        self._told("cut", f"cut {a} {'->' if one_way else '|'} {b}", "cut", a, b, one_way)
        self.network.cut(a, b)
        if not one_way:
            self.network.cut(b, a)

    def partition(self, *groups: Iterable[int], one_way: bool = False) -> None:
        """Cut all links between the groups (one group: from all others); with `one_way`, only from earlier to later."""
        if groups and isinstance(groups[-1], bool):
            *groups, one_way = groups
        check_fault("partition", (*groups, one_way), self.nodes)
        parts = tuple(tuple(sorted({self.host(node).me for node in group}, key=int)) for group in groups)
        if len(parts) == 1:
            parts = (*parts, tuple(node for node in self.nodes if node not in parts[0]))
        story = (" -> " if one_way else " | ").join(",".join(map(str, part)) for part in parts)
        self._told("cut", f"cut {story}", "partition", *parts, one_way)
        for at, one in enumerate(parts):
            for other in parts[at + 1 :]:
                for a in one:
                    for b in other:
                        self.network.cut(a, b)
                        if not one_way:
                            self.network.cut(b, a)

    def heal(self, everything: bool = False) -> None:
        """Remove all cuts; with `everything`, also slowness, loss and duplication."""
        check_fault("heal", (everything,))
        self._told("heal", "everything" if everything else "all cuts", "heal", everything)
        self.network.heal(everything)
        for host in self.hosts.values():
            self.touch(host)

    def slow(self, a: Address, b: Address, delay: float, jitter: float = 0.0) -> None:
        """Make frames between `a` and `b` ("*": all) take `delay` plus up to `jitter` seconds longer."""
        self._rule("slow", a, b, delay, jitter)

    def lose(self, a: Address, b: Address, fraction: float) -> None:
        """Lose this fraction of the frames between `a` and `b` ("*": all)."""
        self._rule("lose", a, b, fraction)

    def duplicate(self, a: Address, b: Address, fraction: float, late: float = 0.0) -> None:
        """Let this fraction of the frames between `a` and `b` ("*": all) arrive twice, the copy up to `late` s later."""
        self._rule("duplicate", a, b, fraction, late)

    def _rule(self, verb: str, a: Address, b: Address, *values: float) -> None:
        check_fault(verb, (a, b, *values), self.nodes)
        check_ends(verb, (a, b), self.nodes, (one for one in self.hosts if isinstance(one, str)))
        kind = "fault" if verb == "duplicate" else verb
        self._told(kind, f"{verb} {a} - {b}: {' + '.join(map(str, values))}", verb, a, b, *values)
        self.network.rule(verb, a, b, *values)

    def disk(self, node: int, health: Health) -> None:
        """Make a node's disk `slow`, `full` (nearly), `failing` or `ok`."""
        host = self.host(node)
        check_fault("disk", (node, health), self.nodes)
        self._told("fault", f"disk of node {node}: {health}", "disk", node, health)
        host.set_disk(health)

    def clock(self, node: int, rate: float) -> None:
        """Let a node's clock run at `rate` from now on (1.0 is right)."""
        host = self.host(node)
        check_fault("clock", (node, rate), self.nodes)
        self._told("fault", f"clock of node {node}: rate {rate}", "clock", node, rate)
        host.set_clock(rate)

    def mend(self) -> None:
        """Repair everything: links, disks and clocks; resume and restart everyone."""
        self._did("mend")
        done, self.done, steps, self.steps = self.done, [], self.steps, []
        self.ambushes.clear()
        self.heal(everything=True)
        for node in self.nodes:
            host = self.hosts[node]
            if host.disk.health != "ok":
                self.disk(node, "ok")
            if host.rate != 1.0:
                self.clock(node, 1.0)
            if not host.alive:
                self.restart(node)
            elif host.paused:
                self.resume(node)
        self.done, self.steps = done, steps

    def join(self, node: int) -> None:
        """Say why a node cannot join: membership is static."""
        raise UsageError(self._static(node))

    def leave(self, node: int) -> None:
        """Say why a node cannot leave: membership is static."""
        raise UsageError(self._static(node))

    def _static(self, node: int) -> str:
        voters = ", ".join(map(str, self.nodes))
        state = "is a member" if node in self.nodes else "is not a member"
        return f"Node {node} {state}; voters are fixed in the config ({voters}). Make a new World with other nodes."
