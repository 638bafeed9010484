"""The picture of lab 01: four guarantees of one run side by side, and what each of them costs.

    guarantees(MySender, MyReceiver, seed, loss=0.3, copies=0.0)     the figure
    sliders(MySender, MyReceiver)                                    the same with sliders, drawn anew at each move

    at most once    a sender that sends once     whatever comes is delivered
    at least once   the student's sender         whatever comes is delivered
    exactly once    the student's sender         each packet once
    in order        the student's sender         the student's receiver

A packet has the same fate in all four: the first packet 3 is lost in each column or in none.

Read also `play` (the run), `friends` (the ends that are given), `figures.sequences` (how lanes are drawn).
"""

import os
from typing import Any

from chatsys.errors import UsageError
from chatsys.sim.world import World
from chatsys.teach.figures import theme
from chatsys.teach.figures.sequences import LaneRun, lanes_side_by_side
from chatsys.teach.figures.theme import counted
from chatsys.teach.labs.lab01.friends import DeliversAll, DeliversOnce, SendsOnce
from chatsys.teach.labs.lab01.packets import Acknowledgement, Packet, bytes_of
from chatsys.teach.labs.lab01.play import LOSS, SEED, talk
from chatsys.teach.labs.lab01.stage import TALKS, stopped
from chatsys.trace import Trace

TITLES = ("at most<br>once", "at least<br>once", "exactly<br>once", "once and<br>in order")
NAMES = ("at most once", "at least once", "exactly once", "in order")


def guarantees(sender: Any, receiver: Any, seed: int = SEED, loss: float = LOSS, copies: float = 0.0) -> Any:
    """Return the figure of one talk under four guarantees; nothing while a notebook is graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    for one, what in ((sender, "sender"), (receiver, "receiver")):
        if not isinstance(one, type):
            raise UsageError(f"{one!r:.60} is no class; give your {what}: guarantees(MySender, MyReceiver).")
    ends = ((SendsOnce, DeliversAll), (sender, DeliversAll), (sender, DeliversOnce), (sender, receiver))
    worlds = [talk(one, other, seed, loss, copies) for one, other in ends]
    runs = [LaneRun(title, world.trace, _below(world)) for title, world in zip(TITLES, worlds, strict=True)]
    told = "; ".join(f"{name}: {_tell(world)}" for name, world in zip(NAMES, worlds, strict=True))
    return lanes_side_by_side(runs, "What a promise costs", f"{told[0].upper()}{told[1:]}.")


def _below(world: World) -> tuple[str, ...]:
    if world.failures:
        return (f"node {world.failures[0][0]} stopped",)
    packets, size = cost_of(world.trace)
    return f"{packets} packets", f"{size:,} bytes", _outcome(world.trace)


def _outcome(trace: Trace) -> str:
    """Say in two words what the user at node 2 sees."""
    said, numbers = {one.client_seq or 0 for one in trace.of("submit")}, [one.seq or 0 for one in trace.of("deliver")]
    first = list(dict.fromkeys(numbers))
    if said - set(numbers):
        return f"{len(said - set(numbers))} missing"
    if len(numbers) > len(first):
        return counted(len(numbers) - len(first), "copy", "copies")
    return "all in order" if first == sorted(said) else "out of order"


def _tell(world: World) -> str:
    if world.failures:
        return stopped(world)[0]
    packets, size = cost_of(world.trace)
    return f"{packets} packets, {size:,} bytes, {_outcome(world.trace)}"


def cost_of(trace: Trace) -> tuple[int, int]:
    """Return how many packets were sent, and the bytes of all of them and of their acknowledgements."""
    texts = {one.client_seq: one.text or "" for one in trace.of("submit")}
    packets, size = 0, 0
    for one in trace.of("send"):
        number = one.seq or 0
        packets += one.node == TALKS
        size += bytes_of(Packet(number, texts.get(number, "")) if one.node == TALKS else Acknowledgement(number))
    return packets, size


# --- with sliders ------------------------------------------------------------------------------------------


def sliders(sender: Any, receiver: Any, seed: int = SEED) -> Any:
    """Return the figure with three sliders, and the line of code that draws the same; nothing while graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    from ipywidgets import HTML, Output, VBox

    from chatsys.teach.widgets.slider import slider, steps

    moved = {
        "seed": slider("another run", range(seed, seed + 31), seed, "seed {}", live=True),
        "loss": slider("get lost", steps(0.0, 0.6, 0.05), LOSS, "{:.0%}", live=True),
        "copies": slider("come twice", steps(0.0, 0.5, 0.05), 0.0, "{:.0%}", live=True),
    }
    names = f"{getattr(sender, '__name__', 'sender')}, {getattr(receiver, '__name__', 'receiver')}"
    code, shown = HTML(), Output()

    def draw(_: Any = None) -> None:
        chosen = {name: one.value for name, one in moved.items()}
        code.value = (
            f"<code>guarantees({names}, {', '.join(f'{name}={value:g}' for name, value in chosen.items())})</code>"
        )
        drawn = theme.WithSentence().to_mimebundle(guarantees(sender, receiver, **chosen).to_dict())
        shown.outputs = ({"output_type": "display_data", "data": drawn, "metadata": {}},)

    for one in moved.values():
        one.observe(draw, names="value")
    draw()
    return VBox([*moved.values(), code, shown])
