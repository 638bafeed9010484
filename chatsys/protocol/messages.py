"""Every frame of the chat, one frozen struct each; on the wire one line of JSON each.

    finding each other   JOIN, JOIN_ACK; learners also LEAVE
    electing             ELECTION, OK, then PREPARE, PROMISE, COORDINATOR, TRANSFER_LEAD
    staying alive        HEARTBEAT, HEARTBEAT_ACK
    ordering             PROPOSE, ACK
    catching up          CATCHUP, CATCHUP_REPLY
    serving clients      SUBMIT, SUBMIT_REPLY, SUBSCRIBE, DELIVERED

How a frame is made.  A network loses, repeats and reorders, so no frame needs an earlier one to be
understood.  A PROPOSE names the entry that it follows on.  An ACK tells how far the whole log is equal, and
not which PROPOSE it answers.  A HEARTBEAT is numbered.  And a question whose answer must not be taken
for the answer to an older question carries a number, `round` or `nonce`, which the answer repeats
(Viewstamped Replication Revisited, 4.3, has a nonce in its recovery for the same reason).

What is wrong with a frame by itself, whoever reads it, the frame says (`wrong`): entries that do not
follow each other, a position before the first, a term that no election can have reached.  The wire
asks, and cuts the link; so no such frame stops a node.  What contradicts what a node knows is another
matter: that only the node can see, and in a safe cluster it is a broken invariant.

Promises  a frame is a value: frozen, comparable, the same in every world.  `overtakes_disk` marks
          the few that may leave before the records written earlier are durable.
Read also `actor.effects` (how a frame is sent), `actor.outbox` (who waits for the disk), `actor.events`.
"""

from typing import Annotated, ClassVar, Literal

import msgspec

from chatsys.actor.actor import Number
from chatsys.config import ClusterConfig, Limits
from chatsys.protocol.public import Heard

GROWN = 2**52  # SPECIFICATION R2.7
"""No term and no position grows so far: at a thousand a second it takes 140,000 years.  What is above was made up,
and believing it would leave too little room to count on."""
Grown = Annotated[int, msgspec.Meta(ge=0, le=GROWN)]
"""A term or a position: it grows one by one.  The decoder of the wire checks it."""
Begun = Annotated[int, msgspec.Meta(ge=1, le=GROWN)]
"""One that begins at 1, for 0 would say nothing."""


def wire_name(name: str) -> str:
    """Return the name of a message class as it stands on the wire: HeartbeatAck -> HEARTBEAT_ACK."""
    return "".join("_" + c if c.isupper() and i else c for i, c in enumerate(name)).upper()


class Message(msgspec.Struct, frozen=True, tag=wire_name, tag_field="type", omit_defaults=True):
    """Base of every frame; `type` on the wire is the class name in capitals."""

    overtakes_disk: ClassVar[bool] = False
    about: ClassVar[str] = ""
    """For the trace: the field that holds the position which the frame is about; of entries, the last one's."""


class PeerInfo(msgspec.Struct, frozen=True):
    """A member and where it listens."""

    node: Number
    address: str


class Label(msgspec.Struct, frozen=True, order=True, array_like=True):
    """An entry's birth label.  Ordered by term first: the newest term beats the longest log.

    Suppose node 1 led term 1, was cut off, and wrote positions 4 to 9 on its own disk only.  Node 2 led
    term 2, and its positions 4 and 5 are on the disks of 2 and 3.  The log that ends at (2, 5) holds
    what was committed; the longer one, which ends at (1, 9), holds what nobody was told of.  (Raft
    5.4.1 compares logs by this order; Viewstamped Replication by view, then op-number.)
    """

    term: Grown
    seq: Grown


def misplaced(last: Label, term: int) -> str | None:
    """Say what is wrong with `last` as the end of a log, or as what a batch follows on, in a frame of `term`; or None."""
    if last.term > term:
        return f"an entry of term {last.term} is spoken of in term {term}, where it cannot have been written yet"
    if (last.seq == 0) != (last.term == 0):
        return f"no entry can have the label {last.term}, {last.seq}"
    return None


Folder = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{0,32}$")]
"""The name of a data folder: 128 random bits."""
Listening = Annotated[str, msgspec.Meta(max_length=300)]
"""Where somebody listens, host:port; empty: nowhere."""


class LearnerInfo(msgspec.Struct, frozen=True):
    """A learner, as an entry of the log names it: its id, the folder it keeps, and where it listens."""

    node: Begun
    identity: Folder
    """Known to the learner and to the members only, like the secret of a session: whoever knows it may say LEAVE."""
    address: Listening = ""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One position of the log.  `seq` and `term` never change once they are given.  No garbage collector looks for cycles here."""

    seq: Begun
    term: Begun
    kind: Literal["chat", "barrier", "session", "learner", "leave"]
    client_id: str = ""
    client_seq: Grown = 0
    room: str = ""
    author: str = ""
    text: str = ""
    time: float = 0.0
    """Cosmetic: the leader's clock, made monotone along the log.  No rule reads it."""
    session: Grown = 0  # SPECIFICATION R10.1
    """Chat: the position of the entry that opened its session."""
    learner: LearnerInfo | None = None
    """Learner, leave: who comes, or goes."""

    @property
    def label(self) -> Label:
        """The birth label (term, seq)."""
        return Label(self.term, self.seq)

    @property
    def size(self) -> int:
        """An upper bound of the bytes this entry takes on the wire."""
        more = 0 if self.learner is None else 128 + 6 * len(self.learner.address)
        return 320 + len(self.client_id) + 4 * (len(self.text) + len(self.author) + len(self.room)) + more


def misfit(prev: Label, entries: tuple[Entry, ...], term: int, limits: Limits) -> str | None:
    """Say why `entries` cannot follow on `prev` in a frame of `term`, or None.

    Positions rise by one; terms never fall, for a new leader writes behind what it found; and none is above
    the term of the frame, for whoever sends it has entered every term of which it has an entry.
    """
    if (why := misplaced(prev, term)) is not None:
        return why
    if len(entries) > limits.batch_entries:
        return (
            f"a batch has {len(entries)} entries and limits.batch_entries is {limits.batch_entries} here; "
            "give all nodes the same limits"
        )
    at_least = prev.term
    for seq, entry in enumerate(entries, start=prev.seq + 1):
        if entry.seq != seq:
            return f"entry {entry.seq} stands where entry {seq} follows"
        if not at_least <= entry.term <= term:
            return f"entry {seq} is of term {entry.term}; behind term {at_least} and in term {term} it cannot be"
        if entry.session >= seq:
            return f"entry {seq} is of a session that position {entry.session} is to have opened; that comes first"
        at_least = entry.term
    return None


# --- finding each other ---------------------------------------------------------------------


class Join(Message, frozen=True):
    """I am up.  From a member to members; it changes no membership, term or timer.

    From anybody else it is a question (without an identity: whom could I join?), or it asks to be taken in as a
    learner, and a learner that was taken in repeats it for as long as it listens: that shows it who leads.
    """

    node: Begun
    address: Listening = ""
    identity: Folder = ""
    """The name of the learner's data folder."""
    nonce: Annotated[str, msgspec.Meta(max_length=32)] = ""
    """Of the life that asks; the answer repeats it."""
    via: Number = 0
    """The member that passed it on (0: none did)."""
    hops: Number = 0
    number: Number = 0
    """Which JOIN of a learner's life it is, from 1; the answer repeats it, too."""


JoinStatus = Literal["ok", "waiting", "refused", "left"]


class JoinAck(Message, frozen=True):
    """You are heard; this is what I know.

    `ok`: you are a member, or a learner.  `waiting`: no leader has taken the learner in yet, so ask again.
    `left`: the learner on this folder has left, for ever.
    """

    status: JoinStatus
    term: Grown
    members: tuple[Number, ...]
    leader: PeerInfo | None = None
    reason: str = ""
    code: Literal["", "identity", "taken", "member", "full"] = ""
    """`identity`: you do not run on the disk that I know you by; stop.  The others say why there is no such learner."""
    nonce: str = ""
    """Of the life that is answered.  A refusal that was under way for long must not stop a later one."""
    number: Number = 0
    """Of the JOIN that is answered; nor must it stop a life that was taken in meanwhile."""
    messages: Grown = 0
    """To a learner: how many messages the answering node has delivered."""
    config: ClusterConfig | None = None
    """To a question: what all nodes of the cluster agree on."""


class Leave(Message, frozen=True):
    """The learner `node` leaves for ever.  From itself, who alone can name its folder; or passed on by a member."""

    node: Begun
    identity: Folder
    nonce: Annotated[str, msgspec.Meta(max_length=32)] = ""
    via: Number = 0
    hops: Number = 0


# --- electing -------------------------------------------------------------------------------


class Election(Message, frozen=True):
    """Bully's probe: who is there, and may I try to lead?  Raises no term (Raft's PreVote, dissertation 9.6).

    `transfer` is (leader, term) when that leader asked this node to take over.  `low`: its disk is almost full.
    """

    term: Grown
    round: Number
    transfer: tuple[Number, Number] | None = None
    low: bool = False  # SPECIFICATION R6.13


class Ok(Message, frozen=True):
    """The answer to ELECTION.

    `takeover`: I am higher and take it from here.  `support`: go ahead.  `alive`: there is a
    leader (attached).  `no`: you are not one of us.  `low`: the disk of the answering node is almost full.
    """

    term: Grown
    round: Number
    verdict: Literal["takeover", "support", "alive", "no"]
    leader: PeerInfo | None = None
    low: bool = False


class Prepare(Message, frozen=True):
    """Promise me to refuse every lower term (Paxos phase 1a, Raft RequestVote).

    `transfer` is the one of the ELECTION: whoever trusts that leader may promise all the same.
    """

    term: Begun
    transfer: tuple[Number, Number] | None = None


class Promise(Message, frozen=True):
    """I promise (and this is the end of my log), or I cannot: my term is higher, or another one has my promise.

    Raft's voter compares the two logs itself and answers with a bare yes.  Here the nominee compares, so
    it must hear what the voter holds, as in Paxos phase 1b and DOVIEWCHANGE of Viewstamped Replication.
    """

    term: Begun
    ok: bool
    last: Label = Label(0, 0)

    def wrong(self, limits: Limits) -> str | None:
        """A log ends before the term that is promised, or in it."""
        return misplaced(self.last, self.term)


class Coordinator(Message, frozen=True):
    """I lead this term; my barrier stands at `barrier`."""

    about: ClassVar[str] = "barrier"
    term: Begun
    leader: PeerInfo
    barrier: Begun
    commit: Grown


class TransferLead(Message, frozen=True):
    """You go before me and have caught up: nominate yourself now (Raft's TimeoutNow, dissertation 3.10)."""

    term: Begun
    to: Begun


# --- staying alive --------------------------------------------------------------------------


class Heartbeat(Message, frozen=True):
    """The leader is alive; `number` grows within a term, so a replayed one is recognised.

    Raft's heartbeat is an empty AppendEntries.  Here it is a frame of its own, because the two answer
    different questions: a PROPOSE asks what the follower's log holds, a HEARTBEAT whether it is there.
    """

    overtakes_disk: ClassVar[bool] = True
    about: ClassVar[str] = "commit"
    term: Begun
    number: Begun
    commit: Grown
    last: Label

    def wrong(self, limits: Limits) -> str | None:
        """What is committed stands in the log."""
        if self.commit > self.last.seq:
            return f"position {self.commit} is to be committed in a log that ends at {self.last.seq}"
        return misplaced(self.last, self.term)


class HeartbeatAck(Message, frozen=True):
    """I heard beat `number`; my log equals yours up to `verified` (it lets you send what I lack; copies are counted by ACK only).

    `low`: my disk is almost full, so do not ask me to take over.
    """

    about: ClassVar[str] = "verified"
    term: Grown
    ok: bool
    number: Grown
    verified: Grown = 0
    low: bool = False


# --- ordering -------------------------------------------------------------------------------


class Propose(Message, frozen=True):
    """The sequenced chat: `entries` follow directly on the entry labelled `prev`.

    Raft's AppendEntries, with prevLogIndex and prevLogTerm in one label.  It may overtake the disk of the
    leader, since to propose an entry promises nothing: only ACKs are counted, the leader's own included.
    One that brings nothing but the commit wants no ACK, for it tells and asks nothing.
    """

    overtakes_disk: ClassVar[bool] = True
    about: ClassVar[str] = "entries"
    term: Begun
    prev: Label
    entries: tuple[Entry, ...]
    commit: Grown
    wants_ack: bool = True

    def wrong(self, limits: Limits) -> str | None:
        """The entries follow on `prev`, and on each other."""
        return misfit(self.prev, self.entries, self.term, limits)


class Ack(Message, frozen=True):
    """My log equals yours up to `match`; or it does not, try after `hint` (None: not at all).

    It is cumulative, as in TCP: a later ACK says everything that a lost one said.  A refusal names the position
    `at` which the two logs were compared.
    """

    about: ClassVar[str] = "match"
    term: Grown
    ok: bool
    match: Grown = 0
    hint: Grown | None = None
    at: Grown = 0


# --- catching up ----------------------------------------------------------------------------


class Catchup(Message, frozen=True):
    """Send me what follows from position `first` on.

    `follow` asks the leader, `sync` asks the best promiser during an election, `relay` asks any
    node for committed entries.  (Viewstamped Replication Revisited: state transfer, by GETSTATE.)
    """

    about: ClassVar[str] = "first"
    term: Grown
    purpose: Literal["follow", "sync", "relay"]
    first: Begun
    nonce: Number


class CatchupReply(Message, frozen=True):
    """One chunk: `entries` follow on `prev`; `more` says that the server has further ones.

    `unknown` is set when the server does not have the entry before the chunk.
    """

    about: ClassVar[str] = "entries"
    term: Grown
    purpose: Literal["follow", "sync", "relay"]
    nonce: Number
    prev: Label
    entries: tuple[Entry, ...]
    more: bool
    commit: Grown
    unknown: bool = False

    def wrong(self, limits: Limits) -> str | None:
        """The entries follow on `prev`, and on each other; there are none if what they follow on is not there."""
        if self.unknown and self.entries:
            return f"{len(self.entries)} entries follow on one that is said not to be there"
        return misfit(self.prev, self.entries, self.term, limits)


# --- serving clients ------------------------------------------------------------------------

SubmitStatus = Literal["ok", "redirect", "busy", "gap", "unknown_session", "conflict", "too_large", "denied"]


class Submit(Message, frozen=True):
    """Please say this.  `(client_id, client_seq)` makes a retry harmless; client_seq 0 opens the session.

    `session` is the position at which the session was opened, as the answer to client_seq 0 told.
    """

    client_id: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,64}$")]  # SPECIFICATION R2.7
    client_seq: Grown
    room: str = ""
    author: str = ""
    text: str = ""
    via: Number = 0
    """The node that first forwarded it (0: none did)."""
    hops: Number = 0
    session: Grown = 0


class SubmitReply(Message, frozen=True):
    """What became of a SUBMIT.  `ok` means committed: it is delivered everywhere, for ever.

    An `ok` may speak of a run: of `count` messages of this session that follow each other in the client's
    count, in the log and in the chat.  The numbers are those of the first.
    """

    overtakes_disk: ClassVar[bool] = True
    about: ClassVar[str] = "seq"
    client_id: str
    client_seq: Grown
    status: SubmitStatus
    reason: str = ""
    seq: Grown = 0
    msg_no: Grown = 0
    leader: PeerInfo | None = None
    count: Begun = 1


class Subscribe(Message, frozen=True):
    """Push me committed messages after message number `after`, of one room or of all.

    `last` says: and of what is there now no more than so many, the newest ones.  Only the node knows how many there are.
    """

    after: Grown = 0
    room: str | None = None
    last: Number = 0


class Delivered(Message, frozen=True):
    """Committed chat entries, as everybody may see them, beside each its message number; and who leads (0: not known)."""

    overtakes_disk: ClassVar[bool] = True
    about: ClassVar[str] = "entries"
    entries: tuple[Heard, ...]
    numbers: tuple[Number, ...]
    leader: Number = 0

    def wrong(self, limits: Limits) -> str | None:
        """Each entry has its number, and both rise."""
        if len(self.entries) != len(self.numbers):
            return f"{len(self.entries)} entries have {len(self.numbers)} numbers"
        seq = number = 0
        for entry, its_number in zip(self.entries, self.numbers, strict=True):
            if not (seq < entry.seq <= GROWN and number < its_number <= GROWN):
                return f"entry {entry.seq} with number {its_number} stands behind entry {seq} with number {number}"
            seq, number = entry.seq, its_number
        return None


NODE_MESSAGES = (
    Join, JoinAck, Leave, Election, Ok, Prepare, Promise, Coordinator, TransferLead, Heartbeat, HeartbeatAck,
    Propose, Ack, Catchup, CatchupReply, Submit, SubmitReply, Subscribe, Delivered,
)  # fmt: skip
"""What may travel on a link of the chat."""
