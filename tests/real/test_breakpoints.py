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


def test_breakpoint_stops_in_the_class_and_who_leaves_it_ends_the_run() -> None:
    answers = ["p twice", "c", "p 100 + packet.number", "q"]
    printed: list[str] = []
    errors: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        body = message["content"]
        if message["msg_type"] == "stream":
            printed.append(body["text"])
        if message["msg_type"] == "error":
            errors.append(f"{body['ename']}: {body['evalue']}")

    with kernel() as cells:
        client = cells.client
        client.execute_interactive(
            CLASS, allow_stdin=True, timeout=60, output_hook=hear, stdin_hook=lambda _: client.input(answers.pop(0))
        )
        assert errors == ["KeyboardInterrupt: you left the debugger, so the run ends here"]
        text = "".join(printed)
        assert text.count("node 2] stopped here: p NAME shows a value") == 2
        assert "\n2\n" in text and "\n103\n" in text and not answers
        assert cells.run("print('goes on')") == "goes on\n"
        printed.clear()
        assert cells.run(CLASS) == "" and not cells.error, "where nobody can type, the run goes on"
