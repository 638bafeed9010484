"""Pictures of the pages that a student meets: each at 1400 px in the light, at 1000 px in the dark, and at 150 % zoom.

    python tests/support/page_pictures.py build/pages            all of them
    python tests/support/page_pictures.py build/pages 00 01      these notebooks only

For each notebook all cells are run in a real JupyterLab; then every output that is drawn (panel, timeline, figure,
prediction) is photographed by itself, in all three looks.  Complaints of the browser, requests beyond this machine and
what axe-core finds serious in the outputs are printed; the code is 1 if there are any.
"""

import sys
import tempfile
from pathlib import Path

import browser
from browser import Tab

LOOKS = {"light-1400": (1400, 1.0, "JupyterLab Light"), "dark-1000": (1000, 1.0, "JupyterLab Dark"),
         "zoom-150": (1400, 1.5, "JupyterLab Light")}  # fmt: skip
"""Name: width of the window, zoom, theme."""
NOTEBOOKS = ("00-tour", "01-four-scenarios", "02-what-can-go-wrong", "03-for-real")
DRAWN = ".cs-panel, .cs-timeline, .js-plotly-plot, .cs-guess"


def take(tab: Tab, notebook: str, folder: Path) -> list[str]:
    """Photograph one notebook; return what is wrong with it."""
    tab.open(f"{notebook}.ipynb")
    tab.run_all()
    tab.page.wait_for_timeout(2_000)
    wrong = []
    for look, (width, zoom, theme) in LOOKS.items():
        tab.theme(theme)
        tab.page.set_viewport_size({"width": round(width / zoom), "height": round(1000 / zoom)})
        tab.page.wait_for_timeout(1_500)
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
    return wrong


def main() -> int:
    """Photograph all notebooks that are named, or all."""
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    folder, wanted = Path(sys.argv[1]), sys.argv[2:] or [name[:2] for name in NOTEBOOKS]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, browser.lab(Path(place)) as server, browser.page(server) as tab:
        wrong = [line for name in NOTEBOOKS if name[:2] in wanted for line in take(tab, name, folder)]
        wrong += [f"console: {one[:200]}" for one in tab.complaints]
        wrong += [f"a request beyond this machine: {one}" for one in tab.strangers]
    print(*wrong, f"{len(list(folder.glob('*.png')))} pictures in {folder}", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
