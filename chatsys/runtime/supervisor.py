"""Supervisor: nodes, clients, links and the trace of one real cluster, all on its loop.

    Cluster (any thread) --submit--> Supervisor (the loop): KernelNode or ProcessNode (with its body), client hosts
                                       |
                                       `--records, in order of time--> Trace

Records of several processes come through several pipes; each is put in its place by its time.

Assumes   every coroutine here runs on the cluster's loop.
Read also `cluster` (the verbs people call), `kernel` and `process` (one node).
"""

import asyncio
import shutil
import time
from collections.abc import Callable
from typing import Any

import msgspec

from chatsys.actor.events import Accept, RemoveLearner, Say
from chatsys.errors import ChatsysError, ForeignLog, LogError, RefusedIdentity
from chatsys.faults import check_life
from chatsys.faults.testbed import IDLE
from chatsys.runtime.disk import cannot_use
from chatsys.runtime.host import Factory, Host
from chatsys.runtime.net.ports import Network
from chatsys.runtime.net.rules import RuleSet
from chatsys.runtime.nodes.body import Body, OwnProcess
from chatsys.runtime.nodes.kernel import KernelNode, NodePlan
from chatsys.runtime.nodes.process import ProcessNode
from chatsys.spill import EVENTS
from chatsys.surroundings import advice, reason
from chatsys.trace import Record, Trace

COPIES = "copies"
"""Where copies of folders are kept, beside the folders, until the cluster stops."""


def _home(where: str, network: Network, plan: NodePlan, node: int) -> Body:
    """Return what a node lives in, if not in this process."""
    if where == "containers":
        from chatsys.runtime.net.containers import Containers
        from chatsys.runtime.nodes.container import Container

        assert isinstance(network, Containers)
        return Container(network, plan, node)
    return OwnProcess(network, plan, node)


class Supervisor:
    """Everything of one cluster that lives on its loop."""

    def __init__(
        self, plan: NodePlan, where: str, client: Callable[[int | None], Factory], network: Network, keep: int = EVENTS
    ) -> None:
        self.plan, self.where, self.client, self.network = plan, where, client, network
        self.nodes: dict[int, KernelNode | ProcessNode] = {
            node: KernelNode(plan, node, self.take)
            if where == "kernel"
            else ProcessNode(plan, node, self.take, _home(where, network, plan, node))
            for node in plan.config.ids
        }
        self.clients: dict[str, Host] = {}
        self.rules = RuleSet()
        self.own_rules = RuleSet()
        """What nodes and clients must obey themselves, because the network cannot do it."""
        self.trace = Trace.live(keep)
        self._keep: Callable[[list[Record]], None] = self.trace.take
        self.delivered: dict[int, list[str]] = {node: [] for node in plan.config.ids}
        """What each node delivered in this life.  It grows as the log itself does, which each node keeps in memory."""
        self._opening: asyncio.Task[None] | None = None
        self.known: dict[int, dict[str, Any]] = {}
        """The last status of each node, for as long as it cannot answer."""

    @property
    def now(self) -> float:
        """Seconds since the cluster began."""
        return time.monotonic() - self.plan.origin

    # --- the trace --------------------------------------------------------------------------

    def take(self, records: list[Record]) -> None:
        """Take the records of one turn, which may be older than others already here."""
        self._keep(records)
        for record in records:
            if record.kind == "deliver" and isinstance(record.node, int):
                self.delivered[record.node].append(self._shared(record))
            elif record.kind == "start" and isinstance(record.node, int):
                self.delivered[record.node] = []

    def _shared(self, record: Record) -> str:
        """Return what a node delivered, as the very string that another node delivered: a text is kept once."""
        text, number = record.text or "", record.msg_no or 0
        for told in self.delivered.values():
            if 0 < number <= len(told) and told[number - 1] == text:
                return told[number - 1]
        return text

    def tell(self, kind: str, node: int | None = None, reason: str | None = None) -> None:
        """Write what the world itself did."""
        self.take([Record(self.now, kind, node, self.nodes[node].lives if node else 0, reason=reason)])

    def lost(self, sentence: str) -> None:
        """Keep an exception that nobody awaited."""
        self.tell("anomaly", reason=f"in the cluster's loop: {sentence}")

    # --- lives ------------------------------------------------------------------------------

    async def open(self) -> None:
        """Start all nodes at once; if one cannot start, none is left behind."""
        self._opening = asyncio.current_task()
        begun = [self._begin(node) for node in self.nodes]
        results = await asyncio.gather(*begun, return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            await self.close()
            raise failures[0]

    async def close(self) -> None:
        """Stop clients and nodes in good order; what is still beginning, after Ctrl-C, does not go on beginning."""
        opening = self._opening
        if opening is not None and opening is not asyncio.current_task():
            opening.cancel()
            await asyncio.wait({opening})
        await asyncio.gather(*(host.stop() for host in self.clients.values()), return_exceptions=True)
        await asyncio.gather(*(node.stop() for node in self.nodes.values()), return_exceptions=True)
        shutil.rmtree(self.plan.folder / COPIES, ignore_errors=True)

    async def crash(self, node: int) -> None:
        """End a node's life at once."""
        one = self._fit(node, "crash")
        await one.crash()
        self.tell("crash", node)

    async def shutdown(self, node: int) -> None:
        """Let a node leave politely, and wait until it has."""
        one = self._fit(node, "shutdown")
        if one.paused:
            await self.resume(node)
        await one.shutdown()

    async def restart(self, node: int) -> None:
        """Begin a new life."""
        self._fit(node, "restart")
        self.tell("restart", node)
        try:
            await self._begin(node)
        except (ForeignLog, RefusedIdentity) as error:  # as in a simulated world: this life does not begin
            self.nodes[node].failure = str(error)
            self.tell("refused", node, str(error))

    async def _begin(self, node: int) -> None:
        """Begin a life; what the system refuses (a folder, a process, a descriptor) is told as that."""
        try:
            await self.nodes[node].start(self.own_rules)
        except OSError as error:
            if str(error.filename or "").startswith(str(self.plan.folder)):
                raise LogError(cannot_use(self.plan.data(node), error)) from None
            at = f": {error.filename}" if error.filename else ""
            raise ChatsysError(f"Node {node} cannot start ({reason(error)}{at}); {advice(error)}.") from None

    async def pause(self, node: int) -> None:
        """Stop a node from handling anything."""
        one = self._fit(node, "pause")
        await self.status()
        await one.pause()
        self.tell("pause", node)

    async def resume(self, node: int) -> None:
        """Let a paused node go on."""
        one = self._fit(node, "resume")
        self.tell("resume", node)
        await one.resume()

    def _fit(self, node: int, verb: str) -> KernelNode | ProcessNode:
        """Return the node, if `verb` fits the state that it has now: other threads may have their verbs too."""
        one = self.nodes[node]
        check_life(verb, node, one.alive, one.paused)
        return one

    # --- folders ----------------------------------------------------------------------------

    async def wipe(self, node: int) -> None:
        """Remove everything in the data folder of a node, which may run."""
        self.tell("wipe", node, "its folder is emptied")
        await self._in_files(self.nodes[node].folder.empty)

    async def copy(self, node: int) -> None:
        """Keep a copy of the data folder of a node as it is now; the node may run."""
        self.tell("copy", node, "a copy of its folder is kept")
        copy = self.plan.folder / COPIES / f"node{node}"
        await self._in_files(shutil.rmtree, copy, True)
        await self._in_files(self.nodes[node].folder.copy_to, copy)

    async def restore(self, node: int, of: int) -> None:
        """Put the copy of the folder of node `of` in the place of the folder of `node`, which may run."""
        whose = "its folder" if of == node else f"the folder of node {of}"
        self.tell("restored", node, f"the copy of {whose} lies in the place of its folder")
        folder = self.nodes[node].folder
        await self._in_files(folder.empty)
        await self._in_files(folder.fill_from, self.plan.folder / COPIES / f"node{of}")

    async def _in_files(self, work: Callable[..., None], *args: Any) -> None:
        try:
            await asyncio.to_thread(work, *args)
        except OSError as error:
            where = error.filename or " and ".join(map(str, args)) or self.plan.folder
            raise ChatsysError(f"{where} cannot be used: {reason(error)}; {advice(error)}.") from None

    async def order(self, node: int, order: Accept | RemoveLearner) -> bool:
        """Give a node an order, by a file in its folder if it is down; tell whether it runs."""
        one = self.nodes[node]
        if one.alive:
            one.command(order)
        elif isinstance(order, Accept):
            await self._in_files(one.folder.leave, order.node)
        return one.alive

    # --- links ------------------------------------------------------------------------------

    async def lay(self, rules: RuleSet, kind: str, reason: str) -> None:
        """Let these rules hold everywhere from now on."""
        self.rules = rules
        self.tell(kind, reason=reason)
        self.own_rules = self.network.lay(rules)
        for node in self.nodes.values():
            if node.alive:
                node.apply_rules(self.own_rules)
        for client in self.clients.values():
            client.apply_rules(self.own_rules)

    # --- people -----------------------------------------------------------------------------

    async def say(self, name: str, home: int | None, said: Say) -> None:
        """Let a client say something; the first time it is made."""
        host = self.clients.get(name)
        if host is None or not host.alive:
            factory = self.client(home)
            host = Host(name, self.plan.config, factory, self.take, origin=self.plan.origin, rules=self.own_rules)
            self.clients[name] = host
            await host.start()
        host.command(said)

    async def command(self, node: int, command: msgspec.Struct) -> None:
        """Give a node's actor an order."""
        self._fit(node, "take a command").command(command)

    async def status(self) -> dict[int, dict[str, Any]]:
        """Ask every node how it is; a paused one is described as it was."""
        answers = await asyncio.gather(*(node.status() for node in self.nodes.values()), return_exceptions=True)
        return {node: self.seen(node, answer) for node, answer in zip(self.nodes, answers, strict=True)}

    def seen(self, node: int, answer: Any) -> dict[str, Any]:
        """Return how a node is, by what it answered (nothing: by what it said last)."""
        one = self.nodes[node]
        state: dict[str, Any] = {"alive": one.alive, "paused": one.paused, **IDLE}
        if not one.alive:
            self.known.pop(node, None)
            return state | ({"failure": one.failure} if one.failure else {})
        if isinstance(answer, dict) and answer:
            self.known[node] = answer
        return state | self.known.get(node, {})
