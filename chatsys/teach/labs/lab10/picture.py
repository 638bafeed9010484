"""The pictures of lab 10: both sides of a cut and what is left of them, and two majorities with the node that they share.

    sides(run)                    a cut run: left and right what was answered, below what all show in the end
    sliders(classes, seed)        ... with a slider: one, two or three copies are enough, or the student's classes decide
    majorities(run)               who held the last entry that the old leader committed, and who elected the next leader

    nodes {3}                     nodes {1, 2}
    ok   cid: found it   4.5 s    ok   bob: tea?   6.1 s
    after the link was mended
    bob: tea?  ~~cid: found it~~ lost

Both are HTML with the colours of the page, light or dark; a lost line is pale, crossed out, and has the word “lost” behind it.

Assumes   a run of `play.cut`.
Promises  a difference is never shown by colour alone; nothing is drawn while a notebook is graded.
Read also `play` (the runs), `runs.CutRun`.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from chatsys.teach.figures.theme import escape
from chatsys.teach.labs.lab10 import play
from chatsys.teach.labs.lab10.runs import CUT, HEAL, CutRun
from chatsys.teach.labs.lab10.stage import stopped
from chatsys.trace import Record

STYLE = """<style>
.cs10 {max-width: 56rem; color: var(--jp-content-font-color1, #1b1b1b); font: 14px/1.45 var(--jp-ui-font-family, sans-serif)}
.cs10 .two {display: grid; grid-template-columns: 1fr 1fr; gap: .75rem}
.cs10 section {border: 1px solid var(--jp-border-color1, #8a8a8a); border-radius: 6px; padding: .5rem .75rem}
.cs10 h4 {margin: 0 0 .3rem; font-size: 1em}
.cs10 ol {margin: 0; padding: 0; list-style: none}
.cs10 li {display: flex; gap: .5rem; justify-content: space-between}
.cs10 .after ol {columns: 2; column-gap: 1.5rem}
.cs10 .after {margin-top: .75rem}
.cs10 .lost span:first-child {text-decoration: line-through; opacity: .62}
.cs10 .mark {white-space: nowrap; font-variant-numeric: tabular-nums}
.cs10 .lost .mark {font-weight: 600; color: #b34700}
[data-jp-theme-light="false"] .cs10 .lost .mark {color: #ff9b57}
.cs10 .ok {color: #00704f} [data-jp-theme-light="false"] .cs10 .ok {color: #4fd1a8}
.cs10 p {margin: .5rem 0 0}
.cs10 .lacks {fill: #b34700} [data-jp-theme-light="false"] .cs10 .lacks {fill: #ff9b57}
.cs10 svg {max-width: 30rem; width: 100%; height: auto}
@media (max-width: 600px) {.cs10 .two {grid-template-columns: 1fr} .cs10 .after ol {columns: 1}}
</style>"""
CHOICES = (1, 2, 3)
OWN = "your classes"


class Picture:
    """Something drawn: HTML in a notebook, a sentence everywhere else."""

    def __init__(self, html: str, sentence: str) -> None:
        self.html, self.sentence = html, sentence

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f'{STYLE}<div class="cs10">{self.html}</div>'


# --- both sides of a cut ------------------------------------------------------------------------------


def sides(run: CutRun) -> Picture | None:
    """Return both sides of a cut and what is left in the end; None while a notebook is graded."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    boxes = "".join(_side(run, side) for side in run.sides)
    return Picture(f'<div class="two">{boxes}</div>{_after(run)}<p>{escape(told(run))}</p>', told(run))


def told(run: CutRun) -> str:
    """Return in a sentence what the picture shows."""
    if run.world.failures:
        return f"{stopped(run.world)[0][0].upper()}{stopped(run.world)[0][1:]}."
    parts = []
    for side in run.sides:
        said, count, seconds = (
            len(_said_on(run, side)),
            len(play.answered_during(run, side)),
            play.silence_of(run, side),
        )
        first = f"the first after {seconds:.1f} s" if count else f"nobody for {seconds:.1f} s"
        parts.append(
            f"nodes {play.side_of(side)} answered {count} of {said} ({first})"
            if said
            else f"nobody spoke at {play.side_of(side)}"
        )
    lost = len(play.lost_of(run))
    left = "none of them is lost" if not lost else f"{lost} of them {'is' if lost == 1 else 'are'} lost"
    return f"Behind the cut {'; '.join(parts)}. In the end {len(run.answered())} were answered, and {left}."


def _side(run: CutRun, side: Sequence[int]) -> str:
    said = _said_on(run, side)
    answers = {(one.client, one.client_seq): one.time for one in run.answered(CUT, HEAL)}
    lines = (
        "".join(_said(one, answers.get((one.client, one.client_seq))) for one in said) or "<li>nobody spoke here</li>"
    )
    word = "a majority" if 2 * len(side) > run.many else "no majority"
    title = f"nodes {play.side_of(side)}: {word} of {run.many}"
    return f'<section aria-label="{title}, behind the cut"><h4>{title}</h4><ol>{lines}</ol></section>'


def _said_on(run: CutRun, side: Sequence[int]) -> list[Record]:
    """Return what was said on this side from the cut on."""
    return [one for one in run.world.trace.of("submit") if one.time >= CUT and _home(one) in side]


def _said(one: Record, answered: float | None) -> str:
    mark = '<span class="mark">no answer</span>'
    if answered is not None:
        mark = f'<span class="mark ok">ok {answered:.1f} s</span>'
    return f"<li><span>{_line(one)}</span>{mark}</li>"


def _after(run: CutRun) -> str:
    """Return what all show in the end, and crossed out what was answered and some node does not show."""
    many: dict[tuple[Any, Any], int] = {}
    first: dict[tuple[Any, Any], Record] = {}
    for one in run.world.trace.of("deliver"):
        key = one.client, one.client_seq
        many[key] = many.get(key, 0) + 1
        first.setdefault(key, one)
    up = sum(now["alive"] for now in run.world.status().values())
    stay = [
        f"<li><span>{_line(one)}</span></li>"
        for key, one in first.items()
        if many[key] >= up and not play.is_lost(run, one)
    ]
    lost = [
        f'<li class="lost"><span>{_line(one)}</span><span class="mark">lost</span></li>'
        for one in run.answered()
        if play.is_lost(run, one)
    ]
    title = f"after the link was mended: what all nodes show ({len(stay)}), and what was answered and some node lacks ({len(lost)})"
    return f'<section class="after" aria-label="{title}"><h4>{title}</h4><ol>{"".join(stay + lost)}</ol></section>'


def _line(one: Record) -> str:
    return f"<b>{escape(str(one.author))}</b>: {escape(str(one.text))}"


def _home(one: Record) -> int:
    return int(str(one.node).rpartition("@")[2] or 0)


def sliders(classes: Sequence[Any], seed: int = play.SEED) -> Any:
    """Return both sides of a cut with a slider for how many copies are enough, and the line of code that shows the same.

    None while a notebook is graded.
    """
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    from ipywidgets import HTML, VBox

    from chatsys.teach.widgets.slider import slider

    choice = slider("copies that are enough", (*CHOICES, OWN), CHOICES[0], live=True)
    names = ", ".join(getattr(one, "__name__", "None") for one in classes)
    code, shown = HTML(), HTML()
    drawn: dict[Any, str] = {}

    def draw(_: Any = None) -> None:
        own = choice.value == OWN
        code.value = f"<code>sides(cut(seed, {f'classes=({names})' if own else f'quorum={choice.value}'}))</code>"
        if choice.value not in drawn:
            run = play.cut(seed, classes=classes) if own else play.cut(seed, choice.value)
            picture = sides(run)
            drawn[choice.value] = "" if picture is None else picture._repr_html_()
        shown.value = drawn[choice.value]

    choice.observe(draw, names="value")
    draw()
    return VBox([choice, code, shown])


# --- two majorities ---------------------------------------------------------------------------------------


def majorities(run: Any) -> Picture | None:
    """Return who held what the old leader committed last, who elected the next leader, and who did both.

    `run` is a cut run or a world with a change of leaders.  None while a notebook is graded.
    """
    if os.environ.get("NBGRADER_EXECUTION"):
        return None
    world = run.world if isinstance(run, CutRun) else run
    found = two_groups(world)
    if found is None:
        return Picture(
            "<p>Nobody led after the first leader in this run.</p>", "Nobody led after the first leader in this run."
        )
    seq, term, holders, voters = found.seq, found.term, found.holders, found.voters
    both = sorted(holders & voters)
    words = f"{_nodes(both)} did both" if both else "no node did both, so nobody could know"
    sentence = (
        f"{_nodes(sorted(holders))} held #{seq} of term {term} when it was committed. {_nodes(sorted(voters))} elected node {found.leader}: {words}. "
        f"The log of node {found.leader} {'has it' if found.has_it else 'lacks it: what was committed is gone'}."
    )
    sentence = ". ".join(part[0].upper() + part[1:] for part in sentence.split(". "))
    return Picture(_venn(sorted(world.nodes), found) + f"<p>{sentence}</p>", sentence)


class ChangeOfLeaders(NamedTuple):
    """Number and term of what an old leader committed last, who held it then, and who elected the next leader."""

    seq: int
    term: int
    holders: set[int]
    voters: set[int]
    leader: int
    has_it: bool
    """Whether the log with which it began to lead has this entry."""


def two_groups(world: Any) -> ChangeOfLeaders | None:
    """Return the change of leaders that tells most: one after which something is gone, or the one with the fewest in both."""
    return min(_changes(world), key=lambda one: (one.has_it, len(one.holders & one.voters)), default=None)


def _changes(world: Any) -> Iterator[ChangeOfLeaders]:
    leads = list(world.trace.of("lead"))
    for before, after in zip(leads, leads[1:], strict=False):
        done = [
            one
            for one in world.trace.of("commit")
            if one.node == before.node and before.term == one.term and one.time < after.time
        ]
        if not done or after.node == before.node:
            continue
        last = done[-1]
        seq = int(last.seq or 0)
        mine = [one for one in world.trace.of("append") if one.seq == seq and one.time <= last.time]
        term = next((one.entry_term for one in reversed(mine) if one.node == before.node), before.term)
        synced = {one.node for one in world.trace.of("durable") if (one.seq or 0) >= seq and one.time <= last.time}
        holders = {one.node for one in mine if one.entry_term == term and one.node in synced}
        voters = {
            one.node for one in world.trace.of("promise")
            if (one.term, one.peer) == (after.term, after.node) and one.time <= after.time
        }  # fmt: skip
        own = [
            one
            for one in world.trace.of("append")
            if one.node == after.node and one.seq == seq and one.time <= after.time
        ]
        has_it = bool(own) and own[-1].entry_term == term
        yield ChangeOfLeaders(seq, int(term or 0), holders, voters, int(after.node), has_it)


def _nodes(nodes: Sequence[int]) -> str:
    return f"node{'s' * (len(nodes) != 1)} {', '.join(map(str, nodes))}" if nodes else "no node"


def _venn(nodes: Sequence[int], found: ChangeOfLeaders) -> str:
    """Return two circles that overlap, with each node where it belongs; who is in both is coloured and has a ring.

    Below the next leader stands whether its log has the entry.
    """
    one, other, left, right = found.holders, found.voters, f"held #{found.seq}", "elected the next"
    groups = ((130, one - other), (240, one & other), (350, other - one), (452, set(nodes) - one - other))
    dots = "".join(
        _dot(x, 118 + 54 * (at - (len(group) - 1) / 2), node, x == 240, found)
        for x, group in groups
        for at, node in enumerate(sorted(group))
    )
    line = 'fill="none" stroke="currentColor" stroke-width="1.5"'
    title = f"{_nodes(sorted(one))} {left}; {_nodes(sorted(other))} {right}; {_nodes(sorted(one & other))} in both; node {found.leader} leads and {'has' if found.has_it else 'lacks'} it"
    return (
        f'<svg viewBox="0 0 500 235" role="img" aria-label="{title}"><ellipse cx="180" cy="118" rx="118" ry="84" {line}/>'
        f'<ellipse cx="300" cy="118" rx="118" ry="84" {line} stroke-dasharray="7 5"/>'
        f'<g fill="currentColor" font-size="14" text-anchor="middle"><text x="140" y="22">{left}</text>'
        f'<text x="350" y="22">{right} leader</text><text x="240" y="228">{"both" if one & other else "nobody in both"}</text></g>{dots}</svg>'
    )


def _dot(x: float, y: float, node: int, shared: bool, found: ChangeOfLeaders) -> str:
    fill, ink, ring = ("#E69F00", "#1B1B1B", 3) if shared else ("#BFE3F7", "#1B1B1B", 0)
    leads = f"leads, has #{found.seq}" if found.has_it else f"leads, lacks #{found.seq}"
    how = 'fill="currentColor"' if found.has_it else 'class="lacks" font-weight="700"'
    said = f'<text x="{x}" y="{y + 31}" font-size="12" text-anchor="middle" {how}>{leads}</text>'
    return (said if node == found.leader else "") + (
        f'<circle cx="{x}" cy="{y}" r="17" fill="{fill}" stroke="currentColor" stroke-width="{ring}"/>'
        f'<text x="{x}" y="{y + 5}" font-size="15" text-anchor="middle" fill="{ink}">{node}</text>'
    )
