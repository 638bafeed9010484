"""What the page of lab 05 plays: fail-overs, a cut, and storms of messages; and the runs that answer the predictions.

    outage(MyBully, seed)                      four nodes; the leader crashes and comes back
    split(MyBully, seed)                       {1, 2} | {3}, and together again
    storm(MyBully, timers="aligned")           a figure: messages of one election against the number of nodes
    leaders(world), my_numbers(world)          who led which term; two numbers that their student explains
    rehearse(MyBully, scenario, claim)         what a student's own test says of the student's own class

Read also `stage` (the actor), `storms` (one election alone), `figures.elections` and `figures.storms` (the pictures), `grading.revealing`.
"""

from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from chatsys.errors import UsageError
from chatsys.faults.arguments import check_seconds
from chatsys.sim.world import World
from chatsys.teach.grading import revealing
from chatsys.teach.grading.recording import Recording
from chatsys.teach.labs.bounded import ScenarioBounds, Steps
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab05.orders import Coordinator, Follow, Lead, Send
from chatsys.teach.labs.lab05.runs import BUSIEST, WITHIN
from chatsys.teach.labs.lab05.stage import SILENCE, TimersName, election, stopped
from chatsys.teach.labs.lab05.storms import messages, one_election
from chatsys.teach.labs.rehearsal import told
from chatsys.teach.labs.seeds import recorded
from chatsys.trace import trace_of

SEED = recorded("05")["demonstration"]
"""The seed of whoever gives no name."""
CRASHES, BACK = 6.0, 14.0
"""When the leader of an outage crashes, and when it comes back (seconds)."""


def outage(bully: Any, seed: int = SEED, nodes: int = 4, timers: TimersName = "spread") -> World:
    """Return a world after its run: the highest node crashes at 6 s, and is back at 14 s."""
    world = World(seed, nodes, actor=election(bully, timers), network=OVERTAKING, busiest=BUSIEST)
    world.at(CRASHES, "crash", nodes, lenient=True)  # a class that raises has stopped it already
    world.at(BACK, "restart", nodes, lenient=True)
    world.run(BACK + WITHIN)
    return world


def split(bully: Any, seed: int = SEED) -> World:
    """Return a world after its run: nodes 1 and 2 are cut off from node 3 from 5 s to 13 s."""
    world = World(seed, 3, actor=election(bully), network=OVERTAKING, busiest=BUSIEST)
    world.at(5.0, "partition", {1, 2}, {3})
    world.at(13.0, "heal")
    world.run(13.0 + WITHIN)
    return world


def leaders(run: Any) -> list[str]:
    """Say who began to lead which term, and when: "node 3: term 3 from 0.21 s"."""
    return [f"node {one.node}: term {one.term} from {one.time:.2f} s" for one in trace_of(run).of("lead")]


def my_numbers(run: Any) -> str:
    """Say how long nobody led after the leader crashed, and how many messages the election took."""
    trace = trace_of(run)
    if (broken := next(iter(trace.of("broken")), None)) is not None:
        return f"Your class stopped node {broken.node} ({broken.reason}), so there is nothing to count yet."
    crash = next(one for one in trace.of("crash"))
    lead = next((one for one in trace.of("lead") if one.time > crash.time and one.node != crash.node), None)
    if lead is None or lead.time > BACK:
        return f"Node {crash.node} crashed at {crash.time:.2f} s, and nobody led until it was back: there is nothing to count yet."
    sent = [one for one in messages(trace, crash.time) if one.time < lead.time + 0.5]
    return (
        f"Node {crash.node} crashed at {crash.time:.2f} s and node {lead.node} led from {lead.time:.2f} s on: for "
        f"{lead.time - crash.time:.2f} s nobody led. The election took {len(sent)} messages."
    )


def student(name: str | None = None) -> int:
    """Choose the seed of this student's runs by a name, and return it; in each of them the story of part (a) comes true."""
    return revealing.student(name, nobody=SEED, shows=shows_two_leaders)


def shows_two_leaders(seed: int) -> bool:
    """Tell whether two nodes of the demonstration lead one term between the crash of the leader and its return."""
    led: dict[int, set[Any]] = {}
    for one in outage(_Hasty, seed).trace.of("lead"):
        if CRASHES < one.time < BACK:
            led.setdefault(one.term, set()).add(one.node)
    return any(len(nodes) > 1 for nodes in led.values())


class _Hasty:
    """The class of the demonstration: who suspects the leader leads."""

    def __init__(self, me: int, others: list[int], term: int) -> None:
        self.others, self.term = others, term

    def suspect(self) -> list[Any]:
        self.term += 1
        return [*(Send(node, Coordinator(self.term)) for node in self.others), Lead(self.term)]

    def receive(self, sender: int, message: Any) -> list[Any]:
        if message.term <= self.term:
            return []
        self.term = message.term
        return [Follow(sender, self.term)]

    def wake(self) -> list[Any]:
        return []


# --- the storm -------------------------------------------------------------------------------------------

ONE, SPREAD_OUT, ALIGNED = "one node begins", "spread timers", "align timers"
VIEWS = {"off": ONE, "spread": SPREAD_OUT, "aligned": ALIGNED}
WIDE = 5.0
"""Seconds by which the spread timers of a storm differ: far more than an election takes."""
MOST_NODES, RUNS = 7, 8
"""The largest cluster that is played, and how many fail-overs of each size."""


def storm(bully: Any, timers: TimersName = "off", seed: int = SEED, spread: float = WIDE) -> Any:
    """Return the figure of the messages of one election against the number of nodes; each of its buttons is a `timers`.

    "off": one node begins, the lowest or the highest; "spread" and "aligned": the leader crashes, and all others
    suspect it by their own timers, which are up to `spread` seconds apart or not at all.
    """
    from chatsys.teach.figures.storms import message_storm

    if timers not in VIEWS:
        raise UsageError(f"There are no timers {timers!r:.40}; write {', '.join(map(repr, VIEWS))}.")
    check_seconds("spread", spread)
    sizes = range(2, MOST_NODES + 1)
    textbook = {"n² - 1": [(n, n * n - 1) for n in sizes], "n": [(n, n) for n in sizes]}
    return message_storm(list(_counted(bully, seed, spread)), VIEWS[timers], textbook)


def _counted(bully: Any, seed: int, spread: float) -> Iterator[Any]:
    """Count the messages of elections of all sizes."""
    from chatsys.teach.figures.storms import CountedElection

    for nodes in range(2, MOST_NODES + 1):
        lowest = one_election(bully, nodes, 1).world
        highest = one_election(bully, nodes, nodes - 1, dead=True).world
        yield CountedElection(ONE, "all are up, the lowest node begins", nodes, len(messages(_of(lowest))))
        yield CountedElection(
            ONE, "the leader is down, the highest that is left begins", nodes, len(messages(_of(highest)))
        )
    for nodes in range(3, MOST_NODES + 1):
        for one in range(RUNS):
            apart = election(bully, "spread", spread)
            together = election(bully, "aligned")
            yield CountedElection(
                SPREAD_OUT, "the leader crashed, spread timers", nodes, _failover(apart, seed + one, nodes, spread)
            )
            yield CountedElection(
                ALIGNED, "the leader crashed, aligned timers", nodes, _failover(together, seed + one, nodes, 0)
            )


def _failover(actor: Any, seed: int, nodes: int, spread: float) -> int:
    """Return how many messages were sent after the leader had crashed, until all was quiet again."""
    world = World(seed, nodes, actor=actor, network=OVERTAKING, busiest=BUSIEST)
    world.run(CRASHES)
    if world.status()[nodes]["alive"]:
        world.crash(nodes)
    world.run(SILENCE + spread + 3)
    return len(messages(_of(world), CRASHES))


def _of(world: World) -> Any:
    """Return the trace of a world in which no class has stopped its node."""
    if world.failures:
        raise UsageError(f"{stopped(world)[0]}; mend that before you count.")
    return world.trace


# --- what answers the predictions ----------------------------------------------------------------------


def elections_sent(bully: Any, seed: int) -> tuple[int, Any]:
    """5a: how many ELECTIONs there are when node 1 of five notices first that the leader is down."""
    run = one_election(bully, 5, 1, dead=True)
    return sum(one.message == "ELECTION" for one in messages(_of(run.world))), None


def leaders_of_a_split(bully: Any, seed: int) -> tuple[int, Any]:
    """5b: how many nodes lead just before the cut is mended."""
    from chatsys.teach.figures import term_bands

    world = split(bully, seed)
    return len(_leading(world, 13.0)), term_bands(_of(world))


def is_it_a_bug(bully: Any, seed: int) -> tuple[str, Any]:
    """5c: whether the leaders of the split led one term."""
    led = _leading(split(bully, seed), 13.0)
    terms = sorted(led.values())
    if len(terms) < 2:
        return f"that {len(terms) or 'no'} node led", None
    told = " and ".join(f"node {node} led term {term}" for node, term in sorted(led.items()))
    return (NO_BUG if len(set(terms)) == len(terms) else f"a bug: {told}"), None


NO_BUG = "no, their terms differ"


def _leading(world: World, time: float) -> dict[Any, int]:
    """Return who led at this moment, and in which term."""
    led: dict[Any, int] = {}
    for one in _of(world).of("lead", "follow", "nominate", "crash"):
        if one.time <= time:
            led.pop(one.node, None)
            if one.kind == "lead":
                led[one.node] = one.term
    return led


# --- what a written test is played with ------------------------------------------------------------------

BOUNDS = ScenarioBounds(seconds=600.0, events=40_000, afterwards=10.0, enough="a few faults show")
"""Of a written test; every scenario goes on for a while, so that an election can come to its end."""
VERBS = (
    "crash", "restart", "pause", "resume", "cut", "reconnect", "partition", "heal", "slow", "lose", "duplicate", "at", "run",
)  # fmt: skip
"""What a scenario may do."""


def play_scenario(bully: Any, steps: Steps) -> World:
    """5.2: return the world after these verbs and ten quiet seconds; its timers ring in turn, its network is quick."""
    network = replace(OVERTAKING, longest=0.02)
    actor = election(bully, "in turn")
    actor.__name__ = "Electing"  # the trace has this name, and must not say whose class it is
    world = World(5, actor=actor, network=network, busiest=BUSIEST)
    return BOUNDS.play(world, steps)


def rehearse(bully: Any, scenario: Callable[[Any], None], claim: Callable[[Any], str | None]) -> World:
    """Play a scenario with a class, print what the claim says of it, and return the world, to be looked at."""
    recording = Recording(VERBS)
    scenario(recording)
    world = play_scenario(bully, recording._done)
    for sentence in stopped(world):
        print(sentence)
    print(told(bully, claim(world.trace)))
    return world
