"""The judge of an outsider's visit: from facts to sentences, one thing wrong at a time."""

from typing import Any

import msgspec
import pytest

from chatsys.campaign.outsider.judge import Judgement, NodeFacts, VisitFacts, judge

SAID = {1: 1.0, 2: 4.0, 3: 5.0, 4: 8.0}
"""Message 1 before the visit from 3 to 6, messages 2 and 3 during it, message 4 after it."""
TEXTS = [("honest", f"honest {number}") for number in SAID]


def visited(**changed: Any) -> VisitFacts:
    """Return a visit in which all was well, but for what is changed."""
    diary: list[dict[str, Any]] = [{"said": number, "at": at} for number, at in SAID.items()]
    diary += [{"acked": number, "at": at + 0.01 * number} for number, at in SAID.items()]
    diary.append({"open": []})
    nodes = {id: NodeFacts(memory=(40, 50, 45), descriptors=(15, 200, 16), delivered=TEXTS) for id in (1, 2, 3)}
    facts = VisitFacts(attack="scan", begin=3.0, end=6.0, diary=diary, nodes=nodes, logs={"ok": True})
    return msgspec.structs.replace(facts, **changed)


def of_node_2(**changed: Any) -> VisitFacts:
    facts = visited()
    return visited(nodes=facts.nodes | {2: msgspec.structs.replace(facts.nodes[2], **changed)})


def without_answer(number: int, *lines: dict[str, Any]) -> VisitFacts:
    return visited(diary=[line for line in visited().diary if line.get("acked") != number] + list(lines))


def test_a_visit_in_which_all_was_well_held_and_tells_how_the_honest_client_was_served() -> None:
    told = judge(visited())
    assert (told.findings, told.doubts, told.said, told.acknowledged) == ([], [], 4, 4)
    assert {name: served.answered for name, served in told.serving.items()} == {"before": 1, "during": 2, "after": 1}
    assert told.serving["during"].p50 == told.serving["during"].p99 == 0.03
    assert told.serving["during"].gap == 1.01, "from the answer at 4.02 to that at 5.03"
    assert (told.memory, told.descriptors, told.healed) == ((40, 50, 45), (15, 200, 16), 0.0)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (of_node_2(ended="exit code 1, Node 2 stopped itself"), "node 2 ended: exit code 1, Node 2 stopped itself"),
        (of_node_2(exit_code=1), "node 2 ended with exit code 1 when it was told to end"),
        (of_node_2(exit_code=None), "node 2 had to be killed"),
        (of_node_2(delivered=TEXTS[:2]), "node 2 does not deliver 2 acknowledged messages, the first is 3"),
        (of_node_2(delivered=[]), "node 2 does not deliver 4 acknowledged messages"),
        (of_node_2(delivered=[*TEXTS, TEXTS[1]]), "node 2 delivers 1 messages more than once, the first is 2"),
        (of_node_2(delivered=[TEXTS[1], TEXTS[0], *TEXTS[2:]]), "deliver different messages at number 1"),
        (of_node_2(memory=(40, 297, 45)), "node 2 used 297 MB, 40 MB before; at most 296 are fair"),
        (of_node_2(memory=(40, 50, 297)), "node 2 used 297 MB"),
        (of_node_2(descriptors=(15, 1016, 15)), "node 2 had 1016 descriptors open, 15 before"),
        (of_node_2(descriptors=(15, 200, 40)), "node 2 still has 40 descriptors open, 15 before"),
        (of_node_2(healed=None), "node 2 acknowledges nothing after the visit"),
        (of_node_2(healed=10.1), "node 2 was healed 10.1 s after the visit; 10 s are allowed"),
        (without_answer(3), "1 messages of the honest client have no answer, the first is 3"),
        (without_answer(3, {"lost": 3}), "1 messages ended indeterminate, the first is 3"),
        (without_answer(3, {"refused": 3, "why": "denied"}), "1 messages were refused: denied"),
        (visited(logs={"ok": False, "first_difference": {"sentence": "S1 agreement: no"}}), "verify: S1 agreement: no"),
        (visited(logs={"sentence": "it cannot be read"}), "verify: it cannot be read"),
    ],
)
def test_whatever_does_not_hold_is_a_sentence(facts: VisitFacts, words: str) -> None:
    told = judge(facts)
    assert words in "\n".join(told.findings) and told.doubts == []


def test_of_a_node_that_has_ended_only_that_is_told() -> None:
    told = judge(of_node_2(ended="exit code 1", delivered=[], healed=None, exit_code=1))
    assert told.findings == ["node 2 ended: exit code 1"] and told.healed is None


def with_a_late_line(facts: VisitFacts) -> VisitFacts:
    return msgspec.structs.replace(facts, diary=[*facts.diary, {"late": 1.5}])


@pytest.mark.parametrize("late", [lambda facts: msgspec.structs.replace(facts, late=1.2), with_a_late_line])
def test_what_only_time_shows_is_doubted_when_the_machine_stood_still(late: Any) -> None:
    told: Judgement = judge(late(of_node_2(healed=12.0)))
    assert told.findings == [] and "the machine stood still" in told.doubts[0] and "node 2 was healed" in told.doubts[0]
    told = judge(late(of_node_2(delivered=TEXTS[:2])))
    assert "does not deliver" in told.findings[0] and told.doubts == [], "no machine loses a message"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (visited(visitors=[{"attack": "scan", "unfinished": True}]), "the attack scan did not come to its end"),
        (visited(visitors=[{"attack": "scan", "connections": 0}]), "the attack scan did not come to its end"),
        (visited(diary=visited().diary[:-1]), "the honest client did not come to its end"),
    ],
)
def test_who_did_not_do_what_they_were_there_for_leaves_it_inconclusive(facts: VisitFacts, words: str) -> None:
    told = judge(facts)
    assert told.findings == [] and words in told.doubts[0]


def test_a_message_without_an_answer_counts_among_the_waits() -> None:
    served = judge(without_answer(3)).serving["during"]
    assert served.p99 == float("inf") and served.answered == 1
