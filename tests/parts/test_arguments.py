"""What verbs are given by mistake: the same sentence in the simulated world and in the real one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import chatsys as cs
from chatsys import Cluster, Run, World
from chatsys.errors import UsageError
from chatsys.faults import WaitExpired


@pytest.fixture(scope="module", params=["sim", "kernel"])
def world(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "sim":
        yield World(seed=1)
        return
    with Cluster(where="kernel") as cluster:
        yield cluster


def test_a_wait_in_vain_is_told_with_what_was_waited_for_and_how_the_nodes_are(world: Any) -> None:
    world.until(lambda: world.leader)
    with pytest.warns(
        WaitExpired, match=r"Waited 0.1 s, and .*leader == 99.*leader (\d|None); node 1 \w+ in term"
    ) as told:
        assert world.until(lambda: world.leader == 99, limit=0.1) is False
    assert told[0].filename == __file__
    assert world.until(lambda: False, limit=0.01, quiet=True) is False


@pytest.mark.parametrize("seconds", [-1, "3", None, float("inf"), 10**400])
def test_time_only_goes_forward(world: Any, seconds: Any) -> None:
    with pytest.raises(UsageError, match="run was given .* time only goes forward"):
        world.run(seconds)
    with pytest.raises(UsageError, match="until was given"):
        world.until(lambda: False, limit=seconds)


def test_groups_that_overlap_and_links_to_oneself_are_refused(world: Any) -> None:
    before = len(world.done)
    with pytest.raises(UsageError, match="partition: node 2 is in two groups"):
        world.partition([1, 2], [2, 3])
    with pytest.raises(UsageError, match="3 is no group of nodes"):
        world.partition(3, 1)
    with pytest.raises(UsageError, match="cut: both ends are 1"):
        world.cut(1, 1)
    assert len(world.done) == before


def test_one_group_is_cut_from_all_others(world: Any) -> None:
    world.partition({3})
    assert world.trace.of("cut")[-1].reason == "cut 3 | 1,2"
    world.heal()


@pytest.mark.parametrize(
    ("text", "author", "sentence"),
    [
        ("x" * 100_000, "ann", "say: the text is longer than .* bytes; split it"),
        ("a\x00b", "ann", "control character U.0000; remove it"),
        (" ", "ann", "text is ' '; write at least one character"),
        ("hello", "a" * 200, "the author must have 1 to 128 characters"),
    ],
)
def test_what_no_node_would_accept_is_not_said(world: Any, text: str, author: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        world.say(text, author=author)


def test_a_world_and_a_cluster_say_what_they_are(world: Any) -> None:
    assert f"of 3 nodes ({'seed 1' if world.where == 'sim' else world.where})" in repr(world)
    assert " s, leader " in repr(world)


def test_a_file_that_cannot_be_written_is_told_in_a_sentence(world: Any, tmp_path: Path) -> None:
    for save in (world.save, world.trace.save):
        with pytest.raises(
            UsageError, match="cannot be written: No such file or directory; name a file in a folder that exists"
        ):
            save(tmp_path / "none" / "a.run")


def test_a_run_says_in_one_line_what_it_is(world: Any, tmp_path: Path) -> None:
    run = Run.load(world.save(tmp_path / "a.run"))
    assert repr(run).startswith("<Run (seed ") and "own classes: none" in repr(run) and "\n" not in repr(run)


def test_whatever_has_a_trace_can_be_checked_and_drawn(world: Any) -> None:
    world.until(lambda: world.leader)
    world.stop()  # else a real one goes on between the one look and the other
    assert cs.check.check(world) == cs.check.check(world.trace) == []
    for draw in (cs.roles, cs.delivery_matrix, cs.latency, cs.heartbeats, cs.log_table):
        assert cs.describe(draw(world)) == cs.describe(draw(world.trace))
        with pytest.raises(UsageError, match="int has no trace; give a trace, for example world.trace"):
            draw(3)
    with pytest.raises(UsageError, match="str has no trace"):
        cs.check.check("first.run")


def test_a_panel_needs_a_cluster() -> None:
    with pytest.raises(UsageError, match="3 is no cluster; make one first"):
        cs.panel(3)  # type: ignore[arg-type]
