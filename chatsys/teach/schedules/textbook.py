"""What goes wrong in the textbook's design, and in a safe one with a single bug: C1-C16.

In all of them node 3 (or 5) leads term 1 when the script begins, and everybody has the same log.

Read also `majority`, where each rule of the safe protocol is put to its own test.
"""

from chatsys.protocol.messages import (
    CatchupReply,
    Coordinator,
    Heartbeat,
    Propose,
    Submit,
    SubmitReply,
)
from chatsys.protocol.node import Node
from chatsys.config import Timing
from chatsys.teach.schedules.directed import directed
from chatsys.teach.schedules.stage import Stage


@directed("C1", "Split brain", breaks=("S1", "S7"), quorum=1)
def split_brain(stage: Stage) -> None:
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
def ack_then_crash(stage: Stage) -> None:
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
def six_and_seven(stage: Stage) -> None:
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


@directed("C4", "The highest one comes back and claims", breaks=("S5", "S8", "S1"), defect="claims the lead at start")
def the_highest_returns(stage: Stage) -> None:
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


def _an_old_batch_arrives(stage: Stage) -> None:
    late = stage.hold((Coordinator, Propose), sender=3, receiver=1)
    stage.isolate(3)
    stage.say("too late", node=3)
    position = stage.last(2) + 1
    unheard = stage.hold((Propose, Heartbeat), sender=2, receiver=1, wants=lambda message: message.commit >= position)  # type: ignore[attr-defined]
    stage.elect(2)
    stage.run(1)
    stage.heal()
    stage.hold(sender=2, receiver=3)
    late.open()
    stage.run(0.3)
    stage.crash(2)
    unheard.drop(shut=False)
    stage.run(0.1)
    stage.crash(3)
    stage.restart(3)
    stage.elect(3)
    stage.run(2)


@directed("C5", "A voice from an older term", breaks=("S8", "S1"), defect="no fence")
def an_older_term(stage: Stage) -> None:
    """Node 3 is cut off; a batch of it is on its way to node 1 for very long.

    Meanwhile 2 leads term 2 and commits on {1, 2}.  Now the old batch arrives at 1, before 1 has
    learnt of the commit.  Without a fence it overwrites what was committed, and when 2 dies nobody
    has it.  The fence sees the older term and refuses.
    """
    _an_old_batch_arrives(stage)


@directed("C6", "The sleeper", breaks=("S7", "S1"), quorum=1, defect="no wake check", timing=Timing())
def the_sleeper(stage: Stage) -> None:
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


@directed("C7", "Said once, sent twice", breaks=("S4",), defect="no session dedup")
def sent_twice(stage: Stage) -> None:
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


@directed("C8", "Two roads into the log", breaks=("S1", "S12"), defect="second append path")
def two_roads(stage: Stage) -> None:
    """Node 1 comes back and asks for what it missed; before the answer, the same comes live.

    The one splice compares labels and leaves alone what is there.  A second road that appends the
    answer puts everything into the log twice.
    """
    stage.crash(1)
    for text in ("one", "two", "three"):
        stage.say(text, node=3)
    stage.run(1)
    live = stage.hold(Propose, sender=3, receiver=1)
    slow = stage.hold(CatchupReply, sender=3, receiver=1)
    stage.restart(1)
    stage.until(lambda: len(slow) > 0, 5)
    live.open()
    stage.run(0.3)
    slow.open()
    stage.say("four", node=3)
    stage.run(3)


@directed("C9", "The lights go out", breaks=("S7", "S14"), defect="ACK before fsync")
def the_lights_go_out(stage: Stage) -> None:
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


@directed("C10", "Who am I, and what term is it?", breaks=("S5", "S6"), defect="term forgotten on restart")
def the_forgotten_term(stage: Stage) -> None:
    """Node 2 leads term 2 with the promise of 1.  Then 1 restarts, and 3, which knows only term 1, asks it.

    If 1 has forgotten its term it promises an old one again, and a term gets a second leader.
    """
    stage.crash(3)
    stage.elect(2)
    stage.isolate(2)
    stage.crash(1)
    stage.restart(1)
    stage.restart(3)
    stage.elect(3, tries=1)
    stage.heal()
    stage.run(4)


@directed("C13", "A rotten line", breaks=("S1", "S11"), defect="checksum skipped at boot")
def a_rotten_line(stage: Stage) -> None:
    """While node 1 is down, one letter in its log file turns into another.

    With the checksum it refuses to start and names the line; without, it tells its users
    something that nobody said.
    """
    stage.say("send me money", node=3)
    stage.run(1)
    stage.crash(1)
    stage.rot(1, "send me money", "send me honey")
    stage.restart(1)
    stage.run(3)


@directed("C14", "Hearsay", breaks=("S1",), nodes=5, defect="catch-up from anyone")
def hearsay(stage: Stage) -> None:
    """Node 1 has a tail that only the dead leader 5 had; node 2 lacks the position and asks around.

    What 1 holds there was never committed: 4 leads by now, and committed something else.  Who
    takes a peer's whole log for the truth delivers the dead leader's message.
    """
    stage.partition({5, 1}, {2, 3, 4})
    stage.say("a dead leader's message", node=5)
    stage.run(0.1)
    stage.crash(5)
    gap = stage.hold(Propose, sender=4, receiver=2)
    stage.elect(4)
    stage.restart(5)
    stage.heal()
    away = stage.hold(receiver=1, wants=lambda message: not type(message).__name__.startswith("Catchup"))
    for peer in (3, 4, 5):
        stage.hold(CatchupReply, sender=peer, receiver=2)
    stage.run(4)
    stage.gates.clear()
    for gate in (gap, away):
        gate.open()
    stage.run(5)


@directed("C15", "Overtaken", breaks=("S9",), defect="client gap accepted")
def overtaken(stage: Stage) -> None:
    """A client sends two messages, and the second one arrives first.

    The leader answers `gap` and waits for the first; a leader that takes what comes turns the
    client's words around.
    """
    slow = stage.hold(Submit, sender="ann@3", wants=lambda message: message.text == "first")  # type: ignore[attr-defined]
    stage.say("first", node=3)
    stage.say("second", node=3)
    stage.run(0.5)
    slow.open()
    stage.run(6)


@directed("C12", "Speaks, but does not hear", breaks=("S1", "S7"), quorum=1)
def speaks_but_does_not_hear(stage: Stage) -> None:
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
def two_that_cannot_see_each_other(stage: Stage) -> None:
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


def _texts(message: object) -> list[str]:
    return [entry.text for entry in message.entries]  # type: ignore[attr-defined]


_ = Node
