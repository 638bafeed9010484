"""The open schedules: those that the notebooks play, with a bug of `bugs.open` each.

Read also `textbook` (quorum 1), `bugs`, `copies`, `terms` and `lively` (the others, which a student's bundle has not).
"""

from typing import Any

from chatsys.config import Timing
from chatsys.mutants.schedules.directed import directed
from chatsys.mutants.schedules.quiet_world import QuietWorld
from chatsys.protocol.messages import Ack, CatchupReply, Propose, SubmitReply

COURSE = Timing(hand_over_retry=8.0)
"""The course's timing, and a value of its own: nodes act for themselves."""


@directed("C4", "The highest one comes back and claims", breaks=("S5", "S8", "S1"), defect="claims the lead at start")
def the_highest_returns(stage: QuietWorld) -> None:
    """Node 3 was away; node 2 leads, and messages went by.  Then 3 comes back.

    In the book's Bully it is the coordinator because it is the highest: it leads at once, with its
    old log.  Here it asks first, hears that 2 is alive, and follows.
    """
    stage.crash(3)
    stage.elect(2)
    stage.say("while three was away", node=2, author="bob")
    stage.run(1)
    stage.restart(3)
    stage.run(0.005)
    stage.nominate(3)
    stage.run(4)


@directed("C7", "Said once, sent twice", breaks=("S4",), defect="no session dedup")
def sent_twice(stage: QuietWorld) -> None:
    """A message is committed, but its ok is lost with the leader that sent it; the client asks again.

    The next leader finds the pair (client, number) in its table and says ok without a new number.
    Without a table it numbers the message again, and everybody reads it twice.
    """
    stage.say("hello")
    stage.run(0.5)
    lost = stage.hold(SubmitReply, receiver="ann")
    stage.say("once")
    stage.run(0.2)
    stage.crash(3)
    lost.drop(shut=False)
    stage.elect(2)
    stage.run(8)


@directed("C9", "The lights go out", breaks=("S7", "S14"), defect="ACK before fsync")
def the_lights_go_out(stage: QuietWorld) -> None:
    """All disks are busy; a message is confirmed from memory; then the power fails everywhere.

    Whoever confirms only what is on disk had not said ok yet.
    """
    for node in stage.nodes:
        stage.stall(node)
    stage.say("in memory only", node=3)
    stage.run(0.1)
    for node in stage.nodes:
        stage.forget_unsynced(node)
        stage.unstall(node)
    for client in ("ann@3", "bob@2"):
        stage.silence(client)
    for node in stage.nodes:
        stage.restart(node)
    stage.elect(3)
    stage.say("after the dark", node=3, author="eve")
    stage.run(3)


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


@directed("Q21", "The star", breaks=("L2",), defect="no relay", timing=COURSE, judges=("L1", "L2", "L3", "L6"))
def the_star(stage: QuietWorld) -> None:
    """The link between 1 and 3 is cut for good; only 2 reaches everybody, and 3 leads.

    Node 1 hears of a leader that it cannot hear, and gets what is committed from 2.
    """
    stage.cut(1, 3)
    stage.calm()
    stage.say("for everybody", node=3)
    stage.run(30)


@directed(
    "Q22",
    "The star, and a restless point of it",
    breaks=("L4",),
    defect="no trust",
    timing=COURSE,
    judges=("L1", "L2", "L3", "L4", "L6"),
)
def a_restless_point(stage: QuietWorld) -> None:
    """The same star: node 1 hears no leader and nominates itself, again and again.

    Node 2 hears 3 well and answers `alive`.  If it supported 1 instead, the two ends of the star
    would depose each other for ever.
    """
    stage.cut(1, 3)
    stage.calm()
    stage.run(80)


@directed(
    "Q26", "The deaf leader", breaks=("L3",), defect="no check-quorum", timing=COURSE, judges=("L1", "L2", "L3", "L6")
)
def the_deaf_leader(stage: QuietWorld) -> None:
    """Nothing reaches the leader any more, but everybody hears its heartbeats.

    It can commit nothing, and nobody suspects it.  It must notice itself that no quorum answers.
    """
    stage.cut(1, 3, one_way=True)
    stage.cut(2, 3, one_way=True)
    stage.calm(1, 2)
    stage.say("is anybody there?", node=2, author="bob")
    stage.run(35)


@directed("Q23", "Held back for the wrong leader", breaks=("S1",), defect="hold-back kept across terms")
def held_back_for_the_wrong_leader(stage: QuietWorld) -> None:
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


def _text(message: Any) -> str:
    return str(message.entries[0].text) if message.entries else ""


def _holds_a_barrier(message: Any) -> bool:
    return any(entry.kind == "barrier" for entry in message.entries)
