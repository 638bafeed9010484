"""Leaks: whether an answer of a course stands in some files, whatever it is called there.

    keys, solution cells, closed mutants --> Secrets: shapes of definitions, lines, code that was compiled
    a folder, or a zip                   --> find_leaks: "notebooks/x.ipynb has MyHoldBack.receive of answers.py"

A definition is compared by its syntax tree without names, docstrings and annotations, so renaming hides nothing; a line
by its text; a compiled file by the instructions of its functions.  Short ones are in everybody's code and are left out: a
tree of less than `NODES` nodes, a line of less than `LETTERS` letters (three lines in a row count as one).

What students have anyway is no secret: the lab's own package, and the wrong answers that it shows (`friends`).

Read also `release` (who looks before it gives anything away).
"""

import ast
import io
import json
import marshal
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from types import CodeType
from typing import Any

NODES, LETTERS, INSTRUCTIONS = 30, 30, 60
"""How large a definition, a line and a compiled function must be, to be somebody's own."""
NEIGHBOURS = 3
COMMON = re.compile(r"(?:from|import|def|class) |\"\"\"|#|@|raise NotImplementedError")
"""How lines begin that say nothing: what a page asks for, and what every file has."""
PYC_HEAD = 16
"""Bytes before the code in a compiled file."""
SOLUTION = re.compile(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END", re.DOTALL)

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Outline = tuple[type[ast.AST], ...]


class Secrets:
    """What must stand in no file that students get."""

    def __init__(self) -> None:
        self.shapes: dict[str, str] = {}
        """Shape of a definition -> where it is from."""
        self.outlines: set[Outline] = set()
        """Those of these definitions: what has another one has another shape, which takes far longer to say."""
        self.lines: dict[str, str] = {}
        self.compiled: dict[bytes, str] = {}
        self.open_shapes: set[str] = set()
        self.open_lines: set[str] = set()

    def keep(self, text: str, source: str, code: bool = True, lines: bool = True) -> None:
        """Take in a text that is secret: its `lines`, and if it is `code` the definitions in it."""
        for line in lines_of_text(text) if lines else ():
            self.lines.setdefault(line, source)
        tree = _parsed(text) if code else None
        for node in _definitions(tree) if tree is not None else ():
            if (shape := shape_of(node)) is not None:
                self.shapes.setdefault(shape, f"{node.name} of {source}")
                self.outlines.add(outline_of(node))
            for name, instructions in _compiled(node):
                self.compiled.setdefault(instructions, f"{name} of {source}")

    def open(self, text: str, shapes: bool) -> None:
        """Take in a text that students have anyway; `shapes`: the definitions in it, too."""
        self.open_lines |= set(lines_of_text(text))
        tree = _parsed(text) if shapes else None
        for node in _definitions(tree) if tree is not None else ():
            if (shape := shape_of(node)) is not None:
                self.open_shapes.add(shape)

    def in_text(self, text: str, code: bool) -> Iterator[str]:
        """Yield what secret stands in a text."""
        for line in lines_of_text(text):
            if line in self.lines and line not in self.open_lines:
                yield f"a line of {self.lines[line]} ({line[:60]})"
        tree = _parsed(text) if code else None
        for node in _definitions(tree) if tree is not None else ():
            if outline_of(node) in self.outlines and (shape := shape_of(node)) in self.shapes:
                if shape not in self.open_shapes:
                    yield self.shapes[shape]

    def in_compiled(self, data: bytes) -> Iterator[str]:
        """Yield what secret stands in a compiled file; one of another Python cannot be read, and is one itself."""
        try:
            code = marshal.loads(data[PYC_HEAD:])
        except (ValueError, EOFError, TypeError):
            yield "compiled code that this Python cannot read"
            return
        for _, instructions in _functions(code) if isinstance(code, CodeType) else ():
            if instructions in self.compiled:
                yield f"{self.compiled[instructions]}, compiled"


def secrets_of(labs: Path, mutants: Iterable[Path] = ()) -> Secrets:
    """Return the secrets of a course: keys and solutions below its folder `labs`, and the pages of these mutants."""
    secrets = Secrets()
    for path in sorted((labs / "keys").rglob("*")):
        if path.is_file() and path.suffix in (".py", ".md"):
            text = path.read_text(encoding="utf-8")
            secrets.keep(text, path.relative_to(labs).as_posix(), code=path.suffix == ".py")
    for path in sorted((labs / "source").rglob("*.ipynb")):
        for text, _ in _cells(path.read_bytes()):
            for solution in SOLUTION.findall(text):
                secrets.keep(solution, path.relative_to(labs).as_posix())
            secrets.open(SOLUTION.sub("", text), shapes=False)  # what nbgrader leaves is given to students
    for path in mutants:
        secrets.keep(
            path.read_text(encoding="utf-8"), f"mutants/{path.name}", lines=False
        )  # they override lines of the protocol
    return secrets


def find_leaks(place: Path, secrets: Secrets) -> list[str]:
    """Return every secret that stands in the files of a folder, or of a zip, a sentence each."""
    files = _in_zip(place.read_bytes()) if place.is_file() else _in_folder(place)
    return [f"{name} has {found}" for name, data in files for found in _leaks(name, data, secrets)]


def _leaks(name: str, data: bytes, secrets: Secrets) -> Iterator[str]:
    suffix = PurePosixPath(name).suffix
    if suffix in (".zip", ".whl"):
        for inner, content in _in_zip(data):
            yield from (f"{found} (in {inner})" for found in _leaks(inner, content, secrets))
    elif suffix in (".pyc", ".pyo"):
        yield from secrets.in_compiled(data)
    elif suffix == ".ipynb":
        for text, code in _cells(data):
            yield from secrets.in_text(text, code)
    else:
        yield from secrets.in_text(data.decode("utf-8", "replace"), code=suffix == ".py")


def _in_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _in_zip(data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            if not entry.is_dir():
                yield entry.filename, archive.read(entry)


def _cells(data: bytes) -> Iterator[tuple[str, bool]]:
    """Yield (text, whether it is code) of each cell of a notebook and of what its outputs say."""
    try:
        found = json.loads(data)["cells"]
    except (ValueError, KeyError, TypeError, RecursionError):  # it is called a notebook, and is none
        yield data.decode("utf-8", "replace"), True
        return
    for cell in found:
        yield "".join(cell["source"]), cell["cell_type"] == "code"
        for output in cell.get("outputs", ()):
            told = [output.get("text", ""), *output.get("data", {}).values()]
            yield "\n".join("".join(one) if isinstance(one, list) else str(one) for one in told), False


# --- what is compared -------------------------------------------------------------------------------------


def lines_of_text(text: str) -> Iterator[str]:
    """Yield the long lines of a text, and each three in a row as one; imports and heads are in everybody's code."""
    every = [line.strip() for line in text.splitlines()]
    every = [line for line in every if line and not COMMON.match(line)]
    yield from (line for line in every if len(line) >= LETTERS)
    for at in range(len(every) - NEIGHBOURS + 1):
        together = " / ".join(every[at : at + NEIGHBOURS])
        if len(together) >= LETTERS + 10:
            yield together


def outline_of(node: Definition) -> Outline:
    """Return of what kind a definition and its statements are; those of one shape have one outline."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return type(node), *map(type, body)


def shape_of(node: Definition) -> str | None:
    """Return the syntax tree of a definition without what can be renamed or left out; None for a small one."""
    names: dict[str, str] = {}
    size = 0

    def told(one: Any) -> str:
        nonlocal size
        if isinstance(one, list):
            return f"[{','.join(map(told, one))}]"
        if not isinstance(one, ast.AST):
            return repr(one)
        size += 1
        return f"{type(one).__name__}({','.join(_fields(one, names, told))})"

    shape = told(node)
    return shape if size >= NODES else None


def _fields(node: ast.AST, names: dict[str, str], told: Any) -> Iterator[str]:
    for field, value in ast.iter_fields(node):
        if field in ("ctx", "annotation", "returns", "type_comment", "type_params", "kind"):
            continue
        if field in ("id", "name", "arg", "attr") and isinstance(value, str):
            yield names.setdefault(value, f"n{len(names)}")
        elif field == "body" and isinstance(node, Definition) and ast.get_docstring(node) is not None:
            yield told(value[1:])
        else:
            yield told(value)


def _parsed(text: str) -> ast.Module | None:
    """Return the tree of a text, also of one that is indented, or None if it is no Python."""
    from textwrap import dedent

    try:
        return ast.parse(dedent(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _definitions(tree: ast.Module) -> Iterator[Definition]:
    return (node for node in ast.walk(tree) if isinstance(node, Definition))


def _compiled(node: Definition) -> Iterator[tuple[str, bytes]]:
    """Yield the functions of one definition, as Python compiles them; an inner one comes with its outer one."""
    try:
        yield from _functions(compile(ast.Module([node], []), "secret", "exec", dont_inherit=True))
    except SyntaxError:  # it has names of an outer one
        return


def _functions(code: CodeType) -> Iterator[tuple[str, bytes]]:
    """Yield (name, instructions and names) of each function in compiled code, however deep."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            if len(const.co_code) >= INSTRUCTIONS:
                yield const.co_name, const.co_code + repr(const.co_names).encode()
            yield from _functions(const)
