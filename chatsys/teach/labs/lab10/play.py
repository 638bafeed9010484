"""What the page of lab 10 plays: a cut, with one, two or three copies that are enough, and with the student's own classes.

    cut(seed, quorum=1)                        {3} | {1, 2} from 2.5 s to 9.5 s, the chat's own rules, so many copies are enough
    cut(seed, classes=(MyCommit, MyPromise))   the same with your two classes, for 3 or more nodes
    remembered(classes, seed)                  ... and node 2, which led behind the cut, crashes before the link is mended
    figure_eight(MyCommit)                     five nodes, four leaderships: an old entry on four of them
    my_numbers(run)                            the seconds and the answers of both sides
    rehearse(MyCommit, scenario, claim)        what a student's own test says of the student's own class

Read also `picture` (how a cut is shown), `stage` (the node), `grading.revealing`.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

from chatsys.errors import UsageError
from chatsys.sim.world import World
from chatsys.teach.grading import revealing
from chatsys.teach.grading.recording import Recording
from chatsys.teach.labs.bounded import ScenarioBounds, Steps
from chatsys.teach.labs.lab10.runs import BUSIEST, CUT, END, HEAL, UNDER_WAY, CutRun
from chatsys.teach.labs.lab10.stage import agreeing, stopped
from chatsys.teach.labs.rehearsal import told
from chatsys.teach.labs.seeds import recorded

SEED = recorded("10")["demonstration"]
"""The seed of whoever gives no name."""
SAID, EVERY = 10, 0.65
"""So many messages are said on each side of the cut, one in so many seconds."""
MOST = 60
"""So many seeds are tried."""
LINES = (
    "who has the key?",
    "not me",
    "look in the shed",
    "found it",
    "tea?",
    "yes please",
    "at four",
    "ok",
    "bring cake",
    "see you",
)
"""What people say on the side of the highest node."""
OTHERS = (
    "is the train late?",
    "which one?",
    "the one at six",
    "platform two",
    "I can wait",
    "so can I",
    "it is here",
    "get in",
    "seat nine",
    "off we go",
)
"""What people say on the other side."""
NOT_SURELY = "not surely: the majority that has it need not be asked by a reader"


def cut(
    seed: int = SEED, quorum: int | None = None, classes: Sequence[Any] = (), nodes: int = 3, few: Sequence[int] = ()
) -> CutRun:
    """Return the run of a cut between the nodes `few` (the highest one, which leads) and all others.

    So many copies are enough as `quorum` says, in the chat's own rules; or the student's `classes`, MyCommit and MyPromise,
    decide.  Raises `UsageError` for what makes no cut.
    """
    apart = tuple(sorted(few or (nodes,)))
    rest = tuple(node for node in range(1, nodes + 1) if node not in apart)
    if not rest or not set(apart) <= set(range(1, nodes + 1)):
        raise UsageError(f"few is {list(few)}; name some of the nodes 1 to {nodes}, and leave some for the other side.")
    if classes and quorum is not None:
        raise UsageError("Give either quorum or classes: your classes say themselves how many copies are enough.")
    actor = agreeing(*classes) if classes else None
    world = World(seed, nodes, "majority" if quorum is None else quorum, actor=actor, busiest=BUSIEST)
    world.run(CUT)
    world.partition(apart, rest)
    for texts in zip(LINES, OTHERS, strict=True):
        for text, side in zip(texts, (apart, rest), strict=True):
            if world.status()[side[-1]]["alive"]:
                world.say(text, side[-1], author=_person(side[-1]))
        world.run(EVERY)
    world.run(HEAL - world.now)
    world.heal()
    world.run(END - HEAL)
    return CutRun(world, (apart, rest), f"With seed {seed}")


def _person(node: int) -> str:
    return ("ann", "bob", "cid", "dan", "eve")[node - 1]


def remembered(classes: Sequence[Any] = (), seed: int = SEED) -> CutRun:
    """Return the run in which node 2, which led nodes 1 and 2 behind the cut, crashes before the link is mended: 1 and 3 are left.

    Node 3, which lacks what was committed behind the cut, is the first to ask for a vote that it could get: of the seeds from
    this one on that is the first in which it would lead if nobody compared logs.
    """
    from chatsys.teach.labs.lab10.friends import LooksAtTheTerm

    if classes:
        _check(classes)

    def shows(one: int) -> bool:
        leads = list(_remembered((None, LooksAtTheTerm), one).world.trace.of("lead"))
        return len(leads) > 2 and leads[2].node == 3

    return _remembered(classes, next((one for one in range(seed, seed + MOST) if shows(one)), seed))


def _remembered(classes: Sequence[Any], seed: int) -> CutRun:
    world = World(seed, 3, actor=agreeing(*classes) if classes else None, busiest=BUSIEST)
    world.run(CUT)
    world.partition((3,), (1, 2))
    world.run(3.6)
    for text in LINES[1:4]:
        world.say(text, 1, author="ann")
        world.run(0.3)
    if world.status()[2]["alive"]:
        world.crash(2)
    world.run(HEAL - world.now)
    world.heal()
    world.run(END - HEAL)
    return CutRun(world, ((3,), (1, 2)), f"With seed {seed}")


def cut_of_three(commits: Any) -> World:
    """Return a cut run of a class for 10.1, to be looked at."""
    return cut(SEED, classes=(commits, None)).world


def cut_with_votes(promises: Any) -> World:
    """Return a cut run of a class for 10.2, to be looked at."""
    return cut(SEED, classes=(None, promises)).world


def figure_eight(commits: Any) -> World:
    """Return the run of Raft's figure 8 with this class: five nodes, the terms 1, 2, 3 and 4."""
    from chatsys.mutants.bugs.mutant import Mutant
    from chatsys.mutants.schedules import DIRECTED

    mutant = Mutant(name="a student's class", story="", killers=(), actor=agreeing(commits))
    _check((commits, None), 5)
    return DIRECTED["Q1"].play(True, mutant).world


def _check(classes: Sequence[Any], nodes: int = 3) -> None:
    """Raise `UsageError` for classes that stop a node before anything has gone wrong."""
    world = World(SEED, nodes, actor=agreeing(*classes), busiest=BUSIEST)
    world.run(1.0)
    if world.failures:
        raise UsageError(f"{stopped(world)[0]}; mend that first.")


# --- what a cut cost --------------------------------------------------------------------------------------


def lost_of(run: CutRun) -> list[str]:
    """Return the texts, each with the person who said it, that were answered ok and that some node does not show in the end."""
    return [f"{one.author}: {one.text}" for one in run.answered() if is_lost(run, one)]


def is_lost(run: CutRun, said: Any) -> bool:
    """Tell whether some node that is up does not show this message at the end of the run."""
    what = said.client, said.client_seq
    shown = {one.node for one in run.world.trace.of("deliver") if (one.client, one.client_seq) == what}
    return any(now["alive"] and node not in shown for node, now in run.world.status().items())


def answered_during(run: CutRun, side: Sequence[int]) -> list[Any]:
    """Return what was answered on this side while the link was cut."""
    return [one for one in run.answered(CUT, HEAL) if int(str(one.node).rpartition("@")[2] or 0) in side]


def silence_of(run: CutRun, side: Sequence[int]) -> float:
    """Return for how many seconds nobody on this side was answered after the cut."""
    first = [one.time for one in answered_during(run, side) if one.time > CUT + UNDER_WAY]
    late = [one.time for one in run.answered(HEAL, END) if int(str(one.node).rpartition("@")[2] or 0) in side]
    return min([*first, *late], default=END) - CUT


def my_numbers(run: CutRun) -> str:
    """Say who was answered behind the cut, after how many seconds, when the old leader stepped down, and what was lost."""
    if run.world.failures:
        return f"Your class stopped a node: {stopped(run.world)[0]}. There is nothing to count yet."
    few, rest = run.sides
    down = _steps_down(run)
    until = f"node {few[-1]} led until {down:.2f} s" if down is not None else f"node {few[-1]} went on leading"
    return (
        f"The link was cut from {CUT:.2f} s to {HEAL:.2f} s; {until}. Nodes {side_of(rest)}: no answer for {silence_of(run, rest):.2f} s, "
        f"then {len(answered_during(run, rest))} answers. Nodes {side_of(few)}: no answer for {silence_of(run, few):.2f} s, "
        f"{len(answered_during(run, few))} answers behind the cut. Of {len(run.answered())} answered messages {len(lost_of(run))} were lost."
    )


def side_of(nodes: Sequence[int]) -> str:
    """Return the nodes of a side as they are written everywhere: {1, 2}."""
    return "{" + ", ".join(map(str, nodes)) + "}"


def _steps_down(run: CutRun) -> float | None:
    roles = [one for one in run.world.trace.of("role") if one.node == run.sides[0][-1] and CUT < one.time < HEAL]
    return next((one.time for one in roles if one.role == "follower"), None)


# --- what answers the predictions ----------------------------------------------------------------------


def shown_with_two(*classes: Any, seed: int) -> tuple[int, Any]:
    """10a: how many lines said behind the cut all nodes show in the end, where two copies are needed."""
    world = cut(seed, 2).world
    shown = [
        {(one.client, one.client_seq) for one in world.trace.of("deliver") if one.node == node} for node in world.nodes
    ]
    return len(set.intersection(*shown)), None


def pairs_that_may_crash(*classes: Any, seed: int) -> tuple[int, Any]:
    """10b: with how many pairs of five nodes down somebody is still answered within twelve seconds."""
    return sum(_goes_on(seed, 5, down, classes) for down in combinations(range(1, 6), 2)), None


def _goes_on(seed: int, nodes: int, down: Sequence[int], classes: Sequence[Any]) -> bool:
    world = World(seed, nodes, actor=agreeing(*classes) if classes else None, busiest=BUSIEST)
    world.run(1.5)
    for node in down:
        world.crash(node)
    up = next(node for node in range(1, nodes + 1) if node not in down)
    world.say("anybody?", up, author="ann")
    return world.until(lambda: bool(world.trace.of("ack")), limit=12.0, quiet=True)


def steps_down_after(*classes: Any, seed: int) -> tuple[float, Any]:
    """10c: after how many seconds the leader that was cut off leads no longer."""
    run = cut(seed, classes=classes)
    down = _steps_down(run)
    if down is None:
        raise UsageError("the leader behind the cut went on leading")
    return down - CUT, None


def sees_her_line(*classes: Any, seed: int) -> tuple[str, Any]:
    """10d: whether each line of ann, said at the leader, is shown at node 1 by the time she is answered."""
    early = reads(seed, classes)
    return NOT_SURELY if early else "surely: a majority has it", None


def reads(seed: int = SEED, classes: Sequence[Any] = (), lines: int = 20) -> list[str]:
    """Return the lines that ann, who talks to the leader, node 3, was answered before node 1 showed them."""
    if classes:
        _check(classes)
    world = World(seed, 3, actor=agreeing(*classes) if classes else None, busiest=BUSIEST)
    world.run(1.5)
    for number in range(lines):
        world.say(f"line {number + 1}", 3, author="ann")
        world.run(0.3)
    world.run(1.0)
    shown = {one.text: one.time for one in world.trace.of("deliver") if one.node == 1}
    return [str(one.text) for one in world.trace.of("ack") if shown.get(one.text, END) > one.time]


# --- the demonstration, and what a written test is played with --------------------------------------------


def student(name: str | None = None) -> int:
    """Choose the seed of this student's runs by a name, and return it; in each of them the story of part (a) comes true."""
    return revealing.student(name, nobody=SEED, shows=shows_two_chats)


def shows_two_chats(seed: int) -> bool:
    """Tell whether behind the cut both sides answer all with quorum 1, and one side's answers are lost."""
    run = cut(seed, 1)
    return len(run.answered(CUT, HEAL)) == 2 * SAID and len(lost_of(run)) == SAID


BOUNDS = ScenarioBounds(seconds=300.0, events=40_000, afterwards=15.0, enough="a few messages and faults show")
"""Of a written test; every scenario goes on for a while, so that an election can come to its end."""
VERBS = ("say", "crash", "restart", "pause", "resume", "cut", "reconnect", "partition", "heal", "slow", "at", "run")
"""What a scenario may do."""


def play_scenario(commits: Any, steps: Steps) -> World:
    """10.3: return the world of four nodes after these verbs and fifteen quiet seconds."""
    actor = agreeing(commits)
    actor.__name__ = "Agreeing"  # the trace has this name, and must not say whose class it is
    return BOUNDS.play(World(10, 4, actor=actor, busiest=BUSIEST), steps)


def rehearse(commits: Any, scenario: Callable[[Any], None], claim: Callable[[Any], str | None]) -> World:
    """Play a scenario with a class, print what the claim says of it, and return the world, to be looked at."""
    recording = Recording(VERBS)
    scenario(recording)
    world = play_scenario(commits, recording._done)
    for sentence in stopped(world):
        print(sentence)
    print(told(commits, claim(world.trace)))
    return world
