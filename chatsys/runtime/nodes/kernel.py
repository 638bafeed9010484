"""A node in this process: a `Host` on the cluster's loop, with the same TCP, files and outbox as anywhere.

A crash is abrupt: connections are reset, tasks dropped, nothing said; what the disk thread had
not written yet is lost.  A pause stops everything the node does, and what it would read waits.

Read also `process`, the same node in a process of its own; `cluster`, which drives both.
"""

import asyncio
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from chatsys.config import ClusterConfig, split_address
from chatsys.errors import ChatsysError
from chatsys.runtime.disk import Disk
from chatsys.runtime.host import Factory, Host
from chatsys.runtime.net.ports import cannot_listen
from chatsys.runtime.net.rules import RuleSet
from chatsys.runtime.nodes.folder import HostFolder
from chatsys.runtime.recorder import Sink
from chatsys.runtime.unguessable import Unguessable


class NodePlan(msgspec.Struct, frozen=True):
    """What all nodes of one cluster have in common, wherever they run."""

    config: ClusterConfig
    actor: Any
    parts: dict[str, type] | None
    folder: Path
    origin: float
    seed: int | None
    keeps: bool = False
    """Whether people named the folder, and want to find the nodes' own folders in it."""

    def data(self, node: int) -> Path:
        """Return the folder of one node."""
        return self.folder / f"node{node}"

    def factory(self) -> Factory:
        """Return what makes an actor; `parts` are passed only where some were given."""
        return partial(self.actor, parts=self.parts) if self.parts else self.actor

    def seed_of(self, node: int, life: int) -> int | None:
        """Return the seed of one life's random choices, or None for a new one every time."""
        return None if self.seed is None else hash((self.seed, node, life))

    def random(self, node: int, life: int) -> Random:
        """Return where one life draws its random choices from; without a seed nobody can guess them."""
        seed = self.seed_of(node, life)
        return Unguessable() if seed is None else Random(seed)

    def owner(self, node: int) -> tuple[str, int]:
        """Return whose log it must be, for actors that say so in their log."""
        return self.config.cluster, node


class KernelNode:
    """One node over all its lives."""

    def __init__(self, plan: NodePlan, node: int, sink: Sink) -> None:
        self.plan, self.node, self.sink = plan, node, sink
        self.folder = HostFolder(plan.data(node))
        self.lives = 0
        self.paused = False
        self.host: Host | None = None
        self.failure: str | None = None
        """Why the last life ended by itself."""

    @property
    def alive(self) -> bool:
        """Whether a life goes on."""
        return self.host is not None and self.host.alive

    async def start(self, rules: RuleSet) -> None:
        """Begin a life.  Raises `ChatsysError` if the folder or the address cannot be used."""
        await self._let_go()
        self.lives += 1
        self.paused, self.failure = False, None
        plan = self.plan
        disk = await self._open_disk()
        try:
            self.host = Host(
                self.node, plan.config, plan.factory(), self.sink, disk=disk, origin=plan.origin,
                life=self.lives, random=plan.random(self.node, self.lives), rules=rules,
            )  # fmt: skip
            await self.host.start(split_address(plan.config.members[self.node]))
        except BaseException as error:
            if self.host is not None and self.host.alive:
                self.host.crash()
            await asyncio.to_thread(disk.gone)
            if isinstance(error, OSError):
                raise ChatsysError(cannot_listen(plan.config.members[self.node], error)) from None
            raise
        self.host.ended.add_done_callback(self._ended)

    async def _open_disk(self) -> Disk:
        """Open the folder in a thread; one that nobody wants any more, after Ctrl-C, is let go of."""
        plan = self.plan
        opening = asyncio.create_task(asyncio.to_thread(
            Disk, plan.data(self.node), plan.actor.records, owner=plan.owner(self.node), owner_of=plan.actor.owner
        ))  # fmt: skip
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            await asyncio.wait({opening})
            if opening.exception() is None:
                await asyncio.to_thread(opening.result().gone)
            raise

    def _ended(self, ended: "asyncio.Future[str]") -> None:
        self.failure = None if ended.cancelled() else ended.result()

    async def _let_go(self) -> None:
        """Wait until the former life has let go of the folder."""
        if self.host is not None and self.host.disk is not None:
            await asyncio.to_thread(self.host.disk.gone)
        self.host = None

    async def crash(self) -> None:
        """End this life at once."""
        if self.host is not None:
            self.host.crash()

    def end(self) -> None:
        """Nothing outlives the loop here."""

    async def shutdown(self) -> None:
        """End this life in peace, after it has handed over what it leads."""
        if self.host is not None:
            await self.host.stand_down()
        await self.stop()

    async def stop(self) -> None:
        """End this life in peace."""
        if self.host is not None:
            await self.host.stop()
        await self._let_go()

    async def pause(self) -> None:
        """Handle nothing until `resume`."""
        if self.host is not None:
            self.host.pause()
            self.paused = True

    async def resume(self) -> None:
        """Go on after `pause`."""
        if self.host is not None:
            self.host.resume()
            self.paused = False

    async def status(self) -> dict[str, Any]:
        """Return what people want to know of the actor; {} if it does not live."""
        return self.host.status() if self.host is not None and self.host.alive else {}

    def apply_rules(self, rules: RuleSet) -> None:
        """Apply these link rules."""
        if self.host is not None:
            self.host.apply_rules(rules)

    def command(self, command: msgspec.Struct) -> None:
        """Give the actor an order."""
        if self.host is not None:
            self.host.command(command)
