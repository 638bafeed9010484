"""The smallest actor that uses every door: two players count together, and never forget the count.

    1 --PING n--> 2 stores n, then says PONG n --> 1 waits 0.5 s and serves n + 1

Read also `chatsys.actor`; the worlds run this beside the node, so that no world knows the chat.
"""

from typing import Any, ClassVar

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append, Note, Send
from chatsys.actor.events import LinkUp, Say


class Ping(msgspec.Struct, frozen=True, tag="PING", tag_field="type"):
    number: int


class Pong(msgspec.Struct, frozen=True, tag="PONG", tag_field="type"):
    number: int


class Counted(msgspec.Struct, frozen=True, tag="counted", tag_field="type"):
    number: int


class PingPong(Actor):
    """Serves PING to every higher member; answers PONG once the number is durable."""

    messages = (Ping, Pong)
    records: ClassVar[tuple[type[msgspec.Struct], ...]] = (Counted,)
    count = 0

    def recover(self, records: Any) -> None:
        self.count = max((record.number for record in records), default=0)

    def on_message(self, sender: Address, message: Any, now: float) -> list[Any]:
        match message:
            case LinkUp() if isinstance(sender, int) and sender > self.me:  # type: ignore[operator]
                return [Send(sender, Ping(self.count + 1))]
            case Ping(number):
                self.count = max(self.count, number)
                return [Append(Counted(number)), Send(sender, Pong(number))]
            case Pong(number):
                self.count = max(self.count, number)
                self.alarms.set(sender, now + 0.5)
                return [Note("seen", peer=sender, seq=number)]
        return []

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        return [Send(name, Ping(self.count + 1))]

    def on_command(self, command: Any, now: float) -> list[Any]:
        match command:
            case Say(text):
                return [Note("seen", text=text)]
        return []

    def status(self) -> dict[str, Any]:
        return {"count": self.count}
