"""Listening: to which member a learner listens, and when it goes on to the next one.

    JOIN, every heartbeat --> member     ok, a leader, 120 messages      stay; ask again if 120 do not come
                                         ok, but no leader               for heartbeat_timeout: go on
                                         nothing                         for heartbeat_timeout: go on

A member that was cut off with a minority serves what it has, for ever, and says nothing wrong; only nothing new comes
of it.  So JOIN, said again and again, is a question too: is somebody there, and does it have a leader?

What is lost on the way shows in the answers, since they say how many messages there are.  If two answers in a row find
the learner at the same place, short of that, it asks again for what follows.  (Two, because one may have left before
messages that are under way; `ordering` looks for lost batches in the same way.)

Assumes   a member answers each JOIN with what it knows.
Promises  a learner that can reach a member with a leader listens to one in the end.
Read also `learner` (who has one), `admission` (the other end), `client` (which goes round in the same order).
"""

from chatsys.actor.actor import Alarms
from chatsys.actor.effects import Effects, Send
from chatsys.config import ClusterConfig
from chatsys.protocol.listening.reading import CONFIRM_EVERY
from chatsys.protocol.messages import JoinAck, Subscribe


class Listening:
    """Whom to listen to; `first` is the member to ask first."""

    def __init__(self, config: ClusterConfig, alarms: Alarms, first: int | None) -> None:
        self.members, self.timing, self.alarms = config.ids, config.timing, alarms
        self.target = first if first is not None else self.members[0]
        """The member that is listened to, or is to be."""
        self.links: set[int] = set()
        """The members whose link is up."""
        self.asked = False
        """Whether the target was asked to push messages."""
        self.confirmed = 0
        """What the target was told last of how far this learner is."""
        self.before = -1
        """How far this learner was at the last answer of its target."""

    @property
    def reaches(self) -> bool:
        """Whether there is a link to the target."""
        return self.target in self.links

    def start(self, now: float) -> None:
        """Wait a little for the link to the member that shall be asked first."""
        self.alarms.set("first", now + self.timing.retransmit)

    def link_up(self, node: int) -> None:
        """The link to a member came up; what was asked on an older one is void."""
        self.links.add(node)
        if node == self.target:
            self.asked = False

    def link_down(self, node: int) -> None:
        """The process of a member is gone."""
        self.links.discard(node)
        if node == self.target:
            self.go_on()

    def go_on(self) -> None:
        """Listen to the next member whose link is up, in the order of ids and round again."""
        others = self.links - {self.target}
        self.target = min(others, key=lambda node: (node <= self.target, node), default=self.target)
        self.asked = False
        self.alarms.clear("again", "patience", "first")

    def look(self) -> bool:
        """Tell whether a member is within reach that was not asked yet."""
        if not self.reaches and "first" not in self.alarms:
            self.go_on()
        return self.reaches and not self.asked

    def begin(self, cursor: int, now: float) -> Effects:
        """Begin to listen to the target: ask for what comes after the last message kept."""
        self.asked, self.before, self.confirmed = True, -1, cursor
        self.alarms.set("patience", now + self.timing.heartbeat_timeout)
        return [Send(self.target, Subscribe(cursor))]

    def heard(self, answer: JoinAck, cursor: int, now: float) -> Effects:
        """The target has answered: stay if it has a leader, and ask for what was lost on the way."""
        if self.stays(answer):
            self.alarms.set("patience", now + self.timing.heartbeat_timeout)
        stuck = self.before == cursor < answer.messages
        self.before = -1 if stuck else cursor
        return self.ask_again(cursor) if stuck else []

    def stays(self, answer: JoinAck) -> bool:
        """Tell whether a member that answers so is worth listening to: it has a leader, and the learner is known there."""
        return answer.status == "ok" and answer.leader is not None  # SPECIFICATION R19.8

    def confirm(self, cursor: int) -> Effects:
        """Confirm now and then, well within the credit."""
        if cursor < self.confirmed + CONFIRM_EVERY:
            return []
        self.confirmed = cursor
        return [Send(self.target, Subscribe(cursor))]

    def ask_again(self, cursor: int) -> Effects:
        """Ask for what was lost, by a cursor that stands still; one that has grown since must be said twice."""
        times = 1 if cursor == self.confirmed else 2
        self.confirmed = cursor
        return [Send(self.target, Subscribe(cursor))] * times
