"""The judge of 3.3, the sequencer: offline, and each answer is held against those that it gave itself.

Posts of three authors arrive early, late and again.  A right sequencer is free in nothing, but a wrong one is
judged by its own numbers: after its first mistake it is not blamed for counting on from there.

Read also `runs` (the texts), `checks` (the judge of 3.1), `protocol.ordering` (the sequencer of the real chat).
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Any

import msgspec

from chatsys.isolation.calls import Call, CallScript, Reply
from chatsys.teach.grading.lab import RUNS, Finding, ShownCall
from chatsys.teach.labs.lab03.reading import CAUSE, PLAIN, SHARED, TEXT, WAITS
from chatsys.teach.labs.lab03.runs import draw_text

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
    scripts = [
        CallScript(tuple(Call("order", (one.origin, one.post, one.text)) for one in posts)) for _, _, posts in plays
    ]
    judged_alone = False
    for (opening, seed, posts), asked, replies in zip(plays, scripts, trial.ask(scripts), strict=True):
        found = list(_judge_numbers(opening, seed, posts, replies))
        if found and not judged_alone:
            judged_alone = True
            if not list(_judge_numbers(opening, seed, posts, trial.alone(asked))):
                sentence = f"{found[0].sentence} Alone it is right. Do all sequencers share one list or dictionary?"
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
            broke = (
                f"your class raised {reply.error}"
                if reply.error
                else f"your class returned {reply.wrong}; give a number or None"
            )
            sentence = f"{opening} {post} came (call {place + 1}), and {broke}."
            yield Finding(aspect=RUNS, sentence=sentence, seed=seed, steps=_post_steps(posts, replies, place))
            return
        known, number = given.get((post.origin, post.post)), reply.value
        story = _tell_kept(place, posts, replies, known, owner)
        story = story or _tell_number(post, number, known, given, owner)
        if story is not None:
            aspect, rank, sentence = story
            steps = _post_steps(posts, replies, place)
            yield Finding(
                aspect=aspect, sentence=f"{opening} {sentence}.", seed=seed, steps=steps, rank=rank
            )  # fmt: skip
        if number is not None:
            given[post.origin, post.post] = number
            owner.setdefault(number, post)


def _tell_kept(
    place: int, posts: Sequence[Posted], replies: Sequence[Reply], known: int | None, owner: dict[int, Posted]
) -> tuple[str, int, str] | None:
    """Return the story of a number that was left out here for a post that had been answered None."""
    due, number = max(owner, default=0) + 1, replies[place].value
    if known is not None or number is None or number <= due:
        return None
    answers = [(post, reply.value) for post, reply in zip(posts, replies, strict=False) if reply.right]
    early = {(post.origin, post.post) for post, value in answers[:place] if value is None}
    other = next((post for post, value in answers[place:] if value == due), None)
    if other is None or (other.origin, other.post) not in early:
        return None
    kept = f"which was kept for {other}, although that had been answered None"
    return "numbers", TEXT, f"{posts[place]} got #{number} and the next number was #{due}, {kept}"


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


def _post_steps(posts: Sequence[Posted], replies: Sequence[Reply], wrong: int) -> tuple[ShownCall, ...]:
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
            ShownCall(
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
