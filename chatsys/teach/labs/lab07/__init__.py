"""Lab 07, the durable log: first write, then sync, then speak.

    declaration  LAB: what is written, what it is worth, what is predicted
    machine      the toy file, and the life of a class on it;  disk: what a power cut leaves;  lives: who asks for lives
    checks       the judge of 7.1;  answering: of 7.2;  voting: of 7.3
    telling      what each of them says (and telling_answers, telling_promises);  story: the calls below it
    runs         what is written
    play         the runs of the page;  predicted: what answers the predictions;  picture: the bytes with a crash slider
                 (aftermath: what the next lives make of them);  costs: syncs against losses
    killed       the same class on a real file (real_file), in a process that is killed
    friends      two logs that the page shows

This lab has no world: there every frame waits for the disk, so "answer before the sync" cannot even be written.

What the notebook takes from here stands in `__all__`; names are looked up when they are first used, so that handing in answers does not load a figure.

Read first `machine`; `actor.logfile` is the log of the real chat.
"""

from chatsys.teach.labs.lazily import lazily

_HOMES = {
    "LAB": "chatsys.teach.labs.lab07.declaration",
    "Quick": "chatsys.teach.labs.lab07.friends",
    "Honest": "chatsys.teach.labs.lab07.friends",
    "RealFile": "chatsys.teach.labs.lab07.real_file",
    "ToyFile": "chatsys.teach.labs.lab07.machine",
    "kill": "chatsys.teach.labs.lab07.killed",
    "my_numbers": "chatsys.teach.labs.lab07.play",
    "policies": "chatsys.teach.labs.lab07.costs",
    "power_cut": "chatsys.teach.labs.lab07.picture",
    "predict": "chatsys.teach.grading.predictions",
    "reveal": "chatsys.teach.grading.revealing",
    "student": "chatsys.teach.labs.lab07.play",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazily("07", _HOMES)
