"""The pages for instructors in a real browser: what students wrote does nothing, and what people mark is read again.

Skipped with a sentence where there is no Chromium; with CI=true that is a failure.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import browser
import pytest
from made_up_class import HOSTILE, LAB, made_up_class

from chatsys.teach.classroom.hand_marks import HandMark, read_hand_marks
from chatsys.teach.classroom.report import by_hand_page, report_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

if browser.CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip(
        "Chromium is not installed, so nobody looks at the pages; apt install chromium.", allow_module_level=True
    )

KEPT = HandMark(student="bob", cell="check-3-1", points=14, who="Dr. Ray", when="2026-11-26", why="our fault")

REFUSED = """() => new Promise((done) => {
    document.addEventListener('securitypolicyviolation', (event) => {
        if (event.effectiveDirective.startsWith('script-src')) done(event.effectiveDirective);
    });
    window.ran = () => done('it ran');
    document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.ran()">');
})"""
"""Put a script of a stranger into the page, and return by which rule of the page it was refused, or that it ran."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, results, marks = tmp_path_factory.mktemp("pages"), made_up_class(), {(KEPT.student, KEPT.cell): KEPT}
    texts = {"report": report_page(results, LAB, marks, {}), "by-hand": by_hand_page(results, LAB, marks, "# Rubric")}
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in texts}


@pytest.fixture(scope="module")
def tab() -> Iterator["Page"]:
    assert browser.CHROMIUM, "CI needs Chromium to look at the pages; apt-get install chromium."
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser.CHROMIUM, args=browser.FLAGS)
        try:
            yield running.new_page(accept_downloads=True, color_scheme="dark")
        finally:
            running.close()


@pytest.mark.parametrize("name", ["report", "by-hand"])
def test_what_students_wrote_runs_nothing_and_asks_nobody(tab: "Page", files: dict[str, Path], name: str) -> None:
    seen: list[str] = []
    tab.on("request", lambda request: seen.append(request.url))
    tab.on("console", lambda message: seen.append(message.text))
    tab.goto(files[name].as_uri())
    assert seen == [files[name].as_uri()] and HOSTILE in tab.locator("body").inner_text()
    assert tab.evaluate(REFUSED).startswith("script-src"), "even a text that became HTML would run nothing"


def test_what_is_marked_on_the_page_is_what_the_next_report_reads(
    tab: "Page", files: dict[str, Path], tmp_path: Path
) -> None:
    tab.goto(files["by-hand"].as_uri())
    save = tab.locator("#save")
    section = tab.locator("section[data-student='eve']")
    section.locator("[data-cell=explanation]").fill("11")
    tab.fill("#who", 'Ann "B", C.')
    assert save.is_disabled(), "more points than there are"
    section.locator("[data-cell=explanation]").fill("7.5")
    section.locator("[data-why=explanation]").fill("=both,\nnumbers")
    with tab.expect_download() as download:
        save.click()
    download.value.save_as(tmp_path / "marks-by-hand.csv")
    marks = read_hand_marks(tmp_path / "marks-by-hand.csv", LAB)
    given = marks.pop(("eve", "explanation"))
    assert (given.points, given.who, given.why) == (7.5, 'Ann "B", C.', "=both,\nnumbers")
    assert list(marks.values()) == [KEPT], "what nobody touched keeps its who and when"
