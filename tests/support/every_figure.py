"""Every figure of a run of the chat, for tests that hold for each of them.

Read also `made_up` (the runs that are drawn).
"""

from collections.abc import Callable
from typing import Any

from chatsys.teach import figures
from chatsys.trace import Trace

Draw = Callable[[Trace], Any]
"""A function that draws a figure; plotly gives its figures no types."""

EVERY: list[Draw] = [
    figures.roles,
    figures.term_bands,
    figures.heartbeats,
    figures.delivery_matrix,
    figures.latency,
    figures.log_table,
]
