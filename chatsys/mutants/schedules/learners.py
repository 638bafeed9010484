"""Learners: Q45 to Q51, who is taken in, who may leave, and to whom a learner listens.

In all of them node 4 joins as a learner when everything is in order; then something goes wrong.

Read also `protocol.learning`, `bugs.learners` (what each of them kills).
"""

from typing import Any

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Effects, Send
from chatsys.actor.events import LinkUp
from chatsys.config import Timing
from chatsys.mutants.schedules.directed import directed
from chatsys.mutants.schedules.quiet_world import QuietWorld
from chatsys.protocol.messages import Delivered, Join, JoinAck, Leave

COURSE = Timing()


def _one_joins(stage: QuietWorld, through: int = 1) -> None:
    """Let node 4 be taken in, and hear what was said."""
    stage.join(4, through)
    stage.until(lambda: stage.status()[4].get("ready"), 10)
    stage.run(1)


def _comes_emptied(stage: QuietWorld) -> None:
    """Let node 4 come back on a folder that knows nothing."""
    stage.crash(4)
    stage.wipe(4)
    stage.restart(4)
    stage.run(5)


@directed("Q45", "Two of one name", breaks=("S17",), defect="id of a learner taken twice")
def two_of_one_name(stage: QuietWorld) -> None:
    """Learner 4's folder is emptied, and it comes back under its id.

    Whoever was served by 4 may have been told what this folder does not know. So the members refuse it, until people say that
    the old one is gone.
    """
    _one_joins(stage)
    _comes_emptied(stage)
    stage.say("without four", node=3)
    stage.run(2)


@directed("Q46", "Known before the night", breaks=("S17",), defect="learners not read at a start")
def known_before_the_night(stage: QuietWorld) -> None:
    """Node 3 took learner 4 in, was stopped and started, and leads again. Then 4 comes back on an emptied folder.

    The table of learners is a function of the log; if node 3 kept it in its memory it would take the new folder in, and the
    others would not.
    """
    _one_joins(stage)
    stage.say("good night", node=3)
    stage.run(1)
    stage.crash(3)
    stage.restart(3)
    stage.run(0.5)
    stage.elect(3)
    _comes_emptied(stage)


class Mallory(Actor):
    """Says LEAVE for learner 4, without knowing its folder."""

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Speak as soon as there is a link."""
        leave = Leave(4, "0123456789abcdef" * 2, "mallory")
        return [Send(sender, leave)] if isinstance(message, LinkUp) else []


@directed("Q47", "Somebody else says goodbye", breaks=("S17",), defect="LEAVE of anybody believed")
def somebody_else_says_goodbye(stage: QuietWorld) -> None:
    """Mallory says LEAVE in the name of learner 4. Only who knows the name of its folder may: 4 itself, and the members."""
    _one_joins(stage)
    stage.add_client("mallory", _mallory)
    stage.run(3)


def _mallory(*made_of: Any, **_: Any) -> Actor:
    return Mallory(*made_of)


@directed("Q48", "Said before it left", breaks=("S17",), defect="who has left joins again")
def said_before_it_left(stage: QuietWorld) -> None:
    """A JOIN of learner 4 is under way for long; meanwhile 4 leaves, and stops. Then the JOIN arrives.

    Nobody would ever say LEAVE for that folder again, and its id would be taken for ever.
    """
    _one_joins(stage, through=3)
    late = stage.hold(Join, sender=4)
    stage.run(1)
    stage.leave(4)
    stage.run(3)
    late.open()
    stage.run(2)


@directed("Q49", "One was missing", breaks=("S3",), defect="learner takes what comes")
def one_was_missing(stage: QuietWorld) -> None:
    """What is pushed to learner 4 is lost once; the next push arrives. Its number says that something is missing."""
    _one_joins(stage)
    pushes = stage.hold(Delivered, receiver=4)
    stage.say("lost", node=3)
    stage.run(0.2)
    pushes.drop(shut=False)
    stage.say("arrives", node=3)
    stage.run(4)


@directed(
    "Q50",
    "In good company",
    breaks=("L2",),
    defect="learner stays with a lonely member",
    timing=COURSE,
    judges=("L1", "L2"),
)
def in_good_company(stage: QuietWorld) -> None:
    """Learner 4 listens to node 1, which is cut off from the others. Node 1 answers, and has nothing new to say."""
    _one_joins(stage)
    stage.partition((1,), (2, 3))
    stage.calm(2, 3, 4)
    stage.say("to those who are there", node=3)
    stage.run(25)


@directed(
    "Q51",
    "No longer true",
    breaks=("L2",),
    defect="late refusal believed",
    timing=COURSE,
    judges=("L1", "L2"),
)
def no_longer_true(stage: QuietWorld) -> None:
    """Learner 4 comes back on an emptied folder and is refused, but the answer is under way for long.

    Meanwhile people let the old folder go, and 4 is taken in on the new one, in the same life. Then the answer arrives.
    """
    _one_joins(stage, through=3)
    stage.crash(4)
    stage.wipe(4)
    late = stage.hold(JoinAck, receiver=4, wants=lambda answer: answer.status == "refused")  # type: ignore[attr-defined]
    stage.restart(4)
    stage.run(1)
    stage.let_go(4)
    stage.run(3)
    late.open()
    stage.calm(1, 2, 3, 4)
    stage.say("to whoever is there", node=3)
    stage.run(25)
