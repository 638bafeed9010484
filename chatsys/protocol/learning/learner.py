"""A learner: a listener with a disk of its own, who is no member.

It subscribes at one member, as any client does, and keeps what it hears: committed messages, as everybody may see
them.  It delivers them, serves listeners of its own, and passes on what its clients say.  No vote, no acknowledgement
and no frame of an election ever comes from it, so whatever becomes of it the members agree as if it were not there.

    member --DELIVERED--> learner: keep, deliver --DELIVERED--> its own listeners
           <--SUBSCRIBE-- cursor = messages kept
           <--JOIN------- every heartbeat             JOIN_ACK: ok or waiting, who leads, how many messages there are
           <--SUBMIT----- what its clients say        the answer goes back to whoever asked

What it promises, and so what must wait for its disk: nothing.  A message that it shows to a listener is committed, on
the disks of a quorum, whether it is on this disk or not; if this disk forgets it, the members give it again.  A
SUBSCRIBE confirms a cursor that the next life may fall behind; then it asks from where it is.  The one thing that must
not be forgotten is the name of the folder, for under it the learner is known; it stands in the boot record.

Assumes   what a member delivers is committed; the world tells of links as it does to a client.
Promises  in each life it delivers messages 1, 2, 3, ..., each once, in the members' order.
Read also `chronicle` (its disk), `listening` (whom it listens to), `admission` (the other end), `client` (who listens
          without a disk).
"""

from collections.abc import Iterable
from random import Random
from typing import Any, ClassVar

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Effects, Note, Send
from chatsys.actor.events import Depart, Identity, LinkDown, LinkUp
from chatsys.actor.logfile import decode
from chatsys.actor.outbox import Outbox
from chatsys.config import ClusterConfig
from chatsys.errors import Departed, RefusedJoin
from chatsys.protocol.learning.admission import SHOWN
from chatsys.protocol.learning.chronicle import Chronicle
from chatsys.protocol.learning.listening import Listening
from chatsys.protocol.learning.records import LEARNER_RECORDS, Joined, LearnerBoot
from chatsys.protocol.messages import (
    NODE_MESSAGES,
    Delivered,
    Join,
    JoinAck,
    Leave,
    PeerInfo,
    Submit,
    SubmitReply,
    Subscribe,
)
from chatsys.protocol.serving.forwarding import Forwarding
from chatsys.protocol.serving.subscribers import PAUSE, Subscribers
from chatsys.protocol.sessions import MAX_HOPS
from chatsys.protocol.storage import NODE_RECORDS


class Learner(Actor):
    """The learner `me` of the cluster of `config`; it asks member `through` first, and listens at `address` (nowhere: "")."""

    messages = NODE_MESSAGES
    records = (*NODE_RECORDS, *LEARNER_RECORDS)
    outbox: ClassVar[type[Outbox]] = Outbox
    decode = staticmethod(decode)
    from_clients = (Submit, Subscribe, Join)
    requests = (Submit,)
    answers = (SubmitReply,)
    chronicle_class: ClassVar[type[Chronicle]] = Chronicle
    listening_class: ClassVar[type[Listening]] = Listening

    def __init__(
        self, me: Address, config: ClusterConfig, random: Random, *, through: int | None = None, address: str = ""
    ) -> None:
        super().__init__(me, config, random)
        assert isinstance(me, int), "a learner's address is its id"
        self.node, self.address, self.timing = me, address, config.timing
        self.chronicle = self.chronicle_class(me, config)
        self.listening = self.listening_class(config, self.alarms, through if through in config.ids else None)
        self.subscribers = Subscribers(config.limits)
        self.forwarding = Forwarding(config.limits.forwarded)
        self.departing = self.admitted = False
        self.said = self.doubted = 0
        """The number of the latest JOIN, and of the first whose refusal would be the last word (0: none was refused)."""
        self.term = 0
        self.leader: PeerInfo | None = None
        self.waits_for = ""
        """Why it is not taken in yet, in the words of a member."""

    # --- lives -----------------------------------------------------------------------------

    @property
    def incarnation(self) -> int:
        """Which life of this learner it is; its boot records count."""
        return self.chronicle.incarnation

    @property
    def identity(self) -> Identity:
        """On which folder this life runs."""
        return Identity(self.chronicle.identity, (self.chronicle.nonce,)) if self.chronicle.boot else Identity()

    def christen(self, random: Random) -> None:
        """Draw the name that the folder gets if it has none (128 bits), and the nonce of this life (64 bits)."""
        self.chronicle.drawn = f"{random.getrandbits(128):032x}", f"{random.getrandbits(64):016x}"

    @classmethod
    def owner(cls, records: Iterable[msgspec.Struct]) -> tuple[str, Address] | None:
        """Return (cluster, id) of the learner that wrote the first boot record."""
        return next(((one.cluster, one.node) for one in records if isinstance(one, LearnerBoot)), None)

    @staticmethod
    def cluster_of(records: Iterable[msgspec.Struct]) -> ClusterConfig | None:
        """Return the cluster that the learner of these records is of, as it was told last; None: it was never told."""
        return next((one.config for one in reversed(list(records)) if isinstance(one, Joined)), None)

    def recover(self, records: Iterable[msgspec.Struct]) -> None:
        """Take back what was heard; raises `Departed` if this folder's learner has left."""
        self.chronicle.recover(records)
        if self.chronicle.gone:
            raise self._departed()

    def start(self, now: float) -> Effects:
        """Begin a life: show again what was heard before."""
        self.listening.start(now)
        return self.chronicle.begin()

    def _departed(self) -> Departed:
        return Departed(
            f"Learner {self.me} has left cluster {self.config.cluster!r}, and its folder joins no more. It keeps what was "
            "heard; to join again, begin with an empty folder."
        )

    # --- doors -----------------------------------------------------------------------------

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Hear the members, serve the others."""
        if sender in self.config.members:
            return self._from_member(sender, message, now)
        match message:
            case LinkDown():
                self.subscribers.forget(sender)
            case Subscribe():
                self.subscribers.take(sender, message, len(self.chronicle.heard))
            case Submit():
                return self._pass_on(sender, message, now)
            case Join():
                return [self._about(sender, message)]
            case JoinAck(status="left") if sender == self.me:  # that it has left stands on the disk now
                raise self._departed()
        return []

    def _from_member(self, sender: Any, message: msgspec.Struct, now: float) -> Effects:
        match message:
            case LinkUp():
                self.listening.link_up(sender)
            case LinkDown():
                self.listening.link_down(sender)
            case JoinAck(nonce=nonce) if nonce and nonce == self.chronicle.nonce:
                return self._told(sender, message, now)
            case Delivered() if sender == self.listening.target:
                return self.chronicle.keep(message)
            case SubmitReply():
                return self.forwarding.pass_back(sender, message)
        return []

    def on_command(self, command: msgspec.Struct, now: float) -> Effects:
        """Leave for ever, if people say so."""
        if isinstance(command, Depart):
            self.departing = True
            self.alarms.set("again", now)
        return []

    def on_alarm(self, name: Any, now: float) -> Effects:
        """Ask again; go on to the next member if this one is silent, or has no leader."""
        match name:
            case "again" if self.listening.asked:
                return self._ask(now)
            case "patience":
                self.leader = None
                self.listening.go_on()  # SPECIFICATION R19.8
            case "push":
                self.subscribers.go_on()
            case "sweep":
                if self.forwarding.sweep():
                    self.alarms.set("sweep", now + self.timing.client_retry_max)
        return []

    def settle(self, now: float) -> Effects:
        """Listen to somebody; confirm what was kept; push to those who listen here."""
        listening, cursor = self.listening, self.chronicle.cursor()
        effects = [*self._ask(now), *listening.begin(cursor, now)] if listening.look() else listening.confirm(cursor)
        if not listening.reaches:  # nobody tells it who leads
            self.leader = None
        leader = self.leader.node if self.leader else 0  # SPECIFICATION R10.16
        pushed, more = self.subscribers.push(len(self.chronicle.heard), self.chronicle.numbered, leader)
        if more and "push" not in self.alarms:
            self.alarms.set("push", now + PAUSE)
        return effects + pushed

    # --- joining and leaving ---------------------------------------------------------------

    def _ask(self, now: float) -> Effects:
        """Ask to be taken in, or to be let go, and who leads; again every heartbeat."""
        self.alarms.set("again", now + self.timing.heartbeat_interval)
        identity, nonce = self.chronicle.identity, self.chronicle.nonce
        if self.departing and self.admitted:
            return [Send(self.listening.target, Leave(self.node, identity, nonce))]
        self.said += 1
        return [Send(self.listening.target, Join(self.node, self.address, identity, nonce, number=self.said))]

    def _told(self, sender: int, answer: JoinAck, now: float) -> Effects:
        """Take in what became of a JOIN or LEAVE of this life, whichever member was asked."""
        self.term = max(self.term, answer.term)
        effects: Effects = []
        if answer.status == "refused":
            return self._refused(answer, now)
        if answer.status == "left":
            return [] if self.chronicle.gone else [*self.chronicle.end(), Send(self.me, answer)]
        if answer.status == "ok" and answer.number >= self.doubted:
            self.doubted = 0
        if answer.status == "ok" and not self.admitted:
            self.admitted = True
            effects.append(Note("admitted", peer=sender, text=self.chronicle.identity[:SHOWN]))
        if answer.reason != self.waits_for:
            self.waits_for = answer.reason
            effects.append(Note("membership", peer=sender, reason=f"{answer.status}: {answer.reason}"))
        if sender != self.listening.target:
            return effects
        self.leader = answer.leader
        return effects + self.listening.heard(answer, self.chronicle.cursor(), now)

    def _refused(self, answer: JoinAck, now: float) -> Effects:
        """Ask once more when a refusal comes; stop if that is refused, too.

        A refusal may be under way for long.  Meanwhile people let the old folder go, and this one is taken in:

            JOIN 1 --> taken ............................ heard here: is it still so?  JOIN 8 --> ok
                       leave(4)    JOIN 7 --> taken in
        """
        if self.is_final(answer):
            raise RefusedJoin(f"Cluster {self.config.cluster!r} does not take in learner {self.me}: {answer.reason}.")
        if self.doubted:
            return []
        self.doubted = self.said + 1
        return self._ask(now) if self.listening.asked else []

    def is_final(self, refusal: JoinAck) -> bool:
        """Tell whether this refusal answers a JOIN that was said after another one had been refused."""
        return 0 < self.doubted <= refusal.number  # SPECIFICATION R19.3

    # --- serving ---------------------------------------------------------------------------

    def _pass_on(self, sender: Address, submit: Submit, now: float) -> Effects:
        """Pass a client's message on to the member that this learner listens to.  SPECIFICATION R19.10."""
        pair = (submit.client_id, submit.client_seq)
        if not self.listening.reaches:
            return [Send(sender, SubmitReply(*pair, "busy", "no member is within reach of this learner"))]
        if submit.hops >= MAX_HOPS:
            return [Send(sender, SubmitReply(*pair, "redirect", "it was passed on too often"))]
        self.forwarding.wait(pair, sender)
        if "sweep" not in self.alarms:
            self.alarms.set("sweep", now + self.timing.client_retry_max)
        return [Send(self.listening.target, msgspec.structs.replace(submit, via=0, hops=submit.hops + 1))]

    def _about(self, sender: Address, join: Join) -> Send:
        """Tell whoever asks here whom to ask: the members."""
        known = ", ".join(map(str, self.config.ids))
        reason = f"this is learner {self.me}; the members are {known}"
        config = None if join.identity else self.config
        about = (self.config.ids, self.leader, reason)
        return Send(sender, JoinAck("waiting", self.term, *about, nonce=join.nonce, number=join.number, config=config))

    # --- for people ------------------------------------------------------------------------

    def view(self) -> tuple[int, str]:
        """Term and role, for the trace."""
        return self.term, "learner"

    def status(self) -> dict[str, Any]:
        """What a panel shows on this learner's card."""
        count = len(self.chronicle.heard)
        return {
            "role": "learner",
            "term": self.term,
            "leader": self.leader.node if self.leader else None,
            "ready": self.admitted,
            "last": count,
            "commit": count,
            "delivered": count,
            "waiting": len(self.forwarding),
            "listens_to": self.listening.target if self.listening.reaches else None,
            "waits_for": self.waits_for,
            "incarnation": self.incarnation,
        }
