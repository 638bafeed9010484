"""The judges of lab 03: what each class must do, and the sentence for what it did instead.

    3.1   the hold-back queue     offline: what arrives does not depend on what the queue returns
    3.2   the gap request         live: what is asked for decides what arrives
    3.3   the sequencer           offline

A judge of 3.1 writes down once per seed what reaches each node, plays that to the student's queue,
and reads the answers call by call (`Reading`).  Where one is wrong it looks for the cause by asking
again: alone in a new process, with texts that all differ, without second copies.  What passes then
names the cause.

Read also `stage` (the actor around the classes), `reading` (one queue, call by call), `grading.judging` (points).
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from chatsys.isolation.calls import Call, Reply, Script
from chatsys.sim.network import Conditions
from chatsys.sim.world import World
from chatsys.teach.grading.lab import RUNS, Finding, Step
from chatsys.teach.labs.lab03.reading import Arrival, Reading, Returned, numbers, script_of
from chatsys.teach.labs.lab03.stage import Message, Ordered, TotalOrder, total_order
from chatsys.trace import Record, Trace

MESSAGES = 12
AFTERWARDS = 5.0
"""Seconds after the last message; what has not arrived by then is not asked for."""
AUTHORS = ("ann", "bob", "eve")
SAID_OFTEN = ("ok", "ok", "yes")
LETTERS = "abcdefghijklmnopqrstuvwxyz äöé"

TOGETHER = 3
"""So many seeds of a right class are played live as well."""

SHARED, TEXT, CAUSE, WAITS, PLAIN = 5, 4, 3, 2, 1
"""How much a sentence explains: the highest rank is told first."""


# --- what happens in a seed ------------------------------------------------------------------------


def draw_text(random: Random) -> str:
    """Return a text that others say as well, or one that nobody can foresee."""
    if random.random() < 0.6:
        return random.choice(SAID_OFTEN)
    return "".join(random.choice(LETTERS) for _ in range(random.randint(3, 20))).strip() or "hm"


def script(world: World, random: Random, count: int, pause: float = 0.5) -> float:
    """Let `count` messages be said in this world; return when the last one is."""
    at = 0.1
    for _ in range(count):
        node = random.choice(world.nodes)
        world.at(at, "say", draw_text(random), node, "main", AUTHORS[node - 1])
        at = round(at + random.uniform(0.02, pause), 3)
    return at


def world_of(seed: int, actor: Any) -> World:
    """Return the world of this seed after its run: twelve messages from three authors, then quiet."""
    random = Random(f"lab 03/{seed}")
    loss, duplication = random.choice((0.0, 0.1, 0.3)), random.choice((0.0, 0.15, 0.4))
    network = Conditions(
        shortest=0.01, longest=random.choice((0.1, 0.5, 1.0)), loss=loss, duplication=duplication, in_order=False
    )  # fmt: skip
    world = World(seed, actor=actor, network=network, busiest=5000)
    world.run(script(world, random, MESSAGES) + AFTERWARDS)
    return world


class _Listener:
    """A queue that only writes down what reaches its node."""

    def __init__(self) -> None:
        self.now = 0.0
        self.arrivals: list[Arrival] = []

    def receive(self, number: int, message: Message) -> list[Message]:
        """Write it down, and deliver nothing."""
        self.arrivals.append(Arrival(number, message, self.now))
        return []


class _Listening(TotalOrder):
    queue = _Listener

    def on_message(self, sender: Any, message: msgspec.Struct, now: float) -> list[Any]:
        """Tell the listener what time it is."""
        if isinstance(message, Ordered):
            self.holdback.now = now
        return super().on_message(sender, message, now)


@lru_cache(maxsize=1024)
def arrivals_of(seed: int) -> tuple[tuple[Arrival, ...], ...]:
    """Return what reaches each node in this seed, whatever its queue does with it."""
    world = world_of(seed, _Listening)
    return tuple(tuple(world.simulation.hosts[node].actor.holdback.arrivals) for node in world.nodes)  # type: ignore[attr-defined]


def replayed(seed: int, answers: Sequence[Sequence[Reply]]) -> Trace:
    """Return the trace of this seed with queues that answer what the student's queues answered."""
    queues = iter([Returned(replies) for replies in answers])
    return world_of(seed, total_order(lambda: next(queues))).trace


# --- 3.1 the hold-back queue -----------------------------------------------------------------------


def judge_queue(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """3.1: order, once, complete, prompt, first."""
    plays = [(seed, node, arrived) for seed in seeds for node, arrived in enumerate(arrivals_of(seed), 1)]
    replies = trial.ask([script_of(arrived) for _, _, arrived in plays])
    read = [Reading(seed, node, arrived, said) for (seed, node, arrived), said in zip(plays, replies, strict=True)]
    found = list(_judge_readings(trial, read))
    if found:
        yield from (_with_trace(finding, read) for finding in found)
        return
    yield from _judge_together(trial, seeds[:TOGETHER])
    yield from _judge_first(trial, seeds)


def _with_trace(finding: Finding, read: list[Reading]) -> Finding:
    answers = [reading.replies for reading in read if reading.seed == finding.seed]
    assert finding.seed is not None
    return msgspec.structs.replace(finding, trace=replayed(finding.seed, answers).encode())


def _judge_readings(trial: Any, read: Sequence[Reading]) -> Iterator[Finding]:
    wrong = [reading for reading in read if reading.wrong is not None]
    if not wrong:
        return
    if (shared := find_shared(trial, wrong[0])) is not None:
        yield shared
        return
    for reading in wrong:
        if reading.error is not None:
            yield reading.finding(RUNS, reading.tell_error(), len(reading.replies) - 1)
            return
    if not any(reply.value for reading in read for reply in reading.replies):
        yield read[0].finding(RUNS, read[0].tell_silence(), read[0].wrong or 0)
        return
    yield from _find_lost(trial, wrong)
    for aspect, where in (("order", "early"), ("once", "again"), ("prompt", "late")):
        first = next((reading for reading in wrong if getattr(reading, where) is not None), None)
        if first is not None:
            yield getattr(first, f"find_{where}")(aspect)


def find_shared(trial: Any, reading: Reading) -> Finding | None:
    """Return the finding for a class whose objects have something in common, so that alone it answers otherwise."""
    alone = Reading(reading.seed, reading.node, reading.arrivals, trial.alone(reading.script()), reading.first)
    place = reading.wrong
    if alone.wrong is not None or place is None:
        return None
    sentence = (
        f"{reading.opening(place)} your queue {reading.tell_returned(place)}; alone, where no other queue was made "
        f"before it, it returns {numbers(alone.expected[place])}. Do all queues share one list or dictionary? "
        "Make it in __init__, and keep it in self."
    )
    return reading.finding("complete", sentence, place, SHARED)


def _find_lost(trial: Any, wrong: Sequence[Reading]) -> Iterator[Finding]:
    """Find what was received and never delivered, or delivered as something else, and why."""
    strange = next((reading for reading in wrong if reading.strange is not None), None)
    if strange is not None:
        yield strange.find_strange("complete")
        return
    lost = [reading for reading in wrong if reading.lost is not None]
    if not lost:
        return
    thrown = next((reading for reading in lost if reading.thrown_away() is not None), None)
    if _is_right(trial, lost[0], lost[0].with_other_texts()):
        yield lost[0].find_taken_for_copy("complete")
    elif thrown is not None:
        yield thrown.find_thrown_away("complete")
    elif _is_right(trial, lost[0], lost[0].without_copies()):
        yield lost[0].find_lost_to_copy("complete")
    else:
        yield min(lost, key=lambda reading: reading.copies_of_lost()).find_lost("complete")


def _is_right(trial: Any, reading: Reading, arrivals: Sequence[Arrival]) -> bool:
    """Tell whether the class would have been right, had this arrived."""
    [replies] = trial.ask([script_of(arrivals)])
    return Reading(reading.seed, reading.node, arrivals, replies).wrong is None


class _Logged:
    """The student's queue, with its answers written down."""

    def __init__(self, queue: Any) -> None:
        self.queue = queue
        self.replies: list[Reply] = []

    def receive(self, number: int, message: Message) -> Any:
        """Pass on the question and the answer."""
        try:
            answer = self.queue.receive(number, message)
        except Exception as error:
            self.replies.append(Reply(error=str(error)))
            raise
        self.replies.append(Reply(list(answer)))
        return answer


def _judge_together(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """Play some seeds live: three queues that each are right may still share something, while all three are at work."""
    for seed in seeds:
        logs = [_Logged(trial.cls()) for _ in range(3)]
        queues = iter(logs)
        world = world_of(seed, total_order(lambda queues=queues: next(queues)))
        for node, (log, arrived) in enumerate(zip(logs, arrivals_of(seed), strict=True), 1):
            reading = Reading(seed, node, arrived, log.replies)
            if (call := reading.wrong) is not None:
                sentence = (
                    f"{reading.opening(call)} your queue {reading.tell_returned(call)}; alone it returns "
                    f"{numbers(reading.expected[call])}. Do all queues share one list or dictionary? "
                    "Make it in __init__, and keep it in self."
                )
                finding = reading.finding("complete", sentence, call, SHARED)
                yield msgspec.structs.replace(finding, trace=world.trace.encode())
                return


def _judge_first(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """A queue made later begins in the middle: what comes before its first number is none of its business."""
    plays = [(seed, 2 + seed % 6, arrivals_of(seed)[0]) for seed in seeds]
    replies = trial.ask([script_of(arrived, first) for _, first, arrived in plays])
    for (seed, first, arrived), said in zip(plays, replies, strict=True):
        reading = Reading(seed, 1, arrived, said, first)
        if reading.wrong is not None:
            yield reading.find_first("first")
            return


def load(first: int, last: int) -> Script:
    """Return the calls that leave nothing waiting: messages in order, each of 200 bytes."""
    return Script(
        tuple(
            Call("receive", (number, Message(number, "ann", f"{number:<200}")))
            for number in range(first, last + 1)
        )
    )  # fmt: skip


# --- 3.2 the gap request ---------------------------------------------------------------------------

LOSSY, QUIET = 1.0, 10.0
"""So many seconds after the last message nothing is lost any more; at the latter everything must have arrived."""

_runs: WeakKeyDictionary[Any, dict[int, World]] = WeakKeyDictionary()
"""The worlds of each trial, for the judges that look at the same runs."""


def play_asking(trial: Any, seed: int) -> World:
    """Return the world of this seed, in which the student's queues ask for what is missing.

    The last message is said on the sequencer while its link to node 1 is cut, so nothing follows that could show the gap.
    A second later nothing is lost any more: who asks for what is missing, and goes on asking, gets it.
    """
    runs = _runs.setdefault(trial, {})
    if seed not in runs:
        random = Random(f"lab 03/asking/{seed}")
        network = Conditions(
            shortest=0.01, longest=random.choice((0.1, 0.3)), tail=0.0, duplication=random.choice((0.0, 0.2)),
            in_order=False,
        )  # fmt: skip
        world = World(seed, actor=total_order(trial.cls), network=network, busiest=5000)
        world.lose("*", "*", random.choice((0.1, 0.3)))
        end = script(world, random, 7, pause=0.3)
        end = round(end + 3, 3)  # until then everything has its number
        world.at(end, "cut", 1, 3)
        world.at(end, "say", draw_text(random), 3, "main", AUTHORS[2])
        world.at(round(end + 0.001, 3), "reconnect", 1, 3)
        world.at(end + LOSSY, "heal", True)
        world.run(end + QUIET)
        runs[seed] = world
    return runs[seed]


class Ask(msgspec.Struct, frozen=True):
    """One request for a missing message."""

    node: int
    number: int
    time: float
    missing: tuple[int, ...]
    """The numbers that this node knew of and did not have."""
    complete: bool
    """Whether it had every message that was ever said."""


def asks_of(world: World) -> list[Ask]:
    """Return every request of the run, with what was missing at that moment."""
    asks: list[Ask] = []
    every = max((record.seq or 0 for record in world.trace.of("send") if record.message == "ORDERED"), default=0)
    had: dict[Any, set[int]] = {node: set() for node in world.nodes}
    newest = dict.fromkeys(world.nodes, 0)
    for record in world.trace:
        node, number = record.node, record.seq or 0
        if record.kind == "receive" and record.message in ("ORDERED", "NEWEST") and isinstance(node, int):
            newest[node] = max(newest[node], number)
            if record.message == "ORDERED":
                had[node].add(number)
        elif record.kind == "send" and record.message == "RESEND" and isinstance(node, int):
            missing = tuple(n for n in range(1, newest[node] + 1) if n not in had[node])
            asks.append(Ask(node, number, record.time, missing, len(had[node]) == every))
    return asks


def judge_asking(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """3.2: complete, last, smallest, quiet."""
    for seed in seeds:
        world = play_asking(trial, seed)
        if world.failures:
            node, why = world.failures[0]
            time = world.trace.of("broken")[0].time
            sentence = f"node {node} stopped at {time:.2f} s, because your class raised {why}"
            yield _of_run(RUNS, seed, sentence, world)
            return
        asks = asks_of(world)
        for node in world.nodes[:-1]:
            yield from _judge_gaps(seed, node, asks, world)
        yield from _judge_asks(seed, asks, world)


def _judge_gaps(seed: int, node: int, asks: Sequence[Ask], world: World) -> Iterator[Finding]:
    """Find what never arrived at this node."""
    received = _times(world.trace, "receive", node)
    sent = _times(world.trace, "send", world.nodes[-1])
    largest = max(received, default=0)
    for number in sorted(set(sent) - set(received)):
        asked = [ask for ask in asks if ask.node == node and ask.number == number]
        times = f"it asked for it {len(asked)} times"
        if not asked:
            times = "it never asked for it"
        elif len(asked) == 1:
            times = f"it asked for it once, at {asked[0].time:.2f} s, and a request or its answer can be lost, too"
        if number < largest:
            seen = next(n for n in sorted(received, key=received.__getitem__) if n > number)
            story = f"node {node} had #{seen} at {received[seen]:.2f} s and never got #{number}: {times}"
            yield _of_run("complete", seed, story, world, _steps(asks, node), CAUSE)
            return
        told = next((r.time for r in world.trace if _is_told(r, node, number)), sent[number])
        story = (
            f"#{number}, the last message, was lost on its way to node {node}. From {told:.2f} s on `newest` was {number}; "
            f"{times}" + ("" if asked else ". No message comes after the last one to show the gap")
        )
        yield _of_run("last", seed, story, world, _steps(asks, node), WAITS)
        return


def _judge_asks(seed: int, asks: Sequence[Ask], world: World) -> Iterator[Finding]:
    """Find requests for the wrong number, and those after everything has arrived."""
    late = [ask for ask in asks if ask.complete]
    if late:
        one = late[0]
        more = f", and {len(late) - 1} more times" if len(late) > 1 else ""
        story = f"node {one.node} had received everything and asked for #{one.number} at {one.time:.2f} s{more}"
        yield _of_run("quiet", seed, story, world, _steps(asks, one.node, one))
    for ask in asks:
        if ask.number in ask.missing[1:]:
            story = (
                f"at {ask.time:.2f} s node {ask.node} lacked {numbers(ask.missing)[1:-1]} and asked for #{ask.number}; "
                f"all that waits, waits for #{ask.missing[0]}"
            )
            yield _of_run("smallest", seed, story, world, _steps(asks, ask.node, ask))
            return


def _is_told(record: Record, node: int, number: int) -> bool:
    return (
        record.kind == "receive" and record.message == "NEWEST" and record.node == node and (record.seq or 0) >= number
    )


def _times(trace: Trace, kind: str, node: int) -> dict[int, float]:
    """Return when each number was first sent or received by this node."""
    times: dict[int, float] = {}
    for record in trace.of(kind):
        if record.node == node and record.message == "ORDERED":
            times.setdefault(record.seq or 0, record.time)
    return times


def _steps(asks: Sequence[Ask], node: int, wrong: Ask | None = None) -> tuple[Step, ...]:
    """Return the requests of a node as lines of a story."""
    mine = [ask for ask in asks if ask.node == node]
    place = mine.index(wrong) if wrong is not None else len(mine)
    return tuple(
        Step(
            call="missing",
            returned=f"#{ask.number}",
            expected=f"#{ask.missing[0]}" if ask.missing else "None",
            waiting="lacks " + (numbers(ask.missing)[1:-1] or "nothing"),
            when=f"{ask.time:.2f} s",
            wrong=ask is wrong,
        )
        for ask in mine[max(0, place - 20) : place + 4]
    )


def _of_run(
    aspect: str, seed: int, story: str, world: World, steps: tuple[Step, ...] = (), rank: int = PLAIN
) -> Finding:
    sentence = f"With seed {seed} {story}."
    return Finding(aspect=aspect, sentence=sentence, seed=seed, trace=world.trace.encode(), steps=steps, rank=rank)


# --- 3.3 the sequencer -----------------------------------------------------------------------------

ORIGINS = ("ann", "bob", "eve")
POSTS = 4


class Posted(msgspec.Struct, frozen=True):
    """One post as it reaches the sequencer."""

    origin: str
    post: int
    text: str

    def __str__(self) -> str:
        return f"post {self.post} of {self.origin}"


@lru_cache(maxsize=1024)
def posts_of(seed: int) -> tuple[Posted, ...]:
    """Return what reaches the sequencer in this seed: some posts early, some again, each at last in its turn."""
    random = Random(f"lab 03/posts/{seed}")
    texts = {(origin, post): draw_text(random) for origin in ORIGINS for post in range(1, POSTS + 1)}
    due = dict.fromkeys(ORIGINS, 1)
    arrived: list[Posted] = []
    while any(post <= POSTS for post in due.values()):
        origin = random.choice([one for one in ORIGINS if due[one] <= POSTS])
        chance = random.random()
        if chance < 0.25:  # it overtakes an earlier one, which was lost perhaps
            post = min(due[origin] + random.randint(1, 2), POSTS)
        elif chance < 0.5:  # the answer was lost
            post = random.randint(1, due[origin])
        else:
            post = due[origin]
        due[origin] += post == due[origin]
        arrived.append(Posted(origin, post, texts[origin, post]))
    again = random.sample(sorted(texts), 3)
    return (*arrived, *(Posted(origin, post, texts[origin, post]) for origin, post in again))


def judge_sequencer(trial: Any, seeds: Sequence[int]) -> Iterator[Finding]:
    """3.3: numbers, order, once, again."""
    yield from judge_posts(trial, [(f"With seed {seed}", seed, posts_of(seed)) for seed in seeds])


def judge_posts(trial: Any, plays: Sequence[tuple[str, int | None, Sequence[Posted]]]) -> Iterator[Finding]:
    """Judge what becomes of these posts; each play has the words that begin its sentence."""
    scripts = [Script(tuple(Call("order", (one.origin, one.post, one.text)) for one in posts)) for _, _, posts in plays]
    judged_alone = False
    for (opening, seed, posts), asked, replies in zip(plays, scripts, trial.ask(scripts), strict=True):
        found = list(_judge_numbers(opening, seed, posts, replies))
        if found and not judged_alone:
            judged_alone = True
            if not list(_judge_numbers(opening, seed, posts, trial.alone(asked))):
                sentence = (
                    f"{found[0].sentence} Alone, where no other sequencer was made before it, it is right. Do all "
                    "sequencers share one list or dictionary? Make it in __init__, and keep it in self."
                )
                yield msgspec.structs.replace(found[0], aspect="numbers", sentence=sentence, rank=SHARED)
                return
        yield from found


def _judge_numbers(
    opening: str, seed: int | None, posts: Sequence[Posted], replies: Sequence[Reply]
) -> Iterator[Finding]:
    """Look at each answer beside those that the same sequencer gave before."""
    given: dict[tuple[str, int], int] = {}
    owner: dict[int, Posted] = {}
    for place, (post, reply) in enumerate(zip(posts, replies, strict=False)):
        if not reply.right:
            broke = f"your class raised {reply.error}" if reply.error else f"{reply.wrong}; give a number or None"
            sentence = f"{opening} {post} came (call {place + 1}), and {broke}."
            yield Finding(aspect=RUNS, sentence=sentence, seed=seed, steps=_post_steps(posts, replies, place))
            return
        known, number = given.get((post.origin, post.post)), reply.value
        story = _tell_number(post, number, known, given, owner)
        if story is not None:
            aspect, rank, sentence = story
            steps = _post_steps(posts, replies, place)
            yield Finding(
                aspect=aspect, sentence=f"{opening} {sentence}.", seed=seed, steps=steps, rank=rank
            )  # fmt: skip
        if number is not None:
            given[post.origin, post.post] = number
            owner.setdefault(number, post)


def _tell_number(
    post: Posted, number: int | None, known: int | None, given: dict[tuple[str, int], int], owner: dict[int, Posted]
) -> tuple[str, int, str] | None:
    """Return what is wrong with this answer: the aspect, the rank, and the sentence."""
    due = max(owner, default=0) + 1
    if known is not None:
        if number is None:
            return (
                "again",
                PLAIN,
                f"{post} came again and got None; it has #{known}, and that answer may have been lost",
            )
        if number != known:
            return "once", CAUSE, f"{post} had #{known}, came again and got #{number}: everybody would see it twice"
    elif post.post > 1 and (post.origin, post.post - 1) not in given:
        if number is not None:
            return "order", CAUSE, f"{post} got #{number} while post {post.post - 1} of {post.origin} had no number yet"
    elif number is None:
        return "numbers", WAITS, f"it was the turn of {post}, and it got None, so it waits for ever"
    elif number in owner:
        other = owner[number]
        if other.text == post.text and other.origin == post.origin:
            return "numbers", TEXT, f'"{post.text}" ({post}) was taken for a copy of "{post.text}" ({other})'
        return "numbers", CAUSE, f"{post} got #{number}, which {other} has: one number for two messages"
    elif number != due:
        why = f"nobody ever gets #{due}, and every queue waits for it" if number > due else "the first number is 1"
        return "numbers", WAITS, f"{post} got #{number} and the next number was #{due}: {why}"
    return None


def _post_steps(posts: Sequence[Posted], replies: Sequence[Reply], wrong: int) -> tuple[Step, ...]:
    """Return the calls up to the wrong one, with what a right sequencer would have answered."""
    given: dict[tuple[str, int], int] = {}
    steps = []
    for place, post in enumerate(posts[: min(len(replies), wrong + 4)]):
        key = (post.origin, post.post)
        if key not in given and (post.post == 1 or (post.origin, post.post - 1) in given):
            given[key] = len(given) + 1
        reply = replies[place]
        returned = "an error" if not reply.right else _say(reply.value)
        steps.append(
            Step(
                call=f'order("{post.origin}", {post.post}, "{post.text}")',
                returned=returned,
                expected=_say(given.get(key)),
                when=f"call {place + 1}",
                wrong=place == wrong,
            )
        )
    return tuple(steps[max(0, wrong - 20) :])


def _say(number: int | None) -> str:
    return "None" if number is None else f"#{number}"
