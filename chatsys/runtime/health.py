"""Health: a file by which others see that a node lives, and whether it has caught up, at the cost of a look.

    chatsys node --health /run/chatsys/health

    waiting: node 1 knows no leader yet          written anew every second, on the node's event loop
    ready: node 1 follows node 3, term 2         once it has caught up with a leader, for the rest of this life
    leaving: node 1 has been told to stop        from then on, until the file goes with the node

    is it alive?           the file is fresh: its loop turns       find FILE -newermt '-15 seconds'
    may the next one go?   its first word is "ready"               grep -q ^ready FILE

Whoever keeps nodes running (Kubernetes, Docker) wants both answers every few seconds, from each node.  A Python that
starts for it takes longer than the node needs to serve a hundred messages, and an open port would be one more to guard.

Why *ready* stays.  It answers whether this life has everything that was committed before it, so that the next node may
be restarted.  A leader may be lost at any time; if readiness went with it, then all nodes would be unready at once,
clients would be sent to none of them, and whoever restarts what is unready would make a short election a long one.
For the same reason nothing here asks who leads: a follower is as ready as its leader.

Assumes   the file stands on a disk that answers at once, as one in memory does: it is written on the loop.
Promises  what an earlier life wrote is gone before this one reads its log; a reader finds a whole line or no file;
          a file that cannot be written is told once, and stops no node.
Read also `service` (whose node this is), `deploy/k8s` and its README (who asks).
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from chatsys.surroundings import cannot_write

INTERVAL = 1.0
"""Seconds between two writes."""


class Watched(Protocol):
    """What is asked of a host."""

    def status(self) -> dict[str, Any]:
        """What people want to know of its actor."""


class Health:
    """The file of one life; with no path nothing is written.  `tell` takes a sentence for people."""

    def __init__(self, path: Path | None, node: int, tell: Callable[[str], None]) -> None:
        self.path, self.node, self.tell = path, node, tell
        self.ready = self.left = False
        self._told = False
        self._timer: asyncio.TimerHandle | None = None
        self._remove()

    def watch(self, host: Watched) -> None:
        """Write now, and again every second."""
        if self.path is None:
            return
        self._write(self.path, self._line(host.status()))
        self._timer = asyncio.get_running_loop().call_later(INTERVAL, self.watch, host)

    def leave(self) -> None:
        """The node was told to stop: say so from now on."""
        self.left = True
        if self.path is not None:
            self._write(self.path, self._line({}))

    def stop(self) -> None:
        """The node is gone, and so is the file."""
        if self._timer is not None:
            self._timer.cancel()
        self._remove()

    def _line(self, status: dict[str, Any]) -> str:
        """Return what the file says, one line."""
        self.ready = self.ready or bool(status.get("level", True))
        leader, me = status.get("leader"), f"node {self.node}"
        if self.left:
            return f"leaving: {me} has been told to stop"
        if leader is None:
            where = f"{me} knows no leader {'at the moment' if self.ready else 'yet'}"
        elif leader == self.node:
            where = f"{me} leads term {status.get('term')}"
        else:
            where = f"{me} follows node {leader}, term {status.get('term')}"
        behind = "" if self.ready or leader is None else ", and has not caught up yet"
        return f"{'ready' if self.ready else 'waiting'}: {where}{behind}"

    def _write(self, path: Path, text: str) -> None:
        fresh = path.with_name(f".{path.name}.new")
        try:
            fresh.write_text(f"{text}\n")
            os.replace(fresh, path)
            self._told = False
        except OSError as error:
            if not self._told:
                self._told = True
                self.tell(f"The health file {cannot_write(path, error)} The node goes on; whoever looks sees no life.")

    def _remove(self) -> None:
        if self.path is not None:
            for path in (self.path, self.path.with_name(f".{self.path.name}.new")):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
