"""The line client: a chat in a plain terminal, or at the end of a pipe.

    $ chatsys client --port 5001 --name ann
    hello
        #1 is acknowledged
    #1 ann: hello

One address is enough to begin: the node that listens there tells where the others are, and from
then on the Client actor goes to another node whenever one is silent.

Assumes   a UTF-8 terminal; what it cannot show becomes a question mark.
Promises  what others wrote is shown and never obeyed (see `escape`); at the end it says which
          messages are not acknowledged.
Read also `protocol.client` (numbers, repeats, rotates), `runtime.client` (carries the actor).
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from chatsys.config import Limits
from chatsys.errors import UsageError
from chatsys.escape import escape
from chatsys.protocol.session_table import refusal
from chatsys.runtime.client import ClientHost
from chatsys.trace import Record

PATIENCE = 3.0
"""Seconds to look for a node that answers."""
LAST_WAIT = 15.0
"""Seconds to wait at the end of the input for messages under way."""
BAD, INCONCLUSIVE = 2, 3

GREETING = "    you are {name} in room {room}: type a line to say it, /help for the rest, Ctrl-D to leave"
"""What somebody at a terminal reads first; a pipe is not greeted."""

HELP = """\
    anything else   is said to everybody
    /name NAME      be called NAME from now on
    /room ROOM      speak in ROOM from now on
    /nodes          which nodes can be reached
    /quit           leave (also Ctrl-D)"""


def main(addresses: Sequence[str], name: str, room: str, cluster: str) -> int:
    """Chat until the input ends; return 0, 3 if some message is not acknowledged, or 2 if one was refused."""
    check_names(name, room)
    for stream in (sys.stdin, sys.stdout):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    chat = LineClient(name, room)
    chat.client = ClientHost(addresses, name, chat.take, cluster=cluster)
    chat.client.start(PATIENCE)
    if sys.stdin.isatty():
        _print(GREETING.format(name=escape(name), room=escape(room)))
    try:
        for text in sys.stdin:
            if text.strip() == "/quit":
                break
            chat.enter(text)
            chat.check_output()
        chat.finish()
        chat.check_output()
    except KeyboardInterrupt:
        pass
    finally:
        chat.client.stop()
    return INCONCLUSIVE if tell_unknown(chat.unknown_texts()) else BAD if chat.refused else 0


def check_names(name: str, room: str) -> None:
    """Raise `UsageError` for names that no cluster takes."""
    wrong = refusal(room, name, "x", Limits())
    if wrong is not None:
        raise UsageError(f"--name or --room cannot be used: {wrong[1]}")


def tell_unknown(texts: Sequence[str]) -> bool:
    """Say which messages are not acknowledged; tell whether there are any."""
    for text in texts:
        print(f"chatsys: not acknowledged, perhaps delivered, perhaps not: {escape(text)}", file=sys.stderr)
    return bool(texts)


def in_plain(reason: str) -> str:
    """Return why a message waits, without the words of the protocol that its author cannot know."""
    match reason.partition(": ")[0]:
        case "gap":
            return "an earlier message of yours has to come first"
        case "unknown_session":
            return "the cluster does not know this client any more"
    return reason


def _print(text: str) -> None:
    print(text, flush=True)


class LineClient:
    """What a person enters, and what they should read of each record."""

    def __init__(self, name: str, room: str, show: Callable[[str], None] = _print) -> None:
        self.name, self.room, self.show = name, room, show
        self.client: Any = None
        self.said: list[str] = []
        """Entered, and not under way yet."""
        self.unknown: dict[tuple[str, int], str] = {}
        """Under way and not acknowledged: (session, number) -> text."""
        self.lost: list[str] = []
        """Texts of which nobody will ever say whether they were delivered."""
        self.refused = 0
        """How many texts no cluster could accept."""
        self.waiting_for = ""
        self.trouble: OSError | None = None
        """Why something could not be shown."""

    def finish(self) -> None:
        """Wait a while for what is under way."""
        end = time.monotonic() + LAST_WAIT
        while (self.said or self.unknown) and not self.trouble and time.monotonic() < end:
            time.sleep(0.02)

    # --- input -----------------------------------------------------------------------------

    def enter(self, text: str) -> None:
        """Act on one line of input."""
        word, _, rest = text.strip().partition(" ")
        match word:
            case "":
                pass
            case "/help":
                self.show(HELP)
            case "/name" | "/room" if rest.strip():
                self._rename(word[1:], rest.strip())
            case "/nodes":
                self.show(f"    linked to nodes: {', '.join(map(str, self.client.links)) or 'none'}")
            case _ if word.startswith("/"):
                self.show(f"    {escape(word)} is no command; /help lists them")
            case _:
                text = text.rstrip("\r\n")
                self.said.append(text)
                self.client.say(text, self.room, self.name)

    def _rename(self, what: str, value: str) -> None:
        name, room = (value, self.room) if what == "name" else (self.name, value)
        wrong = refusal(room, name, "x", Limits())
        if wrong is not None:
            self.show(f"    not changed: {wrong[1]}")
            return
        self.name, self.room = name, room
        self.show(f"    your {what} is {escape(value)} now")

    # --- what the actor tells --------------------------------------------------------------

    def take(self, record: Record) -> None:
        """Show one record; called on the client's own thread."""
        try:
            for told in self.tell(record):
                self.show(told)
        except OSError as error:  # it cannot be said here: the thread that reads the input says it
            self.trouble = error

    def check_output(self) -> None:
        """Raise what kept a record from being shown: a full disk, or nobody who reads."""
        if self.trouble is not None:
            raise self.trouble

    def tell(self, record: Record) -> Iterator[str]:
        """Yield what a person should read of one record."""
        key = (record.client or "", record.client_seq or 0)
        text, reason = record.text or "", escape(record.reason or "")
        match record.kind:
            case "seen":
                room = "" if record.room == self.room else f"[{escape(record.room or '')}] "
                yield f"#{record.msg_no} {room}{escape(record.author or '')}: {escape(text)}"
            case "submit":
                self.unknown[key] = text
                self._leaves_said(text)
            case "ack":
                self.unknown.pop(key, None)
                self.waiting_for = ""
                yield f"    #{record.msg_no} is acknowledged"
            case "indeterminate":
                self.lost.append(self.unknown.pop(key, text))
                yield f"    nobody can say whether this was delivered: {escape(text)}"
            case "reply" if not record.client:
                self._leaves_said(text)
                self.refused += 1
                yield f"    not said: {reason}"
            case "reply" if reason != self.waiting_for:
                self.waiting_for = reason
                yield f"    not acknowledged yet ({in_plain(reason)}); trying again"
            case "link_up":
                yield f"    node {record.peer} is there"
            case "link_down":
                yield f"    node {record.peer} is gone"
            case "anomaly" | "broken":
                yield f"    {reason}"

    def _leaves_said(self, text: str) -> None:
        at = next((at for at, said in enumerate(self.said) if said[:80] == text[:80]), None)
        if at is not None:
            del self.said[at]

    def unknown_texts(self) -> list[str]:
        """Return what is not acknowledged, in no order."""
        return [*self.lost, *self.unknown.values(), *self.said]
