"""Forged frames: every kind of frame as somebody would write it who wishes the cluster ill.

Half of the time the frame is one that a member might send (the term at hand, the next position); that
is the more dangerous half.  The other half goes to the edge of what the wire carries: a term of
2^53, a batch with holes, another entry at a position that is taken.

Read also `impostors` (who sends them), `protocol.messages` (what they are), `fuzz.made` (made up at random).
"""

from random import Random
from typing import Any

from chatsys.campaign.outsider.visit import Spy

CEILING = 2**53
"""The highest number on the wire (SPECIFICATION R2.7)."""
KINDS = (
    "JOIN", "JOIN_ACK", "ELECTION", "OK", "PREPARE", "PROMISE", "COORDINATOR", "TRANSFER_LEAD", "HEARTBEAT",
    "HEARTBEAT_ACK", "PROPOSE", "ACK", "CATCHUP", "CATCHUP_REPLY", "SUBMIT", "SUBMIT_REPLY", "SUBSCRIBE", "DELIVERED",
)  # fmt: skip


def forged(chance: Random, spy: Spy, name: int, node: int) -> dict[str, Any]:
    """Return a frame for `node` in the name of the member `name`, for the term and position that `spy` saw."""
    kind = chance.choice(KINDS)
    return {"type": kind, **_Forger(chance, spy, name, node).fields(kind)}


class _Forger:
    """What the fields of one frame are drawn from."""

    def __init__(self, chance: Random, spy: Spy, name: int, node: int) -> None:
        self.chance, self.spy, self.name, self.node = chance, spy, name, node
        near = (spy.term, spy.term, spy.term, spy.term + 1)
        self.term = chance.choice((*near, spy.term + 5, max(0, spy.term - 1), 10**6, CEILING))
        self.seq = chance.choice((spy.seq, spy.seq, spy.seq + 1, max(0, spy.seq - 2), 0, spy.seq + 1000, CEILING))
        host, port = spy.visit.addresses[name]
        self.leader = {"node": name, "address": f"{host}:{port}"}

    def fields(self, kind: str) -> dict[str, Any]:
        """Return the fields of a frame of this kind."""
        makers = (self._greeting, self._electing, self._leading, self._ordering, self._serving)
        return next(fields for make in makers if (fields := make(kind)) is not None)

    def _any(self, *values: Any) -> Any:
        return self.chance.choice(values)

    def _greeting(self, kind: str) -> dict[str, Any] | None:
        match kind:
            case "JOIN":
                return {"node": self._any(self.name, self.node, 99), "address": "127.0.0.1:9"}
            case "JOIN_ACK":
                status, leader = self._any(("refused", None), ("refused", self.leader), ("ok", self.leader))
                members = list(self.spy.visit.nodes)
                return {"status": status, "term": self.term, "members": members, "leader": leader, "reason": "no"}
        return None

    def _electing(self, kind: str) -> dict[str, Any] | None:
        match kind:
            case "ELECTION":
                transfer = self._any(None, [self.node, self.spy.term], [self.name, self.spy.term])
                return {"term": self.term, "round": self._any(1, 2**40, CEILING), "transfer": transfer}
            case "OK":
                verdict = self._any("takeover", "support", "alive", "no")
                return {"term": self.term, "round": self._any(1, 2**20 + 1), "verdict": verdict, "leader": self.leader}
            case "PREPARE":
                return {"term": self.term, "transfer": self._any(None, [self.node, self.spy.term])}
            case "PROMISE":
                return {"term": self.term, "ok": self._any(True, False), "last": [self.term, self.seq]}
            case "TRANSFER_LEAD":
                return {"term": self.term, "to": self._any(self.node, self.name)}
        return None

    def _leading(self, kind: str) -> dict[str, Any] | None:
        match kind:
            case "COORDINATOR":
                return {"term": self.term, "leader": self.leader, "barrier": self.seq, "commit": self.seq}
            case "HEARTBEAT":
                number = self._any(1, 10**6, CEILING)
                return {"term": self.term, "number": number, "commit": self.seq, "last": [self.term, self.seq]}
            case "HEARTBEAT_ACK":
                ok = self._any(True, False)
                return {"term": self.term, "ok": ok, "number": self._any(1, 10**6), "verified": self.seq}
        return None

    def _ordering(self, kind: str) -> dict[str, Any] | None:
        match kind:
            case "PROPOSE":
                prev, entries = self._batch()
                return {"term": self.term, "prev": prev, "entries": entries, "commit": self.seq}
            case "ACK":
                return {"term": self.term, "ok": self._any(True, False), "match": self.seq, "hint": self._any(None, 0)}
            case "CATCHUP":
                purpose = self._any("follow", "sync", "relay")
                return {"term": self.term, "purpose": purpose, "first": self._any(0, 1, self.seq), "nonce": 1}
            case "CATCHUP_REPLY":
                purpose = self._any("follow", "sync", "relay")
                prev, entries = self._batch()
                more = self._any(True, False)
                return {"term": self.term, "purpose": purpose, "nonce": self._any(1, 2**20 + 1), "prev": prev,
                        "entries": entries, "more": more, "commit": self.seq}  # fmt: skip
        return None

    def _serving(self, kind: str) -> dict[str, Any] | None:
        theirs = self._any({}, *self.spy.entries.values())
        client, number = theirs.get("client_id") or "nobody", theirs.get("client_seq", 0)
        match kind:
            case "SUBMIT":
                return {"client_id": client, "client_seq": number + self._any(1, 5), "room": "main", "author": "forged",
                        "text": "forged", "via": self.name, "hops": 1, "session": theirs.get("session", 0)}  # fmt: skip
            case "SUBMIT_REPLY":
                status = self._any("ok", "redirect", "busy", "gap", "unknown_session", "conflict")
                return {"client_id": client, "client_seq": number + self._any(1, 2, 3), "status": status,
                        "seq": self.seq, "msg_no": 1, "count": self._any(1, 8)}  # fmt: skip
            case "SUBSCRIBE":
                return {"after": self._any(0, CEILING)}
        return {"entries": [self._entry(self.spy.seq, self.spy.term)], "numbers": [self.spy.seq]}

    def _batch(self) -> tuple[list[int], list[dict[str, Any]]]:
        """Return the label before a batch, and its entries: in order, with holes, or where others stand already."""
        term, last = self.spy.term, self.spy.seq
        born = self._any(term, self.term)
        match self._any("next", "hole", "other", "backwards", "empty"):
            case "next":
                return [term, last], [self._entry(last + 1, born), self._entry(last + 2, born)]
            case "hole":
                return [term, last], [self._entry(last + 5, born), self._entry(last + 9, born)]
            case "other":
                return [term, max(0, last - 2)], [self._entry(max(1, last - 1), born)]
            case "backwards":
                return [term, last], [self._entry(last + 2, born), self._entry(last + 1, born), self._entry(0, 0)]
        return [self.term, self.seq], []

    def _entry(self, seq: int, term: int) -> dict[str, Any]:
        kind = self._any("chat", "barrier", "session")
        said = {"client_id": "forger", "client_seq": 1, "room": "main", "author": "forger", "text": "forged"}
        return {"seq": seq, "term": term, "kind": kind, **(said if kind == "chat" else {})}
