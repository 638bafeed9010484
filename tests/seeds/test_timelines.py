"""Whole runs, packed for the timeline, say what the worlds themselves say: logs, queues, links, roles and arrows."""

import pytest
from read_timelines import differences, of_records

from chatsys.sim.world import World
from chatsys.teach.labs.lab00 import scenes as lab00
from chatsys.teach.labs.lab01 import friends as ends
from chatsys.teach.labs.lab01 import play as lab01
from chatsys.teach.labs.lab02 import play as lab02
from chatsys.teach.labs.lab03 import friends as queues
from chatsys.teach.labs.lab03 import play as lab03
from chatsys.teach.labs.lab04 import friends as detectors
from chatsys.teach.labs.lab04 import play as lab04
from chatsys.teach.labs.lab05 import friends as elections
from chatsys.teach.labs.lab05 import play as lab05
from chatsys.teach.labs.lab08 import friends as catching_up
from chatsys.teach.labs.lab08 import rejoining as lab08
from chatsys.teach.labs.lab10 import play as lab10
from chatsys.teach.widgets.timeline.packing import pack
from chatsys.trace import Trace


@pytest.mark.parametrize("seed", [0, 3, 5, 8])  # a learner, turns that last, an emptied folder, five nodes
def test_a_run_with_all_faults_is_told_as_it_was(seed: int) -> None:
    assert differences(seed) == [], f"replay: python tests/support/read_timelines.py {seed} {seed + 1}"


def test_the_small_actors_of_the_labs_are_told_as_they_were() -> None:
    chats = (lab02.chat(), lab03.chat(queues.AtOnce))
    for world in (
        *chats,
        lab00.outage(way="cut off"),
        lab04.watch(detectors.OneClock),
        lab05.split(elections.Hasty),
        lab01.talk(None, ends.DeliversAll),
        lab08.rejoin(catching_up.BothAtOnce, gap=20),
        lab10.cut(1, nodes=4, few=(3, 4)).world,
    ):
        assert of_records(world.trace) == []


def test_a_lab_is_told_in_its_own_words() -> None:
    packed = pack(lab03.chat(queues.AtOnce).trace)
    told = [packed.sentence(event) for event in range(len(packed.records))]
    assert "Node 2 delivers message #2, “Not me.” of bob." in told  # its number, whichever delivery of node 2 it is
    assert "Node 3 sends message #1 (ORDERED) to node 1." in told
    assert not [one for one in told if "place" in one], "there is no log, so there are no places"
    assert {rule["name"]: rule["held"] for rule in packed.about["rules"]} == {
        "S1": True, "S2": False, "S3": False, "S4": True, "S9": True,
    }  # fmt: skip
    assert packed.records[packed.about["jumps"]["violation"][0]].kind == "deliver"


def test_where_nothing_but_beats_is_sent_they_are_no_noise() -> None:
    packed = pack(lab04.watch(detectors.OneClock).trace)
    assert packed.about["noise"] == []
    assert "Node 2 sends a heartbeat (BEAT) to node 1." in map(packed.sentence, range(60))
    bands = [band[1:4] for band in packed.about["bands"] if band[0] == 2]
    assert [what for _, _, what in bands] == ["up", "down", "up"], "node 3 has no role, and is back all the same"


def test_the_columns_of_a_run_stay_what_they_are_when_it_goes_on() -> None:
    world = World(5)
    world.at(1.0, "say", "hi")
    world.at(2.5, "crash", 3)
    world.run(2.0)
    before = pack(Trace(world.trace.records[:], world.trace.meta))
    world.run(4.0)
    after = pack(world.trace)
    for name, column in before.columns.items():
        if not name.startswith("frame_") and name != "number":
            assert column.tolist() == after.columns[name][: len(column)].tolist(), name
    assert after.about["strings"][: len(before.about["strings"])] == before.about["strings"]
