"""A node: the parts together.

Every door first rings what is due, then lets the term fence look at the message, then hands it to
the parts that handle its type.  What a part decides is carried out here, in one `match`: this is
the textbook page of the whole protocol.

    message --> identities --> fence --> part, part --> [effects and decisions] --> carry out --> [effects]

    Suspect   --> election nominates          Order    --> ordering numbers
    Stand     --> succession asks promises    Commit   --> sessions deliver
    Lead      --> every part leads            HandOver --> succession asks a higher one
    Yield     --> every part follows          Release  --> the whole door again
    Retire    --> nobody leads; Yield      Disown   --> identities refuse a member
    BeatNow   --> failure sends a heartbeat

Why the alarms come first.  A process is often told of a frame and of a deadline at once, and its loop
may serve the frame first.  Suppose node 3 leads, is paused for 5 s, and wakes up: 2 leads by now,
and in front of node 3 lies a SUBMIT from before.  If the frame were taken in first, node 3 would serve
it as if no time had passed.  Rung first, the alarms find out that it slept, and it steps down (the
schedule C6).

Why decisions are carried out in their place.  An effect may rest on what stands before it in the list:
`[Append(promise), Yield, Send(PROMISE)]` writes, then lets go of the old leader, then answers.  What
`Yield` brings about takes its place between the two, so the order that a part wrote is the order in
which the world acts, however deep decisions bring about others.

Assumes   the world carries out the effects in order, and calls `settle` at the end of each turn.
Promises  whatever a frame rests on stands before it in the list; the outbox makes it wait for the disk.
Read also the parts, from `failure` to `sessions`, in the order of the house.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, ClassVar

import msgspec

from chatsys.actor.actor import NEVER, Actor, Address
from chatsys.actor.effects import Append, Deliver, Effects, Note, Send
from chatsys.actor.events import Accept, Identity, LinkDown, LinkUp, RemoveLearner, StandDown, Stop
from chatsys.actor.logfile import FORMAT, decode, other_format
from chatsys.actor.outbox import Outbox
from chatsys.config import ClusterConfig
from chatsys.errors import ForeignLog, UsageError
from chatsys.protocol.catchup import CatchUp
from chatsys.protocol.decisions import (
    BeatNow,
    Commit,
    Disown,
    HandOver,
    Lead,
    Order,
    Release,
    Retire,
    Stand,
    Suspect,
    Yield,
)
from chatsys.protocol.departure import Departure
from chatsys.protocol.election import Bully
from chatsys.protocol.failure import Detector
from chatsys.protocol.fence import Fence
from chatsys.protocol.identity import Identities
from chatsys.protocol.learning.admission import Learners
from chatsys.protocol.learning.learner import Learner
from chatsys.protocol.learning.records import LEARNER_RECORDS, LearnerBoot
from chatsys.protocol.membership import Membership
from chatsys.protocol.messages import NODE_MESSAGES, Join, Leave, Submit, SubmitReply, Subscribe
from chatsys.protocol.ordering import Receiver, Sequencer
from chatsys.protocol.part import Part, find_routes
from chatsys.protocol.recovery import replay
from chatsys.protocol.sessions import Sessions
from chatsys.protocol.state import NodeState, Role
from chatsys.protocol.storage import NODE_RECORDS, Boot, CommitHint
from chatsys.protocol.succession import Succession

PARTS: dict[str, type[Part]] = {
    "identities": Identities,
    "fence": Fence,
    "membership": Membership,
    "learners": Learners,
    "failure": Detector,
    "election": Bully,
    "succession": Succession,
    "departure": Departure,
    "sequencer": Sequencer,
    "receiver": Receiver,
    "catchup": CatchUp,
    "sessions": Sessions,
}
"""The parts by name, in the order in which they see a message."""


PRESSED = 512
"""So many entries that are not committed, and the next ones do well to wait a little. SPECIFICATION R2.13"""


class Node(Actor):
    """A member of the chat cluster.  `parts` replaces parts by name: `{"election": MyBully}`."""

    messages = NODE_MESSAGES
    records = (*NODE_RECORDS, *LEARNER_RECORDS)
    outbox: ClassVar[type[Outbox]] = Outbox
    """What holds frames back until the disk is done; a world makes one per life."""
    decode = staticmethod(decode)
    """What turns the bytes of the log into records at boot."""
    from_clients = (Submit, Subscribe, Join, Leave)  # SPECIFICATION R2.4
    requests = (Submit,)
    learner = Learner
    answers = (SubmitReply,)
    part_names = tuple(PARTS)
    from_strangers = frozenset((*from_clients, LinkUp, LinkDown))
    """What counts from whoever is no member, whatever its address: a client's messages, and news of its link."""

    def __init__(
        self, me: Address, config: ClusterConfig, random: Random, parts: Mapping[str, type[Part]] | None = None
    ) -> None:
        super().__init__(me, config, random)
        assert isinstance(me, int), "a node's address is its id"
        self.state = NodeState(me, config)
        self.log = self.state.log
        chosen = PARTS | dict(parts or {})
        for name in chosen:
            if name not in PARTS:
                raise UsageError(f"There is no part {name!r}; the parts are {', '.join(PARTS)}.")
        made: dict[str, Any] = {name: make(self.state, config, random) for name, make in chosen.items()}
        self.parts: tuple[Part, ...] = tuple(made.values())
        self.identities: Identities = made["identities"]
        self.fence: Fence = made["fence"]
        self.membership: Membership = made["membership"]
        self.learners: Learners = made["learners"]
        self.failure: Detector = made["failure"]
        self.election: Bully = made["election"]
        self.succession: Succession = made["succession"]
        self.departure: Departure = made["departure"]
        self.sequencer: Sequencer = made["sequencer"]
        self.receiver: Receiver = made["receiver"]
        self.catchup: CatchUp = made["catchup"]
        self.sessions: Sessions = made["sessions"]
        self.settling = tuple(part for part in self.parts if type(part).settle is not Part.settle)
        """Those that ever owe something at the end of a turn."""
        self.routes = find_routes(tuple(tuple(part.handles) for part in self.parts))
        self.hinted = 0
        self.wrote = False

    # --- doors -----------------------------------------------------------------------------

    @property
    def deadline(self) -> float:
        """The earliest alarm of any part."""
        earliest = NEVER
        for part in self.parts:
            if part.alarms.next < earliest:
                earliest = part.alarms.next
        return earliest

    @property
    def incarnation(self) -> int:
        """Which life of this node it is; its boot records count."""
        return self.state.incarnation

    @property
    def identity(self) -> Identity:
        """Whose disk this life runs on."""
        return self.state.identity

    def christen(self, random: Random) -> None:
        """Draw a name for a folder that has none, and the nonce of this life."""
        self.identities.christen(random)

    @classmethod
    def owner(cls, records: Iterable[msgspec.Struct]) -> tuple[str, Address] | None:
        """Return (cluster, id) of the node that wrote the first boot record."""
        return next(((record.cluster, record.node) for record in records if isinstance(record, Boot)), None)

    def recover(self, records: Iterable[msgspec.Struct]) -> None:
        """Take back term, promise, log and commit from the durable records.

        Raises `LogError` if the log is of another cluster or node, and its kind `DamagedLog` if a
        record cannot follow on those before it.
        """
        state, found = self.state, replay(self._own(records), f"of node {self.me}")
        state.incarnation = found.incarnation
        self.identities.recover_from(found)
        if found.promise is not None:
            state.term, state.promised_to = found.promise.term, found.promise.to
        self.log.restore(found.entries, found.hint)
        self.hinted = found.hint

    def _own(self, records: Iterable[msgspec.Struct]) -> Iterator[msgspec.Struct]:
        """Yield these records, once it is known of each life that it was one of this node."""
        for record in records:
            if type(record) is Boot or type(record) is LearnerBoot:
                self._check_owner(record)
            yield record

    def _check_owner(self, boot: Boot | LearnerBoot) -> None:
        """Refuse a log of another format, of another node or of a learner."""
        if isinstance(boot, LearnerBoot):  # SPECIFICATION R19.9
            raise ForeignLog(
                f"This folder is that of learner {boot.node} of cluster {boot.cluster!r}; a member keeps a folder of its "
                f"own: name the one in which the log of node {self.me} is."
            )
        if boot.format != FORMAT:  # SPECIFICATION R12.8
            raise other_format(boot.format)
        if (boot.cluster, boot.node) != (self.config.cluster, self.me):
            raise ForeignLog(
                f"This log belongs to node {boot.node} of cluster {boot.cluster!r}, not to node {self.me} of "
                f"{self.config.cluster!r}; name the folder in which this node's own log is."
            )

    def start(self, now: float) -> Effects:
        """Begin a life: its number becomes durable before anybody hears of it."""
        state = self.state
        state.incarnation += 1
        name, nonce = self.identities.begin()
        # SPECIFICATION R4.5, R12.3
        boot: Effects = [Append(Boot(state.incarnation, self.config.cluster, state.me, identity=name, nonce=nonce))]
        effects = boot + self.sessions.deliver(now)
        for part in self.parts:
            effects += part.start(now)
        return self._carry_out(effects, now)

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Take in one message: alarms first, then the fence, then the parts."""
        due = self.on_time(now) if self.deadline <= now else []  # SPECIFICATION R13.3
        return due + self._receive(sender, message, now)

    def on_messages(self, sender: Address, messages: Sequence[msgspec.Struct], now: float) -> Effects:
        """Take in what came together of one sender: messages of a client that follow on each other are numbered in one run."""
        effects: Effects = []
        taken = 0
        while taken < len(messages):
            if self.deadline <= now:
                effects += self.on_time(now)  # SPECIFICATION R13.3
            run = () if sender in self.state.members else self.sessions.next_run(messages, taken)
            if len(run) > 1:
                effects += self._carry_out(self.sessions.number(sender, run), now)
                taken += len(run)
            else:
                effects += self._receive(sender, messages[taken], now)
                taken += 1
        return effects

    def _receive(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Ask whether its sender is who it was, then the fence, then the parts that handle this kind of message.

        The fence is asked here and nowhere else, so no part has to think of older terms, and none can
        forget to.  (Raft, figure 2, has its rule about greater terms among the rules for all servers, and
        not in each handler, for the same reason.)
        """
        effects: Effects = []
        if sender not in self.state.members:
            if type(message) not in self.from_strangers:  # SPECIFICATION R19.1
                return effects
        else:
            assert isinstance(sender, int), "a member's address is its id"
            if type(message) is LinkUp or sender in self.state.refused:
                owed, passes = self.identities.check(sender, message, now)  # SPECIFICATION R4.7
                effects = self._carry_out(owed, now)
                if not passes:
                    return effects
            owed, passes = self.fence.check(sender, message)  # SPECIFICATION R3.1
            if owed:
                effects += self._carry_out(owed, now)
            if not passes:
                return effects
        for place in self.routes.places.get(type(message), ()):
            if owed := self.parts[place].on_message(sender, message, now):
                effects += self._carry_out(owed, now)
        return effects

    def on_time(self, now: float) -> Effects:
        """Ring the alarms; but first see whether this node slept, and does not know what it missed."""
        effects = self._carry_out(self.failure.wake(now - self.deadline), now)
        for part in self.parts:
            if part.alarms.next <= now:
                effects += self._carry_out(part.on_time(now), now)
        return effects

    def on_command(self, command: msgspec.Struct, now: float) -> Effects:
        """Stand down, prepare for a clean stop, or hear about the disk."""
        due = self.on_time(now) if self.deadline <= now else []
        if isinstance(command, StandDown):
            return due + self._carry_out(self.departure.begin(now), now)
        if isinstance(command, Stop):
            due += self.sessions.on_command(command, now)
            return due + [*self.identities.unwritten(), Append(CommitHint(self.log.commit))]  # SPECIFICATION R12.10
        if isinstance(command, Accept):
            return due + self._carry_out(self.identities.accept(command.node), now)
        if isinstance(command, RemoveLearner):
            return due + self._carry_out(self.learners.remove(command.node, now), now)
        return due + self.sessions.on_command(command, now)

    @property
    def may_end(self) -> bool:
        """Whether this node, told to stand down, has nothing more to see to."""
        sessions = self.sessions
        return self.departure.is_done(bool(sessions.held or sessions.forwarding))

    def settle(self, now: float) -> Effects:
        """End a turn: every part says what it owes; who was met and a commit hint ride with what is written anyway.

        SPECIFICATION R4.6, R12.10, R13.4.
        """
        effects: Effects = []
        for part in self.settling:
            if owed := part.settle(now):
                effects += self._carry_out(owed, now)
        if self.wrote:
            effects += self.identities.unwritten()
        if self.wrote and self.log.commit > self.hinted:
            self.hinted = self.log.commit
            effects.append(Append(CommitHint(self.hinted)))
        self.wrote = False
        return effects

    # --- the textbook page -----------------------------------------------------------------

    def _carry_out(self, items: Effects, now: float) -> Effects:
        """Replace each decision by what it brings about, in its place."""
        effects: Effects = []
        for item in items:
            match item:
                case Send() | Deliver() | Note():
                    effects.append(item)
                case Append():
                    self.wrote = True
                    effects.append(item)
                case _:
                    effects += self._carry_out(self._decide(item, now), now)
        return effects

    def _decide(self, decision: Any, now: float) -> Effects:
        match decision:
            case Suspect():
                return self.election.nominate(decision, now)
            case Stand():
                return self.succession.stand(decision, now)
            case Lead():
                return self._lead(now)
            case Yield():
                return self._follow(decision, now)
            case Retire(reason, slept):
                self.state.set_leader(None)
                return [Yield(reason, slept=slept)]
            case Order(drafts):
                return self.sequencer.order(drafts, now)
            case Commit():
                return [*self.learners.read(), *self.sessions.deliver(now)]
            case HandOver():
                return self.succession.hand_over(decision, now)
            case BeatNow():
                return self.failure.on_alarm("early", now)  # SPECIFICATION R6.17
            case Disown(node, reason):
                return self.identities.refuse(node, reason)
            case Release(sender, message):
                return self._receive(sender, message, now)
        raise AssertionError(f"{decision!r} is neither an effect nor a decision")

    def _lead(self, now: float) -> Effects:
        """Lead: succession takes the lead first, so that the other parts see the new role and term.

        A life never begins here: a node that led and crashed is a follower when it is back, although nobody
        may have noticed.  Its log may have lost an end that others hold, and it would give the same
        positions away again in the same term (the schedule Q16).
        """
        effects = self.succession.lead(now)
        for part in self.parts:
            if part is not self.succession:
                effects += part.lead(now)
        return effects

    def _follow(self, decision: Yield, now: float) -> Effects:
        """Become a follower, or follow another leader: every part lets go of what rested on the old one.

        This is the only road to FOLLOWER, whatever the reason: a leader was heard, a promise given, a
        newer term met, an attempt failed, a lease ran out.
        """
        state = self.state
        effects: Effects = []
        if state.role is not Role.FOLLOWER:
            effects.append(state.become(Role.FOLLOWER, decision.reason))
        if decision.leader is not None:
            effects.append(Note("follow", peer=decision.leader, term=state.term, reason=decision.reason))
        for part in self.parts:
            effects += part.follow(now, decision)
        return effects

    # --- for people ------------------------------------------------------------------------

    def view(self) -> tuple[int, str]:
        """Term and role, for the trace."""
        return self.state.term, self.state.role.word

    @property
    def pressed(self) -> bool:
        """Whether many entries are on their way to a quorum."""
        return self.log.last_seq - self.log.commit > PRESSED

    def _behind(self) -> int | None:
        """Return how many entries that a leader called committed are missing here; None if no leader is known."""
        state = self.state
        if state.leader is None or state.leads:
            return 0 if state.leads else None
        return max(0, self.failure.told - self.log.verified)

    def status(self) -> dict[str, Any]:
        """What a panel shows on this node's card."""
        state, log = self.state, self.log
        return {
            "role": state.role.value,
            "term": state.term,
            "leader": state.leader,
            "ready": state.ready,
            "last": log.last_seq,
            "commit": log.commit,
            "verified": log.verified,
            "behind": self._behind(),
            "delivered": len(self.sessions.chat),
            "held_back": len(self.receiver.early),
            "waiting": len(self.sessions.held) + len(self.sessions.forwarding),
            "incarnation": state.incarnation,
        }
