"""Figures: pure functions from a trace to a plotly figure.

    delivery_matrix   node x message number: who delivered what; gaps and differences
    roles             roles and terms of every node over time, elections, crashes, cuts
    outages           when nobody led, and what became of what was said meanwhile
    term_bands        who led and who followed in which term, and where two led at once
    heartbeats        every beat, every silence and the suspicion it led to
    latency           how long a message took until it was answered, and delivered everywhere
    log_table         the common log as a table
    packet_lanes      every frame as an arrow between lanes, from the top to the bottom; lost ones end in a cross
    queue_length      how many messages wait at every node over time, and for which number
    describe          the one sentence that sums a figure up

Each figure reads nothing but the trace, so it works for every world and every actor, for a run
that is still going on (draw it again) and for one that somebody sent you as a file.  An actor that
has its own words for a heartbeat, a suspicion, a leader or a number declares them (`actor.words`), and
they are in the trace.  Long runs are capped to what a person can look at; the summary still counts everything.

Promises  texts of users are shown letter by letter (`theme.escape`); nothing depends on colour alone.
Read also `timelines`, `beats`, `deliveries`, `journeys`, `waiting`, `sequences` and `elections`, where they are drawn, and `theme` (how everything looks).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from chatsys.errors import UsageError
from chatsys.teach.figures import beats, elections, sequences, waiting
from chatsys.teach.figures import latencies as journeys
from chatsys.teach.figures import matrices as deliveries
from chatsys.teach.figures import outages as silences
from chatsys.teach.figures import over_time as timelines
from chatsys.teach.figures.theme import use
from chatsys.teach.figures.translation import in_words_of_the_chat
from chatsys.trace import Trace, trace_of

P = ParamSpec("P")

__all__ = [
    "delivery_matrix", "describe", "heartbeats", "latency", "log_table", "outages", "packet_lanes", "queue_length", "roles", "term_bands", "use",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__


def _of_anything(draw: Callable[Concatenate[Trace, P], Any]) -> Callable[Concatenate[Any, P], Any]:
    """Let a figure take whatever has a trace: a world, a cluster, a run, or the trace itself."""

    @wraps(draw)
    def drawn(trace: Any, /, *args: P.args, **options: P.kwargs) -> Any:
        return draw(in_words_of_the_chat(trace_of(trace)), *args, **options)

    return drawn


delivery_matrix = _of_anything(deliveries.delivery_matrix)
log_table = _of_anything(deliveries.log_table)
latency = _of_anything(journeys.latency)
heartbeats = _of_anything(beats.heartbeats)
roles = _of_anything(timelines.roles)
queue_length = _of_anything(waiting.queue_length)
packet_lanes = _of_anything(sequences.packet_lanes)
outages = _of_anything(silences.outages)
term_bands = _of_anything(elections.term_bands)


def describe(figure: Any) -> str:
    """Return one sentence that sums up `figure`, for people who cannot or do not want to look at it."""
    if not hasattr(figure, "layout"):
        raise UsageError(f"{type(figure).__name__} is no figure; draw one first, for example describe(roles(world)).")
    meta = figure.layout.meta
    return str(meta["summary"]) if isinstance(meta, dict) and "summary" in meta else ""
