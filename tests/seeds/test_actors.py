"""Any actor lives in any world: runs of effects, lives that it counts itself, hosts that know no chat."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from pingpong import Counted, Ping, PingPong

import chatsys
from chatsys.actor.effects import Append, Deliver, Delivery, Send
from chatsys.actor.events import LinkUp
from chatsys.config import ClusterConfig
from chatsys.explore.happenings import Give, Rules, Start
from chatsys.explore.untimed import Life, TurnMaker
from chatsys.sim.world import World

pytestmark = pytest.mark.quick


# --- runs of effects ------------------------------------------------------------------------


class StoresTwo(PingPong):
    """Begins with a run of two records."""

    def start(self, now: float) -> list[Any]:
        return [Append(Counted(1), Counted(2))]

    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        return [Append(Counted(3), Counted(4))]


def test_a_run_of_records_is_durable_record_by_record() -> None:
    turns = TurnMaker(StoresTwo, ClusterConfig.of(2), Rules(disk_steps=False), {})
    begun = turns.take(Life(1), Start()).after
    assert begun.durable == (Counted(1), Counted(2))
    turns.sign(begun)
    assert turns.take(begun, Give(2, Ping(1))).after.durable == (Counted(1), Counted(2), Counted(3), Counted(4))


class SaysMuch(PingPong):
    """Writes two records and delivers two messages before it speaks."""

    runs = True

    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        if not isinstance(message, LinkUp):
            return []
        records = [Counted(1), Counted(2)]
        messages = [Delivery(number, number, "ann", "hi") for number in (1, 2)]
        if self.runs:
            return [Append(*records), Deliver(*messages), Send(sender, Ping(1))]
        return [*map(Append, records), *map(Deliver, messages), Send(sender, Ping(1))]


class SaysOneAtATime(SaysMuch):
    runs = False


def test_a_run_of_effects_is_the_same_as_each_of_them_alone() -> None:
    worlds = [World(3, nodes=2, actor=kind) for kind in (SaysMuch, SaysOneAtATime)]
    for one in worlds:
        one.run(1)
        assert one.delivered(1) == ["hi", "hi"]
    assert worlds[0].trace.hash() == worlds[1].trace.hash()


# --- a world knows no chat ------------------------------------------------------------------


class Lives(msgspec.Struct, frozen=True, tag="lives", tag_field="type"):
    number: int


class CountsItsLives(PingPong):
    """Says in its log which life it is, ten at a time."""

    records = (Counted, Lives)
    life = 0

    @property
    def incarnation(self) -> int:
        return self.life

    def recover(self, records: Any) -> None:
        self.life = max((record.number for record in records if isinstance(record, Lives)), default=0)

    def start(self, now: float) -> list[Any]:
        self.life += 10
        return [Append(Lives(self.life))]


def test_any_actor_may_count_its_own_lives_and_a_world_believes_it() -> None:
    world = World(1, nodes=2, actor=CountsItsLives)
    world.run(1)
    world.crash(2)
    world.restart(2)
    world.run(1)
    assert [record.incarnation for record in world.trace.of("start") if record.node == 2] == [10, 20]
    assert "2.20.1" in {record.id for record in world.trace.of("send")}


@pytest.mark.parametrize("folder", ["sim", "runtime", "explore"])
def test_no_host_looks_for_a_record_of_the_chat(folder: str) -> None:
    """What a record means is said by the actor (`incarnation`, `owner`) and by the words for the trace.

    A backup is no host: it gives a log of the chat another name.
    """
    hosts = {"sim": ["*.py"], "runtime": ["**/*.py"], "explore": ["untimed.py"]}[folder]
    for path in [path for pattern in hosts for path in (Path(chatsys.__file__).parent / folder).glob(pattern)]:
        assert "protocol.storage" not in path.read_text() or path.name == "backup.py", path
