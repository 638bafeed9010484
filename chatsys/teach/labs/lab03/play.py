"""What the page of lab 03 plays: a chat of six lines, and the runs that answer the predictions.

    chat(MyHoldBack, seed=7, slowest=0.6)      a World after its run
    crowd(MyHoldBack, seed=7)                  everybody talks at once, and some messages are lost
    arrivals(world, node=1)                    in which order the messages reached a node
    queue_numbers(world)                       two numbers of a run that its student explains

In the chat each line is said when the one before it has its number, so the order of the numbers is that in which people talk.

Read also `stage` (the actor), `figures.queue_length` (how the waiting looks), `grading.revealing` (who asks these runs).
"""

from typing import Any

from msgspec.structs import replace

from chatsys.check import check
from chatsys.sim.world import World
from chatsys.teach.grading import revealing
from chatsys.teach.labs.bounded import ScenarioBounds, Steps
from chatsys.teach.labs.defaults import OVERTAKING
from chatsys.teach.labs.lab03.stage import Message, total_order
from chatsys.teach.labs.seeds import recorded
from chatsys.trace import trace_of

LINES = ("Who has the key?", "Not me.", "I have it.", "Where are you?", "In the lab.", "Coming!")
AUTHORS = ("ann", "bob", "eve")
SMALL_TALK = ("Good morning.", "It rains.", "I am here.")
"""Said at once in the run of 3d: nothing among it looks like an answer, so that one answer stands out."""
SEED = recorded("03")["demonstration"]
"""The seed of whoever gives no name."""
SLOW = 1.0
"""Seconds of the slow network that prediction 3b is about; the quick one has a fifth of it."""


def chat(
    queue: Any,
    seed: int = SEED,
    slowest: float = 0.6,
    *,
    loss: float = 0.0,
    duplication: float = 0.0,
    sequencer: Any = None,
) -> World:
    """Return a world after its run: nodes 1, 2 and 3 say the lines in turn; a message takes up to `slowest` seconds."""
    network = replace(OVERTAKING, longest=slowest, loss=loss, duplication=duplication)
    world = World(seed, actor=total_order(queue, sequencer), network=network)
    world.run(0.1)
    for turn, line in enumerate(LINES):
        world.say(line, 1 + turn % 3, "main", AUTHORS[turn % 3])
        _until_numbered(world, turn + 1)
        world.run(0.05)
    world.run(10 + 2 * slowest)
    return world


def student(name: str | None = None) -> int:
    """Choose the seed of this student's runs by a name, and return it; in each of them the story of part (a) comes true."""
    return revealing.student(name, nobody=SEED, shows=shows_disorder)


def shows_disorder(seed: int) -> bool:
    """Tell whether nodes that deliver at once differ in the chat of this seed."""
    return bool(check(chat(_Impatient, seed).trace))


class _Impatient:
    def receive(self, number: int, message: Message) -> list[Message]:
        return [message]


def crowd(queue: Any, seed: int = SEED, slowest: float = 0.4, loss: float = 0.2, sequencer: Any = None) -> World:
    """Return a world after its run: 24 messages in two and a half seconds, from all nodes, some of them lost."""
    network = replace(OVERTAKING, longest=slowest, loss=loss)
    world = World(seed, actor=total_order(queue, sequencer), network=network)
    for turn in range(24):
        world.at(round(0.1 + turn / 10, 1), "say", f"line {turn + 1}", 1 + turn % 3, "main", AUTHORS[turn % 3])
    world.run(15)
    return world


def queue_numbers(run: Any) -> str:
    """Say how many messages waited at once at most, and how long the longest of them waited."""
    if (broken := next(iter(trace_of(run).of("broken")), None)) is not None:
        return f"Your class stopped node {broken.node} ({broken.reason}), so there is nothing to count yet."
    found = waits(run)
    if not found:
        return "No message was held back and delivered later in this run."
    node, number, since, until = max(found, key=lambda one: one[3] - one[2])
    moments = [(at, sum(1 for n, _, a, b in found if n == where and a <= at < b), where) for where, _, at, _ in found]
    at, most, where = max(moments, key=lambda one: one[1])
    return (
        f"At most {most} messages waited at once: at node {where}, at {at:.2f} s. "
        f"The longest wait was {until - since:.2f} s: #{number} at node {node}."
    )


def _until_numbered(world: World, count: int) -> None:
    """Go on until the sequencer has numbered so many messages, or a class has stopped its node."""

    def is_numbered() -> bool:
        newest = next((record for record in reversed(world.trace.records) if record.message == "ORDERED"), None)
        return bool(world.failures) or (newest is not None and (newest.seq or 0) >= count)

    world.until(is_numbered, limit=10, quiet=True)


def arrivals(run: Any, node: int = 1) -> list[str]:
    """Return what reached a node, in the order of arrival: "#2 at 0.41 s"."""
    came = [record for record in trace_of(run).of("receive") if record.node == node and record.message == "ORDERED"]
    return [f"#{record.seq} at {record.time:.2f} s" for record in came]


def waits(run: Any) -> list[tuple[int, int, float, float]]:
    """Return (node, number, from, until) for every message that was held back and delivered later."""
    trace = trace_of(run)
    since: dict[tuple[Any, Any], float] = {}
    found = []
    for record in trace.of("hold", "deliver"):
        key = record.node, record.seq
        if record.kind == "hold":
            since.setdefault(key, record.time)
        elif key in since and isinstance(record.node, int):
            found.append((record.node, record.seq or 0, since.pop(key), record.time))
    return found


# --- what answers the predictions ----------------------------------------------------------------------


def delivered_at_once(queue: Any, seed: int) -> tuple[int, Any]:
    """3a: how many messages the arrival of message 2 lets out, when 1, 3, 4 and 5 came before it."""
    mine = queue()
    for number in (1, 3, 4, 5):
        mine.receive(number, Message(number, "ann", f"message {number}"))
    return len(mine.receive(2, Message(2, "ann", "message 2"))), None


def longest_wait(queue: Any, seed: int) -> tuple[float, Any]:
    """3b: the longest time that a message waits in a queue, if the network is slow."""
    from chatsys.teach.figures import queue_length

    world = chat(queue, seed, slowest=SLOW)
    return round(max((until - since for _, _, since, until in waits(world)), default=0.0), 2), queue_length(world.trace)


def holds_up_most(queue: Any, seed: int) -> tuple[int, Any]:
    """3c: the number for which most messages wait at node 1; 0 if none ever waits."""
    from chatsys.teach.figures import queue_length

    world = chat(queue, seed)
    came = {
        record.seq: record.time
        for record in reversed(world.trace.of("receive"))
        if record.node == 1 and record.message == "ORDERED"
    }
    numbers = sorted(number for number in came if number is not None)
    late = {n: sum(1 for other in numbers if other > n and came[other] < came[n]) for n in numbers}
    most = max(numbers, key=lambda number: late[number], default=0)
    return (most if late.get(most) else 0), queue_length(world.trace)


def answer_before_question(queue: Any, seed: int) -> tuple[str, Any]:
    """3d: whether an answer stands before its question somewhere; who answers has read the question."""
    from chatsys.teach.figures import delivery_matrix

    network = replace(OVERTAKING, longest=SLOW)
    world = World(seed, actor=total_order(queue), network=network)
    for turn, line in enumerate(SMALL_TALK):
        world.at(0.1 + turn / 100, "say", line, 1 + turn % 3, "main", AUTHORS[turn % 3])
    question, answer = "Shall we eat?", "Yes, now!"
    world.run(0.5)
    world.say(question, 1, "main", "ann")
    world.until(lambda: question in world.delivered(2) or bool(world.failures), limit=20, quiet=True)
    world.say(answer, 2, "main", "bob")
    world.run(10)
    orders = [world.delivered(node) for node in world.nodes]
    wrong = [order for order in orders if answer in order and question not in order[: order.index(answer)]]
    return ("yes" if wrong else "no"), delivery_matrix(world.trace)


# --- what a written test is played with ------------------------------------------------------------------

BOUNDS = ScenarioBounds(seconds=600.0, events=20_000, afterwards=10.0, enough="a few messages show")
"""Of a written test; every scenario goes on for a while, so that what is under way arrives."""


def play_scenario(queue: Any, steps: Steps) -> World:
    """3.4: return the world after these verbs and ten quiet seconds; its network is quick and loses nothing by itself."""
    network = replace(OVERTAKING, longest=0.02)
    actor = total_order(queue)
    actor.__name__ = "TotalOrder"  # the trace has this name, and must not say whose queue it is
    world = World(7, actor=actor, network=network, busiest=5000)
    return BOUNDS.play(world, steps)
