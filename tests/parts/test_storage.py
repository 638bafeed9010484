"""Records and bytes, torn tails and damage, and the outbox that waits for the disk."""

import gc
import weakref

import msgspec
import pytest
from by_hand import chat
from hypothesis import given
from hypothesis import strategies as st

from chatsys.actor.logfile import DECODERS, decode, encode
from chatsys.actor.outbox import Outbox
from chatsys.errors import DamagedLog
from chatsys.protocol.messages import Ack, Entry, Heartbeat, Label
from chatsys.protocol.storage import NODE_RECORDS, Boot, CommitHint, Promised, Stored, Truncate, incarnation_of

RECORDS = [Boot(1, "chat", 2), Promised(1, 3), Stored(chat(1)), Truncate(1), CommitHint(0), Promised(2, None)]
LOG = b"".join(map(encode, RECORDS))

texts = st.text(max_size=50)
records = st.one_of(
    st.builds(Promised, st.integers(0, 2**40), st.none() | st.integers(1, 7)),
    st.builds(Stored, st.builds(Entry, st.integers(1, 9), st.integers(0, 9), st.just("chat"), texts, text=texts)),
    st.builds(Truncate, st.integers(1, 2**40)),
)


def test_what_is_written_is_read_back() -> None:
    assert decode(LOG, NODE_RECORDS) == (RECORDS, 0)


@given(st.lists(records, max_size=5))
def test_any_text_in_any_record_survives(several: list[object]) -> None:
    assert decode(b"".join(map(encode, several)), NODE_RECORDS) == (several, 0)  # type: ignore[arg-type]


def read_a_record_of_its_own() -> "weakref.ref[type[msgspec.Struct]]":
    """Define a class of records, as a cell of a notebook does each time it runs, and read a log of it."""

    class Remembered(msgspec.Struct, frozen=True, tag="remembered", tag_field="type"):
        text: str

    assert decode(encode(Remembered("hi")), (Remembered,)) == ([Remembered("hi")], 0)
    return weakref.ref(Remembered)


def test_a_class_of_records_that_nobody_uses_any_more_is_forgotten() -> None:
    first, *_ = [read_a_record_of_its_own() for _ in range(DECODERS + 1)]
    gc.collect()
    assert first() is None


def test_an_empty_log_holds_nothing() -> None:
    assert decode(b"", NODE_RECORDS) == ([], 0)


def test_a_log_cut_at_any_byte_loses_only_its_last_line() -> None:
    for cut in range(len(LOG)):
        found, torn = decode(LOG[:cut], NODE_RECORDS)
        whole = LOG[:cut].count(b"\n")
        assert found == RECORDS[:whole]
        assert torn == cut - (LOG[:cut].rfind(b"\n") + 1)


def test_a_rotten_byte_before_the_last_line_is_damage_with_its_line_number() -> None:
    lines = LOG.splitlines(keepends=True)
    for index in range(len(lines) - 1):
        broken = bytearray(LOG)
        broken[sum(map(len, lines[:index])) + 10] ^= 1
        with pytest.raises(DamagedLog) as caught:
            decode(bytes(broken), NODE_RECORDS, path="log.jsonl")
        assert caught.value.line == index + 1 and "nothing was skipped" in str(caught.value)


def test_a_rotten_last_line_was_never_acknowledged_and_is_dropped() -> None:
    last = encode(RECORDS[-1])
    assert decode(LOG[:-5] + b"x" + LOG[-4:], NODE_RECORDS) == (RECORDS[:-1], len(last))


@given(st.binary(max_size=300))
def test_random_bytes_are_torn_or_damaged_but_never_an_accident(data: bytes) -> None:
    try:
        found, torn = decode(data, NODE_RECORDS)
    except DamagedLog:
        return
    assert found == [] and torn == len(data)


def test_the_last_life_is_found() -> None:
    assert incarnation_of([]) == 0
    assert incarnation_of([Boot(1, "c", 1), Boot(2, "c", 1)]) == 2


def test_a_frame_waits_for_every_record_written_before_it() -> None:
    outbox = Outbox()
    outbox.wrote(2)
    assert not outbox.admit(1, Ack(1, True))
    assert outbox.synced(1) == []
    assert outbox.synced(2) == [(1, Ack(1, True))]
    assert outbox.admit(1, Ack(1, True))


def test_a_frame_does_not_wait_for_records_written_after_it() -> None:
    outbox = Outbox()
    outbox.wrote()
    outbox.admit(1, Ack(1, True))
    outbox.wrote()
    assert outbox.synced(1) == [(1, Ack(1, True))]


def test_a_heartbeat_overtakes_the_disk() -> None:
    outbox = Outbox()
    outbox.wrote()
    assert outbox.admit(1, Heartbeat(1, 1, 0, Label(0, 0)))


def test_frames_leave_in_the_order_in_which_they_were_sent() -> None:
    outbox = Outbox()
    for number in range(3):
        outbox.wrote()
        outbox.admit(number, Ack(1, True, match=number))
    assert [to for to, _ in outbox.synced(3)] == [0, 1, 2]
