"""Two runs over each other: what is said of where they part, and that nothing of either run is lost or changed."""

import json
import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

import chatsys as cs
from chatsys.errors import UsageError
from chatsys.mutants import schedules
from chatsys.teach.scenarios import play
from chatsys.teach.widgets.timeline.comparing import Comparison, compare
from chatsys.teach.widgets.timeline.moment import moment
from chatsys.teach.widgets.timeline.overlay import NOBODY, in_one_order
from chatsys.teach.widgets.timeline.packing import pack
from chatsys.trace import Record, Trace


@cache
def world(crash: int = 3) -> cs.World:
    """Return a world after a chat in which a node crashed."""
    made = cs.World(seed=7)
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


def test_by_its_story_a_run_parts_at_the_message_that_one_node_delivered_alone_and_not_in_the_first_election() -> None:
    alone, safe = (play("split-brain", quorum=quorum, seed=1) for quorum in (1, 2))
    assert "asks for promises for term 1" in str(compare(alone, safe, ("one", "two")))
    told = (
        r"Here these runs part, at \d\.\d\d s: in “one”, node 3 delivers message #3, “I am with the old leader” of ann; "
        r"in “two”, node 3 delivers it only at \d\.\d\d s, as #4\."
    )
    assert re.fullmatch(told, str(compare(alone, safe, ("one", "two"), story=True)))
    assert re.fullmatch(told, str(compare(safe, alone, ("two", "one"), story=True)))
    with pytest.raises(UsageError, match="story is 'yes'; write True or False"):
        compare(alone, safe, story="yes")  # type: ignore[arg-type]


def test_of_a_message_that_never_comes_in_the_other_run_a_story_says_so() -> None:
    alone, safe = (cs.World(seed=7, quorum=quorum) for quorum in (1, 2))
    for one in (alone, safe):
        one.run(3)
        one.say("before", node=3)
        one.run(1)
        one.partition({3}, {1, 2})
        one.say("cut off", node=3)
        one.run(1)
    told = str(compare(alone, safe, story=True))
    assert told.endswith("node 3 delivers message #2, “cut off” of ann; in “second”, node 3 never delivers it.")


def test_a_quorum_of_one_does_not_wait_for_the_second_answer() -> None:
    short = [cs.World(seed=7, quorum=quorum) for quorum in (2, 1)]
    for each in short:
        each.run(1)
    found = compare(short[0], short[1], ("quorum 2", "quorum 1"))
    assert "in “quorum 1” before and in “quorum 2” after this: Node 3 receives the answer to an ELECTION (OK)" in str(
        found
    )
    assert found.parting is not None and found.parting.early == 1
    assert all(found.parting.events[side] in found.only[side] for side in (0, 1)), "the first difference is in colour"
    begins = min(at for at, side in enumerate(found.packed().columns["side"]) if side)
    assert found.packed().about["compare"]["event"] == begins


def test_an_edit_of_the_protocol_is_told_as_what_it_changed() -> None:
    class Hasty(cs.Node):
        """Suspects everybody half a second too early."""

        def on_message(self, sender: object, message: object, now: float) -> list[object]:
            if type(message).__name__ == "Heartbeat":
                return []
            return super().on_message(sender, message, now)  # type: ignore[arg-type]

    before, after = cs.World(seed=7), cs.World(seed=7, actor=Hasty)
    for each in (before, after):
        each.run(2.5)
    told = str(compare(before, after, ("before the edit", "after it")))
    assert told.startswith("Here these runs part, at ") and "HEARTBEAT" in told


def test_what_two_records_do_not_say_alike_is_told_where_their_sentences_are_alike() -> None:
    one, other = (Trace([Record(0.1, "start", 1, 1, term)], {"where": "sim"}) for term in (1, 2))
    assert str(compare(one, other, ("a", "b"))).endswith(", but its term is 1 in “a”, 2 in “b”.")


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
    other.append(Record(2.1, "send", 1, 1, 4, "follower", peer=3, message="ELECTION", id="1:1"))
    parted = compare(chat("sim", 1, 0.0), other)
    assert parted.parting is not None and parted.parting.events == (-1, 4)
    assert str(parted).endswith("in “first” nothing follows that the other lacks; in “second”, node 3 crashes.")
    both = parted.packed()
    assert both.columns["side"].tolist() == [0] * 8 + [2, NOBODY], "a frame is no part of the story"
    told = {(run, tuple(row[3:])) for row in both.about["bands"] for run in [both.about["lanes"][row[0]]["run"]]}
    assert ("second", ("down", "crashed", 2)) in told and not [row for row in told if row[1][2] == 1]


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


def test_what_is_equal_stands_at_one_place_and_bands_are_cut_where_the_runs_part() -> None:
    found = compare(world(), world(crash=1))
    both, ends = found.packed(), [[], []]  # type: ignore[var-annotated]
    for event, run in enumerate(both.columns["run"].tolist()):
        ends[run - 1].append(event)
    assert found.parting is not None
    before = [
        (ends[0][x], ends[1][y]) for x, y in found.found.pairs if found.runs[0].records[x].time < found.parting.time
    ]
    assert len(before) > 100 and all(both.columns["place"][x] == both.columns["place"][y] for x, y in before)
    assert sorted(both.columns["place"].tolist()) == both.columns["place"].tolist()
    names = [lane["id"] for lane in both.about["lanes"]]
    leads = [
        (names[lane], begin, end, side) for lane, begin, end, what, _, side in both.about["bands"] if what == "leads"
    ]
    three = [(begin >= 4.0, end <= 4.0, side) for name, begin, end, side in leads if name == "3 of second"]
    assert three == [(False, True, 0), (True, False, 2)], "equal up to the crash of the other leader, then not"
    assert [(kind, side) for *_, kind, _, _, side in both.about["faults"]] == [("crash", 1), ("crash", 2)]


def test_partners_of_one_moment_stand_beside_each_other() -> None:
    assert in_one_order(([1, 1, 2], [1, 1, 2]), {0: 0, 1: 1}) == [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]
    assert in_one_order(([1, 1], [1, 1]), {1: 0}) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert in_one_order(([1, 1], [1, 1]), {0: 1}) == [(1, 0), (0, 0), (1, 1), (0, 1)]
    assert in_one_order(([1, 1], [1, 1]), {0: 1, 1: 0}) in (
        [(0, 0), (0, 1), (1, 0), (1, 1)],
        [(0, 0), (0, 1), (1, 0), (1, 1)],
    )
    assert in_one_order(([], [3]), {}) == [(1, 0)]


def test_without_a_front_end_it_is_a_sentence_and_a_picture_of_both() -> None:
    found = compare(world(), world(crash=1), ("<b>leader", "follower"))
    shown = found._repr_mimebundle_()
    assert shown["text/plain"] == str(found) and set(shown) == {"text/plain", "image/svg+xml"}
    picture = ElementTree.fromstring(shown["image/svg+xml"])
    texts = [text for one in picture.iter() if (text := (one.text or "").strip())]
    assert {"<b>leader", "follower", "here these runs part"} <= set(texts) and str(found) in " ".join(texts)
    sides = {one.get("data-side") for one in picture.iter() if (one.get("class") or "").startswith("arrow ")}
    assert {"0", "1"} <= sides


def test_a_page_and_a_widget_answer_for_the_run_that_is_asked_about(tmp_path: Path) -> None:
    found = compare(world(), world(crash=1))
    page = found.save_html(tmp_path / "two.html").read_text("utf-8")
    run = json.loads(re.search(r'id="run">(.*?)</script>', page, re.S)[1])  # type: ignore[index]
    assert run["event"] == found.packed().about["compare"]["event"], "the cursor stands where the runs part"
    assert {key for key in run["answers"] if key.startswith("#2 ")} == {"#2 3 of first", "#2 1 of second"}
    shown = found.timeline()
    last = len(found.packed().records) - 1
    for node, side in (("3 of first", 1), ("1 of second", 2)):
        shown._receive(shown, {"ask": "why_not", "what": 2, "node": node, "event": last}, [])
        assert shown.said.startswith(f"In “{found.names[side - 1]}”: ") and f"node {node[0]}" in shown.said
        assert shown.lit and {int(found.packed().columns["run"][at]) for at in shown.lit} == {side}
    for order in ({"node": "4 of first", "event": 1}, {"node": "3 of first", "event": last + 1}):
        shown._receive(shown, {"ask": "why_not", "what": 2, **order}, [])
        assert "There is no such node, or no such moment" in shown.said


def test_what_a_world_does_later_is_no_part_of_a_comparison() -> None:
    one = world.__wrapped__()
    found = compare(one, world())
    one.run(1)
    assert found.parting is None and len(found.packed().records) == 2 * len(found.traces[1])


def test_a_comparison_of_nothing_is_shown_too(tmp_path: Path) -> None:
    found = compare(Trace(), Trace())
    assert "equal" in found._repr_mimebundle_()["text/plain"] and found.save_html(tmp_path / "none.html").exists()


def test_runs_of_actors_with_other_words_are_not_compared() -> None:
    other = Trace([Record(0.0, "start", 1)], {"where": "sim", "words": {"lead": "elected"}})
    with pytest.raises(UsageError, match="“first” and “second” are runs of two different actors"):
        compare(Trace([Record(0.0, "start", 1)]), other)


@pytest.mark.parametrize("names", ["ab", None, ("a" * 50, "a" * 60), ("a",), ("a", "a"), ("", "b"), (1, 2)])
def test_two_runs_need_two_names(names: object) -> None:
    with pytest.raises(UsageError, match="give two (different )?names"):
        compare(Trace(), Trace(), names)  # type: ignore[arg-type]


def test_what_has_no_trace_is_told() -> None:
    with pytest.raises(UsageError, match="int has no trace"):
        compare(Trace(), 5)


def test_a_packed_run_of_nothing_can_be_laid_over_another() -> None:
    assert len(compare(Trace(), world()).packed().records) == len(pack(world().trace).records)
