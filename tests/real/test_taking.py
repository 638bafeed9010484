"""Taking answers out of notebooks: whatever a cell does costs that cell, and nothing of it is left afterwards."""

import os
import pickle
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from chatsys.isolation.limits import Taken
from chatsys.teach.grading.cell_process import CellProcess
from chatsys.teach.grading.exchange import Begun, RunnableCell, Told
from chatsys.teach.grading.taking import CellLimits, NotebookAnswers, _Taking, take

WANTED = {"3.1": {"answer": "MyQueue"}, "3.4": {"scenario": "scenario", "claim": "claim"}}
QUEUE = "class MyQueue:\n    def receive(self, number):\n        return [number]\n"
QUICK = CellLimits(cell=0.5, notebook=4.0)
"""Loops are ended soon, so that the tests are."""


def taken(*sources: str, limits: CellLimits = QUICK) -> NotebookAnswers:
    """Take the answers of cells that are called c1, c2 and so on."""
    return take([RunnableCell(f"c{number}", source) for number, source in enumerate(sources, 1)], WANTED, limits)


def answer(found: NotebookAnswers) -> Any:
    return pickle.loads(found.answers["3.1"])["answer"]


# --- what leaves a notebook ------------------------------------------------------------------------


def test_a_class_leaves_by_value_with_all_that_it_uses() -> None:
    found = taken(
        "import threading\nLIMIT = 3\nlock = threading.Lock()",
        "%%writefile beside.py\ndef twice(x):\n    return 2 * x",
        "from beside import twice\n\nclass Base:\n    def more(self, number):\n        return twice(number)",
        "class MyQueue(Base):\n    def receive(self, number):\n        return [self.more(number), LIMIT, helper()]",
        "def helper():\n    with lock:\n        return 'late'",
    )
    assert not found.remarks and not found.flags
    assert answer(found)().receive(4) == [8, 3, "late"]


def test_two_functions_leave_together_and_only_if_both_are_there() -> None:
    assert set(taken("def scenario(world): pass").answers) == set()
    both = taken("def scenario(world): pass", "def claim(trace): return 'said'").answers
    assert pickle.loads(both["3.4"])["claim"](None) == "said"


def test_what_cannot_leave_is_told() -> None:
    found = taken("lines = (line for line in 'ab')\n" + QUEUE.replace("[number]", "next(lines)"))
    assert found.answers == {}
    assert found.cannot["3.1"].startswith("MyQueue cannot be taken out of the notebook (TypeError: cannot pickle")


def test_predictions_leave_as_numbers_and_texts_and_nothing_else() -> None:
    keep = "from chatsys.teach.grading import predictions\npredictions.kept.update({0!r})"
    found = taken(keep.format({"3a": 4, "3b": 0.5, "3c": True, "3d": "no"}))
    assert found.predictions == {"3a": 4, "3b": 0.5, "3c": True, "3d": "no"}
    found = taken(QUEUE, keep.format({"3a": [1]}), QUEUE)
    assert found.predictions == {} and "3.1" in found.answers


def test_a_name_that_comes_below_is_found_in_a_second_round() -> None:
    found = taken("class MyQueue(Base):\n    pass", "class Base:\n    def receive(self, number): return [number]")
    assert answer(found)().receive(1) == [1]
    assert found.remarks == ["cell c1 uses a name that comes below it, so it was run again at the end"]


# --- what costs only itself -------------------------------------------------------------------------

HARMLESS = {
    "print('x' * 20_000_000)": "",
    "x = 1 // 0": "ZeroDivisionError: integer division or modulo by zero (in your cell, line 1)",
    "def f(:": "SyntaxError: invalid syntax",
    "raise NotImplementedError": "",
    "import sys\nsys.exit(3)": "SystemExit: 3",
    "exit()": "SystemExit",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "input('name? ')": "EOFError: nobody answers input() while a notebook is graded",
    "%config InteractiveShell.ast_node_interactivity = 'all'": "",
    "%%time\n1 + 1": "",
    "!ls": "OSError",
    "import os\nos.fork()": "PermissionError",
    "import subprocess\nsubprocess.run(['true'])": "PermissionError",
    "import os\nos.kill(os.getppid(), 9)": "PermissionError",
    "open('/etc/passwd')": "PermissionError",
    "open('/tmp/poison', 'w')": "PermissionError",
    "import asyncio\nawait asyncio.sleep(0.01)": "",
    "class E(Exception):\n    def __str__(self):\n        raise self\nraise E": "E: its message cannot be shown",
    "from chatsys import delivery_matrix, grade, show\ngrade('3.1', 5)": "",
    "get_ipython().ast_node_interactivity = 'all'\n5": "",
    "import sys\nsys.stdout = sys.stderr = None": "",
    "import threading, time\nthreading.Thread(target=lambda: [time.sleep(9)] * 9).start()": "",
    "import builtins, IPython\nbuiltins.print = None\nIPython.get_ipython().run_cell = None": "",
}


def test_each_of_these_costs_only_itself() -> None:
    found = taken(QUEUE, *HARMLESS, "def scenario(world): pass\ndef claim(trace): pass", limits=CellLimits())
    assert set(found.answers) == {"3.1", "3.4"}
    for number, says in enumerate(HARMLESS.values(), 2):
        told = found.cells.get(f"c{number}", "")
        assert told.startswith(f"cell c{number} raised {says}") if says else not told, (number, told)
    assert found.unwritten == ["c5"] and not found.flags
    assert not Path("/tmp/poison").exists()


ENDS = {
    "while True: pass": r"did not end within 0.5 s of CPU; it was in your cell, line 1",
    "while True:\n    try:\n        while True: pass\n    except BaseException: pass": "did not end within 0.5 s of CPU",
    "sum(__import__('itertools').count())": "did not end within 0.5 s of CPU; it was left out",
    "while True: print('x' * 1000)": "did not end within 0.5 s of CPU",
    "import os\nos._exit(3)": "ended the process in which it ran (code 3)",
    "import ctypes\nctypes.string_at(0)": "ended the process in which it ran (signal SIGSEGV)",
}


@pytest.mark.parametrize("source", ENDS)
def test_a_cell_that_ends_the_process_is_named_and_those_around_it_count(source: str) -> None:
    found = taken(QUEUE, source, "def scenario(world): pass\ndef claim(trace): pass")
    assert set(found.answers) == {"3.1", "3.4"}
    assert found.cells["c2"].startswith(f"cell c2 {ENDS[source]}") and not found.flags
    assert found.cpu < 3 and found.memory < 200 << 20


def test_memory_that_a_cell_keeps_is_given_back_by_leaving_it_out() -> None:
    small = CellLimits(memory=600 << 20)
    found = taken(
        QUEUE, "kept = []\nwhile True: kept.append(bytearray(10_000_000))", "x = bytearray(200_000_000)", limits=small
    )
    assert "3.1" in found.answers
    assert found.remarks == ["cell c2 took all of the 600 MiB of memory that a notebook has; it was left out"]
    found = taken(
        "try:\n    kept = bytearray(1 << 40)\nexcept MemoryError: pass", "b = [0] * (1 << 40)", QUEUE, limits=small
    )
    assert "3.1" in found.answers and found.remarks == ["cell c2 raised MemoryError (in your cell, line 1)"]


def test_files_that_a_cell_writes_are_bounded_in_bytes_and_number() -> None:
    small = CellLimits(files=5 << 20)
    many = "import time\nfor n in range(20): open(str(n), 'wb').write(b'x' * 1_000_000)\ntime.sleep(1)"
    found = taken(QUEUE, many, "open('one', 'wb').write(b'x' * 9_000_000)", limits=small)
    assert "3.1" in found.answers
    assert found.cells["c2"] == "cell c2 wrote files of more than 5 MiB; it was left out"
    assert found.cells["c3"].startswith("cell c3 raised OSError: [Errno 27] File too large")


TOO_MUCH = {
    "wrote files of more than 5 MiB": "for n in range(9): open(str(n), 'wb').write(b'x' * 1_000_000)",
    "began more than 200 threads": "import threading, time\nthreading.stack_size(1 << 16)\n"
    "for n in range(300): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
}


@pytest.mark.parametrize("said", TOO_MUCH)
def test_what_a_cell_leaves_behind_is_not_blamed_on_the_next_one(said: str) -> None:
    found = taken(QUEUE, TOO_MUCH[said], "import time\ntime.sleep(0.5)", limits=CellLimits(files=5 << 20))
    assert "3.1" in found.answers and found.cells == {"c2": f"cell c2 {said}; it was left out"}


@pytest.mark.parametrize("late", [0.0, 0.6])
def test_files_of_two_cells_together_are_too_many_for_the_second(late: float, monkeypatch: pytest.MonkeyPatch) -> None:
    look = CellProcess._look

    def look_late(self: CellProcess) -> Taken:
        time.sleep(late if self.cell == 2 else 0.0)  # c4 begins between what was heard and what is seen
        return look(self)

    monkeypatch.setattr(CellProcess, "_look", look_late)
    half = "import os\nopen(os.urandom(4).hex(), 'wb').write(b'x' * 3_000_000)"
    found = taken(QUEUE, half, "import time\ntime.sleep(0.3)", half, limits=CellLimits(files=5 << 20))
    assert "3.1" in found.answers and list(found.cells) == ["c4"]


@pytest.mark.skipif(sys.platform != "linux", reason="only there")
def test_files_that_stand_in_no_folder_count_and_threads_are_bounded() -> None:
    small = CellLimits(files=5 << 20)
    gone = "import os, time\nfor n in range(9): f = os.open('x', 66); os.unlink('x'); os.write(f, b'x' * 2_000_000)\ntime.sleep(2)"
    many = "import threading, time\nthreading.stack_size(1 << 16)\nfor n in range(300): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\ntime.sleep(2)"
    found = taken(QUEUE, gone, many, limits=small)
    assert "3.1" in found.answers
    assert found.cells["c2"] == "cell c2 wrote files of more than 5 MiB; it was left out"
    assert found.cells["c3"] == "cell c3 began more than 200 threads; it was left out"


def test_a_cell_that_only_sleeps_is_left_out_and_told_its_line() -> None:
    found = taken("import time\ntime.sleep(100)", QUEUE, limits=CellLimits(cell=0.5, patience=2.0))
    assert "3.1" in found.answers and not found.flags and not found.undecided
    told = "cell c1 slept for 1 s and computed nothing; it was in your cell, line 2; it was left out"
    assert found.cells["c1"] == told


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who sleeps from who is suspended")


WORKS = "import time\nuntil = time.process_time() + 0.2\nwhile time.process_time() < until: pass"
"""Long enough to be met at work."""


def cell_processes() -> list[psutil.Process]:
    """Return the processes of ours in which cells run."""
    found = []
    for one in psutil.Process().children():
        with suppress(psutil.Error):  # it has just ended: an earlier one, whose end was not fetched yet
            if "grading.running" in " ".join(one.cmdline()):
                found.append(one)
    return found


def suspend(monkeypatch: pytest.MonkeyPatch, seconds: float | None) -> list[int]:
    """Let the process be suspended when its second cell begins, for so long or for ever; the list gets whom it hit."""
    hear, hit = _Taking._hear, []

    def also(self: _Taking, told: Told) -> None:
        if told == Begun(1):
            (process,) = cell_processes()
            process.suspend()
            hit.append(process.pid)
            if seconds is not None:
                threading.Timer(seconds, process.resume).start()
        hear(self, told)

    monkeypatch.setattr(_Taking, "_hear", also)
    return hit


@LINUX
def test_a_process_that_is_suspended_for_longer_than_it_may_sleep_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hit = suspend(monkeypatch, 2.0)
    found = taken("x = 1", WORKS, QUEUE, limits=CellLimits(cell=0.5, patience=1.5, notebook=5.0))
    assert hit and "3.1" in found.answers
    assert not found.remarks and not found.flags and not found.undecided


@LINUX
def test_a_process_that_is_never_let_go_on_is_given_up_and_nobody_is_to_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    hit = suspend(monkeypatch, None)
    found = taken("x = 1", WORKS, QUEUE, limits=CellLimits(cell=0.5, patience=1.5, notebook=0.6))
    assert hit and not found.answers and not found.cells
    assert found.undecided == "this machine had no time for its cells, or suspended them, from c2 on"
    assert found.flags == found.remarks == [found.undecided]


def test_the_cells_have_one_budget_and_what_was_taken_before_it_ended_stays() -> None:
    loop = "import time\nwhile time.process_time() < 100: pass"
    found = taken(QUEUE, *[loop] * 9, limits=CellLimits(cell=0.3, notebook=0.7))
    assert "3.1" in found.answers and found.cpu < 3
    assert "s of CPU" in found.remarks[-1] and "not run" in found.remarks[-1]


def test_ever_new_deaths_come_to_an_end() -> None:
    found = taken(QUEUE, *["import os\nos._exit(1)"] * 20)
    assert "3.1" in found.answers
    assert "in 8 processes, so some were not run" in found.remarks[-1]


def test_a_cell_that_pretends_to_be_ever_new_ones_comes_to_an_end() -> None:
    pretend = (
        "import gc, time\nfrom chatsys.teach.grading import exchange\n"
        "find = lambda name: next(one for one in gc.get_objects() if type(one).__name__ == name)\n"
        "channel, find('_Watch')._since = find('Channel'), None\n"
        "while True: channel.tell(exchange.Begun(1)); time.sleep(0.02)"
    )
    found = taken(QUEUE, pretend, QUEUE, limits=CellLimits(cell=0.2, notebook=0.5))
    assert "3.1" in found.answers
    assert found.remarks == ["its cells slept too long, the last one c2, so some were not run"]


def test_who_writes_into_the_channel_can_only_answer_or_be_cut_off() -> None:
    find = "import gc\nchannel = next(one for one in gc.get_objects() if type(one).__name__ == 'Channel')\n"
    found = taken(QUEUE, find + "channel._file.write(b'x' * 100); channel._file.flush()\nwhile True: pass", QUEUE)
    assert "3.1" in found.answers
    assert found.cells["c2"] == "cell c2 wrote into the channel of the grader; it was left out"
    forge = "from chatsys.teach.grading import exchange as running\nchannel.tell(running.Packed('99', b'x')); channel.tell(running.Begun(99))\n"
    found = taken(
        QUEUE,
        find
        + forge
        + "channel.tell(running.Predicted({'3a': 'x' * 1000}))\nwhile True: channel.tell(running.Begun(1))",
    )
    assert set(found.answers) == {"3.1"} and found.cpu < 8


# --- what is left afterwards ------------------------------------------------------------------------


def test_nothing_is_left_of_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = dict(os.environ)
    deep = "import os\nos.makedirs('a/b')\nopen('a/b/c', 'w').write('x')\nos.chmod('a/b', 0)\nos.chmod('a', 0)"
    look = "import os\nassert not os.path.exists('mark'), 'seen'\nopen('mark', 'w').write('x')\n"
    for _ in range(2):
        found = taken(deep, look + "os.environ['MARK'] = '1'\nassert os.listdir(os.environ['HOME'])", QUEUE)
        assert not found.remarks
    assert list(tmp_path.iterdir()) == []
    assert dict(os.environ) == environment
    assert cell_processes() == []


def test_the_process_gets_nothing_of_our_environment_and_of_our_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "1")
    root = str(Path(__file__).parents[2])
    look = (
        "import os, sys\n"
        "assert 'SECRET_OF_OURS' not in os.environ and os.environ['HOME'] == os.getcwd(), os.environ\n"
        f"assert {root!r} not in sys.path and '' not in sys.path, sys.path\n"
        f"try:\n    os.listdir({root!r})\n    seen = True\nexcept OSError:\n    seen = False\nassert not seen"
    )
    found = taken(look)
    if "files" in found.held:
        assert not found.remarks


def test_a_notebook_without_trouble_takes_a_moment() -> None:
    begun = time.process_time()
    found = taken(QUEUE, "from chatsys import delivery_matrix, show", *["x = 1"] * 20)
    assert found.cpu < 2.0 and time.process_time() - begun < 1.0 and not found.remarks
