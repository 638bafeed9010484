"""Submissions of lab 03 by people who mean well: correct ones (c), wrong ones (w), and clumsy ones (t)."""

import copy

from handing_in import ALL_3_1, ASKING, INIT, NOTHING, RECEIVE, RIGHT, Notebook, answer, at, before, handed_in, write

# --- correct ---------------------------------------------------------------------------------------

answer(
    "c1 sorted list",
    """
import bisect

class MyHoldBack:
    def __init__(self, first=1):
        self.due, self.waiting = first, []

    def receive(self, number, message):
        if number < self.due or any(other == number for other, _ in self.waiting):
            return []
        bisect.insort(self.waiting, (number, message), key=lambda pair: pair[0])
        ready = []
        while self.waiting and self.waiting[0][0] == self.due:
            ready.append(self.waiting.pop(0)[1])
            self.due += 1
        return ready
""",
)
answer(
    "c2 dataclass and heap",
    """
import heapq
from dataclasses import dataclass, field
from typing import Any

@dataclass(order=True)
class Held:
    number: int
    message: Any = field(compare=False)

class MyHoldBack:
    def __init__(self, first=1):
        self.due, self.heap = first, []

    def receive(self, number, message):
        if number >= self.due:
            heapq.heappush(self.heap, Held(number, message))
        ready = []
        while self.heap and self.heap[0].number <= self.due:
            held = heapq.heappop(self.heap)
            if held.number == self.due:
                ready.append(held.message)
                self.due += 1
        return ready
""",
)
answer(
    "c3 base class and recursive helper outside",
    """
class Base:
    def __init__(self, first=1):
        self.due, self.early = first, {}

def release(queue):
    if queue.due not in queue.early:
        return []
    message = queue.early.pop(queue.due)
    queue.due += 1
    return [message, *release(queue)]

class MyHoldBack(Base):
    def receive(self, number, message):
        if number >= self.due:
            self.early[number] = message
        return release(self)
""",
)
answer("c4 an attribute named result", RIGHT.replace("early", "result"))
answer(
    "c5 methods named check, show, world",
    RIGHT.replace("        ready = []", "        ready = self.check()").replace(
        "            ready.append", "            self.show(), self.world()\n            ready.append"
    )
    + """
    def check(self):
        return []

    def show(self):
        return None

    def world(self):
        return None
""",
)
answer(
    "c6 state in a generator",
    """
class MyHoldBack:
    def __init__(self, first=1):
        self.machine = self.run(first)
        next(self.machine)

    def run(self, due):
        early, ready = {}, []
        while True:
            number, message = yield ready
            if number >= due:
                early[number] = message
            ready = []
            while due in early:
                ready.append(early.pop(due))
                due += 1

    def receive(self, number, message):
        return self.machine.send((number, message))
""",
)
answer(
    "c7 holds a lock",
    "import threading\n"
    + RIGHT.replace("self.early = {}", "self.early = {}\n        self.lock = threading.Lock()").replace(
        "        if number >=", "        with self.lock:\n            pass\n        if number >="
    ),
)
answer("c8 returns a tuple", RIGHT.replace("return ready", "return tuple(ready)"))
answer(
    "c9 ring of slots with match",
    """
class MyHoldBack:
    def __init__(self, first=1):
        self.due, self.slots = first, [None] * 64

    def receive(self, number, message):
        match number - self.due:
            case ahead if ahead < 0:
                return []
            case ahead:
                while ahead >= len(self.slots):
                    self.slots += [None] * len(self.slots) if False else [None] * (ahead + 1)
                self.slots[ahead] = message
        ready = []
        while self.slots and self.slots[0] is not None:
            ready.append(self.slots.pop(0))
            self.slots.append(None)
            self.due += 1
        return ready
""",
)
answer("c10 an attribute named world", RIGHT.replace("early", "world"))


@handed_in("c11 every value is shown")
def _(notebook: Notebook) -> None:
    before(notebook, "setup", "%config InteractiveShell.ast_node_interactivity = 'all'")


@handed_in("c12 a thread writes to stderr")
def _(notebook: Notebook) -> None:
    noise = "import sys, threading, time\ndef noise():\n    for _ in range(400):\n        print('here', file=sys.stderr, flush=True); time.sleep(0.05)\n"
    before(notebook, "hold-back", noise + "threading.Thread(target=noise, daemon=True).start()")


# --- wrong -----------------------------------------------------------------------------------------

answer(
    "w1 delivers on receipt",
    INIT + "    def receive(self, number, message):\n        return [message]\n",
    ALL_3_1,
    r"delivered #\d+ before #\d+|delivered #\d+ again",
    ASKING,
)
answer(
    "w2 skips the gap",
    INIT
    + "    def receive(self, number, message):\n        if number < self.due:\n            return []\n        self.due = number + 1\n        return [message]\n",
    ALL_3_1,
    r"#\d+",
    ASKING,
)
answer("w3 one at a time", RIGHT.replace("while self.due in", "if self.due in"), ALL_3_1, r"#\d+", ASKING)
answer(
    "w4 duplicates by text, texts kept",
    INIT.replace("self.early = {}", "self.early = {}\n        self.texts = set()")
    + RECEIVE.replace(
        "if number >= self.due:", "if message.text not in self.texts:\n            self.texts.add(message.text)"
    ),
    ALL_3_1 - {"search-3-1"},
    r"#\d+",
    ASKING | {"search-3-1"},
)
answer(
    "w5 sorts batches of three",
    INIT
    + """
    def receive(self, number, message):
        self.early[number] = message
        if len(self.early) < 3:
            return []
        batch = [self.early[one] for one in sorted(self.early)]
        self.early = {}
        return batch
""",
    ALL_3_1,
    r"#\d+",
    ASKING,
)
answer(
    "w6 state on the class",
    RIGHT.replace("        self.due = first\n        self.early = {}\n", "        pass\n").replace(
        "class MyHoldBack:\n", "class MyHoldBack:\n    due = 1\n    early = {}\n"
    ),
    ALL_3_1 - {"search-3-1"},
    r"share|class",
    ASKING | {"search-3-1"},
)
answer(
    "w7 delivers only #1, ever",
    INIT
    + "    def receive(self, number, message):\n        if number == 1 and not self.early:\n            self.early[1] = 1\n            return [message]\n        return []\n",
    ALL_3_1,
    r"#2",
    ASKING,
)
answer(
    "w8 duplicates by text among the waiting",
    RIGHT.replace(
        "if number >= self.due:",
        "if number >= self.due and message.text not in [one.text for one in self.early.values()]:",
    ),
    ALL_3_1 - {"search-3-1"},
    r"#\d+",
    ASKING | {"search-3-1"},
)
answer(
    "w9 drops what waits beyond eight",
    RIGHT.replace("if number >= self.due:", "if number >= self.due and len(self.early) < 8:"),
    NOTHING,
    "",
    ALL_3_1 | ASKING,
)
answer(
    "w10 never written",
    "class MyHoldBack:\n    def __init__(self, first=1):\n        raise NotImplementedError\n",
    ALL_3_1,
    r"no method",
    ASKING,
)
answer(
    "w11 made-up messages",
    RIGHT.replace("return ready", "return [Message(one.number, 'nobody', 'lost text') for one in ready]"),
    ALL_3_1,
    r"#\d+",
    ASKING,
)

# --- tidied wrongly --------------------------------------------------------------------------------


@handed_in("t1 graded cells replaced, points set to 500")
def _(notebook: Notebook) -> None:
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            cell.source, cell.metadata["nbgrader"]["points"] = "5", 500


@handed_in("t2 one moved, one deleted, the answer doubled")
def _(notebook: Notebook) -> None:
    moved = notebook.cells.pop(at(notebook, "hidden-3-1"))
    notebook.cells.insert(0, moved)
    del notebook.cells[at(notebook, "search-3-1")]
    place = at(notebook, "hold-back")
    notebook.cells.insert(place + 1, copy.deepcopy(notebook.cells[place]))
    notebook.cells[place].source = "class MyHoldBack:\n    pass"


@handed_in("t3 graded cells gone")
def _(notebook: Notebook) -> None:
    notebook.cells = [
        cell
        for cell in notebook.cells
        if not (cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code")
    ]


@handed_in("t5 input()", says="")
def _(notebook: Notebook) -> None:
    before(notebook, "predictions", "name = input('who are you?')")


@handed_in("t6 the stub left alone, the class in a new cell")
def _(notebook: Notebook) -> None:
    source = notebook.cells[at(notebook, "hold-back")].source
    write(notebook, "class MyHoldBack:\n    def receive(self, number, message):\n        raise NotImplementedError\n")
    before(notebook, "missing", source)


@handed_in("t7 a test copied above the answer")
def _(notebook: Notebook) -> None:
    notebook.cells.insert(1, copy.deepcopy(notebook.cells[at(notebook, "check-3-1")]))


@handed_in("t8 the answer's cell split in two")
def _(notebook: Notebook) -> None:
    place = at(notebook, "hold-back")
    extra = copy.deepcopy(notebook.cells[place])
    extra.source = "BASE = 1"
    notebook.cells.insert(place, extra)


@handed_in("t9 a test cell made markdown")
def _(notebook: Notebook) -> None:
    cell = notebook.cells[at(notebook, "check-3-1")]
    cell.cell_type = "markdown"
    cell.pop("outputs", None)
    cell.pop("execution_count", None)


@handed_in("t10 print redefined before a test")
def _(notebook: Notebook) -> None:
    before(notebook, "check-3-1", "print = lambda *a, **k: None\nint = int")


@handed_in("t11 no kernelspec, widget state of others")
def _(notebook: Notebook) -> None:
    notebook.metadata = {
        "widgets": {
            "application/vnd.jupyter.widget-state+json": {
                "state": {"x": {"model_name": "Nope"}},
                "version_major": 2,
                "version_minor": 0,
            }
        }
    }


@handed_in("t12 a cell that is no Python", says=r"")
def _(notebook: Notebook) -> None:
    before(notebook, "predictions", "this is (not python")
