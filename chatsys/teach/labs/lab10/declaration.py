"""The declaration of lab 10: what is written, judged, predicted and explained, and what it is worth.

    public 30   hidden 30   search 20   written test 5   explanation 10   predictions 5

Read also `checks` and `voting` (the judges), `play` (the runs that answer the predictions), `grading.lab` (what each field means).
"""

from chatsys.isolation.calls import Method
from chatsys.teach.grading.lab import Exercise, Explain, GradedPart, Lab, Predict, WrittenTest
from chatsys.teach.labs.lab10 import checks, friends, play, voting
from chatsys.teach.labs.lab10.words import LogEnd, Vote

BOUNDS = {
    "10.1": "3 nodes, each frame late, never, or again and again; 1 message, no crash; up to 2 terms, after node 2 asked for votes; and up "
    "to 4 terms along Raft's figure 8, where nodes 2 and 3 do not hear each other",
    "10.2": "3 nodes, each frame late, never, or again and again; a crash between any two questions; 2 candidates for 1 term; and 1 message "
    "and up to 3 terms, after a candidate asked whose log lacks a committed entry, or is longer and older",
}
"""Within which bounds the searches of an exercise try every order, in words."""
SEARCHED = "Exhausted, within these bounds: {bounds}. {right} Beyond these bounds nothing is claimed."
"""What a search says that came to its end."""

COMMIT = Exercise(
    number="10.1",
    title="the commit",
    writes="MyCommit",
    cell="commit",
    lines=12,
    methods={
        "__init__": Method(("me", "nodes", "term")),
        "ack": Method(("node", "seq", "term", "terms"), returns=int),
    },
    judge=checks.judge_commit,
    aspects={"onward": 3, "majority": 4, "older": 4, "stale": 2},
    needs={**dict.fromkeys(("majority", "older", "stale"), ("onward",)), "orders": ("onward", "majority")},
    hints={"onward": 2, "majority": 1, "older": 3, "stale": 3},
    parts=(
        GradedPart(kind="public", cell="check-10-1", points=16),
        GradedPart(kind="hidden", cell="hidden-10-1", points=16),
        GradedPart(
            kind="search", cell="search-10-1", points=10, aspects={"orders": 1},
            done=SEARCHED.format(
                bounds=BOUNDS["10.1"],
                right="Nothing that was committed was lost.",
            ),
        ),
    ),
    figure="term_bands",
    run=play.cut_of_three,
    done="What a majority held was committed, and nothing else; no side without a majority answered anybody.",
    public=40,
)  # fmt: skip

PROMISE = Exercise(
    number="10.2",
    title="the vote",
    writes="MyPromise",
    cell="promise",
    lines=10,
    methods={
        "__init__": Method(("kept",)),
        "ask": Method(("term", "candidate", "last", "own"), returns=Vote),
    },
    given=(LogEnd, Vote),
    judge=voting.judge_promise,
    aspects={"elects": 3, "once": 4, "remembers": 3, "newest": 5},
    needs={**dict.fromkeys(("once", "remembers", "newest"), ("elects",)), "orders": ("elects", "once")},
    hints={"elects": 1, "once": 1, "remembers": 2, "newest": 3},
    parts=(
        GradedPart(kind="public", cell="check-10-2", points=14),
        GradedPart(kind="hidden", cell="hidden-10-2", points=14),
        GradedPart(
            kind="search", cell="search-10-2", points=10, aspects={"orders": 1},
            done=SEARCHED.format(
                bounds=BOUNDS["10.2"],
                right="No term had two leaders, and no leader lacked what was committed.",
            ),
        ),
    ),
    figure="term_bands",
    run=play.cut_with_votes,
    done="Whoever could lead safely was elected, no term was promised twice, and no candidate led that lacked an entry.",
    public=40,
)  # fmt: skip

PREDICTIONS = (
    Predict(
        number="10a",
        question="3 nodes, cut {3} | {1, 2} for 7 s, 10 lines said on each side; two copies are needed. How many of the 20 lines do all nodes show in the end?",
        kind=int,
        from_run=play.shown_with_two,
    ),
    Predict(
        number="10b",
        question="Of 5 nodes 2 crash. In how many of the 10 choices does the chat go on?",
        kind=int,
        from_run=play.pairs_that_may_crash,
    ),
    Predict(
        number="10c",
        question="Node 3 leads and is cut off alone. After how many seconds does it no longer lead?",
        kind=float,
        unit="s",
        tolerance=0.5,
        from_run=play.steps_down_after,
    ),
    Predict(
        number="10d",
        question="Ann is answered ok by the leader and reads at once at node 1. Does she see her line?",
        kind=str,
        options={
            play.NOT_SURELY: "",
            "surely: ok means that it is everywhere": "ok taken for delivered everywhere",
            "surely: a majority has it": "agreement taken for freshness",
            "never: only the leader shows it": "a follower taken for a node that shows nothing",
        },
        from_run=play.sees_her_line,
    ),
)

LAB = Lab(
    number="10",
    name="10-quorum",
    title="Quorum",
    idea="To be elected is not to agree: any two majorities share a node, and that node remembers.",
    hours=(4, 4),
    version=1,
    before=(
        "lab 06, fail-over: what a term is, and what the answer to a COLLECT promises",
        "lab 07, the durable log: what must be on the disk before it is said",
        "classes, lists and dictionaries in Python",
    ),
    words={
        "quorum": "so many nodes as must have something before it counts; here a majority",
        "majority": "more than half of all nodes, not of those that are up: 2 of 3, 3 of 4, 3 of 5",
        "committed": "decided for ever: no later leader may lack it or have something else in its place",
        "candidate": "a node that asks the others for their votes, to lead a term",
        "promise": "the vote of a node for one candidate in one term; it can never be taken back",
        "term": "the number of one leadership; a higher term wins over a lower one",
    },
    seeds={"demonstration": play.shows_two_chats},
    exercises=(COMMIT, PROMISE),
    predictions=PREDICTIONS,
    predictions_points=5,
    tests=(
        WrittenTest(
            number="10.3",
            title="a scenario and a claim",
            of="10.1",
            cell="written-test",
            graded="written-test-10-3",
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
                "the seconds of the student's own run, and which side gave up what in them (CAP): one side answers nobody, so that no answer is lost",
                "why one number gets one value for ever: the majority that committed it and the majority that elects the next leader share a node, and its vote refuses who lacks it",
                "what `ok` promises (the line stays, in one order: linearizable writes) and what it does not (that every node shows it at once), and that only timeouts let anything be decided (FLP)",
            ),
        ),
    ),
)
