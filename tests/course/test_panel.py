"""The panel: every button is a verb, every refusal a sentence, and no front end is needed."""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import made_up
import panels
import pytest
from typed import Where

from chatsys.mutants import schedules
from chatsys.runtime.cluster import Cluster
from chatsys.sim.world import World
from chatsys.teach.figures import theme
from chatsys.teach.figures.agreement import AGAIN, SAME, Matrix
from chatsys.teach.widgets.panel import panel as module
from chatsys.teach.widgets.panel.chats import LINES
from chatsys.teach.widgets.panel.orders import ORDERS
from chatsys.teach.widgets.panel.panel import Panel, panel
from chatsys.teach.widgets.panel.view import View, tell

world, shown = panels.world, panels.shown


def card(shown: Panel, node: int) -> dict[str, Any]:
    facts: dict[str, Any] = shown.state["nodes"][node - 1]
    return facts


def seen(shown: Panel | View, node: int) -> list[tuple[int, str, str, str]]:
    """Return what the user of a node sees: number, author, text, sign."""
    chat = shown.chat if isinstance(shown, Panel) else shown.chats.columns(shown.nodes)
    rows = [(number, chat["said"][at], sign) for number, at, sign in chat["columns"].get(str(node), [])]
    return [(number, author, text, sign) for number, (author, _room, text), sign in rows]


# --- buttons are verbs --------------------------------------------------------------------------


def test_the_crash_button_crashes_and_shows_its_line_of_code(world: World, shown: Panel) -> None:
    shown.press("crash", node=3)
    assert not world.status()[3]["alive"]
    assert (shown.line, shown.said) == ("world.crash(3)", "Node 3 crashed.")
    assert card(shown, 3)["health"] == "down"


def test_after_a_crash_another_node_leads_and_the_panel_says_so(world: World, shown: Panel) -> None:
    shown.press("crash", node=3)
    shown.press("run", seconds=6.0)
    assert "Node 2 leads term 2." in shown.said
    assert card(shown, 2)["health"] == "leads"


def test_say_posts_the_text_through_the_chosen_node(world: World, shown: Panel) -> None:
    shown.press("say", text="hello", author="bob", node=1)
    shown.press("run", seconds=2)
    assert shown.line == "world.run(2.0)"
    assert world.delivered(3) == ["hello"]
    assert [seen(shown, node) for node in (1, 2, 3)] == [[(1, "bob", "hello", "same")]] * 3


def test_a_link_can_be_cut_and_mended_by_itself(world: World, shown: Panel) -> None:
    shown.press("cut", a=3, b=1)
    shown.press("cut", a=3, b=2)
    assert shown.state["cuts"] == {"1-3": "cut", "2-3": "cut"}
    shown.press("join_link", a=3, b=1)
    assert shown.state["cuts"] == {"2-3": "cut"}
    assert shown.line == "world.reconnect(3, 1)"
    assert not world.simulation.network.is_open(2, 3)
    assert world.simulation.network.is_open(1, 3)


def test_cuts_made_in_a_cell_show_in_the_panel(world: World, shown: Panel) -> None:
    world.partition({3}, {1, 2})
    world.cut(1, 2, one_way=True)
    shown.refresh()
    assert shown.state["cuts"] == {"1-3": "cut", "2-3": "cut", "1-2": "1 → 2"}
    world.heal()
    shown.refresh()
    assert shown.state["cuts"] == {}


def test_sliders_set_loss_and_delay_on_all_links(world: World, shown: Panel) -> None:
    shown.press("lose", fraction=0.25)
    shown.press("slow", delay=0.1)
    assert (shown.state["loss"], shown.state["delay"]) == (0.25, 0.1)
    assert [(rule[0], rule[3][0]) for rule in world.simulation.network.rules] == [("lose", 0.25), ("slow", 0.1)]
    shown.press("heal")
    assert shown.state["loss"] == 0.25, "healing mends cuts; Reset ends loss and delay, too, as the button says"
    assert '"Heal all links", "Mend every cut; loss and delay stay as they are, and Reset ends them, too"' in Panel._esm


def test_reset_wakes_everybody_and_mends_every_link(world: World, shown: Panel) -> None:
    shown.press("crash", node=1)
    shown.press("pause", node=2)
    shown.press("cut", a=1, b=2)
    shown.press("lose", fraction=0.5)
    shown.press("reset")
    assert all(facts["alive"] and not facts["paused"] for facts in world.status().values())
    assert shown.state["cuts"] == {}
    assert shown.state["loss"] == 0.0
    assert not world.simulation.network.rules


def test_the_join_button_brings_a_learner_with_a_card_of_its_own_and_it_leaves_by_its_own(
    world: World, shown: Panel
) -> None:
    world.say("before it came")
    world.run(1)
    shown.press("join")
    shown.press("run", seconds=2)
    assert world.learners == (4,) and shown.state["learners"] == [4]
    assert "Learner 4 is taken in; it hears everything, and has no vote." in shown.said
    assert card(shown, 4)["role"] == "learner" and card(shown, 4)["health"] == "listens to node 1"
    assert seen(shown, 4) == [(1, "ann", "before it came", "again")]
    assert Matrix.of(world.trace).faults() == [] and world.trace.nodes == (1, 2, 3, 4)
    shown.press("crash", node=4)
    assert card(shown, 4)["health"] == "down" and not shown.state["ended"]
    shown.press("restart", node=4)
    shown.press("leave", node=4)
    assert shown.line == "world.leave(4)"
    shown.press("run", seconds=3)
    assert shown.state["learners"] == [] and len(shown.state["nodes"]) == 3


def test_one_order_splits_off_whoever_leads_or_the_chosen_nodes(world: World, shown: Panel) -> None:
    shown.press("partition", nodes=[])
    assert shown.line == "world.partition({3}, {1, 2})"
    shown.press("heal")
    shown.press("partition", nodes=[1, 2])
    assert shown.line == "world.partition({1, 2}, {3})"
    assert shown.state["cuts"] == {"1-3": "cut", "2-3": "cut"}
    shown.press("run", seconds=0.1)
    shown.press("crash", node=3)
    shown.press("heal")
    shown.press("partition", nodes=[])
    assert shown.said == "Nobody leads now; tick the nodes that are to be split off."
    assert shown.line == "world.heal()", "what was refused has no line"


def test_step_and_run_advance_virtual_time(world: World, shown: Panel) -> None:
    before = world.now
    shown.press("step")
    shown.press("run", seconds=1)
    assert world.now > before + 1


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ({"do": "crash", "node": 9}, "Node 9 is not a member"),
        ({"do": "restart", "node": 1}, "Node 1 is running"),
        ({"do": "resume", "node": 1}, "Node 1 is not paused"),
        ({"do": "say", "text": "  ", "author": "ann"}, "Type a message first."),
        ({"do": "say", "text": "x", "author": ""}, "Type a name first"),
        ({"do": "say", "text": "x" * 70_000, "author": "ann"}, "split it"),
        ({"do": "partition", "nodes": [1, 2, 3]}, "leave at least one"),
        ({"do": "partition", "nodes": [9]}, "9 is no node"),
        ({"do": "quorum", "quorum": 4}, "quorum is 4"),
        ({"do": "explode"}, "no button 'explode'"),
        ({"do": ["crash"]}, "no button"),
        ({}, "no button None"),
        ({"do": "crash"}, "KeyError"),
        ({"do": "speed", "speed": "fast"}, "ValueError"),
    ],
)
def test_whatever_is_wrong_with_an_order_becomes_a_sentence(shown: Panel, order: dict[str, Any], sentence: str) -> None:
    shown._obey(order)
    assert sentence in shown.said


def test_news_come_behind_the_answer_to_an_order_until_it_is_old_or_another_is_given(
    world: World, shown: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown.press("crash", node=3)
    shown.press("restart", node=1)
    refusal = shown.said
    world.run(6)
    shown.refresh()
    assert refusal.startswith("Node 1 is running") and shown.said.startswith(f"{refusal} Node")
    assert "Node 2 leads term 2." in shown.said

    shown.press("cut", a=1, b=2)
    assert shown.said == "The link between nodes 1 and 2 is cut."
    world.crash(2)
    shown.refresh()
    assert shown.said == "The link between nodes 1 and 2 is cut. Node 2 crashed."
    monkeypatch.setattr("chatsys.teach.widgets.panel.live_region.ANSWER", 0.0)
    world.restart(2)
    shown.refresh()
    assert shown.said.startswith("Node 2") and "cut" not in shown.said


def test_every_order_of_the_browser_is_known() -> None:
    sent = set(re.findall(r"do: \"(\w+)\"", Panel._esm)) | {"join_link", "cut", "hold", "play", "leave"}
    verbs = re.search(r"VERBS = \[(.*?)\]", Panel._esm)
    assert verbs is not None
    sent |= {verb.lower() for verb in verbs.group(1).replace('"', "").split(", ")}
    assert sent == set(ORDERS)


# --- its thread ---------------------------------------------------------------------------------


def wait_for(holds: Callable[[], object], limit: float = 60.0) -> bool:
    end = time.monotonic() + limit
    while not holds() and time.monotonic() < end:
        threading.Event().wait(0.02)
    return bool(holds())


def locked(shown: Panel, read: Callable[[], Any]) -> Any:
    """Read a simulated world as its panel does: while no other thread plays it."""
    with shown._turn:
        return read()


def has_ended(shown: Panel) -> bool:
    """Return whether the thread of a panel that was started has ended."""
    assert shown._thread is not None
    return not shown._thread.is_alive()


def test_a_click_returns_at_once_and_is_carried_out_soon_after(world: World, shown: Panel) -> None:
    shown._handle_custom_msg({"do": "crash", "node": 3}, [])
    assert wait_for(lambda: not world.status()[3]["alive"])


def test_many_clicks_at_once_are_carried_out_one_after_the_other(world: World, shown: Panel) -> None:
    for _ in range(15):
        for do in ("pause", "resume"):
            shown._handle_custom_msg({"do": do, "node": 1}, [])
    assert wait_for(lambda: locked(shown, lambda: len(world.trace.of("resume")) == 15))
    assert locked(shown, lambda: len(world.trace.of("pause")) == 15 and not world.status()[1]["paused"])


def test_play_lets_virtual_time_pass_until_hold(world: World, shown: Panel) -> None:
    before = world.now
    shown._handle_custom_msg({"do": "speed", "speed": 10}, [])
    shown._handle_custom_msg({"do": "play"}, [])
    assert wait_for(lambda: world.now > before + 1)
    shown.press("hold")
    after = world.now
    assert not wait_for(lambda: world.now > after, limit=0.5)


def test_without_a_front_end_nothing_runs(world: World) -> None:
    shown = panel(world)
    assert shown._thread is None
    shown.close()


def test_stop_all_ends_the_panel_and_its_thread(world: World, shown: Panel) -> None:
    shown.start()
    shown._handle_custom_msg({"do": "stop"}, [])
    assert wait_for(lambda: has_ended(shown))
    assert shown.state["ended"]
    assert not any(facts["alive"] for facts in world.status().values())


def test_a_second_panel_takes_over_from_the_first(world: World) -> None:
    first = panel(world)
    first.start()
    second = panel(world)
    assert wait_for(lambda: has_ended(first))
    second.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "chatsys panel"]


@pytest.mark.parametrize("where", ["kernel", "processes"])
def test_a_panel_follows_a_real_cluster_and_ends_with_it(where: Where) -> None:
    with Cluster(where=where, timing="fast") as cluster:
        assert cluster.until(lambda: cluster.leader == 3, limit=20)
        shown = panel(cluster)
        shown.start()
        shown._handle_custom_msg({"do": "crash", "node": 3}, [])
        assert wait_for(lambda: card(shown, 2)["health"] == "leads", limit=20)
        shown._handle_custom_msg({"do": "say", "text": "hello", "author": "ann"}, [])
        assert wait_for(lambda: seen(shown, 1) == [(1, "ann", "hello", "same")], limit=20)
        assert shown.line == "cluster.say('hello', author='ann')"
    assert wait_for(lambda: has_ended(shown))
    assert shown.state["ended"]
    shown.close()


def test_nested_loops_are_allowed_by_the_package_that_loses_no_cells() -> None:
    script = (
        "import asyncio, chatsys; print(chatsys.allow_nested());"
        "inner = lambda: asyncio.get_running_loop().run_until_complete(asyncio.sleep(0, 'nested'));"
        "exec('async def outer():\\n return inner()'); print(asyncio.run(outer()))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.split() == ["nest_asyncio2", "nested"]


# --- what it shows ------------------------------------------------------------------------------


def test_a_panel_opened_late_shows_what_one_shows_that_was_open_all_along(world: World) -> None:
    early = View(world.nodes)
    for _ in range(20):
        world.say(f"text {_}")
        world.run(0.5)
        early.take(world.trace)
    late = View(world.nodes)
    late.take(world.trace)
    assert late.state(world.status(), world.now) == early.state(world.status(), world.now)
    assert late.chats.columns(world.nodes) == early.chats.columns(world.nodes)


def test_the_state_stays_small_however_long_the_run_is() -> None:
    view, trace = View((1, 2, 3)), made_up.crowd()
    view.take(trace)
    status = dict.fromkeys((1, 2, 3), {"alive": True, "paused": False, "role": "leader", "term": 1, "leader": 3})
    status = {node: facts | {"last": 1, "delivered": 1} for node, facts in status.items()}
    state = view.state(status, 120.0)
    assert len(seen(view, 1)) == LINES
    assert len(json.dumps(state)) < 5000
    assert len(json.dumps(view.chats.columns(view.nodes))) < 6000


def test_the_table_marks_what_differs_and_what_came_again() -> None:
    split, back = View((1, 2, 3)), View((1, 2, 3))
    split.take(made_up.split_brain())
    back.take(made_up.fail_over())
    assert [line[2:] for line in seen(split, 1)] == [("before the cut", "same"), ("right", "odd")]
    assert [line[3] for line in seen(back, 3)] == ["same"] * 4 + ["again"] * 2 + ["same"], "the last one it heard live"


def test_a_node_that_was_restarted_caught_up_what_it_missed_and_heard_the_rest_live() -> None:
    world = World(seed=1)
    world.run(3)
    world.say("before it went")
    world.run(1)
    world.crash(1)
    world.say("while it was down")
    world.run(1)
    world.restart(1)
    world.run(2)
    world.say("when it was back")
    world.run(2)
    view = View(world.nodes)
    view.take(world.trace)
    assert [line[3] for line in seen(view, 1)] == ["same", "again", "same"]
    assert [Matrix.of(world.trace).state(1, number) for number in (1, 2, 3)] == [SAME, AGAIN, SAME]


@pytest.mark.parametrize(
    ("verb", "args", "sentence"),
    [
        ("cut", (1, 2), "The link between nodes 1 and 2 is cut."),
        ("reconnect", (1, 2), "The link between nodes 1 and 2 works again."),
        ("reconnect", (1, 2, True), "What node 1 sends reaches node 2 again."),
        ("cut", (1, 2, True), "Nothing from node 1 reaches node 2 any more; the way back works."),
        ("partition", ({3}, {1, 2}), "The network splits: node 3 | nodes 1 and 2."),
        ("partition", ({3}, {1}, {2}), "The network splits: node 3 | node 1 | node 2."),
        ("partition", ({3}, {1, 2}, True), "Nothing from node 3 reaches nodes 1 and 2 any more; the way back works."),
        ("heal", (), "All links are open again."),
        ("heal", (True,), "All links are open again, without loss or delay."),
        ("slow", ("*", "*", 0.1), "Every link is slower by 0.1 s."),
        ("slow", (1, "*", 0.1, 0.05), "Every link of node 1 is slower by 0.1 to 0.15 s, each frame by another time, so that"),
        ("slow", ("*", "*", 0), "Every link is as fast as ever."),
        ("lose", ("*", "*", 0.3), "Every link loses 30% of its frames."),
        ("lose", (1, 2, 0.075), "The link between nodes 1 and 2 loses 7.5% of its frames."),
        ("lose", ("*", "*", 0.0), "Every link loses nothing any more."),
        ("lose", (1, "*", 1), "Every link of node 1 loses every frame."),
        ("slow", (1, 2, 1e-7), "The link between nodes 1 and 2 is slower by 1e-07 s."),
    ],
)  # fmt: skip
def test_what_happens_to_links_is_told_in_a_true_sentence(
    world: World, verb: str, args: tuple[Any, ...], sentence: str
) -> None:
    getattr(world, verb)(*args)
    assert tell(world.trace.of(verb if verb != "partition" else "cut")[-1]).startswith(sentence)


def test_a_node_that_stopped_itself_did_not_crash() -> None:
    told = [tell(record) for record in schedules.play("C4", flawed=True).trace.of("broken", "crash")]
    assert [sentence.partition(":")[0] for sentence in told] == [
        "Node 3 crashed.", "Node 1 stopped itself", "", "Node 2 stopped itself", "",
    ]  # fmt: skip


def test_after_a_stop_nobody_leads_and_a_button_says_why_it_does_nothing(world: World, shown: Panel) -> None:
    shown.press("stop")
    assert shown.said == "All nodes are stopped; make a new cluster to go on."
    shown.said = ""
    shown._receive(shown, {"do": "restart", "node": 3}, None)
    assert shown.said == "All nodes are stopped; make a new cluster to go on."


def test_texts_of_users_reach_the_browser_only_as_text_nodes() -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", Panel._esm)


def test_the_panel_needs_no_network() -> None:
    addresses = re.findall(r"https?://[^\"' )]+", Panel._esm + Panel._css)
    assert set(addresses) == {"http://www.w3.org/2000/svg"}  # a name, never fetched


def test_every_control_has_a_name_and_what_is_said_is_a_live_region() -> None:
    for part in ('"aria-live": "polite"', 'role: "status"', '"aria-label": "message"', "lmSuppressShortcuts"):
        assert part in Panel._esm


def test_the_colours_of_the_panel_are_those_of_the_figures() -> None:
    for role, look in theme.LOOKS.items():
        if role in {"follower", "up"}:
            assert "fill: " + look.colour.lower() in Panel._css
        else:
            assert f".cs-fill-{role} {{ fill: {look.colour.lower()}; }}" in Panel._css


def test_the_legend_tells_every_colour_and_every_sign_that_is_drawn() -> None:
    parts = {part: (module.HERE / "js" / f"{part}.js").read_text("utf-8") for part in ("legend", "bands", "nodes")}
    told = parts["legend"].partition("function legend")[0]
    roles = set(re.findall(r"\.cs-fill-(\w+)", Panel._css)) | {"follower"}
    assert roles == set(re.findall(r"(\w+): \"", told.partition("SIGNS_TOLD")[0]))
    drawn = re.findall(r"\w+: \[?\"([^\w\s])\"", parts["bands"] + parts["nodes"])
    assert len(drawn) >= 8 and set(drawn) <= set(re.findall(r"\"([^\w\s])\": ", told))


def test_the_module_says_how_often_it_looks() -> None:
    assert 5 <= 1 / module.PACE <= 10
