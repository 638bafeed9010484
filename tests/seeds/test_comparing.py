"""Two runs over each other: what is said of where they part, and that nothing of either run is lost or changed."""

import pytest

import chatsys as cs
from chatsys.errors import UsageError
from chatsys.mutants import schedules
from chatsys.teach.widgets.timeline.comparing import Comparison, compare
from chatsys.teach.widgets.timeline.moment import moment
from chatsys.teach.widgets.timeline.packing import pack
from chatsys.trace import Record, Trace


def world(quorum: int = 2, crash: int = 3) -> cs.World:
    """Return a world after a chat in which a node crashed."""
    made = cs.World(seed=7, quorum=quorum)
    made.run(3)
    made.say("before")
    made.run(1)
    made.crash(crash)
    made.run(5)
    made.say("after")
    made.run(2)
    return made


def test_equal_runs_are_said_to_be_equal() -> None:
    found = compare(world(), world())
    assert found.parting is None and found.only == (frozenset(), frozenset())
    assert str(found) == f"“first” and “second” are equal, event by event: {len(found.runs[0].records)} events."


def test_runs_part_at_the_fault_that_only_one_of_them_has() -> None:
    found = compare(world(), world(crash=1), ("leader", "follower"))
    assert found.parting is not None
    crashes = [run.records[at] for run, at in zip(found.runs, found.parting.events, strict=True)]
    assert [(one.kind, one.node, one.time) for one in crashes] == [("crash", 3, 4.0), ("crash", 1, 4.0)]
    assert str(found) == "Here these runs part, at 4.00 s: in “leader”, node 3 crashes; in “follower”, node 1 crashes."


def test_a_bug_is_told_as_what_it_does_too_early() -> None:
    flawed, mended = (schedules.play("C9", flawed=flawed) for flawed in (True, False))
    told = str(compare(flawed, mended, ("flawed", "mended")))
    assert "in “flawed” before and in “mended” after this: The disk of node 1 has kept what was written" in told
    other = str(compare(mended, flawed, ("mended", "flawed")))
    assert "in “flawed” before and in “mended” after this: The disk of node 1 has kept what was written" in other


def test_moments_and_terms_are_no_difference_between_worlds() -> None:
    def chat(where: str, term: int, late: float) -> Trace:
        told = [
            Record(0.1 + late, "lead", 3, 1, term, "leader"),
            Record(0.2 + late, "follow", 1, 1, term, "follower", peer=3),
            Record(1.0 + late, "deliver", 1, 1, term, "follower", seq=2 + term, msg_no=1, author="ann", text="hello"),
            Record(1.0 + late, "deliver", 3, 1, term, "leader", seq=2 + term, msg_no=1, author="ann", text="hello"),
        ]
        return Trace(told, {"where": where, "members": [1, 3]})

    found = compare(chat("sim", 1, 0.0), chat("processes", 4, 0.3))
    assert found.parting is None and "as far as their stories go" in str(found)
    other = chat("processes", 4, 0.3)
    other.append(Record(2.0, "crash", 3, 1))
    parted = compare(chat("sim", 1, 0.0), other)
    assert parted.parting is not None and parted.parting.events == (-1, 4)
    assert str(parted).endswith("in “first” nothing follows that the other lacks; in “second”, node 3 crashes.")


def nodes(run: Comparison, side: int, event: int) -> dict[int, object]:
    """Return what the nodes of one side are, in both runs laid over each other."""
    name = run.names[side]
    now = moment(run.packed(), event)
    return {node: now[f"{node} of {name}"] for node in (1, 2, 3)}  # type: ignore[index]


def test_laid_over_each_other_both_runs_are_still_whole() -> None:
    found = compare(world(), world(crash=1))
    both = found.packed()
    for side, run in enumerate(found.runs):
        mine = [
            at for at in range(len(both.records)) if both.about["lanes"][both.columns["lane"][at]]["side"] == side + 1
        ]
        assert [both.records[at] for at in mine] == run.records
        assert [both.sentence(at) for at in mine[::7]] == [run.sentence(at) for at in range(0, len(run.records), 7)]
        flights = (
            slice(None, len(run.columns["frame_send"])) if side == 0 else slice(-len(run.columns["frame_send"]), None)
        )
        there = {new: old for old, new in enumerate(mine)} | {-1: -1}
        for name in ("frame_send", "frame_end"):
            assert [there[one] for one in both.columns[name][flights].tolist()] == run.columns[name].tolist()
        for old in (len(mine) // 2, len(mine) - 1):
            alone = moment(run, old)
            for node, state in nodes(found, side, mine[old]).items():
                seen, kept = state, alone[node]
                assert [(box.position, box.text, box.durable, box.committed) for box in seen.log] == [  # type: ignore[attr-defined]
                    (box.position, box.text, box.durable, box.committed) for box in kept.log
                ]
                assert (seen.role, seen.held) == (kept.role, kept.held)  # type: ignore[attr-defined]


def test_grey_is_what_both_have_and_every_arrow_leads_to_the_right() -> None:
    found = compare(world(), world(crash=1))
    both = found.packed()
    sides = both.columns["side"].tolist()
    assert sides.count(1) == len(found.only[0]) and sides.count(2) == len(found.only[1]) and sides.count(0) > 200
    place, send, end = (both.columns[name].tolist() for name in ("place", "frame_send", "frame_end"))
    assert all(
        place[a] < place[b]
        for a, b in zip(send, end, strict=True)
        if a >= 0 and b >= 0 and both.records[b].kind == "receive"
    )
    assert both.about["jumps"]["parting"] and both.about["compare"]["says"] == str(found)


@pytest.mark.parametrize("names", ["ab", ("a",), ("a", "a"), ("", "b"), (1, 2)])
def test_two_runs_need_two_names(names: object) -> None:
    with pytest.raises(UsageError, match="give two different names"):
        compare(Trace(), Trace(), names)  # type: ignore[arg-type]


def test_what_has_no_trace_is_told() -> None:
    with pytest.raises(UsageError, match="int has no trace"):
        compare(Trace(), 5)


def test_a_packed_run_of_nothing_can_be_laid_over_another() -> None:
    assert len(compare(Trace(), world()).packed().records) == len(pack(world().trace).records)
