"""Chance in the real world: names that nobody can guess, and waiting times that cost nothing.

A client's id lets one speak in its session (`protocol.public`), so it comes from the system's own source.  That
source is a system call, and a client draws a waiting time with each answer; a waiting time is no secret.

Read also `host` (who hands this to actors), `protocol.client` (what it draws).
"""

import secrets
from random import Random


class Unguessable(Random):
    """Whole numbers come from the system, and cannot be guessed; fractions come from a generator of our own."""

    def getrandbits(self, k: int, /) -> int:
        """Return `k` bits that nobody can guess."""
        return secrets.randbits(k)
