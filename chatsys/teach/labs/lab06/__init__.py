"""Lab 06, fail-over: the new leader inherits a counter that it did not count; the old one must be harmless, not dead.

    declaration  LAB: what is written, what it is worth, what is predicted
    frames       the words: what is sent, and what the student's class is given
    stage        the actor around the student's class;  asking: what the class is asked, and may return
    play         the runs of the page
    checks       the judge of 6.1;  fates: what happens in a seed;  runs: a run and its verbs;  telling: what is wrong in one
    friends      wrong classes that a written test has to find

What the notebook takes from here stands in `__all__`; names are looked up when they are first used, so that handing in answers does not load a simulator.

Read first `stage`; `protocol.fence` and `protocol.succession` are those of the real chat.
"""

from chatsys.teach.labs.lazily import lazily

_HOMES = {
    "LAB": "chatsys.teach.labs.lab06.declaration",
    "Numbered": "chatsys.teach.labs.lab06.frames",
    "fail_over": "chatsys.teach.labs.lab06.stage",
    "stopped": "chatsys.teach.labs.lab06.asking",
    "rehearse": "chatsys.teach.labs.lab06.play",
    "predict": "chatsys.teach.grading.predictions",
    "reveal": "chatsys.teach.grading.revealing",
    "both": "chatsys.teach.labs.lab06.play",
    "cut_short": "chatsys.teach.labs.lab06.play",
    "fence": "chatsys.teach.labs.lab06.play",
    "my_numbers": "chatsys.teach.labs.lab06.play",
    "screens": "chatsys.teach.labs.lab06.play",
    "sleeper": "chatsys.teach.labs.lab06.play",
    "sliders": "chatsys.teach.labs.lab06.play",
    "student": "chatsys.teach.labs.lab06.play",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazily("06", _HOMES)
