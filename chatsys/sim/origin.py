"""Origin: which code a result comes from, as a digest: of chatsys itself, of a file of somebody's own.

    my.py --import helper--> helper.py --from .tables import--> tables.py      one digest over all three

Imports are found by reading, nothing is run: wherever in the file they stand, and `import_module` of a
plain name too.

Assumes   what a class needs beside its own file is imported, from the folder of that file or from where
          the command runs; what it reads in other ways nobody sees here.
Promises  other code, another digest; the place of the folder and its other files make no difference.
Read also `resume`, which never mixes results of different origin.
"""

import ast
import hashlib
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path


@cache
def digest_core() -> str:
    """Return a digest of every source file of chatsys."""
    package = Path(__file__).parents[1]
    return _digest(package, package.rglob("*.py"))


def digest_part(file: str | Path) -> str:
    """Return a digest of `file` and of all that it imports, directly or not, from its folder or from here."""
    first = Path(file).resolve()
    folders = (first.parent, Path.cwd())
    found: set[Path] = set()
    waiting = [first]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for level, name in _imports(path):
            near = (path.parents[level - 1],) if 0 < level <= len(path.parents) else folders
            waiting += (one for folder in near for one in _files(folder, name))
    return _digest(first.parent, found)


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (dots before it, dotted name) of everything that this file may import; chatsys has its own digest."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError):
        return  # no program: its bytes are all there is to know
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((0, alias.name) for alias in names if not _ours(alias.name))
            case ast.ImportFrom(module=module, names=names, level=level):
                if level or not _ours(module or ""):
                    yield from ((level, ".".join(filter(None, (module, alias.name)))) for alias in names)
            case ast.Call(
                func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield 0, name


def _ours(name: str) -> bool:
    return name.partition(".")[0] == "chatsys"


def _files(folder: Path, name: str) -> Iterator[Path]:
    """Yield the files in `folder` that `import name` would run: packages on the way, and the module."""
    for part in name.split("."):
        for path in (folder / f"{part}.py", folder / part / "__init__.py"):
            if path.is_file():
                yield path.resolve()
        folder = folder / part


def _digest(folder: Path, files: Iterable[Path]) -> str:
    """Return a digest of names, as seen from `folder`, and bytes."""
    whole = hashlib.sha256()
    for name, path in sorted((os.path.relpath(path, folder).replace(os.sep, "/"), path) for path in files):
        data = path.read_bytes()
        whole.update(name.encode(errors="surrogateescape") + f" {len(data)}\n".encode() + data)
    return whole.hexdigest()[:16]
