"""Lines: bytes in as they come, whole lines out, and no byte is looked at again and again.

    "ab" "c\\nde" "f\\n"  -->  "abc" "def"

TCP keeps bytes in order and knows no lines: one may come byte by byte, or a thousand in one piece.
Whoever joins what is left with what comes, and searches the whole again, does work that grows with the
square of the line: a line of a megabyte that comes byte by byte costs half an hour.  Here only what
comes is searched, and it is joined with what was left when the line is whole.

Promises  the work grows with the bytes that came, however they came.
Read also `links` (who feeds this).
"""

from collections import deque


class Lines:
    """What came on one connection and is not taken yet."""

    def __init__(self) -> None:
        self._whole: deque[bytes] = deque()
        self._rest = bytearray()

    def __len__(self) -> int:
        return len(self._rest) + sum(map(len, self._whole)) + len(self._whole)

    def add(self, data: bytes) -> None:
        """Take in what came."""
        end = data.rfind(b"\n")
        if end < 0:
            self._rest += data
            return
        self._whole.extend((bytes(self._rest) + data[:end]).split(b"\n") if self._rest else data[:end].split(b"\n"))
        self._rest[:] = data[end + 1 :]

    def next(self) -> bytes | None:
        """Return the next whole line without its end, or None if there is none yet."""
        return self._whole.popleft() if self._whole else None

    def take(self, most: int, size: int) -> list[bytes]:
        """Return the next whole lines: no more than so many, and no further one behind so many bytes."""
        taken: list[bytes] = []
        while self._whole and len(taken) < most and size > 0:
            taken.append(self._whole.popleft())
            size -= len(taken[-1])
        return taken

    def clear(self) -> None:
        """Forget everything."""
        self._whole.clear()
        self._rest.clear()
