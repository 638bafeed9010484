"""World: a whole cluster in virtual time, from one seed.

All chance comes from the seed, so the same seed and the same verbs give the same history.

    world = World(seed=7); world.run(3); world.say("hello"); world.crash(world.leader); world.run(5)

    Testbed      the verbs and their checks, the same for every world
       |
    World        what they mean here; it has a
    Simulation   the heap and the time, the network, and a Host for each node and client

Assumes   actors keep the contract of `actor.actor`; any actor will do, the chat node is one.
Promises  a byte-identical trace per seed, whatever PYTHONHASHSEED is; a node that raises stops alone.
Read also `faults.testbed` (the verbs), `simulation`, `host`, `network`, `disk`, `replay`;
`runtime.cluster` has the same verbs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, cast

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.events import Accept, Depart, RemoveLearner, Say, Stop
from chatsys.config import ClusterConfig, Timing
from chatsys.errors import UsageError
from chatsys.faults import (
    Fault,
    Testbed,
    apply,
    check_kind,
    check_life,
    check_made_of,
    check_numbers,
    check_seed,
    config_of,
)
from chatsys.faults.arguments import check_author
from chatsys.faults.testbed import IDLE, Direction, client_factory
from chatsys.run import Run
from chatsys.sim.disk import Disk, DiskModel, Folder, Health
from chatsys.sim.hold import Gate, Wants
from chatsys.sim.host import Factory, Host
from chatsys.sim.network import Conditions
from chatsys.sim.simulation import Simulation
from chatsys.trace import Record, Trace


class World(Testbed):
    """Nodes 1..n, their clients, network and disks; `now` is in seconds and starts at 0."""

    where = "sim"
    _elsewhere = {
        name: f"{name} exists for a Cluster only; a simulated World lives in this very thread."
        for name in ("submit", "pids")
    }

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
        turn: float = 0.0,
    ) -> None:
        """Begin a world at time 0 with all nodes started.

        `nodes` is a number, or a whole `ClusterConfig` that has quorum and timing in it.  `parts`
        replaces parts of the chat node by name; `actor` replaces the node itself.  Clocks run at
        1 +- `clock_drift`.  More than `busiest` events in one second of virtual time raise `Runaway`.
        With `turn` (0: every event is a turn) a host gathers for so many seconds what comes, serves it
        fairly and settles once, as real hosts do.  0.005 to 0.01 finds what needs two frames in one turn.
        A message takes about seven turns: where frames overtake each other and much is said, from 0.02 on
        the queues of clients grow and L3 breaks; S holds with any.
        """
        check_seed(seed)
        check_made_of(parts, actor, client)
        check_numbers(clock_drift=clock_drift, busiest=busiest, turn=turn)
        check_kind("network", network, Conditions)
        check_kind("disk", disk, DiskModel)
        super().__init__(actor, parts, client)
        self.seed: int = seed
        self.config = config_of(nodes, quorum, timing)
        self.simulation = Simulation(
            seed, self.config, self._actor, conditions=network or Conditions(), busiest=busiest, turn=turn
        )
        """Time, network and hosts, for those who look behind the verbs."""
        self.trace.meta.update(self.describe())
        self._disk_model, self._clock_drift = disk or DiskModel(), clock_drift
        self._steps: list[tuple[int, Fault]] = []
        """`done`, clients and `stop` too, each with how many events came before it; `replay` repeats the run exactly."""
        self._scheduled = 0
        """How many verbs were events of their own."""
        self._client_factories: dict[str, Factory] = {}
        """What makes the clients that were added with a factory of their own."""
        self._copies: dict[int, Folder] = {}
        self._unsaveable_because = ""
        """What was done that no file can keep."""
        factory = cast(Factory, partial(cast(Any, self._actor), parts=self._parts) if self._parts else self._actor)
        for node in self.nodes:
            self._add(node, factory, self._disk_model, clock_drift)
        for node in self.nodes:
            self._host(node).start()

    def _add(
        self, me: Address, factory: Factory, model: DiskModel, drift: float, kind: type[Actor] | None = None
    ) -> Host:
        host = Host(self.simulation, me, factory, Disk(Random(f"{self.seed}/disk/{me}"), model), kind)
        if drift:
            chance = Random(f"{self.seed}/clock/{me}")
            host.offset, host.rate = chance.uniform(0, 1000), chance.uniform(1 - drift, 1 + drift)
        self.simulation.hosts[me] = host
        return host

    def _host(self, node: int) -> Host:
        return self.simulation.hosts[node]

    def __repr__(self) -> str:
        return f"<World of {len(self.nodes)} nodes (seed {self.seed}), {self.now:.1f} s, leader {self.leader}>"

    # --- what only this world has -------------------------------------------------------

    def hold(
        self,
        kind: type | tuple[type, ...] = msgspec.Struct,
        sender: Address | None = None,
        receiver: Address | None = None,
        wants: Wants | None = None,
    ) -> Gate:
        """Let frames of this kind (all) wait from now on, of this sender, to this receiver, if `wants(message)`."""
        if not all(isinstance(one, type) for one in (kind if isinstance(kind, tuple) else (kind,))):
            raise UsageError(f"hold was given {kind!r:.80}; give a class of messages, or several: (Propose, Ack).")
        self._unsaveable_because = "hold"
        gate = Gate(self.simulation, kind, sender, receiver, wants)
        self.simulation.gates.append(gate)
        return gate

    def add_client(self, name: str, factory: Factory | None = None, home: int | None = None) -> Host:
        """Return the client `name`; the first time it is made, with a link to every live node."""
        check_author(name, self.config.limits)
        if name not in self.simulation.hosts:
            self._keep("client", name, home)
            if factory is not None:
                self._client_factories[name] = factory
        return self._client_host(name, factory, home)

    def _client_host(self, name: str, factory: Factory | None, home: int | None) -> Host:
        if name not in self.simulation.hosts:
            self._add(name, client_factory(factory or self._client, home), DiskModel(), 0.0).start()
        return self.simulation.hosts[name]

    # --- what people ask ----------------------------------------------------------------

    @property
    def now(self) -> float:
        """Seconds of virtual time since the beginning."""
        return self.simulation.now

    @property
    def trace(self) -> Trace:
        """The history so far."""
        return self.simulation.trace

    @property
    def failures(self) -> list[tuple[Address, str]]:
        """Nodes that stopped themselves, and the sentence why."""
        return self.simulation.failures

    def status(self) -> dict[int, dict[str, Any]]:
        """Return for each node whether it is alive and paused, its role, term, leader and positions."""
        return {node: self._host(node).status(IDLE) for node in self.everyone}

    def _leaders(self) -> Iterator[tuple[int, int]]:
        for node in self.nodes:
            host = self._host(node)
            if host.alive and not host.paused and host.role == "leader" and host.actor.status().get("ready", True):
                yield host.term, node

    def _delivered(self, node: int) -> list[str]:
        records = self.trace.records[self._host(node).born :]
        return [record.text or "" for record in records if record.kind == "deliver" and record.node == node]

    # --- talk, lives --------------------------------------------------------------------

    def _say(self, name: str, node: int | None, said: Say) -> None:
        if self._has_clients:
            self._client_host(name, None, node).command(said)
        else:
            self._host(self.nodes[0] if node is None else node).command(said)

    def _command(self, node: int, command: msgspec.Struct) -> None:
        check_life("take a command", node, *self._life(node))
        self._unsaveable_because = "command"
        self._host(node).command(command)

    def _life(self, node: int) -> tuple[bool, bool]:
        host = self._host(node)
        return host.alive, host.paused

    def _crash(self, node: int) -> None:
        check_life("crash", node, *self._life(node))
        self._host(node).end("crash")

    def _shutdown(self, node: int) -> None:
        check_life("shutdown", node, *self._life(node))
        self._host(node).stand_down()

    def _restart(self, node: int) -> None:
        check_life("restart", node, *self._life(node))
        host = self._host(node)
        host.recorder.write("restart")
        host.start()

    def _pause(self, node: int) -> None:
        check_life("pause", node, *self._life(node))
        host = self._host(node)
        host.recorder.write("pause")
        host.paused = True

    def _resume(self, node: int) -> None:
        check_life("resume", node, *self._life(node))
        host = self._host(node)
        host.recorder.write("resume")
        host.resume()
        self.simulation.touch(node)

    def stop(self) -> None:
        """End everything in good order: every node writes what it has and stops; again is harmless."""
        self._keep("stop")
        for host in self.simulation.hosts.values():
            if host.alive:
                host.stop(Stop())
        self.simulation.forget()

    # --- learners -----------------------------------------------------------------------

    @property
    def learners(self) -> tuple[int, ...]:
        """The ids of those that joined and have not left, ascending."""
        return tuple(node for node in super().learners if not self._host(node).has_left)

    def _join(self, node: int, through: int) -> None:
        kind = self._actor.learner
        assert kind is not None, "join has looked"
        factory = cast(Factory, partial(cast(Any, kind), through=through, address=f"node{node}:0"))
        if (host := self.simulation.hosts.get(node)) is None:
            host = self._add(node, factory, self._disk_model, self._clock_drift, kind)
        else:  # it has left, and comes again as another one
            self._wipe(node)
            host.factory, host.has_left = factory, False
        self.trace.meta["learners"] = sorted({*self.trace.meta.get("learners", ()), node})
        host.start()

    def _depart(self, node: int) -> None:
        self._host(node).command(Depart())

    # --- links, disks, clocks -----------------------------------------------------------

    def _tell(self, kind: str, reason: str) -> None:
        self.trace.append(Record(self.now, kind, reason=reason))

    def _cut(self, ways: Sequence[Direction], reason: str) -> None:
        self._tell("cut", reason)
        for a, b in ways:
            self.simulation.network.cut(a, b)

    def _reconnect(self, ways: Sequence[Direction], reason: str) -> None:
        self._tell("reconnect", reason)
        for a, b in ways:
            self.simulation.network.reconnect(a, b)
        for a, b in {(min(way), max(way)) for way in ways}:
            self.simulation.look_later(a, b)
            self.simulation.look_later(b, a)

    def _heal(self, everything: bool) -> None:
        self._tell("heal", "everything" if everything else "all cuts")
        self.simulation.network.heal(everything)
        for me in self.simulation.hosts:
            self.simulation.touch(me)

    def _lay(self, verb: str, ends: tuple[Address, Address], values: tuple[float, ...], reason: str) -> None:
        self._tell("fault" if verb == "duplicate" else verb, reason)
        self.simulation.network.rule(verb, *ends, *values)

    def _clients(self) -> Iterable[str]:
        return (one for one in self.simulation.hosts if isinstance(one, str))

    def _disk(self, node: int, health: str) -> None:
        self._tell("fault", f"disk of node {node}: {health}")
        self._host(node).set_disk(cast(Health, health))

    def _wipe(self, node: int) -> None:
        self._host(node).recorder.write("wipe", reason="its folder is emptied")
        self._host(node).put(Folder())

    def _copy(self, node: int) -> None:
        self._host(node).recorder.write("copy", reason="a copy of its folder is kept")
        self._copies[node] = self._host(node).disk.folder()

    def _restore(self, node: int, of: int) -> None:
        whose = "its folder" if of == node else f"the folder of node {of}"
        self._host(node).recorder.write("restored", reason=f"the copy of {whose} lies in the place of its folder")
        self._host(node).put(self._copies[of])

    def _accept(self, node: int, order: Accept | RemoveLearner) -> bool:
        return self._host(node).order(order)

    def _clock(self, node: int, rate: float) -> None:
        self._tell("fault", f"clock of node {node}: rate {rate}")
        self._host(node).set_clock(rate)

    def _ambush(self, moment: str, delay: float, down: float) -> None:
        self._tell("fault", f"ambush: {moment}, {delay} s after, for {down} s")
        self.simulation.ambushes.setdefault(moment, []).append((delay, down))

    def mend(self) -> None:
        """Repair everything: links, disks and clocks; resume and restart everyone; no ambush waits any more."""
        self.simulation.ambushes.clear()
        super().mend()

    def _mend_machine(self, node: int) -> None:
        host = self._host(node)
        if host.leaving:
            host.end("crash", "it was on its way out")
        if host.disk.health != "ok":
            self._disk(node, "ok")
        if host.rate != 1.0:
            self._clock(node, 1.0)

    # --- time ---------------------------------------------------------------------------

    def _run(self, seconds: float) -> None:
        self.simulation.run(self.now + seconds)

    def _advance(self, end: float) -> bool:
        return self.simulation.advance(end)

    def step(self) -> list[Record]:
        """Run until something shows in the trace; return these records, [] if nothing does for an hour."""
        before = len(self.trace)
        self.simulation.run_until_recorded(self.now + 3600.0)
        return self.trace.news(before)[0]

    def _at(self, time: float, verb: str, args: tuple[Any, ...], lenient: bool) -> None:
        self.simulation.push(time, self._do_scheduled, (verb, args), lenient)

    def _do_scheduled(self, what: tuple[str, tuple[Any, ...]], lenient: bool) -> None:
        self._scheduled += 1
        apply(self, *what, lenient=lenient)

    def _play_at(self, time: float, fault: Fault, lenient: bool) -> None:
        self.at(time, fault.verb, *fault.args, lenient=lenient)

    # --- what is kept of it -------------------------------------------------------------

    def _did(self, verb: str, *args: Any, begun: float | None = None) -> None:
        super()._did(verb, *args, begun=begun)
        self._keep(verb, *args)

    def _keep(self, verb: str, *args: Any) -> None:
        """Keep what was done where it belongs among the events; scheduled verbs do not count as events."""
        self._steps.append((self.simulation.events - self._scheduled, Fault(self.now, verb, args)))

    def _as_run(self) -> Run:
        if self._unsaveable_because:
            raise UsageError(
                f"This world cannot be saved as a run, because {self._unsaveable_because} was used, which no file can "
                "keep; save its trace alone: world.trace.save(path)."
            )
        options = {
            "nodes": len(self.nodes),
            "quorum": self.config.quorum,
            "config": msgspec.to_builtins(self.config, str_keys=True),
            "network": msgspec.to_builtins(self.simulation.network.conditions),
            "disk": msgspec.to_builtins(self._disk_model),
            "clock_drift": self._clock_drift,
            "busiest": self.simulation.busiest,
            "turn": self.simulation.turn,
        }
        run = Run(self.trace, self.seed, self.script.plain(), options, self._parts, self._own_actor)
        run.client, run.clients = self._client, self._client_factories
        end = (self.simulation.events - self._scheduled, Fault(self.now, "end"))
        run.steps = [[events, step.time, step.verb, *step.args] for events, step in (*self._steps, end)]
        return run
