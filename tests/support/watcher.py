"""A small failure detector, for tests of what a lab's own actor can say: each node listens to every other one.

    1 --BEAT n--> 2        `gone` after 2.5 s of silence, `back` with the next beat

Read also `chatsys.actor.words`.
"""

from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Note, Send
from chatsys.actor.words import Words
from chatsys.config import ClusterConfig
from chatsys.teach.labs.defaults import begin_timers

INTERVAL, TIMEOUT = 0.8, 2.5


class Beat(msgspec.Struct, frozen=True, tag="BEAT", tag_field="type"):
    number: int


class Watcher(Actor):
    """Beats, and suspects whom it has not heard for `TIMEOUT` seconds."""

    messages = (Beat,)
    words = Words(heartbeat="BEAT", suspect="gone", restore="back", each_other=True)

    def __init__(self, me: Address, config: ClusterConfig, random: Random) -> None:
        super().__init__(me, config, random)
        self.others = [node for node in config.ids if node != me]
        self.number = 0
        self.suspected: set[Address] = set()

    def start(self, now: float) -> list[Any]:
        begin_timers(self, now, beat=INTERVAL)
        for node in self.others:
            self.alarms.set(node, now + TIMEOUT)
        return []

    def on_message(self, sender: Address, message: Any, now: float) -> list[Any]:
        if not isinstance(message, Beat):
            return []
        self.alarms.set(sender, now + TIMEOUT)
        if sender not in self.suspected:
            return []
        self.suspected.discard(sender)
        return [Note("back", peer=sender)]

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        if name == "beat":
            self.number += 1
            self.alarms.set("beat", now + INTERVAL)
            return [Send(node, Beat(self.number)) for node in self.others]
        self.suspected.add(name)
        return [Note("gone", peer=name, reason=f"nothing was heard of node {name} for {TIMEOUT} s")]
