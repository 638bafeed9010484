"""Witness: nothing leaves a node before what it rests on is on the disk, judged from outside.

    HELLO                 this life's boot record
    PREPARE               the promise of the term to oneself
    PROMISE ok            the promise of the term to whom it goes; the log up to the end that it names
    ACK ok                the log up to `match`
    any frame of a term   a promise of that term, or of a higher one
    a commit, an ok to a client, what is DELIVERED     the entry, with one and the same label, on a quorum of disks

The first five look at the disk of the sender (SPECIFICATION R12.3).  The last one looks at all disks at that
moment, which no node can do: this is what "acknowledged is durable" says.

Assumes   the events come in order of time; whoever has bound the port of an address is at the other end of a link to it.
Promises  a sentence for each frame that left too early, and how many were judged, so that silence proves something.
Read also `images` (what is on the disks), `check.durability` (the same from the trace, which the node itself writes).
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from chatsys.campaign.below.events import BIND, CLOSE, SEND, SYNC, SystemCall
from chatsys.campaign.below.images import Disks, EntryOnDisk, Facts

MOST = 20
"""So many sentences are kept."""


class Witness:
    """Takes in events in order of time, and holds each frame against the disks of that moment."""

    def __init__(self, members: Iterable[int], quorum: int) -> None:
        self.members, self.quorum = tuple(members), quorum
        self.disks = Disks()
        self.broken: list[str] = []
        self.judged: Counter[str] = Counter()
        """How many frames of each kind were held against the disks."""
        self.syncs = 0
        """How many syncs of logs had an end, and covered something."""
        self._lines: dict[tuple[int, int], tuple[int, bytes]] = {}
        """What of an unfinished line left through each link, and when it began."""
        self._ports: dict[int, int] = {}
        self._first = 0

    def take(self, event: SystemCall) -> None:
        """Take in one event."""
        self._first = self._first or event.at
        key = (event.pid, event.file)
        match event.kind:
            case _ if event.kind == BIND:
                self._ports[event.offset] = event.pid
            case _ if event.kind == CLOSE:
                self._lines.pop(key, None)
            case _ if event.kind == SEND and event.pid in self.disks.of_process:
                began, rest = self._lines.pop(key, (event.began, b""))
                *lines, rest = (rest + event.data).split(b"\n")
                for line in lines:
                    self._judge_line(event, began, line)
                    began = event.began
                if rest:
                    self._lines[key] = began, rest
            case _:
                self.syncs += event.kind == SYNC and event.path.endswith("/log.jsonl") and event.result == 0
                self.disks.take(event)

    def end(self) -> None:
        """All events were taken in."""
        for path, image in self.disks.images.items():
            for sentence in image.wrong:
                self._tell(f"{path}: {sentence}.")

    def _tell(self, sentence: str) -> None:
        if len(self.broken) < MOST:
            self.broken.append(sentence)

    def _judge_line(self, event: SystemCall, began: int, line: bytes) -> None:
        try:
            said: dict[str, Any] = json.loads(line)
        except ValueError:
            self._tell(f"process {event.pid} sent what is no line of JSON: {line[:60]!r}.")
            return
        facts = self.disks.facts_of(event.pid)
        to = self.disks.facts_of(self._ports.get(event.offset, 0)).node
        name = str(said.get("message", said).get("type")).upper()
        self.judged[name] += 1
        for why in self._lies(name, said.get("message", said), facts, to):
            seconds = (began - self._first) / 1e9
            self._tell(f"At {seconds:.4f} s process {event.pid} sent {name}, but {why}: {line[:160].decode()}.")

    def _lies(self, name: str, said: dict[str, Any], facts: Facts, to: int) -> Iterator[str]:
        """Yield what is not on a disk and should be, before this may be said."""
        if name == "HELLO":
            if said["role"] == "node" and said["incarnation"] not in facts.lives:
                yield f"the boot record of life {said['incarnation']} is not on its disk"
            return
        term = said.get("term", 0)
        if term > facts.term:
            yield f"no promise of term {term} is on its disk"
        match name:
            case "PREPARE" if facts.node not in facts.promised.get(term, ()):
                yield f"its promise of term {term} to itself is not on its disk"
            case "PROMISE" if said["ok"]:
                if not facts.promised.get(term) or (to and to not in facts.promised[term]):
                    yield f"its promise of term {term} to node {to or '?'} is not on its disk"
                last_term, last = said.get("last", (0, 0))
                if last and ((entry := facts.entry(last)) is None or entry.term != last_term):
                    yield f"its log on the disk does not hold entry {last} of term {last_term}"
            case "ACK" if said["ok"]:
                held = len(facts.entries) if term == facts.term else facts.longest
                if said.get("match", 0) > held:
                    yield f"its log on the disk ends at {held}, not at {said['match']}"
            case "SUBMIT_REPLY" if said["status"] == "ok":
                for step in range(said.get("count", 1)):
                    own = (said["client_id"], said.get("client_seq", 0) + step)
                    if not self._on_a_quorum(
                        said["seq"] + step, lambda entry, own=own: (entry.client, entry.number) == own
                    ):
                        yield f"entry {said['seq'] + step} of this client is not on {self.quorum} disks"
            case "DELIVERED":
                for heard in said["entries"]:
                    own = (heard.get("author", ""), heard.get("text", ""))
                    if not self._on_a_quorum(heard["seq"], lambda entry, own=own: (entry.author, entry.text) == own):
                        yield f"entry {heard['seq']} is not on {self.quorum} disks"
        if (commit := said.get("commit", 0)) and not self._on_a_quorum(commit, lambda entry: True):
            yield f"entry {commit}, which it calls committed, is not on {self.quorum} disks"

    def _on_a_quorum(self, seq: int, fits: Any) -> bool:
        """Tell whether a quorum of disks holds one and the same entry at this position, and it `fits`."""
        found: Counter[EntryOnDisk] = Counter()
        for facts in self.disks.all_facts():
            if facts.node in self.members and (entry := facts.entry(seq)) is not None:
                found[entry] += 1
        return any(count >= self.quorum and fits(entry) for entry, count in found.items())
