"""Lab 00: a story told to a world, an outage one can see, and a lab that is done or not done."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chatsys.errors import UsageError
from chatsys.sim.world import World
from chatsys.teach.classroom.hand_marks import total_of
from chatsys.teach.classroom.report import report_page
from chatsys.teach.classroom.results import ClassResults, StudentResult
from chatsys.teach.figures import describe, outages
from chatsys.teach.figures.outages import find_messages, find_outages
from chatsys.teach.figures.role_spans import story
from chatsys.teach.grading.course import open_course
from chatsys.teach.grading.grader import find_lab, grade
from chatsys.teach.grading.lab import Lab
from chatsys.teach.grading.marking import Mark, mark_submission
from chatsys.teach.grading.predictions import find_prediction
from chatsys.teach.grading.submission import understand
from chatsys.teach.labs.lab00 import history, scenes
from chatsys.teach.labs.lab00.picture import knobs
from chatsys.teach.labs.lab00.story import StoryTeller

COURSE = Path(__file__).parents[2] / "labs"
NAME = "00-first-steps"


def lab() -> Lab:
    found = find_lab("00")
    assert found is not None
    return found


def defined(lines: str) -> Callable[[Any], None]:
    """Return a story of these lines, defined as a notebook defines it, so that it travels by value."""
    place: dict[str, Any] = {"__name__": "__main__"}
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    exec(f"def my_story(world):\n{body}", place)
    made: Callable[[Any], None] = place["my_story"]
    return made


# --- the idea ------------------------------------------------------------------------------------------


def gap_of(world: World) -> tuple[float, float]:
    (gap,) = find_outages(story(world.trace))
    return gap.start, gap.length


@pytest.mark.parametrize("seed", range(7, 12))
def test_silence_alone_tells_late_and_a_broken_connection_tells_at_once(seed: int) -> None:
    assert 2.4 < gap_of(scenes.outage(seed))[1] < 3.9
    assert gap_of(scenes.outage(seed, links_tell=True))[1] < 0.2
    slept = gap_of(scenes.outage(seed, "pause"))
    assert slept == gap_of(scenes.outage(seed, "pause", links_tell=True)), "a pause breaks no connection"
    begin, length = gap_of(scenes.outage(seed, "cut off"))
    assert begin > scenes.AT + 1 and length < slept[1], "who is cut off believes for a while that it leads"


@pytest.mark.parametrize("name", [None, "ann", "bob", "Zoë"])
def test_the_predictions_come_true_in_the_runs_of_each_student(name: str | None) -> None:
    seed = scenes.student(name)
    happened = [asked.from_run(seed=seed)[0] for asked in lab().predictions if asked.from_run is not None]
    assert (happened[0], happened[2]) == ("node 2", "once") and 2.4 < happened[1] < 3.9
    assert find_prediction("0a").options["node 2"] == "", "the right option has no misconception behind it"


def test_nobody_was_told_and_the_message_waited_with_whoever_said_it() -> None:
    world = scenes.silenced(scenes.SEED)
    assert scenes.who_told(world).startswith(
        "No record of node 3 after 4.00 s: it told nobody. Node 2 suspected it at 6.1"
    )
    assert "because it heard nothing" in scenes.who_told(world)
    (first, second) = find_messages(world.trace)
    assert 4.05 <= second.said < 4.07 and (sorted(first.shown), sorted(second.shown)) == ([1, 2, 3], [1, 2])
    assert "The message that was said at 4.06 s was first shown by node 2 at 6.7" in scenes.my_numbers(world)
    assert scenes.who_told(scenes.new_world()) == "No node crashed in this run."
    quiet = scenes.new_world()
    quiet.run(2)
    assert "Somebody led at all times" in scenes.my_numbers(quiet)


def test_the_first_words_of_a_user_count_from_when_they_were_said() -> None:
    """The trace has them under their number only once the user is let in, which nobody does while nobody leads."""
    (one,) = find_messages(scenes.outage(scenes.SEED, said=1.0).trace)
    assert one.said == 5.0 and min(one.shown.values()) > 6.5


# --- a story -----------------------------------------------------------------------------------------------


def told(lines: str) -> str:
    return str(grade("0.1", defined(lines)))


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("world.run(5000)", "step 1, world.run(5000): That comes to 5,000 s, and 120 s are enough"),
        ("while True: world.run(0.01)", "a story has at most 2,000 steps."),
        ("while True: world.now", "a story asks its world at most 400 times."),
        ("world.leedr", "it cannot use world.leedr"),
        (
            "world.run(2)\nworld.crash(7)",
            "At 2.00 s your story stopped at its step 2, world.crash(7): Node 7 is not a member",
        ),
        ("world.say()", "step 1, world.say(): "),
        ("print(world.delivered(9))", "At 0.00 s your story asked world.delivered(9): "),
        ("raise NotImplementedError", "You have not written `my_story` yet."),
        ("1 / 0", "my_story raised ZeroDivisionError: division by zero."),
    ],
)
def test_a_story_that_cannot_be_played_is_told_why(lines: str, sentence: str) -> None:
    assert told(lines).startswith("0.1  not yet.  ") and sentence in told(lines)


def test_a_story_that_is_right_is_done_and_nobody_reads_points() -> None:
    page = json.loads((COURSE / "source" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8"))
    place: dict[str, Any] = {"__name__": "__main__"}
    exec("".join(next(cell["source"] for cell in page["cells"] if cell["id"] == "story")), place)
    assert str(grade("0.1", place["my_story"])).startswith("0.1  done.  In every run the leader crashed")
    for wrong in (type("my_story", (), {}), "a text", None):
        with pytest.raises(UsageError, match="wants your function, without brackets behind its name; it was given"):
            grade("0.1", wrong)


def test_questions_are_answered_one_after_the_other_and_no_error_handler_swallows_them() -> None:
    script = defined(
        "try:\n    gone = world.leader\nexcept:\n    gone = 9\nworld.crash(gone)\nworld.say('x', node=world.leader)"
    )
    teller = StoryTeller({"answer": script})
    asked = [teller.tell(answers) for answers in ((), (3,), (3, 2))]
    assert [steps[-1] for steps in asked] == [
        ("?", ("leader",), {}),
        ("?", ("leader",), {}),
        ("say", ("x",), {"node": 2}),
    ]
    assert asked[2][1] == ("crash", (3,), {})


def test_what_keeps_a_story_from_being_asked_is_one_sentence() -> None:
    def problems(value: Any) -> list[str]:
        return StoryTeller.problems({"answer": value}, "my_story", {})

    assert problems(defined("pass")) == [] == problems(print)
    assert problems(lambda: None) == ["my_story takes (); write `def my_story(world):`."]
    assert problems(type("my_story", (), {})) == ["my_story is no function, but a class; write `def my_story(world):`."]
    assert problems(7) == ["my_story is no function, but a value; write `def my_story(world):`."]


# --- the picture -------------------------------------------------------------------------------------------


def texts(figure: Any) -> str:
    return " ".join([*(one.text for one in figure.layout.annotations), *figure.layout.yaxis.ticktext])


def played(lines: str) -> Any:
    world = scenes.new_world()
    defined(lines)(world)
    return outages(world)


def test_the_picture_shows_the_outage_and_three_mistakes() -> None:
    right = outages(scenes.outage())
    assert "nobody leads<br>2.81 s" in texts(right) and texts(right).count("1 of 1 ✓") == 3
    assert describe(right).startswith("Nobody led for 2.81 s, from 4.00 s to 6.81 s. 1 message was said in that time;")
    follower = played("world.run(3)\nworld.crash(1)\nworld.say('x')\nworld.run(6)")
    assert "nobody leads" not in texts(follower) and "<b>down<br>0 of 1 ✗</b>" in texts(follower)
    assert "Somebody led at all times" in describe(follower)
    closed = played("world.run(3)\nworld.say('x')\nworld.run(3)\nworld.crash(1)\nworld.run(0.01)")
    assert texts(closed).count("1 of 1 ✓") == 3 and "down" not in texts(closed)
    gone = played("world.run(3)\nworld.say('x')\nworld.run(3)\nworld.crash(1)\nworld.run(2)")
    assert "<b>down<br>1 of 1 ✓</b>" in texts(gone)
    late = played(
        "world.run(3)\nworld.crash(3)\nworld.run(6)\nworld.say('x')\nworld.run(3)\nworld.restart(3)\nworld.run(3)"
    )
    assert "Nothing was said in that time." in describe(late)
    short = played("world.run(3)\nworld.crash(3)\nworld.say('a')\nworld.run(1)")
    assert " and on" in texts(short) and texts(short).count("✗") == 3


def test_the_knobs_draw_anew_and_say_the_line_of_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    box = knobs(scenes.SEED)
    way, said, links, _, code, drawn = box.children
    before = str(drawn.outputs)
    way.value, said.value, links.value = "pause", 2.0, True
    assert code.value == '<code>outages(outage(7, "pause", said=2, links_tell=True))</code>'
    assert str(drawn.outputs) != before
    with pytest.raises(UsageError, match="cannot fall silent by 'fire'; write one of 'crash', 'pause', 'cut off'"):
        scenes.outage(way="fire")
    with pytest.raises(UsageError, match="write seconds from -3 to 9"):
        scenes.outage(said=99)


def test_nothing_is_played_while_a_notebook_is_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "1")
    assert knobs() is None and history.installed() is None and scenes.for_real(defined("1 / 0")) is None


# --- the installation ----------------------------------------------------------------------------------------


def test_this_installation_plays_the_history_that_is_written_down() -> None:
    kept = json.loads(history.FILE.read_text(encoding="utf-8"))
    assert history.history_of(kept["seed"]) == kept, "the protocol changed: run make seeds"
    assert f"Seed {kept['seed']} gave the {kept['events']} events that it must" in (history.installed() or "")


def test_another_history_is_told_and_written_down_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "history.json"
    file.write_text('{"seed": 1, "events": 7, "hash": "00"}\n')
    monkeypatch.setattr(history, "FILE", file)
    assert "and other ones than the 7 where the tests ran" in (history.installed() or "")
    assert len(list(history.renew())) == 1 and list(history.renew()) == []
    assert "that it must" in (history.installed() or "")


# --- done or not done ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Mark]:
    """The marks of what an instructor has, of what students get, and of a story without an end."""
    secret = tmp_path_factory.mktemp("secret") / "secret"
    secret.write_text("a secret of these tests only")
    course = open_course(NAME, COURSE, secret)
    read = {
        kind: json.loads((COURSE / kind / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8"))
        for kind in ("source", "release")
    }
    half = json.loads(json.dumps(read["source"]))
    cell = next(cell for cell in half["cells"] if cell["id"] == "story")
    cell["source"] = [line for line in cell["source"] if "restart" not in line]
    return {
        name: mark_submission(understand(page, course.source), course, name)
        for name, page in (read | {"half": half}).items()
    }


def test_a_notebook_is_done_or_not_done(marks: dict[str, Mark]) -> None:
    assert {name: (mark["score"], mark["max_score"]) for name, mark in marks.items()} == {
        "source": (1, 1), "release": (0, 1), "half": (0, 1),
    }  # fmt: skip
    assert str(marks["source"]).startswith("done; ") and str(marks["half"]).startswith("not done; ")
    assert "points" not in "".join(map(str, marks.values()))
    (test,) = marks["half"]["tests"]
    assert test["output"].startswith(
        "0.1  not yet.  With seed 0 the story ends at 12.00 s, and node 3 is down since 3.00 s"
    )
    assert test["lost"] == ["same"], "two of three held, and it is not done all the same"
    assert marks["source"]["predictions"]["kept"] == {"0a": "node 2", "0b": 3.0, "0c": "once"}


def test_a_class_report_counts_who_is_done_and_shows_no_points(marks: dict[str, Mark]) -> None:
    every = {name: msgspec.convert(dict(mark) | {"student": name}, StudentResult) for name, mark in marks.items()}
    assert [one.told for one in every.values()] == ["done", "not done", "not done"]
    assert total_of(every["source"], lab(), {}).points == 1
    page = report_page(ClassResults(lab=NAME, submissions=every), lab(), {}, None, "no keys")
    assert '<div class="tile"><b>1</b>done</div>' in page and "This lab has no points" in page
    assert (
        "of 1<" not in page and "histogram" not in page.partition("</style>")[2] and "to be marked by hand" not in page
    )
    assert page.count("<b>not yet</b>") == 2 and page.count("<b>done</b>") == 1
    assert "0b" in page and "3 s" in page, "what the class believed is shown all the same"
