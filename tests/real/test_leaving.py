"""A node that is told to stop: SIGTERM hands the lead over, a second one ends it; what its operator reads meanwhile."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from test_terminals import await_ports, say, start, stop
from typed import Run, Where, refused

from chatsys import Cluster
from chatsys.check import check
from chatsys.check.liveness import check_live
from chatsys.runtime.service import _signals
from chatsys.surroundings import TOGETHER


@pytest.mark.parametrize("where", ["kernel", "processes"])
def test_a_leader_that_is_shut_down_hands_over_under_load_and_nothing_is_lost(where: Where) -> None:
    with Cluster(3, where) as cluster:
        assert cluster.until(lambda: cluster.leader == 3)
        cluster.say("line 0")
        assert cluster.until(lambda: cluster.trace.of("ack"))
        calm = cluster.now
        left = cluster.submit(cluster.shutdown, 3)
        for number in range(1, 30):
            cluster.say(f"line {number}")
            cluster.run(0.02)
        left.result(10)
        assert cluster.until(lambda: cluster.leader == 2) and not cluster.status()[3]["alive"]
        lines = [f"line {number}" for number in range(30)]
        assert cluster.until(lambda: cluster.delivered(1) == cluster.delivered(2) == lines)
        assert cluster.until(lambda: len(cluster.trace.of("ack")) == 30) and not cluster.trace.of("indeterminate")
        (last,) = cluster.trace.of("stop")
        assert last.node == 3 and last.role == "follower"
        assert check(cluster) == [] and check_live(cluster, calm, laws=("L7",)).violations == ()
        cluster.restart(3)
        assert cluster.until(lambda: cluster.delivered(3) == lines)


def test_two_signals_that_come_together_are_one_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    """`timeout` tells the process and then its group, and the second one ended the node without handing over."""

    async def told() -> list[bool]:
        _, again = _signals(asyncio.get_running_loop())
        heard = []
        for together in (60.0, 60.0, 0.0):  # seconds; the third one comes when they are over
            monkeypatch.setattr("chatsys.runtime.service.TOGETHER", together)
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0.01)
            heard.append(again.is_set())
        return heard

    assert asyncio.run(told()) == [False, False, True]


def shown(run: Run, *words: object, wanted: Callable[[str], bool]) -> str:
    """Ask for the status until all that is wanted is there at once: what a node wrote may be a second old."""
    end = time.monotonic() + 10
    while True:
        code, out, err = run("cluster", "status", *words)
        assert code == 0 and time.monotonic() < end, (out, err)
        if wanted(out):
            return out
        time.sleep(0.1)


def handed_over(out: str) -> bool:
    """Whether node 3 has stopped, and node 1 has all that node 2 leads."""
    found = json.loads(out)
    first, last = found["nodes"]["1"], found["nodes"]["3"]
    level: bool = first["level"] and first["behind"] == 0
    return level and found["leader"] == 2 and last["state"] == "stopped"


def test_sigterm_hands_over_and_a_second_one_ends_a_node_that_waits(
    config: Callable[..., Path], free_ports: list[int], tmp_path: Path, run: Run
) -> None:
    form = {1: ("--log", "json"), 2: (), 3: ()}
    nodes = {node: start("node", "--config", config(node), *form[node]) for node in (1, 2, 3)}
    folders = [tmp_path / f"data{node}" for node in (1, 2, 3)]
    try:
        await_ports(free_ports)
        assert say("hello\n", "--port", free_ports[0], "--name", "ann")[0] == 0
        out = shown(run, *folders, wanted=lambda out: "leader: 3" in out and "node 3: #1 ann: hello" in out)
        assert max(map(len, out.splitlines())) <= 80
        code, _, err = stop(nodes[3], signal.SIGTERM)
        assert code == 0 and "node 3  hands the lead over before it stops" in err, err
        assert "node 3  follows node 2, the leader of term" in err and err.endswith(
            "has stopped; its log is on the disk\n"
        )
        assert say("after it\n", "--port", free_ports[0], "--name", "ann")[0] == 0
        assert shown(run, *folders, wanted=lambda out: "leader: 2" in out)
        assert shown(run, *folders, "--json", wanted=handed_over)
        os.kill(nodes[1].pid, signal.SIGSTOP)
        os.kill(nodes[2].pid, signal.SIGTERM)
        assert nodes[2].stderr is not None
        assert any("hands the lead over before it stops" in line for line in nodes[2].stderr)
        time.sleep(2 * TOGETHER)
        assert nodes[2].poll() is None, "nobody answers, so it waits"
        code, _, err = stop(nodes[2], signal.SIGTERM)
        assert code == 0 and "node 2 ends at once; what was acknowledged is on the disks of a quorum" in err
        os.kill(nodes[1].pid, signal.SIGCONT)
        code, out, err = stop(nodes[1], signal.SIGTERM)
        lines = [json.loads(line) for line in err.splitlines()]
        assert code == 0 and out == "" and lines[0]["event"] == "listens" and lines[-1]["event"] == "stop"
        assert all({"time", "level", "node", "event", "text"} <= line.keys() for line in lines)
        assert [line["peer"] for line in lines if line["event"] == "follow"][-2:] == [3, 2]
        assert [line["author"] for line in lines if line["event"] == "deliver"] == ["ann", "ann"]
    finally:
        for process in nodes.values():
            if process.poll() is None:
                process.kill()
            process.communicate()


def test_what_cluster_status_cannot_show_is_a_sentence(tmp_path: Path, run: Run) -> None:
    refused(run("cluster", "status", tmp_path), "has no status.json of a node; name the data folder of a node")
    for name, facts in (("a", {"node": 1, "cluster": "chat"}), ("b", {"node": 1, "cluster": "tea"})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "status.json").write_text(json.dumps(facts | {"state": "up"}))
    refused(run("cluster", "status", tmp_path / "a", tmp_path / "a"), "one of that node was named before")
    refused(run("cluster", "status", tmp_path / "a", tmp_path / "b"), "is of the cluster 'chat' and")
    refused(run("cluster", "status", tmp_path / "a", "--data", tmp_path), "--data was given beside folders of nodes")
    os.utime(tmp_path / "a" / "status.json", (0, 0))
    code, out, _ = run("cluster", "status", tmp_path / "a")
    assert code == 0 and "silent" in out, "one that wrote nothing for long may be gone"
