"""The declaration of lab 06: what is written, judged, predicted and explained, and what it is worth.

    public 30   hidden 30   search 15   budget 5   written test 5   explanation 10   predictions 5

Read also `checks` (the judge), `play` (the runs that answer the predictions), `grading.lab` (what each field means).
"""

from chatsys.isolation.calls import Method
from chatsys.teach.grading.lab import Exercise, Explain, GradedPart, Lab, Predict, WrittenTest
from chatsys.teach.labs.lab06 import checks, friends, play
from chatsys.teach.labs.lab06.frames import Numbered

SEARCHED = (
    "Three nodes, two leaders, up to three messages, in every order and with every loss: no number was two messages."
)

FAIL_OVER = Exercise(
    number="6.1",
    title="the fail-over",
    writes="MyFailOver",
    cell="fail-over",
    lines=30,
    methods={
        "__init__": Method(("me",)),
        "admits": Method(("kind", "term", "sender"), returns=bool),
        "lead": Method(("term", "answers"), returns=list[Numbered]),
        "order": Method(("author", "post", "text"), returns=Numbered),
    },
    given=(Numbered,),
    judge=checks.judge_fail_over,
    aspects={"onward": 3, "kept": 5, "harmless": 4, "once": 3},
    needs={
        **dict.fromkeys(("kept", "harmless", "once", "orders", "sparing"), ("onward",)),
    },
    hints={"onward": 2, "kept": 1, "harmless": 3, "once": 1},
    parts=(
        GradedPart(kind="public", cell="check-6-1", points=30),
        GradedPart(kind="hidden", cell="hidden-6-1", points=30),
        GradedPart(kind="search", cell="search-6-1", points=15, aspects={"orders": 1}, done=SEARCHED),
        GradedPart(
            kind="budget", cell="budget-6-1", points=5, aspects={"sparing": 1},
            done="After each fail-over only that went out again which some node lacked.",
        ),
    ),
    figure="term_bands",
    run=play.sleeper,
    done="Every number was one message at all nodes, each message had one number, and no old leader changed anything.",
    public=40,
)  # fmt: skip

PREDICTIONS = (
    Predict(
        number="6a",
        question="The leader crashes after it has sent #5 to node 1 only. Is this message shown by both others in the end?",
        kind=bool,
        from_run=play.is_delivered,
    ),
    Predict(
        number="6b",
        question="The leader sleeps for 4 s; three messages wait for it, and when it wakes up it sends each to both others. How many of these frames are refused?",
        kind=int,
        from_run=play.frames_refused,
    ),
    Predict(
        number="6c",
        question="The same run without the fence: which is the first number under which somebody reads another message?",
        kind=int,
        from_run=play.parts_at,
    ),
)

LAB = Lab(
    number="06",
    name="06-fail-over",
    title="Fail-over",
    idea="The new leader inherits a counter that it did not count; the old one must be harmless, not dead.",
    hours=(4, 5),
    version=1,
    before=(
        "lab 05, Bully election: what a term is",
        "lab 03, total order: numbers, and a queue that waits for the missing one",
        "classes, lists and dictionaries in Python",
    ),
    words={
        "leader": "the node that gives messages their numbers; it sends a heartbeat every 0.8 s",
        "term": "the number of one leadership; a higher term wins over a lower one",
        "fail-over": "all that happens from the loss of a leader until the next one numbers messages",
        "deposed": "what a leader is when a newer term has begun, whether it knows it or not",
        "fence": "the rule by which a node refuses every frame of an older term",
        "post": "the author's own number of a message; said again, a message keeps it",
        "void": "what a number is that belongs to no message: nobody waits for it any more",
    },
    seeds={"demonstration": play.shows_the_story},
    exercises=(FAIL_OVER,),
    predictions=PREDICTIONS,
    predictions_points=5,
    tests=(
        WrittenTest(
            number="6.2",
            title="a scenario and a claim",
            of="6.1",
            cell="written-test",
            graded="written-test-6-2",
            points=5,
            verbs=play.VERBS,
            play=play.play_scenario,
            open_mistakes=friends.WRONG,
        ),
    ),
    explain=(
        Explain(
            cell="explanation",
            points=10,
            says=(
                "the numbers of the student's own run, and that the old leader cannot know that it is deposed until it hears of the newer term",
                "the answer to a COLLECT is a promise: who gave it admits nothing of an older term, or the new leader counts wrongly",
                "behind a cut the new leader does not hear all nodes, and a message that was answered ok can be lost: a majority is missing",
            ),
        ),
    ),
)
