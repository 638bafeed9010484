"""Succession: the promises, and the log that a new leader must first adopt.

Bully chooses who tries to lead; this part decides who is safe.  A nominee opens a new term and
asks for promises.  Who promises refuses all lower terms from then on, so the old leader can
decide nothing more once a quorum has promised.  The nominee then copies the best log among the
promisers, and only then leads.

    PREPARE(t) -->  everyone           <-- PROMISE(t, last label)      (Paxos phase 1)
    best = greatest (last term, last seq) of a quorum of promisers
    best <= own last ? LEAD : CATCHUP(sync) from that promiser, then LEAD

Why the best log is enough: what is committed stands on a quorum, any two quorums of a safe
cluster share a node, and the log with the greatest last label has everything that node had
committed (Raft 5.4.1, with a copy in place of a refused vote).

Why a promise refuses the old leader, and not only other nominees:

    term 1   3 leads and holds x; its PROPOSE of x to node 1 is late, and 2 never gets one
    term 2   2 asks; 1 promises, and its log ends before x.  Now the PROPOSE of x arrives at 1

If 1 took it in, its ACK would let 3 commit x on {1, 3}, while 2 leads without x and gives the position
to another entry.  So once a quorum has promised, the logs that were told of are frozen: what none of
them holds, the old leader can never commit.  (Paxos phase 1b: accept nothing below n.)

Assumes   a promise is durable before it is sent: `outbox.Outbox` sees to it.
Promises  one leader per term; its log holds everything committed in lower terms.
Read also `election` (who nominates), `ordering` (what a leader does).
"""

from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Append, Effects, Note, Send
from chatsys.config import ClusterConfig
from chatsys.errors import BrokenInvariant
from chatsys.protocol.decisions import HandOver, Lead, Stand, Suspect, Yield
from chatsys.protocol.log import START
from chatsys.protocol.messages import GROWN, Catchup, CatchupReply, Entry, Label, Prepare, Promise, TransferLead
from chatsys.protocol.part import Part
from chatsys.protocol.state import NodeState, Role
from chatsys.protocol.storage import Promised


class Succession(Part):
    """Writes term, promise and leader; adopts the best log before it leads."""

    handles = (Prepare, Promise, CatchupReply, TransferLead)

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.promises: dict[int, Label] = {}
        """Who promised this node's term, and the last label of each one's log."""
        self.source: int | None = None
        """The promiser with the best log, while syncing."""
        self.nonce = 0
        self.collected: list[Entry] = []
        self.collected_prev = START

    # --- trying to lead --------------------------------------------------------------------

    def stand(self, decision: Stand, now: float) -> Effects:
        """Open a new term and ask everyone for a promise; the own one goes through the own disk.

        The own promise is a frame to oneself, which the outbox holds until the record is durable.  With
        quorum 1 it is the only promise.  If it counted in memory, this node could lead term 5, crash before
        the record is on its disk, and lead term 5 once more; and as PROPOSE does not wait for the disk,
        others would hold entries of both lives under the same labels.
        """
        state = self.state
        if state.term >= GROWN:
            return [Yield("no term is left that another node would believe", back_off=True)]
        state.enter(state.term + 1, promised_to=state.me)  # SPECIFICATION R7.1
        self.promises = {}
        self.alarms.set("prepare", now + self.timing.prepare_timeout)
        request = Prepare(state.term, decision.transfer)
        return [
            state.become(Role.PREPARING, "a quorum supports this node"),
            Append(Promised(state.term, state.me)),
            *[Send(peer, request) for peer in state.members.others],
            Send(state.me, Promise(state.term, True, self.log.last)),  # SPECIFICATION R7.5, R12.4
        ]

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Promise, count promises, collect the best log, or take over.  The fence has passed."""
        if not isinstance(sender, int):
            return []
        match message, self.state.role:
            case Prepare(), _:
                return self._promise(sender, message, now)
            case Promise(ok=True, last=last), Role.PREPARING:
                self.promises[sender] = last  # SPECIFICATION R7.5
                return self._complete(now) if len(self.promises) >= self.state.members.quorum else []
            case CatchupReply(purpose="sync"), Role.SYNCING if self.awaits(sender, message):
                return self._collect(message, now)
            case TransferLead(term=term), Role.FOLLOWER if sender == self.state.trusted and self.may_take_over():
                # SPECIFICATION R6.11
                return [Suspect(f"leader {sender} asks this node to take over", transfer=(sender, term))]
        return []

    def may_take_over(self) -> bool:
        """Tell whether this node takes the lead if its leader asks: not with a disk that is almost full, nor on its way out."""
        return not self.state.stands_back  # SPECIFICATION R6.14, R6.16

    def _complete(self, now: float) -> Effects:
        """Lead, or first fetch the best log among a quorum of promisers: greatest last term, then position.

        Viewstamped Replication chooses in the same order: the log of the latest normal view, and among those
        the one with the largest op-number (Revisited, 4.2).  By length alone the choice would be wrong: a
        leader that was cut off may have written much that no quorum ever held (see `messages.Label`).
        """
        source = max(self.promises, key=lambda node: (self.compared_by(self.promises[node]), node))
        if self.compared_by(self.promises[source]) <= self.compared_by(self.log.last):
            return [Lead()]
        self.source = source
        effects: Effects = [self.state.become(Role.SYNCING, f"the log of node {source} is newer")]
        return effects + self._fetch(self.log.commit + 1, now)

    def compared_by(self, last: Label) -> tuple[int, ...]:
        """Return what decides whether a log that ends in `last` is the better one: first the term, then the position.

        A longer log that ends in an older term may lack what a later leader has committed.
        """
        return last.term, last.seq  # SPECIFICATION R7.6

    def _fetch(self, first: int, now: float) -> Effects:
        """Begin to fetch the source's log from position `first` on, under a nonce of its own.

        The nonce is for an answer that is older than the question (the schedule Q10):

            term 2   3 was away, wants to lead, asks 1 for its log; the answer is late, 3 gives up
            term 3   2 leads and commits y, on 1 and itself; then it crashes
            term 4   3 tries again, asks 1 again, and now the old answer arrives

        It comes from the right node, and it lacks y.  Three rules guard here, each enough by itself: the
        fence drops what is of an older term, the nonce is an older one, and at the end the log is compared
        with what 1 has promised.  (The mutant that plays Q10 has to lift all three.)
        """
        self.nonce = self.state.next_number(self.nonce)
        self.collected = []
        self.collected_prev = self.log.label(first - 1)
        assert self.source is not None, "only a syncing node fetches"
        return self._ask(self.source, first, now)

    def _ask(self, source: int, first: int, now: float) -> Effects:
        self.alarms.set("prepare", now + self.timing.prepare_timeout)
        return [Send(source, Catchup(self.state.term, "sync", first, self.nonce))]

    def awaits(self, sender: int, reply: CatchupReply) -> bool:
        """Tell whether this answers what was asked last: an answer to an earlier round may lack what came since."""
        return reply.nonce == self.nonce and sender == self.source  # SPECIFICATION R7.7

    def _collect(self, chunk: CatchupReply, now: float) -> Effects:
        """Keep the chunk; when the last one is here, splice them all at once and lead.

        A chunk that repeats or overtakes another has another `prev` and is dropped.  Nothing is spliced
        before the last is here: an attempt that fails half way must not have cut off a tail of its own
        for entries that it then lacks.  At the end the log is compared with what was *promised*; it may
        be longer by then, for the promiser may have taken in more by a relay.
        """
        end = Label(self.collected[-1].term, self.collected[-1].seq) if self.collected else self.collected_prev
        if chunk.unknown or chunk.prev != end:
            if chunk.prev.seq != end.seq and not chunk.unknown:
                return []
            if self.state.members.safe:  # SPECIFICATION R7.9
                raise BrokenInvariant(
                    f"Node {self.source} promised the newest log but does not have entry {end.seq} of term "
                    f"{end.term}, which is committed here."
                )
            return [Note("anomaly", reason="the best log differs in a committed entry"), *self._fetch(1, now)]
        self.collected += chunk.entries
        assert self.source is not None, "only a syncing node collects"
        if chunk.more and chunk.entries:
            return self._ask(self.source, self.collected[-1].seq + 1, now)
        effects = self.log.splice(self.collected, self.collected_prev.seq)  # SPECIFICATION R7.7, R8.19
        self.collected = []
        if not self.is_complete():
            return [*effects, Yield("the best log came incomplete", back_off=True)]
        return [*effects, Lead()]

    def is_complete(self) -> bool:
        """Tell whether the log has everything that the promiser had when it promised."""
        assert self.source is not None, "only a syncing node asks"
        return self.log.last >= self.promises[self.source]  # SPECIFICATION R7.7

    def on_alarm(self, name: Any, now: float) -> Effects:
        """The attempt took too long, or the member asked to take over did not."""
        match name, self.state.role:
            case "prepare", Role.PREPARING | Role.SYNCING:  # SPECIFICATION R7.10
                missing = f"{len(self.promises)} of {self.state.members.quorum} promises came in time"
                return [Yield(f"the attempt to lead failed: {missing}", back_off=True)]
            case "hand", _:  # SPECIFICATION R6.10
                self.state.handing_over = False
        return []

    def lead(self, now: float) -> Effects:
        """The term has its leader: this node."""
        state = self.state
        self.alarms.clear("prepare")
        self.source, self.collected = None, []
        state.set_leader(state.me)
        return [state.become(Role.LEADER, "a quorum promised and the log is complete")]

    def follow(self, now: float, decision: Yield) -> Effects:
        """Give up what was under way."""
        self.alarms.clear("prepare", "hand")
        self.state.handing_over = False
        self.source, self.collected = None, []
        return []

    # --- helping others --------------------------------------------------------------------

    def _promise(self, sender: int, request: Prepare, now: float) -> Effects:
        """Answer PREPARE: ignore it, refuse it, or promise (Paxos phase 1b; Raft's vote).

        First trust: a node that hears a leader helps nobody to depose it, and says nothing at all, for
        a refusal would carry a term and mean more.  Then the term (`may_promise`).  Raft's voter also
        compares logs, and refuses a nominee whose log is older; here the nominee gets the promise, and
        copies the best log instead.

        Why trust comes before the term.  Node 1 hears nothing of leader 3, which 2 hears well.  If 2 promised
        whoever asks with a greater term, then 1 and 3 could depose each other without end, and nobody would
        be served for long (Raft 6: a server disregards RequestVote while it believes that a leader exists).
        """
        state = self.state
        if not state.endorses(request.transfer):  # SPECIFICATION R7.3
            leads = state.leads and state.lease_valid
            if leads or state.trusted not in (None, sender):
                return []
        if not self.may_promise(request.term, sender):
            return [Send(sender, Promise(state.term, False))]
        effects: Effects = []
        if (state.term, state.promised_to) != (request.term, sender):  # else PREPARE came twice
            state.enter(request.term, promised_to=sender)
            effects.append(Append(Promised(request.term, sender)))  # SPECIFICATION R7.4
        effects.append(Yield(f"promised term {request.term} to node {sender}"))
        return [*effects, Send(sender, Promise(request.term, True, self.log.last))]

    def may_promise(self, term: int, nominee: int) -> bool:
        """Tell whether this node may promise `term` to `nominee`: a newer term, or the own one if it has that already.

        To anybody else the own term is refused: two quorums of one term would share a node that promised twice.
        """
        own = self.state.term
        return term > own or (term == own and self.state.promised_to == nominee)  # SPECIFICATION R7.2

    def hand_over(self, decision: HandOver, now: float) -> Effects:
        """Ask a member that has caught up to take over; serve no new client meanwhile.

        What is numbered already goes on being replicated, and this node leads until the other's PREPARE
        arrives.  If nothing comes of it, the alarm `hand` lets this node serve clients again.
        """
        self.state.handing_over = True
        self.alarms.set("hand", now + self.timing.answer_timeout + self.timing.prepare_timeout)  # SPECIFICATION R6.10
        return [Send(decision.to, TransferLead(self.state.term, decision.to))]
