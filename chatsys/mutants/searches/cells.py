"""Searches for bugs in single cells of the fence, and in what is kept across a change of leader.

Read also `mutants.bugs.cells` and `debts` (the bugs), `logs` (whose stages come back here), `search`.
"""

from chatsys.explore.untimed import Life
from chatsys.mutants.searches.logs import OPENED, OVERTAKEN
from chatsys.mutants.searches.models import Established, Fresh
from chatsys.mutants.searches.predicates import asks, came_back, committed, disk, is_in, leads, log, node
from chatsys.mutants.searches.search import Search, Stage
from chatsys.protocol.state import Role

# --- nobody leads yet -----------------------------------------------------------------------


def _one_promised(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 1) and node(one).state.promised_to == 2 and node(three).state.promised_to == 2


def _two_gave_up(one: Life, two: Life, three: Life) -> bool:
    return is_in(two, 1, Role.FOLLOWER) and is_in(one, 1) and is_in(three, 1) and node(one).state.promised_to == 2


def _both_ask_again(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 2) and asks(three, 2) and is_in(one, 1)


def _three_leads(one: Life, two: Life, three: Life) -> bool:
    return leads(three, 2) and asks(two, 2)


GAVE_UP = Search(
    model=Fresh,
    bounds={"terms": 2, "nominees": (2, 3), "late": True},
    stages=(
        Stage("nodes 1 and 3 promised term 1 to node 2, which has not heard so", _one_promised),
        Stage("node 2 gave up", _two_gave_up),
        Stage("nodes 2 and 3 both ask for promises of term 2", _both_ask_again),
        Stage("node 3 leads term 2", _three_leads),
    ),
)
ASKED_EARLIER = Search(model=Fresh, bounds={"terms": 2, "nominees": (2, 3)}, states=3_000)

# --- node 3 led term 1 ----------------------------------------------------------------------


def _two_leads_unheard(one: Life, two: Life, three: Life) -> bool:
    return leads(two, 2) and is_in(one, 2) and leads(three, 1)


BEATEN = Search(
    model=Established,
    bounds={"nominees": (2,), "inputs": (), "beats": 1},
    stages=(Stage("node 2 leads term 2 with the promise of node 1, and node 3 has not heard so", _two_leads_unheard),),
)
UNWRITTEN = Search(model=Established, bounds={"nominees": (2,), "inputs": ()})

# --- 'one' was in the memory of node 3 only, and is on its way to node 1 ---------------------


def _memory_only(one: Life, two: Life, three: Life) -> bool:
    return log(three) == (1, 1, 1) and disk(three) == log(one) == log(two) == OPENED


def _three_forgot(one: Life, two: Life, three: Life) -> bool:
    return came_back(three) and log(three) == OPENED and one.links.get(3) == 1 and _not_further(one, two)


def _not_further(one: Life, two: Life) -> bool:
    return is_in(one, 1) and log(one) == log(two) == OPENED


def _two_asks(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 2) and _three_forgot(one, two, three)


def _two_leads(one: Life, two: Life, three: Life) -> bool:
    return leads(two, 2) and log(three) == log(one) == OPENED and is_in(one, 1) and one.links.get(3) == 1


def _two_commits(one: Life, two: Life, three: Life) -> bool:
    return (
        committed(two) == 3 and log(two) == (1, 1, 2) and is_in(one, 1) and log(one) == OPENED and one.links.get(3) == 1
    )


FORGOTTEN = {"nominees": (2,), "disk": True, "crashes": 1, "mortal": (3,), "prompt": True, "beats": 1}
UNRAISED = Search(
    model=Established,
    bounds=FORGOTTEN,
    stages=(
        Stage("'one' is in the memory of node 3 only", _memory_only),
        Stage("node 3 lost power, and is back without 'one'; node 1 has not met it", _three_forgot),
        Stage("node 2 asks for promises of term 2", _two_asks),
        Stage("node 2 leads term 2 with the promise of node 3; node 1 is in term 1", _two_leads),
        Stage("node 2 committed its barrier with node 3; node 1 is in term 1", _two_commits),
    ),
)


def one_took_it(one: Life, two: Life, three: Life) -> bool:
    """Tell whether 'one' is on its way from the memory of node 3: node 1 has it, and no disk but perhaps that of node 1."""
    return log(one) == log(three) == (1, 1, 1) and disk(three) == log(two) == OPENED


def _three_forgot_it(one: Life, two: Life, three: Life) -> bool:
    return came_back(three) and log(one) == (1, 1, 1) and log(three) == log(two) == OPENED and is_in(one, 1)


def _two_asks_three(one: Life, two: Life, three: Life) -> bool:
    return asks(two, 2) and _three_forgot_it(one, two, three)


def _two_leads_with_three(one: Life, two: Life, three: Life) -> bool:
    return leads(two, 2) and log(three) == OPENED and log(one) == (1, 1, 1) and is_in(one, 1)


def _two_commits_with_three(one: Life, two: Life, three: Life) -> bool:
    return committed(two) == 3 and log(two) == (1, 1, 2) and log(one) == (1, 1, 1) and is_in(one, 1)


TOOK_IT = (
    Stage("node 1 took 'one' in, which its leader 3 has in memory only", one_took_it),
    Stage("node 3 lost power, and is back without 'one'", _three_forgot_it),
    Stage("node 2 asks for promises of term 2", _two_asks_three),
    Stage("node 2 leads term 2 with the promise of node 3; node 1 is in term 1", _two_leads_with_three),
)
PROVED = Search(
    model=Established,
    bounds=FORGOTTEN,
    stages=(*TOOK_IT, Stage("node 2 committed its barrier with node 3; node 1 is in term 1", _two_commits_with_three)),
)
CELLS = {
    "late PROMISE counted": GAVE_UP,
    "PREPARE of an older term promised": ASKED_EARLIER,
    "HEARTBEAT of an older term followed": BEATEN,
    "HEARTBEAT of a newer term does not raise the term": OVERTAKEN,
    "PROPOSE of a newer term does not raise the term": UNRAISED,
    "newer term entered in memory only": UNWRITTEN,
    "verified kept across leaders": PROVED,
}
"""Searches by the names of mutants."""
