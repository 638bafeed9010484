"""The still: a picture of a run, or of the part of it that one wants to see, where no browser scrubs.

    lanes, bands, arrows, signs       as the timeline has them, without what is noise
    logs                              what every node holds at the event asked for, or at the end of the picture
    rules                             which was broken, or that all held

It is one SVG with nothing from outside: light and dark by the reader's own setting, and a text for those who do not see
it.

Promises  arrows, signs and bands carry the `data-` attributes of the timeline's; texts of users are escaped.
Read also `excerpt` (which part), `strokes` and `shapes` (how each thing is drawn), `style`, `packing`, `moment`.
"""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from chatsys.errors import UsageError
from chatsys.teach.widgets.timeline import shapes, strokes
from chatsys.teach.widgets.timeline.excerpt import LEFT, RIGHT, TOP, WIDE, Excerpt, choose, is_shown, rows_of
from chatsys.teach.widgets.timeline.moment import moment
from chatsys.teach.widgets.timeline.packing import Packed
from chatsys.teach.widgets.timeline.style import IMPORTANT, PATTERNS, css

TOLD = 14
"""So many events are told in the text for those who do not see the picture."""
THEMES = ("auto", "light", "dark")


def still(packed: Packed, event: int | None = None, theme: str = "auto", lit: Iterable[int] = ()) -> str:
    """Return the SVG of a packed trace, around `event` (else around what is most worth seeing).

    `lit` are events that are lit, while all others fade; `theme` is "light", "dark" or "auto", which asks the reader's browser.
    """
    if theme not in THEMES:
        raise UsageError(f"There is no theme {theme!r:.40}; write auto, light or dark.")
    if event is not None and not 0 <= event < len(packed.records):
        raise UsageError(f"There is no event {event!r:.40}; this run has {len(packed.records)}, from 0 on.")
    excerpt, rows = choose(packed, event, lit), rows_of(packed)
    bottom = max((middle + high / 2 for middle, high in rows.values()), default=float(TOP))
    under, over, lines = strokes.draw_faults(packed, excerpt, rows)
    body = [
        *under,
        *strokes.draw_lanes(packed, excerpt, rows),
        *over,
        *strokes.draw_cursor(packed, excerpt, bottom),
        f'<g class="{"some-lit" if excerpt.lit else "all"}">',
        *strokes.draw_arrows(packed, excerpt, rows),
        *shapes.draw_signs(packed, excerpt, rows),
        "</g>",
    ]
    axis, below = shapes.draw_axis(packed, excerpt, bottom)
    told, below = shapes.draw_lines(lines, below)
    until = max(excerpt.events, default=-1) if event is None else event
    logs, below = shapes.draw_logs(packed, moment(packed, until), excerpt, below + 28)
    rules, below = shapes.draw_rules(packed, below + 22)
    two = [*strokes.draw_groups(packed, rows), *strokes.draw_parting(packed, excerpt, bottom)]
    inside = [*_clip(bottom), *body, "</g>", *two, *axis, *told, *logs, *rules]
    return _svg(packed, excerpt, (theme, below + 14), inside)


def _clip(bottom: float) -> list[str]:
    return [
        f'<clipPath id="plot"><rect x="{LEFT}" y="{TOP - 22}" width="{WIDE - LEFT - RIGHT}" height="{bottom - TOP + 24:.0f}"/>'
        "</clipPath>",
        '<g clip-path="url(#plot)">',
    ]


def _svg(packed: Packed, excerpt: Excerpt, look: tuple[str, float], body: list[str]) -> str:
    theme, height = look
    title, subtitle = _titles(packed, excerpt)
    names = [
        f'<text class="lane" x="{LEFT - 10}" y="{middle + 5:.0f}" text-anchor="end">{escape(facts["name"])}</text>'
        for facts, (middle, _) in zip(packed.about["lanes"], rows_of(packed).values(), strict=True)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {height:.0f}" width="{WIDE}" '
            f'height="{height:.0f}" style="max-width:100%;height:auto" role="img" aria-labelledby="still-title still-desc">',
            f'<title id="still-title">{escape(title)}</title>',
            f'<desc id="still-desc">{escape(describe(packed, excerpt))}</desc>',
            f"<style>{css(theme, 'compare' in packed.about)}</style>",
            PATTERNS,
            f'<rect class="paper" width="{WIDE}" height="{height:.0f}"/>',
            f'<text class="title" x="{LEFT - 78}" y="30">{escape(title)}</text>',
            f'<text class="subtitle" x="{LEFT - 78}" y="50">{escape(subtitle)}</text>',
            *_parting_in_words(packed),
            *names,
            *body,
            "</svg>",
        ]
    )


def _parting_in_words(packed: Packed) -> list[str]:
    says = packed.about.get("compare", {}).get("says")
    lines = textwrap.wrap(says, 150, max_lines=2, placeholder=" …") if says else []
    return [
        f'<text class="says" x="{LEFT - 78}" y="{70 + 17 * at}">{escape(line)}</text>' for at, line in enumerate(lines)
    ]


def _titles(packed: Packed, excerpt: Excerpt) -> tuple[str, str]:
    about = packed.about
    nodes = sum(lane["kind"] == "node" for lane in about["lanes"])
    seed = f", seed {about['seed']}" if about["seed"] is not None else ""
    where = {"sim": "in the simulator", None: ""}.get(about["where"], f"in {about['where']}")
    title = about["title"] or f"A run of {nodes} {'node' if nodes == 1 else 'nodes'} {where}{seed}".rstrip()
    if not excerpt.times:
        return title, "It has no event to draw."
    here = "" if excerpt.cursor is None else f"  The upright line: {packed.columns['time'][excerpt.cursor]:.2f} s."
    part = f"{excerpt.times[0]:.2f} s to {excerpt.times[-1]:.2f} s"
    whole = len(excerpt.place) == sum(is_shown(packed, at) for at in range(len(packed.records)))
    what = "all of it" if whole else f"a part {excerpt.why}".rstrip()
    less = "  Heartbeats and greetings are left out." if about["noise"] else ""
    less += "  Grey is what both runs have." if "compare" in about else ""
    return title, f"{part}: {what}.  Time is stretched where much happens.{less}{here}"


def _in_run(packed: Packed, event: int) -> str:
    names = packed.about.get("compare", {}).get("names")
    return f" in “{names[packed.columns['run'][event] - 1]}”" if names else ""


def describe(packed: Packed, excerpt: Excerpt) -> str:
    """Return what a still shows, in sentences."""
    told = [at for at in excerpt.events if packed.about["kinds"][packed.columns["kind"][at]] in IMPORTANT]
    lines = [f"At {packed.columns['time'][at]:.2f} s{_in_run(packed, at)}: {packed.sentence(at)}" for at in told[:TOLD]]
    more = [f"And {len(told) - TOLD} more."] if len(told) > TOLD else []
    of = [f" in “{rule['run']}”" if "run" in rule else "" for rule in packed.about["rules"]]
    broken = [
        f"{rule['name']} is broken{run}: {rule['story']}"
        for rule, run in zip(packed.about["rules"], of, strict=True)
        if not rule["held"]
    ]
    says = [packed.about["compare"]["says"]] if "compare" in packed.about else []
    return " ".join([*says, _titles(packed, excerpt)[1], *lines, *more, *(broken or ["Every rule held."])])


@dataclass
class Still:
    """The still as a value that a notebook shows."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg
