"""The inbox: whoever floods waits, and nobody waits long for him."""

import pytest

from chatsys.actor.inbox import CLIENT_BYTES, CLIENT_FRAMES, LIGHT, LIGHT_ONES, QUANTUM, FairInbox


def put(inbox: FairInbox[str], client: str, frames: int, size: int = 10) -> None:
    for number in range(frames):
        inbox.put(client, [f"{client}{number}"], [size])


@pytest.mark.parametrize("links", [0, 1, 3, 8, 100])
def test_beside_so_many_links_that_flood_a_frame_is_served_within_links_plus_one_turns(links: int) -> None:
    """Even if a turn has time for one quantum only, and whoever was served fills up again at once."""
    inbox: FairInbox[str] = FairInbox()
    for flooder in range(links):
        put(inbox, f"flood{flooder}.", CLIENT_FRAMES)
    inbox.put("ann", ["hello"], [10])
    for _turn in range(links + 1):
        served = inbox.quantum()
        if "hello" in served:
            break
        assert len(served) == QUANTUM
        put(inbox, served[0].partition(".")[0] + ".", QUANTUM)
    assert served == ["hello"]


def test_what_one_client_says_comes_out_in_its_order_and_all_of_it() -> None:
    inbox: FairInbox[str] = FairInbox()
    put(inbox, "a", 50)
    put(inbox, "b", 20)
    served: list[str] = []
    while some := inbox.quantum():
        served += some
    assert [one for one in served if one[0] == "a"] == [f"a{n}" for n in range(50)]
    assert [one for one in served if one[0] == "b"] == [f"b{n}" for n in range(20)]
    assert served.index(f"b{QUANTUM - 1}") < served.index(f"a{QUANTUM}") and not inbox


def test_this_end_and_members_go_before_clients_in_the_order_in_which_they_came() -> None:
    inbox: FairInbox[str] = FairInbox()
    put(inbox, "a", 3)
    inbox.put(2, ["ack"], [10])
    inbox.put_own("sync")
    inbox.put(3, ["beat"], [10])
    assert inbox.at_hand() == ["sync", "ack", "beat"] and inbox.at_hand() == []
    assert inbox.quantum() == ["a0", "a1", "a2"]


@pytest.mark.parametrize(("frames", "size"), [(CLIENT_FRAMES, 1), (2, CLIENT_BYTES // 2)])
def test_a_full_queue_is_named_once_when_there_is_room_again(frames: int, size: int) -> None:
    inbox: FairInbox[str] = FairInbox()
    put(inbox, "a", frames - 1, size)
    assert not inbox.is_full("a")
    inbox.put("a", ["last"], [size])
    assert inbox.is_full("a") and inbox.relieved() == []
    inbox.quantum()
    assert inbox.relieved() == ["a"] and inbox.relieved() == []


def test_whoever_says_little_is_served_in_the_next_turn_and_whoever_floods_is_not_taken_for_one() -> None:
    inbox: FairInbox[str] = FairInbox()
    put(inbox, "flood", CLIENT_FRAMES)
    put(inbox, "ann", LIGHT)
    put(inbox, "burst", LIGHT + 1)
    assert inbox.is_urgent and inbox.light() == [f"ann{number}" for number in range(LIGHT)]
    assert not inbox.is_urgent and inbox.light() == []
    while len(inbox) > 1:
        inbox.quantum()
        assert inbox.light() == [], "what is left of a flood is no light load"
    inbox.quantum()
    put(inbox, "flood", 1)
    assert inbox.light() == ["flood0"], "whoever has stopped flooding is like anybody else"


def test_many_who_say_little_are_served_in_their_order_and_not_all_in_one_turn() -> None:
    inbox: FairInbox[str] = FairInbox()
    for number in range(LIGHT_ONES + 2):
        put(inbox, f"c{number}.", 1)
    assert inbox.light() == [f"c{number}.0" for number in range(LIGHT_ONES)]
    assert inbox.light() == [f"c{LIGHT_ONES}.0", f"c{LIGHT_ONES + 1}.0"] and not inbox


def test_of_a_client_that_is_gone_nothing_waits() -> None:
    inbox: FairInbox[str] = FairInbox()
    put(inbox, "a", CLIENT_FRAMES)
    assert inbox.is_full("a") and inbox.forget("a") == CLIENT_FRAMES
    assert not inbox and not inbox.is_full("a") and inbox.relieved() == [] and inbox.forget("a") == 0
