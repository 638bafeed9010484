"""Pictures of the screen client in each of its states, to be looked at: SVG, and PNG where Chromium is installed.

    python tests/support/client_pictures.py DIR [--size 80x24 --size 120x40]
    python tests/support/client_pictures.py --readme         notebooks/images/client.svg, anew

The states are made by hand, without a cluster: records such as a client gets are handed to the application, which
textual runs without a terminal.
"""

import argparse
import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from browser import CHROMIUM, FLAGS, ROOT

from chatsys.clients.screen.app import ScreenClient
from chatsys.clients.screen.chat import Chat
from chatsys.trace import Record

TALK = (
    ("bob", "is 3 still the leader?"), ("eve", "I killed it a minute ago. Since then 2 leads, and term 2 has begun."),
    ("bob", "and did you lose anything?"), ("שרה", "שלום 👋🏽"), ("eve", "no: what was acknowledged is there"),
    ("mallory", "\x1b[2J\x1b[H[red]I steer your terminal[/red] \u202egnorw"),
    ("李雷", "顺序只决定一次；收到并不等于交付。所有节点以相同的顺序交付相同的消息。"),
    ("bob", "The promise of a quorum is what makes a leader safe: whoever promised term 2 refuses term 1, and two "
            "majorities share a node, so the old leader cannot commit anything behind the new one's back."),
    ("mallory", "  ".join(["#9999 ann: forged"] + [" " * 30 + "✓ acknowledged"])),
)  # fmt: skip


class Made:
    """A connection to nobody, which answers what is asked to be read again."""

    def __init__(self, take: Callable[[Record], None]) -> None:
        self.take = take
        self.target: int | None = 1
        self.leader: int | None = 3
        self.members: tuple[int, ...] = (1, 2, 3)
        self.said: list[str] = []
        self.answers = True

    def say(self, text: str, room: str = "main", author: str | None = None) -> None:
        """Take a text: it is under way."""
        self.said.append(text)
        self.own("submit", len(self.said), text)

    def own(self, kind: str, number: int, text: str, **more: Any) -> None:
        """Tell something about an own message."""
        self.take(
            Record(0.0, kind, "ann", client="mine", client_seq=number, text=text, room="main", author="ann", **more)
        )

    def reread(self, first: int, last: int) -> None:
        """Answer with the page."""
        if self.answers:
            for number in range(first, last + 1):
                self.take(chat_line(number, "reread"))


def chat_line(number: int, kind: str = "seen", **more: Any) -> Record:
    """Return a record of one message of the talk."""
    author, text = TALK[number % len(TALK)]
    columns: dict[str, Any] = {"msg_no": number, "author": author, "text": text, "room": "main", "client": "x"} | more
    return Record(0.0, kind, "ann", **columns)


def _quiet(app: ScreenClient, made: Made) -> None:
    for node in made.members:
        app.take(Record(0.0, "link_up", "ann", peer=node))
    for number in range(190, 212):
        app.take(chat_line(number, room="tea" if number == 209 else "main"))
    app.chat.notice = ""


def _acknowledged(app: ScreenClient, made: Made) -> None:
    _quiet(app, made)
    app.look()
    for number, text in enumerate(("and where are my messages?", "there they are"), start=1):
        app.chat.enter(text)
        app.look()
        made.own("ack", number, text, msg_no=211 + number)
        app.take(chat_line(211 + number, author="ann", text=text, client="mine", client_seq=number))


def _pending(app: ScreenClient, made: Made) -> None:
    _acknowledged(app, made)
    app.look()
    made.leader = None
    for text in ("is anybody there?", "I can wait"):
        app.chat.enter(text)
    app.look()
    made.own("reply", 3, "", reason="busy: no leader is known here; an election may be under way")


def _indeterminate(app: ScreenClient, made: Made) -> None:
    _pending(app, made)
    app.look()
    made.own("indeterminate", 3, "is anybody there?")
    made.own("indeterminate", 4, "I can wait")


def _refused(app: ScreenClient, made: Made) -> None:
    _acknowledged(app, made)
    app.look()
    app.chat.enter("a\x1bb")


def _reconnecting(app: ScreenClient, made: Made) -> None:
    _pending(app, made)
    for node in made.members:
        app.take(Record(0.0, "link_down", "ann", peer=node))


def _paged(app: ScreenClient, made: Made) -> None:
    _acknowledged(app, made)
    app.look()
    for _ in range(5):
        app.action_page(-1)


def _reading(app: ScreenClient, made: Made) -> None:
    made.answers = False
    _acknowledged(app, made)
    app.look()
    for _ in range(5):
        app.action_page(-1)


def _help(app: ScreenClient, made: Made) -> None:
    _acknowledged(app, made)
    app.chat.enter("/help")


def _of_the_readme(app: ScreenClient, made: Made) -> None:
    for node in made.members:
        app.take(Record(0.0, "link_up", "ann", peer=node))
    for number, (author, text) in enumerate(TALK[:3] + TALK[4:5] + TALK[7:8], start=4711):
        app.take(chat_line(number, author=author, text=text))
    app.take(Record(0.0, "link_down", "ann", peer=3))
    made.leader = 2
    app.look()
    for number, text in enumerate(("so the order stays the same?", "I was cut off for a while", "and now?"), start=1):
        app.chat.enter(text)
        app.look()
        if number == 1:
            made.own("ack", number, text, msg_no=4716)
            app.take(chat_line(4716, author="ann", text=text, client="mine", client_seq=1))
    made.own("indeterminate", 2, "I was cut off for a while")
    app.chat.notice = ""


STATES: dict[str, Callable[[ScreenClient, Made], None]] = {
    "acknowledged": _acknowledged, "pending": _pending, "indeterminate": _indeterminate, "refused": _refused,
    "reconnecting": _reconnecting, "paged": _paged, "reading": _reading, "help": _help,
}  # fmt: skip
"""How each state comes about."""


async def picture(state: Callable[[ScreenClient, Made], None], size: tuple[int, int]) -> str:
    """Return the screen in one state, as SVG that asks nobody for a font."""
    app = ScreenClient(Chat("ann", "main"))
    app.client = made = Made(app.take)
    async with app.run_test(size=size) as pilot:
        state(app, made)
        for _ in range(3):
            app.look()
        await pilot.press(*"half a sen")
        await pilot.pause()
        return re.sub(r"@font-face\s*{[^}]*}", "", app.export_screenshot(title="chatsys client"))


def _to_png(svgs: list[Path]) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        for svg in svgs:
            page.set_content(f"<body style='margin:0'>{svg.read_text()}</body>")
            page.locator("svg").first.screenshot(path=str(svg.with_suffix(".png")))
        browser.close()


def main() -> None:
    """Make the pictures."""
    reader = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    reader.add_argument("folder", type=Path, nargs="?")
    reader.add_argument("--readme", action="store_true")
    reader.add_argument("--size", action="append", help="columns x rows; may be repeated")
    asked = reader.parse_args()
    if asked.readme:
        (ROOT / "notebooks/images/client.svg").write_text(asyncio.run(picture(_of_the_readme, (80, 16))))
    if asked.folder is None:
        return
    asked.folder.mkdir(parents=True, exist_ok=True)
    made = []
    for size in asked.size or ("80x24", "120x40"):
        columns, rows = map(int, size.split("x"))
        for state in STATES:
            path = asked.folder / f"{state}-{size}.svg"
            path.write_text(asyncio.run(picture(STATES[state], (columns, rows))))
            made.append(path)
    if CHROMIUM is not None:
        _to_png(made)


if __name__ == "__main__":
    main()
