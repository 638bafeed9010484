"""Packing: a trace as the browser gets it, a table of facts and columns of numbers.

    Trace --in_causal_order--> records --pack--> about: plain JSON, the lanes, words, bands, faults, rules
                                                 columns: one number an event, and one a frame; as bytes they travel

An event is an index in this order.  What is a text stands once in `about["strings"]`, and columns hold its index
there; index 0 is "".  Numbers that are not there are -1 (of `message` 65,535).

    time place                    seconds, and where it stands (`axis`)
    kind lane peer message        what, whose (-1: the world's), with whom (-1: nobody that has a lane)
    frame                         which line of the columns `frame_...` it is about (`flights`)
    seq msg_no term ...           the record's own columns; text, author, room, client, reason, entry and id by index
    number                        the number of the message that the event is about, where the trace tells it
    said                          what a template cannot tell (`sentences`)
    log_... held now_...          the state of its lane right after it (`states`)

    frame_send frame_from frame_to frame_message frame_fate frame_end        one line for each frame (`flights`)

Promises  the columns of the first n events do not change when more follow, but for `number` and, where a client
          appears that was not there, lanes; everything is little-endian; texts of users are harmless (`theme.plain`).
Read also `moment`, `spans`, `verdicts`, `lanes`; `timeline`, which draws.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatsys.teach.figures.theme import plain
from chatsys.teach.widgets.timeline.axis import in_causal_order, places
from chatsys.teach.widgets.timeline.flights import Flights, follow
from chatsys.teach.widgets.timeline.lanes import Lanes, find_lanes
from chatsys.teach.widgets.timeline.sentences import WIDTH, ZERO_IS_NONE, said, say, templates_for
from chatsys.teach.widgets.timeline.spans import Faults, find_bands
from chatsys.teach.widgets.timeline.states import EMPTIES, States
from chatsys.teach.widgets.timeline.verdicts import find_jumps, find_rules
from chatsys.trace import Record, Trace

VERSION = 1
NO_MESSAGE = 65_535
MOST_WORDS = 65_000
"""Kinds and messages beyond so many share one name: an actor may make up its own without end."""
NUMBERS = ("seq", "msg_no", "term", "entry_term", "verified", "incarnation", "clock", "client_seq")
"""Columns of a record that are numbers."""
TEXTS = ("text", "author", "room", "client", "reason", "entry", "id")
"""Columns of a record that are texts."""
NOISE = ("HEARTBEAT", "HEARTBEAT_ACK")
"""Frames of the chat that say only: I am alive."""
GREATEST = 2**31 - 1
_CARRY_ENTRIES = frozenset({"PROPOSE", "CATCHUP_REPLY", "DELIVERED"})
_BYTES = {"time": "<f8", "place": "<f8", "kind": "<u2", "message": "<u2", "role": "u1", "now_role": "u1",
          "frame_message": "<u2", "frame_fate": "u1", "lane": "<i2", "peer": "<i2", "frame_from": "<i2",
          "frame_to": "<i2", "now_alive": "i1"}  # fmt: skip
"""How many bytes a number of a column takes; all others take four, with a sign."""

Column = NDArray[Any]


@dataclass(frozen=True)
class Packed:
    """A trace, packed; `records` are its records in the order of events."""

    about: dict[str, Any]
    columns: dict[str, Column]
    records: list[Record]

    def buffers(self) -> dict[str, bytes]:
        """Return the columns as bytes."""
        return {name: column.tobytes() for name, column in self.columns.items()}

    def sentence(self, event: int) -> str:
        """Return the sentence about an event, filled as the browser fills it."""
        return say(self.about["templates"], lambda place: self.look(event, place))

    def look(self, event: int, place: str) -> str:
        """Return what stands at a place of a template for this event, "" where that is empty."""
        columns, about = self.columns, self.about
        low = place.lower()
        if low in ("node", "peer", "from", "to"):
            name = self._name_of(event, low)
            return name if low == place or self.lane_kind(event, low) == "client" else name[:1].upper() + name[1:]
        if place == "lane_kind":
            return self.lane_kind(event, "node")
        value = int(columns[place][event])
        if place in ("kind", "role"):
            return str(about[f"{place}s"][value])
        if place == "message":
            return "" if value == NO_MESSAGE else str(about["messages"][value])
        if place in TEXTS or place == "said":
            text = str(about["strings"][value])
            return text if place == "said" or len(text) <= WIDTH else text[: WIDTH - 1] + "…"
        return "" if value < 0 or (value == 0 and place in ZERO_IS_NONE) else str(value)

    def lane_of(self, event: int, end: str) -> int:
        """Return the lane of `node`, `peer`, `from` or `to` of an event; -1 if there is none."""
        if end in ("node", "peer"):
            return int(self.columns["lane" if end == "node" else "peer"][event])
        frame = int(self.columns["frame"][event])
        return -1 if frame < 0 else int(self.columns[f"frame_{end}"][frame])

    def lane_kind(self, event: int, end: str) -> str:
        """Return of which kind a lane is, "" if there is none."""
        lane = self.lane_of(event, end)
        return "" if lane < 0 else str(self.about["lanes"][lane]["kind"])

    def _name_of(self, event: int, end: str) -> str:
        lane = self.lane_of(event, end)
        if lane >= 0:
            if end == "peer" and lane == self.lane_of(event, "node"):
                return "itself"
            return str(self.about["lanes"][lane]["name"])
        return "the world" if end == "node" else ""


class _Table:
    """Texts by number, in the order in which they come."""

    def __init__(self, texts: Iterable[str] = (), show: Callable[[str], str] = str, most: int = GREATEST) -> None:
        self.texts: list[str] = []
        self.of: dict[str | None, int] = {}
        self.show, self.most = show, most
        for text in texts:
            self.number(text)

    def number(self, text: str) -> int:
        """Return the number of a text."""
        at = self.of.get(text)
        if at is None:
            at = self.of[text] = min(len(self.texts), self.most - 1)
            if at == len(self.texts):
                self.texts.append(self.show(text) if at < self.most - 1 else "of another kind")
        return at

    def column(self, texts: Iterable[str | None]) -> list[int]:
        """Return the numbers of texts; None is the text with number 0."""
        of, number = self.of, self.number
        return [0 if text is None else of[text] if text in of else number(text) for text in texts]


QUORUMS = frozenset({"PREPARE", "PROPOSE", "SUBMIT", "ACK", "DELIVERED"})
"""Frames of actors that ask a quorum, as the chat does; of others a timeline does not speak of one."""


def harmless(text: str) -> str:
    """Return a text of a user without what could disturb a page."""
    return text if text.isascii() and text.isprintable() else plain(text)


def pack(trace: Trace) -> Packed:
    """Return a trace as the browser gets it."""
    records, times = in_causal_order(trace)
    lanes, words = find_lanes(trace, records), trace.words
    kinds, messages = _Table(most=MOST_WORDS), _Table(most=MOST_WORDS)
    roles, strings = _Table(["", "up"]), _Table([""], harmless)
    flights = follow(records, lanes.of.__getitem__)
    columns = _of_records(records, strings)
    columns |= {
        "time": times,
        "kind": kinds.column(record.kind for record in records),
        "role": roles.column(record.role for record in records),
        "message": [NO_MESSAGE if one.message is None else messages.number(one.message) for one in records],
        "lane": [lanes.of[record.node] for record in records],
        "peer": [-1 if record.peer is None else lanes.of.get(record.peer, -1) for record in records],
    }
    held_by = words.number or "seq"
    has_log = any(record.kind == "append" and record.seq is not None for record in records)
    columns["number"] = _numbers(records) if has_log else _own_numbers(records, held_by, words.numbered)
    columns |= States(lanes, roles.number, trace.meta.get("where") == "sim", held_by).feed(records)
    columns["place"] = places(times, columns["lane"], flights.causes)
    columns |= _of_frames(flights, messages)
    rules, noise = find_rules(trace, records), sorted({*NOISE, words.heartbeat})
    about = {
        **_of_run(trace, records, lanes),
        "kinds": kinds.texts,
        "messages": messages.texts,
        "roles": roles.texts,
        "strings": strings.texts,
        "templates": templates_for(words, has_log),
        "noise": noise
        if {*flights.message} - {*noise}
        else [],  # where nothing else is sent, that is what one looks at
        "held_by": held_by,
        "empties": sorted({*EMPTIES, words.lead}),
        "rules": rules,
        "jumps": find_jumps(records, words, rules),
    }
    return Packed(about, {name: _array(name, values) for name, values in columns.items()}, records)


def _of_run(trace: Trace, records: Sequence[Record], lanes: Lanes) -> dict[str, Any]:
    meta = trace.meta
    end = max((record.time for record in records), default=0.0)
    return {
        "version": VERSION,
        "events": len(records),
        "duration": end - records[0].time if records else 0.0,
        "where": meta.get("where"),
        "seed": meta.get("seed"),
        "quorum": meta.get("quorum")
        if any(one.message in QUORUMS or one.kind == "commit" for one in records)
        else None,
        "title": meta.get("title"),
        "lanes": lanes.facts(),
        "bands": find_bands(records, lanes),
        "faults": Faults(lanes).feed(records).found(end),
    }


def _of_records(records: Sequence[Record], strings: _Table) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for name in NUMBERS:
        values = [getattr(record, name) for record in records]
        columns[name] = [-1 if value is None else value if value <= GREATEST else GREATEST for value in values]
    texts = [strings.column(_texts(record)) for record in records]  # one by one, so what follows changes no number
    columns |= {name: [row[at] for row in texts] for at, name in enumerate((*TEXTS, "said"))}
    return columns


def _texts(record: Record) -> tuple[str | None, ...]:
    """Return the columns of `TEXTS`, and what no template can tell."""
    return (
        record.text, record.author, record.room, record.client, record.reason, record.entry, record.id, said(record),
    )  # fmt: skip


def _numbers(records: Sequence[Record]) -> list[int]:
    """Return for each event the number of the message that it is about, as far as the trace tells it anywhere."""
    at: dict[int | None, int] = {}
    for record in records:
        if record.msg_no is not None and record.seq is not None:
            at.setdefault(record.seq, record.msg_no)
    return [
        record.msg_no
        if record.msg_no is not None
        else at.get(record.seq, -1)
        if record.kind == "append" or record.message in _CARRY_ENTRIES
        else -1
        for record in records
    ]


def _own_numbers(records: Sequence[Record], held_by: str, numbered: str) -> list[int]:
    """Return the same for an actor without a log, whose messages have one number, in the column `held_by`."""
    about = [one.kind in ("deliver", "hold") or one.message == numbered for one in records]
    found = [getattr(record, held_by) if is_about else None for record, is_about in zip(records, about, strict=True)]
    return [-1 if number is None else number for number in found]


def _of_frames(flights: Flights, messages: _Table) -> dict[str, list[Any]]:
    return {
        "frame": flights.frame,
        "frame_send": flights.send,
        "frame_from": flights.sender,
        "frame_to": flights.receiver,
        "frame_message": [NO_MESSAGE if one is None else messages.number(one) for one in flights.message],
        "frame_fate": flights.fate,
        "frame_end": flights.end,
    }


def _array(name: str, values: Sequence[Any]) -> Column:
    kind = np.dtype(_BYTES.get(name, "<i4"))
    try:
        return np.asarray(values, dtype=kind)
    except OverflowError:  # a frame of a stranger may speak of any number
        greatest = int(np.iinfo(kind).max)
        return np.asarray([min(value, greatest) for value in values], dtype=kind)
