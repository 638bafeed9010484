"""Who counts: one frozen value that answers how many, who is higher and where; by hand."""

import pytest
from by_hand import members, node
from msgspec.structs import replace

from chatsys.protocol.messages import PeerInfo
from chatsys.protocol.node import Node

pytestmark = pytest.mark.quick


def test_the_members_know_who_is_there_and_who_is_higher() -> None:
    two = members(4, me=2)
    assert two.ids == (1, 2, 3, 4) and two.others == (1, 3, 4)
    assert two.outranking == (3, 4) and two.rank == 2
    assert 2 in two and 4 in two and 5 not in two and "ann" not in two
    assert two.peer(3) == PeerInfo(3, "node3:0")


@pytest.mark.parametrize(("nodes", "quorum", "safe"), [(3, 2, True), (3, 1, False), (4, 2, False), (1, 1, True)])
def test_a_cluster_is_safe_if_any_two_quorums_share_a_member(nodes: int, quorum: int, safe: bool) -> None:
    assert members(nodes, quorum).safe is safe


def test_equal_members_are_equal_values_and_a_change_makes_another() -> None:
    assert members(3) == members(3) and hash(members(3)) == hash(members(3))
    assert members(3) != members(3, 1) and members(3) != members(3, me=1)


def parts_of(three: Node) -> list[object]:
    return [three.state, three.log, *three.parts]


def test_nobody_keeps_a_copy_so_a_change_is_a_change_for_all() -> None:
    three = node(3)
    keepers = [one for one in parts_of(three) if three.state.members in vars(one).values()]
    assert keepers == [three.log]
    three.log.members = replace(three.log.members, quorum=3)
    assert three.state.members.quorum == 3
