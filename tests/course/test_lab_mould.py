"""The mould: what every lab keeps, whichever it is.  A lab that is added is tested here without a new line."""

import ast
import json
import re
from functools import cache, partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

import chatsys.teach.labs
from chatsys.explore.explorer import Budget, Explorer, Result
from chatsys.teach.classroom.misconceptions import nearest
from chatsys.teach.classroom.results import CellResult, FailedAspect
from chatsys.teach.classroom.signatures import signature_of_mistake
from chatsys.teach.grading import searching
from chatsys.teach.grading.grader import find_lab, known_labs
from chatsys.teach.grading.judging import judge
from chatsys.teach.grading.keys import Mistake, read_keys
from chatsys.teach.grading.lab import Exercise, Kind, Lab, PartResult
from chatsys.teach.grading.seeds import hidden_seeds
from chatsys.teach.grading.written import all_answers, judge_written
from chatsys.teach.labs.pages import page_of, with_common_cells
from chatsys.teach.labs.seeds import recorded

COURSE = Path(__file__).parents[2] / "labs"
SECRET = b"a secret for tests only"
FEW = 12
"""So many hidden seeds instead of all: enough for each mistake, and fast."""
FAR = 10_000
"""So many states of a mistake are searched: it is met on the first few thousand, or is none that a search finds."""


def a_lab(number: str) -> Lab:
    lab = find_lab(number)
    assert lab is not None
    return lab


LABS = [a_lab(number) for number in known_labs()]
KEYS = {lab.number: read_keys(COURSE, lab) for lab in LABS}
EXERCISES = [(lab, exercise) for lab in LABS for exercise in lab.exercises]
ANSWERS = [
    pytest.param(lab, exercise, cls, id=f"{exercise.number}: {name}")
    for lab, exercise in EXERCISES
    for name, cls in KEYS[lab.number].answers[exercise.number].items()
]
MISTAKES = [
    pytest.param(lab, exercise, mistake, id=f"{exercise.number}: {name}")
    for lab, exercise in EXERCISES
    for name, mistake in KEYS[lab.number].mistakes[exercise.number].items()
]


def few_seeds(exercise: Exercise, kind: Kind) -> Any:
    return (
        range(exercise.public)
        if kind == "public"
        else hidden_seeds(SECRET, "mould", exercise.number, "ann", min(FEW, exercise.hidden))
    )


class ShortSearch(Explorer):
    """Does not exhaust what a wrong answer may do: one that nobody leads has ten times the states of a right one."""

    def search(self, budget: Budget | None = None, **how: Any) -> Result:
        budget = budget or Budget()
        return super().search(msgspec.structs.replace(budget, states=min(budget.states, FAR)), **how)


@cache
def outcomes_of(number: str, answer: type) -> list[PartResult]:
    """Return what becomes of an answer to the exercise of this number; it is played once for all tests.

    The searches of right answers go to their end, those of others only so far.
    """
    lab, exercise = next((lab, one) for lab, one in EXERCISES if one.number == number)
    right = answer in KEYS[lab.number].answers[number].values()
    with pytest.MonkeyPatch.context() as patch:
        if not right:
            patch.setattr(searching, "Explorer", ShortSearch)
        return judge(exercise, answer, few_seeds, KEYS[lab.number])


def tried(lab: Lab, exercise: Exercise, answer: type) -> dict[str, PartResult]:
    return {one.kind: one for one in outcomes_of(exercise.number, answer)}


def pages(kind: str) -> list[Any]:
    names = [(lab, COURSE / kind / lab.name / f"{lab.name}.ipynb") for lab in LABS]
    return [
        pytest.param(lab, json.loads(path.read_text(encoding="utf-8")), id=f"{kind} {lab.name}") for lab, path in names
    ]


def cells_by_id(page: Any) -> dict[str, Any]:
    found = [cell for cell in page["cells"] if "nbgrader" in cell["metadata"]]
    by_id = {cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in found}
    assert len(by_id) == len(found), "an id stands twice"
    return by_id


def text_of(page: Any) -> str:
    return "\n".join("".join(cell["source"]) for cell in page["cells"] if cell["cell_type"] == "markdown")


# --- right answers, wrong answers, no answers --------------------------------------------------------


@pytest.mark.parametrize(("lab", "exercise", "answer"), ANSWERS)
def test_a_right_answer_loses_nothing_however_it_is_written(lab: Lab, exercise: Exercise, answer: type) -> None:
    for outcome in tried(lab, exercise, answer).values():
        assert (outcome.points, outcome.lost) == (outcome.possible, ()), outcome.sentence


@pytest.mark.parametrize(("lab", "exercise"), EXERCISES, ids=lambda one: getattr(one, "number", ""))
def test_there_are_enough_right_answers_and_they_differ(lab: Lab, exercise: Exercise) -> None:
    assert "reference" in KEYS[lab.number].answers[exercise.number]
    assert len(KEYS[lab.number].answers[exercise.number]) >= 3


@pytest.mark.parametrize(("lab", "exercise", "mistake"), MISTAKES)
def test_a_mistake_loses_exactly_what_it_declares_and_is_told_why(
    lab: Lab, exercise: Exercise, mistake: Mistake
) -> None:
    outcomes = tried(lab, exercise, mistake.cls)
    lost = {kind: set(one.lost) for kind, one in outcomes.items() if one.lost}
    assert lost == {kind: set(aspects) for kind, aspects in mistake.loses.items()}
    sentences = [one.sentence for one in outcomes.values() if one.lost]
    assert any(re.search(mistake.says, sentence) for sentence in sentences), sentences
    shared = any("share" in sentence for sentence in sentences)
    assert shared or not any(one.unsteady for one in outcomes.values()), "who keeps all in self does the same again"
    for outcome in outcomes.values():
        for finding in outcome.findings:
            assert len(finding.sentence) <= 300 and finding.sentence.endswith((".", "?")), finding.sentence
            assert re.search(r"\d|not written", finding.sentence), "it names no call, no message and no number"


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.number)
def test_the_misconception_map_names_each_mistake_that_stands_in_a_class(lab: Lab) -> None:
    crowded: dict[tuple[str, ...], str] = {}
    for exercise in lab.exercises:
        mistakes = KEYS[lab.number].mistakes[exercise.number]
        played = {name: outcomes_of(exercise.number, mistake.cls) for name, mistake in mistakes.items()}
        known = {name: signature_of_mistake(mistakes[name], outcomes) for name, outcomes in played.items()}
        for name, outcomes in played.items():
            near = nearest(exercise, [as_cell(exercise, one) for one in outcomes], known)
            assert near is not None and name in near.names, f"{exercise.number} {name} is taken for {near}"
            crowded |= {near.names: exercise.number} if len(near.names) > 1 else {}
    together = len([name for names in crowded for name in names])
    assert together <= 0.25 * len([param for param in MISTAKES if param.values[0] is lab]), (
        f"too many fail in the same way: {crowded}"
    )


def as_cell(exercise: Exercise, one: PartResult) -> CellResult:
    """Return an outcome as results.json keeps it."""
    failed = [FailedAspect(aspect=f.aspect, sentence=f.sentence, seed=f.seed) for f in one.findings]
    return CellResult(
        name=one.cell, score=one.points, max_score=one.possible, output=one.sentence, exercise=exercise.number,
        kind=one.kind, lost=list(one.lost), failed=failed,
    )  # fmt: skip


def nothing(exercise: Exercise) -> type:
    """A class whose methods are there and do nothing."""
    methods = {name: lambda self, *arguments: None for name in exercise.methods}
    return type(exercise.writes, (), methods)


def echo(exercise: Exercise) -> type:
    """A class whose methods return what they were given last."""

    def last(self: Any, *arguments: Any) -> Any:
        return arguments[-1] if arguments else None

    methods: dict[str, Any] = dict.fromkeys(exercise.methods, last)
    return type(exercise.writes, (), methods | {"__init__": lambda self, *arguments: None})


@pytest.mark.parametrize("null", [nothing, echo])
@pytest.mark.parametrize(("lab", "exercise"), EXERCISES, ids=lambda one: getattr(one, "number", ""))
def test_an_answer_that_is_none_gets_at_most_a_tenth(lab: Lab, exercise: Exercise, null: Any) -> None:
    outcomes = tried(lab, exercise, null(exercise)).values()
    assert sum(one.points for one in outcomes) <= 0.1 * sum(one.possible for one in outcomes)


@pytest.mark.parametrize(("lab", "exercise"), EXERCISES, ids=lambda one: getattr(one, "number", ""))
def test_the_reference_has_as_many_lines_as_the_page_says(lab: Lab, exercise: Exercise) -> None:
    source = (COURSE / "keys" / lab.name / "answers.py").read_text(encoding="utf-8")
    reference = KEYS[lab.number].answers[exercise.number]["reference"]
    texts = [
        ast.unparse(one)
        for one in ast.walk(ast.parse(source))
        if isinstance(one, ast.ClassDef) and one.name == reference.__qualname__.rpartition(".")[2]
    ]
    assert exercise.lines in [lines_of(text) for text in texts]


def lines_of(source: str) -> int:
    """Return how many lines a class has, counted alike in each lab: as Python writes it anew, without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return sum(1 for line in ast.unparse(tree).splitlines() if line.strip())


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.number)
def test_a_lab_has_a_hundred_points(lab: Lab) -> None:
    assert lab.points == 100


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.number)
def test_the_readme_lists_the_lab_with_its_hours(lab: Lab) -> None:
    hours = "–".join(f"{one:g}" for one in dict.fromkeys(lab.hours))
    readme = (COURSE.parent / "README.md").read_text(encoding="utf-8")
    assert f"| {lab.number} {lab.title} | {hours} |" in readme


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.number)
def test_a_written_test_that_always_speaks_or_never_gets_nothing(lab: Lab) -> None:
    from chatsys.isolation.pickling import pack

    for test in lab.tests:
        wrong, right = all_answers(test, KEYS[lab.number])
        assert len(wrong) >= 3 and right
        for said in ("node 1 is wrong", None):
            functions = {test.scenario: do_nothing, test.claim: partial(always, said)}
            assert judge_written(test, pack(functions), wrong, right).points == 0


def do_nothing(world: Any) -> None:
    """A scenario in which nothing happens."""


def always(said: str | None, trace: Any) -> str | None:
    """A claim that says the same of every run."""
    return said


# --- the page --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lab", "page"), [*pages("source"), *pages("release")])
def test_the_page_has_the_frame_in_its_order_and_three_folded_hints(lab: Lab, page: Any) -> None:
    text = text_of(page)
    places = [text.index(f"## ({part}) ") for part in "abcdefg"]
    assert places == sorted(places)
    for number in (1, 2, 3):
        assert f"<summary>Hint {number}" in text
    low, high = lab.hours
    assert re.search(rf"\*\*Time:\*\*.*\b{low:g}\b", text) and (low == high or f"{high:g}" in text)
    assert not any(cell.get("outputs") for cell in page["cells"])


@pytest.mark.parametrize(("lab", "page"), [*pages("source"), *pages("release")])
def test_each_cell_that_the_declaration_names_is_in_the_page(lab: Lab, page: Any) -> None:
    cells = cells_by_id(page)
    graded = {part.cell: part.points for exercise in lab.exercises for part in exercise.parts}
    graded |= {lab.predictions_graded: lab.predictions_points} if lab.predictions else {}
    graded |= {one.graded: one.points for one in lab.tests}
    for name, points in graded.items():
        about = cells[name]["metadata"]["nbgrader"]
        assert about["grade"] and about["locked"] and about["points"] == points, name
    for explain in lab.explain:
        assert cells[explain.cell]["metadata"]["nbgrader"]["points"] == explain.points
    told = {name for name, cell in cells.items() if cell["metadata"]["nbgrader"]["grade"]}
    assert told == set(graded) | {one.cell for one in lab.explain}, "a graded cell that nobody judges"
    written = {exercise.cell for exercise in lab.exercises} | {one.cell for one in lab.tests}
    for name in written:
        assert cells[name]["metadata"]["nbgrader"]["solution"], name


@pytest.mark.parametrize(("lab", "page"), pages("source"))
def test_every_requirement_that_costs_points_is_written_in_the_task(lab: Lab, page: Any) -> None:
    text = text_of(page)
    for exercise in lab.exercises:
        for part in exercise.parts:
            for aspect in exercise.shares(part):
                assert f"*{aspect}*" in text, (
                    f"{exercise.number} takes points for {aspect}, and the page does not say what that is"
                )


@pytest.mark.parametrize(("lab", "page"), [*pages("source"), *pages("release")])
def test_the_page_says_what_its_declaration_says_and_has_what_all_pages_have(lab: Lab, page: Any) -> None:
    wanted = json.loads(json.dumps(page))
    with_common_cells(wanted, lab)
    assert page == wanted, "run make pages"
    assert lab.before, "what one should have done before it"


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.number)
def test_a_student_who_starts_again_gets_the_page_that_was_released(lab: Lab) -> None:
    released = COURSE / "release" / lab.name / f"{lab.name}.ipynb"
    assert page_of(lab).read_bytes() == released.read_bytes(), "run make pages"


@pytest.mark.parametrize(("lab", "page"), pages("source"))
def test_the_words_of_the_glossary_are_in_the_page(lab: Lab, page: Any) -> None:
    text = text_of(page)
    for word in lab.words:
        assert len(re.findall(rf"\b{re.escape(word)}", text, re.IGNORECASE)) >= 2, f"{word} is explained and never used"


@pytest.mark.parametrize(("lab", "page"), pages("release"))
def test_no_line_of_the_keys_is_in_what_students_get(lab: Lab, page: Any) -> None:
    text = "\n".join("".join(cell["source"]) for cell in page["cells"])
    assert "SOLUTION" not in text and "HIDDEN" not in text
    answers = (COURSE / "keys" / lab.name / "answers.py").read_text(encoding="utf-8")
    tree = ast.parse(answers)
    bodies = [
        ast.unparse(statement)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for statement in node.body
    ]
    long_lines = {line.strip() for body in bodies for line in body.splitlines() if len(line.strip()) > 24}
    assert not [line for line in long_lines if line in text]


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.number)
def test_the_rubric_has_what_must_be_said_and_three_sample_answers(lab: Lab) -> None:
    rubric = KEYS[lab.number].rubric
    for explain in lab.explain:
        for said in explain.says:
            assert said in rubric
    assert rubric.count("points:") >= 3


def test_no_key_can_be_imported() -> None:
    packages = list(COURSE.rglob("__init__.py"))
    assert packages == []


# --- seeds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.number)
def test_each_recorded_seed_shows_what_the_page_speaks_of(lab: Lab) -> None:
    seeds = recorded(lab.number)
    assert seeds.keys() == lab.seeds.keys()
    for name, shows in lab.seeds.items():
        assert shows(seeds[name]), f"seed {seeds[name]} does not show {name}: run make seeds"


@pytest.mark.parametrize(("lab", "page"), pages("source"))
def test_no_seed_stands_in_a_page_or_in_the_code_of_a_lab(lab: Lab, page: Any) -> None:
    home = Path(chatsys.teach.labs.__path__[0]) / f"lab{lab.number}"
    texts = ["".join(cell["source"]) for cell in page["cells"] if cell["cell_type"] == "code"]
    texts += [path.read_text(encoding="utf-8").rpartition('"""')[2] for path in home.glob("*.py")]
    for text in texts:
        assert not re.search(r"\bseed *= *\d", text)
