"""Rehearsals: a student's own test is played with one class, and a line says whose class it was."""

from pathlib import Path
from typing import Any

import pytest

from chatsys.teach.grading.keys import read_keys
from chatsys.teach.labs import lab05, lab06
from chatsys.teach.labs.lab05 import friends as electing
from chatsys.teach.labs.lab05 import play as election
from chatsys.teach.labs.lab06 import friends as taking_over
from chatsys.teach.labs.lab06 import play as fail_over

COURSE = Path(__file__).parents[2] / "labs"


@pytest.mark.parametrize(
    ("lab", "play", "friends"), [(lab05.LAB, election, electing), (lab06.LAB, fail_over, taking_over)], ids=["05", "06"]
)
def test_a_test_can_be_rehearsed_with_the_own_class(
    lab: Any, play: Any, friends: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def scenario(world: Any) -> None:
        world.run(3)
        world.crash(3)

    right = read_keys(COURSE, lab).answers[lab.exercises[0].number]["reference"]
    world = play.rehearse(right, scenario, lambda trace: None)
    own = f"Played with your own class {right.__name__}: the claim accuses nobody. "
    assert world.now == 13 and capsys.readouterr().out.replace("\n", " ") == own
    cls = next(iter(friends.WRONG.values()))
    play.rehearse(cls, scenario, lambda trace: "Node 2 waits.")
    said = capsys.readouterr().out.replace("\n", " ")
    assert said == f"Played with a class of the page, {cls.__name__}, and the claim accuses it: Node 2 waits. "
