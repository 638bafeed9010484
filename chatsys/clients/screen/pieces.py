"""Pieces: the two kinds of things that are on the screen, rows of text and a line to type in; and their styles.

Read also `app` (who puts them together), `layout` (who makes rows).
"""

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.message import Message as TextualMessage
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from chatsys.clients.screen.layout import Line

STYLES = {
    "number": Style(dim=True),
    "room": Style(italic=True),
    "author": Style(bold=True),
    "own": Style(bold=True, underline=True),
    "dim": Style(dim=True),
    "bar": Style(reverse=True),
    "trouble": Style(bold=True),
    "pending": Style(color="yellow"),
    "acknowledged": Style(color="green"),
    "indeterminate": Style(color="magenta", bold=True),
    "refused": Style(color="red", bold=True),
}
"""The colours are those of the terminal, so that they fit to its background; none of them says anything alone."""


class Rows(Widget):
    """Rows of text, drawn as they are given."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.rows: list[Line] = []

    def show(self, rows: list[Line]) -> None:
        """Draw these rows from now on, if they differ from what is there."""
        if rows != self.rows:
            self.rows = rows
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one row, as textual asks for it."""
        line = self.rows[y] if y < len(self.rows) else ()
        strip = Strip([Segment(text, STYLES.get(style, Style())) for text, style in line if text])
        return strip.adjust_cell_length(self.size.width, self.rich_style)


class TypedLine(Input):
    """The line that is being typed.

    Keys may come faster than they are served: over a slow line, from a script, or while the machine is busy.
    textual inserts letters at once, and carries out what a key is bound to in a later turn; so a line that was
    ended by Enter would take in the beginning of the next one.  Here all keys are served in their order.
    """

    KEYS: ClassVar[dict[str, str]] = {
        **{key: binding.action for binding in Input.BINDINGS if isinstance(binding, Binding) for key in binding.key.split(",")},
        "ctrl+d": "end_or_delete", "ctrl+c": "app.leave_now", "ctrl+q": "app.leave_now",
        "ctrl+p": "app.recall(-1)", "ctrl+n": "app.recall(1)",
    }  # fmt: skip
    """What each key does to the line, those of textual included."""

    async def on_key(self, event: events.Key) -> None:
        """Do what a key is bound to before the next one is looked at."""
        if (action := self.KEYS.get(event.key)) is not None:
            event.prevent_default()
            event.stop()
            await self.run_action(action)

    async def action_submit(self) -> None:
        """Hand over what was typed, and begin a new line before the next key is looked at."""
        value = self.value
        self.clear()
        self.post_message(self.Submitted(self, value))

    async def action_end_or_delete(self) -> None:
        """Delete a letter, as in a shell; on an empty line that is the wish to leave, behind what was entered."""
        if self.value:
            self.action_delete_right()
        else:
            self.post_message(self.NothingMore())

    class NothingMore(TextualMessage):
        """There is nothing more to say."""

    def on_paste(self, event: events.Paste) -> None:
        """Take in all of what is pasted, as one line: to drop all but the first line would be silent."""
        event.prevent_default()
        event.stop()
        text = " ".join(event.text.replace("\t", " ").splitlines())
        self.insert_text_at_cursor("".join(sign for sign in text if sign.isprintable() or sign == "\u200d"))
