"""Chain: what was done for a message when, at one node, and what of it took longest.

    #7 ('hello' of ann) was said at 2.20 s, ordered by node 3 at 2.21 s, on the disks of a quorum at 6.08 s, ...
    Longest: 3.87 s until it was stored by a quorum.  Over that time lay: ...

Read also `obligations` (the same links, and the first that is missing).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from chatsys.campaign.why.carrying import CARRY
from chatsys.campaign.why.scene import Scene
from chatsys.campaign.why.spoken import Spoken
from chatsys.campaign.why.whereabouts import Whereabouts
from chatsys.campaign.why.words import at, listed, node


class Fulfilled(NamedTuple):
    """One obligation that was fulfilled: by which event, and how that stands in a sentence."""

    name: str
    event: int
    told: str


def of_chat(scene: Scene, facts: Whereabouts, me: Any) -> list[Fulfilled]:
    """Return what was done for a message until it was delivered at a node, in order of time."""
    done = [Fulfilled("said", event, f"said to {node(scene.records[event].peer)}") for event in facts.submits[:1]]
    attempt = facts.attempt
    if attempt is not None:
        done.append(Fulfilled("ordered", attempt.event, f"ordered by {node(attempt.orderer)}"))
        if attempt.stored is not None:
            done.append(Fulfilled("stored by a quorum", attempt.stored, "on the disks of a quorum"))
        if attempt.committed is not None:
            done.append(Fulfilled("committed", attempt.committed, f"committed at {node(attempt.committer)}"))
        if me in attempt.held and me != attempt.orderer:
            done += _brought(scene, attempt.seq, attempt.held[me], me)
    if me in facts.delivered:
        done.append(Fulfilled("delivered", facts.delivered[me], f"delivered at {node(me)}"))
    return sorted(done, key=lambda one: one.event)


def _brought(scene: Scene, seq: int, held: int, me: Any) -> Iterator[Fulfilled]:
    """Yield how the message came into a node's log: the last frame that could carry it and arrived before."""
    carried = [
        (end, send) for send in scene.sent(me, (-1, held), CARRY)
        if (scene.records[send].seq or 0) >= seq and (end := scene.arrival(send, held)) is not None
    ]  # fmt: skip
    if carried:
        end, send = max(carried)
        yield Fulfilled("told", send, f"sent to {node(me)} by {node(scene.records[send].node)}")
        yield Fulfilled("received", end, "received there")
    yield Fulfilled("released", held, "in its log")


def in_vain(scene: Scene, facts: Whereabouts) -> list[str]:
    """Tell of leaders that ordered the message before, and whose order did not stay."""
    counts = facts.attempt
    told = [
        f"{node(one.orderer)} at {at(scene.times[one.event])}" for one in facts.attempts.values() if one is not counts
    ]
    return [f"It had been ordered before by {listed(told)}, and that order was lost."] if told else []


def of_frames(scene: Scene, spoken: Spoken, me: Any) -> list[Fulfilled]:
    """Return what frames tell of a message of another actor until it was delivered at a node."""
    word, number = scene.trace.words.numbered, spoken.seq if spoken.seq is not None else spoken.number
    done: dict[str, Fulfilled] = {}
    for event, record in enumerate(scene.records):
        is_it = record.message == word and record.seq == number
        if record.kind == "send" and is_it:
            done.setdefault("ordered", Fulfilled("ordered", event, f"ordered by {node(record.node)}"))
            if record.peer == me:
                done.setdefault("told", Fulfilled("told", event, f"sent to {node(me)}"))
        elif record.kind == "receive" and is_it and record.node == me:
            done.setdefault("received", Fulfilled("received", event, "received there"))
        elif record.kind == "hold" and record.seq == number and record.node == me:
            done.setdefault("held", Fulfilled("held", event, "held back"))
        elif record.kind == "deliver" and record.node == me and spoken.is_in(record):
            done.setdefault("delivered", Fulfilled("delivered", event, f"delivered at {node(me)}"))
            break
    return sorted(done.values(), key=lambda one: one.event)
