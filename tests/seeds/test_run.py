"""A saved run: one file that opens elsewhere, and runs no code unless it is trusted."""

import base64
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from chatsys.actor.actor import Actor
from chatsys.actor.events import Say
from chatsys.config import ClusterConfig, Limits, Timing
from chatsys.errors import TraceError, UsageError
from chatsys.faults import apply, random_script
from chatsys.faults.profiles import SMALL
from chatsys.isolation.pickling import pack
from chatsys.protocol.client import Client
from chatsys.protocol.election import Bully
from chatsys.run import Run
from chatsys.sim.disk import DiskModel
from chatsys.sim.network import Conditions
from chatsys.sim.replay import replay
from chatsys.sim.world import World
from chatsys.trace import Record, Trace


class Backwards:
    """Stands in for a class that a student wrote."""

    def say(self, text: str) -> str:
        return text[::-1]


@pytest.fixture
def run() -> Run:
    trace = Trace([Record(0.5, "start", node=1), Record(1.5, "deliver", node=1, seq=2, text="héllo 👋")], {"seed": 7})
    return Run(trace, seed=7, script=["at 3.0 crash 3"], options={"nodes": 3}, parts={"ordering": Backwards})


def test_a_run_comes_back_as_it_was_saved(run: Run, tmp_path: Path) -> None:
    back = Run.load(run.save(tmp_path / "a.run"), trust=True)
    assert back.trace.encode() == run.trace.encode()
    assert (back.seed, back.script, back.options) == (7, ["at 3.0 crash 3"], {"nodes": 3})
    assert back.parts is not None and back.parts["ordering"]().say("abc") == "cba"


def test_code_is_shown_and_not_run_without_trust(run: Run, tmp_path: Path) -> None:
    path = run.save(tmp_path / "a.run")
    with pytest.warns(UserWarning, match=r"carries code for ordering, which was not loaded.*trust=True"):
        back = Run.load(path)
    assert back.parts is None and "def say" in back.code["ordering"]


def test_a_run_without_code_needs_no_trust(run: Run, tmp_path: Path) -> None:
    run.parts = None
    assert Run.load(run.save(tmp_path / "a.run")).parts is None


def test_another_version_is_a_warning(run: Run, tmp_path: Path) -> None:
    run.parts = None
    run.versions = run.versions | {"python": "3.9.1"}
    with pytest.warns(UserWarning, match=r"python 3\.9\.1 \(here .*\); running it again may go differently"):
        Run.load(run.save(tmp_path / "a.run"))


def test_a_run_cut_off_anywhere_is_a_trace_error(run: Run, tmp_path: Path) -> None:
    run.parts = None
    whole = run.save(tmp_path / "a.run").read_bytes()
    for length in range(len(whole) - 1):  # without its last newline a file is still whole
        (tmp_path / "b.run").write_bytes(whole[:length])
        with pytest.raises(TraceError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Run.load(tmp_path / "b.run")


def test_a_newer_run_asks_for_a_newer_chatsys(run: Run, tmp_path: Path) -> None:
    path = run.save(tmp_path / "a.run")
    head, _, body = path.read_bytes().partition(b"\n")
    header = msgspec.json.decode(head) | {"version": 99}
    path.write_bytes(msgspec.json.encode(header) + b"\n" + body)
    with pytest.raises(TraceError, match="has run version 99.*install a newer chatsys"):
        Run.load(path)


@pytest.mark.parametrize("data", [b"", b"\n", b"\x00\xff", b"{}", b"[1]\n", b'{"chatsys":"run","version":"x"}\n'])
def test_a_foreign_file_is_a_trace_error(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.run").write_bytes(data)
    with pytest.raises(TraceError):
        Run.load(tmp_path / "a.run")


def test_a_byte_that_is_no_text_is_a_trace_error_wherever_it_stands(run: Run, tmp_path: Path) -> None:
    run.parts = None
    for save, load in ((run.save, Run.load), (run.trace.save, Trace.load)):
        whole = save(tmp_path / "a.run").read_bytes()
        for at in range(len(whole) - 1):
            (tmp_path / "b.run").write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
            with pytest.raises(TraceError), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                load(tmp_path / "b.run")


@pytest.mark.parametrize(
    "head", [b"[" * 100_000, b'{"chatsys":"trace","version":1,"events":0,"meta":5}', b'{"chatsys":"trace"}', b"7"]
)
def test_a_first_line_that_nobody_wrote_is_a_trace_error(head: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.trace").write_bytes(head + b"\n")
    for load in (Run.load, Trace.load):
        with pytest.raises(TraceError):
            load(tmp_path / "a.trace")


def test_a_trace_is_not_mistaken_for_a_run(run: Run, tmp_path: Path) -> None:
    run.trace.save(tmp_path / "a.trace")
    with pytest.raises(TraceError, match=r"is a trace, not a run; open it with Trace\.load"):
        Run.load(tmp_path / "a.trace")


def test_a_missing_file_is_a_trace_error(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="cannot be read"):
        Run.load(tmp_path / "none.run")


def test_what_cannot_be_pickled_is_a_sentence(run: Run, tmp_path: Path) -> None:
    file = (tmp_path / "open").open("w")

    class Holds:
        handle = file

    run.parts = {"ordering": Holds}
    with pytest.raises(UsageError, match="These classes cannot be saved with the run"):
        run.save(tmp_path / "a.run")
    file.close()


def test_structs_that_exist_only_in_a_notebook_come_back_with_their_fields(tmp_path: Path) -> None:
    """A notebook's classes live in `__main__`; plain cloudpickle loses the fields of a Struct."""
    code = """
import msgspec
from chatsys import Run, World
from chatsys.actor.actor import Actor

class Hello(msgspec.Struct, frozen=True, tag=True):
    text: str

class Greeter(Actor):
    messages = (Hello,)

World(1, actor=Greeter).save({path!r})
"""
    path = tmp_path / "greeter.run"
    subprocess.run([sys.executable, "-c", code.replace("{path!r}", repr(str(path)))], check=True, timeout=60)
    greeter = Run.load(path, trust=True).actor
    assert greeter is not None and issubclass(greeter, Actor)
    hello: Any = greeter.messages[0]
    assert hello(text="hi").text == "hi"


# --- a world, saved and played again --------------------------------------------------------


def random_world(chance: Random) -> World:
    """Return a world whose every argument may differ from the usual."""
    count = chance.choice((1, 3, 5))
    config = ClusterConfig.of(
        count,
        chance.randint(1, count),
        timing=Timing.profile(chance.choice(("course", "fast"))).scaled(chance.uniform(0.9, 1.1)),
        limits=chance.choice((Limits(), SMALL, Limits(sessions=chance.randint(2, 5)))),
        fast_suspect=chance.random() < 0.5,
        take_back=chance.random() < 0.5,
        cluster=chance.choice(("chat", "other")),
    )
    return World(
        chance.randrange(1000),
        config,
        network=Conditions(
            in_order=chance.random() < 0.5, loss=chance.choice((0.0, 0.1)), longest=chance.uniform(0.01, 0.2)
        ),
        disk=DiskModel(longest=chance.uniform(0.002, 0.05), room=chance.choice((3, 200))),
        clock_drift=chance.choice((0.0, 0.1)),
        client=chance.choice((None, partial(Client, window=2))),
        parts=chance.choice((None, {"election": Eager})),
        turn=chance.choice((0.0, 0.01)),
    )


class Eager(Bully):
    """An election of somebody's own."""


def live(world: World, chance: Random) -> None:
    """Let people do this and that, now and later; often at the very moment at which something else happens."""
    random_script(chance, world.nodes, 6.0).play(world, lenient=True)
    for number in range(12):
        author = chance.choice(("ann", "bob"))
        match chance.randrange(6):
            case 0:
                world.say(f"hi {number}", chance.choice((None, *world.nodes)), author=author)
            case 1:
                world.at(world.now + chance.randint(0, 2), "say", f"later {number}", None, "main", author)
            case 2 if world.until(lambda: world.leader is not None, 3, quiet=True):
                apply(world, "crash", (world.leader,))
            case 3:
                world.until(lambda: bool(world.trace.of("send")), 1, quiet=True)
                apply(world, chance.choice(("crash", "restart", "pause", "resume")), (1,), lenient=True)
            case 4:
                world.add_client(f"watcher {number}", chance.choice((None, partial(Client, listen=True))))
            case _:
                world.mend()
        world.run(chance.choice((0, 0.3, 2)))
    if chance.random() < 0.3:
        world.stop()


@pytest.mark.parametrize("seed", range(12))
def test_any_world_that_was_saved_is_played_again_to_the_same_trace(seed: int, tmp_path: Path) -> None:
    chance = Random(seed)
    world = random_world(chance)
    live(world, chance)
    again = replay(Run.load(world.save(tmp_path / "a.run"), trust=True))
    assert again.trace.hash() == world.trace.hash() and again.now == world.now
    assert again.script == world.script and again.status() == world.status()
    twice = replay(Run.load(again.save(tmp_path / "b.run"), trust=True))
    assert twice.trace.hash() == world.trace.hash()


def test_what_no_file_can_keep_is_refused_in_a_sentence(tmp_path: Path) -> None:
    held, ordered = World(1), World(1)
    held.hold()
    ordered.command(1, Say("hi", "main", "ann"))
    for world, name in ((held, "hold"), (ordered, "command")):
        with pytest.raises(UsageError, match=f"cannot be saved as a run, because {name} was used.*world.trace.save"):
            world.save(tmp_path / "a.run")


def test_a_run_that_cannot_be_played_again_says_why(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="saved without all that made it, by an older chatsys"):
        replay(run)
    run.options = {"where": "kernel"}
    with pytest.raises(UsageError, match="was no simulation"):
        replay(run)
    path = World(1, parts={"election": Eager}).save(tmp_path / "a.run")
    with pytest.warns(UserWarning, match="not loaded"):
        distrusted = Run.load(path)
    with pytest.raises(UsageError, match=r"needs code for election, which was not loaded; read run\.code"):
        replay(distrusted)


def test_a_run_that_goes_another_way_says_where(tmp_path: Path) -> None:
    world = World(1)
    world.run(3)
    world.simulation.hosts[2].end("crash")  # past the verbs
    world.run(2)
    run = Run.load(world.save(tmp_path / "a.run"))
    with pytest.warns(UserWarning, match=r"played again, but event \d+ of its trace is another one.*past the verbs"):
        replay(run)
    assert run.steps is not None
    run.steps.insert(0, [0, 0.0, "restart", 1])
    with pytest.warns(UserWarning, match="at 0.000 s it went another way: Node 1 is running") as seen:
        replay(run)
    assert seen[0].filename == __file__


@pytest.mark.parametrize(
    "step",
    [[], [0], ["x", 0.0, "heal"], [0, 0.0, "save", "stolen"], [0, 0.0, "client", 5, None], [0, 0.0, "crash", [1]]],
)
def test_a_step_that_somebody_put_into_the_file_is_no_more_than_a_verb(
    step: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = Run.load(World(1).save("a.run"))
    run.steps = [step]
    with pytest.warns(UserWarning, match="is no step of a run|is no verb of a script|is no node"):
        replay(run)
    assert not Path("stolen").exists()


def test_a_file_of_the_first_version_is_still_read(run: Run, tmp_path: Path) -> None:
    head, _, body = run.save(tmp_path / "a.run").read_bytes().partition(b"\n")
    header = msgspec.json.decode(head) | {"version": 1, "pickled": base64.b64encode(pack((run.parts, None))).decode()}
    del header["steps"]
    (tmp_path / "a.run").write_bytes(msgspec.json.encode(header) + b"\n" + body)
    old = Run.load(tmp_path / "a.run", trust=True)
    assert old.parts is not None and old.parts["ordering"]().say("abc") == "cba" and len(old.trace) == 2
