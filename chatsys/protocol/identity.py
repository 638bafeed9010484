"""Identity: a member is known by its disk, and one that comes back on another disk is refused.

(cluster, id) says who a node *claims* to be.  What it has promised and acknowledged stands on its disk, and
an emptied folder has the same id.  So a data folder gets a random name with its first life, and each life a
random nonce; both stand in its boot records, and a node shows them whenever a link comes up.  Whoever meets
a member writes down what it saw, and from then on asks one question: can this be that disk, later?

    met: node 2, folder 9f, life 3, nonce c1          node 2 comes up and shows ...
      folder 9f, life 4, nonces .. c1 7a              follows: life 4, the same folder, and it knows c1
      folder 30, life 1                               another folder: emptied, or a new disk
      folder 9f, life 3, nonce 55                     a copy of the folder that began a life 3 of its own
      folder 9f, life 2                               an older copy of the folder

Why a disk that forgot must not count.  Three nodes; 1 is down while "kept" is acknowledged by 2 and 3:

    node 2's folder is emptied, 3 goes down, 1 and 2 start: neither has "kept", and together they are a quorum
    they elect, and position 5 becomes something else: a message that was acknowledged is gone

One emptied folder of three was enough, so "a minority may lose its disks" would be a false promise.  With
memory it is true: node 1 knows node 2 by folder 9f, and counts no promise of folder 30.

What refusing means.  No frame of a refused member passes, and what it acknowledged counts no more.  It is
told so, at once and in answer to each of its frames but JOIN_ACK; and because it hears that it has forgotten something, it stops.
The people who run the cluster decide: `accept` at each of the others forgets the old disk and takes in the new one.
(Viewstamped Replication Revisited, 4.3, lets a replica without a disk back in by a recovery protocol; Raft calls
a server that lost its disk a new server.  This is the step before either.)

What cannot be seen.  Nobody can remember for an electing quorum that never met the member; and an older copy
of the same folder looks as if the node had just slept, unless a later life of it was met, or the leader still
holds what it acknowledged (`ordering.Sequencer.has_forgotten`).  SPECIFICATION chapter 17 lists these limits.

Assumes   the transport tells of a life, by `LinkUp`, before any frame of it; names and nonces do not repeat.
Promises  in a safe cluster a disk counts only where it follows on what is remembered of that member.
Read also `storage` (the records Remembered and Accepted), `node` (who asks this part first), `ordering`.
"""

from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Append, Effects, Note, Send
from chatsys.actor.events import Identity, LinkDown, LinkUp
from chatsys.config import ClusterConfig
from chatsys.errors import RefusedIdentity
from chatsys.protocol.decisions import Release
from chatsys.protocol.messages import JoinAck
from chatsys.protocol.part import Part
from chatsys.protocol.recovery import NONCES, Recovered
from chatsys.protocol.state import NodeState
from chatsys.protocol.storage import Accepted, Remembered


class Identities(Part):
    """Remembers each member by its disk, and refuses one that cannot be that disk; writes `state.met` and `state.refused`."""

    handles = (LinkDown, JoinAck)

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.drawn = ("", "")
        """The name that the data folder gets if it has none yet, and the nonce of this life."""
        self.pending: dict[int, Remembered] = {}
        """Who was met and is not written down yet."""
        self.links: dict[int, LinkUp] = {}
        """What each member showed whose link is up."""
        self.expected: set[int] = set()
        """Members of which people said that they will come back on a new disk, while the old one was there still."""
        self.disowned: dict[int, str] = {}
        """Of a member that lacks what it acknowledged: the nonce of the life in which that was seen."""

    # --- the own disk ----------------------------------------------------------------------

    def christen(self, random: Random) -> None:
        """Draw a name for the data folder (128 bits) and a nonce for this life (64 bits)."""
        self.drawn = f"{random.getrandbits(128):032x}", f"{random.getrandbits(64):016x}"

    def recover_from(self, found: Recovered) -> None:
        """Take back the own name and nonces, and who was met."""
        self.state.met = {met.node: met for met in found.met}
        name = found.boot.identity if found.boot else ""
        self.state.identity = Identity(name, tuple(boot.nonce for boot in found.boots if boot.nonce))

    def begin(self) -> tuple[str, str]:
        """Begin a life: return the name of the folder, a new one if this is its first life, and the nonce of this life."""
        state = self.state
        own = state.identity
        name, nonce = self.drawn
        if state.incarnation > 1:
            name, nonce = own.name, nonce if own.name else ""
        if name:
            state.identity = Identity(name, (*own.nonces, nonce)[-NONCES:])
        return name, nonce

    # --- the others' disks -----------------------------------------------------------------

    def check(self, sender: int, message: Any, now: float) -> tuple[Effects, bool]:
        """Return what is owed, and whether this passes: news of a link is judged, and nothing of a refused member passes."""
        match message:
            case LinkUp():
                return self._meet(sender, message, now)
            case LinkDown():
                return [], True
        if not self.shuts_out(sender):
            return [], True
        if type(message) is JoinAck:  # two that refuse each other would answer each other's refusals for ever
            return [], False
        return self._tell(sender), False  # the first time may have been lost

    def shuts_out(self, sender: int) -> bool:
        """Tell whether frames of this refused member are dropped."""
        return True  # SPECIFICATION R4.7

    def _meet(self, sender: int, link: LinkUp, now: float) -> tuple[Effects, bool]:
        """Compare what a member shows with what is remembered; remember the newest, or refuse it."""
        state = self.state
        if sender not in state.members or not link.identity.name:
            return [], True
        self.links[sender] = link
        before, expected = state.met.get(sender), sender in self.expected
        self.expected.discard(sender)
        if why := (self.misfit(before, link) if before is not None else None) or self._disowned_before(sender, link):
            if expected:
                return [*self._forget(sender), *self._remember(sender, link, now)], True
            if state.members.safe:
                return self.refuse(sender, why), False
            return [
                *self._remember(sender, link, now),
                Note("anomaly", peer=sender, reason=self._sentence(sender, why)),
            ], True
        state.refused.pop(sender, None)
        return self._remember(sender, link, now), True

    def misfit(self, before: Remembered, link: LinkUp) -> str | None:
        """Say why the disk that a member shows cannot be the one that was met, or None."""
        shown, life = link.identity, link.incarnation  # SPECIFICATION R4.7
        if shown.name != before.name:
            return f"it runs on the data folder {shown.name[:8]}, and was met on the folder {before.name[:8]}"
        if life < before.incarnation:
            return (
                f"it is in its life {life}, and was met in life {before.incarnation}: its data folder is an older copy"
            )
        at = len(shown.nonces) - 1 - (life - before.incarnation)
        if at >= 0 and shown.nonces[at] != before.nonce:
            return f"its life {before.incarnation} is not the one that was met: its data folder is a copy that lived on by itself"
        return None

    def _disowned_before(self, sender: int, link: LinkUp) -> str | None:
        if self.disowned.get(sender) in link.identity.nonces:
            return "it lacked what it had acknowledged: its data folder is an older copy"
        return None

    def _remember(self, sender: int, link: LinkUp, now: float) -> Effects:
        """Remember a life; it is written with the next record, a disk that is new here within a heartbeat."""
        met = Remembered(sender, link.identity.name, link.incarnation, link.identity.nonces[-1])
        before = self.state.met.get(sender)
        if before is None or before.name != met.name:
            self.alarms.set("write", now + self.timing.heartbeat_interval)
        if before != met:
            self.state.met[sender] = self.pending[sender] = met
        return []

    def unwritten(self) -> Effects:
        """Return what must be written with the records of this turn: who was met since the last ones."""
        self.alarms.clear("write")
        if not self.pending:
            return []
        pending, self.pending = self.pending, {}
        return [Append(*pending.values())]  # SPECIFICATION R4.6

    def on_alarm(self, name: Any, now: float) -> Effects:
        """Nothing else was written for a while."""
        return self.unwritten()

    def refuse(self, node: int, why: str) -> Effects:
        """Refuse a member from now on, and tell it."""
        self.state.refused[node] = self._sentence(node, why)
        if node in self.links and node not in self.disowned and why.startswith("it lacks"):
            self.disowned[node] = self.links[node].identity.nonces[-1]
        return [Note("refuses", peer=node, reason=self.state.refused[node]), *self._tell(node)]

    def _sentence(self, node: int, why: str) -> str:
        return (
            f"Node {self.state.me} refuses node {node}: {why}. What node {node} promised or acknowledged may be lost. "
            f"Leave it stopped, or put its own folder back. If that is lost, start it with an empty one and let each of the "
            f"others accept it (if they have accepted this one already, node {self.state.me} alone): accept({node}) "
            f'in a notebook, chatsys cluster accept {node} in a terminal; the page "A disk died" says when that is safe.'
        )

    def _tell(self, node: int) -> Effects:
        """Tell a refused member why, and which life of it is meant."""
        state, link = self.state, self.links.get(node)
        if link is None:
            return []
        reason, nonce = state.refused[node], link.identity.nonces[-1]
        return [
            Send(node, JoinAck("refused", state.term, state.members.ids, reason=reason, code="identity", nonce=nonce))
        ]

    # --- being refused ---------------------------------------------------------------------

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Stop if a member refuses this disk; forget a link that is gone."""
        if not isinstance(sender, int) or sender not in self.state.members:
            return []
        match message:
            case LinkDown():
                self.links.pop(sender, None)
            case JoinAck(status="refused", code="identity", reason=reason, nonce=nonce) if self.obeys(nonce):
                raise RefusedIdentity(reason)
        return []

    def obeys(self, nonce: str) -> bool:
        """Tell whether this node stops when a member refuses the life `nonce`: so it votes and founds nothing elsewhere.

        A refusal may be late: it was meant for the old disk, and arrives when the new one has been accepted.
        """
        own = self.state.identity.nonces
        return self.state.members.safe and nonce in own[-1:]  # SPECIFICATION R4.8

    # --- what people decide ----------------------------------------------------------------

    def accept(self, node: int) -> Effects:
        """Forget what is remembered of a member's disk, and take in what it shows next.

        If the new disk is there already, it is met at once: no news of its link would come again.  If the old one
        still seems to be there, it stays remembered until the member comes back, as it is or on a new disk.
        """
        state, link = self.state, self.links.get(node)
        if node not in state.members.others:
            return [Note("membership", peer=node, reason="nothing to accept: this is no other member")]
        if link is not None and node not in state.refused:
            self.expected.add(node)
            return [
                Note("membership", peer=node, reason="expected on a new disk; it runs on the one that is remembered")
            ]
        effects = self._forget(node)
        return [*effects, Release(node, link)] if link is not None else effects

    def _forget(self, node: int) -> list[Any]:
        for memory in (self.state.met, self.state.refused, self.pending, self.disowned):
            memory.pop(node, None)
        return [Append(Accepted(node))]  # SPECIFICATION R4.9
