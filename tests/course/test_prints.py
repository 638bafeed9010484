"""What a class prints in a run stands with its run, its moment and its node, and changes nothing."""

import re
import sys
from bdb import BdbQuit
from collections.abc import Callable
from typing import Any

import pytest

from chatsys.teach.labs import prints
from chatsys.teach.labs.lab01 import friends, play
from chatsys.teach.labs.lab03 import friends as queues
from chatsys.teach.labs.lab03 import play as lab03
from chatsys.teach.labs.lab04 import friends as detectors
from chatsys.teach.labs.lab04 import play as lab04
from chatsys.teach.labs.lab05 import friends as elections
from chatsys.teach.labs.lab05 import play as lab05
from chatsys.teach.widgets import notebook
from chatsys.teach.widgets.notebook import Cell

pytestmark = pytest.mark.quick


class Talkative(friends.DeliversOnce):
    """Prints what comes, in two pieces."""

    def receive(self, packet: Any) -> Any:
        print("got", end=" ")
        print(packet.number)
        return super().receive(packet)


def test_each_line_says_its_run_its_moment_and_its_node(capsys: pytest.CaptureFixture[str]) -> None:
    worlds = [play.talk(None, Talkative, seed) for seed in (3, 4)]
    lines = capsys.readouterr().out.splitlines()
    expected = [
        f"[seed {world.seed}, {one.time:.3f} s, node 2] got {one.seq}"
        for world in worlds
        for one in world.trace.of("receive")
        if one.node == 2
    ]
    assert lines == expected and len(lines) > 10


def test_a_class_that_prints_does_the_same_as_one_that_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert play.talk(None, Talkative, 3).trace.hash() == play.talk(None, friends.DeliversOnce, 3).trace.hash()
    assert capsys.readouterr().out and not isinstance(sys.stdout, prints._Voice)


def test_every_lab_lets_its_classes_be_heard(capsys: pytest.CaptureFixture[str]) -> None:
    def loud(cls: Any, method: str) -> Any:
        def spoken(self: Any, *facts: Any) -> Any:
            print("asked")
            return getattr(cls, method)(self, *facts)

        return type(cls.__name__, (cls,), {method: spoken})

    plays: list[Callable[[], Any]] = [
        lambda: lab03.chat(loud(queues.AtOnce, "receive"), 2),
        lambda: lab04.watch(loud(detectors.OneClock, "suspects"), 2),
        lambda: lab05.split(loud(elections.Hasty, "suspect"), 2),
    ]
    for played in plays:
        played()
        lines = capsys.readouterr().out.splitlines()
        assert lines and all(re.fullmatch(r"\[seed 2, \d+\.\d{3} s, node \d\] asked", line) for line in lines)


def test_a_line_that_nobody_ends_is_shown_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    class Dots(friends.DeliversAll):
        def receive(self, packet: Any) -> Any:
            print(".", end="", flush=True)
            return super().receive(packet)

    play.talk(None, Dots, 3)
    assert {line.partition("] ")[2] for line in capsys.readouterr().out.splitlines()} == {"."}


def test_a_cell_shows_so_many_lines_and_says_that_there_are_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prints, "MOST_LINES", 5)
    for run in ("one", "two"):
        monkeypatch.setattr(notebook, "cell", lambda run=run: Cell("a", run))
        play.talk(None, Talkative, 3)
        lines = capsys.readouterr().out.splitlines()
        assert (
            len(lines) == 6
            and lines[-1] == "Your class prints more than 5 lines in this cell; the others are not shown."
        )


def test_who_leaves_the_debugger_ends_the_run_and_stops_no_node() -> None:
    class Leaves(friends.DeliversAll):
        def receive(self, packet: Any) -> Any:
            raise BdbQuit

    with pytest.raises(KeyboardInterrupt, match="you left the debugger, so the run ends here"):
        play.talk(None, Leaves, 3)
    assert not isinstance(sys.stdout, prints._Voice)
