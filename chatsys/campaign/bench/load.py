"""Load: a client process that keeps so many messages under way, and measures each of them.

    python -m chatsys.campaign.bench.load '{"addresses":["127.0.0.1:5001"],"connections":2,"outstanding":4}'

    open all sessions --> warm up --> "measuring" --> ... seconds ... --> "measured" --> all are answered --> one line of JSON
                                      `-- what is acknowledged in this time counts --'

The loop is closed: whenever a message is acknowledged the next one is said.  With a `rate` it is open: a message is due
at its time, and waits from then on, though it may be said later because the nodes are slow.  Otherwise
a slow second would be measured once, and not by all who would have spoken in it (coordinated omission).

It speaks the wire as it stands there, and not with the chat's own client, which keeps more for a person than a load
needs, and on uvloop where that is installed: so the measure costs little beside what it measures.  One answer may
speak of a run of messages.

Assumes   no message is refused for good: what is answered `busy` or `redirect` is said again, and waits meanwhile.
Promises  it ends by itself; each message that it calls acknowledged was answered with its position in the log.
Read also `one_by_one` (where only one message is under way), `nodes` (what it speaks to), `compared` (what becomes of the positions), `runtime.net.wire`.
"""

import asyncio
import secrets
import sys
import time
from array import array
from collections.abc import Awaitable, Iterator
from importlib.util import find_spec
from typing import Any

import msgspec

from chatsys.campaign.bench import one_by_one
from chatsys.campaign.bench.ordered import AGAIN, PATIENCE, AnswerFrame, LoadOrder, LoadResult, Said, quantiles
from chatsys.config import split_address
from chatsys.errors import ChatsysError
from chatsys.protocol.messages import Submit, SubmitReply
from chatsys.runtime.net.wire import PROTOCOL, Hello, Refused, line, read_greeting
from chatsys.runtime.service import loop_factory

TICK = 0.002
"""Seconds between two looks at what is due, where there is a rate."""
SPLIT = 4503599627370495
"""A number that stands in a line for the one that comes there."""


_answers = msgspec.json.Decoder(AnswerFrame)


class Speaker(asyncio.Protocol):
    """One connection with a session of its own."""

    def __init__(self, load: "Load", number: int) -> None:
        self.load, self.order = load, load.order
        self.name = f"load{number}"
        self.done = Said(client_id=secrets.token_hex(16))
        self.under_way: dict[int, float] = {}
        """Since when each message waits that is not acknowledged, in their order."""
        self.said = self.frames = 0
        self.due: list[float] = []
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rest = b""
        self._repeat: asyncio.TimerHandle | None = None
        self._before = self._after = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say who this is."""
        self.transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self.transport.write(line(Hello(protocol=PROTOCOL, cluster=self.order.cluster, role="client", name=self.name)))

    def connection_lost(self, error: Exception | None) -> None:
        """Say that nothing more can be measured, unless all is over."""
        self.load.failed(f"The link to a node broke ({error or 'it was closed'}); nothing was measured.")

    def data_received(self, data: bytes) -> None:
        """Take in whole lines: the greeting first, then answers."""
        data = self._rest + data
        end = data.rfind(b"\n") + 1
        self._rest, data = data[end:], data[:end]
        if data and not self.frames:
            first, _, data = data.partition(b"\n")
            greeting = read_greeting(first)
            if isinstance(greeting, Refused):
                return self.load.failed(f"A node refused the load: {greeting.reason}")
            self._say_lines([self._line(0, 0)])
        if not data:
            return
        now = time.monotonic()
        for answered in _answers.decode_lines(data):
            self._take(answered.message, now)
        self.go_on(now)

    def _take(self, reply: SubmitReply, now: float) -> None:
        if reply.status != "ok":
            if self._repeat is None:
                self.load.again += 1
                self._repeat = asyncio.get_running_loop().call_later(AGAIN, self._say_again)
        elif reply.client_seq == 0:
            if not self.opened.done():
                self._open(reply.seq)
        else:
            for number in range(reply.client_seq, reply.client_seq + reply.count):
                if (since := self.under_way.pop(number, None)) is not None:
                    self.load.count(now, now - since)
                    self.done.note(number, reply.seq + number - reply.client_seq)

    def _open(self, session: int) -> None:
        whole = self._line(SPLIT, session)
        before, _, self._after = whole.partition(str(SPLIT).encode())
        self._before = before.partition(b'"message":')[2]
        self.opened.set_result(None)

    def _line(self, number: int, session: int) -> bytes:
        """Return a whole line; the lines of messages differ from each other in two numbers only."""
        submit = Submit(
            self.done.client_id, number, "main", self.name, "x" * self.order.bytes if number else "", session=session
        )
        return b'{"n":%d,"clock":0,"message":%b}\n' % (self.frames + 1, msgspec.json.encode(submit))

    def go_on(self, now: float) -> None:
        """Say what may be said now."""
        if not self.load.talking or not self.opened.done():
            return
        room = self.order.outstanding - len(self.under_way)
        if self.order.messages:
            room = min(room, self.order.messages - self.said)
        waits = [now] * room if not self.order.rate else self.due[:room]
        if room <= 0 or not waits:
            return
        if self.order.rate:
            del self.due[:room]
        first = self.said + 1
        self.said += len(waits)
        self.under_way.update(zip(range(first, self.said + 1), waits, strict=True))
        self._say_lines(self._lines(range(first, self.said + 1)))

    def _lines(self, numbers: range | list[int]) -> Iterator[bytes]:
        before, after = self._before, self._after
        for n, number in enumerate(numbers, start=self.frames + 1):
            yield b'{"n":%d,"clock":0,"message":%b%d%b' % (n, before, number, after)

    def _say_lines(self, lines: "Iterator[bytes] | list[bytes]") -> None:
        written = list(lines)
        self.frames += len(written)
        self.transport.write(b"".join(written))

    def _say_again(self) -> None:
        """Say everything again that waits: the nodes recognise what they have already."""
        self._repeat = None
        if not self.opened.done():
            self._say_lines([self._line(0, 0)])
        else:
            self._say_lines(self._lines(list(self.under_way)))


class Load:
    """All connections of one order, and what is measured of them."""

    def __init__(self, order: LoadOrder) -> None:
        self.order = order
        self.talking = self.measuring = False
        self.again = 0
        self.waits = array("d")
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._over = False
        self.speakers: list[Speaker] = []

    def count(self, now: float, wait: float) -> None:
        """A message was acknowledged after so long."""
        if self.measuring:
            self.waits.append(wait)

    def failed(self, sentence: str) -> None:
        """Nothing can be measured any more."""
        if not self._over and not self._failed.done():
            self._failed.set_exception(ChatsysError(sentence))

    async def run(self) -> LoadResult:
        """Open, warm up, measure, and wait for the last answers."""
        loop = asyncio.get_running_loop()
        for number in range(self.order.connections):
            host, port = split_address(self.order.addresses[number % len(self.order.addresses)])
            speaker = Speaker(self, number)
            await loop.create_connection(lambda speaker=speaker: speaker, host, port)  # type: ignore[misc]
            self.speakers.append(speaker)
        await self._within(asyncio.gather(*(speaker.opened for speaker in self.speakers)), "open their sessions")
        self.talking = True
        pace = asyncio.ensure_future(self._pace())
        await self._talk_for(self.order.warm)
        self.measuring = True
        print("measuring", flush=True)
        began, cpu = time.monotonic(), time.process_time()
        await self._talk_for(self.order.seconds)
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
        self.talking = self.measuring = False
        print("measured", flush=True)
        pace.cancel()
        await self._within(self._all_answered(), "have all their messages acknowledged")
        self._over = True
        for speaker in self.speakers:
            speaker.transport.close()
        return LoadResult(
            messages=len(self.waits), seconds=seconds, cpu=cpu, again=self.again,
            latencies=quantiles(self.waits), sessions=[one.done for one in self.speakers], loop=type(loop).__module__,
        )  # fmt: skip

    async def _talk_for(self, seconds: float) -> None:
        """Let the connections talk, for so long or until everything is said."""
        now = time.monotonic()
        for speaker in self.speakers:
            speaker.go_on(now)
        end = now + seconds
        while (now := time.monotonic()) < end and not self._has_said_all():
            done, _ = await asyncio.wait(
                {self._failed}, timeout=min(end - now, 0.01 if self.order.messages else seconds)
            )
            if done:
                self._failed.result()

    def _has_said_all(self) -> bool:
        most = self.order.messages
        return bool(most) and all(one.said >= most and not one.under_way for one in self.speakers)

    async def _pace(self) -> None:
        """Let messages become due at the rate, each connection in its turn."""
        if not self.order.rate:
            return
        due, number = time.monotonic(), 0
        while True:
            now = time.monotonic()
            while due <= now:
                self.speakers[number % len(self.speakers)].due.append(due)
                due, number = due + 1 / self.order.rate, number + 1
            for speaker in self.speakers:
                speaker.go_on(now)
            await asyncio.sleep(TICK)

    async def _all_answered(self) -> None:
        while any(speaker.under_way for speaker in self.speakers):
            await asyncio.sleep(0.005)

    async def _within(self, doing: Awaitable[Any], what: str) -> None:
        task: asyncio.Future[Any] = asyncio.ensure_future(doing)
        await asyncio.wait({task, self._failed}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if self._failed.done():
            self._failed.result()
        if not task.done():
            raise ChatsysError(
                f"The connections of the load did not {what} within {PATIENCE:g} s; nothing was measured."
            )
        task.result()


async def _serve(order: LoadOrder) -> LoadResult:
    return await Load(order).run()


def _load(order: LoadOrder) -> LoadResult:
    with asyncio.Runner(loop_factory=loop_factory("uvloop" if find_spec("uvloop") else "asyncio")) as runner:
        return runner.run(_serve(order))


def main(words: list[str]) -> int:
    """Carry out the order in the first word; print the result, or say on stderr why there is none."""
    try:
        order = msgspec.json.decode(words[0], type=LoadOrder)
        result = one_by_one.run(order) if order.is_one_by_one else _load(order)
    except (ChatsysError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(msgspec.json.encode(result).decode(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
