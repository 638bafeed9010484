"""A system without threads, processes and sockets: everything imports, what can go on goes on, the rest says so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from chatsys import capabilities
from chatsys.capabilities import FILE_LOCKS, PAUSING, PROCESSES, SOCKETS, THREADS, TIMERS, has, need
from chatsys.errors import NotHere

ROOT = Path(__file__).parents[2]

IMPORTS = """
import importlib, pkgutil, chatsys
names = [one.name for one in pkgutil.walk_packages(chatsys.__path__, "chatsys.") if not one.name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
print(len(names) > 100)
"""

SIMULATES = """
from chatsys import World, check
world = World(seed=1)
world.run(3); world.say("hello"); world.crash(world.leader); world.run(8)
print(world.delivered(1), list(check(world.trace)))
"""

REFUSES = """
from chatsys import Cluster
from chatsys.errors import NotHere
from chatsys.runtime.client import ClientHost
from chatsys.config import ClusterConfig, NodeConfig
from chatsys.runtime.service import run_node
from chatsys.campaign.soaking.soak import soak
from chatsys.campaign.fuzz import fuzz
from chatsys.campaign.bench.starting import _import_seconds
from chatsys.runtime.nodes import control
from chatsys.isolation.worker import Worker
from chatsys.teach.classroom.jobs import Setting, grade_each
from chatsys.mutants.stories import pasted
members = {1: "127.0.0.1:5001"}
node = NodeConfig(node=1, data="nowhere", cluster=ClusterConfig(members=members, quorum=1))
for act in (
    Cluster, lambda: Cluster(where="processes"), lambda: ClientHost(["127.0.0.1:1"], "ann", print).start(),
    lambda: run_node(node), lambda: soak(1), lambda: fuzz(10, 10), lambda: _import_seconds("json"),
    lambda: control.pause(1), lambda: pasted("1"), lambda: Worker(b""),
    lambda: list(grade_each([], Setting(lab="03"))),
):
    try:
        act()
    except NotHere as error:
        print(error)
    else:
        print("NO REFUSAL", act)
"""

SWEEPS = """
import sys
from chatsys.protocol.election import Bully
from chatsys.isolation.worker import call_in_worker
from chatsys.campaign.determinism import check_determinism
from chatsys.campaign.sweep import guarded_sweep, sweep
from chatsys.campaign.one_seed import Plan
plan = Plan(seconds=2.0, calm=2.0)
print([one.hash for one in sweep(range(3), plan, jobs=3)] == [one.hash for one in sweep(range(3), plan)])
class Hangs(Bully):
    def on_message(self, sender, message, now):
        while True:
            now += 1
(late,) = guarded_sweep([1], plan, {"election": Hangs}, jobs=2, limit=0.3)
print(late.inconclusive)
print(*check_determinism({"election": Bully}, 0, plan))
"""

GRADES = """
from chatsys.teach.grading.grader import grade
class Right:
    def __init__(self, first=1): self.next, self.early = first, {}
    def receive(self, number, message):
        if number >= self.next: self.early[number] = message
        out = []
        while self.next in self.early:
            out.append(self.early.pop(self.next)); self.next += 1
        return out
METHOD
"""

PANEL = """
import asyncio
from chatsys import World, panel
world = World(seed=3)
shown = panel(world)
async def page():
    shown.start()
    shown._receive(shown, {"do": "crash", "node": 3}, None)
    shown._receive(shown, {"do": "play"}, None)
    async with asyncio.timeout(20):
        while world.status()[3]["alive"] or world.now < 0.5:
            await asyncio.sleep(0.02)
    shown.close()
    await asyncio.gather(shown._task, return_exceptions=True)
asyncio.run(page())
print(shown.line, world.now >= 0.5, shown._thread)
shown = panel(world); shown.start(); print(shown.said)
"""


def without(script: str, tmp_path: Path) -> list[str]:
    """Run a script on a system that has none of it, and return what it printed, line by line."""
    file = tmp_path / "script.py"
    file.write_text(script)
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "support" / "without.py", file],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_module_can_be_imported_where_there_is_nothing(tmp_path: Path) -> None:
    assert without(IMPORTS, tmp_path) == ["True"]


def test_a_world_needs_none_of_it(tmp_path: Path) -> None:
    assert without(SIMULATES, tmp_path) == ["['hello'] []"]


def test_what_cannot_be_says_so_in_a_sentence_with_something_to_do(tmp_path: Path) -> None:
    told = without(REFUSES, tmp_path)
    assert told[0] == (
        "Cluster(where='kernel') needs threads and sockets, and this system has no threads or sockets; "
        "use a World, which has the same verbs and needs none of them."
    )
    assert len(told) == 11
    for sentence in told:
        assert "this system has no " in sentence and sentence.endswith("."), sentence


def test_a_sweep_goes_on_in_the_same_process_and_ends_a_loop_without_end(tmp_path: Path) -> None:
    same, hung, unknown = without(SWEEPS, tmp_path)
    assert same == "True"
    assert re.match(r"It did not end within 0.3 s; it hung in .+, line 1[23], in on_message\. Look for a loop", hung)
    assert unknown.startswith("Whether runs can be repeated is not known: To compare runs under two hash seeds needs")


def test_the_grader_judges_in_the_same_process_and_ends_a_loop_without_end(tmp_path: Path) -> None:
    script = GRADES.replace("METHOD", "print(grade('3.1', Right, seeds=range(5)))")
    assert without(script, tmp_path)[0].startswith("3.1  not decided (14 of 14 points).  How much memory")
    script = GRADES.replace("while self.next in self.early", "while True").replace(
        "METHOD", "print(grade('3.1', Right, seeds=range(5)))"
    )
    script = script.replace("out.append(self.early.pop(self.next)); self.next += 1", "pass")
    (told,) = without(f"import chatsys.teach.grading.trial as trial; trial.DOOR = 0.5{script}", tmp_path)
    assert re.search(
        r"did not end within 0.5 s; it hung in script.py, line [89], in receive\. Look for a loop that", told
    )


def test_the_panel_of_a_simulated_world_is_a_task_on_the_running_loop(tmp_path: Path) -> None:
    done, said = without(PANEL, tmp_path)
    assert done == "world.crash(3) True None"
    assert said == "There are no threads here, and no loop runs: the buttons wait; type the verbs instead."


@pytest.mark.parametrize("name", [THREADS, PROCESSES, SOCKETS, PAUSING, FILE_LOCKS, TIMERS])
def test_this_system_has_it_or_says_so(name: str) -> None:
    if has(name):
        need("Anything", name, instead="do without")
    else:
        with pytest.raises(NotHere, match=f"Anything needs {name}, and this system has no {name}; do without."):
            need("Anything", name, instead="do without")


def test_a_browser_is_named_and_an_answer_that_may_be_momentary_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "emscripten")
    with pytest.raises(
        NotHere, match="A Cluster needs sockets, and this Python, which runs in a browser or in node, has"
    ):
        need("A Cluster", SOCKETS, instead="use a World")
    monkeypatch.undo()
    monkeypatch.setattr(capabilities, "_started", [])

    def no_thread(self: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr("threading.Thread.start", no_thread)
        assert not has(THREADS)
    assert has(THREADS)
