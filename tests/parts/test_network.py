"""The imaginary network: which frames arrive, how late, and what a link tells."""

from random import Random

import pytest
from pingpong import PingPong

from chatsys.errors import ConfigError
from chatsys.sim.network import Conditions, Network
from chatsys.sim.world import World

EXACT = Conditions(shortest=0.01, longest=0.01, tail=0.0, in_order=False)


def network(conditions: Conditions = EXACT, seed: int = 1) -> Network:
    return Network(Random(seed), conditions)


def world(seed: int = 1, **options: object) -> World:
    return World(seed, actor=PingPong, **options)  # type: ignore[arg-type]


def fates(net: Network, sender: int, receiver: int, count: int = 1000) -> list[tuple[float, ...] | str]:
    return [net.arrivals(sender, receiver, 0.0) for _ in range(count)]


def test_a_frame_takes_a_time_between_the_shortest_and_the_longest() -> None:
    net = network(Conditions(shortest=0.002, longest=0.004, tail=0.0, in_order=False))
    delays = [delay for fate in fates(net, 1, 2) for delay in fate]
    assert 0.002 <= min(delays) < 0.0021 and 0.0039 < max(delays) <= 0.004  # type: ignore[operator]


def test_a_few_frames_take_much_longer() -> None:
    delays = [delay for fate in fates(network(Conditions(in_order=False)), 1, 2, 5000) for delay in fate]
    late = [delay for delay in delays if delay > 0.010]  # type: ignore[operator]
    assert 10 < len(late) < 120


def test_a_cut_can_be_one_way() -> None:
    net = network()
    net.cut(1, 2)
    assert net.arrivals(1, 2, 0.0) == "cut"
    assert net.arrivals(2, 1, 0.0) == (0.01,)
    assert not net.is_open(1, 2) and not net.is_open(2, 1) and net.is_open(1, 3)


def test_a_reconnection_ends_one_cut_and_leaves_the_others() -> None:
    net = network()
    for a, b in ((1, 2), (2, 1), (1, 3)):
        net.cut(a, b)
    net.reconnect(1, 2)
    assert net.arrivals(1, 2, 0.0) == (0.01,) and net.arrivals(2, 1, 0.0) == "cut" == net.arrivals(1, 3, 0.0)
    net.reconnect(2, 1)
    assert net.is_open(1, 2) and not net.is_open(1, 3)
    net.reconnect(2, 3)  # it was not cut: nothing happens
    assert net.cuts == {(1, 3)}


def test_heal_removes_cuts_and_only_heal_everything_removes_rules() -> None:
    net = network()
    net.cut(1, 2)
    net.rule("slow", 1, 2, 0.5, 0.0)
    net.heal()
    assert net.arrivals(1, 2, 0.0) == pytest.approx((0.51,))
    net.heal(everything=True)
    assert net.arrivals(1, 2, 0.0) == (0.01,)


def test_slowness_holds_both_ways_and_on_that_link_only() -> None:
    net = network()
    net.rule("slow", 1, 2, 0.2, 0.0)
    assert net.arrivals(2, 1, 0.0) == pytest.approx((0.21,))
    assert net.arrivals(1, 3, 0.0) == (0.01,)


def test_jitter_lets_frames_overtake_each_other() -> None:
    net = network()
    net.rule("slow", "*", "*", 0.0, 0.5)
    delays = [float(fate[0]) for fate in fates(net, 1, 2, 200)]
    assert delays != sorted(delays)
    assert 0.45 < max(delays) <= 0.51


def test_frames_of_one_link_keep_their_order_unless_the_conditions_say_otherwise() -> None:
    in_order, free = network(Conditions()), network(Conditions(in_order=False))
    for net, sorted_ in ((in_order, True), (free, False)):
        arrivals = [net.arrivals(1, 2, at / 1000)[0] for at in range(200)]
        assert (arrivals == sorted(arrivals)) == sorted_


def test_a_new_life_does_not_wait_behind_frames_of_an_earlier_one() -> None:
    net = network(Conditions(shortest=0.01, longest=0.01, tail=0.0))
    net.rule("slow", 1, 2, 5.0, 0.0)
    net.arrivals(1, 2, 0.0)
    net.heal(everything=True)
    assert net.arrivals(1, 2, 0.0) == (5.01,)
    net.renew(1)
    assert net.arrivals(1, 2, 0.0) == (0.01,)


def test_a_star_means_every_link_and_the_latest_rule_that_fits_holds() -> None:
    net = network()
    net.rule("lose", "*", "*", 1.0)
    assert net.arrivals(1, 2, 0.0) == "lost" and net.arrivals("ann", 3, 0.0) == "lost"
    net.rule("lose", 1, 2, 0.0)
    assert net.arrivals(1, 2, 0.0) == (0.01,) and net.arrivals(1, 3, 0.0) == "lost"
    net.rule("lose", "*", "*", 0.0)
    assert net.arrivals(1, 3, 0.0) == (0.01,)


def test_a_fraction_of_the_frames_is_lost() -> None:
    net = network()
    net.rule("lose", 1, 2, 0.3)
    assert 230 < fates(net, 1, 2).count("lost") < 370


def test_duplication_makes_a_frame_arrive_twice() -> None:
    net = network()
    net.rule("duplicate", 1, 2, 1.0, 0.0)
    assert net.arrivals(1, 2, 0.0) == (0.01, 0.01)


def test_a_late_copy_comes_seconds_after_its_original() -> None:
    net = network()
    net.rule("duplicate", 1, 2, 1.0, 5.0)
    pairs = [tuple(map(float, net.arrivals(1, 2, 0.0))) for _ in range(100)]
    assert {first for first, _ in pairs} == {0.01} and 4 < max(second for _, second in pairs) <= 5.01


def test_conditions_out_of_range_are_refused_in_a_sentence() -> None:
    with pytest.raises(ConfigError, match="loss is 2; give a fraction between 0 and 1"):
        Conditions(loss=2)
    with pytest.raises(ConfigError, match="shortest is 0.5 and longest 0.01"):
        Conditions(shortest=0.5)


# --- links, as actors hear of them ----------------------------------------------------------


def heard(one: World, node: int, after: float = 0.0) -> list[tuple[str, int | str | None]]:
    links = one.trace.of("link_up", "link_down")
    return [(record.kind, record.peer) for record in links if record.node == node and record.time >= after]


def test_every_link_comes_up_once_when_the_world_begins() -> None:
    one = world()
    one.run(1)
    assert sorted(heard(one, 1)) == [("link_up", 2), ("link_up", 3)]


def test_a_crash_is_heard_by_peers_and_a_restart_brings_the_link_back() -> None:
    one = world()
    one.run(1)
    one.crash(3)
    one.run(1)
    assert heard(one, 1, after=1) == [("link_down", 3)]
    one.restart(3)
    one.run(1)
    assert heard(one, 1, after=2) == [("link_up", 3)]
    assert one.simulation.hosts[1].links == {2: 1, 3: 2}, "the new link is to the second life"


def test_a_fast_restart_is_heard_as_down_then_up() -> None:
    one = world()
    one.run(1)
    one.crash(3)
    one.restart(3)
    one.run(1)
    assert heard(one, 1, after=1) == [("link_down", 3), ("link_up", 3)]


def test_a_cut_alone_is_not_heard_at_all() -> None:
    one = world()
    one.run(1)
    one.cut(1, 3)
    one.run(5)
    one.heal()
    one.run(1)
    assert heard(one, 1, after=1) == []


def test_a_peer_that_died_behind_a_cut_is_heard_of_after_the_heal() -> None:
    one = world()
    one.run(1)
    one.cut(1, 3)
    one.crash(3)
    one.run(5)
    assert heard(one, 1, after=1) == []
    assert heard(one, 2, after=1) == [("link_down", 3)]
    one.heal()
    one.run(1)
    assert heard(one, 1, after=1) == [("link_down", 3)]


def test_a_peer_that_died_behind_a_cut_is_heard_of_after_the_reconnection() -> None:
    one = World(1)
    one.run(3)
    one.cut(1, 3)
    one.crash(3)
    one.run(0.5)
    assert 3 in one.simulation.hosts[1].links, "behind the cut nothing is heard of it"
    one.reconnect(1, 3)
    one.run(0.01)
    assert 3 not in one.simulation.hosts[1].links


def test_a_frame_under_way_when_the_link_is_cut_vanishes() -> None:
    one = world()
    one.slow("*", "*", 1.0)
    one.run(0.5)
    one.cut(1, 2)
    one.run(2)
    drops = [(record.node, record.peer, record.reason) for record in one.trace.of("drop")]
    assert (2, 1, "cut") in drops


def test_a_frame_of_an_earlier_life_is_dropped_on_arrival() -> None:
    one = world()
    one.run(0.5)
    one.slow(1, 2, 3.0)
    one.run(0.1)  # node 1 serves PING at 0.51 s; it will arrive at 3.5 s
    one.heal(everything=True)
    one.crash(1)
    one.restart(1)
    one.run(4)
    drops = one.trace.of("drop")
    assert [(record.node, record.message, record.id) for record in drops] == [(2, "PING", "1.1.3")]
    assert drops[0].reason == "old incarnation"


def test_a_frame_to_a_dead_node_is_dropped() -> None:
    one = world()
    one.slow(1, 2, 1.0)
    one.run(0.5)
    one.crash(2)
    one.run(2)
    assert [(drop.node, drop.id, drop.reason) for drop in one.trace.of("drop")] == [(2, "1.1.1", "nobody there")]


def test_send_and_receive_share_the_stable_id_and_lamport_clocks_rise() -> None:
    one = world()
    one.run(3)
    sent = {record.id: record for record in one.trace.of("send")}
    assert len(sent) == len(one.trace.of("send"))
    for receive in one.trace.of("receive"):
        send = sent[receive.id]
        assert (send.node, send.peer, send.message) == (receive.peer, receive.node, receive.message)
        assert receive.clock > send.clock
