"""Rejoining: the run that the page of lab 08 plays, and what can be read from it.

    rejoin(MyCatchUp, seed, gap=200, rate=10)      node 2 has missed 200 messages; 10 a second are said while it catches up
    rejoin(..., room=20)                           and there is room for 20
    came_live(trace), came_by_history(trace)       by which way each number came since then, and when
    level_after(run), seam(run)                    seconds until nothing is missing; the last number that came by history
    screens(run)                                   who shows what
    talk(cluster, 10)                              people talk in a real cluster, and all that are up show it in the end

Read also `stage` (the actor), `drawing` (the figure of such a run), `play` (the page's other runs).
"""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from chatsys.errors import UsageError
from chatsys.sim.world import World
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab08.asking import stopped
from chatsys.teach.labs.lab08.runs import BUSIEST, INSTANT
from chatsys.teach.labs.lab08.stage import ROOM, catch_up
from chatsys.teach.labs.seeds import recorded
from chatsys.trace import Trace, trace_of

SEED = recorded("08")["demonstration"]
"""The seed of whoever gives no name."""
NODE, LEADER = 2, 3
BEFORE = 20
"""So many messages all nodes have before node 2 crashes."""
CRASHES, RETURNS, TALK, ENDS = 2.0, 4.0, 10.0, 2.0
"""When node 2 crashes and comes back; for how many seconds people talk then, and how long the quiet behind it is."""
QUICK = replace(OVERTAKING, longest=0.05, in_order=True)
"""The network of these runs: ten messages are here before the next request is due, so 50 a second can be fetched.  Each link keeps
its order, so nothing but history and the present can overtake each other."""
BOUNDS = {"gap": (0, 400), "rate": (0, 100), "room": (0, 1_000)}
"""What may be chosen, at least and at most."""


def rejoin(catches_up: Any, seed: int = SEED, gap: int = 200, rate: float = 10, room: int = ROOM) -> World:
    """Return a world after its run: node 2 misses `gap` messages, comes back at 4 s, and `rate` a second are said from then on."""
    for name, value in {"gap": gap, "rate": rate, "room": room}.items():
        low, high = BOUNDS[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise UsageError(f"{name} is {value!r:.40}; give a number from {low} to {high:,}.")
    world = World(seed, 3, actor=catch_up(catches_up, int(room)), network=QUICK, disk=INSTANT, busiest=BUSIEST)
    world.run(1.5)
    _talk(world, BEFORE, CRASHES - 0.2)
    world.run(CRASHES - world.now)
    _crash(world)
    _talk(world, int(gap), RETURNS - 0.1)
    world.run(RETURNS - world.now)
    if not world.failures:
        world.restart(NODE)
    _talk(world, round(rate * TALK), RETURNS + TALK)
    world.run(RETURNS + TALK + ENDS - world.now)
    return world


def _crash(world: World) -> None:
    if world.status()[NODE]["alive"]:
        world.crash(NODE)


def _talk(world: World, many: int, until: float) -> None:
    """Let so many messages be said until this moment, at even steps, unless a class has stopped its node."""
    begun = world.now
    for place in range(many):
        if world.failures:
            return
        number = world.status()[LEADER]["last"] + 1
        world.say(f"message {number}", LEADER, author=("ann", "bob", "cid")[number % 3])
        world.run(begun + (until - begun) * (place + 1) / many - world.now)


def talk(cluster: Any, many: int, pause: float = 0.0) -> None:
    """Let so many messages be said in a real cluster, `pause` seconds apart, and wait until all nodes that are up show all of them.

    What a node sends before it has a link to the other one is lost, and only a later message would tell; so it waits for the links first.
    """
    up = [node for node, now in cluster.status().items() if now["alive"]]
    cluster.until(lambda: stopped(cluster) or _linked(cluster.trace, up), limit=10, quiet=True)
    newest = len(screens(cluster)[LEADER])
    for number in range(newest + 1, newest + many + 1):
        cluster.say(f"message {number}", LEADER, author="ann")
        cluster.run(pause)
    all_shown = newest + many
    cluster.until(
        lambda: stopped(cluster) or all(len(screens(cluster)[node]) >= all_shown for node in up), limit=10, quiet=True
    )


def _linked(trace: Trace, nodes: Sequence[int]) -> bool:
    """Tell whether each of these nodes has a link to each other one, of the lives that they live now."""
    begun = {one.node: one.time for one in trace.of("start")}
    links = {
        (one.node, one.peer)
        for one in trace.of("link_up")
        if one.time >= max(begun.get(one.node, 0.0), begun.get(one.peer or 0, 0.0))
    }
    return all((node, peer) in links for node in nodes for peer in nodes if node != peer)


def screens(run: Any) -> dict[int, list[int]]:
    """Return which numbers each node has shown in its last life, in this order; it begins with what its disk has kept."""
    found: dict[int, list[int]] = {node: [] for node in trace_of(run).nodes}
    for one in trace_of(run).of("start", "deliver"):
        if one.node not in found:
            continue
        if one.kind == "start":
            found[one.node] = []
        elif one.seq is not None:
            found[one.node].append(one.seq)
    return found


def came_live(trace: Trace, node: int = NODE) -> dict[int, float]:
    """Return which numbers came live to this node since it came back, and when each came first."""
    found: dict[int, float] = {}
    for one in trace.of("receive"):
        if one.node == node and one.message == "LIVE" and one.time >= returned(trace, node) and one.seq is not None:
            found.setdefault(one.seq, one.time)
    return found


def came_by_history(trace: Trace, node: int = NODE) -> dict[int, float]:
    """Return which numbers chunks have brought to this node since it came back, and when each came first."""
    found: dict[int, float] = {}
    for one in trace.of("fetched"):
        if one.node == node and one.time >= returned(trace, node) and one.seq is not None and one.msg_no is not None:
            for number in range(one.seq, one.msg_no + 1):
                found.setdefault(number, one.time)
    return found


def returned(trace: Trace, node: int = NODE) -> float:
    """Return when this node came back for the last time."""
    return max((one.time for one in trace.of("restart") if one.node == node), default=0.0)


def seam(run: Any, node: int = NODE) -> int:
    """Return the last number that this node showed because a chunk brought it; 0 if there is none."""
    trace = trace_of(run)
    since, fetched = returned(trace, node), came_by_history(trace, node)
    shown = [one for one in trace.of("deliver") if one.node == node and one.time >= since and one.seq is not None]
    return max((one.seq or 0 for one in shown if fetched.get(one.seq or 0, one.time + 1) <= one.time), default=0)


def level_after(run: Any, node: int = NODE) -> float | None:
    """Return how many seconds after its return this node has shown, without a gap, all that was said until just before; None: never."""
    trace = trace_of(run)
    since, leader = returned(trace, node), trace.nodes[-1]
    shown, newest = set[int](), [(0.0, 0)]
    reached = 0
    for one in trace.of("deliver"):
        if one.seq is None:
            continue
        if one.node == leader:
            newest.append((one.time, one.seq))
        elif one.node == node:
            shown.add(one.seq)
            while reached + 1 in shown:
                reached += 1
            said = next(seq for time, seq in reversed(newest) if time <= one.time - QUICK.longest or seq == 0)
            if one.time >= since and reached >= said:
                return round(one.time - since, 3)
    return None
