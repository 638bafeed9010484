"""Drain: reads the output of another process to its end, however much it is, and keeps a bounded part of it.

    process --pipe--> Drain (a thread) --the first bytes--> a file, or a terminal; then one sentence: it was cut
                            `- the last bytes, in memory: the reason why a process ended stands there

A process that prints without end can fill neither the memory nor the disk of the one who began it,
and it never waits: what is not kept is read all the same.  It does not matter whether Python or C
writes, or who inherited the pipe.

Promises  memory is bounded by `last`, what is passed on by `most`; never an error, whatever becomes of the reader of it.
Read also `runtime.nodes.process` (stderr.txt), `isolation.worker` (a terminal), `teach.grading.cell_process` (the last line).
"""

import threading
from collections.abc import Callable
from typing import IO

CHUNK = 1 << 16


def say_bytes(count: int) -> str:
    """Return a number of bytes as people read it."""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"


class Drain:
    """Reads `pipe` in a thread until nobody can write to it any more, and closes it."""

    def __init__(
        self,
        pipe: IO[bytes],
        give: Callable[[bytes], object] | None = None,
        *,
        most: int = 0,
        used: int = 0,
        last: int = 1 << 14,
    ) -> None:
        """`used` of the `most` bytes that `give` may get have been given before, by another drain."""
        self.read = 0
        """So many bytes came."""
        self._give, self._left, self._most, self._last = give if used <= most else None, most - used, most, last
        self._tail = bytearray()
        self._thread = threading.Thread(target=self._run, args=(pipe,), daemon=True)
        self._thread.start()

    def wait(self, limit: float) -> bool:
        """Wait until everything was read; False if somebody still holds the pipe after `limit` seconds."""
        self._thread.join(limit)
        return not self._thread.is_alive()

    @property
    def tail(self) -> bytes:
        """What came last."""
        return bytes(self._tail[-self._last :])

    def last_line(self, most: int = 300) -> str:
        """Return the last line that is not empty, as text of at most `most` characters."""
        lines = self.tail.decode(errors="replace").strip().splitlines()
        line = lines[-1].strip() if lines else ""
        return line if len(line) <= most else f"{line[:most]} ..."

    def _run(self, pipe: IO[bytes]) -> None:
        with pipe:
            while data := self._next(pipe):
                self.read += len(data)
                self._tail += data
                if len(self._tail) > 2 * self._last + CHUNK:  # seldom, for it copies
                    del self._tail[: -self._last]
                if self._give is not None:
                    self._pass_on(data)

    def _next(self, pipe: IO[bytes]) -> bytes:
        try:
            return pipe.read1(CHUNK)  # type: ignore[attr-defined, no-any-return]
        except (OSError, ValueError):
            return b""

    def _pass_on(self, data: bytes) -> None:
        assert self._give is not None
        try:
            self._give(data[: self._left])
            if len(data) > self._left:
                self._give(f"\n[Output was cut after {say_bytes(self._most)}; what came then was not kept.]\n".encode())
                self._give = None
        except (OSError, ValueError):  # the disk is full, the terminal is gone: it has to be read all the same
            self._give = None
        self._left -= len(data)
