"""Sequences: faults that follow on each other, because the states that they lead to are hardly reached by single ones.

    tail          a node is cut off with whoever talks to it, crashes, and is back when other leaders have come and gone
    nap           a node is paused, and finds the frames of two leaders when it wakes up
    behind        a node misses much, and the leader dies while it catches up
    hub           only one node, mostly the leader, reaches all others; then it dies, too
    late-votes    leaders go, and what nominees and voters say to each other comes late, and out of order
    echo          for a long time most frames arrive twice, the copies whole elections later
    ambush        a node crashes right after one of many acts
    coup          a leader and a minority go on alone, and are told much; others lead, and commit something else there
    learner       a learner joins, and something happens to it
    lost folder   all other faults end, for a member's folder is empty or swapped, and is replaced

Each is a way to draw: (random, nodes, when it begins) --> faults with their times, in any order.

Assumes   whoever plays them mends everything in the end.
Read also `swarm` (single faults, and who draws), `profiles` (which of them go together).
"""

from collections.abc import Callable, Sequence
from random import Random

from chatsys.faults.fault import Fault
from chatsys.faults.verbs import AMBUSH, ANY, DOWN, JITTER, LATE, LEADER, MOMENTS

Draw = Callable[[Random, Sequence[int], float], list[Fault]]
"""How faults are drawn for these nodes, from this time on."""
SPEAKERS = ("joe", "kim")
LEARNERS = 2
"""Members have the lowest ids, so many learners the next ones."""


def _round(seconds: float) -> float:
    return round(seconds, 3)


def _restart(nodes: Sequence[int], at: float) -> list[Fault]:
    """Return the start of all nodes that are down."""
    return [Fault(at, "restart", (node,)) for node in nodes]


def _some_node(random: Random, nodes: Sequence[int]) -> int:
    """Return a node, half of the time the one that leads where nothing is wrong."""
    return random.choice((max(nodes), random.choice(nodes)))


def _tail(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    """Cut off a node: what its clients tell it ends up in a log that nobody else has."""
    node = _some_node(random, nodes)
    others = [other for other in nodes if other != node]
    crash = at + random.uniform(0.1, 3.0)
    back = crash + random.uniform(0.3, 5.0)
    alone, deaf = ((node,),), (tuple(others), (node,), True)
    cut = random.choice((alone, deaf))  # of the log of a deaf one, the beginning reaches the others
    faults = [Fault(at, "partition", cut), Fault(crash, "crash", (node,))]
    for _ in range(random.choice((0, 0, 1, 2))):  # leaders come and go meanwhile
        back += random.uniform(1.0, 4.0)
        faults += [Fault(back, "crash", (LEADER,)), *_restart(others, back + random.uniform(0.05, 0.5))]
        back += random.uniform(1.0, 4.0)
    faults += [Fault(back, "restart", (node,)), Fault(max(at, back + random.uniform(-0.5, 0.5)), "heal")]
    if random.random() < 0.5:  # the next leader dies before, or soon after, it has mended that log
        dies = max(crash, back + random.uniform(-0.3, 0.6))
        faults += [Fault(dies, "crash", (LEADER,)), *_restart(nodes, dies + random.uniform(0.3, 4.0))]
    return faults


def _nap(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    node = random.choice(nodes)
    dies = at + random.choice((0.05, 0.3, 1.0)) * random.random()
    wakes = dies + random.uniform(0.5, 5.0)
    gone = [Fault(dies, "crash", (LEADER,)), *_restart(nodes, dies + random.uniform(0.02, 0.6))]
    return [Fault(at, "pause", (node,)), *gone, Fault(wakes, "resume", (node,))]


def _behind(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    node = random.choice(nodes)
    back = at + random.uniform(0.5, 5.0)
    if random.random() < 0.5:
        faults = [Fault(at, "partition", ((node,),)), Fault(back, "heal")]
    else:
        faults = [Fault(at, "crash", (node,)), Fault(back, "restart", (node,))]
    dies = back + random.choice((0.0, 0.05, 0.5)) * random.random()
    return [*faults, Fault(dies, "crash", (LEADER,)), *_restart(nodes, dies + random.uniform(0.3, 4.0))]


def _hub(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    """Leave only the links of one node."""
    hub = random.choice((LEADER, LEADER, *nodes))
    end = at + random.uniform(1.0, 7.0)
    faults = [Fault(at, "cut", (a, b)) for a in nodes for b in nodes if a < b and hub not in (a, b)]
    if hub == LEADER:  # who that is shows only when it happens
        faults += [Fault(at, "reconnect", (LEADER, node)) for node in nodes]
    if random.random() < 0.5:
        dies = random.uniform(at + 0.5, end)
        faults += [Fault(dies, "crash", (LEADER,)), *_restart(nodes, dies + random.uniform(0.1, 3.0))]
    return [*faults, Fault(end, "heal")]


def _late_votes(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    """Let frames take so long, each its own time, that some attempts to lead fail and others do not."""
    end = at + random.uniform(2.0, 10.0)
    slow = Fault(at, "slow", (ANY, ANY, _round(random.uniform(0.0, 0.2)), _round(random.uniform(0.3, JITTER))))
    faults = [slow, Fault(end, "slow", (ANY, ANY, 0.0))]
    for _ in range(3):
        gone, back = random.choice((("crash", "restart"), ("pause", "resume")))
        at += random.uniform(0.0, 2.0)
        faults.append(Fault(at, gone, (random.choice((LEADER, *nodes)),)))
        at += random.uniform(0.1, 1.5)
        faults += [Fault(at, back, (node,)) for node in nodes]
    return faults


def _echo(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    late = random.choice((0.5, 2.0, LATE))
    begin = Fault(at, "duplicate", (ANY, ANY, _round(random.uniform(0.3, 0.9)), late))
    return [begin, Fault(at + random.uniform(3.0, 15.0), "duplicate", (ANY, ANY, 0.0))]


def _ambush(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    moment = random.choice(tuple(MOMENTS))
    after = random.choice((0.0, 0.01, AMBUSH)) * random.random()
    return [Fault(at, "ambush", (moment, _round(after), _round(random.uniform(0.05, DOWN))))]


def _learner(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    learner = max(nodes) + random.randint(1, LEARNERS)
    end = at + random.choice((0.05, 0.5, 4.0)) * random.random()
    other = random.choice(nodes)
    came = Fault(at, "join", (learner, other))
    match random.choice(("crash", "pause", "cut", "emptied", "leave", "leaves while it is down")):
        case "crash":
            return [came, Fault(at, "crash", (learner,)), Fault(end, "restart", (learner,))]
        case "pause":
            return [came, Fault(at, "pause", (learner,)), Fault(end, "resume", (learner,))]
        case "cut":
            return [came, Fault(at, "cut", (learner, other)), Fault(end, "reconnect", (learner, other))]
        case "emptied":  # the others refuse it, let the old one go, and take it in anew
            begins = [Fault(end, "restart", (learner,)), Fault(end + 0.3, "leave", (learner,))]
            comes = Fault(end + 0.6, "join", (learner, other))
            return [came, Fault(at, "crash", (learner,)), Fault(at, "wipe", (learner,)), *begins, comes]
        case "leave":
            return [came, Fault(at + 0.01, "leave", (learner,)), Fault(end + 0.02, "join", (learner, other))]
    return [
        came,
        Fault(at, "crash", (learner,)),
        Fault(end, "leave", (learner,)),
        Fault(end + 0.01, "restart", (learner,)),
    ]


def _coup(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    """Tell a leader much that a minority alone can hold; then others lead, or that minority dies of it."""
    first = random.choice((max(nodes), max(nodes), random.choice(nodes)))  # the highest leads where nothing is wrong
    author = random.choice(SPEAKERS)
    told, at = _told(author, first, at, 1), at + random.uniform(0.3, 0.8)  # so that there is a session
    few = random.sample([node for node in nodes if node != first], (len(nodes) - 1) // 2)
    minority = (first, *few[1:])
    end = at + random.uniform(3.5, 6.5)
    told += _told(author, first, at + random.uniform(0.0, 0.3), random.choice((2, 8)))
    match random.choice(("meet", "meet", "die", "power")):
        case "meet":  # others elect, and go on at the same positions
            if random.random() < 0.7:  # whoever spoke goes away, so that nothing of it is said again for a while
                gone = (f"{author}@{first}", ANY)
                told.append(Fault(at + 0.5, "lose", (*gone, 1.0)))
                told.append(Fault(end + random.uniform(1.0, 8.0), "lose", (*gone, 0.0)))
            other = random.choice(SPEAKERS), random.choice(nodes), end - random.uniform(0.0, 1.5)
            told += _told(*other, random.choice((0, 1, 4)))
            return [
                *told,
                Fault(at, "partition", (minority,)),
                *_hard_of_hearing(random, nodes, end),
                Fault(end, "heal"),
            ]
        case "die":
            dies = at + random.choice((0.1, 0.5, 1.5)) * random.random()
            crashes = [Fault(dies, "crash", (node,)) for node in minority]
            return [
                *told,
                Fault(at, "partition", (minority,)),
                *crashes,
                Fault(dies + 0.1, "heal"),
                *_restart(nodes, end),
            ]
    dies = at + random.uniform(0.1, 1.5)  # what has not reached its disk is lost, and whoever heard of it is away
    slow = [Fault(at, "disk", (first, "slow")), Fault(end, "disk", (first, "ok"))]
    away = [Fault(dies, "crash", (first,)), Fault(dies, "partition", (tuple(few),)), Fault(end + 1.0, "heal")]
    return [*told, *slow, *away, *_restart(nodes, dies + random.uniform(0.05, 0.5))]


def _hard_of_hearing(random: Random, nodes: Sequence[int], at: float) -> list[Fault]:
    """Half of the time, let some of what one node is told get lost for a moment."""
    if random.random() < 0.5:
        return []
    node = random.choice(nodes)
    begins = Fault(at, "lose", (node, ANY, _round(random.uniform(0.2, 0.7))))
    return [begins, Fault(at + random.uniform(0.1, 2.0), "lose", (node, ANY, 0.0))]


def _told(author: str, node: int, at: float, count: int) -> list[Fault]:
    """Let somebody tell a node so many things at once."""
    return [Fault(at, "say", (f"{author} {at:.3f} {number}", node, "main", author)) for number in range(count)]


MEETING, QUIET, LEVEL = 4.0, 14.0, 4.0
"""Seconds: in which all meet before a folder is lost, in which the others get a leader, and the new disk catches up."""


def lost_folder(random: Random, nodes: Sequence[int], end: float) -> list[Fault]:
    """Empty or swap the folder of a node while everything else goes wrong, up to `end`; then put a new one in its place.

    That is done as the page on a lost disk says: everything is mended, and somebody else leads; then the node, which
    the others have refused, is accepted with an empty folder.
    """
    node, other, third = random.sample(list(nodes), 3)
    at = random.uniform(MEETING, end)
    faults = [Fault(at, "copy", (other,))]
    if random.random() < 0.7:
        faults.append(Fault(at, "crash", (node,)))
    faults.append(random.choice((Fault(at, "wipe", (node,)), Fault(at, "restore", (node, other)))))
    back = min(end, at + random.choice((0.05, 0.5, 3.0)) * random.random())
    faults += [Fault(back, "crash", (node,)), Fault(back, "restart", (node,))]
    if random.random() < 0.7:  # the third one has missed much, and the one that is right goes down
        missed = max(MEETING, at - random.uniform(0.5, 4.0))
        up = min(end, back + random.uniform(1.0, 6.0))
        faults += [Fault(missed, "crash", (third,)), Fault(back, "restart", (third,))]
        faults += [Fault(back, "crash", (other,)), Fault(up, "restart", (other,))]
    faults += [Fault(end, "mend"), Fault(end, "crash", (node,)), Fault(end, "wipe", (node,))]
    return [*faults, Fault(end + QUIET, "accept", (node,)), Fault(end + QUIET, "restart", (node,))]


SEQUENCES: dict[str, tuple[int, Draw]] = {
    "tail": (2, _tail),
    "nap": (2, _nap),
    "behind": (2, _behind),
    "hub": (3, _hub),
    "late-votes": (1, _late_votes),
    "echo": (1, _echo),
    "ambush": (1, _ambush),
    "learner": (1, _learner),
    "coup": (3, _coup),
}
"""Each sequence by its name: how many nodes it takes at least, and how it is drawn."""
