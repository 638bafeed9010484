"""The house: two commands, equal environments, nothing of one machine in a committed file."""

import ast
import importlib
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
import syntax
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import chatsys
from chatsys.protocol import decisions
from chatsys.protocol.node import PARTS

ROOT = Path(__file__).parents[2]

DECISIONS = {name for name in vars(decisions) if name[:1].isupper()}
USERS_SEVEN = ("ipywidgets", "jupyterlab", "nest-asyncio", "pandas", "plotly", "pytest", "nbval")


def committed() -> list[Path]:
    """Return every text file that is, or is about to be, in a commit."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:  # no clone but an unpacked archive
        return [path for path in ROOT.rglob("*") if path.is_file() and not {".venv", "__pycache__"} & {*path.parts}]
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
    if Path(sys.prefix).resolve() != (ROOT / ".venv").resolve():
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
    every = [path.relative_to(ROOT).as_posix() for path in committed()]
    named = set(re.findall(r"`([\w./-]+\.(?:py|md|yml|ipynb))`", text)) | set(re.findall(r"\]\(([\w./-]+)\)", text))
    missing = [name for name in sorted(named) if not any(f"/{one}".endswith(f"/{name}") for one in every)]
    missing = [name for name in missing if not (ROOT / name).exists() and name != "my.py"]
    assert not missing


# --- what a docstring names is there --------------------------------------------------------------

TEXTS = [*sorted((ROOT / "chatsys").rglob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))]
PAGES = [ROOT / "README.md", ROOT / "chatsys" / "ARCHITECTURE.md"]
A_FILE = re.compile(r"[\w.-]*(?:/[\w.-]+)*\.(?:py|md|js|css|yml|toml|ipynb|txt)|\w+\.c")


trees = syntax.trees


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return what a module defines: at its top, in its classes and what these inherit, and on `self`."""
    found: set[str] = set()
    nodes = syntax.nodes(path)
    bases = {ast.unparse(base) for node in nodes if isinstance(node, ast.ClassDef) for base in node.bases}
    for node in nodes:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.attr if isinstance(node, ast.Attribute) else node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
            if isinstance(node, ast.ImportFrom) and bases & {alias.name for alias in node.names}:
                home = ROOT / f"{(node.module or '').replace('.', '/')}.py"
                found |= names_in(home) if home.exists() else frozenset()
    return frozenset(found)


@cache
def modules() -> dict[str, list[Path]]:
    """Return every module of ours by the last part of its name; a package is its `__init__`."""
    found: dict[str, list[Path]] = {}
    for path in TEXTS:
        found.setdefault(path.parent.name if path.stem == "__init__" else path.stem, []).append(path)
    return found


@cache
def every_word() -> frozenset[str]:
    """Return every identifier that stands in the code: variables, arguments, attributes, keywords."""
    words: set[str] = set()
    for path in TEXTS:
        words |= names_in(path)
        for node in syntax.nodes(path):
            if isinstance(node, ast.Name | ast.arg | ast.Attribute | ast.keyword):
                words.add(str(getattr(node, "id", None) or getattr(node, "arg", None) or getattr(node, "attr", "")))
    return frozenset(words)


def docstrings(path: Path) -> Iterator[str]:
    """Yield every string that stands alone: docstrings, and the notes below a name."""
    if path.suffix == ".md":
        yield re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
        return
    for node in syntax.nodes(path):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


def is_there(dotted: str) -> bool:
    """Tell whether `a.b.c` can be followed: each part is a module in the one before, or a name of it."""
    first, *rest = dotted.removeprefix("chatsys.").split(".")
    at = modules().get(first, [])
    if not at or dotted == "chatsys":
        spoken = first in every_word() or importlib.util.find_spec(first) is not None
        return dotted == "chatsys" or spoken
    for place in at:
        here: Path | None = place
        for part in rest:
            assert here is not None
            inside = [here.parent / f"{part}.py", here.parent / part / "__init__.py"] if here.stem == "__init__" else []
            below = next((path for path in inside if path.exists()), None)
            if below is None:
                here = here if part in names_in(here) else None
            else:
                here = below
            if here is None:
                break
        if here is not None:
            return True
    return False


@cache
def homes() -> list[Path]:
    """Return every folder from which a docstring may name a file."""
    tops = (ROOT / "chatsys", ROOT / "tests")
    return [ROOT, *tops, *(path for top in tops for path in top.rglob("*") if path.is_dir())]


def dangling(text: str) -> list[str]:
    """Return what stands in backticks and names a file, a module or a name in a module that is not there."""
    wrong = []
    for token in re.findall(r"`([^`\n]+)`", text):
        if A_FILE.fullmatch(token):
            if token not in ("my.py", "stderr.txt") and not any((home / token).exists() for home in homes()):
                wrong.append(token)
        elif re.fullmatch(r"[a-z_]\w*(\.\w+)+", token) and not is_there(token):
            wrong.append(token)
    for also in re.findall(r"^Read (?:also|next) (.*?)(?:\n\n|\Z)", text, flags=re.MULTILINE | re.DOTALL):
        for token in re.findall(r"`([a-z_]\w*)`", also):
            if token not in modules() and not any(token in names_in(path) for path in TEXTS):
                wrong.append(token)
    return wrong


@pytest.mark.parametrize("path", [*TEXTS, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_file_and_name_that_a_docstring_names_is_there(path: Path) -> None:
    assert [name for text in docstrings(path) for name in dangling(text)] == []


@pytest.mark.parametrize(
    "name", ["sim.saved", "sessions.Client", "runtime.nothing", "chatsys.wrold", "no_such_thing.at_all", "sim/none.py"]
)
def test_a_name_that_is_not_there_is_found(name: str) -> None:
    assert dangling(f"A module.\n\nIt is like `{name}`, and so on.") == [name]
    assert dangling("Read also `sim.world`, `runtime.cluster.Cluster`, `config.Timing`, `ARCHITECTURE.md`.") == []
    assert dangling("Read also `world`, `no_such_module` (no such\nmodule), and `trace`.") == ["no_such_module"]


PACKAGES = [
    path
    for path in TEXTS
    if path.stem == "__init__"
    and "tests" not in path.parts
    and path.parent.name != "protocol"  # a cover, not a counter
]


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: path.parent.name)
def test_what_the_docstring_of_a_package_speaks_of_can_be_imported_from_it(path: Path) -> None:
    package = importlib.import_module(".".join(path.parent.relative_to(ROOT).parts))
    about, _, _also = (ast.get_docstring(syntax.parsed(path)) or "").partition("Read also")
    below = [other for other in path.parent.glob("*.py") if other != path]
    defined = {
        node.name
        for other in below
        for node in syntax.parsed(other).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    there = {*dir(package), *(other.stem for other in below)}  # a module can be imported from it, whoever did so first
    missing = [name for name in re.findall(r"`(\w+)(?:\(.*?\))?`", about) if name in defined - there]
    assert not missing


def test_the_readme_makes_the_commands_available_before_it_uses_them() -> None:
    (block,) = re.findall(
        r"^## See it work\n+```\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    first, *rest = block.splitlines()
    assert first.startswith("source .venv/bin/activate ")
    assert rest and all(line.startswith("chatsys ") for line in rest)


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


def test_importing_chatsys_imports_nothing_else_of_it_and_no_tables_or_figures() -> None:
    code = (
        "import sys; import chatsys; "
        "heavy = {'pandas', 'plotly', 'ipywidgets', 'IPython', 'asyncio', 'msgspec'} & set(sys.modules); "
        "early = [name for name in sys.modules if name.startswith('chatsys.')]; "
        "assert not heavy and not early, (heavy, early)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_world_is_imported_without_tables_and_figures() -> None:
    code = (
        "import sys; from chatsys import World, Cluster, Trace, check; "
        "heavy = {'pandas', 'plotly', 'ipywidgets'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_name_that_a_notebook_imports_is_there() -> None:
    names: list[str] = vars(chatsys)["__all__"]
    for name in names:
        assert getattr(chatsys, name) is not None, name
        assert name in dir(chatsys)


@pytest.mark.parametrize("name", ["chatsys.check", "chatsys.teach.figures", "chatsys.teach.grading.grader"])
def test_the_tab_key_shows_what_is_meant_for_people_and_nothing_else(name: str) -> None:
    module = importlib.import_module(name)
    meant: list[str] = vars(module)["__all__"]
    assert dir(module) == sorted(meant) and all(hasattr(module, one) for one in meant)


def test_check_answers_as_a_function_whatever_was_imported_first() -> None:
    for first in ("", "import chatsys.check; ", "from chatsys import World; World().run(1); "):
        code = first + "from chatsys import Trace, check; assert check(Trace()) == []"
        subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    misspelt = "Wolrd"
    with pytest.raises(AttributeError, match="no attribute 'Wolrd'; it has .*World"):
        getattr(chatsys, misspelt)


def test_the_version_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == chatsys.__version__


def test_the_five_questions_lead_to_places_that_are_there() -> None:
    page = (ROOT / "chatsys" / "ARCHITECTURE.md").read_text()
    table = page.partition("## Five questions")[2].partition("## The map")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert len(rows) == 5
    for row in rows:
        targets = re.findall(r"\]\(([^)]+)\)", row)
        assert targets and all((ROOT / "chatsys" / target).is_file() for target in targets), row
        code = "".join((ROOT / "chatsys" / target).read_text() for target in targets)
        for name in re.findall(r"`(?:\w+\.)?([A-Za-z_]\w*)`", row):
            assert re.search(rf"(class|def) {name}\b", code), f"{name} is not where the table says: {row}"


def test_the_table_of_parts_names_what_each_part_decides() -> None:
    page = (ROOT / "chatsys" / "ARCHITECTURE.md").read_text()
    rows = [line.split(" | ") for line in page.splitlines() if re.match(r"\| `[A-Z]\w+` \| `protocol/", line)]
    assert [part.strip("| `") for part, *_ in rows] == [part.__name__ for part in PARTS.values()]
    for part, files, _, decides in rows:
        names = [*re.findall(r"`([\w/.]+)`", files), "protocol/log.py"]  # a part commits by way of its log
        code = "".join((ROOT / "chatsys" / name).read_text() for name in names)
        assert f"class {re.findall(r'`(.+?)`', part)[0]}(" in code
        told, made = set(re.findall(r"`(\w+)`", decides)), set(re.findall(r"\b([A-Z]\w+)\(", code))
        assert told <= made & DECISIONS, (part, told - made)


def test_the_journey_names_a_method_of_the_file_that_stands_before_it() -> None:
    page = (ROOT / "chatsys" / "ARCHITECTURE.md").read_text()
    journey = page.partition("## The journey of one message")[2].partition("\n## ")[0]
    steps = re.findall(r"`([\w/]+\.py)` `([\w.]+)`", journey)
    assert len(steps) > 8
    for file, name in steps:
        found = [path for path in (ROOT / "chatsys").rglob("*.py") if path.as_posix().endswith(f"/{file}")]
        assert any(
            re.search(rf"(class|def) {name.rpartition('.')[2]}\b|\b{name}\b", path.read_text()) for path in found
        ), name
