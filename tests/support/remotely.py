"""Classes as a notebook's cell would define them, in a confined process: what the tests of `isolation.remote` ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import chatsys
from chatsys.isolation.calls import Call, CallScript, Method
from chatsys.isolation.limits import Quota
from chatsys.isolation.pickling import pack
from chatsys.isolation.remote import RemoteClass
from chatsys.teach.labs.lab03.stage import Message

METHODS = {"receive": Method(("number", "message"), list[Message])}
SHORT = Quota(operation=0.4, memory=1 << 28)
"""So that a test need not wait for long."""

RIGHT = """
class MyHoldBack:
    def __init__(self, first=1):
        self.next, self.waiting = first, {}
    def receive(self, number, message):
        if number >= self.next:
            self.waiting[number] = message
        ready = []
        while self.next in self.waiting:
            ready.append(self.waiting.pop(self.next))
            self.next += 1
        return ready
"""


def message(number: int) -> Message:
    """Return message `number`."""
    return Message(number, "ann", f"text {number}")


def script(*numbers: int) -> CallScript:
    """Return the calls that hand over these messages."""
    return CallScript(tuple(Call("receive", (number, message(number))) for number in numbers))


def body(code: str, before: str = "") -> str:
    """Return a class of which `receive` runs these lines; `value` is what it returns."""
    lines = "".join(f"        {line}\n" for line in code.strip().splitlines())
    return f"{before}\nclass MyHoldBack:\n    def receive(self, number, message):\n        value = []\n{lines}        return value\n"


def code_of(source: str, name: str = "MyHoldBack") -> bytes:
    """Return the class that a cell with this source defines, as it is handed in."""
    space: dict[str, Any] = {"__name__": "__main__", "Message": Message, "chatsys": chatsys}
    exec(compile(source, "<ipython-input-3-1f2e>", "exec"), space)
    return pack({"answer": space[name]})


@contextmanager
def remotely(source: str, limits: Quota = SHORT, **more: Any) -> Iterator[RemoteClass]:
    """Make a remote class of a cell, and end it afterwards."""
    settings = {"methods": METHODS, "given": (Message,), **more}
    with RemoteClass(code_of(source), "MyHoldBack", limits=limits, **settings) as remote:
        yield remote
