"""Telling: one step of a script as code to paste, and as a sentence to read.

    Fault(3.0, "partition", ((2,), (1, 3)))  --as_call-->   3.0, "partition", (2,), (1, 3)
                                             --in_words-->  At 3 s the network splits: node 2 | nodes 1 and 3.
    a record of links: "lose * - *: 0.3"     --of_links-->  Every link loses 30% of its frames.
    a node's state, as `status` has it  --state_in_words-->  follower in term 2

Read also `script` (what a step is), `campaign.shrink` (the short stories made of them).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chatsys.faults.fault import Fault
from chatsys.faults.verbs import LEADER, MOMENTS, VERBS
from chatsys.vocabulary import EXACT


def literal(value: Any) -> str:
    """Return a value as people write it in Python: texts in double quotes."""
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    plain = repr(value)
    return f'"{plain[1:-1]}"' if isinstance(value, str) and plain[0] == "'" and '"' not in plain else plain


def as_call(fault: Fault) -> str:
    """Return the arguments of `Testbed.at`, without those that only repeat a default."""
    args, verb = list(fault.args), VERBS.get(fault.verb)
    usual = dict(enumerate(verb.usual, start=verb.least)) if verb else {}
    while args and (args[-1] is False or usual.get(len(args) - 1, ...) == args[-1]):
        args.pop()
    return ", ".join(map(literal, (fault.time, fault.verb, *args)))


def explain(sentence: str) -> list[str]:
    """Return a line for each word of the field in `sentence`: what it means."""
    return [f"{word}: {told}" for word, told in EXACT.items() if re.search(rf"\b{word}(?!=)", sentence)]


NUMBER = r"\d+(?:\.\d*)?(?:e[+-]?\d+)?"
"""How a world writes a number into the trace, as a regular expression."""

_LIVES = {
    "crash": "crashes",
    "shutdown": "is told to stop",
    "restart": "starts again",
    "pause": "is paused",
    "resume": "goes on",
}


def in_words(fault: Fault) -> str:
    """Say in words what one step does."""
    at = f"At {_seconds(fault.time)} s"
    match fault.verb, fault.args:
        case "say", (text, *rest):
            to = f" to node {rest[0]}" if rest and rest[0] is not None else ""
            return f"{at} {rest[2] if len(rest) > 2 else 'ann'} says {text!r}{to}."
        case ("crash" | "shutdown" | "restart" | "pause" | "resume") as verb, (node,):
            return f"{at} {_named([node])} {_LIVES[verb]}."
        case ("join" | "leave") as verb, (node, *through):
            return f"{at} {_of_learner(verb, node, through)}"
        case "partition", groups:
            return f"{at} {_parted(groups)}"
        case "cut", (a, b, *one_way):
            if one_way and one_way[0]:
                return f"{at} nothing from node {a} reaches node {b} any more; the way back works."
            return f"{at} the link between {_named([a, b])} is cut."
        case "reconnect", (a, b, *one_way):
            if one_way and one_way[0]:
                return f"{at} what node {a} sends reaches node {b} again."
            return f"{at} the link between {_named([a, b])} works again."
        case "heal", (True,):
            return f"{at} all links are as good as new."
        case "heal", _:
            return f"{at} all cut links work again."
        case "mend", _:
            return f"From {_seconds(fault.time)} s on everything is in order: links, disks and clocks; all nodes run."
        case "ambush", (moment, delay, down):
            soon, back = f"{delay:g} s later" if delay else "at once", f"after {down:g} s" if down else "at once"
            return f"From {_seconds(fault.time)} s on: the next node that {MOMENTS[moment]} crashes {soon}; it starts again {back}."
        case "disk", (node, health):
            return f"{at} the disk of {_named([node])} {'works well again' if health == 'ok' else f'is {health}'}."
        case ("wipe" | "copy" | "restore" | "accept") as verb, (node, *of):
            return f"{at} {_of_folder(verb, node, of)}"
        case "clock", (node, rate):
            return f"{at} the clock of {_named([node])} runs at {rate:g} times the right speed."
        case ("slow" | "lose" | "duplicate") as verb, (a, b, *values):
            return f"{at} {_on_link(verb, a, b, values)}"
    return f"{at} {fault.verb} {', '.join(map(str, fault.args))}."


def _of_learner(verb: str, node: Any, through: Sequence[Any]) -> str:
    if verb == "leave":
        return f"learner {node} is told to leave for ever."
    return f"node {node} starts as a learner" + (f" and asks node {through[0]}." if through and through[0] else ".")


def of_links(kind: str, reason: str) -> str:
    """Say in words what a world wrote into the trace about its links: of kind `cut`, `reconnect`, `heal`, `slow` or `lose`."""
    if kind == "heal":
        return "All links are open again" + (", without loss or delay." if reason == "everything" else ".")
    if kind in ("cut", "reconnect"):
        one_way = "->" in reason
        sides = [[int(digits) for digits in re.findall(r"\d+", side)] for side in re.split(r"\||->", reason)]
        if not all(sides):
            return _of_others(kind, reason)
        if len(sides) == 2 and all(len(side) == 1 for side in sides):
            fault = Fault(0.0, kind, (sides[0][0], sides[1][0], one_way))
        else:
            fault = Fault(0.0, "partition", (*map(tuple, sides), one_way))
    elif (found := re.fullmatch(rf"\w+ (.+) - (.+): ({NUMBER}(?: \+ {NUMBER})*)", reason)) is not None:
        a, b = (int(end) if end.isdecimal() else end for end in found.group(1, 2))
        fault = Fault(0.0, kind, (a, b, *map(float, found[3].split(" + "))))
    else:
        return _of_others(kind, reason)
    told = in_words(fault).removeprefix("At 0 s ")
    return told[0].upper() + told[1:]


def _of_others(kind: str, reason: str) -> str:
    """Say what is in a trace that no world of ours has written."""
    return f"Something changed about the links ({kind}: {reason})."


def directions(reason: str) -> list[tuple[int, int]]:
    """Return the directions that a record such as `cut 3 | 1,2` or `reconnect 1 -> 2` is about."""
    groups = [[int(digits) for digits in re.findall(r"\d+", part)] for part in re.split(r"\||->", reason)]
    found = [(a, b) for at, one in enumerate(groups) for other in groups[at + 1 :] for a in one for b in other]
    return found if "->" in reason else [*found, *((b, a) for a, b in found)]


def _seconds(time: float) -> str:
    return f"{time:.3f}".rstrip("0").rstrip(".")


def _named(nodes: Sequence[Any]) -> str:
    if list(nodes) == [LEADER]:
        return "the leader"
    *most, last = map(str, nodes)
    return f"nodes {', '.join(most)} and {last}" if most else f"node {last}"


def _of_folder(verb: str, node: Any, of: Sequence[Any]) -> str:
    whose = _named([node] if not of or of[0] is None else of)
    return {
        "wipe": f"the data folder of {_named([node])} is emptied.",
        "copy": f"somebody keeps a copy of the data folder of {_named([node])}.",
        "restore": f"the copy of the data folder of {whose} is put in the place of that of {_named([node])}.",
        "accept": f"the other nodes are told that {_named([node])} has a new disk.",
    }[verb]


def _parted(groups: Iterable[Any]) -> str:
    groups = list(groups)
    sides = [_named(side) for side in groups if not isinstance(side, bool)] + ["the others"]
    if any(side is True for side in groups):
        later = " | ".join(sides[1 : max(2, len(sides) - 1)])
        return f"nothing from {sides[0]} reaches {later} any more; the way back works."
    return f"the network splits: {' | '.join(sides[: max(2, len(sides) - 1)])}."


def _on_link(verb: str, a: Any, b: Any, values: Sequence[float]) -> str:
    ends = [one for one in (a, b) if one != "*"]
    if not ends:
        link = "every link"
    elif len(ends) == 1:
        link = f"every link of {_named(ends)}"
    else:
        link = (
            f"the link between {_named(ends)}" if all(isinstance(one, int) for one in ends) else f"the link {a} - {b}"
        )
    first, more = values[0], values[1] if len(values) > 1 else 0.0
    if not first and not more:
        return f"{link} {_RIGHT[verb]}."
    if verb == "slow" and more:
        least = f"{first:g} to " if first else "up to "
        return f"{link} is slower by {least}{first + more:g} s, each frame by another time, so that frames overtake."
    if verb == "duplicate":
        late = f", the copy up to {more:g} s later" if more else ""
        return f"{link} delivers {_share(first)} twice{late}."
    return f"{link} loses {_share(first)}." if verb == "lose" else f"{link} is slower by {first:g} s."


_RIGHT = {"slow": "is as fast as ever", "lose": "loses nothing any more", "duplicate": "doubles nothing any more"}
"""What a link does from now on, if a rule about it has only zeros."""


def _share(fraction: float) -> str:
    return "every frame" if fraction >= 1 else f"{100 * fraction:.3g}% of its frames"


def state_in_words(state: Mapping[str, Any]) -> str:
    """Return how a node is, after its entry in `Testbed.status`: down, paused, or its role, with its term if it has terms."""
    if not state["alive"]:
        return "down"
    if state["paused"]:
        return "paused"
    role = state.get("role") or "up"
    return f"{role} in term {state['term']}" if state.get("term") else role
