"""Two runs over each other in a real Chromium: grey is what both traces have, a colour is what only one of them has.

Skipped with a sentence where there is no Chromium; with CI=true that is a failure.
"""

import os
from collections.abc import Iterator

import browser
import pytest
import saved_page
from saved_page import Saved

from chatsys import World, why_not
from chatsys.teach.widgets.timeline.comparing import Comparison, compare
from chatsys.teach.widgets.timeline.moment import moment

if browser.CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip(
        "Chromium is not installed, so nobody looks at the timeline; apt install chromium.", allow_module_level=True
    )

NAMES = ("the leader crashes", "a follower crashes")
COLOURS = """() => [...document.querySelectorAll(".cs-tl-arrows .cs-tl-line, .cs-tl-signs .cs-tl-shape")].map((one) =>
    [one.closest("[data-side]").dataset.side, getComputedStyle(one).stroke])"""


def world(crash: int) -> World:
    made = World(seed=7)
    made.run(3)
    made.say("before")
    made.run(0.2)
    made.crash(crash)
    made.run(1)
    made.say("after")
    made.run(1)
    return made


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare(world(crash=3), world(crash=1), NAMES)


@pytest.fixture(scope="module")
def page(found: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    assert browser.CHROMIUM, "CI needs Chromium to look at the timeline; apt-get install chromium."
    path = found.save_html(tmp_path_factory.mktemp("page") / "two.html")
    with saved_page.opened(path) as saved:
        yield saved
        assert saved.complaints == []
        assert saved.requests == [path.as_uri()], "a saved page asks for nothing"


def mine(found: Comparison, side: int) -> list[int]:
    """Return for each event of one run which event of the page it is."""
    records = found.packed().records
    at = {id(record): event for event, record in enumerate(records)}
    return [at[id(record)] for record in found.runs[side].records]


def expected(found: Comparison) -> tuple[dict[int, str], dict[str, set[str]]]:
    """Return the side of each event of the page, and the sides that the ends of each frame have."""
    events: dict[int, str] = {}
    frames: dict[str, set[str]] = {}
    for side, run in enumerate(found.runs):
        for old, new in enumerate(mine(found, side)):
            events[new] = str(side + 1) if old in found.only[side] else "0"
            if run.records[old].kind in ("send", "receive", "drop"):
                frames.setdefault(f"{run.records[old].id} of {NAMES[side]}", set()).add(events[new])
    return events, frames


def test_grey_is_what_both_runs_have_and_each_has_a_colour_for_what_it_has_alone(
    page: Saved, found: Comparison
) -> None:
    events, frames = expected(found)
    signs: dict[int, str] = {}
    arrows: dict[str, str] = {}
    colours: dict[str, set[str]] = {"0": set(), "1": set(), "2": set()}
    page.press("Home")
    last = -1
    while page.event != last:
        last = page.event
        for sign in page.read(".cs-tl-signs .sign"):
            signs[int(sign["event"])] = sign["side"]
        for arrow in page.read(".cs-tl-arrows .arrow"):
            ends = {arrow[end].partition(" of ")[2] for end in ("from", "to")}
            assert len(ends) == 1, "no arrow leads from one run to the other"
            arrows[f"{arrow['id']} of {ends.pop()}"] = arrow["side"]
        for side, colour in page.page.evaluate(COLOURS):
            colours[side].add(colour)
        page.press(*["Shift+ArrowRight"] * 3)
    assert signs and signs == {event: events[event] for event in signs}
    assert arrows and arrows == {frame: max(frames[frame]) for frame in arrows}
    assert {"0", "1", "2"} == set(signs.values()) == set(arrows.values())
    assert all(len(seen) == 1 for seen in colours.values()), f"one colour for each side: {colours}"
    grey, one, other = (channels(seen.pop()) for seen in colours.values())
    assert max(grey) - min(grey) < 32, f"{grey} is no grey"
    assert all(max(colour) - min(colour) > 90 for colour in (one, other)) and one[2] > one[0] and other[0] > other[2]


def channels(colour: str) -> list[int]:
    return [int(number) for number in colour.removeprefix("rgb(").removesuffix(")").split(",")]


def test_a_button_and_a_key_lead_to_where_the_runs_part_and_the_page_says_it(page: Saved, found: Comparison) -> None:
    assert found.parting is not None
    ends = [mine(found, side)[found.parting.events[side]] for side in (0, 1)]
    page.press("Home")
    page.page.get_by_role("button", name="Go to where these runs part").click()
    page.settle()
    assert page.event == min(ends)
    assert page.page.locator(".cs-tl-parting-says").inner_text() == str(found)
    (mark,) = page.read("g.cs-tl-parting[data-event]")
    assert (int(mark["event"]), float(mark["time"])) == (min(ends), found.parting.time)
    assert "here these runs part" in page.page.locator("g.cs-tl-parting[data-event]").text_content()  # type: ignore[operator]
    assert {int(ring["event"]) for ring in page.read(".cs-tl-parting-ring")} == set(ends)
    page.page.locator(".cs-tl-stage").focus()
    page.press("p")
    assert page.event == max(ends), "the key leads to the other run"
    page.press("p")
    assert page.event == min(ends)


def test_whoever_does_not_see_hears_in_which_run_an_event_stands(page: Saved, found: Comparison) -> None:
    page.press("Home", "p")
    said = page.page.locator(".cs-timeline > .cs-tl-unseen[role=status]")
    said.filter(has_text=f"In “{NAMES[0]}” alone: Node 3 crashes.").wait_for(state="attached")
    assert f"in “{NAMES[0]}” alone" in page.page.locator(".cs-tl-when").inner_text()
    page.press("d")
    assert (
        f"in “{NAMES[found.packed().columns['run'][page.event] - 1]}”" in page.page.locator(".cs-tl-when").inner_text()
    )
    told = page.page.locator(".cs-tl-boxes").get_attribute("aria-label") or ""
    assert all(f"node 3 in “{name}”" in told for name in NAMES)


def test_the_logs_of_both_runs_are_those_that_each_run_has_alone(page: Saved, found: Comparison) -> None:
    page.press("End")
    for _ in range(3):
        boxes = {
            (box["node"], box["seq"]): (box["entryTerm"], box["durable"], box["committed"]) for box in page.read(".box")
        }
        alone, cursor = {}, page.event
        for side, run in enumerate(found.runs):
            now = sum(event <= cursor for event in mine(found, side)) - 1
            for node, state in moment(run, now).items():
                for box in state.log:
                    facts = str(box.entry_term), str(box.durable).lower(), str(box.committed).lower()
                    alone[f"{node} of {NAMES[side]}", str(box.position)] = facts
        assert boxes == alone and boxes
        page.press(*["Shift+ArrowLeft"] * 4)
    heads = page.page.locator(".cs-tl-boxes .cs-tl-group-name").all_text_contents()
    assert heads == list(NAMES)


def test_a_cone_stays_in_its_run_and_a_search_finds_in_both(page: Saved, found: Comparison) -> None:
    page.press("Home", "p", "ArrowLeft", "ArrowLeft", "Enter")
    run = NAMES[found.packed().columns["run"][page.event] - 1]
    lit = page.read(".cs-tl-signs :is(.cs-tl-past, .cs-tl-future, .cs-tl-self)")
    ends = [one["node"] for one in lit] + [one["from"] for one in page.read(".arrow:is(.cs-tl-past, .cs-tl-future)")]
    assert len(ends) >= 5 and all(one.endswith(f" of {run}") for one in ends)
    page.press("Escape", "/")
    page.page.keyboard.type("crash")
    assert "2 found" in page.page.locator(".cs-tl-count").inner_text()
    page.press("Escape")
    page.page.get_by_text("Show (").click()
    page.page.get_by_role("group", name=f"nodes and clients of “{NAMES[0]}”").get_by_label("node 3").uncheck()
    page.settle()
    assert "2 found" not in page.page.locator(".cs-tl-count").inner_text()
    names = page.page.locator(".cs-tl-names text").all_text_contents()
    assert names.count("node 3") == 1 and names.count("node 1") == 2
    page.page.get_by_role("group", name=f"nodes and clients of “{NAMES[0]}”").get_by_label("node 3").check()
    page.page.get_by_text("Show (").click()
    page.page.locator(".cs-tl-stage").focus()


def test_a_question_goes_to_the_run_of_its_node(page: Saved, found: Comparison) -> None:
    page.press("End")
    asked = page.page.get_by_label("node", exact=True)
    told: list[str] = []
    for side, node in ((0, 3), (1, 1)):
        asked.select_option(label=f"node {node} in “{NAMES[side]}”")
        page.page.get_by_label("message", exact=True).select_option(label="#2 after")
        page.page.get_by_role("button", name="by this moment?").click()
        page.settle()
        own = str(why_not(found.traces[side], 2, node, seconds=0))
        told.append(page.page.locator(".cs-tl-answer").inner_text())
        assert told[-1].startswith(f"In “{NAMES[side]}”: {own.partition(' by ')[0]} by ")
    assert told[0].partition(": ")[2] != told[1].partition(": ")[2]
    assert page.page.locator(".cs-tl-mini-lit").get_attribute("d"), "the events of the answer are lit"
    page.page.locator(".cs-tl-stage").focus()
    page.press("Escape")


def test_bands_and_rules_are_told_for_each_run(page: Saved, found: Comparison) -> None:
    page.page.get_by_role("button", name="Show the whole run at once").click()
    page.settle()
    bands = {(band["node"].partition(" of ")[2], band["what"], band["side"]) for band in page.read(".band")}
    assert {
        (NAMES[0], "down", "1"),
        (NAMES[1], "down", "2"),
        (NAMES[0], "leads", "0"),
        (NAMES[1], "leads", "2"),
    } <= bands
    assert not [band for band in bands if band[2] == "1" and band[0] != NAMES[0]]
    strips = [(strip["run"], strip["rule"]) for strip in page.read(".strip")]
    assert sorted(strips) == sorted(
        (name, rule["name"]) for name, run in zip(NAMES, found.runs, strict=True) for rule in run.about["rules"]
    )
