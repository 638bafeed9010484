"""Tasks for the processes of workers: they compute, sleep, go on for ever, eat memory, forge an answer, are killed.

    worker.submit(tasks.compute, 0.4)

They stand in a file of their own because each process that is given one imports it: beside the tests they would bring
pytest along, which takes longer than most of these tasks.

Read also `test_worker` and `test_part_files`, which give them.
"""

import os
import signal
import time
from pathlib import Path
from typing import Any

from chatsys.isolation.serving import heartbeat


def compute(parts: Any, seconds: float) -> str:
    """Compute until so much CPU time has gone."""
    heartbeat("computes")
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
    return "done"


def compute_and_say_so(parts: Any, seconds: float) -> str:
    """Compute until so much CPU time has gone, and say all the time that it goes on."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        heartbeat()
    return "done"


def sleep(parts: Any) -> None:
    heartbeat("step 1")
    time.sleep(60)


def go_on(parts: Any) -> None:
    while True:
        heartbeat("again")


def one_long_call(parts: Any) -> None:
    heartbeat("the long call")
    sum(range(10**12))  # the interpreter is held; its own watch cannot look


def naps(parts: Any) -> None:
    while True:
        for _ in range(2_000):  # so that the clocks are looked at
            pass
        time.sleep(0.2)


class Evil:
    """Writes a file where it is unpickled."""

    def __init__(self, flag: str) -> None:
        self.flag = flag

    def __reduce__(self) -> Any:
        return Path.touch, (Path(self.flag),)


def forge(parts: Any, flag: str) -> Any:
    """Return what does something where it is opened."""
    import pickle

    return pickle.dumps(Evil(flag))


def write_everywhere(parts: Any) -> None:
    for descriptor in range(3, 30):
        try:
            os.write(descriptor, b"\x00\x00\x00\x05noise")
        except OSError:
            pass
    time.sleep(60)


def eat(parts: Any) -> int:
    return len([bytes(10_000_000) for _ in range(300)])


def killed_once(parts: Any, flag: str) -> str:
    if not os.path.exists(flag):
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"
