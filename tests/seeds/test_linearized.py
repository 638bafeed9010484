"""Real runs before the judge from outside: it calls the good ones explained, and finds what bugs do to users."""

from pathlib import Path
from typing import Any

import pytest
from typed import Run

from chatsys.campaign.linearize import explain, judge_seed, read_history
from chatsys.campaign.one_seed import Plan
from chatsys.check.jepsen import write_history
from chatsys.mutants.bugs import named
from chatsys.mutants.schedules import DIRECTED


@pytest.mark.parametrize("seed", [3, 4])
def test_a_run_under_faults_is_explained(seed: int) -> None:
    found = judge_seed(seed, Plan())
    assert found.contradiction == () and found.messages > 100 and found.reads >= 3


@pytest.mark.parametrize(
    ("mutant", "schedule", "why"),
    [
        ("no session dedup", "C7", "has '86021a55048dfe8a#2 once' before '86021a55048dfe8a#2 once'"),
        ("ACK before fsync", "C9", "'8062de88418607a3#1 after the dark' is number 3 to its answer"),
        (None, "C1", "'c232d5d7267d8c8a#2 said on the right' is number 3 to its answer"),
    ],
)
def test_what_a_bug_or_a_split_brain_does_to_users_is_found(
    mutant: str | None, schedule: str, why: str, tmp_path: Path
) -> None:
    def judged(flawed: bool) -> tuple[str, ...]:
        options: dict[str, Any] = {"flaw": named(mutant)} if mutant and flawed else {}
        played = DIRECTED[schedule].play(flawed, **options)
        return explain(read_history(write_history(played.world.trace, tmp_path / f"{flawed}.json"))).contradiction

    assert judged(flawed=False) == ()
    assert any(why in sentence for sentence in judged(flawed=True)), judged(flawed=True)


def test_two_leaders_of_one_term_are_found_by_what_they_told_their_users() -> None:
    mutant = named("vote twice")
    found = judge_seed(25, mutant.plan, mutant={"parts": mutant.parts, "actor": mutant.actor})
    assert any("is number 18 to node" in sentence for sentence in found.contradiction)


def test_the_command_judges_a_split_brain_that_was_played(run: Run, tmp_path: Path) -> None:
    for quorum, code, told in (("1", 1, "NO MOMENTS EXPLAIN IT"), ("majority", 0, "4 messages, 3 reads: explained")):
        history = tmp_path / f"{quorum}.json"
        run("demo", "--scenario", "split-brain", "--quorum", quorum, "--history", history)
        ended, out, _ = run("linearize", history)
        assert ended == code and told in out
    assert run("linearize")[0] == 2
