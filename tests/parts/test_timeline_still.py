"""The still: a picture of the part of a run that one wants to see, with a text beside it."""

import re
from xml.etree import ElementTree

import pytest

from chatsys.errors import UsageError
from chatsys.teach.widgets.timeline.excerpt import ROOM, choose
from chatsys.teach.widgets.timeline.packing import Packed, pack
from chatsys.teach.widgets.timeline.still import still
from chatsys.trace import Record, Trace

META = {"where": "sim", "seed": 7, "members": [1, 2], "quorum": 2}
NAME = "{http://www.w3.org/2000/svg}"


def run(text: str = "hi", late: float = 0.0) -> Packed:
    """Return a run in which node 2 sends an entry to node 1 twice, once in vain, and node 1 delivers it."""
    at = 10.0 + late
    return pack(Trace([
        Record(0.0, "start", 1, 1, 1, "follower"), Record(0.0, "start", 2, 1, 1, "leader"),
        Record(1.0, "cut", reason="cut 1 | 2"),
        Record(1.1, "send", 2, 1, 1, "leader", peer=1, message="PROPOSE", id="2.1.1", seq=1),
        Record(1.1, "drop", 2, 1, 1, "leader", peer=1, message="PROPOSE", id="2.1.1", seq=1, reason="cut"),
        Record(2.0, "heal", reason="all cuts"),
        Record(at, "send", 2, 1, 1, "leader", peer=1, message="PROPOSE", id="2.1.2", seq=1),
        Record(at + 0.01, "receive", 1, 1, 1, "follower", peer=2, message="PROPOSE", id="2.1.2", seq=1),
        Record(at + 0.01, "append", 1, 1, 1, "follower", seq=1, entry_term=1, entry="chat", text=text),
        Record(at + 0.02, "commit", 1, 1, 1, "follower", seq=1, verified=1),
        Record(at + 0.02, "deliver", 1, 1, 1, "follower", seq=1, msg_no=1, text=text, author="ann"),
        Record(at + 1.0, "crash", 2, 1),
    ], META))  # fmt: skip


def groups(svg: str, name: str) -> list[dict[str, str]]:
    """Return the `data-` attributes of everything of a class."""
    found = ElementTree.fromstring(svg).iter()
    return [
        {key.removeprefix("data-"): value for key, value in one.attrib.items() if key.startswith("data-")}
        for one in found
        if name in one.get("class", "").split() and any(key.startswith("data-") for key in one.attrib)
    ]


def test_arrows_signs_faults_bands_and_boxes_are_there_as_the_trace_tells_them() -> None:
    svg = still(run())
    assert groups(svg, "arrow") == [
        {
            "frame": "0",
            "id": "2.1.1",
            "message": "PROPOSE",
            "fate": "2",
            "send": "3",
            "receive": "4",
            "from": "2",
            "to": "1",
        },
        {
            "frame": "1",
            "id": "2.1.2",
            "message": "PROPOSE",
            "fate": "1",
            "send": "6",
            "receive": "7",
            "from": "2",
            "to": "1",
        },
    ]
    assert [one["kind"] for one in groups(svg, "sign")] == ["start", "start", "append", "commit", "deliver", "crash"]
    assert groups(svg, "fault") == [
        {"kind": "cut", "node": node, "from": "1.0", "to": "2.0"} for node in ("1", "2")
    ]  # fmt: skip
    assert [(one["node"], one["what"]) for one in groups(svg, "band")] == [("1", "follows"), ("2", "leads")]
    assert groups(svg, "box") == [{"node": "1", "seq": "1", "durable": "false", "committed": "true", "entry-term": "1"}]


def test_who_does_not_see_it_is_told_what_it_shows() -> None:
    root = ElementTree.fromstring(still(run()))
    assert root.get("role") == "img" and root.get("aria-labelledby") == "still-title still-desc"
    title, told = root.find(f"{NAME}title"), root.find(f"{NAME}desc")
    assert title is not None and title.text == "A run of 2 nodes in the simulator, seed 7"
    assert told is not None and told.text is not None
    assert "At 10.02 s: Node 1 delivers message #1, “hi” of ann; it stands at place 1 of the log." in told.text
    assert "At 11.01 s" not in told.text and "At 11.00 s: Node 2 crashes." in told.text


def test_a_text_of_a_user_is_a_text_and_nothing_else() -> None:
    svg = still(run("</text><script>alert(1)</script>"))
    assert "<script" not in svg and ElementTree.fromstring(svg) is not None
    assert not re.search(r"(?:href|src|url)\s*[=(]\s*[\"']?(?!#)http", svg), "nothing comes from outside"


def test_a_long_run_is_cut_to_what_is_most_worth_seeing() -> None:
    quiet = [Record(n / 10, "pause" if n % 2 else "resume", 1) for n in range(500)]
    around = choose(pack(Trace([*quiet, Record(25.05, "crash", 2)], META)))
    assert around.why == "around the first crash" and 251 in around.place and max(around.at) <= ROOM
    end = choose(pack(Trace(quiet, META)))
    assert end.why == "up to its end" and 499 in end.place and 0 not in end.place
    assert 100 in choose(pack(Trace(quiet, META)), 100).place


@pytest.mark.parametrize(("event", "theme", "sentence"), [
    (None, "pink", "There is no theme 'pink'; write auto, light or dark."),
    (12, "auto", "There is no event 12; this run has 12, from 0 on."),
])  # fmt: skip
def test_what_cannot_be_drawn_gets_a_sentence(event: int | None, theme: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=re.escape(sentence)):
        still(run(), event, theme)


def test_light_and_dark_are_the_readers_choice_or_the_callers() -> None:
    assert "prefers-color-scheme:dark" in still(run()) and "prefers-color-scheme" not in still(run(), theme="dark")


def test_an_empty_run_is_a_picture_too() -> None:
    assert "It has no event to draw." in still(pack(Trace()))
