"""The declaration of lab 07: what is written, judged, predicted and explained, and what it is worth.

    public 30   hidden 20   sweeps 25   budget 10   explanation 10   predictions 5

Read also `checks`, `answering` and `voting` (the judges), `predicted` (what answers the predictions), `grading.lab` (what each field means).
"""

from chatsys.isolation.calls import Method
from chatsys.teach.grading.lab import Exercise, Explain, GradedPart, Lab, Predict
from chatsys.teach.labs.lab07 import answering, checks, predicted, voting
from chatsys.teach.labs.lab07.lives import ASKED, HOLDER

TWICE = "The power was cut at every byte of a log, and again at every byte of what the next life did: nothing was lost."
EVERY = "The power was cut at every byte, and every sync failed once, with three ways to flush: nothing that was answered was lost."

MADE = Method(("file",))
LOG = {"__init__": MADE, "append": Method(("record",)), "load": Method(())}

THE_LOG = Exercise(
    number="7.1",
    title="the log",
    writes="MyLog",
    cell="log",
    lines=20,
    methods=LOG,
    holder=HOLDER,
    asked=ASKED,
    judge=checks.judge_log,
    aspects={"loads": 2, "kept": 3, "torn": 3, "continues": 3, "damage": 3},
    needs={
        **dict.fromkeys(("kept", "torn", "continues", "damage"), ("loads",)),
        "continues": ("loads", "torn"),
        "any": ("loads", "kept", "torn", "continues", "damage"),
        "twice": ("loads",),
    },
    hints={"loads": 1, "kept": 1, "torn": 2, "continues": 3, "damage": 2},
    parts=(
        GradedPart(kind="public", cell="check-7-1", points=14),
        GradedPart(
            kind="hidden", cell="hidden-7-1", points=9,
            aspects={"loads": 1, "kept": 1, "torn": 2, "continues": 2, "damage": 1, "any": 2},
        ),
        GradedPart(kind="search", cell="sweep-7-1", points=15, aspects={"twice": 1}, done=TWICE),
    ),
    figure="",
    done="Whatever a power cut left, load() gave back every record that had been appended, and no broken line passed.",
)  # fmt: skip

THE_ANSWERS = Exercise(
    number="7.2",
    title="the answers",
    writes="MyAnsweringLog",
    after=("7.1",),
    cell="answers",
    lines=19,
    methods={**LOG, "accept": Method(("record", "answer")), "flush": Method(())},
    holder=HOLDER,
    asked=ASKED,
    judge=answering.judge_answers,
    aspects={"answers": 2, "durable": 4, "failed": 4},
    needs={
        **dict.fromkeys(("durable", "failed", "every"), ("answers",)),
        "meanwhile": ("answers", "durable"),
        "syncs": ("answers", "durable"),
        "idle": ("answers", "durable"),
    },
    hints={"answers": 2, "durable": 1, "failed": 3},
    parts=(
        GradedPart(kind="public", cell="check-7-2", points=10),
        GradedPart(
            kind="hidden", cell="hidden-7-2", points=7, aspects={"answers": 1, "durable": 2, "failed": 2, "meanwhile": 2}
        ),
        GradedPart(kind="search", cell="sweep-7-2", points=10, aspects={"every": 1}, done=EVERY),
        GradedPart(
            kind="budget", cell="budget-7-2", points=10, aspects={"syncs": 7, "idle": 3},
            done="No flush took more than one sync, and none that had nothing to do took one.",
        ),
    ),
    figure="",
    done="Each record was answered once, by its flush, and what was answered was never lost.",
)  # fmt: skip

THE_PROMISE = Exercise(
    number="7.3",
    title="the promise",
    writes="MyVoter",
    after=("7.1",),
    cell="promise",
    lines=13,
    methods={"__init__": MADE, "promise": Method(("term",))},
    holder=HOLDER,
    asked=ASKED,
    judge=voting.judge_promises,
    aspects={"yes": 1, "once": 1, "remembers": 2, "failed": 2},
    needs={"once": ("yes",), "remembers": ("yes",), "failed": ("yes", "remembers")},
    hints={"yes": 1, "once": 2, "remembers": 3, "failed": 3},
    parts=(
        GradedPart(kind="public", cell="check-7-3", points=6),
        GradedPart(kind="hidden", cell="hidden-7-3", points=4, aspects={"once": 1, "remembers": 2, "failed": 1}),
    ),
    figure="",
    done="No term was promised twice, and none below a promised one, wherever the power was cut and whichever sync failed.",
)

PREDICTIONS = (
    Predict(
        number="7a",
        question="Twelve records, each written, synced and then answered. After how many of these power cuts is an answered record lost?",
        kind=int,
        from_run=predicted.lost_with_each_synced,
    ),
    Predict(
        number="7b",
        question="Records are answered at once, and every fourth flush syncs. After how many of 100 power cuts is an answered record lost?",
        kind=float,
        unit="%",
        tolerance=5.0,
        from_run=predicted.share_lost_by_quick,
    ),
    Predict(
        number="7c",
        question="How many bytes must be on the disk until record 5 is safe?",
        kind=int,
        from_run=predicted.safe_from,
    ),
    Predict(
        number="7d",
        question="The process is killed with kill -9 instead of the power being cut, and nothing was ever synced. How many answered records are lost?",
        kind=str,
        options={
            predicted.NONE_LOST: "",
            "some of them": "a process that is killed is no power cut: what was written is with the operating system, which goes on",
            "all of them": "what was written is not in the process any more: it left with the call of write",
        },
        from_run=predicted.lost_when_killed,
    ),
)

LAB = Lab(
    number="07",
    name="07-durable-log",
    title="Durable log",
    idea="First write, then sync, then speak: a promise that can be forgotten is none.",
    hours=(3, 4),
    version=1,
    before=(
        "the tour, `notebooks/00-tour.ipynb`",
        "bytes and strings, `json`, exceptions and classes in Python",
    ),
    words={
        "write": "hand bytes to the operating system: they can be read again, and a power cut may take them",
        "sync": "wait until all that was written is on the disk: a power cut cannot take it any more",
        "durable": "written and synced",
        "life": "the time of a node from its start to the next power cut",
        "torn": "broken at the end of the file, because a power cut came before a write was on the disk",
        "damaged": "broken before the last line: no power cut does that",
        "answer": "tell the client that its record is safe; that cannot be taken back",
        "promise": "a vote for one node in one term, which binds whoever gave it, after a crash too",
    },
    exercises=(THE_LOG, THE_ANSWERS, THE_PROMISE),
    predictions=PREDICTIONS,
    predictions_points=5,
    kinds={
        "search": "two sweeps, which you do not see: power cuts at every byte, once and twice",
        "hidden": "the same checks on records and runs that you do not see and that differ from student to student",
    },
    explain=(
        Explain(
            cell="explanation",
            points=10,
            says=(
                "the two numbers of the student's own run, and that one sync serves all records that wait for it",
                "an answer before the sync is a promise that a power cut breaks, and the client has forgotten the record by then",
                "what was not answered may be lost or kept, so the client asks again, and the memory of what was done must be durable too",
            ),
        ),
    ),
)
