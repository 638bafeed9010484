"""The guarded worker: CPU time accuses, the clock on the wall only ends, and nothing that comes from it is trusted."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tasks import compute, forge, go_on, naps, one_long_call, sleep, write_everywhere

from chatsys.isolation.answer import Answer, Bounds
from chatsys.isolation.deadline import Clocks, Deadline, TimeUp
from chatsys.isolation.in_process import InProcessWorker
from chatsys.isolation.worker import Worker, call_in_worker

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are suspended on Linux and macOS")


@pytest.fixture
def hire() -> Iterator[Callable[..., Worker]]:
    """Make workers that end with the test."""
    workers: list[Worker] = []

    def made(**bounds: Any) -> Worker:
        workers.append(Worker(b"", Bounds(**bounds)))
        return workers[-1]

    yield made
    for worker in workers:
        worker.kill()


def test_a_task_whose_process_was_suspended_for_longer_than_a_step_may_take_is_not_accused(
    hire: Callable[..., Worker],
) -> None:
    worker = hire(step=1.9)
    worker.submit(compute, 1.4)
    child = psutil.Process(worker.process.pid)
    while worker.step != "computes":
        assert worker.poll() is None
    child.suspend()
    answers: list[Answer] = []
    waiting = threading.Thread(target=lambda: answers.append(worker.wait()))
    waiting.start()
    waiting.join(2.5)  # longer than the step; nothing else can be awaited here but time
    assert waiting.is_alive(), answers
    child.resume()
    waiting.join(60)
    assert answers[0].verdict == "done", answers


def test_a_process_that_stays_suspended_is_late_and_accused_of_nothing(hire: Callable[..., Worker]) -> None:
    worker = hire(step=0.2)
    worker.submit(compute, 0.0)
    assert worker.wait().done
    psutil.Process(worker.process.pid).suspend()
    worker.submit(compute, 0.0)
    answer = worker.wait()
    assert answer.verdict == "late"
    assert answer.value == "It did not end within 1 s, and the process did not say where."


def test_a_task_that_only_waits_is_late_with_its_step_and_its_line(hire: Callable[..., Worker]) -> None:
    worker = hire(step=0.3)
    worker.submit(sleep)
    answer = worker.wait()
    assert (answer.verdict, answer.step) == ("late", "step 1")
    assert answer.value.startswith("It did not end within 1.5 s, of which it computed 0.0 s; it waits in tasks.py, ")


def test_the_whole_time_ends_a_task_that_goes_on_and_on(hire: Callable[..., Worker]) -> None:
    worker = hire(step=60.0, whole=1.0)
    worker.submit(go_on)
    answer = worker.wait()
    assert (answer.verdict, answer.step) == ("late", "again")
    assert answer.value.startswith("It did not end within 1 s; it was in ")


def test_a_single_call_of_c_that_never_ends_is_accused_by_its_cpu_time(hire: Callable[..., Worker]) -> None:
    worker = hire(step=1.0)
    worker.submit(one_long_call)
    answer = worker.wait()
    assert (answer.verdict, answer.step) == ("hung", "the long call"), answer


def test_what_comes_from_a_plain_worker_is_not_opened(hire: Callable[..., Worker], tmp_path: Path) -> None:
    worker = hire(plain=True)
    worker.submit(forge, str(tmp_path / "flag"))
    answer = worker.wait()
    assert answer.done and isinstance(answer.value, bytes)
    assert not (tmp_path / "flag").exists()


def test_noise_in_the_pipe_of_the_answer_is_told_in_a_sentence(hire: Callable[..., Worker]) -> None:
    worker = hire(step=30.0)
    worker.submit(write_everywhere)
    assert worker.wait().value == "What it answered cannot be read."
    worker.submit(compute, 0.0)
    assert worker.wait().done, "the next task finds a fresh process"


def test_a_script_without_a_guard_can_grade(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "from chatsys import grade\n\n\nclass MyHoldBack:\n    def __init__(self, first=1):\n        pass\n\n"
        "    def receive(self, number, message):\n        return [message]\n\n\nprint(grade('3.1', MyHoldBack, seeds=range(2)))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.startswith("3.1  not yet (1 of 14 points).  With seed "), done.stdout + done.stderr
    assert done.stdout.count("3.1") == 2, "the file is run once: its grade, and how to show it"


def test_without_processes_a_task_that_waited_is_late_and_one_that_computed_hung() -> None:
    worker = InProcessWorker(b"", Bounds(step=0.5))
    worker.submit(compute, 30.0)
    assert worker.wait().verdict == "hung"
    worker = InProcessWorker(b"", Bounds(step=0.2))
    worker.submit(naps)
    assert worker.wait().verdict == "late"


def test_a_step_that_begins_after_the_whole_time_is_over_does_not_begin() -> None:
    with Deadline(30.0, whole=0.0) as deadline, pytest.raises(TimeUp) as late:
        deadline.heartbeat("seed 2")
    assert late.value.verdict == "late"


def test_a_task_that_is_done_is_done() -> None:
    assert call_in_worker(compute, 0.1, limit=10.0).value == "done"


def test_a_task_that_had_no_processor_has_not_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(step=0.02)
    time.sleep(0.3)
    late = clocks.over(sys._getframe())
    assert late is not None and late.verdict == "late"
    monkeypatch.setattr("chatsys.isolation.deadline.queued", lambda: clocks.queued + 1000.0)
    assert clocks.over(sys._getframe()) is None, "whoever is ready to run waits for nothing of its own"
