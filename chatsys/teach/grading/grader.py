"""The grader: a student's class goes in, points and a story come out.

    check("3.1", MyHoldBack) --class, by value--> another process --plays it--> Result
                                                   |  one seed too long: stopped, and told
                                                   `- memory and time bounded

    3.1  not yet (2 of 5 points).  With seed 17 node 2 delivered #4 before #3: it received #4 at
         1.20 s while #3 was still on its way.   show(3.1) plays it.

The other process is there so that a loop that never ends costs a few seconds and not the notebook.
It is no sandbox: whoever grades strangers' work should do that in a container.  Where there are no
processes, as in a browser, the class is tried in this one, and a loop without end is ended by a deadline.

Promises  one of four verdicts, never a silent ok: pass, fail, exhausted ok, inconclusive.
Read also `questions` (what a question is), `total_order_checks` (those of lab 03), `marking` (whole notebooks).
"""

import dis
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import IO, Any

import cloudpickle
import msgspec

from chatsys.capabilities import PROCESSES, has
from chatsys.errors import UsageError, told
from chatsys.isolation.beginning import bound_memory
from chatsys.isolation.deadline import Deadline, TimeUp
from chatsys.isolation.drain import Drain, say_bytes
from chatsys.isolation.pickling import pack
from chatsys.teach.grading.questions import Question, Result, mark, one_of_each
from chatsys.trace import Trace

HOME = {"3": "lab03"}
"""Which module holds the questions of a lab."""

PUBLIC = range(50)
"""The seeds a student sees; hidden ones begin at 200."""

ONE_STEP, MEMORY = 3.0, 1 << 30
"""Seconds of CPU for one seed or one order of arrival; bytes beyond what Python itself takes."""

GRACE = 10.0
"""Seconds beyond the limit until the other process is killed, should it not end by itself."""

RESULT, LEFT = 16 << 20, 2.0
"""Bytes that a result with its trace may have; seconds in which the rest of a process's output is read."""

_last: dict[str, Result] = {}
"""The newest result of each question, for `show`."""


def check(question: str | float, answer: Any, seeds: Sequence[int] = PUBLIC, limit: float = 30.0) -> Result:
    """Try `answer` on `question` and return points and a story; print the result to read it.

    `seeds` chooses the runs, `limit` is in seconds: when it is over, the verdict is inconclusive.
    Raises `UsageError` for an unknown question.
    """
    name = str(question)
    asked = find_question(name)
    reason = refuse(answer)
    result = _zero(name, asked, "fail", reason) if reason else _ask(name, asked, answer, seeds, limit)
    _last[name] = result
    return result


def show(question: str | float) -> Any:
    """Draw the run in which the last check of `question` failed; a sentence if there is none."""
    result = _last.get(str(question))
    if result is None or result.trace is None:
        return f"There is no failed run of {question} to show; check it first."
    from chatsys.teach import figures

    return figures.delivery_matrix(Trace.decode(result.trace))


def grade_notebooks(
    paths: Iterable[str | Path], lab: str, results: str | Path | None = None, course: str | Path | None = None
) -> dict[str, Any]:
    """Grade whole notebooks; see `marking`, which is loaded only here because it needs nbgrader."""
    from chatsys.teach.grading import marking

    return marking.grade_notebooks(paths, lab, results, course)


def find_question(name: str) -> Question:
    """Return the question of this name, such as `3.1`."""
    home = HOME.get(name.partition(".")[0])
    questions: dict[str, Question] = import_module(f"chatsys.teach.labs.{home}.checks").QUESTIONS if home else {}
    if name not in questions:
        known = ", ".join(questions) if questions else f"those of the labs {', '.join(HOME)}"
        raise UsageError(f"There is no question {name}; there are {known}.")
    return questions[name]


# --- what is not accepted ----------------------------------------------------------------------


def refuse(answer: Any) -> str | None:
    """Return why `answer` is not the student's own class, or None."""
    if not isinstance(answer, type):
        return f"The answer must be a class; this is {answer!r:.40}."
    for base in answer.__mro__[1:]:
        if _is_ours(base):
            return f"{answer.__name__} is a subclass of {base.__module__}.{base.__name__}; write the class yourself."
    used = next(_borrowed(answer, set()), None)
    return used and f"{answer.__name__} uses {used}, which belongs to the package; write this part yourself."


def _is_ours(thing: Any) -> bool:
    name = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None)
    home = isinstance(name, str) and (name == "chatsys" or name.startswith("chatsys."))
    return home and getattr(thing, "__name__", "") != "Message"


def _borrowed(thing: Any, seen: set[int]) -> Iterator[str]:
    """Yield what a class or function uses of this package, also through other functions of the notebook."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if _is_ours(thing):
        yield getattr(thing, "__name__", str(thing))
    elif isinstance(thing, type) and thing.__module__ != "builtins":
        for value in vars(thing).values():
            yield from _borrowed(getattr(value, "__func__", getattr(value, "fget", value)), seen)
    elif isinstance(thing, FunctionType):
        for code in _codes(thing.__code__):
            for step in dis.get_instructions(code):
                if step.opname == "IMPORT_NAME" and str(step.argval).partition(".")[0] == "chatsys":
                    yield str(step.argval)
            for name in code.co_names:
                yield from _borrowed(thing.__globals__.get(name), seen)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


# --- the other process -------------------------------------------------------------------------


def _ask(name: str, asked: Question, answer: type, seeds: Sequence[int], limit: float) -> Result:
    if not has(PROCESSES):
        return _try_here(name, asked, answer, seeds, limit)
    try:
        task = pack((name, answer, list(seeds), limit))
    except Exception as error:
        return _zero(name, asked, "fail", f"The class cannot be handed to another process: {error}.")
    given, out, err, code = _run(task, limit + GRACE)
    if code is None:
        return _zero(
            name, asked, "inconclusive", f"The limit of {limit:.0f} s was over, and the process did not say where."
        )
    try:
        return msgspec.json.decode(out, type=Result)
    except msgspec.DecodeError:
        story = f"The process that tried {answer.__name__} ended with code {code}"
        if given > RESULT:
            story += f", after it had written more than {say_bytes(RESULT)} where its result belongs"
        return _zero(name, asked, "fail", f"{story}: {err or 'it said nothing'}.")


def _run(task: bytes, limit: float) -> tuple[int, bytes, str, int | None]:
    """Run `work` in another process; return how much it gave, that, its last line on stderr, and its code or None.

    What it prints is read and forgotten, so that an endless loop of prints takes no memory here.
    """
    command = [sys.executable, "-c", "from chatsys.teach.grading.grader import work; work()"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    out, err = Drain(process.stdout, last=RESULT), Drain(process.stderr)
    threading.Thread(target=_feed, args=(process.stdin, task), daemon=True).start()
    code: int | None = None
    try:
        code = process.wait(limit)
    except subprocess.TimeoutExpired:
        pass
    finally:
        process.kill()
        process.wait()
    for drain in (out, err):
        drain.wait(LEFT)  # a process that the student's code began may hold the pipes for ever
    return out.read, out.tail, err.last_line(), code


def _feed(pipe: IO[bytes], task: bytes) -> None:
    with suppress(OSError), pipe:  # it died; its code says so
        pipe.write(task)


def _try_here(name: str, asked: Question, answer: type, seeds: Sequence[int], limit: float) -> Result:
    """Judge in this process: each step within its time, and nothing begun once the whole time is over."""
    end, step = time.monotonic() + limit, "the start"

    def progress(now: str) -> None:
        nonlocal step
        step = now
        if time.monotonic() > end:
            raise TimeUp(limit, step)
        deadline.again()

    try:
        with Deadline(ONE_STEP) as deadline:
            found = one_of_each(asked.judge(answer, seeds, progress))
    except TimeUp as late:
        verdict, story = _late(step, limit if late.limit == limit else None)
        return _zero(name, asked, verdict, story)
    except Exception as error:
        return _zero(name, asked, "fail", f"{answer.__name__} raised {type(error).__name__}: {error}.")
    return mark(name, asked, found, seeds)


def _late(step: str, limit: float | None) -> tuple[str, str]:
    """Return the verdict and the story for a step that did not come back, or (with `limit`) for the whole time."""
    if limit is None:
        return (
            "fail",
            f"At {step} your code did not come back within {ONE_STEP:.0f} s; look for a loop that never ends.",
        )
    return "inconclusive", f"The limit of {limit:.0f} s was over at {step}; nothing wrong was found until then."


def _zero(name: str, asked: Question, verdict: Any, sentence: str) -> Result:
    return Result(question=name, verdict=verdict, points=0, possible=asked.possible, sentence=sentence)


class _Watch:
    """Ends this process, with a result, when one step takes too long or the whole time is over.

    A step is measured by the CPU it takes.  The clock on the wall also goes on while this process waits for a
    crowded machine, or is suspended; so it accuses nobody, and what it ends is inconclusive.
    """

    def __init__(self, name: str, asked: Question, limit: float, out: int) -> None:
        self.name, self.asked, self.out = name, asked, out
        self.step = "the start"
        self.begun, self.since = time.monotonic(), time.process_time()
        self.limit = limit
        threading.Thread(target=self._look, daemon=True).start()

    def __call__(self, step: str) -> None:
        self.step, self.since = step, time.process_time()

    def _look(self) -> None:
        while True:
            time.sleep(0.1)
            if time.process_time() - self.since > ONE_STEP:
                self._end(*_late(self.step, None))
            if time.monotonic() - self.begun > self.limit:
                self._end(*_late(self.step, self.limit))

    def _end(self, verdict: str, story: str) -> None:
        os.write(self.out, msgspec.json.encode(_zero(self.name, self.asked, verdict, story)))
        os._exit(0)


def work() -> None:
    """Run in the other process: read a task from stdin, write the `Result` to stdout."""
    out = os.dup(1)
    os.dup2(2, 1)  # what the student's code prints must not mix with the result
    name, answer, seeds, limit = cloudpickle.loads(sys.stdin.buffer.read())
    asked = find_question(name)
    bound_memory(MEMORY)
    watch = _Watch(name, asked, limit, out)
    try:
        found = one_of_each(asked.judge(answer, seeds, watch))
        result = mark(name, asked, found, seeds)
    except BaseException as error:  # it may call exit(), too
        result = _zero(name, asked, "fail", f"{answer.__name__} raised {told(error)}.")
    with os.fdopen(out, "wb") as file:
        file.write(msgspec.json.encode(result))
    os._exit(0)  # threads that the class began may go on for ever
