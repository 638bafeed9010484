"""A command line as a person types it, and what to expect when it is refused."""

from collections.abc import Callable

Run = Callable[..., tuple[int, str, str]]
"""The fixture `run`: words of a command line in, (exit code, stdout, stderr) out."""


def refused(answer: tuple[int, str, str], words: str) -> None:
    """Assert that a command was refused: exit code 2, one sentence on stderr, nothing on stdout."""
    code, out, err = answer
    assert code == 2, (out, err)
    assert out == ""
    assert err.startswith("chatsys: ") and err.count("\n") == 1 and err.rstrip().endswith((".", "?", "help."))
    assert words in err
    assert "Traceback" not in err
