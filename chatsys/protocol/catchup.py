"""Catch-up: how a node that was away gets what it missed, chunk by chunk.

    follow   from the leader, when the gap is longer than one batch or the node is new to it;
             each chunk passes as if it were a PROPOSE: the same fence, the same splice
    relay    from any node, committed entries only: the way around a link that is cut
    sync     from the best promiser, during an election (asked for by `succession`, served here)

    2 --CATCHUP(follow, first 4)--> 3      3 --REPLY(prev 3, [4..259], more)--> 2
    2 --CATCHUP(follow, first 260)--> 3    ...until nothing is missing

Why a relay raises the term.  What is relayed is committed, so it may enter the log at once.  But the
node that takes it in may be in an older term than the leader that committed it, and then a delayed
PROPOSE of a leader in between passes its fence and voids a committed entry:

    term 1   5 gives x position 2, on nodes 5 and 1          x = (2, term 1)
    term 2   4 leads; 3 follows it; 4's PROPOSE(2, y) to 3 is late
    term 3   5 leads again with 1 and 2, and commits x
             3 gets x from 1 by relay.  Then 4's PROPOSE arrives at 3, which is still in term 2 ...

So node 3 first enters the term of the node that serves it, term 3, and then refuses the PROPOSE.  The
term of the entry would not do: x is of term 1 (the schedule Q24, found by thinking and not by seeds).

Why the asker counts, and not the server.  A chunk is sent only when it was asked for, and the next one
is asked for when the one before is here.  So a node that was away for a month is served at its own
pace, the leader keeps nothing in mind for it, and if it crashes half way nobody has to notice.  The
price is a round trip for each chunk.  The window of `ordering` has no such price, and is for followers
that keep up.

Why `follow` begins behind `verified`, and not behind the end of the own log.  Beyond `verified` the
own entries may be a dead leader's.  Asked for what follows on them, the new leader would send a chunk
that follows on another entry, and it would be refused; up to `verified` the two logs agree for certain.

Assumes   nothing of the answer's timing; a lost one is asked for again.
Promises  there is one way into the log, `log.splice`; a relay raises the term first, so that an
          older leader's delayed PROPOSE cannot void what came by it.
Read also `ordering` (short gaps).
"""

from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Append, Effects, Send
from chatsys.config import ClusterConfig
from chatsys.protocol.decisions import Release, Yield
from chatsys.protocol.log import START
from chatsys.protocol.messages import Catchup, CatchupReply, Coordinator, Heartbeat, Ok, Propose
from chatsys.protocol.part import Part
from chatsys.protocol.state import NodeState
from chatsys.protocol.storage import Promised


class CatchUp(Part):
    """Serves chunks to whoever may have them, and asks for those this node lacks."""

    handles = (Catchup, CatchupReply, Ok, Heartbeat, Coordinator, Propose)

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.nonce = 0
        self.newcomer = True
        """Nothing was heard of a leader yet in this life: any gap is worth a catch-up."""
        self.wait = self.timing.retransmit

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Serve, take in, or notice a gap."""
        if not isinstance(sender, int):
            return []
        match message:
            case Catchup():
                return self._serve(sender, message)
            case CatchupReply(purpose="follow"):
                return self._follow_chunk(sender, message, now)
            case CatchupReply(purpose="relay", nonce=self.nonce):
                return self._relay_chunk(sender, message)
            case Ok(verdict="alive"):
                return self._ask_relay(sender)  # SPECIFICATION R9.5
            case Heartbeat(last=last):
                return self._notice(last.seq, now)
            case Coordinator(barrier=barrier):
                return self._notice(barrier - 1, now)
            case Propose(prev=prev):
                return self._notice(prev.seq, now)
        return []

    # --- asking ----------------------------------------------------------------------------

    def _notice(self, leaders_last: int, now: float) -> Effects:
        """Ask for chunks if this log ends too far before the leader's, unless they are asked for already."""
        newcomer, self.newcomer = self.newcomer, False
        if "follow" in self.alarms or not self.is_too_far(leaders_last - self.log.last_seq, newcomer):
            return []
        self.wait = self.timing.retransmit
        return self._ask(now)

    def is_too_far(self, gap: int, newcomer: bool) -> bool:
        """Tell whether so many missing entries are worth asking for: a long gap always is, after a start any gap.

        A short gap in the middle of a life is mostly a frame that was overtaken, and the hold-back queue
        waits for it.  After a start nothing is under way that could still arrive.
        """
        return gap > (0 if newcomer else self.config.limits.batch_entries)  # SPECIFICATION R9.1

    def _ask(self, now: float) -> Effects:
        state = self.state
        if state.leader is None or state.leads:
            return []
        self.nonce = self.state.next_number(self.nonce)
        self.alarms.set("follow", now + self.wait)
        return [Send(state.leader, Catchup(state.term, "follow", self.log.verified + 1, self.nonce))]

    def on_alarm(self, name: Any, now: float) -> Effects:
        """The chunk did not come: ask again, more patiently."""
        self.wait = min(2 * self.wait, self.timing.retransmit_max)  # SPECIFICATION R9.4
        return self._ask(now)

    def _ask_relay(self, peer: int) -> Effects:
        """There is a leader I cannot hear; this peer can give me what is committed.

        The link between 1 and 3 is cut for good, 3 leads, and 2 hears both (a star).  Node 1 suspects 3 and
        asks 2, which answers `alive`.  No election helps node 1, for 3 leads and should go on.  But the
        answer shows a way around the cut: what is committed is the same everywhere, so 2 may tell it.
        """
        self.nonce = self.state.next_number(self.nonce)
        return [Send(peer, Catchup(self.state.term, "relay", self.log.commit + 1, self.nonce))]

    def follow(self, now: float, decision: Yield) -> Effects:
        """Another leader, another conversation."""
        self.alarms.clear("follow")
        return []

    def lead(self, now: float) -> Effects:
        """A leader has everything."""
        self.alarms.clear("follow")
        self.newcomer = False
        return []

    # --- taking in -------------------------------------------------------------------------

    def _follow_chunk(self, sender: int, chunk: CatchupReply, now: float) -> Effects:
        """Take in the chunk that was asked for, and ask for the next one."""
        if sender != self.state.leader or chunk.unknown or chunk.nonce != self.nonce:
            return []
        self.alarms.clear("follow")
        self.wait = self.timing.retransmit
        effects = self._take_in(sender, chunk)
        if chunk.more and chunk.entries:
            self.nonce = self.state.next_number(self.nonce)
            self.alarms.set("follow", now + self.wait)
            first = chunk.prev.seq + len(chunk.entries) + 1
            effects.append(Send(sender, Catchup(self.state.term, "follow", first, self.nonce)))
        return effects

    def _take_in(self, sender: int, chunk: CatchupReply) -> Effects:
        """Let the chunk in as if it were a PROPOSE.

        There is no second way of accepting entries: fence, `prev`, splice, `verified` and ACK are those
        of a live batch, so it does no harm that the same entries come live too.
        """
        return [Release(sender, Propose(chunk.term, chunk.prev, chunk.entries, chunk.commit))]  # SPECIFICATION R9.2

    def _relay_chunk(self, sender: int, chunk: CatchupReply) -> Effects:
        """Take in committed entries from a node that need not be the leader: term first, entries then."""
        state = self.state
        if chunk.unknown or not chunk.entries or not self.log.holds(chunk.prev):
            return []
        effects: Effects = []
        newest = max(chunk.term, chunk.entries[-1].term)  # SPECIFICATION R9.6
        if newest > state.term:
            state.enter(newest, promised_to=None)
            effects += [Append(Promised(newest, None)), Yield(f"node {sender} relays entries of term {newest}")]
        elif state.leads:  # SPECIFICATION R9.7
            return []
        effects += self.log.splice(chunk.entries, chunk.prev.seq)  # SPECIFICATION R8.19, R9.7
        end = chunk.entries[-1].seq
        self.log.verify_to(end)
        effects += self.log.commit_to(end)
        return effects + (self._ask_relay(sender) if chunk.more else [])

    # --- serving ---------------------------------------------------------------------------

    def _serve(self, sender: int, request: Catchup) -> Effects:
        """Answer with the next chunk, or with `unknown` if the log does not reach so far."""
        state, first, upto = self.state, request.first, self.may_serve(sender, request.purpose)
        if upto is None:
            return []
        if not 1 <= first <= self.log.last_seq + 1:  # SPECIFICATION R9.4
            reply = CatchupReply(state.term, request.purpose, request.nonce, START, (), False, 0, unknown=True)
            return [Send(sender, reply)]
        entries = self.log.batch(first, self.config.limits, upto)
        more = first - 1 + len(entries) < upto
        prev = self.log.label(first - 1)
        return [
            Send(sender, CatchupReply(state.term, request.purpose, request.nonce, prev, entries, more, self.log.commit))
        ]

    def may_serve(self, sender: int, purpose: str) -> int | None:
        """Return up to which position this node may serve `sender` for this purpose; None if it may not at all.

        Who serves decides what may be believed.  A follower copies the whole log of its leader in any case.
        The log of a promiser is frozen for its nominee.  Of any other node only the committed entries count:
        behind them may stand what a dead leader wrote on that node only (the schedule C14).
        """
        match purpose:
            case "follow" if self.state.leads:  # SPECIFICATION R9.3
                return self.log.last_seq
            case "sync" if self.state.promised_to == sender:  # SPECIFICATION R7.8
                return self.log.last_seq
            case "relay":  # SPECIFICATION R9.3
                return self.log.commit
        return None
