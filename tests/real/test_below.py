"""Below a node: real processes watched from outside, on disks that forget, fail and lie, under clocks that go wrong.

They need Linux and a C compiler; where these are missing they are skipped with a sentence, and with CI=true that is
a failure.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from soaks import told_to_the_end

from chatsys.actor.logfile import batch, encode, mark
from chatsys.campaign.below import under
from chatsys.campaign.below.preload import SETTINGS, library
from chatsys.check import check
from chatsys.check.log_files import verify
from chatsys.config import Timing
from chatsys.errors import NotHere
from chatsys.protocol.storage import Promised
from chatsys.runtime.client import ClientHost
from chatsys.runtime.cluster import Cluster
from chatsys.trace import Record


@pytest.fixture(autouse=True, scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where nothing below a node can be watched."""
    try:
        library(tmp_path_factory.mktemp("library"))
    except NotHere as error:
        assert not os.environ.get("CI"), str(error)
        pytest.skip(str(error))


def until(holds: Callable[[], object], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def start(config: Callable[..., Path], tmp_path: Path) -> Iterator[Callable[[int], "subprocess.Popen[str]"]]:
    """Return a function that starts `python -m chatsys node`, with a folder two of whose parents are new."""
    begun: list[subprocess.Popen[str]] = []

    def run(node: int) -> "subprocess.Popen[str]":
        path = config(node, data=tmp_path / f"of {node}" / "data" / f"node{node}", more="timing: {profile: fast}\n")
        words = [sys.executable, "-m", "chatsys", "node", "--config", str(path), *["--loop=uvloop"] * (node == 1)]
        begun.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return begun[-1]

    yield run
    for process in begun:
        process.kill()
        process.communicate()


class Talk:
    """Ann, who says something now and then, and what became of it."""

    def __init__(self, ports: list[int]) -> None:
        self.records: list[Record] = []
        self.said = 0
        addresses = [f"127.0.0.1:{port}" for port in ports]
        self.ann = ClientHost(addresses, "ann", self.records.append, timing=Timing().scaled(0.1))
        self.ann.start()

    def say(self) -> None:
        self.ann.say(f"message {self.said}")
        self.said += 1

    def is_answered(self) -> bool:
        return sum(record.kind == "ack" for record in self.records) == self.said


def test_nothing_is_said_too_early_though_a_sync_fails_and_a_leader_is_killed(
    start: Callable[[int], "subprocess.Popen[str]"], free_ports: list[int], tmp_path: Path
) -> None:
    """Node 2 must stop at the failed sync, say so, and believe nothing that it finds in memory when it begins anew."""
    rule = "fail=sync:/node2/log.jsonl:20:20:5"
    with under("watched", rule) as below:
        nodes = {node: start(node) for node in (1, 2, 3)}
        talk = Talk(free_ports)
        while nodes[2].poll() is None and talk.said < 500:
            talk.say()
            time.sleep(0.02)
        assert until(talk.is_answered), "the other two go on"
        os.environ[SETTINGS] = os.environ[SETTINGS].replace(rule, "")
        again = start(2)
        talk.say()
        assert until(lambda: talk.is_answered() and status(tmp_path, 2).get("delivered") == talk.said)
        nodes[3].send_signal(signal.SIGKILL)
        talk.say()
        assert until(talk.is_answered)
        talk.ann.stop()
        for process in (nodes[1], again):
            process.send_signal(signal.SIGTERM)
            process.wait(20)
        judged = below.judge((1, 2, 3), 2)
    assert nodes[2].returncode == 2
    last = nodes[2].communicate()[1].strip().splitlines()[-1]
    assert last.endswith("log.jsonl: Input/output error: the device does not work; the node stops."), last
    assert judged.broken == []
    assert judged.syncs > 50 and judged.judged["power losses"] > 50
    for name in (
        "HELLO",
        "PREPARE",
        "PROMISE",
        "PROPOSE",
        "ACK",
        "SUBMIT_REPLY",
        "DELIVERED",
        "COORDINATOR",
        "HEARTBEAT",
    ):
        assert judged.judged[name] > 1, name
    found = verify([tmp_path / f"of {node}" / "data" / f"node{node}" for node in (1, 2, 3)])
    assert found["ok"] and found["messages"] >= talk.said


def status(folder: Path, node: int) -> dict[str, object]:
    """Return what a node says of itself in its folder."""
    try:
        told: dict[str, object] = json.loads(
            (folder / f"of {node}" / "data" / f"node{node}" / "status.json").read_bytes()
        )
    except (OSError, ValueError):
        return {}
    return told


def test_a_disk_that_forgets_keeps_what_was_synced_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    for sync, left in (("", b""), ("os.fdatasync(log); os.write(log, b'more');", b"hello")):
        file.write_bytes(b"")
        write = f"import os; log = os.open({str(file)!r}, os.O_WRONLY | os.O_APPEND); os.write(log, b'hello'); {sync}"
        with under("watched", "forgets=0"):
            subprocess.run([sys.executable, "-c", f"{write} os.kill(os.getpid(), 9)"], check=False)
        assert file.read_bytes() == left


def test_a_storm_of_power_losses_that_tear_writes_loses_nothing_whatever_the_clocks_say() -> None:
    """On a disk that forgets each kill -9 is a power loss; a third of the writes are torn, the wall clock jumps by hours."""
    report = told_to_the_end(seconds=4, nodes=3, rate=50, seed=3, storm=True, system="bad")
    assert report.violations == () and report.unfinished == ""
    assert report.acknowledged + report.indeterminate == report.said > 50
    assert report.kills >= 2 and [outage.fault for outage in report.outages] == [f"kill -9, {report.kills} times"]
    assert report.watched["ACK"] > 20 and report.watched["syncs"] > 20 and report.watched["power losses"] > 10


def test_nodes_that_never_sync_are_found_by_who_watches_and_lose_what_was_acknowledged() -> None:
    """Nothing is torn: a node that kept a part of its log would refuse the others, who are strangers to it then."""
    with under("watched", "forgets=0", "deaf=1") as below, Cluster(where="processes", timing="fast") as cluster:
        assert cluster.until(lambda: cluster.leader is not None, 15)
        cluster.say("hello")
        assert cluster.until(lambda: cluster.trace.of("ack"), 15)
        for node in cluster.nodes:
            cluster.crash(node)
        for node in cluster.nodes:
            cluster.restart(node)
        assert cluster.until(lambda: cluster.leader is not None, 15)
        assert check(cluster.trace) and "hello" not in cluster.delivered(cluster.leader or 1)
        broken = below.judge(cluster.nodes, 2).broken
    for lie in ("the boot record of life 1 is not on its disk", "its promise of term 1 to itself is not on its disk"):
        assert any(lie in sentence for sentence in broken), lie


RECOVER = """
import ctypes, errno, sys
from pathlib import Path
from chatsys.errors import ChatsysError
from chatsys.protocol.storage import NODE_RECORDS, Promised
from chatsys.runtime.disk import Disk
folder, below = Path(sys.argv[1]), ctypes.CDLL(None).below_set
for line in sys.stdin:
    call, part, name = line.split()
    folder.joinpath("log.jsonl").write_bytes(Path(sys.argv[2]).read_bytes())
    below(f"fail={call}:{part}:1:9:{getattr(errno, name)}".encode())
    try:
        Disk(folder, NODE_RECORDS).gone()
        said = "it began"
    except ChatsysError as error:
        said = f"{type(error).__name__}: {error}"
    below(b"")
    disk = Disk(folder, NODE_RECORDS)
    disk.gone()
    print(f"{[*disk.records] == [Promised(1, 2), Promised(2, 1)]}|{said}")
"""

FAILURES = {
    ("open", "/log.jsonl", "EIO"): "Input/output error: the device does not work",
    ("open", "/log.jsonl", "EACCES"): "cannot be written (Permission denied",
    ("open", "/log.jsonl", "EMFILE"): "as many files and connections open as it may have",
    ("open", "/lock", "ENOSPC"): "No space left on device: the disk is full",
    ("read", "/log.jsonl", "EIO"): "Input/output error: the device does not work",
    ("cut", "/log.jsonl", "EIO"): "Input/output error: the device does not work",
    ("write", "/log.jsonl", "EIO"): "Input/output error: the device does not work",
    ("write", "/log.jsonl", "ENOSPC"): "No space left on device: the disk is full",
    ("sync", "/log.jsonl", "EIO"): "Input/output error: the device does not work",
    ("sync", "/data", "EIO"): "Input/output error: the device does not work",
}
"""What may fail when a node begins, and what is to be said of it."""


def test_a_disk_that_fails_when_a_node_begins_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    whole = batch(1, encode(Promised(1, 2))) + mark(1) + batch(2, encode(Promised(2, 1)))
    log, data = tmp_path / "log", tmp_path / "data"
    log.write_bytes(whole + batch(3, encode(Promised(3, 1)))[:40])
    data.mkdir()
    lines = "".join(" ".join(one) + "\n" for one in FAILURES)
    with under():
        done = subprocess.run(
            [sys.executable, "-c", RECOVER, str(data), str(log)],
            input=lines,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr == ""
    for (failure, expected), told in zip(FAILURES.items(), done.stdout.splitlines(), strict=True):
        kept, said = told.split("|")
        assert kept == "True", (failure, said)
        assert said.startswith("LogError: ") and expected in said, (failure, said)


def test_processes_that_nobody_saw_are_not_called_well() -> None:
    with under("watched") as below, pytest.raises(NotHere, match=r"Nothing of the processes was seen.*TMPDIR"):
        below.judge((1, 2, 3), 2)
