"""The figures of how fast: what a bench measured as a curve, and where the time of one message goes."""

from statistics import median

import pytest

from chatsys import World
from chatsys.teach.figures import describe
from chatsys.teach.figures.speeds import curve, journey_of_one, moments

LINES = [{"outstanding": many, "rate_per_second": rate} for many, rate in ((64, 16000), (1, 500), (1024, 25000))]


@pytest.fixture(scope="module")
def world() -> World:
    """A chat in which five messages were said one at a time."""
    made = World(seed=1)
    made.run(3)
    for number in range(5):
        made.say(f"message {number}", node=3)
        made.run(0.5)
    return made


def test_a_curve_goes_through_the_points_in_the_order_of_its_axis() -> None:
    figure = curve(LINES, across="outstanding", of="rate_per_second")
    (line,) = figure.data
    assert (line.x, line.y, line.text) == ((1, 64, 1024), (500, 16000, 25000), ("500", "16,000", "25,000"))
    assert figure.layout.xaxis.type == "log" and figure.layout.yaxis.range[0] == 0
    assert "500 at 1, 25,000 at 1,024 messages under way" in describe(figure)


@pytest.mark.parametrize(
    ("rates", "places"),
    [((1, 2, 3), "top left"), ((3, 2, 1), "top right"), ((1, 3, 2), "top center"), ((3, 1, 2), "top center")],
)
def test_the_number_of_a_point_stands_where_the_line_is_not(rates: tuple[int, ...], places: str) -> None:
    figure = curve(
        [{"nodes": at, "rate_per_second": rate} for at, rate in enumerate(rates)], "nodes", "rate_per_second"
    )
    assert figure.data[0].textposition == ("top center", places, "top center")


def test_of_nothing_a_figure_says_so(world: World) -> None:
    assert "Nothing was measured yet." in describe(curve([], across="nodes", of="rate_per_second"))
    assert "No message was said" in describe(journey_of_one(World(seed=1).trace))


def test_each_message_is_followed_from_its_author_to_the_quorum_and_back(world: World) -> None:
    found = moments(world.trace)
    assert len(found) == 5
    for one in found:
        assert one["submit"] == 0.0 < one["reach"] <= one["append"] < one["stored"]
        assert one["append"] < one["arrived"] < one["copied"] < one["commit"] < one["ack"]
    said, acks = ({one.client_seq: one.time for one in world.trace.of(kind)} for kind in ("submit", "ack"))
    assert [one["ack"] for one in found] == pytest.approx([acks[number] - said[number] for number in acks])


def test_the_bars_of_one_message_are_medians_and_the_two_disks_work_beside_each_other(world: World) -> None:
    figure, found = journey_of_one(world.trace), moments(world.trace)
    bars = {bar.hovertemplate.split(":")[0]: (bar.base[0], bar.x[0]) for bar in figure.data}
    middle = {name: median(one[name] for one in found) * 1000 for name in found[0]}
    assert bars["syncs it"] == pytest.approx((middle["append"], middle["stored"] - middle["append"]))
    assert bars["the follower syncs it"] == pytest.approx((middle["arrived"], middle["copied"] - middle["arrived"]))
    assert sum(bars["back to the author"]) == pytest.approx(middle["ack"])
    assert f"took less than {middle['ack']:.2f} ms" in describe(figure)
