"""The commands, by who needs them; `__main__` only puts them together and catches what they raise.

    lab  classroom (demo)  grading (grade, tidy)  doctor  a class at work
    nodes                                      node, cluster up, cluster status, client, verify; accepting, leaving
    simulate  explore  mutants  soak  fuzz  outsider    evidence
    bench  prove                               what is measured; all of the evidence, in pieces

Every command that reports has `--json`: one JSON object on stdout and nothing else.  What people
read in passing (progress, hints) goes to stderr.  A command reads its arguments, calls one thing in
the package and prints what comes back.

Read also `__main__` (exit codes and errors).
"""

import json
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from shutil import get_terminal_size
from textwrap import fill
from typing import Annotated, Any

import msgspec
import typer

from chatsys.config import count_quorum
from chatsys.errors import UsageError
from chatsys.surroundings import TOGETHER

MOST_DIGITS = 40
"""Longer numbers than this are no seeds; Python itself refuses very long ones."""
HELD, VIOLATED, BAD, INCONCLUSIVE, REFUSED = 0, 1, 2, 3, 4
"""What the exit code says."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]
Nodes = Annotated[int, typer.Option(min=1, max=7, help="How many nodes.", show_default=True)]
Quorum = Annotated[
    str,
    typer.Option(metavar="majority|K", help="How many nodes must agree: more than half, or a number from 1 (unsafe)."),
]


def read_quorum(text: str, nodes: int) -> int:
    """Return the quorum as a number; raises `ConfigError` with a sentence if it is not possible."""
    negative = text.startswith("-") and text[1:].isdecimal() and len(text) < 10
    return count_quorum(int(text) if negative else text, nodes)


def read_range(text: str) -> range:
    """Return the seeds that `A:B` names: from A up to but not including B."""
    first, colon, last = text.partition(":")
    numbers = first.isdecimal() and last.isdecimal() and len(text) <= MOST_DIGITS
    if not (colon and numbers and int(first) < int(last)):
        raise UsageError(
            f"--seeds is {text[:200]!r}; write A:B with A less than B, for example 0:300 (300 is not included)."
        )
    return range(int(first), int(last))


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    """Return `value` if it is allowed; otherwise raise a sentence that lists what is."""
    if value not in allowed:
        *others, last = allowed
        raise UsageError(f"{name} is {value!r}; write {', '.join(others)}{' or ' * bool(others)}{last}.")
    return value


def counted(number: int, one: str, more: str = "") -> str:
    """Return a number and what it counts: 1 entry, 2 entries."""
    return f"{number} {one if number == 1 else more or one + 's'}"


def check_id_from(id_from: str | None, config: object) -> None:
    """Raise `UsageError` if a name was given, and no file in which it could be looked up."""
    if id_from is not None and not config:
        raise UsageError("--id-from was given without --config; name the file in which that name is looked up.")


def print_json(value: dict[str, Any]) -> None:
    """Print `value` as the one line of JSON that a script reads."""
    try:
        text = msgspec.json.encode(value, enc_hook=str).decode()
    except UnicodeEncodeError:  # the name of a file need not be text; `json` writes its bytes as escapes
        text = json.dumps(msgspec.to_builtins(value, enc_hook=str, str_keys=True))
    print(text, flush=True)


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """Let SIGTERM, which `timeout` and service managers send, end a command as Ctrl-C does: nothing stays behind.

    A command that hears signals by itself, as a node does, replaces this.
    """
    first = 0.0

    def hear(number: int, frame: Any) -> None:
        nonlocal first
        if time.monotonic() - first > TOGETHER:  # or what the first one began to clean up would be left half done
            first = time.monotonic()
            signal.default_int_handler(number, frame)

    try:
        before = signal.signal(signal.SIGTERM, hear)
    except ValueError:  # in a thread, signals are not ours
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Let each warning be its sentence alone: whoever gives a command did not write the line of code that it names."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_where: hint(str(message))
        yield


def hint(text: str) -> None:
    """Tell people something that is not the result: on stderr, if that takes it."""
    try:
        print(text, file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:  # a full disk where stderr goes is no reason to end the work
        pass


def wrapped(text: str, first: int = 0, others: int = 0) -> str:
    """Return `text` broken between words where standard output is a terminal, with margins so wide."""
    if not sys.stdout.isatty():
        return " " * first + text
    return fill(text, max(40, get_terminal_size().columns), initial_indent=" " * first, subsequent_indent=" " * others)


def leave(code: int) -> None:
    """End the command with this exit code."""
    raise typer.Exit(code)


@contextmanager
def progress(total: int, unit: str) -> Iterator[Any]:
    """Yield a function to call after each step; a bar shows on stderr if that is a terminal."""
    from tqdm import tqdm

    with tqdm(total=total, unit=f" {unit}", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False) as bar:
        yield lambda count=1: bar.update(count)


def print_row(text: str) -> None:
    """Print a line on stdout at once, above the bar if one shows."""
    from tqdm import tqdm

    tqdm.write(text, file=sys.stdout)
    sys.stdout.flush()
