"""Rehearsal: what a student's own test says of one class, as a line that says whose class it was.

    rehearse(MyBully, scenario, claim)
    Played with your own class MyBully: the claim accuses nobody.

`grade` plays a test with many classes and counts; a rehearsal plays it with one, and gives back its world, to be looked at.

Promises  the line names the class that was played, and says so if it is one of a friend's.
Read also the `play` of labs 02, 05, 06, 08 and 10, which rehearse; `grading.written`, which counts.
"""

from textwrap import fill
from typing import Any

from chatsys.teach.grading.revealing import NARROW


def told(answer: type, said: Any) -> str:
    """Return what a claim has said of this class, in lines that fit a narrow page: None is no accusation, and a sentence is one."""
    whose = "a class of the page," if answer.__module__.startswith("chatsys.") else "your own class"
    told = f"Played with {whose} {answer.__name__}: the claim accuses nobody."
    if said is not None and not isinstance(said, str):
        told = f"Played with {whose} {answer.__name__}: the claim returned {said!r:.60}; it must return a sentence if something was wrong, and None if nothing was."
    elif said is not None:
        told = f"Played with {whose} {answer.__name__}, and the claim accuses it: {said}"
    return fill(told, NARROW, break_long_words=False, break_on_hyphens=False)
