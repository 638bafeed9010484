"""The imaginary network: how long each frame takes, and whether it arrives at all.

Every frame draws its own delay.  As over TCP, frames of one link arrive in the order of sending,
unless the conditions say otherwise or a rule adds jitter or repeats frames: then they overtake
each other.  Rules on single links, or on all of them with "*", cut, slow, lose and repeat frames.

    frame --> cut? lost? --> delay + slowness + jitter (once, sometimes twice) --> receiver
               |    |
               `----`--> the reason why it vanished

Assumes   every draw comes from the one `Random` given, in the order of sending; `chance` gives each purpose a
          generator of its own, in a run that is played again.
Promises  links without rules cost one draw per frame; a rule never touches frames under way, but a
          frame that arrives on a cut link vanishes too.
Read also `world` (who sends) and `runtime.net.transport`, its counterpart of the real world.
"""

from random import Random

import msgspec

from chatsys.actor.actor import Address
from chatsys.errors import ConfigError
from chatsys.faults import check_numbers


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What the network is like when nobody disturbs it.  Seconds and fractions."""

    shortest: float = 0.001
    longest: float = 0.010
    """A frame takes a time drawn evenly between these."""
    tail: float = 0.01
    """This fraction of frames takes longer: a lognormal multiple of `longest`."""
    loss: float = 0.0
    duplication: float = 0.0
    in_order: bool = True
    """Whether frames of one link keep their order where no rule disturbs it."""

    def __post_init__(self) -> None:
        check_numbers(**{name: getattr(self, name) for name in ("shortest", "longest", "tail", "loss", "duplication")})
        if not 0 <= self.shortest <= self.longest:
            raise ConfigError(f"shortest is {self.shortest} and longest {self.longest}; give 0 <= shortest <= longest.")
        for name in ("tail", "loss", "duplication"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ConfigError(f"{name} is {value}; give a fraction between 0 and 1.")


class Link(msgspec.Struct):
    """One direction of one link, all rules applied."""

    cut: bool = False
    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    duplication: float = 0.0
    late: float = 0.0
    """A second copy arrives up to this much later."""


ANY = "*"


class Network:
    """Fates of frames.  Addresses are compared, never looked into."""

    def __init__(self, random: Random, conditions: Conditions) -> None:
        self.random = self.losing = self.jittering = self.doubling = random
        """What decides, by purpose: how long a frame takes; whether it is lost; its jitter; whether it comes twice, and when."""
        self.conditions = conditions
        self.rules: list[tuple[str, Address, Address, tuple[float, ...]]] = []
        """(what, sender, receiver, values), one direction each; the latest that fits holds."""
        self.cuts: set[tuple[Address, Address]] = set()
        self._links: dict[tuple[Address, Address], Link] = {}
        self._last: dict[tuple[Address, Address], float] = {}
        """When the last frame in order arrives, by direction."""
        self._plain = self._is_plain()

    def _is_plain(self) -> bool:
        return not (self.rules or self.cuts or self.conditions.loss or self.conditions.duplication)

    def arrivals(self, sender: Address, receiver: Address, now: float) -> tuple[float, ...] | str:
        """Return when a frame sent `now` arrives, once per copy, or why it vanishes."""
        if self._plain:
            return (self._queued(sender, receiver, now + self._delay()),)
        link = self._link(sender, receiver)
        if link.cut:
            return "cut"
        if link.loss and self.losing.random() < link.loss:
            return "lost"
        at = now + self._delay() + link.delay + (link.jitter * self.jittering.random() if link.jitter else 0.0)
        if link.duplication and self.doubling.random() < link.duplication:
            return (at, now + self._delay() + link.delay + max(link.jitter, link.late) * self.doubling.random())
        return (at if link.jitter else self._queued(sender, receiver, at),)

    def _queued(self, sender: Address, receiver: Address, at: float) -> float:
        """Return when a frame due `at` arrives behind those sent before it."""
        if not self.conditions.in_order:
            return at
        before = self._last.get((sender, receiver), 0.0)
        self._last[sender, receiver] = at = at if at > before else before
        return at

    def renew(self, me: Address) -> None:
        """Begin new connections for `me`: what it sends now waits for nothing sent in an earlier life."""
        for link in [link for link in self._last if me in link]:
            del self._last[link]

    def _delay(self) -> float:
        conditions = self.conditions
        draw = self.random.random()
        if draw < conditions.tail:
            return conditions.longest * self.random.lognormvariate(1.0, 0.8)
        return conditions.shortest + (conditions.longest - conditions.shortest) * draw

    def become(self, conditions: Conditions) -> None:
        """Be a network of these conditions from now on."""
        self.conditions = conditions
        self._changed()

    def is_cut(self, sender: Address, receiver: Address) -> bool:
        """Tell whether frames in this direction vanish."""
        return (sender, receiver) in self.cuts

    def is_open(self, a: Address, b: Address) -> bool:
        """Tell whether a link between the two could be made, which needs both directions."""
        return not self.cuts or ((a, b) not in self.cuts and (b, a) not in self.cuts)

    def cut(self, sender: Address, receiver: Address) -> None:
        """Let nothing pass from `sender` to `receiver`, until `heal`."""
        self.cuts.add((sender, receiver))
        self._changed()

    def reconnect(self, sender: Address, receiver: Address) -> None:
        """Let everything pass from `sender` to `receiver` again."""
        self.cuts.discard((sender, receiver))
        self._changed()

    def rule(self, what: str, a: Address, b: Address, *values: float) -> None:
        """Lay a rule (`slow` delay jitter, `lose` fraction, `duplicate` fraction late) on both directions."""
        everybody = a == b == ANY
        replaced = {(a, b), (b, a)}
        self.rules = [old for old in self.rules if old[0] != what or not (everybody or old[1:3] in replaced)]
        self.rules += [(what, sender, receiver, values) for sender, receiver in sorted(replaced, key=str)]
        self._changed()

    def heal(self, everything: bool = False) -> None:
        """Remove all cuts, and with `everything` all other rules too."""
        self.cuts.clear()
        if everything:
            self.rules.clear()
        self._changed()

    def _changed(self) -> None:
        self._links.clear()
        self._plain = self._is_plain()

    def _link(self, sender: Address, receiver: Address) -> Link:
        link = self._links.get((sender, receiver))
        if link is None:
            link = self._links[sender, receiver] = self._resolve(sender, receiver)
        return link

    def _resolve(self, sender: Address, receiver: Address) -> Link:
        conditions = self.conditions
        link = Link((sender, receiver) in self.cuts, 0.0, 0.0, conditions.loss, conditions.duplication)
        for what, a, b, values in self.rules:
            if a in (sender, ANY) and b in (receiver, ANY):
                match what:
                    case "slow":
                        link.delay, link.jitter = values
                    case "lose":
                        (link.loss,) = values
                    case "duplicate":
                        link.duplication, link.late = values
        return link
