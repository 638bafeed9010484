"""Regrading: on what a mark hangs, and what was different when a second one comes out otherwise.

    Basis(digest of the notebook, secret id, versions of chatsys, lab and seeds)     the same: the mark is kept
                                                                                     other: graded again, and told why

Read also `batch`, `results`.
"""

from collections.abc import Iterator, Sequence

import msgspec

from chatsys.teach.classroom.results import ClassResults, StudentResult

TELLING = ("chatsys", "lab", "seeds")
"""The versions on which a mark hangs; another Python is told, but no reason to grade again."""


PUT_BACK = "put back"
"""What a mark says of locked cells that had another text (`tidying`)."""


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """On what a mark hangs."""

    digest: str
    secret: str | None
    versions: dict[str, str]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Basis) and self._compared() == other._compared()

    def __hash__(self) -> int:
        return hash(str(self._compared()))

    def _compared(self) -> list[str | None]:
        return [self.digest, self.secret, *(self.versions.get(name) for name in TELLING)]


def basis_of(result: StudentResult) -> Basis:
    """Return on what the mark in this result hangs."""
    return Basis(digest=result.digest, secret=result.secret, versions=result.versions)


def explain(old: StudentResult, new: StudentResult) -> list[str]:
    """Return why a second mark may differ from the first one, a sentence each."""
    told = list(differences(old, new))
    if not told and old.score != new.score:
        told.append("Nothing that is known was different; what was inconclusive once may be decided another time.")
    if told:
        told.insert(0, f"{old.told}{' points' * (not old.whole)} before, now {new.told}.")
    return told


def differences(old: StudentResult, new: StudentResult) -> Iterator[str]:
    """Yield what was different when a mark was made anew, a sentence each."""
    if old.digest != new.digest:
        yield "The notebook is another one than before."
    was, now = old.versions, new.versions
    if was.get("chatsys") != now.get("chatsys"):
        yield f"chatsys {was.get('chatsys')} -> {now.get('chatsys')}."
    if was.get("lab") != now.get("lab"):
        versions = f"{_last(was.get('lab'))} -> {_last(now.get('lab'))}"
        yield f"Lab version {versions}: its notebook, its checks or its keys were changed."
    if old.secret != new.secret:
        yield _secrets(old.secret, new.secret)
    elif was.get("seeds") != now.get("seeds") and was.get("lab") == now.get("lab"):
        yield f"Seeds {was.get('seeds')} -> {now.get('seeds')}: this student has other ones now."
    if was.get("python") != now.get("python"):
        yield f"Python {was.get('python')} -> {now.get('python')}."


def _last(version: str | None) -> str:
    return (version or "unknown").split()[-1]


def _secrets(old: str | None, new: str | None) -> str:
    if old is None:
        return "Before, only the public part was graded."
    if new is None:
        return "Now only the public part was graded."
    return f"Secret changed ({old} -> {new}): other hidden seeds."


def of_the_secret(before: ClassResults | None, secret: str | None) -> Iterator[str]:
    """Say what it means for a class that it is graded with another secret than the last time."""
    if before is None or before.secret == secret or not before.submissions:
        return
    count = len(before.submissions)
    if before.secret is None:
        yield f"The {count} marks from before are of the public part only; all are made again with the secret {secret}."
    elif secret is None:
        yield (
            f"The {count} marks from before have a hidden part (secret {before.secret}); now only the public part is graded, "
            "so all are made again and have fewer points."
        )
    else:
        yield (
            f"The secret changed since the last grading ({before.secret} -> {secret}): every student has other hidden seeds, "
            f"so all {count} marks are made again, and one may differ though its notebook is the same."
        )


def of_versions(every: Sequence[StudentResult], now: int) -> Iterator[str]:
    """Say how many notebooks were made of which version of the page, if not all are of today's, and which one graded them."""
    found: dict[tuple[str, str], list[StudentResult]] = {}
    for one in every:
        if by := one.versions.get("by"):
            found.setdefault((one.versions.get("page", ""), by), []).append(one)
    if any(page not in ("", str(now)) for page, _ in found):
        for (page, by), some in sorted(found.items()):
            what = f"{len(some)} of version {page}" if page else f"{len(some)} that do not say their version"
            who = ", ".join(one.student for one in some[:5]) + (", ..." if len(some) > 5 else "")
            told = f" ({who})" if page != str(now) else ""
            yield f"{what} of the lab's page, graded by version {by}, whose points are {some[0].max_score:g}{told}."
    if share := [one for one in every if one.max_today]:
        yield (
            f"{len(share)} marks are of a version with another number of points; a table with one maximum for all "
            "(Moodle, Canvas, Gradescope) has them by their share of it."
        )


def of_another_version(every: Sequence[StudentResult]) -> Iterator[str]:
    """Say it if many notebooks have other locked cells than the lab: one person changes a cell, a class got another lab."""
    readable = [one for one in every if one.score or one.answers]
    changed = [one for one in readable if PUT_BACK in one.output]
    if len(changed) >= 3 and 2 * len(changed) > len(readable):
        yield (
            f"In {len(changed)} of {len(readable)} notebooks the lab's own cells are others than here; they were put back. "
            "Perhaps the class was given another version of the lab."
        )
