"""Clusters for real: TCP, fsync, SIGKILL and SIGSTOP; the same stories in the kernel and in processes."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from endings import has_exited
from pingpong import PingPong
from typed import Where

from chatsys.actor.events import Say
from chatsys.check import check
from chatsys.config import Timing
from chatsys.errors import ChatsysError, LogInUse, UsageError
from chatsys.runtime.client import ClientHost
from chatsys.runtime.cluster import Cluster
from chatsys.runtime.net.ports import Ports
from chatsys.teach.figures import delivery_matrix
from chatsys.teach.widgets.panel.panel import panel
from chatsys.trace import Record, Trace

BRISK = Timing().scaled(0.25)
"""Quick enough for tests, slow enough for a busy machine."""

WHERES = ["kernel", "processes"]


@pytest.fixture(params=WHERES)
def where(request: pytest.FixtureRequest) -> Where:
    where: Where = request.param
    return where


@pytest.fixture
def chat(where: Where) -> Iterator[Cluster]:
    with Cluster(where=where, timing=BRISK) as cluster:
        leads(cluster)
        yield cluster
        assert cluster.failures == []
        assert cluster.trace.of("anomaly") == []
        assert check(cluster.trace) == []


def leads(cluster: Cluster, but: int | None = None) -> int:
    """Wait for a leader other than `but`, and return it."""
    assert cluster.until(lambda: cluster.leader not in (None, but), 15), cluster.status()
    leader = cluster.leader
    assert leader is not None
    return leader


def all_deliver(cluster: Cluster, count: int, *nodes: int) -> list[str]:
    """Wait until the nodes (all: none given) delivered `count` messages, in one order; return them."""
    nodes = nodes or cluster.nodes
    delivered = [cluster.delivered(node) for node in nodes]

    def done() -> bool:
        delivered[:] = [cluster.delivered(node) for node in nodes]
        return all(len(texts) >= count for texts in delivered)

    assert cluster.until(done, 15), delivered
    assert all(texts == delivered[0] for texts in delivered)
    return delivered[0]


# --- stories, in both places ------------------------------------------------------------------


def test_two_players_count_on_after_a_crash(where: Where) -> None:
    with Cluster(2, where, actor=PingPong) as cluster:
        assert cluster.until(lambda: cluster.trace.of("seen"), 5)
        cluster.crash(2)
        assert cluster.status()[2]["alive"] is False
        cluster.restart(2)
        assert cluster.status()[2]["count"] >= 1  # from its log
        before = cluster.status()[1]["count"]
        assert cluster.until(lambda: cluster.status()[1]["count"] > before, 5)
        cluster.command(1, Say("said to the actor itself"))
        assert cluster.until(lambda: cluster.trace.of("seen")[-1].text == "said to the actor itself", 5)


def test_the_highest_leads_and_the_next_highest_takes_over_without_a_gap(chat: Cluster) -> None:
    assert chat.leader == 3
    for number in range(10):
        chat.say(f"before {number}", author=("ann", "bob", "eve")[number % 3])
    all_deliver(chat, 10)
    chat.crash(3)
    chat.say("after")
    assert leads(chat) == 2
    texts = all_deliver(chat, 11, 1, 2)
    assert texts[-1] == "after" and len(set(texts)) == 11
    chat.restart(3)
    assert all_deliver(chat, 11) == texts
    numbers = [record.msg_no for record in chat.trace.of("deliver") if record.node == 1]
    assert numbers == list(range(1, 12))


def test_a_paused_leader_wakes_up_deposed(chat: Cluster) -> None:
    chat.pause(3)
    assert chat.status()[3]["paused"] is True
    chat.say("while the leader sleeps", node=1)
    assert leads(chat, but=3) in (1, 2)
    all_deliver(chat, 1, 1, 2)
    chat.resume(3)
    all_deliver(chat, 1)
    assert chat.trace.of("pause")[0].node == 3


def test_a_minority_refuses_and_the_majority_goes_on(chat: Cluster) -> None:
    chat.partition({3}, {1, 2})
    chat.say("on the small side", node=3)
    chat.say("on the large side", node=1)
    assert leads(chat, but=3) in (1, 2)
    all_deliver(chat, 1, 1, 2)
    assert chat.delivered(3) == []

    def refused() -> list[str]:
        return [str(record.reason) for record in chat.trace.of("reply") if record.peer == 3]

    assert chat.until(lambda: any(reason.startswith(("busy", "redirect")) for reason in refused()), 5), refused()
    assert not chat.trace.where(lambda record: record.kind == "link_down" and record.peer == 3)
    chat.heal()
    assert set(all_deliver(chat, 2)) == {"on the small side", "on the large side"}
    assert [record.reason for record in chat.trace.of("cut", "heal")] == ["cut 3 | 1,2", "all cuts"]


def test_a_slow_and_lossy_network_only_costs_time(chat: Cluster) -> None:
    chat.slow("*", "*", 0.005, jitter=0.01)
    chat.lose("*", "*", 0.05)
    for number in range(10):
        chat.say(f"slow {number}")
    assert sorted(all_deliver(chat, 10)) == sorted(f"slow {number}" for number in range(10))
    chat.heal(everything=True)
    assert chat.trace.of("slow", "lose")


def test_the_disk_has_everything_that_was_acknowledged(where: Where, tmp_path: Path) -> None:
    with Cluster(where=where, timing=BRISK, data=tmp_path) as cluster:
        leads(cluster)
        cluster.say("kept")
        all_deliver(cluster, 1)
        with pytest.raises(LogInUse, match="is in use by process"):
            Cluster(where=where, data=tmp_path)
        for node in cluster.nodes:
            cluster.crash(node)
    with Cluster(where=where, timing=BRISK, data=tmp_path) as cluster:
        assert all_deliver(cluster, 1) == ["kept"]
        assert {record.incarnation for record in cluster.trace.of("start") if isinstance(record.node, int)} == {2}


class Glass(PingPong):
    """Breaks when it is told to."""

    def on_command(self, command: Any, now: float) -> list[Any]:
        raise ValueError("it fell")


def test_an_actor_that_breaks_is_a_sentence_and_can_be_restarted(where: Where) -> None:
    with Cluster(2, where, actor=Glass) as cluster:
        cluster.command(1, Say("break"))
        assert cluster.until(lambda: not cluster.status()[1]["alive"], 5)
        assert "ValueError: it fell (test_cluster.py, line" in cluster.status()[1]["failure"]
        assert [node for node, _ in cluster.failures] == [1]
        cluster.restart(1)
        assert cluster.status()[1]["alive"] and cluster.status()[2]["alive"]


def test_what_cannot_be_meant_is_one_sentence(chat: Cluster) -> None:
    chat.crash(1)
    chat.pause(2)
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: chat.crash(1), "Node 1 is not running, so it cannot crash; restart it first."),
        (lambda: chat.pause(1), "Node 1 is not running, so it cannot be paused; restart it first."),
        (lambda: chat.pause(2), "Node 2 is paused already; resume it first."),
        (lambda: chat.resume(3), "Node 3 is not paused, so there is nothing to resume."),
        (lambda: chat.restart(3), "Node 3 is running; crash it first, then restart it."),
        (lambda: chat.crash(9), "Node 9 is not a member; the nodes are 1, 2, 3."),
        (lambda: chat.cut(1, 9), "Node 9 is not a member; the nodes are 1, 2, 3."),
        (lambda: chat.say("  "), "text is '  '; write at least one character."),
        (lambda: chat.say("x", node=4), "Node 4 is not a member; the nodes are 1, 2, 3."),
        (lambda: chat.lose(1, 2, 7), "lose: 7 is no fraction; give a number from 0 to 1."),
        (lambda: chat.join(1), "Node 1 is a member already; the members are 1, 2, 3."),
        (lambda: chat.leave(1), "Node 1 is a member; voters are fixed in the config (1, 2, 3)."),
    ]
    for call, sentence in refused:
        with pytest.raises(UsageError) as caught:
            call()
        assert str(caught.value).startswith(sentence)
    chat.resume(2)


# --- threads ----------------------------------------------------------------------------------


def test_a_cell_that_sleeps_or_computes_makes_no_node_suspect_its_leader() -> None:
    with Cluster() as cluster:
        leads(cluster)
        time.sleep(5)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            sum(range(10_000))
        assert cluster.trace.of("suspect") == []
        assert len(cluster.trace.of("lead")) == 1


def test_a_verb_on_the_clusters_own_loop_is_an_error_and_submit_is_not() -> None:
    with Cluster(1) as cluster:

        async def inside() -> str:
            with pytest.raises(UsageError, match="use submit"):
                cluster.crash(1)
            return threading.current_thread().name

        assert cluster.submit(inside()).result(5) == "chatsys cluster (kernel)"
        cluster.submit(cluster.crash, 1).result(5)
        assert not cluster.status()[1]["alive"]
    with pytest.raises(UsageError, match="stopped"):
        cluster.restart(1)
    cluster.stop()
    assert "stopped" in repr(cluster)


def test_a_forgotten_cluster_leaves_nothing_behind(where: Where) -> None:
    cluster = Cluster(2, where, actor=PingPong)
    folder, pids = cluster.supervisor.plan.folder, [pid for pid in cluster.pids.values() if pid]
    threads = {thread for thread in threading.enumerate() if thread.name.startswith(("chatsys", "disk"))}
    assert folder.exists() and threads
    del cluster
    gc.collect()
    assert not folder.exists()
    assert not any(thread.is_alive() for thread in threads)
    assert not any(psutil.pid_exists(pid) for pid in pids)


# --- processes --------------------------------------------------------------------------------


def script(text: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(text)]


def comes_true(holds: Callable[[], bool], limit: float = 15.0) -> bool:
    """Wait until it holds, for at most `limit` seconds, and return whether it does: a signal takes its time."""
    end = time.monotonic() + limit
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.01)
    return held


@pytest.mark.skipif(os.name == "nt", reason="nodes in processes need Linux or macOS")
def test_killing_the_parent_leaves_no_orphan_not_even_a_paused_one(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        script(f"""
            from chatsys.runtime.cluster import Cluster
            cluster = Cluster(where="processes", data={str(tmp_path)!r})
            cluster.pause(2)
            print(*cluster.pids.values(), flush=True)
            input()
        """),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(children) == 3
        stopped = comes_true(lambda: children[1].status() == psutil.STATUS_STOPPED)
        parent.send_signal(signal.SIGKILL)
    comes_true(lambda: all(map(has_exited, children)))
    orphans = [child for child in children if not has_exited(child)]
    for child in orphans:
        child.kill()
    assert stopped and orphans == []


@pytest.mark.skipif(os.name == "nt", reason="nodes in processes need Linux or macOS")
def test_a_process_that_somebody_else_kills_is_a_crash_in_the_trace_and_says_so() -> None:
    with Cluster(2, "processes", timing="fast") as cluster:
        os.kill(cluster.pids[1] or 0, signal.SIGKILL)
        assert cluster.until(lambda: len(cluster.trace.of("crash")) == 1 and not cluster.status()[1]["alive"], limit=10)
        cluster.crash(2)
        ends = cluster.trace.of("crash")
        assert [(end.node, end.reason) for end in ends] == [
            (1, "Its process was ended from outside (SIGKILL)."),
            (2, None),
        ]
        assert cluster.status()[1]["failure"] == ends[0].reason


@pytest.mark.skipif(os.name == "nt", reason="nodes in processes need Linux or macOS")
def test_a_process_that_does_not_stop_when_it_is_told_to_is_killed_and_the_trace_says_so() -> None:
    with Cluster(2, "processes", timing="fast") as cluster:
        shown = panel(cluster)
        os.kill(cluster.pids[1] or 0, signal.SIGSTOP)
    assert [(end.node, end.reason) for end in cluster.trace.of("crash")] == [
        (1, "It had not stopped after 2 s, and was killed.")
    ]
    shown.refresh()
    assert shown.state["ended"], "whoever follows the trace knows that nothing runs any more"


NOTEBOOK = """
    import msgspec
    from chatsys.actor.actor import Actor
    from chatsys.actor.effects import Append, Note, Send
    from chatsys.protocol.election import Bully
    from chatsys.actor.events import LinkUp
    from chatsys.runtime.cluster import Cluster

    class Greeting(msgspec.Struct, frozen=True, tag="GREETING", tag_field="type"):
        text: str
        def loud(self):
            return Greeting(self.text.upper())

    class Note_(msgspec.Struct, frozen=True, tag="note", tag_field="type"):
        text: str

    class Greeter(Actor):
        messages = (Greeting,)
        records = (Note_,)
        def on_message(self, sender, message, now):
            match message:
                case LinkUp():
                    return [Send(sender, Greeting(f"hello from {self.me}").loud())]
                case Greeting(text):
                    return [Append(Note_(text)), Note("seen", text=text)]

    class MyBully(Bully):
        def nominate(self, decision, now):
            return [Note("anomaly", reason="mine"), *super().nominate(decision, now)]

    with Cluster(2, "processes", actor=Greeter) as cluster:
        cluster.until(lambda: len(cluster.trace.of("seen")) == 2, 10)
        print(sorted(record.text for record in cluster.trace.of("seen")))
    with Cluster(3, "processes", parts={"election": MyBully}) as cluster:
        cluster.until(lambda: cluster.leader, 10)
        print(cluster.leader, cluster.trace.of("anomaly")[0].reason)
"""


@pytest.mark.skipif(os.name == "nt", reason="nodes in processes need Linux or macOS")
def test_a_class_written_in_a_notebook_runs_in_processes() -> None:
    done = subprocess.run(script(NOTEBOOK), capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == "['HELLO FROM 1', 'HELLO FROM 2']\n3 mine\n"


def test_the_evidence_of_a_killed_process_is_complete() -> None:
    with Cluster(where="processes", timing=BRISK) as cluster:
        leads(cluster)
        for number in range(50):
            cluster.say(f"{number}")
        cluster.until(lambda: cluster.delivered(3), 5)
        cluster.crash(3)
        cluster.run(0.2)
        sent = {record.id for record in cluster.trace.of("send")}
        assert [record.id for record in cluster.trace.of("receive") if record.id not in sent] == []
        times = [record.time for record in cluster.trace]
        assert times == sorted(times)


# --- one node from its config file, and one client ------------------------------------------------


def test_a_node_from_a_config_serves_a_client_and_ends_cleanly(tmp_path: Path) -> None:
    ports = Ports((1,))
    (tmp_path / "node1.yml").write_text(
        f'node: 1\ndata: {tmp_path}/data\nmembers: {{1: "{ports.members[1]}"}}\ntiming: {{profile: fast}}\n'
    )
    command = script(f"""
        from pathlib import Path
        from chatsys.config import read_node_config
        from chatsys.runtime.service import run_node
        run_node(read_node_config(Path({str(tmp_path / "node1.yml")!r}).read_text()))
    """)
    seen: list[Record] = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as node:
        with ClientHost([ports.members[1]], "ann", seen.append) as client:
            client.say("hello \N{SNOWMAN}")
            deadline = time.monotonic() + 10
            while not [record for record in seen if record.kind == "seen"] and time.monotonic() < deadline:
                time.sleep(0.01)
            assert client.idle and client.links == (1,)
        node.send_signal(signal.SIGTERM)
        _, told = node.communicate(timeout=10)
    ports.free()
    assert node.returncode == 0
    assert [(record.author, record.text, record.msg_no) for record in seen if record.kind == "seen"] == [
        ("ann", "hello \N{SNOWMAN}", 1)
    ]
    assert told.startswith(f"node 1 of 1 listens on {ports.members[1]}, log in")
    assert "node 1  leads term 1\n" in told and "node 1  #1 ann: hello \N{SNOWMAN}\n" in told
    assert told.endswith("has stopped; its log is on the disk\n")
    assert "HEARTBEAT" not in told and "\x1b" not in told


def test_a_client_that_finds_nobody_says_so() -> None:
    ports = Ports((1,))
    with pytest.raises(ChatsysError, match="No node of the cluster answers"):
        ClientHost([ports.members[1]], "ann", lambda record: None).start(limit=0.3)
    ports.free()


def test_a_real_cluster_has_its_first_leader_before_any_heartbeat_could_be_missed() -> None:
    with Cluster(timing=Timing(heartbeat_timeout=3600.0)) as cluster:
        leads(cluster)


@pytest.mark.filterwarnings("ignore:The newest")
def test_a_cluster_that_talks_for_long_keeps_a_window_of_its_trace_and_stays_as_readable(tmp_path: Path) -> None:
    texts = [f"message {number}" for number in range(150)]
    with Cluster(keep=1000) as cluster:
        cluster.until(lambda: cluster.leader)
        for text in texts:
            cluster.say(text)
        assert cluster.until(lambda: len(cluster.trace.of("ack")) == len(texts))
        assert cluster.until(lambda: all(cluster.delivered(node) == texts for node in cluster.nodes))
        assert "in a temporary file" in repr(cluster.trace)
    trace = cluster.trace
    assert len(trace) > 2000 and sys.getsizeof(trace.records._recent) < 20_000  # type: ignore[attr-defined]
    assert len(trace.of("deliver")) == 3 * len(texts) and check(cluster) == []
    again = Trace.load(trace.save(tmp_path / "long.trace"))
    assert again.hash() == trace.hash() and list(again) == list(trace)
    assert len(trace.frame()) == len(trace) and delivery_matrix(trace) is not None
    with pytest.raises(UsageError, match="keep is 5"):
        Cluster(keep=5)
