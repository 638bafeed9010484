"""What is done to a copy of a module before mypyc compiles it, and which sources a build is of."""

import ast
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from chatsys.compiled import building, using
from chatsys.compiled.modules import LEFT, MADE_OF, PACKAGE, chosen, sources
from chatsys.compiled.rewriting import MARK, Unfit, plain_of, rewrite
from chatsys.errors import UsageError

NAME = "chatsys.sim.made_up"


def rewritten(text: str) -> tuple[list[str], str]:
    code, plain = rewrite(f'"""Made up."""\n\n{text}', NAME)
    return code.split("\n"), plain


def test_pythons_classes_may_inherit_from_a_compiled_one() -> None:
    lines, plain = rewritten("\nclass A:\n    pass\n\n\n@final\nclass B(A):\n    pass\n")
    assert [number for number, line in enumerate(lines) if line == MARK] == [2, 6]
    assert lines[0].startswith('"""Made up."""; ') and not plain


def test_every_line_stays_where_it_was() -> None:
    for name, path in chosen().items():
        try:
            text, _ = rewrite(path.read_text(), name)
        except Unfit:
            continue
        before, after = (lines_of_functions(ast.parse(one)) for one in (path.read_text(), text))
        assert after.items() <= before.items(), name
        ast.parse(text)


def lines_of_functions(tree: ast.Module) -> dict[tuple[str, int], int | None]:
    """Return where each function and class ends, by its name and its first line."""
    named = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef))
    return {(node.name, node.lineno): node.end_lineno for node in named}


def test_a_class_without_a_free_line_above_is_unfit() -> None:
    with pytest.raises(Unfit, match="no free line above the class A"):
        rewritten("x = 1\nclass A:\n    pass\n")


def test_what_stands_in_the_body_of_a_class_stays_of_the_class() -> None:
    lines, _ = rewritten('\nclass A:\n    __slots__ = ("a",)\n    kind = 3\n')
    assert lines[4:6] == ["    pass", "    kind: ClassVar[Any] = 3"]


def test_what_heirs_may_have_another_of_is_looked_up_where_python_looks_it_up() -> None:
    lines, _ = rewritten("\nclass A:\n    every: float | None = None\n    number: int\n")
    assert lines[4:6] == ["    every: ClassVar[float | None] = None", "    number: int"]
    with pytest.raises(Unfit, match="line 5 begins a field of each object in the body of a class"):
        rewritten("\nclass A:\n    every: int = 1\n    def f(self):\n        self.every = 2\n")


@pytest.mark.parametrize("body", ["a = b = 1", "a, b = 1, 2", "def a(self):\n        pass\n    b = a"])
def test_a_body_with_more_than_simple_assignments_is_unfit(body: str) -> None:
    with pytest.raises(Unfit, match=r"line \d+ is no simple assignment in the body of a class"):
        rewritten(f"\nclass A:\n    {body}\n")


def test_half_a_character_is_spelled_by_its_number() -> None:
    lines, _ = rewritten('ODD = "a\\ud800"\n')
    assert lines[2] == "ODD = ('a' + chr(55296))"


def test_the_items_of_a_run_are_named() -> None:
    lines, _ = rewritten("def f(x):\n    match x:\n        case Order(drafts):\n            return drafts\n")
    assert lines[4] == "        case Order(items=drafts):"


STRUCTS = '''\
import msgspec

WIDTH = 3


class Point(msgspec.Struct, frozen=True):
    """A point."""

    x: int = WIDTH


class Line:
    pass
'''


def test_structs_move_with_what_they_are_made_of_and_keep_their_name() -> None:
    lines, plain = rewritten(STRUCTS)
    assert f"from {plain_of(NAME)} import Point, WIDTH" in lines and "class Line:" in lines
    beside = ModuleType("beside")
    exec(plain, vars(beside))
    made = beside.Point()
    assert made.x == 3 and type(made).__module__ == NAME and made.__struct_config__.frozen


def test_structs_that_need_a_class_are_unfit() -> None:
    with pytest.raises(Unfit, match="its structs need the class Line"):
        rewritten(STRUCTS.replace("x: int = WIDTH", 'line: "Line"'))


def test_of_every_module_that_is_left_it_is_said_why() -> None:
    names = {name.removeprefix("chatsys.") for name in sources()}
    assert set(LEFT) <= names and len(chosen()) == len(names) - len(LEFT)


def test_a_build_is_made_of_all_that_its_modules_import() -> None:
    trees = [ast.parse(path.read_text()) for path in chosen().values()]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = {str(node.module).split(".")[1] for node in nodes if str(node.module).startswith("chatsys.")}
    assert names <= {name.removesuffix(".py") for name in MADE_OF}


# --- which sources a build is of -----------------------------------------------------------------


def test_a_build_is_of_exactly_these_sources(tmp_path: Path) -> None:
    assert "nothing is compiled in" in using.refusal(tmp_path)
    (tmp_path / using.BUILT).write_text(json.dumps({"key": using.key(), "modules": {}}))
    assert using.refusal(tmp_path) == ""
    (tmp_path / using.BUILT).write_text(json.dumps({"key": "of others", "modules": {}}))
    assert "is not of these sources and this Python; the sources are run" in using.refusal(tmp_path)
    (tmp_path / using.BUILT).write_text("{")
    assert "nothing is compiled in" in using.refusal(tmp_path)


def test_a_comment_more_makes_a_build_old_and_so_does_another_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"protocol/fence.py": "x = 1\n", "sim/host.py": "", "teach/desk.py": ""}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    before = using.key(tmp_path)
    (tmp_path / "teach/desk.py").write_text("y = 2\n")
    assert using.key(tmp_path) == before
    monkeypatch.setattr(sys, "version", "another")
    assert using.key(tmp_path) != before
    monkeypatch.undo()
    (tmp_path / "protocol/fence.py").write_text("x = 1  # one\n")
    assert using.key(tmp_path) != before


def test_an_old_build_is_told_once_and_the_sources_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(using.VARIABLE, str(tmp_path))
    finders = [*sys.meta_path]
    using.begin()
    assert capsys.readouterr().err.count("\n") == 1 and sys.meta_path == finders and not using.used()
    assert using.VARIABLE not in os.environ


def test_a_notebook_runs_the_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / using.BUILT).write_text(json.dumps({"key": using.key(), "modules": {}}))
    monkeypatch.setenv(using.VARIABLE, str(tmp_path))
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    using.begin()
    assert capsys.readouterr().err == "In a notebook the sources are run.\n" and using.VARIABLE not in os.environ


def test_what_people_look_into_runs_on_the_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finder = using._Finder(tmp_path, {})
    assert finder.find_spec("chatsys.protocol.node", None) is None
    for name in using.GRADES:
        with pytest.raises(UsageError, match="given on the sources: do it without CHATSYS_COMPILED"):
            finder.find_spec(name, None)
        assert PACKAGE.parent.joinpath(*name.split(".")).with_suffix(".py").is_file()
    for name, door in {using.COPIES: "class Copier:", using.FILES: "def read_parts("}.items():
        found = finder.find_spec(name, None)
        assert found and found.origin and door in Path(found.origin).read_text()
    monkeypatch.setenv(using.VARIABLE, str(tmp_path))
    assert using._on_the_sources(lambda name: name)(b"code") == b"code"
    assert (
        capsys.readouterr().err.startswith("Classes from files run on the sources") and using.VARIABLE not in os.environ
    )


def test_what_is_missing_to_compile_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"There is no C compiler here .*; on Debian .* chatsys needs no build"):
        building.build(tmp_path / "fast")
    assert not (tmp_path / "fast").exists()


def test_the_sources_are_not_where_a_build_is() -> None:
    assert using.FOLDER.parent == PACKAGE.parent and using.FOLDER.name.startswith(".")
