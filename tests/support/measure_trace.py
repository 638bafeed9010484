"""Measure what a cluster's trace costs the kernel: memory before and after so many seconds of talk.

python tests/support/measure_trace.py 60 300 kernel       seconds, messages a second, where
"""

import asyncio
import gc
import sys
import time

import psutil

import chatsys
from chatsys.actor.events import Say
from chatsys.check import check
from chatsys.runtime.cluster import Cluster


def memory() -> float:
    """Return the MiB of this process."""
    gc.collect()
    return float(psutil.Process().memory_info().rss / (1 << 20))


async def talk(cluster: Cluster, seconds: float, rate: float) -> None:
    """Say `rate` messages a second, in short bursts."""
    loop = asyncio.get_running_loop()
    began, said = loop.time(), 0
    while (now := loop.time()) < began + seconds:
        while said < (now - began) * rate:
            await cluster.supervisor.say("ann", None, Say(f"message {said}", author="ann"))
            said += 1
        await asyncio.sleep(0.02)


def main(seconds: float, rate: float, where: str) -> None:
    """Let a cluster chat, and tell its memory every ten seconds and what reading the trace costs."""
    print(chatsys.__file__, where, flush=True)
    with Cluster(3, where=where) as cluster:  # type: ignore[arg-type]
        cluster.until(lambda: cluster.leader)
        before = memory()
        work = cluster.submit(talk(cluster, seconds, rate))
        began = time.monotonic()
        while not work.done():
            time.sleep(min(10.0, seconds / 3))
            print(f"{time.monotonic() - began:5.1f} s: {memory() - before:6.1f} MiB more", flush=True)
        time.sleep(1)
        grown, trace = memory() - before, cluster.trace
        print(f"{grown:.1f} MiB more after {len(trace.of('ack'))} messages; {trace!r}")
        for what, read in (
            ("of('ack') again", lambda: trace.of("ack")),
            ("of('broken')", lambda: trace.of("broken")),
            ("trace[-100:]", lambda: trace[-100:]),
            ("check", lambda: check(trace)),
            ("encode", trace.encode),
        ):
            at = time.perf_counter()
            read()
            print(f"    {what}: {(time.perf_counter() - at) * 1000:.1f} ms")


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
