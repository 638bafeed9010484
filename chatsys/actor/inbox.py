"""Inbox: what waits to be served, so that nobody waits long for somebody else's flood.

    own frames, orders, disk, links of clients   --> all that is at hand    \\
    members' frames, and news of their links     --> all that is at hand     |
    client b   |b1|                              --> light: at hand, too      >  one turn
    client a   |a1 a2 a3 ... a256|  (full: read no further)                  |
    client c   |c1 ... c40|                      --> a quantum each, in turn /

One queue for everybody would be first come, first served: whoever sends ten thousand frames makes the
next one wait for all of them.  So each client's link has a queue of its own, and they are served round
robin, a quantum each (Nagle 1987, "On Packet Switches with Infinite Storage").  A queue is short.  When
it is full its link is not read from, TCP fills up, and the flood waits where it comes from.

How long does an honest frame wait?  A turn serves at least one quantum, of the link that has waited
longest.  With L links that flood, the honest link's turn comes after at most L others: its frame is
served within L + 1 turns, however much they send.  Members go first, because they are bounded by
the protocol's own windows, and because an acknowledgement that waits makes everybody wait.

Who says little need not wait at all.  A client is *light* as long as no more than `LIGHT` frames of it have
waited at once since it last had nothing waiting; all that light ones say is served in the next turn, before
any quantum of the others.  Whoever floods is not light, and to pretend to be it is to flood no more.
(FQ-CoDel, RFC 8290, gives "new" flows the same priority over "old" ones.)

Promises  what one client's link put in comes out in order; `quantum` frames at most of each link before every
          other one that waits has its turn; what waits of one link is bounded, if whoever puts in asks `is_full`.
Read also `actor` (what a turn is), `runtime.turns` (who serves this).
"""

from collections import Counter, deque
from collections.abc import KeysView
from typing import Generic, TypeVar

from chatsys.actor.actor import Address

QUANTUM = 8  # SPECIFICATION R2.13
"""So many frames of one client before the next one has its turn."""
LIGHT = 2
"""So many frames of one client may wait at once, and it does not count as one that floods."""
CLIENT_FRAMES, CLIENT_BYTES = 256, 256 << 10
MEMBER_FRAMES, MEMBER_BYTES = 4096, 8 << 20
"""When so much waits of one link, it is not read from."""

Item = TypeVar("Item")


class FairInbox(Generic[Item]):
    """What waits: the own things and the members' in the order in which they came, and a queue for each client."""

    def __init__(self) -> None:
        self._own: deque[Item] = deque()
        self._members: deque[tuple[Address, Item, int]] = deque()
        self._clients: dict[Address, deque[tuple[Item, int]]] = {}
        """Those of whom something waits, the next to be served first."""
        self._light: dict[Address, None] = {}
        """Those among them of whom little waits, and not more has waited since nothing did."""
        self._frames: Counter[Address] = Counter()
        self._bytes: Counter[Address] = Counter()
        self._held: set[Address] = set()

    def __len__(self) -> int:
        return len(self._own) + len(self._members) + sum(map(len, self._clients.values()))

    def __bool__(self) -> bool:
        return bool(self._own or self._members or self._clients)

    def put_own(self, item: Item) -> None:
        """Put in what comes from this end: it is served in the next turn."""
        self._own.append(item)

    def put(self, sender: Address, item: Item, size: int = 0) -> None:
        """Put in what came from `sender`, in `size` bytes."""
        if isinstance(sender, int):
            self._members.append((sender, item, size))
        else:
            queue = self._clients.get(sender)
            if queue is None:
                queue = self._clients[sender] = deque()
                self._light[sender] = None
            queue.append((item, size))
            if len(queue) > LIGHT:
                self._light.pop(sender, None)
        self._frames[sender] += 1
        self._bytes[sender] += size

    def is_full(self, sender: Address) -> bool:
        """Tell whether enough waits of `sender`; if so, `relieved` will name it as soon as there is room."""
        most = (MEMBER_FRAMES, MEMBER_BYTES) if isinstance(sender, int) else (CLIENT_FRAMES, CLIENT_BYTES)
        full = self._frames[sender] >= most[0] or self._bytes[sender] >= most[1]
        if full:
            self._held.add(sender)
        return full

    def at_hand(self) -> list[Item]:
        """Take out what goes before clients: everything of this end and of members that is at hand."""
        items = list(self._own)
        items += [item for _, item, _ in self._members]
        for sender, _, size in self._members:
            self._took(sender, size)
        self._own.clear()
        self._members.clear()
        return items

    def light(self) -> list[Item]:
        """Take out all that waits of those who say little, in the order in which they began."""
        taken: list[Item] = []
        for sender in list(self._light):
            for item, size in self._clients.pop(sender):
                taken.append(item)
                self._took(sender, size)
        self._light.clear()
        return taken

    def quantum(self) -> list[Item]:
        """Take out a quantum of the client that has waited longest; nothing if none waits."""
        if not self._clients:
            return []
        sender = next(iter(self._clients))
        queue = self._clients.pop(sender)
        taken = [queue.popleft() for _ in range(min(QUANTUM, len(queue)))]
        self._light.pop(sender, None)
        if queue:
            self._clients[sender] = queue  # behind all others
        for _, size in taken:
            self._took(sender, size)
        return [item for item, _ in taken]

    @property
    def is_urgent(self) -> bool:
        """Whether something of this end, of a member, or of a client that says little waits."""
        return bool(self._own or self._members or self._light)

    @property
    def clients(self) -> KeysView[Address]:
        """The clients of which something waits."""
        return self._clients.keys()

    @property
    def light_ones(self) -> KeysView[Address]:
        """Those among them that say little."""
        return self._light.keys()

    def relieved(self) -> list[Address]:
        """Return of whom enough waited, and there is room again."""
        if not self._held:
            return []
        held, self._held = self._held, set()
        return [sender for sender in held if not self.is_full(sender)]

    def forget(self, sender: Address) -> int:
        """Drop what waits of a client that is gone; return how many frames those were."""
        self._held.discard(sender)
        self._light.pop(sender, None)
        del self._frames[sender], self._bytes[sender]
        return len(self._clients.pop(sender, ()))

    def clear(self) -> None:
        """Drop everything."""
        for each in (self._own, self._members, self._clients, self._light, self._frames, self._bytes, self._held):
            each.clear()

    def _took(self, sender: Address, size: int) -> None:
        self._frames[sender] -= 1
        self._bytes[sender] -= size
        if not self._frames[sender]:
            del self._frames[sender], self._bytes[sender]
