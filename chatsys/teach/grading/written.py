"""Written tests: a student's scenario and claim, played against wrong answers and right ones.

    scenario(world) --what it does--> play(wrong answer) --trace--> claim(trace) -> "node 2 delivered #4 before #3"
                                      play(right answer) --trace--> claim(trace) -> None

A test is worth what it finds: the share of the wrong answers for which the claim speaks, minus one for each right
answer that it accuses.  A claim that always speaks finds everything and accuses everybody, and gets nothing.
A claim that raises with a wrong answer has not found it; with a right one it is worth nothing.

In a notebook (`grade`) the right ones are the lab's open one, where it has one, and the student's own class once it is
done: that shows nobody an answer.  Where there is none yet, nobody can tell, and the verdict says so.

Promises  the answers stay here; the student's process sees traces.
Read also `recording` (the other side), `lab.WrittenTest`.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from chatsys.isolation.budget import Allowance
from chatsys.isolation.calls import Method
from chatsys.isolation.drain import say_bytes
from chatsys.isolation.remote import Gone, Raised, RemoteClass
from chatsys.teach.grading.keys import Keys
from chatsys.teach.grading.lab import RUNS, Finding, PartResult, WrittenTest
from chatsys.teach.grading.points import rounded_down
from chatsys.teach.grading.recording import MOST_STEPS, Done

METHODS = {
    "__init__": Method(("scenario", "claim")),
    "steps": Method(("verbs",), returns=list[Done]),
    "claims": Method(("trace",), returns=str | None),
}
OWN = "your own "
"""How a student's own class is called among the right answers: "your own MyBully"."""
MOST_BYTES = 16 << 20
"""Bytes of a trace that a claim is asked about."""
HOLDER = "chatsys.teach.grading.recording:Written"
"""The class that the student's process makes of the two functions; its module is loaded there before theirs."""


class Score(msgspec.Struct, frozen=True):
    """What a written test found."""

    killed: tuple[str, ...]
    missed: tuple[str, ...]
    accused: tuple[str, ...]
    said: str = ""
    """What the claim said about the first right answer that it accuses."""
    shown: tuple[str, ...] = ()
    """The names of wrong answers that students may read."""
    right: int = 1
    """How many right answers there were that it could accuse."""
    of: str = ""
    """The exercise whose answers they are."""
    broken: tuple[str, ...] = ()
    """What the claim raised, for each wrong answer with which it did; it has missed these."""

    def share(self) -> float:
        """Return the share of the points."""
        every = len(self.killed) + len(self.missed)
        return max(0.0, (len(self.killed) - len(self.accused) * every) / every) if every else 0.0

    def __str__(self) -> str:
        of = len(self.killed) + len(self.missed)
        found = f"Your test finds {len(self.killed)} of {of} wrong answers"
        if not self.right:
            return (
                f"{found}.{self._missing()} Whether it accuses a right answer is still open: "
                f"finish {self.of}, and grade plays it with your own class, too."
            )
        if not self.accused:
            rest = (
                " When you hand in, more of both kinds are tried."
                if {*self.killed, *self.missed} <= {*self.shown}
                else ""
            )
            tried = f"{self.right} {'was' if self.right == 1 else 'were'} tried"
            return f"{found} and accuses no right one, of which {tried}.{self._missing()}{rest}"
        whom = self.accused[0]
        told = f'{found}, and it accuses {len(self.accused)} of {self.right} right ones, which costs all points: of {whom} it says "{self.said:.150}".'
        if whom.startswith(OWN):
            told += f" The checks of {self.of} find no mistake in it: either your test is wrong, or it has found one that they miss."
        return told + self._missing()

    def _missing(self) -> str:
        """Say where the claim raised, and name the wrong answers that it does not find, as far as students may know them."""
        named = [name for name in self.missed if name in self.shown]
        others = len(self.missed) - len(named)
        if others:
            named.append(f"{others} that the page does not show")
        raised = (
            f" With {len(self.broken)} of the wrong ones your claim raised {self.broken[0]}, so it did not find them."
            if self.broken
            else ""
        )
        return raised + (f" It misses: {', '.join(named)}." if named else "")


class _Unplayable(Exception):
    """The steps of a scenario are not such as it may have."""


def open_answers(test: WrittenTest, own: type | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the wrong and the right answers that students may see; `own`: their own class, once its checks find it right."""
    right = {} if test.open_right is None else {f"the right answer {test.open_right.__name__}": test.open_right}
    return dict(test.open_mistakes), right if own is None else right | {f"{OWN}{own.__name__}": own}


def all_answers(test: WrittenTest, keys: Keys) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return all wrong and right answers of the lab."""
    wrong, right = open_answers(test)
    wrong |= {name: one.cls for name, one in keys.mistakes.get(test.of, {}).items() if one.tests}
    return wrong, right | {f"the right answer {name}": cls for name, cls in keys.answers.get(test.of, {}).items()}


def judge_written(
    test: WrittenTest,
    code: bytes | None,
    wrong: Mapping[str, Any],
    right: Mapping[str, Any],
    allowance: Allowance | None = None,
) -> PartResult:
    """Play the test in `code`, packed functions by their names, against these answers."""
    if code is None:
        why = f"There is no {test.scenario}(world) or no {test.claim}(trace) in this notebook; write both in the cell {test.cell}."
        return _outcome(test, 0.0, why)
    allowance = allowance or Allowance()
    try:
        remote = RemoteClass(code, "your test", METHODS, (), allowance.quota(), holder=HOLDER)
    except Gone as gone:
        allowance.spend(gone.cpu)
        return _gone(test, gone)
    try:
        mine = remote.new(test.scenario, test.claim)
        score = _score(test, remote, mine, wrong, right)
    except Gone as gone:
        return _gone(test, gone)
    except _Unplayable as unplayable:
        return _outcome(test, 0.0, f"Your scenario cannot be played: {unplayable!s:.500}.")
    except _NoClaim as error:
        return _outcome(test, 0.0, str(error))
    except Raised as error:
        name = test.scenario if remote.unfinished == "steps" else test.claim
        why = f"You have not written {name} yet." if remote.unfinished else f"Your test raised {error}."
        return _outcome(test, 0.0, why)
    finally:
        allowance.spend(remote.cpu)
        remote.close()
    open_still = score.share() == 1 and not right
    return _outcome(test, score.share(), str(score), flagged=open_still)


def _score(
    test: WrittenTest, remote: RemoteClass, mine: Any, wrong: Mapping[str, Any], right: Mapping[str, Any]
) -> Score:
    steps = _ask(remote, mine, "steps", (test.verbs,))
    _check_steps(test, steps)
    traces = {name: _played(test, answer, steps) for name, answer in {**wrong, **right}.items()}
    # Equal traces are asked about once, and in an order that only they decide: a claim that counts learns nothing.
    asked: dict[bytes, str | None | Raised] = {
        trace: _ask_claim(remote, mine, trace)
        for trace in sorted(set(traces.values()), key=lambda trace: sha256(trace).digest())
    }
    broken = {name: error for name, trace in traces.items() if isinstance(error := asked[trace], Raised)}
    if worst := next((broken[name] for name in right if name in broken), None):
        raise worst
    said = {name: None if isinstance(told := asked[trace], Raised) else told for name, trace in traces.items()}
    accused = tuple(name for name in right if said[name] is not None)
    return Score(
        killed=tuple(name for name in wrong if said[name] is not None),
        missed=tuple(name for name in wrong if said[name] is None),
        accused=accused,
        said=next((said[name] or "" for name in accused), ""),
        shown=tuple(test.open_mistakes),
        right=len(right),
        of=test.of,
        broken=tuple(str(error) for error in broken.values()),
    )


def _ask_claim(remote: RemoteClass, mine: Any, trace: bytes) -> str | None | Raised:
    """Return what the claim says of this trace, or what it raised; raises where it is not written yet, or says no sentence."""
    try:
        said: str | None = _ask(remote, mine, "claims", (trace,))
    except _NoClaim:
        raise
    except Raised as error:
        if remote.unfinished:
            raise
        return error
    return said


def _check_steps(test: WrittenTest, steps: Sequence[Done]) -> None:
    """Refuse what no `Recording` would have written down: the steps come from the student's process."""
    if len(steps) > MOST_STEPS:
        raise _Unplayable(f"a scenario has at most {MOST_STEPS:,} steps; this one has {len(steps):,}")
    for verb, arguments, named in steps:
        later = (*arguments[1:2], *(named[name] for name in named if name == "verb")) if verb == "at" else ()
        for used in (verb, *later):
            if used not in test.verbs:
                raise _Unplayable(f"a scenario may use {', '.join(test.verbs)}; it cannot use {used!r:.40}")


def _played(test: WrittenTest, answer: Any, steps: Sequence[Done]) -> bytes:
    try:
        trace: bytes = test.play(answer, steps).trace.encode()
    except Exception as error:  # a verb was given what it does not take
        raise _Unplayable(str(error)) from None
    if len(trace) > MOST_BYTES:
        raise _Unplayable(f"its trace has more than {say_bytes(MOST_BYTES)}; a few messages show everything")
    return trace


def _ask(remote: RemoteClass, mine: Any, method: str, arguments: tuple[Any, ...]) -> Any:
    reply = remote.call(mine, method, arguments)
    if method == "claims" and reply.wrong is not None:
        raise _NoClaim(
            f"Your claim returned {reply.wrong}; it must return a sentence if something was wrong, and None if nothing was."
        )
    if not reply.right:
        raise Raised(reply.error or reply.wrong or "")
    return reply.value


class _NoClaim(Raised):
    """The claim returned neither a sentence nor None."""


def _gone(test: WrittenTest, gone: Gone) -> PartResult:
    late = gone.verdict == "late"
    return _outcome(test, 1.0 if late else 0.0, gone.sentence, flagged=late)


def _outcome(test: WrittenTest, share: float, sentence: str, flagged: bool = False) -> PartResult:
    verdict: Any = "inconclusive" if flagged else "pass" if share == 1 else "fail"
    return PartResult(
        cell=test.graded, kind="public", verdict=verdict, points=rounded_down(test.points, share), possible=test.points,
        sentence=sentence, lost=() if share == 1 else (RUNS,), flagged=(RUNS,) if flagged else (),
        findings=() if share == 1 else (Finding(aspect=RUNS, sentence=sentence),),
    )  # fmt: skip
