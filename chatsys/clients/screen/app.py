"""App: the screen itself, drawn by textual: four pieces from top to bottom, keys, and a clock.

    header     who one is, and what is known of the nodes        1 row
    chat       what `view` says                                  the rest
    status     what one should know now                          1 row
    input      what one is about to say                          1 row; the last one to go where there is no room

Records come on the thread of the client and wait in a queue.  The clock, twenty times a second, hands them to the
chat, carries out its orders, and draws if anything is different: so a flood of messages costs as many pictures as a
trickle, and a terminal at the far end of a slow line is not sent what nobody could read.

Assumes   textual; its driver puts the terminal back when the application ends, for whatever reason.
Promises  it begins only when a node has answered, and otherwise leaves the terminal alone; SIGTERM and SIGHUP end it
          as Ctrl-C does; what was not acknowledged is said after the terminal is back.
Read also `chat`, `view` (everything that can be decided without a terminal); `runtime.client`.
"""

import asyncio
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar, Protocol

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.events import Resize
from textual.geometry import Size
from textual.timer import Timer
from textual.widgets import Input

from chatsys.clients.line import BAD, INCONCLUSIVE, LAST_WAIT, PATIENCE, check_names, tell_unknown
from chatsys.clients.screen.chat import Chat
from chatsys.clients.screen.layout import cells, fitted
from chatsys.clients.screen.pieces import Rows, TypedLine
from chatsys.clients.screen.view import Viewport
from chatsys.clients.screen.window import PAGE
from chatsys.protocol.listening.reading import Reread
from chatsys.runtime.client import ClientHost
from chatsys.trace import Record

TICK = 0.05
"""Seconds between two pictures at least."""
NOTICE = 10.0
"""Seconds that a notice stays."""
QUEUE = 10_000
"""Records that may wait; of the chat itself no more are kept then, for what is left out can be read again."""
REST = 0.3
"""Seconds without another size, after which a terminal is at rest."""
LAST_RESORT = 5.0
"""Seconds after a signal until the process ends in any case."""


class Connection(Protocol):
    """What the application asks of the client."""

    @property
    def target(self) -> int | None:
        """The node that is spoken to."""

    @property
    def leader(self) -> int | None:
        """The node that leads, as far as it was told."""

    @property
    def members(self) -> tuple[int, ...]:
        """All nodes."""

    def say(self, text: str, room: str = "main", author: str | None = None) -> None:
        """Say something."""

    def reread(self, first: int, last: int) -> None:
        """Read messages again."""


class ScreenClient(App[None]):
    """A chat that fills the terminal."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { layout: vertical; overflow: hidden; }
    #header, #status, #line { height: 1; }
    #chat { height: 1fr; }
    #prompt { width: auto; height: 1; }
    TypedLine { width: 1fr; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("pageup", "page(-1)", priority=True),
        Binding("pagedown", "page(1)", priority=True),
        Binding("up", "row(-1)", priority=True),
        Binding("down", "row(1)", priority=True),
        Binding("ctrl+home", "first", priority=True),
        Binding("ctrl+end", "newest", priority=True),
        Binding("escape", "close", priority=True),
        Binding("ctrl+c,ctrl+q", "leave_now"),
        Binding("ctrl+z", "suspend_process", priority=True),
    ]

    def __init__(self, chat: Chat) -> None:
        super().__init__(ansi_color=True)
        self.chat, self.viewport = chat, Viewport(chat)
        self.client: Connection | None = None
        self.records: deque[Record] = deque()
        self.trouble: Exception | None = None
        """A bug of ours, which ended this."""
        self.header, self.lines, self.status, self.prompt = map(Rows, ("header", "chat", "status", "prompt"))
        self.entry = TypedLine(compact=True, select_on_focus=False)
        self._recalled = 0
        self._notice, self._notice_since = "", 0.0
        self._deadline = 0.0
        self._resting: Timer | None = None

    def compose(self) -> ComposeResult:
        """Yield the pieces from top to bottom."""
        yield self.header
        yield self.lines
        yield self.status
        with Horizontal(id="line"):
            yield self.prompt
            yield self.entry

    def on_mount(self) -> None:
        """Begin."""
        self.animation_level = "none"
        self.theme = "ansi-dark"
        self.entry.focus()
        self.set_interval(TICK, self.look)
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            with suppress(AttributeError, NotImplementedError, ValueError, RuntimeError):
                loop.add_signal_handler(getattr(signal, name), self._end_by_signal)

    def _end_by_signal(self) -> None:
        last = threading.Timer(LAST_RESORT, os._exit, (INCONCLUSIVE,))  # a terminal that is gone may block a writer
        last.daemon = True
        last.start()
        self.exit()

    # --- what the client tells ---------------------------------------------------------------

    def take(self, record: Record) -> None:
        """Keep a record until the clock looks; called on the client's own thread."""
        if record.kind != "seen" or len(self.records) < QUEUE:
            self.records.append(record)

    def look(self) -> None:
        """Let the chat learn what happened, carry out what it wants, and draw what is different."""
        chat = self.chat
        for _ in range(len(self.records)):
            chat.take(self.records.popleft())
        if (client := self.client) is not None:
            chat.target, chat.members = client.target, client.members
            chat.leader = client.leader
        self.viewport.look()
        self._carry_out()
        self._let_notice_pass()
        if chat.leaves and (not chat.pending or time.monotonic() > self._deadline > 0):
            self.exit()
        self.draw()

    def _carry_out(self) -> None:
        orders, self.chat.orders = self.chat.orders, []
        for order in orders:
            if self.client is None:
                continue
            if isinstance(order, Reread):
                self.client.reread(order.first, order.last)
            else:
                self.client.say(order.text, order.room, order.author)

    def _let_notice_pass(self) -> None:
        now = time.monotonic()
        if self.chat.notice != self._notice:
            self._notice, self._notice_since = self.chat.notice, now
        elif self._notice and now > self._notice_since + NOTICE:
            self.chat.notice = self._notice = ""

    def draw(self) -> None:
        """Draw what is different; on few rows the pieces around the chat go first."""
        width, height = self.size
        self.header.display, self.status.display, self.lines.display = height >= 6, height >= 3, height >= 2
        self.viewport.width, self.viewport.height = max(1, width), max(1, height - 1 - (height >= 6) - (height >= 3))
        self.header.show([self.viewport.header()])
        self.lines.show(self.viewport.rows())
        self.status.show([self.viewport.status()])
        prompt = f"{fitted(self.chat.name, max(1, width // 4))}> " if width >= 20 else "> "
        self.prompt.display = width > cells(prompt)
        self.prompt.styles.width = cells(prompt)
        self.prompt.show([((prompt, "author"),)])

    def on_resize(self) -> None:
        """Draw for the new size at once, and once more when the terminal has come to rest."""
        self.draw()
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(REST, self._rest)

    def _rest(self) -> None:
        """Believe the terminal itself: of several sizes that come in a burst, the last one told may be an older one."""
        if not self.is_headless:
            with suppress(OSError, ValueError):
                size = Size(*os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1))
                if size != self.size and all(size):
                    self.post_message(Resize(size, size))
        self.refresh(layout=True)

    # --- what a person does --------------------------------------------------------------------

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Act on a line."""
        self.chat.enter(event.value)
        self._recalled = 0
        if self.chat.leaves:
            self.action_leave_now()
        self.look()

    def action_page(self, way: int) -> None:
        """Scroll by a screen, less one row that stays in sight."""
        self._scroll(way * max(1, self.viewport.height - 1))

    def action_row(self, way: int) -> None:
        """Scroll by a row."""
        self._scroll(way)

    def _scroll(self, rows: int) -> None:
        self.chat.shows_help = False
        self.viewport.scroll(rows)
        self.look()

    def action_first(self) -> None:
        """Go to the beginning."""
        if self.chat.window.newest:
            self.chat.go(1)
        self.look()

    def action_newest(self) -> None:
        """Go to the end."""
        self.viewport.follow()
        self.look()

    def action_recall(self, way: int) -> None:
        """Bring back what was entered before."""
        entered = self.chat.entered
        self._recalled = min(max(0, self._recalled - way), len(entered))
        self.entry.value = entered[-self._recalled] if self._recalled else ""
        self.entry.cursor_position = len(self.entry.value)

    def action_close(self) -> None:
        """Close the help."""
        self.chat.shows_help = False
        self.look()

    def on_typed_line_nothing_more(self) -> None:
        """Leave when all is answered; at the second time at once."""
        if self.chat.leaves:
            self.exit()
        else:
            self.chat.leaves, self._deadline = True, time.monotonic() + LAST_WAIT
            self.look()

    def action_leave_now(self) -> None:
        """Leave."""
        self.exit()

    def _fatal_error(self) -> None:
        """A bug of ours ends this; textual would print pages, and whoever started us says it shorter."""
        self.trouble = self._exception
        self._close_messages_no_wait()


def main(addresses: Sequence[str], name: str, room: str, cluster: str) -> int:
    """Chat until the person leaves; return 0, 3 if some message is not acknowledged, or 2 if one was refused."""
    check_names(name, room)
    chat = Chat(name, room)
    app = ScreenClient(chat)
    client = ClientHost(addresses, name, app.take, cluster=cluster, newest=PAGE)
    client.start(PATIENCE)
    app.client = client
    try:
        app.run(mouse=False)
    finally:
        client.stop()
    if app.trouble is not None:
        raise app.trouble
    while app.records:
        chat.take(app.records.popleft())
    if tell_unknown(chat.unacknowledged()):
        return INCONCLUSIVE
    return BAD if chat.was_refused else 0
