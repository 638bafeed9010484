"""What the trace tells of frames and durable records: they say it themselves, or they are told by their name."""

import msgspec
import pytest
from pingpong import Counted, Ping

from chatsys.actor.effects import Columns, Note
from chatsys.actor.trace_columns import columns, log_end, note_of
from chatsys.protocol.messages import NODE_MESSAGES, Ack, Catchup, Entry, Heartbeat, Join, Label, Propose
from chatsys.protocol.public import public
from chatsys.protocol.storage import NODE_RECORDS, Boot, CommitHint, Promised, Stored, Truncate
from chatsys.trace import NUMBERS, Record

pytestmark = pytest.mark.quick

ENTRY = Entry(7, 2, "chat", "ann-1", 3, "main", "ann", "hello")


def test_a_frame_is_told_by_its_tag_its_term_and_the_position_it_is_about() -> None:
    assert columns(Ack(2, True, match=7)) == ("ACK", 2, 7)
    assert columns(Heartbeat(2, 40, 6, Label(2, 7))) == ("HEARTBEAT", 2, 6)
    assert columns(Catchup(2, "follow", 5, 1)) == ("CATCHUP", 2, 5)
    assert columns(Join(1)) == ("JOIN", 0, None)


def test_a_frame_with_entries_is_about_the_last_of_them() -> None:
    assert columns(Propose(2, Label(2, 6), (ENTRY,), 6)) == ("PROPOSE", 2, 7)
    assert columns(Propose(2, Label(2, 6), (), 6)) == ("PROPOSE", 2, None)


def test_what_a_frame_of_the_chat_is_about_is_a_field_of_it() -> None:
    assert [kind for kind in NODE_MESSAGES if kind.about and kind.about not in kind.__struct_fields__] == []


def test_a_frame_that_does_not_say_what_it_is_about_is_read_by_the_usual_names() -> None:
    assert columns(Ping(4)) == ("PING", 0, 4)


def test_a_field_with_the_name_about_is_the_students_own() -> None:
    class Letter(msgspec.Struct, tag="LETTER"):
        about: str
        number: int

    assert columns(Letter("holidays", 3)) == ("LETTER", 0, 3)


def test_a_record_says_how_the_trace_tells_of_it() -> None:
    assert note_of(Stored(ENTRY)) == Note(
        "append",
        seq=7,
        entry_term=2,
        entry="chat",
        room="main",
        author="ann",
        text="hello",
        client=public("ann-1"),
        client_seq=3,
    )
    assert note_of(Truncate(5)) == Note("truncate", seq=5)
    assert note_of(Promised(3, None)) == Note("promise", term=3)
    assert note_of(CommitHint(6)) == Note("hint", seq=6)
    assert note_of(Boot(1, "chat", 2)) == Note("boot")
    assert all(hasattr(kind, "as_note") for kind in NODE_RECORDS)


def test_a_record_that_says_nothing_is_told_by_its_name() -> None:
    assert note_of(Counted(3)) == Note("append", message="Counted")


def test_the_end_of_the_log_is_where_its_last_record_says() -> None:
    assert log_end([Boot(1, "chat", 2), Counted(3)]) is None
    assert log_end([Stored(ENTRY), CommitHint(6)]) == 7
    assert log_end([Stored(ENTRY), Truncate(5)]) == 4
    assert log_end([Promised(3, 1)], before=4) == 4


def test_a_column_is_declared_once() -> None:
    declared = Columns.__struct_fields__
    assert Record.__struct_fields__[-len(declared) :] == Note.__struct_fields__[-len(declared) :] == declared
    assert NUMBERS == ("seq", "msg_no", "entry_term", "verified", "client_seq")
