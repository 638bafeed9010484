"""Peer: the way to one member, kept up: dials, dials again, and says when the member is gone.

    dial --hello, hello--> up: LinkUp(incarnation)
      ^                      |
      |                      v EOF or reset
      `--- back-off <--- dial again at once --refused--> LinkDown

While a rule cuts the link nothing is dialled and no loss is noticed: a partition shows no one that
a process is gone.  An attempt that is not answered says nothing either: the member may be paused.

Promises  what waits for a link is bounded; no two ends spin; LinkUp and LinkDown alternate; what this
          machine lacks to dial (descriptors, threads) is told, and tried again.
Read also `transport` (who has the peers), `links` (one connection).
"""

import asyncio
import socket
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from chatsys.actor.actor import Address
from chatsys.actor.events import LinkDown, LinkUp
from chatsys.config import split_address
from chatsys.runtime.net.links import Inbound, LinkOwner, Outbound
from chatsys.runtime.net.listener import SHORT, reason
from chatsys.runtime.net.rules import RuleBook
from chatsys.runtime.net.strangers import Seldom

BACK_OFF_MIN, BACK_OFF_MAX = 0.05, 2.0
EAGER_TIME, EAGER_MAX = 5.0, 0.1
"""In the first seconds of a life the back-off stays short: the other processes are starting too."""
SHORT_LIFE = 1.0
"""A link that ended sooner than this counts as a failed attempt, so that no two ends spin."""
WAITING_FRAMES = 256
"""So many frames wait for a link that is being made."""


class OutgoingFrame(NamedTuple):
    """A line for the wire and what the trace says if it vanishes."""

    data: bytes
    to: Address
    message: str
    id: str


class PeerOwner(LinkOwner, Protocol):
    """What a peer asks of its owner beside that: the rules, who has dialled us, and what became of a frame."""

    rules: RuleBook
    short: Seldom
    born: float

    @property
    def inbound(self) -> Mapping[int, Inbound]:
        """The links that members made to us."""

    def learnt(self, node: int, incarnation: int) -> None:
        """The process that listens at a member's own address is in this life."""

    def drop(self, frame: OutgoingFrame, reason: str) -> None:
        """Count and tell that `frame` vanished."""

    def flush(self) -> None:
        """Write every batch, one write per link."""


class Peer:
    """Our way to the member `node`: dials when it must, and says when the member is gone."""

    def __init__(self, owner: PeerOwner, node: int) -> None:
        self.owner = owner
        self.node = node
        self.link: Outbound | None = None
        self.told: int | None = None
        """The incarnation of which LinkUp was told, None while it is down."""
        self.dialling = False
        self.waiting: list[OutgoingFrame] = []
        self._kicked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._nameless = False
        """Whether it was told that the member's name cannot be resolved."""

    def start(self) -> None:
        """Begin to dial."""
        self._task = self.owner.loop.create_task(self._keep(), name=f"{self.owner.me} dials {self.node}")
        self._task.add_done_callback(lambda task: task.cancelled() or task.result())  # a bug of ours is told

    def stop(self) -> None:
        """Dial no more."""
        if self._task is not None:
            self._task.cancel()

    def put(self, frame: OutgoingFrame) -> None:
        """Send `frame`, or keep it while the link is being made."""
        if self.link is not None and not self.link.closing:
            self.link.put(frame.data)
        elif len(self.waiting) < WAITING_FRAMES and (self.dialling or self.node in self.owner.inbound):
            self.waiting.append(frame)
        else:
            self.owner.drop(frame, "no link")

    def heard_of(self, incarnation: int) -> None:
        """The member dialled us, so it is up: dial now; if it is another life, dial anew to be sure."""
        if self.link is not None and self.told != incarnation:
            self.link.abort()
        self._kicked.set()

    async def _keep(self) -> None:
        failures = 0
        while True:
            while self.owner.paused or not self.owner.rules.is_open(self.owner.me, self.node):
                await asyncio.sleep(0.02)
            self.dialling = True
            link, refused = await self._dial()
            self.dialling = False
            if link is None:
                self._fell(refused)
                failures += 1
                await self._rest(failures)
                continue
            self._rose(link)
            began = self.owner.loop.time()
            await link.lost
            self.link = None
            failures = 0 if self.owner.loop.time() - began > SHORT_LIFE else failures + 1
            if failures > 1:
                await self._rest(failures)

    async def _dial(self) -> tuple[Outbound | None, bool]:
        """Return (link, whether the member's process is surely gone)."""
        host, port = split_address(self.owner.config.members[self.node])
        link: Outbound | None = None
        try:
            async with asyncio.timeout(self.owner.greeting_time):
                _, link = await self.owner.loop.create_connection(lambda: Outbound(self.owner, self.node), host, port)
                if await link.answer is not None:
                    return link, False
        except (ConnectionRefusedError, ConnectionResetError):
            return None, True
        except (socket.gaierror, UnicodeError) as error:
            if not self._nameless:
                self._nameless = True
                why = getattr(error, "strerror", None) or "no machine can be called so"
                self.owner.receiver.dropped(self.node, f"the name {host} cannot be resolved ({why}); it is tried again")
        except OSError as error:  # unreachable, or no answer in time: it may be paused, or far away
            if error.errno in SHORT:
                self.owner.short.note(f"node {self.node} could not be dialled: {reason(error)}")
        except RuntimeError as error:  # no thread to look a name up
            self.owner.short.note(f"node {self.node} could not be dialled: {reason(error)}")
        if link is not None:
            link.abort()
        return None, False

    def _rose(self, link: Outbound) -> None:
        self._nameless = False
        hello = link.answer.result()
        assert hello is not None, "a link rises after its hello"
        self.link = link
        self.owner.learnt(self.node, hello.incarnation)
        if self.told != hello.incarnation:
            if self.told is not None:
                self.owner.receiver.linked(self.node, LinkDown())
            self.told = hello.incarnation
            self.owner.receiver.linked(self.node, LinkUp(hello.incarnation, hello.identity))
        waiting, self.waiting = self.waiting, []
        for frame in waiting:
            link.put(frame.data)
        self.owner.flush()

    def _fell(self, refused: bool) -> None:
        if refused and self.told is not None:  # SPECIFICATION R2.6
            self.told = None
            self.owner.receiver.linked(self.node, LinkDown())
        waiting, self.waiting = self.waiting, []
        for frame in waiting:
            self.owner.drop(frame, "no link")

    async def _rest(self, failures: int) -> None:
        """Wait before the next attempt, unless the member is heard of in the meantime."""
        young = self.owner.loop.time() - self.owner.born < EAGER_TIME
        longest = EAGER_MAX if young else BACK_OFF_MAX
        seconds = min(longest, BACK_OFF_MIN * 2 ** min(failures, 10)) * (0.5 + 0.5 * self.owner.rules.random.random())
        self._kicked.clear()
        try:
            await asyncio.wait_for(self._kicked.wait(), seconds)
        except TimeoutError:
            pass
