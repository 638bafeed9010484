"""Two people at one panel: one has a mouse, the other has a keyboard only.  Both do the same things.

    hand.run_all()                       all cells of the notebook
    hand.go_to("cluster panel 1")        whose controls are meant from now on
    hand.press("Crash node 3")           a button, by the name that a screen reader says
    hand.slide("loss", 10)               a slider
    hand.say("hello", node=3)            type it, and send it through a node

The keyboard presses Tab, Shift+Tab, the arrow keys, Enter and letters; nothing is focused for it and no value is set
for it.  It looks at the page as a person does, to see where the focus is and whether a control is above or below it.
The mouse clicks where a control is drawn; only a list that the system draws (`select`) is set for it.
"""

from typing import TYPE_CHECKING, Protocol

from browser import Tab

if TYPE_CHECKING:
    from playwright.sync_api import Locator

MOST_STOPS = 90
"""Presses of Tab from any control of a page to any other one."""

FOCUSED = """() => {
    const one = document.activeElement;
    const name = one.getAttribute('aria-label') || one.textContent.trim().replace(/\\s+/g, ' ').slice(0, 60);
    return [name, one.closest('.cs-panel')?.getAttribute('aria-label') || ''];
}"""
"""The name of the control that has the focus, and of its panel."""


class Hand(Protocol):
    """Whoever does something in the page."""

    tab: Tab
    panel: "Locator"
    """The panel that is meant, to look at."""

    def run_all(self) -> None:
        """Run all cells."""

    def go_to(self, panel: str) -> None:
        """Mean this panel from now on."""

    def press(self, name: str) -> None:
        """Press a button."""

    def slide(self, name: str, value: float) -> None:
        """Move a slider."""

    def say(self, text: str, node: int) -> None:
        """Say something through a node."""


def panels(tab: Tab, name: str) -> "Locator":
    """Return the panel of this name: the one that is to be seen, if it is in two places."""
    return tab.page.locator(f".cs-panel[aria-label='{name}']:visible")


class Mouse:
    """A person with a mouse, who types letters only."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.panel = tab.page.locator(".cs-panel")

    def run_all(self) -> None:
        self.tab.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.tab.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def go_to(self, panel: str) -> None:
        self.panel = panels(self.tab, panel)

    def press(self, name: str) -> None:
        self.panel.get_by_role("button", name=name, exact=True).click()

    def slide(self, name: str, value: float) -> None:
        slider = self.panel.get_by_label(name, exact=True)
        low, high = (float(slider.get_attribute(end) or 0) for end in ("min", "max"))
        slider.scroll_into_view_if_needed()
        assert (box := slider.bounding_box()) is not None
        thumb = 16
        at = thumb / 2 + (value - low) / (high - low) * (box["width"] - thumb)
        self.tab.page.mouse.click(box["x"] + at, box["y"] + box["height"] / 2)

    def say(self, text: str, node: int) -> None:
        self.panel.get_by_label("through which node").select_option(str(node))
        self.panel.get_by_label("message").click()
        self.tab.page.keyboard.type(text)
        self.press("Say")


class Keyboard:
    """A person with a keyboard only, whose focus is in the notebook."""

    def __init__(self, tab: Tab) -> None:
        self.tab, self.keys = tab, tab.page.keyboard
        self.name = ""
        self.is_inside = False
        """Whether something in the panel has the focus; it must not get lost then, whatever is pressed."""
        self.panel = tab.page.locator(".cs-panel")

    def run_all(self) -> None:
        cells = self.tab.page.locator(".jp-CodeCell").count()
        for _ in range(cells):
            self.keys.press("Shift+Enter")
        self.keys.press("Escape")  # out of the new cell at the end
        for _ in range(cells):
            self.keys.press("ArrowUp")

    def go_to(self, panel: str) -> None:
        self.name, self.panel, self.is_inside = panel, panels(self.tab, panel), False

    def press(self, name: str) -> None:
        self._walk(name)
        self.keys.press("Enter")

    def slide(self, name: str, value: float) -> None:
        self._walk(name)
        slider = self.panel.get_by_label(name, exact=True)
        for _ in range(50):
            now = float(slider.input_value())
            if now == value:
                return
            self.keys.press("ArrowRight" if now < value else "ArrowLeft")
        raise AssertionError(f"The arrow keys do not bring {name} to {value}; it is at {slider.input_value()}.")

    def say(self, text: str, node: int) -> None:
        self._walk("through which node")
        self.keys.type(f"node {node}")
        self._walk("message")
        self.keys.type(text)
        self.keys.press("Enter")

    def _walk(self, name: str) -> None:
        """Press Tab, or Shift+Tab where the control is above, until it has the focus."""
        target = self.panel.locator("button, input, select, summary").and_(
            self.panel.get_by_label(name, exact=True).or_(self.panel.get_by_text(name, exact=True))
        )
        target.wait_for()
        if self.is_inside:  # else the focus got lost; a panel that moves gets it as soon as it is drawn
            self.tab.page.wait_for_function(f"(name) => ({FOCUSED})()[1] === name", arg=self.name, timeout=5_000)
        self.is_inside = True
        for _ in range(MOST_STOPS):
            if self.tab.page.evaluate(FOCUSED) == [name, self.name]:
                return
            above = target.evaluate(
                "(one) => Boolean(document.activeElement.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_PRECEDING)"
            )
            self.keys.press("Shift+Tab" if above else "Tab")
        raise AssertionError(f"Tab never reaches {name!r} of {self.name}; it is at {self.tab.page.evaluate(FOCUSED)}.")
