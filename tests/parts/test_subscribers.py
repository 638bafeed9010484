"""Listeners: what is new goes out at once, the past in turn and with pauses, and nobody is sent more than its credit."""

import pytest

from chatsys.actor.effects import Send
from chatsys.config import Limits
from chatsys.protocol.messages import Delivered, Subscribe
from chatsys.protocol.public import Heard
from chatsys.protocol.serving.subscribers import CREDIT, PAST, Subscribers

pytestmark = pytest.mark.quick


def shown(number: int, room: str | None) -> tuple[Heard, int]:
    return Heard(number, "main", "ann", "hello"), 100


def pushed(one: Subscribers, last: int) -> dict[object, tuple[int, int]]:
    """Push once; return for each link the first and the last number that it was sent."""
    effects, _ = one.push(last, shown, 3)
    found: dict[object, tuple[int, int]] = {}
    for effect in effects:
        assert isinstance(effect, Send) and isinstance(effect.message, Delivered)
        assert effect.message.numbers, "nobody is told anew who leads"
        found[effect.to] = effect.message.numbers[0], effect.message.numbers[-1]
    return found


def test_of_the_past_a_frame_goes_out_and_then_nothing_until_the_pause_is_over() -> None:
    one = Subscribers(Limits())
    one.take("ann", Subscribe(), 9999)
    assert pushed(one, 2000) == {"ann": (1, PAST)}
    assert pushed(one, 2001) == pushed(one, 2002) == {}, "however many turns there are meanwhile"
    one.go_on()
    assert pushed(one, 2002) == {"ann": (PAST + 1, 2 * PAST)}


def test_whoever_was_left_behind_by_a_burst_waits_for_no_turn() -> None:
    """Twenty listeners waited for turns after 200 messages at once, and at 1,000 a second were never level again."""
    one = Subscribers(Limits())
    links = [f"client {number}" for number in range(20)]
    for link in links:
        one.take(link, Subscribe(), 0)
    assert pushed(one, 200) == dict.fromkeys(links, (1, PAST))
    assert pushed(one, 210) == dict.fromkeys(links, (PAST + 1, 210))
    _, more = one.push(210, shown, 3)
    assert not more and not one.behind


def test_whoever_lacks_the_past_gets_it_in_turn_and_whoever_is_level_waits_for_nobody() -> None:
    one = Subscribers(Limits())
    for link in ("ann", 4):
        one.take(link, Subscribe(), 9999)
    one.take("eve", Subscribe(2000), 9999)
    assert pushed(one, 2001) == {"ann": (1, PAST), 4: (1, PAST), "eve": (2001, 2001)}
    for link in ("ann", 4, "ann"):
        one.go_on()
        assert set(pushed(one, 2001)) == {link}
    assert pushed(one, 2002) == {"eve": (2002, 2002)}


@pytest.mark.parametrize(("listeners", "at_a_time"), [(7, 1), (8, 2), (20, 3), (100, 4)])
def test_the_more_lack_the_past_the_more_of_them_are_served_at_a_time_up_to_a_bound(
    listeners: int, at_a_time: int
) -> None:
    """With one at a time a hundred of them got 128 messages a second each, less than may be new in that second."""
    one = Subscribers(Limits())
    links = [f"client {number}" for number in range(listeners)]
    for link in links:
        one.take(link, Subscribe(), 9999)
    assert len(pushed(one, 9999)) == listeners
    one.go_on()
    assert pushed(one, 9999) == dict.fromkeys(links[:at_a_time], (PAST + 1, 2 * PAST))
    one.go_on()
    assert list(pushed(one, 9999)) == [*links, *links][at_a_time : 2 * at_a_time]


def test_a_listener_that_confirms_nothing_is_sent_its_credit_and_keeps_nobody_waiting() -> None:
    one = Subscribers(Limits())
    one.take("deaf", Subscribe(), 9999)
    for _ in range(CREDIT // PAST):
        last = pushed(one, 9999)["deaf"][1]
        one.go_on()
    assert last == CREDIT and pushed(one, 9999) == {} and not one.behind
    one.take("deaf", Subscribe(CREDIT), 9999)
    assert pushed(one, 9999) == {"deaf": (CREDIT + 1, CREDIT + PAST)}
    one.forget("deaf")
    assert not one.behind and pushed(one, 9999) == {}


def test_who_leads_is_told_at_once_also_to_whoever_waits_for_the_past() -> None:
    one = Subscribers(Limits())
    one.take("ann", Subscribe(), 9999)
    assert pushed(one, 2000) == {"ann": (1, PAST)}
    effects, more = one.push(2000, shown, 2)
    assert [(effect.message.entries, effect.message.leader) for effect in effects] == [((), 2)] and more
