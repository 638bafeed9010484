"""Properties of the pure parts: Hypothesis plays against a model that is too simple to be wrong."""

from typing import Any

from by_hand import chat, members, of, part, sent
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chatsys.actor.outbox import Outbox
from chatsys.config import Limits
from chatsys.protocol.decisions import Release
from chatsys.protocol.holdback import HoldBack
from chatsys.protocol.log import Log
from chatsys.protocol.messages import Ack, Entry, Label, Propose
from chatsys.protocol.ordering import Receiver
from chatsys.protocol.session_table import SessionTable


class Reception(RuleBasedStateMachine):
    """A leader's log arrives in any pieces, any order, any number of times: the copy is a prefix of it."""

    leaders = tuple(chat(seq, 1 + seq // 7) for seq in range(1, 31))

    @initialize()
    def begin(self) -> None:
        self.two: Receiver = part(Receiver, me=2)
        self.two.state.enter(9, promised_to=3, leader=3)

    @rule(first=st.integers(1, 30), count=st.integers(0, 6), commit=st.integers(0, 30))
    def a_batch_arrives(self, first: int, count: int, commit: int) -> None:
        prev = self.leaders[first - 2].label if first > 1 else Label(0, 0)
        self.receive(Propose(9, prev, self.leaders[first - 1 : first - 1 + count], commit))

    def receive(self, batch: Propose) -> None:
        for released in of(self.two.on_message(3, batch, 0.0), Release):
            self.receive(released.message)

    @rule()
    def the_turn_ends(self) -> None:
        for _, ack in sent(self.two.settle(0.0), Ack):
            assert ack.match <= self.two.log.last_seq

    @invariant()
    def the_copy_is_a_prefix(self) -> None:
        log = self.two.log
        assert tuple(log.entries) == self.leaders[: log.last_seq]
        assert log.commit <= log.verified <= log.last_seq

    @invariant()
    def nothing_that_could_be_used_is_still_held_back(self) -> None:
        assert all(seq > self.two.log.last_seq for seq in self.two.early.batches)

    def teardown(self) -> None:
        if hasattr(self, "two"):
            for first in range(1, 31, 5):
                self.a_batch_arrives(first=first, count=5, commit=30)
            assert (self.two.log.last_seq, self.two.log.commit) == (30, 30)


class Disk(RuleBasedStateMachine):
    """The outbox against the sentence it must keep: no frame before what was written earlier is durable."""

    @initialize()
    def begin(self) -> None:
        self.outbox = Outbox()
        self.waits: dict[int, int] = {}
        self.left: list[int] = []
        self.number = 0

    @rule(count=st.integers(1, 3))
    def records_are_written(self, count: int) -> None:
        self.outbox.wrote(count)

    @rule()
    def a_frame_is_sent(self) -> None:
        self.number += 1
        self.waits[self.number] = self.outbox.written
        if self.outbox.admit(1, Ack(1, True, match=self.number)):
            self.left.append(self.number)

    @precondition(lambda self: self.outbox.written > self.outbox.durable)
    @rule(share=st.floats(0, 1))
    def a_sync_ends(self, share: float) -> None:
        upto = self.outbox.durable + int(share * (self.outbox.written - self.outbox.durable))
        self.left += [frame.match for _, frame in self.outbox.synced(upto)]  # type: ignore[attr-defined]

    @invariant()
    def frames_leave_in_order_and_only_when_durable(self) -> None:
        assert self.left == sorted(self.left)
        assert set(self.left) == {n for n, needed in self.waits.items() if needed <= self.outbox.durable}


TestReception = Reception.TestCase
TestReception.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestDisk = Disk.TestCase
TestDisk.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Entry], list[Entry]]:
    """Two logs of one system: equal up to somewhere, then of different terms."""
    shared = draw(st.integers(0, 6))
    terms = sorted(draw(st.lists(st.integers(1, 3), min_size=shared, max_size=shared)))
    common = [chat(seq, term) for seq, term in enumerate(terms, start=1)]
    mine = [chat(shared + 1 + at, 4) for at in range(draw(st.integers(0, 4)))]
    theirs = [chat(shared + 1 + at, 5) for at in range(draw(st.integers(0, 4)))]
    return common + mine, common + theirs


@given(histories(), st.integers(0, 6))
def test_splicing_makes_the_log_agree_and_removes_only_what_differs(pair: Any, overlap: int) -> None:
    mine, theirs = pair
    log = Log(members())
    log.splice(mine)
    shared = sum(a == b for a, b in zip(mine, theirs, strict=False))
    first = max(0, shared - overlap)
    log.splice(theirs[first:])
    conflict = len(theirs) > shared
    assert log.entries == (theirs if conflict else mine)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 5)), max_size=40))
def test_each_session_is_delivered_once_and_in_its_order(attempts: list[tuple[str, int]]) -> None:
    table = SessionTable(10)
    for seq, client in enumerate("ab", start=1):
        table.apply(Entry(seq, 1, "session", client))
    delivered: dict[str, list[int]] = {"a": [], "b": []}
    for seq, (client, number) in enumerate(attempts, start=3):
        if table.apply(Entry(seq, 1, "chat", client, number)) == "new":
            delivered[client].append(number)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in delivered.values())


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=60), st.integers(1, 40))
def test_the_hold_back_queue_never_exceeds_its_bounds_and_counts_right(sizes: list[tuple[int, int]], most: int) -> None:
    queue = HoldBack(Limits(hold_back_entries=most))
    for after, count in sizes:
        entries = tuple(chat(after + 1 + at) for at in range(count))
        queue.hold(Propose(1, Label(1, after), entries, 0))
        assert queue.entries <= most
        assert queue.entries == sum(len(batch.entries) for batch in queue.batches.values())
        assert queue.bytes == sum(entry.size for batch in queue.batches.values() for entry in batch.entries)
