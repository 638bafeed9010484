"""The mould: what every lab keeps, whichever it is.  A lab that is added is tested here without a new line."""

import ast
import json
import re
from functools import cache
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import msgspec
import pytest
from null_answers import NULLS
from played_here import judged_here

import chatsys.teach.labs
from chatsys.explore.explorer import Budget, Explorer, Result
from chatsys.isolation.pickling import pack
from chatsys.teach.classroom.misconceptions import nearest
from chatsys.teach.classroom.results import CellResult, FailedAspect
from chatsys.teach.classroom.signatures import signature_of_mistake
from chatsys.teach.grading import grader, searching
from chatsys.teach.grading.grader import find_lab, known_labs
from chatsys.teach.grading.judging import judge
from chatsys.teach.grading.keys import Mistake, lines_of, read_keys
from chatsys.teach.grading.lab import RUNS, Exercise, Kind, Lab, PartResult, WrittenTest
from chatsys.teach.grading.points import points_of
from chatsys.teach.grading.recording import Recording
from chatsys.teach.grading.seeds import hidden_seeds
from chatsys.teach.grading.written import all_answers, judge_written
from chatsys.teach.labs.facts import told_hours
from chatsys.teach.labs.pages import page_of, with_common_cells
from chatsys.teach.labs.seeds import recorded

COURSE = Path(__file__).parents[2] / "labs"
SECRET = b"a secret for tests only"
FEW = 12
"""So many public and so many hidden seeds instead of all, for answers other than the reference.

`tests/support/labs_table.py` plays all of them for every answer: which takes minutes.
"""
FAR = 5_000
"""So many states of a mistake are searched: it is met on the first few thousand, or is none that a search finds."""


def a_lab(number: str) -> Lab:
    lab = find_lab(number)
    assert lab is not None
    return lab


LABS = [a_lab(number) for number in known_labs()]
KEYS = {lab.number: read_keys(COURSE, lab) for lab in LABS}
ASIDE = {lab.number: read_keys(COURSE, lab) for lab in LABS}
"""The same once more, to be played in this process: some mistakes keep in a class what each object should have."""
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

WRITTEN = [pytest.param(lab, test, id=test.number) for lab in LABS for test in lab.tests]


def few_seeds(exercise: Exercise, kind: Kind) -> Any:
    return range(min(FEW, exercise.public)) if kind == "public" else more_seeds(exercise, kind)


def more_seeds(exercise: Exercise, kind: Kind) -> Any:
    if kind == "public":
        return range(exercise.public)
    return hidden_seeds(SECRET, "mould", exercise.number, "ann", min(FEW, exercise.hidden))


class ShortSearch(Explorer):
    """Does not exhaust what a wrong answer may do: one that nobody leads has ten times the states of a right one."""

    def search(self, budget: Budget | None = None, **how: Any) -> Result:
        budget = budget or Budget()
        return super().search(msgspec.structs.replace(budget, states=min(budget.states, FAR)), **how)


def shown(found: list[PartResult], mistake: Mistake | None) -> bool:
    """Tell whether what was found is all that a mistake loses, and says what it should."""
    if mistake is None or not found:
        return bool(found)
    told = any(re.search(mistake.says, one.sentence) for one in found if one.lost)
    return told and losses(found) == declared(mistake) and not any(one.unsteady for one in found)


@cache
def outcomes_of(number: str, answer: type) -> list[PartResult]:
    """Return what becomes of an answer to the exercise of this number; it is played once for all tests.

    Right answers are judged as a student's are, in a process of their own, and their searches go to their end; the
    reference plays all public seeds.  Others are played here, as far as that shows what they lose; if it does not, in
    a process of their own and with all public seeds.
    """
    lab, exercise = next((lab, one) for lab, one in EXERCISES if one.number == number)
    keys = KEYS[lab.number]
    answers = keys.answers[number]
    if answer in answers.values():
        return judge(exercise, answer, more_seeds if answer is answers["reference"] else few_seeds, keys)
    name, mistake = next(((name, one) for name, one in keys.mistakes[number].items() if one.cls is answer), ("", None))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching, "Explorer", ShortSearch)
        found = judged_here(
            exercise, ASIDE[lab.number].mistakes[number][name].cls if mistake else answer, few_seeds, keys
        )
        if shown(found, mistake):
            return found
        return judge(exercise, answer, more_seeds if mistake else few_seeds, keys)


def losses(outcomes: list[PartResult]) -> dict[str, set[str]]:
    return {one.kind: set(one.lost) for one in outcomes if one.lost}


def declared(mistake: Mistake) -> dict[str, set[str]]:
    return {kind: set(aspects) for kind, aspects in mistake.loses.items()}


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
    assert losses(list(outcomes.values())) == declared(mistake)
    sentences = [one.sentence for one in outcomes.values() if one.lost]
    assert any(re.search(mistake.says, sentence) for sentence in sentences), sentences
    shared = any("share" in sentence for sentence in sentences)
    assert shared or not any(one.unsteady for one in outcomes.values()), "who keeps all in self does the same again"
    for outcome in outcomes.values():
        assert_points_add_up(exercise, outcome)
        for finding in outcome.findings:
            assert len(finding.sentence) <= 300 and finding.sentence.endswith((".", "?")), finding.sentence
            assert re.search(r"\d|not written", finding.sentence), "it names no call, no message and no number"


def assert_points_add_up(exercise: Exercise, outcome: PartResult) -> None:
    """Whole points, those of the aspects that are kept; and where some are lost it is said of each aspect."""
    part = exercise.part(outcome.kind)
    assert part is not None
    if part.whole:
        assert (outcome.points, outcome.account) == (0 if outcome.lost else part.points, "")
        return
    worth = points_of(exercise, part)
    assert sum(worth.values()) == outcome.possible == part.points and min(worth.values()) >= 1
    assert outcome.points == sum(points for aspect, points in worth.items() if aspect not in outcome.lost)
    said = [(int(one[1]), int(one[2])) for one in re.finditer(r"(\d+) of (\d+)", outcome.account)]
    assert not said or [sum(each) for each in zip(*said, strict=True)] == [outcome.points, outcome.possible]
    assert bool(said) == (
        outcome.verdict == "fail" and len(worth) > 1 and RUNS not in {f.aspect for f in outcome.findings}
    )


@pytest.mark.parametrize(("lab", "page"), [*pages("source"), *pages("release")])
def test_the_points_of_each_check_stand_in_the_page_and_add_up(lab: Lab, page: Any) -> None:
    rows = [
        [one.strip() for one in line.strip("|").split("|")] for line in text_of(page).splitlines() if line[:1] == "|"
    ]
    for exercise in lab.exercises:
        for part in exercise.parts if not lab.whole else ():
            begin, column = next(
                (at, place) for at, row in enumerate(rows) if row[0].startswith(exercise.number)
                for place, head in enumerate(row) if head == f"{part.cell}: {part.points:g}"
            )  # fmt: skip
            worth = points_of(exercise, part)
            table = takewhile(lambda row: row[0].startswith("*"), rows[begin + 2 :])
            there = {row[0].strip("*"): row[column] for row in table}
            assert {aspect: int(points) for aspect, points in there.items() if points} == worth
            assert sum(worth.values()) == part.points


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


@pytest.mark.parametrize("null", NULLS.values(), ids=NULLS)
@pytest.mark.parametrize(("lab", "exercise"), EXERCISES, ids=lambda one: getattr(one, "number", ""))
def test_an_answer_that_is_none_gets_at_most_a_tenth(lab: Lab, exercise: Exercise, null: Any) -> None:
    outcomes = tried(lab, exercise, null(exercise)).values()
    assert not [one.sentence for one in outcomes if "cannot be opened" in one.sentence]
    assert sum(one.points for one in outcomes) <= 0.1 * sum(one.possible for one in outcomes)


@pytest.mark.parametrize(("lab", "exercise"), EXERCISES, ids=lambda one: getattr(one, "number", ""))
def test_the_reference_has_as_many_lines_as_the_page_says(lab: Lab, exercise: Exercise) -> None:
    source = (COURSE / "keys" / lab.name / "answers.py").read_text(encoding="utf-8")
    reference = KEYS[lab.number].answers[exercise.number]["reference"]
    texts = [
        ast.unparse(one)
        for one in ast.walk(ast.parse(source))
        if isinstance(one, ast.FunctionDef if exercise.function else ast.ClassDef)
        and one.name == reference.__qualname__.rpartition(".")[2]
    ]
    assert exercise.lines in [lines_of(text) for text in texts]


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.number)
def test_a_lab_has_a_hundred_points_or_is_done_or_not_done(lab: Lab) -> None:
    assert lab.points == (1 if lab.whole else 100), "what is done or not done is 1 or 0 in a gradebook"


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.number)
def test_the_readme_lists_the_lab_with_its_hours(lab: Lab) -> None:
    hours = "–".join(f"{one:g}" for one in dict.fromkeys(lab.hours))
    readme = (COURSE.parent / "README.md").read_text(encoding="utf-8")
    assert f"| {lab.number} {lab.title} | {hours} |" in readme


@pytest.mark.parametrize(("lab", "test"), WRITTEN)
def test_the_written_test_of_the_page_finds_every_mistake_and_accuses_nobody(lab: Lab, test: WrittenTest) -> None:
    """Here in this process, which is quicker; the confined one is tried with each lab's source."""
    scenario, claim = written_in_the_page(lab, test)
    recording = Recording(test.verbs)
    scenario(recording)
    wrong, right = all_answers(test, KEYS[lab.number])
    said = {name: claim(test.play(one, recording._done).trace) for name, one in (right | wrong).items()}
    assert {name: said[name] for name in right if said[name] is not None} == {}
    assert [name for name in wrong if said[name] is None] == []


def written_in_the_page(lab: Lab, test: WrittenTest) -> tuple[Any, Any]:
    """Return the scenario and the claim of a page's source, with the functions that the page gives for them."""
    page = json.loads((COURSE / "source" / lab.name / f"{lab.name}.ipynb").read_text(encoding="utf-8"))
    place: dict[str, Any] = {}
    for name, cell in cells_by_id(page).items():
        about = cell["metadata"]["nbgrader"]
        used = name == test.cell or name in {
            one.cell for one in lab.exercises
        }  # a claim may ask the student's own class
        if cell["cell_type"] == "code" and (used or not (about["solution"] or about["grade"])):
            exec("".join(cell["source"]), place)
    return place[test.scenario], place[test.claim]


@pytest.mark.parametrize(("lab", "test"), WRITTEN)
def test_a_written_test_that_always_speaks_or_never_gets_nothing(lab: Lab, test: WrittenTest) -> None:
    wrong, right = all_answers(test, KEYS[lab.number])
    assert len(wrong) >= 3 and right
    for said, told in (("node 1 is wrong", f"accuses {len(right)} of {len(right)}"), (None, "finds 0 of")):
        outcome = judge_written(test, pack(always(test, said)), wrong, right)
        assert outcome.points == 0 and told in outcome.sentence


@pytest.mark.parametrize(("lab", "test"), WRITTEN)
def test_a_written_test_that_accuses_every_right_answer_is_not_done_in_public(
    lab: Lab, test: WrittenTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    speaks = always(test, "node 1 is wrong").values()
    monkeypatch.setattr(grader, "_own", {})
    before = grader.grade(test.number, *speaks)
    if test.open_right is None:  # no right answer is there yet, so nobody can tell
        assert str(before).startswith(f"{test.number}  not decided") and f"finish {test.of}" in before.sentence
    else:
        assert before.verdict == "fail" and "it accuses 1 of 1 right ones, which" in before.sentence
    mine = KEYS[lab.number].answers[test.of]["reference"]
    monkeypatch.setattr(grader, "_own", {test.of: mine})
    result = grader.grade(test.number, *speaks)
    many = 1 + (test.open_right is not None)
    assert (result.verdict, result.points) == ("fail", 0)
    assert f"finds {len(test.open_mistakes)} of {len(test.open_mistakes)} wrong answers, and" in result.sentence
    assert f"accuses {many} of {many} right ones" in result.sentence
    assert str(result).startswith(f"{test.number}  not yet (0 of {test.points:g} points)")


def always(test: WrittenTest, said: str | None) -> dict[str, Any]:
    """Return a scenario that does nothing and a claim that says the same of every run, as a notebook defines them.

    What is defined in a file of tests goes into another process by its name, and cannot be opened there.
    """
    place: dict[str, Any] = {"__name__": "__main__"}
    exec(f"def {test.scenario}(world): pass\ndef {test.claim}(trace): return {said!r}", place)
    return {name: place[name] for name in (test.scenario, test.claim)}


# --- the page --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lab", "page"), [*pages("source"), *pages("release")])
def test_the_page_has_the_frame_in_its_order_and_three_folded_hints(lab: Lab, page: Any) -> None:
    text = text_of(page)
    places = [text.index(f"## ({part}) ") for part in "abcdefg"]
    assert places == sorted(places)
    for number in (1, 2, 3):
        assert f"<summary>Hint {number}" in text
    assert f"**Time:** {told_hours(lab.hours)}." in text
    assert not any(cell.get("outputs") for cell in page["cells"])


@pytest.mark.parametrize(("lab", "page"), [*pages("source"), *pages("release")])
def test_each_cell_that_the_declaration_names_is_in_the_page(lab: Lab, page: Any) -> None:
    cells = cells_by_id(page)
    graded = {part.cell: part.points for exercise in lab.exercises for part in exercise.parts}
    graded |= {lab.predictions_graded: lab.predictions_points} if lab.predictions_points else {}
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


@pytest.mark.parametrize("lab", LABS, ids=lambda one: one.name)
def test_no_module_of_a_lab_hides_the_function_of_its_name(lab: Lab) -> None:
    """Whoever imports a module binds its name in the package, in place of what a page takes from there."""
    package = import_module(f"chatsys.teach.labs.lab{lab.number}")
    assert {one.name for one in iter_modules(package.__path__)} & set(package.__all__) == set()


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
    if not lab.explain:
        assert lab.whole and "Nobody marks" in rubric
        return
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
