"""A saved timeline in a real Chromium: what is drawn is what the trace says, by mouse and by keyboard alone.

Skipped with a sentence where there is no Chromium; with CI=true that is a failure.
"""

import base64
import os
from collections.abc import Iterator

import browser
import pytest
import saved_page
from saved_page import Saved

from chatsys import World
from chatsys.check import SAFETY, check
from chatsys.teach.widgets.timeline.moment import moment
from chatsys.teach.widgets.timeline.packing import Packed
from chatsys.teach.widgets.timeline.timeline import Timeline, timeline

if browser.CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip(
        "Chromium is not installed, so nobody looks at the timeline; apt install chromium.", allow_module_level=True
    )

HIDDEN = {"HEARTBEAT", "HEARTBEAT_ACK"}
FATES = ("under way", "received", "dropped", "received more than once", "ended")


def stormy() -> World:
    """Return a world after a run with lost and doubled frames, a cut, and a leader that crashed."""
    world = World(seed=7, nodes=3)
    world.run(1)
    world.say("<b>& one</b>")
    world.lose("*", "*", 0.1)
    world.duplicate("*", "*", 0.3)
    world.run(1)
    world.say("two", author="bob")
    world.partition({1}, {2, 3})
    world.run(1)
    world.heal()
    world.crash(3)
    world.run(3)
    world.say("three")
    world.run(2)
    return world


@pytest.fixture(scope="module")
def shown() -> Timeline:
    return timeline(stormy())


@pytest.fixture(scope="module")
def packed(shown: Timeline) -> Packed:
    return shown.packed


@pytest.fixture(scope="module")
def page(shown: Timeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    assert browser.CHROMIUM, "CI needs Chromium to look at the timeline; apt-get install chromium."
    path = shown.save_html(tmp_path_factory.mktemp("page") / "run.html")
    with saved_page.opened(path) as saved:
        yield saved
        assert saved.complaints == []
        assert saved.requests == [path.as_uri()], "a saved page asks for nothing"


def expected_arrows(packed: Packed) -> dict[str, tuple[str, ...]]:
    """Return for each frame that is shown: id, sender, receiver, message, fate, events."""
    about, columns = packed.about, packed.columns
    found = {}
    for frame in range(len(columns["frame_send"])):
        message = about["messages"][columns["frame_message"][frame]]
        if message in HIDDEN:
            continue
        send, end = int(columns["frame_send"][frame]), int(columns["frame_end"][frame])
        receives = [
            str(event)
            for event in range(about["events"])
            if columns["frame"][event] == frame and packed.records[event].kind == "receive"
        ]
        ends = [str(about["lanes"][columns[name][frame]]["id"]) for name in ("frame_from", "frame_to")]
        known = packed.records[send if send >= 0 else end].id or ""
        found[str(frame)] = (known, *ends, message, FATES[columns["frame_fate"][frame]], str(send), " ".join(receives))
    return found


def test_every_arrow_sign_box_and_sentence_of_the_page_is_what_the_trace_says(page: Saved, packed: Packed) -> None:
    page.press("Home")
    arrows: dict[str, tuple[str, ...]] = {}
    signs: dict[int, tuple[str, str]] = {}
    names = ("id", "from", "to", "message", "fate", "send", "receive")
    last = -1
    while page.event != last:
        last = page.event
        for arrow in page.read(".arrow"):
            arrows[arrow["frame"]] = tuple(arrow[name] for name in names)
        for sign in page.read(".sign"):
            signs[int(sign["event"])] = (sign["kind"], sign["node"])
        assert page.sentence == packed.sentence(last)
        compare_boxes(page, packed, last)
        page.press("Shift+ArrowRight")
    assert arrows == expected_arrows(packed)
    records = packed.records
    quiet = {
        "send",
        "receive",
        "drop",
        "link_up",
        "link_down",
        "met",
        "accepted",
        "hint",
        "membership",
        "boot",
        "refuses",
    }
    assert signs == {
        event: (record.kind, str(record.node))
        for event, record in enumerate(records)
        if record.kind not in quiet and record.node is not None
    }


def compare_boxes(page: Saved, packed: Packed, event: int) -> None:
    """Compare the logs that are drawn with those of the fold."""
    drawn = {
        (box["node"], box["seq"]): (box["entryTerm"], box["durable"], box["committed"]) for box in page.read(".box")
    }
    held = {(box["node"], box["seq"]) for box in page.read(".held")}
    states = moment(packed, event)
    assert drawn == {
        (str(node), str(box.position)): (str(box.entry_term), str(box.durable).lower(), str(box.committed).lower())
        for node, state in states.items()
        for box in state.log
    }
    assert held == {
        (str(node), str(place))
        for node, state in states.items()
        for place in state.held
        if place not in {box.position for box in state.log}
    }


def test_bands_faults_and_strips_are_those_of_the_run(page: Saved, packed: Packed) -> None:
    page.page.get_by_role("button", name="Show the whole run at once").click()
    page.settle()
    lanes = packed.about["lanes"]
    bands = {(band["node"], band["what"]) for band in page.read(".band")}
    assert bands <= {(str(lanes[lane]["id"]), what) for lane, _, _, what, _ in packed.about["bands"]}
    assert ("3", "leads") in bands and ("3", "down") in bands
    faults = {(fault["kind"], fault["node"], float(fault["from"])) for fault in page.read(".fault")}
    assert faults == {
        (kind, str(lanes[lane]["id"]), begin) for begin, _, over, kind, _, _ in packed.about["faults"] for lane in over
    }
    strips = {strip["rule"]: strip["held"] for strip in page.read(".strip")}
    assert strips == {rule["name"]: str(rule["held"]).lower() for rule in packed.about["rules"]}


def test_a_text_fits_its_box_and_the_page_counts_the_rules_as_check_does(page: Saved) -> None:
    page.press("End")
    over = page.page.evaluate(
        """() => [...document.querySelectorAll(".box")].map((box) =>
            box.querySelector(".cs-tl-box-text").getBBox().width - box.querySelector("rect").getBBox().width)"""
    )
    assert over and max(over) <= -4
    held = page.page.locator(".cs-tl-held-rules summary").inner_text()
    assert held == f"All {len(SAFETY)} rules of the chat held" and f"Held: {len(SAFETY)} rules" in repr(check(stormy()))


def test_the_keyboard_alone_steps_jumps_searches_lights_and_clears(page: Saved, packed: Packed) -> None:
    jumps = packed.about["jumps"]
    page.press("Home", "d")
    assert page.event == jumps["delivery"][0]
    page.press("d", "Shift+D")
    assert page.event == jumps["delivery"][0], "to the next delivery, and back"
    before = page.event
    page.press("ArrowLeft", "ArrowRight")
    assert page.event == before
    page.press("/")
    page.page.keyboard.type("crash")
    page.press("Enter", "Escape")
    assert packed.records[page.event].kind == "crash"
    page.press("Enter")
    assert "its past" in page.page.locator(".cs-tl-note").inner_text()
    assert page.page.locator(".cs-tl-past").count() > 0
    page.press("Escape")
    assert page.page.locator(".cs-tl-past").count() == 0
    page.page.keyboard.press("Shift+Tab")
    assert page.focused() is not None
    page.page.locator(".cs-tl-stage").focus()


def test_the_mouse_alone_lights_a_lost_frame_and_asks_why_a_message_did_not_come(page: Saved, packed: Packed) -> None:
    lost = next(frame for frame, arrow in expected_arrows(packed).items() if arrow[4] == "dropped" and arrow[5] != "-1")
    send = int(packed.columns["frame_send"][int(lost)])
    page.page.evaluate("(event) => window.timeline.go(event)", send)
    page.settle()
    page.page.locator(f".arrow[data-frame='{lost}'] .cs-tl-hit").dispatch_event("click")
    page.settle()
    assert page.event in (send, int(packed.columns["frame_end"][int(lost)]))
    assert page.page.locator(f".arrow.cs-tl-self[data-frame='{lost}']").count() == 1
    page.page.get_by_role("button", name="To the end").click()
    page.settle()
    never = next(record.msg_no for record in packed.records if record.kind == "deliver" and record.text == "three")
    page.page.get_by_label("message", exact=True).select_option(label=f"#{never} three")
    page.page.get_by_label("node", exact=True).select_option(label="node 3")
    page.page.get_by_role("button", name="by this moment?").click()
    page.settle()
    answer = page.page.locator(".cs-tl-answer").inner_text()
    assert f"#{never}" in answer and "node 3 was down" in answer
    assert page.page.locator(".cs-tl-mini-lit").get_attribute("d"), "the events of the answer are lit"


def test_a_button_scrubs_and_the_strip_of_the_whole_run_does(page: Saved, packed: Packed) -> None:
    page.page.get_by_role("button", name="To the beginning").click()
    page.settle()
    first = page.event
    page.page.get_by_role("button", name="Step (right arrow").click()
    page.settle()
    assert page.event > first
    strip = page.page.locator(".cs-tl-overview").bounding_box()
    assert strip is not None
    page.page.mouse.move(strip["x"] + strip["width"] / 2, strip["y"] + 15)
    page.page.mouse.down()
    page.page.mouse.move(strip["x"] + strip["width"] - 8, strip["y"] + 15, steps=5)
    page.page.mouse.up()
    page.settle()
    assert page.event > packed.about["events"] * 0.8


def test_a_run_that_goes_on_is_followed_to_its_new_end(page: Saved, packed: Packed) -> None:
    page.page.locator(".cs-tl-stage").focus()
    page.press("End")
    world = stormy()
    world.restart(3)
    world.say("four")
    world.run(2)
    news = timeline(world)
    columns = {name: base64.b64encode(data).decode() for name, data in news.columns.items()}
    page.page.evaluate(
        """([about, columns]) => window.timeline.take(about, Object.fromEntries(Object.entries(columns).map(
            ([name, text]) => [name, Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))])))""",
        [news.about, columns],
    )
    page.settle()
    assert page.event > packed.about["events"], "the cursor stood at the end, and goes with it"
    assert page.sentence == news.packed.sentence(page.event)
    compare_boxes(page, news.packed, page.event)
