"""The screen client without a screen: what is kept, what became of what one said, and which lines are visible."""

from typing import Any

import pytest

from chatsys.actor.events import Say
from chatsys.clients.screen.chat import Chat
from chatsys.clients.screen.layout import FOLDED, STATES, Line, cells, message, safe, wrap
from chatsys.clients.screen.view import HELP, Viewport
from chatsys.clients.screen.window import PAGE, ChatLine, Window
from chatsys.protocol.listening.reading import Reread
from chatsys.trace import Record


def record(kind: str, number: int | None = None, text: str = "hi", **more: Any) -> Record:
    return Record(0.0, kind, "ann", **{"msg_no": number, "text": text, "room": "main", "author": "bob"} | more)


def own(kind: str, number: int, text: str, **more: Any) -> Record:
    """Return a record about an own message, by its number in the session."""
    return record(kind, text=text, client="mine", client_seq=number, author="ann", **more)


def chat(*numbers: int) -> Chat:
    """A chat that has seen these messages, linked to all nodes."""
    made = Chat("ann", "main")
    made.members = (1, 2, 3)
    made.target = 1
    for node in made.members:
        made.take(record("link_up", peer=node))
    for number in numbers:
        made.take(record("seen", number, f"m{number}"))
    made.notice = ""
    return made


def answer(made: Chat) -> list[Reread]:
    """Read again what was asked for; return the orders."""
    orders, made.orders = [order for order in made.orders if isinstance(order, Reread)], []
    for order in orders:
        for number in range(order.first, order.last + 1):
            made.take(record("reread", number, f"m{number}"))
    return orders


def shown(view: Viewport) -> list[str]:
    """Return the visible rows as text."""
    view.look()
    return ["".join(text for text, _ in line).rstrip() for line in view.rows()]


def numbers(view: Viewport) -> list[int]:
    """Return the numbers of the visible messages."""
    return [int(row[1:].split()[0]) for row in shown(view) if row.startswith("#")]


def states(made: Chat) -> list[tuple[str, str]]:
    return [(one.line.text, one.state) for one in made.outbox]


# --- the window ------------------------------------------------------------------------------------


def test_a_window_keeps_the_newest_messages_and_takes_each_once() -> None:
    window = Window(most=150)
    for number in (41, 42, 42, 41, *range(43, 300)):
        window.hear(ChatLine(number, "main", "bob", "hi"), following=True)
    assert [line.number for line in window.lines] == list(range(150, 300)) and window.is_live


def test_a_full_window_lets_the_chat_go_on_while_somebody_reads_further_up() -> None:
    window = Window(most=120)
    for number in range(1, 200):
        window.hear(ChatLine(number, "main", "bob", "hi"), following=False)
    assert (window.first, window.last, window.newest, window.is_live) == (1, 120, 199, False)
    assert window.after() == range(121, 200)
    window.load([ChatLine(number, "main", "bob", "hi") for number in window.after()])
    assert (window.first, window.last, window.is_live) == (80, 199, True)


def test_a_page_in_front_pushes_out_at_the_end_and_long_texts_count() -> None:
    window = Window(most=1000, most_characters=30_000)
    for number in range(500, 600):
        window.hear(ChatLine(number, "main", "bob", "x" * 250), following=True)
    window.load([ChatLine(number, "main", "bob", "x" * 250) for number in window.before()])
    assert (window.first, window.last, window.characters) == (400, 519, 30_000)
    assert not window.load([ChatLine(number, "main", "bob", "x") for number in range(100, 200)]), "it belongs nowhere"


# --- what becomes of what one says -------------------------------------------------------------------


def test_an_own_message_is_pending_then_acknowledged_and_then_stands_in_the_chat_once() -> None:
    made = chat(41)
    made.enter("hello")
    assert made.orders == [Say("hello", "main", "ann")] and states(made) == [("hello", "pending")]
    made.take(own("submit", 1, "hello"))
    made.take(own("ack", 1, "hello", msg_no=42))
    assert states(made) == [("hello", "acknowledged")], "what stands before #42 may still come"
    assert shown(Viewport(made))[-1].startswith("#42 ann: hello") and shown(Viewport(made))[-1].endswith(
        "✓ acknowledged"
    )
    made.take(own("seen", 1, "hello", msg_no=42))
    assert states(made) == [] and shown(Viewport(made))[-1].count("✓ acknowledged") == 1


def test_what_stands_in_the_chat_is_acknowledged_whatever_its_answer() -> None:
    made = chat(1)
    for number, text in enumerate(("one", "two", "three"), start=1):
        made.enter(text)
        made.take(own("submit", number, text))
    made.take(own("seen", 1, "one", msg_no=2))
    made.take(own("indeterminate", 1, "one"))
    made.take(own("indeterminate", 2, "two"))
    assert states(made) == [("two", "indeterminate"), ("three", "pending")]
    made.take(own("seen", 2, "two", msg_no=3))
    made.take(own("ack", 3, "three", msg_no=4))
    made.take(own("seen", 3, "three", msg_no=4))
    assert states(made) == [] and made.unacknowledged() == []
    assert [row[-14:] for row in shown(Viewport(made))[-3:]] == ["✓ acknowledged"] * 3


def test_the_same_text_said_twice_is_two_messages_in_their_order() -> None:
    made = chat(1)
    for number in (1, 2):
        made.enter("again")
        made.take(own("submit", number, "again"))
    made.take(own("ack", 1, "again", msg_no=2))
    assert [(one.state, one.line.number) for one in made.outbox] == [("acknowledged", 2), ("pending", 0)]


def test_what_is_indeterminate_or_refused_stays_until_it_is_taken_away_and_the_rest_stays_then() -> None:
    made = chat(1)
    for number, text in enumerate(("one", "two"), start=1):
        made.enter(text)
        made.take(own("submit", number, text))
    made.take(own("indeterminate", 1, "one"))
    made.enter("a\x1bb")
    made.enter("x" * 70_000)
    assert [state for _, state in states(made)] == ["indeterminate", "pending", "refused", "refused"]
    assert made.notice == "not said: the text is longer than 65536 bytes; split it." and len(made.orders) == 2
    assert made.unacknowledged() == ["one", "two"]
    made.enter("/clear")
    assert states(made) == [("two", "pending")]


def test_what_the_cluster_refuses_is_refused_here() -> None:
    made = chat(1)
    made.enter("hello")
    made.take(record("reply", text="hello", reason="denied: no", client=None))
    assert states(made) == [("hello", "refused")] and made.notice == "not said: denied: no" and made.was_refused


# --- layout ------------------------------------------------------------------------------------------


HOSTILE = [
    "\x1b[2J\x1b[H", "[red]markup[/red]", "\u202egnorw", "a\nb\r\tc", "x" * 3000, "e" + "\u0301" * 500, "\ud800",
    "  ".join(["#9 ann: forged", " " * 200, "✓ acknowledged"]), "顺序" * 900, "👩‍👩‍👧" * 300, "\u200d\u200d", "\u0301", "",
]  # fmt: skip


@pytest.mark.parametrize("width", [1, 7, 59, 60, 80])
@pytest.mark.parametrize("state", ["", "indeterminate"])
def test_no_line_is_wider_than_the_screen_and_no_text_reaches_the_column_of_states(width: int, state: str) -> None:
    for text in HOSTILE:
        for author in ("bob", "\x1b]0;x\x07" * 20, "顺" * 128):
            lines = message(ChatLine(7, text[:100], author, text), width, "main", state, folded=False)
            for at, line in enumerate(lines):
                row = "".join(part for part, _ in line)
                assert cells(row) <= width, (text[:20], row)
                assert row.isprintable() or not set(row) & set("\x1b\n\r\t\x07\u202e\ud800")
                if width >= 60 and not (state and at == 0):
                    assert cells(row) <= width - 16


def test_words_stay_whole_where_they_fit_and_everything_of_a_text_is_shown() -> None:
    assert wrap("one two three", 7, 5) == ["one two", "three"]
    assert wrap("one two three", 2, 5) == ["", "one", "two", "three"]
    assert wrap("abcdefghij k", 4, 5) == ["abcd", "efghi", "j k"]
    for text in HOSTILE:
        assert "".join(wrap(safe(text), 30, 40)).replace(" ", "") == safe(text).replace(" ", "")


def test_marks_that_would_cover_the_lines_above_are_written_out() -> None:
    assert safe("e" + "\u0301" * 8 + "x\u0301") == "e" + "\u0301" * 8 + "x\u0301"
    assert safe("e" + "\u0301" * 500).count("\u0301") == 8


def test_a_wall_of_text_is_folded_and_says_how_to_see_it() -> None:
    made = chat()
    made.take(record("seen", 5, "word " * 2000))
    view = Viewport(made)
    assert shown(view)[-1].endswith("more lines; /unfold 5 shows them")
    assert len([row for row in shown(view) if "word" in row]) == FOLDED
    made.enter("/unfold #5")
    assert "more lines" not in "".join(shown(view))


def test_on_a_narrow_screen_the_state_is_a_line_of_its_own_that_no_text_can_begin() -> None:
    made = chat(1)
    made.take(record("seen", 2, " ✓ acknowledged " * 3))
    made.enter("hello")
    view = Viewport(made)
    view.width, view.height = 30, 8
    rows = shown(view)
    assert rows[-2:] == ["   ann: hello", "… pending"]
    assert not [row for row in rows if row.startswith("✓")]


# --- the view ----------------------------------------------------------------------------------------


def test_who_looks_at_the_end_follows_and_who_reads_further_up_stays_where_they_are() -> None:
    made = chat(*range(1, 61))
    view = Viewport(made)
    assert numbers(view) == list(range(41, 61))
    view.scroll(-19)
    before = numbers(view)
    made.take(record("seen", 61))
    assert numbers(view) == before == list(range(22, 42)) and not made.following
    view.scroll(19)
    view.scroll(19)
    assert numbers(view) == list(range(42, 62)) and made.following
    made.take(record("seen", 62))
    assert numbers(view)[-1] == 62


def test_scrolling_up_reads_the_log_page_by_page_to_its_beginning_and_back_with_bounded_memory() -> None:
    made = chat(*range(901, 1001))
    made.window.most = 300
    view = Viewport(made)
    read = numbers(view)
    for _ in range(60):
        view.scroll(-19)
        answer(made)
        assert numbers(view) == sorted(set(numbers(view)))
        read = [*numbers(view), *read]
        assert len(made.window.lines) <= 300 + PAGE
    assert set(read) == set(range(1, 1001)) and shown(view)[0] == "── the chat begins here ──"
    made.take(record("seen", 1001))
    for _ in range(60):
        view.scroll(19)
        answer(made)
    assert numbers(view)[-1] == 1001 and made.following and made.window.is_live


def test_a_screen_that_was_asked_for_comes_when_its_page_is_there() -> None:
    made = chat(*range(101, 121))
    view = Viewport(made)
    view.height = 5
    for _ in range(9):
        view.scroll(-4)
    assert shown(view)[0] == "── reading #1 to #100 … ──"
    assert answer(made) == [Reread(1, 100)]
    assert numbers(view) == list(range(96, 101))


def test_one_can_go_to_any_message_and_back_to_the_newest() -> None:
    made = chat(*range(4901, 5001))
    view = Viewport(made)
    shown(view)
    answer(made)
    made.enter("/go #700")
    assert numbers(view)[-1] == 5000, "until the page is there one sees what one saw"
    assert answer(made) == [Reread(680, 779)]
    assert numbers(view)[0] == 700 and not made.following
    made.take(record("seen", 5001))
    assert made.window.last == 779 and "the newest message is #5001" in "".join(text for text, _ in view.status())
    made.enter("/go")
    shown(view)
    answer(made)
    assert numbers(view) == list(range(4982, 5002)) and made.following
    made.enter("/go 1")
    shown(view)
    answer(made)
    assert shown(view)[0].startswith("#1 ")
    made.enter("/go 9000")
    assert made.notice == "there is no message 9000; the newest one is #5001"


def test_a_page_that_comes_after_one_has_gone_elsewhere_changes_nothing() -> None:
    made = chat(*range(4901, 5001))
    made.go(700)
    late = made.orders.pop()
    assert isinstance(late, Reread)
    made.go(None)
    for number in range(late.first, late.last + 1):
        made.take(record("reread", number))
    assert (made.window.first, made.window.last) == (4901, 5000)


def test_what_was_left_out_of_a_flood_is_read_again() -> None:
    made = chat(*range(1, 50))
    view = Viewport(made)
    made.take(record("seen", 90_000))
    assert numbers(view) == [] and made.following
    made.take(record("seen", 90_001))
    answer(made)
    assert numbers(view) == list(range(89_982, 90_002))


@pytest.mark.parametrize("width", [1, 3, 10, 80])
@pytest.mark.parametrize("height", [1, 2, 5, 60])
def test_a_screen_of_any_size_shows_something(width: int, height: int) -> None:
    made = chat(*range(101, 131))
    view = Viewport(made)
    for text in ("hello", "x" * 300, "/help"):
        made.enter(text)
        view.width, view.height = width, height
        for _ in range(3):
            view.scroll(-1)
            rows = view.rows()
            assert len(rows) == height and all(wide(line) <= width for line in rows)
            assert wide(view.header()) <= width and wide(view.status()) == width


def wide(line: Line) -> int:
    return sum(cells(text) for text, _ in line)


# --- what is told of nodes ---------------------------------------------------------------------------


def test_the_header_says_who_one_talks_to_and_who_leads_and_the_status_what_is_wrong() -> None:
    made = chat(1)
    view = Viewport(made)

    def said(line: Line) -> str:
        return "".join(text for text, _ in line)

    made.leader = 3
    assert said(view.header()).rstrip().endswith("talks to node 1 · node 3 leads · nodes 1 2 3")
    made.take(record("link_down", peer=3))
    assert "nodes 1 2 (3 gone)" in said(view.header())
    assert said(view.status()).startswith("── node 3 is gone ")
    made.enter("hello")
    made.take(own("submit", 1, "hello"))
    made.take(own("reply", 1, "", reason="busy: no leader\x1b is known here"))
    assert said(view.status()).startswith(r"── trying again: no leader\x1b is known here ")
    for node in (1, 2):
        made.take(record("link_down", peer=node))
    assert "reconnecting: no node answers" in said(view.header())
    assert said(view.status()).startswith("── no node answers, trying again; 1 message pending ")
    made.take(record("link_up", peer=2))
    made.target = 2
    made.take(own("ack", 1, "hello", msg_no=2))
    assert "talks to node 2" in said(view.header()) and "node 2 is there" in said(view.status())


def test_commands_change_name_and_room_and_say_what_is_wrong_with_them() -> None:
    made = chat(1)
    for line, notice in (
        ("/name bob the second", "your name is bob the second now"),
        ("/room tea", "your room is tea now"),
        ("/name", "/name needs a name, for example /name bob"),
        ("/name " + "x" * 1000, "not changed: the author must have 1 to 128 characters."),
        ("/room a\x1bb", "not changed: it contains the control character U+001B; remove it."),
        ("/dance", "/dance is no command; /help lists them"),
        ("/go x\x1b", r"there is no message x\x1b; the newest one is #1"),
        ("/unfold", "/unfold needs the number of a message that is in sight, for example /unfold 12"),
        ("/nodes", "linked to nodes 1, 2, 3"),
    ):
        made.enter(line)
        assert made.notice == notice
    assert (made.name, made.room, made.orders) == ("bob the second", "tea", [])
    made.enter("/quit")
    assert made.leaves


def test_the_help_fits_on_a_small_screen_and_explains_each_state() -> None:
    assert max(map(cells, HELP.splitlines())) <= 80 and len(HELP.splitlines()) <= 21
    assert all(state in HELP for state in STATES.values())
