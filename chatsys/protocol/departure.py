"""Departure: how a node leaves politely, so that nobody has to find out that it is gone.

A leader that is killed is missed first: its link breaks or it falls silent, somebody suspects it, asks around,
and only then stands.  A leader that is *told* to stop can do better.  It knows who has everything, so it asks
that member to take over, and stops when that member leads.

    StandDown --> HEARTBEAT --> who answers, has all that is committed, and has room?
                  the highest of them <-- TRANSFER_LEAD
                  it nominates itself, prepares, leads: this node hears it, and may end

    a follower, or one alone: it may end at once       nobody level, or no answer: at the latest after 2 s

Why it asks with a heartbeat first.  What it knows of the others may be a heartbeat old, and the one with the
longest log may be paused since.  Who answers now is there now, and says how far it is.

Why it says that it is low.  The next leader would look for the highest member and ask it to take the lead back,
and that is the one that just gave it away: the lead would go to and fro until the process is gone.  A node
that leaves is in the same case as one whose disk is full: it can vote and hold entries, but should not lead.  So
it says the same word, and no new one had to be invented.

What becomes of messages meanwhile.  What is numbered already goes on to be committed.  What comes after
TRANSFER_LEAD is kept, and handed to the next leader as soon as that one is heard: a client that was told to ask
again would pause first, for longer than the change takes.  Whoever comes later is told who leads.

Assumes   the world ends this life when `may_end` holds, or when it likes: a crash is always allowed.
Promises  a node that stands down never tries to lead again in this life; nothing is promised by asking.
Read also `failure` (the other hand-overs), `succession` (the asking), `sessions` (the messages).
"""

from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Effects, Note
from chatsys.actor.events import LinkDown
from chatsys.config import ClusterConfig
from chatsys.protocol.decisions import BeatNow, HandOver, Yield
from chatsys.protocol.messages import HeartbeatAck
from chatsys.protocol.part import Part
from chatsys.protocol.state import NodeState, Role


class Departure(Part):
    """Finds a successor for a leader that stands down, and says when this life may end."""

    handles = (HeartbeatAck, LinkDown)

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.over = False
        """Nothing is left to wait for."""
        self.enough = 0
        """Who has so many entries has all that was committed when this node asked."""
        self.able: dict[int, bool] = {}
        """Who answered since this node asked last, and whether that member could take over."""
        self.asked: set[int] = set()
        """Who was asked to take over, and has not."""
        self.chosen = False
        """Whether somebody was asked to take over since this node asked around last."""

    def begin(self, now: float) -> Effects:
        """Stand down: hand over what this node leads, and give up what it only tries to lead."""
        state = self.state
        if state.leaving:
            return []
        state.leaving = True  # SPECIFICATION R6.16
        effects: Effects = [Note("stand_down", reason="it was told to stop")]
        if state.leads:
            self.alarms.set("limit", now + self.timing.answer_timeout + self.timing.prepare_timeout)
            return effects + self._ask_around(now)
        self.over = True  # SPECIFICATION R6.19
        return effects if state.role is Role.FOLLOWER else [*effects, Yield("this node stands down")]

    def is_done(self, somebody_waits: bool) -> bool:
        """Tell whether this life may end: the next leader is known here and nobody waits, or waiting is of no use."""
        state = self.state
        heard = state.leaving and not state.leads and state.leader is not None
        return self.over or (heard and not somebody_waits)  # SPECIFICATION R6.19

    def _ask_around(self, now: float) -> Effects:
        """Ask everybody how far they are; where too few are there to elect anybody, there is nothing to wait for."""
        if len(self._up()) + 1 < self.state.members.quorum or not self._up():  # SPECIFICATION R6.19
            self.over = True
            return []
        self.able, self.chosen, self.enough = {}, False, self.log.commit
        self.alarms.set("look", now + self.timing.answer_timeout)
        return [BeatNow()]

    def _up(self) -> list[int]:
        """Return the other members that may be there."""
        state = self.state
        return [peer for peer in state.members.others if peer not in state.down and peer not in state.refused]

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Hear who is level, and who is gone."""
        if not self.state.leaving or self.over:
            return []
        match message:
            case HeartbeatAck(ok=True) if self.state.leads and sender in self.state.members.others:
                assert isinstance(sender, int)
                self.able[sender] = self.is_able(message)
                return self._choose(now)
            case LinkDown() if len(self._up()) + 1 < self.state.members.quorum or not self._up():
                self.over = True
        return []

    def is_able(self, answer: HeartbeatAck) -> bool:
        """Tell whether this member could take over: it has room, and all that was committed when it was asked."""
        return not answer.low and answer.verified >= self.enough  # SPECIFICATION R6.17

    def _choose(self, now: float) -> Effects:
        """Ask the highest one that is able to take over; give better ones, whose answer is under way, a moment."""
        best = self._best()
        if self.chosen or best is None:
            return []
        silent = [peer for peer in self._up() if peer not in self.able]
        if any((peer not in self.asked, peer) > (best not in self.asked, best) for peer in silent):
            if "choose" not in self.alarms:
                self.alarms.set("choose", now + self.timing.fast_step)
            return []
        return self._ask(best)

    def _best(self) -> int | None:
        """Return the highest one that is able to take over; of those that were asked in vain only if there is no other."""
        able = {peer for peer in self._up() if self.able.get(peer)}
        return max(able - self.asked or able, default=None)

    def _ask(self, to: int) -> Effects:
        self.alarms.clear("choose")
        self.asked.add(to)
        self.chosen = True
        return [HandOver(to)]  # SPECIFICATION R6.17

    def on_alarm(self, name: Any, now: float) -> Effects:
        """The time is over; or nobody took over yet, or higher ones had their moment."""
        match name:
            case "limit":  # SPECIFICATION R6.19
                self.over = True
            case "look" if self.state.leads:
                return self._ask_around(now)
            case "choose" if self.state.leads and not self.chosen:
                best = self._best()
                return [] if best is None else self._ask(best)
        return []

    def follow(self, now: float, decision: Yield) -> Effects:
        """The lead is given away: ask nobody any more."""
        self.alarms.clear("look", "choose")
        return []
