"""Chat: what is known about the chat and about what one said oneself, and what a person enters.

    record of the actor   --take-->   window, outbox, nodes, a notice
    line of a person      --enter-->  orders for the client: Say, Reread; or a notice, or help

The outbox is what one said and what does not stand in the window: it is shown below the newest message, in the order
in which it was said.  An own message leaves it in one way only, by standing in the chat:

    entered --> pending --ack--> acknowledged, #42 --seen #42--> in the window
                   `-- session lost --> indeterminate --seen all the same--> in the window

What is indeterminate or refused stays until it is taken away (`/clear`): nobody but its author can decide whether
to say it again.

Assumes   records come in the order in which the client wrote them.
Promises  it acts nowhere: whoever owns it carries out `orders`; nothing is shown twice or out of order.
Read also `window`, `view`; `protocol.client` (whose notes these are).
"""

from typing import Literal

import msgspec

from chatsys.actor.events import Say
from chatsys.clients.line import in_plain
from chatsys.clients.screen.window import ChatLine, Window
from chatsys.config import Limits
from chatsys.escape import escape
from chatsys.protocol.listening.reading import Reread
from chatsys.protocol.session_table import refusal
from chatsys.trace import Record

State = Literal["pending", "acknowledged", "indeterminate", "refused"]
Order = Say | Reread

REMEMBERED = 100
"""So many lines that were entered can be fetched back."""


class OwnMessage(msgspec.Struct):
    """Something that was said here, until it stands in the chat."""

    line: ChatLine
    state: State = "pending"
    key: tuple[str, int] | None = None
    """(session, number in it); None: it is not under way yet."""


class Chat:
    """Everything that the screen shows, and nothing of how."""

    def __init__(self, name: str, room: str) -> None:
        self.name, self.room = name, room
        self.window = Window()
        self.following = True
        """Whether the reader looks at the end (the view says so)."""
        self.outbox: list[OwnMessage] = []
        self.sessions: set[str] = set()
        """The public forms of the own sessions: by them own messages are known in the chat."""
        self.links: set[int] = set()
        self.members: tuple[int, ...] = ()
        self.target: int | None = None
        self.leader: int | None = None
        self.notice = ""
        self.waiting = ""
        """Why the cluster does not answer yet."""
        self.asked = range(0)
        """The numbers of the page that is on its way."""
        self.orders: list[Order] = []
        self.entered: list[str] = []
        self.unfolded: set[int] = set()
        self.shows_help = False
        self.leaves = False
        self.was_refused = False
        """Whether a text could not be said."""
        self.goal: int | None = None
        """The message that is to be read next; the view goes there when it is in the window."""
        self._page: list[ChatLine] = []

    # --- what the client tells ---------------------------------------------------------------

    def take(self, record: Record) -> None:
        """Learn from one record."""
        match record.kind:
            case "seen":
                line = _line(record)
                if self.window.hear(line, self.following):
                    self._stands(line, (record.client or "", record.client_seq or 0))
            case "reread":
                self._read(_line(record))
            case "submit" | "ack" | "indeterminate" | "reply":
                self._answered(record)
            case "link_up":
                self._linked(record.peer, True)
            case "link_down":
                self._linked(record.peer, False)
            case "anomaly" | "broken":
                self.notice = escape(record.reason or "")

    def _linked(self, peer: object, up: bool) -> None:
        if isinstance(peer, int):
            (self.links.add if up else self.links.discard)(peer)
            self.notice = f"node {peer} is {'there' if up else 'gone'}"

    def _answered(self, record: Record) -> None:
        key = (record.client or "", record.client_seq or 0)
        match record.kind:
            case "submit":
                self.sessions.add(key[0])
                for own in self.outbox:
                    if own.key is None and own.state == "pending" and own.line.text == record.text:
                        own.key = key
                        break
            case "ack":
                self.waiting = ""
                self._acknowledged(key, record.msg_no or 0)
            case "indeterminate":
                for own in self.outbox:
                    if own.key == key and own.state == "pending":
                        own.state = "indeterminate"
                        self.notice = "the cluster forgot this client: nobody can say whether that was delivered"
            case "reply" if not record.client:
                self._refused(record.text or "", record.reason or "")
            case "reply":
                self.waiting = in_plain(escape(record.reason or ""))

    def _acknowledged(self, key: tuple[str, int], number: int) -> None:
        for own in self.outbox:
            if own.key == key:
                own.state, own.line = "acknowledged", msgspec.structs.replace(own.line, number=number)
        self._tidy()

    def _refused(self, text: str, reason: str) -> None:
        self.notice, self.was_refused = f"not said: {escape(reason)}", True
        for own in self.outbox:
            if own.key is None and own.state == "pending" and own.line.text[:80] == text[:80]:
                own.state = "refused"
                break

    def _stands(self, line: ChatLine, key: tuple[str, int]) -> None:
        """A message stands in the chat: if it is an own one, then it does so whatever its answer was or will be."""
        if line.client in self.sessions:
            self.outbox = [own for own in self.outbox if own.key != key]
        self._tidy()

    def _tidy(self) -> None:
        """What is acknowledged and stands before the newest message was shown: it is not shown twice."""
        self.outbox = [
            own for own in self.outbox if own.state != "acknowledged" or own.line.number > self.window.newest
        ]

    def is_own(self, line: ChatLine) -> bool:
        """Tell whether a message of the chat was said here."""
        return line.client in self.sessions

    @property
    def pending(self) -> int:
        """How many own messages have no end yet."""
        return sum(own.state == "pending" for own in self.outbox)

    def unacknowledged(self) -> list[str]:
        """Return the texts of which nobody said that they were delivered, and which may have been."""
        return [own.line.text for own in self.outbox if own.state in ("pending", "indeterminate")]

    # --- pages of the past ---------------------------------------------------------------------

    def ask(self, numbers: range) -> None:
        """Ask for a page, unless one is on its way already."""
        if numbers and not self.asked:
            self._ask(numbers)

    def _ask(self, numbers: range) -> None:
        self.asked, self._page = numbers, []
        self.orders.append(Reread(numbers[0], numbers[-1]))

    def _read(self, line: ChatLine) -> None:
        if line.number not in self.asked:
            return  # somebody has gone elsewhere since this was asked for
        if line.number == self.asked.start:
            self._page = []
        self._page.append(line)
        if line.number == self.asked.stop - 1 and len(self._page) == len(self.asked):
            if not self.window.load(self._page) and self.goal in self.asked:
                self.window.replace(self._page)
            self.asked, self._page = range(0), []

    def go(self, number: int | None) -> None:
        """Go to a message, or to the end."""
        window = self.window
        if number is None or number > window.newest:
            self.goal, self.asked = None, range(0)
            self.following = True
            if not window.is_live:
                window.leave()
                self._ask(window.before())
            return
        self.goal, self.following = max(1, number), False
        if not window.first <= self.goal <= window.last:
            self._ask(window.around(self.goal))

    # --- what a person enters ------------------------------------------------------------------

    def enter(self, text: str) -> None:
        """Act on one line of input."""
        word, _, rest = text.strip().partition(" ")
        rest = rest.strip()
        self.shows_help = False
        if not word:
            return
        self.notice = ""
        self.entered = [*self.entered[-REMEMBERED + 1 :], text]
        match word:
            case "/help":
                self.shows_help = True
            case "/name" | "/room":
                self._rename(word[1:], rest)
            case "/nodes":
                self.notice = self.told_nodes()
            case "/go":
                self._go(rest.removeprefix("#"))
            case "/unfold":
                self._unfold(rest.removeprefix("#"))
            case "/clear":
                self.outbox = [own for own in self.outbox if own.state in ("pending", "acknowledged")]
            case "/quit":
                self.leaves = True
            case _ if word.startswith("/"):
                self.notice = f"{escape(word)} is no command; /help lists them"
            case _:
                self._say(text)

    def _say(self, text: str) -> None:
        wrong = refusal(self.room, self.name, text, Limits())
        line = ChatLine(0, self.room, self.name, text, ahead=self.window.newest)
        if wrong is not None:
            self.notice = f"not said: {wrong[1]}"
            self.outbox.append(OwnMessage(line, "refused"))
            return
        self.outbox.append(OwnMessage(line))
        self.orders.append(Say(text, self.room, self.name))
        self.go(None)

    def _rename(self, what: str, value: str) -> None:
        name, room = (value, self.room) if what == "name" else (self.name, value)
        if not value:
            self.notice = f"/{what} needs a {what}, for example /{what} {'bob' if what == 'name' else 'tea'}"
        elif (wrong := refusal(room, name, "x", Limits())) is not None:
            self.notice = f"not changed: {wrong[1]}"
        else:
            self.name, self.room = name, room
            self.notice = f"your {what} is {escape(value)} now"

    def _go(self, number: str) -> None:
        if not number:
            self.go(None)
        elif not (number.isdecimal() and len(number) < 16 and 1 <= int(number) <= self.window.newest):
            self.notice = f"there is no message {escape(number)}; the newest one is #{self.window.newest}"
        else:
            self.go(int(number))

    def _unfold(self, number: str) -> None:
        if number.isdecimal() and len(number) < 16 and self.window.first <= int(number) <= self.window.last:
            self.unfolded ^= {int(number)}
        else:
            self.notice = "/unfold needs the number of a message that is in sight, for example /unfold 12"

    # --- in words ----------------------------------------------------------------------------

    def told_nodes(self) -> str:
        """Say which nodes are there."""
        there = [node for node in self.members if node in self.links]
        gone = [node for node in self.members if node not in self.links]
        words = [f"linked to {_listed(there)}"] * bool(there) + [f"no link to {_listed(gone)}"] * bool(gone)
        return "; ".join(words) or "no node is known"


def _line(record: Record) -> ChatLine:
    return ChatLine(record.msg_no or 0, record.room or "", record.author or "", record.text or "", record.client or "")


def _listed(nodes: list[int]) -> str:
    return f"node{'s' * (len(nodes) > 1)} {', '.join(map(str, nodes))}"
