"""Replayed objects: a class in another process, for a search that goes back and tries another order.

A search copies states and compares them.  It cannot copy an object that lives elsewhere, and must not believe
what that object says of itself.  But an object is what was done with it, so its state is taken to be its history:
the arguments it was made with, each call, each answer.  Where the search goes back, a new object is made at the
other end, and all of its history is played to it before the next call:

    suspect() -> [...]   receive(1, "OK", 3) -> []      two calls: this is the state
    suspect() -> [...]   receive(1, "OK", 3) -> []   wake() -> ?       one script, of which the last answer is new

Two states with the same history are one; two that only the class could tell equal are two, which costs time, never
truth.  A class that keeps something outside of its object answers its own history differently.  That is seen when
it is played again, and at the end by `doubt`, which asks in new processes and in another order.

Assumes   the class is given no time, for a search has none: a call with a date in it is refused.
Promises  nothing but answers counts, and each of them was given by the class; a contradiction is `Undecidable`.
Read also `trial` (who makes them), `searching` (a judge that searches), `explore.fingerprint` (how states are compared).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from chatsys.explore.chance import Date, Undecidable
from chatsys.isolation.calls import Call, CallScript, Method, Reply
from chatsys.isolation.remote_object import Raised

MADE = "__init__"
AGAIN, ALONE = 400, 7
"""So many histories are asked again at the end, and so many of them each in a process of its own."""

_encode = msgspec.msgpack.Encoder(order="deterministic", enc_hook=repr).encode


class Answered(msgspec.Struct, frozen=True):
    """One call and its answer, as bytes: two of them are equal if these are."""

    call: bytes
    reply: bytes


History = tuple[Answered, ...]


class ReplayedObject:
    """Looks like an object of the class; all that it holds is its history."""

    _class: ClassVar["ReplayedClass"]

    def __init__(self, history: History) -> None:
        self.history = history

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__") or name not in self._class.methods:
            raise AttributeError(f"{self._class.__name__} is asked for its methods only; {name!r} is none of them")

        def call(*arguments: Any) -> Any:
            step, reply = self._class.step(self.history, Call(name, arguments))
            self.history = (*self.history, step)
            return value_of(name, reply)

        return call


class ReplayedClass:
    """Looks like the class, and makes replayed objects."""

    def __init__(
        self, name: str, methods: Mapping[str, Method], ask: Callable[[Sequence[CallScript]], list[list[Reply]]]
    ) -> None:
        self.__name__, self.methods, self.ask = name, dict(methods), ask
        self.kind = type(f"Replayed{name}", (ReplayedObject,), {"_class": self})
        self.calls: dict[bytes, Call] = {}
        self.known: dict[tuple[History, bytes], tuple[Answered, Reply]] = {}
        """(history, next call) -> what came of it."""

    def __call__(self, *arguments: Any) -> Any:
        """Make an object."""
        step, reply = self.step((), Call(MADE, arguments))
        value_of(MADE, reply)
        return self.kind((step,))

    def step(self, history: History, call: Call) -> tuple[Answered, Reply]:
        """Return what comes of a call after this history."""
        if any(isinstance(one, Date) for one in call.arguments):
            raise Undecidable(f"{self.__name__}.{call.method} is given the time, which a search does not know")
        asked = _encode((call.method, _in_order(call.arguments)))
        known = self.known.get((history, asked))
        if known is None:
            self.calls.setdefault(asked, call)
            (replies,) = self.ask([self._script((*history, Answered(asked, b"")))])
            reply = self._last(history, replies, call)
            known = self.known[history, asked] = Answered(asked, _encode(reply)), reply
        return known

    def _script(self, history: History) -> CallScript:
        made, *calls = (self.calls[step.call] for step in history)
        return CallScript(tuple(calls), made.arguments)

    def _last(self, history: History, replies: Sequence[Reply], call: Call) -> Reply:
        """Return the answer to the last call, if the answers before it are the old ones."""
        if call.method == MADE:
            return replies[0] if replies else Reply()
        if not self._are_the_same(history[1:], replies) or len(replies) < len(history):
            raise Undecidable(self.sentence)
        return replies[len(history) - 1]

    def _are_the_same(self, steps: Sequence[Answered], replies: Sequence[Reply]) -> bool:
        return all(_encode(reply) == step.reply for step, reply in zip(steps, replies, strict=False))

    @property
    def sentence(self) -> str:
        """Say what it means that a history was answered in two ways."""
        return (
            f"{self.__name__} answered the same calls in two ways: it keeps something outside of its object, or draws by "
            "chance. Make everything in __init__"
        )

    # --- afterwards ----------------------------------------------------------------------------------

    def doubt(self, alone: Callable[[CallScript], list[Reply]]) -> str:
        """Return a sentence if the class answers otherwise when it is asked anew; "" if it does not.

        What was asked last is asked first, in a process in which nothing has happened yet; `alone` begins one.  And
        of the objects that were made alike (those of one node) the longest history is asked where nothing else is:
        so nodes that share a dictionary are found out, however well they keep it.
        """
        histories = list(self._histories())
        longest = {history[0]: history for history in sorted(histories, key=len)}
        for history in [*longest.values()][:ALONE]:
            if not self._holds(history, alone(self._script(history))):
                return f"{self.sentence}."
        if histories:
            alone(CallScript((), self.calls[histories[0][0].call].arguments))
            replies = self.ask([self._script(history) for history in histories])
            if not all(map(self._holds, histories, replies)):
                return f"{self.sentence}."
        return ""

    def _holds(self, history: History, replies: Sequence[Reply]) -> bool:
        return len(replies) >= len(history) - 1 and self._are_the_same(history[1:], replies)

    def _histories(self) -> Iterator[History]:
        """Yield whole histories that were not refused in `__init__`, the newest first, some of each length."""
        whole = [(*history, step) for (history, _), (step, _) in reversed(self.known.items()) if history]
        yield from whole[:: max(1, len(whole) // AGAIN)][:AGAIN]


def _in_order(value: Any) -> Any:
    """Return arguments with their dictionaries as pairs in order: a key that is no text cannot be encoded in one."""
    if isinstance(value, dict):
        return [(key, _in_order(value[key])) for key in sorted(value, key=repr)]
    return [_in_order(one) for one in value] if isinstance(value, list | tuple) else value


def value_of(method: str, reply: Reply) -> Any:
    """Return what a method returned; raises `Raised` for what it raised."""
    if reply.error is not None:
        raise Raised(reply.error, reply.unfinished)
    if reply.wrong is not None:
        raise Raised(f"{method} returned {reply.wrong}")
    return reply.value
