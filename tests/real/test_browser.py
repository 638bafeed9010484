"""The tour in a real JupyterLab and a real Chromium: buttons, keyboard, figures, and no network.

Skipped with a sentence where there is no Chromium; with CI=true that is a failure.
"""

import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import browser
import pytest
from browser import Server, Tab
from crashed_leader import CELLS, STORY, await_event, event_of, lost_message, past_and_future, told_of, widths
from panel_page import await_leader, await_text, figure, inks, last_number, tab_to, texts_at

from chatsys.teach.widgets.timeline.timeline import timeline
from chatsys.trace import Trace

if TYPE_CHECKING:
    from playwright.sync_api import Locator

if browser.CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip(
        "Chromium is not installed, so nobody looks at the notebook; apt install chromium.", allow_module_level=True
    )


EXPECTED = (
    "Running the server as root", "To access the server", "is not trusted", "websocket_ping_timeout", "Nudge: attempt",
)  # fmt: skip
"""Where tests run; the address, which is always told; notebooks that were saved with what they displayed; and a
complaint of Jupyter Server about its own default, which every value that silences it turns into broken connections; and a
kernel that takes more than some seconds to begin, on a machine that has much to do."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    assert browser.CHROMIUM, "CI needs Chromium to look at the notebook; apt-get install chromium."
    with browser.lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(server: Server) -> Iterator[Tab]:
    """Return the first tab of a browser."""
    with browser.page(server) as tab:
        yield tab


@pytest.fixture(scope="module")
def tour(chromium: Tab) -> Iterator[Tab]:
    """Return the tour after all its cells ran at once; its cluster is alive, node 3 leads."""
    chromium.open("00-tour.ipynb")
    chromium.run_all()
    yield chromium
    chromium.picture("tour-end")


@pytest.fixture
def panel(tour: Tab) -> "Locator":
    """Return the panel of the real cluster with every node well and node 3 leading."""
    shown = tour.page.locator(".cs-panel").first
    shown.scroll_into_view_if_needed()
    shown.get_by_role("button", name="Reset").press("Enter")
    await_leader(shown, 3)
    return shown


# --- after all cells ran at once ------------------------------------------------------------------


def test_all_cells_at_once_leave_no_error(tour: Tab) -> None:
    errors = tour.page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']")
    assert errors.all_inner_texts() == []
    assert tour.page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


def test_the_figures_show_that_another_node_led_after_the_crash(tour: Tab) -> None:
    simulated, real, *_ = figure(tour, "Roles and terms")
    for drawn in (simulated, real):
        leading = next(trace for trace in drawn if trace["name"] == "leader")
        assert leading["y"][:2] == [2, 1], "the rows of node 3 and node 2, counted from below"
        assert min(leading["x"]) > 0
    assert any(trace["name"] == "crashes" for trace in real)


def test_the_matrix_shows_three_equal_rows_without_a_gap(tour: Tab) -> None:
    after = figure(tour, "What each node delivered at each number")[1]
    rows = after[0]["text"]
    assert after[0]["x"] == ["#1", "#2", "#3"]
    assert [[cell[2:] for cell in row] for row in rows] == [[cell[2:] for cell in rows[0]]] * 3


# --- by button, by keyboard -----------------------------------------------------------------------


def test_crashing_the_leader_by_button_elects_another_and_the_numbers_go_on(tour: Tab, panel: "Locator") -> None:
    before = last_number(panel)
    panel.locator(".cs-card[data-role='leader']").get_by_role("button", name="Crash").click()
    await_leader(panel, 2)
    panel.get_by_label("message").fill("said by mouse <b>& co</b>")
    panel.get_by_role("button", name="Say").click()
    await_text(panel, "said by mouse")
    assert last_number(panel) == before + 1
    assert texts_at(panel, before + 1) == ["–", *[f"#{before + 1} ann: said by mouse <b>& co</b>"] * 2]
    assert panel.locator(".cs-line").inner_text() == "cluster.say('said by mouse <b>& co</b>', author='ann')"
    tour.picture("tour-crash-by-button")


def test_a_learner_joins_by_button_has_a_card_and_leaves_by_its_own(tour: Tab, panel: "Locator") -> None:
    panel.get_by_label("message").fill("half a sentence")
    panel.get_by_role("button", name="Join").click()
    learner = panel.locator(".cs-card[data-node='4'][data-role='learner']")
    learner.get_by_text("listens to node 1", exact=True).wait_for(timeout=20_000)
    assert panel.locator(".cs-line").inner_text() == "cluster.join(4)"
    assert panel.get_by_label("message").input_value() == "half a sentence", "whoever types is not disturbed"
    learner.locator("li[data-number='1']").wait_for(timeout=20_000)
    tour.picture("tour-learner")
    learner.get_by_role("button", name="Let learner 4 leave for ever").click()
    learner.wait_for(state="detached", timeout=20_000)
    panel.get_by_label("message").fill("")


def test_keys_pressed_in_the_panel_are_not_keys_of_the_notebook(tour: Tab, panel: "Locator") -> None:
    cells = tour.page.locator(".jp-Cell").count()
    panel.get_by_role("button", name="Heal all links").focus()
    for key in ("a", "b", "x"):
        tour.page.keyboard.press(key)
    assert tour.page.locator(".jp-Cell").count() == cells


def test_a_text_that_is_refused_is_not_lost_and_one_that_waits_is_listed_by_itself(tour: Tab, panel: "Locator") -> None:
    said, text = panel.get_by_role("status"), panel.get_by_label("message")
    text.fill("kept")
    panel.get_by_label("author").fill("")
    text.press("Control+Enter")
    said.filter(has_text="Type a name first").wait_for(timeout=10_000)
    assert text.input_value() == "kept"
    panel.get_by_label("author").fill("ann")
    panel.get_by_role("button", name="Cut all links between node 3 and nodes 1 and 2").press("Enter")
    panel.get_by_role("button", name="Mend the link between node 1 and 3").wait_for(timeout=10_000)
    panel.get_by_label("through which node").select_option("3")
    text.press("Enter")
    waits = panel.locator(".cs-waits li", has_text="“kept” through node 3")
    waits.wait_for(timeout=10_000)
    await_leader(panel, 2)
    panel.get_by_label("through which node").select_option("")
    panel.get_by_role("button", name="Heal all links").press("Enter")
    waits.wait_for(state="detached", timeout=20_000)
    text.press("Control+Enter")
    said.filter(has_text="Type a message first.").wait_for(timeout=10_000)


def test_the_panel_stands_beside_the_page_and_comes_back(tour: Tab, panel: "Locator") -> None:
    panel.get_by_role("button", name="Dock").click()
    beside = tour.page.locator(".cs-panel:not(.jp-Notebook *)")
    beside.get_by_role("button", name="Pause node 1").click(timeout=20_000)
    tour.page.locator(".jp-Notebook .cs-away", has_text="cluster panel 1 stands beside the page.").wait_for(
        timeout=10_000
    )
    tour.picture("tour-docked")
    tour.page.get_by_role("button", name="Show it here").press("Enter")
    panel.locator(".cs-card[data-node='1'][data-paused='true']").wait_for(timeout=10_000)
    beside.wait_for(state="detached", timeout=10_000)


def test_a_refused_verb_is_a_sentence_in_the_live_region(tour: Tab, panel: "Locator") -> None:
    panel.locator(".cs-card[data-node='1']").get_by_role("button", name="Restart").press("Enter")
    said = panel.get_by_role("status")
    said.filter(has_text="Node 1 is running").wait_for(timeout=10_000)
    assert said.get_attribute("aria-live") == "polite"


def test_the_simulated_world_plays_steps_and_holds(tour: Tab) -> None:
    world = tour.page.locator(".cs-panel").nth(1)
    world.scroll_into_view_if_needed()
    before = float(world.locator(".cs-time").inner_text().removesuffix(" s"))
    world.get_by_role("button", name="+1 s").click()
    world.get_by_role("button", name="Play").click()
    tour.page.wait_for_function(
        "([panel, before]) => parseFloat(panel.querySelector('.cs-time').textContent) > before + 2",
        arg=[world.element_handle(), before],
    )
    world.get_by_role("button", name="Hold").click()
    world.get_by_role("button", name="Play").wait_for()
    tour.picture("tour-simulated")


def test_a_step_is_shown_in_the_timeline_and_a_quorum_of_one_breaks_a_rule(tour: Tab) -> None:
    world = tour.page.locator(".cs-panel").nth(1)
    world.locator(".cs-split").click()
    for node in (3, 1):
        world.get_by_label("message").fill(f"through node {node}")
        world.get_by_label("through which node").select_option(str(node))
        world.get_by_label("message").press("Enter")
        world.locator(".cs-waits li", has_text=f"through node {node}").wait_for(timeout=10_000)
    for _ in range(8):
        world.locator(".cs-second").press("Enter")
    assert world.locator(".cs-lamp").get_attribute("data-held") == "true"
    world.get_by_label("quorum").press("ArrowLeft")
    world.locator(".cs-lamp[data-held='false']").wait_for(timeout=30_000)
    assert "quorum=1" in world.locator(".cs-line").inner_text()
    assert not re.search(r"\bS\d|client", world.locator(".cs-says").inner_text())
    world.locator(".cs-step").press("Enter")
    stage = world.locator(".cs-tl-stage[data-event]")
    first = int(stage.get_attribute("data-event", timeout=20_000) or -1)
    world.locator(".cs-step").press("Enter")
    tour.page.wait_for_function("([one, first]) => one.dataset.event > first", arg=[stage.element_handle(), first])
    world.locator(".cs-said", has_text=world.locator(".cs-tl-sentence").inner_text()).wait_for(timeout=10_000)
    tour.picture("tour-step")


def test_the_download_link_leads_to_the_saved_run(tour: Tab) -> None:
    link = tour.page.locator("a[download]", has_text="tour.run").get_attribute("href")
    assert link is not None and "/files/notebooks/data/tour.run" in link
    assert (Path(tour.server.root) / "data" / "tour.run").stat().st_size > 1000


def test_figures_follow_the_theme_and_no_figure_has_a_button_or_offers_to_upload(tour: Tab) -> None:
    light = inks(tour)
    assert len(light) > 15 and len(set(light)) == 1, light
    tour.theme("JupyterLab Dark")
    assert inks(tour) == ["rgb(255, 255, 255)"] * len(light)
    tour.theme("JupyterLab Light")
    tour.page.locator(".js-plotly-plot").first.hover()
    assert tour.page.locator(".modebar-btn").count() == 0
    assert tour.page.get_by_text("Share chart").count() == 0


def test_nobody_is_asked_about_news_and_no_tool_of_instructors_is_in_the_way(tour: Tab) -> None:
    assert tour.page.locator(".Toastify__toast").count() == 0
    for word in ("Validate", "Nbgrader", "Create Assignment", "Formgrader"):
        assert tour.page.get_by_text(word, exact=True).count() == 0, word
        assert tour.page.locator(f"[title='{word}']").count() == 0, word


def test_the_server_says_nothing_that_looks_like_an_error(tour: Tab) -> None:
    said = tour.server.log.read_text("utf-8")
    assert "is running at" in said
    for line in said.splitlines():
        assert not any(word in line for word in ("nbgrader", "Skipped", "Traceback", "encryption")), line
        assert not (line.startswith(("[W", "[E", "[C")) and not any(part in line for part in EXPECTED)), line


def test_nothing_complained_and_nothing_left_this_machine(tour: Tab) -> None:
    assert tour.complaints == []
    assert tour.strangers == []


def test_a_cell_that_is_edited_and_run_again_leaves_one_panel_with_one_cluster(server: Server, tour: Tab) -> None:
    server.write("again.ipynb", ["import chatsys as cs, threading", "cs.panel(cs.Cluster())", COUNT])
    chromium = tour.page.context.browser
    assert chromium is not None
    tab = Tab(chromium.new_page(), server)
    tab.watch()
    try:
        tab.open("again.ipynb")
        tab.run_all()
        for turn in range(2):
            tab.page.evaluate(RUN_AGAIN, f"cs.panel(cs.Cluster())  # once more, {turn}")
            tab.page.locator(".cs-card[data-role='leader']").wait_for(timeout=30_000)
            assert tab.page.locator(".cs-panel").count() == 1
        tab.page.evaluate(RUN_AGAIN.replace("Index = 1", "Index = 2"), COUNT)
        tab.page.get_by_text("clusters: 1, panels: 1", exact=True).wait_for(timeout=20_000)
        assert tab.complaints == []
    finally:
        tab.page.close()


def test_a_prediction_is_answered_with_the_arrow_keys_and_compared_below(server: Server, chromium: Tab) -> None:
    """JupyterLab keeps the arrow keys for its cells; a question says that it needs them itself."""
    shutil.copy(server.root / "00-tour.ipynb", server.root / "predicting.ipynb")  # a kernel of its own
    tab = chromium.beside()
    tab.open("predicting.ipynb")
    tab.run(2)
    question = tab.page.locator(".jp-Cell").nth(2)
    choices = question.locator("input[type=radio]")
    choices.first.wait_for()
    choices.first.focus()
    tab.page.keyboard.press("ArrowDown")
    assert choices.nth(1).is_checked()
    question.locator(".cs-guess-state", has_text="You can change it").wait_for()
    tab.run(3)
    assert any("You said “its connection breaks”: right." in told for told in tab.run(5))
    assert choices.nth(1).is_disabled()
    assert tab.complaints == [] and tab.strangers == []
    tab.page.close()


def test_a_slider_has_a_name_and_is_moved_with_the_arrow_keys(server: Server, chromium: Tab) -> None:
    """The handle of a slider of ipywidgets has no name; and JupyterLab keeps the arrow keys for its cells."""
    made = "from chatsys.teach.widgets.slider import slider, steps\n"
    made += 'asleep = slider("seconds asleep", steps(0.5, 8.0, 0.5), 4.0, "{:.1f} s")\nasleep'
    server.write("sliding.ipynb", [made, "asleep.value = asleep.value * 2", "print(asleep.value)"])
    tab = chromium.beside()
    tab.open("sliding.ipynb")
    tab.run(0)
    handle = tab.page.get_by_role("slider", name="seconds asleep", exact=True)
    handle.focus()
    for key in ("ArrowRight", "Home", "ArrowRight"):  # 4.5, 0.5, 1.0
        tab.page.keyboard.press(key)
    assert handle.get_attribute("aria-valuetext") == "1.0 s"
    while "1.0" not in tab.run(2)[0]:
        pass  # ipywidgets sends one change at a time, and a cell may come between two of them
    tab.run(1)
    tab.page.locator(".cs-choose-value", has_text="2.0 s").wait_for()
    assert handle.get_attribute("aria-valuetext") == "2.0 s", "what the code sets is seen"
    assert "2.0" in tab.run(2)[0]
    assert browser.barriers(tab.page, ".cs-choose") == []
    assert tab.complaints == [] and tab.strangers == []
    tab.page.close()


COUNT = """
living = [thread.name for thread in threading.enumerate()]
print(f"clusters: {sum(n.startswith('chatsys cluster') for n in living)}, panels: {living.count('chatsys panel')}")
"""

RUN_AGAIN = """async (source) => {
    const { content } = window.jupyterapp.shell.currentWidget;
    content.activeCellIndex = 1;
    content.activeCell.model.sharedModel.setSource(source);
    await window.jupyterapp.commands.execute('notebook:run-cell');
}"""
"""Give the second cell this text and run it, as a student does with Ctrl+Enter."""


# --- the timeline: the story of a leader that crashed ------------------------------------------------

STEPS = 60
"""Nobody needs more steps to be at the lost message."""


@pytest.fixture(scope="module")
def told(chromium: Tab) -> Iterator[Tab]:
    """Return a tab in which all cells of the story ran at once."""
    chromium.server.write("story.ipynb", CELLS)
    tab = chromium.beside()
    tab.page.set_viewport_size({"width": 1400, "height": 1000})
    tab.open("story.ipynb")
    tab.run_all()
    tab.page.locator(".cs-timeline").nth(1).wait_for()
    yield tab
    assert (tab.complaints, tab.strangers) == ([], [])
    tab.page.close()


@pytest.fixture(scope="module")
def run(told: Tab) -> Trace:
    """Return the run that is shown."""
    names: dict[str, Any] = {}
    exec(STORY, names)
    trace: Trace = names["world"].trace
    return trace


def check_what_is_lit(timeline: "Locator", run: Trace, event: int) -> None:
    past, future = past_and_future(run, event)
    note = timeline.locator(".cs-tl-note").inner_text()
    assert f"its past, {past} events" in note and f"its future, {future} that" in note
    assert timeline.locator(".arrow.cs-tl-self[data-fate='dropped'][data-from='3'][data-to='1']").count() == 1
    assert timeline.locator(".arrow.cs-tl-past").count() > 0 and timeline.locator(".arrow.cs-tl-future").count() > 0


def test_the_story_of_a_crashed_leader_by_mouse(told: Tab, run: Trace) -> None:
    page, send_and_drop = told.page, lost_message(run)
    shown, compared = page.locator(".cs-timeline").nth(0), page.locator(".cs-timeline").nth(1)
    assert told.page.locator(".jp-OutputArea-output pre").all_inner_texts() == [f"{len(run) - 1} []\n"]
    await_event(shown, 40)  # what a cell that ran before the page was ready has set
    shown.get_by_role("button", name="To the end").click()
    shown.get_by_role("button", name="Previous election").click()
    lost = shown.locator(".arrow[data-fate='dropped'][data-message='PROPOSE'] .cs-tl-line")
    for _ in range(STEPS):
        if not lost.count():
            shown.locator(".cs-tl-back").click()
    assert shown.locator(".band[data-node='3'][data-what='leads']").count() == 1, "before the crash node 3 leads"
    assert (box := lost.last.bounding_box()) is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shown.locator(".cs-tl-hover").get_by_text("It is lost.").wait_for()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shown.locator(".arrow.cs-tl-self").wait_for()
    assert event_of(shown) in send_and_drop
    check_what_is_lit(shown, run, event_of(shown))
    told.picture("timeline-story-by-mouse")
    shown.get_by_label("message", exact=True).select_option(label="#2 two")
    shown.get_by_label("node", exact=True).select_option(label="node 1")
    shown.get_by_role("button", name="by this moment?").click()
    assert "the one frame that could carry it was lost" in told_of(shown)
    shown.locator(".arrow.cs-tl-lit, .sign.cs-tl-lit").first.wait_for(state="attached")  # they are drawn a moment later
    assert "Here these runs part, at 2.00 s" in compared.locator(".cs-tl-parting-says").inner_text()
    compared.get_by_role("button", name="To the end").click()
    compared.get_by_role("button", name="Go to where these runs part").click()
    parting = compared.locator(".cs-tl-parting[data-event]").get_attribute("data-event")
    compared.locator(f".cs-tl-stage[data-event='{parting}']").wait_for()
    told.picture("timeline-compared")


def test_the_story_of_a_crashed_leader_by_keyboard_alone(told: Tab, run: Trace) -> None:
    page, shown, drop = told.page, told.page.locator(".cs-timeline").nth(0), lost_message(run)[1]
    keys, cells = page.keyboard, page.locator(".jp-Cell").count()
    shown.get_by_role("button", name="To the beginning").focus()
    tab_to(told, str(shown.locator(".cs-tl-stage").get_attribute("aria-label")))
    keys.press("Escape")
    keys.press("End")
    keys.press("/")
    keys.type("crash")
    keys.press("Enter")
    keys.press("Escape")
    await_event(shown, next(at for at, record in enumerate(run.in_order()) if record.kind == "crash"))
    while event_of(shown) > drop:
        keys.press("ArrowLeft")
        page.evaluate("() => new Promise(requestAnimationFrame)")
    keys.press("Enter")
    shown.locator(".arrow.cs-tl-self").wait_for()
    check_what_is_lit(shown, run, event_of(shown))
    shown.locator("[aria-live]").filter(has_text=shown.locator(".cs-tl-sentence").inner_text()).wait_for(
        state="attached"
    )
    told.picture("timeline-story-by-keyboard")
    tab_to(told, "message")
    keys.type("#2")
    tab_to(told, "node")
    keys.press("Tab")
    keys.press("Enter")
    first = told_of(shown)
    keys.press("Enter")
    assert told_of(shown) == first, "the same question is answered again"
    assert page.locator(".jp-Cell").count() == cells, "keys of the timeline are not keys of the notebook"


def test_what_python_and_the_browser_do_to_the_cursor_is_seen_by_the_other(told: Tab) -> None:
    shown = told.page.locator(".cs-timeline").nth(0)
    shown.locator(".cs-tl-stage").focus()
    told.page.keyboard.press("End")
    told.page.keyboard.press("ArrowLeft")
    told.page.wait_for_timeout(400)
    moved, end = event_of(shown), time.monotonic() + 30
    while (said := told.run(3)) != [f"{moved} {[228, 229, 240]}\n"]:
        assert time.monotonic() < end, said
    told.run(4)
    await_event(shown, 40)
    assert told.run(3)[0].startswith("40 ")


def test_a_timeline_keeps_nobody_out_in_the_light_and_in_the_dark(told: Tab) -> None:
    page = told.page
    labels = [one.get_attribute("aria-label") for one in page.locator(".cs-timeline").all()]
    assert len(set(labels)) == 2, "two landmarks of one page have two names"
    ids = page.evaluate("() => [...document.querySelectorAll('.cs-timeline [id]')].map((one) => one.id)")
    assert len(set(ids)) == len(ids) > 0
    for summary in page.locator(".cs-timeline summary").all():
        summary.click()
    before = widths(page.locator(".cs-timeline").nth(0))
    ground = "() => getComputedStyle(document.querySelector('.cs-timeline')).backgroundColor"
    light = page.evaluate(ground)
    assert browser.barriers(page, ".cs-timeline") == []
    told.theme("JupyterLab Dark")
    assert page.evaluate(ground) != light, "the theme is followed at once"
    assert browser.barriers(page, ".cs-timeline") == []
    page.locator(".cs-timeline").nth(0).scroll_into_view_if_needed()
    told.picture("timeline-dark")
    told.theme("JupyterLab Light")
    page.wait_for_timeout(300)
    assert widths(page.locator(".cs-timeline").nth(0)) == before and len(before) == 1


def test_a_saved_timeline_keeps_nobody_out(chromium: Tab, run: Trace, tmp_path: Path) -> None:
    page = chromium.page.context.new_page()
    page.goto(timeline(run).save_html(tmp_path / "run.html").as_uri())
    page.locator(".cs-tl-band").first.wait_for(state="attached")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert browser.barriers(page) == [], f"the whole page with its landmarks and headings, {scheme}"
    page.close()


def test_a_timeline_in_a_hidden_tab_follows_and_one_whose_kernel_is_gone_still_steps_and_says_so(told: Tab) -> None:
    page, shown = told.page, told.page.locator(".cs-timeline").nth(0)
    before = widths(shown)
    page.evaluate(
        """async () => {
            const { commands, shell } = window.jupyterapp;
            const notebook = shell.currentWidget;
            await commands.execute('launcher:create');
            await notebook.sessionContext.session.kernel.requestExecute({ code: 'world.run(1); shown.event = 77' }).done;
            await new Promise((done) => setTimeout(done, 900)); // the news of the world come meanwhile
            shell.activateById(notebook.id);
        }"""
    )
    await_event(shown, 77)
    assert widths(shown) == before
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.restartKernel()")
    shown.locator(".cs-tl-step").click()
    assert event_of(shown) >= 77
    shown.get_by_role("button", name="by this moment?").click()
    shown.locator(".cs-tl-answer").filter(has_text="run the cell of this timeline again").wait_for(timeout=60_000)
