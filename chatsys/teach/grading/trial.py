"""A trial: one student's class, as a judge asks it.

    trial.cls                  looks like the class: a stage makes objects of it, and calls them (live)
    trial.ask(scripts)         many objects, all calls of each at once (offline, much faster)
    trial.alone(script)        the same in a process in which nothing else has run
    trial.growth(load)         bytes that remain after many calls
    trial.replayed()           looks like the class to a search, which goes back and tries another order

The class itself is elsewhere: in a confined process (`isolation.remote`), or, where there are no processes,
in this one.  Judges cannot tell, and need not.

A judge asks *live* where the student's answers feed back into the run, and *offline* where they do not.

Promises  what a class raises in a world stops its own node, as it would at home; what ends its process, or comes
          to no end, ends the trial (`isolation.remote.Gone`), whatever the world would do about an error.
Read also `lab` (CallScript, Call, Reply), `judging` (who makes trials), `searching` (a judge that tries every order).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Protocol

import msgspec

from chatsys.errors import told
from chatsys.isolation.budget import DOOR
from chatsys.isolation.calls import Call, CallScript, Reply
from chatsys.isolation.deadline import Deadline, TimeUp
from chatsys.isolation.remote import Gone, Raised, RemoteClass
from chatsys.teach.grading.lab import Exercise
from chatsys.teach.grading.replayed import ReplayedClass

BEFORE, AFTER = 2_000, 20_000
"""The memory is measured after so many calls of a load."""


class Trial(Protocol):
    """What a judge may ask."""

    name: str
    """The name of the class, for sentences."""
    cls: Any
    """Called like the student's class, it makes an object with the methods that the exercise declares."""

    @property
    def unfinished(self) -> str:
        """The first method that raised NotImplementedError: it is not written yet; "" if there is none."""

    def ask(self, scripts: Sequence[CallScript]) -> list[list[Reply]]:
        """Play each script on an object of its own; its replies end with the first one that is not right."""

    def alone(self, script: CallScript) -> list[Reply]:
        """Play one script where nothing else has been played."""

    def growth(self, load: Callable[[int, int], CallScript]) -> int | None:
        """Return how many bytes the calls up to `AFTER` leave behind, beyond those up to `BEFORE`; None: not known.

        Raises `Raised` for what one of the calls raised.
        """

    def replayed(self) -> ReplayedClass:
        """Return what looks like the class to a search: the state of its objects is what was asked and answered."""


class RemoteTrial:
    """A class in a confined process."""

    def __init__(self, remote: RemoteClass) -> None:
        self.remote, self.name = remote, remote.name
        self.cls = _Class(remote)

    @property
    def unfinished(self) -> str:
        """Return what is not written yet."""
        return self.remote.unfinished

    def ask(self, scripts: Sequence[CallScript]) -> list[list[Reply]]:
        """Send them all at once."""
        return self.remote.run(scripts)

    def alone(self, script: CallScript) -> list[Reply]:
        """Play it in a new process."""
        self.remote.restart()
        return self.remote.run([script])[0]

    def growth(self, load: Callable[[int, int], CallScript]) -> int | None:
        """Look at the process from outside, so that it does not matter where the class keeps things."""
        self.remote.restart()
        first = load(1, BEFORE)
        mine = self.remote.new(*first.arguments)
        sizes = []
        for calls in (first.calls, load(BEFORE + 1, AFTER).calls):
            if (wrong := self.remote.first_wrong(mine, calls)) is not None:
                raise Raised(wrong.error or f"a TypeError: it returned {wrong.wrong}", wrong.unfinished)
            sizes.append(self.remote.memory())
        return sizes[1] - sizes[0]

    def replayed(self) -> ReplayedClass:
        """Play histories in the process."""
        return ReplayedClass(self.name, self.remote.methods, self.ask)


class _Class:
    """Looks like the class to a stage: it has its name, and makes objects."""

    def __init__(self, remote: RemoteClass) -> None:
        self.__name__, self.__call = remote.name, remote.new

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.__call(*arguments, **named)


class LocalTrial:
    """A class in this process, under a deadline: for a Python that can start no other one, and for tests."""

    def __init__(self, answer: type, exercise: Exercise) -> None:
        self.cls, self.name, self.methods = answer, answer.__name__, exercise.methods | exercise.asked
        self.holder = _find(exercise.holder)
        self.deadline: Deadline | None = None
        self.unfinished = ""

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """End a loop that never ends."""
        self.deadline = Deadline(DOOR)
        try:
            with self.deadline:
                yield
        except TimeUp as late:
            raise Gone(late.verdict, late.sentence, late.place) from None
        finally:
            self.deadline = None

    def ask(self, scripts: Sequence[CallScript]) -> list[list[Reply]]:
        """Play them one after the other."""
        return [self.alone(script) for script in scripts]

    def alone(self, script: CallScript) -> list[Reply]:
        """Play one; there is no other place for it."""
        if self.deadline is not None:
            self.deadline.heartbeat()
        replies: list[Reply] = []
        try:
            mine = self.cls(*script.arguments) if self.holder is None else self.holder({self.name: self.cls})
        except Exception as error:
            return [self._raised("__init__", error)]
        for call in script.calls:
            replies.append(self._reply(mine, call))
            if not replies[-1].right:
                break
        return replies

    def _reply(self, mine: Any, call: Call) -> Reply:
        try:
            value = getattr(mine, call.method)(*call.arguments)
        except Exception as error:
            return self._raised(call.method, error)
        try:
            return Reply(msgspec.convert(value, self.methods[call.method].returns))
        except msgspec.ValidationError:
            return Reply(wrong=f"{value!r:.60}")

    def _raised(self, method: str, error: Exception) -> Reply:
        unfinished = isinstance(error, NotImplementedError)
        if unfinished and not self.unfinished:
            self.unfinished = method
        return Reply(error=told(error), unfinished=unfinished)

    def growth(self, load: Callable[[int, int], CallScript]) -> int | None:
        """Nobody can tell: this process does other things as well."""
        return None

    def replayed(self) -> ReplayedClass:
        """Play histories here."""
        return ReplayedClass(self.name, self.methods, self.ask)


def _find(holder: str) -> Any:
    if not holder:
        return None
    module, name = holder.split(":")
    return getattr(import_module(module), name)
