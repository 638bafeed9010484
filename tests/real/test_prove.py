"""The long ring: pieces run one after another, what is finished stays finished, and every kind keeps a line."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psutil
import pytest
from endings import ends
from typed import Run, refused

from chatsys.errors import UsageError
from chatsys.evidence import code, gathering
from chatsys.evidence.gathering import PIECES, RECORD, Evidence, Kind, Line, Piece, gather, joined, written
from chatsys.evidence.kinds import SMALL, kinds
from chatsys.evidence.page import BEGIN, END, PAGE, README, between, renew

SHORT = "--seconds 1 --calm 1 --jobs 1 --json"


def played(seeds: str, more: str = "") -> Piece:
    """Return a piece that plays a few short schedules."""
    return Piece(("simulate", "--seeds", seeds, *more.split(), *SHORT.split()), 60.0, seeds)


def test_pieces_run_one_after_another_and_each_keeps_a_line(tmp_path: Path) -> None:
    told: list[Line] = []
    evidence = Evidence(tmp_path / "kept", (Kind("some", (played("0:2"), played("2:3"))),))
    gather(evidence, 60.0, told.append)
    assert [line.seeds for line in told] == ["0:2", "2:3"] and all(line.seconds > 0 for line in told)
    assert {line.result for line in told} <= {"held", "inconclusive"}
    kept = [json.loads(text) for text in (tmp_path / "kept" / "pieces.jsonl").read_text().splitlines()]
    assert [line["command"] for line in kept] == [line.command for line in told]
    (row,) = (tmp_path / "kept" / "evidence.txt").read_text().splitlines()
    assert row.startswith("some") and "2 of 2" in row and "seeds 0:3" in row


def test_what_was_finished_with_the_same_code_is_not_run_again(tmp_path: Path) -> None:
    some = (Kind("some", (played("0:1"), played("1:2"))),)
    told: list[Line] = []
    gather(Evidence(tmp_path, some), 0.001, told.append)
    gather(Evidence(tmp_path, some), 60.0, told.append)
    gather(Evidence(tmp_path, some), 60.0, told.append)
    assert [line.seeds for line in told] == ["0:1", "1:2"]


def test_evidence_of_other_code_counts_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = (Kind("some", (played("0:1"),)),)
    told: list[Line] = []
    gather(Evidence(tmp_path, some), 60.0, told.append)
    monkeypatch.setattr(gathering, "digest", lambda rooms: "another state")
    gather(Evidence(tmp_path, some), 60.0, told.append)
    assert [line.code for line in told] == [code.digest(()), "another state"]


def test_evidence_grows_old_with_the_rooms_it_speaks_of_and_not_by_a_comment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "PACKAGE", tmp_path)
    (tmp_path / "sim").mkdir()
    (tmp_path / "teach").mkdir()
    inside, outside = tmp_path / "sim" / "world.py", tmp_path / "teach" / "figure.py"

    def after(path: Path, text: str) -> str:
        path.write_text(text)
        code._meaning.cache_clear()
        return code.digest(("sim",))

    first = after(inside, '"""A world."""\n\n\ndef run():\n    """Run."""\n    return 1\n')
    assert after(outside, "color = 2\n") == first
    assert after(inside, '"""The world."""\n# with a comment\n\ndef run():\n    return 1\n') == first
    assert after(inside, "def run():\n    return 2\n") != first
    with pytest.raises(UsageError, match="There is no dream in the package"):
        code.digest(("dream",))


def test_what_was_found_is_told_between_the_marks_of_both_pages_and_nowhere_else(tmp_path: Path) -> None:
    some = Kind(
        "some", (played("0:2"), played("2:3")), tells="{schedules} schedules", shows="They held.", leaves="All else."
    )
    evidence = Evidence(tmp_path / "kept", (some,))
    evidence.run(*(evidence.next() or pytest.fail("there is something to do")))
    page, readme, record = tmp_path / "page.md", tmp_path / "readme.md", tmp_path / "record.jsonl"
    for path in (page, readme):
        path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    renew(evidence, page, readme, record)
    renew(evidence, page, readme, record)  # again changes nothing
    for path in (page, readme):
        assert path.read_text().startswith("before\n") and path.read_text().endswith("\nafter\n")
        assert "| some | 2 schedules (1 of 2 pieces) |" in between(path.read_text()) and "old" not in path.read_text()
    assert "*Would show, once all of it has held:* They held.\n*Leaves open:* All else." in between(page.read_text())
    evidence.run(*(evidence.next() or pytest.fail("there is a second piece")))
    renew(evidence, page, readme, record)
    assert "*Shows:* They held.\n*Leaves open:* All else." in between(page.read_text())
    readme.write_text("no marks")
    with pytest.raises(UsageError, match="readme.md has no marks; put"):
        renew(evidence, page, readme, record)


def test_what_this_machine_cannot_run_is_told_from_the_record_and_never_begun(tmp_path: Path) -> None:
    page, readme, record = tmp_path / "page.md", tmp_path / "readme.md", tmp_path / "record.jsonl"
    for path in (page, readme):
        path.write_text(f"{BEGIN}\n{END}\n")
    able = (Kind("some", (played("0:1"), played("1:2"))),)
    first = Evidence(tmp_path / "there", able, record)
    first.run(able[0], able[0].pieces[0])
    renew(first, page, readme, record)
    written_there = readme.read_text(), record.read_bytes()
    here = Evidence(tmp_path / "here", (msgspec.structs.replace(able[0], lacks="There is no compiler here."),), record)
    assert here.next() is None
    renew(here, page, readme, record)
    assert (readme.read_text(), record.read_bytes()) == written_there


def test_with_the_record_of_the_project_nobody_begins_from_nothing(tmp_path: Path) -> None:
    """A machine is kept for some hours, the evidence took days: what one had gathered was lost for the next."""
    some = (Kind("some", (played("0:1"), played("1:2"), played("2:3"))),)
    page, readme, record = tmp_path / "page.md", tmp_path / "readme.md", tmp_path / "record.jsonl"
    for path in (page, readme):
        path.write_text(f"{BEGIN}\n{END}\n")
    first = Evidence(tmp_path / "here", some, record)
    first.run(some[0], some[0].pieces[1])
    renew(first, page, readme, record)
    second = Evidence(tmp_path / "there", some, record)
    assert [piece.seeds for piece in second.missing(some[0])] == ["0:1", "2:3"]
    second.run(some[0], some[0].pieces[0])
    renew(Evidence(tmp_path / "there", some, record), page, readme, record)
    assert [json.loads(text)["seeds"] for text in record.read_text().splitlines()] == ["0:1", "1:2"]
    assert "2 of 3 pieces" in between(readme.read_text())
    assert len(Evidence(tmp_path / "anew", some).missing(some[0])) == 3, "without the record, all is made anew"


def test_each_number_of_both_pages_is_made_of_the_record_and_the_record_is_of_this_code(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path / "kept", kinds(), RECORD)
    page, readme, record = tmp_path / "page.md", tmp_path / "readme.md", tmp_path / "record.jsonl"
    for path in (page, readme):
        path.write_text(f"{BEGIN}\n{END}\n")
    renew(evidence, page, readme, record)
    advice = "run chatsys prove --minutes 0 --write"
    assert record.read_bytes() == RECORD.read_bytes(), advice
    for made, kept in ((page, PAGE), (readme, README)):
        for line in between(made.read_text()).splitlines():
            assert line in between(kept.read_text(encoding="utf-8")), f"{kept.name}: {advice}"


def test_no_campaign_uses_the_bench_of_which_no_evidence_speaks() -> None:
    users = [
        path.relative_to(code.PACKAGE).as_posix()
        for path in code.PACKAGE.rglob("*.py")
        if re.search(r"(from|import) chatsys\.campaign(\.bench| import bench)", path.read_text(encoding="utf-8"))
    ]
    assert [name for name in users if not name.startswith("campaign/bench/")] == ["commands/bench.py"]


def test_every_kind_says_what_it_shows_and_what_it_leaves_open_and_stands_in_both_pages() -> None:
    for kind in kinds():
        assert kind.shows.endswith(".") and kind.leaves.endswith("."), kind.name
        for path in (PAGE, README):
            assert f"| {kind.name} |" in between(path.read_text(encoding="utf-8")), f"{kind.name} is not in {path.name}"


def test_both_pages_say_the_same_whichever_piece_was_run_last(tmp_path: Path) -> None:
    some, rows = (Kind("some", (played("0:1"), played("1:2"))),), []
    lines = {}
    evidence = Evidence(tmp_path, some)
    for number, piece in enumerate(some[0].pieces):
        evidence.commit = f"commit {number}"
        lines[number] = msgspec.json.encode(evidence.run(some[0], piece)) + b"\n"
    for order in ((0, 1), (1, 0)):
        (tmp_path / PIECES).write_bytes(b"".join(lines[number] for number in order))
        rows.append(Evidence(tmp_path, some).rows())
    assert rows[0] == rows[1] and rows[0][0]["commit"] == "commit 1"


def test_a_violation_is_kept_with_its_sentence_and_its_command(tmp_path: Path) -> None:
    evidence = Evidence(
        tmp_path, (Kind("unsafe", (Piece(("demo", "--scenario", "split-brain", "--quorum", "1", "--json"), 60.0),)),)
    )
    gather(evidence, 60.0, lambda line: None)
    (row,) = evidence.rows()
    assert row["result"] == "violated"
    assert (
        row["what"][0].startswith("chatsys demo --scenario split-brain --quorum 1 --json: ") and "S1" in row["what"][0]
    )


def test_a_search_that_stops_before_its_end_holds_nothing(tmp_path: Path) -> None:
    piece = Piece(("explore", "--model", "log", "--states", "50", "--json"), 60.0)
    evidence = Evidence(tmp_path, (Kind("log", (piece,)),))
    gather(evidence, 60.0, lambda line: None)
    assert [row["result"] for row in evidence.rows()] == ["inconclusive"]


def test_a_piece_that_fails_by_itself_is_told_and_tried_again(tmp_path: Path) -> None:
    some = (Kind("some", (Piece(("simulate", "--seeds", "nonsense"), 60.0), Piece(("demo",), 0.001))),)
    told: list[Line] = []
    for _ in range(2):
        gather(Evidence(tmp_path, some), 60.0, told.append)
    assert {line.result for line in told} == {"failed"} and len(told) > 2
    assert any("--seeds is 'nonsense'" in line.what for line in told)
    assert any(line.what == "It did not end within 0.001 s." for line in told)


def test_the_kind_that_had_the_least_time_comes_next(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path, (Kind("a", (played("0:1"), played("1:2"))), Kind("b", (played("2:3"),))))
    first = evidence.next()
    assert first is not None and first[0].name == "a"
    evidence.run(*first)
    second = evidence.next()
    assert second is not None and second[0].name == "b"


def test_every_kind_of_evidence_is_a_command_that_can_be_typed() -> None:
    every = kinds()
    assert {"soak, 3 processes", "fuzz", "election, every order", "schedules, 5 nodes"} <= {kind.name for kind in every}
    commands = [piece.command for kind in every for piece in kind.pieces]
    assert len(commands) == len(set(commands))
    seeds = {kind.name: joined([piece.seeds for piece in kind.pieces if piece.seeds]) for kind in every}
    assert seeds["schedules, 3 nodes"] == seeds["schedules, 5 nodes"] == "0:10000"
    assert "chatsys mutants 'vote twice' --explore --json" in commands
    assert "python tests/mutation/mutation.py chatsys/protocol/fence.py --json" in commands


def test_where_there_are_no_tests_no_small_bugs_are_tried_and_a_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setattr("chatsys.evidence.kinds.PACKAGE", tmp_path / "chatsys")
    assert SMALL not in {kind.name for kind in kinds()}
    _, _, said = run("prove", "--minutes", 0, "--data", tmp_path / "kept")
    assert "needs a clone" in said


def test_a_piece_may_be_a_program_of_the_clone(tmp_path: Path) -> None:
    told = ("--told", "--json", "--until", "tests", "chatsys/protocol/part.py")
    piece = Piece(told, 60.0, script="tests/mutation/mutation.py")
    evidence = Evidence(tmp_path, (Kind("small bugs", (piece,)),))
    line = evidence.run(*(evidence.next() or pytest.fail("there is one")))
    assert line.command.startswith("python tests/mutation/mutation.py --told")
    assert line.result in {"inconclusive", "held"}, line.what


def test_what_failed_is_told_until_it_was_tried_again(tmp_path: Path) -> None:
    some = (Kind("some", (Piece(("demo",), 0.001),)),)
    gather(Evidence(tmp_path, some), 1.0, lambda line: None)
    later = Evidence(tmp_path, some)
    assert later.rows()[0]["result"] == "failed" and later.missing(some[0]) == [*some[0].pieces]


def test_a_command_that_breaks_has_violated_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise RuntimeError('a bug of its own')")
    evidence = Evidence(tmp_path / "kept", (Kind("some", (Piece((), 30.0, script=str(tmp_path / "broken.py")),)),))
    line = evidence.run(*(evidence.next() or pytest.fail("there is something to do")))
    assert (line.result, line.what) == ("failed", "RuntimeError: a bug of its own")


@pytest.mark.parametrize(
    ("ranges", "told"),
    [
        (["1:2", "1:2", "2:3"], "1:3"),
        ([], ""),
        (["0:2", "2:5"], "0:5"),
        (["2:5", "0:1"], "0:1, 2:5"),
        (["10:11", "9:10"], "9:11"),
    ],
)
def test_seeds_are_told_in_their_shortest_form(ranges: list[str], told: str) -> None:
    assert joined(ranges) == told


def test_a_line_of_the_table_fits_a_terminal() -> None:
    row = {
        "kind": "schedules, 3 nodes",
        "commit": "ddf604e+",
        "pieces": 3,
        "of": 100,
        "seconds": 4000.0,
        "result": "held",
        "seeds": "",
    }
    assert len(written(row)) <= 80


def test_a_broken_line_and_an_unusable_folder_are_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "pieces.jsonl").write_text('{"kind": "some"}\n')
    with pytest.raises(UsageError, match=r"pieces.jsonl is broken at line 1 .*; remove that line\."):
        Evidence(tmp_path, ())
    with pytest.raises(UsageError, match="cannot be kept in"):
        Evidence(tmp_path / "pieces.jsonl" / "below", ())


def test_the_command_runs_one_kind_and_says_what_is_left(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two searches that take a second come first; which pieces there are is tested above."""
    (real,) = [kind for kind in kinds() if kind.name == "mutants, by every order"]
    soon = sorted(
        real.pieces, key=lambda piece: piece.words[1] not in ("claims the lead at start", "lead without SYNC")
    )
    monkeypatch.setattr("chatsys.commands.prove.kinds", lambda: (msgspec.structs.replace(real, pieces=tuple(soon)),))
    code, out, err = run("prove", real.name, "--minutes", "0.01", "--data", tmp_path)
    every = len(real.pieces)
    assert code == 0 and f"{every - 1} pieces are left; the same command goes on with them." in out
    assert f"0 of {every} pieces are kept" in err and "held  chatsys mutants" in out
    code, out, _ = run("prove", real.name, "--minutes", "0.01", "--data", tmp_path, "--json")
    assert code == 0 and json.loads(out)["left"] == every - 2


def test_an_unknown_kind_is_refused_with_the_names_of_the_known_ones(run: Run, tmp_path: Path) -> None:
    refused(run("prove", "luck", "--data", tmp_path), "There is no evidence of the kind 'luck'; there are mutants, by")


ENDS = (signal.SIGTERM, signal.SIGKILL) if sys.platform == "linux" else (signal.SIGTERM,)
"""How a command may be ended; only Linux tells a process that the one which began it was killed."""


@pytest.mark.parametrize("how", ENDS)
def test_what_prove_began_ends_with_it(how: signal.Signals, tmp_path: Path) -> None:
    """After SIGTERM the schedules of the piece went on for up to a minute, as nobody's children."""
    words = ("-m", "chatsys", "prove", "schedules, 3 nodes", "--data", str(tmp_path))
    began = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while len(found := psutil.Process(began.pid).children(recursive=True)) < 2:  # the piece, and its workers
        assert time.monotonic() < end and began.poll() is None, began.communicate()
        time.sleep(0.1)
    began.send_signal(how)
    _, err = began.communicate(timeout=30)
    left = [process for process in found if not ends(process, 20)]
    for process in left:
        process.kill()
    assert not left and "Traceback" not in err
    assert how != signal.SIGTERM or (began.returncode == 130 and err.endswith("Stopped.\n"))
