"""Orders: files in a data folder; each is taken once."""

import asyncio
import os
from pathlib import Path

import pytest

from chatsys.actor.events import Accept, RemoveLearner
from chatsys.runtime.orders import Orders, leave, waiting

pytestmark = pytest.mark.quick


def looks(data: Path, times: int) -> tuple[list[object], list[str]]:
    """Let a node look so many times; return which orders it took, and what it told."""
    given: list[object] = []
    told: list[str] = []

    async def story() -> None:
        one = Orders(data, given.append, lambda: True, told.append)
        for _ in range(times):
            one.watch()
            one.stop()

    asyncio.run(story())
    return given, told


def test_an_order_is_taken_once_and_goes(tmp_path: Path) -> None:
    leave(tmp_path, Accept(2))
    leave(tmp_path, RemoveLearner(2))
    (tmp_path / "orders/accept-3").mkdir()
    assert looks(tmp_path, 3) == ([Accept(2), RemoveLearner(2)], []) and waiting(tmp_path) == {}


def test_an_order_whose_file_stays_is_not_taken_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(tmp_path, Accept(2))

    def stays(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "it stays")

    monkeypatch.setattr(Path, "unlink", stays)
    assert looks(tmp_path, 5) == ([Accept(2)], [])


def test_an_order_that_may_not_be_deleted_is_not_taken_but_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = leave(tmp_path, Accept(2))
    monkeypatch.setattr(os, "access", lambda folder, how: False)
    given, (sentence,) = looks(tmp_path, 3)
    assert given == [] and str(path) in sentence and "Give the folder" in sentence


def test_an_order_of_the_superuser_lies_in_a_folder_of_the_nodes_own_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[Path, int]] = []
    monkeypatch.setattr(os, "chown", lambda path, user, group: given.append((path, user)), raising=False)

    class Folder:
        st_uid, st_gid = 4321, 4321

    stat = Path.stat
    monkeypatch.setattr(Path, "stat", lambda path, **more: Folder() if path == tmp_path else stat(path, **more))
    leave(tmp_path, Accept(2))
    assert given == [(tmp_path / "orders", 4321)]
