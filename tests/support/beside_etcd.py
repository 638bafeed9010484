"""How fast, beside etcd: every row of chatsys/evidence/SPEED.md, measured anew.

    python tests/support/beside_etcd.py [--rounds 5] [--seconds 3] [--write]

Each round measures three nodes as a user starts them, and then three members of etcd with as many connections and
messages under way, on the same machine: only the ratio of one round means something.  It needs `etcd` and `h2load` on
the PATH, about seven minutes, and a machine that does nothing else; the load is printed beside each row.
"""

import base64
import json
import subprocess
import sys
import time
import urllib.request
from datetime import date
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from chatsys.campaign.bench.etcd import Etcd, needs_etcd

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "chatsys/evidence/SPEED.md"
BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->\n"

ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("one message at a time, p50", "latency", "at most 1.1", "1.0"),
    ("... with uvloop", "latency --loop uvloop", "at most 0.95", "0.85"),
    ("64 connections, one message each, rate", "throughput --connections 64 --outstanding 1", "at least 1.4", "1.8"),
    ("... with uvloop", "throughput --connections 64 --outstanding 1 --loop uvloop", "at least 1.8", "2.4"),
    ("64 under way on one connection, rate", "throughput --outstanding 64", "at least 2.5", "3.5"),
    ("1,024 under way on one connection, rate", "throughput --outstanding 1024", "at least 4", "6"),
)  # fmt: skip
"""(what, words of `chatsys bench`, the ratio to etcd that it was to reach, the one that was hoped for)."""


def bench(words: str) -> list[dict[str, Any]]:
    """Return the lines of one call of `chatsys bench`."""
    call = [sys.executable, "-m", "chatsys", "bench", *words.split(), "--json"]
    done = subprocess.run(call, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    return [json.loads(one) for one in done.stdout.splitlines()]


def row(what: str, words: str, must: str, goal: str, rounds: int, seconds: float) -> tuple[str, list[dict[str, Any]]]:
    """Measure one row; return its line of the table, and our measurements."""
    command = f"{words} --rounds {rounds} --seconds {seconds:g} --beside etcd"
    lines = bench(command)
    theirs = [one for one in lines if one.get("where") == "etcd"]
    ours = [one for one in lines if "cpu_us_leader" in one]
    measure = "latency_p50_ms" if words.startswith("latency") else "rate_per_second"
    unit = "{:.2f} ms" if measure == "latency_p50_ms" else "{:,.0f} /s"
    ratios = [one["ratio"] for one in theirs]
    one_by_one = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    both = " and ".join(unit.format(median(one[measure] for one in side)) for side in (ours, theirs))
    load = median(one["load"] for one in theirs)
    told = f"| {what} | `chatsys bench {command}` | **{median(ratios):.2f}** ({one_by_one}) | {both} | {must}; {goal} | {load:.1f} |"
    return told, ours


def killed(rounds: int) -> str:
    """Measure how long nobody is served when the leader is killed, ours and then etcd's; return the line of the table."""
    ours, theirs, loads = [], [], []
    for _ in range(rounds):
        (kill,) = [one for one in bench("leaving --rounds 1") if one["how"] == "kill"]
        ours.append(kill["seconds_without_ack_median"])
        loads.append(kill["load"])
        theirs.append(until_etcd_serves_again())
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    one_by_one = ", ".join(f"{ratio:.3f}" for ratio in ratios)
    return (
        f"| the leader is killed with `kill -9`: seconds without an acknowledgement | `chatsys bench leaving --rounds 1`, {rounds} times "
        f"| **{median(ratios):.3f}** ({one_by_one}) | {median(ours):.2f} s and {median(theirs):.2f} s | at most 0.1 | {median(loads):.1f} |"
    )


def until_etcd_serves_again() -> float:
    """Kill the leader of a new cluster of etcd; return the seconds until one of the others has done a Put."""
    with Etcd() as etcd:
        leader = etcd._leader()
        assert leader is not None, "it was just loaded"
        key = base64.b64encode(b"again").decode()
        body = json.dumps({"key": key, "value": key}).encode()
        began = time.perf_counter()
        etcd.members[leader].kill()
        for member in cycle({*range(etcd.count)} - {leader}):
            try:
                with urllib.request.urlopen(etcd._url(member) + "/v3/kv/put", body, timeout=0.2):
                    return time.perf_counter() - began
            except OSError:
                time.sleep(0.002)
    raise AssertionError("a cycle has no end")


def costs(ours: list[dict[str, Any]]) -> str:
    """Return what one message costs, in microseconds of CPU, and in turns, frames and syncs of the leader."""
    cpu = ", ".join(
        f"{who} {median(one[f'cpu_us_{who}'] for one in ours):.1f}" for who in ("leader", "follower", "client")
    )
    counts = ", ".join(
        f"{median(one[f'{what}_per_message_leader'] for one in ours):.3g} {what}"
        for what in ("turns", "frames", "syncs")
    )
    return f"{cpu} µs of CPU; at the leader {counts}"


def main(words: list[str]) -> None:
    """Measure, print the table, and write it into the page if that is wanted."""
    needs_etcd()
    rounds = int(words[words.index("--rounds") + 1]) if "--rounds" in words else 5
    seconds = float(words[words.index("--seconds") + 1]) if "--seconds" in words else 3.0
    table = ["| what | command | ratio to etcd: median (each round) | ours and etcd's | must; goal | load |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    told = []
    for what, command, must, goal in ROWS:
        line, ours = row(what, command, must, goal, rounds, seconds)
        print(line, flush=True)
        table.append(line)
        if "uvloop" not in command:
            told.append(f"- {what.split(', ')[0]}: {costs(ours)}.")
    table.append(killed(rounds))
    print(table[-1], flush=True)
    machine = f"Measured on {date.today():%d %B %Y}, {psutil.cpu_count()} processors, {rounds} rounds of {seconds:g} s each in turn."
    whole = "\n".join([machine, "", *table, "", "What one message costs:", "", *told, ""])
    print(whole)
    if "--write" in words:
        before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{whole}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
