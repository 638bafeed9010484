"""Orders: what people tell a node that has no door for them: a file in its data folder.

    chatsys cluster accept 2 --> data/node1/orders/accept-2 --a running node looks every second--> Accept(2)
    chatsys cluster leave 4  --> data/node1/orders/leave-4  --a stopped one, when it starts------> RemoveLearner(4)

A node has one port, and that is for members and clients.  So who may write the data folder may give orders, and
nobody else.  The file goes when what it brought about is durable, so whoever left it sees what became of it.

Promises  an order is a whole file or none; what is no order is let alone; an order is taken once: one whose file
          this node may not delete is not taken, for it would be taken again with every look, and let in any disk.
Read also `protocol.identity` (what accepting means), `protocol.learning.admission` (what leaving means),
`commands.accepting` and `commands.leaving` (who leaves orders), `host` (who looks).
"""

import asyncio
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from chatsys.actor.events import Accept, RemoveLearner
from chatsys.errors import UsageError
from chatsys.surroundings import cannot_write

FOLDER = "orders"
INTERVAL = 1.0
"""Seconds between two looks."""
Order = Accept | RemoveLearner
_NAMES: dict[str, type[Order]] = {"accept": Accept, "leave": RemoveLearner}
_SAID = {
    Accept: "The disk of node {} is a new one: accept it.",
    RemoveLearner: "Learner {} is gone for good: let its id be free again.",
}
_ORDER = re.compile(rf"({'|'.join(_NAMES)})-(\d{{1,9}})")


def leave(data: Path, order: Order) -> Path:
    """Leave an order in a data folder; return its file.  Raises `UsageError`."""
    name = next(name for name, kind in _NAMES.items() if isinstance(order, kind))
    path = data / FOLDER / f"{name}-{order.node}"
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(exist_ok=True)
        _give_to_owner_of(data, path.parent)
        fresh.write_text(_SAID[type(order)].format(order.node) + "\n")
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise UsageError(cannot_write(path, error)) from None
    return path


def _give_to_owner_of(data: Path, folder: Path) -> None:
    """Let the node delete its orders also if the superuser leaves them: who owns its data folder owns `folder`."""
    owner = data.stat()
    if hasattr(os, "chown") and folder.stat().st_uid != owner.st_uid:
        with suppress(OSError):
            os.chown(folder, owner.st_uid, owner.st_gid)


def waiting(data: Path) -> dict[Path, Order]:
    """Return the orders in a data folder, by their files."""
    try:
        found = {path: _ORDER.fullmatch(path.name) for path in sorted((data / FOLDER).iterdir()) if path.is_file()}
    except OSError:
        return {}
    return {path: _NAMES[match[1]](int(match[2])) for path, match in found.items() if match}


class Orders:
    """The orders that one life of a node takes."""

    def __init__(
        self,
        data: Path,
        give: Callable[[msgspec.Struct], None],
        is_durable: Callable[[], bool],
        tell: Callable[[str], None],
    ) -> None:
        self.data, self.give, self.is_durable, self.tell = data, give, is_durable, tell
        self.taken: set[Path] = set()
        """Given to the actor, and not known to be durable yet, or not gone yet."""
        self.left: set[Path] = set()
        """Of these it was told that they are not taken."""
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """Look now, and again every second."""
        if self.taken and self.is_durable():
            self.taken = {path for path in self.taken if not _went(path)}
        for path, order in waiting(self.data).items():
            if path not in self.taken and self._may_go(path):
                self.taken.add(path)
                self.give(order)
        self._timer = asyncio.get_running_loop().call_later(INTERVAL, self.watch)

    def _may_go(self, path: Path) -> bool:
        """Tell whether this node may delete the file; if not, say so once."""
        if os.access(path.parent, os.W_OK | os.X_OK):
            return True
        if path not in self.left:
            self.left.add(path)
            self.tell(
                f"The order {path} is not taken: this node may not delete it. Give the folder {path.parent} to the user "
                "that runs this node."
            )
        return False

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()


def _went(path: Path) -> bool:
    """Delete the file of an order, and tell whether it is gone."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
