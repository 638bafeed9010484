"""The declaration of lab 01: what is written, judged, predicted and explained, and what it is worth.

    public 30   hidden 30   search 15   budget 10   explanation 10   predictions 5

Read also `checks` (the judges), `play` (the runs that answer the predictions), `grading.lab` (what each field means).
"""

from chatsys.isolation.calls import Method
from chatsys.teach.grading.lab import Exercise, Explain, GradedPart, Lab, Predict
from chatsys.teach.labs.lab01 import checks, play
from chatsys.teach.labs.lab01.packets import Packet

ORDERS = f"{sum(3**length for length in range(1, 7)):,} orders"
"""So many are tried in each search."""

SENDER = Exercise(
    number="1.1",
    title="the sender",
    writes="MySender",
    cell="sender",
    lines=17,
    methods={
        "__init__": Method(()),
        "say": Method(("text", "now"), returns=list[Packet]),
        "ack": Method(("number", "now"), returns=list[Packet]),
        "tick": Method(("now",), returns=list[Packet]),
    },
    given=(Packet,),
    judge=checks.judge_sender,
    aspects={"arrive": 5, "numbers": 3, "quiet": 4},
    needs={"numbers": ("arrive",), "quiet": ("arrive",), "orders": ("arrive",), "patient": ("arrive",)},
    hints={"arrive": 1, "numbers": 2, "quiet": 3},
    parts=(
        GradedPart(kind="public", cell="check-1-1", points=15),
        GradedPart(kind="hidden", cell="hidden-1-1", points=15),
        GradedPart(
            kind="search", cell="search-1-1", points=5, aspects={"orders": 1},
            done=f"All {ORDERS} of up to 6 acknowledgements and ticks after two equal texts were tried.",
        ),
        GradedPart(
            kind="budget", cell="budget-1-1", points=5, aspects={"patient": 1},
            done="No packet was sent again before its acknowledgement could be there.",
        ),
    ),
    figure="packet_lanes",
    run=play.talk_to_the_given,
    done="In every run each text arrived under its own number, and nothing was sent after its acknowledgement.",
    public=12,
)  # fmt: skip

RECEIVER = Exercise(
    number="1.2",
    title="the receiver",
    writes="MyReceiver",
    cell="receiver",
    lines=12,
    methods={"__init__": Method(()), "receive": Method(("packet",), returns=tuple[list[Packet], list[int]])},
    given=(Packet,),
    judge=checks.judge_receiver,
    aspects={"complete": 1, "order": 4, "once": 3, "answer": 3, "again": 3, "memory": 2},
    needs={
        "order": ("complete",),
        "once": ("complete",),
        "answer": ("complete", "once"),
        "again": ("complete", "once"),
        "memory": ("complete", "once", "order"),
        "orders": ("complete",),
        "one": ("answer", "again"),
    },
    hints={"complete": 3, "order": 2, "once": 2, "answer": 1, "again": 1, "memory": 3},
    parts=(
        GradedPart(kind="public", cell="check-1-2", points=15),
        GradedPart(kind="hidden", cell="hidden-1-2", points=15),
        GradedPart(
            kind="search", cell="search-1-2", points=10, aspects={"orders": 1},
            done=f"All {ORDERS} of arrival of up to 6 packets of 3 texts were tried.",
        ),
        GradedPart(
            kind="budget", cell="budget-1-2", points=5, aspects={"one": 1},
            done="Each packet that came got one acknowledgement.",
        ),
    ),
    load=checks.load,
    figure="packet_lanes",
    run=play.listen_to_the_given,
    done="In every run node 2 delivered each text once and in order, and acknowledged each packet that came.",
    public=12,
)  # fmt: skip

PREDICTIONS = (
    Predict(
        number="1a",
        question="20 texts; of ten packets three are lost, and of ten acknowledgements three as well. How many packets are sent, on average?",
        kind=int,
        unit="packets",
        where=f"on average in {play.RUNS} runs from seed {{seed}} on",
        tolerance=5,
        from_run=play.packets_sent,
    ),
    Predict(
        number="1b",
        question="Of the packets that get no answer in time, how many percent have arrived all the same?",
        kind=int,
        unit="%",
        where=f"in {play.SOME} runs from seed {{seed}} on",
        tolerance=5,
        from_run=play.arrived_all_the_same,
    ),
    Predict(
        number="1c",
        question="One text was said once and delivered twice, over a link that copies nothing by itself. What was lost?",
        kind=str,
        options={
            "the acknowledgement": "",
            "the packet": "a missing acknowledgement taken for a missing packet",
            "nothing": "the copy taken for one that the network made: this link makes none",
        },
        from_run=play.what_was_lost,
    ),
)

LAB = Lab(
    number="01",
    name="01-links",
    title="Links",
    idea="A missing acknowledgement does not mean a missing message.",
    hours=(3, 3),
    version=1,
    before=(
        "the tour, `notebooks/00-tour.ipynb`",
        "classes, lists and dictionaries in Python",
    ),
    words={
        "text": "what a user says at node 1",
        "packet": "a number and a text, as they go over the link",
        "acknowledgement": "a number that goes back: the packet of this number has arrived",
        "unanswered": "said of a packet for which no acknowledgement has come yet",
        "copy": "a packet that arrives once more",
        "early": "said of a packet that arrives before one with a smaller number",
        "deliver": "show a text to the user at node 2; that cannot be undone",
    },
    seeds={"demonstration": play.shows_loss_and_double},
    exercises=(SENDER, RECEIVER),
    predictions=PREDICTIONS,
    predictions_points=5,
    explain=(
        Explain(
            cell="explanation",
            points=10,
            says=(
                "the two numbers of the student's own run, and that node 1 cannot tell a lost packet from a lost acknowledgement",
                "after no acknowledgement do both sides know that both know: the last one that was sent may be the one that is lost",
                "what a receiver that crashes and begins anew forgets, which promise that breaks, and what it would have to write down",
            ),
        ),
    ),
)
