"""The declaration of lab 08: what is written, judged, predicted and explained, and what it is worth.

    public 30   hidden 35   budget 15   written test 5   explanation 10   predictions 5

Read also `checks` (the judge), `play` (the runs that answer the predictions), `grading.lab` (what each field means).
"""

from chatsys.isolation.calls import Method
from chatsys.teach.grading.lab import Exercise, Explain, GradedPart, Lab, Predict, WrittenTest
from chatsys.teach.labs.lab03.stage import Message
from chatsys.teach.labs.lab08 import checks, friends, play, rejoining
from chatsys.teach.labs.lab08.frames import AskFor

NEED_ALL = ("once", "order", "prompt", "elsewhere", "lean", "serves", "bytes", "room", "memory")

CATCH_UP = Exercise(
    number="8.1",
    title="the catch-up",
    writes="MyCatchUp",
    cell="catch-up",
    lines=33,
    methods={
        "__init__": Method(("last", "peers", "room")),
        "live": Method(("number", "message"), returns=list[Message]),
        "chunk": Method(("first", "messages", "newest"), returns=list[Message]),
        "ask": Method(("now",), returns=AskFor | None),
        "serve": Method(("log", "first", "count"), returns=list[Message]),
    },
    given=(Message, AskFor),
    judge=checks.judge_catch_up,
    aspects={"complete": 4, "once": 3, "order": 2, "prompt": 2, "elsewhere": 2, "lean": 2, "serves": 1},
    needs=dict.fromkeys(NEED_ALL, ("complete",)),
    hints={"complete": 2, "once": 1, "order": 1, "prompt": 2, "elsewhere": 3, "lean": 3, "serves": 1},
    load=checks.load,
    parts=(
        GradedPart(kind="public", cell="check-8-1", points=30),
        GradedPart(kind="hidden", cell="hidden-8-1", points=35),
        GradedPart(
            kind="budget", cell="budget-8-1", points=15, aspects={"bytes": 1, "room": 1, "memory": 1},
            done="Little was sent twice, no more was kept than there is room for, and what was shown is forgotten.",
        ),
    ),
    figure="delivery_matrix",
    run=rejoining.rejoin,
    done="Every node showed every number once, in order and at once, and asked for nothing that it had.",
    public=20,
    hidden=125,
)  # fmt: skip

PREDICTIONS = (
    Predict(
        number="8a",
        question="200 messages are missing, 50 a second can be fetched, 10 a second are said meanwhile. After how many seconds is node 2 level?",
        kind=float,
        unit="s",
        tolerance=0.5,
        from_run=play.level_at_ten,
    ),
    Predict(
        number="8b",
        question="The same with 60 a second, and room for 100 messages. After how many seconds is node 2 level? (0: never)",
        kind=float,
        unit="s",
        tolerance=0.8,
        from_run=play.level_at_sixty,
    ),
    Predict(
        number="8c",
        question="In the run of 8a node 2 had #1 to #20 when it crashed. Which number is the last one that it shows because a chunk brought it?",
        kind=int,
        from_run=play.last_by_history,
    ),
)

LAB = Lab(
    number="08",
    name="08-catch-up",
    title="Catch-up",
    idea="History and the present arrive at the same time; the seam must fit exactly.",
    hours=(3, 3),
    version=1,
    before=(
        "lab 03, total order: a queue that waits for the missing number",
        "lab 07, the durable log: what a crash leaves",
        "classes, lists and dictionaries in Python",
    ),
    words={
        "live": "what the leader sends once, at the moment at which it is said, to all that are up",
        "history": "the messages that were said while a node could not hear them; it has to ask for them",
        "chunk": "the answer to one request: at most ten messages in a row",
        "peer": "another node, which can be asked",
        "seam": "the place where history ends and what came live goes on",
        "lag": "how many messages a node is behind the newest one",
        "level": "what a node is when nothing is missing: its lag is 0",
    },
    seeds={"demonstration": play.shows_a_gap},
    exercises=(CATCH_UP,),
    predictions=PREDICTIONS,
    predictions_points=5,
    tests=(
        WrittenTest(
            number="8.2",
            title="a scenario and a claim",
            of="8.1",
            cell="written-test",
            graded="written-test-8-2",
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
                "the numbers of the student's own run, and why the gap divided by the rate of fetching gives the seconds as long as there is room",
                "why nothing is missing and nothing is there twice at the seam: each number has one place, whichever way it comes",
                "a node that missed ten million would be sent a snapshot of the state with its last number, and only the log behind it; what is older may be deleted",
            ),
        ),
    ),
)
