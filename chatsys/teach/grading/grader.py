"""The grader: a student's class goes in, points and a story come out.

    grade("3.1", MyHoldBack) --class, by value--> a worker --plays it--> what it found --> Grade
                                                   |  one seed too long: stopped, and told with its line
                                                   `- memory, output and time bounded

    3.1  not yet (2 of 5 points).  With seed 17 node 2 delivered #4 before #3: it received #4 at
         1.20 s while #3 was still on its way.   show("3.1") plays it.

The worker is another process, so that a loop that never ends costs a few seconds and not the notebook.
It is no sandbox: whoever grades strangers' work should do that in a container.  Where there are no
processes, as in a browser, the class is tried in this one, and a loop without end is ended by a deadline.

Promises  one of four verdicts, never a silent ok: pass, fail, exhausted ok, inconclusive.  Only what the class does
          fails it: its CPU time accuses, the clock on the wall ends a grading as inconclusive.
Read also `questions` (what a question is), `isolation.worker` (the bounds), `labs.lab03.checks` (the questions of
          lab 03), `marking` (whole notebooks).
"""

import dis
import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import msgspec

from chatsys.errors import UsageError
from chatsys.isolation.answer import Answer, Bounds
from chatsys.isolation.drain import say_bytes
from chatsys.isolation.serving import heartbeat
from chatsys.isolation.worker import new_worker, packed
from chatsys.teach import labs
from chatsys.teach.grading.questions import Finding, Grade, Judge, Question, mark, one_of_each

__all__ = ["grade", "grade_notebooks"]


def __dir__() -> list[str]:
    return __all__


PUBLIC = range(50)
"""The seeds a student sees; hidden ones begin at 200."""

ONE_STEP, MEMORY = 3.0, 1 << 30
"""Seconds of CPU for one seed or one order of arrival; bytes beyond what Python itself takes."""

RESULT = 16 << 20
"""Bytes that what was found may have, with its traces."""

_newest: dict[str, Grade] = {}
"""The newest grade of each question, for `show`."""


def grade(question: str | float, answer: Any, seeds: Sequence[int] = PUBLIC, limit: float = 30.0) -> Grade:
    """Try `answer` on `question` and return points and a story; print the result to read it.

    `seeds` chooses the runs, `limit` is in seconds: when it is over, the verdict is inconclusive.
    Raises `UsageError` for an unknown question.
    """
    name = str(question)
    asked = find_question(name)
    reason = refuse(answer, asked.given)
    result = _zero(name, asked, "fail", reason) if reason else _try(name, asked, answer, seeds, limit)
    _newest[name] = result
    return result


def newest(question: str | float) -> Grade | None:
    """Return the newest grade of `question` in this program, or None; raises `UsageError` for an unknown question."""
    find_question(str(question))
    return _newest.get(str(question))


def grade_notebooks(
    paths: Iterable[str | Path], lab: str, results: str | Path | None = None, course: str | Path | None = None
) -> dict[str, Any]:
    """Grade whole notebooks; see `marking`, which is loaded only here because it needs nbgrader."""
    from chatsys.teach.grading import marking

    return marking.grade_notebooks(paths, lab, results, course)


def find_question(name: str) -> Question:
    """Return the question of this name: 3.1 is one of `QUESTIONS` in `labs/lab03/checks.py`."""
    number = name.partition(".")[0]
    known = sorted(one.name for one in pkgutil.iter_modules(labs.__path__) if one.name.startswith("lab"))
    home = f"lab{number.zfill(2)}"
    if home not in known:
        there = ", ".join(one.removeprefix("lab").lstrip("0") for one in known)
        raise UsageError(f"There is no question {name}; there are those of the labs {there}.")
    questions: dict[str, Question] = import_module(f"{labs.__name__}.{home}.checks").QUESTIONS
    if name not in questions:
        raise UsageError(f"There is no question {name}; there are {', '.join(questions)}.")
    return questions[name]


# --- what is not accepted ----------------------------------------------------------------------


def refuse(answer: Any, given: Sequence[type] = ()) -> str | None:
    """Return why `answer` is not the student's own class, or None; it may use what is `given`."""
    if not isinstance(answer, type):
        return f"The answer must be a class; this is {answer!r:.40}."
    for base in answer.__mro__[1:]:
        if _is_ours(base, given):
            return f"{answer.__name__} is a subclass of {base.__module__}.{base.__name__}; write the class yourself."
    used = next(_borrowed(answer, given, set()), None)
    return used and f"{answer.__name__} uses {used}, which belongs to the package; write this part yourself."


def _is_ours(thing: Any, given: Sequence[type]) -> bool:
    name = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None)
    ours = isinstance(name, str) and (name == "chatsys" or name.startswith("chatsys."))
    return ours and not any(thing is one for one in given)


def _borrowed(thing: Any, given: Sequence[type], seen: set[int]) -> Iterator[str]:
    """Yield what a class or function uses of this package, also through other functions of the notebook."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if _is_ours(thing, given):
        yield getattr(thing, "__name__", str(thing))
    elif isinstance(thing, type) and thing.__module__ != "builtins":
        for value in vars(thing).values():
            yield from _borrowed(getattr(value, "__func__", getattr(value, "fget", value)), given, seen)
    elif isinstance(thing, FunctionType):
        for code in _codes(thing.__code__):
            for step in dis.get_instructions(code):
                if step.opname == "IMPORT_NAME" and str(step.argval).partition(".")[0] == "chatsys":
                    yield str(step.argval)
            for name in code.co_names:
                yield from _borrowed(thing.__globals__.get(name), given, seen)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


# --- the trial ---------------------------------------------------------------------------------


def _try(name: str, asked: Question, answer: type, seeds: Sequence[int], limit: float) -> Grade:
    bounds = Bounds(step=ONE_STEP, whole=limit, memory=MEMORY, answer=RESULT, shown=0, plain=True)
    try:
        code = packed({ANSWER: answer})
    except UsageError as error:
        return _zero(name, asked, "fail", str(error).replace("These classes", "The class"))
    worker = new_worker(code, bounds)
    try:
        worker.submit(try_answer, asked.judge, list(seeds))
        tried = worker.wait()
    finally:
        worker.kill()
    if not tried.done:
        return _zero(name, asked, *_stopped(answer.__name__, tried, limit))
    try:
        found = msgspec.json.decode(tried.value, type=list[Finding])
    except msgspec.DecodeError:
        return _zero(name, asked, "fail", f"The process that tried {answer.__name__} gave what is no result.")
    return mark(name, asked, found, seeds)


ANSWER = "answer"
"""Under which name the class travels."""


def try_answer(parts: Mapping[str, type], judge: Judge, seeds: Sequence[int]) -> bytes:
    """Judge the class and return, as JSON, the first finding of each aspect; run in a worker."""
    return msgspec.json.encode(one_of_each(judge(parts[ANSWER], seeds, heartbeat)))


def _stopped(who: str, tried: Answer, limit: float) -> tuple[str, str]:
    """Return the verdict and the story for a trial that came to no end."""
    step, where = tried.step or "the start", f": it was in {tried.place}" if tried.place else ""
    match tried.verdict:
        case "late":
            return "inconclusive", f"The limit of {limit:.0f} s was over at {step}; nothing wrong was found until then."
        case "hung":
            story = f"At {step} your code did not come back within {ONE_STEP:.0f} s; look for a loop that never ends"
            return "fail", f"{story}{where}."
        case "died" if tried.code is None:
            story = f"The process that tried {who} wrote more than {say_bytes(RESULT)}, or what is no result, where"
            return "fail", f"{story} its result belongs."
        case "died":
            said = tried.said or "it said nothing"
            return "fail", f"The process that tried {who} ended with code {tried.code}: {said}."
        case _:
            return "fail", f"{who} raised {tried.value}."


def _zero(name: str, asked: Question, verdict: Any, sentence: str) -> Grade:
    return Grade(question=name, verdict=verdict, points=0, possible=asked.possible, sentence=sentence)
