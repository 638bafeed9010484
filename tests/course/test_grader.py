"""The grader: full points for the reference, a story for every mutant, never a hang and never a silent ok.

The mutants are made inside functions, as a notebook would make them: they travel by value.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chatsys.errors import UsageError
from chatsys.protocol.holdback import HoldBack
from chatsys.teach import show
from chatsys.teach.grading.grader import find_question, grade


def reference() -> Any:
    class MyHoldBack:
        def __init__(self) -> None:
            self.due = 1
            self.early: dict[int, Any] = {}

        def receive(self, number: int, message: Any) -> list[Any]:
            if number >= self.due:
                self.early[number] = message
            ready = []
            while self.due in self.early:
                ready.append(self.early.pop(self.due))
                self.due += 1
            return ready

    return MyHoldBack


def deliver_on_receive() -> Any:
    class MyHoldBack:
        def receive(self, number: int, message: Any) -> list[Any]:
            return [message]

    return MyHoldBack


def greater_or_equal() -> Any:
    class MyHoldBack:
        def __init__(self) -> None:
            self.due = 1

        def receive(self, number: int, message: Any) -> list[Any]:
            if number >= self.due:
                self.due = number + 1
                return [message]
            return []

    return MyHoldBack


def dropped_on_duplicate() -> Any:
    class MyHoldBack(reference()):  # type: ignore[misc]
        def receive(self, number: int, message: Any) -> list[Any]:
            if number in self.early:
                del self.early[number]
                return []
            return super().receive(number, message)  # type: ignore[no-any-return]

    return MyHoldBack


def number_used_again_after_resend() -> Any:
    class MyHoldBack(reference()):  # type: ignore[misc]
        def receive(self, number: int, message: Any) -> list[Any]:
            return [message] if number < self.due else super().receive(number, message)

    return MyHoldBack


def keeps_everything() -> Any:
    class MyHoldBack(reference()):  # type: ignore[misc]
        def receive(self, number: int, message: Any) -> list[Any]:
            self.__dict__.setdefault("seen", set()).add(number)
            return super().receive(number, message)  # type: ignore[no-any-return]

    return MyHoldBack


def shared_by_all_nodes() -> Any:
    class MyHoldBack:
        early: dict[int, Any] = {}
        due = 1

        def receive(self, number: int, message: Any) -> list[Any]:
            self.early[number] = message
            ready = []
            while self.due in self.early:
                ready.append(self.early.pop(self.due))
                self.due += 1
            return ready

    return MyHoldBack


def raises() -> Any:
    class MyHoldBack(reference()):  # type: ignore[misc]
        def receive(self, number: int, message: Any) -> list[Any]:
            if number == 5:
                raise ValueError("I do not like five")
            return super().receive(number, message)  # type: ignore[no-any-return]

    return MyHoldBack


def never_ends() -> Any:
    class MyHoldBack(reference()):  # type: ignore[misc]
        def receive(self, number: int, message: Any) -> list[Any]:
            while number == 3:
                pass
            return super().receive(number, message)  # type: ignore[no-any-return]

    return MyHoldBack


def takes_all_memory() -> Any:
    class MyHoldBack(reference()):  # type: ignore[misc]
        def receive(self, number: int, message: Any) -> list[Any]:
            self.waste = [0] * (1 << 30)
            return super().receive(number, message)  # type: ignore[no-any-return]

    return MyHoldBack


def kills_its_process() -> Any:
    class MyHoldBack:
        def receive(self, number: int, message: Any) -> list[Any]:
            import os

            os._exit(7)

    return MyHoldBack


def returns_nothing() -> Any:
    class MyHoldBack:
        def receive(self, number: int, message: Any) -> None:
            pass

    return MyHoldBack


def delivers_nothing() -> Any:
    class MyHoldBack:
        def receive(self, number: int, message: Any) -> list[Any]:
            return []

    return MyHoldBack


def not_written_yet() -> Any:
    class MyHoldBack:
        def __init__(self) -> None:
            raise NotImplementedError

    return MyHoldBack


MUTANTS = {
    deliver_on_receive: (2, "was still on its way."),
    greater_or_equal: (2, "was still on its way."),
    dropped_on_duplicate: (4, "never delivered #"),
    number_used_again_after_resend: (4, "again at"),
    keeps_everything: (4, "It keeps what it has delivered."),
    shared_by_all_nodes: (3, "do all nodes share one list or dictionary? Make it in __init__"),
    raises: (0, "because your queue raised ValueError: I do not like five (test_grader.py, line "),
    never_ends: (0, "At seed 0 your code did not come back within 3 s; look for a loop that never ends: it was in test_grader.py, line "),
    takes_all_memory: (0, "MemoryError"),
    kills_its_process: (0, "ended with code 7"),
    returns_nothing: (0, "receive must return a list of messages, [] for none; it returned None"),
    delivers_nothing: (0, "no node delivered anything at all"),
    not_written_yet: (0, "NotImplementedError"),
}  # fmt: skip


def test_the_reference_gets_all_points_on_seeds_that_students_see_and_that_they_do_not() -> None:
    for seeds in (range(50), range(200, 400)):
        result = grade("3.1", reference(), seeds=seeds)
        assert (result.verdict, result.points, result.possible) == ("pass", 5, 5)
    assert str(result).startswith("3.1  done (5 of 5 points).  200 seeds.  In every run ")


def test_the_reference_holds_for_every_order_of_arrival() -> None:
    result = grade("3.2", reference())
    assert (result.verdict, result.points) == ("exhausted, ok", 3)
    assert "All 5,460 orders of arrival" in result.sentence


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mutant_loses_points_and_is_told_why(mutant: Any) -> None:
    points, story = MUTANTS[mutant]
    result = grade("3.1", mutant(), seeds=range(20))
    assert result.verdict == "fail"
    assert story in result.sentence
    assert result.points <= points < result.possible
    assert str(result).startswith(f"3.1  not yet ({result.points} of 5 points).  ")


def test_the_story_names_the_seed_the_node_both_numbers_and_the_time() -> None:
    sentence = grade("3.1", deliver_on_receive(), seeds=range(3)).sentence
    assert re.fullmatch(
        r"With seed \d node \d delivered #(\d+) before #(\d+): it received #\1 at \d+\.\d\d s while #\2 was still on its way\.",
        sentence,
    )


def test_the_shortest_order_of_arrival_is_the_story() -> None:
    result = grade("3.2", dropped_on_duplicate())
    assert (result.verdict, result.points) == ("fail", 0)
    assert result.sentence == "When the numbers arrive as 2 2 1, receive(1) must return [#1, #2], and it returned [#1]."


def test_a_failed_run_can_be_shown() -> None:
    result = grade(3.1, deliver_on_receive(), seeds=range(3))
    assert str(result).endswith('show("3.1") plays it.')
    assert show(3.1) == show("3.1") == show(result) and show(result).data


def test_without_a_failed_run_there_is_nothing_to_show() -> None:
    grade(3.1, reference(), seeds=range(3))
    assert show(3.1) == "Nothing went wrong in 3.1, so there is no run to show."
    grade("3.2", dropped_on_duplicate())
    assert show("3.2") == "3.2 was judged without a run, so there is nothing to play; its sentence says it all."
    with pytest.raises(UsageError, match=r"no question 3\.9"):
        show("3.9")


def test_when_time_is_over_the_verdict_is_inconclusive_and_gives_no_points() -> None:
    result = grade("3.1", reference(), seeds=range(100_000), limit=1.0)
    assert (result.verdict, result.points) == ("inconclusive", 0)
    assert "The limit of 1 s was over at seed " in str(result) and "not decided (0 of 5 points)" in str(result)


def test_a_subclass_of_the_packages_queue_is_refused() -> None:
    class MyHoldBack(HoldBack):
        pass

    result = grade("3.1", MyHoldBack)
    assert (result.verdict, result.points) == ("fail", 0)
    assert "is a subclass of chatsys.protocol.holdback.HoldBack" in result.sentence


def uses_the_package() -> Any:
    class MyHoldBack:
        def __init__(self) -> None:
            self.queue = make_queue()

    return MyHoldBack


def make_queue() -> Any:
    return HoldBack


def imports_the_package() -> Any:
    class MyHoldBack:
        def __init__(self) -> None:
            from chatsys.protocol import holdback

            self.queue = holdback

    return MyHoldBack


@pytest.mark.parametrize("answer", [uses_the_package, imports_the_package], ids=["through a function", "by import"])
def test_an_answer_that_uses_the_package_is_refused(answer: Any) -> None:
    assert "belongs to the package; write this part yourself" in grade("3.1", answer()).sentence


def test_what_is_no_class_is_refused() -> None:
    assert grade("3.1", reference()()).sentence.startswith("The answer must be a class")


def test_an_unknown_question_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no question 3\.9; there are 3\.1, 3\.2"):
        find_question("3.9")
    for name in ("x", "99.1", "", "../3.1", "03.1"):
        with pytest.raises(UsageError, match=f"no question {name}; "):
            find_question(name)


def test_what_the_students_code_prints_does_not_mix_with_the_result() -> None:
    class MyHoldBack(reference()):  # type: ignore[misc]
        def receive(self, number: int, message: Any) -> list[Any]:
            print("noise", flush=True)
            return super().receive(number, message)  # type: ignore[no-any-return]

    assert grade("3.1", MyHoldBack, seeds=range(3)).points == 5


def test_the_source_of_a_lab_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chatsys.teach.grading.reading import find_source

    monkeypatch.chdir(tmp_path)
    assert json.loads(find_source("03-total-order").read_text(encoding="utf-8"))["nbformat"] == 4
    with pytest.raises(UsageError, match="no lab '99'"):
        find_source("99")
