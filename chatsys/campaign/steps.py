"""Finds the line of a student's class at which two runs that should be equal begin to differ.

A class whose runs differ cannot be replayed from a seed.  To find the cause, both runs are traced
line by line.  After each line a short digest is taken of its local variables and of `self`:

    run 1:  call, line 12, line 13, return [..] | call, line 12, ...      each by chatsys
    run 2:  call, line 12, line 13, return [..] | call, line 12, ...
                             `-- the digests after this line are not the same any more

The line to blame lies in the first call that ends differently, and it is the first line in that call
whose digests differ.  Lines whose digests differed in an earlier call that ended equally are not
blamed: a loop over a set, for example, meets its elements in any order and may still add up the same.

Assumes   both runs are equal up to that call.  At most `MOST` steps are followed.
Promises  it names no line rather than a wrong one: if the call begins with different arguments, or if
          no line in it shows a difference, there is no answer.
Read also `determinism`, which plays the two runs.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType
from typing import Any
from zlib import crc32

import msgspec

from chatsys.places import is_own

MOST = 60_000
"""So many steps are followed."""
_DEEP, _WIDE = 4, 40
"""How deep and how wide a value is looked into."""
_INSIDE = ("<listcomp>", "<genexpr>", "<setcomp>", "<dictcomp>")
"""Only what comes out of these counts: sorted(x for x in names) is fine, whatever the order inside."""

Step = tuple[str, int, int]
"""(file, line, digest of what the line left); line 0: a call begins, line -1: a call ends."""


class Steps:
    """Follows the lines of somebody's own files, while it is entered."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._deep = 0
        self._last: dict[int, int] = {}

    def __enter__(self) -> "Steps":
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _call(self, frame: FrameType, event: str, value: Any) -> Any:
        code = frame.f_code
        if not is_own(code.co_filename) or code.co_name in _INSIDE or len(self.steps) >= MOST:
            return None
        if self._deep == 0:
            self._note(code.co_filename, 0, frame.f_locals)
        self._deep += 1
        return self._line

    def _line(self, frame: FrameType, event: str, value: Any) -> Any:
        file, key = frame.f_code.co_filename, id(frame)
        if event == "exception":
            return self._line
        if key in self._last:
            left = value if event == "return" else None
            self._note(file, self._last[key], (frame.f_locals, left))
        self._last[key] = frame.f_lineno
        if event == "return":
            del self._last[key]
            self._deep -= 1
            if self._deep == 0:
                self._note(file, -1, (frame.f_locals.get("self"), value))
        return self._line

    def _note(self, file: str, line: int, left: Any) -> None:
        self.steps.append((file, line, crc32(repr(plain(left)).encode(errors="replace"))))


def plain(value: Any, deep: int = _DEEP) -> Any:
    """Return what can be compared between processes: no addresses, and sets in an order of their own."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return value
    kind = type(value)
    if deep == 0:
        return kind.__name__
    if isinstance(value, Mapping):
        return "{}", [(plain(key, deep - 1), plain(one, deep - 1)) for key, one in _some(value.items())]
    if isinstance(value, set | frozenset):
        return "set", sorted(repr(plain(one, deep - 1)) for one in value)
    if isinstance(value, Sequence):
        return len(value), [plain(one, deep - 1) for one in _some(value)]
    if isinstance(value, msgspec.Struct) and not kind.__module__.startswith("chatsys.config"):
        return kind.__name__, [plain(getattr(value, name, None), deep - 1) for name in value.__struct_fields__]
    own = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if kind.__module__ not in sys.modules or (own and is_own(own)):
        return kind.__name__, [
            (name, plain(one, deep - 1)) for name, one in _some(getattr(value, "__dict__", {}).items())
        ]
    return kind.__name__


def _some(values: Any) -> Iterator[Any]:
    for number, one in enumerate(values):
        if number == _WIDE:
            return
        yield one


def parting(one: Sequence[Step], other: Sequence[Step]) -> tuple[str, int] | None:
    """Return (file, line) of the step after which the runs part; None if no line can be held to it."""
    without_consequence: set[tuple[str, int]] = set()
    for mine, theirs in zip(_calls(one), _calls(other), strict=False):
        if mine[0] != theirs[0]:
            return None
        lines = [(here[0], here[1]) for here, there in zip(mine[1:-1], theirs[1:-1], strict=False) if here != there]
        if mine[-1] == theirs[-1]:
            without_consequence.update(lines)
        else:
            return next((line for line in lines if line not in without_consequence), None)
    return None


def _calls(steps: Sequence[Step]) -> Iterator[list[Step]]:
    call: list[Step] = []
    for step in steps:
        call.append(step)
        if step[1] == -1:
            yield call
            call = []
