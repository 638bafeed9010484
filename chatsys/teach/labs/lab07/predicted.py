"""What answers the predictions of lab 07, on the student's own class.

    7a lost_with_each_synced   7b share_lost_by_quick   7c safe_from   7d lost_when_killed

Read also `play` (the runs), `killed` (7d), `grading.revealing` (who asks).
"""

from typing import Any

from chatsys.teach.labs.lab07.friends import Honest, Quick
from chatsys.teach.labs.lab07.killed import kill
from chatsys.teach.labs.lab07.play import LogRun
from chatsys.teach.labs.lab07.runs import CHAT

NONE_LOST = "none"


def lost_with_each_synced(cls: Any, seed: int) -> tuple[int, Any]:
    """7a: after how many of the power cuts an answered record is lost, if each is synced and then answered."""
    lost = LogRun(cls, CHAT, every=1).lost_at_bytes()
    return sum(count > 0 for _, count in lost), None


def share_lost_by_quick(*classes: Any, seed: int) -> tuple[float, Any]:
    """7b: the share of the power cuts after which an answered record is lost, if answers do not wait; beside it, if they do."""
    from chatsys.teach.labs.lab07.costs import draw_lost

    runs = [LogRun(cls, CHAT) for cls in (Quick, *(classes or (Honest,)))]
    lost = runs[0].lost_at_bytes()
    return round(100 * sum(count > 0 for _, count in lost) / len(lost), 1), draw_lost(runs)


def safe_from(*classes: Any, seed: int) -> tuple[int, Any]:
    """7c: how many bytes Honest has synced when record 5 is safe, with a flush behind every fourth record."""
    run = LogRun(Honest, CHAT)
    fifth = run.content.split(b"\n")
    end = sum(len(line) + 1 for line in fifth[:5])
    return next(one.synced for one in run.moments() if one.synced >= end), None


def lost_when_killed(cls: Any, seed: int) -> tuple[str, Any]:
    """7d: how many answered records are lost when a process is killed that never synced."""
    result = kill(cls, syncs=False)
    print(result)
    if result.lost == 0:
        return NONE_LOST, None
    return ("all of them" if result.lost == result.answered else "some of them"), None
