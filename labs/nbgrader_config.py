"""The nbgrader course of chatsys: `nbgrader generate_assignment 03-total-order` inside this folder.

What students get (release/) is made from source/, never edited by hand; a test compares the two.  `nbgrader autograde`
runs no notebook: the judge of chatsys stands where it would, and needs keys/ and keys/secret.  Run
`chatsys tidy submitted` before it, for nbgrader stops at a notebook in which a cell was doubled or turned into text.
"""

from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821

# JupyterLab runs one folder further up: `chatsys lab --instructor` finds this file by JUPYTER_CONFIG_PATH
here = str(Path(__file__).resolve().parent)
c.CourseDirectory.root = here
c.CourseDirectory.course_id = "chatsys"
c.Autograde.autograde_preprocessors = [
    "chatsys.teach.classroom.nbgrader_judge.Judge",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Judge.course = here
c.ClearSolutions.code_stub = {"python": "# write your code here\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "*Write your answer here.*"
