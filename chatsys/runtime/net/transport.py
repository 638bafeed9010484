"""Transport: one node's (or client's) links, kept up; frames in and out, nothing lost silently.

Every node dials every other member for its own frames, and takes those of others on the links that
they made.  A client dials every member too, and is answered on the same link; so does a learner, which
listens as well, for clients and learners of its own.

    Host --send--> rules --> Peer, or a client's link --one write per turn--> TCP
    Host <--took-- checks <-- Inbound, Outbound <--lines--------------------- TCP
                                 `--> Claims: is it the member?

Assumes   its owner (a `Host`) takes frames quickly and calls `flush` once per turn.
Promises  what waits for a link is bounded; each frame that vanishes is counted and traced.
Read also `peer` (the way to one member), `claims` (which link is a member's), `links` (one connection), `wire` (bytes), `rules` (cut, slow, lose), `sim.network`.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.events import NO_IDENTITY, LinkDown, LinkUp
from chatsys.actor.trace_columns import columns
from chatsys.config import ClusterConfig
from chatsys.errors import FrameError
from chatsys.runtime.net.claims import Claims
from chatsys.runtime.net.links import GREETING_TIME, PARTING_TIME, Inbound, Link, Outbound
from chatsys.runtime.net.listener import Listener, bind
from chatsys.runtime.net.peer import OutgoingFrame, Peer
from chatsys.runtime.net.receiver import FrameReceiver
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
        address: str = "",
    ) -> None:
        self.me = me
        self.is_member = me in config.members
        self.address = address or config.members.get(me, "") if isinstance(me, int) else ""
        """Where this end listens, as it tells others."""
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
        self.taken = self.sent = 0
        """Frames that came in, and frames that went out or were to."""
        self.links: set[Link] = set()
        self.touched: list[Link] = []
        self.clients: dict[Address, Inbound] = {}
        """The links of clients and learners; a learner's address here is its id, or a text if that is taken."""
        self.seen: dict[int, int] = {}
        """The life of each member, as its own address says."""
        self.peers = {node: Peer(self, node) for node in config.ids if node != me}
        self.unread_limit = 8 * config.limits.frame_bytes
        self.greeting_time = GREETING_TIME
        self.short = Seldom(self._tell)
        """Tells what this end lacks: descriptors, memory, threads."""
        self.strangers = Strangers(len(self.peers), self._tell)
        self.claims = Claims(self)
        self._late = 0
        self._flush_is_due = False
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

    def read_on(self, sender: Address) -> None:
        """Read on from `sender`: what waited of it was served."""
        link = self.clients.get(sender) or (self.inbound.get(sender) if isinstance(sender, int) else None)
        if link is not None:
            link.read_on()

    def apply_rules(self, rules: RuleSet) -> None:
        """Apply these link rules from now on."""
        self.rules.set(rules)

    # --- out --------------------------------------------------------------------------------

    def send(self, to: Address, n: int, clock: int, message: msgspec.Struct) -> None:
        """Put one frame into this turn's batch for `to`."""
        self.sent += 1
        frame = OutgoingFrame(self.codec.write(n, clock, message), to, n, message)
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
        link = self.clients.get(frame.to)
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

    def flush_soon(self) -> None:
        """Write every batch when what is at hand has been read, also if no turn comes."""
        if not self._flush_is_due:
            self._flush_is_due = True
            self.loop.call_soon(self._flush_now)

    def _flush_now(self) -> None:
        self._flush_is_due = False
        self.flush()

    # --- in ---------------------------------------------------------------------------------

    @property
    def inbound(self) -> dict[int, Inbound]:
        """The links of members that their addresses confirmed."""
        return self.claims.confirmed

    def hello(self, to_client: bool = False, challenge: str = "") -> Hello:
        """Return what this end says of itself."""
        if isinstance(self.me, str):
            return Hello(protocol=PROTOCOL, cluster=self.config.cluster, role="client", name=self.me)
        return Hello(
            protocol=PROTOCOL,
            cluster=self.config.cluster,
            role="node" if self.is_member else "learner",
            node=self.me,
            incarnation=self.incarnation,
            address=self.address,
            config_digest=self.config.digest if self.is_member else "",
            identity=self.identity if self.is_member and not to_client else NO_IDENTITY,
            challenge=challenge,
            members=self.config.members if to_client else {},
        )

    def claim(self, link: Inbound, hello: Hello) -> str | None:
        """Register the `link` of a client or learner, or see whether a member may claim; return why not, or None."""
        sender = hello.sender
        if not self.rules.is_open(self.me, sender):
            return "cut"
        if hello.role != "node":
            if (why := self.strangers.no_room(link, len(self.clients))) is not None:
                return why
            link.sender = self._free_name(sender)
            self.clients[link.sender] = link
            return None
        if not self.is_member:
            return f"Node {self.me} is a learner, which takes no links of members."
        assert isinstance(sender, int), "the hello was looked at"
        if not hello.challenge:
            return "A member's hello needs a challenge."
        link.sender = sender
        link.label += f", which says that it is node {sender}"
        return None

    def _free_name(self, name: Address) -> Address:
        """Return the address of a new client or learner: it carries no authority, so it only has to be free."""
        if isinstance(name, int):
            if name not in self.clients and name != self.me and name not in self.peers:
                return name
            name = f"learner {name}"  # SPECIFICATION R2.14
        free, count = name, 1
        while free in self.clients:
            count += 1
            free = f"{name}#{count}"
        return free

    def admitted(self, link: Inbound) -> None:
        """A link said hello, and was answered: a client is welcome, a member waits for its address."""
        if not link.of_member:
            self.strangers.left(link)
            self.receiver.linked(link.sender, LinkUp(link.incarnation))
        elif link.hello is not None:
            self.claims.came(link, link.hello)

    def answered(self, link: Inbound, challenge: str) -> None:
        """A link that claims to be a member's repeats a challenge."""
        self.claims.answered(link, challenge)

    def unconfirmed(self, link: Inbound) -> str:
        """Say why a link that claimed to be a member's was not believed in time."""
        return self.claims.unconfirmed(link)

    def now(self) -> int:
        """Return a moment of this transport: whatever begins later gets a higher one."""
        return self.claims.now()

    def is_doubtful(self, node: int, hello: Hello) -> bool:
        """Tell whether somebody claims to be the member in another life than the one of `hello`."""
        return self.claims.is_doubtful(node, hello)

    def dialled(self, link: Outbound) -> list[str]:
        """A link that we made is open; return the challenges that it must repeat."""
        if link.probe or not self.is_member:
            return []
        self.peers[link.peer].out = link
        return self.claims.challenges(link.peer)

    def greeted(self, link: Outbound) -> None:
        """The address that we dialled says who is there: believe that, and judge by it who claims to be it."""
        assert link.hello is not None, "it said hello"
        peer = self.peers[link.peer]
        if not self.is_member:
            peer.met(link.hello)
            return
        self.claims.address_says(link.peer, link.hello, link.asked)
        if not link.probe:
            self.claims.judge(link.peer)
            if self.claims.is_doubtful(link.peer, link.hello):
                peer.look_again()

    def take(self, link: Inbound | Outbound, lines: Sequence[bytes]) -> None:
        """Take in lines of a greeted link; raises `FrameError` at the first that breaks a rule, when those before are in."""
        sender, incarnation = link.sender, link.incarnation
        frames, wrong = self.codec.read_all(lines)
        self.taken += len(frames)
        if sender not in self.peers and self.from_clients is not None:
            for at, (_, _, message) in enumerate(frames):
                if type(message) not in self.from_clients:
                    wrong = FrameError(f"A client may not send {columns(message)[0]}.")  # SPECIFICATION R2.4
                    del frames[at:]
                    break
        if self.rules.active and self.rules.is_cut(sender, self.me):
            for n, _, message in frames:
                self.counters["cut"] += 1
                self.receiver.dropped(sender, "cut", columns(message)[0], f"{sender}.{incarnation}.{n}")
        elif frames:
            self.receiver.took(sender, incarnation, frames, list(map(len, lines[: len(frames)])))
        if wrong is not None:
            raise wrong

    def add(self, link: Link) -> None:
        """A connection was made."""
        self.links.add(link)
        if self.ended:
            link.abort()

    def remove(self, link: Link) -> None:
        """A connection is gone."""
        self.links.discard(link)
        if isinstance(link, Outbound):
            if self.peers[link.peer].out is link:
                self.peers[link.peer].out = None
            return
        assert isinstance(link, Inbound), "there is no third kind"
        self.strangers.left(link)
        self.claims.left(link)
        if self.ended or link.of_member:
            return
        if self.clients.get(link.sender) is link:
            del self.clients[link.sender]
            self.receiver.linked(link.sender, LinkDown())

    def drop(self, frame: OutgoingFrame, reason: str) -> None:
        """Count and tell that `frame` vanished."""
        self.counters[reason] += 1
        name = f"{self.me}.{self.incarnation}.{frame.number}"
        self.receiver.dropped(frame.to, reason, columns(frame.message)[0], name)

    def broken_link(self, label: str, reason: str) -> None:
        """Count and tell that a link broke a rule."""
        self.counters["broken link"] += 1
        self._tell(f"{label}: {reason}")

    def _tell(self, reason: str) -> None:
        if not self.ended:
            self.receiver.dropped(None, reason)
