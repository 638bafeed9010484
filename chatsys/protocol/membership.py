"""Membership: who is there, and the first leader of a fresh cluster.

A node greets each member when the link to it comes up.  When every member has answered and none
knows a leader, the highest one nominates itself at once instead of waiting for silence.

    1 --JOIN--> 3,  3 --JOIN_ACK(no leader)--> 1,  ...  3 has heard all: ELECTION

(To nominate at boot, without asking, would start a cluster with quorum 1 under several leaders.)

What `down` means.  A link that is cut and a process that is gone look alike from here, but for one
sign: where only the process is gone, its machine refuses a new connection.  Only then does the
transport say `LinkDown`.  So `down` is more than a suspicion, and less than a proof, since the process
may be starting again; it spares waits that are in vain, and no rule of safety reads it.  A member
behind a cut stays up here, and `failure` finds out about it by silence.

Assumes   the members are fixed in the configuration.
Promises  JOIN changes no membership, term or timer: it may be lost, repeated or late.
Read also `learners` (JOIN of those who are no members), `failure` (what happens once members fall silent), `election`.
"""

from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Effects, Note, Send
from chatsys.actor.events import LinkDown, LinkUp
from chatsys.config import ClusterConfig
from chatsys.protocol.decisions import Suspect
from chatsys.protocol.messages import Join, JoinAck
from chatsys.protocol.part import Part
from chatsys.protocol.state import NodeState, Role


class Membership(Part):
    """Greets, answers greetings, and keeps `state.down`."""

    handles = (LinkUp, LinkDown, Join, JoinAck)

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.answered: dict[int, bool] = {}
        """Which members answered in this life, and whether they knew a leader."""
        self.nominated = False
        """Whether the start rule was used: once in a life."""

    def start(self, now: float) -> Effects:
        """Begin a life; alone in the cluster there is nobody to greet."""
        return self._first_leader()

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Keep track of who is there."""
        if sender not in self.state.members:
            return []
        assert isinstance(sender, int)
        match message:
            case LinkUp():
                self.state.down.discard(sender)  # SPECIFICATION R2.8
                return [Send(sender, Join(self.state.me, self.state.members.peer(self.state.me).address))]
            case LinkDown():
                self.state.down.add(sender)
                self.answered.pop(sender, None)
                return [Note("membership", peer=sender, reason="gone: its link broke and a new one was refused")]
            case Join(via=0):
                return [Send(sender, self._answer()), Note("membership", peer=sender, reason="joined")]
            case JoinAck(nonce=nonce, code=code) if nonce and code != "identity":
                return []  # it answers somebody whose JOIN was passed on
            case JoinAck(status="ok", leader=leader):
                self.answered[sender] = leader is not None
                return self._first_leader()
            case JoinAck(reason=reason):
                return [Note("membership", peer=sender, reason=f"refused: {reason}")]
        return []

    def _answer(self) -> JoinAck:
        state = self.state
        return JoinAck("ok", state.term, state.members.ids, leader=state.leader_info)

    def _first_leader(self) -> list[Any]:
        """Nominate this node if it is the highest and everybody has said that there is no leader.

        Everybody: a single member that has not answered may be the leader, or know one.  Suppose 3 comes
        back while 2 leads, and 1, which has not heard of that yet, answers first.  On its word alone node 3
        would nominate itself, and with quorum 1 lead beside 2.  If somebody never answers, nothing is lost:
        then silence does what this rule would have done.
        """
        state = self.state
        if (
            state.members.outranking or self.nominated or state.met_leader or state.role is not Role.FOLLOWER
        ):  # SPECIFICATION R2.9
            return []
        if len(self.answered) < len(state.members.others) or any(self.answered.values()):
            return []
        self.nominated = True
        return [Suspect("every member answered and none knows a leader")]
