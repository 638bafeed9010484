"""Safe, and yet nobody is served: schedules whose mutants die by L1-L4, or drown in frames.

The nodes act for themselves here.  Faults that stay are part of the picture: a cut link, a deaf
leader; whoever still reaches a majority must be served.

Each names in `judges` the laws that it runs long enough to judge.

Read also `check.liveness` (the laws and their limits), `check.frames`, `textbook`, `terms`.
"""

from msgspec.structs import replace

from chatsys.config import Limits, Timing
from chatsys.mutants.schedules.directed import directed
from chatsys.mutants.schedules.open import COURSE
from chatsys.mutants.schedules.quiet_world import QuietWorld
from chatsys.protocol.messages import GROWN, Heartbeat, HeartbeatAck, Prepare, TransferLead


@directed(
    "C11",
    "A dead leader's heartbeats",
    breaks=("L1",),
    defect="old heartbeat counts",
    timing=COURSE,
    judges=("L1", "L2", "L3", "L6"),
)
def a_dead_leaders_heartbeats(stage: QuietWorld) -> None:
    """The leader dies; its last heartbeat is repeated by the network for twenty seconds.

    Its number is known, so it revives nobody: 2 leads after the usual silence.
    """
    beats = stage.hold(Heartbeat, sender=3)
    stage.until(lambda: len(beats) >= 2, 3)
    beats.shut = False
    stage.crash(3)
    stage.calm(1, 2)
    for _ in range(40):
        beats.replay()
        stage.run(0.5)


@directed("Q25", "Refusals that multiply", breaks=("frames",), defect="every ACK{false} re-opens the window",
          limits=Limits(batch_entries=4, window_entries=2048))  # fmt: skip
def refusals_that_multiply(stage: QuietWorld) -> None:
    """A burst of messages meets a link that shuffles its frames.

    Each batch that comes early is refused.  If each refusal makes the leader send everything
    again, more batches come early, and are refused.  One probe at a time ends that.
    """
    stage.slow(3, 1, 0.0, 1.0)
    for number in range(30):
        for _ in range(12):
            stage.say(f"word {number}", author=f"author {number}", node=3)
    stage.run(10)


@directed("Q27", "After you, for ever", breaks=("L1",), nodes=5, defect="unbounded deference",
          timing=Timing(back_off_min=0.001, back_off_max=0.002), judges=("L1", "L2", "L3", "L6"))  # fmt: skip
def after_you(stage: QuietWorld) -> None:
    """Node 5 reaches only 4; it has lost the lead, always wants it back, and can never have it.

    4 reaches everybody.  It stands back for 5 once; then it leads.
    """
    stage.partition({5}, {1, 2, 3})
    stage.until(lambda: stage.leader is None, 10)
    stage.calm(1, 2, 3, 4)
    stage.run(20)


@directed(
    "Q28",
    "Terms apart",
    breaks=("L1",),
    defect="lower-term OK dropped by the fence",
    timing=COURSE,
    judges=("L1", "L2", "L3", "L6"),
)
def terms_apart(stage: QuietWorld) -> None:
    """Node 3 has burnt a term that 2 knows nothing of, and 1 is gone.

    They need each other.  OK says "go ahead" whatever the term is; the term is settled by PREPARE.
    """
    stage.crash(1)
    stage.crash(3)
    stage.restart(3)
    burnt = stage.hold(Prepare)
    stage.until(lambda: len(burnt) > 0, 20)
    stage.run(1.6)
    burnt.drop(shut=False)
    stage.calm(2, 3)
    stage.run(20)


@directed(
    "Q29",
    "Nobody took over",
    breaks=("L3",),
    defect="refuses for ever after a lost TRANSFER_LEAD",
    timing=COURSE,
    judges=("L1", "L2", "L3", "L6"),
)
def nobody_took_over(stage: QuietWorld) -> None:
    """Leader 2 asks node 3, which is back, to take over; the request is lost.

    2 has stopped serving its clients for the hand-over; after two seconds it serves them again.
    """
    stage.crash(3)
    stage.until(lambda: stage.leader == 2, 20)
    lost = stage.hold(TransferLead)
    stage.restart(3)
    stage.until(lambda: len(lost) > 0, 20)
    lost.drop()
    stage.calm()
    stage.say("still there?", node=2, author="bob")
    stage.run(35)


@directed(
    "Q30",
    "The leader has no room",
    breaks=("L3",),
    defect="a low leader keeps the lead",
    timing=COURSE,
    judges=("L1", "L2", "L3", "L4", "L6"),
)
def the_leader_has_no_room(stage: QuietWorld) -> None:
    """The disk of leader 3 is almost full, and stays so; 1 and 2 have room.

    3 must turn its clients away, so it asks 2 to take over; nobody hands the lead back to it.
    """
    stage.disk(3, "full")
    stage.calm()
    stage.say("is there room?", node=3)
    stage.run(100)


@directed(
    "Q31",
    "Room for the highest one",
    breaks=("L4",),
    defect="low is handed the lead",
    timing=COURSE,
    judges=("L1", "L2", "L3", "L4", "L6"),
)
def room_for_the_highest(stage: QuietWorld) -> None:
    """Node 3 was away, and is back with a disk that is almost full; 2 leads.

    3 has caught up and is the highest, but it would have to give the lead back at once.
    """
    stage.crash(3)
    stage.until(lambda: stage.leader == 2, 20)
    stage.restart(3)
    stage.disk(3, "full")
    stage.calm()
    stage.run(100)


@directed(
    "Q32",
    "Waiting for the dead one",
    breaks=("L3",),
    defect="waits for the dead node",
    timing=COURSE,
    judges=("L1", "L2", "L3", "L6"),
)
def waiting_for_the_dead_one(stage: QuietWorld) -> None:
    """Leader 3 falls silent, and eve, who may speak to anybody, has asked 1 and 2 when at last 2 leads.

    Both tell her to ask again, a moment before her wait for 2 is over.  If that wait still counts, she goes on
    to 3, of all nodes, and waits for it longer than the waits of any client may add up to.
    """
    stage.say("hello", author="eve")
    stage.run(1)
    stage.pause(3)
    stage.say("is anybody there?", author="eve")
    promised = stage.hold(Prepare)
    stage.until(lambda: len(promised) > 0, 20)
    eve = stage.simulation.hosts["eve"].actor.alarms
    for _ in range(50):
        if eve.dates["retry"] - stage.now < 0.06:
            break
        stage.run(0.02)
    promised.open()
    stage.calm(1, 2)
    stage.run(25)


@directed(
    "Q40",
    "The last term",
    breaks=("L1",),
    defect="any jump of terms believed",
    timing=COURSE,
    judges=("L1", "L2", "L3", "L6"),
)
def the_last_term(stage: QuietWorld) -> None:
    """One answer that 1 gives to leader 3 is changed on the way: it refuses, in the last term that there is.

    If 3 believes it, that term is on its disk, and nobody can open one above it.  No restart helps.
    """
    answers = stage.hold(HeartbeatAck, sender=1, receiver=3)
    stage.until(lambda: len(answers) > 0, 3)
    sender, receiver, (life, answer, sent) = answers.waiting[0]
    answers.waiting[0] = sender, receiver, (life, replace(answer, term=GROWN, ok=False), sent)
    answers.open()
    stage.run(1)
    stage.calm()
    stage.run(30)


@directed("Q41", "A word before it goes", breaks=("L7",), defect="leaves without a word", timing=COURSE, judges=("L7",))
def a_word_before_it_goes(stage: QuietWorld) -> None:
    """Leader 3 is told to stop; 1 and 2 are there and have everything.

    It asks 2 to take over, and stops when 2 leads.
    """
    stage.calm(1, 2)
    stage.shutdown(3)
    stage.say("who takes this?", node=3, author="bob")
    stage.run(3)


@directed(
    "Q42",
    "Not for a moment longer",
    breaks=("L7",),
    defect="takes the lead back on the way out",
    timing=COURSE,
    judges=("L7",),
)
def not_for_a_moment_longer(stage: QuietWorld) -> None:
    """Leader 3 is told to stop, and hands over to 2; until its process is gone it answers the heartbeats of 2 in step.

    It is the highest.  But it says that it should not lead, so nobody asks it to take the lead back, and it
    does not stay longer than it must.
    """
    stage.calm(1, 2)
    stage.shutdown(3)
    stage.run(4)
