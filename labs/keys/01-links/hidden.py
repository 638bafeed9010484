"""What students do not see of lab 01: directed runs, every order of arrival, every order of answers, and the budget."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, product
from typing import Any

from chatsys.isolation.calls import Call, CallScript
from chatsys.teach.grading.lab import RUNS, Finding
from chatsys.teach.labs.lab01.checks import (
    as_calls,
    ended,
    judge_run,
    plain,
    probed,
    steps_of,
    tell_calls,
    tell_end,
    tell_receiver,
    tell_sender,
    tell_shared,
)
from chatsys.teach.labs.lab01.packets import Acknowledgement, Packet
from chatsys.teach.labs.lab01.receiving import read_receiver
from chatsys.teach.labs.lab01.runs import LinkCall, LinkRun, begin_receiver, begin_sender, play_receiver, play_sender
from chatsys.teach.labs.lab01.sending import LinkFault, read_sender
from chatsys.teach.labs.lab01.stage import LISTENS, TALKS, why_stopped

# --- directed runs -----------------------------------------------------------------------------


def _begun(begin: Callable[..., LinkRun], cls: Any) -> LinkRun:
    return begin(cls, "In a directed run", 3)


def _say(run: LinkRun, *texts: str, every: float = 0.0) -> None:
    """Let these texts be said, so many seconds apart."""
    begin = run.world.now + 0.1
    for place, text in enumerate(texts):
        run.world.at(round(begin + place * every, 3), "say", text, TALKS, lenient=True)
    run.until(begin + len(texts) * every)


def _lose_first(run: LinkRun, kind: type, number: int, times: int) -> None:
    """Lose the first frames of this kind and number."""
    left = [times]

    def wants(frame: Any) -> bool:
        left[0] -= frame.number == number
        return bool(frame.number == number and left[0] >= 0)

    run.world.hold(kind, wants=wants)


def long_cut(cls: Any) -> LinkRun:
    """Nothing passes for eight seconds; then everything does."""
    run = _begun(begin_sender, cls)
    run.world.cut(1, 2)
    _say(run, "hello", "hello", "are you there?", every=0.3)
    run.until(8)
    run.world.heal()
    run.until_answered()
    return run


def lost_answers(cls: Any) -> LinkRun:
    """Every packet arrives, and no acknowledgement does, for a while."""
    run = _begun(begin_sender, cls)
    run.world.cut(2, 1, True)
    _say(run, "one", "two", every=0.2)
    run.until(4)
    run.world.heal()
    run.until_answered()
    return run


def chatter(cls: Any) -> LinkRun:
    """Somebody talks on and on, while one packet in the middle is lost twice."""
    run = _begun(begin_sender, cls)
    _lose_first(run, Packet, 4, 2)
    _say(run, *(f"line {number}" for number in range(1, 13)), every=0.25)
    run.until_answered()
    return run


def twins(cls: Any) -> LinkRun:
    """One text is said five times at once, and the first three answers are lost."""
    run = _begun(begin_sender, cls)
    _lose_first(run, Acknowledgement, 2, 3)
    _say(run, "ok", "ok", "ok", "ok", "ok")
    run.until_answered()
    return run


def seven_lost(cls: Any) -> LinkRun:
    """Seven packets of text 4 are lost; text 5 goes once."""
    run = _begun(begin_receiver, cls)
    _lose_first(run, Packet, 4, 7)
    _say(run, "one", "two", "three", "four", "five", every=0.2)
    run.until_answered()
    return run


def far_ahead(cls: Any) -> LinkRun:
    """The first packet is lost, and twenty are early."""
    run = _begun(begin_receiver, cls)
    _lose_first(run, Packet, 1, 5)
    _say(run, *("ok" if number % 2 else f"line {number}" for number in range(20)), every=0.03)
    run.until_answered()
    return run


def one_way(cls: Any) -> LinkRun:
    """No acknowledgement passes for a while, so every packet comes again and again."""
    run = _begun(begin_receiver, cls)
    run.world.cut(2, 1, True)
    _say(run, "one", "two", "two", every=0.2)
    run.until(4)
    run.world.heal()
    run.until_answered()
    return run


def directed_sender(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """1.1: what random seeds find seldom."""
    del seeds
    for play in (long_cut, lost_answers, chatter, twins):
        yield from judge_run(play(trial.cls), lambda run: tell_sender(run, trial))


def directed_receiver(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """1.2: what random seeds find seldom."""
    del seeds
    for play in (seven_lost, far_ahead, one_way):
        yield from judge_run(play(trial.cls), lambda run: tell_receiver(run, trial))


# --- the searches --------------------------------------------------------------------------------

LONGEST = 6
HALF = 5
"""So many ticks are half a second."""
SEARCHED = ("arrive", "numbers", "quiet", "complete", "order", "once")
"""What is searched: whom the acknowledgements reach is asked of the seeds."""
TEXTS = ("ok", "ok", "no")


def search_receiver(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """1.2: every order of arrival of up to 6 packets of 3 texts, of which two are equal."""
    del seeds
    packets = [Packet(number, text) for number, text in enumerate(TEXTS, 1)]
    scripts = [
        CallScript(tuple(Call("receive", (packet,)) for packet in order))
        for length in range(1, LONGEST + 1)
        for order in product(packets, repeat=length)
    ]
    yield from _first(trial, scripts, lambda calls: tell_script(trial, calls))


def search_sender(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """1.1: two texts, then every order of up to 6 events, acknowledgements and half seconds, and then some seconds more.

    One text comes after an object with two: an object that knows of the other's second packet sends it.
    """
    del seeds
    scripts = [_script(()), _script(("tick",) * LONGEST, texts=1)]
    for length in range(1, LONGEST + 1):
        for events in product((1, 2, "tick"), repeat=length):
            scripts.append(_script(events))
    yield from _first(trial, scripts, lambda calls: tell_calls(calls, trial))


def tell_script(trial: Any, calls: list[LinkCall]) -> list[LinkFault]:
    """Return what is wrong in a script, with its cause."""
    found = read_receiver(calls)
    if any(one.aspect == "complete" for one in found):
        return read_receiver(calls, probes=probed(trial, calls))
    return found


def _script(events: Sequence[Any], texts: int = 2) -> CallScript:
    """Return the calls; a tick comes every tenth of a second here as everywhere, for who counts them is right."""
    ticks, calls = 0, [Call("say", ("ok", 0.0))] * texts
    for event in (*events, "tick", "tick", "tick"):
        if event != "tick":
            calls.append(Call("ack", (event, ticks / 10)))
            continue
        calls += [Call("tick", (at / 10,)) for at in range(ticks + 1, ticks + HALF + 1)]
        ticks += HALF
    return CallScript(tuple(calls))


def _first(
    trial: Any, scripts: Sequence[CallScript], read: Callable[[list[LinkCall]], list[LinkFault]]
) -> Iterator[Finding]:
    """Yield the shortest script in which something is wrong."""
    for script, replies in zip(scripts, trial.ask(scripts), strict=True):
        calls = as_calls(script, replies)
        sends = script.calls[0].method == "say"
        if calls[-1].error:
            why = why_stopped(calls[-1].error)
            yield Finding(
                aspect=RUNS,
                sentence=f"After {_story(calls)}: node {TALKS if sends else LISTENS} stopped, because {why}.",
            )
            return
        faults = [fault for fault in read(calls) if fault.aspect in SEARCHED]
        if faults:
            fault = max(faults, key=lambda one: one.rank)
            steps = steps_of(calls, fault.place, fault.about)
            sentence = (
                _shared(trial, script, calls) or f"After {_story(calls[: fault.place + 1])}: {ended(fault.sentence)}"
            )
            yield Finding(aspect="orders", sentence=sentence, steps=steps, rank=fault.rank)
            return


def _shared(trial: Any, script: CallScript, calls: list[LinkCall]) -> str:
    """Return a sentence if the class is another one where nothing else was played."""
    if all(plain(one.answer) == plain(again.answer) for one, again in zip(calls, _asked(trial, script), strict=False)):
        return ""
    alone = as_calls(script, trial.alone(script))
    for one, other in zip(calls, alone, strict=False):
        if plain(one.answer) != plain(other.answer):
            return f"After {_story(calls[: one.place])}: {tell_shared(one, other.answer)}"
    return ""


def _asked(trial: Any, script: CallScript) -> list[LinkCall]:
    """Ask another object the same, in the same process."""
    return as_calls(script, trial.ask([script])[0])


def _story(calls: Sequence[LinkCall]) -> str:
    """Return these calls in a few words: "2 texts, acknowledgement 1, 1.5 s"."""
    words: list[str] = []
    for method, some in groupby(calls, key=lambda call: call.method):
        every = list(some)
        if method == "tick":
            words.append(f"{len(every) / 10:g} s")
        elif method == "say":
            words.append(f"{len(every)} text{'s' * (len(every) > 1)}")
        else:
            numbers = [call.arguments[0] if method == "ack" else call.arguments[0].number for call in every]
            kind = "acknowledgement" if method == "ack" else "packet"
            words.append(f"{kind}{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}")
    return ", ".join(words)


# --- the budget ----------------------------------------------------------------------------------

COUNTED = 4


def budget_sender(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """1.1: no packet is sent again before its acknowledgement could be there."""
    yield from _budget(
        (play_sender(trial.cls, seed) for seed in seeds[:COUNTED]), lambda run: read_sender(run.calls), "patient"
    )


def budget_receiver(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """1.2: one acknowledgement for each packet that comes."""
    yield from _budget(
        (play_receiver(trial.cls, seed) for seed in seeds[:COUNTED]), lambda run: read_receiver(run.calls), "one"
    )


def _budget(runs: Iterator[LinkRun], read: Callable[[LinkRun], list[LinkFault]], aspect: str) -> Iterator[Finding]:
    for run in runs:
        if (stops := tell_end(run)) is not None:
            yield stops
            return
        fault = next((one for one in read(run) if one.aspect == aspect), None)
        if fault is not None:
            sentence = f"{run.name} {ended(fault.sentence)}"
            yield Finding(
                aspect=aspect,
                sentence=sentence,
                seed=run.seed,
                trace=run.world.trace.encode(),
                steps=steps_of(run.calls, fault.place),
            )
            return


JUDGES = {
    ("1.1", "search"): search_sender, ("1.1", "budget"): budget_sender,
    ("1.2", "search"): search_receiver, ("1.2", "budget"): budget_receiver,
}  # fmt: skip
EXTRA = {"1.1": directed_sender, "1.2": directed_receiver}
