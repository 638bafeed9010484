"""The judge from outside: a good history by hand, and what is wrong with it when one thing in it is changed."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatsys.campaign.linearize import Explained, JepsenHistory, explain, read_history
from chatsys.check.jepsen import NANO, Operation, operations, write_history
from chatsys.errors import UsageError
from chatsys.trace import Record, Trace


def said(time: float, kind: str, client: str, number: int, place: int = 0) -> Record:
    return Record(time, kind, client, client=client, client_seq=number, text=f"{client}{number}", msg_no=place or None)


def delivered(time: float, node: int, *messages: str, life: int = 1) -> list[Record]:
    return [
        Record(
            time + 0.01 * place, "deliver", node, life, client=one[:3], client_seq=int(one[3:]), text=one, msg_no=place
        )
        for place, one in enumerate(messages, start=1)
    ]


GOOD = Trace(
    [
        said(1.0, "submit", "ann", 1),
        said(1.2, "ack", "ann", 1, 1),
        said(2.0, "submit", "bob", 1),  # behind the acknowledgement of ann1
        said(2.1, "submit", "ann", 2),
        said(2.5, "ack", "bob", 1, 2),
        said(2.6, "ack", "ann", 2, 3),
        said(3.0, "submit", "eve", 1),
        Record(3.5, "indeterminate", "eve", client="eve", client_seq=1, text="eve1"),
        *delivered(1.1, 1, "ann1", "bob1", "ann2"),
        *delivered(1.3, 2, "ann1", "bob1"),
        *delivered(1.3, 3, "ann1", "bob1", "ann2", "eve1"),
    ]
)


def judged(history: list[Operation]) -> Explained:
    return explain(JepsenHistory(history))


def reads(history: list[Operation]) -> list[list[str]]:
    return [one["value"][0][2] for one in history if one["value"][0][0] == "r" and one["type"] == "ok"]


def test_a_good_history_is_explained() -> None:
    found = judged(operations(GOOD, final=(3,)))
    assert found == Explained(messages=4, reads=3)


ANN1, BOB1, ANN2, EVE1 = (f"{name[:3]}#{name[3:]} {name}" for name in ("ann1", "bob1", "ann2", "eve1"))


def lose(history: list[Operation]) -> None:
    for read in reads(history):
        if BOB1 in read:
            read.remove(BOB1)


def swap(history: list[Operation]) -> None:
    read = reads(history)[1]
    read[:2] = BOB1, ANN1


def double(history: list[Operation]) -> None:
    reads(history)[2].append(BOB1)


def against_real_time(history: list[Operation]) -> None:
    """Everybody sees bob1 first, though ann1 was acknowledged before bob1 was submitted."""
    for read in reads(history):
        read[:2] = BOB1, ANN1


def out_of_turn(history: list[Operation]) -> None:
    for read in reads(history):
        read[:] = [{ANN1: ANN2, ANN2: ANN1}.get(name, name) for name in read]
    for one in history:  # all of them at the same time
        one["time"] = (1 if one["type"] == "invoke" else 9) * NANO


def forget_the_last(history: list[Operation]) -> None:
    del reads(history)[2][2:]


def make_up(history: list[Operation]) -> None:
    reads(history)[0].append("kim#1 hello")


def change_a_letter(history: list[Operation]) -> None:
    for read in reads(history):
        read[0] = "ann#1 Ann1"


def tell_another_number(history: list[Operation]) -> None:
    next(one for one in history if one.get("number") == 3)["number"] = 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lose, "does not have 'bob#1 bob1'"),
        (swap, "node 2 in life 1 has 'bob#1 bob1' before 'ann#1 ann1'"),
        (double, "node 3 in life 1 has 'eve#1 eve1' before 'bob#1 bob1'"),
        (against_real_time, "'ann#1 ann1' was submitted at 1.000000 s and was acknowledged at 1.200000 s"),
        (out_of_turn, "'ann#1 ann1' was said before 'ann#2 ann2' in one session"),
        (forget_the_last, "node 3 in life 1 does not have 'ann#2 ann2'"),
        (make_up, "'kim#1 hello' was read, and nobody ever said it"),
        (change_a_letter, "'ann#1 Ann1' was read, and nobody ever said it"),
        (tell_another_number, "'ann#2 ann2' is number 2 to its answer"),
    ],
)
def test_a_history_with_one_thing_changed_is_not(change: Callable[[list[Operation]], None], why: str) -> None:
    """But for the last change nobody was told a number, so that it is the rest that contradicts itself."""
    history = copy.deepcopy(operations(GOOD, final=(3,)))
    change(history)
    if change is not tell_another_number:
        for one in history:
            one.pop("number", None)
    found = judged(history)
    assert any(why in sentence for sentence in found.contradiction), found
    assert len(found.contradiction) <= 5


def test_nothing_can_be_left_out_of_what_contradicts_itself() -> None:
    history = copy.deepcopy(operations(GOOD))
    swap(history)
    for one in history:
        one.pop("number", None)
    found = judged(history).contradiction
    assert len(found) == 2 and any(sentence.startswith("node 2") for sentence in found), found


def test_a_node_that_is_behind_contradicts_nothing_unless_it_has_everything() -> None:
    history = copy.deepcopy(operations(GOOD))
    del reads(history)[0][1:]
    assert judged(history).contradiction == ()


def test_a_history_has_the_form_of_jepsen(tmp_path: Path) -> None:
    """Every operation is begun before it ends, and no process does two things at a time: who was not answered ends."""
    history: list[dict[str, Any]] = json.loads(write_history(GOOD, tmp_path / "history.json").read_bytes())
    busy: dict[int, Any] = {}
    ended: set[int] = set()
    assert [one["index"] for one in history] == list(range(len(history)))
    for one in history:
        assert (
            one["f"] == "txn" and len(one["value"]) == 1 and one["value"][0][:2] in (["append", "chat"], ["r", "chat"])
        )
        if one["type"] == "invoke":
            assert one["process"] not in busy and one["process"] not in ended
            busy[one["process"]] = one
        else:
            assert one["time"] >= busy.pop(one["process"])["time"]
            ended |= {one["process"]} if one["type"] == "info" else set()
    assert not busy
    assert [one["time"] for one in history if one["type"] == "info"] == [round(3.5 * NANO)]
    assert explain(read_history(tmp_path / "history.json")) == Explained(messages=4, reads=3)


@pytest.mark.parametrize(
    "text",
    [
        '{"no": 1}',
        '[{"type":"invoke","process":0,"time":"a","value":[["append","chat","x"]]}]',
        '[{"type":"invoke","process":0,"time":1,"value":[["append","another list","x"]]}]',
        "[" * 100_000,
    ],
    ids=["no list", "a time in words", "another list", "too deep"],
)
def test_a_file_that_is_no_history_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "some.json").write_text(text)
    with pytest.raises(UsageError, match=r"some\.json is no history in Jepsen's form"):
        read_history(tmp_path / "some.json")


def test_a_read_that_did_not_end_well_says_nothing(tmp_path: Path) -> None:
    history = copy.deepcopy(operations(GOOD))
    for process, kind in ((900, "info"), (901, "fail")):
        history.append({"type": "invoke", "f": "txn", "process": process, "time": 1, "value": [["r", "chat", None]]})
        history.append({"type": kind, "f": "txn", "process": process, "time": 2, "value": [["r", "chat", None]]})
    assert judged(history) == judged(operations(GOOD))


def test_where_the_solver_comes_to_no_answer_nothing_is_called_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    z3 = pytest.importorskip("z3")
    made = z3.SolverFor

    def in_no_time(logic: str) -> Any:
        solver = made(logic)
        solver.set("rlimit", 1)
        return solver

    monkeypatch.setattr(z3, "SolverFor", in_no_time)
    found = judged(operations(GOOD))
    assert found.contradiction == () and found.undecided.startswith("Z3 came to no answer")
