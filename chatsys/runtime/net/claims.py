"""Claims: links that say they are a member's, until the address of that member confirms it.

Anybody can dial a node and say "I am node 2, in my millionth life".  What nobody else can do is listen
at the address that the configuration gives for node 2.  So a node sends a random number, the challenge,
to that address, on the link that it dials itself, and believes a link that repeats it:

    node 1                                                         node 2
       | --- dials 2's address: hello, challenge X ----------------> |
       | <-- hello: in my 4th life --------------------------------- |
       | <-- dials 1's address: hello, challenge Y, "answer X" ----- |   who says X also listens there
       | --- on its own link: "answer Y" --------------------------> |
       | --- "confirmed" ----> (2 may speak)  <---- "confirmed" ---- |   (1 may speak)

Each side repeats what a hello in the other's name carried, but only on the link that it dialled itself.
A visitor that says hello as node 2 makes node 1 repeat its challenge to the true node 2, and
learns nothing by it; the number that it would have to repeat went to the true node 2 only.

It is the same thought as a letter with a code that proves an address, or as TCP's first sequence
numbers, which show that whoever answers receives what is sent there.  What it does not show: who sits
on the way in between and reads along, or bends the way itself (a router, a name server).  Against those
only keys help (TLS with certificates that name the member), which come later.

The price: a member that cannot be dialled cannot speak.  Both sides say so in a sentence.

Which life a member is in, and on which disk, is believed from its address alone, too.  A claim of
another life changes nothing by itself; it makes the node ask the address anew (`Peer.look_again`), and only
an answer that was asked for after the claim came can speak against the claim: the process that made
it was listening by then.

Assumes   the configured addresses lead to the members' own machines.
Promises  an unconfirmed link takes no member's place, sends no frame to the node, and ends with the
          greeting time; a visitor that has left has left nothing behind.
Read also `peer` (dials), `links` (what may be said before), `strangers` (how many may wait).
"""

from collections.abc import Mapping
from typing import Protocol

from chatsys.config import ClusterConfig
from chatsys.errors import FrameError
from chatsys.runtime.net.links import Inbound
from chatsys.runtime.net.peer import Peer
from chatsys.runtime.net.strangers import Strangers
from chatsys.runtime.net.wire import Hello

WRONG_ANSWERS = 1024
"""So many answers may be none of ours: a member repeats also what visitors said in our name."""


class ClaimsOwner(Protocol):
    """What claims ask of their owner, a `Transport`."""

    config: ClusterConfig
    strangers: Strangers
    greeting_time: float

    @property
    def peers(self) -> Mapping[int, Peer]:
        """The way to each other member."""


class Claims:
    """The inbound links of members: one that is confirmed each, and those that only say so."""

    def __init__(self, owner: ClaimsOwner) -> None:
        self.owner = owner
        self.confirmed: dict[int, Inbound] = {}
        self.open: dict[int, dict[Inbound, None]] = {}
        """Oldest first."""
        self._count = 0

    def now(self) -> int:
        """Return a moment: whatever begins later gets a higher one."""
        self._count += 1
        return self._count

    def came(self, link: Inbound, hello: Hello) -> None:
        """A link says that it is the member's; repeat its challenge to that member's address."""
        assert isinstance(link.sender, int), "clients claim nothing"
        link.came = self.now()
        self.open.setdefault(link.sender, {})[link] = None
        self.owner.strangers.spoke(link)
        peer = self.owner.peers[link.sender]
        peer.answer(hello.challenge)
        peer.heard_of(hello)

    def left(self, link: Inbound) -> None:
        """A link is gone."""
        if not (link.of_member and isinstance(link.sender, int)):
            return
        self.open.get(link.sender, {}).pop(link, None)
        if self.confirmed.get(link.sender) is link:
            del self.confirmed[link.sender]

    def _alive(self, node: int) -> list[Inbound]:
        return [link for link in self.open.get(node, ()) if not link.closing]

    def challenges(self, node: int) -> list[str]:
        """Return what a new link to the member must repeat: that of its confirmed link first."""
        links = [*([self.confirmed[node]] if node in self.confirmed else []), *self._alive(node)]
        return [link.hello.challenge for link in links if link.hello is not None]

    def answered(self, link: Inbound, challenge: str) -> None:
        """A link repeats what it was told, if it is the right one; raises `FrameError` if it tries for too long."""
        if link.confirmed:
            return
        assert isinstance(link.sender, int), "clients answer nothing"
        ours = self.owner.peers[link.sender].out
        if ours is not None and challenge == ours.challenge:
            link.proof = ours.challenge
            self.judge(link.sender)
            return
        link.wrong_answers += 1
        if link.wrong_answers > WRONG_ANSWERS:
            raise FrameError("None of so many answers is one to this node.")

    def judge(self, node: int) -> None:
        """Confirm each link that repeats our challenge and is of the life of which the address itself speaks."""
        ours = self.owner.peers[node].out
        if ours is None or ours.hello is None:
            return
        for link in self._alive(node):
            if link.proof == ours.challenge and link.hello is not None and link.hello.life == ours.hello.life:
                self._confirm(node, link, ours.hello)

    def _confirm(self, node: int, link: Inbound, hello: Hello) -> None:
        del self.open[node][link]
        former = self.confirmed.get(node)
        self.confirmed[node] = link
        self.owner.strangers.left(link)
        if former is not None:
            self.owner.strangers.replaced(former)
            former.close()
        self.owner.peers[node].met(hello)  # SPECIFICATION R2.6: before any frame of this life
        link.confirm(f"node {node}")

    def address_says(self, node: int, hello: Hello, asked: int) -> None:
        """The process at the member's address says which life it is in; it was dialled at the moment `asked`.

        Whoever claimed another one before that moment is another process: it would have been listening by then.
        """
        link = self.confirmed.get(node)
        if link is not None and link.hello is not None and link.hello.life != hello.life:  # SPECIFICATION R2.3
            link.fail(f"old incarnation: node {node} itself says that it is in its life {hello.incarnation}.")
        for link in self._alive(node):
            if link.came < asked and link.hello is not None and link.hello.life != hello.life:
                link.fail(
                    f"at node {node}'s address another process answers, in life {hello.incarnation} of node {node}: "
                    "this one is a copy, or runs beside it; stop one of the two, or correct the address.",
                    code="identity",
                )

    def is_doubtful(self, node: int, hello: Hello) -> bool:
        """Tell whether somebody claims to be the member in another life than the one of `hello`."""
        return any(link.hello is not None and link.hello.life != hello.life for link in self._alive(node))

    def unconfirmed(self, link: Inbound) -> str:
        """Say why a link that claimed to be a member's was not believed in time."""
        assert isinstance(link.sender, int), "clients claim nothing"
        node, peer = link.sender, self.owner.peers[link.sender]
        if peer.trouble is not None:
            return (
                f"node {node} cannot be reached at {self.owner.config.members[node]} ({peer.trouble}), so nothing that "
                "it says is believed; correct its address in this node's configuration, or open the way to it."
            )
        return f"nobody at node {node}'s address confirmed this link within {self.owner.greeting_time:g} s."
