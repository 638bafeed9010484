"""Where a node stands: its role and the legal moves between roles, its term, promise and leader.

                 silence                a quorum supports        promises of a quorum
    FOLLOWER -----------> NOMINATING ----------------> PREPARING ----------> LEADER
        ^                   |    ^                       |    \\                ^
        |    a higher one   v    | it did not            |     `-> SYNCING -----'
        |    answers      DEFERRING  take over           |           (fetch the best log first)
        `--------- failed, or somebody leads ------------'

A *term* is the number of one leadership; it only grows.  A node promises each term to at most one
nominee, and refuses every lower term from then on.  (Raft calls it term too, Paxos ballot, Viewstamped
Replication view.)  Raft has three roles, with one name, candidate, for all that lies between follower
and leader.  Here each step of the way has its own: NOMINATING asks without raising the term (Raft's
PreVote), DEFERRING is Bully's politeness, PREPARING asks for promises (Paxos phase 1), and SYNCING
fetches what Raft's candidate must already have.

Promises  `become` allows the moves in MOVES and no others; the table of roles in SPECIFICATION.md is held
          against it.
Read also `election` and `succession`, who walk the moves; `node`, who owns the one NodeState.
"""

from enum import Enum

from chatsys.actor.effects import Note
from chatsys.actor.events import NO_IDENTITY, Identity
from chatsys.config import ClusterConfig
from chatsys.protocol.log import Log
from chatsys.protocol.members import Members
from chatsys.protocol.messages import PeerInfo
from chatsys.protocol.storage import Remembered

NUMBERS_A_LIFE = 1_000_000
"""Rounds and nonces start anew from the incarnation, so an answer to an earlier life never counts."""
NUMBERS_A_FOLDER = 2**31
"""And from the name of the folder: an emptied one begins with life 1 once more, while old answers are under way."""
FOLDERS = 2**21
"""So many ranges of numbers there are, so that every number is exact in JSON (below 2^53)."""


class Role(Enum):
    """What a node is doing about leadership."""

    FOLLOWER = "follower"
    """Follows the leader it knows, or waits to hear of one."""
    NOMINATING = "nominating"
    """Asks everyone whether it may try to lead (Bully's ELECTION)."""
    DEFERRING = "deferring"
    """A higher node answered; stands back for it, once."""
    PREPARING = "preparing"
    """Asks for promises for its new term."""
    SYNCING = "syncing"
    """Fetches the best log among the promisers."""
    LEADER = "leader"
    """Gives every message its number."""

    def __init__(self, word: str) -> None:
        self.word = word
        """What the trace calls it; `value` says the same, but takes as long as twenty look-ups, and each turn asks."""


MOVES: dict[Role, frozenset[Role]] = {  # SPECIFICATION R4.2
    Role.FOLLOWER: frozenset({Role.NOMINATING}),
    Role.NOMINATING: frozenset({Role.DEFERRING, Role.PREPARING, Role.FOLLOWER}),
    Role.DEFERRING: frozenset({Role.NOMINATING, Role.FOLLOWER}),
    Role.PREPARING: frozenset({Role.SYNCING, Role.LEADER, Role.FOLLOWER}),
    Role.SYNCING: frozenset({Role.LEADER, Role.FOLLOWER}),
    Role.LEADER: frozenset({Role.FOLLOWER}),
}


class NodeState:
    """The facts that all parts of one node share; each is written by one part only. SPECIFICATION R4.4."""

    def __init__(self, me: int, config: ClusterConfig) -> None:
        self.me = me
        self.log = Log(Members.of(config, me))
        self.incarnation = 0
        """Which life of the process this is, from 1."""
        self.identity: Identity = NO_IDENTITY
        """The name of the own data folder, and the nonces of its latest lives."""
        self.role = Role.FOLLOWER
        self.term = 0
        self.promised_to: int | None = None
        """Whom this node promised its term to."""
        self.leader: int | None = None
        """The leader of this term, once heard (or this node itself)."""
        self.heard = 0
        """The number of the last heartbeat heard from this leader in this term."""
        self.trust = False
        """Set while the leader was heard recently; written by failure."""
        self.lease_valid = False
        """Set while this node leads and a quorum answers its heartbeats; written by failure."""
        self.ready = False
        """Set while this node leads and an entry of its own term is committed; written by ordering."""
        self.handing_over = False
        """Set while this leader waits for another member to take over; written by succession."""
        self.transfer: tuple[int, int] | None = None
        """(leader, term) if that leader asked this node to take over; written by election."""
        self.low = False
        """Whether the own disk is almost full; written by sessions, who hear it from the host."""
        self.messages = 0
        """How many messages were delivered; written by sessions."""
        self.leaving = False
        """Set from the order to stand down on, for the rest of this life; written by departure."""
        self.met_leader = False
        """Whether a leader was heard in this life."""
        self.down: set[int] = set()
        """Members whose process is known to be gone; written by membership."""
        self.met: dict[int, Remembered] = {}
        """Each member as it was met last: on which disk, in which life; written by identity."""
        self.refused: dict[int, str] = {}
        """Members whose disk cannot be the one that was met, and the sentence why; written by identity."""

    @property
    def members(self) -> Members:
        """Who counts: ask it each time, and keep no copy."""
        return self.log.members

    @property
    def leads(self) -> bool:
        """Whether this node leads."""
        return self.role is Role.LEADER

    @property
    def stands_back(self) -> bool:
        """Whether this node should not lead if another one can: its disk is almost full, or it is about to stop."""
        return self.low or self.leaving  # SPECIFICATION R6.16

    @property
    def leader_info(self) -> PeerInfo | None:
        """Id and address of the leader, if it is known."""
        return None if self.leader is None else self.members.peer(self.leader)

    @property
    def transferring(self) -> bool:
        """Whether this node nominated itself because its leader asked for it."""
        return self.role is Role.NOMINATING and self.transfer is not None

    @property
    def trusted(self) -> int | None:
        """The other node that this one trusts to lead, if any."""
        return self.leader if self.trust and not self.leads else None

    def endorses(self, transfer: tuple[int, int] | None) -> bool:
        """Tell whether `transfer` names the leader this node trusts, or itself leading, in this term.

        Then it is that leader's own wish that another node takes over, and trust is no reason to refuse.
        Leader and term must both fit: a late copy must not depose the next leader.

            term 1   2 leads and asks 3 to take over; 3 asks 1 with transfer (2, 1), but its ELECTION is late
            term 3   2 leads again, and 1 trusts it: now the ELECTION arrives, and is answered `alive`
        """
        leader = self.me if self.leads else self.trusted
        # SPECIFICATION R6.12
        return transfer is not None and leader is not None and tuple(transfer) == (leader, self.term)

    def next_number(self, last: int) -> int:
        """Return a round or nonce after `last` that no earlier life of this node used, on this disk or on another."""
        folder = int(self.identity.name[:8], 16) % FOLDERS if self.identity.name else 0
        first = folder * NUMBERS_A_FOLDER + self.incarnation * NUMBERS_A_LIFE
        return max(last, first) + 1  # SPECIFICATION R6.7

    def become(self, role: Role, reason: str) -> Note:
        """Move to `role`; return the note for the trace."""
        assert role in MOVES[self.role], f"no rule leads from {self.role.value} to {role.value}"
        self.role = role
        return Note("role", role=role.value, term=self.term, reason=reason)

    def enter(self, term: int, promised_to: int | None, leader: int | None = None) -> None:
        """Enter a term (or learn its leader): what was proved of the old leader's log counts no more.

        Whoever calls this also appends a `Promised` record, before any frame that carries the term.
        `promised_to` is None for a term that was only heard of; it is then promised to nobody later.
        """
        self.term = term  # SPECIFICATION R3.10
        self.promised_to = promised_to
        self.set_leader(leader)

    def set_leader(self, leader: int | None) -> None:
        """Follow another leader, or none: nothing is verified against its log yet."""
        self.leader = leader
        self.heard = 0
        self.trust = False
        self.log.doubt()
        self.met_leader = self.met_leader or leader is not None
