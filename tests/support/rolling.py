"""A rolling restart of the pods of deploy/k8s, under load: is anything lost, and how long does nobody answer?

    python tests/support/rolling.py --image chatsys:latest --rate 50 --rounds 3

    the highest pod --SIGTERM--> ended --again--> ready --a while--> the next one ... --> are all lines acknowledged, seen once,
    in order, and equal on the three disks?

This is what a StatefulSet's controller does when its template changes; `--kill` lets each pod vanish instead, for comparison.
Exit code 0: nothing was lost; 1: something was; 2: it could not be tried.

Read also `pods` (what stands in for a cluster), `rolling_client` (the load).
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import manifests
import pods as machine
from pods import Pods, pods

CLIENT = Path(__file__).with_name("rolling_client.py")
LIMIT = 60.0


class Restart(NamedTuple):
    """One pod's turn; times in seconds."""

    pod: str
    led: bool
    ended: float
    """From SIGTERM to its end."""
    ready: float
    """From its new start until it was ready."""
    silence: float
    """The longest time without an acknowledgement meanwhile."""
    leader: str
    """Who leads afterwards, as the pod itself says; "nobody leads" if it knows nobody."""


class Outcome(NamedTuple):
    """What a rolling restart came to."""

    restarts: list[Restart]
    said: int
    acknowledged: int
    wrong: list[str]
    """Whatever should not have been, a sentence each; empty if all went well."""


def until(holds: Callable[[], bool], what: str, limit: float = LIMIT) -> float:
    """Wait until something holds; return how long it took."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > limit:
            raise RuntimeError(f"It was waited in vain for {limit:.0f} s: {what}.")
        time.sleep(0.1)
    return time.monotonic() - begun


def status(running: Pods, name: str) -> dict[str, Any]:
    """Return what a pod's node says of itself."""
    told = json.loads(running.disk(name).joinpath("status.json").read_bytes())
    assert isinstance(told, dict)
    return told


def leads(running: Pods, name: str) -> bool:
    told = status(running, name)
    return bool(told["leader"] == told["node"])


def is_ready(running: Pods, name: str) -> bool:
    return running.probe(name, "readinessProbe")


def roll(running: Pods, rate: float, settle: float, kill: bool = False, rounds: int = 1) -> Outcome:
    """Restart each pod that many times under load, the highest first; pods run and are ready."""
    client = running.podman.begin(
        "run", "--rm", "--interactive", "--network", running.network, "--volume", f"{CLIENT}:/client.py:ro",
        "--entrypoint", "python3", running.image, "/client.py", str(rate),
        ",".join(f"{name}.{running.service}:5001" for name in running.names),
    )  # fmt: skip
    assert client.stdout is not None
    spans: list[tuple[float, float, Restart]] = []
    wrong: list[str] = []
    try:
        if client.stdout.readline().strip() != "begun":
            raise RuntimeError(f"the client did not begin: {client.communicate()[1][-400:]}")
        time.sleep(settle)
        for name in list(reversed(running.names)) * rounds:
            begun = time.monotonic()
            restart = _restart(running, name, kill)
            time.sleep(settle)
            spans.append((begun, time.monotonic(), restart._replace(leader=_leader(running, name))))
        out, err = client.communicate("", timeout=LIMIT)
    finally:
        client.kill()
    told = json.loads(out.splitlines()[-1]) if out.strip() else {}
    wrong += [f"the client says {err.strip()[-300:]}"] if client.returncode else []
    restarts = [one._replace(silence=_silence(told.get("acked", []), *span)) for *span, one in spans]
    return Outcome(restarts, told.get("said", 0), len(told.get("acked", [])), wrong + _losses(told))


def _restart(running: Pods, name: str, kill: bool) -> Restart:
    others = [one for one in running.names if one != name]
    if not all(is_ready(running, one) for one in others):
        raise RuntimeError(f"{name} was to be restarted while one of {', '.join(others)} was not ready")
    led = leads(running, name)
    begun = time.monotonic()
    (running.kill if kill else running.stop)(name)
    ended = time.monotonic() - begun
    running.start(name)
    return Restart(name, led, ended, until(lambda: is_ready(running, name), f"{name} is ready"), 0.0, "")


def _leader(running: Pods, name: str) -> str:
    told = status(running, name)
    return f"node {told['leader']} leads term {told['term']}" if told["leader"] else "nobody leads"


def _silence(acked: list[float], begun: float, ended: float) -> float:
    within = [begun, *(one for one in acked if begun <= one <= ended), ended]
    return max(after - before for before, after in pairwise(within))


def _losses(told: dict[str, Any]) -> list[str]:
    """Return what became of lines that should not have: lost, doubled, out of order, indeterminate."""
    if not told:
        return ["the client told nothing"]
    found = list(told["odd"])
    if len(told["acked"]) != told["said"]:
        found.append(f"{told['said']} lines were said, and {len(told['acked'])} acknowledged")
    if told["seen"] != [str(number) for number in range(told["said"])]:
        found.append(f"{told['said']} lines were said in order, and {len(told['seen'])} seen, or not in this order")
    return found


def compare_disks(running: Pods) -> list[str]:
    """Stop all pods, and return what `chatsys verify` finds wrong on their volumes."""
    places = [str(running.disk(name)) for name in running.names]
    for name in running.names:
        running.stop(name)
    done = subprocess.run([sys.executable, "-m", "chatsys", "verify", *places], capture_output=True, text=True)
    return [] if done.returncode == 0 else [f"verify says: {done.stdout}{done.stderr}"]


def tell(outcome: Outcome) -> None:
    for one in outcome.restarts:
        print(
            f"{one.pod}  {'led    ' if one.led else 'followed'}  ended in {one.ended:.2f} s, ready again after "
            f"{one.ready:.1f} s, longest silence {one.silence:.2f} s; now {one.leader}"
        )
    for led, what in ((True, "a leader's restart"), (False, "a follower's restart")):
        silences = [one.silence for one in outcome.restarts if one.led is led]
        if silences:
            print(f"{what}: silence of {median(silences):.2f} s in the median, {max(silences):.2f} s at worst")
    print(f"{outcome.said} lines said, {outcome.acknowledged} acknowledged")
    print("\n".join(outcome.wrong) if outcome.wrong else "nothing lost, doubled, indeterminate or out of order")


def main() -> int:
    parser = argparse.ArgumentParser(description="Restart the pods of deploy/k8s one after the other, under load.")
    parser.add_argument("--image", default="chatsys:latest", help="in podman or Docker")
    parser.add_argument("--rate", type=float, default=50.0, help="lines a second")
    parser.add_argument("--rounds", type=int, default=1, help="how often each pod is restarted")
    parser.add_argument("--settle", type=float, default=None, help="seconds between two pods (minReadySeconds)")
    parser.add_argument("--kill", action="store_true", help="let pods vanish instead of stopping them")
    wanted = parser.parse_args()
    if why := machine.missing() or ("" if manifests.renderer() else manifests.WANTED):
        print(f"This needs {why}", file=sys.stderr)
        return 2
    objects = manifests.render()
    settle = wanted.settle
    if settle is None:
        settle = float(manifests.find(objects, "StatefulSet")["spec"]["minReadySeconds"])
    try:
        with pods(wanted.image, objects) as running:
            for name in running.names:
                running.start(name)
            took = max(until(lambda name=name: is_ready(running, name), name) for name in running.names)  # type: ignore[misc]
            print(f"{len(running.names)} pods are ready, after {took:.1f} s")
            outcome = roll(running, wanted.rate, settle, wanted.kill, wanted.rounds)
            outcome.wrong.extend(compare_disks(running))
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    tell(outcome)
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
