"""Folder: the data folder of one node, as those see it who empty, copy and restore it from outside.

    wipe -----> empty            copy ----> copy_to(a folder of the cluster)
    accept ---> leave            restore -> empty, fill_from(that folder)

A node may run meanwhile: what it does about a folder that was changed under it is the node's own affair.

Promises  what is copied is copied byte for byte.
Read also `container` (the same for a volume of the engine), `orders` (what is left there), `supervisor` (who asks).
"""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from chatsys.runtime import orders


class DataFolder(Protocol):
    """What a cluster does to the folder of a node, from any thread; each raises `OSError` or `ChatsysError`."""

    def empty(self) -> None:
        """Remove all that is in it."""

    def copy_to(self, place: Path) -> None:
        """Copy all that is in it to `place`, which does not exist yet."""

    def fill_from(self, place: Path) -> None:
        """Copy all that is in `place` into it."""

    def leave(self, node: int) -> None:
        """Leave the order to accept the new disk of `node` in it."""


class HostFolder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def empty(self) -> None:
        """Remove all that is in it."""
        for path in self.path.iterdir() if self.path.is_dir() else ():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                with suppress(FileNotFoundError):
                    path.unlink()

    def copy_to(self, place: Path) -> None:
        """Copy all that is in it."""
        shutil.copytree(self.path, place, dirs_exist_ok=True)

    def fill_from(self, place: Path) -> None:
        """Copy all that is in `place` into it."""
        shutil.copytree(place, self.path, dirs_exist_ok=True)

    def leave(self, node: int) -> None:
        """Leave an order in it."""
        orders.leave(self.path, node)
