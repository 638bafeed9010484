"""Floods: output without end, from whatever somebody's own code writes with, fills neither memory nor disk.

Each flood is let loose in a process of its own, whose memory can be looked at.
"""

import json
import os
import re
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from flooding import Garbage, Loud, Unstartable, big

from chatsys.errors import ChatsysError, named, told
from chatsys.isolation import fork_server
from chatsys.isolation.budget import Allowance
from chatsys.isolation.drain import Drain, say_bytes
from chatsys.isolation.limits import Quota
from chatsys.isolation.worker import call_in_worker
from chatsys.runtime.cluster import Cluster
from chatsys.runtime.nodes.process import PRINTED, ProcessNode
from chatsys.teach.grading.grader import grade

MIB = 1 << 20


def in_a_process(script: str, limit: float = 120.0) -> Any:
    """Run `script`, which sets `answer`, in a process; return (answer, MiB by which its memory grew at most, stderr)."""
    whole = (
        f"import json, resource\npeak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        f"import chatsys.teach.grading.grader, chatsys.teach.labs.lab03.checks, chatsys.isolation.worker\n"
        f"if __name__ == '__main__':\n    before = peak()\n{textwrap.indent(textwrap.dedent(script), '    ')}\n"
        f"    print(json.dumps([answer, peak() - before]))\n"
    )
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, timeout=limit, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return *json.loads(done.stdout.splitlines()[-1]), done.stderr


# --- a drain --------------------------------------------------------------------------------------


def test_a_drain_passes_on_the_first_bytes_says_that_it_cut_and_remembers_the_last() -> None:
    reading, writing = os.pipe()
    given: list[bytes] = []
    drain = Drain(os.fdopen(reading, "rb"), given.append, most=1000, last=100)
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(b"a" * 5_000_000 + b"\nthe reason\n")
    assert drain.wait(10.0)
    whole = b"".join(given)
    assert whole == b"a" * 1000 + b"\n[Output was cut after 1000 bytes; what came then was not kept.]\n"
    assert drain.read == 5_000_012 and len(drain.tail) == 100 and drain.last_line() == "the reason"


def test_a_drain_reads_on_when_the_disk_is_full() -> None:
    def full(data: bytes) -> None:
        raise OSError(28, "No space left on device")

    reading, writing = os.pipe()
    drain = Drain(os.fdopen(reading, "rb"), full, most=1 << 30)
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(b"a" * 1_000_000)
    assert drain.wait(10.0) and drain.read == 1_000_000


def test_one_enormous_line_is_told_by_its_beginning() -> None:
    reading, writing = os.pipe()
    drain = Drain(os.fdopen(reading, "rb"))
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(b"a" * 1_000_000)
    assert drain.wait(10.0) and drain.last_line() == "a" * 300 + " ..."


@pytest.mark.parametrize(
    ("count", "said"), [(12, "12 bytes"), (1 << 10, "1 KiB"), (3 * MIB // 2, "1.5 MiB"), (1 << 31, "2 GiB")]
)
def test_bytes_are_said_as_people_read_them(count: int, said: str) -> None:
    assert say_bytes(count) == said


def test_an_error_with_an_enormous_or_a_broken_message_is_still_one_sentence() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert named(Broken()) == "Broken: its message cannot be shown"
    sentence = told(ValueError("a" * 10_000_000))
    assert sentence == f"ValueError: {'a' * 500} ... (cut after 500 of 10,000,000 characters)"


# --- a student's class ----------------------------------------------------------------------------

FLOODS = {
    "print": "while True: print('x' * 1000)",
    "stderr": "import sys\nwhile True: print('x' * 1000, file=sys.stderr)",
    "descriptors": "import os\nwhile True: os.write(1, b'x' * 100_000); os.write(2, b'x' * 100_000)",
    "libc": "import ctypes\nwhile True: ctypes.CDLL(None).write(2, b'x' * 100_000, 100_000)",
}


@pytest.mark.parametrize("flood", FLOODS)
def test_output_without_end_is_a_loop_that_is_told_and_memory_stays_flat(flood: str) -> None:
    sentence, grown, shown = in_a_process(_asked_once(FLOODS[flood]))
    assert sentence.startswith("It did not end within 0.4 s; it hung in your cell, line ")
    assert grown < 40 and shown == ""


def test_who_floods_the_pipe_of_the_answers_is_ended_by_that() -> None:
    code = """
import os
for place in range(3, 20):
    try:
        for _ in range(400):
            os.write(place, b"x" * 100_000)
    except OSError:
        pass
os._exit(0)"""
    sentence, grown, _ = in_a_process(_asked_once(code))
    assert sentence == "What MyHoldBack answered is longer than 1 MiB."
    assert grown < 80


def _asked_once(code: str) -> str:
    """Return a script that asks a class of which `receive` runs this code, and keeps why it cannot be asked on."""
    return f"""
        import sys
        sys.path += {[str(Path(__file__).parents[1] / "support")]!r}
        from remotely import body, remotely, script
        from chatsys.isolation.remote import Gone
        try:
            with remotely(body({code!r})) as remote:
                remote.run([script(1)])
        except Gone as gone:
            answer = gone.sentence
    """


def test_much_output_and_one_enormous_line_cost_no_points() -> None:
    points, grown, _ = in_a_process("""
        class MyHoldBack:
            def __init__(self, first=1):
                self.due, self.early = first, {}
            def receive(self, number, message):
                if self.due == number == 3:
                    print("x" * 5_000_000)
                    print("x\\n" * 100_000)
                if number >= self.due:
                    self.early[number] = message
                ready = []
                while self.due in self.early:
                    ready.append(self.early.pop(self.due))
                    self.due += 1
                return ready
        answer = chatsys.teach.grading.grader.grade("3.1", MyHoldBack, seeds=range(2)).points
    """)
    assert points == POINTS and grown < 40


POINTS = 14
"""What the public part of 3.1 is worth."""


def right(first_do: Callable[[], object], in_init: Callable[[], object] = int) -> type:
    """Return a right answer that does something else in each call, and when it is made.

    Defined in a function it is handed in by value, as a class of a notebook is.
    """

    class MyHoldBack:
        def __init__(self, first: int = 1) -> None:
            in_init()
            self.due = first
            self.early: dict[int, Any] = {}

        def receive(self, number: int, message: Any) -> list[Any]:
            first_do()
            if number >= self.due:
                self.early[number] = message
            ready = []
            while self.due in self.early:
                ready.append(self.early.pop(self.due))
                self.due += 1
            return ready

    return MyHoldBack


def test_a_message_of_an_error_is_cut() -> None:
    def fail() -> None:
        raise ValueError("x" * 5_000_000)

    sentence = grade("3.1", right(fail), seeds=range(2)).sentence
    assert "(cut after 500 of 5,000,000 characters) (test_floods.py, line " in sentence and len(sentence) < 800


def test_a_class_that_leaves_or_keeps_threads_is_told_and_at_once() -> None:
    assert "raised SystemExit: 3 (test_floods.py, line " in grade("3.1", right(lambda: sys.exit(3))).sentence
    keeps = right(int, in_init=lambda: threading.Thread(target=time.sleep, args=(1000,)).start())
    result = grade("3.1", keeps)
    assert (result.verdict, result.points) == ("fail", 0)
    told = r"MyHoldBack starts threads \(test_floods.py, line \d+\) that go on .* the judge does not allow; do all of the work"
    assert re.match(told, result.sentence), result.sentence


# --- who sleeps, and who is put to sleep ------------------------------------------------------------


def test_a_class_that_sleeps_is_told_that_and_not_of_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "quota", lambda self: Quota(operation=0.1))
    result = grade("3.1", right(lambda: time.sleep(60)), seeds=range(1))
    assert (result.verdict, result.points) == ("fail", 0)
    assert result.sentence.startswith("It slept for 1 s in test_floods.py, line "), result.sentence


def test_a_class_whose_process_was_suspended_gets_its_points() -> None:
    suspended: list[bool] = []

    def compute_until_suspended() -> None:
        """In the first call: compute until the clock has jumped, so that no machine is too quick for this test."""
        last = time.monotonic()
        while not suspended:
            now = time.monotonic()
            if now - last > 3.5 or time.process_time() > 2.5:
                suspended.append(True)
            last = now

    results: list[Any] = []
    works = right(compute_until_suspended)
    grading = threading.Thread(target=lambda: results.append(grade("3.1", works, seeds=range(20))))
    grading.start()
    child = _child_at_work(grading)
    child.suspend()
    try:
        grading.join(4.0)  # longer than one call may compute; nothing else can be awaited here but time
        assert grading.is_alive()
    finally:
        child.resume()
    grading.join(90)
    assert (results[0].verdict, results[0].points) == ("pass", POINTS), results[0].sentence


def _child_at_work(grading: threading.Thread) -> psutil.Process:
    """Return the process of the class once it is being asked."""
    while grading.is_alive():
        for child in psutil.Process(fork_server.running().pid).children():
            with suppress(psutil.Error):
                if child.cpu_times().user > 0.5:
                    return child
        time.sleep(0.01)
    raise AssertionError("the grading ended before it could be suspended")


# --- node processes -------------------------------------------------------------------------------


def printed_by(cluster: Cluster, *nodes: int) -> list[Drain]:
    """Return what takes in the output of each of these nodes, which live in processes."""
    drains = []
    for node in nodes:
        process = cluster.supervisor.nodes[node]
        assert isinstance(process, ProcessNode) and process.printed is not None
        drains.append(process.printed)
    return drains


@pytest.mark.skipif(os.name == "nt", reason="nodes in processes need Linux or macOS")
def test_a_node_that_prints_without_end_goes_on_and_its_file_stays_small(tmp_path: Path) -> None:
    files = [tmp_path / f"node{node}" / "stderr.txt" for node in (1, 2)]
    with Cluster(2, "processes", actor=Loud, data=tmp_path) as cluster:
        printed = printed_by(cluster, 1, 2)
        assert cluster.until(lambda: all(one.read > 3 * PRINTED for one in printed), 30)
        cluster.crash(1)
        cluster.restart(1)
        printed = printed_by(cluster, 1, 2)
        assert cluster.until(lambda: all(one.read > 3 * PRINTED for one in printed), 30)
        assert all(status["alive"] for status in cluster.status().values())
    for file in files:
        whole = file.read_bytes()
        assert PRINTED < len(whole) <= PRINTED + 200
        assert whole.count(b"[Output was cut after 1 MiB; what came then was not kept.]") == 1


@pytest.mark.skipif(os.name == "nt", reason="nodes in processes need Linux or macOS")
def test_why_a_process_did_not_start_is_told_by_its_last_line_only(tmp_path: Path) -> None:
    with pytest.raises(ChatsysError, match="^Node 1's process did not start: the reason.$"):
        Cluster(1, "processes", actor=Unstartable, data=tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="nodes in processes need Linux or macOS")
def test_a_node_that_writes_into_the_pipe_of_its_trace_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(ChatsysError, match="wrote into the pipe of its trace what is no trace"):
        Cluster(1, "processes", actor=Garbage, data=tmp_path)


# --- workers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "verdict"), [("Chatty", ""), ("Bursts", "ended with code 7.")])
def test_what_classes_print_in_a_sweep_is_cut_once_for_all_its_processes(kind: str, verdict: str) -> None:
    told, grown, shown = in_a_process(f"""
        import sys
        sys.path += {[str(Path(__file__).parents[1] / "support")]!r}
        import flooding
        from chatsys.campaign.sweep import guarded_sweep
        from chatsys.campaign.one_seed import Plan
        played = guarded_sweep(range(6), Plan(seconds=3, calm=1, kinds=()), {{"election": flooding.{kind}}})
        answer = [one.inconclusive for one in played]
    """)
    assert all(one.endswith(verdict) for one in told) and len(told) == 6
    assert shown.count("[Output was cut after 64 KiB; what came then was not kept.]") == 1
    assert len(shown) < (1 << 16) + 2000
    assert grown < 60


def test_an_answer_that_is_too_long_is_no_answer() -> None:
    answer = call_in_worker(big, limit=30.0)
    assert answer.verdict == "died" and answer.value.startswith("What it answered is longer than 256 MiB")
