"""One cell of the fence at a time, and what is owed to a leader that is gone: Q52 to Q61.

In all of them node 3 (or 5) leads term 1 when the script begins, and everybody has the same log.

Read also `terms`, `protocol.fence`, `bugs.cells`, `bugs.debts`.
"""

from chatsys.mutants.schedules.directed import directed
from chatsys.mutants.schedules.quiet_world import QuietWorld
from chatsys.protocol.messages import Coordinator, Heartbeat, Prepare, Promise, Propose


@directed("Q52", "A promise for yesterday", breaks=("S5",), defect="late PROMISE counted")
def a_promise_for_yesterday(stage: QuietWorld) -> None:
    """Node 1 promises term 2 to node 2, but the promise is late, and node 2 gives up.

    Then 2 and 3 both ask for term 3, and 1 promises it to 3, which leads. Now the old promise arrives at 2, which still
    counts: with its own it makes two of three.
    """
    late = stage.hold(Promise, receiver=2)
    _nobody_leads(stage)
    stage.stand(2)
    stage.run(2)
    stage.hold(Prepare, sender=2)
    stage.hold(sender=3, receiver=2)
    stage.stand(2)
    stage.stand(3)
    stage.run(0.1)
    late.release()
    stage.run(0.5)
    stage.simulation.gates.clear()
    stage.run(3)


@directed("Q53", "Two halves of a majority", breaks=("S5",), nodes=5, defect="promises kept across attempts")
def two_halves_of_a_majority(stage: QuietWorld) -> None:
    """Node 4 finds one promise for term 2 and another one for term 3; with its own that makes three, but of no term.

    Node 5 has three for term 3, and leads it.
    """
    _nobody_leads(stage)
    lost = stage.hold(Promise, sender=5)
    stage.split({4, 5, 1}, {2, 3})
    stage.stand(4)
    stage.run(2)
    lost.drop(shut=False)
    stage.split({4, 2}, {5, 3, 1})
    stage.stand(4)
    stage.stand(5)
    stage.run(0.5)
    stage.heal()
    stage.run(3)


@directed("Q54", "A question of yesterday", breaks=("S6",), defect="PREPARE of an older term promised")
def a_question_of_yesterday(stage: QuietWorld) -> None:
    """Node 2 leads term 2 with the promise of 3; its PREPARE to 1 is late. Node 3 leads term 3 with 1, and both are gone.

    Now the old question arrives at 1. Its leader of term 2 could still decide something, if 1 went back there.
    """
    _nobody_leads(stage)
    late = stage.hold(Prepare, sender=2, receiver=1)
    stage.elect(2)
    stage.crash(2)
    stage.elect(3)
    stage.crash(3)
    stage.run(2.1)
    late.open()
    stage.run(0.1)
    stage.restart(3)
    stage.elect(3)
    stage.run(3)


@directed("Q55", "A beat of yesterday", breaks=("S6",), defect="HEARTBEAT of an older term followed")
def a_beat_of_yesterday(stage: QuietWorld) -> None:
    """Node 2 leads term 2; one of its beats to node 1 is late. Node 3 leads term 3 when it arrives."""
    late = stage.hold(Heartbeat, sender=2, receiver=1)
    stage.crash(3)
    stage.elect(2)
    stage.run(1)
    stage.crash(2)
    stage.restart(3)
    stage.elect(3)
    late.open()
    stage.run(2)
    stage.restart(2)
    stage.run(3)


@directed("Q56", "A batch from tomorrow", breaks=("broken", "S1"), nodes=5,
          defect="PROPOSE of a newer term does not raise the term")  # fmt: skip
def a_batch_from_tomorrow(stage: QuietWorld) -> None:
    """Node 5's batch to node 1 is late; 4 leads term 2 and commits another entry there. Node 1 hears 4's batches, and no beat.

    If node 1 takes them in and stays in term 1, the late batch is its leader's, and voids what is committed.
    """
    late = stage.hold(Propose, sender=5, receiver=1)
    stage.split({5, 1}, {2, 3, 4})
    stage.say("x", node=5)
    stage.run(0.1)
    stage.elect(4)
    stage.run(1)
    beats = stage.hold((Coordinator, Heartbeat), sender=4, receiver=1)
    stage.split({5}, {1, 2, 3, 4})
    stage.say("y", node=4, author="eve")
    stage.run(3)
    stage.split({5, 1}, {2, 3, 4})
    late.open()
    stage.run(0.1)
    stage.heal()
    beats.open()
    stage.run(3)


@directed("Q57", "Not worth a note", breaks=("S8",), nodes=5, defect="newer term entered in memory only")
def not_worth_a_note(stage: QuietWorld) -> None:
    """Node 1 hears of term 2 from leader 4, confirms its barrier, and restarts; with 4 and 2 that made three copies.

    Then a batch of leader 5 of term 1 arrives at node 1, with another entry for that position. Nothing on the disk of node 1
    says that it must refuse it. Then 4 and 2 are gone.
    """
    late = stage.hold(Propose, sender=5, receiver=1)
    stage.hold(Propose, sender=4, receiver=3)
    position = stage.last(4) + 1
    stage.hold((Propose, Heartbeat), sender=4, receiver=1, wants=lambda message: message.commit >= position)  # type: ignore[attr-defined]
    stage.split({5, 1}, {2, 3, 4})
    stage.say("x", node=5)
    stage.run(0.1)
    stage.elect(4)
    stage.split({5}, {1, 2, 3, 4})
    stage.run(1)
    stage.crash(1)
    stage.split({5, 1}, {2, 3, 4})
    stage.restart(1)
    stage.run(0.1)
    late.open()
    stage.run(0.1)
    _two_are_gone(stage)


@directed("Q58", "Owed to somebody else", breaks=("S8",), nodes=5, defect="owed ACK kept across leaders", turn=0.01)
def owed_to_somebody_else(stage: QuietWorld) -> None:
    """In one turn node 1 hears a batch of leader 5 of term 1, and then leader 4 of term 2.

    It owes 5 an ACK for x; said to 4, it stands for 4's barrier, which is at the same position. With 2 that makes three copies of
    two. Then 4 and 2 are gone.
    """
    late = stage.hold(Propose, sender=5, receiver=1)
    news = stage.hold((Coordinator, Heartbeat), sender=4, receiver=1)
    stage.hold(Propose, sender=4, receiver=1)
    stage.hold(Propose, sender=4, receiver=3)
    stage.split({5, 1}, {2, 3, 4})
    stage.say("x", node=5)
    stage.run(0.1)
    stage.elect(4)
    stage.hold(receiver=5)
    stage.heal()
    stage.run(0.5)
    late.release()
    news.release()
    stage.run(0.5)
    _two_are_gone(stage)


@directed("Q59", "What they held when I led", breaks=("S8",), nodes=5, defect="matches kept across leaderships")
def what_they_held_when_i_led(stage: QuietWorld) -> None:
    """Leader 5 of term 1 knows that node 1 holds four messages; leader 4 of term 2 voids them on both.

    In term 3 node 5 leads again, and y stands on 5 and 2, at one of these positions. Then 5 and 2 are gone.
    """
    stage.say("eve is here", node=5, author="eve")
    stage.run(0.5)
    stage.split({5, 1}, {2, 3, 4})
    for text in ("a", "b", "c", "d"):
        stage.say(text, node=5)
    stage.run(0.2)
    stage.elect(4)
    stage.silence("ann@5")
    stage.heal()
    stage.run(5)
    stage.crash(4)
    stage.split({5, 2, 3}, {1})
    stage.elect(5)
    stage.run(0.5)
    stage.split({5, 2}, {1, 3})
    stage.say("y", node=5, author="eve")
    stage.run(0.3)
    stage.crash(5)
    stage.crash(2)
    stage.restart(4)
    stage.elect(4)
    stage.run(2)


@directed("Q60", "What my disk held when I led", breaks=("S8",), defect="own match kept across leaderships")
def what_my_disk_held_when_i_led(stage: QuietWorld) -> None:
    """Leader 3 of term 1 has four messages that nobody else has; leader 2 of term 2 voids them.

    In term 3 node 3 leads again, and its disk is busy; with node 1 it makes two of three, if its old count counts. It loses
    power, and finds its majority with 2, while 1 is away.
    """
    stage.isolate(3)
    for text in ("a", "b", "c", "d"):
        stage.say(text, node=3)
    stage.run(0.2)
    stage.silence("ann@3")
    stage.elect(2)
    stage.heal()
    stage.run(3)
    stage.crash(2)
    stage.elect(3)
    stage.run(0.5)
    stage.stall(3)
    stage.say("x", node=3, author="eve")
    stage.run(0.3)
    stage.forget_unsynced(3)
    stage.unstall(3)
    stage.silence("eve@3")
    stage.isolate(1)
    stage.restart(2)
    stage.restart(3)
    stage.elect(3)
    stage.run(1)


@directed("Q61", "Proved for somebody else", breaks=("S1",), nodes=5, defect="verified kept across leaders")
def proved_for_somebody_else(stage: QuietWorld) -> None:
    """Leader 5 of term 1 and node 1 agree on two messages that nobody else has; leader 4 of term 2 commits others there.

    The first that node 1 hears of 4 is a beat, which says how far 4 has committed.
    """
    stage.split({5, 1}, {2, 3, 4})
    stage.say("mine", node=5)
    stage.say("mine too", node=5)
    stage.run(0.2)
    stage.elect(4)
    stage.say("theirs", node=4, author="bob")
    stage.run(1)
    batches = stage.hold((Propose, Coordinator), sender=4, receiver=1)
    stage.split({5}, {1, 2, 3, 4})
    stage.run(2)
    batches.open()
    stage.run(3)


def _nobody_leads(stage: QuietWorld) -> None:
    """Let the leader forget that it led, and the others that they heard it."""
    highest = max(stage.nodes)
    stage.crash(highest)
    stage.restart(highest)
    stage.run(2.1)


def _two_are_gone(stage: QuietWorld) -> None:
    """Let leader 4 and node 2 crash, and the others elect 3."""
    stage.crash(4)
    stage.crash(2)
    stage.simulation.gates.clear()
    stage.heal()
    stage.elect(3)
    stage.run(2)
