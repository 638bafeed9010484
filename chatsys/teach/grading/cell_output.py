"""Cell output: what one cell may show while a notebook is marked, whatever it prints.

    the notebook's kernel --messages, cut by the kernel itself--> the grader --cut once more--> the mark
        `- loaded there as an extension: a flood does not even leave the kernel
                                             `- should the notebook have undone that

Up to `MOST` bytes a cell shows everything.  Beyond it the cell goes on, its output is dropped, and one
line says so.  What decides about points is never dropped, only shortened: errors, results, and whether
there was output on stderr.

Promises  each cell's output is bounded, in bytes and in messages; what a cell scores does not depend on the cut.
Read also `marking`, which uses both ends.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from chatsys.isolation.drain import say_bytes

MOST = 1 << 20
"""Bytes that one cell may show."""

SHORT = 2_000
"""So many characters each text of an error or a result keeps once there is too much."""

MESSAGE = 200
"""Bytes that a message takes besides its texts."""

CUT = "[This cell showed more than "
"""So begins the line that says it."""

Message = tuple[str, dict[str, Any]]
"""(type, content) of a Jupyter message."""

OUTPUT = {"stream", "display_data", "update_display_data", "execute_result", "error", "comm_open", "comm_msg"}
"""Messages by which a cell shows something."""

COUNTS = ("error", "execute_result", "stderr")
"""What decides about points: a few of each are shown whatever came before."""

FEW = 3


class Allowance:
    """What a cell may still show."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.begin()

    def begin(self) -> None:
        """The next cell begins."""
        self.left = self.most
        self._said = False
        self._few = dict.fromkeys(COUNTS, FEW)

    def take(self, kind: str, content: dict[str, Any], buffers: Iterable[Any] = ()) -> Iterator[Message]:
        """Yield what may be shown of a message: itself, less of it, or nothing."""
        size = MESSAGE + _size(content) + sum(memoryview(one).nbytes for one in buffers)
        if size <= self.left:
            self.left -= size
            yield kind, content
            return
        sort = "stderr" if kind == "stream" and content.get("name") == "stderr" else kind
        if kind == "stream" and self.left > SHORT:
            yield kind, content | {"text": str(content.get("text", ""))[: self.left]}
        elif self._few.get(sort):
            self._few[sort] -= 1
            yield kind, _short(content)
        self.left = 0
        if not self._said:
            self._said = True
            yield "stream", {"name": "stdout", "text": f"\n{CUT}{say_bytes(self.most)}; the rest was cut.]\n"}


def was_cut(cell: Any) -> bool:
    """Tell whether a cell that was run showed more than it may."""
    return any(CUT in output.get("text", "") for output in cell.get("outputs", []))


def _size(value: Any) -> int:
    """Return the bytes of all texts in a message, roughly."""
    if isinstance(value, dict):
        return sum(_size(key) + _size(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return sum(map(_size, value)) + len(value)
    return len(value) if isinstance(value, str | bytes) else 8


def _short(value: Any) -> Any:
    """Return a message with short texts, and no more than a few of them."""
    if isinstance(value, dict):
        return {key: _short(one) for key, one in list(value.items())[:20]}
    if isinstance(value, list):
        return [_short(one) for one in value[:20]]
    return value[:SHORT] if isinstance(value, str) else value


# --- inside the kernel ---------------------------------------------------------------------------


def load_ipython_extension(shell: Any) -> None:
    """Cut the output of each cell before it leaves this kernel; IPython calls this."""
    session, allowance = shell.kernel.session, Allowance()
    send_all = session.send

    def send(stream: Any, message: Any, content: Any = None, parent: Any = None, *given: Any, **named: Any) -> Any:
        whole = isinstance(message, dict)
        kind = message["msg_type"] if whole else message
        if kind == "execute_reply" and content and _size(content) > SHORT:  # it repeats the error of the cell
            content = _short(content)
        if kind not in OUTPUT:
            return send_all(stream, message, content, parent, *given, **named)
        told, last = message["content"] if whole else content or {}, None
        for other, shown in allowance.take(kind, told, named.get("buffers") or ()):
            if other != kind:  # the line that says that it was cut
                parent = message["parent_header"] if whole else parent
                send_all(stream, other, shown, parent, ident=b"stream.stdout")
            elif whole:
                last = send_all(stream, message | {"content": shown}, content, parent, *given, **named)
            else:
                last = send_all(stream, message, shown, parent, *given, **named)
        return last

    session.send = send
    shell.events.register("pre_run_cell", lambda *_: allowance.begin())
