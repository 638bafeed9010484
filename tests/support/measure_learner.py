"""How soon a learner is level that joins far behind, and what that costs the others.

    python tests/support/measure_learner.py [--messages 100000] [--rate 200] [--rounds 5] [--seconds 5] [--speakers 4]

Three nodes run in terminals of their own, as people start them, and take in so many messages.  Then, round by round:
the speakers say `rate` messages a second together, first for `seconds` alone, then while a learner that knows nothing
joins, until it is level: it has everything that was acknowledged a tenth of a second ago.  The learner ends, and the
next round begins with another one.

Prints one JSON line a round (how long a message takes until it is acknowledged, alone and beside, in milliseconds; the
seconds until level), and at last the medians.  To compare with other code, put that first into PYTHONPATH.
"""

import argparse
import asyncio
import json
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

from measure_fairness import HELLO, Nodes, said

WINDOW = 256
"""So many messages of one speaker are under way while the log is filled."""
GIVEN_UP = 300.0
"""Seconds after which a learner that is not level never will be."""


class Link:
    """A client's connection by hand: one session, its answers taken as they come."""

    def __init__(self, name: str) -> None:
        self.name, self.n, self.session = name, count(1), 0
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def open(self, address: str, limit: float = 20.0) -> None:
        host, port = address.split(":")
        end = time.monotonic() + limit
        while True:
            try:
                self.reader, self.writer = await asyncio.open_connection(host, int(port), limit=1 << 24)
                break
            except OSError:
                if time.monotonic() > end:
                    raise SystemExit(f"nobody answers at {address}") from None
                await asyncio.sleep(0.05)
        self.writer.write(json.dumps({**HELLO, "name": self.name}).encode() + b"\n")
        await self.reader.readline()

    async def heard(self) -> dict[str, object]:
        line = await self.reader.readline()
        if not line:
            raise SystemExit("a node closed the link")
        message: dict[str, object] = json.loads(line)["message"]
        return message

    def submit(self, seq: int) -> None:
        facts = {"client_id": self.name, "client_seq": seq, "session": self.session}
        text = f"message {seq} of {self.name}" if seq else ""
        self.writer.write(said(next(self.n), type="SUBMIT", room="main", author=self.name[:40], text=text, **facts))

    async def begin(self) -> None:
        """Open the session, however long there is no leader."""
        while True:
            self.submit(0)
            reply = await self.heard()
            if reply["status"] == "ok":
                self.session = int(str(reply["seq"]))
                return
            await asyncio.sleep(0.1)


class Speaker(Link):
    """Says messages at their times, and notes how long each took."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.under_way: dict[int, float] = {}
        self.waits: list[float] = []
        self.last = 0
        """The number of the last message that was acknowledged."""
        self.next = 1
        self.room = asyncio.Event()

    async def listen(self) -> None:
        while True:
            reply = await self.heard()
            if reply.get("type") != "SUBMIT_REPLY":
                continue
            if reply["status"] != "ok":
                raise SystemExit(f"{reply['status']}: {reply.get('reason')}")
            first, many = int(str(reply["client_seq"])), int(str(reply.get("count", 1)))
            for seq in range(first, first + many):
                if (began := self.under_way.pop(seq, None)) is not None:
                    self.waits.append((time.monotonic() - began) * 1000)
            self.last = max(self.last, int(str(reply["msg_no"])) + many - 1)
            self.room.set()

    async def fill(self, messages: int) -> None:
        """Say so many as fast as they are taken."""
        for _ in range(messages):
            while len(self.under_way) >= WINDOW:
                self.room.clear()
                await self.room.wait()
            self.say(time.monotonic())
        while self.under_way:
            self.room.clear()
            await self.room.wait()
        self.waits.clear()

    def say(self, due: float) -> None:
        self.under_way[self.next] = due
        self.submit(self.next)
        self.next += 1

    async def speak(self, rate: float, goes_on: Callable[[], bool]) -> None:
        """Say `rate` messages a second; each counts from when it was due, however late this process is."""
        due = time.monotonic()
        while goes_on():
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.say(due)
        while self.under_way:
            self.room.clear()
            await self.room.wait()


async def spoken(speakers: list[Speaker], rate: float, goes_on: Callable[[], bool]) -> dict[str, float]:
    """Let all speak; return how long their messages took."""
    for one in speakers:
        one.waits.clear()
    await asyncio.gather(*(one.speak(rate / len(speakers), goes_on) for one in speakers))
    waits = sorted(wait for one in speakers for wait in one.waits)
    return {
        "messages": len(waits), "p50_ms": round(waits[len(waits) // 2], 2), "p99_ms": round(waits[len(waits) * 99 // 100], 2)
    }  # fmt: skip


async def level(address: str, behind: int, newest: Callable[[], int], rate: float) -> float:
    """Return after how many seconds the learner at `address` has all that was acknowledged a moment ago."""
    began = time.monotonic()
    link = Link("watches")
    await link.open(address)
    link.writer.write(said(1, type="SUBSCRIBE", after=behind - 1))
    while True:
        message = await asyncio.wait_for(link.heard(), GIVEN_UP)
        if message.get("type") == "DELIVERED" and (numbers := message["numbers"]):
            last = numbers[-1]  # type: ignore[index]
            if last >= newest() - rate / 10:
                link.writer.close()
                return time.monotonic() - began
            link.writer.write(said(next(link.n), type="SUBSCRIBE", after=last))


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


async def round_of(
    node: int, folder: Path, members: dict[int, str], speakers: list[Speaker], given: argparse.Namespace
) -> dict[str, object]:
    """Measure alone, then beside a learner that joins."""
    end = time.monotonic() + given.seconds
    alone = await spoken(speakers, given.rate, lambda: time.monotonic() < end)

    def newest() -> int:
        return max(one.last for one in speakers)

    behind, free = newest(), free_address()
    words = ["-m", "chatsys", "node", "--join", members[1 + node % 3], "--id", str(node), "--listen", free]
    told = open(folder / f"node{node}.txt", "w")  # noqa: SIM115
    learner = await asyncio.create_subprocess_exec(
        sys.executable, *words, "--data", str(folder / f"node{node}"), stdout=told, stderr=told
    )
    try:
        is_level = asyncio.create_task(level(free, behind, newest, given.rate))
        beside = await spoken(speakers, given.rate, lambda: not is_level.done())
        seconds = await is_level
    finally:
        if learner.returncode is not None:
            print((folder / f"node{node}.txt").read_text(), file=sys.stderr)
        else:
            learner.terminate()
        await learner.wait()
        told.close()
    ratio = round(beside["p50_ms"] / alone["p50_ms"], 2)
    return {"behind": behind, "level_s": round(seconds, 2), "alone": alone, "beside": beside, "p50_ratio": ratio}


async def main(given: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as place, Nodes(Path(place)) as members:
        speakers = [Speaker(f"speaker-{each}") for each in range(given.speakers)]
        for each, one in enumerate(speakers):
            await one.open(members[1 + each % 3])
            await one.begin()
        ears = [asyncio.create_task(one.listen()) for one in speakers]
        began = time.monotonic()
        share = given.messages // len(speakers)
        work: list[Awaitable[None]] = [one.fill(share) for one in speakers]
        await asyncio.gather(*work)
        print(json.dumps({"filled": given.messages, "seconds": round(time.monotonic() - began, 1)}), flush=True)
        rounds = []
        for each in range(given.rounds):
            rounds.append(await round_of(4 + each, Path(place), members, speakers, given))
            print(json.dumps(rounds[-1]), flush=True)
        for ear in ears:
            ear.cancel()
        told = {
            "level_s": statistics.median(float(str(one["level_s"])) for one in rounds),
            "p50_ratio": statistics.median(float(str(one["p50_ratio"])) for one in rounds),
        }
        print(json.dumps({"medians": told}), flush=True)


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--messages", type=int, default=100_000)
    asked.add_argument("--rate", type=float, default=200.0)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--seconds", type=float, default=5.0)
    asked.add_argument("--speakers", type=int, default=4)
    asyncio.run(main(asked.parse_args()))
