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


LAB = """
from chatsys.teach.labs.desk import open_lab
from chatsys.teach.labs.lab11 import attack, kills, rehearse, row

open_lab("11", version=1)

class MyInvariants:
    def agreement(self, trace):
        shown = len(trace.of("deliver"))
        print("looks")
        if shown == 13:
            breakpoint()

    gap = duplicate = kept = leaders = lambda self, trace: None

def scenario(world):
    word = "pay"
    breakpoint()
    world.say(word, 1)

def claim(trace):
    seen = len(trace)
    breakpoint()
"""


def test_breakpoint_stops_in_every_play_cell_of_a_lab_that_hands_out_runs_and_what_is_printed_stays_with_its_run() -> (
    None
):
    printed: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        if message["msg_type"] in ("stream", "error"):
            body = message["content"]
            printed.append(body.get("text") or f"{body['ename']}: {body['evalue']}")

    def play(cell: str, *answers: str) -> str:
        rest = [*answers]
        printed.clear()
        client.execute_interactive(
            cell, allow_stdin=True, timeout=60, output_hook=hear, stdin_hook=lambda _: client.input(rest.pop(0))
        )
        assert not rest, f"these were never asked for: {rest}"
        return "".join(printed)

    with kernel() as cells:
        client = cells.client
        cells.run(LAB)
        assert not cells.error
        table = play("table = kills(MyInvariants)", "p 1000 + shown", "c", "c")
        assert '[run "no session dedup"] stopped here: p NAME shows a value' in table and "\n1013\n" in table
        assert table.count("] looks\n") == 11 and '[run "an old leader that knows nothing yet"] looks' in table
        assert "\npay\n" in play('attack("no session dedup", scenario)', "p word", "c").replace("'", "")
        assert play("rehearse(scenario, claim)", *"cccccc", "c").count('[claim, "') == 6
        assert "\n1013\n" in play("MyInvariants().agreement(row('no session dedup'))", "p 1000 + shown", "c")
        left = play("table = kills(MyInvariants)", "q")
        assert "KeyboardInterrupt: you left the debugger, so the run ends here" in left
        assert cells.run("table = kills(MyInvariants); print('goes on')").endswith("goes on\n"), "where nobody can type"
