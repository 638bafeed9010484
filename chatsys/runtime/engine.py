"""The container engine: the program `docker`, what it answers, and a sentence for each way it says "no".

    cluster --words--> docker --socket--> the engine (dockerd, or podman under the same name)

Everything that a cluster makes there carries labels that say whose it is, by machine, process and the moment at which that
process began.  So what a killed kernel left can be told from what a living one uses, and the next to come along sweeps it.

Assumes   the engine runs on this machine, and its networks can be reached from here, as on Linux.
Promises  no call waits for ever; whatever the engine refuses becomes one sentence that says what to do.
Read also `net.containers` (networks and volumes), `nodes.container` (one node), `deploy/docker` (the image).
"""

import os
import shutil
import socket
import subprocess
import sys

from chatsys.errors import NotHere
from chatsys.run import digest_core
from chatsys.surroundings import reason

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
INSTEAD = "or use where='processes'"
LIMIT = 60.0
"""Seconds that one call to the engine may take."""
OWNER, CLUSTER = "chatsys.owner", "chatsys.cluster"
"""The labels of whatever a cluster makes: who made it, and for which cluster."""


def image() -> str:
    """Return the name of the image that fits: it has this Python, as classes travel by value, and this code."""
    return f"chatsys:py{PYTHON}-{digest_core()}"


def docker(*words: str, data: bytes = b"", limit: float = LIMIT) -> bytes:
    """Let docker do something, out of reach of the terminal's Ctrl-C, and return what it says.  Raises `NotHere`."""
    try:
        done = subprocess.run(["docker", *words], input=data, capture_output=True, timeout=limit, process_group=0)
    except FileNotFoundError:
        raise NotHere(
            f"Containers need the program docker, and there is none on the PATH; install Docker, {INSTEAD}."
        ) from None
    except OSError as error:
        raise NotHere(f"docker cannot be run ({reason(error)}); allow it, {INSTEAD}.") from None
    except subprocess.TimeoutExpired:
        raise NotHere(
            f"The engine did not answer `docker {words[0]}` within {limit:.0f} s; look at it, {INSTEAD}."
        ) from None
    if done.returncode:
        raise NotHere(refusal(words[0], done.stderr.decode(errors="replace")))
    return done.stdout


def refusal(verb: str, said: str) -> str:
    """Say in a sentence what the engine refused, and what to do about it."""
    lines = [line for line in said.splitlines() if line.strip() and "--help'" not in line]
    last = lines[-1].rpartition("Error response from daemon: ")[2].rstrip(".") if lines else "it did not say why"
    where = os.environ.get("DOCKER_HOST", "the usual socket")
    low = said.lower()
    if "permission denied" in low and ("socket" in low or "daemon" in low):
        return f"This user may not use the container engine at {where}; join its group (usually docker), {INSTEAD}."
    if "cannot connect" in low or "error during connect" in low or "failed to connect" in low:
        return f"No container engine answers at {where}; start it, set DOCKER_HOST to where it is, {INSTEAD}."
    return f"The engine refuses `docker {verb}` ({last}); mend that, {INSTEAD}."


def check_engine() -> None:
    """Raise `NotHere` where no engine answers, or where it has no image of this chatsys."""
    if sys.platform != "linux":
        raise NotHere(
            f"Nodes in containers need Linux, where this kernel reaches the network of the containers; {INSTEAD[3:]}."
        )
    docker("version", "--format", "{{.Server.Version}}")
    if not docker("image", "ls", "--quiet", image()).strip():
        raise NotHere(
            f"The engine has no image {image()}, which is this chatsys for Python {PYTHON}; make it: make image, {INSTEAD}."
        )


# --- whose it is ------------------------------------------------------------------------------


def owner() -> str:
    """Return who this process is, so that nobody else ever is the same: machine, number, moment of its beginning."""
    return f"{socket.gethostname()}/{os.getpid()}/{_began(os.getpid())}"


def is_dead(label: str) -> bool:
    """Tell whether the process of this label is no more; of another machine's processes nothing is known."""
    host, _, rest = label.partition("/")
    pid, _, began = rest.partition("/")
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    now = _began(int(pid))
    return now != began if now else not _is_there(int(pid))  # where /proc hides what others run, nothing more is known


def _is_there(pid: int) -> bool:
    """Tell whether there is such a process, also one of another user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _began(pid: int) -> str:
    """Return the moment at which a process began, in the system's own count; "" if there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def sweep() -> None:
    """Remove the containers, volumes and networks of processes that are no more."""
    for label in {label for kind in KINDS for label in _labels(kind)}:
        if is_dead(label):
            remove(f"{OWNER}={label}")


KINDS = {"container": ("ls", "--all"), "volume": ("ls",), "network": ("ls",)}
"""What a cluster makes, in the order in which it can go, and the words that list it."""


def _labels(kind: str) -> list[str]:
    told = docker(kind, *KINDS[kind], "--filter", f"label={OWNER}", "--format", f'{{{{.Label "{OWNER}"}}}}')
    return told.decode().split()


def remove(label: str) -> None:
    """Remove whatever carries this label; what is gone already is passed over."""
    for kind, listing in KINDS.items():
        names = docker(kind, *listing, "--quiet", "--filter", f"label={label}").decode().split()
        force = () if kind == "network" else ("--force",)
        if names and shutil.which("docker"):
            subprocess.run(["docker", kind, "rm", *force, *names], capture_output=True, timeout=LIMIT, process_group=0)
