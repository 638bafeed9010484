"""Rehearsal: what a student's own test says of one class, as a line that says whose class it was.

    rehearse(MyBully, scenario, claim)
    Your test was played with your own class MyBully: the claim accuses nobody.

`grade` plays a test with many classes and counts; a rehearsal plays it with one, and gives back its world, to be looked at.

Promises  the line names the class that was played, and says so if it is one of a friend's.
Read also the `play` of labs 02, 05, 06, 08 and 10, which rehearse; `grading.written`, which counts.
"""

from typing import Any


def told(answer: type, said: Any) -> str:
    """Return a line about what a claim has said of this class: None is no accusation, and a sentence is one."""
    whose = "a class of the page," if answer.__module__.startswith("chatsys.") else "your own class"
    played = f"Your test was played with {whose} {answer.__name__}"
    if said is None:
        return f"{played}: the claim accuses nobody."
    if not isinstance(said, str):
        return f"{played}: the claim returned {said!r:.60}; it must return a sentence if something was wrong, and None if nothing was."
    return f"{played}, and the claim accuses it: {said}"
