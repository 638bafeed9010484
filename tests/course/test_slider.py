"""A slider of our own: its value is always one of its options."""

from typing import Any

import pytest

from chatsys.errors import UsageError
from chatsys.teach.widgets.slider import slider, steps


def test_steps_are_round_numbers_with_both_ends() -> None:
    assert steps(0.0, 0.6, 0.05)[6] == 0.3 and steps(0.0, 0.6, 0.05)[-1] == 0.6 and len(steps(0.0, 0.6, 0.05)) == 13
    assert steps(-1.0, 1.0, 0.5) == (-1.0, -0.5, 0.0, 0.5, 1.0)


def test_what_the_page_moves_is_the_value_in_python_and_the_other_way_round() -> None:
    loss, heard = slider("get lost", steps(0.0, 0.6, 0.05), 0.3, "{:.0%}"), list[Any]()
    loss.observe(lambda change: heard.append(change["new"]), names="value")
    assert (loss.index, loss.texts[loss.index]) == (6, "30%")
    loss.index = 12  # as the page does
    assert loss.value == 0.6 and heard == [0.6]
    loss.value = 0.0
    assert loss.index == 0 and heard == [0.6, 0.0]


def test_a_slider_may_stand_at_names() -> None:
    event = slider("the event", ["a1", "b1"], "b1")
    assert (event.value, event.index, event.options) == ("b1", 1, ("a1", "b1"))


def test_a_place_that_a_page_invents_is_passed_over() -> None:
    event = slider("the event", ["a1", "b1"], "b1")
    event.index = 7
    assert event.value == "b1"
    event.index = -1
    assert event.value == "b1"


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        (("", [1], 1), "A slider needs a label, which says what it sets"),
        (("seed", [], 1), "The slider “seed” has no options; give at least one value that it can stand at."),
        (("loss", [0.1, 0.2], 0.3), "0.3 is no value of the slider “loss”; it has 2, from 0.1 to 0.2."),
    ],
)
def test_a_slider_that_cannot_be_is_refused_in_a_sentence(how: Any, sentence: str) -> None:
    with pytest.raises(UsageError) as told:
        slider(*how)
    assert sentence in str(told.value)


def test_a_value_that_is_no_option_is_refused_and_the_old_one_stays() -> None:
    loss = slider("loss", [0.1, 0.2], 0.1)
    with pytest.raises(UsageError, match="7 is no value of the slider “loss”"):
        loss.value = 7
    assert loss.value == 0.1
