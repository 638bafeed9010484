"""Abilities: which world can do which verb, and how; one table, to be printed.

    print(verb_table())             sim            kernel         processes      namespaces     containers
                        crash       works          works          works          works          by the engine
                        cut         works          by own rules   by own rules   works          by own rules
                        disk        works          cannot         cannot         cannot         cannot

Read also `verbs` (each verb's row), `testbed` (who does them), `script` (which looks here before it is played).
"""

from chatsys.faults.verbs import VERBS

WORLDS = ("sim", "kernel", "processes", "namespaces", "containers")
WORKS, OWN_RULES, BY_ENGINE = "works", "by own rules", "by the engine"
"""`OWN_RULES`: the nodes and clients do it to their own frames, because the network between them cannot.
`BY_ENGINE`: the container engine does it, to the container of the node or to its volume."""
WORKING = (WORKS, OWN_RULES, BY_ENGINE)

_ASKING = "status delivered save".split()
_ONLY_SIMULATED = "step at".split()
NOT_IN_SCRIPTS = {
    "command": "a script is plain data, and a command may be any message",
    "run": "a script has its own times",
    "until": "a script has its own times",
    "step": "a script has its own times",
    "at": "each line of a script is one `at`",
    "stop": "nothing comes after it",
}
"""Verbs that no script can say, and why."""


def how(verb: str, where: str) -> str:
    """Return how the world `where` does `verb`: "works", "by own rules", "by the engine", or the sentence why it cannot."""
    row = VERBS.get(verb)
    if where != "sim" and (row.only_simulated if row else verb in _ONLY_SIMULATED):
        return f"{verb} exists in the simulated World only; leave it out for a {where} cluster."
    if row and where in row.own_rules:
        return OWN_RULES
    return BY_ENGINE if row and row.by_engine and where == "containers" else WORKS


def verb_table() -> str:
    """Return a table, to be printed: for each verb and world whether it works, and how."""
    told: dict[str, None] = {}
    lines = [f"{'':12}" + "".join(f"{where:15}" for where in WORLDS)]
    for verb in (*VERBS, *NOT_IN_SCRIPTS, *_ASKING):
        cells = [how(verb, where) for where in WORLDS]
        told |= dict.fromkeys(cell.partition(";")[0] + "." for cell in cells if cell not in WORKING)
        lines.append(f"{verb:12}" + "".join(f"{cell if cell in WORKING else 'cannot':15}" for cell in cells).rstrip())
    return "\n".join(line.rstrip() for line in [*lines, "", *told])
