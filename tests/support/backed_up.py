"""A member loses its disk and comes back from a backup that was made while everybody was writing.

    python tests/support/backed_up.py --seconds 60      more of it than a test has time for: messages, and what verify says

Read also `chatsys.runtime.backup`, deploy/README.md (the steps, as people take them).
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from chatsys import Cluster
from chatsys.check import check
from chatsys.check.log_files import verify
from chatsys.runtime.backup import back_up, restore

RATE = 100.0


def story(folder: Path, seconds: float, where: Any = "processes") -> dict[str, Any]:
    """Write 100 messages a second; back node 2 up, lose its disk, restore, accept, start; return what came of it."""
    with Cluster(3, where, timing="fast", data=folder / "nodes") as cluster:
        data = folder / "nodes" / "node2"
        assert cluster.until(lambda: cluster.leader == 3)
        _talk(cluster, seconds / 2)
        assert cluster.until(lambda: len(cluster.delivered(2)) > 30, 60), "there is something to keep"
        backup = back_up(data, folder / "backup")
        _talk(cluster, seconds / 2)
        cluster.crash(2)
        cluster.wipe(2)
        restored = restore(folder / "backup", data)
        cluster.accept(2)
        _talk(cluster, 0.3)
        began = cluster.now
        cluster.restart(2)
        _talk(cluster, 0.3)
        said = len(cluster.trace.of("submit"))
        cluster.until(lambda: all(len(cluster.delivered(node)) >= said for node in cluster.nodes), 30)
        caught_up = cluster.now - began
        told = {
            "said": said,
            "delivered": [len(cluster.delivered(node)) for node in cluster.nodes],
            "equal": len({tuple(cluster.delivered(node)) for node in cluster.nodes}) == 1,
            "in_the_backup": (backup.entries, restored.entries),
            "seconds_to_catch_up": round(caught_up, 2),
            "refused": [record.reason for record in cluster.trace.of("refused", "refuses")],
            "violations": [found.sentence for found in check(cluster)],
        }
    folders = [folder / "nodes" / f"node{node}" for node in (1, 2, 3)]
    return told | {"verify": verify(folders), "verify_backup": verify([folder / "backup", folders[0]])}


def _talk(cluster: Cluster, seconds: float) -> None:
    end = cluster.now + seconds
    while cluster.now < end:
        due = time.perf_counter() + 1 / RATE
        cluster.say(f"said at {cluster.now:.3f} s")
        time.sleep(max(0.0, due - time.perf_counter()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    with tempfile.TemporaryDirectory() as place:
        for key, value in story(Path(place), parser.parse_args().seconds).items():
            print(f"{key}: {value}")
