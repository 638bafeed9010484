"""A course of nbgrader's in a folder of its own: notebooks in, points out, by its real commands."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LABS = Path(__file__).parents[2] / "labs"

_SCORES = """
import json, sys
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    print(json.dumps({one.student.id: one.score for one in book.assignment_submissions(sys.argv[1])}))
"""


def run(*command: str, folder: Path) -> str:
    """Run a command of this Python in `folder` with Jupyter's folders inside it; return its output, fail if it fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    private = {
        name: str(folder / ".jupyter") for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command], cwd=folder, env=os.environ | private | {"PATH": path},
        capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def autograded(folder: Path, lab: str, notebooks: Mapping[str, Any], secret: Path) -> dict[str, float]:
    """Hand these notebooks in, one for each student, tidy them, and return the points that nbgrader gives."""
    shutil.copy(LABS / "nbgrader_config.py", folder)
    shutil.copytree(LABS / "source" / lab, folder / "source" / lab)
    shutil.copytree(LABS / "keys", folder / "keys", ignore=shutil.ignore_patterns("secret"))
    shutil.copy(secret, folder / "keys" / "secret")
    for student, notebook in notebooks.items():
        home = folder / "submitted" / student / lab
        home.mkdir(parents=True)
        (home / f"{lab}.ipynb").write_text(json.dumps(notebook))
    run("-m", "nbgrader", "generate_assignment", lab, folder=folder)
    run("-m", "chatsys", "tidy", "submitted", "--lab", lab, "--course", str(folder), folder=folder)
    run("-m", "nbgrader", "autograde", lab, folder=folder)
    scores: dict[str, float] = json.loads(run("-c", _SCORES, lab, folder=folder))
    return scores
