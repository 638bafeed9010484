"""Answer: what `why` and `why_not` say, as sentences to read and as facts to go on with.

    print(why_not(world, 7, node=3, before=9.0))
    answer.missing, answer.since, answer.until      which obligation, and the wait
    answer.faults, answer.needed                    what lay over the wait; what must go so that it comes

Read also `asking` (who makes it).
"""

from html import escape

import msgspec

from chatsys.faults import Fault


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Why something came, or did not; `str` is the sentences."""

    sentences: tuple[str, ...]
    missing: str | None = None
    """The first obligation that was not fulfilled; None: none is missing."""
    since: float | None = None
    until: float | None = None
    """From when to when it waited for that, in seconds."""
    events: tuple[int, ...] = ()
    """The events that it rests on, as places in the trace in order of time."""
    faults: tuple[Fault, ...] = ()
    """The faults that lay over the wait."""
    needed: tuple[Fault, ...] | None = None
    """The smallest set of faults without which it comes in time; None: it was not tried, or does not come even then."""
    comes: float | None = None
    """When it comes without those that are needed, or without any fault at all."""
    tried: bool = False
    """Whether the run was played again without faults."""
    runs: int = 0
    """How often."""

    @property
    def certain(self) -> bool:
        """Whether what it blames is proven: the run was tried without it, or nothing is blamed."""
        return self.tried or not self.faults

    def __str__(self) -> str:
        return " ".join(self.sentences)

    def __repr__(self) -> str:
        return "\n".join(self.sentences)

    def _repr_html_(self) -> str:
        first, *rest = map(escape, self.sentences)
        return f"<p><b>{first}</b>{''.join(f'<br>{sentence}' for sentence in rest)}</p>"
