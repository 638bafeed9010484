"""What students do not see of lab 06: every fate of a leader's last two messages, directed runs, the search, and the budget."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any

from msgspec.structs import replace

from chatsys.actor.events import Say
from chatsys.explore.explorer import Budget
from chatsys.explore.stage_model import StageModel
from chatsys.isolation.calls import Call, CallScript
from chatsys.teach.grading.lab import Finding
from chatsys.teach.grading.searching import search
from chatsys.teach.labs.lab06.checks import judge_run
from chatsys.teach.labs.lab06.fates import RARE, SETTLES, SLEEP, last_words
from chatsys.teach.labs.lab06.frames import Collect, Holdings, InHand, Numbered, Wish
from chatsys.teach.labs.lab06.runs import FailOverRun, begin
from chatsys.teach.labs.lab06.stage import fail_over

# --- the crash after each prefix of a broadcast ---------------------------------------------------

FATES = ("arrives", "lost", "late")
ORDINARY = "In a directed run"


def every_prefix(cls: Any) -> Iterator[FailOverRun]:
    """The leader numbers two last messages and is gone; each of their four copies arrives, is lost, or is late.

    Among them are the crashes after 0, 1 and 2 sends of each broadcast.  In some of those in which none is lost the leader only sleeps.
    """
    for count, (a, b, c, d) in enumerate(product(FATES, repeat=4)):
        run = _begun(cls, 3, f"With #2 ({a}, {b}) and #3 ({c}, {d})")
        last_words(run, 3, ["pay", "late"], [{1: a, 2: b}, {1: c, 2: d}], late=3.4)
        sleeps = count % 3 == 2 and "lost" not in (a, b, c, d)
        run.do("pause" if sleeps else "crash", 3)
        run.do("heal", True)
        run.say(1, "see you", "bob")
        run.go_on(SLEEP)
        if sleeps:
            run.do("resume", 3)
        run.say(2, "tea?")
        run.go_on(3.0)
        yield run


# --- directed runs --------------------------------------------------------------------------------


def late_behind_the_collect(cls: Any, nodes: int) -> FailOverRun:
    """A copy of the old leader comes to node 1 right behind the COLLECT, which node 1 has answered without it."""
    run = _begun(cls, nodes)
    gate = run.world.hold(Numbered, sender=nodes, receiver=1)
    run.do("cut", nodes, 2, True)
    if nodes > 3:
        run.do("cut", nodes, 3, True)
    run.say(nodes, "late")
    run.go_on(0.1)
    run.do("crash", nodes)
    run.do("heal", True)
    run.world.until(lambda: run.over or _came(run, 1, "COLLECT"), limit=6.0, quiet=True)
    gate.open()
    run.go_on(0.4)
    run.say(2, "pay")
    run.go_on(SETTLES)
    return run


def two_last_words(cls: Any) -> FailOverRun:
    """#2 is one message at a leader that slept through, and another one, of a higher term, at all others."""
    run = _begun(cls, 4)
    run.do("partition", (4,), (1, 2, 3))
    run.say(4, "old")
    run.go_on(0.1)
    run.do("pause", 4)
    run.go_on(SLEEP)
    run.say(3, "new")
    run.go_on(1.0)
    run.do("crash", 3)
    run.go_on(2.2)
    run.do("heal")
    run.do("resume", 4)
    run.go_on(SETTLES)
    run.say(1, "late")
    run.go_on(2.0)
    return run


def leads_twice(cls: Any) -> FailOverRun:
    """Node 4 gives #2 to a message that never leaves it and whose author is gone; it follows node 3, and leads again later."""
    run = _begun(cls, 4)
    run.do("partition", (4,), (1, 2, 3), True)
    run.say(1, "old")
    run.go_on(0.2)
    run.do("pause", 4)
    run.do("crash", 1)
    run.do("heal")
    run.go_on(SLEEP)
    run.do("resume", 4)
    run.go_on(SETTLES)
    run.do("crash", 3)
    run.go_on(SETTLES)
    run.say(2, "new")
    run.go_on(2.0)
    return run


def sleeps_with_wishes(cls: Any) -> FailOverRun:
    """Five messages wait for the old leader when it wakes up; all of them have numbers of the new one by then."""
    run = _begun(cls, 3)
    run.do("pause", 3)
    for text in ("a", "b", "c", "d", "e"):
        run.say(1, text)
        run.go_on(0.2)
    run.go_on(SLEEP)
    run.do("resume", 3)
    run.go_on(SETTLES)
    run.do("crash", 2)
    run.go_on(SETTLES)
    run.say(1, "three")
    run.go_on(2.0)
    return run


def said_through_another(cls: Any) -> FailOverRun:
    """Ann is not answered by node 3, which crashes; she says it again at node 1, and an equal text as well."""
    run = _begun(cls, 3)
    gate = run.world.hold(InHand)
    run.say(3, "pay")
    run.go_on(0.3)
    run.do("crash", 3)
    gate.drop(shut=False)
    run.repeat(1, "ann@3", 1, "pay")
    run.go_on(SETTLES)
    run.repeat(2, "ann@3", 1, "pay")
    run.repeat(2, "ann@3", 2, "pay")
    run.go_on(2.0)
    return run


def twice_in_a_row(cls: Any, sleeps: bool) -> FailOverRun:
    """Two leaders are lost one after the other, each with a late last word, which comes when the third one leads."""
    run = _begun(cls, 4)
    for leader in (4, 3):
        others = [node for node in (1, 2, 3) if node < leader]
        last_words(run, leader, ["ok", "ok"], [dict.fromkeys(others, "late"), {1: "arrives", 2: "lost"}], late=6.0)
        run.do("pause" if sleeps and leader == 4 else "crash", leader)
        run.do("heal", True)
        run.go_on(SLEEP)
        run.say(1, "ok")
        run.go_on(0.5)
        run.do("resume", 4) if sleeps and leader == 4 else None
        run.go_on(SETTLES / 2)
    run.say(2, "yes")
    run.go_on(SETTLES)
    return run


def slept_behind_a_gap(cls: Any, nodes: int) -> FailOverRun:
    """Node 1 sleeps with #3 and without #2 while each node above 2 crashes in turn; both numbers are other messages when it wakes up."""
    run = _begun(cls, nodes)
    for node in range(2, nodes):
        run.do("cut", nodes, node, True)
    run.do("slow", nodes, 1, 60.0)
    run.say(nodes, "pay", "cid")
    run.go_on(0.1)
    run.do("slow", nodes, 1, 0)
    run.say(nodes, "late", "cid")
    run.go_on(0.2)
    run.do("pause", 1)
    for leader in range(nodes, 2, -1):
        run.do("crash", leader)
        run.do("heal", True)
        run.go_on(SLEEP)
        for text in ("see you", "tea?"):
            run.say(2, text, "bob")
            run.go_on(0.5)
        run.go_on(1.0)
    run.do("resume", 1)
    run.go_on(SETTLES)
    return run


def _begun(cls: Any, nodes: int, name: str = ORDINARY) -> FailOverRun:
    run = begin(cls, name, 1, nodes)
    run.go_on(0.2)
    run.say(1, "hello")
    run.go_on(0.4)
    return run


def _came(run: FailOverRun, node: int, message: str) -> bool:
    last = run.world.trace.records[-6:]
    return any((one.kind, one.node, one.message) == ("receive", node, message) for one in last)


def _rarely(play: Any, cls: Any) -> FailOverRun:
    return play(cls, ORDINARY, 1)


DIRECTED: tuple[Callable[[Any], FailOverRun], ...] = (
    lambda cls: late_behind_the_collect(cls, 3),
    lambda cls: late_behind_the_collect(cls, 4),
    two_last_words,
    leads_twice,
    sleeps_with_wishes,
    said_through_another,
    lambda cls: slept_behind_a_gap(cls, 3),
    lambda cls: slept_behind_a_gap(cls, 4),
    lambda cls: twice_in_a_row(cls, False),
    lambda cls: twice_in_a_row(cls, True),
    *(partial(_rarely, play) for play in RARE),
)


def _of_two_words(trial: Any) -> Iterator[Finding]:
    """A follower slept with a message behind a gap, and its number went to another one: it answers with the older term."""
    hello, old, new = (
        Numbered(t, n, "ann@1", n, text) for t, n, text in ((4, 1, "hello"), (4, 2, "old"), (7, 2, "new"))
    )
    asked = Call("lead", (10, {1: [hello, old], 2: [hello, new]}))
    [reply, *_] = trial.alone(CallScript((asked,), (2,)))
    again = reply.value if isinstance(reply.value, list | tuple) else ()
    texts = [one.text for one in again if isinstance(one, Numbered) and one.number == 2]
    if texts == ["old"]:
        sentence = (
            "Asked alone: node 2 leads term 10; #2 is “old” of term 4 in the answer of node 1, “new” of term 7 in its own. It goes on with "
            "“old”, and the higher term counts."
        )
        yield Finding(aspect="kept", sentence=sentence)


def judge_directed(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """6.1: every fate of two last messages, and what random seeds hardly ever find."""
    del seeds
    told: set[str] = set()
    for finding in _of_two_words(trial):
        told.add(finding.aspect)
        yield finding
    for play in DIRECTED:
        for finding in judge_run(play(trial.cls)):
            told.add(finding.aspect)
            yield finding
    if told:  # what goes wrong at such a moment goes wrong at many of these, too
        return
    for run in every_prefix(trial.cls):
        for finding in judge_run(run):
            if finding.aspect not in told:
                told.add(finding.aspect)
                yield finding
        if "runs" in told or "onward" in told:
            return


# --- the search -----------------------------------------------------------------------------------

X, Y, Z = (3, Say("x", author="cid")), (2, Say("y", author="bob")), (3, Say("z", author="cid"))
SEARCHES: tuple[dict[str, Any], ...] = (
    {"commands": ((1, Say("x", author="ann")),), "frames": (Numbered, Collect, Holdings, Wish), "again": 1},
    {"commands": (X, Y), "frames": (Numbered, Collect, Holdings)},
    {"commands": (X, Z, Y), "frames": (Numbered, Collect, Holdings), "under_way": 1},
)
"""What is said at node 1 reaches node 3, and is said again; or the old leader numbers one or two messages and the new one another.
Node 2 suspects node 3 at any moment, whether it has crashed or not; every frame arrives late, or never."""
ENOUGH = Budget(states=30_000, seconds=120)


def judge_search(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """6.1: no number is two messages and no message has two numbers, in whatever order all happens."""
    del seeds
    models = [partial(_model, bounds) for bounds in SEARCHES]
    for finding in search(trial, "orders", *models, budget=ENOUGH):
        yield finding if finding.inconclusive else replace(finding, sentence=_in_short(finding))


def _in_short(finding: Finding) -> str:
    """Return what is wrong and what happened last; `show` has all steps."""
    what = finding.sentence.partition(". It happens so")[0]
    if not finding.steps:
        return f"{what}, when node 3 began to lead."
    last = finding.steps[-1].call
    last = re.sub(r"(\d) receives NUMBERED\(term=(\d+), number=(\d+), .*?text=(.*?)\) from (\d)", _told_last, last)
    last = re.sub(r"^(\d) receives (\w+)\(.*\) from (\d)", r"node \1 receives \2 from node \3", last)
    return (
        f"{what}. The shortest way there has {len(finding.steps)} steps; the last one is: {last.partition(';')[0]:.60}."
    )


def _told_last(found: re.Match[str]) -> str:
    text = "void" if found[4] == "None" else f"“{found[4][1:-1]}”"
    return f"node {found[1]} gets #{found[3]} {text} of term {found[2]} from node {found[5]}"


def _model(bounds: dict[str, Any], cls: Any) -> StageModel:
    bounds = {"under_way": 2, **bounds}
    alarms = {"silence": 1, "again": bounds.pop("again", 0)}
    return StageModel(
        fail_over(cls), alarms=alarms, holds=_screens_agree, within=lambda actor: actor.term in (3, 5), **bounds
    )  # fmt: skip


def _screens_agree(nodes: Sequence[Any]) -> str | None:
    for one in nodes:
        for number, what in enumerate(one.screen, 1):
            if what[0] and what in one.screen[number:]:
                again = one.screen.index(what, number) + 1
                return f"Node {one.me} shows post {what[1]} of {what[0]} as #{number} and as #{again}."
            for other in nodes:
                if len(other.screen) >= number and other.screen[number - 1] != what:
                    return f"#{number} is one message at node {one.me} and another one at node {other.me}."
    return None


# --- the budget -----------------------------------------------------------------------------------


def judge_budget(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """6.1: what all that answered hold goes out no second time."""
    del seeds
    for nodes, lacking in ((3, False), (3, True), (4, False)):
        run = begin(trial.cls, f"In a chat of 20 messages at {nodes} nodes", 2, nodes)
        for number in range(20):
            run.go_on(0.2)
            run.say(1 + number % nodes, f"message {number + 1}")
        run.go_on(0.5)
        if lacking:
            last_words(run, nodes, ["pay"], [{1: "arrives", 2: "lost"}], late=0.0)
        run.do("crash", nodes)
        run.do("heal", True)
        run.go_on(SETTLES)
        if run.over:
            yield from judge_run(run)
            return
        yield from _judge_again(run, int(lacking))


def _judge_again(run: FailOverRun, needed: int) -> Iterator[Finding]:
    calls = [call for one in run.objects for call in one.calls if call.asked.method == "lead" and call.time > 1]
    for call in calls[:1]:
        many = len(call.answer or ())
        if many > needed:
            enough = f"{needed} {'is' if needed == 1 else 'are'} enough" if needed else "none was needed"
            sentence = (
                f"{run.name} node {call.node} led from {call.time:.2f} s on and sent {many} out again, where {enough}: all that answered "
                f"had {'the others' if needed else 'them'} already."
            )
            yield Finding(aspect="sparing", sentence=sentence, trace=run.world.trace.encode())


JUDGES = {("6.1", "search"): judge_search, ("6.1", "budget"): judge_budget}
EXTRA = {"6.1": judge_directed}
