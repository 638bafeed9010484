"""One way of speaking: at most thirty words, each explained where a student first meets it, and no hard word beside them.

chatsys/vocabulary.py    WORDS, the table; every text that a student meets is held to it here
the pages 00, 01, 02, 03 in their order: a word is explained in the cell in which it stands first
all other texts: none of the words that a student cannot know (AVOID), for each of which there is a plain one
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import nbformat
import pytest

from chatsys.faults.wording import explain
from chatsys.vocabulary import EXACT, WORDS

ROOT = Path(__file__).parents[2]
MOST = 30

FORMS = {
    "#3": r"#\d+", "deliver": r"deliver\w*", "entry": r"entr(?:y|ies)", "election": r"elect(?:s|ed|ions?)",
    "suspect": r"suspect\w*|suspicions?", "nominating": r"nominat\w+", "place": r"places? (?:of (?:the|its|that) log|\d+)",
    "promise": r"promise[sd]?", "deferring": r"defer(?:s|ring)", "life": r"life",
}  # fmt: skip
"""How a word looks in a text, where that is more than the word itself with or without an s."""

ON_THE_SPOT = {
    "gap": r"gaps?", "trust": r"trusts?", "majority": r"majority", "scenario": r"scenarios?", "stage": r"stage",
    "safety": r"safety", "liveness": r"liveness", "position": r"positions?", "verified": r"verified",
    "panel": r"panel", "timeline": r"timeline", "split brain": r"split brain", "CAP": r"CAP theorem", "client": r"clients?",
}  # fmt: skip
"""No word of the table, and needing an explanation all the same: it stands where a page first uses one."""

AVOID = {
    r"in vain": "say that nothing came of it",
    r"politely": "in good order",
    r"nominees?": "a node that tries to lead",
    r"incarnations?": "a life",
    r"seq|msg_no": "#3, or a place of the log",
    r"positions?": "a place of the log",
    r"killed by|killers?": "found by, of a bug",
    r"idle": "doing nothing",
    r"nonce": "it is no business of a reader",
    r"quiescen\w+": "nothing is under way",
    r"client ids?": "an author",
    r"noop|no-op": "a barrier",
    r"scars?|gifts?": "what it is",
}
"""What a text for students does not say, and what it says for it."""


# --- the table ---------------------------------------------------------------------------------------------


def test_a_student_learns_at_most_thirty_words() -> None:
    assert 20 < len(WORDS) <= MOST


@pytest.mark.parametrize("word", WORDS)
def test_a_meaning_uses_no_word_that_is_to_be_avoided(word: str) -> None:
    assert len(WORDS[word].split()) <= 20 and not hard(WORDS[word])


def test_the_tables_of_the_notebooks_have_the_meanings_of_the_vocabulary() -> None:
    rows = [
        row for page in pages() for _, text in page[1]
        for table in re.findall(r"\| word \| meaning \|\n\|---\|---\|\n((?:\|.*(?:\n|$))+)", text)
        for row in re.findall(r"^\| \*\*(.+?)\*\* \| (.+?) \|$", table, re.MULTILINE)
    ]  # fmt: skip
    assert len(rows) == len(dict(rows)) > 12
    expected = {word: (WORDS.get(word, ""), f"{WORDS.get(word, '')}; here 2 of 3") for word, _ in rows}
    assert [(word, told) for word, told in rows if told not in expected[word]] == []


def test_the_legend_of_the_panel_has_the_meanings_of_the_vocabulary() -> None:
    legend = (ROOT / "chatsys/teach/widgets/panel/js/legend.js").read_text()
    for word in ("term", "quorum"):
        assert f'{word}: "{WORDS[word]}"' in legend


def test_below_an_exact_sentence_its_words_are_explained() -> None:
    told = explain("S1 agreement: node 2 committed the barrier entry of term 2 at position 6")
    assert [line.partition(": ")[0] for line in told] == ["term", "position", "committed", "barrier entry"]
    assert told[0] == f"term: {EXACT['term']}" == f"term: {WORDS['term']}"


# --- the notebooks: explained where it is first met ----------------------------------------------------------


@cache
def pages() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the texts of every page in the order in which students read them, as (name, [(cell, text)])."""
    found = []
    for path in sorted((ROOT / "notebooks").glob("0*.ipynb")):
        book = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        found.append((path.stem, [(cell.id, cell.source) for cell in book.cells if cell.cell_type == "markdown"]))
    return found


def prose(text: str) -> str:
    """Return a text without code, links and addresses."""
    return re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", " ", text, flags=re.DOTALL)


def unexplained(word: str, form: str, texts: list[tuple[str, str]]) -> str | None:
    """Return the cell in which a word stands first, if it is not explained there: in bold or italics; else None."""
    pattern = re.compile(rf"(?<![\w#-])(?:{form})(?![\w-])", re.IGNORECASE)
    for cell, text in texts:
        if pattern.search(prose(text)):
            stressed = re.findall(r"\*{1,2}([^*\n]+?)\*{1,2}", text)
            return None if any(pattern.search(one) or word == one for one in stressed) else cell
    return f"{word} is used nowhere"


def test_what_is_not_explained_is_found() -> None:
    texts = [
        ("a", "A **node** speaks."),
        ("b", "The `quorum` decides."),
        ("c", "A quorum of *two*."),
        ("d", "**quorum**"),
    ]
    assert unexplained("node", "nodes?", texts) is None
    assert unexplained("quorum", "quorum", texts) == "c"
    assert unexplained("life", "life", texts) == "life is used nowhere"


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_explained_in_the_cell_in_which_it_stands_first(word: str) -> None:
    texts = [one for _, page in pages() for one in page]
    assert unexplained(word, FORMS.get(word, rf"{re.escape(word)}s?"), texts) is None


@pytest.mark.parametrize("word", ON_THE_SPOT)
def test_any_other_hard_word_is_explained_on_the_spot(word: str) -> None:
    texts = [one for _, page in pages() for one in page]
    assert unexplained(word, ON_THE_SPOT[word], texts) is None


# --- all other texts: no hard word ---------------------------------------------------------------------------

TEXTS = (
    "chatsys/check/plainly.py", "chatsys/check/findings.py", "chatsys/check/offers.py", "chatsys/faults/arguments.py",
    "chatsys/faults/testbed.py", "chatsys/teach/scenarios.py", "chatsys/teach/figures/*.py", "chatsys/teach/labs/*.py",
    "chatsys/teach/widgets/**/*.py", "chatsys/teach/widgets/**/*.js", "chatsys/clients/**/*.py",
    "chatsys/campaign/why/*.py", "chatsys/runtime/terminal.py", "chatsys/commands/nodes.py", "chatsys/commands/classroom.py",
)  # fmt: skip
"""Where the sentences are that students meet outside of the pages."""

EXACT_WORDS = {
    ("chatsys/commands/nodes.py", "position"): "verify reads log files, for whoever runs nodes",
    (
        "chatsys/teach/widgets/timeline/sentences.py",
        "incarnation",
    ): "the name of a reason in the trace, which has a sentence",
    ("chatsys/campaign/why/scene.py", "incarnation"): "the same reason",
}
"""Hard words that may stand in a file, and why."""


def hard(text: str) -> list[str]:
    """Return the words of a text that students cannot know."""
    return [
        one[0].lower()
        for pattern in AVOID
        for one in re.finditer(rf"(?<![\w{{/$.])(?:{pattern})\b", text, re.IGNORECASE)
    ]


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, text) for everything in a file that a person may read: texts with a blank in them."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        for number, line in enumerate(source.splitlines(), 1):
            for text in re.findall(r"\"((?:[^\"\\]|\\.)*)\"|`((?:[^`\\]|\\.)*)`", line.partition(" // ")[0]):
                if not line.lstrip().startswith(("//", "*", "/*")):
                    yield number, re.sub(r"\$\{[^}]*\}", " ", text[0] or text[1])
        return
    tree = ast.parse(source)
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.lineno, re.sub(r"\{[^}]*\}", " ", node.value)


@pytest.mark.parametrize("pattern", TEXTS)
def test_no_sentence_for_students_has_a_hard_word(pattern: str) -> None:
    files = sorted(ROOT.glob(pattern))
    assert files
    found = [
        f"{name}:{line}: {word}: {text[:60]}"
        for path in files for name in [path.relative_to(ROOT).as_posix()]
        for line, text in sentences(path) if " " in text.strip()
        for word in hard(text) if (name, word.rstrip("s")) not in EXACT_WORDS
    ]  # fmt: skip
    assert found == []


def test_no_page_and_no_beginning_of_the_readme_has_a_hard_word() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Installing")[0]
    texts = [("README", readme), *(one for _, page in pages() for one in page)]
    allowed = {"position", "positions"}  # once, where the exact words are explained
    assert [(cell, word) for cell, text in texts for word in hard(prose(text)) if word not in allowed] == []
