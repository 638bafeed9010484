"""What tests ask of the panel and of the figures in a page: whose card, what its user sees, where the focus is."""

from typing import TYPE_CHECKING, Any

from browser import Tab

if TYPE_CHECKING:
    from playwright.sync_api import Locator


def await_leader(panel: "Locator", node: int) -> None:
    panel.locator(f".cs-card[data-node='{node}'][data-role='leader']").wait_for(timeout=30_000)


def last_number(panel: "Locator") -> int:
    """Return the highest number of a message that any user sees, 0 if there is none."""
    numbers = panel.locator(".cs-seen li[data-number]").evaluate_all(
        "all => all.map((one) => Number(one.dataset.number))"
    )
    return max(numbers, default=0)


def texts_at(panel: "Locator", number: int) -> list[str]:
    """Return what the user of each node sees as this number, the highest node first."""
    cards = reversed(panel.locator(".cs-card").all())
    return [" ".join(card.locator(f"li[data-number='{number}']").all_inner_texts()) or "–" for card in cards]


def await_text(panel: "Locator", text: str) -> None:
    """Wait until the users of two nodes see `text`: of all that live."""
    panel.locator(".cs-seen li", has_text=text).nth(1).wait_for(timeout=20_000)


def figure(tour: Tab, title: str) -> list[list[dict[str, Any]]]:
    """Return the data of every figure with this title, as plotly drew it."""
    drawn: list[list[dict[str, Any]]] = tour.page.evaluate(
        """(title) => [...document.querySelectorAll('.js-plotly-plot')]
            .filter((plot) => plot.layout.title?.text?.replace(/<[^>]*>/g, '') === title)
            .map((plot) => plot.data.map((trace) => ({name: trace.name?.replace(/<[^>]*>/g, ''), text: trace.text, x: [...(trace.x || [])], y: [...(trace.y || [])]})))""",
        title,
    )
    return drawn


def inks(tour: Tab) -> list[str]:
    """Return the colour of a text of each kind that stands on the ground, of every figure."""
    found: list[str] = tour.page.evaluate(
        """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap((plot) =>
            ['.gtitle tspan', '.gtitle-subtitle tspan', '.xtick text tspan', '.ytick text tspan', '.legendtext tspan']
                .flatMap((place) => [...plot.querySelectorAll(place + ':not(:has(tspan))')].slice(0, 1))
                .map((text) => getComputedStyle(text).fill))"""
    )
    return found


def tab_to(tour: Tab, name: str) -> None:
    """Press Tab until the control with this name has the focus."""
    for _ in range(30):
        tour.page.keyboard.press("Tab")
        if focused(tour) == name:
            return
    raise AssertionError(f"Tab never reached {name}")


def focused(tour: Tab) -> str:
    return str(tour.page.evaluate("() => document.activeElement.getAttribute('aria-label') || ''"))
