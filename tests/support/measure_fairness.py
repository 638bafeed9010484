"""How long an honest client waits beside clients that flood: before, during and after.

    python tests/support/measure_fairness.py [--flooders 8] [--seconds 8] [--rate 2000] [--kind empty|real]

Three nodes run in processes.  An honest client says 50 messages a second to node 1, one at a time,
and notes how long each takes until it is acknowledged.  Each flooder is a niced process with one link, whose
rate is bounded: it sends SUBMITs of a session that does not exist (`empty`), or of its own (`real`).

Prints one JSON line a stretch; to compare with other code, put that first into PYTHONPATH.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

HELLO = {"type": "hello", "protocol": "chatsys/1", "cluster": "chat", "role": "client"}


def said(n: int, **message: object) -> bytes:
    return json.dumps({"n": n, "clock": n, "message": message}).encode() + b"\n"


class Caller:
    """A client by hand: one link, one session, one message at a time."""

    def __init__(self, address: str, name: str) -> None:
        host, port = address.split(":")
        self.link = socket.create_connection((host, int(port)), timeout=60)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines = self.link.makefile("rb")
        self.link.sendall(json.dumps({**HELLO, "name": name}).encode() + b"\n")
        self.lines.readline()
        self.name, self.n, self.session = name, count(1), 0
        self.session = self.until_ok(0)

    def submit(self, seq: int) -> bytes:
        facts = {"client_id": self.name, "client_seq": seq, "session": self.session}
        return said(next(self.n), type="SUBMIT", room="main", author=self.name, text=f"{seq}" if seq else "", **facts)

    def until_ok(self, seq: int) -> int:
        """Say this until it is acknowledged; return its position."""
        while True:
            self.link.sendall(self.submit(seq))
            while line := self.lines.readline():
                reply = json.loads(line).get("message", {})
                if reply.get("type") == "SUBMIT_REPLY" and reply["client_seq"] <= seq < reply["client_seq"] + reply.get(
                    "count", 1
                ):
                    break
            else:
                raise SystemExit("the node closed the link")
            if reply["status"] == "ok":
                return int(reply["seq"])
            time.sleep(0.02)


def flood(address: str, name: str, kind: str, rate: float, end: float) -> None:
    """Send SUBMITs at this rate, and read what is answered, until the end."""
    os.nice(40)
    caller = Caller(address, name)
    caller.link.setblocking(False)
    ready = [
        caller.submit(7_000_000) for _ in range(100)
    ]  # made once: the flood is to cost the nodes, not this machine
    waiting, began, sent = b"", time.monotonic(), 0
    while time.time() < end:
        due = min(int((time.monotonic() - began) * rate) - sent, 100)
        if due > 0 and len(waiting) < 1 << 16:
            waiting += b"".join(ready[:due] if kind == "empty" else [caller.submit(sent + n + 1) for n in range(due)])
            sent += due
        try:
            waiting = waiting[caller.link.send(waiting) :] if waiting else waiting
        except BlockingIOError:
            pass
        try:
            while caller.link.recv(1 << 16):
                pass
        except BlockingIOError:
            time.sleep(0.01)


def stretch(caller: Caller, numbers: "count[int]", seconds: float) -> dict[str, float]:
    """Say 50 messages a second; return how long they took, in milliseconds."""
    waits, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        caller.until_ok(next(numbers))
        waits.append((time.monotonic() - began) * 1000)
        time.sleep(max(0.0, began + 0.02 - time.monotonic()))
    waits.sort()

    def rank(share: float) -> float:
        return round(waits[min(len(waits) - 1, int(share * len(waits)))], 2)

    return {"messages": len(waits), "p50_ms": rank(0.5), "p99_ms": rank(0.99), "longest_ms": round(waits[-1], 2)}


class Nodes:
    """Three nodes, as three people start them in three terminals."""

    def __init__(self, folder: Path) -> None:
        taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        self.members = {node: f"127.0.0.1:{one.getsockname()[1]}" for node, one in enumerate(taken, start=1)}
        for one in taken:
            one.close()
        self.processes = []
        for node in self.members:
            config = folder / f"node{node}.yml"
            members = ", ".join(f"{id}: {address}" for id, address in self.members.items())
            config.write_text(f"node: {node}\nmembers: {{{members}}}\ndata: {folder}/data{node}\n")
            words = [sys.executable, "-m", "chatsys", "node", "--config", str(config)]
            self.processes.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def __enter__(self) -> dict[int, str]:
        return self.members

    def __exit__(self, *error: object) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def reach(address: str) -> Caller:
    """Return the honest client, once the nodes are up."""
    end = time.monotonic() + 20
    while True:
        try:
            return Caller(address, f"honest-{os.getpid()}")
        except (OSError, ValueError):
            if time.monotonic() > end:
                raise SystemExit("no node answers") from None
            time.sleep(0.2)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--flooders", type=int, default=8)
    asked.add_argument("--seconds", type=float, default=8.0)
    asked.add_argument("--rate", type=float, default=2000.0)
    asked.add_argument("--kind", choices=("empty", "real"), default="empty")
    asked.add_argument("--as-flooder", nargs=3, help="address, name, end: be one of the flooders")
    given = asked.parse_args()
    if given.as_flooder:
        address, name, end = given.as_flooder
        return flood(address, name, given.kind, given.rate, float(end))
    with tempfile.TemporaryDirectory() as folder, Nodes(Path(folder)) as members:
        caller, numbers = reach(members[1]), count(1)
        stretch(caller, numbers, 1.0)
        print(json.dumps({"stretch": "before", **stretch(caller, numbers, given.seconds / 2)}), flush=True)
        end = time.time() + given.seconds + 1.0
        options = ["--kind", given.kind, "--rate", str(given.rate), "--as-flooder"]
        flooders = [
            subprocess.Popen([sys.executable, __file__, *options, members[1 + each % 3], f"flood{each}", str(end)])
            for each in range(given.flooders)
        ]
        time.sleep(1.0)
        print(json.dumps({"stretch": "during", **stretch(caller, numbers, given.seconds)}), flush=True)
        for one in flooders:
            one.kill()
            one.wait()
        print(json.dumps({"stretch": "after", **stretch(caller, numbers, given.seconds / 2)}), flush=True)


if __name__ == "__main__":
    main()
