"""The worlds of the page: three nodes in which only silence tells that a node is gone.

    new_world(seed)                            a world in which nothing has happened yet
    outage(seed, "crash", said=0.5)            the leader falls silent at 4 s, somebody speaks half a second later
    who_told(world)                            who told node 2 that its leader is gone
    my_numbers(world)                          two numbers of a run that its student explains
    for_real(my_story)                         the same script on three processes, in real time

The machine of a dead process closes its connections, and by default the chat takes that for news: the outage is then so short
that nobody sees it.  Here it does not (`fast_suspect=False`), as if somebody had pulled the plug of the whole machine.

Read also `figures.outages` (how such a run looks), `picture` (the same with knobs), `grading.revealing` (who asks these runs).
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chatsys.config import ClusterConfig
from chatsys.errors import UsageError
from chatsys.sim.world import World
from chatsys.teach.grading import revealing
from chatsys.teach.labs.lab00.seen import gaps_of, messages_of, seconds
from chatsys.teach.labs.seeds import recorded
from chatsys.trace import Trace, trace_of

if TYPE_CHECKING:
    from chatsys.teach.figures.outages import LeaderGap, Message

NODES = 3
AT, AFTER = 4.0, 0.05
"""When the leader falls silent in the run of the predictions, and how long after that somebody speaks (seconds)."""
END = 9.0
"""When that run ends."""
FIRST, SECOND = "good morning", "is anybody there?"
SEED = recorded("00")["demonstration"]
"""The seed of whoever gives no name."""
WAYS = ("crash", "pause", "cut off")
"""How a leader falls silent: its power is gone; it sleeps and wakes up; its cable is pulled and put back."""
LATER = 6.0
"""After so many seconds what fell silent is back."""

NOT_ITS_OWN = ("crash", "drop")
"""Kinds of records about a node that the world writes: nobody was there who could have."""


def configured(links_tell: bool = False) -> ClusterConfig:
    """Return the three nodes of this lab; with `links_tell` a connection that breaks is news."""
    return ClusterConfig.of(NODES, fast_suspect=links_tell)


def new_world(seed: int = SEED, *, links_tell: bool = False) -> World:
    """Return a world of three nodes in which nothing has happened yet."""
    return World(seed, configured(links_tell))


def student(name: str | None = None) -> int:
    """Choose the seed of this student's runs by a name, and return it; in each of them the story of the page comes true."""
    return revealing.student(name, nobody=SEED, shows=shows_an_outage)


def silenced(seed: int) -> World:
    """Return the run of the predictions after its end."""
    world = new_world(seed)
    world.run(AT / 2)
    world.say(FIRST)
    world.run(AT / 2)
    world.crash(leader_of(world))
    world.run(AFTER)
    world.say(SECOND)
    world.run(END - AT - AFTER)
    return world


def shows_an_outage(seed: int) -> bool:
    """Tell whether node 3 leads and crashes in the run of this seed, and another one leads and shows the message at its end."""
    world = silenced(seed)
    gaps = gaps_of(world.trace)
    return len(gaps) == 1 and gaps[0].end is not None and world.leader == 2 and SECOND in world.delivered(1)


def leader_of(world: Any) -> int:
    """Return who leads; a world that has run for a second has a leader."""
    leader = world.leader
    assert isinstance(leader, int), "nobody leads yet: let the world run for a second first"
    return leader


def outage(seed: int = SEED, way: str = "crash", said: float = 0.5, *, links_tell: bool = False) -> World:
    """Return a run in which the leader falls silent at 4 s and is back 6 s later; somebody speaks `said` seconds after 4 s.

    `way` is one of `WAYS`.  Raises `UsageError` for another one, or for a time beyond -3 to 9 s.
    """
    if way not in WAYS:
        raise UsageError(f"The leader cannot fall silent by {way!r:.40}; write one of {', '.join(map(repr, WAYS))}.")
    if isinstance(said, bool) or not isinstance(said, int | float) or not -3 <= said <= 9:
        raise UsageError(
            f"said is {said!r:.40}; write seconds from -3 to 9, counted from when the leader falls silent."
        )
    world = new_world(seed, links_tell=links_tell)
    world.run(1)
    gone = leader_of(world)
    others = [node for node in world.nodes if node != gone]
    world.at(AT + said, "say", SECOND)
    first: dict[str, tuple[Any, ...]] = {
        "crash": ("crash", gone), "pause": ("pause", gone), "cut off": ("partition", (gone,), tuple(others))
    }  # fmt: skip
    then: dict[str, tuple[Any, ...]] = {"crash": ("restart", gone), "pause": ("resume", gone), "cut off": ("heal",)}
    world.at(AT, *first[way])
    world.at(AT + LATER, *then[way])
    world.run(AT + LATER + 4)
    return world


def told_by(script: Callable[[Any], Any]) -> World:
    """Return a world after a student's script."""
    world = new_world()
    script(world)
    return world


# --- what a run says -------------------------------------------------------------------------------------


def first_outage(trace: Trace) -> "LeaderGap | None":
    """Return the first time in which nobody led, if there was one."""
    return next(iter(gaps_of(trace)), None)


def who_told(run: Any) -> str:
    """Say what the node that crashed told the others, and how the first of them came to suspect it."""
    trace = trace_of(run)
    crash = next(iter(trace.of("crash")), None)
    if crash is None:
        return "No node crashed in this run."
    back = next((one.time for one in trace.of("restart") if one.node == crash.node), float("inf"))
    own = [
        one
        for one in trace.records
        if one.node == crash.node and one.kind not in NOT_ITS_OWN and crash.time < one.time < back
    ]
    told = f"{len(own)} records" if own else "No record"
    sentence = f"{told} of node {crash.node} after {crash.time:.2f} s: it told nobody."
    suspicion = next((one for one in trace.of("suspect") if one.time > crash.time), None)
    if suspicion is None:
        return f"{sentence} Nobody suspected it up to {trace.records[-1].time:.2f} s."
    after = seconds(suspicion.time - crash.time)
    return f"{sentence} Node {suspicion.node} suspected it at {suspicion.time:.2f} s, {after} later, because it heard nothing."


def my_numbers(run: Any) -> str:
    """Say how long nobody led, and how long the message waited that was said meanwhile."""
    trace = trace_of(run)
    gap = first_outage(trace)
    if gap is None:
        return "Somebody led at all times in this run; crash the node that leads."
    told = f"Nobody led from {gap.start:.2f} s on, for {seconds(gap.length)}."
    waited = _waited(messages_of(trace), gap)
    if waited is None:
        return f"{told} Nothing was said in that time."
    return f"{told} The message that was said at {waited.said:.2f} s {_shown(waited)}."


def _waited(messages: "list[Message]", gap: "LeaderGap") -> "Message | None":
    return next((one for one in messages if gap.has(one.said)), None)


def _shown(one: "Message") -> str:
    if not one.shown:
        return "was never shown to anybody"
    node = min(one.shown, key=lambda node: one.shown[node])
    return f"was first shown by node {node} at {one.shown[node]:.2f} s, {seconds(one.shown[node] - one.said)} later"


# --- what answers the predictions ----------------------------------------------------------------------


def leads_at_the_end(*, seed: int) -> tuple[str, Any]:
    """0a: who leads five seconds after the crash."""
    world = silenced(seed)
    return (f"node {world.leader}" if world.leader is not None else "nobody"), None


def without_a_leader(*, seed: int) -> tuple[float, Any]:
    """0b: for how many seconds nobody is the leader."""
    from chatsys.teach.figures import outages

    world = silenced(seed)
    gap = first_outage(world.trace)
    return round(gap.length if gap is not None else 0.0, 2), outages(world.trace)


def how_often_shown(*, seed: int) -> tuple[str, Any]:
    """0c: how often node 1 shows the message that was said just after the crash."""
    count = silenced(seed).delivered(1).count(SECOND)
    return ("never", "once", "twice")[min(count, 2)], None


# --- in real time --------------------------------------------------------------------------------------------


def for_real(script: Callable[[Any], Any], where: str = "processes") -> Any:
    """Play a script on three nodes in real time and return their history; None while a notebook is graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    from chatsys.runtime.cluster import Cluster

    if isinstance(script, type) or not callable(script):
        raise UsageError(f"{script!r:.60} is no script; give your function, without brackets: for_real(my_story).")
    with Cluster(configured(), where=where) as cluster:  # type: ignore[arg-type]
        cluster.until(lambda: cluster.leader is not None, limit=15)
        try:
            script(cluster)
        except NotImplementedError:
            print("Your story is not written yet, so nothing was played.")
            return None
        cluster.run(1)
        return cluster.trace
