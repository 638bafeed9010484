"""The wire: frames as lines of JSON, and the greeting with which every link begins.

One JSON object per line, UTF-8, so a link can be read with `nc`:

    {"type":"hello","protocol":"chatsys/1","cluster":"chat","role":"node","node":2,"incarnation":1,...}
    {"n":17,"clock":204,"message":{"type":"HEARTBEAT","term":1,"number":9,"commit":3,"last":[1,3]}}

`n` counts the frames of one sender's life: with sender and incarnation it is the frame's stable
id.  `clock` is the sender's Lamport clock.  The codec is built from what an actor declares.

Between members two more lines belong to the greeting (see `claims`):

    {"type":"answer","challenge":"5f0c..."}     what the hello of a link dialled to my address carried
    {"type":"confirmed"}                        this link is the member's own: its frames are taken

A message may say itself what is wrong with it (`wrong`): then the frame is malformed, though every
field of it is well typed.  Only `read` asks, so a world without a wire pays nothing.

Assumes   nothing about the other end: it may send any bytes.
Promises  `read` returns a checked frame or raises `FrameError` with a sentence, never anything else;
          what `write` returns can be read.
Read also `transport` (who uses it), `protocol.messages` (the frames of the chat).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union

import msgspec

from chatsys.actor.actor import Address, Number
from chatsys.actor.events import NO_IDENTITY, Identity
from chatsys.config import ClusterConfig, Limits
from chatsys.errors import ConfigError, FrameError

PROTOCOL = "chatsys/1"
Frame = tuple[int, int, Any]
"""(n, clock, message): what a frame says."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class Hello(msgspec.Struct, frozen=True, tag="hello", tag_field="type", omit_defaults=True, kw_only=True):
    """The first line in both directions: who speaks, in which life, for which cluster."""

    protocol: str
    cluster: str
    role: Literal["node", "client", "learner"]
    """A learner is served as a client is, though it has a number and keeps a log."""
    node: Number | None = None
    name: Name | None = None
    incarnation: Number = 0
    address: str = ""
    config_digest: str = ""
    identity: Identity = NO_IDENTITY
    challenge: Annotated[str, msgspec.Meta(max_length=64)] = ""
    """Of a member that dials: whoever repeats it on a link of its own listens at the address that was dialled."""
    members: dict[int, str] = {}
    """Told to clients and learners only: where the members listen, so that one address is enough to begin."""

    @property
    def sender(self) -> Address:
        """Who speaks on this link."""
        return (self.name if self.role == "client" else self.node) or 0

    @property
    def life(self) -> tuple[int, Identity]:
        """Which life of which disk speaks on this link."""
        return self.incarnation, self.identity


class Refused(msgspec.Struct, frozen=True, tag="refused", tag_field="type", omit_defaults=True):
    """The only other first line: no link, and why."""

    reason: str
    code: Literal["", "identity"] = ""
    """`identity`: another process answers to this name; trying again is of no use."""


class ChallengeAnswer(msgspec.Struct, frozen=True, tag="answer", tag_field="type"):
    """Repeats the challenge of a hello that came in, on the link that was dialled to that member's address."""

    challenge: Annotated[str, msgspec.Meta(max_length=64)]


class Confirmed(msgspec.Struct, frozen=True, tag="confirmed", tag_field="type"):
    """From now on the frames of this link are taken."""


ANSWER = b'{"type":"answer"'
"""How a `ChallengeAnswer` begins; frames begin otherwise."""


class Nothing(msgspec.Struct, frozen=True, tag="nothing", tag_field="type"):
    """Stands in for the messages of an actor that declares none."""


UNREADABLE = (msgspec.DecodeError, RecursionError, ValueError, ConfigError)
"""What bytes that are no frame can raise."""

_encode = msgspec.json.encode
_greeting: msgspec.json.Decoder[Hello | Refused] = msgspec.json.Decoder(Hello | Refused)
_answer = msgspec.json.Decoder(ChallengeAnswer)
_verdict: msgspec.json.Decoder[Confirmed | Refused] = msgspec.json.Decoder(Confirmed | Refused)


def line(value: msgspec.Struct) -> bytes:
    """Return a greeting as one line."""
    return _encode(value) + b"\n"


def read_greeting(data: bytes) -> Hello | Refused:
    """Return the first line of a link; raises `FrameError`."""
    try:
        return _greeting.decode(data)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise FrameError(f"The first line is no hello: {_why(error)}.") from None


def read_answer(data: bytes) -> ChallengeAnswer:
    """Return the answer to a challenge; raises `FrameError`."""
    try:
        return _answer.decode(data)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise FrameError(f"The answer is malformed: {_why(error)}.") from None


def read_verdict(data: bytes) -> Confirmed | Refused:
    """Return what becomes of a link whose hello was answered; raises `FrameError`."""
    try:
        return _verdict.decode(data)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise FrameError(f"The other end answered on a link that is only for our frames: {_why(error)}.") from None


def objection(hello: Hello, me: Address, config: ClusterConfig) -> str | None:
    """Say why a link that begins with `hello` must be refused by `me`, or None."""
    if hello.protocol != PROTOCOL:  # SPECIFICATION R2.2
        return f"This node speaks {PROTOCOL}, not {hello.protocol[:40]!r}."
    if hello.cluster != config.cluster:
        return f"This node belongs to the cluster {config.cluster!r}, not to {hello.cluster[:40]!r}."
    if hello.role == "client":
        return None if hello.name else "A client's hello needs a name."
    if hello.role == "learner":
        return None if hello.node and hello.incarnation else "A learner's hello needs its id and its incarnation."
    if hello.node not in config.members:
        return f"Node {hello.node} is not a member; members are {', '.join(map(str, config.ids))}."
    if hello.node == me:
        return f"Node {me} is this node itself; two nodes must not share an id."
    if hello.incarnation < 1:
        return "A node's hello needs its incarnation, 1 or more."
    if me in config.members and hello.config_digest != config.digest:
        return "The member ids, the quorum or limits.sessions differ from this node's config; give all nodes the same."
    return None


class Codec:
    """Frames of one actor's kind <-> lines; `limits` bound what a well-formed frame may carry."""

    def __init__(self, messages: Sequence[type[msgspec.Struct]], limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        union: Any = Union[tuple(messages) or (Nothing,)]  # noqa: UP007 - the types are in a tuple
        frame = msgspec.defstruct(
            "Frame", [("n", Number), ("clock", Number), ("message", union)], frozen=True, forbid_unknown_fields=True
        )
        self.limits = limits
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(frame)
        self._encoder = msgspec.json.Encoder()
        self._last: tuple[msgspec.Struct | None, bytes] = (None, b"")
        self._judged = frozenset(one for one in messages if hasattr(one, "wrong"))

    def write(self, n: int, clock: int, message: msgspec.Struct) -> bytes:
        """Return the frame as one line, newline included."""
        last, body = self._last
        if message is not last:  # the same message to several peers is encoded once
            body = self._encoder.encode(message)
            self._last = (message, body)
        return b'{"n":%d,"clock":%d,"message":%b}\n' % (n, clock, body)  # SPECIFICATION R2.5

    def read_all(self, lines: Sequence[bytes]) -> tuple[list[Frame], FrameError | None]:
        """Return the frames of these lines up to the first that is malformed, and what is wrong with that one."""
        frames: list[Frame] = []
        try:
            for one in self._decoded(lines) if len(lines) > 1 else ():
                frames.append(self._judge(one))
            if len(frames) == len(lines):
                return frames, None
        except (*UNREADABLE, FrameError):
            pass
        frames = []
        for line in lines:  # one after the other: this tells which one it is
            try:
                frames.append(self.read(line))
            except FrameError as error:
                return frames, error
        return frames, None

    def _decoded(self, lines: Sequence[bytes]) -> Sequence[Any]:
        """Return what is decoded at once, in a fifth of the time; nothing if these are not objects of a line each."""
        joined = b"\n".join(lines)
        whole = joined.startswith(b"{") and joined.endswith(b"}") and joined.count(b"}\n{") == len(lines) - 1
        return self._decoder.decode_lines(joined) if whole else ()

    def read(self, data: bytes) -> Frame:
        """Return (n, clock, message) of one line; raises `FrameError`."""
        try:
            frame = self._decoder.decode(data)
        except UNREADABLE as error:
            raise FrameError(f"The frame is malformed: {_why(error)}.") from None
        return self._judge(frame)

    def _judge(self, frame: Any) -> Frame:
        message = frame.message
        if type(message) in self._judged and (why := message.wrong(self.limits)) is not None:  # SPECIFICATION R2.10
            raise FrameError(f"The frame is malformed: {why}.")
        return frame.n, frame.clock, message


def _why(error: Exception) -> str:
    """Return what a decoder says, short and without its final stop."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error)[:200].rstrip(".")
