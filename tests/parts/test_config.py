"""Configuration: every bad file gets one sentence that names the value and says what to write."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bad_configs import BAD, GOOD

from chatsys.config import (
    ClusterConfig,
    Limits,
    Timing,
    count_quorum,
    read_node_config,
    split_address,
)
from chatsys.errors import ConfigError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("text, words", BAD.values(), ids=BAD.keys())
def test_a_bad_config_gets_one_sentence(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_node_config(text, "my.yml")
    sentence = str(caught.value)
    assert words in sentence
    assert sentence.startswith("my.yml")
    assert "\n" not in sentence and sentence.endswith(".")


def test_a_good_config_is_read() -> None:
    config = read_node_config(GOOD + "quorum: majority\ntiming: {profile: fast, lease: 1}")
    assert (config.node, config.data, config.address) == (1, "data/node1", ("127.0.0.1", 5001))
    assert config.cluster.quorum == 2 and config.cluster.ids == (1, 2, 3)
    assert math.isclose(config.cluster.timing.heartbeat_interval, 0.08)
    assert config.cluster.timing.lease == 1.0


def test_listen_overrides_the_own_address() -> None:
    assert read_node_config(GOOD + "listen: 0.0.0.0:7001").address == ("0.0.0.0", 7001)


@pytest.mark.parametrize("node", [1, 2, 3])
def test_the_local_configs_are_good_and_show_every_key_with_its_default(node: int) -> None:
    text = (ROOT / "deploy" / "local" / f"node{node}.yml").read_text()
    config = read_node_config(text)
    assert config.node == node and config.address == ("127.0.0.1", 5000 + node)
    for name in (*Timing.__struct_fields__, *Limits.__struct_fields__):
        default = getattr(Timing(), name, None) or getattr(Limits(), name, None)
        assert f" {name}: {default} " in text or f" {name}: {default}\n" in text, name
    for name in ("node", "members", "data", "quorum", "cluster", "listen", "fast_suspect", "take_back"):
        assert f"{name}: " in text or f"{name}:\n" in text, name


def test_the_local_configs_form_one_cluster() -> None:
    configs = [read_node_config((ROOT / "deploy" / "local" / f"node{n}.yml").read_text()) for n in (1, 2, 3)]
    assert len({config.cluster.digest for config in configs}) == 1
    assert len({config.data for config in configs}) == 3


@pytest.mark.parametrize("nodes, majority", [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 4)])
def test_a_majority_is_more_than_half_and_safe(nodes: int, majority: int) -> None:
    assert count_quorum("majority", nodes) == count_quorum(None, nodes) == majority
    assert ClusterConfig.of(nodes).safe


def test_the_textbook_quorum_is_not_safe() -> None:
    assert not ClusterConfig.of(3, quorum=1).safe
    assert ClusterConfig.of(1, quorum=1).safe


@pytest.mark.parametrize("nodes", [0, -1, 8, 1.5, "three"])
def test_a_world_of_a_wrong_size_is_refused(nodes: object) -> None:
    with pytest.raises(ConfigError, match="give a whole number from 1 to 7"):
        ClusterConfig.of(nodes)  # type: ignore[arg-type]


def test_the_digest_tells_members_quorum_and_kept_sessions_apart() -> None:
    assert ClusterConfig.of(3).digest != ClusterConfig.of(5).digest
    assert ClusterConfig.of(3).digest != ClusterConfig.of(3, quorum=1).digest
    assert ClusterConfig.of(3).digest != ClusterConfig.of(3, limits=Limits(sessions=2)).digest, (
        "they deliver differently"
    )
    assert ClusterConfig.of(3).digest == ClusterConfig.of(3, timing=Timing.profile("fast")).digest


def test_an_ipv6_address_is_split_at_its_last_colon() -> None:
    assert split_address("[::1]:5001") == ("::1", 5001)


def test_a_config_cannot_be_changed_after_birth() -> None:
    config = read_node_config(GOOD)
    with pytest.raises(AttributeError):
        config.node = 2  # type: ignore[misc]


# --- who this is, by the name of the machine ----------------------------------------------------

PODS = """
members: {1: chatsys-0.members:5001, 2: chatsys-1.members:5001, 3: 10.0.0.3:5001}
data: /data
"""


@pytest.mark.parametrize(
    "name, node", [("chatsys-0", 1), ("chatsys-1.members", 2), ("CHATSYS-1", 2), ("10.0.0.3", 3), (" chatsys-0\n", 1)]
)
def test_a_node_finds_its_id_by_its_name_among_the_addresses(name: str, node: int) -> None:
    assert read_node_config(PODS, known_as=name).node == node


def test_id_and_name_may_both_be_given_if_they_agree() -> None:
    assert read_node_config(PODS + "node: 2", known_as="chatsys-1").node == 2


@pytest.mark.parametrize(
    "text, name, words",
    [
        (
            PODS,
            "chatsys-3",
            "the name is 'chatsys-3', and no member is called so (node 1 is at chatsys-0.members:5001, ",
        ),
        (PODS, "chatsys", "start this node under one of these names, or name it in members."),
        (PODS, "", "the name is '', and no member is called so"),
        (PODS, "$(POD_NAME)", "the name is '$(POD_NAME)', and no"),
        (PODS, None, "the key node is missing; add it (deploy/local/node1.yml shows every key), or say by --id-from"),
        (PODS + "node: 1", "chatsys-1", "node is 1, but 'chatsys-1' is the name of node 2; leave node out, or correct"),
        (GOOD.replace("node: 1", ""), "127.0.0.1", "the name '127.0.0.1' is that of the nodes 1, 2, 3 (node 1 is at"),
        (GOOD.replace("node: 1", ""), "127", "the name is '127', and no member is called so"),
        (PODS.replace("chatsys-0.members:5001", "nowhere"), "chatsys-1", "members.1 is 'nowhere'; write host:port"),
    ],
)
def test_a_wrong_name_gets_one_sentence(text: str, name: str | None, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_node_config(text, "my.yml", name)
    sentence = str(caught.value)
    assert words in sentence and sentence.startswith("my.yml: ") and sentence.endswith(".") and "\n" not in sentence


@pytest.mark.parametrize(
    "make",
    [
        lambda number: Timing(heartbeat_interval=number),
        lambda number: Limits(sessions=number),
        lambda number: ClusterConfig.of(number),
        lambda number: ClusterConfig.of(3, number),
        lambda number: ClusterConfig(members={1: "a:1"}, quorum=number),
    ],
    ids=["a time", "a limit", "nodes", "a majority", "a quorum"],
)
@pytest.mark.parametrize("number", [10**400, -(10**400), float("nan")], ids=["huge", "tiny", "none"])
def test_a_number_that_no_float_can_hold_is_refused_with_a_sentence(make: Callable[[Any], Any], number: Any) -> None:
    """A client's hello carried such a quorum, and the error of the conversion ended the actor."""
    with pytest.raises(ConfigError, match=r"give|write"):
        make(number)
