"""Nodes in containers of a real engine: the course's scenarios, real faults, their volumes, and nothing left behind.

Skipped with a sentence where there is no engine with the image in it; with CI=true its want is a failure.
`python tests/support/engine.py up` begins an engine and makes the image.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from soaks import told_to_the_end
from typed import Run

from chatsys import Cluster, Script, World
from chatsys.check import check
from chatsys.check.log_files import verify
from chatsys.errors import ForeignLog, NotHere
from chatsys.runtime import engine
from chatsys.runtime.net.containers import Containers
from chatsys.runtime.supervisor import COPIES
from chatsys.teach.scenarios import NAMES, SCRIPTS
from chatsys.teach.widgets.panel.panel import panel


def left_of(pid: int) -> list[str]:
    """Return what the engine still has of the clusters of process `pid`."""
    lists = ("container ls --all --format {{.Names}}", "volume ls --quiet", "network ls --format {{.Name}}")
    told = " ".join(engine.docker(*words.split()).decode() for words in lists)
    return [name for name in told.split() if name.startswith(f"chatsys-{pid}-")]


def last_word(answer: tuple[int, str, str]) -> str:
    """Return the sentence with which a command ended, and assert that it is one, with exit code 2."""
    code, out, err = answer
    assert code == 2 and out == "" and "Traceback" not in err
    return err.strip().splitlines()[-1].removeprefix("chatsys: ")


@pytest.fixture(scope="module")
def allowed() -> None:
    """Skip, or fail where CI should have begun one, if there is no engine here with this chatsys in it."""
    try:
        engine.check_engine()
    except NotHere as why:
        assert not os.environ.get("CI"), why
        pytest.skip(str(why))


@pytest.fixture
def cluster(allowed: None) -> Iterator[Cluster]:
    with Cluster(where="containers", timing="fast") as made:
        yield made
    assert not left_of(os.getpid())


def copies_of_the_volumes(cluster: Cluster) -> list[Path]:
    """Return what lies in the volumes now, as folders of this machine."""
    for node in cluster.nodes:
        cluster.copy(node)
    return [cluster.supervisor.plan.folder / COPIES / f"node{node}" for node in cluster.nodes]


@pytest.mark.engine
@pytest.mark.parametrize("name", NAMES)
def test_a_demonstration_of_the_course_holds_in_containers_and_in_their_volumes(cluster: Cluster, name: str) -> None:
    SCRIPTS[name](cluster)
    assert check(cluster.trace) == [] and cluster.failures == []
    compared = verify(copies_of_the_volumes(cluster))
    assert compared["ok"] and compared["messages"] == len(cluster.delivered(cluster.nodes[0])) >= 6


@pytest.mark.engine
def test_a_soak_with_a_partition_and_a_kill_loses_nothing_and_tells_how_long_nobody_served(allowed: None) -> None:
    report = told_to_the_end(seconds=8, rate=50, seed=340, where="containers")
    told = [(outage.fault, outage.seconds) for outage in report.outages]
    assert [fault for fault, _ in told] == ["partition (3,) (1, 2)", "crash leader"]
    print("no message acknowledged for", told)  # `pytest -rP` shows it
    assert report.violations == () and report.unfinished == ""
    assert report.acknowledged + report.indeterminate == report.said > 200
    assert len(set(report.delivered.values())) == 1
    assert not left_of(os.getpid())


@pytest.mark.engine
def test_a_script_of_the_simulator_plays_unchanged_and_the_panel_shows_it(cluster: Cluster) -> None:
    world = World(seed=1, timing="fast")
    for verb, *args in (("say", "one"), ("crash", 3), ("say", "two"), ("restart", 3), ("partition", (1,), (2, 3)),
                        ("heal",), ("pause", 1), ("resume", 1), ("slow", 1, 2, 0.01), ("say", "three"), ("mend",)):  # fmt: skip
        world.run(1.0)
        getattr(world, verb)(*args)
    shown = panel(cluster)
    Script(world.done).play(cluster)
    assert cluster.until(lambda: all(len(cluster.delivered(node)) == 3 for node in cluster.nodes), 20)
    assert [fault.verb for fault in cluster.done] == [fault.verb for fault in world.done]
    assert [cluster.delivered(node) for node in cluster.nodes] == [["one", "two", "three"]] * 3
    assert check(cluster.trace) == []
    shown.close()


@pytest.mark.engine
def test_a_volume_is_copied_wiped_and_restored_byte_for_byte(cluster: Cluster) -> None:
    cluster.until(lambda: cluster.leader is not None, 20)
    cluster.say("kept")
    assert cluster.until(lambda: cluster.delivered(1) == ["kept"], 20)
    cluster.crash(1)
    cluster.copy(1)
    copy = cluster.supervisor.plan.folder / COPIES / "node1"
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    cluster.wipe(1)
    cluster.copy(1)
    assert list(copy.iterdir()) == [] and "log.jsonl" in before
    for name, data in before.items():
        (copy / name).write_bytes(data)
    cluster.restore(1)
    cluster.copy(1)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    cluster.restart(1)
    assert cluster.until(lambda: cluster.delivered(1) == ["kept"], 20) and cluster.failures == []
    cluster.crash(1)
    cluster.wipe(1)
    cluster.restart(1)  # it has forgotten what it had acknowledged: the others refuse it ...
    assert cluster.until(lambda: not cluster.status()[1]["alive"], 20)
    assert [node for node, _ in cluster.failures] == [1]
    cluster.accept(1)  # ... until they are told to take its new disk
    cluster.restart(1)
    assert cluster.until(lambda: cluster.delivered(1) == ["kept"], 20)


@pytest.mark.engine
def test_a_named_folder_serves_processes_and_containers_and_not_the_wrong_node(allowed: None, tmp_path: Path) -> None:
    with Cluster(2, where="processes", timing="fast", data=tmp_path) as cluster:
        cluster.until(lambda: cluster.leader is not None, 20)
        cluster.say("before")
        assert cluster.until(lambda: all(cluster.delivered(node) == ["before"] for node in cluster.nodes), 20)
    with Cluster(2, where="containers", timing="fast", data=tmp_path) as cluster:
        assert cluster.until(lambda: all(cluster.delivered(node) == ["before"] for node in cluster.nodes), 20)
    assert verify([tmp_path / f"node{node}" for node in (1, 2)])["ok"]
    (tmp_path / "node1").rename(tmp_path / "node9")
    (tmp_path / "node2").rename(tmp_path / "node1")
    (tmp_path / "node9").rename(tmp_path / "node2")
    with pytest.raises(ForeignLog, match=r"belongs to node 2 of cluster 'chat', not to node 1|belongs to node 1"):
        Cluster(2, where="containers", timing="fast", data=tmp_path)
    assert not left_of(os.getpid())


@pytest.mark.engine
def test_what_a_killed_kernel_left_is_swept_by_the_next_and_the_living_are_spared(allowed: None) -> None:
    words = (
        "from chatsys import Cluster; c = Cluster(2, 'containers', timing='fast'); c.pause(2); "
        "print(flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", words], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None and killed.stdout.readline() == b"\n"
        mine = Containers((1,))
        assert len([name for name in left_of(killed.pid) if "life" in name]) == 2
        killed.send_signal(signal.SIGKILL)
    assert [name for name in left_of(killed.pid) if "node2-life" in name]  # frozen, it has not seen the end of its pipe
    engine.sweep()
    assert not left_of(killed.pid) and left_of(os.getpid()) == [mine.name]
    mine.free()


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.engine
def test_an_image_of_another_state_of_the_code_is_not_taken(
    allowed: None, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "image", lambda: "chatsys:of-another-day")
    assert last_word(run("demo", "--where", "containers")).startswith("The engine has no image chatsys:of-another-day")
    with pytest.raises(NotHere, match=r"make it: make image, or use where='processes'"):
        Cluster(where="containers")


def test_without_docker_or_an_engine_each_command_says_what_is_missing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "docker"  # what it says where no engine runs
    docker.write_text('#!/bin/sh\necho "Cannot connect to the Docker daemon at $DOCKER_HOST." >&2; exit 1\n')
    docker.chmod(0o755)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    monkeypatch.setenv("PATH", str(tmp_path))
    told = last_word(run("demo", "--where", "containers"))
    assert told.startswith("No container engine answers at unix:///nowhere.sock; start it") and told.endswith("'.")
    docker.unlink()
    told = last_word(run("soak", "--containers"))
    assert told.startswith("Containers need the program docker, and there is none on the PATH; install Docker, or")
    assert "are two worlds; give one of them" in last_word(run("soak", "--containers", "--namespaces"))
