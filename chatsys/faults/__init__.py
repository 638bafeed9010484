"""The vocabulary of faults: what can be broken, and scripts that say what breaks when.

    Script, Fault, check_fault, apply     faults as data, playable in every world     (script)
    KINDS, parse_kinds, random_script     one random script per seed                  (swarm)

Read also `sim.world` and `runtime.cluster`, whose verbs these are.
"""

from chatsys.faults.script import VERBS, Fault, Script, apply, check_fault
from chatsys.faults.swarm import KINDS, parse_kinds, random_script

__all__ = ["KINDS", "VERBS", "Fault", "Script", "apply", "check_fault", "parse_kinds", "random_script"]
