"""What students do not see of lab 05: directed runs, the budget of messages, and the search over every order of events."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from chatsys.explore.explorer import Budget
from chatsys.explore.stage_model import StageModel
from chatsys.teach.grading.lab import Finding
from chatsys.teach.grading.searching import search
from chatsys.teach.labs.lab05.checks import judge_run
from chatsys.teach.labs.lab05.orders import Coordinator, Election, Ok
from chatsys.teach.labs.lab05.runs import WITHIN, ElectionRun, begin, crash, doubt, restart
from chatsys.teach.labs.lab05.stage import TermKept, election
from chatsys.teach.labs.lab05.storms import SETTLES, messages, one_election, quiet
from chatsys.trace import Record

# --- directed runs -----------------------------------------------------------------------------


def dies_after_ok(cls: Any, nodes: int) -> ElectionRun:
    """The leader is down; the next one answers OK to node 1 and dies before it leads.  Luck hardly ever finds this."""
    run = _begun(cls, nodes)
    world, higher = run.world, nodes - 1
    crash(run, nodes)
    for node in range(2, higher):
        crash(run, node)
    doubt(run, 1)
    world.until(lambda: run.over or _came(world, 1, "OK"), limit=1.0, quiet=True)
    crash(run, higher)
    run.until(world.now + WITHIN, "one", f"node {higher} had crashed")
    return run


def comes_back_behind(cls: Any, nodes: int) -> ElectionRun:
    """The highest node is down while the terms go on; what it kept is an old number."""
    run = _begun(cls, nodes)
    world = run.world
    crash(run, nodes)
    run.until(world.now + WITHIN, "one", f"node {nodes} had crashed")
    for _ in range(3):
        crash(run, nodes - 1)
        run.until(world.now + WITHIN)
        restart(run, nodes - 1)
        run.until(world.now + WITHIN)
    restart(run, nodes)
    run.until(world.now + WITHIN, "highest", f"node {nodes} came back")
    return run


def late_claim(cls: Any, nodes: int) -> ElectionRun:
    """The COORDINATOR of the first leader is late: it comes when another one leads a newer term."""
    run = begin(cls, "In a directed run", 1, nodes)
    world = run.world
    gate = world.hold(Coordinator, sender=nodes)
    run.until(WITHIN, "highest", "all had started, and its COORDINATOR was late")
    crash(run, nodes)
    run.until(world.now + WITHIN, "one", f"node {nodes} had crashed")
    gate.open()
    run.until(world.now + WITHIN, "one", f"an old COORDINATOR of node {nodes} had come")
    return run


def lost_claims(cls: Any, nodes: int) -> ElectionRun:
    """Every COORDINATOR is lost: only heartbeats tell who leads."""
    run = begin(cls, "In a directed run", 2, nodes)
    gate = run.world.hold(Coordinator)
    run.until(WITHIN)
    gate.drop()
    run.until(WITHIN, "one", "all had started, and every COORDINATOR was lost")
    return run


def parted(cls: Any, nodes: int, some: Iterable[int]) -> ElectionRun:
    """Both sides of a cut have a leader; then they hear each other."""
    run = _begun(cls, nodes)
    run.world.partition(tuple(some))
    run.until(run.world.now + 8)
    run.world.heal(True)
    run.until(run.world.now + WITHIN, "one", "the cut between the nodes was mended")
    return run


def sleeps(cls: Any, nodes: int) -> ElectionRun:
    """The leader is paused, and wakes up beside a newer one."""
    run = _begun(cls, nodes)
    if not run.over:
        run.world.pause(nodes)
        run.until(run.world.now + 8)
        run.world.resume(nodes)
    run.until(run.world.now + WITHIN, "one", f"node {nodes} woke up from a pause")
    return run


def comes_back_ahead(cls: Any, nodes: int) -> ElectionRun:
    """Node 1 led alone behind a cut; it comes back from a crash with a newer term than the leader has."""
    run = _begun(cls, nodes)
    run.world.partition((1,))
    for _ in range(3):
        doubt(run, 1)
        run.until(run.world.now + WITHIN)
    crash(run, 1)
    run.world.heal(True)
    restart(run, 1)
    run.until(run.world.now + WITHIN, "one", "node 1 came back with a newer term")
    return run


def blinks_twice(cls: Any, nodes: int) -> ElectionRun:
    """The highest node is away for long, and then twice for a moment."""
    run = _begun(cls, nodes)
    for away in (WITHIN, 0.3, 0.3):
        crash(run, nodes)
        run.until(run.world.now + away)
        restart(run, nodes)
        run.until(run.world.now + WITHIN, "highest", f"node {nodes} came back")
    return run


def doubts_a_living_leader(cls: Any, nodes: int) -> ElectionRun:
    """Node 1 suspects a leader that is well, and must find its way back to it."""
    run = _begun(cls, nodes)
    doubt(run, 1)
    run.until(run.world.now + WITHIN, "one", "node 1 had suspected a leader that is up")
    return run


def _begun(cls: Any, nodes: int) -> ElectionRun:
    run = begin(cls, "In a directed run", 3, nodes)
    run.until(WITHIN)
    return run


def _came(world: Any, node: int, message: str) -> bool:
    last = world.trace.records[-1]
    return bool(last.kind == "receive" and last.node == node and last.message == message)


DIRECTED: tuple[Callable[[Any], ElectionRun], ...] = (
    lambda cls: dies_after_ok(cls, 3),
    lambda cls: dies_after_ok(cls, 4),
    lambda cls: comes_back_behind(cls, 3),
    lambda cls: late_claim(cls, 3),
    lambda cls: lost_claims(cls, 4),
    lambda cls: parted(cls, 3, (1, 2)),
    lambda cls: parted(cls, 5, (2, 5)),
    lambda cls: sleeps(cls, 3),
    lambda cls: doubts_a_living_leader(cls, 4),
    lambda cls: comes_back_ahead(cls, 3),
    lambda cls: blinks_twice(cls, 3),
)


def judge_directed(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """5.1: what random seeds hardly ever find."""
    del seeds
    for play in DIRECTED:
        yield from judge_run(play(trial.cls))


# --- the budget ----------------------------------------------------------------------------------

SIZES = (3, 4, 5)


def judge_budget(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """5.1: only higher nodes are asked; one election costs one claim and at most n² messages, a quiet minute none."""
    for nodes in SIZES:
        for dead in (False, True):
            run = one_election(trial.cls, nodes, 1, dead)
            if run.over:
                yield from judge_run(run)
                return
            yield from _judge_asked(run, nodes - dead)
            yield from _judge_claims(run, nodes, dead)
            yield from _judge_messages(run, nodes, dead)
    for seed in seeds[:3]:
        run = quiet(trial.cls, SIZES[seed % 3], seed)
        late = messages(run.world.trace, SETTLES)
        if late:
            one = late[0]
            sentence = (
                f"{run.name} nothing happened after the first election, and {len(late)} messages were sent in a minute: node "
                f"{one.node} sent {one.message} to node {one.peer} at {one.time:.2f} s. Heartbeats are enough."
            )
            yield _budget(run, "quiet", sentence)


def _judge_asked(run: ElectionRun, live: int) -> Iterator[Finding]:
    asked = [one for one in messages(run.world.trace) if one.message == "ELECTION"]
    down = next((one for one in asked if one.peer < one.node), None)
    if down is not None:
        enough = sum(len(run.world.nodes) - node for node in range(1, live + 1))
        sentence = (
            f"{run.name} there were {len(asked)} ELECTIONs where {enough} are enough: node {down.node} asked node {down.peer}. "
            "Whose answer could it be waiting for?"
        )
        yield _budget(run, "asks", sentence, 3)


def _judge_claims(run: ElectionRun, nodes: int, dead: bool) -> Iterator[Finding]:
    trace = run.world.trace
    leads = trace.of("lead")
    wrong = next((one for one in leads if one.node != nodes - dead), None)
    if wrong is not None:
        ok = next((one for one in trace.of("receive") if _is_ok(one, wrong)), None)
        why = (
            f"although node {ok.peer} had answered OK at {ok.time:.2f} s"
            if ok is not None
            else "and nobody had answered OK"
        )
        story = f"node {wrong.node} claimed term {wrong.term} at {wrong.time:.2f} s {why}: {_cost(run, nodes, dead)}"
        yield _budget(run, "claims", f"{run.name} {story}.", 2)
    elif len(leads) != 1:
        yield _budget(run, "claims", f"{run.name} an election took {_cost(run, nodes, dead)}.", 2)


def _judge_messages(run: ElectionRun, nodes: int, dead: bool) -> Iterator[Finding]:
    sent = messages(run.world.trace)
    if len(sent) > nodes * nodes:
        yield _budget(run, "messages", f"{run.name} an election took {_cost(run, nodes, dead)}{_often(sent)}.", 1)


def _cost(run: ElectionRun, nodes: int, dead: bool) -> str:
    claims = _claims(run.world.trace.of("lead"))
    enough = nodes * nodes - (nodes if dead else 1)
    return f"{claims} and {len(messages(run.world.trace))} messages, where 1 and {enough} are enough"


def _claims(leads: Sequence[Record]) -> str:
    return f"{len(leads)} claim{'s' if len(leads) != 1 else ''}"


def _often(sent: Sequence[Record]) -> str:
    """Say which message was sent most often from one node to another, if it was sent more than once."""
    if not sent:
        return ""
    (node, peer, message), times = Counter((one.node, one.peer, one.message) for one in sent).most_common(1)[0]
    return f": node {node} sent {times} {message}s to node {peer}" if times > 1 else ""


def _is_ok(record: Record, claim: Record) -> bool:
    return record.message == "OK" and record.node == claim.node and record.time < claim.time


def _budget(run: ElectionRun, aspect: str, sentence: str, rank: int = 0) -> Finding:
    return Finding(aspect=aspect, sentence=sentence, trace=run.world.trace.encode(), rank=rank)


# --- the search ----------------------------------------------------------------------------------

SEARCHES: tuple[dict[str, Any], ...] = (
    {"frames": (Election, Ok, Coordinator)},
    {"frames": (Coordinator,), "crashes": (3,)},
)
"""Each of 3 nodes suspects once and wakes once, in every order, and any message is lost; where node 3 crashes as well, and
comes back, every ELECTION and every OK is lost, or there would be ten times as many states."""
ENOUGH = Budget(states=100_000, seconds=120)


def judge_search(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """5.1: no two nodes ever lead one term, whatever happens in which order."""
    del seeds
    yield from search(trial, "orders", *(partial(_model, bounds) for bounds in SEARCHES), budget=ENOUGH)


def _model(bounds: dict[str, Any], cls: Any) -> StageModel:
    return StageModel(
        election(cls, "aligned"),
        alarms={"silence": 1, "wait": 1},
        under_way=1,
        keeps=("lead",),
        recorded=_two_led_one_term,
        compress=_highest,
        **bounds,
    )  # fmt: skip


def _two_led_one_term(records: Sequence[Record]) -> str | None:
    led: dict[int, Any] = {}
    for record in records:
        if led.setdefault(record.term, record.node) != record.node:
            return f"Node {led[record.term]} and node {record.node} both led term {record.term}."
    return None


def _highest(records: Iterable[TermKept]) -> tuple[TermKept, ...]:
    return tuple(sorted(records, key=lambda record: record.term)[-1:])


JUDGES = {("5.1", "search"): judge_search, ("5.1", "budget"): judge_budget}
EXTRA = {"5.1": judge_directed}
