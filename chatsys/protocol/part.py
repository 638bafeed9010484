"""Part: what the parts of a node have in common.

A node is one actor made of parts, and each part is an actor with siblings.  It has the doors of an
actor, and two more, for the two things that can become of a node.

    node --lead-----> part     this node leads from now on
    node --follow---> part     this node is a follower from now on

A part returns effects and decisions.  It never calls a sibling: what it wants of one it says by a
decision, and the node carries that out.

Assumes   the node opens one door at a time.
Promises  a part can be replaced by another one that handles the same messages; its siblings do not notice.
Read also `decisions` (what a part may want), `state` (the facts all parts share), `node`.
"""

from functools import cache
from random import Random
from typing import Any, ClassVar

import msgspec

from chatsys.actor.actor import Actor
from chatsys.config import ClusterConfig
from chatsys.protocol.decisions import Yield
from chatsys.protocol.state import NodeState


class Part(Actor):
    """A part of a node: an actor with siblings.

    It reads the facts all parts share (`state`, and in it `log`), names the messages it
    `handles`, and has two more doors, `lead` and `follow`.  What it wants of a sibling it returns
    as a decision.
    """

    handles: ClassVar[tuple[type[msgspec.Struct], ...]] = ()

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state.me, config, random)
        self.state = state
        self.log = state.log
        self.timing = config.timing

    def lead(self, now: float) -> list[Any]:
        """This node leads from now on."""
        return []

    def follow(self, now: float, decision: Yield) -> list[Any]:
        """This node is a follower from now on, as `decision` says."""
        return []


class Routes(msgspec.Struct, frozen=True):
    """Who sees a message: by its kind, the places of the parts that handle it."""

    places: dict[type[msgspec.Struct], tuple[int, ...]]


@cache
def find_routes(handled: tuple[tuple[type[msgspec.Struct], ...], ...]) -> Routes:
    """Return the routes to parts that handle these kinds of messages; nodes of the same parts share them."""
    places: dict[type[msgspec.Struct], tuple[int, ...]] = {}
    for place, kinds in enumerate(handled):
        for kind in kinds:
            places[kind] = (*places.get(kind, ()), place)
    return Routes(places)
