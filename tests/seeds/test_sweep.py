"""Many seeds: the protocol holds under all faults, its textbook form does not, and every verdict can be replayed."""

from random import Random
from typing import Any

import pytest
from by_hand import NeverStands

from chatsys.campaign.one_seed import Plan, SeedResult, schedule
from chatsys.campaign.summary import tally, told
from chatsys.campaign.sweep import sweep, trace_hash
from chatsys.check.sometimes import VITAL
from chatsys.errors import ConfigError, UsageError
from chatsys.faults import KINDS


def bad(results: list[SeedResult]) -> list[str]:
    """Return what people need to see of a sweep that failed: sentence and command."""
    broken = [f"{one['sentence']}\n  replay: {one['replay']}" for result in results for one in result.violations]
    return broken + [f"seed {result.seed}: {result.inconclusive}" for result in results if result.inconclusive]


@pytest.mark.parametrize(
    ("nodes", "seeds"), [(3, range(12)), (5, range(4)), (4, range(3)), (2, range(3)), (1, range(3))]
)
def test_with_a_majority_every_invariant_holds_under_all_faults(nodes: int, seeds: range) -> None:
    """A few schedules of each size; `chatsys prove` plays 10,000 of three nodes and 10,000 of five, with a longer calm."""
    results = list(sweep(seeds, Plan(nodes=nodes)))
    assert bad(results) == []
    assert sum(result.messages for result in results) > 20 * len(seeds), "the chat was busy"


@pytest.mark.parametrize("seed", [4003, 5097])
def test_who_is_back_with_much_to_say_is_served_one_message_after_another_and_nobody_is_accused(seed: int) -> None:
    """Clients of a node that was cut off: 300 messages each, frames that overtake each other, and the shortest waits."""
    assert schedule(seed, Plan(seconds=60.0, calm=45.0, talk=0.5)).violations == []


def test_a_client_whose_newer_messages_are_answered_does_not_forget_the_oldest() -> None:
    """Twelve of its sixteen messages under way were numbered and their answers lost; the other four places went on."""
    assert schedule(8205, Plan(nodes=5, seconds=60.0, calm=45.0, talk=0.5)).violations == []


def test_with_a_quorum_of_one_messages_are_lost_and_the_check_says_so() -> None:
    results = list(sweep(range(15), Plan(quorum=1, seconds=12, calm=5)))
    names = {one["invariant"] for result in results for one in result.violations}
    assert {"S1", "S5"} <= names, "two leaders, and two messages at one position"
    assert not any(result.inconclusive for result in results), "nothing spins or hangs"
    one = next(result for result in results if result.violations).violations[0]
    assert one["replay"].startswith("python -m chatsys simulate --seeds ") and "--quorum 1" in one["replay"]


def test_where_nobody_ever_leads_nothing_is_proved() -> None:
    whole = tally(list(sweep(range(3), Plan(kinds=KINDS, seconds=5, calm=5), parts={"election": NeverStands})), 1.0)
    assert (
        whole["violations"] == [] and "A leader was elected in none of 3 schedules" in whole["inconclusive"][0]["why"]
    )
    assert "nothing is proved" in whole["meaning"]


def test_what_happened_is_counted_and_what_was_too_short_to_judge_is_named() -> None:
    results = list(sweep(range(8), Plan(kinds=KINDS, seconds=10, calm=20)))
    whole = tally(results, 1.0)
    assert whole["inconclusive"] == [] and all(whole["seen"][mark] == 8 for mark in VITAL)
    assert whole["seen"]["a leader was deposed"] and whole["seen"]["a batch was held back"]
    assert whole["not_judged"]["L4"] == 8 and "L4 calm" in told(whole)[-1]


def test_a_calm_that_is_long_enough_leaves_no_law_unjudged() -> None:
    (result,) = sweep([3], Plan(seconds=5, calm=150, talk=0.2))
    assert result.open == () and result.violations == ()


def test_a_plan_that_the_command_has_no_word_for_is_replayed_by_python() -> None:
    plan = Plan(clients=1, seconds=2, calm=1)
    *imports, call = plan.replay(3).split("; ")
    names: dict[str, Any] = {}
    exec("\n".join(imports), names)
    assert eval(call, names).trace.hash() == schedule(3, plan).trace.hash()


def test_the_faults_do_what_they_are_named_for() -> None:
    left = {
        "truncate", "hold", "suspect", "pause", "resume", "heal", "drop: cut", "drop: lost",
        "drop: old incarnation", "crash: ambush", "crash: The disk failed: a sync returned an error.",
    }  # fmt: skip
    runs = [(seed, Plan(calm=2, kinds=KINDS)) for seed in range(12)] + [
        (seed, Plan(calm=2, kinds=("isolate",))) for seed in range(3)
    ]
    for seed, plan in runs:
        if left:
            left -= {word for one in schedule(seed, plan).trace for word in (one.kind, f"{one.kind}: {one.reason}")}
    assert not left


def test_verdicts_and_hashes_do_not_depend_on_the_number_of_processes() -> None:
    plan = Plan(seconds=5, calm=2)
    alone, together = list(sweep(range(6), plan)), list(sweep(range(6), plan, jobs=2))
    assert alone == together
    assert trace_hash(alone) == trace_hash(together) != trace_hash(alone[::-1])


def test_a_plan_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ConfigError, match="nodes is 9"):
        Plan(nodes=9)
    with pytest.raises(ConfigError, match="quorum is 4; with 3 members"):
        Plan(quorum=4)
    with pytest.raises(UsageError, match="'crush' is no kind of fault"):
        Plan(kinds=("crush",))


def test_the_replay_command_names_only_what_differs() -> None:
    assert Plan().replay(17) == "python -m chatsys simulate --seeds 17:18 --nodes 3"
    told = Plan(nodes=5, quorum=2, kinds=("crash", "pause"), seconds=8).replay(3)
    assert told == "python -m chatsys simulate --seeds 3:4 --nodes 5 --quorum 2 --faults crash,pause --seconds 8"
    assert Plan(kinds=KINDS).replay(0).endswith("--nodes 3 --faults all")
    assert Plan(kinds=()).replay(0).endswith("--nodes 3 --faults none")


class Silent:
    """A part that breaks: the sweep must tell, and go on."""

    def __init__(self, state: Any, config: Any, random: Random) -> None:
        raise RuntimeError("no such luck")


def test_a_part_that_raises_is_told_as_a_violation_of_its_node() -> None:
    result = next(iter(sweep([1], Plan(seconds=2, calm=1), parts={"election": Silent})))
    assert "RuntimeError: no such luck (test_sweep.py, line " in result.violations[0]["sentence"]
