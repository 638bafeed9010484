"""The board of lab 11 in a real JupyterLab: a press in the picture is a move in the kernel, and what it did comes back.

Skipped with a sentence where there is no Chromium; with CI=true that is a failure.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import browser
import labels
import pytest
from browser import Tab

if TYPE_CHECKING:
    from playwright.sync_api import Locator

if browser.CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip(
        "Chromium is not installed, so nobody looks at the board; apt install chromium.", allow_module_level=True
    )

BOARD = 'from chatsys.teach.labs.lab11 import adversary\ngame = adversary("no session dedup")\ngame'
ASK = "print(game.moves, sorted(game.broken))"
BY_CODE = "game.again()\ngame.isolate(2)\ngame.slow_disks()\ngame.crash(1)\nprint('moved')"
"""Moves that show in the picture everything that a card can say of a node."""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """Return a page with a board, a cell that asks the kernel, and one that moves by code."""
    assert browser.CHROMIUM, "CI needs Chromium to look at the board; apt-get install chromium."
    with browser.lab(tmp_path_factory.mktemp("board")) as server, browser.page(server) as shown:
        server.write("board.ipynb", [BOARD, ASK, BY_CODE])
        shown.open("board.ipynb")
        shown.run(0)
        board(shown).wait_for()
        yield shown
        assert shown.complaints == [] and shown.strangers == []


def board(tab: Tab) -> "Locator":
    return tab.page.locator(".cs-game:visible")


def press(tab: Tab, name: str) -> None:
    board(tab).get_by_role("button", name=name, exact=True).click()


def says(tab: Tab, text: str) -> None:
    """Wait until the board's verdict says so."""
    board(tab).get_by_role("status").filter(has_text=text).wait_for(timeout=15_000)


def asked(tab: Tab) -> str:
    """Return what the kernel says of the game: its moves, and what they broke."""
    return "".join(tab.run(1)).strip()


def test_a_press_is_a_move_in_the_kernel_and_the_picture_shows_what_it_broke(tab: Tab) -> None:
    says(tab, "0 moves: nothing is broken. Par is 2.")
    press(tab, "A direction of a link is cut: cut(3, 1)")
    says(tab, "1 move: nothing is broken.")
    press(tab, 'Somebody speaks: say("a", 1)')
    says(tab, "✗ 2 moves broke duplicate: at 3.17 s node 3 delivered message 2 of eve")
    for node, wrong in ((1, 0), (2, 2), (3, 2)):
        card = board(tab).get_by_role("group", name=f"node {node}", exact=True)
        assert card.locator("li", has_text="✗").count() == wrong, f"what node {node} shows"
    assert board(tab).get_by_label("the moves so far").inner_text() == 'world.cut(3, 1)\nworld.say("a", 1)'
    assert asked(tab) == "[('cut', 3, 1), ('say', 'a', 1)] ['duplicate']"
    tab.picture("break-it-board")
    press(tab, "Take the last move back")
    says(tab, "1 move: nothing is broken.")
    assert asked(tab) == "[('cut', 3, 1)] []"


def test_the_board_is_played_by_keyboard_and_the_focus_is_never_lost(tab: Tab) -> None:
    press(tab, "Take all moves back")
    says(tab, "0 moves")
    first = board(tab).get_by_role("button", name='Somebody speaks: say("a", 2)', exact=True)
    first.focus()
    tab.page.keyboard.press("Enter")
    says(tab, "1 move:")
    focused = "() => document.activeElement.getAttribute('aria-label')"
    assert tab.page.evaluate(focused) == "Take the last move back", "that text was said, so its button is gone"
    board(tab).get_by_role("button", name="The power fails everywhere: power_cut()", exact=True).focus()
    for count in (2, 3):
        tab.page.keyboard.press("Space")
        says(tab, f"{count} moves:")
        assert tab.page.evaluate(focused) == "The power fails everywhere: power_cut()"
    assert asked(tab) == "[('say', 'a', 2), ('power_cut',), ('power_cut',)] []"


def test_moves_by_code_are_seen_in_the_picture_which_keeps_nobody_out(tab: Tab) -> None:
    tab.run(2)
    says(tab, "3 moves: nothing is broken.")
    card = board(tab).get_by_role("group", name="node 1", exact=True)
    assert "down" in card.inner_text()
    assert "slow disk" in board(tab).get_by_role("group", name="node 2", exact=True).inner_text()
    assert "Cut: 1 to 2, 2 to 1, 2 to 3, 3 to 2." in board(tab).inner_text()
    assert board(tab).get_by_role("button", name="A node stops: crash(1)", exact=True).count() == 0
    for theme, width in (("Light", 1280), ("Dark", 1280), ("Dark", 800), ("Light", 800)):
        tab.theme(f"JupyterLab {theme}")
        tab.page.set_viewport_size({"width": width, "height": 1000})
        assert browser.barriers(tab.page, ".cs-game") == [], (theme, width)
        assert labels.overlapping(tab.page, ".cs-game") == [], (theme, width)
        tab.picture(f"break-it-board-{theme.lower()}-{width}")
