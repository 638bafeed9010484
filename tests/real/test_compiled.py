"""A build of two modules: the same runs, and nothing left to guess about which one runs.

The whole build takes minutes; `chatsys prove` makes it, compares a hundred schedules of each kind and plays the mutants
on it (tests/support/compiled_same.py).
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from compiled_same import compare, environment

from chatsys.compiled.building import build, missing
from chatsys.compiled.modules import sources
from chatsys.compiled.using import BUILT, VARIABLE
from chatsys.errors import UsageError

pytestmark = pytest.mark.skipif(bool(missing()), reason="nothing can be compiled here")

TWO = ("chatsys.actor.outbox", "chatsys.actor.logfile")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a build."""
    made = tmp_path_factory.mktemp("fast")
    assert build(made, {name: sources()[name] for name in TWO}, level=0, tell=lambda text: None) == {}
    return made


def python(text: str, folder: Path) -> str:
    """Return what a program prints that runs the build."""
    done = subprocess.run([sys.executable, "-c", text], env=environment(True, folder), capture_output=True, text=True)
    return done.stdout + done.stderr


def test_a_build_plays_the_same_runs(folder: Path) -> None:
    assert compare((0, 3), 3, "brief", folder)["violations"] == []


def test_classes_of_students_inherit_from_compiled_ones(folder: Path) -> None:
    said = python(
        "import inspect\n"
        "from chatsys.actor.outbox import Outbox\n"
        "from chatsys.actor.logfile import LogFile\n"
        "class Mine(Outbox):\n"
        "    def wrote(self, count=1):\n"
        "        super().wrote(count + 1)\n"
        "mine = Mine(); mine.wrote(); mine.note = 'own'\n"
        "print(type(Outbox.wrote).__name__, mine.written, mine.note, LogFile.__module__)\n"
        "print(inspect.getsource(Outbox).splitlines()[0])\n",
        folder,
    )
    assert said == "method_descriptor 2 own chatsys.actor.logfile\nclass Outbox:\n"


def test_an_error_names_the_line_of_the_source(folder: Path) -> None:
    said = python("from chatsys.actor.outbox import Outbox; Outbox().synced(3)", folder)
    path = sources()["chatsys.actor.outbox"]
    line = 1 + next(at for at, text in enumerate(path.read_text().splitlines()) if "a disk cannot have synced" in text)
    assert f'File "{path}", line {line}, in synced' in said and "AssertionError" in said


def test_a_search_says_that_it_needs_the_sources(folder: Path) -> None:
    said = python("import sys; sys.argv[1:] = ['explore']; from chatsys.__main__ import main; main()", folder)
    assert said.count("\n") == 1 and f"cannot be listed; run it without {VARIABLE}." in said


def test_whoever_asks_is_told_which_one_runs(folder: Path) -> None:
    version = "import sys; sys.argv[1:] = ['--version']; from chatsys.__main__ import main; main()"
    assert python(version, folder).endswith(", compiled\n")
    whole = (folder / BUILT).read_text()
    (folder / BUILT).write_text(json.dumps(json.loads(whole) | {"key": "of older sources"}))
    try:
        told, version_line = python(version, folder).splitlines()
    finally:
        (folder / BUILT).write_text(whole)
    assert "compiled" not in told and version_line.endswith("`make fast` compiles them anew.")


def test_what_mypyc_refuses_is_one_sentence(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text('"""Wrong."""\n\nNUMBER: int = "one"\n')
    with pytest.raises(UsageError, match=r"could not be compiled: chatsys/actor/wrong.py:3: error: Incompatible types"):
        build(tmp_path / "fast", {"chatsys.actor.wrong": wrong}, tell=lambda text: None)
