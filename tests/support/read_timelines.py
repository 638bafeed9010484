"""Read a run twice: from what the timeline is packed from, and from the world itself; both must say the same.

    python tests/support/read_timelines.py 100 120      seeds 100 to 119, a line each

The second reading shares no code with the timeline: it looks into the simulated hosts, disks and network at a few
moments of the run, and at its end into the records, in the plainest way.
"""

import sys
import time
from collections.abc import Iterator
from random import Random
from typing import Any, cast

from chatsys import World
from chatsys.faults.swarm import random_script
from chatsys.protocol.learning.learner import Learner
from chatsys.protocol.storage import Stored, Truncate
from chatsys.teach.widgets.timeline.moment import NodeMoment, moment
from chatsys.teach.widgets.timeline.packing import Packed, pack
from chatsys.trace import Record, Trace

SECONDS = 14.0
AUTHORS = ("ann", "bob", "cem")


def played(seed: int, moments: int = 12) -> Iterator[World]:
    """Yield a world with all faults at some moments of its run."""
    chance = Random(f"timeline/{seed}")
    nodes = chance.choice((3, 3, 4, 5))
    world = World(seed, nodes, turn=0.007 if seed % 4 == 3 else 0.0)
    for turn in range(30):
        world.at(0.2 + turn * 0.4, "say", f"line {turn}", None, "main", chance.choice(AUTHORS), lenient=True)
    for fault in random_script(chance, world.nodes, SECONDS - 2, "all,shutdown"):
        world.at(fault.time, fault.verb, *fault.args, lenient=True)
    if seed % 3 == 0:
        world.at(4.0, "join", nodes + 6, lenient=True)
    if seed % 5 == 0:
        world.at(6.0, "wipe", 1, lenient=True)
        world.at(6.1, "crash", 1, lenient=True)
        world.at(7.0, "restart", 1, lenient=True)
    ends = sorted(chance.uniform(0.05, SECONDS - 2) for _ in range(moments - 3))
    for end in ends:
        world.run(end - world.now)
        yield world
    world.mend()
    yield world
    world.run(2.0)
    yield world
    world.stop()
    yield world


def differences(seed: int) -> list[str]:
    """Return in what the timeline of a run differs from the run."""
    found: list[str] = []
    world = None
    for world in played(seed):
        after = Record(world.now + 1.0, "space", reason="a record behind all others, so that nothing ends now")
        packed = pack(Trace([*world.trace, after], world.trace.meta))
        told = [*of_nodes(world, packed), *of_links(world, packed), *of_bands(world, packed)]
        found += [f"at {world.now:.3f} s: {one}" for one in told]
    assert world is not None
    return found + of_records(world.trace)


def of_nodes(world: World, packed: Packed) -> Iterator[str]:
    """Compare every node with the moment at the end of the packed trace."""
    told = moment(packed, len(packed.records) - 1)
    for node in world.everyone:
        host, state = world.simulation.hosts[node], told[node]
        alive = "paused" if host.paused else "up" if host.alive else "down"
        if state.alive != alive:
            yield f"node {node} is {alive}, told {state.alive}"
        disk = durable_places(host.disk.records[: host.disk.durable])
        durable = {box.position: box.entry_term for box in state.log if box.durable}
        if (
            host.ready and host.disk.successor is None and node in world.nodes
        ):  # what a life begins with waits for its disk
            yield from of_log(node, host.actor, state)
            waits = host.waits or world.simulation.turn > 0  # then the node is told of its disk a little later
            if durable != disk and not (waits and durable.items() <= disk.items()):
                yield f"node {node} has {disk} durable, told {durable}"
        elif (
            not host.alive and node in world.nodes and not durable.items() <= disk.items() and not replaced(world, node)
        ):
            yield f"node {node} has {disk} on its disk, told {durable}"
        if host.ready and node not in world.nodes:
            heard = [entry.seq for entry in cast(Learner, host.actor).chronicle.heard]
            if (heard, len(heard)) != ([box.position for box in state.log], state.delivered):
                yield f"learner {node} has heard {heard}, told {[box.position for box in state.log]}, {state.delivered}"


def replaced(world: World, node: int) -> bool:
    """Tell whether the folder of a node was emptied and no life of it began since."""
    kinds = [record.kind for record in world.trace if record.node == node and record.kind in ("wipe", "start")]
    return kinds[-1:] == ["wipe"]


def of_log(node: int, actor: Any, state: NodeMoment) -> Iterator[str]:
    """Compare the log, the queue and the rest of a member that runs."""
    entries = {entry.seq: (entry.term, entry.kind, entry.text) for entry in actor.state.log.entries}
    boxes = {box.position: (box.entry_term, box.kind, box.text) for box in state.log}
    if boxes != entries:
        yield f"node {node} has {entries}, told {boxes}"
    committed = [box.position for box in state.log if box.committed]
    if committed != list(range(1, actor.state.log.commit + 1)):
        yield f"node {node} has committed up to {actor.state.log.commit}, told {committed}"
    held = tuple(sorted(seq + 1 for seq in actor.receiver.early.batches))
    if state.held != held:
        yield f"node {node} holds back {held}, told {state.held}"
    now = (actor.state.role.value, actor.state.term, actor.status()["delivered"])
    if now != (state.role, state.term, state.delivered):
        yield f"node {node} is {now}, told {(state.role, state.term, state.delivered)}"


def durable_places(records: list[Any]) -> dict[int, int]:
    """Return position -> term of the entries in these records of a disk."""
    found: dict[int, int] = {}
    for record in records:
        if isinstance(record, Truncate):
            found = {seq: term for seq, term in found.items() if seq < record.first}
        elif isinstance(record, Stored):
            found = {seq: term for seq, term in found.items() if seq < record.entry.seq}
            found[record.entry.seq] = record.entry.term
    return found


def of_links(world: World, packed: Packed) -> Iterator[str]:
    """Compare the network, the disks and the clocks with the faults that are told for now."""
    network, hosts = world.simulation.network, world.simulation.hosts
    ids = [lane["id"] for lane in packed.about["lanes"]]
    now = world.now
    open_now: dict[str, set[Any]] = {}
    for begin, end, lanes, kind, _, ways in packed.about["faults"]:
        if begin <= now < end:
            open_now.setdefault(kind, set()).update(
                ((ids[a], ids[b]) for a, b in ways) if ways else (ids[lane] for lane in lanes)
            )
            if ways and {*lanes} != {lane for way in ways for lane in way}:
                yield f"{kind} touches {lanes}, and its links {ways}"
    pairs = [(a, b) for a in ids for b in ids if a != b and not (isinstance(a, str) and isinstance(b, str))]
    links = {pair: network._link(*pair) for pair in pairs}
    truth: dict[str, set[Any]] = {
        "cut": {pair for pair in pairs if links[pair].cut},
        "lose": {pair for pair in pairs if links[pair].loss},
        "slow": {pair for pair in pairs if links[pair].delay or links[pair].jitter},
        "duplicate": {pair for pair in pairs if links[pair].duplication or links[pair].late},
        "disk": {node for node in world.everyone if hosts[node].disk.health != "ok"},
        "clock": {node for node in world.everyone if hosts[node].rate != 1.0},
        "pause": {node for node in world.everyone if hosts[node].paused},
    }
    for kind, touched in truth.items():
        if open_now.get(kind, set()) != touched:
            yield f"{kind} touches {touched}, told {open_now.get(kind)}"


def of_bands(world: World, packed: Packed) -> Iterator[str]:
    """Compare what the last band of each node says with the node."""
    words = {"leader": "leads", "follower": "follows"}
    last: dict[int, list[Any]] = {}
    for band in packed.about["bands"]:
        if (before := last.get(band[0])) is not None and before[2] > band[1]:
            yield f"bands overlap: {before} {band}"
        last[band[0]] = band
    for lane, facts in enumerate(packed.about["lanes"]):
        if facts["kind"] != "node" or lane not in last:
            continue
        host = world.simulation.hosts[facts["id"]]
        what = "paused" if host.paused else words.get(host.role, host.role) if host.alive else "down"
        told = "down" if last[lane][3] == "broken" else last[lane][3]
        if told != what:
            yield f"node {facts['id']} {what}, told {last[lane]}"


def of_records(trace: Trace) -> list[str]:
    """Compare arrows and places with the records, read in the plainest way."""
    packed = pack(trace)
    columns, records = packed.columns, sorted(trace.records, key=lambda record: record.time)
    found = [] if records == packed.records else ["the events are in another order than the records"]
    sends = [at for at, record in enumerate(records) if record.kind == "send"]
    arrows = [at for at in columns["frame_send"].tolist() if at >= 0]
    if sends != arrows:
        found.append("not every frame that was sent is an arrow, once")
    ends: dict[str | None, list[int]] = {}
    for at, record in enumerate(records):
        if record.kind in ("receive", "drop") and record.id is not None:
            ends.setdefault(record.id, []).append(at)
    ids = [lane["id"] for lane in packed.about["lanes"]]
    for frame, send in enumerate(columns["frame_send"].tolist()):
        if send < 0:
            found.append(f"frame {frame} was not sent, in a run that is whole")
            continue
        record = records[send]
        if (ids[columns["frame_from"][frame]], ids[columns["frame_to"][frame]]) != (record.node, record.peer):
            found.append(f"frame {record.id} goes elsewhere")
        mine = ends.get(record.id, [])
        if columns["frame"][[send, *mine]].tolist() != [frame] * (1 + len(mine)):
            found.append(f"the events of frame {record.id} are not its own")
        came = [at for at in mine if records[at].kind == "receive"]
        fate = 3 if len(came) > 1 else 1 if came else 2 if mine else columns["frame_fate"][frame]
        end = came[0] if came else mine[0] if mine else columns["frame_end"][frame]
        if (fate, end) != (columns["frame_fate"][frame], columns["frame_end"][frame]) or (
            not mine and fate not in (0, 4)
        ):
            found.append(f"frame {record.id} has fate {columns['frame_fate'][frame]}, and should have {fate}")
        if any(columns["place"][at] < columns["place"][send] + 1 for at in mine):
            found.append(f"the arrow of {record.id} does not lead to the right")
    places = columns["place"].tolist()
    if places != sorted(places):
        found.append("places fall")
    return found + [f"event {at} has no sentence" for at in range(len(records)) if len(packed.sentence(at)) < 8]


def main() -> int:
    """Read the seeds that are named."""
    first, last = int(sys.argv[1]), int(sys.argv[2])
    wrong = 0
    for seed in range(first, last):
        begin = time.process_time()
        found = differences(seed)
        wrong += bool(found)
        print(f"seed {seed}: {len(found)} differences, {time.process_time() - begin:.1f} s of CPU")
        for one in found[:6]:
            print("   ", one[:400])
    print(f"{last - first} runs, {wrong} with differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
