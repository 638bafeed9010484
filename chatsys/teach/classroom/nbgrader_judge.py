"""The judge for nbgrader: the marks of `chatsys grade`, written where nbgrader looks for points.

    nbgrader autograde:  sanitise --> Judge --> SaveAutoGrades --> gradebook.db --> formgrader, feedback
                                       `- stands where nbgrader would run the notebook

nbgrader reads points from what a graded cell shows: all of them if it shows nothing, none if it shows a warning.  So
no cell is run there; each graded cell is given its output by the judge: the story, then the number.

Assumes   nbgrader's own preparation, in which locked cells get their text back; `chatsys tidy` before it mends the rest.
Promises  the points and the stories of `chatsys grade`, for the same notebook, student and secret; but a notebook of an older
          version with other points is graded by today's and told so, for this gradebook has one number of points a cell.
Read also `grading.marking`, labs/nbgrader_config.py (which puts this class in its place).
"""

import json
from functools import cache
from typing import Any

from chatsys.teach.grading.course import open_course
from chatsys.teach.grading.marking import Mark, mark_notebook, without_answers
from chatsys.teach.grading.reading import Unreadable, grade_id


def __getattr__(name: str) -> Any:
    if name != "Judge":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _make_judge()


@cache
def _make_judge() -> type:
    """Return the class `Judge`; nbgrader, on which it stands, need not be there for anything else."""
    from nbformat import from_dict
    from nbgrader.preprocessors import NbGraderPreprocessor
    from traitlets import Unicode

    class Judge(NbGraderPreprocessor):  # type: ignore[misc]
        """Writes into each graded cell what the grader says of it."""

        course = Unicode("", help="The folder with source/ and keys/; empty: looked for from here.").tag(config=True)
        secret = Unicode("", help="The file of the course's secret; empty: keys/secret.").tag(config=True)

        def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
            """Return the notebook with the outputs of its graded cells; called by nbgrader."""
            about = resources["nbgrader"]
            plain = json.loads(json.dumps(nb))
            mark = _mark(plain, about["notebook"], about["student"], (self.course or None, self.secret or None))
            for remark in [mark["output"], *mark["flags"]]:
                self.log.info("%s of %s: %s", about["notebook"], about["student"], remark)
            return from_dict(_shown(plain, mark)), resources  # type: ignore[no-untyped-call]

    return Judge


def _mark(notebook: dict[str, Any], lab: str, student: str, files: tuple[str | None, str | None]) -> Mark:
    """Put `notebook` right, in place, and return its mark."""
    course = open_course(lab, *files)
    try:
        return mark_notebook(notebook, [], course, student, one_maximum=True)
    except Unreadable as error:
        return without_answers(course, str(error))


def _shown(notebook: dict[str, Any], mark: Mark) -> dict[str, Any]:
    """Return the notebook in which each graded cell shows its story and its points, and no other cell shows anything."""
    tests = {test["name"]: test for test in mark["tests"]}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        cell["outputs"], cell["execution_count"] = [], None
        if (test := tests.get(grade_id(cell))) is not None:
            cell["outputs"] = [
                {"output_type": "stream", "name": "stdout", "text": f"{test['output']}\n"},
                {
                    "output_type": "execute_result",
                    "execution_count": None,
                    "data": {"text/plain": f"{test['score']:g}"},
                    "metadata": {},
                },
            ]
    return notebook
