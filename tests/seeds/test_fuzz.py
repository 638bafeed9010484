"""Rubbish by the thousand: no exception leaves a connection or a node, and no harm to a log passes in silence."""

import json
import re
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from by_hand import chat, recovered
from typed import Run, refused

from chatsys.actor.effects import Effects
from chatsys.campaign.fuzz import fuzz
from chatsys.campaign.fuzz.made import Maker, spoilt
from chatsys.errors import DamagedLog, FrameError, UsageError
from chatsys.protocol import recovery
from chatsys.protocol.log import Log
from chatsys.protocol.messages import NODE_MESSAGES, Entry
from chatsys.protocol.storage import Boot, CommitHint, Promised, Stored, Truncate
from chatsys.runtime.net.links import Inbound, Link, Outbound
from chatsys.runtime.net.transport import Transport
from chatsys.runtime.net.wire import Codec


def test_thousands_of_frames_logs_and_connections_find_nothing() -> None:
    """`chatsys prove` does the same with ten times as many, five times."""
    result = fuzz(frames=2000, logs=300, connections=250, seed=5)
    assert result["findings"] == []
    assert (result["frames"], result["logs"], result["connections"]) == (2000, 300, 250)
    assert result["logs_refused"] > 50 and result["logs_usable"] > 50
    assert result["logs_refused"] + result["logs_usable"] == 300


def test_nothing_to_do_is_refused() -> None:
    with pytest.raises(UsageError, match="0 frames, 0 logs and 0 connections are nothing to fuzz with"):
        fuzz(0, 0, 0)


def test_a_node_that_trusts_every_batch_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def splice(self: Log, entries: Sequence[Entry], after: int | None = None) -> Effects:
        return [self.append(entry) for entry in entries]

    monkeypatch.setattr(Log, "splice", splice)
    findings = fuzz(frames=4000, logs=0, connections=0, seed=5)["findings"]
    assert any("an entry stands at the position it names" in one["finding"] for one in findings)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # so broken, a link may leave its socket open too
@pytest.mark.parametrize(("frames", "connections"), [(2000, 0), (0, 500)])
def test_a_link_that_lets_out_what_its_connection_raises_is_found_out(
    monkeypatch: pytest.MonkeyPatch, frames: int, connections: int
) -> None:
    for kind in (Link, Inbound, Outbound):
        for name, use in list(vars(kind).items()):
            if hasattr(use, "__wrapped__"):
                monkeypatch.setattr(kind, name, use.__wrapped__)
    told = re.compile("an exception left a connection|Transport endpoint is not connected")
    tries = range(5, 25 if connections else 6)  # a real connection must end in the same instant in which it is used
    assert any(
        told.search(one["finding"]) for seed in tries for one in fuzz(frames, 0, connections, seed=seed)["findings"]
    )


def test_a_bug_that_a_link_contains_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def claim(self: Transport, link: Inbound, hello: Any) -> str | None:
        raise KeyError("sender")

    monkeypatch.setattr(Transport, "claim", claim)
    for frames, connections in ((400, 0), (0, 100)):
        findings = fuzz(frames, 0, connections, seed=5)["findings"]
        assert any("KeyError: 'sender'" in one["finding"] for one in findings)


def test_a_node_that_recovers_without_looking_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "misfit", lambda *facts: None)
    findings = fuzz(frames=0, logs=300, connections=0, seed=5)["findings"]
    assert any("recovered a log with a gap" in one["finding"] for one in findings)


def test_every_kind_of_message_is_made_up_and_travels() -> None:
    chance = Random(1)
    codec, maker = Codec(NODE_MESSAGES), Maker(chance)
    for kind in NODE_MESSAGES:
        for _ in range(50):
            message = maker.anything(kind)
            line = codec.write(1, 1, message)[:-1]
            try:
                assert codec.read(line)[2] == message
            except FrameError as refused:
                assert "malformed" in str(refused)
    whole = codec.write(1, 1, message)
    assert len({spoilt(chance, whole) for _ in range(200)}) > 100


@pytest.mark.parametrize(
    "records, why",
    [
        ([Stored(chat(1)), Stored(chat(3))], "line 2 (entry 3 follows entry 1)"),
        ([Stored(chat(1)), Stored(chat(1))], "line 2 (entry 1 follows entry 1)"),
        ([Boot(1, "chat", 2), Boot(1, "chat", 2)], "line 2 (life 1 follows life 1)"),
        ([Boot(2, "chat", 2), Boot(1, "chat", 2)], "line 2 (life 1 follows life 2)"),
        ([Promised(5, 1), Promised(4, 3)], "line 2 (a promise for term 4 follows one for term 5)"),
        ([Truncate(1)], "line 1 (entries from 1 on are voided, but there are 0)"),
        ([Stored(chat(1)), Truncate(0)], "line 2 (entries from 0 on are voided"),
        ([Stored(chat(1)), CommitHint(2)], "line 2 (entries up to 2 are committed, but there are 1)"),
    ],
)
def test_whole_lines_that_do_not_follow_each_other_are_damage(records: list[Any], why: str) -> None:
    with pytest.raises(DamagedLog) as caught:
        recovered(*records)
    assert f"The log of node 2 is damaged at {why}" in str(caught.value)


def test_the_command_tells_what_it_did(run: Run) -> None:
    code, out, _ = run("fuzz", "--frames", 400, "--logs", 40, "--connections", 20, "--json")
    result = json.loads(out)
    assert code == 0 and out.count("\n") == 1
    assert " ".join(result) == (
        "frames logs connections seed seconds slowest_step memory_kept_mb nodes_stopped_themselves logs_refused "
        "logs_usable findings"
    )
    code, out, _ = run("fuzz", "--frames", 400, "--logs", 40, "--connections", 20)
    assert code == 0 and "held: nothing was raised, hung or grew" in out
    refused(run("fuzz", "--frames", 0, "--logs", 0, "--connections", 0), "nothing to fuzz with")
    refused(run("fuzz", "--frames", -1), "--frames")
