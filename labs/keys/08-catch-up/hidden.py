"""What students do not see of lab 08: directed runs, which random seeds hardly ever find, and the budget of bytes and room."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from chatsys.teach.grading.lab import Finding
from chatsys.teach.labs.lab08.checks import judge_run
from chatsys.teach.labs.lab08.frames import HistoryChunk
from chatsys.teach.labs.lab08.runs import CatchUpRun, begin

ORDINARY = "In a directed run"


def _begun(
    cls: Any,
    nodes: int = 3,
    room: int = 20,
    gap: int = 26,
    before: int = 12,
    away: Sequence[int] = (2,),
    **network: Any,
) -> CatchUpRun:
    """Return a run in which these nodes are down and lack so many messages."""
    run = begin(cls, ORDINARY, 1, nodes, room, **{"longest": 0.05, **network})
    run.go_on(1.6)
    run.talk(before, 0.6)
    for node in away:
        run.crash(node)
    run.talk(gap, 1.0)
    return run


def _ended(run: CatchUpRun, seconds: float = 14.0) -> CatchUpRun:
    run.go_on(seconds, until=lambda: run.level)
    run.go_on(1.1)
    return run


def both_at_once(cls: Any) -> CatchUpRun:
    """Two nodes rejoin in one moment of a quiet chat: neither can help the other at first."""
    run = _begun(cls, 4, away=(1, 2))
    run.restart(1)
    run.restart(2)
    return _ended(run)


def server_crashes(cls: Any) -> CatchUpRun:
    """Whoever might serve crashes after two chunks; nothing else is said, and only the leader is left."""
    run = _begun(cls, 4)
    run.restart(2)
    run.go_on(3.0, until=lambda: len(_chunks(run)) >= 2)
    run.crash(1)
    run.crash(3)
    run.go_on(8.0, until=lambda: _has_all(run, 2))
    run.restart(1)
    run.restart(3)
    return _ended(run)


def late_chunk(cls: Any) -> CatchUpRun:
    """The second chunk is held up; it comes when later ones are there, and once more when all is done."""
    run = _begun(cls)
    run.restart(2)
    run.go_on(2.0, until=lambda: len(_chunks(run)) >= 1)
    gate = run.world.hold(HistoryChunk, receiver=2)
    run.go_on(2.0, until=lambda: len(gate) >= 1)
    gate.shut = False  # the first one waits, the others pass
    run.talk(10, 2.2)
    gate.release()
    run.talk(5, 0.5)
    return _ended(run)


def every_chunk_twice(cls: Any) -> CatchUpRun:
    """Each frame comes twice."""
    run = _begun(cls, duplication=1.0)
    run.restart(2)
    run.talk(16, 1.0)
    return _ended(run)


def lost_chunk(cls: Any) -> CatchUpRun:
    """In a quiet chat the second chunk is lost."""
    run = _begun(cls, 4)
    run.restart(2)
    run.go_on(2.0, until=lambda: len(_chunks(run)) >= 1)
    gate = run.world.hold(HistoryChunk)
    run.go_on(2.0, until=lambda: len(gate) >= 1)
    gate.drop(shut=False)
    return _ended(run)


def nothing_missing(cls: Any) -> CatchUpRun:
    """It comes back, and nothing was said meanwhile."""
    run = _begun(cls, gap=1)
    run.restart(2)
    _ended(run)
    run.crash(2)
    run.go_on(0.3)
    run.restart(2)
    return _ended(run)


def live_before_it_asks(cls: Any) -> CatchUpRun:
    """It has missed nothing, and the next number comes live before it has asked anybody: in one of four lives at least."""
    run = _begun(cls, gap=0)
    for _ in range(4):
        run.restart(2)
        run.talk(5, 0.15)
        run.go_on(2.0)
        run.crash(2)
    run.restart(2)
    return _ended(run)


def missed_the_same(cls: Any) -> CatchUpRun:
    """Node 1 has missed the same ones, since it was cut off from the leader; node 2 learns of them by the next message."""
    run = _begun(cls, gap=3)
    run.restart(2)
    run.go_on(8.0, until=lambda: run.level)
    run.do("partition", (1, 2), (3,))
    run.talk(14, 0.6)
    run.do("heal", True)
    run.do("cut", 3, 1, True)
    run.say("here", "bob")
    run.go_on(5.0, until=lambda: _has_all(run, 2))
    run.do("heal", True)
    run.say("well", "bob")
    return _ended(run)


def crashes_again(cls: Any) -> CatchUpRun:
    """It crashes in the middle of its catch-up, twice."""
    run = _begun(cls)
    for _ in range(2):
        run.restart(2)
        run.talk(8, 0.5)
        run.crash(2)
        run.talk(2, 0.1)
    run.restart(2)
    return _ended(run)


def no_room(cls: Any) -> CatchUpRun:
    """There is room for one message; the last ones come while one is missing."""
    run = _begun(cls, room=1)
    run.restart(2)
    run.talk(30, 1.5)
    run.go_on(4.0, until=lambda: run.level)
    run.do("cut", 3, 2, True)
    run.say("lost", "bob")
    run.go_on(0.1)
    run.do("heal", True)
    run.talk(6, 0.1)
    return _ended(run)


def _chunks(run: CatchUpRun) -> list[Any]:
    back = max((one.time for one in run.world.trace.of("restart") if one.node == 2), default=0.0)
    return [
        one for one in run.world.trace.of("receive") if (one.node, one.message) == (2, "CHUNK") and one.time >= back
    ]


def _has_all(run: CatchUpRun, node: int) -> bool:
    now = run.world.status()[node]
    return bool(now["alive"]) and now["delivered"] >= run.newest


DIRECTED: tuple[Callable[[Any], CatchUpRun], ...] = (
    both_at_once,
    server_crashes,
    late_chunk,
    every_chunk_twice,
    lost_chunk,
    nothing_missing,
    live_before_it_asks,
    missed_the_same,
    crashes_again,
    no_room,
)


def judge_directed(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """8.1: what random seeds hardly ever find."""
    del seeds
    told: set[str] = set()
    for play in DIRECTED:
        for finding in judge_run(play(trial.cls)):
            if finding.aspect not in told | {"room"}:
                told.add(finding.aspect)
                yield finding
        if told & {"runs", "complete"}:
            return


# --- the budget -----------------------------------------------------------------------------------

MOST_SENT = 1.2
"""So many messages may be sent to a node for each one that it lacks."""


def judge_budget(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """8.1: bytes, room."""
    del seeds
    for play in (_faster_than_history, _long_way):
        run = play(trial.cls)
        told = list(judge_run(run))
        yield from (finding for finding in told if finding.aspect in ("room", "runs"))
        if run.over:
            return
        if play is _long_way:
            yield from _judge_bytes(run)


def _faster_than_history(cls: Any) -> CatchUpRun:
    """More comes live than a node can fetch, for a while."""
    run = _begun(cls, room=10, gap=30)
    run.restart(2)
    run.talk(70, 1.0)
    return _ended(run)


def _long_way(cls: Any) -> CatchUpRun:
    """120 are missing, people talk on, and an answer takes up to 0.8 s."""
    run = _begun(cls, room=100, gap=105, before=40, longest=0.4)
    run.restart(2)
    run.talk(30, 4.0)
    return _ended(run, 20.0)


def _judge_bytes(run: CatchUpRun) -> Iterator[Finding]:
    life = [one for one in run.lives if one.node == 2][-1]
    came = {call.asked.arguments[0] for call in life.calls if call.asked.method == "live"}
    lacked = len([number for number in range(life.last + 1, run.newest + 1) if number not in came])
    sent = sum(len(call.asked.arguments[1]) for call in life.calls if call.asked.method == "chunk")
    if sent > MOST_SENT * lacked:
        sentence = f"{run.name} node 2 missed {lacked} messages from 4.00 s on and was sent {sent} in answer to its requests; {MOST_SENT * lacked:.0f} are allowed."
        yield Finding(aspect="bytes", sentence=sentence, trace=run.world.trace.encode())


JUDGES = {("8.1", "budget"): judge_budget}
EXTRA = {"8.1": judge_directed}
