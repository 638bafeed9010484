"""The queue length: how many messages each node holds back, and for which number they all wait.

    node 1        ___
              ___|   |          a stair goes up with each message that comes early, and down when the late one is there;
          ___|  #2   |___       the number is written on it: one late message holds up all those behind it

That is head-of-line blocking.  A message waits from its record `hold` to its record `deliver`.

Read also `matrices` (what was delivered at each number), `labs.lab03` (whose picture this is).
"""

from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from chatsys.errors import UsageError
from chatsys.teach.figures import theme
from chatsys.teach.figures.theme import counted, node_name
from chatsys.trace import Record, Trace

ROW = 84
"""Pixels for each node."""
TALL = 0.72
"""The longest queue takes this share of a row."""
APART = 3
"""Pixels between a label and a higher plateau beside it."""
MOST_PLATEAUS = 400
"""The longest ones are drawn, at most so many of each node."""


@dataclass
class Plateau:
    """A time in which a node's queue waits for one and the same number."""

    node: int
    number: int
    begin: float
    end: float = 0.0
    stairs: list[tuple[float, int]] = field(default_factory=list)
    """(from when on, so many messages wait)"""
    there: bool = False
    """Whether the number had arrived already: then the queue waits although nothing is missing."""

    @property
    def most(self) -> int:
        """How many messages wait at the highest stair."""
        return max(count for _, count in self.stairs)

    @property
    def length(self) -> float:
        """For how many seconds they wait."""
        return self.end - self.begin


class _Now:
    """The plateau on which a queue is at the moment, if it is on one."""

    def __init__(self) -> None:
        self.open: Plateau | None = None

    def begin(self, plateau: Plateau, waiting: int) -> None:
        """Step onto a plateau."""
        plateau.stairs.append((plateau.begin, waiting))
        self.open = plateau

    def count(self, time: float, waiting: int) -> None:
        """Begin a new stair if the number of those that wait has changed."""
        if self.open is not None and self.open.stairs[-1][1] != waiting:
            self.open.stairs.append((time, waiting))

    def close(self, time: float) -> list[Plateau]:
        """Leave the plateau, and return it."""
        closed, self.open = self.open, None
        if closed is None:
            return []
        closed.end = time
        while len(closed.stairs) > 1 and closed.stairs[-1][0] >= time:
            closed.stairs.pop()  # it came in the same moment: a stair without length is no stair
        return [closed]


def queue_length(trace: Trace, node: int | None = None) -> Any:
    """Draw how many messages wait at every node (or at `node`) over time, and for which number."""
    title = "What waits, and for which number"
    if node is not None and node not in trace.nodes:
        raise UsageError(f"There is no node {node!r:.40} in this run; there are {', '.join(map(str, trace.nodes))}.")
    plateaus = [one for one in find_plateaus(trace) if node in (None, one.node)]
    if not plateaus:
        return theme.nothing(title, "No message had to wait in this run.")
    nodes = sorted({one.node for one in plateaus})
    at = {one: row for row, one in enumerate(nodes)}
    most = max(one.most for one in plateaus)
    begin, end = min(one.begin for one in plateaus), max(one.end for one in plateaus)
    room = max(end - begin, 1e-9) * 0.04
    figure = go.Figure()
    for there in (False, True):
        _draw(figure, [one for one in plateaus if one.there is there], at, most, there)
    pixels = theme.PLOT / (end - begin + 2 * room)
    for one in plateaus:
        top = at[one.node] + TALL * one.most / most
        _label(figure, one, [other for other in plateaus if other.node == one.node], top, pixels)
    figure.update_xaxes(title={"text": "time (s)", "standoff": 6}, range=[begin - room, end + room])
    figure.update_yaxes(
        tickvals=list(at.values()), ticktext=[node_name(one) for one in nodes], ticklabelstandoff=6,
        range=[-0.12, len(at) + 0.02], showgrid=True,
    )  # fmt: skip
    return theme.finish(figure, title, _tell(plateaus), ROW * len(nodes) + 20)


def find_plateaus(trace: Trace) -> list[Plateau]:
    """Return the times in which messages waited for one number, longest first of each node, in order of time."""
    every: list[Plateau] = []
    for node in trace.nodes:
        mine = [record for record in trace if record.node == node]
        every += sorted(_plateaus_of(node, mine), key=lambda one: -one.length)[:MOST_PLATEAUS]
    return sorted(every, key=lambda one: (one.begin, one.node))


def _plateaus_of(node: int, records: list[Record]) -> list[Plateau]:
    waiting: set[int] = set()
    arrived: dict[int, float] = {}
    due, found, now = 1, list[Plateau](), _Now()
    for record in records:
        number, time = record.seq or 0, record.time
        if now.open is not None and not now.open.there and arrived.get(due, time) < time:
            found += now.close(arrived[due])  # the number is there, and is not delivered
            now.begin(Plateau(node, due, arrived[due], there=True), len(waiting))
        if record.kind == "receive" and record.message == "ORDERED":
            arrived.setdefault(number, time)
        elif record.kind == "hold":
            waiting.add(number)
        elif record.kind == "deliver":
            waiting.discard(number)
            due = max(due, number + 1)
        elif record.kind in ("crash", "broken", "refused"):
            waiting.clear()
        if now.open is not None and (not waiting or now.open.number != due):
            found += now.close(time)
        if waiting and now.open is None:
            now.begin(Plateau(node, due, time, there=arrived.get(due, time) < time), len(waiting))
        now.count(time, len(waiting))
    found += now.close(records[-1].time if records else 0.0)
    return [one for one in found if one.length > 0]


def _draw(figure: Any, plateaus: list[Plateau], at: dict[int, int], most: int, there: bool) -> None:
    """Draw the stairs as areas on the line of their node."""
    if not plateaus:
        return
    x: list[float | None] = []
    y: list[float | None] = []
    hover: list[str] = []
    for one in plateaus:
        base, text = at[one.node], _tell_one(one)
        points = [(one.begin, base + 0.0)]
        for (begin, count), (end, _) in zip(one.stairs, [*one.stairs[1:], (one.end, 0)], strict=True):
            high = base + TALL * count / most
            points += [(begin, high), (end, high)]
        points += [(one.end, base + 0.0), (one.begin, base + 0.0)]
        x += [*(time for time, _ in points), None]
        y += [*(high for _, high in points), None]
        hover += [text] * len(points) + [""]
    colour, pale = (theme.VERMILLION, theme.PALE_ORANGE) if there else (theme.BLUE, theme.PALE_SKY)
    figure.add_scatter(
        x=x, y=y, mode="lines", fill="toself", fillcolor=pale, hovertext=hover, hoverinfo="text", hoveron="points",
        name="it is there, and is not delivered" if there else "waits for a number that is not there",
        line={"color": colour, "width": 2, "dash": "dash" if there else "solid"}, showlegend=True,
    )  # fmt: skip


def _label(figure: Any, one: Plateau, row: list[Plateau], top: float, pixels: float) -> None:
    """Write on the `top` of a plateau the number that everybody waits for, as far as there is room; `pixels` are those of a second.

    It ends where the plateau ends, or begins where it begins if a higher one of its `row` is in the way to the left.
    """
    many = f"{one.most} {'waits' if one.most == 1 else 'wait'} for #{one.number}"
    text = theme.fit(one.length * pixels + 4, [many, f"#{one.number}"])
    if not text:
        return
    begin = one.end - (len(text) * theme.LETTER + APART) / pixels
    in_the_way = any(
        other.most > one.most and other.begin < one.begin and other.end > begin for other in row if other is not one
    )
    figure.add_annotation(
        x=one.begin if in_the_way else one.end, xanchor="left" if in_the_way else "right", xshift=APART * in_the_way,
        y=top, yanchor="bottom", showarrow=False, text=text, font={"size": 13}, yshift=1,
    )  # fmt: skip


def _tell_one(one: Plateau) -> str:
    why = " (it is there)" if one.there else ""
    return (
        f"{node_name(one.node)}: up to {counted(one.most, 'message')} wait for #{one.number}{why}<br>"
        f"{one.begin:.2f} s to {one.end:.2f} s ({one.length:.2f} s)"
    )


def _tell(plateaus: list[Plateau]) -> str:
    """Sum up the worst of it."""
    stuck = next((one for one in plateaus if one.there), None)
    if stuck is not None:
        return (
            f"From {stuck.begin:.2f} s on {counted(stuck.most, 'message')} waited at node {stuck.node} although #{stuck.number}, "
            "the next one, was there: nothing was missing."
        )
    worst = max(plateaus, key=lambda one: (one.most, one.length))
    longest = max(plateaus, key=lambda one: one.length)
    most = f"up to {counted(worst.most, 'message')}" if worst.most > 1 else "1 message"
    more = (
        ""
        if longest.length <= worst.length
        else f" The longest wait, {longest.length:.2f} s, was for #{longest.number} at node {longest.node}."
    )
    return f"At node {worst.node}, {most} waited for #{worst.number} alone, for {worst.length:.2f} s: head-of-line blocking.{more}"
