"""The judge for nbgrader: the marks of `chatsys grade`, written where nbgrader looks for points.

    nbgrader autograde:  sanitise --> Judge --> SaveAutoGrades --> gradebook.db --> formgrader, feedback
                                       `- stands where nbgrader would run the notebook

nbgrader reads points from what a graded cell shows: all of them if it shows nothing, none if it shows a warning.  So
no cell is run there; each graded cell is given its output by the judge: the story, then the number.

Assumes   nbgrader's own preparation, in which locked cells get their text back; `chatsys tidy` before it mends the rest.
Promises  the points and the stories of `chatsys grade`, for the same notebook, student and secret.
Read also `marking`, labs/nbgrader_config.py (which puts this class in its place).
"""

import json
from typing import Any

from nbformat import from_dict
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from chatsys.teach.grading.marking import Mark, mark_submission, open_course, without_answers
from chatsys.teach.grading.reading import Unreadable, grade_id
from chatsys.teach.grading.submission import understand


class Judge(NbGraderPreprocessor):  # type: ignore[misc]
    """Writes into each graded cell what the grader says of it."""

    course = Unicode("", help="The folder of the course, with source/ and keys/; empty: looked for from here.").tag(
        config=True
    )
    secret = Unicode("", help="The file of the course's secret; empty: keys/secret of the course.").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Return the notebook with the outputs of its graded cells; called by nbgrader."""
        about = resources["nbgrader"]
        course = open_course(about["notebook"], self.course or None, self.secret or None)
        plain = json.loads(json.dumps(nb))
        try:
            submission = understand(plain, course.source)
            mark = mark_submission(submission, course, about["student"])
        except Unreadable as error:
            mark = without_answers(course, str(error))
        for remark in [mark["output"], *mark["flags"]]:
            self.log.info("%s of %s: %s", about["notebook"], about["student"], remark)
        return from_dict(_shown(plain, mark)), resources  # type: ignore[no-untyped-call]


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
