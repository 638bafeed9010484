"""Layout: a message as lines of so many cells, with what became of it where no text can reach.

    #41 bob: a text that is too long for one line goes on          |
        below the beginning of the author's name                   |
    #42 ann: hello                                                 |  ✓ acknowledged
        ^ texts stay on this side                                  ^ and states on that one

A text may hold anything, also the words "✓ acknowledged" behind many spaces.  So the states have columns of their
own, and where the terminal is too narrow for that a line of their own, in front of which no text can stand.  What
steers a terminal is written out (`escape`), and so is the tenth accent on one letter, which would hide the lines
above.  A wall of text is folded until somebody asks for it.

Assumes   the terminal takes as many cells for a sign as the tables of rich say.
Promises  no line is wider than `width`; nothing but `width` and the message decides what it looks like.
Read also `view` (who asks), `escape`.
"""

from collections.abc import Iterator
from functools import lru_cache
from unicodedata import category

from chatsys.clients.screen.window import ChatLine
from chatsys.escape import escape

Span = tuple[str, str]
"""A text and the name of its style."""
Line = tuple[Span, ...]

STATES = {
    "pending": "… pending",
    "acknowledged": "✓ acknowledged",
    "indeterminate": "? indeterminate",
    "refused": "✗ refused",
}
"""What became of an own message: a sign and a word, for colours alone say nothing."""
ROOM_FOR_STATE = 1 + max(map(len, STATES.values()))
NARROW = 60
"""On fewer columns the state is a line of its own."""
LONGEST_NAME = 24
FOLD, FOLDED = 24, 12
"""A message of more lines than the first number shows as many as the second says."""
ACCENTS = 8
"""So many marks may stand on one letter."""


@lru_cache(maxsize=512)
def message(line: ChatLine, width: int, room: str, state: str, folded: bool = True) -> tuple[Line, ...]:
    """Return the lines of a message: `room` is the reader's, `state` is empty or one of `STATES`.

    A message without a number leaves as much room as its `ahead` says for the number that it may get.
    """
    number = f"#{line.number} " if line.number else " " * (len(str(line.ahead)) + 2)
    where = "" if line.room == room else f"[{fitted(line.room, LONGEST_NAME)}] "
    who = fitted(line.author, max(4, min(LONGEST_NAME, width // 3)))
    head: Line = ((number, "number"), (where, "room"), (who, "own" if state else "author"), (": ", ""))
    wide = max(1, width - ROOM_FOR_STATE if width >= NARROW else width)
    indent = min(cells(number), wide // 3)
    taken = sum(cells(text) for text, _ in head)
    if taken > wide:
        head, taken = _cut(head, wide), wide
    lines = wrap(safe(line.text), wide - taken, wide - indent)
    rows: list[Line] = [(*head, (lines[0], "text"))]
    rows += [((" " * indent, ""), (text, "text")) for text in lines[1:]]
    if folded and len(rows) > FOLD:
        more = f"… {len(rows) - FOLDED:,} more lines" + f"; /unfold {line.number} shows them" * bool(line.number)
        rows = [*rows[:FOLDED], ((" " * indent, ""), (fitted(more, wide - indent), "dim"))]
    return tuple(_with_state(rows, state, width, wide) if state else rows)


def _with_state(rows: list[Line], state: str, width: int, wide: int) -> list[Line]:
    told: Span = (STATES[state], state)
    if wide == width:
        return [*rows, ((fitted(told[0], width), state),)]
    gap = width - sum(cells(text) for text, _ in rows[0]) - cells(told[0])
    return [(*rows[0], (" " * gap, ""), told), *rows[1:]]


def _cut(line: Line, width: int) -> Line:
    """Return as much of a line as fits."""
    left, spans = width, []
    for text, style in line:
        text = fitted(text, left, mark="") if cells(text) > left else text
        left -= cells(text)
        spans.append((text, style))
    return tuple(spans)


# --- texts ----------------------------------------------------------------------------------


def cells(text: str) -> int:
    """Return how many columns a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def safe(text: str) -> str:
    """Return a text that steers nothing, with at most `ACCENTS` marks on each letter."""
    text = escape(text)
    if text.isascii():
        return text
    shown, marks = [], 0
    for sign in text:
        marks = marks + 1 if category(sign) in ("Mn", "Me") else 0
        shown.append(sign if marks <= ACCENTS else f"\\u{ord(sign):04x}")
    return "".join(shown)


def fitted(text: str, width: int, mark: str = "…") -> str:
    """Return a text on one line of at most `width` cells; `mark` says that something was left out."""
    text = safe(text)
    if cells(text) <= width:
        return text
    kept, room = [], width - cells(mark)
    for letter, wide in letters(text):
        room -= wide
        if room < 0:
            break
        kept.append(letter)
    return "".join(kept) + mark if width >= cells(mark) else ""


def letters(text: str) -> Iterator[tuple[str, int]]:
    """Yield what must not be cut, a sign with the marks on it or an emoji of several, and its cells."""
    if text.isascii():
        yield from ((sign, 1) for sign in text)
        return
    one, joined = "", False
    for sign in text:
        if one and not joined and sign != "\u200d" and cells(sign) > 0:
            yield one, cells(one)
            one = ""
        one += sign
        joined = sign == "\u200d"
    if one:
        yield one, cells(one)


def wrap(text: str, first: int, rest: int) -> list[str]:
    """Return a text as lines, of at most `first` cells and then `rest`, broken at spaces where that is possible."""
    rest = max(1, rest)
    lines: list[str] = []
    words, line, room = text.split(" "), "", first
    for at, word in enumerate(words):
        word = word if at == 0 else f" {word}"
        wide = cells(word)
        if wide <= room:
            line, room = line + word, room - wide
            continue
        if wide - (at > 0) <= rest and (at > 0 or not lines):
            lines.append(line)
            line = word.removeprefix(" ") if at else word
            room = rest - cells(line)
            continue
        for letter, wide in letters(word):
            letter, wide = (letter, wide) if wide <= rest else ("?", 1)  # two cells on a screen of one
            if wide > room:
                lines.append(line)
                line, room = "", rest
                if letter == " ":
                    continue
            line, room = line + letter, room - wide
    return [*lines, line]
