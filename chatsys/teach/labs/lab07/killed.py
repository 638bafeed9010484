"""Killed: the same class on a real file, in a process of its own, which is ended with kill -9.

    kill(MyAnsweringLog)                   answers 100 records or more, is killed, and a new life loads the file
    kill(MyAnsweringLog, syncs=False)      its sync does nothing: what was written is with the operating system, and stays
    kill(MyAnsweringLog, buffered=True)    what was written stays in the process for a while: that goes with it

    this process <--the number of each answer-- the other one --write--> operating system --sync--> disk
                                                      `-- killed       `-- goes on living

A process with a buffer waits to be killed once something that it answered is in its hands: else it might be killed
just when it had handed all over, and nobody would see what is at stake.

A killed process shows what the *program* still had in its hands, never a missing sync: only a power cut shows that, and
only the toy file can cut the power.

Assumes   a machine that has processes, and signals to end them.
Promises  nothing of it is left behind: the process has ended and its folder is gone when `kill` returns.
Read also `real_file` (the file), `machine` (the toy file), `play`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Timer
from typing import IO, Any

import msgspec

from chatsys.capabilities import PROCESSES, need
from chatsys.errors import UsageError, told
from chatsys.isolation.pickling import pack
from chatsys.teach.labs.lab07.play import check_class
from chatsys.teach.labs.lab07.real_file import RealFile

ENOUGH, EVERY = 100, 4
"""After so many answers the process is killed; behind so many records it flushes."""
MOST = 10 * ENOUGH
"""So many answers a process with a buffer gives at most, until one is in its hands."""
RESTS = b".\n"
"""What a process with a buffer says once it waits to be killed."""
PATIENCE = 30.0
"""Seconds until a process that answers nothing is given up."""


class Killed(msgspec.Struct, frozen=True):
    """What came of a process that was killed."""

    answered: int
    loaded: int
    how: str

    @property
    def lost(self) -> int:
        """How many answered records are gone."""
        return max(0, self.answered - self.loaded)

    def __str__(self) -> str:
        lost = (
            f"{self.lost} of the answered ones {'is' if self.lost == 1 else 'are'} lost"
            if self.lost
            else "nothing is lost"
        )
        return f"{self.how}: {self.answered} were answered when it was killed, {self.loaded} are loaded: {lost}."

    __repr__ = __str__


def kill(cls: Any, *, syncs: bool = True, buffered: bool = False) -> Killed:
    """Let a process write a log with this class, kill it, and load what is left.

    Raises `UsageError` where the class stops by itself.
    """
    check_class(cls)
    need("A process that is killed", PROCESSES, instead="look at the picture of the power cut above")
    how = "with sync" if syncs else "without sync"
    how += ", with a buffer" if buffered else ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        answered = _run_and_kill(pack({"cls": cls}), [str(path), str(int(syncs)), str(int(buffered))])
        with RealFile(path) as file:
            try:
                loaded = cls(file).load()
            except Exception as error:
                raise UsageError(
                    f"load() of what the killed process left raised {told(error)}; mend that first."
                ) from None
    return Killed(answered, len(loaded), how)


def _run_and_kill(code: bytes, arguments: list[str]) -> int:
    """Return how many answers a process had given when it was killed."""
    command = [sys.executable, "-m", "chatsys.teach.labs.lab07.killed", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        bomb = Timer(PATIENCE, process.kill)
        bomb.start()
        try:
            process.stdin.write(code)
            process.stdin.close()
            answered = _read(process.stdout, rests=arguments[-1] == "1")
        except BrokenPipeError:
            answered = 0
        finally:
            bomb.cancel()
            process.kill()
        rest, errors = process.stdout.read(), process.stderr.read().decode(errors="replace").strip()
    answered += rest.count(b"\n")
    if answered < ENOUGH:
        last = errors.splitlines()[-1] if errors else f"it gave no more answers in {PATIENCE:.0f} s"
        raise UsageError(f"The process stopped by itself after {answered} answers: {last:.200}; mend that first.")
    return answered


def _read(pipe: IO[bytes], rests: bool) -> int:
    """Return how many answers came, once there are enough of them, or whoever `rests` does so, or the process is over."""
    count = 0
    while (rests or count < ENOUGH) and (line := pipe.readline()) and line != RESTS:
        count += line.endswith(b"\n")
    return count


def main(path: str, syncs: str, buffered: str) -> None:
    """Write a log without end, and say the number of each record that is answered; be killed."""
    import os
    import pickle
    import time

    (cls,) = pickle.loads(sys.stdin.buffer.read()).values()
    file = RealFile(Path(path), syncs=syncs == "1", buffered=buffered == "1")
    log = cls(file)
    log.load()
    number = 0
    while True:
        number += 1
        record = {"n": number, "text": f"line {number}"}
        if hasattr(log, "accept"):
            log.accept(record, lambda number=number: os.write(1, b"%d\n" % number))
            if number % EVERY == 0:
                log.flush()
        else:
            log.append(record)
            os.write(1, b"%d\n" % number)
        if file.buffered and number >= ENOUGH and number % EVERY == 0 and (file.in_hands or number >= MOST):
            os.write(1, RESTS)
            time.sleep(PATIENCE)


if __name__ == "__main__":
    main(*sys.argv[1:])
