"""Played here: a wrong answer is judged in the process of the tests: no call of it goes to another one and back.

A student's answer is judged in a process of its own, and so are right ones in tests.  Here nothing confines a class,
and what it keeps in itself, it keeps for whoever asks it next.
"""

import signal
from typing import Any

import pytest

from chatsys.capabilities import has
from chatsys.isolation.pickling import pack
from chatsys.teach.grading import judging, trial
from chatsys.teach.grading.keys import Keys
from chatsys.teach.grading.lab import Exercise, PartResult


class NoEnd(BaseException):
    """An answer that is played in this very process comes to no end."""


class Bounded:
    """A `Deadline` that nobody has to ask: a clock that rings once somebody's call has computed for too long."""

    def __init__(self, step: float) -> None:
        self.step = step

    def __enter__(self) -> "Bounded":
        self.before = signal.signal(signal.SIGVTALRM, self.ring)
        self.heartbeat()
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, self.before)

    def heartbeat(self, step: str = "") -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, self.step)

    def ring(self, *_: object) -> None:
        raise NoEnd


def judged_here(exercise: Exercise, answer: type, seeds_for: judging.SeedsFor, keys: Keys) -> list[PartResult]:
    """Judge an answer in this process; [] if it comes to no end.

    Only how much memory it keeps is seen from outside.
    """
    code = pack({judging.ANSWER: answer})

    def growth(here: Any, load: Any) -> int | None:
        with pytest.MonkeyPatch.context() as elsewhere:
            elsewhere.setattr(judging, "has", has)
            with judging.open_trial(exercise, code) as remote:
                return remote.growth(load)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "has", lambda *names: False)
        patch.setattr(trial.LocalTrial, "growth", growth)
        patch.setattr(trial, "Deadline", Bounded)
        try:
            return judging.judge(exercise, answer, seeds_for, keys)
        except NoEnd:
            return []
