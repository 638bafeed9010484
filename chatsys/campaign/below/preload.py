"""Preload: how the library below a node is built, and how the processes started from now on get it.

Assumes   the environment of this process is the one that its nodes are started with.
Promises  the environment is afterwards what it was.
Read also `below.c` (what is built), `chatsys.campaign.below` (who asks for it).
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatsys.errors import NotHere

SOURCE = Path(__file__).with_name("below.c")
SETTINGS, PRELOADED = "CHATSYS_BELOW", "LD_PRELOAD"


def library(folder: Path) -> Path:
    """Build the library in `folder` and return its path.  Raises `NotHere`, with what is missing."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not sys.platform.startswith("linux") or compiler is None:
        raise NotHere(
            "What is below a node can be watched on Linux with a C compiler only; on Debian or Ubuntu run "
            "apt install gcc libc6-dev."
        )
    built = folder / "below.so"
    words = (compiler, "-O1", "-shared", "-fPIC", "-o", str(built), str(SOURCE), "-ldl", "-lpthread")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[0]
        raise NotHere(
            f"What is below a node could not be built by {compiler} ({said}); on Debian or Ubuntu run apt install libc6-dev."
        )
    return built


@contextmanager
def loaded(library: Path, settings: str) -> Iterator[None]:
    """Let each process that is started meanwhile load `library` first, with these settings."""
    before = {name: os.environ.get(name) for name in (SETTINGS, PRELOADED)}
    os.environ[PRELOADED] = ":".join(filter(None, (str(library), before[PRELOADED])))
    os.environ[SETTINGS] = settings
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
