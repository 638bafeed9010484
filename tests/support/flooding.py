"""Classes that print without end, into every pipe there is, and an answer that is too long.

They stand in a file of their own because each process to which they are handed imports it: beside the tests they would
bring pytest along.

Read also `test_floods`, which lets them loose.
"""

import os
import threading
from typing import Any

from pingpong import PingPong

from chatsys.isolation.answer import ANSWER
from chatsys.protocol.election import Bully


class Loud(PingPong):
    """Its node prints without end, from a thread of its own, with and without Python's print."""

    def start(self, now: float) -> list[Any]:
        threading.Thread(target=self._shout, daemon=True).start()
        return super().start(now)

    def _shout(self) -> None:
        while True:
            os.write(2, b"x" * 50_000)
            print("y" * 1000)


class Unstartable(PingPong):
    """Its process fills the pipe, and then ends without a word of chatsys."""

    def __init__(self, *given: Any) -> None:
        print("x" * 3_000_000)
        print("the reason", flush=True)
        os._exit(3)


class Garbage(PingPong):
    """Its node writes into the pipe of the trace."""

    def start(self, now: float) -> list[Any]:
        for place in range(3, 20):
            try:
                os.write(place, b"this is no trace\n")
            except OSError:
                pass
        return super().start(now)


class Chatty(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        os.write(1, b"x" * 50_000)
        print("y" * 50_000)
        return super().on_message(sender, message, now)


class Bursts(Bully):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        print("y" * 50_000, flush=True)
        os._exit(7)


def big(parts: Any) -> str:
    return "x" * (ANSWER + 1)
