"""Seeds with lost disks, many of them: what was lost, what was seen, and whether everybody is served again.

    python tests/support/lost_disks.py 0 2000 3        seeds from, to, nodes; and a kind, if it shall be one

Exit code 1 if anything was lost outside the named limits, or somebody was not served in time.
"""

import json
import sys

from chatsys.campaign.lost_disks import play, summary


def main(first: int, last: int, nodes: int, kind: str | None = None) -> bool:
    """Play the seeds; print a line for each that lost something, then the numbers of all."""
    accidents = []
    for seed in range(first, last):
        accidents.append(one := play(seed, nodes, kind))
        if one.lost or one.late or one.inconclusive:
            print(seed, one.kind, one.victims, *one.lost[:1], *one.late[:1], one.inconclusive, sep="; ", flush=True)
    told = summary(accidents)
    print(json.dumps(told, indent=1))
    return bool(told["ok"])


if __name__ == "__main__":
    first, last, nodes, *kind = sys.argv[1:]
    sys.exit(not main(int(first), int(last), int(nodes), *kind))
