"""chatsys: learn distributed systems by breaking a chat.

One class, four worlds: the same protocol object runs under a simulator with virtual time, in the
notebook's kernel, in processes over TCP, and from the command line.  Every world writes one trace;
figures, checks and grades read nothing else.

    from chatsys import World, check, roles

    world = World(seed=1)            # three nodes, a network, disks; nothing has happened yet
    world.run(5)                     # five seconds of virtual time: they elect a leader
    world.say("hello")
    world.crash(world.leader)
    world.run(5)
    roles(world.trace)               # a figure: who led when
    check(world.trace)               # [] when every invariant held

What a notebook imports from here, and where it lives:

    worlds      World (sim.world)    Cluster (runtime.cluster)    ClusterConfig, Timing (config)
                Script (faults): faults at given times, playable in every world
    history     Trace, Record (trace)    Run (run): a run as a file    check, Violation (check)
    classroom   panel, show, scenarios, allow_nested (teach)    figures, a module, and its figures:
                roles, delivery_matrix, heartbeats, latency, log_table, describe
    protocol    Node (protocol.node)    Client (protocol.client)    Actor, Part (protocol.actor)
    errors      the tree of ChatsysError

The folders are the argument; arrows point down only:

    __main__, commands               the command line: arguments only
    teach  clients  bench            what a student sees; how people talk to a cluster
    sim | runtime                    the imaginary world and the real one, with the same verbs
    check | faults                   what must hold in a trace; what can be broken, and when
    trace                            the one history that every world writes
    protocol                         pure: no I/O, no clock, no randomness of its own
    config, errors

Names are looked up when they are first used, so that `import chatsys` is cheap.
Read next `ARCHITECTURE.md` in this folder: the map, and the journey of one message.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chatsys import check as check
    from chatsys import errors as errors
    from chatsys.check import Violation as Violation
    from chatsys.config import ClusterConfig as ClusterConfig
    from chatsys.config import Timing as Timing
    from chatsys.faults import Script as Script
    from chatsys.protocol.actor import Actor as Actor
    from chatsys.protocol.actor import Part as Part
    from chatsys.protocol.client import Client as Client
    from chatsys.protocol.node import Node as Node
    from chatsys.run import Run as Run
    from chatsys.runtime.cluster import Cluster as Cluster
    from chatsys.sim.world import World as World
    from chatsys.teach import figures as figures
    from chatsys.teach import scenarios as scenarios
    from chatsys.teach import show as show
    from chatsys.teach.figures import delivery_matrix as delivery_matrix
    from chatsys.teach.figures import describe as describe
    from chatsys.teach.figures import heartbeats as heartbeats
    from chatsys.teach.figures import latency as latency
    from chatsys.teach.figures import log_table as log_table
    from chatsys.teach.figures import roles as roles
    from chatsys.teach.notebook import allow_nested as allow_nested
    from chatsys.teach.panel import panel as panel
    from chatsys.trace import Record as Record
    from chatsys.trace import Trace as Trace

__version__ = "0.1.0"

_HOME = {
    "World": "sim.world",
    "Cluster": "runtime.cluster",
    "ClusterConfig": "config",
    "Timing": "config",
    "Script": "faults",
    "Trace": "trace",
    "Record": "trace",
    "Run": "run",
    "Violation": "check",
    "Node": "protocol.node",
    "Client": "protocol.client",
    "Actor": "protocol.actor",
    "Part": "protocol.actor",
    "panel": "teach.panel",
    "show": "teach",
    "allow_nested": "teach.notebook",
    **dict.fromkeys(("delivery_matrix", "describe", "heartbeats", "latency", "log_table", "roles"), "teach.figures"),
}
"""Which module each name comes from."""

_MODULES = {"check": "check", "figures": "teach.figures", "scenarios": "teach.scenarios", "errors": "errors"}
"""Names that are modules themselves."""

__all__ = [*_HOME, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value: Any = import_module(f"{__name__}.{_MODULES[name]}")
    elif name in _HOME:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    else:
        raise AttributeError(f"module 'chatsys' has no attribute {name!r}; it has {', '.join(sorted(__all__))}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
