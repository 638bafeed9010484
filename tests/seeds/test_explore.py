"""The search: a small actor counted by hand, the four verdicts, and mutants of the chat it must find."""

import json
from functools import cache
from typing import Any

import msgspec
import pytest
from by_hand import NeverStands
from msgspec.structs import replace
from typer.testing import CliRunner

from chatsys.__main__ import app
from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append, Send
from chatsys.actor.events import LinkUp
from chatsys.actor.outbox import Outbox
from chatsys.errors import UsageError
from chatsys.explore.explorer import Budget, Explorer, Result
from chatsys.explore.happenings import Arrive, Crash, Give, Ring, Rules
from chatsys.explore.model import Model
from chatsys.explore.models import ElectionModel, LogModel, SlowDiskModel
from chatsys.explore.opening import Opening
from chatsys.explore.untimed import Life
from chatsys.protocol.decisions import Lead
from chatsys.protocol.messages import Prepare, Promise
from chatsys.protocol.node import Node
from chatsys.protocol.ordering import Sequencer
from chatsys.protocol.state import Role
from chatsys.protocol.succession import Succession

QUICK = Budget(seconds=600, states=200_000)


class Word(msgspec.Struct, frozen=True, tag="WORD", tag_field="type"):
    text: str


class Kept(msgspec.Struct, frozen=True, tag="kept", tag_field="type"):
    count: int


class Light(Actor):
    """Has one alarm; each ring sends one WORD, up to a limit, and whoever receives one counts it."""

    messages = (Word,)
    records = (Kept,)
    limit = 1
    rings = 0
    count = 0

    def start(self, now: float) -> list[Any]:
        if self.me == 1:
            self.alarms.set("ring", now + 1.0)
        return []

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        self.rings += 1
        if self.rings < self.limit:
            self.alarms.set("ring", now + 1.0)
        return [Send(2, Word("on"))]

    def on_message(self, sender: Address, message: Any, now: float) -> list[Any]:
        if isinstance(message, Word):
            self.count += 1
            return [Append(Kept(self.count))]
        return []


def light(life: Life) -> Light:
    """Return the light that lives at this address."""
    assert isinstance(life.actor, Light)
    return life.actor


class Lights(Model):
    """One sends, two counts."""

    name = "lights"
    rules = Rules(disk_steps=False)
    kind: type[Actor] = Light
    most = 99

    def make(self, me: Any, config: Any, random: Any) -> Actor:
        return self.kind(me, config, random)

    def compress(self, records: Any) -> tuple[Any, ...]:
        return tuple(records)[-1:]

    def holds(self, lives: Any) -> str | None:
        count = getattr(lives[1].actor, "count", 0)
        return f"2 has counted {count}" if count > self.most else None


def search(model: Model, budget: Budget = QUICK, **how: Any) -> Result:
    return Explorer(model).search(budget, **how)


def test_one_ring_and_one_frame_make_three_states() -> None:
    """Nothing happened; the frame is under way (and may be lost for ever); it arrived."""
    result = search(Lights())
    assert (result.verdict, result.distinct_states, result.depth) == ("exhausted, ok", 3, 3)


def test_two_rings_make_six_states() -> None:
    """As many frames under way and counted as alarms have rung: 00, 10, 01, 20, 11, 02."""

    class Twice(Light):
        limit = 2

    class TwoLights(Lights):
        kind = Twice

    assert search(TwoLights()).distinct_states == 6


def test_a_duplicate_is_one_more_count() -> None:
    class Doubled(Lights):
        duplicates = 1

    result = search(Doubled(), goal=lambda lives: lives[1].actor.count == 2)
    assert result.verdict == "pass"
    assert [type(step.event) for step in result.story] == [Ring, Arrive, Arrive]
    assert [step.twice for step in result.story] == [False, True, False]


def test_what_does_not_fit_is_lost() -> None:
    class Many(Light):
        limit = 3

    class Narrow(Lights):
        kind = Many
        capacity = 1

    result = search(Narrow(), goal=lambda lives: lives[0].actor.rings == 2 and not lives[1].actor.count)
    assert result.verdict == "pass"
    assert "lost: WORD(text='on') from 1 to 2" in str(result.story[-1])


def test_a_crash_loses_what_no_sync_covered() -> None:
    class Fragile(Lights):
        rules = Rules(disk_steps=True)
        crashes = 1

    def forgot(lives: Any) -> bool:
        return lives[1].actor is None and not lives[1].durable

    result = search(Fragile(), goal=lambda lives: forgot(lives) and not lives[0].actor.alarms.dates)
    assert result.verdict == "pass" and Crash(0) in [step.event for step in result.story]


def test_a_violation_comes_with_its_shortest_story_and_replays() -> None:
    class Thrice(Light):
        limit = 3

    class AtMostOne(Lights):
        kind = Thrice
        most = 1

    explorer = Explorer(AtMostOne())
    result = explorer.search(QUICK)
    assert result.verdict == "fail" and result.violation is not None
    assert sorted(type(step.event).__name__ for step in result.story) == ["Arrive", "Arrive", "Ring", "Ring"]
    _, again = explorer.replay(result.story)
    assert again == result.violation
    with pytest.raises(UsageError, match="cannot happen here"):
        explorer.replay(result.story[1:][::-1])


def test_a_budget_that_runs_out_is_inconclusive() -> None:
    result = search(Lights(), Budget(depth=1))
    assert result.verdict == "inconclusive" and "there are more" in result.why
    with pytest.raises(UsageError, match="states is 0"):
        Budget(states=0)


def test_a_chain_without_end_runs_into_its_budget_too() -> None:
    """Every level has a few states only, so a look at the budget now and then within a level is not enough."""

    class Endless(Light):
        limit = 1_000_000_000

    class Chain(Lights):
        kind = Endless
        capacity = 1

    result = search(Chain(), Budget(states=60, seconds=60))
    assert result.verdict == "inconclusive" and result.distinct_states < 120


def test_a_search_in_stages_tells_the_whole_story() -> None:
    class Thrice(Light):
        limit = 3

    class ThreeLights(Lights):
        kind = Thrice

    explorer = Explorer(ThreeLights())
    first = explorer.search(QUICK, collect=lambda lives: light(lives[0]).rings == 2)
    assert first.collected
    second = explorer.search(QUICK, starts=first.collected, goal=lambda lives: light(lives[1]).count == 3)
    assert second.verdict == "pass" and len(second.story) == 6


@pytest.mark.parametrize("fault", ["date", "comparison", "drawn"])
def test_an_actor_that_reads_the_clock_is_never_called_ok(fault: str) -> None:
    class Reader(Light):
        heard = 0.0

        def on_message(self, sender: Address, message: Any, now: float) -> list[Any]:
            if isinstance(message, LinkUp):
                return []
            if fault == "date":
                self.heard = now
            elif fault == "comparison" and self.random.random() < 0.5:
                self.count += 1
            elif fault == "drawn":
                self.count = self.random.choice([1, 2])
            return []

    class Readers(Lights):
        kind = Reader

    result = search(Readers())
    assert result.verdict == "inconclusive"
    assert "date" in result.why or "chance" in result.why


class Judge(Actor):
    """Hears two friends and remembers whom it heard."""

    messages = (Word,)

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.heard: set[str] = set()

    def on_message(self, sender: Address, message: Any, now: float) -> list[Any]:
        if isinstance(message, Word):
            self.heard.add(message.text)
        return []


class Friends(Model):
    """Two friends whose names do not matter, in any order."""

    name = "friends"
    inputs = (Give("ann", Word("ann")), Give("bob", Word("bob")))
    in_order = False
    interchangeable = ("ann", "bob")
    wrong = 9

    def make(self, me: Any, config: Any, random: Any) -> Actor:
        return Judge(me, config, random)

    def holds(self, lives: Any) -> str | None:
        both = sum(len(life.actor.heard) for life in lives if life.actor)
        return f"{both} were heard" if both >= self.wrong else None


@pytest.mark.parametrize("wrong", [9, 2])
def test_symmetry_saves_states_and_changes_no_verdict(wrong: int) -> None:
    class Some(Friends):
        pass

    Some.wrong = wrong
    with_it = Explorer(Some(), symmetry=True).search(QUICK)
    without = Explorer(Some(), symmetry=False).search(QUICK)
    assert with_it.verdict == without.verdict == ("fail" if wrong == 2 else "exhausted, ok")
    assert len(with_it.story) == len(without.story)
    if wrong == 9:
        assert (with_it.distinct_states, without.distinct_states) == (6, 9)


# --- the chat -------------------------------------------------------------------------------


def test_one_term_of_the_election_is_searched_to_its_end_and_holds() -> None:
    result = search(ElectionModel(terms=1, addresses=(1, 2)))
    assert result.verdict == "exhausted, ok"
    assert "elected" in result.reached and "stood back" in result.reached


def test_forgetting_what_is_dead_changes_no_verdict() -> None:
    told = [
        Explorer(ElectionModel(terms=1, addresses=(1, 2), nominations=1), prune=prune).search(QUICK)
        for prune in (True, False)
    ]
    assert [result.verdict for result in told] == ["exhausted, ok"] * 2
    assert set(told[0].reached) == set(told[1].reached)


def shown(life: Any) -> tuple[Any, ...]:
    """What a rule of an election or an invariant may read of a node, but for who answered its nomination."""
    node = life.actor
    here, sync = node.state, node.succession.source
    alarms = tuple(
        sorted((owner, str(name)) for owner, set_ones in life.alarms if owner != "CatchUp" for name in set_ones.dates)
    )
    promised = here.term, here.promised_to, here.leader, here.heard, here.trust
    labels = tuple(entry.label for entry in node.log.entries)
    return here.role, promised, labels, node.log.verified, sync, node.failure.number, alarms, life.durable


@pytest.mark.parametrize(
    "bounds", [{"terms": 1}, {"terms": 1, "beats": 1, "addresses": (2, 3)}, {"terms": 2, "addresses": (1, 3)}], ids=str
)
def test_whatever_happens_with_exact_answers_happens_with_any(bounds: dict[str, Any]) -> None:
    met: dict[str, set[Any]] = {}
    for answers in ("exact", "any"):
        lives_met = met[answers] = set()
        told = cache(shown)
        note: Any = lambda lives, into=lives_met, told=told: bool(into.add(tuple(map(told, lives))))  # noqa: E731
        result = search(ElectionModel(answers=answers, **bounds), Budget(seconds=600), goal=note)
        assert result.verdict == "exhausted, ok"
    assert met["exact"] <= met["any"]


def test_three_terms_with_any_answers_reach_what_exact_answers_reach() -> None:
    result = search(ElectionModel(terms=3, answers="any", addresses=(2, 3), beats=1))
    assert result.verdict == "exhausted, ok"
    assert {"elected", "elected again", "deposed", "stood back"} <= set(result.reached)
    assert any("more than can happen" in bound for bound in result.bounds)


def test_the_log_holds_as_far_as_a_short_search_sees() -> None:
    result = search(LogModel(), Budget(depth=4))
    assert result.verdict == "inconclusive" and result.violation is None
    assert {"committed", "delivered", "crashed"} <= set(result.reached)


class VotesTwice(Succession):
    def _promise(self, sender: int, request: Prepare, now: float) -> Any:
        if request.term == self.state.term:
            self.state.promised_to = sender
        return super()._promise(sender, request, now)


class LeadsAlone(Succession):
    def on_message(self, sender: Any, message: Any, now: float) -> Any:
        if isinstance(message, Promise) and message.ok and self.state.role is Role.PREPARING:
            self.promises[sender] = message.last
            return [Lead()]
        return super().on_message(sender, message, now)


class CommitsAlone(Sequencer):
    def _commit(self) -> Any:
        members, self.log.members = self.log.members, replace(self.log.members, quorum=1)
        effects = super()._commit()
        self.log.members = members
        return effects


class PromisesBeforeDisk(Succession):
    def _promise(self, sender: int, request: Prepare, now: float) -> Any:
        effects = super()._promise(sender, request, now)
        return [effect for effect in effects if not isinstance(effect, Append)]


@pytest.mark.parametrize(
    ("model", "part", "mutant", "killers"),
    [
        (ElectionModel, "succession", VotesTwice, {"S5", "S6"}),
        (ElectionModel, "succession", LeadsAlone, {"S5"}),
        (ElectionModel, "succession", PromisesBeforeDisk, {"S14"}),
        (LogModel, "sequencer", CommitsAlone, {"S1", "S8"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_mutant_is_found_and_its_story_replays(model: Any, part: str, mutant: Any, killers: set[str]) -> None:
    bounds = {"crashes": 0, "inputs": LogModel.inputs[:1]} if model is LogModel else {}
    explorer = Explorer(model(parts={part: mutant}, **bounds), prune=False)
    result = explorer.search(QUICK)
    assert result.verdict == "fail" and result.violation is not None
    assert result.violation.invariant in killers
    assert explorer.replay(result.story)[1] == result.violation


def test_what_any_answers_find_convicts_nobody() -> None:
    result = search(ElectionModel(parts={"succession": LeadsAlone}, answers="any"))
    assert result.verdict == "inconclusive" and result.violation is not None
    assert result.violation.invariant == "S5" and "search exactly" in result.why


def test_without_a_quorum_two_nodes_lead_one_term() -> None:
    result = Explorer(ElectionModel(quorum=1), prune=False).search(QUICK)
    assert result.violation is not None and result.violation.invariant == "S5"
    assert "a term has one leader only" in result.why
    assert result.summary()["verdict"] == "fail" and len(result.summary()["violations"][0]["story"]) == len(
        result.story
    )


def test_a_search_in_which_nobody_is_elected_proves_nothing() -> None:
    result = Explorer(ElectionModel(parts={"election": NeverStands}, terms=1), prune=False).search(QUICK)
    assert result.verdict == "inconclusive" and "'elected' never happened" in result.why


def test_the_same_search_twice_is_the_same() -> None:
    one, two = (search(ElectionModel(), Budget(depth=7)) for _ in range(2))
    assert one.distinct_states == two.distinct_states and one.reached == two.reached


def test_a_life_is_never_changed_by_its_turns() -> None:
    explorer = Explorer(ElectionModel())
    state = Opening(explorer.world).first()
    before = [explorer.world.tables.turns.survey.take(life.actor).token for life in explorer.lives(state)]
    explorer.search(Budget(depth=4))
    after = [explorer.world.tables.turns.survey.take(life.actor).token for life in explorer.lives(state)]
    assert before == after


def test_a_part_that_raises_is_a_violation_with_its_line() -> None:
    class Raises(Succession):
        def stand(self, decision: Any, now: float) -> Any:
            raise ValueError("nothing to stand on")

    result = Explorer(ElectionModel(parts={"succession": Raises}), prune=False).search(QUICK)
    assert result.verdict == "fail" and "nothing to stand on" in result.why and "test_explore.py" in result.why


def test_a_story_reads_from_its_first_alarm() -> None:
    result = search(ElectionModel(), goal="elected")
    assert result.verdict == "pass"
    assert str(result.story[0]).startswith("alarm 'silence' of")
    assert all(isinstance(step.event, (Ring, Arrive)) for step in result.story)


def test_a_disk_that_lets_frames_overtake_it_is_found_in_the_opening() -> None:
    class Hasty(Outbox):
        def admit(self, to: Address, message: Any) -> bool:
            return True

    class HastyNode(Node):
        outbox = Hasty

    explorer = Explorer(SlowDiskModel(node=HastyNode), prune=False)
    result = explorer.search(QUICK)
    assert result.violation is not None and result.violation.invariant == "S14"
    assert explorer.replay(result.story)[1] == result.violation


def test_a_stage_goes_on_where_a_message_is_committed() -> None:
    """Leading without the best log, found in two stages: first a message is committed, then node 2 leads."""

    class LeadsWithoutSync(Succession):
        def _complete(self, now: float) -> Any:
            return [Lead()]

    def ripe(lives: Any) -> bool:
        one, two, three = (life.actor for life in lives)
        nominated = two.state.role is Role.NOMINATING and not one.state.trust
        return three.log.commit == 3 and two.log.last_seq == 2 and nominated

    model = LogModel(parts={"succession": LeadsWithoutSync}, crashes=0, inputs=LogModel.inputs[:1])
    explorer = Explorer(model, prune=False)
    first = explorer.search(Budget(depth=5), collect=ripe)
    second = explorer.search(QUICK, starts=first.collected)
    assert second.violation is not None and second.violation.invariant == "S8"
    assert "'one' was committed at position 3 in term 1" in second.why
    assert explorer.replay(second.story)[1] == second.violation


@pytest.mark.parametrize(
    ("arguments", "code", "verdict"),
    [
        (["--quorum", "1"], 1, "fail"),
        (["--model", "log", "--depth", "2"], 3, "inconclusive"),
        (["--terms", "1", "--beats", "0"], 0, "exhausted, ok"),
        (["--model", "log", "--messages", "0", "--nominee", "2"], 0, "exhausted, ok"),
    ],
)
def test_the_command_prints_one_object_and_tells_the_verdict_by_its_exit_code(
    arguments: list[str], code: int, verdict: str
) -> None:
    run = CliRunner().invoke(app, ["explore", *arguments, "--json"])
    printed = json.loads(run.stdout)
    assert (run.exit_code, printed["verdict"]) == (code, verdict)
    assert {"model", "distinct_states", "states_per_second", "depth", "verdict", "violations"} <= set(printed)
    assert bool(printed["violations"]) == (verdict == "fail")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "log", "--beats", "1"], "--beats is for --model election"),
        (["--model", "disk", "--messages", "1"], "--messages is for --model log"),
        (["--model", "disk", "--answers", "any"], "--answers is for --model election"),
        (["--quorum", "1", "--answers", "any"], "leave it out here"),
        (["--answers", "some"], "write any or exact"),
    ],
)
def test_the_command_says_which_bounds_do_not_go_together(arguments: list[str], sentence: str) -> None:
    run = CliRunner().invoke(app, ["explore", *arguments])
    assert isinstance(run.exception, UsageError) and sentence in str(run.exception)
