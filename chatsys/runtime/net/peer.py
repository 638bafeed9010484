"""Peer: the way to one member, kept up: dials, dials again, and says when the member is gone.

    dial --hello, answers--> greeted --confirmed--> up
      ^                        |  (both ends: see `claims`; then LinkUp)
      |                        v EOF or reset
      `--- back-off <--- dial again at once --refused--> LinkDown

While a rule cuts the link nothing is dialled and no loss is noticed: a partition shows no one that
a process is gone.  An attempt that is not answered says nothing either: the member may be paused.
What somebody else says in the member's name ends no link; it only makes us ask the address once more.

Promises  what waits for a link is bounded; no two ends spin; LinkUp and LinkDown alternate; what this
          machine lacks to dial (descriptors, threads) is told, and tried again.
Read also `claims` (why a link must be confirmed), `names` (where a member is), `transport` (who has the peers), `links` (one connection).
"""

import asyncio
import socket
from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple, Protocol

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.events import Identity, LinkDown, LinkUp
from chatsys.config import split_address
from chatsys.runtime.net.links import Inbound, LinkOwner, Outbound
from chatsys.runtime.net.listener import SHORT, reason
from chatsys.runtime.net.names import Ways, look_up
from chatsys.runtime.net.rules import RuleBook
from chatsys.runtime.net.strangers import Seldom
from chatsys.runtime.net.wire import ChallengeAnswer, Hello, line

BACK_OFF_MIN, BACK_OFF_MAX = 0.05, 2.0
EAGER_TIME, EAGER_MAX = 5.0, 0.1
"""In the first seconds of a life the back-off stays short: the other processes are starting too."""
SHORT_LIFE = 1.0
"""A link that ended sooner than this counts as a failed attempt, so that no two ends spin."""
WAITING_FRAMES = 256
"""So many frames wait for a link that is being made."""
VERDICT_TIME = 1.5
"""So many greeting times a link that was answered may wait to be confirmed: the other end says why not within one."""
LOOK_AGAIN = 1.0  # SPECIFICATION R2.12
"""Seconds between two looks at an address because somebody claims another life."""


class OutgoingFrame(NamedTuple):
    """A line for the wire, and what the trace needs to know if it vanishes."""

    data: bytes
    to: Address
    number: int
    """The how manyth frame of this life it is."""
    message: msgspec.Struct


class PeerOwner(LinkOwner, Protocol):
    """What a peer asks of its owner beside that: the rules, who has dialled us, and what became of a frame."""

    rules: RuleBook
    short: Seldom
    born: float
    seen: dict[int, int]
    """The life of each member, as its address says."""

    @property
    def inbound(self) -> Mapping[int, Inbound]:
        """The confirmed links that members made to us."""

    def now(self) -> int:
        """Return a moment: whatever begins later gets a higher one."""

    def is_doubtful(self, node: int, hello: Hello) -> bool:
        """Tell whether somebody claims to be the member in another life than the one of `hello`."""

    def drop(self, frame: OutgoingFrame, reason: str) -> None:
        """Count and tell that `frame` vanished."""

    def flush(self) -> None:
        """Write every batch, one write per link."""

    def flush_soon(self) -> None:
        """Write every batch when what is at hand has been read."""


class Peer:
    """Our way to the member `node`: dials when it must, and says when the member is gone."""

    def __init__(self, owner: PeerOwner, node: int) -> None:
        self.owner = owner
        self.node = node
        self.out: Outbound | None = None
        """The connection to its address, open, but perhaps not confirmed: only answers travel on it before."""
        self.link: Outbound | None = None
        """The same once it is confirmed."""
        self.told: tuple[int, Identity] | None = None
        """The life of which LinkUp was told, None while it is down."""
        self.trouble: str | None = "it was not dialled yet"
        """Why its address cannot be reached, if it cannot."""
        self.dialling = False
        self.waiting: list[OutgoingFrame] = []
        self._kicked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._look: asyncio.Task[None] | None = None
        self._looked = -LOOK_AGAIN
        self._ways = Ways()
        self._nameless = False
        """Whether it was told that the member's name cannot be resolved."""

    def start(self) -> None:
        """Begin to dial."""
        self._task = self._do(self._keep(), f"{self.owner.me} dials {self.node}")

    def _do(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = self.owner.loop.create_task(work, name=name)
        task.add_done_callback(lambda task: task.cancelled() or task.result())  # a bug of ours is told
        return task

    def stop(self) -> None:
        """Dial no more."""
        for task in (self._task, self._look):
            if task is not None:
                task.cancel()

    def put(self, frame: OutgoingFrame) -> None:
        """Send `frame`, or keep it while the link is being made."""
        if self.link is not None and not self.link.closing:
            self.link.put(frame.data)
        elif len(self.waiting) < WAITING_FRAMES and (self.dialling or self.node in self.owner.inbound):
            self.waiting.append(frame)
        else:
            self.owner.drop(frame, "no link")

    def answer(self, challenge: str) -> None:
        """Repeat to the member's address what somebody said in its name; if no link is open, the next one does."""
        if self.out is not None and not self.out.closing:
            self.out.put(line(ChallengeAnswer(challenge)))
            self.owner.flush_soon()

    def heard_of(self, claim: Hello) -> None:
        """Somebody says that he is the member, so perhaps it is up: dial; if in another life, look again to be sure."""
        if self.out is None:
            self._kicked.set()
        elif self.out.hello is not None and self.out.hello.life != claim.life:
            self.look_again()

    def look_again(self) -> None:
        """Ask the member's address, on a connection of its own, which life it is in; at most once a second."""
        if self._look is None or self._look.done():
            self._look = self._do(self._look_at_address(), f"{self.owner.me} looks at {self.node}")

    async def _look_at_address(self) -> None:
        while self.out is not None and self.out.hello is not None and not self.owner.paused:
            await asyncio.sleep(max(0.0, self._looked + LOOK_AGAIN - self.owner.loop.time()))
            self._looked = self.owner.loop.time()
            probe, _ = await self._connect(probe=True)
            if probe is None:
                return
            probe.close()
            assert probe.hello is not None, "an answer came"
            if self.out is not None and self.out.hello is not None and self.out.hello.life != probe.hello.life:
                self.out.abort()  # the life that it was made to is over; `_keep` dials anew
            elif not self.owner.is_doubtful(self.node, probe.hello):
                return

    def met(self, hello: Hello) -> None:
        """The member's address confirmed that it is in this life: tell the actor, if it is news."""
        if self.told == hello.life:
            return
        if self.told is not None:
            self.owner.receiver.linked(self.node, LinkDown())
        self.told = hello.life
        self.owner.seen[self.node] = hello.incarnation
        self.owner.receiver.linked(self.node, LinkUp(hello.incarnation, hello.identity))

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
        """Return (a link that takes our frames, whether the member's process is surely gone)."""
        link, refused = await self._connect()
        if link is None:
            return None, refused
        if link.challenge:
            try:
                async with asyncio.timeout(VERDICT_TIME * self.owner.greeting_time):
                    confirmed = await link.verdict
            except TimeoutError:
                confirmed = False
            if not confirmed:
                link.abort()
                return None, False
        return link, False

    async def _connect(self, probe: bool = False) -> tuple[Outbound | None, bool]:
        """Return (a connection that was answered with a hello, whether the member's process is surely gone)."""
        host, port = split_address(self.owner.config.members[self.node])
        made: list[Outbound] = []
        asked = self.owner.now()

        def make() -> Outbound:
            made.append(Outbound(self.owner, self.node, asked, probe))
            return made[-1]

        trouble = "what listens there does not answer as this member does"
        try:
            places = await look_up(host, port)
            async with asyncio.timeout(self.owner.greeting_time):
                link = await self._ways.connect(places, make)
                if await link.answer is not None:
                    self._nameless, self.trouble = False, None
                    return link, False
        except (ConnectionRefusedError, ConnectionResetError) as error:
            self.trouble = reason(error)
            return None, True
        except (socket.gaierror, UnicodeError) as error:
            trouble = "its name cannot be resolved"
            if not self._nameless:
                self._nameless = True
                why = getattr(error, "strerror", None) or "no machine can be called so"
                self.owner.receiver.dropped(self.node, f"the name {host} cannot be resolved ({why}); it is tried again")
        except OSError as error:  # unreachable, or no answer in time: it may be paused, or far away
            trouble = "no answer" if isinstance(error, TimeoutError) else reason(error)
            if error.errno in SHORT:
                self.owner.short.note(f"node {self.node} could not be dialled: {reason(error)}")
        except RuntimeError as error:  # no thread to look a name up
            trouble = reason(error)
            self.owner.short.note(f"node {self.node} could not be dialled: {trouble}")
        self.trouble = trouble
        for link in made:
            link.abort()
        return None, False

    def _rose(self, link: Outbound) -> None:
        assert link.hello is not None, "a link rises after its hello"
        self.link = link
        self.met(link.hello)
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
        began = self.owner.loop.time()
        try:
            async with asyncio.timeout(seconds):
                await self._kicked.wait()
                await asyncio.sleep(began + min(seconds, BACK_OFF_MIN) - self.owner.loop.time())
        except TimeoutError:
            pass
        self._kicked.clear()
