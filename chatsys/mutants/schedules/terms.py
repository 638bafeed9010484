"""What an older term left behind: Q5, Q9, Q10, Q16, Q18, Q19, Q23 and Q24.

In all of them node 3 (or 5) leads term 1 when the script begins, and everybody has the same log.

Read also `copies`, `protocol.fence`.
"""

from typing import Any

from chatsys.config import Limits
from chatsys.mutants.schedules.directed import directed
from chatsys.mutants.schedules.quiet_world import QuietWorld
from chatsys.protocol.messages import CatchupReply, Coordinator, Propose


@directed("Q5", "A promise is for ever", breaks=("S5",), defect="promise forgotten on restart")
def a_promise_is_for_ever(stage: QuietWorld) -> None:
    """Node 1 promises term 2 to node 2, which leads it; then 1 restarts and 3 asks for the same term."""
    stage.crash(3)
    stage.elect(2)
    stage.isolate(2)
    stage.crash(1)
    stage.restart(1)
    stage.restart(3)
    stage.elect(3, tries=1)
    stage.heal()
    stage.run(4)


@directed("Q9", "My log is long, but is it yours?", breaks=("S1", "S13"), defect="commit by own last")
def a_long_log(stage: QuietWorld) -> None:
    """Node 3 was cut off with two messages of its own; then it hears the new leader's heartbeat.

    The beat says that two positions more are committed, and 3 has entries there, but other ones.
    """
    stage.isolate(3)
    stage.say("mine", node=3)
    stage.say("mine too", node=3)
    stage.elect(2)
    stage.say("theirs", node=2, author="bob")
    stage.run(1)
    batches = stage.hold((Propose, Coordinator), sender=2, receiver=3)
    stage.heal()
    stage.run(2)
    batches.open()
    stage.run(3)


@directed("Q10", "An answer to an older question", breaks=("S8",), defect="sync reply without nonce",
          limits=Limits())  # fmt: skip
def an_answer_to_an_older_question(stage: QuietWorld) -> None:
    """Node 3 wants to lead and asks 1 for the best log; the answer takes very long.

    3 gives up, 2 leads and commits more.  When 2 dies 3 tries again, asks 1 again, and now the old
    answer arrives first.  It lacks what 2 committed since.
    """
    stage.crash(3)
    stage.elect(2)
    stage.say("x", node=2, author="bob")
    stage.run(0.5)
    stage.crash(2)
    answers = stage.hold(CatchupReply, sender=1, receiver=3)
    stage.restart(3)
    stage.elect(3, until="syncing")
    stage.run(2)
    stage.restart(2)
    stage.split({3}, {1, 2})
    stage.elect(2)
    stage.say("y", node=2, author="bob")
    stage.run(1)
    stage.crash(2)
    stage.heal()
    stage.elect(3, until="syncing")
    stage.run(0.01)
    answers.release(1)
    stage.run(0.1)
    answers.open()
    stage.run(2)


@directed("Q16", "Back to work", breaks=("S5",), defect="leadership resumed after restart")
def back_to_work(stage: QuietWorld) -> None:
    """The leader crashes, comes back at once, and nobody has noticed.

    Its log may have lost its end, so it must not lead the same term again.
    """
    stage.crash(3)
    stage.restart(3)
    stage.run(2)


@directed("Q18", "What stands before it?", breaks=("S1",), defect="no prev check")
def what_stands_before_it(stage: QuietWorld) -> None:
    """Node 3 was cut off with two messages of its own; the others committed two others there.

    The leader of term 3 begins after those; node 3 has entries up to there too, but the wrong ones.
    """
    stage.isolate(3)
    stage.say("mine", node=3)
    stage.say("mine too", node=3)
    stage.elect(2)
    stage.say("theirs", node=2, author="bob")
    stage.run(1)
    stage.crash(2)
    stage.restart(2)
    stage.elect(2)
    stage.run(1)
    stage.heal()
    stage.run(6)


@directed("Q19", "An old announcement", breaks=("S6",), defect="COORDINATOR of an older term accepted")
def an_old_announcement(stage: QuietWorld) -> None:
    """Node 2 leads term 2; its COORDINATOR to node 1 is late.  Node 3 leads term 3 when it arrives.

    Who follows whoever says so goes back to a term that a quorum has promised to refuse.
    """
    late = stage.hold(Coordinator, sender=2, receiver=1)
    stage.crash(3)
    stage.elect(2)
    stage.crash(2)
    stage.restart(3)
    stage.elect(3)
    late.open()
    stage.run(2)
    stage.restart(2)
    stage.run(3)


@directed("Q24", "Relayed too quietly", breaks=("broken",), nodes=5, defect="relay raises only to the entries' term")
def relayed_too_quietly(stage: QuietWorld) -> None:
    """An old leader's late batch meets a node that got the committed entry by relay.

    5 puts x on itself and 1.  4 leads term 2; 3 follows it, but its batch is late.  5 leads term 3
    with 1 and 2 and commits x.  3 gets x from 1, by relay.  Now 4's batch arrives, with another
    entry for that position: if the relay did not lift 3 to term 3, it is from the present leader.
    """
    stage.split({5, 1}, {2, 3, 4})
    stage.say("x", node=5)
    stage.run(0.1)
    stage.crash(5)
    late = stage.hold(Propose, sender=4, receiver=3)
    stage.hold(Propose, sender=4)
    stage.elect(4)
    stage.split({5, 1, 2}, {4}, {3})
    stage.restart(5)
    stage.elect(5)
    stage.run(1)
    stage.split({1, 3}, {2, 4, 5})
    stage.hold(CatchupReply, sender=1, receiver=3, wants=_holds_a_barrier)
    stage.nominate(3)
    stage.run(0.1)
    stage.hold(sender=5, receiver=3)
    stage.heal()
    late.release(1)
    stage.run(0.1)
    stage.simulation.gates.clear()
    stage.run(5)


def _holds_a_barrier(message: Any) -> bool:
    return any(entry.kind == "barrier" for entry in message.entries)
