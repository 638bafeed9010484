"""Every mutant that changes election or commit is found by trying every order of events, the protocol is not.

Each mutant is searched as `chatsys mutants --explore` does it.  That command, and `chatsys prove`, search all of them, and
the protocol without the bug as far in each; here are those that take a second or two.  The others are found by their
schedules in every run of the tests (`test_mutants`).
"""

import json
from dataclasses import replace
from functools import cache

import pytest
from typed import Run, refused

from chatsys.mutants.bugs import MUTANTS
from chatsys.mutants.searches import OUT_OF_REACH, SEARCHES, Search, Sight, Stage, look, replay, table
from chatsys.mutants.searches.models import Fresh

CHANGES_ELECTION_OR_COMMIT = """
promise forgotten on restart; term forgotten on restart; PROMISE before fsync; vote twice; quorum n//2; lead without SYNC;
adopt longest; old-term commit; own copy counted early; ACK before fsync; stale ACK counted; duplicate ACK counted;
no prev check; conflicting tail kept; lower-term PROPOSE accepted; COORDINATOR of an older term accepted; no fence;
relay raises only to the entries' term; commit by own last; leadership resumed after restart; claims the lead at start;
hold-back kept across terms; second append path; catch-up from anyone; sync reply without nonce; ok before commit;
retry answered ok early;
late PROMISE counted; PREPARE of an older term promised; HEARTBEAT of an older term followed;
HEARTBEAT of a newer term does not raise the term; PROPOSE of a newer term does not raise the term;
newer term entered in memory only; verified kept across leaders; ACK to the end of the log; sync chunks in any order;
relay beyond commit; PROPOSE tells the end as commit;
own tail believed after a relay; heartbeat tells the end as commit
"""
"""What a search must find."""

FOUR_TERMS = {"old-term commit", "sync reply without nonce"}
"""These stories cannot be told in three terms."""

DISTINCT = list({id(search): name for name, search in reversed(SEARCHES.items())}.values())
"""A mutant for each search: several mutants share one."""


TWO_BEATS = {"ACK to the end of the log"}
"""It takes two heartbeats of one leader until it looks further back."""

FAR = {
    "ACK to the end of the log",
    "PROPOSE of a newer term does not raise the term",
    "old-term commit",
    "own tail believed after a relay",
    "relay raises only to the entries' term",
    "stale ACK counted",
    "sync reply without nonce",
    "verified kept across leaders",
}
"""Mutants at the end of six stages and more: `chatsys mutants --explore` has them."""

NEAR = [name for name in SEARCHES if name not in FAR]


@cache
def seen(name: str) -> Sight:
    """Search a mutant."""
    return look(SEARCHES[name], MUTANTS[name])


def test_each_mutant_that_changes_election_or_commit_is_searched() -> None:
    rows = {row.strip() for row in CHANGES_ELECTION_OR_COMMIT.replace("\n", " ").split(";")}
    assert rows <= set(SEARCHES)


def test_of_every_other_mutant_a_sentence_says_why_it_is_out_of_reach() -> None:
    assert set(OUT_OF_REACH) == set(MUTANTS) - set(SEARCHES)
    assert all(reason.endswith(".") for reason in OUT_OF_REACH.values())


@pytest.mark.parametrize("name", NEAR)
def test_the_search_sees_an_invariant_broken_that_names_the_mutant_and_its_story_replays(name: str) -> None:
    sight = seen(name)
    assert sight.verdict == "fail", sight.why
    assert sight.killer in MUTANTS[name].killers
    violation = replay(SEARCHES[name], MUTANTS[name], sight.story)
    assert violation is not None and violation.invariant == sight.killer and violation.sentence == sight.why


LONG = {
    "HEARTBEAT of an older term followed", "PREPARE of an older term promised", "heartbeat tells the end as commit",
    "relay beyond commit", "sync chunks in any order", "ACK before fsync",
    "COORDINATOR of an older term accepted", "PROMISE before fsync", "adopt longest", "lower-term PROPOSE accepted",
    "quorum n//2", "vote twice", *FAR,
}  # fmt: skip
"""Searches of the protocol that take up to half a minute: `chatsys mutants --explore` has them."""


@pytest.mark.parametrize("name", [name for name in DISTINCT if name not in LONG])
def test_the_protocol_passes_through_the_same_stages_and_nothing_is_violated(name: str) -> None:
    search = SEARCHES[name]
    sight = look(search)
    assert sight.verdict in ("exhausted, ok", "inconclusive"), sight.why
    assert sight.reached == len(search.stages), sight.why
    assert not sight.killer and not sight.story


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_stays_within_three_nodes_three_terms_two_messages_and_one_crash(name: str) -> None:
    search = SEARCHES[name]
    model = search.model(**search.bounds)
    assert model.terms <= (4 if name in FOUR_TERMS else 3)
    assert len(model.addresses) == 3 and len(model.inputs) <= 2 and model.crashes <= 1
    assert model.nominations <= 2 and model.beats <= (2 if name in TWO_BEATS else 1)
    assert {"3 nodes", f"terms up to {model.terms}"} <= set(model.bounds)
    assert name in FAR or set(model.bounds) <= set(seen(name).bounds)


def test_what_is_not_judged_is_among_the_bounds() -> None:
    assert "not judged, so as to see the harm that follows: S6" in seen("vote twice").bounds


@pytest.mark.parametrize("stage", [stage for name in DISTINCT for stage in SEARCHES[name].stages], ids=lambda s: s.what)
def test_a_stage_reads_as_the_end_of_a_sentence(stage: Stage) -> None:
    assert stage.what[0] in "'ni" and not stage.what.endswith(".")


def test_the_same_search_twice_sees_the_same() -> None:
    again, once = look(SEARCHES["lead without SYNC"], MUTANTS["lead without SYNC"]), seen("lead without SYNC")
    assert (again.story, again.states, again.why) == (once.story, once.states, once.why)


def test_a_stage_that_is_never_reached_makes_a_search_inconclusive_and_is_named() -> None:
    nobody = Stage("node 1 leads term 7", lambda one, two, three: False)
    sight = look(Search(model=Fresh, bounds={"terms": 1, "nominees": ()}, stages=(nobody,)))
    assert (sight.verdict, sight.reached) == ("inconclusive", 0)
    assert sight.why.startswith("It was not seen that node 1 leads term 7.")


def test_the_table_has_a_row_for_those_found_and_for_those_out_of_reach() -> None:
    found, away = table(["lead without SYNC", "no trust"])
    assert (found["killer"], found["steps"], found["protocol"]) == ("S8", 9, "exhausted, ok")
    assert len(found["story"]) == found["steps"] and found["distinct_states"] > 0 and found["bounds"]
    assert away["verdict"] == "out of reach" and "a promise of time" in away["reason"]


def test_a_killer_that_does_not_name_the_mutant_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SEARCHES, "no trust", SEARCHES["lead without SYNC"])
    (row,) = table(["no trust"])
    assert row["killer"] == "" and row["verdict"] != "fail"


def test_the_command_prints_a_line_each_and_one_object_for_scripts(run: Run) -> None:
    code, out, _ = run("mutants", "lead without SYNC", "no relay", "--explore")
    lines = out.splitlines()
    assert code == 0 and lines[0].split()[:4] == ["mutant", "broken", "steps", "states"]
    assert lines[1].startswith("lead without SYNC") and lines[1].endswith("  holds")
    assert "out of reach" in lines[2] and lines[4].startswith("1 of 2 mutants found by search")
    code, out, _ = run("mutants", "lead without SYNC", "--explore", "--json")
    printed = json.loads(out)
    assert code == 0 and printed["unseen"] == printed["protocol_broken"] == []
    assert printed["mutants"][0]["killer"] == "S8"


def test_a_search_of_the_protocol_that_does_not_come_to_its_end_is_told_and_is_inconclusive(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "claims the lead at start"
    monkeypatch.setitem(SEARCHES, name, replace(SEARCHES[name], states=60))
    code, out, _ = run("mutants", name, "--explore")
    assert code == 3 and "INCONCLUSIVE without the bug" in out
    assert f"  {name}: The budget of 60 distinct states ran out" in out
    code, out, _ = run("mutants", name, "--explore", "--json")
    printed = json.loads(out)
    assert (
        code == 3
        and printed["protocol_inconclusive"] == [name]
        and printed["unseen"] == printed["protocol_broken"] == []
    )


def test_the_command_refuses_what_cannot_be_meant(run: Run) -> None:
    refused(run("mutants", "vote thrice", "--explore"), "There is no mutant 'vote thrice'")
    refused(run("mutants", "--explore", "--seeds", "3"), "it takes no --seeds")
