"""What students do not see of lab 02: vectors that nobody meets by luck, and every order in which a few messages can arrive."""

from collections.abc import Iterator, Sequence
from itertools import permutations, product
from typing import Any

from chatsys.isolation.calls import Call, CallScript
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.lab02.clocks import shown
from chatsys.teach.labs.lab02.events import sparse
from chatsys.teach.labs.lab02.orders import is_before
from chatsys.teach.labs.lab02.queues import directed, judge_talks
from chatsys.teach.labs.lab02.stage import Message

# --- 2.3: all small vectors --------------------------------------------------------------------

SMALL = [dict(zip((1, 2, 3), counts, strict=True)) for counts in product(range(3), repeat=3)]


def judge_small(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """2.3: every pair of vectors with entries up to 2, and the same with what is 0 left out in one of them, or in both."""
    del seeds
    asked = []
    pairs = [(how(a), other(b)) for how, other in product((dict, sparse), repeat=2) for a, b in product(SMALL, SMALL)]
    for a, b in pairs:
        asked += [(Call("before", (a, b)), is_before(a, b))]
        apart = sparse(a) != sparse(b) and not is_before(a, b) and not is_before(b, a)
        asked += [(Call("concurrent", (a, b)), apart)]
    [replies] = trial.ask([CallScript(tuple(call for call, _ in asked))])
    for (call, right), reply in zip(asked, replies, strict=False):
        if reply.right and reply.value == right:
            continue
        one, other = call.arguments
        same, full = sparse(one) == sparse(other), len(one) == len(other) == 3
        aspect = "itself" if same else call.method
        if not full and _is_right_when_full(trial, call, right):
            aspect = "missing"
        elif not reply.right:
            aspect = RUNS
        text = f"{call.method}({shown(one)}, {shown(other)})"
        answer = str(reply.value) if reply.right else reply.error or f"{reply.wrong}"
        step = ShownCall(call=text, returned=answer, expected=str(right), wrong=True)
        yield Finding(aspect=aspect, sentence=f"{text} gave {answer}; right is {right}.", steps=(step,))
        return


def _is_right_when_full(trial: Any, call: Call, right: bool) -> bool:
    whole = tuple({**dict.fromkeys((1, 2, 3), 0), **vector} for vector in call.arguments)
    [[reply]] = trial.ask([CallScript((Call(call.method, whole),))])
    return bool(reply.right and reply.value == right)


# --- 2.4: every order of arrival -----------------------------------------------------------------

Said = tuple[tuple[int, dict[int, int]], ...]
STORIES: tuple[Said, ...] = (
    ((1, {1: 1, 2: 0, 3: 0}), (2, {1: 1, 2: 1, 3: 0}), (1, {1: 2, 2: 1, 3: 0}), (2, {1: 2, 2: 2, 3: 0})),
    ((1, {1: 1, 2: 0, 3: 0}), (1, {1: 2, 2: 0, 3: 0}), (2, {1: 2, 2: 1, 3: 0}), (2, {1: 2, 2: 2, 3: 0}), (1, {1: 3, 2: 0, 3: 0})),
    ((1, {1: 1, 2: 0, 3: 0}), (2, {1: 0, 2: 1, 3: 0}), (1, {1: 2, 2: 1, 3: 0}), (2, {1: 1, 2: 2, 3: 0}), (1, {1: 3, 2: 2, 3: 0})),
)  # fmt: skip
"""Who said what, with which stamp: an answer after the other; two lines in a row; questions that cross on their way."""


def judge_orders(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """2.4: these messages reach node 3 in every order."""
    del seeds
    talks = []
    for story in STORIES:
        told = [(Message(sender, stamp[sender], "ok"), stamp) for sender, stamp in story]
        talks += [directed(order) for order in permutations(told)]
    yield from judge_talks(trial, talks)


JUDGES: dict[Any, Any] = {}
EXTRA = {"2.3": judge_small, "2.4": judge_orders}
