"""One seed: a whole experiment, a schedule of faults under a busy chat, judged by the checkers.

    seed --> its profile --> clients talk all along; faults for `seconds`; then all is mended; then `calm` --> check

The same seed and options give the same faults, the same trace and the same verdict, on any machine.

Promises  a verdict: held, violated (with what replays it), or inconclusive.
Read also `sweep` (many seeds), `faults.profiles` and `faults.swarm` (what is drawn), `check` (the judge), `sim.world`.
"""

import gc
from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Actor
from chatsys.campaign.liveness import judge_live, stopped
from chatsys.check.sometimes import happened
from chatsys.config import ClusterConfig, Limits, Timing, count_quorum
from chatsys.errors import Runaway, UsageError
from chatsys.faults import KINDS, parse_kinds, random_script
from chatsys.faults.profiles import SeedSetting, drawn_setting, named_setting
from chatsys.sim.network import Conditions
from chatsys.sim.world import World
from chatsys.trace import Trace

AUTHORS = ("ann", "bob", "eve")


class Plan(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """What every seed of a sweep has in common."""

    nodes: int = 3
    quorum: int | str = "majority"
    kinds: tuple[str, ...] | None = None
    """None: each seed draws a profile, of faults and of all that is left open here (`faults.profiles`)."""
    seconds: float = 20.0
    """How long faults happen; in a fast seed for three quarters of it."""
    calm: float = 32.0
    """How long everything is left alone afterwards; the laws L1-L3 take up to 30 s to be judged.  A fast seed takes
    three quarters of it."""
    clients: int = len(AUTHORS)
    talk: float = 1.0
    """How much the clients say: twice as much with 2, half as much with 0.5."""
    timing: Timing | None = None
    """None: the course's, or five times as fast, as the profile has it."""
    turn: float | None = None
    """How long a host gathers what comes before it serves it, as in `World`; 0: every event is a turn; None: as the
    profile has it."""
    limits: Limits | None = None
    """None: each seed draws how small batches are, whether frames keep their order, and the two conveniences."""

    def __post_init__(self) -> None:
        for name in ("seconds", "calm", "talk") + ("turn",) * (self.turn is not None):
            if isinstance(getattr(self, name), bool) or not isinstance(getattr(self, name), int | float):
                raise UsageError(f"{name} is {getattr(self, name)!r:.40}; give a number.")
        if isinstance(self.clients, bool) or not isinstance(self.clients, int):
            raise UsageError(f"clients is {self.clients!r:.40}; give a whole number.")
        count_quorum(self.quorum, len(ClusterConfig.of(self.nodes).members))
        parse_kinds(self.kinds or ())
        if not (
            0 < self.seconds <= 86_400 and 0 <= self.calm <= 86_400 and 0 < self.talk <= 1000 and self.clients >= 0
        ):
            raise UsageError(
                f"seconds is {self.seconds:g}, calm is {self.calm:g}, talk is {self.talk:g}, clients is {self.clients}; "
                "give more than 0 seconds of faults, 0 or more of calm, a talk above 0 and up to 1000, 0 or more clients."
            )
        if self.turn is not None and not 0 <= self.turn <= 1:
            raise UsageError(f"turn is {self.turn:g}; give seconds from 0 to 1, for example 0.01.")

    def setting(self, seed: int) -> SeedSetting:
        """Return what `seed` is played with: what is given here; of the rest, what it draws."""
        if self.kinds is None:
            setting = drawn_setting(seed)
        else:
            setting = named_setting(seed, self.kinds, self.limits)
        given: dict[str, Any] = {
            name: value for name in ("timing", "turn", "limits") if (value := getattr(self, name)) is not None
        }
        if self.timing is not None:
            given |= {"pace": 1.0, "length": 1.0}  # the waits are those that were given
        return msgspec.structs.replace(setting, **given)

    def times(self, setting: SeedSetting) -> tuple[float, float]:
        """Return how long faults happen, and how long the calm is: where all waits are shorter, both are."""
        return self.seconds * setting.length, self.calm * setting.length

    def replay(self, seed: int) -> str:
        """Return the command that runs this seed alone; Python, where the command has no word for a plan."""
        if (self.clients, self.timing, self.limits) != (len(AUTHORS), None, None):
            return f"from chatsys.config import Limits, Timing; from chatsys.campaign.one_seed import *; schedule({seed}, {self!r})"
        words = f"python -m chatsys simulate --seeds {seed}:{seed + 1} --nodes {self.nodes}"
        if self.quorum != "majority":
            words += f" --quorum {self.quorum}"
        if self.kinds is not None:
            words += f" --faults {'all' if self.kinds == KINDS else ','.join(self.kinds) or 'none'}"
        for name, usual in (("seconds", 20.0), ("calm", 32.0), ("talk", 1.0), ("turn", None)):
            if (value := getattr(self, name)) != usual:
                words += f" --{name} {value!r}"
        return words


class Outcome(msgspec.Struct, kw_only=True):
    """One seed, with everything that can be looked at afterwards."""

    seed: int
    world: World
    trace: Trace
    events: int
    messages: int
    """How many messages were acknowledged."""
    violations: list[Any]
    inconclusive: str = ""
    """Why there is no verdict, if there is none."""
    open: tuple[str, ...] = ()
    """For each law that the run was too short to judge, a sentence that begins with its name."""


class SeedResult(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of an outcome when it travels: numbers and sentences."""

    seed: int
    events: int
    messages: int
    seconds: float
    violations: tuple[dict[str, Any], ...]
    """Each: seed, invariant, sentence, replay."""
    inconclusive: str
    hash: str
    seen: tuple[str, ...] = ()
    """What happened, of `check.sometimes.MARKS`."""
    open: tuple[str, ...] = ()
    """The names of the laws that the run was too short to judge."""


def schedule(
    seed: int, plan: Plan | None = None, *, parts: Mapping[str, type] | None = None, actor: type[Actor] | None = None
) -> Outcome:
    """Run one seed of `plan` and judge it; `parts` and `actor` are those of `World`."""
    plan = plan or Plan()
    world = prepare(seed, plan, parts, actor)
    inconclusive, mended = "", None
    try:
        seconds, calm = plan.times(plan.setting(seed))
        world.run(seconds)
        world.mend()
        world.run(calm)
        mended = seconds
    except Runaway as error:
        inconclusive = str(error)
    violations, open = _judge(world, mended)
    return Outcome(
        seed=seed,
        world=world,
        trace=world.trace,
        events=world.simulation.events,
        messages=len(world.trace.of("ack")),
        violations=violations,
        inconclusive=inconclusive,
        open=open,
    )


def prepare(seed: int, plan: Plan, parts: Mapping[str, type] | None = None, actor: type[Actor] | None = None) -> World:
    """Return the world of `seed` at time 0, with its clients and faults scheduled."""
    chance = Random(f"{seed}/schedule")
    setting = plan.setting(seed)
    drift = 0.12 if "clock" in setting.kinds and chance.random() < 0.5 else 0.0
    config, network = cluster_of(setting, plan.nodes, plan.quorum)
    world = World(seed, config, parts=parts, actor=actor, network=network, clock_drift=drift, turn=setting.turn)
    world.trace.meta["replay"] = plan.replay(seed)
    seconds, _ = plan.times(setting)
    drawn: Any = {name: getattr(setting, name) for name in ("share", "pace", "gaps", "loses_folder")}
    script = random_script(chance, world.nodes, seconds, setting.kinds, **drawn)
    script.play(world, lenient=True)
    for author in AUTHORS[: plan.clients]:
        _talk(chance, world, author, plan, setting)
    return world


def cluster_of(setting: SeedSetting, nodes: int, quorum: int | str = "majority") -> tuple[ClusterConfig, Conditions]:
    """Return the cluster of a seed and its network."""
    config = ClusterConfig.of(
        nodes,
        count_quorum(quorum, nodes),
        timing=setting.timing,
        limits=setting.limits,
        fast_suspect=setting.fast_suspect,
        take_back=setting.take_back,
    )
    return config, Conditions(in_order=setting.in_order)


def _talk(chance: Random, world: World, author: str, plan: Plan, setting: SeedSetting) -> None:
    """Let `author` say something now and then, in bursts too; some always to the same node."""
    home = chance.choice((None, *world.nodes))
    gap = chance.choice((0.2, 0.6, 1.5))
    time, number = chance.uniform(0.0, 2.0), 0
    seconds, calm = plan.times(setting)
    while time < seconds:
        for _ in range(chance.choice((1, 1, 1, 4))):
            number += 1
            if setting.wander:
                home = chance.choice((None, *world.nodes))
            world.at(time, "say", f"{author} {number}", home, "main", author)
        time += chance.expovariate(plan.talk * setting.talk / gap)
    world.at(seconds + calm * 0.5, "say", f"{author} is back", home, "main", author)


def _judge(world: World, mended: float | None) -> tuple[list[Any], tuple[str, ...]]:
    """Return all violations, and what the run was too short to judge; no law is judged that was not `mended` at a time."""
    from chatsys.check import check
    from chatsys.check.frames import check_frames
    from chatsys.check.histories import second_opinion

    broken = [*check(world.trace), *check_frames(world.trace)]
    broken += second_opinion(world.trace, broken)
    broken += stopped(world)
    if mended is None:
        return broken, ()
    late = judge_live(world, mended)
    return [*broken, *late.violations], late.open


def run_seed(seed: int, plan: Plan, parts: Mapping[str, type] | None = None) -> SeedResult:
    """Run one seed and keep only numbers and sentences of it."""
    enabled = gc.isenabled()
    gc.disable()  # a world lives for a second, and most of it is the trace
    try:
        return _result(schedule(seed, plan, parts=parts), plan)
    finally:
        if enabled:
            gc.enable()
        gc.collect(0)  # all of it is young


def _result(outcome: Outcome, plan: Plan) -> SeedResult:
    replay = plan.replay(outcome.seed)
    return SeedResult(
        seed=outcome.seed,
        events=outcome.events,
        messages=outcome.messages,
        seconds=outcome.world.now,
        violations=tuple(
            {"seed": outcome.seed, "invariant": one.invariant, "plain": one.plain, "sentence": one.sentence}
            | {"replay": replay}
            for one in outcome.violations
        ),
        inconclusive=outcome.inconclusive,
        hash=outcome.trace.hash(),
        seen=happened(outcome.trace),
        open=tuple(sorted({told.partition(":")[0] for told in outcome.open})),
    )
