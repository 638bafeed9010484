"""Etcd: three members of etcd on this machine, with their default settings, under the same load as our nodes.

    h2load --connections, messages under way on each--> leader of etcd: Put, over plain gRPC
                                                                `--> how far its revision grew: were all of them done?

A Put of etcd is what a message is here: in the logs of a quorum, synced, before it is answered.  The client is h2load, a
program in C, so that the load costs etcd's side less than ours, not more.

Assumes   `etcd` and `h2load` are on the PATH; they listen on loopback only.
Promises  nothing is left behind; a round in which etcd did not do every Put is an error and no ratio.
Read also `served` (whose rounds these stand beside).
"""

import base64
import json
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import urllib.request
from contextlib import suppress
from typing import Any

from chatsys.campaign.bench.lines import quantile, until
from chatsys.campaign.bench.ordered import LoadOrder
from chatsys.errors import ChatsysError, UsageError
from chatsys.isolation.beginning import with_parent
from chatsys.temporary import remove, temporary

PROGRAMS = {"etcd": "etcd-server", "h2load": "nghttp2-client"}
"""What must be there, and the package of Debian that has it."""
LONGEST = 120.0
"""Seconds that one load may take."""
BECOME = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"
"""Becomes the program that its words name; what was asked of the kernel for this process holds for that one, too."""


def needs_etcd() -> None:
    """Raise `UsageError` with what to install, if a program is missing."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        packages = " ".join(PROGRAMS[name] for name in missing)
        raise UsageError(
            f"--beside is etcd, but {' and '.join(missing)} cannot be found on the PATH; install them "
            f"(on Debian: apt install {packages}), or leave --beside out."
        )


class Etcd:
    """So many members of one cluster; a context."""

    def __init__(self, count: int = 3) -> None:
        self.folder = temporary()
        self.ports = _free_ports(2 * count)
        self.count = count
        self.members: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Etcd":
        try:
            self.members = [self._start(member) for member in range(self.count)]
            until(lambda: self._leader() is not None, "have a leader of etcd")
            self._puts(500, LoadOrder(outstanding=8))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for member in self.members:
            with suppress(OSError):
                member.kill()
            member.wait(10)
        remove(self.folder)

    def _url(self, member: int, peers: bool = False) -> str:
        return f"http://127.0.0.1:{self.ports[2 * member + peers]}"

    def _start(self, member: int) -> "subprocess.Popen[bytes]":
        every = ",".join(f"n{one}={self._url(one, True)}" for one in range(self.count))
        words = [
            "etcd", "--name", f"n{member}", "--data-dir", str(self.folder / f"n{member}"),
            "--listen-client-urls", self._url(member), "--advertise-client-urls", self._url(member),
            "--listen-peer-urls", self._url(member, True), "--initial-advertise-peer-urls", self._url(member, True),
            "--initial-cluster", every, "--logger", "zap", "--log-level", "error",
        ]  # fmt: skip
        quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        return subprocess.Popen([sys.executable, *with_parent(signal.SIGKILL), "-c", BECOME, *words], **quiet)

    def _post(self, member: int, path: str, **fields: str) -> dict[str, Any]:
        request = urllib.request.Request(self._url(member) + path, json.dumps(fields).encode())
        with urllib.request.urlopen(request, timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def _leader(self) -> int | None:
        for member in range(self.count):
            with suppress(OSError, ValueError):
                told = self._post(member, "/v3/maintenance/status")
                if told.get("leader") and told["leader"] == told["header"]["member_id"]:
                    return member
        return None

    def _revision(self, member: int) -> int:
        key = base64.b64encode(b"count").decode()
        return int(self._post(member, "/v3/kv/put", key=key, value=key)["header"]["revision"])

    def loaded(self, order: LoadOrder, rate: float) -> dict[str, Any]:
        """Do about as many Puts as take `order.seconds` at this rate, and measure them."""
        return self._puts(max(200, order.connections * order.outstanding * 2, int(rate * order.seconds)), order)

    def _puts(self, count: int, order: LoadOrder) -> dict[str, Any]:
        leader = self._leader()
        if leader is None:
            raise ChatsysError("etcd has lost its leader; there is nothing to compare with.")
        body, times = self.folder / "put", self.folder / "times"
        body.write_bytes(_put(b"chat/0000", b"x" * order.bytes))
        times.unlink(missing_ok=True)
        before = self._revision(leader)
        done = subprocess.run(
            ["h2load", "-n", str(count), "-c", str(order.connections), "-m", str(order.outstanding), "-t", "1",
             "-d", str(body), "-H", "content-type: application/grpc", "-H", "te: trailers",
             "--log-file", str(times), self._url(leader) + "/etcdserverpb.KV/Put"],
            capture_output=True, text=True, timeout=LONGEST, check=False,
        )  # fmt: skip
        if self._revision(leader) - before - 1 != count:
            raise ChatsysError(f"etcd did not do all of {count} Puts; there is nothing to compare with.")
        found = re.search(r"finished in [^,]*, ([\d.]+) req/s", done.stdout)
        if found is None:
            raise ChatsysError(f"h2load did not say how fast it was: {(done.stdout + done.stderr).strip()[-200:]}")
        waits = sorted(int(one.split()[2]) / 1000 for one in times.read_text().splitlines())
        fractions = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999}
        return {"messages": count, "rate_per_second": float(found[1]),
                **{f"latency_{name}_ms": quantile(waits, part) for name, part in fractions.items()}}  # fmt: skip


def _put(key: bytes, value: bytes) -> bytes:
    """Return the body of a Put: a message of protobuf with two fields of bytes, framed as gRPC has it."""
    message = b"".join(bytes([number << 3 | 2]) + _varint(len(one)) + one for number, one in ((1, key), (2, value)))
    return b"\0" + struct.pack(">I", len(message)) + message


def _varint(number: int) -> bytes:
    digits = b""
    while number > 127:
        digits, number = digits + bytes([number & 127 | 128]), number >> 7
    return digits + bytes([number])


def _free_ports(count: int) -> list[int]:
    """Return ports of the loopback address that were free a moment ago."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
