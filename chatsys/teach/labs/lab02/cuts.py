"""The judge of 2.5: which cuts are states of the cluster.

    node 1  --1.1---1.2--|----->      sound: 1.2 is sent and on its way
    node 2  ----2.1------|-2.2->      torn if the cut had 2.2, which receives 1.3: 1.3 is not in it

Read also `orders` (the judge of 2.3), `events` (what is right), `runs` (where the events come from).
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import permutations
from random import Random
from typing import Any

from chatsys.isolation.calls import Call, CallScript, Reply
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.lab02.clocks import PLAIN, SHARED, shown
from chatsys.teach.labs.lab02.runs import History, history_of

CUTS = 24
"""So many cuts of each run are asked; the first one is that in which nothing has happened yet."""


class AskedCut:
    """So many events of each node, and whether the cluster could have been in that state."""

    def __init__(self, history: History, counts: dict[int, int]) -> None:
        self.history, self.counts = history, counts
        self.edge = {node: history.at((node, count)) for node, count in counts.items() if count}
        """The last event of each node in it."""
        self.torn = next(
            (
                event
                for event in history.events
                if event.cause is not None and event.number <= counts[event.node] and event.cause[1] > counts[event.cause[0]]
            ),
            None,
        )  # fmt: skip
        """A receipt in it whose message is not sent in it; None if there is none."""

    @property
    def name(self) -> str:
        """The last event of each node, and 2.0 where there is none."""
        return ", ".join(f"{node}.{count}" for node, count in self.counts.items())

    @property
    def call(self) -> Call:
        """Return it as it is asked: node -> the vector of its last event in the cut."""
        zero = {} if self.history.sparse else dict.fromkeys(self.history.nodes, 0)
        vectors = {
            node: self.history.vector(self.edge[node]) if node in self.edge else dict(zero) for node in self.counts
        }
        return Call("consistent", (vectors,))


@lru_cache(maxsize=512)
def cuts_of(seed: int) -> list[AskedCut]:
    """Return cuts of this history, half of them states of the cluster."""
    history, random = history_of(seed), Random(f"lab 02/cuts/{seed}")
    sound = [AskedCut(history, dict.fromkeys(history.nodes, 0))]
    torn: list[AskedCut] = []
    lengths = {node: len(history.of(node)) for node in history.nodes}
    for _ in range(400):
        if random.random() < 0.5:  # what stood in the records at one moment, give or take an event or two
            moment = random.uniform(0, history.events[-1].time)
            counts = {node: sum(event.time <= moment for event in history.of(node)) for node in history.nodes}
            counts = {
                node: min(max(0, count + random.choice((-1, 0, 0, 0, 1))), lengths[node])
                for node, count in counts.items()
            }
        else:
            counts = {node: random.randint(0, many) for node, many in lengths.items()}
        cut = AskedCut(history, counts)
        (sound if cut.torn is None else torn).append(cut)
    sound, torn = sound[: CUTS // 2], torn[: CUTS // 2]
    return sorted([*sound, *torn], key=lambda cut: sum(cut.counts.values()))


def judge_cut(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """2.5: cut."""
    asked = [cuts_of(seed) for seed in seeds]
    replies = trial.ask([CallScript(tuple(cut.call for cut in some)) for some in asked])
    every = [pair for some, said in zip(asked, replies, strict=True) for pair in zip(some, said, strict=False)]
    wrong = [(cut, one) for cut, one in every if not one.right or one.value == (cut.torn is not None)]
    if not wrong:
        return
    cut, reply = _to_tell(wrong, every)
    script = CallScript((cut.call,))
    if trial.ask([script])[0] != [reply] and trial.alone(script) != [reply]:
        yield _cut_finding(cut, reply, "is told otherwise when it is asked alone. What does your class remember?")
    else:
        yield _cut_finding(cut, reply, why=_why([pair for pair in every if pair[0].history is cut.history]))


def _to_tell(
    wrong: Sequence[tuple[AskedCut, Reply]], every: Sequence[tuple[AskedCut, Reply]]
) -> tuple[AskedCut, Reply]:
    """Return the wrong answer that says most; that to the empty cut is told of whoever says False of every cut."""
    grave = next((pair for pair in wrong if not pair[1].right or pair[0].torn is not None), None)
    if grave is not None or not any(reply.value for _, reply in every):
        return grave or wrong[0]
    return next((pair for pair in wrong if pair[0].edge), wrong[0])


def _why(every: Sequence[tuple[AskedCut, Reply]]) -> str:
    """Say what the answers to all cuts of this run have in common, where it explains them."""
    if len({reply.value for _, reply in every}) == 1:
        return f" You say {every[0][1].value} of every cut."
    if all(reply.value == (not cut.edge) for cut, reply in every):
        return " A message may be on its way, and you allow none."
    whole = [(cut, reply.value) for cut, reply in every if cut.torn is None and len(cut.edge) == len(cut.counts)]
    in_a_row = [any(a.is_before(b) for a, b in permutations(cut.edge.values(), 2)) for cut, _ in whole]
    if whole and any(in_a_row) and all(said != row for (_, said), row in zip(whole, in_a_row, strict=True)):
        return " One last event may be before another one."
    return ""


def _cut_finding(cut: AskedCut, reply: Reply, remembers: str = "", why: str = "") -> Finding:
    aspect, rank = "cut", PLAIN
    if remembers:
        story, aspect, rank = f"the cut {cut.name} {remembers}", RUNS, SHARED
    elif reply.error is not None:
        story, aspect = f"the cut {cut.name}: your class raised {reply.error}.", RUNS
    elif not reply.right:
        story, aspect = f"the cut {cut.name}: it returned {reply.wrong}; return True or False.", RUNS
    elif cut.torn is not None:
        story = f"in the cut {cut.name} event {cut.torn.name} has received a message of {cut.torn.sent}, and {cut.torn.sent} is not in it; you say True.{why}"
    elif not cut.edge:
        story = f"in the cut {cut.name} nothing has happened yet, and that is a state; you say False.{why}"
    else:
        story = f"in the cut {cut.name} every message that was received was sent; you say False.{why}"
    vectors = cut.call.arguments[0]
    call = "consistent({" + ", ".join(f"{node}: {shown(vector)}" for node, vector in vectors.items()) + "})"
    step = ShownCall(
        call=call, returned=str(reply.value if reply.right else ""), expected=str(cut.torn is None), wrong=True
    )
    return Finding(
        aspect=aspect, sentence=f"With seed {cut.history.seed} {story}", seed=cut.history.seed,
        trace=cut.history.trace.encode(), steps=(step,), rank=rank, hinted=rank != SHARED,
    )  # fmt: skip
