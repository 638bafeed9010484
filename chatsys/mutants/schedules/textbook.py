"""What goes wrong in the textbook's design, where the leader alone is quorum enough: C1-C3, C6, C12, C16.

In all of them node 3 (or 5) leads term 1 when the script begins, and everybody has the same log.

Read also `bugs` (a majority with a bug), `copies`, `terms` and `lively` (one rule each).
"""

from typing import Any

from chatsys.config import Timing
from chatsys.mutants.schedules.directed import directed
from chatsys.mutants.schedules.quiet_world import QuietWorld
from chatsys.protocol.messages import Propose


@directed("C1", "Split brain", breaks=("S1", "S7"), quorum=1)
def split_brain(stage: QuietWorld) -> None:
    """The network falls into {3} and {1, 2}; both halves go on.

    Node 2 hears nothing of 3 and leads the other half.  With quorum 1 both leaders tell their
    clients ok, for two different messages at one position.  With a majority only {1, 2} can.
    """
    stage.partition({3}, {1, 2})
    stage.elect(2)
    stage.say("said on the left", node=3, author="ann")
    stage.say("said on the right", node=2, author="bob")
    stage.run(3)
    stage.heal()
    stage.run(5)


@directed("C2", "Answered, then gone", breaks=("S7", "S1"), quorum=1)
def ack_then_crash(stage: QuietWorld) -> None:
    """The leader says ok and crashes before any copy has left it.

    With quorum 1 its own copy is enough for ok.  Node 2 leads without that message and gives its
    position to another one.  With a majority the client had no ok, asks again, and is served.
    """
    late = stage.hold(Propose, sender=3)
    stage.say("only node 3 has this", node=3)
    stage.run(0.1)
    stage.crash(3)
    late.drop(shut=False)
    stage.elect(2)
    stage.say("next", node=2, author="bob")
    stage.run(1)
    stage.restart(3)
    stage.run(5)


@directed("C3", "One has six, the other has seven", breaks=("S7", "S1"), quorum=1)
def six_and_seven(stage: QuietWorld) -> None:
    """One message reaches only node 1, the next one reaches both, then the leader dies.

    Node 2 holds the later one back and lacks the earlier.  With quorum 1 it leads with what it
    has.  With a majority it must ask node 1, and fetches what it lacks before it leads.
    """
    late = stage.hold(Propose, sender=3, receiver=2, wants=lambda message: "six" in _texts(message))
    stage.say("six", node=3)
    stage.run(0.1)
    stage.say("seven", node=3)
    stage.run(0.1)
    stage.crash(3)
    late.drop(shut=False)
    stage.elect(2)
    stage.say("eight", node=2, author="bob")
    stage.run(2)
    stage.restart(3)
    stage.run(4)


@directed("C6", "The sleeper", breaks=("S7", "S1"), quorum=1, defect="no wake check", timing=Timing())
def the_sleeper(stage: QuietWorld) -> None:
    """The leader sleeps for five seconds, wakes up, and finds a message of a client in its queue.

    Meanwhile node 2 leads.  A leader that looks at no clock serves the message before it hears of
    2, and with quorum 1 it says ok for a position that 2 has given away.  One that sees how late
    its alarm is steps down first, and the client asks again.
    """
    stage.pause(3)
    stage.say("for the sleeper", node=3)
    stage.run(0.5)
    stage.until(lambda: stage.leader == 2, 10)
    stage.isolate(3)
    stage.say("meanwhile", node=2, author="bob")
    stage.run(2)
    stage.resume(3)
    stage.run(0.3)
    stage.heal()
    stage.run(6)


@directed("C12", "Speaks, but does not hear", breaks=("S1", "S7"), quorum=1)
def speaks_but_does_not_hear(stage: QuietWorld) -> None:
    """The links towards node 3 are dead, those from it are not, and 2 hears nothing of it.

    Two coordinators at a time: with quorum 1 both of them answer clients.  With a majority 3 can
    commit nothing, since no ACK reaches it.
    """
    stage.cut(1, 3, one_way=True)
    stage.cut(2, 3)
    stage.elect(2)
    stage.say("said to the deaf one", node=3, author="ann")
    stage.say("said to the other", node=2, author="bob")
    stage.run(2)
    stage.heal()
    stage.run(5)


@directed("C16", "Two that cannot see each other", breaks=("S5", "S1"), quorum=1)
def two_that_cannot_see_each_other(stage: QuietWorld) -> None:
    """The link between 1 and 2 is cut; then the leader dies.

    With quorum 1 both lead term 2.  With a majority neither does, until the link is back.
    """
    stage.cut(1, 2)
    stage.crash(3)
    stage.elect(1)
    stage.elect(2)
    stage.say("one said it", node=1, author="ann")
    stage.say("two said it", node=2, author="bob")
    stage.run(2)
    stage.heal()
    stage.elect(2)
    stage.run(4)


def _texts(message: Any) -> list[str]:
    return [entry.text for entry in message.entries]
