"""The declaration of lab 02: what is written, judged, predicted and explained, and what it is worth.

    public 30   hidden 35   budget 5   written test 10   explanation 15   predictions 5

Read also `lamport`, `vectors`, `orders`, `queues`, `cuts` (the judges), `play` (the runs that answer the predictions), `grading.lab`.
"""

from typing import Any

from chatsys.isolation.calls import Method
from chatsys.teach.grading.lab import Exercise, Explain, GradedPart, Lab, Predict, WrittenTest
from chatsys.teach.labs.lab02 import cuts, friends, lamport, orders, play, queues, runs, vectors
from chatsys.teach.labs.lab02.stage import Message

MADE = Method(("me", "nodes"))
VECTOR = dict[int, int]


def _parts(number: str, public: float, hidden: float) -> tuple[GradedPart, ...]:
    name = number.replace(".", "-")
    return (
        GradedPart(kind="public", cell=f"check-{name}", points=public),
        GradedPart(kind="hidden", cell=f"hidden-{name}", points=hidden),
    )


LAMPORT = Exercise(
    number="2.1",
    title="the Lamport clock",
    writes="MyLamport",
    cell="lamport",
    lines=11,
    methods={
        "__init__": Method(),
        "tick": Method((), returns=int),
        "send": Method((), returns=int),
        "receive": Method(("stamp",), returns=int),
    },
    judge=lamport.judge_lamport,
    aspects={"rises": 3, "arrives": 3, "longest": 2},
    needs={"longest": ("rises", "arrives")},
    hints={"rises": 1, "arrives": 3, "longest": 3},
    parts=_parts("2.1", 7, 7),
    figure="",
    run=lambda cls: play.chat(lamport=cls),
    done="In every run every number was the length of the longest path of events that ends there.",
)

VECTORS = Exercise(
    number="2.2",
    title="the vector clock",
    writes="MyVector",
    cell="vector",
    lines=13,
    methods={
        "__init__": MADE,
        "tick": Method((), returns=VECTOR),
        "send": Method((), returns=VECTOR),
        "receive": Method(("stamp",), returns=VECTOR),
    },
    judge=vectors.judge_vector,
    aspects={"own": 3, "knows": 3, "missing": 1},
    needs={"missing": ("own", "knows")},
    hints={"own": 1, "knows": 3, "missing": 2},
    parts=_parts("2.2", 7, 8),
    figure="",
    run=lambda cls: play.chat(vector=cls),
    done="In every run every vector counted exactly the events that lie before it.",
)

ORDER = Exercise(
    number="2.3",
    title="before and concurrent",
    writes="MyOrder",
    cell="order",
    lines=7,
    methods={
        "before": Method(("a", "b"), returns=bool),
        "concurrent": Method(("a", "b"), returns=bool),
    },
    judge=orders.judge_order,
    aspects={"before": 4, "concurrent": 3, "itself": 1, "missing": 1},
    needs={"itself": ("before", "concurrent"), "missing": ("before", "concurrent")},
    hints={"before": 3, "concurrent": 3, "itself": 2, "missing": 1},
    parts=_parts("2.3", 5, 6),
    figure="",
    done="It said the same of every pair of events as the paths do.",
    public=2,
    hidden=3,
)

QUEUE = Exercise(
    number="2.4",
    title="the causal queue",
    writes="MyCausal",
    cell="causal",
    lines=19,
    methods={
        "__init__": MADE,
        "stamp": Method((), returns=VECTOR),
        "receive": Method(("sender", "stamp", "message"), returns=list[Message]),
    },
    given=(Message,),
    judge=queues.judge_queue,
    aspects={"complete": 1, "causal": 5, "prompt": 3, "stamps": 2, "missing": 1},
    needs={
        "causal": ("complete",),
        **dict.fromkeys(("prompt", "stamps", "missing", "memory"), ("complete", "causal")),
    },
    hints={"complete": 3, "causal": 3, "prompt": 3, "stamps": 2, "missing": 1, "memory": 2},
    parts=(
        *_parts("2.4", 9, 12),
        GradedPart(
            kind="budget", cell="budget-2-4", points=5, aspects={"memory": 1},
            done="20,000 messages that were shown left less than 1 MB behind.",
        ),
    ),
    load=queues.load,
    figure="",
    run=lambda cls: play.chat(causal=cls),
    done="In every run every message was shown once, after all that its sender had been shown, and waited for nothing else.",
)  # fmt: skip

CUT = Exercise(
    number="2.5",
    title="the consistent cut",
    writes="MyCut",
    cell="cut",
    lines=3,
    methods={"consistent": Method(("cut",), returns=bool)},
    judge=cuts.judge_cut,
    aspects={"cut": 1},
    hints={"cut": 3},
    parts=_parts("2.5", 2, 2),
    figure="",
    done="It told every state that the cluster could have been in from every one that it could not.",
    public=10,
    hidden=40,
)

PREDICTIONS = (
    Predict(
        number="2a",
        question="Which of the pairs b and d, a and f, c and e of the drawing are concurrent?",
        kind=str,
        options={
            play.BOTH: "",
            play.LATER: "further to the left taken for before: nothing that node 3 did reaches c",
            play.PATHS: "further to the right taken for after: node 1 is told nothing, and sends nothing after a",
            play.EARLIER: "earlier by the clock on the wall taken for before",
            play.ALL: "no message between them taken for no path: a path may lead through several messages",
        },
        from_run=play.six_events,
    ),
    Predict(
        number="2b",
        question=f"The clock of node 1 is {play.AHEAD:g} s ahead: how many of the 66 pairs of lines change their order by the date?",
        kind=int,
        unit="pairs",
        tolerance=3,
        from_run=play.skewed,
    ),
    Predict(
        number="2c",
        question="Event a has the Lamport number 3, event b has 5. Is a before b?",
        kind=str,
        options={
            play.PERHAPS: "",
            "yes": "a smaller number taken for a path: before makes the number larger, and not the other way round",
            "no": "concurrent taken for certain: a path may lead from a to b, and it often does",
        },
        from_run=play.numbers_and_paths,
    ),
)


def _explain() -> tuple[Explain, ...]:
    return (
        Explain(
            cell="explanation",
            points=15,
            says=(
                "the numbers of the student's own run: a date is what one node's clock showed, and a clock that is ahead puts answers before questions",
                "a larger Lamport number does not mean after: only the vector tells before from concurrent",
                "synchronised clocks promise an interval, and two events that are nearer than that cannot be ordered by date",
            ),
        ),
    )


def _test() -> WrittenTest:
    options: dict[str, Any] = {"verbs": play.VERBS, "play": play.play_scenario, "open_mistakes": friends.WRONG}
    options |= {"open_right": runs.RightQueue}
    return WrittenTest(
        number="2.6",
        title="a scenario and a claim",
        of="2.4",
        cell="written-test",
        graded="written-test-2-6",
        points=10,
        **options,
    )


LAB = Lab(
    number="02",
    name="02-time",
    title="Time",
    idea="Before is not a time of day: it is a path of messages.",
    hours=(4, 4),
    version=1,
    before=("the tour, `notebooks/00-tour.ipynb`", "classes, dictionaries and lists in Python"),
    words={
        "event": "something that happens at one node: a step, a sending or a receipt; 2.5 is the fifth event of node 2",
        "path": "from event to event: on to the next one of the same node, or with a message to its receipt",
        "before": "a is before b if a path leads from a to b",
        "concurrent": "neither of two different events is before the other",
        "stamp": "what travels with a message, so that its receiver knows the time of its sending",
        "wall clock": "the clock of a node that shows a date; no two of them show quite the same",
        "causal order": "no message is shown before one that its sender had been shown",
        "cut": "the first events of each node, so many of each",
    },
    seeds={"demonstration": play.shows_an_answer_first},
    exercises=(LAMPORT, VECTORS, ORDER, QUEUE, CUT),
    predictions=PREDICTIONS,
    predictions_points=5,
    tests=(_test(),),
    explain=_explain(),
)
