"""The same runs, compiled: trace hashes with and without a build of `make fast`, and the mutants played on it.

    python tests/support/compiled_same.py 0:50 --nodes 5 --length long      the hashes of fifty schedules, equal or not
    python tests/support/compiled_same.py mutants                           `chatsys mutants` on the build

It compiles first if the build in `.fast` is not of these sources.  `--json` prints one object; the exit code is 1 if a
hash differs or a mutant survives.  `chatsys prove` runs it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from chatsys.compiled.building import build  # noqa: E402 - the clone that this file is in
from chatsys.compiled.using import FOLDER, VARIABLE, refusal  # noqa: E402
from chatsys.errors import UsageError  # noqa: E402

PLAYED = """
import json, sys
import msgspec
from chatsys.campaign.bench.simulated import BRIEF, LONG
from chatsys.campaign.one_seed import run_seed
from chatsys.compiled.using import used

first, last, nodes, length = sys.argv[1:]
plan = msgspec.structs.replace({"brief": BRIEF, "long": LONG}[length], nodes=int(nodes))
found = [run_seed(seed, plan) for seed in range(int(first), int(last))]
print(json.dumps({
    "compiled": used(), "hashes": [one.hash for one in found],
    "events": sum(one.events for one in found), "violated": sum(bool(one.violations) for one in found),
}))
"""


def environment(compiled: bool, folder: Path = FOLDER) -> dict[str, str]:
    """Return the environment of a process that runs the build, or that does not."""
    own = {name: value for name, value in os.environ.items() if name != VARIABLE}
    path = os.pathsep.join(filter(None, (str(ROOT), own.get("PYTHONPATH"))))
    return own | {"PYTHONPATH": path} | ({VARIABLE: str(folder)} if compiled else {})


def hashes(seeds: tuple[int, int], nodes: int, length: str, env: dict[str, str]) -> dict[str, Any]:
    """Play schedules in a process of their own; return their trace hashes, and how much it was."""
    words = (*map(str, seeds), str(nodes), length)
    done = subprocess.run(
        [sys.executable, "-c", PLAYED, *words], env=env, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(2)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def compare(seeds: tuple[int, int], nodes: int, length: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Return how many schedules were played on both, and which of them came out differently."""
    sources, compiled = (hashes(seeds, nodes, length, environment(one, folder)) for one in (False, True))
    assert compiled["compiled"] and not sources["compiled"], "each process runs what it was told to run"
    both = zip(range(*seeds), sources["hashes"], compiled["hashes"], strict=True)
    different = [f"Seed {seed} comes out differently when it is compiled." for seed, one, two in both if one != two]
    return {"schedules": len(sources["hashes"]), "events": sources["events"], "violations": different}


def mutants() -> dict[str, Any]:
    """Play every mutant on the build; return how many there were, and which survived."""
    command = [sys.executable, "-m", "chatsys", "mutants", "--json"]
    done = subprocess.run(command, env=environment(True), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(2)
    answer = json.loads(done.stdout)
    return {"mutants": len(answer["mutants"]), "survived": answer["survived"]}


def main(words: Sequence[str]) -> int:
    """Compile if that is needed, compare, tell, and return the exit code."""
    wanted = [word for word in words if word != "--json"]
    try:
        if refusal(FOLDER):
            build(tell=lambda text: print(text, file=sys.stderr, flush=True))
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    if wanted == ["mutants"]:
        found = mutants()
    else:
        first, _, last = wanted[0].partition(":")
        options = dict(zip(wanted[1::2], wanted[2::2], strict=True))
        found = compare((int(first), int(last)), int(options.get("--nodes", "3")), options.get("--length", "brief"))
    print(json.dumps(found) if "--json" in words else "\n".join(f"{name}: {of}" for name, of in found.items()))
    return 1 if found.get("violations") or found.get("survived") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
