"""What the page of lab 06 plays: a crash in the middle of a broadcast, a leader that sleeps, with and without the fence.

    cut_short(MyFailOver, seed, to=(1,))       the leader crashes after it has sent its last message to node 1 only
    sleeper(MyFailOver, seed, pause=4)         the leader sleeps for 4 s; the same without the fence: fence=False
    both(MyFailOver, seed)                     these two laid over each other: `compare`
    fence(MyFailOver, seed), sliders(...)      a figure of both, and with a slider for the pause
    screens(run), my_numbers(run)              who shows what; two numbers that their student explains
    rehearse(MyFailOver, scenario, claim)      what a student's own test says of the student's own class

Read also `stage` (the actor), `figures.fences` (the picture), `grading.revealing`.
"""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from chatsys.errors import UsageError
from chatsys.faults.arguments import check_seconds
from chatsys.sim.world import World
from chatsys.teach.grading import revealing
from chatsys.teach.grading.recording import Recording
from chatsys.teach.labs.bounded import ScenarioBounds, Steps
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab06.asking import stopped
from chatsys.teach.labs.lab06.frames import Numbered
from chatsys.teach.labs.lab06.runs import BUSIEST
from chatsys.teach.labs.lab06.stage import fail_over
from chatsys.teach.labs.rehearsal import told
from chatsys.teach.labs.seeds import recorded
from chatsys.trace import Trace, trace_of

SEED = recorded("06")["demonstration"]
"""The seed of whoever gives no name."""
SLEEPS, PAUSE = 3.0, 4.0
"""When the leader of `sleeper` falls asleep, and for how long (seconds)."""
CRASHES = 2.0
"""When the leader of `cut_short` crashes."""
LONGEST_PAUSE = 8.0
NAMES = ("with the fence", "without it")


def cut_short(fails_over: Any, seed: int = SEED, to: Iterable[int] = (1,)) -> World:
    """Return a world after its run: node 3 gives out #5 “pay”, which reaches the nodes `to` only, and crashes at 2 s."""
    reached = _some_of(to)
    world = _world(fails_over, seed)
    for at, (node, text) in enumerate(((1, "hello"), (2, "hi"), (1, "tea?"), (2, "yes"))):
        _say(world, 0.3 + 0.3 * at, node, text)
    for node in (1, 2):
        if node not in reached:
            world.at(CRASHES - 0.25, "cut", 3, node, True, lenient=True)
    _say(world, CRASHES - 0.2, 3, "pay")
    world.at(CRASHES, "crash", 3, lenient=True)
    world.at(CRASHES + 0.01, "heal", lenient=True)
    _say(world, CRASHES + 0.5, 1, "late")
    world.run(9.0)
    return world


def sleeper(fails_over: Any, seed: int = SEED, pause: float = PAUSE, fence: bool = True) -> World:
    """Return a world after its run: node 3 is paused at 3 s, for `pause` seconds; without `fence` every frame may pass."""
    check_seconds("pause", pause)
    if not 0.1 <= pause <= LONGEST_PAUSE:
        raise UsageError(f"pause is {pause:g}; give a number from 0.1 to {LONGEST_PAUSE:g} seconds.")
    world = _world(fails_over if fence else without_fence(fails_over), seed)
    for at, (node, text) in enumerate(((1, "hello"), (2, "hi"), (1, "tea?"), (2, "yes"))):
        _say(world, 0.4 + 0.5 * at, node, text)
    world.at(SLEEPS, "pause", 3, lenient=True)
    _say(world, SLEEPS + 0.05, 3, "good night")  # it stands on a screen that does not move
    _say(world, SLEEPS + 0.3, 1, "still there?")
    _say(world, SLEEPS + 0.35, 2, "no")
    world.at(SLEEPS + pause, "resume", 3, lenient=True)
    _say(world, SLEEPS + pause + 0.15, 1, "pay")
    world.run(SLEEPS + pause + 5.0)
    return world


def without_fence(fails_over: Any) -> Any:
    """Return this class with its fence taken away: it is asked as before, and every frame passes."""

    class Open(fails_over):  # type: ignore[misc]
        """Lets everything pass."""

        def admits(self, kind: str, term: int, sender: int) -> bool:
            super().admits(kind, term, sender)
            return True

    Open.__name__ = getattr(fails_over, "__name__", "Open")
    return Open


def both(fails_over: Any, seed: int = SEED, pause: float = PAUSE) -> Any:
    """Return the run of `sleeper` with the fence and without it, laid over each other; nothing while a notebook is graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    from chatsys.teach.widgets.timeline.comparing import compare

    one, other = (sleeper(fails_over, seed, pause, fence) for fence in (True, False))
    return compare(one, other, names=NAMES)


def fence(fails_over: Any, seed: int = SEED, pause: float = PAUSE) -> Any:
    """Return the figure of both runs: what the old leader sends after its sleep, and where it ends."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    from chatsys.teach.figures.fences import draw_fence

    one, other = (sleeper(fails_over, seed, pause, fence).trace for fence in (True, False))
    return draw_fence(one, other, NAMES)


def sliders(fails_over: Any, seed: int = SEED) -> Any:
    """Return the figure with a slider for the pause, and below it the line of code that draws the same; nothing while graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    from ipywidgets import HTML, Output, VBox

    from chatsys.teach.widgets.slider import slider, steps

    name = getattr(fails_over, "__name__", "MyFailOver")
    pause = slider("the leader sleeps", steps(0.5, LONGEST_PAUSE, 0.5), PAUSE, "{:.1f} s")
    code, shown = HTML(), Output()

    def draw(_: Any = None) -> None:
        code.value = f"<code>fence({name}, seed, pause={pause.value:g})</code>"
        shown.outputs = (_as_output(fence(fails_over, seed, pause.value)),)

    pause.observe(draw, names="value")
    draw()
    return VBox([pause, code, shown])


def _as_output(figure: Any) -> dict[str, Any]:
    """Return a figure as an output of a cell, with the ground and the ink of the page: for a widget that shows outputs."""
    from chatsys.teach.figures import describe
    from chatsys.teach.figures.page import follow_page

    drawn = follow_page(json.loads(figure.to_json()))
    data = {"application/vnd.plotly.v1+json": drawn, "text/plain": describe(figure)}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def screens(run: Any) -> dict[int, dict[int, str]]:
    """Return what each node shows: node -> number -> text; a void number has the text ""."""
    found: dict[int, dict[int, str]] = {node: {} for node in trace_of(run).nodes}
    for one in trace_of(run).of("deliver", "void"):
        if one.seq is not None and one.node in found:
            found[one.node].setdefault(one.seq, one.text or "")
    return {node: dict(sorted(screen.items())) for node, screen in found.items()}


def my_numbers(run: Any) -> str:
    """Say when the old leader woke up, how many of its frames were refused, and for how long it believed that it leads."""
    trace = trace_of(run)
    if (broken := next(iter(trace.of("broken")), None)) is not None:
        return f"Your class stopped node {broken.node} ({broken.reason}), so there is nothing to count yet."
    woke = next((one for one in trace.of("resume")), None)
    led = list(trace.of("lead"))
    if woke is None or len(led) < 2:
        return "No second node led in this run, so there is nothing to count yet."
    follows = next((one for one in trace.of("follow") if one.node == woke.node and one.time >= woke.time), None)
    until = trace[-1].time if follows is None else follows.time
    refused = [one for one in trace.of("refuses") if one.peer == woke.node]
    return (
        f"Node {led[1].node} led term {led[1].term} from {led[1].time:.2f} s on, and node {woke.node} still led term {led[0].term} until "
        f"{until:.2f} s: for {until - led[1].time:.2f} s both led. {len(refused)} frames of node {woke.node} were refused."
    )


def student(name: str | None = None) -> int:
    """Choose the seed of this student's runs by a name, and return it; in each of them the story of part (a) comes true."""
    return revealing.student(name, nobody=SEED, shows=shows_the_story)


def shows_the_story(seed: int) -> bool:
    """Tell whether in the run of part (a) number 5 is two messages, and in that of 6c the old leader changes a chat."""
    found = screens(cut_short(_GoesOn, seed))
    return found[1].get(5) == "pay" != found[2].get(5) is not None and _harms(sleeper(_GoesOn, seed))


def _harms(unfenced: World) -> bool:
    """Tell whether somebody shows a message of the old leader after its sleep; it may come too late for that by chance."""
    shown = unfenced.trace.of("deliver")
    return any(one.entry_term == 3 and one.node != 3 and one.time > SLEEPS + PAUSE for one in shown)


class _GoesOn:
    """The class of the demonstration: the new leader goes on behind what it has itself."""

    def __init__(self, me: int) -> None:
        self.me, self.given = me, dict[tuple[str, int], Numbered]()
        self.term = self.count = 0

    def admits(self, kind: str, term: int, sender: int) -> bool:
        return True

    def lead(self, term: int, answers: dict[int, list[Numbered]]) -> list[Numbered]:
        self.term, self.count = term, len(answers[self.me])
        return []

    def order(self, author: str, post: int, text: str) -> Numbered:
        if (author, post) not in self.given:
            self.count += 1
            self.given[author, post] = Numbered(self.term, self.count, author, post, text)
        return self.given[author, post]


def _world(fails_over: Any, seed: int) -> World:
    return World(seed, 3, actor=fail_over(fails_over), network=OVERTAKING, busiest=BUSIEST)


def _say(world: World, time: float, node: int, text: str) -> None:
    """Let ann say this at node 1, bob at node 2, cid at node 3."""
    world.run(max(0.0, time - world.now))
    if world.status()[node]["alive"]:
        world.say(text, node, author=("ann", "bob", "cid")[node - 1])


def _some_of(to: Iterable[int]) -> set[int]:
    reached = set(to)
    if not reached <= {1, 2}:
        raise UsageError(f"to is {sorted(map(str, reached))}; name some of the followers, 1 and 2: to=(1,).")
    return reached


def _of(world: World) -> Trace:
    """Return the trace of a world in which no class has stopped its node."""
    if world.failures:
        raise UsageError(f"{stopped(world)[0]}; mend that before you count.")
    return world.trace


# --- what answers the predictions ----------------------------------------------------------------------


def is_delivered(fails_over: Any, seed: int) -> tuple[bool, Any]:
    """6a: whether "pay" is shown in the end by both nodes that are up."""
    world = cut_short(fails_over, seed)
    found = screens(_of(world))
    return all("pay" in found[node].values() for node in (1, 2)), None


def frames_refused(fails_over: Any, seed: int) -> tuple[int, Any]:
    """6b: how many frames of the old leader are refused."""
    trace = _of(sleeper(fails_over, seed))
    return len(trace.of("refuses")), None


def parts_at(fails_over: Any, seed: int) -> tuple[int, Any]:
    """6c: the first number under which some node shows something else when there is no fence; 0 if there is none."""
    one, other = (screens(_of(sleeper(fails_over, seed, fence=fence))) for fence in (True, False))
    apart = [
        number
        for node in one
        for number in one[node].keys() | other[node].keys()
        if one[node].get(number) != other[node].get(number)
    ]
    return min(apart, default=0), fence(fails_over, seed)


# --- what a written test is played with ------------------------------------------------------------------

BOUNDS = ScenarioBounds(seconds=300.0, events=20_000, afterwards=10.0, enough="a few messages and faults show")
"""Of a written test; every scenario goes on for a while, so that a fail-over can come to its end."""
VERBS = ("say", "crash", "pause", "resume", "cut", "reconnect", "partition", "heal", "slow", "at", "run")
"""What a scenario may do."""


def play_scenario(fails_over: Any, steps: Steps) -> World:
    """6.2: return the world after these verbs and ten quiet seconds; its network is quick."""
    network = replace(OVERTAKING, longest=0.02)
    actor = fail_over(fails_over)
    actor.__name__ = "FailingOver"  # the trace has this name, and must not say whose class it is
    return BOUNDS.play(World(6, 3, actor=actor, network=network, busiest=BUSIEST), steps)


def rehearse(fails_over: Any, scenario: Callable[[Any], None], claim: Callable[[Any], str | None]) -> World:
    """Play a scenario with a class, print what the claim says of it, and return the world, to be looked at."""
    recording = Recording(VERBS)
    scenario(recording)
    world = play_scenario(fails_over, recording._done)
    for sentence in stopped(world):
        print(sentence)
    print(told(fails_over, claim(world.trace)))
    return world
