"""Rewriting: what a module needs so that mypyc compiles it, made in a copy, with every line where it was.

    class Fence(Part):            -->    @mypyc_attr(allow_interpreted_subclasses=True)     on the blank line before it
    messages = NODE_MESSAGES      -->    messages: ClassVar[Any] = NODE_MESSAGES              in the body of a class
    looks_every: float = 0.5      -->    looks_every: ClassVar[float] = 0.5                       so heirs can have another
    case Order(drafts):           -->    case Order(items=drafts):                           a run says it for its heirs
    re.compile("[\\ud800-...]")    -->    re.compile("[" + chr(55296) + "-...]")             half a character
    class Link(msgspec.Struct):   -->    a module of its own, which stays interpreted, and an import

A struct is made by a metaclass of msgspec that reads the words behind its bases (`frozen=True`), and mypyc forgets
these words.  So structs move to a module beside, with whatever they are made of, and are the same classes by the same
name.  Enums go with them.

The lines of the copy are those of the source, because a traceback names them.

Promises  what a module means does not change; what cannot be rewritten raises `Unfit`, and the module stays interpreted.
Read also `modules` (what is compiled), `building` (who calls this).
"""

import ast

from chatsys.errors import ChatsysError

PLAIN = {"Struct", "Enum"}
"""Bases whose metaclass makes a class: mypyc must not."""
PROTOCOL = "Protocol"
"""The base of what is only a type."""
RUNS = {"Append", "Deliver", "Order"}
"""Heirs of `OneOrMore`, whose only part is `items`."""
MARK = "@mypyc_attr(allow_interpreted_subclasses=True)"
IMPORT = "; from typing import Any, ClassVar; from mypy_extensions import mypyc_attr"


class Unfit(ChatsysError):
    """A module that cannot be rewritten; the text says why."""


def plain_of(name: str) -> str:
    """Return the name of the module to which the structs of the module `name` move."""
    package, _, last = name.rpartition(".")
    return f"{package}._plain_of_{last}"


def rewrite(source: str, name: str) -> tuple[str, str]:
    """Return a module as mypyc wants it, and the module of its structs ("" if it has none).

    `name` is its dotted name.  Raises `Unfit`, with the reason.
    """
    tree = ast.parse(source)
    lines = source.split("\n")
    structs = _moved(tree)
    beside = _beside(source, tree, structs, name) if structs else ""
    if structs:
        _import_instead(lines, structs, f"from {plain_of(name)} import {', '.join(sorted(_defined(structs)))}")
    kept = [one for one in tree.body if one not in structs]
    for one in kept:
        _spell_halves(lines, one)
        _name_items(lines, one)
        if isinstance(one, ast.ClassDef):
            _rewrite_class(lines, one)
    if any(line.endswith(MARK) for line in lines):
        _import_mark(lines, tree)
    return "\n".join(lines), beside


# --- structs ---------------------------------------------------------------------------------


def _is_struct(node: ast.stmt, known: set[str]) -> bool:
    """Tell whether a class is made by the metaclass of msgspec, as far as its own module tells."""
    if not isinstance(node, ast.ClassDef):
        return False
    bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
    return bool(node.keywords) or bool(bases & PLAIN) or bool(bases & known)


def _moved(tree: ast.Module) -> list[ast.stmt]:
    """Return the statements that move: the structs, and what of this module they are made of."""
    moved: list[ast.stmt] = []
    known: set[str] = set()
    for node in tree.body:
        if _is_struct(node, known):
            assert isinstance(node, ast.ClassDef), "a struct is a class"
            moved.append(node)
            known.add(node.name)
    if not moved:
        return []
    makers = {name: node for node in tree.body if not _is_import(node) for name in _defined([node])}
    waiting = list(moved)
    while waiting:
        for name in _used(waiting.pop()):
            maker = makers.get(name)
            if maker is None or maker in moved:
                continue
            if isinstance(maker, ast.ClassDef):
                raise Unfit(f"its structs need the class {name}, which would have to be interpreted, too")
            moved.append(maker)
            waiting.append(maker)
    return [node for node in tree.body if node in moved]


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _defined(nodes: list[ast.stmt]) -> set[str]:
    """Return the names that these statements of a module give to something."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}
    return found


def _used(node: ast.stmt) -> set[str]:
    """Return the names that a statement speaks of, also those in the texts of annotations."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    texts = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return names | {text for text in texts if text.isidentifier()}


def _beside(source: str, tree: ast.Module, structs: list[ast.stmt], name: str) -> str:
    """Return the module of the structs; they say of themselves that they are of the module `name`."""
    imports = [ast.unparse(node) for node in tree.body if _is_import(node)]
    parts = [ast.get_source_segment(source, node) or "" for node in structs]
    decorated = [
        "".join(f"@{ast.unparse(one)}\n" for one in getattr(node, "decorator_list", ())) + part
        for node, part in zip(structs, parts, strict=True)
    ]
    return "\n".join([f"__name__ = {name!r}", *imports, *decorated, ""])


def _import_instead(lines: list[str], structs: list[ast.stmt], statement: str) -> None:
    """Blank the lines of these statements, and let the first one import them."""
    for node in structs:
        first = min([one.lineno for one in getattr(node, "decorator_list", ())] + [node.lineno])
        assert node.end_lineno is not None, "a parsed statement has an end"
        lines[first - 1 : node.end_lineno] = [""] * (node.end_lineno - first + 1)
    lines[structs[0].lineno - 1] = statement


# --- classes ---------------------------------------------------------------------------------


def _rewrite_class(lines: list[str], node: ast.ClassDef) -> None:
    """Let Python's classes inherit from this one, and spell its body as mypyc reads it."""
    if PROTOCOL in map(ast.unparse, node.bases):
        return
    methods = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
    for one in node.body:
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "__slots__":
            _replace(lines, one, "pass")
        elif isinstance(one, ast.Assign):
            target = one.targets[0]
            if len(one.targets) > 1 or not isinstance(target, ast.Name) or methods & _used(one):
                raise Unfit(f"line {one.lineno} is no simple assignment in the body of a class")
            _replace(lines, one, f"{target.id}: ClassVar[Any] = {ast.unparse(one.value)}")
        elif isinstance(one, ast.AnnAssign) and one.value and not ast.unparse(one.annotation).startswith("ClassVar"):
            name, kind = ast.unparse(one.target), ast.unparse(one.annotation)
            if any(isinstance(at, ast.Attribute) and at.attr == name and _is_set(at) for at in ast.walk(node)):
                raise Unfit(f"line {one.lineno} begins a field of each object in the body of a class")
            _replace(lines, one, f"{name}: ClassVar[{kind}] = {ast.unparse(one.value)}")
    above = min([one.lineno for one in node.decorator_list] + [node.lineno]) - 2
    if lines[above].strip() and not lines[above].lstrip().startswith("#"):
        raise Unfit(f"there is no free line above the class {node.name}")
    lines[above] = MARK


def _is_set(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store | ast.Del)


def _replace(lines: list[str], node: ast.stmt, text: str) -> None:
    """Write `text` in the place of a statement that has its lines for itself."""
    assert node.end_lineno is not None, "a parsed statement has an end"
    lines[node.lineno - 1 : node.end_lineno] = [" " * node.col_offset + text, *[""] * (node.end_lineno - node.lineno)]


def _spell_halves(lines: list[str], node: ast.stmt) -> None:
    """Spell half characters (surrogates) by their numbers: a C file cannot hold them."""
    for one in ast.walk(node):
        if not (isinstance(one, ast.Constant) and isinstance(one.value, str)):
            continue
        if any(_is_half(sign) for sign in one.value):
            if one.lineno != one.end_lineno:
                raise Unfit(f"line {one.lineno} holds half a character in a text of several lines")
            spelled = " + ".join(f"chr({ord(sign)})" if _is_half(sign) else repr(sign) for sign in one.value)
            line = lines[one.lineno - 1]
            lines[one.lineno - 1] = f"{line[: one.col_offset]}({spelled}){line[one.end_col_offset :]}"


def _name_items(lines: list[str], node: ast.stmt) -> None:
    """Name the items of a run in a pattern: mypyc reads `__match_args__` of a class itself, and of none above it."""
    for one in ast.walk(node):
        if isinstance(one, ast.MatchClass) and ast.unparse(one.cls) in RUNS and one.patterns:
            line, at = lines[one.patterns[0].lineno - 1], one.patterns[0].col_offset
            lines[one.patterns[0].lineno - 1] = f"{line[:at]}items={line[at:]}"


def _is_half(sign: str) -> bool:
    return "\ud800" <= sign <= "\udfff"


def _import_mark(lines: list[str], tree: ast.Module) -> None:
    """Import the mark on the last line of the module's docstring."""
    first = tree.body[0]
    if not (isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and first.end_lineno):
        raise Unfit("it has no docstring, behind which the import could stand")
    lines[first.end_lineno - 1] += IMPORT
