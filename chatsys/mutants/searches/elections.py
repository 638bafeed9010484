"""Where bugs of promises are seen: nobody leads yet, and nodes 2 and 3 both want to lead term 1.

Read also `mutants.bugs.succession` (the bugs), `search`.
"""

from chatsys.explore.untimed import Life
from chatsys.mutants.searches.models import Established, Fresh
from chatsys.mutants.searches.predicates import asks
from chatsys.mutants.searches.search import Search, Stage


def _both_ask(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 1) and asks(three, 1)


BOTH_ASK = Stage("nodes 2 and 3 both ask for promises of term 1", _both_ask)
RIVALS = {"terms": 1, "nominees": (2, 3)}

RIVALRY = Search(model=Fresh, bounds={**RIVALS, "borne": ("S6",)}, states=15_000)
TWO_ASK_ONE_CRASHES = Search(
    model=Fresh,
    bounds={**RIVALS, "crashes": 1, "mortal": (1,), "borne": ("S6",)},
    stages=(BOTH_ASK,),
    states=20_000,
)
TWO_ASK_ONE_LOSES_POWER = Search(
    model=Fresh,
    bounds={**RIVALS, "crashes": 1, "mortal": (1,), "disk": True, "borne": ("S6", "S14")},
    stages=(BOTH_ASK,),
    states=10_000,
)

ELECTIONS = {
    "vote twice": RIVALRY,
    "promise forgotten on restart": TWO_ASK_ONE_CRASHES,
    "term forgotten on restart": TWO_ASK_ONE_CRASHES,
    "PROMISE before fsync": TWO_ASK_ONE_LOSES_POWER,
    "claims the lead at start": Search(model=Fresh, bounds=RIVALS),
    "leadership resumed after restart": Search(model=Established, bounds={"crashes": 1, "inputs": (), "nominees": ()}),
    "COORDINATOR of an older term accepted": Search(
        model=Fresh, bounds={"terms": 2, "nominees": (2, 3)}, states=40_000
    ),
}
"""Searches by the names of mutants."""
