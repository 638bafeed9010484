"""The fork server: the processes that it copies share nothing, and end as if each had begun by itself."""

import os
import resource
import signal
import socket
import subprocess
from array import array
from pathlib import Path

import psutil
import pytest
from endings import ends
from remotely import RIGHT, body, message, remotely, script

from chatsys.errors import NotHere
from chatsys.isolation import fork_server
from chatsys.isolation.calls import Method
from chatsys.isolation.limits import Gone

NUMBERS = {"receive": Method(("number", "message"), list[int])}


def value_of(code: str, before: str = "") -> list[int]:
    """Return what a class answers in a process of its own."""
    with remotely(body(code, before), methods=NUMBERS) as remote:
        value = remote.run([script(1)])[0][0].value
    assert isinstance(value, list)
    return value


def gone(pid: int) -> bool:
    """Whether this process ends within some seconds."""
    try:
        return ends(psutil.Process(pid), 20)
    except psutil.NoSuchProcess:
        return True


def test_many_processes_are_copies_of_one_server_which_holds_none_of_them_afterwards() -> None:
    server = fork_server.running()
    for _ in range(3):
        with remotely(RIGHT) as remote:
            assert psutil.Process(remote._process.pid).ppid() == server.pid
            assert remote.run([script(1, 2)])[0][1].value == [message(2)]
    assert fork_server.running() is server and psutil.Process(server.pid).children() == []


def test_two_copies_draw_different_random_numbers() -> None:
    code = "import random, os\nvalue += [random.getrandbits(60), int.from_bytes(os.urandom(7))]"
    first, second = value_of(code), value_of(code)
    assert first[0] != second[0] and first[1] != second[1]


def test_what_one_copy_does_to_its_modules_is_not_seen_in_the_next_one() -> None:
    code = "import sys\nvalue.append(getattr(sys, 'seen', 0))\nsys.seen = 7"
    assert value_of(code) == [0] and value_of(code) == [0]


def test_a_copy_may_compute_as_long_as_if_it_had_begun_by_itself() -> None:
    """The kernel counts what a process has computed from its fork on."""
    value = value_of("import time\nvalue.append(int(1000 * time.process_time()))")
    assert 0 < value[0] < 500, "milliseconds"


def test_what_copies_have_computed_is_counted_once_and_goes_on_being_counted_when_their_server_has_ended() -> None:
    server = fork_server.running()
    before = fork_server.computed()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    value_of("import time\nwhile time.process_time() < 0.3: pass")
    grown = fork_server.computed() - before
    assert 0.29 < grown < 1.0
    server.close()
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert fork_server.computed() == 0.0
    assert ended.ru_utime + ended.ru_stime - children.ru_utime - children.ru_stime >= grown


def test_a_server_that_is_ended_takes_its_copies_along_and_the_next_request_begins_another() -> None:
    server = fork_server.running()
    with remotely(RIGHT) as remote:
        pid = remote._process.pid
        os.kill(server.pid, signal.SIGKILL)
        assert gone(pid)
        with pytest.raises(Gone) as lost:
            remote.run([script(1)])
        assert lost.value.verdict == "late" and "was ended from outside" in lost.value.sentence, "nobody is accused"
    with remotely(RIGHT) as remote:
        assert remote.run([script(1)])[0][0].value == [message(1)]
    assert fork_server.running().pid != server.pid


def test_ctrl_c_in_the_middle_of_a_request_leaves_no_answer_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> bytes:
        raise KeyboardInterrupt

    server = fork_server.running()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(fork_server, "_exactly", interrupted)
        server.code_of(1)
    assert not server.lives and gone(server.pid)
    with remotely(RIGHT) as remote:
        assert remote.run([script(1)])[0][0].value == [message(1)]


def test_a_server_that_nobody_asks_ends_by_itself() -> None:
    server = fork_server.ForkServer(quiet=0.1)
    assert gone(server.pid)
    assert server.has_ended() and server.code_of(1) == -signal.SIGKILL


def test_where_no_process_can_be_started_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(fork_server, "_now", None)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(NotHere, match=r"^No other process could be started \(Resource temporarily unavailable\)\.$"):
        fork_server.running()


def test_a_server_that_may_fork_no_more_says_so_keeps_no_descriptor_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As for a user whose processes are used up; root, who runs this in a container, has no such bound."""

    def refuse() -> int:
        raise OSError(11, "Resource temporarily unavailable")

    door, other = socket.socketpair()
    descriptors = array("i", [os.dup(0), os.dup(0)])
    copies: set[int] = set()
    with monkeypatch.context() as patch, door, other:
        patch.setattr(os, "fork", refuse)
        told = fork_server._copied(fork_server.ForkRequest("/"), descriptors, door, copies)
        assert door.fileno() >= 0, "the next request is heard"
    assert told.error == "Resource temporarily unavailable" and not copies
    for one in descriptors:
        with pytest.raises(OSError):
            os.fstat(one)
    monkeypatch.setattr(fork_server.ForkServer, "_ask", lambda *_: told)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(NotHere, match=r"^No other process could be started \(Resource temporarily unavailable\)\.$"):
        remotely(RIGHT).__enter__()
    assert list(tmp_path.iterdir()) == [], "no folder stays behind"
