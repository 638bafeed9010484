"""chatsys: learn distributed systems by breaking a chat.

One class, four worlds: the same protocol object runs under a simulator with virtual time, in the
notebook's kernel, in processes over TCP, and from the command line.  Every world writes one trace;
figures, checks and grades read nothing else.

    from chatsys import World, check, grade, roles, show

    world = World(seed=1)            # three nodes, a network, disks; nothing has happened yet
    world.run(5)                     # five seconds of virtual time: they elect a leader
    world.say("hello")
    world.crash(world.leader)
    world.run(5)
    roles(world.trace)               # a figure: who led when
    check(world.trace)               # "Held: 16 rules, 1 message.", an empty list
    grade("3.1", MyHoldBack)         # an exercise of a lab: points, and the story of the run that went wrong
    show("3.1")                      # that run; show(world) is its panel, show(world.trace) draws it

What a notebook imports from here, and where it lives:

    worlds      World (sim.world)    Cluster (runtime.cluster)    ClusterConfig, Timing (config)
                Script (faults): faults at given times, playable in every world
    questions   why, why_not (campaign.why): what a message waited for, and what happens without that fault
    history     Trace, Record (trace)    Run (run): a run as a file    check, Violation (check)
    classroom   grade, show, panel, timeline, compare, predict, scenarios, allow_nested (teach)
                figures, a module, and its figures:
                roles, term_bands, delivery_matrix, queue_length, heartbeats, latency, log_table,
                describe
    protocol    Node (protocol.node)    Client (protocol.client)    Actor (actor.actor)    Part (protocol.part)
    errors      the tree of ChatsysError

The folders are the argument; arrows point down only:

    __main__, commands               the command line: arguments only
    teach | clients                  what a student sees; how people talk to a cluster
    mutants                          bugs that the evidence must find
    campaign                         many runs: seeds, sweeps, shrinking, soaks
    sim | runtime | explore          the imaginary world, the real one, and every order of events
    check | faults                   what must hold in a trace; what can be broken, and the verbs
    run, trace                       a run as a file; the one history that every world writes
    compiled                         the pure rooms as machine code, which nothing needs
    isolation, locks, surroundings   somebody else's code, bounded; errors of the system as sentences
    protocol                         the chat, pure: no I/O, no clock, no randomness of its own
    actor                            the contract of anything that lives in a world
    config, errors

Names are looked up when they are first used (`__init__.pyi` says where), so that `import chatsys` is cheap.
Read next `ARCHITECTURE.md` in this folder: the map, and the journey of one message.
"""

import os
from typing import Any

import lazy_loader

__version__ = "0.1.0"

if os.environ.get("CHATSYS_COMPILED"):  # before any of the modules that are compiled is imported
    from chatsys.compiled import using as _using

    _using.begin()

_find, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    try:
        return _find(name)
    except AttributeError:
        if name in __all__:
            raise
        raise AttributeError(
            f"module 'chatsys' has no attribute {name!r}; it has {', '.join(sorted(__all__))}"
        ) from None
