"""Fences: one schedule with the fence and without it, beside each other: where what an old leader sends ends.

       with the fence            without it
    node 1  node 2  node 3    node 1  node 2  node 3        time runs down; grey: equal in both runs
      |       |       |         |       |       |
      #       #<------|         |<==============|           # the fence of a node, from the moment on at which it knows
      #  >x   #       |         |       |       |             the newer term: a frame of the old one bounces off (x)
    #7 “pay”                  #7 “no”                       below: what one node shows; grey, then colour

Of equal moments each stands on one line, so nothing but what differs is to be looked for.

Read also `widgets.timeline` (`compare`: every event of both runs), `labs.lab06` (whose picture this is).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from plotly.subplots import make_subplots

from chatsys.teach.figures import theme
from chatsys.teach.figures.theme import counted, escape, node_name
from chatsys.trace import Record, Trace

SHOWN = ("COLLECT", "NUMBERED", "WHOLE_LOG")
"""The frames of leaders that are drawn."""
MOST = 60
"""So many arrows are drawn at most."""
STEP, HEAD = 15, 26
"""Pixels of a moment, and of a line of the chat."""
ASIDE = 0.12
"""How far beside its node a fence stands."""
BESIDE = 0.1
"""How far left of its node a number ends: the fence stands at the right."""


class Arrow(msgspec.Struct, frozen=True):
    """One frame of a leader on its way."""

    sent: Record
    came: Record
    refused: bool
    old: bool
    """Whether its receiver knew a newer term."""

    @property
    def what(self) -> tuple[Any, ...]:
        """What makes it equal to an arrow of the other run."""
        one = self.came
        return one.peer, one.node, one.message, one.seq, one.term, self.refused, self.old


def draw_fence(first: Trace, second: Trace, names: tuple[str, str]) -> Any:
    """Draw two runs of one schedule, from the pause of the leader on."""
    title = "Where the frames of an old leader end"
    begin = next((one.time for one in first if one.kind == "pause"), 0.0)
    runs = [list(_arrows(trace, begin))[:MOST] for trace in (first, second)]
    if not runs[0] and not runs[1]:
        return theme.nothing(title, "No leader sent anything after the pause in these runs.")
    moments = sorted({time for arrows in runs for one in arrows for time in (one.sent.time, one.came.time)})
    at = {time: place for place, time in enumerate(moments)}
    shows = _parts_first(first, second)
    chats = [_chat(trace, shows) for trace in (first, second)]
    many = max((max(chat, default=0) for chat in chats), default=0)
    tall, low = STEP * len(moments) + 30, HEAD * (many + 1)
    figure = make_subplots(
        2, 2, column_titles=list(names), horizontal_spacing=0.06, vertical_spacing=36 / (tall + low), row_heights=[tall, low],
        shared_yaxes=True,
    )  # fmt: skip
    shared = {one.what for one in runs[0]} & {one.what for one in runs[1]}
    nodes = first.nodes
    for column, (trace, arrows) in enumerate(zip((first, second), runs, strict=True), 1):
        _draw_nodes(figure, column, nodes, len(moments))
        _draw_fences(figure, column, trace, at, moments, with_fence=column == 1)
        _draw_arrows(figure, column, arrows, at, shared)
        _draw_chat(figure, column, chats[column - 1], chats[2 - column], many)
    _dress(figure, nodes, moments, many, shows)
    theme.finish(figure, title, _tell(runs, chats, names, shows), tall + low + 36, above=44, below=20)
    return figure


def _arrows(trace: Trace, begin: float) -> Iterator[Arrow]:
    """Yield the frames of leaders that arrived after this moment, in the order of their sending."""
    came = {one.id: one for one in trace.of("receive") if one.message in SHOWN}
    refused = {(one.node, one.time, one.peer, one.message, one.seq) for one in trace.of("refuses")}
    for sent in trace.of("send"):
        one = came.get(sent.id)
        if sent.message in SHOWN and sent.time >= begin and one is not None:
            bounced = (one.node, one.time, one.peer, one.message, one.seq) in refused
            yield Arrow(sent, one, bounced, _known(trace, one) > (sent.term or 0))


def _known(trace: Trace, came: Record) -> int:
    """Return the highest term that the receiver had heard of or led when this frame came."""
    terms = (one.term for one in trace.of("receive", "lead") if one.node == came.node and one.time < came.time)
    return max((term or 0 for term in terms), default=0)


def _rises(trace: Trace) -> dict[Any, float]:
    """Return when each node heard of the second leader's term, or began it."""
    led = trace.of("lead")
    if len(led) < 2:
        return {}
    found: dict[Any, float] = {}
    for one in trace.of("receive", "lead"):
        if one.node is not None and (one.term or 0) >= led[1].term and (one.kind == "lead" or one.message in SHOWN):
            found.setdefault(one.node, one.time)
    return found


def _draw_nodes(figure: Any, column: int, nodes: Sequence[Any], many: int) -> None:
    for place, _ in enumerate(nodes):
        figure.add_scatter(
            x=[place, place], y=[-0.6, many - 0.4], mode="lines", line={"color": theme.GREY, "width": 1}, hoverinfo="skip",
            showlegend=False, row=1, col=column,
        )  # fmt: skip


def _draw_fences(
    figure: Any, column: int, trace: Trace, at: dict[float, int], moments: Sequence[float], *, with_fence: bool
) -> None:
    """Draw the fence of each follower from the moment on at which it knows the newer term; dotted where it is taken away."""
    x: list[float | None] = []
    y: list[float | None] = []
    for place, node in enumerate(trace.nodes[:-1]):
        rose = _rises(trace).get(node)
        if rose is not None:
            begins = next((at[time] for time in moments if time >= rose), len(moments))
            x += [place + ASIDE, place + ASIDE, None]
            y += [begins, len(moments) - 0.4, None]
    line = {"color": theme.ORANGE, "width": 6} if with_fence else {"color": theme.ORANGE, "width": 2, "dash": "dot"}
    figure.add_scatter(
        x=x, y=y, mode="lines", line=line, name="the fence" if with_fence else "the fence is taken away", hoverinfo="skip",
        opacity=0.9, row=1, col=column,
    )  # fmt: skip


def _draw_arrows(figure: Any, column: int, arrows: Sequence[Arrow], at: dict[float, int], shared: set[Any]) -> None:
    looks = (
        ("equal in both runs", theme.GREY, "circle", [one for one in arrows if one.what in shared and not one.old]),
        ("refused", theme.VERMILLION, "x", [one for one in arrows if one.refused]),
        ("of an old term, admitted", theme.VERMILLION, "diamond", [one for one in arrows if one.old and not one.refused]),
        ("in this run only", theme.BLUE, "circle", [one for one in arrows if one.what not in shared and not one.old and not one.refused]),
    )  # fmt: skip
    for name, colour, sign, some in looks:
        if not some:
            continue
        x: list[float | None] = []
        y: list[float | None] = []
        for one in some:
            begin, end = _column(one.sent.node), _column(one.came.node)
            stop = end + ASIDE * 1.6 if one.refused else end
            x += [begin, stop, None]
            y += [at[one.sent.time], at[one.came.time], None]
            if one.refused:  # it bounces
                x += [stop, stop + 0.22, None]
                y += [at[one.came.time], at[one.came.time] + 0.9, None]
        figure.add_scatter(
            x=x, y=y, mode="lines", line={"color": colour, "width": 1 if colour == theme.GREY else 2}, hoverinfo="skip",
            showlegend=False, row=1, col=column,
        )  # fmt: skip
        figure.add_scatter(
            x=[_column(one.came.node) + ASIDE * 1.6 * one.refused for one in some], y=[at[one.came.time] for one in some],
            mode="markers", name=name, legendgroup=name, hovertext=[_hover(one) for one in some], hoverinfo="text",
            showlegend=not any(shown.name == name for shown in figure.data),
            marker={"symbol": sign, "size": 7 if colour == theme.GREY else 10, "color": colour}, row=1, col=column,
        )  # fmt: skip
        numbered = [one.came for one in some if one.came.seq is not None and colour != theme.GREY]
        figure.add_scatter(
            x=[_column(one.node) - BESIDE for one in numbered], y=[at[one.time] for one in numbered], mode="text",
            text=[f"#{one.seq}" for one in numbered], textposition="bottom left", hoverinfo="skip", showlegend=False,
            cliponaxis=False, row=1, col=column,
        )  # fmt: skip


def _column(node: Any) -> int:
    return int(node) - 1


def _hover(one: Arrow) -> str:
    number = f" #{one.came.seq}" if one.came.seq is not None else ""
    end = "refused" if one.refused else "admitted, though a newer term is known" if one.old else "taken"
    return (
        f"{one.sent.message}{number} of term {one.sent.term}<br>{node_name(one.sent.node)}, {one.sent.time:.3f} s, to "
        f"{node_name(one.came.node)}, {one.came.time:.3f} s<br>{end}"
    )


def _parts_first(first: Trace, second: Trace) -> Any:
    """Return the node that shows another message at the smallest number; where no node does, the first one."""
    apart = {node: _apart([_chat(trace, node) for trace in (first, second)]) for node in first.nodes}
    return min(first.nodes, key=lambda node: apart[node] or float("inf"), default=None)


def _chat(trace: Trace, node: Any) -> dict[int, str]:
    """Return what a node shows: number -> text."""
    return {
        one.seq: one.text or "void" for one in trace.of("deliver", "void") if one.node == node and one.seq is not None
    }


def _apart(chats: Sequence[dict[int, str]]) -> int | None:
    """Return the first number under which these two chats differ."""
    one, other = chats
    return min((number for number in one.keys() | other.keys() if one.get(number) != other.get(number)), default=None)


def _draw_chat(figure: Any, column: int, mine: dict[int, str], other: dict[int, str], many: int) -> None:
    """Write what a node shows, a number a line: grey where it is equal in both runs, in colour from the first difference on."""
    apart = _apart([mine, other]) or many + 1
    for name, colour, numbers in (
        ("equal", theme.GREY, range(1, apart)), ("from the first difference on", theme.BLUE if column == 1 else theme.VERMILLION, range(apart, many + 1)),
    ):  # fmt: skip
        there = [number for number in numbers if number in mine]
        figure.add_scatter(
            x=[0.0] * len(there), y=there, mode="markers+text", text=[f"#{number} {escape(mine[number], 16)}" for number in there],
            textposition="middle right", marker={"symbol": "square", "size": 10, "color": colour}, hoverinfo="skip",
            showlegend=False, name=name, row=2, col=column,
        )  # fmt: skip


def _dress(figure: Any, nodes: Sequence[Any], moments: Sequence[float], many: int, shows: Any) -> None:
    ticks = _ticks(moments)
    for column in (1, 2):
        figure.update_xaxes(
            tickvals=list(range(len(nodes))), ticktext=[node_name(node) for node in nodes], range=[-0.55, len(nodes) - 0.55],
            side="top", showgrid=False, zeroline=False, row=1, col=column,
        )  # fmt: skip
        figure.update_xaxes(visible=False, range=[-0.06, 1], row=2, col=column)
        figure.update_yaxes(range=[len(moments) + 0.3, -0.8], showgrid=False, zeroline=False, row=1, col=column)
        figure.update_yaxes(visible=False, range=[many + 0.7, 0.3], row=2, col=column)
    figure.update_yaxes(tickvals=ticks, ticktext=[f"{moments[place]:.2f} s" for place in ticks], row=1, col=1)
    figure.update_annotations(yshift=22, font={"size": 14})
    figure.add_annotation(
        text=f"what {node_name(shows)} shows in the end", x=0, xref="paper", xanchor="left", y=0.5, yref="y3", yanchor="bottom",
        showarrow=False, font={"size": 13},
    )  # fmt: skip


def _ticks(moments: Sequence[float]) -> list[int]:
    """Return the places of the moments that have their time beside them: far enough apart to be read."""
    chosen: list[int] = []
    for place, time in enumerate(moments):
        if not chosen or place - chosen[-1] >= 3 or (place - chosen[-1] >= 2 and time - moments[place - 1] > 0.3):
            chosen.append(place)
    return chosen


def _tell(runs: Sequence[Sequence[Arrow]], chats: Sequence[dict[int, str]], names: tuple[str, str], shows: Any) -> str:
    refused, passed = sum(one.refused for one in runs[0]), sum(one.old and not one.refused for one in runs[1])
    apart = _apart(chats)
    told = f"{names[0].capitalize()} {counted(refused, 'frame')} bounced; {names[1]} {counted(passed, 'frame')} of an old term passed."
    if apart is None:
        return f"{told} Every node shows the same chat in both runs."
    one, other = (f"“{escape(chat[apart], 30)}”" if apart in chat else "nothing" for chat in chats)
    return f"{told} At {node_name(shows)} the two chats part at #{apart}: {one} {names[0]}, {other} {names[1]}."
