"""Types that several tests share: a command line as a person types it, and where a real cluster lives."""

from collections.abc import Callable
from typing import Literal

Run = Callable[..., tuple[int, str, str]]
"""The fixture `run`: words of a command line in, (exit code, stdout, stderr) out."""

Where = Literal["kernel", "processes"]
"""Where the nodes of a real cluster live: in this process, or each in one of its own."""


def refused(answer: tuple[int, str, str], words: str, code: int = 2) -> None:
    """Assert that a command was refused: exit code 2, or another, one sentence on stderr, nothing on stdout."""
    found, out, err = answer
    assert found == code, (out, err)
    assert out == ""
    assert err.startswith("chatsys: ") and err.count("\n") == 1 and err.rstrip().endswith((".", "?", "help."))
    assert words in err
    assert "Traceback" not in err
