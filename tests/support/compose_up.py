"""Measure deploy/docker/compose.yaml: from `up` to the first acknowledged message, and what a health check costs.

    python tests/support/compose_up.py            a project of its own, on free ports; everything goes at the end

Assumes   an engine with the image chatsys:latest (tests/support/engine.py makes both).
Read also `deploy/docker/README.md`, which has the numbers.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).parents[2]
COMPOSE_FILE = TOP / "deploy" / "docker" / "compose.yaml"
LIMIT = 60.0


def compose_command() -> list[str]:
    """Return how to call compose here; [] if it is not there."""
    if shutil.which("docker") and not subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        return ["docker", "compose"]
    found = shutil.which("docker-compose") or shutil.which("docker-compose", path=str(Path(sys.executable).parent))
    return [found] if found else []


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback address that were free a moment ago."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Project:
    """The services of compose.yaml under a name and on ports of their own, so that they disturb nobody's."""

    def __init__(self, name: str, change: Any = None) -> None:
        self.name, self.ports = name, free_ports(3)
        self.folder = Path(tempfile.mkdtemp(prefix="chatsys-compose-"))
        told = subprocess.run(
            [*compose_command(), "-f", str(COMPOSE_FILE), "config", "--format", "json"],
            capture_output=True,
            text=True,
            check=True,
        )
        config = json.loads(told.stdout)
        config["name"] = name
        for volume in config["volumes"].values():
            volume["name"] = f"{name}_{volume['name'].partition('_')[2]}"
        for network in config["networks"].values():
            network["name"] = f"{name}_default"
        for port, service in zip(self.ports, ("node1", "node2", "node3"), strict=True):
            config["services"][service]["ports"][0]["published"] = str(port)
        if change is not None:
            change(config)
        self.file = self.folder / "compose.yaml"
        self.file.write_text(yaml.safe_dump(config))

    def run(self, *words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run compose on these services."""
        command = [*compose_command(), "-f", str(self.file), *words]
        return subprocess.run(command, capture_output=True, text=True, check=check, env=dict(os.environ))

    def say(self, text: str) -> str:
        """Say something as `chatsys client` does, and return what it printed once it was acknowledged."""
        ports = [word for port in self.ports for word in ("--port", str(port))]
        command = [sys.executable, "-m", "chatsys", "client", "--name", "ann", *ports]
        return subprocess.run(
            command, input=f"{text}\n", capture_output=True, text=True, check=True, timeout=LIMIT
        ).stdout

    def down(self) -> None:
        """Remove containers, network and volumes."""
        self.run("down", "--volumes", "--timeout", "5", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def first_acknowledged(project: Project) -> tuple[float, float]:
    """Return the seconds from `up` until all are healthy, and until a first message was acknowledged."""
    begun = time.monotonic()
    project.run("up", "--detach", "--no-build", "--wait")
    healthy = time.monotonic() - begun
    project.say("the first")
    return healthy, time.monotonic() - begun


def cost_of_a_check(container: str, rounds: int = 20) -> tuple[float, float]:
    """Return the seconds of one look at the status file, and of a Python that starts instead, within the container."""
    looks = ("find /data/status.json -newermt '-15 seconds' | grep -q .", "python -c 'import chatsys.config'")
    found = []
    for look in looks:
        script = (
            f"i=0; while [ $i -lt {rounds} ]; do {look}; i=$((i+1)); done; times > /tmp/times; tail -n 1 /tmp/times"
        )
        told = subprocess.run(
            ["docker", "exec", container, "sh", "-c", script], capture_output=True, text=True, check=True
        )
        found.append(sum(map(_seconds, told.stdout.split())) / rounds)
    return found[0], found[1]


def _seconds(told: str) -> float:
    minutes, _, seconds = told.rstrip("s").partition("m")
    return int(minutes) * 60 + float(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure deploy/docker/compose.yaml.")
    parser.add_argument("--rounds", type=int, default=3)
    for number in range(parser.parse_args().rounds):
        project = Project(f"chatsys-measured-{os.getpid()}-{number}")
        try:
            healthy, served = first_acknowledged(project)
            look, python = cost_of_a_check(project.run("ps", "--quiet", "node1").stdout.strip())
        finally:
            project.down()
        print(
            f"healthy after {healthy:.1f} s, first message acknowledged after {served:.1f} s; a check costs {1000 * look:.1f} ms "
            f"of processor, a Python {1000 * python:.0f} ms",
            flush=True,
        )


if __name__ == "__main__":
    main()
