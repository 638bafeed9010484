"""Lab 04: what its judges rest on, what its page shows, and what its written test can tell apart.

`test_lab_mould` tries every answer and every mistake of the keys, as it does for each lab; here a class is played in
this process, which is quicker.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from trials import TestTrial

from chatsys.check import check
from chatsys.errors import UsageError
from chatsys.isolation.calls import Call, Reply
from chatsys.sim.world import World
from chatsys.teach import figures
from chatsys.teach.figures.live import live
from chatsys.teach.grading import predictions, revealing
from chatsys.teach.grading.keys import read_keys
from chatsys.teach.labs.lab04 import LAB, adaptive, beats, conduct, curves, friends, play, runs
from chatsys.teach.labs.lab04.checks import judge_detector
from chatsys.teach.labs.lab04.reading import WatchReading
from chatsys.teach.labs.lab04.stage import watching

pytestmark = pytest.mark.quick

COURSE = Path(__file__).parents[2] / "labs"
KEYS = read_keys(COURSE, LAB)
DETECTOR, ADAPTIVE = LAB.exercises


def right(number: str = "4.1") -> Any:
    return KEYS.answers[number]["reference"]


def wrong(name: str, number: str = "4.1") -> Any:
    return KEYS.mistakes[number][name].cls


class Blind:
    """Suspects nobody, or somebody all the time."""

    def __init__(self, *made: Any) -> None:
        self.peers = made[0]

    def beat(self, *beat: Any) -> None:
        """Nothing is kept."""

    def suspects(self, now: float) -> set[int]:
        return set()


class Panic(Blind):
    def suspects(self, now: float) -> set[int]:
        return set(self.peers)


# --- what the judges rest on -----------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 3])
def test_a_detector_only_looks_so_the_same_beats_arrive_whatever_it_says(seed: int) -> None:
    heard = []
    for detector in (Blind, Panic, right()):
        world, _ = runs.lived(runs.plan_of(seed), detector)
        heard.append([(one.time, one.node, one.peer, one.seq) for one in world.trace.of("receive")])
    assert heard[0] == heard[1] == heard[2] and len(heard[0]) > 50


def test_what_is_played_from_a_list_is_what_happens_in_a_world() -> None:
    plan = runs.RunPlan(seed=5, events=runs.plan_of(5).events, seconds=18.0)
    (watch, *_), (world, lives) = runs.listened(plan, None), runs.lived(plan, right())
    told = next(one for one, _ in lives if one.node == watch.node and one.born == watch.born)
    assert watch.calls == told.calls and not world.failures


def test_the_numbers_of_a_node_grow_over_its_restarts_and_its_clock_is_its_own() -> None:
    world = runs.RunPlan(seed=2, events=((4.0, "crash", (3,)), (5.0, "restart", (3,))), seconds=9.0).play(Blind, None)
    numbers = [one.seq or 0 for one in world.trace.of("send") if (one.node, one.peer) == (3, 1)]
    assert numbers == sorted(set(numbers)) and numbers[-1] > 100_000 > numbers[0]
    clocks = {one.detector.peers[0]: host.offset for host in world.simulation.hosts.values() if (one := host.actor)}  # type: ignore[attr-defined]
    assert len(clocks) >= 2 and max(clocks.values()) - min(clocks.values()) > 1


def read(*answers: set[int], beats_at: tuple[float, ...] = (0.5,)) -> WatchReading:
    """Return the reading of a detector of one peer that is asked at 1, 2, 3 ... s, with a timeout of 2.5 s."""
    plan = runs.RunPlan(seed=0, events=(), seconds=9.0)
    calls = [Call("suspects", (1.0 + place,)) for place in range(len(answers))]
    calls += [Call("beat", (2, number, 900.0, now)) for number, now in enumerate(beats_at, 1)]
    calls.sort(key=lambda call: call.arguments[-1])
    watch = runs.Watch(plan=plan, node=1, peers=(2,), made=0.0, calls=tuple(calls), born=0.0, rate=1.0)
    said = iter(answers)
    return WatchReading(watch, [Reply() if call.method == "beat" else Reply(next(said)) for call in calls])


def test_between_the_timeout_and_one_beat_more_either_answer_is_right() -> None:
    nobody: set[int] = set()
    assert read(nobody, nobody, nobody, nobody).right  # 3.5 s of silence at 4 s: the timeout, and 1.0 s more
    assert read(nobody, nobody, nobody, {2}).right
    late, early = read(nobody, nobody, nobody, nobody, nobody).late, read(nobody, {2}).early
    assert late is not None and late.silence == 4.5 and early is not None and early.silence == 1.5
    kept = read(nobody, nobody, nobody, {2}, {2}, {2}, beats_at=(0.5, 4.2, 5.0)).kept
    assert kept is not None and kept.now == 6.0


def test_each_weather_asks_for_what_the_page_says() -> None:
    page = (COURSE / "source" / LAB.name / f"{LAB.name}.ipynb").read_text(encoding="utf-8")
    for one in conduct.WEATHERS:
        row = next(line for line in page.splitlines() if f'"| {one.name} |' in line)
        assert f"{one.within:g} s" in row and (f"at most {one.most:g}" in row or one.most == 0)
        assert f"{one.longest:g}" in row or f"{one.longest:.1f}" in row
    allowed = [f"{one.allowed:g}" for one in conduct.WEATHERS]
    assert f"points are lost from {allowed[0]}, {allowed[1]} and {allowed[2]} on" in page


def test_no_fixed_timeout_passes_in_every_weather() -> None:
    for timeout in (2.0, 2.5, 3.0, 3.4, 4.0, 6.0):

        class Fixed(right()):  # type: ignore[misc]
            def __init__(self, peers: Any, now: float, interval: float, _: float, timeout: float = timeout) -> None:
                super().__init__(peers, now, interval, timeout)

        found = list(adaptive.judge_adaptive(TestTrial(Fixed, ADAPTIVE), range(3)))
        assert found, f"a fixed timeout of {timeout} s gets all points"


def test_a_finding_can_be_looked_at_call_by_call_and_as_a_figure() -> None:
    for exercise, judge, name in (
        (DETECTOR, judge_detector, "one deadline for all"), (ADAPTIVE, adaptive.judge_adaptive, "eight deviations")
    ):  # fmt: skip
        (finding, *_) = judge(TestTrial(wrong(name, exercise.number), exercise), range(2))
        (marked,) = [step for step in finding.steps if step.wrong]
        assert marked.returned != marked.expected or exercise is ADAPTIVE
        assert marked.waiting.endswith(" s silent")
        assert finding.trace is not None
        from chatsys.trace import Trace

        assert "heartbeats arrived" in figures.describe(figures.heartbeats(Trace.decode(finding.trace)))


# --- the page --------------------------------------------------------------------------------


def test_a_range_is_kept_as_a_text_and_compared_run_by_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "kept", {})
    predictions.predict("4a", (1.5, 3))
    assert capsys.readouterr().out == "4a kept: 1.5 to 3 s\n"
    assert predictions.given(LAB, {"4a": "1.5 to 3"}) == {"4a": "1.5 to 3"}
    assert predictions.given(LAB, {"4a": "soon", "4b": "perhaps"}) == {}
    for bad in (2, (3, 1), (1, 2, 3), ("a", "b"), None, (True, 2), (1, float("nan")), "1 to"):
        with pytest.raises(UsageError, match="4a is two numbers in brackets, the smaller one first; you gave"):
            predictions.predict("4a", bad)
    asked = predictions.find_prediction("4a")
    assert revealing.compared(asked, "1.5 to 3", [1.4, 2.0, 2.9, 3.1]).endswith(
        "it was 1.4 to 3.1 s, and 50 % of them lie in your range."
    )


def test_the_predictions_are_answered_by_the_students_own_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "kept", {})
    monkeypatch.setattr(play, "CRASHES", 20)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    for number, answer in (("4a", (1.7, 2.7)), ("4b", "yes"), ("4c", 12.5)):
        predictions.predict(number, answer)
    shown = [revealing.reveal(number, right()) for number in ("4a", "4b", "4c")]
    said = capsys.readouterr().out.replace("\n    ", " ")
    assert re.search(
        r"4a  You said 1\.7 to 2\.7 s; in 20 runs .* it was [12]\.\d+ to 2\.\d+ s, and 100 % of them", said
    )
    assert "it was no. Behind your answer: a missing beat taken for a timeout that is over" in said
    assert re.search(r"4c  You said 12\.5 s; .* it was 13(\.\d)? s: 0\.[4-7]\d* s off", said)
    assert all(figures.describe(figure) for figure in shown)
    revealing.reveal("4b", wrong("is not written"))
    assert (
        "your class stopped, so there is nothing to compare yet: RuntimeError: NotImplementedError"
        in capsys.readouterr().out.replace("\n    ", " ")
    )


def test_in_the_real_chat_the_students_class_decides_when_the_leader_is_silent() -> None:
    world = World(7, parts={"failure": play.in_chat(right())})
    world.run(5)
    first = world.leader
    assert first is not None
    world.pause(first)
    world.run(8)
    assert world.leader not in (None, first) and not check(world.trace)


def test_the_right_friend_of_the_written_test_is_right() -> None:
    assert not list(judge_detector(TestTrial(friends.CountsBeats, DETECTOR), range(20)))


# --- the picture -----------------------------------------------------------------------------


def test_the_beats_of_one_line_are_those_of_the_simulator() -> None:
    line = beats.BeatLine(interval=0.4, slowest=1.5, loss=0.2)
    network = beats_network(line)
    world = World(11, actor=watching(Blind, line.interval), network=network)
    world.run(600)
    gaps: list[float] = []
    last: dict[Any, tuple[int, float]] = {}
    for one in world.trace.of("receive"):
        number, time = last.get((one.node, one.peer), (0, 0.0))
        if (one.seq or 0) > number:
            gaps += [one.time - time] if number else []
            last[one.node, one.peer] = one.seq or 0, one.time
    drawn = beats.drawn(line, 1000)
    for timeout in (0.6, 0.9, 1.2):
        simulated = sum(gap > timeout for gap in gaps) / (6 * 600 / 3600)
        assert drawn.false(timeout) == pytest.approx(simulated, rel=0.15), timeout


def beats_network(line: beats.BeatLine) -> Any:
    from msgspec.structs import replace

    from chatsys.teach.labs.defaults import OVERTAKING

    return replace(OVERTAKING, longest=line.slowest, loss=line.loss)


def test_a_detector_with_a_fixed_timeout_lies_on_the_curve_of_the_fixed_timeouts() -> None:
    line = beats.BeatLine(interval=0.8, slowest=0.2, loss=0.2)
    mine, every = beats.play(right(), line, 60), beats.drawn(line, 1000)
    assert mine.per_hour == pytest.approx(float(every.false(2.5)), rel=0.5)
    assert mine.seconds == pytest.approx(float(every.seconds(2.5)), abs=0.25)


def test_the_sliders_draw_what_their_line_of_code_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    shown = curves.sliders(right())
    *moved, code, said, _, figure = shown.children
    before = figures.describe(figure)
    moved[0].value = 0.2
    assert "trade_off(MyDetector, loss=0.2, slowest=0.2, interval=0.8)" in code.value
    drawn = curves.trade_off(right(), loss=0.2)
    assert figures.describe(figure) == figures.describe(drawn) != before
    assert figures.describe(figure) in said.value and figure.layout.title.text is None, (
        "the sentence stands on the page"
    )
    for old, new in zip(figure.data, drawn.data, strict=True):
        assert list(old.x) == list(new.x) and (old.type != "heatmap" or (old.z == new.z).all())


def test_a_class_that_raises_is_told_in_the_picture_and_wrong_numbers_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert "NotWritten stopped: NotImplementedError" in figures.describe(curves.trade_off(wrong("is not written")))
    with pytest.raises(UsageError, match="loss is 10; give a number from 0 to 0.5"):
        curves.trade_off(loss=10)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert curves.trade_off(right()) is None and curves.sliders(right()) is None


def test_the_first_message_of_a_live_figure_has_all_that_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that is drawn from a first message without traces stays empty."""
    import comm

    opened: list[Any] = []
    make: Any = comm.create_comm

    def kept(**named: Any) -> Any:
        opened.append(named)
        return make(**named)

    monkeypatch.setattr(comm, "create_comm", kept)
    live(curves.trade_off(), responsive=True)
    (state,) = [one["data"]["state"] for one in opened if "_widget_data" in one["data"]["state"]]
    assert len(state["_widget_data"]) == 4 and state["_widget_layout"]["height"] and state["_config"]["responsive"]
