"""The course's four demonstrations, playable in every world, and the one about split brain.

    normal           people talk; every node delivers the same messages under the same numbers
    leader-failure   the leader crashes; the next one goes on with the next number
    recovery         a node crashes, misses messages, comes back and catches up
    concurrent       many people talk at once, through different nodes; there is one order
    split-brain      the leader is cut off, and both sides go on talking

    demo = play("leader-failure", where="processes")
    demo.trace, demo.violations, demo.result()

A scenario is a script that a person could type: it uses nothing but the verbs of a world and waits
for what it can see from outside.

Assumes   the world answers within the limits below; if not, the demo says what it waited for.
Read also `demonstration` (what was played), `sim.world` and `runtime.cluster` (the verbs), `check` (what must have held).
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from chatsys.check import check
from chatsys.config import count_quorum
from chatsys.errors import ChatsysError, UsageError
from chatsys.faults import Testbed
from chatsys.teach.demonstration import Demo

if TYPE_CHECKING:
    from chatsys.runtime.cluster import Where

PLACES = ("sim", "kernel", "processes", "containers")
PATIENCE = 30.0
"""Seconds to wait for an election or for messages to arrive, before a demo gives up."""


def play(
    name: str,
    where: str = "sim",
    nodes: int = 3,
    quorum: int | str = "majority",
    *,
    seed: int = 0,
    timing: str = "course",
) -> Demo:
    """Play the scenario `name` in a new world and return what happened.

    `where` is sim, kernel, processes or containers; `seed` decides all chance in the simulator.  Raises
    `UsageError` for unknown names, and when so few nodes cannot show what the scenario shows.
    """
    script = SCRIPTS.get(name)
    if script is None:
        raise UsageError(f"There is no scenario {name!r}; write one of {', '.join(SCRIPTS)}.")
    if where not in PLACES:
        raise UsageError(f"There is no world {where!r}; write sim, kernel, processes or containers.")
    needed = count_quorum(quorum, nodes)
    if name in BREAKING and needed > nodes - 1:
        raise UsageError(
            f"{name} stops one node of {nodes}, and a quorum of {needed} cannot go on without it; "
            "take more nodes or a smaller quorum."
        )
    world = _open(where, nodes, needed, seed, timing)
    try:
        script(world)
        delivered = {node: len(world.delivered(node)) for node in world.nodes}
    finally:
        world.stop()
    return Demo(name, where, needed, world.trace, delivered, check(world.trace), world)


def _open(where: str, nodes: int, quorum: int, seed: int, timing: str) -> Testbed:
    if where == "sim":
        from chatsys.sim.world import World

        return World(seed, nodes=nodes, quorum=quorum, timing=timing)
    from chatsys.runtime.cluster import Cluster

    return Cluster(nodes, cast("Where", where), quorum, timing=timing, seed=seed)


# --- the scripts: what a person would type -------------------------------------------------------


def normal(world: Testbed) -> None:
    """Two people talk, one message after the other."""
    await_leader(world)
    lines = [
        "good morning",
        "morning! slept well?",
        "like a node with no faults",
        "then let us break some",
        "ready",
        "go",
    ]
    for number, text in enumerate(lines, 1):
        world.say(text, author="ann" if number % 2 else "bob")
        await_delivery(world, number)
        world.run(0.25)
    world.run(1.0)


def leader_failure(world: Testbed) -> None:
    """The leader crashes between two messages; later it comes back."""
    await_leader(world)
    for number, line in enumerate(["one", "two", "three"], 1):
        world.say(line)
        await_delivery(world, number)
        world.run(0.6)
    first = await_leader(world)
    world.crash(first)
    world.say("four: is anybody there?")
    await_delivery(world, 4)
    for number, line in enumerate(["five", "six"], 5):
        world.say(line, author="bob")
        await_delivery(world, number)
        world.run(0.4)
    world.restart(first)
    await_delivery(world, 6)
    world.run(3.0)
    await_leader(world)


def recovery(world: Testbed) -> None:
    """A follower crashes, the others go on, it comes back and catches up."""
    await_leader(world)
    for number, line in enumerate(["before", "still before"], 1):
        world.say(line)
        await_delivery(world, number)
        world.run(0.5)
    absent = next(node for node in world.nodes if node != world.leader)
    world.crash(absent)
    for number, line in enumerate(["you missed this", "and this", "this too", "the joke"], 3):
        world.say(line, author="bob")
        await_delivery(world, number)
        world.run(0.4)
    world.restart(absent)
    await_delivery(world, 6)
    world.say("what was the joke?", author="cem")
    await_delivery(world, 7)
    world.run(1.0)


def concurrent(world: Testbed) -> None:
    """Four people talk at the same time, spread over the nodes."""
    await_leader(world)
    people = ("ann", "bob", "cem", "dia")
    for line in range(1, 6):
        for at, author in enumerate(people):
            world.say(f"{author} {line}", node=world.nodes[at % len(world.nodes)], author=author)
            world.run(0.004)
        if line == 1:
            await_delivery(world, len(people))
    await_delivery(world, 5 * len(people))
    world.run(1.0)


def split_brain(world: Testbed) -> None:
    """The leader is cut off from all others; people talk on both sides; then the cut is healed."""
    alone = await_leader(world)
    others = [node for node in world.nodes if node != alone]
    world.say("hello", node=alone, author="ann")
    await_delivery(world, 1)
    world.run(0.9)
    world.say("hi ann", node=others[0], author="bob")
    await_delivery(world, 2)
    world.run(0.9)
    world.partition({alone}, others)
    world.say("I am with the old leader", node=alone, author="ann")
    await_leader(world, among=others)
    world.say("we have a new leader", node=others[0], author="bob")
    world.run(3.0)
    world.heal()
    world.run(8.0)


SCRIPTS: dict[str, Callable[[Testbed], None]] = {
    "normal": normal,
    "leader-failure": leader_failure,
    "recovery": recovery,
    "concurrent": concurrent,
    "split-brain": split_brain,
}
NAMES = ("normal", "leader-failure", "recovery", "concurrent")
"""The course's four; `split-brain` is the fifth, which is meant to fail with a quorum of 1."""
BREAKING = {"leader-failure", "recovery", "split-brain"}
"""These take one node away and expect the rest to go on."""


# --- waiting for what can be seen ------------------------------------------------------------------


def wait(world: Testbed, holds: Callable[[], bool], what: str, limit: float = PATIENCE) -> None:
    """Let time pass until `holds()`; raises `ChatsysError` with `what` when it takes too long."""
    end = world.now + limit
    while not holds():
        if world.now >= end:
            why = " ".join(f"Node {node} stopped itself: {sentence}" for node, sentence in world.failures)
            raise ChatsysError(
                f"The demo waited {limit:.0f} s for {what}, and it did not come; it is {world.now:.1f} s now. {why}".rstrip()
            )
        world.run(0.02)


def await_leader(world: Testbed, among: Sequence[int] = ()) -> int:
    """Wait until a node leads, or one of these, and return it."""

    def leader() -> int | None:
        if not among:
            return world.leader
        facts = world.status()
        return next((node for node in among if facts[node]["role"] == "leader"), None)

    wait(world, lambda: leader() is not None, f"a leader among {list(among)}" if among else "a leader")
    return leader() or await_leader(world, among)  # in real time it may be gone already


def await_delivery(world: Testbed, count: int) -> None:
    """Wait until every live node has delivered `count` messages."""

    def all_have() -> bool:
        alive = [facts["delivered"] for facts in world.status().values() if facts["alive"] and not facts["paused"]]
        return bool(alive) and min(alive) >= count

    wait(world, all_have, f"message {count} on every node")
