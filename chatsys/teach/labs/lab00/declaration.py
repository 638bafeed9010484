"""The declaration of lab 00: a script of verbs, three predictions, and nothing that is counted in points.

    done   when the script does the three things that 0.1 asks for

Read also `checks` (the judge), `scenes` (the runs that answer the predictions), `grading.lab` (what each field means).
"""

from chatsys.isolation.calls import Method
from chatsys.teach.grading.lab import Exercise, GradedPart, Lab, Predict
from chatsys.teach.labs.lab00 import checks, scenes
from chatsys.teach.labs.lab00.history import renew
from chatsys.teach.labs.lab00.story import Step
from chatsys.vocabulary import WORDS

STORY = Exercise(
    number="0.1",
    title="a story",
    writes="my_story",
    cell="story",
    lines=10,
    function=True,
    methods={},
    holder="chatsys.teach.labs.lab00.story:StoryTeller",
    asked={"tell": Method(("answers",), returns=list[Step])},
    judge=checks.judge_story,
    aspects={"crash": 1, "outage": 1, "same": 1},
    needs={"outage": ("crash",), "same": ("crash", "outage")},
    hints={"crash": 1, "outage": 2, "same": 3},
    parts=(GradedPart(kind="public", cell="check-0-1", points=1, whole=True),),
    figure="outages",
    run=scenes.told_by,
    done="In every run the leader crashed, something was said while nobody led, and in the end all nodes showed the same messages.",
    public=5,
    hidden=0,
)  # fmt: skip

PREDICTIONS = (
    Predict(
        number="0a",
        question="Node 3 leads and crashes at 4 s. Who leads at 9 s?",
        kind=str,
        options={
            "node 2": "",
            "node 1": "the lowest node taken for the next one: of those that are alive the highest takes over",
            "node 3": "a crashed node taken for one that comes back by itself",
            "nobody": "the leader taken for the cluster: the others choose another one",
        },
        from_run=scenes.leads_at_the_end,
    ),
    Predict(
        number="0b",
        question="For how many seconds is nobody the leader?",
        kind=float,
        unit="s",
        tolerance=0.5,
        from_run=scenes.without_a_leader,
    ),
    Predict(
        number="0c",
        question="A message is said at 4.05 s, when nobody leads. How often do the users of node 1 see it?",
        kind=str,
        options={
            "once": "",
            "never": "no answer taken for a lost message: whoever said it asks again",
            "twice": "asking again taken for showing again: the message keeps its number",
        },
        from_run=scenes.how_often_shown,
    ),
)

LAB = Lab(
    number="00",
    name="00-first-steps",
    title="First steps",
    idea="A cluster is several programs that only exchange messages; what you see is what each of them wrote down.",
    hours=(0.25, 0.5),
    version=1,
    before=("a little Python: how to call a function, and how to write one",),
    words={
        "node": WORDS["node"],
        "cluster": WORDS["cluster"],
        "leader": WORDS["leader"],
        "outage": "a time in which nobody leads",
        "crash": "the end of a node, at once: it can say nothing any more; its disk stays",
        "suspect": WORDS["suspect"],
        "seed": "the number that decides all chance in a run; the same seed gives the same run",
        "script": "a function that tells a world, line by line, what happens in it",
    },
    seeds={"demonstration": scenes.shows_an_outage},
    anew=renew,
    exercises=(STORY,),
    predictions=PREDICTIONS,
    design="explanation",
)
