"""Lab 10, the quorum: to be elected is not to agree; any two majorities share a node, and that node remembers.

    declaration  LAB: what is written, what it is worth, what is predicted
    words        what goes in and out of the student's two classes
    stage        the chat's node with these classes in it
    histories    what a class is asked in a seed, drawn;  runs: the whole chat behind a cut
    checks       the judge of 10.1;  voting: of 10.2
    play         the runs of the page;  picture: both sides of a cut, and two majorities;  logs: Raft's figure 8
    friends      wrong classes that a written test has to find

What the notebook takes from here stands in `__all__`; names are looked up when they are first used, so that handing in answers does not load a simulator.

Read first `stage`; `protocol.succession` and `protocol.ordering` are those of the real chat.
"""

from chatsys.teach.labs.lazily import lazily

_HOMES = {
    "LAB": "chatsys.teach.labs.lab10.declaration",
    "LogEnd": "chatsys.teach.labs.lab10.words",
    "Vote": "chatsys.teach.labs.lab10.words",
    "agreeing": "chatsys.teach.labs.lab10.stage",
    "stopped": "chatsys.teach.labs.lab10.stage",
    "predict": "chatsys.teach.grading.predictions",
    "reveal": "chatsys.teach.grading.revealing",
    "cut": "chatsys.teach.labs.lab10.play",
    "eight": "chatsys.teach.labs.lab10.logs",
    "figure_eight": "chatsys.teach.labs.lab10.play",
    "majorities": "chatsys.teach.labs.lab10.picture",
    "my_numbers": "chatsys.teach.labs.lab10.play",
    "reads": "chatsys.teach.labs.lab10.play",
    "rehearse": "chatsys.teach.labs.lab10.play",
    "remembered": "chatsys.teach.labs.lab10.play",
    "sides": "chatsys.teach.labs.lab10.picture",
    "sliders": "chatsys.teach.labs.lab10.picture",
    "student": "chatsys.teach.labs.lab10.play",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazily("10", _HOMES)
