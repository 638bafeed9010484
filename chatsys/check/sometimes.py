"""Sometimes: what should happen now and then, for an invariant that nothing tried has proved nothing.

    trace --happened--> ("a leader was elected", "a batch was held back", ...)

A cluster that never elects anybody breaks no rule.  So whoever counts runs that held also counts
what happened in them, and says what never did.

Read also `check` (what must always hold), `campaign.summary` (who counts).
"""

from collections.abc import Callable

from chatsys.trace import Record, Trace

VITAL = ("a leader was elected", "a message was acknowledged")
"""Where one of these never happened there is no verdict."""

_BY_KIND = {
    "lead": VITAL[0],
    "ack": VITAL[1],
    "suspect": "a leader was suspected",
    "hold": "a batch was held back",
    "truncate": "a tail of a log was cut off",
}
_BY_FRAME = {"CATCHUP_REPLY": "a node caught up", "TRANSFER_LEAD": "a leader handed over"}
_BY_ROLE = {"deferring": "a node deferred to a higher one", "syncing": "a node fetched the best log before it led"}
_OTHERS: dict[str, Callable[[Trace], bool]] = {
    "a leader was deposed": lambda trace: _deposed(trace.of("role")),
    "a node came back with its log": lambda trace: any(
        start.incarnation > 1 and start.seq for start in trace.of("start")
    ),
}

MARKS = (*_BY_KIND.values(), *_BY_FRAME.values(), *_BY_ROLE.values(), *_OTHERS)
"""Everything that is counted."""


def happened(trace: Trace) -> tuple[str, ...]:
    """Return which of `MARKS` happened in a run, in their order."""
    kinds = trace.by_kind(*_BY_KIND)
    frames = {record.message for record in trace.of("receive")}
    roles = {record.role for record in trace.of("role")}
    found = {mark for kind, mark in _BY_KIND.items() if kinds[kind]}
    found |= {mark for frame, mark in _BY_FRAME.items() if frame in frames}
    found |= {mark for role, mark in _BY_ROLE.items() if role in roles}
    found |= {mark for mark, holds in _OTHERS.items() if holds(trace)}
    return tuple(mark for mark in MARKS if mark in found)


def _deposed(roles: list[Record]) -> bool:
    """Tell whether a node that led became a follower within the same life."""
    leads: dict[tuple[int | str | None, int], bool] = {}
    for record in roles:
        life = (record.node, record.incarnation)
        if record.role == "follower" and leads.get(life):
            return True
        leads[life] = record.role == "leader"
    return False
