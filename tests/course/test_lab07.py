"""Lab 07: what a power cut leaves, what its judges see of it and say, and what its page plays.

`test_lab_mould` tries every answer and every mistake of the keys, as it does for each lab; here a class lives in this
process, which is quicker.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from trials import TestTrial

from chatsys.errors import UsageError
from chatsys.teach.grading import predictions, revealing
from chatsys.teach.grading.judging import judge
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.labs.lab07 import LAB, friends, play
from chatsys.teach.labs.lab07.aftermath import left_of
from chatsys.teach.labs.lab07.checks import LOAD, appends, judge_log
from chatsys.teach.labs.lab07.disk import content_of, flipped, images, line_at, without_failed
from chatsys.teach.labs.lab07.lives import Life, lives
from chatsys.teach.labs.lab07.machine import LifeEvent
from chatsys.teach.labs.lab07.picture import power_cut
from chatsys.teach.labs.lab07.runs import CHAT, ODD
from chatsys.teach.labs.lab07.voting import judge_promises

COURSE = Path(__file__).parents[2] / "labs"
KEYS = read_keys(COURSE, LAB)
LOG, ANSWERING, VOTER = (KEYS.answers[number]["reference"] for number in ("7.1", "7.2", "7.3"))
EXERCISES = {one.number: one for one in LAB.exercises}


def trial(number: str, answer: Any) -> TestTrial:
    return TestTrial(answer, EXERCISES[number])


def wrong(number: str, name: str) -> Any:
    return KEYS.mistakes[number][name].cls


# --- the disk ----------------------------------------------------------------------------------


def written(*events: LifeEvent) -> dict[bytes, tuple[str, int]]:
    """What may be left of a life on a new file: each content, with its kind and the moment up to which it may be left."""
    return {one.content: (one.kind, one.until) for one in images(b"", events)}


def test_of_what_is_not_synced_any_beginning_may_be_left_and_zeros_and_holes() -> None:
    assert written(LifeEvent("write", data=b"ab\n")) == {
        b"": ("cut", 1), b"\0\0\0": ("zeros", 1), b"\0\0\n": ("hole", 1), b"a": ("cut", 1), b"a\0\0": ("zeros", 1),
        b"a\0\n": ("hole", 1), b"ab": ("cut", 1), b"ab\0": ("zeros", 1), b"ab\n": ("cut", 1),
    }  # fmt: skip


def test_what_a_sync_returned_for_is_always_there() -> None:
    left = written(LifeEvent("write", data=b"a\n"), LifeEvent("sync"), LifeEvent("write", data=b"b"), LifeEvent("sync"))
    assert [one for one in left if left[one][1] > 1] == [b"a\n", b"a\n\0", b"a\nb"]
    assert left[b"a\n"] == ("cut", 3), "the worst moment is that before the next sync"


def test_what_a_failed_sync_was_to_keep_may_be_there_or_not_and_nothing_after_it_counts() -> None:
    left = written(LifeEvent("write", data=b"a"), LifeEvent("failed"), LifeEvent("write", data=b"b"), LifeEvent("sync"))
    assert set(left) == {b"", b"\0", b"a"}


def test_where_a_failed_sync_was_to_keep_bytes_may_be_zeros_and_what_a_later_one_kept_stands_behind_them() -> None:
    a, b, c = (LifeEvent("write", data=one) for one in (b"a\n", b"b\n", b"c\n"))
    sync, failed = LifeEvent("sync"), LifeEvent("failed")
    assert without_failed(b"", (a, sync, b, failed, c, sync)) == b"a\n\0\0c\n"
    assert without_failed(b"x\n", (a, sync, b, c, failed)) == b"x\na\n" + bytes(4)
    assert without_failed(b"x\n", (b, failed, LifeEvent("truncate", 2), c)) == b"x\nc\n", (
        "who writes it anew has written it"
    )


def test_a_voter_that_promises_after_a_sync_that_failed_is_shown_the_life_that_promises_it_again() -> None:
    [finding] = judge_promises(trial("7.3", wrong("7.3", "promises after a sync that failed")), ())
    assert finding.aspect == "failed" and "the next life promised term 6 again at 4.0 s" in finding.sentence
    told = [(step.when, step.call, step.returned) for step in finding.steps]
    assert told[1:3] == [
        ("1.0 s", "promise(5)", "False; wrote 21 bytes; sync failed"), ("2.0 s", "promise(6)", "True; wrote 21 bytes; synced"),
    ]  # fmt: skip
    assert told[3][1] == "the power is cut"
    assert told[-1] == ("4.0 s", "promise(6)", "True; wrote 21 bytes; synced") and finding.steps[-1].wrong


def test_a_file_that_was_cut_may_be_found_as_it_was_before() -> None:
    tape = (LifeEvent("truncate", 2), LifeEvent("write", data=b"c"))
    assert {one.content for one in images(b"a\nxx", tape)} == {b"a\nxx", b"a\n", b"a\n\0", b"a\nc"}
    assert content_of(b"a\nxx", tape) == b"a\nc"


def test_a_bit_is_flipped_in_the_line_that_is_named() -> None:
    assert flipped(b"a\nb", 8 * 2) == b"a\nc" and line_at(b"a\nb", 2) == 2 and line_at(b"a\nb", 1) == 1


# --- the judges ----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", EXERCISES)
def test_right_answers_are_right_in_hundreds_of_runs(number: str) -> None:
    for answer in KEYS.answers[number].values():
        found = list(EXERCISES[number].judge(trial(number, answer), range(5000, 5030)))
        assert not found, found[0].sentence


@pytest.mark.parametrize("number", EXERCISES)
def test_every_sentence_has_a_number_and_at_most_two_hundred_letters(number: str) -> None:
    for name, mistake in KEYS.mistakes[number].items():
        for finding in EXERCISES[number].judge(trial(number, mistake.cls), range(1)):
            assert len(finding.sentence) <= 200 and re.search(r"\d", finding.sentence), f"{name}: {finding.sentence}"
            assert sum(step.wrong for step in finding.steps) <= 1


def test_the_sweep_cuts_the_power_at_every_byte_and_again_at_every_byte() -> None:
    asked: list[int] = []

    class Counts(TestTrial):
        def ask(self, scripts: Any) -> Any:
            asked.append(len(scripts[0].calls))
            return super().ask(scripts)

    assert list(KEYS.judges["7.1", "search"](Counts(LOG, EXERCISES["7.1"]), ())) == []
    [size] = {len(one.content) for one in lives(trial("7.1", LOG), [Life(b"", (*LOAD, *appends(CHAT)))])}
    once, twice = asked[2], asked[-1]
    assert size > 500 and once > 2.9 * size, "each byte cut, and with zeros and a hole behind it"
    assert twice > 13 * 100, "behind 0 to 12 records, each byte of the two that follow"


def test_the_byte_that_is_told_is_the_one_that_shows_it() -> None:
    [finding, *_] = judge_log(trial("7.1", wrong("7.1", "a torn line refuses the whole log")), ())
    left = re.search(r"left (\d+) bytes: (\d+) whole lines .* raised Damaged\((\d+)\)", finding.sentence)
    assert left is not None and int(left[3]) == int(left[2]) + 1
    content = lives(trial("7.1", LOG), [Life(b"", (*LOAD, *appends(CHAT)))])[0].content
    assert content[: int(left[1])].count(b"\n") == int(left[2])
    [marked] = [step for step in finding.steps if step.wrong]
    assert marked.call == "load()" and marked.returned == f"Damaged({left[3]})"


def test_odd_records_tell_a_checksum_in_the_record_from_one_beside_it() -> None:
    assert {"crc", "sum", "data"} <= {key for one in ODD for key in one}
    for name in ("the checksum takes a key of the record", "Python's ends of lines", "cuts letters, not bytes"):
        odd = trial("7.1", wrong("7.1", name))
        assert not list(judge_log(odd, range(20))), "only odd records show it"
        assert {one.aspect for one in KEYS.extra["7.1"](odd, ())} == {"any"}


def test_a_class_that_lacks_a_method_is_told_before_it_lives() -> None:
    class MyLog:
        def __init__(self, file: Any) -> None: ...
        def append(self, record: Any) -> None: ...

    outcomes = judge(EXERCISES["7.1"], MyLog, lambda exercise, kind: range(1), kinds=("public",))
    assert [one.points for one in outcomes] == [0]
    assert outcomes[0].sentence == "MyLog has no method `load`; write `def load(self)`."


def test_what_a_class_raises_is_told_with_its_call() -> None:
    class Raises(LOG):  # type: ignore[misc, valid-type]
        def append(self, record: Any) -> None:
            raise ValueError("no")

    class Unwritten(LOG):  # type: ignore[misc, valid-type]
        def load(self) -> Any:
            raise NotImplementedError

    [raised] = judge_log(trial("7.1", Raises), ())
    assert raised.aspect == "runs" and "append({'n': 1," in raised.sentence and "ValueError: no" in raised.sentence
    [unwritten] = judge_log(trial("7.1", Unwritten), ())
    assert unwritten.sentence == "You have not written `load` yet." and not unwritten.written


# --- the page ------------------------------------------------------------------------------------


def test_who_answers_at_once_loses_what_was_answered_and_who_waits_does_not() -> None:
    quick, honest = (play.write_log(cls).lost_at_bytes() for cls in (friends.Quick, friends.Honest))
    assert (len(quick), sum(count > 0 for _, count in quick)) == (453, 334)
    assert max(count for _, count in quick) == 3 and not any(count for _, count in honest)
    assert not any(count for _, count in play.write_log(LOG).lost())


def test_a_prediction_is_answered_by_the_students_own_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "kept", {})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    for number, answer in (("7a", 12), ("7b", 70.0), ("7c", 185), ("7d", "all of them")):
        predictions.predict(number, answer)
    revealing.reveal("7a", ANSWERING)
    figure = revealing.reveal("7b", ANSWERING)
    revealing.reveal("7c")
    revealing.reveal("7d", ANSWERING)
    said = capsys.readouterr().out.replace("\n    ", " ")
    assert "it was 0." in said and "it was 73.7 %: right, to 3.7 %." in said and "it was 298." in said
    assert "nothing is lost" in said and "Behind your answer: what was written is not in the process" in said
    assert "MyAnsweringLog: after 0 of 561 power cuts" in figure.layout.meta["summary"]


def test_the_picture_opens_where_most_is_lost_and_says_what_the_slider_shows() -> None:
    shown = power_cut(friends.Quick)
    assert shown is not None
    assert repr(shown) == (
        "Quick: 151 of 453 bytes are written, 0 of them synced, and 4 records answered. The power is cut, 0 bytes are left, "
        "load() gives back no records: 4 of them are lost."
    )
    data = shown.data()
    assert sum(data["sizes"]) == 453 and data["moments"][-1][:3] == [453, 453, 12]
    assert {len(one) for one in data["places"].values()} == {len(data["moments"])}
    torn = power_cut(wrong("7.1", "a torn line refuses the whole log"), moment=300, kept="all")
    assert "load() raised Damaged(7): 6 of them are lost" in repr(torn)


@pytest.mark.parametrize(
    ("number", "name", "kept", "note", "told"),
    [
        ("7.1", "a hole at the end refuses the whole log", "zeros", "load() does not give back the whole lines", "some of them zeros, load() raised Damaged(6): 5 of"),
        ("7.1", "writes behind half a line", "all", "the record of the next life is lost", "load() gives back 6 records: none of them is lost"),
        ("7.1", "write is not sync", "nothing", "most answered records are lost", "12 of them are lost"),
        ("7.1", "lines count from 0", "half", "in the middle, at a line of which a part is left", "load() gives back 6 records: none"),
    ],
)  # fmt: skip
def test_the_picture_opens_where_a_mistake_is_seen_and_says_why_there(
    number: str, name: str, kept: str, note: str, told: str
) -> None:
    shown = power_cut(wrong(number, name))
    assert shown is not None
    assert (shown.kept, told in repr(shown), note in shown.note) == (kept, True, True), (repr(shown), shown.note)


def test_the_picture_of_the_page_does_not_answer_a_prediction_that_is_still_to_come() -> None:
    page = json.loads((COURSE / "release" / LAB.name / f"{LAB.name}.ipynb").read_text(encoding="utf-8"))
    [cell] = ["".join(one["source"]) for one in page["cells"] if one["id"] == "demonstration-honest"]
    shown = [eval(cell, {"power_cut": power_cut, "Honest": friends.Honest}), power_cut(friends.Honest)]  # noqa: S307
    for one in shown:
        assert one.moments[one.at].synced < 298 and "298" not in repr(one) + one.note, "7c asks for that number"
    assert "0 of them synced, and no records answered" in repr(shown[0]), (
        "where Quick had lost four, Honest has answered none"
    )


def test_the_picture_knows_the_zeros_of_a_newest_write_and_where_the_next_life_writes() -> None:
    shown = power_cut(LOG, moment=300, kept="zeros")
    assert shown is not None
    lines = shown.run.content.split(b"\n")
    at = next(at for at, one in enumerate(shown.moments) if one.written == sum(len(one) + 1 for one in lines[:7]))
    assert left_of(shown.run.content, shown.moments[at], "zeros").split(b"\n")[6] == lines[6][:23] + bytes(23), (
        "a whole line, with a hole"
    )
    life = shown.lives["zeros"][at]
    assert (life.count, life.why, life.size, life.after, life.wrong) == (
        6,
        "",
        275,
        7,
        "",
    ) and "Back again" in life.added
    glued = power_cut(wrong("7.1", "writes behind half a line"), kept="all")
    assert glued is not None
    life = glued.lives["all"][glued.at]
    assert (
        life.size == len(left_of(glued.run.content, glued.moments[glued.at], "all"))
        and life.wrong == "gave back 6 of 7 records"
    )
    refused = power_cut(wrong("7.1", "a torn line refuses the whole log"), moment=300)
    assert refused is not None
    assert {life.wrong for life in refused.lives["half"] if life.why} == {"cannot begin"}


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"cls": 7}, "7 is no log; give your class itself"),
        ({"cls": LOG, "every": 0}, "every is 0; give a whole number from 1 to 100"),
        ({"cls": LOG, "moment": 9999}, "this log has 561 bytes"),
        ({"cls": LOG, "kept": "most"}, "write 'nothing', 'half', 'all', 'zeros'"),
    ],
)
def test_what_cannot_be_drawn_is_told_in_a_sentence(how: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=re.escape(sentence)):
        power_cut(**how)


def test_the_two_numbers_of_the_explanation_are_those_of_the_run() -> None:
    said = re.search(r"(\d+) records took (\d+) syncs.* (\d+) records were written", play.my_numbers(ANSWERING, 3))
    assert said is not None and int(said[2]) == 10 < int(said[1]) and 1 <= int(said[3]) <= 6
    assert "mend that first" in play.my_numbers(wrong("7.2", "answers before the sync"), 3)


def test_a_killed_process_loses_what_it_still_had_in_its_hands_and_nothing_else() -> None:
    from chatsys.teach.labs.lab07.killed import kill

    assert kill(ANSWERING, syncs=False).lost == 0
    for cls in (ANSWERING, LOG):
        assert 0 < kill(cls, syncs=False, buffered=True).lost
        assert kill(cls, buffered=True).lost == 0, "a sync hands over what is in the buffer"


def test_each_policy_pays_with_records_or_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from chatsys.teach.labs.lab07.costs import policies

    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    lines = {(one.name, one.yaxis or "y"): one.y for one in policies(ANSWERING).data}
    assert lines["MyAnsweringLog", "y"] == (0,) * 5 and lines["Quick", "y2"] == (0,) * 5
    assert lines["Quick", "y"] == (1, 2, 4, 8, 16)
    assert list(lines["MyAnsweringLog", "y2"]) == sorted(lines["MyAnsweringLog", "y2"])


def test_what_a_class_prints_is_shown_of_the_life_that_writes_and_of_no_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Talkative(LOG):  # type: ignore[misc, valid-type]
        def load(self) -> Any:
            print("load")
            if len(self.file.read()) > 0:
                breakpoint()  # it would wait for ever here
            return super().load()

        def append(self, record: Any) -> None:
            print("append", record["n"])
            super().append(record)

    power_cut(Talkative)
    assert capsys.readouterr().out.split() == ["load", *(word for n in range(1, 13) for word in ("append", str(n)))]
