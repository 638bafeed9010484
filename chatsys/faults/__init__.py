"""The vocabulary of faults: what can be broken, and scripts that say what breaks when.

    Script, Fault, check_fault            faults as data                              (script, fault)
    Testbed, apply                        the verbs, once for every world             (testbed)
    VERBS                                 a row each: arguments, bounds, worlds       (verbs)
    verb_table                            which world can do which verb, and how      (abilities)
    outside, OutsideModel, BOUNDS         what may go wrong at most                   (model)
    KINDS, parse_kinds, random_script     one random script per seed                  (swarm)
    check_seconds, check_saying, ...      what worlds and other verbs are given       (arguments)

Read also `sim.world` and `runtime.cluster`, the two kinds of worlds.
"""

from chatsys.faults.abilities import verb_table
from chatsys.faults.arguments import (
    WaitExpired,
    check_command,
    check_kind,
    check_life,
    check_made_of,
    check_numbers,
    check_path,
    check_seconds,
    check_seed,
    config_of,
)
from chatsys.faults.fault import Fault, check_fault
from chatsys.faults.model import BOUNDS, OutsideModel, outside
from chatsys.faults.script import Script
from chatsys.faults.swarm import KINDS, parse_kinds, random_script
from chatsys.faults.testbed import Testbed, apply
from chatsys.faults.verbs import VERBS

__all__ = [
    "BOUNDS",
    "KINDS",
    "VERBS",
    "Fault",
    "OutsideModel",
    "Script",
    "Testbed",
    "WaitExpired",
    "apply",
    "check_command",
    "check_fault",
    "check_kind",
    "check_life",
    "check_made_of",
    "check_numbers",
    "check_path",
    "check_seconds",
    "check_seed",
    "config_of",
    "outside",
    "parse_kinds",
    "random_script",
    "verb_table",
]
