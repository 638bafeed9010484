"""Disks that forgot: Q33 to Q39.

In all of them the nodes have met, node 3 leads term 1 when the script begins, and everybody has the same log.

Read also `protocol.identity`, `bugs.identity` (what each of them kills).
"""

from chatsys.config import Timing
from chatsys.mutants.schedules.directed import directed
from chatsys.mutants.schedules.quiet_world import QuietWorld
from chatsys.protocol.messages import CatchupReply

COURSE = Timing()
LOST = ("S1", "S7")


def _kept_by_two_and_three(stage: QuietWorld) -> None:
    """Let a message be acknowledged that nodes 2 and 3 hold and 1 does not, and lose the sight of node 3."""
    stage.crash(1)
    stage.say("kept", node=3)
    stage.run(1)
    stage.crash(3)


def _one_and_two_try(stage: QuietWorld) -> None:
    """Let 1 and 2 go on without node 3, as far as they can; then 3 comes back."""
    stage.restart(1)
    stage.run(0.5)
    if stage.elect(1):
        stage.say("instead", node=1, author="bob")
    stage.run(1)
    stage.restart(3)
    stage.run(2)


@directed("Q33", "The emptied folder", breaks=LOST, defect="another disk taken in")
def the_emptied_folder(stage: QuietWorld) -> None:
    """One message is on the disks of 2 and 3. Node 2's folder is emptied, 3 goes down, and 1 comes back.

    1 and 2 are a quorum, and neither has the message; but 1 remembers node 2 by another folder.
    """
    _kept_by_two_and_three(stage)
    stage.crash(2)
    stage.wipe(2)
    stage.restart(2)
    _one_and_two_try(stage)


@directed("Q34", "Two lives of one number", breaks=LOST, defect="nonce not compared")
def two_lives_of_one_number(stage: QuietWorld) -> None:
    """A copy of node 2's folder is kept; 2 restarts and lives on in life 2, which everybody meets.

    Then the copy comes back: its first life is a life 2 as well, and it lacks what was said since.
    """
    stage.copy(2)
    stage.crash(2)
    stage.restart(2)
    stage.run(1)
    stage.say("in life 2", node=3)
    stage.run(1)
    _kept_by_two_and_three(stage)
    stage.crash(2)
    stage.restore(2)
    stage.restart(2)
    _one_and_two_try(stage)


@directed("Q35", "A folder of last week", breaks=LOST, defect="older life taken in")
def a_folder_of_last_week(stage: QuietWorld) -> None:
    """As Q34, but node 2 has restarted twice since the copy was made: it comes back in a life that is over."""
    stage.copy(2)
    for _ in range(2):
        stage.crash(2)
        stage.restart(2)
        stage.run(1)
    stage.say("in life 3", node=3)
    stage.run(1)
    _kept_by_two_and_three(stage)
    stage.crash(2)
    stage.restore(2)
    stage.restart(2)
    _one_and_two_try(stage)


@directed("Q36", "One was accepted, one was not", breaks=LOST, defect="accepts everybody")
def one_was_accepted(stage: QuietWorld) -> None:
    """Node 3's disk dies and is replaced: 1 and 2 accept the new one, and it catches up with leader 2.

    Then node 2's folder is emptied, as in Q33, and nobody has accepted that.
    """
    stage.crash(3)
    stage.wipe(3)
    stage.elect(2)
    stage.accept(3)
    stage.restart(3)
    stage.run(2)
    stage.crash(1)
    stage.say("kept", node=2, author="bob")
    stage.run(1)
    if stage.status()[3]["alive"]:
        stage.crash(3)
    stage.crash(2)
    stage.wipe(2)
    stage.restart(2)
    _one_and_two_try(stage)


@directed("Q37", "Told to stop", breaks=("L2",), defect="refused and goes on", timing=COURSE, judges=("L1", "L2"))
def told_to_stop(stage: QuietWorld) -> None:
    """Node 2's folder is emptied while 1 and 3 chat on: 2 is refused, and stops, so that somebody looks after it."""
    stage.crash(2)
    stage.wipe(2)
    stage.run(1)
    stage.restart(2)
    stage.calm_for_the_living()
    stage.say("to those who are there", node=3)
    stage.run(25)


@directed("Q38", "What I had confirmed", breaks=LOST, defect="forgotten acknowledgement overlooked")
def what_i_had_confirmed(stage: QuietWorld) -> None:
    """Node 2's folder is copied, and put back a message later, within one life: it looks as if 2 had slept.

    Leader 3 still holds what 2 acknowledged in this term, and finds that it is gone.  Before 2 can catch up, 3 goes
    down, and 1 comes back, which never had the message.
    """
    stage.copy(2)
    stage.crash(1)
    stage.say("kept", node=3)
    stage.run(1)
    stage.crash(2)
    stage.restore(2)
    help_for_two = stage.hold(CatchupReply, receiver=2)
    stage.restart(2)
    stage.run(1)
    stage.crash(3)
    help_for_two.drop(shut=False)
    _one_and_two_try(stage)


@directed("Q39", "A new disk", breaks=("L2",), defect="accepting forgets nothing", timing=COURSE, judges=("L1", "L2"))
def a_new_disk(stage: QuietWorld) -> None:
    """Node 2's disk dies; 1 and 3 are told so, and take the new one in."""
    stage.crash(2)
    stage.wipe(2)
    stage.run(1)
    stage.accept(2)
    stage.restart(2)
    stage.calm()
    stage.run(25)
