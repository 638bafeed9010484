"""The verbs about links: cut, partition, heal, slow, lose, and mend, as a real cluster does them.

    cut(1, 2) --> RuleSet, a value --> every node and client obeys it from now on

Read also `cluster` (who has these verbs), `rules` (what they mean), `sim.verbs` (the imaginary ones).
"""

from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from chatsys.actor.actor import Address
from chatsys.config import ClusterConfig
from chatsys.faults import Fault, check_ends, check_fault, refuse_verb, repair
from chatsys.runtime.net.rules import Lossy, Rule, RuleSet, Slow
from chatsys.runtime.supervisor import Supervisor


class LinkVerbs:
    """Everything that happens to links."""

    config: ClusterConfig
    supervisor: Supervisor
    done: list[Fault]

    if not TYPE_CHECKING:  # a type checker must still see what is not there

        def __getattr__(self, name: str) -> Any:
            raise refuse_verb(self, name)

    def _do(self, work: Coroutine[Any, Any, Any], verb: str = "", *args: Any) -> Any:
        raise NotImplementedError

    def _member(self, node: Any) -> int:
        raise NotImplementedError

    def cut(self, a: int, b: int, one_way: bool = False) -> None:
        """Let no frame pass between `a` and `b`; with `one_way`, only from `a` to `b`."""
        self._member(a), self._member(b)
        check_fault("cut", (a, b, one_way), self.config.ids)
        rules = self.supervisor.rules.with_cut(a, b)
        rules = rules if one_way else rules.with_cut(b, a)
        self._lay(rules, "cut", f"cut {a} {'->' if one_way else '|'} {b}", "cut", a, b, one_way)

    def partition(self, *groups: Iterable[int], one_way: bool = False) -> None:
        """Cut all links between the groups (one group: from all others); with `one_way`, only from earlier to later."""
        if groups and isinstance(groups[-1], bool):
            *groups, one_way = groups
        check_fault("partition", (*groups, one_way), self.config.ids)
        sides = tuple(tuple(sorted(group)) for group in groups)
        if len(sides) == 1:
            sides = (*sides, tuple(node for node in self.config.ids if node not in sides[0]))
        rules = self.supervisor.rules
        for at, one in enumerate(sides):
            for a, b in ((a, b) for other in sides[at + 1 :] for a in one for b in other):
                rules = rules.with_cut(a, b) if one_way else rules.with_cut(a, b).with_cut(b, a)
        story = (" -> " if one_way else " | ").join(",".join(map(str, side)) for side in sides)
        self._lay(rules, "cut", f"cut {story}", "partition", *sides, one_way)

    def heal(self, everything: bool = False) -> None:
        """Remove all cuts; with `everything`, also slowness and loss."""
        check_fault("heal", (everything,))
        reason = "everything" if everything else "all cuts"
        self._lay(self.supervisor.rules.healed(everything), "heal", reason, "heal", everything)

    def mend(self) -> None:
        """Repair everything: links, slowness and loss; resume and restart everyone."""
        begun, before = self.supervisor.now, len(self.done)
        repair(self)
        self.done[before:] = [Fault(begun, "mend")]

    def slow(self, a: Address, b: Address, delay: float, jitter: float = 0.0) -> None:
        """Make frames between `a` and `b` ("*": all) take `delay` plus up to `jitter` seconds longer."""
        self._rule(Slow(delay, jitter), "slow", a, b, delay, jitter)

    def lose(self, a: Address, b: Address, fraction: float) -> None:
        """Lose this fraction of the frames between `a` and `b` ("*": all)."""
        self._rule(Lossy(fraction), "lose", a, b, fraction)

    def _rule(self, effect: Slow | Lossy, verb: str, a: Address, b: Address, *values: float) -> None:
        check_fault(verb, (a, b, *values), self.config.ids)
        check_ends(verb, (a, b), self.config.ids, self.supervisor.clients)
        rules = self.supervisor.rules.with_rule(Rule(a, b, effect)).with_rule(Rule(b, a, effect))
        self._lay(rules, verb, f"{verb} {a} - {b}: {' + '.join(map(str, values))}", verb, a, b, *values)

    def _lay(self, rules: RuleSet, kind: str, reason: str, verb: str, *args: Any) -> None:
        self._do(self.supervisor.lay(rules, kind, reason), verb, *args)
