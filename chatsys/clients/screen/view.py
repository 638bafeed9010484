"""View: which lines are visible on so many rows, and how one scrolls.

Everything that can be shown has a key, and the keys follow each other:

    first - 1         a line that says what stands above: the beginning, or more
    first ... last    the messages of the window
    last + 1 ...      what one said oneself and does not stand there yet; or, behind, how much is newer

The place of a reader is (key, line within it) of what stands on the top row, so it stays where it is whatever is
added above or below, and however wide the terminal becomes.  A reader who looks at the end has no such place:
they *follow*, and see the last rows, whatever they are.

A page is asked for when less than a screen is left in that direction, so mostly it is there before one needs it.

Promises  one look costs what is visible, however long the chat is; any size from one cell on has its lines.
Read also `layout` (the lines of a message), `chat` (what is known), `app` (who draws).
"""

from chatsys.clients.screen.chat import Chat
from chatsys.clients.screen.layout import Line, Span, cells, fitted, message

HELP = """\
 What you type is said to everybody; what begins with / is for this client:
   /room ROOM   speak in ROOM from now on    /name NAME   be called NAME
   /go N        go to message #N             /go          go to the newest one
   /unfold N    show all of a long message   /clear       take away ? and ✗
   /nodes       which nodes are there        /quit        leave

 Keys:
   PageUp, PageDown, Up, Down   scroll, back to the first message of the log
   Ctrl-Home, Ctrl-End          the first message, the newest one
   Ctrl-P, Ctrl-N               what you entered before, to say it again
   Ctrl-D                       leave when all is answered, or after 15 s
   Ctrl-C                       leave at once

 What becomes of your messages:
   … pending         it is repeated until a node says what became of it
   ✓ acknowledged    a quorum has it: it is delivered everywhere, for ever
   ? indeterminate   the cluster forgot you: perhaps delivered, perhaps not;
                     it is not said again unless you do
   ✗ refused         not said; the line below says why"""

Place = tuple[int, int]
"""(key, line within what stands there)."""


class Viewport:
    """Looks at a chat through `width` columns and `height` rows."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.width, self.height = 80, 20
        self.place: Place | None = None
        """What stands on the top row; None: the reader follows."""
        self.owed = 0
        """Rows that were to be scrolled up, and were not there yet."""

    # --- what is seen ------------------------------------------------------------------------

    def rows(self) -> list[Line]:
        """Return the visible lines, as many as there are rows."""
        if self.chat.shows_help:
            return self._help()
        self._move()
        key, skipped = self.place or self._bottom()
        lines: list[Line] = []
        while key <= self._end and len(lines) < self.height:
            lines += self._lines(key)[skipped:]
            key, skipped = key + 1, 0
        lines = lines[: self.height]
        return [()] * (self.height - len(lines)) + lines

    def _help(self) -> list[Line]:
        told = HELP.splitlines()
        if len(told) > self.height:  # a low window has no rows to spare for gaps
            told = [line for line in told if line]
        lines: list[Line] = [((fitted(line, self.width), "text"),) for line in told]
        if len(lines) > self.height > 0:
            lines = [*lines[: self.height - 1], ((fitted("… a taller window shows the rest", self.width), "dim"),)]
        return lines + [()] * (self.height - len(lines))

    @property
    def _end(self) -> int:
        window = self.chat.window
        return window.last + (len(self.chat.outbox) if window.is_live else 1)

    def _lines(self, key: int) -> tuple[Line, ...]:
        chat, window = self.chat, self.chat.window
        if key < window.first:
            return (((fitted(self._above(), self.width), "dim"),),)
        if key <= window.last:
            line = window.line(key)
            state = "acknowledged" if chat.is_own(line) else ""
            return message(line, self.width, chat.room, state, key not in chat.unfolded)
        if not window.is_live:
            newer = f"── {window.newest - window.last:,} newer messages: PageDown, or Ctrl-End for the newest ──"
            return (((fitted(newer, self.width), "dim"),),)
        own = chat.outbox[key - window.last - 1]
        return message(own.line, self.width, chat.room, own.state)

    def _above(self) -> str:
        window = self.chat.window
        if window.first > 1:
            asked = self.chat.asked and self.chat.asked[-1] < window.first
            return f"── reading #{window.before()[0]} to #{window.first - 1} … ──" if asked else "── PageUp: older ──"
        return "── the chat begins here ──" if window.lines else "── nobody has said anything yet ──"

    # --- scrolling ---------------------------------------------------------------------------

    def scroll(self, rows: int) -> None:
        """Scroll down, or up if `rows` is negative."""
        self._move()
        self.place, left = self._moved(self.place or self._bottom(), rows)
        self.owed = min(-left, self.height) if left < 0 and self.chat.window.first > 1 else 0
        self._settle()
        self._fetch()

    def follow(self) -> None:
        """Look at the end."""
        self.chat.go(None)
        self._move()

    def look(self) -> None:
        """Catch up with what the chat has learnt: scroll what is owed, and ask for what will be needed."""
        if self.owed and not self.chat.asked:
            self.scroll(-self.owed)
        else:
            self._fetch()

    def _fetch(self) -> None:
        chat, window = self.chat, self.chat.window
        if chat.following and not window.is_live:
            chat.go(None)
        elif window.lines and self._lacks_above():
            chat.ask(window.before())
        elif window.lines and not window.is_live and self._lacks_below():
            chat.ask(window.after())

    def _lacks_below(self) -> bool:
        """Tell whether less than a screen is left below of what is kept."""
        return self._moved(self.place or self._bottom(), 2 * self.height)[0][0] > self.chat.window.last

    def _lacks_above(self) -> bool:
        """Tell whether less than a screen is left above of what there is; at the end of the chat: no full screen."""
        window = self.chat.window
        place = self._bottom() if self.place is None else self._moved(self.place, -self.height)[0]
        return place[0] < window.first and window.first > 1

    def _move(self) -> None:
        """Go where the chat says: to its end, or to a message; and never point at what is not there."""
        chat, window = self.chat, self.chat.window
        if chat.following:
            self.place, self.owed = None, 0
        elif chat.goal is not None and window.first <= chat.goal <= window.last:
            self.place, chat.goal = (chat.goal, 0), None
            self._settle()
        if self.place is not None:
            key = min(max(self.place[0], window.first - 1), self._end)
            line = self.place[1] if key == self.place[0] else 0
            self.place = (key, min(line, len(self._lines(key)) - 1))

    def _settle(self) -> None:
        """Whoever sees the end stands at it, and follows if it is that of the chat."""
        assert self.place is not None, "only who has a place settles"
        bottom = self._bottom()
        if self.place >= bottom:
            self.place = None if self.chat.window.is_live else bottom
        self.chat.following = self.place is None

    def _bottom(self) -> Place:
        """Return the place from which the last row is the end."""
        key, rows = self._end, self.height
        while key >= self.chat.window.first - 1:
            count = len(self._lines(key))
            if count >= rows:
                return key, count - rows
            rows -= count
            key -= 1
        return self.chat.window.first - 1, 0

    def _moved(self, place: Place, rows: int) -> tuple[Place, int]:
        """Return the place so many rows further, and the rows that were not there."""
        (key, line), first, end = place, self.chat.window.first - 1, self._end
        line += rows
        while line < 0 and key > first:
            key -= 1
            line += len(self._lines(key))
        while line > 0 and line >= (count := len(self._lines(key))):
            if key == end:
                return (key, count - 1), line - count + 1
            key, line = key + 1, line - count
        return (key, max(0, line)), min(0, line)

    # --- the lines around ----------------------------------------------------------------------

    def header(self) -> Line:
        """Return the top line: who one is, and what is known of the nodes; the latter has precedence."""
        chat = self.chat
        parts = [self._talks(), f"node {chat.leader} leads" if chat.leader else "no leader known"]
        parts.append(f"nodes {self._present()}")
        while len(parts) > 1 and cells(" · ".join(parts)) > self.width - 2:
            parts.pop()
        right = fitted(" · ".join(parts), max(0, self.width - 2))
        room = self.width - 2 - cells(right) - 2
        left = fitted(f"{chat.name} in room {chat.room}", room) if room >= 8 else ""
        gap = max(0, self.width - 2 - cells(left) - cells(right))
        return ((fitted(f" {left}{' ' * gap}{right} ", self.width), "bar"),)

    def _talks(self) -> str:
        chat = self.chat
        if chat.target is None or chat.target not in chat.links:
            return "reconnecting: no node answers" if not chat.links else "reconnecting"
        return f"talks to node {chat.target}"

    def _present(self) -> str:
        chat = self.chat
        return " ".join(str(node) if node in chat.links else f"({node} gone)" for node in chat.members)

    def status(self) -> Line:
        """Return the line above the input: what one should know now."""
        told, style = self._told()
        text = fitted(f"── {told} ", self.width)
        return ((text, style), ("─" * (self.width - cells(text)), "dim"))

    def _told(self) -> Span:
        """Return what one should know: trouble first, then what just happened, then where one is."""
        chat = self.chat
        if chat.leaves and chat.pending:
            return f"waiting for the answer to {_messages(chat.pending)}; Ctrl-D again leaves at once", "trouble"
        if not chat.links:
            kept = f"; {_messages(chat.pending)} pending" if chat.pending else ""
            return f"no node answers, trying again{kept}", "trouble"
        if chat.pending and chat.waiting:
            # What is done comes first: it must be seen in 80 columns, too, and the state stands beside the message.
            return f"trying again: {chat.waiting.removeprefix('busy: ')}", "trouble"
        if chat.notice:
            return chat.notice, "notice"
        if chat.shows_help:
            return "Escape or Enter closes this page", "notice"
        if not chat.following:
            return f"the newest message is #{chat.window.newest}: Ctrl-End or /go goes there", "dim"
        return "/help tells what can be done", "dim"


def _messages(count: int) -> str:
    return f"{count} message{'s' * (count != 1)}"
