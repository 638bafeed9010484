"""The path through all labs: labs/README.md says what the declarations say, and leads to what is there."""

import re
from pathlib import Path

import pytest

from chatsys.errors import UsageError
from chatsys.teach.classroom.release import write_release
from chatsys.teach.grading.grader import known_labs
from chatsys.teach.labs.path import ORDER, PAGE, TITLES, WEEKS, labs_in_order, weeks, with_facts, write
from chatsys.teach.labs.reading import READING

LABS = labs_in_order()


def test_the_page_says_what_the_declarations_say() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == with_facts(text, LABS), "run make pages"
    assert set(re.findall(r"<!-- made: (\w+) -->", text)) == {"labs", "missing", "weeks", "reading", "sure"}


def test_every_lab_is_on_the_path_in_the_order_for_students() -> None:
    numbers = [lab.number for lab in LABS]
    assert sorted(numbers) == known_labs() and set(numbers) <= set(ORDER), "give the new lab its place in ORDER"
    assert ORDER.index("10") < ORDER.index("09") and ORDER[-1] == "11"
    assert numbers == [number for number in ORDER if number in numbers]
    planned = {number for plan in WEEKS.values() for week in plan for number in week}
    assert planned <= set(ORDER) == {number for week in WEEKS[12] for number in week}
    assert all(len(plan) == count for count, plan in WEEKS.items())
    assert set(TITLES) | set(numbers) >= set(ORDER)


def test_beside_every_lab_there_is_something_to_read_with_its_part() -> None:
    assert set(READING) == set(ORDER)
    for one in (one for each in READING.values() for one in each):
        assert re.search(r"\b(19[78]|199|20[012])\d", one.text), f"{one.text} has no year"
        assert one.part and one.why and not one.why.endswith(".")


def test_all_links_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE.read_text(encoding="utf-8"))
    assert len(links) > len(LABS)
    assert [link for link in links if not (PAGE.parent / link).exists()] == []


def test_a_lab_that_is_not_there_is_said_to_be_missing_and_costs_no_hours() -> None:
    text = PAGE.read_text(encoding="utf-8")
    without = with_facts(text, [lab for lab in LABS if lab.number not in ("02", "03")])
    assert "02 (" in without and "03 (" in without and "| 03 Total order |" not in without and "3.1 " not in without
    whole, fewer = ("\n".join(weeks(labs)) for labs in (LABS, [lab for lab in LABS if lab.number != "05"]))
    assert whole.count("05 Bully election") == 3 and "05 Bully" not in fewer
    hours = [float(re.findall(r"### 9 weeks, ([\d.]+)", text)[0]) for text in (whole, fewer)]
    assert hours[0] - hours[1] == 4


def test_a_place_that_nothing_is_made_for_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("<!-- made: hours -->\n<!-- end -->\n", encoding="utf-8")
    with pytest.raises(UsageError, match="Nothing is made for the place hours; there are labs, missing, weeks"):
        write(page)
    with pytest.raises(UsageError, match="There is no page"):
        write(tmp_path / "nothing.md")
    page.write_text("before\n<!-- made: labs -->\nhours of yesterday\n<!-- end -->\nbehind\n", encoding="utf-8")
    assert write(page) and not write(page)
    text = page.read_text(encoding="utf-8")
    assert (
        text.startswith("before\n") and text.endswith("behind\n") and "yesterday" not in text and "| [01 Links]" in text
    )


def test_how_often_a_mistake_must_show_is_reckoned_right() -> None:
    (row,) = re.findall(r"\| 1.1 the sender \| (\d+) \| (\d+) \| ([\d.]+) %", PAGE.read_text(encoding="utf-8"))
    missed = (1 - float(row[2]) / 100) ** (int(row[0]) + int(row[1]))
    assert 0.045 < missed < 0.056, "one in twenty is missed"


def test_a_course_that_gives_out_some_labs_gives_out_their_path(tmp_path: Path) -> None:
    list(write_release(tmp_path / "out", ["01-links"], keep=False))
    text = (tmp_path / "out" / "labs" / "README.md").read_text(encoding="utf-8")
    assert "[01 Links](release/01-links/01-links.ipynb)" in text and "03 Total order" not in text
    assert "03 (" in text, "what is not given out is said to be missing"
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert [link for link in links if not (tmp_path / "out" / "labs" / link).exists()] == []
