"""A small actor says, as data, what it calls a heartbeat, a suspicion, a leader and a number; the figures draw it."""

import re
from pathlib import Path
from typing import Any

import made_up
import msgspec
import pytest
from watcher import Watcher

from chatsys.actor.words import CHAT, Words
from chatsys.errors import UsageError
from chatsys.protocol.node import Node
from chatsys.run import Run
from chatsys.runtime.cluster import Cluster
from chatsys.sim.world import World
from chatsys.teach import figures
from chatsys.teach.figures import role_spans
from chatsys.teach.figures.translation import in_words_of_the_chat
from chatsys.teach.widgets.panel.view import View
from chatsys.trace import Record, Trace

TOLD = (
    "55 heartbeats arrived, one every 800 ms; 4 suspicions, the first of node 3 by node 2 at 2.50 s "
    "(nothing was heard of node 3 for 2.5 s); 2 taken back, the first by node 1 at 4.10 s."
)


@pytest.fixture(scope="module")
def world() -> World:
    """Node 3 is down from the beginning until 4 s; node 2 crashes at 8 s."""
    made = World(3, actor=Watcher)
    made.crash(3)
    made.at(4.0, "restart", 3)
    made.at(8.0, "crash", 2)
    made.run(14)
    return made


def drawn(figure: Any, name: str) -> list[tuple[float, float]]:
    """Return (time, row) of everything that is drawn under a name of the legend."""
    return [
        (round(time, 2), round(row))
        for one in figure.data
        if one.name == name
        for time, row in zip(one.x, one.y, strict=True)
    ]


def saying(words: Words, *records: Record) -> Trace:
    return Trace(records, {"members": [1, 2], "words": msgspec.to_builtins(words)})


@pytest.mark.quick
def test_the_beats_of_an_actor_with_its_own_words_are_drawn_one_row_for_each_pair(world: World) -> None:
    figure = figures.heartbeats(world)
    assert figures.describe(figure) == TOLD
    rows = list(figure.layout.yaxis.ticktext)
    assert rows == ["1 hears 2", "1 hears 3", "2 hears 1", "2 hears 3", "3 hears 1", "3 hears 2"]
    assert drawn(figure, "suspects another node") == [(2.5, 3), (2.5, 1), (10.0, 5), (10.01, 0)]
    assert [row for _, row in drawn(figure, "suspects it no longer")] == [1, 3]
    assert {row for _, row in drawn(figure, "crashes")} == {0, 1, 2, 3, 4, 5}
    assert [note.text for note in figure.layout.annotations].count("2.50 s of silence") == 4


@pytest.mark.quick
def test_a_saved_run_has_the_words_in_it(world: World, tmp_path: Path) -> None:
    trace = Trace.load(world.trace.save(tmp_path / "trace.jsonl"))
    assert trace.words == Watcher.words
    assert figures.describe(figures.heartbeats(trace)) == TOLD
    with pytest.warns(UserWarning, match="carries code for actor, which was not loaded"):
        run = Run.load(world.save(tmp_path / "run.json"))
    assert figures.describe(figures.heartbeats(run)) == TOLD


@pytest.mark.quick
def test_drawing_changes_nothing_in_the_trace(world: World) -> None:
    before = world.trace.encode()
    figures.heartbeats(world)
    assert world.trace.encode() == before
    assert [record.kind for record in world.trace.of("gone", "back")] == [
        "gone",
        "gone",
        "back",
        "back",
        "gone",
        "gone",
    ]


@pytest.mark.quick
def test_the_chat_says_nothing_of_its_words_and_its_trace_is_read_as_it_is() -> None:
    trace = World(1).trace
    assert Node.words == CHAT and "words" not in trace.meta
    assert in_words_of_the_chat(trace) is trace


@pytest.mark.quick
def test_a_leader_by_another_name_is_a_leader() -> None:
    records = [
        Record(time=1.0, kind="elected", node=2, term=4, role="chief"), Record(time=3.0, kind="quiet", node=1, term=4),
    ]  # fmt: skip
    trace = saying(Words(lead="elected"), *records)
    assert figures.describe(figures.roles(trace)) == "Node 2 led term 4 from 1.00 s."
    assert role_spans.leaders(in_words_of_the_chat(trace)) == [(4, 2, 1.0)]


@pytest.mark.quick
def test_the_number_of_a_delivery_stands_in_the_column_that_the_actor_names() -> None:
    def deliver(time: float, node: int, number: int) -> Record:
        text = f"line {number}"
        return Record(time=time, kind="deliver", node=node, client_seq=number, author="ann", text=text, msg_no=None)

    trace = saying(
        Words(number="client_seq", numbered="LINE"),
        deliver(1.0, 1, 1), deliver(1.1, 1, 2), deliver(1.2, 2, 1),
        Record(time=1.3, kind="receive", node=2, message="LINE", seq=3), Record(time=1.3, kind="hold", node=2, client_seq=3),
        deliver(2.3, 2, 2), deliver(2.3, 2, 3),
    )  # fmt: skip
    assert figures.describe(figures.delivery_matrix(trace)) == (
        "Where the nodes delivered, they agree; of 3 messages node 1 lacks 1."
    )
    assert figures.describe(figures.queue_length(trace)).startswith(
        "At node 2, 1 message waited for #2 alone, for 1.00 s"
    )


@pytest.mark.quick
def test_the_panel_reads_the_words_too(world: World) -> None:
    view = View(world.nodes)
    view.take(world.trace)
    assert {mark.kind for mark in view.story.marks} >= {"suspect", "crash"}


@pytest.mark.quick
@pytest.mark.parametrize("words", [{"number": "text"}, {"heartbeat": 3}, ["BEAT"], {"each_other": None}, "BEAT", None])
def test_words_of_a_foreign_file_that_cannot_be_meant_are_passed_over(words: Any) -> None:
    trace = made_up.fail_over()
    usual = figures.describe(figures.heartbeats(trace))
    trace.meta["words"] = words
    assert trace.words == CHAT
    assert figures.describe(figures.heartbeats(trace)) == usual


@pytest.mark.quick
def test_a_column_that_can_be_no_number_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="name a column: seq, msg_no, client_seq"):
        Words(number="text")


@pytest.mark.quick
def test_an_actor_that_named_no_heartbeat_is_told_how_to() -> None:
    class Silent(Watcher):
        words = CHAT

    world = World(1, actor=Silent)
    world.run(3)
    told = figures.describe(figures.heartbeats(world))
    assert told.startswith("No heartbeat was sent in this run.") and "Words(heartbeat=" in told


@pytest.mark.quick
def test_many_nodes_show_the_rows_in_which_somebody_is_suspected() -> None:
    world = World(2, 7, actor=Watcher)
    world.at(4.0, "crash", 7)
    world.run(8)
    rows = figures.heartbeats(world).layout.yaxis.ticktext
    assert len(rows) == 20
    assert {f"{node} hears 7" for node in range(1, 7)} <= set(rows)


def test_the_same_actor_in_the_kernel_is_drawn_in_the_same_way() -> None:
    with Cluster(3, actor=Watcher) as cluster:
        cluster.run(1.0)
        cluster.crash(3)
        assert cluster.until(lambda: _who(cluster, "gone") == {1, 2}, limit=15)
        cluster.restart(3)
        assert cluster.until(lambda: _who(cluster, "back") == {1, 2}, limit=15)
        about_3 = [record for record in cluster.trace if record.kind not in ("gone", "back") or record.peer == 3]
        told = figures.describe(figures.heartbeats(Trace(about_3, cluster.trace.meta)))
    assert re.search(r"heartbeats? arrived, one every \d+ ms; \d suspicions, the first of node 3 by node [12] at", told)
    assert re.search(r"[2-9] taken back", told)


def _who(cluster: Cluster, word: str) -> set[object]:
    """Return who has said this about node 3; on a machine that stalls, they may say it of each other as well."""
    return {record.node for record in cluster.trace.of(word) if record.peer == 3}
