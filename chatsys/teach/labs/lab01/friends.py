"""What the page of lab 01 gives: the ends of a link that promise less.

    SendsOnce      at most once: what is lost is lost
    DeliversAll    at least once, if the sender repeats: a copy is delivered, too
    DeliversOnce   exactly once, and in no order

Read also `picture` (which lays what they promise side by side), `stage` (where they stand).
"""

from typing import Any

from chatsys.teach.labs.lab01.packets import Packet


class SendsOnce:
    """Sends each text once, and never again."""

    def __init__(self) -> None:
        self.newest = 0

    def say(self, text: str, now: float) -> list[Packet]:
        """Send it."""
        self.newest += 1
        return [Packet(self.newest, text)]

    def ack(self, number: int, now: float) -> list[Packet]:
        """Nothing waits for it."""
        return []

    def tick(self, now: float) -> list[Packet]:
        """Nothing is sent again."""
        return []


class DeliversAll:
    """Delivers whatever comes."""

    def receive(self, packet: Packet) -> tuple[list[Packet], list[int]]:
        """Deliver and acknowledge it."""
        return [packet], [packet.number]


class DeliversOnce:
    """Delivers each packet once, when it comes first; it never forgets a number."""

    def __init__(self) -> None:
        self.seen: set[int] = set()

    def receive(self, packet: Packet) -> tuple[list[Packet], list[int]]:
        """Acknowledge it, and deliver it unless it is a copy."""
        news: list[Any] = [] if packet.number in self.seen else [packet]
        self.seen.add(packet.number)
        return news, [packet.number]
