"""Abilities: which world can do which verb, and how; one table, to be printed.

    print(verb_table())             sim            kernel         processes      namespaces
                        cut         works          by own rules   by own rules   works
                        disk        works          cannot         cannot         cannot

Read also `testbed` (the verbs), `script` (which looks here before it is played).
"""

WORLDS = ("sim", "kernel", "processes", "namespaces")
WORKS, OWN_RULES = "works", "by own rules"
"""`OWN_RULES`: the nodes and clients do it to their own frames, because the network between them cannot."""
WORKING = (WORKS, OWN_RULES)

_EVERYWHERE = "say command crash restart pause resume heal mend run until stop status delivered save".split()
_SIMULATED = "duplicate disk clock ambush step at".split()
NOT_IN_SCRIPTS = {
    "command": "a script is plain data, and a command may be any message",
    "run": "a script has its own times",
    "until": "a script has its own times",
    "step": "a script has its own times",
    "at": "each line of a script is one `at`",
    "join": "members are fixed",
    "leave": "members are fixed",
    "stop": "nothing comes after it",
}
"""Verbs that no script can say, and why."""


def how(verb: str, where: str) -> str:
    """Return how the world `where` does `verb`: "works", "by own rules", or the sentence why it cannot."""
    if verb in _SIMULATED and where != "sim":
        return f"{verb} exists in the simulated World only; leave it out for a {where} cluster."
    if verb in ("join", "leave"):
        return f"{verb}: voters are fixed in the config; make a new world with other nodes."
    if where in ("kernel", "processes") and verb in ("cut", "reconnect", "partition", "slow", "lose"):
        return OWN_RULES
    return OWN_RULES if where == "namespaces" and verb == "slow" else WORKS


def verb_table() -> str:
    """Return a table, to be printed: for each verb and world whether it works, and how."""
    links = "cut reconnect partition slow lose".split()
    verbs = [*_EVERYWHERE, *links, *_SIMULATED, "join", "leave"]
    told: dict[str, None] = {}
    lines = [f"{'':12}" + "".join(f"{where:15}" for where in WORLDS)]
    for verb in verbs:
        cells = [how(verb, where) for where in WORLDS]
        told |= dict.fromkeys(cell.partition(";")[0] + "." for cell in cells if cell not in WORKING)
        lines.append(f"{verb:12}" + "".join(f"{cell if cell in WORKING else 'cannot':15}" for cell in cells).rstrip())
    return "\n".join(line.rstrip() for line in [*lines, "", *told])
