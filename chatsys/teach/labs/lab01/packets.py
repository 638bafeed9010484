"""The words between the stage of lab 01 and the student's classes: a packet, and how it is shown.

    Packet(number, text)        what the sender sends, and what the receiver delivers
    an acknowledgement          only a number: the packet of this number has arrived

Read also `stage`, which carries them over the link.
"""

from typing import Any

import msgspec


class Packet(msgspec.Struct, frozen=True, tag="PACKET", tag_field="type"):
    """From the sender: my text of this number."""

    number: int
    text: str


class Acknowledgement(msgspec.Struct, frozen=True, tag="ACKNOWLEDGE", tag_field="type"):
    """From the receiver: the packet of this number has arrived here."""

    number: int


def bytes_of(frame: Packet | Acknowledgement) -> int:
    """Return how many bytes a frame has on the wire, without what TCP and IP add to it."""
    return len(msgspec.json.encode(frame))


def shown(value: Any) -> str:
    """Return what goes in or out of a method as students write it: [Packet(1, "ok")]."""
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(shown, value))})"
    if isinstance(value, Packet):
        return f"Packet({value.number}, {quoted(value.text)})"
    if isinstance(value, float):
        return f"{value:.2f}"
    return quoted(value) if isinstance(value, str) else repr(value)


def quoted(text: str) -> str:
    """Return a text as it stands in a sentence, shortened."""
    return f'"{text}"' if len(text) <= 24 else f'"{text[:22]}..."'
