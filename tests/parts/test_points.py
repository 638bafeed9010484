"""The points of a check are whole, and each aspect's are said where some are lost."""

import pytest
from toy_lab import LAB

from chatsys.teach.grading.judging import outcome
from chatsys.teach.grading.lab import Finding, GradedPart
from chatsys.teach.grading.points import account, points_of, rounded_down, shared_out


@pytest.mark.parametrize(
    ("points", "shares", "out"),
    [
        (7, {"rises": 3, "arrives": 3, "longest": 2}, {"rises": 3, "arrives": 2, "longest": 2}),
        (14, {"loads": 1, "kept": 3, "torn": 3, "continues": 3, "damage": 3}, {"loads": 1, "kept": 4, "torn": 3, "continues": 3, "damage": 3}),
        (5, {"before": 4, "concurrent": 3, "itself": 1, "missing": 1}, {"before": 2, "concurrent": 1, "itself": 1, "missing": 1}),
        (15, {"orders": 1}, {"orders": 15}),
        (4, {"a": 1, "b": 100}, {"a": 1, "b": 3}),
    ],
)  # fmt: skip
def test_points_are_shared_out_whole_and_add_up(points: int, shares: dict[str, int], out: dict[str, int]) -> None:
    assert shared_out(points, shares) == out
    assert sum(out.values()) == points


def test_whatever_the_shares_each_aspect_has_a_point_and_nobody_is_a_whole_point_above_or_below_its_due() -> None:
    for points in range(6, 40):
        for last in range(1, 9):
            shares = {"a": 1, "b": 2, "c": 3, "d": last}
            out = shared_out(points, shares)
            assert sum(out.values()) == points
            for one, share in shares.items():
                due = points * share / sum(shares.values())
                assert abs(out[one] - due) < 1 or out[one] == 1


@pytest.mark.parametrize(("points", "shares"), [(2, {"a": 1, "b": 1, "c": 1}), (2.5, {"a": 1}), (1, {})])
def test_points_that_cannot_be_shared_out_whole_are_a_mistake_of_the_declaration(
    points: float, shares: dict[str, int]
) -> None:
    with pytest.raises(AssertionError, match="cannot be shared out"):
        shared_out(points, shares)


def test_a_share_of_points_is_rounded_down_so_that_only_who_has_all_gets_all() -> None:
    assert [rounded_down(5, one / 9) for one in range(10)] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 5]
    assert rounded_down(10, 0.1 + 0.2 + 0.7) == 10, "what adds up to all but for the machine's arithmetic is all"


def test_an_account_says_of_each_aspect_what_is_kept_and_why_one_is_lost_that_was_not_wrong_itself() -> None:
    worth = {"loads": 2, "torn": 3, "continues": 3}
    assert account(worth, {"torn", "continues"}, {"continues": ["torn"]}) == (
        "Points: loads 2 of 2, torn 0 of 3, continues 0 of 3 (needs torn)."
    )
    assert account(worth, (), {}) == "" == account({"loads": 2}, {"loads"}, {})


def test_what_a_student_reads_adds_up_to_the_points_of_the_check() -> None:
    exercise = LAB.exercises[0]
    part = GradedPart(kind="public", cell="check", points=10, aspects={"a": 1, "b": 2, "c": 2})
    needing = type(exercise)(
        **{name: getattr(exercise, name) for name in exercise.__struct_fields__} | {"needs": {"c": ("b",)}}
    )
    found = outcome(needing, part, [Finding(aspect="b", sentence="b is wrong.")], set())
    assert points_of(needing, part) == {"a": 2, "b": 4, "c": 4}
    assert (found.points, found.account) == (2, "Points: a 2 of 2, b 0 of 4, c 0 of 4 (needs b).")
    nothing = outcome(needing, part, [Finding(aspect="runs", sentence="It raised.")], set())
    assert (nothing.points, nothing.account) == (0, ""), "who does not run has lost all of it, and for one reason"
