"""The generic model: what may happen is said as data, and is neither more nor less than that."""

from typing import Any

import msgspec
import pytest
from toy_bully import Bully, Counts, ToyElection, Word, compress, one_leader_a_term, stage

from chatsys.actor.actor import Actor
from chatsys.actor.effects import Note, Send
from chatsys.actor.events import Say
from chatsys.errors import UsageError
from chatsys.explore.explorer import Budget, Explorer, Result
from chatsys.explore.stage_model import StageModel

pytestmark = pytest.mark.quick

QUICK = Budget(states=60_000, seconds=600)


def search(model: StageModel) -> Result:
    return Explorer(model).search(QUICK)


def election(bully: type, **bounds: Any) -> StageModel:
    usual: dict[str, Any] = {
        "alarms": {"silence": 1, "wait": 1}, "under_way": 1, "keeps": ("lead",), "recorded": one_leader_a_term,
        "compress": compress,
    }  # fmt: skip
    return StageModel(stage(bully), 3, **usual | bounds)


def test_nodes_that_count_to_the_same_term_are_found_with_a_story_of_a_few_steps() -> None:
    result = search(election(Counts, crashes=(3,), under_way=3))
    assert (result.verdict, result.violation and result.violation.sentence) == (
        "fail", "Node 1 and node 2 both led term 1.",
    )  # fmt: skip
    assert len(result.story) <= 4 and result.distinct_states < 1_000
    assert str(result.story[0]) == "alarm 'silence' of 1 (ToyElection) rings"


def test_the_right_election_is_searched_to_its_end() -> None:
    result = search(election(Bully))
    assert (result.verdict, "lead" in result.reached) == ("exhausted, ok", True)


def test_the_right_election_holds_with_a_crash_too() -> None:
    assert search(election(Bully, crashes=(3,))).verdict == "exhausted, ok"


# --- a small actor, to count what may happen ----------------------------------------------------------


class Counter(Actor):
    """Rings, tells everybody, and notes what it hears."""

    messages = (Word,)

    def start(self, now: float) -> list[Any]:
        self.heard = self.rung = 0
        self.alarms.set("ring", now + 1)
        self.alarms.set(("ask", 2), now + 1)
        return []

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        self.rung += 1
        self.alarms.set(name, now + 1)
        return [Send(node, Word("OK", 1)) for node in self.config.ids if node != self.me]

    def on_message(self, sender: Any, message: Any, now: float) -> list[Any]:
        self.heard += isinstance(message, Word)
        return [Note("heard", peer=sender, term=self.heard)] if isinstance(message, Word) else []

    def on_command(self, command: msgspec.Struct, now: float) -> list[Any]:
        return [Note("said", text=getattr(command, "text", ""))]


def most(what: str, **bounds: Any) -> int:
    """Return the highest value of a field in any state."""
    seen = [0]

    def look(lives: Any) -> None:
        seen.append(max((getattr(one, what) for one in lives), default=0))

    assert search(StageModel(Counter, 2, holds=look, **bounds)).verdict == "exhausted, ok"
    return max(seen)


def test_an_alarm_rings_as_often_as_it_may_and_one_that_is_not_named_never() -> None:
    assert most("rung", alarms={"ring": 2}) == 2
    assert most("rung", alarms={}) == 0
    assert most("rung", alarms={"ring": 1, "ask": 2}) == 3
    assert most("rung", alarms={("ask", 2): 1}) == 1


def test_a_crash_does_not_give_the_alarms_back() -> None:
    assert most("rung", alarms={"ring": 2}, crashes=(1, 2)) == 2


def test_a_frame_arrives_or_is_lost_or_comes_twice() -> None:
    assert most("heard", alarms={"ring": 1}) == 1
    assert most("heard", alarms={"ring": 1}, twice=1) == 2
    assert most("heard", alarms={"ring": 1}, frames=()) == 0


def test_only_the_nodes_that_are_named_crash_and_the_judge_sees_those_that_are_up() -> None:
    seen: set[tuple[int, ...]] = set()

    def look(lives: Any) -> None:
        seen.add(tuple(one.me for one in lives))

    search(StageModel(Counter, 3, alarms={}, crashes=(3, 3, 2), holds=look))
    assert seen == {(1, 2, 3), (1, 2), (1, 3), (1,)}


def test_a_node_crashes_no_more_often_than_it_is_named() -> None:
    lives: set[int] = set()

    def look(up: Any) -> None:
        lives.add(len(up))

    model = StageModel(Counter, 2, alarms={}, crashes=(1, 1), holds=look)
    explorer = Explorer(model)
    explorer.search(QUICK)
    assert max(life.incarnation for life in explorer.world.tables.lives if life.me == 1) == 3
    assert max(life.incarnation for life in explorer.world.tables.lives if life.me == 2) == 1


def test_a_command_is_given_once_to_its_node() -> None:
    said: set[tuple[Any, ...]] = set()

    def look(records: Any) -> None:
        said.add(tuple((record.node, record.text) for record in records))

    commands = [(1, Say("one", "main", "ann")), (2, Say("two", "main", "ann"))]
    search(StageModel(Counter, 2, alarms={}, commands=commands, keeps=("said",), recorded=look))
    assert said == {(), ((1, "one"),), ((2, "two"),), ((1, "one"), (2, "two"))} - {()}


def test_what_was_noted_before_a_crash_is_kept() -> None:
    def look(records: Any) -> str | None:
        return "both heard" if {record.node for record in records} == {1, 2} else None

    result = search(StageModel(Counter, 2, alarms={"ring": 1}, crashes=(1,), keeps=("heard",), recorded=look))
    assert (result.verdict, result.why) == ("fail", "both heard")


def test_a_search_says_what_it_left_out() -> None:
    model = StageModel(Counter, 2, alarms={"ring": 2, "beat": None}, frames=(Word,), crashes=(1,))
    assert model.bounds[1:] == (
        "3 frames in flight, any loss", "1 crashes, 0 duplicates, 0 pauses, 0 messages",
        "alarms of each node: 'ring' 2, 'beat' any number of times", "frames that arrive: Word",
        "every record is durable at once",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"crashes": (4,)}, "There is no node 4; there are 1, 2, 3."),
        ({"crashes": (1,) * 16}, "16 crashes are too many"),
        ({"keeps": ("lead",)}, "keeps and recorded go together"),
        ({"commands": [(1, Say("a", "main", "ann")), (2, Say("a", "main", "ann"))]}, "Two of the commands are equal"),
    ],
)
def test_a_model_that_cannot_be_meant_is_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        StageModel(ToyElection, 3, alarms={}, **wrong)
