"""The picture of lab 07 in a real browser: what the slider and the buttons show of a log, and what the next life writes.

The script of the page is loaded as it is, without a notebook around it: that it comes to stand in one is `test_browser`'s.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import browser
import pytest

import chatsys.teach.labs.lab07
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.labs.lab07 import LAB, friends
from chatsys.teach.labs.lab07.picture import power_cut

if TYPE_CHECKING:
    from playwright.sync_api import Locator

if browser.CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip("there is no Chromium here to look at the picture", allow_module_level=True)

HOME = Path(chatsys.teach.labs.lab07.__path__[0])
KEYS = read_keys(browser.ROOT / "labs", LAB)
LOG = KEYS.answers["7.1"]["reference"]
PAGE = "<html lang='en'><head><title>log</title><style>{css}</style></head><body><main id='el'></main></body></html>"
SHOW = """([script, data]) => {
    const tag = document.createElement('script');
    tag.textContent = script.replace('export default { render };', 'window.render = render;');
    document.body.append(tag);
    window.render({ model: { get: () => data }, el: document.getElementById('el') });
}"""


@contextmanager
def shown(picture: Any) -> Iterator["Locator"]:
    """Show a picture in a browser of its own; nothing may be complained of, and nobody kept from using it."""
    from playwright.sync_api import sync_playwright

    assert browser.CHROMIUM, "CI needs Chromium to look at the picture; apt-get install chromium."
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.CHROMIUM, args=browser.FLAGS)
        page = chromium.new_page(viewport={"width": 800, "height": 700})
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_content(PAGE.format(css=(HOME / "crash.css").read_text("utf-8")))
        page.evaluate(SHOW, [(HOME / "crash.js").read_text("utf-8"), picture.data()])
        yield page.locator(".cs-cut")
        assert not complaints
        assert not [one for one in browser.barriers(page, ".cs-cut") if "(serious)" in one or "(critical)" in one]
        chromium.close()


def text_of(picture: "Locator", part: str) -> str:
    return picture.locator(f".cs-cut-{part}").first.inner_text().strip()


def test_the_slider_and_the_buttons_show_what_is_torn_zeros_and_what_the_next_life_writes() -> None:
    with shown(power_cut(LOG)) as picture:
        assert "It opens in the middle" in text_of(picture, "note")
        lines = picture.locator(".cs-cut-log").first.locator(".cs-cut-line")
        torn = lines.nth(6).locator(".cs-cut-torn").inner_text()
        assert LOG and lines.nth(6).locator(".cs-cut-gone").inner_text().endswith("↵")
        assert "cuts off 23 bytes, and writes record 13. The life after it loads 7 records" in text_of(picture, "then")
        written = picture.locator(".cs-cut-after .cs-cut-line")
        assert written.count() == 1 and "Back again" in written.inner_text() and torn not in written.inner_text()
        picture.get_by_role("radio", name="zeros").check()
        assert lines.nth(6).locator(".cs-cut-zeros").inner_text() == "0" * 23
        assert lines.nth(6).inner_text().endswith("0↵"), "a whole line, with a hole in it"
        assert "gives back 6 records" in text_of(picture, "verdict")
        picture.get_by_role("radio", name="nothing").check()
        assert picture.locator(".cs-cut-log").first.locator(".cs-cut-zeros, .cs-cut-torn").count() == 0
        slider = picture.get_by_role("slider", name="the moment at which the power is cut")
        slider.press("End")
        assert text_of(picture, "state").startswith("561 bytes written, 561 of them synced; 12 answers given.")
        slider.press("Home")
        assert text_of(picture, "state").startswith("No bytes written") and "No bytes are left" in text_of(
            picture, "verdict"
        )


def test_two_mistakes_are_seen_and_not_only_read() -> None:
    with shown(power_cut(KEYS.mistakes["7.1"]["writes behind half a line"].cls)) as picture:
        [line] = picture.locator(".cs-cut-after .cs-cut-line").all()
        assert line.locator(".cs-cut-answer").inner_text() == "✗"
        assert line.locator(".cs-cut-torn").inner_text() and line.locator(".cs-cut-next").inner_text().endswith("↵")
        assert "✗ The life after it cannot use that: load() gave back 6 of 7 records." in text_of(picture, "then")
    with shown(power_cut(KEYS.mistakes["7.1"]["a hole at the end refuses the whole log"].cls)) as picture:
        assert picture.locator(".cs-cut-line .cs-cut-lie").all_inner_texts() == ["✗"] * 5
        assert picture.locator(".cs-cut-log .cs-cut-zeros").count() == 1
        assert "The next life writes nothing: it cannot begin." in text_of(picture, "then")
        assert picture.get_by_role("radio", name="zeros").is_checked()


def test_who_answers_at_once_loses_what_was_answered_in_the_picture_too() -> None:
    with shown(power_cut(friends.Quick)) as picture:
        assert "✗ Of 4 answered, records 1 to 4 are lost, and they were answered." in text_of(picture, "verdict")
