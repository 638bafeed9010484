"""The nbgrader course of chatsys: `nbgrader generate_assignment 03-total-order` inside this folder.

What students get (release/) is made from source/, never edited by hand; a test compares the two.
"""

from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821

# JupyterLab runs one folder further up: `chatsys lab --instructor` finds this file by JUPYTER_CONFIG_PATH
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
c.CourseDirectory.course_id = "chatsys"
c.ExecutePreprocessor.timeout = 90
c.ExecutePreprocessor.interrupt_on_timeout = True
c.ExecutePreprocessor.store_widget_state = False
c.ClearSolutions.code_stub = {"python": "# write your code here\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "*Write your answer here.*"
