"""Seeds that a lab's page speaks of: each stands in one file, with what its run must show.

    seeds.json                 {"demonstration": 7}
    LAB.seeds                  {"demonstration": shows}      shows(7) is true

When the simulator changes, a seed may show something else.  `make seeds` looks each up anew, and says what changed.

Promises  a seed that still shows what it must is kept, so that pages and memories stay true.
Read also `grading.lab` (where the two meet).
"""

import json
from collections.abc import Iterator
from pathlib import Path

from chatsys.errors import UsageError
from chatsys.teach.grading.lab import Lab

MOST = 1_000
"""So many seeds are tried."""


def recorded(number: str) -> dict[str, int]:
    """Return the seeds of the lab with this number, by their names."""
    found: dict[str, int] = json.loads(_file(number).read_text(encoding="utf-8"))
    return found


def find_anew(lab: Lab) -> Iterator[str]:
    """Write down a seed for each name of `lab`; yield a sentence for each that changed."""
    before = recorded(lab.number)
    after = {}
    for name, shows in lab.seeds.items():
        candidates = [*([before[name]] if name in before else []), *range(MOST)]
        seed = next((seed for seed in candidates if shows(seed)), None)
        if seed is None:
            raise UsageError(f"Lab {lab.name}: none of {MOST:,} seeds shows {name}; look at what it must show.")
        after[name] = seed
        if seed != before.get(name):
            yield f"lab {lab.name}: {name} is seed {seed} now (it was {before.get(name, 'not there')})"
    if after != before:
        _file(lab.number).write_text(json.dumps(after, indent=2) + "\n", encoding="utf-8")
    if lab.anew is not None:
        yield from lab.anew()


def _file(number: str) -> Path:
    return Path(__file__).parent / f"lab{number}" / "seeds.json"


if __name__ == "__main__":
    from chatsys.teach.grading.grader import find_lab, known_labs

    changes = [change for number in known_labs() if (lab := find_lab(number)) for change in find_anew(lab)]
    print("\n".join(changes) or "Every seed shows what it must; nothing changed.")
