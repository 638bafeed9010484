"""Two figures about the order: the delivery matrix, and the log as a table.

             #1   #2   #3   #4          a column is a number, a row is a node
    node 3   ok   ok   ok   --          -- nothing delivered at this number
    node 2   ok   ok   ok   !=          != not what the others delivered there
    node 1   ok   ok   ok   x2         x2 delivered before, at another number

Read also `agreement` (the facts), `timelines` (roles over time), `journeys` (how long it took), `check` (the same as verdicts).
"""

import math
import textwrap
from typing import Any

import plotly.graph_objects as go

from chatsys.errors import UsageError
from chatsys.teach.figures import theme
from chatsys.teach.figures.agreement import DIFFERENT, MISSING, SAME, Matrix, said
from chatsys.teach.figures.theme import counted, escape, node_name, plain
from chatsys.trace import Record, Trace

MOST_NUMBERS = 40
"""Columns of the matrix."""
MOST_TEXTS = 4
"""With more columns the texts stand once, slanted, under their columns, and not in each cell."""
MOST_SLANTED = 26
"""With more columns than this there is no room for texts."""
SLANT = 50
"""Degrees by which they are slanted."""
MOST_LINES = 3
"""Lines of a text in a cell; the rest of it is told where the mouse points."""
ROW, ROW_LINE = 44, 16
"""Pixels of a row, at least, and of a line in it."""
MOST_ROWS = 200
"""Rows of the log table."""
TEXT = 140
"""Pixels of the column of texts in the log table, on a narrow page; a longer text takes several lines."""
ROWS_IN_SIGHT = 12
"""Rows that are seen without scrolling."""

SIGNS = ("–", "✓", "↻", "≠", "×2")
WORDS = (
    "not delivered",
    "delivered",
    "caught up after a restart",
    "not one and the same message here",
    "delivered twice",
)
COLOURS = (theme.PALE_GREY, theme.PALE_SKY, theme.PALE_GREEN, theme.PALE_ORANGE, theme.PALE_PURPLE)


# --- the matrix --------------------------------------------------------------------------------


def delivery_matrix(trace: Trace, first: int | None = None) -> Any:
    """Draw node x message number: what every node delivered at every number.

    At most 40 numbers are shown, from `first` on; by default the last ones, or those around the
    first number at which the nodes differ.
    """
    title = "What each node delivered at each number"
    if first is not None and (isinstance(first, bool) or not isinstance(first, int) or first < 1):
        raise UsageError(f"first is {first!r:.40}; give the number of a message, 1 or more.")
    matrix = Matrix.of(trace)
    if not matrix.first:
        return theme.nothing(title, "No node has delivered a message in this run yet.")
    nodes = trace.nodes
    numbers = _window(matrix, nodes, first)
    states = [[matrix.state(node, number) for number in numbers] for node in nodes]
    texts = [[_label(matrix, node, number, len(numbers)) for number in numbers] for node in nodes]
    figure = go.Figure()
    figure.add_heatmap(
        x=[f"#{number}" for number in numbers],
        y=[node_name(node) for node in nodes],
        z=states,
        zmin=-0.5,
        zmax=4.5,
        colorscale=[
            [step / len(COLOURS), colour] for index, colour in enumerate(COLOURS) for step in (index, index + 1)
        ],
        showscale=False,
        xgap=3,
        ygap=3,
        text=texts,
        texttemplate="%{text}",
        textfont={"color": theme.DARK_TEXT, "size": 12},
        hovertext=[[_tell_cell(matrix, node, number) for number in numbers] for node in nodes],
        hoverinfo="text",
    )
    _mark_terms(figure, matrix, numbers)
    names = [node_name(node) for node in nodes]
    figure.update_yaxes(categoryorder="array", categoryarray=names, showgrid=False, showline=False, ticklabelstandoff=6)
    below = _label_numbers(figure, matrix, numbers)
    below += _draw_key(figure, {state for row in states for state in row}, below)
    lines = 1 + max(text.count("<br>") for row in texts for text in row)
    high = max(ROW, 10 + ROW_LINE * lines) * len(nodes) + 4
    return theme.finish(figure, title, _tell_matrix(matrix, nodes), high, below=below, above=24)


def _label_numbers(figure: Any, matrix: Matrix, numbers: list[int]) -> int:
    """Write the numbers under the columns, and return how many pixels they and the key need.

    Where the cells are too narrow for the texts but not for a slanted line, the texts stand here.
    """
    if MOST_TEXTS < len(numbers) <= MOST_SLANTED:
        letter = 6.6 * math.cos(math.radians(SLANT))  # pixels to the left that one takes
        free = int((66 + theme.PLOT / len(numbers) / 2) / letter)  # up to the left edge, from the first column
        told = [number for number in numbers if number in matrix.first]
        whole = [plain(f"#{number} {matrix.first[number].text or ''}", free) for number in told]
        places = [f"#{number}" for number in told]
        figure.update_xaxes(
            tickvals=places, ticktext=[escape(text) for text in whole], tickangle=-SLANT, tickfont={"size": 12}
        )
        below = 33 + int(max(map(len, whole)) * 6.6 * math.sin(math.radians(SLANT)))
    else:
        step = -(-len(numbers) * (9 * len(str(numbers[-1])) + 20) // int(theme.PLOT))  # labels that do not touch
        figure.update_xaxes(tickvals=[f"#{number}" for number in numbers][::step], tickangle=0)
        below = 36
    figure.update_xaxes(type="category", showgrid=False, showline=False, ticklabelstandoff=6)
    return below


def _window(matrix: Matrix, nodes: tuple[int, ...], first: int | None) -> list[int]:
    last = max(matrix.first)
    if first is None:
        first = max(1, last - MOST_NUMBERS + 1)
        odd = matrix.odd(nodes)
        if odd and min(odd) < first:
            first = max(1, min(odd) - 3)
    return list(range(first, min(last, first + MOST_NUMBERS - 1) + 1))


def _label(matrix: Matrix, node: int, number: int, columns: int) -> str:
    """Return the sign of a cell and, where there is room, the beginning of its text."""
    state = matrix.state(node, number)
    room = int((theme.PLOT / columns - 8) / theme.LETTER) - 2
    if state == MISSING or room < 4 or (columns > MOST_TEXTS and state != DIFFERENT):
        return SIGNS[state]
    texts = list(dict.fromkeys(record.text or "" for record in matrix.cells[node, number]))
    told = f"{SIGNS[state]} {_in_lines(texts[0], room)}"
    return told if len(texts) == 1 else f"{told}<br>→ {_in_lines(texts[-1], room)}"  # it took back the first


def _in_lines(text: str, room: int) -> str:
    """Return a text in a few lines of at most `room` letters."""
    lines = textwrap.wrap(plain(text), room, break_long_words=False, break_on_hyphens=False) or [""]
    return "<br>".join(
        escape(line, room) for line in [*lines[: MOST_LINES - 1], " ".join(lines[MOST_LINES - 1 :])] if line
    )


def _tell_cell(matrix: Matrix, node: int, number: int) -> str:
    head = f"{node_name(node)}, #{number}: {WORDS[matrix.state(node, number)]}"
    cell = matrix.cells.get((node, number), [])
    told = [
        f"{record.time:.2f} s, life {record.incarnation}: {escape(record.author or '', 16)}: "
        f"{escape(record.text or '', 60)}{'' if record.entry_term is None else f' (term {record.entry_term})'}"
        for record in cell[-4:]
    ]
    return "<br>".join([head, *told])


def _mark_terms(figure: Any, matrix: Matrix, numbers: list[int]) -> None:
    """Write above the columns in which term the messages were born, where it changes."""
    before: tuple[int, ...] = ()
    column = theme.PLOT / len(numbers)
    for index, number in enumerate(numbers):
        terms = matrix.terms_at(number) or before  # a learner is not told the term
        if terms != before:
            those = " and ".join(map(str, terms[:3]))
            words = [f"{'term' if len(terms) == 1 else 'terms'} {those}", those]
            text = theme.fit(column * _until_next(matrix, numbers, index) - 4, words)
            if text:
                figure.add_annotation(
                    x=index - 0.47, xref="x", y=1, yref="paper", yanchor="bottom", xanchor="left", showarrow=False,
                    text=text, font={"size": 12},
                )  # fmt: skip
            if before:
                figure.add_vline(x=index - 0.5, line={"width": 2, "dash": "dash", "color": theme.GREY})
        before = terms


def _until_next(matrix: Matrix, numbers: list[int], index: int) -> int:
    """Return for how many columns, from this one on, messages were born in one term."""
    terms = matrix.terms_at(numbers[index])
    for many, number in enumerate(numbers[index:]):
        if matrix.terms_at(number) not in ((), terms):
            return many
    return len(numbers) - index


def _draw_key(figure: Any, states: set[int], below: int) -> int:
    """Explain the signs that occur, `below` pixels under the cells; return how many pixels that needs."""
    if states == {SAME}:
        return 0
    space = "\u00a0"  # an entry stays in one line
    entries = [f"{SIGNS[state]} {WORDS[state]}".replace(" ", space) for state in sorted(states | {SAME})]
    lines = textwrap.wrap((space * 4 + " ").join(entries), int(theme.PLOT / 7), break_long_words=False)
    figure.add_annotation(
        text="<br>".join(lines), align="left", x=0, xref="paper", xanchor="left", y=0, yref="paper", yanchor="top",
        yshift=4 - below, showarrow=False,
    )  # fmt: skip
    return 8 + 18 * len(lines)


def _tell_matrix(matrix: Matrix, nodes: tuple[int, ...]) -> str:
    total = max(matrix.first)
    faults = matrix.faults()
    if faults:
        return " ".join(faults)
    missing = matrix.odd(nodes)
    holes = [n for n in range(1, total + 1) if n not in matrix.first]
    if holes:
        return f"#{holes[0]} was never delivered, but later messages were: the order has a gap."
    if not missing:
        if total == 1:
            return f"All {len(nodes)} nodes delivered the same message, #1."
        return f"All {len(nodes)} nodes delivered the same {counted(total, 'message')}, #1 to #{total}, without a gap."
    those = sorted({node for nodes_ in missing.values() for node in nodes_})
    lacks = ", ".join(f"node {node} lacks {sum(node in at for at in missing.values())}" for node in those)
    return f"Where the nodes delivered, they agree; of {counted(total, 'message')} {lacks}."


# --- the log -----------------------------------------------------------------------------------


def log_table(trace: Trace) -> Any:
    """Show the common order: every delivered message, and when each node delivered it (the last 200)."""
    title = "The messages in their order, and when each node delivered them"
    matrix = Matrix.of(trace)
    if not matrix.first:
        return theme.nothing(title, "No node has delivered a message in this run yet.")
    rows = [row for number in sorted(matrix.first)[-MOST_ROWS:] for row in matrix.variants(trace.nodes, number)]
    rooms = [escape(row.room or "", 14) for row in rows]
    columns = {
        "#n": [f"#{row.msg_no}" for row in rows],
        "term": [row.entry_term for row in rows],
        **({"room": rooms} if len(set(rooms)) > 1 else {}),
        "author": [escape(row.author or "", 14) for row in rows],
        "text": [escape(row.text or "", 40) for row in rows],
    }
    for node in trace.nodes:
        columns[node_name(node)] = [_when(matrix, node, row) for row in rows]
    figure, widths = (
        go.Figure(),
        [{"#n": 44, "term": 52, "author": 70, "room": 60, "text": TEXT}.get(one, 88) for one in columns],
    )
    figure.add_table(
        columnwidth=widths,
        header={"values": list(columns), "align": "left", "fill_color": theme.BLUE, "font": {"color": "#FFFFFF"}},
        cells={
            "values": list(columns.values()),
            "align": "left",
            "height": 26,
            "fill_color": [[theme.PALE_SKY if index % 2 else "#EAF5FC" for index in range(len(rows))]],
            "font": {"color": theme.DARK_TEXT, "size": 12},
        },
    )
    told, more = _tell_matrix(matrix, trace.nodes), len(rows) - ROWS_IN_SIGHT
    if more > 0:
        told += f" {counted(more, 'more row')}: scroll in the table."
    letters = int((TEXT * (theme.WIDTH - 8) / sum(widths) - 22) / 7)
    lines = [len(textwrap.wrap(plain(row.text or "", 40), letters)) for row in rows[:ROWS_IN_SIGHT]]
    height = sum(26 + 18 * (max(many, 1) - 1) for many in lines)
    theme.finish(figure, title, told, 42 + height, below=14, above=6)
    return figure.update_layout(margin={"l": 4, "r": 4})


def _when(matrix: Matrix, node: int, row: Record) -> str:
    """Return when this node first delivered this very message at this number, with the sign of the matrix."""
    number = row.msg_no or 0
    found = [cell for cell in matrix.cells.get((node, number), []) if said(cell) == said(row)]
    if not found:
        return SIGNS[MISSING]
    state = matrix.state(node, number)
    return f"{found[0].time:.2f} s" + (f" {SIGNS[state]}" if state != SAME else "")
