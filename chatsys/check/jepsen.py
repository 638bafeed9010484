"""Histories in the form of Jepsen: what clients and nodes saw, for a judge who knows nothing of chatsys.

One JSON array, an operation on each line, as `elle-cli --model list-append` and others read it.  The chat is one list;
to say something is to append to it, and what a node delivered in one life is a read:

    {"index":0,"time":1200,"process":0,"type":"invoke","f":"txn","value":[["append","chat","ann#1 hello"]]}
    {"index":1,"time":1900,"process":0,"type":"ok","f":"txn","value":[["append","chat","ann#1 hello"]],"number":1}
    {"index":2,"time":2000,"process":1,"type":"invoke","f":"txn","value":[["r","chat",null]]}
    {"index":3,"time":2000,"process":1,"type":"ok","f":"txn","value":[["r","chat",["ann#1 hello"]]],"who":"node 2 in life 1"}

A process does one thing after the other, so a client that does not wait for its answers is several; who never heard an
answer ends with `info`: nobody knows.  `time` is in nanoseconds.  A node may be behind for as long as it likes, so its
read may have been at any moment since the run began; only what it has at the end of a run that ended in calm, is `final`:
that read begins at the end.  `number` (which message of the chat it was told to be), `session`, `who` and `final` are ours;
others leave them alone.

Read also `histories` (the project's own judge of the same), `campaign.linearize` (one that is not).
"""

import heapq
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chatsys.surroundings import try_write
from chatsys.trace import Record, Trace

LIST = "chat"
NANO = 1_000_000_000
Operation = dict[str, Any]


def operations(trace: Trace, final: Iterable[int] = ()) -> list[Operation]:
    """Return the history of a run; `final` names the nodes that have delivered everything by its end."""
    told: list[tuple[int, int, Operation]] = []
    free: list[int] = []
    processes = 0
    asked: dict[tuple[Any, Any], tuple[int, list[Any]]] = {}

    def tell(time: float, process: int, kind: str, value: list[Any], **more: Any) -> None:
        facts = {"time": round(time * NANO), "process": process, "type": kind, "f": "txn", "value": [value], **more}
        told.append((facts["time"], len(told), facts))

    records = sorted(trace, key=lambda record: record.time)
    end = records[-1].time if records else 0.0
    for record in records:
        pair = (record.client, record.client_seq)
        if record.kind == "submit" and pair not in asked:
            process = heapq.heappop(free) if free else (processes := processes + 1) - 1
            asked[pair] = process, ["append", LIST, element(record)]
            tell(record.time, process, "invoke", asked[pair][1], session=record.client)
        elif record.kind == "ack" and pair in asked:
            process, value = asked.pop(pair)
            asked[pair] = -1, value
            if process >= 0:
                tell(record.time, process, "ok", value, session=record.client, number=record.msg_no)
                heapq.heappush(free, process)
    for (client, _), (process, value) in asked.items():
        if process >= 0:
            tell(end, process, "info", value, session=client)
    for who, found, is_final in _lists(records, set(final)):
        tell(end if is_final else 0.0, processes, "invoke", ["r", LIST, None])
        tell(end, processes, "ok", ["r", LIST, list(map(element, found))], who=who, final=is_final)
        processes += 1
    return [{"index": index, **facts} for index, (_, _, facts) in enumerate(sorted(told, key=lambda one: one[:2]))]


def element(record: Record) -> str:
    """Return the name of a message: whose it is, which of his, and every letter of it."""
    return f"{record.client}#{record.client_seq} {record.text}"


def _lists(records: list[Record], final: set[int]) -> list[tuple[str, list[Record], bool]]:
    """Return who read what: each life of each node on each of its disks, and whether it has everything."""
    lists: dict[tuple[Any, int, int], list[Record]] = {}
    disks: dict[Any, int] = {}
    current: dict[Any, tuple[Any, int, int]] = {}
    for record in records:
        if record.kind in ("wipe", "restored"):
            disks[record.node] = disks.get(record.node, 0) + 1
        elif record.kind == "start":
            current[record.node] = record.node, record.incarnation, disks.get(record.node, 0)
        elif record.kind == "deliver":
            key = record.node, record.incarnation, current.get(record.node, (0, 0, 0))[2]
            current[record.node] = key
            lists.setdefault(key, []).append(record)
    told = []
    for key, found in lists.items():
        who = f"node {key[0]} in life {key[1]}" + f" on disk {key[2] + 1}" * bool(key[2])
        told.append((who, found, key[0] in final and current[key[0]] == key))
    return told


def write_history(trace: Trace, path: str | Path, final: Iterable[int] = ()) -> Path:
    """Write the history of a run; return the path.  Raises `UsageError` if it cannot be written."""
    path = try_write(path)
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in operations(trace, final))
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    return path
