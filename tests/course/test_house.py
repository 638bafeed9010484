"""The house: two commands, equal environments, nothing of one machine in a committed file."""

import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import chatsys

ROOT = Path(__file__).parents[2]

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


def constraints() -> dict[str, list[str]]:
    """Return {package: its pinned versions} of constraints.txt; markers choose one of several."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        name, version = re.fullmatch(r"([a-z0-9-]+)==([\w.]+)( ;.*)?", line).groups()[:2]  # type: ignore[union-attr]
        found.setdefault(name, []).append(version)
    return found


def asked_for() -> list[Requirement]:
    """Return every requirement of pyproject.toml, those of each extra and of the build included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    lines = [*project["project"]["dependencies"], *(line for extra in extras for line in extra)]
    every = [Requirement(line) for line in [*lines, *project["build-system"]["requires"]]]
    return [one for one in every if one.name != "chatsys"]


def test_what_was_tested_is_what_people_get() -> None:
    pinned = constraints()
    for one in asked_for():
        assert pinned.get(canonicalize_name(one.name)), f"{one.name} is not in constraints.txt; run make constraints"
        for version in pinned[canonicalize_name(one.name)]:
            assert one.specifier.contains(version), f"{one} and {version} of constraints.txt do not fit together"
    for name in set(packages(ROOT / "environment.yml")) - {"python", "pip"}:
        assert name in pinned, f"{name} of environment.yml is not in constraints.txt; run make constraints"


def test_the_tests_run_with_the_versions_of_the_constraints() -> None:
    if not Path(sys.prefix).samefile(ROOT / ".venv"):
        return  # make newest, or an environment of somebody's own
    pinned = constraints()
    for one in asked_for():
        if one.marker is None and (version := installed(one.name)):
            assert version in pinned[canonicalize_name(one.name)], one.name


def installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def test_binder_has_the_same_python_and_installs_by_the_constraints() -> None:
    assert packages(ROOT / "binder" / "environment.yml")["python"] == packages(ROOT / "environment.yml")["python"]
    commands = (ROOT / "binder" / "postBuild").read_text().splitlines()
    installs = [line for line in commands if "pip install" in line]
    assert len(installs) == 2 and all("-c constraints.txt" in line for line in installs)
    assert installs[-1].endswith("-e '.[notebook,grade]'")


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


def test_binder_hands_over_at_last() -> None:
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
    for target in ("lab", "test", "quick", "prove", "newest", "check", "demo", "clean"):
        assert re.search(rf"^  make {target} +\w", listed, re.MULTILINE)


def test_an_old_python_is_refused_in_one_sentence(tmp_path: Path) -> None:
    old = tmp_path / "old python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.8.1 && exit 0\nexit 1\n')
    old.chmod(0o755)
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "constraints.txt").touch()
    made = subprocess.run(["make", "test", f"PYTHON={old}"], cwd=tmp_path, capture_output=True, text=True)
    assert made.returncode != 0
    assert "chatsys needs Python 3.11 or newer" in made.stderr and "Python 3.8.1" in made.stderr
    assert "Traceback" not in made.stderr


@pytest.mark.parametrize("name", ["my notebooks 2026", "Ann's folder", '"quoted"', "-rf", "a\nb"])
def test_make_clean_touches_nothing_that_make_did_not_make(tmp_path: Path, name: str) -> None:
    course = tmp_path / "a course with spaces"
    work = {course / "notebooks" / name / "homework.ipynb", course / "notebooks" / "00-tour.ipynb"}
    work |= {course / "notebooks" / name / ".ipynb_checkpoints" / "homework-checkpoint.ipynb"}
    work |= {course / "data" / "local" / "node1" / "log.jsonl", course / "chatsys" / name / "mine.py"}
    made = {
        course / ".venv" / "bin" / "python",
        course / "build" / "x",
        course / "chatsys" / name / "__pycache__" / "x",
    }
    for path in work | made:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("work")
    (course / "tests").mkdir()
    (course / "Makefile").write_text((ROOT / "Makefile").read_text())
    subprocess.run(["make", "clean"], cwd=course, capture_output=True, check=True)
    assert {path for path in work if not path.exists()} == set()
    assert {path for path in made if path.exists()} == set()


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
