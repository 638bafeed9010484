"""Shrinking: hundreds of steps become the few that matter, and the result replays and reads well."""

import re
import subprocess
import sys
from ast import literal_eval
from contextlib import redirect_stdout
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from io import StringIO
from pathlib import Path

import msgspec
import pytest

from chatsys.actor.effects import Effects
from chatsys.campaign import reductions as simpler
from chatsys.campaign.liveness import overdue
from chatsys.campaign.one_seed import Plan
from chatsys.campaign.shrink import Case, Shrunk, _without_strangers, shrink, shrink_seed
from chatsys.config import ClusterConfig
from chatsys.errors import UsageError
from chatsys.faults import KINDS, Fault, Script
from chatsys.faults.wording import as_call, in_words
from chatsys.mutants.bugs import MUTANTS
from chatsys.mutants.stories import Story, story
from chatsys.protocol.decisions import Lead
from chatsys.protocol.succession import Succession
from chatsys.sim.world import World


class LeadWithoutSync(Succession):
    """Leads as soon as a quorum promised, whatever newer entries the promisers hold."""

    def _complete(self, now: float) -> Effects:
        return [Lead()]


BAD = {"succession": LeadWithoutSync}

SOME = (
    "promise forgotten on restart",
    "vote twice",
    "leadership resumed after restart",
    "claims the lead at start",
    "no fence",
    "no barrier",
    "no session dedup",
    "client gap accepted",
    "ok before commit",
    "ACK before fsync",
)
"""Mutants of every part and of every kind of law; `python -m chatsys.mutants.stories` tells them all."""


@pytest.fixture(scope="module")
def shrunk() -> Shrunk:
    """A failing seed of the mutant, shrunk."""
    return shrink_seed(1, Plan(kinds=KINDS), parts=BAD, seconds=600)


@cache
def short(name: str) -> Story:
    """Return the story of a mutant."""
    found = story(MUTANTS[name], seconds=600)
    assert found is not None, f"no random schedule kills {name}"
    return found


def printed(code: str) -> str:
    """Return what these lines print where nothing is known but Python."""
    out = StringIO()
    with redirect_stdout(out):
        exec(code, {})
    return out.getvalue()


# --- one run, looked at closely -------------------------------------------------------------


def test_hundreds_of_steps_become_at_most_twelve(shrunk: Shrunk) -> None:
    assert shrunk.steps_before > 100 and 1 <= len(shrunk.script) <= 12
    assert shrunk.finished


def test_the_small_run_fails_again_for_the_same_reason(shrunk: Shrunk) -> None:
    again = shrunk.case.fails(shrunk.violation.invariant)
    assert again is not None and again.sentence == shrunk.violation.sentence


def test_no_single_step_can_be_left_out(shrunk: Shrunk) -> None:
    steps = shrunk.script.faults
    for at in range(len(steps)):
        fewer = msgspec.structs.replace(shrunk.case, script=Script(steps[:at] + steps[at + 1 :]))
        assert fewer.fails(shrunk.violation.invariant) is None


def test_the_story_tells_the_cluster_each_step_who_led_what_broke_and_what_its_words_mean(shrunk: Shrunk) -> None:
    lines = shrunk.story().splitlines()
    count = len(shrunk.script)
    assert lines[0] == "A cluster of 3 nodes."
    assert [line.split()[0] for line in lines[1 : count + 1]] == [f"{number}." for number in range(1, count + 1)]
    assert lines[count + 1].startswith("Leaders: node ")
    assert lines[count + 2 : count + 4] == ["", shrunk.sentence]
    assert "  term: the number of one leadership; each election begins a higher one" in lines[count + 4 :]


def test_the_real_protocol_holds_in_the_same_small_run(shrunk: Shrunk) -> None:
    assert msgspec.structs.replace(shrunk.case, parts=None).fails() is None


# --- every kind of bug ----------------------------------------------------------------------


@pytest.mark.parametrize("name", SOME)
def test_the_run_of_a_mutant_shrinks_to_at_most_twelve_steps_that_break_what_killed_it(name: str) -> None:
    one = short(name)
    assert one.shrunk.finished and one.shrunk.steps_before > 100
    assert len(one.shrunk.script) <= 12
    assert one.shrunk.violation.invariant == one.killer


@pytest.mark.parametrize("name", SOME)
def test_its_lines_fail_again_where_they_are_pasted(name: str) -> None:
    one = short(name).shrunk
    assert one.violation.sentence in [
        line.strip().removeprefix("exactly: ") for line in printed(one.code()).splitlines()
    ]


@pytest.mark.parametrize("name", SOME)
def test_its_sentence_names_who_and_what_and_when_in_words_that_people_use(name: str) -> None:
    told = short(name).shrunk.story()
    sentence = short(name).shrunk.sentence
    assert re.search(r"\b[Nn]ode \d", sentence) or re.search(r"\b(ann|bob|eve)\b", sentence)
    assert re.search(r"term \d|position \d|message \d|'\w+'", sentence)
    assert sentence.endswith(".") and not re.search(r"\b[0-9a-f]{12,}\b|None|\{|\[|\w\(", told)


@pytest.mark.parametrize("name", SOME)
def test_its_times_have_at_most_two_digits_and_its_lines_fit_on_a_page(name: str) -> None:
    code = short(name).shrunk.code()
    assert not re.search(r"\d\.\d{3}", code)
    assert len(code.splitlines()) <= 20 and max(map(len, code.splitlines())) <= 160


def test_the_lines_run_in_a_fresh_interpreter() -> None:
    one = short("vote twice").shrunk
    done = subprocess.run([sys.executable, "-c", one.code()], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == (f"{one.violation}\n", "")


def test_the_lines_import_what_the_package_has() -> None:
    assert "from chatsys.mutants.bugs.succession import VotesTwice" in short("vote twice").shrunk.code().splitlines()
    assert "runpy" not in short("vote twice").shrunk.code()


def test_a_law_of_liveness_shrinks_to_steps_that_end_with_a_mend() -> None:
    one = short("no barrier").shrunk
    assert one.violation.invariant in ("L2", "L3") and [fault.verb for fault in one.script if fault.verb != "say"] == [
        "mend"
    ]
    assert overdue(one.case.world()) == []  # nothing can be overdue at the beginning


# --- a class of somebody's own --------------------------------------------------------------

MINE = """
from chatsys.protocol.messages import Propose
from chatsys.protocol.ordering import Receiver

class Picky(Receiver):
    def on_message(self, sender, message, now):
        texts = [entry.text for entry in message.entries] if isinstance(message, Propose) else []
        if "second" in texts:
            raise ValueError("not again")
        while "third" in texts and not any(entry.text == "first" for entry in self.log.entries):
            pass
        return super().on_message(sender, message, now)
"""


def picky(place: Path) -> dict[str, type]:
    """Return the class of a file that no `import` finds, as the part it is."""
    place.write_text(MINE)
    spec = spec_from_file_location("given_by_hand", place)
    assert spec is not None and spec.loader is not None
    sys.modules[spec.name] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return {"receiver": module.Picky}


def test_the_lines_bring_the_class_from_its_file(tmp_path: Path) -> None:
    parts = picky(tmp_path / "my lab.py")
    script = Script([(1.0, "say", "first"), (2.0, "say", "second"), (3.0, "crash", 1)])
    one = shrink(Case(seed=1, script=script, config=ClusterConfig.of(3), parts=parts))
    assert len(one.script) == 1 and one.sentence == "Node 1 stopped itself: ValueError: not again (my lab.py, line 9)"
    done = subprocess.run([sys.executable, "-c", one.code()], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[0] == one.sentence and not done.stderr


def test_a_class_that_loops_in_a_shorter_run_costs_the_budget_and_no_more(tmp_path: Path) -> None:
    parts = picky(tmp_path / "loops.py")
    script = Script([(1.0, "say", "first"), (2.0, "say", "third"), (3.0, "say", "second")])
    one = shrink(Case(seed=1, script=script, config=ClusterConfig.of(3), parts=parts), seconds=1.0)
    assert not one.finished and "not again" in one.sentence


# --- what is said of a step -----------------------------------------------------------------


TOLD = {
    '3.0, "say", "hi"': "At 3 s ann says 'hi'.",
    '3.0, "say", "hi", 2, "main", "bob"': "At 3 s bob says 'hi' to node 2.",
    '0.25, "crash", 3': "At 0.25 s node 3 crashes.",
    '1.0, "crash", "leader"': "At 1 s the leader crashes.",
    '1.0, "partition", (2,), (1, 3)': "At 1 s the network splits: node 2 | nodes 1 and 3.",
    '1.0, "partition", ("leader",)': "At 1 s the network splits: the leader | the others.",
    '1.0, "partition", (3,), (1, 2), True': "At 1 s nothing from node 3 reaches nodes 1 and 2 any more; "
    "the way back works.",
    '1.0, "cut", 1, 2': "At 1 s the link between nodes 1 and 2 is cut.",
    '1.0, "reconnect", 1, 2': "At 1 s the link between nodes 1 and 2 works again.",
    '1.0, "reconnect", 1, 2, True': "At 1 s what node 1 sends reaches node 2 again.",
    '1.0, "slow", "*", "*", 0.0, 0.08': "At 1 s every link is slower by up to 0.08 s, each frame by another time, "
    "so that frames overtake.",
    '1.0, "slow", 1, 2, 0.5': "At 1 s the link between nodes 1 and 2 is slower by 0.5 s.",
    '1.0, "lose", 1, 2, 0.0': "At 1 s the link between nodes 1 and 2 loses nothing any more.",
    '1.0, "duplicate", 1, "*", 0.5, 8.0': "At 1 s every link of node 1 delivers 50% of its frames twice, "
    "the copy up to 8 s later.",
    '1.0, "ambush", "lead", 0.0, 2.0': "From 1 s on: the next node that becomes leader crashes at once; "
    "it starts again after 2 s.",
    '1.0, "disk", 3, "ok"': "At 1 s the disk of node 3 works well again.",
    '1.0, "clock", 3, 1.1': "At 1 s the clock of node 3 runs at 1.1 times the right speed.",
    '1.0, "mend"': "From 1 s on everything is in order: links, disks and clocks; all nodes run.",
}
"""Steps as code, and in words."""


@pytest.mark.parametrize(("code", "words"), TOLD.items())
def test_a_step_is_told_as_code_and_in_words(code: str, words: str) -> None:
    (fault,) = Script([literal_eval(f"({code})")])
    assert (as_call(fault), in_words(fault)) == (code, words)


def test_a_text_with_quotes_stays_the_same_text() -> None:
    (fault,) = Script([(1.0, "say", "a\"b'c\\")])
    assert literal_eval(f"({as_call(fault)})") == (1.0, "say", "a\"b'c\\")


# --- what is tried --------------------------------------------------------------------------


def test_a_smaller_cluster_has_new_numbers_and_no_step_of_the_nodes_that_are_gone() -> None:
    script = Script(
        [
            (1.0, "partition", (2, 5), (1, 3, 4)),
            (1.5, "partition", (1,), (2, 3, 4, 5), True),
            (2.0, "say", "hi", 3, "main", "ann"),
            (2.5, "say", "yo", 5, "main", "bob"),
            (3.0, "crash", 4),
            (4.0, "crash", "leader"),
            (5.0, "lose", 3, 5, 0.5),
        ]
    )
    small = simpler.smaller(Case(seed=1, script=script, config=ClusterConfig.of(5)), (2, 4, 5))
    assert small.config.ids == (1, 2, 3) and small.config.quorum == 2
    assert small.script == Script(
        [
            (1.0, "partition", (1, 3), (2,)),
            (2.0, "say", "hi", None, "main", "ann"),
            (2.5, "say", "yo", 3, "main", "bob"),
            (3.0, "crash", 2),
            (4.0, "crash", "leader"),
        ]
    )


def test_people_are_named_in_order_of_appearance_and_so_are_texts() -> None:
    script = Script([(1.0, "say", "x 9", 2, "main", "eve"), (2.0, "say", "x 1", 3, "main", "eve")])
    *_, names, texts = simpler.people(Case(seed=1, script=script, config=ClusterConfig.of(3)))
    assert [fault.args[3] for fault in names.script] == ["ann", "bob"]
    assert [fault.args[0] for fault in texts.script] == ["first", "second"]


def test_times_only_ever_get_easier_to_read() -> None:
    plain = Case(seed=1, script=Script([(1.0, "crash", 3), (2.0, "restart", 3)]), config=ClusterConfig.of(3))
    assert list(simpler.times(plain)) == []
    ugly = msgspec.structs.replace(plain, script=Script([(1.123, "crash", 3), (2.987, "restart", 3)]))
    assert [fault.time for fault in next(iter(simpler.times(ugly))).script] == [1.0, 2.0]


# --- refusals -------------------------------------------------------------------------------


def test_a_seed_that_does_not_fail_is_refused_with_a_sentence() -> None:
    with pytest.raises(UsageError, match="nothing to shrink"):
        shrink_seed(1, Plan(seconds=2, calm=2))


def test_a_budget_of_zero_is_refused_with_a_sentence() -> None:
    case = Case(seed=1, script=Script(), config=ClusterConfig.of(3))
    with pytest.raises(UsageError, match="positive time"):
        shrink(case, seconds=0)


def test_a_search_that_runs_out_of_time_says_so_and_keeps_a_failing_run() -> None:
    cut_short = shrink_seed(1, Plan(kinds=KINDS), parts=BAD, seconds=0.01)
    assert not cut_short.finished and "out of time" in str(cut_short)
    assert cut_short.case.fails(cut_short.violation.invariant)


def test_a_partition_of_five_is_told_among_those_that_are_left() -> None:
    world = World(nodes=5)
    world.partition({1, 2}, {3, 4, 5})
    world.partition({1}, {5}, one_way=True)
    case = Case(seed=1, script=world.script, config=world.config)
    left = simpler.smaller(case, (2, 3, 5))
    assert [step.args for step in left.script] == [((1,), (2, 3))], "who is gone is cut off from nobody"


def test_the_runs_of_five_nodes_shrink_too() -> None:
    found = shrink_seed(0, Plan(nodes=5, kinds=KINDS, quorum=1), seconds=600)
    assert len(found.case.script) <= 12 and found.violation.invariant


def test_nothing_is_overdue_in_a_world_that_nobody_mended() -> None:
    world = World(seed=1)
    world.crash(3)
    world.run(40)
    assert overdue(world) == []


def test_a_learner_that_does_not_join_any_more_is_in_no_other_step() -> None:
    steps = [Fault(1.0, "join", (6, 1)), Fault(2.0, "crash", (6,)), Fault(3.0, "crash", (1,))]
    assert _without_strangers(steps, (1, 2, 3)) == steps and _without_strangers(steps[1:], (1, 2, 3)) == steps[2:]
    case = Case(seed=1, script=Script(steps), config=ClusterConfig.of(5))
    assert [step.args for step in simpler.smaller(case, (1, 3, 5)).script] == [(6, 1), (6,), (1,)]
