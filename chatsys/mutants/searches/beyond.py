"""Searches for bugs that say more than is known: of a copy, of a log in chunks, of what is committed.

Read also `mutants.bugs.beyond` (the bugs), `cells` and `logs` (whose stages come back here), `search`.
"""

from chatsys.explore.untimed import Life
from chatsys.mutants.searches.cells import FORGOTTEN, TOOK_IT, one_took_it
from chatsys.mutants.searches.logs import ALONE, ASKS, ONE, OPENED, OTHERWISE, TWO, WITHOUT
from chatsys.mutants.searches.models import Established
from chatsys.mutants.searches.predicates import (
    asks,
    came_back,
    committed,
    disk,
    is_in,
    leads,
    log,
    match,
    node,
    nominates,
    syncs,
)
from chatsys.mutants.searches.search import Search, Stage
from chatsys.protocol.state import Role

# --- a heartbeat says too much --------------------------------------------------------------


def _three_beat(one: Life, two: Life, three: Life) -> bool:
    return one_took_it(one, two, three) and node(three).failure.number == 1


TOLD_TOO_EARLY = Search(
    model=Established,
    bounds=FORGOTTEN,
    stages=(TOOK_IT[0], Stage("node 3 has sent a heartbeat", _three_beat), *TOOK_IT[1:]),
)

# --- node 1 has more than was compared -------------------------------------------------------

AGREED = (*OPENED, 1)
"""The log with 'one'."""


def _one_is_numbered(one: Life, two: Life, three: Life) -> bool:
    return log(three) == disk(three) == AGREED and log(one) == log(two) == OPENED


def _two_took_it(one: Life, two: Life, three: Life) -> bool:
    return disk(three) == disk(two) == AGREED and log(one) == OPENED and committed(three) == 2


def _all_have_one(one: Life, two: Life, three: Life) -> bool:
    return disk(one) == disk(two) == disk(three) == log(three) == AGREED and committed(one) == 2


def _two_is_numbered(one: Life, two: Life, three: Life) -> bool:
    return log(three) == (*AGREED, 1) and log(one) == log(two) == disk(three) == AGREED and committed(one) == 2


def _has_more(one: Life) -> bool:
    return disk(one) == (*AGREED, 1) and committed(one) == 2


def _one_has_more(one: Life, two: Life, three: Life) -> bool:
    return _has_more(one) and log(two) == disk(three) == AGREED and leads(three, 1)


def _back_with_less(one: Life, two: Life, three: Life) -> bool:
    return came_back(three) and log(three) == log(two) == AGREED and _has_more(one)


def _two_asks_with_less(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 2) and _back_with_less(one, two, three)


def _two_leads_with_less(one: Life, two: Life, three: Life) -> bool:
    return leads(two, 2) and disk(two) == (*AGREED, 2) and log(three) == AGREED and _has_more(one)


def _heard_twice(one: Life, two: Life, three: Life) -> bool:
    return _two_leads_with_less(one, two, three) and node(one).state.heard == 2


def _asked_from_further_back(one: Life, two: Life, three: Life) -> bool:
    return _heard_twice(one, two, three) and node(two).sequencer.progress[1].base == 2


def _three_asks(one: Life, two: Life, three: Life) -> bool:
    return asks(three, 3) and _asked_from_further_back(one, two, three)


def _one_agreed(one: Life, two: Life, three: Life) -> bool:
    return asks(three, 3) and leads(two, 2) and match(two, 1) >= 3 and _has_more(one)


def _one_promised_three(one: Life, two: Life, three: Life) -> bool:
    return _one_agreed(one, two, three) and is_in(one, 3) and node(one).state.promised_to == 3


def _three_syncs(one: Life, two: Life, three: Life) -> bool:
    return syncs(three, 3) and leads(two, 2) and match(two, 1) >= 3 and _has_more(one)


MORE = Search(
    model=Established,
    bounds={
        "nominees": (2, 3), "terms": 3, "disk": True, "crashes": 1, "mortal": (3,), "prompt": True, "beats": 2, "batch": 1,
        "inputs": (ONE, TWO),
    },
    stages=(
        Stage("node 3 gave 'one' position 3, and has it on its disk", _one_is_numbered),
        Stage("node 2 has 'one' on its disk, too", _two_took_it),
        Stage("node 1 has 'one' on its disk as well", _all_have_one),
        Stage("node 3 gave 'two' position 4, in memory", _two_is_numbered),
        Stage("node 1 has 'two' on its disk, its leader 3 in memory only", _one_has_more),
        Stage("node 3 lost power, and is back without 'two'", _back_with_less),
        Stage("node 2 asks for promises of term 2", _two_asks_with_less),
        Stage("node 2 leads term 2 with the promise of node 3", _two_leads_with_less),
        Stage("node 1 heard two heartbeats of node 2, and no batch", _heard_twice),
        Stage("node 2 asks node 1 from further back", _asked_from_further_back),
        Stage("node 3 asks for promises of term 3", _three_asks),
        Stage("node 2 knows that node 1 has 'one'", _one_agreed),
        Stage("node 1 promised term 3 to node 3", _one_promised_three),
        Stage("node 3, about to lead term 3, asks for the best log", _three_syncs),
    ),
)  # fmt: skip

# --- chunks and relays ----------------------------------------------------------------------


def _two_lacks_both(one: Life, two: Life, three: Life) -> bool:
    return committed(three) == 4 and log(two) == OPENED


def _two_asks_for_promises(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 2) and log(two) == OPENED


def _two_syncs(one: Life, two: Life, three: Life) -> bool:
    return syncs(two, 2) and log(two) == OPENED


IN_CHUNKS = Search(
    model=Established,
    bounds={"nominees": (2,), "inputs": (ONE, TWO), "batch": 1},
    stages=(
        Stage("'one' and 'two' are committed with the copies of node 1, and node 2 lacks both", _two_lacks_both),
        Stage("node 2 asks for promises of term 2", _two_asks_for_promises),
        Stage("node 2, about to lead term 2, asks for the best log", _two_syncs),
    ),
)


def _three_follows(one: Life, two: Life, three: Life) -> bool:
    return committed(two) == 3 and is_in(three, 2, Role.FOLLOWER) and log(three) == (1, 1, 1) and committed(one) == 2


def _one_asks_around(one: Life, two: Life, three: Life) -> bool:
    return nominates(one, 2) and _three_follows(one, two, three)


IN_CONFIDENCE = Search(
    model=Established,
    bounds={"nominees": (1, 2), "beats": 1, "relays": True},
    stages=(
        ALONE,
        ASKS,
        WITHOUT,
        OTHERWISE,
        Stage("node 3 follows node 2, and still has 'one'; node 1 knows of no commit there", _three_follows),
        Stage("node 1 nominates itself", _one_asks_around),
    ),
)


def _two_commits_with_less(one: Life, two: Life, three: Life) -> bool:
    return leads(two, 2) and committed(two) == 4 and log(two) == (*AGREED, 2) and _has_more(one) and is_in(one, 1)


def _one_asks_with_more(one: Life, two: Life, three: Life) -> bool:
    return nominates(one, 1) and _two_commits_with_less(one, two, three)


REST = Search(
    model=Established,
    bounds={**MORE.bounds, "nominees": (1, 2), "beats": 0, "relays": True, "terms": 2},
    stages=(
        *MORE.stages[:8],
        Stage("node 2 committed its barrier with node 3; node 1 is in term 1", _two_commits_with_less),
        Stage("node 1 nominates itself", _one_asks_with_more),
    ),
)

BEYOND = {
    "own tail believed after a relay": REST,
    "sync chunks in any order": IN_CHUNKS,
    "relay beyond commit": IN_CONFIDENCE,
    "ACK to the end of the log": MORE,
    "heartbeat tells the end as commit": TOLD_TOO_EARLY,
    "PROPOSE tells the end as commit": TOLD_TOO_EARLY,
}
"""Searches by the names of mutants."""
