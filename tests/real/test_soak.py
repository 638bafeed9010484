"""The soak: real processes, real faults, judged by the same checkers."""

from pathlib import Path
from random import Random

import pytest
from soaks import told_to_the_end

from chatsys.campaign.linearize import explain, read_history
from chatsys.campaign.soaking.drawn import LONGEST, SHORTEST, random_faults
from chatsys.campaign.soaking.outages import Outage, outages
from chatsys.campaign.soaking.soak import CALM, judge, soak
from chatsys.errors import UsageError
from chatsys.faults import Script
from chatsys.sim.world import World
from chatsys.trace import Record, Trace


def test_a_short_soak_loses_doubles_and_reorders_nothing(tmp_path: Path) -> None:
    """One fault; `test_namespaces` and `test_containers` have a partition as well, `chatsys prove` has minutes of them."""
    report = told_to_the_end(seconds=5, nodes=3, rate=50, seed=238, history=tmp_path / "history.json")
    judged = explain(read_history(tmp_path / "history.json"))
    assert judged.contradiction == () and judged.messages >= report.acknowledged and judged.reads >= 3
    assert report.violations == () and report.unfinished == ""
    assert report.acknowledged + report.indeterminate == report.said > 50
    assert len(set(report.delivered.values())) == 1
    assert [outage.fault for outage in report.outages] == ["crash leader"]
    assert report.judged == ("L1", "L2", "L3", "L6") and 0 < report.served_after < CALM


def test_a_cluster_that_is_not_served_after_its_mend_is_judged_like_a_simulated_one() -> None:
    world = World(seed=5)
    world.run(5)
    world.say("hello", node=1)
    world.run(1)
    world.crash(2)
    world.crash(3)
    world.say("anyone?", node=1)
    mended = world.now
    world.run(1)
    live, rest = judge(world, mended)
    assert live.verdict == "inconclusive" and {sentence[:2] for sentence in live.open} == {"L1", "L3"}
    world.run(CALM)
    live, rest = judge(world, mended)
    assert [found.invariant for found in live.violations] == ["L1", "L3"] and live.open == ()
    assert rest.violations == ()


def test_faults_come_every_5_to_15_seconds_and_each_is_mended_before_the_next() -> None:
    script = random_faults(Random(1), (1, 2, 3), 600)
    begins = [fault.time for fault in script if fault.verb not in ("mend", "heal")]
    gaps = [b - a for a, b in zip(begins, begins[1:], strict=False)]
    assert all(SHORTEST <= gap <= LONGEST + 0.01 for gap in gaps) and len(gaps) > 40
    verbs = [fault.verb in ("mend", "heal") for fault in script]
    assert verbs == [False, True] * (len(verbs) // 2)


def test_the_same_seed_draws_the_same_faults() -> None:
    assert random_faults(Random(7), (1, 2, 3), 100) == random_faults(Random(7), (1, 2, 3), 100)


def test_an_outage_is_the_longest_wait_until_the_next_fault() -> None:
    trace = Trace([Record(10.0 + at, "ack") for at in (1.0, 2.0, 2.9, 4.4, 4.5, 6.0)])
    script = Script([(2.5, "crash", 1), (3.0, "mend"), (5.0, "pause", 2), (5.5, "mend")])
    assert outages(trace, script, begin=10.0) == (Outage(2.5, "crash 1", 1.5), Outage(5.0, "pause 2", 1.0))


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"seconds": 1e9}, {"rate": 0}, {"nodes": 2}])
def test_what_makes_no_soak_is_refused_with_a_sentence(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="give 1 to 7200 seconds"):
        soak(**wrong)  # type: ignore[arg-type]
