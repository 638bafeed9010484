"""The line client: a chat in a plain terminal, or at the end of a pipe.

    $ chatsys client --port 5001 --name ann
    hello
    #1 ann: hello
        #1 is acknowledged: every node delivers it, for ever

One address is enough to begin: the node that listens there tells where the others are, and from
then on the Client actor goes to another node whenever one is silent.

Assumes   a UTF-8 terminal; what it cannot show becomes a question mark.
Promises  what others wrote is shown and never obeyed (see `inert`); at the end it says which
          messages are not acknowledged.
Read also `protocol.client` (numbers, repeats, rotates), `runtime.host` (carries the actor).
"""

import asyncio
import codecs
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial

from chatsys.config import ClusterConfig
from chatsys.errors import FrameError, UsageError
from chatsys.inert import inert
from chatsys.protocol.client import Client
from chatsys.protocol.messages import Say
from chatsys.protocol.session_table import refusal
from chatsys.runtime.host import Host
from chatsys.runtime.wire import PROTOCOL, Hello, Refused, line, read_greeting
from chatsys.trace import Record

PATIENCE = 5.0
"""Seconds to wait for the first node to answer."""
LAST_WAIT = 15.0
"""Seconds to wait at the end of the input for messages under way."""
INCONCLUSIVE = 3

HELP = """\
    anything else   is said to everybody
    /name NAME      be called NAME from now on
    /room ROOM      speak in ROOM from now on
    /nodes          which nodes can be reached, and which one is spoken to
    /quit           leave (also Ctrl-D)"""


def main(host: str, port: int, name: str, room: str, cluster: str) -> int:
    """Chat until the input ends; return 0, or 3 if some message is not acknowledged."""
    home, config = discover(host, port, name, cluster)
    wrong = refusal(room, name, "x", config.limits)
    if wrong is not None:
        raise UsageError(f"--name or --room cannot be used: {wrong[1]}")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    chat = LineClient(config, name, room, home)
    try:
        asyncio.run(chat.run())
    except KeyboardInterrupt:
        pass
    return INCONCLUSIVE if chat.tell_unknown() else 0


def discover(host: str, port: int, name: str, cluster: str) -> tuple[int, ClusterConfig]:
    """Ask the node at this address who it is and where all members listen.

    Raises `UsageError` with one sentence if nobody answers there, or no node of this cluster.
    """
    where = f"{host}:{port}"
    hello = Hello(protocol=PROTOCOL, cluster=cluster, role="client", name=name[:80])
    try:
        with socket.create_connection((host, port), timeout=PATIENCE) as link:
            link.sendall(line(hello))
            answer = read_greeting(link.makefile("rb").readline(1 << 20))
    except TimeoutError:
        raise UsageError(f"Nobody answered at {where} within {PATIENCE:g} s; is that node paused?") from None
    except OSError as error:
        raise UsageError(
            f"No node listens at {where} ({error.strerror or error}); start one, or name another."
        ) from None
    except FrameError:
        raise UsageError(f"What listens at {where} is no chatsys node; correct --host and --port.") from None
    if isinstance(answer, Refused):
        raise UsageError(f"The node at {where} refused: {inert(answer.reason)}")
    if answer.node not in answer.members:
        raise UsageError(f"The node at {where} does not say who the members are; it cannot be talked to.")
    members = dict(answer.members)
    return answer.node, ClusterConfig(members=members, quorum=len(members) // 2 + 1, cluster=cluster)


class LineClient:
    """Lines in, lines out, and the Client actor between them."""

    def __init__(
        self, config: ClusterConfig, name: str, room: str, home: int, show: Callable[[str], None] | None = None
    ) -> None:
        self.config, self.name, self.room, self.home = config, name, room, home
        self.show = show or _show
        self.unknown: dict[tuple[str, int], str] = {}
        """Said and not acknowledged: (session, number) -> text."""
        self.lost: list[str] = []
        """Texts of which nobody will ever say whether they were delivered."""
        self.waiting_for = ""
        self.lines: asyncio.Queue[str | None] = asyncio.Queue()

    async def run(self) -> None:
        """Chat until the input ends, then wait a while for what is under way."""
        factory = partial(Client, home=self.home, listen=True)
        self.host = Host(self.name, self.config, factory, self.take)
        await self.host.start()
        _read_input(asyncio.get_running_loop(), self.lines)
        try:
            while (text := await self.lines.get()) is not None and text.strip() != "/quit":
                self.enter(text)
            await self._finish()
        finally:
            await self.host.stop()

    async def _finish(self) -> None:
        end = self.host.loop.time() + LAST_WAIT
        await asyncio.sleep(0)
        while not self.actor.idle and self.host.loop.time() < end:
            await asyncio.sleep(0.02)

    @property
    def actor(self) -> Client:
        """The actor that does the work."""
        assert isinstance(self.host.actor, Client)
        return self.host.actor

    def enter(self, text: str) -> None:
        """Act on one line of input."""
        word, _, rest = text.strip().partition(" ")
        match word:
            case "":
                pass
            case "/help":
                self.show(HELP)
            case "/name" | "/room" if rest.strip():
                self._rename(word[1:], rest.strip())
            case "/nodes":
                links = ", ".join(map(str, sorted(self.actor.links))) or "none"
                self.show(f"    linked to nodes: {links}; speaking to node {self.actor.target}")
            case _ if word.startswith("/"):
                self.show(f"    {inert(word)} is no command; /help lists them")
            case _:
                self.host.command(Say(text.rstrip("\r\n"), self.room, self.name))

    def _rename(self, what: str, value: str) -> None:
        name, room = (value, self.room) if what == "name" else (self.name, value)
        wrong = refusal(room, name, "x", self.config.limits)
        if wrong is not None:
            self.show(f"    not changed: {wrong[1]}")
            return
        self.name, self.room = name, room
        self.show(f"    your {what} is {inert(value)} now")

    # --- what the actor tells --------------------------------------------------------------

    def take(self, records: list[Record]) -> None:
        """Show one turn's records."""
        for record in records:
            for told in self.tell(record):
                self.show(told)

    def tell(self, record: Record) -> Iterator[str]:
        """Yield what a person should read of one record."""
        key = (record.client or "", record.client_seq or 0)
        text = record.text or ""
        match record.kind:
            case "seen":
                room = "" if record.room == self.room else f"[{inert(record.room or '')}] "
                yield f"#{record.msg_no} {room}{inert(record.author or '')}: {inert(text)}"
            case "submit":
                self.unknown[key] = text
            case "ack":
                self.unknown.pop(key, None)
                self.waiting_for = ""
                yield f"    #{record.msg_no} is acknowledged"
            case "indeterminate":
                self.lost.append(self.unknown.pop(key, text))
                yield f"    nobody can say whether this was delivered: {inert(text)}"
            case "reply" if not record.client:
                yield f"    not said: {inert(record.reason or '')}"
            case "reply" if record.reason != self.waiting_for:
                self.waiting_for = record.reason or ""
                yield f"    not acknowledged yet ({inert(self.waiting_for)}); trying again"
            case "link_up":
                yield f"    node {record.peer} is there"
            case "link_down":
                yield f"    node {record.peer} is gone"
            case "drop" if (record.reason or "").startswith("node"):
                yield f"    {inert(record.reason or '')}"

    def tell_unknown(self) -> bool:
        """Say which messages are not acknowledged; tell whether there are any."""
        texts = [*self.lost, *self.unknown.values()]
        texts += [said.text for said in self.actor.queue] if hasattr(self, "host") else []
        for text in texts:
            print(f"chatsys: not acknowledged, perhaps delivered, perhaps not: {inert(text)}", file=sys.stderr)
        return bool(texts)


def _show(text: str) -> None:
    print(text, flush=True)


def _read_input(loop: asyncio.AbstractEventLoop, lines: "asyncio.Queue[str | None]") -> None:
    """Put each line of stdin into the queue, and None at its end.

    A thread reads the bare descriptor: it waits in any kind of input on any system, and holds no
    lock of Python's when the process ends under it.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def put(text: str | None) -> None:
        try:
            loop.call_soon_threadsafe(lines.put_nowait, text)
        except RuntimeError:  # the chat is over
            pass

    def read() -> None:
        kept = ""
        while data := _read_some():
            *whole, kept = (kept + decoder.decode(data)).split("\n")
            for text in whole:
                put(text)
        if kept:
            put(kept)
        put(None)

    threading.Thread(target=read, name="input", daemon=True).start()


def _read_some() -> bytes:
    try:
        return os.read(0, 1 << 16)
    except OSError:
        return b""
