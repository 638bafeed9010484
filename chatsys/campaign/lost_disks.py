"""Lost disks: the folders of a minority are emptied, swapped, copied or replaced while everything else goes wrong too.

    all have met --> chat, faults of the swarm, and accidents with the folders of a minority
                 --> mend: whoever is refused stops --> a ready leader? --> empty, accept, restart --> calm --> judge

Four kinds of accidents, one for each seed:

    emptied    the folder is empty; the node runs meanwhile, or is down
    swapped    the folder of another node lies in its place
    copied     a copy comes back after the node has lived on: a later life of it was met, if links let it
    older      a copy of the present life comes back: it looks as if the node had just slept

The first two must never lose what was acknowledged.  The other two are the named limit of SPECIFICATION chapter 17:
what is lost by them is counted apart, and so is the share that was seen, that is, refused.

Promises  a verdict for each seed, and a story: what was done to which folder, and what became of it.
Read also `one_seed` (the same without lost disks), `protocol.identity`, `faults.testbed` (the verbs).
"""

from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

import msgspec

from chatsys.campaign.liveness import judge_live
from chatsys.campaign.one_seed import AUTHORS, cluster_of
from chatsys.check import check
from chatsys.check.histories import second_opinion
from chatsys.errors import Runaway
from chatsys.faults import KINDS as SWARM
from chatsys.faults import random_script
from chatsys.faults.profiles import named_setting
from chatsys.faults.verbs import DOWN
from chatsys.sim.world import World

KINDS = ("emptied", "swapped", "copied", "older")
LIMITED = ("copied", "older")
"""The kinds that nobody may have been able to see."""
MEETING = 4.0
"""Seconds in which all meet, before anything goes wrong."""
CALM = 32.0


class Accident(msgspec.Struct, frozen=True):
    """One seed: what happened to whose folders, and what came of it."""

    seed: int
    nodes: int
    kind: str
    victims: tuple[int, ...]
    messages: int
    """How many were acknowledged."""
    came_back: int
    """How many victims began a life on what lay in the place of their folder."""
    seen: int
    """How many of these were refused."""
    lost: tuple[str, ...]
    """Sentences of what was broken: safety first."""
    late: tuple[str, ...]
    """Sentences of what did not happen in time: a leader, deliveries, answers; or a node that says nothing of its end."""
    inconclusive: str = ""


def play(seed: int, nodes: int = 3, kind: str | None = None, seconds: float = 16.0, **options: Any) -> Accident:
    """Play one seed; `kind` fixes the kind of its accidents, `options` are those of `World` (parts, actor)."""
    chance = Random(f"{seed}/lost disks")
    kind = kind or chance.choice(KINDS)
    victims = tuple(sorted(chance.sample(range(1, nodes + 1), chance.randint(1, (nodes - 1) // 2))))
    config, network = cluster_of(named_setting(seed, SWARM, None), nodes)
    world = World(seed, config, network=network, **options)
    inconclusive = ""
    late: list[str] = []
    try:
        world.run(MEETING)
        _trouble(chance, world, kind, victims, seconds)
        world.run(seconds)
        world.mend()
        accepted = _clean_up(world, victims, late)
        world.run(CALM)
        late += [found.sentence for found in judge_live(world, accepted).violations]
        late += [f"node {node} is down and does not say why" for node, one in world.status().items() if _mute(one)]
    except Runaway as error:
        inconclusive = str(error)
    came_back, seen = _what_came_of(world, victims)
    return Accident(
        seed=seed, nodes=nodes, kind=kind, victims=victims, messages=len(world.trace.of("ack")),
        came_back=came_back, seen=seen, lost=tuple(_lost(world)), late=tuple(late), inconclusive=inconclusive,
    )  # fmt: skip


def _trouble(chance: Random, world: World, kind: str, victims: Iterable[int], seconds: float) -> None:
    """Schedule the chat, the faults of the swarm and the accidents, over the next `seconds`."""
    begin = world.now
    random_script(chance, world.nodes, seconds).play(world, lenient=True)
    for author in AUTHORS:
        time, number = begin + chance.uniform(0, 1), 0
        while time < begin + seconds:
            number += 1
            world.at(time, "say", f"{author} {number}", chance.choice((None, *world.nodes)), "main", author)
            time += chance.expovariate(1.5)
        world.at(begin + seconds + CALM * 0.6, "say", f"{author} is back", None, "main", author)
    for victim in victims:
        for _ in range(chance.choice((1, 1, 2))):
            _accident(chance, world, kind, victim, begin + chance.uniform(0.1, seconds * 0.8))


def _accident(chance: Random, world: World, kind: str, victim: int, at: float) -> None:
    """Schedule one accident with the folder of `victim`, mostly while the node is down."""

    def do(verb: str, *args: Any, after: float = 0.0) -> None:
        nonlocal at
        at += after
        world.at(at, verb, *args, lenient=True)

    pause = chance.choice((0.05, 0.5, 3.0))
    if kind in LIMITED:
        do("copy", victim)
    if kind == "copied":
        do("crash", victim, after=chance.uniform(0.01, 1.0))
        do("restart", victim, after=chance.uniform(0.01, 0.5))
    if kind in LIMITED:
        at += chance.uniform(0.2, 3.0)
    other = chance.choice([node for node in world.nodes if node != victim])
    if kind == "swapped":
        do("copy", other)
    if chance.random() < 0.7:
        do("crash", victim)
    match kind:
        case "emptied":
            do("wipe", victim)
        case "swapped":
            do("restore", victim, other)
        case _:
            do("restore", victim)
    do("crash", victim, after=chance.uniform(0.0, pause))
    do("restart", victim, after=0.001)
    if chance.random() < 0.4:  # the only node that is right goes down
        do("crash", other, after=chance.uniform(0.0, 0.3))
        do("restart", other, after=chance.uniform(0.5, 4.0))


def _clean_up(world: World, victims: Iterable[int], late: list[str]) -> float:
    """Do what the page "A disk died" says; return when it was done."""
    limit = 4 * (world.config.timing.heartbeat_timeout + world.config.timing.heartbeat_spread)
    if not world.until(lambda: world.leader, limit, quiet=True):
        late.append(f"no leader was ready {limit:.1f} s after everything was mended")
    world.run(DOWN + 0.2)  # whoever was ambushed just before the mend is back by then
    for victim in victims:
        state = world.status()[victim]
        if state["alive"]:
            continue
        if not any(
            words in state.get("failure", "") for words in ("accept", "belongs to node", "no longer in its place")
        ):
            late.append(f"node {victim} is down and says {state.get('failure')!r}")
        world.wipe(victim)
        world.accept(victim)
        world.restart(victim)
    if not world.until(lambda: world.leader, limit, quiet=True):
        late.append(f"no leader was ready {limit:.1f} s after the new disks were accepted")
    return world.now


def _mute(state: dict[str, Any]) -> bool:
    return not state["alive"] and not state.get("failure")


def _lost(world: World) -> list[str]:
    """Return a sentence for each rule of safety that was broken, and for each node that stopped itself for one."""
    broken = check(world.trace)
    broken += second_opinion(world.trace, broken)
    stopped = [f"node {record.node} stopped itself: {record.reason}" for record in world.trace.of("broken")]
    return [*map(str, broken), *stopped]


def _what_came_of(world: World, victims: Iterable[int]) -> tuple[int, int]:
    """Return how many lives began on another folder, and how many of these folders were refused."""
    came_back = seen = 0
    replaced: set[Any] = set()
    waiting: set[Any] = set()
    for record in world.trace.records:
        if record.kind in ("wipe", "restored"):
            replaced.add(record.node)
        elif record.kind == "accepted":
            replaced.discard(record.peer)
            waiting.discard(record.peer)
        elif record.kind == "start" and record.node in replaced:
            replaced.discard(record.node)
            waiting.add(record.node)
            came_back += 1
        elif record.kind == "refused":
            seen += record.node in waiting or record.node in replaced
            came_back += record.node in replaced
            waiting.discard(record.node)
            replaced.discard(record.node)
    return came_back, seen


def summary(accidents: Iterable[Accident]) -> dict[str, Any]:
    """Return what came of many seeds, in numbers, with the first sentences of what must not be."""
    told: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    outside: list[str] = []
    late: list[str] = []
    for one in accidents:
        row = told[one.kind]
        row["seeds"] += 1
        row["messages"] += one.messages
        row["came back"] += one.came_back
        row["refused"] += one.seen
        row["lost"] += bool(one.lost)
        row["late"] += bool(one.late)
        row["inconclusive"] += bool(one.inconclusive)
        where = f"seed {one.seed}, {one.nodes} nodes, {one.kind}, victims {', '.join(map(str, one.victims))}"
        if one.lost and one.kind not in LIMITED:
            outside.append(f"{where}: {one.lost[0]}")
        if one.late and not one.lost:
            late.append(f"{where}: {one.late[0]}")
    return {
        "kinds": {kind: dict(row) for kind, row in told.items() if row},
        "lost_outside_the_limits": outside,
        "lost_within_the_limits": sum(told[kind]["lost"] for kind in LIMITED),
        "late": late,
        "ok": not outside and not late,
    }
