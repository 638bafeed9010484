"""Recording: what a student's scenario does, as values; it runs in the process of the student's code.

    def scenario(world):                     --> [("say", ("hello", 1), {}), ("run", (5,), {})]
        world.say("hello", 1)
        world.run(5)

The scenario only does, it asks nothing: so it can be written down once and played with any number of answers, right
and wrong ones, none of which is ever near the student's code.

Read also `written` (who plays it).
"""

from collections.abc import Callable, Mapping
from typing import Any

from chatsys.trace import Trace

Done = tuple[str, tuple[Any, ...], dict[str, Any]]
"""(verb, arguments, named arguments)"""

MOST_STEPS = 1_000


class Recording:
    """Looks like a world that can only be told what to do."""

    def __init__(self, verbs: tuple[str, ...]) -> None:
        self._verbs, self._done = verbs, list[Done]()

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_") or name not in self._verbs:
            raise AttributeError(f"a scenario may use {', '.join(self._verbs)}; it cannot ask for world.{name}")

        def do(*arguments: Any, **named: Any) -> None:
            if len(self._done) >= MOST_STEPS:
                raise RuntimeError(f"a scenario has at most {MOST_STEPS:,} steps")
            self._done.append((name, arguments, named))

        return do


class Written:
    """The two functions of a written test, as an object that can be asked from outside."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]], scenario: str, claim: str) -> None:
        self._scenario, self._claim = functions[scenario], functions[claim]

    def steps(self, verbs: tuple[str, ...]) -> list[Done]:
        """Return what the scenario does."""
        recording = Recording(verbs)
        self._scenario(recording)
        return recording._done

    def claims(self, trace: bytes) -> Any:
        """Return what the claim says of this trace: a sentence, or None, or what the other side refuses."""
        return self._claim(Trace.decode(trace))
