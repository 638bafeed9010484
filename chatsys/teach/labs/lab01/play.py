"""What the page of lab 01 plays: a talk over a link that loses much, and the runs that answer the predictions.

    talk(MySender, MyReceiver, seed, loss=0.3)      a World after its run: six texts
    crashing(MySender, MyReceiver, seed)            the same, and node 2 crashes and begins anew
    my_numbers(world)                               two numbers of a run that its student explains

In these runs the fate of a packet hangs on what it is, not on when it is sent: the second packet of text 3 is lost
under every sender and every receiver, or under none.  So two classes can be laid beside each other.

Read also `stage` (the actor), `picture` (four of these runs), `grading.revealing` (who asks these runs).
"""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from chatsys.errors import ToldThere, UsageError
from chatsys.faults.arguments import check_seconds
from chatsys.sim.chance import Rolled
from chatsys.sim.network import Conditions
from chatsys.sim.world import World
from chatsys.teach.grading import predictions, revealing
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab01.friends import DeliversAll, SendsOnce
from chatsys.teach.labs.lab01.packets import Acknowledgement
from chatsys.teach.labs.lab01.runs import BUSIEST
from chatsys.teach.labs.lab01.stage import AGAIN, LISTENS, TALKS, linked, stopped
from chatsys.teach.labs.seeds import recorded
from chatsys.trace import Record, Trace, trace_of

TEXTS = ("Who has the key?", "Ann has it.", "ok", "Where is she?", "ok", "Coming!")
EVERY = 0.15
"""Seconds between two texts of the talk."""
LOSS = 0.3
SEED = recorded("01")["demonstration"]
"""The seed of whoever gives no name."""
LONGEST = 12.0
"""Seconds after which a talk ends, answered or not."""


def talk(sender: Any, receiver: Any, seed: int = SEED, loss: float = LOSS, copies: float = 0.0) -> World:
    """Return a world after its run: six texts are said at node 1, and what is unanswered has some seconds more.

    `loss` and `copies` are the shares of packets, and of acknowledgements, that get lost or come twice.
    """
    check_share("loss", loss, 0.9)
    check_share("copies", copies, 1.0)
    return _talked(_world(sender, receiver, seed, replace(OVERTAKING, loss=loss, duplication=copies)), TEXTS)


def crashing(sender: Any, receiver: Any, seed: int = SEED, crash: float = 1.0, restart: float = 1.5) -> World:
    """Return a world after its run: the same talk, in which node 2 crashes and begins anew."""
    check_seconds("crash", crash)
    check_seconds("restart", restart)
    world = _world(sender, receiver, seed, replace(OVERTAKING, loss=LOSS))
    world.at(crash, "crash", LISTENS, lenient=True)
    world.at(restart, "restart", LISTENS, lenient=True)
    return _talked(world, TEXTS)


def _world(sender: Any, receiver: Any, seed: int, network: Conditions) -> World:
    """Return a world in which the fate of a packet hangs on what it is, not on when it is sent."""
    world = World(seed, 2, actor=linked(sender, receiver), network=network, busiest=BUSIEST)
    Rolled(world.simulation, {})
    return world


def _talked(world: World, texts: Sequence[str]) -> World:
    """Let these texts be said, and time go on until all is answered, or for long enough."""
    for place, text in enumerate(texts):
        world.at(round(0.1 + EVERY * place, 3), "say", text, TALKS, lenient=True)
    world.run(0.2 + EVERY * len(texts))
    world.until(lambda: bool(world.failures) or len(_answered(world)) >= len(texts), limit=LONGEST, quiet=True)
    world.run(0.6)
    return world


def check_share(name: str, value: Any, most: float) -> None:
    """Refuse what is no share of packets."""
    check_seconds(name, value)
    if value > most:
        raise UsageError(f"{name} is {value!r:.40}; give a share of the packets from 0 to {most:g}.")


def _answered(world: World) -> set[int | None]:
    return {one.seq for one in world.trace.of("receive") if one.node == TALKS}


def talk_to_the_given(sender: Any) -> World:
    """Return a run of a sender that is right, with the receiver of the stage."""
    return talk(sender, None)


def listen_to_the_given(receiver: Any) -> World:
    """Return a run of a receiver that is right, with the sender of the stage."""
    return talk(None, receiver)


def my_numbers(run: Any) -> str:
    """Say how many packets stayed unanswered for a while, and how many of these had arrived."""
    trace = trace_of(run)
    if (broken := next(iter(trace.of("broken")), None)) is not None:
        return f"Your class stopped node {broken.node} ({broken.reason}), so there is nothing to count yet."
    tries = find_tries(trace)
    silent = [one for one in tries if not one[1]]
    if not silent:
        return "Every packet was answered in time in this run, so there is nothing to explain yet; choose another name."
    there = sum(arrived for _, _, arrived in silent)
    return (
        f"{len(tries)} packets were sent for {len(trace.of('submit'))} texts. {len(silent)} of them got no answer in time, "
        f"and {there} of these {len(silent)} had arrived all the same."
    )


def find_tries(trace: Trace) -> list[tuple[Record, bool, bool]]:
    """Return for each packet that was sent: whether its acknowledgement came in time, and whether it arrived."""
    sent = [one for one in trace.of("send") if one.node == TALKS]
    came = {one.id: one.time for one in reversed(trace.of("receive")) if one.node == LISTENS}
    answers = [one for one in trace.of("receive") if one.node == TALKS]
    return [
        (
            one,
            any(one.seq == two.seq and one.time < two.time <= one.time + AGAIN - 0.1 for two in answers),
            one.id in came,
        )
        for one in sent
    ]


def student(name: str | None = None) -> int:
    """Choose the seed of this student's runs by a name, and return it; in each of them the story of part (a) comes true."""
    return revealing.student(name, nobody=SEED, shows=shows_loss_and_double)


def shows_loss_and_double(seed: int) -> bool:
    """Tell whether a packet is lost for good where each is sent once, and one is delivered twice where it is repeated."""
    once, again = talk(SendsOnce, DeliversAll, seed), talk(None, DeliversAll, seed)
    lost = len(once.trace.of("deliver")) < len(TEXTS)
    numbers = [one.seq for one in again.trace.of("deliver")]
    overtaken = any(a > b for a, b in zip(_first_ones(numbers), _first_ones(numbers)[1:], strict=False))
    return lost and overtaken and len(numbers) > len(set(numbers)) and len(again.trace.of("send")) < 40


def _first_ones(numbers: Sequence[int | None]) -> list[int]:
    return [one or 0 for one in dict.fromkeys(numbers)]


# --- what answers the predictions ----------------------------------------------------------------------

MANY = 20
"""So many texts are said in the runs of 1a and 1b."""
RUNS, SOME = 100, 20
"""So many runs are played for 1a, and for 1b: one alone would be good luck or bad luck."""
ACKNOWLEDGED = Acknowledgement.__struct_config__.tag
TRIES = 20
"""So many runs are played until a text is delivered twice."""


def packets_sent(sender: Any, receiver: Any, seed: int) -> tuple[int, Any]:
    """1a: how many packets 20 texts take on average, in this run and in many others."""
    from chatsys.teach.labs.lab01.drawing import draw_counts

    counts = []
    for turn in range(RUNS):
        world = _many(sender, receiver, seed + turn)
        counts.append(sum(one.node == TALKS for one in world.trace.of("send")))
    said = predictions.kept.get("1a")
    return round(sum(counts) / len(counts)), draw_counts(
        counts, MANY / (1 - LOSS) ** 2, said if type(said) is int else None
    )


def arrived_all_the_same(sender: Any, receiver: Any, seed: int) -> tuple[int, Any]:
    """1b: of the packets without an answer in time, how many percent had arrived, in some runs together."""
    silent = [
        arrived
        for turn in range(SOME)
        for _, answered, arrived in find_tries(_many(sender, receiver, seed + turn).trace)
        if not answered
    ]
    return round(100 * sum(silent) / max(1, len(silent))), None


def _many(sender: Any, receiver: Any, seed: int) -> World:
    """Return a world after twenty texts; raises what the class raised."""
    world = _world(sender, receiver, seed, replace(OVERTAKING, loss=LOSS))
    _talked(world, [f"text {number}" for number in range(1, MANY + 1)])
    if world.failures:
        raise ToldThere(stopped(world)[0].removesuffix("."))
    return world


def what_was_lost(sender: Any, receiver: Any, seed: int) -> tuple[str, Any]:
    """1c: what was lost before a packet was delivered twice, where every packet that comes is delivered."""
    from chatsys.teach.figures import packet_lanes

    worlds = (talk(sender, DeliversAll, seed + turn) for turn in range(TRIES))
    world = next((one for one in worlds if _doubled(one)), None)
    if world is None:
        raise ToldThere(f"in {TRIES} runs no text was delivered twice; does your sender send anything again?")
    number = _doubled(world)
    drops = [one for one in world.trace.of("drop") if one.seq == number]
    first = next(one.time for one in world.trace.of("deliver") if one.seq == number)
    told = (
        "the acknowledgement" if any(one.message == ACKNOWLEDGED and one.time >= first for one in drops) else "nothing"
    )
    return told, packet_lanes(world.trace)


def _doubled(world: World) -> int | None:
    """Return a number that was delivered twice."""
    if world.failures:
        raise ToldThere(stopped(world)[0].removesuffix("."))
    numbers = [one.seq for one in world.trace.of("deliver")]
    return next((one for one in numbers if numbers.count(one) > 1), None)
