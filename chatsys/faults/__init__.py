"""The vocabulary of faults: what can be broken, and scripts that say what breaks when.

    Script, Fault, check_fault, apply     faults as data, playable in every world     (script)
    outside, OutsideModel, BOUNDS         what may go wrong at most                   (model)
    KINDS, parse_kinds, random_script     one random script per seed                  (swarm)
    check_seconds, check_saying, ...      what worlds and other verbs are given       (given)

Read also `sim.world` and `runtime.cluster`, whose verbs these are.
"""

from chatsys.faults.fault import VERBS, Fault, check_fault
from chatsys.faults.given import (
    WaitExpired,
    check_command,
    check_ends,
    check_kind,
    check_made_of,
    check_numbers,
    check_path,
    check_saying,
    check_seconds,
    check_seed,
    condition,
    config_of,
    is_number,
    refuse_verb,
    warn_expired,
)
from chatsys.faults.model import BOUNDS, OutsideModel, outside
from chatsys.faults.script import Script, apply, repair
from chatsys.faults.swarm import KINDS, parse_kinds, random_script

__all__ = [
    "BOUNDS",
    "KINDS",
    "VERBS",
    "Fault",
    "OutsideModel",
    "Script",
    "WaitExpired",
    "apply",
    "check_command",
    "check_ends",
    "check_fault",
    "check_kind",
    "check_made_of",
    "check_numbers",
    "check_path",
    "check_saying",
    "check_seconds",
    "check_seed",
    "condition",
    "config_of",
    "is_number",
    "outside",
    "parse_kinds",
    "random_script",
    "refuse_verb",
    "repair",
    "warn_expired",
]
