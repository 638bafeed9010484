"""Owed: what is missing at a moment, in sentences, and which nodes and links are witnesses of the wait.

    #7 is on one disk only, from 2.2 s on     missing = "stored by a quorum"     nodes = {3, 1}     links = {(3, 1), (1, 3)}

A fault that touches a witness during the wait can explain it; others cannot.

Read also `obligations` and `frames` (who say what is missing), `lasting` (what touches what).
"""

from typing import Any

import msgspec

from chatsys.campaign.why.scene import Scene
from chatsys.campaign.why.spoken import Spoken
from chatsys.campaign.why.words import at, sentence

LIT = 40
"""So many events of one kind are lit."""


class Owed(msgspec.Struct, kw_only=True):
    """What is missing at a moment: since when it is waited for, in sentences, and who is a witness."""

    missing: str | None
    since: float
    sentences: list[str]
    nodes: set[Any] = msgspec.field(default_factory=set)
    links: set[tuple[Any, Any]] = msgspec.field(default_factory=set)
    everything: bool = False
    """Whether any fault can explain the wait: who leads depends on all of them."""
    events: list[int] = msgspec.field(default_factory=list)
    too_early: bool = False
    """Whether it had not been said yet: then no fault is to blame."""


def not_yet(scene: Scene, spoken: Spoken, until: float) -> Owed | None:
    """Return that the message was said only after `until`, if it was."""
    submits = (event for event, record in enumerate(scene.records) if record.kind == "submit" and spoken.is_in(record))
    first = next(submits, None)
    times = [spoken.said.time] if spoken.said else [] if first is None else [scene.times[first]]
    if not times or times[0] <= until:
        return None
    told = f"{sentence(str(spoken))} was said at {at(times[0])}, so at {at(until)} nobody could have it."
    return Owed(missing="said", since=until, sentences=[told], events=[] if first is None else [first], too_early=True)
