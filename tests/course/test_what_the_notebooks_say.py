"""What the texts of the notebooks claim about their simulated runs is so: each cell's value, beside the words about it."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest

from chatsys.campaign.why import why_not
from chatsys.check.findings import Findings
from chatsys.mutants import schedules
from chatsys.sim.world import World
from chatsys.teach import figures
from chatsys.teach.scenarios import play
from chatsys.trace import Record

ROOT = Path(__file__).parents[2]
REAL = "real-time"
"""The tag of cells that need real time or write files; nbval runs them."""


@cache
def shown(name: str) -> dict[str, list[Any]]:
    """Run the simulated cells of a notebook; return by id what each displays, and last what its last line is."""
    (path,) = (ROOT / "notebooks").glob(f"{name}-*.ipynb")
    found: dict[str, list[Any]] = {}
    names: dict[str, Any] = {}
    for cell in nbformat.read(path, as_version=4).cells:  # type: ignore[no-untyped-call]
        if cell.cell_type == "code" and REAL not in cell.metadata.get("tags", []):
            here = found[cell.id] = []
            # what the page imports by this name would draw, and is put out of the way before each cell
            names["display"] = lambda *things, here=here: here.extend(things)
            here.append(_value(ast.parse(cell.source.replace("Markdown, display", "Markdown")), names))
    return found


@cache
def values(name: str) -> dict[str, Any]:
    """Return by id what the last line of each simulated cell is."""
    return {cell: things[-1] for cell, things in shown(name).items()}


def _value(tree: ast.Module, names: dict[str, Any]) -> Any:
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(tree, "cell", "exec"), names)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


@pytest.mark.parametrize(
    ("cell", "happened"),
    [
        ("tour-p2", "its connection breaks"),
        ("tour-p8", "node 3 only"),
        ("four-6", "1"),
        ("four-19", "delivered once"),
        ("four-34", "no"),
        ("four-45", "yes"),
        ("four-57", "both"),
        ("four-61", "nothing, or: ask again"),
        ("wrong-5", "both"),
        ("wrong-13", "1"),
        ("wrong-21", "no"),
        ("wrong-29", "2"),
        ("wrong-39", "nobody"),
        ("wrong-49", "yes"),
        ("wrong-59", "no"),
        ("wrong-67", "more than ten times"),
        ("wrong-73", "yes"),
    ],
)
def test_what_a_prediction_is_compared_with_is_what_the_text_explains(cell: str, happened: str) -> None:
    name = {"tour": "00", "four": "01", "wrong": "02"}[cell.partition("-")[0]]
    assert str(values(name)[cell]) == f"You made no prediction. What happened: “{happened}”."


@pytest.mark.parametrize("name", ["00", "01", "02"])
def test_every_check_of_a_good_run_holds_and_the_text_says_of_every_other_one_that_it_breaks(name: str) -> None:
    found = {cell: value for cell, value in values(name).items() if isinstance(value, Findings)}
    assert len(found) >= 1
    assert {cell for cell, value in found.items() if value} == ({"four-59"} if name == "01" else set())


def test_the_first_violation_a_student_meets_has_no_code_and_no_place_in_its_first_sentence() -> None:
    first = values("01")["four-59"][0]
    assert first.plain.startswith("Nodes 3 and 2 do not agree: node 3 has “I am with the old leader”")


def test_with_a_quorum_of_one_the_story_parts_where_node_3_delivers_alone_and_with_two_it_waits_until_after_the_cut() -> (
    None
):
    told = str(values("01")["four-63"])
    parts = re.fullmatch(
        r"Here these runs part, at (\S+) s: in “quorum 1”, node 3 delivers message #3, “I am with the old leader” of ann; "
        r"in “quorum 2”, node 3 delivers it only at (\S+) s, as #4\.",
        told,
    )
    assert parts is not None
    alone, safe = (play("split-brain", quorum=quorum, seed=1).trace for quorum in (1, 2))
    assert next(one.time for one in alone.of("cut")) <= float(parts[1]) + 0.01
    assert next(one.time for one in safe.of("heal")) < float(parts[2])


def test_the_message_that_was_cut_off_waited_for_a_quorum_and_would_have_come_without_the_partition() -> None:
    answer = values("01")["four-67"]
    assert answer.missing == "stored by a quorum"
    assert [fault.verb for fault in answer.needed] == ["partition"]


def test_each_bad_day_breaks_the_rule_that_its_schedule_is_about() -> None:
    cells = ("wrong-7", "wrong-15", "wrong-23", "wrong-31", "wrong-41", "wrong-51", "wrong-61", "wrong-69")
    assert [values("02")[cell].invariant for cell in cells] == ["S1", "S7", "S8", "S4", "S7", "S8", "S1", "L4"]


def test_the_tour_asks_why_the_crashed_leader_never_had_the_second_message() -> None:
    answer = values("00")["tour-11"]
    assert answer.missing == "told" and [fault.verb for fault in answer.needed] == ["crash"]


# --- what the texts say about where a timeline stands, and what one sees from there --------------------


def records_from(name: str, cell: str) -> tuple[list[Record], list[Record]]:
    """Return what a timeline has before its cursor, with the event at it, and after it."""
    shown = values(name)[cell]
    records = list(shown.packed.records)
    return records[: shown.event + 1], records[shown.event + 1 :]


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("tour-9", "Node 3 crashes."),
        ("four-8", "ann says “good morning” and asks node 3 to take it."),
        ("four-24", "Node 3 crashes."),
        ("four-36", "Node 1 is started again."),
        ("wrong-38", "Node 1 crashes."),
        ("wrong-48", "Node 5 crashes."),
        ("wrong-58", "Node 1 holds back what came too early"),
    ],
)
def test_a_timeline_opens_at_the_event_that_the_text_names(cell: str, sentence: str) -> None:
    shown = values({"tour": "00", "four": "01", "wrong": "02"}[cell.partition("-")[0]])[cell]
    assert shown.packed.sentence(shown.event).startswith(sentence)


@pytest.mark.parametrize(("name", "cell"), [("00", "tour-9"), ("01", "four-24")])
def test_a_step_on_from_the_crash_ann_speaks_to_a_node_that_is_down(name: str, cell: str) -> None:
    _, after = records_from(name, cell)
    told = [(one.kind, one.message) for one in after if one.kind in {"submit", "drop", "lead"}]
    assert told[:2] == [("submit", None), ("drop", "SUBMIT")]


def test_the_log_of_the_node_that_restarts_ends_at_number_two_and_fills_up() -> None:
    before, after = records_from("01", "four-36")
    assert max(one.msg_no or 0 for one in before if one.kind == "deliver" and one.node == 1) == 2
    assert max(one.msg_no or 0 for one in after if one.kind == "deliver" and one.node == 1) == 7
    told = [(one.kind, one.message) for one in after if one.node == 1 and one.kind in {"send", "receive", "append"}]
    first = told.index(("append", None))
    assert ("send", "JOIN") in told[:first] and told[first - 1] == ("receive", "PROPOSE"), (
        "the leader fills it, unasked"
    )
    assert told[first : first + 5] == [("append", None)] * 5


def test_in_the_flawed_run_of_the_fifth_day_the_last_box_is_committed_and_in_memory_only() -> None:
    before, _ = records_from("02", "wrong-38")
    place = next(one.seq for one in before if one.kind == "append" and one.text == "in memory only")
    assert place is not None
    assert {one.node for one in before if one.kind == "commit" and one.seq == place} == {1, 2, 3}
    assert not [one for one in before if one.kind == "durable" and (one.seq or 0) >= place]


def test_four_of_five_nodes_have_x_and_three_of_them_promise_to_follow_the_one_that_has_not() -> None:
    before, after = records_from("02", "wrong-48")
    assert {one.node for one in before if one.kind == "append" and one.text == "x"} == {2, 3, 4, 5}
    (lead,) = (one for one in after if one.kind == "lead")
    assert lead.node == 1
    assert {one.node for one in after if one.kind == "promise" and one.term == lead.term} == {1, 2, 3, 4}


# --- what the texts say about the runs -----------------------------------------------------------------


def test_the_message_of_the_unlucky_moment_waited_longest_of_the_six() -> None:
    trace = play("leader-failure", seed=1).trace
    said = {(one.client, one.client_seq): one.time for one in trace.of("submit")}
    waited = {one.text: one.time - said[one.client, one.client_seq] for one in trace.of("ack")}
    assert len(waited) == 6 and max(waited, key=lambda text: waited[text]) == "four: is anybody there?"


@pytest.mark.parametrize("seed", [1, 2])
def test_people_talk_across_each_other_and_everybody_stays_in_order(seed: int) -> None:
    trace = play("concurrent", seed=seed).trace
    texts = [one.text or "" for one in trace.of("deliver") if one.node == 1]
    authors = [text.split()[0] for text in texts]
    in_a_row = sum(one == other for one, other in zip(authors, authors[1:], strict=False))
    assert in_a_row <= 4, "four monologues have 16"
    for author in ("ann", "bob", "cem", "dia"):
        assert [text for text in texts if text.startswith(author)] == [f"{author} {line}" for line in range(1, 6)]


def test_another_seed_changes_whose_message_comes_first() -> None:
    first, second = (
        [one.text for one in play("concurrent", seed=seed).trace.of("deliver") if one.node == 1] for seed in (1, 2)
    )
    assert first != second


@pytest.mark.parametrize(("quorum", "both_lead"), [(1, True), (2, False)])
def test_two_nodes_lead_at_once_with_a_quorum_of_one_and_never_with_two(quorum: int, both_lead: bool) -> None:
    trace = play("split-brain", quorum=quorum, seed=1).trace
    second = next(one for one in trace.of("lead") if one.node == 2)
    stopped = next(one for one in trace.of("role") if one.node == 3 and one.role == "follower" and one.time > 1)
    assert (stopped.time > second.time) == both_lead
    number = {one.msg_no for one in trace.of("deliver") if one.text == "I am with the old leader"}
    assert number == ({3} if both_lead else {4})


def test_no_second_leader_is_needed_when_another_node_crashes() -> None:
    world = World(seed=1)
    world.run(3)
    world.say("hello")
    world.run(1)
    world.crash(1)
    world.say("is anybody there?")
    world.run(4)
    assert [one.node for one in world.trace.of("lead")] == [3]


@pytest.mark.parametrize(("seed", "silences"), [(1, 1), (7, 2)])
def test_when_the_leader_is_paused_every_dashed_line_of_the_heartbeats_ends_at_a_suspicion(
    seed: int, silences: int
) -> None:
    (path,) = (ROOT / "notebooks").glob("00-*.ipynb")
    cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
    (told,) = (cell.source for cell in cells if cell.id == "tour-37")
    assert told.startswith("**Look.** A dashed line is a silence; where it ends, a node suspects the leader (▼).")
    world = World(seed=seed)
    world.run(5)
    world.pause(3)
    world.run(6)
    drawn = {one.name: one for one in figures.heartbeats(world.trace).data}
    silence, suspicion = drawn["silence"], drawn["suspects the leader"]
    ends = list(zip(silence.x[1::3], silence.y[1::3], strict=True))
    assert silence.line.dash == "dash" and len(ends) == silences
    assert ends == list(zip(suspicion.x, suspicion.y, strict=True))


def test_with_two_of_three_nodes_down_the_message_stays_on_one_disk() -> None:
    world = World(seed=1)
    world.run(3)
    world.say("hello")
    world.run(1)
    world.crash(1)
    world.crash(2)
    world.say("hello?")
    world.run(5)
    answer = why_not(world, "hello?", node=3)
    assert "only node 3 had it on disk; a quorum is 2 of 3" in repr(answer)
    assert repr(answer).splitlines() == list(answer.sentences)


def test_of_five_nodes_a_cut_of_one_breaks_nothing_with_a_quorum_of_two() -> None:
    assert not play("split-brain", nodes=5, quorum=2).violations


def test_on_the_third_day_two_nodes_stop_themselves_and_else_node_3_comes_back_as_a_follower() -> None:
    bad, good = schedules.play("C4", flawed=True), schedules.play("C4")
    assert {one.node for one in bad.trace.of("broken")} == {1, 2}
    assert [(one.node, one.term) for one in good.trace.of("lead")] == [(3, 1), (2, 2)]


def test_on_the_fifth_day_as_the_protocol_is_nobody_showed_the_message_and_nobody_was_told_ok() -> None:
    bad, good = schedules.play("C9", flawed=True), schedules.play("C9")
    assert {one.node for one in bad.trace.of("deliver") if one.text == "in memory only"} == {1, 2, 3}
    assert not [one for one in good.trace.of("deliver", "ack") if one.text == "in memory only"]


def test_on_the_sixth_day_as_the_protocol_is_nobody_showed_x_and_its_copies_were_replaced() -> None:
    bad, good = schedules.play("Q1", flawed=True), schedules.play("Q1")
    assert {one.node for one in bad.trace.of("deliver") if one.text == "x"} == {2, 3, 4, 5}
    assert [one.text for one in bad.trace.of("ack")].count("x") == 1
    assert not [one for one in good.trace.of("deliver", "ack") if one.text == "x"]
    assert {one.node for one in good.trace.of("truncate")} == {2, 3, 4}


# --- what is shown before a prediction, and the words ---------------------------------------------------

DAYS = ("C1", "C2", "C4", "C7", "C9", "Q1", "Q23", "Q22")


@pytest.mark.parametrize("day", DAYS)
def test_a_script_is_shown_without_its_bug_and_the_rule_that_it_breaks(day: str) -> None:
    shown = schedules.DIRECTED[day].code
    assert shown.startswith("def ") and '"""' not in shown
    assert not [word for word in ("defect", "breaks", "quorum=") if word in shown]


def test_every_verb_of_a_script_is_explained_or_known() -> None:
    known = {"say", "run", "crash", "restart", "partition", "cut", "heal", "nodes"}
    (path,) = (ROOT / "notebooks").glob("02-*.ipynb")
    told = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")  # type: ignore[no-untyped-call]
    for day in DAYS:
        for verb in set(re.findall(r"stage\.(\w+)", schedules.DIRECTED[day].code)) - known:
            assert re.search(rf"`(\w+ = )?(stage\.)?{verb}\b", told) or f"un{verb[2:]}" == verb, f"{day}: {verb}"


ROLES = ("nominating", "deferring", "preparing", "syncing")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_explained_where_a_figure_first_has_it(role: str) -> None:
    told = ""
    for name in ("00", "01", "02"):
        (path,) = (ROOT / "notebooks").glob(f"{name}-*.ipynb")
        cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
        for at, cell in enumerate(cells):
            told += cell.source if cell.cell_type == "markdown" else ""
            figures = [one for one in shown(name).get(cell.id, []) if hasattr(one, "layout") and hasattr(one, "data")]
            if any((line.name or "").startswith(role) for one in figures for line in one.data):
                after = "".join(next(one.source for one in cells[at:] if one.cell_type == "markdown"))
                assert re.search(rf"\*{role}\*", told + after, re.IGNORECASE), f"{path.stem}, {cell.id}"
                return
    raise AssertionError(f"no figure has {role}")
