"""The path through all labs, as labs/README.md tells it: what each needs and how long it takes, weeks, reading, how sure a pass is.

    labs/README.md    <!-- made: labs -->  a table that is made from the declarations  <!-- end -->
                      what people wrote stays between these places

    python -m chatsys.teach.labs.path      (`make pages` runs it, too)

Assumes   the order and the weeks below; a lab that they name and that is not there yet is left out and said to be missing.
Promises  no number of the page is written by hand: hours, points, seeds and prerequisites are those of the declarations.
Read also `facts` (the same for the page of one lab), `reading` (what to read beside each).
"""

import re
from collections.abc import Iterator
from pathlib import Path

from chatsys.errors import UsageError
from chatsys.teach.grading.grader import find_lab, known_labs
from chatsys.teach.grading.lab import Lab
from chatsys.teach.labs.facts import told_hours
from chatsys.teach.labs.pages import COURSE
from chatsys.teach.labs.reading import READING

PAGE = COURSE / "README.md"
ORDER = ("00", "01", "02", "03", "04", "05", "06", "07", "08", "10", "09", "12", "11")
"""The order for students: that of the numbers, but 10 comes before 09, and 11 last."""
TITLES = {"08": "Catch-up", "09": "Membership", "10": "Quorum", "11": "Break it", "12": "Ship it"}
"""What those are about that may not be there yet."""
WEEKS: dict[int, tuple[tuple[str, ...], ...]] = {
    6: (("00", "01"), ("03",), ("04",), ("05",), ("06",), ("10",)),
    9: (("00", "01"), ("02",), ("03",), ("04",), ("05",), ("06",), ("07",), ("08",), ("10",)),
    12: (
        ("00", "01"),
        ("02",),
        ("03",),
        ("04",),
        ("05",),
        ("06",),
        ("07",),
        ("08",),
        ("10",),
        ("09",),
        ("12",),
        ("11",),
    ),
}
"""For a course of so many weeks: the labs of each week."""
SURE = 0.95
"""A pass speaks so surely of what its seeds would have found."""
PLACE = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def labs_in_order() -> list[Lab]:
    """Return the labs that there are, as students go through them; those that the order does not name at the end."""
    there = known_labs()
    numbers = [*(one for one in ORDER if one in there), *(one for one in there if one not in ORDER)]
    return [lab for number in numbers if (lab := find_lab(number)) is not None]


def with_facts(text: str, labs: list[Lab]) -> str:
    """Return the page with everything in it that is made from the declarations; raises `UsageError` for an unknown place."""
    made = {"labs": table, "missing": missing, "weeks": weeks, "reading": readings, "sure": sureness}

    def filled(place: re.Match[str]) -> str:
        if place[2] not in made:
            raise UsageError(f"Nothing is made for the place {place[2]}; there are {', '.join(made)}.")
        return f"{place[1]}{chr(10).join(made[place[2]](labs))}\n{place[3]}"

    return PLACE.sub(filled, text)


# --- what is made ----------------------------------------------------------------------------------------


def table(labs: list[Lab]) -> Iterator[str]:
    """Yield the table of all labs: the idea, what is written, hours, points, what comes before."""
    yield "| lab | the one idea | you write | hours | points | before it |"
    yield "|---|---|---|---|---|---|"
    for lab in labs:
        link = f"[{lab.number} {lab.title}](release/{lab.name}/{lab.name}.ipynb)"
        written = "; ".join([*(one.title for one in lab.exercises), *("a test" for _ in lab.tests)])
        points = "done or not done" if lab.whole else f"{lab.points:g}"
        yield f"| {link} | {lab.idea} | {written} | {told_hours(lab.hours, '–')} | {points} | {'; '.join(_before(lab))} |"
    yield f"| all {len(labs)} | | | {_range(labs)} | | |"


def _before(lab: Lab) -> Iterator[str]:
    """Yield what comes before a lab; what is a path from the project's folder becomes a link."""
    for one in lab.before:
        yield re.sub(r"`(notebooks/[\w.-]+)`", r"[\1](../\1)", one)


def missing(labs: list[Lab]) -> Iterator[str]:
    """Yield a sentence about the labs that the order names and that are not there yet."""
    there = {lab.number for lab in labs}
    names = [f"{number} ({_title(number)})" for number in sorted(ORDER) if number not in there]
    if not names:
        yield "All labs that this path names are there."
    elif len(names) == 1:
        yield f"Lab {names[0]} is not here yet; it is left out below."
    else:
        yield f"Labs {', '.join(names[:-1])} and {names[-1]} are not here yet; they are left out below."


def _title(number: str) -> str:
    lab = find_lab(number)
    return lab.title if lab is not None else TITLES.get(number, "not named yet")


def weeks(labs: list[Lab]) -> Iterator[str]:
    """Yield a table for each length of a course: the labs of each week, their hours, and what is left out."""
    by_number = {lab.number: lab for lab in labs}
    for count, plan in WEEKS.items():
        chosen = [[by_number[number] for number in week if number in by_number] for week in plan]
        every = [lab for week in chosen for lab in week]
        yield from (f"### {count} weeks, {_range(every)}", "", "| week | labs | hours |", "|---|---|---|")
        for number, week in enumerate(chosen, 1):
            if names := ", ".join(f"{lab.number} {lab.title}" for lab in week):
                yield f"| {number} | {names} | {_range(week)} |"
        if empty := [str(number) for number, week in enumerate(chosen, 1) if not week]:
            yield f"| {', '.join(empty)} | free for what took longer, until the labs that are missing are there | |"
        left = [lab for lab in labs if lab not in every]
        yield ""
        yield f"Left out: {', '.join(f'{lab.number} {lab.title}' for lab in left) or 'nothing'}."
        yield ""


def _range(labs: list[Lab]) -> str:
    """Return the hours of these labs together, rounded to halves."""
    low, high = (round(2 * sum(lab.hours[end] for lab in labs)) / 2 for end in (0, 1))
    return told_hours((low, high), "–")


def readings(labs: list[Lab]) -> Iterator[str]:
    """Yield what to read beside each lab."""
    for lab in labs:
        yield f"**{lab.number} {lab.title}**"
        yield ""
        for one in READING.get(lab.number, ()):
            yield f"- {one.text}: {one.part}. *{one.why[0].upper()}{one.why[1:]}.*"
        yield ""


def sureness(labs: list[Lab]) -> Iterator[str]:
    """Yield a table of what is tried before an answer passes, and what that many seeds would have missed."""
    yield "| exercise | seeds that you see | seeds that you do not see | a mistake is found with 95 % if it shows in | every order tried |"
    yield "|---|---|---|---|---|"
    for lab in labs:
        for one in lab.exercises:
            hidden = one.hidden if one.part("hidden") is not None else 0
            whole = one.public + hidden
            searched = "yes, within its bounds" if one.part("search") is not None else "no"
            yield f"| {one.number} {one.title} | {one.public} | {hidden or 'none'} | {_rarest(whole)} | {searched} |"


def _rarest(seeds: int) -> str:
    """Return in how many runs of a hundred a mistake must show, so that so many seeds find it almost surely; one story is no chance."""
    return f"{100 * (1 - (1 - SURE) ** (1 / seeds)):.1f} % of the runs" if seeds > 1 else "–"


def write(page: Path = PAGE) -> bool:
    """Write the facts into the page; return whether it changed.  Raises `UsageError` if there is none."""
    if not page.is_file():
        raise UsageError(f"There is no page {page}; write it first, with its places.")
    before = page.read_text(encoding="utf-8")
    after = with_facts(before, labs_in_order())
    if after != before:
        page.write_text(after, encoding="utf-8")
    return after != before


if __name__ == "__main__":
    print(f"{PAGE}: {'written anew' if write() else 'nothing changed'}")
