"""Changes: every small bug that a rule of this page makes of one file.

    source --ast--> a place --a rule--> Change(line 70, "<=" -> "<")        the file with that one piece replaced

Twelve rules, one change at a time.  A comparison meets its boundary (`<` and `<=`) or its opposite; `and` becomes `or`,
and loses each operand; `not` goes; a condition is always so, or never; a statement goes; a number is one more and one
less; a truth value is turned; a word of the code is another word; a result is nothing; an argument with a name goes, and
two without names change places (but those of `max` and `min`); `max` becomes `min`; an element of a list, a set, a tuple or a table goes; a case of a
`match` goes, and each thing that its pattern asks for.

What is left out, and why:
    texts        a string with a blank or a capital in it, the parts of an f-string, `reason=` and what a decision says for
                 people, docstrings: no rule hangs on them, and a test that repeats a text finds no bug
    types        annotations, and what stands below `TYPE_CHECKING`
    assertions   they are checks themselves: right code never meets one, so that nothing can miss it
    names        the assignment of a local name: without it, the function cannot run

Read also `placing` (how a change is put in its place), `mutation` (what becomes of it).
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

BOUNDARY = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
OPPOSITE = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr}
OTHER = {"max": "min", "min": "max", "any": "all", "all": "any"}
WORD = re.compile(r"[a-z_]+")
FOR_PEOPLE = frozenset({"Note", "Yield", "Suspect", "Retire", "Disown", "HandOver", "become"})
"""Whose first text, or `reason`, is for people."""
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, kw_only=True)
class Change:
    """One piece of a file replaced: where it is, what stood there, and what stands there now."""

    line: int
    column: int
    where: str
    """The function around it, such as `Fence.check`; "" if it is part of the module or of a class body."""
    before: str
    after: str
    start: int
    end: int
    """From which byte to which."""
    around: str
    """The whole line, or lines, in which it stands."""

    @property
    def words(self) -> str:
        """The change as a person reads it; a short piece with what stands around it."""
        before, after = flat(self.before), flat(self.after) or "nothing"
        if len(before) > 24 and "if False" not in after:
            return f"{before} -> {after}"
        return f"{flat(self.around)}: {before} -> {after}"

    def applied(self, source: bytes) -> bytes:
        """Return the file with this change."""
        return source[: self.start] + self.after.encode() + source[self.end :]


def flat(text: str) -> str:
    """Return a piece of code on one line, its middle left out if it is long."""
    line = re.sub(r"\s+", " ", text).replace("|", "\\|")
    return line.strip() if len(line) <= 90 else f"{line[:55]} ... {line[-30:]}".strip()


def changes(source: bytes) -> list[Change]:
    """Return every change of a file, in the order of its lines; none twice."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    found = {(one.start, one.end, one.after): one for one in finder.found if one.after != one.before}
    return sorted(found.values(), key=lambda one: (one.start, one.end, one.after))


class _Finder(ast.NodeVisitor):
    """Walks over a file and notes what each rule makes of each place."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.lines = source.decode().splitlines()
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.found: list[Change] = []
        self.scopes: list[str] = []
        self.function = False

    # --- places ------------------------------------------------------------------------------

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return from which byte to which a node stands."""
        assert isinstance(node, ast.expr | ast.stmt | ast.pattern | ast.keyword)
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = self.starts[node.lineno - 1] + node.col_offset
        return start, self.starts[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.source[start:end].decode()

    def swap(self, node: ast.AST, after: str) -> None:
        """Note that the text of a node becomes another one."""
        self.note(*self.span(node), after)

    def note(self, start: int, end: int, after: str) -> None:
        line = self.source.count(b"\n", 0, start)
        column = start - self.starts[line]
        where = ".".join(self.scopes) if self.function else ""
        before = self.source[start:end].decode()
        around = self.lines[line].split("  #")[0]
        self.found.append(
            Change(
                line=line + 1,
                column=column,
                where=where,
                before=before,
                after=after,
                start=start,
                end=end,
                around=around,
            )
        )

    # --- scopes ------------------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.scopes.append(node.name)
        self.body(node.body)
        self.scopes.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        outer, self.function = self.function, True
        if not outer:
            self.scopes.append(node.name)
        self.body(node.body)
        if not outer:
            self.scopes.pop()
        self.function = outer

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def body(self, statements: list[ast.stmt]) -> None:
        """Visit what a class or a function does; a text that stands alone is a docstring."""
        for one in statements:
            if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)):
                self.visit(one)

    def visit_Module(self, node: ast.Module) -> None:
        self.body(node.body)

    def visit_Assert(self, node: ast.Assert) -> None:
        pass

    visit_Import = visit_ImportFrom = visit_JoinedStr = visit_Assert  # type: ignore[assignment]

    # --- statements --------------------------------------------------------------------------

    def drop(self, node: ast.stmt) -> None:
        if self.function:
            self.swap(node, "pass")

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.drop(node)
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if not self.function and self.is_a_type(node.value):
            return
        if not any(isinstance(target, ast.Name | ast.Tuple) for target in node.targets):
            self.drop(node)
        for target in node.targets:
            self.visit(target)
        self.visit(node.value)

    def is_a_type(self, value: ast.expr) -> bool:
        """Tell whether a name of the module stands for a type."""
        text = self.text(value)
        return (
            text.startswith(("Literal[", "Annotated[", "list[", "dict[", "tuple["))
            or isinstance(value, ast.BinOp)
            and isinstance(value.op, ast.BitOr)
        )

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None and "TypeAlias" not in self.text(node.annotation):
            if isinstance(node.target, ast.Attribute):
                self.drop(node)
            self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.drop(node)
        if type(node.op) in ARITHMETIC:
            sign = {ast.Add: "-=", ast.Sub: "+="}.get(type(node.op))
            if sign:
                self.swap(node, f"{self.text(node.target)} {sign} {self.text(node.value)}")
        self.visit(node.value)

    def visit_Delete(self, node: ast.Delete) -> None:
        self.drop(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        self.drop(node)

    def visit_Continue(self, node: ast.stmt) -> None:
        self.drop(node)

    visit_Break = visit_Continue

    def visit_Return(self, node: ast.Return) -> None:
        value = node.value
        if value is None:
            self.drop(node)
            return
        if not isinstance(value, ast.Constant | ast.List | ast.Compare | ast.BoolOp | ast.UnaryOp):
            self.swap(value, "None")
        self.visit(value)

    def condition(self, test: ast.expr) -> None:
        for word in ("True", "False"):
            self.swap(test, word)
        self.visit(test)

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" in self.text(node.test):
            return
        self.condition(node.test)
        for one in (*node.body, *node.orelse):
            self.visit(one)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.condition(node.test)
        self.visit(node.body)
        self.visit(node.orelse)

    def visit_While(self, node: ast.While) -> None:
        self.swap(node.test, "False")
        self.visit(node.test)
        for one in node.body:
            self.visit(one)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self.visit(node.iter)
        for one in node.ifs:
            self.swap(one, "True")
            self.visit(one)

    # --- match -------------------------------------------------------------------------------

    def visit_match_case(self, node: ast.match_case) -> None:
        if node.guard is not None:
            self.swap(node.guard, "True")
            self.swap(node.guard, "False")
            self.visit(node.guard)
        elif not (isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None):
            start, end = self.span(node.pattern)
            self.note(start, end, f"{self.text(node.pattern)} if False")
        self.visit(node.pattern)
        for one in node.body:
            self.visit(one)

    def visit_MatchClass(self, node: ast.MatchClass) -> None:
        for _name, pattern in zip(node.kwd_attrs, node.kwd_patterns, strict=True):
            if isinstance(pattern, ast.MatchValue | ast.MatchSingleton | ast.MatchOr):
                self.swap(pattern, "_")
                if isinstance(pattern, ast.MatchOr):
                    self.visit(pattern)
            else:
                self.visit(pattern)

    def visit_MatchOr(self, node: ast.MatchOr) -> None:
        texts = [self.text(one) for one in node.patterns]
        for left_out in range(len(texts)):
            self.swap(node, " | ".join(texts[:left_out] + texts[left_out + 1 :]))

    # --- expressions -------------------------------------------------------------------------

    def visit_Compare(self, node: ast.Compare) -> None:
        parts = [node.left, *node.comparators]
        for number, operator in enumerate(node.ops):
            table = BOUNDARY if type(operator) in BOUNDARY else OPPOSITE
            other = _sign(table[type(operator)]())
            _, start = self.span(parts[number])
            end, _ = self.span(parts[number + 1])
            between = self.source[start:end].decode()
            core = between.strip(" ()\n")
            self.note(start, end, between.replace(core, other))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in ARITHMETIC:
            _, start = self.span(node.left)
            end, _ = self.span(node.right)
            between = self.source[start:end].decode()
            sign = {ast.Sub: "-", ast.Add: "+", ast.FloorDiv: "//", ast.BitAnd: "&", ast.BitOr: "|"}
            self.note(start, end, re.sub(r"[-+*|&]", sign[ARITHMETIC[type(node.op)]], between, count=1))
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        word, other = (" and ", " or ") if isinstance(node.op, ast.And) else (" or ", " and ")
        texts = [f"({self.text(one)})" for one in node.values]
        self.swap(node, f"({other.join(texts)})")
        for left_out in range(len(texts)):
            self.swap(node, f"({word.join(texts[:left_out] + texts[left_out + 1 :])})")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self.swap(node, f"({self.text(node.operand)})")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        match node.value:
            case bool():
                self.swap(node, str(not node.value))
            case int():
                self.swap(node, str(node.value + 1))
                if node.value > 0:
                    self.swap(node, str(node.value - 1))
            case float():
                self.swap(node, repr(node.value * 2 or 1.0))
            case str() if WORD.fullmatch(node.value):
                self.swap(node, '"another"')

    def visit_Call(self, node: ast.Call) -> None:
        name = self.text(node.func).rpartition(".")[2]
        if name in OTHER:
            self.swap(node.func, OTHER[name])
        told = name in FOR_PEOPLE or name.endswith(("Error", "Failed", "Log", "Invariant"))
        for given in node.keywords:
            if given.arg is not None and given.arg != "reason":
                self.note(*self.without(given, [*node.args, *node.keywords]), "")
                self.visit(given.value)
        for one, other in zip(node.args, node.args[1:], strict=False) if name not in OTHER else ():
            if not isinstance(one, ast.Constant | ast.Starred) and not isinstance(other, ast.Constant | ast.Starred):
                start, middle = self.span(one)
                begin, end = self.span(other)
                between = self.source[middle:begin].decode()
                self.note(start, end, self.text(other) + between + self.text(one))
        self.visit(node.func)
        for one in node.args:
            if not (told and isinstance(one, ast.Constant) and isinstance(one.value, str)):
                self.visit(one)

    def without(self, one: ast.AST, all_of_them: list[ast.AST]) -> tuple[int, int]:
        """Return what goes with one argument: the comma after it, or before it if it is the last one."""
        spans = sorted(map(self.span, all_of_them))
        start, end = self.span(one)
        place = spans.index((start, end))
        if place < len(spans) - 1:
            return start, spans[place + 1][0]
        return (spans[place - 1][1] if place else start), end

    def elements(self, node: ast.List | ast.Set | ast.Tuple) -> None:
        """Note that each element goes; a tuple with two or more only, for the others have a fixed form."""
        texts = [self.text(one) for one in node.elts]
        for left_out in range(len(texts)):
            left = texts[:left_out] + texts[left_out + 1 :]
            brackets = {ast.List: "[]", ast.Set: "{}", ast.Tuple: "()"}[type(node)]
            inner = ", ".join(left) + ("," if brackets == "()" and left else "")
            self.swap(node, "set()" if brackets == "{}" and not left else brackets[0] + inner + brackets[1])
        for one in node.elts:
            self.visit(one)

    visit_List = visit_Set = elements

    def visit_Tuple(self, node: ast.Tuple) -> None:
        if isinstance(node.ctx, ast.Load) and not self.function:
            self.elements(node)
        else:
            self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        pairs = [
            f"{self.text(key)}: {self.text(value)}" if key is not None else f"**{self.text(value)}"
            for key, value in zip(node.keys, node.values, strict=True)
        ]
        for left_out in range(len(pairs)):
            self.swap(node, "{" + ", ".join(pairs[:left_out] + pairs[left_out + 1 :]) + "}")
        for value in node.values:
            self.visit(value)

    def visit_Slice(self, node: ast.Slice) -> None:
        lower, upper = (self.text(one) if one is not None else "" for one in (node.lower, node.upper))
        start, end = self.span(node)
        if lower and not node.step:
            self.note(start, end, f":{upper}")
        if upper and not node.step:
            self.note(start, end, f"{lower}:")
        self.generic_visit(node)


def _sign(operator: ast.cmpop) -> str:
    name = ast.Name("x")
    return ast.unparse(ast.Compare(name, [operator], [name])).strip("x ")


def by_place(found: list[Change]) -> Iterator[tuple[Change, int]]:
    """Yield each change, and how many times the same one was made before it in the same function."""
    seen: dict[tuple[str, str], int] = {}
    for one in found:
        key = (one.where, one.words)
        yield one, seen.get(key, 0)
        seen[key] = seen.get(key, 0) + 1
