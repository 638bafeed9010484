"""One attack as a process of its own: nice, bounded, and gone when the suite is gone.

    python -m chatsys.campaign.outsider.visitors '{"attack": "scan", "seconds": 10, ...}'

It tells what it did as one line of JSON when its time is over.

Read also `attacks` (what it does), `processes` (who starts it).
"""

import json
import os
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import NoReturn

from chatsys.campaign.outsider.attacks import ATTACKS
from chatsys.campaign.outsider.visit import Visit
from chatsys.runtime.net.strangers import raise_limit

NICE = 10
SPARE = 10.0
"""Seconds beyond its time after which a visitor ends, whatever it is doing."""


def main() -> NoReturn:
    """Visit as the argument says."""
    plan = json.loads(sys.argv[1])
    threading.Thread(target=_end_with_suite, daemon=True).start()
    threading.Thread(target=_end_in_time, args=(plan["seconds"] + SPARE,), daemon=True).start()
    with suppress(OSError, AttributeError):
        os.nice(NICE)
    raise_limit()
    addresses = {int(node): (host, port) for node, (host, port) in plan["addresses"].items()}
    visit = Visit(addresses, plan["cluster"], plan["seconds"], plan["seed"])
    try:
        ATTACKS[plan["attack"]](visit)
    except Exception:  # ended here, for the threads above wait on what an interpreter closes in its end
        traceback.print_exc()
        os._exit(1)
    print(json.dumps({"attack": plan["attack"], "connections": visit.connections, "lines": visit.lines}), flush=True)
    os._exit(0)  # what is still open ends with the process


def _end_with_suite() -> None:
    """The suite's end of the pipe is never written to: it ends when the suite does."""
    sys.stdin.buffer.read()
    os._exit(1)


def _end_in_time(seconds: float) -> None:
    time.sleep(seconds)
    os._exit(1)


if __name__ == "__main__":
    main()
