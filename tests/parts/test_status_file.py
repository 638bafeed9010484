"""The status file: whole whenever it is read, fresh while the node turns, and no trouble to it."""

import asyncio
import json
import os
from pathlib import Path

from chatsys.commands.status import leader_of, screen
from chatsys.runtime.disk import Disk
from chatsys.runtime.status_file import STATUS, StatusFile, read, write


def test_a_second_start_leaves_the_file_of_the_node_that_runs_alone(tmp_path: Path) -> None:
    disk = Disk(tmp_path, ())
    write(tmp_path / STATUS, b'{"state":"up"}')
    StatusFile(tmp_path, dict).begin()
    assert read(tmp_path) is not None
    disk.gone()
    StatusFile(tmp_path, dict).begin()
    assert read(tmp_path) is None


def test_the_file_says_how_the_node_is_and_in_the_end_that_it_stopped(tmp_path: Path) -> None:
    facts = {"node": 1, "behind": 0}

    async def life() -> None:
        status = StatusFile(tmp_path, lambda: facts)
        status.begin()
        assert read(tmp_path) is None
        status.keep()
        while (found := read(tmp_path)) is None:
            await asyncio.sleep(0.005)
        assert found["state"] == "up" and found["caught_up"] and found["node"] == 1 and found["age"] < 5
        facts["behind"] = 3
        await status.end("failed", "the disk failed")

    asyncio.run(life())
    found = read(tmp_path)
    assert found is not None and found["state"] == "failed" and found["why"] == "the disk failed"
    assert found["caught_up"] is False and os.listdir(tmp_path) == [STATUS]


def test_a_node_that_does_not_know_a_leader_has_not_caught_up(tmp_path: Path) -> None:
    line = json.loads(StatusFile(tmp_path, lambda: {"behind": None})._line("up"))
    assert line["caught_up"] is False


def test_who_has_caught_up_once_is_level_for_the_rest_of_its_life() -> None:
    facts: dict[str, int | None] = {"behind": None}
    status = StatusFile(Path("nowhere"), lambda: facts)
    said = []
    for state, behind in (("up", None), ("up", 7), ("up", 0), ("up", 7), ("up", None), ("leaving", 0), ("stopped", 0)):
        facts["behind"] = behind
        said.append(json.loads(status._line(state))["level"])
    assert said == [False, False, True, True, True, False, False]


def test_where_no_new_file_can_be_made_the_old_one_is_renewed(tmp_path: Path) -> None:
    write(tmp_path / STATUS, b'{"node":1}\n')
    os.utime(tmp_path / STATUS, (0, 0))
    (tmp_path / "status.new").mkdir()  # as a full disk, it takes no new file
    write(tmp_path / STATUS, b'{"node":2}\n')
    found = read(tmp_path)
    assert found is not None and found["node"] == 1 and found["age"] < 60


def test_what_is_no_status_is_none(tmp_path: Path) -> None:
    assert read(tmp_path / "nowhere") is None
    for rubbish in (b"", b"[]", b'{"node":', b"\xff"):
        (tmp_path / STATUS).write_bytes(rubbish)
        assert read(tmp_path) is None


def test_the_screen_counts_messages_for_a_learner_and_finds_a_leader_whose_folder_is_elsewhere() -> None:
    member = {"life": "follower", "role": "follower", "term": 2, "leader": 3, "last": 9, "commit": 8, "delivered": 4}
    learner = {"life": "learner", "role": "learner", "term": 2, "leader": 3, "last": 3, "commit": 3, "delivered": 3}
    nodes = {"1": member, "2": member | {"commit": 6}, "4": learner}
    assert leader_of(nodes) == 3
    lines = list(screen({"leader": 3, "nodes": nodes}))
    assert [line.split()[2:6] for line in lines[2:]] == [
        ["2", "9", "8", "0"],
        ["2", "9", "6", "2"],
        ["2", "#3", "#3", "1"],
    ]
    silent = {"3": member | {"life": "silent", "role": "leader"}}
    assert leader_of(nodes | silent) is None, "whose folder is at hand speaks for itself"
    assert leader_of(nodes | {"5": member | {"life": "leader", "term": 3}}) == 5
