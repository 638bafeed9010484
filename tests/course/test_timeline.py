"""The timeline without a browser: what is sent, what follows a world, what stands in a saved page, what is said to bad input."""

import base64
import itertools
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from chatsys import Trace, World
from chatsys.errors import UsageError
from chatsys.teach.widgets.timeline import source
from chatsys.teach.widgets.timeline.timeline import Timeline, shared, timeline

END = "</script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def world() -> World:
    world = World(seed=7)
    world.run(1)
    world.say(END)
    world.crash(3)
    world.run(1)
    return world


def in_page(path: Path) -> dict[str, Any]:
    """Return the run that stands in a saved page."""
    found = re.search(r'<script type="application/json" id="run">(.*?)</script>', path.read_text("utf-8"), re.S)
    assert found is not None
    return json.loads(found[1])  # type: ignore[no-any-return]


def test_every_file_of_the_browsers_half_is_joined_once() -> None:
    files = {path.stem for path in (source.HERE / "js").glob("*.js")}
    assert sorted(source.PARTS) == sorted(files)


def channels(colour: str) -> list[float]:
    """Return a colour as light: red, green and blue from 0 to 1, linear."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def seen_by(matrix: list[list[float]], colour: str) -> list[float]:
    """Return a colour as somebody sees it who lacks a kind of cones (Machado 2009, severity 1)."""
    light = channels(colour)
    return [sum(share * part for share, part in zip(row, light, strict=True)) for row in matrix]


EYES: dict[str, list[list[float]]] = {
    "all cones": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize(("theme", "ground"), [("light", "#ffffff"), ("dark", "#16181c")])
def test_the_colours_of_two_runs_are_told_apart_by_everybody_in_both_themes(theme: str, ground: str) -> None:
    found = re.findall(r"--run-1: (#\w+); --run-2: (#\w+); .*?--quiet: (#\w+);", source.style())
    assert len(found) == 3 and found[1] == found[2], "light, and dark for a notebook and for a page"
    colours = found[0 if theme == "light" else 1]
    paper = luminance(ground)
    for colour in colours:
        shades = sorted((paper, luminance(colour)))
        assert (shades[1] + 0.05) / (shades[0] + 0.05) >= 3, f"{colour} is too weak on {ground}"
    for eyes, matrix in EYES.items():
        for one, other in itertools.combinations([seen_by(matrix, colour) for colour in colours], 2):
            assert math.dist(one, other) > 0.16, f"{theme}, {eyes}: {colours}"


def luminance(colour: str) -> float:
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), channels(colour), strict=True))


def test_no_function_of_the_browsers_half_is_declared_twice() -> None:
    names = re.findall(r"^(?:function|const|let) (\w+)", source.script(), re.M)
    assert len(names) == len(set(names)), "the files share one scope"


def test_a_saved_page_holds_the_run_and_asks_for_nothing(world: World, tmp_path: Path) -> None:
    shown = timeline(world)
    path = shown.save_html(tmp_path / "run.html")
    run = in_page(path)
    assert run["about"]["events"] == len(world.trace)
    assert {name: base64.b64decode(text) for name, text in run["columns"].items()} == shown.packed.buffers()
    text = path.read_text("utf-8")
    assert END not in text, "a text of a user cannot end the element it stands in"
    assert not re.search(r"""(?:src|href)=["'](?!data:)|@import|url\(["']?http""", text)


def test_a_page_answers_for_whoever_never_got_a_message(world: World, tmp_path: Path) -> None:
    answers = in_page(timeline(world).save_html(tmp_path / "run.html"))["answers"]
    missing = {key: answer["said"] for key, answer in answers.items() if key.endswith(" 3")}
    assert missing and all("node 3 was down" in said for said in missing.values())


def test_a_world_that_goes_on_sends_what_is_new_and_nothing_twice() -> None:
    world = World(seed=2)
    world.run(1)
    shown = timeline(world)
    sent: list[tuple[Any, Any]] = []
    shown.send = lambda content, buffers: sent.append((content, buffers))
    before = shown.packed.buffers()
    assert shown.refresh() == 0.0 and sent == [], "nothing has happened"
    world.say("later")
    world.run(1)
    shown.refresh()
    ((news, buffers),) = sent
    assert news["about"]["events"] == len(world.trace)
    whole = shown.packed.buffers()
    for (name, begin), data in zip(news["from"], buffers, strict=True):
        assert before[name][:begin] + data == whole[name]
    assert dict(news["from"])["time"] == len(before["time"]), "the old times are not sent again"
    assert shown.about["events"] == len(world.trace), "a page that is opened again gets the whole"


def test_bytes_are_shared_or_sent_again() -> None:
    assert shared(b"ab", b"abc") == 2
    assert shared(b"ax", b"abc") == 0


def test_it_begins_at_the_first_broken_rule_else_at_the_end(world: World) -> None:
    from chatsys.mutants import schedules

    broken = Timeline(schedules.play("Q1", flawed=True).trace)
    assert broken.event == min(rule["event"] for rule in broken.about["rules"] if not rule["held"])
    assert timeline(world).event == len(world.trace) - 1
    assert timeline(world, event=5).event == 5


def test_a_question_is_answered_with_a_sentence_and_events(world: World) -> None:
    shown = timeline(world)
    shown._receive(shown, {"ask": "why_not", "what": END, "node": 3, "event": len(world.trace) - 1}, [])
    assert "node 3" in shown.said and shown.lit
    shown._receive(shown, {"ask": "why_not", "what": "nobody said this", "node": 3, "event": 0}, [])
    assert "nobody said this" in shown.said.lower() and shown.lit == []
    shown._receive(shown, {"ask": "why_not", "what": 1, "node": 3, "event": 10**9}, [])
    assert shown.said == "There is no such moment in this run."


@pytest.mark.parametrize("event", [True, "7", 1.5])
def test_an_event_that_is_no_number_is_told(world: World, event: Any) -> None:
    with pytest.raises(UsageError, match="give the index of a record"):
        timeline(world, event=event)


@pytest.mark.parametrize("event", [-1, 10**6])
def test_an_event_that_is_not_there_is_told(world: World, event: int) -> None:
    with pytest.raises(UsageError, match="There is no event"):
        timeline(world, event=event)


def test_what_has_no_trace_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="int has no trace"):
        timeline(5)
    with pytest.raises(UsageError, match="cannot be written"):
        timeline(Trace()).save_html(tmp_path / "nowhere" / "run.html")


def test_without_a_notebook_it_is_a_picture(world: World) -> None:
    shown = timeline(world)._repr_mimebundle_()
    assert set(shown) == {"text/plain", "image/svg+xml"}
    assert shown["image/svg+xml"].startswith("<svg")
