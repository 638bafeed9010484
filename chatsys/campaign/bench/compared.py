"""Compared: whether what was measured is true: every log and every delivery, beside what was acknowledged.

    acknowledged  (client, 17) at position 20  -.
    log of node 1 ... 20: (client, 17) ...      |-- the same, in one order, at every node
    delivered by node 1: #18 is position 20    -'

A fast cluster that loses or doubles a message was not measured but caught.  So each measurement ends with this.

Promises  every acknowledged message stands in every log, at its position, once; the logs agree; what nodes deliver is
          what their logs say, in that order (the newest `HEARD` of each node, one by one).
Read also `load` (who keeps what was acknowledged), `check.log_files` (the comparison of logs).
"""

import socket
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from chatsys.campaign.bench.lines import LIMIT
from chatsys.campaign.bench.ordered import Said
from chatsys.check.log_files import read_log, verify
from chatsys.config import ClusterConfig, split_address
from chatsys.errors import ChatsysError
from chatsys.protocol.messages import Delivered, Subscribe
from chatsys.protocol.public import public
from chatsys.runtime.net.wire import PROTOCOL, Codec, Hello, line

HEARD = 20_000
"""So many of the newest deliveries of each node are compared one by one: it sends those of the past in small portions."""
Place = tuple[int, str, int]
"""Position, client in its public form, number of the client: what a delivery and an entry have in common."""


class ComparedLogs(msgspec.Struct):
    """How much was compared, and what differs: sentences, none if all is well."""

    acknowledged: int
    logs: int
    deliveries: int
    wrong: list[str]


def heard_from(config: ClusterConfig, node: int, count: int) -> list[Place]:
    """Return the newest `count` messages as the node delivers them to somebody who listens."""
    codec = Codec((Subscribe, Delivered), config.limits)
    found: list[Place] = []
    end = time.monotonic() + LIMIT
    with socket.create_connection(split_address(config.members[node]), 10) as link, link.makefile("rb") as lines:
        link.sendall(line(Hello(protocol=PROTOCOL, cluster=config.cluster, role="client", name="listener")))
        lines.readline()
        link.sendall(codec.write(1, 0, Subscribe(last=count)))
        n = 1
        while len(found) < count:
            if time.monotonic() > end:
                raise ChatsysError(f"Node {node} delivered {len(found)} of {count} messages within {LIMIT:g} s.")
            message = codec.read(lines.readline())[2]
            found += [(one.seq, one.client, one.client_seq) for one in message.entries]
            if message.numbers:
                n += 1
                link.sendall(codec.write(n, 0, Subscribe(after=message.numbers[-1])))
    return found


def compared(folders: Sequence[Path], said: Iterable[Said], heard: dict[int, list[Place]]) -> ComparedLogs:
    """Compare the logs in these folders with each other, with what was acknowledged, and with what was heard."""
    said = list(said)
    verdict = verify(folders)
    wrong = [] if verdict["ok"] else [_why(verdict)]
    logs = {folder.name: read_log(folder) for folder in folders}
    for name, log in logs.items():
        entries: Any = getattr(log, "entries", [])
        wrong += [f"The log of {name}: {sentence}" for sentence in _lost(entries, said)]
        chat = [(entry.seq, public(entry.client_id), entry.client_seq) for entry in entries if entry.kind == "chat"]
        for node, places in heard.items():
            if places != chat[len(chat) - len(places) :]:
                wrong.append(f"Node {node} delivers something else than the log of {name} holds.")
    return ComparedLogs(sum(one.acknowledged for one in said), len(logs), sum(map(len, heard.values())), wrong)


def _lost(entries: Any, said: list[Said]) -> list[str]:
    """Say which acknowledged messages do not stand where their answers said, or stand twice."""
    wrong = []
    for one in said:
        for first, position, count in one.runs:
            for offset in range(count):
                at = position + offset - 1
                entry = entries[at] if at < len(entries) else None
                if entry is None or (entry.client_id, entry.client_seq) != (one.client_id, first + offset):
                    wrong.append(f"message {first + offset} was acknowledged at position {at + 1}, and is not there")
                    break
    ours = {one.client_id for one in said}
    stands = sum(1 for entry in entries if entry.kind == "chat" and entry.client_id in ours)
    acknowledged = sum(one.acknowledged for one in said)
    if stands != acknowledged:
        wrong.append(f"it holds {stands} messages of the load, of which {acknowledged} were acknowledged")
    return wrong


def _why(verdict: dict[str, Any]) -> str:
    difference = verdict["first_difference"]
    return str(difference["sentence"]) if difference else "A log is damaged."
