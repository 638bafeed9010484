"""Chance: what the dice decide in a simulated run, kept by what it was about, so that it can be told again.

A world draws its chance in the order in which things happen.  So a run in which one crash does not happen is
another run from there on: every later frame meets the delay that was meant for another one, and nobody can say
what the crash did.  In a run that is played again each number is therefore about something:

    frame   PROPOSE of term 1 up to position 4 from 3 to 1, the second such    its delay, its loss, its jitter, its copy
    sync    two records up to position 4 on node 1, the first such             how long it takes
    crash   node 1 at 2.5 s                                                    what it takes of the batch under way
    look    node 1 finds out how its link to node 2 is, the fifth time         how late

    the run, once more     Rolled.keep --> a Book: {what it is about: the numbers}
    the run without ...    Rolled.tell <-- the Book; what is not in it is drawn from the seed and what it is about

What a node draws for itself, its patience above all, comes from a generator for each of its lives, so it
changes in those nodes only whose own history changes.

Promises  a run that is told by its own book, with nothing left out, is the same run to the byte; a world that nobody
          plays again draws exactly as it always did.
Read also `again` (which plays runs), `network`, `disk`, `simulation` (which draw).
"""

from collections.abc import Callable
from random import Random
from typing import Any

from chatsys.actor.actor import Address
from chatsys.actor.trace_columns import log_end
from chatsys.sim.disk import Disk
from chatsys.sim.recorder import Frame
from chatsys.sim.simulation import Simulation

Subject = tuple[Any, ...]
"""What a number is about: plain values, the same in every run."""
Book = dict[Subject, list[tuple[int, float]]]
"""The numbers that were drawn, each with how many bits were asked for (0: a fraction)."""


class Dice(Random):
    """A generator that asks for each number; what is made of these numbers is made as `Random` does."""

    ask: Callable[[int], float]

    def random(self) -> float:
        """Return a fraction."""
        return self.ask(0)

    def getrandbits(self, k: int, /) -> int:
        """Return so many bits."""
        return int(self.ask(k))


class Rolled:
    """The dice of one simulation, each of whose numbers is about something.

    It stands at the door of the wire as a gate does, keeps no frame, and knows so which one is spoken of.
    """

    def __init__(self, simulation: Simulation, book: Book | None) -> None:
        self.simulation = simulation
        self.told = book
        """The numbers of the run that is played again; None: this is that run."""
        self.book: Book = {}
        """The numbers of this run."""
        self.fresh: dict[Subject, Random] = {}
        self.frame: Subject = ()
        """The frame that is about to go on the wire."""
        self.count: dict[Subject, int] = {}
        """How many there were of each kind of frame."""
        self.rolled: set[Address] = set()
        """Whose disk has these dice."""
        network, glances = simulation.network, simulation.glance
        network.losing, network.jittering, network.doubling, network.random = (
            self._dice(lambda purpose=purpose: (purpose, *self.frame), network.random)  # type: ignore[misc]
            for purpose in ("loss", "jitter", "copy", "delay")
        )
        simulation.glance = lambda observer, subject: self._draw(
            ("look", observer, subject), 0, lambda bits: glances(observer, subject)
        )
        simulation.gates.insert(0, self)
        self.attend()

    def attend(self) -> None:
        """Give the dice to the disks of hosts that are new."""
        for me, host in self.simulation.hosts.items():
            if me not in self.rolled:
                self.rolled.add(me)
                disk = host.disk
                disk.random = self._dice(lambda me=me, disk=disk: self._of_disk(me, disk), disk.random)  # type: ignore[misc]
                disk.pages = self._dice(lambda me=me: ("pages", me, self.simulation.now), disk.pages)  # type: ignore[misc]

    def takes(self, sender: Address, to: Address, frame: Frame) -> bool:
        """Note which frame goes on the wire, and let it pass."""
        sent = frame[2]
        kind = (sender, to, sent.message, sent.term, sent.seq)
        self.count[kind] = number = self.count.get(kind, 0) + 1
        self.frame = (*kind, number)
        return False

    def _of_disk(self, me: Address, disk: Disk) -> Subject:
        if disk.syncing:
            return ("sync", me, disk.under_way - disk.durable, log_end(disk.records[disk.durable : disk.under_way]))
        return ("crash", me, self.simulation.now)

    def _dice(self, about: Callable[[], Subject], source: Random) -> Dice:
        dice = Dice()
        dice.ask = lambda bits: self._draw(about(), bits, lambda k: source.getrandbits(k) if k else source.random())
        return dice

    def _draw(self, about: Subject, bits: int, source: Callable[[int], float]) -> float:
        """Return the next number about this: the one that was drawn in the run that is played again, if there was one."""
        numbers = self.book.setdefault(about, [])
        if self.told is None:
            value = source(bits)
        else:
            kept = self.told.get(about, ())
            if len(numbers) < len(kept) and kept[len(numbers)][0] == bits:
                value = kept[len(numbers)][1]
            else:
                dice = self.fresh.setdefault(about, Random(f"{self.simulation.seed}/{about}"))
                value = dice.getrandbits(bits) if bits else dice.random()
        numbers.append((bits, value))
        return value
