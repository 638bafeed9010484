"""Ordering: the leader gives every message its number, followers accept them in that order.

    leader    Order --> entry 7 --PROPOSE(prev 6, [7])--> follower: holds 6?  append, ACK(7)
                                                          has a gap?          hold back, ACK(no, last)
              a quorum holds 7, and 7 is of my term --> commit --(with the next PROPOSE)--> followers

`Sequencer` is the leader's side: what to send whom, and what is committed.  `Receiver` is the
follower's: a batch that arrives early waits in the hold-back queue until the gap is closed.

Assumes   `fence` let only the current leader's PROPOSE and this term's ACK through.
Promises  a log equals the leader's up to `verified`; nothing is committed that a quorum does not
          hold durably; entries of older terms commit only through one of the own term (Raft 5.4.2).

How a leader finds out where a follower's log ends.  It need not know when it begins to lead, and it
must not believe an old guess.  So it keeps a `Progress` for each follower, in one of two modes, as
etcd's Raft does:

    probing (StateProbe)          one PROPOSE under way, which asks: do you hold the entry at `prev`?
      |  ACK(ok)      ^  ACK(no, hint) - LinkUp - silence - stood still for two heartbeats
      v               |
    sending (StateReplicate)      a window of PROPOSEs under way; `next` runs ahead of `match`

`match` is Raft's matchIndex: what is known, and what commits are counted from.  `next` is Raft's
nextIndex: a guess, where a mistake costs a frame and nothing else.

Why a copy of an older term does not count.  With nodes 1, 2 and 3 (Raft's figure 8 has five):

    term 1   3 leads and writes x at position 4, on itself only; it crashes
    term 2   2 leads by the promise of 1, writes its barrier at 4, on itself only; it crashes
    term 3   3 leads by the promise of 1, and sends x to 1: now x is on 3 and on 1, a quorum

If 3 called x committed and then crashed, 2 could come back, lead term 4 by the promise of 1, since its
log ends in term 2 and that of 1 in term 1, and replace x.  But suppose 3 first brings its own barrier
to 1, at position 5.  Then the log of 1 ends in term 3, 2 must copy it before it leads, and x is safe.
So a commit is counted at an entry of the own term, and takes with it whatever stands before.

Read also `log.splice`, `holdback`, `catchup` (gaps too long to wait for), lab 03; Raft 5.3 and 5.4.
"""

from collections.abc import Sequence
from random import Random
from typing import Any, ClassVar

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Effects, Note, Send
from chatsys.actor.events import LinkUp
from chatsys.config import ClusterConfig
from chatsys.protocol.decisions import Disown, Release, Yield
from chatsys.protocol.holdback import HoldBack
from chatsys.protocol.messages import Ack, Coordinator, Entry, Heartbeat, HeartbeatAck, Propose
from chatsys.protocol.part import Part
from chatsys.protocol.state import NodeState


class Progress:
    """What the leader knows of one follower, and what it guesses (in etcd's Raft: tracker.Progress).

        base        next                last
         |  sent, not acknowledged  |    |        sending: next - base is bounded by the window
         `--- where to begin again       |        probing: next == base + 1, one PROPOSE under way

    A new leader guesses that each log ends where its own ends, so it begins in the sending mode and
    learns of its mistake by the first refusal.
    """

    def __init__(self, probe_from: int, wait: float) -> None:
        self.next = probe_from + 1
        """The first position not sent yet."""
        self.base = probe_from
        """Where to start again: the last matched position, or the last guess before any ACK."""
        self.match = 0
        """The follower's log equals ours up to here, durably."""
        self.kept = 0
        """What an earlier life of the follower acknowledged: the present one must still hold it."""
        self.disk, self.life = "", 0
        """The name of the follower's disk, and the life that it is in."""
        self.told = 0
        """The commit it was told."""
        self.seen = -1
        """What it had verified at the previous heartbeat."""
        self.probing = False
        """Looking for the point where the logs agree: one PROPOSE at a time."""
        self.sent_probe = False
        self.wait = wait
        """How long until the next repetition, doubling."""


class Sequencer(Part):
    """The leader's side: numbers messages, replicates them, decides what is committed."""

    handles = (Ack, HeartbeatAck, LinkUp)

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.progress: dict[int, Progress] = {}
        self.own_match = 0
        """How far the own log is durable, by the own ACK."""
        self.own_asked = 0
        self.barrier = 0

    # --- numbering -------------------------------------------------------------------------

    def lead(self, now: float) -> Effects:
        """Open the term with a barrier: whatever came before it commits with it.

        Without one, a leader whose log holds x of an older term could not commit x before some client says
        something new; if nobody does, whoever said x waits for ever.  So each leader says something itself,
        which no user sees.  (Raft, section 8: a blank no-op entry at the start of the term.)  Its commit is
        also the moment from which on this leader knows all that its predecessors committed: it is `ready`.
        """
        last = self.log.last_seq
        self.progress = {peer: self._guess(peer) for peer in self.state.members.others}
        self.own_match = self.own_asked = 0
        self.state.ready = False
        self.barrier = last + 1
        effects = self.order((Entry(0, 0, "barrier"),), now)  # SPECIFICATION R8.2
        state = self.state
        announce = Coordinator(state.term, state.members.peer(state.me), self.barrier, self.log.commit)
        return [*effects, Note("lead", seq=self.barrier), *[Send(peer, announce) for peer in state.members.others]]

    def _guess(self, peer: int) -> Progress:
        """Return what a leader begins with: the guess that the follower's log ends where its own does."""
        progress = Progress(self.log.last_seq, self.timing.retransmit)
        if (met := self.state.met.get(peer)) is not None:
            progress.disk, progress.life = met.name, met.incarnation
        return progress

    def order(self, drafts: Sequence[Entry], now: float) -> Effects:
        """Give the `drafts` the next sequence numbers and this term, in their order, for ever."""
        last, term = self.log.last_seq, self.state.term
        time = max(self.log.entry(last).time if last else 0.0, round(now, 3))
        # SPECIFICATION R8.1
        numbered = [
            msgspec.structs.replace(draft, seq=seq, term=term, time=time)
            for seq, draft in enumerate(drafts, start=last + 1)
        ]
        effect = self.log.append(*numbered)
        self.log.verify_to(self.log.last_seq)
        return [effect]

    def follow(self, now: float, decision: Yield) -> Effects:
        """Stop replicating."""
        self.progress = {}
        self.state.ready = False
        self.alarms.clear(*list(self.alarms.dates))
        return []

    # --- replicating -----------------------------------------------------------------------

    def settle(self, now: float) -> Effects:
        """Say what is owed: the own copy to oneself, one PROPOSE to each follower.

        The leader does not write first and send then.  Its PROPOSE and its own disk are under way at the
        same time, and its ACK to itself waits in the outbox until its disk is done.  So a leader with a slow
        disk commits by the copies of the others, without its own (Raft dissertation 10.2.1).  If it counted
        its own copy while that is in memory only, then with node 1 it would say `ok`, crash, come back
        without the entry while 1 is away, and find a quorum with 2, which never had it (the schedule Q8).
        """
        if not self.state.leads:
            return []
        effects: Effects = []
        if self.own_asked < self.log.last_seq:
            self.own_asked = self.log.last_seq
            # SPECIFICATION R8.7, R12.4
            effects.append(Send(self.state.me, Ack(self.state.term, True, self.own_asked)))
        for peer, progress in self.progress.items():
            if peer not in self.state.down and peer not in self.state.refused:  # SPECIFICATION R8.13
                effects += self._feed(peer, progress, now)
        return effects

    def _feed(self, peer: int, progress: Progress, now: float) -> Effects:
        """Send one follower what it is owed now.

        Probing: the one PROPOSE, unless it is under way already.  Sending: batch after batch until the
        window is full, and an empty PROPOSE, to be read and not answered, if only the commit is news.  Whoever is not known to have
        everything has an alarm, which is named after the follower: any of these frames may be lost,
        and then nothing but time can tell.
        """
        last = self.log.last_seq
        effects: Effects = []
        if progress.probing:
            if not progress.sent_probe:
                progress.sent_probe = True
                effects.append(self._propose(peer, progress))
        else:
            # SPECIFICATION R8.4
            while progress.next <= last and progress.next - progress.base <= self.config.limits.window_entries:
                effects.append(self._propose(peer, progress))
            if progress.told < self.log.commit:
                effects.append(self._tell_commit(peer, progress))
        if (progress.probing or progress.match < last) and peer not in self.alarms:  # SPECIFICATION R8.11
            self.alarms.set(peer, now + progress.wait)
        return effects

    def _propose(self, peer: int, progress: Progress) -> Send:
        """Return the batch from `next` on; a probe does not move `next`, for it is a question."""
        prev = self.log.label(progress.next - 1)
        entries = self.log.batch(progress.next, self.config.limits)
        if not progress.probing:
            progress.next += len(entries)
        progress.told = self.log.commit
        return Send(peer, Propose(self.state.term, prev, entries, self.log.commit))

    def _tell_commit(self, peer: int, progress: Progress) -> Send:
        """Say what is committed; nothing is asked, so nothing comes back that this leader would have to read."""
        progress.told = self.log.commit
        prev = self.log.label(progress.next - 1)
        return Send(peer, Propose(self.state.term, prev, (), self.log.commit, wants_ack=False))  # SPECIFICATION R8.21

    def on_alarm(self, name: Any, now: float) -> Effects:
        """A follower has not answered for a while: start again from the last safe point, patiently."""
        progress = self.progress.get(name)
        if progress is not None:
            progress.wait = min(2 * progress.wait, self.timing.retransmit_max)
            self._restart(progress, progress.base)
        return []

    def _restart(self, progress: Progress, base: int) -> None:
        """Probe from after `base`: whatever was sent beyond it counts as lost."""
        progress.next = base + 1
        progress.probing, progress.sent_probe = True, False

    # --- hearing back ----------------------------------------------------------------------

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Count what followers hold; find out where a follower's log ends."""
        if not self.state.leads or not isinstance(sender, int):
            return []
        match message:
            case Ack(ok=True, match=match):
                if match > self.log.last_seq:  # SPECIFICATION R8.5
                    return []
                if sender == self.state.me:
                    self.own_match = max(self.own_match, match)
                elif sender in self.progress:
                    self._matched(sender, match, now)
                return self._commit()
            case Ack(hint=hint, at=at) if hint is not None and sender in self.progress:  # SPECIFICATION R8.10
                if self.has_forgotten(self.progress[sender], at):
                    return self._disown(sender, at)
                self._refused(self.progress[sender], hint)
            case HeartbeatAck(verified=verified) if sender in self.progress:
                self._compare(self.progress[sender], verified)
            case LinkUp() if sender in self.progress:  # SPECIFICATION R8.13
                self._meet(self.progress[sender], message)
        return []

    def _meet(self, progress: Progress, link: LinkUp) -> None:
        """A link came up: begin where the follower was; on another disk, with nothing."""
        disk, life = link.identity.name, link.incarnation
        if progress.disk != disk:
            progress.match = 0
            progress.base = self.log.last_seq
        if (progress.disk, progress.life) != (disk, life):
            progress.kept = progress.match
        progress.disk, progress.life = disk, life
        progress.wait = self.timing.retransmit
        self._restart(progress, progress.base)

    def has_forgotten(self, progress: Progress, at: int) -> bool:
        """Tell whether a follower that refuses at `at` lacks what an earlier life of it acknowledged in this term.

        An ACK means "on my disk", and only a leader of a newer term could have voided it.  So the follower came
        back with an older copy of its folder.  It may have forgotten promises and other acknowledgements as well.
        """
        return self.state.members.safe and 0 < at <= progress.kept  # SPECIFICATION R4.10

    def _disown(self, peer: int, at: int) -> Effects:
        kept = self.progress[peer].kept
        self.progress[peer] = self._guess(peer)
        self.alarms.clear(peer)
        reason = f"it lacks position {at}, though it had acknowledged everything up to {kept}"
        return [Disown(peer, f"{reason}: its data folder is an older copy")]

    def _matched(self, peer: int, match: int, now: float) -> None:
        """Take in that the follower holds everything up to `match`, on its disk.

        Any ACK that says yes ends the probing: the logs agree somewhere, so the window may open again.
        Only progress takes off the alarm and makes the next wait short; a repeated or overtaken ACK
        says nothing new, unless there is nothing left to send.  `match` never goes back: what a
        follower once confirmed it keeps, as long as this leader leads (Raft: matchIndex increases
        monotonically).
        """
        progress = self.progress[peer]
        progress.probing = False
        if match > progress.match:  # SPECIFICATION R8.5
            progress.match = match
            progress.base = match
            progress.wait = self.timing.retransmit
            self.alarms.clear(peer)
        elif progress.match >= self.log.last_seq:
            progress.wait = self.timing.retransmit
            self.alarms.clear(peer)
        progress.next = max(progress.next, match + 1)

    def _refused(self, progress: Progress, hint: int) -> None:
        """Go back to where the follower says its log may agree; while probing only further back.

        `hint` is the answer to "do you hold `prev`?".  If the follower's log is too short, the hint is
        its end.  If it holds another entry there, the hint is the end of what precedes that whole term:
        Raft's conflict term (5.3) with the search done by the follower.  Either way one refusal saves
        walking back entry by entry.

        A window of batches that runs into a gap comes back as many refusals.  The first makes this
        leader probe; the others are answers to batches that it has given up already.  If each of them
        restarted the sending, each restart would bring new refusals, and the frames would multiply
        (the schedule Q25).  So while probing a hint counts only if it lies below the probe.
        """
        if self.state.members.safe:
            hint = max(hint, progress.match)  # SPECIFICATION R8.8
        else:
            progress.match = min(progress.match, hint)
        if progress.probing and hint >= progress.next - 1:  # SPECIFICATION R8.9
            return
        progress.base = min(hint, self.log.last_seq)
        self._restart(progress, progress.base)

    def _compare(self, progress: Progress, verified: int) -> None:
        """A follower that stood still since the last beat, short of our log: send from there again.

        This heals what no ACK reports: the refusal was lost, or the batch and its repetition were.  It
        takes two equal answers, because one may have left the follower before a batch that is on its
        way.  (TCP's fast retransmit waits for three duplicate acknowledgements, for the same reason.)  A
        probe that has not been sent yet is let alone, for it asks the same.
        """
        stuck = verified == progress.seen and verified < self.log.last_seq  # SPECIFICATION R8.12
        progress.seen = verified
        if stuck and not (progress.probing and not progress.sent_probe):
            if self.state.members.safe:
                progress.base = max(progress.match, verified)
            else:
                progress.base = progress.match = verified
            self._restart(progress, progress.base)

    def held_by_quorum(self) -> int:
        """Return the largest position that a quorum holds durably.

        In falling order, the position at place `quorum` is the largest that so many nodes reach.  If the
        three nodes hold 9, 7 and 4, then two of them hold everything up to 7.
        """
        refused = self.state.refused
        matches = [0 if node in refused else progress.match for node, progress in self.progress.items()]
        held = sorted([self.own_match, *matches], reverse=True)  # SPECIFICATION R4.7
        return held[self.state.members.quorum - 1]

    def may_commit(self, seq: int) -> bool:
        """Tell whether what a quorum holds up to `seq` is committed: only if the entry there is of this term.

        An entry of an older term may stand on a quorum and still be replaced, by a leader whose own log ends
        in a newer term than those copies (Raft 5.4.2; the story is at the top of this page).  Once an entry
        of *this* term stands on a quorum, no such leader can be elected any more.
        """
        return self.log.term_at(seq) == self.state.term  # SPECIFICATION R8.6

    def _commit(self) -> Effects:
        """Commit what may be committed; the first commit of a leadership makes this leader ready."""
        seq = self.held_by_quorum()
        if seq <= self.log.commit or not self.may_commit(seq):
            return []
        effects = self.log.commit_to(seq)
        if not self.state.ready:  # SPECIFICATION R8.3
            self.state.ready = True
            effects.insert(1, Note("ready", seq=self.barrier))
        return effects


class Receiver(Part):
    """The follower's side: accepts entries in order, holds back what comes early."""

    handles = (Propose, Heartbeat)
    queue_class: ClassVar[type[HoldBack]] = HoldBack
    """What holds early batches back."""

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.early = self.queue_class(config.limits)
        self.owed: int | None = None
        """The ACK to send at the end of the turn: equal to the leader's log up to here."""
        self.complained = -1
        """The end of the log when the last gap was reported: one report per gap; if it is lost, heartbeats heal."""

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Take entries, and what is committed, from the leader.  The fence has passed."""
        match message:
            case Propose() if isinstance(sender, int):
                return self._accept(sender, message)
            case Heartbeat(commit=commit):
                return self.log.commit_to(self.bound(commit))
        return []

    def _accept(self, sender: int, batch: Propose) -> Effects:
        if batch.prev.seq > self.log.last_seq:
            return self._hold(sender, batch)  # SPECIFICATION R8.14
        if not self.agrees(batch):
            hint = self._before(batch.prev.seq)
            return [Send(sender, Ack(self.state.term, False, hint=hint, at=batch.prev.seq))]  # SPECIFICATION R8.15
        effects = self.log.splice(batch.entries, batch.prev.seq)  # SPECIFICATION R8.16, R8.19
        end = batch.prev.seq + len(batch.entries)
        self.log.verify_to(end)
        if batch.wants_ack:
            self.owed = max(self.owed or 0, end)  # SPECIFICATION R8.16, R8.21
        effects += self.log.commit_to(self.bound(batch.commit))
        return effects + self._release(sender)

    def agrees(self, batch: Propose) -> bool:
        """Tell whether the entry before the batch is the leader's; then so is all that stands before it (Raft 5.3)."""
        return self.log.holds(batch.prev)

    def _release(self, sender: int) -> Effects:
        """Let out of the hold-back queue what follows now: through the whole door, fence included."""
        early = self.early.release(self.log.last_seq)
        return [] if early is None else [Release(sender, early)]  # SPECIFICATION R8.20

    def _hold(self, sender: int, batch: Propose) -> Effects:
        """Hold the early batch back and report the gap, once; catch-up reports the long ones.

        Mostly nothing was lost and the missing batch is on its way, so the report is for the case that
        it is not.  Once a gap is enough: the leader then sends everything from `last` on, and if the
        report is lost the leader sees at the heartbeats that this node stands still.
        """
        kept = self.early.hold(batch)
        reason = "kept" if kept else "dropped: the hold-back queue is full"
        effects: Effects = [Note("hold", seq=batch.prev.seq + 1, peer=sender, reason=reason)]
        if self.may_complain(batch):
            self.complained = self.log.last_seq
            effects.append(Send(sender, Ack(self.state.term, False, hint=self.complained, at=batch.prev.seq)))
        return effects

    def may_complain(self, batch: Propose) -> bool:
        """Tell whether to report the gap before this early batch: once for each gap, and only if it is short."""
        gap = batch.prev.seq - self.log.last_seq
        return self.complained != self.log.last_seq and gap <= self.config.limits.batch_entries  # SPECIFICATION R8.14

    def _before(self, seq: int) -> int:
        """Return where the logs may agree: before the whole term that disagrees at `seq`.

        The leader's log has another entry at `seq`.  Our entries of that term may all be wrong or only
        the last ones; to go back by the whole term is at most one batch too far, and takes one round
        for each term in which the logs differ.  What is committed here agrees with any leader's log.
        """
        before = self.log.start_of_term(seq) - 1
        return max(before, self.log.commit) if self.state.members.safe else before  # SPECIFICATION R8.15

    def bound(self, leaders: int) -> int:
        """Return how far the leader's commit counts here: never beyond `verified`, for what follows may be a dead leader's.

        The leader's number speaks of the leader's log.  Raft says min(leaderCommit, index of last new
        entry), which is the same bound: the end of what this leader's batches have proved equal.  The
        end of the own log would be wrong (the schedule Q9).
        """
        return min(leaders, self.log.verified)  # SPECIFICATION R8.18

    def settle(self, now: float) -> Effects:
        """One cumulative ACK for the whole turn.

        It names the end of what is equal, so one frame confirms a hundred batches, and a lost one is made
        good by the next.  As it is said after the entries were appended, it waits for their sync, and that
        one sync is for all of them, too.
        """
        if self.owed is None or self.state.leader is None or self.state.leads:
            return []
        ack = Ack(self.state.term, True, self.owed)
        self.owed = None
        return [Send(self.state.leader, ack)]

    def follow(self, now: float, decision: Yield) -> Effects:
        """What an older leader sent early is void under the next one; `holdback` tells why. SPECIFICATION R8.20."""
        self.early.clear()
        self.owed, self.complained = None, -1
        return []

    def lead(self, now: float) -> Effects:
        """A leader holds nothing back."""
        self.early.clear()
        self.owed = None
        return []
