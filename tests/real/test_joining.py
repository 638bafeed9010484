"""Learners for real: they join through any node, hear and serve, survive restarts, and whoever cannot be one is told why."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typed import Run, Where, refused

from chatsys.check import check
from chatsys.check.log_files import verify
from chatsys.errors import UsageError
from chatsys.runtime.client import ClientHost
from chatsys.runtime.cluster import Cluster
from chatsys.trace import Record


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(data=tmp_path / "all", timing="fast") as cluster:
        assert cluster.until(lambda: cluster.leader == 3, 10)
        cluster.say("first")
        yield cluster
        assert check(cluster.trace) == []
        assert cluster.trace.of("anomaly") == []


def have(cluster: Cluster, texts: list[str], *nodes: int) -> bool:
    """Wait until these nodes delivered exactly this."""
    return cluster.until(lambda: all(cluster.delivered(node) == texts for node in nodes), 10)


@pytest.mark.parametrize("where", ["kernel", "processes"])
def test_a_learner_joins_hears_serves_and_outlives_restarts_of_both_sides(where: Where, tmp_path: Path) -> None:
    with Cluster(where=where, data=tmp_path, timing="fast") as cluster:
        assert cluster.until(lambda: cluster.leader == 3, 20)
        cluster.say("first")
        cluster.join(4, through=2)
        assert have(cluster, ["first"], 1, 4)
        assert cluster.until(lambda: cluster.status()[4]["ready"], 5)
        cluster.say("through the learner", node=4)
        assert have(cluster, ["first", "through the learner"], 3, 4)
        listens_to = cluster.status()[4]["listens_to"]
        cluster.crash(listens_to)
        cluster.crash(4)
        cluster.say("while it was down")
        cluster.restart(4)
        cluster.restart(listens_to)
        texts = ["first", "through the learner", "while it was down"]
        assert have(cluster, texts, 1, 2, 3, 4)
        cluster.pause(4)
        cluster.resume(4)
        assert cluster.leave(4).startswith("Learner 4 leaves")
        assert cluster.until(lambda: cluster.learners == (), 5) and list(cluster.status()) == [1, 2, 3]
        assert cluster.failures == [] and check(cluster.trace) == []
    found = verify([tmp_path / f"node{node}" for node in (1, 2, 3, 4)])
    assert found["ok"] and found["messages"] == 3 and found["nodes"][str(tmp_path / "node4")]["learner"] == "4"


def test_a_learner_joins_through_each_node_also_when_the_leader_has_just_died(chat: Cluster) -> None:
    for node, through in ((4, 1), (5, 2), (6, 3)):
        chat.join(node, through=through)
    assert have(chat, ["first"], 4, 5, 6)
    chat.crash(3)
    chat.join(7, through=1)
    assert chat.until(lambda: chat.status()[7]["ready"] and chat.leader == 2, 10)
    chat.restart(3)
    chat.partition({3}, {1, 2})  # whoever listens to node 3 does well to go elsewhere
    chat.say("on the large side", node=1)
    assert have(chat, ["first", "on the large side"], 4, 5, 6, 7)


def test_an_emptied_learner_is_refused_and_the_others_go_on(chat: Cluster) -> None:
    chat.join(4)
    assert chat.until(lambda: chat.status()[4]["ready"], 5)
    chat.crash(4)
    chat.wipe(4)
    chat.restart(4)
    assert chat.until(lambda: not chat.status()[4]["alive"], 5)
    assert "node 4 is a learner already, and it keeps another data folder" in chat.status()[4]["failure"]
    chat.say("meanwhile")
    assert have(chat, ["first", "meanwhile"], 1, 2, 3)
    assert chat.leave(4).startswith("Learner 4 is down, so nodes 1, 2 and 3 are told to let it go. A node whose log")
    assert chat.until(lambda: any(record.reason == "left" for record in chat.trace.of("learner")), 5)
    chat.join(4)
    assert have(chat, ["first", "meanwhile"], 4) and chat.until(lambda: chat.status()[4]["ready"], 5)


def test_a_client_listens_and_speaks_at_a_learner(chat: Cluster) -> None:
    chat.join(4)
    heard: list[Record] = []
    address = chat.supervisor.nodes[4].plan.address
    with ClientHost([address], "bob", heard.append, timing=chat.config.timing) as bob:
        bob.say("from the learner's house")
        texts = ["first", "from the learner's house"]
        assert chat.until(lambda: [one.text for one in heard if one.kind == "seen"] == texts and bob.idle, 5)
        assert chat.until(lambda: 4 in bob.links, 5)


# --- in a terminal ----------------------------------------------------------------------------


def test_whoever_cannot_be_a_learner_is_told_so_in_one_sentence(
    chat: Cluster, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat.join(4, through=1)
    node2, new = chat.config.members[2], tmp_path / "new"
    with socket.create_server(("127.0.0.1", 0)) as other:
        mute = f"127.0.0.1:{other.getsockname()[1]}"
        with monkeypatch.context() as short:
            short.setattr("chatsys.runtime.joining.PATIENCE", 0.1)
            short.setattr("chatsys.runtime.finding.GREETING_LIMIT", 0.2)
            answer = run("node", "--join", mute, "--id", 5, "--data", new)
        refused(answer, "no answer; if something listens there, it is no node")
        for words, sentence in (
            (("--join", node2, "--id", 2, "--data", new), "The id is 2, which is a member's; the members are 1, 2, 3."),
            (("--join", node2, "--id", 5, "--data", new, "--cluster", "x"), "the cluster 'chat', not to 'x'"),
            (("--join", "127.0.0.1", "--id", 5, "--data", new), "--join is '127.0.0.1'; write host:port"),
            (("--join", node2, "--id", 0, "--data", new), "--id is 0; give the id of the learner"),
            (("--join", node2, "--id", 61000, "--data", new), "a whole number from 1 to 10000"),
            (("--join", node2, "--id", 5, "--data", new, "--cluster", ""), "--cluster is empty"),
            (("--join", node2, "--id", 5, "--data", new, "--id-from", "a"), "--join and --id-from were both given"),
            (("--join", node2, "--data", new), "--id is missing"),
            (("--join", node2, "--id", 5), "--data is missing"),
            (("--join", node2, "--id", 5, "--data", new, "--config", "a.yml"), "--config and --join were both given"),
            ((), "Neither --config nor --join was given"),
        ):
            refused(run("node", *words), sentence)
    refused(run("node", "--join", mute, "--id", 5, "--data", new), "nobody listens there")
    assert not new.exists(), "nothing is written where nothing was begun"
    shutil.copytree(tmp_path / "all/node1", tmp_path / "old", ignore=shutil.ignore_patterns("lock"))
    answer = run("node", "--join", node2, "--id", 5, "--data", tmp_path / "old", "--listen", mute)
    refused(answer, "This folder is that of node 1, a member of cluster 'chat'", code=4)
    assert chat.until(lambda: chat.status()[4]["ready"], 5)
    code, _, said = run("node", "--join", node2, "--id", 4, "--data", new, "--listen", mute)
    assert code == 2 and "chatsys: Cluster 'chat' does not take in learner 4: node 4 is a learner already" in said
    chat.say("the others go on")
    assert have(chat, ["first", "the others go on"], 1, 2, 3, 4)


def test_the_folder_of_a_learner_is_enough_to_start_again_and_a_lost_one_is_let_go(
    chat: Cluster, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chatsys.runtime.joining import known

    monkeypatch.setattr("chatsys.commands.accepting.PATIENCE", 20.0)
    chat.join(4)
    assert chat.until(lambda: chat.status()[4]["ready"], 5)
    assert known(tmp_path / "all/node4") == chat.config and known(tmp_path / "all/node1") is None
    refused(
        run("node", "--join", "127.0.0.1:1", "--id", 4, "--data", tmp_path / "all/node4", "--cluster", "x"),
        f"The folder {tmp_path / 'all/node4'} is that of a learner of the cluster 'chat'",
    )
    refused(run("cluster", "backup", tmp_path / "all/node4", tmp_path / "kept"), "a learner, which needs no backup")
    refused(run("cluster", "leave", 2, "--data", tmp_path / "all"), "ID is 2, which is a member (1, 2, 3)")
    refused(run("cluster", "leave", 10**10, "--data", tmp_path / "all"), "a whole number from 1 to 10000")
    shared = ("--config", "deploy/docker/chatsys.yml", "--id-from", "node1")
    refused(run("cluster", "leave", 2, *shared), "ID is 2, which is a member (1, 2, 3)")
    chat.crash(4)
    code, out, _ = run("cluster", "leave", 4, "--data", tmp_path / "all")
    assert code == 0 and "has taken the order to let learner 4 go" in out
    assert chat.until(lambda: any(record.reason == "left" for record in chat.trace.of("learner")), 5)
    chat.restart(4)
    assert chat.until(lambda: chat.learners == (), 5), "its folder joins no more"
    with pytest.raises(UsageError, match="Node 4 is not a learner"):
        chat.leave(4)
