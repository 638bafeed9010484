"""Why: what a message waited for, which faults lay over that, and what happens without them.

    why_not(world, 7, node=3, before=9.0)     the first obligation that is missing, and what must go so that it comes
    why(world, 7, node=3)                     what was done when, and what took longest
    why(world, violation)                     what led to a broken rule, and without which faults it holds

    Question(world)                           a run that is asked many times: it is read once

    trace --scene, whereabouts--> obligations --lasting--> faults over the wait --trying, smallest--> an `Answer`

Read first `obligations`, then `asking`.
"""

from chatsys.campaign.why.answer import Answer
from chatsys.campaign.why.asking import Question, why, why_not

__all__ = ["Answer", "Question", "why", "why_not"]
