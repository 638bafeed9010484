"""Links: one TCP connection each, as checked lines in and batches of lines out.

    Inbound     somebody dialled us: their hello, our hello (or refused and a reason), then frames;
                a member's frames only after its address confirmed the link (`claims`), until then answers
    Outbound    we dialled a member: our hello and answers, their hello, "confirmed", then our frames

A link that breaks a rule is closed: the reason is sent as a last line, counted and traced.  After
that its input is thrown away until the other end closes too, so that the reason is not lost.

    bytes --> Link (splits, limits) --> Inbound / Outbound --> their LinkOwner (a Transport)

A link whose frames wait in a full queue reads no further until they are served (`read_on`): TCP then
makes the other end wait, and nobody else.

A connection can end at any moment, so any use of it can raise: ENOTCONN, EPIPE, EINVAL, EBADF.
Whatever a link raises ends that link and nothing else (`contained`).

Assumes   nothing about the other end: random bytes, endless lines, no reading at all, gone already.
Promises  bounded memory per link, and no exception leaves a connection.
Read also `transport` (the owner of the links), `strangers` (before the hello), `wire` (the bytes).
"""

import asyncio
import errno
import os
import secrets
import socket
import struct
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from itertools import takewhile
from typing import Concatenate, Literal, ParamSpec, Protocol, TypeVar, cast

from chatsys.actor.actor import Address
from chatsys.config import ClusterConfig
from chatsys.errors import FrameError
from chatsys.runtime.net.lines import Lines
from chatsys.runtime.net.receiver import FrameReceiver
from chatsys.runtime.net.strangers import Strangers
from chatsys.runtime.net.wire import (
    ANSWER,
    ChallengeAnswer,
    Confirmed,
    Hello,
    Refused,
    line,
    objection,
    read_answer,
    read_greeting,
    read_verdict,
)

HELLO_BYTES = 16 << 10  # SPECIFICATION R2.1
"""A hello that comes in may be so long: it is kept as long as its link, and whoever reaches the port can make hundreds."""
GREETING_TIME = 2.0
"""Seconds within which the other end must have said hello, and, as a member, its address have confirmed it."""
RESET = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
"""SO_LINGER: closing sends RST and drops what waits."""
SILENCE = 3.0
"""So many seconds nothing that was sent may be confirmed (where the system can say so); then the link is
made anew.  After a partition TCP alone would wait up to as long again as it had lasted."""
READ = 64 << 10
"""Bytes that are read at once."""
PARTING_TIME = 0.5
"""Seconds that a refused link may take to read its reason."""


class ReadInto(threading.local):
    """Where the loop of this thread puts what it reads, for the moment until it is taken in."""

    def __init__(self) -> None:
        self.buffer = bytearray(READ)


_read_into = ReadInto()


class LinkOwner(Protocol):
    """What a link asks of its owner, a `Transport`: who we are, the limits, and what becomes of lines and links."""

    me: Address
    is_member: bool
    config: ClusterConfig
    loop: asyncio.AbstractEventLoop
    receiver: FrameReceiver
    strangers: Strangers
    touched: "list[Link]"
    """The links that have a batch to write at the end of this turn."""
    paused: bool
    greeting_time: float
    unread_limit: int

    def add(self, link: "Link") -> None:
        """A connection was made."""

    def remove(self, link: "Link") -> None:
        """A connection is gone."""

    def hello(self, to_client: bool = False, challenge: str = "") -> Hello:
        """Return what this end says of itself."""

    def claim(self, link: "Inbound", hello: Hello) -> str | None:
        """Register the `link` of a client or learner, or see whether a member may claim; return why not, or None."""

    def admitted(self, link: "Inbound") -> None:
        """A link said hello, and was answered."""

    def answered(self, link: "Inbound", challenge: str) -> None:
        """A link that claims to be a member's repeats a challenge; raises `FrameError`."""

    def unconfirmed(self, link: "Inbound") -> str:
        """Say why a link that claimed to be a member's was not believed in time."""

    def dialled(self, link: "Outbound") -> list[str]:
        """A link that we made is open; return the challenges that it must repeat."""

    def greeted(self, link: "Outbound") -> None:
        """The address that we dialled said hello."""

    def take(self, link: "Inbound | Outbound", lines: Sequence[bytes]) -> None:
        """Take in lines of a greeted link; raises `FrameError`."""

    def broken_link(self, label: str, reason: str) -> None:
        """Count and tell that a link broke a rule."""


P = ParamSpec("P")
L = TypeVar("L", bound="Link")


def contained(use: Callable[Concatenate[L, P], None]) -> Callable[Concatenate[L, P], None]:
    """Let nothing that `use` of a link raises leave the link.

    Every way into a link goes through here: callbacks of the event loop, timers, the turns of the
    host.  An `OSError` says that the other end has gone, which is no event of its own: the end of
    the connection is told soon.  Anything else is a bug of ours; it is told, and costs this link.
    """

    @wraps(use)
    def used(link: L, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            use(link, *args, **kwargs)
        except OSError:
            link.abort()
        except Exception as error:
            link.owner.receiver.link_failed(link.label, error)
            link.abort()

    return used


class Link(asyncio.BufferedProtocol, ABC):
    """A TCP connection as lines; subclasses say what a line means."""

    label = "a link"

    def __init__(self, owner: LinkOwner) -> None:
        self.owner = owner
        self.socket: asyncio.Transport | None = None
        self.greeted = False
        self.closing = False
        self.batch: list[bytes] = []
        self._lines = Lines()
        self._held = False
        """Whether nothing is read at the moment because enough waits to be served."""
        self._patience: asyncio.TimerHandle | None = None

    @contained
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection; the other end now has the owner's `greeting_time` to say hello."""
        self.socket = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        self._patience = self.owner.loop.call_later(self.owner.greeting_time, self._too_late)
        self.owner.add(self)
        if self.closing:
            return
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if (user_timeout := getattr(socket, "TCP_USER_TIMEOUT", None)) is not None:
                raw.setsockopt(socket.IPPROTO_TCP, user_timeout, int(SILENCE * 1000))
        self.opened()

    def opened(self) -> None:
        """Do what a new connection begins with."""

    @contained
    def _too_late(self) -> None:
        """The greeting time is over."""
        if not self.greeted:
            self.fail(f"No hello came within {self.owner.greeting_time:g} s.")

    def get_buffer(self, sizehint: int) -> bytearray:
        """Return where the next bytes go: all links of a loop read into one place, as a new one for each read costs more than the read."""
        return _read_into.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what was put there."""
        self.data_received(bytes(memoryview(_read_into.buffer)[:nbytes]))

    @contained
    def data_received(self, data: bytes) -> None:
        """Take in what came."""
        if not self.closing:
            self._lines.add(data)
            self._take_lines()

    @contained
    def read_on(self) -> None:
        """Go on with what has come, and then with reading: what waited of this link was served."""
        if self._held and not self.closing:
            self._take_lines()

    def _take_lines(self) -> None:
        """Take in whole lines until there are no more or enough waits to be served."""
        limit = self.owner.config.limits.frame_bytes  # SPECIFICATION R2.1
        most, size = self.room()
        while most and size and (lines := self._lines.take(most, size)):
            short = lines if max(map(len, lines)) <= limit else list(takewhile(lambda one: len(one) <= limit, lines))
            try:
                if short:
                    self.on_lines(short)
            except FrameError as error:
                self.fail(str(error))
            if self.closing:
                return
            if len(short) < len(lines):
                return self.fail(f"A line is longer than {limit} bytes.")
            most, size = self.room()
        full = not (most and size)
        if not full and len(self._lines) > limit:
            return self.fail(f"A line is longer than {limit} bytes.")
        if full != self._held:
            self._held = full
            if full:
                self.pause()
            elif not self.owner.paused:
                self.resume()

    def room(self) -> tuple[int, int]:
        """Return how many lines may be taken in at once, and after how many bytes no further one."""
        return 1, self.owner.config.limits.frame_bytes

    def on_lines(self, lines: Sequence[bytes]) -> None:
        """Act on lines that came together; raises `FrameError` if one breaks a rule, when those before are in."""
        for one in lines:
            if not self.closing:
                self.on_line(one)

    @abstractmethod
    def on_line(self, data: bytes) -> None:
        """Act on one line; raises `FrameError` if it breaks a rule."""

    @contained
    def fail(self, reason: str, code: Literal["", "identity"] = "") -> None:
        """Close this link because of `reason`, which is counted, traced and told to the other end."""
        if self.closing:
            return
        self.owner.broken_link(self.label, reason)
        self._part(line(Refused(reason, code)))

    @contained
    def close(self) -> None:
        """Close in peace: what was written still leaves."""
        if not self.closing:
            self._part(b"")

    def _part(self, last: bytes) -> None:
        self.closing = True
        self._lines.clear()
        self._held = False
        self._calm()
        if self.socket is None or self.socket.is_closing():
            return
        self.resume()  # what still comes is read and thrown away
        self.socket.write(b"".join(self.batch) + last)
        self.batch.clear()
        if self.socket.can_write_eof():
            self.socket.write_eof()
        self._patience = self.owner.loop.call_later(PARTING_TIME, self.abort)

    def abort(self) -> None:
        """End the connection at once; the other end sees a reset, as after a crash."""
        self.closing = True
        self._calm()
        if self.socket is None:
            return
        # also if it is closing already: it stays until what was written is read, and perhaps nobody reads
        with suppress(OSError):  # what is reset already needs no reset
            raw = self.socket.get_extra_info("socket")
            if raw is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        with suppress(OSError):
            self.socket.abort()

    @contained
    def pause(self) -> None:
        """Read nothing until `resume`."""
        if self.socket is not None and not self.closing and not self.socket.is_closing():
            self.socket.pause_reading()

    @contained
    def resume(self) -> None:
        """Read on, unless enough waits to be served."""
        if self.socket is not None and not self._held and not self.socket.is_closing():
            self.socket.resume_reading()

    def _calm(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def eof_received(self) -> bool:
        """The other end is done; half a line is a broken one."""
        if len(self._lines) and not self.closing:
            self.owner.broken_link(self.label, f"The link ended within a line ({len(self._lines)} bytes of it came).")
            self._lines.clear()
        return False

    @contained
    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection."""
        self.closing = True
        self._calm()
        self.batch.clear()
        self.socket = None
        self.owner.remove(self)

    def _write(self, data: bytes) -> None:
        if self.socket is not None and not self.socket.is_closing():
            self.socket.write(data)

    def put(self, data: bytes) -> None:
        """Add one line to this turn's batch."""
        if not self.batch:
            self.owner.touched.append(self)
        self.batch.append(data)

    @contained
    def flush(self) -> None:
        """Write the batch at once; a link whose other end does not read is closed."""
        if self.closing or self.socket is None or self.socket.is_closing():
            self.batch.clear()
            return
        self.socket.writelines(self.batch)
        self.batch.clear()
        if self.socket.get_write_buffer_size() > self.owner.unread_limit:
            self.owner.broken_link(self.label, "The other end does not read; too much waits for it.")
            self.abort()


class Inbound(Link):
    """A link that somebody made to us."""

    def __init__(self, owner: LinkOwner) -> None:
        super().__init__(owner)
        self.sender: Address = 0
        self.hello: Hello | None = None
        self.of_member = False
        """Whether it says that it is a member's; it is a client's or a learner's otherwise, once it is greeted."""
        self.confirmed = False
        """Whether the address of the member that speaks here confirmed this link."""
        self.proof = ""
        """The challenge of ours that it repeated."""
        self.came = self.wrong_answers = 0
        self.descriptor = 0
        """The number that the system gave this connection: how many are in use at least."""

    @property
    def incarnation(self) -> int:
        """The life that speaks here, as it says."""
        return 0 if self.hello is None else self.hello.incarnation

    def opened(self) -> None:
        """Name the other end; it is a stranger until it says hello."""
        assert self.socket is not None, "a link that opens has a connection"
        address = self.socket.get_extra_info("peername") or ("?", "?")
        self.label = f"{address[0]}:{address[1]}"
        raw = self.socket.get_extra_info("socket")
        self.descriptor = raw.fileno() if raw is not None else 0
        self.owner.strangers.came(self)
        if self.owner.paused:
            self.pause()

    def on_line(self, data: bytes) -> None:
        """Take the hello, then frames, and from members answers, first of all."""
        if not self.greeted:
            self._greet(data)
        elif self.of_member and data.startswith(ANSWER):
            self.owner.answered(self, read_answer(data).challenge)
        elif self.of_member and not self.confirmed:  # SPECIFICATION R2.11
            raise FrameError(f"A frame came before node {self.sender}'s address confirmed this link.")
        else:
            self.owner.take(self, (data,))

    def on_lines(self, lines: Sequence[bytes]) -> None:
        """Take frames that came together, if no answer is among them."""
        answers = self.of_member and any(one.startswith(ANSWER) for one in lines)
        if len(lines) > 1 and self.speaks and not answers:
            self.owner.take(self, lines)
        else:
            super().on_lines(lines)

    @property
    def speaks(self) -> bool:
        """Whether frames of this link are taken."""
        return self.greeted and (self.confirmed or not self.of_member)

    def _greet(self, data: bytes) -> None:
        if len(data) > HELLO_BYTES:
            raise FrameError(f"A hello is longer than {HELLO_BYTES} bytes.")
        hello = read_greeting(data)
        if isinstance(hello, Refused):
            raise FrameError("The first line is no hello.")
        why = objection(hello, self.owner.me, self.owner.config) or self.owner.claim(self, hello)
        if why:
            raise FrameError(why)
        self.greeted = True
        self.hello = hello
        self.of_member = hello.role == "node"
        self._write(line(self.owner.hello(to_client=not self.of_member)))
        self.owner.admitted(self)

    @contained
    def connection_lost(self, error: Exception | None) -> None:
        """Tell of a client that reads nothing; the system gave it up before too much waited for it."""
        if not self.of_member and isinstance(error, OSError) and error.errno == errno.ETIMEDOUT:
            self.owner.broken_link(self.label, f"The other end does not read; nothing was confirmed for {SILENCE:g} s.")
        super().connection_lost(error)

    def confirm(self, label: str) -> None:
        """The address of the member confirmed this link: tell it so, and take its frames from now on."""
        self.confirmed, self.label = True, label
        self._write(line(Confirmed()))

    def room(self) -> tuple[int, int]:
        """Return how much may still wait of this link; of one that only claims to be a member's nothing waits."""
        return self.owner.receiver.room(self.sender) if self.speaks else super().room()

    @contained
    def _too_late(self) -> None:
        """The greeting time is over; for a member's link that of its address, too."""
        if self.greeted and self.of_member and not self.confirmed:
            self.fail(self.owner.unconfirmed(self))
        else:
            super()._too_late()


class Outbound(Link):
    """A link that we made to the member `peer`; with `probe` only to hear what its address says.

    `answer` comes to hold its hello, and `verdict` whether it takes our frames; None and False if it ended first.
    """

    def __init__(self, owner: LinkOwner, peer: int, asked: int = 0, probe: bool = False) -> None:
        super().__init__(owner)
        self.peer, self.asked, self.probe = peer, asked, probe
        self.label = f"node {peer}"
        self.hello: Hello | None = None
        self.challenge = secrets.token_hex(16) if owner.is_member else ""
        self.answer: asyncio.Future[Hello | None] = owner.loop.create_future()
        self.verdict: asyncio.Future[bool] = owner.loop.create_future()
        self.lost: asyncio.Future[None] = owner.loop.create_future()

    def opened(self) -> None:
        """Say hello first, and repeat what others said in the name of the member."""
        answers = b"".join(line(ChallengeAnswer(one)) for one in self.owner.dialled(self))
        self._write(line(self.owner.hello(challenge=self.challenge)) + answers)

    def on_line(self, data: bytes) -> None:
        """Take the answer to our hello; then, as a member the verdict, and otherwise frames."""
        if self.greeted and not self.owner.is_member:
            self.owner.take(self, (data,))
            return
        said = read_verdict(data) if self.greeted else read_greeting(data)
        if isinstance(said, Refused):
            self._refused(said)
        elif isinstance(said, Confirmed):
            if not self.verdict.done():
                self.verdict.set_result(True)
        else:
            self._greet(said)

    def _greet(self, hello: Hello) -> None:
        why = objection(hello, self.owner.me, self.owner.config)
        # a client's config has the learner at hand among the members, and nobody else's has one
        member = hello.role == "node" or (hello.role == "learner" and isinstance(self.owner.me, str))
        if why is None and (hello.sender != self.peer or not member):
            why = f"Node {self.peer} was dialled, but {hello.role} {hello.sender} answered."
        if why:
            raise FrameError(why)
        self.greeted = True
        self.hello = hello
        if not self.answer.done():
            self.answer.set_result(hello)
        self.owner.greeted(self)

    def _refused(self, said: Refused) -> None:
        reason = said.reason[:400]
        self.owner.broken_link(self.label, f"{self.label} refused the link: {reason}")
        self.abort()
        if not self.probe:
            self.owner.receiver.refused(self.peer, said.code, reason)

    @property
    def sender(self) -> int:
        """Who speaks to us here."""
        return self.peer

    @property
    def incarnation(self) -> int:
        """The life that speaks here, as the address said."""
        return 0 if self.hello is None else self.hello.incarnation

    @contained
    def connection_lost(self, error: Exception | None) -> None:
        """Wake who waits for this link."""
        super().connection_lost(error)
        if not self.answer.done():
            self.answer.set_result(None)
        if not self.verdict.done():
            self.verdict.set_result(False)
        if not self.lost.done():
            self.lost.set_result(None)
