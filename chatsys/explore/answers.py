"""Any answer at any time: what a nomination may hear when nobody remembers who was asked.

Bully decides who *tries* to lead; who may lead is decided by promises.  So the answers to
nominations can be granted freely: an OK of any kind, from anyone, whenever a node nominates itself.
That is more than can happen, never less, and it takes ELECTION and OK out of the state:

    NOMINATING --[any OKs, and the answer alarm or not]--> DEFERRING, PREPARING or FOLLOWER

Why each real search is contained in this one, step by step.  Let a *plain* life be one whose
nominee has heard nobody yet, may stand back, and takes over from lower ones.

OK arrives        Counted alone it either decides nothing, and the plain life is the same as before,
                  or it decides: then all OKs counted so far, arriving together now, decide the same.
answer alarm      The same, with the alarm after them.
ELECTION arrives  Its receiver may nominate itself, but only where the silence alarm is set, which
                  brings about the same; beyond that it asks again or answers, and both are granted.
may not stand     A nominee that stood back once stands at once where it would stand back; so does a
                  plain one that is supported by everybody.
backs off         It supports where a plain one would nominate itself; a plain one need not.
link breaks       A nominee counts that as `no`.  Where it decides by it, OK of the others and the end of the time
                  decide the same, just before.

Nothing else in a node reads `verdicts`, `may_defer` or `backing_off`, and neither answer changes
its receiver in any other way that this model reads.

Assumes   nobody is asked to take over.
Promises  whatever three nodes can do is done by their plain lives here.  The reverse is not
          promised: a violation found here may be one that no real run meets.
Read also `protocol.election` (the rules), `models.ElectionModel`, and the test that compares both.
"""

from collections.abc import Iterator
from itertools import product
from typing import get_args, get_type_hints

from chatsys.explore.happenings import Arrive, Ring, Several
from chatsys.explore.untimed import Life
from chatsys.protocol.messages import Election, Ok
from chatsys.protocol.node import Node
from chatsys.protocol.state import Role

ANSWERS = (Election, Ok)
"""What is granted at any time, and therefore never under way."""

VERDICTS: tuple[str, ...] = get_args(get_type_hints(Ok)["verdict"])


def any_answers(life: Life) -> Iterator[Several]:
    """Yield what a nominee may hear next: any OK or none from each member it has met, then time may be up."""
    node = life.actor
    assert isinstance(node, Node), "nobody crashes where answers are granted"
    if node.state.role is not Role.NOMINATING:
        return
    alarm = tuple(event for event in life.events if isinstance(event, Ring) and event.name == "answer")
    peers = sorted(life.links.items())
    for said in product((None, *VERDICTS), repeat=len(peers)):
        heard = tuple(
            Arrive(peer, number, Ok(0, node.election.round, verdict))  # type: ignore[arg-type]
            for (peer, number), verdict in zip(peers, said, strict=True)
            if verdict is not None
        )
        if heard:
            yield Several(heard)
            yield Several((*heard, *alarm))


def make_plain(node: Node) -> None:
    """Forget what was answered, and what only says how to answer."""
    election = node.election
    election.verdicts = {node.state.me: "support"} if node.state.role is Role.NOMINATING else {}
    election.may_defer, election.backing_off = True, False
