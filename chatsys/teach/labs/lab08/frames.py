"""The words between the nodes of lab 08, and between the stage and the student's class.

    Message(number, author, text)     a message of the chat with its number: lab 03's
    AskFor(to, first, count)          what `ask` returns: ask node `to` for the messages from `first` on

    leader --LIVE, each message once, as it is said--> all that are up
    node --REQUEST(first, count)--> peer --CHUNK(first, messages, newest)--> node

Read also `stage`, which sends all of them.
"""

from typing import Any

import msgspec

from chatsys.teach.labs.lab03.stage import Message

MOST = 10
"""So many messages answer one request, at most."""


class AskFor(msgspec.Struct, frozen=True):
    """What the student's `ask` returns: send node `to` a request for `count` messages from number `first` on."""

    to: int
    first: int
    count: int


class HistoryFrame(msgspec.Struct, frozen=True, tag=str.upper, tag_field="type"):
    """Base of the frames of this lab."""


class SaidHere(HistoryFrame, frozen=True, tag="SAID"):
    """To the leader: somebody said this here."""

    author: str
    text: str


class LiveMessage(HistoryFrame, frozen=True, tag="LIVE"):
    """From the leader, once, when it is said: this is message `number`."""

    number: int
    author: str
    text: str


class HistoryRequest(HistoryFrame, frozen=True, tag="REQUEST"):
    """To a peer: please send me `count` messages from number `first` on."""

    first: int
    count: int


class HistoryChunk(HistoryFrame, frozen=True, tag="CHUNK"):
    """The answer: what the peer has of them.  `newest` is the highest number of which it knows."""

    first: int
    messages: tuple[Message, ...]
    newest: int


class KeptOnDisk(HistoryFrame, frozen=True, tag="STORED"):
    """To oneself, behind the own disk: these are durable now, and may be shown."""

    messages: tuple[Message, ...]


class FirstBegun(msgspec.Struct, frozen=True, tag="BEGUN", tag_field="type"):
    """Durable: this node has lived."""


class Logged(msgspec.Struct, frozen=True, tag="LOGGED", tag_field="type"):
    """Durable: message `number`."""

    number: int
    author: str
    text: str


def span(first: int, last: int) -> str:
    """Return some numbers in a row as a sentence has them."""
    return f"#{first}" if first == last else f"#{first} to #{last}"


def these(numbers: list[int]) -> str:
    """Return some numbers as a sentence has them: `#4, #5`, and of many the first and the last one."""
    if not numbers:
        return "nothing"
    if len(numbers) > 3 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return span(numbers[0], numbers[-1])
    return ", ".join(f"#{number}" for number in numbers[:4]) + ", ..." * (len(numbers) > 4)


def shown(value: Any) -> str:
    """Return an argument or an answer in a story, on one line: a message by its number only."""
    if isinstance(value, Message):
        return f"#{value.number}"
    if isinstance(value, AskFor):
        return f"AskFor(to={value.to}, first={value.first}, count={value.count})"
    if isinstance(value, list | tuple):
        if value and all(isinstance(one, Message) for one in value):
            return f"[{these([one.number for one in value])}]"
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, float):
        return f"{value:.2f}"
    return repr(value)
