"""Bad input: each gets its sentence, the same one in both worlds, and nothing is done by halves."""

import inspect
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import chatsys as cs
from chatsys import Cluster, ClusterConfig, Timing, World
from chatsys.actor.events import Stop
from chatsys.campaign.one_seed import Plan
from chatsys.campaign.sweep import sweep
from chatsys.errors import ChatsysError, NoSuchVerb, TraceError, UsageError
from chatsys.explore.explorer import Budget
from chatsys.faults import VERBS, Testbed, verb_table
from chatsys.faults.abilities import NOT_IN_SCRIPTS, WORKING, how
from chatsys.faults.testbed import FOR_ENGINES
from chatsys.runtime.client import ClientHost
from chatsys.sim.disk import DiskModel
from chatsys.sim.network import Conditions
from chatsys.trace import Trace


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    world = World(seed=1)
    world.run(1)
    return world.trace.encode()


def test_a_trace_cut_off_anywhere_is_a_trace_error(saved: bytes) -> None:
    assert len(Trace.decode(saved)) > 10
    for end in range(0, len(saved) - 1, 61):
        with pytest.raises(TraceError) as info:
            Trace.decode(saved[:end], "my.jsonl")
        assert str(info.value).startswith("my.jsonl ") and str(info.value).endswith(".")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"version":', b'"version":9', "has trace version 9.*install a newer chatsys"),
        (b'"version":', b'"version":"a","was":', "is not a readable trace"),
        (b'"trace"', b'"diary"', "is not a chatsys trace; its first line must be a trace header"),
        (b'"meta"', b'"mate"', "is not a readable trace"),
        (b"\n{", b"\n}", "is not a readable trace"),
        (b"\n", b"\n\xff\xfe\n", "is not a readable trace"),
    ],
)
def test_a_newer_foreign_or_damaged_trace_is_a_trace_error(saved: bytes, old: bytes, new: bytes, words: str) -> None:
    assert old in saved
    with pytest.raises(TraceError, match=words):
        Trace.decode(saved.replace(old, new, 1))


def test_a_trace_that_is_not_there_is_a_trace_error(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="cannot be read: No such file"):
        Trace.load(tmp_path / "none.jsonl")
    (tmp_path / "noise").write_bytes(bytes(range(256)))
    with pytest.raises(TraceError, match="is not a readable trace"):
        Trace.load(tmp_path / "noise")


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, "3", None])
def test_time_only_goes_forward(seconds: Any) -> None:
    world = World(seed=1)
    world.run(1)
    for verb in (world.run, lambda limit: world.until(lambda: False, limit=limit)):
        with pytest.raises(UsageError, match="time only goes forward: give a number, 0 or more"):
            verb(seconds)
    assert world.now == 1


@pytest.mark.parametrize("time", [0.5, -1, math.nan])
def test_nothing_can_be_planned_for_the_past(time: float) -> None:
    world = World(seed=1)
    world.run(1)
    with pytest.raises(UsageError, match=r"it is 1.000 s already; give a later time"):
        world.at(time, "heal")


def test_a_budget_of_zero_is_refused() -> None:
    for name in ("states", "seconds", "depth"):
        with pytest.raises(UsageError, match=f"{name} is 0; give a number above 0"):
            Budget(**{name: 0})
    with pytest.raises(UsageError, match="seconds is 0, .*give more than 0 seconds of faults"):
        Plan(seconds=0)


# --- the same table for both worlds ---------------------------------------------------------------

NAN, INF = float("nan"), float("inf")
CONFIG = ClusterConfig.of(3)


class Nobody:
    """A class that is no actor."""


MADE_OF = [
    *[({"seed": seed}, r"seed is .*; give a whole number") for seed in ("a", 1.5, True, NAN, [1], b"1")],
    *[
        ({"nodes": nodes}, r"nodes is .*; give a whole number from 1 to 7")
        for nodes in ("3", 0, 8, 2.0, True, None, [3])
    ],
    *[
        ({"quorum": quorum}, r"quorum is .*; with 3 members write majority or a number")
        for quorum in (0, 4, 1.5, True, "a")
    ],
    *[({"quorum": quorum}, r"quorum is .*; with 3 members write majority or a number") for quorum in (NAN, [2], {})],
    ({"nodes": CONFIG, "quorum": 1}, "nodes is a ClusterConfig, which has a quorum of its own; leave out quorum=1"),
    ({"nodes": CONFIG, "timing": "fast"}, "nodes is a ClusterConfig, which has a timing of its own; leave out timing="),
    *[({"timing": timing}, r"timing is .*; give 'course', 'fast' or a Timing") for timing in (3, True, None, NAN, {})],
    ({"timing": "slow"}, "timing.profile is 'slow'; write course or fast"),
    *[({"actor": actor}, r"actor is .*; give a class made from Actor") for actor in (3, "Node", Nobody, Nobody())],
    *[({"client": client}, r"client is .*; give a class of clients, or a function") for client in (3, "Client", {})],
    *[({"parts": parts}, r"parts is .*; give classes by name") for parts in ([1], 3, "election", True)],
    ({"parts": {"election": 3}}, r'parts\["election"\] is 3; give the class itself'),
    ({"parts": {"elektion": Nobody}}, "There is no part 'elektion'; the parts are "),
    ({"parts": {3: Nobody}}, "There is no part 3; the parts are "),
]
"""What no world can be made of, and what is said about it."""


@pytest.mark.parametrize("kind", [World, Cluster])
@pytest.mark.parametrize(("options", "sentence"), MADE_OF, ids=[f"{options}"[:40] for options, _ in MADE_OF])
def test_what_no_world_can_be_made_of_is_refused_by_both(kind: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ChatsysError, match=sentence) as info:
        kind(**options)
    assert str(info.value).endswith(".")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"seed": None}, "seed is None; give a whole number"),
        ({"network": 3}, r"network is 3; give Conditions\(...\), or leave it out"),
        ({"disk": "slow"}, r"disk is 'slow'; give DiskModel\(...\), or leave it out"),
        ({"clock_drift": True}, "clock_drift is True; give a number"),
        ({"clock_drift": NAN}, "clock_drift is nan; give a number"),
        ({"busiest": INF}, "busiest is inf; give a number"),
    ],
)
def test_what_no_simulated_world_can_be_made_of(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        World(**options)


def test_clients_and_gates_of_a_simulated_world_are_named_properly() -> None:
    world: Any = World(seed=1)
    for name in (5, None, True, ""):
        with pytest.raises(UsageError, match="author is .*, which is no text|author is ''; write at least one"):
            world.add_client(name)
    for kind in (5, "Propose", (int, 3)):
        with pytest.raises(UsageError, match="hold was given .*; give a class of messages"):
            world.hold(kind)
    assert not world._unsaveable_because and not world.simulation.gates


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        *[
            ({"where": where}, "where is .*; write 'kernel', 'processes', 'namespaces' or 'containers'")
            for where in ("sim", 3, None, [], True)
        ],
        *[({"data": data}, "data is .*; give the path of a folder") for data in (3, True, b"x", ["a"])],
    ],
)
def test_what_no_cluster_can_be_made_of(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Cluster(**options)


@pytest.fixture(scope="module", params=["sim", "kernel"])
def world(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "sim":
        yield World(seed=1)
        return
    with Cluster(where="kernel", seed=1) as cluster:
        yield cluster


NO_NODE = r"Node .* is not a member; the nodes are 1, 2, 3"
NO_END = "no node"
DONE_WITH = [
    *[(f"say({text!r})", lambda w, t=text: w.say(t), r"text is .*, which is no text; put it in quotes") for text in (5, None, True, NAN, b"x", ["a"])],
    *[(f"author={one!r}", lambda w, a=one: w.say("x", author=a), r"author is .*, which is no text") for one in (5, None, True)],
    *[(f"room={one!r}", lambda w, r=one: w.say("x", room=r), r"room is .*, which is no text") for one in (5, None, True)],
    *[(f"say(node={one!r})", lambda w, n=one: w.say("x", node=n), NO_NODE) for one in ("1", 9, True, 1.0, NAN)],
    *[
        (f"{verb}({one!r})", lambda w, v=verb, n=one: getattr(w, v)(n), NO_NODE)
        for verb in ("crash", "shutdown", "restart", "pause", "resume", "delivered", "wipe", "copy", "restore", "accept")
        for one in ("1", 9, True, 1.0, None, [1])
    ],
    *[(f"cut(1, {one!r})", lambda w, n=one: w.cut(1, n), NO_NODE) for one in ("2", 9, True, None)],
    ("cut(one_way=1)", lambda w: w.cut(1, 2, one_way=1), "cut: 1 must be True or False"),
    ("heal(1)", lambda w: w.heal(1), "heal: 1 must be True or False"),
    ("slow(bob)", lambda w: w.slow("bob", "*", 0.1), "slow: 'bob' is no node and no client; clients are nobody so far"),
    ("lose(bob)", lambda w: w.lose("*", "bob", 0.1), "lose: 'bob' is no node and no client"),
    *[(f"slow({one!r})", lambda w, s=one: w.slow(1, 2, s), "slow: .* is no time; give seconds") for one in (-1, "1", True, NAN, INF)],
    *[(f"lose({one!r})", lambda w, s=one: w.lose(1, 2, s), "lose: .* is no fraction; give a num") for one in (-1, "1", True, NAN, 1.1)],
    *[(f"run({one!r})", lambda w, s=one: w.run(s), "run was given .*; time only goes forward|run was given .* seconds") for one in (True, -1, NAN, INF, "1", None)],
    *[(f"until({one!r})", lambda w, p=one: w.until(p), r"until was given .*; give a function, for example") for one in (3, None, True, "leader")],
    ("until(two)", lambda w: w.until(lambda one, two: True), "until was given a function of .*one, two.*; it may take no"),
    *[(f"command({one!r})", lambda w, c=one: w.command(1, c), ".* is no command; give a message") for one in (5, None, "stop")],
    *[(f"check({one!r})", lambda w, i=one: cs.check(w, i), "no name of an invariant|names no inv|no invariant 'x'") for one in (5, [["S1"]], "x")],
    *[(f"reconnect(1, {one!r})", lambda w, n=one: w.reconnect(1, n), NO_NODE) for one in ("2", 9, True, None, "leader")],
    ("reconnect(1, 1)", lambda w: w.reconnect(1, 1), "reconnect: both ends are 1; a link joins two different nodes"),
    ("reconnect(one_way=1)", lambda w: w.reconnect(1, 2, one_way=1), "reconnect: 1 must be True or False"),
    *[(f"partition({one!r})", lambda w, n=one: w.partition({n}), f"partition: .* is no node|{NO_NODE}") for one in ("2", 9, True, None, "leader")],
    *[(f"duplicate({one!r})", lambda w, f=one: w.duplicate(1, 2, f), "duplicate: .* is no fraction; give a num") for one in (-1, "1", True, NAN, 1.1)],
    ("duplicate(bob)", lambda w: w.duplicate("bob", "*", 0.1), "duplicate: 'bob' is no node and no client"),
    ("duplicate(late)", lambda w: w.duplicate(1, 2, 0.1, -1), "duplicate: -1 is no time"),
    *[(f"disk({one!r})", lambda w, n=one: w.disk(n, "slow"), NO_NODE) for one in ("1", 9, True, None, [1])],
    *[(f"disk(1, {one!r})", lambda w, h=one: w.disk(1, h), "disk: .* is not one of ok, slow, full, failing") for one in ("bad", 1, None, True)],
    *[(f"clock({one!r})", lambda w, n=one: w.clock(n, 1.0), NO_NODE) for one in ("1", 9, True, None, [1])],
    *[(f"clock(1, {one!r})", lambda w, r=one: w.clock(1, r), "clock: .* is no rate of a clock") for one in (0, "1", True, NAN, 11)],
    *[(f"ambush({one!r})", lambda w, m=one: w.ambush(m, 0, 1), "ambush: .* is not one of lead, promise") for one in ("led", 1, None)],
    ("ambush(delay)", lambda w: w.ambush("lead", -1, 1), "ambush: -1 is no time"),
    *[(f"at({one!r})", lambda w, t=one: w.at(t, "heal"), r"at\(.*(is no time; give seconds|it is .* s already; give a later time)") for one in (-1, "1", True, NAN, INF, None)],
    ("at(verb)", lambda w: w.at(1e6, "explode"), "'explode' is no verb of a script"),
    ("at(arguments)", lambda w: w.at(1e6, "crash", 9), "crash: 9 is no node"),
    *[(f"command({one!r}, node)", lambda w, n=one: w.command(n, Stop()), NO_NODE) for one in ("1", 9, True, None)],
    *[(f"restore(1, {one!r})", lambda w, n=one: w.restore(1, n), NO_NODE) for one in ("1", 9, True, [1])],
    ("restore(no copy)", lambda w: w.restore(1), r"restore: there is no copy of the folder of node 1 yet; copy\(1\) keeps one"),
    ("restore(of no copy)", lambda w: w.restore(1, 2), "restore: there is no copy of the folder of node 2 yet"),
    ("at(restore)", lambda w: w.at(1e6, "restore", 1, 9), "restore: 9 is no node"),
    ("partition(3)", lambda w: w.partition(3), "partition: 3 is no group of nodes"),
]  # fmt: skip
"""(what is done, how, what is said about it)"""


@pytest.mark.parametrize(("do", "sentence"), [row[1:] for row in DONE_WITH], ids=[row[0] for row in DONE_WITH])
def test_what_no_verb_can_do_is_refused_by_both_and_not_kept(world: Any, do: Any, sentence: str) -> None:
    before = len(world.done)
    with pytest.raises(UsageError, match=sentence) as info:
        do(world)
    assert str(info.value).endswith(".") and len(world.done) == before


def test_a_mend_is_one_verb_in_both_worlds(world: Any) -> None:
    world.cut(1, 2)
    world.crash(1)
    world.pause(2)
    world.mend()
    assert all(state["alive"] and not state["paused"] for state in world.status().values())
    assert [fault.verb for fault in world.done[-4:]] == ["cut", "crash", "pause", "mend"]
    assert cs.Script(world.done).faults[-1].verb == "mend"


def test_what_only_another_world_has_is_told_in_a_sentence(world: Any) -> None:
    only = ("pids", "submit") if world.where == "sim" else ("hold", "add_client")
    for name in only:
        with pytest.raises(NoSuchVerb, match=rf"{name} exists (for a Cluster|in the simulated World) only"):
            getattr(world, name)
        assert not hasattr(world, name)
    with pytest.raises(AttributeError, match="object has no attribute 'cash'"):
        world.cash(1)


RIGHT: dict[str, tuple[Any, ...]] = {
    "duplicate": (1, 2, 0.5),
    "disk": (1, "slow"),
    "clock": (1, 1.1),
    "ambush": ("lead", 0.0, 1.0),
    "step": (),
    "at": (10_000.0, "heal"),
    "join": (7,),
    "leave": (7,),
}


@pytest.mark.parametrize("verb", RIGHT)
def test_the_table_of_verbs_tells_the_truth_about_what_only_one_world_can_do(world: Any, verb: str) -> None:
    before = len(world.done)
    if how(verb, world.where) in WORKING:
        getattr(world, verb)(*RIGHT[verb])
        return
    with pytest.raises(NoSuchVerb) as info:
        getattr(world, verb)(*RIGHT[verb])
    assert str(info.value) == how(verb, world.where) and len(world.done) == before


def verbs_of_a_testbed() -> set[str]:
    asked = {"status", "delivered", "describe", "save"}
    methods = {name for name, value in vars(Testbed).items() if callable(value) and name[0] != "_"}
    return methods - asked


def test_the_verbs_of_a_testbed_are_those_that_scripts_know_and_some_that_no_script_can_say() -> None:
    assert verbs_of_a_testbed() == set(VERBS) | set(NOT_IN_SCRIPTS)
    assert not set(VERBS) & set(NOT_IN_SCRIPTS)


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"partition"}))
def test_what_a_verb_may_leave_out_is_the_same_in_its_row_and_in_its_method(verb: str) -> None:
    given = list(inspect.signature(getattr(Testbed, verb)).parameters.values())[1:]
    assert len(given) == len(VERBS[verb].takes)
    assert tuple(one.default for one in given if one.default is not one.empty) == VERBS[verb].usual


def test_the_printed_table_has_a_line_for_every_verb_and_a_column_for_every_world() -> None:
    lines = verb_table().splitlines()
    assert lines[0].split() == ["sim", "kernel", "processes", "namespaces", "containers"]
    told = {line.split()[0] for line in lines[1 : lines.index("")]}
    assert told == verbs_of_a_testbed() | {"status", "delivered", "save"}
    assert "disk exists in the simulated World only." in lines


def test_every_verb_is_given_something_wrong_in_the_table() -> None:
    """`step`, `stop` and `mend` are given nothing; `join` and `leave` have a test of their own."""
    given = {row[0].partition("(")[0].partition("=")[0] for row in DONE_WITH}
    assert verbs_of_a_testbed() - {"step", "stop", "mend", "join", "leave"} <= given


def test_one_link_is_joined_again_and_the_others_stay_cut(world: Any) -> None:
    world.partition({3}, {1, 2})
    world.reconnect(1, 3)
    world.reconnect(3, 2, one_way=True)
    cuts = world.simulation.network.cuts if world.where == "sim" else set(world.supervisor.rules.cuts)
    assert cuts == {(2, 3)}
    assert [record.reason for record in world.trace.of("reconnect")] == ["reconnect 1 | 3", "reconnect 3 -> 2"]
    assert [fault.args for fault in world.done[-2:]] == [(1, 3, False), (3, 2, True)]
    world.mend()
    assert world.until(lambda: world.leader)


def test_what_a_student_sees_of_a_world_is_for_a_student() -> None:
    with World(seed=1) as world:
        shown = {name for name in dir(world) if name[0] != "_"}
        assert shown == set(
            "say hold crash shutdown restart pause resume join leave learners cut reconnect partition heal slow lose duplicate disk clock "
            "ambush wipe copy restore accept mend run until step at stop now nodes status leader delivered failures trace script save".split()
        )
        for name in FOR_ENGINES - {"pids", "submit"}:
            assert hasattr(world, name), "what engines use is there, though TAB does not offer it"
    assert {record.node for record in world.trace.of("stop")} == {1, 2, 3}, "the end of the block is a stop"


def test_a_figure_that_is_none_is_told(world: Any) -> None:
    with pytest.raises(UsageError, match=rf"{type(world).__name__} is no figure; draw one first, for example describe"):
        cs.describe(world)
    with pytest.raises(UsageError, match="first is 'a'; give the number of a message"):
        cs.delivery_matrix(world, "a")
    with pytest.raises(UsageError, match="int has no trace"):
        cs.show(3)


def test_a_trace_is_a_sequence_of_records(world: Any) -> None:
    world.until(lambda: len(world.trace) > 5)
    trace = cs.Trace(world.trace.records, world.trace.meta)
    assert trace[0] is trace.records[0] and trace[-1] is trace.records[-1] and trace[0] in trace
    part = trace[1:4]
    assert isinstance(part, Trace) and list(part) == trace.records[1:4] and part.meta == trace.meta
    assert len(trace) == len(list(trace)) == len(list(reversed(trace))) and trace.index(trace[2]) == 2
    with pytest.raises(IndexError, match=r"There is no record 999999; this trace has \d+, from 0 on"):
        trace[999_999]
    with pytest.raises(TypeError, match=r"trace\['kind'\]: give a number or a slice; trace.frame\(\) has columns"):
        trace["kind"]
    for time in (True, NAN, "3", None):
        with pytest.raises(UsageError, match="until was given .*; give seconds"):
            trace.until(time)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: list(sweep(range(2), jobs=0)), "jobs is 0; give a whole number of processes"),
        (lambda: list(sweep(range(2), jobs=True)), "jobs is True; give a whole number"),
        (lambda: list(sweep(3)), "seeds is 3; give whole numbers, for example range"),
        (lambda: list(sweep(["a"])), "seed is 'a'; give a whole number"),
        *[(lambda s=s: Plan(seconds=s), "seconds is .*; give a number|seconds is .*give more than 0") for s in ("a", True, NAN, INF)],
        (lambda: Plan(clients=1.5), "clients is 1.5; give a whole number"),
        (lambda: Timing(lease="a"), "timing.lease is 'a'; give a positive number of seconds"),
        (lambda: Timing(lease=True), "timing.lease is True; give a positive number of seconds"),
        (lambda: Conditions(loss="a"), "loss is 'a'; give a number"),
        (lambda: Conditions(loss=NAN), "loss is nan; give a number"),
        (lambda: DiskModel(torn=True), "torn is True; give a number"),
        (lambda: cs.ClusterConfig(members=3, quorum=1), "members is 3; give"),
        (lambda: ClientHost(["127.0.0.1:1"], 5, print), "The name is 5; give one of 1 to 80 characters"),
        (lambda: ClientHost(["127.0.0.1:1"], "", print), "The name is ''; give one of 1 to 80 characters"),
    ],
)  # fmt: skip
def test_other_arguments_of_the_wrong_kind_get_a_sentence_too(make: Any, sentence: str) -> None:
    with pytest.raises(ChatsysError, match=sentence):
        make()
