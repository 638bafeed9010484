"""What a node tells in its terminal: sentences of at most 80 columns, deliveries as runs, the time of now."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from unicodedata import east_asian_width

import pytest

from chatsys.runtime import terminal
from chatsys.runtime.terminal import Terminal
from chatsys.trace import Record


def record(kind: str, **facts: Any) -> Record:
    columns: dict[str, Any] = {"term": 2, "role": "follower"} | facts
    return Record(time.monotonic(), kind, 1, **columns)


def delivery(number: int, text: str = "hello", room: str = "main") -> Record:
    return record("deliver", seq=number + 1, msg_no=number, room=room, author="ann", text=text)


def told(*turns: list[Record], verbose: bool = False) -> list[str]:
    """Return what is told of these turns, without the time and the node."""
    lines: list[str] = []
    tell = Terminal(lines.append, verbose)
    for turn in turns:
        tell(turn)
    assert all(line.endswith("\n") for line in lines)
    return [line[22:-1] for line in lines]


def in_a_loop(story: Callable[[Terminal, list[str]], Any]) -> None:
    async def play() -> None:
        lines: list[str] = []
        await asyncio.wait_for(story(Terminal(lines.append), lines), 10)

    asyncio.run(play())


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.005)


def test_a_message_that_is_alone_is_told_at_once_with_author_and_text() -> None:
    assert told([delivery(5)]) == ["#5 ann: hello"]
    assert told([delivery(5, room="tea")]) == ["#5 [tea] ann: hello"]


def test_many_messages_are_one_line_with_the_last_of_them() -> None:
    assert told([delivery(number, f"text {number}") for number in range(2, 232)]) == [
        "delivered #2 to #231, last is ann: text 231"
    ]


def test_however_fast_they_come_lines_come_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(tell: Terminal, lines: list[str]) -> None:
        ringing: list[tuple[float, Callable[[], None]]] = []

        def call_later(seconds: float, then: Callable[[], None]) -> str:
            ringing.append((seconds, then))
            return "a timer"

        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", call_later)

        def rings(after: float) -> None:
            """The one timer that runs was set to so many seconds, and rings."""
            ((seconds, then),) = ringing
            ringing.clear()
            assert seconds == after
            then()

        for number in range(1, 1001):
            tell([delivery(number, f"text {number}")])
        assert [line[22:] for line in lines] == ["#1 ann: text 1\n"]
        rings(terminal.SOON)
        assert [line[22:] for line in lines[1:]] == ["delivered #2 to #1000, last is ann: text 1000\n"]
        tell([delivery(1001)])
        assert len(lines) == 2
        rings(terminal.LATER)
        assert [line[22:] for line in lines[2:]] == ["#1001 ann: hello\n"]
        rings(terminal.SOON)
        assert len(lines) == 3 and not ringing, "where nothing was gathered nobody waits"

    in_a_loop(story)


def test_what_was_recovered_is_one_line() -> None:
    start = record("start", seq=232, reason="240 records")
    assert told([start], [delivery(number) for number in range(1, 232)], [record("stop")]) == [
        "delivered #1 to #231 from its log, last is ann: hello",
        "has stopped; its log is on the disk",
    ]
    assert told([start], [delivery(231), delivery(232)]) == [
        "delivered #231 from its log, by ann: hello",
        "#232 ann: hello",
    ]
    torn = record("start", seq=0, reason="7 records; a torn batch of 12 bytes (entry 5)")
    assert told([torn]) == ["found 7 records; a torn batch of 12 bytes (entry 5)"]


def test_deliveries_are_told_before_what_came_after_them() -> None:
    async def story(tell: Terminal, lines: list[str]) -> None:
        tell([delivery(1)])
        tell([delivery(2), delivery(3)])
        tell([record("follow", peer=3)])
        assert [line[22:-1] for line in lines] == [
            "#1 ann: hello",
            "delivered #2 to #3, last is ann: hello",
            "follows node 3, the leader of term 2",
        ]

    in_a_loop(story)


def test_nothing_is_told_twice() -> None:
    election = [
        record("suspect", peer=3, reason="the link to leader 3 broke"),
        record("role", role="nominating", reason="the link to leader 3 broke"),
        record("role", role="preparing", term=3, reason="a quorum supports this node"),
        record("promise", peer=1, term=3),
        record("role", role="leader", term=3, reason="a quorum promised and the log is complete"),
        record("lead", role="leader", term=3, seq=9),
        record("ready", role="leader", term=3, seq=9),
    ]
    assert told(election) == [
        "suspects node 3: the link to leader 3 broke",
        "asks to lead",
        "prepares term 3: a quorum supports this node",
        "leads term 3",
        "is ready: it takes messages",
    ]
    followed = [
        record("role", reason="node 3 leads term 4", term=4),
        record("follow", peer=3, term=4, reason="node 3 leads term 4"),
    ]
    assert told(followed) == ["follows node 3, the leader of term 4"]
    assert told([record("link_up", peer=2), record("membership", peer=2, reason="joined")]) == [
        "is in touch with node 2"
    ]
    assert "follows node 3, the leader of term 2" in "".join(
        told([record("follow", peer=3, reason="node 3 leads term 2")], verbose=True)
    )


def test_what_happens_often_to_links_is_gathered() -> None:
    late = [record("drop", reason=f"127.0.0.1:{4000 + n}: No hello came within 2 s.") for n in range(300)]
    assert told([*late, record("drop", reason="no link"), record("drop", reason="too many links")]) == [
        "127.0.0.1:4000: No hello came within 2 s (299 more like\n                      this; -v shows each)",
        "too many links",
    ]
    assert len(told([record("drop", reason=f"x: made up {number}") for number in range(1000)])) == terminal.REASONS


LONG = ["x" * 70_000, "word " * 40, "語" * 60, "👋" * 60, "e\u0301" * 100, "\x1b[2J" * 30, "\u202e" * 50, "a\nb"]


@pytest.mark.parametrize("text", LONG, ids=lambda text: f"{text[:2]!a}")
def test_no_line_is_wider_than_a_terminal(text: str) -> None:
    lines: list[str] = []
    tell = Terminal(lines.append)
    tell.greet(f"node 1 of 3 listens on 127.0.0.1:5001, log in {'data/' * 30}; Ctrl-C stops")
    tell([delivery(1, text)])
    tell([delivery(2, text), delivery(3, text), record("suspect", peer=3, reason=text[:500])])
    tell([record("membership", peer=3, reason=f"refused: {text[:500]}"), record("drop", reason=text[:500])])
    assert len(lines) >= 6
    for line in "".join(lines).splitlines():
        columns = sum(2 if east_asian_width(sign) in "WF" else 0 if sign == "\u0301" else 1 for sign in line)
        assert columns <= 80, line
        assert line.isprintable()


def test_after_the_machine_slept_lines_carry_the_time_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall clock went on for eight hours while the monotonic one stood still."""
    wall = time.time
    for verbose in (False, True):
        lines: list[str] = []
        tell = Terminal(lines.append, verbose)
        tell([record("ready")])
        with monkeypatch.context() as slept:
            slept.setattr(time, "time", lambda: wall() + 8 * 3600)
            tell([record("ready")])
        moments = [time.strptime(line[:8], "%H:%M:%S") for line in lines]
        hours, rest = divmod(
            (moments[1].tm_hour - moments[0].tm_hour) * 3600 + (moments[1].tm_min - moments[0].tm_min) * 60, 3600
        )
        assert (hours % 24, rest < 120) == (8, True)


def test_a_terminal_that_cannot_be_written_to_stops_no_node() -> None:
    def full(text: str) -> None:
        raise OSError(28, "No space left on device")

    for verbose in (False, True):
        tell = Terminal(full, verbose)
        tell.greet("node 1 of 1")
        tell([delivery(1), record("ready")])


def test_with_verbose_each_record_is_a_line_with_its_columns() -> None:
    lines = told([delivery(1), record("receive", peer=3, message="HEARTBEAT", id="3.1.4")], verbose=True)
    assert (
        lines
        == [
            "term 2  follower   deliver    #1 seq 2  main  ann: hello",
            "term 2  follower   receive    HEARTBEAT  peer 3  3.1.4",
        ]
        or "".join(lines).count("HEARTBEAT") == 1
    )
