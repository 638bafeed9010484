"""Bad input to the simulator's tools: each gets its sentence, and nothing is done by halves."""

import math
from pathlib import Path
from typing import Any

import pytest

from chatsys import World
from chatsys.errors import TraceError, UsageError
from chatsys.sim.explore import Budget
from chatsys.sim.sweep import Plan
from chatsys.trace import Trace


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    world = World(seed=1)
    world.run(1)
    return world.trace.encode()


def test_a_trace_cut_off_anywhere_is_a_trace_error(saved: bytes) -> None:
    assert len(Trace.decode(saved)) > 10
    for end in range(0, len(saved) - 1, 61):
        with pytest.raises(TraceError) as info:
            Trace.decode(saved[:end], "my.jsonl")
        assert str(info.value).startswith("my.jsonl ") and str(info.value).endswith(".")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"version":', b'"version":9', "has trace version 9.*install a newer chatsys"),
        (b'"version":', b'"version":"a","was":', "is not a readable trace"),
        (b'"trace"', b'"diary"', "is not a chatsys trace; its first line must be a trace header"),
        (b'"meta"', b'"mate"', "is not a readable trace"),
        (b"\n{", b"\n}", "is not a readable trace"),
        (b"\n", b"\n\xff\xfe\n", "is not a readable trace"),
    ],
)
def test_a_newer_foreign_or_damaged_trace_is_a_trace_error(saved: bytes, old: bytes, new: bytes, words: str) -> None:
    assert old in saved
    with pytest.raises(TraceError, match=words):
        Trace.decode(saved.replace(old, new, 1))


def test_a_trace_that_is_not_there_is_a_trace_error(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="cannot be read: No such file"):
        Trace.load(tmp_path / "none.jsonl")
    (tmp_path / "noise").write_bytes(bytes(range(256)))
    with pytest.raises(TraceError, match="is not a readable trace"):
        Trace.load(tmp_path / "noise")


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, "3", None])
def test_time_only_goes_forward(seconds: Any) -> None:
    world = World(seed=1)
    world.run(1)
    for verb in (world.run, lambda limit: world.until(lambda: False, limit=limit)):
        with pytest.raises(UsageError, match="time only goes forward: give a number, 0 or more"):
            verb(seconds)
    assert world.now == 1


@pytest.mark.parametrize("time", [0.5, -1, math.nan])
def test_nothing_can_be_planned_for_the_past(time: float) -> None:
    world = World(seed=1)
    world.run(1)
    with pytest.raises(UsageError, match=r"it is 1.000 s already; give a later time"):
        world.at(time, "heal")


def test_a_budget_of_zero_is_refused() -> None:
    for name in ("states", "seconds", "depth"):
        with pytest.raises(UsageError, match=f"{name} is 0; give a number above 0"):
            Budget(**{name: 0})
    with pytest.raises(UsageError, match="seconds is 0, .*give more than 0 seconds of faults"):
        Plan(seconds=0)
