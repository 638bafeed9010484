"""Style: what a still looks like, in light and in dark.

Nothing is told by colour alone: a role has its word, an arrow its dashes and its number, a sign its shape, a place of the
log that is not durable a dashed edge, and what is committed a thick foot.  Colours are variables, so that one picture is
right on light and on dark ground.

Read also `strokes` and `shapes` (what is drawn), `figures.theme` (the colours).
"""

LIGHT = {
    "paper": "#FFFFFF", "ink": "#1F1F1F", "soft": "#5C5C5C", "line": "#C9C9C9", "order": "#0072B2", "answer": "#7A7A7A",
    "elect": "#A3447F", "client": "#00745A", "lost": "#C24A00", "fault": "#D55E00", "down": "#B9B9B9",
    "leads": "#0072B2", "leads-ink": "#FFFFFF", "follows": "#D5ECFA", "elects": "#F6CFA0", "other": "#E6E6E6",
    "band-ink": "#1B1B1B", "run-1": "#0072B2", "run-2": "#866800", "tint-1": "#C6E0F0", "tint-2": "#EEE6C8",
}  # fmt: skip
DARK = {
    "paper": "#16181C", "ink": "#EDEDED", "soft": "#B4B4B4", "line": "#4A4F57", "order": "#6CC0F2", "answer": "#9DA3AA",
    "elect": "#E59BC6", "client": "#45D0A8", "lost": "#FF9A5C", "fault": "#FF8A3D", "down": "#5A5F66",
    "leads": "#1E83C4", "leads-ink": "#FFFFFF", "follows": "#24404F", "elects": "#6B4A1E", "other": "#33373D",
    "band-ink": "#F2F2F2", "run-1": "#62B9F7", "run-2": "#F0D543", "tint-1": "#203F55", "tint-2": "#4A4420",
}  # fmt: skip

_GROUPS = {
    "order": ("PROPOSE", "ORDERED", "CATCHUP_REPLY", "DELIVERED"),
    "elect": ("ELECTION", "OK", "PREPARE", "PROMISE", "COORDINATOR", "TRANSFER_LEAD"),
    "client": ("SUBMIT", "SUBMIT_REPLY", "POST", "SUBSCRIBE"),
}
GROUP = {message: group for group, messages in _GROUPS.items() for message in messages}
"""The group of a frame; all others are answers and questions."""
LEGEND = (
    ("order", "entries with their numbers"),
    ("elect", "election"),
    ("client", "from and to clients"),
    ("answer", "all other frames"),
    ("lost", "a frame that is lost"),
)

MEANINGS = (
    ("submit", "somebody says"), ("append", "written to the disk"), ("commit", "committed"), ("deliver", "delivered"),
    ("ack", "the client hears it"), ("hold", "held back"), ("suspect", "a suspicion"), ("lead", "leads"),
    ("start", "begins"), ("crash", "crashes"), ("broken", "stops itself"),
)  # fmt: skip
"""What the signs mean that are in the legend."""

SIGNS = {
    "submit": "say", "ack": "yes", "indeterminate": "what", "seen": "dot", "reply": "dot",
    "append": "square", "truncate": "cross", "commit": "tick", "deliver": "ball", "hold": "wait", "lead": "star",
    "crash": "cross", "broken": "stop", "refused": "stop", "stop": "end", "start": "begin", "pause": "bars",
    "resume": "begin", "suspect": "what", "anomaly": "stop", "wipe": "cross", "restored": "begin",
}  # fmt: skip
"""Which sign stands for which kind of record; a still leaves out all others."""
IMPORTANT = frozenset(
    {"crash", "broken", "refused", "lead", "deliver", "cut", "heal", "start", "pause", "resume", "anomaly", "truncate"}
)
"""Kinds of records that are told to those who do not see the picture."""

PATTERNS = (
    '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<line class="hatch" x1="0" y1="0" x2="0" y2="7"/></pattern></defs>'
)
_CSS = """
text{font:13px system-ui,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;fill:var(--ink)}
.paper{fill:var(--paper)} .title{font-size:18px;font-weight:600} .subtitle,.note{fill:var(--soft)}
.lane{font-weight:600} .small{font-size:11px} .tick{font-size:11px;fill:var(--soft)}
.thread,.grid{stroke:var(--line);stroke-width:1} .grid{stroke-dasharray:2 4}
.band{fill:var(--other)} .band.leads{fill:var(--leads)} .band.follows{fill:var(--follows)} .band.elects{fill:var(--elects)}
.band.down{fill:var(--paper);stroke:var(--down)} .band-label{font-size:11px;fill:var(--band-ink)}
.band-label.leads{fill:var(--leads-ink);font-weight:600} .band-label.down{fill:var(--ink)}
.hatch{stroke:var(--down);stroke-width:2.5} .tint{fill:var(--fault);fill-opacity:.06} .fault{fill:var(--fault)}
.badge rect{fill:var(--fault)} .badge text{font-size:9px;font-weight:700;fill:var(--paper)}
.arrow line{fill:none;stroke-width:1.6} .arrow text{font-size:11px;font-weight:600;paint-order:stroke;stroke:var(--paper);
stroke-width:3.5px;stroke-linejoin:round}
.order{stroke:var(--order);fill:var(--order)} .elect{stroke:var(--elect);fill:var(--elect)} .elect line{stroke-dasharray:7 3}
.client{stroke:var(--client);fill:var(--client)} .client line{stroke-dasharray:2 3} .answer{stroke:var(--answer);fill:var(--answer)}
.answer line{stroke-width:1} .lost{stroke:var(--lost);fill:var(--lost)} .lost line{stroke-dasharray:none}
.lost path{stroke-width:2.4;fill:none}
.cursor{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:1 3}
.some-lit .arrow,.some-lit .sign{opacity:.25} .some-lit .lit{opacity:1} .lit line{stroke-width:2.6}
.sign{fill:var(--paper);stroke:var(--ink);stroke-width:1.5} .sign text{font-size:9.5px;font-weight:700;stroke:none;fill:var(--paper)}
.sign .full{fill:var(--ink)} .sign.deliver .full{fill:var(--order);stroke:var(--paper)}
.sign.crash,.sign.broken,.sign.refused,.sign.anomaly,.sign.wipe,.sign.truncate{stroke:var(--lost);stroke-width:3}
.sign.broken .full,.sign.refused .full,.sign.anomaly .full{fill:var(--lost);stroke:var(--paper);stroke-width:1}
.sign.lead .full{fill:#F0C000;stroke:var(--ink);stroke-width:1} .sign .said{font-size:11px;font-weight:400;fill:var(--ink)}
.box rect{stroke:var(--ink);stroke-width:1.2} .box .open{stroke-dasharray:3 2.5} .box text{font-size:11px;font-weight:600}
.box .foot{fill:var(--ink);stroke:none} .head{font-weight:600}
"""
_COMPARED = """
[data-side]{--run:var(--answer);--tint:var(--other)} [data-side="1"]{--run:var(--run-1);--tint:var(--tint-1)}
[data-side="2"]{--run:var(--run-2);--tint:var(--tint-2)}
.arrow:not([data-side]){stroke:var(--answer);fill:var(--answer)} .sign:not([data-side],.broken) .full{fill:var(--ink);stroke:none}
.sign:not([data-side],.broken){stroke:var(--ink)} .says{font-weight:700} .run rect{fill:var(--run)} .run text{fill:var(--run);font-weight:700} .band[data-side]{fill:var(--tint)}
.band.leads[data-side]{fill:var(--run)} .band.down[data-side]{fill:var(--paper)} .fault[data-side]{fill:var(--run)} .tint{fill:none}
.arrow[data-side]{stroke:var(--run);fill:var(--run)} .arrow[data-side="1"] line,.arrow[data-side="2"] line{stroke-width:2.2}
.sign[data-side],.sign[data-side] .full{stroke:var(--run)} .sign[data-side] .full{fill:var(--run)}
.box[data-side] rect:not(.foot){fill:var(--tint)} .box[data-side] text{fill:var(--ink)!important}
.parting line{stroke:var(--ink);stroke-width:2;stroke-dasharray:7 4} .parting text{font-weight:700;paint-order:stroke;
stroke:var(--paper);stroke-width:4px}
"""
"""Of two runs that are compared: grey is what both have, a colour is what only that run has."""


def css(theme: str, compared: bool = False) -> str:
    """Return the style of a still of one run or of two that are compared: light, dark, or as the reader's browser is set."""
    looks = _CSS + _COMPARED if compared else _CSS
    light, dark = (";".join(f"--{name}:{value}" for name, value in one.items()) for one in (LIGHT, DARK))
    if theme in ("light", "dark"):
        return f":root{{{light if theme == 'light' else dark}}}{looks}"
    return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}{looks}"
