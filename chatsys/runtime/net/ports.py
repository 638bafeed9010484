"""Ports: free local ports for the nodes of one cluster, the usual network for it.

A socket that is bound but does not listen keeps other programs away while a node is down, and is
refused to who dials it, as a dead node must be.

A name may stand for addresses that this machine does not have: `localhost` is often written down as
`::1` too where IPv6 is off.  `here` leaves those out before a node listens.

Read also `cluster`; `namespaces` and `containers` (networks of the nodes' own).
"""

import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Iterable
from typing import Any, Protocol

from chatsys.capabilities import PROCESSES, SOCKETS, THREADS, need
from chatsys.errors import ChatsysError, UsageError
from chatsys.runtime.net.rules import RuleSet
from chatsys.surroundings import advice, reason


class Network(Protocol):
    """Where the nodes of a cluster listen, and who breaks the links between them."""

    members: dict[int, str]
    """The address of each node."""

    def add(self, node: int) -> str:
        """Make room for one more node, which is no member; return its address, the same if it had one before."""

    def launch(self, node: int) -> tuple[str, ...]:
        """Return the words before the command that starts this node's process."""

    def lay(self, rules: RuleSet) -> RuleSet:
        """Let the network itself do what it can of `rules`; return the rest, for the transports."""

    def free(self) -> None:
        """Let go of everything; again is harmless."""


WHERE = ("kernel", "processes", "namespaces", "containers")


def check_here(where: Any) -> None:
    """Raise `UsageError` for a `where` that does not exist, `NotHere` for one that this system cannot have."""
    if where not in WHERE:
        raise UsageError(
            f"where is {where!r:.80}; write 'kernel', 'processes', 'namespaces' or 'containers' "
            "(World is the simulated one)."
        )
    asked = (THREADS, SOCKETS) if where == "kernel" else (THREADS, SOCKETS, PROCESSES)
    need(f"Cluster(where={where!r})", *asked, instead="use a World, which has the same verbs and needs none of them")


def network(where: str, nodes: Iterable[int]) -> Network:
    """Return the network for nodes that run there.  Raises `NotHere` where it is impossible."""
    if where == "namespaces":
        from chatsys.runtime.net.namespaces import Namespaces

        return Namespaces(nodes)
    if where == "containers":
        from chatsys.runtime.net.containers import Containers

        return Containers(nodes)
    return Ports(nodes)


class Ports:
    """Free local ports, kept from other programs while a node is down (where the system can)."""

    def __init__(self, nodes: Iterable[int]) -> None:
        self.members: dict[int, str] = {}
        self._kept: list[socket.socket] = []
        self._others: dict[int, str] = {}
        try:
            for node in nodes:
                self.members[node] = self._port()
        except ChatsysError:
            self.free()
            raise
        if sys.platform != "linux":  # elsewhere a bound port cannot be listened on by a second socket
            self.free()

    def _port(self) -> str:
        kept = socket.socket()
        self._kept.append(kept)
        try:
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            kept.bind(("127.0.0.1", 0))
        except OSError as error:
            raise ChatsysError(
                f"The nodes find no ports on 127.0.0.1 ({reason(error)}); {advice(error, 'use a World instead')}."
            ) from None
        return f"127.0.0.1:{kept.getsockname()[1]}"

    def add(self, node: int) -> str:
        """Return the address of one more node."""
        if node not in self._others:
            self._others[node] = self._port()
            if sys.platform != "linux":
                self.free()
        return self._others[node]

    def launch(self, node: int) -> tuple[str, ...]:
        """Return nothing: a process begins as it is."""
        return ()

    def lay(self, rules: RuleSet) -> RuleSet:
        """Return all of it: the transports must do it."""
        return rules

    def free(self) -> None:
        """Let go of the ports."""
        for kept in self._kept:
            kept.close()


# --- where a node listens ---------------------------------------------------------------------

FIRST_FREE = 1024
"""Ports below this one are kept for root on most systems."""


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches who listens there; a name that cannot be resolved may be anything."""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
        return all(ipaddress.ip_address(str(one).partition("%")[0]).is_loopback for one in found)
    except (OSError, ValueError):
        return False


def cannot_listen(address: str, error: Exception) -> str:
    """Say why a node cannot listen at `address`, and what to do about it."""
    if isinstance(error, socket.gaierror):
        return f"The name in {address} cannot be resolved ({error.strerror}); correct it, or write the number of an address."
    number = getattr(error, "errno", None)
    why = os.strerror(number).lower() if number else str(error)
    match number:
        case errno.EADDRINUSE:
            what = "stop the other program there, or choose another port"
        case errno.EADDRNOTAVAIL:
            what = "it is no address of this machine: write one that is, in members or as listen"
        case errno.EACCES:
            what = f"ports below {FIRST_FREE} are for root only: choose another port"
        case _:
            what = advice(error, "choose another address")
    return f"The address {address} cannot be used ({why}); {what}."
