"""The judge of 8.1, catch-up: live, since what a class asks for decides what arrives next.

    complete   a number that a node never shows
    once       a number that it shows twice
    order      a number that it shows before an earlier one
    prompt     what could be shown and waits; a second without a request while something is missing
    elsewhere  a request that goes to the peer that has not answered, or had nothing
    lean       a request for what is not missing, or while another one is under way
    serves     an answer to a request that is not what the log has
    room       more kept than there is room for (in the part that students do not see);  memory: the same from outside, by `load`

Each finding names the answer that was wrong where there is one, and otherwise what a node lacks in the end.

Read also `telling` (what is wrong in a run), `runs` (what happens in a seed), `grading.judging` (points).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from chatsys.isolation.calls import Call, CallScript
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.lab03.stage import Message
from chatsys.teach.labs.lab08.asking import why_stopped
from chatsys.teach.labs.lab08.frames import MOST, shown
from chatsys.teach.labs.lab08.runs import CatchUpCall, CatchUpRun, ObjectLife, play_seed
from chatsys.teach.labs.lab08.telling import EFFECT, SHARED, Misstep, tell_causes, tell_effects

ENOUGH = 8
"""So many seeds of a class are played although nothing more can be lost: a later one may tell the cause."""
BEFORE, BEYOND = 14, 2
"""So many calls before and after the one in question are shown."""


def judge_catch_up(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """8.1: complete, once, order, prompt, elsewhere, lean, serves."""
    best: dict[str, int] = {}
    alone = False
    for place, seed in enumerate(seeds, 1):
        run = play_seed(trial.cls, seed)
        faults = [wrong for wrong in tell_run(run) if wrong.aspect != "room"]
        for wrong in faults:
            if wrong.rank > best.get(wrong.aspect, 0):
                best[wrong.aspect] = wrong.rank
                yield _finding(run, seed, wrong)
        if not alone and (faults or place == min(len(seeds), ENOUGH)):
            alone = True  # once is enough, best with an object that did something wrong
            life = next((wrong.life for wrong in faults if wrong.life is not None), None)
            yield from _find_shared(trial, run, life or max(run.lives, key=lambda one: len(one.calls)), seed)
        if RUNS in best:
            return
        if "complete" in best and place >= ENOUGH:  # with it all is lost, and the causes were found
            return


def judge_run(run: CatchUpRun) -> Iterator[Finding]:
    """Yield what is wrong in one run that has no seed, the cause before the effect."""
    yield from (_finding(run, None, wrong) for wrong in tell_run(run))


def tell_run(run: CatchUpRun) -> Iterator[Misstep]:
    """Yield what is wrong in one run, one thing of each aspect, the cause before the effect."""
    if run.world.failures:
        node, why = run.world.failures[0]
        time = next(record.time for record in run.world.trace.of("broken") if record.node == node)
        story = f"{run.name} node {node} stopped at {time:.2f} s, because {why_stopped(why)}."
        life = next((one for one in reversed(run.lives) if one.node == node), None)
        yield Misstep(RUNS, story, life, time=time)
        return
    if run.endless:
        yield Misstep(RUNS, f"{run.name} the nodes sent messages without end: {run.endless[0]}", None)
        return
    told: dict[str, Misstep] = {}
    for wrong in tell_causes(run):
        if wrong.rank > told.get(wrong.aspect, wrong._replace(rank=0)).rank:
            told[wrong.aspect] = wrong
    for wrong in tell_effects(run):
        told.setdefault(wrong.aspect, wrong)
    yield from told.values()


def _find_shared(trial: Any, run: CatchUpRun, life: ObjectLife, seed: int) -> Iterator[Finding]:
    """Ask one object once more, where there is no other one: it must answer the same."""
    script = CallScript(tuple(call.asked for call in life.calls), (life.last, life.peers, life.room))
    replies = trial.alone(script)
    for place, call in enumerate(life.calls):
        reply = replies[place] if place < len(replies) else None
        again = None if reply is None else reply.value
        if call.error or (reply is not None and not reply.right):
            return  # it stopped, and this is told
        if list_of(again) != list_of(call.answer):
            sentence = (
                f"{run.name} node {life.node} answered {call.call:.40} at {call.time:.2f} s with {call.returned:.34}, and alone with "
                f"{shown(again):.34}. Do all nodes share a list or a dictionary?"
            )
            yield replace(_finding(run, seed, Misstep("complete", sentence, life, SHARED, call.time)), hinted=False)
            return


IN_A_ROW, CYCLES = 100, 60
"""Of so many numbers in a row the first one comes by a chunk, when all others have come live, and so often that happens."""
STEPS = IN_A_ROW - 1 + IN_A_ROW // MOST
"""So many calls that takes."""
LITTLE = 20


def load(first: int, last: int) -> CallScript:
    """Return the calls number `first` to `last`, messages of 200 bytes: gaps that close, and then one that stays while people talk on."""
    return CallScript(tuple(_loaded(place) for place in range(first, last + 1)), (0, (1, 3), LITTLE))


def _loaded(place: int) -> Call:
    """Return call number `place`; after `CYCLES` gaps that closed nothing brings the number that is missing."""
    cycle, step = divmod(place - 1, STEPS)
    begun = IN_A_ROW * cycle
    if cycle >= CYCLES:
        number = IN_A_ROW * CYCLES + 1 + place - STEPS * CYCLES
        return Call("live", (number, _long(number)))
    if step < IN_A_ROW - 1:
        return Call("live", (begun + 2 + step, _long(begun + 2 + step)))
    first = begun + 1 + MOST * (step - IN_A_ROW + 1)
    return Call("chunk", (first, [_long(number) for number in range(first, first + MOST)], begun + IN_A_ROW))


def _long(number: int) -> Message:
    return Message(number, "ann", f"{number:<200}")


def list_of(answer: Any) -> Any:
    """Return an answer as it travels: a tuple comes out as a list."""
    return list(answer) if isinstance(answer, tuple) else answer


# --- the story ---------------------------------------------------------------------------------


def _finding(run: CatchUpRun, seed: int | None, wrong: Misstep) -> Finding:
    steps = _steps(wrong.life, wrong) if wrong.life is not None else ()
    return Finding(
        aspect=wrong.aspect, sentence=wrong.sentence, seed=seed, trace=run.world.trace.encode(), steps=steps, rank=wrong.rank
    )  # fmt: skip


def _steps(life: ObjectLife, wrong: Misstep) -> tuple[ShownCall, ...]:
    """Return the calls of a life around this time; the last one before it is marked where an answer was wrong."""
    calls = [
        call for call in life.calls if call.asked.method != "ask" or call.answer is not None or call.time == wrong.time
    ]
    if not calls:
        return ()
    marked = len(calls) - 1
    if wrong.time is not None:
        marked = max((place for place, call in enumerate(calls) if call.time <= wrong.time), default=0)
        marked = next((at for at, call in enumerate(calls) if call.time == wrong.time and wrong.rank != EFFECT), marked)
    made = ShownCall(call=f"MyCatchUp({life.last}, {life.peers}, {life.room})", returned="", when=f"{life.begun:.2f} s")
    return made, *(
        _step(call, life.node, place == marked, wrong.about)
        for place, call in enumerate(calls)
        if marked - BEFORE <= place <= marked + BEYOND
    )


def _step(call: CatchUpCall, node: int, marked: bool, about: tuple[int, ...]) -> ShownCall:
    return ShownCall(
        call=call.call, returned=call.returned, when=f"{call.time:.2f} s", wrong=marked, node=node, time=call.time,
        about=about if marked else (),
    )  # fmt: skip
