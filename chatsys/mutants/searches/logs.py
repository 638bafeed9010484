"""Searches for bugs in numbering, in the term fence and in catch-up.

In these searches node 3 has led term 1 before the search begins, and then another node competes with
it.  Most of them begin in the same way:

    node 3, leader of term 1      gives the message 'one' position 3, and no other node hears of it
    node 2, leader of term 2      gives position 3 to its barrier, with the promise of node 1

Now two entries claim one position, and a correct protocol must let go of 'one'.  Each search marks
out the way to the moment at which one bug would keep it.

Read also `search` (what a stage is), `mutants.bugs.ordering`, `fence` and `catchup` (the bugs),
          `disks` (the searches in which power is lost).
"""

from chatsys.explore.models import LogModel
from chatsys.explore.untimed import Life
from chatsys.mutants.searches.models import Established
from chatsys.mutants.searches.predicates import asks, came_back, committed, leads, log, match, node, syncs
from chatsys.mutants.searches.search import Search, Stage

ONE, TWO = LogModel.inputs
OPENED = (1, 1)
"""Every log after the opening: the barrier of term 1, and the session."""

# --- 'one' is node 3's alone, and a newer leader does not know of it ------------------------


def _only_three_has_it(one: Life, two: Life, three: Life) -> bool:
    return log(three) == (1, 1, 1) and log(one) == log(two) == OPENED


def _two_asks_without(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 2) and log(one) == log(two) == OPENED and log(three) == (1, 1, 1)


def _two_leads_without(one: Life, two: Life, three: Life) -> bool:
    return leads(two, 2) and log(one) == OPENED and log(three) == (1, 1, 1)


def _two_commits_without(one: Life, two: Life, three: Life) -> bool:
    return committed(two) == 3 and log(two) == (1, 1, 2) and log(three) == (1, 1, 1)


def _one_hears_of_it(one: Life, two: Life, three: Life) -> bool:
    return _two_leads_without(one, two, three) and node(one).state.heard == 1


def _three_follows(one: Life, two: Life, three: Life) -> bool:
    return log(one) == OPENED and log(three) == (1, 1, 2) and node(one).state.heard == 1


def _three_asks_for_three(one: Life, two: Life, three: Life) -> bool:
    return asks(three, 3) and log(three) == (1, 1, 1)


def _three_leads_three(one: Life, two: Life, three: Life) -> bool:
    return leads(three, 3) and log(one) == OPENED and log(two) == (1, 1, 2)


def _one_has_it_too(one: Life, two: Life, three: Life) -> bool:
    return leads(three, 3) and log(one) == (1, 1, 1) and log(two) == (1, 1, 2)


def _three_knows(one: Life, two: Life, three: Life) -> bool:
    return _one_has_it_too(one, two, three) and match(three, 1) == 3


def _two_asks_for_four(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 4) and log(one) == (1, 1, 1) and log(two) == (1, 1, 2)


ALONE = Stage("node 3 gave 'one' position 3, and nobody else has it", _only_three_has_it)
ASKS = Stage("node 2, without 'one', asks for promises of term 2", _two_asks_without)
WITHOUT = Stage("node 2 leads term 2 without 'one', and node 1 has nothing new yet", _two_leads_without)
OTHERWISE = Stage("node 2 committed its barrier at position 3, where node 3 has 'one'", _two_commits_without)

OVERTAKEN = Search(
    model=Established,
    bounds={"nominees": (2,), "beats": 1, "borne": ("S13",)},
    stages=(ALONE, WITHOUT, OTHERWISE),
    states=10_000,
)
LONGER = Search(
    model=Established,
    bounds={"nominees": (2, 3), "terms": 3, "nominations": 2},
    stages=(ALONE, WITHOUT, OTHERWISE, Stage("node 3 asks for promises of term 3", _three_asks_for_three)),
)
FIGURE_EIGHT = Search(
    model=Established,
    bounds={"nominees": (2, 3), "terms": 4, "nominations": 2, "batch": 1},
    stages=(
        ALONE,
        WITHOUT,
        Stage("node 3 leads term 3; node 1 has nothing new yet", _three_leads_three),
        Stage("node 1 has 'one' too: two copies of an entry of term 1", _one_has_it_too),
        Stage("node 3 knows of the second copy", _three_knows),
        Stage("node 2, which has an entry of term 2 there, asks for promises of term 4", _two_asks_for_four),
    ),
)
HEARSAY = Search(
    model=Established,
    bounds={"nominees": (2,), "beats": 1, "relays": True, "deaf": (1,)},
    stages=(
        ALONE,
        ASKS,
        WITHOUT,
        Stage("node 1 hears from a heartbeat that it lacks something", _one_hears_of_it),
        Stage("node 3 follows node 2, and has its barrier in place of 'one'", _three_follows),
    ),
)

# --- 'one' is committed, or on its way ------------------------------------------------------


def _two_lacks_it(one: Life, two: Life, three: Life) -> bool:
    return committed(three) == 3 and log(two) == OPENED


def _two_asks_and_lacks_it(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 2) and log(two) == OPENED and committed(three) == 3


def _two_syncs(one: Life, two: Life, three: Life) -> bool:
    return syncs(two, 2) and node(two).succession.source == 1


def _three_leads_again(one: Life, two: Life, three: Life) -> bool:
    return leads(three, 3) and log(two) == OPENED


def _three_commits_again(one: Life, two: Life, three: Life) -> bool:
    return leads(three, 3) and committed(three) == 4 and log(two) == OPENED


def _two_asks_again(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 4) and log(two) == OPENED


def _two_syncs_again(one: Life, two: Life, three: Life) -> bool:
    return syncs(two, 4) and log(two) == OPENED


def _one_holds_back(one: Life, two: Life, three: Life) -> bool:
    return bool(node(one).receiver.early.batches) and log(one) == OPENED and log(two) == (1, 1, 1)


def _two_asks_with(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 2) and _one_holds_back(one, two, three)


def _two_leads_with(one: Life, two: Life, three: Life) -> bool:
    return leads(two, 2) and log(two) == (1, 1, 1, 2) and log(one) == OPENED


def _one_came_back(one: Life, two: Life, three: Life) -> bool:
    return came_back(one) and log(one) == OPENED and log(three) == (1, 1, 1, 1)


def _two_has_it(one: Life, two: Life, three: Life) -> bool:
    return committed(three) == 3 and log(two) == (1, 1, 1)


def _two_asks_and_has_it(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 2) and _two_has_it(one, two, three)


def _two_is_ready(one: Life, two: Life, three: Life) -> bool:
    return leads(two, 2) and committed(two) == 4


LACKS = Stage("'one' is committed with the copy of node 1, and node 2 lacks it", _two_lacks_it)
INCOMPLETE = Search(
    model=Established,
    bounds={"nominees": (2,)},
    stages=(LACKS, Stage("node 2 asks for promises of term 2", _two_asks_and_lacks_it)),
)
ANSWERED_LATE = Search(
    model=Established,
    bounds={"nominees": (2, 3), "terms": 4, "nominations": 2},
    stages=(
        LACKS,
        Stage("node 2, about to lead term 2, asks node 1 for its log", _two_syncs),
        Stage("node 3 leads term 3 instead; node 2 has no answer yet", _three_leads_again),
        Stage("its barrier is committed; node 2 lacks that, too", _three_commits_again),
        Stage("node 2 asks for promises of term 4", _two_asks_again),
        Stage("node 2 asks for the best log again", _two_syncs_again),
    ),
)
HELD_BACK = Search(
    model=Established,
    bounds={"nominees": (2,), "inputs": (ONE, TWO), "batch": 1},
    stages=(
        Stage("node 1 holds 'two' back: 'one', which goes before it, reached node 2 only", _one_holds_back),
        Stage("node 2 asks for promises of term 2", _two_asks_with),
        Stage("node 2 leads term 2 and gives position 4 to its barrier", _two_leads_with),
    ),
)
NEWCOMER = Search(
    model=Established,
    bounds={"nominees": (), "terms": 1, "inputs": (ONE, TWO), "batch": 1, "crashes": 1, "mortal": (1,)},
    stages=(Stage("node 1 is back after a crash, and lacks two messages", _one_came_back),),
)
SAID_AGAIN = Search(model=Established, bounds={"inputs": (ONE, ONE), "nominees": ()})
SAID_TO_THE_NEXT = Search(
    model=Established,
    bounds={"inputs": (ONE, ONE), "nominees": (2,)},
    stages=(
        Stage("'one' is committed, and node 2 has it", _two_has_it),
        Stage("node 2 asks for promises of term 2", _two_asks_and_has_it),
        Stage("node 2 leads term 2 and has committed 'one' and its barrier", _two_is_ready),
    ),
)
OPENING_A_SESSION = Search(
    model=Established,
    bounds={"opening": Established.opening[:-1], "inputs": (Established.opening[-1][1],), "nominees": ()},
)

LOGS = {
    "adopt longest": LONGER,
    "commit by own last": OVERTAKEN,
    "no prev check": OVERTAKEN,
    "conflicting tail kept": OVERTAKEN,
    "lower-term PROPOSE accepted": OVERTAKEN,
    "no fence": OVERTAKEN,
    "old-term commit": FIGURE_EIGHT,
    "catch-up from anyone": HEARSAY,
    "quorum n//2": Search(model=Established, bounds={"nominees": (2,)}, stages=(ALONE,)),
    "lead without SYNC": INCOMPLETE,
    "sync reply without nonce": ANSWERED_LATE,
    "hold-back kept across terms": HELD_BACK,
    "second append path": NEWCOMER,
    "ok before commit": OPENING_A_SESSION,
    "retry answered ok early": SAID_AGAIN,
    "no session dedup": SAID_AGAIN,
    "session table not rebuilt": SAID_TO_THE_NEXT,
}
"""Searches by the names of mutants."""
