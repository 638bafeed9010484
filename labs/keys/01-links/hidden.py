"""What students do not see of lab 01: directed runs, every order of arrival, every order of answers, and the budget."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

from chatsys.isolation.calls import Call, CallScript, Reply
from chatsys.teach.grading.lab import RUNS, Finding
from chatsys.teach.labs.lab01.checks import judge_run, steps_of, tell_end, tell_receiver, tell_sender
from chatsys.teach.labs.lab01.packets import Acknowledgement, Packet
from chatsys.teach.labs.lab01.receiving import read_receiver
from chatsys.teach.labs.lab01.runs import LinkCall, LinkRun, begin_receiver, begin_sender, play_receiver, play_sender
from chatsys.teach.labs.lab01.sending import LinkFault, read_sender
from chatsys.teach.labs.lab01.stage import TALKS

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
    """Nothing passes for a quarter of a minute; then everything does."""
    run = _begun(begin_sender, cls)
    run.world.cut(1, 2)
    _say(run, "hello", "hello", "are you there?", every=0.3)
    run.until(15)
    run.world.heal()
    run.until_answered()
    return run


def lost_answers(cls: Any) -> LinkRun:
    """Every packet arrives, and no acknowledgement does, for a while."""
    run = _begun(begin_sender, cls)
    run.world.cut(2, 1, True)
    _say(run, "one", "two", every=0.2)
    run.until(6)
    run.world.heal()
    run.until_answered()
    return run


def chatter(cls: Any) -> LinkRun:
    """Somebody talks on and on, while one packet in the middle is lost twice."""
    run = _begun(begin_sender, cls)
    _lose_first(run, Packet, 4, 2)
    _say(run, *(f"line {number}" for number in range(1, 31)), every=0.25)
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
    """The first packet is lost, and forty are early."""
    run = _begun(begin_receiver, cls)
    _lose_first(run, Packet, 1, 5)
    _say(run, *("ok" if number % 2 else f"line {number}" for number in range(40)), every=0.03)
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
        yield from judge_run(play(trial.cls), tell_sender)


def directed_receiver(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """1.2: what random seeds find seldom."""
    del seeds
    for play in (seven_lost, far_ahead, one_way):
        yield from judge_run(play(trial.cls), tell_receiver)


# --- the searches --------------------------------------------------------------------------------

LONGEST = 6
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
    yield from _first(trial, scripts, lambda script, replies: read_receiver(_called(script, replies)), "packets came in this order")


def search_sender(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """1.1: two texts, then every order of up to 6 events, acknowledgements and half seconds, and then some seconds more."""
    del seeds
    scripts = []
    for length in range(1, LONGEST + 1):
        for events in product((1, 2, "tick"), repeat=length):
            scripts.append(_script(events))
    yield from _first(trial, scripts, lambda script, replies: read_sender(_called(script, replies)), "it was called in this order")


def _script(events: Sequence[Any]) -> CallScript:
    now, calls = 0.0, [Call("say", ("ok", 0.0)), Call("say", ("ok", 0.0))]
    for event in events:
        if event == "tick":
            now = round(now + 0.5, 2)
            calls.append(Call("tick", (now,)))
        else:
            calls.append(Call("ack", (event, now)))
    calls += [Call("tick", (round(now + 0.5 * more, 2),)) for more in range(1, 4)]
    return CallScript(tuple(calls))


def _called(script: CallScript, replies: Sequence[Reply]) -> list[LinkCall]:
    """Return the calls of a script with what came of them; each has the time that it was told, if it was."""
    return [
        LinkCall(
            call.arguments[-1] if call.method != "receive" else None, place, call.method, call.arguments,
            None if not reply.right else reply.value, reply.error or reply.wrong or "",
        )
        for place, (call, reply) in enumerate(zip(script.calls, replies, strict=False), 1)
    ]  # fmt: skip


def _first(
    trial: Any, scripts: Sequence[CallScript], read: Callable[[CallScript, Sequence[Reply]], list[LinkFault]], how: str
) -> Iterator[Finding]:
    """Yield the shortest script in which something is wrong."""
    for script, replies in zip(scripts, trial.ask(scripts), strict=True):
        calls = _called(script, replies)
        if calls[-1].error:
            yield Finding(aspect=RUNS, sentence=f"When {how}, {trial.name} stopped in call {len(calls)}: {calls[-1].error}.")
            return
        faults = [fault for fault in read(script, replies) if fault.aspect not in ("patient", "one")]
        if faults:
            fault = faults[0]
            story = " ".join(call.call for call in calls[: fault.place + 1] if call.method != "say")
            sentence = f"After {story}: {fault.sentence}."
            yield Finding(aspect="orders", sentence=sentence, steps=steps_of(calls, fault.place, fault.about), rank=fault.rank)
            return


# --- the budget ----------------------------------------------------------------------------------

COUNTED = 20


def budget_sender(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """1.1: no packet is sent again before its acknowledgement could be there."""
    yield from _budget((play_sender(trial.cls, seed) for seed in seeds[:COUNTED]), lambda run: read_sender(run.calls), "patient")


def budget_receiver(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """1.2: one acknowledgement for each packet that comes."""
    yield from _budget((play_receiver(trial.cls, seed) for seed in seeds[:COUNTED]), lambda run: read_receiver(run.calls), "one")


def _budget(runs: Iterator[LinkRun], read: Callable[[LinkRun], list[LinkFault]], aspect: str) -> Iterator[Finding]:
    for run in runs:
        if (stops := tell_end(run)) is not None:
            yield stops
            return
        fault = next((one for one in read(run) if one.aspect == aspect), None)
        if fault is not None:
            sentence = f"{run.name} {fault.sentence}."
            yield Finding(aspect=aspect, sentence=sentence, seed=run.seed, trace=run.world.trace.encode(), steps=steps_of(run.calls, fault.place))
            return


JUDGES = {
    ("1.1", "search"): search_sender, ("1.1", "budget"): budget_sender,
    ("1.2", "search"): search_receiver, ("1.2", "budget"): budget_receiver,
}  # fmt: skip
EXTRA = {"1.1": directed_sender, "1.2": directed_receiver}
