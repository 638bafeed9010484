"""Shrinking: hundreds of steps become the few that matter, and the result replays."""

import pytest

from chatsys.check import check
from chatsys.config import ClusterConfig, Limits
from chatsys.errors import UsageError
from chatsys.faults import Script
from chatsys.protocol.effects import Effects, Lead
from chatsys.protocol.succession import Succession
from chatsys.sim.network import Conditions
from chatsys.sim.shrink import Case, Shrunk, shrink, shrink_seed
from chatsys.sim.sweep import Plan
from chatsys.sim.world import World


class LeadWithoutSync(Succession):
    """Leads as soon as a quorum promised, whatever newer entries the promisers hold."""

    def _complete(self, now: float) -> Effects:
        return [Lead()]


BAD = {"succession": LeadWithoutSync}


@pytest.fixture(scope="module")
def shrunk() -> Shrunk:
    """A failing seed of the mutant, shrunk."""
    return shrink_seed(1, parts=BAD, seconds=60)


def test_hundreds_of_steps_become_at_most_twelve(shrunk: Shrunk) -> None:
    assert shrunk.steps_before > 100 and 1 <= len(shrunk.script) <= 12
    assert shrunk.finished


def test_the_small_run_fails_again_for_the_same_reason(shrunk: Shrunk) -> None:
    again = shrunk.case.fails(shrunk.violation.invariant)
    assert again is not None and again.sentence == shrunk.violation.sentence


def test_no_single_step_can_be_left_out(shrunk: Shrunk) -> None:
    import msgspec

    steps = shrunk.script.faults
    for at in range(len(steps)):
        fewer = msgspec.structs.replace(shrunk.case, script=Script(steps[:at] + steps[at + 1 :]))
        assert fewer.fails(shrunk.violation.invariant) is None


def test_the_code_can_be_pasted_into_a_cell_and_shows_the_violation(
    shrunk: Shrunk, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"World": World, "check": check, "LeadWithoutSync": LeadWithoutSync}
    exec(shrunk.code(), names | {"ClusterConfig": ClusterConfig, "Limits": Limits, "Conditions": Conditions})
    assert shrunk.violation.sentence in capsys.readouterr().out


def test_the_story_tells_each_step_and_ends_with_the_violation(shrunk: Shrunk) -> None:
    lines = shrunk.story().splitlines()
    assert len(lines) == len(shrunk.script) + 1 and lines[-1] == shrunk.violation.sentence
    assert all(line.startswith(f"{number}. ") for number, line in enumerate(lines[:-1], start=1))


def test_the_real_protocol_holds_in_the_same_small_run(shrunk: Shrunk) -> None:
    import msgspec

    assert msgspec.structs.replace(shrunk.case, parts=None).fails() is None


def test_a_seed_that_does_not_fail_is_refused_with_a_sentence() -> None:
    with pytest.raises(UsageError, match="nothing to shrink"):
        shrink_seed(1, Plan(seconds=2, calm=2))


def test_a_budget_of_zero_is_refused_with_a_sentence() -> None:
    case = Case(seed=1, script=Script(), config=ClusterConfig.of(3))
    with pytest.raises(UsageError, match="positive time"):
        shrink(case, seconds=0)


def test_a_search_that_runs_out_of_time_says_so_and_keeps_a_failing_run() -> None:
    cut_short = shrink_seed(1, parts=BAD, seconds=0.01)
    assert not cut_short.finished and "out of time" in str(cut_short)
    assert cut_short.case.fails(cut_short.violation.invariant)
