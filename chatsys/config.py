"""Configuration: frozen values, checked at birth, read from YAML.

    Timing          every waiting time of the protocol, in seconds
    ClusterConfig   what all nodes of one cluster must agree on
    NodeConfig      one node's own share: its id, where it listens, where its log lives

A value that exists is a value that is sound: each class checks itself when it is made and
raises `ConfigError` with one sentence that names the value and what to write instead.

Read also `deploy/local/node1.yml`, an example with every key.
"""

import hashlib
import sys
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from chatsys.errors import ConfigError

MAX_VOTERS = 7  # SPECIFICATION R1.1
"""Bully and the all-to-one acks grow with the square of the group; seven is the tested limit."""


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ConfigError(sentence)


def is_number(value: Any, kind: Any = int | float) -> bool:
    """Tell whether this is a number that fits a float: finite, and no truth value."""
    return isinstance(value, kind) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _is_text(value: str) -> bool:
    """Whether a file system and a frame can carry it: no NUL, and no half of a character."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


class Timing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Waiting times in seconds.  Wrong values cost availability, never safety.

    The defaults are the course's: slow enough to watch.  `Timing.profile("fast")` divides them
    all by ten, which suits tests and impatient people on one machine.
    """

    heartbeat_interval: float = 0.8
    """How often a leader says it is alive."""
    heartbeat_timeout: float = 2.5
    """Silence that raises suspicion, before spread and rank are added."""
    heartbeat_spread: float = 0.9
    """Suspicion waits up to this much longer, drawn anew each time, so that nodes do not tie."""
    rank_step: float = 0.15
    """Each member that outranks a node makes it this much more patient."""
    stickiness: float = 2.0
    """Trust: for so long after hearing the leader a node refuses to help depose it."""
    answer_timeout: float = 0.5
    """How long a nominee waits for OK."""
    defer_timeout: float = 2.0
    """How long a lower nominee stands back for a higher one, once per episode."""
    prepare_timeout: float = 1.5
    """Limit of PREPARE, and of each silent stretch of SYNC."""
    back_off_min: float = 0.05
    back_off_max: float = 1.8
    """After a failed attempt the next one starts after a time drawn from this range."""
    lease: float = 2.5
    """A leader that no quorum answered for so long steps down (counted in heartbeats)."""
    retransmit: float = 0.4
    retransmit_max: float = 4.0
    """PROPOSE and catch-up are repeated after this, doubling up to the maximum."""
    client_retry: float = 1.0
    client_retry_max: float = 8.0
    """A client repeats an unanswered message after this, doubling up to the maximum."""
    hand_over_retry: float = 8.0
    hand_over_retry_max: float = 64.0
    """A member that did not take over when asked is asked again after this, doubling."""
    fast_delay: float = 0.02
    fast_step: float = 0.05
    """Suspicion after a broken link to the leader: this delay, plus one step per rank."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            _require(
                is_number(value) and (value > 0 or name in {"heartbeat_spread", "rank_step"} and value >= 0),
                f"timing.{name} is {value!r}; give a positive number of seconds.",
            )
        _require(
            2 * self.heartbeat_interval < self.stickiness < self.heartbeat_timeout,  # SPECIFICATION R5.1
            f"timing must satisfy 2 x heartbeat_interval ({self.heartbeat_interval}) < stickiness "
            f"({self.stickiness}) < heartbeat_timeout ({self.heartbeat_timeout}); change one of the three.",
        )
        _require(
            self.heartbeat_interval * 2 <= self.lease,
            f"timing.lease is {self.lease}; it must span at least two heartbeats of {self.heartbeat_interval} s.",
        )
        for low, high in (
            ("back_off_min", "back_off_max"),
            ("retransmit", "retransmit_max"),
            ("client_retry", "client_retry_max"),
            ("hand_over_retry", "hand_over_retry_max"),
        ):
            _require(
                getattr(self, low) <= getattr(self, high),
                f"timing.{low} is {getattr(self, low)}, more than timing.{high} "
                f"({getattr(self, high)}); make it smaller.",
            )

    @classmethod
    def profile(cls, name: str) -> "Timing":
        """Return the named profile: `course` (the defaults) or `fast` (all divided by ten)."""
        match name:
            case "course":
                return cls()
            case "fast":
                return cls().scaled(0.1)
        raise ConfigError(f"timing.profile is {name!r}; write course or fast.")

    def scaled(self, factor: float) -> "Timing":
        """Return these times, each multiplied by `factor`."""
        return Timing(**{name: getattr(self, name) * factor for name in self.__struct_fields__})


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds on everything that could grow.  Bytes and counts."""

    frame_bytes: int = 1 << 20
    """A longer line on the wire closes its link."""
    text_bytes: int = 64 * 1024
    """A longer chat text is refused with `too_large` (UTF-8 bytes)."""
    batch_entries: int = 256
    batch_bytes: int = 256 * 1024
    """One PROPOSE or catch-up chunk carries at most so much."""
    window_entries: int = 2048
    """Entries a leader may have sent to one follower without an ACK."""
    hold_back_entries: int = 1024
    hold_back_bytes: int = 4 << 20
    """Batches that arrived early wait within these bounds; the rest is dropped and sent again."""
    waiting_submits: int = 1024
    """Messages a leader that is not ready yet keeps; more are answered `busy`."""
    forwarded: int = 4096
    """Messages of clients a follower has passed on and awaits the answer of."""
    sessions: int = 10_000
    """Client sessions remembered; the one idle longest, in log order, expires first."""
    learners: int = 16
    """Learners at a time; one more is refused until another one has left."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            _require(is_number(value, int) and value > 0, f"limits.{name} is {value!r}; give a positive whole number.")
        _require(
            self.frame_bytes >= 2 * self.text_bytes + 4096 and self.frame_bytes >= 2 * self.batch_bytes,
            f"limits.frame_bytes is {self.frame_bytes}; it must hold twice text_bytes plus 4096 and twice batch_bytes.",
        )


class ClusterConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What every node of a cluster must agree on.

    `members` maps a node id (1 or more) to its address `host:port`; `quorum` counts nodes.
    """

    members: dict[int, str]
    quorum: int
    cluster: str = "chat"
    timing: Timing = Timing()
    limits: Limits = Limits()
    fast_suspect: bool = True
    """Suspect the leader as soon as its link breaks, not only after silence."""
    take_back: bool = True
    """Bully's promise: a returning higher id leads in the end, by a polite hand-over."""

    def __post_init__(self) -> None:
        _require(isinstance(self.members, Mapping), f"members is {self.members!r:.80}; give {{1: 'host:port', ...}}.")
        count = len(self.members)
        _require(count >= 1, "members is empty; name at least one node, for example 1: 127.0.0.1:5001.")
        _require(count <= MAX_VOTERS, f"members names {count} nodes; a cluster has at most {MAX_VOTERS} voters.")
        for node in self.members:
            _require(
                is_number(node, int) and node >= 1, f"members has the node id {node!r}; ids are whole numbers from 1."
            )
        _require(
            is_number(self.quorum, int) and 1 <= self.quorum <= count,
            f"quorum is {self.quorum!r}; with {count} members write majority or a number from 1 to {count}.",
        )
        _require(bool(self.cluster.strip()), "cluster is empty; give the cluster a name, for example chat.")
        _require(_is_text(self.cluster), f"cluster is {self.cluster!r}; leave out what is not text.")

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of all members, ascending."""
        return tuple(sorted(self.members))

    @property
    def safe(self) -> bool:
        """Whether any two quorums share a member, which is what safety rests on."""
        return overlap(self.quorum, len(self.members))

    @property
    def digest(self) -> str:
        """A short fingerprint of what peers must share: member ids, quorum, and how many sessions are kept.

        The last one, because it decides which sessions have expired, and so what an entry of the log means.
        """
        return hashlib.sha256(f"{self.ids}/{self.quorum}/{self.limits.sessions}".encode()).hexdigest()[:12]

    @classmethod
    def of(cls, nodes: int = 3, quorum: int | Literal["majority"] = "majority", **rest: Any) -> "ClusterConfig":
        """Return a config for nodes 1..`nodes` without addresses, as simulated worlds need it."""
        _require(
            is_number(nodes, int) and 1 <= nodes <= MAX_VOTERS,
            f"nodes is {nodes!r}; give a whole number from 1 to {MAX_VOTERS}.",
        )
        members = {node: f"node{node}:0" for node in range(1, nodes + 1)}
        return cls(members=members, quorum=count_quorum(quorum, nodes), **rest)


def overlap(quorum: int, members: int) -> bool:
    """Tell whether any two groups of `quorum` out of so many `members` share one."""
    return 2 * quorum > members  # SPECIFICATION R1.3


def count_quorum(quorum: int | str | None, nodes: int) -> int:
    """Return `quorum` as a number of nodes; `"majority"` (or None) means more than half.  SPECIFICATION R1.2."""
    if quorum is None or quorum == "majority":
        return nodes // 2 + 1
    if isinstance(quorum, str) and quorum.isdecimal() and len(quorum) < 10:  # Python refuses very long numbers
        quorum = int(quorum)
    if isinstance(quorum, bool) or not isinstance(quorum, int) or not 1 <= quorum <= nodes:
        raise ConfigError(f"quorum is {quorum!r}; with {nodes} members write majority or a number from 1 to {nodes}.")
    return quorum


class NodeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One node of a cluster: its id, the address it listens on and the folder of its log."""

    node: int
    data: str
    cluster: ClusterConfig
    listen: str = ""
    """Where to listen, `host:port`; empty means the node's own address in `members`."""
    through: int | None = None
    """Of a learner, which is no member: whom it asks first."""

    def __post_init__(self) -> None:
        ids = ", ".join(map(str, self.cluster.ids))
        _require(bool(self.data.strip()), "data is empty; name the folder of this node's log, for example data/node1.")
        _require(
            _is_text(self.data), f"data is {self.data!r}, which no folder can be called; leave out what is not text."
        )
        if self.through is None:
            _require(
                self.node in self.cluster.members,
                f"node is {self.node}, but members lists {ids}; add node {self.node} to members or correct node.",
            )
        else:
            _require(
                self.node not in self.cluster.members,
                f"The id is {self.node}, which is a member's; the members are {ids}. Choose another id for a learner.",
            )
        for node, address in self.cluster.members.items():
            split_address(address, f"members.{node}")
        addresses = list(self.cluster.members.values())
        for address in addresses:
            _require(
                addresses.count(address) == 1, f"members uses the address {address} twice; give each node its own."
            )
        if self.listen:
            split_address(self.listen, "listen")

    @property
    def address(self) -> tuple[str, int]:
        """Where this node listens: (host, port)."""
        return split_address(self.where, "listen")

    @property
    def where(self) -> str:
        """The same as a text."""
        return self.listen or self.cluster.members[self.node]


def split_address(address: str, key: str = "address") -> tuple[str, int]:
    """Return (host, port) of `host:port` or `[v6]:port`; `key` names the setting in the error.

    Whether the host exists is known only when it is asked for; what can be no name at all is refused here.
    """
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    told = f"{key} is {address[:200]!r}"
    if not (colon and host and port.isdecimal() and len(port) <= 5 and int(port) <= 65535):
        raise ConfigError(f"{told}; write host:port, for example 127.0.0.1:5001.")
    if int(port) == 0:
        raise ConfigError(
            f"{told}; port 0 stands for any free port, where nobody would look: write one from 1 to 65535."
        )
    if not _can_name_a_host(host):
        raise ConfigError(
            f"{told}, which no machine can be called; write a name of parts of 1 to 63 letters between single dots, "
            "or the number of an address."
        )
    return host, int(port)


def _can_name_a_host(host: str) -> bool:
    try:
        host.encode("idna")  # as `socket` does with every name, before it asks anybody
    except UnicodeError:
        return False
    return host.isprintable() and " " not in host


def member_called(name: str, members: Mapping[int, str]) -> int:
    """Return the id of the member whose address has this host `name`, whole or up to its first dot.

        members  1: chatsys-0.chatsys-members:5001   2: chatsys-1.chatsys-members:5001
        name     chatsys-1 --> 2

    So one file serves all machines, and each finds itself in it by the name that it has anyway.  Nothing is
    counted: pods are numbered from 0 and ids from 1, and which is which stands in the file.
    Raises `ConfigError` if no member is called so, or several are.
    """
    hosts = {node: split_address(address, f"members.{node}")[0].lower() for node, address in members.items()}
    wanted = name.strip().lower()
    found = [node for node, host in hosts.items() if wanted and wanted in (host, _first_label(host))]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"node {node} is at {members[node]}" for node in sorted(members))
    if not found:
        raise ConfigError(
            f"the name is {name[:200]!r}, and no member is called so ({known}); start this node under one of these names, "
            "or name it in members."
        )
    raise ConfigError(
        f"the name {name[:200]!r} is that of the nodes {', '.join(map(str, sorted(found)))} ({known}); give each a name "
        "of its own, or write node into its file."
    )


def _first_label(host: str) -> str:
    """Return a host's own name, up to the first dot; the number of an address has no parts."""
    return host if host.replace(".", "").isdecimal() else host.partition(".")[0]


class _File(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The keys a node's YAML file may have."""

    node: int | None = None
    members: dict[int, str]
    data: str
    cluster: str = "chat"
    quorum: int | str = "majority"
    listen: str = ""
    timing: dict[str, Any] = {}
    limits: Limits = Limits()
    fast_suspect: bool = True
    take_back: bool = True


def _read_yaml(text: str, source: str) -> Any:
    """Return what the YAML `text` says; a key given twice, which plain YAML overwrites, is an error."""
    import yaml  # only who reads a file pays for it: a node process is up sooner without

    class Strict(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            for key in keys:
                if keys.count(key) > 1:
                    raise ConfigError(
                        f"{source}: the key {key} appears twice (line {node.start_mark.line + 1}); remove one."
                    )
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, Loader=Strict)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError(f"{source} is not valid YAML{where}: {problem}.") from None
    except RecursionError:
        raise ConfigError(f"{source} is nested too deeply to be a config.") from None
    except (ValueError, LookupError, AttributeError, TypeError) as error:  # PyYAML's, for `2024-13-45` or `!!int x`
        why = str(error).partition(";")[0]
        raise ConfigError(f"{source} has a value that YAML cannot read ({why}); correct it, or quote it.") from None


def read_node_config(text: str, source: str = "the config", known_as: str | None = None) -> NodeConfig:
    """Parse the YAML `text` of one node's config file; `source` names it in errors.

    `known_as` is the host name of this node, from which its id is found if the file does not tell it.  Raises `ConfigError` with one sentence for bad YAML, unknown keys, wrong types and every
    value that the classes above refuse.
    """
    raw = _read_yaml(text, source)
    try:
        _require(isinstance(raw, Mapping), "it must be a mapping with keys such as node, members and data.")
        file = msgspec.convert(raw, _File)
        timing = dict(file.timing)
        base = Timing.profile(str(timing.pop("profile", "course")))
        known = set(Timing.__struct_fields__)
        for key in timing:
            _require(key in known, f"timing.{key} is not a setting; known are profile, {', '.join(sorted(known))}.")
        for key, value in timing.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            _require(number, f"timing.{key} is {value!r}; give a positive number of seconds.")
        every = msgspec.structs.asdict(base) | timing
        cluster = ClusterConfig(
            members=file.members,
            quorum=count_quorum(file.quorum, len(file.members)),
            cluster=file.cluster,
            timing=msgspec.convert(every, Timing),
            limits=file.limits,
            fast_suspect=file.fast_suspect,
            take_back=file.take_back,
        )
        return NodeConfig(node=_own_id(file, known_as), data=file.data, cluster=cluster, listen=file.listen)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{source}: {_plain(str(error))}") from None
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from None


def _own_id(file: _File, known_as: str | None) -> int:
    """Return who this node is, as the file says, or the name of its machine; if both do they must agree."""
    if known_as is None:
        _require(
            file.node is not None,
            "the key node is missing; add it (deploy/local/node1.yml shows every key), or say by --id-from which "
            "member's name this machine has.",
        )
        assert file.node is not None
        return file.node
    found = member_called(known_as, file.members)
    _require(
        file.node in (None, found),
        f"node is {file.node}, but {known_as!r} is the name of node {found}; leave node out, or correct one of the two.",
    )
    return found


def _plain(error: str) -> str:
    """Say what msgspec found wrong in the words of the file: keys, numbers, text."""
    what, _, path = error.partition(" - at `")
    key = path.strip("`").removeprefix("key` in `$.").removeprefix("$.").removeprefix("$").replace("[...]", "")
    if what.startswith("Object contains unknown field"):
        known = Limits.__struct_fields__ if key else _File.__struct_fields__
        return f"{key + '.' if key else ''}{what.split('`')[1]} is not a setting; known are {', '.join(known)}."
    if what.startswith("Object missing required field"):
        return f"the key {what.split('`')[1]} is missing; add it (deploy/local/node1.yml shows every key)."
    for word, plain in _WORDS.items():
        what = what.replace(f"`{word}", f"`{plain}").replace(f"| {word}`", f"or {plain}`")
    wanted, _, found = what.removeprefix("Expected ").partition(", got ")
    subject = f"a key of {key}" if "key` in" in path else key or "the config"
    return f"{subject} must be {wanted} and is {found}; correct it.".replace("`", "").replace(" |", "")


_WORDS = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false"}
_WORDS |= {"object": "a mapping of keys", "array": "a list", "null": "empty"}
