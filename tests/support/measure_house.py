"""Figures of the house: how many files and lines, how large the largest room is, how much of it is prose.

    python tests/support/measure_house.py [FOLDER]     FOLDER: a clone, this one by default

Prose is every line of a docstring or a comment; blank lines do not count, neither as prose nor as code.
"""

import ast
import io
import subprocess
import sys
import tokenize
from collections import Counter
from pathlib import Path


def prose_and_all(path: Path) -> tuple[int, int]:
    """Return how many lines are prose, and how many are not blank."""
    text = path.read_text(encoding="utf-8")
    told: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        for one in body if isinstance(body, list) else ():
            if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str):
                told |= set(range(one.lineno, (one.end_lineno or one.lineno) + 1))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            told.add(token.start[0])
    full = {number for number, line in enumerate(text.splitlines(), start=1) if line.strip()}
    return len(told & full), len(full)


def share(paths: list[Path]) -> float:
    """Return which part of the lines of these files is prose."""
    counts = [prose_and_all(path) for path in paths]
    return sum(prose for prose, _ in counts) / max(1, sum(whole for _, whole in counts))


def names(root: Path, code: str) -> int:
    """Return how many public names `dir` of a value shows, asked of a fresh Python that finds this clone."""
    ask = f"{code}; print(len([name for name in dir(it) if not name.startswith('_')]))"
    return int(subprocess.check_output([sys.executable, "-c", ask], cwd=root, text=True))


def main(root: Path) -> None:
    """Print one figure a line."""
    files = sorted((root / "chatsys").rglob("*.py"))
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in files}
    rooms: Counter[str] = Counter()
    for path, count in lines.items():
        rooms[path.parent.relative_to(root).as_posix()] += count
    whole = sum(lines.values())
    room, largest = rooms.most_common(1)[0]
    print(f"files              {len(files)}")
    print(f"lines              {whole}")
    print(f"rooms              {len(rooms)}")
    print(f"largest room       {room}, {100 * largest / whole:.0f} %")
    print(f"prose, everywhere  {100 * share(files):.0f} %")
    print(f"prose, protocol    {100 * share([path for path in files if 'protocol' in path.parts]):.0f} %")
    print(f"names on world.    {names(root, 'from chatsys import World; it = World(1)')}")
    print(f"names on chatsys.  {names(root, 'import chatsys as it')}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path(__file__).resolve().parents[2])
