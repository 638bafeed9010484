"""World: a whole cluster in virtual time, from one seed.

Nothing here waits: the world takes the earliest event off a heap, sets its clock to it, and lets
it happen.  All chance comes from the seed, so the same seed and verbs give the same history.

    heap [(time, order, what)] --earliest--> a frame arrives, an alarm rings, a sync ends, a fault
       ^                                              |
       `--------------- new events -------------------'

    world = World(seed=7); world.run(3); world.say("hello"); world.crash(world.leader); world.run(5)

Assumes   actors keep the contract of `protocol.actor`; any actor will do, the chat node is one.
Promises  a byte-identical trace per seed; a node that raises stops alone; too many events in one
          second of virtual time raise `Runaway`, so that nothing hangs.
Read also `host` (one node and its lives), `network`, `disk`; `runtime.cluster` has the same verbs.
"""

import heapq
import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from chatsys.config import ClusterConfig, Timing
from chatsys.errors import Runaway, UsageError
from chatsys.faults import Fault, Script, apply, check_fault
from chatsys.protocol.actor import Actor, Address
from chatsys.protocol.messages import Say, Stop, Submit
from chatsys.sim.disk import Disk, DiskModel, Health
from chatsys.sim.host import Factory, Host
from chatsys.sim.network import Conditions, Network
from chatsys.trace import Record, Trace

IDLE = {"role": "", "term": 0, "leader": None, "last": 0, "commit": 0, "delivered": 0}


class World:
    """Nodes 1..n, their clients, network and disks; `now` is in seconds and starts at 0."""

    where = "sim"

    def __init__(
        self,
        seed: int = 0,
        nodes: int | ClusterConfig = 3,
        quorum: Any = "majority",
        *,
        parts: Mapping[str, type] | None = None,
        actor: type[Actor] | None = None,
        client: Factory | None = None,
        timing: Timing | str = "course",
        network: Conditions | None = None,
        disk: DiskModel | None = None,
        clock_drift: float = 0.0,
        busiest: int = 50_000,
    ) -> None:
        """Begin a world at time 0 with all nodes started.

        `nodes` is a number or a whole `ClusterConfig`.  `parts` replaces parts of the chat node by
        name; `actor` replaces the node itself.  Clocks run at 1 +- `clock_drift`.  More than
        `busiest` events in one second of virtual time raise `Runaway`.
        """
        timing = Timing.profile(timing) if isinstance(timing, str) else timing
        self.seed, self.busiest, self.client = seed, busiest, client
        self.config = nodes if isinstance(nodes, ClusterConfig) else ClusterConfig.of(nodes, quorum, timing=timing)
        self.actor, self.parts = actor or _node(), parts
        self.now = 0.0
        self.trace = Trace(meta=self._meta())
        self.network = Network(Random(f"{seed}/network"), network or Conditions())
        self.links = Random(f"{seed}/links")
        self.failures: list[tuple[Address, str]] = []
        """Nodes that stopped themselves, and the sentence why."""
        self.done: list[Fault] = []
        """Every verb used so far: `Script(world.done)` plays this run again."""
        self.hosts: dict[Address, Host] = {}
        self.ambushes: dict[str, list[tuple[float, float]]] = {}
        self._heap: list[tuple[float, int, Callable[[Any, Any], None], Any, Any]] = []
        self._order = 0
        self._second, self._count = 0.0, 0
        factory = partial(self.actor, parts=parts) if parts else self.actor
        for node in self.config.ids:
            self._add(node, factory, disk or DiskModel(), clock_drift)
        for node in self.config.ids:
            self.hosts[node].start()

    def _meta(self) -> dict[str, Any]:
        return {
            "where": self.where,
            "seed": self.seed,
            "members": list(self.config.ids),
            "quorum": self.config.quorum,
            "timing": msgspec.structs.asdict(self.config.timing),
            "actor": self.actor.__name__,
            "parts": {name: part.__name__ for name, part in sorted((self.parts or {}).items())},
        }

    def _add(self, me: Address, factory: Factory, model: DiskModel, drift: float) -> Host:
        host = Host(self, me, factory, Disk(Random(f"{self.seed}/disk/{me}"), model))
        if drift:
            chance = Random(f"{self.seed}/clock/{me}")
            host.offset, host.rate = chance.uniform(0, 1000), chance.uniform(1 - drift, 1 + drift)
        self.hosts[me] = host
        return host

    # --- time ---------------------------------------------------------------------------

    def push(self, time: float, action: Callable[[Any, Any], None], one: Any, two: Any) -> None:
        """Let `action(one, two)` happen at `time`; equal times keep the order of pushing."""
        self._order += 1
        heapq.heappush(self._heap, (time, self._order, action, one, two))

    def _next(self) -> None:
        """Let the earliest event happen."""
        time, _, action, one, two = heapq.heappop(self._heap)
        self.now = time
        self._count += 1
        if time >= self._second:
            self._second, self._count = time + 1.0, 0
        elif self._count > self.busiest:
            raise Runaway(
                f"More than {self.busiest} events in one second, at {time:.2f} s of virtual time: "
                "some actor answers without end, or sets an alarm that is due already."
            )
        action(one, two)

    @property
    def events(self) -> int:
        """How many events happened so far."""
        return self._order - len(self._heap)

    def run(self, seconds: float) -> None:
        """Let `seconds` of virtual time go by."""
        end = self.now + seconds
        heap, next_event = self._heap, self._next
        while heap and heap[0][0] <= end:
            next_event()
        self.now = end

    def until(self, predicate: Callable[..., Any], limit: float = 60.0) -> bool:
        """Run until `predicate()` (or `predicate(world)`) holds, for at most `limit` seconds; tell whether it did."""
        holds = partial(predicate, self) if inspect.signature(predicate).parameters else predicate
        end = self.now + limit
        while not holds():
            if not self._heap or self._heap[0][0] > end:
                self.now = end
                return bool(holds())
            self._next()
        return True

    def step(self) -> list[Record]:
        """Run until something shows in the trace; return these records, [] if nothing ever will."""
        before = len(self.trace)
        while self._heap and len(self.trace) == before:
            self._next()
        return self.trace.records[before:]

    def at(self, time: float, verb: str, *args: Any, lenient: bool = False) -> None:
        """Do `verb` with `args` at `time` (seconds since the beginning).

        With `lenient`, a verb that does not fit its moment is passed over.
        """
        check_fault(verb, args, self.nodes)
        if time < self.now:
            raise UsageError(f"at({time}, {verb!r}): it is {self.now:.3f} s already; give a later time.")
        self.push(time, self._apply, (verb, args), lenient)

    def _apply(self, what: tuple[str, tuple[Any, ...]], lenient: bool) -> None:
        apply(self, *what, lenient=lenient)

    # --- links --------------------------------------------------------------------------

    def touch(self, host: Host) -> None:
        """Something changed about `host`: let it and its peers look at their links soon."""
        for other in self.hosts.values():
            if other is not host and not (isinstance(host.me, str) and isinstance(other.me, str)):
                self.look_later(other, host)
                self.look_later(host, other)

    def look_later(self, observer: Host, subject: Host) -> None:
        """Let `observer` find out within milliseconds how its link to `subject` is."""
        self.push(self.now + 0.0005 + 0.002 * self.links.random(), self._look, observer, subject)

    def _look(self, observer: Host, subject: Host) -> None:
        if not observer.ready or not self.network.is_open(observer.me, subject.me):
            return
        if observer.paused:
            observer.inbox.append((self._look, observer, subject))
            return
        observer.learn(subject)

    # --- people and nodes ---------------------------------------------------------------

    @property
    def nodes(self) -> tuple[int, ...]:
        """The ids of all members, ascending."""
        return self.config.ids

    def host(self, node: Any) -> Host:
        """Return the host of a member; raises `UsageError` for anybody else."""
        host = self.hosts.get(node) if isinstance(node, int) else None
        if host is None:
            raise UsageError(f"Node {node!r} is not a member; the nodes are {', '.join(map(str, self.nodes))}.")
        return host

    def say(self, text: str, node: int | None = None, room: str = "main", author: str = "ann") -> None:
        """Let the client `author` say `text`; with `node`, through a client that sticks to this node."""
        for name, value in (("text", text), ("author", author), ("room", room)):
            if not isinstance(value, str) or not value.strip():
                raise UsageError(f"{name} is {value!r}; write at least one character.")
        if node is not None:
            self.host(node)
        self._did("say", text, node, room, author)
        if self.client is None and Submit not in self.actor.messages:
            self.host(self.nodes[0] if node is None else node).command(Say(text, room, author))
            return
        name = author if node is None else f"{author}@{node}"
        self.add_client(name, home=node).command(Say(text, room, author))

    def add_client(self, name: str, factory: Factory | None = None, home: int | None = None) -> Host:
        """Return the client `name`; the first time it is made, with a link to every live node."""
        if name not in self.hosts:
            host = self._add(name, factory or self.client or _client(home), DiskModel(), 0.0)
            host.start()
        return self.hosts[name]

    def command(self, node: int, command: msgspec.Struct) -> None:
        """Hand any command to a node."""
        self._alive(node).command(command)

    def _alive(self, node: Any, verb: str = "command") -> Host:
        host = self.host(node)
        if not host.alive:
            raise UsageError(f"Node {node} is not running, so it cannot {verb}; restart it first.")
        return host

    def _did(self, verb: str, *args: Any) -> None:
        self.done.append(Fault(self.now, verb, args))

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

    def spring(self, moment: str, host: Host) -> None:
        """Spring one ambush on `host`, which just did what it waits for."""
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
        for host in self.hosts.values():
            if host.alive:
                host.stop(Stop())
        self._heap.clear()

    # --- verbs: links, disks, clocks ------------------------------------------------------

    def cut(self, a: int, b: int, one_way: bool = False) -> None:
        """Let no frame pass between `a` and `b`; with `one_way`, only from `a` to `b`."""
        self.host(a), self.host(b)
        self._told("cut", f"cut {a} {'->' if one_way else '|'} {b}", "cut", a, b, one_way)
        self.network.cut(a, b)
        if not one_way:
            self.network.cut(b, a)

    def partition(self, *groups: Iterable[int], one_way: bool = False) -> None:
        """Cut all links between the groups (one group: from all others); with `one_way`, only from earlier to later."""
        if groups and isinstance(groups[-1], bool):
            *groups, one_way = groups  # type: ignore[assignment]
        check_fault("partition", (*groups, one_way), self.nodes)
        parts = tuple(tuple(sorted(group)) for group in groups)
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

    def duplicate(self, a: Address, b: Address, fraction: float) -> None:
        """Let this fraction of the frames between `a` and `b` ("*": all) arrive twice."""
        self._rule("duplicate", a, b, fraction)

    def _rule(self, verb: str, a: Address, b: Address, *values: float) -> None:
        check_fault(verb, (a, b, *values), self.nodes)
        kind = "fault" if verb == "duplicate" else verb
        self._told(kind, f"{verb} {a} - {b}: {' + '.join(map(str, values))}", verb, a, b, *values)
        self.network.rule(verb, a, b, *values)

    def disk(self, node: int, health: Health) -> None:
        """Make a node's disk `slow`, `full` (nearly), `failing` or `ok`."""
        check_fault("disk", (node, health), self.nodes)
        self._told("fault", f"disk of node {node}: {health}", "disk", node, health)
        self.host(node).set_disk(health)

    def clock(self, node: int, rate: float) -> None:
        """Let a node's clock run at `rate` from now on (1.0 is right)."""
        check_fault("clock", (node, rate), self.nodes)
        self._told("fault", f"clock of node {node}: rate {rate}", "clock", node, rate)
        self.host(node).set_clock(rate)

    def mend(self) -> None:
        """Repair everything: links, disks and clocks; resume and restart everyone."""
        self._did("mend")
        done, self.done = self.done, []
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
        self.done = done

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

    # --- what people ask ------------------------------------------------------------------

    def status(self) -> dict[int, dict[str, Any]]:
        """Return for each node whether it is alive and paused, its role, term, leader and positions."""
        return {node: self.hosts[node].status(IDLE) for node in self.nodes}

    @property
    def leader(self) -> int | None:
        """The live node that leads and is ready, in the highest term; None if there is none."""
        best: tuple[int, int] | None = None
        for node in self.nodes:
            host = self.hosts[node]
            if host.alive and not host.paused and host.role == "leader" and host.actor.status().get("ready", True):
                best = max(best or (0, 0), (host.term, node))
        return best[1] if best else None

    def delivered(self, node: int) -> list[str]:
        """Return the texts that `node` delivered in this life, in order."""
        records = self.trace.records[self.host(node).born :]
        return [record.text or "" for record in records if record.kind == "deliver" and record.node == node]

    @property
    def script(self) -> Script:
        """Every verb used so far, as a script that plays this run again."""
        return Script(self.done)

    def save(self, path: str | Path) -> Path:
        """Write seed, script, classes and trace to one file; `Run.load` opens it."""
        from chatsys.run import Run

        options = {"nodes": len(self.nodes), "quorum": self.config.quorum}
        run = Run(self.trace, self.seed, self.script.plain(), options, self.parts, None if _is_node(self.actor) else self.actor)
        return run.save(path)


def _node() -> type[Actor]:
    from chatsys.protocol.node import Node

    return Node


def _is_node(actor: type[Actor]) -> bool:
    return actor.__module__ == "chatsys.protocol.node"


def _client(home: int | None) -> Factory:
    from chatsys.protocol.client import Client

    return partial(Client, home=home, sticky=home is not None)
