"""The report of a class, and the page on which people mark: two files of HTML that need no network.

    overview --report.html--> points, aspects, misconceptions, predictions, what to look at, every student
    texts    --by_hand.html-> each explanation beside its rubric, fields for points; it downloads marks-by-hand.csv

What students write is hostile until proven otherwise: every text is escaped by the template, signs that steer are
written out, and the page forbids itself every script but its own.

Promises  a file whole or not at all; light and dark as the reader's system, and black on white in print.
Read also `overview` (what is shown), `hand_marks` (what becomes of the points), `signatures` (the map).
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from chatsys import __version__
from chatsys.errors import UsageError
from chatsys.escape import escape
from chatsys.teach.classroom.hand_marks import COLUMNS, HandMarks, marked_by_people, total_of
from chatsys.teach.classroom.overview import label, overview
from chatsys.teach.classroom.results import ClassResults, StudentResult
from chatsys.teach.classroom.signatures import Signature
from chatsys.teach.grading.lab import Lab

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def report_page(
    results: ClassResults,
    lab: Lab,
    marks: HandMarks,
    known: Mapping[str, Mapping[str, Signature]] | None,
    absent: str = "",
) -> str:
    """Return the report as HTML; `known` is None without the keys of the lab, and `absent` says why."""
    return _drawn("report.html", lab, absent=absent, **overview(results, lab, marks, known))


def by_hand_page(results: ClassResults, lab: Lab, marks: HandMarks, rubric: str = "") -> str:
    """Return the page on which people mark, as HTML; `rubric` is the key's text, "" without the keys."""
    people = marked_by_people(lab)
    kept = {f"{student}\n{cell}": msgspec.to_builtins(mark) for (student, cell), mark in marks.items()}
    return _drawn(
        "by_hand.html", lab, script=(TEMPLATES / "by_hand.js").read_text(encoding="utf-8"), results=results,
        students=[_marked(one, lab, marks) for one in results.submissions.values()], rubric=_markdown(rubric),
        data={"columns": COLUMNS, "marks": kept, "lab": lab.name, "waiting": len(people)},
    )  # fmt: skip


def _marked(one: StudentResult, lab: Lab, marks: HandMarks) -> dict[str, Any]:
    texts = [
        {
            "cell": asked.cell, "points": asked.points, "says": asked.says, "text": one.texts.get(asked.cell, "").strip(),
            "mark": marks.get((one.student, asked.cell)), "printed": one.printed.get(asked.cell, "").strip(),
        }
        for asked in lab.explain
    ]  # fmt: skip
    tests = [{"cell": cell, "mark": marks.get((one.student, cell.name))} for cell in one.tests]
    note = one.texts.get(lab.design, "").strip() if lab.design is not None else ""
    return {
        "result": one,
        "label": label(one),
        "texts": texts,
        "tests": tests,
        "design": note,
        "total": total_of(one, lab, marks),
    }


def _drawn(template: str, lab: Lab, script: str = "", **values: Any) -> str:
    """Return a page with its style and its only script in it."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    policy += f"; script-src 'sha256-{digest}'" if script else ""
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    made = f"chatsys {__version__}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    page = _environment().get_template(template)
    return page.render(lab=lab, style=style, script=script, policy=policy, made=made, **values)


def _environment() -> "Environment":
    try:
        import jinja2
    except ImportError:
        raise UsageError(
            "Reports need jinja2, which is not installed; install it with: pip install 'chatsys[grade]'"
        ) from None
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters["shown"] = lambda text: escape(str(text))
    made.filters["lines"] = lambda text: "\n".join(map(escape, str(text).splitlines()))
    made.filters["exact"] = lambda number: f"{number:g}"
    made.filters["points"] = lambda number: f"{number:.1f}".removesuffix(".0")
    return made


def _markdown(text: str) -> Any:
    """Return the text of a key as HTML; it is an instructor's, and HTML in it is shown as text all the same."""
    from markupsafe import Markup
    from mistune import create_markdown

    return Markup(create_markdown(escape=True, plugins=["table"])(text))
