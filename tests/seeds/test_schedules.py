"""Every directed schedule goes wrong with its flaw, and right without it."""

import pytest

from chatsys.errors import UsageError
from chatsys.mutants.schedules import DIRECTED, Directed, play, rows
from chatsys.mutants.schedules.quiet_world import QuietWorld
from chatsys.protocol.messages import Heartbeat, Propose
from chatsys.sim.world import World

pytestmark = pytest.mark.quick

WANTED = "C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15 C16 C25 C26 C27 Q1 Q2 Q5 Q7 Q8 Q9 Q10 Q11 Q15 Q16 Q17 Q21 Q23 Q24 Q52 Q53 Q54 Q55 Q56 Q57 Q58 Q59 Q60 Q61 Q62 Q63 Q64 Q65 Q66 Q67 Q68 Q69"
"""Every schedule that there must be: C against an unsafe quorum or a defect, Q against one mutant each."""


def named(one: Directed) -> str:
    return one.name


def test_every_schedule_of_the_protocol_is_there() -> None:
    assert set(WANTED.split()) <= set(DIRECTED)


@pytest.mark.parametrize("one", DIRECTED.values(), ids=named)
def test_a_schedule_goes_wrong_with_its_flaw(one: Directed) -> None:
    found = one.play(flawed=True).violation
    assert found is not None, f"{one.name}: {one.flaw} broke none of {one.breaks}"
    assert found.invariant in one.breaks


@pytest.mark.parametrize("one", DIRECTED.values(), ids=named)
def test_a_schedule_goes_right_with_a_majority_and_no_defect(one: Directed) -> None:
    played = one.play()
    assert played.violations == []
    assert len(played.trace.of("lead")) >= 1 and played.trace.of("ack")


@pytest.mark.parametrize("one", DIRECTED.values(), ids=named)
def test_a_schedule_about_liveness_names_the_laws_that_it_judges(one: Directed) -> None:
    laws = {name for name in one.breaks if name.startswith("L")}
    assert laws <= set(one.judges)
    assert bool(one.judges) == (one.play().world.faults_end is not None)


def test_a_schedule_that_is_too_short_for_a_law_it_names_says_so() -> None:
    def brief(stage: QuietWorld) -> None:
        stage.calm()
        stage.run(1)

    played = Directed(name="X1", title="Brief", script=brief, breaks=(), judges=("L1", "L4")).play()
    (found,) = played.violations
    assert found.invariant == "short" and "X1 cannot tell L4: the run ends at" in found.sentence


@pytest.mark.parametrize("one", DIRECTED.values(), ids=named)
def test_a_schedule_tells_its_story(one: Directed) -> None:
    assert one.title and one.flaw and one.story.count(".") >= 1


def test_a_schedule_is_the_same_every_time() -> None:
    assert play("Q24", flawed=True).trace.hash() == play("Q24", flawed=True).trace.hash()


def test_an_unknown_schedule_is_refused_with_the_names_of_the_known_ones() -> None:
    with pytest.raises(UsageError, match="There is no schedule 'C99'; the schedules are C1, C2"):
        play("C99")


def test_the_rows_say_what_broke_and_what_held() -> None:
    row = next(rows())
    assert row["schedule"] == "C1" and row["flaw"] == "quorum = 1" and row["broke"] == "S1" and row["held"] is True


# --- the tools -------------------------------------------------------------------------------


def test_frames_wait_at_a_gate_until_they_are_released() -> None:
    world = World(seed=1)
    world.until(lambda: world.leader == 3)
    gate = world.hold(Propose, sender=3, receiver=1)
    world.say("hello", node=3)
    world.run(0.3)
    assert world.delivered(2) == ["hello"] and world.delivered(1) == [] and len(gate) >= 1
    gate.open()
    world.run(0.3)
    assert world.delivered(1) == ["hello"] and len(gate) == 0


def test_dropped_frames_are_lost_and_the_trace_says_so() -> None:
    world = World(seed=1)
    gate = world.hold(Heartbeat, wants=lambda message: isinstance(message, Heartbeat) and message.number == 1)
    world.run(2)
    waiting = len(gate)
    gate.drop()
    lost = [record for record in world.trace.of("drop") if record.message == "HEARTBEAT"]
    assert waiting == len(lost) == 2 and len(gate) == 0


def test_a_frame_can_arrive_twice_and_keep_waiting() -> None:
    world = World(seed=1)
    gate = world.hold(Heartbeat, sender=3, receiver=1)
    world.until(lambda: len(gate) == 1, 5)
    gate.replay(times=2)
    world.run(0.05)
    heard = [record for record in world.trace.of("receive") if record.node == 1 and record.message == "HEARTBEAT"]
    assert len(heard) == 2 and len(gate) == 1


def test_nothing_happens_on_a_stage_by_itself() -> None:
    stage = QuietWorld()
    before = [(r.node, r.kind) for r in stage.trace.of("role", "lead", "suspect")]
    stage.isolate(3)
    stage.run(60)
    assert [(r.node, r.kind) for r in stage.trace.of("role", "lead", "suspect")] == before
    assert stage.elect(2) and stage.node(2).state.term == 2


def test_a_rotten_line_needs_a_text_that_is_there() -> None:
    with pytest.raises(UsageError, match="Node 1 has no entry with the text 'nobody said this'"):
        QuietWorld().rot(1, "nobody said this", "nobody said that")
