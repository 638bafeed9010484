"""A search of a class that lives in a confined process: its state is what it was asked and answered."""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import toy_bully
from toy_bully import METHODS, Bully, Counts, Order, compress, one_leader_a_term, stage
from trials import TestTrial

from chatsys.explore.explorer import Budget
from chatsys.explore.stage_model import StageModel
from chatsys.isolation.pickling import pack
from chatsys.isolation.remote import RemoteClass
from chatsys.teach.grading.lab import Exercise, Finding, GradedPart
from chatsys.teach.grading.searching import search
from chatsys.teach.grading.trial import RemoteTrial, Trial

ASPECT = "one leader a term"
SMALL = Budget(states=20_000, seconds=120)

SHARED = """
class Shared(Bully):
    count = [0]
    def wake(self):
        Shared.count[0] += 1
        self.term = Shared.count[0]
        return [Order("lead", term=self.term)]
"""
SNEAKS = """
class Sneaks(Bully):
    taken = {}
    def next_term(self):
        number = len(self.taken) + 1
        return self.taken.setdefault((self.me, self.term), number)
"""
DRAWS = """
class Draws(Bully):
    def next_term(self):
        import random
        return random.randrange(10**6)
"""
RAISES = """
class Raises(Bully):
    def wake(self):
        return [][0]
"""
LIES = """
class Lies(Counts):
    def __eq__(self, other):
        return True
    def __hash__(self):
        return 7
    def __getstate__(self):
        return {}
    def __deepcopy__(self, memo):
        return self
"""
OTHERS = {"Shared": SHARED, "Sneaks": SNEAKS, "Draws": DRAWS, "Raises": RAISES, "Lies": LIES}


def code_of(name: str) -> Any:
    """Return a class as a notebook's cell would define it."""
    source = inspect.getsource(Bully) + inspect.getsource(Counts) + OTHERS.get(name, "")
    space: dict[str, Any] = {"__name__": "__main__", "Order": Order}
    exec(compile(source, "<ipython-input-3-1f2e>", "exec"), space)
    return space[name]


def model(cls: Any) -> StageModel:
    """Two nodes, each of which may suspect once."""
    return StageModel(
        stage(cls), 2, alarms={"silence": 1, "wait": 1}, under_way=2, keeps=("lead",), recorded=one_leader_a_term,
        compress=compress,
    )  # fmt: skip


def judge(trial: Trial, seeds: Sequence[int] = ()) -> Iterator[Finding]:
    yield from search(trial, ASPECT, model, budget=SMALL)


def remotely(name: str) -> list[Finding]:
    with RemoteClass(pack({"answer": code_of(name)}), name, METHODS, (Order,)) as remote:
        assert not remote.problems
        return list(judge(RemoteTrial(remote)))


def test_a_right_class_is_searched_to_its_end() -> None:
    assert remotely("Bully") == []


def test_the_story_of_a_wrong_one_is_told_step_by_step() -> None:
    (found,) = remotely("Counts")
    assert not found.inconclusive
    assert found.sentence.startswith("Node 1 and node 2 both led term 1. It happens so: (1) alarm 'silence' of 1")


def test_what_the_class_says_of_itself_counts_for_nothing() -> None:
    (found,) = remotely("Lies")
    assert found.sentence.startswith("Node 1 and node 2 both led term 1.")


@pytest.mark.parametrize("name", ["Shared", "Sneaks", "Draws"])
def test_a_class_that_keeps_something_outside_of_its_objects_is_inconclusive(name: str) -> None:
    (found,) = remotely(name)
    assert found.inconclusive
    assert f"{name} answered the same calls in two ways" in found.sentence


def test_what_a_class_raises_is_told_with_the_steps_that_lead_there() -> None:
    (found,) = remotely("Raises")
    assert not found.inconclusive
    assert "IndexError" in found.sentence and "alarm 'wait'" in found.sentence


def test_a_search_here_finds_what_a_search_there_finds() -> None:
    exercise = Exercise(
        number="98.1", title="Elect", writes="Counts", cell="elect", lines=3, methods=METHODS, judge=judge,
        aspects={ASPECT: 1}, parts=(GradedPart(kind="search", cell="search-98-1", points=4),), public=1, hidden=1, done="Done.",
    )  # fmt: skip
    assert [one.sentence for one in judge(TestTrial(Counts, exercise))] == [one.sentence for one in remotely("Counts")]
    assert list(judge(TestTrial(Bully, exercise))) == []


def test_a_class_that_is_given_the_time_cannot_be_searched() -> None:
    class Timed(toy_bully.ToyElection):
        def on_alarm(self, name: Any, now: float) -> list[Any]:
            return self.obey(self.mine.receive(1, "OK", now), now)

    def timed(cls: Any) -> StageModel:
        return StageModel(type("Timed", (Timed,), {"bully": staticmethod(cls)}), 2, alarms={"silence": 1})

    with RemoteClass(pack({"answer": code_of("Bully")}), "Bully", METHODS, (Order,)) as remote:
        (found,) = search(RemoteTrial(remote), ASPECT, timed, budget=SMALL)
    assert found.inconclusive and "is given the time" in found.sentence
