"""A real JupyterLab in a real Chromium, for tests: one server for all, private in every respect.

    with lab(folder) as server:            `chatsys lab` on a free port of 127.0.0.1
        with page(server) as tab:          a tab that keeps what went wrong in it
            tab.open("00-tour.ipynb")
            tab.run_all()

The server is started as a student starts it, with the settings that a student gets.  The person at
it is a new one: configuration, data and workspaces of whoever runs the tests are neither read nor
written.  The browser may speak to 127.0.0.1 only.
"""

import importlib.resources
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Request

ROOT = Path(__file__).parents[2]
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --process-per-site "
    "--disable-component-update --disable-sync"
).split()
TOKEN = "only-for-tests"
SETTINGS = {
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}
HARMLESS = (
    "favicon",
    "ResizeObserver loop",
    "Download the React DevTools",
    "source map",
    "was preloaded using link preload",
    "Could not restore the debugger state",  # after a restart of the kernel
)


@dataclass
class Server:
    """A running JupyterLab: where it is, where its notebooks are and what it has said."""

    port: int
    root: Path
    log: Path

    def address(self, path: str) -> str:
        """Return the address of a page of this server."""
        return f"http://127.0.0.1:{self.port}/{path}?token={TOKEN}&reset"

    def write(self, name: str, sources: Iterable[str]) -> None:
        """Put a notebook with these cells where the server finds it."""
        cell: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        cells = [cell | {"source": source} for source in sources]
        notebook = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 4}
        (self.root / name).write_text(json.dumps(notebook))


@contextmanager
def lab(folder: Path, *options: str) -> Iterator[Server]:
    """Start `chatsys lab` on a copy of the notebooks in `folder`, and end it with all its kernels."""
    root, private = folder / "root" / "notebooks", folder / "private"
    shutil.copytree(ROOT / "notebooks", root, ignore=shutil.ignore_patterns("data", ".ipynb_checkpoints"))
    (private / "config" / "labconfig").mkdir(parents=True)
    (private / "config" / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(SETTINGS))
    (private / "config" / "jupyter_server_config.json").write_text(
        json.dumps({app: {"expose_app_in_browser": True} for app in ("LabApp", "JupyterNotebookApp")})
    )
    kinds = {"CONFIG": "JUPYTER_CONFIG_DIR", "DATA": "JUPYTER_DATA_DIR", "RUNTIME": "JUPYTER_RUNTIME_DIR"}
    kinds |= {"SETTINGS": "JUPYTERLAB_SETTINGS_DIR", "WORKSPACES": "JUPYTERLAB_WORKSPACES_DIR"}
    places = {variable: str(private / kind.lower()) for kind, variable in kinds.items()}
    places |= {"JUPYTER_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Server(port, root, folder / "jupyter.log")
    command = [sys.executable, "-m", "chatsys", "lab", "--no-browser", "--port", str(port), *options]
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=root.parent, env=os.environ | places, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _await(server, process)
            yield server
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            if process.poll() is None:
                process.kill()
                process.wait(5)


def _await(server: Server, process: "subprocess.Popen[bytes]", limit: float = 60.0) -> None:
    end = time.monotonic() + limit
    while time.monotonic() < end and process.poll() is None:
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(server.address("api/status"), timeout=2).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{server.log.read_text(errors='replace')[-2000:]}")


@dataclass
class Tab:
    """One page, with everything that went wrong in it."""

    page: "Page"
    server: Server
    workspace: str = "default"
    """JupyterLab's name for the layout of a tab; two tabs with one name: the second is loaded again under another one."""
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    """Requests that left this machine."""

    def watch(self) -> None:
        """Note errors on the console and every request that is not for 127.0.0.1."""
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._look)

    def _hear(self, message: "ConsoleMessage") -> None:
        if message.type == "error" and not any(part in message.text for part in HARMLESS):
            self.complaints.append(message.text)

    def _look(self, request: "Request") -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob", "about"} and parts.hostname not in {"127.0.0.1", "localhost"}:
            self.strangers.append(request.url)

    def open(self, notebook: str, app: Literal["lab", "notebook"] = "lab") -> None:
        """Open a notebook in JupyterLab, or in Jupyter Notebook, and wait until its kernel can run cells."""
        where = {"lab": f"lab/workspaces/{self.workspace}/tree/notebooks", "notebook": "notebooks/notebooks"}[app]
        self.page.goto(self.server.address(f"{where}/{notebook}"))
        self.page.wait_for_function("() => window.jupyterapp", timeout=60_000)
        self.page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=60_000)
        self.page.evaluate(
            """async () => {
                const app = window.jupyterapp;
                await app.restored;
                const until = async (get) => {
                    for (let turn = 0; turn < 600; turn++) {
                        const got = get();
                        if (got) return got;
                        await new Promise((resolve) => setTimeout(resolve, 100));
                    }
                    throw new Error('the notebook did not open');
                };
                const context = await until(() => app.shell.currentWidget?.context);
                await context.ready;
                await context.sessionContext.ready;
                await (await until(() => context.sessionContext.session?.kernel)).info;
            }"""
        )

    def run_all(self) -> None:
        """Send all cells at once, as Run > Run All Cells does, and wait until none is running.

        A folded cell shows no number, so the notebook is asked, not the page.
        """
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
        self.page.wait_for_function(
            """() => {
                const { widgets } = window.jupyterapp.shell.currentWidget.content;
                const cells = widgets.map(({ model }) => model).filter(({ type }) => type === 'code');
                return cells.length && cells.every((cell) => cell.executionCount && cell.executionState !== 'running');
            }""",
            timeout=150_000,
        )

    def beside(self) -> "Tab":
        """Open another tab of the same browser, which has all files of JupyterLab already."""
        tab = Tab(self.page.context.new_page(), self.server, f"beside-{len(self.page.context.pages)}")
        tab.page.set_default_timeout(30_000)
        tab.watch()
        return tab

    def run(self, cell: int) -> list[str]:
        """Run one cell, as Ctrl+Enter does, and return the texts below it."""
        self.page.evaluate(
            """async (cell) => {
                const { content } = window.jupyterapp.shell.currentWidget;
                content.activeCellIndex = cell;
                await window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            cell,
        )
        return self.page.locator(".jp-Cell").nth(cell).locator(".jp-OutputArea-output").all_inner_texts()

    def theme(self, name: str) -> None:
        """Turn the whole page light or dark."""
        self.page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", name)
        self.page.wait_for_function("(theme) => document.body.dataset.jpThemeName === theme", arg=name)

    def picture(self, name: str) -> Path:
        """Keep a screenshot of what is visible in build/."""
        path = ROOT / "build" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        self.page.screenshot(path=path)
        return path


@contextmanager
def page(server: Server, dark: bool = False) -> Iterator[Tab]:
    """Open a tab in a new browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            scheme: Literal["dark", "light"] = "dark" if dark else "light"
            context = browser.new_context(viewport={"width": 1280, "height": 1000}, color_scheme=scheme)
            view = context.new_page()
            view.set_default_timeout(30_000)
            tab = Tab(view, server)
            tab.watch()
            yield tab
        finally:
            browser.close()


@cache
def _axe() -> str:
    """Return the rules of axe-core, which a package of Python brings along."""
    return (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def barriers(page: "Page", where: str = "html") -> list[str]:
    """Return what axe-core finds within an element that keeps somebody from using it, a line for each.

    It judges the colours of what one sees only, so the window is made as high as the notebook meanwhile.
    """
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], min(page.evaluate(HEIGHT), 20_000))})
    page.evaluate(WHOLE)
    page.wait_for_timeout(300)
    page.evaluate(_axe())
    found: dict[str, Any] = page.evaluate("(where) => axe.run(where, {resultTypes: ['violations']})", where)
    page.set_viewport_size(size)
    judged = {one["id"] for one in found["passes"] + found["violations"]}
    assert len(judged) > 8 and "color-contrast" in judged, (
        f"axe-core found hardly anything to look at in {where}: {sorted(judged)}"
    )
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]
    ]


HEIGHT = """() => 400 + [...document.querySelectorAll('.jp-WindowedPanel-outer')]
    .reduce((sum, one) => sum + (one.clientHeight && one.scrollHeight), 0)"""
"""How high a window has to be to show the notebooks that are open, and what is around them."""

WHOLE = """() => {
    if (getComputedStyle(document.body).overflow === 'hidden') document.body.style.height = '100vh';
    for (const one of document.querySelectorAll('.jp-WindowedPanel-outer')) one.scrollTop = 0;
}"""
"""The body of Jupyter's pages hides what is beyond it and has hardly any height: all of a page would count as hidden."""
