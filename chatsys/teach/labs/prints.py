"""Prints: what a student's class prints in a simulated run is shown with the run, the moment and the node it came from.

    print("due", self.due)      in the class
    [seed 7, 1.204 s, node 2] due 3      in the cell

    breakpoint()                stops there, in the middle of the run; `c` goes on, `q` ends the run

    with heard_in('run "a"'): ...   the same for a function of the student's that no actor asks
    stop_in_cells()                 `breakpoint()` stops wherever a cell calls a function

One cell may play two hundred runs of three nodes, and what they print would be one heap.  So while a door of the actor
is open, what is printed goes through here.  A cell shows so many lines at most; how many more there are it says once.

Assumes   the run is played by the cell, in its own thread; a cluster's nodes print as they always do.
Promises  a class that prints does the same as one that does not; who leaves the debugger ends the cell, not a node.
Read also the stages of the labs, each of which lets its actor be heard.
"""

import sys
import threading
from bdb import BdbQuit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TextIO, TypeVar

from chatsys.actor.actor import Actor

DOORS = ("start", "on_message", "on_time", "on_alarm", "on_command", "settle")
MOST_LINES = 400
"""So many lines of one cell are shown."""
DEEPEST = 60
"""So many calls up the run is looked for."""
STOPPED = "stopped here: p NAME shows a value, n goes to the next line, c goes on, q ends the run\n"

LEFT = "you left the debugger, so the run ends here"

Kind = TypeVar("Kind", bound=type[Actor])


class _Shown:
    """How many lines were shown in the cell that runs."""

    cell: Any = None
    lines = 0


def heard(actor: Kind) -> Kind:
    """Let what this actor prints be shown with its run; the doors that it has of its own are changed, and it is returned."""
    for name in DOORS:
        if (door := getattr(actor, name)) is not getattr(Actor, name):
            setattr(actor, name, _hear(door))
    return actor


def _hear(door: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    @wraps(door)
    def opened(self: Actor, *facts: Any) -> list[Any]:
        real = sys.stdout
        if isinstance(real, _Voice) or threading.get_ident() != threading.main_thread().ident:
            return door(self, *facts)
        hook = sys.breakpointhook
        sys.stdout = sys.breakpointhook = voice = _Voice(real, hook, self)
        try:  # as in heard_in, without its price: a grading opens a hundred thousand doors
            return door(self, *facts)
        except BdbQuit:
            raise KeyboardInterrupt(LEFT) from None
        finally:
            sys.stdout, sys.breakpointhook = real, hook
            if voice.line:
                voice.end()

    return opened


@contextmanager
def heard_in(where: str) -> Iterator[None]:
    """Let what is printed in this block be shown with `where` before each line, and let `breakpoint()` stop in it."""
    real, hook = sys.stdout, sys.breakpointhook
    sys.stdout = sys.breakpointhook = voice = _Voice(real, hook, where)
    try:
        yield
    except BdbQuit:
        raise KeyboardInterrupt(LEFT) from None
    finally:
        sys.stdout, sys.breakpointhook = real, hook
        voice.end()


def stop_in_cells() -> None:
    """Let `breakpoint()` stop in each function that a cell of this notebook calls; elsewhere nothing changes.

    In a kernel `breakpoint` alone waits for the debugger of JupyterLab, or does nothing.
    """
    from chatsys.teach.widgets.notebook import shell

    if getattr(shell(), "kernel", None) is not None:
        sys.breakpointhook = _Stop(_usual(sys.breakpointhook))


def _usual(hook: Any) -> Callable[..., Any]:
    """Return what `breakpoint()` called before this page put its own in the place."""
    while isinstance(hook, _Stop):
        hook = hook.hook
    return hook  # type: ignore[no-any-return]


class _Stop:
    """Stands for `sys.breakpointhook`: opens a debugger, in a kernel, unless that of JupyterLab is attached.

    Where nobody can type an answer, the run goes on.
    """

    def __init__(self, hook: Any) -> None:
        self.hook = hook

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        from chatsys.teach.widgets.notebook import shell

        kernel = getattr(shell(), "kernel", None)
        attached = getattr(sys.modules.get("debugpy"), "is_client_connected", bool)()
        if kernel is None or attached:
            return _usual(self)(*arguments, **named)
        if not getattr(kernel, "_allow_stdin", False):
            return None
        import pdb

        heard = sys.stdout
        heard.write(STOPPED)
        sys.stdout = heard.real if isinstance(heard, _Voice) else heard
        debugger = pdb.Pdb()  # IPython has put its own in this place; it talks to the output that it finds now
        sys.stdout = heard
        return debugger.set_trace(sys._getframe(1))


class _Voice(_Stop):
    """Stands for the output, too, while a door is open: each line gets the run, the moment and the node before it."""

    def __init__(self, real: TextIO, hook: Any, where: Actor | str) -> None:
        self.real, self.hook, self.where = real, hook, where
        self.line = ""
        """The beginning of one that is not whole yet."""

    def write(self, text: str) -> int:
        """Show whole lines; keep the beginning of one that is not whole yet."""
        *whole, self.line = (self.line + text).split("\n")
        for line in whole:
            self._show(line)
        return len(text)

    def end(self) -> None:
        """Show the beginning of a line that nobody has ended."""
        if self.line:
            self._show(self.line)
            self.line = ""

    def flush(self) -> None:
        """Whole lines are shown at once; to flush the real output in each call would take far longer than the run."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def _show(self, line: str) -> None:
        from chatsys.teach.widgets.notebook import cell

        now = cell()
        if now != _Shown.cell:
            _Shown.cell, _Shown.lines = now, 0
        _Shown.lines += 1
        if now is None or _Shown.lines <= MOST_LINES:
            where = self.where if isinstance(self.where, str) else f"{_run()}node {self.where.me}"
            self.real.write(f"[{where}] {line}\n")
        elif _Shown.lines == MOST_LINES + 1:
            self.real.write(f"Your class prints more than {MOST_LINES} lines in this cell; the others are not shown.\n")


def _run() -> str:
    """Return the run and its moment, if a simulation is on the way up from here."""
    from chatsys.sim.simulation import Simulation

    frame = sys._getframe(2)
    for _ in range(DEEPEST):
        if frame.f_back is None:
            break
        frame = frame.f_back
        world = frame.f_locals.get("self")
        if isinstance(world, Simulation):
            return f"seed {world.seed}, {world.now:.3f} s, "
    return ""
