"""The sentences of the textbooks, each guarded by a run of the simulated cluster."""

from chatsys.check import check
from chatsys.sim.world import World


def settled(seed: int = 1, **rest: object) -> World:
    world = World(seed, **rest)  # type: ignore[arg-type]
    assert world.until(lambda: world.leader is not None, limit=10)
    return world


def test_lamport_1978_the_clock_condition() -> None:
    """If event a happened before event b, then the clock of a is less than the clock of b."""
    world = settled()
    world.say("hi")
    world.run(2)
    sends = {record.id: record.clock for record in world.trace.of("send")}
    receipts = world.trace.of("receive")
    assert receipts and all(sends[record.id] < record.clock for record in receipts)


def test_garcia_molina_1982_the_highest_of_the_living_leads() -> None:
    """When the election ends, the node with the highest priority among the operating ones coordinates."""
    world = settled()
    assert world.leader == 3
    world.crash(3)
    assert world.until(lambda: world.leader == 2, limit=10)


def test_raft_5_2_at_most_one_leader_in_a_term() -> None:
    """Election safety: at most one leader can be elected in a given term."""
    world = settled(seed=4)
    for _ in range(6):
        leader = world.leader
        assert leader is not None
        world.crash(leader)
        world.run(3)
        world.restart(leader)
        world.run(6)
    leads = [(record.term, record.node) for record in world.trace.of("lead")]
    assert len(leads) >= 7 and len({term for term, _ in leads}) == len(leads)


def test_total_order_broadcast_all_deliver_the_same_in_the_same_order() -> None:
    """Defago, Schiper, Urban 2004: agreement and total order, and what one delivers all deliver."""
    world = settled(seed=2)
    for number in range(30):
        world.say(f"message {number}", author=("ann", "bob", "eve")[number % 3], node=number % 3 + 1)
    world.run(5)
    first, second, third = (world.delivered(node) for node in world.nodes)
    assert len(first) == 30 and first == second == third
    assert not check(world.trace)


def test_gilbert_lynch_2002_a_partition_costs_availability_or_agreement() -> None:
    """With a majority the cut-off side refuses; with a quorum of one it answers, and the orders differ."""
    outcomes = {}
    for quorum in ("majority", 1):
        world = settled(seed=3, quorum=quorum)
        world.partition({3}, {1, 2})
        world.run(5)
        world.say("from the minority", node=3)
        world.say("from the majority", node=2, author="bob")
        world.run(5)
        minority_said_ok = any(record.text == "from the minority" for record in world.trace.of("ack"))
        world.heal()
        world.run(20)
        outcomes[quorum] = (minority_said_ok, bool(check(world.trace)))
    assert outcomes == {"majority": (False, False), 1: (True, True)}


def test_fischer_lynch_paterson_1985_a_slow_node_and_a_dead_one_look_alike() -> None:
    """A pause is suspected like a crash, and the paused leader comes back harmless."""
    world = settled(seed=5)
    world.pause(3)
    assert world.until(lambda: world.leader == 2, limit=10)
    world.say("while it slept")
    world.run(1)
    world.resume(3)
    world.run(20)
    assert world.delivered(3) == ["while it slept"] and not check(world.trace)
