"""Tally: what many schedules show together, and what they do not.

    results --tally--> counts, violations, what happened how often, laws that no calm was long enough for

That nothing was violated is worth as much as what was tried: a sweep in which nobody ever led, or
no message was acknowledged, has no verdict.

Read also `sweep` (the results), `check.sometimes` (what should happen now and then).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from chatsys.campaign.one_seed import SeedResult
from chatsys.campaign.sweep import trace_hash
from chatsys.check.sometimes import MARKS, VITAL

LAWS = {"L1": "leader", "L2": "delivery", "L3": "answer", "L4": "calm", "L6": "rest", "L7": "farewell"}
"""The laws of liveness, by their short names."""


def tally(results: Sequence[SeedResult], elapsed: float) -> dict[str, Any]:
    """Return what `simulate --json` prints; `seconds` is how long it took, the rest depends on the seeds alone."""
    violated = len([result for result in results if result.violations])
    judged = len([one for one in results if one.violations or not one.inconclusive])
    seen = Counter(mark for result in results for mark in result.seen)
    vacuous = [] if violated or not judged else _vacuous(results, seen)
    return {
        "schedules": len(results),
        "events": sum(result.events for result in results),
        "messages": sum(result.messages for result in results),
        "seconds": round(elapsed, 3),
        "violations": [dict(violation) for result in results for violation in result.violations],
        "inconclusive": [{"seed": one.seed, "why": one.inconclusive} for one in results if one.inconclusive] + vacuous,
        "seen": {mark: seen[mark] for mark in MARKS},
        "not_judged": dict(sorted(Counter(law for result in results for law in result.open).items())),
        "trace_hash": trace_hash(results),
        "meaning": meaning(0 if vacuous else judged, violated),
    }


def _vacuous(results: Sequence[SeedResult], seen: Counter[str]) -> list[dict[str, Any]]:
    """Say that nothing is proved if what every rule is about never happened."""
    return [
        {
            "seed": results[0].seed,
            "why": f"{mark.capitalize()} in none of {count_schedules(len(results))}, so that no rule was broken proves nothing; "
            "look at the trace of this seed, or give more --seconds and --calm.",
        }
        for mark in VITAL
        if not seen[mark]
    ][:1]


def count_schedules(count: int) -> str:
    """Return `1 schedule` or `2 schedules`."""
    return f"{count} schedule{'s' * (count != 1)}"


def meaning(judged: int, violated: int) -> str:
    """Say in one sentence what so many schedules prove."""
    if violated:
        return f"{violated} of {judged} schedules broke an invariant; that is proof, however many others held."
    if not judged:
        return "No schedule came to a verdict, so nothing is proved."
    seen = 1 - 0.9999**judged
    chance = "more than 99" if seen > 0.99 else f"{100 * seen:.2g}"
    rate = 1 / (1 - 0.05 ** (1 / judged))
    digits = max(0, len(str(int(rate))) - 2)
    limit = (
        f"below about 1 in {round(rate, -digits):,.0f} (the rule of three)" if rate >= 2 else "not bounded by so few"
    )
    return (
        f"{count_schedules(judged)} without a violation prove{'s' * (judged == 1)} this much: a fault that shows in "
        f"one of 10,000 such schedules would have been seen with {chance} % probability, and with 95 % confidence the "
        f"rate of violations is {limit}."
    )


def told(whole: dict[str, Any]) -> list[str]:
    """Say what held, what happened how often, what never did, and what was not judged."""
    count = whole["schedules"]
    lines = []
    if often := [f"{mark} ({times})" for mark, times in whole["seen"].items() if times]:
        lines.append(f"seen, and in how many schedules: {'; '.join(often)}.")
    if never := [mark for mark, times in whole["seen"].items() if not times]:
        lines.append(f"never seen: {'; '.join(never)}. About these nothing is proved.")
    if laws := [
        f"{law} {LAWS[law]}" + (f" ({times})" if times < count else "") for law, times in whole["not_judged"].items()
    ]:
        lines.append(f"not judged, for the calm after the faults is too short (--calm): {'; '.join(laws)}.")
    return lines
