"""The words between the nodes of lab 06, and between the stage and the student's class.

    Numbered(term, number, author, post, text)     message `number`, as the leader of `term` gave it out; text None: void
        author "ann@1", post 3                     the third message of ann at node 1: said again, it is still post 3

    person --Wish--> leader --Numbered--> followers --InHand--> leader --Okay--> person
    new leader --Collect--> others --Holdings--> new leader --Numbered, what must go out again--> others
    leader --Heartbeat--> others --Here--> leader --WholeLog, to one that was away--> that one

Read also `stage`, which sends all of them; the class sees Numbered only, and the kinds of the frames that carry a term.
"""

from typing import Any

import msgspec


class FailOverFrame(msgspec.Struct, frozen=True, tag=str.upper, tag_field="type"):
    """Base of the frames of this lab."""


class Numbered(FailOverFrame, frozen=True):
    """From a leader: this is message `number`.  Without a text it is void: this number is nobody's, for ever."""

    term: int
    number: int
    author: str
    post: int
    text: str | None


class Wish(FailOverFrame, frozen=True):
    """To the leader: please give this a number.  (author, post) stays the same however often it is said."""

    author: str
    post: int
    text: str


class InHand(FailOverFrame, frozen=True, tag="HAVE"):
    """To the leader of `term`: I have message `number` of this term."""

    term: int
    number: int


class Okay(FailOverFrame, frozen=True, tag="DONE"):
    """To the node of its author: all followers that are up have this post, as message `number`."""

    number: int
    author: str
    post: int


class Collect(FailOverFrame, frozen=True):
    """From a new leader: what have you got?  It leads `term`."""

    term: int


class Holdings(FailOverFrame, frozen=True):
    """The answer to a Collect of `term`: everything that this node holds."""

    term: int
    entries: tuple[Numbered, ...]


class LeaderLives(FailOverFrame, frozen=True, tag="HEARTBEAT"):
    """From the leader: I lead `term`."""

    term: int


class Here(FailOverFrame, frozen=True):
    """To the leader: I have heard your heartbeat."""

    behind: bool
    """... and hold things that were never confirmed: tell me what there is."""


class WholeLog(FailOverFrame, frozen=True, tag="WHOLE_LOG"):
    """From the leader to a node that was away: this is all that there is."""

    term: int
    entries: tuple[Numbered, ...]


FENCED = (Numbered, Collect, LeaderLives, WholeLog)
"""What a leader sends: the frames for which the class is asked whether it admits them."""


def kind_of(frame: Any) -> str:
    """Return what a frame is called, in the trace and in `admits`."""
    return str(frame.__struct_config__.tag)


def put(entry: Numbered) -> str:
    """Return a message as a sentence has it."""
    return f"#{entry.number} void" if entry.text is None else f"#{entry.number} “{entry.text:.30}”"


def shown(value: Any) -> str:
    """Return an argument or an answer as students write it, on one line."""
    if isinstance(value, Numbered):
        return f"Numbered({value.term}, {value.number}, {value.author!r}, {value.post}, {value.text!r:.30})"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {shown(one)}' for key, one in value.items())}}}"
    return repr(value)
