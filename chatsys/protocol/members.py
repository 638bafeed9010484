"""Members: who counts, as one of them sees it.

    ids         1    2    3    4    5        quorum 3: any two groups of three share a member
                     |    `----`----`-- outranking
                     me                      rank 3: so many members outrank this one

How many there are, how many are enough, who is higher and where each one listens are questions to this
one value.  Every part asks it anew (`state.members`), and nobody keeps a copy that could come to differ.
Viewstamped Replication and Raft call such a value the configuration of the group.  Where it may change,
each change is an entry of the log, for nodes that counted by two configurations could decide with two
quorums that share nobody.  Here it is fixed; it stands in `log.Log`, where such an entry would put it.

Assumes   the configuration names the members, and no frame adds or removes one (SPECIFICATION R1.1).
Promises  a frozen value: equal members are equal values, and another membership is another value.
Read also `config.ClusterConfig` (what a person writes), `log`, `membership` (who greets whom).
"""

from functools import cached_property

import msgspec

from chatsys.actor.actor import Address
from chatsys.config import ClusterConfig, overlap
from chatsys.protocol.messages import PeerInfo


class Members(msgspec.Struct, frozen=True, cache_hash=True, dict=True):
    """The members of the cluster, one of whom is `me`, and how many of them are a quorum."""

    me: int
    peers: tuple[PeerInfo, ...]
    """Id and address of each member, `me` too, in ascending order."""
    quorum: int

    @classmethod
    def of(cls, config: ClusterConfig, me: int) -> "Members":
        """Return the members that `config` names, as node `me` sees them."""
        return cls(me, tuple(PeerInfo(node, config.members[node]) for node in config.ids), config.quorum)

    def __contains__(self, node: Address) -> bool:
        return node in self.ids

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """The ids of all members, ascending."""
        return tuple([peer.node for peer in self.peers])

    @cached_property
    def others(self) -> tuple[int, ...]:
        """All members but this one."""
        return tuple([peer.node for peer in self.peers if peer.node != self.me])

    @cached_property
    def outranking(self) -> tuple[int, ...]:
        """The members with a higher id: Bully ranks nodes by their ids."""
        return tuple([peer.node for peer in self.peers if peer.node > self.me])

    @property
    def rank(self) -> int:
        """How many members outrank this one: the more, the more patient it is."""
        return len(self.outranking)

    @property
    def safe(self) -> bool:
        """Whether any two quorums share a member, which is what safety rests on."""
        return overlap(self.quorum, len(self.peers))

    def peer(self, node: int) -> PeerInfo:
        """Return id and address of a member."""
        return self.peers[self.ids.index(node)]
