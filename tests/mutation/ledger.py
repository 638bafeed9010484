"""The ledger: what became of each change, one JSON line for each, so that a run goes on where it stopped.

    (file, function, change, how many the same before it)  +  the digest of that file, of the tests, of the core

A change that was noticed by a test stays noticed as long as its file and that test's file are the same; by a schedule, a
seed or a search, as long as its file, the simulator, the checkers, the searches and the schedules are the same.  One that
survived meets the tests anew when any of them has changed, and all stages when any of the rest has; and one that was let
off by a stage goes on with the next one, or with the next seed.

Read also `mutation`.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from changes import Change, by_place
from trying import ROOT, STAGES, Tried

from chatsys.evidence import code
from chatsys.evidence.kinds import CORE as EVERY_CHANGE
from chatsys.evidence.kinds import SCHEDULES, SEARCHED

FOLDER = ROOT / "data" / "mutation"
CORE = ("protocol", "actor")
Key = tuple[str, str, int]
"""The function, the change in words, and how many the same stand before it in that function."""


def digest(paths: Iterable[Path]) -> str:
    """Return a short digest of the contents of files."""
    found = hashlib.sha256()
    for path in paths:
        found.update(path.read_bytes() + b"\0")
    return found.hexdigest()[:12]


def core() -> list[Path]:
    """Return every file that changes are made of."""
    inner = [path for room in CORE for path in sorted((ROOT / "chatsys" / room).rglob("*.py"))]
    return [*inner, ROOT / "chatsys" / "runtime" / "disk.py"]


def test_files() -> list[Path]:
    """Return the files of tests that a change has to pass: the parts, and what of the other rings is quick and in one process."""
    more = (
        "course/test_specification.py",
        "seeds/test_actors.py",
        "seeds/test_told_to_stop.py",
        "seeds/test_turns.py",
        "real/test_disk.py",
        "real/test_disk_rules.py",
        "real/test_disk_folders.py",
    )
    return [*sorted((ROOT / "tests" / "parts").glob("test_*.py")), *(ROOT / "tests" / one for one in more)]


@cache
def _everything() -> str:
    return digest([*core(), *test_files()])


@cache
def _worlds() -> str:
    """Return the digest of what runs schedules, seeds and searches; the core itself stands by itself."""
    return code.digest(tuple(sorted({*SCHEDULES, *SEARCHED, "mutants"} - {*EVERY_CHANGE})))


@cache
def _all_but_tests() -> str:
    return digest(core()) + _worlds()


@cache
def _of_one(test: str) -> str:
    return digest([ROOT / test]) if (ROOT / test).exists() else ""


class Ledger:
    """What is known of the changes of one file."""

    def __init__(self, path: Path) -> None:
        self.path, self.source = path, path.read_bytes()
        self.name = path.relative_to(ROOT).as_posix()
        self.file = digest([path])
        self.code, self.core = _everything(), _all_but_tests()
        self.changes: dict[Key, Change] = {}
        from changes import changes

        for one, number in by_place(changes(self.source)):
            self.changes[one.where, one.words, number] = one
        self.keys = {one: key for key, one in self.changes.items()}
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.kept = FOLDER / (self.name.replace("/", ".") + ".jsonl")
        self.known: dict[Key, Tried] = {}
        self._read()

    def _read(self) -> None:
        for text in self.kept.read_text().splitlines() if self.kept.exists() else ():
            line = json.loads(text)
            if line["file"] != self.file:
                continue
            tried = Tried(line["stage"], line["by"], line["cpu"], tuple(line["through"]), line.get("seeds", 0))
            good = line["tests"] == self._rests_on(tried)
            if not good and not tried.stage and line.get("core") == self.core:  # only tests have changed
                good, tried = True, replace(tried, through=tuple({*tried.through} - {"tests"}))
            if good:
                self.known[line["where"], line["change"], line["number"]] = tried
            else:
                self.known.pop((line["where"], line["change"], line["number"]), None)

    def _rests_on(self, tried: Tried) -> str:
        """Return the digest of what an answer rests on."""
        of = tried.by.partition("::")[0]
        if of.endswith(".py"):
            return _of_one(of)
        if tried.stage not in ("", "tests"):
            return _worlds()
        return self.code + (_worlds() if set(tried.through) - {"tests"} else "")

    def keep(self, change: Change, tried: Tried) -> None:
        """Write one line."""
        key = self.keys[change]
        self.known[key] = tried
        line = {
            "line": change.line, "column": change.column, "where": key[0], "change": key[1], "number": key[2],
            "file": self.file, "tests": self._rests_on(tried),
            "stage": tried.stage, "by": tried.by, "cpu": tried.cpu, "through": tried.through,
            "seeds": tried.seeds, "core": self.core,
        }  # fmt: skip
        with open(self.kept, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def left(self, wanted: Iterable[Key], until: str, seeds: int) -> list[tuple[Change, Tried]]:
        """Return the changes that are still to be tried, each with what it survived already."""
        asked = set(STAGES[: STAGES.index(until) + 1])
        work: list[tuple[Change, Tried]] = []
        for key in wanted:
            tried = self.known.get(key)
            if tried is None:
                work.append((self.changes[key], Tried()))
            elif not tried.stage and (not asked <= set(tried.through) or "seeds" in asked and tried.seeds < seeds):
                work.append((self.changes[key], tried))
        return work


def sample(paths: Iterable[Path], count: int) -> dict[Path, list[Key]]:
    """Return so many changes of these files, always the same ones: those whose digest is the smallest."""
    from changes import changes

    every = []
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        for one, number in by_place(changes(path.read_bytes())):
            key = (one.where, one.words, number)
            every.append((hashlib.sha256(repr((name, key)).encode()).hexdigest(), path, key))
    chosen: dict[Path, list[Key]] = {}
    for _, path, key in sorted(every, key=lambda one: one[0])[:count]:
        chosen.setdefault(path, []).append(key)
    return chosen
