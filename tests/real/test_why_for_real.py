"""Why a message did not come in a cluster of real processes: the first half of an answer, and the word "probably"."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatsys import why, why_not
from chatsys.config import Timing
from chatsys.runtime.cluster import Cluster
from chatsys.trace import Trace


@pytest.fixture(scope="module", params=["kernel", "processes"])
def chat(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with Cluster(where=request.param, timing=Timing().scaled(0.5)) as cluster:
        assert cluster.until(lambda: cluster.leader == 3, 15), cluster.status()
        yield cluster


def test_of_a_real_run_why_not_names_what_lay_over_the_wait_and_says_probably(chat: Cluster, tmp_path: Path) -> None:
    chat.cut(1, 3)
    cut = chat.done[-1]
    chat.say("over the cut", node=3)
    assert chat.until(lambda: bool(delivered(chat, "over the cut") >= {2, 3}), 10)
    answer = why_not(chat, "over the cut", node=1)
    assert answer.missing in ("told", "received") and answer.faults == (cut,), str(answer)
    assert "Probably because of this: the link between nodes 1 and 3 was cut from" in str(answer)
    assert not answer.tried and not answer.certain and answer.needed is None and answer.runs == 0

    chat.heal()
    chat.crash(2)
    crash = chat.done[-1]
    chat.say("to two", node=3)
    assert chat.until(lambda: bool(delivered(chat, "to two") >= {1, 3}), 10)
    down = why_not(chat, "to two", node=2)
    assert crash in down.faults and cut not in down.faults, str(down)
    assert "Probably because of this: node 2 was down from" in str(down)

    loaded = Trace.load(chat.trace.save(tmp_path / "a.trace"))
    for given in (loaded, chat.trace):
        again = why_not(given, "over the cut", node=1, before=answer.until)
        assert [fault.verb for fault in again.faults] == ["cut"] and "Probably because of this: the link" in str(again)
    assert "delivered at node 1 at" in str(why(chat, "over the cut", node=1)), "it came when the cut was healed"


def delivered(chat: Cluster, text: str) -> set[int]:
    return {int(r.node) for r in chat.trace.of("deliver") if r.text == text and isinstance(r.node, int)}
