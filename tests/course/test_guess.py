"""A prediction: asked before a run, compared after it."""

from typing import Any

import pytest

import chatsys as cs
from chatsys.errors import UsageError
from chatsys.teach.widgets.guess import Guess


def asked(question: str, **rest: Any) -> Guess:
    return cs.predict(question, "node 1", "node 2", **rest)


def test_a_wrong_answer_is_called_wrong_and_a_right_one_right() -> None:
    assert str(asked("Who leads?", answer="node 1").reveal("node 2")) == "You said “node 1”. What happened: “node 2”."
    assert str(asked("Who is last?", answer="node 2").reveal("node 2")) == "You said “node 2”: right."
    assert asked("Who leads?", answer="node 1").reveal("node 2")._repr_html_().startswith("<p>✗ ")


def test_whoever_runs_all_cells_without_an_answer_is_told_so() -> None:
    assert str(asked("Nobody answers this?").reveal("node 2")) == "You made no prediction. What happened: “node 2”."


def test_an_answer_stays_when_its_cell_is_run_again_and_a_new_one_takes_its_place() -> None:
    asked("Who stays?", answer="node 1")
    assert asked("Who stays?").answer == "node 1"
    assert asked("Who stays?", answer="node 2").answer == "node 2"
    assert cs.predict("Who stays?", "yes", "no").answer is None, "an answer to other choices is none"


@pytest.mark.parametrize(
    ("question", "choices", "sentence"),
    [
        ("", ("a", "b"), "'' is no question; write one of at most 200 letters, in quotes."),
        (7, ("a", "b"), "7 is no question"),
        ("Who?", ("a",), "The choices are a; give at least two, each another one."),
        ("Who?", (), "The choices are none; give at least two"),
        ("Who?", ("1", 1), "The choices are 1, 1; give at least two, each another one."),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_in_a_sentence(question: Any, choices: Any, sentence: str) -> None:
    with pytest.raises(UsageError) as told:
        cs.predict(question, *choices)
    assert sentence in str(told.value)


def test_an_answer_that_is_no_choice_is_refused() -> None:
    with pytest.raises(UsageError, match="'node 9' is none of the choices; they are node 1, node 2"):
        asked("Who else?", answer="node 9")


def test_the_buttons_answer_and_are_dead_after_the_reveal() -> None:
    guess = asked("With buttons?")
    box = guess._widget()
    guess.buttons.value = "node 2"
    assert guess.answer == "node 2"
    guess.reveal("node 1")
    assert guess.buttons.disabled
    assert "<b>Predict.</b>" in box.children[0].value
