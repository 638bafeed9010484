"""A learner: a listener with a disk of its own, who is no member.

It subscribes at one member, as any client does, and keeps what it hears: committed messages, as everybody may see
them.  It delivers them, serves listeners of its own, and passes on what its clients say.  No vote, no acknowledgement
and no frame of an election ever comes from it, so whatever becomes of it the members agree as if it were not there.

    member --DELIVERED--> learner: keep, deliver --DELIVERED--> its own listeners
           <--SUBSCRIBE-- cursor = messages kept
           <--JOIN------- every heartbeat             JOIN_ACK: ok or waiting, who leads, how many messages there are
           <--SUBMIT----- what its clients say        the answer goes back to whoever asked

Whom it listens to.  A member that was cut off with a minority serves what it has, for ever, and says nothing wrong;
only nothing new comes of it.  So JOIN, said again and again, is a question too: is somebody there, and does it have a
leader?  If the answer says no, or does not come, for `heartbeat_timeout`, the learner goes on to the next member.

What it promises, and so what must wait for its disk: nothing.  A message that it shows to a listener is committed, on
the disks of a quorum, whether it is on this disk or not; if this disk forgets it, the members give it again.  A
SUBSCRIBE confirms a cursor that the next life may fall behind; then it asks from where it is.  The one thing that must
not be forgotten is the name of the folder, for under it the learner is known; it stands in the boot record.

Assumes   what a member delivers is committed; the world tells of links as it does to a client.
Promises  in each life it delivers messages 1, 2, 3, ..., each once, in the members' order.
Read also `learners` (the other end of JOIN), `learner_log` (its disk), `client` (who listens without one).
"""

from collections.abc import Iterable
from random import Random
from typing import Any, ClassVar

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append, Deliver, Delivery, Effects, Note, Send
from chatsys.actor.events import Depart, Identity, LinkDown, LinkUp
from chatsys.actor.logfile import FORMAT, decode, other_format
from chatsys.actor.outbox import Outbox
from chatsys.config import ClusterConfig
from chatsys.errors import Departed, ForeignLog, RefusedJoin
from chatsys.protocol.client import CONFIRM_EVERY
from chatsys.protocol.forwarding import Forwarding
from chatsys.protocol.learner_log import LEARNER_RECORDS, Gone, Joined, Kept, LearnerBoot, replay_learner
from chatsys.protocol.learners import SHOWN
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
from chatsys.protocol.public import Heard
from chatsys.protocol.sessions import MAX_HOPS
from chatsys.protocol.storage import NODE_RECORDS, Boot
from chatsys.protocol.subscribers import PAUSE, Subscribers


class Learner(Actor):
    """The learner `me` of the cluster of `config`; it asks member `through` first, and listens at `address` (nowhere: "")."""

    messages = NODE_MESSAGES
    records = (*NODE_RECORDS, *LEARNER_RECORDS)
    outbox: ClassVar[type[Outbox]] = Outbox
    decode = staticmethod(decode)
    from_clients = (Submit, Subscribe, Join)
    requests = (Submit,)
    answers = (SubmitReply,)

    def __init__(
        self, me: Address, config: ClusterConfig, random: Random, *, through: int | None = None, address: str = ""
    ) -> None:
        super().__init__(me, config, random)
        assert isinstance(me, int), "a learner's address is its id"
        self.node, self.address, self.timing = me, address, config.timing
        self.members = config.ids
        self.target = through if through in config.ids else config.ids[0]
        """The member that it listens to, or wants to."""
        self.links: set[int] = set()
        """The members whose link is up."""
        self.boot: LearnerBoot | None = None
        self.drawn = ("", "")
        self.known: ClusterConfig | None = None
        """The cluster as it stands on the disk."""
        self.gone = self.departing = self.admitted = False
        self.heard: list[Heard] = []
        """Message n is `heard[n - 1]`."""
        self.delivered = 0
        self.confirmed = 0
        """What the target was told last of how far this learner is."""
        self.before = 0
        """Where this learner was at the last answer of its target."""
        self.asked = False
        """Whether the target was asked to push messages."""
        self.term = 0
        self.leader: PeerInfo | None = None
        self.waits_for = ""
        """Why it is not taken in yet."""
        self.subscribers = Subscribers(config.limits)
        self.forwarding = Forwarding(config.limits.forwarded)

    # --- the own disk ----------------------------------------------------------------------

    @property
    def incarnation(self) -> int:
        """Which life of this learner it is; its boot records count."""
        return self.boot.incarnation if self.boot else 0

    @property
    def identity(self) -> Identity:
        """On which folder this life runs."""
        return Identity(self.boot.identity, (self.boot.nonce,)) if self.boot else Identity()

    def christen(self, random: Random) -> None:
        """Draw the name that the folder gets if it has none (128 bits), and the nonce of this life (64 bits)."""
        self.drawn = f"{random.getrandbits(128):032x}", f"{random.getrandbits(64):016x}"

    @classmethod
    def owner(cls, records: Iterable[msgspec.Struct]) -> tuple[str, Address] | None:
        """Return (cluster, id) of the learner that wrote the first boot record."""
        return next(((one.cluster, one.node) for one in records if isinstance(one, LearnerBoot)), None)

    @staticmethod
    def cluster_of(records: Iterable[msgspec.Struct]) -> ClusterConfig | None:
        """Return the cluster that the learner of these records is of, as it was told last; None: it was never told."""
        return next((one.config for one in reversed(list(records)) if isinstance(one, Joined)), None)

    def recover(self, records: Iterable[msgspec.Struct]) -> None:
        """Take back what was heard.  Raises `ForeignLog` for a member's log and for another learner's."""
        known = list(records)
        for record in known:
            self._check_owner(record)
        found = replay_learner(known, f"of learner {self.me}")
        self.boot, self.known, self.heard, self.gone = found.boot, found.config, found.heard, found.gone
        if self.gone:
            raise self._departed()

    def _check_owner(self, record: msgspec.Struct) -> None:
        if isinstance(record, Boot):  # SPECIFICATION R19.9
            raise ForeignLog(
                f"This folder is that of node {record.node}, a member of cluster {record.cluster!r}; learner {self.me} "
                "keeps a folder of its own: name another one, or an empty one."
            )
        if isinstance(record, LearnerBoot):
            if record.format != FORMAT:
                raise other_format(record.format)
            if (record.cluster, record.node) != (self.config.cluster, self.me):
                raise ForeignLog(
                    f"This folder is that of learner {record.node} of cluster {record.cluster!r}, not of learner {self.me} "
                    f"of {self.config.cluster!r}; name the folder in which this learner's own log is, or an empty one."
                )

    def start(self, now: float) -> Effects:
        """Begin a life: show again what was heard before."""
        name, nonce = self.drawn
        before = self.boot
        if before is not None:
            name, nonce = before.identity, nonce if before.identity else ""
        self.boot = LearnerBoot(
            (before.incarnation if before else 0) + 1, self.config.cluster, self.me, identity=name, nonce=nonce
        )
        effects: Effects = [Append(self.boot)]  # SPECIFICATION R19.9
        if self.known != self.config:
            self.known = self.config
            effects.append(Append(Joined(self.config)))
        self.alarms.set(
            "first", now + self.timing.retransmit
        )  # so long it waits for the link to whom it shall ask first
        return effects + self._deliver()

    # --- doors -----------------------------------------------------------------------------

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Hear the member, serve the others."""
        if sender in self.members:
            return self._from_member(sender, message, now)
        match message:
            case LinkDown():
                self.subscribers.forget(sender)
            case Subscribe():
                self.subscribers.take(sender, message)
            case Submit():
                return self._pass_on(sender, message, now)
            case Join():
                return [self._about(sender, message)]
            case JoinAck(status="left") if sender == self.me:  # that it has left stands on the disk now
                raise self._departed()
        return []

    def _from_member(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        assert isinstance(sender, int), "a member's address is its id"
        match message:
            case LinkUp():
                self.links.add(sender)
                if sender == self.target:
                    self.asked = False
            case LinkDown():
                self.links.discard(sender)
                if sender == self.target:
                    self._go_on()
            case JoinAck(nonce=nonce) if nonce and nonce == self.nonce:
                return self._told(sender, message, now)
            case Delivered() if sender == self.target:
                return self._hear(message)
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
            case "again" if self.asked:
                return self._ask(now)
            case "patience":
                self._go_on()  # SPECIFICATION R19.8
            case "push":
                self.subscribers.go_on()
            case "sweep":
                if self.forwarding.sweep():
                    self.alarms.set("sweep", now + self.timing.client_retry_max)
        return []

    def settle(self, now: float) -> Effects:
        """Listen to somebody; confirm what was kept; push to those who listen here."""
        effects: Effects = []
        if self.target not in self.links and "first" not in self.alarms:
            self._go_on()
        if self.target in self.links and not self.asked:
            effects = self._begin(now)
        elif len(self.heard) >= self.confirmed + CONFIRM_EVERY:
            effects = self._subscribe()
        pushed, more = self.subscribers.push(len(self.heard), self._numbered)
        if more and "push" not in self.alarms:
            self.alarms.set("push", now + PAUSE)
        return effects + pushed

    # --- listening -------------------------------------------------------------------------

    @property
    def nonce(self) -> str:
        """Of this life."""
        return self.boot.nonce if self.boot else ""

    def _go_on(self) -> None:
        """Listen to the next member whose link is up, in the order of ids and round again."""
        others = self.links - {self.target}
        self.target = min(others, key=lambda node: (node <= self.target, node), default=self.target)
        self.asked = False
        self.alarms.clear("again", "patience", "first")

    def _begin(self, now: float) -> Effects:
        """Begin to listen to the target: ask to be taken in, and for what comes after the last message kept."""
        self.asked, self.before = True, -1
        self.confirmed = self.cursor()
        self.alarms.set("patience", now + self.timing.heartbeat_timeout)
        return [*self._ask(now), Send(self.target, Subscribe(self.confirmed))]

    def cursor(self) -> int:
        """Return the number of the last message that this disk was given: what comes next is asked for."""
        return len(self.heard)  # SPECIFICATION R19.7

    def _ask(self, now: float) -> Effects:
        """Ask to be taken in, or to be let go, and who leads; again every heartbeat."""
        assert self.boot is not None, "a life has begun"
        self.alarms.set("again", now + self.timing.heartbeat_interval)
        if self.departing and self.admitted:
            return [Send(self.target, Leave(self.node, self.boot.identity, self.boot.nonce))]
        return [Send(self.target, Join(self.node, self.address, self.boot.identity, self.boot.nonce))]

    def _told(self, sender: int, answer: JoinAck, now: float) -> Effects:
        """Take in what became of a JOIN or LEAVE, of whichever member it was asked."""
        self.term = max(self.term, answer.term)
        effects: Effects = []
        if answer.status == "refused":
            raise RefusedJoin(f"Cluster {self.config.cluster!r} does not take in learner {self.me}: {answer.reason}.")
        if answer.status == "left":
            if self.gone:
                return []
            self.gone = True
            return [Append(Gone()), Send(self.me, answer)]
        if answer.status == "ok" and not self.admitted:
            self.admitted = True
            effects.append(Note("admitted", peer=sender, text=self.short))
        if answer.reason != self.waits_for:
            self.waits_for = answer.reason
            effects.append(Note("membership", peer=sender, reason=f"{answer.status}: {answer.reason}"))
        return effects if sender != self.target else effects + self._alive(answer, now)

    def _alive(self, answer: JoinAck, now: float) -> Effects:
        """The target is there; stay if it has a leader, and ask for what was lost on the way."""
        self.leader = answer.leader
        if self.stays(answer):
            self.alarms.set("patience", now + self.timing.heartbeat_timeout)
        stuck = self.before == len(self.heard) < answer.messages
        self.before = -1 if stuck else len(self.heard)
        return self._subscribe() if stuck else []

    def stays(self, answer: JoinAck) -> bool:
        """Tell whether a member that answers so is worth listening to: it has a leader, and this learner is known there."""
        return answer.status == "ok" and answer.leader is not None

    def _subscribe(self) -> Effects:
        """Confirm what is kept; if it stands still, this asks for what was lost (twice, where it first confirms)."""
        lost = len(self.heard) - self.confirmed < CONFIRM_EVERY
        again = lost and self.confirmed < len(self.heard)
        self.confirmed = len(self.heard)
        return [Send(self.target, Subscribe(self.confirmed))] * (2 if again else 1)

    def _hear(self, delivered: Delivered) -> Effects:
        """Keep what comes next, and nothing else; a number that is left out was lost or overtaken."""
        kept = []
        for entry, number in zip(delivered.entries, delivered.numbers, strict=True):
            if self.is_next(number):
                self.heard.append(entry)
                kept.append(Kept(len(self.heard), entry))
        return [Append(*kept), *self._deliver()] if kept else []

    def is_next(self, number: int) -> bool:
        """Tell whether message `number` follows on what is kept."""
        return number == len(self.heard) + 1  # SPECIFICATION R19.7

    def _deliver(self) -> Effects:
        """Hand on what was kept and not delivered yet in this life."""
        first, self.delivered = self.delivered, len(self.heard)
        deliveries = [
            Delivery(one.seq, number, one.author, one.text, one.room, None, one.client, one.client_seq)
            for number, one in enumerate(self.heard[first:], start=first + 1)
        ]
        return [Deliver(*deliveries)] if deliveries else []

    # --- serving ---------------------------------------------------------------------------

    def _numbered(self, number: int, room: str | None) -> tuple[Heard, int] | None:
        """Return message `number` and its size; None if it is of another room."""
        one = self.heard[number - 1]
        return (one, 320 + 4 * (len(one.text) + len(one.author) + len(one.room))) if room in (None, one.room) else None

    def _pass_on(self, sender: Address, submit: Submit, now: float) -> Effects:
        """Pass a client's message on to the member that this learner listens to.  SPECIFICATION R19.10."""
        pair = (submit.client_id, submit.client_seq)
        if self.target not in self.links:
            return [Send(sender, SubmitReply(*pair, "busy", "no member is within reach of this learner"))]
        if submit.hops >= MAX_HOPS:
            return [Send(sender, SubmitReply(*pair, "redirect", "it was passed on too often"))]
        self.forwarding.wait(pair, sender)
        if "sweep" not in self.alarms:
            self.alarms.set("sweep", now + self.timing.client_retry_max)
        return [Send(self.target, msgspec.structs.replace(submit, via=0, hops=submit.hops + 1))]

    def _about(self, sender: Address, join: Join) -> Send:
        """Tell whoever asks here whom to ask: the members."""
        known = ", ".join(map(str, self.members))
        reason = f"this is learner {self.me}; the members are {known}"
        config = None if join.identity else self.config
        return Send(
            sender, JoinAck("waiting", self.term, self.members, self.leader, reason, nonce=join.nonce, config=config)
        )

    def _departed(self) -> Departed:
        return Departed(
            f"Learner {self.me} has left cluster {self.config.cluster!r}, and its folder joins no more. It keeps what was "
            "heard; to join again, begin with an empty folder."
        )

    # --- for people ------------------------------------------------------------------------

    @property
    def short(self) -> str:
        """The first digits of the folder's name: enough to tell it from another one."""
        return self.boot.identity[:SHOWN] if self.boot else ""

    def view(self) -> tuple[int, str]:
        """Term and role, for the trace."""
        return self.term, "learner"

    def status(self) -> dict[str, Any]:
        """What a panel shows on this learner's card."""
        count = len(self.heard)
        return {
            "role": "learner",
            "term": self.term,
            "leader": self.leader.node if self.leader else None,
            "ready": self.admitted,
            "last": count,
            "commit": count,
            "delivered": count,
            "waiting": len(self.forwarding),
            "listens_to": self.target if self.target in self.links else None,
            "waits_for": self.waits_for,
            "incarnation": self.incarnation,
        }
