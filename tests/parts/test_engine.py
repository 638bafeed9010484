"""The container engine without one: what it is asked for each verb, and the sentence for each way it says no."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chatsys.actor.actor import Actor
from chatsys.config import ClusterConfig
from chatsys.errors import NotHere
from chatsys.faults.abilities import BY_ENGINE, OWN_RULES, how
from chatsys.faults.verbs import VERBS
from chatsys.runtime import engine
from chatsys.runtime.net import containers
from chatsys.runtime.net.rules import ANY, Lossy, Rule, RuleSet, Slow
from chatsys.runtime.nodes import container
from chatsys.runtime.nodes.container import Container
from chatsys.runtime.nodes.kernel import NodePlan


class Ended:
    """A `docker run` that has ended."""

    def wait(self, limit: float) -> int:
        return 137

    def kill(self) -> None:
        """Nothing is left to be killed."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let an engine that does nothing answer, and return what it is asked."""
    words: list[str] = []

    def docker(*given: str, data: bytes = b"", limit: float = 0.0) -> bytes:
        words.append(" ".join(given))
        return b""

    for module in (engine, containers, container):
        monkeypatch.setattr(module, "docker", docker)
    monkeypatch.setattr(engine, "check_engine", lambda: None)
    return words


@pytest.fixture
def body(asked: list[str], tmp_path: Path) -> Container:
    plan = NodePlan(ClusterConfig.of(3), Actor, None, tmp_path, 0.0, None)
    one = Container(containers.Containers(plan.config.ids), plan, 1)
    asked.clear()
    return one


def test_the_table_says_of_the_engine_what_the_code_asks_of_it(
    body: Container, asked: list[str], tmp_path: Path
) -> None:
    process: Any = Ended()
    place = tmp_path / "copy"
    done: dict[str, list[str]] = {"restart": [" ".join(body.command()).removeprefix("docker ")]}
    for verb, work in (("crash", body.kill), ("pause", body.pause), ("resume", body.resume)):
        asyncio.run(work(process))
        done[verb] = [*asked]
        asked.clear()
    place.mkdir()
    for verb, step in (("wipe", body.folder.empty), ("restore", lambda: body.folder.fill_from(place))):
        step()
        done[verb] = [*asked]
        asked.clear()
    with pytest.raises(Exception, match="empty"):  # this engine has nothing to copy
        body.folder.copy_to(tmp_path / "other")
    done["copy"] = [*asked]
    assert set(done) == {verb for verb in VERBS if how(verb, "containers") == BY_ENGINE}
    name = f"{body.network.name}-node1-life1"
    assert (done["crash"], done["pause"], done["resume"]) == (
        [f"kill --signal KILL {name}"],
        [f"pause {name}"],
        [f"unpause {name}"],
    )
    volume = f"type=volume,source={body.network.name}-node1,target=/data"
    assert all(
        volume in words and words.startswith("run ")
        for verb in ("restart", "wipe", "copy", "restore")
        for words in done[verb]
    )


def test_the_nodes_own_rules_do_what_the_table_says_they_do(body: Container, asked: list[str]) -> None:
    rules = RuleSet((), (Rule(ANY, ANY, Slow(0.1)), Rule(1, 2, Lossy(0.5)))).with_cut(1, 2)
    assert body.network.lay(rules) == rules and asked == []
    own = {verb for verb in VERBS if how(verb, "containers") == OWN_RULES}
    assert own == {"cut", "reconnect", "partition", "slow", "lose"}


def test_a_container_gets_no_port_no_right_and_no_way_out(body: Container) -> None:
    words = body.command()
    assert not {"-p", "--publish", "-P", "--publish-all", "--privileged", "-v"} & set(words)
    assert {"--interactive", "--read-only", "--rm"} <= set(words)
    assert words[words.index("--cap-drop") + 1] == "ALL" and words[words.index("--pull") + 1] == "never"
    assert [word for word in words if word.startswith(engine.OWNER)] == [f"{engine.OWNER}={engine.owner()}"]


def test_every_life_has_a_container_of_its_own_and_all_have_one_volume(body: Container) -> None:
    first, second = " ".join(body.command()), " ".join(body.command())
    assert "-life1 " in first and "-life2 " in second
    assert body.volume.mounted[1] in first and body.volume.mounted[1] in second


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: ...",
            "This user may not use the container engine at unix:///x.sock; join its group (usually docker), or use",
        ),
        (
            "Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?",
            "No container engine answers at unix:///x.sock; start it, set DOCKER_HOST to where it is, or use",
        ),
        (
            "docker: Error response from daemon: driver failed: port is already allocated.\nSee 'docker run --help'.",
            "The engine refuses `docker run` (driver failed: port is already allocated); mend that, or use",
        ),
        ("", "The engine refuses `docker run` (it did not say why); mend that, or use"),
    ],
)
def test_what_the_engine_refuses_is_one_sentence(monkeypatch: pytest.MonkeyPatch, said: str, sentence: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///x.sock")
    told = engine.refusal("run", said)
    assert told.startswith(sentence) and told.endswith("where='processes'.") and told.count("\n") == 0


def test_a_class_that_only_this_machine_has_is_told_as_that(body: Container) -> None:
    told = body.explain("ModuleNotFoundError: No module named 'mine'")
    assert told.startswith(
        "No module named 'mine' in the image, which has chatsys and nothing of yours: write the class"
    )
    assert body.explain("anything else that the node itself says") == ""


def test_an_engine_that_does_not_answer_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("docker", 60)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(NotHere, match="The engine did not answer `docker ps` within 60 s; look at it, or use where="):
        engine.docker("ps")


def test_only_labels_of_processes_of_this_machine_that_are_no_more_are_dead() -> None:
    host, pid, began = engine.owner().split("/")
    assert not engine.is_dead(f"{host}/{pid}/{began}")
    assert engine.is_dead(f"{host}/{pid}/{int(began) - 1}")  # the number is another process's now
    assert engine.is_dead(f"{host}/4194305/1")
    assert not engine.is_dead(f"elsewhere/{pid}/1") and not engine.is_dead("anything")


def test_a_process_that_proc_hides_is_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where /proc is mounted with hidepid, nobody sees there what others run; their containers live all the same."""
    host, pid, began = engine.owner().split("/")
    monkeypatch.setattr(engine, "_began", lambda pid: "")
    assert not engine.is_dead(f"{host}/{pid}/{began}")
    assert engine.is_dead(f"{host}/4194305/1")
