"""Figures: pure functions from a trace to a plotly figure.

    delivery_matrix   node x message number: who delivered what; gaps and differences
    roles             roles and terms of every node over time, elections, crashes, cuts
    heartbeats        every beat, every silence and the suspicion it led to
    latency           how long a message took until it was answered, and delivered everywhere
    log_table         the common log as a table
    describe          the one sentence that sums a figure up

Each figure reads nothing but the trace, so it works for every world and every actor, for a run
that is still going on (draw it again) and for one that somebody sent you as a file.  Long runs are
capped to what a person can look at; the summary still counts everything.

Promises  texts of users are shown letter by letter (`theme.inert`); nothing depends on colour alone.
Read also `timelines`, `deliveries` and `journeys`, where they are drawn, and `theme` (how everything looks).
"""

from typing import Any

from chatsys.teach.deliveries import delivery_matrix, log_table
from chatsys.teach.journeys import latency
from chatsys.teach.theme import use
from chatsys.teach.timelines import heartbeats, roles

__all__ = ["delivery_matrix", "describe", "heartbeats", "latency", "log_table", "roles", "use"]


def describe(figure: Any) -> str:
    """Return one sentence that sums up `figure`, for people who cannot or do not want to look at it."""
    meta = figure.layout.meta
    return str(meta["summary"]) if isinstance(meta, dict) and "summary" in meta else ""
