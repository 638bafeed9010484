"""Whether this installation plays the history that it must: one seed, event for event.

    history.json  {"seed": 1, "events": 438, "hash": "5f0c..."}      what was written down where the tests ran
    installed()   Seed 1 gave the 438 events that it must: chatsys works here.

Every change of the protocol changes that history; `make seeds` writes it down anew.

Read also `labs.seeds` (who calls `renew`), `scenes.silenced` (the run).
"""

import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chatsys import __version__
from chatsys.teach.labs.lab00.scenes import silenced

FILE = Path(__file__).with_name("history.json")
FIRST_SEED = 1


def history_of(seed: int) -> dict[str, Any]:
    """Return what identifies the history of a seed: how many events it has, and their hash."""
    trace = silenced(seed).trace
    return {"seed": seed, "events": len(trace), "hash": trace.hash()}


def installed() -> str | None:
    """Say whether this installation plays the history that it must; None while a notebook is graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    mine = history_of(kept["seed"])
    if mine == kept:
        return f"Seed {kept['seed']} gave the {kept['events']} events that it must, each at its moment: chatsys works here."
    here = f"chatsys {__version__}, Python {platform.python_version()}"
    return (
        f"Seed {kept['seed']} gave {mine['events']} events here, and other ones than the {kept['events']} where the tests ran "
        f"({here}). The lab works all the same; only the moments in your figures differ. Show this line to your teacher."
    )


def renew() -> Iterator[str]:
    """Write down anew what the history must be; yield a sentence if it changed."""
    text = json.dumps(history_of(FIRST_SEED)) + "\n"
    if not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
        FILE.write_text(text, encoding="utf-8")
        yield "lab 00-first-steps: the history that an installation must play is another one now"
