"""Lab 08, catch-up: history and the present arrive at the same time; the seam must fit exactly.

    declaration  LAB: what is written, what it is worth, what is predicted
    frames       the words: what is sent, and what the student's class is given
    stage        the actor around the student's class;  asking: what the class is asked, and may return
    play         what the page plays;  rejoining: its run;  picture and drawing: lag over time, with its sliders
    checks       the judge of 8.1; runs: what happens in a seed; telling: what is wrong in one
    friends      wrong classes that a written test has to find

What the notebook takes from here stands in `__all__`; names are looked up when they are first used, so that handing in answers does not load a simulator.

Read first `stage`; `protocol.catchup` is that of the real chat.
"""

from chatsys.teach.labs.lazily import lazily

_HOMES = {
    "LAB": "chatsys.teach.labs.lab08.declaration",
    "AskFor": "chatsys.teach.labs.lab08.frames",
    "Message": "chatsys.teach.labs.lab03.stage",
    "catch_up": "chatsys.teach.labs.lab08.stage",
    "stopped": "chatsys.teach.labs.lab08.asking",
    "rehearse": "chatsys.teach.labs.lab08.play",
    "predict": "chatsys.teach.grading.predictions",
    "reveal": "chatsys.teach.grading.revealing",
    "lag": "chatsys.teach.labs.lab08.picture",
    "my_numbers": "chatsys.teach.labs.lab08.play",
    "rejoin": "chatsys.teach.labs.lab08.rejoining",
    "screens": "chatsys.teach.labs.lab08.rejoining",
    "sliders": "chatsys.teach.labs.lab08.picture",
    "student": "chatsys.teach.labs.lab08.play",
    "talk": "chatsys.teach.labs.lab08.rejoining",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazily("08", _HOMES)
