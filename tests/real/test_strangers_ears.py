"""What a stranger can hear of a session, over real connections: which messages belong together, and never the secret."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatsys.check.log_files import verify
from chatsys.runtime.cluster import Cluster
from chatsys.runtime.net.wire import PROTOCOL
from chatsys.runtime.unguessable import Unguessable

SAID = 5


class Stranger:
    """Somebody with a socket, who reads everything that a node sends to a client."""

    def __init__(self, cluster: Cluster, node: int) -> None:
        host, port = cluster.config.members[node].rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=5)
        self.lines = self.socket.makefile("rb")
        self.frames = 0
        hello = {"type": "hello", "protocol": PROTOCOL, "cluster": cluster.config.cluster, "role": "client"}
        self._write(hello | {"name": "eve"})
        self.heard = self.lines.readline()
        """All that came."""

    def _write(self, line: dict[str, Any]) -> None:
        self.socket.sendall(json.dumps(line).encode() + b"\n")

    def send(self, **message: Any) -> None:
        """Send one frame."""
        self.frames += 1
        self._write({"n": self.frames, "clock": self.frames, "message": message})

    def __enter__(self) -> "Stranger":
        return self

    def __exit__(self, *error: object) -> None:
        self.lines.close()
        self.socket.close()

    def next(self, kind: str) -> dict[str, Any]:
        """Return the next message of this type."""
        while True:
            line = self.lines.readline()
            self.heard += line
            message = json.loads(line)["message"]
            if message["type"] == kind:
                return dict(message)

    def listen(self) -> list[dict[str, Any]]:
        """Return the chat so far, as it is shown to everybody."""
        self.send(type="SUBSCRIBE")
        entries: list[dict[str, Any]] = []
        while len(entries) < SAID:
            entries += self.next("DELIVERED")["entries"]
        return entries


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(3, where="processes", data=tmp_path_factory.mktemp("ears")) as cluster:
        cluster.until(lambda: cluster.leader)
        for number in range(SAID):
            cluster.say(f"secretly {number}", node=1, author="ann")
        cluster.until(lambda: all(len(cluster.delivered(node)) == SAID for node in cluster.nodes))
        yield cluster


def actors(cluster: Cluster) -> list[Any]:
    return [host.actor for host in cluster.supervisor.clients.values()]


def test_nothing_that_is_shown_holds_the_secret_of_a_session(cluster: Cluster) -> None:
    with Stranger(cluster, 2) as stranger:
        stranger.listen()
    folders = [Path(cluster.supervisor.plan.data(node)) for node in cluster.nodes]
    shown = {
        "a listener": stranger.heard,
        "the trace": cluster.trace.encode(),
        "the status": json.dumps(cluster.status()).encode(),
        "verify": repr(verify(folders)).encode(),
    }
    secrets = [actor.client_id.encode() for actor in actors(cluster)]
    assert secrets and all(secret in (folders[0] / "log.jsonl").read_bytes() for secret in secrets), "members need it"
    assert [(who, secret) for who, data in shown.items() for secret in secrets if secret in data] == []


def test_who_hears_everything_still_cannot_speak_in_anothers_session(cluster: Cluster) -> None:
    opened = next(record.seq for record in cluster.trace if record.kind == "append" and record.entry == "session")
    with Stranger(cluster, 2) as stranger:
        last = stranger.listen()[-1]
        claimed = {last[key] for key in ("client", "client_id") if key in last}
        for name in claimed:  # whatever looks like the name of a client
            stranger.send(type="SUBMIT", client_id=name, client_seq=last["client_seq"] + 1, room="main", author="ann",
                          text="I never said that", session=last.get("session", opened))  # fmt: skip
            assert claimed and stranger.next("SUBMIT_REPLY")["status"] == "unknown_session"
    cluster.say("my next one", node=1, author="ann")
    assert cluster.until(lambda: any(record.text == "my next one" for record in cluster.trace.of("ack")), 10)
    assert not cluster.trace.of("indeterminate")


def test_a_listener_knows_its_own_lines(cluster: Cluster) -> None:
    mine = {record.client for record in cluster.trace.of("submit", "ack")}
    with Stranger(cluster, 3) as stranger:
        heard = {entry["client"] for entry in stranger.listen()}
    assert len(mine) == 1 and mine == heard


def test_the_secret_of_a_client_comes_from_where_nobody_can_guess_it(cluster: Cluster) -> None:
    assert all(isinstance(actor.random, Unguessable) and len(actor.client_id) == 32 for actor in actors(cluster))
