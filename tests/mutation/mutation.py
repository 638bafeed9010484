"""Mutation: a run that makes small bugs of one file, one at a time, and counts how many of them something notices.

    python tests/mutation/mutation.py chatsys/protocol/fence.py         every change of one file
    python tests/mutation/mutation.py --sample                          600 changes of the other files of the core

What is printed: each survivor that SURVIVORS.md does not explain, and how many changes were noticed by what.  The run
ends with 0 if every survivor is explained, 1 if one is not, 3 if time ran out.  What was tried is kept in data/mutation,
and the same command goes on from there.

Read also `changes` (which bugs), `trying` (who must notice them), `survivors` (the page), `chatsys.commands.prove`.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from pathlib import Path

from changes import Change
from ledger import FOLDER, Key, Ledger, core, digest, sample, test_files
from survivors import PAGE, explained, renumbered, row
from trying import ROOT, SEEDS, STAGES, Test, Tracer, Tried, Trier, run_pytest, try_anew

SAMPLE = 600


def lines_of_each_test() -> dict[str, Test]:
    """Return which lines of the core each test runs; a file of tests is run for it once, until it or the core changes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = FOLDER / "lines.json"
    known = json.loads(kept.read_text()) if kept.exists() else {}
    now = digest(core())
    if known.get("core") != now:
        known = {"core": now, "files": {}}
    stale = [path for path in test_files() if known["files"].get(path.name, {}).get("digest") != digest([path])]
    if stale:
        wanted = {str(path) for path in core()}
        found = _traced([str(path) for path in stale], wanted)
        for path in stale:
            name = path.relative_to(ROOT).as_posix()
            tests = {test: one for test, one in found.items() if test.partition("::")[0] == name}
            known["files"][path.name] = {
                "digest": digest([path]),
                "tests": {test: [one.lines, one.seconds] for test, one in tests.items()},
            }
        whole = kept.with_suffix(f".{os.getpid()}")
        whole.write_text(json.dumps(known))
        whole.replace(kept)  # at once: another run may read it
    return {
        test: Test(lines, seconds)
        for path in test_files()
        for test, (lines, seconds) in known["files"][path.name]["tests"].items()
    }


def _traced(files: list[str], wanted: set[str]) -> dict[str, Test]:
    ours, theirs = multiprocessing.Pipe(duplex=False)

    def work() -> None:
        tracer = Tracer(wanted)
        run_pytest(files, tracer)
        for name in tracer.failed:
            print(f"{name} fails alone, without a change: it is left out.", file=sys.stderr)
        theirs.send(tracer.tests)

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    theirs.close()
    found: dict[str, Test] = ours.recv()
    process.join()
    return found


def work_through(ledger: Ledger, wanted: list[Key], until: str, seeds: int, end: float, anew: bool) -> None:
    """Try what is left of these changes of one file, until a time: those inside functions, or (`anew`) the others."""
    every = lines_of_each_test()
    tests = {name: one for name, one in every.items() if ledger.name in one.lines}
    files = sorted({name.partition("::")[0] for name in tests})
    module = ledger.name.removesuffix(".py").replace("/", ".")
    stem = f"test_{ledger.path.stem}.py"
    own = {
        file
        for file in {name.partition("::")[0] for name in every}
        if stem in file or module in (ROOT / file).read_text()
    }
    left = ledger.left(wanted, until, seeds)
    inside = [(change, before) for change, before in left if change.where]
    counted = 0

    def tell(change: Change, tried: Tried) -> bool:
        nonlocal counted
        counted += 1
        ledger.keep(change, tried)
        if not tried.stage:
            print(
                f"  {counted} of {len(left)}, line {change.line}, {change.words}: survived", file=sys.stderr, flush=True
            )
        return time.monotonic() < end

    if inside and not anew:
        trier = Trier(ledger.path, ledger.source, inside, tests, sorted(own), until, seeds, tell)
        process = multiprocessing.get_context("fork").Process(target=run_pytest, args=(files, trier))
        process.start()
        process.join()
    for change, before in left:
        if anew and not change.where and time.monotonic() < end:
            # a default is part of no line that a test runs: so every test is asked whose file names this module
            quick = {name for name, one in every.items() if one.seconds < 0.5}
            asked = {name: every[name] for name in quick if name in tests or name.partition("::")[0] in own}
            tell(change, try_anew(change, ledger.path, ledger.source, asked, sorted(own), until, before, seeds))


def judge(ledger: Ledger, wanted: list[Key], until: str, seeds: int) -> tuple[dict[str, int], list[Key], list[str]]:
    """Count who noticed how many changes; return the counts, the survivors that the page does not explain, and its errors."""
    counts: Counter[str] = Counter()
    whys = explained(ledger.name)
    left = {ledger.keys[change] for change, _ in ledger.left(wanted, until, seeds)}
    bare, wrong = [], []
    for key in wanted:
        tried = ledger.known.get(key)
        if tried is not None and tried.stage == "no change":
            continue
        counts["changes"] += 1
        if tried is None or key in left:
            counts["left"] += 1
        elif tried.stage:
            counts[tried.stage] += 1
            if key in whys:
                wrong.append(f"{ledger.name}: `{key[1]}` stands on {PAGE.name}, but {tried.by} notices it.")
        elif key in whys:
            counts["explained"] += 1
        else:
            counts["unexplained"] += 1
            bare.append(key)
    for key in set(whys) - set(ledger.changes):
        wrong.append(f"{ledger.name}: `{key[1]}` stands on {PAGE.name}, but there is no such change.")
    return dict(counts), bare, wrong


def as_now() -> str:
    """Return the page of survivors with the lines of the code as it is.  Raises KeyError if a change cannot be made any more."""
    ledgers = {one.name: one for one in map(Ledger, core())}
    return renumbered(PAGE.read_text(encoding="utf-8"), lambda file, key: ledgers[file].changes[key].line)


def report(name: str, counts: dict[str, int]) -> str:
    """Return the line of one file: how many changes, who noticed them, the score raw and explained."""
    tried = counts["changes"] - counts.get("left", 0)
    noticed = sum(counts.get(stage, 0) for stage in STAGES)
    share = f"{100 * noticed / tried:.1f} %" if tried else "-"
    whole = f"{100 * (noticed + counts.get('explained', 0)) / tried:.1f} %" if tried else "-"
    by = ", ".join(f"{counts[stage]} by {stage}" for stage in STAGES if counts.get(stage))
    left = f"; {counts['left']} left" if counts.get("left") else ""
    return f"{name}: {counts['changes']} changes, {by}; raw {share}, explained {whole}{left}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Make small bugs, one at a time, and count who notices.")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--sample", action="store_true", help=f"{SAMPLE} changes of the files that are not tried whole")
    parser.add_argument("--until", choices=STAGES, default="seeds", help="the last stage that a survivor meets")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"how many seeds a survivor meets ({SEEDS})")
    parser.add_argument("--minutes", type=float, default=600.0)
    parser.add_argument("--rows", action="store_true", help="print unexplained survivors as rows of the page")
    parser.add_argument(
        "--lines", action="store_true", help="write into the page on which line each survivor stands now"
    )
    parser.add_argument("--told", action="store_true", help="only say what is known already")
    parser.add_argument("--json", action="store_true", help="print nothing but the result, as JSON")
    return parser


def main() -> int:
    """Do what is asked for."""
    asked = _parser().parse_args()
    if not asked.lines:
        return run(asked)
    PAGE.write_text(as_now(), encoding="utf-8")
    return 0


def run(asked: argparse.Namespace) -> int:
    """Try the changes that are asked for, and print what became of them."""
    from chatsys.evidence.kinds import WHOLE

    end = time.monotonic() + asked.minutes * 60
    whole = [f"chatsys/{name}.py" for name in WHOLE]
    todo: dict[Path, list[Key]] = {}
    if asked.sample:
        todo |= sample([path for path in core() if path.relative_to(ROOT).as_posix() not in whole], SAMPLE)
    known = {path.relative_to(ROOT).as_posix() for path in core()}
    if strange := [file for file in asked.files if file not in known]:
        _parser().error(f"{strange[0]} is no file of the core; give one of {', '.join(sorted(known))}.")
    for file in asked.files or (() if asked.sample else whole):
        todo[ROOT / file] = list(Ledger(ROOT / file).changes)
    lines: list[str] = []
    survived: list[str] = []
    unfinished, totals = 0, Counter({"changes": 0, "noticed": 0, "explained": 0})
    for anew in (False, True):  # those that need a new process cost a hundred times as much
        for path, wanted in todo.items():
            if not asked.told and time.monotonic() < end:
                work_through(Ledger(path), wanted, asked.until, asked.seeds, end, anew)
    for path, wanted in todo.items():
        ledger = Ledger(path)
        counts, bare, wrong = judge(ledger, wanted, asked.until, asked.seeds)
        for key in bare:
            line = ledger.changes[key].line
            survived.append(f"{ledger.name}:{line}: nothing notices `{key[1]}`, and {PAGE.name} does not say why.")
            if not asked.json:
                print(row(line, key, "") if asked.rows else f"  {survived[-1]}")
        survived += wrong
        lines.append(report(ledger.name, counts))
        unfinished += counts.get("left", 0)
        totals["changes"] += counts.get("changes", 0)
        totals["noticed"] += sum(counts.get(stage, 0) for stage in STAGES)
        totals["explained"] += counts.get("explained", 0)
        if not asked.json:
            print("\n".join([*(f"  {one}" for one in wrong), lines[-1]]), flush=True)
    if asked.json:
        print(json.dumps({"survived": survived, "files": lines, "left": unfinished, **totals}))
    return 1 if survived else 3 if unfinished else 0


if __name__ == "__main__":
    sys.exit(main())
