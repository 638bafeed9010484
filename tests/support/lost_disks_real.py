"""Rounds with real processes: a message is acknowledged by two of three, then one of the two loses its folder.

    python tests/support/lost_disks_real.py emptied 10        emptied, swapped, copied or older; and how many rounds

Each round ends with the node that was right, and says whether anything acknowledged was lost, and what was refused.
"""

import sys

from chatsys import Cluster
from chatsys.check import check


def one_round(kind: str) -> tuple[bool, bool]:
    """Return whether the node was refused (or stopped at its start), and whether something acknowledged was lost."""
    with Cluster(3, "processes", timing="fast") as cluster:
        cluster.until(lambda: cluster.leader == 3, 10)
        cluster.say("first")
        cluster.until(lambda: len(cluster.trace.of("ack")) == 1, 5)
        cluster.run(0.5)  # everybody has met everybody, and written it down
        if kind in ("copied", "older"):
            cluster.copy(2)
        if kind == "copied":
            cluster.crash(2)
            cluster.restart(2)
            cluster.run(0.5)  # everybody has met the new life
            cluster.say("in another life")
            cluster.until(lambda: len(cluster.trace.of("ack")) == 2, 5)
            cluster.run(0.3)  # and has written something since
        if kind == "swapped":
            cluster.copy(1)
        cluster.crash(1)
        before = len(cluster.trace.of("ack"))
        cluster.say("kept")
        cluster.until(lambda: len(cluster.trace.of("ack")) == before + 1, 5)
        cluster.crash(2)
        cluster.crash(3)
        harm(cluster, kind)
        cluster.restart(1)
        cluster.restart(2)
        cluster.until(lambda: cluster.leader, 2.0, quiet=True)
        refused = not cluster.status()[2]["alive"] and bool(cluster.status()[2].get("failure"))
        cluster.restart(3)
        cluster.until(lambda: cluster.leader, 8, quiet=True)
        if refused:
            cluster.wipe(2)
            cluster.accept(2)
            cluster.restart(2)
        everybody = lambda: all("kept" in cluster.delivered(node) for node in (1, 2, 3))  # noqa: E731
        lost = not cluster.until(everybody, 8, quiet=True) or bool(check(cluster.trace))
        return refused, lost


def harm(cluster: Cluster, kind: str) -> None:
    """Do to the folder of node 2 what the kind of accident does."""
    match kind:
        case "emptied":
            cluster.wipe(2)
        case "swapped":
            cluster.restore(2, 1)
        case _:
            cluster.restore(2)


def main(kind: str, rounds: int) -> bool:
    """Play the rounds; print a line for each."""
    results = []
    for number in range(1, rounds + 1):
        results.append(one_round(kind))
        print(f"{kind} {number}: refused {results[-1][0]}, acknowledged and lost {results[-1][1]}", flush=True)
    print(f"{kind}: refused {sum(one for one, _ in results)} of {rounds}, lost in {sum(lost for _, lost in results)}")
    return kind == "older" or not any(lost for _, lost in results)


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1], int(sys.argv[2])))
