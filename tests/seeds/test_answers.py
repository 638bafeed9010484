"""What a saved timeline answers without Python, at any moment, is what Python answers."""

import random
from typing import Any

import pytest
from read_timelines import played

from chatsys import World
from chatsys.campaign.why.asking import Question
from chatsys.campaign.why.spoken import find
from chatsys.errors import ChatsysError
from chatsys.teach.labs.lab03 import friends as queues
from chatsys.teach.labs.lab03 import play as lab03
from chatsys.teach.widgets.timeline.answers import ask, for_page
from chatsys.teach.widgets.timeline.packing import Packed, pack
from chatsys.teach.widgets.timeline.timeline import timeline
from chatsys.trace import Trace


def stormy(seed: int) -> World:
    *_, world = played(seed)
    return world


def owed(question: Question, what: Any, node: int, time: float) -> object:
    """Return what is missing at a moment, and since when."""
    try:
        _, found = question.owed(find(question.scene.trace, what, node), node, time)
    except ChatsysError as error:
        return str(error)
    return found.missing, found.since


def shown_at(answer: dict[str, Any], event: int) -> tuple[int, str] | None:
    """Return the answer that the browser takes at an event, and the event that it is about."""
    return next(((at, said) for at, said, _ in reversed(answer["earlier"]) if at <= event), None)


@pytest.mark.parametrize("seed", [0, 5])  # much is lost; a folder is emptied
def test_at_any_moment_of_a_wait_a_page_knows_what_is_missing(seed: int) -> None:
    trace = stormy(seed).trace
    packed, question, chance = pack(trace), Question(trace, 0), random.Random(seed)
    answers = for_page(trace, packed)
    assert len(answers) > 15
    right = count = 0
    for key, answer in answers.items():
        name, _, node = key.rpartition(" ")
        what: Any = int(name[1:]) if name[0] == "#" else name[1:]
        first, last = answer["earlier"][0][0], answer["earlier"][-1][0]
        for event in (first, last, *(chance.randint(first, last) for _ in range(3))):
            shown = shown_at(answer, event)
            assert shown is not None
            at = packed.records[shown[0]].time
            assert shown[1] == said(question, what, int(node), at)
            right += owed(question, what, int(node), at) == owed(question, what, int(node), packed.records[event].time)
            count += 1
    assert right == count, f"{count - right} of {count} say something else than what is missing"


def said(question: Question, what: Any, node: int, time: float) -> str:
    try:
        return str(question.why_not(what, node, time))
    except ChatsysError as error:
        return str(error)


@pytest.mark.parametrize(("name", "least"), [("ROOM", 5_000), ("WORK", 60_000)])
def test_a_page_has_the_end_of_each_wait_first_and_then_as_much_as_it_has_room_and_time_for(
    monkeypatch: pytest.MonkeyPatch, name: str, least: int
) -> None:
    monkeypatch.setattr(f"chatsys.teach.widgets.timeline.answers.{name}", least)
    world = World(3)
    world.run(1)
    world.crash(1)
    for turn in range(30):
        world.say(f"line {turn}")
        world.run(0.02)
    answers = for_page(world.trace, pack(world.trace))
    assert len(answers) >= 30
    known = [key for key, answer in answers.items() if len(answer["earlier"]) > 1]
    assert 0 < len(known) < len(answers) and known == list(answers)[: len(known)], "what waits longest comes first"
    assert all(answer["said"] for answer in answers.values())
    assert sum(len(text) for one in answers.values() for _, text, _ in one["earlier"]) < 25_000


def test_a_run_of_two_thousand_events_is_a_page_below_a_megabyte(tmp_path: Any) -> None:
    trace = stormy(8).trace
    first = Trace(trace.records[:2000], trace.meta)
    assert timeline(first).save_html(tmp_path / "run.html").stat().st_size < 1_000_000


def test_before_a_message_was_said_nothing_is_missing() -> None:
    world = World(7)
    world.run(2)
    world.crash(1)
    world.say("late")
    world.run(1)
    packed: Packed = pack(world.trace)
    early = next(event for event, record in enumerate(packed.records) if record.time > 1.0)
    for given in (world, world.trace):
        sentence, _ = ask(given, packed, {"what": "late", "node": 1, "event": early})
        assert "nobody had said that yet" in sentence


def test_a_message_of_a_small_actor_is_answered_at_its_moments() -> None:
    trace = lab03.chat(queues.AtOnce).trace
    answers = for_page(trace, pack(trace))
    for answer in answers.values():
        assert answer["said"] or answer["earlier"]
