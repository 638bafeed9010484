"""Beat the adversary: a board played by hand against a node with a bug, with the length of the shortest attack beside it.

    game = adversary("no session dedup")      the board, with a button for each move that can be made now
    game.cut(3, 1)                            the same by a line of code; undo() takes the last move back

What a button does is told as the line that does it, so a game that was won is a scenario to be copied.  Par is the length
of a known attack: a search has made every shorter one (`par`).

Assumes   a notebook with widgets; elsewhere the same is told in sentences, and moved by lines of code.
Promises  nothing is said by colour alone; all of it works with the keyboard.
Read also `board` (the moves), `game.js` (the page).
"""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from chatsys.check import Violation, check
from chatsys.teach.labs.lab11.asked import VERBS
from chatsys.teach.labs.lab11.board import (
    AUTHORS,
    INVARIANTS,
    NODES,
    ChatBoard,
    Move,
    chat_of,
    code_of,
    in_short,
    make,
    play,
)
from chatsys.teach.labs.lab11.bugs import bug_named
from chatsys.teach.labs.lab11.par import kept, moves_of
from chatsys.teach.widgets.notebook import shell
from chatsys.trace import Trace

HERE = Path(__file__).parent


def adversary(bug: str) -> "Game | None":
    """Return a game against a bug; None while a notebook is graded.  Raises `UsageError` for an unknown bug."""
    name = bug_named(bug).name
    return None if os.environ.get("NBGRADER_EXECUTION") else Game(name)


class Game:
    """A board, the moves made on it, and what they broke."""

    def __init__(self, bug: str) -> None:
        self.bug, self.moves, self.told = bug_named(bug), list[Move](), ""
        self.par = kept()[bug].par if bug in kept() else None
        self.board = ChatBoard(self.bug)
        self.widgets: list[Any] = []

    def __getattr__(self, verb: str) -> Callable[..., "Game"]:
        """Be a method for each move: `game.crash(3)`."""
        if verb not in VERBS:
            raise AttributeError(f"a game has no {verb}; the moves are {', '.join(VERBS)}, and undo, again")

        def move(*arguments: Any, **named: Any) -> "Game":
            make(self.board, verb, arguments, named)
            self.moves = list(self.board.moves)
            self._show()
            return self

        return move

    def undo(self) -> "Game":
        """Take the last move back."""
        return self._play(self.moves[:-1])

    def again(self) -> "Game":
        """Begin anew."""
        return self._play([])

    def _play(self, moves: list[Move]) -> "Game":
        self.board = play(self.bug, moves)
        self.moves = list(self.board.moves)
        self._show()
        return self

    def _show(self) -> None:
        for widget in self.widgets:
            widget.data = self.data()

    @property
    def trace(self) -> Trace:
        """The run, for `timeline`."""
        return self.board.trace

    @property
    def broken(self) -> dict[str, Violation]:
        """What is broken, with where it was first."""
        found = {one.invariant: one for one in reversed(self._found())}
        return {mine: found[rule] for mine, rule in INVARIANTS.items() if rule in found}

    def _found(self) -> list[Violation]:
        return [one for one in check(chat_of(self.trace)) if one.invariant in INVARIANTS.values()]

    # --- what the page shows -----------------------------------------------------------------

    def data(self) -> dict[str, Any]:
        """Return all that the page shows."""
        broken = self.broken
        return {
            "bug": self.bug.name,
            "story": self.bug.story,
            "par": self.par,
            "moves": [code_of(move) for move in self.moves],
            "possible": [[code_of(move), list(move)] for move in self.board.possible()],
            "nodes": [self._node(number, broken) for number in NODES],
            "answered": self._answered(broken),
            "cuts": self._cuts(),
            "verdict": self.verdict(broken),
            "broken": list(broken),
            "now": round(self.board.world.now, 2),
        }

    def _node(self, number: int, broken: dict[str, Violation]) -> dict[str, Any]:
        host = self.board.world._host(number)
        chat = chat_of(self.trace)
        life = max((one.incarnation for one in chat if one.node == number), default=0)
        shown = [one for one in chat.of("deliver") if one.node == number and one.incarnation == life]
        wrong = {(one.node, one.incarnation, one.seq) for found in self._found() for one in found.records}
        lines = [[one.seq, f"{one.author}: {one.text}", (one.node, one.incarnation, one.seq) in wrong] for one in shown]
        if not host.alive:
            state = "down"
        else:
            state = f"{host.role} of term {host.term}" if host.role == "leader" else f"{host.role}, term {host.term}"
        leads = [
            one.time for found in broken.values() for one in found.records if one.kind == "lead" and one.node == number
        ]
        return {
            "number": number, "up": host.alive, "state": state, "lines": lines, "slow": number in self.board.slow,
            "leads": bool(leads), "speaker": AUTHORS[number],
        }  # fmt: skip

    def _answered(self, broken: dict[str, Violation]) -> list[list[Any]]:
        told = broken["kept"].records if "kept" in broken else ()
        lost = {(one.seq, one.text) for one in told if one.kind == "ack"}
        acks = chat_of(self.trace).of("ack")
        return [[one.seq, f"{one.author}: {one.text}", (one.seq, one.text) in lost] for one in acks]

    def _cuts(self) -> str:
        cuts = ", ".join(f"{sender} to {receiver}" for sender, receiver in sorted(self.board.cuts))
        return f"Cut: {cuts}." if cuts else "No link is cut."

    def verdict(self, broken: dict[str, Violation]) -> str:
        """Say how the game stands, in a sentence or two."""
        count = moves_of(len(self.moves))
        par = "" if self.par is None else f" Par is {self.par}."
        if not broken:
            return f"{count}: nothing is broken.{par}"
        name = next(iter(broken))
        what = f"✗ {count} broke {' and '.join(broken)}: {in_short(broken[name])}"
        if self.par is None:
            return what
        over = len(self.moves) - self.par
        return f"{what}{par} {'A search has made every shorter attack, and none breaks anything.' if over <= 0 else f'Yours is {over} longer.'}"

    def __repr__(self) -> str:
        lines = [f"{self.bug.name}: {self.bug.story}"]
        for node in (self._node(number, self.broken) for number in NODES):
            chat = "; ".join(f"#{seq} {text}{' ✗' if wrong else ''}" for seq, text, wrong in node["lines"])
            lines.append(f"  node {node['number']} ({node['state']}): {chat or 'shows nothing'}")
        lines += [f"  world.{code_of(move)}" for move in self.moves]
        return "\n".join([*lines, self.verdict(self.broken)])

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Be the board in a notebook, and sentences everywhere."""
        text = {"text/plain": repr(self)}
        if shell() is None:
            return text
        widget = _widget()(data=self.data())
        widget.observe(self._pressed, "pressed")
        self.widgets.append(widget)
        shown = widget._repr_mimebundle_(**options)
        if shown is None:
            return text
        data, facts = shown if isinstance(shown, tuple) else (shown, {})
        return {**data, **text}, facts

    def _pressed(self, change: dict[str, Any]) -> None:
        """Make the move of a button; one that came too late, for a move that cannot be made any more, is let go."""
        verb, *arguments = change["new"].get("move", ["none"])
        if verb == "undo":
            self.undo()
        elif verb == "again":
            self.again()
        elif (verb, *arguments) in self.board.possible():
            getattr(self, verb)(*arguments)


@cache
def _widget() -> Any:
    """Return the class of the widget; a program without a notebook never loads what it is made of."""
    import anywidget
    import traitlets

    class BoardView(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
        _esm = (HERE / "game.js").read_text("utf-8")
        _css = (HERE / "game.css").read_text("utf-8")
        data = traitlets.Dict().tag(sync=True)
        pressed = traitlets.Dict().tag(sync=True)

    return BoardView


__all__ = ["Game", "adversary"]
