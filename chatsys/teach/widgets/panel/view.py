"""What the panel shows: the last seconds of a trace and the status of every node, as plain values.

    trace --new records--> View --state(status)--> a dict that the browser draws: cards, links, bands
                             |---- chats --------> what each user sees, and what is on its way
                             `---- sentences ----> what a screen reader says

The view is a cache of the trace and nothing else: a panel opened later, or after the page was
loaded again, shows the same.

Assumes   the trace only grows.
Promises  reading costs as much as there is news, however long the run is; at most the last 20 s are kept.
Read also `chats` (the fold over messages), `role_spans` (the fold over roles), `panel` (who calls this).
"""

from collections.abc import Sequence
from typing import Any

from chatsys.faults import Fault
from chatsys.faults.wording import directions, of_links
from chatsys.teach.figures.role_spans import DOWN, RoleSpans, stopped_itself
from chatsys.teach.figures.theme import plain
from chatsys.teach.figures.translation import translated
from chatsys.teach.widgets.panel.chats import Chats
from chatsys.trace import Record, Trace

WINDOW = 20.0
"""Seconds of the past that are drawn."""
MOST_BANDS = 300


class View:
    """Reads a growing trace and keeps what the panel needs of it."""

    def __init__(self, members: tuple[int, ...], acknowledges: bool = True) -> None:
        self.members = self.nodes = members
        """Who cannot leave, and everybody who is shown: learners, too."""
        self.story = RoleSpans()
        self.chats = Chats(acknowledges)
        self.read = 0
        self.cuts: dict[tuple[int, int], None] = {}
        """Directions that are cut."""
        self.stopped: set[int] = set()
        """Nodes that ended in good order: only stopping the whole cluster does that."""

    @property
    def ended(self) -> bool:
        """Whether the cluster was stopped: the nodes that still lived ended together."""
        return bool(self.stopped) and all(self.story.is_down(node) for node in self.members)

    def take(self, trace: Trace, done: Sequence[Fault] = ()) -> list[str]:
        """Read what is new and return a sentence for each thing that a person wants to hear of.

        `done` are the verbs used so far: they tell what was said before its client could send it.
        """
        self.chats.take(done)
        found, self.read = trace.news(self.read)
        news = translated(trace.words, found)
        self.story.feed(news)
        for record in news:
            match record.kind:
                case "cut":
                    self.cuts |= dict.fromkeys(directions(record.reason or ""))
                case "reconnect":
                    for way in directions(record.reason or ""):
                        self.cuts.pop(way, None)
                case "heal":
                    self.cuts.clear()
                case "stop" if record.node in self.members:
                    self.stopped.add(int(record.node or 0))
                case "restart" if isinstance(record.node, int):
                    self.stopped.discard(record.node)
        self.story.forget(self.story.now - WINDOW)
        told = [sentence for record in news if (sentence := self.chats.feed(record) or tell(record))]
        if self.ended and any(record.kind in ("stop", "crash") for record in news):
            told.append("All nodes are stopped; make a new cluster to go on.")
        return told

    def state(self, status: dict[int, dict[str, Any]], now: float) -> dict[str, Any]:
        """Return everything that the browser draws, as JSON values."""
        self.nodes = (*self.members, *sorted(status.keys() - {*self.members}))
        return {
            "now": round(now, 1),
            "learners": [node for node in self.nodes if node not in self.members],
            "nodes": [_card(node, status[node]) for node in self.nodes],
            "cuts": self._links(),
            "plot": self._plot(max(now, self.story.now), status),
        }

    def _links(self) -> dict[str, str]:
        """Return `a-b` -> `cut`, or which direction of it is."""
        told = {}
        for a, b in sorted(self.cuts):
            pair = f"{min(a, b)}-{max(a, b)}"
            told[pair] = "cut" if (b, a) in self.cuts else f"{a} → {b}"
        return told

    def _plot(self, now: float, status: dict[int, dict[str, Any]]) -> dict[str, Any]:
        self.story.now = now
        start = max(0.0, now - WINDOW)
        bands = [band for band in self.story.bands() if band.end > start and band.node in self.nodes][-MOST_BANDS:]
        leads = [f"node {node} leads term {facts['term']}" for node, facts in status.items() if _leads(facts)]
        down = [f"node {node} is down" for node, facts in status.items() if not facts["alive"]]
        return {
            "from": round(start, 2),
            "to": round(max(now, start + WINDOW), 2),
            "bands": [[b.node, b.role, b.term, round(b.start, 3), round(b.end, 2)] for b in bands],
            "marks": [[m.node, m.kind, round(m.time, 3)] for m in self.story.marks[-60:] if m.node in self.nodes],
            "cuts": [
                [
                    round(cut.start, 2),
                    round(now if cut.end is None else cut.end, 2),
                    plain(cut.what.removeprefix("cut "), 30),
                    sorted({end for way in directions(cut.what) for end in way}),
                ]
                for cut in self.story.cuts[-8:]
            ],
            "summary": f"Roles in the last {WINDOW:.0f} seconds: {', '.join(leads + down) or 'no leader yet'}.",
        }


def _leads(facts: dict[str, Any]) -> bool:
    return bool(facts["alive"] and facts["role"] == "leader")


def _card(node: int, facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["alive"]:
        health = DOWN
    elif facts["paused"]:
        health = "paused"
    elif facts["role"] == "leader":
        health = "leads" if facts.get("ready", True) else "takes over"
    elif facts["role"] == "learner":
        health = f"listens to node {facts['listens_to']}" if facts.get("listens_to") else "looks for a member"
        health += "" if facts.get("ready") else ", not taken in yet"
    else:
        health = f"follows node {facts['leader']}" if facts.get("leader") else "looks for a leader"
    return {
        "id": node,
        "role": plain(facts["role"], 16) or "running",
        "term": facts["term"],
        "last": facts["last"],
        "delivered": facts["delivered"],
        "alive": bool(facts["alive"]),
        "paused": bool(facts["paused"]),
        "health": health,
    }


def tell(record: Record) -> str:
    """Return a sentence for an event that a person wants to hear of, "" for all others."""
    match record.kind:
        case "crash" if stopped_itself(record):
            return ""  # its record `broken` says so, and why
        case "crash" | "restart" | "pause" | "resume":
            past = {"crash": "crashed", "restart": "restarted", "pause": "is paused", "resume": "goes on"}[record.kind]
            return f"Node {record.node} {past}."
        case "start" if record.role == "learner" and record.incarnation == 1:
            return f"Learner {record.node} asks to be taken in."
        case "admitted":
            return f"Learner {record.node} is taken in; it hears everything, and has no vote."
        case "stop" if record.reason:
            return plain(record.reason, 100)
        case "lead":
            return f"Node {record.node} leads term {record.term}."
        case "cut" | "reconnect" | "heal" | "slow" | "lose":
            return plain(of_links(record.kind, record.reason or ""), 120)
        case "broken" | "refused":
            return f"Node {record.node} stopped itself: {plain(record.reason or '', 100)}"
        case "wipe" | "copy" | "restored":
            return f"Node {record.node}: {plain(record.reason or '', 60)}."
    return ""
