"""Control: what a cluster and its node processes tell each other, and how a process is stopped.

    cluster --Begin, ApplyRules, AskStatus, GiveCommand, End--> process       one JSON line each, through its stdin
    cluster <--Ready, Traced, StatusReply, Failed-- process                   through the pipe that was its stdout

The end of the first pipe ends the process: that is how no process outlives its cluster.
Pause goes through the functions below, which say in a sentence what a system cannot do.

Read also `process` (the cluster's end), `child` (the process's end).
"""

from typing import Any

import msgspec

from chatsys.capabilities import PAUSING, need
from chatsys.config import ClusterConfig
from chatsys.errors import NotHere
from chatsys.runtime.net.rules import RuleSet
from chatsys.trace import Record


class Begin(msgspec.Struct, tag=True):
    """Be this node.  `classes` is the packed (actor class, parts), in base64; `path` is sys.path, or empty."""

    node: int
    config: ClusterConfig
    data: str
    origin: float
    life: int
    seed: int | None
    rules: RuleSet
    classes: str
    path: list[str]


class ApplyRules(msgspec.Struct, tag=True):
    """From now on these link rules hold."""

    rules: RuleSet


class AskStatus(msgspec.Struct, tag=True):
    """Tell your status; the answer carries the same number."""

    number: int


class GiveCommand(msgspec.Struct, tag=True):
    """Give the actor this command, packed and in base64."""

    packed: str


class End(msgspec.Struct, tag=True):
    """Stop in good order; `politely`: after handing over what this node leads."""

    politely: bool = False


class Ready(msgspec.Struct, tag=True):
    """The node listens."""

    incarnation: int


class Traced(msgspec.Struct, tag=True):
    """What happened in one turn."""

    records: list[Record]


class StatusReply(msgspec.Struct, tag=True):
    """The status asked for."""

    number: int
    status: dict[str, Any]


class Failed(msgspec.Struct, tag=True):
    """The node ended by itself; `error` names a class of `chatsys.errors`."""

    error: str
    sentence: str


ToNode = Begin | ApplyRules | AskStatus | GiveCommand | End
FromNode = Ready | Traced | StatusReply | Failed

to_node: msgspec.json.Decoder[ToNode] = msgspec.json.Decoder(ToNode)
from_node: msgspec.json.Decoder[FromNode] = msgspec.json.Decoder(FromNode)
_encoder = msgspec.json.Encoder()


def line(value: msgspec.Struct) -> bytes:
    """Return one message as a line."""
    return _encoder.encode(value) + b"\n"


def pause(pid: int) -> None:
    """Stop a process until `resume` (SIGSTOP where there are signals)."""
    need("Pausing a process", PAUSING, instead="use where='kernel'")
    _psutil(pid).suspend()


def resume(pid: int) -> None:
    """Let a paused process go on."""
    _psutil(pid).resume()


def _psutil(pid: int) -> Any:
    try:
        import psutil

        return psutil.Process(pid)
    except ImportError:
        raise NotHere("Pausing a process needs psutil, which is not installed; use where='kernel'.") from None
