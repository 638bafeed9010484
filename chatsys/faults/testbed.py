"""Testbed: what people can do to a cluster and ask of it, once, for every world.

    panel, scripts, checkers, scenarios, soak, tests
                         |
                      Testbed      the verbs: each checks what it was given, lets the world do it, and keeps it
                         |         in `done`, so that `Script(world.done)` plays the run again
          .--------------+--------------.
        World                        Cluster
        virtual time                 this kernel, processes, namespaces, containers

    talk     say command                            time     run until step at
    lives    crash shutdown restart pause resume    rest     disk clock ambush
    folders  wipe copy restore accept
    links    cut reconnect partition heal slow      learners join leave
             lose duplicate                         the end  mend stop

A world supplies only what differs: methods with an underscore, and the few abstract ones; `abilities` has a table that
says for each verb and each world whether it works, and how.

Assumes   verbs come one after the other where the order matters to whoever calls them.
Promises  what cannot be meant is refused in one sentence, the same one in every world, and is not
          kept; a verb that a world cannot do is told in a sentence, after its arguments were checked.
Read also `script` (verbs as data), `verbs` (their arguments), `sim.world` and `runtime.cluster`.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.events import Accept, RemoveLearner, Say
from chatsys.config import ClusterConfig
from chatsys.errors import NoSuchVerb, UsageError
from chatsys.faults.abilities import WORKING, how
from chatsys.faults.arguments import (
    check_command,
    check_ends,
    check_member,
    check_new,
    check_saying,
    check_seconds,
    condition,
    warn_expired,
)
from chatsys.faults.fault import Fault, check_fault
from chatsys.faults.model import warn_outside
from chatsys.faults.script import Script
from chatsys.faults.verbs import LEADER
from chatsys.faults.wording import state_in_words
from chatsys.protocol.messages import Submit
from chatsys.run import Run
from chatsys.trace import Record, Trace

Factory = Callable[..., Actor]
"""Makes an actor: (me, config, random), and `parts=` where parts are given."""
Direction = tuple[int, int]
"""From which node to which."""

FOR_ENGINES = {
    "add_client",
    "command",
    "config",
    "describe",
    "done",
    "everyone",
    "pids",
    "seed",
    "simulation",
    "submit",
    "where",
}
"""Names that panels, sweeps and checkers use and that TAB does not offer to a student."""

IDLE = {"role": "", "term": 0, "leader": None, "last": 0, "commit": 0, "delivered": 0}
"""What `status()` says of a node that cannot answer."""


class Testbed(ABC):
    """Nodes 1..n and their clients, in some world; `now` is in seconds since it began."""

    __test__ = False  # for pytest, this is no class of tests

    where: str
    """What kind of world it is: sim, kernel, processes, namespaces or containers."""
    config: ClusterConfig
    seed: int | None
    done: list[Fault]
    """Every verb used so far."""
    _elsewhere: ClassVar[Mapping[str, str]] = {}
    """Names that only another world has, and the sentence that says so."""

    def __init__(self, actor: type[Actor] | None, parts: Mapping[str, type] | None, client: Factory | None) -> None:
        self._actor: type[Actor] = actor or _node()
        self._parts = dict(parts or {}) or None
        self._client = client
        self.done = []
        self._joined: set[int] = set()
        """The learners that have not left."""
        self._coming: set[int] = set()
        """Those that are only scheduled to join."""
        self._let_go: set[int] = set()
        """The learners that were down when the members were told to let them go, and did not begin a life since."""
        self._copied: set[int] = set()
        """The nodes whose folder was copied."""

    def __dir__(self) -> list[str]:
        return sorted(set(super().__dir__()) - FOR_ENGINES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    if not TYPE_CHECKING:  # a type checker must still see what is not there

        def __getattr__(self, name: str) -> Any:
            if (sentence := self._elsewhere.get(name)) is not None:
                raise NoSuchVerb(sentence)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # --- talk -------------------------------------------------------------------------------

    def say(self, text: str, node: int | None = None, room: str = "main", author: str = "ann") -> None:
        """Let the client `author` say `text`; with `node`, through a client that sticks to this node."""
        check_saying(text, room, author, self.config.limits)
        if node is not None:
            check_member(node, self.everyone)
        self._say(author if node is None else f"{author}@{node}", node, Say(text, room, author))
        self._did("say", text, node, room, author)

    def command(self, node: int, command: msgspec.Struct) -> None:
        """Hand any command to a node."""
        check_member(node, self.everyone)
        check_command(command)
        self._command(node, command)

    # --- lives ------------------------------------------------------------------------------

    def crash(self, node: int) -> None:
        """End a node's life at once: a power loss in a `World`, SIGKILL for a process, reset sockets in the kernel."""
        check_member(node, self.everyone)
        self._crash(node)
        self._did("crash", node)

    def shutdown(self, node: int) -> None:
        """Let a node leave politely: if it leads it hands over first, for at most 2 s; then it ends.

        SIGTERM for a process.  In a `World` it goes on its way here, and has ended some time later.
        """
        check_member(node, self.everyone)
        self._shutdown(node)
        self._did("shutdown", node)

    def restart(self, node: int) -> None:
        """Begin a new life of a node that is not running."""
        check_member(node, self.everyone)
        self._restart(node)
        self._let_go.discard(node)
        self._did("restart", node)

    def pause(self, node: int) -> None:
        """Let a node handle nothing until `resume`, while its frames wait: SIGSTOP for a process."""
        check_member(node, self.everyone)
        self._pause(node)
        self._did("pause", node)

    def resume(self, node: int) -> None:
        """Let a paused node go on: first what waited, in order of arrival, then late alarms."""
        check_member(node, self.everyone)
        self._resume(node)
        self._did("resume", node)

    # --- learners ---------------------------------------------------------------------------

    @property
    def learners(self) -> tuple[int, ...]:
        """The ids of those that joined and have not left, ascending; they are no members, and count nowhere."""
        return tuple(sorted(self._joined))

    @property
    def everyone(self) -> tuple[int, ...]:
        """The ids of all members, then of all learners: whatever can be crashed, cut off or asked."""
        return (*self.nodes, *self.learners)

    def join(self, node: int, through: int | None = None) -> None:
        """Start a learner, a node that is no member: it asks `through` (the first member) to be taken in.

        It hears, keeps and delivers every message, and serves clients, but it has no vote.  An id that has left may
        come again, on an empty folder; so may one that is down and was let go.  `status()[node]["ready"]` says whether it
        was taken in: one that comes before its leaving is committed is refused, and stops.
        """
        gone = {other for other in self._let_go if not self._life(other)[0]}
        check_new(node, self.nodes, {*self.learners} - gone)
        through = self.nodes[0] if through is None else through
        check_member(through, self.nodes)
        if self._actor.learner is None:
            raise UsageError(f"join: {self._actor.__name__} knows no learners; the chat's own node does.")
        self._join(node, through)
        self._joined.add(node)
        self._let_go.discard(node)
        self._did("join", node, through)

    def leave(self, node: int) -> str:
        """Let a learner leave for ever; return a sentence.  One that is down is removed by the members that know it.

        It stops as soon as its leaving is committed, and then its id is free again: `join` may be given it.
        """
        if node in self.nodes:
            raise UsageError(
                f"Node {node} is a member; voters are fixed in the config ({_listed(self.nodes)}). Only learners leave."
            )
        check_member(node, self.learners, "learner")
        alive, paused = self._life(node)
        if alive:
            self._depart(node)
            told = f"Learner {node} leaves; it stops as soon as a leader has taken that down."
            if paused:
                told = (
                    f"Learner {node} is paused, so it can only leave when it goes on: call resume({node}). To let it go as it "
                    f"is, call crash({node}), and then leave({node}) again."
                )
        else:
            self._let_go.add(node)
            heard = [other for other in self.nodes if self._accept(other, RemoveLearner(node))]
            told = f"Learner {node} is down, so {_heard(heard, 'is told', 'are told').lower()[:-1] or 'nobody is told'} to let it go."
            told += (
                f" A node whose log does not name it does nothing; if all do nothing, call leave({node}) again later."
            )
        self._did("leave", node)
        return told

    @property
    def _nameable(self) -> tuple[int, ...]:
        """The ids that a script may name: those of learners that are to come, too."""
        return (*self.everyone, *sorted(self._coming - {*self.everyone}))

    # --- links ------------------------------------------------------------------------------

    def cut(self, a: int, b: int, one_way: bool = False) -> None:
        """Let no frame pass between `a` and `b`; with `one_way`, only from `a` to `b`."""
        self._check_link("cut", a, b, one_way)
        self._cut(_directions(a, b, one_way), f"cut {a} {'->' if one_way else '|'} {b}")
        self._did("cut", a, b, one_way)

    def reconnect(self, a: int, b: int, one_way: bool = False) -> None:
        """Remove the cut between `a` and `b`, and leave all others; with `one_way`, only from `a` to `b`."""
        self._check_link("reconnect", a, b, one_way)
        self._reconnect(_directions(a, b, one_way), f"reconnect {a} {'->' if one_way else '|'} {b}")
        self._did("reconnect", a, b, one_way)

    def _check_link(self, verb: str, a: int, b: int, one_way: bool) -> None:
        check_member(a, self.everyone)
        check_member(b, self.everyone)
        check_fault(verb, (a, b, one_way), self.everyone)

    def partition(self, *groups: Iterable[int], one_way: bool = False) -> None:
        """Cut all links between the groups (one group: from all others); with `one_way`, only from earlier to later."""
        if groups and isinstance(groups[-1], bool):
            *groups, one_way = groups
        check_fault("partition", (*groups, one_way), self.everyone)
        for node in (node for group in groups for node in group):
            check_member(node, self.everyone)
        sides = tuple(tuple(sorted(set(group))) for group in groups)
        if len(sides) == 1:
            sides = (*sides, tuple(node for node in self.everyone if node not in sides[0]))
        pairs = ((a, b) for at, one in enumerate(sides) for other in sides[at + 1 :] for a in one for b in other)
        story = (" -> " if one_way else " | ").join(",".join(map(str, side)) for side in sides)
        self._cut([way for a, b in pairs for way in _directions(a, b, one_way)], f"cut {story}")
        self._did("partition", *sides, one_way)

    def heal(self, everything: bool = False) -> None:
        """Remove all cuts; with `everything`, also slowness, loss and duplication."""
        check_fault("heal", (everything,))
        self._heal(everything)
        self._did("heal", everything)

    def slow(self, a: Address, b: Address, delay: float, jitter: float = 0.0) -> None:
        """Make frames between `a` and `b` ("*": all) take `delay` plus up to `jitter` seconds longer."""
        self._rule("slow", a, b, delay, jitter)

    def lose(self, a: Address, b: Address, fraction: float) -> None:
        """Lose this fraction of the frames between `a` and `b` ("*": all)."""
        self._rule("lose", a, b, fraction)

    def duplicate(self, a: Address, b: Address, fraction: float, late: float = 0.0) -> None:
        """Let this fraction of the frames between `a` and `b` ("*": all) arrive twice, the copy up to `late` s later."""
        self._rule("duplicate", a, b, fraction, late)

    def _rule(self, verb: str, a: Address, b: Address, *values: float) -> None:
        check_fault(verb, (a, b, *values), self.everyone)
        check_ends(verb, (a, b), self.everyone, self._clients())
        self._lay(verb, (a, b), values, f"{verb} {a} - {b}: {' + '.join(map(str, values))}")
        self._did(verb, a, b, *values)

    # --- disks, clocks, ambushes ------------------------------------------------------------

    def disk(self, node: int, health: str) -> None:
        """Make a node's disk `slow`, `full` (nearly), `failing` or `ok`."""
        check_member(node, self.everyone)
        check_fault("disk", (node, health), self.everyone)
        self._disk(node, health)
        self._did("disk", node, health)

    def clock(self, node: int, rate: float) -> None:
        """Let a node's clock run at `rate` from now on (1.0 is right)."""
        check_member(node, self.everyone)
        check_fault("clock", (node, rate), self.everyone)
        self._clock(node, rate)
        self._did("clock", node, rate)

    # --- folders ----------------------------------------------------------------------------

    def wipe(self, node: int) -> None:
        """Empty the data folder of a node, byte for byte, as an accident is; a node that runs stops at its next sync."""
        check_member(node, self.everyone)
        self._wipe(node)
        self._did("wipe", node)

    def copy(self, node: int) -> None:
        """Keep a copy of the data folder of a node as it is now, byte for byte; the node may run."""
        check_member(node, self.everyone)
        self._copy(node)
        self._copied.add(node)
        self._did("copy", node)

    def restore(self, node: int, of: int | None = None) -> None:
        """Put the last copy of a node's data folder (or of that of node `of`) in the place of its folder, byte for byte."""
        check_member(node, self.everyone)
        whose = node if of is None else of
        check_member(whose, self.everyone)
        if whose not in self._copied:
            raise UsageError(f"restore: there is no copy of the folder of node {whose} yet; copy({whose}) keeps one.")
        self._restore(node, whose)
        self._did("restore", node, of)

    def accept(self, node: int) -> str:
        """Tell every other node that `node` has a new disk, which they take in; return a sentence that says who was told.

        It is safe while the others have a leader that is ready, and the new disk has caught up before the next
        failure.  Those that are down hear of it when they start.
        """
        check_member(node, self.nodes)
        others = [other for other in self.nodes if other != node]
        told = [other for other in others if self._accept(other, Accept(node))]
        self._did("accept", node)
        later = [other for other in others if other not in told]
        return " ".join(filter(None, (_heard(told, "is told", "are told"), _heard(later, *_LATER))))

    def ambush(self, moment: str, delay: float, down: float) -> None:
        """Crash the next node that does what `moment` says (`lead`, `promise`, or another of `MOMENTS`), `delay` seconds after; back after `down`."""
        check_fault("ambush", (moment, delay, down))
        self._ambush(moment, delay, down)
        self._did("ambush", moment, delay, down)

    def mend(self) -> None:
        """Repair everything: links, disks and clocks; resume and restart everyone."""
        begun = self.now
        self._heal(everything=True)
        for node in self.everyone:
            self._mend_machine(node)
            alive, paused = self._life(node)
            if not alive:
                self._restart(node)
            elif paused:
                self._resume(node)
        self._did("mend", begun=begun)

    # --- time -------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let `seconds` go by."""
        check_seconds("run", seconds)
        self._run(seconds)

    def until(self, predicate: Callable[..., Any], limit: float = 60.0, quiet: bool = False) -> bool:
        """Go on until `predicate()` or `predicate(world)` holds, at most `limit` s; False, and a warning, if not."""
        check_seconds("until", limit)
        holds = condition(predicate, self)
        end = self.now + limit
        while not holds():
            if not self._advance(end):
                if not (held := bool(holds())) and not quiet:
                    warn_expired(predicate, limit, self._how_it_is())
                return held
        return True

    def step(self) -> list[Record]:
        """Go on until something shows in the trace; return these records, [] if nothing does for an hour."""
        raise self._refusal("step")

    def at(self, time: float, verb: str, *args: Any, lenient: bool = False) -> None:
        """Do `verb` with `args` at `time` (seconds since the beginning).

        With `lenient`, a verb that does not fit its moment is passed over.
        """
        if verb == "join" and args:
            self._coming.add(args[0])
        check_fault(verb, args, self._nameable)
        if isinstance(time, bool) or not isinstance(time, int | float):
            raise UsageError(f"at({time!r}, {verb!r}): {time!r} is no time; give seconds since the beginning.")
        if not self.now <= time < math.inf:
            raise UsageError(f"at({time}, {verb!r}): it is {self.now:.3f} s already; give a later time.")
        self._at(float(time), verb, args, lenient)

    @abstractmethod
    def stop(self) -> None:
        """End everything in good order; again is harmless."""

    # --- what people ask --------------------------------------------------------------------

    @property
    @abstractmethod
    def now(self) -> float:
        """Seconds since the beginning."""

    @property
    @abstractmethod
    def trace(self) -> Trace:
        """The history so far."""

    @property
    @abstractmethod
    def failures(self) -> list[tuple[Address, str]]:
        """Nodes that stopped themselves, and the sentence why."""

    @property
    def nodes(self) -> tuple[int, ...]:
        """The ids of all members, ascending."""
        return self.config.ids

    @property
    def script(self) -> Script:
        """Every verb used so far, as a script."""
        return Script(self.done)

    @property
    def leader(self) -> int | None:
        """The live node that leads and is ready, in the highest term; None if there is none."""
        return max(self._leaders(), default=(0, None))[1]

    @abstractmethod
    def status(self) -> dict[int, dict[str, Any]]:
        """Return for each node whether it is alive and paused, its role, term, leader and positions."""

    def delivered(self, node: int) -> list[str]:
        """Return the texts that `node` delivered in this life, in order."""
        check_member(node, self.everyone)
        return self._delivered(node)

    def describe(self) -> dict[str, Any]:
        """Return what this world is, as plain JSON values: the `meta` of its trace."""
        words = msgspec.to_builtins(self._actor.words)
        return {
            "where": self.where,
            "seed": self.seed,
            "members": list(self.config.ids),
            "quorum": self.config.quorum,
            "take_back": self.config.take_back,
            "timing": msgspec.structs.asdict(self.config.timing),
            "actor": self._actor.__name__,
            "parts": {name: part.__name__ for name, part in sorted((self._parts or {}).items())},
            **({"words": words} if words else {}),  # an actor that speaks as the chat does says nothing of it
        }

    def save(self, path: str | Path) -> Path:
        """Write what made this run, and its trace, to one file; `Run.load` opens it.

        A run of a `World` can be played again (`replay`).  What was done with verbs is kept; what is
        only scheduled is not.  Raises `UsageError` if `hold` or `command` was used in a `World`, for
        no file can keep these.
        """
        return self._as_run().save(path)

    # --- scripts ----------------------------------------------------------------------------

    def _play(self, script: Script, lenient: bool) -> None:
        """Play a script from now on; `Script.play` says how."""
        self._coming |= {fault.args[0] for fault in script if fault.verb == "join" and fault.args}
        script.check(self._nameable)
        for fault in script:
            if (sentence := how(fault.verb, self.where)) not in WORKING:
                raise NoSuchVerb(sentence)
        if not lenient:
            warn_outside(script, self.nodes)
        begin = self.now
        for fault in script:
            self._play_at(begin + fault.time, fault, lenient)

    def _play_at(self, time: float, fault: Fault, lenient: bool) -> None:
        """Wait until it is `time`, then do what `fault` says."""
        if (wait := time - self.now) > 0:
            self.run(wait)
        apply(self, fault.verb, fault.args, lenient)

    # --- what a world supplies --------------------------------------------------------------

    def _did(self, verb: str, *args: Any, begun: float | None = None) -> None:
        """Keep a verb that was done."""
        self.done.append(Fault(self.now if begun is None else begun, verb, args))

    @property
    def _has_clients(self) -> bool:
        """Whether people speak through clients; otherwise each node is told itself what is said."""
        return self._client is not None or Submit in self._actor.messages

    def _how_it_is(self) -> str:
        status, leader = self.status().items(), self.leader
        leads = f"leader {leader}; " if leader is not None or any(one.get("term") for _, one in status) else ""
        nodes = ", ".join(f"node {node} {state_in_words(one)}" for node, one in status)
        return f"Now, at {self.now:.1f} s: {leads}{nodes}."

    @property
    def _own_actor(self) -> type[Actor] | None:
        """The class that stands in for the chat node, if one does."""
        return None if self._actor.__module__ == "chatsys.protocol.node" else self._actor

    @abstractmethod
    def _say(self, name: str, node: int | None, said: Say) -> None:
        """Let the client `name` say something, through `node` if one is given."""

    @abstractmethod
    def _command(self, node: int, command: msgspec.Struct) -> None: ...

    @abstractmethod
    def _life(self, node: int) -> tuple[bool, bool]:
        """Return whether a node is alive, and whether it is paused."""

    @abstractmethod
    def _crash(self, node: int) -> None:
        """Crash a node, if `check_life` lets it; so do the next four."""

    @abstractmethod
    def _shutdown(self, node: int) -> None: ...

    @abstractmethod
    def _restart(self, node: int) -> None: ...

    @abstractmethod
    def _pause(self, node: int) -> None: ...

    @abstractmethod
    def _resume(self, node: int) -> None: ...

    @abstractmethod
    def _wipe(self, node: int) -> None:
        """Empty the folder of a node, and write so into the trace, like the next two."""

    @abstractmethod
    def _copy(self, node: int) -> None: ...

    @abstractmethod
    def _restore(self, node: int, of: int) -> None: ...

    @abstractmethod
    def _accept(self, node: int, order: Accept | RemoveLearner) -> bool:
        """Give a node this order, now or when it starts; tell whether it runs."""

    @abstractmethod
    def _cut(self, ways: Sequence[Direction], reason: str) -> None:
        """Let nothing pass in these directions, and write `reason` into the trace."""

    @abstractmethod
    def _reconnect(self, ways: Sequence[Direction], reason: str) -> None:
        """Remove the cuts of these directions, and write `reason` into the trace."""

    @abstractmethod
    def _heal(self, everything: bool) -> None: ...

    @abstractmethod
    def _lay(self, verb: str, ends: tuple[Address, Address], values: tuple[float, ...], reason: str) -> None:
        """Lay a rule (`slow`, `lose`, `duplicate`) on both directions of a link."""

    @abstractmethod
    def _clients(self) -> Iterable[str]:
        """Return the names of all clients so far."""

    @abstractmethod
    def _run(self, seconds: float) -> None: ...

    @abstractmethod
    def _advance(self, end: float) -> bool:
        """Let a little time go by, but not beyond `end`; return False when it is `end`."""

    @abstractmethod
    def _leaders(self) -> Iterator[tuple[int, int]]:
        """Yield (term, node) of each live node that leads and is ready."""

    @abstractmethod
    def _delivered(self, node: int) -> list[str]: ...

    @abstractmethod
    def _as_run(self) -> Run: ...

    # Verbs that only some worlds can do: what the others say instead.

    def _refusal(self, verb: str) -> NoSuchVerb:
        return NoSuchVerb(how(verb, self.where))

    def _join(self, node: int, through: int) -> None:
        """Start a learner, on an empty folder, which asks `through` first."""
        raise self._refusal("join")

    def _depart(self, node: int) -> None:
        """Tell a learner that runs to leave (`Depart`)."""
        raise self._refusal("leave")

    def _disk(self, node: int, health: str) -> None:
        raise self._refusal("disk")

    def _clock(self, node: int, rate: float) -> None:
        raise self._refusal("clock")

    def _ambush(self, moment: str, delay: float, down: float) -> None:
        raise self._refusal("ambush")

    def _at(self, time: float, verb: str, args: tuple[Any, ...], lenient: bool) -> None:
        raise self._refusal("at")

    def _mend_machine(self, node: int) -> None:  # noqa: B027, where nobody can break a disk there is nothing to mend
        """Mend the disk and the clock of a node."""


def _directions(a: int, b: int, one_way: bool) -> list[Direction]:
    return [(a, b)] if one_way else [(a, b), (b, a)]


_LATER = ("is down, and hears of it when it starts", "are down, and hear of it when they start")


def _listed(nodes: Iterable[int]) -> str:
    return ", ".join(map(str, nodes))


def _heard(nodes: Sequence[int], one: str, many: str) -> str:
    """Return a sentence about these nodes, "" if there is none."""
    names = " and ".join(filter(None, (", ".join(map(str, nodes[:-1])), str(nodes[-1])))) if nodes else ""
    return f"Node{'s' * (len(nodes) > 1)} {names} {many if len(nodes) > 1 else one}." if nodes else ""


def _node() -> type[Actor]:
    from chatsys.protocol.node import Node

    return Node


def client_factory(given: Factory | None, home: int | None) -> Factory:
    """Return what makes a client: what was given, or the chat's own, which sticks to `home` if there is one."""
    from chatsys.protocol.client import Client

    return given or partial(Client, home=home, sticky=home is not None)


# --- one verb, given as data ----------------------------------------------------------------------


def apply(testbed: Testbed, verb: str, args: Sequence[Any], lenient: bool = False) -> bool:
    """Do `verb` in any world now; tell whether it was done.

    With `lenient` a verb that does not fit the moment (crash of a crashed node) is passed over.
    """
    if verb != "say" and any(map(_means_leader, args)):
        leader = testbed.leader
        if leader is None:
            if lenient:
                return False
            raise UsageError(f"{verb}: there is no leader at the moment; name a node.")
        args = [_with_leader(value, leader) for value in args]
    if verb == "partition" and [isinstance(value, bool) for value in args] in ([False], [False, True]):
        args = [args[0], tuple(node for node in testbed.nodes if node not in args[0]), *args[1:]]
    try:
        getattr(testbed, verb)(*args)
    except NoSuchVerb:
        raise
    except UsageError:
        if not lenient:
            raise
        return False
    return True


def _means_leader(value: Any) -> bool:
    return value == LEADER or (not isinstance(value, str) and isinstance(value, Iterable) and LEADER in value)


def _with_leader(value: Any, leader: int) -> Any:
    """Return an argument, or a group of nodes, with the leader's number in it."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return leader if value == LEADER else value
    return tuple(sorted({leader if node == LEADER else node for node in value}))
