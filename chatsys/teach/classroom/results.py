"""Results of a class: what is kept of each submission, as one file of JSON that other tools read.

    results.json
        ClassResults            the lab, the layout, versions, secret id, what was odd
          submissions: id --> StudentResult     who, from which file, its mark, why it differs from the last one
                                tests --> CellResult          one graded cell: points, sentence, aspects that failed
                                            failed --> FailedAspect

Everything of a student that is kept stands here and in the notebooks themselves: names, ids, answers, marks.  Whoever
deletes this file and the folder of notebooks has deleted all of it.  The secret never stands here, only its id.

Assumes   one process writes the file at a time (`batch` holds a lock).
Promises  a reader finds the file whole at any moment; a file of a newer form is refused with a sentence.
Read also `batch` (who writes it).
"""

import json
import os
from pathlib import Path
from typing import Any, Literal

import msgspec

from chatsys.errors import ChatsysError, UsageError
from chatsys.surroundings import UNUSABLE, advice, reason
from chatsys.teach.scores import score_told

FORM = 1
"""The number of this form; a reader of a smaller number refuses the file."""

Verdict = Literal["pass", "fail", "exhausted, ok", "inconclusive"]


class FailedAspect(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that did not hold in one graded cell, as its judge told it."""

    aspect: str
    sentence: str
    seed: int | None = None
    """The seed of the run in which it was seen; those of hidden cells are from 2**32 on."""
    rank: int = 0
    """How much the sentence explains; the one with the highest rank is what the student reads."""
    inconclusive: bool = False
    """Whether nobody could tell; its points were given, and a person should look."""


class CellResult(msgspec.Struct, kw_only=True):
    """One graded cell; the first five fields are those of a test of Gradescope."""

    name: str
    """The grade_id of the cell, "check-3-1"."""
    score: float
    max_score: float
    output: str
    """The sentence that the student reads."""
    visibility: str = "visible"
    """`after_due_date` for what students do not see at once: everything that is not public."""
    exercise: str = ""
    """The number of the exercise, "3.1"; empty for the predictions."""
    kind: str = "public"
    """One of public, hidden, search and budget."""
    verdict: Verdict = "fail"
    lost: list[str] = []
    """The aspects whose points are lost, those among them that only need another one; for predictions: their numbers."""
    failed: list[FailedAspect] = []
    """What the judge found, in the order in which it was found; with `lost` it tells which mistake it is like."""
    whole: bool = False
    """Whether it is done or not done: then people read no points."""


class Predictions(msgspec.Struct, kw_only=True):
    """The answers to the questions that come before a run."""

    kept: dict[str, bool | int | float | str] = {}
    """The answers that the notebook gives when it is run for the grade."""
    first: dict[str, str] = {}
    """The first answers, as the outputs that were handed in show them, with their unit."""


class EarlierMark(msgspec.Struct, kw_only=True):
    """A mark that a later one replaced."""

    score: float
    max_score: float
    graded: str
    digest: str
    versions: dict[str, str] = {}
    secret: str | None = None


class StudentResult(msgspec.Struct, kw_only=True):
    """One submission: who handed in, from where, and its mark."""

    student: str
    """The id from which the hidden seeds come, and the key in `ClassResults.submissions`."""
    name: str = ""
    """What the platform calls this person; empty where it does not say."""
    ids: dict[str, str] = {}
    """How gradebooks know this person: "moodle" (the participant's number), "canvas" (the user's number), "sid", "email"."""
    members: list[dict[str, str]] = []
    """The other people of a group that handed in together: each with "student", "name" and its ids."""
    path: str = ""
    """The file that was graded, as it was given or found."""
    digest: str = ""
    """SHA-256 of the file, 64 hex digits; a file with another one is graded again."""
    submitted: str | None = None
    """When it was handed in, in ISO 8601, where the platform says so."""
    late: bool | None = None
    """None where nobody can tell."""
    remarks: list[str] = []
    """What was odd on the way here, a sentence each: two submissions of one id, no id, a name that had to be guessed."""
    graded: str = ""
    """When, in ISO 8601, UTC."""

    score: float = 0.0
    """All that the machine gives; what people give is not in it."""
    max_score: float = 0.0
    max_today: float = 0.0
    """What `max_score` is in today's version of the lab, where the notebook was graded by an older one that has another; else 0."""
    tests: list[CellResult] = []
    output: str = ""
    """What holds for the whole notebook: what was put right in it, which cells people read."""
    flags: list[str] = []
    """What a person must look at, a sentence each; a mark with a flag is not settled."""
    hints: list[str] = []
    """What answers are like: another student's, or one in the keys.  For people only, it takes no points."""
    predictions: Predictions = msgspec.field(default_factory=Predictions)
    texts: dict[str, str] = {}
    """What stands in the cells that people read (explanations, the design note), by grade_id."""
    printed: dict[str, str] = {}
    """What the cell above an explanation had printed when it was handed in, by the explanation's grade_id."""
    answers: dict[str, str] = {}
    """The code in the cells of the exercises, by grade_id."""
    execution_time: float = 0.0
    """Seconds on the wall."""
    cpu: float = 0.0
    """Seconds of CPU, of the judge and of the confined processes."""
    memory: int = 0
    """Bytes that the process of the notebook had at most."""
    held: list[str] = []
    """What the confined processes were kept from on that machine (`isolation.confinement.MEASURES`)."""
    versions: dict[str, str] = {}
    """On what the mark hangs: "chatsys", "lab" (its name and a digest of its files and keys), "seeds" (a digest of the
    seeds of this student), "python"; and "page", the version of the page that the notebook is, "by", the one that graded it."""
    secret: str | None = None
    """The id of the secret (`seeds.secret_id`); None: only the public part was graded."""
    earlier: EarlierMark | None = None
    changes: list[str] = []
    """Why this mark may differ from the earlier one, a sentence each; empty for the first one."""

    @property
    def whole(self) -> bool:
        """Whether the lab is done or not done, and nobody reads a number."""
        return bool(self.tests) and all(cell.whole for cell in self.tests)

    @property
    def told(self) -> str:
        """What the machine gave, in words: "78 of 90", or "done"."""
        return score_told(self.score, self.max_score, self.whole)


class ClassResults(msgspec.Struct, kw_only=True):
    """The results of a class in one lab: all of results.json."""

    form: int = FORM
    lab: str
    """The name of the lab's folder, "03-total-order"."""
    title: str = ""
    layout: str = ""
    """How the submissions lay: moodle, canvas, nbgrader, gradescope or plain."""
    versions: dict[str, str] = {}
    """Those of the last grading; each mark has its own."""
    secret: str | None = None
    expected: int = 0
    """How many submissions there were when it was last begun; fewer in `submissions`: it was stopped."""
    begun: str = ""
    written: str = ""
    remarks: list[str] = []
    """What was odd about the class: files that are no submissions, a secret that changed since the last grading."""
    submissions: dict[str, StudentResult] = {}
    """By student id, in the order in which the layout lists them."""


def read_results(path: str | Path) -> ClassResults:
    """Return the results in `path`; raises `UsageError` with a sentence if it is no such file, or of a newer form."""
    try:
        data = Path(path).read_bytes()
    except UNUSABLE as error:
        raise UsageError(f"{path} cannot be read: {reason(error)}; give the results.json of a class.") from None
    try:
        form = msgspec.json.decode(data, type=_Form).form
        if form > FORM:
            raise UsageError(
                f"{path} has results of form {form}, this chatsys reads up to {FORM}; install a newer chatsys."
            )
        return msgspec.json.decode(data, type=ClassResults)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise UsageError(
            f"{path} is not the results.json of a class, or a damaged one; give another file, or "
            "move it away and grade the class again."
        ) from None


class _Form(msgspec.Struct):
    form: int


def write_results(path: Path, results: ClassResults) -> None:
    """Write the results so that a reader, and whoever comes after a crash, finds the old ones or the new ones, whole.

    Raises `ChatsysError` with a sentence; the old file is then still there.
    """
    write_whole(path, as_text(results))


def as_text(value: Any) -> str:
    """Return JSON that people can read; letters that no text has (half of a pair) are written as escapes."""
    try:
        return msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n"
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value), indent=1) + "\n"


def write_whole(path: Path, text: str) -> None:
    """Put `text` in the place of the file at `path`, in one step that no crash can cut in two."""
    path = path.resolve()
    new = path.with_name(f".{path.name}.new")
    try:
        if path.exists() and not path.is_file():  # a pipe or a device, which nothing may take the place of
            path.write_text(text, encoding="utf-8")
            return
        with open(new, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError as error:
        try:
            new.unlink(missing_ok=True)
        except OSError:
            pass
        raise ChatsysError(
            f"{path} cannot be written: {reason(error)}. What stood in it is still there; {advice(error)}, then give the "
            "same command again."
        ) from None
