"""Orders: what each button of the panel stands for, as calls that one could type.

    {"do": "crash", "node": 3}  --ORDERS["crash"]-->  [crash(3)]  --written-->  cluster.crash(3)

A few orders are about the panel itself (play, speed, the timeline, docking): they call nothing.

Promises  every verb that a button does has a line of code; the panel shows it once it is done.
Read also `panel`, which carries them out.
"""

import itertools
from collections.abc import Callable
from typing import Any, Protocol

from chatsys.errors import UsageError
from chatsys.faults import Testbed

Call = tuple[str, tuple[tuple[Any, ...], dict[str, Any]]]
"""A verb with its arguments."""


class Board(Protocol):
    """What an order may ask of the panel that carries it out."""

    about: dict[str, Any]
    loss: float
    delay: float
    speed: float
    playing: bool
    ended: bool

    @property
    def cluster(self) -> Testbed | None:
        """The cluster that is shown."""

    def start(self) -> None:
        """Follow the cluster from now on."""

    def renew(self, quorum: int) -> None:
        """Go on with another cluster."""

    def toggle_timeline(self) -> None:
        """Show the timeline, or hide it."""

    def toggle_dock(self) -> None:
        """Go beside the page, or back into it."""


def call(verb: str, *given: Any, **named: Any) -> Call:
    """Return a verb with its arguments, as a value."""
    return verb, (given, named)


def written(verb: str, given: tuple[Any, ...], named: dict[str, Any]) -> str:
    """Return a call as one would type it."""
    return f"{verb}({', '.join([*map(repr, given), *(f'{name}={value!r}' for name, value in named.items())])})"


def _say(_panel: Board, order: dict[str, Any]) -> list[Call]:
    node = {} if order.get("node") is None else {"node": order["node"]}
    text, author = str(order.get("text", "")), str(order.get("author", ""))
    if not text.strip():
        raise UsageError("Type a message first.")
    if not author.strip():
        raise UsageError("Type a name first: who says it?")
    return [call("say", text, **node, author=author)]


def _slow(panel: Board, order: dict[str, Any]) -> list[Call]:
    panel.delay = float(order["delay"])
    return [call("slow", "*", "*", panel.delay)]


def _lose(panel: Board, order: dict[str, Any]) -> list[Call]:
    panel.loss = float(order["fraction"])
    return [call("lose", "*", "*", panel.loss)]


def _reset(panel: Board, _order: dict[str, Any]) -> list[Call]:
    panel.loss = panel.delay = 0.0
    return [call("mend")]


def _stop(panel: Board, _order: dict[str, Any]) -> list[Call]:
    panel.playing, panel.ended = False, True
    return [call("stop")]


def _play(panel: Board, order: dict[str, Any]) -> list[Call]:
    panel.playing = order["do"] == "play" and panel.about["where"] == "sim"
    panel.start()
    return []


def _speed(panel: Board, order: dict[str, Any]) -> list[Call]:
    panel.speed = min(max(float(order["speed"]), 0.01), 100.0)
    return []


def _node_verb(_panel: Board, order: dict[str, Any]) -> list[Call]:
    return [call(order["do"], order["node"])]


def _join(panel: Board, _order: dict[str, Any]) -> list[Call]:
    taken = () if panel.cluster is None else panel.cluster.everyone
    return [call("join", next(node for node in itertools.count(1) if node not in taken))]


def _partition(panel: Board, order: dict[str, Any]) -> list[Call]:
    """Split the network: the chosen nodes, or whoever leads, from all others."""
    cluster = panel.cluster
    assert cluster is not None, "the panel has looked"
    chosen = set(order.get("nodes") or ())
    if not chosen:
        if cluster.leader is None:
            raise UsageError("Nobody leads now; tick the nodes that are to be split off.")
        chosen = {cluster.leader}
    rest = set(cluster.everyone) - chosen
    if not rest:
        raise UsageError("All nodes are ticked; leave at least one of them for the other side.")
    return [call("partition", chosen, rest)]


def _quorum(panel: Board, order: dict[str, Any]) -> list[Call]:
    panel.renew(int(order["quorum"]))
    return []


def _timeline(panel: Board, _order: dict[str, Any]) -> list[Call]:
    panel.toggle_timeline()
    return []


def _dock(panel: Board, _order: dict[str, Any]) -> list[Call]:
    panel.toggle_dock()
    return []


ORDERS: dict[str, Callable[[Board, dict[str, Any]], list[Call]]] = {
    **dict.fromkeys(("crash", "restart", "pause", "resume", "leave"), _node_verb),
    "join": _join,
    "cut": lambda _panel, order: [call("cut", order["a"], order["b"])],
    "join_link": lambda _panel, order: [call("reconnect", order["a"], order["b"])],
    "partition": _partition,
    "heal": lambda _panel, _order: [call("heal")],
    "slow": _slow,
    "lose": _lose,
    "say": _say,
    "reset": _reset,
    "stop": _stop,
    "play": _play,
    "hold": _play,
    "speed": _speed,
    "step": lambda _panel, _order: [call("step")],
    "run": lambda _panel, order: [call("run", float(order["seconds"]))],
    "quorum": _quorum,
    "timeline": _timeline,
    "dock": _dock,
}
"""Every order that the browser may send, and the calls it stands for."""
ABOUT_THE_PANEL = frozenset({"play", "hold", "speed", "quorum", "timeline", "dock"})
"""Orders that are no verb of a cluster."""
LOOKING = frozenset({"timeline", "dock"})
"""Orders that are of use when the cluster is stopped, too."""
