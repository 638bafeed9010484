"""Lab 05, Bully election: the highest node that is up leads, one leader in a term, and two leaders only in two terms.

    declaration  LAB: what is written, what it is worth, what is predicted
    orders       the words: what arrives, and what the student's class orders
    stage        the actor around the student's class
    play         the runs of the page
    checks       the judge of 5.1; runs: what happens in a seed; telling: what is wrong at a moment of it
    storms       one election alone, whose messages are counted
    friends      wrong elections that a written test has to find

What the notebook takes from here stands in `__all__`; names are looked up when they are first used, so that handing in answers does not load a simulator.

Read first `stage`; `protocol.election` is the Bully of the real chat.
"""

from chatsys.teach.labs.lazily import lazily

_HOMES = {
    "LAB": "chatsys.teach.labs.lab05.declaration",
    "Coordinator": "chatsys.teach.labs.lab05.orders",
    "Election": "chatsys.teach.labs.lab05.orders",
    "Follow": "chatsys.teach.labs.lab05.orders",
    "Lead": "chatsys.teach.labs.lab05.orders",
    "Ok": "chatsys.teach.labs.lab05.orders",
    "Send": "chatsys.teach.labs.lab05.orders",
    "Wait": "chatsys.teach.labs.lab05.orders",
    "election": "chatsys.teach.labs.lab05.stage",
    "stopped": "chatsys.teach.labs.lab05.stage",
    "rehearse": "chatsys.teach.labs.lab05.play",
    "predict": "chatsys.teach.grading.predictions",
    "reveal": "chatsys.teach.grading.revealing",
    "leaders": "chatsys.teach.labs.lab05.play",
    "my_numbers": "chatsys.teach.labs.lab05.play",
    "outage": "chatsys.teach.labs.lab05.play",
    "split": "chatsys.teach.labs.lab05.play",
    "storm": "chatsys.teach.labs.lab05.play",
    "student": "chatsys.teach.labs.lab05.play",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazily("05", _HOMES)
