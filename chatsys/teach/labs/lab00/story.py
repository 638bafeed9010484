"""A story: a student's script of verbs, asked from outside without being near a world.

    def my_story(world):          tell(())      [("say", ("hello",), {}), ("?", ("leader",), {})]
        world.say("hello")        tell((3,))    [("say", ("hello",), {}), ("?", ("leader",), {}), ("crash", (3,), {})]
        world.crash(world.leader)

The script is written down verb by verb until it asks something that is not answered yet.  Whoever plays it answers from
a real world, and has it told once more from the beginning with all answers so far; it ends when nothing is asked any more.  So
the student's code can ask what it likes of the world, and never reach it.

Assumes   the script does the same when it is told the same.
Promises  it is told with the verbs and questions of a world that a story needs, and a sentence for every other name.
Read also `checks` (who plays it), `grading.recording` (a scenario that asks nothing), `isolation.answering` (where it runs).
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Step = tuple[str, tuple[Any, ...], dict[str, Any]]
"""(verb, arguments, named arguments); the verb `ASKED` has the question as its first argument."""

ASKED, UNWRITTEN = "?", "not written"
VERBS = (
    "say", "run", "crash", "restart", "pause", "resume", "cut", "reconnect", "partition", "heal", "slow", "lose",
)  # fmt: skip
VALUES = ("leader", "nodes", "now")
QUESTIONS = ("delivered", "status")
MOST_STEPS, MOST_QUESTIONS = 2_000, 400
TURN = 0.25
"""Seconds between two looks of `until`."""


class _Open(BaseException):
    """A question has no answer yet; no `except Exception` of a student takes it for an error."""


class ToldWorld:
    """Looks like a world to a script, and writes down what the script does."""

    def __init__(self, answers: Sequence[Any]) -> None:
        self._answers, self._steps, self._asked, self._over = list(answers), list[Step](), 0, False

    def __getattr__(self, name: str) -> Any:
        if name in VERBS:
            return self._verb(name)
        if name in VALUES:
            return self._ask(name)
        if name in QUESTIONS:
            return lambda *arguments: self._ask(name, *arguments)
        usable = ", ".join((*VERBS, "until", *VALUES, *QUESTIONS))
        raise AttributeError(f"a story that is checked may use {usable}; it cannot use world.{name}")

    def _verb(self, name: str) -> Callable[..., None]:
        def do(*arguments: Any, **named: Any) -> None:
            self._note((name, arguments, named))

        return do

    def until(self, predicate: Callable[..., Any], limit: float = 60.0, quiet: bool = False) -> bool:
        """Let time go by until `predicate()` or `predicate(world)` holds, at most `limit` seconds."""
        wants = len(inspect.signature(predicate).parameters)
        for _ in range(int(limit / TURN) + 1):
            if predicate(*[self][:wants]):
                return True
            self.run(TURN)
        return False

    def _ask(self, *question: Any) -> Any:
        self._note((ASKED, question, {}))
        self._asked += 1
        if self._asked > MOST_QUESTIONS:
            raise RuntimeError(f"a story asks its world at most {MOST_QUESTIONS} times")
        if self._asked > len(self._answers):
            self._over = True
            raise _Open
        return self._answers[self._asked - 1]

    def _note(self, step: Step) -> None:
        if self._over:
            raise _Open
        if len(self._steps) >= MOST_STEPS:
            raise RuntimeError(f"a story has at most {MOST_STEPS:,} steps")
        self._steps.append(step)


class StoryTeller:
    """What the judge asks in the place of the student's function, in the process of that function."""

    def __init__(self, opened: Mapping[str, Any]) -> None:
        (self.story,) = opened.values()

    @staticmethod
    def problems(opened: Mapping[str, Any], name: str, methods: Mapping[str, Any]) -> list[str]:
        """Return a sentence for each thing that keeps the function from being asked."""
        (story,) = opened.values()
        head = f"`def {name}(world):`"
        if isinstance(story, type) or not callable(story):
            return [f"{name} is no function, but {'a class' if isinstance(story, type) else 'a value'}; write {head}."]
        try:
            inspect.signature(story).bind(None)
        except TypeError:
            return [f"{name} takes {inspect.signature(story)}; write {head}."]
        except ValueError:
            pass  # written in C: a call will tell
        return []

    def tell(self, answers: Sequence[Any]) -> list[Step]:
        """Return what the story does, up to its end or to the first question that `answers` do not answer."""
        world = ToldWorld(answers)
        try:
            self.story(world)
        except _Open:
            pass
        except NotImplementedError:
            return [(UNWRITTEN, (), {})]
        return world._steps
