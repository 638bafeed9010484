"""Seeds of a grade: the same for all where students see them, secret and each student's own where they do not.

    hidden_seeds(secret, "03-total-order", "3.1", "ann", 200) --> 200 numbers that nobody can know without the secret

A student who can compute the hidden seeds can try them at home, and answer for those seeds alone.  So they come
from a secret of the course by a keyed hash (HMAC, RFC 2104): who has not the secret learns nothing from the seeds
of others or of last year, and who has it can grade again and get the same runs.

Each lab has a pool of secret seeds in each course, twice as many as a student gets.  Two students share about half
of theirs, so that a judge who plays a seed once can use its run again.

Promises  one secret, lab, exercise and student always give the same seeds; none is among the public ones.
Read also `keys` (where the secret lies).
"""

import hashlib
import hmac
from collections.abc import Iterable

FIRST_HIDDEN = 1 << 32
"""Hidden seeds begin here; public ones are small numbers that people can say to each other."""
POOL = 2
"""The pool has so many times as many seeds as a student gets."""


def hidden_seeds(secret: bytes, lab: str, exercise: str, student: str, count: int) -> list[int]:
    """Return `count` seeds, other ones for each student."""

    def number(*what: str) -> int:
        return int.from_bytes(
            hmac.digest(secret, "\0".join(what).encode("utf-8", "surrogatepass"), "sha256")[:6], "big"
        )

    pool = [FIRST_HIDDEN + number("seed", lab, exercise, str(index)) for index in range(POOL * count)]
    drawn = sorted(range(len(pool)), key=lambda index: number("student", lab, exercise, student, str(index)))
    return [pool[index] for index in drawn[:count]]


def digest_seeds(seeds: Iterable[Iterable[int]]) -> str:
    """Return a short name of these seeds, by which two marks of one student can be compared."""
    text = ";".join(",".join(map(str, some)) for some in seeds)
    return hashlib.sha256(b"chatsys seeds\0" + text.encode()).hexdigest()[:8]


def secret_id(secret: bytes) -> str:
    """Return a short name of a secret, which tells nothing about it but whether two are the same."""
    return hashlib.sha256(b"chatsys course secret\0" + secret).hexdigest()[:8]
