"""Log files after every kind of harm, through the real decoder and the real recovery.

    real logs --cut, flipped, pages lost, batches doubled, swapped, removed, foreign--> decode --> recover --> start

The judge knows which batches and marks were written (the *parts* of the file), so it needs no checksum to say
what decoding must do.  Whatever comes of it are the records of the first parts, unchanged, and

    the next part stands where it should             it was not left out
    a later batch, or a mark that covers the next    the log is damaged, and the error names the line where
    part, stands anywhere behind it                  the first part that is not as written begins
    only pages of a last batch without a mark lost   never an error: it was not synced

Lines that were doubled, swapped or removed before the batch was written have a sound checksum.  Then recovery
refuses with a `LogError`, or a node starts whose log is whole (1, 2, 3, ...) and whose commit lies within it.
No check of a file can see that its end is missing.

Promises  the same seed harms the same logs in the same way.
Read also `actor.logfile` (decode), `protocol.node` (recover), `verify` (compares logs).
"""

from collections.abc import Callable, Sequence
from functools import cache
from random import Random

from chatsys.actor.events import LinkUp
from chatsys.actor.logfile import batch, decode, encode
from chatsys.campaign.fuzz.made import flipped
from chatsys.campaign.fuzz.tally import Tally, watch_for_hangs
from chatsys.campaign.one_seed import Plan, prepare
from chatsys.config import ClusterConfig
from chatsys.errors import DamagedLog, LogError
from chatsys.faults import KINDS
from chatsys.protocol.messages import Heartbeat, Label
from chatsys.protocol.node import Node
from chatsys.protocol.storage import NODE_RECORDS, Boot, Promised

SOURCES = 6
"""So many schedules are played to have real logs."""
PARTS = 40
"""Harmed logs have at most so many parts, so that each one is met often."""
PAGE = 128
MARK = b'{"type":"synced"'

Parts = list[bytes]
Harm = Callable[[Random, Parts], bytes]


def fuzz_logs(logs: int, seed: int, tally: Tally) -> None:
    """Harm this many logs and let nodes start from them."""
    chance = Random(f"{seed}/logs")
    sources = real_logs(SOURCES)
    for count in range(logs):
        if count % 500 == 0:
            watch_for_hangs()
        node, parts = chance.choice(sources)
        whole = parts[: chance.randrange(1, PARTS)] if chance.random() < 0.9 else parts
        tally.logs += 1
        with tally.step("a log could not be judged"):
            if chance.random() < 0.3:
                _rewrite(chance, node, whole, tally)
                continue
            harm = chance.choice(HARMS)
            if harm is _lose_pages and whole[-1].startswith(MARK):
                whole = whole[:-1]
            _start(node, harm(chance, list(whole)), whole, harm is _lose_pages, tally)


@cache
def real_logs(schedules: int) -> list[tuple[int, Parts]]:
    """Return (node, batches and marks) of the logs that nodes wrote under faults."""
    found = []
    for seed in range(schedules):
        world = prepare(seed, Plan(kinds=KINDS, seconds=12, calm=1))
        world.run(13)
        found += [(node, world.simulation.hosts[node].disk.parts()) for node in world.nodes]
    return [(node, parts) for node, parts in found if parts]


# --- harm to the file ----------------------------------------------------------------------------

FOREIGN = encode(Boot(1, "tea", 9))
STRANGE = encode(Promised(10**30, None))
"""Lines that do not belong here."""


def _cut(chance: Random, parts: Parts) -> bytes:
    data = b"".join(parts)
    return data[: chance.randrange(len(data) + 1)]


def _flip(chance: Random, parts: Parts) -> bytes:
    return flipped(chance, b"".join(parts))


def _flip_and_cut(chance: Random, parts: Parts) -> bytes:
    return _cut(chance, [flipped(chance, b"".join(parts))])


def _hole(chance: Random, parts: Parts) -> bytes:
    data = b"".join(parts)
    at, to = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    return data[:at] + chance.choice((b"", bytes(to - at), chance.randbytes(to - at))) + data[to:]


def _zero_pages(chance: Random, parts: Parts) -> bytes:
    """Turn some pages, wherever they are, into zeros."""
    data = bytearray(b"".join(parts))
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(0, len(data), PAGE)
        data[at : at + PAGE] = bytes(len(data[at : at + PAGE]))
    return bytes(data)


def _lose_pages(chance: Random, parts: Parts) -> bytes:
    """Let any pages of the last batch be missing, with or without the end of the file."""
    *sound, last = parts
    data = bytearray(last)
    for at in range(-chance.randrange(PAGE), len(data), PAGE):
        if chance.random() < 0.5:
            start, end = max(at, 0), min(at + PAGE, len(data))
            data[start:end] = bytes(end - start)
    if chance.random() < 0.4:
        del data[chance.randrange(len(data)) :]
    return b"".join(sound) + data + bytes(chance.choice((0, 0, 1, PAGE)))


def _double(chance: Random, parts: Parts) -> bytes:
    at = chance.randrange(len(parts))
    parts.insert(chance.choice((at, len(parts))), parts[at])
    return b"".join(parts)


def _swap(chance: Random, parts: Parts) -> bytes:
    one, two = chance.randrange(len(parts)), chance.randrange(len(parts))
    parts[one], parts[two] = parts[two], parts[one]
    return b"".join(parts)


def _remove(chance: Random, parts: Parts) -> bytes:
    del parts[chance.randrange(len(parts))]
    return b"".join(parts)


def _foreign(chance: Random, parts: Parts) -> bytes:
    words = (FOREIGN, batch(999, FOREIGN), b"\n", b"{}\n", b"rubbish\n", b"\x00" * 40 + b"\n", b"[" * 3000 + b"\n")
    parts.insert(chance.randrange(len(parts) + 1), chance.choice(words))
    return b"".join(parts)


def _shuffle(chance: Random, parts: Parts) -> bytes:
    chance.shuffle(parts)
    return b"".join(parts)


HARMS: tuple[Harm, ...] = (
    _cut, _cut, _flip, _flip, _flip_and_cut, _hole, _zero_pages, _zero_pages, _lose_pages, _lose_pages, _double, _swap,
    _remove, _foreign, _shuffle,
)  # fmt: skip


# --- the judge ---------------------------------------------------------------------------------


def _start(node: int, data: bytes, parts: Parts, unsynced: bool, tally: Tally) -> None:
    """Decode, recover and start; compare with what the judge knows."""
    batches = [part for part in parts if not part.startswith(MARK)]
    try:
        log = decode(data, NODE_RECORDS)
    except DamagedLog as damage:
        tally.refused += 1
        at, wrong = _first_wrong(data, parts)
        line = 1 + data.count(b"\n", 0, at)
        if unsynced:
            tally.find(f"a batch that was not synced was called damage: {damage.why}")
        elif wrong is None:
            tally.find(f"line {damage.line} was refused although all was sound: {damage.why}")
        elif damage.line < line or (damage.line > line and not wrong.startswith(MARK)):
            tally.find(f"line {damage.line} was refused instead of line {line}: {damage.why}")
        return
    kept = log.number
    lines = [line for part in batches[:kept] for line in part.splitlines(keepends=True)[1:]]
    if [encode(record) for record in log.records] != lines:
        return tally.find("decoding lost or changed a line of a batch that it took for whole")
    rest = data[_end_of(data, batches[:kept]) :]
    if kept < len(batches) and rest.startswith(batches[kept]):
        tally.find("a whole batch was left out")
    later = [*batches[kept + 1 :], *(part for part in parts[_place(parts, kept) :] if part.startswith(MARK))]
    if any(part in rest for part in later):
        tally.find("a batch that was synced was left out in silence")
    if log.torn > len(rest):
        tally.find("the torn rest is longer than what stands behind the last batch")
    _live(node, log.records, tally)


def _first_wrong(data: bytes, parts: Parts) -> tuple[int, bytes | None]:
    """Return where the first part begins that is not as written, and that part; None if all of `data` is as written."""
    at = 0
    for part in parts:
        if at == len(data):
            return at, None
        if not data.startswith(part, at):
            return at, part
        at += len(part)
    return at, None if at == len(data) else b""


def _end_of(data: bytes, batches: Parts) -> int:
    """Return where the last of these batches ends in `data`."""
    at = 0
    for part in batches:
        at = data.index(part, at) + len(part)
    return at


def _place(parts: Parts, kept: int) -> int:
    """Return the place in `parts` of the batch behind the first `kept` ones."""
    places = [place for place, part in enumerate(parts) if not part.startswith(MARK)]
    return places[kept] if kept < len(places) else len(parts)


def _rewrite(chance: Random, node: int, parts: Parts, tally: Tally) -> None:
    """Let the lines have been harmed before they were written: the file is sound, and its meaning may be none."""
    lines = [line for part in parts if not part.startswith(MARK) for line in part.splitlines(keepends=True)[1:]]
    match chance.randrange(4):
        case 0:
            lines.insert(chance.choice((at := chance.randrange(len(lines)), len(lines))), lines[at])
        case 1:
            one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[one], lines[two] = lines[two], lines[one]
        case 2:
            del lines[chance.randrange(len(lines))]
        case _:
            lines.insert(chance.randrange(len(lines) + 1), chance.choice((FOREIGN, STRANGE)))
    log = decode(batch(1, b"".join(lines)), NODE_RECORDS)
    if [encode(record) for record in log.records] != lines:
        return tally.find("decoding lost or changed a line")
    _live(node, log.records, tally)


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
