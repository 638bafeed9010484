"""Survivors: the page on which every change that nothing noticed stands, with the reason why it is harmless.

    ## chatsys/protocol/fence.py
    | line | function | change | why it is harmless |

The page is read by the run: a survivor that is not on it, or a line on it that was noticed after all, is told.

Read also `mutation`.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from ledger import Key
from trying import ROOT

PAGE = ROOT / "tests" / "mutation" / "SURVIVORS.md"
HEAD = re.compile(r"## (\S+\.py)")
Row = tuple[str, int, Key, str]
"""File, line, change, and why it is harmless."""


def explained(file: str, page: Path = PAGE) -> dict[Key, str]:
    """Return why each explained survivor of a file is harmless."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    return {read[2]: read[3] for _, read in _lines(text) if read and read[0] == file}


def renumbered(text: str, lines: Callable[[str, Key], int]) -> str:
    """Return the page with the line on which each change stands now, as `lines` tells it of a file and a change."""
    return "".join(
        f"{row(lines(read[0], read[2]), read[2], read[3])}\n" if read else line for line, read in _lines(text)
    )


def _lines(text: str) -> Iterator[tuple[str, Row | None]]:
    """Yield each line of the page, and what a row of a table says: file, line, change, reason."""
    file = ""
    for line in text.splitlines(keepends=True):
        if line.startswith("#"):
            head = HEAD.match(line)
            file = head[1] if head else ""
        if file and line.startswith("|") and not line.startswith(("| line", "|---")):
            number, where, change, why = (cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1])
            yield line, (file, int(number), (where.strip("`").replace("(module)", ""), *_parted(change)), why)
        else:
            yield line, None


def _parted(change: str) -> tuple[str, int]:
    """Return the change itself, and how many the same stand before it."""
    code, _, more = change.rpartition("`")
    again = re.search(r"\((\d+)\)", more)
    return code.strip("` "), int(again[1]) - 1 if again else 0


def row(line: int, key: Key, why: str) -> str:
    """Return one line of the page's table."""
    again = f" ({key[2] + 1})" if key[2] else ""
    return f"| {line} | `{key[0] or '(module)'}` | `{key[1]}`{again} | {why} |"
