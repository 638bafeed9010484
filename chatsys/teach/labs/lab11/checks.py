"""The judges of lab 11: of 11.1, five invariants on runs whose truth is known; of 11.2, three attacks on the board.

    a run --the package's checks--> what is broken in it
          --MyInvariants-----------> what is said of it       the same? a miss? a false alarm?

A miss and a false alarm cost the same: an invariant has its points if it is right about every run of a part.

Read also `runs` (the runs), `asked` (the side of the student's class), `par` (how short an attack can be).
"""

from collections.abc import Generator, Iterator, Sequence
from typing import Any

from chatsys.check import Violation
from chatsys.errors import UsageError
from chatsys.isolation.calls import Call, CallScript
from chatsys.isolation.remote import Raised
from chatsys.teach.grading.lab import Finding
from chatsys.teach.labs.lab11.asked import NAMES, UNWRITTEN
from chatsys.teach.labs.lab11.board import in_short, play_steps
from chatsys.teach.labs.lab11.bugs import BUGS, TARGETS
from chatsys.teach.labs.lab11.par import par_of
from chatsys.teach.labs.lab11.runs import ABOUT, Judged, drawn_open, right_runs, wrong_runs

MOST_MOVES = 8
"""A longer attack is not shrunk yet."""
BROKEN = {
    "duplicate": "no life shows a message twice",
    "kept": "nothing that was answered is lost",
    "leaders": "no term has two leaders",
}
"""What is the case where an attack did not break it."""


def judge_invariants(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """11.1: the open bugs and the runs in which nothing is wrong; with seeds beyond the public one, drawn ones as well."""
    yield from judge_runs(trial, [*right_runs(), *wrong_runs()])
    if len(seeds) > 1:
        yield from judge_runs(trial, drawn_open(tuple(seeds)))


def judge_runs(trial: Any, runs: Sequence[Judged]) -> Iterator[Finding]:
    """Yield for each invariant the first run about which it is wrong."""
    (replies,) = trial.ask([CallScript(tuple(Call("of", (run.chat,)) for run in runs))])
    told: set[str] = set()
    for place, run in enumerate(runs):
        reply = replies[place] if place < len(replies) else None
        if reply is None or not reply.right:
            raise Raised((reply.error or reply.wrong) if reply is not None else "nothing")
        for name, (kind, text) in zip(NAMES, reply.value, strict=True):
            if name not in told and (found := _finding(name, run, kind, text)) is not None:
                told.add(name)
                yield found


def _finding(name: str, run: Judged, kind: str, text: str) -> Finding | None:
    where = f'In the run "{run.name}" ({run.seconds:.1f} s)'
    if kind == "unwritten":
        return Finding(aspect=name, sentence=f"You have not written `{name}` yet.", hinted=False, written=False)
    if kind == "raised":
        return Finding(aspect=name, sentence=_short(f"{where} `{name}` raised {text}", "."), rank=2)
    if kind == "wrong":
        said = _short(f"{where} `{name}` returned {text}; return a sentence, or None if all is well", ".")
        return Finding(aspect=name, sentence=said, rank=2)
    wrong = run.broken.get(name)
    if (wrong is None) == (kind == "none"):
        return None
    if wrong is None:
        moral = run.moral if name in ABOUT.get(run.name, ()) else ""
        if run.broken:
            moral = f"Broken is {' and '.join(run.broken)}, and nothing else."
        holds = f'`{name}` holds through all {run.seconds:.1f} s of "{run.name}", but your method says "{text}'
        said = _short(holds, '".', 199 - len(moral))
        return Finding(aspect=name, sentence=f"{said} {moral}".strip(), trace=run.trace or None, rank=1)
    return Finding(aspect=name, sentence=_silent(name, run, wrong), trace=run.trace or None)


def _silent(name: str, run: Judged, wrong: Violation) -> str:
    """Say what an invariant overlooked: in the package's words, and what to look at, as far as there is room."""
    first = f'`{name}` is silent in "{run.name}":'
    short = f"{first} {in_short(wrong)}"
    if len(short) > 200:
        number = f" with number {wrong.seq}" if wrong.seq is not None else ""
        short = f"{first} at {wrong.time:.2f} s node {wrong.node} broke it{number}."
    whole = f"{short} {run.moral}".strip()
    return whole if len(whole) <= 200 else short


def _short(text: str, end: str, most: int = 200) -> str:
    return (text if len(text) + len(end) <= most else text[: most - len(end) - 1] + "…") + end


# --- attacks ---------------------------------------------------------------------------------------


def judge_attacks(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """11.2: each attack breaks what it is to break; then how long they are."""
    del seeds
    lengths: dict[str, int] = {}
    for name, bug in TARGETS.items():
        found = yield from _judge_attack(trial, name, bug)
        if found is not None:
            lengths[name] = found
    yield from _judge_lengths(lengths)


def _judge_attack(trial: Any, name: str, bug: str) -> Generator[Finding, None, int | None]:
    """Yield why an attack does not do what it should; return how many moves it has, if it does."""
    (replies,) = trial.ask([CallScript((Call("moves", (name,)),))])
    reply = replies[0]
    if not reply.right:
        yield Finding(aspect=name, sentence=_short(f"The attack `{name}` raised {reply.error or reply.wrong}", "."))
        return None
    if list(reply.value) == [UNWRITTEN]:
        yield Finding(
            aspect=name, sentence=f"You have not written the attack `{name}` yet.", hinted=False, written=False
        )
        return None
    try:
        board = play_steps(BUGS[bug], reply.value)
    except UsageError as error:
        yield Finding(aspect=name, sentence=_short(f"The attack `{name}` cannot be played: {error}", "."))
        return None
    broken = board.broken
    if name in broken:
        return len(board.moves)
    crashed = any(move[0] in ("crash", "power_cut") for move in board.moves)
    why = "" if crashed or name == "duplicate" else " It never crashes anybody, and this bug needs that."
    other = f" It breaks {' and '.join(broken)} instead." if broken else ""
    many = f"{len(board.moves)} move{'s' * (len(board.moves) != 1)}"
    sentence = f'After the {many} of `{name}` against "{bug}", at {board.world.now:.2f} s, {BROKEN[name]}.{other}{why}'
    yield Finding(aspect=name, sentence=sentence, trace=board.trace.encode())
    return None


def _judge_lengths(lengths: dict[str, int]) -> Iterator[Finding]:
    for name, count in lengths.items():
        if count > MOST_MOVES:
            sentence = f"The attack `{name}` has {count} moves; shrink it to at most {MOST_MOVES}."
            yield Finding(aspect="short", sentence=sentence)
            break
    above = [(name, count, par_of(TARGETS[name])) for name, count in lengths.items()]
    for name, count, par in above:
        if count > par:
            sentence = f"The attack `{name}` has {count} moves; one of {par} is known. Which move is not needed?"
            yield Finding(aspect="par", sentence=sentence)
            break
