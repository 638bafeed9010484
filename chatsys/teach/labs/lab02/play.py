"""What the page of lab 02 plays: a chat of twelve lines, and the runs that answer the predictions.

    chat(MyLamport, MyVector, MyCausal, seed=seed)    a world after its run; each class may be left away
    shown(run, node=3)                    the lines as node 3 showed them
    answers_first(run)                    each answer that somebody was shown before its question
    lines(run, ahead=3.0)                 the lines sorted by the wall clock, that of node 1 being 3 s ahead
    my_numbers(run)                       numbers that their student explains
    rehearse(MyCausal, scenario, claim)   what a student's own test says of the student's own class

Read also `stage` (the actor), `past_and_future` (the picture), `grading.revealing`.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from random import Random
from typing import Any

from msgspec.structs import replace

from chatsys.errors import UsageError
from chatsys.sim.world import World
from chatsys.teach.grading import revealing
from chatsys.teach.grading.recording import Recording
from chatsys.teach.labs.bounded import ScenarioBounds, Steps
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab02.events import Event, events_of
from chatsys.teach.labs.lab02.stage import PEOPLE, REPLIES, TakeStep, Write, stopped, timed
from chatsys.teach.labs.rehearsal import told
from chatsys.teach.labs.seeds import recorded
from chatsys.trace import trace_of

SEED = recorded("02")["demonstration"]
"""The seed of whoever gives no name."""
OPENERS = ((1, "Shall we go to the lake?"), (2, "Who has the key?"), (3, "Is it raining?"), (1, "Who cooks tonight?"))
WITHIN, SLOWEST, END = 2.5, 1.5, 8.0
"""Seconds in which the questions are asked, that a line may take, and until the chat is over."""
QUESTION_OF = {reply: text for text, reply in REPLIES.items()}
"""answer -> what it answers"""
AHEAD = 3.0
"""So many seconds the clock of node 1 is ahead in 2b and in part (g)."""
SORTS = ("wall clock", "Lamport number", "node 1", "node 2", "node 3")
"""How the lines of a chat can be sorted: as a node showed them, or by something that travels with them."""


def chat(
    lamport: Any = None, vector: Any = None, causal: Any = None, seed: int = SEED, slowest: float = SLOWEST
) -> World:
    """Return a world after its run: four questions, an answer to each, and an answer to that."""
    network = replace(OVERTAKING, longest=slowest)
    world = World(seed, actor=timed(lamport, vector, causal), network=network, busiest=2000)
    random = Random(f"lab 02/chat/{seed}")
    moments = sorted(round(random.uniform(0.2, WITHIN), 2) for _ in OPENERS)
    for at, (node, text) in zip(moments, OPENERS, strict=True):
        world.at(at, "say", text, node, lenient=True)
    world.run(END)
    return world


def shown(run: Any, node: int) -> list[str]:
    """Return the lines of a chat in the order in which a node showed them."""
    return [f"{one.time:.2f} s  {one.author}: {one.text}" for one in trace_of(run).of("deliver") if one.node == node]


def answers_first(run: Any) -> list[str]:
    """Say of each answer that a node showed before its question, when and where that was."""
    trace = trace_of(run)
    at = {(one.node, one.text): one.time for one in trace.of("deliver")}
    found = []
    for (node, text), time in at.items():
        question = QUESTION_OF.get(text or "")
        if question is not None and at.get((node, question), END) > time:
            later = at.get((node, question))
            when = "never" if later is None else f"at {later:.2f} s"
            found.append(f"node {node} showed “{text}” at {time:.2f} s, and “{question}” {when}")
    return found


def said(run: Any) -> list[Event]:
    """Return the events in which the lines of a chat were said, in the order in which they were."""
    return [one for one in events_of(trace_of(run)) if one.kind == "says" and one.text is not None]


def in_order(run: Any, sort: str = "wall clock", ahead: float = 0.0, of: int = 1) -> list[Event]:
    """Return the lines of a chat in this order; the clock of node `of` is `ahead` seconds ahead of the others."""
    if sort not in SORTS:
        raise UsageError(f"There is no order {sort!r:.40}; write {', '.join(map(repr, SORTS))}.")
    every = said(run)
    if sort == "wall clock":
        return sorted(every, key=lambda one: wall(one, ahead, of))
    if sort == "Lamport number":
        return sorted(every, key=lambda one: (one.said, one.node))
    by_text = {one.text: one for one in every}
    node = int(sort.removeprefix("node "))
    return [by_text[one.text] for one in trace_of(run).of("deliver") if one.node == node and one.text in by_text]


def wall(event: Event, ahead: float, of: int) -> float:
    """Return the date of an event on the clock of its node."""
    return event.time + (ahead if event.node == of else 0.0)


def too_early(order: Sequence[Event]) -> list[tuple[Event, Event]]:
    """Return each answer that stands before its question in this order, with the question."""
    at = {one.text: place for place, one in enumerate(order)}
    pairs = ((one, QUESTION_OF.get(one.text or "")) for one in order)
    return [(one, order[at[text]]) for one, text in pairs if text in at and at[text] > at[one.text]]


def lines(run: Any, ahead: float = 0.0, sort: str = "wall clock", of: int = 1) -> list[str]:
    """Return the lines of a chat in this order, those that stand before what they answer marked."""
    order = in_order(run, sort, ahead, of)
    wrong = {one.name: question.text for one, question in too_early(order)}
    return [
        f"{date(wall(one, ahead, of))}  {PEOPLE.get(one.node, '')}: {one.text}"
        + (f"   <-- before its question, “{wrong[one.name]}”" if one.name in wrong else "")
        for one in order
    ]


def date(seconds: float) -> str:
    """Return a moment as a date on a clock that stood at 10:00 when the run began."""
    whole = 36_000 + seconds
    return f"{int(whole // 3600):02d}:{int(whole % 3600 // 60):02d}:{whole % 60:04.1f}"


def swapped(run: Any, ahead: float, of: int = 1) -> int:
    """Return how many pairs of lines have another order by the wall clock than the one in which they were said."""
    return sum(wall(one, ahead, of) > wall(other, ahead, of) for one, other in combinations(said(run), 2))


def my_numbers(run: Any) -> str:
    """Say what the wall clock does to the lines of a chat, and how many pairs of them nobody can order."""
    trace = trace_of(run)
    if (broken := next(iter(trace.of("broken")), None)) is not None:
        return f"Your class stopped node {broken.node} ({broken.reason}), so there is nothing to count yet."
    every = said(trace)
    apart = sum(not one.is_before(other) and not other.is_before(one) for one, other in combinations(every, 2))
    wrong = too_early(in_order(trace, "wall clock", AHEAD))
    pairs = len(every) * (len(every) - 1) // 2
    return (
        f"{len(every)} lines, {pairs} pairs; {apart} pairs are concurrent. With the clock of node 1 {AHEAD:g} s ahead "
        f"{swapped(trace, AHEAD)} pairs change their order, and {len(wrong)} answers stand before their questions; sorted by your "
        f"Lamport numbers {len(too_early(in_order(trace, 'Lamport number')))} do."
    )


def student(name: str | None = None) -> int:
    """Choose the seed of this student's runs by a name, and return it; in each of them the story of part (a) comes true."""
    return revealing.student(name, nobody=SEED, shows=shows_an_answer_first)


def shows_an_answer_first(seed: int) -> bool:
    """Tell whether a node of the demonstration shows an answer before its question, and the wall clock lies as well."""
    run = chat(seed=seed)
    first = answers_first(run)
    return any(one.startswith("node 3") for one in first) and bool(too_early(in_order(run, "wall clock", AHEAD)))


# --- what answers the predictions ----------------------------------------------------------------------

BOTH, LATER, PATHS, EARLIER, ALL = (
    "b and d, and c and e", "only b and d", "only c and e", "none of them", "all three",
)  # fmt: skip


def six_events(vector: Any, order: Any, seed: int) -> tuple[str, Any]:
    """2a: which of three pairs of the picture on the page are concurrent, by the student's own classes."""
    del seed
    nodes = [1, 2, 3]
    one, two, three = (vector(node, list(nodes)) for node in nodes)
    told: dict[str, Any] = {"a": one.send()}
    told["c"], told["b"], told["e"] = two.receive(dict(told["a"])), one.tick(), three.tick()
    told["d"] = two.send()
    told["f"] = three.receive(dict(told["d"]))
    mine = order()
    apart = [f"{x} and {y}" for x, y in ("bd", "af", "ce") if mine.concurrent(dict(told[x]), dict(told[y]))]
    named = {2: BOTH, 3: ALL, 0: EARLIER}.get(len(apart), f"only {apart[0]}" if apart else "")
    return named if len(apart) != 2 or apart == ["b and d", "c and e"] else ", and ".join(apart), None


def skewed(lamport: Any, vector: Any, causal: Any, seed: int) -> tuple[int, Any]:
    """2b: how many pairs of lines change their order when the clock of node 1 is ahead."""
    world = chat(lamport, vector, causal, seed)
    if world.failures:
        raise RuntimeError(str(world.failures[0][1]))
    return swapped(world, AHEAD), None


def numbers_and_paths(lamport: Any, seed: int) -> tuple[str, Any]:
    """2c: whether a smaller Lamport number means before, in a run of some 60 events."""
    from chatsys.teach.labs.lab02.drawing import draw_shares

    events = busy(lamport, seed)
    apart: dict[int, list[bool]] = {}
    for one in events:
        for other in events:
            if one.said < other.said:
                apart.setdefault(other.said - one.said, []).append(not one.is_before(other))
    every = [each for some in apart.values() for each in some]
    answer = PERHAPS if any(every) and not all(every) else "no" if all(every) else "yes"
    return answer, draw_shares(apart)


PERHAPS = "perhaps"


def busy(lamport: Any, seed: int) -> list[Event]:
    """Return some 60 events of three nodes with this Lamport clock."""
    random = Random(f"lab 02/busy/{seed}")
    world = World(seed, actor=timed(lamport, replies=False), network=replace(OVERTAKING, longest=0.5))
    for turn in range(40):
        node = random.choice(world.nodes)
        world.run(0.08)
        if not world.status()[node]["alive"]:
            break
        world.command(node, TakeStep() if turn % 4 == 3 else Write(1 + node % 3))
    world.run(2)
    if world.failures:
        raise RuntimeError(str(world.failures[0][1]))
    return events_of(world.trace)


# --- what a written test is played with ------------------------------------------------------------------

BOUNDS = ScenarioBounds(seconds=120.0, events=20_000, afterwards=10.0, enough="a dozen lines show")
"""Of a written test; every scenario goes on for a while, so that what is late can arrive."""
VERBS = ("say", "run", "slow", "heal")
"""What a scenario may do: nothing gets lost, for then no queue could show it."""


def play_scenario(causal: Any, steps: Steps) -> World:
    """2.6: return the world after these verbs and ten quiet seconds; its network is quick, and nobody answers by itself."""
    actor = timed(causal=causal, replies=False)
    actor.__name__ = "Timed"  # the trace has this name, and must not say whose class it is
    world = World(9, actor=actor, network=replace(OVERTAKING, longest=0.02), busiest=2000)
    return BOUNDS.play(world, steps)


def rehearse(causal: Any, scenario: Callable[[Any], None], claim: Callable[[Any], str | None]) -> World:
    """Play a scenario with a class, print what the claim says of it, and return the world, to be looked at."""
    recording = Recording(VERBS)
    scenario(recording)
    world = play_scenario(causal, recording._done)
    for sentence in stopped(world):
        print(sentence)
    print(told(causal, claim(world.trace)))
    return world
