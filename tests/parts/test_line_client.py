"""The line client: what it shows of the actor's notes, what it makes of input, and a real chat."""

import io
import re

import pytest

from chatsys.clients import line
from chatsys.clients.line import LineClient, tell_unknown
from chatsys.escape import escape
from chatsys.trace import Record


@pytest.fixture
def chat() -> LineClient:
    return LineClient("ann", "main")


def told(chat: LineClient, kind: str, **columns: object) -> list[str]:
    """Return what is shown of one record."""
    return list(chat.tell(Record(1.0, kind, "ann", **columns)))  # type: ignore[arg-type]


# --- what others wrote ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, shown",
    [
        ("hello", "hello"),
        ("שלום 👋🏽 नमस्ते", "שלום 👋🏽 नमस्ते"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("\x9b2Jgone", r"\x9b2Jgone"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\u202ecba", r"\u202ecba"),
        ("\u2028next", r"\u2028next"),
        ("\ud800", r"\ud800"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("", ""),
    ],
)
def test_signs_that_steer_a_terminal_are_written_out_and_nothing_else(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_a_text_cannot_forge_a_line_of_its_own(chat: LineClient) -> None:
    lines = told(chat, "seen", msg_no=4, room="main", author="eve", text="hi\n#5 bob: I quit")
    assert lines == [r"#4 eve: hi\n#5 bob: I quit"]


def test_an_author_cannot_steer_the_terminal(chat: LineClient) -> None:
    assert told(chat, "seen", msg_no=4, room="main", author="\x1b]0;x\x07", text="hi") == [r"#4 \x1b]0;x\x07: hi"]


# --- what the actor tells ---------------------------------------------------------------------


def test_a_message_shows_its_number_and_another_room(chat: LineClient) -> None:
    assert told(chat, "seen", msg_no=7, room="main", author="bob", text="hi") == ["#7 bob: hi"]
    assert told(chat, "seen", msg_no=8, room="tea", author="bob", text="hi") == ["#8 [tea] bob: hi"]


def test_an_acknowledgement_names_the_number(chat: LineClient) -> None:
    told(chat, "submit", client="c", client_seq=1, text="hi")
    assert told(chat, "ack", client="c", client_seq=1, msg_no=3) == ["    #3 is acknowledged"]
    assert not chat.unknown_texts()


def test_what_was_not_acknowledged_is_said_at_the_end(chat: LineClient, capsys: pytest.CaptureFixture[str]) -> None:
    told(chat, "submit", client="c", client_seq=1, text="hi \x1b")
    assert tell_unknown(chat.unknown_texts())
    assert r"not acknowledged, perhaps delivered, perhaps not: hi \x1b" in capsys.readouterr().err


def test_an_indeterminate_message_is_said_at_once_and_at_the_end(chat: LineClient) -> None:
    told(chat, "submit", client="c", client_seq=1, text="hi")
    shown = told(chat, "indeterminate", client="c", client_seq=1, text="hi")
    assert shown == ["    nobody can say whether this was delivered: hi"]
    assert chat.lost == ["hi"] and not chat.unknown


@pytest.mark.parametrize(
    "reason", ["gap: message 6 of this session is missing", "unknown_session: open a session first"]
)
def test_why_a_message_waits_is_said_without_the_words_of_the_protocol(chat: LineClient, reason: str) -> None:
    (shown,) = told(chat, "reply", client="c", client_seq=7, reason=reason)
    assert not re.search("session|gap", shown) and ("of yours has to come first" in shown or "does not know" in shown)


def test_somebody_at_a_terminal_is_told_of_help_and_a_pipe_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for terminal in (True, False):
        keyboard = io.StringIO("/quit\n")
        monkeypatch.setattr(keyboard, "isatty", lambda here=terminal: here)
        monkeypatch.setattr("sys.stdin", keyboard)
        monkeypatch.setattr("chatsys.clients.line.ClientHost.start", lambda self, patience: None)
        assert line.main(["127.0.0.1:1"], "ann", "main", "chat") == 0
        assert ("/help for the rest" in capsys.readouterr().out) == terminal


def test_the_same_reason_for_waiting_is_shown_once(chat: LineClient) -> None:
    first = told(chat, "reply", client="c", client_seq=1, reason="busy: no leader")
    assert first == ["    not acknowledged yet (busy: no leader); trying again"]
    assert told(chat, "reply", client="c", client_seq=1, reason="busy: no leader") == []
    assert told(chat, "reply", client="c", client_seq=1, reason="redirect") != []


def test_nodes_come_and_go(chat: LineClient) -> None:
    assert told(chat, "link_up", peer=2) == ["    node 2 is there"]
    assert told(chat, "link_down", peer=2) == ["    node 2 is gone"]


# --- input ------------------------------------------------------------------------------------


@pytest.fixture
def shown(chat: LineClient) -> list[str]:
    lines: list[str] = []
    chat.show = lines.append
    return lines


def test_commands_change_name_and_room(chat: LineClient, shown: list[str]) -> None:
    chat.enter("/name bob the second")
    chat.enter("/room tea\n")
    assert (chat.name, chat.room) == ("bob the second", "tea")
    assert shown == ["    your name is bob the second now", "    your room is tea now"]


@pytest.mark.parametrize("name", ["x" * 1000, "a\x1bb"])
def test_a_name_that_the_cluster_refuses_is_refused_here(chat: LineClient, shown: list[str], name: str) -> None:
    chat.enter(f"/name {name}")
    assert chat.name == "ann" and shown[0].startswith("    not changed: ")


def test_help_and_unknown_commands(chat: LineClient, shown: list[str]) -> None:
    chat.enter("/help")
    chat.enter("/dance")
    chat.enter("   ")
    assert "/name NAME" in shown[0] and shown[1:] == ["    /dance is no command; /help lists them"]


def test_what_cannot_be_shown_ends_the_client_and_not_its_thread() -> None:
    def full(_: str) -> None:
        raise OSError(28, "No space left on device")

    client = LineClient("ann", "main", show=full)
    client.take(Record(0.0, "link_up", "ann", peer=1))
    with pytest.raises(OSError, match="No space left on device"):
        client.check_output()
