"""Asking: whatever a search forgets is first delivered, so a wrong reason to forget makes no wrong verdict."""

from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Send
from chatsys.explore.explorer import Budget, Explorer, Result
from chatsys.explore.happenings import Give, Rules
from chatsys.explore.model import Model
from chatsys.explore.models import ElectionModel, LogModel
from chatsys.protocol.election import Bully
from chatsys.protocol.fence import Fence
from chatsys.protocol.messages import Ack, Ok, Prepare, Promise
from chatsys.protocol.state import Role
from chatsys.protocol.succession import Succession


def search(model: Any) -> Result:
    return Explorer(model).search(Budget(seconds=600, states=200_000))


class LatePromises(Fence):
    """Takes PROMISE off the fence: one of an older term counts for the present one."""

    def check(self, sender: int, message: Any) -> tuple[Any, bool]:
        if isinstance(message, Promise) and message.term < self.state.term:
            return [], True
        return super().check(sender, message)


class LateAcks(Fence):
    """Takes ACK off the fence."""

    def check(self, sender: int, message: Any) -> tuple[Any, bool]:
        return (
            ([], True)
            if isinstance(message, Ack) and message.term < self.state.term
            else super().check(sender, message)
        )


class OldAnswersCount(Bully):
    """Counts an OK whatever the nomination that it answers."""

    def on_message(self, sender: Address, message: Any, now: float) -> Any:
        if isinstance(message, Ok) and self.state.role is Role.NOMINATING:
            message = replace(message, round=self.round)
        return super().on_message(sender, message, now)


class PromisesKept(Succession):
    """Counts the promises of its last attempt, which it gave up, in the next one, too."""

    def stand(self, *given: Any) -> Any:
        before = dict(self.promises)
        effects = super().stand(*given)
        self.promises = before | self.promises
        return effects


class PromisesRead(Succession):
    """Trusts somebody if a promise comes when it has given up and tries again, and others had come before."""

    def on_message(self, sender: Address, message: Any, now: float) -> Any:
        if isinstance(message, Promise) and message.ok and self.state.role is Role.NOMINATING and self.promises:
            self.state.trust = True
        return super().on_message(sender, message, now)


def test_a_late_promise_that_counts_is_found_by_a_search_that_forgets_late_promises() -> None:
    """When node 3 has given up, a promise does nothing, fence or no fence; in its next attempt only the fence guards."""
    result = search(ElectionModel(parts={"fence": LatePromises}, answers="any"))
    assert result.verdict == "inconclusive" and result.violation is not None and result.violation.invariant == "S5"
    assert "PROMISE(term=1, ok=True) from" in result.why and "preparing in term 2, takes it for more" in result.why
    assert any(sentence.startswith("no Promise was forgotten") for sentence in result.asked)


def test_a_late_ack_that_counts_is_noticed_where_its_receiver_leads_again() -> None:
    """Node 3 leads term 1, node 2 stands in term 2, node 3 leads term 3: only then would it count the ACK of term 1."""
    model = LogModel(parts={"fence": LateAcks}, answers="any", crashes=0, inputs=(), nominees=(2, 3), terms=3)
    result = Explorer(model).search(Budget(states=300))
    assert result.verdict == "inconclusive"
    assert "ACK(term=1, ok=True" in result.why and "node 3, leader in term 3, takes it for more" in result.why


def test_answers_to_an_older_nomination_are_asked_about_with_the_number_that_they_had() -> None:
    result = search(ElectionModel(parts={"election": OldAnswersCount}))
    assert result.verdict == "inconclusive" and "an answer to an older question still counts" in result.why


def test_nothing_is_called_searched_before_everything_forgotten_was_asked_about() -> None:
    result = search(LogModel(answers="any", crashes=0, inputs=(), nominees=(2,)))
    assert result.verdict == "exhausted, ok" and {"committed", "elected again"} <= set(result.reached)
    assert any("forgotten frame was delivered all the same" in sentence for sentence in result.asked)


@pytest.mark.parametrize(
    ("claim", "wrong", "says"),
    [
        ("forget", lambda self, life: setattr(life.actor.succession, "promises", {}), "is read"),
        ("idle", ("Succession",), "an alarm that was held for idle is not"),
        ("plain", lambda self, message: Promise(message.term, False) if isinstance(message, Promise) else message, ""),
        ("weaken", lambda self, life, frame: replace(frame, message=Prepare(0)), ""),
        ("dead", lambda self, life, frame, sender: life.actor.state.role is Role.FOLLOWER, ""),
    ],
)
def test_a_wrong_claim_of_what_may_be_forgotten_makes_no_wrong_verdict(claim: str, wrong: Any, says: str) -> None:
    """A frame that turns out to be alive is kept, so that all is reached that is reached without the claim."""
    model = type("Wrong", (ElectionModel,), {claim: wrong})
    result = search(model(terms=1, answers="any", addresses=(1, 2, 3) if says else (1, 2)))
    if says:
        assert result.verdict == "inconclusive" and says in result.why
    else:
        assert result.verdict == "exhausted, ok" and {"elected", "stood back"} <= set(result.reached)


@pytest.mark.parametrize(("part", "terms"), [(PromisesKept, 3), (PromisesRead, 2)])
def test_a_variable_that_is_read_much_later_or_on_a_forgotten_frame_makes_no_wrong_verdict(
    part: Any, terms: int
) -> None:
    """Nobody reads the promises of an attempt when it was just given up.

    One rule reads them in the next attempt, the other when a promise comes so late that it is forgotten, too.
    """
    result = search(ElectionModel(parts={"succession": part}, terms=terms, answers="any", addresses=(1, 2)))
    assert result.verdict == "inconclusive" and "is read" in result.why
    assert f"depends on 'promises' of {part.__name__}" in result.why


class Word(Struct, frozen=True, tag="WORD"):
    """Something said."""

    text: str


class Secretive(Actor):
    """Node 2 has a secret from its first step on; `reads` says when its rules read it."""

    messages = (Word,)
    reads = "never"

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.steps, self.secret, self.told = 0, 0, False

    def start(self, now: float) -> list[Any]:
        if self.me == 1:
            self.alarms.set("speak", now + 1.0)
        return []

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        return [Send(2, Word("late"))]

    def on_message(self, sender: Address, message: Any, now: float) -> list[Any]:
        if isinstance(message, Word) and message.text == "step":
            self.steps += 1
            self.secret = 1 if self.steps == 1 else self.secret
        if isinstance(message, Word) and self.steps == 3 and message.text == self.reads:
            self.told = self.told or self.secret > 0
        return []


class Secrets(Model):
    """Three steps of node 2, and a frame of node 1, which the model holds for dead."""

    name = "secrets"
    rules = Rules(disk_steps=False)
    asks = True
    inputs = tuple(Give(name, Word("step")) for name in ("ann", "bob", "cid"))

    def __init__(self, reads: str) -> None:
        super().__init__()
        self.kind: type[Actor] = type("Secretive", (Secretive,), {"reads": reads})

    def make(self, me: Any, config: Any, random: Any) -> Actor:
        return self.kind(me, config, random)

    def takes(self, life: Any, given: Give) -> bool:
        return bool(life.me == 2)

    def dead(self, life: Any, frame: Any, sender: Any) -> bool:
        return True

    def forget(self, life: Any) -> None:
        if life.actor is not None:
            life.actor.secret = 0


@pytest.mark.parametrize("reads", ["never", "step", "late"])
def test_a_secret_is_asked_about_two_turns_later_and_with_a_frame_that_is_forgotten_too(reads: str) -> None:
    """Its third step reads it, or only the frame of node 1 after its third step."""
    result = search(Secrets(reads))
    if reads == "never":
        assert result.verdict == "exhausted, ok"
    else:
        assert result.verdict == "inconclusive" and "is read" in result.why
        assert f"WORD(text='{reads}')" in result.why and "'secret' of Secretive" in result.why


def test_a_verdict_names_what_it_rests_on() -> None:
    told = search(ElectionModel(terms=1, answers="any", addresses=(1, 2))).summary()
    assert f"It rests on {len(told['assumed'])} assumptions, each named." in told["why"]
    assert any("contains whatever real answers bring about" in sentence for sentence in told["assumed"])
    assert any("a turn of its own" in sentence for sentence in told["assumed"])
    named = ElectionModel()
    named.interchangeable = ("ann", "bob")
    assert any("names ann, bob count as one" in sentence for sentence in named.assumed)
