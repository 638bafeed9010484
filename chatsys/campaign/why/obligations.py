"""Obligations: what must be done before a message of the chat is delivered at a node, and the first that is missing.

    said -> ordered -> stored by a quorum -> committed -> told -> received -> released -> delivered
    `---------------- once, for all nodes -----------'    `------ at each node by itself -------'

    told        somebody sent the node the message, and the news that it is committed
    received    that arrived
    released    everything that stands before it is there too, so that it went from the hold-back queue into the log

What is missing at a moment was waited for since the one before was done.  Each kind of wait has its own witnesses:
nodes and links whose faults can explain it.

Read also `whereabouts` (the facts), `carrying` (the frames), `protocol.ordering` (why these, and in this order), `frames` (other actors).
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from chatsys.campaign.why.carrying import Carrying
from chatsys.campaign.why.owed import LIT, Owed
from chatsys.campaign.why.scene import Scene
from chatsys.campaign.why.whereabouts import Attempt, Whereabouts
from chatsys.campaign.why.words import at, brief, listed, node, nodes, sentence
from chatsys.check.violation import quote


class Obligations:
    """What one message of the chat owes a node at a moment."""

    def __init__(self, scene: Scene, facts: Whereabouts, until: float) -> None:
        self.scene, self.facts, self.until = scene, facts, until
        self.spoken = facts.spoken
        self.last = scene.upto(until)
        self.frames = Carrying(scene, facts, until)

    def owed(self, me: Any) -> Owed:
        """Return the first obligation that is missing for the node `me`."""
        facts = self.facts
        if me in facts.delivered:
            return self._is_there(me, facts.delivered[me])
        if (server := self.frames.server(me)) is not None and server not in facts.delivered:
            return self._of_learner(me, server)
        if not facts.submits and not facts.attempts:
            return self._not_said()
        attempt = facts.attempt
        if attempt is None:
            return self._not_ordered()
        if attempt.stored is None and not attempt.commits:
            return self._not_stored(attempt)
        if not attempt.commits:
            return self._not_committed(attempt)
        return self._on_its_way(me, attempt)

    def _time(self, event: int) -> float:
        return self.scene.times[event]

    def _since(self, me: Any, event: int) -> float:
        """Return when that began; if a start did it, the wait began when the life before ended."""
        began = self.scene.records[event].kind == "start"
        return self._time(min(event, self.facts.ended.get(me, event)) if began else event)

    @property
    def _by(self) -> str:
        return f"by {at(self.until)}"

    def _is_there(self, me: Any, event: int) -> Owed:
        time = self._time(event)
        told = f"{sentence(str(self.spoken))} was delivered at {node(me)} at {at(time)}."
        return Owed(missing=None, since=time, sentences=[told], events=[event])

    # --- once, for all nodes --------------------------------------------------------------

    def _not_said(self) -> Owed:
        """Somebody said it to a client, which has not numbered it yet."""
        said, spoken = self.spoken.said, self.spoken
        since = said.time if said else 0.0
        home = said.args[1] if said and len(said.args) > 1 else None
        name = str(spoken.author) if home is None else f"{spoken.author}@{home}"
        told = [
            f"{sentence(str(spoken.author))} said {quote(spoken.text)} at {at(since)}, but the client {name} had not sent it {self._by}."
        ]
        asked = [
            event for event in self.frames.submits(-1) if self.scene.records[event].node == name
        ]  # fmt: skip
        mine = [record for record in self.scene.records[: self.last + 1] if record.node == name]
        if not asked:
            told.append("No node was linked to it, so it had nobody to ask for a session.")
        elif not any(record.kind == "submit" for record in mine):
            told.append(
                f"It had no session yet: {self.scene.fates(asked, self.last, 'with which it asked for one')}, and no answer said "
                "yes."
            )
        else:
            told.append("It waits for answers to earlier messages.")
        told += self._answers(record for record in mine if record.kind == "reply")
        told.append(self.scene.who_led(since, self.until))
        return Owed(missing="said", since=since, sentences=told, everything=True, nodes={name}, events=asked[-LIT:])

    def _not_ordered(self) -> Owed:
        """Its client has sent it, and no leader has given it a number; or what had one is gone."""
        scene, facts, records = self.scene, self.facts, self.scene.records
        events = list(facts.submits[:1])
        since = behind = self._time(events[0]) if events else 0.0
        clients = {str(records[event].node) for event in events}
        if (undone := facts.undone) is not None:
            gone = max(undone.lost.values())
            since, behind = self._time(undone.event), self._time(gone)
            events += [undone.event, gone]
            told = [
                f"{sentence(str(self.spoken))} was ordered by {node(undone.orderer)} at {at(since)} in term "
                f"{undone.term}, but that was undone at {at(behind)}, when {self._how_lost(gone)}, and no leader had ordered it "
                f"again {self._by}."
            ]
        else:
            told = [
                f"{sentence(str(self.spoken))} was sent to {node(records[events[0]].peer)} at {at(since)}, but no leader had "
                f"given it a number {self._by}."
            ]
        sends = [event for event in self.frames.submits(scene.since(behind) - 1) if records[event].node in clients]
        answers = self._answers(
            record for record in records[scene.since(behind) : self.last + 1]
            if record.kind == "reply" and self.spoken.is_in(record)
        )  # fmt: skip
        if sends and not answers:
            told.append(sentence(f"{scene.fates(sends, self.last, f'that {listed(clients)} sent from then on')}."))
        told += answers
        told.append(scene.who_led(since, self.until))
        return Owed(missing="ordered", since=since, sentences=told, everything=True, nodes=clients, events=events)

    def _how_lost(self, event: int) -> str:
        record = self.scene.records[event]
        if record.kind == "start":
            return f"{node(record.node)} started again without it, since its disk had not written it"
        return f"{node(record.node)} threw it away to agree with the log of another leader"

    def _answers(self, replies: Iterable[Any]) -> list[str]:
        """Tell what its client was answered, the most frequent first."""
        count = Counter((record.peer, record.reason) for record in replies)
        told = [
            f"{node(peer)} answered {brief(reason)}" + (f" {number} times" if number > 1 else "")
            for (peer, reason), number in count.most_common(2)
        ]
        return [f"{sentence(listed(told))}."] if told else []

    def _not_stored(self, attempt: Attempt) -> Owed:
        """It is ordered, and too few disks hold it."""
        scene, since = self.scene, self._time(attempt.event)
        disks, members = set(attempt.on_disk) & self.facts.members, self.facts.members
        lacking = sorted(members - disks)
        where = f"only {nodes(disks)} had it on disk" if disks else "no node had it on disk"
        writing, without = members & set(attempt.holders) - disks, sorted(members - set(attempt.holders))
        carried = [event for to in without for event in self.frames.carriers(to, attempt, attempt.event)]
        told = [
            f"{sentence(str(self.spoken))} was ordered by {node(attempt.orderer)} at {at(since)}, but {self._by} {where}; "
            f"a quorum is {self.facts.quorum} of {len(members)}."
        ]
        if writing:
            told.append(f"{sentence(nodes(writing))} had taken it, but not yet written it to disk.")
        gone = [
            f"at {at(self._time(event))} {self._how_lost(event)}"
            for one in without
            if (event := attempt.lost.get(one)) is not None
        ]
        gone += [
            f"{node(one)} held it back{self.frames.because(one, attempt)}"
            for one in without
            if any(
                self.frames.hold(event, self.last) is not None for event in carried if scene.records[event].peer == one
            )
        ]
        if gone:
            told.append(f"{sentence(listed(gone))}.")
        if carried:
            told.append(sentence(f"{scene.fates(carried, self.last, f'that could bring it to {nodes(without)}')}."))
        changed = not scene.led(attempt.orderer, since, self.until)
        if changed:
            told.append(scene.who_led(since, self.until))
        links = {way for other in lacking for way in ((attempt.orderer, other), (other, attempt.orderer))}
        return Owed(
            missing="stored by a quorum", since=since, sentences=told, everything=changed,
            nodes={attempt.orderer, *lacking}, links=links, events=[attempt.event, *carried[-LIT:]],
        )  # fmt: skip

    def _not_committed(self, attempt: Attempt) -> Owed:
        """A quorum has it on disk, and no leader has counted so far."""
        assert attempt.stored is not None, "a quorum has stored it"
        scene, since = self.scene, self._time(attempt.stored)
        disks = attempt.quorum
        acks = [
            event for event in scene.sent(attempt.orderer, (attempt.event, self.last), ("ACK",))
            if scene.records[event].node in disks and (scene.records[event].seq or 0) >= attempt.seq
        ]  # fmt: skip
        told = [
            f"{sentence(str(self.spoken))} was on the disks of {nodes(disks)} at {at(since)}, which is a quorum, but {self._by} no "
            "leader had counted them, so no node knew that it is committed."
        ]
        if acks:
            told.append(sentence(f"{scene.fates(acks, self.last, f'that told {node(attempt.orderer)} so')}."))
        changed = not scene.led(attempt.orderer, since, self.until)
        if any(reign.term != attempt.term for reign in scene.leaders(since, self.until)):
            told.append(
                f"It was ordered in term {attempt.term}, and a leader of a later term may count its copies only together with an "
                "entry of its own term."
            )
        if changed:
            told.append(scene.who_led(since, self.until))
        links = {way for other in disks for way in ((attempt.orderer, other), (other, attempt.orderer))}
        return Owed(
            missing="committed", since=since, sentences=told, everything=changed,
            nodes={attempt.orderer, *disks}, links=links, events=[attempt.event, attempt.stored, *acks[-LIT:]],
        )  # fmt: skip

    # --- at a learner ---------------------------------------------------------------------

    def _of_learner(self, me: Any, server: Any) -> Owed:
        """A learner cannot have what the node that tells it does not have."""
        owed = self.owed(server)
        owed.sentences.append(
            f"{sentence(node(me))} is a learner: it hears from {node(server)}, which had not delivered it."
        )
        owed.nodes |= {me}
        owed.links |= {(me, server), (server, me)}
        return owed

    # --- at one node ----------------------------------------------------------------------

    def _on_its_way(self, me: Any, attempt: Attempt) -> Owed:
        """It is committed somewhere; what does this node lack?"""
        committed = attempt.committed
        assert committed is not None, "somebody knows that it is committed"
        holds = me in attempt.holders
        began = self.facts.started.get(me, -1)
        behind = (
            max(committed, attempt.held[me], began) if holds else max(attempt.event, began, attempt.lost.get(me, -1))
        )
        sends = self.frames.news(me, attempt, behind) if holds else self.frames.carriers(me, attempt, behind)
        what = "the news of that" if holds else "it"
        first = (
            f"{sentence(str(self.spoken))} was committed at {node(attempt.committer)} at {at(self._time(committed))}"
        )
        first += f"; {node(me)} had it in its log from {at(self._time(attempt.held[me]))} on, but" if holds else ", but"
        start = max(self._time(committed), self._since(me, behind))
        arrived = [end for send in sends if (end := self.scene.arrival(send, self.last)) is not None]
        if not sends:
            started = f", which started at {at(self._time(began))}," if committed < began == behind else ""
            told = [f"{first} nobody had sent {what} to {node(me)}{started} {self._by}."]
            return self._at(me, attempt, ("told", start), told, [committed])
        if not arrived:
            with_it = "that told so" if holds else "that could carry it"
            fates = self.scene.fates(sends, self.last, with_it)
            told = [f"{first} {what} had not reached {node(me)} {self._by}: {fates}."]
            return self._at(
                me, attempt, ("received", max(start, self._time(sends[0]))), told, [committed, *sends[-LIT:]]
            )
        return self._arrived(me, attempt, first, sends)

    def _arrived(self, me: Any, attempt: Attempt, first: str, sends: list[int]) -> Owed:
        """It arrived; was it held back, not accepted, or is it known there, and only not delivered?"""
        everything, sends = sends, [send for send in sends if self.scene.arrival(send, self.last) is not None]
        arrived = [self.scene.ends[self.scene.records[send].id, me] for send in sends]
        since = self._time(arrived[0])
        events = arrived[:LIT]
        if me in attempt.holders:
            known = "knew" if me in attempt.commits else "had heard"
            told = [f"{first} {node(me)} did not deliver it {self._by}, though it {known} that it is committed."]
            return self._at(me, attempt, ("delivered", since), told, events)
        early = [event for send in sends if (event := self.frames.hold(send, self.last)) is not None]
        if not early:
            fates = self.scene.fates(everything, self.last, "that could carry it")
            told = [
                f"{first} it was not in the log of {node(me)} {self._by}: {fates}, and what arrived was not accepted."
            ]
            since = max(self._time(attempt.event), self._time(sends[0]))
            return self._at(me, attempt, ("received", since), told, events)
        told = [
            f"{first} {node(me)} held it back from {at(self._time(early[0]))} on{self.frames.because(me, attempt)}."
        ]
        return self._at(me, attempt, ("released", since), told, [*events, *early[:LIT]])

    def _at(self, me: Any, attempt: Attempt, wait: tuple[str, float], told: list[str], events: list[int]) -> Owed:
        """Return what this node lacks; witnesses are the node itself, and whoever could have brought it."""
        scene, (missing, since) = self.scene, wait
        speakers = {reign.node for reign in scene.leaders(since, self.until)} | {attempt.committer}
        speakers |= {server for server in (self.frames.server(me),) if server is not None}
        speakers |= {scene.records[event].node for event in events if scene.records[event].kind == "send"}
        speakers.discard(me)
        changed = missing != "delivered" and not scene.led(attempt.committer, since, self.until)
        if changed:
            told.append(scene.who_led(since, self.until))
        links = {way for other in speakers for way in ((me, other), (other, me))}
        return Owed(
            missing=missing, since=since, sentences=told, nodes={me, *speakers}, links=links,
            events=[attempt.event, *events], everything=changed,
        )  # fmt: skip
