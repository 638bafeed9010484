"""Lines: bytes in as they come, whole lines out, and no byte is looked at or copied again and again.

    "ab" "c\\nde" "f\\n"  -->  "abc" "def"

TCP keeps bytes in order and knows no lines: one may come byte by byte, or a thousand in one piece.
Whoever joins what is left with what comes, and searches the whole again, does work that grows with the
square of the line: a line of a megabyte that comes byte by byte costs half an hour.  Here a mark
says how far was searched, and the front is cut off only when everything whole has been taken.

Promises  the work grows with the bytes that came, however they came.
Read also `links` (who feeds this).
"""


class Lines:
    """What came on one connection and is not taken yet."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._begin = self._searched = 0

    def __len__(self) -> int:
        return len(self._bytes) - self._begin

    def add(self, data: bytes) -> None:
        """Take in what came."""
        self._bytes += data

    def next(self) -> bytes | None:
        """Return the next whole line without its end, or None if there is none yet."""
        end = self._bytes.find(b"\n", self._searched)
        if end < 0:
            del self._bytes[: self._begin]
            self._begin, self._searched = 0, len(self._bytes)
            return None
        whole = bytes(self._bytes[self._begin : end])
        self._begin = self._searched = end + 1
        return whole

    def clear(self) -> None:
        """Forget everything."""
        self._bytes.clear()
        self._begin = self._searched = 0
