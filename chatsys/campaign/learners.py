"""Learners under faults: they join, leave, crash and lose their disks while everything else goes wrong too.

    chat, faults of the swarm --> learners join through every node, with the leader dead at that moment, too;
                                  they crash, stand still, are cut off, copied back, emptied; they leave and come again
    --> mend: whoever is refused is removed, and comes anew --> calm --> judge

Promises  a verdict for each seed: what was broken, what did not happen in time, and how much of everything happened.
Read also `one_seed` (the same without learners), `lost_disks` (members that lose their disks), `protocol.learning`.
"""

from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Effects, Send
from chatsys.actor.events import LinkUp
from chatsys.campaign.liveness import judge_live
from chatsys.campaign.one_seed import AUTHORS, cluster_of
from chatsys.check import check
from chatsys.check.frames import check_frames
from chatsys.check.histories import second_opinion
from chatsys.errors import Runaway
from chatsys.faults import KINDS as SWARM
from chatsys.faults import random_script
from chatsys.faults.profiles import named_setting
from chatsys.faults.verbs import DOWN
from chatsys.protocol.messages import Join, Leave
from chatsys.sim.world import World

CALM = 32.0
MOST = 3
"""Learners in one world."""
KINDS = ("crash", "pause", "cut", "part", "wipe", "copy", "leave", "leave while down", "disk", "lose")


class Season(msgspec.Struct, frozen=True):
    """One seed: what happened to its learners, and what came of it."""

    seed: int
    nodes: int
    learners: int
    counts: dict[str, int]
    """How often something happened."""
    broken: tuple[str, ...]
    """Sentences of what was broken."""
    late: tuple[str, ...]
    """Sentences of what did not happen in time, or should not have happened."""
    inconclusive: str = ""


class Outsider(Actor):
    """Says LEAVE for learners whose folders it does not know, asks whom to join, and calls itself a member."""

    def start(self, now: float) -> Effects:
        """Begin to knock."""
        self.links: set[int] = set()
        self.alarms.set("knock", now + 0.5)
        return []

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Learn who is there."""
        if isinstance(message, LinkUp) and isinstance(sender, int):
            self.links.add(sender)
        return []

    def on_alarm(self, name: Any, now: float) -> Effects:
        """Say something to somebody."""
        self.alarms.set("knock", now + self.random.expovariate(1.0))
        if not self.links:
            return []
        members = self.config.ids
        about, folder = members[-1] + self.random.randint(1, MOST), f"{self.random.getrandbits(128):032x}"
        said = self.random.choice((Leave(about, folder, "out"), Join(about), Join(members[0], "", folder, "out")))
        return [Send(self.random.choice(sorted(self.links)), said)]


def play(seed: int, nodes: int = 3, seconds: float = 20.0, **options: Any) -> Season:
    """Play one seed; `options` are those of `World` (parts, actor)."""
    chance = Random(f"{seed}/learners")
    config, network = cluster_of(named_setting(seed, SWARM, None), nodes)
    world = World(seed, config, network=network, turn=chance.choice((0.0, 0.0, 0.01)), **options)
    ids = tuple(range(nodes + 1, nodes + 2 + chance.randrange(MOST)))
    inconclusive = ""
    late: list[str] = []
    try:
        random_script(chance, world.nodes, seconds).play(world, lenient=True)
        for learner in ids:
            _life(chance, world, learner, seconds)
        _talk(chance, world, ids, seconds)
        if chance.random() < 0.3:
            world.add_client("outsider", lambda *made_of, **_: Outsider(*made_of))
        world.run(seconds)
        world.mend()
        accepted = _clean_up(world, ids, late)
        world.run(CALM)
        late += [found.sentence for found in judge_live(world, accepted).violations]
        late += _unwell(world)
    except Runaway as error:
        inconclusive = str(error)
    return Season(
        seed=seed, nodes=nodes, learners=len(ids), counts=_counts(world), broken=tuple(_broken(world)), late=tuple(late),
        inconclusive=inconclusive,
    )  # fmt: skip


def _talk(chance: Random, world: World, ids: tuple[int, ...], seconds: float) -> None:
    """Let people talk; some stick to a member, some to a learner that may not be there yet."""
    for author in AUTHORS:
        home = chance.choice((None, *world.nodes, *ids))
        time, number = chance.uniform(0.0, 2.0), 0
        while time < seconds:
            number += 1
            world.at(time, "say", f"{author} {number}", home, "main", author, lenient=True)
            time += chance.expovariate(1.5)
        world.at(seconds + CALM * 0.6, "say", f"{author} is back", None, "main", author)


def _life(chance: Random, world: World, me: int, seconds: float) -> None:
    """Schedule what becomes of one learner."""
    at = chance.uniform(0.0, seconds * 0.6)

    def do(verb: str, *args: Any, after: float = 0.0) -> None:
        nonlocal at
        at = min(at + after, seconds)  # whatever begins is over when everything is mended
        world.at(at, verb, *args, lenient=True)

    if chance.random() < 0.3:  # the leader is dead at that moment
        do("crash", "leader")
        world.at(at + chance.uniform(0.3, 4.0), "mend" if chance.random() < 0.1 else "heal", lenient=True)
        for node in world.nodes:
            world.at(at + chance.uniform(0.5, 4.0), "restart", node, lenient=True)
    do("join", me, chance.choice(world.nodes), after=0.001)
    while at < seconds - 1.0:
        at += chance.expovariate(0.5)
        if at >= seconds:
            break
        _trouble(chance, world, me, do)


def _trouble(chance: Random, world: World, me: int, do: Any) -> None:
    """Schedule one thing that happens to a learner, and mostly its end."""
    soon = chance.choice((0.01, 0.3, 2.0))
    match chance.choice(KINDS):
        case "crash":
            do("crash", me)
            do("restart", me, after=soon)
        case "pause":
            do("pause", me)
            do("resume", me, after=soon)
        case "cut":
            node = chance.choice(world.nodes)
            do("cut", me, node, chance.random() < 0.3)
            do("reconnect", me, node, after=chance.choice((0.3, 3.0, 6.0)))
        case "part":
            node = chance.choice(world.nodes)
            do("partition", (me, node), tuple(other for other in world.nodes if other != node))
            do("heal", after=chance.choice((0.3, 3.0, 6.0)))
        case ("wipe" | "copy") as verb:
            _with_folder(chance, verb, me, do, soon)
        case "leave":
            do("leave", me)
            do("join", me, chance.choice(world.nodes), after=chance.choice((0.05, 1.0, 3.0)))
        case "leave while down":
            do("crash", me)
            do("leave", me, after=soon)
            do("restart", me, after=soon)
            do("join", me, chance.choice(world.nodes), after=chance.choice((0.05, 1.0, 3.0)))
        case "disk":
            do("disk", me, chance.choice(("slow", "full", "failing")))
            do("disk", me, "ok", after=soon)
            do("restart", me, after=0.1)
        case "lose":
            do("lose", me, chance.choice(world.nodes), chance.choice((0.2, 0.6)))


def _with_folder(chance: Random, verb: str, me: int, do: Any, soon: float) -> None:
    """Schedule what happens to the folder of a learner: it is emptied, or an older copy comes back."""
    if verb == "copy":
        do("copy", me)
        do("crash", me, after=chance.uniform(0.2, 3.0))
        do("restore", me)
        do("restart", me, after=soon)
        return
    if chance.random() < 0.7:
        do("crash", me)
    do("wipe", me)
    do("crash", me, after=chance.uniform(0.0, 0.5))
    do("restart", me, after=0.001)
    if chance.random() < 0.6:  # the emptied one was refused: let the old one go, and come anew
        do("leave", me, after=chance.uniform(0.1, 2.0))
        do("restart", me, after=chance.uniform(0.1, 4.0))


def _clean_up(world: World, ids: Iterable[int], late: list[str]) -> float:
    """Let go whoever is refused, and start it again; who has left comes anew, for people stick to it; return when it was done."""
    limit = 4 * (world.config.timing.heartbeat_timeout + world.config.timing.heartbeat_spread)
    if not world.until(lambda: world.leader, limit, quiet=True):
        late.append(f"no leader was ready {limit:.1f} s after everything was mended")
    world.run(DOWN + 0.2)
    for learner in ids:
        if (
            learner not in world.learners
        ):  # an old copy of its folder may have left, and not the one by which it is known
            world.join(learner)
    world.run(3.0)
    for learner in world.learners:
        if not world._life(learner)[0]:
            world.leave(learner)
            world.run(3.0)
            if learner in world.learners and not world._life(learner)[0]:
                world.restart(learner)
    return world.now


def _unwell(world: World) -> Iterable[str]:
    """Tell which learners are not well in the end."""
    state = world.status()
    for learner in world.learners:
        one = state[learner]
        if not one["alive"]:
            yield f"learner {learner} is down: {one.get('failure')}"
        elif not one["ready"]:
            yield f"learner {learner} was not taken in: {one['waits_for']}"
        elif one["delivered"] != state[world.nodes[0]]["delivered"]:
            yield f"learner {learner} has {one['delivered']} messages, node {world.nodes[0]} {state[world.nodes[0]]['delivered']}"
    emptied: set[Any] = set()
    for record in world.trace.records:
        if record.kind in ("wipe", "restored"):
            emptied.add(record.node)
        elif record.kind == "refused" and record.node not in (*world.nodes, *emptied):
            yield f"learner {record.node} was refused although its folder was not emptied: {record.reason}"


def _broken(world: World) -> list[str]:
    broken = [*check(world.trace), *check_frames(world.trace)]
    broken += second_opinion(world.trace, broken)
    stopped = [f"node {record.node} stopped itself: {record.reason}" for record in world.trace.of("broken")]
    return [*map(str, broken), *stopped]


def _counts(world: World) -> dict[str, int]:
    """Return how often something happened to learners."""
    counts: Counter[str] = Counter()
    members = set(world.nodes)
    for record in world.trace.records:
        if record.kind == "ack":
            counts["acknowledged"] += 1
        elif record.kind == "learner" and record.node == min(members):
            counts[f"entries: {record.reason}"] += 1
        elif isinstance(record.node, int) and record.node not in members:
            if record.kind in ("start", "admitted", "refused", "crash", "wipe", "restored", "stop"):
                counts[record.kind] += 1
            elif record.kind == "deliver":
                counts["delivered"] += 1
    return dict(counts)


def summary(seasons: Iterable[Season]) -> dict[str, Any]:
    """Return what came of many seeds, in numbers, with the first sentences of what must not be."""
    counts: Counter[str] = Counter()
    broken: list[str] = []
    late: list[str] = []
    inconclusive = seeds = learners = 0
    for one in seasons:
        seeds, learners = seeds + 1, learners + one.learners
        counts.update(one.counts)
        where = f"seed {one.seed}, {one.nodes} nodes"
        if one.broken:
            broken.append(f"{where}: {one.broken[0]}")
        if one.late:
            late.append(f"{where}: {one.late[0]}")
        inconclusive += bool(one.inconclusive)
    return {
        "seeds": seeds, "learners": learners, "counts": dict(sorted(counts.items())), "broken": broken, "late": late,
        "inconclusive": inconclusive, "ok": not broken and not late,
    }  # fmt: skip
