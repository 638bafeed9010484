"""What the page of lab 04 plays: three nodes of which one crashes, and the runs that answer the predictions.

    watch(MyDetector, seed)            a World after its run: node 3 crashes at 10 s and is back at 16 s
    told(world)                        who suspected whom, in words
    measured(MyDetector, seed)         two numbers of a detector: how often it is wrong, and how long it takes
    in_chat(MyDetector)                a part of the real chat: World(parts={"failure": in_chat(MyDetector)})

Read also `stage` (the actor), `curves` (the picture), `grading.revealing` (who asks these runs).
"""

from collections.abc import Sequence
from random import Random
from typing import Any

from msgspec.structs import replace

from chatsys.actor.actor import Address
from chatsys.errors import told as sentence_of
from chatsys.protocol.failure import Detector as DetectorOfTheChat
from chatsys.sim.world import World
from chatsys.teach.grading import predictions, revealing
from chatsys.teach.labs.bounded import ScenarioBounds, Steps
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab04 import beats
from chatsys.teach.labs.lab04.runs import DRIFT
from chatsys.teach.labs.lab04.stage import INTERVAL, TIMEOUT, watching
from chatsys.teach.labs.seeds import recorded
from chatsys.trace import Record, trace_of

SEED = recorded("04")["demonstration"]
"""The seed of whoever gives no name."""
CRASH, BACK, END = 10.0, 16.0, 24.0
"""When node 3 crashes in the run of the page, when it is back, and when the run is over."""
HASTY, PATIENT = 1.0, 8.0
"""The timeouts of the two detectors in the story."""


def watch(detector: Any, seed: int = SEED, timeout: float = TIMEOUT, loss: float = 0.1, slowest: float = 0.2) -> World:
    """Return a world after its run: node 3 crashes and comes back, and some beats are lost; `slowest` in seconds."""
    network = replace(OVERTAKING, longest=slowest, loss=loss)
    world = World(seed, actor=watching(detector, timeout=timeout), network=network, clock_drift=DRIFT)
    world.at(CRASH, "crash", 3, lenient=True)
    world.at(BACK, "restart", 3, lenient=True)
    world.run(END)
    return world


def told(run: Any) -> list[str]:
    """Say of each suspicion in a run whom it was about, and whether that node was down."""
    trace = trace_of(run)
    return [_tell(record, _is_down(trace.records, record)) for record in trace.of("suspect", "restore")]


def _tell(record: Record, down: bool) -> str:
    if record.kind == "restore":
        return f"{record.time:6.2f} s   node {record.node} takes back its suspicion of node {record.peer}"
    truth = "which is down" if down else "which is alive: a false suspicion"
    return f"{record.time:6.2f} s   node {record.node} suspects node {record.peer}, {truth}"


def _is_down(records: Sequence[Record], suspicion: Record) -> bool:
    """Tell whether the suspected node was down or paused when it was suspected."""
    lives = [one for one in records if one.node == suspicion.peer and one.time <= suspicion.time]
    lives = [one for one in lives if one.kind in ("crash", "pause", "start", "resume")]
    return bool(lives) and lives[-1].kind in ("crash", "pause")


def student(name: str | None = None) -> int:
    """Choose the seed of this student's runs by a name, and return it; in each of them the story of part (a) comes true."""
    return revealing.student(name, nobody=SEED, shows=shows_both)


def shows_both(seed: int) -> bool:
    """Tell whether in the run of this seed the hasty detector is wrong about a living node, and the patient one misses the crash."""
    hasty, patient = watch(Plain, seed, timeout=HASTY), watch(Plain, seed, timeout=PATIENT)
    wrong = [line for line in told(hasty) if "false suspicion" in line]
    missed = [line for line in told(patient) if "suspects node 3, which is down" in line]
    return len(wrong) >= 3 and not missed


class Plain:
    """The detector of the story, which is enough there: it forgets that beats come late and twice."""

    def __init__(self, peers: list[int], now: float, interval: float, timeout: float) -> None:
        self.timeout, self.heard = timeout, dict.fromkeys(peers, now)

    def beat(self, peer: int, number: int, sent_at: float, now: float) -> None:
        """Note when a beat came."""
        self.heard[peer] = now

    def suspects(self, now: float) -> set[int]:
        """Suspect whoever was silent for too long."""
        return {peer for peer, heard in self.heard.items() if now - heard > self.timeout}


def measured(detector: Any, seed: int = SEED, loss: float = 0.1) -> str:
    """Say how often a detector is wrong on a lossy line, and how long a crash goes unnoticed: an hour and more of beats."""
    line = beats.BeatLine(interval=INTERVAL, slowest=0.2, loss=loss)
    name = getattr(detector, "__name__", "It")
    try:
        found = beats.play(detector, line, runs=90, seed=seed)
    except Exception as error:
        return f"{name} stopped, so there is nothing to count yet: {sentence_of(error)}."
    return (
        f"{name}, {loss:.0%} of the beats lost: in {found.hours * 60:.0f} minutes of one link "
        f"{found.false or 'no'} false suspicion{'s' if found.false > 1 else ''}; a crash was noticed after {found.seconds:.1f} s on average."
    )


# --- what answers the predictions ----------------------------------------------------------------------

CRASHES = 150
"""So many crashes are played for 4a."""
PAUSED, RESUMED = 10.0, 13.0


def first_suspicion(detector: Any, seed: int) -> tuple[list[float], Any]:
    """4a: how long a crash goes unnoticed by node 1, in many runs; the crash comes at a drawn moment of a beat."""
    from chatsys.teach.labs.lab04.drawing import draw_delays

    random = Random(f"lab 04/first/{seed}")
    found = []
    for turn in range(CRASHES):
        world = World(seed + turn, actor=watching(detector, watchers=[1]), network=OVERTAKING, clock_drift=DRIFT)
        crash = round(random.uniform(CRASH, CRASH + INTERVAL), 3)
        world.at(crash, "crash", 3, lenient=True)
        world.run(CRASH + 5)
        _raise(world)
        after = [one.time - crash for one in world.trace.of("suspect") if one.peer == 3 and one.time > crash]
        found.append(round(after[0], 2) if after else 99.0)
    kept = predictions.kept.get("4a")
    return found, draw_delays(found, predictions.bounds(kept) if isinstance(kept, str) else None)


def two_lost(detector: Any, seed: int) -> tuple[str, Any]:
    """4b: whether node 1 suspects node 2 when two of its beats in a row are lost; each beat takes 0.02 s."""
    from chatsys.teach.figures import heartbeats

    network = replace(OVERTAKING, shortest=0.02, longest=0.02)
    world = World(seed, actor=watching(detector, watchers=[1]), network=network)
    world.run(3)
    last = max(one.time for one in world.trace.of("send") if one.node == 2)
    world.run(last + INTERVAL + 0.1 - world.now)
    world.lose(1, 2, 1.0)
    world.run(2 * INTERVAL)
    world.lose(1, 2, 0.0)
    world.run(3)
    _raise(world)
    return ("yes" if world.trace.of("suspect") else "no"), heartbeats(world)


def told_apart(detector: Any, seed: int) -> tuple[float, Any]:
    """4c: when node 1 can tell a pause of node 3 from a crash: the first record at node 1 that differs."""
    from chatsys.teach.labs.lab04.drawing import draw_two_fates

    worlds = [World(seed, actor=watching(detector, watchers=[1]), network=OVERTAKING) for _ in range(2)]
    for world, verb in zip(worlds, ("pause", "crash"), strict=True):
        world.at(PAUSED, verb, 3, lenient=True)
        world.run(PAUSED)
    worlds[0].at(RESUMED, "resume", 3, lenient=True)
    for world in worlds:
        world.run(8)
        _raise(world)
    heard = [one.time for one in worlds[0].trace.of("receive") if (one.node, one.peer) == (1, 3)]
    return round(next(time for time in heard if time > PAUSED + 1), 2), draw_two_fates(worlds[0].trace, worlds[1].trace)


def _raise(world: World) -> None:
    """Let a class that stopped its node be told as that."""
    if world.failures:
        raise RuntimeError(str(world.failures[0][1]))


# --- what a written test is played with ------------------------------------------------------------------

BOUNDS = ScenarioBounds(seconds=300.0, events=30_000, afterwards=8.0, enough="a minute shows")
"""Of a written test; every scenario goes on for a while, so that a silence can be noticed."""


def play_scenario(detector: Any, steps: Steps) -> World:
    """4.3: return the world after these verbs and eight quiet seconds; its network is quick and loses nothing by itself."""
    network = replace(OVERTAKING, longest=0.02)
    actor = watching(detector)
    actor.__name__ = "Watching"  # the trace has this name, and must not say whose detector it is
    world = World(7, actor=actor, network=network, clock_drift=DRIFT, busiest=5000)
    return BOUNDS.play(world, steps)


# --- in the real chat --------------------------------------------------------------------------------------


def in_chat(detector: Any) -> type[DetectorOfTheChat]:
    """Return the chat's own part `failure` with the student's detector in it, which decides when the leader is silent.

    The chat has one leader at a time, so there is one peer; a detector is made when a node hears a new leader.
    """

    class InChat(DetectorOfTheChat):
        """Asks the student's detector."""

        looks_every = 0.1
        mine: Any = None
        of: Address | None = None
        beats = 0

        def hears(self, leader: Address, message: Any, now: float) -> None:
            """Hand over a sign of life as a beat; PROPOSE and COORDINATOR are signs of life, too."""
            if self.mine is None or self.of != leader:
                self.mine, self.of = (
                    detector([leader], now, self.timing.heartbeat_interval, self.timing.heartbeat_timeout),
                    leader,
                )
            self.beats += 1
            self.mine.beat(leader, self.beats, now, now)

        def silent(self, leader: int, now: float) -> bool:
            """Ask whether the leader is suspected."""
            return self.mine is None or self.of != leader or leader in self.mine.suspects(now)

    return InChat
