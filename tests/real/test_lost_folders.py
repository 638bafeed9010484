"""Real folders that are emptied, replaced and put back: a member is known by its disk, in processes and terminals too."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pingpong import Counted
from typed import Run

from chatsys import Cluster
from chatsys.actor.events import Accept
from chatsys.actor.logfile import LOG
from chatsys.check import check
from chatsys.errors import DiskFailed
from chatsys.runtime.disk import LOCK, Disk
from chatsys.runtime.orders import leave, waiting


def test_an_emptied_folder_is_refused_by_processes_and_taken_in_when_it_was_accepted() -> None:
    """Node 1 is down while nodes 2 and 3 acknowledge a message; then 2 loses its folder, and 1 and 2 go on without 3."""
    with Cluster(3, "processes", timing="fast") as cluster:
        assert cluster.until(lambda: cluster.leader == 3, 10)
        cluster.say("first")
        cluster.until(lambda: len(cluster.trace.of("ack")) == 1, 5)
        cluster.run(1.0)  # everybody has met everybody, and written it down
        cluster.crash(1)
        cluster.say("kept")
        assert cluster.until(lambda: len(cluster.trace.of("ack")) == 2, 5)
        cluster.crash(2)
        cluster.crash(3)
        cluster.wipe(2)
        cluster.restart(1)
        cluster.restart(2)
        assert cluster.until(lambda: not cluster.status()[2]["alive"], 5)
        (node, sentence), state = cluster.failures[-1], cluster.status()[2]
        assert node == 2 and "Node 1 refuses node 2" in sentence and state["failure"] == sentence
        cluster.run(0.8)
        assert cluster.leader is None
        cluster.restart(3)
        assert cluster.until(lambda: cluster.leader, 5)
        assert cluster.accept(2) == "Nodes 1 and 3 are told."
        cluster.restart(2)
        assert cluster.until(lambda: all(cluster.delivered(one) == ["first", "kept"] for one in (1, 2, 3)), 5)
        assert check(cluster.trace) == []


def test_a_node_in_a_terminal_leaves_with_code_4_and_cluster_accept_brings_it_back(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatsys.commands.accepting.PATIENCE", 2.0)
    monkeypatch.setattr("chatsys.runtime.orders.INTERVAL", 0.1)
    with Cluster(3, data=tmp_path / "all", timing="fast") as cluster:
        cluster.until(lambda: cluster.leader == 3, 5)
        cluster.say("first")
        assert cluster.until(lambda: cluster.delivered(1) == cluster.delivered(2) == ["first"], 5)
        cluster.crash(2)
        config = tmp_path / "node2.yml"
        members = "".join(f"  {node}: {address}\n" for node, address in cluster.config.members.items())
        text = f"node: 2\nmembers:\n{members}timing:\n  profile: fast\ndata: "
        config.write_text(f"{text}{tmp_path}/all/node1-of-another\n")
        shutil.copytree(tmp_path / "all/node1", tmp_path / "all/node1-of-another")
        code, _, said = run("node", "--config", config)
        assert code == 4 and "belongs to node 1" in said and "Traceback" not in said
        shutil.rmtree(tmp_path / "all/node1-of-another")
        config.write_text(f"{text}{tmp_path}/all/node2\n")
        cluster.wipe(2)
        code, _, said = run("node", "--config", config)
        assert code == 4 and "refuses node 2" in said and "chatsys cluster accept 2" in said and "Traceback" not in said
        cluster.crash(1)
        code, out, _ = run("cluster", "accept", 2, "--data", tmp_path / "all")
        assert code == 0
        assert "node 3 has taken the order to accept the new disk of node 2." in out
        assert "node 1 is not running, or is busy: it takes the order" in out
        cluster.restart(1)
        cluster.restart(2)
        assert cluster.until(lambda: cluster.delivered(1) == cluster.delivered(2) == ["first"], 5)
        assert cluster.until(lambda: not waiting(tmp_path / "all/node1"), 20), "an order that was taken is gone"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("9", "--data", "all"), "ID is 9, and there is no such node in all; there are 1, 2"),
        (("2", "--data", "nowhere"), "There are no nodes in nowhere; name the folder that cluster up was given"),
        (("2", "--data", "all", "--config", "one.yml"), "--data and --config were both given"),
        (("9", "--config", "one.yml"), "ID is 9, which is not a member; the members are 1, 2, 3"),
        (("1", "--config", "one.yml"), "one.yml is the file of node 1 itself"),
        (("2", "--config", "one.yml"), "The data folder nothing/here of node 1 is not there"),
        (("two",), "Invalid value for 'ID'"),
    ],
)
def test_who_cannot_be_accepted_is_told_in_one_sentence(
    words: tuple[str, ...], sentence: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for node in (1, 2):
        (tmp_path / f"all/node{node}").mkdir(parents=True)
    (tmp_path / "one.yml").write_text("node: 1\nmembers: {1: a:1, 2: a:2, 3: a:3}\ndata: nothing/here\n")
    code, _, said = run("cluster", "accept", *words)
    assert code == 2 and sentence in said and "Traceback" not in said
    assert not any(waiting(tmp_path / f"all/node{node}") for node in (1, 2))


def test_an_order_is_a_whole_file_with_the_right_name(tmp_path: Path) -> None:
    leave(tmp_path, Accept(2))
    (tmp_path / "orders/accept-x").write_text("")
    (tmp_path / "orders/.accept-3.new").write_text("")
    assert list(waiting(tmp_path).values()) == [Accept(2)]


def _removed(path: Path) -> None:
    path.unlink()


def _replaced(path: Path) -> None:
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)


def _moved_with_its_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


@pytest.mark.parametrize("accident", [_removed, _replaced, _moved_with_its_folder])
@pytest.mark.parametrize("name", [LOG, LOCK])
def test_nothing_is_durable_in_a_file_that_is_no_longer_in_its_place(
    accident: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    async def write() -> Any:
        disk = Disk(tmp_path / "node1", (Counted,))
        told: asyncio.Queue[Any] = asyncio.Queue()
        disk.done, disk.failed = told.put_nowait, told.put_nowait
        disk.start()
        disk.write([Counted(1)])
        disk.flush()
        assert await asyncio.wait_for(told.get(), 5) == 1
        accident(tmp_path / "node1" / name)
        disk.write([Counted(2)])
        disk.flush()
        outcome = await asyncio.wait_for(told.get(), 5)
        await asyncio.to_thread(disk.gone)
        return outcome

    outcome = asyncio.run(write())
    assert isinstance(outcome, DiskFailed) and "deleted or replaced while the node ran" in str(outcome)
