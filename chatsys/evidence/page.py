"""Page: what was found, told where people read it.

    lines of `gathering` ----> pieces.jsonl, the record
                         --table--> README.md, between two marks
                         --table, and for each kind what it shows and leaves open--> EVIDENCE.md, between two marks

What stands between the marks is made by `chatsys prove --write`, and by nobody else; the rest of both pages is written by
people.  A kind that has not run, or not to its end, is told so.

Read also `kinds` (the sentences), `gathering` (the numbers).
"""

import re
from pathlib import Path
from typing import Any

from chatsys.errors import UsageError
from chatsys.evidence.code import PACKAGE
from chatsys.evidence.gathering import RECORD, Evidence, Kind
from chatsys.trace import write

PAGE, README = PACKAGE / "evidence" / "EVIDENCE.md", PACKAGE.parent / "README.md"
BEGIN, END = "<!-- made by chatsys prove --write -->", "<!-- end of what was made -->"


def renew(evidence: Evidence, page: Path = PAGE, readme: Path = README, record: Path = RECORD) -> None:
    """Write what is kept into both pages, and the lines that they are made of into the record.

    Raises `UsageError` if a page is not there, cannot be written or has no marks.
    """
    rows = list(zip(evidence.kinds, evidence.rows(), strict=True))
    _put(page, _table(rows) + "\n" + "\n".join(_told(kind, row) for kind, row in rows))
    _put(readme, _table(rows))
    write(record, evidence.lines())


def between(text: str) -> str:
    """Return what stands between the marks of a page."""
    found = re.search(re.escape(BEGIN) + r"\n(.*?)" + re.escape(END), text, re.DOTALL)
    return found[1] if found else ""


def _put(path: Path, made: str) -> None:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); --write needs a clone.") from None
    if BEGIN not in text or END not in text:
        raise UsageError(f"{path} has no marks; put {BEGIN} and {END} where the table belongs.")
    head, rest = text.split(BEGIN, 1)
    write(path, f"{head}{BEGIN}\n\n{made}\n{END}{rest.split(END, 1)[1]}".encode())


def _table(rows: list[tuple[Kind, dict[str, Any]]]) -> str:
    lines = ["| evidence | how much | result | code of | hours |", "|---|---|---|---|---|"]
    for kind, row in rows:
        much = row["told"] if row["pieces"] else "–"
        if row["pieces"] < row["of"]:
            much += f" ({row['pieces']} of {row['of']} pieces)"
        hours = f"{row['seconds'] / 3600:.2f}"
        lines.append(f"| {kind.name} | {much} | {row['result']} | {row['commit'] or '–'} | {hours} |")
    return "\n".join(lines) + "\n"


def _told(kind: Kind, row: dict[str, Any]) -> str:
    """Return the paragraph of one kind."""
    first = kind.pieces[0].command
    more = f", and {len(kind.pieces) - 1} like it" if len(kind.pieces) > 1 else ""
    found = "".join(f"\n- {sentence}" for sentence in row["what"][:5])
    shows = "Shows" if row["result"] == "held" and row["pieces"] == row["of"] else "Would show, once all of it has held"
    return (
        f"**{kind.name[0].upper()}{kind.name[1:]}.** `{first}`{more}.\n"
        f"*{shows}:* {kind.shows}\n*Leaves open:* {kind.leaves}{found}\n"
    )
