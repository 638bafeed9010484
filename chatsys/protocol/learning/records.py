"""The records of a learner: what it keeps, so that it need not hear it all again.

    {"type":"learner","incarnation":1,"cluster":"chat","node":4,"format":3,"identity":"9f..","nonce":"04.."}
    {"type":"joined","config":{...}}
    {"type":"heard","number":1,"heard":{"seq":3,"text":"hello",...}}

A learner promises nothing, so no frame of it rests on these records.  They are written for the learner itself:
to go on where it was, to serve what it heard while no member is within reach, and to be known by its folder.
The first record has a tag of its own, so that a member's folder and a learner's are never taken for each other.

Promises  what `replay_learner` returns has no gap: the messages are numbered 1, 2, 3, ...
Read also `learner` (who writes it), `storage` (a member's records), `public` (what is heard, and what is not).
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Note
from chatsys.actor.logfile import FORMAT
from chatsys.config import ClusterConfig
from chatsys.errors import DamagedLog
from chatsys.protocol.public import Heard
from chatsys.protocol.storage import Record


class LearnerBoot(Record, frozen=True, tag="learner"):
    """A life of a learner begins.  Durable before anybody can speak to it."""

    incarnation: int
    cluster: str
    node: Address
    format: int = FORMAT
    identity: str = ""
    """The name of this data folder: random, the same in each of its lives, and the learner's secret."""
    nonce: str = ""
    """Random, of this life alone."""

    def as_note(self) -> Note:
        """Return what the trace tells of this record."""
        return Note("boot")


class Joined(Record, frozen=True, tag="joined"):
    """The cluster that this learner is of: what its members agreed on when it was told.

    With it a learner starts again although nobody whom it asked at first is there any more.
    """

    config: ClusterConfig

    def as_note(self) -> Note:
        """Return what the trace tells of this record."""
        return Note("joined")


class KeptMessage(Record, frozen=True, tag="heard"):
    """Message `number` of the chat, as everybody may see it."""

    number: int
    heard: Heard

    def as_note(self) -> Note:
        """Return what the trace tells of this record."""
        return Note("keep", seq=self.heard.seq, msg_no=self.number)


class Gone(Record, frozen=True, tag="left"):
    """This learner has left; no life of this folder joins again."""

    def as_note(self) -> Note:
        """Return what the trace tells of this record."""
        return Note("gone")


LEARNER_RECORDS: tuple[type[msgspec.Struct], ...] = (LearnerBoot, Joined, KeptMessage, Gone)


class Replayed(msgspec.Struct):
    """What a learner's records mean."""

    boot: LearnerBoot | None = None
    """The last life, if there was one."""
    config: ClusterConfig | None = None
    """The cluster that it is of."""
    heard: list[Heard] = []
    """The messages from number 1 on."""
    gone: bool = False


def replay_learner(records: Iterable[Any], where: str) -> Replayed:
    """Return what `records` mean; raises `DamagedLog` at the first that cannot follow on those before it."""
    found = Replayed(heard=[])
    for line, record in enumerate(records, start=1):
        match record:
            case LearnerBoot(incarnation=life):
                before = found.boot
                if life != (before.incarnation if before else 0) + 1:
                    raise DamagedLog(where, line, f"life {life} follows life {before.incarnation if before else 0}")
                found.boot = record
            case Joined(config=config):
                found.config = config
            case KeptMessage(number=number, heard=heard):
                if number != len(found.heard) + 1:
                    raise DamagedLog(where, line, f"message {number} follows message {len(found.heard)}")
                found.heard.append(heard)
            case Gone():
                found.gone = True
    return found
