"""The command line: `python -m chatsys ...`, also `chatsys ...`.

    exit code   0 held   1 violated   2 bad arguments, config or surroundings   3 inconclusive
                4 a node was refused for its identity: to start it again would not help
                130 stopped by Ctrl-C or SIGTERM   141 nobody reads the output any more

Promises  every error that chatsys raises on purpose, and every error of the surroundings (a full disk, a
          file that cannot be opened, no memory), is one sentence on stderr, never a traceback, and never
          exit code 1; a bug of ours still shows where it is;
          with `--json` stdout carries one JSON object and nothing else.
Read also `commands`, where each command is; `surroundings`, which most commands ask first.
"""

import os
import sys
from typing import Annotated, TextIO

import typer

from chatsys import __version__
from chatsys.commands import (
    BAD,
    REFUSED,
    accepting,
    backing,
    bench,
    classroom,
    doctor,
    explore,
    fuzz,
    grading,
    lab,
    leaving,
    linearize,
    mutants,
    nodes,
    outsider,
    plain_warnings,
    prove,
    report,
    sigterm_as_ctrl_c,
    simulate,
    soak,
    status,
)
from chatsys.errors import ChatsysError, ForeignLog, RefusedIdentity, UsageError
from chatsys.surroundings import advice, reason

app = typer.Typer(
    name="chatsys",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from chatsys.compiled.using import COMPILED, used

        print(", ".join((f"chatsys {__version__}", *([COMPILED] if used() else ()))))
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Learn distributed systems by breaking a chat.

    Start with `chatsys demo`, then `chatsys lab`. Every command has examples: `chatsys demo --help`.

    Exit codes: 0 held, 1 violated, 2 bad arguments, config or surroundings, 3 inconclusive, 4 a node's identity refused.
    """


for group in (
    lab,
    classroom,
    grading,
    report,
    doctor,
    nodes,
    status,
    accepting,
    leaving,
    backing,
    simulate,
    explore,
    mutants,
    soak,
    linearize,
    fuzz,
    outsider,
    bench,
    prove,
):
    group.add_to(app)

STOPPED, NO_READER = 130, 141
"""Exit codes, as shells give them: ended by Ctrl-C or SIGTERM; nobody reads what is written."""

OF_TEXT = {"--name", "--room", "--cluster", "--join", "--listen", "--log", "--loop", "--id-from"}
"""Options whose value is a text: an empty one is looked at where they are read."""

_BadArguments: type[Exception] = typer.BadParameter.__mro__[2]
"""What typer raises for every wrong argument; newer versions bring it along under another name."""


def main() -> None:
    """Run one command and end the process with its exit code."""
    _open_streams()
    code: object = 0
    try:
        _check_words(sys.argv[1:])
        with sigterm_as_ctrl_c(), plain_warnings():
            code = app(standalone_mode=False)
        sys.stdout.flush()
    except ChatsysError as error:
        code = _complain(str(error), REFUSED if isinstance(error, RefusedIdentity | ForeignLog) else BAD)
    except _BadArguments as error:
        code = _complain(said) if (said := _usage(error)) else 0
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except (BrokenPipeError, SystemExit):  # typer and rich leave by sys.exit(1) when nobody reads; 1 is taken here
        code = NO_READER
    except OSError as error:
        code = _complain(_surroundings(error))
    except MemoryError:
        code = _complain("The memory that this process may use is used up; do less at a time, or end other programs.")
    if code == STOPPED:
        _say("Stopped.")
    for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
        if _is_stuck(stream):  # Python flushes once more at exit: give what is left somewhere to go
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    sys.exit(code if isinstance(code, int) else 0)


def _check_words(words: list[str]) -> None:
    """Raise `UsageError` for an empty word: pathlib takes it for the current folder, which nobody meant.

    It comes of a variable that is not set (`cluster backup "$FROM" copy`).  Options of text say themselves what they need.
    """
    for before, word in zip(["chatsys", *words], words, strict=False):
        option, equals, value = word.partition("=")
        if not word:
            name = before
        elif word.startswith("--") and equals and not value:
            name = option
        else:
            continue
        if name not in OF_TEXT:
            raise UsageError(f"The word after {name} is empty; write what is meant there (the current folder is .).")


def _open_streams() -> None:
    """Open what the caller closed, so that printing works and no file of ours gets the number of a stream."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: that of the stream
            os.set_inheritable(nowhere, True)  # our own processes need it just as much
            setattr(sys, name, open(nowhere, mode, encoding="utf-8"))
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # the terminal may not have every letter of a name


def _is_stuck(stream: TextIO) -> bool:
    """Whether what was printed cannot leave."""
    try:
        stream.write("")  # without a buffer it is this that tries again, not `flush`
        stream.flush()
    except OSError:
        return True
    return False


def _surroundings(error: OSError) -> str:
    """Say what the system refused; the commands say it better where they expect it."""
    if error.filename is not None:
        what = f"{error.filename} cannot be used"
    elif _is_stuck(sys.stdout):
        what = "The output cannot be written"
    else:
        what = "The system refuses what this command needs"
    return f"{what}: {reason(error)}; {advice(error, 'mend that, then give the command again')}."


def _complain(sentence: str, code: int = BAD) -> int:
    _say(f"chatsys: {sentence}")
    return code


def _say(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:  # there is nobody left to tell; the exit code says it
        pass


def _usage(error: Exception) -> str:
    """Say in one line what is wrong with the arguments and where help is; "" if only help was asked for."""
    command = getattr(getattr(error, "ctx", None), "command_path", "chatsys")
    said = getattr(error, "format_message", lambda: str(error))().replace("\n", " ")
    if not said:
        return ""
    stop = "" if said.endswith((".", "?")) else "."
    return f"{said}{stop} See {command} --help."


if __name__ == "__main__":
    main()
