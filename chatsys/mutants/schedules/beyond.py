"""More is said than is known: Q62 to Q69.

In all of them node 3 (or 5) leads term 1 when the script begins, and everybody has the same log.

Read also `copies`, `protocol.ordering`, `bugs.beyond`.
"""

from typing import Any

from chatsys.mutants.schedules.directed import directed
from chatsys.mutants.schedules.quiet_world import QuietWorld
from chatsys.protocol.messages import Ack, CatchupReply, Coordinator, Heartbeat, Propose


@directed("Q62", "My log is longer", breaks=("S8",), nodes=5, defect="ACK to the end of the log")
def my_log_is_longer(stage: QuietWorld) -> None:
    """Node 1 has two messages that only the dead leader 5 had; leader 4 has y in the place of the second.

    What 4 first sent to 1 is lost, so it tries again from further back, where the logs agree. If node 1 confirms its whole
    log for that batch, y has three copies of two, on 4 and 2. Then both are gone.
    """
    _one_has_two_of_a_dead_leader(stage)
    stage.elect(4)
    stage.run(0.5)
    lost = stage.hold((Propose, Coordinator), sender=4, receiver=1)
    stage.split({4, 2, 1}, {3})
    stage.say("y", node=4, author="eve")
    stage.run(3)
    lost.drop(shut=False)
    ready = stage.last(4)
    stage.until(lambda: stage.node(4).log.commit == ready, 10)
    stage.run(0.01)
    _two_are_gone(stage)


@directed("Q63", "A hint is no copy", breaks=("S8",), nodes=5, defect="hint counted as a copy")
def a_hint_is_no_copy(stage: QuietWorld) -> None:
    """Node 1 has three messages that only the dead leader 5 had. Of what leader 4 sends, only the last batch reaches it in time.

    Node 1 says where its log ends, so that 4 may go back there. Counted as a copy, it makes three of two. Then 4 and 2 are
    gone.
    """
    stage.say("eve is here", node=4, author="eve")
    stage.run(0.5)
    stage.split({5, 1}, {2, 3, 4})
    for text in ("a", "b", "c"):
        stage.say(text, node=5)
    stage.run(0.2)
    stage.crash(5)
    stage.silence("ann@5")
    stage.heal()
    end = stage.last(1)
    stage.hold(sender=4, receiver=1, wants=lambda message: not _follows(message, end + 1))
    stage.elect(4)
    stage.hold(Propose, sender=4, receiver=3)
    for text in ("v", "w", "x", "y"):
        stage.say(text, node=4, author="eve")
    stage.run(0.2)
    _two_are_gone(stage)


@directed("Q64", "The first page twice", breaks=("broken",), defect="sync chunks in any order")
def the_first_page_twice(stage: QuietWorld) -> None:
    """Node 3 was away, wants to lead, and asks 1 for its log; the first chunk arrives twice."""
    stage.crash(3)
    stage.elect(2)
    stage.say("x", node=2, author="bob")
    stage.say("y", node=2, author="bob")
    stage.run(1)
    stage.crash(2)
    stage.restart(3)
    chunks = stage.hold(CatchupReply, sender=1, receiver=3)
    stage.elect(3, until="syncing")
    stage.run(0.01)
    chunks.release(1, copies=2)
    stage.run(0.01)
    chunks.open()
    stage.run(3)


@directed("Q65", "Told in confidence", breaks=("S1",), defect="relay beyond commit")
def told_in_confidence(stage: QuietWorld) -> None:
    """Node 3 was cut off with a message of its own, and follows leader 2 since, whose batches to it are late.

    Node 1 loses its link to 2, asks 3, and hears that 2 is alive. What 3 then relays must not be that message.
    """
    stage.isolate(3)
    stage.say("x", node=3)
    stage.run(0.1)
    stage.silence("ann@3")
    late = stage.hold((Propose, Coordinator), sender=2, receiver=3)
    position = stage.last(2) + 1
    stage.hold((Propose, Heartbeat), sender=2, receiver=1, wants=lambda message: message.commit >= position)  # type: ignore[attr-defined]
    stage.elect(2)
    stage.heal()
    stage.run(1)
    stage.cut(1, 2)
    stage.run(2.1)
    stage.nominate(1)
    stage.run(0.5)
    stage.simulation.gates.clear()
    stage.heal()
    late.open()
    stage.say("y", node=2, author="bob")
    stage.run(5)


@directed("Q66", "As good as done", breaks=("S1",), nodes=5, defect="delivers what is verified")
def as_good_as_done(stage: QuietWorld) -> None:
    """Leader 5 brings x to node 1 and to nobody else; leader 4 of term 2 commits other entries there."""
    stage.split({5, 1}, {2, 3, 4})
    stage.say("mine", node=5)
    stage.say("mine too", node=5)
    stage.run(0.2)
    stage.elect(4)
    stage.say("theirs", node=4, author="bob")
    stage.run(1)
    stage.heal()
    stage.run(5)


@directed("Q67", "Noted too early", breaks=("S1",), defect="commit hint at the end of the log")
def noted_too_early(stage: QuietWorld) -> None:
    """Node 3 was cut off with two messages of its own, is stopped, and starts again; meanwhile 2 leads, and commits others there."""
    stage.isolate(3)
    stage.say("mine", node=3)
    stage.say("mine too", node=3)
    stage.run(0.1)
    stage.silence("ann@3")
    stage.elect(2)
    stage.say("theirs", node=2, author="bob")
    stage.run(1)
    stage.shutdown(3)
    stage.run(3)
    stage.restart(3)
    stage.run(0.1)
    stage.heal()
    stage.run(3)


@directed("Q68", "Heard at the wrong door", breaks=("S17", "S1"), defect="listeners shown the whole log")
def heard_at_the_wrong_door(stage: QuietWorld) -> None:
    """Learner 4 listens to node 3, which is cut off from the others and still believes that it leads."""
    stage.join(4, 3)
    stage.until(lambda: stage.status()[4].get("ready"), 10)
    stage.run(1)
    stage.partition({3, 4}, {1, 2})
    stage.say("mine", node=3)
    stage.run(0.5)
    stage.silence("ann@3")
    stage.elect(2)
    stage.say("theirs", node=2, author="bob")
    stage.run(1)
    stage.heal()
    stage.run(5)


@directed("Q69", "The rest of my log", breaks=("S1",), nodes=5, defect="own tail believed after a relay")
def the_rest_of_my_log(stage: QuietWorld) -> None:
    """Node 1 has two messages that only the dead leader 5 had, and before them one that all have.

    It cannot hear leader 4, asks 2 around, and gets by relay, first of all, the one that all have.
    """
    _one_has_two_of_a_dead_leader(stage)
    stage.elect(4)
    stage.run(1)
    stage.heal()
    stage.cut(1, 4)
    stage.nominate(1)
    stage.run(1)
    stage.heal()
    stage.say("y", node=4, author="bob")
    stage.run(5)


def _one_has_two_of_a_dead_leader(stage: QuietWorld) -> None:
    """Let all have one message, then only leader 5 and node 1 two more, and let 5 crash; no answer has reached it."""
    unheard = stage.hold(Ack, receiver=5)
    stage.say("for all", node=5)
    stage.run(0.1)
    stage.split({5, 1}, {2, 3, 4})
    stage.say("a", node=5)
    stage.say("b", node=5)
    stage.run(0.2)
    stage.crash(5)
    stage.silence("ann@5")
    unheard.drop(shut=False)


def _follows(message: Any, position: int) -> bool:
    return isinstance(message, Propose) and message.prev.seq == position


def _two_are_gone(stage: QuietWorld) -> None:
    """Let leader 4 and node 2 crash, and the others elect 3."""
    stage.crash(4)
    stage.crash(2)
    stage.simulation.gates.clear()
    stage.heal()
    stage.restart(5)
    stage.elect(3)
    stage.run(2)
