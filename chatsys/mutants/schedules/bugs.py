"""What goes wrong in a safe protocol with one bug: C4-C27.

In all of them node 3 (or 5) leads term 1 when the script begins, and everybody has the same log.

Read also `textbook` (quorum 1), `mutants.hunt` (the bugs).
"""

from random import Random

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Effects, Send
from chatsys.actor.events import LinkUp
from chatsys.config import ClusterConfig, Limits
from chatsys.mutants.schedules.directed import directed
from chatsys.mutants.schedules.quiet_world import QuietWorld
from chatsys.protocol.messages import (
    NODE_MESSAGES,
    CatchupReply,
    Coordinator,
    Delivered,
    Heartbeat,
    Propose,
    Submit,
    Subscribe,
)


@directed("C5", "A voice from an older term", breaks=("S8", "S1"), defect="no fence")
def an_older_term(stage: QuietWorld) -> None:
    """Node 3 is cut off; a batch of it is on its way to node 1 for very long.

    Meanwhile 2 leads term 2 and commits on {1, 2}.  Now the old batch arrives at 1, before 1 has
    learnt of the commit.  Without a fence it overwrites what was committed, and when 2 dies nobody
    has it.  The fence sees the older term and refuses.
    """
    _an_old_batch_arrives(stage)


@directed("Q11", "The old leader's batch, once more", breaks=("S8", "S1"), defect="lower-term PROPOSE accepted")
def the_old_leaders_batch(stage: QuietWorld) -> None:
    """As C5, with a fence that has a single hole: PROPOSE of an older term passes it."""
    _an_old_batch_arrives(stage)


@directed("C8", "Two roads into the log", breaks=("S1", "S12"), defect="second append path")
def two_roads(stage: QuietWorld) -> None:
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


@directed("C10", "Who am I, and what term is it?", breaks=("S5", "S6"), defect="term forgotten on restart")
def the_forgotten_term(stage: QuietWorld) -> None:
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
def a_rotten_line(stage: QuietWorld) -> None:
    """While node 1 is down, one letter in its log file turns into another.

    With the checksum, and with what node 1 wrote afterwards, it refuses to start and names the line;
    without, it tells its users something that nobody said.
    """
    stage.say("send me money", node=3)
    stage.run(0.2)
    stage.say("soon", node=3)
    stage.run(1)
    stage.crash(1)
    stage.rot(1, "send me money", "send me honey")
    stage.restart(1)
    stage.run(3)


@directed("C25", "The promise in a rotten batch", breaks=("S5", "S6", "S14"), defect="damaged batch skipped")
def the_promise_in_a_rotten_batch(stage: QuietWorld) -> None:
    """Node 1 promises term 2 to node 2, which leads it.  Node 1 restarts, and that promise has rotted.

    Who leaves out what fails its check and goes on behind it has forgotten the promise; node 3, which
    knows only term 1, asks for term 2 as well, and the term has two leaders.  As it is, node 1 does not start.
    """
    stage.crash(3)
    stage.elect(2)
    stage.isolate(2)
    stage.crash(1)
    stage.rot_promise(1)
    stage.restart(1)
    stage.restart(3)
    stage.elect(3, tries=1)
    stage.heal()
    stage.run(4)


@directed("C26", "Cut where it has rotted", breaks=("S1", "S7", "S8"), defect="log cut at the damage")
def cut_where_it_has_rotted(stage: QuietWorld) -> None:
    """Nodes 1 and 3 acknowledge a message that node 2 does not get, and another one; at node 1 the first one rots.

    Who takes the broken batch for the torn end of the log, whatever follows it, has forgotten both messages,
    and elects with node 2, which never had them.  As it is, node 1 does not start.
    """
    _an_acknowledged_message_rots(stage, "and more")


@directed("C27", "The last one, marked", breaks=("S1", "S7", "S8"), defect="marks ignored at boot")
def the_last_one_marked(stage: QuietWorld) -> None:
    """As C26, but nothing follows the message that rots; only a mark, written when the disk was idle, covers it."""
    _an_acknowledged_message_rots(stage)


def _an_acknowledged_message_rots(stage: QuietWorld, *more: str) -> None:
    """Let a message that 1 and 3 hold rot at 1; then 1 comes back with 2, and 3 is gone."""
    stage.keep_marks(1)
    stage.isolate(2)
    for text in ("precious", *more):
        stage.say(text, node=3)
        stage.run(0.2)
    stage.run(2)
    stage.crash(1)
    stage.rot(1, "precious", "previous")
    stage.crash(3)
    stage.heal()
    stage.restart(1)
    stage.elect(2)
    stage.say("new", node=2)
    stage.run(3)
    stage.restart(3)
    stage.run(3)


@directed("C14", "Hearsay", breaks=("S1",), nodes=5, defect="catch-up from anyone")
def hearsay(stage: QuietWorld) -> None:
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
    stage.simulation.gates.clear()
    for gate in (gap, away):
        gate.open()
    stage.run(5)


@directed("C15", "Overtaken", breaks=("S9",), defect="client gap accepted")
def overtaken(stage: QuietWorld) -> None:
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


@directed(
    "C17", "Letters of a forgotten session", breaks=("S4",), defect="session known by its client only",
    limits=Limits(batch_entries=1, sessions=2),
)  # fmt: skip
def letters_of_a_forgotten_session(stage: QuietWorld) -> None:
    """Eve says one thing and it is delivered; copies of her frames wander about in the network.

    Others come, and the cluster, which remembers two sessions here, forgets hers.  Then the copies
    arrive: one opens her session again, the other says her words once more.  A session that is
    named by the position of its opening is another one now, and the words belong to none.
    """
    copied = stage.hold(Submit, sender="eve@3")
    stage.say("once", node=3, author="eve")
    for _ in ("opened", "said"):
        stage.run(0.1)
        copied.replay()
    stage.run(0.2)
    stage.say("fay is here", node=3, author="fay")
    stage.say("gil is here", node=3, author="gil")
    stage.run(0.5)
    copied.open()
    stage.run(2)


class Thief(Actor):
    """Listens, and says the next message of every session that it hears of, as if it were its owner."""

    messages = NODE_MESSAGES

    def __init__(self, me: Address, config: ClusterConfig, random: Random) -> None:
        super().__init__(me, config, random)
        self.tried: set[str] = set()

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Try whatever the frame calls its client; where the session was opened is guessed, for it is no secret."""
        match message:
            case LinkUp():
                return [Send(sender, Subscribe())]
            case Delivered(entries=(*_, one)) if one.client not in self.tried:
                self.tried.add(one.client)
                said = (one.room, one.author, "I never said that")
                return [
                    Send(sender, Submit(one.client, one.client_seq + 1, *said, session=seq))
                    for seq in range(1, one.seq)
                ]
        return []


@directed("C20", "Overheard", breaks=("S11",), defect="secret of a session shown")
def overheard(stage: QuietWorld) -> None:
    """Eve listens to the chat as everybody may, and tries to go on in ann's and in bob's words.

    To speak in a session one must know the client_id that opened it.  DELIVERED shows a hash of it, and no
    session is open under that name; if it showed the id, eve's words would be ann's next message.
    """
    stage.add_client("eve", Thief, home=3)
    stage.run(0.1)
    stage.say("is somebody here?", node=3)
    stage.run(5)


def _an_old_batch_arrives(stage: QuietWorld) -> None:
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
