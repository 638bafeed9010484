"""What the page of lab 08 plays and counts: whose runs these are, the numbers to be explained, predictions, a student's own test.

    rejoin(MyCatchUp, seed, gap=200, rate=10)      node 2 comes back while people talk on (`rejoining`)
    my_numbers(run)                                the numbers that their student explains
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
from chatsys.teach.labs.lab08.picture import lag
from chatsys.teach.labs.lab08.rejoining import (
    BEFORE,
    NODE,
    SEED,
    came_by_history,
    came_live,
    level_after,
    rejoin,
    returned,
    screens,
    seam,
)
from chatsys.teach.labs.lab08.runs import BUSIEST, INSTANT
from chatsys.teach.labs.lab08.stage import catch_up
from chatsys.teach.labs.rehearsal import told
from chatsys.trace import Trace, trace_of


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
    print(told(catches_up, claim(world.trace)))
    return world
