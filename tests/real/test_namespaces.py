"""Nodes in network namespaces: the kernel cuts and loses, the same checkers judge, nothing stays behind.

Skipped with a sentence where there is no root or no `ip` and `nft`; with CI=true their want is a failure.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from soaks import told_to_the_end
from typed import Run

from chatsys.errors import NotHere
from chatsys.runtime.cluster import Cluster
from chatsys.runtime.net.namespaces import MOST, Namespaces, reap
from chatsys.runtime.net.rules import ANY, Lossy, Rule, RuleSet, Slow

HEAR = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('{}', 9)); print(flush=True)"
COUNT = """
input()  # all are sent, and wait in the socket
s.settimeout(0.5)
count = 0
try:
    while s.recv(9):
        count += 1
except TimeoutError:
    print(count)
"""
CALL = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); [s.sendto(b'x', ('{}', 9)) for _ in range(200)]"


def traces_of(pid: int) -> list[str]:
    """Return what the system still has of the namespaces of process `pid`."""
    told = "".join(
        subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout
        for command in ("ip netns list", "ip -brief link", "nft list tables")
    )
    names = (f"chatsys-{pid}-", f"cs{pid}.", "bridge chatsys")
    return [line for line in told.splitlines() if any(name in line for name in names)]


def nodes_of(pid: int) -> list[psutil.Process]:
    """Return the node processes that process `pid` has now."""
    found = []
    for child in psutil.Process(pid).children():
        with suppress(psutil.Error):  # it ended between two lines
            if "chatsys.runtime.nodes.child" in child.cmdline():
                found.append(child)
    return found


@pytest.fixture(scope="module")
def allowed() -> None:
    """Skip, or fail where the tools should have been installed, if this system has no namespaces for us."""
    try:
        Namespaces((1,)).free()
    except NotHere as why:
        assert not (os.environ.get("CI") and "apt install" in str(why)), why
        pytest.skip(str(why))


@pytest.fixture
def pair(allowed: None) -> Iterator[Namespaces]:
    network = Namespaces((1, 2))
    yield network
    network.free()
    assert not traces_of(os.getpid())


def heard(network: Namespaces, sender: int, receiver: int) -> int:
    """Return how many of 200 packets from one node's namespace arrive in the other's."""
    host = network.hosts[receiver]
    listen = [*network.launch(receiver), sys.executable, "-c", HEAR.format(host) + COUNT]
    with subprocess.Popen(listen, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        listener.stdout.readline()
        subprocess.run([*network.launch(sender), sys.executable, "-c", CALL.format(host)], check=True)
        counted, _ = listener.communicate("\n")
        return int(counted)


def test_a_short_soak_under_real_partitions_loses_nothing_and_leaves_nothing_behind(allowed: None) -> None:
    report = told_to_the_end(seconds=8, rate=50, seed=340, where="namespaces")
    assert [outage.fault for outage in report.outages] == ["partition (3,) (1, 2)", "crash leader"]
    assert report.violations == () and report.unfinished == ""
    assert report.acknowledged + report.indeterminate == report.said > 100
    assert len(set(report.delivered.values())) == 1
    assert not traces_of(os.getpid())
    assert not nodes_of(os.getpid())


def test_the_kernel_parts_a_leader_from_the_others_and_no_transport_has_a_hand_in_it(allowed: None) -> None:
    with Cluster(where="namespaces", timing="fast") as cluster:
        assert cluster.until(lambda: cluster.leader is not None, 20)
        old = cluster.leader
        assert old is not None
        rest = tuple(node for node in cluster.nodes if node != old)
        cluster.partition((old,), rest)
        assert cluster.until(lambda: cluster.leader in rest, 20)
        cluster.say("meanwhile")
        assert cluster.until(lambda: all("meanwhile" in cluster.delivered(node) for node in rest), 20)
        assert cluster.delivered(old) == [] and not cluster.supervisor.own_rules.cuts
        cluster.heal()
        assert cluster.until(lambda: cluster.delivered(old) == ["meanwhile"], 30)
        assert not [record for record in cluster.trace.of("drop") if record.reason == "cut"]
    assert not traces_of(os.getpid())


def test_after_a_partition_nobody_waits_for_tcp_to_try_again(allowed: None) -> None:
    """TCP alone repeats at 0.2, 0.6, 1.4, 3, 6.2, 12.6 and 25.4 s: after 14 s it would sleep for 11 s more."""
    with Cluster(where="namespaces") as cluster:
        assert cluster.until(lambda: cluster.leader is not None, 20)
        old = cluster.leader
        assert old is not None
        cluster.partition((old,), [node for node in cluster.nodes if node != old])
        for number in range(70):
            cluster.say(f"meanwhile {number}")
            cluster.run(0.2)
        cluster.heal()
        assert cluster.until(lambda: all(len(cluster.delivered(node)) == 70 for node in cluster.nodes), 9)


def test_a_one_way_cut_drops_every_packet_one_way_and_none_the_other(pair: Namespaces) -> None:
    assert pair.lay(RuleSet().with_cut(1, 2)) == RuleSet()
    assert heard(pair, 1, 2) == 0 and heard(pair, 2, 1) == 200 and pair.dropped == 200
    assert pair.lay(RuleSet()) == RuleSet() and heard(pair, 1, 2) == 200


def test_loss_is_drawn_by_the_kernel_the_latest_rule_holds_and_delay_is_left_over(pair: Namespaces) -> None:
    slow, half, none = Rule(ANY, ANY, Slow(0.1)), Rule(ANY, ANY, Lossy(0.5)), Rule(2, 1, Lossy(0.0))
    assert pair.lay(RuleSet((), (slow, half, none))) == RuleSet((), (slow,))
    assert 60 < heard(pair, 1, 2) < 140 and heard(pair, 2, 1) == 200


def test_what_a_killed_process_left_is_removed_by_the_next_and_the_living_are_spared(pair: Namespaces) -> None:
    words = "import os; from chatsys.runtime.net.namespaces import Namespaces; n = Namespaces((1,)); os.kill(os.getpid(), 9)"
    with subprocess.Popen([sys.executable, "-c", words]) as killed:
        assert killed.wait(30) == -signal.SIGKILL
    assert len(traces_of(killed.pid)) == 3
    reap()
    assert not traces_of(killed.pid) and len(traces_of(os.getpid())) == 4
    assert heard(pair, 1, 2) == 200


def test_ctrl_c_ends_a_soak_and_leaves_nothing_behind(allowed: None) -> None:
    command = [sys.executable, "-m", "chatsys", "soak", "--namespaces"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, process_group=0) as ended:
        deadline = time.monotonic() + 20
        nodes: list[psutil.Process] = []
        while len(nodes) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
            nodes = nodes_of(ended.pid)
        os.killpg(ended.pid, signal.SIGINT)
        _, told = ended.communicate(timeout=30)
    assert ended.returncode == 130 and told.rstrip().endswith("Stopped.")
    assert len(nodes) == 3 and not any(node.is_running() for node in nodes)
    assert not traces_of(ended.pid)


def test_an_exception_half_way_leaves_nothing_behind(allowed: None) -> None:
    with pytest.raises(ZeroDivisionError), Cluster(where="namespaces"):
        raise ZeroDivisionError
    with pytest.raises(NotHere, match=f"at most {MOST} fit"):
        Namespaces(range(1, MOST + 2))
    assert not traces_of(os.getpid())


def test_without_root_or_tools_the_command_says_what_is_missing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, out, err = run("soak", "--namespaces")
    assert code == 2 and out == "" and "Network namespaces need" in err and "do without namespaces" in err
