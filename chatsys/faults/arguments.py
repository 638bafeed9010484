"""Arguments: what worlds and their verbs are given, checked once for every world; and a wait in vain.

    World(seed="a")    UsageError    seed is 'a'; give a whole number
    crash(9)           UsageError    node 9 is not a member
    run(-1)            UsageError    time only goes forward
    say("x" * 100000)  UsageError    no node would accept it
    until(..., 5)      WaitExpired   a warning: what was waited for, and how the nodes are now

A truth value is no number here, although Python counts with it, and neither is NaN or infinity.

Read also `verbs` (the arguments of verbs that a script can say), `testbed` (the verbs, which check here).
"""

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import PurePath
from typing import Any

import msgspec

from chatsys.actor.actor import Actor
from chatsys.config import ClusterConfig, Limits, Timing, is_number
from chatsys.errors import UsageError
from chatsys.faults.verbs import ANY
from chatsys.protocol.session_table import refusal

MOST_IDS = 10_000
"""Ids of learners are small numbers, as people write them."""


class WaitExpired(UserWarning):
    """What `until` waited for did not happen in time; it returned False."""


def check_member(node: Any, nodes: Iterable[int], what: str = "member") -> None:
    """Raise `UsageError` for what is no member of the cluster, or no learner, if that is asked for."""
    if isinstance(node, bool) or not isinstance(node, int) or node not in nodes:
        there = ", ".join(map(str, nodes))
        known = f"the {'nodes' if what == 'member' else what + 's'} are {there}" if there else f"there is no {what}"
        raise UsageError(f"Node {node!r:.80} is not a {what}; {known}.")


def check_new(node: Any, members: Iterable[int], learners: Iterable[int]) -> None:
    """Raise `UsageError` for an id that cannot be a new learner's."""
    if isinstance(node, bool) or not isinstance(node, int) or not 1 <= node <= MOST_IDS:
        raise UsageError(
            f"join was given {node!r:.80}; give the id of the new learner, a whole number from 1 to {MOST_IDS}."
        )
    if node in members:
        known = ", ".join(map(str, members))
        raise UsageError(f"Node {node} is a member already; the members are {known}. Choose another id.")
    if node in learners:
        raise UsageError(
            f"Node {node} is a learner already; if it is down, restart({node}) starts it again, or leave({node}) lets it go, "
            "and then its id is free."
        )


_IN_WORDS = {"shutdown": "be shut down", "pause": "be paused"}
"""What cannot be done to a node, where the name of the verb is no word of a sentence."""


def check_life(verb: str, node: int, alive: bool, paused: bool) -> None:
    """Raise `UsageError` if `verb` does not fit the state of a node: crash restart pause resume, or anything else."""
    match verb:
        case "restart":
            if alive:
                raise UsageError(f"Node {node} is running; crash it first, then restart it.")
        case _ if not alive:
            raise UsageError(f"Node {node} is not running, so it cannot {_IN_WORDS.get(verb, verb)}; restart it first.")
        case "pause" if paused:
            raise UsageError(f"Node {node} is paused already; resume it first.")
        case "resume" if not paused:
            raise UsageError(f"Node {node} is not paused, so there is nothing to resume.")


def check_seconds(verb: str, seconds: Any) -> None:
    """Raise `UsageError` for what is no length of time."""
    if not is_number(seconds) or seconds < 0:
        raise UsageError(f"{verb} was given {seconds!r} seconds; time only goes forward: give a number, 0 or more.")


def check_saying(text: Any, room: Any, author: Any, limits: Limits) -> None:
    """Raise `UsageError` for what no node would ever accept."""
    for name, value in (("text", text), ("author", author), ("room", room)):
        if not isinstance(value, str):
            raise UsageError(f"{name} is {value!r:.80}, which is no text; put it in quotes: {str(value)[:40]!r}.")
        if not value.strip():
            raise UsageError(f"{name} is {value!r:.80}; write at least one character.")
    if wrong := refusal(room, author, text, limits):
        raise UsageError(f"say: {wrong[1]}")


def check_author(name: Any, limits: Limits) -> None:
    """Raise `UsageError` for a name under which nobody could say anything."""
    check_saying("hello", "main", name, limits)


def check_made_of(parts: Any, actor: Any, client: Any = None) -> None:
    """Raise `UsageError` for code that no world can be made of: `parts`, `actor` and what makes clients."""
    from chatsys.protocol.node import Node

    if actor is not None and not (isinstance(actor, type) and issubclass(actor, Actor)):
        raise UsageError(f"actor is {actor!r:.80}; give a class made from Actor, for example actor=Node.")
    if client is not None and not callable(client):
        raise UsageError(f"client is {client!r:.80}; give a class of clients, or a function that makes them.")
    if parts is not None and not isinstance(parts, Mapping):
        raise UsageError(f'parts is {parts!r:.80}; give classes by name, for example parts={{"election": MyBully}}.')
    made = Node if actor is None else actor
    for name, part in (parts or {}).items():
        if not isinstance(part, type):
            raise UsageError(f'parts["{name}"] is {part!r:.80}; give the class itself, without brackets behind it.')
        if name not in made.part_names:
            has = f"the parts are {', '.join(made.part_names)}" if made.part_names else f"{made.__name__} has none"
            raise UsageError(f"There is no part {name!r}; {has}.")


def check_numbers(**numbers: Any) -> None:
    """Raise `UsageError` for arguments of a world that must be numbers, 0 or more."""
    for name, value in numbers.items():
        if not is_number(value) or value < 0:
            raise UsageError(f"{name} is {value!r}; give a number, 0 or more.")


def check_seed(seed: Any) -> None:
    """Raise `UsageError` for a seed that is no whole number."""
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise UsageError(f"seed is {seed!r:.80}; give a whole number, for example 7.")


def config_of(nodes: Any, quorum: Any, timing: Any) -> ClusterConfig:
    """Return the config of a world made with these; raises `UsageError` or `ConfigError` for what makes none."""
    if not isinstance(timing, Timing | str):
        raise UsageError(f"timing is {timing!r:.80}; give 'course', 'fast' or a Timing.")
    timing = Timing.profile(timing) if isinstance(timing, str) else timing
    if not isinstance(nodes, ClusterConfig):
        return ClusterConfig.of(nodes, quorum, timing=timing)
    for name, value, usual in (("quorum", quorum, "majority"), ("timing", timing, Timing())):
        if value not in (usual, getattr(nodes, name)):
            raise UsageError(
                f"nodes is a ClusterConfig, which has a {name} of its own; leave out {name}={value!r:.60}."
            )
    return nodes


def check_kind(name: str, value: Any, kind: type) -> None:
    """Raise `UsageError` for an argument that is given and is not of its kind."""
    if value is not None and not isinstance(value, kind):
        raise UsageError(f"{name} is {value!r:.80}; give {kind.__name__}(...), or leave it out.")


def check_path(name: str, path: Any) -> None:
    """Raise `UsageError` for what is given as a path and is none."""
    if path is not None and not (isinstance(path, str | PurePath) and str(path).strip()):
        raise UsageError(f"{name} is {path!r:.80}; give the path of a folder, for example 'my-cluster'.")


def check_command(command: Any) -> None:
    """Raise `UsageError` for what is no command of an actor."""
    if not isinstance(command, msgspec.Struct):
        raise UsageError(f"{command!r:.80} is no command; give a message of the actor, for example Stop().")


def check_ends(verb: str, ends: Iterable[Any], nodes: Iterable[int], clients: Iterable[str]) -> None:
    """Raise `UsageError` for an end of a link that is no node, no client so far and not "*"."""
    clients = list(clients)
    for end in ends:
        if end not in (ANY, *nodes, *clients):
            people = ", ".join(clients) or "nobody so far"
            raise UsageError(f"{verb}: {end!r} is no node and no client; clients are {people}, all ends are '*'.")


def condition(predicate: Any, world: object) -> Callable[[], Any]:
    """Return what `until` shall ask, without arguments; raises `UsageError` for what cannot be asked."""
    if not callable(predicate):
        raise UsageError(f"until was given {predicate!r:.80}; give a function, for example lambda: world.leader.")
    try:
        asked = inspect.signature(predicate)
    except (TypeError, ValueError):  # some that are written in C do not tell
        return partial(predicate)
    for given in ((world,), ()) if asked.parameters else ((),):  # `lambda world=None: ...` is given the world
        try:
            asked.bind(*given)
        except TypeError:
            continue
        return partial(predicate, *given)
    raise UsageError(f"until was given a function of {asked}; it may take no argument, or one: the world.")


def warn_expired(predicate: Callable[..., Any], limit: float, state: str) -> None:
    """Warn the caller of `until` that its wait came to nothing; `state` says how the nodes are now."""
    warnings.warn(
        f"Waited {limit:g} s, and {_source(predicate)} did not come true; until returned False, so what follows may not be "
        f"what you expect. {state}",
        WaitExpired,
        stacklevel=3,
    )


def _source(predicate: Callable[..., Any]) -> str:
    """Return the line where the condition is written, or its name."""
    try:
        return f"`{inspect.getsource(predicate).strip().splitlines()[0]}`"
    except (OSError, TypeError):
        return str(getattr(predicate, "__name__", "the condition")).replace("<lambda>", "its condition")
