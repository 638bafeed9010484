"""The course in one file: its named cases by hand, then its acceptance points with real processes.

Each test's name is the sentence that a student or an instructor would check off.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from by_hand import chat, leader, node, of, part, sent

from chatsys.actor.effects import Deliver
from chatsys.actor.logfile import batch, decode, encode
from chatsys.check import check
from chatsys.check.log_files import verify
from chatsys.protocol.decisions import Order, Release, Suspect
from chatsys.protocol.election import Bully
from chatsys.protocol.failure import Detector
from chatsys.protocol.membership import Membership
from chatsys.protocol.messages import (
    Ack,
    Catchup,
    Coordinator,
    Election,
    Entry,
    Heartbeat,
    HeartbeatAck,
    Join,
    JoinAck,
    Label,
    Ok,
    PeerInfo,
    Propose,
)
from chatsys.protocol.node import Node
from chatsys.protocol.ordering import Receiver
from chatsys.protocol.session_table import SessionTable
from chatsys.protocol.state import Role
from chatsys.protocol.storage import NODE_RECORDS, Boot, CommitHint, Stored
from chatsys.runtime.cluster import Cluster
from chatsys.sim.world import World

START = Label(0, 0)
OPENING = Entry(1, 1, "session", "c")


def follower() -> Node:
    """Node 2, following leader 3 in term 1."""
    two = node(2)
    two.on_message(3, Coordinator(1, PeerInfo(3, "127.0.0.1:5003"), 1, 0), 0.1)
    return two


# --- ordering: four cases --------------------------------------------------------------------


def test_in_order_messages_are_delivered_as_they_come() -> None:
    two = follower()
    one = two.on_message(3, Propose(1, START, (OPENING, chat(2)), 2), 0.2)
    two_more = two.on_message(3, Propose(1, Label(1, 2), (chat(3, number=2),), 3), 0.3)
    assert [one.msg_no for d in of(one + two_more, Deliver) for one in d.items] == [1, 2]


def test_out_of_order_messages_are_buffered_until_the_gap_is_closed() -> None:
    two = follower()
    early = two.on_message(3, Propose(1, Label(1, 2), (chat(3, number=2),), 3), 0.2)
    assert of(early, Deliver) == [] and len(two.receiver.early) == 1
    late = two.on_message(3, Propose(1, START, (OPENING, chat(2)), 3), 0.3)
    assert [one.seq for d in of(late, Deliver) for one in d.items] == [2, 3]


def test_a_duplicate_is_detected_and_delivered_once() -> None:
    table = SessionTable(10)
    table.apply(OPENING)
    assert [table.apply(chat(2)), table.apply(chat(3))] == ["new", "duplicate"]


def test_sequence_numbers_are_assigned_without_gap_or_reuse() -> None:
    three = leader(3)
    for number in range(1, 5):
        three._carry_out([Order(Entry(0, 0, "chat", "c", number, "main", "ann", "hi"))], 1.0)
    assert [entry.seq for entry in three.log.entries] == [1, 2, 3, 4, 5]


# --- election: five cases --------------------------------------------------------------------


def test_bully_with_higher_peers_asks_them_and_stands_back() -> None:
    one = part(Bully, me=1)
    asked = sent(one.nominate(Suspect("silence"), 0.0), Election)
    assert {to for to, _ in asked} == {2, 3}
    one.on_message(2, Ok(0, one.round, "takeover"), 0.1)
    one.on_message(3, Ok(0, one.round, "takeover"), 0.1)
    assert one.state.role is Role.DEFERRING


def test_bully_with_lower_peers_only_needs_a_quorum_of_them() -> None:
    three = part(Bully, me=3)
    three.nominate(Suspect("silence"), 0.0)
    (stand,) = three.on_message(1, Ok(0, three.round, "support"), 0.1)
    assert type(stand).__name__ == "Stand"


def test_the_coordinator_announces_itself_with_its_peer_info() -> None:
    from chatsys.protocol.decisions import Lead

    three = node(3)
    three.state.role = Role.PREPARING
    three.state.enter(1, promised_to=3)
    announced = sent(three._carry_out([Lead()], 0.0), Coordinator)
    assert [(to, frame.leader) for to, frame in announced] == [
        (1, PeerInfo(3, "node3:0")),
        (2, PeerInfo(3, "node3:0")),
    ]


def test_an_election_is_cancelled_when_a_leader_is_heard() -> None:
    two = node(2)
    two.on_time(9.0)
    assert two.state.role is Role.NOMINATING
    two.on_message(3, Heartbeat(1, 1, 0, START), 9.1)
    assert (two.state.role, two.state.leader) == (Role.FOLLOWER, 3)


def test_roles_change_only_along_the_legal_moves() -> None:
    world = World(seed=9)
    world.run(3)
    world.crash(3)
    world.run(6)
    roles = {n: [r.role for r in world.trace.of("role") if r.node == n] for n in world.nodes}
    assert roles[3] == ["nominating", "preparing", "leader"]
    assert roles[2][-3:] == ["nominating", "preparing", "leader"] and not check(world.trace)


# --- failure detection: three cases ----------------------------------------------------------


def test_a_heartbeat_is_recorded_and_answered() -> None:
    two = follower()
    answer = sent(two.on_message(3, Heartbeat(1, 1, 0, START), 0.9), HeartbeatAck)
    assert answer == [(3, HeartbeatAck(1, True, 1, 0))] and two.state.heard == 1


def test_a_timeout_is_detected_after_silence() -> None:
    two = part(Detector, me=2)
    two.state.enter(1, promised_to=3, leader=3)
    two.on_message(3, Heartbeat(1, 1, 0, START), 0.0)
    assert of(two.on_time(2.6), Suspect) == [] and of(two.on_time(2.7), Suspect)


def test_a_leader_without_answers_steps_down() -> None:
    three = leader(3)
    for now in (0.81, 1.62, 2.43):
        three.on_time(now)
    assert three.state.role is Role.FOLLOWER


# --- membership, storage, catch-up: five cases -----------------------------------------------


def test_join_is_answered_with_the_members_and_the_leader() -> None:
    two = part(Membership)
    two.state.leader = 3
    ((_, answer),) = sent(two.on_message(1, Join(1), 0.0), JoinAck)
    assert (answer.members, answer.leader) == ((1, 2, 3), PeerInfo(3, "node3:0"))


def test_storage_recovers_what_was_written_and_drops_a_torn_batch() -> None:
    lines = b"".join(map(encode, [Boot(1, "chat", 2), Stored(OPENING), Stored(chat(2)), CommitHint(2)]))
    log = decode(batch(1, lines) + batch(2, encode(Stored(chat(3))))[:20], NODE_RECORDS)
    again = Node(2, node().config, node().random)
    again.recover(log.records)
    assert log.torn == 20 and (again.log.last_seq, again.log.commit) == (2, 2)


def test_a_node_that_was_away_asks_for_what_it_missed() -> None:
    two = node(2)
    ((to, request),) = sent(two.on_message(3, Heartbeat(1, 1, 7, Label(1, 7)), 0.1), Catchup)
    assert (to, request.first, request.purpose) == (3, 1, "follow")


def test_messages_that_arrive_during_a_catch_up_are_buffered_and_used() -> None:
    two: Receiver = part(Receiver, me=2)
    two.state.enter(1, promised_to=3, leader=3)
    live = Propose(1, Label(1, 2), (chat(3, number=2),), 3)
    two.on_message(3, live, 0.1)
    assert two.on_message(3, Propose(1, START, (OPENING, chat(2)), 3), 0.2)[-1] == Release(3, live)


def test_concurrent_messages_of_several_clients_get_one_order() -> None:
    world = World(seed=6)
    world.run(1)
    for number in range(12):
        world.say(f"text {number}", author=f"client {number % 4}", node=number % 3 + 1)
    world.run(4)
    assert len(world.delivered(1)) == 12
    assert world.delivered(1) == world.delivered(2) == world.delivered(3)


def test_an_ack_is_cumulative() -> None:
    two = follower()
    two.on_message(3, Propose(1, START, (OPENING,), 0), 0.2)
    two.on_message(3, Propose(1, Label(1, 1), (chat(2),), 0), 0.2)
    assert sent(two.settle(0.2), Ack) == [(3, Ack(1, True, match=2))]


# --- acceptance points 1 to 6: nodes from config files, in processes of their own ---------------


class Terminal:
    """A node started from its config file, as in a terminal of its own."""

    def __init__(self, folder: Path, me: int, ports: list[int]) -> None:
        self.errors = folder / f"stderr{me}"
        file = folder / f"node{me}.yml"
        members = "".join(f"  {n}: 127.0.0.1:{port}\n" for n, port in enumerate(ports, start=1))
        file.write_text(f"node: {me}\nmembers:\n{members}data: {folder / f'data{me}'}\n")
        command = [sys.executable, "-m", "chatsys", "node", "--config", str(file), "-v"]
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)

    def says(self, pattern: str, limit: float = 20.0) -> bool:
        """Wait until a line of its output matches."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if re.search(pattern, self.errors.read_text()):
                return True
            time.sleep(0.05)
        return False


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture(scope="module")
def terminals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[int], dict[int, Terminal]]]:
    """Three nodes from three files, started a second apart, the highest last."""
    folder = tmp_path_factory.mktemp("course")
    ports = free_ports(3)
    running: dict[int, Terminal] = {}
    for me in (1, 2, 3):
        running[me] = Terminal(folder, me, ports)
        time.sleep(1.0)
    yield folder, ports, running
    for terminal in running.values():
        if terminal.process.poll() is None:
            terminal.process.kill()
        terminal.process.wait(10)


Started = tuple[Path, list[int], dict[int, Terminal]]


def test_1_a_node_starts_from_a_config_file(terminals: Started) -> None:
    _, _, running = terminals
    assert all(terminal.process.poll() is None for terminal in running.values())


def test_2_three_form_a_cluster_and_membership_is_logged(terminals: Started) -> None:
    _, _, running = terminals
    for me, terminal in running.items():
        for peer in {1, 2, 3} - {me}:
            assert terminal.says(rf"membership.*{peer}"), terminal.errors.read_text()


def test_3_the_highest_id_leads_though_it_came_last(terminals: Started) -> None:
    _, _, running = terminals
    assert running[3].says("leader"), running[3].errors.read_text()
    assert running[1].says("follow.*3"), running[1].errors.read_text()


def test_4_heartbeats_are_visible_every_800_ms(terminals: Started) -> None:
    _, _, running = terminals
    assert running[1].says("(?i)heartbeat"), running[1].errors.read_text()


def test_5_and_6_what_a_client_sends_is_in_every_log_in_the_same_order(terminals: Started) -> None:
    folder, ports, running = terminals
    lines = "".join(f"hello {number}\n" for number in range(5))
    doors = [word for port in ports for word in ("--port", str(port))]
    client = [sys.executable, "-m", "chatsys", "client", "--host", "127.0.0.1", *doors]
    done = subprocess.run(client, input=lines, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    for terminal in running.values():
        assert terminal.says("hello 4"), terminal.errors.read_text()
    for terminal in running.values():
        terminal.process.send_signal(signal.SIGINT)
    assert [terminal.process.wait(15) for terminal in running.values()] == [0, 0, 0]
    report = verify([folder / f"data{me}" for me in running])
    assert report["ok"] and report["first_difference"] is None and report["messages"] == 5


# --- acceptance points 7, 8, 11, 12: break a running cluster ------------------------------------


def test_7_8_and_11_the_leader_is_killed_numbers_go_on_and_it_catches_up() -> None:
    with Cluster(where="processes") as cluster:
        assert cluster.until(lambda: cluster.leader == 3, 20)
        for number in range(3):
            cluster.say(f"before {number}")
        assert cluster.until(lambda: len(cluster.trace.of("ack")) == 3, 20)
        pid = cluster.pids[3]
        cluster.crash(3)
        assert pid is not None and not _alive(pid)
        assert cluster.until(lambda: cluster.leader == 2, 20)
        cluster.say("after")
        assert cluster.until(lambda: len(cluster.trace.of("ack")) == 4, 20)
        assert [record.msg_no for record in cluster.trace.of("ack")] == [1, 2, 3, 4]
        cluster.restart(3)
        assert cluster.until(lambda: {len(cluster.delivered(node)) for node in (1, 3)} == {4}, 20)
        assert cluster.delivered(3) == cluster.delivered(1) == ["before 0", "before 1", "before 2", "after"]
        assert cluster.until(lambda: cluster.leader == 3, 30), "the highest leads in the end"
    assert not check(cluster.trace)


def test_12_concurrent_clients_agree_on_one_order() -> None:
    with Cluster(where="processes") as cluster:
        assert cluster.until(lambda: cluster.leader, 20)
        for number in range(30):
            cluster.say(f"text {number}", node=number % 3 + 1, author=("ann", "bob", "eve")[number % 3])
        assert cluster.until(lambda: all(len(cluster.delivered(n)) == 30 for n in cluster.nodes), 20)
        assert cluster.delivered(1) == cluster.delivered(2) == cluster.delivered(3)
    assert not check(cluster.trace)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
