"""Kinds: what is gathered, what each kind shows if it held, and what it leaves open.

    schedules     many runs under random faults        mutants, small bugs   would a bug be seen?
    every order   all runs within bounds               soaks, storms         real processes, disks and packets
    fuzz, outsider   whoever sends what it must not     compiled   the same runs on a build of `make fast`?

Assumes   each piece is a command that can be typed, and ends by itself.
Read also `gathering` (who runs them), EVIDENCE.md (what they found), `campaign`, `explore`, `mutants`.
"""

from collections.abc import Iterator
from pathlib import Path

from chatsys.evidence.code import PACKAGE
from chatsys.evidence.gathering import Kind, Piece

BESIDE = ("bench", "__pycache__")
"""What stands in the room of the campaigns, and no campaign uses."""
CORE = ("actor", "protocol", "config.py", "errors.py")
WORLD = (*CORE, "sim", "check", "faults", "trace.py", "run.py", "spill.py", "vocabulary.py")
SCHEDULES = (
    *WORLD, "campaign/one_seed.py", "campaign/liveness.py", "campaign/sweep.py", "campaign/summary.py",
    "commands/simulate.py",
)  # fmt: skip
SEARCHED = (*CORE, "explore", "check/violation.py", "commands/explore.py")
CAMPAIGN = tuple(f"campaign/{room.name}" for room in (PACKAGE / "campaign").iterdir() if room.name not in BESIDE)
REAL = (*WORLD, "runtime", *CAMPAIGN, "clients", "surroundings.py", "locks.py", "temporary.py", "isolation/drain.py")

SMALL = "small bugs, by tests"
MUTATION = Path("tests") / "mutation" / "mutation.py"
"""What makes small bugs of the core, one at a time: it needs the tests, which only a clone has."""
SUPPORT = "tests/support"
WHOLE = (
    "protocol/fence", "protocol/succession", "protocol/ordering", "protocol/log", "protocol/catchup",
    "protocol/recovery", "protocol/storage", "actor/outbox", "runtime/disk", "actor/logfile",
)  # fmt: skip
"""The files of which every small bug is tried, the most dangerous first."""

PLAYED = "{schedules} schedules with {events} events, {messages} acknowledged messages"


def kinds() -> tuple[Kind, ...]:
    """Return every kind of evidence, in the order in which their first pieces run."""
    return (
        *_mutants(),
        *_small_bugs(),
        *_kill_rates(),
        *_rubbish(),
        *_searches(),
        *_processes(),
        *_watched(),
        *_schedules(),
        *_compiled(),
    )


def _mutants() -> Iterator[Kind]:
    from chatsys.mutants.closed import need_searches

    need_searches()
    from chatsys.mutants.searches import SEARCHES

    yield Kind(
        "mutants, by schedules",
        (Piece(("mutants", "--json"), 1800.0),),
        rooms=(*SCHEDULES, "mutants", "commands/mutants.py"),
        tells="{mutants} mutants, {survived} survived",
        shows="Each bug that students and we have thought of is found by a named invariant, in random schedules or in one "
        "that was written for it.",
        leaves="Bugs that nobody has thought of. The mutants were made by those who made the checkers.",
    )
    yield Kind(
        "mutants, by every order",
        tuple(Piece(("mutants", name, "--explore", "--json"), 900.0, bounded=True) for name in SEARCHES),
        rooms=(*SEARCHED, "mutants", "commands/mutants.py"),
        tells="{mutants} mutants, {survived} survived; {protocol_inconclusive} searches without the bug stopped at their budget",
        shows="Bugs that need a rare order of events are found by trying every order, and the protocol without the bug, "
        "which passes through the same stages, breaks nothing there, as far as the budget of each search went.",
        leaves="The way to each bug is marked by stages, so roads around them are not looked at.",
    )


def _small_bugs() -> Iterator[Kind]:
    """Yield the small bugs of each dangerous file, then a sample of the rest; nothing where there are no tests."""
    if not (PACKAGE.parent / MUTATION).is_file():
        return
    words = [(f"chatsys/{name}.py",) for name in WHOLE] + [("--sample",)]
    yield Kind(
        SMALL,
        tuple(Piece((*these, "--json"), 39_600.0, script=MUTATION.as_posix()) for these in words),
        rooms=(*SCHEDULES, "runtime/disk.py", "mutants"),
        tells="{changes} small changes, {noticed} noticed, {explained} explained",
        shows="A program changes the core by one small thing at a time, and tests, directed schedules or seeds notice "
        "it; each change that nothing notices is explained in tests/mutation/SURVIVORS.md.",
        leaves="Bugs of more than one place, and lines that are missing. The searches are asked only with `--until search`. If only the tests change, this is not measured anew.",
    )


def _kill_rates() -> Iterator[Kind]:
    """Yield how many bugs the schedules of the default plan find, and those without profiles; nothing without tests."""
    if not (PACKAGE.parent / MUTATION).is_file():
        return
    yield Kind(
        "seeds, by made bugs",
        tuple(
            Piece(("made", "25", *kinds, "--json"), 14_400.0, script=f"{SUPPORT}/kill_rate.py")
            for kinds in ((), ("all",))
        ),
        rooms=SCHEDULES,
        tells="{found} of {bugs} bugs found in 25 schedules; {before} without profiles",
        shows="How many bugs of one line, made by hand and by lot, random schedules alone find, before and after the faults of "
        "a schedule were chosen to go together. The profiles were chosen by these bugs.",
        leaves="Nobody knows how many of the rest change anything that a rule speaks of.",
    )
    yield Kind(
        "seeds, by a sample",
        (Piece(("--json",), 14_400.0, script=f"{SUPPORT}/held_out.py"),),
        rooms=SCHEDULES,
        tells="{found} of {bugs} bugs found in 25 schedules, {before} without profiles; of 1,000 schedules that play a "
        "bug which not all find at once, {rate} find it, and {rate_before} without profiles",
        shows="The same for small changes that were drawn by lot, that some test notices, and that nobody looked at while "
        "the profiles were chosen.",
        leaves="Forty bugs are few: one more or less is no news. Many that a test of one part notices harm no whole run.",
    )


def _rubbish() -> Iterator[Kind]:
    from chatsys.campaign.outsider import ALL, ATTACKS

    yield Kind(
        "fuzz",
        tuple(Piece(("fuzz", "--seed", str(seed), "--json"), 600.0, f"{seed}:{seed + 1}") for seed in range(1, 6)),
        rooms=REAL,
        tells="{frames} frames, {logs} logs, {connections} connections",
        shows="Random bytes, forged frames, harmed log files and crowds at a port end no node and change no message.",
        leaves="Rubbish that random changes do not make; nobody measured which branches were reached.",
    )
    yield Kind(
        "an outsider",
        tuple(Piece(("outsider", name, "--json"), 600.0) for name in (*ATTACKS, ALL)),
        rooms=REAL,
        tells="{attacks} attacks",
        shows="Whoever reaches a port without being a member stops no node, and an honest client goes on talking.",
        leaves="Links are not encrypted: whoever can read or change them is a member. What an outsider may read is listed "
        "by `chatsys outsider --list`.",
    )


def _searches() -> Iterator[Kind]:
    yield Kind(
        "election, every order",
        (Piece(("explore", "--json"), 3600.0),),
        rooms=SEARCHED,
        tells="{distinct_states} states",
        shows="No order of events within the bounds makes two leaders of one term.",
        leaves="What the bounds leave out: `chatsys explore` names each, with every assumption that it rests on.",
    )
    yield Kind(
        "log, every order",
        tuple(_log()),
        rooms=SEARCHED,
        tells="{distinct_states} states",
        shows="No order of events around one message, around a third term, and around a power loss of each node loses or "
        "changes what was committed.",
        leaves="All of these in one story: together they do not come to an end. `chatsys explore --model log` names every "
        "bound and assumption.",
    )


def _log() -> Iterator[Piece]:
    """Yield searches that come to their end: of a message, of a third term, and of a crash."""
    whole = "--messages 1", "--messages 0 --terms 3 --nominee 2 --nominee 3"
    crashed = (f"--messages 0 --crashes 1 --nominee {node}" for node in (1, 2, 3))
    for bounds in (*whole, *crashed):
        yield Piece(("explore", "--model", "log", *bounds.split(" "), "--json"), 3600.0)


def _processes() -> Iterator[Kind]:
    said = "{acknowledged} acknowledged messages, {outages} outages"
    for nodes in (3, 5):
        yield Kind(
            f"soak, {nodes} processes",
            tuple(_soak(seed, "--minutes", "1", "--nodes", str(nodes)) for seed in range(1, 11)),
            rooms=REAL,
            tells=said,
            shows="Real processes, disks and packets under kill -9, SIGSTOP, cuts and slow links lose and reorder nothing "
            "that a client was told.",
            leaves="Ten minutes, one machine, one file system; a kill leaves what the system had taken in, so these disks "
            "forget nothing.",
        )
    yield Kind(
        "storms of kill -9",
        tuple(_soak(seed, "--storm") for seed in (1, 2)),
        rooms=REAL,
        tells="{acknowledged} acknowledged messages, {kills} kills",
        shows="Kills that come faster than recovery lose nothing either.",
        leaves="Two minutes on one machine; a kill leaves what the system had taken in, so these disks forget nothing.",
    )


def _watched() -> Iterator[Kind]:
    from chatsys.campaign.below import KINDS

    runs: list[tuple[str, ...]] = [("--minutes", "1", "--system", system) for system in KINDS]
    runs += [("--storm", "--system", system) for system in ("forgets", "bad")]
    yield Kind(
        "watched from outside",
        tuple(_soak(seed, *words) for seed in (1, 2, 3) for words in runs),
        rooms=REAL,
        tells="{acknowledged} acknowledged messages, {syncs} syncs",
        shows="A library below each process sees every write, sync and frame: no frame left before what it rests on was on "
        "the disk, also where the disk forgets, tears or is slow and clocks are wrong; and a power loss at any moment "
        "leaves a log that can be read.",
        leaves="The system below the library is believed: that a sync which has ended is one.",
    )
    yield Kind(
        "linearized by Z3",
        tuple(
            Piece(
                ("linearize", "--seeds", f"{first}:{first + 20}", "--nodes", str(nodes), "--json"),
                900.0,
                f"{first}:{first + 20}",
            )
            for nodes, begin in ((3, 0), (5, 200))
            for first in range(begin, begin + 200, 20)
        ),
        rooms=(*SCHEDULES, "campaign/linearize.py"),
        tells="{histories} histories, {messages} messages",
        shows="A solver that knows nothing of chatsys finds for every message a moment between its submit and its answer "
        "that explains all that was read.",
        leaves="What users do not see: terms, promises, and what is only on disks.",
    )


def _soak(seed: int, *words: str) -> Piece:
    return Piece(("soak", *words, "--seed", str(seed), "--json"), 300.0, f"{seed}:{seed + 1}")


def _schedules() -> Iterator[Kind]:
    for name, nodes, count, calm in (
        ("schedules, long calm", 3, 500, 90.0),
        ("schedules, 3 nodes", 3, 10_000, 45.0),
        ("schedules, 5 nodes", 5, 10_000, 45.0),
    ):
        yield Kind(
            name,
            tuple(_played(nodes, count, calm)),
            rooms=SCHEDULES,
            tells=PLAYED,
            shows="Up to a minute of random faults, then calm: no invariant was broken, and what should happen in time happened.",
            leaves=f"{count:,} schedules miss a fault that shows in one of 10,000 with {0.9999**count:.0%} probability; and they "
            "are drawn from the faults that we have thought of."
            + " Whether a leader stays (L4) takes longer to tell than this calm, except in seeds with short timings."
            * (calm < 90),
        )


def _played(nodes: int, count: int, calm: float) -> Iterator[Piece]:
    step = 100
    for first in range(0, count, step):
        seeds = f"{first}:{first + step}"
        words = f"simulate --seeds {seeds} --nodes {nodes} --seconds 60 --calm {calm:g} --talk 0.5"
        yield Piece((*words.split(" "), "--json"), 3600.0, seeds)


def _compiled() -> Iterator[Kind]:
    """Yield what is played on a build of `make fast`; nothing without tests."""
    from chatsys.compiled.building import missing

    if not (PACKAGE.parent / SUPPORT).is_dir():
        return
    played = [
        (f"{first}:{first + 50}", "--nodes", str(nodes), "--length", length)
        for length in ("brief", "long")
        for nodes in (3, 5)
        for first in (0, 50)
    ]
    yield Kind(
        "compiled, the same",
        tuple(
            Piece(
                (*words, "--json"),
                3600.0,
                words[0] if words[0] != "mutants" else "",
                script=f"{SUPPORT}/compiled_same.py",
            )
            for words in (*played, ("mutants",))
        ),
        rooms=(*SCHEDULES, "mutants", "commands/mutants.py", "compiled"),
        lacks=missing(),
        tells="{schedules} schedules with {events} events, {mutants} mutants, {survived} survived",
        shows="What `make fast` compiles plays the same runs as the sources, record by record, and each bug of the mutants is "
        "found on it, too.",
        leaves="Schedules that nobody compared, another compiler, and another Python.",
    )
