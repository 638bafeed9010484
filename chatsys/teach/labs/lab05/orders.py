"""The words between the stage of lab 05 and the student's class: what arrives, and what the class orders.

    Election(term)      "I doubt the leader; who is higher than I am?"      to the higher nodes
    Ok()                "I am; leave it to me."                             back to the lower one
    Coordinator(term)   "I lead this term."                                 to the others

    Send(to, message)   Lead(term)   Follow(leader, term)   Wait(seconds)   what a method returns, in a list

Read also `stage`, which hands over the one and carries out the other.
"""

from typing import Any

import msgspec


class BullyFrame(msgspec.Struct, frozen=True, tag=str.upper, tag_field="type"):
    """Base of the frames of this lab."""


class Election(BullyFrame, frozen=True):
    """To a higher node: I doubt the leader; `term` is the highest that I know."""

    term: int


class Ok(BullyFrame, frozen=True):
    """To a lower node: I am up and higher; leave the election to me.  It has no term: nothing follows from it but to wait."""


class Coordinator(BullyFrame, frozen=True):
    """I lead `term`."""

    term: int


class Alive(BullyFrame, frozen=True, tag="HEARTBEAT"):
    """From the leader, by the stage: I still lead `term`.  Where that is news, it is handed over as a Coordinator."""

    term: int


class BullyOrder(msgspec.Struct, frozen=True, tag=True, tag_field="order"):
    """Base of what the class orders."""


class Send(BullyOrder, frozen=True):
    """Send a message to another node."""

    to: int
    message: Election | Ok | Coordinator


class Lead(BullyOrder, frozen=True):
    """I lead `term` from now on."""

    term: int


class Follow(BullyOrder, frozen=True):
    """I follow `leader` in `term` from now on."""

    leader: int
    term: int


class Wait(BullyOrder, frozen=True):
    """Call `wake` after so many seconds, unless something else is ordered before."""

    seconds: float


ORDERS = Send | Lead | Follow | Wait


def shown(value: Any) -> str:
    """Return a message, an order or a list of them as students write it: [Send(2, Election(4)), Wait(0.5)].

    No method of these classes does it, for a student's class that prints a message would call something of the package.
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, BullyFrame | BullyOrder):
        return f"{type(value).__name__}({', '.join(shown(getattr(value, name)) for name in value.__struct_fields__)})"
    return repr(value)


def cut_to(text: str, most: int) -> str:
    """Return a text of at most so many letters; three dots stand for what is left out."""
    return text if len(text) <= most else f"{text[: most - 4]} ..."
