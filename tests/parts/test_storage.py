"""Records and bytes, torn batches and damage, and the outbox that waits for the disk."""

import gc
import weakref
from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any
from zlib import crc32

import msgspec
import pytest
from by_hand import chat
from hypothesis import given
from hypothesis import strategies as st

from chatsys.actor.logfile import DECODERS, batch, decode, encode, mark, other_format
from chatsys.actor.outbox import Outbox
from chatsys.actor.sharing import Sharing
from chatsys.errors import DamagedLog, LogError, UsageError
from chatsys.protocol import storage
from chatsys.protocol.messages import Ack, Entry, Heartbeat, Label
from chatsys.protocol.storage import NODE_RECORDS, Boot, CommitHint, Promised, Stored, Truncate, incarnation_of

RECORDS = [Boot(1, "chat", 2), Promised(1, 3), Stored(chat(1)), Truncate(1), CommitHint(0), Promised(2, None)]
BATCHES = [batch(number, encode(record)) for number, record in enumerate(RECORDS, start=1)]
LOG = b"".join(BATCHES)
PAGE = 512


def entries(first: int, last: int) -> bytes:
    return b"".join(encode(Stored(chat(seq, text="x" * 300))) for seq in range(first, last + 1))


SOUND = batch(1, encode(Boot(1, "chat", 2)) + entries(1, 2))
LAST = batch(2, entries(3, 9))
"""A batch of several pages, written behind `SOUND`."""


def read(data: bytes) -> tuple[list[Any], int]:
    log = decode(data, NODE_RECORDS)
    return log.records, log.torn


def damage(data: bytes) -> DamagedLog:
    with pytest.raises(DamagedLog) as caught:
        decode(data, NODE_RECORDS, path="log.jsonl")
    assert "nothing was skipped" in str(caught.value)
    return caught.value


texts = st.text(max_size=50)
records = st.one_of(
    st.builds(Promised, st.integers(0, 2**40), st.none() | st.integers(1, 7)),
    st.builds(Stored, st.builds(Entry, st.integers(1, 9), st.integers(1, 9), st.just("chat"), texts, text=texts)),
    st.builds(Truncate, st.integers(1, 2**40)),
)


def test_entries_that_are_read_have_in_common_what_is_equal_and_mean_the_same() -> None:
    """By large numbers, for Python has one object for each small one anyway; `real/test_long_log` reads a file."""
    shared = "client_id", "client_seq", "room", "author", "time", "session"

    def anew(client: str, number: int, moment: float) -> Entry:
        """Return an entry as it is read: each value is an object of its own."""
        entry = Entry(
            7, 1, "chat", client * 20, number, f"room of {client}", f"author {client}", "a text", moment, number + 500
        )
        return msgspec.json.decode(msgspec.json.encode(entry), type=Entry)

    told = [("a", 1000, 1.5), ("a", 1000, 1.5), ("b", 2000, 2.5), ("b", 2000, 2.5), ("a", 1000, 1.5)]
    entries = [anew(*one) for one in told]
    assert not [name for name in shared if getattr(entries[0], name) is getattr(entries[1], name)]
    sharing = Sharing()
    for entry in entries:
        Stored(entry).share(sharing)
    assert entries == [anew(*one) for one in told]
    for first, later, but in ((0, 1, ()), (2, 3, ()), (0, 4, ("time",))):  # a moment is shared with the entry before
        for name in shared:
            one, other = getattr(entries[first], name), getattr(entries[later], name)
            assert (one is other) == (name not in but), name
    sharing.bound()
    Stored(afterwards := anew(*told[0])).share(sharing)
    assert afterwards.author is entries[0].author, "it is not forgotten while it is little"


def test_what_is_written_is_read_back() -> None:
    assert read(LOG) == (RECORDS, 0)
    assert read(LOG + mark(6) + batch(7, encode(RECORDS[-1])) + mark(7) + mark(7)) == ([*RECORDS, RECORDS[-1]], 0)


def test_a_person_can_read_the_log() -> None:
    lines = (SOUND + mark(1)).decode().splitlines()
    size = sum(len(line) + 1 for line in lines[1:4])
    assert lines[0].startswith(f'{{"type":"batch","number":1,"bytes":{size},"crc":"')
    assert lines[1] == '{"type":"boot","incarnation":1,"cluster":"chat","node":2,"format":3,"identity":"","nonce":""}'
    assert lines[4].startswith('{"type":"synced","number":1,"crc":"') and all(map(msgspec.json.decode, lines))


@given(st.lists(records, max_size=5))
def test_any_text_in_any_record_survives(several: list[object]) -> None:
    assert read(batch(1, b"".join(map(encode, several)))) == (several, 0)  # type: ignore[arg-type]


def read_a_record_of_its_own() -> "weakref.ref[type[msgspec.Struct]]":
    """Define a class of records, as a cell of a notebook does each time it runs, and read a log of it."""

    class Remembered(msgspec.Struct, frozen=True, tag="remembered", tag_field="type"):
        text: str

    assert decode(batch(1, encode(Remembered("hi"))), (Remembered,)).records == [Remembered("hi")]
    return weakref.ref(Remembered)


def test_a_class_of_records_that_nobody_uses_any_more_is_forgotten() -> None:
    first, *_ = [read_a_record_of_its_own() for _ in range(DECODERS + 1)]
    gc.collect()
    assert first() is None


def test_a_record_with_the_tag_of_a_header_is_refused() -> None:
    class Batch(msgspec.Struct, frozen=True, tag="batch", tag_field="type"):
        number: int

    with pytest.raises(UsageError, match="The record Batch has the tag 'batch', which is kept for"):
        decode(b"", (Batch,))


def test_an_empty_log_holds_nothing() -> None:
    assert read(b"") == ([], 0)


# --- torn: the last batch, if its sync had not ended ------------------------------------------


def test_a_log_cut_at_any_byte_loses_only_its_last_batch() -> None:
    ends = [sum(map(len, BATCHES[:count])) for count in range(len(BATCHES) + 1)]
    for cut in range(len(LOG)):
        whole = sum(end <= cut for end in ends) - 1
        assert read(LOG[:cut]) == (RECORDS[:whole], cut - ends[whole])


def torn_batches() -> Iterator[bytes]:
    """Yield what a crash may leave of `LAST`: each subset of its pages, with the end of the file where it can be."""
    first = -len(SOUND) % PAGE
    bounds = [0, *range(first, len(LAST), PAGE), len(LAST)]
    pages = [LAST[start:end] for start, end in pairwise(bounds)]
    for there in product((True, False), repeat=len(pages)):
        whole = b"".join(page if is_there else bytes(len(page)) for page, is_there in zip(pages, there, strict=True))
        yield from (whole, whole[:-100], whole + bytes(PAGE))


def test_any_pages_of_an_unsynced_batch_may_be_lost() -> None:
    expected = decode(SOUND, NODE_RECORDS).records
    whole = decode(SOUND + LAST, NODE_RECORDS).records
    seen = set()
    for left in torn_batches():
        for before in (SOUND, SOUND + mark(1)):
            log = decode(before + left, NODE_RECORDS)
            assert log.records == (whole if left.startswith(LAST) else expected)
            assert log.torn == len(left) - len(LAST) * left.startswith(LAST)
            seen.add(log.warning.partition("(")[2].partition(")")[0])
    assert seen >= {"", "after entry 2", "entries 3 to 9", "entry 3", "after entry 2; entry 9 can be read"}, (
        "as far as it can be read"
    )


@pytest.mark.parametrize("taken", ["all", "the beginning", "the end"])
def test_a_crash_may_take_the_mark_before_a_batch_and_leave_the_batch(taken: str) -> None:
    line = bytearray(mark(1))
    where = {"all": slice(None), "the beginning": slice(0, 20), "the end": slice(20, None)}[taken]
    line[where] = bytes(len(line[where]))
    data = SOUND + bytes(line) + LAST
    assert read(data) == read(SOUND + LAST)
    assert read(data + batch(3, entries(10, 10)) + mark(3)) == read(SOUND + LAST + batch(3, entries(10, 10)))
    assert read(SOUND + bytes(line) + LAST[:-1]) == (read(SOUND)[0], len(line) + len(LAST) - 1)


def test_a_part_of_a_mark_is_cut_off_without_a_warning() -> None:
    log = decode(SOUND + mark(1)[:30], NODE_RECORDS)
    assert (log.torn, log.warning) == (30, "")


def test_one_file_cannot_tell_a_torn_last_batch_from_one_that_rotted() -> None:
    log = decode(SOUND + LAST.replace(b"xx", b"xy", 1), NODE_RECORDS)
    assert log.records == read(SOUND)[0]
    assert log.told() == (
        f"3 records; a torn batch of {len(LAST)} bytes at the end was dropped (entries 3 to 9): its sync had not ended, "
        "unless it rotted later"
    )


# --- damage: what was synced ------------------------------------------------------------------


@pytest.mark.parametrize("after", [mark(2), batch(3, b""), batch(3, entries(10, 12))[:34], b"x"])
def test_a_rotten_batch_is_damage_if_anything_shows_that_it_was_synced(after: bytes) -> None:
    for at in (5, 30, 50, len(LAST) // 2, len(LAST) - 2):
        rotten = LAST[:at] + bytes([LAST[at] ^ 1]) + LAST[at + 1 :]
        if after.startswith(b"{") or at > 60:  # where its header is readable, any byte behind its end shows it
            assert damage(SOUND + rotten + after).line == 5
        assert damage(SOUND + bytes(PAGE) + LAST[PAGE:] + mark(2)).line == 5


def test_a_rotten_byte_before_the_last_batch_is_damage_with_its_line_number() -> None:
    for index in range(len(BATCHES) - 1):
        start = sum(map(len, BATCHES[:index]))
        for at in range(start, start + len(BATCHES[index])):
            assert damage(LOG[:at] + bytes([LOG[at] ^ 1]) + LOG[at + 1 :]).line == 2 * index + 1


def test_batches_that_are_doubled_removed_or_swapped_are_damage() -> None:
    one, two, three, *_ = BATCHES
    assert damage(one + one).why == "batch 1 follows batch 1"
    assert damage(one + three).why == "batch 3 follows batch 1"
    assert damage(two + one).why == "batch 2 is the first"
    assert damage(one + mark(2)).why == "batch 2 follows batch 1"


@pytest.mark.parametrize(
    ("data", "line", "why"),
    [
        (b"\xef\xbb\xbf" + SOUND, 1, "a byte-order mark stands before it"),
        (b"\xef\xbb\xbf" + BATCHES[0], 1, "a byte-order mark stands before it"),
        (SOUND.replace(b"\n", b"\r\n"), 1, "its lines end as on Windows"),
        (SOUND + LAST.replace(b"\n", b"\r\n"), 5, "its lines end as on Windows"),
        (bytes(len(SOUND)) + LAST, 1, "batch 2, which begins at line 1, follows"),
        (SOUND[SOUND.index(b"\n") + 1 :], 1, "what stands here is no batch"),
        (b"hello\n", 1, "what stands here is no batch"),
        (SOUND + b"rubbish", 5, "what stands here is no batch"),
        (b"[1, 2]\n" + SOUND, 1, "what stands here is no batch"),
        (mark(1) + SOUND, 1, "batch 1 is the first"),
        (batch(1, b'{"type":"boot"}\n'), 2, "the check of its batch holds but it is no record"),
        (batch(1, encode(RECORDS[0]) + b"[" * 3000 + b"\n"), 3, "the check of its batch holds but it is no record"),
    ],
)
def test_what_no_crash_can_leave_is_damage_with_a_sentence_of_its_own(data: bytes, line: int, why: str) -> None:
    found = damage(data)
    assert found.line == line and why in found.why


@pytest.mark.parametrize("data", [b"\0", bytes(4096), SOUND[:60] + bytes(PAGE), bytes(200) + SOUND[200:]])
def test_a_first_batch_may_be_torn_like_any_other(data: bytes) -> None:
    assert read(data) == ([], len(data))


@pytest.mark.parametrize("number", [1, 2])
def test_a_log_of_an_older_format_is_refused_with_a_sentence(number: int) -> None:
    body = b'{"type":"boot","incarnation":1,"cluster":"chat","node":2%b}' % (b',"format":2' * (number - 1))
    line = b'%b,"crc":"%08x"}\n' % (body[:-1], crc32(body))
    with pytest.raises(
        LogError, match=f"This log has format {number}, this chatsys reads format 3; run this node"
    ) as caught:
        decode(line + line, NODE_RECORDS)
    assert not isinstance(caught.value, DamagedLog)


@given(st.binary(max_size=300))
def test_random_bytes_are_torn_or_damaged_but_never_an_accident(data: bytes) -> None:
    try:
        found = read(data)
    except DamagedLog:
        return
    assert found == ([], len(data))


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


# --- what is said of a log ------------------------------------------------------------------------


def hint(seq: int) -> bytes:
    return encode(CommitHint(seq))


def test_a_life_that_begins_says_how_many_records_it_found_and_what_was_dropped() -> None:
    assert decode(SOUND, NODE_RECORDS).told() == "3 records"
    torn = decode(SOUND + LAST[:-1], NODE_RECORDS)
    assert torn.told() == f"3 records; {torn.warning}" and torn.warning


@pytest.mark.parametrize(
    ("before", "lost", "told"),
    [
        (SOUND, entries(3, 3), "entry 3"),
        (SOUND, entries(3, 9), "entries 3 to 9"),
        (SOUND, entries(5, 5), "after entry 2; entry 5 can be read"),
        (SOUND, hint(2) + encode(Truncate(2)), "after entry 2"),
        (batch(1, encode(Boot(1, "chat", 2))), hint(0), "after record 1"),
        (batch(1, encode(Boot(1, "chat", 2))), entries(1, 1), "entry 1"),
        (batch(1, encode(Boot(1, "chat", 2))), entries(2, 2), "after record 1; entry 2 can be read"),
    ],
)
def test_a_torn_batch_is_told_of_by_the_entries_that_can_still_be_read_in_it(
    before: bytes, lost: bytes, told: str
) -> None:
    whole = batch(2, lost + encode(Promised(9, 1)))
    warning = decode(before + whole[:-1], NODE_RECORDS).warning
    assert warning.startswith(f"a torn batch of {len(whole) - 1} bytes at the end was dropped ({told}): ")


def test_a_batch_that_was_synced_is_told_apart_by_how_it_is_broken() -> None:
    rotten, third = LAST.replace(b"x", b"y", 1), batch(3, entries(10, 10))
    assert "batch 2, which begins here, fails its check, and batch 3" in str(damage(SOUND + rotten + third))
    assert "batch 2, which begins here, is not whole, and batch 3" in str(damage(SOUND + LAST[:30] + third))
    assert "fails its check, and something follows its last byte" in str(damage(SOUND + rotten + b"{"))
    assert "fails its check, and line 13 says that it had been synced" in str(damage(SOUND + rotten + mark(2)))


def test_something_behind_a_rotten_batch_shows_that_it_was_synced_though_a_crash_took_the_mark_before_it() -> None:
    rotten = bytes(len(mark(1))) + LAST.replace(b"x", b"y", 1)
    assert read(SOUND + rotten)[1] == len(rotten)
    assert "something follows its last byte" in str(damage(SOUND + rotten + b"{"))


def test_lines_are_counted_right_in_a_log_that_is_looked_at_in_several_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatsys.actor.logfile.BLOCK", 100)
    found = damage(SOUND + LAST.replace(b"x", b"y", 1) + batch(3, b""))
    assert found.line == 5 and "batch 3, which begins at line 13" in str(found)


def test_the_line_in_a_sound_batch_that_is_no_record_is_named() -> None:
    found = damage(SOUND + batch(2, entries(3, 4) + b'{"type":"nonsense"}\n' + entries(5, 5)))
    assert found.line == SOUND.count(b"\n") + 1 + 3 and "holds but it is no record" in str(found)


def test_a_mark_that_fails_its_check_is_no_mark() -> None:
    wrong = mark(1).replace(mark(1)[-11:-3], b"00000000")
    assert wrong != mark(1) and len(wrong) == len(mark(1))
    assert decode(SOUND + wrong, NODE_RECORDS).torn == len(wrong)
    assert len(decode(SOUND + wrong + LAST, NODE_RECORDS).records) == 10, "it holds nothing, so it is stepped over"


def test_an_actor_without_records_has_a_log_without_records() -> None:
    assert decode(b"", ()).records == []


@pytest.mark.parametrize("tag", ["batch", "synced"])
def test_no_record_has_the_tag_of_a_line_between_records(tag: str) -> None:
    kind = msgspec.defstruct("Mine", [], tag=tag, tag_field="type")
    with pytest.raises(UsageError, match=f"has the tag '{tag}', which is kept"):
        decode(b"", (kind,))


def test_a_log_of_another_format_says_which_chatsys_can_read_it() -> None:
    """SPECIFICATION R12.8."""
    assert "has format 4" in str(other_format(4)) and "the newer chatsys" in str(other_format(4))
    assert "has format 2" in str(other_format(2)) and "the older chatsys" in str(other_format(2))


def test_every_kind_of_record_that_a_node_writes_can_be_read_at_boot() -> None:
    kinds = {one for one in vars(storage).values() if isinstance(one, type) and issubclass(one, storage.Record)} - {
        storage.Record
    }
    assert set(NODE_RECORDS) == kinds
    (read,) = decode(batch(1, encode(storage.Accepted(2))), NODE_RECORDS).records
    assert read == storage.Accepted(2) and read.as_note().peer == 2


def test_all_but_the_last_batch_is_sure_to_be_on_the_disk() -> None:
    """A batch is begun only when the one before it was synced."""
    first, second = batch(1, encode(Promised(1, 1))), batch(2, encode(Promised(2, 1)))
    assert [decode(data, NODE_RECORDS).sure for data in (b"", first, first + second)] == [0, 0, len(first)]
