"""Guarded search: every order of events with somebody's own parts, in a guarded process.

Promises  warnings if the parts keep what one run leaves for the next, for then a search proves nothing;
          a summary as `explore` gives it, or a verdict "inconclusive" that names the line which hung,
          left, or took all memory; bounds that a model does not take raise `UsageError`.
Read also `explore.explorer` (the search), `worker` (the process).
"""

from collections.abc import Mapping
from typing import Any

from chatsys.campaign.determinism import check_determinism
from chatsys.campaign.loading import wrong_answers
from chatsys.campaign.one_seed import Plan
from chatsys.campaign.sweep import usual_limit
from chatsys.errors import UsageError
from chatsys.explore.explorer import Budget, Explorer, Result
from chatsys.explore.models import MODELS
from chatsys.isolation.serving import heartbeat
from chatsys.isolation.worker import Parts, call_in_worker

STEP = 20.0
"""So many seconds may pass without a sign that the search goes on."""
MEMORY = 4 << 30
"""Bytes that the search may take."""


def search_in_worker(
    model: str, parts: Parts, bounds: Mapping[str, Any], budget: Budget, step: float = STEP
) -> tuple[dict[str, Any], list[str]]:
    """Return the summary of a search with `parts`, and the marks that it should have met and did not."""
    answer = call_in_worker(search_here, model, dict(bounds), budget, parts=parts, limit=step, memory=MEMORY)
    if answer.done:
        return answer.value  # type: ignore[no-any-return]
    if answer.verdict == "refused":
        raise UsageError(answer.value)
    said = f"The search was stopped by {answer.value}." if answer.verdict == "raised" else answer.value
    nothing: dict[str, Any] = {"distinct_states": 0, "states_per_second": 0.0, "states_per_cpu_second": 0.0, "depth": 0}
    ended = Result(model=model, verdict="inconclusive", why=said, bounds=(), **nothing)
    return ended.summary(), []


def search_here(
    parts: Mapping[str, type], model: str, bounds: Mapping[str, Any], budget: Budget
) -> tuple[dict[str, Any], list[str]]:
    """Search in this process."""
    searched = MODELS[model](parts=dict(parts), **bounds)
    found = Explorer(searched, prune=False).search(budget, progress=lambda states, depth: heartbeat()).summary()
    return found, [mark for mark in searched.hopes if mark not in found["reached"]]


def doubts(parts: Parts, seed: int, plan: Plan) -> list[str]:
    """Say which doors of these classes answer amiss, and why runs with them cannot be repeated; one seed is tried."""
    answer = call_in_worker(wrong_answers, seed, plan, parts=parts, limit=usual_limit(plan))
    return [*(answer.value if answer.done else ()), *check_determinism(parts, seed, plan)]
