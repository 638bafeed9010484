"""The declaration of lab 11: what is written, judged, predicted and explained, and what it is worth.

    public 20   hidden 25   written test 15   diagnosis 25   explanation 10   predictions 5

Read also `checks` (the judges), `play` (how a written test is played), `grading.lab` (what each field means).
"""

from chatsys.isolation.calls import Method
from chatsys.teach.grading.lab import Exercise, Explain, GradedPart, Lab, Predict, WrittenTest
from chatsys.teach.labs.lab11 import checks, play, predicted
from chatsys.teach.labs.lab11.asked import ATTACKS, ATTACKS_METHODS, NAMES, SPOKEN, SPOKEN_METHODS, VERBS
from chatsys.teach.labs.lab11.bugs import BUGS, RIGHT, TARGETS

FIVE = dict.fromkeys(NAMES, 1)

THE_INVARIANTS = Exercise(
    number="11.1",
    title="five invariants",
    writes="MyInvariants",
    cell="invariants",
    lines=45,
    methods={name: Method(("trace",)) for name in NAMES},
    holder=SPOKEN,
    asked=SPOKEN_METHODS,
    judge=checks.judge_invariants,
    aspects=FIVE,
    hints={"agreement": 2, "gap": 1, "duplicate": 1, "kept": 3, "leaders": 2},
    parts=(
        GradedPart(kind="public", cell="check-11-1", points=10),
        GradedPart(kind="hidden", cell="hidden-11-1", points=25),
    ),
    public=1,
    hidden=42,
    figure="",
    done="Your five invariants speak of every run in which they are broken, and accuse no run in which nothing is wrong.",
)

THE_ATTACKS = Exercise(
    number="11.2",
    title="three attacks",
    writes="MyAttacks",
    cell="attacks",
    lines=13,
    methods={name: Method(("world",)) for name in TARGETS},
    holder=ATTACKS,
    asked=ATTACKS_METHODS,
    judge=checks.judge_attacks,
    aspects={**dict.fromkeys(TARGETS, 2), "short": 1, "par": 3},
    needs={"short": tuple(TARGETS), "par": (*TARGETS, "short")},
    hints={**dict.fromkeys(TARGETS, 1), "short": 2, "par": 3},
    parts=(GradedPart(kind="public", cell="check-11-2", points=10),),
    public=1,
    figure="",
    done="Each attack breaks what it is to break, and none has more moves than par.",
)

PREDICTIONS = (
    Predict(
        number="11a",
        question=f"How many attacks of eight random moves does it take until “{predicted.HUNTED}” breaks something?",
        kind=int,
        from_run=predicted.tries_until_broken,
    ),
    Predict(
        number="11b",
        question=f"How many moves has the shortest attack on “{predicted.SEARCHED}”?",
        kind=int,
        where="in the search",
        from_run=predicted.shortest,
    ),
    Predict(
        number="11c",
        question=f"A search made every attack of one move on “{predicted.SEARCHED}” and says “exhausted”. What do you know?",
        kind=str,
        options={
            predicted.WITHIN: "",
            "the bug does no harm": "exhausted taken for harmless: a longer attack, or one outside the bounds, may break it",
            "nothing at all, it may be bad luck": "a search taken for a draw: chance tries some attacks, a search tries all within its bounds",
        },
        where="for this search",
        from_run=predicted.what_is_known,
    ),
)

LAB = Lab(
    number="11",
    name="11-break-it",
    title="Break it",
    idea="“It worked a thousand times” is no statement. Say what must hold, then try to break it.",
    hours=(4, 5),
    version=1,
    before=(
        "labs 05, 06 and 07: terms, leaders, what an `ok` promises, what a disk has synced",
        "dictionaries and loops over records in Python",
    ),
    words={
        "invariant": "a sentence about a run that must hold at each of its moments, whatever happens",
        "false alarm": "an invariant speaks of a run in which nothing is wrong",
        "attack": "moves of an adversary: crashes, cuts, slow disks, power cuts, and what people say meanwhile",
        "life": "a node from its start to its crash; (node, incarnation) names it",
        "par": "the number of moves of an attack that is known; a search made every shorter one within its bounds, and none of them breaks anything",
        "exhausted": "a search has tried everything within its bounds",
        "inconclusive": "a search ran out of its budget: nobody knows",
        "shrink": "leave out of an attack what it does not need",
    },
    exercises=(THE_INVARIANTS, THE_ATTACKS),
    predictions=PREDICTIONS,
    predictions_points=5,
    tests=(
        WrittenTest(
            number="11.3",
            title="one scenario and one claim against all bugs",
            of="the chat",
            cell="written-test",
            graded="written-test-11-3",
            points=15,
            verbs=VERBS,
            play=play.play_scenario,
            open_mistakes=dict(BUGS),
            open_right=RIGHT,
        ),
    ),
    kinds={
        "hidden": "the same invariants on bugs whose code is not on your machine, on other right chats, and on random attacks that differ from student to student",
    },
    explain=(
        Explain(
            cell="diagnosis",
            points=25,
            says=(
                "A: node 3 leads term 1 again after its crash, without asking anybody: a leader that begins anew has to follow first",
                "B: node 1 promised term 2 to node 2, crashed, and promised the same term to node 3: a promise has to be on the disk and to be read at the start",
                "C: node 3 took entries from the new leader without comparing what stands before them, so its own old entries stayed below and were committed",
            ),
        ),
        Explain(
            cell="explanation",
            points=10,
            says=(
                "the numbers of the student's own run, and that a bug which survived all random attacks is still there",
                "exhausted is a statement within bounds, and two of the bounds are named",
                "all five invariants are safety: a finite run can break them; that something comes in the end is liveness, which no finite run breaks",
            ),
        ),
    ),
)
