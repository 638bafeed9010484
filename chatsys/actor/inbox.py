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
waited at once since it last had nothing waiting; what light ones say is served in the next turn (of 128 of
them, if they are more), before any quantum of the others.  Whoever floods is not light, and to pretend to be it is to flood no more.
(FQ-CoDel, RFC 8290, gives "new" flows the same priority over "old" ones.)

Promises  what one client's link put in comes out in order; `quantum` frames at most of each link before every
          other one that waits has its turn; what waits of one link is bounded, if whoever puts in asks `is_full`.
Read also `actor` (what a turn is), `runtime.turns` (who serves this).
"""

from collections import deque
from collections.abc import Collection, KeysView, Sequence
from itertools import islice, repeat
from typing import Generic, TypeVar

from chatsys.actor.actor import Address

QUANTUM = 8  # SPECIFICATION R2.13
"""So many frames of one client before the next one has its turn."""
LIGHT = 2
"""So many frames of one client may wait at once, and it does not count as one that floods."""
LIGHT_ONES = 128
"""So many of those who say little are served in one turn: many who say a little are a flood, too."""
CLIENT_FRAMES, CLIENT_BYTES = 256, 256 << 10
MEMBER_FRAMES, MEMBER_BYTES = 4096, 8 << 20
"""When so much waits of one link, it is not read from."""

Item = TypeVar("Item")


class _Queue(Generic[Item]):
    """What waits of one sender."""

    __slots__ = ("bytes", "frames", "items", "light")

    def __init__(self) -> None:
        self.items: deque[tuple[Item, int]] = deque()
        self.frames = self.bytes = 0
        self.light = True


class FairInbox(Generic[Item]):
    """What waits: the own things and the members' in the order in which they came, and a queue for each client."""

    def __init__(self, members: Collection[Address] | None = None) -> None:
        self.members = members
        """Who is served as a member; None: whoever has a number for an address."""
        self._own: deque[Item] = deque()
        self._members: deque[Item] = deque()
        self._from_members: dict[Address, tuple[int, int]] = {}
        """How many frames and bytes wait of each: members' frames are served in the order in which they came."""
        self._clients: dict[Address, _Queue[Item]] = {}
        """Those of whom something waits, the next to be served first."""
        self._light: dict[Address, None] = {}
        """Those among them of whom little waits, and not more has waited since nothing did."""
        self._held: set[Address] = set()

    def __len__(self) -> int:
        return len(self._own) + len(self._members) + sum(queue.frames for queue in self._clients.values())

    def __bool__(self) -> bool:
        return bool(self._own or self._members or self._clients)

    def _is_member(self, sender: Address) -> bool:
        return isinstance(sender, int) if self.members is None else sender in self.members

    def put_own(self, item: Item) -> None:
        """Put in what comes from this end: it is served in the next turn."""
        self._own.append(item)

    def put(self, sender: Address, items: Sequence[Item], sizes: Sequence[int] = ()) -> None:
        """Put in what came from `sender`, each in so many bytes (0 where nothing is said)."""
        if self._is_member(sender):
            frames, size = self._from_members.get(sender, (0, 0))
            self._from_members[sender] = frames + len(items), size + sum(sizes)
            self._members += items
            return
        queue = self._clients.get(sender)
        if queue is None:
            queue = self._clients[sender] = _Queue()
            self._light[sender] = None
        queue.items += zip(items, sizes or repeat(0), strict=False)
        queue.frames += len(items)
        queue.bytes += sum(sizes)
        if queue.light and queue.frames > LIGHT:
            queue.light = False
            del self._light[sender]

    def room(self, sender: Address) -> tuple[int, int]:
        """Return how many frames and bytes may still wait of `sender`.

        If there is no room for either, `relieved` will name it as soon as there is.
        """
        if self._is_member(sender):
            (frames, size), most = self._from_members.get(sender, (0, 0)), (MEMBER_FRAMES, MEMBER_BYTES)
        else:
            queue = self._clients.get(sender)
            frames, size = (queue.frames, queue.bytes) if queue else (0, 0)
            most = CLIENT_FRAMES, CLIENT_BYTES
        room = max(0, most[0] - frames), max(0, most[1] - size)
        if 0 in room:
            self._held.add(sender)
        return room

    def is_full(self, sender: Address) -> bool:
        """Tell whether enough waits of `sender`."""
        return 0 in self.room(sender)

    def at_hand(self) -> list[Item]:
        """Take out what goes before clients: everything of this end and of members that is at hand."""
        items = list(self._own)
        self._own.clear()
        if self._members:
            items += self._members
            self._members.clear()
            self._from_members.clear()
        return items

    def light(self) -> list[Item]:
        """Take out what waits of those who say little, in the order in which they began, but of `LIGHT_ONES` at most."""
        taken: list[Item] = []
        for sender in list(islice(self._light, LIGHT_ONES)) if self._light else ():
            taken += [item for item, _ in self._clients.pop(sender).items]
            del self._light[sender]
        return taken

    def quantum(self) -> list[Item]:
        """Take out a quantum of the client that has waited longest; nothing if none waits."""
        if not self._clients:
            return []
        sender = next(iter(self._clients))
        queue = self._clients.pop(sender)
        if queue.light:
            del self._light[sender]
            queue.light = False
        taken = [queue.items.popleft() for _ in range(min(QUANTUM, queue.frames))]
        if queue.items:
            self._clients[sender] = queue  # behind all others
        queue.frames -= len(taken)
        queue.bytes -= sum([size for _, size in taken])
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
        queue = self._clients.pop(sender, None)
        return queue.frames if queue else 0

    def clear(self) -> None:
        """Drop everything."""
        for each in (self._own, self._members, self._from_members, self._clients, self._light, self._held):
            each.clear()
