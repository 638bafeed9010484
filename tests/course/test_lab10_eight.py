"""Lab 10, Raft's figure 8: its picture, and why it needs no hidden run of its own.

The 40 public seeds and the hidden ones compare every answer of `ack` with what is right, so they ask more than one run
of figure 8 can: here that is held against the calls which that run makes.
"""

import re
from html import unescape
from typing import Any

import pytest
from test_lab10 import COMMITS, KEYS, wrong

from chatsys.sim.world import World
from chatsys.teach.grading.trial import LocalTrial
from chatsys.teach.labs.lab10 import LAB, checks, play
from chatsys.teach.labs.lab10.histories import leadership
from chatsys.teach.labs.lab10.logs import eight, moments

OLD = "an old term's copies"


def drawn(world: World) -> str:
    picture = eight(world)
    assert picture is not None
    return picture.html


def rows(html: str) -> list[list[str]]:
    """Return the words of each cell of the table."""
    return [
        [" ".join(unescape(re.sub("<[^>]+>", " ", cell)).split()) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in re.findall(r"<tr>.*?</tr>", html)
    ]


# --- the picture ------------------------------------------------------------------------------------------


def test_with_the_reference_the_old_entry_is_replaced_and_nobody_had_shown_it() -> None:
    world = play.figure_eight(COMMITS)
    assert [(one.leader, one.term) for one in moments(world)] == [(5, 1), (1, 2), (5, 3), (1, 4)]
    head, *nodes = rows(drawn(world))
    assert head[3].startswith("node 5 leads term 3, until it crashes at 10.9 s")
    assert nodes[0] == [
        "node 1", "nothing new", "#6 first entry, term 2", "#6 first entry, term 2 down",
        "#6 first entry, term 2, committed #7 first entry, term 4, committed",
    ]  # fmt: skip
    assert nodes[1][3] == "#6 x, term 1" and nodes[1][4] == nodes[0][4]
    assert "never committed, so nobody showed it" in repr(eight(world)) and "lost" not in drawn(world)


def test_with_the_mistake_one_node_lacks_what_three_show_and_the_picture_says_so_in_words() -> None:
    world = play.figure_eight(wrong("10.1", OLD))
    _, *nodes = rows(drawn(world))
    assert nodes[3][3] == "#6 x, term 1, committed"
    assert nodes[0][4] == "#6 first entry, term 2 #7 first entry, term 4 x lost"
    assert repr(eight(world)) == (
        "Node 5 committed #6 of term 1, “x”, in term 3 at 7.68 s. In the end nodes 2, 3, 4 show it, and node 1 never will."
    )


def test_nothing_is_drawn_while_a_notebook_is_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    world = play.figure_eight(COMMITS)
    monkeypatch.setenv("NBGRADER_EXECUTION", "1")
    assert eight(world) is None


# --- why it is no hidden run --------------------------------------------------------------------------------


class Listens(COMMITS):  # type: ignore[misc]
    """The reference, and what each leader was asked."""

    asked: list[tuple[Any, ...]] = []

    def __init__(self, me: int, nodes: list[int], term: int) -> None:
        super().__init__(me, nodes, term)
        self.me, self.many = me, len(nodes)

    def ack(self, node: int, seq: int, term: int, terms: list[int]) -> int:
        done = int(super().ack(node, seq, term, terms))
        copies = sorted(self.held.values(), reverse=True)[self.many // 2]
        Listens.asked.append((self.many, self.term, tuple(terms), copies, done))
        return done


def tempts(term: int, terms: tuple[int, ...], copies: int) -> bool:
    """Tell whether a majority holds an entry of an older term, while an own one stands behind it in the log."""
    return copies > 0 and terms[copies - 1] < term and terms[-1] == term


def test_the_public_seeds_ask_what_figure_eight_asks_of_five_nodes_and_of_others() -> None:
    Listens.asked = []
    play.figure_eight(Listens)
    assert any(tempts(term, terms, copies) and done < copies for _, term, terms, copies, done in Listens.asked)
    Listens.asked = []
    LocalTrial(Listens, LAB.exercise("10.1")).ask([checks.script_of(leadership(seed)) for seed in range(40)])
    sizes = [many for many, term, terms, copies, done in Listens.asked if tempts(term, terms, copies)]
    assert {3, 4, 5} == set(sizes) and sizes.count(5) >= 5


def counts_in_figure_eight(cls: type) -> bool:
    """Tell whether this class commits the old entry there."""
    return any("x" in one for one in map(play.figure_eight(cls).delivered, (1, 2, 3, 4)))


class OwnIsInTheLog(COMMITS):  # type: ignore[misc]
    """Counts an older entry as soon as one of its own term stands in the log."""

    done = 0

    def ack(self, node: int, seq: int, term: int, terms: list[int]) -> int:
        if term == self.term:
            self.held[node] = max(self.held[node], seq)
        if terms[-1] == self.term:
            self.done = max(self.done, sorted(self.held.values(), reverse=True)[len(self.held) // 2])
        return self.done


class LooksAtTheAck(OwnIsInTheLog):
    """Counts an older entry when somebody, the leader itself, confirms one of the own term."""

    def ack(self, node: int, seq: int, term: int, terms: list[int]) -> int:
        self.own = getattr(self, "own", False) or terms[seq - 1] == self.term
        return super().ack(node, seq, term, terms) if self.own else int(COMMITS.ack(self, node, seq, term, terms))


class OneTermBack(OwnIsInTheLog):
    """Counts an entry of any term but the last one before the own."""

    def ack(self, node: int, seq: int, term: int, terms: list[int]) -> int:
        return super().ack(node, seq, term, [self.term if one < self.term - 1 else one for one in terms])


@pytest.mark.parametrize(
    "cls", [wrong("10.1", OLD), OwnIsInTheLog, LooksAtTheAck, OneTermBack], ids=lambda one: one.__name__
)
def test_who_commits_the_old_entry_in_figure_eight_is_found_by_the_public_seeds(cls: type) -> None:
    assert counts_in_figure_eight(cls)
    found = {one.aspect: one for one in checks.judge_commit(LocalTrial(cls, LAB.exercise("10.1")), range(40))}
    assert "older" in found and "by counting" in found["older"].sentence


def test_an_entry_that_no_node_lacks_may_be_committed_whatever_its_term() -> None:
    assert (
        list(checks.judge_commit(LocalTrial(KEYS.answers["10.1"]["all copies"], LAB.exercise("10.1")), range(40))) == []
    )


def test_the_names_of_the_page_are_functions_however_often_its_cells_run() -> None:
    import chatsys.teach.labs.lab10 as names

    eight(play.figure_eight(COMMITS))
    modules = [name for name in names.__all__ if type(getattr(names, name)).__name__ == "module"]
    assert modules == []
