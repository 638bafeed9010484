"""Given: what both worlds and their verbs are given, checked once for both; and a wait that came to nothing.

    run(-1)            UsageError    time only goes forward
    say("x" * 100000)  UsageError    no node would accept it
    until(..., 5)      WaitExpired   a warning: what was waited for, and how the nodes are now

Read also `script` (the checks of verbs that break things), `sim.world`, `runtime.cluster`.
"""

import inspect
import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from chatsys.config import Limits
from chatsys.errors import UsageError
from chatsys.protocol.session_table import refusal


class WaitExpired(UserWarning):
    """What `until` waited for did not happen in time; it returned False."""


def check_seconds(verb: str, seconds: Any) -> None:
    """Raise `UsageError` for what is no length of time."""
    if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise UsageError(f"{verb} was given {seconds!r} seconds; time only goes forward: give a number, 0 or more.")


def check_saying(text: Any, room: Any, author: Any, limits: Limits) -> None:
    """Raise `UsageError` for what no node would ever accept."""
    for name, value in (("text", text), ("author", author), ("room", room)):
        if not isinstance(value, str) or not value.strip():
            raise UsageError(f"{name} is {value!r}; write at least one character.")
    if wrong := refusal(room, author, text, limits):
        raise UsageError(f"say: {wrong[1]}")


def check_made_of(parts: Any, actor: Any, numbers: dict[str, Any]) -> None:
    """Raise `UsageError` for what no world can be made of: `parts` and `actor`, and arguments that must be numbers."""
    from chatsys.protocol.node import PARTS

    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise UsageError(f"{name} is {value!r}; give a number, 0 or more.")
    if actor is not None and not isinstance(actor, type):
        raise UsageError(f"actor is {actor!r}; give a class, for example actor=Node.")
    if parts is not None and not isinstance(parts, Mapping):
        raise UsageError(f'parts is {parts!r}; give classes by name, for example parts={{"election": MyBully}}.')
    for name, part in (parts or {}).items():
        if not isinstance(part, type):
            raise UsageError(f'parts["{name}"] is {part!r}; give the class itself, without brackets behind it.')
        if name not in PARTS and (actor is None or actor.__module__ == "chatsys.protocol.node"):
            raise UsageError(f"There is no part {name!r}; the parts are {', '.join(PARTS)}.")


def warn_expired(world: Any, predicate: Callable[..., Any], limit: float) -> None:
    """Warn the caller of `until` that its wait came to nothing, and how the nodes are now."""
    nodes = ", ".join(f"node {node} {_life(state)}" for node, state in world.status().items())
    warnings.warn(
        f"Waited {limit:g} s in vain for {_source(predicate)}; until returned False. "
        f"Now, at {world.now:.1f} s: leader {world.leader}; {nodes}.",
        WaitExpired,
        stacklevel=3,
    )


def _life(state: dict[str, Any]) -> str:
    if not state["alive"]:
        return "down"
    return "paused" if state["paused"] else f"{state.get('role') or 'up'} in term {state.get('term', 0)}"


def _source(predicate: Callable[..., Any]) -> str:
    """Return the line where the condition is written, or its name."""
    try:
        return f"`{inspect.getsource(predicate).strip().splitlines()[0]}`"
    except (OSError, TypeError):
        return str(getattr(predicate, "__name__", "the condition")).replace("<lambda>", "its condition")
