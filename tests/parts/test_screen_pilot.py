"""The screen client with a screen that nobody sees: textual's Pilot presses the keys, and records are made by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from client_pictures import STATES, Made, chat_line
from textual import events
from textual.pilot import Pilot

from chatsys.clients.screen.app import QUEUE, ScreenClient
from chatsys.clients.screen.chat import Chat
from chatsys.clients.screen.layout import Line
from chatsys.trace import Record

Story = Callable[[ScreenClient, Made, Pilot[None]], Awaitable[None]]


def play(story: Story, size: tuple[int, int] = (80, 24)) -> ScreenClient:
    """Run the application, and let `story` use it."""
    app = ScreenClient(Chat("ann", "main"))
    app.client = made = Made(app.take)

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            for node in made.members:
                app.take(Record(0.0, "link_up", "ann", peer=node))
            await story(app, made, pilot)

    asyncio.run(run())
    return app


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Wait until something is true: `pause` also ends when this process has had no processor for a fiftieth of a second."""
    for _ in range(500):
        if true():
            return
        await pilot.pause(0.01)
    raise AssertionError("It did not come true within 500 looks.")


def text(lines: list[Line]) -> list[str]:
    return ["".join(part for part, _ in line) for line in lines]


def screen(app: ScreenClient) -> str:
    """Return what is on the screen, but for the line that is typed."""
    app.look()
    return "\n".join(text(app.header.rows) + text(app.lines.rows) + text(app.status.rows))


WORDS = {
    "acknowledged": ("✓ acknowledged", "#212 ann: and where are my messages?"),
    "pending": (
        "… pending",
        "trying again: no leader is known here; an election may be under way ──",
        "no leader known",
    ),
    "indeterminate": ("? indeterminate", "nobody can say whether that was delivered"),
    "refused": ("✗ refused", "not said: it contains the control character U+001B"),
    "reconnecting": ("reconnecting: no node answers", "no node answers, trying again; 2 messages pending"),
    "paged": ("the newest message is #213: Ctrl-End or /go goes there", "#150 "),
    "reading": ("── reading #90 to #189 … ──",),
    "help": ("/go N", "Escape or Enter closes this page", "? indeterminate"),
}
"""What one reads in each state."""


@pytest.mark.parametrize("state", STATES)
def test_each_state_is_told_in_words(state: str) -> None:
    async def story(app: ScreenClient, made: Made, pilot: Pilot[None]) -> None:
        STATES[state](app, made)
        for _ in range(3):
            app.look()
        for words in WORDS[state]:
            assert words in screen(app)
        assert "\x1b" not in screen(app) and "\u202e" not in screen(app)

    play(story, (90, 24))


def test_what_is_typed_is_said_and_what_was_entered_can_be_fetched_back() -> None:
    async def story(app: ScreenClient, made: Made, pilot: Pilot[None]) -> None:
        await pilot.press(*"hello", "enter", *"/room tea", "enter")
        await until(pilot, lambda: made.said == ["hello"] and app.chat.room == "tea" and app.entry.value == "")
        await pilot.press("ctrl+p", "ctrl+p")
        await until(pilot, lambda: app.entry.value == "hello")
        await pilot.press("ctrl+n")
        await until(pilot, lambda: app.entry.value == "/room tea")
        await pilot.press("ctrl+n")
        await until(pilot, lambda: app.entry.value == "")

    play(story)


def test_what_is_pasted_is_one_line_and_steers_nothing() -> None:
    async def story(app: ScreenClient, made: Made, pilot: Pilot[None]) -> None:
        for pasted, typed in (
            ("one\r\ntwo\tthree\n", "one two three"), ("\x1b[2Ja\x07\u202e👩‍👧", "[2Ja👩‍👧"), ("\n", ""), ("", ""),
        ):  # fmt: skip
            app.entry.value = ""
            app.entry.post_message(events.Paste(pasted))
            await until(pilot, lambda: app.entry.value == typed)  # noqa: B023 - waited for at once

    play(story)


def test_keys_scroll_through_the_whole_log() -> None:
    async def story(app: ScreenClient, made: Made, pilot: Pilot[None]) -> None:
        for number in range(190, 212):
            app.take(chat_line(number))
        app.look()
        for key, seen in (("pageup", "#190 "), ("ctrl+end", "#211 "), ("ctrl+home", "#1 ")):
            await pilot.press(key)
            await until(pilot, lambda: seen in screen(app))  # noqa: B023 - waited for at once
        before = text(app.lines.rows)
        await pilot.press("down")
        await until(pilot, lambda: text(app.lines.rows)[:-1] == before[1:])
        await pilot.press("up")
        await until(pilot, lambda: text(app.lines.rows) == before)
        await pilot.press("pagedown")
        await until(pilot, lambda: text(app.lines.rows)[0] == before[-1])  # one row stays in sight

    play(story)


def test_ctrl_d_deletes_within_a_line_waits_for_answers_and_leaves_at_the_second_time() -> None:
    async def story(app: ScreenClient, made: Made, pilot: Pilot[None]) -> None:
        await pilot.press(*"hello", "left", "ctrl+d")
        await until(pilot, lambda: app.entry.value == "hell")
        await pilot.press("enter", "ctrl+d")
        waits = "waiting for the answer to 1 message; Ctrl-D again leaves at once"
        await until(pilot, lambda: waits in screen(app))
        assert app.is_running
        await pilot.press("ctrl+d")
        await until(pilot, lambda: app.return_code == 0)

    assert play(story).chat.unacknowledged() == ["hell"]


@pytest.mark.parametrize("keys", [("ctrl+d",), ("ctrl+c",), (*"/quit", "enter")])
def test_one_can_leave_in_three_ways(keys: tuple[str, ...]) -> None:
    async def story(app: ScreenClient, made: Made, pilot: Pilot[None]) -> None:
        await pilot.press(*keys)
        await until(pilot, lambda: app.return_code == 0)

    play(story)


def test_the_last_answer_ends_the_wait() -> None:
    async def story(app: ScreenClient, made: Made, pilot: Pilot[None]) -> None:
        await pilot.press(*"hi", "enter", "ctrl+d")
        await until(pilot, lambda: app.chat.leaves)
        made.own("ack", 1, "hi", msg_no=1)
        app.look()
        await until(pilot, lambda: app.return_code == 0)

    assert play(story).chat.unacknowledged() == []


def test_a_flood_costs_a_picture_for_each_tick_and_bounded_memory() -> None:
    async def story(app: ScreenClient, made: Made, pilot: Pilot[None]) -> None:
        for number in range(1, 3 * QUEUE):
            app.take(chat_line(number))
        assert len(app.records) <= QUEUE + len(made.members)
        app.look()
        for number in range(3 * QUEUE, 3 * QUEUE + 50):
            app.take(chat_line(number))
        for _ in range(3):
            app.look()
        assert f"#{3 * QUEUE + 49} " in screen(app) and f"#{3 * QUEUE + 41} " in screen(app)

    play(story)


def test_a_screen_of_any_size_is_drawn_and_the_line_to_type_in_goes_last() -> None:
    async def story(app: ScreenClient, made: Made, pilot: Pilot[None]) -> None:
        STATES["pending"](app, made)
        for size in ((1, 1), (2, 2), (5, 3), (19, 5), (30, 6), (300, 90), (80, 24)):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: app.screen.size == app.size and app.entry.region.bottom <= app.size.height)
            assert app.size == size and app.entry.region.height == 1 and app.entry.region.bottom <= size[1]
        await pilot.press(*"ok")
        await until(pilot, lambda: app.entry.value == "ok")

    play(story)


def test_a_bug_of_ours_ends_it_without_pages_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: Any) -> None:
        raise ZeroDivisionError("a bug")

    async def story(app: ScreenClient, made: Made, pilot: Pilot[None]) -> None:
        monkeypatch.setattr(app.viewport, "scroll", bug)
        await pilot.press("pageup")

    with pytest.raises(ZeroDivisionError):
        play(story)
