"""Cluster: a whole cluster in real time, in this kernel or in processes of its own.

    with Cluster(where="processes") as cluster:
        cluster.until(lambda: cluster.leader)
        cluster.say("hello")
        cluster.crash(cluster.leader)
        cluster.run(2)

It lives on an event loop on a thread of its own, so a cell that sleeps stops no heartbeat.  Verbs
may be called from any thread but that one; each returns when it is done.

    verbs --> loop thread: Supervisor --> nodes, clients --> trace

Assumes   one machine; nodes listen on 127.0.0.1 only, or in namespaces that were made for them.
Promises  nothing is left behind: no process, no thread, no port, no folder it made, even when it
          is forgotten or the interpreter ends.
Read also `supervisor` (what happens on the loop), `sim.world` (the same verbs in virtual time).
"""

import asyncio
import time
import weakref
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.events import Say
from chatsys.config import ClusterConfig, Timing
from chatsys.errors import UsageError
from chatsys.faults import (
    Fault,
    Script,
    check_made_of,
    check_path,
    check_saying,
    check_seconds,
    check_seed,
    condition,
    config_of,
    warn_expired,
)
from chatsys.protocol.messages import Submit
from chatsys.runtime.disk import made_folder
from chatsys.runtime.host import Factory
from chatsys.runtime.loop import LoopThread
from chatsys.runtime.net.ports import Network, check_here, network
from chatsys.runtime.nodes.kernel import Plan
from chatsys.runtime.supervisor import Supervisor
from chatsys.runtime.verbs import LinkVerbs
from chatsys.surroundings import remove, temporary
from chatsys.trace import Trace, describe_run

T = TypeVar("T")
START_LIMIT = 40.0


class Cluster(LinkVerbs):
    """Nodes 1..n with real sockets, files and clocks, and their clients; `now` is in seconds."""

    def __init__(
        self,
        nodes: int | ClusterConfig = 3,
        where: Literal["kernel", "processes", "namespaces"] = "kernel",
        quorum: Any = "majority",
        *,
        parts: Mapping[str, type] | None = None,
        actor: type[Actor] | None = None,
        client: Factory | None = None,
        timing: Timing | str = "course",
        data: str | Path | None = None,
        seed: int | None = None,
    ) -> None:
        """Start all nodes; when this returns, each of them listens.

        `nodes` is a number or a `ClusterConfig`, whose addresses are replaced by those of its network.
        `parts` replaces parts of the chat node by name, `actor` the node itself.  `data` keeps the
        logs (by default a temporary folder, removed by `stop`).  `seed` fixes the nodes' random
        choices, but not what real time does.  Raises `ConfigError`, `LogError`, `ChatsysError`.
        """
        check_seed(0 if seed is None else seed)
        check_made_of(parts, actor, client)
        base = config_of(nodes, quorum, timing)
        check_here(where)
        check_path("data", data)
        self.where, self.actor, self.parts, self.seed = where, actor or _node(), dict(parts or {}) or None, seed
        self.chat = client is not None or Submit in self.actor.messages
        given = None if data is None else made_folder(data)
        net = network(where, base.ids)
        with ExitStack() as undo:  # nothing stays behind where a cluster cannot be made
            undo.callback(net.free)
            made = temporary() if given is None else None
            undo.callback(remove, made)
            self.config = msgspec.structs.replace(base, members=net.members)
            plan = Plan(self.config, self.actor, self.parts, given or made or Path(), time.monotonic(), seed)
            self.supervisor = Supervisor(plan, where, partial(_client, client), net)
            """What lives on the loop; only for work that is handed to `submit`."""
            self.supervisor.trace.meta.update(describe_run(self))
            self.done: list[Fault] = []
            """Every verb used so far: `Script(cluster.done)` plays them again."""
            self._loop = LoopThread(f"chatsys cluster ({where})", self.supervisor.lost)
            self._finish = weakref.finalize(self, _finish, self._loop, self.supervisor, net, made)
            undo.pop_all()
        try:
            self._loop.call(self.supervisor.open(), START_LIMIT)
        except BaseException:
            self._finish()
            raise

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

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

    def run(self, seconds: float) -> None:
        """Wait `seconds`; the cluster goes on meanwhile."""
        check_seconds("run", seconds)
        time.sleep(seconds)

    def until(self, predicate: Callable[..., Any], limit: float = 60.0, quiet: bool = False) -> bool:
        """Wait until `predicate()` or `predicate(cluster)` holds, at most `limit` seconds; False, and a warning, if not."""
        check_seconds("until", limit)
        holds = condition(predicate, self)
        end = self.now + limit
        while not holds():
            if self.now >= end:
                if not quiet:
                    warn_expired(self, predicate, limit)
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

    def _do(self, work: Coroutine[Any, Any, T], verb: str = "", *args: Any) -> T:
        result = self._loop.call(work)
        if verb:
            self.done.append(Fault(self.now, verb, args))
        return result

    # --- verbs: lives -------------------------------------------------------------------------

    def crash(self, node: int) -> None:
        """End a node's life at once: SIGKILL for a process, reset sockets in the kernel."""
        self._do(self.supervisor.crash(self._member(node)), "crash", node)

    def restart(self, node: int) -> None:
        """Begin a new life of a node that is not running; returns when it listens."""
        self._do(self.supervisor.restart(self._member(node)), "restart", node)

    def pause(self, node: int) -> None:
        """Let a node handle nothing until `resume`: SIGSTOP for a process."""
        self._do(self.supervisor.pause(self._member(node)), "pause", node)

    def resume(self, node: int) -> None:
        """Let a paused node go on."""
        self._do(self.supervisor.resume(self._member(node)), "resume", node)

    def join(self, node: int) -> None:
        """Say why a node cannot join: membership is static."""
        raise UsageError(self._static(node))

    def leave(self, node: int) -> None:
        """Say why a node cannot leave: membership is static."""
        raise UsageError(self._static(node))

    def _static(self, node: int) -> str:
        voters = ", ".join(map(str, self.nodes))
        state = "is a member" if node in self.nodes else "is not a member"
        return f"Node {node} {state}; voters are fixed in the config ({voters}). Make a new Cluster with other nodes."

    # --- people -------------------------------------------------------------------------------

    def say(self, text: str, node: int | None = None, room: str = "main", author: str = "ann") -> None:
        """Let the client `author` say `text`; with `node`, through a client that sticks to this node."""
        check_saying(text, room, author, self.config.limits)
        if node is not None:
            self._member(node)
        said = Say(text, room, author)
        if not self.chat:
            work = self.supervisor.command(self.nodes[0] if node is None else node, said)
        else:
            work = self.supervisor.say(author if node is None else f"{author}@{node}", node, said)
        self._do(work, "say", text, node, room, author)

    def command(self, node: int, command: msgspec.Struct) -> None:
        """Give a node's actor any command."""
        self._do(self.supervisor.command(self._member(node), command))

    def _member(self, node: Any) -> int:
        if isinstance(node, bool) or not isinstance(node, int) or node not in self.nodes:
            raise UsageError(f"Node {node!r} is not a member; the nodes are {', '.join(map(str, self.nodes))}.")
        return node

    # --- what people ask ----------------------------------------------------------------------

    @property
    def nodes(self) -> tuple[int, ...]:
        """The ids of all members, ascending."""
        return self.config.ids

    @property
    def trace(self) -> Trace:
        """The history so far; it grows while you look."""
        return self.supervisor.trace

    @property
    def script(self) -> Script:
        """Every verb used so far, as a script."""
        return Script(self.done)

    @property
    def failures(self) -> list[tuple[Address, str]]:
        """Nodes that stopped themselves, and the sentence why."""
        return [(record.node or 0, record.reason or "") for record in self.trace.of("broken")]

    @property
    def pids(self) -> dict[int, int | None]:
        """The process id of each node; None where it has no process of its own."""
        return {node: getattr(one, "pid", None) for node, one in self.supervisor.nodes.items()}

    def status(self) -> dict[int, dict[str, Any]]:
        """Return for each node whether it is alive and paused, its role, term, leader and positions."""
        if not self._finish.alive:
            return {node: self.supervisor._seen(node, {}) for node in self.nodes}
        return self._do(self.supervisor.status())

    @property
    def leader(self) -> int | None:
        """The live node that leads and is ready, in the highest term; None if there is none."""
        leading = [
            (state["term"], node)
            for node, state in self.status().items()
            if state["alive"] and not state["paused"] and state["role"] == "leader" and state.get("ready", True)
        ]
        return max(leading)[1] if leading else None

    def delivered(self, node: int) -> list[str]:
        """Return the texts that `node` delivered in this life, in order."""
        return list(self.supervisor.delivered[self._member(node)])

    def save(self, path: str | Path) -> Path:
        """Write classes, verbs and trace to one file; `Run.load` opens it."""
        from chatsys.run import Run

        options = {"nodes": len(self.nodes), "quorum": self.config.quorum, "where": self.where}
        own = None if self.actor is _node() else self.actor
        return Run(self.trace, self.seed, self.script.plain(), options, self.parts, own).save(path)


def _finish(loop: LoopThread, stage: Supervisor, net: Network, made: Path | None) -> None:
    """Stop everything; knows the parts of a cluster only, so that a forgotten cluster can be ended."""
    try:
        loop.call(stage.close(), 15.0)
    finally:
        for node in stage.nodes.values():
            node.end()
        loop.stop()
        net.free()
        remove(made)


async def _in_thread(work: Callable[..., T], args: tuple[Any, ...]) -> T:
    return await asyncio.to_thread(work, *args)


def _node() -> type[Actor]:
    from chatsys.protocol.node import Node

    return Node


def _client(factory: Factory | None, home: int | None) -> Factory:
    from chatsys.protocol.client import Client

    return factory or partial(Client, home=home, sticky=home is not None)
