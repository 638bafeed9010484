"""When is an entry on a quorum?  Q1, Q2, Q7, Q8, Q15 and Q17 count copies, and one of them is none.

In all of them node 3 (or 5) leads term 1 when the script begins, and everybody has the same log.

Read also `terms`, `protocol.ordering` (who counts).
"""

from chatsys.mutants.schedules.directed import directed
from chatsys.mutants.schedules.quiet_world import QuietWorld
from chatsys.protocol.messages import Ack, Propose


@directed("Q7", "Confirmed from memory", breaks=("S8", "S14"), defect="ACK before fsync")
def confirmed_from_memory(stage: QuietWorld) -> None:
    """Node 2 is away, and 1 confirms a message that its disk does not hold yet.

    Two of three: the client hears ok.  1 and 3 crash, 1 comes back without the message, and with 2
    it is a majority that knows nothing of it.
    """
    stage.isolate(2)
    stage.stall(1)
    stage.say("x", node=3)
    stage.run(0.1)
    stage.forget_unsynced(1)
    stage.crash(3)
    stage.unstall(1)
    stage.heal()
    stage.restart(1)
    stage.elect(2)
    stage.run(1)


@directed("Q8", "The leader is a witness like any other", breaks=("S8",), defect="own copy counted early")
def the_leaders_own_copy(stage: QuietWorld) -> None:
    """The leader's disk is busy; with node 1 it makes two of three, if its memory counts.

    It crashes, comes back without the message, and finds its majority with 2, while 1 is away.
    """
    stage.isolate(2)
    stage.stall(3)
    stage.say("x", node=3)
    stage.run(0.1)
    stage.forget_unsynced(3)
    stage.unstall(3)
    stage.heal()
    stage.isolate(1)
    stage.restart(3)
    stage.elect(3)
    stage.run(1)


@directed("Q15", "Twice the same voice", breaks=("S8",), nodes=5, defect="duplicate ACK counted")
def twice_the_same_voice(stage: QuietWorld) -> None:
    """A message stands on 5 and on 1; the ACK of 1 arrives twice, and makes three."""
    stage.partition({5, 1}, {2, 3, 4})
    echo = stage.hold(Ack, sender=1, receiver=5)
    stage.say("x", node=5)
    stage.run(0.1)
    echo.release(copies=3)
    stage.run(0.1)
    stage.crash(5)
    stage.crash(1)
    echo.drop(shut=False)
    stage.elect(4)
    stage.run(1)


@directed("Q17", "I know that one", breaks=("S16",), defect="retry answered ok early")
def i_know_that_one(stage: QuietWorld) -> None:
    """No copy of a message leaves the leader; the client asks again.

    The leader knows the message; but ok means committed, not known.
    """
    late = stage.hold(Propose, sender=3)
    stage.say("x", node=3)
    stage.run(3)
    stage.crash(3)
    late.drop(shut=False)
    stage.elect(2)
    stage.restart(3)
    stage.run(3)
