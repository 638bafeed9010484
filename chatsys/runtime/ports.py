"""Ports: free local ports for the nodes of one cluster.

A socket that is bound but does not listen keeps other programs away while a node is down, and is
refused to who dials it, as a dead node must be.

Read also `cluster`.
"""

import socket
import sys
from collections.abc import Iterable


class Ports:
    """Free local ports, kept from other programs while a node is down (where the system can)."""

    def __init__(self, nodes: Iterable[int]) -> None:
        self.members: dict[int, str] = {}
        self._kept: list[socket.socket] = []
        for node in nodes:
            kept = socket.socket()
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            kept.bind(("127.0.0.1", 0))
            self._kept.append(kept)
            self.members[node] = f"127.0.0.1:{kept.getsockname()[1]}"
        if sys.platform != "linux":  # elsewhere a bound port cannot be listened on by a second socket
            self.free()

    def free(self) -> None:
        """Let go of the ports."""
        for kept in self._kept:
            kept.close()
