"""Sweep: many seeds, in the order in which they are asked for, on any number of processes.

    seeds --> workers, one seed at a time --> results, in the order of the seeds
                 |  raises: its node stops, as ever; raises elsewhere: inconclusive
                 `- too long, or dies: inconclusive, and the worker is replaced

What is given up after its CPU time, or after some time on the wall, is inconclusive, never ok.

Promises  a result for every seed, and a combined hash that does not depend on `jobs`; what hangs or dies
          costs one seed, and never the batch.  Where there are no processes, the seeds are played in this one.
Read also `one_seed` (what one is), `isolation.worker`, `determinism` (may these results be repeated?).
"""

import hashlib
import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from chatsys.campaign.one_seed import Plan, SeedResult, run_seed
from chatsys.capabilities import PROCESSES, has
from chatsys.errors import UsageError
from chatsys.isolation.answer import MEMORY, Answer, Bounds
from chatsys.isolation.in_process import InProcessWorker
from chatsys.isolation.worker import Parts, Worker, new_worker, packed, wait_for_any

ENOUGH = 3
"""After so many seeds that hung the others are not played."""


def usual_limit(plan: Plan) -> float:
    """Return how many seconds one seed may take: about a hundred times of what it needs."""
    return 10.0 + 0.05 * plan.nodes * (plan.seconds + plan.calm)


def guarded_sweep(
    seeds: Iterable[int], plan: Plan, parts: Parts | None = None, *, jobs: int = 1, limit: float | None = None
) -> Iterator[SeedResult]:
    """Yield the result of each seed in order; a seed that takes more than `limit` seconds of CPU is inconclusive.

    Without `limit` there is none, but with somebody's own `parts` it is the `usual_limit`.
    """
    if limit is None:
        limit = usual_limit(plan) if parts else math.inf
    if not limit > 0:
        raise UsageError(f"limit is {limit:g}; give each seed more than 0 seconds.")
    order, code = list(seeds), packed(parts)
    todo, done, hung = deque(order), dict[int, SeedResult](), 0
    bounds = Bounds(step=limit, memory=MEMORY if code else None)
    workers = [new_worker(code, bounds) for _ in range(max(1, min(jobs, len(order))))]
    playing: dict[Worker | InProcessWorker, int] = {}
    try:
        for seed in order:
            while seed not in done:
                for worker in workers:
                    if worker not in playing and todo:
                        playing[worker] = todo.popleft()
                        worker.submit(play, playing[worker], plan)
                wait_for_any(playing, 0.1)
                for worker in list(playing):
                    if (answer := worker.poll()) is not None:
                        played = playing.pop(worker)
                        done[played] = _result(played, answer)
                        hung += answer.verdict in ("hung", "late")
                if hung >= ENOUGH:
                    done |= {
                        left: nothing(left, f"It was not played, for {hung} seeds before it hung.") for left in todo
                    }
                    todo.clear()
            yield done.pop(seed)
    finally:
        for worker in workers:
            worker.kill()


def play(parts: Mapping[str, type], seed: int, plan: Plan) -> SeedResult:
    """Play one seed; run in a worker."""
    return run_seed(seed, plan, parts or None)


def _result(seed: int, answer: Answer) -> SeedResult:
    if answer.verdict in ("raised", "refused"):
        return nothing(seed, f"The simulator was stopped by {answer.value}.".replace("..", "."))
    return answer.value if answer.done else nothing(seed, answer.value)


def nothing(seed: int, why: str) -> SeedResult:
    """Return the result of a seed that came to no end; it has no hash."""
    return SeedResult(seed=seed, events=0, messages=0, seconds=0.0, violations=(), inconclusive=why, hash="")


def sweep(
    seeds: Iterable[int], plan: Plan | None = None, *, jobs: int = 1, parts: Mapping[str, type] | None = None
) -> Iterator[SeedResult]:
    """Yield the result of each seed, in the order of `seeds`, computed on `jobs` processes (in this one, if none can be)."""
    plan = plan or Plan()
    if isinstance(seeds, str | bytes) or not isinstance(seeds, Iterable):
        raise UsageError(f"seeds is {seeds!r:.40}; give whole numbers, for example range(100).")
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise UsageError(f"jobs is {jobs!r}; give a whole number of processes, 1 or more.")
    if jobs == 1 or not has(PROCESSES):
        for seed in seeds:
            yield run_seed(seed, plan, parts)
        return
    yield from guarded_sweep(seeds, plan, parts, jobs=jobs, limit=math.inf)


def trace_hash(results: Iterable[SeedResult]) -> str:
    """Return one hash over all traces, in the order of the results."""
    whole = hashlib.sha256()
    for result in results:
        whole.update(result.hash.encode())
    return whole.hexdigest()
