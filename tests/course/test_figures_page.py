"""How figures stand on a page: dark or light by themselves, narrow or wide, and no sign hides another."""

import json
import math
from typing import Any

import made_up
import plotly.graph_objects as go
import pytest
from every_figure import EVERY, Draw

from chatsys.teach import figures
from chatsys.teach.figures import marks, page, theme

WIDE = theme.PLOT
"""Pixels of the plot on the narrowest page that figures are laid out for."""


# --- narrow pages, and signs at one instant ---


@pytest.mark.parametrize(
    "draw", [figures.roles, figures.term_bands, figures.heartbeats], ids=lambda draw: draw.__name__
)
def test_no_mark_hides_another_that_was_made_at_the_same_instant(draw: Draw) -> None:
    h = made_up.History()
    h.beat(0.1, 3, 1, 2)
    for kind in ("suspect", "lead", "crash"):
        h.at(5.0, kind, 2, reason="nothing was heard of leader 3 for too long")
    h.at(5.2, "restart", 2, role="")
    h.at(10.0, "receive", 1, message="Ack", peer=3)
    figure = draw(h.trace)
    names = {word for *_, word in marks.MARKS.values()}
    placed = [(x, y) for one in figure.data if one.name in names for x, y in zip(one.x, one.y, strict=True)]
    rows = len(h.nodes)
    high = (figure.layout.height - figure.layout.margin.t - figure.layout.margin.b) / rows
    assert len(placed) >= 3
    for place, (x, y) in enumerate(placed):
        for other_x, other_y in placed[place + 1 :]:
            assert max(abs(x - other_x) * WIDE / 10, abs(y - other_y) * high) >= marks.SIZE - 1


def test_the_legend_has_every_role_that_is_drawn_and_the_leader_first() -> None:
    names = [one.name for one in figures.roles(made_up.fail_over()).data if one.type == "bar" and one.showlegend]
    assert names == ["leader", "follower", "nominating (asks all)", "preparing (takes over)"]


def test_a_number_that_stands_alone_on_a_band_is_explained_and_stands_on_no_pattern() -> None:
    h = made_up.History()
    h.become(0.1, 3, "leader", 1)
    for moment, role in ((10.0, "nominating"), (10.6, "follower"), (11.2, "leader")):
        h.become(moment, 2, role, 2)
    h.at(20.0, "receive", 1, message="Ack", peer=3)
    drawn = {one.name: one for one in figures.roles(h.trace).data}
    assert list(drawn["nominating (asks all)"].text) == [""] and list(drawn["follower"].text) == ["2"]
    assert "2: term 2" in drawn
    assert not any(": term" in one.name for one in figures.roles(made_up.fail_over()).data)


@pytest.mark.parametrize("messages", [1, 3, 4, 5, 9, 26, 27, 40])
def test_a_text_in_a_cell_is_never_wider_than_its_cell_on_a_narrow_page(messages: int) -> None:
    h = made_up.History()
    for number in range(messages):
        h.say(1.0 + number, "a message that is much longer than its cell", 1, 2, 3)
    h.deliver(99.0, 1, messages, {"text": "something else, and quite long", "client": "x", "client_seq": 1})
    figure = figures.delivery_matrix(h.trace)
    lines = [line for row in figure.data[0].text for cell in row for line in cell.split("<br>")]
    assert max(map(len, lines)) * theme.LETTER <= WIDE / messages or set(lines) <= {"✓", "≠"}
    if 4 < messages <= 26:
        (told, *_) = figure.layout.xaxis.ticktext
        assert told.startswith("#1 a message t"), "the text stands once, under its column"
        to_the_left = len(told) * 6.6 * math.cos(math.radians(50))
        assert to_the_left < 70 + WIDE / messages / 2, "and it is not cut at the left edge"


def test_a_cell_shows_its_whole_text_in_a_few_lines_and_its_row_is_as_high() -> None:
    h = made_up.History()
    h.say(1.0, "hello", 1, 2, 3)
    flat = figures.delivery_matrix(h.trace)
    h.say(2.0, "I am with the old leader", 3)
    h.deliver(9.0, 3, 2, {"text": "we have a new leader", "client": "x", "client_seq": 1})
    h.say(9.0, "and so am I", 1, 2, number=3)
    high = figures.delivery_matrix(h.trace)
    changed = high.data[0].text[2][1].replace("<br>", " ")
    assert changed == "≠ I am with the old leader → we have a new leader"
    assert high.layout.height >= flat.layout.height + 60


def test_a_number_with_messages_of_two_terms_says_so() -> None:
    figure = figures.delivery_matrix(made_up.split_brain())
    assert [note.text for note in figure.layout.annotations[:2]] == ["term 1", "terms 1 and 2"]


def test_a_sentence_is_broken_into_lines_of_one_length_and_never_before_a_unit() -> None:
    lines = theme.lines_of("Node 3 led term 1 from 0.05 s, then node 2 led term 2 from 4.11 s. 1 crash.")
    assert lines == ["Node 3 led term 1 from 0.05 s, then", "node 2 led term 2 from 4.11 s. 1 crash."]
    assert theme.lines_of("Short.") == ["Short."]


def test_latency_has_a_bar_for_each_message_and_one_inside_it_for_the_ok() -> None:
    figure = figures.latency(made_up.fail_over())
    every, ok = figure.data
    assert (every.name, ok.name) == ("delivered by the last node (all)", "acknowledged to its author (ok)")
    assert [round(value, 3) for value in (ok.x[4], every.x[4])] == [1.983, 4.2] and ok.width < every.width
    assert figure.layout.yaxis.ticktext[4] == "#5 who leads now?"
    assert figure.layout.annotations[4].text == "ok 1.98 s, all 4.20 s"


def test_a_message_without_an_ok_has_a_bar_of_its_own_kind_until_the_end() -> None:
    h = made_up.History()
    h.say(1.0, "lost", took=0.0)
    h.at(4.0, "receive", 1, message="Ack", peer=3)
    figure = figures.latency(h.trace)
    assert [(one.name, list(one.x)) for one in figure.data] == [("no ok", [3.0])]
    assert (figure.layout.yaxis.ticktext, figure.layout.annotations[0].text) == (("#– lost",), "no ok")


def test_two_hundred_messages_stand_side_by_side_and_more_say_that_they_are_the_last() -> None:
    figure = figures.latency(made_up.crowd(200))
    line, ok = figure.data
    assert (line.mode, ok.orientation, len(ok.x), len(line.x)) == ("lines", "v", 200, 200)
    assert figures.describe(figures.latency(made_up.crowd(201))).endswith(" The last 200 are drawn.")


# --- light and dark ---


def shown(figure: Any) -> Any:
    """Return what a page is given of this figure."""
    return figure._repr_mimebundle_()["application/vnd.plotly.v1+json"]


@pytest.mark.parametrize("draw", EVERY, ids=lambda draw: draw.__name__)
def test_a_shown_figure_has_no_ground_and_each_text_on_it_asks_the_page_for_its_ink(draw: Draw) -> None:
    figure = draw(made_up.fail_over())
    before = figure.to_json()
    given = shown(figure)
    assert figure.to_json() == before and page.INK not in before
    layout = given["layout"]
    ground = layout["template"]["layout"]
    assert (ground["paper_bgcolor"], ground["plot_bgcolor"]) == (page.CLEAR, page.CLEAR)
    texts = [layout["title"]["text"], layout["title"]["subtitle"]["text"]]
    texts += [note["text"] for note in layout.get("annotations", ())]
    texts += [one["name"] for one in given["data"] if one.get("name") and one.get("showlegend") is not False]
    for axis in (layout.get("xaxis", {}), layout.get("yaxis", {})):
        texts += axis.get("ticktext", [ground["xaxis"]["tickprefix"]])
        texts += [axis["title"]["text"]] if "title" in axis else []
    assert [text for text in texts if page.INK not in text] == []


def test_a_text_on_a_bar_or_in_a_cell_keeps_its_own_ink() -> None:
    for draw in (figures.roles, figures.delivery_matrix):
        written = [one["text"] for one in shown(draw(made_up.fail_over()))["data"] if "text" in one]
        assert written and page.INK not in json.dumps(written)


def test_places_that_somebody_chose_on_an_axis_have_ink_too() -> None:
    figure = go.Figure(layout={"xaxis": {"tickvals": [1, 2.5]}, "yaxis": {"tickprefix": "£"}})
    layout = shown(figure)["layout"]
    assert layout["xaxis"]["ticktext"] == [f"{page.OPEN}{one}{page.CLOSE}" for one in ("1", "2.5")]
    assert layout["yaxis"]["tickprefix"] == f"{page.OPEN}£"


def test_who_chooses_light_or_dark_gets_it_whatever_the_page_is() -> None:
    try:
        for name, ground in (("light", "#FFFFFF"), ("dark", "#16181C")):
            figures.use(name)
            given = shown(figures.roles(made_up.fail_over()))
            assert page.INK not in json.dumps(given)
            assert given["layout"]["template"]["layout"]["paper_bgcolor"] == ground
    finally:
        figures.use("page")
    assert page.INK in json.dumps(shown(figures.roles(made_up.fail_over())))


def test_a_legend_gets_the_lines_that_it_takes_beside_long_names() -> None:
    def drawn(name: str, entry: str) -> int:
        figure = go.Figure([go.Scatter(x=[0], y=[0], name=entry + sign, showlegend=True) for sign in "abcdef"])
        figure.update_yaxes(tickvals=[0], ticktext=[name])
        height: int = theme.finish(figure, "Who", "Nobody.", 100).layout.height
        return height

    entry = "nominating (asks all)"
    short, long = drawn("node 1", entry), drawn("node 1<br><b>down, 1 of 2 times</b>", entry)
    assert long - short == 3 * 20, "one column instead of two"
    assert drawn("node 1<br><b>down</b>", entry) == short, "a name in two lines is as wide as its longer one"
    assert short - drawn("node 1", "up") == 2 * 20, "short entries stand in one line"
