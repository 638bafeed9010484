"""Figures are pure functions of the trace: each says what happened, to the eye and in a sentence."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import made_up
import plotly.graph_objects as go
import plotly.io as pio
import pytest
from every_figure import EVERY, Draw
from kernels import kernel

from chatsys.errors import UsageError
from chatsys.mutants import schedules
from chatsys.sim.world import World
from chatsys.teach import figures
from chatsys.teach.figures import agreement, theme
from chatsys.teach.figures import latencies as journeys
from chatsys.teach.figures import role_spans as bands
from chatsys.trace import Record, Trace

HOSTILE = "<b>bold</b><a href='https://example.org'>x</a> $x^2$ %{x} <script>alert(1)</script>"


@pytest.mark.parametrize("draw", EVERY, ids=lambda draw: draw.__name__)
def test_a_figure_leaves_the_trace_as_it_was_and_is_the_same_each_time(draw: Draw) -> None:
    trace = made_up.fail_over()
    before = trace.encode()
    assert draw(trace).to_json() == draw(trace).to_json()
    assert trace.encode() == before


@pytest.mark.parametrize("draw", EVERY, ids=lambda draw: draw.__name__)
def test_a_figure_has_a_title_and_a_sentence_that_sums_it_up(draw: Draw) -> None:
    figure = draw(made_up.fail_over())
    assert figure.layout.title.text
    assert figures.describe(figure).endswith(".")
    assert figure.layout.title.subtitle.text.replace("<br>", " ") in theme.escape(figures.describe(figure))


@pytest.mark.parametrize("draw", EVERY, ids=lambda draw: draw.__name__)
def test_an_empty_trace_gives_a_figure_that_says_why_it_is_empty(draw: Draw) -> None:
    assert figures.describe(draw(Trace())).endswith(".")


def test_tens_of_thousands_of_records_stay_small_and_quick() -> None:
    trace = made_up.crowd()
    assert len(trace) > 30_000
    for draw in EVERY:
        began = time.process_time()
        size = len(draw(trace).to_json())
        assert size < 250_000, draw.__name__
        assert time.process_time() - began < 5, draw.__name__


@pytest.mark.parametrize("draw", EVERY, ids=lambda draw: draw.__name__)
def test_texts_of_users_are_shown_letter_by_letter(draw: Draw) -> None:
    h = made_up.History()
    h.become(0.1, 3, "leader", 1)
    h.say(0.5, HOSTILE, 3, 2, 1, author="<i>eve</i>")
    h.at(0.6, "suspect", 1, reason=HOSTILE)
    h.beat(0.7, 3, 1, 2)
    figure = draw(h.trace)
    figure.layout.meta = None  # the plain sentence, which nothing renders
    body = json.dumps(figure.to_plotly_json(), default=lambda value: value.tolist())
    for markup in ("<b>bold", "<a href", "<script", "<i>eve", "$x^2$", "%{x} "):
        assert markup not in body


def test_inert_keeps_every_script_and_fences_off_right_to_left_writing() -> None:
    assert theme.escape("naïve 中文 🙂") == "naïve 中文 🙂"
    assert theme.escape("مرحبا") == "\u2068مرحبا\u2069"
    assert theme.escape("a\x00b\n\u202ec") == "a␀b␊c"
    assert theme.escape("a long sentence", 8) == "a long…"


# --- roles ----------------------------------------------------------------------------------


def test_roles_shows_the_crash_the_election_and_the_recovery() -> None:
    figure = figures.roles(made_up.fail_over())
    drawn = {trace.name: trace for trace in figure.data}
    assert list(drawn["leader"].text) == ["leads term 1", "leads term 2"]
    assert list(drawn["begins to lead"].x) == [0.12, 7.9]
    assert list(drawn["crashes"].x) == [5.0]
    assert list(drawn["down"].x[:2]) == [5.0, 10.02]
    assert "node 2 led term 2 from 7.90 s" in figures.describe(figure)


def test_roles_differ_by_pattern_and_marks_by_shape() -> None:
    drawn = figures.roles(made_up.fail_over()).data
    patterns = [
        trace.marker.pattern.shape
        for trace in drawn
        if trace.type == "bar" and trace.name.split()[0] in {"nominating", "preparing"}
    ]
    signs = [trace.marker.symbol for trace in drawn if trace.type == "scatter" and trace.mode == "markers"]
    assert len(set(patterns)) == 2
    assert len(set(signs)) == len(signs) == 4


def test_roles_says_which_links_were_cut_and_when() -> None:
    figure = figures.roles(made_up.split_brain())
    assert [note.text for note in figure.layout.annotations] == ["cut 3 | 1,2"]


def test_a_cut_is_drawn_until_the_last_of_its_links_works_again() -> None:
    with World(seed=1) as world:
        world.run(1)
        world.partition({3}, {1, 2})
        world.run(1)
        world.reconnect(1, 3)
        world.run(1)
        world.reconnect(2, 3, one_way=True)
        world.run(1)
        assert [cut.end for cut in bands.story(world.trace).cuts] == [None]
        world.reconnect(2, 3)
        world.run(1)
        assert [(cut.start, cut.end) for cut in bands.story(world.trace).cuts] == [(1.0, 4.0)]


def test_two_leaders_of_one_term_are_called_split_brain() -> None:
    h = made_up.History()
    h.become(1.0, 3, "leader", 2)
    h.become(1.5, 2, "leader", 2)
    assert "Term 2 had more than one leader" in figures.describe(figures.roles(h.trace))


def test_bands_of_a_node_touch_and_never_overlap() -> None:
    found = bands.story(made_up.fail_over()).bands()
    for node in (1, 2, 3):
        mine = [band for band in found if band.node == node]
        assert all(a.end == b.start for a, b in zip(mine, mine[1:], strict=False))


def test_the_last_words_of_a_killed_node_do_not_bring_it_back() -> None:
    h = made_up.History()
    h.become(1.0, 3, "leader", 1)
    h.at(2.0, "crash", 3, role="")
    h.at(2.1, "receive", 3, message="Ack", peer=1)
    h.at(3.0, "receive", 2, message="Ack", peer=1)
    last = [band for band in bands.story(h.trace).bands() if band.node == 3][-1]
    assert (last.role, last.start, last.end) == (bands.DOWN, 2.0, 3.0)


def test_a_paused_node_takes_its_role_up_again() -> None:
    h = made_up.History()
    h.become(1.0, 3, "leader", 1)
    h.at(2.0, "pause", 3, role="")
    h.at(4.0, "resume", 3, role="")
    h.at(5.0, "receive", 3, message="Ack", peer=1)
    assert [band.role for band in bands.story(h.trace).bands()] == ["leader", "paused", "leader"]


def test_a_story_fed_in_pieces_is_the_same_story() -> None:
    trace, piecemeal = made_up.fail_over(), bands.RoleSpans()
    for record in trace:
        piecemeal.feed([record])
    assert piecemeal.bands() == bands.story(trace).bands()


# --- heartbeats -----------------------------------------------------------------------------


def test_heartbeats_measures_the_silence_before_a_suspicion() -> None:
    figure = figures.heartbeats(made_up.fail_over())
    assert [note.text for note in figure.layout.annotations] == ["3.34 s of silence"]
    assert "1 suspicion, the first by node 2 at 7.55 s" in figures.describe(figure)


def _of_node_2(*events: tuple[float, str, Mapping[str, object]]) -> Trace:
    """Node 2 hears leader 3 until 2 s; then come these events of node 2."""
    h = made_up.History()
    for moment in (1.0, 2.0):
        h.beat(moment, 3, 2)
    for when, kind, columns in events:
        h.at(when, kind, 2, **columns)
    return h.trace


def test_a_silence_begins_no_earlier_than_the_end_of_ones_own_leadership() -> None:
    lead, follow = {"role": "leader"}, {"role": "follower"}
    suspect = {"peer": 3, "reason": "nothing was heard of leader 3 for too long"}
    trace = _of_node_2((3.0, "role", lead), (8.0, "role", follow), (9.0, "suspect", suspect))
    assert [note.text for note in figures.heartbeats(trace).layout.annotations] == ["1.00 s of silence"]


def test_a_silence_counts_from_the_leader_that_is_suspected_and_from_this_life() -> None:
    suspect = {"peer": 1, "reason": "nothing was heard of leader 1 for too long"}
    followed = _of_node_2((4.0, "follow", {"peer": 1}), (6.5, "suspect", suspect))
    reborn = _of_node_2((5.0, "restart", {"role": ""}), (7.0, "suspect", {"peer": 3}))
    told = [[note.text for note in figures.heartbeats(trace).layout.annotations] for trace in (followed, reborn)]
    assert told == [["2.50 s of silence"], ["2.00 s of silence"]]


def test_a_broken_link_is_not_called_a_silence() -> None:
    figure = figures.heartbeats(_of_node_2((5.0, "suspect", {"peer": 3, "reason": "the link to leader 3 broke"})))
    assert not figure.layout.annotations
    assert {"silence", "suspects the leader"}.isdisjoint(trace.name for trace in figure.data)
    assert "suspects: the link broke" in [trace.name for trace in figure.data]


def test_taking_over_the_election_of_a_lower_node_is_no_suspicion() -> None:
    figure = figures.heartbeats(
        _of_node_2((5.0, "suspect", {"peer": 3, "reason": "node 1 is lower and nominated itself"}))
    )
    assert figures.describe(figure).endswith("no node suspected its leader.")
    assert "takes over an election" in [trace.name for trace in figure.data]


def test_a_client_that_crashes_is_no_node_that_crashes() -> None:
    trace = schedules.play("C9", flawed=True).trace
    assert {record.node for record in trace.of("crash")} == {1, 2, 3, "ann@3", "bob@2"}
    assert "3 crashes." in figures.describe(figures.roles(trace))
    assert len(next(one.x for one in figures.heartbeats(trace).data if one.name == "crashes")) == 3


# --- the delivery matrix -----------------------------------------------------------------------


def test_the_matrix_shows_what_came_back_after_a_restart() -> None:
    figure = figures.delivery_matrix(made_up.fail_over())
    assert [list(row) for row in figure.data[0].z] == [[1] * 7, [1] * 7, [1, 1, 1, 1, 2, 2, 1]]
    assert figure.data[0].text[2][4].startswith("↻")
    assert "same 7 messages, #1 to #7, without a gap" in figures.describe(figure)


def test_the_matrix_marks_a_difference_with_a_sign_and_names_the_number() -> None:
    figure = figures.delivery_matrix(made_up.split_brain())
    assert figure.data[0].text[0][1] == "≠ right"
    assert figures.describe(figure) == "The nodes do not agree: they delivered different messages at #2."


def test_a_message_delivered_twice_is_marked_and_told() -> None:
    h = made_up.History()
    h.say(1.0, "once", 1, 2, 3)
    pair = {
        name: getattr(h.trace.of("deliver")[0], name) for name in ("client", "client_seq", "author", "text", "room")
    }
    h.deliver(2.0, 2, 2, pair)
    figure = figures.delivery_matrix(h.trace)
    assert figure.data[0].text[1][1] == "×2 once"
    assert figures.describe(figure) == "'once' was delivered twice: at #1 and #2 on node 2."


def test_nodes_that_all_took_back_the_same_message_agree_with_each_other() -> None:
    figure = figures.delivery_matrix(schedules.play("C9", flawed=True).trace)
    assert {row[2] for row in figure.data[0].text} == {"≠ in memory only<br>→ after the dark"}
    assert figures.describe(figure) == (
        "The nodes agree with each other, but not with what they said before: each of them delivered "
        "'in memory only' at #3, and later 'after the dark'."
    )


def test_nodes_that_stopped_themselves_are_no_crashes() -> None:
    trace = schedules.play("C4", flawed=True).trace
    for draw in (figures.roles, figures.heartbeats):
        drawn = {one.name: one for one in draw(trace).data}
        assert (len(drawn["crashes"].x), len(drawn["stops itself"].x)) == (1, 2)
    assert figures.describe(figures.roles(trace)).endswith(" 1 crash. Node 1 and node 2 stopped themselves.")


def test_a_real_node_that_stopped_itself_is_down_from_then_on() -> None:
    h = made_up.History()
    h.become(0.1, 3, "leader", 1)
    h.at(2.0, "broken", 3, reason="The disk is full.")
    h.at(5.0, "send", 1, message="Heartbeat", peer=2)
    assert bands.story(h.trace).is_down(3)
    assert figures.describe(figures.roles(h.trace)).endswith("Node 3 stopped itself.")


def test_deliveries_out_of_order_are_told() -> None:
    h = made_up.History()
    h.say(1.0, "two", 1, 2, number=2)
    h.say(2.0, "one", 1, 2, number=1)
    assert figures.describe(figures.delivery_matrix(h.trace)).endswith("delivered #1 only after #2: out of order.")


def test_a_message_in_a_place_of_the_log_that_belongs_to_another_is_marked_and_told() -> None:
    figure = figures.delivery_matrix(schedules.play("Q23", flawed=True).trace)
    assert figure.data[0].text[0][3] == "≠ y"
    assert "node 1 delivered 'y' at #4, but this place" in figures.describe(figure)


@pytest.mark.parametrize("name", schedules.DIRECTED)
def test_the_matrix_finds_no_fault_where_the_checker_finds_none(name: str) -> None:
    assert agreement.Matrix.of(schedules.play(name).trace).faults() == []


def test_the_matrix_shows_a_gap() -> None:
    h = made_up.History()
    h.say(1.0, "one", 1, 2, 3)
    h.say(2.0, "two", 1, 3)
    figure = figures.delivery_matrix(h.trace)
    assert figure.data[0].text[1][1] == "–"
    assert figures.describe(figure).endswith("node 2 lacks 1.")


def test_a_number_that_nobody_delivered_is_called_a_gap() -> None:
    h = made_up.History()
    h.say(1.0, "one", 1, 2, 3)
    h.say(2.0, "three", 1, 2, 3, number=3)
    assert "#2 was never delivered" in figures.describe(figures.delivery_matrix(h.trace))


def test_a_long_matrix_turns_to_the_first_difference() -> None:
    trace = made_up.crowd(200)
    odd = next(record for record in trace if record.kind == "deliver" and record.msg_no == 90)
    trace.append(Record(time=99.0, kind="deliver", node=1, msg_no=90, text="something else", incarnation=1))
    figure = figures.delivery_matrix(trace)
    assert odd.msg_no in range(87, 127)
    assert list(figure.data[0].x)[:4] == ["#87", "#88", "#89", "#90"]


# --- latency and the log -----------------------------------------------------------------------


def test_latency_finds_the_message_that_waited_for_the_new_leader() -> None:
    trips = journeys.journeys(made_up.fail_over())
    slow = max(trips, key=lambda trip: (trip.acked or 0) - trip.submitted)
    assert slow.text == "who leads now?"
    assert "the slowest after 1.98 s" in figures.describe(figures.latency(made_up.fail_over()))


def test_the_log_has_a_row_for_each_message_that_claims_a_number() -> None:
    table = figures.log_table(made_up.split_brain()).data[0]
    cells = dict(zip(table.header["values"], table.cells["values"], strict=True))
    assert cells["#n"] == ["#1", "#2", "#2"]
    assert cells["node 1"] == ["0.53 s", "–", "5.12 s ≠"]


def test_the_log_tells_when_a_node_delivered_first_not_when_it_did_so_again_after_a_restart() -> None:
    table = figures.log_table(made_up.fail_over()).data[0]
    cells = dict(zip(table.header["values"], table.cells["values"], strict=True))
    assert cells["node 3"] == ["1.52 s", "2.52 s", "3.52 s", "4.52 s", "10.20 s ↻", "10.20 s ↻", "11.53 s"]


def test_a_long_log_says_how_many_rows_are_out_of_sight() -> None:
    assert figures.describe(figures.log_table(made_up.crowd(20))).endswith(" 8 more rows: scroll in the table.")


# --- the theme ---------------------------------------------------------------------------------


def test_figures_can_be_dark() -> None:
    try:
        figures.use("dark")
        assert figures.roles(made_up.fail_over()).layout.template.layout.paper_bgcolor == "#16181C"
    finally:
        figures.use("page")
    with pytest.raises(UsageError, match="page, light or dark"):
        figures.use("sepia")


def test_figures_need_no_network() -> None:
    bundle = figures.roles(made_up.fail_over())._repr_mimebundle_()
    assert pio.renderers.default == "chatsys"
    assert set(bundle) == {"application/vnd.plotly.v1+json", "text/plain"}


Settings = dict[str, Any]
"""The config of a figure: what plotly.js is told beside what to draw."""


def settings(bundle: Mapping[str, Any]) -> Settings:
    """Return the config of a figure that was shown."""
    config: Settings = bundle["application/vnd.plotly.v1+json"]["config"]
    return config


def ways_to_show(figure: Any, **own: Any) -> tuple[Settings, Settings, Settings, Settings]:
    """Return the config that `figure` has as a value, as a widget and in a page, and with `own` given to the last two."""
    written = figure.to_html(include_plotlyjs=False, **own)
    found = re.search(r"(\{[^{}]*\})\s*\)\s*[;}]", written)
    assert found is not None
    in_page = json.loads(found.group(1))
    by_renderer = pio.renderers._build_mime_bundle(figure.to_dict(), renderers_string="plotly_mimetype", **own)
    return settings(figure._repr_mimebundle_()), go.FigureWidget(figure)._config, in_page, settings(by_renderer)


def test_no_figure_has_a_bar_of_buttons_or_an_address_to_upload_to() -> None:
    quiet = {"displayModeBar": False, "displaylogo": False, "showSendToCloud": False, "plotlyServerURL": ""}
    for config in ways_to_show(figures.roles(made_up.fail_over())):
        assert {"plotlyServerURL": "", **config} | quiet == {"plotlyServerURL": "", **config}


def test_who_wants_the_bar_gets_it_without_the_button_that_uploads() -> None:
    try:
        figures.use(modebar=True)
        figures.use("light")
        for config in ways_to_show(figures.roles(made_up.fail_over())):
            assert config["displayModeBar"] is True
            assert (config["showSendToCloud"], config.get("plotlyServerURL", "")) == (False, "")
    finally:
        figures.use("page", modebar=False)
    no_bool: Any = "yes"
    with pytest.raises(UsageError, match="modebar is 'yes'; write True or False"):
        figures.use(modebar=no_bool)


def test_a_config_of_ones_own_wins_over_ours_but_brings_no_upload() -> None:
    own = {"displayModeBar": True, "scrollZoom": True, "showSendToCloud": True}
    *_, in_page, by_renderer = ways_to_show(figures.roles(made_up.fail_over()), config=own)
    for config in (in_page, by_renderer):
        assert (config["displayModeBar"], config["scrollZoom"], config["showSendToCloud"]) == (True, True, False)


def in_fresh_python(code: str) -> str:
    """Run `code` in a new Python and return what it printed."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_a_figure_loads_no_validator_of_notebooks_and_hides_it_from_nobody() -> None:
    code = """
import sys, chatsys as cs
figure = cs.roles(cs.World(seed=1).trace)
print(sorted({"nbformat", "jsonschema", "rfc3987_syntax"} & set(sys.modules)))
import nbformat, plotly.optional_imports as optional
from plotly.io import _renderers
print(nbformat.v4.new_notebook().nbformat, optional.get_module("nbformat") is nbformat)
print(_renderers.nbformat.__version__ == nbformat.__version__, _renderers.nbformat.v4 is nbformat.v4)
print([name for name, module in sys.modules.items() if name.startswith("plotly")
       and getattr(vars(module).get("get_module"), "__module__", "") == "chatsys.teach.figures.drawing"])
"""
    assert in_fresh_python(code).splitlines() == ["[]", "4 True", "True True", "[]"]


def test_figures_come_out_the_same_when_other_libraries_were_there_before() -> None:
    code = """
import nbformat, plotly.io._renderers, plotly.express, chatsys as cs
shown = cs.roles(cs.World(seed=1).trace)._repr_mimebundle_()
print(shown["application/vnd.plotly.v1+json"]["config"]["showSendToCloud"])
"""
    assert in_fresh_python(code) == "False"


@pytest.mark.slow
def test_a_kernel_that_shows_a_figure_loads_no_validator_of_notebooks() -> None:
    with kernel() as cells:
        cells.run("import chatsys as cs; figure = cs.roles(cs.World(seed=1).trace)")
        for show in ("figure", "figure.show()", "display(figure)"):
            cells.run(show)
            assert settings(cells.shown[0])["displayModeBar"] is False, show
        assert cells.value("'rfc3987_syntax' in __import__('sys').modules") == "False"


def test_a_figure_that_cannot_be_drawn_is_read_as_its_sentence() -> None:
    figure = figures.roles(made_up.fail_over())
    assert figure._repr_mimebundle_()["text/plain"] == f"Roles and terms: {figures.describe(figure)}"
    assert go.Figure()._repr_mimebundle_()["text/plain"] == "A figure."
