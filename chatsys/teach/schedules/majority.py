"""Where the majority's protocol lives by one rule: Q1-Q24, and for each the mutant without it.

In all of them node 3 (or 5) leads term 1 when the script begins, and everybody has the same log.

Read also `textbook` (C), `teach.mutants`, PROTOCOL section 10.
"""

from typing import Any

from chatsys.config import Limits
from chatsys.protocol.messages import Ack, CatchupReply, Coordinator, Propose
from chatsys.teach.schedules.directed import directed
from chatsys.teach.schedules.stage import Stage
from chatsys.teach.schedules.textbook import _an_old_batch_arrives


@directed("Q1", "Figure 8 of the Raft paper", breaks=("S8",), nodes=5, defect="old-term commit")
def figure_eight(stage: Stage) -> None:
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
def a_confirmation_of_something_else(stage: Stage) -> None:
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


@directed("Q5", "A promise is for ever", breaks=("S5",), defect="promise forgotten on restart")
def a_promise_is_for_ever(stage: Stage) -> None:
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


@directed("Q7", "Confirmed from memory", breaks=("S8", "S14"), defect="ACK before fsync")
def confirmed_from_memory(stage: Stage) -> None:
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
def the_leaders_own_copy(stage: Stage) -> None:
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


@directed("Q9", "My log is long, but is it yours?", breaks=("S1", "S13"), defect="commit by own last")
def a_long_log(stage: Stage) -> None:
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
def an_answer_to_an_older_question(stage: Stage) -> None:
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


@directed("Q11", "The old leader's batch, once more", breaks=("S8", "S1"), defect="lower-term PROPOSE accepted")
def the_old_leaders_batch(stage: Stage) -> None:
    """As C5, with a fence that has a single hole: PROPOSE of an older term passes it."""
    _an_old_batch_arrives(stage)


@directed("Q15", "Twice the same voice", breaks=("S8",), nodes=5, defect="duplicate ACK counted")
def twice_the_same_voice(stage: Stage) -> None:
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


@directed("Q16", "Back to work", breaks=("S5",), defect="leadership resumed after restart")
def back_to_work(stage: Stage) -> None:
    """The leader crashes, comes back at once, and nobody has noticed.

    Its log may have lost its end, so it must not lead the same term again.
    """
    stage.crash(3)
    stage.restart(3)
    stage.run(2)


@directed("Q17", "I know that one", breaks=("S16",), defect="retry answered ok early")
def i_know_that_one(stage: Stage) -> None:
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


@directed("Q18", "What stands before it?", breaks=("S1",), defect="no prev check")
def what_stands_before_it(stage: Stage) -> None:
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


@directed("Q23", "Held back for the wrong leader", breaks=("S1",), defect="hold-back kept across terms")
def held_back_for_the_wrong_leader(stage: Stage) -> None:
    """Node 1 holds an early batch of leader 3; leader 2 of the next term fills the gap before it.

    The batch fits now: its prev is there.  But it is the voice of a term that is over, and 2 has
    given the position to its own barrier.
    """
    missing = stage.hold(Propose, sender=3, receiver=1, wants=lambda message: _text(message) == "x")
    only_one = stage.hold(Propose, sender=3, receiver=2, wants=lambda message: _text(message) == "y")
    stage.say("x", node=3)
    stage.say("y", node=3)
    stage.run(0.1)
    stage.crash(3)
    for gate in (missing, only_one):
        gate.drop(shut=False)
    stage.elect(2)
    stage.run(3)


@directed("Q24", "Relayed too quietly", breaks=("broken",), nodes=5, defect="relay raises only to the entries' term")
def relayed_too_quietly(stage: Stage) -> None:
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
    stage.gates.clear()
    stage.run(5)


def _holds_a_barrier(message: Any) -> bool:
    return any(entry.kind == "barrier" for entry in message.entries)


def _text(message: Any) -> str:
    return str(message.entries[0].text) if message.entries else ""
