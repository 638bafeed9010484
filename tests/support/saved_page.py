"""A saved timeline in a real Chromium, for tests: a page of its own, without network, and what can be read from it.

with opened(path) as page:             the page, with everything that went wrong in it
    page.press("ArrowRight")           a key, and the next frame of the screen
    page.arrows(), page.boxes()        what is drawn now, read from its data- attributes
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

READ = """(selector) => [...document.querySelectorAll(selector)].map((one) => ({...one.dataset}))"""
SETTLED = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"""


@dataclass
class Saved:
    """A page with a timeline in it."""

    page: "Page"
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note errors on the console and every request."""
        self.page.on(
            "console", lambda message: self.complaints.append(message.text) if message.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.page.evaluate(SETTLED)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def read(self, selector: str) -> list[dict[str, str]]:
        """Return the data- attributes of everything that a selector finds."""
        found: list[dict[str, str]] = self.page.evaluate(READ, selector)
        return found

    @property
    def event(self) -> int:
        """Where the cursor is."""
        return int(self.page.locator(".cs-tl-stage").get_attribute("data-event") or -1)

    @property
    def sentence(self) -> str:
        """What is told of the event of the moment."""
        return self.page.locator(".cs-tl-sentence").inner_text()

    def focused(self) -> Any:
        """Return the name of what has the focus."""
        return self.page.evaluate(
            "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
        )


@contextmanager
def opened(path: Path, width: int = 1200, **options: Any) -> Iterator[Saved]:
    """Open a saved timeline in a new browser that may ask for nothing else."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.CHROMIUM, args=browser.FLAGS)
        try:
            page = chromium.new_page(viewport={"width": width, "height": 1000}, **options)
            page.set_default_timeout(20_000)
            saved = Saved(page)
            saved.watch()
            page.goto(path.as_uri())
            page.locator(".cs-tl-stage").focus()
            saved.settle()
            yield saved
        finally:
            chromium.close()
