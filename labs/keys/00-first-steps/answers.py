"""Right answers of lab 00: stories that are told in other words."""

from typing import Any


def my_story(world: Any) -> None:
    world.run(2)
    world.say("hello, you all")
    world.run(1)
    gone = world.leader
    world.crash(gone)
    world.say("where is everybody?")
    world.run(6)
    world.restart(gone)
    world.run(3)


def by_hand(world: Any) -> None:
    """Names the node, and speaks through another one."""
    world.run(5)
    world.crash(3)
    world.run(0.5)
    world.say("anybody?", node=1)
    world.say(text="hello?", author="bob", node=2)
    world.run(8)
    world.restart(3)
    world.run(5)


def patient(world: Any) -> None:
    """Asks the world, and waits for what it wants to see."""
    world.until(lambda: world.leader is not None)
    leader = max(node for node in world.nodes if world.status()[node]["role"] == "leader")
    world.crash(leader)
    world.say("the first words")
    world.until(lambda told: "the first words" in told.delivered(1), limit=30)
    world.restart(leader)
    world.until(lambda: len({tuple(world.delivered(node)) for node in world.nodes}) == 1 and world.now > 1)


class TwoNights:
    """A callable with a helper and a state; two leaders crash, one after the other, and names of the page are used."""

    world = "the whole one"
    result = None

    def __init__(self) -> None:
        self.show = 0

    def __call__(self, world: Any) -> None:
        world.run(3)
        for text in ("first night", "second night"):
            _one_night(world, text)
            self.show += 1


def _one_night(world: Any, text: str) -> None:
    gone = world.leader
    world.crash(gone)
    world.run(1)
    world.say(text)
    world.run(7)
    world.restart(gone)
    world.run(4)


def careful(world: Any) -> None:
    """Cuts, slows and pauses as well, and mends all of it."""
    world.slow("*", "*", 0.05)
    world.run(3)
    world.say("before")
    world.cut(1, 2)
    world.run(1)
    world.reconnect(1, 2)
    world.run(2)
    world.crash(world.leader)
    world.say("meanwhile")
    world.run(8)
    for node in world.nodes:
        if not world.status()[node]["alive"]:
            world.restart(node)
    world.heal()
    world.run(6)


ANSWERS = {
    "0.1": {"reference": my_story, "by hand": by_hand, "patient": patient, "an object": TwoNights(), "careful": careful}
}
