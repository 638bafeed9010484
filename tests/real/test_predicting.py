"""A prediction in a real JupyterLab: answered with the arrow keys, compared below, and dead then.

Skipped with a sentence where there is no Chromium; with CI=true that is a failure.
"""

import os
from pathlib import Path

import browser
import pytest

if browser.CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip("Chromium is not installed, so nobody predicts; apt install chromium.", allow_module_level=True)


def test_a_prediction_is_answered_with_the_arrow_keys_and_compared_below(tmp_path: Path) -> None:
    """JupyterLab keeps the arrow keys for its cells; a question says that it needs them itself."""
    assert browser.CHROMIUM, "CI needs Chromium to predict; apt-get install chromium."
    with browser.lab(tmp_path) as server, browser.page(server) as tab:
        tab.open("00-tour.ipynb")
        tab.run(2)
        question = tab.page.locator(".jp-Cell").nth(2)
        choices = question.locator("input[type=radio]")
        choices.first.wait_for()
        choices.first.focus()
        tab.page.keyboard.press("ArrowDown")
        assert choices.nth(1).is_checked()
        question.locator(".cs-guess-state", has_text="You can change it").wait_for()
        tab.run(3)
        assert "You said “node 2”: right." in tab.run(5)[0]
        assert choices.nth(1).is_disabled()
        assert tab.complaints == [] and tab.strangers == []
