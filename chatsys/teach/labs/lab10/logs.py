"""The picture of Raft's figure 8: how the logs of five nodes end when each of three leaders is gone, and what is left.

    eight(figure_eight(MyCommit))

               node 5 leads term 1    node 1 leads term 2    node 5 leads term 3    node 1 leads term 4
    node 1     (empty)                #6 t2                  #6 t2, down            #6 t2  #7 t4 committed
    node 4     #6 x t1                #6 x t1                #6 x t1                #6 t2  #7 t4 committed

Assumes   a run of `play.figure_eight`.
Promises  what was committed and is gone is crossed out and has the word “lost”; nothing is drawn while a notebook is graded.
Read also `picture` (the other pictures), `play` (the run).
"""

import os
from collections.abc import Iterable
from typing import NamedTuple

from chatsys.sim.world import World
from chatsys.teach.figures.theme import escape
from chatsys.teach.labs.lab10.picture import Picture, _nodes
from chatsys.teach.labs.lab10.stage import stopped
from chatsys.trace import Record

STYLE = """<style>
.cs10 table.eight {border-collapse: collapse; margin: .25rem 0}
.cs10 .eight th, .cs10 .eight td {border: 1px solid var(--jp-border-color1, #8a8a8a); padding: .3rem .5rem; text-align: left; vertical-align: top; font-size: 13px}
.cs10 .eight th:first-child {white-space: nowrap}
.cs10 .eight .entry {display: inline-block; border: 1px solid currentColor; border-radius: 4px; padding: 0 .3rem; margin: .1rem .2rem .1rem 0}
.cs10 .eight .x {background: #E69F00; color: #1B1B1B; font-weight: 600}
.cs10 .eight .down {opacity: .8}
.cs10 .eight .gone {text-decoration: line-through}
</style>"""


class LeaderColumn(NamedTuple):
    """What is drawn in a column: until when, and under which leader of which term."""

    time: float
    leader: int
    term: int
    crashes: bool


def eight(world: World) -> Picture | None:
    """Return how all logs end under each leader, from the first entry on that two nodes have differently; None while graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    columns = moments(world)
    heads = "".join(
        f"<th>node {one.leader} leads term {one.term}{f', until it crashes at {one.time:.1f}&nbsp;s' if one.crashes else '; the end'}</th>"
        for one in columns
    )
    rows = "".join(
        f"<tr><th>node {node}</th>{''.join(_cell(world, node, one) for one in columns)}</tr>" for node in world.nodes
    )
    sentence = told(world)
    table = f'<table class="eight" aria-label="How the logs end, from #{_first(world)} on"><tr><th></th>{heads}</tr>{rows}</table>'
    return Picture(f"{STYLE}{table}<p>{escape(sentence)}</p>", sentence)


def moments(world: World) -> list[LeaderColumn]:
    """Return one for each leader: when it crashed, or the end of the run."""
    leads = sorted(world.trace.of("lead"), key=lambda one: one.time)
    ends = [one.time for one in leads[1:]] + [world.now]
    found = []
    for lead, end in zip(leads, ends, strict=True):
        down = [one.time for one in world.trace.of("crash") if one.node == lead.node and lead.time < one.time <= end]
        found.append(LeaderColumn(down[0] if down else end, int(lead.node or 0), int(lead.term), bool(down)))
    return found


def told(world: World) -> str:
    """Return in a sentence what became of x: who committed it, and who shows it in the end."""
    if world.failures:
        return f"{stopped(world)[0][0].upper()}{stopped(world)[0][1:]}."
    x = next(one for one in world.trace.of("append") if one.text == "x")
    early = [one for one in world.trace.of("deliver") if one.text == "x" and one.entry_term == x.entry_term]
    up = [node for node, now in world.status().items() if now["alive"]]
    shows = [node for node in up if "x" in world.delivered(node)]
    if not early:
        return (
            f"#{x.seq} of term {x.entry_term}, “x”, was never committed, so nobody showed it, and it could be replaced."
        )
    lacks = [node for node in up if node not in shows]
    end = "every node that is up shows it"
    if lacks:
        end = f"{_nodes(shows)} show{'s' * (len(shows) == 1)} it, and {_nodes(lacks)} never will"
    return (
        f"Node {early[0].node} committed #{x.seq} of term {x.entry_term}, “x”, in term {early[0].term} at "
        f"{early[0].time:.2f} s. In the end {end}."
    )


def _first(world: World) -> int:
    return int(next(one.seq for one in world.trace.of("append") if one.text == "x") or 0)


def _log_of(world: World, node: int, time: float) -> list[Record]:
    """Return the entries of this log at this time, from the one on that is in question."""
    log: dict[int, Record] = {}
    for one in world.trace.of("append", "truncate"):
        if one.node == node and one.time <= time and one.seq is not None and one.seq >= _first(world):
            log = {seq: entry for seq, entry in log.items() if seq < one.seq}
            if one.kind == "append":
                log[one.seq] = one
    return list(log.values())


def _is_up(world: World, node: int, time: float) -> bool:
    said = [one.kind for one in world.trace.of("crash", "start") if one.node == node and one.time < time]
    return said[-1:] != ["crash"]


def _cell(world: World, node: int, moment: LeaderColumn) -> str:
    committed = max(
        (one.seq or 0 for one in world.trace.of("commit") if one.node == node and one.time <= moment.time), default=0
    )
    log = _log_of(world, node, moment.time)
    up = _is_up(world, node, moment.time)
    words = [] if log else ["nothing new"]
    words += [_entry(one, committed) for one in log]
    words += [] if up else ["down"]
    return f"<td{'' if up else ' class=down'}>{' '.join(words)}{_lost(world, node, moment)}</td>"


def _entry(one: Record, committed: int) -> str:
    what = "x" if one.text == "x" else "first entry"
    done = ", committed" if (one.seq or 0) <= committed else ""
    return f'<span class="entry{" x" if what == "x" else ""}">#{one.seq} {what}, term {one.entry_term}{done}</span>'


def _lost(world: World, node: int, moment: LeaderColumn) -> str:
    """Return the crossed out x of a node that lacks in the end what others have committed."""
    shown: Iterable[Record] = (one for one in world.trace.of("deliver") if one.text == "x")
    at_end = moment == moments(world)[-1] and _is_up(world, node, moment.time)
    if not at_end or not any(shown) or "x" in world.delivered(node):
        return ""
    return ' <span class="entry x gone">x</span> lost'
