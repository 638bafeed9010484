"""Window: the stretch of the chat that is kept in memory, without a gap and of a bounded size.

The log is long and a screen is small.  So the window keeps one stretch of it, which moves:

    log      #1 ................................................ #90412      newest
    window                     [#40100 ... #42099]                           behind
                                         at its end, while one reads what is new:
    window                                            [#88413 ... #90412]    live

It is *live* as long as its end is the newest message that was heard of.  New messages then push the oldest ones out.
While somebody reads further up nothing may be pushed out under their eyes; a full window then lets the chat go on
without it, is *behind*, and only counts.  Either end grows by pages, and pushes out at the other end.

Assumes   the numbers in a page follow each other.
Promises  the numbers in it follow each other; at most `MOST` messages and `MOST_CHARACTERS` characters (and one page).
Read also `chat` (who feeds it), `view` (who looks at it), `protocol.listening.reading` (how a page is read).
"""

from collections import deque
from collections.abc import Callable, Sequence

import msgspec

PAGE = 100
"""So many messages are asked for at a time."""
MOST, MOST_CHARACTERS = 2_000, 4_000_000
"""So much is kept: with the longest texts about 64 messages, of the usual length 2,000."""


class ChatLine(msgspec.Struct, frozen=True):
    """One committed message."""

    number: int
    room: str
    author: str
    text: str
    client: str = ""
    """The public form of the session in which it was said."""
    ahead: int = 0
    """Of a message without a number: that of the newest one when it was said."""


class Window:
    """Messages `first` to `last`, and the number of the `newest` one."""

    def __init__(self, most: int = MOST, most_characters: int = MOST_CHARACTERS) -> None:
        self.most, self.most_characters = most, most_characters
        self.lines: deque[ChatLine] = deque()
        self.characters = 0
        self.newest = 0
        """The number of the newest message heard of, kept or not."""

    @property
    def first(self) -> int:
        """The number of the first message in the window; without any, of the first one that would be."""
        return self.lines[0].number if self.lines else self.newest + 1

    @property
    def last(self) -> int:
        """The number of the last message in the window; one less than `first` if there is none."""
        return self.lines[-1].number if self.lines else self.newest

    @property
    def is_live(self) -> bool:
        """Whether the window ends with the newest message."""
        return self.last == self.newest

    def line(self, number: int) -> ChatLine:
        """Return a message of the window."""
        return self.lines[number - self.first]

    def hear(self, line: ChatLine, following: bool) -> bool:
        """Take in a new message; `following` says that its reader looks at the end.  Return whether it is news."""
        if line.number <= self.newest:
            return False
        joins = self.is_live and (not self.lines or line.number == self.last + 1)
        self.newest = line.number
        if joins and (following or not self._is_full):
            self._add(line)
            self._shorten(self.lines.popleft)
        return True

    def before(self) -> range:
        """Return the numbers of the page in front of the window."""
        return range(max(1, self.first - PAGE), self.first)

    def after(self) -> range:
        """Return the numbers of the page behind the window."""
        return range(self.last + 1, min(self.newest, self.last + PAGE) + 1)

    def around(self, number: int) -> range:
        """Return the numbers of a page in which `number` stands."""
        first = max(1, min(number - PAGE // 5, self.newest - PAGE + 1))
        return range(first, min(self.newest, first + PAGE - 1) + 1)

    def load(self, page: Sequence[ChatLine]) -> bool:
        """Add a page in front or behind; return whether it belongs there."""
        if page[-1].number == self.first - 1:
            for line in reversed(page):
                self.lines.appendleft(line)
                self.characters += len(line.text)
            self._shorten(self.lines.pop)
        elif page[0].number == self.last + 1:
            for line in page:
                self._add(line)
            self.newest = max(self.newest, self.last)
            self._shorten(self.lines.popleft)
        else:
            return False
        return True

    def replace(self, page: Sequence[ChatLine]) -> None:
        """Keep this page, and nothing else."""
        self.leave()
        for line in page:
            self._add(line)

    def leave(self) -> None:
        """Go to the end of the chat: keep nothing, and be live from here on."""
        self.lines.clear()
        self.characters = 0

    # --- bounds ----------------------------------------------------------------------------

    @property
    def _is_full(self) -> bool:
        return len(self.lines) >= self.most or self.characters >= self.most_characters

    def _add(self, line: ChatLine) -> None:
        self.lines.append(line)
        self.characters += len(line.text)

    def _shorten(self, drop: Callable[[], ChatLine]) -> None:
        while len(self.lines) > PAGE and (len(self.lines) > self.most or self.characters > self.most_characters):
            self.characters -= len(drop().text)
