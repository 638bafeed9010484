"""Findings: what `check` returns; a list of violations that can also say that there are none.

    >>> check(world)
    Held: 16 rules, 6 messages.

    >>> check(other)
    2 violations.
    Nodes 2 and 3 do not agree: node 2 has “right”, and in the same place node 3 has “left”.
      exactly: S1 agreement: at 3.13 s node 3 committed ...

Promises  it is a list: empty when every rule held, so `if check(world):` and `== []` mean what they say.
Read also `violation`; the package, which makes it.
"""

from collections.abc import Iterable
from html import escape
from typing import Any

from chatsys.check.violation import Violation, to_go_on, to_go_on_in_html, told_in_html

SHOWN = 3
"""So many violations are told in full; the first ones are the story."""


class Findings(list[Violation]):
    """Violations of a run, of which `rules` rules were checked, and in which people said `messages` messages."""

    def __init__(self, violations: Iterable[Violation] = (), rules: int = 0, messages: int = 0) -> None:
        super().__init__(violations)
        self.rules, self.messages = rules, messages

    def __repr__(self) -> str:
        more = len(self) - SHOWN
        told = [str(violation) for violation in self[:SHOWN]]
        return "\n".join([self._head(), *told, *([f"... and {more} more."] if more > 0 else [])])

    def _head(self) -> str:
        if not self:
            rules, messages = _counted(self.rules, "rule"), _counted(self.messages, "message")
            return f"Held: {rules}, {messages}."
        return f"{_counted(len(self), 'violation')}."

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Where somebody sits, say how to go on from the first one."""
        printer.text("\n".join([repr(self), *(line for found in self[:1] for line in to_go_on(found))]))

    def _repr_html_(self) -> str:
        if not self:
            return f"<p>✓ {escape(self._head())}</p>"
        told = "".join(f"<li>{told_in_html(found)}</li>" for found in self[:SHOWN])
        more = f"<p>… and {len(self) - SHOWN} more.</p>" if len(self) > SHOWN else ""
        return f"<p>✗ {escape(self._head())}</p><ul>{told}</ul>{more}{to_go_on_in_html(self[0])}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
