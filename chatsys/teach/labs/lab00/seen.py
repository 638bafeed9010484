"""What is seen in a run: who led when, when nobody did, what was said.

The figures are loaded when a run is looked at and not before: handing in a notebook asks for the declaration of the lab, and
draws nothing.

Read also `figures.outages` and `figures.role_spans`, which look.
"""

from typing import TYPE_CHECKING

from chatsys.trace import Trace

if TYPE_CHECKING:
    from chatsys.teach.figures.outages import LeaderGap, Message
    from chatsys.teach.figures.role_spans import Band


def gaps_of(trace: Trace) -> "list[LeaderGap]":
    """Return the times in which nobody led, after the first leader."""
    from chatsys.teach.figures.outages import find_outages
    from chatsys.teach.figures.role_spans import story

    return find_outages(story(trace))


def messages_of(trace: Trace) -> "list[Message]":
    """Return what users said, and when each node showed it."""
    from chatsys.teach.figures.outages import find_messages

    return find_messages(trace)


def leaders_of(trace: Trace) -> "list[Band]":
    """Return who led from when to when, in order of time."""
    from chatsys.teach.figures.role_spans import story

    return sorted((band for band in story(trace).bands() if band.role == "leader"), key=lambda band: band.start)


def seconds(value: float) -> str:
    """Return a duration as people say it: `35 ms`, `2.41 s`."""
    from chatsys.teach.figures import theme

    return theme.seconds(value)
