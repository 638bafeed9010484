"""Bully election: the highest node that is alive gets to try to lead.

A node that suspects its leader asks every other node.  If a higher one answers that it takes
over, the node stands back for it, once; if a quorum supports it and no higher one comes forward
in time, it stands.  (Garcia-Molina 1982 has the highest *claim* the lead; here it only wins the
right to try: `succession` asks a quorum for promises.)

    FOLLOWER --silence--> NOMINATING --a higher one answers--> DEFERRING
                            ^  |  `-- a quorum, none higher --> stand (PREPARING)
                            |  `----- no quorum in time ------> FOLLOWER, after a back-off
                            `----------- it did not lead either -- DEFERRING

Why the question raises no term.  Suppose it did, as it does in Raft without PreVote:

    term 1    3 leads; node 1 is cut off, suspects again and again, and is soon in term 40
              the cut ends: 1 refuses the HEARTBEAT of 3, for its own term is higher
    term 41   3 learns of term 40 and steps down, though 2 and 3 had no trouble at all

Here node 1 asks first, finds no quorum of supporters, and stays in term 1; when the cut ends, it just
hears its leader again.  (PreVote is in the dissertation, 9.6.)

Why a node stands back only once.  Bully's nominee waits for any higher node that answers.  But to
answer is not to win.  Suppose that of five nodes 5 reaches only 4, and 4 reaches everybody:

    4 nominates itself; 5 answers `takeover` and nominates itself; 4 stands back
    5 finds two supporters of three, gives up, backs off, and nominates itself again
    4 has waited and nominates itself again; 5 answers `takeover`; 4 stands back again, and so on

So 4 stands back once, then stands itself, although 5 is higher; hearing a leader, or leading, gives
the right back (the schedule Q27 gives it back with each nomination, and nobody ever leads).

A Bully of your own: the textbook's question, who may claim the lead, is one method, `may_claim`.

Assumes   nothing about time: wrong timeouts cost availability, never safety.
Promises  once messages are timely, one live node stands and the rest support it.
Read also `failure` (who raises the doubt), `succession` (what makes the winner safe).
"""

from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Effects, Note, Send
from chatsys.actor.events import LinkDown
from chatsys.config import ClusterConfig
from chatsys.protocol.decisions import Stand, Suspect, Yield
from chatsys.protocol.messages import Coordinator, Election, Heartbeat, Ok, Propose
from chatsys.protocol.part import Part
from chatsys.protocol.state import NodeState, Role


class Bully(Part):
    """Nominates this node, answers nominations, and knows when to stand back."""

    handles = (Election, Ok, LinkDown, Coordinator, Heartbeat, Propose)

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.round = 0
        self.verdicts: dict[int, str] = {}
        """What each member answered in this round."""
        self.low: set[int] = set()
        """Who of them said that its disk is almost full."""
        self.may_defer = True
        """A nominee stands back once per episode; hearing a leader gives the right back."""
        self.backing_off = False
        """After a failed attempt it supports others instead of taking over."""

    # --- nominating oneself ----------------------------------------------------------------

    def nominate(self, suspicion: Suspect, now: float) -> Effects:
        """Ask every other member whether this node may try to lead."""
        state = self.state
        if state.role not in (Role.FOLLOWER, Role.DEFERRING) or not self.may_nominate():  # SPECIFICATION R6.1
            return []
        self.round = state.next_number(self.round)
        state.transfer = suspicion.transfer
        self.backing_off = False
        self.verdicts, self.low = {state.me: "support"}, set()
        if self.config.fast_suspect:
            # SPECIFICATION R6.8
            self.verdicts |= {peer: "no" for peer in self.rivals() if peer in state.down}
        self.alarms.clear("defer")
        self.alarms.set("answer", now + self.timing.answer_timeout)
        effects: Effects = [state.become(Role.NOMINATING, suspicion.reason)]
        question = Election(state.term, self.round, state.transfer, state.low)
        effects += [Send(peer, question) for peer in state.members.others]
        return effects + self._count(now)

    def may_nominate(self) -> bool:
        """Tell whether this node may try to lead at all: one that is about to stop may not."""
        return not self.state.leaving  # SPECIFICATION R6.16

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Answer a nomination, or count the answers to the own one."""
        match message:
            case Election() if sender not in self.state.members:
                return [Send(sender, Ok(self.state.term, message.round, "no"))]
            case Election() if isinstance(sender, int):
                return self._answer(sender, message, now)
            case Ok(round=self.round) if self.state.role is Role.NOMINATING:  # SPECIFICATION R6.7
                if isinstance(sender, int) and sender in self.state.members:
                    self.verdicts[sender] = message.verdict
                    if message.low:
                        self.low.add(sender)
                    return self._count(now)
            case Coordinator() | Heartbeat() | Propose():  # the fence lets only the leader's pass
                self.may_defer, self.backing_off = True, False
            case LinkDown() if self.state.role is Role.NOMINATING and self.config.fast_suspect:
                if sender in self.rivals():
                    self.verdicts.setdefault(sender, "no")
                    return self._count(now)
        return []

    def _count(self, now: float) -> Effects:
        """Stand, stand back, or wait on; called for every answer and when the time is up.

        While the alarm `answer` is set there is time, and it is used for the higher members only: Bully
        waits for them, and a quorum of lower ones must not hurry past them.  `takeover` counts as help,
        for a node that takes over would promise too; `alive` does not, for it will ignore the PREPARE.
        The right to stand back is used up by standing back.  If it came back with each nomination, a
        higher node that wants to lead and cannot (a star) would hold up everybody for ever (Q27).
        """
        said = self.verdicts
        helpers = sum(verdict in ("support", "takeover") for verdict in said.values())  # SPECIFICATION R6.4
        in_time = "answer" in self.alarms
        may_claim = self.may_claim(said, time_is_up=not in_time)
        if may_claim is None and in_time:
            return []
        if helpers < self.state.members.quorum:  # SPECIFICATION R6.5
            return [] if in_time else self._give_up(f"only {helpers} of {self.state.members.quorum} support this node")
        self.alarms.clear("answer")
        if not may_claim and self.may_defer and self.state.transfer is None:  # SPECIFICATION R6.6, R6.11
            self.may_defer = False
            self.alarms.set("defer", now + self.timing.defer_timeout)
            return [self.state.become(Role.DEFERRING, self._why_it_stands_back())]
        return [Stand(self.state.transfer)]

    def may_claim(self, answers: Mapping[int, str], time_is_up: bool) -> bool | None:
        """Tell whether this node may claim the lead; None: not yet, wait for more answers.  Override it to decide otherwise.

        This is Bully's own question.  `answers` says what each member answered in this round, this node among
        them: `support`, `takeover`, `alive` or `no`.  A higher one that lives goes before; and before a node whose
        disk is almost full goes any other one (`rivals`).  Whatever is said here, a quorum of helpers is needed as
        well, and a node stands back once at most: liveness depends on these two.
        """
        rivals = self.rivals()
        if not time_is_up and not all(peer in answers for peer in rivals):
            return None
        return not any(answers.get(peer) in ("takeover", "alive") for peer in rivals)

    def rivals(self) -> tuple[int, ...]:
        """Return who may go before this node: the higher ones; if its disk is almost full, lower ones with room, too."""
        members = self.state.members
        if not self.state.low:
            return members.outranking
        # SPECIFICATION R6.13
        return tuple([peer for peer in members.others if peer > self.state.me or peer not in self.low])

    def _why_it_stands_back(self) -> str:
        rivals = [peer for peer in self.rivals() if self.verdicts.get(peer) in ("takeover", "alive")]
        if not rivals:
            return "this node may not claim the lead yet"
        return f"node {max(rivals)} {'is higher' if max(rivals) > self.state.me else 'has more room'} and answered"

    def on_alarm(self, name: Any, now: float) -> Effects:
        """The answers are due, or the higher one had its time."""
        match name, self.state.role:
            case "answer", Role.NOMINATING:
                return self._count(now)
            case "defer", Role.DEFERRING:
                return self.nominate(Suspect("the higher node did not lead in time"), now)
        return []

    def _give_up(self, reason: str) -> Effects:
        """No quorum: no term was burnt.  A node asked to take over just goes on following.

        Whoever backs off supports others for that while, where it would have said `takeover`: a high node
        that reaches too few must not stop a lower one that reaches enough.
        """
        state = self.state
        if state.transfer is not None and state.leader == state.transfer[0]:
            return [Yield(reason, leader=state.leader)]  # SPECIFICATION R6.11
        return [Yield(reason, back_off=True)]

    def follow(self, now: float, decision: Yield) -> Effects:
        """Drop the nomination; hearing a leader gives back the right to defer."""
        self.alarms.clear("answer", "defer")
        self.state.transfer = None
        self.backing_off = decision.back_off
        if decision.leader is not None:
            self.may_defer = True
        return []

    def lead(self, now: float) -> Effects:
        """The episode is over."""
        self.alarms.clear("answer", "defer")
        self.state.transfer, self.may_defer, self.backing_off = None, True, False
        return []

    def _ask_again(self, sender: int) -> Effects:
        """Whoever said `alive` and now nominates itself has changed its mind: it may support this node.

        Leader 3 is gone, and 2 asks first; 1 heard 3 a moment later than 2 did, and answers `alive`.  Then 1
        suspects as well and asks 2, which answers `takeover`.  Now 1 stands back for 2, and 2 still counts
        the old `alive`: without asking again 2 would find no quorum, and both would wait for nothing.
        """
        state = self.state
        if state.role is not Role.NOMINATING or self.verdicts.get(sender) != "alive":
            return []
        del self.verdicts[sender]
        return [Send(sender, Election(state.term, self.round, state.transfer, state.low))]

    # --- answering others ------------------------------------------------------------------

    def _answer(self, sender: int, question: Election, now: float) -> Effects:
        """Answer a nomination: the first reason that applies decides.

        The leader itself wants it: support.  A leader is alive: say so, and who.  The asker goes before,
        or this node has just failed: support.  Otherwise Bully: I go before, I take it from here.

        Bully's own rule is the last one.  If it were the first, a node that has lost its link to leader 3
        would be enough for an election: 1 asks 2, and 2, which hears 3 well, would nominate itself.
        """
        state = self.state
        reply = Ok(state.term, question.round, "support", low=state.stands_back)
        if state.endorses(question.transfer):  # SPECIFICATION R6.2, R6.12
            return [Send(sender, reply)]
        leader = state.me if state.leads and state.lease_valid else state.trusted
        if leader is not None and leader != sender:
            return [
                Send(sender, Ok(state.term, question.round, "alive", state.members.peer(leader), state.stands_back))
            ]
        if self.goes_before(sender, question.low) or self.backing_off:
            return [Send(sender, reply)]
        answer: Effects = [Send(sender, Ok(state.term, question.round, "takeover", low=state.low))]
        if state.role is not Role.FOLLOWER:
            return answer + self._ask_again(sender)  # SPECIFICATION R6.3
        reason = f"node {sender} is {'lower' if sender < state.me else 'low on space'} and nominated itself"
        return [*answer, Note("suspect", peer=state.leader, reason=reason), Suspect(reason)]

    def goes_before(self, asker: int, low: bool) -> bool:
        """Tell whether the asker goes before this node: who has room before who has not, and then Bully's order.

        Anybody goes before a node that is about to stop: it will not lead, so it must not say that it takes over.
        """
        # SPECIFICATION R6.13, R6.16
        return self.state.leaving or (not low, asker) > (not self.state.low, self.state.me)
