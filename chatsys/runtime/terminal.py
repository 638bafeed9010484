"""Terminal: what a node that runs in a terminal tells the person in front of it.

    node 1 of 3 listens on 127.0.0.1:5001, log in data/node1; Ctrl-C stops
    12:04:07.311  node 1  delivered #1 to #231 from its log, last is ann: bye
    12:04:07.420  node 1  follows node 3, the leader of term 2
    12:04:09.020  node 1  #232 ann: hello
    12:04:11.020  node 1  delivered #233 to #9114, last is bob: 8882

Membership, role and term are told as they change, deliveries as runs: a message that is alone is
shown at once with its text, and however fast they come, there is about one line a second.  So a
delivery costs a comparison, not a line.  With `verbose` every record of the trace is a line.

Promises  a line has at most 80 columns unless `verbose`; a terminal that cannot be written to stops
          no node; the time of day is the wall clock's of now, also after the machine has slept.
Read also `service` (whose sink this is), `json_lines` (the same for machines), `trace` (the kinds of records), `escape`.
"""

import asyncio
import textwrap
import time
from collections.abc import Callable, Set
from contextlib import suppress
from typing import Any
from unicodedata import combining, east_asian_width

from chatsys.escape import escape
from chatsys.runtime.json_lines import as_json
from chatsys.trace import Record

WIDTH = 80
SOON, LATER = 0.2, 1.0
"""Seconds without a line of deliveries: after one that told a single message, and after one that told many."""
QUIET_DROPS = {"no link"}
"""Frames that vanish for these reasons are shown with -v only."""
REASONS = 4
"""At most so many different ones are told at a time."""
ROLES = {
    "nominating": "asks to lead",
    "deferring": "lets a higher node go first",
    "preparing": "prepares term {term}",
    "syncing": "fetches the best log for term {term}",
    "follower": "is a follower",
}
_TOLD = {"joined": "is in touch with", "gone": "has lost", "waiting": "is not taken in yet, says"}
_LEARNERS = {"new": "is taken in", "moved": "listens elsewhere now", "left": "has left, and its id is free"}


class Terminal:
    """A sink that writes lines with `write`: for people, or (`machine`) as JSON."""

    def __init__(self, write: Callable[[str], Any], verbose: bool = False, machine: bool = False) -> None:
        self.write, self.verbose, self.machine = write, verbose, machine
        self.log_end = 0
        """Where the log ended that this life found: up to there deliveries come from it."""
        self.run: tuple[Record, Record] | None = None
        """The first and the last of the deliveries that were not told yet."""
        self.drops: dict[str, tuple[Record, int]] = {}
        """What vanished and was not told yet: why -> the first of these, and how many."""
        self.said = ""
        """The line that was told last, without its time and its node."""
        self._timer: asyncio.TimerHandle | None = None
        self._why: str | None = None
        self._takes = {
            "start": self._start, "deliver": self._deliver, "drop": self._drop, "role": self._role,
            "lead": self._lead, "ready": self._ready, "follow": self._follow, "suspect": self._suspect,
            "restore": self._restore, "membership": self._membership, "anomaly": self._trouble, "broken": self._trouble,
            "refused": self._trouble, "refuses": self._refuses, "space": self._space, "large": self._trouble,
            "learner": self._learner, "admitted": self._admitted,
            "stop": self._stop, "stand_down": self._stand_down,
        }  # fmt: skip
        self.kinds: Set[str] | None = None if verbose else self._takes.keys()
        """What a recorder has to write down for it."""

    def __call__(self, records: list[Record]) -> None:
        """Tell what is worth telling of one turn."""
        if self.verbose:
            return self._out("".join(self._described(record) for record in records))
        takes = self._takes
        for record in records:
            if record.kind in takes:
                takes[record.kind](record)
        if self._timer is None:
            self._tell_gathered()

    def greet(self, sentence: str, **facts: Any) -> None:
        """Say in words what this is: the first line of a node's life.  Machines are told the facts as well."""
        self._out(as_json(None, sentence, **facts) if self.machine else _wrapped(escape(sentence), 4))

    def _described(self, record: Record) -> str:
        return as_json(record, _story(record)) if self.machine else describe(record)

    # --- deliveries and drops, gathered -------------------------------------------------------

    def _start(self, record: Record) -> None:
        self.log_end = record.seq or 0
        if record.reason and "torn" in record.reason:
            self._line(record, f"found {record.reason}")

    def _deliver(self, record: Record) -> None:
        """Gather a run; of one that came at once only the first and the last were written down."""
        if self.run is None:
            self.run = (record, record)
        elif (record.msg_no or 0) > (self.run[1].msg_no or 0) and self._is_old(record) == self._is_old(self.run[0]):
            self.run = (self.run[0], record)
        else:
            self._tell_run()
            self.run = (record, record)

    def _drop(self, record: Record) -> None:
        if record.reason not in QUIET_DROPS:
            _, _, why = (record.reason or "").rpartition(": ")  # without whose link it was
            if why not in self.drops and len(self.drops) >= REASONS:
                why = next(reversed(self.drops))  # strangers may make up as many reasons as they like
            first, count = self.drops.get(why, (record, 0))
            self.drops[why] = first, count + 1

    def _is_old(self, record: Record) -> bool:
        return (record.seq or 0) <= self.log_end

    def _tell_gathered(self) -> None:
        """Tell what was gathered, then gather for a while."""
        self._timer = None
        if self.run is None and not self.drops:
            return
        many = bool(self.drops) or (self.run is not None and self.run[0] is not self.run[1])
        self._tell_run()
        self._tell_drops()
        with suppress(RuntimeError):  # without a loop there is nothing to wait for
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(LATER if many else SOON, self._tell_gathered)

    def _tell_run(self) -> None:
        if self.run is None:
            return
        (first, last), self.run = self.run, None
        source = " from its log" if self._is_old(last) else ""
        said = f"{f'[{last.room}] ' if last.room != 'main' else ''}{last.author}: {last.text}"
        if first is not last:
            text = f"delivered #{first.msg_no} to #{last.msg_no}{source}, last is {said}"
            self._clipped(last, text, first.msg_no)
        elif source:
            self._clipped(last, f"delivered #{last.msg_no}{source}, by {said}")
        else:
            self._clipped(last, f"#{last.msg_no} {said}")

    def _tell_drops(self) -> None:
        drops, self.drops = self.drops, {}
        for first, count in drops.values():
            what = f"a {first.message} frame vanished: " if first.message else ""
            more = f" ({count - 1} more like this; -v shows each)" if count > 1 else ""
            self._line(first, f"{what}{(first.reason or '').rstrip('.')}{more}")

    # --- membership, role and term, at once ---------------------------------------------------

    def _role(self, record: Record) -> None:
        if record.role == "leader" or (record.role == "follower" and " leads term " in (record.reason or "")):
            return  # the next record tells it: `lead`, or `follow`
        said = ROLES.get(record.role, f"is {record.role}").format(term=record.term)
        self._line(record, self._because(record, said))

    def _follow(self, record: Record) -> None:
        self._line(record, _followed(record))

    def _lead(self, record: Record) -> None:
        self._line(record, f"leads term {record.term}")

    def _ready(self, record: Record) -> None:
        self._line(record, "is ready: it takes messages")

    def _membership(self, record: Record) -> None:
        verb, colon, why = (record.reason or "").partition(": ")
        if verb == "ok" or isinstance(record.peer, str):  # `admitted` tells the one; the other was only a question
            return
        said = _TOLD.get(verb, f"{verb}:")
        self._line(record, f"{said} node {record.peer}{colon}{why}")

    def _learner(self, record: Record) -> None:
        """A member has read an entry about a learner."""
        if (said := _LEARNERS.get(record.reason or "")) is not None:
            self._line(record, f"learner {record.peer} {said}")

    def _admitted(self, record: Record) -> None:
        self._line(record, f"is taken in, as node {record.peer} says: it is a learner of this cluster")

    def _refuses(self, record: Record) -> None:
        self._line(record, f"refuses node {record.peer}: {record.reason}")

    def _suspect(self, record: Record) -> None:
        who = f"suspects node {record.peer}" if record.peer else "misses a leader"
        self._line(record, self._because(record, who))

    def _restore(self, record: Record) -> None:
        self._line(record, self._because(record, f"suspects node {record.peer} no longer"))

    def _because(self, record: Record, said: str) -> str:
        """Add the reason, unless the line before gave the same one."""
        known, self._why = self._why, record.reason
        return said if record.reason in (None, known) else f"{said}: {record.reason}"

    def _trouble(self, record: Record) -> None:
        self._line(record, record.reason or record.kind)

    def _space(self, record: Record) -> None:
        known = {"low": "its disk is almost full: make room", "room again": "its disk has room again"}
        self._line(record, known.get(record.reason or "", record.reason or ""))

    def _stand_down(self, record: Record) -> None:
        self._line(record, "hands the lead over before it stops" if record.role == "leader" else "is about to stop")

    def _stop(self, record: Record) -> None:
        self._line(record, record.reason or "has stopped; its log is on the disk")

    # --- lines --------------------------------------------------------------------------------

    def _line(self, record: Record, text: str) -> None:
        """Write one event, after the deliveries that came before it."""
        self._tell_run()
        self.said = escape(text)
        head = _head(record)
        self._out(as_json(record, text) if self.machine else _wrapped(head + escape(text), len(head)))

    def _clipped(self, record: Record, text: str, first: int | None = None) -> None:
        self.said = escape(text[: 2 * WIDTH])
        if self.machine:
            return self._out(as_json(record, text, first=first))
        self._out(_fitting(_head(record) + escape(text[: 2 * WIDTH]), clipped=len(text) > 2 * WIDTH) + "\n")

    def _out(self, text: str) -> None:
        with suppress(OSError, ValueError):  # a full disk or a closed terminal behind stderr is no fault of the node
            self.write(text)


def describe(record: Record) -> str:
    """Return one line about `record`, with the columns that it fills."""
    head = f"{_clock(record)}  node {record.node}  term {record.term}  {record.role:<10} {record.kind:<10}"
    return f"{head} {escape(_story(record))}".rstrip() + "\n"


def _story(record: Record) -> str:
    match record.kind:
        case "deliver":
            return f"#{record.msg_no} seq {record.seq}  {record.room}  {record.author}: {record.text}"
        case "follow":
            return _followed(record)
        case "promise":
            return f"to node {record.peer}" if record.peer else "to nobody yet"
    words = [
        record.message or "",
        f"peer {record.peer}" if record.peer is not None else "",
        f"seq {record.seq}" if record.seq is not None else "",
        record.id or "",
        record.reason or "",
        f"{record.text!r}" if record.text else "",
    ]
    return "  ".join(word for word in words if word)


def _followed(record: Record) -> str:
    said = f"follows node {record.peer}, the leader of term {record.term}"
    known = not record.reason or record.reason == f"node {record.peer} leads term {record.term}"
    return said if known else f"{said}: {record.reason}"


def _head(record: Record) -> str:
    return f"{_clock(record)}  node {record.node}  "


def _clock(record: Record) -> str:
    """Return the time of day of `record`.

    A record carries the monotonic clock, which may stand still while the machine sleeps and is not
    moved when somebody sets the wall clock: so the two are compared anew at each line.
    """
    moment = time.time() - (time.monotonic() - record.time)
    return time.strftime("%H:%M:%S", time.localtime(moment)) + f".{int(moment % 1 * 1000):03d}"


def _wrapped(text: str, indent: int) -> str:
    lines = textwrap.wrap(text, WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False)
    return "\n".join(map(_fitting, lines)) + "\n"


def _fitting(line: str, clipped: bool = False) -> str:
    """Return `line` cut to the width of the terminal, with a mark where something is missing."""
    width = 0
    for at, sign in enumerate(line):
        width += 0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1
        if width > WIDTH - 1 and (clipped or at < len(line) - 1):
            return line[:at] + "…"
    return line + "…" if clipped else line
