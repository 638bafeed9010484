"""A client for a rolling restart: says a line so many times a second until its input ends, and tells what became of them.

    python rolling_client.py 50 chatsys-0.chatsys-members:5001,chatsys-1.chatsys-members:5001 < pipe

It runs beside the pods, where the members' names mean something.  Each acknowledgement is a moment on the monotonic
clock; the last line of its output is one JSON object.
"""

import json
import sys
import threading
import time

from chatsys.runtime.client import ClientHost
from chatsys.trace import Record


def main(rate: float, addresses: list[str]) -> None:
    acked: list[float] = []
    seen: list[str] = []
    odd: list[str] = []

    def take(record: Record) -> None:
        if record.kind == "ack":
            acked.append(time.monotonic())
        elif record.kind == "seen":
            seen.append(record.text or "")
        elif record.kind in ("indeterminate", "anomaly", "broken"):
            odd.append(f"{record.kind}: {record.text or record.reason}")

    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    said = 0
    with ClientHost(addresses, "load", take) as client:
        due = time.monotonic()
        print("begun", flush=True)
        while not ended.is_set():
            client.say(str(said))
            said += 1
            due += 1 / rate
            time.sleep(max(0.0, due - time.monotonic()))
        end = time.monotonic() + 30
        while (not client.idle or len(seen) < said) and time.monotonic() < end:
            time.sleep(0.05)
    print(json.dumps({"said": said, "acked": acked, "seen": seen, "odd": odd}))


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2].split(","))
