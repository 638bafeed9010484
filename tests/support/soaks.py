"""Soaks of tests: a machine that was too slow for the end of a run to be told has said nothing about a node."""

from typing import Any

from chatsys.campaign.soaking.soak import Report, soak

TRIES = 3


def told_to_the_end(**options: Any) -> Report:
    """Return a soak with these options; once more, and once again, if it was not known at its end whether all was well.

    A law that is broken ends this at once.
    """
    for _ in range(TRIES - 1):
        report = soak(**options)
        if report.violations or not report.unfinished:
            return report
    return soak(**options)
