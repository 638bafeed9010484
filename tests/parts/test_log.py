"""The two marks of a log: each moves by one verb, which says what must hold; by hand."""

import re
from pathlib import Path

import pytest
from by_hand import members

import chatsys
from chatsys.actor.effects import Note
from chatsys.protocol.decisions import Commit
from chatsys.protocol.log import Log
from chatsys.protocol.messages import Entry

pytestmark = pytest.mark.quick

PROTOCOL = Path(chatsys.__file__).parent / "protocol"


def log(last: int) -> Log:
    made = Log(members())
    made.restore([Entry(seq, 1, "chat") for seq in range(1, last + 1)], 0)
    return made


def test_a_commit_is_noted_and_decided_once() -> None:
    three = log(3)
    three.verify_to(3)
    assert three.commit_to(2) == [Note("commit", seq=2, verified=3), Commit(2)]
    assert three.commit_to(2) == three.commit_to(1) == [], "it never goes back"
    assert (three.commit, three.verified) == (2, 3)


def test_nothing_is_committed_beyond_what_is_verified_nor_verified_beyond_the_end() -> None:
    three = log(3)
    three.verify_to(1)
    with pytest.raises(AssertionError, match="commit <= verified <= last"):
        three.commit_to(2)
    with pytest.raises(AssertionError, match="only what is here"):
        three.verify_to(4)
    assert (three.commit, three.verified) == (0, 1)


def test_under_another_leader_only_what_is_committed_stays_verified() -> None:
    three = log(3)
    three.verify_to(3)
    three.commit_to(1)
    three.doubt()
    assert (three.commit, three.verified) == (1, 1)


WRITERS = {
    r"\.members": set(),
    r"log\.(commit|verified)": set(),
    r"\.trust": {"failure.py"},
    r"\.lease_valid": {"failure.py"},
    r"\.ready": {"ordering.py"},
    r"\.heard": {"fence.py"},
    r"\.handing_over": {"succession.py"},
    r"\.down": set(),
}
"""Who else than the one that holds it (`log.py`, `state.py`) may set a shared fact."""


@pytest.mark.parametrize("fact", WRITERS)
def test_each_shared_fact_has_one_writer(fact: str) -> None:
    pages = [path for path in PROTOCOL.glob("*.py") if path.name not in {"state.py", "log.py", "client.py"}]
    found = {path.name for path in pages if re.search(fact + r"(, [\w.]+)* = ", path.read_text())}
    assert found == WRITERS[fact]


def test_entries_are_reached_through_the_log() -> None:
    for path in [
        path for path in Path(chatsys.__file__).parent.rglob("*.py") if path.name not in {"log.py", "log_files.py"}
    ]:
        assert not re.search(r"\bentries\[[^\]:]*- 1\]", path.read_text()), path
