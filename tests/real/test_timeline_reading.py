"""A picture equals its trace, in a real Chromium: pages that are scrolled, and the browser's half beside Python's.

Twenty runs and all labs, instead of these few: python tests/support/read_pages.py 0 20
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import browser
import pytest
import read_pages
import saved_page
from browser_half import Half, as_python_tells, as_the_browser_tells, half, sums
from read_timelines import played

from chatsys import World
from chatsys.campaign.why.asking import Question
from chatsys.protocol.messages import NODE_MESSAGES
from chatsys.teach.widgets.timeline.answers import for_page
from chatsys.teach.widgets.timeline.moment import moment
from chatsys.teach.widgets.timeline.packing import Packed, pack
from chatsys.teach.widgets.timeline.sentences import TEMPLATES, fill
from chatsys.teach.widgets.timeline.timeline import Timeline, timeline
from chatsys.trace import Record, Trace

if TYPE_CHECKING:
    from playwright.sync_api import Browser

if browser.CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip(
        "Chromium is not installed, so nobody looks at the timeline; apt install chromium.", allow_module_level=True
    )


@pytest.fixture(scope="module")
def started() -> "Iterator[Browser]":
    assert browser.CHROMIUM, "CI needs Chromium to look at the timeline; apt-get install chromium."
    with read_pages.chromium() as one:
        yield one


@pytest.fixture(scope="module")
def js(started: "Browser") -> Iterator[Half]:
    with half(started) as one:
        yield one
        assert one.complaints == []


def test_every_arrow_sign_band_and_box_of_a_stormy_run_is_what_the_trace_says(started: "Browser") -> None:
    trace, truth = read_pages.stormy(56, 1200)
    told, count = read_pages.differences(started, trace, truth)
    assert told == [], "replay: python tests/support/read_pages.py 56 57"
    assert count["arrows dropped"] and all(
        count[f"arrows {fate}"] > 20 for fate in ("received", "received more than once")
    ), count
    assert count["boxes"] > 1000 and count["held"] and count["hosts"] and count["faults"] > 20, count


@pytest.mark.parametrize("name", ["lab 03, AtOnce", "lab 03, TheRealOne", "lab 04, OneClock", "lab 05, Hasty"])
def test_a_small_actor_is_drawn_as_its_trace_says(started: "Browser", name: str) -> None:
    told, count = read_pages.differences(started, read_pages.of_labs()[name].trace, {})
    assert told == [] and count["arrows"] and count["signs"], count


def test_a_saved_run_of_two_thousand_events_does_everything_from_one_file_without_network(
    started: "Browser", tmp_path: Path
) -> None:
    *_, world = played(30)
    trace = Trace(world.trace.records[:2000], world.trace.meta)
    shown = timeline(trace)
    path, complaints = shown.save_html(tmp_path / "run.html"), list[str]()
    assert path.stat().st_size < 1_000_000
    jumps, asked = shown.packed.about["jumps"], answered(trace, shown.packed)
    with read_pages.page_of(started, path, complaints, width=1200) as page:
        names = {lane["id"]: lane["name"] for lane in shown.packed.about["lanes"]}
        stage, note = page.locator(".cs-tl-stage"), page.locator(".cs-tl-note")
        assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'answered', () => 'cut off')") == "cut off"
        assert complaints.pop().startswith("Failed to load") and complaints.pop() == "asked for http://127.0.0.1:9/"

        def press(*keys: str) -> int:
            for key in keys:
                page.keyboard.press(key)
            page.evaluate(saved_page.SETTLED)
            return int(stage.get_attribute("data-event") or -1)

        stage.focus()
        first = press("Home")
        assert press("ArrowRight") > first and press("ArrowLeft") == first
        assert press("e") == jumps["election"][0] and press("d") in jumps["delivery"]
        press("/")
        page.keyboard.type("crash")
        assert shown.packed.records[press("Enter", "Escape")].kind == "crash"
        page.locator(".sign[data-kind='crash'] .cs-tl-halo").first.dispatch_event("click")
        page.evaluate(saved_page.SETTLED)
        assert "its past" in note.inner_text() and page.locator(".cs-tl-past").count()
        for what, node, event, expected in asked:
            page.evaluate("(event) => window.timeline.go(event)", event)
            page.get_by_label("message", exact=True).select_option(label=what)
            page.get_by_label("node", exact=True).select_option(label=names[node])
            page.get_by_role("button", name="by this moment?").click()
            assert page.locator(".cs-tl-answer").inner_text() == expected, (what, node, event)
    assert complaints == []


def answered(trace: Trace, packed: Packed) -> list[tuple[str, int, int, str]]:
    """Return questions at moments of the longest waits, as label, node, event, and the answer that Python gives then."""
    found = []
    question = Question(trace, 0)
    for key, answer in list(for_page(trace, packed).items())[:4]:
        name, _, node = key.rpartition(" ")
        what: Any = int(name[1:]) if name[0] == "#" else name[1:]
        label = next((f"{name} {one.text}" for one in packed.records if one.msg_no == what), what)
        for event, _, lit in answer["earlier"][:3]:
            told = str(question.why_not(what, int(node), packed.records[event].time))
            assert lit
            found.append((label, int(node), event, told))
    assert len({told for *_, told in found}) > 5
    first = next(event for event, one in enumerate(packed.records) if one.kind == "deliver" and one.msg_no == 1)
    text = packed.records[first].text
    said = next(event for event, one in enumerate(packed.records) if (one.kind, one.text) == ("submit", text))
    began, came, where = packed.records[said], packed.records[first], int(packed.records[first].node or 0)
    late = f"At 0.00 s nobody had said that yet: it is said at {began.time:.2f} s."
    soon = f"It was on its way. It is delivered there at {came.time:.2f} s, {1000 * (came.time - began.time):.0f} ms later."
    there = f"It was delivered there at {came.time:.2f} s."
    events = ((0, late), (said, soon), (first, there), (len(packed.records) - 1, there))
    return [*found, *((f"#1 {came.text}", where, event, told) for event, told in events)]


# --- the browser's half beside Python's -------------------------------------------------------------


BY_THE_WORLD = (
    "cut", "cut 1 |", "cut 1 | 3", "cut 3 -> 1", "cut 1 | 2 | 3", "reconnect 1,2 | 3", "everything", "lose * - *: 0.3", "lose 1 - 2: -",
    "lose 1 - ann: 1e-05", "slow 1 - 2: 0.1 + 0.2", "slow 1 - 2: . + e", "duplicate * - *: 0.0", "disk of node 1: full", "disk of node 77: odd",
    "clock of node 1: rate 1.05", "clock of node 1: rate e", "clock of node 1: full", "ambush: lead, 0.05 s after, for 2.0 s",
    "ambush: promise, e s after, for . s",
)  # fmt: skip
"""Reasons of records about what the world did, and such that no world of ours writes."""


def any_record(chance: random.Random, kind: str) -> Record:
    """Return a record of a kind whose columns are there or not, as it comes."""

    def perhaps(*values: Any) -> Any:
        return chance.choice((None, *values))

    tags = [str(one.__struct_config__.tag) for one in NODE_MESSAGES]
    reasons = [key.split("/")[1] for key in TEMPLATES if key.startswith(f"{kind}/") and not key.split("/")[1].isupper()]
    texts = ("", "hi", "é" * 80, "é" * 81, "😀" * 79 + "xy", "a [b] {c} $& <i>", "\u202eolleh\x07", "ß")
    return Record(
        chance.uniform(0, 9), kind, perhaps(1, 2, 3, 9, "ann", "ßeta"), chance.randrange(3), chance.randrange(4),
        chance.choice(("", "leader", "follower", "learner", *reasons)), peer=perhaps(1, 2, 3, 9, "ann", 77),
        message=perhaps(*tags, "ODD"), id=perhaps("1.1.1", "1.1.2", "2.1.1", "ann.1.1"), seq=perhaps(0, 1, 7),
        entry=perhaps("chat", "barrier", *reasons), entry_term=perhaps(0, 2), msg_no=perhaps(0, 4), reason=perhaps(*texts, *reasons, *reasons),
        text=perhaps(*texts), author=perhaps(*texts), client=perhaps("ann"), client_seq=perhaps(0, 1), room=perhaps("main"),
    )  # fmt: skip


def test_a_sentence_of_the_browser_is_the_sentence_of_python_for_every_template(
    js: Half, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatsys.teach.widgets.timeline.packing.find_rules", lambda trace, records: [])
    chance = random.Random("sentences")
    kinds = sorted({key.split("/")[0].split("@")[0].split("!")[0] for key in TEMPLATES} - {"what", ""}) + ["odd", ""]
    records = [any_record(chance, kind) for kind in kinds for _ in range(40)]
    records += [
        Record(9.0, kind, reason=reason) for kind in ("cut", "slow", "lose", "fault", "heal") for reason in BY_THE_WORLD
    ]
    packed = pack(Trace(records, {"where": "sim", "members": [1, 2, 3], "learners": [9], "quorum": 2}))
    js.take(packed)
    assert_said(js, packed)
    ways = Counter(key for one in packed.records for key in ways_of(one) if key in TEMPLATES)
    assert {key for key in TEMPLATES if not key.startswith("what/")} - {""} <= {*ways}, "every template had its turn"


def ways_of(record: Record) -> list[str]:
    """Return the templates that could be meant."""
    columns = (record.message, record.entry, record.reason, record.role)
    return [
        record.kind, "what", *(f"{record.kind}/{value}" for value in columns), f"{record.kind}@client",
        f"{record.kind}!message", f"{record.kind}!peer",
    ]  # fmt: skip


def assert_said(js: Half, packed: Packed) -> None:
    said = js.sentences()
    assert len(said) == len(packed.records)
    wrong = [
        (event, told, packed.sentence(event), packed.records[event])
        for event, told in enumerate(said)
        if told != packed.sentence(event)
    ]
    assert wrong == []


@pytest.mark.parametrize("seed", [12, 31])  # a learner, and what is doubled; turns that last
def test_sentences_and_moments_of_the_browser_are_those_of_python_forward_and_back(js: Half, seed: int) -> None:
    *_, world = played(seed)
    packed = pack(world.trace)
    js.take(packed)
    assert_said(js, packed)
    chance = random.Random(seed)
    events = [chance.randrange(len(packed.records)) for _ in range(60)]
    events += [event + step for event in events[:12] for step in (3, 2, 1, 0, 1) if event + 3 < len(packed.records)]
    held = [event for event, place in enumerate(packed.columns["held"].tolist()) if place >= 0]
    assert len(held) >= 3
    events += [event + step for event in held for step in (0, 5, 15, 40) if event + 40 < len(packed.records)]
    for event, states in zip(events, js.moments(events), strict=True):
        assert as_python_tells(states) == as_the_browser_tells(moment(packed, event)), event


def test_the_browser_fills_any_template_as_python_does(js: Half) -> None:
    chance = random.Random("templates")
    values = {"a": "1", "b": "", "c": "three", "d": ""}
    parts = ("{a}", "{b}", "{c}", "{d}", "[", "]", " and ", "$&", "[{a} or {b}]", "[{b}]", "[{c}]", "[none]")
    templates = ["".join(chance.choices(parts, k=6)) for _ in range(500)]
    filled = js.page.evaluate(
        "([templates, values]) => templates.map((one) => fill(one, (place) => values[place]))", [templates, values]
    )
    assert filled == [fill(one, values.__getitem__) for one in templates]


def test_a_queue_is_let_go_in_the_browser_as_in_python(js: Half) -> None:
    mine: dict[str, Any] = {"node": 1, "incarnation": 1, "term": 1, "role": "follower"}
    told = (
        ("hold", 4),
        ("hold", 9),
        ("hold", 6),
        ("append", 3),
        ("hold", 12),
        ("append", 5),
        ("follow", None),
        ("hold", 3),
    )
    records = [Record(1.0 + at, kind, **mine, peer=3, seq=seq, entry="chat") for at, (kind, seq) in enumerate(told)]
    packed = pack(Trace([Record(0.0, "start", **mine, seq=2), *records], {"members": [1, 2, 3]}))
    js.take(packed)
    events = [*range(len(packed.records)), *reversed(range(len(packed.records)))]
    found = [as_python_tells(states)[1] for states in js.moments(events)]
    assert found == [as_the_browser_tells(moment(packed, event))[1] for event in events]
    assert [one[4] for one in found[:9]] == [[], [4], [4, 9], [4, 6, 9], [6, 9], [6, 9, 12], [9, 12], [], [3]]


def test_a_frame_that_is_long_under_way_is_found_in_every_window_that_it_crosses(js: Half) -> None:
    frame: dict[str, Any] = {"peer": 2, "message": "JOIN", "id": "1.1.1"}
    beats = [Record(1.0 + turn / 1000, "durable", 3, 1, seq=1) for turn in range(1400)]
    sends = [Record(1.5005, "send", 1, 1, **{**frame, "id": "1.1.2"})]
    ends = [Record(4.0, "receive", 2, 1, **{**frame, "peer": 1, "id": name}) for name in ("1.1.1", "1.1.2")]
    packed = pack(Trace([Record(0.0, "send", 1, 1, **frame), *beats, *sends, *ends], {"members": [1, 2, 3]}))
    js.take(packed)
    windows = [(at, at + 40) for at in range(0, 1390, 45)]
    found = js.page.evaluate(
        """(windows) => {
            const scene = layScene(run, newView(run), 1000);
            return windows.map(([first, last]) => [...framesWithin(scene, first, last)].sort());
        }""",
        windows,
    )
    send = next(event for event, one in enumerate(packed.records) if one.id == "1.1.2")
    assert found == [[0, 1] if send < last else [0] for _, last in windows]


# --- a run that goes on -----------------------------------------------------------------------------


def grow(world: World, chance: random.Random, step: int) -> None:
    """Do something to a world, and let it go on."""
    if step == 20:
        world.join(9)
    if step % 8 == 5:
        world.crash(chance.choice(world.nodes))
    if step % 8 == 7:
        world.mend()
    if step == 30:
        world.partition({1}, {2, 3})
    world.say(f"line {step} é", author=("ann", "bob", "cem", "dan")[step // 13])
    world.run(chance.uniform(0.01, 0.4))


def test_a_run_that_goes_on_is_known_in_the_browser_as_it_is_in_python(js: Half) -> None:
    chance = random.Random("growing")
    world = World(11)
    shown = Timeline(world)
    news: list[tuple[Any, Any]] = []
    shown.send = lambda content, buffers=None: news.append((content, buffers))
    js.show(shown)
    for step in range(50):
        grow(world, chance, step)
        shown.refresh()
        if step == 15:  # a person shows what is hidden at first, and hides somebody
            for label in ("heartbeat", "bob"):
                js.page.locator(".cs-tl-filters").get_by_label(label, exact=True).evaluate("(box) => box.click()")
        if step == 17:
            news.clear()  # somebody missed it
            continue
        for content, buffers in news:
            js.hear(content, buffers)
        news.clear()
        if step == 18:
            assert js.page.evaluate("sent.at(-1)") == {"ask": "whole"}
            shown._receive(shown, js.page.evaluate("sent.at(-1)"), [])
            js.hear(*news.pop())
        assert js.sums() == sums(shown.packed.buffers()), f"after step {step}"
    packed = shown.packed
    assert {"learner", "client"} <= {lane["kind"] for lane in packed.about["lanes"]}
    assert_said(js, packed)
    events = [chance.randrange(len(packed.records)) for _ in range(30)]
    for event, states in zip(events, js.moments(events), strict=True):
        assert as_python_tells(states) == as_the_browser_tells(moment(packed, event)), event
    boxes = js.page.locator(".cs-tl-filters label")
    shown_now = {box.text_content(): box.locator("input").is_checked() for box in boxes.all()}
    assert {name for name, on in shown_now.items() if not on} == {"bob", "heartbeat ack", "links and members"}
    last = max(event for event in range(len(packed.records)) if is_shown(packed, event))
    assert js.page.locator(".cs-tl-stage").get_attribute("data-event") == str(last), "the cursor goes with the end"


def is_shown(packed: Packed, event: int) -> bool:
    """Tell whether an event is shown while bob, answers to heartbeats, and links and members are hidden."""
    record = packed.records[event]
    quiet = ("link_up", "link_down", "met", "accepted", "hint", "membership", "boot", "refuses")
    return record.kind not in quiet and record.message != "HEARTBEAT_ACK" and "bob" not in (record.node, record.peer)
