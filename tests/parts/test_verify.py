"""`verify` reads the log files of several nodes and says whether they agree."""

from pathlib import Path

import msgspec
import pytest
from typed import Run

from chatsys.actor.logfile import batch, encode, mark
from chatsys.check.log_files import verify
from chatsys.errors import LogError
from chatsys.protocol.messages import Entry
from chatsys.protocol.storage import Boot, CommitHint, Promised, Stored, Truncate


def chat(seq: int, text: str, term: int = 1, client_seq: int = 0) -> Stored:
    return Stored(
        Entry(seq=seq, term=term, kind="chat", client_id="ann", client_seq=client_seq or seq, author="ann", text=text)
    )


def barrier(seq: int, term: int = 1) -> Stored:
    return Stored(Entry(seq=seq, term=term, kind="barrier"))


def write(folder: Path, *records: msgspec.Struct, node: int = 1, cluster: str = "chat", tail: bytes = b"") -> Path:
    folder.mkdir()
    boot = Boot(incarnation=1, cluster=cluster, node=node)
    batches = (batch(number, encode(record)) for number, record in enumerate((boot, *records), start=1))
    (folder / "log.jsonl").write_bytes(b"".join(batches) + tail)
    return folder


def test_equal_logs_agree(tmp_path: Path) -> None:
    records = (Promised(1, 3), barrier(1), chat(2, "hi"), chat(3, "yo"), CommitHint(2))
    one, two = write(tmp_path / "node1", *records), write(tmp_path / "node2", *records, node=2)
    node = {"entries": 3, "torn": 0, "damaged": None, "uncommitted_tail": 0}
    assert verify([one, two]) == {
        "ok": True,
        "messages": 2,
        "nodes": {str(one): node, str(two): node},
        "first_difference": None,
    }


def test_the_cosmetic_time_of_an_entry_makes_no_difference(tmp_path: Path) -> None:
    late = Stored(msgspec.structs.replace(chat(1, "hi").entry, time=9.0))
    found = verify([write(tmp_path / "a", chat(1, "hi"), CommitHint(1)), write(tmp_path / "b", late, CommitHint(1))])
    assert found["ok"] and found["first_difference"] is None


def test_a_difference_below_both_commits_breaks_s1(tmp_path: Path) -> None:
    one = write(tmp_path / "node1", barrier(1), chat(2, "hi"), chat(3, "x"), CommitHint(3))
    two = write(tmp_path / "node2", barrier(1), chat(2, "yo", term=2), chat(3, "y"), CommitHint(3))
    found = verify([one, two])
    assert not found["ok"]
    assert found["first_difference"] == {
        "seq": 2,
        "committed": True,
        "sentence": f"S1 agreement: at position 2 {one} holds 'hi' by ann (term 1), but {two} holds 'yo' by ann "
        "(term 2); both nodes took this position for committed, so they must hold the same entry.",
    }


def test_the_verdict_never_says_that_logs_which_disagree_are_in_one_order(run: Run, tmp_path: Path) -> None:
    one = write(tmp_path / "node1", chat(1, "a"), chat(2, "b"), chat(3, "c"), CommitHint(3))
    two = write(tmp_path / "node2", chat(1, "a"), chat(2, "z"), chat(3, "c"), CommitHint(3), node=2)
    assert verify([one, two])["messages"] == 1, "those before the difference"
    code, out, _ = run("verify", one, two)
    assert code == 1
    assert out.splitlines()[-1] == "VIOLATED: 1 message in one order, then the logs disagree, from position 2 on"
    assert run("verify", one)[1].splitlines()[-1] == "held: 3 messages in one order"
    rot(one)
    last = run("verify", one, two)[1].splitlines()[-1]
    assert last == f"VIOLATED: {one} damaged; 3 messages in one order in what can be read elsewhere"
    assert run("verify", one)[1].splitlines()[-1] == "VIOLATED: damaged, up to there 0 messages"


def rot(folder: Path) -> None:
    """Let one letter of the text "b" rot in the log of this folder."""
    file = folder / "log.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"text":"b"', b'"text":"B"'))


def test_the_broken_agreement_is_told_before_an_earlier_uncommitted_difference(tmp_path: Path) -> None:
    one = write(tmp_path / "node1", chat(1, "a"), chat(2, "b"), CommitHint(2))
    two = write(tmp_path / "node2", chat(1, "z"), node=2)
    three = write(tmp_path / "node3", chat(1, "a"), chat(2, "c"), CommitHint(2), node=3)
    found = verify([one, two, three])
    assert (found["ok"], found["first_difference"]["seq"]) == (False, 2)


def test_a_difference_above_a_commit_is_an_uncommitted_tail(tmp_path: Path) -> None:
    one = write(tmp_path / "node1", barrier(1), chat(2, "hi"), chat(3, "new", term=2), CommitHint(3))
    two = write(tmp_path / "node2", barrier(1), chat(2, "hi"), CommitHint(2), chat(3, "old"), chat(4, "old too"))
    found = verify([one, two])
    assert found["ok"]
    assert found["messages"] == 2
    assert found["nodes"][str(one)]["uncommitted_tail"] == 0
    assert found["nodes"][str(two)]["uncommitted_tail"] == 2
    assert found["first_difference"]["committed"] is False
    assert found["first_difference"]["sentence"].startswith("Uncommitted tail: at position 3 ")


def test_a_node_that_is_behind_makes_no_difference(tmp_path: Path) -> None:
    one = write(tmp_path / "node1", chat(1, "a"), chat(2, "b"), CommitHint(2))
    found = verify([one, write(tmp_path / "node2", chat(1, "a"))])
    assert found["ok"] and found["first_difference"] is None and found["messages"] == 2


def test_the_unknown_end_of_the_longest_log_is_an_uncommitted_tail(tmp_path: Path) -> None:
    one = write(tmp_path / "node1", chat(1, "a"), CommitHint(1), chat(2, "b"))
    found = verify([one, write(tmp_path / "node2", chat(1, "a"))])
    assert found["nodes"][str(one)]["uncommitted_tail"] == 1 and found["messages"] == 1


def test_truncated_entries_are_gone_and_lower_the_commit(tmp_path: Path) -> None:
    one = write(tmp_path / "node1", chat(1, "a"), chat(2, "old"), CommitHint(2), Truncate(2), chat(2, "new", term=2))
    two = write(tmp_path / "node2", chat(1, "a"), chat(2, "new", term=2), CommitHint(2))
    found = verify([one, two])
    assert found["ok"] and found["first_difference"] is None
    assert found["nodes"][str(one)]["entries"] == 2


def test_a_retry_in_the_log_counts_as_one_message(tmp_path: Path) -> None:
    assert verify([write(tmp_path / "a", chat(1, "a"), chat(2, "a", client_seq=1), CommitHint(2))])["messages"] == 1


def test_a_torn_last_batch_is_fine_and_what_it_held_is_said(run: Run, tmp_path: Path) -> None:
    lines = encode(chat(2, "never acknowledged")) + encode(chat(3, "nor this"))
    one = write(tmp_path / "node1", chat(1, "a"), tail=batch(3, lines)[:-10])
    found = verify([one])
    assert found["ok"]
    node = dict(found["nodes"][str(one)])
    assert "(entry 2): its sync had not ended, unless it rotted later" in node.pop("warning")
    assert node == {"entries": 1, "torn": len(batch(3, lines)) - 10, "damaged": None, "uncommitted_tail": 0}
    code, out, _ = run("verify", one)
    assert code == 0 and "1 entry, " in out and "at the end was dropped (entry 2)" in " ".join(out.split())


def test_a_rotten_last_batch_is_damage_if_a_mark_says_that_it_was_synced(tmp_path: Path) -> None:
    one = write(tmp_path / "node1", chat(1, "a"), chat(2, "b"), tail=mark(3))
    rot(one)
    assert verify([one])["nodes"][str(one)] == {"entries": 1, "torn": 0, "damaged": 5, "uncommitted_tail": 0}


def test_damage_in_the_middle_is_told_with_its_line_and_the_others_are_still_compared(tmp_path: Path) -> None:
    one = write(tmp_path / "node1", chat(1, "a"), chat(2, "b"), chat(3, "c"))
    rot(one)
    two = write(tmp_path / "node2", chat(1, "a"), chat(2, "b"), CommitHint(2))
    found = verify([one, two])
    assert not found["ok"]
    assert found["nodes"][str(one)]["damaged"] == 5 and found["nodes"][str(one)]["entries"] == 1
    assert found["nodes"][str(two)]["entries"] == 2 and found["first_difference"] is None


def test_a_position_that_is_left_out_is_damage(tmp_path: Path) -> None:
    one = write(tmp_path / "node1", chat(1, "a"), chat(3, "c"), chat(2, "b"))
    assert verify([one])["nodes"][str(one)] == {"entries": 1, "torn": 0, "damaged": 6, "uncommitted_tail": 0}


def test_an_empty_log_is_fine(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "log.jsonl").touch()
    found = verify([tmp_path / "new", write(tmp_path / "node1", chat(1, "a"))])
    assert found["ok"] and found["nodes"][str(tmp_path / "new")]["entries"] == 0


@pytest.mark.parametrize(
    "content", [b"hello", b"hello\nworld\n", b"\x00\xff" * 50, b'{"a": 1}\n', batch(1, encode(barrier(1)))]
)
def test_what_is_no_log_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log.jsonl").write_bytes(content)
    with pytest.raises(LogError, match="is not the log of a chat node"):
        verify([tmp_path])


def test_a_missing_folder_is_refused_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"nowhere.log\.jsonl cannot be read .* give the data folder of a node"):
        verify([tmp_path / "nowhere"])


def test_no_folder_at_all_is_refused() -> None:
    with pytest.raises(LogError, match="No folder was given"):
        verify([])


def test_logs_of_two_clusters_are_not_compared(tmp_path: Path) -> None:
    one = write(tmp_path / "a", chat(1, "a"))
    two = write(tmp_path / "b", chat(1, "b"), cluster="other")
    with pytest.raises(LogError, match="belongs to the cluster 'other', but .* belongs to 'chat'"):
        verify([one, two])


def test_two_nodes_in_one_log_are_refused(tmp_path: Path) -> None:
    one = write(tmp_path / "a", chat(1, "a"), Boot(incarnation=2, cluster="chat", node=2))
    with pytest.raises(LogError, match="line 6 says node 2 .* began as node 1"):
        verify([one])


def test_the_report_is_plain_json(tmp_path: Path) -> None:
    found = verify([write(tmp_path / "a", chat(1, "a"), CommitHint(1)), write(tmp_path / "b", chat(1, "b"))])
    assert msgspec.json.decode(msgspec.json.encode(found)) == found
