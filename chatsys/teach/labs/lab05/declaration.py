"""The declaration of lab 05: what is written, judged, predicted and explained, and what it is worth.

    public 30   hidden 25   search 15   budget 10   written test 5   explanation 10   predictions 5

Read also `checks` (the judge), `play` (the runs that answer the predictions), `grading.lab` (what each field means).
"""

from chatsys.isolation.calls import Method
from chatsys.teach.grading.lab import Exercise, Explain, GradedPart, Lab, Predict, WrittenTest
from chatsys.teach.labs.lab05 import checks, friends, play
from chatsys.teach.labs.lab05.orders import ORDERS, Coordinator, Election, Follow, Lead, Ok, Send, Wait

SEARCHED = "Three nodes suspected and woke once each, in every order, with every loss and a crash of node 3: no term had two leaders."

BULLY = Exercise(
    number="5.1",
    title="the election",
    writes="MyBully",
    cell="bully",
    lines=35,
    methods={
        "__init__": Method(("me", "others", "term")),
        "suspect": Method((), returns=list[ORDERS]),
        "receive": Method(("sender", "message"), returns=list[ORDERS]),
        "wake": Method((), returns=list[ORDERS]),
    },
    given=(Election, Ok, Coordinator, Send, Lead, Follow, Wait),
    judge=checks.judge_election,
    aspects={"highest": 3, "one": 5, "forward": 3, "unique": 4},
    needs={
        "forward": ("one",),
        "unique": ("one",),
        "orders": ("highest",),
        **dict.fromkeys(("asks", "claims", "messages", "quiet"), ("highest",)),
    },
    hints={"highest": 1, "one": 2, "forward": 3, "unique": 3},
    parts=(
        GradedPart(kind="public", cell="check-5-1", points=30),
        GradedPart(kind="hidden", cell="hidden-5-1", points=25),
        GradedPart(kind="search", cell="search-5-1", points=15, aspects={"orders": 1}, done=SEARCHED),
        GradedPart(
            kind="budget", cell="budget-5-1", points=10, aspects={"asks": 2, "claims": 3, "messages": 3, "quiet": 2},
            done="No election took more than n² messages and one claim, and a quiet minute took none.",
        ),
    ),
    figure="term_bands",
    run=play.outage,
    done="In every run one node led in the end and all others followed it, no term had two leaders, and no node went back.",
    public=40,
)  # fmt: skip

PREDICTIONS = (
    Predict(
        number="5a",
        question="Five nodes; the leader, node 5, is down, and node 1 notices it first. How many ELECTION messages are sent?",
        kind=int,
        from_run=play.elections_sent,
    ),
    Predict(
        number="5b",
        question="Nodes 1 and 2 are cut off from node 3, which leads. How many nodes lead after eight seconds?",
        kind=int,
        from_run=play.leaders_of_a_split,
    ),
    Predict(
        number="5c",
        question="Two nodes lead at the same time, on two sides of a cut. Is that a bug of the election?",
        kind=str,
        options={
            play.NO_BUG: "",
            "yes, there must be one leader": "one leader in a term taken for one leader at a time",
            "yes, node 3 has no majority": "Bully taken for a vote: it asks who is higher, and counts nobody",
            "no, the higher node counts": "the id taken for the term: after a cut the higher term wins, whoever has it",
        },
        from_run=play.is_it_a_bug,
    ),
)

LAB = Lab(
    number="05",
    name="05-bully-election",
    title="Bully election",
    idea="One leader in a term, not one leader: a term is a number that nobody else can claim.",
    hours=(4, 4),
    version=1,
    before=(
        "the tour, `notebooks/00-tour.ipynb`",
        "classes and lists in Python, and `match` or `isinstance`",
    ),
    words={
        "leader": "the node that says of itself that it leads; it sends a heartbeat every 0.8 s",
        "follow": "take the orders of one leader in one term",
        "term": "the number of one leadership; a higher term wins over a lower one",
        "claim": "say that one leads a term: a COORDINATOR to the others",
        "suspect": "believe that the leader is gone, though it may only be slow",
        "fail-over": "the time from the crash of a leader until the next one leads",
    },
    seeds={"demonstration": play.shows_two_leaders},
    exercises=(BULLY,),
    predictions=PREDICTIONS,
    predictions_points=5,
    tests=(
        WrittenTest(
            number="5.2",
            title="a scenario and a claim",
            of="5.1",
            cell="written-test",
            graded="written-test-5-2",
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
                "the two numbers of the student's own run, and where the seconds go: silence first, then the wait for an OK",
                "a node cannot tell a slow leader from a dead one, so a shorter silence means elections that nobody needed",
                "two leaders at a time are two terms, and the lower one gives way when it hears of the higher",
            ),
        ),
    ),
)
