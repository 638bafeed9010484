"""Log files after every kind of harm, through the real decoder and the real recovery.

    real logs --cut, flipped, torn, lines doubled, swapped, removed, foreign--> decode --> recover --> start

The judge knows which lines were written, so it needs no checksum to say what decoding must do:

    all complete lines are as they were written      exactly these records, the torn rest dropped
    only the last one is not                         the records before it: a crash tears the end
    one before the last is not                       DamagedLog, with the number of the first such line

Whole lines that were doubled, swapped or removed have sound checksums.  Then recovery refuses with
a `LogError`, or a node starts whose log is whole (1, 2, 3, ...) and whose commit lies within it.
No check of single lines can see that the last line, a promise or a commit hint is missing.

Promises  the same seed harms the same logs in the same way.
Read also `actor.logfile` (decode), `protocol.node` (recover), `verify` (compares logs).
"""

from collections.abc import Callable, Sequence
from functools import cache
from random import Random

from chatsys.actor.events import LinkUp
from chatsys.actor.logfile import decode, encode
from chatsys.campaign.fuzz.made import flipped
from chatsys.campaign.fuzz.tally import Tally, watch_for_hangs
from chatsys.campaign.one_seed import Plan, prepare
from chatsys.config import ClusterConfig
from chatsys.errors import DamagedLog, LogError
from chatsys.protocol.messages import Heartbeat, Label
from chatsys.protocol.node import Node
from chatsys.protocol.storage import NODE_RECORDS, Boot, Promised

SOURCES = 6
"""So many schedules are played to have real logs."""
LINES = 60
"""Harmed logs have at most so many lines, so that each line is met often."""

Lines = list[bytes]
Harm = Callable[[Random, Lines], bytes]


def fuzz_logs(logs: int, seed: int, tally: Tally) -> None:
    """Harm this many logs and let nodes start from them."""
    chance = Random(f"{seed}/logs")
    sources = real_logs(SOURCES)
    for count in range(logs):
        if count % 500 == 0:
            watch_for_hangs()
        node, lines = chance.choice(sources)
        whole = lines[: chance.randrange(1, LINES)] if chance.random() < 0.9 else lines
        data = chance.choice(HARMS)(chance, list(whole))
        tally.logs += 1
        with tally.step("a log could not be judged"):
            _start(node, data, {*lines, FOREIGN, STRANGE}, tally)


@cache
def real_logs(schedules: int) -> list[tuple[int, Lines]]:
    """Return (node, lines) of the logs that nodes wrote under faults."""
    found = []
    for seed in range(schedules):
        world = prepare(seed, Plan(seconds=12, calm=1))
        world.run(13)
        found += [
            (node, [encode(record) for record in world.simulation.hosts[node].disk.records]) for node in world.nodes
        ]
    return [(node, lines) for node, lines in found if lines]


# --- harm --------------------------------------------------------------------------------------

FOREIGN = encode(Boot(1, "tea", 9))
STRANGE = encode(Promised(10**30, None))
"""Lines with sound checksums that do not belong here."""


def _cut(chance: Random, lines: Lines) -> bytes:
    data = b"".join(lines)
    return data[: chance.randrange(len(data) + 1)]


def _flip(chance: Random, lines: Lines) -> bytes:
    return flipped(chance, b"".join(lines))


def _flip_and_cut(chance: Random, lines: Lines) -> bytes:
    return _cut(chance, [flipped(chance, b"".join(lines))])


def _hole(chance: Random, lines: Lines) -> bytes:
    data = b"".join(lines)
    at, to = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    return data[:at] + chance.choice((b"", bytes(to - at), chance.randbytes(to - at))) + data[to:]


def _double(chance: Random, lines: Lines) -> bytes:
    at = chance.randrange(len(lines))
    lines.insert(chance.choice((at, len(lines))), lines[at])
    return b"".join(lines)


def _swap(chance: Random, lines: Lines) -> bytes:
    one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def _remove(chance: Random, lines: Lines) -> bytes:
    del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def _foreign(chance: Random, lines: Lines) -> bytes:
    words = (FOREIGN, STRANGE, b"\n", b"{}\n", b"rubbish\n", b"\x00" * 40 + b"\n", b"[" * 3000 + b"\n")
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(words))
    return b"".join(lines)


def _shuffle(chance: Random, lines: Lines) -> bytes:
    chance.shuffle(lines)
    return b"".join(lines)


HARMS: tuple[Harm, ...] = (
    _cut, _cut, _flip, _flip, _flip_and_cut, _hole, _double, _swap, _remove, _remove, _foreign, _shuffle,
)  # fmt: skip


# --- the judge ---------------------------------------------------------------------------------


def _start(node: int, data: bytes, written: set[bytes], tally: Tally) -> None:
    """Decode, recover and start; compare with what the judge knows."""
    *complete, rest = data.split(b"\n")
    wrong = [number for number, one in enumerate(complete, start=1) if one + b"\n" not in written]
    torn = bool(wrong) and wrong[0] == len(complete) and not rest
    try:
        records, dropped = decode(data, NODE_RECORDS)
    except DamagedLog as damage:
        tally.refused += 1
        if not wrong or torn or damage.line != wrong[0]:
            tally.find(f"line {damage.line} was refused although it was sound: {damage.why}")
        return
    if wrong and not torn:
        return tally.find("a broken line before the last one passed in silence")
    kept = complete[:-1] if torn else complete
    if [encode(record) for record in records] != [one + b"\n" for one in kept]:
        tally.find("decoding lost or changed a complete line")
    if dropped != len(data) - sum(len(one) + 1 for one in kept):
        tally.find("the torn rest has another length than decoding says")
    _live(node, records, tally)


def _live(node: int, records: Sequence[object], tally: Tally) -> None:
    """Let a node recover and do a few things."""
    actor = Node(node, ClusterConfig.of(3), Random(1))
    try:
        actor.recover(records)  # type: ignore[arg-type]
    except LogError as error:
        tally.refused += 1
        if not str(error).endswith("."):
            tally.find(f"no sentence: {error}")
        return
    log = actor.log
    if [entry.seq for entry in log.entries] != list(range(1, log.last_seq + 1)) or not 0 <= log.commit <= log.last_seq:
        return tally.find("a node recovered a log with a gap, or a commit beyond its end")
    effects = actor.start(0.0)
    for peer in actor.state.members.others:
        effects += actor.on_message(peer, LinkUp(1), 0.01)
    for number in range(1, 4):
        beat = Heartbeat(actor.state.term + 1, number, log.commit, Label(log.last.term, log.last.seq))
        effects += actor.on_message(actor.state.members.others[0], beat, number * 0.1) + actor.settle(number * 0.1)
    effects += actor.on_time(60.0) + actor.settle(60.0)
    tally.usable += bool(effects)
