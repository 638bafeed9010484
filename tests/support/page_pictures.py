"""Pictures of the pages that a student meets: each at 1400 px in the light, at 1000 px in the dark, and at 150 % zoom.

    python tests/support/page_pictures.py build/pages            every output that is drawn
    python tests/support/page_pictures.py build/pages 00 01      those of these notebooks only
    python tests/support/page_pictures.py build/pages --twelve   tour, scenarios, bad days and panel, as they stand on the page
    python tests/support/page_pictures.py build/pages --labs 04 06     the pages of these labs, with our answers in them; all: no number
    python tests/support/page_pictures.py --first                how long a student waits for the tour's first figure

For each notebook all cells are run in a real JupyterLab; then every output that is drawn (panel, timeline, figure,
prediction) is photographed by itself, in all three looks.  Complaints of the browser, requests beyond this machine,
what axe-core finds serious in the outputs, and labels of figures that lie over each other or are cut off, are printed;
the code is 1 if there are any.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import browser
import labels
from browser import Tab

LOOKS = {"light-1400": (1400, 1.0, "JupyterLab Light"), "dark-1000": (1000, 1.0, "JupyterLab Dark"),
         "zoom-150": (1400, 1.5, "JupyterLab Light")}  # fmt: skip
"""Name: width of the window, zoom, theme."""
NOTEBOOKS = ("00-tour", "01-four-scenarios", "02-what-can-go-wrong", "03-for-real", "04-how-fast")
LABS = sorted(path.stem for path in (browser.ROOT / "labs" / "source").glob("*/*.ipynb"))
DRAWN = ".cs-panel, .cs-timeline, .js-plotly-plot, .cs-guess, .cs-choose"
TWELVE = {"tour": ("00-tour", "cs.roles(world.trace)"), "panel": ("00-tour", "cs.panel(cluster)"),
          "scenarios": ("01-four-scenarios", "cs.roles(alone.trace)"),
          "bad-days": ("02-what-can-go-wrong", 'schedules.play("C1")')}  # fmt: skip
"""Name of a picture: its notebook, and what stands in the cell that it shows."""
BARS = 130
"""Pixels of JupyterLab's own bars, above and below a notebook."""


def looks(tab: Tab) -> Iterator[str]:
    """Give the page one look after the other, in a window so high that the longest output is seen whole."""
    for look, (width, zoom, theme) in LOOKS.items():
        tab.theme(theme)
        tab.page.set_viewport_size({"width": round(width / zoom), "height": round(1000 / zoom)})
        tab.page.wait_for_timeout(1_500)
        outputs = tab.page.locator(".jp-CodeCell .jp-Cell-outputArea").all()
        longest = max((box["height"] for output in outputs if (box := output.bounding_box())), default=0)
        tab.page.set_viewport_size(
            {"width": round(width / zoom), "height": round(max(longest + 2 * BARS, 1000 / zoom))}
        )
        tab.page.wait_for_timeout(500)
        yield look


def run(tab: Tab, notebook: str) -> None:
    """Run all cells of a notebook."""
    tab.open(f"{notebook}.ipynb")
    tab.run_all()
    tab.page.wait_for_timeout(2_000)


def take(tab: Tab, notebook: str, folder: Path) -> list[str]:
    """Photograph one notebook; return what is wrong with it."""
    run(tab, notebook)
    wrong = []
    for look in looks(tab):
        cells = tab.page.locator(".jp-CodeCell")
        for number in range(cells.count()):
            cell = cells.nth(number)
            cell.scroll_into_view_if_needed()
            output = cell.locator(".jp-Cell-outputArea")
            if output.locator(DRAWN).count():
                tab.page.wait_for_timeout(250)
                output.screenshot(path=folder / f"{notebook[:2]}-{look}-{number:02}.png")
        found = browser.barriers(tab.page, ".jp-OutputArea")
        wrong += [f"{notebook}, {look}: {line}" for line in found if "(serious)" in line or "(critical)" in line]
        wrong += [f"{notebook}, {look}: {line}" for line in labels.overlapping(tab.page, ".jp-OutputArea")]
    return wrong


def take_on_page(tab: Tab, notebook: str, folder: Path) -> list[str]:
    """Photograph the telling cells of one notebook, as they stand on the page; the panel after a click and a word."""
    run(tab, notebook)
    if notebook == "00-tour":
        panel = tab.page.locator(".cs-panel").first
        panel.get_by_role("button", name="Crash").last.click()
        panel.get_by_role("textbox", name="message").fill("node 3 is gone, and the chat goes on")
        tab.page.keyboard.press("Enter")
        panel.locator("summary", has_text="colours").click()
        tab.page.wait_for_timeout(4_000)
    for look in looks(tab):
        for name, (where, words) in TWELVE.items():
            if where == notebook:
                cell = tab.page.locator(".jp-CodeCell", has_text=words).first
                cell.evaluate("(cell) => cell.scrollIntoView({ block: 'start' })")
                tab.page.wait_for_timeout(500)
                tab.page.screenshot(path=folder / f"{name}-{look}.png")
    return []


def first_figure() -> int:
    """Print when the tour's first figure stands, counted from `chatsys lab`, if all cells are run as soon as they can."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place, browser.lab(Path(place)) as server:
        ready = time.monotonic() - began
        with browser.page(server) as tab:
            tab.open("00-tour.ipynb")
            opened = time.monotonic() - began
            tab.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
            tab.page.locator(".js-plotly-plot .main-svg").first.wait_for()
            stands = time.monotonic() - began
    print(f"server answers {ready:.1f} s, kernel is ready {opened:.1f} s, first figure {stands:.1f} s")
    return 0 if stands < 60 else 1


def main() -> int:
    """Photograph all notebooks that are named, or all."""
    options = [one for one in sys.argv[1:] if one.startswith("--")]
    rest = [one for one in sys.argv[1:] if one not in options]
    if options == ["--first"]:
        return first_figure()
    if not rest or options not in ([], ["--twelve"], ["--labs"]):
        print(__doc__)
        return 2
    known: tuple[str, ...] = {"--twelve": NOTEBOOKS[:3], "--labs": tuple(LABS)}.get("".join(options), NOTEBOOKS)
    photograph = take_on_page if options == ["--twelve"] else take
    folder, wanted = Path(rest[0]), rest[1:] or [name[:2] for name in known]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, browser.lab(Path(place)) as server, browser.page(server) as tab:
        for name in LABS if options == ["--labs"] else ():
            shutil.copy(browser.ROOT / "labs" / "source" / name / f"{name}.ipynb", server.root)
        wrong = [line for name in known if name[:2] in wanted for line in photograph(tab, name, folder)]
        wrong += [f"console: {one[:200]}" for one in tab.complaints]
        wrong += [f"a request beyond this machine: {one}" for one in tab.strangers]
    print(*wrong, f"{len(list(folder.glob('*.png')))} pictures in {folder}", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
