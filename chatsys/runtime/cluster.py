"""Cluster: a whole cluster in real time, in this kernel, in processes or in containers.

    with Cluster(where="processes") as cluster:
        cluster.until(lambda: cluster.leader)
        cluster.say("hello")
        cluster.crash(cluster.leader)
        cluster.run(2)

It lives on an event loop on a thread of its own, so a cell that sleeps stops no heartbeat.  Verbs
may be called from any thread but that one; each returns when it is done.

    verbs --> loop thread: Supervisor --> nodes, clients --> trace

Assumes   one machine; nodes listen on 127.0.0.1 only, or in namespaces or a network that were made for them.
Promises  nothing is left behind: no process, no container, no thread, no port, no folder it made, even when it
          is forgotten or the interpreter ends.
Read also `faults.testbed` (the verbs), `supervisor` (what happens on the loop), `sim.world` (virtual time).
"""

import asyncio
import time
import weakref
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.events import Accept, RemoveLearner, Say
from chatsys.config import ClusterConfig, Timing
from chatsys.faults import Testbed, check_made_of, check_path, check_seed, config_of
from chatsys.faults.testbed import Direction, client_factory
from chatsys.run import Run
from chatsys.runtime.disk import made_folder
from chatsys.runtime.host import Factory
from chatsys.runtime.loop import LoopThread
from chatsys.runtime.net.ports import Network, check_here, network
from chatsys.runtime.net.rules import Lossy, Rule, Slow
from chatsys.runtime.nodes.kernel import NodePlan
from chatsys.runtime.supervisor import Supervisor
from chatsys.spill import EVENTS, check_keep
from chatsys.temporary import remove, temporary
from chatsys.trace import Trace

T = TypeVar("T")
Where = Literal["kernel", "processes", "namespaces", "containers"]
START_LIMIT = 60.0


class Cluster(Testbed):
    """Nodes 1..n with real sockets, files and clocks, and their clients; `now` is in seconds."""

    _elsewhere = {
        name: f"{name} exists in the simulated World only, where time stands still between two events."
        for name in ("hold", "add_client")
    }

    def __init__(
        self,
        nodes: int | ClusterConfig = 3,
        where: Where = "kernel",
        quorum: Any = "majority",
        *,
        parts: Mapping[str, type] | None = None,
        actor: type[Actor] | None = None,
        client: Factory | None = None,
        timing: Timing | str = "course",
        data: str | Path | None = None,
        seed: int | None = None,
        keep: int = EVENTS,
    ) -> None:
        """Start all nodes; when this returns, each of them listens.

        `nodes` is a number or a `ClusterConfig`, whose addresses are replaced by those of its network.
        `parts` replaces parts of the chat node by name, `actor` the node itself.  `data` keeps the
        logs (by default a temporary folder, removed by `stop`).  `seed` fixes the nodes' random
        choices, but not what real time does.  `keep` is how many of the newest events stay in memory (fewer
        where it is short); older ones go to a temporary file, which figures and checkers read too.  Raises `ConfigError`, `LogError`, `ChatsysError`.
        """
        check_seed(0 if seed is None else seed)
        check_made_of(parts, actor, client)
        base = config_of(nodes, quorum, timing)
        check_here(where)
        check_path("data", data)
        check_keep(keep)
        super().__init__(actor, parts, client)
        self.where, self.seed = where, seed
        given = None if data is None else made_folder(data)
        net = network(where, base.ids)
        with ExitStack() as undo:  # nothing stays behind where a cluster cannot be made
            undo.callback(net.free)
            made = temporary() if given is None else None
            undo.callback(remove, made)
            self.config = msgspec.structs.replace(base, members=net.members)
            plan = NodePlan(
                self.config,
                self._actor,
                self._parts,
                given or made or Path(),
                time.monotonic(),
                seed,
                keeps=given is not None,
            )
            self.supervisor = Supervisor(plan, where, partial(client_factory, client), net, keep)
            """What lives on the loop; only for work that is handed to `submit`."""
            self.trace.meta.update(self.describe())
            self._loop = LoopThread(f"chatsys cluster ({where})", self.supervisor.lost)
            self._finish = weakref.finalize(self, _finish, self._loop, self.supervisor, net, made)
            undo.pop_all()
        try:
            self._loop.call(self.supervisor.open(), START_LIMIT)
        except BaseException:
            self._finish()
            raise

    def __repr__(self) -> str:
        if not self._finish.alive:
            return f"<Cluster of {len(self.nodes)} nodes ({self.where}), stopped>"
        return f"<Cluster of {len(self.nodes)} nodes ({self.where}), {self.now:.1f} s, leader {self.leader}>"

    def stop(self) -> None:
        """Stop all nodes in good order and remove what was only temporary; again is harmless."""
        self._finish()

    # --- time and threads ---------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Seconds since the cluster began."""
        return self.supervisor.now

    def _run(self, seconds: float) -> None:
        time.sleep(seconds)

    def _advance(self, end: float) -> bool:
        if self.now >= end:
            return False
        time.sleep(0.01)
        return True

    def submit(self, work: "Coroutine[Any, Any, T] | Callable[..., T]", *args: Any) -> "Future[T]":
        """Start `work` and return its future at once: a coroutine on the loop, or a verb with its arguments.

        `cluster.submit(cluster.crash, 3)` never blocks; in a cell, `await asyncio.wrap_future(...)` it.
        """
        if callable(work):
            return self._loop.submit(_in_thread(work, args))
        return self._loop.submit(work)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.call(work)

    # --- talk, lives --------------------------------------------------------------------------

    def _say(self, name: str, node: int | None, said: Say) -> None:
        if self._has_clients:
            self._do(self.supervisor.say(name, node, said))
        else:
            self._command(self.nodes[0] if node is None else node, said)

    def _command(self, node: int, command: msgspec.Struct) -> None:
        self._do(self.supervisor.command(node, command))

    def _life(self, node: int) -> tuple[bool, bool]:
        one = self.supervisor.nodes[node]
        return one.alive, one.paused

    def _crash(self, node: int) -> None:
        self._do(self.supervisor.crash(node))

    def _shutdown(self, node: int) -> None:
        self._do(self.supervisor.shutdown(node))

    def _restart(self, node: int) -> None:
        self._do(self.supervisor.restart(node))

    def _pause(self, node: int) -> None:
        self._do(self.supervisor.pause(node))

    def _resume(self, node: int) -> None:
        self._do(self.supervisor.resume(node))

    # --- folders ------------------------------------------------------------------------------

    def _wipe(self, node: int) -> None:
        self._do(self.supervisor.wipe(node))

    def _copy(self, node: int) -> None:
        self._do(self.supervisor.copy(node))

    def _restore(self, node: int, of: int) -> None:
        self._do(self.supervisor.restore(node, of))

    def _accept(self, node: int, order: Accept | RemoveLearner) -> bool:
        return self._do(self.supervisor.order(node, order))

    # --- links: a value that every node and client obeys from now on ----------------------------

    def _cut(self, ways: Sequence[Direction], reason: str) -> None:
        rules = self.supervisor.rules
        for a, b in ways:
            rules = rules.with_cut(a, b)
        self._do(self.supervisor.lay(rules, "cut", reason))

    def _reconnect(self, ways: Sequence[Direction], reason: str) -> None:
        rules = self.supervisor.rules
        for a, b in ways:
            rules = rules.without_cut(a, b)
        self._do(self.supervisor.lay(rules, "reconnect", reason))

    def _heal(self, everything: bool) -> None:
        rules = self.supervisor.rules.healed(everything)
        self._do(self.supervisor.lay(rules, "heal", "everything" if everything else "all cuts"))

    def _lay(self, verb: str, ends: tuple[Address, Address], values: tuple[float, ...], reason: str) -> None:
        if verb not in ("slow", "lose"):
            raise self._refusal(verb)
        impairment = Slow(*values) if verb == "slow" else Lossy(*values)
        a, b = ends
        rules = self.supervisor.rules.with_rule(Rule(a, b, impairment)).with_rule(Rule(b, a, impairment))
        self._do(self.supervisor.lay(rules, verb, reason))

    def _clients(self) -> Iterable[str]:
        return list(self.supervisor.clients)

    # --- what people ask ----------------------------------------------------------------------

    @property
    def trace(self) -> Trace:
        """The history so far; it grows while you look."""
        return self.supervisor.trace

    @property
    def failures(self) -> list[tuple[Address, str]]:
        """Nodes that stopped themselves, and the sentence why."""
        return [(record.node or 0, record.reason or "") for record in self.trace.of("broken", "refused")]

    @property
    def pids(self) -> dict[int, int | None]:
        """The process id of each node; None where it has no process of its own."""
        return {node: getattr(one, "pid", None) for node, one in self.supervisor.nodes.items()}

    def status(self) -> dict[int, dict[str, Any]]:
        """Return for each node whether it is alive and paused, its role, term, leader and positions."""
        if not self._finish.alive:
            return {node: self.supervisor.seen(node, {}) for node in self.nodes}
        return self._do(self.supervisor.status())

    def _leaders(self) -> Iterator[tuple[int, int]]:
        for node, state in self.status().items():
            if state["alive"] and not state["paused"] and state["role"] == "leader" and state.get("ready", True):
                yield state["term"], node

    def _delivered(self, node: int) -> list[str]:
        return list(self.supervisor.delivered[node])

    def _as_run(self) -> Run:
        options = {"nodes": len(self.nodes), "quorum": self.config.quorum, "where": self.where}
        return Run(self.trace, self.seed, self.script.plain(), options, self._parts, self._own_actor)


def _finish(loop: LoopThread, stage: Supervisor, net: Network, made: Path | None) -> None:
    """Stop everything; knows the parts of a cluster only, so that a forgotten cluster can be ended."""
    with ExitStack() as last:  # from the bottom up, each of them whatever the others raise, Ctrl-C too
        last.callback(remove, made)
        last.callback(net.free)
        last.callback(loop.stop)
        for node in stage.nodes.values():
            last.callback(node.end)
        loop.call(stage.close(), 15.0)


async def _in_thread(work: Callable[..., T], args: tuple[Any, ...]) -> T:
    return await asyncio.to_thread(work, *args)
