"""The command line: `python -m chatsys ...`, also `chatsys ...`.

    exit code   0 held   1 violated   2 bad arguments or config   3 inconclusive
                130 stopped by Ctrl-C   141 nobody reads the output any more

Promises  every error that chatsys raises on purpose is one sentence on stderr, never a traceback;
          with `--json` stdout carries one JSON object and nothing else.
Read also `commands`, where each command is.
"""

import os
import sys
from typing import Annotated

import typer

from chatsys import __version__
from chatsys.commands import BAD, classroom, explore, fuzz, nodes, proofs, prove, simulate, trials
from chatsys.errors import ChatsysError

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
        print(f"chatsys {__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Learn distributed systems by breaking a chat.

    Start with `chatsys demo`, then `chatsys lab`. Every command has examples: `chatsys demo --help`.

    Exit codes: 0 held, 1 violated, 2 bad arguments or config, 3 inconclusive.
    """


for group in (classroom, nodes, simulate, proofs, trials, explore, fuzz, prove):
    group.add_to(app)

STOPPED, NO_READER = 130, 141
"""Exit codes, as shells give them: ended by Ctrl-C; nobody reads what is written."""

_BadArguments: type[Exception] = typer.BadParameter.__mro__[2]
"""What typer raises for every wrong argument; newer versions bring it along under another name."""


def main() -> None:
    """Run one command and end the process with its exit code."""
    code: object = 0
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except ChatsysError as error:
        code = _complain(str(error))
    except _BadArguments as error:
        code = _complain(said) if (said := _usage(error)) else 0
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except (BrokenPipeError, SystemExit):  # typer and rich leave by sys.exit(1) when nobody reads; 1 is taken here
        code = NO_READER
    if code == STOPPED:
        print("Stopped.", file=sys.stderr)
    if code == NO_READER:
        # Python flushes stdout once more at exit: give it somewhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code if isinstance(code, int) else 0)


def _complain(sentence: str) -> int:
    print(f"chatsys: {sentence}", file=sys.stderr)
    return BAD


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
