"""The status file: what a node says of itself each second, in its data folder, for whoever may read that.

    data/node1/status.json      one line of JSON, replaced as a whole every second
        its age       tells whether the node's event loop turns       `find data/node1/status.json -mmin -0.2`
        what it says  tells how the node is                           `grep '"level":true' data/node1/status.json`

A node has one port, and that is for members and clients: what a stranger may learn there is little, on purpose
(SPECIFICATION R10.14), and a second port would be one more to guard.  So the way to a node's health is the one
on which it takes its orders, its folder.  A probe is a look at a file: no connection, no program of ours to start.

    {"time":1764129492.1,"state":"up","caught_up":true,"level":true,"node":1,"role":"follower","term":3,...}

Why *level* stays, and *caught up* does not.  A node is level once it has caught up in this life: it has everything that
was committed before it began, so the next node may be restarted.  The leader may be lost at any time, and for a moment
nobody has caught up with anyone.  If those who keep nodes running asked that, all nodes would be unready at once, clients
would be sent to none of them, and a short election would become a long one.

Promises  the file is whole whenever it is read; a disk that cannot take it stops no node, and as long as the node
          turns the file is not old; a node that ended in peace says so in it ("stopped"), one that was killed does not.
Read also `orders` (the way in), `service` (whose file this is), `commands.nodes` (cluster status, which reads it).
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from chatsys.errors import ChatsysError
from chatsys.runtime.disk import in_use
from chatsys.surroundings import private

STATUS = "status.json"
INTERVAL = 1.0
"""Seconds between two writes."""
OLD = 10.0
"""Seconds after which nobody should believe the file any more."""


class StatusFile:
    """Keeps the status file of one life of a node fresh; `facts` says what stands in it."""

    def __init__(self, folder: Path, facts: Callable[[], Mapping[str, Any]]) -> None:
        self.path, self.facts = folder / STATUS, facts
        self.state = "up"
        """What this life says of itself as long as it goes on: "up", then "leaving"."""
        self.level = False
        """Whether this node has caught up once in this life."""
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None

    def begin(self) -> None:
        """Remove what an earlier life said; not what a node says that runs in this folder, for which we will not begin."""
        with suppress(OSError, ChatsysError):
            if not in_use(self.path.parent):
                self.path.unlink(missing_ok=True)

    def keep(self) -> None:
        """Write now, and again every second; in a thread, because a disk may be slow."""
        loop = asyncio.get_running_loop()
        if self._writing is None or self._writing.done():
            self._writing = loop.run_in_executor(None, write, self.path, self._line(self.state))
        self._timer = loop.call_later(INTERVAL, self.keep)

    async def end(self, state: str, why: str = "") -> None:
        """Write a last time: this life is over ("stopped", "failed"), and why."""
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await asyncio.wait({self._writing}, timeout=INTERVAL)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(write, self.path, self._line(state, why)), INTERVAL)

    def _line(self, state: str, why: str = "") -> bytes:
        facts = self.facts()
        caught_up = state == "up" and facts.get("behind") == 0
        self.level = self.level or caught_up
        told = {
            "time": round(time.time(), 3),
            "state": state,
            "caught_up": caught_up,
            "level": self.level and state == "up",
        }
        return msgspec.json.encode(told | ({"why": why} if why else {}) | dict(facts)) + b"\n"


def write(path: Path, line: bytes) -> None:
    """Replace the file as a whole; where the disk takes no new one, the old one is at least not old."""
    fresh = path.with_suffix(".new")
    try:
        with open(fresh, "wb", opener=private) as file:
            file.write(line)
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        with suppress(OSError):
            os.utime(path)


def read(folder: Path) -> dict[str, Any] | None:
    """Return what the node of this folder said last, with its `age` in seconds; None if it never said anything.

    Raises `OSError` for a file that cannot be read.
    """
    path = folder / STATUS
    try:
        facts = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        age = time.time() - path.stat().st_mtime
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):  # a DecodeError is a ValueError
        return None
    return facts | {"age": max(0.0, age)}
