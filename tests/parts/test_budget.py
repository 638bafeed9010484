"""The budget of a grading: what everybody may take, added up, is never more than the whole."""

import pytest

from chatsys.isolation import budget, confined_process
from chatsys.isolation.budget import Allowance
from chatsys.isolation.limits import Clock, Idle, Quota, Taken
from chatsys.teach.grading.taking import CellLimits

pytestmark = pytest.mark.quick

CELLS = budget.BEGINNING + budget.NOTEBOOK + budget.SLACK
"""The most that the cells of a notebook cost."""


def greedy(allowance: Allowance, answers: int) -> list[float]:
    """Return what answers get that all loop until they are ended, one after the other."""
    got = []
    for _ in range(answers):
        got.append(allowance.quota().whole)
        allowance.spend(got[-1] + budget.OVERRUN)
    return got


@pytest.mark.parametrize("answers", (1, 2, 4, 6))
@pytest.mark.parametrize("cells", (0.4, 6.0, CELLS, 2 * CELLS))
def test_cells_answers_and_judge_never_take_more_than_the_whole(cells: float, answers: int) -> None:
    got = greedy(Allowance(cells, answers), answers)
    answered = sum(got) + answers * budget.OVERRUN
    assert min(cells, CELLS) + answered + budget.JUDGE <= budget.WHOLE + 1e-9
    assert min(got) > 0


def test_a_loop_leaves_something_for_every_answer_that_comes_after_it() -> None:
    assert min(greedy(Allowance(CELLS, 4), 4)) >= 0.5
    first, second, *_ = greedy(Allowance(0.4, 4), 4)
    assert first > budget.DOOR, "one call of a method may take its whole time, and is told as a loop"
    quick = Allowance(0.4, 4)
    quick.spend(0.5)
    assert quick.quota().whole > second


@pytest.mark.parametrize("whole", (0.5, 15.0))
def test_who_sleeps_is_accused_before_anybody_takes_it_for_suspended(whole: float) -> None:
    quota = Quota(operation=budget.DOOR, whole=whole)
    clock = Clock(quota.operation, quota)
    clock.over(0, 0.1, 0.1)
    for second in range(1, 200):
        clock.begun, clock.since, clock.slept = clock.begun - 1, clock.since - 1, float(second)
        if (verdict := clock.over(0, 0.1, 0.1)) is not None:
            break
    assert verdict == ("asleep", 30.0)


def test_the_numbers_are_those_that_the_processes_are_given() -> None:
    limits, quota = CellLimits(), Allowance().quota()
    assert (limits.notebook, limits.cell, quota.operation) == (12.0, 5.0, 3.0) and budget.WHOLE == 20.0
    assert confined_process.SAYING + 2 * confined_process.LOOK <= budget.OVERRUN


@pytest.mark.parametrize(
    ("seen", "queued", "slept", "kept"),
    [
        ({"sleeps": True}, (0.0, 0.0), 0.4, 0.0),
        ({"ready": True}, (0.0, 0.0), 0.4, 0.0),  # it has just said something, and slept between two looks
        ({"ready": True}, (0.2, 0.2), 0.0, 0.4),  # no processor was free
        ({"ready": True}, (0.05, 0.05), 0.3, 0.1),
        (
            {"ready": True},
            (None, None),
            0.0,
            0.4,
        ),  # the system does not count the waiting, so the doubt is in its favour
        ({}, (0.0, 0.0), 0.0, 0.4),  # it was suspended
    ],
)
def test_who_computes_nothing_sleeps_unless_it_was_kept_from_running(
    monkeypatch: pytest.MonkeyPatch,
    seen: dict[str, bool],
    queued: tuple[float | None, float | None],
    slept: float,
    kept: float,
) -> None:
    now = 100.0
    monkeypatch.setattr("chatsys.isolation.limits.time.monotonic", lambda: now)
    idle, whole = Idle(), 0.0
    for more in queued:
        now += 0.2
        whole += more or 0.0
        idle.look(Taken(**seen, queued=None if more is None else whole))
    assert idle.slept == pytest.approx(slept) and idle.kept == pytest.approx(kept)
