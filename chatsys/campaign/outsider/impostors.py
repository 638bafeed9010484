"""Impostors: attacks in a member's name.

A member's hello says its id, its life and the cluster's digest.  None of this is secret, so anybody
can say it.  What must protect the cluster is that nothing said in a member's name is believed
until the member's own address confirms it (SPECIFICATION, chapter 2).

    hello     six lines: each member's name at each other one, in the life 10^9
    replay    hellos as they were heard, older ones, one's own id, a wrong digest, other fields
    ceiling   one refusal at each node, in the highest term that the wire can carry
    frames    every kind of frame, thousands a second
    half-open a link in a member's name that is never read

Read also `forged` (the frames), `attacks` (the table), `visit`.
"""

import socket
import time
from contextlib import suppress
from typing import Any

from chatsys.campaign.outsider.forged import CEILING, forged
from chatsys.campaign.outsider.visit import RawLink, Spy, Visit, written

FAR_LIFE = 10**9
"""A life that no member reaches: after it every true hello is an old one."""
RATE, TICK = 10_000, 0.02
"""Frames a second in members' names, and how often a part of them is sent."""
NEW_LINKS = 100
"""At most so many new links a second for these frames."""
ANSWERS = 0.3
"""The share of these links on which an answer is guessed."""


def half_open(visit: Visit) -> None:
    """Say hello in a member's name and never read; close only the sending side of some."""
    held: list[RawLink] = []
    while visit.going:
        for name, node in visit.pairs:
            link = visit.connect(node, 0.2)
            if link is None:
                continue
            with suppress(OSError):
                link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            visit.say(link, written(visit.member_hello(name)))
            if visit.chance.random() < 0.3:
                with suppress(OSError):
                    link.socket.shutdown(socket.SHUT_WR)
            held.append(link)
        while len(held) > 300:
            held.pop(0).close()
        visit.wait(0.1)
    for link in held:
        link.close()


def hello(visit: Visit) -> None:
    """Say six lines at once: the hello of each member to each other one, in a life that no member reaches.

    All six must be there before one node has asked another: a node that believes one of them asks the
    member itself, and is told the truth unless that member has just been told the same lie about it.
    """
    links = [(visit.connect(node), name) for name, node in visit.pairs]
    for link, name in links:
        if link is not None:
            visit.say(link, written(visit.member_hello(name, FAR_LIFE)))
    visit.wait(1.0)
    for link, _ in links:
        if link is not None:
            link.close()
    visit.wait(visit.end - time.monotonic())


def replay(visit: Visit) -> None:
    """Say hellos as members said them, of older and later lives, of the node itself, with wrong fields."""
    while visit.going:
        for name, node in visit.pairs:
            link = visit.connect(node, 0.2)
            if link is None:
                continue
            visit.say(link, written(_varied(visit, name, node)))
            if visit.chance.random() < 0.1:
                link.heard(0.02)
            link.close()
        visit.wait(0.01)


def _varied(visit: Visit, name: int, node: int) -> dict[str, Any]:
    """Return a hello of the member `name` for `node`, true or with something changed."""
    true = visit.member_hello(name)
    life = true["incarnation"]
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"incarnation": life + 1},
        {"incarnation": max(1, life - 1)},
        {"incarnation": CEILING},
        {"node": node, "incarnation": life + 7},
        {"config_digest": "0" * 12},
        {"address": "127.0.0.1:9"},
        {"node": 99},
        {"role": "client", "name": f"node {name}"},
        {"challenge": ""},
        {"challenge": visit.told.get(node, {}).get("challenge", "0" * 32)},
        {"identity": visit.told.get(node, {}).get("identity", {"name": "f" * 32, "nonces": ["f" * 16]})},
        {"identity": {"name": "0" * 32, "nonces": ["1" * 16, "2" * 16]}},
    )
    return true | visit.chance.choice(changes)


def ceiling(visit: Visit) -> None:
    """Say three lines behind a hello: a refusal in a member's name and the highest term there is, at each node."""
    for node in visit.nodes:
        name = next(other for other in visit.nodes if other != node)
        link = visit.connect(node)
        if link is not None:
            visit.say(link, written(visit.member_hello(name)))
            visit.say(link, link.frame({"type": "ACK", "term": CEILING, "ok": False}))
            link.heard(0.5)
            link.close()
    visit.wait(visit.end - time.monotonic())


def frames(visit: Visit) -> None:
    """Say every kind of frame in every member's name, up to 10,000 a second."""
    spy = Spy(visit, visit.nodes[0])
    links: dict[tuple[int, int], RawLink | None] = dict.fromkeys(visit.pairs)
    room = 0.0
    while visit.going:
        began = time.monotonic()
        spy.look()
        room = min(room + NEW_LINKS * TICK, 12.0)
        for pair in links:
            link = links[pair]
            if link is None and room >= 1.0:
                room -= 1.0
                link = _posing(visit, *pair)
            links[pair] = _say_some(visit, link, spy, pair)
        visit.wait(TICK - (time.monotonic() - began))
    for link in links.values():
        if link is not None:
            link.close()


def _posing(visit: Visit, name: int, node: int) -> RawLink | None:
    """Return a link to `node` on which the hello of the member `name` was said, and perhaps a guessed answer.

    An answer repeats the challenge that a node sent to the member's address (SPECIFICATION, chapter 2).
    """
    link = visit.connect(node, 0.2)
    if link is not None:
        mine = f"{visit.chance.getrandbits(128):032x}"
        hello = visit.member_hello(name) | {"challenge": mine}
        hello["incarnation"] += visit.chance.choice((0, 0, 1))
        answers = ("", mine, visit.told.get(node, {}).get("challenge", "0" * 32))
        answer = {"type": "answer", "challenge": visit.chance.choice(answers)}
        visit.say(link, written(hello), *([written(answer)] if visit.chance.random() < ANSWERS else []))
    return link


def _say_some(visit: Visit, link: RawLink | None, spy: Spy, pair: tuple[int, int]) -> RawLink | None:
    """Say this link's share of the frames of one tick; return the link, None if it has ended."""
    if link is None:
        return None
    some = int(RATE * TICK / len(visit.pairs))
    said = [link.frame(forged(visit.chance, spy, *pair)) for _ in range(some)]
    if visit.say(link, *said) and link.heard() is not None:
        return link
    link.close()
    return None
