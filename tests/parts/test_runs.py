"""A door for several frames of one sender: what comes of it is what comes of the door for one, frame after frame.

Two equal nodes hear the same, one of them in runs.  Runs are drawn to mix what follows on each other with what does not:
repeated and missing numbers, strangers' sessions, texts that are refused, frames of older and of newer terms, other leaders,
and alarms that are due before and inside.
"""

from random import Random
from typing import Any

import msgspec
import pytest
from by_hand import chat, config, leader, node
from runs import joined

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append
from chatsys.actor.events import DiskSpace, StandDown
from chatsys.errors import BrokenInvariant
from chatsys.protocol.messages import (
    Ack,
    Coordinator,
    Election,
    Entry,
    Heartbeat,
    HeartbeatAck,
    Label,
    PeerInfo,
    Prepare,
    Propose,
    Submit,
    Subscribe,
)
from chatsys.protocol.node import Node

CLIENTS = ("c", "d")


def said(random: Random, one: Node) -> list[msgspec.Struct]:
    """What a client's link brings at once: mostly what follows on each other."""
    client = random.choice(CLIENTS)
    known, ahead = one.sessions.table.sessions.get(client, []), one.sessions.ahead.get(client, [])
    session = (known or ahead or [7])[0]
    number = len(known) + len(ahead) + random.choice((0, 0, 0, 0, -1, 1))  # of the message before
    found: list[msgspec.Struct] = []
    for _ in range(random.randint(1, 8)):
        match random.choice(
            ("next",) * 24 + ("again", "gap", "other", "session", "empty", "open", "listen", "changed")
        ):
            case "next":
                number += 1
            case "again":
                number = max(0, number - random.randint(1, 3))
            case "gap":
                number += 2
            case "other":
                client, number = random.choice(CLIENTS), random.randint(1, 4)
            case "session":
                session = random.randint(0, 9)
            case "empty":
                found.append(Submit(client, max(1, number), "main", "ann", " ", session=session))
            case "open":
                found.append(Submit(client, 0, "", "", ""))
            case "listen":
                found.append(Subscribe())
            case "changed":
                found.append(Submit(client, max(1, number), "main", "bob", "another text", session=session))
        at = max(1, number - 1)
        found.append(Submit(client, at, "main", "ann", f"text {at}", session=session))
    return found


def told(random: Random, one: Node, sender: int, leaders: dict[int, int]) -> list[msgspec.Struct]:
    """What the link of a member brings at once: of this term mostly, and of others; each term has one leader, as a rule."""
    if one.state.leads:
        leaders[one.state.term] = 3
    found: list[msgspec.Struct] = []
    for _ in range(random.randint(1, 5)):
        term = max(1, one.state.term + random.choice((0,) * 20 + (-1, 1)))
        last = one.log.last_seq
        end = max(0, last + random.randint(-2, 1))
        prev = Label(one.log.term_at(end) if end <= last else term, end) if end else Label(0, 0)
        kind = random.choice(("ack", "ack", "propose", "propose", "beat", "heard", "prepare", "elect", "leads"))
        says = max(term, prev.term) if kind == "propose" else term
        if (
            kind in ("propose", "beat", "leads")
            and leaders.setdefault(says, sender) != sender
            and random.random() < 0.999
        ):
            continue
        match kind:
            case "ack":
                found.append(Ack(term, True, match=end))
            case "propose":
                new = tuple(chat(end + 1 + at, says) for at in range(random.randint(0, 3)))
                found.append(Propose(says, prev, new, min(end, one.log.commit + 1)))
            case "beat":
                found.append(Heartbeat(term, random.randint(1, 9), one.log.commit, Label(1, max(1, end))))
            case "heard":
                found.append(HeartbeatAck(term, True, random.randint(1, 9), verified=end))
            case "prepare":
                found.append(Prepare(term))
            case "elect":
                found.append(Election(term, random.randint(1, 9)))
            case "leads":
                found.append(Coordinator(term, PeerInfo(sender, ""), last + 1, one.log.commit))
    return found


def state_of(one: Node) -> Any:
    """Everything that the next frames rest on."""
    sessions, log = one.sessions, one.log
    sessions._positions("")  # it reads the log when it is asked
    alarms = [part.alarms.dates for part in one.parts]
    facts = (log.entries, log.commit, log.verified, sessions.ahead, sessions.chat, sessions.held, sessions.delivered)
    waiting = [[*sessions.forwarding.waiting.items()], [*sessions.forwarding.older.items()]]
    return one.status(), one.state.promised_to, alarms, facts, sessions.table.sessions, waiting


def outcome(door: Any, *facts: Any) -> list[Any] | str:
    """What a door returns, or the sentence with which it ends its node."""
    try:
        return joined(door(*facts))
    except (BrokenInvariant, AssertionError) as error:
        return str(error)


def one_by_one(one: Node, sender: Any, messages: list[msgspec.Struct], now: float) -> list[Any]:
    return [effect for message in messages for effect in one.on_message(sender, message, now)]


@pytest.mark.parametrize("seed", range(20))
def test_frames_that_come_together_do_what_each_would_do_alone(seed: int) -> None:
    random, count, numbered = Random(seed), 0, 0
    for _ in range(8):
        begin = random.choice((leader, leader, node))
        together, alone = begin(3), begin(3)
        for one in (together, alone):
            for client in CLIENTS:
                one.on_message("ann", Submit(client, 0, "", "", ""), 0.0)
        now, leaders = 0.0, dict[int, int]()
        for _ in range(125):
            now += random.choice((0.0, 0.001, 0.01, 0.05)) if random.random() < 0.97 else 0.5
            if random.random() < 0.05:
                order = random.choice((DiskSpace(True), DiskSpace(False), DiskSpace(False), StandDown()))
                assert outcome(together.on_command, order, now) == outcome(alone.on_command, order, now)
            sender: int | str = random.choice(("ann", "bob") if random.random() < 0.9 else (1, 2))
            messages = told(random, alone, sender, leaders) if isinstance(sender, int) else said(random, alone)
            seen = outcome(together.on_messages, sender, messages, now)
            assert seen == outcome(one_by_one, alone, sender, messages, now), (sender, messages)
            if isinstance(seen, str):
                break
            count += 1
            numbered += any(isinstance(effect, Append) and len(effect.items) > 1 for effect in seen)
            if random.random() < 0.5:
                assert outcome(together.settle, now) == outcome(alone.settle, now)
            assert state_of(together) == state_of(alone)
            if random.random() < 0.3 and alone.state.leads:  # what it wrote itself is on its disk
                own = Ack(alone.state.term, True, match=alone.log.last_seq)
                assert outcome(together.on_message, 3, own, now) == outcome(alone.on_message, 3, own, now)
    assert count > 850 and numbered > 50, "few of the thousand were cut short, and many came to be a run in the log"


def test_a_run_of_a_client_is_one_run_in_the_log_and_one_frame_may_end_it() -> None:
    three = leader(3)
    three.on_message("ann", Submit("c", 0, "", "", ""), 0.1)
    run = [Submit("c", number, "main", "ann", f"{number}", session=2) for number in (1, 2, 3)]
    early, late = Submit("c", 9, "main", "ann", "9", session=2), Submit("c", 4, "main", "ann", "4", session=2)
    first, answer, last = three.on_messages("ann", [*run, early, late], 0.1)
    assert [stored.entry.text for stored in first.items] == ["1", "2", "3"]
    assert answer.message.status == "gap" and [stored.entry.text for stored in last.items] == ["4"]
    assert [entry.seq for entry in three.log.entries] == [*range(1, 7)]
    assert isinstance(three.log.entries[-1], Entry)


@pytest.mark.parametrize("reason", ["low", "handing_over"])
def test_a_leader_that_numbers_nothing_numbers_no_run_either(reason: str) -> None:
    three = leader(3)
    three.on_message("ann", Submit("c", 0, "", "", ""), 0.1)
    setattr(three.state, reason, True)
    run = [Submit("c", number, "main", "ann", f"{number}", session=2) for number in (1, 2)]
    answers = three.on_messages("ann", run, 0.1)
    assert [one.message.status for one in answers] == [{"low": "busy", "handing_over": "redirect"}[reason]] * 2


def test_nothing_that_a_refused_member_passes_on_is_numbered_not_even_as_a_run() -> None:
    three = leader(3)
    three.on_message("ann", Submit("c", 0, "", "", ""), 0.1)
    run = [Submit("c", number, "main", "ann", f"{number}", session=2, via=2) for number in (1, 2)]
    three.state.refused[2] = "it came back on another disk"
    assert three.on_messages(2, run, 0.1) == [] and three.log.last_seq == 2


def test_an_actor_without_a_door_for_several_frames_is_told_them_one_after_the_other() -> None:
    class Teller(Actor):
        def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> list[Any]:
            return [(sender, message, now)]

    one, other = Ack(1, True, match=1), Ack(1, True, match=2)
    told = Teller(3, config(), Random(1)).on_messages("ann", [one, other], 0.5)
    assert told == [("ann", one, 0.5), ("ann", other, 0.5)]
