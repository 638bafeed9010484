"""Confinement: a process that runs somebody else's code lets go of what that code does not need, for good.

    confine(private, memory=1 << 30, cpu=60)  -->  ("files", "network", "processes", ...)      what held

        files       Landlock: reads Python, its libraries and installed packages; writes to its private folder only
        network, processes, signals
                    seccomp (`system_calls`): no sockets, no fork, no exec, no ptrace; signals to itself alone
        memory, cpu time, file size
                    limits of the process (rlimit), which the kernel keeps wherever there is one

The package chatsys itself cannot be read, so what a student is asked to write cannot be copied out of it.
`package=True` allows that, for a notebook's run, in which the cells import it.

Assumes   no other thread runs yet: Landlock binds the thread that asks, and those that it starts.
Promises  what the returned names say, until the process has ended, for root as well.  Where the system cannot do
          something its name is missing, and nothing is raised.
Read also `system_calls`, `answering` (who is confined), `remote` (who watches from outside).
"""

import os
import struct
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import suppress
from glob import glob
from math import ceil
from pathlib import Path
from typing import Any

from chatsys.isolation import system_calls

MEASURES = ("files", "network", "processes", "signals", "memory", "cpu time", "file size")
"""All that may hold, in the order in which a report names it."""

_RULESET, _ADD, _RESTRICT = 444, 445, 446
"""Landlock's three calls; they have these numbers on every machine."""
_READ_FILE, _READ_DIR, _WRITE_FILE, _TRUNCATE = 1 << 2, 1 << 3, 1 << 1, 1 << 14
_MAKE = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8
"""Removing folders and files, making folders and plain files; no links, no sockets, no devices."""
_ON_FILES = 1 << 0 | _READ_FILE | _WRITE_FILE | _TRUNCATE | 1 << 15

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
DESCRIPTORS = 128
"""Files that a confined process may have open at once."""
_HARMLESS = (
    "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types", "/usr/share/zoneinfo", "/usr/share/locale",
    "/dev/urandom", "/dev/random", "/dev/zero", "/sys/devices/system/cpu",
)  # fmt: skip
"""What libraries look at, and what says nothing about anybody."""


def confine(
    private: Path,
    read: Sequence[Path] = (),
    *,
    package: bool = False,
    memory: int | None = None,
    cpu: float | None = None,
    files: int | None = 16 << 20,
) -> tuple[str, ...]:
    """Confine this process and return the names of the measures that held.

    `private` is the only folder in which it may write; it may also read what `read` names.  `memory` is in bytes
    beyond those that it has now, `cpu` in seconds of its whole life, `files` in bytes of one file.
    """
    held = {*_limits(memory, cpu, files)}
    held |= {*_landlock(private, [*map(str, read), *readable(package)])}
    if system_calls.install():
        held |= {"network", "processes", "signals"}
    return tuple(name for name in MEASURES if name in held)


def readable(package: bool = False) -> Iterator[str]:
    """Yield what a confined process may read besides its own folder; where chatsys lies inside, each entry beside it."""
    homes = {path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages")}
    homes |= {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    python = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    bases = {os.path.join(prefix, "lib") for prefix in (sys.base_prefix, sys.base_exec_prefix)}
    for folder in {*bases, *_LIBRARIES}:  # other versions of Python may have the package, too
        homes.update(glob(os.path.join(folder, "python3*", "*-packages")))
    own = os.path.realpath(Path(__file__).parents[1])
    shut = set() if package else {own}
    for home in map(os.path.realpath, homes):
        if os.path.isdir(home) and not package:
            shut |= {os.path.join(home, name) for name in os.listdir(home) if "chatsys" in name.lower()}
    seen: set[str] = set()
    for root in sorted(map(os.path.realpath, {*homes, *python, *bases, *_LIBRARIES, *_HARMLESS})):
        yield from _outside(root, shut, seen)
    if package:
        yield own


def _outside(path: str, shut: set[str], seen: set[str]) -> Iterator[str]:
    """Yield `path` if nothing of `shut` lies in it, else what lies in it and is not of `shut`."""
    if path in shut or path in seen:
        return
    seen.add(path)
    if not any(one.startswith(path + os.sep) for one in shut):
        yield path
        return
    yield path + os.sep  # its names may be listed, which an import needs; no file in it is opened by that
    with os.scandir(path) as entries:
        for entry in entries:
            yield from _outside(os.path.realpath(entry.path) if entry.is_symlink() else entry.path, shut, seen)


# --- Landlock ------------------------------------------------------------------------------------


def landlock_version() -> int:
    """Return which version of Landlock this kernel has; 0 if it has none."""
    return 0 if sys.platform != "linux" else max(0, int(_system().syscall(_RULESET, None, 0, 1)))


def _system() -> Any:
    import ctypes

    system = ctypes.CDLL(None, use_errno=True)
    system.syscall.restype = ctypes.c_long
    return system


def _landlock(private: Path, read: Sequence[str]) -> tuple[str, ...]:
    version = landlock_version()
    if version < 1:
        return ()
    system = _system()
    assert len(os.listdir("/proc/self/task")) == 1, "A process is confined before it starts other threads."
    handled = (1 << (13, 14, 15, 15, 16)[min(version, 5) - 1]) - 1
    wanted = struct.pack("=QQQ", handled, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    wanted = wanted[: 8 if version < 4 else 16 if version < 6 else 24]  # files; TCP; signals and abstract sockets
    rules = system.syscall(_RULESET, wanted, len(wanted), 0)
    if rules < 0:
        return ()
    try:
        for path in read:
            _allow(system, rules, path, _READ_DIR if path.endswith(os.sep) else _READ_FILE | _READ_DIR)
        _allow(system, rules, str(private), handled & (_READ_FILE | _READ_DIR | _WRITE_FILE | _TRUNCATE | _MAKE))
        _allow(system, rules, os.devnull, handled & (_READ_FILE | _WRITE_FILE | _TRUNCATE))
        system.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
        return ("files",) if system.syscall(_RESTRICT, rules, 0) == 0 else ()
    finally:
        os.close(rules)


def _allow(system: Any, rules: int, path: str, rights: int) -> None:
    """Add a rule for everything below `path`; what is not there is not needed."""
    try:
        here = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _ON_FILES
        system.syscall(_ADD, rules, 1, struct.pack("=Qi", rights, here), 0)
    finally:
        os.close(here)


# --- limits --------------------------------------------------------------------------------------


def _limits(memory: int | None, cpu: float | None, files: int | None) -> Iterator[str]:
    """Set the limits, and yield the names of those that hold."""
    try:
        import resource
    except ImportError:
        return  # Windows, and Python in a browser
    with suppress(OSError):  # if the machine runs out of memory, this process goes first
        Path("/proc/self/oom_score_adj").write_text("1000")
    wanted: list[tuple[str, int, int | None]] = [
        ("", resource.RLIMIT_CORE, 0),
        ("", resource.RLIMIT_NOFILE, DESCRIPTORS),
        ("file size", resource.RLIMIT_FSIZE, files),
        ("cpu time", resource.RLIMIT_CPU, None if cpu is None else ceil(cpu)),
        ("memory", resource.RLIMIT_AS, None if memory is None else _taken() + memory),
    ]
    for name, limit, most in wanted:
        if most is None or (limit == resource.RLIMIT_AS and sys.platform == "darwin"):  # macOS does not keep it
            continue
        try:
            resource.setrlimit(limit, (most, most + 1 if limit == resource.RLIMIT_CPU else most))
        except (OSError, ValueError):
            continue
        if name:
            yield name


def _taken() -> int:
    """Return how many bytes of addresses this process has."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import psutil

        return int(psutil.Process().memory_info().vms)
