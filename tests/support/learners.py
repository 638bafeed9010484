"""Seeds with learners, many of them: nothing is broken, and everybody is served again.

    python tests/support/learners.py 0 2000 3        seeds from, to, nodes

Exit code 1 if anything was broken, or somebody was not served in time.
"""

import json
import sys

from chatsys.campaign.learners import play, summary


def main(first: int, last: int, nodes: int) -> bool:
    """Play the seeds; print a line for each that held not, then the numbers of all."""
    seasons = []
    for seed in range(first, last):
        seasons.append(one := play(seed, nodes))
        if one.broken or one.late or one.inconclusive:
            print(seed, *one.broken[:1], *one.late[:1], one.inconclusive, sep="; ", flush=True)
        if seed % 100 == 99:
            print(f"{seed + 1} done", file=sys.stderr, flush=True)
    told = summary(seasons)
    print(json.dumps(told, indent=1))
    return bool(told["ok"])


if __name__ == "__main__":
    sys.exit(not main(*map(int, sys.argv[1:4])))
