"""Heartbeats over time: every beat, every silence, and the suspicion it led to.

    node 3 | |    |    | x                               the leader beats, and crashes
    node 2 |  o    o    o - - 2.5 s of silence - - v     a follower hears it, and suspects it

In the chat all listen to one leader, so a row is a node.  Where each node listens to every other one (the word
`each_other` of the actor), a row is one of them listening to one other:

    1 hears 3 |  o |  o |  o x - - silence - - v         3 sends, 1 hears; 3 crashes, 1 suspects it
    1 hears 2 |  o |  o |  o |  o |  o |  o |  o

Read also `over_time` (roles and terms), `actor.words` (what the beats of an actor are called).
"""

from collections.abc import Iterator
from typing import Any

import plotly.graph_objects as go

from chatsys.teach.figures import theme
from chatsys.teach.figures.marks import LANE, MARKS, Marking, look_of
from chatsys.teach.figures.over_time import name_rows
from chatsys.teach.figures.role_spans import stopped_itself
from chatsys.teach.figures.theme import counted, escape, node_name, seconds
from chatsys.trace import Record, Trace

ROW = 52
"""Pixels for each row."""
MOST_BEATS = 500
"""The last beats are drawn, at most so many for each node: more would be a solid bar."""
MOST_SILENCES = 40
MOST_PAIRS = 20
"""Where each node listens to every other one, at most so many rows are drawn: first those in which somebody is suspected."""

LIVES = ("crash", "broken", "restart")
AT_ONCE = {
    "broke": ("triangle-up", theme.PURPLE, "suspects: the link broke"),
    "nominated itself": ("diamond", theme.YELLOW, "takes over an election"),
}
"""What no silence led to, by a piece of its reason: sign, colour, word.  The last is no suspicion at all."""
TAKES_OVER = "nominated itself"
SIGNS_OF_LIFE = {"HEARTBEAT", "COORDINATOR", "PROPOSE"}
"""What a follower hears of its leader; each of them ends a silence."""

Silence = tuple[int, float, Record]
"""(node, when its silence began, the suspicion that ended it)"""


class Nodes:
    """The rows of a run in which all listen to the leader: one for each node."""

    many = 1
    sends, hears = "leader sends", "follower hears"

    def __init__(self, trace: Trace) -> None:
        self.at = {node: row for row, node in enumerate(trace.nodes)}
        self.names = {node_name(node): row for node, row in self.at.items()}

    def places(self, record: Any) -> list[int]:
        """Return the rows in which this record is drawn."""
        return [self.at[record.node]]


class Pairs:
    """The rows of a run in which nodes listen to each other: one for each pair of a listener and whom it listens to."""

    sends, hears = "heartbeat sent", "heartbeat heard"

    def __init__(self, trace: Trace) -> None:
        doubted = {(record.node, record.peer) for record in trace.of("suspect")}
        beats = [record for record in trace.of("send", "receive") if _is_beat(record)]
        listening = doubted | {(one.peer, one.node) if one.kind == "send" else (one.node, one.peer) for one in beats}
        every = [(one, other) for one in trace.nodes for other in trace.nodes if (one, other) in listening]
        drawn = sorted(sorted(every, key=lambda pair: pair not in doubted)[:MOST_PAIRS])
        self.many = max(1, len(drawn) // max(1, len(trace.nodes)))
        self.at = {pair: row for row, pair in enumerate(drawn)}
        self.names = {f"{escape(one, 6)} hears {escape(other, 6)}": row for (one, other), row in self.at.items()}

    def places(self, record: Any) -> list[int]:
        """Return the rows in which this record is drawn: that of a frame, of a suspicion, all rows of a node."""
        if record.kind in LIVES:
            return [row for pair, row in self.at.items() if record.node in pair]
        pair = (record.peer, record.node) if record.kind == "send" else (record.node, record.peer)
        return [self.at[pair]] if pair in self.at else []


Rows = Nodes | Pairs


def heartbeats(trace: Trace) -> Any:
    """Draw every heartbeat where it left and arrived, and every silence that ended in a suspicion."""
    beats = [record for record in trace.of("send", "receive") if _is_beat(record)]
    beats.sort(key=lambda beat: beat.time)
    if not beats:
        return theme.nothing("Heartbeats", f"No heartbeat was sent in this run.{_hint(trace)}")
    end = max(record.time for record in trace)
    rows: Rows = Pairs(trace) if trace.words.each_other else Nodes(trace)
    shown = beats[-MOST_BEATS * rows.many :]
    figure = go.Figure()
    for kind, name, sign, colour in (
        ("send", rows.sends, "line-ns", theme.BLUE),
        ("receive", rows.hears, "circle", theme.GREEN),
    ):
        _draw_beats(figure, [beat for beat in shown if beat.kind == kind], rows, (name, sign, colour))
    _draw_silences(figure, _silences(trace)[-MOST_SILENCES:], rows, end)
    lanes = _draw_events(figure, trace, rows, end)
    name_rows(figure, rows.names, end)
    told = _tell_beats(trace, beats)
    if len(shown) < len(beats):
        figure.update_xaxes(range=[shown[0].time, end])
        told += " The last ones are shown."
    return theme.finish(figure, "Heartbeats", told, _row(lanes) * len(rows.names) + 20)


def _row(lanes: int) -> int:
    """Return the pixels of a row: its marks stand on the line of the beats and, if need be, above and below it."""
    return ROW + 2 * LANE * max(0, lanes // 2 - 1)


def _beside_the_line(lane: int, lanes: int) -> float:
    """Return where a mark stands, in rows: on the line, then under it (above it stands the length of a silence)."""
    return (lane + 1) // 2 * (-1 if lane % 2 else 1) * LANE / _row(lanes)


def _hint(trace: Trace) -> str:
    """Say how an actor of one's own names its heartbeat, if it named none."""
    if "words" in trace.meta or trace.meta.get("actor", "Node") == "Node":
        return ""
    return " An actor says which of its frames is one: words = Words(heartbeat=...)."


def _is_beat(record: Record) -> bool:
    return (record.message or "").upper() == "HEARTBEAT" and isinstance(record.node, int)


def _draw_beats(figure: Any, beats: list[Record], rows: Rows, looks: tuple[str, str, str]) -> None:
    name, sign, colour = looks
    words = {"send": "sends a heartbeat to", "receive": "hears a heartbeat of"}
    placed = [(beat, row) for beat in beats for row in rows.places(beat)]
    figure.add_scatter(
        x=[beat.time for beat, _ in placed],
        y=[row for _, row in placed],
        mode="markers",
        name=name,
        marker={
            "symbol": sign,
            "size": 16 if sign == "line-ns" else 7,
            "color": colour,
            "line": {"width": 2 if sign == "line-ns" else 0, "color": colour},
        },
        hovertext=[f"{b.time:.3f} s: {node_name(b.node)} {words[b.kind]} {node_name(b.peer)}" for b, _ in placed],
        hoverinfo="text",
    )


def _draw_events(figure: Any, trace: Trace, rows: Rows, end: float) -> int:
    """Mark who suspects whom, and whose lives end and begin; return how many lanes of marks a row has."""
    told = trace.of("suspect", "restore", *LIVES)
    marks = [mark for mark in told if isinstance(mark.node, int) and not stopped_itself(mark)]
    marks = sorted(marks, key=lambda record: record.time)[-MOST_BEATS:]
    drawn = Marking(rows.places, end)
    for kind in LIVES:
        drawn.add(MARKS[kind], [mark for mark in marks if mark.kind == kind])
    for why, looks in [("", look_of("suspect", trace)), *AT_ONCE.items()]:
        drawn.add(looks, [mark for mark in marks if mark.kind == "suspect" and _without_silence(mark) == why])
    drawn.add(MARKS["restore"], [mark for mark in marks if mark.kind == "restore"])
    return drawn.draw(figure, _beside_the_line)


def _draw_silences(figure: Any, silences: list[Silence], rows: Rows, end: float) -> None:
    """Draw a dashed line from the last beat a node heard to the moment it suspected whom it did not hear."""
    lines: dict[str, list[Any]] = {"x": [], "y": []}
    second, taken = theme.PLOT / (end or 1.0), dict[int, float]()
    for last, suspicion, row in ((last, mark, row) for _, last, mark in silences for row in rows.places(mark)):
        lines["x"] += [last, suspicion.time, None]
        lines["y"] += [row] * 2 + [None]
        length, middle = suspicion.time - last, (last + suspicion.time) / 2 * second
        free = 2 * (middle - taken.get(row, -70.0))  # the name of the row gives way a little
        text = theme.fit(free, [f"{length:.2f} s of silence", f"{length:.1f} s"]) if length >= 0.5 else ""
        if text:
            taken[row] = middle + len(text) * theme.LETTER / 2
            figure.add_annotation(
                x=(last + suspicion.time) / 2, y=row, yshift=17, showarrow=False, text=text, font={"size": 12}
            )
    if lines["x"]:
        dash = {"dash": "dash", "width": 2, "color": theme.VERMILLION}
        figure.add_scatter(**lines, mode="lines", name="silence", line=dash, hoverinfo="skip")


def _without_silence(suspicion: Record) -> str:
    """Return which piece of its reason says that no silence led to this suspicion, or an empty text."""
    return next((piece for piece in AT_ONCE if piece in (suspicion.reason or "")), "")


def _silences(trace: Trace) -> list[Silence]:
    """Return (node, when its silence began, the suspicion) for every suspicion that a silence led to.

    A silence begins with the last sign of life of the suspected node, or later: when the node
    itself stopped leading, began to follow, or began its present life.
    """
    heard: dict[tuple[int, object], float] = {}
    began: dict[int, float] = {}
    leading: set[int] = set()
    found = []
    for event in _of_silences(trace):
        node = event.node
        if not isinstance(node, int):
            continue
        if event.kind == "receive":
            if (event.message or "").upper() in SIGNS_OF_LIFE:
                heard[node, event.peer] = heard[node, None] = event.time
        elif event.kind == "suspect":
            since = [time for time in (heard.get((node, event.peer)), began.get(node)) if time is not None]
            if since and not _without_silence(event):
                found.append((node, max(since), event))
        elif event.kind == "role":
            if node in leading and event.role != "leader":
                began[node] = event.time
            (leading.add if event.role == "leader" else leading.discard)(node)
        else:
            began[node] = event.time
    return found


def _of_silences(trace: Trace) -> Iterator[Record]:
    """Yield the records that begin or end a silence, in order of time."""
    events = trace.of("receive", "role", "follow", "start", "boot", "restart", "suspect")
    yield from sorted(events, key=lambda record: record.time)


def _tell_beats(trace: Trace, beats: list[Record]) -> str:
    suspicions = [mark for mark in trace.of("suspect") if _without_silence(mark) != TAKES_OVER]
    suspicions.sort(key=lambda record: record.time)
    sent = sorted({(beat.node, beat.term, beat.time) for beat in beats if beat.kind == "send"}, key=lambda b: b[2])
    gaps = sorted(after - before for before, after in _gaps(sent))
    told = f"{counted(sum(beat.kind == 'receive' for beat in beats), 'heartbeat')} arrived"
    if gaps:
        told += f", one every {seconds(gaps[len(gaps) // 2])}"
    if not suspicions:
        return f"{told}; no node suspected {'another' if trace.words.each_other else 'its leader'}."
    first = suspicions[0]
    why = f" ({first.reason})" if first.reason else ""
    of = f"of node {first.peer} " if trace.words.each_other else ""
    told += f"; {counted(len(suspicions), 'suspicion')}, the first {of}by node {first.node} at {first.time:.2f} s{escape(why, 60)}"
    if restored := sorted(trace.of("restore"), key=lambda record: record.time):
        told += f"; {len(restored)} taken back, the first by node {restored[0].node} at {restored[0].time:.2f} s"
    return f"{told}."


def _gaps(sent: list[tuple[Any, int, float]]) -> Iterator[tuple[float, float]]:
    """Yield (time, time) for each two beats of one sender and one term that follow each other."""
    before: dict[Any, tuple[int, float]] = {}
    for node, term, time in sent:
        last = before.get(node)
        if last is not None and last[0] == term and time - last[1] > 0.001:
            yield last[1], time
        before[node] = term, time
