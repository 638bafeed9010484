"""The pods of deploy/k8s, really run: by podman, from the same manifests, with the image of this clone.

Skipped with a sentence where podman or the image is missing; with CI=true that is a failure.  `tests/support/rolling.py` does
the rolling restart for longer, and measures.
"""

import os
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

import manifests
import pods as machine
import pytest
from pods import Pods
from rolling import compare_disks, is_ready, leads, roll, status, until


def image() -> str:
    """Return the name of the image of this very code, if it has one of its own."""
    if find_spec("chatsys.runtime.engine") is None:
        return "chatsys:latest"
    return str(import_module("chatsys.runtime.engine").image())


@pytest.fixture(scope="module")
def running() -> Iterator[Pods]:
    """Three pods that are ready."""
    why = machine.missing() or ("" if manifests.renderer() else manifests.WANTED)
    if why:
        assert not os.environ.get("CI"), why
        pytest.skip(f"this needs {why}")
    try:
        with machine.pods(image(), manifests.render()) as made:
            for name in made.names:
                made.start(name)
            for name in made.names:
                until(lambda name=name: is_ready(made, name), f"{name} is ready")  # type: ignore[misc]
            yield made
    except machine.NoImage as error:
        assert not os.environ.get("CI"), error
        pytest.skip(str(error))


def test_each_pod_is_the_node_that_the_config_gives_its_name_and_has_no_rights(running: Pods) -> None:
    for ordinal, name in enumerate(running.names):
        assert status(running, name)["node"] == ordinal + 1
        assert f"node {ordinal + 1} of 3, {name}.chatsys-members.chatsys:5001" in running.log(name).replace(
            "\n    ", " "
        )
        assert all(running.probe(name, probe) for probe in ("startupProbe", "livenessProbe", "readinessProbe"))
    told = running.exec(name, "sh", "-c", "id -u; touch /x 2>&1; grep CapEff /proc/self/status")
    assert told.split()[0] == "10001" and "Read-only" in told and told.split()[-1].strip("0") == ""


def test_a_pod_of_a_wrong_name_ends_with_a_sentence_and_the_others_go_on(running: Pods) -> None:
    """As after `kubectl scale --replicas=4`."""
    done = running.alone("chatsys-3")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(
        "chatsys: /etc/chatsys/chatsys.yml: the name is 'chatsys-3', and no member is called so (node 1 is at chatsys-0."
    ), done.stderr
    assert done.stderr.count("\n") == 1 and all(is_ready(running, name) for name in running.names)


def test_a_rolling_restart_under_load_loses_nothing_and_hands_the_lead_over(running: Pods) -> None:
    first = running.names[-1]
    until(lambda: leads(running, first), "the highest node leads")
    outcome = roll(running, rate=50, settle=1.0)
    assert outcome.wrong == [] and outcome.acknowledged == outcome.said > 50
    assert outcome.restarts[0].led and all(one.silence < 5 for one in outcome.restarts)
    assert "asks this node to take over" in running.log(
        first
    )  # back again, it was given the lead by who had it meanwhile
    assert compare_disks(running) == []
