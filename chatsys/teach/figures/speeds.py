"""How fast: what a bench measured, as curves; and where the time of one message goes.

    rate    |      ,--o--o          leader    [.]        [....]          [.]
            |  ,-o'                 its disk   [--------]
            |o'                     follower    [..]         [..]
            +-- outstanding -->     its disk        [-------]

The curves read the lines of `chatsys bench`, the picture of one message reads a trace in which messages were said one
at a time: each bar is the median of all of them.

Read also `latencies` (how long each message of a run took), `theme`.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

import plotly.graph_objects as go

from chatsys.teach.figures import theme
from chatsys.trace import Record, Trace

WORDS = {
    "rate_per_second": "messages a second",
    "latency_p50_ms": "half of them within (ms)",
    "latency_p99_ms": "99 of 100 within (ms)",
    "messages_per_sync": "messages in one sync",
    "outstanding": "messages under way",
    "nodes": "nodes",
    "bytes": "bytes of a message",
}
"""How the keys of a line are written on an axis."""
LOGARITHMIC = {"outstanding", "bytes", "messages_per_sync"}
STAGES = (
    ("author", "submit", "reach", "to the leader"),
    ("leader", "reach", "append", "numbers it"),
    ("leader's disk", "append", "stored", "syncs it"),
    ("follower", "append", "arrived", "on its way to a follower"),
    ("follower's disk", "arrived", "copied", "the follower syncs it"),
    ("leader", "copied", "commit", "the answer counts: a quorum"),
    ("author", "commit", "ack", "back to the author"),
)
"""Who is at work, from which moment to which, and on what."""
COLOURS = {
    "author": theme.ORANGE, "leader": theme.BLUE, "leader's disk": theme.GREY, "follower": theme.SKY,
    "follower's disk": theme.GREY,
}  # fmt: skip


def curve(lines: Iterable[Mapping[str, Any]], across: str, of: str) -> Any:
    """Draw one measured value against another, a point for each line of a bench."""
    points = sorted((line[across], line[of]) for line in lines)
    title = f"{WORDS[of].capitalize()}, by {WORDS[across]}"
    if not points:
        return theme.nothing(title, "Nothing was measured yet.")
    figure = go.Figure()
    figure.add_scatter(
        x=[x for x, _ in points], y=[y for _, y in points], mode="lines+markers+text", line={"color": theme.BLUE},
        marker={"size": 9}, text=[_short(y) for _, y in points], showlegend=False,
        textposition=_beside_the_line([y for _, y in points]), cliponaxis=False, hovertemplate=f"{WORDS[across]} %{{x}}<br>{WORDS[of]} %{{y:.4g}}<extra></extra>",
    )  # fmt: skip
    values = [x for x, _ in points] if isinstance(points[0][0], int) else None
    figure.update_xaxes(
        title={"text": WORDS[across], "standoff": 6}, tickvals=values, ticktext=values and [f"{x:,}" for x in values],
        type="log" if across in LOGARITHMIC else "linear",
    )  # fmt: skip
    figure.update_yaxes(rangemode="tozero", range=[0, 1.2 * max(y for _, y in points)])
    (first, low), (last, high) = points[0], points[-1]
    told = (
        f"{WORDS[of].capitalize()}: {_short(low)} at {_short(first)}, {_short(high)} at {_short(last)} {WORDS[across]}."
    )
    return theme.finish(figure, title, told, 250)


def _beside_the_line(values: Sequence[float]) -> list[str]:
    """Return where the number of each point stands: above it, and where the line goes on upwards or comes from above, beside that."""
    return [
        "top left" if before < here < after else "top right" if before > here > after else "top center"
        for before, here, after in zip([values[0], *values], values, [*values[1:], values[-1]], strict=False)
    ]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def moments(trace: Trace) -> list[dict[str, float]]:
    """Return for each acknowledged message when it was where, in seconds since it was said.

    Messages must have been said one at a time: what happens between two of them is about the first.
    """
    records = sorted(trace.records, key=lambda one: one.time)
    found = []
    begins = [index for index, one in enumerate(records) if one.kind == "submit"]
    for begin, end in pairwise([*begins, len(records)]):
        times = _moments_of(records[begin:end])
        if len(times) == len(STAGES) + 1:
            found.append({name: time - times["submit"] for name, time in times.items()})
    return found


def _moments_of(records: Sequence[Record]) -> dict[str, float]:
    """Return the moments of the message that these records, from its submit to the next one, are about."""
    said = records[0]
    ack = next((one for one in records if one.kind == "ack" and one.client_seq == said.client_seq), None)
    commit = next((one for one in records if one.kind == "commit"), None)
    if commit is None or ack is None:
        return {}
    found = {"submit": said.time, "ack": ack.time}
    leader, seq = commit.node, commit.seq
    answer = next(
        (one for one in reversed(records) if one.kind == "receive" and one.message == "ACK" and one.node == leader
         and one.time <= commit.time), None,
    )  # fmt: skip
    follower = None if answer is None else answer.peer
    wanted: dict[str, tuple[str, Any, str | None]] = {
        "reach": ("receive", leader, "SUBMIT"), "append": ("append", leader, None), "stored": ("durable", leader, None),
        "arrived": ("append", follower, None), "copied": ("durable", follower, None),
    }  # fmt: skip
    for name, (kind, node, message) in wanted.items():
        for one in records:
            if one.kind == kind and one.node == node and message in (None, one.message):
                if kind == "receive" or one.seq == seq:
                    found[name] = one.time
                    break
    return found | {"commit": commit.time}


def journey_of_one(trace: Trace) -> Any:
    """Draw where the time of one message goes, from its author's mouth to the answer: medians of a whole run."""
    title = "Where the time of one message goes"
    found = moments(trace)
    if not found:
        return theme.nothing(title, "No message was said and acknowledged in this run.")
    middle = {name: median(one[name] for one in found) * 1000 for name in found[0]}
    figure = go.Figure()
    for who, begin, end, what in STAGES:
        start, length = middle[begin], max(0.0, middle[end] - middle[begin])
        figure.add_bar(
            x=[length], base=[start], y=[who], orientation="h", showlegend=False, marker={"color": COLOURS[who]},
            hovertemplate=f"{what}: {length:.2f} ms<extra></extra>", text=f"{length:.2f}",
            textposition="inside" if length > middle["ack"] / 12 else "none", insidetextanchor="middle",
        )  # fmt: skip
    order = ["author", "leader", "leader's disk", "follower", "follower's disk"]
    figure.update_yaxes(categoryorder="array", categoryarray=order[::-1], showgrid=False)
    figure.update_xaxes(title={"text": "time since it was said (ms)", "standoff": 6}, range=[0, 1.05 * middle["ack"]])
    figure.update_layout(barmode="overlay")
    leaders, followers = middle["stored"] - middle["append"], middle["copied"] - middle["arrived"]
    told = (
        f"Half of {theme.counted(len(found), 'message')} took less than {middle['ack']:.2f} ms; the leader's disk worked "
        f"for {leaders:.2f} ms of that, the follower's for {followers:.2f} ms, in part at the same time."
    )
    return theme.finish(figure, title, told, 26 * len(order) + 60)
