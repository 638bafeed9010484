"""The panel's two ideas, and its chat: what waits, whether the rules hold, another quorum, one step after the other."""

import re
from typing import Any

import made_up
import panels
import pytest
from pingpong import PingPong

import chatsys
from chatsys.check import check
from chatsys.runtime.cluster import Cluster
from chatsys.sim.world import World
from chatsys.teach.widgets.panel.chats import in_plain
from chatsys.teach.widgets.panel.lamp import Lamp
from chatsys.teach.widgets.panel.panel import Panel, panel
from chatsys.trace import Record, Trace

world, shown = panels.world, panels.shown


def test_each_message_waits_by_itself_until_it_is_acknowledged(world: World, shown: Panel) -> None:
    world.partition({3}, {1, 2})
    shown.press("say", text="alone", author="ann", node=3)
    assert shown.chat["waiting"] == [["ann", "alone", "3", "on its way"]]
    shown.press("run", seconds=6)
    assert shown.chat["waiting"] == [["ann", "alone", "3", "waits: node 3 knows no leader"]]
    shown.press("say", text="with most", author="bob", node=1)
    shown.press("run", seconds=1)
    assert shown.said == "bob: “with most” is committed as #1."
    assert [row[1] for row in shown.chat["waiting"]] == ["alone"]
    shown.press("heal")
    shown.press("run", seconds=4)
    assert shown.chat["waiting"] == []
    said, columns = shown.chat["said"], shown.chat["columns"]
    assert [said[at] for _, at, _ in columns["3"]] == [["bob", "main", "with most"], ["ann", "main", "alone"]]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("gap: message 6 of this session is missing", "an earlier message of this author has to come first"),
        ("unknown_session: no such session", "node 3 does not know this author's client any more"),
        ("busy: no leader is known here", "node 3 knows no leader"),
        ("busy: too many wait", "node 3 is busy (too many wait)"),
        ("redirect: node 2", ""),
    ],
)
def test_what_a_node_answers_is_told_in_words_that_need_no_protocol(reason: str, told: str) -> None:
    assert in_plain(Record(1.0, "reply", 1, peer=3, reason=reason)) == told


def test_an_actor_that_acknowledges_nothing_lets_nobody_wait() -> None:
    world = World(seed=1, actor=PingPong)
    shown = panel(world)
    shown.press("say", text="ball", author="ann")
    assert shown.chat["waiting"] == []
    shown.close()


def split_and_say(world: World) -> None:
    """Let both sides of a partition be told something."""
    world.partition({3}, {1, 2})
    world.say("left", node=3)
    world.say("right", node=1, author="bob")
    world.run(6)
    world.heal()
    world.run(2)


def test_another_quorum_is_the_same_run_in_another_world_and_the_lamp_tells_what_breaks(world: World) -> None:
    split_and_say(world)
    shown = panel(world)
    while shown._lamp.ahead:
        shown.refresh()
    assert shown.lamp == {"held": True, "says": "All 16 rules hold.", "code": ""}
    shown.press("quorum", quorum=1)
    made = shown.cluster
    assert isinstance(made, World) and made is not world
    assert (made.config.quorum, made.seed, made.now) == (1, 3, world.now)
    assert [fault.verb for fault in made.done] == [fault.verb for fault in world.done]
    names: dict[str, Any] = {"world": world, "cs": chatsys}
    exec(shown.line, names)
    assert names["world"].trace.records == made.trace.records, "the line does what was done"
    while shown._lamp.ahead:  # a look judges some records only
        shown.refresh()
    assert not shown.lamp["held"] and "“left”" in shown.lamp["says"]
    assert not re.search(r"\bS\d|position|client", shown.lamp["says"]), "plain words first"
    assert re.match(r"S\d+ ", shown.lamp["code"])
    assert shown.about["quorum"] == 1 and shown.about["safe"] == [False, True, True]
    shown.press("crash", node=2)
    assert not made.status()[2]["alive"] and world.status()[2]["alive"], "the buttons act on the new one"
    shown.close()


def test_another_quorum_of_a_real_cluster_is_a_new_one_and_the_old_one_is_stopped() -> None:
    with Cluster(timing="fast") as cluster:
        shown = panel(cluster)
        shown.press("lose", fraction=0.5)
        shown.press("quorum", quorum=1)
        made = shown.cluster
        assert isinstance(made, Cluster) and made is not cluster
        with made:
            assert made.config.quorum == 1 and made.config.timing == cluster.config.timing
            assert shown.line == "cluster.stop(); cluster = cs.Cluster(quorum=1, timing='fast')"
            assert "without a past; the old one is stopped." in shown.said
            assert "stopped" in repr(cluster) and not shown.state["ended"] and shown.state["loss"] == 0.0
        shown.close()


def test_the_lamp_says_what_check_says(world: World) -> None:
    split_and_say(world)
    worse = Lamp(made_up.split_brain())
    worse.look(made_up.split_brain(), 100.0, budget=10)
    assert {found.invariant for found in check(made_up.split_brain())} >= set(worse.broken) > set()
    lamp = Lamp(world.trace)
    while lamp.read < len(world.trace) or lamp.ahead:
        lamp.look(world.trace, world.now, budget=0.0)
    assert lamp.state()["held"] and check(world.trace) == []


def test_records_that_come_too_late_let_the_lamp_begin_anew(world: World) -> None:
    split_and_say(world)
    trace = Trace(meta=world.trace.meta | {"where": "kernel"})
    late = [record for record in world.trace.of("deliver") if record.msg_no == 1]
    for record in world.trace:
        if record not in late:
            trace.append(record)
    lamp = Lamp(trace)
    lamp.look(trace, 100.0, budget=10)
    assert not lamp.state()["held"], "so far it looks as if every node had left out #1"
    for record in late:
        trace.append(record)
    lamp.look(trace, 100.0, budget=10)
    assert lamp.state()["held"] and not lamp.ahead


def test_a_step_is_told_and_shown_in_the_timeline(world: World, shown: Panel) -> None:
    assert shown.timeline is None
    shown.press("step")
    shown.press("step")
    inside = shown.timeline
    assert inside is not None
    assert inside.event == len(world.trace) - 1
    assert inside.packed.sentence(inside.event) in shown.said
    assert shown.said.startswith(f"{world.now:.4f} s: Node ")
    shown.press("run", seconds=1)
    assert len(inside.packed.records) <= len(world.trace)
    shown.press("timeline")
    assert shown.timeline is None
