"""The attacks of an outsider, one function each, and the table that names them.

    at the port        scan  crowd  noise  slow  deep  reset          anybody who finds it
    as a client        theft  flood  deaf                             anybody who says hello
    as a member        half-open  hello  replay  ceiling  frames      whoever read a hello (`impostors`)

Each runs in a process of its own, started by `visitors`; it comes back when the visit is over.

Assumes   plain sockets on this machine, and nothing of how the nodes defend themselves.
Promises  a bounded number of connections at a time, and an end in time.
Read also `visit` (what an outsider knows), `impostors` (in a member's name), `judge` (what must hold).
"""

import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from chatsys.campaign.outsider.impostors import ceiling, frames, half_open, hello, replay
from chatsys.campaign.outsider.visit import RawLink, Spy, Visit, client_hello, written

SILENT, CHURN = 700, 50
"""Connections that are held at each node, and those that come and go meanwhile."""
SHORT, LONG = (1, 40, 40, 4000), (200_000,)
"""Bytes of noise at a time: mostly, and now and then."""
SLOW_LINES, SLOW_BYTES = 24, 800 * 1024
"""Lines that grow byte by byte at each node, and how long they are before they do."""
FLOODERS, IN_FLIGHT, FLOOD = 8, 400, 60_000
"""Clients that flood, what each has under way, and what all of them say at most."""
OWNER = "honest"
"""Whose sessions are stolen."""


def scan(visit: Visit) -> None:
    """Connect and close at once, one or hundreds at a time, politely or with a reset, as a port scanner does."""
    while visit.going:
        for node in visit.nodes:
            many = visit.chance.choice((1, 10, 10, 200))
            links = [link for _ in range(many) if (link := visit.connect(node, 0.2)) is not None]
            for place, link in enumerate(links):
                (link.reset if place % 2 else link.close)()
        visit.wait(0.1)


def crowd(visit: Visit) -> None:
    """Hold hundreds of connections that say nothing, while others connect and close."""
    held: dict[int, deque[RawLink]] = {node: deque() for node in visit.nodes}
    while visit.going:
        for node, links in held.items():
            for _ in range(CHURN):
                link = visit.connect(node, 0.2)
                if link is None:
                    break
                if len(links) < SILENT:
                    if len(links) % 4:  # most of them become clients, who are not turned away for their silence
                        link.send(written(client_hello(visit.cluster, "silent")))
                    links.append(link)
                else:
                    link.close()
            while len(links) > SILENT - CHURN and visit.chance.random() < 0.5:
                links.popleft().close()
        visit.wait(0.05)
    for links in held.values():
        for link in links:
            link.close()


def noise(visit: Visit) -> None:
    """Say random bytes: as the first line, after a hello, in pieces, and as a line without an end."""
    while visit.going:
        for node in visit.nodes:
            link = visit.client(node) if visit.chance.random() < 0.2 else visit.connect(node, 0.2)
            if link is None:
                continue
            for _ in range(visit.chance.randint(1, 3)):
                data = visit.chance.randbytes(visit.chance.choice(SHORT if visit.chance.random() < 0.95 else LONG))
                visit.say(link, data if visit.chance.random() < 0.5 else data.replace(b"\n", b" "))
            if visit.chance.random() < 0.7:
                link.send(b"\n")
            (link.close if visit.chance.random() < 0.3 else link.reset)()
        visit.wait(0.002)


def slow(visit: Visit) -> None:
    """Let many long lines grow byte by byte: whoever looks through the whole line each time does nothing else."""
    lines: list[RawLink] = []
    turn = 0
    while visit.going:
        turn += 1
        if len(lines) < SLOW_LINES * len(visit.nodes):
            node = visit.nodes[turn % len(visit.nodes)]
            link = visit.client(node) if turn % 4 else visit.connect(node)
            if link is not None:
                visit.say(link, b'{"n":1,"clock":1,"message":"' + b"x" * SLOW_BYTES)
                lines.append(link)
        for link in list(lines):
            if not visit.say(link, b"x"):
                lines.remove(link)
                link.close()
        visit.wait(0.002)
    for link in lines:
        link.close()


def deep(visit: Visit) -> None:
    """Say JSON that is nested far too deeply, before and after a hello."""
    deepest = b"[" * 400_000
    while visit.going:
        for node in visit.nodes:
            first = visit.connect(node)
            if first is not None:
                visit.say(first, b'{"type":"hello","members":' + deepest + b"\n")
                first.close()
            link = visit.client(node)
            if link is not None:
                visit.say(link, b'{"n":1,"clock":1,"message":' + deepest + b"]" * 400_000 + b"}\n")
                visit.say(link, b'{"n":1,"clock":1,"message":{"type":"SUBSCRIBE","room":' + deepest + b"\n")
                link.close()
        visit.wait(0.05)


def reset(visit: Visit) -> None:
    """Reset connections in the middle of everything: a hello, a frame, an answer."""
    while visit.going:
        for name, node in visit.pairs:
            link = visit.connect(node, 0.2)
            if link is None:
                continue
            member = visit.chance.random() < 0.5
            said = written(visit.member_hello(name) if member else client_hello(visit.cluster, "reset"))
            frame = link.frame({"type": "SUBSCRIBE"})
            many = visit.chance.randint(1, len(said) + len(frame))
            visit.say(link, (said + frame)[:many])
            if visit.chance.random() < 0.3:
                visit.wait(0.01)
            link.reset()
        visit.wait(0.02)


def theft(visit: Visit) -> None:
    """Read what others say, and speak in the session that is found beside their messages."""
    spies = [Spy(visit, node) for node in visit.nodes]
    links: dict[int, RawLink | None] = dict.fromkeys(visit.nodes)
    while visit.going:
        for spy in spies:
            spy.look(0.02)
        entry = max((spy.entries.get(OWNER, {}) for spy in spies), key=lambda one: one.get("seq", 0))
        if not entry:
            continue
        for node in visit.nodes:
            link = links[node] or visit.client(node, "thief")
            if link is not None and not visit.say(link, *[link.frame(one) for one in _stolen(entry)]):
                link.close()
                link = None
            if link is not None and link.heard() is None:
                link.close()
                link = None
            links[node] = link
        visit.wait(0.1)


def _stolen(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the next messages of the session in which `entry` was said, as the thief would have them."""
    # Nodes of an older version show the id and the session; today only a hash of the id is there to be tried.
    known = entry.get("client_id") or entry.get("client", "?")
    session = {"type": "SUBMIT", "client_id": known, "session": entry.get("session", max(1, entry["seq"] - 1))}
    said = {"room": "main", "author": OWNER, "text": "I am not who I say I am"}
    last = entry.get("client_seq", 0)
    return [{**session, **said, "client_seq": last + more} for more in range(12)] + [{**session, "client_seq": 0}]


def flood(visit: Visit) -> None:
    """Let eight clients say as much as the nodes take, each with hundreds of messages under way."""
    clients = [_Flooder(visit, visit.nodes[number % len(visit.nodes)], number) for number in range(FLOODERS)]
    while visit.going and visit.lines < FLOOD:
        for one in clients:
            one.go_on()
        time.sleep(0.002)
    for one in clients:
        one.end()


class _Flooder:
    """One client that floods; what is answered with anything but `ok` is not said again."""

    def __init__(self, visit: Visit, node: int, number: int) -> None:
        self.visit, self.node = visit, node
        self.client_id = f"flooder-{number}-{visit.chance.getrandbits(64):x}"
        self.link: RawLink | None = None
        self.session = self.said = self.answered = 0
        self.asked = 0.0

    def go_on(self) -> None:
        """Read the answers, and say as much as may be under way."""
        if self.link is None:
            self.link, self.session, self.asked = self.visit.client(self.node, "flooder"), 0, 0.0
        if self.link is None:
            return
        lines = self.link.heard()
        if lines is None:
            return self.end()
        for line in lines:
            self._hear(line.get("message", {}))
        if self.session:
            data = [self._next() for _ in range(max(0, min(100, IN_FLIGHT - self.said + self.answered)))]
            if not self.visit.say(self.link, *data):
                self.end()
        elif time.monotonic() - self.asked > 1.0:
            self.asked = time.monotonic()
            self.link.send(self.link.frame({"type": "SUBMIT", "client_id": self.client_id, "client_seq": 0}))

    def _next(self) -> bytes:
        assert self.link is not None, "a flooder speaks on its link"
        self.said += 1
        return self.link.frame({
            "type": "SUBMIT", "client_id": self.client_id, "client_seq": self.said, "session": self.session,
            "room": "main", "author": "flooder", "text": f"flood {self.said} " + "x" * 100,
        })  # fmt: skip

    def _hear(self, message: dict[str, Any]) -> None:
        if message.get("type") != "SUBMIT_REPLY":
            return
        if message.get("client_seq") == 0:
            self.session = message.get("seq", 0) if message.get("status") == "ok" else 0
        elif message.get("status") == "ok":
            self.answered = max(self.answered, message["client_seq"] + message.get("count", 1) - 1)
        else:  # begin anew: the flood must go on, not each of its messages
            self.client_id += "+"
            self.client_id = self.client_id[-60:]
            self.session = self.said = self.answered = 0

    def end(self) -> None:
        """Close the link."""
        if self.link is not None:
            self.link.close()
        self.link = None


def deaf(visit: Visit) -> None:
    """Subscribe to everything again and again, and never read."""
    links: list[RawLink] = []
    while visit.going:
        if len(links) < 64:
            node = visit.nodes[len(links) % len(visit.nodes)]
            link = visit.client(node, "deaf")
            if link is not None:
                with suppress(OSError):
                    link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                link.socket.settimeout(0.01)
                links.append(link)
        for link in list(links):
            if not visit.say(link, link.frame({"type": "SUBSCRIBE", "after": 0})):
                links.remove(link)
                link.close()
        visit.wait(0.02)
    for link in links:
        link.close()


Attack = Callable[[Visit], None]

ATTACKS: dict[str, Attack] = {
    "scan": scan, "crowd": crowd, "noise": noise, "slow": slow, "deep": deep, "half-open": half_open, "hello": hello,
    "replay": replay, "ceiling": ceiling, "frames": frames, "theft": theft, "flood": flood, "deaf": deaf,
    "reset": reset,
}  # fmt: skip
"""Every attack by its name, in the order in which they are tried."""


def about(name: str) -> str:
    """Return what the attack does, in one sentence."""
    return (ATTACKS[name].__doc__ or "").partition("\n")[0]
