"""A cell that runs again leaves nothing behind: no cluster, no thread, no process; in a real kernel, and in none."""

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from kernels import Cells, kernel

from chatsys.runtime.cluster import Cluster
from chatsys.sim.world import World
from chatsys.teach.widgets.panel.panel import Panel, panel

LOOK = """
import threading, time, psutil, chatsys as cs
from chatsys.teach.widgets.panel.hold import _holds

def living(name):
    return sum(thread.name.startswith(name) for thread in threading.enumerate())

def settled(name, count, limit=5.0):
    "Wait until `count` such threads live: a panel looks a few times a second; return how many do."
    end = time.monotonic() + limit
    while living(name) != count and time.monotonic() < end:
        time.sleep(0.02)
    return living(name)

def children():
    return sum(child.status() != psutil.STATUS_ZOMBIE for child in psutil.Process().children(recursive=True))
"""


@pytest.fixture(scope="module")
def cells() -> Iterator[Cells]:
    with kernel() as running:
        running.run(LOOK)
        yield running


@pytest.fixture(autouse=True)
def forgotten(request: pytest.FixtureRequest) -> Iterator[None]:
    """Forget every name and every panel that a test made in the kernel."""
    yield
    if "cells" in request.fixturenames:
        request.getfixturevalue("cells").run(
            "from chatsys.teach.widgets.panel.panel import _open\n"
            "for one in list(_open): one.close()\n"
            "for name in ('cluster', 'world', 'kept', 'shown', 'one'): globals().pop(name, None)"
        )
        assert alive(request.getfixturevalue("cells"), 0) == ("0", "0")


def alive(cells: Cells, count: int) -> tuple[str, str]:
    """Return how many clusters and how many panels' threads live, once they have had the time to be `count`."""
    return cells.value(f"settled('chatsys cluster', {count})"), cells.value(f"settled('chatsys panel', {count})")


# --- in a kernel ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["the cell's id", ""], ids=["with ids", "without ids"])
def test_one_cluster_lives_however_often_its_cell_runs(cells: Cells, name: str) -> None:
    for _ in range(3):
        cells.run("cluster = cs.Cluster(where='processes'); cs.panel(cluster)", cell=name)
        assert "application/vnd.jupyter.widget-view+json" in cells.shown[0]
    assert alive(cells, 1) == ("1", "1")
    assert cells.value("children()") == "3"
    assert cells.value("len(cluster.status())") == "3"


def test_a_cluster_that_only_its_panel_knows_lives_until_the_cell_runs_again(cells: Cells) -> None:
    for _ in range(3):
        cells.run("cs.panel(cs.Cluster())", cell="only the panel")
        cells.run("1 + 1", cell="another")
        assert alive(cells, 1) == ("1", "1")
    cells.run(
        "_open = __import__('chatsys').teach.widgets.panel.panel._open; shown = next(iter(_open)); shown.press('crash', node=1)"
    )
    assert "Node 1 crashed." in cells.value("shown.said")


def test_a_cluster_made_in_a_function_lives_with_its_panel(cells: Cells) -> None:
    cells.run("def show():\n    mine = cs.Cluster()\n    return cs.panel(mine)")
    for _ in range(2):
        cells.run("show()", cell="by a function")
        cells.run("1 + 1", cell="another")
        assert alive(cells, 1) == ("1", "1")


def test_panels_of_one_run_of_a_cell_stand_side_by_side(cells: Cells) -> None:
    for _ in range(2):
        cells.run("display(cs.panel(cs.Cluster()), cs.panel(cs.Cluster()))", cell="two")
        assert alive(cells, 2) == ("2", "2")


def test_a_name_given_to_another_cluster_stops_the_first_wherever_its_panel_stands(cells: Cells) -> None:
    cells.run("cluster = cs.Cluster()", cell="make")
    cells.run("shown = cs.panel(cluster); shown", cell="show")
    for _ in range(3):
        cells.run("cluster = cs.Cluster()", cell="make")
    assert cells.value("settled('chatsys cluster', 1)") == "1"
    assert cells.value("settled('chatsys panel', 0)") == "0"
    assert "only this panel knew it" in cells.value("shown.said")
    assert (
        cells.value("[shown.state['ended']] + [card['alive'] for card in shown.state['nodes']]")
        == "[True, False, False, False]"
    )
    cells.run("shown.press('crash', node=1)")
    assert not cells.error


@pytest.mark.parametrize(
    "remember", ["cluster", "cluster.crash(99)", "try: cluster.crash(99)\nexcept Exception as error: kept = error"]
)
def test_what_a_notebook_remembers_by_itself_keeps_no_cluster(cells: Cells, remember: str) -> None:
    for _ in range(3):
        cells.run("cluster = cs.Cluster()\ncs.panel(cluster)", cell="make and show")
        cells.run(remember, cell="remember")
    assert alive(cells, 1) == ("1", "1")
    assert cells.value("len(_holds)") == "1", "each cell looks for who knows a cluster that was stopped"


@pytest.mark.parametrize(
    "kept",
    [
        "kept = cluster",
        "kept = {1: cluster}",
        "kept = {cluster: 1}",
        "kept = lambda of=cluster: of",
        "kept = cluster.crash",
    ],
)
def test_a_cluster_that_somebody_else_knows_goes_on(cells: Cells, kept: str) -> None:
    cells.run("cluster = cs.Cluster()\ncs.panel(cluster)", cell="make and show")
    cells.run(kept)
    cells.run("cluster = cs.Cluster()\ncs.panel(cluster)", cell="make and show")
    assert cells.value("settled('chatsys cluster', 2)") == "2"
    cells.run("del kept")
    assert alive(cells, 1) == ("1", "1")


def test_a_world_leaves_no_thread_and_no_callback_of_its_panel(cells: Cells) -> None:
    cells.run("import gc, weakref")
    for _ in range(3):
        cells.run("world = cs.World(seed=1)\ncs.panel(world)", cell="world")
        cells.run("kept = weakref.WeakSet() if 'kept' not in globals() else kept; kept.add(world)")
    assert cells.value("settled('chatsys panel', 1)") == "1"
    assert (
        cells.value("[len(get_ipython().events.callbacks[when]) for when in ('pre_run_cell', 'post_run_cell')]")
        == "[1, 2]"
    )
    assert cells.value("gc.collect() * 0 + len(kept)") == "1"


def test_a_graded_notebook_starts_no_thread(cells: Cells) -> None:
    cells.run("import os; os.environ['NBGRADER_EXECUTION'] = 'autograde'; world = cs.World(seed=1)")
    try:
        cells.run("cs.panel(world)")
        assert "application/vnd.jupyter.widget-view+json" in cells.shown[0]
        assert cells.value("living('chatsys panel')") == "0"
    finally:
        cells.run("del os.environ['NBGRADER_EXECUTION']")


# --- where there is no notebook ---------------------------------------------------------------


def living(name: str) -> int:
    return sum(thread.name.startswith(name) for thread in threading.enumerate())


def test_in_plain_python_a_panel_is_a_value_and_keeps_nothing_once_it_is_forgotten() -> None:
    before = living("chatsys")
    for _ in range(3):
        cluster = Cluster(timing="fast")
        shown = panel(cluster)
        gc.collect()
        assert living("chatsys cluster") == 1
    shown = panel(Cluster(timing="fast"))
    del cluster
    gc.collect()
    assert living("chatsys cluster") == 1
    shown.press("crash", node=1)
    assert "Node 1 crashed." in shown.said
    del shown
    gc.collect()
    assert living("chatsys") == before


def test_the_thread_of_a_panel_does_not_keep_it() -> None:
    shown: Panel | None = panel(World(seed=1))
    assert shown is not None
    shown.start()
    thread = shown._thread
    assert thread is not None
    assert thread.is_alive()
    shown = None
    gc.collect()
    thread.join(5)
    gc.collect()
    assert not thread.is_alive()


def test_python_ends_without_a_word_while_panels_and_clusters_live() -> None:
    code = "from chatsys import Cluster, panel\np = panel(Cluster())\np.start()\nq = panel(Cluster(where='processes'))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
