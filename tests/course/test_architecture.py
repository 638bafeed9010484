"""The rules of the house are tests: who may import whom, what the core may touch, how big things get.

commands > teach | clients | evidence > mutants > campaign > sim | runtime | explore > check | faults
         > run > trace > isolation > spill, temporary > locks > surroundings > protocol > actor > config | capabilities | compiled > errors | escape > places
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import syntax

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "chatsys"
MODULES = sorted(PACKAGE.rglob("*.py"))
CORE = [path for path in MODULES if path.relative_to(PACKAGE).parts[0] in {"actor", "protocol"}]
"""What decides and never acts."""

LEVELS = (
    {"places"},
    {"errors", "escape", "vocabulary"},
    {"config", "capabilities", "compiled"},
    {"actor"},
    {"protocol"},
    {"surroundings"},
    {"locks"},
    {"spill", "temporary"},
    {"isolation"},
    {"trace"},
    {"run"},
    {"check", "faults"},
    {"sim", "runtime", "explore"},
    {"campaign"},
    {"mutants"},
    {"teach", "clients", "evidence"},
    {"commands"},
    {"__main__"},
)
"""From the bottom up.  A module imports from lower levels and from its own folder only."""

CORE_MAY_IMPORT = {
    "__future__",
    "abc",
    "bisect",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "itertools",
    "math",
    "operator",
    "re",
    "random",
    "typing",
    "zlib",
    "msgspec",
    "chatsys",
}

HEAVY = {
    "pandas",
    "plotly",
    "ipywidgets",
    "anywidget",
    "sidecar",
    "IPython",
    "nbformat",
    "nbgrader",
    "tqdm",
    "rich",
    "textual",
}
DRAWN_BY_TEXTUAL = {"chatsys/clients/screen/app.py", "chatsys/clients/screen/pieces.py"}
"""Imported when a terminal is there to be filled, and not before."""

FILE_GUIDE, TEST_GUIDE, FUNCTION_GUIDE, PARAMETER_GUIDE, FOLDER_GUIDE = 300, 500, 40, 5, 25

LONGER_FILES = {
    "chatsys/protocol/ordering.py": (480, "one idea, and the prose it needs"),
    "chatsys/teach/grading/lab.py": (320, "everything that a lab can declare on one page, a docstring each"),
    "chatsys/protocol/sessions.py": (410, "one idea, and the prose it needs"),
    "chatsys/protocol/messages.py": (
        485,
        "every frame of the chat on one page: a docstring each, and what is wrong with it by itself",
    ),
    "chatsys/protocol/client.py": (370, "one user's end of the chat: sending, being answered, trying again, listening"),
    "chatsys/runtime/net/links.py": (
        530,
        "one connection in both directions, from its greeting on, what contains whatever it raises, what it asks of its owner",
    ),
    "chatsys/runtime/net/transport.py": (
        360,
        "all links of one life: what peers, claims and links ask of it, in one place",
    ),
    "chatsys/teach/widgets/panel/panel.py": (
        365,
        "the widget, its thread or task, how it carries out an order, and how it goes on with another cluster",
    ),
    "chatsys/teach/labs/lab06/stage.py": (
        365,
        "one node of a lab: a person's end, a follower's, a leader's, and how one becomes the other",
    ),
    "chatsys/actor/logfile.py": (365, "one format: how it is written, read, and what is said of each kind of harm"),
    "chatsys/runtime/disk.py": (
        410,
        "one folder: opening, who writes, marks and syncs, and every sentence of it",
    ),
    "chatsys/runtime/nodes/process.py": (320, "one node over all its lives, and the two pipes of each"),
    "chatsys/protocol/node.py": (430, "the textbook page: every door, every decision"),
    "chatsys/faults/testbed.py": (700, "every verb of every world, once: its check, its sentence, and what differs"),
    "chatsys/sim/host.py": (490, "one address over all its lives: how they begin and end, and every door"),
    "chatsys/sim/world.py": (400, "what each verb means in virtual time, and what is kept of it"),
    "chatsys/isolation/confined_process.py": (
        320,
        "one process from its beginning to its end, and the clocks that end it",
    ),
    "chatsys/runtime/supervisor.py": (
        310,
        "all that lives on a cluster's loop: members, learners, clients, folders, links",
    ),
    "chatsys/runtime/turns.py": (370, "one turn from what is at hand to what leaves, and whose turn it is"),
    "chatsys/spill.py": (315, "one sequence, half of it in a file: every way to add to it and to read it"),
    "chatsys/teach/labs/lab03/reading.py": (312, "what one queue answered, and a sentence for each way of being wrong"),
    "chatsys/trace.py": (350, "one history, how each of its forms is read and written, and what has one"),
    "chatsys/config.py": (460, "one line of advice per setting, and every bad file's own sentence"),
}
"""Files above the guide: how long they may be, and why."""


trees = syntax.trees


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Yield (dotted name, line) of everything `path` imports, relative names made absolute."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in syntax.nodes(path):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join((*base, *([node.module] if node.module else [])))
            yield name, node.lineno
            if name == "chatsys":
                yield from ((f"chatsys.{alias.name}", node.lineno) for alias in node.names)


def level_of(name: str) -> int | None:
    """Return how high the top part below chatsys of dotted `name` stands, or None if it is not ours."""
    parts = name.split(".")
    if parts[0] != "chatsys" or len(parts) < 2:
        return None
    return next((level for level, names in enumerate(LEVELS) if parts[1] in names), None)


def sentence(path: Path, line: int, name: str) -> str:
    return f"{path.relative_to(ROOT)}:{line} imports {name}"


def top_level_imports(path: Path) -> set[str]:
    """Return the first parts of what `path` imports when it is imported itself."""
    found: set[str] = set()
    for node in syntax.parsed(path).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_every_module_has_its_place_in_the_house() -> None:
    tops = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES}
    assert tops - {"__init__"} <= set().union(*LEVELS)


def test_imports_only_point_down() -> None:
    wrong = []
    for path in MODULES:
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        mine = level_of(f"chatsys.{own}")
        assert mine is not None
        for name, line in imports(path):
            if (theirs := level_of(name)) is not None and name.split(".")[1] != own and theirs >= mine:
                wrong.append(sentence(path, line, name))
    assert not wrong, "\n".join(wrong)


def named(path: Path) -> str:
    """Return the dotted name of a module."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def needs(path: Path, known: set[str]) -> set[str]:
    """Return the modules of ours that `path` imports, wherever in it: lazily, or only for types."""
    found = set()
    for node in syntax.nodes(path):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return (found & known) - {named(path)}


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Return, for each module from which a way of imports leads back to itself, that way."""
    found = []
    for start in graph:
        waiting: list[tuple[str, ...]] = [(start,)]
        seen = {start}
        while waiting:
            way = waiting.pop()
            for after in graph[way[-1]]:
                if after == start:
                    found.append(" -> ".join((*way, start)))
                elif after not in seen:
                    seen.add(after)
                    waiting.append((*way, after))
    return found


def test_no_way_of_imports_leads_back_to_where_it_began() -> None:
    known = {named(path) for path in MODULES}
    found = circles({named(path): needs(path, known) for path in MODULES})
    assert not found, "\n".join(found)


def test_a_circle_is_found_however_long_it_is() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [
        "a -> b -> c -> a",
        "b -> c -> a -> b",
        "c -> a -> b -> c",
    ]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


KNOW_THE_CHAT = {
    "chatsys/runtime/backup.py": {"chatsys.protocol.recovery", "chatsys.protocol.storage"},
    "chatsys/runtime/client.py": {"chatsys.protocol.client", "chatsys.protocol.listening.reading"},
    "chatsys/runtime/finding.py": {"chatsys.protocol.messages"},
    "chatsys/runtime/joining.py": {"chatsys.protocol.learning.learner", "chatsys.protocol.learning.records"},
    "chatsys/runtime/service.py": {"chatsys.protocol.node"},
}
"""What people start from a terminal is the chat; these say so, and nothing else of the worlds does."""


@pytest.mark.parametrize("world", ["sim", "runtime"])
def test_a_world_knows_the_contract_of_actors_and_nothing_of_the_chat(world: str) -> None:
    wrong = [
        sentence(path, line, name)
        for path in sorted((PACKAGE / world).rglob("*.py"))
        for name, line in imports(path)
        if name.startswith("chatsys.protocol")
        and name not in KNOW_THE_CHAT.get(path.relative_to(ROOT).as_posix(), set())
    ]
    assert not wrong, "\n".join(wrong)


def test_nobody_may_know_the_chat_who_does_not() -> None:
    for file, names in KNOW_THE_CHAT.items():
        assert names <= {name for name, _ in imports(ROOT / file)}


def test_the_core_touches_no_world() -> None:
    wrong = [
        sentence(path, line, name)
        for path in CORE
        for name, line in imports(path)
        if name.split(".")[0] not in CORE_MAY_IMPORT
    ]
    assert not wrong, "\n".join(wrong)


def test_the_contract_of_actors_and_the_chat_are_both_the_core() -> None:
    assert {path.relative_to(PACKAGE).parts[0] for path in CORE} == {"actor", "protocol"}


def test_the_core_uses_random_only_as_a_type() -> None:
    for path in CORE:
        for node in syntax.nodes(path):
            if isinstance(node, ast.ImportFrom) and node.module == "random":
                assert [alias.name for alias in node.names] == ["Random"], path
            if isinstance(node, ast.Import):
                assert "random" not in [alias.name for alias in node.names], path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"Random", "open", "print", "input"}, f"{path}:{node.lineno}"


def test_tables_and_figures_are_imported_only_when_asked_for() -> None:
    for path in MODULES:
        if path.relative_to(PACKAGE).parts[0] not in {"teach", "__main__.py", "commands"}:
            heavy = top_level_imports(path) & HEAVY
            assert path.relative_to(ROOT).as_posix() in DRAWN_BY_TEXTUAL or not heavy, f"{path} imports {heavy}"


def test_the_screen_is_imported_only_where_it_opens() -> None:
    top = {path.relative_to(ROOT).as_posix(): syntax.parsed(path).body for path in MODULES}
    drawn = {name.removesuffix(".py").replace("/", ".") for name in DRAWN_BY_TEXTUAL}
    inside = {
        file
        for file, body in top.items()
        for node in body
        if isinstance(node, ast.ImportFrom)
        and drawn & {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    }
    assert inside <= DRAWN_BY_TEXTUAL, inside


def test_nothing_platform_bound_is_imported_at_the_top() -> None:
    bound = {"fcntl", "resource", "termios", "tty", "pwd", "grp", "msvcrt", "uvloop"}
    for path in MODULES:
        assert not (found := top_level_imports(path) & bound), f"{path} imports {found}"


def test_every_module_opens_with_a_docstring() -> None:
    for path in MODULES:
        assert not path.read_text() or ast.get_docstring(syntax.parsed(path)), f"{path} has no docstring"


def test_files_and_functions_stay_small() -> None:
    long = [text for path in [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))] for text in too_long(path)]
    assert not long, "\n".join(long)


def too_long(path: Path) -> Iterator[str]:
    """Yield a sentence for a file, and for each function of it, that has more lines than the guide says."""
    name = path.relative_to(ROOT).as_posix()
    guide = TEST_GUIDE if name.startswith("tests/") else FILE_GUIDE
    limit, _why = LONGER_FILES.get(name, (guide, ""))
    lines = path.read_text().count("\n")
    if lines > limit:
        yield f"{name} has {lines} lines, the guide is {limit}: split it, or say why in LONGER_FILES"
    for node in syntax.nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            if length > FUNCTION_GUIDE:
                yield f"{name}:{node.lineno} {node.name} has {length} lines"


def test_functions_take_few_parameters() -> None:
    many = []
    for path in MODULES:
        if path.parent.name == "commands" or path.name == "__main__.py":
            continue  # a command has as many options as it has
        for node in syntax.nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
                if len([name for name in names if name not in {"self", "cls"}]) > PARAMETER_GUIDE:
                    many.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert not many, "\n".join(many)


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES}), ids=lambda path: path.name)
def test_a_folder_stays_a_walk(folder: Path) -> None:
    """Files are short here, so there are many; what a reader needs is that each folder fits on one screen."""
    assert len([path for path in folder.glob("*.py") if path.read_text()]) <= FOLDER_GUIDE


def test_nothing_reaches_up_to_a_subclass_by_a_stub() -> None:
    """A file is never cut by inheritance; what a subclass must have is abstract, or a Protocol says it."""
    for path in MODULES:
        for node in syntax.nodes(path):
            if isinstance(node, ast.Raise) and node.exc:
                assert "NotImplementedError" not in ast.unparse(node.exc), f"{path}:{node.lineno}"


def test_no_name_says_nothing() -> None:
    vague = {"Manager", "Helper", "Util", "Handler"}
    for path in MODULES:
        assert not {"utils", "helpers", "common", "misc"} & {path.stem}
        for node in syntax.nodes(path):
            if isinstance(node, ast.ClassDef):
                assert not any(node.name.endswith(word) for word in vague), f"{path.name}:{node.lineno} {node.name}"


MAY_STAND_TWICE = {
    "Host": "a mirror: one life of an actor, in the imaginary world and in the real one",
    "Recorder": "a mirror: who writes the trace of one host, imaginary and real",
    "Turns": "a mirror: whose turn it is at one host, imaginary and real",
    "Life": "what turns ask of the life around them, and a life as a state of the explorer",
    "Disk": "a mirror: what a host writes to, imaginary and real",
    "Link": "a mirror: one direction between two nodes, imaginary, and one TCP connection",
    "Network": "a mirror: what carries frames, imaginary and real",
    "Message": "the frames of the chat, and what lab 03 hands to a student's queue; no reader meets both",
    "Election": "the textbook's message, in the chat and in lab 05, and so are the next two: students meet them in the lab first",
    "Ok": "the textbook's message, as Election is",
    "Coordinator": "the textbook's message, as Election is",
    "Lead": "a decision of the chat's parts, and what a student's class orders in lab 05; no reader meets both",
    "Send": "an effect, and what a student's class orders in lab 05: both send a message",
    "Record": "a line of a trace, and a line of a node's log",
    "Watch": "what one detector of lab 04 is told and asked, and the lines about a class that is graded; no reader meets both",
    "Answer": "what a confined process sends back, and what `why` says; no reader meets both",
    "Gone": "the explorer's event that a node is gone, and what a judge meets when a class's process has ended",
}
"""Names of classes that are two things, and why no reader is misled."""


def twice(classes: list[tuple[str, str]]) -> list[str]:
    """Return, for each public name that more than one class of these (file, name) has, where they are."""
    homes: dict[str, list[str]] = {}
    for file, name in classes:
        if not name.startswith("_"):
            homes.setdefault(name, []).append(file)
    return [f"{name}: {', '.join(files)}" for name, files in sorted(homes.items()) if len(files) > 1]


def classes_of_the_house() -> list[tuple[str, str]]:
    """Return (file, name) of every class."""
    return [
        (path.relative_to(ROOT).as_posix(), node.name)
        for path in MODULES
        for node in syntax.nodes(path)
        if isinstance(node, ast.ClassDef)
    ]


def test_no_name_of_a_class_is_two_things_in_one_readers_head() -> None:
    found = twice([(file, name) for file, name in classes_of_the_house() if name not in MAY_STAND_TWICE])
    assert not found, "choose another name, or say why in MAY_STAND_TWICE:\n" + "\n".join(found)


def test_every_name_that_may_stand_twice_does() -> None:
    found = {line.partition(":")[0] for line in twice(classes_of_the_house())}
    assert set(MAY_STAND_TWICE) == found, "an exception that is not needed any more is taken away"


def test_a_name_that_stands_twice_is_found() -> None:
    assert twice([("a.py", "Plan"), ("b.py", "Plan"), ("b.py", "_Look"), ("c.py", "_Look"), ("c.py", "Rule")]) == [
        "Plan: a.py, b.py"
    ]
