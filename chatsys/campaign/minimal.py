"""Shrunk: a small failing run, told to people: as a story in words, and as lines to paste.

    A cluster of 3 nodes.                                     which cluster
    1. At 1 s node 3 crashes.                                 every step of the script
    Leaders: node 3 in term 1 from 0.05 s; ...                who led meanwhile

    S5 one leader per term: at 4.06 s node 3 became ...       what broke
      term: the number of one leadership; ...                 what its words mean

Promises  nothing is told that the run does not show; the lines play the same run.
Read also `shrink` (where it comes from), `faults.wording` (the words).
"""

import re
from contextlib import suppress
from functools import cached_property

import msgspec

from chatsys.campaign.reproduction import Case
from chatsys.check import Violation
from chatsys.errors import Runaway
from chatsys.faults import Script
from chatsys.faults.wording import explain, in_words
from chatsys.sim.network import Conditions
from chatsys.sim.world import World

ASK = (
    "Then each of these lines goes on: the first one opens the run where the rule was broken, the second one says why."
)
"""What stands before the lines that go on from the story."""
_ID = re.compile(r" \(client [0-9a-f]+\)")


class Shrunk(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The small failing run, and how it was found."""

    case: Case
    violation: Violation
    steps_before: int
    runs: int
    finished: bool
    """Whether the search came to its end; if not, fewer steps might do."""

    @property
    def script(self) -> Script:
        """The steps that are left."""
        return self.case.script

    def code(self) -> str:
        """Return Python lines that a student can paste into a cell."""
        return self.case.code(self.violation)

    @property
    def sentence(self) -> str:
        """What broke, as a sentence; clients go by their names if no two share one."""
        told = self.violation.sentence
        named = set(re.findall(r"(\S+) \(client ([0-9a-f]+)\)", told))
        return _ID.sub("", told) if len({name for name, _ in named}) == len(named) else told

    def story(self) -> str:
        """Tell the run: the cluster, each step in words, who led, what broke, and what its words mean."""
        steps = [f"{number}. {in_words(fault)}" for number, fault in enumerate(self.script, start=1)]
        steps = steps or ["Nothing need be done to it: this happens while the cluster starts."]
        leaders = self._leaders()
        words = [f"  {line}" for line in explain(self.sentence)]
        led = [f"Leaders: {'; '.join(leaders)}."] if len(leaders) > 1 else []
        return "\n".join([self._setting(), *steps, *led, "", self.sentence, *words])

    def _setting(self) -> str:
        """Say which cluster it is, and what is unusual about it."""
        config, case = self.case.config, self.case
        count = len(config.ids)
        plain = type(config).of(count, quorum=config.quorum)
        facts = [f"A cluster of {count} nodes"]
        if config.quorum != count // 2 + 1:
            facts.append(f"{config.quorum} of them {'is' if config.quorum == 1 else 'are'} enough for a quorum")
        if case.network != Conditions():
            facts.append("frames may overtake each other")
        if config.limits != plain.limits:
            facts.append("batches are small")
        if config.timing != plain.timing:
            facts.append("its waiting times are not the usual ones")
        if case.clock_drift:
            facts.append("its clocks are not quite right")
        if case.turn:
            facts.append(f"a turn gathers what comes for {case.turn:g} s")
        return "; ".join(facts) + "."

    def _leaders(self) -> list[str]:
        return [f"node {led.node} in term {led.term} from {led.time:.2f} s" for led in self.world.trace.of("lead")[:8]]

    def __str__(self) -> str:
        more = "" if self.finished else " (out of time: fewer might do)"
        head = f"{self.steps_before} steps became {len(self.script)} in {self.runs} runs{more}; seed {self.case.seed}."
        return f"{head}\n{self.story()}\n\n{self.code()}\n\n{ASK}\n\n{self.ask()}"

    def ask(self) -> str:
        """Return two lines to paste once the others were: one opens the run where the rule broke, the other asks why."""
        return self.case.ask(self.violation)

    @cached_property
    def world(self) -> World:
        """The run, played: `timeline(shrunk)` and `why(shrunk, shrunk.violation)` look at it."""
        world = self.case.world()
        with suppress(Runaway):
            world.run(self.case.end(self.violation))
        return world
