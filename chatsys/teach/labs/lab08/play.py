"""What the page of lab 08 plays: a node that comes back while people talk on.

    rejoin(MyCatchUp, seed, gap=200, rate=10)      node 2 has missed 200 messages; 10 a second are said while it catches up
    rejoin(..., room=20)                           and there is room for 20
    level_after(run), seam(run)                    seconds until nothing is missing; the last number that came by history
    screens(run), my_numbers(run)                  who shows what; the numbers that their student explains
    rehearse(MyCatchUp, scenario, claim)           what a student's own test says of the student's own class

Read also `stage` (the actor), `picture` (lag over time), `grading.revealing`.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from chatsys.errors import UsageError
from chatsys.sim.world import World
from chatsys.teach.grading import revealing
from chatsys.teach.grading.recording import Recording
from chatsys.teach.labs.bounded import ScenarioBounds, Steps
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab03.stage import Message
from chatsys.teach.labs.lab08.asking import stopped
from chatsys.teach.labs.lab08.frames import AskFor
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


def my_numbers(run: Any) -> str:
    """Say what node 2 had missed, what was fetched, what was kept meanwhile, where the seam is, and when it was level."""
    trace = trace_of(run)
    if (broken := next(iter(trace.of("broken")), None)) is not None:
        return f"Your class stopped node {broken.node} ({broken.reason}), so there is nothing to count yet."
    since, level, last = returned(trace), level_after(trace), seam(trace)
    if level is None:
        return (
            f"Node {NODE} came back at {since:.2f} s and was never level in this run, so there is nothing to count yet."
        )
    live = came_live(trace)
    waited = [
        one for one in trace.of("deliver") if one.node == NODE and live.get(one.seq or 0, one.time) < one.time - 0.001
    ]
    kept = {one.seq for one in waited} - came_by_history(trace).keys()
    asked = [
        one
        for one in trace.of("send")
        if one.node == NODE and one.message == "REQUEST" and since <= one.time <= since + level
    ]
    had = max((one.seq or 0 for one in trace.of("deliver") if one.node == NODE and one.time < since), default=0)
    return (
        f"Node {NODE} came back at {since:.2f} s with #{had}, sent {len(asked)} requests, and was level {level:.2f} s later. The seam: #{last} was the last "
        f"one by history and #{last + 1} the first one live; {len(kept)} live messages were kept until then."
    )


def student(name: str | None = None) -> int:
    """Choose the seed of this student's runs by a name, and return it; in each of them the story of part (a) comes true."""
    return revealing.student(name, nobody=SEED, shows=shows_a_gap)


def shows_a_gap(seed: int) -> bool:
    """Tell whether in the run of part (a) node 2 leaves out a number at the seam, and only there."""
    screen = screens(rejoin(_HistoryThenLive, seed, gap=40, rate=40))[NODE]
    left = [number for number in range(1, max(screen)) if number not in screen]
    return len(set(screen)) == len(screen) and 1 <= len(left) <= 3 and left[0] > BEFORE + 40


class _HistoryThenLive:
    """The class of the demonstration: history until there is no more of it, then what comes live."""

    def __init__(self, last: int, peers: tuple[int, ...], room: int) -> None:
        self.last, self.peers, self.behind, self.turn = last, peers, True, 0

    def live(self, number: int, message: Message) -> list[Message]:
        return [] if self.behind else [message]

    def chunk(self, first: int, messages: list[Message], newest: int) -> list[Message]:
        self.last += len(messages)
        self.behind = self.last < newest
        return messages

    def ask(self, now: float) -> AskFor | None:
        if not self.behind:
            return None
        self.turn = 1 - self.turn
        return AskFor(self.peers[self.turn], self.last + 1, 10)

    def serve(self, log: list[Message], first: int, count: int) -> list[Message]:
        return [one for one in log if one.number >= first][:count]


def _of(world: World) -> Trace:
    """Return the trace of a world in which no class has stopped its node."""
    if world.failures:
        raise UsageError(f"{stopped(world)[0]}; mend that before you count.")
    return world.trace


# --- what answers the predictions ----------------------------------------------------------------------


def level_at_ten(catches_up: Any, seed: int) -> tuple[float, Any]:
    """8a: after how many seconds node 2 is level, while 10 messages a second are said."""
    return _level(catches_up, seed, rate=10)


def level_at_sixty(catches_up: Any, seed: int) -> tuple[float, Any]:
    """8b: the same with 60 messages a second."""
    return _level(catches_up, seed, rate=60)


def _level(catches_up: Any, seed: int, rate: float) -> tuple[float, Any]:
    from chatsys.teach.labs.lab08.picture import lag

    after = level_after(_of(rejoin(catches_up, seed, rate=rate)))
    return 0.0 if after is None else round(after, 1), lag(catches_up, seed, rate=rate)


def last_by_history(catches_up: Any, seed: int) -> tuple[int, Any]:
    """8c: the last number that node 2 shows because a chunk brought it."""
    return seam(_of(rejoin(catches_up, seed))), None


# --- what a written test is played with ------------------------------------------------------------------

SCENARIO = ScenarioBounds(
    seconds=120.0, events=20_000, afterwards=8.0, enough="a few dozen messages and a crash or two show"
)
"""Of a written test; every scenario goes on for a while, so that a catch-up can come to its end."""
VERBS = ("say", "crash", "restart", "pause", "resume", "cut", "reconnect", "partition", "heal", "slow", "at", "run")
"""What a scenario may do."""
TEST_ROOM = 10


def play_scenario(catches_up: Any, steps: Steps) -> World:
    """8.2: return the world after these verbs and eight quiet seconds; its network is quick, and there is room for ten."""
    actor = catch_up(catches_up, TEST_ROOM)
    actor.__name__ = "CatchingUp"  # the trace has this name, and must not say whose class it is
    world = World(8, 3, actor=actor, network=replace(OVERTAKING, longest=0.02), disk=INSTANT, busiest=BUSIEST)
    return SCENARIO.play(world, steps)


def rehearse(catches_up: Any, scenario: Callable[[Any], None], claim: Callable[[Any], str | None]) -> World:
    """Play a scenario with a class, print what the claim says of it, and return the world, to be looked at."""
    recording = Recording(VERBS)
    scenario(recording)
    world = play_scenario(catches_up, recording._done)
    for sentence in stopped(world):
        print(sentence)
    print(claim(world.trace) or "The claim accuses nobody.")
    return world
