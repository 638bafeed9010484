"""Guess: a question before a run, and what came of it after.

    who = predict("Which node leads after the crash?", "node 1", "node 2", "nobody")     a question with three buttons
    ...
    who.reveal("node 2")      You said “node 1”. What happened: “node 2”.

Whoever has said what will happen looks at what does.  Nothing is earned here and nothing is told to anybody; the labs,
where an answer earns a mark, have a `predict` of their own (`teach.grading.predictions`).

Assumes   a notebook with widgets; without one, `predict(..., answer="node 1")` answers in code.
Promises  an answer stays when its cell is run again, and can be changed until it is revealed.
"""

from html import escape
from typing import Any

from chatsys.errors import UsageError
from chatsys.teach.widgets.notebook import shell

LONGEST = 200
"""Letters of a question, of a choice and of an answer."""

_asked: dict[str, "Guess"] = {}
"""Every question of this program, with its newest answer."""


def predict(question: str, *choices: Any, answer: Any = None) -> "Guess":
    """Ask `question` with these choices, and return what can `reveal` later what happened.

    `answer` answers at once, in code.  Raises `UsageError` for a question without words, for fewer than two choices, and
    for an answer that is none of them.
    """
    if not isinstance(question, str) or not question.strip() or len(question) > LONGEST:
        raise UsageError(f"{question!r:.60} is no question; write one of at most {LONGEST} letters, in quotes.")
    told = tuple(str(choice)[:LONGEST] for choice in choices)
    if len(set(told)) < 2 or len(set(told)) < len(told):
        raise UsageError(f"The choices are {', '.join(told) or 'none'}; give at least two, each another one.")
    before = _asked.get(question)
    guess = _asked[question] = Guess(question, told)
    if before is not None and before.answer in told:
        guess.answer = before.answer
    if answer is not None:
        guess.say(answer)
    return guess


class Guess:
    """One question and its answer; make one with `predict`."""

    def __init__(self, question: str, choices: tuple[str, ...]) -> None:
        self.question, self.choices = question, choices
        self.answer: str | None = None
        self.buttons: Any = None
        """The widget, once it is shown."""

    def say(self, answer: Any) -> None:
        """Answer the question; raises `UsageError` for what is none of the choices."""
        if str(answer) not in self.choices:
            raise UsageError(f"{answer!r:.60} is none of the choices; they are {', '.join(self.choices)}.")
        self.answer = str(answer)

    def reveal(self, happened: Any) -> "Revealed":
        """Compare the answer with what happened."""
        if self.buttons is not None:
            self.buttons.disabled = True
        return Revealed(self.answer, str(happened)[:LONGEST])

    def __repr__(self) -> str:
        said = f"your answer is {self.answer}" if self.answer else f"choose one of {', '.join(self.choices)}"
        return f"{self.question} ({said})"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Be a row of buttons in a notebook, and text everywhere."""
        text = {"text/plain": repr(self)}
        if shell() is None:
            return text
        shown = self._widget()._repr_mimebundle_(**options)
        if shown is None:  # ipywidgets shows itself where nobody asks for a bundle
            return text
        data, facts = shown if isinstance(shown, tuple) else (shown, {})
        return {**data, **text}, facts

    def _pressed(self, change: dict[str, Any]) -> None:
        if change["new"] is not None:
            self.say(change["new"])

    def _widget(self) -> Any:
        import ipywidgets

        self.buttons = ipywidgets.RadioButtons(options=self.choices, value=self.answer, layout={"width": "auto"})
        self.buttons.observe(self._pressed, "value")
        question = ipywidgets.HTML(f"<b>Predict.</b> {escape(self.question)}")
        return ipywidgets.VBox([question, self.buttons])


class Revealed:
    """What was said and what happened."""

    def __init__(self, said: str | None, happened: str) -> None:
        self.said, self.happened = said, happened

    def __str__(self) -> str:
        if self.said is None:
            return f"You made no prediction. What happened: “{self.happened}”."
        if self.said == self.happened:
            return f"You said “{self.said}”: right."
        return f"You said “{self.said}”. What happened: “{self.happened}”."

    __repr__ = __str__

    def _repr_html_(self) -> str:
        sign = "" if self.said is None else "✓ " if self.said == self.happened else "✗ "
        return f"<p>{sign}{escape(str(self))}</p>"
