"""What frames really carried, beside what `why_not` says of them: a fold of its own, which sees more than the trace tells.

    python tests/support/why_truth.py 0:60 40        these seeds, so many questions each

A trace tells the last position of a batch only.  Here the contents of each frame are kept while the run is simulated, and
compared with the answers: of a message that nobody sent, that did not arrive, or that was held back.

Read also `why_not` (what must go so that it comes).
"""

import sys
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any
from unittest.mock import patch

from chatsys.campaign.one_seed import Plan, schedule
from chatsys.campaign.why import Answer, Question
from chatsys.faults import KINDS
from chatsys.protocol.public import public
from chatsys.sim.recorder import Frame, Recorder
from chatsys.sim.world import World

Contents = dict[tuple[str, float], set[tuple[str, int]]]
"""The messages in each frame, by its id and when it was sent."""


def simulated(seed: int, plan: Plan) -> tuple[World, Contents]:
    """Play a random run, and return what each of its frames carried."""
    contents: Contents = {}
    real = Recorder.frame

    def frame(self: Recorder, to: Any, message: Any) -> Frame:
        made = real(self, to, message)
        entries = [one for one in getattr(message, "entries", ()) if getattr(one, "client_id", "")]
        contents[str(made[2].id), self.time.now] = {(public(one.client_id), one.client_seq) for one in entries}
        return made

    with patch.object(Recorder, "frame", frame):
        return schedule(seed, plan).world, contents


def untrue(world: World, contents: Contents, chance: Random, number: int) -> Iterator[tuple[Answer, str]]:
    """Ask so many questions about a run; yield each answer with what is untrue in it, "" if nothing is."""
    question = Question(world.trace, 0.0)
    came = {(r.client, r.client_seq, r.node): r.time for r in reversed(world.trace.of("deliver"))}
    late = [
        (r, node, end) for r in world.trace.of("submit") for node in world.nodes
        if (end := came.get((r.client, r.client_seq, node), world.now)) > r.time + 0.05
    ]  # fmt: skip
    for record, node, end in chance.sample(late, min(number, len(late))):
        before = round(chance.uniform(record.time, end - 0.0001), 4)
        pair = (record.client or "", record.client_seq or 0)
        answer = question.why_not(pair, node, before)
        yield answer, _untrue(question, contents, answer, (pair, node, before))


def _untrue(question: Question, contents: Contents, answer: Answer, asked: tuple[tuple[str, int], int, float]) -> str:
    (pair, node, before), records = asked, question.scene.records
    last = question.scene.upto(before)
    lost = max(
        (e for e in range(last + 1) if records[e].node == node and records[e].kind in ("start", "truncate")), default=-1
    )
    sent = [
        event for event in range(last + 1)
        if (one := records[event]).kind == "send" and one.peer == node and pair in contents.get((str(one.id), one.time), ())
    ]  # fmt: skip
    arrived = [event for event in sent if question.scene.arrival(event, last) is not None]
    match answer.missing:
        case "told" | "received" if "news of that" in str(answer):
            return ""
        case "told" if any(event > lost for event in sent):
            return "it was sent"
        case "received" if "not accepted" not in str(answer) and any(event > lost for event in arrived):
            return "it was received"
        case "released" if not arrived:
            return "nothing with it arrived"
        case "ordered" if "undone" not in str(answer):
            mine = any(r.kind == "append" and (r.client, r.client_seq) == pair for r in records[: last + 1])
            return "it was ordered" if mine else ""
    return ""


def main(seeds: range, number: int) -> int:
    """Ask so many questions about each seed; return how many answers are untrue."""
    kinds, bad = Counter[Any](), 0
    for seed in seeds:
        for answer, told in untrue(*simulated(seed, Plan(kinds=KINDS, seconds=15.0, calm=10.0)), Random(seed), number):
            kinds[answer.missing] += 1
            if told:
                bad += 1
                print(f"seed {seed}: {told}\n    {answer}", flush=True)
    print(f"{sum(kinds.values())} answers, {bad} untrue; missing: {dict(kinds.most_common())}")
    return bad


if __name__ == "__main__":
    first, _, last = (sys.argv[1] if len(sys.argv) > 1 else "0:20").partition(":")
    sys.exit(main(range(int(first), int(last)), int(sys.argv[2]) if len(sys.argv) > 2 else 40) > 0)
