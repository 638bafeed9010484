"""Afterwards: is the cluster healed, and what does each node deliver?

Healed means that a new message is acknowledged through each node, for one who speaks to that node
only: so the node has a ready leader, itself or another one, and reaches it.

    Probe of node 1, 2, 3   open a session, say one message, repeat until `ok`   (the pair makes it harmless)
    delivered               SUBSCRIBE from the beginning, read to the end

Read also `suite`, `judge`, `protocol.sessions` (why a repetition is harmless).
"""

import secrets
import time
from typing import Any

from chatsys.campaign.outsider.visit import RawLink, client_hello, greet

AGAIN = 0.4
"""Seconds after which an unanswered question is repeated."""
QUIET = 0.2
"""Seconds without a message after which there is none."""
CREDIT = 256
"""Confirm what was read after so many messages."""


class Probe:
    """One who speaks to one node only, over and over, until a message of theirs is acknowledged."""

    def __init__(self, node: int, address: tuple[str, int], cluster: str) -> None:
        self.node, self.address, self.cluster = node, address, cluster
        self.client_id = secrets.token_hex(16)
        self.session = 0
        self.healed: float | None = None
        """When the message was acknowledged, by the monotonic clock."""
        self._link: RawLink | None = None
        self._asked = 0.0

    def go_on(self) -> None:
        """Ask if it is time to, and read the answers."""
        if self.healed is None:
            try:
                self._ask()
            except OSError:
                self.close()

    def _ask(self) -> None:
        now = time.monotonic()
        if now - self._asked > AGAIN:
            self._asked = now
            if self._link is None:
                link = RawLink(self.address)
                if greet(link, client_hello(self.cluster, f"probe {self.node}"), 1.0).get("type") != "hello":
                    return link.close()
                self._link = link
            number = 1 if self.session else 0
            said = {"room": "main", "author": "probe", "text": f"is node {self.node} well?"} if number else {}
            opened = {"type": "SUBMIT", "client_id": self.client_id, "client_seq": number, "session": self.session}
            self._link.send(self._link.frame({**opened, **said}))
        if self._link is None:
            return
        lines = self._link.heard(0.02)
        if lines is None:
            return self.close()
        for line in lines:
            self._hear(line.get("message", {}))

    def _hear(self, reply: dict[str, Any]) -> None:
        if reply.get("type") != "SUBMIT_REPLY" or reply.get("client_id") != self.client_id:
            return
        if reply["status"] == "unknown_session":
            self.session = 0
        elif reply["status"] == "ok" and reply["client_seq"] == 0:
            self.session, self._asked = reply.get("seq", 0), 0.0
        elif reply["status"] == "ok":
            self.healed = time.monotonic()

    def close(self) -> None:
        """Let go of the link."""
        if self._link is not None:
            self._link.close()
        self._link = None


def delivered(address: tuple[str, int], cluster: str, until: int, limit: float = 30.0) -> list[tuple[str, str]]:
    """Return (author, text) of all messages that a node delivers, in its order.

    `until` is the number of the last one that it must deliver.  It stops when that has come and nothing
    more comes for a moment, or when the time is over.
    """
    found: list[tuple[str, str]] = []
    end = time.monotonic() + limit
    try:
        link = RawLink(address)
    except OSError:
        return found
    try:
        if greet(link, client_hello(cluster, "reader")).get("type") != "hello":
            return found
        confirmed, lines = -1, list[dict[str, Any]]()
        while time.monotonic() < end:
            if len(found) - confirmed >= CREDIT or (not lines and len(found) != confirmed):
                confirmed = len(found)
                link.send(link.frame({"type": "SUBSCRIBE", "after": confirmed}))
            came = link.heard(QUIET)
            if came is None or (not came and confirmed == len(found) >= until):
                break
            if not came and confirmed == len(found):  # perhaps the question was lost: ask again
                confirmed = -1
            lines = came
            for line in lines:
                found += _following(line.get("message", {}), len(found))
    finally:
        link.close()
    return found


def _following(message: dict[str, Any], so_far: int) -> list[tuple[str, str]]:
    """Return what a DELIVERED adds to so many messages."""
    if message.get("type") != "DELIVERED":
        return []
    pairs = zip(message["entries"], message["numbers"], strict=True)
    return [(entry.get("author", ""), entry.get("text", "")) for entry, number in pairs if number > so_far]
