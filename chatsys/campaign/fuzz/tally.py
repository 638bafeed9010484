"""The tally of a fuzzing run: what was fed, what was found, how long the slowest step computed.

Promises  the same finding (the same error from the same line) is told once and counted.
Read also `links`, `nodes`, `logs`, `crowds`, who fill it in.
"""

import faulthandler
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from chatsys.errors import told

SLOW = 2.0
"""Seconds of CPU: a step that takes longer is a finding, wherever it is played."""
HANG = 60
"""Seconds after which a step that has not come back ends the process, with a traceback."""
SHOWN = 20


class Tally(msgspec.Struct):
    """What came of the frames, logs and connections so far."""

    frames: int = 0
    logs: int = 0
    connections: int = 0
    stopped: int = 0
    """How often a safe node stopped itself because a forged frame claimed what cannot be."""
    refused: int = 0
    """How many logs were refused with a sentence."""
    usable: int = 0
    slowest: float = 0.0
    """Seconds of CPU of the longest step."""
    findings: dict[str, int] = {}
    """What must not happen, and how often it did."""

    def find(self, sentence: str, error: BaseException | None = None) -> None:
        """Note something that must not happen."""
        if error is not None and isinstance(error, AssertionError | IndexError | KeyError) and not str(error):
            sentence += f" {type(error).__name__}"
        if sentence in self.findings or len(self.findings) < SHOWN:
            self.findings[sentence] = self.findings.get(sentence, 0) + 1

    def took(self, seconds: float) -> None:
        """Note how long one step computed."""
        self.slowest = max(self.slowest, seconds)
        if seconds > SLOW:
            self.find(f"a step took longer than {SLOW:.0f} s")

    @contextmanager
    def step(self, what: str = "an exception left a connection") -> Iterator[None]:
        """Do one step: nothing may be raised, and it must come back soon."""
        began = time.process_time()
        try:
            yield
        except Exception as error:
            self.find(f"{what}: {told(error)}", error)
        self.took(time.process_time() - began)


def watch_for_hangs() -> None:
    """From now on a step that never comes back ends the process and tells where; call it now and then."""
    faulthandler.dump_traceback_later(HANG, exit=True, file=sys.__stderr__ or 2)


def stop_watching() -> None:
    """Hangs are nobody's business any more."""
    faulthandler.cancel_dump_traceback_later()
