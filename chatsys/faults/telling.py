"""Telling: one step of a script as code to paste, and as a sentence to read.

Read also `script` (what a step is), `sim.shrink` (the short stories made of them).
"""

from typing import Any

from chatsys.faults.script import Fault

_DEFAULTS: dict[tuple[str, int], Any] = {("say", 2): None, ("say", 3): "main", ("say", 4): "ann", ("slow", 4): 0.0}
"""What the last argument is when nobody names it, by verb and number of arguments."""


def as_call(fault: Fault) -> str:
    """Return the arguments of `world.at`, without those that only repeat a default."""
    args = list(fault.args)
    while args and (args[-1] is False or _DEFAULTS.get((fault.verb, len(args)), ...) == args[-1]):
        args.pop()
    return ", ".join(map(repr, (round(fault.time, 3), fault.verb, *args)))


def in_words(fault: Fault) -> str:
    """Say in words what one step does."""
    at, args = f"At {fault.time:.2f} s", fault.args
    match fault.verb, args:
        case "say", (text, None, *rest):
            return f"{at} {rest[1] if len(rest) > 1 else 'ann'} says {text!r}."
        case "say", (text, node, *rest):
            return f"{at} {rest[1] if len(rest) > 1 else 'ann'} says {text!r} to node {node}."
        case ("crash" | "restart" | "pause" | "resume") as verb, (node,):
            did = {"crash": "crashes", "restart": "restarts", "pause": "is paused", "resume": "goes on"}[verb]
            return f"{at} node {node} {did}."
        case "partition", groups:
            one_way = bool(groups) and groups[-1] is True
            sides = [" and ".join(map(str, side)) for side in groups if not isinstance(side, bool)]
            if one_way:
                return f"{at} frames from {sides[0]} to {sides[1]} are lost; the way back works."
            return f"{at} the network splits: {' | '.join(sides)}."
        case "cut", (a, b, *one_way):
            return f"{at} the link {a} {'->' if one_way and one_way[0] else '-'} {b} is cut."
        case "heal", _:
            return f"{at} all cut links work again."
        case "ambush", (moment, delay, down):
            act = "becomes leader" if moment == "lead" else "makes a promise"
            return f"From {fault.time:.2f} s: the next node that {act} crashes {delay} s later, for {down} s."
        case "disk", (node, health):
            return f"{at} the disk of node {node} is {health}."
        case "clock", (node, rate):
            return f"{at} the clock of node {node} runs at {rate} times the right speed."
        case ("slow" | "lose" | "duplicate") as verb, (a, b, *values):
            link = "all links" if (a, b) == ("*", "*") else f"the link {a} - {b}"
            many = {
                "slow": f"slower by {values[0]} s",
                "lose": f"losing {values[0]:.0%}",
                "duplicate": f"doubling {values[0]:.0%}",
            }
            return f"{at} {link}: {many[verb]}."
    return f"{at} {fault.verb} {', '.join(map(str, args))}."
