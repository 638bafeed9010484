"""Survivors: the page on which every change that nothing noticed stands, with the reason why it is harmless.

    ## chatsys/protocol/fence.py
    | line | function | change | why it is harmless |

The page is read by the run: a survivor that is not on it, or a line on it that was noticed after all, is told.

Read also `mutation`.
"""

import re
from pathlib import Path

from ledger import Key
from trying import ROOT

PAGE = ROOT / "tests" / "mutation" / "SURVIVORS.md"
HEAD = re.compile(r"## (\S+\.py)")


def explained(file: str, page: Path = PAGE) -> dict[Key, str]:
    """Return why each explained survivor of a file is harmless."""
    found: dict[Key, str] = {}
    inside = False
    for line in page.read_text(encoding="utf-8").splitlines() if page.exists() else ():
        if head := HEAD.match(line):
            inside = head[1] == file
        elif inside and line.startswith("|") and not line.startswith(("| line", "|---", "|--")):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            _, where, change, why = cells
            words, number = _parted(change)
            found[where.strip("`").replace("(module)", ""), words, number] = why
    return found


def _parted(change: str) -> tuple[str, int]:
    """Return the change itself, and how many the same stand before it."""
    code, _, more = change.rpartition("`")
    again = re.search(r"\((\d+)\)", more)
    return code.strip("` "), int(again[1]) - 1 if again else 0


def row(line: int, key: Key, why: str) -> str:
    """Return one line of the page's table."""
    again = f" ({key[2] + 1})" if key[2] else ""
    return f"| {line} | `{key[0] or '(module)'}` | `{key[1]}`{again} | {why} |"
