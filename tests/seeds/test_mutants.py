"""Every bug that students write is found out, by the invariant that names it; the protocol without it passes."""

from collections.abc import Iterator
from functools import cache

import pytest

from chatsys.campaign.one_seed import schedule
from chatsys.errors import UsageError
from chatsys.mutants.bugs import MUTANTS, Mutant, named
from chatsys.mutants.bugs.mutant import Kill
from chatsys.mutants.hunt import MOST_SEEDS, direct, hunt, table
from chatsys.mutants.schedules import DIRECTED

pytestmark = pytest.mark.quick

TABLE = """
promise forgotten on restart; term forgotten on restart; PROMISE before fsync; vote twice; quorum n//2; lead without SYNC;
adopt longest; old-term commit; own copy counted early; ACK before fsync; stale ACK counted; duplicate ACK counted;
no prev check; conflicting tail kept; lower-term PROPOSE accepted; COORDINATOR of an older term accepted;
relay raises only to the entries' term; every ACK{false} re-opens the window; commit by own last;
leadership resumed after restart; no session dedup; session table not rebuilt; client gap accepted; ok before commit;
retry answered ok early; no trust; unbounded deference; no check-quorum; no barrier; no relay; hold-back kept across terms;
hold-back unbounded; checksum skipped at boot; sync reply without nonce; lower-term OK dropped by the fence;
refuses for ever after a lost TRANSFER_LEAD; damaged batch skipped; log cut at the damage; marks ignored at boot;
late PROMISE counted; PREPARE of an older term promised; HEARTBEAT of an older term followed;
HEARTBEAT of a newer term does not raise the term; PROPOSE of a newer term does not raise the term;
newer term entered in memory only; promises kept across attempts; owed ACK kept across leaders;
matches kept across leaderships; own match kept across leaderships; verified kept across leaders;
ACK to the end of the log; hint counted as a copy; sync chunks in any order; relay beyond commit;
own tail believed after a relay; heartbeat tells the end as commit; PROPOSE tells the end as commit; delivers what is verified; listeners shown the whole log;
commit hint at the end of the log
"""
"""Every mutant that there must be."""

RANDOM = [one for one in MUTANTS.values() if not one.only]
DIRECT = [one for one in MUTANTS.values() if one.directed]
NEARBY = 40
"""If the recorded seed has lost its story (the simulator has changed), so many others are tried."""


def by_name(one: Mutant) -> str:
    return one.name


@cache
def kill(name: str) -> Kill | None:
    """Find a mutant out by its recorded seed, or by one of the first few if that one has lost its story."""
    one = MUTANTS[name]
    assert one.seed is not None
    return hunt(one, [one.seed]) or hunt(one, range(NEARBY))


def test_every_row_of_the_protocols_table_is_a_mutant() -> None:
    rows = {row.strip() for row in TABLE.replace("\n", " ").split(";")}
    assert rows <= set(MUTANTS)


@pytest.mark.parametrize("one", MUTANTS.values(), ids=by_name)
def test_a_mutant_says_what_the_student_did_wrong_and_how_it_is_found(one: Mutant) -> None:
    assert one.story.endswith(".") and one.killers
    assert one.seed is not None or one.directed
    assert not one.directed or one.directed in DIRECTED


def test_the_command_tries_the_seeds_that_are_known_to_kill() -> None:
    assert [one.name for one in RANDOM if one.seed is not None and one.seed >= MOST_SEEDS] == []


@pytest.mark.parametrize("one", RANDOM, ids=by_name)
def test_a_random_schedule_finds_the_mutant(one: Mutant) -> None:
    found = kill(one.name)
    assert found is not None, f"{one.name} survives seed {one.seed} and {NEARBY} others"
    assert found.killer in one.killers
    assert found.sentence.startswith((found.killer, "Node"))


@pytest.mark.parametrize("one", RANDOM, ids=by_name)
def test_the_protocol_without_the_bug_passes_the_same_schedule(one: Mutant) -> None:
    found = kill(one.name)
    assert found is not None and found.seed is not None
    assert schedule(found.seed, one.plan).violations == []


@pytest.mark.parametrize("one", DIRECT, ids=by_name)
def test_its_directed_schedule_finds_the_mutant(one: Mutant) -> None:
    found = direct(one)
    assert found is not None, f"{one.name} survives {one.directed}"
    assert found.killer in one.killers and found.schedule == one.directed


def test_the_table_names_each_mutant_its_killer_and_the_seeds_needed() -> None:
    rows = table(["no session dedup", "hold-back kept across terms"], seeds=20)
    assert isinstance(rows, Iterator)
    first, second = rows
    assert first["mutant"] == "no session dedup" and first["killer"] == "S4" and 1 <= first["seeds_needed"] <= 20
    assert second["schedule"] == "Q23" and second["seed"] is None and second["killer"] == "S1"


def test_a_mutant_that_survives_is_said_to_survive() -> None:
    (row,) = table(["adopt longest"], seeds=1)
    assert row["killer"] == "" and row["sentence"] == "It survived."


def test_the_same_seed_kills_with_the_same_sentence() -> None:
    one = named("vote twice")
    assert hunt(one, [kill(one.name).seed]) == hunt(one, [kill(one.name).seed])  # type: ignore[union-attr, list-item]


def test_an_unknown_mutant_is_refused_with_the_names_of_the_known_ones() -> None:
    with pytest.raises(UsageError, match="There is no mutant 'vote thrice'; write for example 'vote twice'"):
        named("vote thrice")
