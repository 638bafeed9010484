"""Classes in files, given on the command line: whatever they do, a sentence names their line, and stdout stays clean."""

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tasks import compute_and_say_so, eat, killed_once
from typed import Run, refused

from chatsys.campaign import loading
from chatsys.campaign.guarded_search import search_in_worker
from chatsys.campaign.loading import load_parts, misfits, read_parts, wrong_answers
from chatsys.campaign.one_seed import Plan
from chatsys.campaign.sweep import guarded_sweep, sweep
from chatsys.errors import UsageError
from chatsys.explore.explorer import Budget
from chatsys.isolation.answer import Bounds
from chatsys.isolation.worker import Worker, call_in_worker, packed

SHORT = Plan(seconds=3, calm=1, kinds=())
BULLY = "from chatsys.protocol.election import Bully\n\n\n"
DOOR = "class P(Bully):\n    def on_message(self, sender, message, now):\n"


def written(folder: Path, code: str, name: str = "mine.py") -> str:
    """Write a file and return the words that name its class P."""
    (folder / name).write_text(code)
    return f"election={folder / name}:P"


def sentence(folder: Path, code: str) -> str:
    """Return what is said against class P of a file that can be run."""
    file = written(folder, code).removeprefix("election=").removesuffix(":P")
    try:
        return " ".join(misfits(load_parts([("election", file, "P")])))
    except UsageError as error:
        return str(error)


# --- what is refused before anything is played ---------------------------------------------------


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("class P: pass\n", "P (mine.py, line 1) cannot be the part election, for it has no follow, lead, nominate"),
        (BULLY + "class P(Bully):\n    def __init__(self): pass\n", "P (mine.py, line 4) cannot be made"),
        (
            BULLY + "class P(Bully):\n    def __init__(self, *given):\n        1 / 0\n",
            "division by zero (mine.py, line 6)",
        ),
        (BULLY + "class P(Bully):\n    def __init__(self, *given): exit('no')\n", "SystemExit: no (mine.py, line 5)"),
        (
            BULLY + "class P(Bully):\n    def __init__(self, *given): pass\n",
            "P (mine.py, line 4) lacks me, config, random, alarms",
        ),
        (BULLY + "P = Bully\n", "P in mine.py is chatsys' own Bully; name a class of your own: it has no classes"),
        (BULLY + "class Q(Bully): pass\n", "mine.py has no class P; it has Q."),
        (BULLY + "P = 5\n", "mine.py has no class P; it has no classes of its own."),
        (
            BULLY + "class P(Bully):\n    def on_message(self, sender): return []\n",
            "P.on_message (mine.py, line 5) cannot be called with (sender, message, now); write "
            "`def on_message(self, sender, message, now)`.",
        ),
        (BULLY + "class P(Bully):\n    settle = 5\n", "P.settle (mine.py, line 4) is no method; write `def settle("),
        ("import nonesuch_module\n", "mine.py cannot be run: ModuleNotFoundError: No module named 'nonesuch_module'"),
        ("x = (\n", "mine.py cannot be run: SyntaxError: '(' was never closed (mine.py, line 1)."),
        ("import sys\nsys.exit(3)\n", "mine.py cannot be run: SystemExit: 3 (mine.py, line 2)."),
        ("\0", "mine.py cannot be run: SyntaxError: source code string cannot contain null bytes."),
    ],
)
def test_what_cannot_be_a_part_is_refused_with_its_line(tmp_path: Path, code: str, words: str) -> None:
    assert words in sentence(tmp_path, code)


def test_a_part_that_is_no_subclass_but_has_all_doors_is_fine(tmp_path: Path) -> None:
    assert sentence(tmp_path, BULLY + DOOR + "        return []\n") == ""
    all_doors = (
        BULLY + "class P:\n    def __init__(self, *given): self.own = Bully(*given)\n"
        "    def __getattr__(self, name): return getattr(self.own, name)\n"
        "    messages = records = handles = ()\n    from_clients = None\n    deadline = 0\n"
    )
    doors = "lead follow nominate on_alarm on_command on_message on_time recover settle start status view".split()
    assert sentence(tmp_path, all_doors + "".join(f"    def {door}(self, *given): return []\n" for door in doors)) == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["election=a.txt:P"], "names a.txt, which is no Python file; its name must end in .py"),
        (["election=a.py:P", "election=b.py:P"], "--part names election twice"),
        (["elektion=a.py:P"], "--part names elektion, but the parts are "),
        (["election=none.py:P"], "names the file none.py, which is not there"),
        (["election=P"], "write NAME=FILE:Class"),
        (["election=folder.py:P"], "names the file folder.py, which is not there"),
    ],
)
def test_words_that_name_no_class_are_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.py", "b.py", "a.txt"):
        written(tmp_path, BULLY + DOOR + "        return []\n", name)
    (tmp_path / "folder.py").mkdir()
    options = [text for word in words for text in ("--part", word)]
    refused(run("simulate", "--seeds", "0:2", *options), said)


def test_a_file_that_never_ends_or_leaves_is_bad_input(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = written(tmp_path, "x = 1\nwhile x: x = 1\n")
    said = "chatsys: mine.py cannot be used: It did not end within 1.5 s; it hung in mine.py, line 2, in <module>."
    with monkeypatch.context() as soon:
        soon.setattr(loading, "LOADING", 1.5)
        refused(run("simulate", "--seeds", "0:2", "--part", part), said)
    with pytest.raises(UsageError, match=r"^mine.py cannot be used: The process that played it ended with code 7\.$"):
        read_parts([written(tmp_path, "import os\nos._exit(7)\n")])
    part = written(tmp_path, "print('hello')\nimport sys\nsys.exit(0)\n")
    refused(
        run("simulate", "--seeds", "0:2", "--part", part), "mine.py cannot be run: SystemExit: 0 (mine.py, line 3)."
    )


# --- what is played ------------------------------------------------------------------------------


def test_the_json_of_a_noisy_part_is_one_object_and_a_thread_keeps_nothing_alive(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(
        "import time\nfrom chatsys.protocol.election import Bully\n\n\ndef clock():\n    return time.time()\n"
    )
    part = written(
        tmp_path,
        "import os, threading, time\nfrom helper import Bully, clock\nprint('import')\n"
        "threading.Thread(target=time.sleep, args=(300,)).start()\n\n\n"
        + DOOR
        + "        os.write(1, b'noise')\n        self.at = clock()\n        return 42\n",
    )
    words = ["--seeds", "0:2", "--seconds", "2", "--calm", "0", "--shrink", "--json", "--part", part]
    done = subprocess.run(
        [sys.executable, "-m", "chatsys", "simulate", *words], capture_output=True, timeout=200, check=False
    )
    result = json.loads(done.stdout)
    assert done.returncode == 1 and b"noise" in done.stderr and b"import\n" in done.stderr
    assert b"Traceback" not in done.stderr
    assert result["warnings"] == [
        "P.on_message (mine.py, line 8) returned 42; return a list of effects, or [].",
        "helper.py, line 6 calls time.time(): a run with it cannot be repeated; use `now`, which every door is given.",
    ]
    assert result["shrunk"]["steps"] is not None


def test_a_part_that_loops_only_when_it_is_shrunk_is_given_up(tmp_path: Path) -> None:
    from chatsys.commands.simulate import shrunk

    code = read_parts([written(tmp_path, BULLY + DOOR + "        while True: pass\n")])
    answer = call_in_worker(shrunk, 1, SHORT, 30.0, parts=code, limit=1)
    assert answer.verdict == "hung" and "it hung in mine.py, line 6, in on_message" in answer.value


def test_a_search_with_a_part_of_ones_own_is_inconclusive_where_it_hangs_or_leaves(tmp_path: Path) -> None:
    budget = Budget(states=100, seconds=60)

    def search(line: str, step: float = 4) -> tuple[dict[str, Any], list[str]]:
        part = written(
            tmp_path, BULLY + DOOR + f"        {line}\n        return super().on_message(sender, message, now)\n"
        )
        return search_in_worker("election", read_parts([part]), {"terms": 2}, budget, step=step)

    found, missed = search("pass")
    assert found["why"].startswith("The budget of 100 distinct states ran out") and missed
    found, missed = search("while True: pass", step=1)
    assert found["verdict"] == "inconclusive" and "it hung in mine.py, line 6, in on_message" in found["why"]
    found, missed = search("raise SystemExit(0)")
    assert found["why"] == "The search was stopped by SystemExit: 0 (mine.py, line 6)."


def test_a_task_that_goes_on_is_not_given_up() -> None:
    answer = call_in_worker(compute_and_say_so, 1.0, limit=0.5)
    assert answer.value == "done"


def test_doors_that_answer_amiss_are_told_one_by_one(tmp_path: Path) -> None:
    file = written(tmp_path, BULLY + DOOR + "        return [7]\n").removeprefix("election=").removesuffix(":P")
    parts = load_parts([("election", file, "P")])
    assert wrong_answers(parts, 1, SHORT) == [
        "P.on_message (mine.py, line 5) returned a list with 7; return a list of effects, or []."
    ]


# --- the processes -------------------------------------------------------------------------------


def test_memory_is_bounded_and_the_next_task_finds_a_fresh_process() -> None:
    worker = Worker(b"", Bounds(step=60, memory=1 << 30))
    try:
        worker.submit(eat)
        answer = worker.wait()
        assert answer.verdict == "raised" and answer.value.startswith("MemoryError (tasks.py, line ")
        worker.submit(
            len,
        )
        assert worker.wait().value == 0
    finally:
        worker.kill()


def test_a_worker_that_is_killed_costs_one_task(tmp_path: Path) -> None:
    worker = Worker(b"", Bounds(step=60))
    try:
        worker.submit(killed_once, str(tmp_path / "flag"))
        assert worker.wait().value == "The process that played it ended with code -9."
        worker.submit(killed_once, str(tmp_path / "flag"))
        assert worker.wait().value == "alive"
    finally:
        worker.kill()


def test_a_guarded_sweep_needs_no_parts() -> None:
    assert list(guarded_sweep(range(4), SHORT, jobs=2)) == list(sweep(range(4), SHORT))


def test_classes_that_cannot_travel_are_told() -> None:
    import socket

    with socket.socket() as connection:

        class Connected:
            def enter(self) -> None:
                connection.listen()

    with pytest.raises(UsageError, match="These classes cannot be handed to another process: "):
        packed({"election": Connected})


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_no_worker_outlives_the_command() -> None:
    command = [sys.executable, "-m", "chatsys", "simulate", "--seeds", "0:5000", "--jobs", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        workers = _children(process.pid, 2)
    finally:
        process.kill()
        process.wait()
    until = time.monotonic() + 20
    while any(map(_alive, workers)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(map(_alive, workers))


def _children(pid: int, count: int) -> list[Any]:
    """Return the Python processes below `pid`, as soon as there are so many."""
    import psutil

    until = time.monotonic() + 60
    found: list[Any] = []
    while len(found) < count and time.monotonic() < until:
        time.sleep(0.1)
        found = [one for one in psutil.Process(pid).children() if "spawn_main" in " ".join(one.cmdline())]
    assert len(found) == count
    return found


def _alive(process: Any) -> bool:
    import psutil

    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_the_command_that_replays_a_violation_can_be_pasted_whatever_the_folder_is_called(
    tmp_path: Path, run: Run
) -> None:
    folder = tmp_path / "Ann's parts 2026"
    folder.mkdir()
    text = written(folder, BULLY + DOOR + "        raise ValueError('no')\n")
    _, out, _ = run("simulate", "--seeds", "0:1", "--seconds", 3, "--calm", 1, "--part", text, "--json")
    replay = shlex.split(json.loads(out)["violations"][0]["replay"])
    assert replay[-2:] == ["--part", text]
