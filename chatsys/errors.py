"""Every way chatsys says "no", as one small tree.

    ChatsysError
    |-- ConfigError         a setting is wrong: say which value, and what to write instead
    |-- UsageError          a verb or an argument is wrong: unknown node, crash of a crashed node
    |   `-- NoSuchVerb      only another world has this verb; it is an AttributeError too
    |-- LogError            a log file cannot be used
    |   |-- ForeignLog      it is the log of another node or cluster
    |   |-- DamagedLog      what was synced fails its check; nothing was skipped
    |   `-- LogInUse        another process holds the folder
    |-- TraceError          a saved trace or run cannot be read
    |-- FrameError          a peer broke the wire format; the link is closed and the drop counted
    |-- DiskFailed          a sync failed: what the disk holds is unknowable, so the node stops
    |-- Runaway             a simulated world makes events without end
    |-- RefusedIdentity     another member knows this node by another disk; the node stops
    |-- RefusedJoin         the cluster does not take this learner in; the learner stops
    |-- Departed            this learner has left its cluster, as it was told to; the learner stops
    |-- BrokenInvariant     the protocol promised this cannot happen; the node stops
    `-- NotHere             this system cannot do what was asked (for example pause on Windows)

A loss, a late answer or a gap is not an error: those are messages, effects and states of the
protocol.  The command line turns every ChatsysError into one sentence and exit code 2; `RefusedIdentity` and
`ForeignLog` into exit code 4, for to start the node again would not help.

Read also `faults.arguments` (what worlds and verbs refuse), `chatsys.capabilities` (who raises `NotHere`), `commands`.
"""

from chatsys import places


class ChatsysError(Exception):
    """Base of every error that chatsys raises on purpose; `str(error)` is a sentence for people."""


class ConfigError(ChatsysError):
    """A configuration value is wrong."""


class UsageError(ChatsysError):
    """A verb was called with something it cannot act on."""


class NoSuchVerb(UsageError, AttributeError):
    """A verb that this world does not have, and another one has; for `hasattr` it is not there."""


class LogError(ChatsysError):
    """A node's log file cannot be used."""


class DamagedLog(LogError):
    """What stands in the log at a line was synced and is broken, so what follows it cannot be trusted.

    Attributes: `path` (str), `line` (1-based), `why` (str).
    """

    def __init__(self, path: str, line: int, why: str) -> None:
        self.path, self.line, self.why = path, line, why
        super().__init__(
            f"The log {path} is damaged at line {line} ({why}); nothing was skipped. "
            "Leave the node stopped: the others go on as long as a quorum of them lives. Or, while they have a leader "
            "that is ready, start it with an empty folder and let each of the others accept it (chatsys cluster accept; "
            'the page "A disk died" says how). Never put an older copy of the folder in its place: messages that were '
            "acknowledged could be lost."
        )


class ForeignLog(LogError):
    """The log in this folder is that of another node, or of another cluster."""


class LogInUse(LogError):
    """Another live process has this data folder open."""


class TraceError(ChatsysError):
    """A saved trace or run is truncated, from a newer version, or not one of ours."""


class FrameError(ChatsysError):
    """A frame from the wire is malformed; the sentence says how."""


class DiskFailed(ChatsysError):
    """Writing or syncing the log failed; the node must stop."""


class Runaway(ChatsysError):
    """Too many events in one second of virtual time: the run was ended, nothing was decided."""


class RefusedIdentity(ChatsysError):
    """A member refused this node, because it runs on another disk than the one that it is known by."""


class RefusedJoin(ChatsysError):
    """The cluster does not take this learner in: its id is taken, or a member's, or there are enough learners."""


class Departed(ChatsysError):
    """This learner has left its cluster for ever, because it was told to, or was removed."""


class BrokenInvariant(ChatsysError):
    """A safe cluster met a state that the protocol excludes; going on could lose data."""


class NotHere(ChatsysError):
    """The operating system at hand cannot do this."""


class ToldThere(Exception):
    """An error of somebody's own code in another process: `sentence` was told there, with the line that raised it."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def told(error: BaseException) -> str:
    """Tell what `error` is and where it came from: its type, its message, the file and the line.

    The line is the innermost one of somebody's own code, for that is the one to look at; an error that
    passed through none is told with the line that raised it.
    """
    if isinstance(error, ToldThere):
        return error.sentence
    place = places.innermost(error.__traceback__) or _place(error)
    where = f" ({places.inside(*place)})" if place else ""
    return f"{named(error)}{where}"


def named(error: BaseException, most: int = 500) -> str:
    """Return the type and the message of an error, which somebody's own class may have made as long as it likes."""
    try:
        message = str(error)
    except Exception:  # its own __str__ is broken, too
        message = "its message cannot be shown"
    if len(message) > most:
        message = f"{message[:most]} ... (cut after {most} of {len(message):,} characters)"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _place(error: BaseException) -> tuple[str, int] | None:
    """Return (file, line) of what raised `error`; None if it was never raised."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return (at.tb_frame.f_code.co_filename, at.tb_lineno) if at else None
