"""The house: two commands, equal environments, nothing of one machine in a committed file."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import chatsys

ROOT = Path(__file__).parent.parent

USERS_SEVEN = ("ipywidgets", "jupyterlab", "nest-asyncio", "pandas", "plotly", "pytest", "nbval")


def committed() -> list[Path]:
    """Return every text file that is, or is about to be, in a commit."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:  # no clone but an unpacked archive
        return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
    files = [ROOT / line for line in listed.stdout.splitlines()]
    return [path for path in files if path.is_file() and path.suffix not in {".png", ".jpg", ".ico"}]


def packages(path: Path) -> dict[str, str]:
    """Return {package: version range} of a conda environment, its pip section included."""
    found: dict[str, str] = {}
    for entry in yaml.safe_load(path.read_text())["dependencies"]:
        for line in entry["pip"] if isinstance(entry, dict) else [entry]:
            name, version = re.fullmatch(r"([A-Za-z0-9_.-]+?)([<>=].*)?", line).groups()  # type: ignore[union-attr]
            found[name] = version or ""
    return found


def test_binder_builds_the_same_environment() -> None:
    assert (ROOT / "binder" / "environment.yml").read_bytes() == (ROOT / "environment.yml").read_bytes()


@pytest.mark.parametrize("name", USERS_SEVEN)
def test_the_environment_has_every_package_of_the_users_list(name: str) -> None:
    assert name in packages(ROOT / "environment.yml")


def test_the_environment_names_its_python() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert "conda-forge" in environment["channels"]
    assert packages(ROOT / "environment.yml")["python"] == "=3.12"


def test_pip_and_conda_ask_for_the_same_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["notebook"], *extras["grade"], *extras["test"]]
    by_pip = {}
    for line in asked:
        if match := re.match(r"([A-Za-z0-9_.-]+)([<>=][^;]*)?$", line.split(";")[0].strip()):
            by_pip[match[1].lower()] = match[2] or ""
    for name, version in packages(ROOT / "environment.yml").items():
        if name not in {"python", "pip"}:
            assert by_pip[name] == version, name


@pytest.mark.parametrize("name", ["postBuild", "start"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no executable bit")
def test_binder_scripts_can_be_executed(name: str) -> None:
    assert os.access(ROOT / "binder" / name, os.X_OK)


def test_binder_installs_the_package_and_hands_over_at_last() -> None:
    assert "python -m pip install --no-cache-dir --no-deps -e ." in (ROOT / "binder" / "postBuild").read_text()
    assert (ROOT / "binder" / "start").read_text().rstrip().endswith('exec "$@"')


def test_no_committed_file_knows_this_machine_or_a_registry() -> None:
    # written in pieces, so that this file does not find itself
    hosts = [("pypi", "org"), ("pythonhosted", "org"), ("anaconda", "org"), ("npmjs", "org"), ("debian", "org")]
    forbidden = re.compile(
        "|".join(
            [
                *(rf"{name}\.{end}" for name, end in hosts),
                "/" + r"work/\w",
                "/" + r"root/\w",
                "/home/" + r"(?!jovyan)\w",
            ]
        )
    )
    wrong = []
    for path in committed():
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
            if match := forbidden.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number} has {match[0]}")
    assert not wrong, "\n".join(wrong)


def test_nothing_is_left_to_do_in_a_comment() -> None:
    left = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")))
    wrong = [str(path.relative_to(ROOT)) for path in committed() if left.search(path.read_text(errors="replace"))]
    assert not wrong


@pytest.mark.parametrize("page", ["README.md", "chatsys/ARCHITECTURE.md"])
def test_the_files_that_a_page_names_are_there(page: str) -> None:
    text = (ROOT / page).read_text()
    every = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.*") if ".venv" not in path.parts]
    named = set(re.findall(r"`([\w./-]+\.(?:py|md|yml|ipynb))`", text)) | set(re.findall(r"\]\(([\w./-]+)\)", text))
    missing = [name for name in sorted(named) if not any(f"/{one}".endswith(f"/{name}") for one in every)]
    missing = [name for name in missing if not (ROOT / name).exists() and name != "my.py"]
    assert not missing


def test_notebooks_stay_small() -> None:
    for path in ROOT.glob("notebooks/*.ipynb"):
        assert path.stat().st_size <= 200_000, f"{path.name}: run nbstripout --keep-output on it"


def test_make_alone_lists_its_targets() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("lab", "test", "check", "demo", "clean"):
        assert re.search(rf"^  make {target} +\w", listed, re.MULTILINE)


def test_an_old_python_is_refused_in_one_sentence(tmp_path: Path) -> None:
    old = tmp_path / "old-python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.8.1 && exit 0\nexit 1\n')
    old.chmod(0o755)
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "pyproject.toml").touch()
    made = subprocess.run(["make", "test", f"PYTHON={old}"], cwd=tmp_path, capture_output=True, text=True)
    assert made.returncode != 0
    assert "chatsys needs Python 3.11 or newer" in made.stderr and "Python 3.8.1" in made.stderr
    assert "Traceback" not in made.stderr


def test_importing_chatsys_is_cheap_and_imports_no_tables_or_figures() -> None:
    code = (
        "import time, sys; begin = time.perf_counter(); import chatsys; took = time.perf_counter() - begin; "
        "heavy = {'pandas', 'plotly', 'ipywidgets', 'IPython', 'asyncio'} & set(sys.modules); "
        "assert not heavy, heavy; print(took)"
    )
    took = [float(subprocess.check_output([sys.executable, "-c", code], text=True)) for _ in range(3)]
    assert min(took) <= 0.15


def test_a_world_is_imported_without_tables_and_figures() -> None:
    code = (
        "import sys; from chatsys import World, Cluster, Trace, check; "
        "heavy = {'pandas', 'plotly', 'ipywidgets'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_name_that_a_notebook_imports_is_there() -> None:
    for name in chatsys.__all__:
        assert getattr(chatsys, name) is not None, name
        assert name in dir(chatsys)


def test_check_answers_as_a_function_whatever_was_imported_first() -> None:
    for first in ("", "import chatsys.check; ", "from chatsys import World; World().run(1); "):
        code = first + "from chatsys import Trace, check; assert check(Trace()) == []"
        subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Wolrd'; it has .*World"):
        chatsys.Wolrd  # noqa: B018


def test_the_version_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == chatsys.__version__
