"""Chats: what the user of each node sees, and which messages are still on their way.

    deliver  --> the column of its node:  #7  bob: hello          in the order in which it was shown there
    say, submit, reply, ack --> the list of what waits:  bob "hello", through node 3: node 3 knows no leader

A column is what somebody who looks at that node has read.  A node that starts again delivers its log anew; what was
read before stays where it stands.  Each message waits by itself, so that the answer about an old one never speaks for a
new one.

Assumes   records in the order of the trace; that whoever says something does it with the verb `say`, or as a client.
Promises  at most `LINES` messages of a node are kept, and `MOST_WAITING` that wait, however long the run is.
Read also `view` (who feeds it), `panel.js` (who draws it).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatsys.faults import Fault
from chatsys.teach.figures.theme import plain
from chatsys.trace import Record

LINES = 40
"""Messages of a node that its column keeps."""
MOST_WAITING = 12
LETTERS = 4_000
"""A longer text is cut."""
SHORT = 60
"""So many letters of a text stand in a sentence."""
REMEMBERED = 500
"""So many numbers back it is known what was delivered there first."""

Said = tuple[str, str, str]
"""Author, room and text."""


@dataclass
class SeenLine:
    """One message in the column of a node: `life` is the node's life that delivered it last."""

    sign: str
    life: int


@dataclass
class Waiting:
    """One message that was said and is not acknowledged."""

    name: str
    """Its client; `ann@3` sticks to node 3."""
    author: str
    text: str
    since: float
    key: tuple[str | None, int | None] | None = None
    """What tells it from all others, once its client has sent it."""
    how: str = "on its way"
    answers: set[str] = field(default_factory=set)

    @property
    def through(self) -> str:
        """The node to which its client sticks, "" if to none."""
        return self.name.rpartition("@")[2] if "@" in self.name else ""


class Chats:
    """Follows deliveries and messages; `columns` and `waiting` tell what is drawn."""

    def __init__(self, acknowledges: bool = True) -> None:
        self.acknowledges = acknowledges
        """Whether people speak through clients, who are told what became of their messages."""
        self.columns_of: dict[int, dict[tuple[int, Said], SeenLine]] = {}
        self.first: dict[int, tuple[Said, float]] = {}
        """number -> the first message that was delivered there, and when."""
        self.lives: Counter[int] = Counter()
        self.born: dict[int, float] = {}
        """When the present life of a node began, for all that came after the beginning."""
        self.waits: list[Waiting] = []
        self.early: Counter[tuple[str, str]] = Counter()
        """Messages that were sent before it was told that they were said."""
        self.read = 0

    # --- what is told ---------------------------------------------------------------------------

    def take(self, done: Sequence[Fault]) -> None:
        """Read which messages were said since the last time."""
        for fault in done[self.read :]:
            if fault.verb == "say" and self.acknowledges:
                text, node, _room, author = (
                    (*fault.args, None, "main", "ann")[:4] if len(fault.args) < 4 else fault.args
                )
                name = author if node is None else f"{author}@{node}"
                if self.early[name, text]:
                    self.early[name, text] -= 1
                else:
                    self.waits.append(Waiting(name, author, text, fault.time))
        self.read = len(done)

    def feed(self, record: Record) -> str:
        """Take in a record; return a sentence if it is news about a message that somebody waits for, else ""."""
        match record.kind:
            case "start" | "restart" if isinstance(record.node, int):
                self.lives[record.node] += 1  # a restart counts twice, which does not matter
                if record.kind == "restart" or self.first:
                    self.born[record.node] = record.time
            case "deliver":
                return self._deliver(record)
            case "submit" if self.acknowledges:
                self._submit(record)
            case "reply" if record.reason and not record.reason.startswith("ok"):
                return self._reply(record)
            case "ack" if record.msg_no:
                self._forget((record.client, record.client_seq))
                who = plain(record.author or record.client or "A client", 16)
                return f"{who}: “{plain(record.text or '', SHORT)}” is committed as #{record.msg_no}."
            case "indeterminate":
                return self._give_up(record)
        return ""

    def _deliver(self, record: Record) -> str:
        node, number = record.node, record.msg_no
        if not isinstance(node, int) or number is None:
            return ""
        said = (record.author or "", record.room or "", record.text or "")
        first, when = self.first.setdefault(number, (said, record.time))
        if len(self.first) > 2 * REMEMBERED:
            self.first = {at: what for at, what in self.first.items() if at > number - REMEMBERED}
        column = self.columns_of.setdefault(node, {})
        line = column.get((number, said))
        if line is None:
            sign = "odd" if first != said else "again" if when < self.born.get(node, 0.0) else "same"
            column[number, said] = SeenLine(sign, self.lives[node])
            if len(column) > LINES:
                del column[next(iter(column))]
        elif line.life == self.lives[node]:
            line.sign = "twice"
        else:
            line.life = self.lives[node]
        return self._came(record)

    def _came(self, record: Record) -> str:
        """A message that somebody waits for was delivered somewhere."""
        found = self._find((record.client, record.client_seq))
        if found is None or record.client is None:
            return ""
        if found.how.startswith("nobody knows"):
            self.waits.remove(found)
            return f"“{plain(found.text, SHORT)}” of {plain(found.author, 16)}, which nobody knew about, came as #{record.msg_no}."
        found.how = f"delivered as #{record.msg_no}; {plain(found.author, 16)} does not know yet"
        return ""

    def _submit(self, record: Record) -> None:
        name, text, key = str(record.node), record.text or "", (record.client, record.client_seq)
        if self._find(key) is not None:
            return
        found = next((one for one in self.waits if one.key is None and (one.name, one.text) == (name, text)), None)
        if found is None:
            found = Waiting(name, record.author or name, text, record.time)
            self.waits.append(found)
            self.early[name, text] += 1
        found.key, found.how = key, "on its way"

    def _reply(self, record: Record) -> str:
        name = str(record.node)
        if record.client is None:  # refused by its own client
            refused = next((one for one in self.waits if one.name == name and one.key is None), None)
            if refused is not None:
                self.waits.remove(refused)
            return f"{plain(name, 16)}: {plain(record.reason or '', 100)}."
        found = self._find((record.client, record.client_seq))
        if not record.client_seq:  # the client is not let in yet, so its first message waits for that
            found = next((one for one in self.waits if one.name == name and one.key is None), None)
        answer = in_plain(record)
        if found is None or not answer:
            return ""
        found.how = f"waits: {answer}"
        if answer in found.answers:
            return ""
        found.answers.add(answer)
        return f"“{plain(found.text, SHORT)}” of {plain(found.author, 16)} waits: {answer}."

    def _give_up(self, record: Record) -> str:
        found = self._find((record.client, record.client_seq))
        if found is None:
            return ""
        found.how = "nobody knows whether it will come"
        return f"“{plain(found.text, SHORT)}” of {plain(found.author, 16)}: nobody knows whether it will come."

    def _find(self, key: tuple[str | None, int | None]) -> Waiting | None:
        return next((one for one in self.waits if one.key == key), None)

    def _forget(self, key: tuple[str | None, int | None]) -> None:
        self.waits = [one for one in self.waits if one.key != key]

    # --- what is drawn --------------------------------------------------------------------------

    def columns(self, nodes: Iterable[int]) -> dict[str, Any]:
        """Return the messages, each once, and for each node which of them it shows: number, message, sign."""
        places: dict[Said, int] = {}
        columns = {
            str(node): [
                [number, places.setdefault(said, len(places)), line.sign]
                for (number, said), line in self.columns_of.get(node, {}).items()
            ]
            for node in nodes
        }
        said = [[plain(author, 40), plain(room, 40), plain(text, LETTERS)] for author, room, text in places]
        return {"said": said, "columns": columns}

    def waiting(self) -> list[list[str]]:
        """Return author, text, through which node, and how it is with it, the oldest first; the last row may count more."""
        told = [
            [plain(one.author, 24), plain(one.text, 120), one.through, one.how] for one in self.waits[:MOST_WAITING]
        ]
        more = len(self.waits) - MOST_WAITING
        return [*told, ["", "", "", f"{more} more"]] if more > 0 else told


def in_plain(record: Record) -> str:
    """Return what a node answered, in words that need no protocol; "" for a mere hint to another node."""
    status, _, more = (record.reason or "").partition(": ")
    if status == "redirect":
        return ""
    if status == "gap":
        return "an earlier message of this author has to come first"
    if status == "unknown_session":
        return f"node {record.peer} does not know this author's client any more"
    if "no leader" in more:
        return f"node {record.peer} knows no leader"
    if status == "busy":
        return f"node {record.peer} is busy" + (f" ({plain(more, 60)})" if more else "")
    return f"node {record.peer} answers {plain(record.reason or '', 60)}"
