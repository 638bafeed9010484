"""Lab 04, failure detection: each node listens to the beats of the others, and suspects whom it has not heard for too long.

    declaration  LAB: what is written, what it is worth, what is predicted
    stage        the actor around the student's classes
    play         the runs of the page
    checks       the judge of 4.1; runs: what happens; reading: one detector, call by call; telling: why it was wrong
    adaptive     the judge of 4.2; conduct: what a detector did in a run
    friends      wrong detectors that a written test has to find
    beats        the beats of one line without a world, thousands of short runs at once; curves: the picture of them

What the notebook takes from here stands in `__all__`; names are looked up when they are first used, so that handing in answers does not load a simulator.

Read first `stage`; `protocol.failure` is the detector of the real chat.
"""

from chatsys.teach.labs.lazily import lazily

_HOMES = {
    "LAB": "chatsys.teach.labs.lab04.declaration",
    "stopped": "chatsys.teach.labs.lab04.stage",
    "watching": "chatsys.teach.labs.lab04.stage",
    "Plain": "chatsys.teach.labs.lab04.play",
    "in_chat": "chatsys.teach.labs.lab04.play",
    "measured": "chatsys.teach.labs.lab04.play",
    "told": "chatsys.teach.labs.lab04.play",
    "watch": "chatsys.teach.labs.lab04.play",
    "predict": "chatsys.teach.grading.predictions",
    "reveal": "chatsys.teach.grading.revealing",
    "student": "chatsys.teach.labs.lab04.play",
    "sliders": "chatsys.teach.labs.lab04.curves",
    "trade_off": "chatsys.teach.labs.lab04.curves",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazily("04", _HOMES)
