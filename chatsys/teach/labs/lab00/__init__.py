"""Lab 00, First steps: several programs that only exchange messages, and an outage of one's own.

    declaration  LAB: what is written, what counts, what is predicted; it has no points, it is done or not done
    story        a script of verbs as it is asked in another process, question by question
    scenes       the worlds of the page: new_world, outage, played_story; what answers the predictions
    checks       the judge;  seen: who led when in a run, and what was said
    picture      an outage with knobs: who falls silent, how, and when somebody speaks
    history      whether this installation plays the history that it must

What the notebook takes from here stands in `__all__`; names are looked up when they are first used.

Read first `scenes`; `figures.outages` is the picture, and `notebooks/00-tour.ipynb` goes on where this lab ends.
"""

from chatsys.teach.labs.lazily import lazily

_HOMES = {
    "LAB": "chatsys.teach.labs.lab00.declaration",
    "predict": "chatsys.teach.grading.predictions",
    "reveal": "chatsys.teach.grading.revealing",
    "student": "chatsys.teach.labs.lab00.scenes",
    "new_world": "chatsys.teach.labs.lab00.scenes",
    "outage": "chatsys.teach.labs.lab00.scenes",
    "who_told": "chatsys.teach.labs.lab00.scenes",
    "my_numbers": "chatsys.teach.labs.lab00.scenes",
    "for_real": "chatsys.teach.labs.lab00.scenes",
    "outages": "chatsys.teach.figures",
    "knobs": "chatsys.teach.labs.lab00.picture",
    "installed": "chatsys.teach.labs.lab00.history",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazily("00", _HOMES)
