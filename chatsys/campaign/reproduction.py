"""Case: one failing run as a value: what to play, whether it fails, and the lines that play it again.

    Case(seed, script, config, ...)  --fails("S8")-->  Violation, or None: it held
                                     --code(...)---->  lines to paste into a cell

Assumes   a broken safety law shows while the script runs or soon after; one of liveness shows after the
          script's last `mend` and half a minute of calm.
Promises  the same case fails in the same way, here and where its lines are pasted.
Read also `shrink` (which makes cases smaller), `overdue` (liveness), `faults.wording` (steps as lines).
"""

import math
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from chatsys.actor.actor import Actor
from chatsys.campaign.liveness import overdue, stopped
from chatsys.check import Checker, Violation
from chatsys.config import ClusterConfig, Limits, Timing
from chatsys.errors import Runaway
from chatsys.faults import Script
from chatsys.faults.wording import as_call, literal
from chatsys.sim.network import Conditions
from chatsys.sim.world import World

AFTERWARDS = 8.0
"""So long after its last step a run may take to show the failure, in seconds of virtual time."""
STRIDE = 0.25
"""The checker looks at the trace after so many seconds of virtual time."""
STOPPED = "broken"
"""Not an invariant: a node stopped itself."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A run that can be repeated: the world's options and the script that is played in it."""

    seed: int
    script: Script
    config: ClusterConfig
    parts: Mapping[str, type] | None = None
    actor: type[Actor] | None = None
    network: Conditions = Conditions()
    clock_drift: float = 0.0
    turn: float = 0.0

    @property
    def last(self) -> float:
        """When the last step happens."""
        return self.script.faults[-1].time if self.script.faults else 0.0

    def world(self) -> World:
        """Return the world at time 0, with the script laid."""
        world = World(
            self.seed,
            self.config,
            parts=self.parts,
            actor=self.actor,
            network=self.network,
            clock_drift=self.clock_drift,
            turn=self.turn,
        )
        self.script.play(world, lenient=True)
        return world

    def fails(self, invariant: str | None = None) -> Violation | None:
        """Run until `invariant` (None: any of safety) is broken; return how, or None if it holds."""
        try:
            return self._late(invariant) if invariant and lasting(invariant) else self._fails(invariant)
        except Runaway:
            return None

    def _fails(self, invariant: str | None) -> Violation | None:
        world = self.world()
        checker = Checker(None if invariant in (None, STOPPED) else [invariant], closed=True)
        seen = 0
        while world.now < self.last + AFTERWARDS:
            world.run(STRIDE)
            records = world.trace.records
            for record in records[seen:]:
                if (found := _first(checker.feed(record), invariant)) is not None:
                    return found
            if invariant in (None, STOPPED) and any(record.kind == "broken" for record in records[seen:]):
                return stopped(world)[0]
            seen = len(records)
        return _first(checker.finish(), invariant)

    def _late(self, invariant: str) -> Violation | None:
        faults = [fault for fault in self.script if fault.verb != "say"]
        if not faults or faults[-1].verb != "mend":
            return None
        world = self.world()
        world.run(self.last + self._calm(invariant))
        return _first(overdue(world), invariant)

    def _calm(self, invariant: str) -> float:
        """How long a law of liveness takes to be judged."""
        timing = self.config.timing
        leader = 4 * (timing.heartbeat_timeout + timing.heartbeat_spread)
        more = 75 * timing.heartbeat_interval if invariant == "L4" else 2 * timing.client_retry_max + timing.lease
        return math.ceil(leader + max(more, 10 * timing.heartbeat_interval) + 1)

    def end(self, violation: Violation) -> float:
        """Return when the run may end, because `violation` has shown."""
        if lasting(violation.invariant):
            return self.last + self._calm(violation.invariant)
        return math.ceil(10 * (violation.time + STRIDE)) / 10

    # --- as lines to paste ----------------------------------------------------------------

    def code(self, violation: Violation) -> str:
        """Return Python lines that play this run in a fresh cell and print `violation`."""
        steps = [f"world.at({as_call(fault)})" for fault in self.script]
        judge, found = _judge(violation.invariant)
        options = self.options()
        return "\n".join(
            [f"from chatsys import {', '.join(['World', *([judge] if judge == 'check' else [])])}"]
            + ([f"from chatsys.campaign.liveness import {judge}"] if judge != "check" else [])
            + _imports(options, [*(self.parts or {}).values(), *([self.actor] if self.actor else [])])
            + [
                "",
                f"world = World({', '.join(options)})",
                *steps,
                f"world.run({self.end(violation)})",
                f'print(*{found}, sep="\\n")',
            ]
        )

    def ask(self, violation: Violation) -> str:
        """Return the lines that go on from there: open the run where the rule was broken, and ask why."""
        first = f"{_judge(violation.invariant)[1]}[0]"
        asked = [f"from chatsys import timeline; timeline(world, {first})"]
        return "\n".join([*asked, f"from chatsys import why; why(world, {first})"])

    def options(self) -> list[str]:
        """Return the arguments of `World` that differ from its defaults, as code."""
        count = len(self.config.ids)
        plain = ClusterConfig.of(count, quorum=self.config.quorum)
        changed = [
            f"{name}={_brief(getattr(self.config, name))}"
            for name in ("timing", "limits", "fast_suspect", "take_back")
            if getattr(self.config, name) != getattr(plain, name)
        ]
        quorum = [f"quorum={plain.quorum}"] if plain.quorum != count // 2 + 1 else []
        if changed:
            cluster = f"nodes=ClusterConfig.of({', '.join([str(count), *quorum, *changed])})"
        else:
            cluster = ", ".join([f"nodes={count}", *quorum])
        options = [f"seed={self.seed}", cluster]
        if self.parts:
            named = ", ".join(f'"{name}": {part.__name__}' for name, part in self.parts.items())
            options.append(f"parts={{{named}}}")
        if self.actor is not None:
            options.append(f"actor={self.actor.__name__}")
        if self.network != Conditions():
            options.append(f"network={_brief(self.network)}")
        return options + [f"{name}={value}" for name in ("clock_drift", "turn") if (value := getattr(self, name))]


def lasting(invariant: str) -> bool:
    """Tell whether this is a law of liveness, which only a long calm can break."""
    return invariant.startswith("L")


def reason(violation: Violation) -> str:
    """Return what two failures must have in common to be the same: the invariant, or why a node stopped."""
    if violation.invariant != STOPPED:
        return violation.invariant
    return re.sub(r"'[^']*'|\b[0-9a-f]{8,}\b|\d+", "_", violation.sentence)


def _first(found: Iterable[Violation], invariant: str | None) -> Violation | None:
    return next((one for one in found if invariant is None or one.invariant == invariant), None)


def _judge(invariant: str) -> tuple[str, str]:
    """Return the name to import, and the call that returns what broke."""
    if invariant == STOPPED:
        return "stopped", "stopped(world)"
    if lasting(invariant):
        return "overdue", "overdue(world)"
    return "check", f'check(world, ["{invariant}"])'


def _brief(value: Any) -> str:
    """Return a value as code, without the fields that have their usual values."""
    if not isinstance(value, msgspec.Struct):
        return repr(value)
    usual = type(value)()
    changed = [name for name in type(value).__struct_fields__ if getattr(value, name) != getattr(usual, name)]
    return f"{type(value).__name__}({', '.join(f'{name}={getattr(value, name)!r}' for name in changed)})"


def _imports(options: Iterable[str], kinds: Iterable[type]) -> list[str]:
    """Return the lines that bring what these arguments of `World` name, ours and somebody's own."""
    text = " ".join(options)
    ours = [kind for kind in (ClusterConfig, Limits, Timing, Conditions) if re.search(rf"\b{kind.__name__}[.(]", text)]
    names: dict[str, list[str]] = {}
    for kind in ours:
        names.setdefault(kind.__module__, []).append(kind.__name__)
    lines = sorted(f"from {module} import {', '.join(sorted(found))}" for module, found in names.items())
    return list(dict.fromkeys([*lines, *(line for kind in kinds for line in _brought(kind))]))


def _brought(kind: type) -> list[str]:
    """Return the lines that bring a class of somebody's own into a fresh interpreter."""
    name, module = kind.__qualname__, kind.__module__
    if module == "__main__":
        return []  # it was written in the notebook itself
    if "<locals>" in name:
        return [f"# {kind.__name__} is the class of {module}"]
    if _findable(module.partition(".")[0]):
        return [f"from {module} import {name}"]
    path = Path(getattr(sys.modules.get(module), "__file__", None) or f"{module}.py").resolve()
    here = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    if path.stem.isidentifier() and len(here.parts) == 1:
        return [f"from {path.stem} import {name}"]
    return ["from runpy import run_path", f'{name} = run_path({literal(str(here))})["{name}"]']


def _findable(module: str) -> bool:
    """Tell whether a fresh interpreter finds this top module; what was loaded from a file by hand it does not."""
    return any(finder.find_spec(module, None) is not None for finder in sys.meta_path)
