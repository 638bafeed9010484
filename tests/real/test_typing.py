"""The screen client in a real terminal, that of tmux, with three real processes whose leader is killed.

Skipped with a sentence where there is no tmux; with CI=true that is a failure.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from chatsys.runtime.cluster import Cluster

TMUX = shutil.which("tmux")
if TMUX is None and not os.environ.get("CI"):
    pytest.skip("There is no tmux to type in: apt install tmux, or brew install tmux.", allow_module_level=True)


ENDED = 'echo "ended with $?"; test "$a" = "$(stty -g)" && echo "as before"'
"""What the shell says when the client has ended: the exit code, and whether the terminal is as it was."""

HALF_DRAWN = 5.0
"""Seconds within which a picture that was begun is whole.

A picture is more than the 2,048 bytes that the kernel hands from a terminal's one side to its other at a time; who
looks in between sees new rows above and old ones below, and so a message twice.
"""


class Terminal:
    """A terminal of 80 columns and 24 rows, in which a shell runs."""

    def __init__(self, folder: Path) -> None:
        assert TMUX is not None, "CI needs tmux to type in a terminal; apt-get install tmux."
        self.command = [TMUX, "-S", str(folder / "tmux"), "-f", os.devnull]
        self.client = shlex.join([sys.executable, "-m", "chatsys", "client"])
        environment = {**os.environ, "PS1": "", "ENV": "", "LC_ALL": "C.UTF-8", "PYTHONPATH": os.pathsep.join(sys.path)}
        environment.pop("TMUX", None)
        subprocess.run(
            [*self.command, "new-session", "-d", "-x", "80", "-y", "24", "sh"], env=environment, check=True, timeout=10
        )

    def tmux(self, *words: str) -> str:
        return subprocess.run(
            [*self.command, *words], check=True, timeout=10, stdout=subprocess.PIPE, encoding="utf-8"
        ).stdout

    def type(self, text: str) -> None:
        self.tmux("send-keys", "-l", text)

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def say(self, text: str) -> None:
        self.type(text)
        self.press("Enter")

    def run(self, line: str) -> None:
        """Give the shell a line, on an empty screen."""
        self.say(f"clear; {line}")

    def rows(self) -> list[str]:
        return self.tmux("capture-pane", "-p").splitlines()

    def until(self, holds: Callable[[str], object], seconds: float = 30.0) -> str:
        """Return the screen as soon as something holds of it."""
        end = time.monotonic() + seconds
        while not holds(screen := "\n".join(self.rows())):
            assert time.monotonic() < end, screen
            time.sleep(0.05)
        return screen


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.tmux("kill-server")


def chat_rows(screen: str) -> list[tuple[int, str]]:
    """Return (number, what follows, as plain words) of the messages on the screen."""
    found = re.findall(r"^#(\d+) (.*?) *(?:✓ acknowledged)?$", screen, re.MULTILINE)
    return [(int(number), said) for number, said in found]


def stands_in_order(screen: str, whole: list[tuple[int, str]]) -> bool:
    """Tell whether the chat on the screen is a beginning of the whole: nothing is doubled or out of order."""
    rows = chat_rows(screen)
    return "ann>" in screen and rows == whole[: len(rows)]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(3, "processes", data=tmp_path / "data") as running:
        assert running.until(lambda: running.leader, 20)
        yield running


def test_a_leader_is_killed_in_the_middle_of_a_sentence(terminal: Terminal, cluster: Cluster) -> None:
    leader = cluster.leader
    assert leader is not None
    ports = {node: address.rpartition(":")[2] for node, address in cluster.config.members.items()}
    terminal.run(f"a=$(stty -g); {terminal.client} --port {ports[leader]} --name ann; {ENDED}")
    terminal.until(lambda screen: "nobody has said anything yet" in screen and f"node {leader} leads" in screen)
    lines = ["line 1", "line 2", "line 3"]
    for line in lines:
        terminal.say(line)
    terminal.until(lambda screen: screen.count("✓ acknowledged") == 3)

    terminal.type("a sentence in the middle of ")
    cluster.crash(leader)  # SIGKILL
    lines += ["a sentence in the middle of which the leader is killed", "and another one", "and a third"]
    for rest in ("which the leader is killed", *lines[4:]):
        terminal.say(rest)
    whole = list(enumerate([f"ann: {line}" for line in lines], start=1))
    end = time.monotonic() + 30
    while chat_rows(screen := terminal.until(lambda screen: stands_in_order(screen, whole), HALF_DRAWN)) != whole:
        assert time.monotonic() < end, screen
        time.sleep(0.05)
    screen = terminal.until(
        lambda screen: screen.count("✓ acknowledged") == 6 and f"({leader} gone)" in screen and " leads" in screen
    )
    assert chat_rows(screen) == whole
    for node in ports.keys() - {leader}:
        assert cluster.until(lambda: len(cluster.delivered(node)) == 6, 10)  # noqa: B023 - waited for at once
        assert cluster.delivered(node) == lines
    leave_and_come_again(terminal, " ".join(f"--port {port}" for port in ports.values()))


def leave_and_come_again(terminal: Terminal, ports: str) -> None:
    """Leave in several ways; each time the terminal is as it was before."""
    for columns, rows in ((12, 3), (1, 1), (80, 24)):
        terminal.tmux("resize-window", "-x", str(columns), "-y", str(rows))
    terminal.until(lambda screen: screen.count("✓ acknowledged") == 6)
    terminal.press("C-d")
    terminal.until(lambda screen: "ended with 0\nas before" in screen and "ann>" not in screen)

    terminal.run(f"{terminal.client} {ports} --name bob; {ENDED}")
    screen = terminal.until(lambda screen: "#6 ann: and a third" in screen and "bob>" in screen)
    assert [number for number, _ in chat_rows(screen)] == [1, 2, 3, 4, 5, 6], "the history on start"
    shell = psutil.Process(int(terminal.tmux("display-message", "-p", "#{pane_pid}")))
    shell.children()[0].terminate()
    terminal.until(lambda screen: "ended with 0\nas before" in screen and "bob>" not in screen)

    terminal.run(f"{terminal.client} {ports} --cluster tea; {ENDED}")
    screen = terminal.until(lambda screen: "ended with 2\nas before" in screen)
    assert "This node belongs to the cluster 'chat', not to 'tea'." in screen.replace("\n", "")
