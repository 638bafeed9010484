"""When is an entry on a quorum?  Q1, Q2, Q7, Q8, Q15 and Q17 count copies, and one of them is none.

In all of them node 3 (or 5) leads term 1 when the script begins, and everybody has the same log.

Read also `terms`, `protocol.ordering` (who counts).
"""

from typing import Any

from chatsys.mutants.schedules.directed import directed
from chatsys.mutants.schedules.quiet_world import QuietWorld
from chatsys.protocol.messages import Ack, CatchupReply, Propose


@directed("Q1", "Figure 8 of the Raft paper", breaks=("S8",), nodes=5, defect="old-term commit")
def figure_eight(stage: QuietWorld) -> None:
    """An entry of an old term stands on three of five nodes, and can still be replaced.

    5 puts x on itself and 4, and crashes.  1 leads term 2 with 2 and 3, and writes only its own
    barrier.  5 is back, leads term 3, and brings x to 2 and 3: three copies.  Who counts them says
    "committed"; but 1 ends in a newer term than they do, wins, and removes x.
    """
    only_four = [stage.hold(Propose, sender=5, receiver=peer) for peer in (1, 2, 3)]
    stage.say("x", node=5)
    stage.run(0.1)
    stage.crash(5)
    stage.isolate(4)
    silent = stage.hold(Propose, sender=1)
    stage.elect(1)
    stage.crash(1)
    stage.heal()
    for gate in (*only_four, silent):
        gate.drop(shut=False)
    barrier = stage.hold((Propose, CatchupReply), sender=5, wants=_holds_a_barrier)
    stage.restart(5)
    stage.elect(5)
    stage.run(4)
    stage.crash(5)
    barrier.drop(shut=False)
    stage.restart(1)
    stage.elect(1)
    stage.run(2)


@directed("Q2", "A confirmation of something else", breaks=("S8", "S7"), nodes=5, defect="stale ACK counted")
def a_confirmation_of_something_else(stage: QuietWorld) -> None:
    """An ACK of term 1 is late by two terms; what it confirms has been replaced.

    In term 1 node 1 confirms four messages of leader 5.  In term 2 leader 4 voids them, on 1 and
    on 5.  In term 3 node 5 leads again, and y stands on 5 and 2, at a position that the old ACK
    names.  Counted, it makes three copies of two.  Then 5 and 2 crash, and y is gone.
    """
    stage.say("eve is here", node=5, author="eve")
    stage.run(0.5)
    late = stage.hold(Ack, sender=1, receiver=5)
    stage.split({5, 1}, {2, 3, 4})
    for text in ("a", "b", "c", "d"):
        stage.say(text, node=5)
    stage.run(0.2)
    late.shut = False
    stage.crash(5)
    stage.silence("ann@5")
    stage.elect(4)
    stage.restart(5)
    stage.heal()
    stage.run(5)
    stage.crash(4)
    stage.split({5, 2, 3}, {1})
    stage.elect(5)
    stage.split({5, 2}, {1, 3})
    for text in ("x", "y"):
        stage.say(text, node=5, author="eve")
    stage.run(0.3)
    others = [stage.hold(sender=5, receiver=peer) for peer in (1, 3)]
    stage.heal()
    late.open()
    stage.run(0.3)
    stage.crash(5)
    stage.crash(2)
    for gate in others:
        gate.drop(shut=False)
    stage.restart(4)
    stage.elect(4)
    stage.run(2)


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


def _holds_a_barrier(message: Any) -> bool:
    return any(entry.kind == "barrier" for entry in message.entries)
