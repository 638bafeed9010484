"""The judge: what must hold after a visit, from facts alone.

    no node has ended                        nothing acknowledged is lost, doubled or in two orders
    no message ended indeterminate           memory and descriptors stay within bounds
    healed within 10 s after the visitor went

What only time shows (healed too late, no answer yet) is no fault of the nodes if the machine itself
stood still meanwhile: then the verdict is inconclusive.  How fast the honest client was served is
told, not judged: that is a matter of the machine.

Promises  pure: facts in, sentences out.
Read also `suite` (where the facts come from), `check.histories` (the same questions in virtual time).
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

HEALED_WITHIN = 10.0
"""Seconds after the visitor has gone."""
MEMORY, MEMORY_A_MESSAGE = 256.0, 0.004
"""MB that a node may use beyond what it used before: for links, and for each message in the log."""
DESCRIPTORS, LEFT_OPEN = 1000, 24
"""Descriptors that a node may use beyond what it used before: during the visit (512 clients, 128 strangers, and
those that are just leaving), and after it."""
STOOD_STILL = 1.0
"""Seconds: if the suite or the honest client did not get the machine for so long, time proves nothing."""


class NodeFacts(msgspec.Struct, kw_only=True):
    """What was seen of one node; memory in MB, each value the greatest before, during and after the visit."""

    memory: tuple[float, float, float] = (0.0, 0.0, 0.0)
    descriptors: tuple[int, int, int] = (0, 0, 0)
    ended: str = ""
    """If it ended before it was told to: its exit code and last words."""
    exit_code: int | None = 0
    """After it was told to end; None if it had to be killed."""
    healed: float | None = 0.0
    """Seconds after the visit until a message through it was acknowledged; None if none was."""
    delivered: list[tuple[str, str]] = []
    """(author, text) of what it delivers, in its order."""


class VisitFacts(msgspec.Struct, kw_only=True):
    """What was seen of one visit; times are those of one monotonic clock, in seconds."""

    attack: str
    begin: float
    end: float
    diary: list[dict[str, Any]]
    """What the honest client wrote down."""
    nodes: dict[int, NodeFacts]
    logs: dict[str, Any]
    """What `chatsys verify` said."""
    visitors: list[dict[str, Any]] = []
    late: float = 0.0
    """How many seconds the suite itself did not get the machine, at worst."""

    @property
    def said(self) -> dict[int, float]:
        """When each message was said."""
        return {line["said"]: line["at"] for line in self.diary if "said" in line}

    @property
    def acked(self) -> dict[int, float]:
        """When each acknowledged message was acknowledged."""
        return {line["acked"]: line["at"] for line in self.diary if "acked" in line}


class Serving(msgspec.Struct, frozen=True):
    """How the honest client was served in one stretch of time, in seconds."""

    answered: int
    p50: float
    p99: float
    gap: float
    """The longest time without an acknowledgement."""


class Judgement(msgspec.Struct, kw_only=True):
    """What is told of one visit; `findings` is what did not hold, `doubts` what the machine may have done."""

    attack: str
    findings: list[str]
    doubts: list[str]
    serving: dict[str, Serving]
    """Before, during and after the visit."""
    healed: float | None
    """Seconds until the last node was healed; None if one was not."""
    memory: tuple[float, float, float]
    descriptors: tuple[int, int, int]
    said: int
    acknowledged: int
    visitors: list[dict[str, Any]]


def judge(facts: VisitFacts) -> Judgement:
    """Say what did not hold."""
    sure = [*_ended(facts), *_lost(facts), *_orders(facts), *_unsure(facts), *_logs(facts), *_grown(facts)]
    timely = _slow(facts)
    late = max([facts.late, *(line["late"] for line in facts.diary if "late" in line)])
    blamed = late > STOOD_STILL
    doubts = _unfinished(facts)
    doubts += [f"the machine stood still for {late:.1f} s, so this proves nothing: {one}" for one in timely if blamed]
    healed = [node.healed for node in facts.nodes.values()]
    return Judgement(
        attack=facts.attack,
        findings=sure + ([] if blamed else timely),
        doubts=doubts,
        serving=_serving(facts),
        healed=None if None in healed else max((one for one in healed if one is not None), default=None),
        memory=_greatest([node.memory for node in facts.nodes.values()]),
        descriptors=_greatest([node.descriptors for node in facts.nodes.values()]),
        said=len(facts.said),
        acknowledged=len(facts.acked),
        visitors=facts.visitors,
    )


def _greatest(triples: Sequence[tuple[Any, Any, Any]]) -> tuple[Any, Any, Any]:
    before, during, after = zip(*triples, strict=True)
    return max(before), max(during), max(after)


def _ended(facts: VisitFacts) -> list[str]:
    found = [f"node {id} ended: {node.ended}" for id, node in facts.nodes.items() if node.ended]
    for id, node in facts.nodes.items():
        if not node.ended and node.exit_code != 0:
            how = "had to be killed" if node.exit_code is None else f"ended with exit code {node.exit_code}"
            found.append(f"node {id} {how} when it was told to end")
    return found


def _lost(facts: VisitFacts) -> list[str]:
    found = []
    for id, node in facts.nodes.items():
        if node.ended:
            continue
        times = Counter(text for author, text in node.delivered if author == "honest")
        lost = [number for number in facts.acked if not times[f"honest {number}"]]
        doubled = [number for number in facts.acked if times[f"honest {number}"] > 1]
        if lost:
            found.append(f"node {id} does not deliver {len(lost)} acknowledged messages, the first is {min(lost)}")
        if doubled:
            found.append(f"node {id} delivers {len(doubled)} messages more than once, the first is {min(doubled)}")
    return found


def _orders(facts: VisitFacts) -> list[str]:
    lists = {id: node.delivered for id, node in facts.nodes.items() if not node.ended and node.delivered}
    if len(lists) < 2:
        return []
    best = max(lists, key=lambda id: len(lists[id]))
    found = []
    for id, texts in lists.items():
        differs = next((at for at, (a, b) in enumerate(zip(texts, lists[best], strict=False), 1) if a != b), None)
        if differs is not None:
            found.append(f"nodes {id} and {best} deliver different messages at number {differs}")
    return found


def _unsure(facts: VisitFacts) -> list[str]:
    unsure = [line["lost"] for line in facts.diary if "lost" in line]
    refused = [line for line in facts.diary if "refused" in line]
    found = [f"{len(unsure)} messages ended indeterminate, the first is {min(unsure)}"] if unsure else []
    return found + ([f"{len(refused)} messages were refused: {refused[0]['why']}"] if refused else [])


def _logs(facts: VisitFacts) -> list[str]:
    if facts.logs.get("ok"):
        return []
    differs = facts.logs.get("first_difference") or {}
    return [f"verify: {differs.get('sentence') or facts.logs.get('sentence') or 'a log is damaged'}"]


def _grown(facts: VisitFacts) -> list[str]:
    found = []
    for id, node in facts.nodes.items():
        before, during, after = node.memory
        most = before + MEMORY + MEMORY_A_MESSAGE * len(node.delivered)
        if max(during, after) > most:
            found.append(
                f"node {id} used {max(during, after):.0f} MB, {before:.0f} MB before; at most {most:.0f} are fair"
            )
        open_before, open_during, open_after = node.descriptors
        if open_during > open_before + DESCRIPTORS:
            found.append(f"node {id} had {open_during} descriptors open, {open_before} before")
        if open_after > open_before + LEFT_OPEN:
            found.append(f"node {id} still has {open_after} descriptors open, {open_before} before")
    return found


def _slow(facts: VisitFacts) -> list[str]:
    """What only time shows."""
    found = []
    for id, node in facts.nodes.items():
        if node.ended:
            continue
        if node.healed is None:
            found.append(f"node {id} acknowledges nothing after the visit")
        elif node.healed > HEALED_WITHIN:
            found.append(f"node {id} was healed {node.healed:.1f} s after the visit; {HEALED_WITHIN:.0f} s are allowed")
    settled = {line[key] for line in facts.diary for key in ("acked", "lost", "refused") if key in line}
    waiting = [number for number in facts.said if number not in settled]
    if waiting:
        found.append(f"{len(waiting)} messages of the honest client have no answer, the first is {min(waiting)}")
    return found


def _unfinished(facts: VisitFacts) -> list[str]:
    """What was not shown, because somebody did not do what they were there for."""
    idle = [one["attack"] for one in facts.visitors if one.get("unfinished") or not one.get("connections")]
    found = [f"the attack {name} did not come to its end, so it shows nothing" for name in idle]
    if not any("open" in line for line in facts.diary):
        found.append("the honest client did not come to its end, so what it wrote down may not be all")
    return found


def _serving(facts: VisitFacts) -> dict[str, Serving]:
    stretches = {"before": (0.0, facts.begin), "during": (facts.begin, facts.end), "after": (facts.end, math.inf)}
    return {name: _served(facts, *stretch) for name, stretch in stretches.items()}


def _served(facts: VisitFacts, begin: float, end: float) -> Serving:
    """Return how the messages said between two moments were served; one without an answer waits for ever."""
    acked = facts.acked
    said = {number: at for number, at in facts.said.items() if begin <= at < end}
    waits = sorted(acked.get(number, math.inf) - at for number, at in said.items())
    first, last = max(begin, min(said.values(), default=begin)), min(end, max(facts.said.values(), default=begin))
    edges = [first, *(at for at in sorted(acked.values()) if first <= at < last), last]
    gap = max((b - a for a, b in zip(edges, edges[1:], strict=False)), default=0.0)
    answered = sum(wait < math.inf for wait in waits)
    return Serving(answered, _at(waits, 0.5), _at(waits, 0.99), round(max(0.0, gap), 4))


def _at(waits: list[float], share: float) -> float:
    return round(waits[min(len(waits) - 1, int(share * len(waits)))], 4) if waits else 0.0
