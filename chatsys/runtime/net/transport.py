"""Transport: one node's (or client's) links, kept up; frames in and out, nothing lost silently.

Every node dials every other member for its own frames, and takes those of others on the links that
they made.  A client dials every member too, and is answered on the same link.

    Host --send--> rules --> Peer, or a client's link --one write per turn--> TCP
    Host <--took-- checks <-- Inbound, Outbound <--lines--------------------- TCP

Assumes   its owner (a `Host`) takes frames quickly and calls `flush` once per turn.
Promises  what waits for a link is bounded; each frame that vanishes is counted and traced.
Read also `peer` (the way to one member), `links` (one connection), `wire` (bytes), `rules` (cut, slow, lose), `sim.network`.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.events import NO_IDENTITY, LinkDown, LinkUp
from chatsys.actor.trace_columns import columns
from chatsys.config import ClusterConfig
from chatsys.errors import FrameError
from chatsys.runtime.net.links import GREETING_TIME, PARTING_TIME, FrameReceiver, Inbound, Link, Outbound
from chatsys.runtime.net.listener import Listener, bind
from chatsys.runtime.net.peer import OutgoingFrame, Peer
from chatsys.runtime.net.rules import RuleBook, RuleSet
from chatsys.runtime.net.strangers import Seldom, Strangers
from chatsys.runtime.net.wire import PROTOCOL, Codec, Hello

LATE_FRAMES = 20_000
"""So many frames may be on their way on slow links."""


class Transport:
    """All links of one life of `me`."""

    def __init__(
        self,
        me: Address,
        config: ClusterConfig,
        codec: Codec,
        receiver: FrameReceiver,
        rules: RuleBook,
        *,
        from_clients: tuple[type[msgspec.Struct], ...] | None = None,
    ) -> None:
        self.me = me
        self.config = config
        self.codec = codec
        self.receiver = receiver
        self.rules = rules
        self.from_clients = from_clients
        self.incarnation = 0
        self.identity = NO_IDENTITY
        self.loop = asyncio.get_running_loop()
        self.born = self.loop.time()
        self.paused = False
        self.ended = False
        self.counters: Counter[str] = Counter()
        self.links: set[Link] = set()
        self.touched: list[Link] = []
        self.inbound: dict[int, Inbound] = {}
        self.clients: dict[str, Inbound] = {}
        self.seen: dict[int, int] = {}
        """The newest incarnation known of each member."""
        self.peers = {node: Peer(self, node) for node in config.ids if node != me}
        self.unread_limit = 8 * config.limits.frame_bytes
        self.greeting_time = GREETING_TIME
        self.short = Seldom(self._tell)
        """Tells what this end lacks: descriptors, memory, threads."""
        self.strangers = Strangers(len(self.peers), self._tell)
        self._late = 0
        self._listener: Listener | None = None

    async def open(self, incarnation: int, listener: socket.socket | tuple[str, int] | None = None) -> None:
        """Begin: listen at `listener` (nodes), and dial the members.  Raises `OSError`."""
        self.incarnation = incarnation
        if listener is not None:
            sockets = [listener] if isinstance(listener, socket.socket) else await bind(*listener)
            self._listener = Listener(sockets, lambda: Inbound(self), self.short)
            self._listener.start()
        for peer in self.peers.values():
            peer.start()

    def abort(self) -> None:
        """End at once, as a crash does: every connection is reset, nothing is flushed."""
        self._end(Link.abort)

    def close(self) -> None:
        """End in peace: what was written still leaves."""
        self._end(Link.close)

    async def parted(self) -> None:
        """After `close`: wait until every link is gone; those whose other end lingers are ended."""
        for _ in range(100):
            if not self.links:
                return
            await asyncio.sleep(PARTING_TIME / 100)
        for link in list(self.links):
            link.abort()
        await asyncio.sleep(0)

    def _end(self, leave: Callable[[Link], None]) -> None:
        self.ended = True
        if self._listener is not None:
            self._listener.close()
        self.short.stop()
        self.strangers.turned_away.stop()
        for peer in self.peers.values():
            peer.stop()
        for link in list(self.links):
            leave(link)

    def pause(self) -> None:
        """Take nothing in until `resume`; connections stay as they are."""
        self.paused = True
        for link in list(self.links):
            link.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        self.paused = False
        for link in list(self.links):
            link.resume()

    def hold_clients(self, hold: bool) -> None:
        """Stop or go on reading from clients: back-pressure for those who flood."""
        for link in list(self.clients.values()):
            (link.pause if hold else link.resume)()

    def apply_rules(self, rules: RuleSet) -> None:
        """Apply these link rules from now on."""
        self.rules.set(rules)

    # --- out --------------------------------------------------------------------------------

    def send(self, to: Address, n: int, clock: int, message: msgspec.Struct) -> None:
        """Put one frame into this turn's batch for `to`."""
        id = f"{self.me}.{self.incarnation}.{n}"
        frame = OutgoingFrame(self.codec.write(n, clock, message), to, columns(message)[0], id)
        if self.rules.active:
            fate = self.rules.fate(self.me, to)
            if isinstance(fate, str):
                return self.drop(frame, fate)
            if fate > 0:
                return self._delay(frame, fate)
        self._put(frame)

    def _delay(self, frame: OutgoingFrame, seconds: float) -> None:
        if self._late >= LATE_FRAMES:
            return self.drop(frame, "the slow link is full")
        self._late += 1
        self.loop.call_later(seconds, self._arrive, frame)

    def _arrive(self, frame: OutgoingFrame) -> None:
        self._late -= 1
        if self.ended:
            return
        if self.rules.is_cut(self.me, frame.to):
            return self.drop(frame, "cut")
        self._put(frame)
        self.flush()

    def _put(self, frame: OutgoingFrame) -> None:
        link = self.clients.get(frame.to) if isinstance(frame.to, str) else None
        if link is not None:
            link.put(frame.data)
        elif isinstance(frame.to, int) and frame.to in self.peers:
            self.peers[frame.to].put(frame)
        else:
            self.drop(frame, "no link")

    def flush(self) -> None:
        """Write every batch, one write per link."""
        touched, self.touched = self.touched, []
        for link in touched:
            link.flush()

    # --- in ---------------------------------------------------------------------------------

    def hello(self, to_client: bool = False) -> Hello:
        """Return what this end says of itself."""
        if isinstance(self.me, str):
            return Hello(protocol=PROTOCOL, cluster=self.config.cluster, role="client", name=self.me)
        return Hello(
            protocol=PROTOCOL,
            cluster=self.config.cluster,
            role="node",
            node=self.me,
            incarnation=self.incarnation,
            address=self.config.members[self.me],
            config_digest=self.config.digest,
            identity=self.identity,
            members=self.config.members if to_client else {},
        )

    def claim(self, link: Inbound, hello: Hello) -> str | None:
        """Register `link` under the name it claims; return why not, or None."""
        sender = hello.sender
        if not self.rules.is_open(self.me, sender):
            return "cut"
        if isinstance(sender, str):
            if (why := self.strangers.no_room(link, len(self.clients))) is not None:
                return why
            link.sender = self._free_name(sender)
            self.clients[link.sender] = link
            return None
        newest = self.seen.get(sender, 0)
        if hello.incarnation < newest:  # SPECIFICATION R2.3
            return f"old incarnation: node {sender} has been in its life {newest} already."
        former = self.inbound.get(sender)
        link.sender, link.incarnation = sender, hello.incarnation
        self.inbound[sender], self.seen[sender] = link, hello.incarnation
        link.label = f"node {sender}"
        if former is not None:
            self.strangers.replaced(former)
            former.close()
        return None

    def _free_name(self, name: str) -> str:
        free, count = name, 1
        while free in self.clients:
            count += 1
            free = f"{name}#{count}"
        return free

    def admitted(self, link: Inbound) -> None:
        """A link said hello and was taken."""
        self.strangers.left(link)
        if isinstance(link.sender, str):
            self.receiver.linked(link.sender, LinkUp(0))
        else:
            self.peers[link.sender].heard_of(link.incarnation)

    def learnt(self, node: int, incarnation: int) -> None:
        """The process that listens at a member's own address is in this life: nobody knows better."""
        self.seen[node] = incarnation
        link = self.inbound.get(node)
        if link is not None and link.incarnation != incarnation:
            link.fail(f"old incarnation: node {node} itself says that it is in its life {incarnation}.")

    def take(self, link: Inbound | Outbound, data: bytes) -> None:
        """Take in one line of a greeted link; raises `FrameError`."""
        sender = link.sender
        n, clock, message = self.codec.read(data)
        if isinstance(sender, str):
            incarnation = 0
            if self.from_clients is not None and type(message) not in self.from_clients:  # SPECIFICATION R2.4
                raise FrameError(f"A client may not send {columns(message)[0]}.")
        elif isinstance(self.me, int) and isinstance(link, Outbound):
            raise FrameError(f"Node {sender} answered on a link that is only for our frames.")
        else:
            incarnation = link.incarnation
        if self.rules.active and self.rules.is_cut(sender, self.me):
            self.counters["cut"] += 1
            self.receiver.dropped(sender, "cut", columns(message)[0], f"{sender}.{incarnation}.{n}")
        else:
            self.receiver.took(sender, incarnation, n, clock, message)

    def add(self, link: Link) -> None:
        """A connection was made."""
        self.links.add(link)
        if self.ended:
            link.abort()

    def remove(self, link: Link) -> None:
        """A connection is gone."""
        self.links.discard(link)
        if not isinstance(link, Inbound):
            return
        self.strangers.left(link)
        if self.ended:
            return
        if isinstance(link.sender, int):
            if self.inbound.get(link.sender) is link:
                del self.inbound[link.sender]
        elif self.clients.get(link.sender) is link:
            del self.clients[link.sender]
            self.receiver.linked(link.sender, LinkDown())

    def drop(self, frame: OutgoingFrame, reason: str) -> None:
        """Count and tell that `frame` vanished."""
        self.counters[reason] += 1
        self.receiver.dropped(frame.to, reason, frame.message, frame.id)

    def broken_link(self, label: str, reason: str) -> None:
        """Count and tell that a link broke a rule."""
        self.counters["broken link"] += 1
        self._tell(f"{label}: {reason}")

    def _tell(self, reason: str) -> None:
        if not self.ended:
            self.receiver.dropped(None, reason)
