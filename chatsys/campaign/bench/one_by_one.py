"""One by one: a client that says a message, waits for its answer, and says the next one, with no event loop between.

    say --> wait in `recv` --> answered --> say --> ...

This is how most programs use a chat or a store: a blocking client.  An event loop would add to each message what it
costs itself, and that is a tenth of what one message takes.

Assumes   one connection, one message under way, no rate.
Promises  the same as `load`, whose order and result it shares.
Read also `load` (many at once), `ordered` (what both are told, and tell).
"""

import secrets
import socket
import time
from array import array
from collections.abc import Iterator

import msgspec

from chatsys.campaign.bench.ordered import AGAIN, PATIENCE, AnswerFrame, LoadOrder, LoadResult, Said, quantiles
from chatsys.config import split_address
from chatsys.errors import ChatsysError
from chatsys.protocol.messages import Submit, SubmitReply
from chatsys.runtime.net.wire import PROTOCOL, Hello, Refused, line, read_greeting

_answers = msgspec.json.Decoder(AnswerFrame)


class BlockingClient:
    """One connection with a session of its own, and one message at a time."""

    def __init__(self, order: LoadOrder) -> None:
        host, port = split_address(order.addresses[0])
        self.order = order
        self.socket = socket.create_connection((host, port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.said = Said(client_id=secrets.token_hex(16))
        self.frames = self.again = 0
        self._lines = self._received()
        self.socket.sendall(line(Hello(protocol=PROTOCOL, cluster=order.cluster, role="client", name="load0")))
        if isinstance(greeting := read_greeting(next(self._lines)), Refused):
            raise ChatsysError(f"A node refused the load: {greeting.reason}")
        self.session = self.say(0).seq

    def _received(self) -> Iterator[bytes]:
        rest = b""
        while True:
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                raise ChatsysError(f"No answer came within {PATIENCE:g} s; nothing was measured.") from None
            if not data:
                raise ChatsysError("The link to a node broke (it was closed); nothing was measured.")
            *whole, rest = (rest + data).split(b"\n")
            yield from whole

    def say(self, number: int) -> SubmitReply:
        """Say message `number`, or open the session with 0, until it is acknowledged; return the answer."""
        session, text = (self.session, "x" * self.order.bytes) if number else (0, "")
        submit = msgspec.json.encode(Submit(self.said.client_id, number, "main", "load0", text, session=session))
        while True:
            self.frames += 1
            self.socket.sendall(b'{"n":%d,"clock":0,"message":%b}\n' % (self.frames, submit))
            reply = _answers.decode(next(self._lines)).message
            while reply.client_seq != number:  # a late answer to what was said twice
                reply = _answers.decode(next(self._lines)).message
            if reply.status == "ok":
                return reply
            self.again += 1
            time.sleep(AGAIN)

    def talk_for(self, seconds: float, waits: "array[float]") -> None:
        """Say one message after the other for so long; enter how long each one took, in seconds."""
        now = time.monotonic()
        end = now + seconds
        while now < end:
            number = self.said.acknowledged + 1
            began = now
            seq = self.say(number).seq
            now = time.monotonic()
            waits.append(now - began)
            self.said.note(number, seq)


def run(order: LoadOrder) -> LoadResult:
    """Open, warm up, measure.  Raises `ChatsysError`, and `OSError` where nobody listens."""
    client = BlockingClient(order)
    client.talk_for(order.warm, array("d"))
    waits = array("d")
    print("measuring", flush=True)
    began, cpu = time.monotonic(), time.process_time()
    client.talk_for(order.seconds, waits)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    print("measured", flush=True)
    client.socket.close()
    return LoadResult(
        messages=len(waits), seconds=seconds, cpu=cpu, again=client.again,
        latencies=quantiles(waits), sessions=[client.said],
    )  # fmt: skip
