"""How good is the swarm with bugs that nobody looked at while it was made?  A sample of small changes, by lot.

    python tests/support/held_out.py --json          both swarms, and what came of it, for `chatsys prove`
    python tests/support/held_out.py FILE            profiles, as the default plan has them; a line of JSON for each bug
    python tests/support/held_out.py FILE all        all kinds of faults in every seed, as before there were profiles
    python tests/support/held_out.py --told OLD NEW  what two such files say

In the urn is every change that `tests/mutation/changes.py` makes inside a function of the files of `protocol/` that are
tried whole, but those of `made_bugs.txt`, by which the profiles were chosen, and those that SURVIVORS.md explains.  So
each is a bug that some test notices.  Those whose names have the smallest digests are drawn: the same ones, as long as
their lines stay.  Each is played in the seeds 0 to 24, in a process of its own; where the first five all find it, in no
more, for then nearly all do.  Three things can be told:

    found           how many bugs at least one of the schedules finds
    rate            the mean over the bugs of the fraction of schedules that find it
    as many         after how many schedules the new swarm has found as many bugs as the old one in all of its

Whoever changes a profile must not look at these bugs one by one: then they are held out no more.

Read also `kill_rate` (the bugs that profiles were chosen by), `placing` (how a change gets into its place).
"""

import gc
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "mutation")]

BUGS, SCHEDULES, AT_ONCE = 40, 25, 5
HANGS = 5.0
"""CPU seconds after which a schedule counts as one that comes to no end, and how many of them are enough."""
ENOUGH = 3
NOTHING = 64
"""What a process ends with whose change was none."""


class Hung(BaseException):
    """A schedule comes to no end."""


def urn() -> list[tuple[Path, Any, str]]:
    """Return each change that may be drawn: its file, the change, its name."""
    import made_bugs
    from changes import by_place, changes
    from survivors import explained

    from chatsys.evidence.kinds import WHOLE

    looked_at = {(bug.file, bug.applied(_text(bug.file))) for bug in made_bugs.read()}
    found = []
    for path in (ROOT / "chatsys" / f"{file}.py" for file in WHOLE if file.startswith("protocol/")):
        source, name = path.read_bytes(), path.relative_to(ROOT).as_posix()
        whys = explained(name)
        for one, number in by_place(changes(source)):
            known = (one.where, one.words, number) in whys
            if one.where and not known and (path.name, one.applied(source).decode()) not in looked_at:
                found.append((path, one, f"{name} {one.where} {one.words} ({number})"))
    return found


def _text(file: str) -> str:
    return (ROOT / "chatsys" / "protocol" / file).read_text(encoding="utf-8")


def play(path: Path, change: Any, functions: Any, plan: Any) -> dict[str, Any]:
    """Return what all schedules say of one change; this process is its own.  Raises `NoChange`."""
    from placing import place

    from chatsys.campaign.one_seed import schedule

    def ring(*_: Any) -> None:
        raise Hung

    place(change, path, path.read_bytes(), functions)
    signal.signal(signal.SIGPROF, ring)
    by: list[str] = []
    gc.disable()
    for seed in range(SCHEDULES):
        signal.setitimer(signal.ITIMER_PROF, HANGS)
        try:
            outcome = schedule(seed, plan)
            first = next((one.invariant for one in outcome.violations), "")
            by.append("no verdict" if outcome.inconclusive else first)
        except Hung:
            by.append("hangs")
        except Exception as error:
            by.append(f"raised {type(error).__name__}")
        signal.setitimer(signal.ITIMER_PROF, 0)
        gc.collect(0)
        if by.count("hangs") == ENOUGH or all(by) and len(by) == AT_ONCE:
            break
    return {"by": by, "cpu": round(time.process_time(), 1)}


def main(file: str, kinds: str = "") -> None:
    """Draw, and play what was drawn."""
    from placing import NoChange, held

    from chatsys.campaign.one_seed import Plan, schedule
    from chatsys.faults import parse_kinds

    plan = Plan(kinds=parse_kinds(kinds)) if kinds else Plan()
    schedule(0, plan)  # everything is imported by then
    drawn = sorted(urn(), key=lambda one: hashlib.sha256(one[2].encode()).digest())
    functions = held({str(path) for path, _, _ in drawn})
    gc.freeze()
    left = BUGS
    with open(file, "w", encoding="utf-8") as out:
        for path, change, name in drawn:
            out.flush()
            pid = os.fork()
            if pid == 0:
                resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
                try:
                    line = {"bug": name} | play(path, change, functions, plan)
                    out.write(json.dumps(line) + "\n")
                    out.flush()
                    os._exit(0)
                except NoChange:
                    os._exit(NOTHING)
                finally:
                    os._exit(1)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            assert code in (0, NOTHING), f"{name} could not be played"
            left -= code == 0
            if not left:
                break


class Measured:
    """What one file says, bug by bug."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.bugs = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        self.first = [next((at for at, by in enumerate(bug["by"], start=1) if by), 0) for bug in self.bugs]
        """In which schedule each was found; 0: in none."""
        self.rates = [sum(map(bool, bug["by"])) / len(bug["by"]) for bug in self.bugs]

    def upto(self, schedules: int) -> int:
        """Return how many bugs so many schedules find."""
        return sum(0 < one <= schedules for one in self.first)

    def rate(self, among: list[int]) -> float:
        """Return the mean over these bugs of the fraction of schedules that find it."""
        return sum(self.rates[bug] for bug in among) / max(1, len(among))


def compared(old: Measured, new: Measured) -> dict[str, Any]:
    """Return what both say: `rate` and `rate_before` of 1,000 schedules, of the bugs that not all find at once."""
    assert [bug["bug"] for bug in old.bugs] == [bug["bug"] for bug in new.bugs], "two samples"
    hard = [bug for bug in range(len(old.bugs)) if not (old.first[bug] == new.first[bug] == 1)]
    enough = [most for most in range(1, SCHEDULES + 1) if new.upto(most) >= old.upto(SCHEDULES)]
    return {
        "bugs": len(old.bugs), "found": new.upto(SCHEDULES), "before": old.upto(SCHEDULES), "hard": len(hard),
        "rate": 1000 * new.rate(hard), "rate_before": 1000 * old.rate(hard), "as_many_after": enough[0] if enough else None,
    }  # fmt: skip


def told(*files: str) -> None:
    """Print what two files say."""
    both = [Measured(Path(file)) for file in files]
    for one in both:
        upto = ", ".join(f"{one.upto(most)} in {most}" for most in (1, 3, 5, 10, SCHEDULES))
        print(f"{one.file}: {len(one.bugs)} bugs; found: {upto}; mean rate {one.rate([*range(len(one.bugs))]):.3f} a schedule; "
              f"{sum(bug['cpu'] for bug in one.bugs):.0f} CPU seconds")  # fmt: skip
    print(compared(*both))


def counted() -> None:
    """Play both swarms, and print as JSON what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        both = [Path(folder, name) for name in ("all", "new")]
        for file, kinds in zip(both, (["all"], []), strict=True):  # a process each: one that has played is no clean one
            subprocess.run([sys.executable, __file__, str(file), *kinds], check=True)
        print(json.dumps(compared(*map(Measured, both))))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--json"]:
            counted()
        case ["--told", *names]:
            told(*names)
        case words:
            main(*words)
