"""The judge of 3.2, the gap request: live, since what a queue asks for decides what arrives.

Each world loses messages for a while, and its last message is lost to node 1 for sure.  Then nothing is
lost any more, so whoever asks for what is missing, and goes on asking, gets it: no right answer fails by bad luck.

Read also `stage` (who asks `missing` every 0.4 s), `runs` (what is said), `checks` (the judge of 3.1).
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from chatsys.errors import told
from chatsys.sim.world import World
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab03.reading import CAUSE, PLAIN, WAITS, numbers
from chatsys.teach.labs.lab03.runs import AUTHORS, draw_text, script
from chatsys.teach.labs.lab03.stage import AGAIN, Message, total_order
from chatsys.trace import Record, Trace

SAID = 8
"""So many messages are said."""
LOSSY, QUIET = 1.0, 10.0
"""So many seconds after the last message nothing is lost any more; at the latter everything must have arrived."""


class Ask(msgspec.Struct, frozen=True):
    """One call of `missing`, and what was returned."""

    node: int
    newest: int
    returned: int | None
    time: float
    missing: tuple[int, ...]
    """The numbers up to `newest` that this node did not have."""
    complete: bool
    """Whether it had every message that was ever said."""
    error: str = ""
    """What was wrong with the call itself: it raised, or returned something of another kind."""

    @property
    def right(self) -> int | None:
        """What had to be returned."""
        return self.missing[0] if self.missing else None

    @property
    def needless(self) -> bool:
        """Whether something was asked for that nobody needs."""
        return self.returned is not None and self.returned not in self.missing


class _Watched:
    """The student's queue at one node, with the calls of `missing` written down."""

    def __init__(self, node: int, queue: Any) -> None:
        self.node, self.queue = node, queue
        self.had: set[int] = set()
        self.asks: list[Ask] = []

    def receive(self, number: int, message: Message) -> Any:
        """Pass on what arrives."""
        self.had.add(number)
        return self.queue.receive(number, message)

    def missing(self, newest: int) -> int | None:
        """Pass on the question and the answer; it is asked at each alarm, so their count is the time."""
        missing = tuple(number for number in range(1, newest + 1) if number not in self.had)
        time = AGAIN * (len(self.asks) + 1)
        try:
            returned: int | None = self.queue.missing(newest)
        except Exception as error:
            self.asks.append(Ask(self.node, newest, None, time, missing, len(self.had) == SAID, told(error)))
            raise
        self.asks.append(Ask(self.node, newest, returned, time, missing, len(self.had) == SAID))
        return returned


class AskingRun(msgspec.Struct, frozen=True):
    """One run: the world, and every call of `missing` in order of time."""

    world: World
    asks: list[Ask]

    def of(self, node: int) -> list[Ask]:
        """Return the calls at one node."""
        return [ask for ask in self.asks if ask.node == node]


_runs: WeakKeyDictionary[Any, dict[int, AskingRun]] = WeakKeyDictionary()
"""Those of each trial, for the judges that look at the same runs."""


def play_asking(trial: Any, seed: int) -> AskingRun:
    """Return the run of this seed, in which the student's queues ask for what is missing.

    The last message is said on the sequencer while its link to node 1 is cut, so nothing follows that could show the gap.
    """
    runs = _runs.setdefault(trial, {})
    if seed not in runs:
        watched: list[_Watched] = []

        def queue() -> _Watched:
            watched.append(_Watched(len(watched) + 1, trial.cls()))
            return watched[-1]

        world = _world_of(seed, queue)
        asks = sorted((ask for one in watched for ask in one.asks), key=lambda ask: ask.time)
        runs[seed] = AskingRun(world, asks)
    return runs[seed]


def _world_of(seed: int, queue: Any) -> World:
    random = Random(f"lab 03/asking/{seed}")
    network = msgspec.structs.replace(
        OVERTAKING, longest=random.choice((0.1, 0.3)), duplication=random.choice((0.0, 0.2))
    )
    world = World(seed, actor=total_order(queue, asks=True), network=network, busiest=5000)
    world.lose("*", "*", random.choice((0.1, 0.3)))
    end = round(script(world, random, SAID - 1, pause=0.3) + 3, 3)  # until then everything has its number
    world.at(end, "cut", 1, 3)
    world.at(end, "say", draw_text(random), 3, "main", AUTHORS[2])
    world.at(round(end + 0.001, 3), "reconnect", 1, 3)
    world.at(end + LOSSY, "heal", True)
    world.run(end + QUIET)
    return world


def judge_asking(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """3.2: complete, last, smallest, quiet."""
    for seed in seeds:
        run = play_asking(trial, seed)
        if run.world.failures:
            where = next((node for node in run.world.nodes if node == run.world.failures[0][0]), None)
            yield _of_run(RUNS, run, _tell_failure(run.world), where)
            return
        for node in run.world.nodes[:-1]:
            yield from _judge_gaps(node, run)
        yield from _judge_asks(run)


def _tell_failure(world: World) -> str:
    node, why = world.failures[0]
    broke = f"{why}; give a number or None" if why.startswith("missing returned") else f"your class raised {why}"
    return f"node {node} stopped at {world.trace.of('broken')[0].time:.2f} s, because {broke}"


def _judge_gaps(node: int, run: AskingRun) -> Iterator[Finding]:
    """Find what never arrived at this node."""
    received = _times(run.world.trace, "receive", node)
    sent = _times(run.world.trace, "send", run.world.nodes[-1])
    for number in sorted(set(sent) - set(received)):
        asked = [ask for ask in run.of(node) if ask.returned == number]
        times = f"it asked for it {len(asked)} times"
        if not asked:
            times = "it never asked for it"
        elif len(asked) == 1:
            times = f"it asked for it once, at {asked[0].time:.2f} s, and a request or its answer can be lost, too"
        if number < max(received, default=0):
            seen = next(n for n in sorted(received, key=received.__getitem__) if n > number)
            story = f"node {node} had #{seen} at {received[seen]:.2f} s and never got #{number}: {times}"
            yield _of_run("complete", run, story, node, CAUSE)
            return
        told = next((r.time for r in run.world.trace if _is_told(r, node, number)), sent[number])
        story = (
            f"the last message, #{number}, was lost on its way to node {node}. From {told:.2f} s on `newest` was {number}; "
            f"{times}" + ("" if asked else ". No message comes after the last one to show the gap")
        )
        yield _of_run("last", run, story, node, WAITS)
        return


def _judge_asks(run: AskingRun) -> Iterator[Finding]:
    """Find requests for the wrong number, and those after everything has arrived."""
    late = [ask for ask in run.asks if ask.complete and ask.returned is not None]
    if late:
        one = late[0]
        more = f", and {len(late) - 1} more times" if len(late) > 1 else ""
        story = f"node {one.node} had received everything and asked for #{one.returned} at {one.time:.2f} s{more}"
        yield _of_run("quiet", run, story + _tell_held(run, one), one.node)
    wrong = next((ask for ask in run.asks if ask.returned in ask.missing[1:]), None)
    if wrong is not None:
        story = (
            f"at {wrong.time:.2f} s node {wrong.node} lacked {numbers(wrong.missing)[1:-1]} and asked for "
            f"#{wrong.returned}; all that waits, waits for #{wrong.missing[0]}"
        )
        yield _of_run("smallest", run, story, wrong.node)


def _tell_held(run: AskingRun, ask: Ask) -> str:
    """Say where to look if what was asked for is there and waits: then it is 3.1 that goes wrong."""
    mine = [record for record in run.world.trace if record.node == ask.node and record.seq == ask.returned]
    came = any(record.kind == "receive" and record.message == "ORDERED" for record in mine)
    held = came and not any(record.kind == "deliver" and record.time <= ask.time for record in mine)
    return f"; #{ask.returned} had arrived, and `receive` of 3.1 did not let it out" if held else ""


def _is_told(record: Record, node: int, number: int) -> bool:
    return (
        record.kind == "receive" and record.message == "NEWEST" and record.node == node and (record.seq or 0) >= number
    )


def _times(trace: Trace, kind: str, node: int) -> dict[int, float]:
    """Return when each number was first sent or received by this node."""
    times: dict[int, float] = {}
    for record in trace.of(kind):
        if record.node == node and record.message == "ORDERED":
            times.setdefault(record.seq or 0, record.time)
    return times


def _steps(asks: Sequence[Ask]) -> tuple[ShownCall, ...]:
    """Return the calls of `missing` at a node as lines of a story, around the first wrong one."""
    place = next((place for place, ask in enumerate(asks) if ask.error or ask.returned != ask.right), len(asks))
    return tuple(
        ShownCall(
            call=f"missing({ask.newest})",
            returned=ask.error.removeprefix("missing returned ") or _say(ask.returned),
            expected=_say(ask.right),
            waiting=f"lacked {numbers(ask.missing)[1:-1] or 'nothing'}",
            when=f"{ask.time:.2f} s",
            wrong=ask is asks[place] if place < len(asks) else False,
            node=ask.node,
            time=ask.time,
            about=ask.missing[:1],
        )
        for ask in asks[max(0, place - 15) : place + 4]
    )


def _say(number: int | None) -> str:
    return "None" if number is None else f"#{number}"


def _of_run(aspect: str, run: AskingRun, story: str, node: int | None = None, rank: int = PLAIN) -> Finding:
    seed, trace = run.world.seed, run.world.trace.encode()
    steps = _steps(run.of(node)) if node is not None else ()
    sentence = f"With seed {seed} {story}."
    return Finding(aspect=aspect, sentence=sentence, seed=seed, trace=trace, steps=steps, rank=rank)
