"""Asked: what the judge asks instead of the student's classes, in the process of those classes.

    SpokenInvariants    MyInvariants: a chat as bytes --> what each of the five said of it
    Attacks   MyAttacks: the name of a method --> the moves that it makes

Promises  a method that raises says so for itself alone; the judge gets what was said and never an object.
Read also `checks` (who asks), `grading.recording` (how moves are written down).
"""

from bdb import BdbQuit
from collections.abc import Mapping
from typing import Any

from chatsys.errors import told
from chatsys.isolation.calls import Method
from chatsys.isolation.interface import problems
from chatsys.teach.grading.recording import Done, Recording
from chatsys.trace import Trace

NAMES = ("agreement", "gap", "duplicate", "kept", "leaders")
VERBS = ("say", "crash", "restart", "cut", "isolate", "heal", "suspect", "slow_disks", "power_cut")
Said = tuple[str, str]
"""("none", ""), ("said", a sentence), ("raised", which error), ("wrong", what was returned) or ("unwritten", "")."""
UNWRITTEN: Done = ("unwritten", (), {})
"""The only move of an attack that is not written yet."""
SPOKEN = f"{__name__}:SpokenInvariants"
SPOKEN_METHODS = {"of": Method(("chat",), returns=list[Said])}
ATTACKS = f"{__name__}:Attacks"
ATTACKS_METHODS = {"moves": Method(("name",), returns=list[Done])}


class SpokenInvariants:
    """Asks all five invariants about a chat at once."""

    def __init__(self, opened: Mapping[str, Any]) -> None:
        (self.cls,) = opened.values()

    @staticmethod
    def problems(opened: Mapping[str, Any], name: str, methods: Mapping[str, Any]) -> list[str]:
        """Return a sentence for each thing that keeps the class from being asked."""
        (answer,) = opened.values()
        return problems(answer, name, {one: how for one, how in methods.items() if one not in SPOKEN_METHODS})

    def of(self, chat: bytes) -> list[Said]:
        """Return what each invariant says of a chat, each by a new object."""
        return said_by(self.cls, Trace.decode(chat))


def said_by(cls: Any, chat: Trace) -> list[Said]:
    """Return what each of the five says; one that raises has only its own answer spoilt."""
    return [_said(cls, name, chat) for name in NAMES]


def _said(cls: Any, name: str, chat: Trace) -> Said:
    try:
        answer = getattr(cls(), name)(chat)
    except NotImplementedError:
        return "unwritten", ""
    except BdbQuit:  # the student has left the debugger
        raise
    except Exception as error:
        return "raised", told(error)[:120]
    if answer is None:
        return "none", ""
    return ("said", answer[:200]) if isinstance(answer, str) else ("wrong", f"{answer!r:.60}")


class Attacks:
    """Lets a method make its moves, and writes them down."""

    def __init__(self, opened: Mapping[str, Any]) -> None:
        (self.cls,) = opened.values()

    @staticmethod
    def problems(opened: Mapping[str, Any], name: str, methods: Mapping[str, Any]) -> list[str]:
        """Return a sentence for each thing that keeps the class from being asked."""
        (answer,) = opened.values()
        return problems(answer, name, {one: how for one, how in methods.items() if one not in ATTACKS_METHODS})

    def moves(self, name: str) -> list[Done]:
        """Return the moves of one attack."""
        recording = Recording(VERBS)
        try:
            getattr(self.cls(), name)(recording)
        except NotImplementedError:
            return [UNWRITTEN]
        return recording._done
