"""The simulated world: one seed, one history; verbs that say no in a sentence; nodes that fail alone."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pingpong import Counted, Ping, PingPong

from chatsys.actor.actor import Actor
from chatsys.actor.effects import Append, Note, Send
from chatsys.actor.events import LinkUp
from chatsys.config import ClusterConfig, Timing
from chatsys.errors import BrokenInvariant, Runaway, UsageError
from chatsys.faults import Script
from chatsys.run import Run
from chatsys.sim.world import World

pytestmark = pytest.mark.quick

HERE = Path(__file__).parent


def world(seed: int = 1, **options: Any) -> World:
    return World(seed, actor=PingPong, **options)


def counts(one: World) -> list[int]:
    return [one.status()[node]["count"] for node in one.nodes]


# --- one seed, one history ------------------------------------------------------------------


def eventful(seed: int) -> World:
    one = world(seed, clock_drift=0.1)
    one.lose("*", "*", 0.1)
    one.run(2)
    one.crash(3)
    one.pause(1)
    one.run(1)
    one.restart(3)
    one.resume(1)
    one.partition({1}, {2, 3})
    one.run(2)
    one.mend()
    one.run(2)
    return one


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    assert eventful(5).trace.encode() == eventful(5).trace.encode()
    assert eventful(5).trace.hash() != eventful(6).trace.hash()


@pytest.mark.slow
def test_the_trace_does_not_depend_on_how_python_hashes() -> None:
    code = (
        "from test_world import eventful; from chatsys.campaign.one_seed import Plan, schedule;"
        "print(eventful(5).trace.hash(), schedule(3, Plan(seconds=6, calm=4)).trace.hash())"
    )
    seen = set()
    for seed in ("0", "1", "4711"):
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parent / "support"))),
        }
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        seen.add(run.stdout)
    assert len(seen) == 1 and len(seen.pop().split()) == 2


def test_running_in_steps_is_running_at_once() -> None:
    at_once, in_steps = world(), world()
    at_once.run(3)
    while in_steps.now < 3 and in_steps.step():
        pass
    both = [record for record in in_steps.trace if record.time <= 3]
    assert both == at_once.trace.records


def test_what_was_done_can_be_played_again() -> None:
    first = eventful(5)
    again = world(5, clock_drift=0.1)
    again_script = Script(first.script.plain())
    again_script.play(again)
    again.run(first.now)
    assert [str(fault) for fault in again.script] == [str(fault) for fault in first.script]
    assert counts(again) == counts(first)


# --- time -----------------------------------------------------------------------------------


def test_a_saved_world_is_a_run_with_everything_that_made_it(tmp_path: Path) -> None:
    one = eventful(5)
    with pytest.warns(UserWarning, match="carries code for actor, which was not loaded"):
        run = Run.load(one.save(tmp_path / "eventful.run"))
    assert run.trace.hash() == one.trace.hash() and run.seed == 5
    assert Script(run.script) == Script(one.script.plain())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"parts": 5}, "parts is 5; give classes by name"),
        ({"parts": {"election": 5}}, r'parts\["election"\] is 5; give the class itself'),
        ({"parts": {"elction": PingPong}}, "There is no part 'elction'; the parts are "),
        ({"actor": 5}, "actor is 5; give a class"),
        ({"clock_drift": "much"}, "clock_drift is 'much'; give a number, 0 or more"),
        ({"busiest": -1}, "busiest is -1; give a number, 0 or more"),
        ({"turn": -0.01}, "turn is -0.01; give a number, 0 or more"),
    ],
)
def test_what_no_world_can_be_made_of_is_refused_in_a_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        World(1, **options)


def test_run_ends_exactly_at_its_time_and_until_as_soon_as_it_holds() -> None:
    one = world()
    one.run(1.5)
    assert one.now == 1.5
    assert one.until(lambda: counts(one)[0] >= 8)
    assert counts(one)[0] == 8 and one.now < 10
    assert one.until(lambda same: same.now > 1000, limit=2, quiet=True) is False


def test_verbs_can_be_scheduled() -> None:
    one = world()
    one.at(1.0, "crash", 2)
    one.at(2.0, "restart", 2)
    one.run(3)
    assert [(record.kind, record.time) for record in one.trace.of("crash", "restart")] == [
        ("crash", 1.0),
        ("restart", 2.0),
    ]


def test_a_clock_that_runs_fast_rings_early() -> None:
    def beats(rate: float) -> int:
        one = world(nodes=2)
        one.clock(1, rate)
        one.run(20)
        return counts(one)[0]

    assert beats(1.1) > beats(1.0) > beats(0.9)


def test_a_clock_changes_its_rate_without_a_jump() -> None:
    one = world(clock_drift=0.1)
    one.run(3)
    host = one.simulation.hosts[1]
    before = host.local()
    one.clock(1, 0.9)
    assert host.local() == pytest.approx(before)
    one.run(1)
    assert host.local() == pytest.approx(before + 0.9)


# --- pausing --------------------------------------------------------------------------------


def test_a_paused_node_handles_nothing_and_serves_what_waited_in_order_when_it_resumes() -> None:
    one = world(nodes=2)
    one.run(1)
    one.pause(2)
    one.run(3)
    assert not [record for record in one.trace if record.node == 2 and record.kind == "receive" and record.time > 1]
    one.resume(2)
    served = [
        record for record in one.trace if record.node == 2 and record.kind == "receive" and record.time == one.now
    ]
    assert [record.seq for record in served] == sorted(record.seq or 0 for record in served) and served


class Sleeper(Actor):
    """Sets an alarm each second, and tells how late it rang."""

    messages = (Ping,)

    def start(self, now: float) -> list[Any]:
        self.alarms.set("tick", now + 1.0)
        self.date = now + 1.0
        return []

    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        return [Note("seen", text=type(message).__name__)]

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        late, self.date = now - self.date, now + 1.0
        self.alarms.set("tick", self.date)
        return [Note("seen", text=f"{late:.1f}")]


def test_alarms_of_a_paused_node_ring_late_and_once() -> None:
    one = World(1, nodes=1, actor=Sleeper)
    one.run(1.5)
    one.pause(1)
    one.run(5)
    one.resume(1)
    one.run(0.1)
    assert [record.text for record in one.trace.of("seen")] == ["0.0", "4.5"]


def test_links_that_changed_during_a_pause_are_heard_of_afterwards() -> None:
    one = World(1, nodes=2, actor=Sleeper)
    one.run(0.5)
    one.pause(1)
    one.crash(2)
    one.run(1)
    assert [record.text for record in one.trace.of("seen") if record.node == 1] == ["LinkUp"]
    one.resume(1)
    assert [record.text for record in one.trace.of("seen") if record.node == 1][1] == "LinkDown"


# --- a node speaks to itself, nodes fail alone ----------------------------------------------


class Talker(Actor):
    messages = (Ping,)
    records = (Counted,)

    def on_command(self, command: Any, now: float) -> list[Any]:
        return [Append(Counted(1)), Send(self.me, Ping(1)), Note("seen", text="said")]

    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        return [] if isinstance(message, LinkUp) else [Note("seen", text="heard myself")]


def test_a_node_hears_itself_when_its_disk_is_done_and_never_on_the_wire() -> None:
    one = World(1, nodes=1, actor=Talker)
    one.run(0)
    one.say("go")
    one.run(1)
    said, heard = one.trace.of("seen")
    assert (said.text, heard.text) == ("said", "heard myself")
    assert heard.time == one.trace.of("durable")[0].time > said.time
    assert not one.trace.of("send", "receive")


def test_what_a_node_said_to_itself_dies_with_its_life() -> None:
    one = World(1, nodes=1, actor=Talker)
    one.run(0)
    one.say("go")
    one.crash(1)
    one.restart(1)
    one.run(1)
    assert [record.text for record in one.trace.of("seen")] == ["said"]


class Fragile(PingPong):
    def on_command(self, command: Any, now: float) -> list[Any]:
        match command.text:
            case "invariant":
                raise BrokenInvariant("two leaders in term 4")
            case "none":
                return None  # type: ignore[return-value]
            case "no effect":
                return ["hello"]
        return [Send(2, self.missing)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("invariant", "two leaders in term 4"),
        ("none", "TypeError: on_command or settle returned None; return a list of effects"),
        ("no effect", "TypeError: 'hello' is no effect; a door returns Append, Send, Deliver and Note"),
        ("bug", "AttributeError: 'Fragile' object has no attribute 'missing' (test_world.py, line "),
    ],
)
def test_a_node_that_raises_stops_alone_and_says_why(text: str, sentence: str) -> None:
    one = World(1, actor=Fragile)
    one.run(1)
    one.say(text, node=1)
    one.run(2)
    assert one.failures[0][0] == 1 and sentence in one.failures[0][1]
    assert one.trace.of("broken")[0].reason == one.failures[0][1]
    assert [state["alive"] for state in one.status().values()] == [False, True, True]
    assert counts_of_living(one) > 4, "the others go on"


def counts_of_living(one: World) -> int:
    count: int = max(state.get("count", 0) for state in one.status().values())
    return count


class Endless(PingPong):
    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        return [Send(self.me, Ping(1))]


def test_a_world_that_would_never_end_says_so() -> None:
    one = World(1, actor=Endless, busiest=2000)
    with pytest.raises(Runaway, match="More than 2000 events in one second"):
        one.run(10)


# --- people ---------------------------------------------------------------------------------


def refused(one: World, verb: str, *args: Any) -> str:
    with pytest.raises(UsageError) as info:
        getattr(one, verb)(*args)
    return str(info.value)


def test_verbs_that_cannot_be_meant_are_refused_in_a_sentence() -> None:
    one = world()
    one.run(1)
    assert refused(one, "crash", 9) == "Node 9 is not a member; the nodes are 1, 2, 3."
    assert refused(one, "restart", 1) == "Node 1 is running; crash it first, then restart it."
    assert refused(one, "resume", 1) == "Node 1 is not paused, so there is nothing to resume."
    assert refused(one, "say", " ") == "text is ' '; write at least one character."
    assert refused(one, "say", "hi", None, "main", "") == "author is ''; write at least one character."
    assert "is no fraction" in refused(one, "lose", 1, 2, 1.5)
    assert refused(one, "at", 0.5, "crash", 1) == "at(0.5, 'crash'): it is 1.000 s already; give a later time."
    assert refused(one, "at", "1", "heal") == "at('1', 'heal'): '1' is no time; give seconds since the beginning."
    assert refused(one, "at", 2.0, ["x"]).startswith("['x'] is no verb of a script; there are say, crash, ")
    assert refused(one, "crash", True) == "Node True is not a member; the nodes are 1, 2, 3."
    assert refused(one, "lose", "*", "nobody", 1).startswith("lose: 'nobody' is no node and no client; clients are ")
    assert refused(one, "disk", "leader", "slow") == "Node 'leader' is not a member; the nodes are 1, 2, 3."
    assert refused(one, "partition", ("leader",), (1,)) == "Node 'leader' is not a member; the nodes are 1, 2, 3."
    assert refused(one, "partition") == "partition was given no group of nodes; write for example (1, 2)."
    assert refused(one, "partition", (1, 2, 3)).startswith("partition: all nodes are in one group")
    assert not one.done and not one.trace.of("fault", "cut", "lose"), "what was refused left no trace"
    assert refused(one, "join", 3) == "Node 3 is a member already; the members are 1, 2, 3. Choose another id."
    assert refused(one, "join", 0).startswith("join was given 0; give the id of the new learner")
    assert refused(one, "join", 4, 9) == "Node 9 is not a member; the nodes are 1, 2, 3."
    assert "voters are fixed in the config (1, 2, 3). Only learners leave." in refused(one, "leave", 1)
    assert refused(one, "leave", 4) == "Node 4 is not a learner; there is no learner."
    one.crash(1)
    assert refused(one, "crash", 1) == "Node 1 is not running, so it cannot crash; restart it first."
    assert refused(one, "pause", 1) == "Node 1 is not running, so it cannot be paused; restart it first."
    assert refused(one, "shutdown", 1) == "Node 1 is not running, so it cannot be shut down; restart it first."
    one.pause(2)
    assert refused(one, "pause", 2) == "Node 2 is paused already; resume it first."


def test_mend_repairs_everything() -> None:
    one = world()
    one.run(1)
    one.crash(1)
    one.pause(2)
    one.disk(3, "slow")
    one.partition({1, 2}, {3})
    one.lose("*", "*", 1.0)
    one.clock(2, 1.1)
    one.mend()
    one.run(3)
    assert all(state["alive"] and not state["paused"] for state in one.status().values())
    assert min(counts(one)) > 4 and one.simulation.hosts[3].disk.health == "ok" and one.simulation.hosts[2].rate == 1.0


def test_stop_ends_every_life_in_good_order() -> None:
    one = world()
    one.run(1)
    one.stop()
    assert [record.node for record in one.trace.of("stop")] == [1, 2, 3]
    before = len(one.trace)
    one.run(10)
    assert len(one.trace) == before


# --- the chat -------------------------------------------------------------------------------


def test_three_nodes_find_a_leader_and_deliver_one_message_everywhere() -> None:
    one = World(7)
    assert one.until(lambda: one.leader == 3, limit=3)
    one.say("hello", author="bob")
    one.run(1)
    assert [one.delivered(node) for node in one.nodes] == [["hello"]] * 3
    assert [record.text for record in one.trace.of("ack")] == ["hello"]


def test_a_client_that_sticks_to_a_node_speaks_to_no_other() -> None:
    one = World(7)
    one.run(1)
    one.say("through one", node=1)
    one.run(1)
    asked = {record.peer for record in one.trace.of("send") if record.node == "ann@1"}
    assert asked == {1} and one.delivered(3) == ["through one"]


def test_the_leader_fails_over_and_a_restarted_node_catches_up() -> None:
    one = World(3)
    one.run(1)
    one.say("before")
    one.run(1)
    one.crash(3)
    assert one.until(lambda: one.leader == 2, limit=5)
    one.say("meanwhile")
    one.run(2)
    one.restart(3)
    assert one.until(lambda: one.delivered(3) == ["before", "meanwhile"], limit=10)


def test_a_world_takes_a_whole_config_and_named_timing() -> None:
    config = ClusterConfig.of(5, timing=Timing.profile("fast"), take_back=False)
    one = World(1, config)
    assert one.nodes == (1, 2, 3, 4, 5) and one.until(lambda: one.leader, limit=1)
    fast = World(1, timing="fast")
    assert fast.config.timing == Timing.profile("fast")


def test_an_ambush_crashes_a_fresh_leader_and_brings_it_back() -> None:
    one = World(2)
    one.ambush("lead", 0.02, 1.0)
    one.run(3)
    lead, crash = one.trace.of("lead")[0], one.trace.of("crash")[0]
    assert crash.node == lead.node and crash.time == pytest.approx(lead.time + 0.02)
    assert one.trace.of("restart")[0].time == pytest.approx(crash.time + 1.0)


def test_a_client_is_an_actor_and_any_can_be_added() -> None:
    one = World(1)
    one.add_client("watcher", Sleeper)
    one.run(2.5)
    seen = [record.text for record in one.trace.of("seen") if record.node == "watcher"]
    assert seen.count("LinkUp") == 3 and seen.count("0.0") == 2


def test_say_reaches_an_actor_without_clients_as_a_command() -> None:
    one = world()
    one.run(1)
    one.say("hi", node=2)
    assert (one.trace.of("seen")[-1].node, one.trace.of("seen")[-1].text) == (2, "hi")


def test_a_step_ends_although_alarms_ring_for_ever_and_nothing_shows() -> None:
    class Ticker(Actor):
        def start(self, now: float) -> list[Any]:
            self.alarms.set("tick", now + 1.0)
            return []

        def on_alarm(self, name: Any, now: float) -> list[Any]:
            return self.start(now)

    world = World(actor=Ticker, nodes=1)
    world.run(1)
    assert world.step() == [] and world.now > 3000
