"""Link rules: which frames of one node vanish, or arrive late, because somebody wants to see it.

    frame --> cut? lost? --> wire, at once or after delay + jitter
               |    |
               `----`--> the reason why it vanished

Rules are given for directions (sender, receiver); "*" fits everybody, the latest that fits holds.
A cut is obeyed at both ends, so that it also holds for a node that was paused when it was made.

Assumes   the cluster gives every node and every client the same rules.
Promises  without rules one look at a flag per frame.
Read also `transport` (who asks), `sim.network` (the same rules in the imaginary world).
"""

from random import Random

import msgspec

from chatsys.actor.actor import Address

ANY = "*"


class Slow(msgspec.Struct, frozen=True, tag=True):
    """Frames take `delay` plus up to `jitter` seconds longer; with jitter they may overtake each other."""

    delay: float
    jitter: float = 0.0


class Lossy(msgspec.Struct, frozen=True, tag=True):
    """This fraction of the frames vanishes."""

    fraction: float


class Rule(msgspec.Struct, frozen=True):
    """One impairment of one direction."""

    sender: Address
    receiver: Address
    impairment: Slow | Lossy

    def fits(self, sender: Address, receiver: Address) -> bool:
        """Tell whether this rule is about frames from `sender` to `receiver`."""
        return self.sender in (sender, ANY) and self.receiver in (receiver, ANY)


class RuleSet(msgspec.Struct, frozen=True):
    """All rules that hold at one time: a value, so that it can travel to a process."""

    cuts: tuple[tuple[Address, Address], ...] = ()
    rules: tuple[Rule, ...] = ()

    def with_cut(self, sender: Address, receiver: Address) -> "RuleSet":
        """Return these rules and one more cut."""
        return RuleSet(tuple(dict.fromkeys((*self.cuts, (sender, receiver)))), self.rules)

    def without_cut(self, sender: Address, receiver: Address) -> "RuleSet":
        """Return these rules without this cut."""
        return RuleSet(tuple(cut for cut in self.cuts if cut != (sender, receiver)), self.rules)

    def with_rule(self, rule: Rule) -> "RuleSet":
        """Return these rules with `rule` in place of an earlier one for the same direction.

        A rule for everybody replaces all earlier ones of its kind.
        """
        everybody = rule.sender == rule.receiver == ANY
        kept = tuple(
            old
            for old in self.rules
            if type(old.impairment) is not type(rule.impairment)
            or not (everybody or (old.sender, old.receiver) == (rule.sender, rule.receiver))
        )
        return RuleSet(self.cuts, (*kept, rule))

    def healed(self, everything: bool) -> "RuleSet":
        """Return these rules without cuts, or no rules at all."""
        return RuleSet() if everything else RuleSet((), self.rules)


class RuleBook:
    """The rules as one transport applies them; `random` decides which frames a lossy link loses."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.all = RuleSet()
        self.cuts: frozenset[tuple[Address, Address]] = frozenset()
        self.active = False

    def set(self, rules: RuleSet) -> None:
        """Apply `rules` from now on."""
        self.all = rules
        self.cuts = frozenset(rules.cuts)
        self.active = bool(rules.cuts or rules.rules)

    def is_cut(self, sender: Address, receiver: Address) -> bool:
        """Tell whether frames in this direction vanish."""
        return (sender, receiver) in self.cuts

    def is_open(self, a: Address, b: Address) -> bool:
        """Tell whether a link between the two could be made, which needs both directions."""
        return not (self.is_cut(a, b) or self.is_cut(b, a))

    def fate(self, sender: Address, receiver: Address) -> float | str:
        """Return after how many seconds a frame may go on the wire, or why it vanishes."""
        if self.is_cut(sender, receiver):
            return "cut"
        wait = 0.0
        impairments: dict[type, Slow | Lossy] = {}
        for rule in self.all.rules:
            if rule.fits(sender, receiver):
                impairments[type(rule.impairment)] = rule.impairment
        for impairment in impairments.values():
            match impairment:
                case Slow(delay, jitter):
                    wait += delay + jitter * self.random.random()
                case Lossy(fraction) if self.random.random() < fraction:
                    return "lost"
        return wait
