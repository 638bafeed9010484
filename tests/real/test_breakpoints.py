"""`breakpoint()` in a student's class, in a real kernel: it stops in the simulated run, and who leaves it ends the cell."""

from typing import Any

from kernels import kernel

CLASS = """
from chatsys.teach.labs.lab01 import talk

class MyReceiver:
    def receive(self, packet):
        twice = 2 * packet.number
        breakpoint()
        return [packet], [packet.number]

world = talk(None, MyReceiver)
"""

ALONE = """
from chatsys.teach.labs.desk import open_lab
open_lab("10", version=1)

def ack(seq):
    breakpoint()
    return seq + 1

print(ack(4))
"""


def talked(client: Any, code: str, answers: list[str]) -> tuple[str, list[str]]:
    """Run a cell, answer what it asks, and return what it printed and its errors."""
    printed: list[str] = []
    errors: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        body = message["content"]
        if message["msg_type"] == "stream":
            printed.append(body["text"])
        if message["msg_type"] == "error":
            errors.append(f"{body['ename']}: {body['evalue']}")

    client.execute_interactive(
        code, allow_stdin=True, timeout=60, output_hook=hear, stdin_hook=lambda _: client.input(answers.pop(0))
    )
    return "".join(printed), errors


def test_breakpoint_stops_in_the_class_and_who_leaves_it_ends_the_run() -> None:
    answers = ["p twice", "c", "p 100 + packet.number", "q"]
    with kernel() as cells:
        text, errors = talked(cells.client, CLASS, answers)
        assert errors == ["KeyboardInterrupt: you left the debugger, so the run ends here"]
        assert text.count("node 2] stopped here: p NAME shows a value") == 2
        assert "\n2\n" in text and "\n103\n" in text and not answers
        assert cells.run("print('goes on')") == "goes on\n"
        assert cells.run(CLASS) == "" and not cells.error, "where nobody can type, the run goes on"


def test_breakpoint_stops_where_a_cell_calls_the_class_itself() -> None:
    with kernel() as cells:
        text, errors = talked(cells.client, ALONE, ["p 10 * seq", "c"])
        assert not errors and "stopped here: p NAME shows a value" in text and "\n40\n" in text and "\n5\n" in text
        text, errors = talked(cells.client, ALONE, ["q"])
        assert errors == ["KeyboardInterrupt: you left the debugger, so the cell ends here"]
        assert "\n5\n" in cells.run(ALONE) and not cells.error, "where nobody can type, the cell goes on"
