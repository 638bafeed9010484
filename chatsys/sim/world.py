"""World: a whole cluster in virtual time, from one seed.

All chance comes from the seed, so the same seed and the same verbs give the same history.

    Events  the heap and the time            \
    Verbs   what people can do to it          >  World: nodes, clients, links, and what one may ask
    Host    one node or client, per address  /

    world = World(seed=7); world.run(3); world.say("hello"); world.crash(world.leader); world.run(5)

Assumes   actors keep the contract of `actor.actor`; any actor will do, the chat node is one.
Promises  a byte-identical trace per seed, whatever PYTHONHASHSEED is; a node that raises stops alone.
Read also `events`, `verbs`, `host`, `network`, `disk`; `runtime.cluster` has the same verbs.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, cast

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.events import Say
from chatsys.config import ClusterConfig, Timing
from chatsys.errors import UsageError
from chatsys.faults import (
    Script,
    check_command,
    check_kind,
    check_made_of,
    check_numbers,
    check_saying,
    check_seed,
    config_of,
    refuse_verb,
)
from chatsys.protocol.messages import Submit
from chatsys.sim.disk import Disk, DiskModel
from chatsys.sim.hold import Gate, Wants
from chatsys.sim.host import Host
from chatsys.sim.interpreter import Factory
from chatsys.sim.network import Conditions, Network
from chatsys.sim.verbs import Verbs
from chatsys.trace import Trace, describe_run

IDLE = {"role": "", "term": 0, "leader": None, "last": 0, "commit": 0, "delivered": 0}


class World(Verbs):
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

        `nodes` is a number, or a whole `ClusterConfig` that has quorum and timing in it.  `parts`
        replaces parts of the chat node by name; `actor` replaces the node itself.  Clocks run at
        1 +- `clock_drift`.  More than `busiest` events in one second of virtual time raise `Runaway`.
        """
        check_seed(seed)
        check_made_of(parts, actor, client)
        check_numbers(clock_drift=clock_drift, busiest=busiest)
        check_kind("network", network, Conditions)
        check_kind("disk", disk, DiskModel)
        super().__init__(busiest)
        self.seed, self.client, self.clock_drift, self.model = seed, client, clock_drift, disk or DiskModel()
        self.config = config_of(nodes, quorum, timing)
        self.actor, self.parts = actor or _node(), parts
        self.trace = Trace(meta=describe_run(self))
        self.network = Network(Random(f"{seed}/network"), network or Conditions())
        self.links = Random(f"{seed}/links")
        self.failures: list[tuple[Address, str]] = []
        """Nodes that stopped themselves, and the sentence why."""
        self.done, self.steps = [], []
        self.brought: dict[str, Factory] = {}
        """What makes the clients that were added with a factory of their own."""
        self.past_saving = ""
        """What was done that no file can keep."""
        self.hosts = {}
        self.ambushes = {}
        self.gates: list[Gate] = []
        factory: Factory = partial(cast(Any, self.actor), parts=parts) if parts else self.actor
        for node in self.config.ids:
            self._add(node, factory, self.model, clock_drift)
        for node in self.config.ids:
            self.hosts[node].start()

    def _add(self, me: Address, factory: Factory, model: DiskModel, drift: float) -> Host:
        host = Host(self, me, factory, Disk(Random(f"{self.seed}/disk/{me}"), model))
        if drift:
            chance = Random(f"{self.seed}/clock/{me}")
            host.offset, host.rate = chance.uniform(0, 1000), chance.uniform(1 - drift, 1 + drift)
        self.hosts[me] = host
        return host

    def __repr__(self) -> str:
        return f"<World of {len(self.nodes)} nodes (seed {self.seed}), {self.now:.1f} s, leader {self.leader}>"

    if not TYPE_CHECKING:  # a type checker must still see what is not there

        def __getattr__(self, name: str) -> Any:
            raise refuse_verb(self, name)

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
        self.past_saving = "hold"
        gate = Gate(self, kind, sender, receiver, wants)
        self.gates.append(gate)
        return gate

    # --- people and nodes ---------------------------------------------------------------

    def say(self, text: str, node: int | None = None, room: str = "main", author: str = "ann") -> None:
        """Let the client `author` say `text`; with `node`, through a client that sticks to this node."""
        check_saying(text, room, author, self.config.limits)
        if node is not None:
            self.host(node)
        self._did("say", text, node, room, author)
        if self.client is None and Submit not in self.actor.messages:
            self.host(self.nodes[0] if node is None else node).command(Say(text, room, author))
            return
        name = author if node is None else f"{author}@{node}"
        self._client(name, None, node).command(Say(text, room, author))

    def add_client(self, name: str, factory: Factory | None = None, home: int | None = None) -> Host:
        """Return the client `name`; the first time it is made, with a link to every live node."""
        check_saying("hello", "main", name, self.config.limits)
        if name not in self.hosts:
            self._keep("client", name, home)
            if factory is not None:
                self.brought[name] = factory
        return self._client(name, factory, home)

    def _client(self, name: str, factory: Factory | None, home: int | None) -> Host:
        if name not in self.hosts:
            self._add(name, factory or self.client or _client(home), DiskModel(), 0.0).start()
        return self.hosts[name]

    def command(self, node: int, command: msgspec.Struct) -> None:
        """Hand any command to a node."""
        check_command(command)
        self.past_saving = "command"
        self._alive(node).command(command)

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

    # --- kept, and played again -----------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write everything that made this run, and its trace, to one file; `Run.load` opens it.

        What was done with verbs is kept; what is only scheduled is not.  Raises `UsageError` if
        `hold` or `command` was used, for no file can keep these.
        """
        from chatsys.sim.replay import as_run

        return as_run(self, None if _is_node(self.actor) else self.actor).save(path)

    @classmethod
    def again(cls, run: Any) -> "World":
        """Return the world of a saved run, played again up to the moment when it was saved.

        Warns if its history is another one: the code has changed, or something was done past the
        verbs.  Raises `UsageError` for a run that cannot be played again.
        """
        from chatsys.sim.replay import arguments, play_again

        world = cls(run.seed, **arguments(run))
        play_again(world, run)
        return world


def _node() -> type[Actor]:
    from chatsys.protocol.node import Node

    return Node


def _is_node(actor: type[Actor]) -> bool:
    return actor is _node()


def _client(home: int | None) -> Factory:
    from chatsys.protocol.client import Client

    return partial(Client, home=home, sticky=home is not None)
