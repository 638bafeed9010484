"""The declaration of lab 03: what is written, judged, predicted and explained, and what it is worth.

    public 30   hidden 30   search 15   budget 5   written test 5   explanation 10   predictions 5

Read also `checks`, `asking` and `numbering` (the judges), `play` (the runs that answer the predictions), `grading.lab` (what each field means).
"""

from chatsys.isolation.calls import Method
from chatsys.teach.grading.lab import Exercise, Explain, GradedPart, Lab, Predict, WrittenTest
from chatsys.teach.labs.lab03 import asking, checks, friends, numbering, play
from chatsys.teach.labs.lab03.stage import Message

SEARCHED = (
    f"All {sum(4**length for length in range(1, 7)):,} orders of arrival of up to 6 copies of 4 messages were tried."
)

RECEIVE = Method(("number", "message"), returns=list[Message])
MADE = Method(("first",), optional=("first",))

HOLD_BACK = Exercise(
    number="3.1",
    title="the hold-back queue",
    writes="MyHoldBack",
    cell="hold-back",
    lines=12,
    methods={"__init__": MADE, "receive": RECEIVE},
    given=(Message,),
    judge=checks.judge_queue,
    aspects={"complete": 1, "order": 4, "once": 3, "prompt": 2, "first": 2, "memory": 2},
    needs={
        "order": ("complete",),
        "once": ("complete", "order"),
        "prompt": ("complete", "order"),
        "first": ("complete", "order"),
        "memory": ("complete", "order", "once"),
    },
    hints={"complete": 3, "order": 1, "once": 2, "prompt": 3, "first": 1, "memory": 1},
    parts=(
        GradedPart(kind="public", cell="check-3-1", points=14),
        GradedPart(kind="hidden", cell="hidden-3-1", points=14),
        GradedPart(kind="search", cell="search-3-1", points=15, aspects={"orders": 1}, done=SEARCHED),
    ),
    load=checks.load,
    figure="queue_length",
    run=play.crowd,
    done="In every run all three nodes delivered what reached them, each message once and in order.",
)

GAP_REQUEST = Exercise(
    number="3.2",
    title="the gap request",
    writes="MyAskingHoldBack",
    after=("3.1",),
    cell="missing",
    lines=3,
    methods={"__init__": MADE, "receive": RECEIVE, "missing": Method(("newest",), returns=int | None)},
    given=(Message,),
    judge=asking.judge_asking,
    aspects={"complete": 2, "last": 2, "smallest": 2, "quiet": 2},
    needs={"last": ("complete",), "smallest": ("complete",), "quiet": ("complete",), "budget": ("complete", "last")},
    hints={"complete": 3, "last": 1, "smallest": 2, "quiet": 3},
    parts=(
        GradedPart(kind="public", cell="check-3-2", points=8),
        GradedPart(kind="hidden", cell="hidden-3-2", points=8),
        GradedPart(kind="budget", cell="budget-3-2", points=5, aspects={"budget": 1}, done="No request was needless."),
    ),
    figure="queue_length",
    run=play.crowd,
    done="In every run each lost message was asked for until it came, the last one too, and then it was quiet.",
    public=12,
    hidden=60,
)

SEQUENCER = Exercise(
    number="3.3",
    title="the sequencer",
    writes="MySequencer",
    cell="sequencer",
    lines=9,
    methods={"order": Method(("origin", "post", "text"), returns=int | None)},
    judge=numbering.judge_sequencer,
    aspects={"numbers": 2, "order": 2, "once": 2, "again": 2},
    needs={"order": ("numbers",), "once": ("numbers",), "again": ("numbers", "once")},
    hints={"numbers": 1, "order": 3, "once": 2, "again": 2},
    parts=(
        GradedPart(kind="public", cell="check-3-3", points=8),
        GradedPart(kind="hidden", cell="hidden-3-3", points=8),
    ),
    figure="",
    done="Every post got one number, 1, 2, 3 and so on without a gap, and the posts of each author in their order.",
)

PREDICTIONS = (
    Predict(
        number="3a",
        question="1, 3, 4 and 5 have arrived; now 2 arrives. How many messages may be delivered at this moment?",
        kind=int,
        from_run=play.delivered_at_once,
    ),
    Predict(
        number="3b",
        question="A message takes up to 1.0 s instead of 0.2 s. How long is the longest wait in a queue?",
        kind=float,
        unit="s",
        tolerance=0.2,
        from_run=play.longest_wait,
    ),
    Predict(
        number="3c",
        question="For which number do most messages have to wait at node 1 in the run of part (a)?",
        kind=int,
        from_run=play.holds_up_most,
    ),
    Predict(
        number="3d",
        question="Bob has read Ann's question and answers it. Can his answer stand before the question at some node?",
        kind=str,
        options={
            "no": "",
            "if the network is slow": "the order of arrival taken for the order of delivery",
            "without vector clocks": "total order taken for weaker than causal order",
        },
        from_run=play.answer_before_question,
    ),
)

LAB = Lab(
    number="03",
    name="03-total-order",
    title="Total order",
    idea="Order is decided once; to receive is not to deliver.",
    hours=(3, 3),
    version=1,
    before=(
        "the tour, `notebooks/00-tour.ipynb`",
        "classes, lists and dictionaries in Python",
    ),
    words={
        "sequencer": "the node that gives each message its number: here the highest node, node 3",
        "receive": "a message arrives at a node",
        "deliver": "the node shows it to its user; that cannot be undone",
        "hold back": "keep a received message until it may be delivered",
        "gap": "a number that is missing while a larger one is there",
        "head-of-line blocking": "one late message makes all those behind it wait",
    },
    seeds={"demonstration": play.shows_disorder},
    exercises=(HOLD_BACK, GAP_REQUEST, SEQUENCER),
    predictions=PREDICTIONS,
    predictions_points=5,
    tests=(
        WrittenTest(
            number="3.4",
            title="a scenario and a claim",
            of="3.1",
            cell="written-test",
            graded="written-test-3-4",
            points=5,
            verbs=("say", "at", "run", "slow", "lose", "duplicate", "cut", "reconnect", "heal"),
            play=play.play_scenario,
            open_mistakes=friends.WRONG,
            open_right=friends.TheRealOne,
        ),
    ),
    explain=(
        Explain(
            cell="explanation",
            points=10,
            says=(
                "an earlier number was missing, and what is delivered cannot be taken back",
                "the two numbers of the student's own run, and what they mean",
                "what would be delivered without the queue, and that nodes would differ",
            ),
        ),
    ),
)
