"""Inside: the timeline that stands in the panel of a simulated world, and follows it.

    Step --records--> cursor on the last of them, and their sentences for the panel's status

Assumes   the panel calls it on its own thread only.
Promises  following costs at most one part in `SHARE` of the time; a step is shown at once.
Read also `timeline`, which this holds; `panel`, which asks it to look.
"""

import time
from collections.abc import Sequence

from chatsys.faults import Testbed
from chatsys.teach.figures.theme import plain
from chatsys.teach.widgets.timeline.timeline import SHARE, Timeline
from chatsys.trace import Record

PACE = 0.25
"""Seconds between two looks, at least."""
SENTENCES = 3
"""Of so many records of a step the status tells."""


class Inside:
    """Holds the timeline of a panel, if it is open."""

    def __init__(self) -> None:
        self.widget: Timeline | None = None
        self.next = 0.0
        """When it may be looked at again."""

    def open(self, world: Testbed) -> Timeline:
        """Return the timeline of this world, made if there is none."""
        if self.widget is None:
            self.widget = Timeline(world, follow=False)
        return self.widget

    def close(self) -> None:
        """Forget the timeline."""
        if self.widget is not None:
            self.widget.close()
            self.widget = None

    def look(self) -> None:
        """Follow the world, unless the last look was a moment ago."""
        if self.widget is not None and time.monotonic() >= self.next:
            self.next = time.monotonic() + max(PACE, SHARE * self.widget.refresh())

    def step_to(self, world: Testbed, records: Sequence[Record]) -> str:
        """Put the cursor on what a step brought about, and return its sentences."""
        if not records:
            return "Nothing more happens for an hour."
        shown = self.open(world)
        shown.refresh()
        end = len(shown.packed.records)
        shown.event = end - 1
        first = end - len(records)
        told = [plain(shown.packed.sentence(event), 200) for event in range(first, end)[:SENTENCES]]
        more = len(records) - SENTENCES
        return f"{records[-1].time:.4f} s: {' '.join(told)}{f' And {more} more.' if more > 0 else ''}"
