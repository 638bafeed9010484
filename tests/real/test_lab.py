"""The command lab: the notebooks of a package, a student's own files, and settings that keep the page quiet."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chatsys.commands import lab
from chatsys.errors import UsageError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A chatsys that was installed without its repository, and a current folder with nothing in it."""
    shipped, here = tmp_path / "site" / "chatsys" / "notebooks", tmp_path / "here"
    here.mkdir()
    (shipped / "images").mkdir(parents=True)
    for name in ("00-tour.ipynb", "01-more.ipynb", "images/tour.png"):
        (shipped / name).write_text("of the package")
    monkeypatch.setattr(lab, "SHIPPED", shipped)
    monkeypatch.chdir(here)
    return here / lab.COPY


def test_without_a_repository_the_notebooks_of_the_package_are_laid_into_this_folder(package: Path) -> None:
    assert lab.place() == package / "00-tour.ipynb"
    laid = sorted(path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file())
    assert laid == ["00-tour.ipynb", "01-more.ipynb", "images/tour.png"]


def test_what_a_student_wrote_stays_and_what_is_missing_is_laid_again(package: Path) -> None:
    lab.place()
    (package / "00-tour.ipynb").write_text("of the student")
    (package / "01-more.ipynb").unlink()
    lab.place()
    assert (package / "00-tour.ipynb").read_text() == "of the student"
    assert (package / "01-more.ipynb").read_text() == "of the package"


def test_notebooks_that_cannot_be_laid_are_told_in_a_sentence(package: Path) -> None:
    package.write_text("a file in the way")
    with pytest.raises(
        UsageError, match=r"cannot be copied to .*chatsys-notebooks: .*\. Run this in a folder of your own"
    ):
        lab.place()


def test_in_a_clone_the_tour_is_opened_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert lab.place() == ROOT / "notebooks" / "00-tour.ipynb"
    assert list(tmp_path.iterdir()) == []


def test_a_package_without_notebooks_is_told_in_a_sentence(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "SHIPPED", package / "nowhere" / "chatsys" / "notebooks")
    with pytest.raises(UsageError, match="neither here nor in the package"):
        lab.place()


def chatsys_lab(*options: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "chatsys", "lab", "--no-browser", *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_port_that_is_taken_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = chatsys_lab("--port", port)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.strip().endswith(
        f"Port {port} is in use by another program; give another --port, or none at all."
    )


def test_a_missing_jupyterlab_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: find(name, *more) if name != "jupyterlab" else None
    )
    with pytest.raises(UsageError, match=r"JupyterLab is not installed; .*pip install 'chatsys\[notebook\]'"):
        lab.lab()


def page_config(tmp_path: Path, *, instructor: bool, own: object = None) -> tuple[set[str], dict[str, Any]]:
    """Return which extensions JupyterLab would disable, and which defaults it would lay, for a person with `own` settings."""
    (tmp_path / "own" / "labconfig").mkdir(parents=True)
    (tmp_path / "own" / "labconfig" / "page_config.json").write_text(json.dumps(own or {}))
    code = """
import json
from jupyterlab.commands import get_app_dir
from jupyterlab_server.config import get_page_config
from jupyterlab_server.settings_utils import _get_overrides
from jupyterlab.labapp import LabApp
app = LabApp()
config = get_page_config(app.labextensions_path, app.app_settings_dir)
print(json.dumps([list(config["disabledExtensions"]), _get_overrides(app.app_settings_dir)[0]]))
"""
    surroundings = os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path / "own")}
    surroundings |= {"JUPYTER_CONFIG_PATH": lab.config_path(ROOT, instructor)}
    run = subprocess.run([sys.executable, "-c", code], env=surroundings, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    disabled, overrides = json.loads(run.stdout)
    return set(disabled), overrides


def test_students_get_no_tool_of_instructors_and_keep_what_they_set_themselves(tmp_path: Path) -> None:
    own = {"disabledExtensions": {"@jupyterlab/terminal-extension": True}}
    disabled, overrides = page_config(tmp_path, instructor=False, own=own)
    assert {"@jupyter/nbgrader", "@jupyterlab/terminal-extension"} <= disabled
    assert overrides["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_instructors_get_their_tools(tmp_path: Path) -> None:
    disabled, overrides = page_config(tmp_path, instructor=True)
    assert "@jupyter/nbgrader" not in disabled
    assert overrides["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_what_the_person_set_in_jupyter_config_path_stays_behind_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "mine")
    assert lab.config_path(ROOT, instructor=False) == os.pathsep.join([str(lab.SETTINGS), "mine"])
    monkeypatch.delenv("JUPYTER_CONFIG_PATH")
    assert lab.config_path(ROOT, instructor=False) == str(lab.SETTINGS)
