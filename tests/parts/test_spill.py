"""A live trace reads like any other, whatever of it lies in the file, and costs what its window costs."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import pytest

from chatsys.check import check
from chatsys.errors import UsageError
from chatsys.spill import BYTES, EVENTS, FEWEST, PIECE, Spilling, check_keep
from chatsys.trace import Record, Trace

pytestmark = [pytest.mark.quick, pytest.mark.filterwarnings("ignore:The newest")]

KEEP = 1000


def record(number: int, text: str | None = None) -> Record:
    kind = "ack" if number % 100 == 7 else "receive" if number % 2 else "send"
    return Record(number / 10, kind, number % 3 + 1, 1, text=f'say "kind":"ack" {number}' if text is None else text)


def both(count: int = 5000) -> tuple[Trace, Trace]:
    """Return a live trace that spilled and a plain one, of the same records."""
    records = [record(number) for number in range(count)]
    live = Trace.live(KEEP)
    for at in range(0, count, 7):  # as turns bring them
        live.take(records[at : at + 7])
    return live, Trace(records)


def window(trace: Trace) -> int:
    assert isinstance(trace.records, Spilling)
    return len(trace.records._recent)


def test_every_reading_of_a_live_trace_is_that_of_a_plain_one(tmp_path: Path) -> None:
    live, plain = both()
    assert window(live) <= KEEP and len(live) == len(plain) == 5000
    assert list(live) == list(plain) and list(reversed(live)) == list(reversed(plain))
    assert live.encode() == plain.encode() and live.hash() == plain.hash()
    for place in (0, 1, -1, -5000, 2500, 4999):
        assert live[place] == plain[place]
    for part in (slice(3), slice(-3, None), slice(100, 4200), slice(None, None, -7), slice(4990, 6000), slice(9, 3)):
        assert list(live[part]) == list(plain[part])
    for kinds in (("ack",), ("ack", "send"), ("nothing",), ()):
        assert live.of(*kinds) == live.of(*kinds) == plain.of(*kinds), "the second time from what is remembered"
    assert list(live.until(77.7)) == list(plain.until(77.7)) and record(4321) in live
    assert live.frame().equals(plain.frame()) and live.duration == plain.duration
    assert list(Trace.load(live.save(tmp_path / "live.trace"))) == list(plain)
    assert [list(trace.in_order()) for trace in (live, plain)] == [list(plain)] * 2 and check(live) == check(plain)
    for bad in (5000, -5001):
        with pytest.raises(IndexError, match="this trace has 5000"):
            live[bad]


def test_a_record_that_comes_late_goes_to_its_place_or_to_the_beginning_of_the_window() -> None:
    live, _ = both()
    late, later = record(4900, "late"), record(5, "very late")
    live.take([late])
    assert live[4901] == late and list(live.in_order()) == list(live)
    live.take([later])
    assert [one.time for one in live.in_order()] == sorted(one.time for one in live) and later in live


def test_the_window_is_bounded_in_bytes_too() -> None:
    live = Trace.live(KEEP)
    for number in range(600):
        live.take([record(number, "x" * 4000)])
    assert window(live) * 4000 < BYTES * KEEP // EVENTS and len(live) == 600
    assert [len(one.text or "") for one in live] == [4000] * 600


def test_news_come_from_the_window_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    live = Trace.live(KEEP)
    plain, position, heard = Trace(), 0, []
    for at in range(0, 6000, 300):
        records = [record(number) for number in range(at, at + 300)]
        live.take(records)
        plain.take(records)
        with monkeypatch.context() as patch:
            patch.setattr(Spilling, "_read", None)  # nobody reads the file for what is new
            found, position = live.news(position)
            assert live[-1] == live.records[-1] == records[-1] and list(live[-300:]) == records
        heard += found
    assert heard == list(live) == list(plain) == live.news(0)[0] == plain.news(0)[0]
    assert live.news(position) == ([], position) == plain.news(position)


def test_asking_again_and_again_for_a_kind_reads_each_piece_once(monkeypatch: pytest.MonkeyPatch) -> None:
    live, _ = both()
    read: list[Any] = []
    whole = Spilling._read

    def noted(self: Spilling, piece: Any) -> bytes:
        read.append(piece)
        return whole(self, piece)

    monkeypatch.setattr(Spilling, "_read", noted)
    for _ in range(50):
        assert len(live.of("ack")) == 50
        assert live.of("crash") == []
    held = [piece for piece in live.records._pieces if "ack" in piece.kinds]  # type: ignore[attr-defined]
    assert read == held, "once, and not for a kind that no piece has"


def test_one_sentence_says_that_old_events_go_to_a_file() -> None:
    with pytest.warns(UserWarning) as told:
        live, _ = both()
    assert len(told) == 1 and "in a temporary file" in str(told[0].message)
    assert "in memory" in repr(live) and "missing" not in repr(live)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        both()  # who makes errors of warnings does not stop the cluster


class Full:
    """A disk with room for so many bytes."""

    def __init__(self, room: int) -> None:
        self.room, self.data, self.at = room, bytearray(), 0

    def seek(self, at: int) -> None:
        self.at = at

    def write(self, data: bytes) -> int:
        fits = min(len(data), self.room - self.at)
        if not fits:
            raise OSError(28, "No space left on device")
        self.data[self.at : self.at + fits] = data[:fits]
        self.at += fits
        return fits

    def read(self, size: int) -> bytes:
        return bytes(self.data[self.at : self.at + size])

    def close(self) -> None:
        pass


def test_a_full_disk_costs_old_events_and_a_sentence_and_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Full(60_000)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full)
    with pytest.warns(UserWarning, match="cannot grow .*the disk is full; make room") as told:
        live, plain = both()
    assert len(told) == 2, "one at the beginning, one about the disk"
    missing = live.records.missing  # type: ignore[attr-defined]
    assert 0 < missing == 5000 - len(live) and f"{missing} older events are missing" in repr(live)
    assert list(live[-300:]) == list(plain[-300:]) and list(live)[:100] == list(plain)[:100]
    assert len(list(live)) == len(live) and Trace.decode(live.encode()) is not None
    position = live.news(0)[1]
    live.take([record(5000), record(5001)])
    assert live.news(position) == ([record(5000), record(5001)], position + 2)
    missing = live.records.missing  # type: ignore[attr-defined]
    full.room = 10**9
    live.take(record(number) for number in range(5002, 9000))
    assert live.records.missing == missing, "there is room again"  # type: ignore[attr-defined]


def test_no_room_for_a_file_at_all_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> Any:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.warns(UserWarning, match="No usable temporary directory"):
        live, plain = both()
    assert list(live) == list(plain[-len(live) :])


@pytest.mark.parametrize("keep", [0, -1, FEWEST - 1, 2.5, True, "many", None])
def test_what_can_be_no_window_is_one_sentence(keep: Any) -> None:
    with pytest.raises(UsageError, match="give how many of the newest events stay in memory"):
        check_keep(keep)


def test_a_very_long_trace_says_that_it_takes_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    live, _ = both()
    monkeypatch.setattr("chatsys.spill.LARGE", 4000)
    with pytest.warns(UserWarning, match="takes a while") as told:
        assert len(list(live)) == len(list(live)) == 5000
    assert len(told) == 1 and PIECE < 5000
