"""What is below a node, by hand: which writes a sync covers, and what may be said before and after it."""

import json
from typing import Any

import msgspec
import pytest

from chatsys.actor.logfile import batch, encode, mark
from chatsys.campaign.below.clocks import true_times
from chatsys.campaign.below.events import BIND, CLOCK, CUT, MKDIR, OPEN, SEND, SYNC, WRITE, SystemCall
from chatsys.campaign.below.images import DiskImage
from chatsys.campaign.below.power_losses import PowerLosses
from chatsys.campaign.below.witness import Witness
from chatsys.protocol.messages import Ack, Entry, Message, Prepare, Promise, SubmitReply
from chatsys.protocol.storage import Boot, Promised, Stored
from chatsys.trace import Record, Trace

BOOT = encode(Boot(1, "chat", 2))
MINE, THINE = encode(Promised(3, 2)), encode(Promised(3, 1))
ENTRY = encode(Stored(Entry(seq=1, term=3, kind="chat", client_id="c", client_seq=1, author="ann", text="hi")))
OK = SubmitReply(client_id="c", client_seq=1, status="ok", seq=1, msg_no=1)


class Told:
    """Writes events with literal times, one millisecond after the other."""

    def __init__(self, *members: int) -> None:
        self.witness = Witness(members or (1, 2, 3), 2)
        self.at, self.size = 0, {2: 0, 3: 0}
        for node in self.size:
            self.event(OPEN, node, offset=1, path=f"/d/node{node}/log.jsonl")

    def event(
        self, kind: int, node: int = 2, offset: int = 0, result: int = 0, path: str = "", data: bytes = b""
    ) -> None:
        self.at += 1_000_000
        self.witness.take(
            SystemCall(kind, node, 9, self.at, self.at + 1000, offset, result, 5 * (result < 0), path, data)
        )

    def write(self, number: int, lines: bytes, node: int = 2) -> None:
        data = batch(number, lines)
        self.event(WRITE, node, self.size[node], len(data), f"/d/node{node}/log.jsonl", data)
        self.size[node] += len(data)

    def sync(self, node: int = 2, result: int = 0) -> None:
        self.event(SYNC, node, result=result, path=f"/d/node{node}/log.jsonl")

    def folder(self, node: int = 2) -> None:
        self.event(SYNC, node, path=f"/d/node{node}")

    def say(self, message: Message, port: int = 0) -> None:
        line = b'{"n":1,"clock":1,"message":%b}\n' % msgspec.json.encode(message)
        self.event(SEND, offset=port, result=len(line), data=line)

    def end(self) -> list[str]:
        self.witness.end()
        return self.witness.broken


def test_what_is_synced_may_be_said() -> None:
    told = Told()
    told.folder()
    told.write(1, BOOT + MINE)
    told.sync()
    told.say(Prepare(3))
    told.write(2, ENTRY)
    told.sync()
    told.say(Ack(3, True, match=1))
    told.folder(3)
    told.write(1, encode(Boot(1, "chat", 3)) + MINE + ENTRY, 3)
    told.sync(3)
    told.say(OK)
    assert told.end() == []
    assert told.witness.judged == {"PREPARE": 1, "ACK": 1, "SUBMIT_REPLY": 1} and told.witness.syncs == 3


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (Prepare(4), "no promise of term 4 is on its disk"),
        (Prepare(3), "its promise of term 3 to itself is not on its disk"),
        (Promise(3, True, last=(3, 1)), "does not hold entry 1 of term 3"),  # type: ignore[arg-type]
        (Ack(3, True, match=1), "ends at 0, not at 1"),
        (OK, "entry 1 of this client is not on 2 disks"),
    ],
)
def test_what_no_sync_has_covered_is_said_too_early(message: Message, why: str) -> None:
    """The entry was written and not synced, so a power loss could take it, and the promise went to another one."""
    told = Told()
    told.folder()
    told.write(1, BOOT + THINE)
    told.sync()
    told.write(2, ENTRY)
    told.say(message)
    assert why in told.end()[0]


def test_a_promise_to_one_is_none_to_another() -> None:
    told = Told()
    told.folder()
    told.folder(3)
    told.write(1, encode(Boot(1, "chat", 3)), 3)
    told.sync(3)
    told.event(BIND, 3, offset=5003)
    told.write(1, BOOT + THINE)
    told.sync()
    told.say(Promise(3, True), port=5003)
    assert "its promise of term 3 to node 3 is not on its disk" in told.end()[0]


@pytest.mark.parametrize("forgotten", ["the log's folder", "the folder above it"])
def test_a_file_whose_name_is_not_on_the_disk_holds_nothing(forgotten: str) -> None:
    told = Told()
    told.event(MKDIR, path="/d/node2")
    if forgotten != "the log's folder":
        told.folder()
    else:
        told.event(SYNC, path="/d")
    told.write(1, BOOT + MINE)
    told.sync()
    told.say(Prepare(3))
    assert "no promise of term 3" in told.end()[0]


def test_after_a_sync_that_failed_the_next_one_covers_nothing_that_was_written_before() -> None:
    told = Told()
    told.folder()
    told.write(1, BOOT + MINE)
    told.sync(result=-1)
    told.witness.disks.images["/d/node2/log.jsonl"].distrusted.clear()  # a new life
    told.sync()
    told.say(Prepare(3))
    assert "no promise of term 3" in told.end()[0]


def test_what_was_written_again_after_a_sync_that_failed_is_covered_again() -> None:
    told = Told()
    told.folder()
    told.write(1, BOOT + MINE)
    told.sync(result=-1)
    told.witness.disks.images["/d/node2/log.jsonl"].distrusted.clear()
    told.size[2] = 0
    told.write(1, BOOT + MINE)
    told.sync()
    told.say(Prepare(3))
    assert told.end() == []


def test_who_writes_or_syncs_after_a_failure_is_told() -> None:
    told = Told()
    told.folder()
    told.write(1, BOOT)
    told.sync(result=-1)
    told.sync()
    told.write(2, MINE)
    assert [sentence.split(": ")[1][:26] for sentence in told.end()[:2]] == [
        "process 2 synced its log a",
        "process 2 wrote to its log",
    ]


def test_a_batch_begins_only_when_the_one_before_is_on_the_disk() -> None:
    told = Told()
    told.folder()
    told.write(1, BOOT)
    told.write(2, MINE)
    assert "process 2 began a batch at byte" in told.end()[0]


def image(*events: tuple[int, int, bytes]) -> DiskImage:
    image = DiskImage()
    for number, (kind, offset, data) in enumerate(events):
        image.take(SystemCall(kind, 7, 3, 2 * number, 2 * number + 1, offset, len(data), 0, "log.jsonl", data))
    return image


def test_a_mark_needs_no_sync_and_a_cut_takes_back_what_was_read() -> None:
    one, two = batch(1, BOOT), batch(2, ENTRY)
    seen = image((WRITE, 0, one), (SYNC, 0, b""), (WRITE, len(one), mark(1)), (WRITE, len(one + mark(1)), two))
    assert seen.wrong == [] and seen.facts.entries == []
    seen = image((WRITE, 0, one + two), (SYNC, 0, b""), (CUT, len(one), b""), (SYNC, 0, b""))
    assert seen.facts.entries == [] and seen.facts.longest == 1 and seen.facts.lives == {1}


def test_a_log_is_read_after_a_power_loss_at_any_moment_and_one_that_lost_what_was_synced_is_told() -> None:
    one, two = batch(1, BOOT + ENTRY), batch(2, MINE)
    seen = image((WRITE, 0, one), (SYNC, 0, b""), (WRITE, len(one), two))
    losses = PowerLosses()
    losses.take(SystemCall(WRITE, 7, 3, 9, 9, 0, 0, 0, "", b""), seen)
    assert losses.broken == [] and losses.read == 4
    seen.disk[:] = one[:50]
    losses.take(SystemCall(WRITE, 7, 3, 9, 9, 0, 0, 0, "", b""), seen)
    assert any("of 1 synced entries is read as one of 0" in sentence for sentence in losses.broken)


def test_times_of_clocks_that_go_wrong_are_put_right() -> None:
    def life(node: int, pid: int, rate: float) -> list[SystemCall]:
        boot = batch(1, encode(Boot(1, "chat", node)))
        clock = SystemCall(CLOCK, pid, -1, 100 * 10**9, 0, int(rate * 1e9), 0, 0, "", b"")
        return [clock, SystemCall(WRITE, pid, 3, 0, 0, 0, len(boot), 0, "log.jsonl", boot)]

    def record(node: Any, time: float, kind: str) -> Record:
        return Record(time, kind, node, 1 if node != "ann" else 0)

    events = [*life(1, 11, 1.1), *life(2, 12, 0.9)]
    trace = Trace(
        [record(2, 9.0, "deliver"), record("ann", 9.5, "submit"), record(1, 11.0, "append"), record(1, 12.0, "crash")]
    )
    put_right = true_times(trace, events, origin=100.0)
    assert [(one.kind, round(one.time, 6)) for one in put_right] == [
        ("submit", 9.5),
        ("deliver", 10.0),
        ("append", 10.0),
        ("crash", 12.0),
    ]
    assert json.loads(json.dumps(put_right.meta)) == {}
