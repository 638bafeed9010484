"""A visit: what an outsider knows, and the plain sockets with which it comes.

The outsider is no member and has no secret.  It knows the addresses and the cluster's name, and with
these any node tells a client the members, its life and its digest in the hello.  By a subscription
it reads the chat as every client may: terms, positions, and whatever names stand beside a message.

    Visit --connect--> node 1, 2, 3      bounded: in seconds, in connections at a time, in lines a second
      `-- Spy: a subscription that is read, to speak with the newest term and in sessions found there

Nothing here is checked before it is sent: an outsider's JSON may be anything.  So this uses no codec
of the project, only its way to write a line.

Promises  a visit ends by itself at `end`, whatever the nodes do; every socket is closed.
Read also `attacks` (what is done on a visit), `runtime.net.wire` (what the lines mean).
"""

import json
import socket
import struct
import time
from contextlib import suppress
from random import Random
from typing import Any

from chatsys.runtime.net.wire import PROTOCOL

RESET = struct.pack("ii", 1, 0)
PATIENCE = 1.0
"""Seconds that connecting, or sending to one who does not read, may take."""
GREETING = 3.0
"""Seconds within which a node should answer a hello."""


def written(value: Any) -> bytes:
    """Return `value` as one line of JSON, whatever it is."""
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


class RawLink:
    """One connection with its lines: what was sent, and what came back."""

    def __init__(self, address: tuple[str, int], patience: float = PATIENCE) -> None:
        """Connect; raises `OSError`."""
        self.socket = socket.create_connection(address, timeout=patience)
        self.number = 0
        self._came = b""

    def frame(self, message: dict[str, Any]) -> bytes:
        """Return `message` as the next frame of this link."""
        self.number += 1
        return written({"n": self.number, "clock": self.number, "message": message})

    def send(self, data: bytes) -> bool:
        """Send all of it within the link's patience; return whether that went well."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def heard(self, seconds: float = 0.0) -> list[dict[str, Any]] | None:
        """Return the lines that come within so many seconds (0: that are here), None when the link has ended."""
        patience = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(1 << 20)
        except (TimeoutError, BlockingIOError):
            return []
        except OSError:
            return None
        finally:
            self.socket.settimeout(patience)
        if not data:
            return None
        *lines, self._came = (self._came + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def reset(self) -> None:
        """End the connection as a crash does."""
        with suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close()

    def close(self) -> None:
        """End the connection in peace."""
        self.socket.close()


def greet(link: RawLink, hello: dict[str, Any], seconds: float = GREETING) -> dict[str, Any]:
    """Say hello and return the answer; `{}` if none came."""
    if not link.send(written(hello)):
        return {}
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        lines = link.heard(left)
        if lines is None:
            break
        if lines:
            return lines[0]
    return {}


def client_hello(cluster: str, name: str) -> dict[str, Any]:
    """Return the hello of an ordinary client."""
    return {"type": "hello", "protocol": PROTOCOL, "cluster": cluster, "role": "client", "name": name}


class Visit:
    """An outsider's knowledge and means for so many seconds."""

    def __init__(self, addresses: dict[int, tuple[str, int]], cluster: str, seconds: float, seed: int) -> None:
        self.addresses, self.cluster = addresses, cluster
        self.chance = Random(seed)
        self.end = time.monotonic() + seconds
        self.connections = self.lines = 0
        self.told = {node: told for node in addresses if (told := self._ask(node)).get("type") == "hello"}
        """What each node says of itself to any client."""

    @property
    def going(self) -> bool:
        """Whether the visit is not over."""
        return time.monotonic() < self.end

    @property
    def nodes(self) -> tuple[int, ...]:
        """The members' ids."""
        return tuple(sorted(self.addresses))

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Every member's name with every other member to whom it can be told."""
        return [(name, other) for name in self.nodes for other in self.nodes if name != other]

    def _ask(self, node: int) -> dict[str, Any]:
        link = self.connect(node)
        if link is None:
            return {}
        answer = greet(link, client_hello(self.cluster, "visitor"))
        link.close()
        return answer

    def connect(self, node: int, patience: float = PATIENCE) -> RawLink | None:
        """Return a new connection to `node`, None if there is none to be had."""
        try:
            link = RawLink(self.addresses[node], patience)
        except OSError:
            return None
        self.connections += 1
        return link

    def client(self, node: int, name: str = "visitor", patience: float = PATIENCE) -> RawLink | None:
        """Return a link of a client that was greeted, None if there is none to be had."""
        link = self.connect(node, patience)
        if link is not None and greet(link, client_hello(self.cluster, name)).get("type") != "hello":
            link.close()
            return None
        return link

    def member_hello(self, name: int, incarnation: int | None = None) -> dict[str, Any]:
        """Return the hello of the member `name`, in its own life or in another one."""
        told = self.told.get(name, {})
        host, port = self.addresses[name]
        digest = next((one["config_digest"] for one in self.told.values() if one.get("config_digest")), "")
        return {
            **{key: value for key, value in told.items() if key == "identity"},
            "type": "hello", "protocol": PROTOCOL, "cluster": self.cluster, "role": "node", "node": name,
            "incarnation": told.get("incarnation", 1) if incarnation is None else incarnation,
            "address": f"{host}:{port}", "config_digest": digest,
        }  # fmt: skip

    def say(self, link: RawLink, *data: bytes) -> bool:
        """Send these lines on `link` and count them; return whether that went well."""
        self.lines += len(data)
        return link.send(b"".join(data))

    def wait(self, seconds: float) -> None:
        """Do nothing for so long, or until the visit is over."""
        time.sleep(max(0.0, min(seconds, self.end - time.monotonic())))


class Spy:
    """A subscription that is read: the newest term and position, and each author's newest session."""

    def __init__(self, visit: Visit, node: int) -> None:
        self.visit, self.node = visit, node
        self.term, self.seq = 1, 1
        self.number = 0
        self.entries: dict[str, dict[str, Any]] = {}
        """The newest message of each author."""
        self._link: RawLink | None = None
        self._asked = 0.0

    def look(self, seconds: float = 0.0) -> None:
        """Read what came."""
        if self._link is None:
            self._link = self.visit.client(self.node, "spy")
            self._asked = 0.0
        if self._link is None:
            return
        if time.monotonic() - self._asked > 0.25:  # confirms what was read, so that more comes
            self._asked = time.monotonic()
            self._link.send(self._link.frame({"type": "SUBSCRIBE", "after": self.number}))
        lines = self._link.heard(seconds)
        if lines is None:
            self._link.close()
            self._link = None
            return
        for line in lines:
            self._read(line.get("message", {}))

    def _read(self, message: dict[str, Any]) -> None:
        if message.get("type") != "DELIVERED":
            return
        for entry, number in zip(message["entries"], message["numbers"], strict=False):
            self.seq = max(self.seq, entry["seq"])
            self.term = max(self.term, entry.get("term", 0))  # nodes of an older version tell it
            self.number = max(self.number, number)
            self.entries[entry.get("author", "")] = entry
