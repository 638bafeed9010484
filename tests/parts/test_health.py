"""The health file: fresh while a node lives, ready once it has caught up, gone when the node is."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chatsys.runtime import health as page
from chatsys.runtime.health import Health


class Fake:
    """A host of which the status is what a test says."""

    def __init__(self, **status: Any) -> None:
        self.said = status

    def status(self) -> dict[str, Any]:
        return self.said


def test_ready_is_said_once_caught_up_and_stays_when_the_leader_goes(tmp_path: Path) -> None:
    path = tmp_path / "health"
    health, host = Health(path, 1, pytest.fail), Fake(leader=None, level=False)
    lines = []

    async def story() -> None:
        for leader, level in ((None, False), (3, False), (3, True), (None, False), (1, False)):
            host.said = {"leader": leader, "level": level, "term": 2}
            health.watch(host)
            lines.append(path.read_text())
        health.leave()
        lines.append(path.read_text())

    asyncio.run(story())
    assert lines == [
        "waiting: node 1 knows no leader yet\n",
        "waiting: node 1 follows node 3, term 2, and has not caught up yet\n",
        "ready: node 1 follows node 3, term 2\n",
        "ready: node 1 knows no leader at the moment\n",
        "ready: node 1 leads term 2\n",
        "leaving: node 1 has been told to stop\n",
    ]
    health.stop()
    assert list(tmp_path.iterdir()) == []


def test_the_file_stays_fresh_while_the_loop_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "INTERVAL", 0.001)
    path = tmp_path / "health"

    async def story() -> None:
        Health(path, 1, pytest.fail).watch(Fake())
        for _ in range(2):
            path.unlink()
            async with asyncio.timeout(5):
                while not path.exists():
                    await asyncio.sleep(0.001)

    asyncio.run(story())


def test_what_an_earlier_life_wrote_is_gone_before_this_one_reads_its_log(tmp_path: Path) -> None:
    path = tmp_path / "health"
    path.write_text("ready: that was long ago\n")
    Health(path, 1, pytest.fail)
    assert not path.exists()


def test_a_file_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    told: list[str] = []
    path = tmp_path / "gone" / "health"

    async def story() -> None:
        health = Health(path, 1, told.append)
        for _ in range(3):
            health.watch(Fake())

    asyncio.run(story())
    assert told == [
        f"The health file {path} cannot be written: No such file or directory; name a file in a folder that exists. The "
        "node goes on; whoever looks sees no life."
    ]
