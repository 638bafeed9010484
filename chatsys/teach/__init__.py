"""What a student sees: figures, the panel, the four scenarios, the labs' checks.

    from chatsys import check, grade, show

    check(trace)                   the invariants: what every run must keep
    grade("3.1", MyHoldBack)       an exercise of a lab: points, and the story of the run that went wrong
    show(thing)                    whatever has a look of its own

Read also `figures`, `widgets`, `grading` and `labs`, the rooms of this folder; `scenarios`, `copies` (how alike two
answers are).
"""

from typing import Any

import lazy_loader

__getattr__, __dir__, _ = lazy_loader.attach(__name__, submodules=["figures", "scenarios"])

__all__ = ["figures", "scenarios", "show"]


def show(thing: Any, **options: Any) -> Any:
    """Show whatever has a look of its own.

    A cluster or a world returns its panel.  A trace, a run or a demo is drawn: roles, deliveries, and its timeline, opened
    where it is most worth seeing.  A grade, or the number of an exercise such as "3.1" (its newest grade), is played: the
    calls as the student's class saw them, the first wrong answer marked, the timeline of that run opened at it, and its
    figure; a sentence if there is none.
    """
    from chatsys.teach.grading.lab import Grade

    if isinstance(thing, str | float | Grade):
        return _show_grade(thing)
    if hasattr(thing, "status") and hasattr(thing, "crash"):
        from chatsys.teach.widgets.panel.panel import panel

        return panel(thing, **options)
    from IPython.display import display

    from chatsys.teach import figures
    from chatsys.trace import trace_of

    trace = trace_of(thing)
    for drawn in (figures.roles(trace), figures.delivery_matrix(trace), _opened(thing)):
        display(drawn)  # type: ignore[no-untyped-call]
    return None


def _opened(thing: Any) -> Any:
    """Return the timeline of a run, where it is most worth seeing."""
    from chatsys.teach.widgets.timeline.excerpt import worth_seeing
    from chatsys.teach.widgets.timeline.timeline import timeline

    shown = timeline(thing)
    shown.event = worth_seeing(shown.packed)
    return shown


def _show_grade(thing: Any) -> Any:
    from chatsys.teach.grading.grader import newest, run_of
    from chatsys.teach.grading.lab import Grade
    from chatsys.teach.grading.playing import Sentence, play

    found = thing if isinstance(thing, Grade) else newest(thing)
    if found is None:
        return Sentence(f"{thing} was not graded yet, so there is no run to show; grade it first.")
    return play(found, run_of(found))
