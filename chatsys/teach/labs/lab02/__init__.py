"""Lab 02, time: before is a path of messages, not a date; clocks that count it, and a queue that keeps to it.

    declaration  LAB: what is written, what it is worth, what is predicted
    stage        the actor around the student's classes;  events: what came before what in a run
    play         the runs of the page;  past_and_future: the picture of an event;  beside: the same, with the chat
    runs         what happens in a seed
    lamport, vectors, orders, queues, cuts    the judges of 2.1 to 2.5;  clocks, reading: what was answered, call by call
    friends      wrong queues that a written test has to find;  drawing: the figure of a prediction

What the notebook takes from here stands in `__all__`; names are looked up when they are first used, so that handing in answers does not load a simulator.

Read first `stage`, then `events`.
"""

from chatsys.teach.labs.lazily import lazily

_HOMES = {
    "LAB": "chatsys.teach.labs.lab02.declaration",
    "Message": "chatsys.teach.labs.lab02.stage",
    "stopped": "chatsys.teach.labs.lab02.stage",
    "timed": "chatsys.teach.labs.lab02.stage",
    "answers_first": "chatsys.teach.labs.lab02.play",
    "chat": "chatsys.teach.labs.lab02.play",
    "cones": "chatsys.teach.labs.lab02.past_and_future",
    "lines": "chatsys.teach.labs.lab02.play",
    "my_numbers": "chatsys.teach.labs.lab02.play",
    "predict": "chatsys.teach.grading.predictions",
    "rehearse": "chatsys.teach.labs.lab02.play",
    "reveal": "chatsys.teach.grading.revealing",
    "shown": "chatsys.teach.labs.lab02.play",
    "sliders": "chatsys.teach.labs.lab02.beside",
    "student": "chatsys.teach.labs.lab02.play",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazily("02", _HOMES)
