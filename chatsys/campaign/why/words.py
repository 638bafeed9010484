"""Words: how faults, nodes and times stand in a sentence.

    Lasting(cut(1, 3), 2.2, 9.0)   "the link between nodes 1 and 3 was cut from 2.20 s to 9.00 s"    over(...)
                                   "the cut between nodes 1 and 3 at 2.20 s"                         named(...)

Read also `faults.wording` (the same faults as steps of a story).
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chatsys.campaign.why.lasting import Lasting
from chatsys.faults import Fault
from chatsys.faults.verbs import ANY

MOST = 5
"""So many faults are told one by one."""


def at(time: float | None) -> str:
    """Return a moment."""
    return f"{time:.2f} s" if time is not None else "the beginning"


def node(who: Any) -> str:
    """Return the name of a node, or of a client."""
    return f"node {who}" if isinstance(who, int) else str(who)


def nodes(who: Iterable[Any], last: str = "and") -> str:
    """Return the names of nodes: node 1; nodes 1 and 2; nodes 1, 2 and 3."""
    names = [str(one) for one in sorted(who, key=str)]
    if len(names) < 2:
        return f"node {names[0]}" if names else "nobody"
    return f"node{'s' if last == 'and' else ''} {', '.join(names[:-1])} {last} {names[-1]}"


def listed(things: Iterable[str], last: str = "and") -> str:
    """Return a list in words."""
    *most, end = things
    return f"{', '.join(most)} {last} {end}" if most else end


def sentence(text: str) -> str:
    """Return a text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def brief(text: str | None) -> str:
    """Return what somebody answered, quoted, and cut off if it is long."""
    text = text or ""
    return f"'{text if len(text) <= 70 else text[:67] + '...'}'"


def lasted(seconds: float) -> str:
    """Return a length of time."""
    return f"{seconds:.2f} s" if seconds >= 0.095 else f"{1000 * seconds:.0f} ms"


def _for(one: Lasting) -> str:
    """Return from when to when it lasted."""
    return f"from {at(one.begin)} " + ("to the end" if math.isinf(one.end) else f"to {at(one.end)}")


def _link(a: Any, b: Any) -> str:
    if a == b == ANY:
        return "every link"
    if ANY in (a, b):
        return f"every link of {node(a if b == ANY else b)}"
    if isinstance(a, int) and isinstance(b, int):
        return f"the link between nodes {a} and {b}"
    return f"the link between {node(a)} and {node(b)}"


def _sides(fault: Fault) -> tuple[str, list[Any]]:
    """Return the sides of a partition; and from whom to whom nothing came, if it went one way between two of them."""
    *groups, one_way = fault.args if isinstance(fault.args[-1], bool) else (*fault.args, False)
    told = [",".join(map(str, group)) for group in groups]
    sides = (" -> " if one_way else " | ").join(told if len(told) > 1 else [*told, "the others"])
    return sides, list(groups) if one_way and len(groups) == 2 else []


def _slower(delay: float, jitter: float = 0.0) -> str:
    if not jitter:
        return f"{delay:g} s"
    least = f"{delay:g} to " if delay else "up to "
    return f"{least}{delay + jitter:g} s, each frame by another time,"


def over(one: Lasting) -> str:
    """Say what lay over a time, without a capital and without a stop."""
    verb, args, span = one.fault.verb, one.fault.args, _for(one)
    if one.step is not None and one.step < 0:
        return f"this network {_of_network(one.fault)} all the time"
    match verb:
        case "crash" if isinstance(args[0], str):
            return f"the client {args[0]} was gone {span}"
        case "crash" if one.end == one.begin:
            return f"{node(args[0])} crashed at {at(one.begin)} and started again at once"
        case "crash":
            return f"{node(args[0])} was down {span}, after {'it stopped itself' if one.itself else 'a crash'}"
        case "shutdown":
            return f"{node(args[0])} was told to stop at {at(one.begin)}, and was gone until " + (
                "the end" if math.isinf(one.end) else at(one.end)
            )
        case "pause":
            return f"{node(args[0])} was paused {span}"
        case "ambush":
            who = nodes(one.nodes)
            return (
                f"{who} was down {span}, crashed by an ambush"
                if one.nodes
                else "an ambush was laid, and crashed nobody"
            )
        case "cut" | "partition" | "slow" | "lose" | "duplicate":
            return _over_links(one)
        case "disk":
            return f"the disk of {node(args[0])} was {args[1]} {span}"
        case "clock":
            return f"the clock of {node(args[0])} ran at {args[1]:g} times the right speed {span}"
        case "wipe":
            return f"the data folder of {node(args[0])} was emptied at {at(one.begin)}"
    return f"another data folder was put in the place of that of {node(args[0])} at {at(one.begin)}"


def _over_links(one: Lasting) -> str:
    """Say what lay over links."""
    verb, args, span = one.fault.verb, one.fault.args, _for(one)
    match verb:
        case "cut" if len(args) > 2 and args[2]:
            return f"nothing from {node(args[0])} reached {node(args[1])} {span}"
        case "cut":
            return f"the link between nodes {args[0]} and {args[1]} was cut {span}"
        case "partition":
            sides, groups = _sides(one.fault)
            if len(groups) == 2:
                return f"nothing from {nodes(groups[0])} reached {nodes(groups[1])} {span}"
            return f"the network was split into {sides} {span}"
        case "slow":
            return f"{_link(*args[:2])} was slower by {_slower(*args[2:])} {span}"
        case "lose":
            return f"{_link(*args[:2])} lost {100 * args[2]:.3g}% of its frames {span}"
    return f"{_link(*args[:2])} delivered {100 * args[2]:.3g}% of its frames twice {span}"


def _of_network(fault: Fault) -> str:
    share = f"{100 * fault.args[2]:.3g}%"
    return f"loses {share} of all frames" if fault.verb == "lose" else f"delivers {share} of all frames twice"


def named(one: Lasting) -> str:
    """Name a fault: "the crash of node 3 at 2.20 s"."""
    verb, args, when = one.fault.verb, one.fault.args, f"at {at(one.fault.time)}"
    if one.step is not None and one.step < 0:
        return "the loss of this network" if verb == "lose" else "the doubled frames of this network"
    match verb:
        case "crash" | "pause":
            return f"the {verb} of {node(args[0])} {when}"
        case "shutdown":
            return f"the stop of {node(args[0])} {when}"
        case "ambush":
            return f"the ambush that was laid {when}"
        case "cut":
            return f"the cut between nodes {args[0]} and {args[1]} {when}"
        case "partition":
            return f"the {'one-way cut' if True in one.fault.args else 'split'} {_sides(one.fault)[0]} {when}"
        case "slow":
            return f"the slowness of {_link(*args[:2])} from {at(one.fault.time)} on"
        case "lose":
            return f"the loss on {_link(*args[:2])} from {at(one.fault.time)} on"
        case "duplicate":
            return f"the doubled frames on {_link(*args[:2])} from {at(one.fault.time)} on"
        case "disk":
            return f"the {args[1]} disk of {node(args[0])} {when}"
        case "clock":
            return f"the wrong clock of {node(args[0])} {when}"
    return (
        f"the emptied folder of {node(args[0])} {when}"
        if verb == "wipe"
        else f"the other folder of {node(args[0])} {when}"
    )


def all_over(faults: Sequence[Lasting]) -> str:
    """Say what lay over a time: cuts of one moment together, and no more than a few one by one."""
    told = list(_together(faults))
    more = [f"{len(told) - MOST} more faults"] if len(told) > MOST + 1 else told[MOST:]
    return "; ".join([*told[:MOST], *more])


def _together(faults: Sequence[Lasting]) -> Iterator[str]:
    """Tell each fault once, and cuts, or crashes, that began and ended together in one breath."""
    once = {(one.fault.verb, one.fault.args, one.begin): one for one in faults}.values()
    alike: dict[tuple[str, float, float], list[Lasting]] = {}
    for one in once:
        if (
            one.fault.verb in ("cut", "crash")
            and not any(one.fault.args[2:])
            and isinstance(one.fault.args[0], int)
            and not one.itself
        ):
            alike.setdefault((one.fault.verb, one.begin, one.end), []).append(one)
    for one in once:
        mine = alike.get((one.fault.verb, one.begin, one.end), [])
        if len(mine) < 2 or one not in mine:
            yield over(one)
        elif one is mine[0]:
            yield _over_several(mine)


def _over_several(alike: Sequence[Lasting]) -> str:
    """Say what several cuts, or crashes, of one moment were."""
    one = alike[0]
    if one.fault.verb == "cut":
        links = listed(f"{cut.fault.args[0]}-{cut.fault.args[1]}" for cut in alike)
        return f"the links {links} were cut {_for(one)}"
    who = nodes(crash.fault.args[0] for crash in alike)
    if one.end == one.begin:
        return f"{who} crashed at {at(one.begin)} and started again at once"
    return f"{who} were down {_for(one)}, after crashes"
