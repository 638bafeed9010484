"""What each seed of a sweep draws: a profile, all of which stays inside the fault model and reaches what it is for."""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from random import Random

import kill_rate
import made_bugs
import pytest
from typed import Run

from chatsys.campaign.one_seed import Outcome, Plan, prepare, run_seed, schedule
from chatsys.campaign.sweep import trace_hash
from chatsys.config import Limits, Timing
from chatsys.faults import KINDS, Fault, outside
from chatsys.faults.profiles import PROFILES, QUICK, SMALL, Profile, SeedSetting, drawn_setting
from chatsys.faults.sequences import SEQUENCES
from chatsys.faults.swarm import random_script
from chatsys.faults.verbs import MOMENTS
from chatsys.faults.wording import in_words
from chatsys.mutants.bugs import named
from chatsys.trace import Record

PLAN = Plan(seconds=16.0, calm=2.0)


def seeds_of(name: str) -> Iterator[int]:
    """Yield the seeds that draw this profile."""
    kinds = next(profile.kinds for profile in PROFILES if profile.name == name)
    return (seed for seed in range(1000) if drawn_setting(seed).kinds == kinds)


@cache
def first_of(name: str) -> list[Outcome]:
    """Play a few seeds of a profile."""
    seeds = seeds_of(name)
    return [schedule(next(seeds), PLAN) for _ in range(2)]


def test_every_profile_is_drawn_and_a_seed_draws_the_same_one_each_time() -> None:
    drawn = [drawn_setting(seed) for seed in range(100)]
    assert {setting.kinds for setting in drawn} == {profile.kinds for profile in PROFILES}
    assert {setting.timing for setting in drawn} == {Timing(), QUICK}
    assert len({setting.turn for setting in drawn}) > 3 and {setting.wander for setting in drawn} == {False, True}
    assert drawn == [drawn_setting(seed) for seed in range(100)]


def test_what_a_plan_gives_is_not_drawn() -> None:
    limits = Limits(batch_entries=7)
    given = Plan(turn=0.003, limits=limits, timing=Timing())
    assert {(one.turn, one.limits, one.timing) for one in map(given.setting, range(20))} == {(0.003, limits, Timing())}
    plain = {
        name: getattr(SeedSetting(kinds=()), name)
        for name in ("share", "pace", "length", "timing", "turn", "talk", "wander")
    }
    for seed in range(20):
        setting = Plan(kinds=KINDS).setting(seed)
        assert {name: getattr(setting, name) for name in plain} == plain, (
            "where kinds are named nothing else has changed"
        )


@pytest.mark.parametrize("nodes", [1, 2, 3, 4, 5, 7])
def test_every_seed_stays_inside_the_model_with_any_number_of_nodes(nodes: int) -> None:
    """Drawing it asserts so; here it is asked once more of what the world was given."""
    for seed in range(25):
        plan = Plan(nodes=nodes)
        world = prepare(seed, plan)
        setting = plan.setting(seed)
        assert world.config.limits == setting.limits and world.simulation.turn == setting.turn


@pytest.mark.parametrize("kind", SEQUENCES)
def test_a_sequence_can_be_drawn_alone_and_does_not_change_what_all_means(kind: str) -> None:
    scripts = [random_script(Random(seed), (1, 2, 3), 20, kind, pace=5.0) for seed in range(10)]
    assert all(scripts) and kind not in KINDS
    assert all(outside(script, (1, 2, 3), mended=20) is None for script in scripts)


def test_a_lost_folder_is_replaced_as_the_model_asks_it() -> None:
    for seed in range(40):
        script = random_script(Random(seed), (1, 2, 3), 15.0, "crash,loss,partition", pace=5.0, loses_folder=True)
        verbs = [fault.verb for fault in script]
        assert outside(script, (1, 2, 3), mended=15.0) is None and verbs[-2:] == ["accept", "restart"]
        assert {"wipe", "restore"} & set(verbs[: verbs.index("mend")])


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_a_profile_holds_and_reaches_what_it_is_for(profile: Profile) -> None:
    name = profile.name
    outcomes = first_of(name)
    assert [found for outcome in outcomes for found in outcome.violations if found.invariant[0] != "L"] == []
    records = [record for outcome in outcomes for record in outcome.trace.records]
    assert any(reaches(name, record) for record in records), f"{name} does not reach what it is for"


def reaches(name: str, record: Record) -> bool:
    """Tell whether this record shows what a profile is for."""
    match name, record.kind:
        case "everything", "suspect":
            return True
        case "tails", "truncate":
            return True
        case "votes", "receive":
            return record.message == "PROMISE"
        case "relays", "receive":
            return record.message == "CATCHUP_REPLY"
        case "sessions", "indeterminate" | "duplicate":
            return True
        case "folders", "accepted":
            return True
        case "learners", "admitted":
            return True
        case "coups", "truncate":
            return True
    return False


def test_a_member_that_lost_its_folder_is_refused_and_taken_in_with_a_new_one() -> None:
    kinds = {record.kind for outcome in first_of("folders") for record in outcome.trace.records}
    assert {"refused", "accepted"} <= kinds and kinds & {"wipe", "restored"}
    told = [fault.verb for fault in first_of("folders")[0].world.done]
    assert told.index("mend") < told.index("accept"), "everything else is mended by then"


def test_promises_arrive_when_their_term_is_over() -> None:
    seeds = seeds_of("votes")
    assert sum(late_promises(schedule(next(seeds), Plan(calm=2))) for _ in range(6)) > 2


def late_promises(outcome: Outcome) -> int:
    """Count the promises that reach a node which has promised a newer term since."""
    terms: dict[object, int] = {}
    late = 0
    for record in outcome.trace.records:
        if record.kind == "promise":
            terms[record.node] = record.term
        elif record.kind == "receive" and record.message == "PROMISE":
            late += record.term < terms.get(record.node, 0)
    return late


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_ambush_waits_for_each_of_the_moments(moment: str) -> None:
    assert any(ambushed(seed, moment) for seed in range(8)), "no node ever did that"
    assert f"the next node that {MOMENTS[moment]} crashes at once" in in_words(Fault(1.0, "ambush", (moment, 0.0, 0.5)))


def ambushed(seed: int, moment: str) -> bool:
    """Lay one ambush in a run that has no other, and tell whether it crashed somebody who just did so."""
    world = prepare(seed, Plan(kinds=("tail", "reorder"), seconds=16.0, limits=SMALL))
    world.ambush(moment, 0.0, 0.5)
    world.run(16.0)
    crashes = [record for record in world.trace.of("crash") if record.reason == "ambush"]
    acts = {(record.node, record.time) for record in world.trace.of(moment)}
    assert all((crash.node, crash.time) in acts for crash in crashes)
    return bool(crashes)


@pytest.mark.parametrize(
    ("mutant", "seed", "nodes"),
    [
        ("another disk taken in", 67, 3),
        ("emptied learner taken back", 80, 3),
        ("verified kept across leaders", 9, 5),
        ("heartbeat tells the end as commit", 1, 5),
    ],
)
def test_the_default_plan_kills_what_it_never_met_before_it_had_profiles(mutant: str, seed: int, nodes: int) -> None:
    found = schedule(seed, Plan(nodes=nodes), parts=named(mutant).parts).violations
    assert {one.invariant for one in found} & {*named(mutant).killers, "S8", "S5"}


def test_the_replay_command_plays_what_the_sweep_played(run: Run) -> None:
    seed = next(seeds_of("folders"))
    words = PLAN.replay(seed).split()[3:]
    assert words[0] == "simulate" and "--faults" not in words
    _, out, _ = run(*words, "--jobs", 1, "--json")
    assert json.loads(out)["trace_hash"] == trace_hash([run_seed(seed, PLAN)])


@pytest.mark.parametrize(
    ("name", "seeds", "found"), [("log.py:75 return self.entries[seq]", 1, True), ("fence.py:195 if False:", 1, False)]
)
def test_the_measure_tells_a_bug_that_is_found_from_one_that_is_not(name: str, seeds: int, found: bool) -> None:
    number = [bug.name for bug in made_bugs.read()].index(name)
    command = [sys.executable, kill_rate.__file__, "one", str(number), str(seeds), ""]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert bool(told["by"]) is found and told["seeds"] == 1
