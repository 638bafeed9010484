"""The judge of lab 00: a story is played in worlds of its own, and three things must be in it.

    crash     the node that leads crashes          outage   something is said while nobody leads
    same      at the end all nodes are up and show the same messages, all that were said

Read also `story` (how a script is asked), `scenes` (the world), `figures.outages` (when nobody led).
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from chatsys.errors import ChatsysError, UsageError
from chatsys.isolation.calls import Call, CallScript
from chatsys.sim.world import World
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.lab00.scenes import new_world
from chatsys.teach.labs.lab00.seen import gaps_of, leaders_of
from chatsys.teach.labs.lab00.story import ASKED, QUESTIONS, UNWRITTEN, Step

if TYPE_CHECKING:
    from chatsys.teach.figures.outages import LeaderGap
    from chatsys.teach.figures.role_spans import Band

MOST_SECONDS = 120.0
MOST_EVENTS = 50_000
LONGEST = 24
"""Letters of a text that a sentence repeats."""


Said = tuple[float, str]
"""(seconds, text)"""


class Unplayable(Exception):
    """A story cannot be played; the text says at which step and why."""

    written = True


class Unwritten(Unplayable):
    """A story is still to be written, which is no try that failed."""

    written = False


class PlayedStory(msgspec.Struct):
    """A story after its run: its world, and what was done when."""

    world: World
    steps: list[tuple[float, Step]] = []
    answers: list[Any] = []
    """Those to what the story asked, in order."""

    @property
    def said(self) -> list[Said]:
        """What users said, and when."""
        says = [(time, step) for time, step in self.steps if step[0] == "say"]
        return [(time, str([*step[1], step[2].get("text")][0])) for time, step in says]


def judge_story(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """0.1: yield what a story lacks, each thing with the first seed in which it does."""
    told: set[str] = set()
    for seed in seeds:
        played = PlayedStory(new_world(seed))
        try:
            play(trial, played)
        except Unplayable as unplayable:
            steps, written = _shown_steps(played), unplayable.written
            yield Finding(aspect=RUNS, sentence=str(unplayable), seed=seed, steps=steps, written=written)
            return
        for aspect, sentence in lacking(played):
            if aspect not in told:
                told.add(aspect)
                trace = played.world.trace.encode()
                yield Finding(
                    aspect=aspect, sentence=_with_seed(sentence, seed), seed=seed, trace=trace, steps=_shown_steps(played),
                    rank=10 - len(told),
                )  # fmt: skip


def _with_seed(sentence: str, seed: int) -> str:
    return f"With seed {seed} {sentence}"


# --- a story is played ---------------------------------------------------------------------------------------


def play(trial: Any, played: PlayedStory) -> None:
    """Have a story told until it asks nothing more, and do in its world what it does; raises `Unplayable`."""
    done = 0
    while True:
        asked = len(played.answers)
        steps = _told(trial, played.answers)
        for step in steps[done:]:
            played.steps.append((played.world.now, step))
            if step[0] == ASKED:
                played.answers.append(_answer(played.world, step))
            else:
                _do(played.world, len(played.steps), step)
        done = len(steps)
        if asked == sum(step[0] == ASKED for step in steps):
            return


def _told(trial: Any, answers: list[Any]) -> list[Step]:
    """Return the steps of the story as far as these answers lead, which must be those of before and more."""
    ((reply, *_),) = trial.ask([CallScript(calls=(Call("tell", (list(answers),)),))])
    if not reply.right:
        raise Unplayable(f"{trial.name} raised {reply.error or 'what cannot be read: ' + str(reply.wrong)}."[:400])
    steps: list[Step] = reply.value
    if steps and steps[0][0] == UNWRITTEN:
        raise Unwritten(f"You have not written `{trial.name}` yet.")
    if sum(step[0] == ASKED for step in steps) not in (len(answers), len(answers) + 1):
        raise Unplayable(f"{trial.name} did something else when it was told the same {len(answers)} answers again.")
    return steps


def _answer(world: World, step: Step) -> Any:
    name, *arguments = step[1]
    try:
        value = getattr(world, name)(*arguments) if name in QUESTIONS else getattr(world, name)
    except (ChatsysError, TypeError) as error:
        raise Unplayable(f"At {world.now:.2f} s your story asked {_call(step)}: {_plain(error)}") from None
    return list(value) if isinstance(value, tuple) else value


def _do(world: World, number: int, step: Step) -> None:
    verb, arguments, named = step
    try:
        if verb == "run":
            _run(world, *arguments, **named)
        else:
            getattr(world, verb)(*arguments, **named)
    except (ChatsysError, TypeError) as error:
        at = f"At {world.now:.2f} s your story stopped at its step {number}, {_call(step)}"
        nobody = verb == "crash" and arguments == (None,)
        why = "nobody led at that moment; let time go by first, world.run(2)." if nobody else _plain(error)
        raise Unplayable(f"{at}: {why}") from None


def _run(world: World, seconds: float) -> None:
    if isinstance(seconds, int | float) and world.now + seconds > MOST_SECONDS:
        raise UsageError(
            f"that comes to {world.now + seconds:,.0f} s, and {MOST_SECONDS:.0f} s are enough for a story."
        )
    world.run(seconds)
    if world.simulation.events > MOST_EVENTS:
        raise UsageError(f"that makes more than {MOST_EVENTS:,} events, and a few messages tell the story.")


def _plain(error: Exception) -> str:
    text = str(error)
    return f"{text[0].upper()}{text[1:160]}" if text else type(error).__name__


def _call(step: Step) -> str:
    verb, arguments, named = step
    if verb == ASKED:
        name, *rest = arguments
        return f"world.{name}({', '.join(map(_value, rest))})" if name in QUESTIONS else f"world.{name}"
    given = [*map(_value, arguments), *(f"{name}={_value(value)}" for name, value in named.items())]
    return f"world.{verb}({', '.join(given)})"


def _value(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 2 * LONGEST else f"{text[: 2 * LONGEST]}…"


def _shown_steps(played: PlayedStory) -> tuple[ShownCall, ...]:
    """Return the story as a table: what was done when, and what a question was answered."""
    answers = iter(played.answers)
    return tuple(
        ShownCall(
            call=_call(step) + (f"   # {_value(next(answers, None))}" if step[0] == ASKED else ""), returned="",
            when=f"{time:.2f} s", time=time,
        )
        for time, step in played.steps[:200]
    )  # fmt: skip


# --- what must be in it ------------------------------------------------------------------------------------


def lacking(played: PlayedStory) -> Iterator[tuple[str, str]]:
    """Yield (aspect, sentence) for what a story lacks; what stands on something that is lacking is not looked for."""
    bands = leaders_of(played.world.trace)
    crashes = [one for one in played.world.trace.of("crash") if isinstance(one.node, int)]
    of_leaders = [one for one in crashes if any(band.node == one.node and band.end == one.time for band in bands)]
    if not of_leaders:
        yield "crash", _no_crash(played, bands)
        return
    gaps = [gap for gap in gaps_of(played.world.trace) if any(gap.start == one.time for one in of_leaders)]
    if not any(gap.has(time) for gap in gaps for time, _ in played.said):
        yield "outage", _nothing_said(int(of_leaders[0].node or 0), of_leaders[0].time, gaps, played.said)
        return
    if (sentence := _differ(played)) is not None:
        yield "same", sentence


def _no_crash(played: PlayedStory, bands: "list[Band]") -> str:
    trace, now = played.world.trace, played.world.now
    if not bands:
        return f"the story is over at {now:.2f} s, and no node led up to then; let time go by first, world.run(2)."
    leads = f"node {bands[0].node} led from {bands[0].start:.2f} s"
    if (other := next(iter(trace.of("crash")), None)) is not None:
        return (
            f"node {other.node} crashed at {other.time:.2f} s, and it did not lead: {leads}. Crash the node that leads."
        )
    if (paused := next(iter(trace.of("pause")), None)) is not None:
        why = "a node that is paused wakes up with all that it had in memory"
        return f"node {paused.node} was paused at {paused.time:.2f} s, and nobody crashed; {why}. Crash the leader."
    if (cut := next(iter(trace.of("cut")), None)) is not None:
        why = "a node whose links are cut lives on, and still has all that it had"
        return f"links were cut at {cut.time:.2f} s, and nobody crashed; {why}. Crash the node that leads."
    return f"no node crashed up to {now:.2f} s: {leads} to the end. Crash the node that leads."


def _nothing_said(node: int, time: float, gaps: "list[LeaderGap]", said: Sequence[Said]) -> str:
    head = f"node {node} crashed at {time:.2f} s"
    if not gaps:
        return f"{head}, and the story is over before anybody can notice; let time go by, world.run(6)."
    head += f", and nobody led until {gaps[0].upto:.2f} s"
    after = next(((when, text) for when, text in said if when > time), None)
    if after is not None:
        return f"{head}; “{_short(after[1])}” was said at {after[0]:.2f} s, when somebody led again. Say it sooner."
    if said:
        return f"{head}; “{_short(said[-1][1])}” was said at {said[-1][0]:.2f} s, before that, and nothing in between."
    return f"{head}; nothing was said in the whole story."


def _differ(played: PlayedStory) -> str | None:
    """Say in which way the nodes differ at the end; None if they do not."""
    world = played.world
    end = f"the story ends at {world.now:.2f} s, and"
    status = world.status()
    shown = {node: world.delivered(node) for node in world.nodes}
    fullest = max(world.nodes, key=lambda node: len(shown[node]))
    for node in world.nodes:
        if not status[node]["alive"]:
            since = [one.time for one in world.trace.of("crash") if one.node == node][-1:]
            down = f"is down since {since[0]:.2f} s" if since else "is down"
            return f"{end} node {node} {down}; it shows nothing, and node {fullest} shows {_count(shown[fullest])}."
    for node in world.nodes:
        if shown[node] != shown[fullest]:
            less = f"node {node} shows {_count(shown[node])}, but node {fullest} shows {_count(shown[fullest])}"
            return f"{end} {less}. Give node {node} time to catch up, world.run(3)."
    lost = next(((when, text) for when, text in played.said if text not in shown[fullest]), None)
    if lost is not None:
        return f"{end} no node shows “{_short(lost[1])}”, said at {lost[0]:.2f} s. Give it time, world.run(3)."
    return None


def _count(texts: Sequence[str]) -> str:
    return f"{len(texts) or 'no'} message{'s' * (len(texts) != 1)}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
