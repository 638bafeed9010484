"""Lab 03, total order: one sequencer gives every message its number, a queue at each node decides what is delivered when.

    declaration  LAB: what is written, what it is worth, what is predicted
    stage        the actor around the student's classes
    play         the runs of the page
    checks       the judge of 3.1; runs: what arrives; reading: one queue, call by call
    asking       the judge of 3.2; numbering: that of 3.3
    friends      wrong queues that a written test has to find

What the notebook takes from here stands in `__all__`; names are looked up when they are first used, so that handing in answers does not load a simulator.

Read first `stage`; `protocol.holdback` is the queue of the real chat.
"""

from chatsys.teach.labs.lazily import lazily

_HOMES = {
    "LAB": "chatsys.teach.labs.lab03.declaration",
    "Conditions": "chatsys.sim.network",
    "Message": "chatsys.teach.labs.lab03.stage",
    "stopped": "chatsys.teach.labs.lab03.stage",
    "total_order": "chatsys.teach.labs.lab03.stage",
    "arrivals": "chatsys.teach.labs.lab03.play",
    "chat": "chatsys.teach.labs.lab03.play",
    "crowd": "chatsys.teach.labs.lab03.play",
    "queue_numbers": "chatsys.teach.labs.lab03.play",
    "predict": "chatsys.teach.grading.predictions",
    "reveal": "chatsys.teach.grading.revealing",
    "student": "chatsys.teach.labs.lab03.play",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazily("03", _HOMES)
