"""The two marks of a log: each moves by one verb, which says what must hold; by hand."""

import re
from pathlib import Path

import pytest
from by_hand import members

import chatsys
from chatsys.actor.effects import Append, Note
from chatsys.config import Limits
from chatsys.errors import BrokenInvariant
from chatsys.protocol.decisions import Commit
from chatsys.protocol.log import Log
from chatsys.protocol.messages import Entry, Label
from chatsys.protocol.storage import Stored, Truncate

pytestmark = pytest.mark.quick

PROTOCOL = Path(chatsys.__file__).parent / "protocol"


def log(last: int) -> Log:
    made = Log(members())
    made.restore([Entry(seq, 1, "chat") for seq in range(1, last + 1)], 0)
    return made


def test_in_an_empty_log_nothing_is_verified_and_nothing_committed() -> None:
    empty = Log(members())
    assert (empty.commit, empty.verified, empty.rewound, empty.last_seq, empty.last) == (0, 0, None, 0, Label(0, 0))


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


# --- entries that must go -------------------------------------------------------------------------


def unsafe(committed: int, last: int) -> Log:
    """Return a log of a cluster in which one node is a quorum."""
    made = Log(members(quorum=1))
    made.restore([Entry(seq, 1, "chat") for seq in range(1, last + 1)], committed)
    made.verify_to(last)
    return made


def test_in_an_unsafe_cluster_a_committed_entry_that_goes_takes_both_marks_back_before_it() -> None:
    """SPECIFICATION R1.5: commit, verified and what was delivered end before the first entry that was voided."""
    three = unsafe(committed=3, last=4)
    new = Entry(3, 2, "chat")
    told, cut, stored = three.splice([new])
    assert (cut, stored) == (Append(Truncate(3)), Append(Stored(new)))
    assert isinstance(told, Note) and (told.kind, told.seq) == ("anomaly", 3)
    assert "entries up to 3 were committed here" in (told.reason or "")
    assert (three.commit, three.verified, three.rewound, three.last_seq) == (2, 2, 3, 3)
    three.splice([Entry(2, 3, "chat")])
    assert (three.commit, three.rewound) == (1, 2), "the lowest that was voided is what the sessions have to see"
    three.commit, three.rewound = 2, 1
    three.splice([Entry(2, 4, "chat")])
    assert three.rewound == 1


def test_what_is_not_committed_goes_without_a_word_and_takes_only_verified_back() -> None:
    three = log(4)
    three.verify_to(4)
    three.commit_to(2)
    new = Entry(3, 2, "chat")
    assert three.splice([new]) == [Append(Truncate(3)), Append(Stored(new))]
    assert (three.commit, three.verified, three.rewound) == (2, 2, None)


def test_the_last_committed_entry_stays_in_a_safe_cluster() -> None:
    three = log(4)
    three.verify_to(4)
    three.commit_to(2)
    with pytest.raises(BrokenInvariant, match="entry 2 is to be replaced, but entries up to 2 were committed here"):
        three.splice([Entry(2, 2, "chat")])
    assert three.last_seq == 4


@pytest.mark.parametrize(
    ("entries", "after", "told"),
    [
        ([6], None, "Entry 6 came where entry 5 must stand"),
        ([2, 4], None, "Entry 4 came where entry 3 must stand"),
        ([3], 1, "Entry 3 came where entry 2 must stand"),
        ([0], None, "Entry 0 came where entry 0 must stand"),
    ],
)
def test_entries_that_do_not_follow_each_other_are_refused(entries: list[int], after: int | None, told: str) -> None:
    """SPECIFICATION R8.19."""
    with pytest.raises(BrokenInvariant, match=told):
        log(4).splice([Entry(seq, 1, "chat") for seq in entries], after)


def test_where_one_stands_in_the_log_is_told_without_a_step_too_far() -> None:
    four = Log(members())
    four.restore([Entry(seq, term, "chat") for seq, term in enumerate((1, 1, 2, 2), start=1)], 0)
    assert [four.start_of_term(seq) for seq in (1, 2, 3, 4)] == [1, 1, 3, 3]
    assert (four.label(0), four.term_at(0), four.term_at(4), four.label(3)) == (Label(0, 0), 0, 2, Label(2, 3))
    assert four.holds(Label(0, 0)) and four.holds(Label(2, 4)) and not four.holds(Label(2, 5))
    assert [entry.seq for entry in four.since(2)] == [3, 4] and four.entry(4).seq == 4 and four.entry(1).seq == 1
    for seq in (0, 5):
        with pytest.raises(AssertionError, match="there is no entry"):
            four.entry(seq)


def test_a_batch_ends_before_the_entry_that_would_make_the_frame_too_long() -> None:
    four = log(4)
    size = four.entry(1).size
    for limit, count in ((3 * size, 3), (3 * size - 1, 2), (1, 1)):
        assert len(four.batch(1, Limits(batch_bytes=limit))) == count
    assert [entry.seq for entry in four.batch(2, Limits(batch_entries=2))] == [2, 3]
    assert [entry.seq for entry in four.batch(2, Limits(), upto=3)] == [2, 3] and four.batch(5, Limits()) == ()


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
