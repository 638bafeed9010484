"""Two figures over time, one row per node: roles and terms, and heartbeats with suspicions.

    node 3 |=====leads term 1=====x                 >--follower--
    node 2 |--------follower------//*====leads term 2============
    node 1 |--------follower--------*--------follower------------

Read also `bands` (the fold behind `roles`), `theme` (colours, patterns and signs).
"""

from typing import Any

import plotly.graph_objects as go

from chatsys.teach.figures import theme
from chatsys.teach.figures.role_spans import DOWN, Band, RoleSpans, leaders, stopped_itself, story, tell_ends
from chatsys.teach.figures.theme import counted, escape, node_name, seconds
from chatsys.trace import Record, Trace

ROW = 62
"""Pixels for each node."""
MOST_BANDS = 2000
"""The longest bands of each role are drawn, at most so many."""
MOST_BEATS = 500
"""The last beats are drawn, at most so many: more would be a solid bar."""
MOST_SILENCES = 40

MARKS = {
    "suspect": ("triangle-down", theme.VERMILLION, "suspects the leader"),
    "lead": ("star", theme.ORANGE, "begins to lead"),
    "crash": ("x", theme.VERMILLION, "crashes"),
    "broken": ("square-x", theme.PURPLE, "stops itself"),
    "restart": ("triangle-right", theme.GREEN, "restarts"),
}
"""Marks on the bands: sign, colour, word."""
LIVES = ("crash", "broken", "restart")
AT_ONCE = {
    "broke": ("triangle-up", theme.PURPLE, "suspects at once: the link broke"),
    "nominated itself": ("diamond", theme.YELLOW, "takes over from a lower nominee"),
}
"""Suspicions that no silence led to, by a piece of their reason: sign, colour, word."""
SIGNS_OF_LIFE = {"HEARTBEAT", "COORDINATOR", "PROPOSE"}
"""What a follower hears of its leader; each of them ends a silence."""


def roles(trace: Trace) -> Any:
    """Draw who had which role in which term, with elections, crashes, pauses and cuts marked."""
    tale = story(trace)
    bands = tale.bands()
    if not bands:
        return theme.nothing("Roles and terms", "This trace has no event of a node yet.")
    figure, at = go.Figure(), _places(trace)
    for role in _present(bands):
        _draw_bands(figure, role, [band for band in bands if band.role == role], tale.now, at)
    _draw_absence(figure, [band for band in bands if band.role == DOWN], at)
    for kind in MARKS:
        _draw_marks(figure, MARKS[kind], [mark for mark in tale.marks if mark.kind == kind], at, above=0.42)
    _draw_cuts(figure, tale)
    _rows(figure, trace, tale.now)
    figure.update_layout(barmode="overlay")
    above = 30 if len(tale.cuts) > 1 else 16 if tale.cuts else 0
    height = ROW * len(trace.nodes) + 20
    return theme.finish(figure, "Roles and terms", _tell_leaders(trace), height, below=90, above=above)


def _present(bands: list[Band]) -> list[str]:
    known = {band.role for band in bands} - {DOWN}
    return [role for role in theme.LOOKS if role in known] + sorted(known - set(theme.LOOKS))


def _draw_bands(figure: Any, role: str, bands: list[Band], end: float, at: dict[int, int]) -> None:
    bands = sorted(sorted(bands, key=lambda band: -band.length)[:MOST_BANDS], key=lambda band: band.start)
    look = theme.look(role)
    word = {"leader": "leads term {}", "paused": "paused"}.get(role, "term {}")
    room = end / 100 or 1.0  # seconds that one letter takes, with a little air
    labels = [word.format(band.term) if band.term or role == "paused" else "" for band in bands]
    figure.add_bar(
        orientation="h",
        width=0.62,
        showlegend=role != "leader",  # its bands say so themselves
        name=look.word,
        y=[at[band.node] for band in bands],
        base=[band.start for band in bands],
        x=[band.length for band in bands],
        text=[label if len(label) * room < band.length else "" for label, band in zip(labels, bands, strict=True)],
        textposition="inside",
        insidetextanchor="start",
        textangle=0,
        constraintext="none",
        insidetextfont={"color": look.ink, "size": 12},
        marker={
            "color": look.colour,
            "line": {"width": 1, "color": theme.GREY},
            "pattern": {"shape": look.pattern, "fgcolor": theme.DARK_TEXT, "fillmode": "overlay", "size": 7},
        },
        hovertext=[
            f"{node_name(band.node)}: {look.word}, term {band.term}<br>"
            f"{band.start:.2f} s to {band.end:.2f} s ({seconds(band.length)})"
            for band in bands
        ],
        hoverinfo="text",
    )


def _draw_absence(figure: Any, bands: list[Band], at: dict[int, int]) -> None:
    """Draw a node that is down as a dotted line: there is nobody in this row."""
    lines: dict[str, list[Any]] = {"x": [], "y": []}
    for band in bands:
        lines["x"] += [band.start, band.end, None]
        lines["y"] += [at[band.node]] * 2 + [None]
    if bands:
        figure.add_scatter(
            **lines, mode="lines", name="down", line={"dash": "dot", "color": theme.GREY, "width": 2}, hoverinfo="skip"
        )


def _draw_marks(
    figure: Any, looks: tuple[str, str, str], marks: list[Record], at: dict[int, int], above: float
) -> None:
    if not marks:
        return
    sign, colour, word = looks
    figure.add_scatter(
        x=[mark.time for mark in marks],
        y=[at[mark.node] + above for mark in marks if isinstance(mark.node, int)],
        mode="markers",
        name=word,
        marker={"symbol": sign, "size": 14, "color": colour, "line": {"width": 1, "color": theme.DARK_TEXT}},
        hovertext=[_tell_mark(mark, word) for mark in marks],
        hoverinfo="text",
    )


def _tell_mark(mark: Record, word: str) -> str:
    term = f" (term {mark.term})" if mark.kind == "lead" else ""
    why = f"<br>{escape(mark.reason, 70)}" if mark.reason else ""
    return f"{mark.time:.3f} s: {node_name(mark.node)} {word}{term}{why}"


def _draw_cuts(figure: Any, tale: RoleSpans) -> None:
    """Shade the times in which links were cut, and say which."""
    for number, cut in enumerate(tale.cuts[:12]):
        end = tale.now if cut.end is None else cut.end
        figure.add_vrect(x0=cut.start, x1=end, fillcolor=theme.VERMILLION, opacity=0.13, line_width=0, layer="below")
        for edge in (cut.start, end):
            figure.add_vline(x=edge, line={"dash": "dash", "width": 1, "color": theme.VERMILLION})
        figure.add_annotation(
            x=cut.start, y=1, yref="paper", yanchor="bottom", xanchor="left", showarrow=False,
            text=escape(cut.what, 40), font={"size": 12}, yshift=14 * (number % 2),
        )  # fmt: skip


def _places(trace: Trace) -> dict[int, int]:
    """Return node -> its row, counted from below."""
    return {node: row for row, node in enumerate(trace.nodes)}


def _rows(figure: Any, trace: Trace, end: float) -> None:
    at = _places(trace)
    names = [node_name(node) for node in at]
    figure.update_yaxes(
        tickvals=list(at.values()), ticktext=names, ticklabelstandoff=6, showgrid=False, range=[-0.6, len(at) - 0.35]
    )
    figure.update_xaxes(title={"text": "time (s)", "standoff": 6}, range=[-0.01 * (end or 1), 1.015 * (end or 1)])


def _tell_leaders(trace: Trace) -> str:
    """Sum up who led when, and say what was bad about it."""
    led = leaders(trace)
    if not led:
        return "No node began to lead in this run."
    parts = [f"node {node} led term {term} from {time:.2f} s" for term, node, time in led]
    if len(parts) > 5:
        parts = [*parts[:2], f"{len(parts) - 4} more leaders followed", *parts[-2:]]
    told = ", then ".join(parts) + "."
    doubles = sorted({term for term, node, _ in led if len({n for t, n, _ in led if t == term}) > 1})
    if doubles:
        told += f" Term {doubles[0]} had more than one leader: that is split brain."
    return " ".join([told[0].upper() + told[1:], *tell_ends(trace)])


# --- heartbeats ------------------------------------------------------------------------------


def heartbeats(trace: Trace) -> Any:
    """Draw every heartbeat where it left and arrived, and every silence that ended in a suspicion."""
    beats = [record for record in trace.of("send", "receive") if _is_beat(record)]
    beats.sort(key=lambda beat: beat.time)
    suspicions = sorted(trace.of("suspect"), key=lambda record: record.time)
    if not beats:
        return theme.nothing("Heartbeats", "No heartbeat was sent in this run.")
    end = max(record.time for record in trace)
    shown = beats[-MOST_BEATS:]
    figure, at = go.Figure(), _places(trace)
    for kind, name, sign, colour in (
        ("send", "leader sends", "line-ns", theme.BLUE),
        ("receive", "follower hears", "circle", theme.GREEN),
    ):
        _draw_beats(figure, [beat for beat in shown if beat.kind == kind], at, (name, sign, colour))
    _draw_silences(figure, _silences(trace)[-MOST_SILENCES:], at)
    marks = [mark for mark in trace.of("suspect", *LIVES) if not stopped_itself(mark)]
    marks = sorted(marks, key=lambda record: record.time)[-MOST_BEATS:]
    for kind in LIVES:
        _draw_marks(figure, MARKS[kind], [mark for mark in marks if mark.kind == kind], at, above=0.0)
    for why, looks in [("", MARKS["suspect"]), *AT_ONCE.items()]:
        of_this_kind = [mark for mark in marks if mark.kind == "suspect" and _without_silence(mark) == why]
        _draw_marks(figure, looks, of_this_kind, at, above=0.0)
    _rows(figure, trace, end)
    told = _tell_beats(beats, suspicions)
    if len(shown) < len(beats):
        figure.update_xaxes(range=[shown[0].time, end])
        told += " The last ones are shown."
    return theme.finish(figure, "Heartbeats", told, 52 * len(trace.nodes) + 20, below=90)


def _is_beat(record: Record) -> bool:
    return (record.message or "").upper() == "HEARTBEAT" and isinstance(record.node, int)


def _draw_beats(figure: Any, beats: list[Record], at: dict[int, int], looks: tuple[str, str, str]) -> None:
    name, sign, colour = looks
    words = {"send": "sends a heartbeat to", "receive": "hears a heartbeat of"}
    figure.add_scatter(
        x=[beat.time for beat in beats],
        y=[at[beat.node] for beat in beats if isinstance(beat.node, int)],
        mode="markers",
        name=name,
        marker={
            "symbol": sign,
            "size": 16 if sign == "line-ns" else 7,
            "color": colour,
            "line": {"width": 2 if sign == "line-ns" else 0, "color": colour},
        },
        hovertext=[f"{b.time:.3f} s: {node_name(b.node)} {words[b.kind]} {node_name(b.peer)}" for b in beats],
        hoverinfo="text",
    )


def _draw_silences(figure: Any, silences: list[tuple[int, float, Record]], at: dict[int, int]) -> None:
    """Draw a dashed line from the last beat a node heard to the moment it suspected the leader."""
    lines: dict[str, list[Any]] = {"x": [], "y": []}
    for node, last, suspicion in silences:
        lines["x"] += [last, suspicion.time, None]
        lines["y"] += [at[node]] * 2 + [None]
        if suspicion.time - last >= 0.5:
            figure.add_annotation(
                x=(last + suspicion.time) / 2, y=at[node], yshift=15, showarrow=False,
                text=f"{suspicion.time - last:.2f} s of silence", font={"size": 12},
            )  # fmt: skip
    if lines["x"]:
        dash = {"dash": "dash", "width": 2, "color": theme.VERMILLION}
        figure.add_scatter(**lines, mode="lines", name="silence", line=dash, hoverinfo="skip")


def _without_silence(suspicion: Record) -> str:
    """Return which piece of its reason says that no silence led to this suspicion, or an empty text."""
    return next((piece for piece in AT_ONCE if piece in (suspicion.reason or "")), "")


def _silences(trace: Trace) -> list[tuple[int, float, Record]]:
    """Return (node, when its silence began, the suspicion) for every suspicion that a silence led to.

    A silence begins with the last sign of life of the suspected leader, or later: when the node
    itself stopped leading, began to follow, or began its present life.
    """
    heard: dict[tuple[int, object], float] = {}
    began: dict[int, float] = {}
    leading: set[int] = set()
    found = []
    events = trace.of("receive", "role", "follow", "boot", "restart", "suspect")
    for event in sorted(events, key=lambda record: record.time):
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


def _tell_beats(beats: list[Record], suspicions: list[Record]) -> str:
    sent = sorted({(beat.node, beat.term, beat.time) for beat in beats if beat.kind == "send"}, key=lambda b: b[2])
    gaps = sorted(b[2] - a[2] for a, b in zip(sent, sent[1:], strict=False) if a[:2] == b[:2] and b[2] - a[2] > 0.001)
    told = f"{counted(sum(beat.kind == 'receive' for beat in beats), 'heartbeat')} arrived"
    if gaps:
        told += f", one every {seconds(gaps[len(gaps) // 2])}"
    if not suspicions:
        return f"{told}; no node suspected its leader."
    first = suspicions[0]
    why = f" ({first.reason})" if first.reason else ""
    return f"{told}; {counted(len(suspicions), 'suspicion')}, the first by node {first.node} at {first.time:.2f} s{escape(why, 60)}."
