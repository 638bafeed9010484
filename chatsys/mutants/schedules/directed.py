"""Directed: a script, the flaw that makes it end badly, and the invariants that notice.

    @directed("C1", "Two halves", breaks=("S1",), quorum=1)
    def split_brain(stage): ...       # the docstring is the story

Read also `stage`, on which scripts play.
"""

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from chatsys.check import Findings, Violation, check
from chatsys.check.frames import check_frames
from chatsys.check.liveness import check_live
from chatsys.config import Limits, Timing
from chatsys.mutants.bugs import Mutant, named
from chatsys.mutants.schedules.quiet_world import ONE_BY_ONE, PATIENT, QuietWorld
from chatsys.trace import Trace

Script = Callable[[QuietWorld], Any]


@dataclass(frozen=True, kw_only=True)
class Played:
    """What came of a schedule."""

    name: str
    world: QuietWorld
    violations: Findings
    breaks: tuple[str, ...]

    @property
    def trace(self) -> Trace:
        """The history, for figures."""
        return self.world.trace

    @property
    def violation(self) -> Violation | None:
        """The violation that the schedule is about, if it happened."""
        return next((found for name in self.breaks for found in self.violations if found.invariant == name), None)


@dataclass(frozen=True, kw_only=True)
class Directed:
    """One schedule: play it flawed, and it breaks one of `breaks`; play it plain, and it holds."""

    name: str
    title: str
    script: Script
    breaks: tuple[str, ...]
    nodes: int = 3
    quorum: int | None = None
    """The quorum when flawed; None: a majority."""
    defect: str = ""
    """The mutant that plays when flawed."""
    timing: Timing = PATIENT
    limits: Limits = field(default=ONE_BY_ONE)
    judges: tuple[str, ...] = ()
    """The laws of liveness that it runs long enough to judge, from its `calm` on."""
    turn: float = 0.0
    """How many seconds a node gathers what comes before it serves it, as in `World`."""

    @property
    def flaw(self) -> str:
        """What is wrong when it is played flawed, in words."""
        return " and ".join(filter(None, (f"quorum = {self.quorum}" if self.quorum else "", self.defect)))

    @property
    def story(self) -> str:
        """What happens, in prose."""
        return inspect.getdoc(self.script) or ""

    @property
    def code(self) -> str:
        """The script as one reads it before one knows how it ends: without its story, its bug and the rules it breaks."""
        source = inspect.getsource(self.script)
        script = cast("ast.FunctionDef", ast.parse(source).body[0])
        story, lines = script.body[0], source.splitlines()
        return "\n".join(lines[script.lineno - 1 : story.lineno - 1] + lines[story.end_lineno :])

    def play(self, flawed: bool = False, flaw: Mutant | None = None) -> Played:
        """Play it once and judge what happened; with `flaw`, that mutant plays instead of `defect`."""
        quorum = self.quorum if flawed and self.quorum else "majority"
        if flawed and flaw is None and self.defect:
            flaw = named(self.defect)
        stage = QuietWorld(self.nodes, quorum, flaw, self.timing, self.limits, turn=self.turn)
        told = list(self.script(stage) or ())
        held = check(stage.trace)
        violations = [*held, *told, *check_frames(stage.trace)]
        by_the_rules = {record.reason for record in stage.trace.of("refused")}
        for node, sentence in stage.failures:
            if sentence in by_the_rules:
                continue
            sentence = f"Node {node} stopped itself: {sentence}"
            violations.append(Violation(invariant="broken", sentence=sentence, time=stage.now))
        violations += self._late(stage)
        found = Findings(violations, held.rules + len(self.judges), held.messages)
        return Played(name=self.name, world=stage, violations=found, breaks=self.breaks)

    def _late(self, stage: QuietWorld) -> Iterator[Violation]:
        """Judge the laws that this schedule names; one that it is too short to judge is a fault of the schedule."""
        if stage.faults_end is None:
            return
        verdict = check_live(stage.trace, stage.faults_end, stage.served, end=stage.now, laws=self.judges)
        yield from verdict.violations
        for sentence in () if verdict.violations else verdict.open:
            yield Violation(invariant="short", sentence=f"short: {self.name} cannot tell {sentence}", time=stage.now)


ENTERED: dict[str, Directed] = {}
"""Every directed schedule by its name, in the order of the files."""


def directed(name: str, title: str, **rest: Any) -> Callable[[Script], Script]:
    """Enter a script into the registry."""

    def enter(script: Script) -> Script:
        ENTERED[name] = Directed(name=name, title=title, script=script, **rest)
        return script

    return enter
