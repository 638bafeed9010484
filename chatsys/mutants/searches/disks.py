"""Where bugs between memory and disk are seen: a sync takes a step, and power is lost before it.

Read also `mutants.bugs.storage`, `ordering` and `fence` (the bugs), `logs` (without power losses).
"""

from chatsys.explore.untimed import Life
from chatsys.mutants.searches.logs import OPENED
from chatsys.mutants.searches.models import Established
from chatsys.mutants.searches.predicates import asks, came_back, committed, disk, is_in, leads, log, match, nominates
from chatsys.mutants.searches.search import Search, Stage

# --- the leader had it in memory only -------------------------------------------------------


def _two_confirmed(one: Life, two: Life, three: Life) -> bool:
    return match(three, 2) == 3 and disk(two) == (1, 1, 1) and disk(three) == OPENED


def _three_forgot(one: Life, two: Life, three: Life) -> bool:
    return came_back(three) and log(three) == OPENED


def _three_asks(one: Life, two: Life, three: Life) -> bool:
    return asks(three, 2) and log(three) == OPENED


ONLY_TWO = Stage("'one' is on the disk of node 2, which said so; its leader 3 has it in memory only", _two_confirmed)
LEADER_FORGETS = Search(
    model=Established,
    bounds={"nominees": (3,), "disk": True, "crashes": 1, "mortal": (3,)},
    stages=(
        ONLY_TWO,
        Stage("node 3 lost power, and is back without 'one'", _three_forgot, width=60),
        Stage("node 3 asks for promises of term 2", _three_asks, width=60),
    ),
)

# --- a follower had it in memory only -------------------------------------------------------


def _one_has_it_in_memory(one: Life, two: Life, three: Life) -> bool:
    return log(one) == disk(three) == (1, 1, 1) and disk(one) == log(two) == OPENED


def _one_forgot(one: Life, two: Life, three: Life) -> bool:
    return came_back(one) and log(one) == log(two) == OPENED


def _two_asks(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 2) and log(one) == log(two) == OPENED


FOLLOWER_FORGETS = Search(
    model=Established,
    bounds={"nominees": (2,), "disk": True, "crashes": 1, "mortal": (1,), "borne": ("S14",)},
    stages=(
        Stage("'one' is on the disk of its leader 3, and in the memory of node 1", _one_has_it_in_memory),
        Stage("node 1 lost power, and is back without 'one'", _one_forgot),
        Stage("node 2, which never had it, asks for promises of term 2", _two_asks),
    ),
)

# --- an ACK outlives what it confirmed ------------------------------------------------------


def _one_confirmed(one: Life, two: Life, three: Life) -> bool:
    return disk(one) == log(three) == (1, 1, 1) and disk(three) == log(two) == OPENED


def _only_one_has_it(one: Life, two: Life, three: Life) -> bool:
    return log(one) == (1, 1, 1) and came_back(three) and log(two) == log(three) == OPENED


def _three_nominates(one: Life, two: Life, three: Life) -> bool:
    return nominates(three, 1) and _only_one_has_it(one, two, three)


def _three_asks_again(one: Life, two: Life, three: Life) -> bool:
    return asks(three, 2) and _only_one_has_it(one, two, three)


def _three_leads_again(one: Life, two: Life, three: Life) -> bool:
    return leads(three, 2) and disk(three) == (1, 1, 2) and log(one) == (1, 1, 1) and log(two) == OPENED


def _one_went_on(one: Life, two: Life, three: Life) -> bool:
    return _three_leads_again(one, two, three) and is_in(one, 2)


def _one_asks(one: Life, two: Life, three: Life) -> bool:
    return asks(one, 3) and _three_leads_again(one, two, three)


STALE = Search(
    model=Established,
    bounds={"nominees": (1, 3), "terms": 3, "disk": True, "crashes": 1, "mortal": (3,), "prompt": True},
    stages=(
        Stage("'one' is on the disk of node 1, and in the memory of its leader 3 only", _one_confirmed),
        Stage("node 3 lost power, and is back without 'one'", _only_one_has_it),
        Stage("node 3 nominates itself", _three_nominates),
        Stage("node 3 asks for promises of term 2", _three_asks_again),
        Stage(
            "node 3 leads term 2 with the promise of node 2; its barrier is on its own disk only", _three_leads_again
        ),
        Stage("node 1 has entered term 2; it still has 'one' there", _one_went_on),
        Stage("node 1 asks for promises of term 3", _one_asks),
    ),
)

# --- a batch outlives the leader that sent it -----------------------------------------------


def _three_has_it(one: Life, two: Life, three: Life) -> bool:
    return disk(three) == (1, 1, 1) and log(one) == log(two) == OPENED


def _two_nominates(one: Life, two: Life, three: Life) -> bool:
    return nominates(two, 1) and _three_has_it(one, two, three)


def _two_asks_without(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 2) and _three_has_it(one, two, three)


def _two_leads(one: Life, two: Life, three: Life) -> bool:
    return leads(two, 2) and disk(two) == log(one) == OPENED and disk(three) == (1, 1, 1)


def _unheard(one: Life) -> bool:
    """Node 1 is in term 2, has nothing new, and has not met the second life of node 2."""
    return is_in(one, 2) and log(one) == OPENED and one.links.get(2) == 1


def _two_forgot(one: Life, two: Life, three: Life) -> bool:
    return came_back(two) and log(two) == OPENED and _unheard(one) and disk(three) == (1, 1, 1)


def _three_asks_third(one: Life, two: Life, three: Life) -> bool:
    return asks(three, 3) and _unheard(one)


def _three_leads_third(one: Life, two: Life, three: Life) -> bool:
    return leads(three, 3) and _unheard(one)


def _two_has_it(one: Life, two: Life, three: Life) -> bool:
    return _three_leads_third(one, two, three) and disk(two) == (1, 1, 1)


def _three_commits(one: Life, two: Life, three: Life) -> bool:
    return _three_leads_third(one, two, three) and committed(three) == 4


def _one_nominates(one: Life, two: Life, three: Life) -> bool:
    return _three_commits(one, two, three) and nominates(one, 2)


RELAYED = Search(
    model=Established,
    bounds={
        "terms": 3, "nominations": 2, "disk": True, "crashes": 1, "mortal": (2,), "batch": 1, "relays": True,
        "prompt": True,
    },
    stages=(
        Stage("'one' is on the disk of node 3, and nobody else has it", _three_has_it),
        Stage("node 2 nominates itself", _two_nominates),
        Stage("node 2 asks for promises of term 2", _two_asks_without),
        Stage("node 2 leads term 2 with the promise of node 1; its barrier is in its memory only", _two_leads),
        Stage("node 2 lost power, and is back without its barrier", _two_forgot),
        Stage("node 3 asks for promises of term 3", _three_asks_third),
        Stage("node 3 leads term 3 with the promise of node 2; node 1 heard nothing", _three_leads_third),
        Stage("node 2 has 'one'", _two_has_it),
        Stage("'one' and the barrier of term 3 are committed", _three_commits),
        Stage("node 1, still in term 2, nominates itself", _one_nominates),
    ),
    states=3_000,
)  # fmt: skip

DISKS = {
    "own copy counted early": LEADER_FORGETS,
    "duplicate ACK counted": LEADER_FORGETS,
    "ACK before fsync": FOLLOWER_FORGETS,
    "stale ACK counted": STALE,
    "relay raises only to the entries' term": RELAYED,
}
"""Searches by the names of mutants."""
