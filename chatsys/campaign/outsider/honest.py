"""The honest client: says a message every so often, and writes down when each was answered.

    stdin    "stop": say no more, wait for the answers, end        its end: end at once
    FILE     one line of JSON for each event:
             {"said": 3, "at": 12.3}     {"acked": 3, "at": 12.31}     {"lost": 3}     {"refused": 3, "why": "..."}
             {"late": 0.2}  this process itself did not get the machine for so long       {"open": [8, 9]}  the end

It is a file that is run by its path and uses nothing but `ClientHost`, so that it can be the client
of the same version as the nodes.  Times are those of the monotonic clock, which all processes of
one machine share.

Read also `runtime.client` (the client), `suite` (who starts it), `judge` (what becomes of the lines).
"""

import json
import os
import sys
import threading
import time
from typing import Any

from chatsys.runtime.client import ClientHost
from chatsys.trace import Record

LATE = 0.25
"""Seconds: if this process wakes so much too late, the machine was the reason."""
LAST_ANSWERS = 20.0
"""Seconds that the last answers may take."""


class _Diary:
    """The file, written by the loop that speaks and by the client's own thread."""

    def __init__(self, path: str) -> None:
        self.file = open(path, "w", buffering=1)
        self.lock = threading.Lock()
        self.open: set[int] = set()

    def write(self, **facts: Any) -> None:
        """Write one line."""
        with self.lock:
            self.file.write(json.dumps(facts) + "\n")

    def heard(self, record: Record) -> None:
        """Write down what became of a message."""
        number = int((record.text or "0").rpartition(" ")[2])
        if record.kind == "ack":
            self.open.discard(number)
            self.write(acked=number, at=time.monotonic())
        elif record.kind == "indeterminate":
            self.open.discard(number)
            self.write(lost=number)
        elif record.kind == "reply" and record.text:
            self.open.discard(number)
            self.write(refused=number, why=record.reason)


def main(path: str, cluster: str, rate: float, addresses: list[str]) -> None:
    """Speak until told to stop."""
    diary, stop = _Diary(path), threading.Event()
    threading.Thread(target=_listen, args=(stop,), daemon=True).start()
    with ClientHost(addresses, "honest", diary.heard, cluster=cluster, listen=False) as client:
        number, begin = 0, time.monotonic()
        while not stop.is_set():
            due = begin + number / rate
            if due > (now := time.monotonic()):
                stop.wait(due - now)
            elif now - due > LATE:
                diary.write(late=now - due)
                begin += now - due
            number += 1
            diary.open.add(number)
            diary.write(said=number, at=time.monotonic())
            client.say(f"honest {number}")
        end = time.monotonic() + LAST_ANSWERS
        while not client.idle and time.monotonic() < end:
            time.sleep(0.02)
        diary.write(open=sorted(diary.open))


def _listen(stop: threading.Event) -> None:
    """Wait for the order to stop; the end of the pipe is that of this process."""
    for _ in sys.stdin:
        stop.set()
    if not stop.is_set():
        os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4:])
