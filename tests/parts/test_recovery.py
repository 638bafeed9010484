"""What a log of records means when a life begins, and what can never stand in one; by hand."""

from typing import Any

import pytest
from by_hand import chat

from chatsys.actor.effects import Note
from chatsys.actor.logfile import batch, decode, encode
from chatsys.actor.outbox import Outbox
from chatsys.errors import DamagedLog
from chatsys.protocol.messages import Entry, Label, Promise
from chatsys.protocol.recovery import NONCES, Recovered, misfit, replay
from chatsys.protocol.storage import (
    NODE_RECORDS,
    Accepted,
    Boot,
    CommitHint,
    Promised,
    Remembered,
    Stored,
    Truncate,
    incarnation_of,
)

BOOT = Boot(1, "chat", 1)


def entries(count: int) -> list[Any]:
    return [Stored(chat(seq)) for seq in range(1, count + 1)]


# --- what records mean ----------------------------------------------------------------------------


def test_an_empty_log_means_nothing() -> None:
    found = replay(())
    assert found == Recovered((), None, [], 0)
    assert (found.boot, found.incarnation, found.term, found.records()) == (None, 0, 0, ())


def test_the_last_life_the_last_promise_and_the_last_hint_count() -> None:
    """SPECIFICATION R4.1, R12.7."""
    found = replay([BOOT, Promised(1, 3), *entries(3), CommitHint(2), Boot(2, "chat", 1), Promised(4, None)], "here")
    assert (found.incarnation, found.term, found.promise) == (2, 4, Promised(4, None))
    assert [entry.seq for entry in found.entries] == [1, 2, 3] and found.hint == 2
    again = replay(found.records(), None)
    assert again == found, "the fewest records that mean this mean the same"


def test_entries_that_were_voided_are_gone_and_the_hint_ends_before_them() -> None:
    """SPECIFICATION R12.10."""
    found = replay([BOOT, *entries(4), CommitHint(3), Truncate(2), Stored(chat(2, 2))])
    assert [(entry.seq, entry.term) for entry in found.entries] == [(1, 1), (2, 2)] and found.hint == 1
    assert replay([BOOT, *entries(4), CommitHint(1), Truncate(4)]).hint == 1


def test_a_hint_means_no_more_than_there_is_and_the_last_one_counts_even_if_it_is_lower() -> None:
    assert replay([BOOT, *entries(2), CommitHint(9)]).hint == 2
    assert replay([BOOT, *entries(3), CommitHint(3), CommitHint(2)]).hint == 2


def test_who_was_met_is_remembered_as_it_was_met_last_until_people_accept_its_new_disk() -> None:
    """SPECIFICATION R4.6."""
    met = [Remembered(2, "a", 1, "x"), Remembered(3, "b", 1, "y"), Remembered(2, "a", 2, "z")]
    assert replay([BOOT, *met]).met == (Remembered(2, "a", 2, "z"), Remembered(3, "b", 1, "y"))
    assert replay([BOOT, *met, Accepted(2)]).met == (Remembered(3, "b", 1, "y"),)
    assert replay([BOOT, *met, Accepted(1)]).met == replay([BOOT, *met]).met


def test_of_lives_with_a_nonce_the_latest_are_kept_and_of_others_the_last() -> None:
    named = [Boot(life, "chat", 1, identity="9f", nonce=f"n{life}") for life in range(1, NONCES + 3)]
    assert replay(named).boots == tuple(named[2:]) and len(replay(named).boots) == NONCES
    assert replay(named).incarnation == NONCES + 2
    plain = [Boot(life, "chat", 1) for life in (1, 2, 3)]
    assert replay(plain).boots == (plain[-1],)
    assert incarnation_of([*plain, Promised(7, None)]) == 3 and incarnation_of([]) == 0


# --- what cannot come next ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "line", "why"),
    [
        ([BOOT, *entries(2), Stored(chat(4))], 4, "entry 4 follows entry 2"),
        ([BOOT, *entries(2), Stored(chat(2))], 4, "entry 2 follows entry 2"),
        ([BOOT, Promised(4, 1), Promised(3, 1)], 3, "a promise for term 3 follows one for term 4"),
        ([BOOT, *entries(2), CommitHint(3)], 4, "entries up to 3 are committed, but there are 2"),
        ([BOOT, CommitHint(-1)], 2, "entries up to -1 are committed, but there are 0"),
        ([BOOT, *entries(2), Truncate(3)], 4, "entries from 3 on are voided, but there are 2"),
        ([BOOT, *entries(2), Truncate(0)], 4, "entries from 0 on are voided, but there are 2"),
        ([Boot(0, "chat", 1)], 1, "life 0 follows life 0"),
        ([BOOT, Boot(1, "chat", 1)], 2, "life 1 follows life 1"),
        ([BOOT, Boot(3, "chat", 1)], 2, "life 3 follows life 1"),
        (
            [Boot(1, "chat", 1, identity="9f" * 16), Boot(2, "chat", 1, identity="30" * 16)], 2,
            "a life of the folder 30303030 follows one of the folder 9f9f9f9f",
        ),
    ],
)  # fmt: skip
def test_a_record_that_cannot_come_next_is_damage_with_its_number(records: list[Any], line: int, why: str) -> None:
    """SPECIFICATION R3.10, R12.7."""
    with pytest.raises(DamagedLog) as caught:
        replay(records, "here")
    assert why in str(caught.value) and caught.value.line == line
    replay([one for one in records if one != records[-1]], "here")


def test_of_records_that_this_program_has_just_written_none_is_checked() -> None:
    assert [*replay([Stored(chat(2)), Stored(chat(2))]).entries] == [chat(2), chat(2)]


def test_what_may_just_come_next_is_no_damage() -> None:
    last = 2
    for record in (Stored(chat(3)), CommitHint(0), CommitHint(2), Truncate(1), Truncate(2), Promised(4, 1)):
        assert misfit(record, BOOT, Promised(4, 3), last) is None, record
    assert misfit(Boot(2, "chat", 1), BOOT, None, 0) is None
    assert misfit(Boot(7, "chat", 1), None, None, 0) is None, "a log may begin with a later life: backups do"
    assert misfit(Promised(1, 1), BOOT, None, 0) is None


# --- what the trace tells of a record -------------------------------------------------------------


def test_the_trace_tells_of_each_record_what_the_checkers_ask_for() -> None:
    entry = Entry(3, 2, "chat", "c" * 12, 4, "main", "ann", "hi", session=1)
    stored = Stored(entry).as_note()
    assert (stored.kind, stored.seq, stored.entry_term, stored.entry) == ("append", 3, 2, "chat")
    assert (stored.room, stored.author, stored.text, stored.client_seq) == ("main", "ann", "hi", 4) and stored.client
    bare = Stored(Entry(1, 1, "barrier")).as_note()
    assert (bare.room, bare.author, bare.client) == (None, None, None)
    assert [record.as_note() for record in (BOOT, Remembered(2, "a", 1, "x"), Accepted(2), Promised(4, 3))] == [
        Note("boot"), Note("met", peer=2), Note("accepted", peer=2), Note("promise", term=4, peer=3),
    ]  # fmt: skip
    assert [record.as_note() for record in (Truncate(3), CommitHint(3))] == [
        Note("truncate", seq=3), Note("hint", seq=3),
    ]  # fmt: skip
    assert (Stored(entry).log_end, Truncate(3).log_end) == (3, 2)


def test_each_record_of_a_node_can_be_read_back() -> None:
    records = [
        BOOT,
        Promised(1, 3),
        Stored(chat(1)),
        Truncate(1),
        CommitHint(0),
        Remembered(2, "a", 1, "x"),
        Accepted(2),
    ]
    assert {type(record) for record in records} == set(NODE_RECORDS)
    assert decode(batch(1, b"".join(map(encode, records))), NODE_RECORDS).records == records


# --- the outbox -----------------------------------------------------------------------------------


def test_the_count_may_begin_anew_while_frames_wait() -> None:
    """A search sees equal states as equal, however long their history is; what waits still waits for the same records."""
    box, frame = Outbox(), Promise(1, True, Label(0, 0))
    box.wrote(5)
    box.synced(3)
    assert not box.admit(1, frame)
    box.wrote(2)
    assert not box.admit(2, frame)
    box.rebase()
    assert (box.written, box.durable, len(box)) == (4, 0, 2)
    assert box.synced(1) == [] and box.synced(2) == [(1, frame)] and box.synced(4) == [(2, frame)]
    box.rebase()
    assert (box.written, box.durable) == (0, 0) and box.admit(1, frame)
