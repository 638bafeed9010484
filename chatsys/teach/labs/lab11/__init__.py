"""Lab 11, break it: say what must hold, then try to break it.

    declaration  LAB: what is written, what it is worth, what is predicted
    bugs         the five bugs that students read;  board: three nodes, and the nine moves of an adversary
    runs         the runs on which invariants are tried;  checks: the judges;  asked: the side of the student's classes
    par          the search for the shortest attack;  hunting: attacks by chance, and one made shorter
    game         an attack by hand, with a button for each move
    play         the table of bugs and invariants, planted runs, and what else the page plays;  predicted: what answers the predictions

The other bugs of the package are not in a student's copy (`mutants.closed`); they are met when a notebook is handed in.

What the notebook takes from here stands in `__all__`; names are looked up when they are first used, so that handing in answers does not load a figure.

Read first `board`; `check` has the invariants of the real chat.
"""

from chatsys.teach.labs.lazily import lazily

_HOMES = {
    "BUGS": "chatsys.teach.labs.lab11.bugs",
    "LAB": "chatsys.teach.labs.lab11.declaration",
    "adversary": "chatsys.teach.labs.lab11.game",
    "attack": "chatsys.teach.labs.lab11.play",
    "chat_of": "chatsys.teach.labs.lab11.board",
    "explore": "chatsys.teach.labs.lab11.par",
    "hunt": "chatsys.teach.labs.lab11.hunting",
    "kills": "chatsys.teach.labs.lab11.play",
    "my_numbers": "chatsys.teach.labs.lab11.play",
    "planted": "chatsys.teach.labs.lab11.play",
    "predict": "chatsys.teach.grading.predictions",
    "rehearse": "chatsys.teach.labs.lab11.play",
    "reveal": "chatsys.teach.grading.revealing",
    "row": "chatsys.teach.labs.lab11.play",
    "shrink": "chatsys.teach.labs.lab11.hunting",
    "student": "chatsys.teach.labs.lab11.play",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazily("11", _HOMES)
