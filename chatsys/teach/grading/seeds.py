"""Seeds of a grade: the same for all where students see them, secret and each student's own where they do not.

    hidden_seeds(secret, "03-total-order", "3.1", "ann", 200) --> 200 numbers that nobody can know without the secret

A student who can compute the hidden seeds can try them at home, and answer for those seeds alone.  So they come
from a secret of the course by a keyed hash (HMAC, RFC 2104): who has not the secret learns nothing from the seeds
of others or of last year, and who has it can grade again and get the same runs.

Promises  one secret, lab, exercise and student always give the same seeds; none is among the public ones.
Read also `keys` (where the secret lies).
"""

import hashlib
import hmac

FIRST_HIDDEN = 1 << 32
"""Hidden seeds begin here; public ones are small numbers that people can say to each other."""


def hidden_seeds(secret: bytes, lab: str, exercise: str, student: str, count: int) -> list[int]:
    """Return `count` seeds, different for each student."""

    def seed(index: int) -> int:
        what = "\0".join((lab, exercise, student, str(index))).encode()
        return FIRST_HIDDEN + int.from_bytes(hmac.digest(secret, what, "sha256")[:6], "big")

    return [seed(index) for index in range(count)]


def secret_id(secret: bytes) -> str:
    """Return a short name of a secret, which tells nothing about it but whether two are the same."""
    return hashlib.sha256(b"chatsys course secret\0" + secret).hexdigest()[:8]
