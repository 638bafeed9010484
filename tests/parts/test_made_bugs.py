"""The list of one-line bugs says of each which line it changes, and that line is still there."""

from pathlib import Path

import made_bugs
import pytest

import chatsys

pytestmark = pytest.mark.quick

PROTOCOL = Path(chatsys.__file__).parent / "protocol"


def test_each_made_bug_changes_one_line_of_the_protocol_as_it_is_now() -> None:
    for bug in made_bugs.read():
        text = (PROTOCOL / bug.file).read_text(encoding="utf-8")
        changed = bug.applied(text)
        compile(changed, bug.file, "exec")
        pairs = list(zip(text.splitlines(), changed.splitlines(), strict=True))
        assert [(old, new) for old, new in pairs if old != new] == [(bug.old, bug.new)]


def test_a_bug_whose_line_is_gone_is_told_by_name() -> None:
    with pytest.raises(LookupError, match="fence.py has no line 'x = 1' any more; mend or remove it in made_bugs.txt"):
        made_bugs.MadeBug("fence.py", 1, "x = 1", "x = 2").applied("y = 1\n")
