"""Opening: who gets the client that fills the screen, and who gets lines."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from chatsys.clients import line, opening


class Stream:
    """A stream that is a terminal, or is not."""

    def __init__(self, tty: bool = True, encoding: str = "utf-8") -> None:
        self.tty, self.encoding = tty, encoding
        self.written = ""

    def isatty(self) -> bool:
        return self.tty

    def write(self, text: str) -> None:
        self.written += text

    def flush(self) -> None:
        pass


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Somebody sits at a good terminal; return which clients opened."""
    which: list[str] = []
    monkeypatch.setattr(opening, "sys", SimpleNamespace(stdin=Stream(), stdout=Stream(), stderr=Stream()))
    monkeypatch.setenv("TERM", "xterm-256color")

    def lines(*_: Any) -> int:
        which.append("line")
        return 0

    monkeypatch.setattr(line, "main", lines)
    return which


def test_a_terminal_gets_the_screen(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from chatsys.clients.screen import app

    def screen(*words: Any) -> int:
        opened.append(f"screen {words}")
        return 0

    monkeypatch.setattr(app, "main", screen)
    assert opening.main(["a:1"], "ann", "main", "chat") == 0
    assert opened == ["screen (['a:1'], 'ann', 'main', 'chat')"]


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
@pytest.mark.parametrize("piped", [Stream(tty=False), Stream(encoding="ascii"), None])
def test_a_pipe_or_a_closed_stream_gets_lines(
    opened: list[str], monkeypatch: pytest.MonkeyPatch, stream: str, piped: Stream | None
) -> None:
    monkeypatch.setattr(f"chatsys.clients.opening.sys.{stream}", piped)
    if piped is None or not piped.tty or stream == "stderr":
        assert opening.main(["a:1"], "ann", "main", "chat") == 0 and opened == ["line"]
    else:
        assert opening.can_show(), "textual draws on stderr, so it is that encoding which counts"


@pytest.mark.parametrize("term", ["dumb", "unknown", ""])
def test_a_terminal_without_a_cursor_gets_lines(opened: list[str], monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    monkeypatch.setenv("TERM", term)
    assert opening.main(["a:1"], "ann", "main", "chat") == 0 and opened == ["line"]


def test_whoever_asks_for_lines_gets_them(opened: list[str]) -> None:
    assert opening.main(["a:1"], "ann", "main", "chat", plain=True) == 0 and opened == ["line"]


def test_without_textual_a_sentence_says_why_it_is_lines(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("chatsys.clients.screen.app", "chatsys.clients.screen.pieces"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delattr("chatsys.clients.screen.app", raising=False)
    for name in [one for one in sys.modules if one.partition(".")[0] == "textual"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "textual", None)
    assert opening.main(["a:1"], "ann", "main", "chat") == 0 and opened == ["line"]
    said = vars(opening)["sys"].stderr
    assert said.written.startswith("chatsys: this is the plain client, for textual is not installed; ")
