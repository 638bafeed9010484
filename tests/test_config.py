"""Configuration: every bad file gets one sentence that names the value and says what to write."""

import math
from pathlib import Path

import pytest

from chatsys.config import (
    ClusterConfig,
    Limits,
    Timing,
    count_quorum,
    read_node_config,
    split_address,
)
from chatsys.errors import ConfigError

ROOT = Path(__file__).parent.parent

GOOD = """
node: 1
members: {1: 127.0.0.1:5001, 2: 127.0.0.1:5002, 3: 127.0.0.1:5003}
data: data/node1
"""

BAD = {
    # what is wrong: (the file, the words its sentence must have)
    "unknown key": (GOOD + "colour: red", "colour is not a setting; known are node, members"),
    "unknown timing": (GOOD + "timing: {hearbeat: 1}", "timing.hearbeat is not a setting"),
    "unknown limit": (GOOD + "limits: {x: 1}", "limits.x is not a setting"),
    "own id missing": (GOOD.replace("node: 1", "node: 4"), "node is 4, but members lists 1, 2, 3"),
    "duplicate ids": (GOOD.replace("2: 127", "1: 127"), "the key 1 appears twice"),
    "duplicate key": (GOOD + "node: 2", "the key node appears twice"),
    "address used twice": (GOOD.replace("5002", "5001"), "the address 127.0.0.1:5001 twice"),
    "address without port": (GOOD.replace("127.0.0.1:5002", "nowhere"), "members.2 is 'nowhere'; write host:port"),
    "port too high": (GOOD.replace("5002", "99999"), "members.2 is '127.0.0.1:99999'; write host:port"),
    "port zero": (GOOD.replace("5002", "0"), "members.2 is '127.0.0.1:0'; port 0 stands for any free port"),
    "port below zero": (GOOD.replace("5002", "-1"), "members.2 is '127.0.0.1:-1'; write host:port"),
    "port of 5000 digits": (GOOD.replace("5002", "5" * 5000), "; write host:port"),
    "an empty label": (GOOD.replace("2: 127.0.0.1", "2: my..host"), "'my..host:5002', which no machine can be called"),
    "a label of 80 letters": (GOOD.replace("2: 127.0.0.1", "2: " + "a" * 80), "which no machine can be called"),
    "a host with a space": (GOOD.replace("2: 127.0.0.1:5002", "2: 'a b:5002'"), "which no machine can be called"),
    "a host with NUL": (GOOD.replace("2: 127.0.0.1:5002", '2: "a\\0b:5002"'), "which no machine can be called"),
    "own host of letters only": (GOOD + "listen: 'ü..x:5001'", "listen is 'ü..x:5001', which no machine can be called"),
    "listen at port zero": (GOOD + "listen: localhost:0", "listen is 'localhost:0'; port 0 stands for any free port"),
    "listen without port": (GOOD + "listen: here", "listen is 'here'; write host:port"),
    "id is a word": (GOOD.replace("2: 127", "two: 127"), "a key of members must be a whole number"),
    "id zero": (GOOD.replace("2: 127", "0: 127"), "ids are whole numbers from 1"),
    "id negative": (GOOD.replace("2: 127", "-2: 127"), "ids are whole numbers from 1"),
    "no members": ("node: 1\nmembers: {}\ndata: d", "members is empty"),
    "eight members": (
        "node: 1\ndata: d\nmembers: {" + ", ".join(f"{n}: h:{n}" for n in range(1, 9)) + "}",
        "at most 7 voters",
    ),
    "no data": (GOOD.replace("data: data/node1", ""), "the key data is missing"),
    "data empty": (GOOD.replace("data/node1", "''"), "data is empty"),
    "data with NUL": (GOOD.replace("data/node1", '"a\\0b"'), "which no folder can be called; leave out"),
    "data with half a letter": (GOOD.replace("data/node1", '"a\\ud800"'), "which no folder can be called; leave out"),
    "cluster with half a letter": (GOOD + 'cluster: "\\ud800"', "cluster is '\\ud800'; leave out what is not text"),
    "a day that is none": (
        GOOD.replace("data/node1", "2024-13-45"),
        "has a value that YAML cannot read (month must be",
    ),
    "a tag that does not fit": (GOOD.replace("node: 1", "node: !!int x"), "has a value that YAML cannot read"),
    "a truth that is none": (GOOD + "take_back: !!bool x", "has a value that YAML cannot read"),
    "a moment that is none": (GOOD + "cluster: !!timestamp x", "has a value that YAML cannot read"),
    "an id of 5000 digits": (GOOD.replace("node: 1", "node: " + "1" * 5000), "has a value that YAML cannot read"),
    "quorum of 5000 digits": (GOOD + f"quorum: '{'9' * 5000}'", "with 3 members write majority"),
    "cluster empty": (GOOD + "cluster: ''", "cluster is empty"),
    "negative timer": (GOOD + "timing: {heartbeat_interval: -1}", "timing.heartbeat_interval is -1.0; give a positive"),
    "timer zero": (GOOD + "timing: {answer_timeout: 0}", "timing.answer_timeout is 0.0; give a positive"),
    "timer not a number": (GOOD + "timing: {answer_timeout: .nan}", "timing.answer_timeout is nan"),
    "timer without end": (GOOD + "timing: {answer_timeout: .inf}", "timing.answer_timeout is inf"),
    "timer a word": (GOOD + "timing: {answer_timeout: long}", "timing.answer_timeout is 'long'; give a positive"),
    "timer a truth": (GOOD + "timing: {answer_timeout: true}", "timing.answer_timeout is True"),
    "inconsistent timers": (
        GOOD + "timing: {heartbeat_timeout: 1}",
        "heartbeat_timeout (1.0); change one of the three",
    ),
    "lease too short": (GOOD + "timing: {lease: 1}", "timing.lease is 1.0; it must span at least two heartbeats"),
    "minimum above maximum": (GOOD + "timing: {back_off_min: 9}", "timing.back_off_min is 9.0, more than"),
    "unknown profile": (GOOD + "timing: {profile: slow}", "timing.profile is 'slow'; write course or fast"),
    "timing empty": (GOOD + "timing:", "timing must be a mapping of keys and is empty"),
    "limit zero": (GOOD + "limits: {batch_entries: 0}", "limits.batch_entries is 0; give a positive whole number"),
    "frame too small": (GOOD + "limits: {frame_bytes: 10}", "limits.frame_bytes is 10; it must hold"),
    "quorum zero": (GOOD + "quorum: 0", "quorum is 0; with 3 members write majority or a number from 1 to 3"),
    "quorum too high": (GOOD + "quorum: 4", "quorum is 4; with 3 members"),
    "quorum negative": (GOOD + "quorum: -1", "quorum is -1; with 3 members"),
    "quorum a word": (GOOD + "quorum: most", "quorum is 'most'; with 3 members"),
    "quorum a fraction": (GOOD + "quorum: 1.5", "quorum must be a whole number or text"),
    "quorum a truth": (GOOD + "quorum: true", "quorum must be a whole number or text"),
    "switch a number": (GOOD + "fast_suspect: 3", "fast_suspect must be true or false"),
    "bad YAML": ("node: [1", "is not valid YAML at line 1"),
    "a tab": ("node: 1\n\tmembers: 2", "is not valid YAML at line 2"),
    "a Python object": (GOOD + "x: !!python/object/apply:os.system [ls]", "is not valid YAML at line 5"),
    "control characters": ("\x00\x01", "special characters are not allowed"),
    "nested too deeply": ("[" * 5000, "nested too deeply"),
    "an empty file": ("", "it must be a mapping with keys such as node, members and data"),
    "a list": ("- 1", "it must be a mapping"),
}


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


def test_the_digest_tells_members_and_quorum_apart() -> None:
    assert ClusterConfig.of(3).digest != ClusterConfig.of(5).digest
    assert ClusterConfig.of(3).digest != ClusterConfig.of(3, quorum=1).digest
    assert ClusterConfig.of(3).digest == ClusterConfig.of(3, timing=Timing.profile("fast")).digest


def test_an_ipv6_address_is_split_at_its_last_colon() -> None:
    assert split_address("[::1]:5001") == ("::1", 5001)


def test_a_config_cannot_be_changed_after_birth() -> None:
    config = read_node_config(GOOD)
    with pytest.raises(AttributeError):
        config.node = 2  # type: ignore[misc]
