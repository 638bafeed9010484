"""`verify` beside members: what a learner kept has the members' messages, in their order, under their numbers."""

from pathlib import Path

import msgspec
import pytest
from typed import Run, refused

from chatsys.actor.logfile import batch, encode
from chatsys.check.log_files import verify
from chatsys.errors import LogError
from chatsys.protocol.learning.records import KeptMessage, LearnerBoot
from chatsys.protocol.messages import Entry, LearnerInfo
from chatsys.protocol.public import Heard, public
from chatsys.protocol.storage import Boot, CommitHint, Stored

pytestmark = pytest.mark.quick


def write(folder: Path, *records: msgspec.Struct) -> Path:
    folder.mkdir()
    batches = (batch(number, encode(record)) for number, record in enumerate(records, start=1))
    (folder / "log.jsonl").write_bytes(b"".join(batches))
    return folder


def member(folder: Path, *texts: str, commit: int = 9) -> Path:
    """A log whose position 2 opens ann's session; a text "again" repeats her message before it."""
    entries = [Entry(1, 1, "barrier"), Entry(2, 1, "session", client_id="ann")]
    number = 0
    for text in texts:
        number += text != "again"
        entries.append(Entry(len(entries) + 1, 1, "chat", "ann", number, "main", "ann", text, session=2))
    stored = [Stored(entry) for entry in entries]
    return write(folder, Boot(1, "chat", 1), *stored, CommitHint(min(commit, len(entries))))


def learner(folder: Path, *kept: tuple[int, str], cluster: str = "chat") -> Path:
    heard = [
        KeptMessage(number, Heard(seq, "main", "ann", text, 7.5, public("ann"), number))
        for number, (seq, text) in enumerate(kept, start=1)
    ]
    return write(folder, LearnerBoot(1, cluster, 4, identity="9f", nonce="04"), *heard)


def test_a_learner_that_kept_what_was_committed_agrees(tmp_path: Path) -> None:
    one, four = member(tmp_path / "node1", "a", "again", "b"), learner(tmp_path / "node4", (3, "a"), (5, "b"))
    found = verify([one, four])
    assert found["ok"] and found["messages"] == 2 and found["first_difference"] is None
    assert found["nodes"][str(four)] == {
        "entries": 2, "torn": 0, "damaged": None, "uncommitted_tail": 0, "learner": "4"
    }  # fmt: skip
    assert verify([four])["messages"] == 2


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        (((3, "a"), (4, "x")), "has 'x' by ann (position 4) as message 2, but"),
        (((4, "b"),), "has 'b' by ann (position 4) as message 1, but"),
        (((3, "a"), (5, "b")), "has 'b' by ann (position 5) as message 2, but"),
    ],
)
def test_another_text_a_gap_and_another_position_are_told(
    kept: tuple[tuple[int, str], ...], says: str, tmp_path: Path
) -> None:
    found = verify([member(tmp_path / "node1", "a", "b"), learner(tmp_path / "node4", *kept)])
    assert not found["ok"] and found["first_difference"]["committed"]
    assert says in found["first_difference"]["sentence"]


def test_what_a_member_does_not_know_to_be_committed_may_differ(tmp_path: Path) -> None:
    one = member(tmp_path / "node1", "a", "lost", commit=3)
    assert verify([one, learner(tmp_path / "node4", (3, "a"), (4, "b"), (5, "c"))])["ok"]


def test_two_learners_are_compared_with_each_other(tmp_path: Path) -> None:
    found = verify([learner(tmp_path / "node4", (3, "a")), learner(tmp_path / "node5", (3, "b"))])
    assert "node5 has 'b' by ann (position 3)" in found["first_difference"]["sentence"] and not found["ok"]


def test_a_learner_of_another_cluster_is_not_compared(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="compare the nodes of one cluster"):
        verify([member(tmp_path / "node1"), learner(tmp_path / "node4", cluster="other")])


def knows(folder: Path, node: int, *learners: tuple[str, int]) -> Path:
    """A member's log with these entries about learners."""
    entries = [
        Entry(seq, 1, kind, learner=LearnerInfo(one, "9f"))  # type: ignore[arg-type]
        for seq, (kind, one) in enumerate(learners, start=1)
    ]
    return write(folder, Boot(1, "chat", node), *map(Stored, entries))


def test_a_learner_that_nobody_knows_cannot_be_let_go(tmp_path: Path, run: Run) -> None:
    """The order was taken, dropped by every member, and the command ended with 0."""
    for node, known in ((1, (("learner", 4), ("learner", 6), ("leave", 6))), (2, ())):
        knows(tmp_path / f"node{node}", node, *known)
    refused(
        run("cluster", "leave", 9, "--data", tmp_path),
        "There is no learner 9: the logs of nodes 1 and 2 name learner 4.",
    )
    refused(run("cluster", "leave", 6, "--data", tmp_path), "There is no learner 6")
    assert not (tmp_path / "node1" / "orders").exists()
    config = tmp_path / "node2.yml"
    config.write_text(f"node: 2\nmembers: {{1: '127.0.0.1:1', 2: '127.0.0.1:2'}}\ndata: {tmp_path / 'node2'}\n")
    refused(
        run("cluster", "leave", 4, "--config", config),
        "There is no learner 4: the log of node 2 names no learner. If it has just joined, this log may lack that; wait "
        "until node 2 has caught up, or name another member.",
    )


def test_an_order_goes_to_those_only_who_know_the_learner(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatsys.commands.accepting.PATIENCE", 0.01)
    knows(tmp_path / "node1", 1, ("learner", 4))
    knows(tmp_path / "node2", 2)
    refused(
        run("cluster", "leave", 4, "--data", tmp_path),
        "Nobody took the order to let learner 4 go, for node 1 is not running",
    )
