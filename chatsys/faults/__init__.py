"""The vocabulary of faults: what can be broken, and scripts that say what breaks when.

    Script, Fault, check_fault, apply     faults as data, playable in every world     (script)
    KINDS, parse_kinds, random_script     one random script per seed                  (swarm)
    check_seconds, check_saying           what other verbs are given                  (given)

Read also `sim.world` and `runtime.cluster`, whose verbs these are.
"""

from chatsys.faults.given import WaitExpired, check_saying, check_seconds, warn_expired
from chatsys.faults.script import VERBS, Fault, Script, apply, check_fault
from chatsys.faults.swarm import KINDS, parse_kinds, random_script

__all__ = [
    "KINDS",
    "VERBS",
    "Fault",
    "Script",
    "WaitExpired",
    "apply",
    "check_fault",
    "check_saying",
    "check_seconds",
    "parse_kinds",
    "random_script",
    "warn_expired",
]
