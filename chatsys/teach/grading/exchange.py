"""Exchange: what the process in which cells run is asked, and what it may say.

    taking --Request--> running --Confined, Begun, Ended, Carried, Predicted, Begun, ...--> taking

The cells themselves run in that process and could say all of this too.  So nothing here is a result: the most that
anybody gains by lying is another answer of their own.

Read also `cell_process` (who listens), `running` (who tells).
"""

from typing import Literal

import msgspec

NO_MEMORY = 77
"""With this code the process ends when there is no memory left for what follows."""
MOST_TOLD = 300
"""Characters of a sentence about an error."""
MOST_FILES = 10_000
"""Files and folders that cells may make."""


class RunnableCell(msgspec.Struct, frozen=True):
    """One cell that runs when the notebook is graded."""

    name: str
    """As a sentence names it: its grade_id, or `number 7`."""
    source: str


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run, and what may be taken."""

    private: str
    """The folder in which the process may write."""
    cells: list[RunnableCell]
    wanted: dict[str, dict[str, str]]
    """Answer -> name under which it travels -> name in the notebook."""
    cell: float
    """Seconds of CPU that one cell may take."""
    memory: int
    """Bytes beyond those of Python itself."""
    cpu: float
    """Seconds of CPU after which the kernel ends the process, whatever it does."""
    files: int
    """Bytes of one file, and of all."""


class Confined(msgspec.Struct, frozen=True, tag=True):
    """The process is ready; these measures hold."""

    held: tuple[str, ...]


class Begun(msgspec.Struct, frozen=True, tag=True):
    """A cell begins."""

    cell: int


class Ended(msgspec.Struct, frozen=True, tag=True):
    """A cell is over; what it raised, if it did."""

    cell: int
    raised: str = ""
    unwritten: bool = False
    """Whether it is one that nobody has written yet."""
    again: bool = False
    """Whether it was run for the second time."""


class Carried(msgspec.Struct, frozen=True, tag=True):
    """An answer, packed; or why it cannot be."""

    key: str
    code: bytes = b""
    why: str = ""


class Predicted(msgspec.Struct, frozen=True, tag=True):
    """All predictions so far."""

    answers: dict[str, bool | int | float | str]


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """A cell takes too long or too much, as the process itself saw or was told, and the process ends."""

    verdict: Literal["hung", "asleep", "full", "crowded"]
    place: str = ""
    """The line that was running."""


class Done(msgspec.Struct, frozen=True, tag=True):
    """All cells have run."""


Told = Confined | Begun | Ended | Carried | Predicted | Stopped | Done
