"""Lab 01, Links: a missing acknowledgement does not mean a missing message.

    declaration  LAB: what is written, what it is worth, what is predicted
    packets      the words: what goes over the link
    stage        the actor around the student's classes
    play         the runs of the page; picture: four guarantees of one run, side by side
    checks       the judges; sending, receiving: what is right in a run; runs: what happens in a seed
    friends      what the page gives: a sender that sends once, receivers that promise less

What the notebook takes from here stands in `__all__`; names are looked up when they are first used, so that handing in answers does not load a simulator.

Read first `stage`; `protocol.sessions` is how the real chat delivers exactly once.
"""

from chatsys.teach.labs.lazily import lazily

_HOMES = {
    "LAB": "chatsys.teach.labs.lab01.declaration",
    "Packet": "chatsys.teach.labs.lab01.packets",
    "linked": "chatsys.teach.labs.lab01.stage",
    "stopped": "chatsys.teach.labs.lab01.stage",
    "predict": "chatsys.teach.grading.predictions",
    "reveal": "chatsys.teach.grading.revealing",
    "student": "chatsys.teach.labs.lab01.play",
    "talk": "chatsys.teach.labs.lab01.play",
    "crashing": "chatsys.teach.labs.lab01.play",
    "packet_lanes": "chatsys.teach.figures",
    "my_numbers": "chatsys.teach.labs.lab01.play",
    "guarantees": "chatsys.teach.labs.lab01.picture",
    "sliders": "chatsys.teach.labs.lab01.picture",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazily("01", _HOMES)
