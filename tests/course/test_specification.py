"""The specification and the code say the same: every rule is held somewhere, every table is the registry's.

    **R8.6** A leader commits ...   <--cited-->   # SPECIFICATION R8.6      in chatsys/ or tests/
    | S8 | leader completeness ...  <--equal-->   chatsys.check.SAFETY["S8"]

Whoever adds a frame, a timer, an invariant or a mutant writes its line on the page, or a test here fails.
"""

import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from by_hand import config

import chatsys.protocol
from chatsys.actor.effects import Append, Send
from chatsys.actor.logfile import FORMAT, decode
from chatsys.check import SAFETY
from chatsys.check.frames import ALLOWANCE, BEATS, BOUND
from chatsys.check.histories import VISIBLE
from chatsys.check.liveness import LAWS
from chatsys.config import MAX_VOTERS, Limits, Timing
from chatsys.errors import BrokenInvariant
from chatsys.faults.model import BOUNDS, PAUSE
from chatsys.mutants.bugs import MUTANTS
from chatsys.mutants.schedules import DIRECTED
from chatsys.protocol import messages as frames
from chatsys.protocol.client import GAPS_TO_BELIEVE
from chatsys.protocol.fence import RULES as FENCE_RULES
from chatsys.protocol.fence import Fence
from chatsys.protocol.learning.admission import SHOWN
from chatsys.protocol.learning.records import LEARNER_RECORDS
from chatsys.protocol.learning.table import REMEMBERED
from chatsys.protocol.listening.reading import CONFIRM_EVERY
from chatsys.protocol.messages import NODE_MESSAGES, Label, Message, PeerInfo, wire_name
from chatsys.protocol.node import Node
from chatsys.protocol.serving.subscribers import CREDIT
from chatsys.protocol.session_table import NAME_CHARACTERS
from chatsys.protocol.sessions import MAX_HOPS
from chatsys.protocol.state import MOVES, NodeState, Role
from chatsys.protocol.storage import NODE_RECORDS, Boot

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parent.parent.parent
PAGE = Path(chatsys.protocol.__file__).with_name("SPECIFICATION.md")
TEXT = PAGE.read_text(encoding="utf-8")

RULE = r"R\d+\.\d+"
RULES = re.findall(rf"^\*\*({RULE})\*\* ", TEXT, re.MULTILINE)
CITATION = re.compile(rf"SPECIFICATION ({RULE}(?:(?:, | and ){RULE})*)")


def table(*head: str) -> list[tuple[str, ...]]:
    """Return the rows of the one table of the page whose head begins with these words."""
    first = "| " + " | ".join(head)
    found = [number for number, line in enumerate(TEXT.splitlines()) if line.startswith(first)]
    assert len(found) == 1, f"{len(found)} tables begin with {first!r}"
    rows = []
    for line in TEXT.splitlines()[found[0] + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(tuple(cell.strip().strip("`") for cell in line.strip("|").split("|")))
    return rows


def column(rows: list[tuple[str, ...]], number: int = 0) -> list[str]:
    """Return one column."""
    return [row[number] for row in rows]


def sources() -> Iterator[Path]:
    """Yield every file that may cite a rule."""
    for folder in ("chatsys", "tests"):
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if path != Path(__file__))


# --- the rules --------------------------------------------------------------------------------


@cache
def cited() -> dict[str, list[str]]:
    """Return for each rule that is cited where it is."""
    where: dict[str, list[str]] = {}
    for path in sources():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for citation in CITATION.findall(line):
                for rule in re.findall(RULE, citation):
                    where.setdefault(rule, []).append(f"{path.relative_to(ROOT)}:{number}")
    return where


def test_every_rule_that_is_cited_stands_in_the_specification() -> None:
    unknown = {rule: where for rule, where in cited().items() if rule not in RULES}
    assert not unknown


def test_every_rule_of_the_specification_is_cited_where_it_is_held() -> None:
    assert [rule for rule in RULES if rule not in cited()] == []


def test_a_number_of_a_rule_stands_only_in_a_citation() -> None:
    """A number that the test above cannot see would be cited for nothing."""
    stray = []
    for path in sources():
        text = CITATION.sub("", path.read_text(encoding="utf-8"))
        stray += [f"{path.relative_to(ROOT)} has {rule}" for rule in re.findall(rf"\b{RULE}\b", text)]
    assert not stray


def test_the_rules_of_a_chapter_are_numbered_from_one_without_a_gap() -> None:
    seen: list[tuple[int, int]] = []
    chapter = 0
    for line in TEXT.splitlines():
        if match := re.match(r"## (\d+)\. ", line):
            assert int(match[1]) == chapter + 1
            chapter += 1
        if match := re.match(r"\*\*R(\d+)\.(\d+)\*\* ", line):
            assert int(match[1]) == chapter, line
            seen.append((int(match[1]), int(match[2])))
    for before, after in zip([(0, 0), *seen], seen, strict=False):
        assert after == ((before[0], before[1] + 1) if before[0] == after[0] else (after[0], 1))


def test_every_rule_says_why() -> None:
    rules = re.split(rf"^(?=\*\*{RULE}\*\* )", TEXT, flags=re.MULTILINE)[1:]
    assert [rule[2:8] for rule in rules if "\n*Why:* " not in rule] == []


def test_every_rule_that_the_page_speaks_of_exists() -> None:
    assert set(re.findall(rf"\b{RULE}\b", TEXT)) == set(RULES)
    assert len(RULES) == len(set(RULES))


# --- its tables -------------------------------------------------------------------------------


def test_the_table_of_frames_has_every_message_with_all_its_fields() -> None:
    known = {wire_name(kind.__name__): kind for kind in NODE_MESSAGES}
    rows = table("message", "fields", "sent by")
    assert sorted(column(rows)) == sorted(known)
    for name, fields, _, disk, _ in rows:
        assert fields.split(", ") == list(known[name].__struct_fields__), name
        assert (disk == "overtakes") is known[name].overtakes_disk, name


def test_the_fields_of_an_entry_are_told() -> None:
    told = re.search(r"An entry is `\{(.*?)\}`", TEXT)
    assert told is not None
    assert told[1].split(", ") == list(frames.Entry.__struct_fields__)


def test_the_table_of_timers_is_the_configuration() -> None:
    rows = table("name", "default", "meaning", "rule")
    assert {name: float(default) for name, default, *_ in rows} == msgspec.structs.asdict(Timing())


def test_the_table_of_limits_is_the_configuration() -> None:
    rows = table("name", "default", "what it bounds")
    assert {name: int(default) for name, default, _ in rows} == msgspec.structs.asdict(Limits())


def test_the_table_of_roles_is_the_table_of_moves() -> None:
    told = {role: set(moves.split(", ")) for role, _, moves in table("role", "what the node does")}
    assert told == {role.name: {move.name for move in moves} for role, moves in MOVES.items()}


def test_the_table_of_records_is_what_a_log_may_hold() -> None:
    told = {name: fields.split(", ") for name, fields, *_ in table("record", "fields")}
    assert told == {kind.__struct_config__.tag: list(kind.__struct_fields__) for kind in NODE_RECORDS}
    assert f"This is format {FORMAT}:" in TEXT


def test_the_table_of_a_learners_records_is_what_its_log_may_hold() -> None:
    told = {name: [] if fields == "-" else fields.split(", ") for name, fields, _ in table("a learner's record")}
    assert told == {kind.__struct_config__.tag: list(kind.__struct_fields__) for kind in LEARNER_RECORDS}
    assert f"shows its first {SHOWN} digits" in TEXT.replace("show its", "shows its")
    assert f"The latest {REMEMBERED:,} of them" in TEXT


def test_the_table_of_safety_says_what_each_invariant_means() -> None:
    safety, liveness = (rows for rows in _tables("name", "title", "meaning"))
    assert safety == [(kind.name, kind.title, kind.meaning) for kind in SAFETY.values()]
    assert column(liveness) == list(LAWS)


def test_what_the_second_checker_judges_is_told() -> None:
    told = re.search(r"A second checker judges (.*?) from", TEXT)
    assert told is not None
    names: set[str] = set()
    for first, last in re.findall(r"S(\d+)(?: to S(\d+))?", told[1]):
        names |= {f"S{number}" for number in range(int(first), int(last or first) + 1)}
    assert names == set(VISIBLE)


def test_the_table_of_faults_has_every_verb_of_the_fault_model() -> None:
    assert column(table("verb", "what it does", "bound")) == list(BOUNDS)
    bounds = {verb: bound for verb, _, bound in table("verb", "what it does", "bound")}
    for verb, known in BOUNDS.items():
        for bound in known:
            most = (bound.most - 1) * 100 if verb == "clock" else bound.most
            assert re.search(rf"\b{most:g}\b", bounds[verb]), f"{verb} has no {most:g}"
    assert bounds["pause"] == f"up to {PAUSE:g} s"


def test_the_table_of_schedules_is_the_registry() -> None:
    assert dict(table("schedule", "story")) == {name: one.title for name, one in DIRECTED.items()}  # type: ignore[arg-type]


def test_the_table_of_mutants_is_the_registry() -> None:
    rows = table("mutant", "breaks", "killed by", "schedule")
    assert sorted(column(rows)) == sorted(MUTANTS)
    for name, breaks, killers, schedule in rows:
        assert tuple(killers.split(", ")) == MUTANTS[name].killers, name
        assert schedule == (MUTANTS[name].directed or "-"), name
        assert set(breaks.split(", ")) <= set(RULES), name


def test_the_numbers_in_the_text_are_those_of_the_code() -> None:
    assert f"1 to {MAX_VOTERS} of them" in TEXT
    assert f"at most {CREDIT:,} messages beyond" in TEXT
    assert f"confirms every {CONFIRM_EVERY}," in TEXT
    assert f"1 to {NAME_CHARACTERS} characters" in TEXT
    assert f"at most {BOUND:g} frames one way" in TEXT
    assert f"a stretch of {BEATS:g} heartbeats, after an allowance of {ALLOWANCE}" in TEXT
    assert (GAPS_TO_BELIEVE, "Three answers `gap` in a row" in TEXT) == (3, True)
    assert (MAX_HOPS, "One that was forwarded twice already" in TEXT) == (2, True)


def _tables(*head: str) -> list[list[tuple[str, ...]]]:
    """Return the rows of all tables of this very head, in their order."""
    first = "| " + " | ".join(head) + " |"
    lines = TEXT.splitlines()
    found = []
    for number, line in enumerate(lines):
        if line == first:
            rows = []
            for row in lines[number + 2 :]:
                if not row.startswith("|"):
                    break
                rows.append(tuple(cell.strip() for cell in row.strip("|").split("|")))
            found.append(rows)
    return found


# --- the fence, every cell --------------------------------------------------------------------

OWN = 5
SENDER = 3


def made(name: str, term: int) -> Message:
    """Return the frame of a row of the fence's table, of this term."""
    kind, *variant = name.split(" ", 1)
    cls = {wire_name(one.__name__): one for one in NODE_MESSAGES}[kind]
    given: dict[str, Any] = {"term": term} if "term" in cls.__struct_fields__ else {}
    if variant and variant[0] in ("ok", "not ok"):
        given["ok"] = variant[0] == "ok"
    elif variant:
        given["purpose"] = variant[0]
    filled = {
        "node": SENDER, "status": "ok", "members": (1, 2, 3), "round": 1, "verdict": "support", "number": 1,
        "leader": PeerInfo(SENDER, "node3:0"), "barrier": 1, "commit": 0, "to": 2, "last": Label(0, 0),
        "prev": Label(0, 0), "entries": (), "first": 1, "nonce": 1, "more": False, "client_id": "c",
        "client_seq": 1, "numbers": (), "verified": 0, "identity": "9f",
    }  # fmt: skip
    for field in cls.__struct_fields__:
        if field not in given and field in filled:
            given[field] = filled[field]
    if kind == "SUBMIT_REPLY":
        given["status"] = "ok"
    return cls(**given)


def seen(message: Message, role: Role) -> str:
    """Return in the table's words what the fence of node 2, in term OWN and this role, does with the frame."""
    here = NodeState(2, config())
    here.term, here.role, here.promised_to = OWN, role, 2
    if role is Role.LEADER:
        here.leader = 2
    try:
        effects, passes = Fence(here, config(), Random(1)).check(SENDER, message)
    except BrokenInvariant:
        return "broken"
    if any(isinstance(effect, Append) for effect in effects):
        assert here.term == OWN + 1, "it writes down the term that it enters"
        assert passes is isinstance(message, frames.Coordinator | frames.Heartbeat | frames.Propose)
        return "enters"
    assert here.term == OWN
    if any(isinstance(effect, Send) for effect in effects):
        (answer,) = [effect.message for effect in effects if isinstance(effect, Send)]
        assert (answer.ok, answer.term, passes) == (False, OWN, False)  # type: ignore[attr-defined]
        assert not isinstance(answer, frames.Ack) or answer.hint is None
        return "refused"
    return "passes" if passes else "dropped"


FENCE = table("message", "older", "same, receiver does not lead")


def test_the_table_of_the_fence_has_every_message_and_every_variant() -> None:
    expected: list[str] = []
    for kind in NODE_MESSAGES:
        name = wire_name(kind.__name__)
        if "purpose" in kind.__struct_fields__:
            expected += [f"{name} follow", f"{name} sync", f"{name} relay"]
        elif "ok" in kind.__struct_fields__:
            expected += [f"{name} ok", f"{name} not ok"]
        else:
            expected.append(name)
    assert sorted(column(FENCE)) == sorted(expected)


@pytest.mark.parametrize("row", FENCE, ids=lambda row: row[0].replace(" ", "-"))
def test_the_fence_does_what_each_cell_of_its_table_says(row: tuple[str, ...]) -> None:
    name, older, same, same_leading, newer = row
    for role in Role:
        assert seen(made(name, OWN - 1), role) == older, f"older, {role.value}"
        assert seen(made(name, OWN), role) == (same_leading if role is Role.LEADER else same), f"same, {role.value}"
        assert seen(made(name, OWN + 1), role) == newer, f"newer, {role.value}"


# --- the cover of the book --------------------------------------------------------------------


def test_the_example_on_the_cover_is_a_world_in_which_a_cluster_chats() -> None:
    cover = chatsys.protocol.__doc__ or ""
    code = cover[cover.index("    from collections import deque") : cover.index("Read also `chatsys.sim`")]
    told: dict[str, Any] = {}
    exec(textwrap.dedent(code), told)
    assert told["chats"][1] == told["chats"][2] == told["chats"][3] == [(1, "hello")]
    assert told["actors"][3].state.ready
    waits = told["outboxes"][3]
    logs = {name: decode(data, NODE_RECORDS).records for name, data in told["disks"].items() if name != "ann"}
    assert waits.written == waits.durable == len(logs[3]) > 0, "its frames waited for its disk"
    assert all(isinstance(records[0], Boot) for records in logs.values())


def test_the_cover_names_every_chapter_once() -> None:
    cover = chatsys.protocol.__doc__ or ""
    chapters = re.findall(r"^(?:      |    \* )(\w+) .* \d+ min$", cover, re.MULTILINE)
    assert sorted(chapters) == sorted(path.stem for path in PAGE.parent.glob("*.py") if path.stem != "__init__")


def test_each_message_of_the_chat_has_its_row_in_the_rules_of_the_fence() -> None:
    assert set(FENCE_RULES) == set(NODE_MESSAGES)


def test_another_fence_can_be_put_in_the_place_of_the_own_one() -> None:
    class Wall(Fence):
        """Lets nothing pass."""

        def check(self, sender: int, message: Any) -> tuple[Any, bool]:
            return [], False

    node = Node(2, config(), Random(1), parts={"fence": Wall})
    assert node.on_message(SENDER, made("ELECTION", OWN), 0.1) == []
    assert Node(2, config(), Random(1)).on_message(SENDER, made("ELECTION", OWN), 0.1) != []
