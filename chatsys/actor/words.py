"""Words: what an actor calls the things that every figure looks for.

A figure looks for heartbeats, suspicions, leaders and numbers.  The chat's node calls its heartbeat HEARTBEAT
and notes `lead` when it begins to lead; a small actor has words of its own, and says them once, as data:

    class Watcher(Actor):
        words = Words(heartbeat="BEAT", suspect="gone", restore="back", each_other=True)

    Actor.words --Testbed.describe--> trace.meta["words"] --Trace.words--> figures

They travel with the trace, so a figure of a saved run needs no actor.  Whoever says nothing speaks as the chat does.

Promises  a word changes what is drawn, never what happens.
Read also `trace` (the kinds and columns themselves), `teach.figures.translation` (who reads the words).
"""

import msgspec

from chatsys.errors import UsageError

NUMBERED_BY = ("", "seq", "msg_no", "client_seq")
"""The columns that can be the number of a message."""


class Words(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The words of one actor; each default is the chat's."""

    heartbeat: str = "HEARTBEAT"
    """The tag of the frame that says only: I am alive."""
    each_other: bool = False
    """Whether each node listens to every other one.  In the chat all listen to the leader, and to nobody else."""
    suspect: str = "suspect"
    """The kind of note that says that this node suspects `peer`."""
    restore: str = "restore"
    """The kind of note that takes the suspicion of `peer` back."""
    lead: str = "lead"
    """The kind of note that says that this node leads from now on."""
    numbered: str = "ORDERED"
    """The tag of the frame that carries a message together with its number."""
    number: str = ""
    """The column with the number of a message that is delivered or held back.

    "" is the chat's way: a delivery is counted by `msg_no`, and waits by its position `seq`.
    """
    one_order: bool = True
    """Whether all nodes mean to deliver the messages in one order.  If not, a timeline does not call it broken (S1) that they differ."""

    first_in_first_out: bool = True
    """Whether a node means to deliver what one client says in its order.  If not, a timeline does not call it broken (S9) that it does not."""

    def __post_init__(self) -> None:
        if self.number not in NUMBERED_BY:
            raise UsageError(f"number is {self.number!r:.40}; name a column: {', '.join(NUMBERED_BY[1:])}.")


CHAT = Words()
"""The words of the chat's node."""
