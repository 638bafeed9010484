"""The inbox: folders, zips and notebooks that were given become one submission for each student.

    moodle.zip  late/  ann.ipynb  --> Inbox(layout="moodle and plain", handed=[one of each student], remarks=[...])

Of two submissions of one id the newest counts: by its time or its number where the platform says one, else by the date
of the file; a file that has the name of the lab counts before one that has not.  The others are told, and never lost: they lie where they lay.

Promises  a sentence for whatever is odd; only a place without one submission raises.
Read also `layouts` (the forms), `unpacking` (zips), `batch` (who grades it).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from chatsys.errors import UsageError
from chatsys.escape import escape
from chatsys.surroundings import UNUSABLE, reason, try_read
from chatsys.teach.classroom.handed import Handed, alone, entries
from chatsys.teach.classroom.layouts import LAYOUTS, Layout
from chatsys.teach.classroom.unpacking import unpack
from chatsys.temporary import remove, temporary

MOST_TOLD = 20
"""So many sentences about files that are no submissions are kept."""


class Inbox(msgspec.Struct, kw_only=True):
    """What a class handed in."""

    layout: str
    handed: list[Handed]
    remarks: list[str]


@contextmanager
def open_inbox(
    places: Sequence[Path], lab: str, due: datetime | None = None, student: str | None = None
) -> Iterator[Inbox]:
    """Yield what lies at `places`; zips are unpacked for as long as that lasts.

    `due` tells late ones where the platform says when; `student` is whose a notebook is, if there is one alone.
    Raises `UsageError` for a place that cannot be read, and if there is no submission at all.
    """
    folder: Path | None = None
    try:
        found: list[Handed | str] = []
        layouts: list[str] = []
        for place in places:
            root = place
            if _is_zip(place):
                folder = folder or temporary()
                root = folder / str(len(layouts))
                root.mkdir()
                found += unpack(place, root)
            layouts.append(_look(place, root, lab, found, student))
        handed = _one_each([one for one in found if isinstance(one, Handed)])
        if not handed:
            raise UsageError(_nothing(places, lab))
        for one in handed:
            _judge_time(one, due)
        remarks = [one for one in found if isinstance(one, str)]
        more = [f"{len(remarks) - MOST_TOLD} more files are no submissions."] if len(remarks) > MOST_TOLD else []
        named = " and ".join(dict.fromkeys(layouts))
        yield Inbox(layout=named, handed=handed, remarks=[*remarks[:MOST_TOLD], *more])
    finally:
        remove(folder)


def _is_zip(place: Path) -> bool:
    return place.is_file() and place.suffix.lower() == ".zip"


def _look(place: Path, root: Path, lab: str, found: list[Handed | str], student: str | None) -> str:
    """Add what lies at one place to `found`, and return the name of its layout."""
    try:
        if not root.is_dir():
            try_read(root)
            found.append(alone(root, lab, student=student))
            return "plain"
        layout, at = _layout(root, lab)
        for one in layout.read(at, lab):
            if isinstance(one, Handed):
                one.shown = f"{place}/{one.shown}" if root == at else f"{place}/{at.relative_to(root)}/{one.shown}"
            found.append(one)
        return layout.name
    except UNUSABLE as error:
        raise UsageError(
            f"{place} is not a file or folder that can be read ({reason(error)}); give what was handed in."
        ) from None


def _layout(root: Path, lab: str) -> tuple[Layout, Path]:
    """Return how submissions lie in a folder, and from where it counts; a folder alone in it is looked into."""
    inside = entries(root)
    alone_in_it = inside if len(inside) == 1 and inside[0].is_dir() else []
    for folder in (root, *alone_in_it):
        for layout in LAYOUTS[:-1]:
            if (at := layout.find(folder, lab)) is not None:
                return layout, at
    return LAYOUTS[-1], root


def _nothing(places: Sequence[Path], lab: str) -> str:
    return (
        f"There is no submission in {', '.join(map(str, places))}; give a folder or a zip as Moodle, Canvas, nbgrader "
        f"(submitted/ID/{lab}) or Gradescope give it, or one with notebooks."
    )


def _one_each(every: Sequence[Handed]) -> list[Handed]:
    """Return one submission for each id: the newest one that has a notebook; it says which others there are."""
    by_id: dict[str, list[Handed]] = {}
    for one in every:
        by_id.setdefault(one.student, []).append(one)
    return [_newest(some) for some in by_id.values()]


def _newest(some: list[Handed]) -> Handed:
    with_time = all(one.submitted is not None for one in some)

    def age(one: Handed) -> tuple[object, ...]:
        return (one.path is not None, one.submitted.timestamp() if with_time and one.submitted else 0.0, one.order)

    *older, newest = sorted(some, key=age)
    rest = [one for one in older if one.path is not None]
    if rest:
        names = ", ".join(escape(one.shown) for one in rest)
        by_name = newest.order[:1] == (1.0,) and any(one.order[:1] == (0.0,) for one in rest)
        told = (
            f"{len(rest) + 1} notebooks were handed in under the id {escape(newest.student)}; "
            f"{'the one with the name of the lab' if by_name else 'the newest'} counts, and "
            f"{'this was' if len(rest) == 1 else 'these were'} not graded: {names}."
        )
        newest.remarks = [*newest.remarks, told]
    return newest


def _judge_time(one: Handed, due: datetime | None) -> None:
    """Say whether a submission is late, where anybody can tell."""
    if due is not None and one.submitted is not None:
        one.late = one.submitted > due
    if one.late:
        when = f" (on {one.submitted:%Y-%m-%d %H:%M %Z})" if one.submitted is not None else ""
        one.remarks = [*one.remarks, f"It was handed in late{when}; no points were taken for that."]
