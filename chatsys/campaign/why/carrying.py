"""Carrying: which frames could bring a message to a node, which could tell that it is committed, and why one was held back.

    PROPOSE up to position 9, from a node whose log holds position 7     could carry it
                              ... held back from position 8 on           did not, as it turned out

A trace tells the last position of a batch, and not the first.  Where the batch was held back, that record tells the first.

Read also `obligations` (who asks), `protocol.holdback` (the queue), `whereabouts` (whose log held it when).
"""

from typing import Any

from chatsys.campaign.why.scene import Scene
from chatsys.campaign.why.spoken import would_be
from chatsys.campaign.why.whereabouts import Attempt, Whereabouts
from chatsys.campaign.why.words import at
from chatsys.check.violation import name_entry

CARRY = ("PROPOSE", "CATCHUP_REPLY", "DELIVERED")
"""Frames that carry a message to a node."""
NEWS = ("PROPOSE", "HEARTBEAT", "COORDINATOR", "CATCHUP_REPLY")
"""Frames with which a node hears how far is committed."""


class Carrying:
    """The frames of a trace, up to a moment, as carriers of one message."""

    def __init__(self, scene: Scene, facts: Whereabouts, until: float) -> None:
        self.scene, self.facts, self.until = scene, facts, until
        self.last = scene.upto(until)

    def carriers(self, to: Any, attempt: Attempt, behind: int) -> list[int]:
        """Return the frames to a node, behind an event, that could carry the message."""
        return [
            event for event in self.scene.sent(to, (behind, self.last), CARRY)
            if (self.scene.records[event].seq or 0) >= attempt.seq
            and attempt.held_at(self.scene.records[event].node, event)
            and not self._came_without(event, attempt)
        ]  # fmt: skip

    def _came_without(self, send: int, attempt: Attempt) -> bool:
        """Tell whether a batch began behind the message, as it shows where it arrives: by then, or later."""
        held = self.hold(send, len(self.scene.records) - 1)
        return held is not None and (self.scene.records[held].seq or 0) > attempt.seq

    def hold(self, send: int, last: int) -> int | None:
        """Return where the batch of a frame was held back, in the turn in which it arrived, up to the event `last`."""
        end = self.scene.arrival(send, last)
        if end is None:
            return None
        records, arrived = self.scene.records, self.scene.records[end]
        for event in range(end + 1, last + 1):
            record = records[event]
            if record.time != arrived.time or (record.kind == "receive" and record.node == arrived.node):
                return None
            if record.kind == "hold" and record.node == arrived.node and record.peer == arrived.peer:
                return event
        return None

    def because(self, me: Any, attempt: Attempt) -> str:
        """Say why a node held the message back: what stands before it was missing."""
        end, logs = self.facts.end_of_log(me), self.facts.logs
        if end >= attempt.seq:
            return ", and then took something else in its place, from another leader"
        whole = next((logs.entries[one] for one in attempt.holders if end + 1 in logs.entries.get(one, {})), {})
        missing = [whole[seq] for seq in range(end + 1, attempt.seq) if seq in whole]
        chat = [entry for entry in missing if entry.entry in (None, "chat")]
        if not missing:
            return f", because something that stands before it was still missing there at {at(self.until)}"
        first, number = (chat or missing)[0], len(chat or missing)
        count = would_be(self.scene.trace).get((first.client or "", first.client_seq or 0))
        name = name_entry(first) if count is None else f"#{count}"
        if number == 1:
            return f", because {name}, which stands before it, was still missing there at {at(self.until)}"
        what = "messages" if chat else "entries"
        return f", because {number} {what} that stand before it, the first of them {name}, were still missing there at {at(self.until)}"

    def news(self, me: Any, attempt: Attempt, behind: int) -> list[int]:
        """Return the frames to a node that could tell it that the message is committed."""
        records = self.scene.records
        return [
            event for event in self.scene.sent(me, (behind - 1, self.last), NEWS)
            if attempt.commits.get(records[event].node, event) < event
            and (records[event].message != "HEARTBEAT" or (records[event].seq or 0) >= attempt.seq)
        ]  # fmt: skip

    def submits(self, behind: int) -> list[int]:
        """Return the frames behind an event in which clients asked for something."""
        return [event for to in self.scene.everyone for event in self.scene.sent(to, (behind, self.last), ("SUBMIT",))]

    def server(self, me: Any) -> Any:
        """Return the node from which a learner heard last; None for a member, and for one that never heard anything."""
        if me in self.facts.members:
            return None
        heard = [
            send for send in self.scene.sent(me, (-1, self.last), ("DELIVERED",))
            if self.scene.arrival(send, self.last) is not None
        ]  # fmt: skip
        return self.scene.records[heard[-1]].node if heard else None
