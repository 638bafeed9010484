"""Outages: when nobody leads, and what becomes of what is said meanwhile.

    users        o hello            o anyone?
    node 3 |=====leads=x. . . . . . .\\. . . . . . .>-----*
    node 2 |-----------*--.......---*=*==leads==============
    node 1 |-----------*---......-----*-------------------
                       |  nobody   |   <- the gap between two bands: 3.65 s
                       |   leads   |

A thread goes from each message to every node at which its users see it; so a message that is said in a gap is a thread
that crosses it.

Read also `over_time` (the bands), `role_spans` (the fold behind them), `labs.lab00` (whose picture this is).
"""

from typing import Any

import msgspec
import plotly.graph_objects as go

from chatsys.teach.figures import theme
from chatsys.teach.figures.marks import draw_cuts
from chatsys.teach.figures.over_time import draw_roles, name_rows
from chatsys.teach.figures.role_spans import RoleSpans, story
from chatsys.teach.figures.theme import counted, node_name, seconds
from chatsys.trace import Record, Trace

SHORTEST = 0.02
"""Seconds: a leader that hands over leaves a gap that is shorter, and no outage."""
MOST_MESSAGES, MOST_OUTAGES = 12, 6
"""So many messages have a thread, and so many outages are drawn."""
CLOSING = 0.02
"""The share of a run that is too short to be seen: a node that goes down only then ends because its cluster is closed."""
LOW = 0.24
"""Rows: a message stands so far below the middle of a band, so that the band's label can be read."""


class LeaderGap(msgspec.Struct, frozen=True):
    """A time in which nobody led, in seconds; `end` is None where nobody leads until the end of the run."""

    start: float
    end: float | None
    upto: float
    """Its end, or that of the run."""

    @property
    def length(self) -> float:
        """How many seconds of it were seen."""
        return self.upto - self.start

    def has(self, time: float) -> bool:
        """Whether nobody led at this time."""
        return self.start <= time <= self.upto if self.end is None else self.start <= time < self.end


class Message(msgspec.Struct, frozen=True):
    """What a user said, when, and when each node showed it for the first time."""

    text: str
    said: float
    shown: dict[int, float]


def find_outages(tale: RoleSpans) -> list[LeaderGap]:
    """Return the times after the first leader in which no node led."""
    found: list[LeaderGap] = []
    until: float | None = None
    for band in sorted((one for one in tale.bands() if one.role == "leader"), key=lambda one: one.start):
        if until is not None and band.start - until > SHORTEST:
            found.append(LeaderGap(until, band.start, band.start))
        until = max(until or 0.0, band.end)
    if until is not None and tale.now - until > SHORTEST:
        found.append(LeaderGap(until, None, tale.now))
    return found


def find_messages(trace: Trace) -> list[Message]:
    """Return what users said, in order of time, each with the moments at which it was shown.

    A user who says something for the first time must be let in before it can be sent; so that one was said when the user came.
    """
    found: dict[tuple[Any, Any], Message] = {}
    came: dict[Any, float] = {}
    for record in trace.in_order():
        if record.kind == "start" and not isinstance(record.node, int):
            came[record.node] = record.time
        elif record.kind == "submit":
            said = came.pop(record.node, record.time)
            found.setdefault(_key(record), Message(record.text or "", said, {}))
        elif record.kind == "deliver" and isinstance(record.node, int) and (one := found.get(_key(record))) is not None:
            one.shown.setdefault(record.node, record.time)
    unheard = [Message("", time, {}) for time in came.values()]  # nobody has let these users in up to the end
    return sorted([*found.values(), *unheard], key=lambda one: one.said)


def _key(record: Record) -> tuple[Any, Any]:
    return record.client or record.node, record.client_seq


def outages(trace: Trace) -> Any:
    """Draw who led, when nobody did, and which way each message went from its user to the users of every node."""
    title = "Who leads, and when nobody does"
    tale = story(trace)
    if not tale.bands():
        return theme.nothing(title, "This trace has no event of a node yet.")
    figure, at = go.Figure(), {node: row for row, node in enumerate(trace.nodes)}
    row = draw_roles(figure, trace, tale, at)
    gaps, messages = find_outages(tale), find_messages(trace)
    _draw_gaps(figure, gaps)
    _draw_messages(figure, messages[:MOST_MESSAGES], at)
    names = {f"{node_name(node)}<br>{_count(node, messages, tale)}": place for node, place in at.items()}
    name_rows(figure, names | {"users": len(at)}, tale.now)
    figure.update_yaxes(range=[-0.5, len(at) + 0.45])
    above = draw_cuts(figure, tale.cuts[:MOST_OUTAGES], tale.now)
    return theme.finish(figure, title, _tell(gaps, messages), row * (len(at) + 1), above=max(above, 26))


def _draw_gaps(figure: Any, gaps: list[LeaderGap]) -> None:
    """Shade the times in which nobody led, and say how long each was."""
    for gap in sorted(gaps, key=lambda one: -one.length)[:MOST_OUTAGES]:
        line = {"color": theme.VERMILLION, "width": 2, "dash": "dash"}
        figure.add_vrect(
            x0=gap.start, x1=gap.upto, fillcolor=theme.VERMILLION, opacity=0.12, line_width=0, layer="below"
        )
        for moment in (gap.start, *([gap.end] if gap.end is not None else [])):
            figure.add_vline(x=moment, line=line, layer="below")
        figure.add_annotation(
            x=(gap.start + gap.upto) / 2, y=1, yref="paper", yanchor="bottom", showarrow=False,
            text=f"nobody leads<br>{seconds(gap.length)}{'' if gap.end is not None else ' and on'}", font={"size": 12},
        )  # fmt: skip


def _draw_messages(figure: Any, messages: list[Message], at: dict[int, int]) -> None:
    """Draw each message where it was said and where it was shown, and a thread between the two."""
    threads: dict[str, list[Any]] = {"x": [], "y": []}
    points: dict[str, list[Any]] = {"x": [], "y": [], "hovertext": []}
    for one in messages:
        for node, shown in one.shown.items():
            threads["x"] += [one.said, shown, None]
            threads["y"] += [len(at), at[node] - LOW, None]
            points["x"].append(shown)
            points["y"].append(at[node] - LOW)
            points["hovertext"].append(
                f"{node_name(node)} shows “{theme.escape(one.text, 30)}” at {shown:.2f} s, "
                f"{seconds(shown - one.said)} after it was said"
            )
    figure.add_scatter(
        **threads, mode="lines", line={"color": theme.GREY, "width": 1.5}, hoverinfo="skip", showlegend=False
    )
    figure.add_scatter(
        x=[one.said for one in messages], y=[len(at)] * len(messages), mode="markers", name="a user says something",
        marker={"symbol": "diamond", "size": 12, "color": theme.ORANGE, "line": {"width": 1, "color": theme.DARK_TEXT}},
        hovertext=[f"{_named(one)} is said at {one.said:.2f} s" for one in messages], hoverinfo="text",
    )  # fmt: skip
    figure.add_scatter(
        **points, mode="markers", name="shown to users", hoverinfo="text",
        marker={"symbol": "circle", "size": 9, "color": theme.YELLOW, "line": {"width": 1, "color": theme.DARK_TEXT}},
    )  # fmt: skip


def _named(one: Message) -> str:
    return f"“{theme.escape(one.text, 30)}”" if one.text else "something that no node has let in"


def _count(node: int, messages: list[Message], tale: RoleSpans) -> str:
    """Say how many of the messages a node has shown, and whether it is down; a node that ends with its cluster is not."""
    count = sum(node in one.shown for one in messages)
    down = tale.is_down(node) and tale.now - tale.open[node].start > CLOSING * tale.now
    shown = f"{count} of {len(messages)} {'✓' if count == len(messages) else '✗'}"
    return f"<b>{'down<br>' * down}{shown}</b>" if down or count < len(messages) else shown


def _tell(gaps: list[LeaderGap], messages: list[Message]) -> str:
    """Sum up when nobody led, and what became of what was said then."""
    if not gaps:
        return f"Somebody led at all times; {counted(len(messages), 'message was', 'messages were')} said."
    longest = max(gaps, key=lambda one: one.length)
    until = f"to {longest.end:.2f} s" if longest.end is not None else "to the end"
    told = f"Nobody led for {seconds(longest.length)}, from {longest.start:.2f} s {until}."
    inside = [one for one in messages if longest.has(one.said)]
    if not inside:
        return f"{told} Nothing was said in that time."
    waited = [min(one.shown.values()) - one.said for one in inside if one.shown]
    told += f" {counted(len(inside), 'message was', 'messages were').capitalize()} said in that time"
    return f"{told}; {f'the first was shown {seconds(waited[0])} later' if waited else 'none of it was shown'}."
