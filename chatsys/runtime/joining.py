"""Joining: a learner in a terminal or a container; it knows one address, and asks there for the rest.

    python -m chatsys node --join 127.0.0.1:5001 --id 4 --data data/node4

    ask whoever listens there --> the cluster's name, members, quorum, timing, limits --> a node like any other
                 `--nobody--> what this folder was told before, if it was

What is wrong with the arguments is said before anything is started or written.  Whether the id is free only the
leader knows; the learner hears it later, and stops with a sentence if it is not.

Read also `service` (the node's life), `finding` (the question), `protocol.learning.learner` (what a learner does).
"""

import asyncio
from pathlib import Path

import msgspec

from chatsys.actor.logfile import LOG
from chatsys.config import ClusterConfig, NodeConfig, split_address
from chatsys.errors import ChatsysError, ForeignLog, UsageError
from chatsys.protocol.learning.learner import Learner
from chatsys.protocol.learning.records import Joined
from chatsys.runtime.finding import NobodyAnswers, ask_config
from chatsys.runtime.service import run_node
from chatsys.surroundings import place

USUAL_PORT = 5000
"""Learner 4 listens on port 5004, if nothing else is said."""
PATIENCE = 3.0
"""Seconds within which the node that is asked must answer a learner that knows nothing yet."""
WILDCARDS = ("0.0.0.0", "::", "[::]")
"""To listen at all addresses is no address: what is told to the others is where the learner listens."""
JOINED = b'{"type":"joined",'
"""So begins the record of what a learner was told of its cluster."""


class Newcomer(msgspec.Struct, frozen=True, kw_only=True):
    """What people say of a learner: who it is, and where it finds the cluster."""

    node: int
    asks: str
    """The address of the node that it asks."""
    data: str
    listen: str
    cluster: str = "chat"


def run_learner(one: Newcomer, verbose: bool = False, *, loop: str = "asyncio", log: str = "text") -> None:
    """Run a learner until it is told to end; raises `ChatsysError` if it cannot run (any longer)."""
    split_address(one.asks, "--join")
    listen = one.listen or f"127.0.0.1:{USUAL_PORT + one.node}"
    host, _ = split_address(listen, "--listen")
    if host in WILDCARDS:
        raise UsageError(
            f"--listen is {listen!r}, which the others cannot dial; write an address or the name of this machine, as they "
            "reach it."
        )
    config, through = _cluster(one, known(place(one.data)))
    own = NodeConfig(node=one.node, data=one.data, cluster=config, listen=listen, through=through)
    try:
        run_node(own, verbose, actor=Learner, loop=loop, log=log)
    except ForeignLog as error:  # whoever reads the records does not know where they lie
        named = one.data in str(error)
        raise ForeignLog(str(error) if named else f"{one.data}: {error}") from None


def _cluster(one: Newcomer, before: ClusterConfig | None) -> tuple[ClusterConfig, int]:
    """Return the configuration of the cluster, and whom to listen to first."""
    if before is not None and before.cluster != one.cluster:
        raise UsageError(
            f"The folder {one.data} is that of a learner of the cluster {before.cluster!r}; write --cluster {before.cluster}, or name "
            "another folder."
        )
    try:
        hello, config = asyncio.run(ask_config(one.asks, one.cluster, one.node, 0.0 if before else PATIENCE))
    except NobodyAnswers:
        if before is None:
            raise
        return before, before.ids[0]
    if hello.node not in config.members:  # a learner was asked: it says whom it knows
        return config, config.ids[0]
    return config, hello.node


def known(folder: Path) -> ClusterConfig | None:
    """Return what the learner of this folder was told of its cluster last; None if it was never told.

    Only this one record is looked at; whether the log is sound is seen when it is opened.
    """
    try:
        data = (folder / LOG).read_bytes()
    except OSError:
        return None
    start = data.rfind(JOINED)
    if start < 0:
        return None
    try:
        return msgspec.json.decode(data[start:].partition(b"\n")[0], type=Joined).config
    except (msgspec.DecodeError, ChatsysError, ValueError):
        return None
