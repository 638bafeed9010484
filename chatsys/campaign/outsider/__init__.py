"""An outsider's suite: what somebody on the port, without any secret, can do to three real nodes.

    honest client --50 messages a second--> node 1, 2, 3 <--plain sockets-- visitors, one attack each

Each attack is tried alone, then all of them at once.  Whatever they do, no node may end, nothing
acknowledged may be lost, and the cluster must serve again soon after they have gone.

The fuzzer asks whether anything can raise; this suite asks what it does to people.

Read also `attacks` and `impostors` (what is done), `suite` (the order of events), `judge` (what must
hold), `campaign.fuzz` (rubbish for everything that reads).
"""

from collections.abc import Iterator, Sequence

from chatsys.campaign.outsider.attacks import ATTACKS, about
from chatsys.campaign.outsider.judge import Judgement, judge
from chatsys.campaign.outsider.suite import Circumstances, visit
from chatsys.capabilities import PROCESSES, SOCKETS, THREADS, need
from chatsys.errors import UsageError

ALL = "all"
"""All attacks at once."""
LONG = {"frames": 60.0, ALL: 120.0}
"""Seconds of those attacks that take longer than the others."""
SECONDS = 15.0
"""Seconds of every other attack."""


def chosen(names: Sequence[str]) -> list[str]:
    """Return the attacks that are meant: every one and then all at once, if none is named.

    Raises `UsageError` for a name that is none.
    """
    unknown = [name for name in names if name not in (*ATTACKS, ALL)]
    if unknown:
        raise UsageError(f"There is no attack {unknown[0]!r:.60}; choose from {', '.join((*ATTACKS, ALL))}.")
    return list(names) or [*ATTACKS, ALL]


def outsider(
    names: Sequence[str] = (), seconds: float | None = None, circumstances: Circumstances | None = None
) -> Iterator[Judgement]:
    """Try these attacks, each alone (`all`: all at once), and yield what was found of each.

    Without names: every attack, then all at once.  `seconds` is how long each takes; None: a minute for
    the frames, two for all at once, 15 s for the others.  Raises `UsageError` for a name that is none.
    """
    if seconds is not None and not 1 <= seconds <= 3600:
        raise UsageError(f"seconds is {seconds}; give 1 to 3600.")
    need("An outsider's visit", SOCKETS, PROCESSES, THREADS, instead="run `chatsys outsider` on a computer")
    for name in chosen(names):
        attacks = tuple(ATTACKS) if name == ALL else (name,)
        yield judge(visit(attacks, seconds or LONG.get(name, SECONDS), circumstances or Circumstances()))


__all__ = ["ALL", "ATTACKS", "Circumstances", "Judgement", "about", "chosen", "judge", "outsider"]
