"""Frames: what became of one frame, and of a message of an actor that is no chat, as far as frames tell it.

    a frame        sent --> received
    a message      ordered (its first frame with this number left) --> told (one left for this node) --> received
                   --> released (nothing before it is missing) --> delivered

A small actor keeps no log, so nothing tells where its messages are stored.  What it calls the frame that carries a
number it says itself (`actor.words`).

Read also `obligations` (the chat), `teach.labs` (the actors).
"""

from typing import Any

from chatsys.campaign.why.owed import LIT, Owed
from chatsys.campaign.why.scene import Scene
from chatsys.campaign.why.spoken import Spoken
from chatsys.campaign.why.words import at, node, sentence
from chatsys.errors import UsageError
from chatsys.trace import Record


class Frames:
    """What a message, or a single frame, owes at a moment."""

    def __init__(self, scene: Scene, spoken: Spoken, until: float) -> None:
        self.scene, self.spoken, self.until = scene, spoken, until
        self.last = scene.upto(until)
        self.number = spoken.seq if spoken.seq is not None else spoken.number

    def owed(self, me: Any) -> Owed:
        """Return what is missing for the node `me`."""
        scene, records = self.scene, self.scene.records
        for event in range(self.last + 1):
            if records[event].kind == "deliver" and records[event].node == me and self.spoken.is_in(records[event]):
                there = f"{sentence(str(self.spoken))} was delivered at {node(me)} at {at(scene.times[event])}."
                return Owed(missing=None, since=scene.times[event], sentences=[there], events=[event])
        ordered = self._carrying(None)
        if not ordered:
            return self._not_ordered()
        mine = self._carrying(me)
        orderer, since = records[ordered[0]].node, scene.times[ordered[0]]
        links = {(orderer, me), (me, orderer)}
        first = f"{sentence(str(self.spoken))} was ordered by {node(orderer)} at {at(since)}, but"
        if orderer != me and not mine:
            told = [f"{first} no frame with it had been sent to {node(me)} by {at(self.until)}."]
            return Owed(
                missing="told", since=since, sentences=told, nodes={me, orderer}, links=links, events=ordered[:1]
            )
        arrived = [end for send in mine if (end := scene.arrival(send, self.last)) is not None]
        if orderer != me and not arrived:
            fates = scene.fates(mine, self.last, "with it")
            told = [f"{first} it had not reached {node(me)} by {at(self.until)}: {fates}."]
            return Owed(
                missing="received", since=scene.times[mine[0]], sentences=told, nodes={me, orderer}, links=links,
                events=[ordered[0], *mine[-LIT:]],
            )  # fmt: skip
        return self._not_delivered(me, orderer, arrived or ordered[:1])

    def _carrying(self, to: Any) -> list[int]:
        """Return the frames with this number, to one node or to all."""
        word = self.scene.trace.words.numbered
        return [
            event for event, record in enumerate(self.scene.records[: self.last + 1])
            if record.kind == "send" and record.message == word and record.seq == self.number is not None
            and to in (None, record.peer)
        ]  # fmt: skip

    def _not_ordered(self) -> Owed:
        said = self.spoken.said
        since = said.time if said else 0.0
        whom = f" to {node(said.args[1])}" if said and len(said.args) > 1 and said.args[1] is not None else ""
        told = f"{sentence(str(self.spoken))} was said{whom} at {at(since)}, but no node had sent it with a number by {at(self.until)}."
        return Owed(missing="ordered", since=since, sentences=[told], everything=True)

    def _not_delivered(self, me: Any, orderer: Any, arrived: list[int]) -> Owed:
        """It is there; so something before it is missing, or the queue does not let it out."""
        scene, records = self.scene, self.scene.records
        since, number = scene.times[arrived[0]], self.number or 0
        word = scene.trace.words.numbered
        there = {r.seq for r in records[: self.last + 1] if r.kind == "receive" and r.node == me and r.message == word}
        gaps = [one for one in range(1, number) if one not in there] if me != orderer else []
        told = [
            f"{sentence(str(self.spoken))} reached {node(me)} at {at(since)}, but was not delivered there by {at(self.until)}."
        ]
        if gaps:
            told.append(f"Number {gaps[0]}, which stands before it, had not come to {node(me)}, so it had to wait.")
        else:
            told.append(f"All that stands before it had come to {node(me)}, too.")
        early = [
            event for event in range(arrived[0], self.last + 1)
            if records[event].kind == "hold" and records[event].node == me and records[event].seq == number
        ]  # fmt: skip
        return Owed(
            missing="released" if gaps else "delivered", since=since, sentences=told, nodes={me, orderer},
            links={(orderer, me), (me, orderer)}, events=[*arrived[:LIT], *early[:LIT]],
        )  # fmt: skip


def sent(scene: Scene, spoken: Spoken) -> Record:
    """Return the record of the sending of a frame."""
    for record in scene.records:
        if record.kind == "send" and record.id == spoken.frame:
            return record
    raise UsageError(f"The frame {spoken.frame} was received in this run, but its sending is not in the trace.")


def frame_owed(scene: Scene, spoken: Spoken, until: float) -> Owed:
    """Return whether one frame was received by `until`, and what became of it."""
    record, last = sent(scene, spoken), scene.upto(until)
    event = next(place for place, one in enumerate(scene.records) if one is record)
    what = f"The {record.message} {record.id} of {node(record.node)} to {node(record.peer)}"
    end = scene.arrival(event, last)
    if end is not None:
        told = f"{what}, sent at {at(record.time)}, arrived at {at(scene.times[end])}."
        return Owed(missing=None, since=scene.times[end], sentences=[told], events=[event, end])
    gone = scene.ends.get((record.id, record.peer))
    events = [event] if gone is None or gone > last else [event, gone]
    fate = scene.fate(event, last)
    told = f"{what} was sent at {at(record.time)}, and {fate}{'' if len(events) > 1 else f' at {at(until)}'}."
    return Owed(
        missing="received", since=record.time, sentences=[told], nodes={record.peer},
        links={(record.node, record.peer), (record.peer, record.node)}, events=events,
    )  # fmt: skip


class Same:
    """Tells, in another run, whether a record is the arrival of the same frame: of its kind, as many came before it."""

    def __init__(self, scene: Scene, frame: Record) -> None:
        self.kind = _kind(frame)
        sends = [record for record in scene.records if record.kind == "send" and _kind(record) == self.kind]
        self.left = next(place for place, record in enumerate(sends) if record is frame)
        """So many of its kind are still to be sent before it."""
        self.name: str | None = None

    def __call__(self, record: Record) -> bool:
        if record.kind == "send" and self.name is None and _kind(record) == self.kind:
            self.left -= 1
            if self.left < 0:
                self.name = record.id
        return record.kind == "receive" and record.node == self.kind[1] and record.id == self.name is not None


def _kind(frame: Record) -> tuple[Any, ...]:
    """Return what frames of one kind have in common: from whom, to whom, and what the trace tells of them."""
    return frame.node, frame.peer, frame.message, frame.term, frame.seq
