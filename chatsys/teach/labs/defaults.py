"""What every lab begins with: a network in which messages overtake each other, and timers that are not in step.

    World(seed, actor=stage, network=OVERTAKING)
    World(seed, actor=stage, network=replace(OVERTAKING, longest=0.6, loss=0.1))      msgspec.structs.replace

    begin_timers(self, now, beat=0.8, tick=0.1)      in `start` of a stage: each first rings at a drawn moment

Without that a lab shows less than there is.  The links of the chat keep their order, as TCP does, so nobody would
see one message overtake another.  One frame in a hundred takes much longer than `longest`, so no bound on a delay
could be stated.  And all timers of all nodes would begin at 0: all beats would leave together, and a crash at
10.0 s would come at the same phase of every timer, in every seed.

Read also `sim.network` (what else can be said of a network), `actor.actor` (alarms).
"""

from chatsys.actor.actor import Actor
from chatsys.sim.network import Conditions

OVERTAKING = Conditions(shortest=0.01, longest=0.1, tail=0.0, in_order=False)
"""The network of a lab: a message takes between 10 ms and `longest`, never more, and messages overtake each other."""


def begin_timers(actor: Actor, now: float, *, aligned: bool = False, **intervals: float) -> None:
    """Set an alarm for each of these intervals (seconds), the first time at a moment drawn from it.

    The stage sets it anew each time it rings, an interval later.  With `aligned` all timers of all nodes begin a whole
    interval from now: for a lab that shows what happens then.
    """
    for name, interval in intervals.items():
        actor.alarms.set(name, now + (interval if aligned else actor.random.uniform(0, interval)))
