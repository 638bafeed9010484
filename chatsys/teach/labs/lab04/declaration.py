"""The declaration of lab 04: what is written, judged, predicted and explained, and what it is worth.

    public 30   hidden 35   budget 10   written test 10   explanation 10   predictions 5

Read also `checks` and `adaptive` (the judges), `play` (the runs that answer the predictions), `grading.lab` (what each field means).
"""

from chatsys.isolation.calls import Method
from chatsys.teach.grading.lab import Exercise, Explain, GradedPart, Lab, Predict, WrittenTest
from chatsys.teach.labs.lab04 import adaptive, checks, friends, play

METHODS = {
    "__init__": Method(("peers", "now", "interval", "timeout")),
    "beat": Method(("peer", "number", "sent_at", "now")),
    "suspects": Method(("now",), returns=set[int]),
}
FORGETS = "20,000 beats left less than 1 MB behind."

DETECTOR = Exercise(
    number="4.1",
    title="the detector",
    writes="MyDetector",
    cell="detector",
    lines=11,
    methods=METHODS,
    judge=checks.judge_detector,
    aspects={"complete": 3, "accurate": 3, "restore": 2},
    needs={"accurate": ("complete",), "restore": ("complete",), "memory": ("complete", "accurate")},
    hints={"complete": 1, "accurate": 3, "restore": 3},
    parts=(
        GradedPart(kind="public", cell="check-4-1", points=18),
        GradedPart(kind="hidden", cell="hidden-4-1", points=20),
        GradedPart(kind="budget", cell="budget-4-1", points=5, aspects={"memory": 1}, done=FORGETS),
    ),
    load=checks.load,
    figure="heartbeats",
    run=play.watch,
    done="In every run each silence was suspected in time, nobody too early, and no suspicion outlived the next beats.",
)

ADAPTIVE = Exercise(
    number="4.2",
    title="the adaptive detector",
    writes="MyAdaptive",
    after=("4.1",),
    cell="adaptive",
    lines=15,
    methods=METHODS,
    judge=adaptive.judge_adaptive,
    aspects={"complete": 1, "calm": 3, "quick": 2, "adapts": 2},
    needs={
        "calm": ("complete",),
        "quick": ("complete", "calm"),
        "adapts": ("complete", "calm"),
        "memory": ("complete", "calm"),
    },
    hints={"complete": 1, "calm": 3, "quick": 2, "adapts": 2},
    parts=(
        GradedPart(kind="public", cell="check-4-2", points=12),
        GradedPart(kind="hidden", cell="hidden-4-2", points=15),
        GradedPart(kind="budget", cell="budget-4-2", points=5, aspects={"memory": 1}, done=FORGETS),
    ),
    load=checks.load,
    figure="heartbeats",
    run=play.watch,
    done="In every weather each silence was noticed in time, and hardly anybody who was alive was suspected.",
    public=2,
    hidden=8,
)

PREDICTIONS = (
    Predict(
        number="4a",
        question="A crash at some moment between 10.0 and 10.8 s: after how many seconds is it suspected, from ... to ...?",
        kind=tuple,
        unit="s",
        from_run=play.first_suspicion,
    ),
    Predict(
        number="4b",
        question="Two beats in a row are lost. Is the node that sent them suspected?",
        kind=str,
        options={
            "no": "",
            "yes": "a missing beat taken for a timeout that is over: three beats follow each other within 2.4 s",
            "if every beat takes 0.2 s": "a delay taken for a gap: what takes equally long arrives in equal steps",
        },
        from_run=play.two_lost,
    ),
    Predict(
        number="4c",
        question="Node 3 is paused at 10 s for 3 s; in another run it crashes at 10 s. When can node 1 tell which run it is in?",
        kind=float,
        unit="s",
        tolerance=0.3,
        from_run=play.told_apart,
    ),
)

LAB = Lab(
    number="04",
    name="04-failure-detection",
    title="Failure detection",
    idea="A suspicion is a guess about time, not a fact: quick or right, choose.",
    hours=(3, 4),
    version=1,
    before=(
        "the tour, `notebooks/00-tour.ipynb`",
        "classes, dictionaries and sets in Python",
    ),
    words={
        "beat": "a small numbered message: I am alive",
        "silence": "the time since the last new beat of a node was heard",
        "timeout": "the silence after which a node is suspected",
        "suspect": "to take a node for crashed because of its silence; that is a guess",
        "restore": "to take a suspicion back, because the node was heard again",
        "complete": "every node that has crashed is suspected in the end",
        "accurate": "nobody is suspected who is alive and can be heard",
    },
    seeds={"demonstration": play.shows_both},
    exercises=(DETECTOR, ADAPTIVE),
    predictions=PREDICTIONS,
    predictions_points=5,
    tests=(
        WrittenTest(
            number="4.3",
            title="a scenario and a claim",
            of="4.1",
            cell="written-test",
            graded="written-test-4-3",
            points=10,
            verbs=(
                "run", "crash", "restart", "pause", "resume", "cut", "reconnect", "slow", "lose", "duplicate", "heal"
            ),
            play=play.play_scenario,
            open_mistakes=friends.WRONG,
            open_right=friends.CountsBeats,
        ),
    ),
    explain=(
        Explain(
            cell="explanation",
            points=10,
            says=(
                "a short timeout is quick and often wrong, a long one right and slow, with the student's own numbers",
                "a silence has several causes (crash, pause, loss, delay, cut) that look alike to who listens",
                "complete and accurate at once needs a bound on the delay; without one no timeout is right for all",
            ),
        ),
    ),
)  # fmt: skip
