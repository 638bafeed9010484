"""What happens in a seed of lab 06: who talks, and what becomes of a leader and of its last words.

    play_seed(cls, 7)    people talk; the leader crashes or sleeps in the middle of what it sends; people talk on
        |-- talk --|-- the last messages of a leader: each copy arrives, is lost or is late --|x  crash, or a pause of 4 s
                                                                                              |-- talk, 8 s --| ... once more?

A copy of a leader's last messages is lost where its link is cut before they are said, and late where the link is slow: a crash
in the middle of a broadcast, for every follower apart.  Three courses that chance hardly ever takes have seeds of their own.

Promises  no message between two nodes that are up is lost; what a new leader does not hear of a sleeping node, it hears later.
Read also `runs` (the run and its verbs), `stage` (the actor), `checks` (the judge).
"""

from random import Random
from typing import Any

from chatsys.teach.labs.lab06.runs import FailOverRun, begin

SETTLES = 7.0
"""Seconds after a crash or a pause in which all must be well again."""
SLEEP = 4.0
"""Seconds that a leader is paused."""
LATE = 2.4, 4.0
"""Seconds that a late copy takes, at least and at most: a newer leader collects or leads meanwhile."""
FATES = ("arrives", "arrives", "lost", "late")
"""What becomes of a copy."""
FAR = 9.0
"""Seconds that a copy takes which comes when two leaders are gone."""
OFTEN = 5
"""One seed in so many is one of `RARE`."""
TEXTS = ("hello", "ok", "ok", "pay", "yes", "no", "tea?", "late", "see you")


def play_seed(cls: Any, seed: int) -> FailOverRun:
    """Return the run of this seed; each fifth is one that chance hardly ever shows."""
    if seed % OFTEN == OFTEN - 1:
        return RARE[seed // OFTEN % len(RARE)](cls, f"With seed {seed}", seed)
    random = Random(f"lab 06/{seed}")
    nodes = random.choice((3, 3, 4))
    run = begin(cls, f"With seed {seed}", seed, nodes)
    run.go_on(0.2)
    _talk(run, random, random.randint(1, 4))
    run.go_on(1.0)
    for _ in range(nodes - 2 if random.random() < 0.6 else 1):
        _lose_the_leader(run, random)
        _talk(run, random, random.randint(1, 2))
        run.go_on(2.0)
    return run


def _talk(run: FailOverRun, random: Random, many: int) -> None:
    for _ in range(many):
        if run.over:
            return
        run.say(random.choice(run.up), random.choice(TEXTS), random.choice(("ann", "bob")))
        run.go_on(random.uniform(0.05, 0.4))


def _lose_the_leader(run: FailOverRun, random: Random) -> None:
    """The leader says some last things, of which each copy has a fate of its own; then it crashes or sleeps."""
    leader = run.leader
    if leader is None or run.over:
        return
    sleeps = random.random() < 0.4
    possible = [one for one in FATES if one != "lost" or not sleeps]  # what a leader that lives has sent is not lost
    texts = [random.choice(TEXTS) for _ in range(random.randint(1, 3))]
    at_leader, followers = random.random() < 0.6, [node for node in run.up if node != leader]
    fates = [{node: random.choice(possible) for node in followers} for _ in texts]
    if at_leader:  # who says it is gone with the leader, so nobody says it again
        last_words(run, leader, texts, fates, late=random.uniform(*LATE))
    else:
        last_words(
            run, leader, texts, fates[:1] * len(texts), late=random.uniform(*LATE), speaker=random.choice(followers)
        )
    run.do("pause" if sleeps else "crash", leader)
    run.do("heal", True)
    run.go_on(random.uniform(0.1, 0.6))
    if random.random() < 0.7:  # said while nobody leads, or while the leader sleeps
        _talk(run, random, random.randint(1, 2))
    if sleeps:
        run.go_on(SLEEP)
        run.do("resume", leader)
        run.go_on(random.uniform(0.0, 0.3))
        _talk(run, random, 1)
    run.go_on(SETTLES)


def last_words(
    run: FailOverRun,
    leader: int,
    texts: list[str],
    fates: list[dict[int, str]],
    *,
    late: float,
    speaker: int | None = None,
) -> None:
    """Let the leader number these; the copies of each to the followers arrive, are lost or are late, as its fates say."""
    for text, fate in zip(texts, fates, strict=True):
        run.do("heal", True)
        for node, what in fate.items():
            if what == "lost":
                run.do("cut", leader, node, True)
            elif what == "late":
                run.do("slow", leader, node, late)
        run.say(speaker or leader, text, "cid")
        run.go_on(0.15 if speaker else 0.02)
    run.go_on(0.12)


# --- what chance shows too rarely --------------------------------------------------------------------


def wakes_with_another(cls: Any, name: str, seed: int) -> FailOverRun:
    """Node 4 sleeps with a number that nobody else has; node 3 gives that number to another message, and is gone; node 2 asks all."""
    run, random = _four(cls, name, seed)
    for node in (1, 2, 3):
        run.do("slow", 4, node, FAR)
    run.say(4, random.choice(TEXTS), "cid")
    run.go_on(0.1)
    run.do("pause", 4)
    run.go_on(SLEEP)
    run.say(random.choice((1, 2)), random.choice(TEXTS), "bob")
    run.go_on(1.0)
    run.do("crash", 3)
    run.do("heal", True)
    _until_asks(run, 2)
    run.do("resume", 4)
    run.go_on(SETTLES)
    _talk(run, random, 2)
    run.go_on(2.0)
    return run


def leads_again(cls: Any, name: str, seed: int) -> FailOverRun:
    """Node 4 gives numbers that never leave it, to an author who is gone; it follows node 3, which crashes, and leads once more."""
    run, random = _four(cls, name, seed)
    for node in (2, 3):
        run.do("slow", 4, node, FAR)
    for text in random.sample(TEXTS, 2):
        run.say(1, text, "cid")
    run.go_on(0.2)
    run.do("pause", 4)
    run.do("crash", 1)
    run.do("heal", True)
    run.go_on(SLEEP)
    run.do("resume", 4)
    run.go_on(SLEEP)
    run.do("crash", 3)
    run.go_on(SLEEP)
    run.say(2, random.choice(TEXTS), "bob")
    run.go_on(SETTLES)
    return run


def slept_at_the_collect(cls: Any, name: str, seed: int) -> FailOverRun:
    """Node 1 sleeps while node 3 collects, and learns of the new term by a heartbeat; a late copy of node 4 comes before the COLLECT."""
    run, random = _four(cls, name, seed)
    for node in (2, 3):
        run.do("cut", 4, node, True)
    run.do("slow", 4, 1, FAR - 2.0)
    run.say(4, random.choice(TEXTS), "cid")
    run.go_on(0.1)
    run.do("pause", 1)
    run.do("crash", 4)
    run.do("heal", True)
    run.do("slow", 3, 1, FAR)
    run.go_on(SLEEP)
    run.do("heal", True)
    run.go_on(1.0)
    run.do("resume", 1)
    run.go_on(random.uniform(0.1, 0.5))
    _talk(run, random, 2)
    run.go_on(FAR)
    return run


def _until_asks(run: FailOverRun, node: int) -> None:
    """Let time go on until this node collects, or for four seconds."""
    for _ in range(80):
        if run.over or run.world.status()[node]["role"] == "nominating":
            return
        run.go_on(0.05)


RARE = (wakes_with_another, leads_again, slept_at_the_collect)


def _four(cls: Any, name: str, seed: int) -> tuple[FailOverRun, Random]:
    """Return a chat of four nodes in which something was said, and what draws the rest."""
    run, random = begin(cls, name, seed, 4), Random(f"lab 06, rare/{seed}")
    run.go_on(0.2)
    _talk(run, random, random.randint(1, 3))
    run.go_on(1.0)
    return run, random
