"""Bench: what is measured is true: the load says what the nodes hold, and what is not true is caught."""

import math
import sys
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from chatsys.actor.logfile import LOG
from chatsys.campaign import bench
from chatsys.campaign.bench import load
from chatsys.campaign.bench.compared import compared
from chatsys.campaign.bench.ordered import LoadOrder, LoadResult, Said
from chatsys.campaign.bench.starting import one_start, write_log
from chatsys.check.log_files import verify
from chatsys.errors import UsageError
from chatsys.protocol.public import public
from chatsys.runtime.cluster import Cluster


def test_a_second_of_throughput_is_acknowledged_logged_and_delivered_alike() -> None:
    told, found = bench.run("throughput", connections=2, outstanding=4, seconds=2.0)
    assert told["messages"] == round(told["rate_per_second"] * told["seconds"])
    assert 50 < told["messages"] <= found["acknowledged"], "what warms up is acknowledged and does not count"
    assert found["logs"] == 3 and found["deliveries"] == 3 * min(found["acknowledged"], 20_000)
    # closed loop: eight at most are under way (Little's law), and the median is at most twice the mean (Markov)
    waits = [told[f"latency_{name}_ms"] for name in ("p50", "p90", "p99", "p99_9")]
    assert waits == sorted(waits) and 0 < told["rate_per_second"] * waits[0] / 1000 < 17
    assert 0 < told["syncs_per_message_leader"] < 1.5 and 0 < told["frames_per_message_follower"] < 4
    assert told["cpu_us_leader"] > 0 and told["memory_peak_mb_leader"] >= told["memory_mb_leader"] > 10


def test_a_client_that_waits_for_each_answer_is_measured_and_compared_like_the_others() -> None:
    told, found = bench.run("latency", nodes=1, seconds=2.0)
    waits = [told[f"latency_{name}_ms"] for name in ("p50", "p90", "p99", "p99_9")]
    assert waits == sorted(waits) and 0 < told["messages"] <= found["acknowledged"] == found["deliveries"]
    assert told["messages"] / 2 * told["latency_p50_ms"] / 1000 <= told["seconds"], "no two are under way at a time"


@pytest.mark.parametrize("loop", ["asyncio", *(["uvloop"] if find_spec("uvloop") else [])])
def test_the_load_runs_on_uvloop_where_that_is_installed(
    loop: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if loop == "asyncio":
        monkeypatch.setitem(sys.modules, "uvloop", None)
    with Cluster(nodes=1, timing="fast") as cluster:
        assert cluster.until(lambda: cluster.leader == 1, 10)
        order = LoadOrder(addresses=(cluster.config.members[1],), connections=2, outstanding=2, seconds=9.0, messages=5)
        assert load.main([msgspec.json.encode(order).decode()]) == 0
        assert len(cluster.delivered(1)) == 10
    told = capsys.readouterr().out.splitlines()[-1]
    assert msgspec.json.decode(told, type=LoadResult).loop.partition(".")[0] == loop


def test_acknowledged_messages_are_kept_as_runs() -> None:
    said = Said(client_id="c")
    for number, seq in ((1, 3), (2, 4), (3, 6), (4, 7), (6, 8)):
        said.note(number, seq)
    assert (said.runs, said.acknowledged) == ([(1, 3, 2), (3, 6, 2), (6, 8, 1)], 5)


def test_what_was_acknowledged_and_is_not_in_a_log_is_found(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    write_log(folders[0], 20, 10)
    write_log(folders[1], 19, 10)
    client, heard = "c" * 32, [(seq, public("c" * 32), seq - 2) for seq in range(3, 23)]
    whole = Said(client_id=client, acknowledged=20, runs=[(1, 3, 20)])
    assert verify(folders)["ok"], "one log is only shorter"
    assert compared(folders[:1], [whole], {1: heard}).wrong == []
    assert "message 20 was acknowledged at position 22" in compared(folders[1:], [whole], {}).wrong[0]
    moved = Said(client_id=client, acknowledged=20, runs=[(1, 4, 20)])
    assert "message 1 was acknowledged at position 4" in compared(folders[:1], [moved], {}).wrong[0]
    fewer = Said(client_id=client, acknowledged=19, runs=[(1, 3, 19)])
    assert "it holds 20 messages of the load, of which 19" in compared(folders[:1], [fewer], {}).wrong[0]
    turned = [heard[1], heard[0], *heard[2:]]
    assert "Node 1 delivers something else" in compared(folders[:1], [whole], {1: turned}).wrong[0]


def test_a_node_starts_on_a_log_that_the_bench_wrote() -> None:
    told = one_start("startup", 1000, 100)
    assert told["messages"] == 1000 and 0.2 < told["log_mb"] < 0.5
    assert 0 < told["cpu_seconds_to_listen"] and math.isfinite(told["seconds_to_listen"])
    assert told["memory_peak_mb"] >= told["memory_mb"] > 10


def test_etcd_that_is_not_there_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="etcd and h2load cannot be found .* apt install etcd-server nghttp2-client"):
        list(bench.run("latency", beside="etcd"))


def test_a_written_log_has_every_message_once(tmp_path: Path) -> None:
    write_log(tmp_path / "one", 1001, 5)
    assert verify([tmp_path / "one"])["messages"] == 1001
    assert (tmp_path / "one" / LOG).read_bytes().count(b'"kind":"chat"') == 1001
