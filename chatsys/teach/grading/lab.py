"""A lab as data: its exercises, what must hold in each, and what that is worth.

    LAB = Lab(number="03", exercises=(Exercise("3.1", writes="MyHoldBack", ...), ...), predictions=(...), ...)

A lab is content: words, an actor around the student's class (`stage`), judges (`checks`).  The engine reads
this declaration and knows no lab by name.

    Exercise     - what a student writes: a class, its methods, who judges it
      GradedPart - one graded cell: the same judge on public or on hidden seeds, a search, a budget
      aspect     - one thing that must hold, with its share of the part's points

Promises  points follow from the declaration alone: a part's points, shared out among its aspects (`points`).
Read also `trial` (how a judge asks the student's class), `judging` (who calls the judge),
          `labs.lab03` (a lab), `labs/keys` (what students do not have: answers, mistakes, hidden judges).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from chatsys.isolation.calls import CallScript, Method
from chatsys.teach.scores import in_lines, verdict_told

RUNS = "runs"
"""The aspect that every part has: the answer runs and does something.  Without it nothing else counts."""

MEMORY = "memory"
"""The aspect that the engine itself judges, from outside, where an exercise declares a `load`."""

Kind = Literal["public", "hidden", "search", "budget"]


class ShownCall(msgspec.Struct, frozen=True):
    """One line of the story that `show` plays: a call as the student's code saw it."""

    call: str
    returned: str
    expected: str = ""
    waiting: str = ""
    """What was waiting or lacking when the call came."""
    when: str = ""
    wrong: bool = False
    """Whether this is the first call whose answer was wrong."""
    node: int | None = None
    time: float | None = None
    """At which node of the run, and at which moment of it, in seconds: there its timeline begins."""
    about: tuple[int, ...] = ()
    """The numbers of the messages that the answer is about."""
    peers: tuple[int, ...] = ()
    """The nodes that the answer is about."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that went wrong, in one sentence that ends with a full stop; with its run, if there was one."""

    aspect: str
    sentence: str
    seed: int | None = None
    trace: bytes | None = None
    steps: tuple[ShownCall, ...] = ()
    """The calls of the object that went wrong, from its first one to the wrong one and a few beyond."""
    rank: int = 0
    """How much the sentence explains: of several findings the one with the highest rank is told first."""
    hinted: bool = True
    """Whether the hint of the page for this aspect helps here."""
    written: bool = True
    """Whether there is an answer: a class of which a method is still to be written was not tried, so it has not failed."""
    inconclusive: bool = False
    """Whether nobody can tell if the aspect holds: its points are given, and a person is asked to look."""


Judge = Callable[[Any, Sequence[int]], Iterator[Finding]]
"""(trial, seeds) -> what went wrong; see `trial.Trial` for what a judge may ask."""


class GradedPart(msgspec.Struct, frozen=True, kw_only=True):
    """One graded cell of an exercise."""

    kind: Kind
    cell: str
    """The grade_id of the cell in the notebook."""
    points: float
    aspects: dict[str, int] = {}
    """Each thing that must hold, and its share; empty: those of the exercise."""
    done: str = ""
    """The sentence when everything holds; empty: that of the exercise."""
    whole: bool = False
    """Whether it is done or not done: all of its points or none of them, and nobody reads a number."""


class Exercise(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a student writes, and who judges it."""

    number: str
    """As students name it: "3.1"."""
    title: str
    writes: str
    """The name of the student's class, or function."""
    cell: str
    """The grade_id of the cell in which it is written."""
    lines: int
    """How many lines the reference has, as `keys.lines_of` counts them; a test compares."""
    methods: dict[str, Method]
    """`__init__` among them, if it takes arguments."""
    judge: Judge
    aspects: dict[str, int]
    parts: tuple[GradedPart, ...]
    needs: dict[str, tuple[str, ...]] = {}
    """An aspect counts only if these hold, too: who delivers nothing gets nothing for its order."""
    after: tuple[str, ...] = ()
    """The exercises on whose classes this one is built: what is wrong there goes wrong here as well."""
    given: tuple[type, ...] = ()
    """Frozen Structs of the package that go in and out of the methods."""
    holder: str = ""
    """For a class that calls what it is given: "module:Class" of the package, made of {name: the class}, asked instead."""
    asked: dict[str, Method] = {}
    """The methods of the holder."""
    function: bool = False
    """Whether a function is written and no class; it needs a holder, which calls it."""
    hints: dict[str, int] = {}
    """Which of its three hints helps with an aspect."""
    load: Callable[[int, int], CallScript] | None = None
    """The calls number `first` to `last` that must leave nothing behind: the engine measures the memory."""
    figure: str = "delivery_matrix"
    """Which one of `teach.figures` shows a run."""
    run: Callable[[Any], Any] | None = None
    """(a class that is right) -> the world after a run of it, for `show`; None: there is nothing to see."""
    done: str = ""
    """The sentence when everything holds."""
    public: int = 20
    """How many seeds a student sees: 0 to `public` - 1."""
    hidden: int = 200
    """How many seeds a grade has; which ones is the course's secret."""

    def shares(self, part: GradedPart) -> dict[str, int]:
        """Return the aspects of `part`, each with its share."""
        return part.aspects or self.aspects

    def part(self, kind: Kind) -> GradedPart | None:
        """Return the part of this kind, if there is one."""
        return next((part for part in self.parts if part.kind == kind), None)


class Predict(msgspec.Struct, frozen=True, kw_only=True):
    """A question that is answered before the run answers it; the mark is for an answer being there."""

    number: str
    """As students name it: "3a"."""
    question: str
    kind: type
    """int, float, bool, str, or tuple: a range of two numbers."""
    unit: str = ""
    where: str = "in your run (seed {seed})"
    """Where it happened, as the sentence of `reveal` says it: in one run, or on average in many."""
    tolerance: float = 0.0
    """An answer so near is called right; being right earns nothing."""
    options: dict[str, str] = {}
    """For a choice: each option, and the misconception behind it ("" for the right one)."""
    from_run: Callable[..., Any] | None = None
    """(the student's classes that `reveal` was given, seed) -> (what happened, a figure or None); for a range what happened is
    a list of numbers, one of each run, otherwise a value of the same kind."""


class WrittenTest(msgspec.Struct, frozen=True, kw_only=True):
    """A test that the student writes: `scenario(world)` does verbs, `claim(trace)` returns a sentence or None.

    Its points are the share of the wrong answers that it finds, minus one for each right answer that it accuses.
    """

    number: str
    title: str
    of: str
    """The exercise whose answers it tells apart."""
    cell: str
    """The grade_id of the cell in which the two functions are written."""
    graded: str
    """The grade_id of the graded cell."""
    points: float
    scenario: str = "scenario"
    claim: str = "claim"
    verbs: tuple[str, ...] = ("say", "at", "run")
    """What a scenario may do with the world; it only does, it asks nothing."""
    play: Callable[[Any, Sequence[tuple[str, tuple[Any, ...], dict[str, Any]]]], Any]
    """(answer, what the scenario did: (verb, arguments, named arguments)) -> World after its run."""
    open_mistakes: dict[str, Any] = {}
    """Wrong answers that students may read: name -> class."""
    open_right: Any = None
    """A right answer that students have anyway, or None: then only their own class is played in public, once it is right."""


class Explain(msgspec.Struct, frozen=True, kw_only=True):
    """A text about the student's own run, which a person marks."""

    cell: str
    points: float
    says: tuple[str, ...]
    """What must be said; labs/keys has the rubric with sample answers."""


class Lab(msgspec.Struct, frozen=True, kw_only=True):
    """One lab."""

    number: str
    """Two digits: "03"."""
    name: str
    """The name of its folders and of its notebook: "03-total-order"."""
    title: str
    idea: str
    """The one idea, in a sentence."""
    hours: tuple[float, float]
    words: dict[str, str]
    """The glossary of the page."""
    exercises: tuple[Exercise, ...]
    predictions: tuple[Predict, ...] = ()
    predictions_cell: str = "predictions"
    """Where the student calls `predict`."""
    predictions_graded: str = "predictions-test"
    predictions_points: float = 0
    tests: tuple[WrittenTest, ...] = ()
    explain: tuple[Explain, ...] = ()
    seeds: dict[str, Callable[[int], bool]] = {}
    """What the page shows with a recorded seed: name -> whether a seed shows it (see `labs.seeds`)."""
    anew: Callable[[], Iterator[str]] | None = None
    """What else `make seeds` writes down anew; it yields a sentence for each thing that changed."""
    version: int = 1
    """Counts up with each page that is handed out anew; a notebook of an older one is graded by it (`versions`), or told why not."""
    before: tuple[str, ...] = ()
    """What one has done and knows before it, a phrase each."""
    kinds: dict[Kind, str] = {}
    """What a kind of check is called in the page's table of points, where the usual words do not fit (`labs.facts`)."""
    design: str | None = "design"
    """The grade_id of the design note, told as done or not done: at least `DESIGN_WORDS` words."""

    def exercise(self, number: str) -> Exercise | None:
        """Return the exercise of this number, if the lab has it."""
        return next((one for one in self.exercises if one.number == number), None)

    @property
    def points(self) -> float:
        """All points of the lab, those that a person gives among them."""
        machine = sum(part.points for exercise in self.exercises for part in exercise.parts)
        by_tests, by_hand = sum(one.points for one in self.tests), sum(one.points for one in self.explain)
        return machine + self.predictions_points + by_tests + by_hand

    @property
    def whole(self) -> bool:
        """Whether the lab is done or not done: then it has one point, and nobody reads a number of points."""
        parts = [part for exercise in self.exercises for part in exercise.parts]
        return bool(parts) and all(part.whole for part in parts)


DESIGN_WORDS = 40


class PartResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one part: points, the verdict, and what was found in each aspect."""

    cell: str
    kind: Kind
    verdict: Literal["pass", "fail", "exhausted, ok", "inconclusive"]
    points: float
    possible: float
    sentence: str
    account: str = ""
    """How the points come together, aspect by aspect, where some of them are lost."""
    lost: tuple[str, ...] = ()
    """The aspects whose points are lost, those among them that only need another one."""
    flagged: tuple[str, ...] = ()
    """The aspects that a person should look at: nobody could tell, and the points are given."""
    findings: tuple[Finding, ...] = ()
    unsteady: str = ""
    """For a person: why another grading may give other points; empty where the answer does the same again."""
    whole: bool = False
    """Whether it is done or not done."""


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an answer: points, the verdict and the sentence that tells the story."""

    question: str
    verdict: Literal["pass", "fail", "exhausted, ok", "inconclusive"]
    points: float
    possible: float
    sentence: str
    account: str = ""
    seed: int | None = None
    trace: bytes | None = None
    steps: tuple[ShownCall, ...] = ()
    hint: int | None = None
    """Which hint of this exercise helps, once three tries have failed."""
    figure: str = "delivery_matrix"
    lost: tuple[str, ...] = ()
    whole: bool = False

    def __str__(self) -> str:
        more = f'   show("{self.question}") plays it.' if self.steps or self.trace is not None else ""
        hint = f"   Hint {self.hint} of {self.question} helps here." if self.hint is not None else ""
        account = f"\n{self.account}" if self.account else ""
        told = verdict_told(self.verdict, self.points, self.possible, self.whole)
        return f"{self.question}  {told}.  {self.sentence}{more}{hint}{account}"

    __repr__ = __str__

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Break the lines between words, where a notebook would break them inside one."""
        printer.text("\n".join(in_lines(str(self))))
